//! Generated modules on every tier and on wasmi: all must see the same.

#![allow(missing_docs, clippy::unwrap_used)]

mod coverage;
mod operators;
mod peer;
mod pinfold;
mod plan;
mod random;
mod smith;
mod stack;
mod value;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use coverage::Counts;
use peer::Peer;
use pinfold::Machine;
use pinfold_vm::api::{ExternType, MemoryKind, Module, Tier};
use plan::Plan;
use random::Random;
use smith::{Ending, With};

/// Fuel for a plan whose module ends by itself.
const PLENTY: u64 = 1 << 40;

/// The engines that are compared.
struct Bench {
    machines: Vec<Machine>,
    /// The same, with canonical NaNs.
    canonical: Vec<Machine>,
    alternating: [Machine; 2],
    peer: Peer,
}

impl Bench {
    fn new() -> Self {
        let reserved = MemoryKind::Reserved;
        Self {
            machines: vec![Machine::new("jit", Tier::Jit, reserved, false)],
            canonical: vec![
                Machine::new("jit, canonical NaNs", Tier::Jit, reserved, true),
                Machine::new("interpreter, canonical NaNs", Tier::Interpreter, reserved, true),
                Machine::new("jit, canonical NaNs, dynamic memory", Tier::Jit, MemoryKind::Dynamic, true),
            ],
            alternating: [
                Machine::new("even functions compiled", Tier::AlternateEven, reserved, false),
                Machine::new("odd functions compiled, dynamic memory", Tier::AlternateOdd, MemoryKind::Dynamic, false),
            ],
            peer: Peer::new(),
        }
    }
}

/// What the comparison of many modules came to.
#[derive(Default)]
struct Report {
    modules: u64,
    unmade: u64,
    instantiated: u64,
    calls: u64,
    fuel: u64,
    counts: Counts,
    failures: Vec<String>,
}

impl Report {
    fn add(&mut self, other: Self) {
        self.modules += other.modules;
        self.unmade += other.unmade;
        self.instantiated += other.instantiated;
        self.calls += other.calls;
        self.fuel += other.fuel;
        self.counts.add(&other.counts);
        self.failures.extend(other.failures);
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Generates the module of a seed and compares what everybody makes of it.
fn compare(bench: &Bench, seed: u64, report: &mut Report) {
    let mut random = Random::new(seed);
    let ending = if random.one_in(8) { Ending::Fuel } else { Ending::Counter };
    let vectors = !random.one_in(3);
    let exceptions = random.one_in(4);
    let relaxed = vectors && random.one_in(3);
    let memory64 = random.one_in(2);
    let memories = if random.one_in(2) { 1 } else { 4 };
    let with = With { vectors, relaxed, exceptions, memory64, memories };
    let Some(bytes) = smith::module(&mut random, ending, with) else {
        report.unmade += 1;
        return;
    };
    let first = &bench.machines[0];
    let mut fail = |what: String| report.failures.push(format!("seed {seed} ({ending:?}): {what}"));
    let module = match Module::new(&first.engine, bytes.as_slice()) {
        Ok(module) => module,
        Err(error) => return fail(format!("refused: {error}")),
    };
    let fuel = if ending == Ending::Fuel { 20_000 } else { PLENTY };
    let Some(plan) = Plan::new(&module, 2, 12, fuel, &mut random) else {
        report.unmade += 1;
        return;
    };
    report.modules += 1;
    drop(module);
    let expected = match first.run(&bytes, &plan) {
        Ok(run) => run,
        Err(error) => return fail(format!("{}: {error}", first.name)),
    };
    let extra = random.one_in(4).then(|| random.pick(&bench.alternating));
    let others = bench.machines[1..].iter().chain(extra);
    for machine in others {
        match machine.run(&bytes, &plan) {
            Ok(run) => {
                if let Some(what) = expected.differs(&run, true) {
                    fail(format!("{} against {}: {what}", first.name, machine.name));
                }
            }
            Err(error) => fail(format!("{}: {error}", machine.name)),
        }
    }
    if ending == Ending::Counter && !exceptions && !relaxed {
        match bench.peer.run(&bytes, &plan) {
            Ok(run) => {
                if let Some(what) = expected.clone().coarse().differs(&run, false) {
                    fail(format!("{} against wasmi: {what}", first.name));
                }
            }
            Err(error) => fail(format!("wasmi: {error}")),
        }
    }
    if expected.instantiated() {
        report.instantiated += 1;
        report.calls += expected.called as u64;
        report.fuel += plan.fuel - expected.fuel.iter().copied().filter(|fuel| *fuel > 0).min().unwrap_or(0);
        report.counts.add_module(&bytes);
    }
}

/// Shares seeds out to as many threads as there are cores.
fn all(seeds: std::ops::Range<u64>, run: impl Fn(&Bench, u64, &mut Report) + Sync) -> Report {
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new(Report::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let bench = Bench::new();
                let mut report = Report::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end
                        || report.failures.len() >= setting("PINFOLD_DIFFERENTIAL_FAILURES", 10) as usize
                    {
                        break;
                    }
                    run(&bench, seed, &mut report);
                }
                total.lock().unwrap().add(report);
            });
        }
    });
    total.into_inner().unwrap()
}

