//! Structs and arrays in the hands of the host, through the library's interface. The heap collects at every allocation and fills
//! what is dead, so that a reference that is not kept, or not mended, does not go unseen.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{
    AnyRef, ArrayRef, ArrayType, Caller, CompositeType, Config, Engine, EqRef, Error, ExternRef, FieldType, Func,
    FuncType, Global, GlobalType, HeapType, I31, Instance, Kind, Linker, Module, RefType, StorageType, Store,
    StructRef, StructType, SubType, Table, Tier, TrapKind, TypeGroup, Val, ValType,
};
use pinfold_vm::heap::Checks;

const TIERS: [Tier; 4] = [Tier::Interpreter, Tier::Jit, Tier::Auto, Tier::EveryLoop];
const EVERY: Checks = Checks { every_allocation: true, poison: true, verify: true, timed: false };

fn engine(tier: Tier) -> Engine {
    Engine::new(Config::new().tier(tier).heap_checks(EVERY)).unwrap()
}

fn module(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

fn plain(engine: &Engine, store: &mut Store<()>, text: &str) -> Instance {
    Linker::new(engine).instantiate(store, &module(engine, text)).unwrap()
}

/// `(array (mut i8))`
fn bytes(engine: &Engine) -> ArrayType {
    ArrayType::new(engine, FieldType::mutable(StorageType::I8)).unwrap()
}

/// `(struct (field (mut i32)))`
fn cell(engine: &Engine) -> StructType {
    StructType::new(engine, [FieldType::mutable(ValType::I32)]).unwrap()
}

fn is_type_error<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Type(_)))
}

fn is_stale<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Stale(_)))
}

#[test]
fn a_struct_holds_a_field_of_every_type() {
    let engine = engine(Tier::Interpreter);
    let mut store = Store::new(&engine, ());
    let own = cell(&engine);
    let fields = [
        StorageType::I8,
        StorageType::I16,
        ValType::I32.into(),
        ValType::I64.into(),
        ValType::F32.into(),
        ValType::F64.into(),
        ValType::V128.into(),
        ValType::FUNCREF.into(),
        ValType::EXTERNREF.into(),
        ValType::ANYREF.into(),
        own.nullable().into(),
    ];
    let ty = StructType::new(&engine, fields.map(FieldType::mutable)).unwrap();
    let func = Func::wrap(&mut store, || 5i32);
    let inner = StructRef::new(&mut store, &own, &[Val::I32(9)]).unwrap();
    let values = [
        Val::I32(-1),
        Val::I32(0x12_fffe),
        Val::I32(-3),
        Val::I64(i64::MIN),
        Val::from(1.5_f32),
        Val::from(-2.5_f64),
        Val::V128(1 << 127 | 7),
        func.into(),
        ExternRef::new(77u8).into(),
        I31::new(-4).unwrap().into(),
        inner.clone().into(),
    ];
    let look = |store: &Store<()>, made: &StructRef| {
        let field = |index| made.field(store, index).unwrap();
        assert_eq!((field(0).i32(), field(1).i32(), field(2).i32()), (Some(255), Some(0xfffe), Some(-3)));
        assert_eq!(field(3).i64(), Some(i64::MIN));
        assert!(matches!((field(4), field(5)), (Val::F32(a), Val::F64(b))
            if f32::from_bits(a) == 1.5 && f64::from_bits(b) == -2.5));
        assert!(matches!(field(6), Val::V128(v) if v == 1 << 127 | 7));
        assert_eq!(field(7).func_ref().unwrap().unwrap(), &func);
        assert_eq!(field(8).extern_ref().unwrap().unwrap().downcast_ref::<u8>(), Some(&77));
        assert_eq!(field(9).any_ref().unwrap().unwrap().as_i31(), Some(-4));
        let found = field(10).any_ref().unwrap().unwrap().to_struct(store).unwrap();
        assert!(found.same(store, &inner));
        assert_eq!(found.field(store, 0).unwrap().i32(), Some(9));
    };
    let made = StructRef::new(&mut store, &ty, &values).unwrap();
    look(&store, &made);
    let other = StructRef::new_default(&mut store, &ty).unwrap();
    assert!(matches!(other.field(&store, 6).unwrap(), Val::V128(0)));
    assert!(matches!(other.field(&store, 10).unwrap(), Val::AnyRef(None)));
    for (index, value) in values.iter().enumerate() {
        other.set_field(&mut store, index, value).unwrap();
    }
    store.gc();
    look(&store, &other);
    look(&store, &made);
    assert_eq!(made.ty(&store).unwrap(), ty);
    assert!(!made.same(&store, &other));
}

