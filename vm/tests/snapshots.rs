//! Programs that are written down when they have begun, and gone on with in other stores.

use std::error::Error as _;

use pinfold_vm::api::{
    Caller, Config, Engine, Error, Linker, Module, Result, SnapshotError, Store, Tier, TrapKind, Val,
};

type Outcome<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How often the host was asked, and what was written down when it was the last time.
#[derive(Default)]
struct Host {
    asked: i32,
    /// At which time it is written down.
    at: Option<i32>,
    taken: Option<Vec<u8>>,
}

fn linker(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "ask", |mut caller: Caller<'_, Host>, wanted: i32| -> Result<i32> {
        if caller.data().at == Some(caller.data().asked) {
            let taken = caller.snapshot(&[("note", b"one")])?;
            caller.data_mut().taken = Some(taken);
        }
        caller.data_mut().asked += 1;
        Ok(wanted.wrapping_mul(3).wrapping_add(caller.data().asked))
    })?;
    Ok(linker)
}

fn engine(fuel: bool) -> Result<Engine> {
    Engine::new(Config::new().snapshots(true).consume_fuel(fuel))
}

/// Runs `run` of a module, and writes it down when it asks the host the `at`-th time: its results and the snapshot.
fn taken(text: &str, at: i32, params: &[Val], results: usize) -> Outcome<(Vec<Val>, Vec<u8>)> {
    let engine = engine(false)?;
    let mut store = Store::new(&engine, Host { at: Some(at), ..Host::default() });
    let module = Module::new(&engine, wat::parse_str(text)?)?;
    let instance = linker(&engine)?.instantiate(&mut store, &module)?;
    let mut found = vec![Val::I32(0); results];
    instance.get_func(&store, "run").ok_or("no function")?.call(&mut store, params, &mut found)?;
    Ok((found, store.data_mut().taken.take().ok_or("nothing was written down")?))
}

/// Goes on with a snapshot, where the host has been asked `asked` times.
fn resumed(config: &Config, snapshot: &[u8], asked: i32) -> Result<Vec<Val>> {
    let engine = Engine::new(config)?;
    let mut store = Store::new(&engine, Host { asked, ..Host::default() });
    let _ = store.set_fuel(1 << 40);
    let module = Module::new(&engine, snapshot)?;
    let restored = linker(&engine)?.restore(&mut store, &module)?;
    assert!(restored.is_running());
    restored.resume(&mut store)
}

fn configs() -> Vec<Config> {
    let tiers = [
        Tier::Interpreter,
        Tier::Jit,
        Tier::JitLazy,
        Tier::Auto,
        Tier::AlternateEven,
        Tier::AlternateOdd,
        Tier::EveryLoop,
        Tier::SomeLoops,
    ];
    let mut all = Vec::new();
    for tier in tiers {
        for fuel in [false, true] {
            let mut config = Config::new();
            config.tier(tier).consume_fuel(fuel);
            all.push(config);
        }
    }
    all.push(Config::new().debug(true).clone());
    all.push(Config::new().snapshots(true).clone());
    all
}

