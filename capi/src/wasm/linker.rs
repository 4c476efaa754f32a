//! Linkers: where imports are looked up.

use std::ffi::{c_char, c_void};

use pinfold::wasm::{self, Val};

use super::caller::{Caller, HostFunction};
use super::engine::{Engine, Module};
use super::instance::Instance;
use super::store::Store;
use super::value::{WasmValue, func_type};
use crate::capability::{Data, Finalizer};
use crate::entry::{delete, entry, handle, out, text, there, there_mut, values};
use crate::error::Error;

/// Named things that modules may import. For one thread at a time.
pub struct Linker(wasm::Linker<Data>);

/// A linker of an engine, with nothing in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_linker_new(engine: *const Engine, linker: *mut *mut Linker) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, and room or null.
        let (to, engine) = unsafe { (out(linker, "linker")?, there(engine, "engine")?) };
        *to = handle(Linker(wasm::Linker::new(&engine.0)));
        Ok(())
    })
}

/// Defines a host function under two names. `params` and `results` are numbers of `pinfold_wasm_kind_t`, as many as is said. Takes `data`
/// over: `finalizer` frees it once nothing has the function, also where this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_linker_func(
    linker: *mut Linker,
    module: *const c_char,
    name: *const c_char,
    params: *const u32,
    param_count: usize,
    results: *const u32,
    result_count: usize,
    function: HostFunction,
    data: *mut c_void,
    finalizer: Finalizer,
) -> *mut Error {
    let data = Data::new(data, finalizer);
    entry(move || {
        // SAFETY: the caller gives a handle that it alone uses, texts or null, and as many kinds as it says.
        let (linker, module, name) =
            unsafe { (there_mut(linker, "linker")?, text(module, "module")?, text(name, "name")?) };
        // SAFETY: as above.
        let (params, results) =
            unsafe { (values(params, param_count, "params")?, values(results, result_count, "results")?) };
        let function = function.ok_or_else(|| Error::new("argument", "function is NULL"))?;
        let run = move |caller: wasm::Caller<'_, Data>, params: &[Val], results: &mut [Val]| {
            let failed = |error: Error| wasm::Error::host(error.message());
            let params = params.iter().map(WasmValue::of).collect::<Result<Vec<_>, _>>().map_err(failed)?;
            let mut given = results.iter().map(WasmValue::of).collect::<Result<Vec<_>, _>>().map_err(failed)?;
            let mut caller = Caller::new(caller);
            // SAFETY: this is how the callback is declared; the caller is borrowed until it returns.
            let error = unsafe {
                function(data.get(), caller.pointer(), params.as_ptr(), params.len(), given.as_mut_ptr(), given.len())
            };
            if !error.is_null() {
                // SAFETY: the callback gives it up.
                return Err(failed(*unsafe { Box::from_raw(error) }));
            }
            for (result, given) in results.iter_mut().zip(&given) {
                *result = given.read().map_err(failed)?;
            }
            Ok(())
        };
        linker.0.func_new(module, name, func_type(params, results)?, run)?;
        Ok(())
    })
}

/// Defines all exports of an instance under one first name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_linker_instance(
    linker: *mut Linker,
    store: *const Store,
    module: *const c_char,
    instance: *const Instance,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle that it alone uses, others or null, and a text or null.
        let (linker, store, module) =
            unsafe { (there_mut(linker, "linker")?, Store::locked(store)?, text(module, "module")?) };
        // SAFETY: as above.
        linker.0.instance(&*store, module, unsafe { there(instance, "instance")? }.0)?;
        Ok(())
    })
}

/// Makes an instance of a module in a store: all imports are looked up and checked before anything is done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_linker_instantiate(
    linker: *const Linker,
    store: *const Store,
    module: *const Module,
    instance: *mut *mut Instance,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, and room or null.
        let (to, linker, module) =
            unsafe { (out(instance, "instance")?, there(linker, "linker")?, there(module, "module")?) };
        // SAFETY: as above.
        let mut store = unsafe { Store::locked(store)? };
        *to = handle(Instance(linker.0.instantiate(&mut *store, &module.0)?));
        Ok(())
    })
}

/// Frees the handle; its instances go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_linker_delete(linker: *mut Linker) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(linker) }
}