#[test]
fn what_does_not_fit_is_an_error_and_changes_nothing() {
    let engine = engine(Tier::Interpreter);
    let mut store = Store::new(&engine, ());
    let own = cell(&engine);
    let fixed = StructType::new(&engine, [FieldType::immutable(own.non_null()), FieldType::mutable(own.non_null())]);
    let fixed = fixed.unwrap();
    assert!(is_type_error(StructRef::new(&mut store, &own, &[])));
    assert!(is_type_error(StructRef::new(&mut store, &own, &[Val::I64(1)])));
    assert!(is_type_error(StructRef::new_default(&mut store, &fixed)));
    let one = StructRef::new(&mut store, &own, &[Val::I32(1)]).unwrap();
    let both = [one.clone().into(), one.clone().into()];
    let made = StructRef::new(&mut store, &fixed, &both).unwrap();
    assert!(is_type_error(made.set_field(&mut store, 0, &both[0])), "immutable");
    assert!(is_type_error(made.set_field(&mut store, 1, &Val::AnyRef(None))), "null");
    assert!(is_type_error(made.set_field(&mut store, 1, &made.clone().into())), "a struct of another type");
    assert!(matches!(made.set_field(&mut store, 2, &both[0]), Err(Error::Bounds(_))));
    assert!(matches!(made.field(&store, usize::MAX), Err(Error::Bounds(_))));
    assert!(made.field(&store, 1).unwrap().any_ref().unwrap().unwrap().same(&store, one.as_any()));

    let frozen = ArrayType::new(&engine, FieldType::immutable(StorageType::I8)).unwrap();
    let array = ArrayRef::from_bytes(&mut store, &frozen, b"abc").unwrap();
    assert!(is_type_error(array.bytes_mut(&mut store).map(drop)));
    assert!(is_type_error(array.write(&mut store, 0, b"x")));
    assert!(is_type_error(array.set(&mut store, 0, &Val::I32(1))));
    assert!(matches!(array.get(&store, 3), Err(Error::Bounds(_))));
    assert!(matches!(array.read(&store, 2, &mut [0; 2]), Err(Error::Bounds(_))));
    assert!(matches!(array.read(&store, usize::MAX, &mut [0; 2]), Err(Error::Bounds(_))));
    assert_eq!(array.bytes(&store).unwrap(), b"abc");
    let refs = ArrayType::new(&engine, FieldType::mutable(own.non_null())).unwrap();
    assert!(is_type_error(ArrayRef::new_default(&mut store, &refs, 1)));
    assert!(is_type_error(ArrayRef::from_bytes(&mut store, &refs, &[])));
    let array = ArrayRef::new(&mut store, &refs, &one.into(), 2).unwrap();
    assert!(is_type_error(array.bytes(&store).map(drop)));
    let words = ArrayType::new(&engine, FieldType::mutable(ValType::I32)).unwrap();
    assert!(is_type_error(ArrayRef::from_bytes(&mut store, &words, &[0; 6])));
    let huge = ArrayRef::new_default(&mut store, &words, u32::MAX);
    assert_eq!(huge.unwrap_err().trap().unwrap().kind, TrapKind::OutOfMemory);
}

