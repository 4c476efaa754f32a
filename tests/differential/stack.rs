//! Whether the interpreter's handlers jump to one another: one that calls the next leaves its frame on the native
//! stack, and a host function that is called after it stands at another address than one called before.
//!
//! That tells of the build that the test is. Of other builds, a release say, modules tell that are written to the folder which
//! `PINFOLD_STACK_LOOPS` in the environment names, for `tests/loops`: each runs its operators so often that any frame left would be one too many.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use pinfold_vm::api::{Config, Engine, Linker, Module, Store, Tier, ValType};

use wasmparser::{Operator, Parser, Payload};

use crate::coverage::{Entry, scope};
use crate::forms;
use crate::operators::{immediates, signature, special};
use crate::random::Random;

use ValType::{F32, F64, I32, I64, V128};

/// An operand in a local, in the instruction, and as the result of the instruction before.
fn operands(ty: ValType) -> [&'static str; 3] {
    match ty {
        I32 => ["(local.get $i32)", "(i32.const 1)", "(i32.or (local.get $i32) (i32.const 1))"],
        I64 => ["(local.get $i64)", "(i64.const 1)", "(i64.or (local.get $i64) (i64.const 1))"],
        F32 => ["(local.get $f32)", "(f32.const 1)", "(f32.abs (local.get $f32))"],
        F64 => ["(local.get $f64)", "(f64.const 1)", "(f64.abs (local.get $f64))"],
        _ => ["(local.get $v128)", "(v128.const i64x2 1 1)", "(v128.not (local.get $v128))"],
    }
}

/// Ways to use a result: assigned, taken by the next instruction, and deciding.
fn uses(ty: ValType) -> &'static [(&'static str, &'static str)] {
    match ty {
        I32 => &[
            ("(local.set $to_i32 ", ")"),
            ("(local.set $to_i32 (i32.mul (local.get $i32) ", "))"),
            ("(if ", "(then (local.set $to_i32 (i32.const 2))))"),
            ("(block (br_if 0 ", ") (local.set $to_i32 (i32.const 3)))"),
            ("(local.set $to_i64 (select (local.get $i64) (i64.const 4) ", "))"),
        ],
        I64 => &[("(local.set $to_i64 ", ")"), ("(local.set $to_i64 (i64.mul (local.get $i64) ", "))")],
        F32 => &[("(local.set $to_f32 ", ")"), ("(local.set $to_f32 (f32.mul (local.get $f32) ", "))")],
        F64 => &[("(local.set $to_f64 ", ")"), ("(local.set $to_f64 (f64.mul (local.get $f64) ", "))")],
        _ => &[("(local.set $to_v128 ", ")"), ("(local.set $to_v128 (v128.and (local.get $v128) ", "))")],
    }
}

/// Types of the operands and of the result of a load or store by addresses of a type.
fn access(name: &str, address: ValType) -> (Vec<ValType>, Option<ValType>) {
    let ty = match name.split('.').next() {
        Some("i32") => I32,
        Some("i64") => I64,
        Some("f32") => F32,
        Some("f64") => F64,
        _ => V128,
    };
    match (name.contains("store"), name.contains("lane")) {
        (true, _) => (vec![address, ty], None),
        (false, true) => (vec![address, V128], Some(V128)),
        (false, false) => (vec![address], Some(ty)),
    }
}

/// Every form of an operator, with a call of the host after each.
fn body(entry: &Entry, random: &mut Random) -> Option<String> {
    let mut text = String::new();
    if entry.immediates.contains(&"memarg") {
        let lane = if entry.name.contains("lane") { "0" } else { "" };
        for (memory, address) in [("$narrow", I32), ("$wide", I64)] {
            let (types, result) = access(&entry.name, address);
            forms(&mut text, &format!("{} {memory} {lane}", entry.name), &types, result);
        }
    } else if special(&entry.name).is_none() && !entry.about_objects {
        let (types, result) = signature(entry);
        forms(&mut text, &format!("{} {}", entry.name, immediates(entry, random)), &types, Some(result));
    }
    (!text.is_empty()).then_some(text)
}

fn forms(text: &mut String, head: &str, types: &[ValType], result: Option<ValType>) {
    for form in 0..3_usize.pow(types.len() as u32) {
        let mut operator = format!("({head}");
        for (i, ty) in types.iter().enumerate() {
            operator += operands(*ty)[form / 3_usize.pow(i as u32) % 3];
        }
        operator.push(')');
        let ways = result.map_or(&[("", "")][..], uses);
        for (before, after) in ways {
            let _ = writeln!(text, "{before}{operator}{after} (call $here)");
        }
    }
}

macro_rules! define {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        /// All operators that there are, each with its proposal.
        fn all_operators() -> Vec<(&'static str, &'static str)> {
            vec![$((stringify!($op), stringify!($proposal))),*]
        }

        fn operator_name(op: &Operator<'_>) -> &'static str {
            match op {
                $(Operator::$op { .. } => stringify!($op),)*
                _ => "unknown",
            }
        }
    };
}

wasmparser::for_each_operator!(define);

/// What WebAssembly 3.0 consists of.
const STANDARD: [&str; 11] = [
    "mvp",
    "sign_extension",
    "saturating_float_to_int",
    "bulk_memory",
    "reference_types",
    "tail_call",
    "simd",
    "relaxed_simd",
    "exceptions",
    "function_references",
    "gc",
];

