//! Programs in workers, as a host runs them: how long one fresh and confined run takes, and how many there are in a second.
//!
//!     cargo bench --bench workers
//!
//! Prints medians, and the slowest of a hundred. Nothing is compared with a fixed time: machines differ.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pinfold::{Isolation, Program, Vm};

const CALLS: usize = 400;

const SOURCE: &str = r#"
pub fn score(text: String, weight: Int) -> Int {
    var sum = 0
    for word in text.split(" ") {
        if word.len() > 2 {
            sum += word.len() * weight
        }
    }
    sum
}
"#;

fn score(program: &Program) {
    let score: i64 = program.call("score", ("a rose is a rose is a rose", 3)).unwrap();
    assert_eq!(score, 36);
}

/// One call after the other, each when the one before has ended and some time has passed.
fn alone(program: &Program, pause: Duration) {
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            std::thread::sleep(pause);
            let start = Instant::now();
            score(program);
            start.elapsed()
        })
        .collect();
    times.sort();
    let micros = |at: usize| times[at].as_secs_f64() * 1e6;
    println!(
        "  {pause:>5.0?} between calls: median {:6.0} µs, 99 of 100 in {:6.0} µs",
        micros(CALLS / 2),
        micros(CALLS * 99 / 100)
    );
}

/// As many as go, from so many threads.
fn together(program: &Program, threads: usize) {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..CALLS).for_each(|_| score(program)));
        }
    });
    let calls = (threads * CALLS) as f64;
    println!("  {threads} threads: {:5.0} calls a second", calls / start.elapsed().as_secs_f64());
}

fn main() {
    let beside = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("pinfold-worker");
    let worker = std::env::var_os("PINFOLD_WORKER").map_or(beside, PathBuf::from);
    for (name, spare) in [("a worker made for each call", 0), ("workers kept ready", 4)] {
        let vm = Vm::builder().isolation(Isolation::Worker).worker(&worker).spare_workers(spare).build().unwrap();
        let program = vm.compile("score.fold", SOURCE).unwrap();
        score(&program);
        println!("{name}");
        for pause in [0, 10] {
            alone(&program, Duration::from_millis(pause));
        }
        for threads in [1, 2, 4] {
            together(&program, threads);
        }
    }
}
