//! Engines and modules.

use std::ffi::c_char;

use pinfold::wasm::{self, Config};

use crate::console::given;
use crate::entry::{delete, entry, handle, out, quiet, there, values};
use crate::error::Error;
use crate::vm::Tier;

/// A compiler of WebAssembly and its settings. For any number of threads at once.
pub struct Engine(pub(super) wasm::Engine);

/// A verified module. For any number of threads at once.
pub struct Module(pub(super) wasm::Module);

/// An engine that runs code as `tier`, a `pinfold_tier_t`, says, and counts fuel if it is to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_engine_new(tier: u32, fuel: bool, engine: *mut *mut Engine) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives room or null.
        let to = unsafe { out(engine, "engine")? };
        *to = handle(Engine(wasm::Engine::new(Config::new().tier(Tier::chosen(tier)?).consume_fuel(fuel))?));
        Ok(())
    })
}

/// Frees the handle; what was made with it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_engine_delete(engine: *mut Engine) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(engine) }
}

/// A module from `length` bytes in the binary format, which are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_module_new(
    engine: *const Engine,
    bytes: *const u8,
    length: usize,
    module: *mut *mut Module,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, so many bytes, and room or null.
        let (to, engine) = unsafe { (out(module, "module")?, there(engine, "engine")?) };
        // SAFETY: as above.
        let bytes = unsafe { values(bytes, length, "bytes")? };
        *to = handle(Module(wasm::Module::new(&engine.0, bytes)?));
        Ok(())
    })
}

/// What a module imports: a line for each, as `host::add: (func (param i32 i32) (result i32))`. To be freed with
/// `pinfold_text_delete`; NULL if the module is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_module_imports(module: *const Module) -> *mut c_char {
    // SAFETY: the caller gives a handle or null.
    let module = unsafe { module.as_ref() };
    let line = |(module, name, ty): (&str, &str, wasm::ExternType)| format!("{module}::{name}: {ty}");
    lines(module, |module| module.0.imports().map(line).collect())
}

/// What a module exports: a line for each. To be freed with `pinfold_text_delete`; NULL if the module is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_module_exports(module: *const Module) -> *mut c_char {
    // SAFETY: the caller gives a handle or null.
    let module = unsafe { module.as_ref() };
    lines(module, |module| module.0.exports().map(|(name, ty)| format!("{name}: {ty}")).collect())
}

/// Names are the guest's own: what is not to be printed in them is escaped.
fn lines(module: Option<&Module>, of: impl FnOnce(&Module) -> Vec<String>) -> *mut c_char {
    let escaped = |line: String| line.escape_debug().to_string();
    quiet(std::ptr::null_mut(), || {
        let lines = module.map(|module| of(module).into_iter().map(escaped).collect::<Vec<_>>().join("\n"));
        lines.map_or(std::ptr::null_mut(), given)
    })
}

/// Frees the handle; its instances go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_module_delete(module: *mut Module) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(module) }
}
