//! Loads and stores. Every access is checked: the effective address has 33 bits and cannot wrap.

use super::scalar::From;
use super::{Pair, trap};
use crate::interpreter::dispatch::{Handler, Regs, handler, word};
use crate::interpreter::operators::{Load, Store};
use crate::interpreter::value::{Acc, Imm, Slot, Source, Target, ToAcc, ToSlot};
use crate::runtime::trap::TrapKind;

/// The place of `size` bytes at an address, if all of them are in memory.
#[inline(always)]
pub fn place(regs: &Regs, address: u32, offset: u32, size: usize) -> Option<*mut u8> {
    let at = u64::from(address) + u64::from(offset);
    let inside = at + size as u64 <= regs.len as u64;
    inside.then(|| regs.mem.wrapping_add(at as usize))
}

handler! {
    /// A load: the offset is the last word.
    fn load[O: Load, A: Source, D: Target](m, ip, r) {
        let address = A::get::<u32>(ip, 3, &r);
        let at = 3 + A::words::<u32>();
        let Some(from) = place(&r, address, word(ip, at), size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        D::put(O::run(from.cast::<O::Mem>().read_unaligned()), ip, &mut r);
        r.next(m, ip.add(at + 1))
    }

    /// A load whose address is a sum: two operands, then the offset.
    fn load_sum[O: Load, A: Source, B: Source, D: Target](m, ip, r) {
        let a = A::get::<u32>(ip, 3, &r);
        let at = 3 + A::words::<u32>();
        let b = B::get::<u32>(ip, at, &r);
        let at = at + B::words::<u32>();
        let Some(from) = place(&r, a.wrapping_add(b), word(ip, at), size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        D::put(O::run(from.cast::<O::Mem>().read_unaligned()), ip, &mut r);
        r.next(m, ip.add(at + 1))
    }

    /// A store: address from word 2 on, value, offset.
    fn store[O: Store, A: Source, V: Source](m, ip, r) {
        let address = A::get::<u32>(ip, 2, &r);
        let at = 2 + A::words::<u32>();
        let value = V::get::<O::In>(ip, at, &r);
        let at = at + V::words::<O::In>();
        let Some(to) = place(&r, address, word(ip, at), size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        to.cast::<O::Mem>().write_unaligned(O::run(value));
        r.next(m, ip.add(at + 1))
    }
}

/// The handlers of a load.
pub fn load_handlers<O: Load>(a: From) -> Pair {
    match a {
        From::Slot => Pair { slot: load::<O, Slot, ToSlot>, acc: load::<O, Slot, ToAcc> },
        From::Acc => Pair { slot: load::<O, Acc, ToSlot>, acc: load::<O, Acc, ToAcc> },
        From::Imm => Pair { slot: load::<O, Imm, ToSlot>, acc: load::<O, Imm, ToAcc> },
    }
}

/// The handlers of a load from a sum; the first operand is no immediate, the second not in the accumulator.
pub fn load_sum_handlers<O: Load>(a: From, b: From) -> Pair {
    match (a, b) {
        (From::Acc, From::Imm) => Pair { slot: load_sum::<O, Acc, Imm, ToSlot>, acc: load_sum::<O, Acc, Imm, ToAcc> },
        (From::Acc, _) => Pair { slot: load_sum::<O, Acc, Slot, ToSlot>, acc: load_sum::<O, Acc, Slot, ToAcc> },
        (_, From::Imm) => Pair { slot: load_sum::<O, Slot, Imm, ToSlot>, acc: load_sum::<O, Slot, Imm, ToAcc> },
        _ => Pair { slot: load_sum::<O, Slot, Slot, ToSlot>, acc: load_sum::<O, Slot, Slot, ToAcc> },
    }
}

/// The handler of a store; address and value are not both in the accumulator.
pub fn store_handler<O: Store>(a: From, v: From) -> Handler {
    match (a, v) {
        (From::Slot, From::Slot) => store::<O, Slot, Slot>,
        (From::Slot, From::Acc) => store::<O, Slot, Acc>,
        (From::Slot, From::Imm) => store::<O, Slot, Imm>,
        (From::Acc, From::Slot) => store::<O, Acc, Slot>,
        (From::Acc, From::Acc) => store::<O, Acc, Acc>,
        (From::Acc, From::Imm) => store::<O, Acc, Imm>,
        (From::Imm, From::Slot) => store::<O, Imm, Slot>,
        (From::Imm, From::Acc) => store::<O, Imm, Acc>,
        (From::Imm, From::Imm) => store::<O, Imm, Imm>,
    }
}
