//! From program counters to what they mean. Async-signal-safe: the way goes over atomics and
//! tables that do not change while code of theirs runs.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::arena::Arena;
use super::batch::{Batch, CallSite, Handler};
use crate::module::{FuncIndex, Module};

static ARENA: AtomicPtr<Arena> = AtomicPtr::new(null_mut());

/// Makes the process's arena known.
pub(super) fn set(arena: &'static Arena) {
    ARENA.store(std::ptr::from_ref(arena).cast_mut(), Ordering::Release);
}

fn batch<'a>(pc: usize) -> Option<&'a Batch> {
    // SAFETY: the arena is never dropped; a batch is not dropped while a program counter is in it.
    unsafe { ARENA.load(Ordering::Acquire).as_ref()?.find(pc).map(|batch| &*batch) }
}

/// The kind of trap at a program counter, as a number; zero where a builtin has raised it already.
pub fn lookup_trap(pc: usize) -> Option<u32> {
    batch(pc)?.trap(pc)
}

/// Whether a program counter is in a function's body.
pub fn is_body(pc: usize) -> bool {
    batch(pc).is_some_and(|batch| batch.func(pc).is_some())
}

/// Whether a program counter is in compiled code, trampolines included.
pub fn is_code(pc: usize) -> bool {
    batch(pc).is_some()
}

/// How far above the stack pointer the return address is of a function that is at this program counter, if it has not made its frame yet, or has
/// none any more: the frame pointer is its caller's.
pub fn frameless(pc: usize) -> Option<usize> {
    batch(pc)?.frameless(pc)
}

/// The handlers of the call that returns to a program counter, innermost first, if it has any.
pub fn lookup_handlers<'a>(pc: usize) -> Option<(&'a CallSite, impl Iterator<Item = Handler>)> {
    batch(pc)?.handlers(pc)
}

/// The references in the frame of the call that returns to a program counter, as distances from its stack pointer, and how far
/// that is below its frame pointer; none if there are none.
pub fn lookup_map<'a>(pc: usize) -> Option<(u32, &'a [u32])> {
    batch(pc)?.map(pc)
}

/// Tells where a program counter is, if it is in a function's body.
pub fn lookup_frame(pc: usize, tell: &mut dyn FnMut(&Module, FuncIndex, u32)) {
    if let Some((module, func, offset)) = batch(pc).and_then(|batch| batch.location(pc)) {
        tell(module, func, offset);
    }
}
