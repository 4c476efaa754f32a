//! Host values that guests hold as `externref`: when they are dropped, and how many there may be.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use pinfold_vm::api::{
    AnyRef, ArrayRef, ArrayType, Caller, Config, Engine, Error, ExnRef, ExternRef, FieldType, Global, GlobalType,
    Instance, Limits, Linker, Module, Store, StoreLimits, StructRef, StructType, Table, TableType, Tag, Tier, Val,
    ValType,
};
use pinfold_vm::heap::Checks;

const TIERS: [Tier; 4] = [Tier::Interpreter, Tier::Jit, Tier::Auto, Tier::EveryLoop];

/// A table of the guest's, in which it keeps what it is given.
const KEEPER: &str = r#"(module (table $t 100 externref)
    (func (export "keep") (param i32 externref) (table.set $t (local.get 0) (local.get 1)))
    (func (export "get") (param i32) (result externref) (table.get $t (local.get 0)))
    (func (export "nothing") (param externref)))"#;

fn keeper(tier: Tier, host_values: usize) -> (Store<()>, Instance) {
    let engine = Engine::new(Config::new().tier(tier)).unwrap();
    let mut store = Store::with_limits(&engine, (), StoreLimits { host_values, ..StoreLimits::default() });
    let module = Module::new(&engine, wat::parse_str(KEEPER).unwrap()).unwrap();
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    (store, instance)
}

fn keep(store: &mut Store<()>, instance: Instance, place: i32, value: Option<ExternRef>) -> Result<(), Error> {
    let keep = instance.get_typed_func::<(i32, Option<ExternRef>), ()>(&*store, "keep").unwrap();
    keep.call(store, (place, value))
}

fn get(store: &mut Store<()>, instance: Instance, place: i32) -> Option<ExternRef> {
    let get = instance.get_typed_func::<i32, Option<ExternRef>>(&*store, "get").unwrap();
    get.call(store, place).unwrap()
}

#[test]
fn a_value_is_dropped_when_a_major_collection_finds_that_no_guest_can_reach_it() {
    for tier in TIERS {
        let (mut store, instance) = keeper(tier, 1000);
        let value = Arc::new(());
        keep(&mut store, instance, 0, Some(ExternRef::new(value.clone()))).unwrap();
        store.gc();
        assert_eq!(Arc::strong_count(&value), 2, "{tier:?}: a guest has it");
        let held = get(&mut store, instance, 0).unwrap();
        keep(&mut store, instance, 0, None).unwrap();
        store.gc();
        assert_eq!(store.heap_statistics().host_values, 0, "{tier:?}");
        assert_eq!(Arc::strong_count(held.downcast_ref::<Arc<()>>().unwrap()), 2, "{tier:?}: the host has it");
        drop(held);
        assert_eq!(Arc::strong_count(&value), 1, "{tier:?}");
        // And with the store.
        keep(&mut store, instance, 0, Some(ExternRef::new(value.clone()))).unwrap();
        drop(store);
        assert_eq!(Arc::strong_count(&value), 1, "{tier:?}");
    }
}

#[test]
fn a_closed_value_is_dropped_at_once_and_guests_references_lead_nowhere() {
    for tier in TIERS {
        let (mut store, instance) = keeper(tier, 1000);
        let value = Arc::new(());
        keep(&mut store, instance, 0, Some(ExternRef::new(value.clone()))).unwrap();
        assert!(get(&mut store, instance, 0).unwrap().close(&mut store).unwrap(), "{tier:?}");
        assert_eq!(Arc::strong_count(&value), 1, "{tier:?}");
        let closed = get(&mut store, instance, 0).unwrap();
        assert!(
            closed.is_closed() && closed.downcast_ref::<Arc<()>>().is_none() && closed.as_any().is_none(),
            "{tier:?}"
        );
        assert!(!closed.clone().close(&mut store).unwrap(), "{tier:?}: closed before");
        // It can still be handed around, and its place is not another's as long as it is.
        keep(&mut store, instance, 1, Some(closed.clone())).unwrap();
        keep(&mut store, instance, 2, Some(ExternRef::new(5u8))).unwrap();
        store.gc();
        keep(&mut store, instance, 3, Some(ExternRef::new(6u8))).unwrap();
        assert!(get(&mut store, instance, 1).unwrap().is_closed(), "{tier:?}");
        assert!(get(&mut store, instance, 0).unwrap().same(&store, &closed), "{tier:?}");
        // Given again, it is another reference.
        let again = ExternRef::new(value.clone());
        keep(&mut store, instance, 4, Some(again.clone())).unwrap();
        assert!(again.clone().close(&mut store).unwrap() && !again.clone().close(&mut store).unwrap(), "{tier:?}");
        keep(&mut store, instance, 5, Some(again)).unwrap();
        assert!(get(&mut store, instance, 4).unwrap().is_closed(), "{tier:?}");
        assert!(get(&mut store, instance, 5).unwrap().downcast_ref::<Arc<()>>().is_some(), "{tier:?}");
    }
}

