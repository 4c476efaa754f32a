//! What can go wrong with a program, for whoever embeds it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::grants::Need;
use super::mismatch::Mismatch;
use crate::finding::{Finding, Place, Severity};
use crate::trace::{self, Frame};

/// What went wrong.
///
/// [`code`](Self::code) is stable, the text is for people. Where a program was when it was ended, [`stack`](Self::stack) says; which limit
/// ended it, [`exceeded`](Self::exceeded); what is wrong with a source, [`findings`](Self::findings).
///
/// ```
/// use pinfold::{Error, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::builder().fuel(100_000).build()?;
/// let wrong = vm.compile("wrong.fold", "pub fn double(n: Int) -> Int { \"{n}{n}\" }").unwrap_err();
/// assert_eq!((wrong.code(), wrong.span().map(|place| place.line)), ("F0301", Some(1)));
///
/// let program = vm.compile("at.fold", r#"
///     pub fn at(list: List<Int>, index: Int) -> Int { list[index] }
///     pub fn endless() { while true {} }
/// "#)?;
/// let panicked = program.call::<i64>("at", ([1, 2], 2)).unwrap_err();
/// assert_eq!((panicked.code(), panicked.place().map(|place| place.line)), ("panicked", Some(2)));
/// match program.call::<()>("endless", ()) {
///     Err(Error::Limit(exceeded)) => assert_eq!(exceeded.allowed, 100_000),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program is wrong: all that is.
    #[error("{}", texts(.0))]
    Rejected(Vec<Finding>),
    /// The program is to be handed what was not granted: all of it.
    #[error("{}", missing(.0))]
    NotGranted(Vec<Need>),
    /// What was granted cannot be had.
    #[error("{0}")]
    Grant(String),
    /// The program has no such function, or the host cannot call it.
    #[error("there is no function {name} to call: {why}")]
    NoFunction {
        /// What was to be called.
        name: String,
        /// Why it cannot be.
        why: String,
    },
    /// The program has other types than the host.
    #[error("{function}: {mismatch}")]
    Type {
        /// The function that was to be called, or that gave the value.
        function: String,
        /// What does not fit.
        mismatch: Mismatch,
    },
    /// The program ended with an error of its own.
    #[error("{message}")]
    Failed {
        /// Its text.
        message: String,
        /// What was used.
        usage: Usage,
    },
    /// The program met a mistake of its own: an overflow, an index out of range, a failed `assert`, `panic`.
    #[error("{message}{}", lines(.stack))]
    Panicked {
        /// Which.
        message: String,
        /// Where, newest first.
        stack: Vec<Frame>,
        /// What was used.
        usage: Usage,
    },
    /// The program was ended by a limit.
    #[error(transparent)]
    Limit(#[from] Box<Exceeded>),
    /// The host asked for it: see [`Cancel`](crate::Cancel).
    #[error("the program was cancelled{}", lines(.stack))]
    Cancelled {
        /// Where the program was.
        stack: Vec<Frame>,
        /// What was used.
        usage: Usage,
    },
    /// A function of the host failed, or panicked.
    #[error("{source}{}", lines(.stack))]
    Host {
        /// How.
        source: Arc<dyn std::error::Error + Send + Sync>,
        /// Where the program was.
        stack: Vec<Frame>,
        /// What was used.
        usage: Usage,
    },
    /// The machine failed.
    #[error("{0}")]
    Machine(String),
    /// The worker that was to run the program could not be had, crashed, or was ended because it was taken over.
    #[error("the program's worker: {0}")]
    Worker(String),
}

/// A result with this error.
///
/// ```
/// use pinfold::{Result, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// fn double(n: i64) -> Result<i64> {
///     Vm::new()?.compile("double.fold", "pub fn double(n: Int) -> Int { 2 * n }")?.call("double", (n,))
/// }
/// assert_eq!(double(21)?, 42);
/// # Ok(())
/// # }
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be limited.
///
/// ```
/// use pinfold::{Limit, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::builder().memory(8 << 20).build()?.compile("large.fold", r#"
///     pub fn large() -> Int { List.repeat(0, 100_000_000).len() }
/// "#)?;
/// let ended = program.call::<i64>("large", ()).unwrap_err();
/// assert_eq!(ended.exceeded().map(|exceeded| exceeded.limit), Some(Limit::Memory));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Work, in units of fuel.
    Fuel,
    /// Time, in milliseconds.
    Time,
    /// Memory, in bytes.
    Memory,
    /// The program's stack, in bytes.
    Stack,
    /// What it writes and gives, in bytes.
    Output,
}

