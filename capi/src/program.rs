//! Compiled programs.

use std::ffi::c_char;

use crate::cancel::Cancel;
use crate::console::given;
use crate::entry::{delete, entry, handle, out, quiet, text, there};
use crate::error::Error;
use crate::grants::Grants;
use crate::limits::{Limits, Usage};
use crate::value::{Value, arguments};

/// A compiled program. For any number of threads at once.
pub struct Program(pub(crate) pinfold::Program);

/// What the program needs: a line for each parameter of its `main`, or of its `needs`, as `out: Console`. To be freed with
/// `pinfold_text_delete`; NULL if the program is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_program_needs(program: *const Program) -> *mut c_char {
    // SAFETY: the caller gives a handle or null.
    let program = unsafe { program.as_ref() };
    lines(program, |program| program.0.needs().iter().map(ToString::to_string).collect())
}

/// The functions that can be called: a line for each, as it is declared. To be freed with `pinfold_text_delete`; NULL if the program
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_program_functions(program: *const Program) -> *mut c_char {
    // SAFETY: the caller gives a handle or null.
    let program = unsafe { program.as_ref() };
    lines(program, |program| program.0.functions())
}

fn lines(program: Option<&Program>, of: impl FnOnce(&Program) -> Vec<String>) -> *mut c_char {
    quiet(std::ptr::null_mut(), || program.map_or(std::ptr::null_mut(), |program| given(of(program).join("\n"))))
}

/// The same program with other limits, as another handle. Whether fuel is counted at all is the machine's to say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_program_with_limits(
    program: *const Program,
    limits: *const Limits,
    limited: *mut *mut Program,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, limits or null, and room or null.
        let (to, program, limits) =
            unsafe { (out(limited, "limited")?, there(program, "program")?, there(limits, "limits")?) };
        *to = handle(Program(program.0.with_limits(|own| {
            (own.fuel, own.memory, own.deadline) = (limits.fuel(), limits.memory, limits.deadline());
            (own.stack, own.output, own.handles) = (limits.stack, limits.output, limits.handles);
        })));
        Ok(())
    })
}

/// The same program, as another handle, which ends when this is cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_program_with_cancel(
    program: *const Program,
    cancel: *const Cancel,
    cancelled: *mut *mut Program,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, and room or null.
        let (to, program, cancel) =
            unsafe { (out(cancelled, "cancelled")?, there(program, "program")?, there(cancel, "cancel")?) };
        *to = handle(Program(program.0.with_cancel(&cancel.0)));
        Ok(())
    })
}

/// Runs a program from its beginning to its end: `main`, or a script's statements. `grants` stay the caller's; NULL: nothing is
/// granted. `usage` is told what it used, unless it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_program_run(
    program: *const Program,
    grants: *const Grants,
    usage: *mut Usage,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null.
        let (program, grants) = unsafe { (there(program, "program")?, granted(grants)) };
        let used = program.0.run(grants)?;
        // SAFETY: the caller gives room or null.
        if let Some(usage) = unsafe { usage.as_mut() } {
            *usage = Usage::from(&used);
        }
        Ok(())
    })
}

/// Calls a public function that takes no capabilities, with `count` arguments, which stay the caller's. What it gives is put at `result` and
/// is the caller's to delete; it is not told if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_program_call(
    program: *const Program,
    function: *const c_char,
    with: *const *mut Value,
    count: usize,
    result: *mut *mut Value,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, a text or null, so many values, and room or null.
        let (program, function) = unsafe { (there(program, "program")?, text(function, "function")?) };
        // SAFETY: as above.
        unsafe { answer(with, count, result, |with| program.0.call(function, with)) }
    })
}

/// Calls a function, and puts what it gives where the caller wants it.
///
/// # Safety
/// There are so many pointers, each null or to a value; `result` is null or leads to room.
pub(crate) unsafe fn answer(
    with: *const *mut Value,
    count: usize,
    result: *mut *mut Value,
    call: impl FnOnce(&[pinfold::Value]) -> pinfold::Result<pinfold::Value>,
) -> Result<(), Error> {
    // SAFETY: by contract.
    let (to, with) = unsafe { (out(result, "result").ok(), arguments(with, count)?) };
    let value = call(&with)?;
    if let Some(to) = to {
        *to = handle(Value(value));
    }
    Ok(())
}

/// What is granted, copied.
///
/// # Safety
/// The pointer is null or a handle.
pub(crate) unsafe fn granted(grants: *const Grants) -> pinfold::Grants {
    // SAFETY: by contract.
    unsafe { grants.as_ref() }.map_or_else(pinfold::Grants::none, |grants| grants.0.clone())
}

/// Frees the handle. What runs or is granted goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_program_delete(program: *mut Program) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(program) }
}
