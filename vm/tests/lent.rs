//! Host functions that are lent arrays. The heap collects at every allocation and fills what is dead, so that an array that is looked for where it was
//! does not go unseen.

#![allow(missing_docs, clippy::unwrap_used)]

use pinfold_vm::api::{
    ArrayRef, ArrayType, Config, Engine, Error, ExternRef, FieldType, Instance, Lent, Linker, Module, Result,
    StorageType, Store, Tier, TrapKind, ValType,
};
use pinfold_vm::heap::Checks;

const TIERS: [Tier; 3] = [Tier::Interpreter, Tier::Jit, Tier::Auto];
const EVERY: Checks = Checks { every_allocation: true, poison: true, verify: true, timed: false };

/// What is behind the externref that a guest has.
struct Desk(i64);

/// What the host has: where it writes what it gives, and how much of each that is to be.
#[derive(Default)]
struct Host {
    words: Vec<u8>,
    bytes: Vec<u8>,
    give: [usize; 2],
}

fn engine(tier: Tier) -> Engine {
    Engine::new(Config::new().tier(tier).heap_checks(EVERY)).unwrap()
}

fn types(engine: &Engine) -> [ArrayType; 2] {
    let of = |storage| ArrayType::new(engine, FieldType::mutable(storage)).unwrap();
    [of(ValType::I64.into()), of(StorageType::I8)]
}

/// Gives as many words and bytes as it is to: all are what the desk adds to the number, and to the last that was used of the arrays.
fn host_call<'d>(host: &'d mut Host, call: Lent<'_>) -> Result<[&'d [u8]; 2]> {
    let Some(Desk(desk)) = call.value() else { return Err(Error::host("no desk")) };
    let [(words, word), (bytes, byte)] = call.arrays();
    let [mut word_sum, mut byte_sum] = [desk + call.number(); 2];
    word_sum += i64::from(words[word as usize * 8]);
    byte_sum += i64::from(bytes[byte as usize]);
    host.words.clear();
    host.words.extend(word_sum.to_le_bytes().repeat(host.give[0]));
    host.bytes.clear();
    host.bytes.resize(host.give[1], byte_sum as u8);
    match host.give {
        [13, _] => panic!("thirteen"),
        [14, _] => Err(Error::host("fourteen")),
        _ => Ok([&host.words, &host.bytes]),
    }
}

fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    let [words, bytes] = types(engine);
    linker.func_lent("host", "call", [&words, &bytes], host_call).unwrap();
    linker
}

fn instance(engine: &Engine, store: &mut Store<Host>, text: &str) -> Result<Instance> {
    linker(engine).instantiate(store, &Module::new(engine, wat::parse_str(text).unwrap()).unwrap())
}

/// Makes two arrays, passes them, makes garbage, and looks at what it has then: whether these are the ones that it passed, how long they are, and
/// what is first in them.
const GUEST: &str = r#"(module
    (type $words (array (mut i64)))
    (type $bytes (array (mut i8)))
    (import "host" "call" (func $call
        (param (ref extern) i64 (ref $words) i64 (ref $bytes) i64) (result (ref $words) (ref $bytes))))
    (func (export "run") (param $desk (ref extern)) (result i32 i32 i32 i32 i64 i32)
        (local $words (ref null $words)) (local $bytes (ref null $bytes))
        (local $got_words (ref null $words)) (local $got_bytes (ref null $bytes))
        (local.set $words (array.new $words (i64.const 3) (i32.const 4)))
        (local.set $bytes (array.new $bytes (i32.const 5) (i32.const 8)))
        (call $call (local.get $desk) (i64.const 100)
            (ref.as_non_null (local.get $words)) (i64.const 3)
            (ref.as_non_null (local.get $bytes)) (i64.const 7))
        (local.set $got_bytes)
        (local.set $got_words)
        (drop (array.new $words (i64.const -1) (i32.const 64)))
        (ref.eq (local.get $words) (local.get $got_words))
        (ref.eq (local.get $bytes) (local.get $got_bytes))
        (array.len (local.get $got_words))
        (array.len (local.get $got_bytes))
        (array.get $words (local.get $got_words) (i32.const 0))
        (array.get_u $bytes (local.get $got_bytes) (i32.const 0))))"#;

