//! Exceptions across frames, tiers, instances and host functions, through the library's interface.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pinfold_vm::api::{
    Caller, Config, Engine, Error, ExnRef, Extern, Func, FuncType, Instance, Linker, Module, Store, StoreLimits, Tag,
    Tier, Trap, TrapKind, Val, ValType,
};

const TIERS: [Tier; 6] =
    [Tier::Interpreter, Tier::Jit, Tier::JitLazy, Tier::Auto, Tier::AlternateEven, Tier::AlternateOdd];

fn engine(tier: Tier) -> Engine {
    let mut config = Config::new();
    config.tier(tier).fuel(true);
    Engine::new(&config)
}

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, args: &[Val]) -> Result<Vec<Val>, Error> {
    let func = instance.get_func(&*store, name).unwrap();
    let mut results: Vec<Val> = func.ty(&*store).unwrap().results().iter().map(|ty| Val::zero(*ty)).collect();
    func.call(store, args, &mut results).map(|()| results)
}

fn int(values: &[Val]) -> i32 {
    let [Val::I32(value)] = values else { panic!("{values:?}") };
    *value
}

#[test]
fn a_throw_passes_a_thousand_frames_of_either_tier_and_both() {
    let text = r#"(module
        (tag $e (param i32 i64))
        (tag $other)
        ;; Two functions take turns, so that alternating tiers alternate here.
        (func $a (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (throw $e (i32.const 42) (i64.const 43))))
            (i32.add (call $b (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
        (func $b (param i32) (result i32)
            ;; Every other frame would take something else.
            (block (try_table (catch $other 0)
                (return (i32.add (call $a (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))
            (unreachable))
        (func (export "f") (param i32) (result i32)
            (block $caught (result i32 i64)
                (try_table (catch $e $caught) (drop (call $a (local.get 0))))
                (unreachable))
            (i32.wrap_i64) (i32.sub)))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::with_limits(&engine, (), StoreLimits { stack: 8 << 20, ..StoreLimits::default() });
        store.set_fuel(1 << 40);
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        for depth in [0, 2, 10, 1000, 1000] {
            assert_eq!(int(&call(&mut store, instance, "f", &[Val::I32(depth)]).unwrap()), -1, "{tier:?}, {depth}");
        }
    }
}

#[test]
fn both_tiers_count_the_same_fuel_for_what_is_thrown_and_caught() {
    let text = r#"(module
        (tag $e (param i32))
        (func $thrower (param i32) (result i32)
            (if (i32.and (local.get 0) (i32.const 1)) (then (throw $e (local.get 0))))
            (local.get 0))
        (func (export "f") (param i32) (result i32) (local $sum i32)
            (loop $again
                (local.set $sum (i32.add (local.get $sum)
                    (block $caught (result i32)
                        (try_table (result i32) (catch $e $caught) (call $thrower (local.get 0))))))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get $sum)))"#;
    let mut spent = Vec::new();
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        store.set_fuel(1_000_000);
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        assert_eq!(int(&call(&mut store, instance, "f", &[Val::I32(100)]).unwrap()), 5050, "{tier:?}");
        spent.push(1_000_000 - store.fuel());
    }
    assert!(spent[0] > 500 && spent.iter().all(|fuel| *fuel == spent[0]), "{spent:?}");
}

#[test]
fn an_exception_that_nobody_catches_is_a_trap_that_says_where_it_was_thrown() {
    let text = r#"(module
        (tag $e (export "e") (param i32 f64))
        (tag $other (param i32 f64))
        (func $thrower (throw $e (i32.const 5) (f64.const 0.5)))
        (func $between
            (block (result i32 f64) (try_table (catch $other 0) (call $thrower)) (return)) (drop) (drop))
        (func $f (export "f") (call $between)))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 40);
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        let error = call(&mut store, instance, "f", &[]).unwrap_err();
        let trap = error.trap().unwrap();
        assert_eq!(trap.kind, TrapKind::UncaughtException, "{tier:?}");
        let names: Vec<&str> = trap.frames.iter().filter_map(|frame| frame.name.as_deref()).collect();
        assert_eq!(names, ["thrower", "between", "f"], "{tier:?}");
        let exception = trap.exception().unwrap();
        let tag = instance.get_tag(&store, "e").unwrap();
        assert!(exception.is(&store, &tag).unwrap());
        assert_eq!(exception.ty(), &FuncType::new([ValType::I32, ValType::F64], []));
        let payload = exception.payload(&store).unwrap();
        assert!(matches!(payload[..], [Val::I32(5), Val::F64(bits)] if f64::from_bits(bits) == 0.5), "{payload:?}");
        // Its own store only.
        let other = Store::new(&engine, ());
        assert!(exception.payload(&other).is_err());
    }
}

