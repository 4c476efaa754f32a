//! What a program may use, and what it used.

use std::time::Duration;

use crate::entry::quiet;

/// No limit, for those that can be left out.
pub const PINFOLD_UNLIMITED: u64 = u64::MAX;

/// What a program may use each time that it is called: start from `pinfold_limits_default`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Limits {
    /// Units of fuel; `PINFOLD_UNLIMITED` counts none.
    pub fuel: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// How many milliseconds it may take; `PINFOLD_UNLIMITED`: as long as it likes.
    pub deadline_ms: u64,
    /// Bytes of its stack.
    pub stack: usize,
    /// Bytes that it writes, and bytes of what a function gives.
    pub output: u64,
    /// Files, directories and connections that are open at a time.
    pub handles: usize,
}

/// What a program used.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Usage {
    /// Units of fuel; `PINFOLD_UNLIMITED` if they are not counted.
    pub fuel: u64,
    /// The most bytes of memory at one time.
    pub memory: u64,
    /// Bytes that were written.
    pub output: u64,
    /// How many nanoseconds it took.
    pub time_ns: u64,
}

impl Limits {
    pub(crate) fn fuel(&self) -> Option<u64> {
        (self.fuel != PINFOLD_UNLIMITED).then_some(self.fuel)
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        (self.deadline_ms != PINFOLD_UNLIMITED).then(|| Duration::from_millis(self.deadline_ms))
    }
}

impl From<pinfold::Limits> for Limits {
    fn from(limits: pinfold::Limits) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(PINFOLD_UNLIMITED);
        Self {
            fuel: limits.fuel.unwrap_or(PINFOLD_UNLIMITED),
            memory: limits.memory,
            deadline_ms: limits.deadline.map_or(PINFOLD_UNLIMITED, millis),
            stack: limits.stack,
            output: limits.output,
            handles: limits.handles,
        }
    }
}

impl From<&pinfold::Usage> for Usage {
    fn from(usage: &pinfold::Usage) -> Self {
        Self {
            fuel: usage.fuel.unwrap_or(PINFOLD_UNLIMITED),
            memory: usage.memory,
            output: usage.output,
            time_ns: u64::try_from(usage.time.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

/// The limits that there are by default: 10^9 units of fuel, 256 MiB of memory, 5 s, 1 MiB of stack, 16 MiB of output, 64 handles.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_limits_default() -> Limits {
    let none = Limits { fuel: 0, memory: 0, deadline_ms: 0, stack: 0, output: 0, handles: 0 };
    quiet(none, || pinfold::Limits::default().into())
}