#[test]
fn arrays_of_every_size_of_element_keep_what_is_put_in() {
    let engine = engine(Tier::Interpreter);
    let mut store = Store::new(&engine, ());
    for storage in [StorageType::I8, StorageType::I16, ValType::I32.into(), ValType::I64.into(), ValType::V128.into()] {
        let ty = ArrayType::new(&engine, FieldType::mutable(storage)).unwrap();
        let value = |number: u32| match storage.unpacked() {
            ValType::I64 => Val::I64(number.into()),
            ValType::V128 => Val::V128(number.into()),
            _ => Val::I32(number as i32),
        };
        let number = |value: Val| match value {
            Val::I64(number) => number as u32,
            Val::V128(number) => number as u32,
            value => value.i32().unwrap() as u32,
        };
        // Also one that is large enough to be born outside of the nursery.
        for len in [0, 1, 5, 40_000] {
            let array = ArrayRef::new(&mut store, &ty, &value(200), len).unwrap();
            assert_eq!((array.len(&store).unwrap(), array.ty(&store).unwrap()), (len, ty.clone()));
            assert_eq!(array.bytes(&store).unwrap().len(), len as usize * storage.bytes() as usize);
            if len == 0 {
                assert!(array.is_empty(&store).unwrap());
                continue;
            }
            array.set(&mut store, len - 1, &value(7)).unwrap();
            assert_eq!(number(array.get(&store, len - 1).unwrap()), 7);
            assert!(len == 1 || number(array.get(&store, 0).unwrap()) == 200);
            let copy = array.bytes(&store).unwrap().to_vec();
            let copied = ArrayRef::from_bytes(&mut store, &ty, &copy).unwrap();
            assert_eq!(number(copied.get(&store, len - 1).unwrap()), 7);
            assert_eq!(array.bytes(&store).unwrap(), copy);
        }
    }
}

#[test]
fn bytes_are_seen_where_they_are_by_host_and_guest() {
    let text = r#"(module (type $bytes (array (mut i8)))
        (func (export "sum") (param (ref $bytes)) (result i32) (local $i i32) (local $sum i32)
            (loop $next
                (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get 0) (local.get $i))))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $i) (array.len (local.get 0)))))
            (array.fill $bytes (local.get 0) (i32.const 0) (i32.const 9) (array.len (local.get 0)))
            (local.get $sum)))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, ());
        let instance = plain(&engine, &mut store, text);
        let sum = instance.get_typed_func::<ArrayRef, u32>(&store, "sum").unwrap();
        for len in [1, 100, 100_000] {
            let array = ArrayRef::new_default(&mut store, &bytes(&engine), len).unwrap();
            let source: Vec<u8> = (0..len).map(|i| i as u8).collect();
            array.write(&mut store, 0, &source).unwrap();
            let expected = source.iter().map(|byte| u32::from(*byte)).sum();
            assert_eq!(sum.call(&mut store, array.clone()).unwrap(), expected, "{tier:?}, {len}");
            let mut last = [0];
            array.read(&store, len as usize - 1, &mut last).unwrap();
            assert_eq!(last, [9]);
            assert!(array.bytes(&store).unwrap().iter().all(|byte| *byte == 9));
        }
    }
}

#[test]
fn a_host_function_fills_an_array_from_the_embedders_data_in_one_copy() {
    let text = r#"(module (type $bytes (array (mut i8)))
        (import "host" "read" (func $read (param (ref null $bytes)) (result i32)))
        (func (export "f") (result i32) (local $a (ref $bytes))
            (local.set $a (array.new_default $bytes (i32.const 8)))
            (i32.add (call $read (local.get $a)) (array.get_u $bytes (local.get $a) (i32.const 2)))))"#;
    for tier in TIERS {
        let engine = engine(tier);
        let mut linker: Linker<Vec<u8>> = Linker::new(&engine);
        linker
            .func_wrap("host", "read", |mut caller: Caller<'_, Vec<u8>>, to: Option<ArrayRef>| {
                let to = to.ok_or_else(|| Error::host("null"))?;
                let (bytes, data) = caller.bytes_and_data(&to)?;
                let len = bytes.len().min(data.len());
                bytes[..len].copy_from_slice(&data[..len]);
                data.clear();
                Ok(len as u32)
            })
            .unwrap();
        let mut store = Store::new(&engine, vec![1, 2, 30]);
        let instance = linker.instantiate(&mut store, &module(&engine, text)).unwrap();
        let f = instance.get_typed_func::<(), u32>(&store, "f").unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap(), 33, "{tier:?}");
        assert!(store.data().is_empty());
    }
}

