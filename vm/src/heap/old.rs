//! The old space: objects one after the other from [`OLD`] upwards, with the tables that go with it.
//!
//! *Cards* say which blocks of 512 bytes may hold references to young objects. The *crossing map* says for
//! each block where the object begins that covers its first byte:
//!
//! ```text
//!  0..=63    that many words (of 8 bytes) before the block
//!  64..      look again, value - 63 blocks further back
//! ```

use super::region::{
    Base, CARD_SHIFT, CARDS_BELOW, CROSSING_BELOW, FORWARDING_BELOW, GRAIN, MARKS_BELOW, Part, Region,
};

/// Offset of the old space.
pub const OLD: u32 = 128 << 20;

/// Bytes by which it grows.
const STEP: usize = 1 << 20;
/// The space may not meet the end of what an offset can say.
const MOST: usize = (4 << 30) - OLD as usize - STEP;

/// The old space.
#[derive(Debug)]
pub struct Old {
    part: Part,
    tables: [(Part, usize); 4],
    /// Offset of the end of its objects.
    pub top: u32,
}

impl Old {
    /// An empty one.
    pub fn new(base: Base) -> Self {
        let table = |below: usize, share: usize| {
            let at = base.below(below).wrapping_add(OLD as usize / share);
            (Part::new(at, (MOST / share).next_multiple_of(GRAIN), GRAIN), share)
        };
        let tables =
            [table(MARKS_BELOW, 64), table(FORWARDING_BELOW, 128), table(CROSSING_BELOW, 512), table(CARDS_BELOW, 512)];
        Self { part: Part::new(base.at(OLD), MOST, STEP), tables, top: OLD }
    }

    /// Bytes of its objects.
    pub fn used(&self) -> u64 {
        u64::from(self.top - OLD)
    }

    /// Bytes that are open behind its objects.
    pub fn free(&self) -> usize {
        self.part.opened() - self.used() as usize
    }

    /// Offset of the end of what is open.
    pub fn end(&self) -> u32 {
        OLD + self.part.opened() as u32
    }

    /// Makes sure of `bytes` behind its objects, below the offset `most`. Whether they could be had.
    pub fn hold(&mut self, region: &mut Region, bytes: usize, most: u64) -> bool {
        if bytes <= self.free() {
            return true;
        }
        let len = self.used() as usize + bytes;
        if u64::from(OLD) + len.next_multiple_of(STEP) as u64 > most {
            return false;
        }
        // The tables first, for a size that the space does not pass.
        self.tables.iter_mut().all(|(part, share)| part.hold(region, len.next_multiple_of(STEP).div_ceil(*share)))
            && self.part.hold(region, len)
    }

    /// Gives back what lies more than `slack` bytes behind its objects.
    pub fn release(&mut self, region: &mut Region, slack: usize) {
        self.part.release(region, self.used() as usize + slack);
        let len = self.part.opened().next_multiple_of(STEP);
        for (part, share) in &mut self.tables {
            part.release(region, len.div_ceil(*share));
        }
    }

    /// Marks all cards clean.
    pub fn clean_cards(&mut self) {
        let (cards, _) = &self.tables[3];
        // SAFETY: open.
        unsafe { cards.start().write_bytes(0, cards.opened()) };
    }

    /// Unmarks all objects.
    pub fn clear_marks(&mut self) {
        let (marks, _) = &self.tables[0];
        // SAFETY: open.
        unsafe { marks.start().write_bytes(0, self.used().div_ceil(64) as usize) };
    }
}

/// Number of the card of an offset.
#[inline(always)]
pub fn card_of(offset: u32) -> u32 {
    offset >> CARD_SHIFT
}

/// Notes in the crossing map that an object lies from `start` to `end`.
///
/// # Safety
/// Both are in the open part of the old space.
#[inline(always)]
pub unsafe fn note_object(base: Base, start: u32, end: u32) {
    let map = base.below(CROSSING_BELOW);
    let first = start.wrapping_add(511) >> 9;
    let last = (end - 1) >> 9;
    if first > last {
        return;
    }
    // SAFETY: by contract.
    unsafe {
        map.wrapping_add(first as usize).write((((first << 9) - start) >> 3) as u8);
        for card in first + 1..=last {
            map.wrapping_add(card as usize).write(63 + (card - first).min(192) as u8);
        }
    }
}

/// Offset of the object that covers a card's first byte.
///
/// # Safety
/// The card is one of the old space, below its top.
#[inline]
pub unsafe fn object_at(base: Base, card: u32) -> u32 {
    let map = base.below(CROSSING_BELOW);
    let mut card = card;
    while card > card_of(OLD) {
        // SAFETY: by contract; it only goes back.
        let distance = u32::from(unsafe { map.wrapping_add(card as usize).read() });
        if distance < 64 {
            return (card << 9) - distance * 8;
        }
        card = card.saturating_sub(distance - 63);
    }
    OLD
}
