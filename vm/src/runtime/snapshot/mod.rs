//! Programs that have begun: an instance written down, to be gone on with in other processes.
//!
//! ```text
//!  run ─► a host function, or between calls ─► take ─► a module: the same code, no active data, a section with the state
//!                                                        │
//!  other processes, any number of times:  decode, verify ◄┘ ─► instantiate ─► restore ─► resume
//! ```
//!
//! A snapshot is a module. Its code is the code of the program, so it is verified, compiled and kept as any other's; the section
//! [`SECTION`] holds what the instance had come to: its memories, globals, tables, which segments were dropped, and the frames of the
//! run if it was taken in the middle of one. Nothing of the host is in it.
//!
//! *Invariant: whatever the section says, what is restored is a state that the verified code could be in: values are of the types that
//! the verifier saw at their places, each frame is of a function that the call below it may call, and references are to the module's own
//! functions. What is in memories is the program's own affair.*

mod format;
mod restore;
mod take;

pub use format::{find, module};
pub use restore::{frames, place, restore};
pub use take::take;

use std::ops::Range;

use crate::interpreter::suspended::Unreadable;
use crate::module::FuncIndex;
use crate::types::ValType;

/// The name of the custom section.
pub const SECTION: &str = "pinfold.state";

/// What an instance had come to. A reference is the number of its function and one, null is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Its memories.
    pub memories: Vec<Memory>,
    /// Its globals' values.
    pub globals: Vec<u128>,
    /// Its tables' cells.
    pub tables: Vec<Vec<u32>>,
    /// Whether each element segment was dropped.
    pub elements_dropped: Vec<bool>,
    /// The frames of the run, the oldest first; none between calls.
    pub frames: Vec<Frame>,
}

/// What a memory had come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// WebAssembly's pages.
    pub pages: u64,
    /// Where it is not zero, in [pages of the host](super::space::HOST_PAGE), ascending. What is there follows the state, of all memories in order.
    pub runs: Vec<Range<u64>>,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its function.
    pub func: FuncIndex,
    /// Where the call is that it stands at, counted from the beginning of the function's body.
    pub offset: u32,
    /// Its locals and operands; of the newest frame also what the call takes.
    pub values: Vec<u128>,
}

/// Why a program cannot be written down, or gone on with.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Instance, Module, SnapshotError, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str("(module)")?)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let taken = instance.snapshot(&store, &[]);
/// assert!(matches!(taken, Err(Error::Snapshot(SnapshotError::NotMadeForIt))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The engine's settings do not allow for it.
    #[error("the engine was not made for snapshots; see Config::snapshots")]
    NotMadeForIt,
    /// The module imports something other than functions.
    #[error(
        "the module imports a memory, table, global or tag, which belongs to somebody else; of imports only functions can be there"
    )]
    Imports,
    /// The module works on the garbage-collected heap.
    #[error("the program keeps objects in the garbage-collected heap, which a snapshot cannot hold yet")]
    Heap,
    /// Something refers to what is not of the module.
    #[error("{place} holds a reference of type {ty} to something outside of the module, which a snapshot cannot hold")]
    Reference {
        /// Where it is.
        place: String,
        /// Its type there.
        ty: ValType,
    },
    /// Something other than the program is on its stack.
    #[error("the run cannot be written down here: {}", match .0 {
        Unreadable::Foreign => "a function of the host, of another instance, or one that is compiled is on its stack",
        Unreadable::Indirect => "the host was not called directly, but by a reference or in a tail call",
    })]
    Stack(Unreadable),
    /// More than a module can hold.
    #[error("the snapshot would have more than {limit} bytes")]
    Size {
        /// How many a module may have.
        limit: usize,
    },
    /// The module is no snapshot.
    #[error("the module is no snapshot")]
    None,
    /// What the section says cannot be.
    #[error("the snapshot is damaged: {0}")]
    Damaged(String),
    /// The store's limits, or the host's memory.
    #[error("the snapshot does not fit: {0}")]
    Limit(String),
}

impl From<Unreadable> for SnapshotError {
    fn from(why: Unreadable) -> Self {
        Self::Stack(why)
    }
}

/// A result with that.
pub type Result<T> = std::result::Result<T, SnapshotError>;
