//! Going on in compiled code in the middle of a loop.
//!
//! The code takes the place of the newest frame, whose state it takes from the frame's slots: see `jit::lower::resume`. While it runs the
//! frame only says where to return to.

use std::sync::atomic::Ordering;

use super::calls::{HEADER, Tail, finish, give_way};
use super::exceptions::failed;
use super::save;
use crate::interpreter::dispatch::{Ip, Machine, Stop, handler, word};
use crate::jit::LoopCode;
use crate::module::DefinedFunc;
use crate::runtime::context::LoopFrame;
use crate::runtime::tier::hot_loop;
use crate::runtime::{Outcome, enter_loop, slots};

handler! {
    /// Counts a turn of a loop of the function in word 2; word 3 is which.
    fn turn[](m, ip, r) {
        let turns = &(*(*m).functions.add(word(ip, 2) as usize)).turns;
        let now = turns.load(Ordering::Relaxed).wrapping_add(1);
        turns.store(now, Ordering::Relaxed);
        if now >= 0 {
            return hot(m, ip, r.sp, r.mem, r.len, r.int, r.f32, r.f64);
        }
        r.next(m, ip.add(4))
    }
}

handler! {
    /// The rare half of [`turn`], out of line so that the other saves no registers.
    #[cold]
    #[inline(never)]
    fn hot[](m, ip, r) {
        save(m, ip, r.sp);
        let code = hot_loop((*m).context, DefinedFunc(word(ip, 2)), word(ip, 3));
        if !code.is_null() {
            return go_on(m, ip, r.sp, code);
        }
        r.next(m, ip.add(4))
    }
}

/// Goes on in a loop's code, and then where the frame returns to.
#[inline(never)]
unsafe extern "C" fn go_on(m: *mut Machine, ip: Ip, sp: *mut u64, code: *const LoopCode) -> Stop {
    // SAFETY: the code is that of the loop whose header the frame at `sp` is at. There is room for results where operands begin, since that is
    // where the interpreter's own would stand before it returns them.
    unsafe {
        let header = sp.add((*(*m).function).header as usize);
        let results = header.add(HEADER as usize);
        (*m).entry = LoopFrame { slots: sp, tail_callee: std::ptr::null() };
        (*m).activation.replaced = 1;
        let outcome = enter_loop((*m).store, &raw const (*m).entry, code, (*m).context, results);
        (*m).activation.replaced = 0;
        if outcome != Outcome::Done {
            return failed(m);
        }
        if !(*m).entry.tail_callee.is_null() {
            return tail_call(m, ip, sp);
        }
        // They may come to lie over the header.
        let (after, function, context) = (header.read(), header.add(1).read(), header.add(2).read());
        results.copy_to(sp, result_slots(m));
        finish(m, sp, after, function, context)
    }
}

/// Slots of the running function's results.
///
/// # Safety
/// The machine is live.
unsafe fn result_slots(m: *mut Machine) -> usize {
    // SAFETY: by contract.
    unsafe { (*(*(*m).context).code).module.func_type((*(*m).function).index).result_slots() }
}

/// Makes the tail call that a loop's code has left.
#[inline(never)]
unsafe extern "C" fn tail_call(m: *mut Machine, ip: Ip, sp: *mut u64) -> Stop {
    // SAFETY: the arguments are after room for results, where operands begin. The interpreter's own tail call has room for both, after as many operands.
    unsafe {
        let func = (*m).entry.tail_callee;
        let header = sp.add((*(*m).function).header as usize);
        let arguments = header.add(HEADER as usize);
        let (params, _) = slots((*m).store, func);
        let results = result_slots(m);
        arguments.add(results).copy_to(arguments, params);
        give_way(m, ip, sp, func, Tail { arguments, params, header, results })
    }
}