type Seen = (i32, i32, i32, i32, i64, i32);

fn run(store: &mut Store<Host>, instance: Instance, give: [usize; 2]) -> Result<Seen> {
    store.data_mut().give = give;
    let func = instance.get_func(&*store, "run").unwrap();
    let mut results = [const { pinfold_vm::api::Val::I32(0) }; 6];
    func.call(&mut *store, &[ExternRef::new(Desk(1000)).into()], &mut results)?;
    let [a, b, c, d, e, f] = results;
    Ok((a.i32().unwrap(), b.i32().unwrap(), c.i32().unwrap(), d.i32().unwrap(), e.i64().unwrap(), f.i32().unwrap()))
}

#[test]
fn what_fits_comes_back_in_the_same_arrays_and_what_does_not_in_new_ones() {
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, Host::default());
        let instance = instance(&engine, &mut store, GUEST).unwrap();
        let byte = i32::from((1105_i64 & 0xff) as u8);
        for (give, seen) in [
            ([1, 1], (1, 1, 4, 8, 1103, byte)),
            ([4, 8], (1, 1, 4, 8, 1103, byte)),
            // Nothing leaves what was there.
            ([0, 0], (1, 1, 4, 8, 3, 5)),
            // One of them, or both, are too long.
            ([5, 2], (0, 1, 5, 8, 1103, byte)),
            ([2, 9], (1, 0, 4, 9, 1103, byte)),
            ([600, 70_000], (0, 0, 600, 70_000, 1103, byte)),
        ] {
            assert_eq!(run(&mut store, instance, give).unwrap(), seen, "{tier:?} {give:?}");
        }
    }
}

#[test]
fn what_the_host_has_no_room_for_ends_the_run() {
    let engine = engine(Tier::Auto);
    let limits = pinfold_vm::api::StoreLimits { memory: 4 << 20, ..Default::default() };
    let mut store = Store::with_limits(&engine, Host::default(), limits);
    let instance = instance(&engine, &mut store, GUEST).unwrap();
    let Err(Error::Trap(trap)) = run(&mut store, instance, [1, 5 << 20]) else { panic!("there is no room") };
    assert_eq!(trap.kind, TrapKind::OutOfMemory);
    assert!(run(&mut store, instance, [1, 1]).is_ok());
}

#[test]
fn neither_a_panic_nor_an_error_nor_another_value_is_more_than_a_trap() {
    for tier in TIERS {
        let engine = engine(tier);
        let mut store = Store::new(&engine, Host::default());
        let instance = instance(&engine, &mut store, GUEST).unwrap();
        for (give, told) in [([13, 1], "thirteen"), ([14, 1], "fourteen")] {
            let Err(Error::Trap(trap)) = run(&mut store, instance, give) else { panic!("it failed") };
            assert_eq!(trap.kind, TrapKind::Host);
            assert!(trap.source.unwrap().to_string().contains(told));
        }
        let func = instance.get_func(&store, "run").unwrap();
        let mut results = [const { pinfold_vm::api::Val::I32(0) }; 6];
        let Err(Error::Trap(trap)) = func.call(&mut store, &[ExternRef::new("no desk").into()], &mut results) else {
            panic!("a text is no desk")
        };
        assert_eq!(trap.source.unwrap().to_string(), "no desk");
        assert!(run(&mut store, instance, [1, 1]).is_ok());
    }
}

