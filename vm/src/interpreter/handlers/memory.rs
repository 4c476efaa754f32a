//! Loads and stores. Every access is checked.
//!
//! Memory 0 is at hand in registers. Instructions for it come in every form, by 32-bit and by 64-bit addresses; those for
//! other memories, and those with an offset beyond 32 bits, take their operands from slots only.

use std::marker::PhantomData;

use super::scalar::From;
use super::{Pair, trap};
use crate::interpreter::dispatch::{Handler, Ip, Machine, Regs, handler, wide, word};
use crate::interpreter::operators::{Load, Store};
use crate::interpreter::value::{Acc, Address, Imm, Slot, Source, Target, ToAcc, ToSlot};
use crate::runtime::context::MemorySlot;
use crate::runtime::trap::TrapKind;

/// Which memory an instruction accesses, and how it says where.
pub trait Memory {
    /// Type of the addresses.
    type Address: Address;
    /// Words that say where beside the address: the instruction's last ones.
    const WORDS: usize;

    /// The place of `size` bytes, if all of them are in memory.
    ///
    /// # Safety
    /// The words are at `at` of the running instruction; the machine is live.
    unsafe fn place(
        m: *mut Machine,
        ip: Ip,
        at: usize,
        regs: &Regs,
        address: Self::Address,
        size: usize,
    ) -> Option<*mut u8>;
}

/// Which of the four ways to say where an access has.
#[derive(Clone, Copy)]
pub enum Form {
    /// [`Near32`]
    Near32,
    /// [`Near64`]
    Near64,
    /// [`Far`], by 32-bit addresses.
    Far32,
    /// [`Far`], by 64-bit addresses.
    Far64,
}

/// Memory 0, by 32-bit addresses: the offset is a word.
pub struct Near32;
/// Memory 0, by 64-bit addresses: the offset is a word.
pub struct Near64;
/// Any memory: the offset of its slot in the context is a word, then two of the offset.
pub struct Far<A>(PhantomData<A>);

impl Memory for Near32 {
    type Address = u32;
    const WORDS: usize = 1;

    #[inline(always)]
    unsafe fn place(_: *mut Machine, ip: Ip, at: usize, regs: &Regs, address: u32, size: usize) -> Option<*mut u8> {
        // SAFETY: by contract.
        let offset = unsafe { word(ip, at) };
        // It has 33 bits and cannot wrap.
        let start = u64::from(address) + u64::from(offset);
        let inside = start + size as u64 <= regs.len as u64;
        inside.then(|| regs.mem.wrapping_add(start as usize))
    }
}

impl Memory for Near64 {
    type Address = u64;
    const WORDS: usize = 1;

    #[inline(always)]
    unsafe fn place(_: *mut Machine, ip: Ip, at: usize, regs: &Regs, address: u64, size: usize) -> Option<*mut u8> {
        // SAFETY: by contract.
        let offset = u64::from(unsafe { word(ip, at) });
        let last = (regs.len as u64).checked_sub(offset + size as u64)?;
        (address <= last).then(|| regs.mem.wrapping_add((address + offset) as usize))
    }
}

impl<A: Address> Memory for Far<A> {
    type Address = A;
    const WORDS: usize = 3;

    #[inline(always)]
    unsafe fn place(m: *mut Machine, ip: Ip, at: usize, _: &Regs, address: A, size: usize) -> Option<*mut u8> {
        // SAFETY: by contract; the translator took the offset from the layout of the instance's module.
        unsafe {
            let slot = (*m).context.cast::<u8>().add(word(ip, at) as usize).cast::<MemorySlot>();
            let def = (*slot).def;
            let start = address.wide().checked_add(wide(ip, at + 1))?;
            let last = ((*def).len as u64).checked_sub(size as u64)?;
            (start <= last).then(|| (*def).base.wrapping_add(start as usize))
        }
    }
}

