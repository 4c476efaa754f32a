//! How a run ended, in words. What a worker tells is not trusted to be printable.

use std::time::Duration;

use pinfold::supervisor::Verdict;
use pinfold_sandbox::Exit;
use pinfold_sandbox::cgroup::OutOfMemory;
use pinfold_vm::module::{Escaped, Printable};

/// Frames that are shown.
const SHOWN: usize = 16;

/// Says on standard error how a run ended, unless the program ended by itself.
pub fn explain(verdict: &Verdict, timeout: f64) {
    match verdict {
        Verdict::Ended(ending) => {
            if let Some(message) = &ending.message {
                eprintln!("pinfold: {}", Printable(message));
            }
            backtrace(&ending.frames, ending.omitted);
        }
        Verdict::Timeout { frames, omitted } => {
            eprintln!("pinfold: the program was ended after {timeout} s; --timeout gives it more");
            backtrace(frames, *omitted);
        }
        Verdict::Cpu { limit, frames, omitted } => {
            let limit = limit.as_secs_f64();
            eprintln!("pinfold: the program used up {limit} s of processor time; --max-cpu gives it more");
            backtrace(frames, *omitted);
        }
        Verdict::Memory { limit, why: OutOfMemory::Limit } => {
            eprintln!(
                "pinfold: the worker was killed when it used more than {limit} bytes of memory, the program's and its own; \
                 --max-memory gives it more"
            );
        }
        Verdict::Memory { why: OutOfMemory::Host, .. } => {
            eprintln!(
                "pinfold: the worker was killed because the host, or the group that it runs in, has no memory left; less than \
                 --max-memory allows"
            );
        }
        Verdict::Processes { limit } => {
            eprintln!(
                "pinfold: the worker wanted more than {limit} processes and threads beside one for each processor; \
                 --max-processes allows more"
            );
        }
        Verdict::Interrupted { signal } => {
            let name = match *signal {
                libc::SIGTERM => "SIGTERM",
                libc::SIGHUP => "SIGHUP",
                _ => "Ctrl-C",
            };
            eprintln!("pinfold: the program was ended by {name}");
        }
        Verdict::Output { limit } => {
            eprintln!("pinfold: the program wrote more than {limit} bytes; --max-output allows more");
        }
        Verdict::Violation(violation) => {
            eprintln!("pinfold: policy violation: the worker tried {violation}, which nothing that was granted needs");
            eprintln!(
                "  The program was ended. Either it has broken out of the virtual machine, or Pinfold has a bug."
            );
        }
        Verdict::Crash { exit: Exit::Signal(signal) } => {
            eprintln!("pinfold: the virtual machine crashed (signal {signal}); the program was ended with it");
        }
        Verdict::Crash { exit: Exit::Code(code) } => {
            eprintln!("pinfold: the virtual machine ended without saying why (code {code})");
        }
        Verdict::Nonsense => {
            eprintln!("pinfold: the worker sent what is no message of its; the program was ended");
        }
    }
}

fn backtrace(frames: &[String], omitted: usize) {
    for (i, frame) in frames.iter().take(SHOWN).enumerate() {
        eprintln!("  {i:>2}: {}", Escaped(frame));
    }
    let more = frames.len().saturating_sub(SHOWN).saturating_add(omitted);
    if more > 0 {
        eprintln!("      and {more} more frames");
    }
}

/// Prints where time and memory went.
pub fn stats(verdict: &Verdict, read: Duration) {
    let Verdict::Ended(ending) = verdict else { return };
    let used = &ending.used;
    let times = [
        ("read", read.as_secs_f64()),
        ("verify and compile", used.verify),
        ("instantiate", used.instantiate),
        ("run", used.run),
    ];
    for (name, seconds) in times {
        eprintln!("{name:>20}: {:>10.3} ms", seconds * 1e3);
    }
    if let Some(fuel) = used.fuel {
        eprintln!("{:>20}: {fuel:>10}", "fuel used");
    }
    eprintln!("{:>20}: {:>10.1} MiB", "guest memory", used.guest_memory as f64 / f64::from(1 << 20));
    // SAFETY: a valid place for the answer.
    let peak = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage.ru_maxrss
    };
    eprintln!("{:>20}: {:>10.1} MiB", "peak of the process", peak as f64 / 1024.0);
}
