//! Throwing, and going on where an exception is caught.

use super::calls::enter_instance;
use super::save;
use crate::interpreter::Function;
use crate::interpreter::dispatch::{Ip, Machine, Regs, Stop, handler, word};
use crate::runtime::context::StoreContext;
use crate::runtime::{Outcome, exception};

handler! {
    /// `throw` of the tag at the offset in word 2 of the context; its payload starts at the slot in word 3 and has as
    /// many as word 4.
    fn throw[](m, ip, r) {
        throw_row(m, ip, r.sp)
    }

    /// `throw_ref` of the exception in the slot of word 2.
    fn throw_ref[](m, ip, r) {
        throw_object(m, ip, r.sp)
    }
}

#[inline(never)]
unsafe extern "C" fn throw_row(m: *mut Machine, ip: Ip, sp: *mut u64) -> Stop {
    // SAFETY: as for the handler.
    unsafe {
        save(m, ip, sp);
        let row = sp.add(word(ip, 3) as usize);
        row.copy_to_nonoverlapping((*(*m).store).payload, word(ip, 4) as usize);
        exception::throw((*m).context, word(ip, 2));
        failed(m)
    }
}

#[inline(never)]
unsafe extern "C" fn throw_object(m: *mut Machine, ip: Ip, sp: *mut u64) -> Stop {
    // SAFETY: as for the handler.
    unsafe {
        save(m, ip, sp);
        exception::throw_ref((*m).store, sp.add(word(ip, 2) as usize).read() as u32);
        failed(m)
    }
}

/// Goes on after something failed: where its exception is caught, if that is here; otherwise the run is over.
///
/// # Safety
/// A trap is pending, or an exception is being thrown that someone catches.
#[cold]
#[inline(never)]
pub unsafe extern "C" fn failed(m: *mut Machine) -> Stop {
    // SAFETY: by contract; the catcher was found in a frame of this machine.
    unsafe {
        let store = (*m).store;
        if !exception::is_caught_here(store) {
            (*m).outcome = Outcome::of_failure(store);
            return Stop::Over;
        }
        (*m).function = (*store).catcher.fp as *const Function;
        let (sp, ip) = ((*store).catcher.sp as *mut u64, (*store).catcher.pc as Ip);
        let (mem, len) = enter_instance(m, (*store).catcher.context);
        deliver(store);
        Regs { mem, len, ..Regs::at(sp) }.next(m, ip)
    }
}

/// Puts what was caught where the catcher wants it.
#[inline(never)]
unsafe fn deliver(store: *mut StoreContext) {
    // SAFETY: the catcher is a frame of the interpreter, with room for what its clause takes.
    unsafe {
        let catcher = &(*store).catcher;
        let mut to = (catcher.sp as *mut u64).add(catcher.slot as usize);
        if catcher.payload != 0 {
            let slots = (*(*store).thrown.tag).ty.param_slots();
            (*store).payload.copy_to_nonoverlapping(to, slots);
            to = to.add(slots);
        }
        if catcher.reference != 0 {
            to.write(u64::from((*store).thrown.object));
        }
    }
}
