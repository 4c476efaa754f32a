//! Code memory: one range a process, set aside before anything is compiled, seen twice.
//!
//! Through one mapping code is written, through the other it is executed; no page is ever both
//! at one address. Batches stand close to one another, so that the processor needs few of the translations of addresses that it keeps
//! for code: hundreds of functions on a page each run a tenth slower. They give their place back when they are dropped.
//!
//! Where the compiler is a process of its own each of the two has one of the mappings, of the same file: the compiler takes and
//! writes ranges and never gives one back, and whoever runs the code claims what it is told of.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock};

use super::batch::Batch;

/// Bytes set aside; only what is used takes memory.
const SIZE: usize = 1 << 30;
/// What batches are rounded to: some of the lines that a processor has of code, since what is executed is not to be in one with what is written.
pub const GRAIN: usize = 256;
/// What memory is given back in.
const PAGE: usize = 4096;

/// The process's code memory.
pub struct Arena {
    /// Where it is written, and the file that it is; none where another process writes it.
    write: Option<(*mut u8, OwnedFd)>,
    /// Where it is executed, or would be.
    execute: *mut u8,
    /// Whether ranges that come back are free again.
    reuses: bool,
    /// Free ranges, start to length.
    free: Mutex<BTreeMap<usize, usize>>,
    /// The batch in each grain, for whoever has a program counter; read in signal handlers.
    owners: &'static [AtomicPtr<Batch>],
}

// SAFETY: ranges of the mappings are handed out to one owner each, under the lock.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

/// A table of no batches, of which only what is used takes memory. As long as the process.
fn owners() -> io::Result<&'static [AtomicPtr<Batch>]> {
    let count = SIZE / GRAIN;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
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
    /// Its first byte in the arena.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Its bytes: whole grains.
    pub fn bytes(&self) -> usize {
        self.len
    }
}

