//! State of running programs, shared by both tiers: what instances, memories, tables and globals
//! look like in memory, how tiers call each other, and how a run ends in a trap.

pub mod code;
pub mod config;
pub mod context;
pub mod operations;
pub mod trap;

use context::{FuncRef, StoreContext};
use trap::TrapKind;

/// Ends the run: leaves a trap of this kind, with the backtrace as of now, in the store's
/// pending place. The caller then returns its failing status.
///
/// # Safety
/// `store` is live, and the activations reflect where execution is.
pub unsafe fn raise(_store: *mut StoreContext, _kind: TrapKind) {
    unimplemented!("the store")
}

/// How a call in the array convention ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Outcome {
    /// Results are in the buffer.
    Done = 0,
    /// The trap is in the store's pending place.
    Trap = 1,
    /// The callee made a tail call that its tier could not make itself: call
    /// [`StoreContext::tail_callee`] with the arguments at [`StoreContext::tail_arguments`].
    TailCall = 2,
}

/// Calls any function in the array convention, in whichever tier it is, tail calls followed.
///
/// # Safety
/// `func` belongs to `store`; `buffer` has [`FuncType::buffer_slots`](crate::types::FuncType::buffer_slots)
/// slots and holds its arguments.
pub unsafe fn call(_store: *mut StoreContext, _func: *const FuncRef, _buffer: *mut u64) -> Outcome {
    unimplemented!("the store")
}
