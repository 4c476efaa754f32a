//! Jumps, metering and the end of a run.

use std::sync::atomic::Ordering;

use super::exceptions::failed;
use super::{interrupted, save, trap};
use crate::interpreter::dispatch::{Ip, Machine, Stop, handler, target, word};
use crate::interpreter::value::Source;
use crate::module::DefinedFunc;
use crate::runtime::Outcome;
use crate::runtime::tier::hot_function;
use crate::runtime::trap::TrapKind;

handler! {
    /// Jumps by word 2.
    fn jump[](m, ip, r) {
        r.next(m, target(ip, 2))
    }

    /// Jumps back by word 2, unless the run is to stop.
    fn jump_back[](m, ip, r) {
        if (*(*m).interrupt).load(Ordering::Relaxed) != 0 {
            return interrupted(m, ip, r.sp, r.mem, r.len, r.int, r.f32, r.f64);
        }
        r.next(m, target(ip, 2))
    }

    /// `br_table`: word 2 is the number of distances, which start at word 3, the default last;
    /// after them the index.
    fn jump_table[A: Source](m, ip, r) {
        let last = word(ip, 2) - 1;
        if (*(*m).interrupt).load(Ordering::Relaxed) != 0 {
            return interrupted(m, ip, r.sp, r.mem, r.len, r.int, r.f32, r.f64);
        }
        let index = A::get::<u32>(ip, 3 + last as usize + 1, &r).min(last);
        r.next(m, target(ip, 3 + index as usize))
    }

    /// `unreachable`
    fn unreachable[](m, ip, r) {
        trap(m, ip, r.sp, TrapKind::Unreachable)
    }

    /// Charges the fuel in word 2.
    fn fuel[](m, ip, r) {
        (*(*m).store).fuel -= i64::from(word(ip, 2));
        r.next(m, ip.add(3))
    }

    /// Charges the fuel in word 2, which there has to be.
    fn fuel_checked[](m, ip, r) {
        let store = (*m).store;
        let left = (*store).fuel - i64::from(word(ip, 2));
        (*store).fuel = left;
        if left < 0 {
            return trap(m, ip, r.sp, TrapKind::OutOfFuel);
        }
        r.next(m, ip.add(3))
    }

    /// Counts a call of the function in word 2.
    fn heat[](m, ip, r) {
        let calls = &(*(*m).functions.add(word(ip, 2) as usize)).calls;
        let now = calls.load(Ordering::Relaxed).wrapping_add(1);
        calls.store(now, Ordering::Relaxed);
        if now == 0 {
            return hot(m, ip, r.sp, r.mem, r.len, r.int, r.f32, r.f64);
        }
        r.next(m, ip.add(3))
    }

    /// Sets slots to zero: from word 2 on, as many as word 3.
    fn zero[](m, ip, r) {
        let first = r.sp.add(word(ip, 2) as usize);
        first.write_bytes(0, word(ip, 3) as usize);
        r.next(m, ip.add(4))
    }

    /// Sets the slot in word 2 to zero.
    fn zero_one[](m, ip, r) {
        r.sp.add(word(ip, 2) as usize).write(0);
        r.next(m, ip.add(3))
    }

    /// Returned to by the run's first function.
    fn over[](m, _ip, _r) {
        (*m).outcome = Outcome::Done;
        Stop::Over
    }
}

handler! {
    /// The rare half of [`heat`], out of line so that the other saves no registers.
    #[cold]
    #[inline(never)]
    fn hot[](m, ip, r) {
        save(m, ip, r.sp);
        hot_function((*m).context, DefinedFunc(word(ip, 2)));
        r.next(m, ip.add(3))
    }
}

/// Ends the run after a runtime operation: with a trap of its own, or one that is pending.
///
/// # Safety
/// As for [`trap`].
#[cold]
#[inline(never)]
pub unsafe extern "C" fn stopped(m: *mut Machine, ip: Ip, sp: *mut u64, kind: u32) -> Stop {
    // SAFETY: by contract.
    unsafe {
        match TrapKind::from_number(kind) {
            Some(kind) => trap(m, ip, sp, kind),
            None => failed(m),
        }
    }
}
