//! Arrays of all kinds of elements and of many lengths: what compiled code does inline for short ones and leaves to the runtime for long
//! ones is the same, in results, traps and fuel, also where every allocation collects.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;

use pinfold_vm::api::{Config, Engine, Instance, Linker, Module, Store, Tier, TrapKind, Val};
use pinfold_vm::heap::Checks;

const TIERS: [Tier; 6] =
    [Tier::Interpreter, Tier::Jit, Tier::JitLazy, Tier::AlternateEven, Tier::AlternateOdd, Tier::EveryLoop];
const CHECKED: Checks = Checks { every_allocation: true, poison: true, verify: true, timed: false };

/// Elements of the arrays that are filled and copied.
const LEN: i32 = 150;
/// Lengths at which another way of doing it begins, and their neighbours.
const LENGTHS: [i32; 21] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 21, 31, 32, 33, 63, 64, 65, 128, 129];

/// A kind of element: its type, its value made of `$n`, and the number made of it.
struct Kind {
    ty: &'static str,
    get: &'static str,
    value: &'static str,
    number: &'static str,
}

const KINDS: [Kind; 9] = [
    Kind { ty: "i8", get: "array.get_u", value: "(local.get $n)", number: "" },
    Kind { ty: "i16", get: "array.get_s", value: "(local.get $n)", number: "" },
    Kind { ty: "i32", get: "array.get", value: "(local.get $n)", number: "" },
    Kind { ty: "i64", get: "array.get", value: "(i64.extend_i32_s (local.get $n))", number: "(i32.wrap_i64)" },
    Kind { ty: "f32", get: "array.get", value: "(f32.convert_i32_s (local.get $n))", number: "(i32.reinterpret_f32)" },
    Kind { ty: "f64", get: "array.get", value: "(f64.convert_i32_s (local.get $n))", number: "(i32.trunc_sat_f64_s)" },
    Kind { ty: "v128", get: "array.get", value: "(i32x4.splat (local.get $n))", number: "(i32x4.extract_lane 3)" },
    Kind {
        ty: "(ref null $box)",
        get: "array.get",
        value: "(struct.new $box (local.get $n))",
        number: "(call $unbox)",
    },
    Kind {
        ty: "(ref null $number)",
        get: "array.get",
        value: "(select (result (ref $number)) (ref.func $even) (ref.func $odd) (i32.and (local.get $n) (i32.const 1)))",
        number: "(call $called)",
    },
];

