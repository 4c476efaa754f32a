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

pub mod answer;
pub mod bundle;
pub mod document;
mod embed;
pub mod exchange;
pub mod exit;
pub mod fold;
pub mod job;
pub mod network;
pub mod packages;
pub mod policy;
pub mod question;
pub mod session;
pub mod supervisor;
pub mod text;
pub mod trace;

pub use embed::capability::{Capability, Failure, Granted, IntoMethod};
pub use embed::convert::{Arguments, FromFold, ToFold};
pub use embed::declare::FoldType;
pub use embed::error::{Error, Exceeded, Limit, Result, Usage};
pub use embed::grants::{Args, Clock, Console, Dir, Env, Grant, Grants, Need, Net, Random};
pub use embed::mismatch::Mismatch;
pub use embed::program::{Cancel, Program, Session};
pub use embed::types::{Declarations, Declared, Type};
pub use embed::value::Value;
pub use embed::vm::{Isolation, Limits, Vm, VmBuilder};
pub use embed::wire::{Reader, Variant, Writer};
pub use pinfold_derive::{FoldType, FromFold, ToFold};
pub use pinfold_vm::api as wasm;
pub use pinfold_vm::api::{Caller, Config, Engine, Instance, Linker, Module, Store, Tier, TypedFunc};