/// Values of all types in locals and on the operand stack, through calls of each kind, loops and handlers.
const DEEP: &str = r#"(module
    (import "host" "ask" (func $ask (param i32) (result i32)))
    (type $binary (func (param i32 i64) (result i64)))
    (tag $thrown (param i32))
    (memory (export "memory") 1)
    (table $functions 4 8 funcref)
    (global $count (mut i32) (i32.const 0))
    (global $chosen (mut funcref) (ref.null func))
    (global $wide (mut v128) (v128.const i64x2 1 2))
    (data $passive "abcdefgh")
    (data $gone "gone")
    (data (i32.const 70) "active")
    (elem (i32.const 1) func $leaf)
    (elem declare func $middle $leaf)

    (func $leaf (param $n i32) (param $m i64) (result i64)
        (local $before i32)
        (local.set $before (i32.add (local.get $n) (i32.const 1000)))
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i32.store (i32.shl (global.get $count) (i32.const 3)) (local.get $n))
        ;; Constants, locals and results wait below the call.
        (i64.add
            (i64.add
                (i64.add (i64.const 7) (local.get $m))
                (i64.extend_i32_s (local.get $before)))
            (i64.extend_i32_s (call $ask (i32.add (local.get $n) (i32.const 2))))))

    (func $middle (param $n i32) (param $m i64) (result i64)
        (local $sum i64) (local $f f32) (local $d f64) (local $v v128) (local $r funcref)
        (local.set $f (f32.convert_i32_s (local.get $n)))
        (local.set $d (f64.mul (f64.const 2.5) (f64.promote_f32 (local.get $f))))
        (local.set $v (i32x4.splat (local.get $n)))
        (local.set $r (ref.func $leaf))
        (loop $again
            (local.set $sum
                (i64.add
                    (local.get $sum)
                    ;; A vector and floats below the call, and a local that it changes the value of afterwards.
                    (i64x2.extract_lane 0
                        (i64x2.add
                            (v128.xor (local.get $v) (global.get $wide))
                            (i64x2.splat
                                (i64.add
                                    (i64.trunc_sat_f64_s (f64.add (local.get $d) (f64.promote_f32 (local.get $f))))
                                    (call_indirect $functions (type $binary)
                                        (local.get $n) (local.get $m) (i32.const 1))))))))
            (global.set $wide (i64x2.add (global.get $wide) (local.get $v)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (i32.gt_s (local.get $n) (i32.const 0))))
        (table.set $functions (i32.const 3) (local.get $r))
        (global.set $chosen (local.get $r))
        (local.get $sum))

    (func $caught (param $n i32) (param $m i64) (result i64)
        (block $handler (result i32)
            (try_table (result i64) (catch $thrown $handler)
                (call $middle (local.get $n) (local.get $m))
                (throw $thrown (local.get $n)))
            return)
        i64.extend_i32_s)

    (func $recursive (param $depth i32) (param $m i64) (result i64)
        (if (result i64) (i32.eqz (local.get $depth))
            (then (i64.add (call $caught (i32.const 4) (local.get $m)) (call $middle (i32.const 3) (local.get $m))))
            (else
                (i64.mul
                    (i64.const 3)
                    (i64.sub
                        (local.get $m)
                        (call $recursive
                            (i32.sub (local.get $depth) (i32.const 1))
                            (i64.add (local.get $m) (i64.const 5))))))))

    (func $tail (param $n i32) (param $m i64) (result i64)
        (return_call $recursive (local.get $n) (local.get $m)))

    (func (export "run") (param $n i32) (result i64 i32 i32 i64)
        (local $held i64)
        (memory.init $passive (i32.const 128) (i32.const 0) (i32.const 4))
        (data.drop $gone)
        (drop (memory.grow (i32.const 2)))
        (i32.store (i32.const 131072) (i32.const 99))
        (drop (table.grow $functions (ref.func $middle) (i32.const 2)))
        (local.set $held (call $tail (local.get $n) (i64.const 11)))
        (memory.init $passive (i32.const 132) (i32.const 4) (i32.const 4))
        (i64.add (local.get $held) (call_indirect $functions (type $binary) (i32.const 1) (i64.const 1) (i32.const 5)))
        (i32.add (i32.load (i32.const 131072)) (i32.mul (memory.size) (i32.const 1000)))
        (i32.add
            (global.get $count)
            (i32.mul (i32.const 10) (ref.eq (ref.null eq) (ref.null eq))))
        (i64.add (i64.load (i32.const 128)) (i64.load (i32.const 70)))))
"#;

/// The same without operators of the heap.
fn deep() -> String {
    DEEP.replace("(i32.mul (i32.const 10) (ref.eq (ref.null eq) (ref.null eq)))", "(ref.is_null (global.get $chosen))")
}

#[test]
fn a_run_goes_on_in_any_tier_wherever_it_was_written_down() -> Outcome {
    let text = deep();
    for at in 0..8 {
        let (expected, snapshot) = taken(&text, at, &[Val::I32(5)], 4)?;
        for config in configs() {
            let found = resumed(&config, &snapshot, at).map_err(|error| format!("{config:?} at {at}: {error}"))?;
            assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{config:?} at {at}");
        }
    }
    Ok(())
}

#[test]
fn a_snapshot_of_a_run_that_was_gone_on_with_is_one_too() -> Outcome {
    let text = deep();
    let (expected, mut snapshot) = taken(&text, 0, &[Val::I32(2)], 4)?;
    for at in 1..8 {
        let engine = engine(false)?;
        let mut store = Store::new(&engine, Host { asked: at - 1, at: Some(at), ..Host::default() });
        let module = Module::new(&engine, &snapshot)?;
        assert_eq!(module.custom_section("note"), Some(&b"one"[..]));
        assert!(module.is_snapshot());
        let found = linker(&engine)?.restore(&mut store, &module)?.resume(&mut store)?;
        assert_eq!(format!("{found:?}"), format!("{expected:?}"), "at {at}");
        snapshot = store.data_mut().taken.take().ok_or("nothing was written down")?;
    }
    Ok(())
}

