//! Generated modules, and modules about single operators, on every tier, on wasmtime, on V8 and on wasmi: all must see the
//! same.
//!
//! Pinfold's tiers run every module by a plan (`plan.rs`): the host calls its exports, provides its imports, and looks at
//! everything that it can hold, and at the fuel that is left. wasmi, which has neither exceptions nor objects but whose
//! interpreter shares nothing with us, runs by the same plan what it can. wasmtime and V8 run every second module in a harness
//! (`harness/`), as do the tiers: there WebAssembly itself looks at what hosts cannot.

#![allow(missing_docs, clippy::unwrap_used)]

mod bench;
mod coverage;
mod forms;
mod harness;
mod node;
mod objects;
mod operators;
mod peer;
mod pinfold;
mod plan;
mod random;
mod smith;
mod stack;
mod v8;
mod value;
mod wasmtime;
mod wasmtime_config;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bench::{Bench, Report};
use harness::{Harness, Sights};
use pinfold::Machine;
use pinfold_vm::api::{Error, ExternType, Module};
use plan::{Plan, Run};
use random::Random;
use smith::{Ending, With};

/// Seeds that are tried where nobody says how many; of one in thirty comes no module. A debug build takes six times as long for
/// each as an optimised one, which tries enough for 10,000 modules with all of WebAssembly 3.0.
const SEEDS: u64 = if cfg!(debug_assertions) { 500 } else { 13_000 };

/// Fuel for a plan whose module ends by itself.
const PLENTY: u64 = 1 << 40;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What the module of a seed may use, and what it ends by: four in five may use everything and count for themselves.
fn choose(random: &mut Random) -> (With, Ending) {
    let relaxed = random.one_in(3);
    if !random.one_in(5) {
        return (With { relaxed, ..With::EVERYTHING }, Ending::Counter);
    }
    let vectors = !random.one_in(3);
    let exceptions = random.one_in(4);
    let objects = random.one_in(4);
    let memory64 = random.one_in(2);
    let memories = if random.one_in(2) { 1 } else { 4 };
    let ending = if random.one_in(4) { Ending::Fuel } else { Ending::Counter };
    (With { vectors, relaxed: vectors && relaxed, exceptions, objects, memory64, memories }, ending)
}

/// Generates the module of a seed and compares what everybody makes of it.
fn compare(bench: &mut Bench, seed: u64, report: &mut Report) {
    let mut random = Random::new(seed);
    let (with, ending) = choose(&mut random);
    let Some(bytes) = smith::module(&mut random, ending, with) else {
        report.unmade += 1;
        return;
    };
    let label = format!("seed {seed} ({ending:?})");
    if let Err(what) = compare_module(bench, &label, &bytes, ending, with, &mut random, report) {
        report.failures.push(format!("{label}: {what}"));
    }
}

