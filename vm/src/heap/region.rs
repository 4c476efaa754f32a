//! The reserved range of a heap: what lies where, and which of it is open.
//!
//! What is open is what is charged to the store's memory limit; what is given back is closed again, so
//! that the kernel's own limit on a process's data counts the same. (In the space of a heap that is gone some more is accessible.)

use std::io;

use super::nursery::EDEN;
use crate::runtime::space::Space;

/// How far below the base the type records begin.
pub const RECORDS_BELOW: usize = 240 << 20;
/// How far below the base the mark bitmap begins: one bit for 8 bytes of heap.
pub const MARKS_BELOW: usize = 112 << 20;
/// How far below the base the forwarding table begins: 4 bytes for 512 bytes of heap.
pub const FORWARDING_BELOW: usize = 48 << 20;
/// How far below the base the crossing map begins: one byte for 512 bytes of heap.
pub const CROSSING_BELOW: usize = 16 << 20;
/// How far below the base the card table begins: one byte for 512 bytes of heap.
pub const CARDS_BELOW: usize = 8 << 20;
/// A card's size is 2 to this power.
pub const CARD_SHIFT: u32 = 9;
/// Bytes of the heap proper: all that a reference can say.
pub const HEAP: u64 = 4 << 30;
/// Bytes behind the heap that stay inaccessible: what a displacement may add to a reference.
pub const GUARD: usize = 1 << 20;
/// Address space of a heap.
pub const RESERVATION: usize = RECORDS_BELOW + HEAP as usize + GUARD;

/// Pages at the beginning of eden that are kept in memory for the next heap.
const WARM: usize = 4 * PAGE;
const PAGE: usize = 4 << 10;

/// Parts grow by multiples of this, which is a multiple of every page size.
pub const GRAIN: usize = 64 << 10;

/// Where the heap begins in memory; offsets are relative to it.
#[derive(Clone, Copy, Debug)]
pub struct Base(pub *mut u8);

impl Base {
    /// Address of an offset.
    #[inline(always)]
    pub fn at(self, offset: u32) -> *mut u8 {
        self.0.wrapping_add(offset as usize)
    }

    /// Address of one of the tables in front of the heap.
    #[inline(always)]
    pub fn below(self, displacement: usize) -> *mut u8 {
        self.0.wrapping_sub(displacement)
    }

    /// The word at an offset.
    ///
    /// # Safety
    /// It is open, and the offset a multiple of 4.
    #[inline(always)]
    pub unsafe fn word(self, offset: u32) -> u32 {
        // SAFETY: by contract.
        unsafe { self.at(offset).cast::<u32>().read() }
    }

    /// Writes the word at an offset.
    ///
    /// # Safety
    /// As for [`Base::word`].
    #[inline(always)]
    pub unsafe fn set_word(self, offset: u32, value: u32) {
        // SAFETY: by contract.
        unsafe { self.at(offset).cast::<u32>().write(value) }
    }

    /// The card of an offset.
    #[inline(always)]
    pub fn card(self, offset: u32) -> *mut u8 {
        self.below(CARDS_BELOW).wrapping_add((offset >> CARD_SHIFT) as usize)
    }

    /// The word of the mark bitmap for an offset's block of 512 bytes.
    #[inline(always)]
    pub fn marks(self, offset: u32) -> *mut u64 {
        self.below(MARKS_BELOW).cast::<u64>().wrapping_add((offset >> 9) as usize)
    }
}

/// Asks for the cache line at an address, which need not be accessible.
#[inline(always)]
pub fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that has no effect on what is computed, and never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// The reserved range, and how much of it is open.
#[derive(Debug)]
pub struct Region {
    base: Base,
    space: Space,
    committed: u64,
    ceiling: u64,
}

impl Region {
    /// Reserves a range; nothing of it is open.
    ///
    /// # Errors
    /// If there is no address space.
    pub fn new() -> io::Result<Self> {
        let mut space = Space::new(RESERVATION)?;
        let base = Base(space.base().wrapping_add(RECORDS_BELOW));
        // What is used of a heap in which little is made.
        for (from, len) in [(base.below(RECORDS_BELOW), PAGE), (base.card(EDEN), PAGE), (base.at(EDEN), WARM)] {
            space.keep_warm(from, len);
        }
        Ok(Self { base, space, committed: 0, ceiling: 0 })
    }

    /// Where the heap begins.
    pub fn base(&self) -> Base {
        self.base
    }

    /// Bytes that are open.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Bytes that may be open at most, for now.
    pub fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// Allows this many bytes more.
    pub fn allow(&mut self, room: u64) {
        self.ceiling = self.committed.saturating_add(room);
    }

    /// Bytes that may still be opened.
    pub fn room(&self) -> u64 {
        self.ceiling.saturating_sub(self.committed)
    }

    /// Opens pages that were closed. Whether they could be had.
    pub fn open(&mut self, from: *mut u8, len: usize) -> bool {
        if self.room() < len as u64 {
            return false;
        }
        let opened = self.space.open(from, len).is_ok();
        if opened {
            self.committed += len as u64;
        }
        opened
    }

    /// Closes pages that were open; what was on them is gone.
    pub fn close(&mut self, from: *mut u8, len: usize) {
        self.space.close(from, len);
        self.committed -= len as u64;
    }
}

/// A part of the region of which a beginning is open.
#[derive(Debug)]
pub struct Part {
    start: *mut u8,
    most: usize,
    step: usize,
    open: usize,
}

impl Part {
    /// A part of at most `most` bytes, all closed. It grows by `step` bytes where there is room.
    pub fn new(start: *mut u8, most: usize, step: usize) -> Self {
        Self { start, most, step, open: 0 }
    }

    /// First byte.
    pub fn start(&self) -> *mut u8 {
        self.start
    }

    /// Bytes that are open.
    pub fn opened(&self) -> usize {
        self.open
    }

    /// Opens at least the first `len` bytes. Whether they could be had.
    pub fn hold(&mut self, region: &mut Region, len: usize) -> bool {
        if len <= self.open {
            return true;
        }
        if len > self.most {
            return false;
        }
        [self.step, GRAIN].into_iter().any(|step| {
            let open = len.next_multiple_of(step).min(self.most);
            let more = open - self.open;
            let opened = region.open(self.start.wrapping_add(self.open), more);
            if opened {
                self.open = open;
            }
            opened
        })
    }

    /// Closes what lies behind the first `len` bytes.
    pub fn release(&mut self, region: &mut Region, len: usize) {
        let keep = len.next_multiple_of(GRAIN);
        if keep < self.open {
            region.close(self.start.wrapping_add(keep), self.open - keep);
            self.open = keep;
        }
    }
}
