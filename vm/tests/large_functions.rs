//! Functions that are out of all proportion to their size: they run, in the interpreter, and cost no more than that.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::time::Instant;

use pinfold_vm::api::{Config, Engine, Linker, Module, Store, Tier};

/// What all of them have around them. `small` is compiled, whatever the other is.
fn module(hostile: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (type $s (struct (field i32)))
            (func $here (param (ref null $s)))
            (func $hostile (param $it (ref $s)) (result i32) {hostile})
            (func (export "small") (param i32) (result i32)
                (i32.add (call $hostile (struct.new $s (local.get 0))) (i32.const 1))))"#
    );
    wat::parse_str(&text).unwrap()
}

/// Runs it on both tiers, within a time that no compilation of everything would keep.
fn run(hostile: &str) {
    let bytes = module(hostile);
    for tier in [Tier::Interpreter, Tier::Jit] {
        let start = Instant::now();
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let module = Module::new(&engine, bytes.as_slice()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let small = instance.get_typed_func::<(i32,), i32>(&store, "small").unwrap();
        assert_eq!(small.call(&mut store, (41,)).unwrap(), 42, "{tier:?}");
        let took = start.elapsed();
        assert!(took.as_secs() < 60, "{tier:?} took {took:?}");
    }
}

#[test]
fn very_many_live_references_at_very_many_calls() {
    let mut text = String::from("(local");
    text += &" (ref null $s)".repeat(20_000);
    text.push(')');
    text += &"(call $here (local.get $it))".repeat(20_000);
    for local in 1..=20_000 {
        let _ = write!(text, "(drop (local.get {local}))");
    }
    run(&format!("{text} (struct.get $s 0 (local.get $it))"));
}

#[test]
fn very_many_references_among_operands_at_very_many_calls() {
    let text =
        "(local.get $it)".repeat(20_000) + &"(call $here (local.get $it))".repeat(20_000) + &"(drop)".repeat(20_000);
    run(&format!("{text} (struct.get $s 0 (local.get $it))"));
}

#[test]
fn very_many_locals_and_blocks_that_all_differ_in_what_is_live() {
    let mut text = String::from("(local");
    text += &" (ref null $s)".repeat(40_000);
    text.push(')');
    for local in 1..=40_000 {
        let _ = write!(text, "(block (br_if 0 (i32.const 0)) (drop (local.get {local})) (call $here (local.get $it)))");
    }
    run(&format!("{text} (struct.get $s 0 (local.get $it))"));
}

#[test]
fn a_nest_of_blocks_as_deep_as_may_be_with_a_local_for_each() {
    let mut text = String::from("(local");
    text += &" (ref null $s)".repeat(40_000);
    text.push(')');
    text += &"(block ".repeat(900);
    for local in 1..=40_000 {
        let _ = write!(
            text,
            "(drop (local.get {local})) (call $here (local.get $it)) (br_if {} (i32.const 0))",
            local % 900
        );
    }
    text += &")".repeat(900);
    run(&format!("{text} (struct.get $s 0 (local.get $it))"));
}
