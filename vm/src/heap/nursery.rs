//! The nursery: where objects are born, and how it is collected.
//!
//! ```text
//!  256 KiB      16 MiB                        48 MiB        64 MiB
//!     ├ survivors ┤ eden ───► top     limit      ├ survivors ┤
//! ```
//!
//! Objects are born in eden. Those that survive a collection are copied to the survivor space that is empty,
//! those that survive one more to the old space. What does not fit in a survivor space is promoted
//! at once. There is always room in the old space for the whole nursery, so that a collection cannot
//! fail half way. (C. J. Cheney, *A nonrecursive list compacting algorithm*, 1970, with two places that are
//! scanned.)

use super::old::{OLD, card_of, note_object, object_at};
use super::record::{Record, Types};
use super::region::{Base, CARD_SHIFT, CARDS_BELOW, CROSSING_BELOW, GRAIN, Part, prefetch};
use super::{Fault, LARGE};

/// Nothing of the heap below this offset is accessible, so that what goes through null faults.
pub const NULL_GUARD: u32 = 256 << 10;
/// Offset of eden.
pub const EDEN: u32 = 16 << 20;
/// Offset of the end of the nursery: references below are to young objects.
pub const NURSERY_END: u32 = 64 << 20;
/// Offsets of the survivor spaces.
const SURVIVORS: [u32; 2] = [NULL_GUARD, 48 << 20];
/// Bytes of a survivor space at most.
const MOST_SURVIVORS: u32 = EDEN - NULL_GUARD;

/// A range of offsets.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// First.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

impl Range {
    #[inline(always)]
    fn holds(self, offset: u32) -> bool {
        offset.wrapping_sub(self.start) < self.len
    }
}

/// The nursery's spaces.
#[derive(Debug)]
pub struct Nursery {
    /// Where objects are born.
    pub eden: Part,
    /// The survivor spaces.
    pub survivors: [Part; 2],
    /// Which of them holds objects.
    pub current: usize,
    /// Bytes of these.
    pub aged: u32,
    /// Offset that the top of eden may reach.
    pub limit: u32,
    /// Bytes that eden should have.
    pub budget: u32,
    /// What the last collections cost on average.
    usual: u64,
    /// Collections until eden may grow.
    patience: u32,
}

/// Bytes of the smallest eden.
pub const LEAST_EDEN: u32 = 256 << 10;
/// Bytes of the largest.
pub const MOST_EDEN: u32 = 16 << 20;

impl Nursery {
    /// An empty one.
    pub fn new(base: Base) -> Self {
        let survivors = SURVIVORS.map(|start| Part::new(base.at(start), MOST_SURVIVORS as usize, GRAIN));
        Self {
            eden: Part::new(base.at(EDEN), MOST_EDEN as usize, GRAIN),
            survivors,
            current: 0,
            aged: 0,
            limit: EDEN,
            budget: LEAST_EDEN,
            usual: 0,
            patience: 0,
        }
    }

    /// The objects that survived one collection.
    pub fn aged(&self) -> Range {
        Range { start: SURVIVORS[self.current], len: self.aged }
    }

    /// The survivor space that is empty.
    pub fn empty(&self) -> Range {
        let other = 1 - self.current;
        Range { start: SURVIVORS[other], len: self.survivors[other].opened() as u32 }
    }

    /// Chooses the next size of eden by what a collection cost: about `work` bytes read and written.
    pub fn adapt(&mut self, work: u64) {
        self.usual = (self.usual * 7 + work) / 8;
        self.patience = self.patience.saturating_sub(1);
        if work > LONG {
            self.budget = (self.budget / 2).max(LEAST_EDEN);
            self.patience = PATIENCE;
        } else if self.patience == 0 && self.usual < SHORT && work < SHORT && self.is_worth_growing() {
            self.budget = (self.budget * 2).min(MOST_EDEN);
            self.patience = 4;
        }
    }

    /// Whether rarer collections would save more than it costs to allocate where the cache is cold.
    fn is_worth_growing(&self) -> bool {
        self.budget < CACHED || self.usual * CHEAP > self.budget.into()
    }
}

/// Bytes of an eden that a core's cache still holds.
const CACHED: u32 = 1 << 20;
/// What collections may cost, as a part of what is allocated between them, for it not to be worth it to leave the cache.
const CHEAP: u64 = 32;
/// Bytes that a collection may copy without being noticed: about 2 ms.
const LONG: u64 = 5 << 20;
/// Bytes that collections may copy on average for eden to grow.
const SHORT: u64 = 5 << 18;
/// Collections after one that was noticed until eden may grow again: fewer than one in a hundred is.
const PATIENCE: u32 = 128;

/// Cards that wait for the cache at a time.
const AHEAD: usize = 8;

/// A collection of the nursery under way.
pub struct Evacuation<'a> {
    base: Base,
    types: Types<'a>,
    eden: Range,
    aged: Range,
    to: Range,
    /// End of what was copied to the empty survivor space.
    pub to_top: u32,
    old_start: u32,
    /// End of the old objects.
    pub old_top: u32,
    old_end: u32,
    /// Cards that were looked at.
    pub cards: u64,
    /// What was found to be wrong with the heap.
    pub fault: Option<Fault>,
}