/// A limit that ended a program.
///
/// ```
/// use pinfold::{Limit, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::builder().fuel(10_000).build()?.compile("endless.fold", "pub fn endless() { while true {} }")?;
/// let ended = program.call::<()>("endless", ()).unwrap_err();
/// let exceeded = ended.exceeded().expect("a limit ended it");
/// assert_eq!((exceeded.limit, exceeded.allowed), (Limit::Fuel, 10_000));
/// assert!(exceeded.stack.iter().any(|frame| frame.function.contains("endless")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("the program {}{}", .limit.passed(*.allowed), lines(.stack))]
#[non_exhaustive]
pub struct Exceeded {
    /// Which.
    pub limit: Limit,
    /// How much it allows, in the limit's unit.
    pub allowed: u64,
    /// Where the program was, newest first.
    pub stack: Vec<Frame>,
    /// What was used.
    pub usage: Usage,
}

/// What a program used.
///
/// ```
/// use pinfold::{Console, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("hello.fold", "needs out: Console\nout.print(\"hello\")")?;
/// let usage = program.run(grants! { out: Console::capture() })?;
/// assert_eq!(usage.output, 6);
/// assert!(usage.fuel.is_some_and(|fuel| fuel > 0) && usage.memory > 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Units of fuel, if they are counted.
    pub fuel: Option<u64>,
    /// The most bytes of memory at one time.
    pub memory: u64,
    /// Bytes that were written.
    pub output: u64,
    /// How long it took.
    pub time: Duration,
}

impl Limit {
    fn passed(self, allowed: u64) -> String {
        match self {
            Self::Fuel => format!("used up its fuel, {allowed} units; `fuel` allows more"),
            Self::Time => format!("ran longer than {allowed} ms; `deadline` allows more"),
            Self::Memory => format!("wanted more than {allowed} bytes of memory; `memory` allows more"),
            Self::Stack => format!("needed more than {allowed} bytes of stack; `stack` allows more"),
            Self::Output => format!("gave more than {allowed} bytes; `output` allows more"),
        }
    }
}

impl Error {
    /// What it is, in a word that does not change; of a program that is wrong the code of the first error, as `F0301`.
    pub fn code(&self) -> &str {
        match self {
            Self::Rejected(_) => self.first().map_or("rejected", |finding| &finding.diagnostic.code),
            Self::NotGranted(_) => "not_granted",
            Self::Grant(_) => "grant",
            Self::NoFunction { .. } => "no_function",
            Self::Type { .. } => "type",
            Self::Failed { .. } => "failed",
            Self::Panicked { .. } => "panicked",
            Self::Limit(exceeded) => match exceeded.limit {
                Limit::Fuel => "limit.fuel",
                Limit::Time => "limit.time",
                Limit::Memory => "limit.memory",
                Limit::Stack => "limit.stack",
                Limit::Output => "limit.output",
            },
            Self::Cancelled { .. } => "cancelled",
            Self::Host { .. } => "host",
            Self::Machine(_) => "machine",
            Self::Worker(_) => "worker",
        }
    }

    /// What is wrong with the source, and what was perhaps not meant.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Rejected(findings) => findings,
            _ => &[],
        }
    }

    /// The first finding for which a source was rejected: warnings may stand before it.
    fn first(&self) -> Option<&Finding> {
        self.findings().iter().find(|finding| finding.diagnostic.severity == Severity::Error)
    }

    /// The first place in a source that is wrong.
    pub fn span(&self) -> Option<&Place> {
        let spans = &self.first()?.diagnostic.spans;
        spans.iter().find(|span| span.primary).map(|span| &span.place)
    }

    /// Where the program was when it was ended, newest first.
    pub fn stack(&self) -> &[Frame] {
        match self {
            Self::Panicked { stack, .. } | Self::Cancelled { stack, .. } | Self::Host { stack, .. } => stack,
            Self::Limit(exceeded) => &exceeded.stack,
            _ => &[],
        }
    }

    /// Where in its own source the program was when it was ended: the newest place that is not in the standard library.
    pub fn place(&self) -> Option<&trace::Place> {
        let places = self.stack().iter().filter_map(|frame| frame.place.as_ref());
        places.into_iter().find(|place| !place.file.starts_with("std/"))
    }

    /// The limit that ended the program.
    pub fn exceeded(&self) -> Option<&Exceeded> {
        match self {
            Self::Limit(exceeded) => Some(exceeded),
            _ => None,
        }
    }

    /// What a program used until it was ended.
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Failed { usage, .. }
            | Self::Panicked { usage, .. }
            | Self::Cancelled { usage, .. }
            | Self::Host { usage, .. } => Some(usage),
            Self::Limit(exceeded) => Some(&exceeded.usage),
            _ => None,
        }
    }
}

fn texts(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.text.as_str()).collect::<Vec<_>>().join("\n\n")
}

fn missing(needs: &[Need]) -> String {
    let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
    format!("the program was not run, since it was not granted {}", needs.join(", "))
}

/// A stack as lines behind a message.
fn lines(stack: &[Frame]) -> impl fmt::Display + '_ {
    struct Trace<'a>(&'a [Frame]);

    impl fmt::Display for Trace<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|frame| write!(f, "\n    {frame}"))
        }
    }

    Trace(stack)
}
