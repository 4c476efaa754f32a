//! What a host function sees of whoever called it.

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;

use pinfold::wasm;

use super::value::WasmValue;
use crate::capability::Data;
use crate::entry::{entry, quiet, text, there, there_mut};
use crate::error::Error;

/// Whoever called a host function: good until that returns, on its thread.
pub struct Caller<'a>(wasm::Caller<'a, Data>);

/// A function of the host's own for WebAssembly.
///
/// `data` is what was given along with it. There are as many `arguments` and `results` as its type has, of the kinds that it has; results are
/// zero before. What it returns is NULL, or an error, which is taken over and ends the program. It runs on the
/// guest's stack, where it has half a MiB, and does not unwind, by a C++ exception or `longjmp`.
pub type HostFunction = Option<
    unsafe extern "C" fn(
        data: *mut c_void,
        caller: *mut Caller<'_>,
        arguments: *const WasmValue,
        count: usize,
        results: *mut WasmValue,
        result_count: usize,
    ) -> *mut Error,
>;

impl<'a> Caller<'a> {
    pub(super) fn new(caller: wasm::Caller<'a, Data>) -> Self {
        Self(caller)
    }

    pub(super) fn pointer(&mut self) -> *mut Self {
        self
    }
}

/// What the store was given as its data. NULL if the caller is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_caller_data(caller: *const Caller<'_>) -> *mut c_void {
    // SAFETY: the callee gives what it was given, or null.
    quiet(null_mut(), || unsafe { there(caller, "caller") }.map_or(null_mut(), |caller| caller.0.data().get()))
}

/// The bytes of a memory that the calling instance exports, and how many there are: good until the host function returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_caller_memory(
    caller: *mut Caller<'_>,
    name: *const c_char,
    bytes: *mut *mut u8,
    length: *mut usize,
) -> *mut Error {
    entry(|| {
        // SAFETY: the callee gives what it was given, or null, a text or null, and room or null.
        let (caller, name) = unsafe { (there_mut(caller, "caller")?, text(name, "name")?) };
        // SAFETY: as above.
        let (bytes, length) = unsafe { (there_mut(bytes, "bytes")?, there_mut(length, "length")?) };
        let memory = caller.0.get_export(name).and_then(wasm::Extern::into_memory);
        let memory = memory.ok_or_else(|| wasm::Error::NoExport { name: name.to_owned(), kind: "memory" })?;
        let data = memory.data_mut(&mut caller.0)?;
        (*bytes, *length) = (data.as_mut_ptr(), data.len());
        Ok(())
    })
}