#[test]
fn handles_follow_objects_that_move_and_are_dropped_in_any_order() {
    let engine = Engine::new(Config::new().tier(Tier::Interpreter).heap_checks(Checks {
        poison: true,
        verify: true,
        ..Checks::default()
    }))
    .unwrap();
    let mut store = Store::new(&engine, ());
    let ty = cell(&engine);
    let mut random = 1u32;
    let mut held: Vec<(i32, StructRef)> = Vec::new();
    for turn in 0..20_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match random >> 28 {
            0..9 => held.push((turn, StructRef::new(&mut store, &ty, &[Val::I32(turn)]).unwrap())),
            9 if turn % 16 == 0 => store.gc(),
            _ if !held.is_empty() => {
                let (value, object) = held.swap_remove(random as usize / 7 % held.len());
                assert_eq!(object.field(&store, 0).unwrap().i32(), Some(value));
                let clone = object.clone();
                drop(object);
                assert_eq!(clone.field(&store, 0).unwrap().i32(), Some(value));
            }
            _ => {}
        }
    }
    assert!(store.heap_statistics().major > 10);
    assert_eq!(store.heap_statistics().roots, held.len());
    for (value, object) in &held {
        assert_eq!(object.field(&store, 0).unwrap().i32(), Some(*value));
    }
    // Handles may outlive their store, on any thread, and are good for nothing then.
    drop(store);
    let mut other = Store::new(&engine, ());
    let (_, object) = held.swap_remove(0);
    assert!(is_stale(object.field(&other, 0)));
    assert!(is_stale(object.set_field(&mut other, 0, &Val::I32(1))));
    std::thread::spawn(move || drop(held)).join().unwrap();
}

#[test]
fn an_old_object_keeps_what_is_young() {
    let engine = engine(Tier::Interpreter);
    let mut store = Store::new(&engine, ());
    let (ty, refs) = (cell(&engine), FieldType::mutable(ValType::ANYREF));
    let pair = StructType::new(&engine, [refs; 2]).unwrap();
    let array = ArrayType::new(&engine, refs).unwrap();
    let object = StructRef::new_default(&mut store, &pair).unwrap();
    let array = ArrayRef::new_default(&mut store, &array, 1000).unwrap();
    store.gc();
    for turn in 0..20 {
        let [a, b] = [turn, -turn].map(|value| Val::from(StructRef::new(&mut store, &ty, &[Val::I32(value)]).unwrap()));
        object.set_field(&mut store, 1, &a).unwrap();
        array.set(&mut store, 999, &b).unwrap();
        drop((a, b));
        // Collects what is young, and looks at everything.
        StructRef::new_default(&mut store, &ty).unwrap();
        let value = |value: Val| {
            let found = value.any_ref().unwrap().unwrap().to_struct(&store).unwrap();
            found.field(&store, 0).unwrap().i32().unwrap()
        };
        assert_eq!(value(object.field(&store, 1).unwrap()), turn);
        assert_eq!(value(array.get(&store, 999).unwrap()), -turn);
    }
}

