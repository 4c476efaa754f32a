//! The host API table: the only door through which a guest reaches the world.
//!
//! ```text
//!  Grants ── opened once by ──► HostState ◄── &mut ── Row::call(host, memory, arguments)
//!  (plain data)                 (descriptors,          ▲
//!     │                          clocks, random)       │ table::lookup(module, name)
//!     └── allows(row.capability)? ─────────────────────┘ before anything runs
//! ```
//!
//! A row of [`table`] says what a function is called, its type, the [`Capability`] it needs and
//! the system calls it makes. [`Grants`] is what the owner allows, [`HostState`] what came of it:
//! open descriptors and settings. The rows of [`wasi`] are WASI preview 1, those of [`fold`] what
//! Fold's standard library calls.
//!
//! Invariant: no path is ever resolved except below a directory that [`HostState::new`] opened
//! (see [`wasi::path`]).

#![deny(unsafe_code)]

mod capability;
mod clock;
mod depends;
mod descriptor;
mod error;
pub mod fold;
mod grants;
mod memory;
mod network;
mod random;
pub mod record;
mod state;
pub mod table;
pub mod wasi;

pub use capability::Capability;
pub use depends::DependsOn;
pub use error::{HostError, HostSetupError};
pub use grants::{ClockGrant, Console, DirGrant, DirGrantError, Grants, Stdin};
pub use memory::{GuestMemory, OutOfBounds};
pub use network::{NetGrant, NetGrantError, Role};
pub use record::{Event, Meaning};
pub use state::{Found, HostState};

use grants::is_identifier;
