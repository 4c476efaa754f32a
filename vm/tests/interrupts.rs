//! Stopping guests, and what they leave behind, through the library's interface on every tier.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pinfold_vm::api::{Config, Engine, Error, Instance, Linker, Module, Store, StoreLimits, Tier, Trap, TrapKind, Val};

const TIERS: [Tier; 4] = [Tier::Interpreter, Tier::Jit, Tier::Auto, Tier::EveryLoop];

/// What a stop may take; it takes a few milliseconds, but test machines are busy.
const BOUND: Duration = Duration::from_millis(200);

const ENDLESS: &str = r#"(module
    (memory 2048) (table $t 8000000 10000000 externref)
    (type $v (func)) (table $f 1 funcref) (elem (table $f) (i32.const 0) func $tail_indirect)
    (func (export "an empty loop") (loop (br 0)))
    (func (export "a loop with memory") (local i32)
        (loop (i32.store (i32.and (local.get 0) (i32.const 0xfffc)) (local.get 0))
            (br_if 0 (local.tee 0 (i32.or (i32.const 1) (i32.add (local.get 0) (i32.const 5)))))))
    (func $small (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "calls") (local i32) (loop (local.set 0 (call $small (local.get 0))) (br 0)))
    (func $tail (export "tail calls") (return_call $tail))
    (func $tail_indirect (export "indirect tail calls") (return_call_indirect $f (type $v) (i32.const 0)))
    (func (export "memory.fill")
        (loop (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x8000000)) (br 0)))
    (func (export "memory.copy")
        (loop (memory.copy (i32.const 1) (i32.const 0) (i32.const 0x7000000)) (br 0)))
    (func (export "table.fill")
        (loop (table.fill $t (i32.const 0) (ref.null extern) (i32.const 8000000)) (br 0)))
    (func (export "table.copy")
        (loop (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 7999999)) (br 0)))
    (elem $many funcref (ref.null func))
    (func (export "table.init")
        (loop (table.init $f $many (i32.const 0) (i32.const 0) (i32.const 1)) (br 0)))
    (func (export "table.grow") (loop (drop (table.grow $t (ref.null extern) (i32.const 1))) (br 0))))"#;

struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(config: &Config, text: &str, limits: StoreLimits) -> Self {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::with_limits(&engine, (), limits);
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "panics", || -> i32 { panic!("of the host's own") }).unwrap();
        linker.func_wrap("host", "fails", || -> Result<i32, Error> { Err(Error::host("as it likes")) }).unwrap();
        // Some of these engines count none.
        let _ = store.set_fuel(1 << 40);
        let instance = linker.instantiate(&mut store, &module).unwrap();
        Self { store, instance }
    }

    fn call(&mut self, export: &str, args: &[Val], results: usize) -> Result<Vec<Val>, Error> {
        let mut out = vec![Val::I32(0); results];
        self.instance.get_func(&self.store, export).unwrap().call(&mut self.store, args, &mut out).map(|()| out)
    }

    fn trap(&mut self, export: &str) -> Box<Trap> {
        let func = self.instance.get_func(&self.store, export).unwrap();
        let results = func.ty(&self.store).unwrap().results().len();
        match self.call(export, &[], results) {
            Err(Error::Trap(trap)) => trap,
            other => panic!("{export}: expected a trap, got {other:?}"),
        }
    }
}

fn config(tier: Tier) -> Config {
    let mut config = Config::new();
    config.tier(tier);
    config
}

fn guest(tier: Tier, text: &str) -> Guest {
    Guest::new(&config(tier), text, StoreLimits { memory: 1 << 30, ..StoreLimits::default() })
}

fn endless() -> Vec<String> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(ENDLESS).unwrap()).unwrap();
    module.exports().map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn a_deadline_ends_whatever_runs() {
    for tier in TIERS {
        let mut guest = guest(tier, ENDLESS);
        let mut slowest = (Duration::ZERO, String::new());
        for name in endless() {
            let at = Instant::now() + Duration::from_millis(30);
            guest.store.set_deadline(Some(at));
            let trap = guest.trap(&name);
            let late = at.elapsed();
            assert_eq!(trap.kind, TrapKind::Timeout, "{tier:?}: {name}");
            slowest = slowest.max((late, name));
            guest.store.set_deadline(None);
        }
        println!("{tier:?}: a deadline ended the run at most {:?} late ({})", slowest.0, slowest.1);
        assert!(slowest.0 < BOUND, "{tier:?}: {slowest:?}");
    }
}