fn compare_module(
    bench: &mut Bench,
    label: &str,
    bytes: &[u8],
    ending: Ending,
    with: With,
    random: &mut Random,
    report: &mut Report,
) -> Result<(), String> {
    let module = Module::new(&bench.jit.engine, bytes).map_err(|error| format!("refused: {error}"))?;
    let fuel = if ending == Ending::Fuel { 20_000 } else { PLENTY };
    let plan = Plan::new(&module, 2, 12, fuel, random);
    let has_harness = ending == Ending::Counter && random.one_in(2);
    let harness = if has_harness { Harness::new(bytes, 2, 12, random) } else { None };
    let Some(plan) = plan else {
        report.unmade += 1;
        return Ok(());
    };
    report.modules += 1;
    report.everything += u64::from(With { relaxed: true, ..with } == With::EVERYTHING);
    let mut machines = vec![&bench.interpreter];
    machines.extend(random.one_in(2).then(|| random.pick(&bench.mixed)));
    machines.extend((with.objects && random.one_in(4)).then(|| random.pick(&bench.watched)));
    let modules = machines.iter().map(|machine| Ok((*machine, Module::new(&machine.engine, bytes)?)));
    let mut machines = modules.collect::<Result<Vec<_>, Error>>().map_err(text)?;
    machines.insert(0, (&bench.jit, module));

    let expected = by_plan(&machines, &plan)?;
    if ending == Ending::Counter && !with.exceptions && !with.relaxed && !with.objects {
        report.wasmi += 1;
        let run = bench.peer.run(bytes, &plan).map_err(|error| format!("wasmi: {error}"))?;
        expected.clone().coarse().differs(&run, false).map_or(Ok(()), |what| Err(format!("against wasmi: {what}")))?;
    }
    let mut returned = 0;
    if let Some(harness) = harness {
        let sights = in_harness(&machines, &harness)?;
        returned = sights.returned() as u64;
        // It rounds multiply-add once in its deterministic mode too.
        if !coverage::uses(bytes, "madd") {
            report.wasmtime += 1;
            let seen = bench.wasmtime.run(bytes, &harness).map_err(|error| format!("wasmtime: {error}"))?;
            sights.differ(&seen).map_or(Ok(()), |what| Err(format!("against wasmtime: {what}")))?;
        }
        // It does what the machine does.
        if let Some(v8) = bench.v8.as_mut().filter(|_| !with.relaxed) {
            report.v8 += 1;
            v8.add(label.to_owned(), bytes.to_owned(), harness, sights, &mut report.failures);
        }
    }
    if expected.instantiated() {
        report.returned += returned;
        report.instantiated += 1;
        report.calls += expected.called as u64;
        report.fuel += plan.fuel - expected.fuel.iter().copied().filter(|fuel| *fuel > 0).min().unwrap_or(0);
        report.counts.add_module(bytes);
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Runs a plan on machines that have to see the same of it.
fn by_plan(machines: &[(&Machine, Module)], plan: &Plan) -> Result<Run, String> {
    let (first, module) = &machines[0];
    let expected = first.run(module, plan).map_err(|error| format!("{}: {error}", first.name))?;
    for (machine, module) in &machines[1..] {
        let run = machine.run(module, plan).map_err(|error| format!("{}: {error}", machine.name))?;
        if let Some(what) = expected.differs(&run, true) {
            return Err(format!("{} against {}: {what}", first.name, machine.name));
        }
    }
    Ok(expected)
}

/// The same in a harness.
fn in_harness(machines: &[(&Machine, Module)], harness: &Harness) -> Result<Sights, String> {
    let (first, module) = &machines[0];
    let run = |machine: &Machine, module: &Module| {
        harness::pinfold::run(machine, module, harness)
            .map_err(|error| format!("{} in a harness: {error}", machine.name))
    };
    let expected = run(first, module)?;
    for (machine, module) in &machines[1..] {
        if let Some(what) = expected.differ(&run(machine, module)?) {
            return Err(format!("{} against {} in a harness: {what}", first.name, machine.name));
        }
    }
    Ok(expected)
}

/// Shares seeds out to as many threads as there are cores.
fn all(seeds: std::ops::Range<u64>, run: impl Fn(&mut Bench, u64, &mut Report) + Sync) -> Report {
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new(Report::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut bench = Bench::new();
                let mut report = Report::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end
                        || report.failures.len() >= setting("PINFOLD_DIFFERENTIAL_FAILURES", 10) as usize
                    {
                        break;
                    }
                    run(&mut bench, seed, &mut report);
                }
                if let Some(v8) = &mut bench.v8 {
                    v8.finish(&mut report.failures);
                }
                total.lock().unwrap().add(report);
            });
        }
    });
    total.into_inner().unwrap()
}