/// A guest whose import is of other types than the arrays that it has.
fn other(words: &str, bytes: &str, results: &str) -> String {
    format!(
        r#"(module
            (type $words (array (mut {words})))
            (type $bytes (array (mut {bytes})))
            (type $right (array (mut i64)))
            (type $texts (array (mut i8)))
            (import "host" "call" (func $call
                (param (ref extern) i64 (ref $words) i64 (ref $bytes) i64) (result {results})))
            (func (export "run") (param $desk (ref extern))
                (call $call (local.get $desk) (i64.const 1)
                    (array.new_default $words (i32.const 2)) (i64.const 0)
                    (array.new_default $bytes (i32.const 2)) (i64.const 0))
                (drop) (drop)))"#
    )
}

#[test]
fn arrays_of_other_types_are_refused() {
    let engine = engine(Tier::Auto);
    let mut store = Store::new(&engine, Host { give: [1, 1], ..Host::default() });
    let call = |store: &mut Store<Host>, text: &str| {
        let instance = instance(&engine, store, text)?;
        instance.get_typed_func::<ExternRef, ()>(&*store, "run")?.call(store, ExternRef::new(Desk(1)))
    };
    call(&mut store, &other("i64", "i8", "(ref $right) (ref $texts)")).unwrap();
    // Less is said of what is given.
    call(&mut store, &other("i64", "i8", "(ref null array) (ref null any)")).unwrap();
    // What is passed is seen when it is.
    for (words, bytes) in [("i32", "i8"), ("i64", "i16"), ("i8", "i64"), ("i64", "(ref null any)")] {
        let ended = call(&mut store, &other(words, bytes, "(ref $right) (ref $texts)"));
        let Err(Error::Trap(trap)) = ended else { panic!("{words} {bytes}") };
        assert!(trap.source.unwrap().to_string().contains("an argument is no"), "{words} {bytes}");
    }
    // What is given is seen before.
    for results in ["(ref $texts) (ref $right)", "(ref $right) (ref struct)", "(ref $right)"] {
        let text = other("i64", "i8", results).replace("(drop) (drop)", "unreachable");
        assert!(matches!(call(&mut store, &text), Err(Error::Link(_))), "{results}");
    }
    // That nothing comes back cannot be.
    let text = other("i64", "i8", "(ref none) (ref $texts)");
    let Err(Error::Trap(trap)) = call(&mut store, &text) else { panic!("nothing is of type none") };
    assert!(trap.source.unwrap().to_string().contains("other types"));
}

#[test]
fn types_that_cannot_be_filled_are_refused() {
    let engine = engine(Tier::Interpreter);
    let [words, bytes] = types(&engine);
    let mut linker = Linker::<Host>::new(&engine);
    let fixed = ArrayType::new(&engine, FieldType::immutable(StorageType::I8)).unwrap();
    let objects = ArrayType::new(&engine, FieldType::mutable(ValType::ANYREF)).unwrap();
    assert!(matches!(linker.func_lent("host", "call", [&words, &fixed], host_call), Err(Error::Type(_))));
    assert!(matches!(linker.func_lent("host", "call", [&objects, &bytes], host_call), Err(Error::Type(_))));
    let [strange, _] = types(&self::engine(Tier::Interpreter));
    assert!(matches!(linker.func_lent("host", "call", [&strange, &bytes], host_call), Err(Error::Stale(_))));
}

#[test]
fn types_of_another_engine_are_not_mistaken_for_those_of_the_stores() {
    let engine = engine(Tier::Jit);
    let strange = self::engine(Tier::Jit);
    // Here the number of an array of words is that of another array there.
    ArrayType::new(&strange, FieldType::mutable(ValType::F32)).unwrap();
    let linker = linker(&strange);
    let mut store = Store::new(&engine, Host { give: [1, 1], ..Host::default() });
    for results in ["(ref $right) (ref $texts)", "(ref array) (ref array)"] {
        let text = other("i64", "i8", results);
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let Ok(instance) = linker.instantiate(&mut store, &module) else { continue };
        let run = instance.get_typed_func::<ExternRef, ()>(&store, "run").unwrap();
        assert!(matches!(run.call(&mut store, ExternRef::new(Desk(1))), Err(Error::Trap(_))), "{results}");
    }
}

