//! Structs and arrays.

use super::control::stopped;
use super::{save, trap};
use crate::heap::{CARD_SHIFT, CARDS_BELOW, header_of};
use crate::interpreter::dispatch::{Ip, Machine, Stop, handler, word};
use crate::interpreter::operators::{Load, Store};
use crate::interpreter::value::{Source, Target, V128, Value};
use crate::runtime::context::{FuncRef, InstanceContext, StoreContext};
use crate::runtime::objects::{self, ELEMENTS, LENGTH};
use crate::runtime::operations;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::TrapKind;
use crate::types::TypeId;

/// How a field's value lies in the heap, as [`struct_new`] is told: in the low bits of a word above which stands its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FieldKind {
    /// 8 bits.
    Byte = 0,
    /// 16 bits.
    Half = 1,
    /// 32 bits, references among them.
    Word = 2,
    /// 64 bits.
    Double = 3,
    /// 128 bits.
    Vector = 4,
    /// A function's number.
    Func = 5,
}

impl FieldKind {
    /// Bits that it takes in a word.
    pub const BITS: u32 = 3;
}

/// A place in the heap.
#[inline(always)]
unsafe fn place(m: *mut Machine, at: u32) -> *mut u8 {
    // SAFETY: the store is live; the heap has room for any offset.
    unsafe { (*(*m).store).heap.base.add(at as usize) }
}

/// Notes that a reference was written at a place in the heap.
#[inline(always)]
unsafe fn mark(m: *mut Machine, at: u32) {
    // SAFETY: every offset has a card.
    unsafe { (*(*m).store).heap.base.sub(CARDS_BELOW).add((at >> CARD_SHIFT) as usize).write(1) };
}

/// Room for a struct in the nursery, with its header; zero if there is none.
#[inline(always)]
unsafe fn bump(store: *mut StoreContext, id: u32, size: u32) -> u32 {
    // SAFETY: between top and limit there is free memory.
    unsafe {
        let heap = &mut (*store).heap;
        let (object, end) = (heap.top, heap.top.wrapping_add(size));
        if end > heap.limit {
            return 0;
        }
        heap.top = end;
        heap.base.add(object as usize).cast::<u32>().write(header_of(TypeId(id)));
        object
    }
}

