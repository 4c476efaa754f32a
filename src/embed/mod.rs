//! Programs in Fold, run by a Rust program: see [`Vm`].
//!
//! ```text
//!  Vm ── compile(source) ──► Program ── call(name, values) ──► Guest: a store with an instance
//!  (limits, engine)          (module,   run(grants)                │
//!                             interface)                           ▼
//!                 ToFold ──► Writer ──► words and bytes ──► "call name" in the module ──► Reader ──► FromFold
//! ```
//!
//! Values cross as words and bytes, not as objects: what a program and its host have of a value is never shared, a call makes no
//! objects for its arguments but those that the program itself makes of them, and it is the same when the program runs in another process.
//!
//! Invariant: nothing that a program gives is relied on; what is malformed is an error.

pub(crate) mod capability;
pub(crate) mod capability_of;
#[cfg(feature = "compiler")]
pub(crate) mod compile;
#[cfg_attr(not(feature = "workers"), path = "no_workers.rs")]
mod confined;
pub(crate) mod convert;
pub(crate) mod declare;
pub(crate) mod error;
pub(crate) mod grants;
mod guest;
pub(crate) mod mismatch;
#[cfg(feature = "workers")]
mod pool;
pub(crate) mod program;
mod sections;
#[cfg(feature = "serde")]
pub(crate) mod serde;
#[cfg(feature = "workers")]
mod spare;
pub(crate) mod types;
pub(crate) mod value;
pub(crate) mod vm;
pub(crate) mod wire;
#[cfg(feature = "compiler")]
pub(crate) mod written;
