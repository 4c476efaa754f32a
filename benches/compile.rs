//! How many lines of Fold are compiled in a second, on one core, from source text to bytecode.
//!
//!     cargo bench --bench compile
//!
//! The lines are those of the examples and benchmarks, each so many times as modules of their own, whose records, enums and
//! functions are others to the compiler; the standard library is counted once. Memory comes from the heap that workers have, where users'
//! programs are compiled. Prints medians over rounds.

#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code, unused_imports, reason = "its tests are those of the worker")]
#[path = "../src/worker/heap.rs"]
mod heap;

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use pinfold_compiler::check::{Memory, Options as CheckOptions, STANDARD};
use pinfold_compiler::{Options, driver};

#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();

const ROUNDS: usize = 9;

/// A program with all others in it: its modules, its root's text, and how many lines they have.
fn program(copies: usize) -> (Memory, usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut modules, mut lines) = (Memory::new(), 0);
    let (mut imports, mut calls) = (String::new(), String::new());
    for folder in ["examples", "benches/fold"] {
        let mut files: Vec<_> =
            std::fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let Some(name) = file.file_name().and_then(|name| name.to_str()?.strip_suffix(".fold")) else { continue };
            let text = std::fs::read_to_string(&file).unwrap();
            // Scripts without `main` cannot be imported.
            let Some(at) = text.find("\nfn main(") else { continue };
            let text = text.replacen("\nfn main(", "\npub fn main(", 1);
            let (head, _) = text[at..].split_once('{').unwrap();
            let (_, parameters) = head.split_once('(').unwrap();
            let (parameters, result) = parameters.split_once(')').unwrap();
            let arguments: Vec<&str> =
                parameters.split(", ").map(|one| one.split_once(": ").map_or("", |(_, of)| of)).collect();
            let arguments = arguments.join(", ").to_lowercase();
            let question = if result.contains("Result") { "?" } else { "" };
            for copy in 0..copies {
                let path = format!("{}_{copy}", name.replace('-', "_"));
                writeln!(imports, "import {path}").unwrap();
                writeln!(calls, "    {path}.main({arguments}){question}").unwrap();
                modules = modules.with(&path, &path, &text);
                lines += text.lines().count();
            }
        }
    }
    let text = format!(
        "{imports}\nfn main(console: Console, args: Args, dir: Dir, net: Net) -> Result<()> {{\n{calls}    Ok(())\n}}\n"
    );
    let standard: usize = STANDARD.iter().map(|(_, text)| text.lines().count()).sum();
    lines += text.lines().count() + standard;
    (modules.with("root", "root", &text), lines)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let copies = std::env::var("COPIES").ok().and_then(|copies| copies.parse().ok()).unwrap_or(20);
    let (modules, lines) = program(copies);
    let (mut check, mut compile, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let checked = match driver::check("root", &mut modules.clone(), CheckOptions::default()) {
            Ok(checked) => checked,
            Err(rejected) => panic!("{:#?}", rejected.diagnostics.first()),
        };
        check.push(start.elapsed());
        let start = Instant::now();
        bytes = checked.compile(Options::default()).unwrap().len();
        compile.push(start.elapsed());
    }
    let (check, compile) = (median(check), median(compile));
    let rate = lines as f64 / (check + compile).as_secs_f64();
    println!(
        "{lines} lines to {bytes} bytes of code: checked in {check:.1?}, compiled in {compile:.1?}, {rate:.0} lines a second"
    );
}
