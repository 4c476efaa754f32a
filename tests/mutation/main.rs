//! Valid modules with bytes changed: whatever comes of them, nothing panics and nothing hangs.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../differential/pinfold.rs"]
mod pinfold;
#[path = "../differential/plan.rs"]
#[allow(dead_code)]
mod plan;
#[path = "../differential/random.rs"]
mod random;
mod seeds;
#[path = "../differential/smith.rs"]
mod smith;
#[path = "../differential/value.rs"]
mod value;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pinfold::Machine;
use pinfold_vm::api::{MemoryKind, Module, Tier};
use pinfold_vm::heap::Checks;
use plan::Plan;
use random::Random;
use seeds::Seed;

/// Fuel for one mutant: a fraction of a second on any tier.
const FUEL: u64 = 30_000;
/// How long one mutant may take, compiled and run; far more than any does.
const PATIENCE: Duration = Duration::from_secs(10);

/// Changes some bytes. Most changes keep the length, so that sections still end where they say.
fn mutate(bytes: &mut Vec<u8>, others: &[Seed], random: &mut Random) {
    // The header says nothing worth changing.
    let start = 8;
    for _ in 0..1 + random.below(3) {
        if bytes.len() < start + 8 {
            return;
        }
        let at = start + random.below(bytes.len() - start);
        match random.below(16) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, random.next() as u8),
            2 => bytes.truncate(at),
            3 => {
                let other = &random.pick(others).bytes;
                let from = random.below(other.len());
                let len = random.below(32).min(other.len() - from).min(bytes.len() - at);
                bytes[at..at + len].copy_from_slice(&other[from..from + len]);
            }
            4 => {
                let from = start + random.below(bytes.len() - start);
                let len = random.below(16).min(bytes.len() - at.max(from));
                bytes.copy_within(from..from + len, at);
            }
            5 | 6 => bytes[at] = random.next() as u8,
            7 | 8 => bytes[at] = bytes[at].wrapping_add(1),
            9 => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff, 0x0b, 0x41, 0xfd, 0xfc]),
            // Operators that stand beside one another are often of one type.
            10 | 11 => bytes[at] ^= 1,
            _ => bytes[at] ^= 1 << random.below(8),
        }
    }
}

/// Changes bytes so that the module often stays valid.
fn soften(bytes: &mut [u8], soft: &[usize], random: &mut Random) {
    for _ in 0..1 + random.below(2) {
        let at = *random.pick(soft);
        match random.below(4) {
            0 | 1 => bytes[at] ^= 1,
            2 => bytes[at] ^= 1 << random.below(6),
            _ => bytes[at] = bytes[at].wrapping_add(1),
        }
    }
}

#[derive(Default)]
struct Report {
    mutants: u64,
    valid: u64,
    ran: u64,
    calls: u64,
    slowest: Duration,
    failures: Vec<String>,
}

struct Machines {
    interpreter: Machine,
    jit: Machine,
    /// Whose heap is collected and looked at whenever something is made.
    watched: Machine,
}

fn try_one(machines: &Machines, seeds: &[Seed], seed: u64, report: &mut Report) {
    let mut random = Random::new(seed);
    let origin = random.pick(seeds);
    let mut bytes = origin.bytes.clone();
    if random.one_in(3) || origin.soft.is_empty() {
        mutate(&mut bytes, seeds, &mut random);
    } else {
        soften(&mut bytes, &origin.soft, &mut random);
    }
    // Compiling costs a hundred times what interpreting these costs.
    let machine = match random.below(16) {
        0 | 1 => &machines.jit,
        2 | 3 => &machines.watched,
        _ => &machines.interpreter,
    };
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let module = Module::new(&machines.interpreter.engine, bytes.as_slice()).ok()?;
        // A heap that is looked at whenever something is made takes as much longer as it is large.
        let fuel = if std::ptr::eq(machine, &machines.watched) { FUEL / 32 } else { FUEL };
        let plan = Plan::new(&module, 1, 6, fuel, &mut random)?;
        // A memory or table that is imported may be larger than the limits.
        let module = Module::new(&machine.engine, bytes.as_slice()).ok()?;
        Some(machine.run(&module, &plan).unwrap_or_default())
    }));
    let took = start.elapsed();
    report.mutants += 1;
    report.slowest = report.slowest.max(took);
    match outcome {
        Err(_) => report.failures.push(format!("seed {seed} on {}: panicked", machine.name)),
        Ok(None) => {}
        Ok(Some(run)) => {
            report.valid += 1;
            report.ran += u64::from(run.instantiated());
            report.calls += run.called as u64;
        }
    }
    if took > PATIENCE {
        report.failures.push(format!("seed {seed} on {}: took {took:?}", machine.name));
    }
}

/// `PINFOLD_MUTANTS` sets how many, `PINFOLD_MUTANT_SEED` where to start.
#[test]
fn mutants_neither_panic_nor_hang() {
    let setting = |name: &str, default| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let count = setting("PINFOLD_MUTANTS", 50_000);
    let first = setting("PINFOLD_MUTANT_SEED", 0);
    let seeds = seeds::all();
    let next = AtomicU64::new(first);
    let total = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let reserved = MemoryKind::Reserved;
                let checks = Checks { every_allocation: true, poison: true, verify: true, ..Checks::default() };
                let machines = Machines {
                    interpreter: Machine::new("interpreter", Tier::Interpreter, reserved, false),
                    jit: Machine::new("jit", Tier::Jit, reserved, false),
                    watched: Machine::checked("heap watched", Tier::Interpreter, reserved, false, checks),
                };
                let mut report = Report::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || report.failures.len() >= 10 {
                        break;
                    }
                    try_one(&machines, &seeds, seed, &mut report);
                }
                let mut total = total.lock().unwrap();
                total.mutants += report.mutants;
                total.valid += report.valid;
                total.ran += report.ran;
                total.calls += report.calls;
                total.slowest = total.slowest.max(report.slowest);
                total.failures.extend(report.failures);
            });
        }
    });
    let report = total.into_inner().unwrap();
    println!(
        "{} mutants of {} modules: {} still valid, {} instantiated ({} %), {} calls, the slowest took {:?}",
        report.mutants,
        seeds.len(),
        report.valid,
        report.ran,
        report.ran * 100 / report.mutants.max(1),
        report.calls,
        report.slowest
    );
    for failure in &report.failures {
        println!("  {failure}");
    }
    assert!(report.failures.is_empty(), "{} mutants panicked or hung", report.failures.len());
    assert!(report.ran * 10 >= report.mutants * 3, "fewer than 30 % still run");
}
