//! Handles and references that outlive what they came from, through the library's interface.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pinfold_vm::api::{AddressType, Config, Engine, Error, Func, Instance, Linker, Module, Store, Tier, TrapKind, Val};

const TIERS: [Tier; 4] = [Tier::Interpreter, Tier::Jit, Tier::Auto, Tier::EveryLoop];

fn engine(tier: Tier) -> Engine {
    let mut config = Config::new();
    config.tier(tier);
    Engine::new(&config).unwrap()
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
fn a_function_that_the_host_returned_lives_as_long_as_who_got_it() {
    for tier in TIERS {
        let engine = engine(tier);
        let mut store: Store<Option<Func>> = Store::new(&engine, None);
        let mut linker = Linker::new(&engine);
        let ty = pinfold_vm::api::FuncType::new([], [pinfold_vm::api::ValType::FUNCREF]);
        linker
            .func_new("host", "give", ty, |caller, _, results| {
                results[0] = Val::FuncRef(*caller.data());
                Ok(())
            })
            .unwrap();
        let giver = module(&engine, r#"(module (func (export "f") (result i32) (i32.const 42)))"#);
        let giver = linker.instantiate(&mut store, &giver).unwrap();
        let taker = r#"(module (import "host" "give" (func $give (result funcref)))
            (type $f (func (result i32))) (table $t 1 funcref)
            (func (export "take") (table.set $t (i32.const 0) (call $give)))
            (func (export "use") (result i32) (call_indirect $t (type $f) (i32.const 0))))"#;
        let taker = linker.instantiate(&mut store, &module(&engine, taker)).unwrap();
        let given = giver.get_func(&store, "f").unwrap();
        *store.data_mut() = Some(given);
        taker.get_func(&store, "take").unwrap().call(&mut store, &[], &mut []).unwrap();
        giver.close(&mut store).unwrap();
        assert!(given.ty(&store).is_ok(), "{tier:?}: freed, although a guest holds it");
        let mut out = [Val::I32(0)];
        taker.get_func(&store, "use").unwrap().call(&mut store, &[], &mut out).unwrap();
        assert!(matches!(out[0], Val::I32(42)), "{tier:?}");
    }
}

#[test]
fn an_instance_that_is_closed_while_it_runs_is_there_until_its_results_are_read() {
    let engine = engine(Tier::Interpreter);
    let mut store = Store::new(&engine, ());
    let mut linker: Linker<()> = Linker::new(&engine);
    linker
        .func_new("host", "close", pinfold_vm::api::FuncType::new([], []), |mut caller, _, _| {
            let instance = caller.instance().unwrap();
            instance.close(&mut caller)
        })
        .unwrap();
    // Large enough that its memory is unmapped when it is freed.
    let text = format!(
        r#"(module (import "host" "close" (func $close)) (elem declare func $f)
        (func $f (export "f") (result funcref) (call $close) (ref.func $f)) {})"#,
        "(func)".repeat(20_000)
    );
    let instance = linker.instantiate(&mut store, &module(&engine, &text)).unwrap();
    let func = instance.get_func(&store, "f").unwrap();
    let mut out = [Val::FuncRef(None)];
    func.call(&mut store, &[], &mut out).unwrap();
    // The reference names the function that it always named, which is gone now.
    assert!(matches!(out[0], Val::FuncRef(Some(same)) if same == func), "{:?}", out[0]);
    assert!(matches!(func.call(&mut store, &[], &mut out), Err(Error::Stale(_))));
}

#[test]
fn a_function_of_the_store_outlives_an_instance_that_exports_it_on() {
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let own = Func::wrap(&mut store, || 42i32);
        let mut linker: Linker<()> = Linker::new(&engine);
        linker.define(&store, "host", "own", pinfold_vm::api::Extern::Func(own)).unwrap();
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

#[test]
fn a_function_that_the_host_makes_during_a_call_can_be_called_at_once() {
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let mut linker: Linker<()> = Linker::new(&engine);
        let ty = pinfold_vm::api::FuncType::new([], [pinfold_vm::api::ValType::FUNCREF]);
        linker
            .func_new("host", "make", ty, |mut caller, _, results| {
                results[0] = Val::FuncRef(Some(Func::wrap(&mut caller, || 42i32)));
                Ok(())
            })
            .unwrap();
        let text = r#"(module (import "host" "make" (func $make (result funcref)))
            (type $f (func (result i32))) (table $t 1 funcref)
            (func (export "f") (result i32)
                (table.set $t (i32.const 0) (call $make))
                (call_indirect $t (type $f) (i32.const 0))))"#;
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let mut out = [Val::I32(0)];
        instance.get_func(&store, "f").unwrap().call(&mut store, &[], &mut out).unwrap();
        assert!(matches!(out[0], Val::I32(42)), "{tier:?}");
    }
}

#[test]
fn a_memory_of_the_host_is_never_larger_than_its_address_space() {
    let engine = engine(Tier::Interpreter);
    let limits = pinfold_vm::api::StoreLimits { memory: u64::MAX, ..Default::default() };
    let mut store = Store::with_limits(&engine, (), limits);
    for (address, most) in [(AddressType::I32, 1 << 16), (AddressType::I64, 1 << 48)] {
        let limits = pinfold_vm::api::Limits { min: most + 1, max: None };
        assert!(pinfold_vm::api::Memory::new(&mut store, pinfold_vm::api::MemoryType { address, limits }).is_err());
    }
}
