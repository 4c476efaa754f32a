//! The table of numeric and memory operators: name, operands and meaning of each. Handlers, the
//! translator's dispatch, the listing's names and the count of operators are made from it.
//!
//! Sections: `binary` and `unary` operators always have a result, `fallible_*` ones may trap;
//! `compare` ones can be fused with a branch or a select, and name the operator that means the
//! same with operands swapped; `load` and `store` move a value between memory and a slot. What
//! shapes control flow, and calls, are in [`handlers`](super::handlers).

/// Hands the whole table to a macro.
macro_rules! for_each_operator {
    ($with:ident) => {
        $with! {
            binary {
                I32Add "i32.add" true (a: u32, b: u32) -> u32 { a.wrapping_add(b) }
                I32Sub "i32.sub" false (a: u32, b: u32) -> u32 { a.wrapping_sub(b) }
                I32Mul "i32.mul" true (a: u32, b: u32) -> u32 { a.wrapping_mul(b) }
                I32And "i32.and" true (a: u32, b: u32) -> u32 { a & b }
                I32Or "i32.or" true (a: u32, b: u32) -> u32 { a | b }
                I32Xor "i32.xor" true (a: u32, b: u32) -> u32 { a ^ b }
                I32Shl "i32.shl" false (a: u32, b: u32) -> u32 { a.wrapping_shl(b) }
                I32ShrS "i32.shr_s" false (a: i32, b: u32) -> i32 { a.wrapping_shr(b) }
                I32ShrU "i32.shr_u" false (a: u32, b: u32) -> u32 { a.wrapping_shr(b) }
                I32Rotl "i32.rotl" false (a: u32, b: u32) -> u32 { a.rotate_left(b & 31) }
                I32Rotr "i32.rotr" false (a: u32, b: u32) -> u32 { a.rotate_right(b & 31) }
                I64Add "i64.add" true (a: u64, b: u64) -> u64 { a.wrapping_add(b) }
                I64Sub "i64.sub" false (a: u64, b: u64) -> u64 { a.wrapping_sub(b) }
                I64Mul "i64.mul" true (a: u64, b: u64) -> u64 { a.wrapping_mul(b) }
                I64And "i64.and" true (a: u64, b: u64) -> u64 { a & b }
                I64Or "i64.or" true (a: u64, b: u64) -> u64 { a | b }
                I64Xor "i64.xor" true (a: u64, b: u64) -> u64 { a ^ b }
                I64Shl "i64.shl" false (a: u64, b: u64) -> u64 { a.wrapping_shl(b as u32) }
                I64ShrS "i64.shr_s" false (a: i64, b: u64) -> i64 { a.wrapping_shr(b as u32) }
                I64ShrU "i64.shr_u" false (a: u64, b: u64) -> u64 { a.wrapping_shr(b as u32) }
                I64Rotl "i64.rotl" false (a: u64, b: u64) -> u64 { a.rotate_left((b & 63) as u32) }
                I64Rotr "i64.rotr" false (a: u64, b: u64) -> u64 { a.rotate_right((b & 63) as u32) }
                F32Add "f32.add" true (a: f32, b: f32) -> f32 { a + b }
                F32Sub "f32.sub" false (a: f32, b: f32) -> f32 { a - b }
                F32Mul "f32.mul" true (a: f32, b: f32) -> f32 { a * b }
                F32Div "f32.div" false (a: f32, b: f32) -> f32 { a / b }
                F32Min "f32.min" true (a: f32, b: f32) -> f32 { float::min_f32(a, b) }
                F32Max "f32.max" true (a: f32, b: f32) -> f32 { float::max_f32(a, b) }
                F32Copysign "f32.copysign" false (a: f32, b: f32) -> f32 { a.copysign(b) }
                F64Add "f64.add" true (a: f64, b: f64) -> f64 { a + b }
                F64Sub "f64.sub" false (a: f64, b: f64) -> f64 { a - b }
                F64Mul "f64.mul" true (a: f64, b: f64) -> f64 { a * b }
                F64Div "f64.div" false (a: f64, b: f64) -> f64 { a / b }
                F64Min "f64.min" true (a: f64, b: f64) -> f64 { float::min_f64(a, b) }
                F64Max "f64.max" true (a: f64, b: f64) -> f64 { float::max_f64(a, b) }
                F64Copysign "f64.copysign" false (a: f64, b: f64) -> f64 { a.copysign(b) }
            }
            fallible_binary {
                I32DivS "i32.div_s" (a: i32, b: i32) -> i32 { integer::checked(b != 0, TrapKind::DivideByZero)?; a.checked_div(b).ok_or(TrapKind::IntegerOverflow) }
                I32DivU "i32.div_u" (a: u32, b: u32) -> u32 { a.checked_div(b).ok_or(TrapKind::DivideByZero) }
                I32RemS "i32.rem_s" (a: i32, b: i32) -> i32 { integer::checked(b != 0, TrapKind::DivideByZero)?; Ok(a.wrapping_rem(b)) }
                I32RemU "i32.rem_u" (a: u32, b: u32) -> u32 { a.checked_rem(b).ok_or(TrapKind::DivideByZero) }
                I64DivS "i64.div_s" (a: i64, b: i64) -> i64 { integer::checked(b != 0, TrapKind::DivideByZero)?; a.checked_div(b).ok_or(TrapKind::IntegerOverflow) }
                I64DivU "i64.div_u" (a: u64, b: u64) -> u64 { a.checked_div(b).ok_or(TrapKind::DivideByZero) }
                I64RemS "i64.rem_s" (a: i64, b: i64) -> i64 { integer::checked(b != 0, TrapKind::DivideByZero)?; Ok(a.wrapping_rem(b)) }
                I64RemU "i64.rem_u" (a: u64, b: u64) -> u64 { a.checked_rem(b).ok_or(TrapKind::DivideByZero) }
            }
            compare {
                I32Eq "i32.eq" I32Eq (a: u32, b: u32) { a == b }
                I32Ne "i32.ne" I32Ne (a: u32, b: u32) { a != b }
                I32LtS "i32.lt_s" I32GtS (a: i32, b: i32) { a < b }
                I32LtU "i32.lt_u" I32GtU (a: u32, b: u32) { a < b }
                I32GtS "i32.gt_s" I32LtS (a: i32, b: i32) { a > b }
                I32GtU "i32.gt_u" I32LtU (a: u32, b: u32) { a > b }
                I32LeS "i32.le_s" I32GeS (a: i32, b: i32) { a <= b }
                I32LeU "i32.le_u" I32GeU (a: u32, b: u32) { a <= b }
                I32GeS "i32.ge_s" I32LeS (a: i32, b: i32) { a >= b }
                I32GeU "i32.ge_u" I32LeU (a: u32, b: u32) { a >= b }
                I64Eq "i64.eq" I64Eq (a: u64, b: u64) { a == b }
                I64Ne "i64.ne" I64Ne (a: u64, b: u64) { a != b }
                I64LtS "i64.lt_s" I64GtS (a: i64, b: i64) { a < b }
                I64LtU "i64.lt_u" I64GtU (a: u64, b: u64) { a < b }
                I64GtS "i64.gt_s" I64LtS (a: i64, b: i64) { a > b }
                I64GtU "i64.gt_u" I64LtU (a: u64, b: u64) { a > b }
                I64LeS "i64.le_s" I64GeS (a: i64, b: i64) { a <= b }
                I64LeU "i64.le_u" I64GeU (a: u64, b: u64) { a <= b }
                I64GeS "i64.ge_s" I64LeS (a: i64, b: i64) { a >= b }
                I64GeU "i64.ge_u" I64LeU (a: u64, b: u64) { a >= b }
                F32Eq "f32.eq" F32Eq (a: f32, b: f32) { a == b }
                F32Ne "f32.ne" F32Ne (a: f32, b: f32) { a != b }
                F32Lt "f32.lt" F32Gt (a: f32, b: f32) { a < b }
                F32Gt "f32.gt" F32Lt (a: f32, b: f32) { a > b }
                F32Le "f32.le" F32Ge (a: f32, b: f32) { a <= b }
                F32Ge "f32.ge" F32Le (a: f32, b: f32) { a >= b }
                F64Eq "f64.eq" F64Eq (a: f64, b: f64) { a == b }
                F64Ne "f64.ne" F64Ne (a: f64, b: f64) { a != b }
                F64Lt "f64.lt" F64Gt (a: f64, b: f64) { a < b }
                F64Gt "f64.gt" F64Lt (a: f64, b: f64) { a > b }
                F64Le "f64.le" F64Ge (a: f64, b: f64) { a <= b }
                F64Ge "f64.ge" F64Le (a: f64, b: f64) { a >= b }
            }
            unary {
                I32Clz "i32.clz" (a: u32) -> u32 { a.leading_zeros() }
                I32Ctz "i32.ctz" (a: u32) -> u32 { a.trailing_zeros() }
                I32Popcnt "i32.popcnt" (a: u32) -> u32 { a.count_ones() }
                I32Extend8S "i32.extend8_s" (a: u32) -> i32 { a as i8 as i32 }
                I32Extend16S "i32.extend16_s" (a: u32) -> i32 { a as i16 as i32 }
                I64Clz "i64.clz" (a: u64) -> u64 { a.leading_zeros() as u64 }
                I64Ctz "i64.ctz" (a: u64) -> u64 { a.trailing_zeros() as u64 }
                I64Popcnt "i64.popcnt" (a: u64) -> u64 { a.count_ones() as u64 }
                I64Extend8S "i64.extend8_s" (a: u64) -> i64 { a as i8 as i64 }
                I64Extend16S "i64.extend16_s" (a: u64) -> i64 { a as i16 as i64 }
                I64Extend32S "i64.extend32_s" (a: u64) -> i64 { a as i32 as i64 }
                I32WrapI64 "i32.wrap_i64" (a: u64) -> u32 { a as u32 }
                I64ExtendI32S "i64.extend_i32_s" (a: i32) -> i64 { a as i64 }
                I64ExtendI32U "i64.extend_i32_u" (a: u32) -> u64 { a as u64 }
                I64Eqz "i64.eqz" (a: u64) -> u32 { u32::from(a == 0) }
                F32Abs "f32.abs" (a: f32) -> f32 { a.abs() }
                F32Neg "f32.neg" (a: f32) -> f32 { -a }
                F32Ceil "f32.ceil" (a: f32) -> f32 { float::ceil_f32(a) }
                F32Floor "f32.floor" (a: f32) -> f32 { float::floor_f32(a) }
                F32Trunc "f32.trunc" (a: f32) -> f32 { float::trunc_f32(a) }
                F32Nearest "f32.nearest" (a: f32) -> f32 { float::nearest_f32(a) }
                F32Sqrt "f32.sqrt" (a: f32) -> f32 { a.sqrt() }
                F32ConvertI32S "f32.convert_i32_s" (a: i32) -> f32 { a as f32 }
                F32ConvertI32U "f32.convert_i32_u" (a: u32) -> f32 { a as f32 }
                F32ConvertI64S "f32.convert_i64_s" (a: i64) -> f32 { a as f32 }
                F32ConvertI64U "f32.convert_i64_u" (a: u64) -> f32 { a as f32 }
                I32TruncSatF32S "i32.trunc_sat_f32_s" (a: f32) -> i32 { a as i32 }
                I32TruncSatF32U "i32.trunc_sat_f32_u" (a: f32) -> u32 { a as u32 }
                I64TruncSatF32S "i64.trunc_sat_f32_s" (a: f32) -> i64 { a as i64 }
                I64TruncSatF32U "i64.trunc_sat_f32_u" (a: f32) -> u64 { a as u64 }
                F64Abs "f64.abs" (a: f64) -> f64 { a.abs() }
                F64Neg "f64.neg" (a: f64) -> f64 { -a }
                F64Ceil "f64.ceil" (a: f64) -> f64 { float::ceil_f64(a) }
                F64Floor "f64.floor" (a: f64) -> f64 { float::floor_f64(a) }
                F64Trunc "f64.trunc" (a: f64) -> f64 { float::trunc_f64(a) }
                F64Nearest "f64.nearest" (a: f64) -> f64 { float::nearest_f64(a) }
                F64Sqrt "f64.sqrt" (a: f64) -> f64 { a.sqrt() }
                F64ConvertI32S "f64.convert_i32_s" (a: i32) -> f64 { a as f64 }
                F64ConvertI32U "f64.convert_i32_u" (a: u32) -> f64 { a as f64 }
                F64ConvertI64S "f64.convert_i64_s" (a: i64) -> f64 { a as f64 }
                F64ConvertI64U "f64.convert_i64_u" (a: u64) -> f64 { a as f64 }
                I32TruncSatF64S "i32.trunc_sat_f64_s" (a: f64) -> i32 { a as i32 }
                I32TruncSatF64U "i32.trunc_sat_f64_u" (a: f64) -> u32 { a as u32 }
                I64TruncSatF64S "i64.trunc_sat_f64_s" (a: f64) -> i64 { a as i64 }
                I64TruncSatF64U "i64.trunc_sat_f64_u" (a: f64) -> u64 { a as u64 }
                F32DemoteF64 "f32.demote_f64" (a: f64) -> f32 { float::quiet_f64(a) as f32 }
                F64PromoteF32 "f64.promote_f32" (a: f32) -> f64 { float::quiet_f32(a) as f64 }
                I32ReinterpretF32 "i32.reinterpret_f32" (a: f32) -> u32 { a.to_bits() }
                I64ReinterpretF64 "i64.reinterpret_f64" (a: f64) -> u64 { a.to_bits() }
                F32ReinterpretI32 "f32.reinterpret_i32" (a: u32) -> f32 { f32::from_bits(a) }
                F64ReinterpretI64 "f64.reinterpret_i64" (a: u64) -> f64 { f64::from_bits(a) }
            }
            fallible_unary {
                I32TruncF32S "i32.trunc_f32_s" (a: f32) -> i32 { float::i32_from_f32(a) }
                I32TruncF32U "i32.trunc_f32_u" (a: f32) -> u32 { float::u32_from_f32(a) }
                I64TruncF32S "i64.trunc_f32_s" (a: f32) -> i64 { float::i64_from_f32(a) }
                I64TruncF32U "i64.trunc_f32_u" (a: f32) -> u64 { float::u64_from_f32(a) }
                I32TruncF64S "i32.trunc_f64_s" (a: f64) -> i32 { float::i32_from_f64(a) }
                I32TruncF64U "i32.trunc_f64_u" (a: f64) -> u32 { float::u32_from_f64(a) }
                I64TruncF64S "i64.trunc_f64_s" (a: f64) -> i64 { float::i64_from_f64(a) }
                I64TruncF64U "i64.trunc_f64_u" (a: f64) -> u64 { float::u64_from_f64(a) }
            }
            load {
                I32Load "i32.load" (a: u32) -> u32 { a as u32 }
                I64Load "i64.load" (a: u64) -> u64 { a as u64 }
                F32Load "f32.load" (a: f32) -> f32 { a as f32 }
                F64Load "f64.load" (a: f64) -> f64 { a as f64 }
                I32Load8S "i32.load8_s" (a: i8) -> i32 { a as i32 }
                I32Load8U "i32.load8_u" (a: u8) -> u32 { a as u32 }
                I32Load16S "i32.load16_s" (a: i16) -> i32 { a as i32 }
                I32Load16U "i32.load16_u" (a: u16) -> u32 { a as u32 }
                I64Load8S "i64.load8_s" (a: i8) -> i64 { a as i64 }
                I64Load8U "i64.load8_u" (a: u8) -> u64 { a as u64 }
                I64Load16S "i64.load16_s" (a: i16) -> i64 { a as i64 }
                I64Load16U "i64.load16_u" (a: u16) -> u64 { a as u64 }
                I64Load32S "i64.load32_s" (a: i32) -> i64 { a as i64 }
                I64Load32U "i64.load32_u" (a: u32) -> u64 { a as u64 }
            }
            store {
                I32Store "i32.store" (a: u32) -> u32 { a as u32 }
                I64Store "i64.store" (a: u64) -> u64 { a as u64 }
                F32Store "f32.store" (a: f32) -> f32 { a as f32 }
                F64Store "f64.store" (a: f64) -> f64 { a as f64 }
                I32Store8 "i32.store8" (a: u32) -> u8 { a as u8 }
                I32Store16 "i32.store16" (a: u32) -> u16 { a as u16 }
                I64Store8 "i64.store8" (a: u64) -> u8 { a as u8 }
                I64Store16 "i64.store16" (a: u64) -> u16 { a as u16 }
                I64Store32 "i64.store32" (a: u64) -> u32 { a as u32 }
            }
        }
    };
}
pub(crate) use for_each_operator;