/// Notes the operators in a module's bodies.
fn note(bytes: &[u8], tried: &mut HashSet<&'static str>) {
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(Payload::CodeSectionEntry(body)) = payload else { continue };
        let operators = body.get_operators_reader().unwrap();
        tried.extend(operators.into_iter().map(|op| operator_name(&op.unwrap())));
    }
}

#[test]
fn no_handler_leaves_anything_on_the_native_stack() {
    let engine = Engine::new(Config::new().tier(Tier::Interpreter)).unwrap();
    let mut random = Random::new(0);
    let (mut operators, mut places) = (0, 0);
    let (mut leaks, mut tried) = (Vec::new(), HashSet::new());
    for entry in scope() {
        let Some(body) = body(&entry, &mut random) else { continue };
        // Which memory is the first makes a difference to accesses.
        let orders: &[bool] = if entry.immediates.contains(&"memarg") { &[false, true] } else { &[false] };
        operators += 1;
        for wide in orders {
            let memories = match wide {
                false => "(memory $narrow 1) (memory $wide i64 1)",
                true => "(memory $wide i64 1) (memory $narrow 1)",
            };
            let seen = run(&engine, memories, "", &body, &mut tried);
            if let Some(form) = seen.iter().position(|at| *at != seen[0]) {
                leaks.push(format!("{}, form {form}: {} bytes", entry.name, seen[0].abs_diff(seen[form])));
            }
            places += seen.len();
        }
    }
    let memories = "(memory $narrow 1) (memory $wide_memory i64 1)";
    let surroundings = format!("{memories} {}", forms::SURROUNDINGS);
    let seen = run(&engine, &surroundings, forms::LOCALS, &forms::statements("(call $here)"), &mut tried);
    let left = seen.iter().position(|at| *at != seen[0]);
    leaks.extend(left.map(|form| format!("statement {form}: {} bytes", seen[0].abs_diff(seen[form]))));
    places += seen.len();
    let standard = all_operators().into_iter().filter(|(_, proposal)| STANDARD.contains(proposal));
    // Valid with one type only, and then the other.
    let missing: Vec<_> =
        standard.map(|(op, _)| op).filter(|op| *op != "TypedSelectMulti" && !tried.contains(op)).collect();
    assert!(missing.is_empty(), "these are not tried: {missing:?}");
    println!("{operators} operators in {places} forms leave the native stack as it was");
    assert!(leaks.is_empty(), "these leave something: {leaks:#?}");
    assert!(operators > 350, "only {operators} operators were tried");
}

/// How often a loop runs its body: two words left each time are more than the mebibyte of stack that a guest has.
const TURNS: u32 = 100_000;

/// Writes the same body as a program that runs it in a loop.
fn write_loop(folder: &Path, surroundings: &str, body: &str) {
    let text = format!(
        r#"(module (func $here) {surroundings}
            (func (export "_start")
                (local $i32 i32) (local $i64 i64) (local $f32 f32) (local $f64 f64) (local $v128 v128) (local $turns i32)
                (local $to_i32 i32) (local $to_i64 i64) (local $to_f32 f32) (local $to_f64 f64) (local $to_v128 v128)
                (local.set $i32 (i32.const 1)) (local.set $i64 (i64.const 1))
                (local.set $f32 (f32.const 1)) (local.set $f64 (f64.const 1))
                (loop $again {body}
                    (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $turns) (i32.const {TURNS}))))))"#
    );
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    std::fs::create_dir_all(folder).unwrap();
    let name = format!("{:03}.wasm", WRITTEN.fetch_add(1, Ordering::Relaxed));
    std::fs::write(folder.join(name), wat::parse_str(&text).unwrap()).unwrap();
}

/// Where the host's frames stood at the calls in a body.
fn run(engine: &Engine, surroundings: &str, locals: &str, body: &str, tried: &mut HashSet<&'static str>) -> Vec<usize> {
    let text = format!(
        r#"(module (import "host" "here" (func $here)) {surroundings}
            (func (export "run")
                (local $i32 i32) (local $i64 i64) (local $f32 f32) (local $f64 f64) (local $v128 v128)
                (local $to_i32 i32) (local $to_i64 i64) (local $to_f32 f32) (local $to_f64 f64) (local $to_v128 v128) {locals}
                (local.set $i32 (i32.const 1)) (local.set $i64 (i64.const 1))
                (local.set $f32 (f32.const 1)) (local.set $f64 (f64.const 1))
                (call $here) {body}))"#
    );
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    // Statements cannot be run again: what they change decides where they go.
    if let Some(folder) = std::env::var_os("PINFOLD_STACK_LOOPS").filter(|_| locals.is_empty()) {
        write_loop(Path::new(&folder), surroundings, body);
    }
    note(&bytes, tried);
    let module = Module::new(engine, bytes).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut linker = Linker::new(engine);
    let record = Arc::clone(&seen);
    linker
        .func_wrap("host", "here", move || {
            let local = 0_u8;
            record.lock().unwrap().push(std::hint::black_box(&raw const local) as usize);
        })
        .unwrap();
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    instance.get_typed_func::<(), ()>(&store, "run").unwrap().call(&mut store, ()).unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}