#[test]
fn what_is_no_host_value_cannot_be_closed() {
    let (mut store, _) = keeper(Tier::Interpreter, 10);
    let ty = StructType::new(store.engine(), []).unwrap();
    let object = AnyRef::from(StructRef::new_default(&mut store, &ty).unwrap()).to_extern(&store).unwrap();
    assert!(matches!(object.close(&mut store), Err(Error::Type(_))));
    assert!(!ExternRef::new(()).close(&mut store).unwrap());
}

#[test]
fn one_value_takes_one_place_however_often_it_is_given() {
    for tier in TIERS {
        let (mut store, instance) = keeper(tier, 2);
        let value = ExternRef::new(1u8);
        for turn in 0..1000 {
            keep(&mut store, instance, turn % 100, Some(value.clone())).unwrap();
        }
        assert_eq!((store.heap_statistics().host_values, store.heap_statistics().major), (1, 0), "{tier:?}");
        assert!(get(&mut store, instance, 7).unwrap().same(&store, &value), "{tier:?}");
        // Two stores keep it each by itself.
        let (mut other, second) = keeper(tier, 2);
        keep(&mut other, second, 0, Some(value.clone())).unwrap();
        assert!(value.clone().close(&mut store).unwrap());
        assert!(get(&mut other, second, 0).unwrap().same(&other, &value), "{tier:?}");
    }
}

#[test]
fn a_shortage_of_places_collects_and_is_an_error_only_if_that_does_not_help() {
    for tier in TIERS {
        let (mut store, instance) = keeper(tier, 8);
        // None of these is kept: places run out again and again.
        let nothing = instance.get_func(&store, "nothing").unwrap();
        let value = Arc::new(());
        for _ in 0..1000 {
            nothing.call(&mut store, &[ExternRef::new(value.clone()).into()], &mut []).unwrap();
        }
        assert_eq!(store.heap_statistics().major, 1000 / 8 - 1, "{tier:?}");
        assert!(Arc::strong_count(&value) <= 9, "{tier:?}");
        for place in 0..8 {
            keep(&mut store, instance, place, Some(ExternRef::new(place))).unwrap();
        }
        let error = keep(&mut store, instance, 8, Some(ExternRef::new(8i32))).unwrap_err();
        assert!(matches!(error, Error::HostValues { limit: 8 }), "{tier:?}: {error}");
        assert_eq!(Arc::strong_count(&value), 1, "{tier:?}");
        // Those that are kept are what they were, and one that goes makes room.
        for place in 0..8 {
            assert_eq!(get(&mut store, instance, place).unwrap().downcast_ref(), Some(&place), "{tier:?}");
        }
        keep(&mut store, instance, 3, None).unwrap();
        keep(&mut store, instance, 3, Some(ExternRef::new(33i32))).unwrap();
        assert_eq!(get(&mut store, instance, 3).unwrap().downcast_ref(), Some(&33), "{tier:?}");
        assert!(keep(&mut store, instance, 9, Some(ExternRef::new(()))).is_err(), "{tier:?}");
    }
}

#[test]
fn a_collection_for_one_argument_moves_the_others_with_it() {
    let text = r#"(module (type $cell (struct (field (mut i32))))
        (func (export "f") (param externref (ref $cell) externref (ref $cell)) (result i32)
            (i32.add (struct.get $cell 0 (local.get 1)) (struct.get $cell 0 (local.get 3)))))"#;
    let engine =
        Engine::new(Config::new().heap_checks(Checks { poison: true, verify: true, ..Checks::default() })).unwrap();
    let mut store = Store::with_limits(&engine, (), StoreLimits { host_values: 2, ..StoreLimits::default() });
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    type Four = (ExternRef, StructRef, ExternRef, StructRef);
    let f = instance.get_typed_func::<Four, i32>(&store, "f").unwrap();
    let dynamic = instance.get_func(&store, "f").unwrap();
    let ty = StructType::new(&engine, [FieldType::mutable(ValType::I32)]).unwrap();
    for turn in 0..100 {
        let [a, b] = [turn, 1000].map(|number| StructRef::new(&mut store, &ty, &[Val::I32(number)]).unwrap());
        if turn % 2 == 0 {
            let sum = f.call(&mut store, (ExternRef::new(()), a, ExternRef::new(()), b)).unwrap();
            assert_eq!(sum, turn + 1000);
        } else {
            let params = [ExternRef::new(()).into(), a.into(), ExternRef::new(()).into(), b.into()];
            let mut results = [Val::I32(0)];
            dynamic.call(&mut store, &params, &mut results).unwrap();
            assert_eq!(results[0].i32(), Some(turn + 1000));
        }
    }
    assert_eq!(store.heap_statistics().major, 99);
    // Three at once never fit, but the same one three times does.
    let one = ExternRef::new(());
    let params = |values: [&ExternRef; 3]| -> Vec<Val> { values.map(|value| value.clone().into()).into() };
    let tag = Tag::new(&mut store, &[ValType::EXTERNREF; 3]).unwrap();
    let others = [&one, &ExternRef::new(1u8), &ExternRef::new(2u8)];
    assert!(matches!(ExnRef::new(&mut store, &tag, &params(others)), Err(Error::HostValues { limit: 2 })));
    ExnRef::new(&mut store, &tag, &params([&one; 3])).unwrap();
}

