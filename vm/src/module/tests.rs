//! What inspection shows of a module.

use std::sync::Arc;

use super::*;
use crate::runtime::types::TypeRegistry;
use crate::verifier::{self, Options};

fn module(text: &str) -> Module {
    let bytes: Arc<[u8]> = wat::parse_str(text).expect("test module parses").into();
    verifier::verify(bytes.into(), &Options::default(), &TypeRegistry::default()).expect("test module is valid")
}

fn listing(module: &Module) -> String {
    let mut out = String::new();
    for func in 0..module.function_count() as u32 {
        module.disassemble(FuncIndex(func), &mut out).expect("a String takes everything");
    }
    out
}

#[test]
fn disassembly() {
    let module = module(
        r#"(module
            (import "env" "log" (func $log (param i32)))
            (memory 1)
            (table $t 4 funcref)
            (table $x 4 externref)
            (global $g (mut f64) (f64.const 0))
            (elem declare func $"odd\1b[31m name")
            (func $"odd\1b[31m name" (export "work") (param i32 i64) (result i32) (local f32 f32 v128 externref)
                block (result i32)
                    loop
                        local.get 0 i32.eqz if i32.const -7 br 2 else nop end
                        local.get 0 br_if 0
                    end
                    i32.const 1 i32.const 2 br_table 0 0 0
                end
                block (param i32) (result i64 i32) drop i64.const -1 i32.const 5 end
                call $log drop
                i32.const 3 call_indirect (result i32) drop
                i32.const 1 i32.load8_u offset=16 drop
                i32.const 1 f64.load align=2 global.set $g
                f32.const -0.5 local.tee 2 drop f64.const nan:0x4000000000001 drop
                v128.const i64x2 1 -1 local.tee 4 i8x16.extract_lane_s 3 drop
                i32.const 0 v128.const i64x2 0 0 v128.load8_lane offset=1 5 drop
                v128.const i64x2 0 0 v128.const i64x2 0 0
                i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 drop
                i32.const 0 i32.const 0 i32.const 0 memory.copy
                ref.null extern i32.const 1 table.grow $x drop
                ref.func 1 drop
                local.get 5 ref.is_null local.get 5 local.get 5 local.get 0 select (result externref) drop drop
                i32.const 1 memory.grow drop
                local.get 0 i64.extend_i32_s i32.wrap_i64)
            (func $tail (param i32) local.get 0 return_call $tail)
            (tag $e (param i32))
            (func (result i32)
                block $all (result exnref)
                    block $one (result i32 exnref)
                        try_table (result i32) (catch 0 2) (catch_ref 0 $one) (catch_all_ref $all) i32.const 1 throw $e end
                        block try_table (catch_all 0) ref.null exn throw_ref end end
                        unreachable
                    end
                    drop drop ref.null exn
                end
                drop i32.const 9))"#,
    );
    insta::assert_snapshot!(listing(&module));
}

#[test]
fn disassembly_of_several_memories() {
    let module = module(
        r#"(module
            (memory $a 1) (memory $b i64 1) (data $d "abc")
            (func
                i64.const 8 i32.load $b offset=0x1_0000_0000 align=1 drop
                i32.const 8 i32.load $a drop
                i64.const 0 v128.const i64x2 0 0 v128.store16_lane $b offset=4 align=1 7
                i64.const 1 memory.grow $b memory.size $b drop drop
                i64.const 0 i32.const 0 i64.const 0 memory.fill $b
                i64.const 0 i32.const 0 i32.const 0 memory.copy $b $a
                i64.const 0 i32.const 0 i32.const 0 memory.init $b $d
                i32.const 0 i32.const 0 i32.const 0 memory.init $a $d))"#,
    );
    insta::assert_snapshot!(listing(&module));
}

#[test]
fn sections_are_listed_with_their_sizes() {
    let module =
        module(r#"(module $m (import "a" "b" (func)) (memory 1) (func $f (export "f")) (data (i32.const 0) "abc"))"#);
    let sections: Vec<_> = module.sections().into_iter().map(|s| (s.kind, s.name, s.entries)).collect();
    let plain = |kind, entries| (kind, None, Some(entries));
    assert_eq!(
        sections,
        [
            plain("type", 1),
            plain("import", 1),
            plain("function", 1),
            plain("memory", 1),
            plain("export", 1),
            plain("code", 1),
            plain("data", 1),
            ("custom", Some("name".into()), None),
        ]
    );
    let data = module.sections().into_iter().find(|s| s.kind == "data").expect("has data");
    assert!(module.bytes()[data.bytes].ends_with(b"abc"));
}
