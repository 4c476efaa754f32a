//! The table of vector operators: name, operands and meaning of each, over lanes. It has the same
//! form as that of [`operators`](super::operators), and the same uses.
//!
//! Sections: `unary`, `binary`, `ternary` and `shift` operators have a vector as result, `reduce` ones an
//! `i32`; `splat` makes a vector of a number, `extract` and `replace` name a lane, `load` reads a
//! whole vector, `load_lane` and `store_lane` one of its lanes.

/// Hands the whole table to a macro.
macro_rules! for_each_vector_operator {
    ($with:ident) => {
        $with! {
            unary {
                V128Not "v128.not" (a: [u64; 2]) -> [u64; 2] { map(a, |a| !a) }
                I8x16Abs "i8x16.abs" (a: [i8; 16]) -> [i8; 16] { map(a, i8::wrapping_abs) }
                I8x16Neg "i8x16.neg" (a: [i8; 16]) -> [i8; 16] { map(a, i8::wrapping_neg) }
                I16x8Abs "i16x8.abs" (a: [i16; 8]) -> [i16; 8] { map(a, i16::wrapping_abs) }
                I16x8Neg "i16x8.neg" (a: [i16; 8]) -> [i16; 8] { map(a, i16::wrapping_neg) }
                I32x4Abs "i32x4.abs" (a: [i32; 4]) -> [i32; 4] { map(a, i32::wrapping_abs) }
                I32x4Neg "i32x4.neg" (a: [i32; 4]) -> [i32; 4] { map(a, i32::wrapping_neg) }
                I64x2Abs "i64x2.abs" (a: [i64; 2]) -> [i64; 2] { map(a, i64::wrapping_abs) }
                I64x2Neg "i64x2.neg" (a: [i64; 2]) -> [i64; 2] { map(a, i64::wrapping_neg) }
                I8x16Popcnt "i8x16.popcnt" (a: [u8; 16]) -> [u8; 16] { map(a, |a| a.count_ones() as u8) }
                I16x8ExtAddPairwiseI8x16S "i16x8.extadd_pairwise_i8x16_s" (a: [i8; 16]) -> [i16; 8] { from_fn(|i| i16::from(a[2 * i]) + i16::from(a[2 * i + 1])) }
                I16x8ExtAddPairwiseI8x16U "i16x8.extadd_pairwise_i8x16_u" (a: [u8; 16]) -> [u16; 8] { from_fn(|i| u16::from(a[2 * i]) + u16::from(a[2 * i + 1])) }
                I32x4ExtAddPairwiseI16x8S "i32x4.extadd_pairwise_i16x8_s" (a: [i16; 8]) -> [i32; 4] { from_fn(|i| i32::from(a[2 * i]) + i32::from(a[2 * i + 1])) }
                I32x4ExtAddPairwiseI16x8U "i32x4.extadd_pairwise_i16x8_u" (a: [u16; 8]) -> [u32; 4] { from_fn(|i| u32::from(a[2 * i]) + u32::from(a[2 * i + 1])) }
                I16x8ExtendLowI8x16S "i16x8.extend_low_i8x16_s" (a: [i8; 16]) -> [i16; 8] { from_fn(|i| i16::from(a[i])) }
                I16x8ExtendHighI8x16S "i16x8.extend_high_i8x16_s" (a: [i8; 16]) -> [i16; 8] { from_fn(|i| i16::from(a[i + 8])) }
                I16x8ExtendLowI8x16U "i16x8.extend_low_i8x16_u" (a: [u8; 16]) -> [u16; 8] { from_fn(|i| u16::from(a[i])) }
                I16x8ExtendHighI8x16U "i16x8.extend_high_i8x16_u" (a: [u8; 16]) -> [u16; 8] { from_fn(|i| u16::from(a[i + 8])) }
                I32x4ExtendLowI16x8S "i32x4.extend_low_i16x8_s" (a: [i16; 8]) -> [i32; 4] { from_fn(|i| i32::from(a[i])) }
                I32x4ExtendHighI16x8S "i32x4.extend_high_i16x8_s" (a: [i16; 8]) -> [i32; 4] { from_fn(|i| i32::from(a[i + 4])) }
                I32x4ExtendLowI16x8U "i32x4.extend_low_i16x8_u" (a: [u16; 8]) -> [u32; 4] { from_fn(|i| u32::from(a[i])) }
                I32x4ExtendHighI16x8U "i32x4.extend_high_i16x8_u" (a: [u16; 8]) -> [u32; 4] { from_fn(|i| u32::from(a[i + 4])) }
                I64x2ExtendLowI32x4S "i64x2.extend_low_i32x4_s" (a: [i32; 4]) -> [i64; 2] { from_fn(|i| i64::from(a[i])) }
                I64x2ExtendHighI32x4S "i64x2.extend_high_i32x4_s" (a: [i32; 4]) -> [i64; 2] { from_fn(|i| i64::from(a[i + 2])) }
                I64x2ExtendLowI32x4U "i64x2.extend_low_i32x4_u" (a: [u32; 4]) -> [u64; 2] { from_fn(|i| u64::from(a[i])) }
                I64x2ExtendHighI32x4U "i64x2.extend_high_i32x4_u" (a: [u32; 4]) -> [u64; 2] { from_fn(|i| u64::from(a[i + 2])) }
                F32x4Ceil "f32x4.ceil" (a: [f32; 4]) -> [f32; 4] { map(a, float::ceil_f32) }
                F32x4Floor "f32x4.floor" (a: [f32; 4]) -> [f32; 4] { map(a, float::floor_f32) }
                F32x4Trunc "f32x4.trunc" (a: [f32; 4]) -> [f32; 4] { map(a, float::trunc_f32) }
                F32x4Nearest "f32x4.nearest" (a: [f32; 4]) -> [f32; 4] { map(a, float::nearest_f32) }
                F32x4Abs "f32x4.abs" (a: [f32; 4]) -> [f32; 4] { map(a, f32::abs) }
                F32x4Neg "f32x4.neg" (a: [f32; 4]) -> [f32; 4] { map(a, |a| -a) }
                F32x4Sqrt "f32x4.sqrt" (a: [f32; 4]) -> [f32; 4] { map(a, f32::sqrt) }
                F64x2Ceil "f64x2.ceil" (a: [f64; 2]) -> [f64; 2] { map(a, float::ceil_f64) }
                F64x2Floor "f64x2.floor" (a: [f64; 2]) -> [f64; 2] { map(a, float::floor_f64) }
                F64x2Trunc "f64x2.trunc" (a: [f64; 2]) -> [f64; 2] { map(a, float::trunc_f64) }
                F64x2Nearest "f64x2.nearest" (a: [f64; 2]) -> [f64; 2] { map(a, float::nearest_f64) }
                F64x2Abs "f64x2.abs" (a: [f64; 2]) -> [f64; 2] { map(a, f64::abs) }
                F64x2Neg "f64x2.neg" (a: [f64; 2]) -> [f64; 2] { map(a, |a| -a) }
                F64x2Sqrt "f64x2.sqrt" (a: [f64; 2]) -> [f64; 2] { map(a, f64::sqrt) }
                I32x4TruncSatF32x4S "i32x4.trunc_sat_f32x4_s" (a: [f32; 4]) -> [i32; 4] { map(a, |a| a as i32) }
                I32x4TruncSatF64x2SZero "i32x4.trunc_sat_f64x2_s_zero" (a: [f64; 2]) -> [i32; 4] { [a[0] as i32, a[1] as i32, 0, 0] }
                F32x4ConvertI32x4S "f32x4.convert_i32x4_s" (a: [i32; 4]) -> [f32; 4] { map(a, |a| a as f32) }
                F64x2ConvertLowI32x4S "f64x2.convert_low_i32x4_s" (a: [i32; 4]) -> [f64; 2] { [f64::from(a[0]), f64::from(a[1])] }
                I32x4TruncSatF32x4U "i32x4.trunc_sat_f32x4_u" (a: [f32; 4]) -> [u32; 4] { map(a, |a| a as u32) }
                I32x4TruncSatF64x2UZero "i32x4.trunc_sat_f64x2_u_zero" (a: [f64; 2]) -> [u32; 4] { [a[0] as u32, a[1] as u32, 0, 0] }
                F32x4ConvertI32x4U "f32x4.convert_i32x4_u" (a: [u32; 4]) -> [f32; 4] { map(a, |a| a as f32) }
                F64x2ConvertLowI32x4U "f64x2.convert_low_i32x4_u" (a: [u32; 4]) -> [f64; 2] { [f64::from(a[0]), f64::from(a[1])] }
                F32x4DemoteF64x2Zero "f32x4.demote_f64x2_zero" (a: [f64; 2]) -> [f32; 4] { [float::quiet_f64(a[0]) as f32, float::quiet_f64(a[1]) as f32, 0.0, 0.0] }
                F64x2PromoteLowF32x4 "f64x2.promote_low_f32x4" (a: [f32; 4]) -> [f64; 2] { [f64::from(float::quiet_f32(a[0])), f64::from(float::quiet_f32(a[1]))] }
            }
            binary {
                V128And "v128.and" (a: [u64; 2], b: [u64; 2]) -> [u64; 2] { zip(a, b, |a, b| a & b) }
                V128AndNot "v128.andnot" (a: [u64; 2], b: [u64; 2]) -> [u64; 2] { zip(a, b, |a, b| a & !b) }
                V128Or "v128.or" (a: [u64; 2], b: [u64; 2]) -> [u64; 2] { zip(a, b, |a, b| a | b) }
                V128Xor "v128.xor" (a: [u64; 2], b: [u64; 2]) -> [u64; 2] { zip(a, b, |a, b| a ^ b) }
                I8x16Swizzle "i8x16.swizzle" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { from_fn(|i| if b[i] < 16 { a[usize::from(b[i] & 15)] } else { 0 }) }
                I8x16Eq "i8x16.eq" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a == b)) }
                I8x16Ne "i8x16.ne" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a != b)) }
                I8x16LtS "i8x16.lt_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a < b)) }
                I8x16LtU "i8x16.lt_u" (a: [u8; 16], b: [u8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a < b)) }
                I8x16GtS "i8x16.gt_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a > b)) }
                I8x16GtU "i8x16.gt_u" (a: [u8; 16], b: [u8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a > b)) }
                I8x16LeS "i8x16.le_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a <= b)) }
                I8x16LeU "i8x16.le_u" (a: [u8; 16], b: [u8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a <= b)) }
                I8x16GeS "i8x16.ge_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a >= b)) }
                I8x16GeU "i8x16.ge_u" (a: [u8; 16], b: [u8; 16]) -> [i8; 16] { zip(a, b, |a, b| -i8::from(a >= b)) }
                I8x16Add "i8x16.add" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { zip(a, b, u8::wrapping_add) }
                I8x16Sub "i8x16.sub" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { zip(a, b, u8::wrapping_sub) }
                I8x16AddSatS "i8x16.add_sat_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, i8::saturating_add) }
                I8x16AddSatU "i8x16.add_sat_u" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { zip(a, b, u8::saturating_add) }
                I8x16SubSatS "i8x16.sub_sat_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, i8::saturating_sub) }
                I8x16SubSatU "i8x16.sub_sat_u" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { zip(a, b, u8::saturating_sub) }
                I8x16AvgrU "i8x16.avgr_u" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { zip(a, b, |a, b| ((u16::from(a) + u16::from(b) + 1) >> 1) as u8) }
                I8x16MinS "i8x16.min_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, Ord::min) }
                I8x16MinU "i8x16.min_u" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { zip(a, b, Ord::min) }
                I8x16MaxS "i8x16.max_s" (a: [i8; 16], b: [i8; 16]) -> [i8; 16] { zip(a, b, Ord::max) }
                I8x16MaxU "i8x16.max_u" (a: [u8; 16], b: [u8; 16]) -> [u8; 16] { zip(a, b, Ord::max) }
                I16x8Eq "i16x8.eq" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a == b)) }
                I16x8Ne "i16x8.ne" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a != b)) }
                I16x8LtS "i16x8.lt_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a < b)) }
                I16x8LtU "i16x8.lt_u" (a: [u16; 8], b: [u16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a < b)) }
                I16x8GtS "i16x8.gt_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a > b)) }
                I16x8GtU "i16x8.gt_u" (a: [u16; 8], b: [u16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a > b)) }
                I16x8LeS "i16x8.le_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a <= b)) }
                I16x8LeU "i16x8.le_u" (a: [u16; 8], b: [u16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a <= b)) }
                I16x8GeS "i16x8.ge_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a >= b)) }
                I16x8GeU "i16x8.ge_u" (a: [u16; 8], b: [u16; 8]) -> [i16; 8] { zip(a, b, |a, b| -i16::from(a >= b)) }
                I16x8Add "i16x8.add" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, u16::wrapping_add) }
                I16x8Sub "i16x8.sub" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, u16::wrapping_sub) }
                I16x8Mul "i16x8.mul" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, u16::wrapping_mul) }
                I16x8AddSatS "i16x8.add_sat_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, i16::saturating_add) }
                I16x8AddSatU "i16x8.add_sat_u" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, u16::saturating_add) }
                I16x8SubSatS "i16x8.sub_sat_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, i16::saturating_sub) }
                I16x8SubSatU "i16x8.sub_sat_u" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, u16::saturating_sub) }
                I16x8AvgrU "i16x8.avgr_u" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, |a, b| ((u32::from(a) + u32::from(b) + 1) >> 1) as u16) }
                I16x8MinS "i16x8.min_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, Ord::min) }
                I16x8MinU "i16x8.min_u" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, Ord::min) }
                I16x8MaxS "i16x8.max_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, Ord::max) }
                I16x8MaxU "i16x8.max_u" (a: [u16; 8], b: [u16; 8]) -> [u16; 8] { zip(a, b, Ord::max) }
                I32x4Eq "i32x4.eq" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a == b)) }
                I32x4Ne "i32x4.ne" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a != b)) }
                I32x4LtS "i32x4.lt_s" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a < b)) }
                I32x4LtU "i32x4.lt_u" (a: [u32; 4], b: [u32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a < b)) }
                I32x4GtS "i32x4.gt_s" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a > b)) }
                I32x4GtU "i32x4.gt_u" (a: [u32; 4], b: [u32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a > b)) }
                I32x4LeS "i32x4.le_s" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a <= b)) }
                I32x4LeU "i32x4.le_u" (a: [u32; 4], b: [u32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a <= b)) }
                I32x4GeS "i32x4.ge_s" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a >= b)) }
                I32x4GeU "i32x4.ge_u" (a: [u32; 4], b: [u32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a >= b)) }
                I32x4Add "i32x4.add" (a: [u32; 4], b: [u32; 4]) -> [u32; 4] { zip(a, b, u32::wrapping_add) }
                I32x4Sub "i32x4.sub" (a: [u32; 4], b: [u32; 4]) -> [u32; 4] { zip(a, b, u32::wrapping_sub) }
                I32x4Mul "i32x4.mul" (a: [u32; 4], b: [u32; 4]) -> [u32; 4] { zip(a, b, u32::wrapping_mul) }
                I32x4MinS "i32x4.min_s" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, Ord::min) }
                I32x4MinU "i32x4.min_u" (a: [u32; 4], b: [u32; 4]) -> [u32; 4] { zip(a, b, Ord::min) }
                I32x4MaxS "i32x4.max_s" (a: [i32; 4], b: [i32; 4]) -> [i32; 4] { zip(a, b, Ord::max) }
                I32x4MaxU "i32x4.max_u" (a: [u32; 4], b: [u32; 4]) -> [u32; 4] { zip(a, b, Ord::max) }
                I64x2Eq "i64x2.eq" (a: [i64; 2], b: [i64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a == b)) }
                I64x2Ne "i64x2.ne" (a: [i64; 2], b: [i64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a != b)) }
                I64x2LtS "i64x2.lt_s" (a: [i64; 2], b: [i64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a < b)) }
                I64x2GtS "i64x2.gt_s" (a: [i64; 2], b: [i64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a > b)) }
                I64x2LeS "i64x2.le_s" (a: [i64; 2], b: [i64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a <= b)) }
                I64x2GeS "i64x2.ge_s" (a: [i64; 2], b: [i64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a >= b)) }
                I64x2Add "i64x2.add" (a: [u64; 2], b: [u64; 2]) -> [u64; 2] { zip(a, b, u64::wrapping_add) }
                I64x2Sub "i64x2.sub" (a: [u64; 2], b: [u64; 2]) -> [u64; 2] { zip(a, b, u64::wrapping_sub) }
                I64x2Mul "i64x2.mul" (a: [u64; 2], b: [u64; 2]) -> [u64; 2] { zip(a, b, u64::wrapping_mul) }
                I8x16NarrowI16x8S "i8x16.narrow_i16x8_s" (a: [i16; 8], b: [i16; 8]) -> [i8; 16] { from_fn(|i| (if i < 8 { a[i] } else { b[i - 8] }).clamp(i16::from(i8::MIN), i16::from(i8::MAX)) as i8) }
                I8x16NarrowI16x8U "i8x16.narrow_i16x8_u" (a: [i16; 8], b: [i16; 8]) -> [u8; 16] { from_fn(|i| (if i < 8 { a[i] } else { b[i - 8] }).clamp(i16::from(u8::MIN), i16::from(u8::MAX)) as u8) }
                I16x8NarrowI32x4S "i16x8.narrow_i32x4_s" (a: [i32; 4], b: [i32; 4]) -> [i16; 8] { from_fn(|i| (if i < 4 { a[i] } else { b[i - 4] }).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16) }
                I16x8NarrowI32x4U "i16x8.narrow_i32x4_u" (a: [i32; 4], b: [i32; 4]) -> [u16; 8] { from_fn(|i| (if i < 4 { a[i] } else { b[i - 4] }).clamp(i32::from(u16::MIN), i32::from(u16::MAX)) as u16) }
                I16x8Q15MulrSatS "i16x8.q15mulr_sat_s" (a: [i16; 8], b: [i16; 8]) -> [i16; 8] { zip(a, b, |a, b| ((i32::from(a) * i32::from(b) + 0x4000) >> 15).min(0x7fff) as i16) }
                I32x4DotI16x8S "i32x4.dot_i16x8_s" (a: [i16; 8], b: [i16; 8]) -> [i32; 4] { from_fn(|i| { let product = |i: usize| i32::from(a[i]) * i32::from(b[i]); product(2 * i).wrapping_add(product(2 * i + 1)) }) }
                I16x8RelaxedDotI8x16I7x16S "i16x8.relaxed_dot_i8x16_i7x16_s" (a: [i8; 16], b: [i8; 16]) -> [i16; 8] { dot(a, b) }
                I16x8ExtMulLowI8x16S "i16x8.extmul_low_i8x16_s" (a: [i8; 16], b: [i8; 16]) -> [i16; 8] { from_fn(|i| i16::from(a[i]) * i16::from(b[i])) }
                I16x8ExtMulHighI8x16S "i16x8.extmul_high_i8x16_s" (a: [i8; 16], b: [i8; 16]) -> [i16; 8] { from_fn(|i| i16::from(a[i + 8]) * i16::from(b[i + 8])) }
                I16x8ExtMulLowI8x16U "i16x8.extmul_low_i8x16_u" (a: [u8; 16], b: [u8; 16]) -> [u16; 8] { from_fn(|i| u16::from(a[i]) * u16::from(b[i])) }
                I16x8ExtMulHighI8x16U "i16x8.extmul_high_i8x16_u" (a: [u8; 16], b: [u8; 16]) -> [u16; 8] { from_fn(|i| u16::from(a[i + 8]) * u16::from(b[i + 8])) }
                I32x4ExtMulLowI16x8S "i32x4.extmul_low_i16x8_s" (a: [i16; 8], b: [i16; 8]) -> [i32; 4] { from_fn(|i| i32::from(a[i]) * i32::from(b[i])) }
                I32x4ExtMulHighI16x8S "i32x4.extmul_high_i16x8_s" (a: [i16; 8], b: [i16; 8]) -> [i32; 4] { from_fn(|i| i32::from(a[i + 4]) * i32::from(b[i + 4])) }
                I32x4ExtMulLowI16x8U "i32x4.extmul_low_i16x8_u" (a: [u16; 8], b: [u16; 8]) -> [u32; 4] { from_fn(|i| u32::from(a[i]) * u32::from(b[i])) }
                I32x4ExtMulHighI16x8U "i32x4.extmul_high_i16x8_u" (a: [u16; 8], b: [u16; 8]) -> [u32; 4] { from_fn(|i| u32::from(a[i + 4]) * u32::from(b[i + 4])) }
                I64x2ExtMulLowI32x4S "i64x2.extmul_low_i32x4_s" (a: [i32; 4], b: [i32; 4]) -> [i64; 2] { from_fn(|i| i64::from(a[i]) * i64::from(b[i])) }
                I64x2ExtMulHighI32x4S "i64x2.extmul_high_i32x4_s" (a: [i32; 4], b: [i32; 4]) -> [i64; 2] { from_fn(|i| i64::from(a[i + 2]) * i64::from(b[i + 2])) }
                I64x2ExtMulLowI32x4U "i64x2.extmul_low_i32x4_u" (a: [u32; 4], b: [u32; 4]) -> [u64; 2] { from_fn(|i| u64::from(a[i]) * u64::from(b[i])) }
                I64x2ExtMulHighI32x4U "i64x2.extmul_high_i32x4_u" (a: [u32; 4], b: [u32; 4]) -> [u64; 2] { from_fn(|i| u64::from(a[i + 2]) * u64::from(b[i + 2])) }
                F32x4Eq "f32x4.eq" (a: [f32; 4], b: [f32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a == b)) }
                F32x4Ne "f32x4.ne" (a: [f32; 4], b: [f32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a != b)) }
                F32x4Lt "f32x4.lt" (a: [f32; 4], b: [f32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a < b)) }
                F32x4Gt "f32x4.gt" (a: [f32; 4], b: [f32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a > b)) }
                F32x4Le "f32x4.le" (a: [f32; 4], b: [f32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a <= b)) }
                F32x4Ge "f32x4.ge" (a: [f32; 4], b: [f32; 4]) -> [i32; 4] { zip(a, b, |a, b| -i32::from(a >= b)) }
                F32x4Add "f32x4.add" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, |a, b| a + b) }
                F32x4Sub "f32x4.sub" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, |a, b| a - b) }
                F32x4Mul "f32x4.mul" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, |a, b| a * b) }
                F32x4Div "f32x4.div" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, |a, b| a / b) }
                F32x4Min "f32x4.min" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, float::min_f32) }
                F32x4Max "f32x4.max" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, float::max_f32) }
                F32x4PMin "f32x4.pmin" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, |a, b| if b < a { b } else { a }) }
                F32x4PMax "f32x4.pmax" (a: [f32; 4], b: [f32; 4]) -> [f32; 4] { zip(a, b, |a, b| if a < b { b } else { a }) }
                F64x2Eq "f64x2.eq" (a: [f64; 2], b: [f64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a == b)) }
                F64x2Ne "f64x2.ne" (a: [f64; 2], b: [f64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a != b)) }
                F64x2Lt "f64x2.lt" (a: [f64; 2], b: [f64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a < b)) }
                F64x2Gt "f64x2.gt" (a: [f64; 2], b: [f64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a > b)) }
                F64x2Le "f64x2.le" (a: [f64; 2], b: [f64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a <= b)) }
                F64x2Ge "f64x2.ge" (a: [f64; 2], b: [f64; 2]) -> [i64; 2] { zip(a, b, |a, b| -i64::from(a >= b)) }
                F64x2Add "f64x2.add" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, |a, b| a + b) }
                F64x2Sub "f64x2.sub" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, |a, b| a - b) }
                F64x2Mul "f64x2.mul" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, |a, b| a * b) }
                F64x2Div "f64x2.div" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, |a, b| a / b) }
                F64x2Min "f64x2.min" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, float::min_f64) }
                F64x2Max "f64x2.max" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, float::max_f64) }
                F64x2PMin "f64x2.pmin" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, |a, b| if b < a { b } else { a }) }
                F64x2PMax "f64x2.pmax" (a: [f64; 2], b: [f64; 2]) -> [f64; 2] { zip(a, b, |a, b| if a < b { b } else { a }) }
            }
            ternary {
                F32x4RelaxedMadd "f32x4.relaxed_madd" (a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] { from_fn(|i| a[i] * b[i] + c[i]) }
                F32x4RelaxedNmadd "f32x4.relaxed_nmadd" (a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] { from_fn(|i| -a[i] * b[i] + c[i]) }
                F64x2RelaxedMadd "f64x2.relaxed_madd" (a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> [f64; 2] { from_fn(|i| a[i] * b[i] + c[i]) }
                F64x2RelaxedNmadd "f64x2.relaxed_nmadd" (a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> [f64; 2] { from_fn(|i| -a[i] * b[i] + c[i]) }
                I32x4RelaxedDotI8x16I7x16AddS "i32x4.relaxed_dot_i8x16_i7x16_add_s" (a: [i8; 16], b: [i8; 16], c: [i32; 4]) -> [i32; 4] { let d = dot(a, b); from_fn(|i| c[i].wrapping_add(i32::from(d[2 * i]) + i32::from(d[2 * i + 1]))) }
            }
            shift {
                I8x16Shl "i8x16.shl" (a: [u8; 16], b: u32) -> [u8; 16] { map(a, |a| a.wrapping_shl(b)) }
                I8x16ShrS "i8x16.shr_s" (a: [i8; 16], b: u32) -> [i8; 16] { map(a, |a| a.wrapping_shr(b)) }
                I8x16ShrU "i8x16.shr_u" (a: [u8; 16], b: u32) -> [u8; 16] { map(a, |a| a.wrapping_shr(b)) }
                I16x8Shl "i16x8.shl" (a: [u16; 8], b: u32) -> [u16; 8] { map(a, |a| a.wrapping_shl(b)) }
                I16x8ShrS "i16x8.shr_s" (a: [i16; 8], b: u32) -> [i16; 8] { map(a, |a| a.wrapping_shr(b)) }
                I16x8ShrU "i16x8.shr_u" (a: [u16; 8], b: u32) -> [u16; 8] { map(a, |a| a.wrapping_shr(b)) }
                I32x4Shl "i32x4.shl" (a: [u32; 4], b: u32) -> [u32; 4] { map(a, |a| a.wrapping_shl(b)) }
                I32x4ShrS "i32x4.shr_s" (a: [i32; 4], b: u32) -> [i32; 4] { map(a, |a| a.wrapping_shr(b)) }
                I32x4ShrU "i32x4.shr_u" (a: [u32; 4], b: u32) -> [u32; 4] { map(a, |a| a.wrapping_shr(b)) }
                I64x2Shl "i64x2.shl" (a: [u64; 2], b: u32) -> [u64; 2] { map(a, |a| a.wrapping_shl(b)) }
                I64x2ShrS "i64x2.shr_s" (a: [i64; 2], b: u32) -> [i64; 2] { map(a, |a| a.wrapping_shr(b)) }
                I64x2ShrU "i64x2.shr_u" (a: [u64; 2], b: u32) -> [u64; 2] { map(a, |a| a.wrapping_shr(b)) }
            }
            reduce {
                V128AnyTrue "v128.any_true" (a: [u64; 2]) -> u32 { u32::from(a[0] | a[1] != 0) }
                I8x16AllTrue "i8x16.all_true" (a: [i8; 16]) -> u32 { u32::from(a.iter().all(|a| *a != 0)) }
                I8x16Bitmask "i8x16.bitmask" (a: [i8; 16]) -> u32 { bitmask_i8(a) }
                I16x8AllTrue "i16x8.all_true" (a: [i16; 8]) -> u32 { u32::from(a.iter().all(|a| *a != 0)) }
                I16x8Bitmask "i16x8.bitmask" (a: [i16; 8]) -> u32 { bitmask_i16(a) }
                I32x4AllTrue "i32x4.all_true" (a: [i32; 4]) -> u32 { u32::from(a.iter().all(|a| *a != 0)) }
                I32x4Bitmask "i32x4.bitmask" (a: [i32; 4]) -> u32 { bitmask_i32(a) }
                I64x2AllTrue "i64x2.all_true" (a: [i64; 2]) -> u32 { u32::from(a.iter().all(|a| *a != 0)) }
                I64x2Bitmask "i64x2.bitmask" (a: [i64; 2]) -> u32 { bitmask_i64(a) }
            }
            splat {
                I8x16Splat "i8x16.splat" (a: u32) -> [u8; 16] { [a as u8; 16] }
                I16x8Splat "i16x8.splat" (a: u32) -> [u16; 8] { [a as u16; 8] }
                I32x4Splat "i32x4.splat" (a: u32) -> [u32; 4] { [a as u32; 4] }
                I64x2Splat "i64x2.splat" (a: u64) -> [u64; 2] { [a as u64; 2] }
                F32x4Splat "f32x4.splat" (a: f32) -> [f32; 4] { [a as f32; 4] }
                F64x2Splat "f64x2.splat" (a: f64) -> [f64; 2] { [a as f64; 2] }
            }
            extract {
                I8x16ExtractLaneS "i8x16.extract_lane_s" (a: [i8; 16], lane) -> i32 { a[lane & 15] as i32 }
                I8x16ExtractLaneU "i8x16.extract_lane_u" (a: [u8; 16], lane) -> u32 { a[lane & 15] as u32 }
                I16x8ExtractLaneS "i16x8.extract_lane_s" (a: [i16; 8], lane) -> i32 { a[lane & 7] as i32 }
                I16x8ExtractLaneU "i16x8.extract_lane_u" (a: [u16; 8], lane) -> u32 { a[lane & 7] as u32 }
                I32x4ExtractLane "i32x4.extract_lane" (a: [u32; 4], lane) -> u32 { a[lane & 3] as u32 }
                I64x2ExtractLane "i64x2.extract_lane" (a: [u64; 2], lane) -> u64 { a[lane & 1] as u64 }
                F32x4ExtractLane "f32x4.extract_lane" (a: [f32; 4], lane) -> f32 { a[lane & 3] as f32 }
                F64x2ExtractLane "f64x2.extract_lane" (a: [f64; 2], lane) -> f64 { a[lane & 1] as f64 }
            }
            replace {
                I8x16ReplaceLane "i8x16.replace_lane" (a: [u8; 16], b: u32, lane) { a[lane & 15] = b as u8 }
                I16x8ReplaceLane "i16x8.replace_lane" (a: [u16; 8], b: u32, lane) { a[lane & 7] = b as u16 }
                I32x4ReplaceLane "i32x4.replace_lane" (a: [u32; 4], b: u32, lane) { a[lane & 3] = b as u32 }
                I64x2ReplaceLane "i64x2.replace_lane" (a: [u64; 2], b: u64, lane) { a[lane & 1] = b as u64 }
                F32x4ReplaceLane "f32x4.replace_lane" (a: [f32; 4], b: f32, lane) { a[lane & 3] = b as f32 }
                F64x2ReplaceLane "f64x2.replace_lane" (a: [f64; 2], b: f64, lane) { a[lane & 1] = b as f64 }
            }
            load {
                V128Load "v128.load" (a: [u8; 16]) -> [u8; 16] { a }
                V128Load8x8S "v128.load8x8_s" (a: [i8; 8]) -> [i16; 8] { map(a, i16::from) }
                V128Load8x8U "v128.load8x8_u" (a: [u8; 8]) -> [u16; 8] { map(a, u16::from) }
                V128Load16x4S "v128.load16x4_s" (a: [i16; 4]) -> [i32; 4] { map(a, i32::from) }
                V128Load16x4U "v128.load16x4_u" (a: [u16; 4]) -> [u32; 4] { map(a, u32::from) }
                V128Load32x2S "v128.load32x2_s" (a: [i32; 2]) -> [i64; 2] { map(a, i64::from) }
                V128Load32x2U "v128.load32x2_u" (a: [u32; 2]) -> [u64; 2] { map(a, u64::from) }
                V128Load8Splat "v128.load8_splat" (a: u8) -> [u8; 16] { [a; 16] }
                V128Load16Splat "v128.load16_splat" (a: u16) -> [u16; 8] { [a; 8] }
                V128Load32Splat "v128.load32_splat" (a: u32) -> [u32; 4] { [a; 4] }
                V128Load64Splat "v128.load64_splat" (a: u64) -> [u64; 2] { [a; 2] }
                V128Load32Zero "v128.load32_zero" (a: u32) -> [u32; 4] { [a, 0, 0, 0] }
                V128Load64Zero "v128.load64_zero" (a: u64) -> [u64; 2] { [a, 0] }
            }
            load_lane {
                V128Load8Lane "v128.load8_lane" (a: [u8; 16], b: u8, lane) { a[lane & 15] = b }
                V128Load16Lane "v128.load16_lane" (a: [u16; 8], b: u16, lane) { a[lane & 7] = b }
                V128Load32Lane "v128.load32_lane" (a: [u32; 4], b: u32, lane) { a[lane & 3] = b }
                V128Load64Lane "v128.load64_lane" (a: [u64; 2], b: u64, lane) { a[lane & 1] = b }
            }
            store_lane {
                V128Store8Lane "v128.store8_lane" (a: [u8; 16], lane) -> u8 { a[lane & 15] }
                V128Store16Lane "v128.store16_lane" (a: [u16; 8], lane) -> u16 { a[lane & 7] }
                V128Store32Lane "v128.store32_lane" (a: [u32; 4], lane) -> u32 { a[lane & 3] }
                V128Store64Lane "v128.store64_lane" (a: [u64; 2], lane) -> u64 { a[lane & 1] }
            }
        }
    };
}
pub(crate) use for_each_vector_operator;

