//! How a run ended, as the supervisor sees it.

use std::time::Duration;

use pinfold_sandbox::cgroup::OutOfMemory;
use pinfold_sandbox::notify::Violation;
use pinfold_sandbox::{Cgroup, Exit, Limits};

use super::clock::Over;
use crate::exit;
use crate::job::{EndKind, Ending, Used};

/// What ended a program.
#[derive(Debug)]
pub enum Verdict {
    /// Its worker tells.
    Ended(Ending),
    /// Its time was over. Where it was then, if its worker could still tell.
    Timeout {
        /// The program's stack.
        frames: Vec<String>,
        /// How many frames more there are.
        omitted: usize,
        /// What was used until then, if its worker could still tell.
        used: Option<Used>,
    },
    /// It used up its processor time. Where it was then, if its worker could still tell.
    Cpu {
        /// Time allowed.
        limit: Duration,
        /// The program's stack.
        frames: Vec<String>,
        /// How many frames more there are.
        omitted: usize,
        /// What was used until then, if its worker could still tell.
        used: Option<Used>,
    },
    /// The kernel had no more memory for its worker.
    Memory {
        /// Bytes that the worker may have.
        limit: u64,
        /// Whether it had them.
        why: OutOfMemory,
    },
    /// Its worker wanted more processes or threads than are allowed.
    Processes {
        /// How many that are, beside one for each processor.
        limit: u64,
    },
    /// This signal to the supervisor.
    Interrupted {
        /// Which.
        signal: i32,
    },
    /// More output than is allowed, past the worker's own count.
    Output {
        /// Bytes allowed.
        limit: u64,
    },
    /// The worker made a system call that nobody granted: it was taken over, or has a bug.
    Violation(Violation),
    /// The worker ended without a word.
    Crash {
        /// How.
        exit: Exit,
    },
    /// The worker said something that is no message.
    Nonsense,
    /// The record of the program's calls cannot go on.
    Unrecorded(Unrecorded),
}

/// Why a record cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrecorded {
    /// The worker told something that is no call.
    #[error("the worker told of a call that cannot be")]
    Nonsense,
    /// So many bytes may be written, and more were to be.
    #[error("the record of the program's calls passed {0} bytes")]
    Limit(u64),
    /// It cannot be written, for this reason.
    #[error("the record of the program's calls cannot be written: {0}")]
    Failed(String),
}

