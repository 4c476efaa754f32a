//! Ending, signals to oneself, yielding.

use super::{Answer, Errno, rows};
use crate::host::{GuestMemory, HostError, HostState};

rows! {
    proc_exit(code: i32) -> never, Process, [], "Ends the program with an exit code.";
    proc_raise(signal: i32), Process, [], "Does to the program what a signal does by default: ends it with 128 + the signal, or nothing.";
    sched_yield(), Process, [], "Lets other threads of the host run.";
}

fn proc_exit(_: &mut HostState, _: GuestMemory<'_>, code: u32) -> Answer {
    Err(HostError::Exit(code as i32).into())
}

/// No signal of the host is involved: a guest has no handlers, so a signal's default is all
/// that can happen.
fn proc_raise(_: &mut HostState, _: GuestMemory<'_>, signal: u32) -> Answer {
    match signal {
        // None, child, continue, urgent data, window size: ignored by default.
        0 | 16 | 17 | 22 | 27 => Ok(()),
        // Stop and its kin: there is nothing that could continue the program.
        18..=21 => Err(Errno::Notsup.into()),
        1..=30 => Err(HostError::Exit(128 + signal as i32).into()),
        _ => Err(Errno::Inval.into()),
    }
}

fn sched_yield(_: &mut HostState, _: GuestMemory<'_>) -> Answer {
    // As much as a program without threads can notice of it, without a system call.
    std::hint::spin_loop();
    Ok(())
}