/// Memory for code, as a file that several processes can map.
///
/// # Errors
/// If the kernel refuses it.
pub fn file() -> io::Result<OwnedFd> {
    // SAFETY: a valid name; the descriptor is ours.
    let file = unsafe {
        let file = libc::memfd_create(c"pinfold-code".as_ptr(), libc::MFD_CLOEXEC);
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(file)
    };
    // SAFETY: our descriptor.
    match unsafe { libc::ftruncate(file.as_raw_fd(), SIZE as libc::off_t) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

/// All of the file, which is never unmapped.
fn map(file: &OwnedFd, protection: i32) -> io::Result<*mut u8> {
    let flags = libc::MAP_SHARED | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping.
    let base = unsafe { libc::mmap(std::ptr::null_mut(), SIZE, protection, flags, file.as_raw_fd(), 0) };
    if base == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(base.cast()) }
}

static ARENA: OnceLock<Arena> = OnceLock::new();

impl Arena {
    /// The process's arena, set aside now if that was not done yet.
    pub fn get() -> io::Result<&'static Self> {
        if let Some(arena) = ARENA.get() {
            return Ok(arena);
        }
        match Self::set(Self::new) {
            // Someone else was first.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => ARENA.get().ok_or_else(|| io::ErrorKind::Other.into()),
        }
    }

    /// Makes the process's arena.
    fn set(make: impl FnOnce() -> io::Result<Self>) -> io::Result<()> {
        static MAKING: Mutex<()> = Mutex::new(());
        let _one = MAKING.lock().unwrap_or_else(|e| e.into_inner());
        if ARENA.get().is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let arena = make()?;
        super::registry::set(ARENA.get_or_init(|| arena));
        Ok(())
    }

    /// Has this process execute what another writes to a [`file`], of which it needs no more than to read it. Before anything is compiled.
    ///
    /// # Errors
    /// If the kernel refuses it, or there is an arena already.
    pub fn executed(file: &OwnedFd) -> io::Result<()> {
        Self::set(|| Self::of(None, map(file, libc::PROT_READ | libc::PROT_EXEC)?, false))
    }

    /// Has this process write to a [`file`] what another executes. Before anything is compiled.
    ///
    /// # Errors
    /// As for [`Self::executed`].
    pub fn written(file: OwnedFd) -> io::Result<()> {
        Self::set(|| {
            let write = map(&file, libc::PROT_READ | libc::PROT_WRITE)?;
            Self::of(Some((write, file)), write, false)
        })
    }

    fn new() -> io::Result<Self> {
        let file = file()?;
        let write = map(&file, libc::PROT_READ | libc::PROT_WRITE)?;
        let execute = map(&file, libc::PROT_READ | libc::PROT_EXEC)?;
        Self::of(Some((write, file)), execute, true)
    }

    fn of(write: Option<(*mut u8, OwnedFd)>, execute: *mut u8, reuses: bool) -> io::Result<Self> {
        Ok(Self { write, execute, reuses, free: Mutex::new(BTreeMap::from([(0, SIZE)])), owners: owners()? })
    }

    /// Takes a range of at least this many bytes, to be written; `None` if the arena is full, or another process writes it.
    pub fn take(&self, len: usize) -> Option<Range> {
        self.write.as_ref()?;
        let len = len.max(1).next_multiple_of(GRAIN);
        let mut free = self.free.lock().unwrap_or_else(|e| e.into_inner());
        let (&start, &room) = free.iter().find(|(_, room)| **room >= len)?;
        free.remove(&start);
        if room > len {
            free.insert(start + len, room - len);
        }
        Some(Range { start, len })
    }

    /// Takes the range from a place on where another process says that it has written so many bytes; `None` if it cannot have.
    pub fn claim(&self, start: usize, len: usize) -> Option<Range> {
        if self.write.is_some() || !start.is_multiple_of(GRAIN) || len > SIZE {
            return None;
        }
        let end = start.checked_add(len.max(1).next_multiple_of(GRAIN))?;
        let mut free = self.free.lock().unwrap_or_else(|e| e.into_inner());
        let (&from, &room) = free.range(..=start).next_back().filter(|(from, room)| *from + **room >= end)?;
        free.remove(&from);
        free.extend([(from, start - from), (end, from + room - end)].into_iter().filter(|(_, len)| *len > 0));
        Some(Range { start, len: end - start })
    }

    /// Writes bytes into a range that was taken.
    pub fn write(&self, range: &Range, bytes: &[u8]) {
        assert!(bytes.len() <= range.len, "code is larger than its range");
        let Some((base, _)) = &self.write else { unreachable!("what cannot be written is not taken") };
        // SAFETY: inside the range, which has one owner, and which nobody executes yet.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), base.add(range.start), bytes.len()) };
    }

    /// Where a range is executed.
    pub fn address(&self, range: &Range) -> *const u8 {
        self.execute.wrapping_add(range.start)
    }

    /// Makes a batch known as the owner of its range.
    pub fn publish(&self, range: &Range, batch: *mut Batch) {
        for owner in &self.owners[range.start / GRAIN..(range.start + range.len) / GRAIN] {
            owner.store(batch, Ordering::Release);
        }
    }

    /// The batch whose range a program counter is in. Async-signal-safe.
    pub fn find(&self, pc: usize) -> Option<*const Batch> {
        let offset = pc.checked_sub(self.execute as usize)?;
        let batch = self.owners.get(offset / GRAIN)?.load(Ordering::Acquire);
        (!batch.is_null()).then_some(batch.cast_const())
    }

    /// Gives a range back.
    pub fn give(&self, range: &Range) {
        self.publish(range, std::ptr::null_mut());
        let Some((_, file)) = self.write.as_ref().filter(|_| self.reuses) else { return };
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
        // Pages that have something of the range, and nothing of another.
        let first = start.next_multiple_of(PAGE).max(range.start / PAGE * PAGE);
        let last = ((start + len) / PAGE * PAGE).min((range.start + range.len).next_multiple_of(PAGE));
        if first < last {
            // SAFETY: our file; the pages are nobody's any more, and nobody takes them before the lock is let go, so their memory can go.
            unsafe {
                let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
                libc::fallocate(file.as_raw_fd(), mode, first as libc::off_t, (last - first) as libc::off_t);
            }
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

    #[test]
    fn a_range_that_comes_back_takes_nothing_of_its_neighbours() {
        let arena = Arena::new().unwrap();
        let ranges: Vec<Range> = [GRAIN, PAGE, 1, 3 * PAGE].map(|len| arena.take(len).unwrap()).into();
        let contents = |range: &Range| {
            // SAFETY: as long as the process, and nobody writes now.
            unsafe { std::slice::from_raw_parts(arena.address(range), range.bytes()) }.to_vec()
        };
        for (at, range) in ranges.iter().enumerate() {
            arena.write(range, &vec![at as u8 + 1; range.bytes()]);
        }
        for (at, given) in [1, 3, 0].into_iter().enumerate() {
            arena.give(&ranges[given]);
            for left in (0..4).filter(|left| ![1, 3, 0][..=at].contains(left)) {
                assert!(contents(&ranges[left]).iter().all(|byte| *byte == left as u8 + 1), "{left} after {given}");
            }
        }
        // Pages that have nothing of the one that is left are gone.
        assert!(contents(&ranges[3])[PAGE..2 * PAGE].iter().all(|byte| *byte == 0));
        arena.give(&ranges[2]);
        assert_eq!(*arena.free.lock().unwrap(), BTreeMap::from([(0, SIZE)]));
        assert!(ranges.iter().all(|range| contents(range).iter().all(|byte| *byte == 0)));
    }

    #[test]
    fn what_another_writes_is_claimed_once_and_inside() {
        let file = file().unwrap();
        let execute = map(&file, libc::PROT_READ | libc::PROT_EXEC).unwrap();
        let arena = Arena::of(None, execute, false).unwrap();
        assert!(arena.take(1).is_none());
        for (start, len) in [(1, 1), (0, SIZE + 1), (SIZE, 1), (SIZE - GRAIN, GRAIN + 1), (usize::MAX - GRAIN + 1, 1)] {
            assert!(arena.claim(start, len).is_none(), "{start} {len}");
        }
        let range = arena.claim(2 * GRAIN, GRAIN + 1).unwrap();
        assert_eq!((range.start(), range.bytes()), (2 * GRAIN, 2 * GRAIN));
        for start in [GRAIN, 2 * GRAIN, 3 * GRAIN] {
            assert!(arena.claim(start, GRAIN + 1).is_none(), "{start}");
        }
        arena.give(&range);
        assert!(arena.claim(2 * GRAIN, 1).is_none(), "whoever wrote it may still think that it is there");
        assert!(arena.claim(0, 2 * GRAIN).is_some() && arena.claim(4 * GRAIN, SIZE - 4 * GRAIN).is_some());
    }
}
