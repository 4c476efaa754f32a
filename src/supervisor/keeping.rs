//! Where a worker and its compiler find what earlier ones left, and leave something.

use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::cache::Entry;

/// Bytes that are on their way to a worker at a time.
const PIPE: usize = 1 << 20;

/// What is kept of a program from run to run.
pub struct Keeping {
    /// What earlier runs left comes from here, and nothing if they left nothing: to the worker, and to the compiler.
    pub(super) entry: [OwnedFd; 2],
    /// Where these leave something.
    pub(super) room: [File; 2],
}

/// Memory that is handed on.
fn memory() -> io::Result<File> {
    Ok(memfd_create(c"pinfold-kept", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into())
}

/// Where something is written: whoever does takes no more memory than that.
fn with_room(bytes: u64) -> io::Result<File> {
    let file = memory()?;
    file.set_len(bytes)?;
    fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

impl Keeping {
    /// With room for so many bytes of either; and where what earlier runs left is to be written.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(room: u64) -> io::Result<(Self, [File; 2])> {
        let [(first, to_first), (second, to_second)] = [pipe_with(PipeFlags::CLOEXEC)?, pipe_with(PipeFlags::CLOEXEC)?];
        // Where that is refused, more is waited.
        let _ = fcntl_setpipe_size(&to_first, PIPE);
        let room = [with_room(room)?, with_room(room)?];
        Ok((Self { entry: [first, second], room }, [to_first.into(), to_second.into()]))
    }

    /// The same, where it is known what earlier runs left, if they left something: nobody need write it then while somebody reads.
    ///
    /// # Errors
    /// If there is no memory for it, or it cannot be read.
    pub fn of(room: u64, entry: Option<&Entry>) -> io::Result<Self> {
        let part = |part| -> io::Result<OwnedFd> {
            let mut file = memory()?;
            if let Some(entry) = entry {
                entry.write(part, &file)?;
            }
            file.rewind()?;
            fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
            Ok(file.into())
        };
        Ok(Self { entry: [part(0)?, part(1)?], room: [with_room(room)?, with_room(room)?] })
    }
}
