//! Confines a Linux process with every layer that the kernel has, and says how it ended.
//!
//! ```text
//!  supervisor                                    confined process
//!  ──────────                                    ────────────────
//!  Plan ─► spawn::spawn ── cgroup, namespaces ──► inside::enter   network, mounts, limits, capabilities, Landlock
//!             │                                  (its threads, heap and code memory)
//!             │            ◄── listener ──────── inside::lock    the system call filter
//!          Child, notify::Listener               … untrusted work …
//! ```
//!
//! [`Sandbox`] does all of it for a closure or a program, and gives back a [`Verdict`]; the parts are there for who needs another order, or a
//! process of a long life.
//!
//! Nothing here knows what the process is for. Each file is one layer, or one step.

pub mod capabilities;
pub mod cgroup;
mod clone;
mod descriptors;
pub mod error;
pub mod groups;
pub mod inside;
pub mod landlock;
pub mod mounts;
pub mod names;
pub mod namespaces;
pub mod notify;
pub mod plan;
pub mod probe;
pub mod rlimits;
pub mod sandbox;
pub mod seccomp;
pub mod spawn;
pub mod syscalls;

pub use cgroup::Cgroup;
pub use error::LayerError;
pub use plan::{Access, Directory, Layer, Layers, Limits, Plan};
pub use sandbox::{Outcome, Sandbox, SandboxError, Verdict};
pub use seccomp::Refusal;
pub use spawn::{Child, Exit, Launch, SpawnError, Usage, spawn, spawn_beside, spawn_in};
