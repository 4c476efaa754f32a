//! What every function does at its beginning and end: pointers become references, and what goes wrong becomes an error.

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use crate::error::Error;

/// Runs what a function does. Null is success; a panic is an error.
pub(crate) fn entry(run: impl FnOnce() -> Result<(), Error>) -> *mut Error {
    let failed = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(error)) => error,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            Error::new("panic", &text.or_else(|| panic.downcast_ref().cloned()).unwrap_or_default())
        }
    };
    Box::into_raw(Box::new(failed))
}

/// Runs what a function does that has no error to give: `otherwise` is given where it panics.
pub(crate) fn quiet<T>(otherwise: T, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(otherwise)
}

fn null(name: &str) -> Error {
    Error::new("argument", &format!("{name} is NULL"))
}

/// What a pointer leads to.
///
/// # Safety
/// It is null, or leads to a live `T` that nobody changes for `'a`.
pub(crate) unsafe fn there<'a, T>(pointer: *const T, name: &str) -> Result<&'a T, Error> {
    // SAFETY: by contract.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// What a pointer leads to, to be changed.
///
/// # Safety
/// It is null, or leads to a live `T` that nobody else uses for `'a`.
pub(crate) unsafe fn there_mut<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T, Error> {
    // SAFETY: by contract.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
}

/// A text that ends with a zero byte.
///
/// # Safety
/// The pointer is null, or leads to such a text, which nobody changes for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Error> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: by contract.
    let text = unsafe { CStr::from_ptr(pointer) }.to_str();
    text.map_err(|_| Error::new("argument", &format!("{name} is no UTF-8 text")))
}

/// So many values behind a pointer, which may be null if there are none.
///
/// # Safety
/// There are as many, and nobody changes them for `'a`.
pub(crate) unsafe fn values<'a, T>(pointer: *const T, count: usize, name: &str) -> Result<&'a [T], Error> {
    match (pointer.is_null(), count) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(name)),
        // SAFETY: by contract.
        (false, _) => Ok(unsafe { slice::from_raw_parts(pointer, count) }),
    }
}

/// Where a function puts what it makes, which is null until then.
///
/// # Safety
/// The pointer is null, or leads to room for a pointer, for `'a`.
pub(crate) unsafe fn out<'a, T>(pointer: *mut *mut T, name: &str) -> Result<&'a mut *mut T, Error> {
    // SAFETY: by contract.
    let place = unsafe { there_mut(pointer, name)? };
    *place = std::ptr::null_mut();
    Ok(place)
}

/// A handle, which is the caller's to delete.
pub(crate) fn handle<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Frees a handle; null is none.
///
/// # Safety
/// It is null, or came from [`handle`] and is not used again.
pub(crate) unsafe fn delete<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: by contract.
        quiet((), || drop(unsafe { Box::from_raw(handle) }));
    }
}
