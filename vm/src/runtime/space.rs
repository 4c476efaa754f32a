//! Address space for linear memories and stacks.
//!
//! It is asked of the kernel when wanted, unless the process set it aside in advance with [`prepare`], because it will not
//! be able to map anything later; then there is that and no more. A memory that begins with what a file holds is then one that was
//! [set aside behind that file](prepare_behind).
//!
//! Heaps and stacks come and go with each store, and making a range costs more than running a short function in it. So a [`Space`] that is given up is
//! kept for whoever asks next for as much: with nothing on its pages, and those accessible that were, so that the next one need not ask for them.
//! Pages that nearly everybody writes to ([`Space::keep_warm`]) are filled with zeroes, which is far cheaper than to let the kernel take them and give others;
//! all other pages it takes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::x86_64;

/// A range that was set aside.
struct Aside {
    base: *mut u8,
    len: usize,
}

// SAFETY: a range is plain address space with one owner.
unsafe impl Send for Aside {}

/// Bytes of address space that memories and stacks may take in a process: half of it, so that modules with many memories
/// leave their host enough.
const MOST: usize = 1 << 46;

/// What mappings are rounded to.
pub const HOST_PAGE: usize = 4096;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static FREE: Mutex<Vec<Aside>> = Mutex::new(Vec::new());
static PREPARED: AtomicBool = AtomicBool::new(false);
/// What was set aside with a file at its beginning: where the file's contents are mapped for everyone, and the range.
static BEHIND: Mutex<Option<(usize, Aside)>> = Mutex::new(None);

/// Sets aside room for this many ranges of a length, in one piece, or for as many as the kernel gives room for; from then on
/// nothing else is had.
///
/// # Errors
/// If the kernel refuses even one.
pub fn prepare(len: usize, most: usize) -> io::Result<()> {
    set_aside(len, most).map(drop)
}

/// The same for what is filled with megabytes at once: where so much of it is accessible, the kernel makes large pages, if it has them.
///
/// # Errors
/// As there.
pub fn prepare_for_much(len: usize, most: usize) -> io::Result<()> {
    let (base, len) = set_aside(len, most)?;
    // SAFETY: the range that was just made. Where it is refused, pages are small.
    unsafe { libc::madvise(base.cast(), len, libc::MADV_HUGEPAGE) };
    Ok(())
}

fn set_aside(len: usize, most: usize) -> io::Result<(*mut u8, usize)> {
    let mut count = most;
    let (base, len) = loop {
        let all = len.saturating_mul(count);
        match map(all) {
            Ok(base) => break (base, all),
            Err(_) if count > 1 => count /= 2,
            Err(error) => return Err(error),
        }
    };
    FREE.lock().unwrap_or_else(|e| e.into_inner()).push(Aside { base, len });
    PREPARED.store(true, Ordering::Release);
    Ok((base, len))
}

/// Maps a file's contents once more, privately and inaccessible for now, and sets aside `len` bytes that follow it. `contents` is where
/// they are mapped already, from `image` on perhaps those of another file instead.
///
/// # Errors
/// If the kernel refuses it.
pub fn prepare_behind(file: &OwnedFd, contents: &[u8], image: Option<(&File, usize)>, len: usize) -> io::Result<()> {
    if contents.is_empty() {
        return Ok(());
    }
    let whole = contents.len().checked_next_multiple_of(HOST_PAGE).and_then(|whole| whole.checked_add(len));
    let whole = whole.ok_or(io::ErrorKind::OutOfMemory)?;
    let base = map(whole)?;
    let place = |fd: RawFd, start: usize, end: usize| {
        let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
        let at = base.wrapping_add(start).cast();
        // SAFETY: inside of the range that was just made, which nobody uses yet.
        let mapped = unsafe { libc::mmap(at, end - start, libc::PROT_NONE, flags, fd, start as libc::off_t) };
        if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
    };
    place(file.as_raw_fd(), 0, contents.len())?;
    if let Some((file, start)) = image.filter(|(_, start)| *start < contents.len()) {
        place(file.as_raw_fd(), start, contents.len())?;
    }
    let behind = (contents.as_ptr() as usize, Aside { base, len: whole });
    *BEHIND.lock().unwrap_or_else(|e| e.into_inner()) = Some(behind);
    Ok(())
}

