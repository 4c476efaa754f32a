//! Frames of the interpreter that go on in compiled code in the middle of a loop.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pinfold_vm::api::{Config, Engine, Error, Instance, Linker, Module, Store, StoreLimits, Tier, TrapKind, Val};
use pinfold_vm::heap::Checks;

/// Each way to come to the same, the one to compare with first.
const TIERS: [Tier; 4] = [Tier::Interpreter, Tier::Jit, Tier::EveryLoop, Tier::SomeLoops];

/// An instance in a store of its own, whose heap moves everything whenever it can.
struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(tier: Tier, text: &str) -> Self {
        let mut config = Config::new();
        config.tier(tier).consume_fuel(true).check_code(true);
        config.heap_checks(Checks { every_allocation: true, poison: true, verify: true, timed: false });
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::with_limits(&engine, (), StoreLimits { stack: 1 << 20, ..StoreLimits::default() });
        store.set_fuel(1 << 40).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        Self { store, instance }
    }

    /// Calls `f`.
    fn f(&mut self, args: &[Val]) -> Result<Vec<Val>, Error> {
        let func = self.instance.get_func(&self.store, "f").unwrap();
        let mut results: Vec<Val> = func.ty(&self.store).unwrap().results().iter().map(|ty| Val::zero(*ty)).collect();
        func.call(&mut self.store, args, &mut results).map(|()| results)
    }
}

/// What `f` gives for each argument on all tiers, and that it costs the same.
fn same(text: &str, args: &[i32]) -> Vec<String> {
    let mut all = TIERS.map(|tier| {
        let mut guest = Guest::new(tier, text);
        let outcome: Vec<String> = args
            .iter()
            .map(|arg| match guest.f(&[Val::I32(*arg)]) {
                Ok(values) => format!("{values:?}"),
                Err(error) => {
                    let trap = error.trap().unwrap();
                    let frames: Vec<_> = trap.frames.iter().map(|frame| (frame.func, frame.offset)).collect();
                    format!("{:?} {frames:?}", trap.kind)
                }
            })
            .collect();
        let entered = guest.store.loops_entered();
        // Where visits are picked at random there may be none among a few.
        let is_free = tier == Tier::SomeLoops;
        assert!(is_free || (entered > 0) == (tier == Tier::EveryLoop), "{tier:?}: {entered}");
        (outcome, guest.store.get_fuel().unwrap())
    });
    for (tier, other) in TIERS.iter().zip(&all).skip(1) {
        assert_eq!(*other, all[0], "{tier:?}\n{text}");
    }
    std::mem::take(&mut all[0].0)
}

#[test]
fn locals_of_every_type_go_on_as_they_were() {
    let text = r#"(module
        (type $box (struct (field i32)))
        (func $callee (result i32) (i32.const 1000))
        (elem declare func $callee)
        (func $collect (drop (struct.new $box (i32.const 7))))
        (func (export "f") (param i32) (result i32 i64 f32 f64 v128 i32 i32 i32)
            (local $i i64) (local $s f32) (local $d f64) (local $v v128) (local $func funcref) (local $box (ref null $box)) (local $any anyref)
            (local.set $i (i64.const 0x1_0000_0001)) (local.set $s (f32.const 1.5)) (local.set $d (f64.const 2.5))
            (local.set $v (i32x4.splat (local.get 0))) (local.set $func (ref.func $callee))
            (local.set $box (struct.new $box (i32.const 5))) (local.set $any (ref.i31 (i32.const 11)))
            (loop $again
                (call $collect)
                (local.set $i (i64.add (local.get $i) (i64.extend_i32_u (struct.get $box 0 (local.get $box)))))
                (local.set $s (f32.mul (local.get $s) (f32.const 1.25)))
                (local.set $d (f64.add (local.get $d) (f64.promote_f32 (local.get $s))))
                (local.set $v (i32x4.add (local.get $v) (i32x4.splat (i32.const 3))))
                (local.set $box (struct.new $box (i32.add (struct.get $box 0 (local.get $box)) (i32.const 1))))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 0) (local.get $i) (local.get $s) (local.get $d) (local.get $v)
            (call_indirect_of (local.get $func))
            (struct.get $box 0 (local.get $box)) (i31.get_s (ref.cast (ref i31) (local.get $any)))))"#
        .replace("(call_indirect_of (local.get $func))", "(ref.is_null (local.get $func))");
    let results = same(&text, &[1, 2, 20]);
    assert!(results[2].contains("25"), "{results:?}");
}

