//! Everything that can go wrong, as one type.

use std::fmt;

use crate::jit::CompileError;
use crate::runtime::instantiate::InstantiateError;
use crate::runtime::snapshot::SnapshotError;
use crate::runtime::trap::Trap;
use crate::types::ExternType;
use crate::verifier::VerifyError;

/// A result with Pinfold's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The module is malformed, invalid, or beyond a limit.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The module could not be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Imports are missing or have other types; all of them are listed.
    #[error("{}", list(.0))]
    Link(Vec<LinkProblem>),
    /// The instance does not fit the store's limits, or an active segment does not fit.
    #[error(transparent)]
    Instantiate(#[from] InstantiateError),
    /// The run was ended.
    #[error(transparent)]
    Trap(Box<Trap>),
    /// A handle of another store, or of an instance that was closed.
    #[error("{0} belongs to another store, or to an instance that was closed")]
    Stale(&'static str),
    /// Arguments, results or values of the wrong number or type.
    #[error("type mismatch: {0}")]
    Type(String),
    /// No export of this name and kind.
    #[error("there is no export {name:?} of kind {kind}")]
    NoExport {
        /// The name asked for.
        name: String,
        /// The kind asked for.
        kind: &'static str,
    },
    /// An access outside of a memory or table from the host.
    #[error("out of bounds: {0}")]
    Bounds(String),
    /// Guests have references to as many host values as they may, all of which they can still reach.
    #[error("the guests hold {limit} host values, as many as the store's limits allow")]
    HostValues {
        /// How many they may have.
        limit: usize,
    },
    /// A linker has something under this name.
    #[error("{}::{} is defined already", module.escape_debug(), name.escape_debug())]
    Defined {
        /// First name.
        module: String,
        /// Second name.
        name: String,
    },
    /// Fuel was set or asked for where none is counted.
    #[error("the engine's settings do not say that fuel is counted")]
    FuelNotCounted,
    /// A program cannot be written down, or gone on with.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Whatever a host function returned.
    #[error(transparent)]
    Host(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An error of a host function's own.
    pub fn host(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Host(error.into())
    }

    /// The trap, if this is one.
    pub fn trap(&self) -> Option<&Trap> {
        match self {
            Self::Trap(trap) => Some(trap),
            _ => None,
        }
    }
}

impl From<Trap> for Error {
    fn from(trap: Trap) -> Self {
        Self::Trap(Box::new(trap))
    }
}

/// An import that could not be satisfied.
#[derive(Clone, Debug)]
pub struct LinkProblem {
    /// First name.
    pub module: String,
    /// Second name.
    pub name: String,
    /// What the module wants.
    pub wanted: ExternType,
    /// What was found under that name, `None` for nothing.
    pub found: Option<ExternType>,
}

impl fmt::Display for LinkProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, name, wanted, found } = self;
        write!(f, "{}::{}: ", module.escape_debug(), name.escape_debug())?;
        match found {
            None => write!(f, "unknown import ({wanted})"),
            Some(found) => write!(f, "incompatible import type: the module wants {wanted}, it was given {found}"),
        }
    }
}

fn list(problems: &[LinkProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(LinkProblem::to_string).collect();
    lines.join("\n")
}
