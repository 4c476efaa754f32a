//! How a run ended, in words. What a worker tells is not trusted to be printable.

pub mod document;

use std::fmt::{self, Write};
use std::time::Duration;

use pinfold::supervisor::{Outcome, Unrecorded, Verdict};
use pinfold_sandbox::Exit;
use pinfold_sandbox::cgroup::OutOfMemory;
use pinfold_vm::module::{Escaped, Printable};

use crate::colour;

/// Frames that are shown.
const SHOWN: usize = 16;

/// Says on standard error how a run ended, unless the program ended by itself.
pub fn explain(verdict: &Verdict, timeout: f64) {
    if let Some(words) = words(verdict, timeout) {
        eprintln!("pinfold: {}", colour::diagnostics(&words));
    }
    let (frames, omitted) = stack(verdict);
    for (i, frame) in frames.iter().take(SHOWN).enumerate() {
        eprintln!("  {i:>2}: {}", Escaped(frame));
    }
    let more = frames.len().saturating_sub(SHOWN).saturating_add(omitted);
    if more > 0 {
        eprintln!("      and {more} more frames");
    }
}

/// Says on standard error what was wrong with a compiler. It is a compiler's words.
pub fn trouble(words: &str) {
    let words = format!("warning: the compiler stopped: {}; what was not compiled was interpreted", Printable(words));
    eprintln!("pinfold: {}", colour::diagnostics(&words));
}

/// Frames of the program's stack, newest first, and how many more there are. They are a worker's words.
pub fn stack(verdict: &Verdict) -> (&[String], usize) {
    match verdict {
        Verdict::Ended(ending) => (&ending.frames, ending.omitted),
        Verdict::Timeout { frames, omitted, .. } | Verdict::Cpu { frames, omitted, .. } => (frames, *omitted),
        _ => (&[], 0),
    }
}

/// What there is to say of how a run ended; it can be printed.
pub fn words(verdict: &Verdict, timeout: f64) -> Option<String> {
    Some(match verdict {
        Verdict::Ended(ending) => return ending.message.as_ref().map(|message| Printable(message).to_string()),
        Verdict::Timeout { .. } => format!("the program was ended after {timeout} s; --timeout gives it more"),
        Verdict::Cpu { limit, .. } => {
            format!("the program used up {} s of processor time; --max-cpu gives it more", limit.as_secs_f64())
        }
        Verdict::Memory { limit, why: OutOfMemory::Limit } => format!(
            "the worker was killed when it used more than {limit} bytes of memory, the program's and its own; \
             --max-memory gives it more"
        ),
        Verdict::Memory { why: OutOfMemory::Host, .. } => {
            "the worker was killed because the host, or the group that it runs \
             in, had no memory left; --max-memory would have allowed more"
                .to_owned()
        }
        Verdict::Processes { limit } => format!(
            "the worker wanted more than {limit} processes and threads beside one for each processor; \
             --max-processes allows more"
        ),
        Verdict::Interrupted { signal } => {
            let name = match *signal {
                libc::SIGTERM => "SIGTERM",
                libc::SIGHUP => "SIGHUP",
                _ => "Ctrl-C",
            };
            format!("the program was ended by {name}")
        }
        Verdict::Output { limit } => {
            format!("the program wrote more than {limit} bytes; --max-output allows more")
        }
        Verdict::Violation(violation) => format!(
            "policy violation: the worker tried {violation}, which nothing that was granted needs\n  \
             The program was ended. Either it has broken out of the virtual machine, or Pinfold has a bug."
        ),
        Verdict::Crash { exit: Exit::Signal(signal) } => {
            format!("the virtual machine crashed (signal {signal}); the program was ended with it")
        }
        Verdict::Crash { exit: Exit::Code(code) } => {
            format!("the virtual machine ended without saying why (code {code})")
        }
        Verdict::Nonsense => "the worker sent what is no message of its; the program was ended".to_owned(),
        Verdict::Unrecorded(Unrecorded::Limit(limit)) => {
            format!("the record of the program's calls passed {limit} bytes; --max-audit allows more")
        }
        Verdict::Unrecorded(trouble) => format!("{trouble}; the program was ended"),
    })
}

/// Prints where time and memory went.
pub fn stats(outcome: &Outcome, read: Duration) {
    // At once: each write to standard error is a system call.
    let mut text = String::new();
    if write_stats(&mut text, outcome, read).is_ok() {
        eprint!("{text}");
    }
}

fn write_stats(to: &mut String, outcome: &Outcome, read: Duration) -> fmt::Result {
    if let Some(used) = outcome.verdict.used() {
        let times = [
            ("read", read.as_secs_f64()),
            ("verify and compile", used.verify),
            ("instantiate", used.instantiate),
            ("run", used.run),
        ];
        for (name, seconds) in times {
            writeln!(to, "{name:>20}: {:>10.3} ms", seconds * 1e3)?;
        }
        if let Some(fuel) = used.fuel {
            writeln!(to, "{:>20}: {fuel:>10}", "fuel used")?;
        }
        if used.compiled[0] > 0 {
            let [compiled, kept] = used.compiled;
            writeln!(
                to,
                "{:>20}: {compiled:>10}, of which {kept} were kept from an earlier run",
                "compiled functions"
            )?;
        }
        if used.loops_entered > 0 {
            writeln!(to, "{:>20}: {:>10}", "entries in mid-loop", used.loops_entered)?;
        }
        if let Some(collections) = &used.collections {
            for (name, pauses) in
                [("nursery collections", collections.nursery), ("major collections", collections.major)]
            {
                let [median, p99, longest, total] =
                    [pauses.median, pauses.p99, pauses.longest, pauses.total].map(|seconds| seconds * 1e3);
                writeln!(
                    to,
                    "{name:>20}: {:>10}, ms: median {median:.3}, 99 % {p99:.3}, longest {longest:.3}, all {total:.3}",
                    pauses.number
                )?;
            }
        }
        writeln!(to, "{:>20}: {:>10.1} MiB", "guest memory", used.guest_memory as f64 / f64::from(1 << 20))?;
    }
    if let Some(usage) = outcome.usage {
        writeln!(to, "{:>20}: {:>10.1} MiB", "peak of the process", usage.peak_memory as f64 / f64::from(1 << 20))?;
    }
    Ok(())
}
