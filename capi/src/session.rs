//! Programs with what they were granted.

use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard};

use crate::entry::{delete, entry, handle, out, text, there};
use crate::error::Error;
use crate::grants::Grants;
use crate::limits::Usage;
use crate::program::{Program, answer, granted};
use crate::value::Value;

/// A program with what it was granted, of which several functions can be called, one after the other. While one is called, another call, by
/// another thread or a callback, is an error.
pub struct Session(Mutex<pinfold::Session>);

/// What is behind a lock, unless it is in use: by another thread, or further up on this one.
pub(crate) fn locked<'a, T>(lock: &'a Mutex<T>, name: &str) -> Result<MutexGuard<'a, T>, Error> {
    lock.try_lock().map_err(|_| Error::new("argument", &format!("the {name} is in use")))
}

/// Grants a program something for several calls. `grants` stay the caller's; NULL: nothing is granted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_new(
    program: *const Program,
    grants: *const Grants,
    session: *mut *mut Session,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, and room or null.
        let (to, program, grants) = unsafe { (out(session, "session")?, there(program, "program")?, granted(grants)) };
        *to = handle(Session(Mutex::new(program.0.session(grants)?)));
        Ok(())
    })
}

/// Calls a public function, as `pinfold_program_call`; what it takes of capabilities is found among what was granted, and is no
/// argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_call(
    session: *const Session,
    function: *const c_char,
    with: *const *mut Value,
    count: usize,
    result: *mut *mut Value,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, a text or null, so many values, and room or null.
        let (session, function) = unsafe { (there(session, "session")?, text(function, "function")?) };
        let mut session = locked(&session.0, "session")?;
        // SAFETY: as above.
        unsafe { answer(with, count, result, |with| session.call(function, with)) }
    })
}

/// Runs `main`, or a script's statements. `usage` is told what it used, unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_run(session: *const Session, usage: *mut Usage) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null.
        let used = locked(&unsafe { there(session, "session")? }.0, "session")?.run()?;
        // SAFETY: the caller gives room or null.
        if let Some(usage) = unsafe { usage.as_mut() } {
            *usage = Usage::from(&used);
        }
        Ok(())
    })
}

/// Ends a session, and frees the handle. Not while a function of it is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_session_delete(session: *mut Session) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(session) }
}