handler! {
    /// `struct.new`: result, type, size, first slot, how many fields, and for each its offset and [`FieldKind`].
    fn struct_new[D: Target](m, ip, r) {
        let mut object = bump((*m).store, word(ip, 3), word(ip, 4));
        if object == 0 {
            object = slow_struct(m, ip, r.sp);
            if object == 0 {
                return stopped(m, ip, r.sp, TrapKind::OutOfMemory as u32);
            }
        }
        let fields = word(ip, 6) as usize;
        set_fields(m, ip, r.sp, object);
        D::put(u64::from(object), ip, &mut r);
        r.next(m, ip.add(7 + fields))
    }

    /// `struct.new_default`: result, type, size.
    fn struct_new_default[D: Target](m, ip, r) {
        let mut object = bump((*m).store, word(ip, 3), word(ip, 4));
        if object == 0 {
            object = slow_struct(m, ip, r.sp);
            if object == 0 {
                return stopped(m, ip, r.sp, TrapKind::OutOfMemory as u32);
            }
        }
        place(m, object + LENGTH).write_bytes(0, word(ip, 4) as usize - LENGTH as usize);
        D::put(u64::from(object), ip, &mut r);
        r.next(m, ip.add(5))
    }

    /// `struct.get`: result, reference, offset.
    fn struct_get[O: Load, A: Source, D: Target](m, ip, r) {
        let object = A::get::<u64>(ip, 3, &r) as u32;
        let at = 3 + A::words::<u64>();
        if object == 0 {
            return trap(m, ip, r.sp, TrapKind::NullStruct);
        }
        let from = place(m, object).add(word(ip, at) as usize);
        D::put(O::run(from.cast::<O::Mem>().read_unaligned()), ip, &mut r);
        r.next(m, ip.add(at + 1))
    }

    /// `struct.set` of what is no reference: slot of the reference, value, offset.
    fn struct_set[O: Store, V: Source](m, ip, r) {
        let object = r.sp.add(word(ip, 2) as usize).cast::<u32>().read();
        let value = V::get::<O::In>(ip, 3, &r);
        let at = 3 + V::words::<O::In>();
        if object == 0 {
            return trap(m, ip, r.sp, TrapKind::NullStruct);
        }
        let to = place(m, object).add(word(ip, at) as usize);
        to.cast::<O::Mem>().write_unaligned(O::run(value));
        r.next(m, ip.add(at + 1))
    }

    /// `struct.set` of a reference: slots of both, offset.
    fn struct_set_ref[](m, ip, r) {
        let object = r.sp.add(word(ip, 2) as usize).cast::<u32>().read();
        let value = r.sp.add(word(ip, 3) as usize).cast::<u32>().read();
        if object == 0 {
            return trap(m, ip, r.sp, TrapKind::NullStruct);
        }
        let at = object.wrapping_add(word(ip, 4));
        place(m, at).cast::<u32>().write(value);
        mark(m, at);
        r.next(m, ip.add(5))
    }

    /// `array.get`: result, slot of the reference, index.
    fn array_get[O: Load, B: Source, D: Target](m, ip, r) {
        let array = r.sp.add(word(ip, 3) as usize).cast::<u32>().read();
        let index = B::get::<u32>(ip, 4, &r);
        let Some(from) = element::<O::Mem>(m, array, index) else { return out_of_bounds(m, ip, r.sp, array) };
        D::put(O::run(place(m, from).cast::<O::Mem>().read_unaligned()), ip, &mut r);
        r.next(m, ip.add(4 + B::words::<u32>()))
    }

    /// `array.set` of what is no reference: slots of reference and index, value.
    fn array_set[O: Store, V: Source](m, ip, r) {
        let array = r.sp.add(word(ip, 2) as usize).cast::<u32>().read();
        let index = r.sp.add(word(ip, 3) as usize).cast::<u32>().read();
        let value = V::get::<O::In>(ip, 4, &r);
        let Some(to) = element::<O::Mem>(m, array, index) else { return out_of_bounds(m, ip, r.sp, array) };
        place(m, to).cast::<O::Mem>().write_unaligned(O::run(value));
        r.next(m, ip.add(4 + V::words::<O::In>()))
    }

    /// `array.set` of a reference: slots of array, index and value.
    fn array_set_ref[](m, ip, r) {
        let array = r.sp.add(word(ip, 2) as usize).cast::<u32>().read();
        let index = r.sp.add(word(ip, 3) as usize).cast::<u32>().read();
        let value = r.sp.add(word(ip, 4) as usize).cast::<u32>().read();
        let Some(to) = element::<u32>(m, array, index) else { return out_of_bounds(m, ip, r.sp, array) };
        place(m, to).cast::<u32>().write(value);
        mark(m, to);
        r.next(m, ip.add(5))
    }

    /// `array.len`: result, slot.
    fn array_len[D: Target](m, ip, r) {
        let array = r.sp.add(word(ip, 3) as usize).cast::<u32>().read();
        if array == 0 {
            return trap(m, ip, r.sp, TrapKind::NullArray);
        }
        D::put(place(m, array).add(LENGTH as usize).cast::<u32>().read(), ip, &mut r);
        r.next(m, ip.add(4))
    }

    /// Makes a pointer of a function's number: slot.
    fn func_of_number[](m, ip, r) {
        let slot = r.sp.add(word(ip, 2) as usize);
        slot.write(function((*m).store, slot.cast::<u32>().read()) as u64);
        r.next(m, ip.add(3))
    }

    /// Makes a number of a function: result, slot.
    fn number_of_func[](m, ip, r) {
        let func = r.sp.add(word(ip, 3) as usize).read() as *mut FuncRef;
        let number = match func.is_null() || (*func).number == 0 {
            true => number(m, func),
            false => (*func).number,
        };
        r.sp.add(word(ip, 2) as usize).write(u64::from(number));
        r.next(m, ip.add(4))
    }

    /// An operation on arrays: see [`ArrayOperation`]. Word 2 is the slot of the result if there is one, words 3 and 4 are
    /// indices, 5 to 9 slots of operands.
    fn array_operation[B: ArrayOperation](m, ip, r) {
        let status = operate::<B>(m, ip, r.sp);
        if status != DONE {
            return stopped(m, ip, r.sp, status);
        }
        // What the accumulator held may have moved.
        r.int = r.sp.add(word(ip, 2) as usize).read();
        r.next(m, ip.add(10))
    }
}

