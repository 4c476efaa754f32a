//! Resource limits of the process.

use crate::error::{Context, LayerError, check};
use crate::plan::{Layer, Limits};

/// Descriptors beside those that a program opens: streams, the channel, the program, code.
const OWN_DESCRIPTORS: u64 = 32;

/// Sets what is known before threads start.
pub fn set(limits: &Limits) -> Result<(), LayerError> {
    let all = [
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_NOFILE, limits.descriptors + OWN_DESCRIPTORS),
        (libc::RLIMIT_DATA, limits.memory),
        (libc::RLIMIT_MEMLOCK, 0),
        (libc::RLIMIT_MSGQUEUE, 0),
        (libc::RLIMIT_NICE, 0),
        (libc::RLIMIT_RTPRIO, 0),
        (libc::RLIMIT_SIGPENDING, 64),
    ];
    all.into_iter().try_for_each(|(resource, value)| limit(resource, value))?;
    match limits.cpu_time {
        // Past what the supervisor allows: it says first how the process ends.
        Some(time) => limit(libc::RLIMIT_CPU, time.as_secs().saturating_add(2)),
        None => Ok(()),
    }
}

/// No process or thread can be made any more. Root outside of a user namespace is not held by it; the filter holds it.
pub fn no_more_processes() -> Result<(), LayerError> {
    limit(libc::RLIMIT_NPROC, 0)
}

fn limit(resource: libc::__rlimit_resource_t, value: u64) -> Result<(), LayerError> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a valid place for the answer.
    check(unsafe { libc::getrlimit(resource, &mut now) }).context(Layer::Rlimits, "read a limit")?;
    // What is lower already stays.
    let value = value.min(now.rlim_max);
    let new = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: a valid limit.
    check(unsafe { libc::setrlimit(resource, &new) }).context(Layer::Rlimits, "set a limit")?;
    Ok(())
}
