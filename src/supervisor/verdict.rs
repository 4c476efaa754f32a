//! How a run ended, as the supervisor sees it.

use pinfold_sandbox::Exit;
use pinfold_sandbox::notify::Violation;

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
    /// Time was over, and nothing is known of where the program was.
    pub(super) const TIMEOUT: Self = Self::Timeout { frames: Vec::new(), omitted: 0, used: None };

    /// From what a worker tells.
    pub(super) fn of_ending(ending: Ending) -> Self {
        match ending.kind {
            EndKind::Timeout => {
                Self::Timeout { frames: ending.frames, omitted: ending.omitted, used: Some(ending.used) }
            }
            _ => Self::Ended(ending),
        }
    }

    /// What was used, as the worker tells it.
    pub fn used(&self) -> Option<&Used> {
        match self {
            Self::Ended(ending) => Some(&ending.used),
            Self::Timeout { used, .. } => used.as_ref(),
            _ => None,
        }
    }

    /// The exit code of the command.
    pub fn code(&self) -> u8 {
        match self {
            Self::Ended(ending) => ending.code,
            Self::Timeout { .. } => exit::TIMEOUT,
            Self::Interrupted { signal } => 128 + *signal as u8,
            Self::Output { .. } => exit::OUTPUT,
            Self::Violation(_) => exit::VIOLATION,
            Self::Crash { .. } | Self::Nonsense | Self::Unrecorded(Unrecorded::Nonsense) => exit::CRASH,
            Self::Unrecorded(_) => exit::RECORDS,
        }
    }
}
