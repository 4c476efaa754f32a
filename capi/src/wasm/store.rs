//! Stores, and ending what runs in them.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use pinfold::wasm::{self, InterruptHandle, StoreLimits};

use super::engine::Engine;
use crate::capability::{Data, Finalizer};
use crate::entry::{delete, entry, handle, out, quiet, there};
use crate::error::Error;
use crate::limits::PINFOLD_UNLIMITED;
use crate::session::locked;

/// What instances share: memory, limits, and something of the host's own. While it is used, another use, by another thread or a
/// callback, is an error.
pub struct Store(Mutex<wasm::Store<Data>>);

/// Ends what runs in a store. For any number of threads at once.
pub struct Interrupt(InterruptHandle);

impl Store {
    /// The store that a pointer leads to.
    ///
    /// # Safety
    /// It is null, or leads to a live store for `'a`.
    pub(super) unsafe fn locked<'a>(store: *const Self) -> Result<MutexGuard<'a, wasm::Store<Data>>, Error> {
        // SAFETY: by contract.
        locked(&unsafe { there(store, "store")? }.0, "store")
    }
}

/// A store of an engine, whose programs may have so many bytes of memory and of stack; 0 for either: 256 MiB, 1 MiB. `data` is what
/// host functions are told; takes it over: `finalizer` frees it with the store, also where this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_new(
    engine: *const Engine,
    memory: u64,
    stack: usize,
    data: *mut c_void,
    finalizer: Finalizer,
    store: *mut *mut Store,
) -> *mut Error {
    let data = Data::new(data, finalizer);
    entry(|| {
        // SAFETY: the caller gives a handle or null, and room or null.
        let (to, engine) = unsafe { (out(store, "store")?, there(engine, "engine")?) };
        let mut limits = StoreLimits::default();
        if memory != 0 {
            limits.memory = memory;
        }
        if stack != 0 {
            limits.stack = stack;
        }
        *to = handle(Store(Mutex::new(wasm::Store::with_limits(&engine.0, data, limits))));
        Ok(())
    })
}

/// Sets the fuel that programs may use from now on. An error if the engine counts none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_set_fuel(store: *const Store, fuel: u64) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null.
        Ok(unsafe { Store::locked(store)? }.set_fuel(fuel)?)
    })
}

/// The fuel that is left; 0 for NULL, while the store is in use, and if none is counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_fuel(store: *const Store) -> u64 {
    // SAFETY: the caller gives a handle or null.
    quiet(0, || unsafe { Store::locked(store) }.map_or(0, |store| store.get_fuel().unwrap_or_default()))
}

/// Ends whatever runs in so many milliseconds from now, with `trap.timeout`; `PINFOLD_UNLIMITED` lifts the deadline.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_set_deadline(store: *const Store, milliseconds: u64) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null.
        let mut store = unsafe { Store::locked(store)? };
        let time = (milliseconds != PINFOLD_UNLIMITED).then(|| Duration::from_millis(milliseconds));
        store.set_deadline(time.and_then(|time| Instant::now().checked_add(time)));
        Ok(())
    })
}

/// Ends a store with all its instances, and frees the handle. Not while something of it runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_store_delete(store: *mut Store) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(store) }
}

/// A handle by which other threads can end what runs in a store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_interrupt_new(store: *const Store, interrupt: *mut *mut Interrupt) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, and room or null.
        let (to, store) = unsafe { (out(interrupt, "interrupt")?, Store::locked(store)?) };
        *to = handle(Interrupt(store.interrupt_handle()));
        Ok(())
    })
}

/// Ends the present run, or the next one if none is going on, with `trap.interrupted`. May be called by any thread, but not by a signal
/// handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_interrupt_now(interrupt: *const Interrupt) {
    quiet((), || {
        // SAFETY: the caller gives a handle or null.
        if let Some(interrupt) = unsafe { interrupt.as_ref() } {
            interrupt.0.interrupt();
        }
    });
}

/// Frees the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_interrupt_delete(interrupt: *mut Interrupt) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(interrupt) }
}
