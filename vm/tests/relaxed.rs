//! Relaxed vector operators mean, on every tier, what the deterministic profile of the specification says; and constant
//! expressions compute.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{Config, Engine, Extern, Global, GlobalType, Linker, Module, Store, Tier, Val, ValType};

const TIERS: [Tier; 2] = [Tier::Interpreter, Tier::Jit];

/// What an operator makes of these operands, in the text format, on each tier.
fn check(operator: &str, operands: &[&str], expected: u128) {
    let operands: Vec<String> = operands.iter().map(|lanes| format!("(v128.const {lanes})")).collect();
    let text = format!(
        r#"(module
            (func $identity (param v128) (result v128) local.get 0)
            (func (export "constant") (result v128) ({operator} {}))
            (func (export "computed") (result v128) ({operator} {})))"#,
        operands.join(" "),
        operands.iter().map(|operand| format!("(call $identity {operand})")).collect::<String>()
    );
    let bytes = wat::parse_str(text).unwrap();
    for tier in TIERS {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let mut store = Store::new(&engine, ());
        let module = Module::new(&engine, bytes.as_slice()).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        for name in ["constant", "computed"] {
            let mut results = [Val::V128(0)];
            instance.get_func(&store, name).unwrap().call(&mut store, &[], &mut results).unwrap();
            let Val::V128(found) = results[0] else { panic!("{results:?}") };
            assert_eq!(found, expected, "{operator}, {name}, {tier:?}: {found:#034x}");
        }
    }
}

fn bytes(lanes: [u8; 16]) -> u128 {
    u128::from_le_bytes(lanes)
}

fn words(lanes: [u32; 4]) -> u128 {
    lanes.iter().rev().fold(0, |all, lane| all << 32 | u128::from(*lane))
}

#[test]
fn multiply_add_rounds_twice() {
    // The square is 1 + 2^-11 + 2^-24, of which the last part is lost.
    let (a, square) = (1.0 + f32::EPSILON * 2048.0, 1.0 + f32::EPSILON * 4096.0);
    assert!(a * a == square && f32::mul_add(a, a, -square) != 0.0);
    let (a, c) = (format!("f32x4 {a} {a} 2 -0"), format!("f32x4 -{square} 0 3 -0"));
    check("f32x4.relaxed_madd", &[&a, &a, &c], words([0f32, square, 7.0, 0.0].map(f32::to_bits)));
    let c = c.replace("4 -", "4 ");
    check("f32x4.relaxed_nmadd", &[&a, &a, &c], words([0f32, -square, -1.0, -0.0].map(f32::to_bits)));
    let (a, square) = (1.0 + f64::EPSILON * (1u64 << 25) as f64, 1.0 + f64::EPSILON * (1u64 << 26) as f64);
    assert!(a * a == square && f64::mul_add(a, a, -square) != 0.0);
    let (a, c) = (format!("f64x2 {a} 2"), format!("f64x2 -{square} 1"));
    check("f64x2.relaxed_madd", &[&a, &a, &c], u128::from(5f64.to_bits()) << 64);
    let c = c.replace("2 -", "2 ");
    check("f64x2.relaxed_nmadd", &[&a, &a, &c], u128::from((-3f64).to_bits()) << 64);
}

#[test]
fn dot_products_are_signed_and_saturate_in_the_middle() {
    let a = "i8x16 -128 -128 127 127 -128 -128 -1 1 1 2 3 4 0 0 5 -5";
    let b = "i8x16 -128 -128 127 127 127 127 -128 127 5 6 7 8 9 9 -128 -128";
    let sums = [32767i32, 32258, -32512, 255, 17, 53, 0, 0];
    let lanes = sums.iter().rev().fold(0, |all, sum| all << 16 | u128::from(*sum as u16));
    check("i16x8.relaxed_dot_i8x16_i7x16_s", &[a, b], lanes);
    let c = "i32x4 0x7fffffff 1 -70 9";
    let sums = [(0x7fff_ffffi32).wrapping_add(32767 + 32258), 1 - 32512 + 255, -70 + 17 + 53, 9];
    check("i32x4.relaxed_dot_i8x16_i7x16_add_s", &[a, b, c], words(sums.map(|sum| sum as u32)));
}