use super::float;
use super::operators::{Binary, Load, Unary};
use super::value::Value;
use crate::runtime::trap::TrapKind;

/// Makes a vector of three.
pub trait Ternary {
    /// Its name in the text format.
    const NAME: &'static str;
    /// The first operand.
    type A: Value;
    /// The second operand.
    type B: Value;
    /// The third operand.
    type C: Value;
    /// The result.
    type Out: Value;
    /// Makes it.
    fn run(a: Self::A, b: Self::B, c: Self::C) -> Self::Out;
}

/// Takes a lane out of a vector.
pub trait Extract {
    /// Its name in the text format.
    const NAME: &'static str;
    /// The vector.
    type V: Value;
    /// The lane's value.
    type Out: Value;
    /// Takes it.
    fn run(a: Self::V, lane: usize) -> Self::Out;
}

/// Puts a value into a lane of a vector.
pub trait Replace {
    /// Its name in the text format.
    const NAME: &'static str;
    /// The vector.
    type V: Value;
    /// The lane's value.
    type In: Value;
    /// Puts it.
    fn run(a: Self::V, b: Self::In, lane: usize) -> Self::V;
}

/// Loads a lane of a vector.
pub trait LoadLane {
    /// Its name in the text format.
    const NAME: &'static str;
    /// The vector.
    type V: Value;
    /// The lane, for which any bytes will do.
    type Mem: Copy;
    /// Puts it.
    fn run(a: Self::V, b: Self::Mem, lane: usize) -> Self::V;
}

