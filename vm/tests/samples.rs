//! Samples of guests' stacks: that they are where the time goes, on every tier, and that taking them changes nothing.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pinfold_vm::api::{
    Config, Engine, Error, InterruptHandle, Linker, Module, Sampled, Samples, Store, StoreLimits, Tier, TrapKind, Val,
};
use pinfold_vm::heap::Checks;

const TIERS: [Tier; 8] = [
    Tier::Interpreter,
    Tier::Jit,
    Tier::JitLazy,
    Tier::Auto,
    Tier::AlternateEven,
    Tier::AlternateOdd,
    Tier::EveryLoop,
    Tier::SomeLoops,
];

/// Ticks until a program has been looked at for long enough.
const ENOUGH: u32 = 400;

/// A thread that has samples taken as long as this is there.
struct Ticking {
    count: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Ticking {
    fn new(handle: InterruptHandle, count: Arc<AtomicU32>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = stop.clone();
        let counted = count.clone();
        let tick = move || {
            while !is_over.load(Ordering::Relaxed) {
                handle.tick();
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::park_timeout(Duration::from_micros(200));
            }
        };
        Self { count, stop, thread: Some(std::thread::spawn(tick)) }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Calls `f` of a module whose imports are `host.more`, which is not zero until there were enough ticks, and `host.wait`, which waits for as many; and
/// tells how it ended, and what was seen.
fn sampled(config: &Config, text: &str, deadline: Option<Duration>) -> (Result<Vec<Val>, Error>, Names) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let limits = StoreLimits { stack: 8 << 20, ..StoreLimits::default() };
    let mut store = Store::with_limits(&engine, (), limits);
    let _ = store.set_fuel(1 << 50);
    store.sample().unwrap();
    let count = Arc::new(AtomicU32::new(0));
    let mut linker = Linker::new(&engine);
    let more = count.clone();
    linker.func_wrap("host", "more", move || i32::from(more.load(Ordering::Relaxed) < ENOUGH)).unwrap();
    let wait = count.clone();
    let waits = move || {
        while wait.load(Ordering::Relaxed) < ENOUGH {
            std::thread::yield_now();
        }
    };
    linker.func_wrap("host", "wait", waits).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let func = instance.get_func(&store, "f").unwrap();
    let mut results: Vec<Val> = func.ty(&store).unwrap().results().iter().map(|ty| Val::zero(*ty)).collect();
    let ticking = Ticking::new(store.interrupt_handle(), count);
    store.set_deadline(deadline.map(|after| Instant::now() + after));
    let outcome = func.call(&mut store, &[], &mut results).map(|()| results);
    assert!(ticking.count.load(Ordering::Relaxed) > 0);
    drop(ticking);
    (outcome, Names(store.samples().unwrap()))
}

/// Samples, asked for by names.
struct Names(Samples);

impl Names {
    fn name(&self, place: usize) -> String {
        match &self.0.places[place].what {
            Sampled::Guest { module, func, .. } => {
                let names = self.0.modules[*module].inner().names();
                names.function(*func).unwrap_or("?").to_owned()
            }
            Sampled::Host(name) => format!("host {}", name.as_deref().unwrap_or("?")),
            other => format!("{other:?}"),
        }
    }

    /// The names on the way to a place, the root first.
    fn path(&self, mut place: usize) -> Vec<String> {
        let mut path = vec![self.name(place)];
        while place != 0 {
            place = self.0.places[place].parent;
            path.push(self.name(place));
        }
        path.reverse();
        path
    }

    /// The share of the time whose stacks are such.
    fn share(&self, is: impl Fn(&[String]) -> bool) -> f64 {
        let time = |micros: u32| f64::from(micros);
        let all: f64 = self.0.samples.iter().map(|(_, micros)| time(*micros)).sum();
        let those = self.0.samples.iter().filter(|(place, _)| is(&self.path(*place)));
        those.map(|(_, micros)| time(*micros)).sum::<f64>() / all
    }
}

fn config(tier: Tier) -> Config {
    let mut config = Config::new();
    config.tier(tier);
    config
}

/// `$hot` calls `$small` a hundred times as often as `$cold` does.
const HOT: &str = r#"(module
    (import "host" "more" (func $more (result i32)))
    (func $small (param i32) (result i32) (i32.xor (i32.mul (local.get 0) (i32.const 0x9e3779b1)) (i32.const 77)))
    (func $work (param i32 i32) (result i32)
        (loop (local.set 1 (call $small (local.get 1)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
    (func $hot (param i32) (result i32) (i32.add (i32.const 1) (call $work (i32.const 100000) (local.get 0))))
    (func $cold (param i32) (result i32) (i32.add (i32.const 1) (call $work (i32.const 1000) (local.get 0))))
    (func $f (export "f") (result i32) (local i32)
        (loop (local.set 0 (call $cold (call $hot (local.get 0)))) (br_if 0 (call $more)))
        (local.get 0)))"#;

#[test]
fn most_samples_are_where_the_time_goes() {
    for tier in TIERS {
        for fuel in [false, true] {
            let (outcome, seen) = sampled(config(tier).consume_fuel(fuel), HOT, None);
            outcome.unwrap();
            let has = |name: &'static str| move |path: &[String]| path.iter().any(|at| at == name);
            let (hot, cold) = (seen.share(has("hot")), seen.share(has("cold")));
            assert!(hot > 0.8 && cold < 0.2, "{tier:?}: {hot} {cold}");
            // Whoever calls is known also where a function has no frame yet, or none any more.
            let whole = |path: &[String]| {
                path.last().is_some_and(|last| last == "small")
                    && path.starts_with(&["Root", "f", "hot", "work"].map(Into::into))
            };
            let small = seen.share(|path| path.last().is_some_and(|last| last == "small"));
            let whole = seen.share(whole);
            assert!(tier != Tier::Interpreter || small > 0.1, "{small}");
            assert!(seen.0.is_complete && whole > 0.9 * small - 0.15, "{tier:?}: {whole} of {small}");
        }
    }
}

#[test]
fn the_frames_of_a_deep_stack_are_the_newest() {
    let text = r#"(module
        (import "host" "more" (func $more (result i32)))
        (func $spin (result i32) (local i32)
            (loop (local.set 0 (i32.const 10000))
                (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (br_if 0 (call $more)))
            (local.get 0))
        (func $deep (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
                (else (call $spin))))
        (func $f (export "f") (result i32) (call $deep (i32.const 20000))))"#;
    for tier in TIERS {
        let (outcome, seen) = sampled(&config(tier), text, None);
        assert_eq!(outcome.unwrap()[0].i32(), Some(20000), "{tier:?}");
        let cut = seen.share(|path| {
            let ends = |names: [&str; 2]| path.starts_with(&names.map(Into::into));
            ends(["Root", "Deeper"]) && (129..=131).contains(&path.len()) && path.iter().any(|at| at == "spin")
        });
        assert!(cut > 0.9, "{tier:?}: {cut}");
    }
}

#[test]
fn time_in_a_host_function_is_that_of_who_called_it() {
    let text = r#"(module
        (import "host" "wait" (func $wait))
        (table 1 funcref) (elem (i32.const 0) $wait)
        (func $direct (call $wait))
        (func $indirect (call_indirect (i32.const 0)))
        (func $f (export "f") (call $CALLEE)))"#;
    for tier in TIERS {
        for (callee, host) in [("direct", "host host.wait"), ("indirect", "host ?")] {
            let (outcome, seen) = sampled(&config(tier), &text.replace("CALLEE", callee), None);
            outcome.unwrap();
            let expected: Vec<String> = ["Root", "f", callee, host].map(Into::into).into();
            let share = seen.share(|path| path == expected);
            assert!(share > 0.9, "{tier:?}: {callee}: {share}");
        }
    }
}

/// Ways to run that leave things in accumulators and registers over loops and calls.
const SUMS: &str = r#"(module
    (type $unary (func (param i32) (result i32)))
    (table 4 funcref) (elem (i32.const 0) $a $b $c $tail)
    (memory 1)
    (tag $odd (param i32))
    (func $a (param i32) (result i32) (i32.rotl (i32.add (local.get 0) (i32.const 11)) (i32.const 3)))
    (func $b (param i32) (result i32) (i32.xor (local.get 0) (i32.shr_u (local.get 0) (i32.const 7))))
    (func $c (param i32) (result i32)
        (if (i32.and (local.get 0) (i32.const 1)) (then (throw $odd (i32.mul (local.get 0) (i32.const 5)))))
        (local.get 0))
    (func $tail (param i32) (result i32) (return_call $count (local.get 0) (i32.const 9)))
    (func $count (param i32 i32) (result i32)
        (if (i32.eqz (local.get 1)) (then (return (local.get 0))))
        (return_call $count (i32.add (local.get 0) (local.get 1)) (i32.sub (local.get 1) (i32.const 1))))
    (func $caught (param i32) (result i32)
        (block $h (result i32)
            (return (try_table (result i32) (catch $odd $h)
                (call_indirect (type $unary) (local.get 0) (i32.and (local.get 0) (i32.const 3)))))))
    (func (export "f") (result i32 i64 f64 f32) (local $i i32) (local $x i64) (local $y f64) (local $z f32) (local $s i32)
        (local.set $i (i32.const 3000000))
        (local.set $x (i64.const 88172645463325252))
        (loop $next
            (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
            (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
            (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
            (local.set $y (f64.add (f64.mul (local.get $y) (f64.const 0.5)) (f64.convert_i64_s (local.get $x))))
            (local.set $z (f32.add (f32.mul (local.get $z) (f32.const 0.25)) (f32.convert_i32_s (i32.wrap_i64 (local.get $x)))))
            (i32.store (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 0xfffc)) (local.get $s))
            (local.set $s (call $caught (i32.xor (local.get $s) (i32.wrap_i64 (local.get $x)))))
            (block $out (block $again
                (br_table $again $out (i32.eqz (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))) (br $next)))
        (i32.add (local.get $s) (i32.load (i32.const 64))) (local.get $x) (local.get $y) (local.get $z)))"#;

#[test]
fn what_is_looked_at_gives_the_same() {
    let plain = {
        let engine = Engine::new(config(Tier::Jit).consume_fuel(true)).unwrap();
        let module = Module::new(&engine, wat::parse_str(SUMS).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 50).unwrap();
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let mut results = [Val::I32(0), Val::I64(0), Val::F64(0), Val::F32(0)];
        instance.get_func(&store, "f").unwrap().call(&mut store, &[], &mut results).unwrap();
        format!("{results:?}")
    };
    for tier in TIERS {
        let (outcome, seen) = sampled(config(tier).consume_fuel(true), SUMS, None);
        assert_eq!(format!("{:?}", outcome.unwrap()), plain, "{tier:?}");
        assert!(seen.0.samples.len() > 3, "{tier:?}: {}", seen.0.samples.len());
    }
}

#[test]
fn a_heap_that_collects_at_every_allocation_is_looked_at() {
    let text = r#"(module
        (import "host" "more" (func $more (result i32)))
        (type $list (struct (field i32) (field (ref null $list))))
        (func $build (param i32) (result (ref null $list)) (local (ref null $list))
            (loop (local.set 1 (struct.new $list (local.get 0) (local.get 1)))
                (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1))
        (func $sum (param (ref null $list)) (result i32) (local i32)
            (block $end (loop (local.set 1 (i32.add (local.get 1)
                    (struct.get $list 0 (br_on_null $end (local.get 0)))))
                (local.set 0 (struct.get $list 1 (local.get 0))) (br 0)))
            (local.get 1))
        (func $f (export "f") (result i32) (local i32)
            (loop (local.set 0 (call $sum (call $build (i32.const 20)))) (br_if 0 (call $more)))
            (local.get 0)))"#;
    for tier in TIERS {
        let mut config = config(tier);
        config.heap_checks(Checks { every_allocation: true, poison: true, verify: true, timed: false });
        let (outcome, seen) = sampled(&config, text, None);
        assert_eq!(outcome.unwrap()[0].i32(), Some(210), "{tier:?}");
        let build = seen.share(|path| path.iter().any(|at| at == "build"));
        assert!(build > 0.5, "{tier:?}: {build}");
    }
}

#[test]
fn a_deadline_and_a_trap_end_what_is_looked_at() {
    let endless = [
        "(module (func $f (export \"f\") (loop (br 0))))",
        "(module (func $f (export \"f\") (return_call $f)))",
        "(module (memory 100) (func $f (export \"f\")
            (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 6000000)) (br 0))))",
    ];
    for tier in TIERS {
        for text in endless {
            let (outcome, seen) = sampled(&config(tier), text, Some(Duration::from_millis(30)));
            assert_eq!(outcome.unwrap_err().trap().unwrap().kind, TrapKind::Timeout, "{tier:?}: {text}");
            let share = seen.share(|path| path.get(1).is_some_and(|at| at == "f"));
            assert!(share > 0.9, "{tier:?}: {text}: {share}");
        }
        let text = HOT.replace("(br_if 0 (call $more))", "(br_if 0 (call $more)) (unreachable)");
        let (outcome, seen) = sampled(&config(tier), &text, None);
        assert_eq!(outcome.unwrap_err().trap().unwrap().kind, TrapKind::Unreachable, "{tier:?}");
        assert!(seen.share(|path| path.iter().any(|at| at == "hot")) > 0.8, "{tier:?}");
    }
}

#[test]
fn samples_take_signals_and_a_tick_without_samples_is_nothing() {
    let engine = Engine::new(config(Tier::Interpreter).signals(false)).unwrap();
    let mut store = Store::new(&engine, ());
    assert!(store.sample().is_err() && store.samples().is_none());
    let store = Store::new(&Engine::default(), ());
    store.interrupt_handle().tick();
}