use super::value::Value;
use super::{float, integer};
use crate::runtime::trap::TrapKind;

/// An operator with two operands.
pub trait Binary {
    /// Its name in the text format.
    const NAME: &'static str;
    /// Whether its operands may be swapped.
    const COMMUTES: bool;
    /// Whether it may trap.
    const TRAPS: bool;
    /// Type of the first operand.
    type L: Value;
    /// Type of the second operand.
    type R: Value;
    /// Type of the result.
    type Out: Value;
    /// What it does.
    fn run(a: Self::L, b: Self::R) -> Result<Self::Out, TrapKind>;
}

/// A comparison.
pub trait Compare: Binary<R = <Self as Binary>::L, Out = u32> {
    /// The operator that says the same of swapped operands.
    type Swapped: Compare<L = Self::L>;
    /// Whether it holds.
    fn test(a: Self::L, b: Self::R) -> bool;
}

/// An operator with one operand.
pub trait Unary {
    /// Its name in the text format.
    const NAME: &'static str;
    /// Whether it may trap.
    const TRAPS: bool;
    /// Type of the operand.
    type In: Value;
    /// Type of the result.
    type Out: Value;
    /// What it does.
    fn run(a: Self::In) -> Result<Self::Out, TrapKind>;
}

/// A load from memory.
pub trait Load {
    /// Its name in the text format.
    const NAME: &'static str;
    /// What stands in memory; any bytes are a valid one.
    type Mem: Copy;
    /// Type of the result.
    type Out: Value;
    /// What it makes of it.
    fn run(a: Self::Mem) -> Self::Out;
}