#[test]
fn nothing_of_one_store_is_taken_by_another() {
    let engine = engine(Tier::Interpreter);
    let text = r#"(module (func (export "f") (param anyref) (result anyref) (local.get 0)))"#;
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let f = plain(&engine, &mut other, text).get_func(&other, "f").unwrap();
    let (own, byte_array) = (cell(&engine), bytes(&engine));
    let object = StructRef::new_default(&mut store, &own).unwrap();
    let array = ArrayRef::from_bytes(&mut store, &byte_array, b"abc").unwrap();
    // The other store has an object where this one has its own.
    let mine = StructRef::new_default(&mut other, &own).unwrap();
    let any = AnyRef::from(object.clone());
    assert!(is_stale(object.field(&other, 0)) && is_stale(object.ty(&other)));
    assert!(is_stale(object.set_field(&mut other, 0, &Val::I32(1))));
    assert!(is_stale(array.bytes(&other).map(drop)) && is_stale(array.len(&other)) && is_stale(array.get(&other, 0)));
    assert!(is_stale(array.bytes_mut(&mut other).map(drop)) && is_stale(array.set(&mut other, 0, &Val::I32(1))));
    assert!(is_stale(any.to_struct(&other)) && is_stale(any.to_extern(&other)) && !any.is(&other, HeapType::Any));
    assert!(!any.same(&store, mine.as_any()));
    assert!(is_stale(f.call(&mut other, &[any.clone().into()], &mut [Val::AnyRef(None)])));
    let typed = f.typed::<AnyRef, Option<AnyRef>>(&other).unwrap();
    assert!(is_stale(typed.call(&mut other, any.clone()).map(drop)));
    let refs = ArrayType::new(&engine, FieldType::mutable(ValType::ANYREF)).unwrap();
    assert!(is_stale(ArrayRef::from_values(&mut other, &refs, &[any.clone().into()])));
    let ty = GlobalType { value: ValType::ANYREF, mutable: true };
    assert!(Global::new(&mut other, ty, &any.clone().into()).is_err());
    let outside = any.to_extern(&store).unwrap();
    assert!(is_stale(AnyRef::from_extern(&mut other, &outside)));
    // A small integer is of no store.
    assert!(f.call(&mut other, &[I31::wrapping(1).into()], &mut [Val::AnyRef(None)]).is_ok());
    // Types are an engine's.
    let foreign = Engine::default();
    assert!(is_stale(StructRef::new_default(&mut store, &cell(&foreign))));
    assert!(is_stale(ArrayRef::from_bytes(&mut store, &bytes(&foreign), b"abc")));
    assert_ne!(cell(&foreign), own);
}

#[test]
fn references_are_cast_as_guests_cast_them() {
    let engine = engine(Tier::Interpreter);
    let mut store = Store::new(&engine, ());
    let object = StructRef::new_default(&mut store, &cell(&engine)).unwrap();
    let array = ArrayRef::from_bytes(&mut store, &bytes(&engine), b"abc").unwrap();
    let small = I31::new(-5).unwrap();
    let outside = AnyRef::from_extern(&mut store, &ExternRef::new("host")).unwrap();
    let all = [AnyRef::from(object.clone()), array.clone().into(), small.into(), outside.clone()];
    let table: [(HeapType, [bool; 4]); 7] = [
        (HeapType::Any, [true; 4]),
        (HeapType::Eq, [true, true, true, false]),
        (HeapType::Struct, [true, false, false, false]),
        (HeapType::Array, [false, true, false, false]),
        (HeapType::I31, [false, false, true, false]),
        (HeapType::None, [false; 4]),
        (cell(&engine).heap_type(), [true, false, false, false]),
    ];
    for (ty, expected) in table {
        let found = all.each_ref().map(|any| any.is(&store, ty));
        assert_eq!(found, expected, "{ty}");
    }
    assert_eq!(all.each_ref().map(|any| any.to_struct(&store).is_ok()), [true, false, false, false]);
    assert_eq!(all.each_ref().map(|any| any.to_array(&store).is_ok()), [false, true, false, false]);
    assert_eq!(all.each_ref().map(|any| any.to_eq(&store).is_ok()), [true, true, true, false]);
    assert!(EqRef::from(object.clone()).same(&store, &all[0].to_eq(&store).unwrap()));
    assert!(
        EqRef::from(small).same(&store, &I31::wrapping(-5).into())
            && !EqRef::from(small).same(&store, &EqRef::from(array))
    );
    // To a reference to the outside and back.
    for any in &all {
        let there = any.to_extern(&store).unwrap();
        assert!(AnyRef::from_extern(&mut store, &there).unwrap().same(&store, any));
    }
    assert_eq!(outside.to_extern(&store).unwrap().downcast_ref::<&str>(), Some(&"host"));
    assert_eq!((I31::new(1 << 30), I31::new(-1 << 30).map(I31::get)), (None, Some(-1 << 30)));
    assert_eq!((I31::wrapping(1 << 30).get(), I31::wrapping(-1).get_unsigned()), (-1 << 30, 0x7fff_ffff));
}