#[test]
fn one_snapshot_is_many_runs_that_know_nothing_of_one_another() -> Outcome {
    let (expected, snapshot) = taken(&deep(), 3, &[Val::I32(1)], 4)?;
    let engine = Engine::default();
    let module = Module::new(&engine, &snapshot)?;
    for _ in 0..20 {
        let mut store = Store::new(&engine, Host { asked: 3, ..Host::default() });
        let found = linker(&engine)?.restore(&mut store, &module)?.resume(&mut store)?;
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }
    Ok(())
}

#[test]
fn a_trap_afterwards_tells_the_whole_stack() -> Outcome {
    let text = r#"(module
        (import "host" "ask" (func $ask (param i32) (result i32)))
        (func $inner (param i32) (result i32)
            (i32.div_s (i32.const 1) (i32.sub (call $ask (local.get 0)) (i32.const 1))))
        (func $outer (export "run") (param i32) (result i32) (i32.add (i32.const 1) (call $inner (local.get 0)))))"#;
    let (_, snapshot) = taken(text, 0, &[Val::I32(4)], 1)?;
    // Asked for four the host answers with thirteen the first time; asked first at minus twelve, with one.
    let ended = resumed(&Config::new(), &snapshot, -12);
    let Err(Error::Trap(trap)) = ended else { return Err(format!("{ended:?}").into()) };
    assert_eq!(trap.kind, TrapKind::DivideByZero);
    let names: Vec<_> = trap.frames.iter().filter_map(|frame| frame.name.as_deref()).collect();
    assert_eq!(names, ["inner", "outer"]);
    assert!(trap.source().is_none());
    Ok(())
}

#[test]
fn a_stack_that_has_no_room_for_the_frames_is_a_trap() -> Outcome {
    let text = r#"(module
        (import "host" "ask" (func $ask (param i32) (result i32)))
        (func $run (export "run") (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (i32.add (i32.const 1) (call $run (i32.sub (local.get 0) (i32.const 1)))))
                (else (call $ask (i32.const 1))))))"#;
    let (expected, snapshot) = taken(text, 0, &[Val::I32(5000)], 1)?;
    assert_eq!(format!("{:?}", resumed(&Config::new(), &snapshot, 0)?), format!("{expected:?}"));
    let engine = Engine::default();
    let limits = pinfold_vm::api::StoreLimits { stack: 64 << 10, ..Default::default() };
    let mut store = Store::with_limits(&engine, Host::default(), limits);
    let ended = linker(&engine)?.restore(&mut store, &Module::new(&engine, &snapshot)?)?.resume(&mut store);
    let Err(Error::Trap(trap)) = ended else { return Err(format!("{ended:?}").into()) };
    assert_eq!(trap.kind, TrapKind::StackExhausted);
    Ok(())
}

/// Why a program cannot be written down.
fn refused(engine: &Engine, text: &str) -> Outcome<SnapshotError> {
    let mut store = Store::new(engine, Host { at: Some(0), ..Host::default() });
    let module = Module::new(engine, wat::parse_str(text)?)?;
    let instance = linker(engine)?.instantiate(&mut store, &module)?;
    let run = instance.get_func(&store, "run").ok_or("no function")?;
    let ended = match run.call(&mut store, &[], &mut []) {
        Ok(()) => instance.snapshot(&store, &[]).err().ok_or("it can")?,
        Err(Error::Trap(trap)) => match trap.source.map(|source| source.downcast::<Error>()) {
            Some(Ok(error)) => *error,
            other => return Err(format!("{other:?}").into()),
        },
        Err(error) => error,
    };
    match ended {
        Error::Snapshot(error) => Ok(error),
        error => Err(error.into()),
    }
}