/// Compares a module about one operator everywhere, and returns how often it surely ran. Without canonical NaNs in the module
/// Pinfold's tiers make them canonical themselves, and other engines are left out.
fn compare_operator(
    bench: &mut Bench,
    entry: &coverage::Entry,
    seed: u64,
    canonical: bool,
    report: &mut Report,
) -> Result<u64, String> {
    let mut random = Random::new(seed);
    // Every second round by 64-bit addresses first.
    let bytes = wat::parse_str(operators::module(entry, canonical, seed >> 32 & 1 == 1, &mut random)).map_err(text)?;
    let machines: Vec<&Machine> =
        if canonical { vec![&bench.jit, &bench.interpreter] } else { bench.canonical.iter().collect() };
    let modules = machines.iter().map(|machine| Ok((*machine, Module::new(&machine.engine, bytes.as_slice())?)));
    let machines = modules.collect::<Result<Vec<_>, Error>>().map_err(|error| format!("refused: {error}"))?;
    let functions = machines[0].1.exports().filter(|(_, ty)| matches!(ty, ExternType::Func(_))).count();
    let each = (120 / functions.max(1)).max(12);
    let plan = Plan::new(&machines[0].1, each, usize::MAX, PLENTY, &mut random).ok_or("no plan")?;
    let call = |what: String| {
        let step = what.split([' ', ':']).nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        let call = plan.calls.get(step.saturating_sub(1) / 2).map(|call| format!("{call:?}")).unwrap_or_default();
        format!("{what}: {call}")
    };
    let expected = by_plan(&machines, &plan).map_err(call)?;
    if canonical && entry.is_known_to_peer() {
        let run = bench.peer.run(&bytes, &plan).map_err(|error| format!("wasmi: {error}"))?;
        if let Some(what) = expected.clone().coarse().differs(&run, false) {
            return Err(call(format!("{} against wasmi: {what}", machines[0].0.name)));
        }
    }
    if canonical {
        let harness =
            Harness::new(&bytes, (40 / functions.max(1)).max(1), usize::MAX, &mut random).ok_or("no harness")?;
        let sights = in_harness(&machines, &harness)?;
        if entry.is_known_to_wasmtime() {
            let seen = bench.wasmtime.run(&bytes, &harness).map_err(|error| format!("wasmtime: {error}"))?;
            sights.differ(&seen).map_or(Ok(()), |what| Err(format!("against wasmtime: {what}")))?;
        }
        if let Some(v8) = bench.v8.as_mut().filter(|_| !entry.is_relaxed()) {
            v8.add(entry.name.clone(), bytes, harness, sights, &mut report.failures);
        }
    }
    if !expected.instantiated() {
        return Err(format!("could not be instantiated: {:?}", expected.steps));
    }
    report.modules += 1;
    report.calls += expected.called as u64;
    Ok(expected.called as u64)
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
        for (round, canonical) in (0..rounds).flat_map(|round| [(round, true), (round, false)]) {
            let seed = round << 32 | index;
            match compare_operator(bench, entry, seed, canonical, report) {
                Ok(calls) => hits += if canonical { calls } else { 0 },
                Err(what) => report.failures.push(format!("{} (seed {seed}): {what}", entry.name)),
            }
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
    report.print_failures();
    assert!(report.failures.is_empty(), "{} modules differ", report.failures.len());
    assert!(scope.len() > 400, "the list of operators is not whole: {}", scope.len());
    assert!(hits >= 100, "{name} ran only {hits} times");
}

/// `PINFOLD_DIFFERENTIAL_MODULES` sets how many seeds, `PINFOLD_DIFFERENTIAL_SEED` where to start.
#[test]
fn generated_modules_mean_the_same_everywhere() {
    let count = setting("PINFOLD_DIFFERENTIAL_MODULES", SEEDS);
    let start = setting("PINFOLD_DIFFERENTIAL_SEED", 0);
    let report = all(start..start + count, compare);
    println!(
        "{} modules, {} of them with all of WebAssembly 3.0 ({} seeds made none); {} instantiated, {} calls, {} of those in a \
         harness returned, {} operators run (counted as fuel)",
        report.modules,
        report.everything,
        report.unmade,
        report.instantiated,
        report.calls,
        report.returned,
        report.fuel
    );
    println!("{}", report.peers());
    let counts = report.counts.by_mnemonic();
    let mut rare: Vec<(u64, String)> =
        coverage::scope().into_iter().map(|e| (counts.get(&e.name).copied().unwrap_or(0), e.name)).collect();
    rare.sort();
    println!("operators in the bodies of modules that ran, least first: {:?}", &rare[..40.min(rare.len())]);
    report.print_failures();
    assert!(report.failures.is_empty(), "{} modules differ", report.failures.len());
    assert!(report.instantiated * 10 > count * 6, "too few modules could be instantiated");
}
