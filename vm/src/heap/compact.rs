//! The compaction of the old space: live objects slide down, in order, over the dead ones.
//!
//! Where an object goes is not stored with it, but counted: a table tells where the first live word of each
//! block of 512 bytes goes, and the marks of the block how many words come before. One pass in ascending order then
//! updates the references of an object and moves it. (H. Kermany and E. Petrank, *The Compressor*, 2006.)

use super::Fault;
use super::mark::next_marked;
use super::old::{OLD, note_object};
use super::record::Types;
use super::region::{Base, FORWARDING_BELOW};

/// A compaction under way.
pub struct Compaction<'a> {
    base: Base,
    types: Types<'a>,
    top: u32,
}

impl<'a> Compaction<'a> {
    /// Counts where the marked objects below `top` go.
    ///
    /// # Safety
    /// The old space and its tables are open up to `top`.
    pub unsafe fn new(base: Base, types: Types<'a>, top: u32) -> Self {
        let table = base.below(FORWARDING_BELOW).cast::<u32>();
        let mut to = OLD;
        for block in OLD >> 9..top.div_ceil(512) {
            // SAFETY: by contract.
            unsafe {
                table.wrapping_add(block as usize).write(to);
                to += (*base.marks(block << 9)).count_ones() * 8;
            }
        }
        Self { base, types, top }
    }

    /// The reference to write in place of this one.
    ///
    /// # Safety
    /// The tables are open.
    #[inline(always)]
    pub unsafe fn forward(&self, value: u32) -> u32 {
        if value & 7 != 0 || value.wrapping_sub(OLD) >= self.top - OLD {
            return value;
        }
        let table = self.base.below(FORWARDING_BELOW).cast::<u32>();
        // SAFETY: below the top.
        unsafe {
            let before = *self.base.marks(value) & !(u64::MAX << (value >> 3 & 63));
            *table.wrapping_add((value >> 9) as usize) + before.count_ones() * 8
        }
    }

    /// Updates the references of an object that stays.
    ///
    /// # Safety
    /// It has this many bytes.
    pub unsafe fn update(&self, object: u32, bytes: u64) -> Result<(), Fault> {
        // SAFETY: by contract.
        unsafe {
            let header = self.base.word(object);
            let record = self.types.get(header).ok_or(Fault::Header { object, header })?;
            record.slots(self.types, self.base, object, 0, bytes as u32, |slot| *slot = self.forward(*slot));
        }
        Ok(())
    }

    /// Updates the references of all marked objects and moves them. The new top.
    ///
    /// # Safety
    /// As for [`Compaction::new`]; the crossing map is right.
    pub unsafe fn slide(&self) -> Result<u32, Fault> {
        let base = self.base;
        let mut to = OLD;
        // SAFETY: by contract; sizes are checked, and nothing moves up.
        unsafe {
            let mut object = next_marked(base, OLD, self.top);
            while object < self.top {
                let header = base.word(object);
                let record = self.types.get(header).ok_or(Fault::Header { object, header })?;
                let size = record.size(base, object);
                if size.wrapping_sub(1) >= u64::from(self.top - object) {
                    return Err(Fault::Size { object, size });
                }
                let size = size as u32;
                if record.has_refs() {
                    record.slots(self.types, base, object, 0, size, |slot| *slot = self.forward(*slot));
                }
                if to != object {
                    move_down(base.at(object).cast(), base.at(to).cast(), size / 8);
                    note_object(base, to, to + size);
                }
                to += size;
                object = next_marked(base, object + size, self.top);
            }
        }
        Ok(to)
    }
}

/// Copies words of 8 bytes to a lower address.
///
/// # Safety
/// Both ranges are open and aligned.
#[inline(always)]
unsafe fn move_down(from: *const u64, to: *mut u64, words: u32) {
    if words > 32 {
        // SAFETY: by contract.
        unsafe { to.copy_from(from, words as usize) };
        return;
    }
    for at in 0..words as usize {
        // SAFETY: by contract. Volatile, or else the compiler makes a call of it.
        unsafe { to.wrapping_add(at).write_volatile(from.wrapping_add(at).read()) };
    }
}