#[test]
fn operands_below_a_loop_and_its_parameters_are_taken_along() {
    // Numbers, a vector and an object below two loops, one in the other, with a branch around the inner one and an `if` with parameters about it.
    let text = r#"(module
        (type $box (struct (field i32)))
        (func $new (param i32) (result (ref $box)) (struct.new $box (local.get 0)))
        (func $sum (param i64 v128 (ref $box) f32 i32) (result i32)
            (i32.add (i32.add (i32.wrap_i64 (local.get 0)) (i32x4.extract_lane 2 (local.get 1)))
                (i32.add (struct.get $box 0 (local.get 2)) (i32.add (i32.trunc_f32_s (local.get 3)) (local.get 4)))))
        (func (export "f") (param $n i32) (result i32) (local $inner i32)
            (i64.const 100)
            (i32x4.splat (i32.const 20))
            (call $new (i32.const 3))
            (f32.const 4)
            (i32.const 0)
            (loop $outer (param i32) (result i32)
                (call $new (local.get $n))
                (i32.const 50)
                (if (param i32) (result i32) (i32.and (local.get $n) (i32.const 1))
                    (then
                        (block $around (param i32) (result i32)
                            (br_if $around (i32.eq (local.get $n) (i32.const 5)))
                            (local.set $inner (i32.const 4))
                            (loop $again (param i32) (result i32)
                                (i32.add (struct.get $box 0 (call $new (local.get $inner))))
                                (br_if $again (local.tee $inner (i32.sub (local.get $inner) (i32.const 1)))))
                            (i32.const 1) (i32.add)))
                    (else (i32.const 7) (i32.add)))
                (local.set $inner)
                (struct.get $box 0)
                (local.get $inner)
                (i32.add)
                (i32.add)
                (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (call $sum)))"#;
    assert_eq!(same(text, &[1, 2, 9]), ["[I32(189)]", "[I32(248)]", "[I32(694)]"]);
}

#[test]
fn exceptions_find_their_handlers_around_the_loop_and_in_frames_below() {
    let text = r#"(module
        (tag $e (param i32))
        (tag $other)
        (func $throw (param i32)
            (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $e (local.get 0))))
            (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $other))))
        ;; Catches one of them itself, around the loop and what is below it.
        (func $inner (param i32) (result i32) (local $n i32) (local $caught i32)
            (local.set $n (local.get 0))
            (i32.const 1000)
            (block $h (result i32 exnref)
                (try_table (catch_ref $e $h)
                    (loop $again
                        (call $throw (local.get $n))
                        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
                (i32.const 1) (ref.null exn))
            (ref.is_null) (i32.mul (i32.const 10000)) (i32.add) (i32.add)
            (loop $again
                (br_if $again (i32.lt_s (local.tee $caught (i32.add (local.get $caught) (i32.const 1))) (i32.const 3))))
            (call $throw (local.get 0)))
        ;; And this one the other, with a frame in between that is in a loop of its own.
        (func $between (param i32) (result i32) (local $n i32) (local $r i32)
            (local.set $n (i32.const 3))
            (loop $again
                (local.set $r (i32.add (local.get $r) (call $inner (local.get 0))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $r))
        (func (export "f") (param i32) (result i32) (local $r i32)
            (local.set $r (i32.const 77))
            (block $h (try_table (catch $other $h) (local.set $r (call $between (local.get 0)))))
            (local.get $r)))"#;
    let results = same(text, &[1, 2, 4, 5, 3]);
    assert_eq!(results[..4], ["[I32(77)]", "[I32(77)]", "[I32(3009)]", "[I32(3009)]"]);
    assert!(results[4].starts_with("UncaughtException"), "{results:?}");
}

#[test]
fn a_tail_call_in_a_loop_is_the_frame_s_own() {
    // A million of them between two functions and one of the host's kind of tables, each with a loop: on a small stack.
    let text = r#"(module
        (type $f (func (param i32 i64 v128) (result i32 i64 i32 i64 i32)))
        (table funcref (elem $even $odd))
        (func $turn (param i32))
        (func $even (type $f) (local $n i32)
            (local.set $n (i32.const 2))
            (loop $again
                (if (i32.eqz (local.get 0)) (then (return (i32.const 1) (local.get 1) (i32.const 3) (i64.const 4) (i32x4.extract_lane 0 (local.get 2)))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
                (return_call $odd (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1)) (local.get 2)))
            (unreachable))
        (func $odd (type $f) (local anyref i64)
            (loop $again
                (return_call_indirect (type $f)
                    (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1)) (local.get 2) (i32.const 0)))
            (unreachable))
        (func (export "f") (param i32) (result i32 i64 i32 i64 i32)
            (call $even (local.get 0) (i64.const 0) (i32x4.splat (i32.const 9)))))"#;
    let results = same(text, &[0, 10, 50_000]);
    assert_eq!(results[2], "[I32(1), I64(50000), I32(3), I64(4), I32(9)]");
}

#[test]
fn results_that_take_more_room_than_locals_spare_the_frame_s_header() {
    // Eight slots of results over one local and the header: returned, and of a tail call of a function of either kind.
    let results = "(result i32 v128 v128 v128 i32)";
    let text = format!(
        r#"(module
        (type $f (func (param i32) {results}))
        (func $leaf (type $f)
            (local.get 0) (i32x4.splat (i32.const 1)) (i32x4.splat (i32.const 2)) (i32x4.splat (i32.const 3)) (i32.const 4))
        (func $return (type $f) (loop {results} (call $leaf (local.get 0))))
        (func $tail (type $f)
            (loop $again
                (br_if $again (i32.gt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 5)))
                (return_call $return (local.get 0)))
            (unreachable))
        (func $trap (type $f) (loop $again (return_call $fail (local.get 0))) (unreachable))
        (func $fail (type $f) (unreachable))
        (func (export "f") (param i32) {results}
            (if {results} (local.get 0) (then (call $tail (local.get 0))) (else (call $trap (local.get 0))))))"#
    );
    let outcomes = same(&text, &[9, 0]);
    assert!(outcomes[0].starts_with("[I32(5), V128(") && outcomes[1].starts_with("Unreachable"), "{outcomes:?}");
}

