//! Everything that can go wrong, as one type.

use std::fmt;

use crate::jit::CompileError;
use crate::runtime::instantiate::InstantiateError;
use crate::runtime::snapshot::SnapshotError;
use crate::runtime::trap::Trap;
use crate::types::ExternType;
use crate::verifier::VerifyError;

/// A result with Pinfold's error.
///
/// ```
/// use pinfold_vm::api::{Engine, Module, Result};
///
/// fn verified(bytes: &[u8]) -> Result<Module> {
///     Module::new(&Engine::default(), bytes)
/// }
/// assert!(verified(b"\0asm\x01\0\0\0").is_ok());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Instance, Module, Store, TrapKind};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let refused = Module::new(&engine, wat::parse_str("(module (func (result i32)))")?);
/// assert!(matches!(refused, Err(Error::Verify(_))));
///
/// let module = Module::new(&engine, wat::parse_str(r#"(module (func (export "run") (unreachable)))"#)?)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// assert!(matches!(instance.get_typed_func::<i32, ()>(&store, "run"), Err(Error::Type(_))));
/// let error = instance.get_typed_func::<(), ()>(&store, "run")?.call(&mut store, ()).unwrap_err();
/// assert_eq!(error.trap().map(|trap| trap.kind), Some(TrapKind::Unreachable));
/// # Ok(())
/// # }
/// ```
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
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Linker, Module, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(r#"(module (import "host" "log" (func (param i32))))"#)?)?;
/// let Err(Error::Link(problems)) = Linker::new(&engine).instantiate(Store::new(&engine, ()), &module) else { panic!() };
/// assert_eq!((problems[0].name.as_str(), &problems[0].found), ("log", &None));
/// assert_eq!(problems[0].to_string(), "host::log: unknown import (func (i32) -> ())");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
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
