use super::*;

const MODULE: &str = r#"(module $demo
    (import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func (param i32)))
    (import "env" "evil\1b[2J\u{202e}" (func))
    (import "env" "limit" (global i32))
    (memory (export "memory") 2 10)
    (table 3 funcref)
    (func $main (export "_start") (param i32) (result i64) i64.const 5)
    (func $init)
    (start $init)
    (data (i32.const 0) "abc"))"#;

fn output(text: &str, view: View) -> Result<String, InspectError> {
    let mut out = Vec::new();
    inspect(&Inspect { file: "demo.wat".into(), view }, text.as_bytes().into(), &mut out)?;
    Ok(String::from_utf8(out).expect("output is text"))
}

#[test]
fn text() {
    insta::assert_snapshot!(output(MODULE, View::Summary).expect("valid"));
}

#[test]
fn json() {
    let json = output(MODULE, View::Json).expect("valid");
    assert!(json.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)));
    let value: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!(value["imports"][2]["name"], "evil\x1b[2J\u{202e}");
    insta::assert_snapshot!(json);
}

#[test]
fn a_function_is_found_by_index_name_and_export() {
    let by = |wanted: &str| output(MODULE, View::Code(Some(wanted.into()))).map_err(|e| e.to_string());
    let main = by("main").expect("has main");
    assert!(main.starts_with("(func 3 $main (param i32) (result i64)\n") && main.contains("i64.const 5"), "{main}");
    assert_eq!(by("3").as_ref(), Ok(&main));
    assert_eq!(by("_start").as_ref(), Ok(&main));
    insta::assert_snapshot!(by("nothing\x1b").expect_err("no such function"), @r"there is no function `nothing\u{1b}` in this module, which has 5; name one as the name section or an export does, or give its index");
    assert!(by("5").is_err());
}

#[test]
fn all_functions_are_disassembled() {
    let code = output(MODULE, View::Code(None)).expect("valid");
    assert_eq!(code.lines().filter(|line| line.starts_with("(func ") || line.starts_with("(import ")).count(), 5);
}

#[test]
fn a_refused_module_is_reported_with_its_file() {
    let error = output("(module (func $f drop))", View::Summary).expect_err("must be refused").to_string();
    assert!(error.contains(".wat: the module is not valid at byte 0x17 in function 0 `f`"), "{error}");
}

#[test]
fn each_stage_of_each_tier_is_shown() {
    let ir = output(MODULE, View::Ir("main".into())).expect("translates");
    assert!(ir.starts_with("function 3 "), "{ir}");
    let clif = output(MODULE, View::Clif("main".into())).expect("compiles");
    assert!(clif.contains("iconst.i64 5") && clif.contains("return"), "{clif}");
    let asm = output(MODULE, View::Asm("main".into())).expect("compiles");
    assert!(asm.contains("ret"), "{asm}");
    assert!(matches!(output(MODULE, View::Asm("0".into())), Err(InspectError::Imported { index: 0 })));
}
