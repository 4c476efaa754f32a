//! The bytes of a module: a copy that nobody can write any more.
//!
//! Code is verified once and read many times after that, so what it is read from must not change in between: bytes in
//! memory are copied, and a file is copied into sealed memory, which not even its owner can write.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::{Deref, Range};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};
use rustix::io::Errno;

use crate::runtime::space::HOST_PAGE;

/// What makes a file one that nobody can change.
const SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::GROW).union(SealFlags::SHRINK).union(SealFlags::SEAL);

/// How often it is tried to seal a file.
const SEALING: u32 = 1000;

/// Bytes that are many to be mapped at once.
const LARGE: usize = 1 << 20;

/// What makes a file one whose size stays.
pub(super) const SIZE: SealFlags = SealFlags::GROW.union(SealFlags::SHRINK);

/// Memory to be sealed.
pub(super) fn memory() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know the second flag, by which the file can never become a program.
    let file = memfd_create(c"pinfold-module", flags | MemfdFlags::NOEXEC_SEAL)
        .or_else(|_| memfd_create(c"pinfold-module", flags))?;
    Ok(File::from(file))
}

/// Seals a file for good.
pub(super) fn seal(file: impl AsFd) -> io::Result<()> {
    for _ in 0..SEALING {
        match fcntl_add_seals(&file, SEALS) {
            // Somewhere in the kernel a page is held for a moment.
            Err(Errno::BUSY) => std::thread::sleep(Duration::from_millis(1)),
            other => return Ok(other?),
        }
    }
    Err(Errno::BUSY.into())
}

/// A module's bytes. Cheap to clone.
///
/// ```
/// use pinfold_vm::api::{Engine, Module};
/// use pinfold_vm::module::Bytes;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // One copy, for as many modules and engines as there are.
/// let bytes = Bytes::from(wat::parse_str("(module)")?);
/// assert!(Module::new(&Engine::default(), bytes.clone()).is_ok() && Module::new(&Engine::default(), bytes).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Bytes(Source);

#[derive(Clone, Debug)]
enum Source {
    Heap(Arc<[u8]>),
    Sealed(Arc<Mapping>),
}

/// A sealed file in memory.
#[derive(Debug)]
struct Mapping {
    base: *const u8,
    len: usize,
    /// What is mapped.
    file: OwnedFd,
}

// SAFETY: nobody can write what is mapped.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Bytes {
    /// Copies what is read, a file from where it stands, into sealed memory: all of it, or one byte more than `limit`.
    ///
    /// # Errors
    /// Those of reading, and of making the memory.
    pub fn sealed(source: impl Read, limit: u64) -> io::Result<Self> {
        let mut file = memory()?;
        // In the kernel where it can be, in pieces where it cannot.
        let len = io::copy(&mut source.take(limit.saturating_add(1)), &mut file)?;
        file.flush()?;
        let file = OwnedFd::from(file);
        seal(&file)?;
        Self::map(file, len, true)
    }

    /// Bytes in a file that was sealed by someone else.
    ///
    /// # Errors
    /// If it can still be changed.
    #[doc(hidden)]
    pub fn of_sealed(file: OwnedFd) -> io::Result<Self> {
        if !fcntl_get_seals(&file)?.contains(SEALS) {
            return Err(io::Error::other("the file can still be changed"));
        }
        let len = rustix::fs::fstat(&file)?.st_size;
        Self::map(file, u64::try_from(len).unwrap_or(0), true)
    }

    /// Bytes in a file that someone else may still be [filling](super::Filling). Nobody may read them before that one has said that it is sealed.
    ///
    /// # Errors
    /// If its size can still be changed.
    #[doc(hidden)]
    pub fn of_filling(file: OwnedFd) -> io::Result<Self> {
        let seals = fcntl_get_seals(&file)?;
        if !seals.contains(SIZE) {
            return Err(io::Error::other("the file's size can still be changed"));
        }
        let len = rustix::fs::fstat(&file)?.st_size;
        Self::map(file, u64::try_from(len).unwrap_or(0), seals.contains(SEALS))
    }

    /// The same with what a file has from `start` to its end in the place of what is there, for good: mapped, not copied, so that it
    /// changes with the file. It is nothing that is verified, but what a guest has in its memory.
    ///
    /// # Errors
    /// If the file has another size, or cannot be mapped there; nobody may use the bytes then.
    ///
    /// # Safety
    /// Nobody else has these bytes.
    #[doc(hidden)]
    pub unsafe fn over(self, file: &File, start: u64) -> io::Result<Self> {
        let Source::Sealed(mapping) = &self.0 else { return Err(io::ErrorKind::InvalidInput.into()) };
        let other = || io::Error::new(io::ErrorKind::InvalidData, "the file is not what it was");
        let at = usize::try_from(start).ok().filter(|at| at.is_multiple_of(HOST_PAGE) && *at < mapping.len);
        let at = at.filter(|_| file.metadata().is_ok_and(|stat| stat.len() == mapping.len as u64)).ok_or_else(other)?;
        let offset = libc::off_t::try_from(start).map_err(|_| other())?;
        let flags = libc::MAP_PRIVATE | libc::MAP_FIXED;
        // SAFETY: whole pages of our own mapping, of which nobody has anything else.
        let mapped = unsafe {
            let to = mapping.base.add(at).cast_mut().cast();
            libc::mmap(to, mapping.len - at, libc::PROT_READ, flags, file.as_raw_fd(), offset)
        };
        if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(self) }
    }

    pub(super) fn map(file: OwnedFd, len: u64, populate: bool) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if len == 0 {
            let base = std::ptr::dangling();
            return Ok(Self(Source::Sealed(Arc::new(Mapping { base, len, file }))));
        }
        // Of much, the kernel maps what is read, and around that, in less time than all of it.
        let flags = libc::MAP_PRIVATE | if populate && len < LARGE { libc::MAP_POPULATE } else { 0 };
        // SAFETY: a fresh mapping of a file that has this length for good.
        let base = unsafe { libc::mmap(null_mut(), len, libc::PROT_READ, flags, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(Source::Sealed(Arc::new(Mapping { base: base.cast(), len, file }))))
    }

    /// Some of them.
    ///
    /// # Panics
    /// If there are not so many.
    #[doc(hidden)]
    pub fn piece(&self, range: Range<usize>) -> Piece {
        let len = match &self.0 {
            Source::Heap(bytes) => bytes.len(),
            Source::Sealed(mapping) => mapping.len,
        };
        assert!(range.start <= range.end && range.end <= len, "{range:?} of {len} bytes");
        Piece { of: self.clone(), range }
    }

    /// The sealed file, if the bytes are in one: another process may read them there.
    #[doc(hidden)]
    pub fn sealed_file(&self) -> Option<&OwnedFd> {
        match &self.0 {
            Source::Sealed(mapping) => Some(&mapping.file),
            Source::Heap(_) => None,
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Source::Heap(bytes) => bytes,
            // SAFETY: mapped as long as the mapping lives, and written by nobody.
            Source::Sealed(mapping) => unsafe { std::slice::from_raw_parts(mapping.base, mapping.len) },
        }
    }
}