#[test]
fn traps_and_errors_of_the_host_are_not_caught() {
    let text = r#"(module
        (import "host" "fail" (func $fail))
        (memory 1)
        (func $recurse (call $recurse))
        (func (export "f") (param i32)
            (block $caught
                (try_table (catch_all $caught)
                    (block $fail (block $null (block $deep (block $memory (block $unreachable
                        (br_table $unreachable $memory $deep $null $fail (local.get 0)))
                        (unreachable))
                        (drop (i32.load (i32.const -1))))
                        (call $recurse))
                        (throw_ref (ref.null exn)))
                    (call $fail)))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 40);
        let mut linker = Linker::new(&engine);
        linker.func("host", "fail", || -> Result<(), Error> { Err(Error::host("no")) });
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let kinds = [
            TrapKind::Unreachable,
            TrapKind::MemoryOutOfBounds,
            TrapKind::StackExhausted,
            TrapKind::NullException,
            TrapKind::Host,
        ];
        for (n, kind) in (0..).zip(kinds) {
            let error = call(&mut store, instance, "f", &[Val::I32(n)]).unwrap_err();
            assert_eq!(error.trap().unwrap().kind, kind, "{tier:?}");
        }
    }
}

/// A guest that lets the host call `inner`, which throws; and what comes of that.
const THROUGH_THE_HOST: &str = r#"(module
    (import "host" "call" (func $call (param funcref)))
    (tag $e (export "e") (param i32))
    (elem declare func $inner)
    (func $inner (throw $e (i32.const 9)))
    (func (export "f") (result i32)
        (block $caught (result i32)
            (try_table (catch $e $caught) (call $call (ref.func $inner)))
            (i32.const -1))))"#;

#[test]
fn a_host_function_may_pass_an_exception_on_or_keep_it() {
    for tier in TIERS {
        for pass_on in [true, false] {
            let engine = engine(tier);
            let mut store = Store::new(&engine, ());
            store.set_fuel(1 << 40);
            let mut linker = Linker::new(&engine);
            let ty = FuncType::new([ValType::FuncRef], []);
            linker.func_new("host", "call", ty, move |mut caller: Caller<'_, ()>, args, _| {
                let [Val::FuncRef(Some(func))] = args else { panic!("{args:?}") };
                let func: Func = *func;
                let error = func.call(&mut caller, &[], &mut []).unwrap_err();
                let exception = error.trap().and_then(Trap::exception).unwrap();
                assert!(matches!(exception.payload(&caller)?[..], [Val::I32(9)]));
                if pass_on { Err(error) } else { Ok(()) }
            });
            let instance = linker.instantiate(&mut store, &module(&engine, THROUGH_THE_HOST)).unwrap();
            let result = int(&call(&mut store, instance, "f", &[]).unwrap());
            assert_eq!(result, if pass_on { 9 } else { -1 }, "{tier:?}");
        }
    }
}

#[test]
fn a_host_function_throws_what_a_guest_catches() {
    let text = r#"(module
        (import "host" "e" (tag $e (param i32 externref)))
        (import "host" "throw" (func $throw (param i32)))
        (func (export "f") (param i32) (result i32)
            (block $caught (result i32 externref exnref)
                (try_table (catch_ref $e $caught) (call $throw (local.get 0)))
                (return (i32.const -1)))
            (drop) (drop)))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 40);
        let tag = Tag::new(&mut store, &[ValType::I32, ValType::ExternRef]);
        let mut linker = Linker::new(&engine);
        linker.define("host", "e", Extern::Tag(tag));
        linker.func("host", "throw", move |mut caller: Caller<'_, ()>, n: i32| -> Result<(), Error> {
            let exception = ExnRef::new(&mut caller, &tag, &[Val::I32(n * 2), Val::ExternRef(None)])?;
            Err(exception.into_error())
        });
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        assert_eq!(int(&call(&mut store, instance, "f", &[Val::I32(21)]).unwrap()), 42, "{tier:?}");
        // Of the wrong type it is none.
        assert!(ExnRef::new(&mut store, &tag, &[Val::I32(1)]).is_err());
        assert!(ExnRef::new(&mut store, &tag, &[Val::I32(1), Val::I32(1)]).is_err());
    }
}

