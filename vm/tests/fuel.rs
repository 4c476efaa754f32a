//! What runs cost in fuel, where references decide how code goes on: the same on all tiers, and only for what was reached.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{Config, Engine, Linker, Module, Store, Tier, Val};

const TIERS: [Tier; 7] =
    [Tier::Interpreter, Tier::Jit, Tier::JitLazy, Tier::Auto, Tier::AlternateEven, Tier::AlternateOdd, Tier::EveryLoop];

/// Operators after a branch or call, which cost 40 where they are reached.
fn rest() -> String {
    "(drop (i32.const 1))".repeat(40)
}

/// What a call of `f` costs on every tier.
fn cost(text: &str, arg: i32) -> u64 {
    let mut costs = TIERS.map(|tier| {
        let engine = Engine::new(Config::new().tier(tier).fuel(true));
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(1_000_000);
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        // Ends in a trap where the callee traps.
        let _ = instance.get_func(&store, "f").unwrap().call(&mut store, &[Val::I32(arg)], &mut []);
        (tier, 1_000_000 - store.fuel())
    });
    costs.sort_by_key(|(_, cost)| *cost);
    assert_eq!(costs[0].1, costs[costs.len() - 1].1, "{costs:?}\n{text}");
    costs[0].1
}

#[test]
fn a_branch_on_a_reference_spares_what_it_skips() {
    let rest = rest();
    let small = "(ref.i31 (i32.const 5))";
    for (branch, takes_null) in [
        (format!("(block $out (drop (br_on_null $out (local.get $it))) {rest})"), true),
        (
            format!(
                "(drop (block $out (result (ref any)) (br_on_non_null $out (local.get $it)) {rest} (br $done (local.get 0))))"
            ),
            false,
        ),
        (
            format!("(drop (block $out (result anyref) (br_on_cast $out anyref (ref i31) (local.get $it)) {rest}))"),
            false,
        ),
        (
            format!(
                "(drop (block $out (result anyref) (br_on_cast_fail $out anyref (ref i31) (local.get $it)) {rest}))"
            ),
            true,
        ),
    ] {
        let text = format!(
            r#"(module (func (export "f") (param i32) (local $it anyref)
                (if (local.get 0) (then (local.set $it {small})))
                (drop (block $done (result i32) {branch} (i32.const 0)))))"#
        );
        let (null, some) = (cost(&text, 0), cost(&text, 1));
        let (taken, not) = if takes_null { (null + 2, some) } else { (some, null + 2) };
        assert!((38..=42).contains(&not.saturating_sub(taken)), "{branch}: {taken} and {not}");
    }
}

#[test]
fn a_call_by_reference_that_ends_in_a_trap_spares_what_comes_after_it() {
    for call in [
        "(call_ref $t (local.get 0) (ref.func $callee))",
        "(call_indirect (type $t) (local.get 0) (i32.const 0))",
        "(call $callee (local.get 0))",
    ] {
        let text = format!(
            r#"(module
                (type $t (func (param i32)))
                (table 1 funcref)
                (elem (i32.const 0) $callee)
                (func $callee (type $t) (if (i32.eqz (local.get 0)) (then (unreachable))))
                (func (export "f") (param i32) {call} {}))"#,
            rest()
        );
        assert_eq!(cost(&text, 1) - cost(&text, 0), 40, "{call}");
    }
}

#[test]
fn a_tail_call_by_reference_costs_the_same_everywhere() {
    let text = r#"(module
        (type $t (func (param i32)))
        (elem declare func $f)
        (func $f (export "f") (type $t)
            (if (local.get 0) (then (return_call_ref $t (i32.sub (local.get 0) (i32.const 1)) (ref.func $f))))))"#;
    assert_eq!(cost(text, 100) - cost(text, 0), 100 * (cost(text, 1) - cost(text, 0)));
}
