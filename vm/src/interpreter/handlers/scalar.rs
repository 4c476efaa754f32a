//! Numeric operators, copies, and the branches and selects that comparisons are fused with.

use std::sync::atomic::Ordering;

use super::{Pair, interrupted, trap};
use crate::interpreter::dispatch::{Handler, handler, target, word};
use crate::interpreter::operators::{Binary, Compare, Unary};
use crate::interpreter::value::{Acc, Imm, Slot, Source, Target, ToAcc, ToSlot, Value};

/// Where an operand is, as the translator names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// In a slot.
    Slot,
    /// In the accumulator.
    Acc,
    /// In the instruction.
    Imm,
}

handler! {
    /// An operator with two operands.
    fn binary[O: Binary, L: Source, R: Source, D: Target](m, ip, r) {
        let a = L::get::<O::L>(ip, 3, &r);
        let b = R::get::<O::R>(ip, 3 + L::words::<O::L>(), &r);
        match O::run(a, b) {
            Ok(value) => D::put(value, ip, &mut r),
            Err(kind) => return trap(m, ip, r.sp, kind),
        }
        r.next(m, ip.add(3 + L::words::<O::L>() + R::words::<O::R>()))
    }

    /// An operator with one operand.
    fn unary[O: Unary, A: Source, D: Target](m, ip, r) {
        let a = A::get::<O::In>(ip, 3, &r);
        match O::run(a) {
            Ok(value) => D::put(value, ip, &mut r),
            Err(kind) => return trap(m, ip, r.sp, kind),
        }
        r.next(m, ip.add(3 + A::words::<O::In>()))
    }

    /// Copies a value to the slot in word 2. The accumulator stays as it is.
    fn copy[T: Value, A: Source](m, ip, r) {
        let value = A::get::<T>(ip, 3, &r);
        value.store(r.sp.add(word(ip, 2) as usize));
        r.next(m, ip.add(3 + A::words::<T>()))
    }

    /// Copies two values: slots of the targets in words 2 and 3, of the sources in 4 and 5.
    fn copy_two[](m, ip, r) {
        let a = r.sp.add(word(ip, 4) as usize).read();
        let b = r.sp.add(word(ip, 5) as usize).read();
        r.sp.add(word(ip, 2) as usize).write(a);
        r.sp.add(word(ip, 3) as usize).write(b);
        r.next(m, ip.add(6))
    }

    /// Copies a row of slots: to word 2, from word 3, as many as word 4. They may overlap.
    fn copy_row[](m, ip, r) {
        let to = r.sp.add(word(ip, 2) as usize);
        let from = r.sp.add(word(ip, 3) as usize);
        from.copy_to(to, word(ip, 4) as usize);
        r.next(m, ip.add(5))
    }

    /// `select`: operands after the condition are slots.
    fn select[T: Value, C: Source, D: Target](m, ip, r) {
        let condition = C::get::<u32>(ip, 3, &r);
        let at = 3 + C::words::<u32>();
        let a = Slot::get::<T>(ip, at, &r);
        let b = Slot::get::<T>(ip, at + 1, &r);
        D::put(if condition != 0 { a } else { b }, ip, &mut r);
        r.next(m, ip.add(at + 2))
    }

    /// `select` by a comparison.
    fn select_if[O: Compare, T: Value, L: Source, R: Source, D: Target](m, ip, r) {
        let l = L::get::<O::L>(ip, 3, &r);
        let at = 3 + L::words::<O::L>();
        let k = R::get::<O::R>(ip, at, &r);
        let at = at + R::words::<O::R>();
        let a = Slot::get::<T>(ip, at, &r);
        let b = Slot::get::<T>(ip, at + 1, &r);
        D::put(if O::test(l, k) { a } else { b }, ip, &mut r);
        r.next(m, ip.add(at + 2))
    }

    /// Jumps by word 2 if the comparison says `WHEN`; backwards it looks for a request to stop.
    fn branch[O: Compare, L: Source, R: Source, const WHEN: bool, const BACK: bool](m, ip, r) {
        let a = L::get::<O::L>(ip, 3, &r);
        let b = R::get::<O::R>(ip, 3 + L::words::<O::L>(), &r);
        if O::test(a, b) == WHEN {
            if BACK && (*(*m).interrupt).load(Ordering::Relaxed) != 0 {
                return interrupted(m, ip, r.sp, r.mem, r.len, r.int, r.f32, r.f64);
            }
            return r.next(m, target(ip, 2));
        }
        r.next(m, ip.add(3 + L::words::<O::L>() + R::words::<O::R>()))
    }
}