#[test]
fn both_arrays_may_be_one() {
    let engine = engine(Tier::Jit);
    let [_, bytes] = types(&engine);
    let mut linker = Linker::new(&engine);
    fn give<'d>(_: &'d mut Host, _: Lent<'_>) -> Result<[&'d [u8]; 2]> {
        Ok([b"first", b"se"])
    }
    linker.func_lent("host", "call", [&bytes, &bytes], give).unwrap();
    let text = r#"(module
        (type $bytes (array (mut i8)))
        (import "host" "call" (func $call
            (param (ref extern) i64 (ref $bytes) i64 (ref $bytes) i64) (result (ref $bytes) (ref $bytes))))
        (func (export "run") (param $desk (ref extern)) (result i32)
            (local $it (ref null $bytes))
            (local.set $it (array.new_default $bytes (i32.const 5)))
            (call $call (local.get $desk) (i64.const 0)
                (ref.as_non_null (local.get $it)) (i64.const 5) (ref.as_non_null (local.get $it)) (i64.const 5))
            (drop) (drop)
            (i32.add
                (i32.mul (array.get_u $bytes (local.get $it) (i32.const 1)) (i32.const 256))
                (array.get_u $bytes (local.get $it) (i32.const 4)))))"#;
    let mut store = Store::new(&engine, Host::default());
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<ExternRef, u32>(&store, "run").unwrap();
    assert_eq!(run.call(&mut store, ExternRef::new(())).unwrap(), u32::from_be_bytes([0, 0, b'e', b't']));
}

/// Doubles the word and the byte that are first, and gives of each array as many elements as it was asked for in the other: in the same array if there
/// is room, else in another one; no words for a word of zero.
const LENDING: &str = r#"(module
    (type $words (array (mut i64)))
    (type $bytes (array (mut i8)))
    (func (export "run") (param $words (ref $words)) (param $bytes (ref $bytes))
        (result (ref null $words) i64 (ref null $bytes) i64)
        (local $count i32) (local $word i64) (local $more (ref null $bytes))
        (local.set $count (array.get_u $bytes (local.get $bytes) (i32.const 0)))
        (local.set $word (array.get $words (local.get $words) (i32.const 0)))
        (if (i32.eq (local.get $count) (i32.const 99)) (then unreachable))
        (local.set $more (local.get $bytes))
        (if (i32.gt_u (local.get $count) (array.len (local.get $bytes)))
            (then (local.set $more (array.new $bytes (i32.const 7) (local.get $count)))))
        (array.set $words (local.get $words) (i32.const 0) (i64.mul (local.get $word) (i64.const 2)))
        (if (result (ref null $words)) (i64.eqz (local.get $word)) (then (ref.null $words)) (else (local.get $words)))
        (local.get $word)
        (local.get $more)
        (i64.extend_i32_u (local.get $count)))
    (func (export "strange") (param (ref $words) (ref $words)) (result (ref null $words) i64 (ref null $bytes) i64)
        unreachable)
    (func (export "less") (param (ref null array) (ref null eq)) (result (ref $words) i64 (ref $bytes) i64)
        (array.new $words (i64.const 9) (i32.const 1)) (i64.const 1)
        (array.new $bytes (i32.const 8) (i32.const 1)) (i64.const 1))
    (func (export "more") (param (ref $words) (ref $bytes)) (result (ref null array) i64 (ref null $bytes) i64)
        unreachable))"#;

