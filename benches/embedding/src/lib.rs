//! Measures an engine that is embedded in a Rust program: the work that all of them do, its answers, and the clock.
//!
//! Each engine is an executable of its own, in `src/bin`, which prints figures as JSON; `run` starts them and compares. What is run is in
//! `programs`, once for each language.
//!
//!     ENGINE times | memory [--check] [--only ROW]…    --check: all of it once, without a clock

use std::fmt::{Debug, Write};
use std::hint::black_box;
use std::time::{Duration, Instant};

#[cfg(any(feature = "luajit", feature = "luau"))]
pub mod lua;

/// The argument of the ten-line script, and what it gives.
pub const PARCELS: i64 = 20;
/// What the script gives for [`PARCELS`].
pub const TOTAL: i64 = 10_830;

/// Calls of a function of the guest's, or of the host's, that are timed together.
pub const CALLS: i64 = 10_000;

/// Turns of the loop of arithmetic, for engines that compile; others do a tenth.
pub const TURNS: i64 = 10_000_000;

/// The limits that a host of untrusted code sets, where an engine has them: those that Pinfold has by default.
pub const FUEL: u64 = 1_000_000_000;
/// Bytes.
pub const MEMORY: usize = 256 << 20;
/// How long a run may take.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// The record that is handed over, either way.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "pinfold", derive(pinfold::ToFold, pinfold::FromFold, pinfold::FoldType))]
pub struct Order {
    pub id: i64,
    pub price: f64,
    pub name: String,
    pub paid: bool,
}

impl Order {
    /// The one that the host hands to the guest.
    pub fn example() -> Self {
        Self { id: 7, price: 9.5, name: "twenty bytes of text".into(), paid: true }
    }

    /// What is computed of one, by the guest and by the host.
    pub fn rate(&self) -> f64 {
        if self.paid { self.price * 2.0 + self.id as f64 + self.name.len() as f64 } else { 0.0 }
    }
}

/// What the guest's loop gives that adds up all numbers below this in the host.
pub fn sum_of_numbers(turns: i64) -> i64 {
    (0..turns).sum()
}

/// What the guest's loop gives that rates so many orders in the host.
pub fn sum_of_rates(turns: i64) -> f64 {
    (0..turns).map(|id| Order { id, ..Order::example() }.rate()).sum()
}

/// What the loop of arithmetic gives.
pub fn mix(turns: i64) -> i64 {
    let (mut x, mut odd) = (1, 0);
    for turn in 0..turns {
        x = (x * 16807 + turn % 127) % 2_147_483_647;
        odd += x % 2;
    }
    x + odd
}

/// A text of 10,000 words, of which some hundreds differ.
pub struct Text {
    pub text: String,
    pub words: i64,
    /// What counting them gives.
    pub answer: i64,
}

impl Default for Text {
    fn default() -> Self {
        let mut seed = 42_u64;
        let mut below = |end: u64| {
            seed = (seed * 1_664_525 + 1_013_904_223) & 0xffff_ffff;
            (seed >> 16) % end
        };
        let vocabulary: Vec<String> =
            (0..500).map(|_| (0..2 + below(9)).map(|_| char::from(b'a' + below(26) as u8)).collect()).collect();
        let words: Vec<&str> =
            (0..10_000).map(|_| vocabulary[(below(500) * below(500) / 500) as usize].as_str()).collect();
        let mut counts = std::collections::HashMap::<&str, i64>::new();
        words.iter().for_each(|word| *counts.entry(word).or_default() += 1);
        let answer = counts.iter().map(|(word, count)| count * count * word.len() as i64).sum();
        Self { text: words.join(" "), words: words.len() as i64, answer }
    }
}

/// How long a batch of runs takes at least, how many there are, and how long all is run before.
const BATCH: Duration = Duration::from_millis(20);
const BATCHES: usize = 9;
const WARM: Duration = Duration::from_millis(100);

/// Fresh runs after which memory is looked at.
const FEW: u32 = 1_000;
const MANY: u32 = 100_000;

