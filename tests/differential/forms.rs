//! Statements for each operator that is about more than numbers: on objects and references, and those that shape control, name things, or act on
//! tables and segments. Each ends normally and leaves no operand.

use std::fmt::Write;

/// What surrounds the function that the statements stand in.
pub const SURROUNDINGS: &str = r#"
    (type $f (func (param i32) (result i32)))
    (type $s (sub (struct (field (mut i32)) (field (mut i64)) (field (mut f32)) (field (mut f64)) (field (mut v128))
        (field (mut i8)) (field (mut i16)) (field (mut (ref null $s))) (field (mut (ref null $f))))))
    (type $sub (sub $s (struct (field (mut i32)) (field (mut i64)) (field (mut f32)) (field (mut f64)) (field (mut v128))
        (field (mut i8)) (field (mut i16)) (field (mut (ref null $s))) (field (mut (ref null $f))) (field i32))))
    (type $i32s (array (mut i32))) (type $i64s (array (mut i64))) (type $f32s (array (mut f32)))
    (type $f64s (array (mut f64))) (type $v128s (array (mut v128))) (type $i8s (array (mut i8)))
    (type $i16s (array (mut i16))) (type $refs (array (mut (ref null $s)))) (type $funcs (array (mut (ref null $f))))
    (tag $e (param i32))
    (global $gi32 (mut i32) (i32.const 1)) (global $gi64 (mut i64) (i64.const 1)) (global $gf32 (mut f32) (f32.const 1))
    (global $gf64 (mut f64) (f64.const 1)) (global $gv128 (mut v128) (v128.const i64x2 1 1))
    (global $gany (mut anyref) (ref.null any))
    (table $functions 4 20 (ref null $f)) (table $anys 4 20 anyref) (table $wide i64 4 20 (ref null $f))
    (data $data "0123456789abcdef0123456789abcdef")
    (elem $elem (ref null $s) (ref.null $s) (ref.null $s))
    (elem $felem (ref null $f) (ref.null $f) (ref.func $id))
    (func $id (type $f) (local.get 0))
    (func $returns (type $f) (return (local.get 0)))
    (func $tail (type $f) (return_call $id (local.get 0)))
    (func $tail_indirect (type $f) (return_call_indirect $functions (type $f) (local.get 0) (i32.const 1)))
    (func $tail_ref (type $f) (return_call_ref $f (local.get 0) (ref.func $id)))
    (func $throws (type $f) (throw $e (local.get 0)))
"#;

/// The locals of that function beside those of numbers.
pub const LOCALS: &str = r#"
    (local $s (ref null $s)) (local $f (ref null $f)) (local $any anyref) (local $extern externref) (local $exn exnref)
    (local $to_s (ref null $s)) (local $to_f (ref null $f)) (local $to_any anyref) (local $to_extern externref)
    (local $i32s (ref null $i32s)) (local $i64s (ref null $i64s)) (local $f32s (ref null $f32s)) (local $f64s (ref null $f64s))
    (local $v128s (ref null $v128s)) (local $i8s (ref null $i8s)) (local $i16s (ref null $i16s)) (local $refs (ref null $refs))
    (local $funcs (ref null $funcs)) (local $to_array (ref null array)) (local $i31 i31ref) (local $to_i31 i31ref)
    (table.set $functions (i32.const 1) (ref.func $id)) (table.set $wide (i64.const 1) (ref.func $id))
    (local.set $f (ref.func $id)) (local.set $s (struct.new_default $sub)) (local.set $any (local.get $s))
    (local.set $extern (extern.convert_any (local.get $any))) (local.set $i31 (ref.i31 (i32.const 5)))
    (local.set $i32s (array.new_default $i32s (i32.const 4))) (local.set $i64s (array.new_default $i64s (i32.const 4)))
    (local.set $f32s (array.new_default $f32s (i32.const 4))) (local.set $f64s (array.new_default $f64s (i32.const 4)))
    (local.set $v128s (array.new_default $v128s (i32.const 4))) (local.set $i8s (array.new_default $i8s (i32.const 4)))
    (local.set $i16s (array.new_default $i16s (i32.const 4))) (local.set $refs (array.new_default $refs (i32.const 4)))
    (local.set $funcs (array.new_default $funcs (i32.const 4)))
