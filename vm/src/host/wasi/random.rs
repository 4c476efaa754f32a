//! Random bytes.

use super::{Answer, Errno, Failure, rows};
use crate::host::{GuestMemory, HostError, HostState};

rows! {
    random_get(buf: at, buf_len: i32), Random, ["getrandom"], "Fills a buffer with random bytes.";
}

/// Bytes made at a time, so that a stop is noticed in between.
const CHUNK: usize = 64 << 10;

fn random_get(host: &mut HostState, mut memory: GuestMemory<'_>, buf: u32, buf_len: u32) -> Answer {
    for chunk in memory.slice_mut(buf, buf_len)?.chunks_mut(CHUNK) {
        loop {
            if host.interrupted() {
                return Err(HostError::Interrupted.into());
            }
            match host.random.fill(chunk) {
                Ok(()) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::ACCESS) => return Err(Failure::Errno(Errno::Notcapable)),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    Ok(())
}
