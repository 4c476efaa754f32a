//! Vectors of 128 bits.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Type, Value};
use wasmparser::{MemArg, Operator};

use super::Lower;
use crate::relaxed;

type Unary = fn(&mut Lower<'_>, Value) -> Value;
type Binary = fn(&mut Lower<'_>, Value, Value) -> Value;

impl Lower<'_> {
    /// A constant vector.
    pub fn vconst(&mut self, bits: u128, ty: Type) -> Value {
        let constant = self.b.func.dfg.constants.insert(bits.to_le_bytes().to_vec().into());
        self.b.ins().vconst(ty, constant)
    }

    fn popv(&mut self, ty: Type) -> Value {
        let value = self.pop();
        self.cast_vector(value, ty)
    }

    fn v1(&mut self, ty: Type, make: Unary) {
        let a = self.popv(ty);
        let value = make(self, a);
        self.push(value);
    }

    fn v2(&mut self, ty: Type, make: Binary) {
        let b = self.popv(ty);
        let a = self.popv(ty);
        let value = make(self, a, b);
        self.push(value);
    }

    fn vicmp(&mut self, ty: Type, cc: IntCC) {
        let b = self.popv(ty);
        let a = self.popv(ty);
        let value = self.b.ins().icmp(cc, a, b);
        self.push(value);
    }

    fn vfcmp(&mut self, ty: Type, cc: FloatCC) {
        let b = self.popv(ty);
        let a = self.popv(ty);
        let value = self.b.ins().fcmp(cc, a, b);
        self.push(value);
    }

    fn shift(&mut self, ty: Type, make: Binary) {
        let by = self.pop();
        let a = self.popv(ty);
        let value = make(self, a, by);
        self.push(value);
    }

    fn splat(&mut self, ty: Type, narrow: bool) {
        let mut value = self.pop();
        if narrow {
            value = self.b.ins().ireduce(ty.lane_type(), value);
        }
        let value = self.b.ins().splat(ty, value);
        self.push(value);
    }

    fn extract(&mut self, ty: Type, lane: u8) -> Value {
        let vector = self.popv(ty);
        self.b.ins().extractlane(vector, lane)
    }

    fn replace(&mut self, ty: Type, lane: u8, narrow: bool) {
        let mut value = self.pop();
        let vector = self.popv(ty);
        if narrow {
            value = self.b.ins().ireduce(ty.lane_type(), value);
        }
        let vector = self.b.ins().insertlane(vector, value, lane);
        self.push(vector);
    }

    fn load_lane_value(&mut self, memarg: MemArg, ty: Type) -> Value {
        let index = self.pop();
        let (address, at) = self.address(memarg, index, ty.bytes());
        let flags = self.heap_flags();
        self.b.ins().load(ty, flags, address, at)
    }

    fn load_extend(&mut self, memarg: MemArg, narrow: Type, signed: bool) {
        let index = self.pop();
        let (address, at) = self.address(memarg, index, 8);
        let flags = self.heap_flags();
        let ins = self.b.ins();
        let value = match (narrow, signed) {
            (I8, true) => ins.sload8x8(flags, address, at),
            (I8, false) => ins.uload8x8(flags, address, at),
            (I16, true) => ins.sload16x4(flags, address, at),
            (I16, false) => ins.uload16x4(flags, address, at),
            (_, true) => ins.sload32x2(flags, address, at),
            (_, false) => ins.uload32x2(flags, address, at),
        };
        self.push(value);
    }

    fn load_splat(&mut self, memarg: MemArg, ty: Type) {
        let value = self.load_lane_value(memarg, ty.lane_type());
        let value = self.b.ins().splat(ty, value);
        self.push(value);
    }

    fn load_zero(&mut self, memarg: MemArg, ty: Type) {
        let value = self.load_lane_value(memarg, ty.lane_type());
        let value = self.b.ins().scalar_to_vector(ty, value);
        self.push(value);
    }

    fn load_lane(&mut self, memarg: MemArg, ty: Type, lane: u8) {
        let vector = self.popv(ty);
        let value = self.load_lane_value(memarg, ty.lane_type());
        let vector = self.b.ins().insertlane(vector, value, lane);
        self.push(vector);
    }

    fn store_lane(&mut self, memarg: MemArg, ty: Type, lane: u8) {
        let value = self.extract(ty, lane);
        self.store(memarg, value);
    }

    /// Lowers an operator of this group.
    pub fn simd(&mut self, op: &Operator<'_>) -> bool {
        let strict = relaxed::strict(op);
        let op = strict.as_ref().unwrap_or(op);
        self.simd_memory(op)
            || self.simd_lanes(op)
            || self.simd_compare(op)
            || self.simd_integer(op)
            || self.simd_float(op)
            || self.simd_relaxed(op)
    }

    fn simd_memory(&mut self, op: &Operator<'_>) -> bool {
        use Operator as Op;
        match *op {
            Op::V128Load8x8S { memarg } => self.load_extend(memarg, I8, true),
            Op::V128Load8x8U { memarg } => self.load_extend(memarg, I8, false),
            Op::V128Load16x4S { memarg } => self.load_extend(memarg, I16, true),
            Op::V128Load16x4U { memarg } => self.load_extend(memarg, I16, false),
            Op::V128Load32x2S { memarg } => self.load_extend(memarg, I32, true),
            Op::V128Load32x2U { memarg } => self.load_extend(memarg, I32, false),
            Op::V128Load8Splat { memarg } => self.load_splat(memarg, I8X16),
            Op::V128Load16Splat { memarg } => self.load_splat(memarg, I16X8),
            Op::V128Load32Splat { memarg } => self.load_splat(memarg, I32X4),
            Op::V128Load64Splat { memarg } => self.load_splat(memarg, I64X2),
            Op::V128Load32Zero { memarg } => self.load_zero(memarg, I32X4),
            Op::V128Load64Zero { memarg } => self.load_zero(memarg, I64X2),
            Op::V128Load8Lane { memarg, lane } => self.load_lane(memarg, I8X16, lane),
            Op::V128Load16Lane { memarg, lane } => self.load_lane(memarg, I16X8, lane),
            Op::V128Load32Lane { memarg, lane } => self.load_lane(memarg, I32X4, lane),
            Op::V128Load64Lane { memarg, lane } => self.load_lane(memarg, I64X2, lane),
            Op::V128Store8Lane { memarg, lane } => self.store_lane(memarg, I8X16, lane),
            Op::V128Store16Lane { memarg, lane } => self.store_lane(memarg, I16X8, lane),
            Op::V128Store32Lane { memarg, lane } => self.store_lane(memarg, I32X4, lane),
            Op::V128Store64Lane { memarg, lane } => self.store_lane(memarg, I64X2, lane),
            _ => return false,
        }
        true
    }

    fn simd_lanes(&mut self, op: &Operator<'_>) -> bool {
        use Operator as Op;
        match *op {
            Op::V128Const { value } => {
                let value = self.vconst(value.i128() as u128, I8X16);
                self.push(value);
            }
            Op::I8x16Splat => self.splat(I8X16, true),
            Op::I16x8Splat => self.splat(I16X8, true),
            Op::I32x4Splat => self.splat(I32X4, false),
            Op::I64x2Splat => self.splat(I64X2, false),
            Op::F32x4Splat => self.splat(F32X4, false),
            Op::F64x2Splat => self.splat(F64X2, false),
            Op::I8x16ExtractLaneS { lane } | Op::I16x8ExtractLaneS { lane } => {
                let ty = if matches!(op, Op::I8x16ExtractLaneS { .. }) { I8X16 } else { I16X8 };
                let value = self.extract(ty, lane);
                let value = self.b.ins().sextend(I32, value);
                self.push(value);
            }
            Op::I8x16ExtractLaneU { lane } | Op::I16x8ExtractLaneU { lane } => {
                let ty = if matches!(op, Op::I8x16ExtractLaneU { .. }) { I8X16 } else { I16X8 };
                let value = self.extract(ty, lane);
                let value = self.b.ins().uextend(I32, value);
                self.push(value);
            }
            Op::I32x4ExtractLane { lane } => self.push_lane(I32X4, lane),
            Op::I64x2ExtractLane { lane } => self.push_lane(I64X2, lane),
            Op::F32x4ExtractLane { lane } => self.push_lane(F32X4, lane),
            Op::F64x2ExtractLane { lane } => self.push_lane(F64X2, lane),
            Op::I8x16ReplaceLane { lane } => self.replace(I8X16, lane, true),
            Op::I16x8ReplaceLane { lane } => self.replace(I16X8, lane, true),
            Op::I32x4ReplaceLane { lane } => self.replace(I32X4, lane, false),
            Op::I64x2ReplaceLane { lane } => self.replace(I64X2, lane, false),
            Op::F32x4ReplaceLane { lane } => self.replace(F32X4, lane, false),
            Op::F64x2ReplaceLane { lane } => self.replace(F64X2, lane, false),
            Op::I8x16Shuffle { lanes } => {
                let b = self.popv(I8X16);
                let a = self.popv(I8X16);
                let mask = self.b.func.dfg.immediates.push(lanes.to_vec().into());
                let value = self.b.ins().shuffle(a, b, mask);
                self.push(value);
            }
            Op::I8x16Swizzle => self.v2(I8X16, |s, a, b| s.b.ins().swizzle(a, b)),
            Op::V128Not => self.v1(I8X16, |s, a| s.b.ins().bnot(a)),
            Op::V128And => self.v2(I8X16, |s, a, b| s.b.ins().band(a, b)),
            Op::V128AndNot => self.v2(I8X16, |s, a, b| s.b.ins().band_not(a, b)),
            Op::V128Or => self.v2(I8X16, |s, a, b| s.b.ins().bor(a, b)),
            Op::V128Xor => self.v2(I8X16, |s, a, b| s.b.ins().bxor(a, b)),
            Op::V128Bitselect => {
                let c = self.popv(I8X16);
                let b = self.popv(I8X16);
                let a = self.popv(I8X16);
                let value = self.b.ins().bitselect(c, a, b);
                self.push(value);
            }
            Op::V128AnyTrue => {
                let a = self.popv(I8X16);
                let value = self.b.ins().vany_true(a);
                self.push_bool(value);
            }
            Op::I8x16AllTrue => self.all_true(I8X16),
            Op::I16x8AllTrue => self.all_true(I16X8),
            Op::I32x4AllTrue => self.all_true(I32X4),
            Op::I64x2AllTrue => self.all_true(I64X2),
            Op::I8x16Bitmask => self.v1(I8X16, |s, a| s.b.ins().vhigh_bits(I32, a)),
            Op::I16x8Bitmask => self.v1(I16X8, |s, a| s.b.ins().vhigh_bits(I32, a)),
            Op::I32x4Bitmask => self.v1(I32X4, |s, a| s.b.ins().vhigh_bits(I32, a)),
            Op::I64x2Bitmask => self.v1(I64X2, |s, a| s.b.ins().vhigh_bits(I32, a)),
            _ => return false,
        }
        true
    }

    fn push_lane(&mut self, ty: Type, lane: u8) {
        let value = self.extract(ty, lane);
        self.push(value);
    }

    fn all_true(&mut self, ty: Type) {
        let a = self.popv(ty);
        let value = self.b.ins().vall_true(a);
        self.push_bool(value);
    }

    fn simd_compare(&mut self, op: &Operator<'_>) -> bool {
        macro_rules! table {
            ($($name:ident $ty:ident $cc:ident;)*) => {
                match op {
                    $(Operator::$name => self.vicmp($ty, IntCC::$cc),)*
                    Operator::F32x4Eq => self.vfcmp(F32X4, FloatCC::Equal),
                    Operator::F32x4Ne => self.vfcmp(F32X4, FloatCC::NotEqual),
                    Operator::F32x4Lt => self.vfcmp(F32X4, FloatCC::LessThan),
                    Operator::F32x4Gt => self.vfcmp(F32X4, FloatCC::GreaterThan),
                    Operator::F32x4Le => self.vfcmp(F32X4, FloatCC::LessThanOrEqual),
                    Operator::F32x4Ge => self.vfcmp(F32X4, FloatCC::GreaterThanOrEqual),
                    Operator::F64x2Eq => self.vfcmp(F64X2, FloatCC::Equal),
                    Operator::F64x2Ne => self.vfcmp(F64X2, FloatCC::NotEqual),
                    Operator::F64x2Lt => self.vfcmp(F64X2, FloatCC::LessThan),
                    Operator::F64x2Gt => self.vfcmp(F64X2, FloatCC::GreaterThan),
                    Operator::F64x2Le => self.vfcmp(F64X2, FloatCC::LessThanOrEqual),
                    Operator::F64x2Ge => self.vfcmp(F64X2, FloatCC::GreaterThanOrEqual),
                    _ => return false,
                }
            };
        }
        table! {
            I8x16Eq I8X16 Equal; I8x16Ne I8X16 NotEqual;
            I8x16LtS I8X16 SignedLessThan; I8x16LtU I8X16 UnsignedLessThan;
            I8x16GtS I8X16 SignedGreaterThan; I8x16GtU I8X16 UnsignedGreaterThan;
            I8x16LeS I8X16 SignedLessThanOrEqual; I8x16LeU I8X16 UnsignedLessThanOrEqual;
            I8x16GeS I8X16 SignedGreaterThanOrEqual; I8x16GeU I8X16 UnsignedGreaterThanOrEqual;
            I16x8Eq I16X8 Equal; I16x8Ne I16X8 NotEqual;
            I16x8LtS I16X8 SignedLessThan; I16x8LtU I16X8 UnsignedLessThan;
            I16x8GtS I16X8 SignedGreaterThan; I16x8GtU I16X8 UnsignedGreaterThan;
            I16x8LeS I16X8 SignedLessThanOrEqual; I16x8LeU I16X8 UnsignedLessThanOrEqual;
            I16x8GeS I16X8 SignedGreaterThanOrEqual; I16x8GeU I16X8 UnsignedGreaterThanOrEqual;
            I32x4Eq I32X4 Equal; I32x4Ne I32X4 NotEqual;
            I32x4LtS I32X4 SignedLessThan; I32x4LtU I32X4 UnsignedLessThan;
            I32x4GtS I32X4 SignedGreaterThan; I32x4GtU I32X4 UnsignedGreaterThan;
            I32x4LeS I32X4 SignedLessThanOrEqual; I32x4LeU I32X4 UnsignedLessThanOrEqual;
            I32x4GeS I32X4 SignedGreaterThanOrEqual; I32x4GeU I32X4 UnsignedGreaterThanOrEqual;
            I64x2Eq I64X2 Equal; I64x2Ne I64X2 NotEqual;
            I64x2LtS I64X2 SignedLessThan; I64x2GtS I64X2 SignedGreaterThan;
            I64x2LeS I64X2 SignedLessThanOrEqual; I64x2GeS I64X2 SignedGreaterThanOrEqual;
        }
        true
    }

    fn simd_integer(&mut self, op: &Operator<'_>) -> bool {
        macro_rules! table {
            (
                unary { $($u:ident $uty:ident $uins:ident;)* }
                binary { $($b:ident $bty:ident $bins:ident;)* }
                shifts { $($s:ident $sty:ident $sins:ident;)* }
                pairwise { $($p:ident $pty:ident $plow:ident $phigh:ident;)* }
                extmul { $($m:ident $mty:ident $mins:ident;)* }
            ) => {
                match op {
                    $(Operator::$u => self.v1($uty, |s, a| s.b.ins().$uins(a)),)*
                    $(Operator::$b => self.v2($bty, |s, a, b| s.b.ins().$bins(a, b)),)*
                    $(Operator::$s => self.shift($sty, |s, a, by| s.b.ins().$sins(a, by)),)*
                    $(Operator::$p => self.v1($pty, |s, a| {
                        let low = s.b.ins().$plow(a);
                        let high = s.b.ins().$phigh(a);
                        s.b.ins().iadd_pairwise(low, high)
                    }),)*
                    $(Operator::$m => self.v2($mty, |s, a, b| {
                        let a = s.b.ins().$mins(a);
                        let b = s.b.ins().$mins(b);
                        s.b.ins().imul(a, b)
                    }),)*
                    Operator::I32x4DotI16x8S => self.v2(I16X8, |s, a, b| {
                        let (al, bl) = (s.b.ins().swiden_low(a), s.b.ins().swiden_low(b));
                        let (ah, bh) = (s.b.ins().swiden_high(a), s.b.ins().swiden_high(b));
                        let (low, high) = (s.b.ins().imul(al, bl), s.b.ins().imul(ah, bh));
                        s.b.ins().iadd_pairwise(low, high)
                    }),
                    _ => return false,
                }
            };
        }
        table! {
            unary {
                I8x16Abs I8X16 iabs; I16x8Abs I16X8 iabs; I32x4Abs I32X4 iabs; I64x2Abs I64X2 iabs;
                I8x16Neg I8X16 ineg; I16x8Neg I16X8 ineg; I32x4Neg I32X4 ineg; I64x2Neg I64X2 ineg;
                I8x16Popcnt I8X16 popcnt;
                I16x8ExtendLowI8x16S I8X16 swiden_low; I16x8ExtendHighI8x16S I8X16 swiden_high;
                I16x8ExtendLowI8x16U I8X16 uwiden_low; I16x8ExtendHighI8x16U I8X16 uwiden_high;
                I32x4ExtendLowI16x8S I16X8 swiden_low; I32x4ExtendHighI16x8S I16X8 swiden_high;
                I32x4ExtendLowI16x8U I16X8 uwiden_low; I32x4ExtendHighI16x8U I16X8 uwiden_high;
                I64x2ExtendLowI32x4S I32X4 swiden_low; I64x2ExtendHighI32x4S I32X4 swiden_high;
                I64x2ExtendLowI32x4U I32X4 uwiden_low; I64x2ExtendHighI32x4U I32X4 uwiden_high;
            }
            binary {
                I8x16Add I8X16 iadd; I16x8Add I16X8 iadd; I32x4Add I32X4 iadd; I64x2Add I64X2 iadd;
                I8x16Sub I8X16 isub; I16x8Sub I16X8 isub; I32x4Sub I32X4 isub; I64x2Sub I64X2 isub;
                I16x8Mul I16X8 imul; I32x4Mul I32X4 imul; I64x2Mul I64X2 imul;
                I8x16AddSatS I8X16 sadd_sat; I16x8AddSatS I16X8 sadd_sat;
                I8x16AddSatU I8X16 uadd_sat; I16x8AddSatU I16X8 uadd_sat;
                I8x16SubSatS I8X16 ssub_sat; I16x8SubSatS I16X8 ssub_sat;
                I8x16SubSatU I8X16 usub_sat; I16x8SubSatU I16X8 usub_sat;
                I8x16MinS I8X16 smin; I16x8MinS I16X8 smin; I32x4MinS I32X4 smin;
                I8x16MinU I8X16 umin; I16x8MinU I16X8 umin; I32x4MinU I32X4 umin;
                I8x16MaxS I8X16 smax; I16x8MaxS I16X8 smax; I32x4MaxS I32X4 smax;
                I8x16MaxU I8X16 umax; I16x8MaxU I16X8 umax; I32x4MaxU I32X4 umax;
                I8x16AvgrU I8X16 avg_round; I16x8AvgrU I16X8 avg_round;
                I16x8Q15MulrSatS I16X8 sqmul_round_sat;
                I8x16NarrowI16x8S I16X8 snarrow; I16x8NarrowI32x4S I32X4 snarrow;
                I8x16NarrowI16x8U I16X8 unarrow; I16x8NarrowI32x4U I32X4 unarrow;
            }
            shifts {
                I8x16Shl I8X16 ishl; I16x8Shl I16X8 ishl; I32x4Shl I32X4 ishl; I64x2Shl I64X2 ishl;
                I8x16ShrS I8X16 sshr; I16x8ShrS I16X8 sshr; I32x4ShrS I32X4 sshr; I64x2ShrS I64X2 sshr;
                I8x16ShrU I8X16 ushr; I16x8ShrU I16X8 ushr; I32x4ShrU I32X4 ushr; I64x2ShrU I64X2 ushr;
            }
            pairwise {
                I16x8ExtAddPairwiseI8x16S I8X16 swiden_low swiden_high;
                I16x8ExtAddPairwiseI8x16U I8X16 uwiden_low uwiden_high;
                I32x4ExtAddPairwiseI16x8S I16X8 swiden_low swiden_high;
                I32x4ExtAddPairwiseI16x8U I16X8 uwiden_low uwiden_high;
            }
            extmul {
                I16x8ExtMulLowI8x16S I8X16 swiden_low; I16x8ExtMulHighI8x16S I8X16 swiden_high;
                I16x8ExtMulLowI8x16U I8X16 uwiden_low; I16x8ExtMulHighI8x16U I8X16 uwiden_high;
                I32x4ExtMulLowI16x8S I16X8 swiden_low; I32x4ExtMulHighI16x8S I16X8 swiden_high;
                I32x4ExtMulLowI16x8U I16X8 uwiden_low; I32x4ExtMulHighI16x8U I16X8 uwiden_high;
                I64x2ExtMulLowI32x4S I32X4 swiden_low; I64x2ExtMulHighI32x4S I32X4 swiden_high;
                I64x2ExtMulLowI32x4U I32X4 uwiden_low; I64x2ExtMulHighI32x4U I32X4 uwiden_high;
            }
        }
        true
    }

    fn simd_float(&mut self, op: &Operator<'_>) -> bool {
        macro_rules! both {
            ($($name32:ident $name64:ident $arity:ident |$s:ident, $($arg:ident),*| $body:expr;)*) => {
                match op {
                    $(
                        Operator::$name32 => self.$arity(F32X4, |$s, $($arg),*| $body),
                        Operator::$name64 => self.$arity(F64X2, |$s, $($arg),*| $body),
                    )*
                    Operator::I32x4TruncSatF32x4S => self.v1(F32X4, |s, a| s.b.ins().fcvt_to_sint_sat(I32X4, a)),
                    Operator::I32x4TruncSatF32x4U => self.v1(F32X4, |s, a| s.b.ins().fcvt_to_uint_sat(I32X4, a)),
                    Operator::I32x4TruncSatF64x2SZero => self.v1(F64X2, |s, a| {
                        let wide = s.b.ins().fcvt_to_sint_sat(I64X2, a);
                        let zero = s.vconst(0, I64X2);
                        s.b.ins().snarrow(wide, zero)
                    }),
                    Operator::I32x4TruncSatF64x2UZero => self.v1(F64X2, |s, a| {
                        let wide = s.b.ins().fcvt_to_uint_sat(I64X2, a);
                        let zero = s.vconst(0, I64X2);
                        s.b.ins().uunarrow(wide, zero)
                    }),
                    Operator::F32x4ConvertI32x4S => self.v1(I32X4, |s, a| s.b.ins().fcvt_from_sint(F32X4, a)),
                    Operator::F32x4ConvertI32x4U => self.v1(I32X4, |s, a| s.b.ins().fcvt_from_uint(F32X4, a)),
                    Operator::F64x2ConvertLowI32x4S => self.v1(I32X4, |s, a| {
                        let wide = s.b.ins().swiden_low(a);
                        s.b.ins().fcvt_from_sint(F64X2, wide)
                    }),
                    Operator::F64x2ConvertLowI32x4U => self.v1(I32X4, |s, a| {
                        let wide = s.b.ins().uwiden_low(a);
                        s.b.ins().fcvt_from_uint(F64X2, wide)
                    }),
                    Operator::F32x4DemoteF64x2Zero => self.v1(F64X2, |s, a| s.b.ins().fvdemote(a)),
                    Operator::F64x2PromoteLowF32x4 => self.v1(F32X4, |s, a| s.b.ins().fvpromote_low(a)),
                    _ => return false,
                }
            };
        }
        both! {
            F32x4Ceil F64x2Ceil v1 |s, a| s.b.ins().ceil(a);
            F32x4Floor F64x2Floor v1 |s, a| s.b.ins().floor(a);
            F32x4Trunc F64x2Trunc v1 |s, a| s.b.ins().trunc(a);
            F32x4Nearest F64x2Nearest v1 |s, a| s.b.ins().nearest(a);
            F32x4Abs F64x2Abs v1 |s, a| s.b.ins().fabs(a);
            F32x4Neg F64x2Neg v1 |s, a| s.b.ins().fneg(a);
            F32x4Sqrt F64x2Sqrt v1 |s, a| s.b.ins().sqrt(a);
            F32x4Add F64x2Add v2 |s, a, b| s.b.ins().fadd(a, b);
            F32x4Sub F64x2Sub v2 |s, a, b| s.b.ins().fsub(a, b);
            F32x4Mul F64x2Mul v2 |s, a, b| s.b.ins().fmul(a, b);
            F32x4Div F64x2Div v2 |s, a, b| s.b.ins().fdiv(a, b);
            F32x4Min F64x2Min v2 |s, a, b| s.b.ins().fmin(a, b);
            F32x4Max F64x2Max v2 |s, a, b| s.b.ins().fmax(a, b);
            F32x4PMin F64x2PMin v2 |s, a, b| s.pseudo(b, a, a, b);
            F32x4PMax F64x2PMax v2 |s, a, b| s.pseudo(a, b, a, b);
        }
        true
    }

    /// `x < y ? b : a`, lane by lane: pseudo-minimum and -maximum.
    fn pseudo(&mut self, x: Value, y: Value, a: Value, b: Value) -> Value {
        let ty = self.b.func.dfg.value_type(a);
        let less = self.b.ins().fcmp(FloatCC::LessThan, x, y);
        let less = self.cast_vector(less, ty);
        self.b.ins().bitselect(less, b, a)
    }

    /// The relaxed operators that stand for several.
    fn simd_relaxed(&mut self, op: &Operator<'_>) -> bool {
        match op {
            Operator::F32x4RelaxedMadd => self.multiply_add(F32X4, false),
            Operator::F32x4RelaxedNmadd => self.multiply_add(F32X4, true),
            Operator::F64x2RelaxedMadd => self.multiply_add(F64X2, false),
            Operator::F64x2RelaxedNmadd => self.multiply_add(F64X2, true),
            Operator::I16x8RelaxedDotI8x16I7x16S => self.v2(I8X16, |s, a, b| s.dot(a, b)),
            Operator::I32x4RelaxedDotI8x16I7x16AddS => {
                let c = self.popv(I32X4);
                let b = self.popv(I8X16);
                let a = self.popv(I8X16);
                let dot = self.dot(a, b);
                let (low, high) = (self.b.ins().swiden_low(dot), self.b.ins().swiden_high(dot));
                let sums = self.b.ins().iadd_pairwise(low, high);
                let value = self.b.ins().iadd(sums, c);
                self.push(value);
            }
            _ => return false,
        }
        true
    }

    /// `±a × b + c`, rounded twice.
    fn multiply_add(&mut self, ty: Type, negate: bool) {
        let c = self.popv(ty);
        let b = self.popv(ty);
        let mut a = self.popv(ty);
        if negate {
            a = self.b.ins().fneg(a);
        }
        let product = self.b.ins().fmul(a, b);
        let value = self.b.ins().fadd(product, c);
        self.push(value);
    }

    /// Sums of the products of neighbours. One does not fit, that of two times -128 × -128, which wraps to the least
    /// number; no other sum is that small, so it can be told by it.
    fn dot(&mut self, a: Value, b: Value) -> Value {
        let (al, bl) = (self.b.ins().swiden_low(a), self.b.ins().swiden_low(b));
        let (ah, bh) = (self.b.ins().swiden_high(a), self.b.ins().swiden_high(b));
        let (low, high) = (self.b.ins().imul(al, bl), self.b.ins().imul(ah, bh));
        let sums = self.b.ins().iadd_pairwise(low, high);
        let least = self.vconst(0x8000_8000_8000_8000_8000_8000_8000_8000, I16X8);
        let wrapped = self.b.ins().icmp(IntCC::Equal, sums, least);
        self.b.ins().iadd(sums, wrapped)
    }
}