#[test]
fn what_cannot_be_written_down_is_said() -> Outcome {
    let ask = r#"(import "host" "ask" (func $ask (param i32) (result i32)))"#;
    let plain = format!("(module {ask} (func (export \"run\") (drop (call $ask (i32.const 1)))))");
    assert!(matches!(refused(&Engine::default(), &plain)?, SnapshotError::NotMadeForIt));
    let engine = engine(false)?;
    let heap = format!("(module {ask} (type (struct)) (func (export \"run\") (drop (struct.new 0))))");
    assert!(matches!(refused(&engine, &heap)?, SnapshotError::Heap));
    let indirect = format!(
        "(module {ask} (table funcref (elem $ask)) (func (export \"run\") (drop (call_indirect (param i32) (result i32) (i32.const 1) (i32.const 0)))))"
    );
    assert!(matches!(refused(&engine, &indirect)?, SnapshotError::Stack(_)));
    let tail = format!(
        "(module {ask} (func $last (result i32) (return_call $ask (i32.const 1))) (func (export \"run\") (drop (call $last))))"
    );
    assert!(matches!(refused(&engine, &tail)?, SnapshotError::Stack(_)));
    Ok(())
}

#[test]
fn what_is_no_snapshot_is_not_gone_on_with() -> Outcome {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str("(module)")?)?;
    assert!(!module.is_snapshot());
    let ended = linker(&engine)?.restore(&mut Store::new(&engine, Host::default()), &module);
    assert!(matches!(ended, Err(Error::Snapshot(SnapshotError::None))));
    Ok(())
}

/// Where the state is in a snapshot's bytes.
fn state(snapshot: &[u8]) -> usize {
    let name = b"pinfold.state";
    snapshot.windows(name.len()).rposition(|at| at == name).map_or(0, |at| at + name.len())
}

#[test]
fn no_state_that_somebody_made_up_breaks_anything() -> Outcome {
    let (_, snapshot) = taken(&deep(), 2, &[Val::I32(3)], 4)?;
    let start = state(&snapshot);
    let length = u32::from_le_bytes(snapshot[start..start + 4].try_into()?) as usize;
    let words = length / 4;
    let configs = [Tier::Interpreter, Tier::EveryLoop].map(|tier| Config::new().tier(tier).consume_fuel(true).clone());
    let (mut random, mut outcomes) = (0x9e37_79b9_7f4a_7c15_u64, [0; 3]);
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let count: u32 = std::env::var("MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(3000);
    for round in 0..count {
        let mut mutant = snapshot.clone();
        for _ in 0..1 + next() % 3 {
            let at = start + 4 + 4 * (next() as usize % words);
            let old = u32::from_le_bytes(mutant[at..at + 4].try_into()?);
            let new = match next() % 5 {
                0 => old.wrapping_add(1),
                1 => old.wrapping_sub(1),
                2 => next() as u32 % 64,
                3 => 1 << (next() % 32),
                _ => next() as u32,
            };
            mutant[at..at + 4].copy_from_slice(&new.to_le_bytes());
        }
        let config = &configs[round as usize % configs.len()];
        let engine = Engine::new(config)?;
        let module = Module::new(&engine, &mutant)?;
        let mut store = Store::new(&engine, Host { asked: 2, ..Host::default() });
        store.set_fuel(100_000)?;
        let outcome = match linker(&engine)?.restore(&mut store, &module) {
            Ok(restored) => match restored.resume(&mut store) {
                Ok(_) => 0,
                Err(Error::Trap(_)) => 1,
                Err(error) => return Err(error.into()),
            },
            Err(Error::Snapshot(_)) => 2,
            Err(error) => return Err(error.into()),
        };
        outcomes[outcome] += 1;
    }
    // Some of each kind, or this shows little.
    assert!(outcomes.iter().all(|ended| *ended > count / 500), "{outcomes:?}");
    Ok(())
}

#[test]
fn a_snapshot_that_is_cut_off_is_an_error() -> Outcome {
    let (_, snapshot) = taken(&deep(), 2, &[Val::I32(3)], 4)?;
    let start = state(&snapshot);
    let engine = Engine::default();
    let whole = snapshot.len() - start;
    for kept in [0, 3, 4, 40, 400, whole / 2, whole - 1] {
        // The section's own size, which stands before its name, in five bytes.
        let mut cut = snapshot[..start + kept].to_vec();
        let size = start - 1 - "pinfold.state".len() - 5;
        let contents = 1 + "pinfold.state".len() + kept;
        for (at, byte) in cut[size..size + 5].iter_mut().enumerate() {
            *byte = (contents >> (7 * at)) as u8 & 0x7f | if at < 4 { 0x80 } else { 0 };
        }
        let module = Module::new(&engine, &cut)?;
        let mut store = Store::new(&engine, Host::default());
        let ended = linker(&engine)?.restore(&mut store, &module);
        assert!(matches!(ended, Err(Error::Snapshot(SnapshotError::Damaged(_)))), "{kept}: {ended:?}");
    }
    Ok(())
}