/// Where an element is, in bytes from the heap's base; none if the array is null or the index out of bounds.
#[inline(always)]
unsafe fn element<T>(m: *mut Machine, array: u32, index: u32) -> Option<u32> {
    // SAFETY: null leads to memory that faults, so it is not looked at.
    let inside = array != 0 && index < unsafe { place(m, array).add(LENGTH as usize).cast::<u32>().read() };
    // Wraps only if the heap is corrupt; then it stays inside of the reservation.
    inside.then(|| array.wrapping_add(ELEMENTS).wrapping_add(index.wrapping_mul(size_of::<T>() as u32)))
}

/// Ends the run because of an array's element that is not there.
#[cold]
#[inline(never)]
unsafe extern "C" fn out_of_bounds(m: *mut Machine, ip: Ip, sp: *mut u64, array: u32) -> Stop {
    let kind = if array == 0 { TrapKind::NullArray } else { TrapKind::ArrayOutOfBounds };
    // SAFETY: as for `trap`.
    unsafe { trap(m, ip, sp, kind) }
}

/// A struct that the nursery has no room for; zero if there is no memory.
#[cold]
#[inline(never)]
unsafe fn slow_struct(m: *mut Machine, ip: Ip, sp: *mut u64) -> u32 {
    // SAFETY: the translator noted where the frame holds references.
    unsafe {
        save(m, ip, sp);
        objects::new_struct((*m).context, TypeId(word(ip, 3))).unwrap_or(0)
    }
}

/// Sets the fields of a new struct.
#[inline(always)]
unsafe fn set_fields(m: *mut Machine, ip: Ip, sp: *mut u64, object: u32) {
    // SAFETY: the translator took offsets and kinds from the type.
    unsafe {
        let mut from = sp.add(word(ip, 5) as usize);
        let base = place(m, object);
        // A large struct is born where the collector looks at cards only.
        let large = word(ip, 4) >= crate::heap::LARGE;
        for field in 0..word(ip, 6) as usize {
            let field = word(ip, 7 + field);
            let to = base.add((field >> FieldKind::BITS) as usize);
            match field & 7 {
                0 => to.write(from.read() as u8),
                1 => to.cast::<u16>().write(from.read() as u16),
                2 => {
                    to.cast::<u32>().write(from.read() as u32);
                    if large {
                        mark(m, object.wrapping_add(field >> FieldKind::BITS));
                    }
                }
                3 => to.cast::<u64>().write(from.read()),
                4 => {
                    V128::load(from).store(to.cast());
                    from = from.add(1);
                }
                _ => to.cast::<u32>().write(number(m, from.read() as *mut FuncRef)),
            }
            from = from.add(1);
        }
    }
}

/// The function with a number.
#[inline(always)]
unsafe fn function(store: *mut StoreContext, number: u32) -> *mut FuncRef {
    // SAFETY: the table has as many entries as the store says.
    unsafe {
        if number < (*store).function_count {
            (*store).functions.add(number as usize).read()
        } else {
            std::ptr::null_mut()
        }
    }
}

