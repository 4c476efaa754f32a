//! Modules that are about one operator each: functions that apply it to their parameters, to
//! constants, and with its result used in several ways. Every call runs the operator at least once,
//! so the number of calls is an exact lower bound of how often it ran.

use std::fmt::Write;

use crate::coverage::Entry;
use crate::objects;
use crate::random::Random;
use crate::value::Value;
use pinfold_vm::api::ValType;

use ValType::{F32, F64, I32, I64, V128};

/// Memories to act on, of which either may be the first.
const MEMORIES: [&str; 2] = [r#"(memory $narrow (export "narrow") 1 3)"#, r#"(memory $wide (export "wide") i64 1 3)"#];

/// What else surrounds every function: one more memory, tables, globals, functions and segments to act on.
const SURROUNDINGS: &str = r#"
    (type $binary (func (param i32 i32) (result i32)))
    (type $unary (func (param i64) (result i64)))
    (memory $second (export "second") 1 2)
    (data (memory $second) (i32.const 65500) "\00\7f\80\ffthe end of the second memory")
    (data (memory $wide) (i64.const 0) "\ff\fe\80\7f\02\01\00\00\00\c0\7f\00\00\80\3f\00\00\00\00\00\00\f0\3f")
    (data (memory $wide) (i64.const 65519) "at the wide end!!")
    (data (memory $narrow) (i32.const 0) "\00\01\02\7f\80\81\fe\ff\00\00\80\3f\00\00\c0\7f\00\00\80\ff\00\00\00\00\00\00\f0\3f")
    (data (memory $narrow) (i32.const 65520) "at the very end!")
    (data $passive "0123456789abcdefghijklmnopqrstuvwxyz")
    (table $functions (export "functions") 8 20 funcref)
    (table $others (export "others") 6 12 funcref)
    (table $values (export "values") 5 10 externref)
    (table $wide_functions (export "wide functions") i64 6 12 funcref)
    (table $wide_values (export "wide values") i64 4 9 externref)
    (elem (table $wide_functions) (i64.const 1) func $sub $square $add)
    (elem (table $functions) (i32.const 0) func $add $sub $add $square)
    (elem $passive_functions func $sub $square $add)
    (elem $unused funcref (ref.null func) (ref.func $add))
    (global $i32 (export "i32") (mut i32) (i32.const 7))
    (global $i64 (export "i64") (mut i64) (i64.const -7))
    (global $f32 (export "f32") (mut f32) (f32.const 0.5))
    (global $f64 (export "f64") (mut f64) (f64.const -0.5))
    (global $v128 (export "v128") (mut v128) (v128.const i64x2 1 -2))
    (global $externref (export "externref") (mut externref) (ref.null extern))
    (func $add (type $binary) local.get 0 local.get 1 i32.add)
    (func $sub (type $binary) local.get 0 local.get 1 i32.sub)
    (func $square (type $unary) local.get 0 local.get 0 i64.mul)
"#;

/// Tags, and functions that throw.
const THROWER: &str = r#"
    (tag $none (export "none"))
    (tag $many (export "many") (param i32 i64 f32 f64 v128 externref exnref))
    (tag $int (param i32))
    (tag $same (param i32))
    (global $exn (export "exn") (mut exnref) (ref.null exn))
    ;; By the low bits of its argument: returns, throws one of the tags, calls itself, or traps.
    (func $thrower (param i32) (result i32)
        (block $trap (block $again (block $same (block $int (block $many (block $none (block $return
            (br_table $return $none $many $int $same $again $trap (i32.and (local.get 0) (i32.const 7))))
            (return (local.get 0)))
            (throw $none))
            (throw $many (local.get 0) (i64.const -5) (f32.const 1.5) (f64.const -2.5) (v128.const i64x2 7 -9)
                (global.get $externref) (global.get $exn)))
            (throw $int (local.get 0)))
            (throw $same (i32.add (local.get 0) (i32.const 1))))
            (return (i32.add (i32.const 1) (call $thrower (i32.shr_u (local.get 0) (i32.const 3))))))
        (unreachable))
"#;

/// The text of a module about one operator. `canonical`: NaNs that it may make are made canonical. `wide`: the first memory is
/// one of 64 bits.
pub fn module(entry: &Entry, canonical: bool, wide: bool, random: &mut Random) -> String {
    let mut functions = match special(&entry.name).or_else(|| objects::special(&entry.name)) {
        Some(functions) => functions.iter().map(|text| (*text).to_owned()).collect(),
        None if entry.immediates.contains(&"memarg") => accesses(entry, canonical, random),
        None => values(entry, canonical, random),
    };
    let thrower = if entry.is_about_exceptions() { THROWER } else { "" };
    let (first, other) = if wide { (MEMORIES[1], MEMORIES[0]) } else { (MEMORIES[0], MEMORIES[1]) };
    let objects = if entry.about_objects { objects::SURROUNDINGS } else { "" };
    let mut text = format!("(module {first} {other} {SURROUNDINGS} {thrower} {objects}");
    for (i, function) in functions.drain(..).enumerate() {
        let _ = write!(text, "\n(func (export \"{i} {}\") {function})", entry.name);
    }
    text.push(')');
    text
}

fn lane_type(shape: &str) -> ValType {
    match shape {
        "i64x2" => I64,
        "f32x4" => F32,
        "f64x2" => F64,
        _ => I32,
    }
}

fn lanes(name: &str) -> usize {
    let shape = name.split('.').next().unwrap_or("");
    shape.split('x').nth(1).and_then(|n| n.parse().ok()).unwrap_or(1)
}

fn scalar(name: &str) -> Option<ValType> {
    Some(match name {
        "i32" => I32,
        "i64" => I64,
        "f32" => F32,
        "f64" => F64,
        "v128" => V128,
        _ => return None,
    })
}

/// Types of the operands and of the result of an operator on values, from its name.
pub fn signature(entry: &Entry) -> (Vec<ValType>, ValType) {
    let (prefix, rest) = entry.name.split_once('.').unwrap_or((&entry.name, ""));
    match scalar(prefix) {
        None | Some(V128) => {
            let lane = lane_type(prefix);
            match rest {
                "splat" => (vec![lane], V128),
                "replace_lane" => (vec![V128, lane], V128),
                "extract_lane" | "extract_lane_s" | "extract_lane_u" => (vec![V128], lane),
                "all_true" | "any_true" | "bitmask" => (vec![V128], I32),
                "shl" | "shr_s" | "shr_u" => (vec![V128, I32], V128),
                _ => (vec![V128; entry.operands], V128),
            }
        }
        Some(ty) => {
            let source = ["_i32", "_i64", "_f32", "_f64"].iter().find(|from| rest.contains(**from));
            if let Some(source) = source.and_then(|from| scalar(&from[1..])) {
                return (vec![source], ty);
            }
            let compares = ["eq", "ne", "lt", "gt", "le", "ge", "eqz"];
            let compares = compares.contains(&rest.split('_').next().unwrap_or(""));
            (vec![ty; entry.operands], if compares { I32 } else { ty })
        }
    }
}

/// Immediates of an operator, in the text format.
pub fn immediates(entry: &Entry, random: &mut Random) -> String {
    match entry.immediates.as_slice() {
        ["lane"] => random.below(lanes(&entry.name)).to_string(),
        ["lanes"] => (0..16).map(|_| random.below(32).to_string()).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

pub fn constant(value: Value) -> String {
    match value {
        Value::I32(v) => format!("(i32.const {v:#x})"),
        Value::I64(v) => format!("(i64.const {v:#x})"),
        Value::F32(v) => format!("(f32.reinterpret_i32 (i32.const {v:#x}))"),
        Value::F64(v) => format!("(f64.reinterpret_i64 (i64.const {v:#x}))"),
        Value::V128(v) => format!("(v128.const i64x2 {:#x} {:#x})", v as u64, (v >> 64) as u64),
        Value::Func(_) => "(ref.null func)".into(),
        Value::Extern(_) => "(ref.null extern)".into(),
        Value::Exn(_) => "(ref.null exn)".into(),
        Value::Any(..) => "(ref.null any)".into(),
    }
}

/// Whether an operator may make a NaN of its own, whose payload engines choose.
fn makes_nans(name: &str) -> bool {
    let (prefix, rest) = name.split_once('.').unwrap_or(("", ""));
    let exact = ["neg", "abs", "copysign", "reinterpret", "splat", "lane", "load", "const", "pmin", "pmax"];
    prefix.starts_with('f') && !exact.iter().any(|part| rest.contains(part))
}

/// Code that makes NaNs in `$result` canonical and returns it.
fn result(name: &str, ty: ValType, canonical: bool) -> String {
    if !(canonical && makes_nans(name)) {
        return "local.get $result".into();
    }
    let shape = name.split('.').next().unwrap_or("");
    match (ty, shape) {
        (F32, _) => "(select (local.get $result) (f32.const nan) (f32.eq (local.get $result) (local.get $result)))",
        (F64, _) => "(select (local.get $result) (f64.const nan) (f64.eq (local.get $result) (local.get $result)))",
        (V128, "f32x4") => {
            "(v128.bitselect (local.get $result) (v128.const f32x4 nan nan nan nan) \
             (f32x4.eq (local.get $result) (local.get $result)))"
        }
        (V128, "f64x2") => {
            "(v128.bitselect (local.get $result) (v128.const f64x2 nan nan) \
             (f64x2.eq (local.get $result) (local.get $result)))"
        }
        _ => "local.get $result",
    }
    .into()
}

fn params(types: &[ValType]) -> String {
    types.iter().map(|ty| format!("(param {ty})")).collect()
}

/// Functions about an operator from values to a value.
fn values(entry: &Entry, canonical: bool, random: &mut Random) -> Vec<String> {
    let name = &entry.name;
    let (types, out) = signature(entry);
    let locals: Vec<String> = (0..types.len()).map(|i| format!("(local.get {i})")).collect();
    let finish = result(name, out, canonical);
    let head = format!("{} (result {out}) (local $result {out})", params(&types));
    let mut functions = Vec::new();
    let apply = |operands: &[String], random: &mut Random| {
        format!("({name} {} {})", immediates(entry, random), operands.join(" "))
    };
    // On parameters; twice where the immediates differ.
    for _ in 0..if entry.immediates.is_empty() { 1 } else { 6 } {
        functions.push(format!("{head} {} local.set $result {finish}", apply(&locals, random)));
    }
    // Each operand constant in turn, a few times; then all of them.
    for constant_at in 0..types.len() {
        for _ in 0..3 {
            let mut operands = locals.clone();
            operands[constant_at] = constant(Value::random(types[constant_at], random));
            functions.push(format!("{head} {} local.set $result {finish}", apply(&operands, random)));
        }
    }
    for _ in 0..2 {
        let operands: Vec<String> = types.iter().map(|ty| constant(Value::random(*ty, random))).collect();
        functions.push(format!("{head} {} local.set $result {finish}", apply(&operands, random)));
    }
    // Both operands the same; an operand that is the result before.
    if types.len() == 2 && types[0] == types[1] {
        let operands = [locals[0].clone(), locals[0].clone()];
        functions.push(format!("{head} {} local.set $result {finish}", apply(&operands, random)));
        if out == types[0] && !(canonical && makes_nans(name)) {
            let inner = apply(&locals, random);
            functions.push(format!("{head} {} local.set $result {finish}", apply(&[inner, locals[1].clone()], random)));
        }
    }
    // Written to a local that is an operand, as loops do.
    if types.first() == Some(&out) {
        let finish = finish.replace("$result", "0");
        functions.push(format!("{head} {} local.set 0 {finish}", apply(&locals, random)));
    }
    if out == I32 {
        functions.extend(conditions(&params(&types), &apply(&locals, random), canonical));
        if let [.., last] = types.as_slice() {
            let mut operands = locals.clone();
            operands[types.len() - 1] = constant(Value::random(*last, random));
            functions.extend(conditions(&params(&types), &apply(&operands, random), canonical));
        }
    }
    functions
}

/// A condition, used in every way that control has. `peer`: wasmi runs it too.
fn conditions(params: &str, condition: &str, peer: bool) -> Vec<String> {
    let mut functions = vec![
        format!("{params} (result i64) (if (result i64) {condition} (then (i64.const 1)) (else (i64.const 2)))"),
        format!("{params} (result i32) (block (br_if 0 {condition}) (return (i32.const 5))) (i32.const 6)"),
        format!("{params} (result i32) (block (br_if 0 (i32.eqz {condition})) (return (i32.const 5))) (i32.const 6)"),
        format!("{params} (result i32) (i32.eqz {condition})"),
        format!(
            "{params} (result i32) (local $turns i32) \
             (loop (local.set $turns (i32.add (local.get $turns) (i32.const 1))) \
             (br_if 0 (i32.and {condition} (i32.lt_u (local.get $turns) (i32.const 4))))) (local.get $turns)"
        ),
    ];
    // wasmi 2.0.0 selects the wrong operand by an `i32.eqz`.
    if !(peer && condition.starts_with("(i32.eqz")) {
        functions.push(format!("{params} (result f64) (select (f64.const 1) (f64.const 2) {condition})"));
    }
    functions
}

/// Functions about a load or store.
fn accesses(entry: &Entry, canonical: bool, random: &mut Random) -> Vec<String> {
    let name = &entry.name;
    let prefix = name.split('.').next().unwrap_or("");
    let ty = scalar(prefix).unwrap_or(V128);
    let lane = if entry.immediates.contains(&"lane") {
        let bits: usize = name.chars().filter(char::is_ascii_digit).collect::<String>()[3..].parse().unwrap_or(8);
        Some(128 / bits)
    } else {
        None
    };
    let mut functions = Vec::new();
    let mut access = |memory: &str, at: ValType, offset: &str, address: &str, random: &mut Random| {
        let lane = lane.map_or(String::new(), |lanes| random.below(lanes).to_string());
        let value = if entry.operands == 2 { "(local.get 1)" } else { "" };
        let params = params(&[at, ty][..entry.operands]);
        let op = format!("({name} {memory} {offset} {lane} {address} {value})");
        functions.push(match entry.result {
            true => format!(
                "{params} (result {ty}) (local $result {ty}) {op} local.set $result {}",
                result(name, ty, canonical)
            ),
            false => format!("{params} {op}"),
        });
    };
    for (memory, at) in [("$narrow", I32), ("$second", I32), ("$wide", I64)] {
        for offset in OFFSETS.iter().chain(if at == I64 { WIDE_OFFSETS } else { &[] }) {
            access(memory, at, offset, "(local.get 0)", random);
        }
        for offset in &OFFSETS[..4] {
            for address in [
                format!("({at}.and (local.get 0) ({at}.const 0xffff))"),
                format!("({at}.add ({at}.and (local.get 0) ({at}.const 0xffff)) ({at}.const 13))"),
                format!("({at}.add (local.get 0) (local.get 0))"),
                format!("({at}.const 65521)"),
            ] {
                access(memory, at, offset, &address, random);
            }
        }
    }
    functions
}

/// Offsets of accesses; only the first few are for addresses that may be in bounds.
const OFFSETS: &[&str] =
    &["", "offset=1", "offset=17", "offset=65535", "offset=65536", "offset=0x7fffffff", "offset=4294967280"];

/// More of them, for 64-bit addresses.
const WIDE_OFFSETS: &[&str] =
    &["offset=0x100000000", "offset=0x7fffffffffffffff", "offset=0xffffffffffff0000", "offset=0xffffffffffffffff"];

/// Functions about the operators that shape control, name things, or act on tables and segments.
pub fn special(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "unreachable" => &["unreachable", "(param i32) (if (local.get 0) (then unreachable)) unreachable"],
        "nop" => &["nop", "(param i32) (result i32) nop local.get 0 nop"],
        "block" => &[
            "(param i32) (result i32) (block (result i32) (local.get 0))",
            "(param i32 i64) (result i32 i64) local.get 0 local.get 1 (block (param i32 i64) (result i32 i64))",
        ],
        "loop" => &[
            "(param i32) (result i32) (local i32) (loop (local.set 1 (i32.add (local.get 1) (i32.const 3))) \
             (br_if 0 (i32.lt_u (local.get 1) (i32.and (local.get 0) (i32.const 63))))) (local.get 1)",
            "(param i32 i64) (result i64) local.get 1 (loop (param i64) (result i64) i64.const 3 i64.mul)",
        ],
        "if" => &[
            "(param i32 i64) (result i64) (if (local.get 0) (then (local.set 1 (i64.const 8)))) (local.get 1)",
            "(param i64 i32) (result i64) local.get 0 local.get 1 (if (param i64) (result i64) (then i64.const 1 i64.add))",
        ],
        "else" => &[
            "(param i32) (result i32) (if (i32.const 1) (then (local.set 0 (i32.const 9))) (else)) (local.get 0)",
            "(param i32) (result i32 i32) (if (i32.or (local.get 0) (i32.const 1)) (then (local.set 0 (i32.const 1))) \
             (else (local.set 0 (i32.const 2)))) local.get 0 local.get 0",
        ],
        "end" => &["(block) (loop)", "(param i32) (result i32) (block (result i32) (local.get 0)) (block)"],
        "br" => &[
            "(param i32 i64) (result i32 i64) (block (result i32 i64) (br 0 (local.get 0) (local.get 1)))",
            "(param i32) (result i32) (block (block (block (br 2)) (unreachable)) (unreachable)) (local.get 0)",
        ],
        "br_if" => &[
            "(param i32 i64) (result i64) (block (result i64) (drop (br_if 0 (local.get 1) (local.get 0))) (i64.const 3))",
            "(param i32) (result i32) (br_if 0 (i32.const 4) (local.get 0)) drop i32.const 5",
        ],
        "br_table" => &[
            "(param i32) (result i32) (block (block (block (br_table 0 1 2 1 (local.get 0))) (return (i32.const 10))) \
             (return (i32.const 11))) (i32.const 12)",
            "(param i32 i64) (result i64) (block (result i64) (block (result i64) (br_table 0 1 0 (local.get 1) \
             (local.get 0))) i64.const 1 i64.add)",
            "(param i32) (result i32) (local $n i32) (loop (local.set $n (i32.add (local.get $n) (i32.const 1))) \
             (block (br_table 0 1 0 (i32.and (i32.lt_u (local.get $n) (i32.const 5)) (local.get 0))))) (local.get $n)",
        ],
        "return" => &[
            "(param i32 i64) (result i32 i64) (return (local.get 0) (local.get 1))",
            "(param i32) (result i32) i64.const 1 local.get 0 return",
        ],
        "try_table" => &[
            // One tag, taken or not.
            "(param i32) (result i32) (block (result i32) (try_table (result i32) (catch $int 0) (call $thrower (local.get 0))) \
             (return (i32.add (i32.const 100)))) (i32.mul (i32.const 3))",
            // The whole payload.
            "(param i32) (result i32 i64 f32 f64 v128 externref) \
             (block $many (result i32 i64 f32 f64 v128 externref exnref) (try_table (catch $many $many) \
             (drop (call $thrower (local.get 0)))) (return (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) \
             (v128.const i64x2 5 6) (ref.null extern))) (drop)",
            // Operands that wait below the label, from a local that changes meanwhile, from a constant, from a result.
            "(param i32) (result i32) (local $x i32) (local.set $x (local.get 0)) (local.get $x) (i32.const 7) \
             (i32.add (local.get 0) (i32.const 9)) \
             (block (try_table (catch_all 0) (local.set $x (i32.const 1)) (drop (call $thrower (local.get 0))) \
             (local.set $x (i32.const 2)))) (i32.add) (i32.xor) (i32.mul (local.get $x))",
            // Nests: the innermost that matches takes it, and of its clauses the first.
            "(param i32) (result i32) (block $a (block $b (block $c (result i32) (block $d (result i32) \
             (try_table (result i32) (catch $none $a) (catch $int $d) (catch_all $b) \
             (try_table (result i32) (catch $same $c) (catch $none $b) (call $thrower (local.get 0)))) \
             (return)) (return (i32.add (i32.const 1000)))) (return (i32.add (i32.const 2000)))) (return (i32.const 3000))) \
             (i32.const 4000)",
            // To a loop, until there is nothing left to throw.
            "(param i32) (result i32) (local $n i32) (loop $again (local.set 0 (i32.shr_u (local.get 0) (i32.const 3))) \
             (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $again (i32.and (i32.lt_u (local.get $n) (i32.const 9)) \
             (i32.eqz (block (result i32) (try_table (result i32) (catch_all $again) (call $thrower (local.get 0)))))))) \
             (local.get $n)",
            // Out of the function.
            "(param i32) (result i32) (try_table (catch $int 0) (catch $same 0) (drop (call $thrower (local.get 0)))) (i32.const -1)",
            // Not by a tail call, which leaves first.
            "(param i32) (result i32) (block (try_table (catch_all 0) (return_call $thrower (local.get 0)))) (i32.const -1)",
            // With parameters, left by a branch.
            "(param i32 i64) (result i64) (block $out (local.get 1) (try_table (param i64) (result i64) (catch_all $out) (drop) \
             (drop (call $thrower (local.get 0))) (br 0 (i64.const 4))) (return)) (i64.const 5)",
        ],
        "throw" => &[
            "(param i32) (throw $int (local.get 0))",
            "(param i32) (result i32) (block (result i32) (try_table (catch $int 0) (throw $int (local.get 0))) (unreachable))",
            "(param i32) (result i32) (block (result i32) (try_table (catch $same 0) (throw $int (local.get 0))) (unreachable))",
            "(param i64 f64 v128) (result i32 i64 f32 f64 v128 externref exnref) (block (result i32 i64 f32 f64 v128 externref exnref) \
             (try_table (catch $many 0) (throw $many (i32.const 1) (local.get 0) (f32.const 2) (local.get 1) (local.get 2) \
             (global.get $externref) (ref.null exn))) (unreachable))",
            "(param i32) (result i32) (block $out (try_table (catch_all $out) (if (local.get 0) (then (throw $none)))) \
             (return (i32.const 1))) (i32.const 2)",
        ],
        "throw_ref" => &[
            "(throw_ref (ref.null exn))",
            "(param i32) (throw_ref (block (result exnref) (try_table (catch_all_ref 0) (drop (call $thrower (local.get 0)))) (return)))",
            "(param i32) (result i32) (local $e exnref) (block $int (result i32) (try_table (result i32) (catch $int $int) \
             (local.set $e (block (result exnref) (try_table (catch_all_ref 0) (return (call $thrower (local.get 0)))) (unreachable))) \
             (throw_ref (local.get $e)))) (i32.add (i32.const 5))",
            "(param i32) (result i32) (local $e exnref) (block $int (result i32 exnref) (try_table (catch_ref $same $int) \
             (return (call $thrower (local.get 0)))) (unreachable)) (global.set $exn) (drop) \
             (block $again (result i32) (try_table (catch $same $again) (throw_ref (global.get $exn))) (unreachable))",
        ],
        "call" => &[
            "(param i32 i32) (result i32) (call $sub (local.get 0) (local.get 1))",
            "(param i64) (result i64) (call $square (call $square (local.get 0)))",
        ],
        "call_indirect" => &[
            "(param i32 i32 i64) (result i32) (call_indirect $wide_functions (type $binary) (local.get 0) (local.get 1) \
             (local.get 2))",
            "(param i32 i32 i64) (result i32) (call_indirect $wide_functions (type $binary) (local.get 0) (local.get 1) \
             (i64.and (local.get 2) (i64.const 7)))",
            "(param i32 i32 i32) (result i32) (call_indirect $functions (type $binary) (local.get 0) (local.get 1) \
             (local.get 2))",
            "(param i32 i32 i32) (result i32) (call_indirect $functions (type $binary) (local.get 0) (local.get 1) \
             (i32.and (local.get 2) (i32.const 7)))",
            "(param i64 i32) (result i64) (call_indirect $functions (type $unary) (local.get 0) (i32.const 3))",
        ],
        "return_call" => &[
            "(param i32 i32) (result i32) (return_call $sub (local.get 0) (local.get 1))",
            "(param i64) (result i64) (return_call $square (local.get 0))",
        ],
        "return_call_indirect" => &[
            "(param i32 i32 i64) (result i32) (return_call_indirect $wide_functions (type $binary) (local.get 0) \
             (local.get 1) (i64.and (local.get 2) (i64.const 7)))",
            "(param i64 i64) (result i64) (return_call_indirect $wide_functions (type $unary) (local.get 0) (i64.const 2))",
            "(param i32 i32 i32) (result i32) (return_call_indirect $functions (type $binary) (local.get 0) \
             (local.get 1) (i32.and (local.get 2) (i32.const 7)))",
            "(param i64 i32) (result i64) (return_call_indirect $functions (type $unary) (local.get 0) (i32.const 3))",
        ],
        "drop" => {
            &["(param i32) (drop (local.get 0))", "(param v128 f64) (result f64) local.get 1 (drop (local.get 0))"]
        }
        "select" => &[
            "(param i32 i32 i32) (result i32) (select (local.get 0) (local.get 1) (local.get 2))",
            "(param i64 i64 i32) (result i64) (select (local.get 0) (local.get 1) (local.get 2))",
            "(param f32 f32 i32) (result f32) (select (local.get 0) (local.get 1) (local.get 2))",
            "(param f64 f64 i32) (result f64) (select (local.get 0) (local.get 1) (local.get 2))",
            "(param v128 v128 i32) (result v128) (select (local.get 0) (local.get 1) (local.get 2))",
        ],
        "select (result)" => &[
            "(param externref externref i32) (result externref) \
             (select (result externref) (local.get 0) (local.get 1) (local.get 2))",
            "(param i32) (result funcref) (select (result funcref) (ref.null func) (ref.func $add) (local.get 0))",
            "(param v128 v128 i32) (result v128) (select (result v128) (local.get 0) (local.get 1) (local.get 2))",
        ],
        "local.get" => &["(param i32 i64 f32 f64 v128 externref) (result v128 f64 externref) \
             local.get 4 local.get 3 local.get 5"],
        "local.set" => &["(param i32 i64 v128) (result v128 i64) (local v128 i64) \
             (local.set 3 (local.get 2)) (local.set 4 (local.get 1)) local.get 3 local.get 4"],
        "local.tee" => &["(param i32 v128) (result v128 i32) (local v128 i32) \
             (local.tee 2 (local.get 1)) (local.tee 3 (local.get 0)) drop local.get 3"],
        "global.get" => &["(result i32 i64 f32 f64 v128 externref) \
             global.get $i32 global.get $i64 global.get $f32 global.get $f64 global.get $v128 global.get $externref"],
        "global.set" => &[
            "(param i32 i64 f32 f64 v128 externref) (global.set $i32 (local.get 0)) (global.set $i64 (local.get 1)) \
             (global.set $f32 (local.get 2)) (global.set $f64 (local.get 3)) (global.set $v128 (local.get 4)) \
             (global.set $externref (local.get 5))",
            "(param i64) (global.set $i64 (i64.add (global.get $i64) (local.get 0)))",
        ],
        "memory.size" => &["(result i32 i32 i64) memory.size $narrow memory.size $second memory.size $wide"],
        "memory.grow" => &[
            "(param i32) (result i32) (memory.grow $narrow (local.get 0))",
            "(param i32) (result i32) (memory.grow $narrow (i32.and (local.get 0) (i32.const 1)))",
            "(param i32) (result i32 i32) (memory.grow $second (i32.and (local.get 0) (i32.const 1))) (memory.size $second)",
            "(param i64) (result i64) (memory.grow $wide (local.get 0))",
            "(param i64) (result i64 i64) (memory.grow $wide (i64.and (local.get 0) (i64.const 1))) (memory.size $wide)",
        ],
        "memory.copy" => &[
            "(param i32 i32 i32) (memory.copy $narrow $narrow (local.get 0) (local.get 1) (local.get 2))",
            "(param i32 i32 i32) (memory.copy $narrow $narrow (i32.and (local.get 0) (i32.const 0xff)) \
             (i32.and (local.get 1) (i32.const 0xff)) (i32.and (local.get 2) (i32.const 0xff)))",
            "(param i32 i32 i32) (memory.copy $second $narrow (i32.and (local.get 0) (i32.const 0xff)) \
             (i32.and (local.get 1) (i32.const 0xff)) (i32.and (local.get 2) (i32.const 0xff)))",
            "(param i64 i64 i64) (memory.copy $wide $wide (local.get 0) (local.get 1) (local.get 2))",
            "(param i64 i64 i64) (memory.copy $wide $wide (i64.and (local.get 0) (i64.const 0xff)) \
             (i64.and (local.get 1) (i64.const 0xff)) (i64.and (local.get 2) (i64.const 0xff)))",
            "(param i64 i32 i32) (memory.copy $wide $narrow (i64.and (local.get 0) (i64.const 0xff)) \
             (i32.and (local.get 1) (i32.const 0xff)) (i32.and (local.get 2) (i32.const 0xff)))",
            "(param i32 i64 i32) (memory.copy $narrow $wide (i32.and (local.get 0) (i32.const 0xff)) \
             (local.get 1) (i32.and (local.get 2) (i32.const 0xff)))",
        ],
        "memory.fill" => &[
            "(param i32 i32 i32) (memory.fill $narrow (local.get 0) (local.get 1) (local.get 2))",
            "(param i32 i32 i32) (memory.fill $narrow (i32.and (local.get 0) (i32.const 0xfff)) (local.get 1) \
             (i32.and (local.get 2) (i32.const 0xff)))",
            "(param i64 i32 i64) (memory.fill $wide (local.get 0) (local.get 1) (local.get 2))",
            "(param i64 i32 i64) (memory.fill $wide (i64.and (local.get 0) (i64.const 0xfff)) (local.get 1) \
             (i64.and (local.get 2) (i64.const 0xff)))",
        ],
        "memory.init" => &[
            "(param i32 i32 i32) (memory.init $narrow $passive (local.get 0) (local.get 1) (local.get 2))",
            "(param i32 i32 i32) (memory.init $narrow $passive (i32.and (local.get 0) (i32.const 0xfff)) \
             (i32.and (local.get 1) (i32.const 15)) (i32.and (local.get 2) (i32.const 31)))",
            "(param i64 i32 i32) (memory.init $wide $passive (local.get 0) (local.get 1) (local.get 2))",
            "(param i64 i32 i32) (memory.init $wide $passive (i64.and (local.get 0) (i64.const 0xfff)) \
             (i32.and (local.get 1) (i32.const 15)) (i32.and (local.get 2) (i32.const 31)))",
        ],
        "data.drop" => &[
            "(data.drop $passive)",
            "(param i32) (data.drop $passive) \
             (memory.init $narrow $passive (i32.const 0) (i32.const 0) (i32.and (local.get 0) (i32.const 1)))",
        ],
        "table.init" => &[
            "(param i64 i32 i32) (table.init $wide_functions $passive_functions (local.get 0) (local.get 1) (local.get 2))",
            "(param i64 i32 i32) (table.init $wide_functions $passive_functions (i64.and (local.get 0) (i64.const 3)) \
             (i32.and (local.get 1) (i32.const 3)) (i32.and (local.get 2) (i32.const 3)))",
            "(param i32 i32 i32) (table.init $functions $passive_functions (local.get 0) (local.get 1) (local.get 2))",
            "(param i32 i32 i32) (table.init $others $passive_functions (i32.and (local.get 0) (i32.const 7)) \
             (i32.and (local.get 1) (i32.const 3)) (i32.and (local.get 2) (i32.const 3)))",
        ],
        "elem.drop" => &[
            "(elem.drop $unused)",
            "(param i32) (elem.drop $unused) \
             (table.init $others $unused (i32.const 0) (i32.const 0) (i32.and (local.get 0) (i32.const 1)))",
        ],
        "table.copy" => &[
            "(param i64 i64 i64) (table.copy $wide_functions $wide_functions (local.get 0) (local.get 1) (local.get 2))",
            "(param i64 i32 i32) (table.copy $wide_functions $functions (i64.and (local.get 0) (i64.const 7)) \
             (i32.and (local.get 1) (i32.const 7)) (i32.and (local.get 2) (i32.const 7)))",
            "(param i32 i64 i32) (table.copy $others $wide_functions (i32.and (local.get 0) (i32.const 7)) \
             (i64.and (local.get 1) (i64.const 7)) (i32.and (local.get 2) (i32.const 7)))",
            "(param i32 i32 i32) (table.copy $others $functions (local.get 0) (local.get 1) (local.get 2))",
            "(param i32 i32 i32) (table.copy $functions $functions (i32.and (local.get 0) (i32.const 7)) \
             (i32.and (local.get 1) (i32.const 7)) (i32.and (local.get 2) (i32.const 7)))",
        ],
        "table.fill" => &[
            "(param i64 externref i64) (table.fill $wide_values (local.get 0) (local.get 1) (local.get 2))",
            "(param i64 externref i64) (table.fill $wide_values (i64.and (local.get 0) (i64.const 3)) (local.get 1) \
             (i64.and (local.get 2) (i64.const 3)))",
            "(param i32 externref i32) (table.fill $values (local.get 0) (local.get 1) (local.get 2))",
            "(param i32 i32) (table.fill $others (i32.and (local.get 0) (i32.const 7)) (ref.func $add) \
             (i32.and (local.get 1) (i32.const 7)))",
        ],
        "table.get" => &[
            "(param i64) (result externref) (table.get $wide_values (local.get 0))",
            "(param i64) (result funcref) (table.get $wide_functions (i64.and (local.get 0) (i64.const 7)))",
            "(param i64) (result funcref) (table.get $wide_functions (i64.const 2))",
            "(param i32) (result externref) (table.get $values (local.get 0))",
            "(param i32) (result funcref) (table.get $functions (i32.and (local.get 0) (i32.const 7)))",
        ],
        "table.set" => &[
            "(param i64 externref) (table.set $wide_values (local.get 0) (local.get 1))",
            "(param i64 externref) (table.set $wide_values (i64.and (local.get 0) (i64.const 3)) (local.get 1))",
            "(param i32 externref) (table.set $values (local.get 0) (local.get 1))",
            "(param i32 externref) (table.set $values (i32.and (local.get 0) (i32.const 3)) (local.get 1))",
            "(param i32) (table.set $others (i32.and (local.get 0) (i32.const 7)) (ref.func $add))",
        ],
        "table.grow" => &[
            "(param externref i64) (result i64) (table.grow $wide_values (local.get 0) (local.get 1))",
            "(param i64) (result i64) (table.grow $wide_functions (ref.func $add) (i64.and (local.get 0) (i64.const 1)))",
            "(param externref i32) (result i32) (table.grow $values (local.get 0) (local.get 1))",
            "(param i32) (result i32) (table.grow $functions (ref.func $add) (i32.and (local.get 0) (i32.const 1)))",
        ],
        "table.size" => &["(result i32 i32 i64) table.size $functions table.size $values table.size $wide_functions"],
        "ref.null" => &["(result funcref externref) ref.null func ref.null extern"],
        "ref.is_null" => &[
            "(param externref) (result i32) (ref.is_null (local.get 0))",
            "(param i32) (result i32) (if (result i32) (ref.is_null (table.get $functions (i32.and (local.get 0) \
             (i32.const 7)))) (then (i32.const 1)) (else (i32.const 2)))",
            "(param i32) (result i32) (ref.is_null (table.get $functions (i32.and (local.get 0) (i32.const 7))))",
        ],
        "ref.func" => &["(result funcref) ref.func $square", "(param i32) (result i32) (ref.is_null (ref.func $add))"],
        "i32.const" => &["(result i32 i32 i32) i32.const 0 i32.const -1 i32.const 0x7fffffff"],
        "i64.const" => &["(result i64 i64 i64) i64.const 0 i64.const -1 i64.const 0x123456789abcdef0"],
        "f32.const" => &["(result f32 f32 f32) f32.const -0 f32.const 1e-45 f32.const nan:0x200001"],
        "f64.const" => &["(result f64 f64 f64) f64.const -0 f64.const 5e-324 f64.const nan:0x4000000000001"],
        "v128.const" => &["(result v128 v128) v128.const i64x2 0 0 v128.const i64x2 0x0123456789abcdef -1"],
        _ => return None,
    })
}
