//! The worker's heap: a range of addresses that is set aside at the start, so that memory can be had after lock-down with
//! `mprotect` alone.
//!
//! The allocator is dlmalloc, under a lock. What is small, most of all that a compiler allocates, comes from lists that each thread has
//! for itself, one for each size: no lock, no search, and no more of dlmalloc than a chunk now and then.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dlmalloc::{Allocator, Dlmalloc};

/// Addresses; memory is taken as it is needed, and bounded by the limits of the process.
const SIZE: usize = 64 << 30;
/// What the range grows by at least: each growth is a system call.
const STEP: usize = 1 << 20;
/// Bytes of a large page. What comes behind the first of this size is made of such where the kernel has them: a heap that has grown so far grows on,
/// and far fewer pages are made.
const PAGE: usize = 2 << 20;

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
            let base = unsafe { libc::mmap(null_mut(), SIZE + PAGE, libc::PROT_NONE, flags, -1, 0) };
            if base == libc::MAP_FAILED {
                return None;
            }
            let base = (base as usize).next_multiple_of(PAGE);
            // SAFETY: inside the mapping. Where it is refused, pages are small.
            unsafe { libc::madvise((base + PAGE) as *mut _, SIZE - PAGE, libc::MADV_HUGEPAGE) };
            self.base.store(base, Ordering::Relaxed);
        }
        let (base, used, open) =
            (self.base.load(Ordering::Relaxed), self.used.load(Ordering::Relaxed), self.open.load(Ordering::Relaxed));
        let after = used.checked_add(size).filter(|after| *after <= SIZE)?;
        if after > open {
            // A page is a large one only if all of it can be accessed.
            let step = if after > PAGE { PAGE } else { STEP };
            let more = (after.next_multiple_of(step) - open).min(SIZE - open);
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

/// Sizes of small blocks are multiples of this, and they are aligned to it.
const GRAIN: usize = 16;
/// The largest small block.
const SMALL: usize = 512;
/// How many sizes there are.
const SIZES: usize = SMALL / GRAIN;
/// What is taken from dlmalloc at a time, to be cut into small blocks.
const CHUNK: usize = 16 << 10;
/// Blocks of a size that a thread keeps; more go to where any thread finds them.
const KEPT: u32 = 256;

/// A small block that is free.
struct Block {
    next: *mut Block,
    /// Of the first in a shared list: the next such list.
    next_list: *mut Block,
}

/// The small blocks of a thread.
struct Blocks {
    free: [*mut Block; SIZES],
    counts: [u32; SIZES],
    /// What is left of the last chunk.
    chunk: *mut u8,
    left: usize,
}

thread_local! {
    /// Nothing has to be done when a thread ends: what it kept is lost, and is not much.
    static BLOCKS: UnsafeCell<Blocks> = const {
        UnsafeCell::new(Blocks { free: [null_mut(); SIZES], counts: [0; SIZES], chunk: null_mut(), left: 0 })
    };
}

/// The place of a layout's size among those of small blocks, if it is one.
fn small(layout: Layout) -> Option<usize> {
    (layout.size() <= SMALL && layout.align() <= GRAIN).then(|| layout.size().saturating_sub(1) / GRAIN)
}

/// What all threads share.
struct Shared {
    large: Dlmalloc<System>,
    /// Of each size, lists of [`KEPT`] free blocks.
    lists: [*mut Block; SIZES],
}

// SAFETY: the blocks are nobody else's.
unsafe impl Send for Shared {}

/// The allocator of the process.
pub struct Heap(Mutex<Shared>);

impl Heap {
    /// An empty heap.
    pub const fn new() -> Self {
        Self(Mutex::new(Shared { large: Dlmalloc::new_with_allocator(System), lists: [null_mut(); SIZES] }))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Shared) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(|e| e.into_inner()))
    }

    fn take(&self, size: usize) -> *mut u8 {
        BLOCKS.with(|blocks| {
            // SAFETY: the thread's own, and nothing in here allocates by it.
            let blocks = unsafe { &mut *blocks.get() };
            if blocks.free[size].is_null() {
                let bytes = (size + 1) * GRAIN;
                if blocks.left >= bytes {
                    return blocks.cut(bytes);
                }
                if !self.with(|shared| blocks.refill(shared, size)) {
                    return if blocks.left < bytes { null_mut() } else { blocks.cut(bytes) };
                }
            }
            let block = blocks.free[size];
            // SAFETY: a free block of this thread's.
            blocks.free[size] = unsafe { (*block).next };
            blocks.counts[size] -= 1;
            block.cast()
        })
    }

    /// # Safety
    /// `at` is a block of this size, and nobody uses it.
    unsafe fn give(&self, at: *mut u8, size: usize) {
        BLOCKS.with(|blocks| {
            // SAFETY: as in `take`; blocks are large enough, and aligned.
            unsafe {
                let blocks = &mut *blocks.get();
                let block: *mut Block = at.cast();
                (*block).next = blocks.free[size];
                blocks.free[size] = block;
                blocks.counts[size] += 1;
                if blocks.counts[size] == KEPT {
                    self.with(|shared| (*block).next_list = std::mem::replace(&mut shared.lists[size], block));
                    blocks.free[size] = null_mut();
                    blocks.counts[size] = 0;
                }
            }
        });
    }
}

impl Blocks {
    /// A block from the chunk, which has so much left.
    fn cut(&mut self, bytes: usize) -> *mut u8 {
        let at = self.chunk;
        self.chunk = at.wrapping_add(bytes);
        self.left -= bytes;
        at
    }

