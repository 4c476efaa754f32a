//! Instances, and what they export.

use std::ffi::c_char;

use pinfold::wasm::{self, Val};

use super::store::Store;
use super::value::WasmValue;
use crate::entry::{delete, entry, text, there, there_mut, values};
use crate::error::Error;

/// A module with its state, in a store. Good with that alone.
pub struct Instance(pub(super) wasm::Instance);

/// Calls an exported function with `count` arguments; there has to be room for as many results as it has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_instance_call(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
    arguments: *const WasmValue,
    count: usize,
    results: *mut WasmValue,
    result_count: usize,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, a text or null, and so many values.
        let (instance, mut store, name) =
            unsafe { (there(instance, "instance")?, Store::locked(store)?, text(name, "name")?) };
        // SAFETY: as above.
        let arguments = unsafe { values(arguments, count, "arguments")? };
        let arguments = arguments.iter().map(WasmValue::read).collect::<Result<Vec<_>, _>>()?;
        if results.is_null() && result_count != 0 {
            return Err(Error::new("argument", "results is NULL"));
        }
        let func = instance.0.get_func(&*store, name);
        let func = func.ok_or_else(|| wasm::Error::NoExport { name: name.to_owned(), kind: "function" })?;
        let mut given = vec![Val::I32(0); result_count];
        func.call(&mut *store, &arguments, &mut given)?;
        for (place, value) in given.iter().enumerate() {
            // SAFETY: there is room for as many; what is there may be nothing yet.
            unsafe { results.add(place).write(WasmValue::of(value)?) };
        }
        Ok(())
    })
}

/// The bytes of an exported memory, and how many there are: good until something of its store runs, or its memory grows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_instance_memory(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
    bytes: *mut *mut u8,
    length: *mut usize,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives room or null.
        let (bytes, length) = unsafe { (there_mut(bytes, "bytes")?, there_mut(length, "length")?) };
        // SAFETY: the caller gives handles or null, and a text or null.
        let (mut store, memory) = unsafe { memory(instance, store, name)? };
        let data = memory.data_mut(&mut *store)?;
        (*bytes, *length) = (data.as_mut_ptr(), data.len());
        Ok(())
    })
}

/// Copies `length` bytes out of an exported memory, from `at` on; `bounds` if there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_instance_read(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
    at: usize,
    to: *mut u8,
    length: usize,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, and a text or null.
        let (store, memory) = unsafe { memory(instance, store, name)? };
        if to.is_null() && length != 0 {
            return Err(Error::new("argument", "to is NULL"));
        }
        let bytes = memory.data(&*store)?.get(at..).and_then(|bytes| bytes.get(..length));
        let bytes = bytes.ok_or_else(|| wasm::Error::Bounds(format!("{length} bytes at {at}")))?;
        // SAFETY: there is room for as many.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, length) };
        Ok(())
    })
}

/// Copies `length` bytes into an exported memory, to `at`; `bounds` if there is no room for as many, and nothing is written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_instance_write(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
    at: usize,
    from: *const u8,
    length: usize,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, a text or null, and so many bytes.
        let (mut store, memory) = unsafe { memory(instance, store, name)? };
        // SAFETY: as above.
        memory.write(&mut *store, at, unsafe { values(from, length, "from")? })?;
        Ok(())
    })
}

/// The store, and an exported memory.
///
/// # Safety
/// The pointers lead to what they say for `'a`, or are null.
unsafe fn memory<'a>(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
) -> Result<(std::sync::MutexGuard<'a, wasm::Store<crate::capability::Data>>, wasm::Memory), Error> {
    // SAFETY: by contract.
    let (instance, store, name) = unsafe { (there(instance, "instance")?, Store::locked(store)?, text(name, "name")?) };
    let memory = instance.0.get_memory(&*store, name);
    let memory = memory.ok_or_else(|| wasm::Error::NoExport { name: name.to_owned(), kind: "memory" })?;
    Ok((store, memory))
}

/// Reads an exported global.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_instance_global(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
    value: *mut WasmValue,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, a text or null, and room or null.
        let (store, global) = unsafe { global(instance, store, name)? };
        if value.is_null() {
            return Err(Error::new("argument", "value is NULL"));
        }
        // SAFETY: there is room; what is there may be nothing yet.
        unsafe { value.write(WasmValue::of(&global.get(&*store)?)?) };
        Ok(())
    })
}

/// Sets an exported global that is mutable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_instance_set_global(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
    value: *const WasmValue,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, a text or null, and a value or null.
        let (mut store, global) = unsafe { global(instance, store, name)? };
        // SAFETY: as above.
        global.set(&mut *store, &unsafe { there(value, "value")? }.read()?)?;
        Ok(())
    })
}

/// The store, and an exported global.
///
/// # Safety
/// The pointers lead to what they say for `'a`, or are null.
unsafe fn global<'a>(
    instance: *const Instance,
    store: *const Store,
    name: *const c_char,
) -> Result<(std::sync::MutexGuard<'a, wasm::Store<crate::capability::Data>>, wasm::Global), Error> {
    // SAFETY: by contract.
    let (instance, store, name) = unsafe { (there(instance, "instance")?, Store::locked(store)?, text(name, "name")?) };
    let global = instance.0.get_global(&*store, name);
    let global = global.ok_or_else(|| wasm::Error::NoExport { name: name.to_owned(), kind: "global" })?;
    Ok((store, global))
}

/// Lets go of an instance, and frees the handle. It ends with its store at the latest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_instance_delete(instance: *mut Instance) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(instance) }
}
