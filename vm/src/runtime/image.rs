//! A module's first memory as it stands after its data segments, shared by its instances copy-on-write.
//!
//! Copying segments costs each instance their bytes, and pages that it may never touch. From the second instance of a
//! module on they are mapped from one file in memory instead; a page is copied when it is written.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::memory::LinearMemory;
use super::space::{self, HOST_PAGE};
use crate::module::{ConstExpr, Module};

/// Less data than this is copied faster than it is mapped.
const LEAST: usize = 64 << 10;
/// How many times larger than the data itself the part of the memory may be that the segments span.
const SPARSE: usize = 4;

/// The image of a memory.
#[derive(Debug)]
pub struct Image {
    file: OwnedFd,
    /// Where in the memory it starts.
    start: usize,
    len: usize,
}

impl Image {
    /// The image of a module's memory 0. `None` if it has none that would pay: no memory of its own, little data,
    /// segments at places that are not known before instantiation, or one that does not fit; or if there is no memory for it.
    pub fn of(module: &Module) -> Option<Self> {
        if space::is_prepared() {
            return None;
        }
        let (start, end) = span(module)?;
        Self::make(module, start, end).ok()
    }

    fn make(module: &Module, start: usize, end: usize) -> io::Result<Self> {
        let file = File::from(memfd_create(c"pinfold-data", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        file.set_len((end - start) as u64)?;
        for (at, bytes) in segments(module).flatten() {
            file.write_all_at(bytes, (at - start) as u64)?;
        }
        let file = OwnedFd::from(file);
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(Self { file, start, len: end - start })
    }

    /// Puts the image into a fresh memory of the module's, of the kind that never moves. If it fails the memory is as before.
    pub fn map(&self, memory: &LinearMemory) -> io::Result<()> {
        debug_assert!(self.start + self.len <= memory.len());
        let at = memory.base().wrapping_add(self.start);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
        // SAFETY: inside the memory, which is as large as `span` found, and whose pages are private to it.
        let mapped = unsafe { libc::mmap(at.cast(), self.len, protection, flags, self.file.as_raw_fd(), 0) };
        if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// Where in memory 0 the active segments stand and what is in them, in order; `None` for one whose place is not a constant, or that is not
/// for memory 0.
fn segments(module: &Module) -> impl Iterator<Item = Option<(usize, &[u8])>> {
    module.data.iter().filter_map(|segment| {
        let (memory, offset) = segment.active.as_ref()?;
        Some(match offset {
            ConstExpr::Value(at) if memory.0 == 0 => Some((*at as usize, &module.bytes[segment.bytes.clone()])),
            _ => None,
        })
    })
}

/// The part of memory 0 that the image is of: whole pages.
fn span(module: &Module) -> Option<(usize, usize)> {
    if module.imported.memories != 0 {
        return None;
    }
    let size = module.memories.first()?.min_bytes() as usize;
    let (mut start, mut end, mut total) = (usize::MAX, 0, 0);
    for segment in segments(module) {
        let (at, bytes) = segment?;
        let after = at.checked_add(bytes.len()).filter(|after| *after <= size)?;
        total += bytes.len();
        if !bytes.is_empty() {
            start = start.min(at);
            end = end.max(after);
        }
    }
    let (start, end) = (start / HOST_PAGE * HOST_PAGE, end.next_multiple_of(HOST_PAGE));
    (total >= LEAST && end - start <= total * SPARSE).then_some((start, end))
}
