//! Tests and casts of references, small integers, numbers of functions.

use super::trap;
use crate::interpreter::dispatch::{Ip, Machine, Stop, handler, word};
use crate::interpreter::value::{Source, Target};
use crate::runtime::cast::Cast;
use crate::runtime::trap::TrapKind;

/// The cast whose words begin at `at`.
///
/// # Safety
/// The translator put them there.
#[inline(always)]
unsafe fn cast(ip: Ip, at: usize) -> Cast {
    // SAFETY: by contract.
    unsafe { Cast::from_words([word(ip, at), word(ip, at + 1), word(ip, at + 2)]) }
}

handler! {
    /// `ref.test`: result, slot, cast.
    fn ref_test[D: Target](m, ip, r) {
        let bits = r.sp.add(word(ip, 3) as usize).read();
        let holds = cast(ip, 4).holds((*m).store, bits);
        D::put(u32::from(holds), ip, &mut r);
        r.next(m, ip.add(7))
    }

    /// `ref.cast`: slot, cast. The reference stays where it is.
    fn ref_cast[](m, ip, r) {
        let bits = r.sp.add(word(ip, 2) as usize).read();
        if !cast(ip, 3).holds((*m).store, bits) {
            return trap(m, ip, r.sp, TrapKind::CastFailure);
        }
        r.next(m, ip.add(6))
    }

    /// `ref.as_non_null`: slot. The reference stays where it is.
    fn non_null[](m, ip, r) {
        if r.sp.add(word(ip, 2) as usize).read() == 0 {
            return trap(m, ip, r.sp, TrapKind::NullReference);
        }
        r.next(m, ip.add(3))
    }

    /// `ref.i31`: result, value.
    fn ref_i31[A: Source, D: Target](m, ip, r) {
        let value = A::get::<u32>(ip, 3, &r);
        D::put(u64::from(value << 1 | 1), ip, &mut r);
        r.next(m, ip.add(3 + A::words::<u32>()))
    }

    /// `i31.get_s`: result, slot.
    fn i31_get_s[D: Target](m, ip, r) {
        let bits = r.sp.add(word(ip, 3) as usize).cast::<i32>().read();
        if bits == 0 {
            return null_i31(m, ip, r.sp);
        }
        D::put(bits >> 1, ip, &mut r);
        r.next(m, ip.add(4))
    }

    /// `i31.get_u`: result, slot.
    fn i31_get_u[D: Target](m, ip, r) {
        let bits = r.sp.add(word(ip, 3) as usize).cast::<u32>().read();
        if bits == 0 {
            return null_i31(m, ip, r.sp);
        }
        D::put(bits >> 1, ip, &mut r);
        r.next(m, ip.add(4))
    }
}

#[cold]
#[inline(never)]
unsafe extern "C" fn null_i31(m: *mut Machine, ip: Ip, sp: *mut u64) -> Stop {
    // SAFETY: as for `trap`.
    unsafe { trap(m, ip, sp, TrapKind::NullI31) }
}
