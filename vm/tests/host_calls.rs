//! References that cross calls between host and guest: as arguments, results and payloads, in both tiers and with a heap that
//! collects at every allocation.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{
    AnyRef, Caller, CompositeType, Config, DefinedFuncType, Engine, EqRef, Error, ExnRef, Extern, ExternRef, FieldType,
    Func, FuncType, I31, Instance, Kind, Linker, Module, Store, StructRef, StructType, SubType, Tag, Tier, Trap,
    TrapKind, TypeGroup, Val, ValType,
};
use pinfold_vm::heap::Checks;

const TIERS: [Tier; 7] =
    [Tier::Interpreter, Tier::Jit, Tier::JitLazy, Tier::Auto, Tier::AlternateEven, Tier::AlternateOdd, Tier::EveryLoop];
const EVERY: Checks = Checks { every_allocation: true, poison: true, verify: true, timed: false };

fn engine(tier: Tier) -> Engine {
    Engine::new(Config::new().tier(tier).heap_checks(EVERY)).unwrap()
}

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

/// `(struct (field (mut i32)))`
fn cell(engine: &Engine) -> StructType {
    StructType::new(engine, [FieldType::mutable(ValType::I32)]).unwrap()
}

fn value(store: impl pinfold_vm::api::AsContext, object: &StructRef) -> i32 {
    object.field(store, 0).unwrap().i32().unwrap()
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, args: &[Val]) -> Result<Vec<Val>, Error> {
    let func = instance.get_func(&*store, name).unwrap();
    let mut results: Vec<Val> = func.ty(&*store).unwrap().results().iter().map(|ty| Val::zero(*ty)).collect();
    func.call(store, args, &mut results).map(|()| results)
}

fn int(store: &mut Store<()>, instance: Instance, name: &str) -> i32 {
    call(store, instance, name, &[]).unwrap()[0].i32().unwrap()
}

fn host_error(error: &Error) -> String {
    let trap = error.trap().unwrap();
    assert_eq!(trap.kind, TrapKind::Host);
    trap.source.as_ref().unwrap().to_string()
}

#[test]
fn a_closure_takes_and_returns_objects_that_move_meanwhile() {
    let text = r#"(module (type $cell (struct (field (mut i32))))
        (import "host" "next" (func $next (param (ref $cell) i32 (ref null $cell)) (result (ref $cell))))
        (func (export "f") (result i32) (local $a (ref $cell)) (local $b (ref $cell))
            (local.set $a (struct.new $cell (i32.const 1)))
            (local.set $b (call $next (local.get $a) (i32.const 20) (struct.new $cell (i32.const 300))))
            (local.set $b (call $next (local.get $b) (i32.const 4000) (ref.null $cell)))
            ;; What the host changed, and what it made.
            (i32.add (i32.mul (struct.get $cell 0 (local.get $a)) (i32.const 10000))
                (struct.get $cell 0 (local.get $b)))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut linker: Linker<()> = Linker::new(&engine);
        linker
            .func_wrap(
                "host",
                "next",
                |mut caller: Caller<'_, ()>,
                 a: StructRef,
                 add: i32,
                 b: Option<StructRef>|
                 -> Result<StructRef, Error> {
                    let ty = a.ty(&caller)?;
                    let sum = value(&caller, &a) + add + b.map_or(0, |b| value(&caller, &b));
                    let made = StructRef::new(&mut caller, &ty, &[Val::I32(sum)])?;
                    caller.gc();
                    a.set_field(&mut caller, 0, &Val::I32(7))?;
                    Ok(made)
                },
            )
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        assert_eq!(int(&mut store, instance, "f"), 7 * 10_000 + 4321, "{tier:?}");
        assert_eq!(store.heap_statistics().roots, 0, "{tier:?}");
    }
}