/// The range with these contents at its beginning, if it was set aside. It is had once.
pub fn take_behind(contents: &[u8]) -> Option<*mut u8> {
    let mut behind = BEHIND.lock().unwrap_or_else(|e| e.into_inner());
    behind.take_if(|(at, _)| *at == contents.as_ptr() as usize).map(|(_, range)| range.base)
}

/// Whether there is only what was set aside.
pub fn is_prepared() -> bool {
    PREPARED.load(Ordering::Acquire)
}

/// A range of this many bytes, whole pages, none of them accessible.
pub fn reserve(len: usize) -> io::Result<*mut u8> {
    if !is_prepared() {
        return map(len);
    }
    let mut free = FREE.lock().unwrap_or_else(|e| e.into_inner());
    let best = free.iter().enumerate().filter(|(_, range)| range.len >= len).min_by_key(|(_, range)| range.len);
    let (at, _) = best.ok_or_else(|| io::Error::other("no address space is left that was set aside"))?;
    let Aside { base, len: whole } = free.swap_remove(at);
    if whole > len {
        free.push(Aside { base: base.wrapping_add(len), len: whole - len });
    }
    Ok(base)
}

/// Gives a range back that [`reserve`] gave for this length.
///
/// # Safety
/// Nobody uses it any more.
pub unsafe fn release(base: *mut u8, len: usize) {
    // SAFETY: by contract; what was on the pages is forgotten.
    unsafe {
        if is_prepared() {
            // Not to be had again: which range it was is not known here, and a process that sets space aside runs one program.
            libc::madvise(base.cast(), len, libc::MADV_DONTNEED);
        } else {
            libc::munmap(base.cast(), len);
            TAKEN.fetch_sub(len, Ordering::Relaxed);
        }
    }
}

fn map(len: usize) -> io::Result<*mut u8> {
    // What is kept must not be what is missing.
    fresh(len).or_else(|error| if give_up_kept() { fresh(len) } else { Err(error) })
}

fn fresh(len: usize) -> io::Result<*mut u8> {
    let grow = |taken: usize| taken.checked_add(len).filter(|taken| *taken <= MOST);
    if TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow).is_err() {
        return Err(io::Error::other("the process gives memories and stacks no more address space"));
    }
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh anonymous mapping.
    let base = unsafe { libc::mmap(null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        TAKEN.fetch_sub(len, Ordering::Relaxed);
        return Err(io::Error::last_os_error());
    }
    Ok(base.cast())
}

/// Spaces of one length that are kept, and of all.
const KEPT: usize = 16;
const KEPT_IN_ALL: usize = 64;
/// Bytes that stay accessible in a space that is kept: the kernel counts them against limits on a process.
const MOST_OPEN: usize = 8 << 20;

/// Those that are kept, the last one that was given up last.
static SPACES: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

fn kept() -> MutexGuard<'static, Vec<Kept>> {
    SPACES.lock().unwrap_or_else(|e| e.into_inner())
}

/// Gives those back to the kernel that are kept. Whether there were any.
fn give_up_kept() -> bool {
    let all = std::mem::take(&mut *kept());
    let any = !all.is_empty();
    all.into_iter().for_each(Kept::release);
    any
}

/// A range that nobody uses, on whose pages is nothing.
struct Kept {
    base: *mut u8,
    len: usize,
    open: Open,
}

// SAFETY: plain address space with one owner.
unsafe impl Send for Kept {}

impl Kept {
    fn release(self) {
        // SAFETY: the whole range; nobody has it any more.
        unsafe { release(self.base, self.len) };
    }
}