#[test]
fn another_thread_ends_whatever_runs() {
    for tier in TIERS {
        let mut guest = guest(tier, ENDLESS);
        let mut slowest = (Duration::ZERO, String::new());
        for name in endless() {
            let handle = guest.store.interrupt_handle();
            let asker = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(30));
                handle.interrupt();
                Instant::now()
            });
            let trap = guest.trap(&name);
            let end = Instant::now();
            assert_eq!(trap.kind, TrapKind::Interrupted, "{tier:?}: {name}");
            let late = end.saturating_duration_since(asker.join().unwrap());
            slowest = slowest.max((late, name));
        }
        println!("{tier:?}: a request ended the run at most {:?} later ({})", slowest.0, slowest.1);
        assert!(slowest.0 < BOUND, "{tier:?}: {slowest:?}");
    }
}

/// Signals that come faster than they are handled: none may be on top of another, since signal stacks are small.
#[test]
fn a_flood_of_signals_harms_nobody() {
    for tier in [Tier::Jit, Tier::Interpreter] {
        let mut guest = guest(tier, ENDLESS);
        let over = AtomicBool::new(false);
        // SAFETY: no arguments; a thread's signal that the engine handles.
        let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        // SAFETY: the thread waits for this one.
                        unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGURG) };
                    }
                });
            }
            for name in ["an empty loop", "calls", "memory.copy"] {
                guest.store.set_deadline(Some(Instant::now() + Duration::from_millis(300)));
                assert_eq!(guest.trap(name).kind, TrapKind::Timeout, "{tier:?}: {name}");
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}

const LIMITED: &str = r#"(module
    (memory 1) (table $t 1 externref)
    (func $deep (export "recursion") (call $deep))
    (func $wide (export "recursion with values") (result i64) (local v128)
        (i64.add (call $wide) (i64.extend_i32_u (i8x16.bitmask (local.get 0)))))
    (type $v (func)) (table $f 1 funcref) (elem (table $f) (i32.const 0) func $indirect)
    (func $indirect (export "indirect recursion") (call_indirect $f (type $v) (i32.const 0)))
    (func (export "memory growth") (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))))
    (func (export "table growth")
        (loop (br_if 0 (i32.ne (table.grow $t (ref.null extern) (i32.const 1000)) (i32.const -1))))))"#;

#[test]
fn limits_end_in_traps_of_their_own() {
    for tier in TIERS {
        let limits = StoreLimits { memory: 4 << 20, ..StoreLimits::default() };
        let mut guest = Guest::new(&config(tier), LIMITED, limits);
        // Twice: nothing of the first run may be left.
        for _ in 0..2 {
            for name in ["recursion", "recursion with values", "indirect recursion"] {
                let trap = guest.trap(name);
                assert_eq!(trap.kind, TrapKind::StackExhausted, "{tier:?}: {name}");
                assert!(trap.frames.len() == 80 && trap.omitted > 0, "{tier:?}: {name}: {}", trap.frames.len());
            }
        }
        assert_eq!(guest.trap("memory growth").kind, TrapKind::OutOfMemory, "{tier:?}");
        assert_eq!(guest.trap("table growth").kind, TrapKind::OutOfMemory, "{tier:?}");
        let soft = StoreLimits { grow_fails_softly: true, ..limits };
        let mut guest = Guest::new(&config(tier), LIMITED, soft);
        guest.call("memory growth", &[], 0).unwrap();
        guest.call("table growth", &[], 0).unwrap();
    }
}

#[test]
fn fuel_ends_a_run_at_the_same_place_on_every_tier() {
    let text = r#"(module (memory 4) (global $turns (export "turns") (mut i32) (i32.const 0))
        (func $work (param i32) (result i32) (i32.mul (local.get 0) (i32.const 31)))
        (func (export "run") (result i32) (local i32)
            (loop
                (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
                (local.set 0 (call $work (local.get 0)))
                (memory.fill (i32.const 0) (local.get 0) (i32.const 1000))
                (br_if 0 (i32.lt_u (global.get $turns) (i32.const 1000))))
            (local.get 0)))"#;
    let seen: Vec<_> = TIERS
        .iter()
        .map(|tier| {
            let mut config = config(*tier);
            config.consume_fuel(true);
            let mut whole = Guest::new(&config, text, StoreLimits::default());
            whole.call("run", &[], 1).unwrap();
            let used = (1 << 40) - whole.store.get_fuel().unwrap();
            let turns = [1, 10, 1000, 7777].map(|fuel| {
                let mut guest = Guest::new(&config, text, StoreLimits::default());
                guest.store.set_fuel(fuel).unwrap();
                assert_eq!(guest.trap("run").kind, TrapKind::OutOfFuel, "{tier:?}: {fuel}");
                let turns = guest.instance.get_global(&guest.store, "turns").unwrap();
                format!("{:?}", turns.get(&guest.store).unwrap())
            });
            (used, turns)
        })
        .collect();
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}

