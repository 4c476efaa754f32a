//! A program that serves many threads at once, each call in a process of its own. Such a process takes milliseconds to make: some are kept
//! ready, so that a call waits for none. What becomes of one of them is the business of its call.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pinfold::{FromFold, Isolation, Program, Vm};

use super::confined;

/// What is measured of a text.
#[derive(Debug, PartialEq, FromFold)]
pub struct Measure {
    /// How many lines it has.
    pub lines: u64,
    /// The first of the longest.
    pub longest: String,
}

/// What measures, and is not what one would trust with it.
pub const PROGRAM: &str = r#"
pub record Measure { pub lines: Int, pub longest: String }

pub fn measure(text: String) -> Measure {
    while text == "endless" {}
    assert text != "", "there is nothing to measure"
    var longest = ""
    var lines = 0
    for line in text.split("\n") {
        lines += 1
        if line.len() > longest.len() { longest = line }
    }
    Measure { lines, longest }
}
"#;

/// Threads that call, and workers that are ready for them.
const THREADS: usize = 3;

/// A machine for them. Programs are given time alone: what counts here is how long somebody waits.
pub fn machine() -> Result<Vm, pinfold::Error> {
    let mut builder = Vm::builder().isolation(Isolation::Worker).spare_workers(THREADS);
    if let Some(worker) = confined::worker() {
        builder = builder.worker(worker);
    }
    builder.fuel(None).deadline(Duration::from_secs(2)).build()
}

/// Measures texts on several threads. Each answer is told as soon as those before it were.
pub fn serve<E>(
    program: &Program,
    texts: &[&str],
    mut tell: impl FnMut(usize, Result<Measure, pinfold::Error>) -> Result<(), E>,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        // Dropped on the way out, also an early one: threads see that nobody listens, and end.
        let (answers, answered) = mpsc::channel();
        for _ in 0..THREADS {
            let (next, answers) = (&next, answers.clone());
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(text) = texts.get(index) else { break };
                    if answers.send((index, measure(program, text))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(answers);
        let (mut early, mut turn) = (BTreeMap::new(), 0);
        for (index, answer) in answered {
            early.insert(index, answer);
            while let Some(answer) = early.remove(&turn) {
                tell(turn, answer)?;
                turn += 1;
            }
        }
        Ok(())
    })
}

/// Measures a text. If the worker is lost, which says nothing of the program, another one is asked: once, since the text may be what it was lost of.
fn measure(program: &Program, text: &str) -> Result<Measure, pinfold::Error> {
    let call = || program.call("measure", (text,));
    call().or_else(|error| if matches!(error, pinfold::Error::Worker(_)) { call() } else { Err(error) })
}

const TEXTS: [&str; 6] = ["one", "two\nlines", "endless", "", "this\nis the longest\nof them", "last"];

/// Measures a few texts, of which some are more than the program can take.
pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let program = machine()?.compile("measure.fold", PROGRAM)?;
    serve(&program, &TEXTS, |index, answer| match answer {
        Ok(Measure { lines, longest }) => writeln!(out, "  {index}: {lines}, the longest is {longest:?}"),
        Err(error) => writeln!(out, "  {index}: {}", error.code()),
    })?;
    Ok(())
}
