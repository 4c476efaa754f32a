//! Programs in C (`c/`) against the library: compiled with the system's compiler, warnings as errors, and run.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Depended on so that the library is built, as all its kinds.
use pinfold_c as _;

/// Where the library was put: beside this test.
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn worker() -> PathBuf {
    let path = libraries().parent().unwrap().join("pinfold-worker");
    assert!(path.exists(), "{} is not there: `cargo build --workspace` makes it", path.display());
    path
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
}

/// The compiler of C or C++, with what is the same for all.
fn compiler(variable: &str, default: &str, standard: &str) -> Command {
    let mut command = Command::new(std::env::var_os(variable).unwrap_or_else(|| default.into()));
    command.args([&format!("-std={standard}"), "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-g"]);
    command.arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"));
    command
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(name)
}

struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    /// Compiles a program in C and links it.
    fn new(name: &str, library: &[&str]) -> Self {
        Self::compile(&source(name), library)
    }

    fn compile(source: &Path, library: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let libraries = libraries();
        let mut command = compiler("CC", "cc", "c99");
        command.arg(source).arg("-o").arg(folder.path().join("program")).arg("-L").arg(&libraries);
        command.arg(format!("-Wl,-rpath,{}", libraries.display())).args(library).arg("-lpthread");
        run(&mut command);
        Self { folder }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.folder.path().join("program"));
        // Cargo's has a folder first in which another build's library may be.
        command.env_remove("LD_LIBRARY_PATH");
        command
    }
}

const SHARED: &[&str] = &["-lpinfold_c"];

#[test]
fn programs_in_fold_are_run_from_c() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "inside").unwrap();
    run(Program::new("fold.c", SHARED).command().arg(folder.path()));
}

#[test]
fn functions_of_the_host_are_called_from_programs() {
    let program = Program::new("capability.c", SHARED);
    run(&mut program.command());
    run(program.command().arg(worker()));
}

#[test]
fn modules_are_run_from_c() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("module.wasm");
    std::fs::write(&module, wat::parse_file(source("module.wat")).unwrap()).unwrap();
    run(Program::new("wasm.c", SHARED).command().arg(module));
}

#[test]
fn wrong_use_is_an_error() {
    run(&mut Program::new("hostile.c", SHARED).command());
}

#[test]
fn programs_are_run_in_workers_from_c() {
    run(Program::new("worker.c", SHARED).command().arg(worker()));
}

#[test]
fn the_documentations_example_runs() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/c-api.md")).unwrap();
    let example = page.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.c");
    std::fs::write(&path, example).unwrap();
    let output = Program::compile(&path, SHARED).command().output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "9\n", "{output:?}");
}

#[test]
fn the_library_can_be_linked_statically() {
    let archive = libraries().join("libpinfold_c.a");
    run(&mut Program::new("hostile.c", &[archive.to_str().unwrap(), "-ldl", "-lm"]).command());
}

#[test]
fn the_header_is_one_of_cpp_too() {
    let mut command = compiler("CXX", "c++", "c++11");
    run(command.args(["-fsyntax-only", "-x", "c++"]).arg(source("../../include/pinfold.h")));
}
