//! Clocks.

use super::{Answer, Errno, Failure, abi, rows};
use crate::host::clock::Time;
use crate::host::{GuestMemory, HostState};

rows! {
    clock_res_get(id: i32, resolution: at), Clock, [], "Tells a clock's resolution.";
    clock_time_get(id: i32, precision: i64, time: at), Clock, ["clock_gettime"], "Reads a clock.";
}

/// The time behind a clock's number.
pub(super) fn time_of(id: u32) -> Result<Time, Errno> {
    match id {
        abi::CLOCK_REALTIME => Ok(Time::Realtime),
        abi::CLOCK_MONOTONIC => Ok(Time::Monotonic),
        abi::CLOCK_PROCESS_CPUTIME | abi::CLOCK_THREAD_CPUTIME => Ok(Time::Processor),
        _ => Err(Errno::Inval),
    }
}

fn clock_res_get(host: &mut HostState, mut memory: GuestMemory<'_>, id: u32, resolution: u32) -> Answer {
    time_of(id)?;
    let clock = host.clock.as_ref().ok_or(Failure::Errno(Errno::Notcapable))?;
    Ok(memory.write_u64(resolution, clock.resolution())?)
}

fn clock_time_get(host: &mut HostState, mut memory: GuestMemory<'_>, id: u32, _precision: u64, time: u32) -> Answer {
    let which = time_of(id)?;
    let clock = host.clock.as_mut().ok_or(Failure::Errno(Errno::Notcapable))?;
    Ok(memory.write_u64(time, clock.now(which))?)
}
