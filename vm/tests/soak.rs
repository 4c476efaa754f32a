//! A heap that programs use for hours stays as large as what they keep. What CI runs takes a minute or two in an optimised
//! build; `SOAK_ROUNDS` says how many rounds there are to be otherwise:
//!
//!     SOAK_ROUNDS=10000000 cargo test --profile checked -p pinfold-vm --test soak -- --nocapture
//!
//! The only test of its process, since it reads how much memory the whole of it has.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pinfold_vm::api::{
    AnyRef, Config, Engine, ExternRef, Func, FuncType, Instance, Linker, Module, Store, StoreLimits, Tier, Val, ValType,
};

/// Rounds of all tiers together, at about 120 KiB each.
const ROUNDS: u64 = if cfg!(debug_assertions) { 40_000 } else { 400_000 };
/// Tenths of them for each tier: most of it where programs spend their lives. What is interpreted takes too long in a debug build.
const SHARES: &[(Tier, u64)] = if cfg!(debug_assertions) {
    &[(Tier::Jit, 10)]
} else {
    &[(Tier::Jit, 6), (Tier::Auto, 2), (Tier::Interpreter, 1), (Tier::AlternateEven, 1)]
};
/// Rounds between two looks at memory.
const BETWEEN: u64 = 20;
/// Major collections that there are to be in each half, or else what is seen says nothing.
const MAJOR: u64 = 2;
/// By how much it may be more in the second half of a run than it was in the first.
const SLACK: u64 = 8 << 20;

/// Values of the host that live.
static ALIVE: AtomicU64 = AtomicU64::new(0);

/// A value of the host that is counted.
struct Value(u64);

impl Value {
    fn new(number: u64) -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self(number)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn linker(engine: &Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    let make = FuncType::new([ValType::I64], [ValType::EXTERNREF]);
    linker
        .func_new("host", "make", make, |_, args, results| {
            let [Val::I64(number)] = args else { panic!("{args:?}") };
            results[0] = Val::ExternRef(Some(ExternRef::new(Value::new(*number as u64))));
            Ok(())
        })
        .unwrap();
    let look = FuncType::new([ValType::EXTERNREF], [ValType::I64]);
    linker
        .func_new("host", "look", look, |_, args, results| {
            results[0] = Val::I64(match args {
                [Val::ExternRef(Some(value))] => value.downcast_ref::<Value>().unwrap().0 as i64,
                _ => -1,
            });
            Ok(())
        })
        .unwrap();
    linker
}

/// What was seen at one time.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    resident: u64,
    heap: u64,
    alive: u64,
}

impl Sample {
    fn most(self, other: Self) -> Self {
        Self {
            resident: self.resident.max(other.resident),
            heap: self.heap.max(other.heap),
            alive: self.alive.max(other.alive),
        }
    }
}

/// A program at work, and what its host keeps of it.
struct Run {
    store: Store<()>,
    func: Func,
    kept: VecDeque<AnyRef>,
    sum: i64,
}

impl Run {
    fn new(engine: &Engine, module: &Module) -> Self {
        let mut store = Store::with_limits(engine, (), StoreLimits { memory: 128 << 20, ..StoreLimits::default() });
        let instance: Instance = linker(engine).instantiate(&mut store, module).unwrap();
        let func = instance.get_func(&store, "round").unwrap();
        Self { store, func, kept: VecDeque::new(), sum: 0 }
    }

    fn round(&mut self, number: u64) {
        let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let mut results = [Val::I64(0), Val::AnyRef(None)];
        self.func.call(&mut self.store, &[Val::I64(seed as i64)], &mut results).unwrap();
        let [Val::I64(sum), Val::AnyRef(Some(any))] = results else { panic!("{results:?}") };
        self.sum = self.sum.rotate_left(1) ^ sum;
        self.kept.push_back(any);
        if self.kept.len() > 100 {
            self.kept.pop_front();
        }
    }

    fn sample(&self) -> Sample {
        Sample { resident: resident(), heap: self.store.memory_used().0, alive: ALIVE.load(Ordering::Relaxed) }
    }
}

/// Runs so many rounds, and compares what is in use in the first half and in the second.
fn soak(tier: Tier, rounds: u64, module: &[u8]) {
    let begin = Instant::now();
    let engine = Engine::new(Config::new().tier(tier)).unwrap();
    let module = Module::new(&engine, module.to_vec()).unwrap();
    let mut run = Run::new(&engine, &module);
    let mut halves = [(Sample::default(), 0); 2];
    for number in 0..rounds {
        run.round(number);
        if number % BETWEEN == 0 {
            let (most, major) = &mut halves[(number >= rounds / 2) as usize];
            *most = most.most(run.sample());
            *major = run.store.heap_statistics().major;
        }
    }
    let [(early, first), (late, both)] = halves;
    println!(
        "{tier:?}: {rounds} rounds in {:.1?}; at most {early:?} and {first} major collections, then {late:?} and {}",
        begin.elapsed(),
        both - first
    );
    assert!(first.min(both - first) >= MAJOR, "{tier:?}: too few rounds");
    assert!(late.heap <= early.heap + SLACK, "{tier:?}: the heap grew from {early:?} to {late:?}");
    assert!(late.resident <= early.resident + SLACK, "{tier:?}: the process grew from {early:?} to {late:?}");
    assert!(late.alive <= early.alive + early.alive / 2, "{tier:?}: the host's values grew from {early:?} to {late:?}");
    drop(run);
    assert_eq!(ALIVE.load(Ordering::Relaxed), 0, "{tier:?}");
}

/// What the first rounds come to.
fn checksum(tier: Tier, module: &[u8]) -> i64 {
    let engine = Engine::new(Config::new().tier(tier)).unwrap();
    let module = Module::new(&engine, module.to_vec()).unwrap();
    let mut run = Run::new(&engine, &module);
    (0..20).for_each(|number| run.round(number));
    run.sum
}

#[test]
fn memory_stays_flat() {
    let rounds = std::env::var("SOAK_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let module = wat::parse_str(include_str!("soak.wat")).unwrap();
    let sums = [Tier::Jit, Tier::Auto, Tier::Interpreter, Tier::AlternateEven].map(|tier| checksum(tier, &module));
    assert_eq!(sums, [sums[0]; 4]);
    for (tier, tenths) in SHARES {
        soak(*tier, rounds * tenths / 10, &module);
    }
}