#[test]
fn tables_and_globals_of_the_host_keep_objects() {
    let engine = engine(Tier::Interpreter);
    let mut store = Store::new(&engine, ());
    let ty = cell(&engine);
    let make = |store: &mut Store<()>, value| Val::from(StructRef::new(store, &ty, &[Val::I32(value)]).unwrap());
    let limits = pinfold_vm::api::Limits { min: 3, max: None };
    let table_type = pinfold_vm::api::TableType { address: Default::default(), element: ty.nullable(), limits };
    let first = make(&mut store, 1);
    let table = Table::new(&mut store, table_type, &first).unwrap();
    let second = make(&mut store, 2);
    table.set(&mut store, 1, &second).unwrap();
    let third = make(&mut store, 3);
    let global = Global::new(&mut store, GlobalType { value: ty.non_null(), mutable: true }, &third).unwrap();
    drop((first, second, third));
    for _ in 0..20 {
        make(&mut store, 0);
    }
    let value = |store: &Store<()>, value: Val| {
        let object = value.any_ref().unwrap().unwrap().to_struct(store).unwrap();
        object.field(store, 0).unwrap().i32().unwrap()
    };
    let found = [0, 1, 2].map(|index| value(&store, table.get(&store, index).unwrap().unwrap()));
    assert_eq!((found, value(&store, global.get(&store).unwrap())), ([1, 2, 1], 3));
    assert!(global.set(&mut store, &Val::AnyRef(None)).is_err());
}

#[test]
fn a_group_is_the_same_type_as_a_modules() {
    let engine = engine(Tier::Interpreter);
    let mut group = TypeGroup::new();
    let list = group.member(0, Kind::Struct);
    let next = FieldType::mutable(RefType::nullable(list));
    group.push(SubType::new(CompositeType::Struct([next].into())).open());
    let number = [next, FieldType::mutable(ValType::I32)];
    group.push(SubType::new(CompositeType::Struct(number.into())).under(list));
    let types = group.define(&engine).unwrap();
    let text = r#"(module
        (rec (type $list (sub (struct (field (mut (ref null $list))))))
             (type $number (sub final $list (struct (field (mut (ref null $list))) (field (mut i32))))))
        (func (export "sum") (param (ref null $list)) (result i32)
            (if (result i32) (ref.is_null (local.get 0)) (then (i32.const 0)) (else
                (i32.add (call 0 (struct.get $list 0 (local.get 0)))
                    (block $other (result (ref null $list))
                        (return (i32.add (call 0 (struct.get $list 0 (local.get 0)))
                            (struct.get $number 1
                                (br_on_cast_fail $other (ref null $list) (ref $number) (local.get 0))))))
                    (drop) (i32.const 100))))))"#;
    let mut store = Store::new(&engine, ());
    let instance = plain(&engine, &mut store, text);
    let (list, number) = (StructType::of(&engine, types[0]).unwrap(), StructType::of(&engine, types[1]).unwrap());
    assert!(ArrayType::of(&engine, types[0]).is_none() && StructType::of(&engine, HeapType::Struct).is_none());
    let sum = instance.get_typed_func::<Option<StructRef>, i32>(&store, "sum").unwrap();
    let last = StructRef::new(&mut store, &number, &[Val::AnyRef(None), Val::I32(5)]).unwrap();
    let middle = StructRef::new(&mut store, &list, &[last.into()]).unwrap();
    let first = StructRef::new(&mut store, &number, &[middle.into(), Val::I32(3)]).unwrap();
    assert_eq!(sum.call(&mut store, Some(first.clone())).unwrap(), 3 + 100 + 5);
    assert_eq!(sum.call(&mut store, None).unwrap(), 0);
    assert!(first.as_any().is(&store, list.heap_type()) && first.ty(&store).unwrap() == number);
    // A struct that looks the same is of another type.
    let alike = StructType::new(&engine, number.fields().iter().copied()).unwrap();
    let alike = StructRef::new_default(&mut store, &alike).unwrap();
    assert!(is_type_error(sum.call(&mut store, Some(alike))));
    // What an export takes is found by its type.
    let Val::AnyRef(_) = Val::zero(instance.get_func(&store, "sum").unwrap().ty(&store).unwrap().params()[0]) else {
        panic!()
    };
}

