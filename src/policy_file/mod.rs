//! Policies in files: what a program is granted, and its limits. A policy grants what it says and nothing else; limits that it does not
//! name are those of the command. It is its user's own and is trusted, but what is wrong in it is said with line and column.
//!
//! ```toml
//! clock = true
//! console = true
//! net = ["api=api.example.com:443"]
//!
//! [[dir]]
//! host = "data"       # from the place of this file
//! guest = "/data"
//! rw = true
//!
//! [env]
//! LANG = "C"
//! HOME = true         # the value that it has here
//!
//! [limits]
//! max_memory = "64MiB"
//! ```

mod read;
pub mod write;

use pinfold_vm::host::{DirGrant, NetGrant};

pub use read::read;

/// What a policy grants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// The clock, at 1 ms.
    pub clock: bool,
    /// Random numbers.
    pub random: bool,
    /// Standard input.
    pub stdin: bool,
    /// Standard output and error.
    pub console: bool,
    /// Whether imports that are not given become traps.
    pub trap_unknown_imports: bool,
    /// Directories.
    pub dirs: Vec<DirGrant>,
    /// Connections.
    pub net: Vec<NetGrant>,
    /// Environment variables; without a value, the one that it has here.
    pub env: Vec<(String, Option<String>)>,
    /// Limits.
    pub limits: Limits,
}

/// Limits that a policy names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Seconds; zero for as long as it takes.
    pub timeout: Option<f64>,
    /// Bytes of memory.
    pub max_memory: Option<u64>,
    /// Bytes of guest stack.
    pub max_stack: Option<u64>,
    /// Bytes of output.
    pub max_output: Option<u64>,
    /// Seconds of processor time.
    pub max_cpu: Option<f64>,
    /// Processors at a time.
    pub cpus: Option<f64>,
    /// Processes and threads.
    pub max_processes: Option<u64>,
    /// Units of fuel.
    pub fuel: Option<u64>,
}
