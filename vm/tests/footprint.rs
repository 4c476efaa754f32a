//! What instances leave behind in the process: nothing. The only test of its process, since it reads how much memory
//! the whole of it has.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{Config, Engine, Linker, Module, Store, Tier};

/// How many instances, by tier: a million of the default one where that is quick.
const TURNS: [(Tier, usize); 3] = [
    (Tier::Interpreter, 100_000),
    (Tier::Jit, 100_000),
    (Tier::Auto, if cfg!(debug_assertions) { 100_000 } else { 1_000_000 }),
];

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn instances_give_back_all_their_memory() {
    let text = r#"(module (memory (export "memory") 1 4) (table 10 funcref) (elem (i32.const 0) $f)
        (global (mut i32) (i32.const 1))
        (func $f (export "f") (result i32) (i32.store (i32.const 8) (i32.const 9)) (i32.load (i32.const 8))))"#;
    for (tier, turns) in TURNS {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let linker = Linker::new(&engine);
        let mut store = Store::new(&engine, ());
        let mut before = 0;
        for turn in 0..turns {
            let instance = linker.instantiate(&mut store, &module).unwrap();
            if turn % 10 == 0 {
                let f = instance.get_typed_func::<(), i32>(&store, "f").unwrap();
                assert_eq!(f.call(&mut store, ()).unwrap(), 9);
            }
            instance.close(&mut store).unwrap();
            if turn == 10_000 {
                before = resident();
            }
        }
        assert_eq!(store.memory_used().0, 0, "{tier:?}");
        let grown = resident().saturating_sub(before);
        println!("{tier:?}: {} instances later the process is {grown} bytes larger", turns - 10_000);
        assert!(grown < 8 << 20, "{tier:?}: {grown} bytes were kept");
    }
}