/// A module that does everything with arrays of a kind, with lengths that it is told and with those that it knows.
fn text(kind: &Kind) -> String {
    let Kind { ty, get, value, number } = kind;
    let mut text = format!(
        r#"(module
        (type $box (struct (field i32)))
        (type $number (func (result i32)))
        (type $a (array (mut {ty})))
        (elem declare func $even $odd)
        (func $even (result i32) (i32.const 1000))
        (func $odd (result i32) (i32.const 1001))
        (func $unbox (param (ref null $box)) (result i32)
            (block $null (return (struct.get $box 0 (br_on_null $null (local.get 0)))))
            (i32.const -7))
        (func $called (param (ref null $number)) (result i32)
            (block $null (return (call_ref $number (br_on_null $null (local.get 0)))))
            (i32.const -7))
        (func $hash (param $a (ref $a)) (result i32) (local $i i32) (local $hash i32)
            ;; Where all is looked at, this sees what a barrier forgot.
            (drop (struct.new $box (i32.const 0)))
            (local.set $hash (array.len (local.get $a)))
            (block $end
                (loop $next
                    (br_if $end (i32.ge_u (local.get $i) (array.len (local.get $a))))
                    (local.set $hash
                        (i32.add (i32.mul (local.get $hash) (i32.const 31))
                            {number_of_element}))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br $next)))
            (local.get $hash))
        ;; Elements from $n on, upwards.
        (func $filled (param $n i32) (result (ref $a)) (local $a (ref $a)) (local $i i32)
            (local.set $a (array.new_default $a (i32.const {LEN})))
            (loop $next
                (array.set $a (local.get $a) (local.get $i) {value})
                (local.set $n (i32.add (local.get $n) (i32.const 3)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $i) (i32.const {LEN}))))
            (local.get $a))
        (func $null (result (ref null $a)) (ref.null $a))
        (func (export "null") (param $len i32)
            (array.copy $a $a (call $null) (i32.const 0) (call $filled (i32.const 0)) (i32.const 1000) (local.get $len)))
        (func (export "null_short")
            (array.copy $a $a (call $filled (i32.const 0)) (i32.const 0) (call $null) (i32.const 0) (i32.const 3)))
        (func (export "null_fill") (param $n i32)
            (array.fill $a (call $null) (i32.const 0) {value} (local.get $n)))
        "#,
        number_of_element = format_args!("({get} $a (local.get $a) (local.get $i)) {number}"),
    );
    let mut with_length = |name: &str, len: &str, param: &str| {
        let _ = write!(
            text,
            r#"
        (func (export "default_{name}") (param $unused i32) {param} (result i32)
            (call $hash (array.new_default $a {len})))
        (func (export "new_{name}") (param $n i32) {param} (result i32)
            (call $hash (array.new $a {value} {len})))
        (func (export "fill_{name}") (param $at i32) {param} (result i32) (local $a (ref $a)) (local $n i32)
            (local.set $a (call $filled (i32.const 5)))
            (local.set $n (i32.const 77))
            (array.fill $a (local.get $a) (local.get $at) {value} {len})
            (call $hash (local.get $a)))
        (func (export "copy_{name}") (param $to i32) (param $from i32) {param} (result i32)
            (local $a (ref $a)) (local $b (ref $a))
            (local.set $a (call $filled (i32.const 9)))
            (local.set $b (call $filled (i32.const 1000)))
            (array.copy $a $a (local.get $a) (local.get $to) (local.get $b) (local.get $from) {len})
            (i32.xor (call $hash (local.get $a)) (call $hash (local.get $b))))
        (func (export "slide_{name}") (param $to i32) (param $from i32) {param} (result i32) (local $a (ref $a))
            (local.set $a (call $filled (i32.const 9)))
            (array.copy $a $a (local.get $a) (local.get $to) (local.get $a) (local.get $from) {len})
            (call $hash (local.get $a)))"#
        );
    };
    with_length("any", "(local.get $len)", "(param $len i32)");
    for len in LENGTHS {
        with_length(&len.to_string(), &format!("(i32.const {len})"), "");
    }
    let fixed: Vec<String> = [1, 5, 30]
        .map(|count| {
            let values = value.repeat(count);
            format!(r#"(func (export "fixed_{count}") (param $n i32) (result i32) (call $hash (array.new_fixed $a {count} {values})))"#)
        })
        .into();
    text + &fixed.join("\n") + ")"
}

/// What a call came to, and the fuel that it took.
type Answer = (Result<Vec<i32>, TrapKind>, u64);

fn call(store: &mut Store<()>, instance: Instance, name: &str, args: &[i32]) -> Answer {
    store.set_fuel(1 << 40).unwrap();
    let func = instance.get_func(&*store, name).unwrap();
    let args: Vec<Val> = args.iter().map(|arg| Val::I32(*arg)).collect();
    let mut results = vec![Val::I32(0); func.ty(&*store).unwrap().results().len()];
    let outcome = func.call(&mut *store, &args, &mut results);
    let numbers = outcome.map_err(|error| error.trap().unwrap().kind).map(|()| {
        let number = |value| if let Val::I32(number) = value { number } else { panic!("no number") };
        results.into_iter().map(number).collect()
    });
    (numbers, (1 << 40) - store.get_fuel().unwrap())
}

