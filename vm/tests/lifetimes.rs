//! Handles and references that outlive what they came from, through the library's interface.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pinfold_vm::api::{Config, Engine, Error, Func, Instance, Linker, Module, Store, Tier, TrapKind, Val};

const TIERS: [Tier; 3] = [Tier::Interpreter, Tier::Jit, Tier::Auto];

fn engine(tier: Tier) -> Engine {
    let mut config = Config::new();
    config.tier(tier);
    Engine::new(&config)
}

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

fn plain(engine: &Engine, store: &mut Store<()>, text: &str) -> Instance {
    Linker::new(engine).instantiate(store, &module(engine, text)).unwrap()
}

/// Takes the places of what was freed, so that whoever still uses those shows it.
fn overwrite(engine: &Engine, store: &mut Store<()>) {
    for _ in 0..8 {
        plain(engine, store, r#"(module (func (export "f") unreachable) (func unreachable) (func unreachable))"#);
    }
}

#[test]
fn a_stop_from_before_a_run_ends_it() {
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let instance = plain(&engine, &mut store, r#"(module (func (export "f") (loop (br 0))))"#);
        let func = instance.get_func(&store, "f").unwrap();
        let handle = store.interrupt_handle();
        handle.interrupt();
        // If it is lost, this one ends the run, late.
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(2));
            handle.interrupt();
        });
        let start = Instant::now();
        let error = func.call(&mut store, &[], &mut []).unwrap_err();
        assert_eq!(error.trap().unwrap().kind, TrapKind::Interrupted, "{tier:?}");
        assert!(start.elapsed() < Duration::from_secs(1), "{tier:?}");
        late.join().unwrap();
    }
}

#[test]
fn a_function_of_the_store_outlives_an_instance_that_exports_it_on() {
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let own = Func::wrap(&mut store, || 42i32);
        let mut linker: Linker<()> = Linker::new(&engine);
        linker.define("host", "own", pinfold_vm::api::Extern::Func(own));
        let text = r#"(module (import "host" "own" (func $own (result i32))) (export "own" (func $own)))"#;
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let again = instance.get_func(&store, "own").unwrap();
        assert_eq!(again, own, "{tier:?}: a reference into the instance, without it as the owner");
        instance.close(&mut store).unwrap();
        overwrite(&engine, &mut store);
        let mut out = [Val::I32(0)];
        again.call(&mut store, &[], &mut out).unwrap();
        assert!(matches!(out[0], Val::I32(42)), "{tier:?}");
    }
}
