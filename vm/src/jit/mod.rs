//! The compiled tier: verified bodies to machine code, through Cranelift.
//!
//! ```text
//!  body ──lower──► CLIF ──Cranelift──► code + side tables ──Batch::place──► arena, registry
//! ```
//!
//! Invariant: code holds no absolute address and reaches nothing outside of its batch but through
//! the context that it is handed. The bytes are placed by [`arena`], not by `cranelift-jit`, since
//! that writes, relocates and runs code at one address. The only relocations are calls inside a batch.
//!
//! Cranelift is in [`maker`] and below. It may be at work in a process of its own: see [`elsewhere`]. Without the feature `jit` it is left out:
//! what asks for a compiler is told so, and the interpreter runs everything.

pub mod arena;
pub mod batch;
pub mod builtins;
#[cfg(feature = "jit")]
mod checker;
mod compiler;
pub mod elsewhere;
#[cfg(feature = "jit")]
mod lower;
#[cfg(feature = "jit")]
mod maker;
#[cfg(not(feature = "jit"))]
#[path = "no_maker.rs"]
mod maker;
pub mod registry;
#[cfg(feature = "jit")]
mod trampolines;
pub mod words;

use std::sync::Arc;

use crate::module::DefinedFunc;
use crate::types::TypeId;
pub use batch::Batch;
pub use compiler::{Compiler, Order, Standing, reserve_code};
use maker::Maker;
pub use maker::{IS_THERE, MEMORY, clif, disassemble};

/// Why something could not be compiled.
///
/// ```
/// use pinfold_vm::api::{Config, Engine, Error, Module};
/// use pinfold_vm::jit::CompileError;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(&Config::new())?;
/// match Module::new(&engine, wat::parse_str("(module)")?) {
///     Err(Error::Compile(CompileError::Full)) => eprintln!("modules have to be dropped first"),
///     other => assert!(other.is_ok()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The host's processor or settings are not supported, or the compiler was left out when this program was built.
    #[error("compiled code cannot run here: {0}; use the interpreter")]
    Host(String),
    /// Cranelift refused.
    #[error("function {func} could not be compiled: {why}")]
    Function {
        /// Index of the function in its module.
        func: u32,
        /// What Cranelift said.
        why: String,
    },
    /// The process that compiles is gone, or does not do what it should.
    #[error("the compiler, which is another process, {0}")]
    Elsewhere(&'static str),
    /// The code memory is full.
    #[error("the code memory of 1 GiB is full; close instances and modules, or use the interpreter")]
    Full,
}

/// A compiled function.
pub struct Compiled {
    /// Which.
    pub func: DefinedFunc,
    /// Its entry in the compiled convention.
    pub code: *const u8,
    /// What keeps it in memory.
    pub batch: Arc<Batch>,
}

/// A function's code that is entered at a loop's header.
#[derive(Clone, Copy, Debug)]
pub struct LoopCode {
    /// Its entry: in the compiled convention, but with a [`LoopFrame`](crate::runtime::context::LoopFrame) in place of the
    /// function's reference and arguments.
    pub code: *const u8,
    /// From the array convention to that.
    pub trampoline: *const u8,
}

// SAFETY: addresses of code that lives as long as its module.
unsafe impl Send for LoopCode {}
// SAFETY: as above.
unsafe impl Sync for LoopCode {}

/// What a trampoline of a function type does. Each takes Cranelift a third of a millisecond, and programs have a hundred types: they are made as
/// they are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trampoline {
    /// From the array convention to the compiled one.
    Entry,
    /// Stands for interpreted functions.
    Interpreter,
    /// Stands for host functions.
    Host,
    /// Calls a function with arguments from a buffer, in tail position.
    Unpack,
}

impl Trampoline {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Entry, Self::Interpreter, Self::Host, Self::Unpack];
}

/// Where a trampoline is.
#[derive(Clone, Copy, Debug)]
pub struct TrampolineCode(pub *const u8);

/// All trampolines of a compiler, each with what it does and its type, and the batches that they are in.
pub type Trampolines = (Vec<(Trampoline, TypeId, TrampolineCode)>, Vec<Arc<Batch>>);

// SAFETY: the address of code that lives as long as the compiler.
unsafe impl Send for TrampolineCode {}
// SAFETY: as above.
unsafe impl Sync for TrampolineCode {}
