//! Vectors: always in slots, since there is no accumulator for them.

use super::memory::{Far, Form, Memory, Near32, Near64, load, store};
use super::scalar::{From, binary, unary};
use super::{Pair, trap};
use crate::interpreter::dispatch::{Handler, handler, word};
use crate::interpreter::operators::{Binary, Load, Store, Unary};
use crate::interpreter::value::{Acc, Address, Imm, Slot, Source, Target, ToAcc, ToSlot, V128, Value};
use crate::interpreter::vectors::{Extract, LoadLane, Replace, StoreLane, Ternary, from_fn};
use crate::runtime::trap::TrapKind;

handler! {
    /// Takes a lane: result, vector, lane.
    fn extract[O: Extract, D: Target](m, ip, r) {
        let a = Slot::get::<O::V>(ip, 3, &r);
        D::put(O::run(a, word(ip, 4) as usize), ip, &mut r);
        r.next(m, ip.add(5))
    }

    /// Puts a lane: result, vector, lane, value.
    fn replace[O: Replace, A: Source](m, ip, r) {
        let a = Slot::get::<O::V>(ip, 3, &r);
        let b = A::get::<O::In>(ip, 5, &r);
        ToSlot::put(O::run(a, b, word(ip, 4) as usize), ip, &mut r);
        r.next(m, ip.add(5 + A::words::<O::In>()))
    }

    /// Loads a lane: result, address, vector, lane, where.
    fn load_lane[O: LoadLane, M: Memory](m, ip, r) {
        let address = Slot::get::<M::Address>(ip, 3, &r);
        let a = Slot::get::<O::V>(ip, 4, &r);
        let Some(from) = M::place(m, ip, 6, &r, address, size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        let lane = from.cast::<O::Mem>().read_unaligned();
        ToSlot::put(O::run(a, lane, word(ip, 5) as usize), ip, &mut r);
        r.next(m, ip.add(6 + M::WORDS))
    }

    /// Stores a lane: address, vector, lane, where.
    fn store_lane[O: StoreLane, M: Memory](m, ip, r) {
        let address = Slot::get::<M::Address>(ip, 2, &r);
        let a = Slot::get::<O::V>(ip, 3, &r);
        let Some(to) = M::place(m, ip, 5, &r, address, size_of::<O::Mem>()) else {
            return trap(m, ip, r.sp, TrapKind::MemoryOutOfBounds);
        };
        to.cast::<O::Mem>().write_unaligned(O::run(a, word(ip, 4) as usize));
        r.next(m, ip.add(5 + M::WORDS))
    }

    /// Makes a vector of three: result, three vectors.
    fn ternary[O: Ternary](m, ip, r) {
        let a = Slot::get::<O::A>(ip, 3, &r);
        let b = Slot::get::<O::B>(ip, 4, &r);
        let c = Slot::get::<O::C>(ip, 5, &r);
        ToSlot::put(O::run(a, b, c), ip, &mut r);
        r.next(m, ip.add(6))
    }

    /// `v128.bitselect`: result, two vectors, mask.
    fn bitselect[](m, ip, r) {
        let a = Slot::get::<[u64; 2]>(ip, 3, &r);
        let b = Slot::get::<[u64; 2]>(ip, 4, &r);
        let mask = Slot::get::<[u64; 2]>(ip, 5, &r);
        let value = [(a[0] & mask[0]) | (b[0] & !mask[0]), (a[1] & mask[1]) | (b[1] & !mask[1])];
        ToSlot::put(value, ip, &mut r);
        r.next(m, ip.add(6))
    }

    /// `i8x16.shuffle`: result, two vectors, the lanes' numbers.
    fn shuffle[](m, ip, r) {
        let a = Slot::get::<[u8; 16]>(ip, 3, &r);
        let b = Slot::get::<[u8; 16]>(ip, 4, &r);
        let lanes = <[u8; 16]>::immediate(ip, 5);
        let value: [u8; 16] = from_fn(|i| {
            let lane = usize::from(lanes[i] & 15);
            if lanes[i] & 16 == 0 { a[lane] } else { b[lane] }
        });
        value.store(r.sp.add(word(ip, 2) as usize));
        r.next(m, ip.add(9))
    }
}

/// `v128.store`
pub struct V128Store;

impl Store for V128Store {
    const NAME: &'static str = "v128.store";
    type In = V128;
    type Mem = V128;
    #[inline(always)]
    fn run(a: V128) -> V128 {
        a
    }
}

/// A pair whose result is a vector.
fn both(slot: Handler) -> Pair {
    Pair { slot, acc: slot }
}

/// The handlers of an operator over one vector that gives another.
pub fn vector_unary<O: Unary>() -> Pair {
    both(unary::<O, Slot, ToSlot>)
}

/// The handlers of an operator over one vector that gives a number.
pub fn vector_reduce<O: Unary>() -> Pair {
    Pair { slot: unary::<O, Slot, ToSlot>, acc: unary::<O, Slot, ToAcc> }
}

/// The handlers of an operator over a number that gives a vector.
pub fn vector_splat<O: Unary>(a: From) -> Pair {
    match a {
        From::Acc => both(unary::<O, Acc, ToSlot>),
        _ => both(unary::<O, Slot, ToSlot>),
    }
}

/// The handlers of an operator over two vectors.
pub fn vector_binary<O: Binary>() -> Pair {
    both(binary::<O, Slot, Slot, ToSlot>)
}

/// The handlers of a shift.
pub fn vector_shift<O: Binary>(b: From) -> Pair {
    match b {
        From::Slot => both(binary::<O, Slot, Slot, ToSlot>),
        From::Acc => both(binary::<O, Slot, Acc, ToSlot>),
        From::Imm => both(binary::<O, Slot, Imm, ToSlot>),
    }
}

/// The handlers of a load of a vector.
pub fn vector_load<O: Load, M: Memory>(a: From) -> Pair {
    match a {
        From::Slot => both(load::<O, M, Slot, ToSlot>),
        From::Acc => both(load::<O, M, Acc, ToSlot>),
        From::Imm => both(load::<O, M, Imm, ToSlot>),
    }
}

/// The handlers of a load of a vector from any memory.
pub fn far_vector_load<O: Load, A: Address>() -> Pair {
    both(load::<O, Far<A>, Slot, ToSlot>)
}

/// The handler of `v128.store`.
pub fn vector_store<M: Memory>(a: From) -> Handler {
    match a {
        From::Slot => store::<V128Store, M, Slot, Slot>,
        From::Acc => store::<V128Store, M, Acc, Slot>,
        From::Imm => store::<V128Store, M, Imm, Slot>,
    }
}

/// The handler of loading a lane.
pub fn load_lane_handler<O: LoadLane>(form: Form) -> Handler {
    match form {
        Form::Near32 => load_lane::<O, Near32>,
        Form::Near64 => load_lane::<O, Near64>,
        Form::Far32 => load_lane::<O, Far<u32>>,
        Form::Far64 => load_lane::<O, Far<u64>>,
    }
}

/// The handler of storing a lane.
pub fn store_lane_handler<O: StoreLane>(form: Form) -> Handler {
    match form {
        Form::Near32 => store_lane::<O, Near32>,
        Form::Near64 => store_lane::<O, Near64>,
        Form::Far32 => store_lane::<O, Far<u32>>,
        Form::Far64 => store_lane::<O, Far<u64>>,
    }
}

/// The handlers of taking a lane.
pub fn vector_extract<O: Extract>() -> Pair {
    Pair { slot: extract::<O, ToSlot>, acc: extract::<O, ToAcc> }
}

/// The handlers of putting a lane.
pub fn vector_replace<O: Replace>(b: From) -> Pair {
    match b {
        From::Slot => both(replace::<O, Slot>),
        From::Acc => both(replace::<O, Acc>),
        From::Imm => both(replace::<O, Imm>),
    }
}
