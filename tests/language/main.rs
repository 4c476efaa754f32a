//! The language as its users see it: programs and what becomes of them.
//!
//! `cases/` has programs section by section of `docs/language.md`; [`case`] says how they are written. Each program that is accepted is
//! run by both tiers, optimised and not, and does the same each time; also on other engines: see [`peers`]. The examples of the repository and the code in its documents
//! are run in the same way. `CASES=words` runs the cases alone that have these words in their file or name.

mod case;
mod codes;
mod documents;
mod examples;
mod generated;
#[path = "../differential/node.rs"]
mod node;
mod outlines;
mod peers;
mod program;
#[path = "../differential/random.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod random;
mod rows;
mod session;
mod unicode;
#[path = "../differential/wasmtime_config.rs"]
mod wasmtime_config;

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::{Case, Kind};
use pinfold_compiler::driver::Rejected;
use program::{World, check, line, lines, run};

/// What is wrong with a list of things, each looked at by one of several threads.
pub fn wrong<T: Sync>(things: &[T], look: impl Fn(&T) -> Result<(), String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let work = || {
        while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(why) = look(thing) {
                found.lock().expect("no thread panicked").push(why);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // The checker goes as deep as a program nests.
            std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).expect("a thread");
        }
    });
    let mut found = found.into_inner().expect("no thread panicked");
    found.sort();
    found
}

#[test]
fn programs_do_what_they_say() {
    let cases = case::all();
    let wrong = wrong(&cases, |case| {
        let looked = std::panic::catch_unwind(|| look(case));
        let found = looked.unwrap_or_else(|_| Err("the compiler or the machine panicked".to_owned()));
        found.map_err(|why| format!("{}\n  {}", case.place(), why.trim()))
    });
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases", cases.len());
}

fn look(case: &Case) -> Result<(), String> {
    let checked = match (check(&case.text), case.kind) {
        (Err(rejected), Kind::Reject) => return found(case, &rejected),
        (Ok(checked), Kind::Reject) => {
            let found_late = checked.compile(pinfold_compiler::Options::default());
            let (diagnostics, sources) = match found_late {
                Err(rejected) => (rejected.diagnostics, rejected.sources),
                Ok(_) => (checked.warnings.clone(), checked.sources.clone()),
            };
            return found(case, &Rejected { diagnostics, sources });
        }
        (Err(rejected), _) => return Err(lines(&rejected)),
        (Ok(checked), _) => checked,
    };
    if !checked.warnings.is_empty() {
        return Err(lines(&Rejected { diagnostics: checked.warnings, sources: checked.sources }));
    }
    let done = run(&checked, &World { input: case.input.clone(), ..World::default() })?;
    let end = case.end();
    if done.end != end {
        return Err(format!("it ended with {:?}, not with {end:?}\n{}", done.end, done.output));
    }
    if done.output != case.output {
        return Err(format!("it wrote\n{}  and not\n{}", done.output, case.output));
    }
    Ok(())
}

/// Whether what was found is what was expected.
fn found(case: &Case, rejected: &Rejected) -> Result<(), String> {
    let mut rest: Vec<_> = rejected.diagnostics.iter().collect();
    let mut wrong = String::new();
    let expected = case.expected();
    if expected.is_empty() {
        wrong.push_str("it says of no line what is wrong\n");
    }
    for expected in expected {
        let place = rest.iter().position(|found| {
            let source = rejected.sources.get(found.primary.span.file);
            source.name == expected.file
                && source.position(found.primary.span.start).0 + 1 == expected.line
                && found.code == expected.code
                && line(rejected, found).contains(&expected.words)
        });
        match place {
            Some(place) => drop(rest.remove(place)),
            None => {
                let (file, at) = (&expected.file, expected.line - case.shift);
                let _ = writeln!(wrong, "not found: {file}:{at}: {} {}", expected.code, expected.words);
            }
        }
    }
    for found in rest {
        let _ = writeln!(wrong, "not expected (line + {}): {}", case.shift, line(rejected, found));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
