//! Which descriptors a confined process starts with: those that were meant for it.

use std::io;

use crate::error::check;

/// Closes every descriptor from this number on. Async-signal-safe.
pub fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: nobody uses the descriptors any more: the process is about to run another program.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) }).map(drop)
}
