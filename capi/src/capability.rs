//! Capabilities of the host's own.

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;

use pinfold::{Failed, Granted};

use crate::entry::{delete, entry, handle, out, text, there, there_mut};
use crate::error::Error;
use crate::value::{self, Value};

/// Something of the host's that only it knows, and how it is freed.
pub(crate) struct Data {
    pointer: *mut c_void,
    finalizer: Finalizer,
}

// SAFETY: whoever gave the pointer promises that what uses it may do so on any thread.
unsafe impl Send for Data {}
// SAFETY: as above.
unsafe impl Sync for Data {}

impl Data {
    pub(crate) fn new(pointer: *mut c_void, finalizer: Finalizer) -> Self {
        Self { pointer, finalizer }
    }

    pub(crate) fn get(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: whoever gave the pointer gave this for it, to be called once.
            unsafe { finalizer(self.pointer) }
        }
    }
}

/// Frees what was given along with it, once nothing uses it any more, on whatever thread that is. NULL: there is nothing to be done.
pub type Finalizer = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// A function of a capability.
///
/// `data` is what was given along with it, `state` that of the object. There are as many `arguments` as are declared, of the declared types;
/// they are the callee's to look at until it returns. It puts a value of the declared type at `result`, which is taken over; nothing there
/// is the unit. What it returns is NULL, or an error, which is taken over and ends the program. What the program is to deal
/// with itself is a value: `pinfold_value_err`, where the declared type is a `Result`.
///
/// It is called on the thread that called the program; by several at once, if there are such. It does not unwind, by a C++ exception or
/// `longjmp`.
pub type Method = Option<
    unsafe extern "C" fn(
        data: *mut c_void,
        state: *mut c_void,
        arguments: *const *mut Value,
        count: usize,
        result: *mut *mut Value,
    ) -> *mut Error,
>;

/// An interface of the host's own, whose functions are callbacks. Programs import it from the module `host`. For one thread at a time.
pub struct Capability(pub(crate) pinfold::Capability<Data>);

/// Something of a capability that can be granted. For any number of threads at once.
pub struct Object(pub(crate) Granted<Data>);

/// A capability from how it is written in Fold, with the records and enums that it names:
///
/// ```text
/// capability Search { fn search(self, query: String, limit: Int) -> List<Hit> }
/// record Hit { title: String, score: Float }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_capability_new(
    declaration: *const c_char,
    capability: *mut *mut Capability,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a text or null, and room or null.
        let (to, declaration) = unsafe { (out(capability, "capability")?, text(declaration, "declaration")?) };
        *to = handle(Capability(pinfold::Capability::declared(declaration)?));
        Ok(())
    })
}

/// Says what a function of a capability does; machines that have the capability already are not changed. Takes `data` over: `finalizer` frees
/// it, also where this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_capability_method(
    capability: *mut Capability,
    name: *const c_char,
    method: Method,
    data: *mut c_void,
    finalizer: Finalizer,
) -> *mut Error {
    let data = Data::new(data, finalizer);
    entry(move || {
        // SAFETY: the caller gives a handle that it alone uses, and a text or null.
        let (capability, name) = unsafe { (there_mut(capability, "capability")?, text(name, "name")?) };
        let method = method.ok_or_else(|| Error::new("argument", "method is NULL"))?;
        let run = move |state: &Data, mut arguments: Vec<pinfold::Value>, _: pinfold::Type<'_>| {
            let pointers = value::pointers(&mut arguments);
            let mut result = null_mut();
            // SAFETY: this is how the callback is declared.
            let failed = unsafe { method(data.get(), state.get(), pointers.as_ptr(), pointers.len(), &mut result) };
            // SAFETY: the callback gives these up.
            let (result, failed) = unsafe { (value::left(result), (!failed.is_null()).then(|| Box::from_raw(failed))) };
            match failed {
                None => Ok(result),
                Some(error) => Err(Failed::from(error.message())),
            }
        };
        capability.0 = capability.0.clone().implement(name, run)?;
        Ok(())
    })
}

/// An object of a capability, to be granted. Takes `state` over: `finalizer` frees it once no program has the object, also where
/// this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_capability_object(
    capability: *const Capability,
    state: *mut c_void,
    finalizer: Finalizer,
    object: *mut *mut Object,
) -> *mut Error {
    let state = Data::new(state, finalizer);
    entry(|| {
        // SAFETY: the caller gives a handle or null, and room or null.
        let (to, capability) = unsafe { (out(object, "object")?, there(capability, "capability")?) };
        *to = handle(Object(capability.0.with(state)));
        Ok(())
    })
}

/// Frees the handle; programs that have the object keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_object_delete(object: *mut Object) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(object) }
}

/// Frees the handle; machines and objects that have the capability keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_capability_delete(capability: *mut Capability) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(capability) }
}