impl<'a> Evacuation<'a> {
    /// A collection that copies what lies in `eden` to `to` while there is room, the rest from `old_top` on.
    pub fn new(base: Base, types: Types<'a>, eden: Range, aged: Range, to: Range, old_top: u32, old_end: u32) -> Self {
        let (to_top, old_start) = (to.start, old_top);
        Self { base, types, eden, aged, to, to_top, old_start, old_top, old_end, cards: 0, fault: None }
    }

    /// The reference to write in place of this one.
    ///
    /// # Safety
    /// The spaces are open.
    #[inline(always)]
    pub unsafe fn forward(&mut self, value: u32) -> u32 {
        // One compare for all: not null, no low bits set, young.
        if value.rotate_right(3).wrapping_sub(1) >= (NURSERY_END >> 3) - 1 {
            return value;
        }
        let (space, age) = if self.eden.holds(value) {
            (self.eden, 0)
        } else if self.aged.holds(value) {
            (self.aged, 1)
        } else {
            return value;
        };
        // SAFETY: in a space that is open.
        unsafe {
            let header = self.base.word(value);
            if header & 1 != 0 { header & !1 } else { self.copy(value, header, space, age) }
        }
    }

    /// # Safety
    /// As for [`Evacuation::forward`].
    #[inline(always)]
    unsafe fn copy(&mut self, object: u32, header: u32, space: Range, age: u32) -> u32 {
        let Some(record) = self.types.get(header) else { return self.fail(Fault::Header { object, header }) };
        // SAFETY: objects have at least 8 bytes, and spaces are a multiple of that.
        let size = unsafe { record.size(self.base, object) };
        let within = u64::from(space.start + space.len - object).min(u64::from(LARGE));
        if size.wrapping_sub(1) >= within {
            return self.fail(Fault::Size { object, size });
        }
        let size = size as u32;
        let to = if age == 0 && self.to.start + self.to.len - self.to_top >= size {
            let to = self.to_top;
            self.to_top += size;
            to
        } else if self.old_end - self.old_top >= size {
            let to = self.old_top;
            self.old_top += size;
            // SAFETY: in the open part of the old space.
            unsafe { note_object(self.base, to, to + size) };
            to
        } else {
            return self.fail(Fault::Size { object, size: size.into() });
        };
        // SAFETY: both ranges were checked; offsets and sizes are multiples of 8.
        unsafe {
            copy_words(self.base.at(object).cast(), self.base.at(to).cast(), size / 8);
            self.base.set_word(object, to | 1);
        }
        to
    }

    #[cold]
    fn fail(&mut self, fault: Fault) -> u32 {
        self.fault.get_or_insert(fault);
        0
    }

    /// Visits the references in an object's bytes from `from` to `to`. Whether one is to a young object now.
    ///
    /// # Safety
    /// These bytes are open.
    #[inline(always)]
    unsafe fn scan(&mut self, record: &Record, object: u32, from: u32, to: u32) -> bool {
        let (base, types) = (self.base, self.types);
        let mut young = false;
        // SAFETY: by contract.
        unsafe {
            record.slots(types, base, object, from, to, |slot| {
                let value = *slot;
                let new = self.forward(value);
                if new != value {
                    *slot = new;
                }
                young |= new.rotate_right(3).wrapping_sub(1) < (NURSERY_END >> 3) - 1;
            });
        }
        young
    }

    /// Copies all that can be reached from what was copied so far.
    ///
    /// # Safety
    /// As for [`Evacuation::forward`].
    pub unsafe fn drain(&mut self) {
        let (mut young, mut old) = (self.to.start, self.old_start);
        while self.fault.is_none() && (young < self.to_top || old < self.old_top) {
            while young < self.to_top {
                // SAFETY: copied by this collection, with a size that was checked.
                let Some((record, size)) = (unsafe { self.object(young, self.to_top) }) else { return };
                // SAFETY: as above.
                unsafe { self.scan(record, young, 0, size) };
                young += size;
            }
            while old < self.old_top {
                // SAFETY: as above.
                let Some((record, size)) = (unsafe { self.object(old, self.old_top) }) else { return };
                if record.has_refs() {
                    // SAFETY: as above.
                    unsafe { self.scan_promoted(record, old, size) };
                }
                old += size;
            }
        }
    }

    /// Scans an object that was promoted, and dirties the cards of its young references.
    ///
    /// # Safety
    /// It was copied by this collection.
    #[inline(always)]
    unsafe fn scan_promoted(&mut self, record: &Record, object: u32, size: u32) {
        let mut from = 0;
        while from < size {
            // To the end of the card.
            let to = size.min(((object + from) | 511) + 1 - object);
            // SAFETY: by contract.
            unsafe {
                if self.scan(record, object, from, to) {
                    self.base.card(object + from).write(1);
                }
            }
            from = to;
        }
    }

