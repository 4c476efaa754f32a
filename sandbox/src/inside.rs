//! The confined process's side: putting up the walls that it can only put up itself.
//!
//! ```text
//!  enter ── single-threaded, before anything untrusted is read: network, mounts, limits, capabilities, Landlock
//!    │      the process then makes its threads, code memory and heap
//!  lock ─── the filter, on all threads: from here on nothing can be had that was not named
//!    │      the process tells the supervisor where the filter's listener is
//!  seal ─── where that could not be taken from a process that nobody may trace: only now nobody may
//! ```

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::error::{Context, LayerError, check};
use crate::namespaces::Network;
use crate::plan::{Access, Layer, Plan};
use crate::seccomp::Filter;
use crate::{capabilities, landlock, mounts, namespaces, rlimits};

/// Puts up every wall but the filter. The process must have one thread.
///
/// # Errors
/// If one cannot be put up; the process is to end then.
pub fn enter(plan: &Plan) -> Result<(), LayerError> {
    let layers = plan.layers;
    die_with_parent().context(Layer::Pid, "end with whoever made it")?;
    let network = if layers.has(Layer::Net) { Some(Network::enter()?) } else { None };
    if layers.has(Layer::Uts) {
        namespaces::set_host_name()?;
    }
    if layers.has(Layer::Mount) {
        mounts::enter(&plan.directories)?;
    } else {
        for directory in &plan.directories {
            mounts::open(directory).context(Layer::Mount, "find a granted directory")?;
        }
    }
    if layers.has(Layer::Rlimits) {
        rlimits::set(&plan.limits)?;
    }
    if let Some(network) = network {
        network.leave()?;
    }
    if layers.has(Layer::Capabilities) {
        capabilities::drop_all()?;
    }
    if layers.has(Layer::NoNewPrivileges) {
        capabilities::no_new_privileges()?;
        if !plan.seals_late() {
            capabilities::not_dumpable()?;
        }
    }
    // The kernel forgets it when privileges change.
    die_with_parent().context(Layer::Pid, "end with whoever made it")?;
    if layers.has(Layer::Landlock) {
        let places: Vec<(PathBuf, Access)> = places(plan).zip(plan.directories.iter().map(|d| d.access)).collect();
        landlock::restrict(places.iter().map(|(place, access)| (place.as_path(), *access)))?;
    }
    Ok(())
}

/// Where the granted directories are, for the process.
pub fn places(plan: &Plan) -> impl Iterator<Item = PathBuf> {
    let moved = plan.layers.has(Layer::Mount);
    plan.directories.iter().enumerate().map(move |(index, directory)| match moved {
        true => directory.place(index),
        false => directory.host.clone(),
    })
}

/// Puts up the filter, on all threads and for good. Where refused calls are notified the listener comes back, whose other end is the
/// supervisor's to take.
///
/// # Errors
/// If it cannot be put up; the process is to end then.
pub fn lock(plan: &Plan) -> Result<Option<OwnedFd>, LayerError> {
    let filter = plan.filter().map_err(io::Error::other).context(Layer::Seccomp, "make the filter")?;
    lock_with(plan, &filter)
}

/// As [`lock`], with another filter than the plan's own.
///
/// # Errors
/// If it cannot be put up; the process is to end then.
pub fn lock_with(plan: &Plan, filter: &Filter) -> Result<Option<OwnedFd>, LayerError> {
    if plan.layers.has(Layer::Rlimits) {
        rlimits::no_more_processes()?;
    }
    if plan.layers.has(Layer::NoNewPrivileges) {
        capabilities::refuse_new_code();
    }
    if plan.layers.has(Layer::Seccomp) {
        return filter.install(plan.refusal).context(Layer::Seccomp, "install the filter");
    }
    Ok(None)
}

/// What is left to do once the supervisor was told of the listener, or has it: with most plans nothing.
///
/// # Errors
/// If it cannot be done; the process is to end then.
pub fn seal(plan: &Plan) -> Result<(), LayerError> {
    // Refused by the filter, and let through by the supervisor, this once.
    if plan.seals_late() && plan.layers.has(Layer::NoNewPrivileges) { capabilities::not_dumpable() } else { Ok(()) }
}

fn die_with_parent() -> io::Result<()> {
    // SAFETY: takes a number.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }).map(drop)
}
