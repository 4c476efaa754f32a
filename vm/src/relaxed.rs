//! What relaxed vector operators mean: for both tiers, and on every machine, what the deterministic profile of the
//! specification says (WebAssembly 3.0: "Relaxed Operations" in the chapter on execution, and the appendix on profiles).
//!
//! There each of them is the operator of fixed-width SIMD that it relaxes; multiply-add rounds twice, and the dot
//! product takes both operands as signed.

use wasmparser::Operator;

/// The one operator that a relaxed one stands for. `None` if it is not relaxed, or stands for several: multiply-add and
/// dot products.
pub const fn strict(operator: &Operator<'_>) -> Option<Operator<'static>> {
    use Operator as Op;
    Some(match operator {
        Op::I8x16RelaxedSwizzle => Op::I8x16Swizzle,
        Op::I32x4RelaxedTruncF32x4S => Op::I32x4TruncSatF32x4S,
        Op::I32x4RelaxedTruncF32x4U => Op::I32x4TruncSatF32x4U,
        Op::I32x4RelaxedTruncF64x2SZero => Op::I32x4TruncSatF64x2SZero,
        Op::I32x4RelaxedTruncF64x2UZero => Op::I32x4TruncSatF64x2UZero,
        Op::I8x16RelaxedLaneselect
        | Op::I16x8RelaxedLaneselect
        | Op::I32x4RelaxedLaneselect
        | Op::I64x2RelaxedLaneselect => Op::V128Bitselect,
        Op::F32x4RelaxedMin => Op::F32x4Min,
        Op::F32x4RelaxedMax => Op::F32x4Max,
        Op::F64x2RelaxedMin => Op::F64x2Min,
        Op::F64x2RelaxedMax => Op::F64x2Max,
        Op::I16x8RelaxedQ15mulrS => Op::I16x8Q15MulrSatS,
        _ => return None,
    })
}