/// Stores a lane of a vector.
pub trait StoreLane {
    /// Its name in the text format.
    const NAME: &'static str;
    /// The vector.
    type V: Value;
    /// The lane, for which any bytes will do.
    type Mem: Copy;
    /// Takes it.
    fn run(a: Self::V, lane: usize) -> Self::Mem;
}

/// As [`std::array::from_fn`], which is not always inlined: then the array's address leaves the handler, and the
/// jump to the next one becomes a call.
#[inline(always)]
pub fn from_fn<T: Copy + Default, const N: usize>(mut f: impl FnMut(usize) -> T) -> [T; N] {
    let mut lanes = [T::default(); N];
    let mut i = 0;
    while i < N {
        lanes[i] = f(i);
        i += 1;
    }
    lanes
}

#[inline(always)]
fn map<A: Copy, B: Copy + Default, const N: usize>(a: [A; N], f: impl Fn(A) -> B) -> [B; N] {
    from_fn(|i| f(a[i]))
}

#[inline(always)]
fn zip<A: Copy, B: Copy, C: Copy + Default, const N: usize>(a: [A; N], b: [B; N], f: impl Fn(A, B) -> C) -> [C; N] {
    from_fn(|i| f(a[i], b[i]))
}

/// Sums of the products of neighbours. The only sum that does not fit is that of two times -128 × -128.
#[inline(always)]
fn dot(a: [i8; 16], b: [i8; 16]) -> [i16; 8] {
    let product = |i: usize| i16::from(a[i]) * i16::from(b[i]);
    from_fn(|i| product(2 * i).saturating_add(product(2 * i + 1)))
}