#[test]
fn tags_are_told_apart_by_who_defined_them() {
    let text = r#"(module
        (import "a" "e" (tag $imported (param i32)))
        (import "a" "throw" (func $throw (param i32)))
        (tag $own (param i32))
        (func (export "f") (param i32) (result i32)
            (block $other (result i32)
                (block $caught (result i32)
                    (try_table (catch $own $other) (catch $imported $caught) (call $throw (local.get 0)))
                    (unreachable))
                (return))
            (drop) (unreachable)))"#;
    let exporter = r#"(module (tag $e (export "e") (param i32))
        (func (export "throw") (param i32) (throw $e (local.get 0))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 40);
        let mut linker = Linker::new(&engine);
        let a = linker.instantiate(&mut store, &module(&engine, exporter)).unwrap();
        linker.instance(&store, "a", a).unwrap();
        let b = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        assert_eq!(int(&call(&mut store, b, "f", &[Val::I32(3)]).unwrap()), 3, "{tier:?}");
        // What is not of the tag's type cannot be imported.
        let other = module(&engine, r#"(module (import "a" "e" (tag (param i64))))"#);
        assert!(matches!(linker.instantiate(&mut store, &other), Err(Error::Link(_))));
    }
}

#[test]
fn an_endless_row_of_throws_can_be_stopped() {
    let text = r#"(module
        (tag $e)
        (func $thrower (throw $e))
        (func (export "f") (loop $again (try_table (catch_all $again) (call $thrower)))))"#;
    for tier in TIERS {
        let mut config = Config::new();
        config.tier(tier);
        let engine = Engine::new(&config);
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        let start = Instant::now();
        store.set_deadline(Some(start + Duration::from_millis(50)));
        let error = call(&mut store, instance, "f", &[]).unwrap_err();
        assert_eq!(error.trap().unwrap().kind, TrapKind::Timeout, "{tier:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{tier:?}");
    }
}

#[test]
fn a_function_whose_calls_have_too_many_handlers_still_runs() {
    // A nest of clauses, each for a tag of its own, and many calls inside: each call would have a list as long as the nest.
    let depth = 200;
    let tags: String = (0..depth).map(|n| format!("(tag $t{n})")).collect();
    let open: String = (0..depth).map(|n| format!("(try_table (catch $t{n} $out)")).collect();
    let calls = "(call $may)".repeat(2000);
    let text = format!(
        r#"(module {tags} (global $n (mut i32) (i32.const 0))
        (func $may (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (if (i32.eq (global.get $n) (i32.const 1500)) (then (throw $t7))))
        (func (export "f") (result i32) (block $out {open} {calls} {}) (global.get $n)))"#,
        ")".repeat(depth)
    );
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 40);
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, &text)).unwrap();
        assert_eq!(int(&call(&mut store, instance, "f", &[]).unwrap()), 1500, "{tier:?}");
    }
}

#[test]
fn a_tail_call_leaves_the_handlers_of_its_frame() {
    let text = r#"(module
        (type $t (func (result i32)))
        (import "host" "throw" (func $host (result i32)))
        (import "host" "e" (tag $e))
        (table funcref (elem $thrower $host))
        (func $thrower (type $t) (throw $e))
        (func $f (param i32) (result i32)
            (block (try_table (catch_all 0)
                (return_call_indirect (type $t) (local.get 0))))
            (i32.const 1))
        (func (export "f") (param i32) (result i32)
            (block (try_table (catch_all 0)
                (return (call $f (local.get 0)))))
            (i32.const 2)))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 40);
        let tag = Tag::new(&mut store, &[]);
        let mut linker = Linker::new(&engine);
        linker.define("host", "e", Extern::Tag(tag));
        linker.func("host", "throw", move |mut caller: Caller<'_, ()>| -> Result<i32, Error> {
            Err(ExnRef::new(&mut caller, &tag, &[])?.into_error())
        });
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        for n in [0, 1] {
            assert_eq!(int(&call(&mut store, instance, "f", &[Val::I32(n)]).unwrap()), 2, "{tier:?}, {n}");
        }
    }
}