/// The handlers of a binary operator. One operand at most is in the accumulator, one at most an
/// immediate; operators that commute have neither as their first unless the other one is the other.
pub fn binary_handlers<O: Binary>(l: From, r: From) -> Pair {
    macro_rules! pair {
        ($l:ty, $r:ty) => {
            Pair { slot: binary::<O, $l, $r, ToSlot>, acc: binary::<O, $l, $r, ToAcc> }
        };
    }
    if O::COMMUTES {
        return match (l, r) {
            (From::Slot, From::Imm) => pair!(Slot, Imm),
            (From::Acc, From::Imm) => pair!(Acc, Imm),
            (From::Acc, _) => pair!(Acc, Slot),
            _ => pair!(Slot, Slot),
        };
    }
    match (l, r) {
        (From::Slot, From::Imm) => pair!(Slot, Imm),
        (From::Slot, From::Acc) => pair!(Slot, Acc),
        (From::Acc, From::Imm) => pair!(Acc, Imm),
        (From::Acc, _) => pair!(Acc, Slot),
        (From::Imm, From::Acc) => pair!(Imm, Acc),
        (From::Imm, _) => pair!(Imm, Slot),
        _ => pair!(Slot, Slot),
    }
}

/// The handlers of a unary operator.
pub fn unary_handlers<O: Unary>(a: From) -> Pair {
    match a {
        From::Acc => Pair { slot: unary::<O, Acc, ToSlot>, acc: unary::<O, Acc, ToAcc> },
        _ => Pair { slot: unary::<O, Slot, ToSlot>, acc: unary::<O, Slot, ToAcc> },
    }
}

/// The handler of a branch on a comparison. The first operand is no immediate, the second not in
/// the accumulator.
pub fn branch_handler<O: Compare>(l: From, r: From, when: bool, back: bool) -> Handler {
    macro_rules! pick {
        ($l:ty, $r:ty) => {
            match (when, back) {
                (true, true) => branch::<O, $l, $r, true, true>,
                (true, false) => branch::<O, $l, $r, true, false>,
                (false, true) => branch::<O, $l, $r, false, true>,
                (false, false) => branch::<O, $l, $r, false, false>,
            }
        };
    }
    match (l, r) {
        (From::Acc, From::Imm) => pick!(Acc, Imm),
        (From::Acc, _) => pick!(Acc, Slot),
        (_, From::Imm) => pick!(Slot, Imm),
        _ => pick!(Slot, Slot),
    }
}

/// The handlers of a select by a comparison, with the same limits, over 64-bit slots.
pub fn select_if_handlers<O: Compare, T: Value>(l: From, r: From) -> Pair {
    macro_rules! pair {
        ($l:ty, $r:ty) => {
            Pair { slot: select_if::<O, T, $l, $r, ToSlot>, acc: select_if::<O, T, $l, $r, ToAcc> }
        };
    }
    match (l, r) {
        (From::Acc, From::Imm) => pair!(Acc, Imm),
        (From::Acc, _) => pair!(Acc, Slot),
        (_, From::Imm) => pair!(Slot, Imm),
        _ => pair!(Slot, Slot),
    }
}

/// The handlers of a select.
pub fn select_handlers<T: Value>(condition: From) -> Pair {
    match condition {
        From::Acc => Pair { slot: select::<T, Acc, ToSlot>, acc: select::<T, Acc, ToAcc> },
        _ => Pair { slot: select::<T, Slot, ToSlot>, acc: select::<T, Slot, ToAcc> },
    }
}

/// The handler of a copy to a slot.
pub fn copy_handler<T: Value>(a: From) -> Handler {
    match a {
        From::Slot => copy::<T, Slot>,
        From::Acc => copy::<T, Acc>,
        From::Imm => copy::<T, Imm>,
    }
}