#[test]
fn what_a_closure_returns_is_looked_at_where_its_type_says_too_little() {
    let text = r#"(module (type $cell (struct (field (mut i32))))
        (import "host" "make" (func $make (param i32) (result (ref $cell))))
        (import "host" "maybe" (func $maybe (param i32) (result (ref null $cell))))
        (func (export "f") (param i32) (result i32) (struct.get $cell 0 (call $make (local.get 0))))
        (func (export "g") (param i32) (result i32) (ref.is_null (call $maybe (local.get 0)))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut linker: Linker<()> = Linker::new(&engine);
        let types = [cell(&engine), StructType::new(&engine, [FieldType::mutable(ValType::I64)]).unwrap()];
        let make = move |mut caller: Caller<'_, ()>, which: i32| -> Result<Option<AnyRef>, Error> {
            Ok(match which {
                0 | 1 => Some(StructRef::new_default(&mut caller, &types[which as usize])?.into()),
                2 => Some(I31::wrapping(3).into()),
                _ => None,
            })
        };
        linker.func_wrap("host", "make", make.clone()).unwrap().func_wrap("host", "maybe", make).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let mut run = |name: &str, which| call(&mut store, instance, name, &[Val::I32(which)]);
        assert_eq!(run("f", 0).unwrap()[0].i32(), Some(0), "{tier:?}");
        assert_eq!(run("g", 0).unwrap()[0].i32(), Some(0), "{tier:?}");
        assert_eq!(run("g", 3).unwrap()[0].i32(), Some(1), "{tier:?}");
        for (name, which) in [("f", 1), ("f", 2), ("f", 3), ("g", 1), ("g", 2)] {
            let error = run(name, which).unwrap_err();
            assert!(host_error(&error).contains("what a host function returned is"), "{tier:?}: {error}");
        }
    }
}

