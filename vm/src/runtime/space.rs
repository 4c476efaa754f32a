//! Address space for linear memories and stacks.
//!
//! It is asked of the kernel when wanted, unless the process set it aside in advance with [`prepare`], because it will not
//! be able to map anything later; then there is that and no more. A memory that begins with what a file holds is then one that was
//! [set aside behind that file](prepare_behind).

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A range that was set aside.
struct Range {
    base: *mut u8,
    len: usize,
}

// SAFETY: a range is plain address space with one owner.
unsafe impl Send for Range {}

/// Bytes of address space that memories and stacks may take in a process: half of it, so that modules with many memories
/// leave their host enough.
const MOST: usize = 1 << 46;

/// What mappings are rounded to.
pub const HOST_PAGE: usize = 4096;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static FREE: Mutex<Vec<Range>> = Mutex::new(Vec::new());
static PREPARED: AtomicBool = AtomicBool::new(false);
/// What was set aside with a file at its beginning: where the file's contents are mapped for everyone, and the range.
static BEHIND: Mutex<Option<(usize, Range)>> = Mutex::new(None);

/// Sets aside room for this many ranges of a length, in one piece, or for as many as the kernel gives room for; from then on
/// nothing else is had.
///
/// # Errors
/// If the kernel refuses even one.
pub fn prepare(len: usize, most: usize) -> io::Result<()> {
    let mut count = most;
    let range = loop {
        let all = len.saturating_mul(count);
        match map(all) {
            Ok(base) => break Range { base, len: all },
            Err(_) if count > 1 => count /= 2,
            Err(error) => return Err(error),
        }
    };
    FREE.lock().unwrap_or_else(|e| e.into_inner()).push(range);
    PREPARED.store(true, Ordering::Release);
    Ok(())
}

/// Maps a file's contents once more, privately and inaccessible for now, and sets aside `len` bytes that follow it. `contents` is where
/// they are mapped already.
///
/// # Errors
/// If the kernel refuses it.
pub fn prepare_behind(file: &OwnedFd, contents: &[u8], len: usize) -> io::Result<()> {
    if contents.is_empty() {
        return Ok(());
    }
    let whole = contents.len().checked_next_multiple_of(HOST_PAGE).and_then(|whole| whole.checked_add(len));
    let whole = whole.ok_or(io::ErrorKind::OutOfMemory)?;
    let base = map(whole)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
    // SAFETY: inside of the range that was just made, which nobody uses yet.
    let mapped = unsafe { libc::mmap(base.cast(), contents.len(), libc::PROT_NONE, flags, file.as_raw_fd(), 0) };
    if mapped == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let behind = (contents.as_ptr() as usize, Range { base, len: whole });
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
    let Range { base, len: whole } = free.swap_remove(at);
    if whole > len {
        free.push(Range { base: base.wrapping_add(len), len: whole - len });
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
}