/// Compares a module about one operator everywhere. Without canonical NaNs in the module Pinfold's
/// tiers make them canonical themselves, and wasmi is left out.
fn compare_operator(bench: &Bench, entry: &coverage::Entry, seed: u64, canonical: bool, report: &mut Report) -> u64 {
    let mut random = Random::new(seed);
    // Every second round by 64-bit addresses first.
    let text = operators::module(entry, canonical, seed >> 32 & 1 == 1, &mut random);
    let mut fail = |what: String| report.failures.push(format!("{} (seed {seed}): {what}", entry.name));
    let machines = if canonical { &bench.machines } else { &bench.canonical };
    let peer = canonical && entry.is_known_to_peer();
    let first = &machines[0];
    let (bytes, module) = match wat::parse_str(&text) {
        Err(error) => {
            fail(format!("{error}"));
            return 0;
        }
        Ok(bytes) => match Module::new(&first.engine, bytes.as_slice()) {
            Err(error) => {
                fail(format!("refused: {error}"));
                return 0;
            }
            Ok(module) => (bytes, module),
        },
    };
    let functions = module.exports().filter(|(_, ty)| matches!(ty, ExternType::Func(_))).count();
    let each = (120 / functions.max(1)).max(12);
    let Some(plan) = Plan::new(&module, each, usize::MAX, PLENTY, &mut random) else { return 0 };
    drop(module);
    let expected = match first.run(&bytes, &plan) {
        Ok(run) => run,
        Err(error) => {
            fail(format!("{}: {error}", first.name));
            return 0;
        }
    };
    let call = |what: &str| {
        let step = what.split([' ', ':']).nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        plan.calls.get(step.saturating_sub(1) / 2).map(|call| format!("{call:?}")).unwrap_or_default()
    };
    for machine in &machines[1..] {
        match machine.run(&bytes, &plan) {
            Ok(run) => {
                if let Some(what) = expected.differs(&run, true) {
                    fail(format!("{} against {}: {what}: {}", first.name, machine.name, call(&what)));
                }
            }
            Err(error) => fail(format!("{}: {error}", machine.name)),
        }
    }
    if peer {
        match bench.peer.run(&bytes, &plan) {
            Ok(run) => {
                if let Some(what) = expected.clone().coarse().differs(&run, false) {
                    fail(format!("{} against wasmi: {what}: {}", first.name, call(&what)));
                }
            }
            Err(error) => fail(format!("wasmi: {error}")),
        }
    }
    if !expected.instantiated() {
        fail(format!("could not be instantiated: {:?}", expected.steps));
    }
    report.modules += 1;
    report.calls += expected.called as u64;
    expected.called as u64
}

/// Every operator of the scope runs at least a hundred times, alone in its function.
#[test]
fn every_operator_means_the_same_everywhere() {
    let scope = coverage::scope();
    let rounds = setting("PINFOLD_DIFFERENTIAL_ROUNDS", 2);
    let least = Mutex::new((u64::MAX, String::new()));
    let report = all(0..scope.len() as u64, |bench, index, report| {
        let entry = &scope[index as usize];
        let mut hits = 0;
        for round in 0..rounds {
            hits += compare_operator(bench, entry, round << 32 | index, true, report);
            compare_operator(bench, entry, round << 32 | index, false, report);
        }
        let mut least = least.lock().unwrap();
        if hits < least.0 {
            *least = (hits, entry.name.clone());
        }
    });
    let (hits, name) = least.into_inner().unwrap();
    println!(
        "{} operators, {} modules, {} calls; the least often run is {name}: {hits} times",
        scope.len(),
        report.modules,
        report.calls
    );
    for failure in &report.failures {
        println!("  {failure}");
    }
    assert!(report.failures.is_empty(), "{} modules differ", report.failures.len());
    assert!(scope.len() > 400, "the list of operators is not whole: {}", scope.len());
    assert!(hits >= 100, "{name} ran only {hits} times");
}

/// `PINFOLD_DIFFERENTIAL_MODULES` sets how many seeds (one in thirty makes no module), `PINFOLD_DIFFERENTIAL_SEED` where to start.
#[test]
fn generated_modules_mean_the_same_everywhere() {
    let count = setting("PINFOLD_DIFFERENTIAL_MODULES", 10_400);
    let start = setting("PINFOLD_DIFFERENTIAL_SEED", 0);
    let report = all(start..start + count, compare);
    println!(
        "{} modules ({} seeds made none), {} instantiated, {} calls, {} operators run (counted as fuel)",
        report.modules, report.unmade, report.instantiated, report.calls, report.fuel
    );
    let counts = report.counts.by_mnemonic();
    let mut rare: Vec<(u64, String)> =
        coverage::scope().into_iter().map(|e| (counts.get(&e.name).copied().unwrap_or(0), e.name)).collect();
    rare.sort();
    println!("operators in the bodies of modules that ran, least first: {:?}", &rare[..40.min(rare.len())]);
    for failure in &report.failures {
        println!("  {failure}");
    }
    assert!(report.failures.is_empty(), "{} modules differ", report.failures.len());
    assert!(report.instantiated * 10 > count * 6, "too few modules could be instantiated");
}
