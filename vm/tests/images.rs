//! Instances of a module with much data share it until they write to it.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{Config, Engine, Instance, Linker, MemoryKind, Module, Store, Tier};

/// Segments that overlap, leave gaps, and reach the memory's last byte.
fn text() -> String {
    let long: String = (0..100_000).map(|n| format!("\\{:02x}", n * 7 % 251)).collect();
    format!(
        r#"(module (memory (export "memory") 4 8)
            (data (i32.const 5) "{long}") (data (i32.const 4090) "over the first") (data $passive "passive")
            (data (i32.const 200000) "far") (data (i32.const 262140) "last")
            (func (export "init") (param i32)
                (memory.init $passive (i32.const 0) (i32.const 0) (local.get 0)))
            (func (export "again") (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))))"#
    )
}

#[test]
fn every_instance_sees_the_data_and_no_other_s_writes() {
    for kind in [MemoryKind::Reserved, MemoryKind::Dynamic] {
        let engine = Engine::new(Config::new().tier(Tier::Interpreter).memory(kind)).unwrap();
        let module = Module::new(&engine, wat::parse_str(text()).unwrap()).unwrap();
        let linker = Linker::new(&engine);
        let mut store = Store::new(&engine, ());
        let instances: Vec<Instance> = (0..4).map(|_| linker.instantiate(&mut store, &module).unwrap()).collect();
        let first = instances[0].get_memory(&store, "memory").unwrap().data(&store).unwrap().to_vec();
        assert_eq!(first.len(), 4 << 16);
        assert_eq!(first[4090..4104], *b"over the first");
        assert_eq!((first[4], first[5], first[12]), (0, 0, 49));
        assert_eq!(first[262_140..], *b"last");
        for (n, instance) in instances.iter().enumerate() {
            let memory = instance.get_memory(&store, "memory").unwrap();
            assert!(memory.data(&store).unwrap() == first, "{kind:?}, instance {n}");
            memory.data_mut(&mut store).unwrap().fill(n as u8);
            // It grows as any other.
            assert_eq!(memory.grow(&mut store, 2).unwrap(), 4);
            assert!(memory.data(&store).unwrap()[4 << 16..].iter().all(|byte| *byte == 0));
        }
        for (n, instance) in instances.iter().enumerate() {
            let memory = instance.get_memory(&store, "memory").unwrap();
            assert!(memory.data(&store).unwrap()[..4 << 16].iter().all(|byte| *byte == n as u8), "{kind:?}");
            // Passive segments are still there, active ones are not.
            instance.get_typed_func::<(i32,), ()>(&store, "init").unwrap().call(&mut store, (7,)).unwrap();
            assert_eq!(memory.data(&store).unwrap()[..7], *b"passive");
            assert!(instance.get_typed_func::<(), ()>(&store, "again").unwrap().call(&mut store, ()).is_err());
        }
    }
}

#[test]
fn a_segment_that_does_not_fit_fails_in_every_instance() {
    let long = "x".repeat(70_000);
    let text = format!(r#"(module (memory 2) (data (i32.const 0) "{long}") (data (i32.const 131070) "abc"))"#);
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    for _ in 0..3 {
        assert!(Linker::new(&engine).instantiate(&mut store, &module).is_err());
    }
}
