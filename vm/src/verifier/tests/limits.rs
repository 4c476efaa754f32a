//! Each limit admits what is as large as it says, and refuses what is one larger.

use super::*;

/// A module that has `n` of what a limit counts.
fn module_with(kind: LimitKind, n: u64) -> Arc<[u8]> {
    let times = |item: &str| item.repeat(n as usize);
    let numbered = |item: &str| (0..n).map(|i| item.replace('#', &i.to_string())).collect::<String>();
    let text = match kind {
        LimitKind::ModuleBytes => {
            // A custom section with an empty name fills it up.
            let mut bytes = b"\0asm\x01\0\0\0\0".to_vec();
            bytes.push((n - 10) as u8);
            bytes.resize(n as usize, 0);
            return bytes.into();
        }
        LimitKind::Types => numbered("(type $#t (func))"),
        LimitKind::Imports => times(r#"(import "a" "b" (global i32))"#),
        LimitKind::Exports => format!("(func $f) {}", numbered(r##"(export "#" (func $f))"##)),
        LimitKind::Functions => format!("{}{}", r#"(import "a" "b" (func))"#, "(func)".repeat(n as usize - 1)),
        LimitKind::Tables => {
            format!("{}{}", r#"(import "a" "b" (table 1 funcref))"#, "(table 1 funcref)".repeat(n as usize - 1))
        }
        LimitKind::Memories => {
            format!("{}{}", r#"(import "a" "b" (memory 1))"#, "(memory i64 1)".repeat(n as usize - 1))
        }
        LimitKind::Globals => {
            format!("{}{}", r#"(import "a" "b" (global i32))"#, "(global i32 (i32.const 0))".repeat(n as usize - 1))
        }
        LimitKind::Tags => format!("{}{}", r#"(import "a" "b" (tag))"#, "(tag)".repeat(n as usize - 1)),
        LimitKind::ElementSegments => times("(elem func)"),
        LimitKind::ElementItems => {
            let (a, b) = (n as usize / 2, n as usize - n as usize / 2);
            format!("(func $f) (elem func {}) (elem funcref {})", "$f ".repeat(a), "(ref.null func)".repeat(b))
        }
        LimitKind::DataSegments => times(r#"(data "")"#),
        LimitKind::TableElements => format!("(table {n} funcref)"),
        LimitKind::MemoryPages => format!("(memory {n})"),
        // A body has a count of locals before and an `end` after.
        LimitKind::FunctionBytes => format!("(func {})", "nop ".repeat(n as usize - 2)),
        LimitKind::Locals => format!("(func (param i32) (local {}))", "i64 ".repeat(n as usize - 1)),
        LimitKind::Operands => format!("(func {} {})", times("i32.const 0 "), times("drop ")),
        LimitKind::Nesting => format!("(func {} {})", times("block "), times("end ")),
    };
    wasm(&format!("(module {text})"))
}

fn check(kind: LimitKind, limit: u64) {
    let mut options = Options::default();
    options.limits.set(kind, limit);
    if let Err(error) = verify_bytes(module_with(kind, limit), &options) {
        panic!("{kind}: {limit} must be admitted: {error}");
    }
    let too_many = module_with(kind, limit + 1);
    match verify_bytes(too_many, &options).map(|_| ()) {
        Err(VerifyError::Limit { kind: passed, found, allowed, .. }) => {
            assert_eq!((passed, found, allowed), (kind, limit + 1, limit));
        }
        other => panic!("{kind}: {} must be refused, got {other:?}", limit + 1),
    }
}

#[test]
fn every_limit_is_exact() {
    for &kind in LimitKind::ALL {
        check(kind, 20);
    }
}

#[test]
fn nesting_counts_every_kind_of_block() {
    let mut options = Options::default();
    options.limits.nesting = 2;
    let nested = |inner: &str| wasm(&format!("(module (func (param i32) block block {inner} end end))"));
    for (opening, admitted) in [("", true), ("block end", false), ("loop end", false), ("local.get 0 if end", false)] {
        assert_eq!(verify_bytes(nested(opening), &options).is_ok(), admitted, "{opening}");
    }
}

#[test]
fn the_size_of_an_element_section_is_checked_before_memory_is_taken_for_it() {
    // A segment that claims 2^32 - 1 functions in a module of few bytes.
    let bytes = b"\0asm\x01\0\0\0\x09\x09\x01\x01\x00\xff\xff\xff\xff\x0f\x00";
    assert!(matches!(verify_bytes(bytes[..].into(), &Options::default()), Err(VerifyError::Invalid { .. })));
    // A type section that claims as many types.
    let bytes = b"\0asm\x01\0\0\0\x01\x05\xff\xff\xff\xff\x0f";
    let error = verify_bytes(bytes[..].into(), &Options::default()).map(|_| ()).expect_err("must be refused");
    assert!(matches!(error, VerifyError::Limit { kind: LimitKind::Types, found: 0xffff_ffff, .. }), "{error}");
}

#[test]
fn programs_of_ordinary_size_are_far_below_the_defaults() {
    let limits = Limits::default();
    // CPython 3.12: 26 MB, 12,000 functions, and the like.
    assert!(
        limits.module_bytes >= 4 * 26_000_000 && limits.functions >= 4 * 12_000 && limits.element_items >= 4 * 12_000
    );
}