/// Some of a module's bytes, of which the others may not be there yet.
#[derive(Clone, Debug)]
pub struct Piece {
    of: Bytes,
    range: Range<usize>,
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.of.0 {
            Source::Heap(bytes) => &bytes[self.range.clone()],
            // SAFETY: mapped as long as the mapping lives; of these bytes none is written any more.
            Source::Sealed(mapping) => unsafe {
                std::slice::from_raw_parts(mapping.base.add(self.range.start), self.range.len())
            },
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: our own mapping, which nobody borrows any more.
            unsafe { libc::munmap(self.base.cast_mut().cast(), self.len) };
        }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Self(Source::Heap(Arc::default()))
    }
}

impl From<Arc<[u8]>> for Bytes {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(Source::Heap(bytes))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Source::Heap(bytes.into()))
    }
}

impl From<&Vec<u8>> for Bytes {
    fn from(bytes: &Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(Source::Heap(bytes.into()))
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Self {
        Self(Source::Heap(bytes[..].into()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom};

    use super::*;

    fn file(contents: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(contents).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file
    }

    #[test]
    fn a_sealed_copy_is_not_changed_by_anyone() {
        let mut source = file(b"some bytes");
        let bytes = Bytes::sealed(&mut source, 100).unwrap();
        source.seek(SeekFrom::Start(0)).unwrap();
        source.write_all(b"other").unwrap();
        assert_eq!(*bytes, *b"some bytes");
        let sealed = File::from(bytes.sealed_file().unwrap().try_clone().unwrap());
        assert!((&sealed).write_all(b"x").is_err());
        assert!(sealed.set_len(3).is_err() && sealed.set_len(300).is_err());
        // SAFETY: refused, or a mapping that nobody uses.
        let writable = unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            libc::mmap(null_mut(), 10, protection, libc::MAP_SHARED, sealed.as_raw_fd(), 0)
        };
        assert_eq!(writable, libc::MAP_FAILED);
    }

    #[test]
    fn no_more_is_copied_than_tells_that_it_is_too_much() {
        assert_eq!(Bytes::sealed(&mut file(b"123456"), 4).unwrap().len(), 5);
        assert_eq!(Bytes::sealed(&mut file(b"1234"), 4).unwrap().len(), 4);
        assert!(Bytes::sealed(&mut file(b""), 4).unwrap().is_empty());
    }
}