handler! {
    /// A load: the address, then where.
    fn load[O: Load, M: Memory, A: Source, D: Target](m, ip, r) {
        let address = A::get::<M::Address>(ip, 3, &r);
        let at = 3 + A::words::<M::Address>();
        let Some(from) = M::place(m, ip, at, &r, address, size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        D::put(O::run(from.cast::<O::Mem>().read_unaligned()), ip, &mut r);
        r.next(m, ip.add(at + M::WORDS))
    }

    /// A load whose address is a sum: two operands, then where.
    fn load_sum[O: Load, M: Memory, A: Source, B: Source, D: Target](m, ip, r) {
        let a = A::get::<M::Address>(ip, 3, &r);
        let at = 3 + A::words::<M::Address>();
        let b = B::get::<M::Address>(ip, at, &r);
        let at = at + B::words::<M::Address>();
        let Some(from) = M::place(m, ip, at, &r, a.plus(b), size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        D::put(O::run(from.cast::<O::Mem>().read_unaligned()), ip, &mut r);
        r.next(m, ip.add(at + M::WORDS))
    }

    /// A store: address from word 2 on, value, where.
    fn store[O: Store, M: Memory, A: Source, V: Source](m, ip, r) {
        let address = A::get::<M::Address>(ip, 2, &r);
        let at = 2 + A::words::<M::Address>();
        let value = V::get::<O::In>(ip, at, &r);
        let at = at + V::words::<O::In>();
        let Some(to) = M::place(m, ip, at, &r, address, size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        to.cast::<O::Mem>().write_unaligned(O::run(value));
        r.next(m, ip.add(at + M::WORDS))
    }
}

/// The handlers of a load.
pub fn load_handlers<O: Load, M: Memory>(a: From) -> Pair {
    match a {
        From::Slot => Pair { slot: load::<O, M, Slot, ToSlot>, acc: load::<O, M, Slot, ToAcc> },
        From::Acc => Pair { slot: load::<O, M, Acc, ToSlot>, acc: load::<O, M, Acc, ToAcc> },
        From::Imm => Pair { slot: load::<O, M, Imm, ToSlot>, acc: load::<O, M, Imm, ToAcc> },
    }
}

/// The handlers of a load from any memory.
pub fn far_load_handlers<O: Load, A: Address>() -> Pair {
    Pair { slot: load::<O, Far<A>, Slot, ToSlot>, acc: load::<O, Far<A>, Slot, ToAcc> }
}

/// The handlers of a load from a sum; the first operand is no immediate, the second not in the accumulator.
pub fn load_sum_handlers<O: Load, M: Memory>(a: From, b: From) -> Pair {
    macro_rules! pair {
        ($a:ty, $b:ty) => {
            Pair { slot: load_sum::<O, M, $a, $b, ToSlot>, acc: load_sum::<O, M, $a, $b, ToAcc> }
        };
    }
    match (a, b) {
        (From::Acc, From::Imm) => pair!(Acc, Imm),
        (From::Acc, _) => pair!(Acc, Slot),
        (_, From::Imm) => pair!(Slot, Imm),
        _ => pair!(Slot, Slot),
    }
}

/// The handler of a store; address and value are not both in the accumulator.
pub fn store_handler<O: Store, M: Memory>(a: From, v: From) -> Handler {
    match (a, v) {
        (From::Slot, From::Slot) => store::<O, M, Slot, Slot>,
        (From::Slot, From::Acc) => store::<O, M, Slot, Acc>,
        (From::Slot, From::Imm) => store::<O, M, Slot, Imm>,
        (From::Acc, From::Slot) => store::<O, M, Acc, Slot>,
        (From::Acc, From::Acc) => store::<O, M, Acc, Acc>,
        (From::Acc, From::Imm) => store::<O, M, Acc, Imm>,
        (From::Imm, From::Slot) => store::<O, M, Imm, Slot>,
        (From::Imm, From::Acc) => store::<O, M, Imm, Acc>,
        (From::Imm, From::Imm) => store::<O, M, Imm, Imm>,
    }
}

/// The handler of a store to any memory.
pub fn far_store_handler<O: Store, A: Address>() -> Handler {
    store::<O, Far<A>, Slot, Slot>
}