/// A store to memory.
pub trait Store {
    /// Its name in the text format.
    const NAME: &'static str;
    /// Type of the operand.
    type In: Value;
    /// What stands in memory; any bytes are a valid one.
    type Mem: Copy;
    /// What it makes of it.
    fn run(a: Self::In) -> Self::Mem;
}

macro_rules! define {
    (
        binary { $($b:ident $bname:literal $bcomm:literal ($ba:ident: $bl:ty, $bb:ident: $br:ty) -> $bo:ty $bbody:block)* }
        fallible_binary { $($f:ident $fname:literal ($fa:ident: $fl:ty, $fb:ident: $fr:ty) -> $fo:ty $fbody:block)* }
        compare { $($c:ident $cname:literal $cswap:ident ($ca:ident: $cl:ty, $cb:ident: $cr:ty) $cbody:block)* }
        unary { $($u:ident $uname:literal ($ua:ident: $ui:ty) -> $uo:ty $ubody:block)* }
        fallible_unary { $($v:ident $vname:literal ($va:ident: $vi:ty) -> $vo:ty $vbody:block)* }
        load { $($l:ident $lname:literal ($la:ident: $lm:ty) -> $lo:ty $lbody:block)* }
        store { $($s:ident $sname:literal ($sa:ident: $si:ty) -> $sm:ty $sbody:block)* }
    ) => {
        $(#[doc = concat!("`", $bname, "`")] pub struct $b;
        impl Binary for $b {
            const NAME: &'static str = $bname;
            const COMMUTES: bool = $bcomm;
            const TRAPS: bool = false;
            type L = $bl;
            type R = $br;
            type Out = $bo;
            #[inline(always)]
            fn run($ba: $bl, $bb: $br) -> Result<$bo, TrapKind> { Ok($bbody) }
        })*
        $(#[doc = concat!("`", $fname, "`")] pub struct $f;
        impl Binary for $f {
            const NAME: &'static str = $fname;
            const COMMUTES: bool = false;
            const TRAPS: bool = true;
            type L = $fl;
            type R = $fr;
            type Out = $fo;
            #[inline(always)]
            fn run($fa: $fl, $fb: $fr) -> Result<$fo, TrapKind> { $fbody }
        })*
        $(#[doc = concat!("`", $cname, "`")] pub struct $c;
        impl Binary for $c {
            const NAME: &'static str = $cname;
            // The translator puts operands in order by `Swapped`.
            const COMMUTES: bool = true;
            const TRAPS: bool = false;
            type L = $cl;
            type R = $cr;
            type Out = u32;
            #[inline(always)]
            fn run(a: $cl, b: $cr) -> Result<u32, TrapKind> { Ok(u32::from(Self::test(a, b))) }
        }
        impl Compare for $c {
            type Swapped = $cswap;
            #[inline(always)]
            fn test($ca: $cl, $cb: $cr) -> bool { $cbody }
        })*
        $(#[doc = concat!("`", $uname, "`")] pub struct $u;
        impl Unary for $u {
            const NAME: &'static str = $uname;
            const TRAPS: bool = false;
            type In = $ui;
            type Out = $uo;
            #[inline(always)]
            fn run($ua: $ui) -> Result<$uo, TrapKind> { Ok($ubody) }
        })*
        $(#[doc = concat!("`", $vname, "`")] pub struct $v;
        impl Unary for $v {
            const NAME: &'static str = $vname;
            const TRAPS: bool = true;
            type In = $vi;
            type Out = $vo;
            #[inline(always)]
            fn run($va: $vi) -> Result<$vo, TrapKind> { $vbody }
        })*
        $(#[doc = concat!("`", $lname, "`")] pub struct $l;
        impl Load for $l {
            const NAME: &'static str = $lname;
            type Mem = $lm;
            type Out = $lo;
            #[inline(always)]
            fn run($la: $lm) -> $lo { $lbody }
        })*
        $(#[doc = concat!("`", $sname, "`")] pub struct $s;
        impl Store for $s {
            const NAME: &'static str = $sname;
            type In = $si;
            type Mem = $sm;
            #[inline(always)]
            fn run($sa: $si) -> $sm { $sbody }
        })*
    };
}

for_each_operator!(define);