/// Address space of one owner, in which pages are accessible that were opened, and hold zeroes at first.
#[derive(Debug)]
pub struct Space {
    base: *mut u8,
    len: usize,
    open: Open,
    warm: Vec<Range<usize>>,
    /// Whether there may be something on pages that are closed.
    is_spoilt: bool,
}

// SAFETY: plain address space with one owner.
unsafe impl Send for Space {}

impl Space {
    /// A range of this many bytes, whole pages.
    ///
    /// # Errors
    /// If there is no address space.
    pub fn new(len: usize) -> io::Result<Self> {
        let found = {
            let mut kept = kept();
            kept.iter().rposition(|kept| kept.len == len).map(|at| kept.remove(at))
        };
        let Kept { base, len, open } = match found {
            Some(kept) => kept,
            None => Kept { base: reserve(len)?, len, open: Open::default() },
        };
        Ok(Self { base, len, open, warm: Vec::new(), is_spoilt: false })
    }

    /// Says which pages nearly everybody writes to, if they are open: they stay in memory as long as the space is kept.
    pub fn keep_warm(&mut self, from: *mut u8, len: usize) {
        let range = self.offsets(from, len);
        self.warm.push(range);
        self.warm.sort_unstable_by_key(|range| range.start);
    }

    /// Its first byte.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Makes pages accessible.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn open(&mut self, from: *mut u8, len: usize) -> io::Result<()> {
        let range = self.offsets(from, len);
        if self.open.contains(&range) {
            return Ok(());
        }
        // SAFETY: inside of the range.
        if unsafe { libc::mprotect(from.cast(), len, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            return Err(io::Error::last_os_error());
        }
        self.open.add(range);
        Ok(())
    }

    /// Makes pages inaccessible; what was on them is gone.
    pub fn close(&mut self, from: *mut u8, len: usize) {
        let range = self.offsets(from, len);
        // SAFETY: inside of the range, where the owner has nothing any more.
        let (emptied, closed) = unsafe {
            let emptied = libc::madvise(from.cast(), len, libc::MADV_DONTNEED);
            (emptied, libc::mprotect(from.cast(), len, libc::PROT_NONE))
        };
        self.is_spoilt |= emptied != 0;
        if closed == 0 {
            self.open.remove(&range);
        }
    }

    fn offsets(&self, from: *mut u8, len: usize) -> Range<usize> {
        let start = from.addr() - self.base.addr();
        debug_assert!(start + len <= self.len);
        start..start + len
    }

    /// Forgets what is on all pages that are open, and closes them if there are many. Whether that was done: it is not where pages are locked in
    /// memory.
    fn empty(&mut self) -> bool {
        if self.is_spoilt {
            return false;
        }
        let is_much = self.open.bytes() > MOST_OPEN;
        for open in &self.open.0 {
            let mut from = open.start;
            let warm = self.warm.iter().map(|warm| warm.start.max(open.start)..warm.end.min(open.end));
            for warm in warm.filter(|warm| !is_much && !warm.is_empty()) {
                // SAFETY: open, and nobody's any more.
                unsafe { x86_64::clear(self.base.wrapping_add(warm.start), warm.len()) };
                if !self.forget(from..warm.start) {
                    return false;
                }
                from = warm.end;
            }
            if !self.forget(from..open.end) {
                return false;
            }
        }
        if is_much {
            self.open = Open::default();
            // SAFETY: the whole range, which its owner has given up.
            return unsafe { libc::mprotect(self.base.cast(), self.len, libc::PROT_NONE) } == 0;
        }
        true
    }