"#;

/// Ways to write an operand: in a local, in the instruction where there are constants, and as the result of the instruction before.
fn operands(kind: &str) -> Vec<String> {
    match kind {
        "i32" => {
            vec!["(local.get $i32)".into(), "(i32.const 1)".into(), "(i32.or (local.get $i32) (i32.const 1))".into()]
        }
        "i64" => {
            vec!["(local.get $i64)".into(), "(i64.const 1)".into(), "(i64.or (local.get $i64) (i64.const 1))".into()]
        }
        "f32" => vec!["(local.get $f32)".into(), "(f32.const 1)".into(), "(f32.abs (local.get $f32))".into()],
        "f64" => vec!["(local.get $f64)".into(), "(f64.const 1)".into(), "(f64.abs (local.get $f64))".into()],
        "v128" => {
            vec!["(local.get $v128)".into(), "(v128.const i64x2 1 1)".into(), "(v128.not (local.get $v128))".into()]
        }
        "f" => vec!["(local.get $f)".into(), "(ref.func $id)".into(), "(table.get $functions (i32.const 1))".into()],
        "any" | "extern" => {
            vec![
                format!("(local.get ${kind})"),
                format!("(select (result {kind}ref) (local.get ${kind}) (ref.null {kind}) (i32.const 1))"),
            ]
        }
        "i31" => vec!["(local.get $i31)".into(), "(ref.i31 (i32.const 5))".into(), "(ref.i31 (local.get $i32))".into()],
        object => vec![format!("(local.get ${object})"), format!("(ref.as_non_null (local.get ${object}))")],
    }
}

/// Ways to use a result: assigned, taken by the next instruction, and deciding.
fn uses(kind: &str) -> Vec<(String, &'static str)> {
    match kind {
        "" => vec![(String::new(), "")],
        "i32" => vec![
            ("(local.set $to_i32 ".into(), ")"),
            ("(local.set $to_i32 (i32.mul (local.get $i32) ".into(), "))"),
            ("(if ".into(), "(then (local.set $to_i32 (i32.const 2))))"),
            ("(block (br_if 0 ".into(), ") (local.set $to_i32 (i32.const 3)))"),
            ("(local.set $to_s (select (result (ref null $s)) (local.get $s) (ref.null $s) ".into(), "))"),
        ],
        "i64" | "f32" | "f64" => vec![
            (format!("(local.set $to_{kind} "), ")"),
            (format!("(local.set $to_{kind} ({kind}.mul (local.get ${kind}) "), "))"),
        ],
        "v128" => vec![
            ("(local.set $to_v128 ".into(), ")"),
            ("(local.set $to_v128 (v128.and (local.get $v128) ".into(), "))"),
        ],
        "s" | "f" | "any" | "extern" | "i31" => vec![
            (format!("(local.set $to_{kind} "), ")"),
            ("(drop ".into(), ")"),
            ("(if (ref.is_null ".into(), ") (then (local.set $to_i32 (i32.const 2))))"),
        ],
        _ => vec![("(local.set $to_array ".into(), ")"), ("(drop ".into(), ")")],
    }
}

/// An operator with its immediates, the kinds of its operands, and that of its result, if it has one.
type Form = (String, Vec<&'static str>, &'static str);

/// What fields hold: as the kind of value that is, and how reading it is called.
const FIELDS: [(&str, &[&str]); 9] = [
    ("i32", &["get"]),
    ("i64", &["get"]),
    ("f32", &["get"]),
    ("f64", &["get"]),
    ("v128", &["get"]),
    ("i32", &["get_s", "get_u"]),
    ("i32", &["get_s", "get_u"]),
    ("s", &["get"]),
    ("f", &["get"]),
];

/// The types of arrays of the same.
const ARRAYS: [&str; 9] = ["i32s", "i64s", "f32s", "f64s", "v128s", "i8s", "i16s", "refs", "funcs"];

