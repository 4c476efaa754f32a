//! What an operator costs in fuel, where it is charged, and where a run ends that has too little: one rule for both tiers.
//!
//! A body is cut into *segments*. A segment starts at the function's first operator, after
//! `loop`, `if`, `else`, `end`, after the conditional branches, and after the call operators; it ends before the next
//! start or at the end of the body. Its whole cost is charged when it is entered. Both tiers cut at the same operators, so
//! the same run costs the same on either, also when it traps in the middle of a segment.
//! Unreachable operators belong to no segment. Bulk operators charge [`bulk_cost`] on top when
//! they run, before they do anything.
//!
//! Whether there was enough is looked at in segments that a loop starts with and those that call: code that is neither in a loop
//! nor calls is short. A run that ends with a debt by itself is out of fuel as well, so what a run may cost in all is exact; what it did
//! before it was found out is the same on both tiers, and is no call.

use wasmparser::Operator;

/// Fuel for one operator: zero for those that only shape the code.
pub fn operator_cost(op: &Operator<'_>) -> u32 {
    match op {
        Operator::Nop
        | Operator::Block { .. }
        | Operator::TryTable { .. }
        | Operator::Loop { .. }
        | Operator::Else
        | Operator::End => 0,
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
            | Operator::BrOnNull { .. }
            | Operator::BrOnNonNull { .. }
            | Operator::BrOnCast { .. }
            | Operator::BrOnCastFail { .. }
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::CallRef { .. }
    )
}

/// Whether an operator calls a function.
fn calls(op: &Operator<'_>) -> bool {
    matches!(
        op,
        Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. }
    )
}

/// Operators that are charged together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What they cost.
    pub cost: u32,
    /// Whether there has to be enough.
    pub is_checked: bool,
}

/// The segments of a body, as its reachable operators come.
#[derive(Debug, Default)]
pub struct Segments {
    present: Option<Segment>,
    /// Whether nothing was charged since the header of a loop.
    is_turn: bool,
}

impl Segments {
    /// Charges an operator that is next. Whether a segment begins with it.
    pub fn charge(&mut self, op: &Operator<'_>) -> bool {
        let cost = operator_cost(op);
        if cost == 0 {
            return false;
        }
        let begins = self.present.is_none();
        let present = self.present.get_or_insert(Segment { cost: 0, is_checked: std::mem::take(&mut self.is_turn) });
        present.cost += cost;
        present.is_checked |= calls(op);
        begins
    }

    /// The segment that ends with an operator, if one does. `goes_on`: whether control can be behind it.
    pub fn end(&mut self, op: &Operator<'_>, goes_on: bool) -> Option<Segment> {
        let ended = if ends_segment(op) || !goes_on { self.present.take() } else { None };
        self.is_turn |= matches!(op, Operator::Loop { .. });
        ended
    }
}

