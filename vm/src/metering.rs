//! What an operator costs in fuel, and where it is charged: one rule for both tiers.
//!
//! A body is cut into *segments*. A segment starts at the function's first operator, after
//! `loop`, `if`, `else`, `end`, `br_if`, and after the call operators; it ends before the next
//! start or at the end of the body. Its whole cost is charged when it is entered. Both tiers cut at the same operators, so
//! the same run costs the same on either, also when it traps in the middle of a segment.
//! Unreachable operators belong to no segment. Bulk operators charge [`bulk_cost`] on top when
//! they run, before they do anything.

use wasmparser::Operator;

/// Fuel for one operator: zero for those that only shape the code.
pub fn operator_cost(op: &Operator<'_>) -> u32 {
    match op {
        Operator::Nop | Operator::Block { .. } | Operator::Loop { .. } | Operator::Else | Operator::End => 0,
        Operator::Drop | Operator::Unreachable | Operator::Return => 0,
        _ => 1,
    }
}

/// Whether a new segment starts right after this operator.
pub fn ends_segment(op: &Operator<'_>) -> bool {
    matches!(
        op,
        Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::BrIf { .. }
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
    )
}

/// Fuel for a bulk operation over `units` bytes or table elements: one for each 64.
pub const fn bulk_cost(units: u64) -> u64 {
    units / 64
}