fn forms() -> Vec<Form> {
    let mut forms: Vec<Form> = vec![
        ("struct.new $s".into(), FIELDS.iter().map(|(kind, _)| *kind).collect(), "s"),
        ("struct.new_default $s".into(), vec![], "s"),
    ];
    for (at, (kind, reads)) in FIELDS.iter().enumerate() {
        let array = ARRAYS[at];
        for get in *reads {
            forms.push((format!("struct.{get} $s {at}"), vec!["s"], kind));
            forms.push((format!("array.{get} ${array}"), vec![array, "i32"], kind));
        }
        forms.push((format!("struct.set $s {at}"), vec!["s", kind], ""));
        forms.push((format!("array.set ${array}"), vec![array, "i32", kind], ""));
        forms.push((format!("array.new ${array}"), vec![kind, "i32"], array));
        forms.push((format!("array.new_default ${array}"), vec!["i32"], array));
        forms.push((format!("array.new_fixed ${array} 2"), vec![kind, kind], array));
        forms.push((format!("array.fill ${array}"), vec![array, "i32", kind, "i32"], ""));
        forms.push((format!("array.copy ${array} ${array}"), vec![array, "i32", array, "i32", "i32"], ""));
        forms.push(("array.len".into(), vec![array], "i32"));
        let (what, segment) = match *kind {
            "s" => ("elem", "$elem"),
            "f" => ("elem", "$felem"),
            _ => ("data", "$data"),
        };
        forms.push((format!("array.new_{what} ${array} {segment}"), vec!["i32", "i32"], array));
        forms.push((format!("array.init_{what} ${array} {segment}"), vec![array, "i32", "i32", "i32"], ""));
    }
    let mut more = |head: &str, operands: &[&'static str], result| forms.push((head.into(), operands.to_vec(), result));
    for to in ["$s", "$sub", "i31", "struct", "array", "eq", "any", "none"] {
        more(&format!("ref.test (ref {to})"), &["any"], "i32");
        more(&format!("ref.test (ref null {to})"), &["any"], "i32");
    }
    more("ref.test (ref $sub)", &["s"], "i32");
    more("ref.test (ref $f)", &["f"], "i32");
    for to in ["(ref $s)", "(ref null $s)", "(ref $sub)", "(ref null struct)", "(ref eq)"] {
        more(&format!("ref.cast {to}"), &["any"], "any");
    }
    more("ref.cast (ref $sub)", &["s"], "s");
    more("ref.cast (ref $f)", &["f"], "f");
    more("ref.eq", &["s", "i31"], "i32");
    more("ref.is_null", &["s"], "i32");
    more("ref.is_null", &["f"], "i32");
    more("ref.as_non_null", &["s"], "s");
    more("ref.as_non_null", &["f"], "f");
    more("ref.i31", &["i32"], "i31");
    more("i31.get_s", &["i31"], "i32");
    more("i31.get_u", &["i31"], "i32");
    more("any.convert_extern", &["extern"], "any");
    more("extern.convert_any", &["any"], "extern");
    more("call_ref $f", &["i32", "f"], "i32");
    more("call_indirect $functions (type $f)", &["i32", "i32"], "i32");
    more("call_indirect $wide (type $f)", &["i32", "i64"], "i32");
    for func in ["$id", "$returns", "$tail", "$tail_indirect", "$tail_ref"] {
        more(&format!("call {func}"), &["i32"], "i32");
    }
    for kind in ["i32", "i64", "f32", "f64", "v128"] {
        more("select", &[kind, kind, "i32"], kind);
        more(&format!("global.set $g{kind}"), &[kind], "");
        more(&format!("global.get $g{kind}"), &[], kind);
        more(&format!("local.tee $to_{kind}"), &[kind], kind);
        more(&format!("local.set $to_{kind}"), &[kind], "");
        more(&format!("local.get ${kind}"), &[], kind);
        more("drop", &[kind], "");
    }
    more("select (result anyref)", &["any", "any", "i32"], "any");
    more("global.set $gany", &["any"], "");
    more("global.get $gany", &[], "any");
    more("ref.null any", &[], "any");
    more("ref.func $id", &[], "f");
    for (memory, address) in [("$narrow", "i32"), ("$wide_memory", "i64")] {
        more(&format!("memory.size {memory}"), &[], address);
        more(&format!("memory.grow {memory}"), &[address], address);
        more(&format!("memory.fill {memory}"), &[address, "i32", address], "");
        more(&format!("memory.copy {memory} {memory}"), &[address, address, address], "");
        more(&format!("memory.init {memory} $data"), &[address, "i32", "i32"], "");
    }
    for (table, address, kind) in [("$functions", "i32", "f"), ("$anys", "i32", "any"), ("$wide", "i64", "f")] {
        more(&format!("table.size {table}"), &[], address);
        more(&format!("table.get {table}"), &[address], kind);
        more(&format!("table.set {table}"), &[address, kind], "");
        more(&format!("table.grow {table}"), &[kind, address], address);
        more(&format!("table.fill {table}"), &[address, kind, address], "");
        more(&format!("table.copy {table} {table}"), &[address, address, address], "");
    }
    more("table.init $functions $felem", &["i32", "i32", "i32"], "");
    forms
}

/// What is a statement as it stands.
const STATEMENTS: &[&str] = &[
    "nop",
    "(block (br 0))",
    "(block (br_if 0 (local.get $i32)))",
    "(block (block (br_table 0 1 (local.get $i32))))",
    "(block (block (br_table 0 1 (i32.const 1))))",
    "(local.set $to_i32 (i32.const 0)) (loop (local.set $to_i32 (i32.add (local.get $to_i32) (i32.const 1))) \
     (br_if 0 (i32.lt_u (local.get $to_i32) (i32.const 5))))",
    "(if (local.get $i32) (then (local.set $to_i32 (i32.const 1))) (else (local.set $to_i32 (i32.const 2))))",
    "(block (drop (br_on_null 0 (local.get $s))))",
    "(block (drop (br_on_null 0 (ref.null $s))) (unreachable))",
    "(local.set $to_s (block (result (ref $s)) (br_on_non_null 0 (local.get $s)) (unreachable)))",
    "(block (drop (block (result (ref $s)) (br_on_non_null 0 (ref.null $s)) (br 1))))",
    "(block (drop (br_on_null 0 (local.get $f))))",
    "(local.set $to_f (block (result (ref $f)) (br_on_non_null 0 (local.get $f)) (unreachable)))",
    "(local.set $to_s (block (result (ref $sub)) (br_on_cast 0 anyref (ref $sub) (local.get $any)) (unreachable)))",
    "(local.set $to_any (block (result anyref) (br_on_cast 0 anyref (ref i31) (local.get $any))))",
    "(local.set $to_any (block (result anyref) (br_on_cast_fail 0 anyref (ref $sub) (local.get $any))))",
    "(local.set $to_any (block (result anyref) (br_on_cast_fail 0 anyref (ref i31) (local.get $any)) (unreachable)))",
    "(local.set $to_i32 (block (result i32) (try_table (catch $e 0) (throw $e (local.get $i32))) (unreachable)))",
    "(local.set $to_i32 (block (result i32) (try_table (result i32) (catch $e 0) (call $throws (local.get $i32)))))",
    "(block (try_table (catch_all 0) (drop (call $throws (i32.const 3)))))",
    "(local.set $exn (block (result exnref) (try_table (catch_all_ref 0) (drop (call $throws (i32.const 3)))) (unreachable)))",
    "(block (try_table (catch_all 0) (throw_ref (local.get $exn))))",
    "(elem.drop $elem)",
    "(elem.drop $felem)",
    "(data.drop $data)",
];

/// All statements, with `after` behind each.
pub fn statements(after: &str) -> String {
    let mut text = String::new();
    for (head, kinds, result) in forms() {
        let all: Vec<Vec<String>> = kinds.iter().map(|kind| operands(kind)).collect();
        // Of operators with many operands each in turn is written in each way.
        let ways = all.iter().map(Vec::len).product::<usize>().min(81);
        for way in 0..ways {
            let mut operator = format!("({head}");
            let mut left = way;
            for operand in &all {
                operator += &operand[left % operand.len()];
                left /= operand.len();
            }
            operator.push(')');
            for (before, behind) in uses(result) {
                let _ = writeln!(text, "{before}{operator}{behind} {after}");
            }
        }
    }
    for statement in STATEMENTS {
        let _ = writeln!(text, "{statement} {after}");
    }
    text
}
