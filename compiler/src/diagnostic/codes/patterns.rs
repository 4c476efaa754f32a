//! F05xx: patterns.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0501",
        title: "a `match` that does not cover every value",
        explanation: "A `match` has an arm for each value that may come. The message names, as patterns, values for which there is none; \
                      an arm with a guard does not count, since the guard may be false. `_ => …` takes whatever is left, but then a \
                      variant that is added to the enum later goes there too, without an error.",
        rejected: "enum Door { Open, Shut }\n\nfn f(door: Door) -> Int {\n    match door { Open => 1 }\n}\n",
        accepted: "enum Door { Open, Shut }\n\nfn f(door: Door) -> Int {\n    match door { Open => 1, Shut => 0 }\n}\n",
    },
    Code {
        code: "F0502",
        title: "a binding that may not match",
        explanation: "The pattern of a `let`, of a `for` and of a closure's parameter matches always. Where it may not, `let … else { … }` says what \
                      happens then, and `if let` and `match` look at the cases.",
        rejected: "fn f(x: Option<Int>) -> Int {\n    let Some(n) = x\n    n\n}\n",
        accepted: "fn f(x: Option<Int>) -> Int {\n    let Some(n) = x else { return 0 }\n    n\n}\n",
    },
    Code {
        code: "F0503",
        title: "an arm that no value reaches",
        explanation: "Arms are tried in order, and the ones before take all that this one matches. Often a pattern above is wider than it was meant \
                      to be: a lower-case name matches anything. (A warning.)",
        rejected: "fn f(n: Int) -> Int {\n    match n { _ => 1, 0 => 2 }\n}\n",
        accepted: "fn f(n: Int) -> Int {\n    match n { 0 => 2, _ => 1 }\n}\n",
    },
    Code {
        code: "F0504",
        title: "an alternative that no value reaches",
        explanation: "What this alternative of a pattern matches is taken by those before it, or by an arm before. (A warning.)",
        rejected: "fn f(n: Int) -> Int {\n    match n { 0 | 0 => 1, _ => 2 }\n}\n",
        accepted: "fn f(n: Int) -> Int {\n    match n { 0 | 1 => 1, _ => 2 }\n}\n",
    },
];
