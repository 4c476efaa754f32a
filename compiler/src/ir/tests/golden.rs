//! Small functions, and what they become: as they are lowered, or optimised.

use super::code;

/// Makes a test of each of these: the code of the functions named is compared with the snapshot. What is called from one place only
/// goes there when code is optimised, so `main` calls it through a list.
macro_rules! golden {
    ($($name:ident, $optimise:literal, [$($function:literal),*], $source:literal;)*) => {
        $(#[test]
        fn $name() {
            insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), code($source, &[$($function),*], $optimise));
            });
        })*
    };
}

golden! {
    lowered_arithmetic_is_checked, false, ["f"], "
        fn f(a: Int, b: Int) -> Int { a * b + (a << 3) - b / a % 7 }
        fn main(out: Console) { out.print(\"{f(1, 2)}\") }";

    lowered_match_looks_at_each_part_once, false, ["f"], "
        enum Shape { Circle(Int), Rect(Int, Int), Line { from: Int, to: Int }, Empty, Dot }
        fn f(s: Shape, flag: Bool) -> Int {
            match (s, flag) {
                (Circle(r), true) => r
                (Circle(_), false) => 0
                (Rect(w, h), _) if w == h => w
                (Rect(w, _), true) | (Line { from: w, .. }, _) => w
                _ => -1
            }
        }
        fn main(out: Console) { out.print(\"{f(Shape.Dot, true)} {f(Shape.Rect(1, 2), false)} {f(Shape.Circle(1), true)} {f(Shape.Line { from: 1, to: 2 }, true)} {f(Shape.Empty, true)}\") }";

    lowered_options_and_results_are_parts, false, ["f", "g", "h"], "
        fn f(x: Option<Int>) -> Option<String> { match x { Some(n) if n > 0 => Some(\"yes\"), _ => None } }
        fn g(a: Int) -> Result<Int, String> { if a < 0 { Err(\"negative\") } else { Ok(a) } }
        fn h(a: Int) -> Result<(Int, Int), String> { let x = g(a)?
            Ok((x, a)) }
        fn main(out: Console) { out.print(\"{f(Some(1))} {h(3)}\") }";

    lowered_enum_with_one_payload_is_an_object_or_null, false, ["sum"], "
        enum Tree { Leaf, Node(Tree, Int, Tree) }
        fn sum(t: Tree) -> Int { match t { Leaf => 0, Node(l, x, r) => sum(l) + x + sum(r) } }
        fn main(out: Console) { out.print(\"{sum(Tree.Node(Tree.Leaf, 1, Tree.Leaf))}\") }";

    lowered_closures_share_what_is_assigned, false, ["counter", "counter.closure"], "
        fn counter(step: Int) -> fn() -> Int { var n = 0
            || { n += step
                n } }
        fn main(out: Console) { let c = counter(2)
            out.print(\"{c()}\") }";

    lowered_dyn_calls_go_by_the_table, false, ["all", "main"], "
        trait Speak { fn speak(self) -> Int
            fn twice(self, n: Int) -> Int { self.speak() * n } }
        record Dog { age: Int }
        impl Speak for Dog { fn speak(self) -> Int { self.age } }
        impl Speak for Int { fn speak(self) -> Int { self } }
        fn all(a: dyn Speak, b: dyn Speak) -> Int { a.speak() + b.twice(3) }
        fn main() { all(Dog { age: 3 }, 4) }";

    lowered_equality_goes_by_structure, false, ["Eq.eq"], "
        record Point { x: Int, y: Float }
        enum Shape { At(Point), Named { name: String, at: Option<Int> }, Nowhere }
        fn same(a: Shape, b: Shape) -> Bool { a == b }
        fn main(out: Console) { out.print(\"{same(Shape.Nowhere, Shape.At(Point { x: 1, y: 2.0 }))}\") }";

    lists_in_patterns, false, ["f"], "
        fn f(xs: List<Int>) -> Int { match xs { [] => 0, [a] => a, [first, .., last] => first - last } }
        fn main(out: Console) { out.print(\"{f([1])}\") }";

    numbers_that_lie_close_are_switched_on, false, ["f"], "
        fn f(n: Int) -> Int { match n { 0 => 5, 1 => 6, 2 => 9, 3 => 1, 5 => 7, _ => 0 } }
        fn main(out: Console) { out.print(\"{f(1)}\") }";

    counted_loops_need_no_checks, true, ["total"], "
        fn total(xs: List<Int>) -> Int { var t = 0
            for i in 0..xs.len() { t += xs[i] }
            t }
        fn main(out: Console) { let kept = [total]
            out.print(\"{kept[0]([1, 2])}\") }";

    chains_of_iterators_are_one_loop, true, ["f"], "
        fn f(xs: List<Int>) -> Int { xs.map(|x| x * 2).filter(|x| x % 3 == 0).enumerate().map(|p| p.0 + p.1).sum() }
        fn main(out: Console) { let kept = [f]
            out.print(\"{kept[0]([1, 2])}\") }";

    records_that_stay_inside_are_locals, true, ["f"], "
        record Point { var x: Int, var y: Int }
        fn step(var p: Point, by: Int) { p.x = by
            p.y = p.x - by }
        fn f(n: Int) -> Int { var p = Point { x: n, y: 1 }
            while p.y < 100 { step(p, n) }
            p.x }
        fn main(out: Console) { let kept = [f]
            out.print(\"{kept[0](3)}\") }";

    closures_that_are_known_are_called_directly, true, ["f"], "
        fn twice(g: fn(Int) -> Int, x: Int) -> Int { g(g(x)) }
        fn f(a: Int) -> Int { var calls = 0
            let r = twice(|x| { calls = calls + 1
                x ^ a }, 5)
            r + calls }
        fn main(out: Console) { let kept = [f]
            out.print(\"{kept[0](3)}\") }";

    known_outcomes_are_not_decided_again, true, ["f"], "
        fn get(n: Int) -> Option<Int> { if n > 3 { Some(n & 7) } else { None } }
        fn check(n: Int) -> Result<Int, String> { match get(n) { Some(x) => Ok(x), None => Err(\"none\") } }
        fn f(n: Int) -> Int { match check(n) { Ok(x) => x, Err(_) => -1 } }
        fn main(out: Console) { let kept = [f]
            out.print(\"{kept[0](3)}\") }";

    what_does_not_change_is_loaded_before_a_loop, true, ["f"], "
        record Config { var scale: Int, var log: Int }
        fn f(c: Config, xs: List<Int>) -> Int { var t = 0
            for x in xs { t = t ^ x & c.scale }
            t }
        fn main(out: Console) { let kept = [f]
            out.print(\"{kept[0](Config { scale: 2, log: 1 }, [1])}\") }";

    calls_that_write_a_field_end_what_is_known_of_it, true, ["f"], "
        record Counter { var n: Int, var other: Int }
        fn bump(var c: Counter, depth: Int) { c.n = c.n ^ depth
            if depth > 0 { bump(c, depth - 1) } }
        fn f(var c: Counter) -> Int { let a = c.n ^ c.other
            bump(c, 3)
            a ^ c.n ^ c.other }
        fn main(out: Console) { let kept = [f]
            out.print(\"{kept[0](Counter { n: 1, other: 2 })}\") }";

    constants_are_made_once, true, ["f", "main.TABLE", "TABLE"], "
        const TABLE: List<Int> = [1, 2, 3, 4]
        const LIMIT: Int = 3
        fn f(i: Int) -> Int { if i < LIMIT { TABLE[i] } else { 0 } }
        fn main(out: Console) { let kept = [f]
            out.print(\"{kept[0](2)}\") }";
}
