//! Linear memories: reserved ranges with a guard, or small mappings that move when they grow.

use std::cell::{Cell, UnsafeCell};
use std::io;
use std::ptr::null_mut;

use super::config::{GUARD, MemoryKind};
use super::context::MemoryDef;
use super::space;
use crate::types::{MemoryType, PAGE};

/// Address space of a memory of the kind that never moves: all that 32 bits can address, and a guard.
pub const RESERVATION: usize = (4 << 30) + GUARD as usize;

/// A linear memory. Its `MemoryDef` never moves.
#[derive(Debug)]
pub struct LinearMemory {
    def: Box<UnsafeCell<MemoryDef>>,
    kind: MemoryKind,
    /// Bytes mapped (dynamic) or reserved with the guard (reserved).
    mapped: Cell<usize>,
    ty: MemoryType,
}

impl std::fmt::Debug for MemoryDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}

fn map(len: usize, protection: i32) -> io::Result<*mut u8> {
    if len == 0 {
        return Ok(std::ptr::NonNull::<u128>::dangling().as_ptr().cast());
    }
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh anonymous mapping.
    let base = unsafe { libc::mmap(null_mut(), len, protection, flags, -1, 0) };
    if base == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(base.cast()) }
}

impl LinearMemory {
    /// A zeroed memory of its type's smallest size.
    pub fn new(ty: MemoryType, kind: MemoryKind) -> io::Result<Self> {
        let len = ty.limits.min as usize * PAGE;
        let (base, mapped) = match kind {
            MemoryKind::Reserved => (space::reserve(RESERVATION)?, RESERVATION),
            MemoryKind::Dynamic => (map(len, libc::PROT_READ | libc::PROT_WRITE)?, len),
        };
        let memory =
            Self { def: Box::new(UnsafeCell::new(MemoryDef { base, len: 0 })), kind, mapped: Cell::new(mapped), ty };
        if kind == MemoryKind::Reserved {
            memory.open(len)?;
        }
        memory.set(base, len);
        Ok(memory)
    }

    /// The part that code sees.
    pub fn def(&self) -> *mut MemoryDef {
        self.def.get()
    }

    /// Its type, with the size it started from.
    pub fn ty(&self) -> MemoryType {
        self.ty
    }

    /// Bytes now.
    pub fn len(&self) -> usize {
        // SAFETY: memories belong to one thread; nobody holds a reference into the cell.
        unsafe { (*self.def.get()).len }
    }

    /// Whether it has no bytes now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// First byte.
    pub fn base(&self) -> *mut u8 {
        // SAFETY: as in `len`.
        unsafe { (*self.def.get()).base }
    }

    /// Pages it may have at most.
    pub fn max_pages(&self) -> u64 {
        self.ty.limits.max.unwrap_or(1 << 16).min(1 << 16)
    }

    fn set(&self, base: *mut u8, len: usize) {
        // SAFETY: as in `len`.
        unsafe { *self.def.get() = MemoryDef { base, len } };
    }

    /// Makes the first `len` bytes of a reserved memory accessible.
    fn open(&self, len: usize) -> io::Result<()> {
        let from = self.len();
        if len == from {
            return Ok(());
        }
        let start = self.base().wrapping_add(from);
        // SAFETY: inside the reservation.
        if unsafe { libc::mprotect(start.cast(), len - from, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Grows to this many bytes, which the caller has checked against all limits.
    pub fn grow(&self, len: usize) -> io::Result<()> {
        let base = match self.kind {
            MemoryKind::Reserved => {
                self.open(len)?;
                self.base()
            }
            MemoryKind::Dynamic if len > self.mapped.get() => {
                let mapped = if self.mapped.get() == 0 {
                    map(len, libc::PROT_READ | libc::PROT_WRITE)?
                } else {
                    // SAFETY: our own mapping; the kernel moves its pages without a copy.
                    let moved =
                        unsafe { libc::mremap(self.base().cast(), self.mapped.get(), len, libc::MREMAP_MAYMOVE) };
                    if moved == libc::MAP_FAILED {
                        return Err(io::Error::last_os_error());
                    }
                    moved.cast()
                };
                self.mapped.set(len);
                mapped
            }
            MemoryKind::Dynamic => self.base(),
        };
        self.set(base, len);
        Ok(())
    }
}

impl Drop for LinearMemory {
    fn drop(&mut self) {
        if self.mapped.get() != 0 {
            // SAFETY: the whole mapping; instances that used it are gone.
            unsafe {
                match self.kind {
                    MemoryKind::Reserved => space::release(self.base(), self.mapped.get()),
                    MemoryKind::Dynamic => drop(libc::munmap(self.base().cast(), self.mapped.get())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Limits;

    #[test]
    fn growth_keeps_contents_and_zeroes_the_rest() {
        for kind in [MemoryKind::Reserved, MemoryKind::Dynamic] {
            for min in [0, 1] {
                let memory = LinearMemory::new(MemoryType { limits: Limits { min, max: None } }, kind).unwrap();
                memory.grow(2 * PAGE).unwrap();
                // SAFETY: inside the memory.
                unsafe { memory.base().add(PAGE).write(9) };
                memory.grow(300 * PAGE).unwrap();
                // SAFETY: inside the memory.
                unsafe {
                    assert_eq!(memory.base().add(PAGE).read(), 9);
                    assert_eq!(memory.base().add(300 * PAGE - 1).read(), 0);
                }
                assert_eq!(memory.len(), 300 * PAGE);
            }
        }
    }
}
