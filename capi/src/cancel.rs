//! Ending programs from other threads.

use crate::entry::{delete, handle, quiet};

/// Ends programs from another thread: all that run with it, and those that are run with it later. For any number of threads at once.
pub struct Cancel(pub(crate) pinfold::Cancel);

/// One by which nothing is cancelled yet.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_cancel_new() -> *mut Cancel {
    quiet(std::ptr::null_mut(), || handle(Cancel(pinfold::Cancel::new())))
}

/// Ends what runs, and what is to run with it. May be called by any thread, but not by a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_cancel_now(cancel: *const Cancel) {
    quiet((), || {
        // SAFETY: the caller gives a handle or null.
        if let Some(cancel) = unsafe { cancel.as_ref() } {
            cancel.0.cancel();
        }
    });
}

/// Frees the handle; programs that run with it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_cancel_delete(cancel: *mut Cancel) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(cancel) }
}
