//! Code memory: one range a process, set aside before anything is compiled, seen twice.
//!
//! Through one mapping code is written, through the other it is executed; no page is ever both
//! at one address. Batches take whole pages, and give them back when they are dropped.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock};

use super::batch::Batch;

/// Bytes set aside; only what is used takes memory.
const SIZE: usize = 1 << 30;
/// What batches are rounded to.
pub const PAGE: usize = 4096;

/// The process's code memory.
pub struct Arena {
    write: *mut u8,
    execute: *mut u8,
    file: i32,
    /// Free ranges, start to length.
    free: Mutex<BTreeMap<usize, usize>>,
    /// The batch in each page, for whoever has a program counter; read in signal handlers.
    pages: &'static [AtomicPtr<Batch>],
}

// SAFETY: ranges of the mappings are handed out to one owner each, under the lock.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

/// A table of no batches, of which only what is used takes memory. As long as the process.
fn pages() -> io::Result<&'static [AtomicPtr<Batch>]> {
    let count = SIZE / PAGE;
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh anonymous mapping: zeros, which are null pointers, for ever.
    unsafe {
        let base = libc::mmap(std::ptr::null_mut(), count * size_of::<usize>(), protection, flags, -1, 0);
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(std::slice::from_raw_parts(base.cast(), count))
    }
}

/// A part of the arena.
#[derive(Debug)]
pub struct Range {
    start: usize,
    len: usize,
}

impl Range {
    /// Its bytes: whole pages.
    pub fn bytes(&self) -> usize {
        self.len
    }
}

impl Arena {
    /// The process's arena, set aside now if that was not done yet.
    pub fn get() -> io::Result<&'static Self> {
        static ARENA: OnceLock<Arena> = OnceLock::new();
        static MAKING: Mutex<()> = Mutex::new(());
        if let Some(arena) = ARENA.get() {
            return Ok(arena);
        }
        let _one = MAKING.lock().unwrap_or_else(|e| e.into_inner());
        if ARENA.get().is_none() {
            let arena = Self::new()?;
            super::registry::set(ARENA.get_or_init(|| arena));
        }
        ARENA.get().ok_or_else(|| io::ErrorKind::Other.into())
    }

    fn new() -> io::Result<Self> {
        let check = |result: i32| if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) };
        // SAFETY: a valid name; the descriptor is ours.
        let file = check(unsafe { libc::memfd_create(c"pinfold-code".as_ptr(), libc::MFD_CLOEXEC) })?;
        // SAFETY: our descriptor.
        check(unsafe { libc::ftruncate(file, SIZE as libc::off_t) })?;
        let map = |protection| {
            // SAFETY: a fresh mapping of our file.
            let base = unsafe {
                let flags = libc::MAP_SHARED | libc::MAP_NORESERVE;
                libc::mmap(std::ptr::null_mut(), SIZE, protection, flags, file, 0)
            };
            if base == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(base.cast::<u8>()) }
        };
        let write = map(libc::PROT_READ | libc::PROT_WRITE)?;
        let execute = map(libc::PROT_READ | libc::PROT_EXEC)?;
        let pages = pages()?;
        Ok(Self { write, execute, file, free: Mutex::new(BTreeMap::from([(0, SIZE)])), pages })
    }

    /// Takes a range of at least this many bytes; `None` if the arena is full.
    pub fn take(&self, len: usize) -> Option<Range> {
        let len = len.max(1).next_multiple_of(PAGE);
        let mut free = self.free.lock().unwrap_or_else(|e| e.into_inner());
        let (&start, &room) = free.iter().find(|(_, room)| **room >= len)?;
        free.remove(&start);
        if room > len {
            free.insert(start + len, room - len);
        }
        Some(Range { start, len })
    }

    /// Writes bytes into a range.
    pub fn write(&self, range: &Range, bytes: &[u8]) {
        assert!(bytes.len() <= range.len, "code is larger than its range");
        // SAFETY: inside the range, which has one owner, and which nobody executes yet.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.write.add(range.start), bytes.len()) };
    }

    /// Where a range is executed.
    pub fn address(&self, range: &Range) -> *const u8 {
        self.execute.wrapping_add(range.start)
    }

    /// Makes a batch known as the owner of its range's pages.
    pub fn publish(&self, range: &Range, batch: *mut Batch) {
        for page in &self.pages[range.start / PAGE..(range.start + range.len) / PAGE] {
            page.store(batch, Ordering::Release);
        }
    }

    /// The batch whose pages a program counter is in. Async-signal-safe.
    pub fn find(&self, pc: usize) -> Option<*const Batch> {
        let offset = pc.checked_sub(self.execute as usize)?;
        let batch = self.pages.get(offset / PAGE)?.load(Ordering::Acquire);
        (!batch.is_null()).then_some(batch.cast_const())
    }

    /// Gives a range back.
    pub fn give(&self, range: &Range) {
        self.publish(range, std::ptr::null_mut());
        // SAFETY: our file; the range is nobody's any more, so its memory can go.
        unsafe {
            let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
            libc::fallocate(self.file, mode, range.start as libc::off_t, range.len as libc::off_t);
        }
        let mut free = self.free.lock().unwrap_or_else(|e| e.into_inner());
        let (mut start, mut len) = (range.start, range.len);
        if let Some((&before, &room)) = free.range(..start).next_back().filter(|(s, l)| **s + **l == start) {
            free.remove(&before);
            start = before;
            len += room;
        }
        if let Some(room) = free.remove(&(start + len)) {
            len += room;
        }
        free.insert(start, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_come_back_are_joined() {
        let arena = Arena::new().unwrap();
        let ranges: Vec<Range> = (0..3).map(|_| arena.take(PAGE).unwrap()).collect();
        for i in [0, 2, 1] {
            arena.give(&ranges[i]);
        }
        assert_eq!(*arena.free.lock().unwrap(), BTreeMap::from([(0, SIZE)]));
    }
}
