//! Where a worker and its compiler find what earlier ones left, and leave something.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};

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
            let file = File::from(memfd_create(c"pinfold-kept", MemfdFlags::CLOEXEC)?);
            file.set_len(room)?;
            Ok(file)
        };
        let [(first, to_first), (second, to_second)] = [pipe_with(PipeFlags::CLOEXEC)?, pipe_with(PipeFlags::CLOEXEC)?];
        Ok((Self { entry: [first, second], room: [file()?, file()?] }, [to_first.into(), to_second.into()]))
    }
}