    /// Record and size of the object at an offset, which ends before `end`.
    ///
    /// # Safety
    /// The 8 bytes there are open.
    #[inline(always)]
    unsafe fn object(&mut self, object: u32, end: u32) -> Option<(&'a Record, u32)> {
        // SAFETY: by contract.
        let header = unsafe { self.base.word(object) };
        let Some(record) = self.types.get(header) else {
            self.fail(Fault::Header { object, header });
            return None;
        };
        // SAFETY: by contract.
        let size = unsafe { record.size(self.base, object) };
        if size.wrapping_sub(1) >= u64::from(end - object) {
            self.fail(Fault::Size { object, size });
            return None;
        }
        Some((record, size as u32))
    }

    /// Visits what the dirty cards of the old space hold. Those stay dirty that hold references to young objects.
    ///
    /// # Safety
    /// As for [`Evacuation::forward`]; called before anything was promoted into the cards, by `drain`.
    pub unsafe fn scan_old_cards(&mut self) {
        let end = self.old_start;
        let (first, last) = (card_of(OLD), end.div_ceil(1 << CARD_SHIFT));
        // SAFETY: the tables are open as far as the space is; cards of one beyond the last are clean.
        unsafe {
            each_dirty(self.base, first, last, |card| self.scan_old_card(card, end));
        }
    }

    /// # Safety
    /// The card is one of the old space, below `end`, the end of its objects.
    unsafe fn scan_old_card(&mut self, card: u32, end: u32) {
        self.cards += 1;
        let start = card << CARD_SHIFT;
        let stop = end.min(start + (1 << CARD_SHIFT));
        // SAFETY: by contract.
        let mut object = unsafe { object_at(self.base, card) };
        let mut young = false;
        while object < stop {
            // SAFETY: below the end of the objects.
            let Some((record, size)) = (unsafe { self.object(object, end) }) else { return };
            let (from, to) = (start.saturating_sub(object), size.min(stop - object));
            if from < to && record.has_refs() {
                // SAFETY: inside of the object.
                young |= unsafe { self.scan(record, object, from, to) };
            }
            object += size;
        }
        // SAFETY: the card's own byte.
        unsafe { self.base.card(start).write(young.into()) };
    }

    /// Visits what the dirty cards of a large object hold.
    ///
    /// # Safety
    /// It is one, of at most this many bytes.
    pub unsafe fn scan_large(&mut self, object: u32, bytes: u64) {
        // SAFETY: by contract.
        let header = unsafe { self.base.word(object) };
        let Some(record) = self.types.get(header) else {
            self.fail(Fault::Header { object, header });
            return;
        };
        let first = card_of(object);
        let last = first + bytes.div_ceil(1 << CARD_SHIFT) as u32;
        // SAFETY: the cards of large objects are open; they begin on a page.
        unsafe {
            each_dirty(self.base, first, last, |card| {
                self.cards += 1;
                let from = (card - first) << CARD_SHIFT;
                let to = bytes.min(u64::from(from) + (1 << CARD_SHIFT)) as u32;
                let young = self.scan(record, object, from, to);
                self.base.card(object + from).write(young.into());
            });
        }
    }
}

/// Calls `visit` for each dirty card from `first`, a multiple of 8, to before `last`.
///
/// # Safety
/// The cards are open, up to a multiple of 8.
#[inline(always)]
unsafe fn each_dirty(base: Base, first: u32, last: u32, mut visit: impl FnMut(u32)) {
    let cards = base.below(CARDS_BELOW);
    // Cards that were asked for and not looked at yet, in a ring, plus one; 0 is none.
    let (mut ahead, mut next) = ([0; AHEAD], 0);
    let mut card = first;
    while card < last {
        // SAFETY: by contract.
        let mut dirty = unsafe { cards.wrapping_add(card as usize).cast::<u64>().read() };
        while dirty != 0 {
            let found = card + dirty.trailing_zeros() / 8;
            dirty &= !(0xff << ((found - card) * 8));
            if found < last {
                prefetch(base.below(CROSSING_BELOW).wrapping_add(found as usize));
                (0..=512)
                    .step_by(64)
                    .for_each(|at| prefetch(base.at(found << CARD_SHIFT).wrapping_add(at).wrapping_sub(64)));
                let arrived = std::mem::replace(&mut ahead[next % AHEAD], found + 1);
                next += 1;
                if arrived != 0 {
                    visit(arrived - 1);
                }
            }
        }
        card += 8;
    }
    for at in 0..AHEAD {
        let arrived = ahead[(next + at) % AHEAD];
        if arrived != 0 {
            visit(arrived - 1);
        }
    }
}

/// Copies words of 8 bytes. Objects are small: a loop does better than a call.
///
/// # Safety
/// Both ranges are open, aligned, and apart.
#[inline(always)]
unsafe fn copy_words(from: *const u64, to: *mut u64, words: u32) {
    if words > 32 {
        // SAFETY: by contract.
        unsafe { to.copy_from_nonoverlapping(from, words as usize) };
        return;
    }
    for at in 0..words as usize {
        // SAFETY: by contract. Volatile, or else the compiler makes the call of it.
        unsafe { to.wrapping_add(at).write_volatile(from.wrapping_add(at).read()) };
    }
}