#[test]
fn types_that_could_not_stand_in_a_module_are_refused() {
    let engine = engine(Tier::Interpreter);
    let int = FieldType::mutable(ValType::I32);
    let define = |types: &[SubType]| {
        let mut group = TypeGroup::new();
        types.iter().for_each(|ty| {
            group.push(ty.clone());
        });
        group.define(&engine).map(drop)
    };
    let of = |fields: &[FieldType]| SubType::new(CompositeType::Struct(fields.into()));
    let member = |place, kind| TypeGroup::new().member(place, kind);
    let refer = |heap| FieldType::mutable(RefType::nullable(heap));
    assert!(define(&[of(&[int]).open(), of(&[int, int]).under(member(0, Kind::Struct))]).is_ok());
    let base = of(&[int]).open();
    let func =
        |params: &[ValType], results: &[ValType]| SubType::new(CompositeType::Func(FuncType::new(params, results)));
    let wrong: [(&str, Vec<SubType>); 15] = [
        ("nothing", vec![]),
        ("a reference out of the group", vec![of(&[refer(member(1, Kind::Struct))])]),
        ("a reference to another kind", vec![of(&[refer(member(0, Kind::Array))])]),
        (
            "a reference to what the engine has not",
            vec![of(&[refer(HeapType::Defined(Kind::Struct, pinfold_vm::types::TypeId(9999)))])],
        ),
        ("a supertype out of the group", vec![of(&[]).under(member(7, Kind::Struct))]),
        ("itself as supertype", vec![of(&[]).open().under(member(0, Kind::Struct))]),
        ("a later supertype", vec![of(&[]).open().under(member(1, Kind::Struct)), of(&[]).open()]),
        ("a final supertype", vec![of(&[]), of(&[]).under(member(0, Kind::Struct))]),
        ("a field too few", vec![base.clone(), of(&[]).under(member(0, Kind::Struct))]),
        (
            "a field of another type",
            vec![base.clone(), of(&[FieldType::mutable(ValType::I64)]).under(member(0, Kind::Struct))],
        ),
        (
            "a field that is immutable",
            vec![base.clone(), of(&[FieldType::immutable(ValType::I32)]).under(member(0, Kind::Struct))],
        ),
        ("another kind", vec![base.clone(), SubType::new(CompositeType::Array(int)).under(member(0, Kind::Struct))]),
        (
            "a parameter that is more special",
            vec![
                func(&[ValType::ANYREF], &[]).open(),
                func(&[RefType::nullable(HeapType::Eq).into()], &[]).under(member(0, Kind::Func)),
            ],
        ),
        ("too many fields", vec![of(&vec![int; 10_001])]),
        ("an exception", vec![SubType::new(CompositeType::Exception([].into()))]),
    ];
    for (what, group) in &wrong {
        assert!(is_type_error(define(group)), "{what}");
    }
    // 63 supertypes are the most.
    let mut deep = vec![of(&[]).open()];
    deep.extend((0..63).map(|place| of(&[]).open().under(member(place, Kind::Struct))));
    assert!(define(&deep).is_ok());
    deep.push(of(&[]).under(member(63, Kind::Struct)));
    assert!(is_type_error(define(&deep)));
}

#[test]
fn memory_that_the_hosts_objects_take_is_the_stores() {
    let engine = engine(Tier::Interpreter);
    let limits = pinfold_vm::api::StoreLimits { memory: 8 << 20, ..Default::default() };
    let mut store = Store::with_limits(&engine, (), limits);
    let ty = bytes(&engine);
    let mut held = Vec::new();
    let error = loop {
        match ArrayRef::new_default(&mut store, &ty, 100_000) {
            Ok(array) => held.push(array),
            Err(error) => break error,
        }
    };
    assert_eq!(error.trap().unwrap().kind, TrapKind::OutOfMemory);
    assert!((10..84).contains(&held.len()), "{}", held.len());
    assert!(store.heap_statistics().used >= 100_000 * held.len() as u64);
    assert!(store.memory_used().0 <= 8 << 20);
    held.clear();
    store.gc();
    assert_eq!(store.heap_statistics().used, 0);
    ArrayRef::new_default(&mut store, &ty, 1_000_000).unwrap();
}
