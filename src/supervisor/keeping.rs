//! Where a worker and its compiler find what earlier ones left, and leave something.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

/// Bytes that are on their way to a worker at a time.
const PIPE: usize = 1 << 20;

/// What is kept of a program from run to run.
pub struct Keeping {
    /// What earlier runs left comes from here, and nothing if they left nothing: to the worker, and to the compiler.
    pub(super) entry: [OwnedFd; 2],
    /// Where these leave something.
    pub(super) room: [File; 2],
}

impl Keeping {
    /// With room for so many bytes of either; and where what earlier runs left is to be written.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(room: u64) -> io::Result<(Self, [File; 2])> {
        let file = || -> io::Result<File> {
            let file = File::from(memfd_create(c"pinfold-kept", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
            file.set_len(room)?;
            // Who writes there takes no more memory than that.
            fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
            Ok(file)
        };
        let [(first, to_first), (second, to_second)] = [pipe_with(PipeFlags::CLOEXEC)?, pipe_with(PipeFlags::CLOEXEC)?];
        // Where that is refused, more is waited.
        let _ = fcntl_setpipe_size(&to_first, PIPE);
        Ok((Self { entry: [first, second], room: [file()?, file()?] }, [to_first.into(), to_second.into()]))
    }
}
