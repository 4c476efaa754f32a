//! Several memories, and 64-bit memories and tables, as the host sees them.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{
    AddressType, Config, Engine, Error, Func, Instance, Limits, Linker, Memory, MemoryKind, MemoryType, Module, Store,
    StoreLimits, Table, TableType, Tier, TrapKind, Val, ValType,
};
use pinfold_vm::host::{Grants, HostState};
use pinfold_vm::verifier::Options;

const PAGE: u64 = 64 << 10;

/// Each tier with each kind of memory.
fn engines() -> Vec<Engine> {
    let mut engines = Vec::new();
    for tier in [Tier::Interpreter, Tier::Jit] {
        for kind in [MemoryKind::Reserved, MemoryKind::Dynamic] {
            engines.push(Engine::new(Config::new().tier(tier).memory(kind)).unwrap());
        }
    }
    engines
}

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

fn instance(store: &mut Store<()>, engine: &Engine, text: &str) -> Result<Instance, Error> {
    Linker::new(engine).instantiate(store, &module(engine, text))
}

fn limits(pages: u64, softly: bool) -> StoreLimits {
    StoreLimits { memory: pages * PAGE, grow_fails_softly: softly, ..StoreLimits::default() }
}

#[test]
fn all_memories_count_against_one_limit() {
    for engine in engines() {
        let mut store = Store::with_limits(&engine, (), limits(10, true));
        let text = r#"(module (memory $a 3) (memory $b i64 4)
            (func (export "a") (param i32) (result i32) (memory.grow $a (local.get 0)))
            (func (export "b") (param i64) (result i64) (memory.grow $b (local.get 0))))"#;
        let guest = instance(&mut store, &engine, text).unwrap();
        let a = guest.get_typed_func::<(i32,), i32>(&store, "a").unwrap();
        let b = guest.get_typed_func::<(i64,), i64>(&store, "b").unwrap();
        assert_eq!(b.call(&mut store, (2,)).unwrap(), 4);
        assert_eq!(a.call(&mut store, (2,)).unwrap(), -1);
        assert_eq!(b.call(&mut store, (2,)).unwrap(), -1);
        assert_eq!(a.call(&mut store, (1,)).unwrap(), 3);
        assert_eq!(b.call(&mut store, (0,)).unwrap(), 6);
        assert!(matches!(instance(&mut store, &engine, "(module (memory i64 1))"), Err(Error::Instantiate(_))));
    }
}

#[test]
fn growth_of_a_64_bit_memory_beyond_the_store_s_limit_ends_the_program() {
    for engine in engines() {
        let mut store = Store::with_limits(&engine, (), limits(4, false));
        let text = r#"(module (memory i64 1 0x1_0000_0000_0000)
            (func (export "grow") (param i64) (result i64) (memory.grow (local.get 0))))"#;
        let guest = instance(&mut store, &engine, text).unwrap();
        let grow = guest.get_typed_func::<(i64,), i64>(&store, "grow").unwrap();
        // Beyond what addresses reach, no memory may ever grow: that is an answer.
        for pages in [-1, i64::MIN, 1 << 48] {
            assert_eq!(grow.call(&mut store, (pages,)).unwrap(), -1);
        }
        assert_eq!(grow.call(&mut store, (3,)).unwrap(), 1);
        for pages in [1, (1 << 48) - 4] {
            match grow.call(&mut store, (pages,)) {
                Err(Error::Trap(trap)) => assert_eq!(trap.kind, TrapKind::OutOfMemory),
                other => panic!("{pages} pages: {other:?}"),
            }
        }
    }
}

