//! Environment variables.

use super::{Answer, rows, write_sizes, write_strings};
use crate::host::{GuestMemory, HostState};

rows! {
    environ_get(environ: at, environ_buf: at), Environment, [], "Writes the environment variables.";
    environ_sizes_get(count: at, environ_buf_size: at), Environment, [], "Tells how many environment variables there are and the bytes they need.";
}

fn environ_get(host: &mut HostState, memory: GuestMemory<'_>, environ: u32, environ_buf: u32) -> Answer {
    write_strings(memory, &host.environ, environ, environ_buf)
}

fn environ_sizes_get(host: &mut HostState, memory: GuestMemory<'_>, count: u32, environ_buf_size: u32) -> Answer {
    write_sizes(memory, &host.environ, count, environ_buf_size)
}
