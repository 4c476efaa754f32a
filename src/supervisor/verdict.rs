//! How a run ended, as the supervisor sees it.

use std::time::Duration;

use pinfold_sandbox::Exit;
use pinfold_sandbox::cgroup::OutOfMemory;
use pinfold_sandbox::notify::Violation;

use super::clock::Over;
use crate::exit;
use crate::job::{EndKind, Ending};

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
    },
    /// It used up its processor time. Where it was then, if its worker could still tell.
    Cpu {
        /// Time allowed.
        limit: Duration,
        /// The program's stack.
        frames: Vec<String>,
        /// How many frames more there are.
        omitted: usize,
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
}

impl Verdict {
    /// From what a worker tells, who may have been asked to stop for that reason.
    pub(super) fn of_ending(ending: Ending, over: Option<Over>) -> Self {
        match ending.kind {
            EndKind::Timeout => Self::of_time(over.unwrap_or(Over::Wall), ending.frames, ending.omitted),
            _ => Self::Ended(ending),
        }
    }

    /// From a time that is over, and where the program was then.
    pub(super) fn of_time(over: Over, frames: Vec<String>, omitted: usize) -> Self {
        match over {
            Over::Wall => Self::Timeout { frames, omitted },
            Over::Processors(limit) => Self::Cpu { limit, frames, omitted },
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
            Self::Crash { .. } | Self::Nonsense => exit::CRASH,
        }
    }
}