#[test]
fn the_others_are_what_they_relax() {
    let table = "i8x16 100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115";
    let from = "i8x16 0 15 16 17 31 32 127 128 255 1 2 3 4 5 6 7";
    let picked = [100, 115, 0, 0, 0, 0, 0, 0, 0, 101, 102, 103, 104, 105, 106, 107];
    check("i8x16.relaxed_swizzle", &[table, from], bytes(picked));
    // Bit by bit, not lane by lane.
    for shape in ["i8x16", "i16x8", "i32x4", "i64x2"] {
        let operands = ["i64x2 -1 -1", "i64x2 0 0", "i64x2 0x8000000000000001 0x00f0"];
        check(&format!("{shape}.relaxed_laneselect"), &operands, 0xf0 << 64 | 0x8000_0000_0000_0001);
    }
    check("i32x4.relaxed_trunc_f32x4_s", &["f32x4 nan 3e9 -3e9 -1.5"], words([0, i32::MAX as u32, 1 << 31, u32::MAX]));
    check("i32x4.relaxed_trunc_f32x4_u", &["f32x4 nan 5e9 -1 3e9"], words([0, u32::MAX, 0, 3_000_000_000]));
    check("i32x4.relaxed_trunc_f64x2_s_zero", &["f64x2 nan -inf"], words([0, 1 << 31, 0, 0]));
    check("i32x4.relaxed_trunc_f64x2_u_zero", &["f64x2 1e10 -1e10"], words([u32::MAX, 0, 0, 0]));
    check("i16x8.relaxed_q15mulr_s", &["i16x8 -32768 0 0 0 0 0 0 0", "i16x8 -32768 0 0 0 0 0 0 0"], 0x7fff);
    let zeros = ["f32x4 0 -0 1 2", "f32x4 -0 0 2 1"];
    check("f32x4.relaxed_min", &zeros, words([-0f32, -0.0, 1.0, 1.0].map(f32::to_bits)));
    check("f32x4.relaxed_max", &zeros, words([0f32, 0.0, 2.0, 2.0].map(f32::to_bits)));
    let zeros = ["f64x2 0 1", "f64x2 -0 2"];
    check("f64x2.relaxed_min", &zeros, u128::from(1f64.to_bits()) << 64 | 1 << 63);
    check("f64x2.relaxed_max", &zeros, u128::from(2f64.to_bits()) << 64);
}

#[test]
fn constant_expressions_compute_with_imported_globals() {
    let text = r#"(module
        (import "host" "i32" (global $i32 i32))
        (import "host" "i64" (global $i64 i64))
        (memory (export "memory") 1)
        (global (export "known") i32 (i32.sub (i32.mul (i32.const 0x10000) (i32.const 0x10001)) (i32.const 1)))
        (global (export "wide") i64 (i64.mul (i64.sub (global.get $i64) (i64.const 3)) (i64.const -2)))
        (global (export "wraps") i32 (i32.add (i32.mul (global.get $i32) (i32.const 3)) (global.get $i32)))
        (table (export "table") 20 funcref)
        (elem (offset (i32.add (global.get $i32) (i32.const 0x80000003))) func $f)
        (data (offset (i32.sub (i32.const 9) (i32.mul (global.get $i32) (i32.const 2)))) "here")
        (func $f))"#;
    let bytes = wat::parse_str(text).unwrap();
    for tier in TIERS {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let mut store = Store::new(&engine, ());
        let module = Module::new(&engine, bytes.as_slice()).unwrap();
        let mut linker = Linker::new(&engine);
        for (name, value, bits) in
            [("i32", ValType::I32, Val::I32(i32::MIN)), ("i64", ValType::I64, Val::I64(i64::MAX))]
        {
            let global = Global::new(&mut store, GlobalType { value, mutable: false }, &bits).unwrap();
            linker.define(&store, "host", name, Extern::Global(global)).unwrap();
        }
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let global = |name| instance.get_global(&store, name).unwrap().get(&store).unwrap();
        assert!(matches!(global("known"), Val::I32(0xffff)), "{:?}", global("known"));
        assert!(matches!(global("wide"), Val::I64(8)), "{:?}", global("wide"));
        assert!(matches!(global("wraps"), Val::I32(0)), "{:?}", global("wraps"));
        let table = instance.get_table(&store, "table").unwrap();
        assert!(matches!(table.get(&store, 3).unwrap(), Some(Val::FuncRef(Some(_)))));
        assert_eq!(instance.get_memory(&store, "memory").unwrap().data(&store).unwrap()[9..13], *b"here");
    }
}
