//! Pinfold: a process virtual machine for untrusted code.
//!
//! A program runs in a process of its own, the *worker*, which is confined before it reads a byte of it:
//!
//! ```text
//!  flags ─► Grants ─► Job { Plan, Task } ─► supervisor ═══ namespaces, limits, filter ═══ worker ─► vm
//!                                              ▲  Verdict ◄─────── Message ───────────────┘
//! ```
//!
//! What comes out of a worker (its messages, its output, how it ended) is treated as hostile.
//!
//! A [`Vm`] is for programs that embed it, and needs no worker unless it [is told](Isolation) to. Features say what is built along: `compiler`
//! ([`Vm`] takes sources), `jit`, `workers`, `serde`, and `command`, for the executables, which all but `serde` is part of.

mod embed;
pub mod exchange;
pub mod finding;
pub mod network;
pub mod trace;

#[cfg(feature = "compiler")]
pub mod answer;
#[cfg(feature = "compiler")]
pub mod begun;
#[cfg(feature = "compiler")]
pub mod bundle;
#[cfg(feature = "compiler")]
pub mod document;
#[cfg(feature = "compiler")]
pub mod fold;
#[cfg(feature = "compiler")]
pub mod packages;

#[cfg(feature = "workers")]
pub mod cache;
#[cfg(feature = "workers")]
pub mod exit;
#[cfg(feature = "workers")]
pub mod job;
#[cfg(feature = "workers")]
pub mod policy;
#[cfg(feature = "workers")]
pub mod precompiled;
#[cfg(feature = "workers")]
pub mod profile;
#[cfg(feature = "workers")]
pub mod question;
#[cfg(feature = "workers")]
pub mod supervisor;

#[cfg(feature = "command")]
pub mod session;
#[cfg(feature = "command")]
pub mod text;

pub use embed::capability::{Capability, Declares, Failed, Failure, Granted, IntoMethod};
pub use embed::capability_of::{CapabilityOf, ImplementedBy};
#[cfg(feature = "compiler")]
pub use embed::compile::Tested;
pub use embed::convert::{Arguments, FromFold, ToFold};
pub use embed::declare::FoldType;
pub use embed::error::{Error, Exceeded, Limit, Result, Usage};
pub use embed::grants::{Args, Clock, Console, Dir, Env, Grant, Grants, Need, Net, Random};
pub use embed::mismatch::Mismatch;
pub use embed::program::{Cancel, Program, Session};
#[cfg(feature = "serde")]
pub use embed::serde::Serde;
pub use embed::types::{Declarations, Declared, Shape, Type};
pub use embed::value::Value;
pub use embed::vm::{Isolation, Limits, Vm, VmBuilder};
pub use embed::wire::{Reader, Variant, Writer};
pub use pinfold_derive::{FoldType, FromFold, ToFold, capability};
pub use pinfold_vm::api as wasm;
pub use pinfold_vm::api::{Caller, Config, Engine, Instance, Linker, Module, Store, Tier, TypedFunc};
pub use pinfold_vm::host;
