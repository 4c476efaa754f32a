//! No bytes make the verifier panic.

use super::*;

/// A module with something in every section and many kinds of operators.
fn rich() -> Arc<[u8]> {
    wasm(
        r#"(module $rich
            (type $f (func (param i32 i64) (result i32)))
            (import "env" "f" (func $host (type $f)))
            (import "env" "g" (global $g i32))
            (memory (export "memory") 1 10)
            (table $t 4 8 funcref)
            (table $x 2 externref)
            (global $m (mut f64) (f64.const 2.5))
            (global $v v128 (v128.const i64x2 1 2))
            (func $work (export "work") (type $f) (local f32 f64 v128 externref)
                block $out (result i32)
                    loop $again
                        local.get 0 i32.eqz if i32.const 7 br $out end
                        local.get 0 i32.const 1 i32.sub local.tee 0 br_if $again
                    end
                    local.get 0 local.get 1 call $host
                    i32.const 1 br_table 0 0 0
                end
                local.get 1 local.get 0 call_indirect $t (param i32 i64) (result i32)
                i32.const 0 f32.load offset=4 i32.trunc_sat_f32_s drop
                i32.const 0 v128.load i8x16.popcnt i8x16.bitmask drop
                ref.null extern i32.const 3 table.grow $x drop
                i32.const 0 i32.const 1 i32.const 2 memory.copy
                i32.const 0 i32.const 0 i32.const 3 memory.init 1
                i32.const 0 i32.const 0 i32.const 1 table.init $t 1
                return)
            (func $tail (type $f) local.get 0 local.get 1 return_call $work)
            (start $start)
            (func $start)
            (elem (table $t) (global.get $g) func $work $host)
            (elem funcref (ref.null func) (ref.func $tail))
            (data (i32.const 3) "hello")
            (data "world"))"#,
    )
}

/// What is not refused must be usable: every accessor works.
fn visit(module: &Module) {
    for func in 0..module.functions.len() as u32 {
        let func = FuncIndex(func);
        module.func_type(func);
        module.func_type_id(func);
        module.names().function(func);
        if let Some(defined) = module.defined(func) {
            module.body(defined);
        }
    }
    module.imports().iter().for_each(|import| _ = module.import_type(import));
    module.exports().iter().for_each(|(_, kind)| _ = module.export_type(*kind));
    (0..module.globals.len() as u32).for_each(|global| _ = module.is_global_inline(GlobalIndex(global)));
    (0..module.tables.len() as u32).for_each(|table| _ = module.is_table_fixed(TableIndex(table)));
    module.data.iter().for_each(|data| _ = &module.bytes()[data.bytes.clone()]);
}

#[test]
fn a_module_cut_off_anywhere_is_refused() {
    let whole = rich();
    visit(&verify_bytes(whole.clone(), &Options::default()).expect("the whole module is valid"));
    let sections = ends_of_sections(&whole);
    for end in 0..whole.len() {
        match verify_bytes(whole[..end].into(), &Options::default()) {
            // Without its last sections, a module may still be one.
            Ok(module) => {
                assert!(sections.contains(&end), "accepted when cut at {end}");
                visit(&module);
            }
            Err(error) => drop(error.to_string()),
        }
    }
}

fn ends_of_sections(bytes: &[u8]) -> Vec<usize> {
    let payloads = wasmparser::Parser::new(0).parse_all(bytes).map_while(Result::ok);
    let header = 8;
    std::iter::once(header)
        .chain(payloads.filter_map(|p| p.as_section().map(|(_, range)| range.end as usize)))
        .collect()
}

/// Steele, Lea & Flood's SplitMix64: enough for choosing bytes.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

#[test]
fn changed_bytes_never_cause_a_panic() {
    let whole = rich();
    let mut random = Random(1);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = whole.to_vec();
        for _ in 0..=random.below(3) {
            let at = 8 + random.below(bytes.len() - 8);
            match random.below(4) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.below(256) as u8,
                2 => bytes.insert(at, random.below(256) as u8),
                _ => drop(bytes.remove(at)),
            }
        }
        match verify_bytes(bytes.into(), &Options::default()) {
            Ok(module) => {
                visit(&module);
                accepted += 1;
            }
            Err(error) => {
                assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused: nothing was tested");
}

#[test]
fn noise_after_the_header_never_causes_a_panic() {
    let mut random = Random(2);
    for _ in 0..5_000 {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        for _ in 0..random.below(4) {
            let size = random.below(40);
            bytes.extend([random.below(14) as u8, size as u8]);
            bytes.extend((0..size).map(|_| random.below(if size.is_multiple_of(2) { 256 } else { 4 }) as u8));
        }
        if let Ok(module) = verify_bytes(bytes.into(), &Options::default()) {
            visit(&module);
        }
    }
}
