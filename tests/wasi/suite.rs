//! Each program of `programs/`, run with everything granted that programs are granted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pinfold::job::TierName;
use pinfold::policy;
use pinfold::supervisor::Verdict;
use pinfold_sandbox::Layers;
use pinfold_vm::host::wasi::MODULE;
use pinfold_vm::host::{Grants, table};

use crate::peer::Peer;
use crate::program::{self, Program};
use crate::worker::{self, Input, READABLE, Tree, WRITABLE};

/// The programs' files.
pub fn files() -> Vec<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wasi/programs");
    let place = std::env::var_os("PINFOLD_PROGRAMS").map_or_else(beside, PathBuf::from);
    let mut files: Vec<_> = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Runs those whose name contains this; whether all is well.
pub fn run(scratch: &Path, wanted: &str) -> bool {
    let start = Instant::now();
    let programs: Vec<Program> = files().iter().map(|file| program::read(file).unwrap()).collect();
    let mut is_good = every_row_has_a_program(&programs);
    let programs: Vec<&Program> = programs.iter().filter(|program| program.name.contains(wanted)).collect();
    let mut wrong = 0;
    for program in &programs {
        let seen = try_out(program, scratch);
        if seen != program.expected {
            wrong += 1;
            println!("WRONG {}: it should be\n{}\nbut is\n{}", program.name, list(&program.expected), list(&seen));
        }
    }
    is_good &= wrong == 0;
    let took = start.elapsed().as_secs_f64();
    let count = programs.len();
    println!("{count} WASI programs in workers of user {}, {wrong} wrong, in {took:.1} s", crate::user());
    is_good
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!(";;= {line}\n")).collect()
}

/// A program has the name of the function that it is for, and calls it.
fn every_row_has_a_program(programs: &[Program]) -> bool {
    let names: BTreeSet<&str> = programs.iter().map(|program| program.name.as_str()).collect();
    let missing: Vec<_> = table::rows()
        .iter()
        .filter(|row| row.module == MODULE)
        .map(|row| row.name)
        .filter(|name| !names.contains(name))
        .collect();
    let unused: Vec<_> = programs.iter().filter(|program| !program::calls(&program.text, &program.name)).collect();
    for name in &missing {
        println!("WRONG there is no program for {name}");
    }
    for program in &unused {
        println!("WRONG {} does not call what it is named for", program.name);
    }
    missing.is_empty() && unused.is_empty()
}

/// What becomes of a program.
fn try_out(program: &Program, scratch: &Path) -> Vec<String> {
    let tree = Tree::new(&scratch.join("tree")).unwrap();
    let setup = &program.setup;
    let peer = setup.network.then(|| Peer::new().unwrap());
    let grants = Grants {
        args: std::iter::once(program.name.clone()).chain(setup.arguments.iter().cloned()).collect(),
        env: setup.variables.clone(),
        dirs: vec![tree.grant(WRITABLE), tree.grant(READABLE)],
        net: peer.as_ref().map_or(Vec::new(), |peer| peer.grants.clone()),
        deterministic: setup.deterministic.then_some(7),
        handle_limit: 16,
        ..Grants::command()
    };
    let plan = policy::plan(&grants, worker::MEMORY, worker::STACK, Layers::all()).unwrap();
    let input = Input { text: &setup.stdin, stays_open: setup.stays_open, patience: worker::PATIENCE };
    let job = worker::job(plan, grants, TierName::Interpreter);
    match worker::run(&job, &program.text, &input) {
        Ok(outcome) => {
            let mut lines = program::readable(&outcome.output);
            lines.extend(setup.looks.iter().map(|path| tree.look(path)));
            lines.push(match outcome.verdict {
                Verdict::Ended(ending) if ending.message.is_none() => format!("exit {}", ending.code),
                Verdict::Ended(ending) => ending.message.unwrap_or_default(),
                other => format!("{other:?}"),
            });
            lines
        }
        Err(error) => vec![error.to_string()],
    }
}
