//! From what was granted to how the worker is confined: nothing else decides that.

use std::io;
use std::path::Path;

use pinfold_sandbox::{Access, Directory, Layer, LayerError, Layers, Limits, Plan, Refusal, mounts};
use pinfold_vm::host::{DirGrant, Grants, table};

/// System calls of every worker, with the reason.
pub const BASE: [(&str, &str); 7] = [
    ("read", "the supervisor's word to begin"),
    ("write", "messages to the supervisor"),
    ("futex", "waiting for other threads"),
    ("rt_sigreturn", "the end of a signal handler: faults of compiled code are traps"),
    ("exit_group", "the end"),
    ("mprotect", "growth of memory that was set aside, never of code"),
    ("madvise", "giving memory back"),
];

/// Bytes that a worker needs beside what its program may have.
pub const OVERHEAD: u64 = 256 << 20;

/// Processes and threads that a worker and its compiler may have, beside one for each processor: their first ones, those that wait and move output, and
/// [the compiler's others](COMPILER_THREADS).
pub const PROCESSES: u64 = 16;

/// Threads that compile, at most.
pub const COMPILER_THREADS: usize = 8;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A directory cannot be granted.
    #[error("the directory {grant} cannot be granted: {error}")]
    Directory {
        /// What was to be granted.
        grant: String,
        /// Why not.
        error: io::Error,
    },
    /// Nothing would hold it.
    #[error("--cpus takes the layer cgroup")]
    Share,
}

/// The plan for a program with these grants and limits. Directories are looked up now: what is found under their names later must be
/// the same.
///
/// # Errors
/// If a directory is not there.
pub fn plan(grants: &Grants, max_memory: u64, max_stack: u64, layers: Layers) -> Result<Plan, PolicyError> {
    let directories = grants.dirs.iter().map(directory).collect::<Result<_, _>>()?;
    let effective = Grants { stepwise: is_stepwise(layers), ..grants.clone() };
    let granted = table::syscalls(&effective).into_iter();
    let syscalls = BASE.into_iter().chain(granted).map(|(name, why)| (name.to_owned(), why.to_owned())).collect();
    Ok(Plan {
        layers,
        directories,
        syscalls,
        refusal: Refusal::Notify,
        limits: Limits {
            memory: max_memory.saturating_add(max_stack.saturating_mul(2)).saturating_add(OVERHEAD),
            descriptors: grants.handle_limit as u64,
            processes: PROCESSES,
            cpu_time: None,
            cpu_percent: None,
        },
    })
}

/// The plan for the process that compiles for a worker with this one: nothing is granted to it, and what it may not do ends it at once. Where
/// there is a cgroup the two have one.
pub fn of_compiler(worker: &Plan) -> Plan {
    let syscalls = BASE.into_iter().map(|(name, why)| (name.to_owned(), why.to_owned())).collect();
    Plan {
        layers: worker.layers,
        directories: Vec::new(),
        syscalls,
        refusal: Refusal::Kill,
        limits: Limits { memory: OVERHEAD, descriptors: 0, ..worker.limits.clone() },
    }
}

/// The same for the process that compiles all of a program [ahead](crate::job::Run::ahead): it may have as much memory as the worker, which runs nothing.
pub fn of_compiler_ahead(worker: &Plan) -> Plan {
    let plan = of_compiler(worker);
    Plan { limits: Limits { memory: worker.limits.memory, ..plan.limits }, ..plan }
}

/// Whether a worker walks paths step by step: where nothing hides other directories from it but Landlock, which leaves their attributes
/// to be seen and their times to be changed by whoever may name them.
pub fn is_stepwise(layers: Layers) -> bool {
    layers.has(Layer::Landlock) && !layers.has(Layer::Mount)
}

/// What to do about a layer that this host cannot give.
pub fn way_out(error: &LayerError) -> String {
    let layer = error.layer;
    let go_on = match layer {
        _ if layer.is_indispensable() => "nothing runs without it".to_owned(),
        // Who may not make the first may not make the others.
        _ if Layer::NAMESPACES.contains(&layer) && error.error.kind() == io::ErrorKind::PermissionDenied => {
            "--without namespaces goes on without any".to_owned()
        }
        _ => format!("--without {} goes on without it", layer.name()),
    };
    format!("pinfold doctor says why this host does not give it; {go_on}")
}

fn directory(grant: &DirGrant) -> Result<Directory, PolicyError> {
    let find = |path: &Path| -> io::Result<Directory> {
        let host = std::fs::canonicalize(path)?;
        let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
        let fd = rustix::fs::open(&host, flags, rustix::fs::Mode::empty())?;
        let access = if grant.writable { Access::Write } else { Access::Read };
        Ok(Directory { identity: mounts::identity(&fd)?, host, access, inside: None })
    };
    find(&grant.host).map_err(|error| PolicyError::Directory { grant: grant.to_string(), error })
}
