//! State of running programs, shared by both tiers: what instances, memories, tables and globals
//! look like in memory, how tiers call each other, and how a run ends in a trap.

pub mod activation;
pub mod backtrace;
pub mod call;
pub mod cast;
pub mod code;
pub mod config;
pub mod constants;
pub mod context;
pub mod debug;
pub mod declared;
pub mod engine;
pub mod events;
pub mod exception;
pub mod host_objects;
pub mod image;
pub mod instance;
pub mod instantiate;
pub mod interrupt;
pub mod kept;
pub mod loops;
pub mod memory;
pub mod objects;
pub mod operations;
pub mod queue;
pub mod roots;
pub mod sampler;
pub mod signals;
pub mod slab;
pub mod snapshot;
pub mod space;
pub mod stack;
pub mod store;
pub mod table;
pub mod threads;
pub mod tier;
pub mod trap;
pub mod types;
pub mod x86_64;

pub use call::{Outcome, call, call_from_compiled, enter_compiled, enter_loop, slots};

use context::StoreContext;
use store::StoreInner;
use trap::{Trap, TrapKind};

/// Ends the run: leaves a trap of this kind, with the backtrace as of now, in the store's
/// pending place. The caller then returns its failing status. A trap that is pending already stays.
///
/// # Safety
/// `store` is live, and the activations reflect where execution is.
pub unsafe fn raise(store: *mut StoreContext, kind: TrapKind) {
    // SAFETY: by contract.
    unsafe { raise_trap(store, Trap::new(kind)) };
}

/// As [`raise`], for a trap that carries more than its kind.
///
/// # Safety
/// As for [`raise`].
#[cold]
pub unsafe fn raise_trap(store: *mut StoreContext, mut trap: Trap) {
    // SAFETY: by contract.
    unsafe {
        if (*store).has_pending != 0 {
            return;
        }
        (trap.frames, trap.omitted) = backtrace::capture(store);
        StoreInner::of(store).pending = Some(trap);
        (*store).has_pending = 1;
    }
}
