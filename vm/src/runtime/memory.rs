//! Linear memories: reserved ranges with a guard, or small mappings that move when they grow.

use std::cell::{Cell, UnsafeCell};
use std::io;
use std::ptr::null_mut;

use super::config::{GUARD, MemoryKind};
use super::context::{MemoryDef, MemorySlot};
use super::space;
use crate::types::{AddressType, MemoryType, PAGE};

/// Address space of a 32-bit memory of the kind that never moves: all that 32 bits can address, and a guard.
pub const RESERVATION: usize = (4 << 30) + GUARD as usize;

/// Bytes that a 64-bit memory of the kind that never moves may have at most, whatever its store allows: a process
/// has a hundred times as many addresses.
const MOST: u64 = 1 << 40;

/// Bytes to set aside before the guard for a memory in a store that allows this many.
fn range(ty: &MemoryType, allowed: u64) -> usize {
    match ty.address {
        AddressType::I32 => RESERVATION - GUARD as usize,
        AddressType::I64 => {
            let most = ty.max_pages().saturating_mul(PAGE as u64).min(allowed).min(MOST);
            (most as usize).next_multiple_of(PAGE)
        }
    }
}

/// A linear memory. Its `MemoryDef` never moves.
#[derive(Debug)]
pub struct LinearMemory {
    def: Box<UnsafeCell<MemoryDef>>,
    kind: MemoryKind,
    /// Bytes mapped (dynamic) or reserved with the guard (reserved).
    mapped: Cell<usize>,
    /// Bytes before the guard (reserved).
    bound: usize,
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
    /// A zeroed memory of its type's smallest size, in a store whose memories may have `allowed` bytes together.
    pub fn new(ty: MemoryType, kind: MemoryKind, allowed: u64) -> io::Result<Self> {
        let len = ty.min_bytes() as usize;
        let (base, mapped, bound) = match kind {
            MemoryKind::Reserved => {
                let bound = range(&ty, allowed);
                if len > bound {
                    return Err(io::Error::other(format!("no memory has more than {} pages", bound / PAGE)));
                }
                let mapped = bound + GUARD as usize;
                (space::reserve(mapped)?, mapped, bound)
            }
            MemoryKind::Dynamic => (map(len, libc::PROT_READ | libc::PROT_WRITE)?, len, 0),
        };
        let def = Box::new(UnsafeCell::new(MemoryDef { base, len: 0 }));
        let memory = Self { def, kind, mapped: Cell::new(mapped), bound, ty };
        if kind == MemoryKind::Reserved {
            memory.open(len)?;
        }
        memory.set(base, len);
        Ok(memory)
    }

    /// A 32-bit memory of the kind that never moves, of its type's smallest size, in a range that is there: [`RESERVATION`] bytes, of which those
    /// that are not empty are what the memory holds.
    ///
    /// # Errors
    /// If the kernel refuses to make it accessible.
    pub fn at(ty: MemoryType, base: *mut u8) -> io::Result<Self> {
        debug_assert!(!ty.address.is_64());
        let def = Box::new(UnsafeCell::new(MemoryDef { base, len: 0 }));
        let bound = RESERVATION - GUARD as usize;
        let memory = Self { def, kind: MemoryKind::Reserved, mapped: Cell::new(RESERVATION), bound, ty };
        let len = ty.min_bytes() as usize;
        memory.open(len)?;
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

    /// What an instance sees of it.
    pub fn slot(&self) -> MemorySlot {
        let base = match self.kind {
            MemoryKind::Reserved => self.base(),
            MemoryKind::Dynamic => null_mut(),
        };
        MemorySlot { def: self.def(), base, bound: self.bound }
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
            MemoryKind::Reserved if len > self.bound => return Err(io::ErrorKind::OutOfMemory.into()),
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
                let ty = MemoryType { address: AddressType::I32, limits: Limits { min, max: None } };
                let memory = LinearMemory::new(ty, kind, 0).unwrap();
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

    #[test]
    fn of_a_64_bit_memory_no_more_is_set_aside_than_it_may_come_to() {
        let bound = |max, allowed| {
            let ty = MemoryType { address: AddressType::I64, limits: Limits { min: 1, max } };
            LinearMemory::new(ty, MemoryKind::Reserved, allowed).unwrap().slot().bound
        };
        assert_eq!(bound(Some(3), u64::MAX), 3 * PAGE);
        assert_eq!(bound(None, 5 * PAGE as u64 - 1), 5 * PAGE);
        assert_eq!(bound(Some(u64::MAX), u64::MAX), MOST as usize);
    }

    #[test]
    fn a_memory_that_cannot_be_is_an_error() {
        for kind in [MemoryKind::Reserved, MemoryKind::Dynamic] {
            for (address, min) in
                [(AddressType::I64, 1 << 48), (AddressType::I64, u64::MAX), (AddressType::I64, 1 << 32)]
            {
                let ty = MemoryType { address, limits: Limits { min, max: None } };
                assert!(LinearMemory::new(ty, kind, u64::MAX).is_err(), "{min} pages, {kind:?}");
            }
        }
    }

    #[test]
    fn growth_ends_where_the_guard_begins() {
        let ty = MemoryType { address: AddressType::I64, limits: Limits { min: 0, max: None } };
        let memory = LinearMemory::new(ty, MemoryKind::Reserved, 2 * PAGE as u64).unwrap();
        assert!(memory.grow(3 * PAGE).is_err());
        memory.grow(2 * PAGE).unwrap();
        assert_eq!((memory.len(), memory.slot().bound), (2 * PAGE, 2 * PAGE));
    }
}
