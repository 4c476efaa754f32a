//! Exceptions across frames, tiers, instances and host functions, through the library's interface.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pinfold_vm::api::{
    Caller, Config, Engine, Error, ExnRef, Extern, Func, FuncType, Instance, Linker, Module, Store, StoreLimits, Tag,
    Tier, Trap, TrapKind, Val, ValType,
};

const TIERS: [Tier; 7] =
    [Tier::Interpreter, Tier::Jit, Tier::JitLazy, Tier::Auto, Tier::AlternateEven, Tier::AlternateOdd, Tier::EveryLoop];

fn engine(tier: Tier) -> Engine {
    let mut config = Config::new();
    config.tier(tier).consume_fuel(true);
    Engine::new(&config).unwrap()
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
        store.set_fuel(1 << 40).unwrap();
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
        store.set_fuel(1_000_000).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        assert_eq!(int(&call(&mut store, instance, "f", &[Val::I32(100)]).unwrap()), 5050, "{tier:?}");
        spent.push(1_000_000 - store.get_fuel().unwrap());
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
        store.set_fuel(1 << 40).unwrap();
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
        store.set_fuel(1 << 40).unwrap();
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "fail", || -> Result<(), Error> { Err(Error::host("no")) }).unwrap();
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
            store.set_fuel(1 << 40).unwrap();
            let mut linker = Linker::new(&engine);
            let ty = FuncType::new([ValType::FUNCREF], []);
            linker
                .func_new("host", "call", ty, move |mut caller: Caller<'_, ()>, args, _| {
                    let [Val::FuncRef(Some(func))] = args else { panic!("{args:?}") };
                    let func: Func = *func;
                    let error = func.call(&mut caller, &[], &mut []).unwrap_err();
                    let exception = error.trap().and_then(Trap::exception).unwrap();
                    assert!(matches!(exception.payload(&caller)?[..], [Val::I32(9)]));
                    if pass_on { Err(error) } else { Ok(()) }
                })
                .unwrap();
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
        store.set_fuel(1 << 40).unwrap();
        let tag = Tag::new(&mut store, &[ValType::I32, ValType::EXTERNREF]).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define(&store, "host", "e", Extern::Tag(tag)).unwrap();
        linker
            .func_wrap("host", "throw", move |mut caller: Caller<'_, ()>, n: i32| -> Result<(), Error> {
                let exception = ExnRef::new(&mut caller, &tag, &[Val::I32(n * 2), Val::ExternRef(None)])?;
                Err(exception.into_error())
            })
            .unwrap();
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
        store.set_fuel(1 << 40).unwrap();
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
        let engine = Engine::new(&config).unwrap();
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
        store.set_fuel(1 << 40).unwrap();
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
        store.set_fuel(1 << 40).unwrap();
        let tag = Tag::new(&mut store, &[]).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define(&store, "host", "e", Extern::Tag(tag)).unwrap();
        linker
            .func_wrap("host", "throw", move |mut caller: Caller<'_, ()>| -> Result<i32, Error> {
                Err(ExnRef::new(&mut caller, &tag, &[])?.into_error())
            })
            .unwrap();
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        for n in [0, 1] {
            assert_eq!(int(&call(&mut store, instance, "f", &[Val::I32(n)]).unwrap()), 2, "{tier:?}, {n}");
        }
    }
}

#[test]
fn exceptions_that_are_referred_to_live_and_others_do_not() {
    let text = r#"(module
        (tag $e (param i32))
        (tag $chain (param i32 exnref))
        (global $global (mut exnref) (ref.null exn))
        (global $exported (export "global") (mut exnref) (ref.null exn))
        (table $table (export "table") 4 exnref)
        (func $make (param i32) (result exnref)
            (block $caught (result i32 exnref)
                (try_table (catch_ref $e $caught) (throw $e (local.get 0))) (unreachable))
            (call $second))
        (func $second (param i32 exnref) (result exnref) (local.get 1))
        (func $link (param i32 exnref) (result exnref)
            (block $caught (result i32 exnref exnref)
                (try_table (catch_ref $chain $caught) (throw $chain (local.get 0) (local.get 1))) (unreachable))
            (call $third))
        (func $third (param i32 exnref exnref) (result exnref) (local.get 2))
        ;; What an exception says.
        (func $read (param exnref) (result i32)
            (block $int (result i32)
                (block $caught (result i32 exnref)
                    (try_table (catch $e $int) (catch $chain $caught) (throw_ref (local.get 0))) (unreachable))
                ;; A link: ten times its own number and what it links to.
                (call $sum))
            (return))
        (func $sum (param i32 exnref) (result i32)
            (i32.add (i32.mul (local.get 0) (i32.const 10)) (call $read (local.get 1))))
        (func $garbage (param i32)
            (loop $again
                (drop (call $make (local.get 0)))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "f") (param i32) (result i32) (local $local exnref)
            (local.set $local (call $make (i32.const 1)))
            (global.set $global (call $link (i32.const 2) (call $make (i32.const 3))))
            (global.set $exported (call $make (i32.const 4)))
            (table.set $table (i32.const 3) (call $link (i32.const 5) (call $link (i32.const 6) (call $make (i32.const 7)))))
            (call $make (i32.const 8))
            (call $garbage (local.get 0))
            (call $read)
            (i32.add (i32.mul (i32.const 10) (call $read (local.get $local))))
            (i32.add (i32.mul (i32.const 100) (call $read (global.get $global))))
            (i32.add (i32.mul (i32.const 10000) (call $read (global.get $exported))))
            (i32.add (i32.mul (i32.const 100000) (call $read (table.get $table (i32.const 3)))))))"#;
    let expected = 8 + 10 + 100 * (20 + 3) + 10_000 * 4 + 100_000 * (50 + 60 + 7);
    for tier in TIERS {
        let engine = engine(tier);
        let limits = StoreLimits { memory: 1 << 20, ..StoreLimits::default() };
        let mut store = Store::with_limits(&engine, (), limits);
        store.set_fuel(1 << 40).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        // A hundred thousand objects would be six times the limit.
        for _ in 0..3 {
            assert_eq!(int(&call(&mut store, instance, "f", &[Val::I32(100_000)]).unwrap()), expected, "{tier:?}");
        }
        // A table of live ones counts, and is the guest's to pay for.
        let Val::ExnRef(Some(kept)) = instance.get_global(&store, "global").unwrap().get(&store).unwrap() else {
            panic!("the global holds an exception");
        };
        assert!(matches!(kept.payload(&store).unwrap()[..], [Val::I32(4)]));
    }
}

#[test]
fn exceptions_that_live_count_as_memory() {
    let text = r#"(module
        (tag $e)
        (table $table 100000 exnref)
        (func (export "f") (local $n i32)
            (loop $again
                (table.set $table (local.get $n)
                    (block $caught (result exnref) (try_table (catch_all_ref $caught) (throw $e)) (unreachable)))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br $again))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let limits = StoreLimits { memory: 2 << 20, ..StoreLimits::default() };
        let mut store = Store::with_limits(&engine, (), limits);
        store.set_fuel(1 << 40).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        let error = call(&mut store, instance, "f", &[]).unwrap_err();
        assert_eq!(error.trap().unwrap().kind, TrapKind::OutOfMemory, "{tier:?}");
    }
}
