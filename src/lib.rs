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
pub mod exit;
pub mod fold;
pub mod job;
pub mod network;
pub mod packages;
pub mod policy;
pub mod session;
pub mod supervisor;
pub mod text;