#[test]
fn a_guest_is_lent_arrays_and_gives_others_only_where_it_made_some() {
    for tier in TIERS {
        let engine = engine(tier);
        let [words_type, bytes_type] = types(&engine);
        let mut store = Store::new(&engine, Host::default());
        let instance = instance(&engine, &mut store, LENDING).unwrap();
        let run = instance.get_func(&store, "run").unwrap().lending(&store, [&words_type, &bytes_type]).unwrap();
        let words = ArrayRef::from_bytes(&mut store, &words_type, &21_i64.to_le_bytes()).unwrap();
        let bytes = ArrayRef::from_bytes(&mut store, &bytes_type, &[2, 0]).unwrap();
        let [(other_words, word), (other_bytes, byte)] = run.call(&mut store, [&words, &bytes]).unwrap();
        assert!(other_words.is_none() && other_bytes.is_none(), "{tier:?}");
        assert_eq!((word, byte, words.bytes(&store).unwrap()[0]), (21, 2, 42));

        // The guest allocates, so that what it was lent moves.
        bytes.bytes_mut(&mut store).unwrap()[0] = 3;
        let [(other_words, word), (other_bytes, byte)] = run.call(&mut store, [&words, &bytes]).unwrap();
        assert_eq!((word, byte, words.bytes(&store).unwrap()[0]), (42, 3, 84));
        assert_eq!(other_bytes.unwrap().bytes_as(&store, &bytes_type).unwrap(), [7, 7, 7]);
        // It gives what it was lent as it is known after that.
        assert!(other_words.is_none(), "{tier:?}");

        words.bytes_mut(&mut store).unwrap()[0] = 0;
        bytes.bytes_mut(&mut store).unwrap()[0] = 1;
        let [(other_words, word), (other_bytes, byte)] = run.call(&mut store, [&words, &bytes]).unwrap();
        assert!(other_words.is_none() && other_bytes.is_none());
        assert_eq!((word, byte), (0, 1));

        bytes.bytes_mut(&mut store).unwrap()[0] = 99;
        let Err(Error::Trap(trap)) = run.call(&mut store, [&words, &bytes]) else { panic!("it is unreachable") };
        assert_eq!(trap.kind, TrapKind::Unreachable);
    }
}

#[test]
fn functions_and_arrays_of_other_types_are_not_lent_anything() {
    let engine = engine(Tier::Auto);
    let [words_type, bytes_type] = types(&engine);
    let mut store = Store::new(&engine, Host::default());
    let instance = instance(&engine, &mut store, LENDING).unwrap();
    let get = |name: &str| instance.get_func(&store, name).unwrap();
    for name in ["strange", "more"] {
        let lending = get(name).lending(&store, [&words_type, &bytes_type]);
        assert!(matches!(lending, Err(Error::Type(_))), "{name}");
    }
    assert!(matches!(get("run").lending(&store, [&bytes_type, &words_type]), Err(Error::Type(_))));
    let [strange, _] = types(&self::engine(Tier::Auto));
    assert!(matches!(get("run").lending(&store, [&strange, &bytes_type]), Err(Error::Stale(_))));

    // One that takes more and gives less than it may.
    let less = get("less").lending(&store, [&words_type, &bytes_type]).unwrap();
    let run = get("run").lending(&store, [&words_type, &bytes_type]).unwrap();
    let words = ArrayRef::new_default(&mut store, &words_type, 1).unwrap();
    let bytes = ArrayRef::new_default(&mut store, &bytes_type, 1).unwrap();
    let [(other_words, _), (other_bytes, _)] = less.call(&mut store, [&words, &bytes]).unwrap();
    assert_eq!(other_words.unwrap().bytes(&store).unwrap()[0], 9);
    assert_eq!(other_bytes.unwrap().bytes(&store).unwrap()[0], 8);
    assert!(matches!(run.call(&mut store, [&bytes, &words]), Err(Error::Type(_))));
    assert!(matches!(run.call(&mut store, [&words, &words]), Err(Error::Type(_))));
    let mut other = Store::new(&engine, Host::default());
    assert!(matches!(run.call(&mut other, [&words, &bytes]), Err(Error::Stale(_))));
    let others = ArrayRef::new_default(&mut other, &words_type, 1).unwrap();
    assert!(run.call(&mut store, [&others, &bytes]).is_err());
}