#[test]
fn what_cannot_exist_is_an_error_and_nothing_worse() {
    for engine in engines() {
        let limits = StoreLimits {
            memory: u64::MAX,
            table_elements: u64::MAX,
            grow_fails_softly: true,
            ..StoreLimits::default()
        };
        let mut store = Store::with_limits(&engine, (), limits);
        for min in [1 << 40, 1 << 48, (1 << 48) + 1, u64::MAX] {
            let ty = MemoryType { address: AddressType::I64, limits: Limits { min, max: None } };
            assert!(Memory::new(&mut store, ty).is_err(), "{min} pages");
        }
        for min in [1 << 60, u64::MAX] {
            let limits = Limits { min, max: None };
            let ty = TableType { address: AddressType::I64, element: ValType::FUNCREF, limits };
            assert!(Table::new(&mut store, ty, &Val::FuncRef(None)).is_err(), "{min} elements");
        }
        let text = r#"(module (memory i64 0) (table i64 0 externref)
            (func (export "memory") (param i64) (result i64) (memory.grow (local.get 0)))
            (func (export "table") (param i64) (result i64) (table.grow (ref.null extern) (local.get 0))))"#;
        let guest = instance(&mut store, &engine, text).unwrap();
        for (export, delta) in [("memory", 1 << 40), ("memory", -1), ("table", 1 << 60), ("table", -1)] {
            let grow = guest.get_typed_func::<(i64,), i64>(&store, export).unwrap();
            assert_eq!(grow.call(&mut store, (delta,)).unwrap(), -1, "{export} by {delta}");
            assert_eq!(grow.call(&mut store, (0,)).unwrap(), 0, "{export} after {delta}");
        }
        assert_eq!(store.memory_used().0, 0);
    }
}

#[test]
fn a_module_that_wants_what_cannot_exist_is_not_instantiated() {
    let mut options = Options::default();
    options.limits.memory_pages = u64::MAX;
    options.limits.table_elements = u64::MAX;
    for tier in [Tier::Interpreter, Tier::Jit] {
        for kind in [MemoryKind::Reserved, MemoryKind::Dynamic] {
            let engine = Engine::new(Config::new().tier(tier).memory(kind).verifier(options.clone())).unwrap();
            let limits = StoreLimits { memory: u64::MAX, table_elements: u64::MAX, ..StoreLimits::default() };
            let mut store = Store::with_limits(&engine, (), limits);
            for (item, access) in [
                ("(memory i64 0x1_0000_0000_0000)", "(i32.load8_u (local.get 0))"),
                ("(memory i64 0xffff_ffff_ffff)", "(i32.load offset=0xffff_ffff (local.get 0))"),
                ("(table i64 0xffff_ffff_ffff_ffff externref)", "(ref.is_null (table.get (local.get 0)))"),
                ("(memory 1) (table i64 0x1000_0000_0000_0000 externref)", "(ref.is_null (table.get (local.get 0)))"),
            ] {
                let text = format!("(module {item} (func (export \"f\") (param i64) (result i32) {access}))");
                let made = instance(&mut store, &engine, &text);
                assert!(matches!(made, Err(Error::Instantiate(_))), "{item}: {made:?}");
            }
            assert_eq!(store.memory_used().0, 0);
        }
    }
}

