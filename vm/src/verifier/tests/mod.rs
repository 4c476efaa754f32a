//! What the verifier accepts, what it makes of it, and how it refuses.

mod hostile;
mod limits;
mod messages;
mod proposals;

use std::sync::Arc;

use super::*;
use crate::module::{ConstExpr, ElementMode, ExportKind, GlobalIndex, ImportKind, TableIndex};
use crate::types::ValType;

fn wasm(text: &str) -> Arc<[u8]> {
    wat::parse_str(text).expect("test module parses").into()
}

fn verify_bytes(bytes: Arc<[u8]>, options: &Options) -> Result<Module, VerifyError> {
    verify(bytes.into(), options, &TypeRegistry::default())
}

fn accept(text: &str) -> Module {
    verify_bytes(wasm(text), &Options::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn refuse(text: &str) -> VerifyError {
    verify_bytes(wasm(text), &Options::default()).map(|_| ()).expect_err("must be refused")
}

#[test]
fn everything_is_decoded() {
    let module = accept(
        r#"(module $m
            (type $f (func (param i32 f64) (result v128)))
            (type (func (param i32 f64) (result v128)))
            (import "env" "f" (func $imported (type $f)))
            (import "env" "g" (global $imported_global i32))
            (import "env" "t" (table $t0 1 externref))
            (memory (export "memory") 2 5)
            (table $t1 (export "table") 10 20 funcref)
            (table $t2 3 externref)
            (global $g1 (mut i64) (i64.const -1))
            (global $g2 (export "g2") f32 (f32.const 1))
            (global v128 (v128.const i32x4 1 2 3 4))
            (global funcref (ref.func $own))
            (global externref (ref.null extern))
            (global i32 (global.get $imported_global))
            (func $own (export "own") (result i32) ref.null extern i32.const 1 table.grow $t2)
            (func $start)
            (start $start)
            (elem (table $t1) (i32.const 3) func $own $imported)
            (elem funcref (ref.null func) (ref.func $own))
            (elem declare func $start)
            (data (i32.const 8) "abc")
            (data "passive"))"#,
    );
    assert_eq!(module.types.len(), 4);
    assert_eq!(module.types[0].id, module.types[1].id);
    assert_eq!(module.func_type(FuncIndex(0)).to_string(), "(i32, f64) -> (v128)");
    assert_eq!(module.imports.len(), 3);
    assert!(matches!(module.imports[2].kind, ImportKind::Table(ty) if ty.element == ValType::EXTERNREF));
    assert_eq!((module.imported.functions, module.imported.tables, module.imported.globals), (1, 1, 1));
    assert_eq!((module.memories[0].limits.min, module.memories[0].limits.max), (2, Some(5)));
    assert_eq!((module.tables[1].limits.min, module.tables[1].limits.max), (10, Some(20)));
    assert_eq!(module.table_grows, [false, false, true]);
    assert!(!module.is_table_fixed(TableIndex(0)) && !module.is_table_fixed(TableIndex(1)));
    assert!(module.is_global_inline(GlobalIndex(1)) && !module.is_global_inline(GlobalIndex(2)));
    assert!(!module.is_global_inline(GlobalIndex(0)));
    let inits = &module.global_inits;
    assert!(matches!(inits[0], ConstExpr::Value(v) if v == u128::from(u64::MAX)));
    assert!(matches!(inits[1], ConstExpr::Value(v) if v == u128::from(1f32.to_bits())));
    assert!(matches!(inits[2], ConstExpr::Value(v) if v == 0x00000004_00000003_00000002_00000001));
    assert!(matches!(inits[3], ConstExpr::Func(FuncIndex(1))));
    assert!(matches!(inits[4], ConstExpr::Null));
    assert!(matches!(inits[5], ConstExpr::Global(GlobalIndex(0))));
    assert_eq!(module.exports[2], ("g2".into(), ExportKind::Global(GlobalIndex(2))));
    assert_eq!(module.start, Some(FuncIndex(2)));
    assert!(matches!(
        module.elements[0].mode,
        ElementMode::Active { table: TableIndex(1), offset: ConstExpr::Value(3) }
    ));
    assert!(matches!(module.elements[0].items[..], [ConstExpr::Func(FuncIndex(1)), ConstExpr::Func(FuncIndex(0))]));
    assert!(matches!(module.elements[1].items[..], [ConstExpr::Null, ConstExpr::Func(FuncIndex(1))]));
    assert!(matches!(module.elements[2].mode, ElementMode::Declared));
    assert_eq!(&module.bytes()[module.data[0].bytes.clone()], b"abc");
    assert_eq!(&module.bytes()[module.data[1].bytes.clone()], b"passive");
    assert!(module.data[0].active.is_some() && module.data[1].active.is_none());
    assert_eq!(module.defined_count(), 2);
    assert_eq!(module.body(crate::module::DefinedFunc(1)), [0, 0x0b]);
    assert_eq!(module.names().module(), Some("m"));
    assert_eq!(module.names().function(FuncIndex(2)), Some("start"));
}

#[test]
fn names_come_from_exports_and_imports_where_there_is_no_name_section() {
    let module = accept(
        r#"(module (import "env" "log" (func)) (import "env" "g" (global i32)) (import "a" "b" (func))
            (func (export "first") (export "second")) (func))"#,
    );
    let name = |index| module.names().function(FuncIndex(index));
    assert_eq!(
        [name(0), name(1), name(2), name(3), name(4)],
        [Some("env.log"), Some("a.b"), Some("first"), None, None]
    );
}

#[test]
fn malformed_name_sections_are_ignored() {
    let plain = wasm("(module (func $f))");
    for junk in [&b"\x01\xff\xff\xff\xff\x0f"[..], b"\x01\x03\x05\x00\x02", b"\x00\x02\x01\xff", b"", b"\x80"] {
        let mut bytes = plain.to_vec();
        bytes.push(0);
        bytes.push(5 + junk.len() as u8);
        bytes.extend_from_slice(b"\x04name");
        bytes.extend_from_slice(junk);
        let module =
            verify_bytes(bytes.into(), &Options::default()).expect("custom sections do not make a module invalid");
        assert_eq!(module.names().function(FuncIndex(0)), Some("f"), "the first name section still counts");
    }
}

/// A module of many functions, about `bytes` of code; those listed are faulty.
fn many_functions(bytes: usize, faulty: &[usize]) -> Arc<[u8]> {
    let body = "i32.const 1 drop ".repeat(50);
    let functions = (0..bytes / 150).map(|n| match faulty.contains(&n) {
        true => format!("(func $bad{n} {body} drop)"),
        false => format!("(func {body})"),
    });
    wasm(&format!("(module {})", functions.collect::<String>()))
}

#[test]
fn of_several_faulty_functions_the_first_is_named_with_any_number_of_threads() {
    let bytes = many_functions(1 << 20, &[700, 701, 3000, 6000]);
    for threads in [1, 2, 3, 8] {
        let options = Options { threads, ..Options::default() };
        let error = verify_bytes(bytes.clone(), &options).map(|_| ()).expect_err("must be refused");
        let place = error.place().expect("has a place");
        assert_eq!((place.function, place.name.as_deref()), (Some(700), Some("bad700")), "{threads} threads: {error}");
    }
    assert_eq!(verify_bytes(many_functions(1 << 20, &[]), &Options::default()).expect("valid").defined_count(), 6990);
}