    /// Gets a list of free blocks, or else a new chunk, if memory is left. Whether it is a list.
    fn refill(&mut self, shared: &mut Shared, size: usize) -> bool {
        let list = shared.lists[size];
        if !list.is_null() {
            // SAFETY: the first block of a list.
            shared.lists[size] = unsafe { (*list).next_list };
            self.free[size] = list;
            self.counts[size] = KEPT;
            return true;
        }
        // SAFETY: it has a size.
        let chunk = unsafe { shared.large.malloc(CHUNK, GRAIN) };
        if !chunk.is_null() {
            (self.chunk, self.left) = (chunk, CHUNK);
        }
        false
    }
}

// SAFETY: what is small is cut from chunks that are never given back, each part once; the rest is dlmalloc's, under a lock. A layout says
// which of both a block is.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match small(layout) {
            Some(size) => self.take(size),
            // SAFETY: by contract.
            None => self.with(|shared| unsafe { shared.large.malloc(layout.size(), layout.align()) }),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match small(layout) {
            Some(size) => {
                let at = self.take(size);
                if !at.is_null() {
                    // SAFETY: it has at least this many bytes.
                    unsafe { at.write_bytes(0, layout.size()) };
                }
                at
            }
            // SAFETY: by contract.
            None => self.with(|shared| unsafe { shared.large.calloc(layout.size(), layout.align()) }),
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        match small(layout) {
            // SAFETY: by contract, it was allocated with this layout.
            Some(size) => unsafe { self.give(at, size) },
            // SAFETY: by contract.
            None => self.with(|shared| unsafe { shared.large.free(at, layout.size(), layout.align()) }),
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by contract, the size is no larger than a layout may have.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (small(layout), small(wanted)) {
            (Some(old), Some(new)) if old == new => at,
            (None, None) => {
                // SAFETY: by contract.
                self.with(|shared| unsafe { shared.large.realloc(at, layout.size(), layout.align(), size) })
            }
            _ => {
                // SAFETY: by contract; the new block is another one, and both are as large as what is copied.
                unsafe {
                    let new = self.alloc(wanted);
                    if !new.is_null() {
                        new.copy_from_nonoverlapping(at, layout.size().min(size));
                        self.dealloc(at, layout);
                    }
                    new
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A block in use, and the byte that fills it.
    struct Used {
        at: *mut u8,
        layout: Layout,
        fill: u8,
    }

    // SAFETY: nobody else has it.
    unsafe impl Send for Used {}

    impl Used {
        fn new(heap: &Heap, layout: Layout, fill: u8) -> Self {
            // SAFETY: no layout here is empty.
            unsafe {
                let at = heap.alloc(layout);
                assert!(!at.is_null() && (at as usize).is_multiple_of(layout.align()));
                at.write_bytes(fill, layout.size());
                Self { at, layout, fill }
            }
        }

        fn is_whole(&self, size: usize) -> bool {
            // SAFETY: it has been written.
            unsafe { std::slice::from_raw_parts(self.at, size) }.iter().all(|byte| *byte == self.fill)
        }

        fn resize(&mut self, heap: &Heap, size: usize) {
            // SAFETY: it is the heap's, with this layout.
            unsafe {
                self.at = heap.realloc(self.at, self.layout, size);
                assert!(!self.at.is_null());
                assert!(self.is_whole(size.min(self.layout.size())));
                self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
                self.at.write_bytes(self.fill, size);
            }
        }

        fn free(self, heap: &Heap) {
            assert!(self.is_whole(self.layout.size()));
            // SAFETY: it is the heap's, with this layout.
            unsafe { heap.dealloc(self.at, self.layout) };
        }
    }

    /// xorshift.
    fn random(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as usize
    }

    #[test]
    fn blocks_do_not_overlap() {
        let heap = Heap::new();
        let (mut state, mut used) = (1, Vec::new());
        for turn in 0..100_000 {
            let size = 1 + random(&mut state) % if random(&mut state).is_multiple_of(8) { 5000 } else { 600 };
            match random(&mut state) % 4 {
                0 if !used.is_empty() => {
                    let block: Used = used.swap_remove(random(&mut state) % used.len());
                    block.free(&heap);
                }
                1 if !used.is_empty() => {
                    let at = random(&mut state) % used.len();
                    used[at].resize(&heap, size);
                }
                2 if used.len() > 2000 => used.drain(..1000).for_each(|block| block.free(&heap)),
                _ => {
                    let align = 1 << (random(&mut state) % 7);
                    used.push(Used::new(&heap, Layout::from_size_align(size, align).unwrap(), turn as u8));
                }
            }
        }
        used.into_iter().for_each(|block| block.free(&heap));
    }

    #[test]
    fn zeroed_blocks_are_zero() {
        let heap = Heap::new();
        for size in [1, 16, 17, 512, 513, 4096] {
            let layout = Layout::from_size_align(size, 8).unwrap();
            Used::new(&heap, layout, 0xff).free(&heap);
            // SAFETY: it is not empty.
            let block = unsafe { Used { at: heap.alloc_zeroed(layout), layout, fill: 0 } };
            block.free(&heap);
        }
    }

    #[test]
    fn what_one_thread_frees_another_gets() {
        let heap = Heap::new();
        let before = RANGE.used.load(Ordering::Relaxed);
        let (send, receive) = mpsc::sync_channel::<Used>(10);
        let layout = Layout::from_size_align(64, 8).unwrap();
        std::thread::scope(|scope| {
            let heap = &heap;
            scope.spawn(move || receive.into_iter().for_each(|block| block.free(heap)));
            for turn in 0..200_000_u32 {
                send.send(Used::new(heap, layout, turn as u8)).unwrap();
            }
            drop(send);
        });
        // Other tests allocate meanwhile; all that passed here would be 12 MiB.
        let taken = RANGE.used.load(Ordering::Relaxed) - before;
        assert!(taken < 4 << 20, "{taken}");
    }
}