/// All calls of a module, by name and arguments. Each way to say a length gives the same.
fn answers(store: &mut Store<()>, instance: Instance) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    let mut note = |name: &str, args: &[i32]| {
        let answer = call(store, instance, name, args);
        answers.push((format!("{name}{args:?}"), answer.clone()));
        answer.0
    };
    for len in LENGTHS {
        for (name, args) in [
            ("default", vec![0]),
            ("new", vec![-3]),
            ("fill", vec![2]),
            ("fill", vec![LEN - len]),
            ("fill", vec![LEN - len + 1]),
            ("copy", vec![3, 11]),
            ("copy", vec![LEN - len, 0]),
            ("copy", vec![0, LEN - len + 1]),
            ("copy", vec![-1, 0]),
            ("slide", vec![1, 0]),
            ("slide", vec![4, 5]),
        ] {
            let constant = note(&format!("{name}_{len}"), &args);
            let dynamic = note(&format!("{name}_any"), &[&args[..], &[len]].concat());
            assert_eq!(constant, dynamic, "{name} {args:?}, {len} elements");
        }
    }
    for (name, args) in [
        ("null", &[0][..]),
        ("null", &[1 << 30]),
        ("null_short", &[]),
        ("null_fill", &[1]),
        ("fixed_1", &[4]),
        ("fixed_5", &[4]),
        ("fixed_30", &[4]),
        ("copy_any", &[0, 0, -1]),
        ("fill_any", &[1, -1]),
        ("fill_any", &[-1, 1]),
        ("new_any", &[1, 300]),
        ("default_any", &[0, 40_000]),
    ] {
        let _ = note(name, args);
    }
    answers
}

fn run(kind: &Kind, tier: Tier, checks: Checks) -> Vec<(String, Answer)> {
    let engine = Engine::new(Config::new().tier(tier).consume_fuel(true).heap_checks(checks)).unwrap();
    let module = Module::new(&engine, wat::parse_str(text(kind)).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    answers(&mut store, instance)
}

#[test]
fn arrays_of_all_lengths_are_the_same_on_either_tier() {
    for kind in &KINDS {
        let expected = run(kind, Tier::Interpreter, Checks::default());
        let traps = expected.iter().filter(|(_, (outcome, _))| outcome.is_err()).count();
        assert!(traps > 20 && traps < expected.len() / 2, "{}: {traps} traps", kind.ty);
        for tier in &TIERS[1..] {
            let found = run(kind, *tier, Checks::default());
            for (expected, found) in expected.iter().zip(&found) {
                assert_eq!(expected, found, "arrays of {}, {tier:?}", kind.ty);
            }
        }
    }
}

#[test]
fn arrays_of_references_survive_collections_at_every_allocation() {
    for kind in KINDS.iter().filter(|kind| ["i8", "v128", "(ref null $box)"].contains(&kind.ty)) {
        let expected = run(kind, Tier::Interpreter, Checks::default());
        for tier in [Tier::Interpreter, Tier::Jit] {
            let found = run(kind, tier, CHECKED);
            for (expected, found) in expected.iter().zip(&found) {
                assert_eq!(expected, found, "arrays of {}, {tier:?}", kind.ty);
            }
        }
    }
}

#[test]
fn bytes_are_where_a_model_of_the_copy_has_them() {
    let engine = Engine::new(Config::new().tier(Tier::Jit).consume_fuel(true)).unwrap();
    let module = Module::new(&engine, wat::parse_str(text(&KINDS[0])).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    for len in LENGTHS {
        for (to, from) in [(0, 1), (1, 0), (5, 0), (0, 13), (LEN - len, 0), (0, LEN - len)] {
            let mut bytes: Vec<u8> = (0..LEN).map(|at| (9 + 3 * at) as u8).collect();
            if from + len <= LEN && to + len <= LEN {
                bytes.copy_within(from as usize..(from + len) as usize, to as usize);
                let hash = bytes.iter().fold(LEN, |hash, byte| hash.wrapping_mul(31).wrapping_add((*byte).into()));
                let found = call(&mut store, instance, &format!("slide_{len}"), &[to, from]);
                assert_eq!(found.0, Ok(vec![hash]), "{len} bytes from {from} to {to}");
            }
        }
    }
}