    /// Lets the kernel take pages. Whether it did.
    fn forget(&self, range: Range<usize>) -> bool {
        let from = self.base.wrapping_add(range.start).cast();
        // SAFETY: inside of the range, and nobody's any more.
        range.is_empty() || unsafe { libc::madvise(from, range.len(), libc::MADV_DONTNEED) } == 0
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let emptied = self.empty();
        let range = Kept { base: self.base, len: self.len, open: std::mem::take(&mut self.open) };
        if !emptied {
            return range.release();
        }
        let mut kept = kept();
        let gone = if kept.iter().filter(|kept| kept.len == range.len).count() >= KEPT {
            range
        } else {
            kept.push(range);
            if kept.len() <= KEPT_IN_ALL {
                return;
            }
            kept.remove(0)
        };
        drop(kept);
        gone.release();
    }
}

/// Which parts of a range are accessible: in order, none of them touching another.
#[derive(Debug, Default)]
struct Open(Vec<Range<usize>>);

impl Open {
    fn contains(&self, range: &Range<usize>) -> bool {
        self.0.iter().any(|open| open.start <= range.start && range.end <= open.end)
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    fn add(&mut self, mut range: Range<usize>) {
        self.0.retain(|open| {
            let touches = open.start <= range.end && range.start <= open.end;
            if touches {
                range = open.start.min(range.start)..open.end.max(range.end);
            }
            !touches
        });
        let at = self.0.partition_point(|open| open.start < range.start);
        self.0.insert(at, range);
    }

    fn remove(&mut self, range: &Range<usize>) {
        let parts = |open: &Range<usize>| [open.start..open.end.min(range.start), open.start.max(range.end)..open.end];
        self.0 = self.0.iter().flat_map(parts).filter(|part| !part.is_empty()).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_keeps_addresses_for_itself() {
        assert!(map(MOST + 1).is_err());
        assert!(map(usize::MAX).is_err());
        let base = map(4096).expect("refusals take nothing");
        // SAFETY: just made, used by nobody.
        unsafe { release(base, 4096) };
    }

    const PAGE: usize = 4096;

    /// A length that no other test has spaces of.
    fn of(pages: usize) -> usize {
        (1 << 30) + pages * PAGE
    }

    /// What can be read and written, as the kernel says.
    fn accessible(space: &Space) -> Vec<Range<usize>> {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("the kernel tells");
        let mut open = Open::default();
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (start, rest) = line.split_once('-').expect("it is a range");
            let end = rest.split(' ').next().expect("it has an end");
            let address = |text| usize::from_str_radix(text, 16).expect("it is a number");
            let within = address(start).max(space.base.addr())..address(end).min(space.base.addr() + space.len);
            if !within.is_empty() {
                open.add(within.start - space.base.addr()..within.end - space.base.addr());
            }
        }
        open.0
    }

    #[test]
    fn whoever_comes_next_finds_zeroes_and_what_is_open() {
        let len = of(1);
        let mut space = Space::new(len).expect("there is room");
        let base = space.base();
        let parts = [(0, 2), (16, 1), (17, 3), ((1 << 18), 1)].map(|(page, pages)| (page * PAGE, pages * PAGE));
        for (at, len) in parts {
            space.open(base.wrapping_add(at), len).expect("it can be opened");
            // SAFETY: just opened.
            unsafe { base.add(at).write_bytes(0xaa, len) };
        }
        drop(space);
        let mut space = Space::new(len).expect("it is kept");
        assert_eq!(space.base(), base);
        assert_eq!(accessible(&space), space.open.0);
        assert_eq!(space.open.0, [0..2 * PAGE, 16 * PAGE..20 * PAGE, 1 << 30..(1 << 30) + PAGE]);
        for (at, len) in parts {
            space.open(base.wrapping_add(at), len).expect("it is open");
            // SAFETY: open.
            let bytes = unsafe { std::slice::from_raw_parts(base.add(at), len) };
            assert!(bytes.iter().all(|byte| *byte == 0), "at {at}");
        }
        // One that is taken is nobody else's.
        assert_ne!(Space::new(len).expect("there is room").base(), base);
    }

    #[test]
    fn what_is_warm_is_empty_too_and_is_still_there() {
        let len = of(5);
        let warm = [(1, 2), (3, 1), (9, 2), (40, 1)].map(|(page, pages)| (page * PAGE, pages * PAGE));
        let mut base = std::ptr::null_mut::<u8>();
        for round in 0..4 {
            let mut space = Space::new(len).expect("there is room");
            assert!(base.is_null() || base == space.base());
            base = space.base();
            for (from, len) in warm {
                space.keep_warm(base.wrapping_add(from), len);
            }
            // Of what is warm a part is open, or all, or nothing.
            let pages = 10 + round % 2;
            space.open(base, pages * PAGE).expect("it can be opened");
            // SAFETY: open.
            let bytes = unsafe { std::slice::from_raw_parts_mut(base, pages * PAGE) };
            assert!(bytes.iter().all(|byte| *byte == 0), "round {round}");
            bytes.fill(0xaa);
        }
        let mut resident = [0; 11];
        // SAFETY: so many pages are mapped.
        assert_eq!(unsafe { libc::mincore(base.cast(), 11 * PAGE, resident.as_mut_ptr()) }, 0);
        assert_eq!(resident.map(|page| page & 1), [0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn what_is_closed_is_gone_and_what_is_too_much_is_closed() {
        let len = of(2);
        let mut space = Space::new(len).expect("there is room");
        let base = space.base();
        space.open(base, 8 * PAGE).expect("it can be opened");
        // SAFETY: just opened.
        unsafe { base.add(2 * PAGE).write(7) };
        space.close(base.wrapping_add(2 * PAGE), PAGE);
        space.close(base.wrapping_add(7 * PAGE), PAGE);
        assert_eq!(space.open.0, [0..2 * PAGE, 3 * PAGE..7 * PAGE]);
        assert_eq!(accessible(&space), space.open.0);
        space.open(base, 4 * PAGE).expect("it can be opened again");
        // SAFETY: open.
        assert_eq!(unsafe { base.add(2 * PAGE).read() }, 0);
        space.open(base.wrapping_add(1 << 20), MOST_OPEN).expect("it can be opened");
        // SAFETY: open.
        unsafe { base.add(1 << 20).write(7) };
        drop(space);
        let mut space = Space::new(len).expect("it is kept");
        assert_eq!((space.base(), accessible(&space)), (base, Vec::new()));
        space.open(base.wrapping_add(1 << 20), PAGE).expect("it can be opened");
        // SAFETY: open.
        assert_eq!(unsafe { base.add(1 << 20).read() }, 0);
    }

    /// Locks a page in memory. Sanitizers leave the C library's function without effect.
    ///
    /// # Safety
    /// The page is mapped.
    unsafe fn lock(base: *mut u8) -> libc::c_long {
        // SAFETY: by contract.
        unsafe { libc::syscall(libc::SYS_mlock, base, PAGE) }
    }

    #[test]
    fn pages_that_cannot_be_emptied_are_not_kept() {
        let len = of(3);
        let mut space = Space::new(len).expect("there is room");
        let base = space.base();
        space.open(base, PAGE).expect("it can be opened");
        // SAFETY: open.
        unsafe {
            base.write(7);
            assert_eq!(lock(base), 0);
        }
        drop(space);
        assert!(!kept().iter().any(|kept| kept.base == base));
        // Nor are those that could not be emptied when they were closed.
        let mut space = Space::new(len).expect("there is room");
        let base = space.base();
        space.open(base, 2 * PAGE).expect("it can be opened");
        // SAFETY: open.
        assert_eq!(unsafe { lock(base) }, 0);
        space.close(base, PAGE);
        drop(space);
        assert!(!kept().iter().any(|kept| kept.base == base));
    }

    #[test]
    fn no_more_are_kept_than_there_may_be() {
        let len = of(4);
        let spaces: Vec<Space> = (0..2 * KEPT).map(|_| Space::new(len).expect("there is room")).collect();
        drop(spaces);
        assert_eq!(kept().iter().filter(|kept| kept.len == len).count(), KEPT);
    }
}