#[test]
fn panics_and_errors_of_the_host_become_errors() {
    let text = r#"(module
        (import "host" "panics" (func $panics (result i32))) (import "host" "fails" (func $fails (result i32)))
        (func (export "panics") (result i32) (call $panics)) (func (export "fails") (result i32) (call $fails))
        (func (export "well") (result i32) (i32.const 42)))"#;
    for tier in TIERS {
        let mut guest = guest(tier, text);
        for (name, message) in [("panics", "of the host's own"), ("fails", "as it likes")] {
            let trap = guest.trap(name);
            assert_eq!(trap.kind, TrapKind::Host, "{tier:?}: {name}");
            assert!(trap.to_string().contains(message), "{tier:?}: {trap}");
            assert!(matches!(guest.call("well", &[], 1).unwrap()[..], [Val::I32(42)]), "{tier:?}");
        }
    }
}

#[test]
fn backtraces_are_the_same_on_every_tier() {
    let text = r#"(module $traps (type $t (func (param i32)))
        (import "host" "fails" (func $fails (result i32)))
        (memory 1) (table 1 funcref) (elem (i32.const 0) $choose)
        (func $choose (param i32)
            (block (block (block (block (block (block
                (br_table 0 1 2 3 4 5 (local.get 0)))
                unreachable)
                (drop (i32.div_s (i32.const 1) (i32.sub (local.get 0) (i32.const 1)))) return)
                (drop (i64.load offset=70000 (i32.const 3))) return)
                (memory.fill (i32.const 65000) (i32.const 0) (i32.const 1000)) return)
                (drop (i32.trunc_f32_s (f32.const nan))) return)
                (drop (call $fails)))
        (func $through (param i32) nop (call_indirect (type $t) (local.get 0) (i32.const 0)))
        (func $nest (param i32 i32)
            (if (local.get 1) (then (call $nest (local.get 0) (i32.sub (local.get 1) (i32.const 1))) return))
            (call $through (local.get 0)) nop)
        (func (export "run") (param i32 i32) (call $nest (local.get 0) (local.get 1))))"#;
    let tiers = [Tier::Interpreter, Tier::Jit, Tier::AlternateEven, Tier::AlternateOdd];
    let traces = tiers.map(|tier| {
        let mut guest = guest(tier, text);
        let mut all = Vec::new();
        for what in 0..6 {
            for depth in [0, 3, 200] {
                match guest.call("run", &[Val::I32(what), Val::I32(depth)], 0) {
                    Err(Error::Trap(trap)) => all.push((trap.kind, trap.frames, trap.omitted)),
                    other => panic!("{tier:?}: {what}: {other:?}"),
                }
            }
        }
        all
    });
    for (tier, trace) in tiers.iter().zip(&traces).skip(1) {
        for (expected, found) in traces[0].iter().zip(trace) {
            assert_eq!(expected, found, "{:?} and {tier:?} differ", tiers[0]);
        }
    }
    let names: Vec<_> = traces[0][0].1.iter().map(|frame| frame.name.as_deref()).collect();
    assert_eq!(names, [Some("choose"), Some("through"), Some("nest"), Some("run")]);
}

/// Run by the test below in a process of its own, with the handler of an embedder in place.
#[test]
#[ignore = "a child process of the next test"]
fn child_with_a_handler_of_its_own() {
    extern "C" fn own(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: `_exit` may be called from a signal handler; the kernel passes a valid `info`.
        unsafe { libc::_exit(if (*info).si_addr() as usize == 0x1234_0000 { 43 } else { 44 }) }
    }
    // SAFETY: a valid action; the handler does nothing but leave.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = own as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut()), 0);
    }
    let mut guest = guest(Tier::Jit, r#"(module (memory 1) (func (export "f") (drop (i32.load (i32.const 65536)))))"#);
    assert_eq!(guest.trap("f").kind, TrapKind::MemoryOutOfBounds);
    // SAFETY: not safe at all: nothing is mapped there, which is the point.
    unsafe { (0x1234_0000 as *const u8).read_volatile() };
}

#[test]
fn faults_outside_of_guests_reach_the_handler_that_was_there() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_with_a_handler_of_its_own", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert_eq!(child.status.code(), Some(43), "{child:?}");
}
