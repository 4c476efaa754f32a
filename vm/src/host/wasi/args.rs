//! Arguments.

use super::{Answer, rows, write_sizes, write_strings};
use crate::host::{GuestMemory, HostState};

rows! {
    args_get(argv: at, argv_buf: at), Process, [], "Writes the program's arguments.";
    args_sizes_get(argc: at, argv_buf_size: at), Process, [], "Tells how many arguments there are and the bytes they need.";
}

fn args_get(host: &mut HostState, memory: GuestMemory<'_>, argv: u32, argv_buf: u32) -> Answer {
    write_strings(memory, &host.args, argv, argv_buf)
}

fn args_sizes_get(host: &mut HostState, memory: GuestMemory<'_>, argc: u32, argv_buf_size: u32) -> Answer {
    write_sizes(memory, &host.args, argc, argv_buf_size)
}