#[test]
fn the_host_grows_and_reads_64_bit_memories_and_tables() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let ty = MemoryType { address: AddressType::I64, limits: Limits { min: 1, max: Some(3) } };
        let memory = Memory::new(&mut store, ty).unwrap();
        assert_eq!(memory.ty(&store).unwrap(), ty);
        let ty = TableType { address: AddressType::I64, element: ValType::EXTERNREF, limits: ty.limits };
        let table = Table::new(&mut store, ty, &Val::ExternRef(None)).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define(&store, "host", "memory", memory).unwrap().define(&store, "host", "table", table).unwrap();
        let text = r#"(module (import "host" "memory" (memory i64 1)) (import "host" "table" (table i64 1 externref))
            (func (export "read") (param i64) (result i32) (i32.load8_u (local.get 0)))
            (func (export "sizes") (result i64) (i64.add (i64.shl (memory.size) (i64.const 8)) (table.size 0))))"#;
        let guest = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let read = guest.get_typed_func::<(i64,), i32>(&store, "read").unwrap();
        let sizes = guest.get_typed_func::<(), i64>(&store, "sizes").unwrap();
        assert!(read.call(&mut store, (PAGE as i64,)).is_err());
        assert_eq!(
            memory.grow(&mut store, 1 << 33).unwrap_err().to_string(),
            "8589934592 more pages for a memory of 1 does not fit: it may have 3, and the memory limit is 268435456 bytes in all, of which 65544 are used"
        );
        assert_eq!(memory.grow(&mut store, 1).unwrap(), 1);
        let refused = table.grow(&mut store, 1 << 33, &Val::ExternRef(None)).unwrap_err();
        assert!(
            refused.to_string().starts_with("8589934592 more elements for a table of 1 does not fit: it may have 3, "),
            "{refused}"
        );
        assert_eq!(table.grow(&mut store, 2, &Val::ExternRef(None)).unwrap(), 1);
        memory.write(&mut store, 2 * PAGE as usize - 1, &[77]).unwrap();
        assert_eq!(read.call(&mut store, (2 * PAGE as i64 - 1,)).unwrap(), 77);
        assert_eq!(sizes.call(&mut store, ()).unwrap(), 0x203);
    }
}

#[test]
fn a_name_is_defined_once_unless_it_is_said_otherwise() {
    let text = r#"(module (import "a" "f" (func (result i32))) (export "f" (func 0)))"#;
    let engine = Engine::default();
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let mut linker = Linker::new(&engine);
    linker.func_wrap("a", "f", || 1).unwrap().func_wrap("a", "g", || 2).unwrap();
    let second = linker.func_wrap("a", "f", || 3).map(drop).unwrap_err();
    assert_eq!(second.to_string(), "a::f is defined already");
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    assert!(matches!(linker.define(&store, "a", "f", memory), Err(Error::Defined { .. })));
    assert!(matches!(linker.define(&other, "b", "m", memory), Err(Error::Stale(_))));
    assert!(!linker.has("b", "m"));
    let call = |linker: &Linker<()>, store: &mut Store<()>| {
        let guest = linker.instantiate(&mut *store, &module(&engine, text)).unwrap();
        guest.get_typed_func::<(), i32>(&*store, "f").unwrap().call(store, ()).unwrap()
    };
    assert_eq!(call(&linker, &mut other), 1);
    linker.allow_shadowing(true).func_wrap("a", "f", || 3).unwrap();
    assert_eq!(call(&linker, &mut other), 3);
}

#[test]
fn imports_are_given_in_the_module_s_order() {
    let text = r#"(module (import "a" "memory" (memory 1 2)) (import "a" "shift" (func $shift (param i32) (result i32)))
        (func (export "read") (param i32) (result i32) (i32.load8_u (call $shift (local.get 0)))))"#;
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let memory = Memory::new(&mut store, MemoryType::new(1, Some(2))).unwrap();
        let shift = Func::wrap(&mut store, |at: i32| at + 7);
        let guest = Instance::new(&mut store, &module, &[memory.into(), shift.into()]).unwrap();
        memory.write(&mut store, 10, &[99]).unwrap();
        assert_eq!(guest.get_typed_func::<i32, i32>(&store, "read").unwrap().call(&mut store, 3).unwrap(), 99);
        assert_eq!(memory.data_size(&store).unwrap() as u64, PAGE);
        for wrong in [vec![], vec![memory.into()], vec![memory.into(), shift.into(), shift.into()]] {
            assert!(matches!(Instance::new(&mut store, &module, &wrong), Err(Error::Type(_))), "{wrong:?}");
        }
        let swapped = Instance::new(&mut store, &module, &[shift.into(), memory.into()]);
        assert!(matches!(&swapped, Err(Error::Link(problems)) if problems.len() == 2), "{swapped:?}");
        let mut other = Store::new(&engine, ());
        let theirs = Instance::new(&mut other, &module, &[memory.into(), shift.into()]);
        assert!(matches!(theirs, Err(Error::Stale(_))), "{theirs:?}");
    }
}

