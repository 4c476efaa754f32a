//! `--stats`: where time and memory went.

use std::time::{Duration, Instant};

/// A phase of a run.
#[derive(Clone, Copy)]
pub enum Phase {
    /// Reading the file.
    Read,
    /// Verifying, and compiling what is compiled ahead.
    Verify,
    /// Making memories and tables.
    Instantiate,
    /// Running.
    Run,
}

const NAMES: [&str; 4] = ["read", "verify and compile", "instantiate", "run"];

/// What was measured.
pub struct Stats {
    times: [Duration; 4],
    guest_memory: u64,
    fuel: Option<u64>,
}

impl Stats {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { times: [Duration::ZERO; 4], guest_memory: 0, fuel: None }
    }

    /// Runs and times a phase.
    pub fn time<T>(&mut self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.times[phase as usize] += start.elapsed();
        result
    }

    /// Notes the most that memories and tables took.
    pub fn memory(&mut self, bytes: u64) {
        self.guest_memory = bytes;
    }

    /// Notes the fuel used.
    pub fn fuel(&mut self, fuel: u64) {
        self.fuel = Some(fuel);
    }

    /// Prints all of it to standard error.
    pub fn print(&self) {
        for (name, time) in NAMES.iter().zip(self.times) {
            eprintln!("{name:>20}: {:>10.3} ms", time.as_secs_f64() * 1e3);
        }
        if let Some(fuel) = self.fuel {
            eprintln!("{:>20}: {fuel:>10}", "fuel used");
        }
        eprintln!("{:>20}: {:>10.1} MiB", "guest memory", self.guest_memory as f64 / f64::from(1 << 20));
        if let Some(peak) = peak() {
            eprintln!("{:>20}: {:>10.1} MiB", "peak of the process", peak as f64 / 1024.0);
        }
    }
}

/// The most memory that the process had, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