#[test]
fn an_import_gets_a_closure_only_if_it_takes_what_it_is_given() {
    let engine = engine(Tier::Interpreter);
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.func_wrap("host", "struct", |_: Option<StructRef>| {}).unwrap();
    linker.func_wrap("host", "never_null", |_: StructRef| {}).unwrap();
    linker.func_wrap("host", "eq", |any: EqRef| any).unwrap();
    linker.func_wrap("host", "number", |_: i32| {}).unwrap();
    let mut store = Store::new(&engine, ());
    let mut links = |import: &str| {
        let text = format!(r#"(module (type $s (struct)) (type $a (array i8)) (import "host" {import}))"#);
        linker.instantiate(&mut store, &module(&engine, &text)).is_ok()
    };
    for (import, expected) in [
        (r#""struct" (func (param (ref null $s)))"#, true),
        (r#""struct" (func (param (ref $s)))"#, true),
        (r#""struct" (func (param structref))"#, true),
        (r#""struct" (func (param (ref null $a)))"#, false),
        (r#""struct" (func (param eqref))"#, false),
        (r#""struct" (func (param (ref null $s)) (result i32))"#, false),
        (r#""never_null" (func (param (ref $s)))"#, true),
        (r#""never_null" (func (param (ref null $s)))"#, false),
        (r#""eq" (func (param (ref $s)) (result (ref $s)))"#, true),
        (r#""eq" (func (param (ref $a)) (result (ref i31)))"#, true),
        (r#""eq" (func (param (ref $a)) (result anyref))"#, true),
        (r#""eq" (func (param (ref $a)) (result externref))"#, false),
        (r#""eq" (func (param (ref any)) (result (ref eq)))"#, false),
        // Without references a closure is of its own type.
        (r#""number" (func (param i32))"#, true),
        (r#""number" (func (param i64))"#, false),
    ] {
        assert_eq!(links(import), expected, "{import}");
    }
}

#[test]
fn typed_functions_look_at_arguments_that_may_be_of_another_type() {
    let text = r#"(module (type $cell (struct (field (mut i32)))) (type $pair (struct (field i32 i32)))
        (func (export "get") (param (ref $cell)) (result i32) (struct.get $cell 0 (local.get 0)))
        (func (export "both") (param externref anyref i31ref) (result externref anyref i31ref)
            (local.get 0) (local.get 1) (local.get 2))
        (func (export "pass") (param funcref) (result funcref) (local.get 0))
        (func (export "make") (result (ref $pair)) (struct.new $pair (i32.const 1) (i32.const 2))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        let one = StructRef::new(&mut store, &cell(&engine), &[Val::I32(1)]).unwrap();
        let get = instance.get_typed_func::<Option<StructRef>, i32>(&store, "get").unwrap();
        assert_eq!(get.call(&mut store, Some(one.clone())).unwrap(), 1, "{tier:?}");
        assert!(matches!(get.call(&mut store, None), Err(Error::Type(_))), "{tier:?}");
        let pair = instance.get_typed_func::<(), StructRef>(&store, "make").unwrap().call(&mut store, ()).unwrap();
        assert!(matches!(get.call(&mut store, Some(pair.clone())), Err(Error::Type(_))), "{tier:?}");
        let get_any = instance.get_typed_func::<AnyRef, i32>(&store, "get").unwrap();
        assert!(matches!(get_any.call(&mut store, I31::wrapping(1).into()), Err(Error::Type(_))), "{tier:?}");
        assert_eq!(get_any.call(&mut store, one.clone().into()).unwrap(), 1, "{tier:?}");
        assert!(instance.get_typed_func::<ExternRef, i32>(&store, "get").is_err());
        assert!(instance.get_typed_func::<(), I31>(&store, "make").is_err());
        assert!(instance.get_typed_func::<(), Option<EqRef>>(&store, "make").is_ok());
        type Three = (Option<ExternRef>, Option<AnyRef>, Option<I31>);
        let both = instance.get_typed_func::<Three, Three>(&store, "both").unwrap();
        let given = (Some(ExternRef::new(3u8)), Some(one.clone().into()), I31::new(-9));
        let (outside, any, small) = both.call(&mut store, given.clone()).unwrap();
        assert!(
            outside.unwrap().same(&store, given.0.as_ref().unwrap()) && any.unwrap().same(&store, one.as_any()),
            "{tier:?}"
        );
        assert_eq!(small, given.2);
        assert!(matches!(both.call(&mut store, (None, None, None)).unwrap(), (None, None, None)));
        let pass = instance.get_typed_func::<Option<Func>, Option<Func>>(&store, "pass").unwrap();
        assert_eq!(pass.call(&mut store, Some(get.func())).unwrap(), Some(get.func()), "{tier:?}");
    }
}

/// `$base: () -> anyref`, `$special: () -> (ref $cell)` below it, and what is neither.
fn function_types(engine: &Engine) -> [DefinedFuncType; 2] {
    let mut group = TypeGroup::new();
    let base = group.member(0, Kind::Func);
    let func = |result| CompositeType::Func(FuncType::new([], [result]));
    group.push(SubType::new(func(ValType::ANYREF)).open());
    group.push(SubType::new(func(cell(engine).non_null())).under(base));
    let types = group.define(engine).unwrap();
    [0, 1].map(|place| DefinedFuncType::of(engine, types[place]).unwrap())
}

#[test]
fn host_functions_are_of_the_types_that_they_were_given_when_guests_call_them_through_references() {
    let text = r#"(module (type $cell (struct (field (mut i32))))
        (rec (type $base (sub (func (result anyref)))) (type $special (sub final $base (func (result (ref $cell))))))
        (type $plain (func (result anyref)))
        (table $t 4 funcref)
        (func (export "put") (param i32 funcref) (table.set $t (local.get 0) (local.get 1)))
        (func $value (param anyref) (result i32) (struct.get $cell 0 (ref.cast (ref $cell) (local.get 0))))
        (func (export "base") (param i32) (result i32) (call $value (call_indirect $t (type $base) (local.get 0))))
        (func (export "special") (param i32) (result i32)
            (struct.get $cell 0 (call_indirect $t (type $special) (local.get 0))))
        (func (export "plain") (param i32) (result i32) (call $value (call_indirect $t (type $plain) (local.get 0))))
        (func (export "tail") (param i32) (result anyref) (return_call_indirect $t (type $base) (local.get 0)))
        (func (export "through_ref") (param i32) (result i32)
            (call $value (call_ref $base (ref.cast (ref $base) (table.get $t (local.get 0))))))
        (func (export "test") (param i32) (result i32)
            (i32.add (ref.test (ref $base) (table.get $t (local.get 0)))
                (i32.mul (i32.const 10) (ref.test (ref $special) (table.get $t (local.get 0)))))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let [base, special] = function_types(&engine);
        let make = |number| {
            let ty = cell(&engine);
            move |mut caller: Caller<'_, ()>| StructRef::new(&mut caller, &ty, &[Val::I32(number)])
        };
        // Made before there is a heap, and after.
        let first = Func::wrap_with_type(&mut store, &base, make(1)).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module(&engine, text)).unwrap();
        let ty = cell(&engine);
        let second = Func::with_type(&mut store, &special, move |mut caller, _, results| {
            results[0] = StructRef::new(&mut caller, &ty, &[Val::I32(2)])?.into();
            Ok(())
        });
        let third = Func::wrap(&mut store, move || -> Option<AnyRef> { None });
        let functions = [first, second.unwrap(), third];
        for (index, func) in (0..).zip(functions) {
            call(&mut store, instance, "put", &[Val::I32(index), func.into()]).unwrap();
        }
        let mut run = |name: &str, index| match call(&mut store, instance, name, &[Val::I32(index)]) {
            Ok(results) => Ok(results[0].i32().unwrap_or(0)),
            Err(error) => Err(error.trap().unwrap().kind),
        };
        use TrapKind::{CastFailure, IndirectCallTypeMismatch as Mismatch};
        let expected = [
            ("base", [Ok(1), Ok(2), Err(Mismatch)]),
            ("special", [Err(Mismatch), Ok(2), Err(Mismatch)]),
            // The null that the function of the plain type returns is no cell.
            ("plain", [Err(Mismatch), Err(Mismatch), Err(CastFailure)]),
            ("tail", [Ok(0), Ok(0), Err(Mismatch)]),
            ("through_ref", [Ok(1), Ok(2), Err(CastFailure)]),
            ("test", [Ok(1), Ok(11), Ok(0)]),
        ];
        for (name, expected) in expected {
            assert_eq!([0, 1, 2].map(|index| run(name, index)), expected, "{tier:?}: {name}");
        }
        assert_eq!(functions[1].defined_ty(&store).unwrap(), special, "{tier:?}");
    }
}

#[test]
fn an_import_of_a_declared_type_takes_functions_of_it_and_below_only() {
    let engine = engine(Tier::Interpreter);
    let [base, special] = function_types(&engine);
    let mut linker: Linker<()> = Linker::new(&engine);
    let nothing = |_: Caller<'_, ()>, _: &[Val], _: &mut [Val]| Ok(());
    linker.func_with_type("host", "base", &base, nothing).unwrap();
    linker.func_with_type("host", "special", &special, nothing).unwrap();
    linker.func_new("host", "plain", base.func_type(), nothing).unwrap();
    let mut store = Store::new(&engine, ());
    let mut links = |name: &str, ty: &str| {
        let text = format!(
            r#"(module (type $cell (struct (field (mut i32))))
            (rec (type $base (sub (func (result anyref)))) (type $special (sub final $base (func (result (ref $cell))))))
            (type $plain (func (result anyref)))
            (import "host" "{name}" (func (type ${ty}))))"#
        );
        linker.instantiate(&mut store, &module(&engine, &text)).is_ok()
    };
    let table = ["base", "special", "plain"].map(|name| ["base", "special", "plain"].map(|ty| links(name, ty)));
    assert_eq!(table, [[true, false, false], [true, true, false], [false, false, true]]);
    // The type is another engine's, or the closure's is another.
    let foreign = Engine::default();
    let mut other: Linker<()> = Linker::new(&foreign);
    assert!(matches!(other.func_with_type("host", "base", &base, nothing), Err(Error::Stale(_))));
    assert!(matches!(Func::wrap_with_type(&mut store, &base, |_: i32| {}), Err(Error::Type(_))));
    assert!(Func::with_type(&mut Store::new(&foreign, ()), &base, nothing).is_err());
}

#[test]
fn guests_catch_exceptions_but_neither_traps_nor_errors_of_the_host() {
    let text = r#"(module
        (import "host" "fail" (func $fail (param i32)))
        (func (export "f") (param i32) (result i32)
            (block $caught (try_table (catch_all $caught) (call $fail (local.get 0))) (return (i32.const 1)))
            (i32.const 2)))"#;
    #[derive(Debug, thiserror::Error)]
    #[error("broken: {0}")]
    struct Broken(&'static str);
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let mut linker: Linker<()> = Linker::new(&engine);
        let tag = Tag::new(&mut store, &[]).unwrap();
        linker
            .func_wrap("host", "fail", move |mut caller: Caller<'_, ()>, which: i32| -> Result<(), Error> {
                match which {
                    0 => Ok(()),
                    1 => Err(Error::host(Broken("pipe"))),
                    2 => Err(Trap::new(TrapKind::OutOfFuel).into()),
                    3 => panic!("a bug"),
                    _ => Err(ExnRef::new(&mut caller, &tag, &[])?.into_error()),
                }
            })
            .unwrap();
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let mut run = |which| call(&mut store, instance, "f", &[Val::I32(which)]);
        assert_eq!(run(0).unwrap()[0].i32(), Some(1), "{tier:?}");
        let error = run(1).unwrap_err();
        let source = error.trap().unwrap().source.as_ref().unwrap();
        assert_eq!(source.downcast_ref::<Broken>().unwrap().0, "pipe", "{tier:?}");
        assert_eq!(run(2).unwrap_err().trap().unwrap().kind, TrapKind::OutOfFuel, "{tier:?}");
        assert!(host_error(&run(3).unwrap_err()).contains("a bug"), "{tier:?}");
        assert_eq!(run(4).unwrap()[0].i32(), Some(2), "{tier:?}");
    }
}

#[test]
fn an_exceptions_objects_survive_its_way_through_a_host_function() {
    let text = r#"(module (type $cell (struct (field (mut i32))))
        (tag $e (export "e") (param (ref $cell) externref))
        (import "host" "through" (func $through (param i32)))
        (func $thrower (export "thrower") (param i32)
            (throw $e (struct.new $cell (local.get 0)) (extern.convert_any (ref.i31 (i32.const 5)))))
        (func (export "f") (param i32) (result i32)
            (local $kept (ref $cell)) (local $x exnref) (local $o externref)
            (local.set $kept (struct.new $cell (i32.const 1000)))
            (block $caught (result (ref $cell) externref exnref)
                (try_table (catch_ref $e $caught) (call $through (local.get 0)))
                (return (i32.const -1)))
            (local.set $x) (local.set $o)
            (struct.get $cell 0)
            (i32.add (struct.get $cell 0 (local.get $kept)))
            ;; Of the exception itself too.
            (block $again (result (ref $cell) externref)
                (try_table (catch $e $again) (throw_ref (local.get $x))) (unreachable))
            (drop)
            (struct.get $cell 0) (i32.mul (i32.const 10000)) (i32.add)
            (i32.add (i31.get_s (ref.cast (ref i31) (any.convert_extern (local.get $o)))))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store: Store<Option<Instance>> = Store::new(&engine, None);
        let mut linker: Linker<Option<Instance>> = Linker::new(&engine);
        linker
            .func_wrap("host", "through", |mut caller: Caller<'_, Option<Instance>>, which: i32| -> Result<(), Error> {
                let instance = caller.data().unwrap();
                let Some(Extern::Func(thrower)) = instance.get_export(&caller, "thrower") else { panic!() };
                let error = thrower.call(&mut caller, &[Val::I32(which)], &mut []).unwrap_err();
                let exception = error.trap().unwrap().exception().unwrap();
                caller.gc();
                let payload = exception.payload(&caller)?;
                let object = payload[0].any_ref().unwrap().unwrap().to_struct(&caller)?;
                assert_eq!(value(&caller, &object), which);
                object.set_field(&mut caller, 0, &Val::I32(which + 1))?;
                if which % 2 == 0 {
                    return Err(error);
                }
                // One of its own, with the same payload.
                let tag = instance.get_tag(&caller, "e").unwrap();
                let own = ExnRef::new(&mut caller, &tag, &payload)?;
                drop((error, exception, payload, object));
                caller.gc();
                Err(own.into_error())
            })
            .unwrap();
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        *store.data_mut() = Some(instance);
        let f = instance.get_typed_func::<i32, i32>(&store, "f").unwrap();
        for which in [2, 3] {
            assert_eq!(f.call(&mut store, which).unwrap(), 10_001 * (which + 1) + 1005, "{tier:?}");
        }
        assert_eq!(store.heap_statistics().roots, 0, "{tier:?}");
        // Nobody catches it: the host gets it, with what it carries.
        let thrower = instance.get_typed_func::<i32, ()>(&store, "thrower").unwrap();
        let error = thrower.call(&mut store, 8).unwrap_err();
        store.gc();
        let payload = error.trap().unwrap().exception().unwrap().payload(&store).unwrap();
        assert_eq!(value(&store, &payload[0].any_ref().unwrap().unwrap().to_struct(&store).unwrap()), 8, "{tier:?}");
        assert_eq!(payload[1].extern_ref().unwrap().unwrap().as_any().unwrap().as_i31(), Some(5), "{tier:?}");
    }
}

#[test]
fn calls_that_hand_over_references_leave_nothing_behind() {
    const TURNS: u32 = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
    let text = r#"(module (type $cell (struct (field (mut i32))))
        (import "host" "pass" (func $pass (param (ref $cell) externref) (result (ref $cell))))
        (func (export "f") (param (ref $cell) externref) (result (ref $cell))
            (call $pass (local.get 0) (local.get 1))))"#;
    for tier in [Tier::Interpreter, Tier::Jit] {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let mut linker: Linker<()> = Linker::new(&engine);
        linker.func_wrap("host", "pass", |object: StructRef, _: Option<ExternRef>| object).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let f = instance.get_typed_func::<(StructRef, ExternRef), StructRef>(&store, "f").unwrap();
        let ty = cell(&engine);
        let mut object = StructRef::new_default(&mut store, &ty).unwrap();
        let kept = ExternRef::new(1u8);
        for turn in 0..TURNS {
            object = f.call(&mut store, (object, kept.clone())).unwrap();
            if turn % 2 == 0 {
                object = StructRef::new(&mut store, &ty, &[Val::I32(turn as i32)]).unwrap();
            }
        }
        let statistics = store.heap_statistics();
        assert_eq!((statistics.roots, statistics.host_values), (1, 1), "{tier:?}");
        store.gc();
        assert_eq!(store.heap_statistics().used, 8, "{tier:?}: {:?}", store.heap_statistics());
    }
}
