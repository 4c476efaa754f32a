//! The worker's heap: a range of addresses that is set aside at the start, so that memory can be had after lock-down with
//! `mprotect` alone.

use std::alloc::{GlobalAlloc, Layout};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dlmalloc::{Allocator, Dlmalloc};

/// Addresses; memory is taken as it is needed, and bounded by the limits of the process.
const SIZE: usize = 64 << 30;
/// What the range grows by at least: each growth is a system call.
const STEP: usize = 1 << 20;

/// The range.
struct Range {
    base: AtomicUsize,
    /// Bytes handed out.
    used: AtomicUsize,
    /// Bytes that can be accessed.
    open: AtomicUsize,
}

static RANGE: Range = Range { base: AtomicUsize::new(0), used: AtomicUsize::new(0), open: AtomicUsize::new(0) };

/// Memory of the range, for the allocator. All calls are made under the allocator's lock.
struct System;

// SAFETY: the memory that is handed out is the range's, and each part of it is handed out once.
unsafe impl Allocator for System {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        match RANGE.take(size) {
            Some(at) => (at, size, 0),
            None => (null_mut(), 0, 0),
        }
    }

    // Nothing goes back: the process ends soon, and the addresses could not be had again.

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        4096
    }
}

impl Range {
    fn take(&self, size: usize) -> Option<*mut u8> {
        if self.base.load(Ordering::Relaxed) == 0 {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            // SAFETY: a fresh anonymous mapping.
            let base = unsafe { libc::mmap(null_mut(), SIZE, libc::PROT_NONE, flags, -1, 0) };
            if base == libc::MAP_FAILED {
                return None;
            }
            self.base.store(base as usize, Ordering::Relaxed);
        }
        let (base, used, open) =
            (self.base.load(Ordering::Relaxed), self.used.load(Ordering::Relaxed), self.open.load(Ordering::Relaxed));
        let after = used.checked_add(size).filter(|after| *after <= SIZE)?;
        if after > open {
            let more = (after - open).next_multiple_of(STEP).min(SIZE - open);
            // SAFETY: inside the range, and not handed out yet.
            let opened = unsafe { libc::mprotect((base + open) as *mut _, more, libc::PROT_READ | libc::PROT_WRITE) };
            if opened != 0 {
                return None;
            }
            self.open.store(open + more, Ordering::Relaxed);
        }
        self.used.store(after, Ordering::Relaxed);
        Some((base + used) as *mut u8)
    }
}

/// The allocator of the process.
pub struct Heap(Mutex<Dlmalloc<System>>);

impl Heap {
    /// An empty heap.
    pub const fn new() -> Self {
        Self(Mutex::new(Dlmalloc::new_with_allocator(System)))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Dlmalloc<System>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(|e| e.into_inner()))
    }
}

// SAFETY: the allocator is dlmalloc, under a lock.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by contract.
        self.with(|heap| unsafe { heap.malloc(layout.size(), layout.align()) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by contract.
        self.with(|heap| unsafe { heap.calloc(layout.size(), layout.align()) })
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: by contract.
        self.with(|heap| unsafe { heap.free(at, layout.size(), layout.align()) });
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by contract.
        self.with(|heap| unsafe { heap.realloc(at, layout.size(), layout.align(), size) })
    }
}