impl Unrecorded {
    pub(super) fn new(error: &std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Verdict {
    /// From what a worker tells, who may have been asked to stop for that reason.
    pub(super) fn of_ending(ending: Ending, over: Option<Over>) -> Self {
        match ending.kind {
            EndKind::Timeout => {
                let Ending { frames, omitted, used, .. } = ending;
                Self::of_time(over.unwrap_or(Over::Wall), frames, omitted, Some(used))
            }
            _ => Self::Ended(ending),
        }
    }

    /// From a time that is over, and what is known of where the program was then.
    pub(super) fn of_time(over: Over, frames: Vec<String>, omitted: usize, used: Option<Used>) -> Self {
        match over {
            Over::Wall => Self::Timeout { frames, omitted, used },
            Over::Processors(limit) => Self::Cpu { limit, frames, omitted, used },
        }
    }

    /// From the end of a process that said nothing, which may have been that of its processor time.
    pub(super) fn of_exit(exit: Exit, is_used_up: bool, cgroup: Option<&Cgroup>, limits: &Limits) -> Self {
        let was_killed = matches!(exit, Exit::Signal(libc::SIGKILL | libc::SIGXCPU));
        if let Some(why) = cgroup.and_then(Cgroup::out_of_memory).filter(|_| was_killed) {
            return Self::Memory { limit: limits.memory, why };
        }
        match limits.cpu_time {
            Some(limit) if was_killed && is_used_up => Self::of_time(Over::Processors(limit), Vec::new(), 0, None),
            _ if cgroup.is_some_and(Cgroup::was_crowded) => Self::Processes { limit: limits.processes },
            _ => Self::Crash { exit },
        }
    }

    /// Where a worker could not start, there may have been too many processes, which is not its to know.
    pub(super) fn seen_from_outside(self, cgroup: Option<&Cgroup>, limits: &Limits) -> Self {
        match self {
            Self::Ended(ending) if ending.kind == EndKind::NotStarted && cgroup.is_some_and(Cgroup::was_crowded) => {
                Self::Processes { limit: limits.processes }
            }
            other => other,
        }
    }

    /// What was used, as the worker tells it.
    pub fn used(&self) -> Option<&Used> {
        match self {
            Self::Ended(ending) => Some(&ending.used),
            Self::Timeout { used, .. } | Self::Cpu { used, .. } => used.as_ref(),
            _ => None,
        }
    }

    /// The exit code of the command.
    pub fn code(&self) -> u8 {
        match self {
            Self::Ended(ending) => ending.code,
            Self::Timeout { .. } => exit::TIMEOUT,
            Self::Cpu { .. } => exit::CPU,
            Self::Memory { .. } => exit::MEMORY,
            Self::Processes { .. } => exit::PROCESSES,
            Self::Interrupted { signal } => 128 + *signal as u8,
            Self::Output { .. } => exit::OUTPUT,
            Self::Violation(_) => exit::VIOLATION,
            Self::Crash { .. } | Self::Nonsense | Self::Unrecorded(Unrecorded::Nonsense) => exit::CRASH,
            Self::Unrecorded(_) => exit::RECORDS,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use pinfold_sandbox::{Launch, Layer, Layers, spawn_in};

    use super::*;

    const TIME: Duration = Duration::from_secs(3);
    const LIMITS: Limits =
        Limits { memory: 64 << 20, descriptors: 64, processes: 4, cpu_time: Some(TIME), cpu_percent: None };

    /// A cgroup in which a script of the shell ran to its end; none where this host gives none.
    fn after(script: &std::ffi::CStr) -> Option<Cgroup> {
        let cgroup = Cgroup::new(&LIMITS).inspect_err(|why| eprintln!("skipped: {why}")).ok()?;
        let shell = File::open("/bin/sh").unwrap();
        let null = File::options().read(true).write(true).open("/dev/null").unwrap();
        let launch = Launch {
            program: shell.as_fd(),
            arguments: &[c"sh", c"-c", script],
            descriptors: &[null.as_fd(), null.as_fd(), null.as_fd()],
            // What it makes ends with it.
            layers: Layers::NONE.with(Layer::User).with(Layer::Pid),
            enters: false,
        };
        let (child, cgroup) = spawn_in(&launch, Some(cgroup)).unwrap();
        child.wait().unwrap();
        cgroup
    }

    fn said(verdict: &Verdict) -> (u8, String) {
        (verdict.code(), format!("{verdict:?}"))
    }

    fn not_started() -> Verdict {
        Verdict::Ended(Ending::new(EndKind::NotStarted, exit::REFUSED, None))
    }

    #[test]
    fn a_killed_worker_that_said_nothing_ended_by_its_limit_if_it_had_reached_one() {
        let killed = Exit::Signal(libc::SIGKILL);
        let of = |exit, is_used_up| Verdict::of_exit(exit, is_used_up, None, &LIMITS).code();
        assert_eq!(of(killed, true), exit::CPU);
        assert_eq!(of(killed, false), exit::CRASH);
        assert_eq!(of(Exit::Signal(libc::SIGSEGV), true), exit::CRASH);
        assert_eq!(not_started().seen_from_outside(None, &LIMITS).code(), exit::REFUSED);
    }

    #[test]
    fn a_crash_of_a_worker_without_memory_is_told_as_that() {
        let Some(cgroup) = after(c"exec dd if=/dev/zero of=/dev/null bs=200M count=1") else { return };
        let of = |exit| Verdict::of_exit(exit, false, Some(&cgroup), &LIMITS);
        let (code, text) = said(&of(Exit::Signal(libc::SIGKILL)));
        assert!(code == exit::MEMORY && text.contains("Limit"), "{text}");
        assert_eq!(of(Exit::Signal(libc::SIGSEGV)).code(), exit::CRASH);
    }

    #[test]
    fn a_worker_that_could_not_make_processes_is_told_of_as_that() {
        let script = c"for i in $(seq 1100); do sleep 1000 & done";
        let (Some(crowded), Some(not)) = (after(script), after(c"true")) else { return };
        assert_eq!(not_started().seen_from_outside(Some(&crowded), &LIMITS).code(), exit::PROCESSES);
        assert_eq!(not_started().seen_from_outside(Some(&not), &LIMITS).code(), exit::REFUSED);
        assert_eq!(Verdict::of_exit(Exit::Code(1), false, Some(&crowded), &LIMITS).code(), exit::PROCESSES);
    }
}