/// Fuel for a bulk operation over `units` bytes or table elements: one for each 64.
pub const fn bulk_cost(units: u64) -> u64 {
    units / 64
}

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload};

    use super::*;

    /// Calls `each` with all operators of a function.
    fn for_each_operator(body: &str, mut each: impl FnMut(&Operator<'_>)) {
        let text = format!(
            "(module (memory 1) (table 1 funcref) (type $t (func)) (elem declare func $callee)
                (func (param i32) {body}) (func $callee))"
        );
        let bytes = wat::parse_str(text).expect("test module parses");
        let body = Parser::new(0).parse_all(&bytes).find_map(|payload| match payload {
            Ok(Payload::CodeSectionEntry(body)) => Some(body),
            _ => None,
        });
        let operators = body.expect("has a function").get_operators_reader().expect("has operators");
        operators.into_iter().map_while(Result::ok).for_each(|op| each(&op));
    }

    /// Costs of the segments of a function, empty ones too.
    fn segments(body: &str) -> Vec<u32> {
        let mut segments = vec![0];
        for_each_operator(body, |op| {
            *segments.last_mut().expect("never empty") += operator_cost(op);
            if ends_segment(op) {
                segments.push(0);
            }
        });
        segments
    }

    #[test]
    fn straight_code_is_one_segment() {
        assert_eq!(segments("nop local.get 0 i32.const 2 i32.add drop"), [3, 0]);
    }

    #[test]
    fn operators_that_only_shape_the_code_are_free() {
        assert_eq!(segments("block end nop return"), [0, 0, 0]);
        assert_eq!(segments("unreachable"), [0, 0]);
    }

    #[test]
    fn each_turn_of_a_loop_starts_a_segment() {
        // Before the loop; its body with the branch; what follows the branch; what follows the loop.
        assert_eq!(segments("i32.const 1 drop loop local.get 0 br_if 0 nop end i32.const 3 drop"), [1, 2, 0, 1, 0]);
    }

    #[test]
    fn both_arms_of_an_if_are_segments() {
        assert_eq!(
            segments("local.get 0 if i32.const 1 drop else i32.const 2 drop i32.const 3 drop end"),
            // Up to and with `if`; one arm; the other; the rest.
            [2, 1, 2, 0, 0]
        );
    }

    #[test]
    fn the_target_of_a_forward_branch_starts_a_segment() {
        assert_eq!(segments("block local.get 0 br_if 0 i32.const 5 drop end i32.const 6 drop"), [2, 1, 1, 0]);
    }

    #[test]
    fn calls_end_segments_so_that_fuel_is_charged_for_what_was_reached() {
        assert_eq!(segments("i32.const 0 call 0 i32.const 1 drop"), [2, 1, 0]);
        assert_eq!(segments("i32.const 0 call_indirect (type $t) i32.const 1 drop"), [2, 1, 0]);
    }

    #[test]
    fn branches_and_calls_by_reference_end_segments_too() {
        let any = "block (result anyref) ref.null any";
        for branch in ["br_on_cast 0 anyref (ref i31)", "br_on_cast_fail 0 anyref (ref i31)"] {
            assert_eq!(segments(&format!("{any} {branch} i32.const 1 drop end drop")), [2, 1, 0, 0], "{branch}");
        }
        assert_eq!(segments("block ref.null any br_on_null 0 drop i32.const 1 drop end"), [2, 1, 0, 0]);
        assert_eq!(
            segments("block (result (ref any)) ref.null any br_on_non_null 0 i32.const 1 drop unreachable end drop"),
            [2, 1, 0, 0]
        );
        assert_eq!(segments("ref.func $callee call_ref $t i32.const 1 drop"), [2, 1, 0]);
    }

    #[test]
    fn every_segment_that_can_be_entered_again_costs_something_or_contains_a_call() {
        // A loop that turns must reach a branch, which costs; so no run is both endless and free.
        for turn in ["br 0", "local.get 0 br_if 0", "local.get 0 br_table 0 0"] {
            let costs = segments(&format!("loop {turn} end"));
            assert!(costs[1] >= 1, "{turn}: {costs:?}");
        }
        // Nor is a recursion.
        for again in
            ["i32.const 0 call 0", "i32.const 0 return_call 0", "call $callee", "ref.func $callee return_call_ref $t"]
        {
            assert!(segments(again)[0] >= 1, "{again}");
        }
    }

    /// Whether there has to be enough, of the segments of a function that cost something.
    fn checks(body: &str) -> Vec<bool> {
        let mut all = Segments::default();
        let mut checks = Vec::new();
        for_each_operator(body, |op| {
            all.charge(op);
            checks.extend(all.end(op, true).map(|segment| segment.is_checked));
        });
        checks
    }

    #[test]
    fn turns_of_loops_and_calls_are_checked_and_nothing_else() {
        assert_eq!(checks("i32.const 1 if i32.const 2 drop end i32.const 3 drop"), [false, false, false]);
        assert_eq!(checks("i32.const 1 drop loop local.get 0 br_if 0 i32.const 1 drop end"), [false, true, false]);
        assert_eq!(checks("i32.const 1 drop i32.const 0 call 0 i32.const 1 drop"), [true, false]);
        assert_eq!(checks("i32.const 0 return_call 0"), [true]);
        // Nothing is charged between the header and the branch but by the branch.
        assert_eq!(checks("loop block end br 0 end"), [true]);
        assert_eq!(checks("loop loop local.get 0 br_if 0 end br 0 end"), [true, false]);
    }

    #[test]
    fn bulk_operations_cost_one_for_each_64_units() {
        assert_eq!([0, 63, 64, 128, 1 << 32].map(bulk_cost), [0, 0, 1, 2, 1 << 26]);
    }
}