#[test]
fn every_way_to_hand_over_a_value_collects_when_places_are_short() {
    let text = r#"(module (import "host" "make" (func $make (param i32) (result externref)))
        (func (export "f") (param i32) (result externref) (call $make (local.get 0))))"#;
    for tier in TIERS {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let mut store = Store::with_limits(&engine, (), StoreLimits { host_values: 1, ..StoreLimits::default() });
        let mut linker: Linker<()> = Linker::new(&engine);
        linker.func_wrap("host", "make", |number: i32| ExternRef::new(number)).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let f = instance.get_typed_func::<i32, Option<ExternRef>>(&store, "f").unwrap();
        let fresh = || Val::from(ExternRef::new(Arc::new(())));
        let ty = TableType {
            address: Default::default(),
            element: ValType::EXTERNREF,
            limits: Limits { min: 1, max: None },
        };
        let table = Table::new(&mut store, ty, &fresh()).unwrap();
        table.set(&mut store, 0, &Val::ExternRef(None)).unwrap();
        table.set(&mut store, 0, &fresh()).unwrap();
        table.set(&mut store, 0, &Val::ExternRef(None)).unwrap();
        assert_eq!(f.call(&mut store, 3).unwrap().unwrap().downcast_ref(), Some(&3), "{tier:?}");
        assert_eq!(f.call(&mut store, 4).unwrap().unwrap().downcast_ref(), Some(&4), "{tier:?}");
        table.grow(&mut store, 1, &fresh()).unwrap();
        assert!(matches!(table.set(&mut store, 0, &fresh()), Err(Error::HostValues { limit: 1 })), "{tier:?}");
        table.set(&mut store, 1, &Val::ExternRef(None)).unwrap();
        let global =
            Global::new(&mut store, GlobalType { value: ValType::EXTERNREF, mutable: true }, &fresh()).unwrap();
        global.set(&mut store, &Val::ExternRef(None)).unwrap();
        global.set(&mut store, &fresh()).unwrap();
        // A host function's own shortage is its error.
        let error = f.call(&mut store, 5).unwrap_err();
        let source = error.trap().unwrap().source.as_ref().unwrap();
        assert!(matches!(source.downcast_ref(), Some(Error::HostValues { limit: 1 })), "{tier:?}: {error}");
        global.set(&mut store, &Val::ExternRef(None)).unwrap();
        let refs = ArrayType::new(&engine, FieldType::mutable(ValType::EXTERNREF)).unwrap();
        let array = ArrayRef::new(&mut store, &refs, &fresh(), 3).unwrap();
        assert!(matches!(array.set(&mut store, 0, &fresh()), Err(Error::HostValues { .. })), "{tier:?}");
        drop(array);
        let any = AnyRef::from_extern(&mut store, &ExternRef::new(9u8)).unwrap();
        store.gc();
        assert_eq!(
            any.to_extern(&store).unwrap().downcast_ref::<u8>(),
            Some(&9),
            "{tier:?}: the host has it as an anyref"
        );
    }
}

#[test]
fn a_value_whose_drop_panics_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("a value's drop");
            }
        }
    }
    let text = r#"(module (type $bytes (array i8))
        (import "host" "collect" (func $collect))
        (func (export "f") (param externref) (result i32) (local $a (ref $bytes))
            (local.set 0 (ref.null extern))
            (local.set $a (array.new $bytes (i32.const 7) (i32.const 3)))
            (call $collect)
            (array.get_u $bytes (local.get $a) (i32.const 2))))"#;
    for tier in TIERS {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let mut linker: Linker<()> = Linker::new(&engine);
        linker.func_wrap("host", "collect", |mut caller: Caller<'_, ()>| caller.gc()).unwrap();
        let mut store = Store::new(&engine, ());
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let f = instance.get_typed_func::<Option<ExternRef>, i32>(&store, "f").unwrap();
        assert_eq!(f.call(&mut store, Some(ExternRef::new(Bomb))).unwrap(), 7, "{tier:?}");
        store.gc();
        assert_eq!(store.heap_statistics().host_values, 0, "{tier:?}");
        assert_eq!(f.call(&mut store, None).unwrap(), 7, "{tier:?}");
    }
}
