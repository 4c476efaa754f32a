//! What is kept of a module, and used by another engine.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pinfold_vm::api::{Config, Engine, Error, Instance, Linker, Module, Store, Tier};
use pinfold_vm::runtime::kept::Unfit;

/// Calls, a loop, an exception that is caught, objects that a collector must find, a trap.
const PROGRAM: &str = r#"(module
    (type $pair (struct (field $head i32) (field $tail (ref null $pair))))
    (tag $odd (param i32))
    (memory 1)
    (table 1 10 funcref)
    (elem declare func $fib)
    (func $fib (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                           (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func $check (param i32)
        (if (i32.and (local.get 0) (i32.const 1)) (then (throw $odd (local.get 0)))))
    (func $halves (param $n i32) (result i32) (local $sum i32)
        (loop $next
            (block $caught (result i32)
                (try_table (catch $odd $caught) (call $check (local.get $n)))
                (i32.div_u (local.get $n) (i32.const 2)))
            (local.set $sum (i32.add (local.get $sum)))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func $list (param $n i32) (result i32) (local $list (ref null $pair)) (local $sum i32)
        (loop $next
            (local.set $list (struct.new $pair (local.get $n) (local.get $list)))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (loop $add
            (local.set $sum (i32.add (local.get $sum) (struct.get $pair $head (local.get $list))))
            (br_if $add (i32.eqz (ref.is_null (local.tee $list (struct.get $pair $tail (local.get $list)))))))
        (local.get $sum))
    (func (export "run") (param i32) (result i32)
        (i32.add (call $fib (i32.const 15)) (i32.add (call $halves (local.get 0)) (call $list (local.get 0)))))
    (func (export "grow") (result i32) (table.grow (ref.func $fib) (i32.const 3)))
    (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))))"#;

fn engine(tier: Tier) -> Engine {
    Engine::new(Config::new().tier(tier)).unwrap()
}

/// What the program's exports give, the trap's trace among it.
fn answers(module: &Module, turns: i32) -> String {
    let mut store = Store::new(module.engine(), ());
    let instance: Instance = Linker::new(module.engine()).instantiate(&mut store, module).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&store, "run").unwrap().call(&mut store, turns).unwrap();
    let grow = instance.get_typed_func::<(), i32>(&store, "grow").unwrap().call(&mut store, ()).unwrap();
    let divide = instance.get_typed_func::<i32, i32>(&store, "divide").unwrap();
    let Err(Error::Trap(trap)) = divide.call(&mut store, 0) else { panic!("it does not trap") };
    format!("{run} {grow} {:?} {:?}", trap.kind, trap.frames)
}

fn bytes() -> Vec<u8> {
    wat::parse_str(PROGRAM).unwrap()
}

/// The module in an engine, with what was kept of it if that fits; else why not.
fn within(engine: &Engine, kept: &[u8]) -> Result<Module, Unfit> {
    // SAFETY: kept of these bytes, or damaged by chance.
    let (module, fits) = unsafe { Module::with_kept(engine, bytes(), || Some(kept.to_vec())) }.unwrap();
    fits?;
    module.adopted().transpose().map(|_| module)
}

/// The same, as the first of a new engine.
fn again(tier: Tier, kept: &[u8]) -> Result<Module, Unfit> {
    within(&engine(tier), kept)
}

#[test]
fn compiled_code_is_used_again_and_gives_the_same() {
    let first = Module::new(&engine(Tier::Jit), bytes()).unwrap();
    let expected = answers(&first, 1000);
    let kept = first.keep();
    for tier in [Tier::Jit, Tier::Auto] {
        let second = again(tier, &kept).unwrap();
        // Nothing ran yet: this is what was kept.
        assert_eq!(second.compiled(), 7);
        assert_eq!(answers(&second, 1000), expected);
        // It can be handed on.
        assert_eq!(second.keep().len(), kept.len());
    }
    assert_eq!(answers(&Module::new(&engine(Tier::Interpreter), bytes()).unwrap(), 1000), expected);
}

#[test]
fn translations_are_for_tiers_that_count_alike() {
    let engine = |tier| Engine::new(Config::new().tier(tier).keep_translations(true)).unwrap();
    let tiers = [Tier::Interpreter, Tier::Auto, Tier::EveryLoop];
    for of in tiers {
        let first = Module::new(&engine(of), bytes()).unwrap();
        let expected = answers(&first, 1000);
        let kept = first.keep();
        for tier in tiers {
            let second = within(&engine(tier), &kept).unwrap();
            assert_eq!(answers(&second, 1000), expected, "{of:?} {tier:?}");
            // What does not count turns never comes to compiled code.
            let end = Instant::now() + Duration::from_secs(60);
            while tier == Tier::Auto && second.compiled() == 0 {
                assert!(Instant::now() < end, "nothing turns hot in what was kept under {of:?}");
                answers(&second, 1000);
            }
        }
    }
}

#[test]
fn loops_are_entered_in_kept_code() {
    let first = Module::new(&engine(Tier::EveryLoop), bytes()).unwrap();
    let expected = answers(&first, 3000);
    let loops = first.compiled();
    assert!(loops >= 2, "{loops}");
    let second = again(Tier::Auto, &first.keep()).unwrap();
    assert_eq!(second.compiled(), loops);
    let mut store = Store::new(second.engine(), ());
    let instance = Linker::new(second.engine()).instantiate(&mut store, &second).unwrap();
    instance.get_typed_func::<i32, i32>(&store, "run").unwrap().call(&mut store, 5).unwrap();
    // Far fewer turns than make a loop hot.
    assert!(store.loops_entered() >= 2);
    assert_eq!(answers(&second, 3000), expected);
}

#[test]
fn that_it_is_verified_is_kept_too() {
    let first = Module::new(&engine(Tier::Interpreter), bytes()).unwrap();
    let second = again(Tier::Interpreter, &first.keep()).unwrap();
    assert_eq!((second.compiled(), answers(&second, 10)), (0, answers(&first, 10)));
}

#[test]
fn damage_is_found_wherever_it_is() {
    let kept = Module::new(&engine(Tier::Jit), bytes()).unwrap().keep();
    for at in (0..kept.len()).step_by(37).chain(0..64) {
        let mut damaged = kept.clone();
        damaged[at] ^= 0x10;
        assert!(matches!(again(Tier::Jit, &damaged), Err(Unfit::Damaged)), "byte {at}");
        if at > 0 {
            assert!(matches!(again(Tier::Jit, &kept[..at]), Err(Unfit::Damaged)), "cut at {at}");
        }
    }
}

#[test]
fn it_fits_only_where_it_was_made() {
    let kept = Module::new(&engine(Tier::Jit), bytes()).unwrap().keep();
    let fuel = Engine::new(Config::new().tier(Tier::Jit).consume_fuel(true)).unwrap();
    assert!(matches!(within(&fuel, &kept), Err(Unfit::Elsewhere)));
    let used = engine(Tier::Jit);
    Module::new(&used, wat::parse_str("(module (type (struct (field f64))))").unwrap()).unwrap();
    assert!(matches!(within(&used, &kept), Err(Unfit::Types)));
    assert!(matches!(within(&engine(Tier::Jit), &[]), Err(Unfit::Nothing)));
}

#[test]
fn the_interpreter_takes_no_code() {
    let kept = Module::new(&engine(Tier::Jit), bytes()).unwrap().keep();
    assert_eq!(again(Tier::Interpreter, &kept).unwrap().compiled(), 0);
}
