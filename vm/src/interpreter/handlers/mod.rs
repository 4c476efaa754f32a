//! What each instruction does, by group. Handlers are generic over the operator and over where
//! its operands are; the translator picks the instance.
//!
//! An instruction is a row of 32-bit words: the handler's address (two words), for those with a
//! result its slot, then the operands in order (a slot, nothing for an accumulator, the value of
//! an immediate), then what else it needs.

pub mod calls;
pub mod control;
pub mod debug;
pub mod exceptions;
pub mod loops;
pub mod memory;
pub mod objects;
pub mod references;
pub mod scalar;
pub mod state;
pub mod vector;

use super::dispatch::{Handler, Ip, Machine, Regs, Stop, handler};
use crate::runtime::context::{InstanceContext, MemorySlot};
use crate::runtime::trap::TrapKind;
use crate::runtime::{Outcome, raise, sampler};

/// The handlers of an instruction with a result: one that writes its slot (and the
/// accumulator), one that only leaves it in the accumulator.
#[derive(Clone, Copy)]
pub struct Pair {
    /// Writes both.
    pub slot: Handler,
    /// Leaves the slot as it was.
    pub acc: Handler,
}

/// Notes where execution is, for backtraces and for what runs above this frame.
///
/// # Safety
/// `ip` is the running instruction, `sp` its frame.
#[inline(always)]
pub unsafe fn save(m: *mut Machine, ip: Ip, sp: *mut u64) {
    // SAFETY: machine, store and function are live.
    unsafe {
        (*m).activation.sp = sp as usize;
        // One word on, as a return address would be.
        (*m).activation.fp = ip.add(1) as usize;
        (*(*m).store).value_top = sp.add((*(*m).function).frame_slots as usize);
    }
}

/// Ends the run in a trap.
///
/// # Safety
/// As for [`save`].
#[cold]
#[inline(never)]
pub unsafe extern "C" fn trap(m: *mut Machine, ip: Ip, sp: *mut u64, kind: TrapKind) -> Stop {
    // SAFETY: by contract.
    unsafe {
        save(m, ip, sp);
        raise((*m).store, kind);
        (*m).outcome = Outcome::Trap;
    }
    Stop::Over
}

handler! {
    /// What an instruction goes on with that finds the store's word to stop set, before it has done anything: the run ends as that says. If
    /// only a sample of the stack was waiting, or the request was withdrawn, the instruction is run again.
    #[cold]
    #[inline(never)]
    fn interrupted[](m, ip, r) {
        if !goes_on(m, ip, r.sp) {
            return stop(m, ip, r.sp);
        }
        r.next(m, ip)
    }
}

/// Whether the run goes on although the store's word to stop was set; a sample of the stack that was waiting is taken.
///
/// # Safety
/// As for [`save`].
#[cold]
#[inline(never)]
pub unsafe extern "C" fn goes_on(m: *mut Machine, ip: Ip, sp: *mut u64) -> bool {
    // SAFETY: by contract.
    unsafe {
        let store = (*m).store;
        save(m, ip, sp);
        sampler::look_up(store);
        (*store).interrupted().is_none()
    }
}

/// Ends the run as the store's request to stop says.
///
/// # Safety
/// As for [`save`].
#[cold]
#[inline(never)]
pub unsafe extern "C" fn stop(m: *mut Machine, ip: Ip, sp: *mut u64) -> Stop {
    // SAFETY: by contract.
    unsafe {
        let kind = (*(*m).store).interrupted().unwrap_or(TrapKind::Interrupted);
        trap(m, ip, sp, kind)
    }
}

/// Takes place and size of memory 0 from the instance.
///
/// # Safety
/// The context is live.
#[inline]
pub unsafe fn reload_memory(context: *mut InstanceContext, regs: &mut Regs) {
    // SAFETY: by contract; the first memory's slot is where the layout says.
    unsafe {
        let code = &*(*context).code;
        if code.module.memories.is_empty() {
            (regs.mem, regs.len) = (std::ptr::null_mut(), 0);
        } else {
            let slot = context.cast::<u8>().add(code.layout.memory(0) as usize).cast::<MemorySlot>();
            let def = (*slot).def;
            (regs.mem, regs.len) = ((*def).base, (*def).len);
        }
    }
}