#[test]
fn addresses_of_another_size_do_not_link() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    for (ours, theirs, what) in [
        ("(memory (export \"x\") 1)", "(import \"a\" \"x\" (memory i64 1))", "memory i64 1.. pages"),
        ("(memory (export \"x\") i64 1)", "(import \"a\" \"x\" (memory 1))", "memory i64 1.. pages"),
        ("(table (export \"x\") 1 funcref)", "(import \"a\" \"x\" (table i64 1 funcref))", "table i64 1.. funcref"),
        ("(table (export \"x\") i64 1 funcref)", "(import \"a\" \"x\" (table 1 funcref))", "table i64 1.. funcref"),
    ] {
        let exporter = instance(&mut store, &engine, &format!("(module {ours})")).unwrap();
        let mut linker = Linker::new(&engine);
        linker.instance(&store, "a", exporter).unwrap();
        let importer = module(&engine, &format!("(module {theirs})"));
        match linker.instantiate(&mut store, &importer) {
            Err(error @ Error::Link(_)) => assert!(error.to_string().contains(what), "{error}"),
            other => panic!("{theirs}: {other:?}"),
        }
    }
}

/// Writes 16 bytes of its own arguments' size to address 8 and 12 by WASI, and reads what is there in each memory.
fn wasi_module(memories: &str) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
            {memories}
            (func (export "ask") (result i32) (call $sizes (i32.const 8) (i32.const 12))))"#
    )
}

fn argument_count_in(memories: &str, export: &str) -> u8 {
    let engine = Engine::default();
    let mut grants = Grants::command();
    grants.args = vec!["program".into(), "one".into(), "two".into()];
    let mut store = Store::new(&engine, HostState::new(&grants).unwrap());
    let mut linker = Linker::new(&engine);
    linker.host_table(&grants, |state| state);
    let guest = linker.instantiate(&mut store, &module(&engine, &wasi_module(memories))).unwrap();
    assert_eq!(guest.get_typed_func::<(), i32>(&store, "ask").unwrap().call(&mut store, ()).unwrap(), 0);
    guest.get_memory(&store, export).unwrap().data(&store).unwrap()[8]
}

#[test]
fn wasi_works_on_the_memory_that_is_exported_as_memory() {
    let memories = r#"(memory (export "first") 1) (memory (export "memory") 1) (memory (export "third") 1)"#;
    assert_eq!(argument_count_in(memories, "memory"), 3);
    assert_eq!(argument_count_in(memories, "first"), 0);
    assert_eq!(argument_count_in(memories, "third"), 0);
}

#[test]
fn wasi_works_on_the_first_memory_if_none_is_exported_as_memory() {
    assert_eq!(argument_count_in(r#"(memory (export "first") 1) (memory (export "second") 1)"#, "first"), 3);
}

#[test]
fn wasi_s_addresses_reach_the_first_4_gib_of_a_64_bit_memory() {
    assert_eq!(argument_count_in(r#"(memory (export "memory") i64 1)"#, "memory"), 3);
}

#[test]
fn instances_of_a_module_with_a_64_bit_memory_share_its_data_until_they_write() {
    let long: String = (0..100_000).map(|n| format!("\\{:02x}", n * 11 % 251)).collect();
    let text = format!(r#"(module (memory (export "memory") i64 2) (data (i64.const 7) "{long}"))"#);
    for engine in engines() {
        let module = module(&engine, &text);
        let mut store = Store::new(&engine, ());
        for n in 0..3 {
            let guest = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
            let memory = guest.get_memory(&store, "memory").unwrap();
            let bytes = memory.data_mut(&mut store).unwrap();
            assert_eq!((bytes[6], bytes[8], bytes[7 + 99_999], bytes[7 + 100_000]), (0, 11, 107, 0), "instance {n}");
            bytes.fill(9);
        }
    }
}