/// Runs, times and collects.
pub struct Bench {
    part: String,
    is_check: bool,
    only: Vec<String>,
    figures: Vec<(String, f64)>,
}

impl Bench {
    /// As the arguments say.
    pub fn from_arguments() -> Self {
        let mut bench = Self { part: "times".into(), is_check: false, only: Vec::new(), figures: Vec::new() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--check" => bench.is_check = true,
                "--only" => bench.only.extend(arguments.next()),
                // For the engine.
                other if other.starts_with("--") => _ = arguments.next(),
                part => bench.part = part.into(),
            }
        }
        bench
    }

    /// What is to be measured.
    pub fn part(&self) -> &str {
        &self.part
    }

    /// Whether all is run once only.
    pub fn is_check(&self) -> bool {
        self.is_check
    }

    fn wants(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == row)
    }

    /// A figure that was found otherwise.
    pub fn figure(&mut self, row: &str, value: f64) {
        self.figures.push((row.into(), value));
    }

    /// Nanoseconds of the first run of something in this process.
    pub fn first<T: PartialEq + Debug>(&mut self, row: &str, answer: T, run: impl FnOnce() -> T) {
        if self.wants(row) {
            let start = Instant::now();
            let given = run();
            let time = start.elapsed();
            assert_eq!(given, answer, "{row}");
            self.figure(row, time.as_nanos() as f64);
        }
    }

    /// Nanoseconds of a run.
    pub fn each<T: PartialEq + Debug>(&mut self, row: &str, answer: T, run: impl FnMut() -> T) {
        self.each_of(row, 1, answer, run);
    }

    /// Nanoseconds of one of the `parts` of a run: the median of batches, after some that are not looked at.
    pub fn each_of<T: PartialEq + Debug>(&mut self, row: &str, parts: i64, answer: T, mut run: impl FnMut() -> T) {
        if !self.wants(row) {
            return;
        }
        let mut checked = || assert_eq!(black_box(run()), answer, "{row}");
        if self.is_check {
            checked();
            return self.figure(row, 0.0);
        }
        let mut timed = |count: u32| {
            let start = Instant::now();
            (0..count).for_each(|_| checked());
            start.elapsed()
        };
        let warm = Instant::now();
        while warm.elapsed() < WARM {
            timed(1);
        }
        let mut count = 1;
        while timed(count) < BATCH {
            count *= 2;
        }
        let mut batches: Vec<Duration> = (0..BATCHES).map(|_| timed(count)).collect();
        batches.sort();
        self.figure(row, batches[BATCHES / 2].as_nanos() as f64 / f64::from(count) / parts as f64);
    }

    /// Kilobytes that were resident at most after some fresh runs, and after many more.
    pub fn memory(&mut self, mut run: impl FnMut() -> i64) {
        let counts = if self.is_check { [1, 2] } else { [FEW, MANY] };
        let mut done = 0;
        for (row, count) in ["memory.few", "memory.many"].into_iter().zip(counts) {
            (done..count).for_each(|_| assert_eq!(run(), TOTAL, "{row}"));
            done = count;
            self.figure(row, resident_at_most());
        }
    }

    /// Prints what was found.
    pub fn print(&self) {
        let mut out = String::new();
        for (row, value) in &self.figures {
            let _ = write!(out, "{}\"{row}\": {value:.2}", if out.is_empty() { "" } else { ", " });
        }
        println!("{{{out}}}");
    }
}

/// What the kernel says of this process's peak, in kilobytes.
fn resident_at_most() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("what a process is like is in /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("with its peak");
    line.trim().trim_end_matches(" kB").parse().expect("in kilobytes")
}

/// Does the part that the arguments name, and prints its figures.
pub fn main(times: impl FnOnce(&mut Bench), memory: impl FnOnce(&mut Bench)) {
    let mut bench = Bench::from_arguments();
    match bench.part() {
        "times" => times(&mut bench),
        "memory" => memory(&mut bench),
        other => panic!("{other}: it measures times, or memory"),
    }
    bench.print();
}