#[test]
fn a_tail_call_leaves_the_handlers_of_its_frame_behind() {
    let text = r#"(module
        (tag $e (param i32))
        (func $throw (param i32) (result i32) (throw $e (local.get 0)))
        (func $inner (param i32) (result i32)
            (block $h (result i32)
                (try_table (result i32) (catch $e $h)
                    (loop $again (result i32) (return_call $throw (local.get 0)))))
            (i32.const 100) (i32.add))
        (func (export "f") (param i32) (result i32)
            (block $h (result i32) (try_table (result i32) (catch $e $h) (call $inner (local.get 0))))))"#;
    assert_eq!(same(text, &[5]), ["[I32(5)]"]);
}

#[test]
fn frames_below_go_on_where_they_were_with_the_memory_that_has_grown() {
    let text = r#"(module
        (memory 1)
        (func $f (export "f") (param i32) (result i32) (local $n i32) (local $r i32)
            (local.set $n (i32.const 2))
            (loop $again
                (if (local.get 0) (then
                    (local.set $r (i32.add (local.get $r) (call $f (i32.sub (local.get 0) (i32.const 1)))))))
                (drop (memory.grow (i32.const 1)))
                (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (memory.size))
                (local.set $r (i32.add (local.get $r) (i32.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $r)))"#;
    let sum: i32 = (2..=512).sum();
    assert_eq!(same(text, &[7])[0], format!("[I32({})]", sum - 512 - 511 + 511));
}

#[test]
fn traps_say_the_same_of_the_same_frames() {
    let text = r#"(module
        (func $divide (param i32 i32) (result i32)
            (loop $again (result i32)
                (br_if $again (i32.gt_s (local.tee 1 (i32.sub (local.get 1) (i32.const 1))) (i32.const 0)))
                (i32.div_s (i32.const 1) (local.get 1))))
        (func $down (param i32) (result i32) (local $n i32)
            (local.set $n (i32.const 3))
            (loop $again
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (if (result i32) (local.get 0)
                (then (loop (result i32) (call $down (i32.sub (local.get 0) (i32.const 1)))))
                (else (call $divide (local.get 0) (i32.const 4)))))
        (func (export "f") (param i32) (result i32)
            (loop (result i32) (call $down (local.get 0)))))"#;
    let results = same(text, &[0, 10]);
    assert!(results[1].starts_with("DivideByZero [(0, ") && results[1].matches("(1, ").count() == 11, "{results:?}");
}

#[test]
fn what_no_one_can_reach_any_more_is_collected_while_a_loop_goes_on() {
    // The frame's slots still have the list that the loop has given up.
    let text = r#"(module
        (type $list (struct (field (ref null $list)) (field v128)))
        (func (export "f") (param i32) (result i32) (local $list (ref null $list)) (local $n i32)
            (local.set $n (i32.const 100000))
            (loop $fill
                (local.set $list (struct.new $list (local.get $list) (v128.const i64x2 0 0)))
                (br_if $fill (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (loop $again
                (local.set $list (ref.null none))
                (drop (struct.new $list (ref.null none) (v128.const i64x2 0 0)))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (i32.const 1)))"#;
    let text = text.replace("(loop $fill", "(loop $fill (nop)");
    let engine = Engine::new(Config::new().tier(Tier::SomeLoops)).unwrap();
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut store = Store::with_limits(&engine, (), StoreLimits { memory: 8 << 20, ..StoreLimits::default() });
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    let f = instance.get_func(&store, "f").unwrap();
    f.call(&mut store, &[Val::I32(1_000_000)], &mut [Val::I32(0)]).unwrap();
    assert!(store.loops_entered() > 0);
}

#[test]
fn recursion_without_end_is_a_trap_and_so_is_a_loop_without_fuel() {
    let deep = r#"(module (func $f (export "f") (param i32) (result i32)
        (loop (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))))"#;
    let long = r#"(module (func (export "f") (param i32) (result i32) (loop $again (br $again)) (unreachable)))"#;
    for tier in TIERS {
        assert_eq!(
            Guest::new(tier, deep).f(&[Val::I32(1)]).unwrap_err().trap().unwrap().kind,
            TrapKind::StackExhausted
        );
        let mut guest = Guest::new(tier, long);
        guest.store.set_fuel(10_000).unwrap();
        assert_eq!(guest.f(&[Val::I32(1)]).unwrap_err().trap().unwrap().kind, TrapKind::OutOfFuel);
        assert_eq!(guest.store.get_fuel().unwrap(), 0, "{tier:?}");
    }
}

#[test]
fn a_loop_in_a_function_that_is_called_once_goes_on_in_compiled_code() {
    let text = r#"(module (func (export "f") (param i64) (result i64) (local $sum i64)
        (loop $again
            (local.set $sum (i64.xor (i64.mul (local.get $sum) (i64.const 31)) (local.get 0)))
            (br_if $again (i64.ne (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0))))
        (local.get $sum)))"#;
    let run = |tier, turns| {
        let engine = Engine::new(Config::new().tier(tier)).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let f = instance.get_func(&store, "f").unwrap();
        let mut results = [Val::I64(0)];
        f.call(&mut store, &[Val::I64(turns)], &mut results).unwrap();
        (format!("{results:?}"), store.loops_entered())
    };
    // As long as it takes.
    let start = Instant::now();
    let mut turns = 1 << 20;
    while start.elapsed() < Duration::from_secs(60) {
        let (result, entered) = run(Tier::Auto, turns);
        if entered == 1 {
            assert_eq!(result, run(Tier::Jit, turns).0);
            return;
        }
        turns *= 4;
    }
    panic!("no loop was entered");
}
