//! Consoles, and texts that are the caller's.

use std::ffi::{CString, c_char};

use crate::entry::{delete, entry, handle, quiet, there_mut, values};
use crate::error::Error;

/// A place where programs write texts and read lines: any number of them at once. The handle is for one thread at a time.
pub struct Console(pub(crate) pinfold::Console);

/// One that keeps what is written, and has nothing to be read.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_console_capture() -> *mut Console {
    quiet(std::ptr::null_mut(), || handle(Console(pinfold::Console::capture())))
}

/// The standard streams of this process.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_console_inherit() -> *mut Console {
    quiet(std::ptr::null_mut(), || handle(Console(pinfold::Console::inherit())))
}

/// Lets programs read `length` bytes at `input`, which are copied: those that it is granted to after this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_console_input(console: *mut Console, input: *const u8, length: usize) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle that it alone uses, and so many bytes.
        let (console, input) = unsafe { (there_mut(console, "console")?, values(input, length, "input")?) };
        console.0 = console.0.clone().with_input(input);
        Ok(())
    })
}

/// What was written until now, if it is kept: UTF-8, in which U+FFFD stands for zero bytes, with a zero byte behind it; to be freed with `pinfold_text_delete`. `length` is
/// told without the zero, unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_console_text(console: *const Console, length: *mut usize) -> *mut c_char {
    // SAFETY: the caller gives a handle or null, and room or null.
    unsafe { read(console, length, pinfold::Console::text) }
}

/// What was written where errors go, likewise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_console_errors(console: *const Console, length: *mut usize) -> *mut c_char {
    // SAFETY: the caller gives a handle or null, and room or null.
    unsafe { read(console, length, pinfold::Console::errors) }
}

/// # Safety
/// The pointers lead to what they say, or are null.
unsafe fn read(console: *const Console, length: *mut usize, read: fn(&pinfold::Console) -> String) -> *mut c_char {
    // SAFETY: by contract.
    let (console, length) = unsafe { (console.as_ref(), length.as_mut()) };
    quiet(std::ptr::null_mut(), || {
        let Some(console) = console else { return std::ptr::null_mut() };
        // A text of C's ends with its first zero byte: others are replaced.
        let text = read(&console.0).replace('\0', "\u{fffd}");
        if let Some(length) = length {
            *length = text.len();
        }
        given(text)
    })
}

/// A text without zero bytes that is the caller's to free.
pub(crate) fn given(text: String) -> *mut c_char {
    CString::new(text).unwrap_or_default().into_raw()
}

/// Frees a text that the caller was given; NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_text_delete(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: it came from `given`, and is not used again.
        quiet((), || drop(unsafe { CString::from_raw(text) }));
    }
}

/// Frees the handle; what the console was granted to keeps it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_console_delete(console: *mut Console) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(console) }
}
