//! Every refusal as a person reads it.

use super::*;

#[test]
fn messages() {
    let long = format!("(module (func $f{} drop))", "x".repeat(300));
    let wide = "(func (param i64) (result i64 i64) local.get 0 local.get 0 i64.mul_wide_u)";
    let cases: &[(&str, Arc<[u8]>)] = &[
        ("empty file", Arc::new([])),
        ("another format", b"\x7fELF\x02\x01\x01"[..].into()),
        ("text with control characters", b"\x1b[2J"[..].into()),
        ("another version", b"\0asm\x02\0\0\0"[..].into()),
        ("component", b"\0asm\x0d\0\x01\0"[..].into()),
        ("cut off", wasm("(module (func $f i32.const 1 drop))")[..20].into()),
        ("type error in a named function", wasm("(module (func $add (result i32) i32.const 1 i64.const 2 i32.add))")),
        ("type error in an unnamed function", wasm("(module (func) (func drop))")),
        ("name with control characters", wasm("(module (func $\"evil\\1b[2J\\0aname\" drop))")),
        ("long name", wasm(&long)),
        ("unknown index outside of functions", b"\0asm\x01\0\0\0\x03\x02\x01\x07\x0a\x04\x01\x02\0\x0b"[..].into()),
        ("exceptions in their old form", wasm("(module (func $catcher try catch_all end))")),
        ("two proposals", wasm(&format!("(module (memory 1 1 shared) {wide})"))),
        ("three proposals", wasm(&format!("(module (memory 1 1 shared) (memory 1 (pagesize 1)) {wide})"))),
        ("too many memory pages", wasm("(module (memory 60000))")),
        ("too many locals", wasm("(module (func $big (local i32 i32 i32 i32 i32)))")),
        ("too deep", wasm("(module (func block block block block end end end end))")),
    ];
    let mut options = Options::default();
    options.limits.memory_pages = 16_384;
    options.limits.locals = 4;
    options.limits.nesting = 3;
    let mut shown = String::new();
    for (title, bytes) in cases {
        let error = verify_bytes(bytes.clone(), &options).map(|_| ()).expect_err(title);
        shown += &format!("{title}:\n  {error}\n");
    }
    insta::assert_snapshot!(shown);
}
