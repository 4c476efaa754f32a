//! Values in slots, accumulators and immediates, and operands that come from one of them.

use super::dispatch::{Ip, Regs, wide, word};

/// Which accumulator holds values of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bank {
    /// Integers and references.
    Int,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// None: vectors are always in their slots.
    Vector,
}

/// A type as instructions handle it.
pub trait Value: Copy {
    /// Where results of this type also are.
    const BANK: Bank;
    /// Words of an immediate.
    const WORDS: usize;
    /// The value in a slot.
    ///
    /// # Safety
    /// The slot is part of the frame, and for a vector so is the next one.
    unsafe fn load(slot: *const u64) -> Self;
    /// Writes a slot.
    ///
    /// # Safety
    /// As for [`Value::load`].
    unsafe fn store(self, slot: *mut u64);
    /// The value in its accumulator.
    fn from_acc(regs: &Regs) -> Self;
    /// Puts it in its accumulator.
    fn to_acc(self, regs: &mut Regs);
    /// The value of an immediate.
    ///
    /// # Safety
    /// The immediate's words are there.
    unsafe fn immediate(ip: Ip, at: usize) -> Self;
}

macro_rules! value {
    ($($ty:ty, $bank:ident, $acc:ident, $words:literal, $read:ident,
        |$bits:ident| $from:expr, |$value:ident| $to:expr, |$raw:ident| $from_acc:expr, |$out:ident| $to_acc:expr;)*) => {$(
        impl Value for $ty {
            const BANK: Bank = Bank::$bank;
            const WORDS: usize = $words;

            #[inline(always)]
            unsafe fn load(slot: *const u64) -> Self {
                // SAFETY: by contract.
                let $bits = unsafe { slot.cast::<$ty>().read() };
                $from
            }

            #[inline(always)]
            unsafe fn store(self, slot: *mut u64) {
                let $value = self;
                // SAFETY: by contract.
                unsafe { slot.write($to) }
            }

            #[inline(always)]
            fn from_acc(regs: &Regs) -> Self {
                let $raw = regs.$acc;
                $from_acc
            }

            #[inline(always)]
            fn to_acc(self, regs: &mut Regs) {
                let $out = self;
                regs.$acc = $to_acc;
            }

            #[inline(always)]
            unsafe fn immediate(ip: Ip, at: usize) -> Self {
                // SAFETY: by contract.
                let bits = unsafe { $read(ip, at) };
                <$ty>::from_ne_bytes(bits.to_ne_bytes())
            }
        }
    )*};
}

// The low half of a slot is at its start only on little-endian machines.
const _: () = assert!(cfg!(target_endian = "little"));

value! {
    u32, Int, int, 1, word, |b| b, |v| v as u64, |r| r as u32, |o| o as u64;
    i32, Int, int, 1, word, |b| b, |v| v as u32 as u64, |r| r as i32, |o| o as u32 as u64;
    u64, Int, int, 2, wide, |b| b, |v| v, |r| r, |o| o;
    i64, Int, int, 2, wide, |b| b, |v| v as u64, |r| r as i64, |o| o as u64;
    f32, F32, f32, 1, word, |b| b, |v| v.to_bits() as u64, |r| r, |o| o;
    f64, F64, f64, 2, wide, |b| b, |v| v.to_bits(), |r| r, |o| o;
}

/// An address in a memory, or an index into a table.
pub trait Address: Value {
    /// In 64 bits.
    fn wide(self) -> u64;
    /// A size that is known to fit.
    fn size(size: usize) -> Self;
    /// The sum of two, as the operator of this type adds.
    fn plus(self, other: Self) -> Self;
}

macro_rules! address {
    ($($ty:ty)*) => {$(
        impl Address for $ty {
            #[inline(always)]
            fn wide(self) -> u64 {
                self.into()
            }

            #[inline(always)]
            fn size(size: usize) -> Self {
                size as Self
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}

address!(u32 u64);

/// A vector, as its bytes in memory order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct V128(pub [u8; 16]);

macro_rules! vector {
    ($($ty:ty)*) => {$(
        impl Value for $ty {
            const BANK: Bank = Bank::Vector;
            const WORDS: usize = 4;

            #[inline(always)]
            unsafe fn load(slot: *const u64) -> Self {
                // SAFETY: by contract; every lane type takes any bits.
                unsafe { slot.cast::<Self>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, slot: *mut u64) {
                // SAFETY: by contract.
                unsafe { slot.cast::<Self>().write_unaligned(self) }
            }

            #[inline(always)]
            fn from_acc(_: &Regs) -> Self {
                // SAFETY: zero is a value of every lane type. Nobody takes a vector from an accumulator.
                unsafe { std::mem::zeroed() }
            }

            #[inline(always)]
            fn to_acc(self, _: &mut Regs) {}

            #[inline(always)]
            unsafe fn immediate(ip: Ip, at: usize) -> Self {
                // SAFETY: by contract.
                unsafe { ip.add(at).cast::<Self>().read_unaligned() }
            }
        }
    )*};
}

vector!(V128 [i8; 16] [u8; 16] [i16; 8] [u16; 8] [i32; 4] [u32; 4] [i64; 2] [u64; 2] [f32; 4] [f64; 2]);

/// Where an instruction takes an operand from.
pub trait Source {
    /// Words that the operand takes in the instruction.
    fn words<T: Value>() -> usize;
    /// The operand.
    ///
    /// # Safety
    /// The operand's words are at `at`.
    unsafe fn get<T: Value>(ip: Ip, at: usize, regs: &Regs) -> T;
}

/// From a slot of the frame.
pub struct Slot;
/// From the accumulator.
pub struct Acc;
/// From the instruction.
pub struct Imm;

impl Source for Slot {
    #[inline(always)]
    fn words<T: Value>() -> usize {
        1
    }

    #[inline(always)]
    unsafe fn get<T: Value>(ip: Ip, at: usize, regs: &Regs) -> T {
        // SAFETY: by contract the word is a slot of the frame.
        unsafe { T::load(regs.sp.add(word(ip, at) as usize)) }
    }
}

impl Source for Acc {
    #[inline(always)]
    fn words<T: Value>() -> usize {
        0
    }

    #[inline(always)]
    unsafe fn get<T: Value>(_: Ip, _: usize, regs: &Regs) -> T {
        T::from_acc(regs)
    }
}

impl Source for Imm {
    #[inline(always)]
    fn words<T: Value>() -> usize {
        T::WORDS
    }

    #[inline(always)]
    unsafe fn get<T: Value>(ip: Ip, at: usize, _: &Regs) -> T {
        // SAFETY: by contract.
        unsafe { T::immediate(ip, at) }
    }
}

/// Where an instruction puts its result: word 2 is the slot.
pub trait Target {
    /// Puts the result.
    ///
    /// # Safety
    /// Word 2 is a slot of the frame.
    unsafe fn put<T: Value>(value: T, ip: Ip, regs: &mut Regs);
}

/// In the slot, and in the accumulator.
pub struct ToSlot;
/// In the accumulator only: nobody looks at the slot.
pub struct ToAcc;

impl Target for ToSlot {
    #[inline(always)]
    unsafe fn put<T: Value>(value: T, ip: Ip, regs: &mut Regs) {
        // SAFETY: by contract.
        unsafe { value.store(regs.sp.add(word(ip, 2) as usize)) };
        value.to_acc(regs);
    }
}

impl Target for ToAcc {
    #[inline(always)]
    unsafe fn put<T: Value>(value: T, _: Ip, regs: &mut Regs) {
        value.to_acc(regs);
    }
}