/// The number of a function, given now if it has none.
#[inline(never)]
unsafe fn number(m: *mut Machine, func: *mut FuncRef) -> u32 {
    // SAFETY: the store is live, and so are functions that a guest has.
    unsafe { StoreInner::of((*m).store).number_of(func) }
}

/// No trap's number: the operation is done.
const DONE: u32 = u32::MAX;

/// An operation on arrays.
pub trait ArrayOperation {
    /// Does it; the result of those that have one.
    ///
    /// # Safety
    /// As for [`objects::new_struct`]; operands are slots, in the specification's order.
    unsafe fn run(c: *mut InstanceContext, index: [u32; 2], slots: [*mut u64; 5]) -> operations::Result<Option<u32>>;
}

#[inline(never)]
unsafe extern "C" fn operate<B: ArrayOperation>(m: *mut Machine, ip: Ip, sp: *mut u64) -> u32 {
    // SAFETY: the instruction is that of such an operation.
    unsafe {
        save(m, ip, sp);
        let slots = [5, 6, 7, 8, 9].map(|at| sp.add(word(ip, at) as usize));
        match B::run((*m).context, [word(ip, 3), word(ip, 4)], slots) {
            Ok(result) => {
                if let Some(result) = result {
                    sp.add(word(ip, 2) as usize).write(u64::from(result));
                }
                DONE
            }
            Err(kind) => kind as u32,
        }
    }
}

/// The value in a slot, or in two.
unsafe fn value(slot: *mut u64, wide: bool) -> u128 {
    // SAFETY: a slot of a frame, which a wide value takes two of.
    unsafe { u128::from(slot.read()) | if wide { u128::from(slot.add(1).read()) << 64 } else { 0 } }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident |$context:ident, $i:ident, $s:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl ArrayOperation for $name {
            #[inline]
            unsafe fn run(
                $context: *mut InstanceContext,
                $i: [u32; 2],
                $s: [*mut u64; 5],
            ) -> operations::Result<Option<u32>> {
                // SAFETY: by contract.
                unsafe { $body }
            }
        }
    )*};
}

operations! {
    /// `array.new`; the second index says whether the value takes two slots.
    ArrayNew |c, i, s| objects::array_new(c, i[0], value(s[0], i[1] != 0), s[1].read() as u32).map(Some);
    /// `array.new_default`
    ArrayNewDefault |c, i, s| objects::array_new_default(c, i[0], s[0].read() as u32).map(Some);
    /// `array.new_fixed`: the values are consecutive, the second index is how many.
    ArrayNewFixed |c, i, s| objects::array_new_fixed(c, i[0], s[0], i[1]).map(Some);
    /// `array.new_data`
    ArrayNewData |c, i, s| objects::array_new_data(c, i[0], i[1], s[0].read() as u32, s[1].read() as u32).map(Some);
    /// `array.new_elem`
    ArrayNewElem |c, i, s| objects::array_new_elem(c, i[0], i[1], s[0].read() as u32, s[1].read() as u32).map(Some);
    /// `array.fill`; the second index says whether the value takes two slots.
    ArrayFill |c, i, s| {
        let [array, at, _, len, _] = s.map(|slot| slot.read() as u32);
        objects::array_fill(c, i[0], array, at, value(s[2], i[1] != 0), len).map(|()| None)
    };
    /// `array.copy`
    ArrayCopy |c, i, s| {
        let [to, to_at, from, from_at, len] = s.map(|slot| slot.read() as u32);
        objects::array_copy(c, i[0], to, to_at, from, from_at, len).map(|()| None)
    };
    /// `array.init_data`
    ArrayInitData |c, i, s| {
        let [array, at, from, len, _] = s.map(|slot| slot.read() as u32);
        objects::array_init_data(c, i[0], i[1], array, at, from, len).map(|()| None)
    };
    /// `array.init_elem`
    ArrayInitElem |c, i, s| {
        let [array, at, from, len, _] = s.map(|slot| slot.read() as u32);
        objects::array_init_elem(c, i[0], i[1], array, at, from, len).map(|()| None)
    };
}