macro_rules! bitmask {
    ($($name:ident $ty:ty, $n:literal;)*) => {$(
        /// The lanes' signs, the first lane's in the lowest bit.
        #[inline(always)]
        fn $name(a: [$ty; $n]) -> u32 {
            a.iter().enumerate().fold(0, |mask, (i, a)| mask | u32::from(*a < 0) << i)
        }
    )*};
}

bitmask! {
    bitmask_i16 i16, 8;
    bitmask_i32 i32, 4;
    bitmask_i64 i64, 2;
}

/// The lanes' signs, the first lane's in the lowest bit: eight at a time, gathered by a multiplication.
#[inline(always)]
fn bitmask_i8(a: [i8; 16]) -> u32 {
    let gather = |at: usize| {
        let bytes: [u8; 8] = from_fn(|i| a[at + i] as u8);
        let signs = (u64::from_le_bytes(bytes) >> 7) & 0x0101_0101_0101_0101;
        (signs.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
    };
    gather(0) | gather(8) << 8
}

macro_rules! define {
    (
        unary { $($u:ident $uname:literal ($ua:ident: $ui:ty) -> $uo:ty $ubody:block)* }
        binary { $($b:ident $bname:literal ($ba:ident: $bl:ty, $bb:ident: $br:ty) -> $bo:ty $bbody:block)* }
        ternary { $($t:ident $tname:literal ($ta:ident: $t1:ty, $tb:ident: $t2:ty, $tc:ident: $t3:ty) -> $to:ty $tbody:block)* }
        shift { $($h:ident $hname:literal ($ha:ident: $hl:ty, $hb:ident: $hr:ty) -> $ho:ty $hbody:block)* }
        reduce { $($r:ident $rname:literal ($ra:ident: $ri:ty) -> $ro:ty $rbody:block)* }
        splat { $($p:ident $pname:literal ($pa:ident: $pi:ty) -> $po:ty $pbody:block)* }
        extract { $($e:ident $ename:literal ($ea:ident: $ev:ty, $el:ident) -> $eo:ty $ebody:block)* }
        replace { $($c:ident $cname:literal ($ca:ident: $cv:ty, $cb:ident: $ci:ty, $cl:ident) $cbody:block)* }
        load { $($l:ident $lname:literal ($la:ident: $lm:ty) -> $lo:ty $lbody:block)* }
        load_lane { $($g:ident $gname:literal ($ga:ident: $gv:ty, $gb:ident: $gm:ty, $gl:ident) $gbody:block)* }
        store_lane { $($s:ident $sname:literal ($sa:ident: $sv:ty, $sl:ident) -> $sm:ty $sbody:block)* }
    ) => {
        define!(@unary $($u $uname ($ua: $ui) -> $uo $ubody)*);
        define!(@unary $($r $rname ($ra: $ri) -> $ro $rbody)*);
        define!(@unary $($p $pname ($pa: $pi) -> $po $pbody)*);
        define!(@binary $($b $bname ($ba: $bl, $bb: $br) -> $bo $bbody)*);
        define!(@binary $($h $hname ($ha: $hl, $hb: $hr) -> $ho $hbody)*);
        $(#[doc = concat!("`", $tname, "`")] pub struct $t;
        impl Ternary for $t {
            const NAME: &'static str = $tname;
            type A = $t1;
            type B = $t2;
            type C = $t3;
            type Out = $to;
            #[inline(always)]
            fn run($ta: $t1, $tb: $t2, $tc: $t3) -> $to $tbody
        })*
        $(#[doc = concat!("`", $ename, "`")] pub struct $e;
        impl Extract for $e {
            const NAME: &'static str = $ename;
            type V = $ev;
            type Out = $eo;
            #[inline(always)]
            fn run($ea: $ev, $el: usize) -> $eo $ebody
        })*
        $(#[doc = concat!("`", $cname, "`")] pub struct $c;
        impl Replace for $c {
            const NAME: &'static str = $cname;
            type V = $cv;
            type In = $ci;
            #[inline(always)]
            fn run(mut $ca: $cv, $cb: $ci, $cl: usize) -> $cv { $cbody; $ca }
        })*
        $(#[doc = concat!("`", $lname, "`")] pub struct $l;
        impl Load for $l {
            const NAME: &'static str = $lname;
            type Mem = $lm;
            type Out = $lo;
            #[inline(always)]
            fn run($la: $lm) -> $lo $lbody
        })*
        $(#[doc = concat!("`", $gname, "`")] pub struct $g;
        impl LoadLane for $g {
            const NAME: &'static str = $gname;
            type V = $gv;
            type Mem = $gm;
            #[inline(always)]
            fn run(mut $ga: $gv, $gb: $gm, $gl: usize) -> $gv { $gbody; $ga }
        })*
        $(#[doc = concat!("`", $sname, "`")] pub struct $s;
        impl StoreLane for $s {
            const NAME: &'static str = $sname;
            type V = $sv;
            type Mem = $sm;
            #[inline(always)]
            fn run($sa: $sv, $sl: usize) -> $sm $sbody
        })*
    };
    (@unary $($u:ident $uname:literal ($ua:ident: $ui:ty) -> $uo:ty $ubody:block)*) => {
        $(#[doc = concat!("`", $uname, "`")] pub struct $u;
        impl Unary for $u {
            const NAME: &'static str = $uname;
            const TRAPS: bool = false;
            type In = $ui;
            type Out = $uo;
            #[inline(always)]
            fn run($ua: $ui) -> Result<$uo, TrapKind> { Ok($ubody) }
        })*
    };
    (@binary $($b:ident $bname:literal ($ba:ident: $bl:ty, $bb:ident: $br:ty) -> $bo:ty $bbody:block)*) => {
        $(#[doc = concat!("`", $bname, "`")] pub struct $b;
        impl Binary for $b {
            const NAME: &'static str = $bname;
            const COMMUTES: bool = false;
            const TRAPS: bool = false;
            type L = $bl;
            type R = $br;
            type Out = $bo;
            #[inline(always)]
            fn run($ba: $bl, $bb: $br) -> Result<$bo, TrapKind> { Ok($bbody) }
        })*
    };
}

for_each_vector_operator!(define);
