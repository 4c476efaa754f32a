//! What runs cost in fuel, where references decide how code goes on: the same on all tiers, and only for what was reached.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU64, Ordering};

use pinfold_vm::api::{Config, Engine, Error, Linker, Module, Store, Tier, TrapKind, Val};

const TIERS: [Tier; 7] =
    [Tier::Interpreter, Tier::Jit, Tier::JitLazy, Tier::Auto, Tier::AlternateEven, Tier::AlternateOdd, Tier::EveryLoop];

/// Operators after a branch or call, which cost 40 where they are reached.
fn rest() -> String {
    "(drop (i32.const 1))".repeat(40)
}

/// What a call of `f` costs on every tier.
fn cost(text: &str, arg: i32) -> u64 {
    let mut costs = TIERS.map(|tier| {
        let engine = Engine::new(Config::new().tier(tier).consume_fuel(true)).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(1_000_000).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        // Ends in a trap where the callee traps.
        let _ = instance.get_func(&store, "f").unwrap().call(&mut store, &[Val::I32(arg)], &mut []);
        (tier, 1_000_000 - store.get_fuel().unwrap())
    });
    costs.sort_by_key(|(_, cost)| *cost);
    assert_eq!(costs[0].1, costs[costs.len() - 1].1, "{costs:?}\n{text}");
    costs[0].1
}

#[test]
fn fuel_that_nobody_counts_is_neither_set_nor_left() {
    let mut store = Store::new(&Engine::default(), ());
    assert!(matches!(store.set_fuel(1), Err(Error::FuelNotCounted)));
    assert!(matches!(store.get_fuel(), Err(Error::FuelNotCounted)));
    let mut store = Store::new(&Engine::new(Config::new().consume_fuel(true)).unwrap(), ());
    assert_eq!(store.get_fuel().unwrap(), i64::MAX as u64);
    store.set_fuel(7).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 7);
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

/// How many calls of the host, and whether the run was out of fuel, with this much fuel on each tier: the same.
fn calls(text: &str, fuel: u64) -> (u64, bool) {
    let mut seen = TIERS.map(|tier| {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let engine = Engine::new(Config::new().tier(tier).consume_fuel(true)).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(fuel).unwrap();
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap("host", "call", || {
                CALLS.fetch_add(1, Ordering::Relaxed);
            })
            .unwrap();
        let before = CALLS.load(Ordering::Relaxed);
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let end = instance.get_func(&store, "f").unwrap().call(&mut store, &[], &mut []);
        let is_out = end.is_err_and(|error| error.trap().is_some_and(|trap| trap.kind == TrapKind::OutOfFuel));
        assert!(!is_out || store.get_fuel().unwrap() == 0, "{tier:?}");
        (tier, CALLS.load(Ordering::Relaxed) - before, is_out)
    });
    seen.sort_by_key(|(_, calls, is_out)| (*calls, *is_out));
    let [(_, calls, is_out), .., (_, last, last_is_out)] = seen;
    assert_eq!((calls, is_out), (last, last_is_out), "{seen:?}");
    (calls, is_out)
}

#[test]
fn what_is_out_of_fuel_calls_nobody_and_does_not_end_well() {
    let nothing = r#"(import "host" "call" (func $call))"#;
    let straight = format!(r#"(module {nothing} (func (export "f") {}))"#, "(call $call)".repeat(5));
    for (fuel, expected) in [(0, (0, true)), (1, (1, true)), (4, (4, true)), (5, (5, false))] {
        assert_eq!(calls(&straight, fuel), expected, "{fuel}");
    }
    let quiet = format!(r#"(module {nothing} (func (export "f") {}))"#, rest());
    assert_eq!(calls(&quiet, 39), (0, true));
    assert_eq!(calls(&quiet, 40), (0, false));
    let turns = format!(r#"(module {nothing} (func (export "f") (loop (block) (br 0))))"#);
    assert_eq!(calls(&turns, 1_000), (0, true));
}
