//! The mark phase of a major collection. The nursery is empty meanwhile.
//!
//! All words of a live object are marked in the bitmap, so that what is before an address can be counted. The stack
//! is bounded: what does not fit is only marked, and found again by a walk over the marked objects between the
//! lowest and the highest of those that did not fit.

use super::Fault;
use super::handles::Handles;
use super::large::Large;
use super::old::OLD;
use super::record::Types;
use super::region::{Base, prefetch};

/// Elements of an array that are visited at a time.
const STRETCH: u32 = 1024;
/// Objects that wait for the cache at a time.
const AHEAD: usize = 16;

/// A mark phase under way.
pub struct Marker<'a> {
    base: Base,
    types: Types<'a>,
    top: u32,
    large: &'a mut Large,
    handles: &'a mut Handles,
    /// Objects to be visited, and from which element on.
    stack: Vec<(u32, u32)>,
    most: usize,
    /// Old objects that were asked for and not looked at yet, in a ring; 0 is none.
    ahead: [u32; AHEAD],
    next: usize,
    /// Lowest and highest old object that did not fit on the stack.
    missed: Option<(u32, u32)>,
    missed_large: bool,
    /// What was found to be wrong with the heap.
    pub fault: Option<Fault>,
}

impl<'a> Marker<'a> {
    /// Begins; all is unmarked. The stack holds at most `most` objects.
    pub fn new(
        base: Base,
        types: Types<'a>,
        top: u32,
        large: &'a mut Large,
        handles: &'a mut Handles,
        most: usize,
    ) -> Self {
        Self {
            base,
            types,
            top,
            large,
            handles,
            stack: Vec::new(),
            most,
            ahead: [0; AHEAD],
            next: 0,
            missed: None,
            missed_large: false,
            fault: None,
        }
    }

    /// Marks what a reference names.
    ///
    /// # Safety
    /// The old space is open up to its top, and so is its part of the bitmap.
    #[inline(always)]
    pub unsafe fn visit(&mut self, value: u32) {
        match value & 7 {
            0 if value == 0 => {}
            // SAFETY: by contract.
            0 if value.wrapping_sub(OLD) < self.top - OLD => unsafe { self.await_old(value) },
            0 => self.visit_large(value),
            2 if self.handles.mark(value) => {}
            2 => self.fail(Fault::Reference { value }),
            _ => {}
        }
    }

    /// Asks for an object and its mark, and looks at the one that was asked for some time ago.
    ///
    /// # Safety
    /// As for [`Marker::visit`]; the object is below the top.
    #[inline(always)]
    unsafe fn await_old(&mut self, object: u32) {
        prefetch(self.base.marks(object).cast());
        prefetch(self.base.at(object));
        let arrived = std::mem::replace(&mut self.ahead[self.next % AHEAD], object);
        self.next = self.next.wrapping_add(1);
        if arrived != 0 {
            // SAFETY: by contract.
            unsafe { self.visit_old(arrived) };
        }
    }

    /// # Safety
    /// As for [`Marker::visit`]; the object is below the top.
    #[inline(always)]
    unsafe fn visit_old(&mut self, object: u32) {
        // SAFETY: by contract.
        unsafe {
            if is_marked(self.base, object) {
                return;
            }
            let header = self.base.word(object);
            let Some(record) = self.types.get(header) else { return self.fail(Fault::Header { object, header }) };
            let size = record.size(self.base, object);
            if size.wrapping_sub(1) >= u64::from(self.top - object) {
                return self.fail(Fault::Size { object, size });
            }
            mark(self.base, object, size as u32);
            if record.has_refs() && !self.push(object, 0) {
                let (low, high) = self.missed.unwrap_or((object, object));
                self.missed = Some((low.min(object), high.max(object)));
            }
        }
    }

    fn visit_large(&mut self, value: u32) {
        match self.large.find(value) {
            Some(object) if object.marked => {}
            Some(object) => {
                object.marked = true;
                if object.refs && !self.push(value, 0) {
                    self.missed_large = true;
                }
            }
            None => self.fail(Fault::Reference { value }),
        }
    }

    #[inline(always)]
    fn push(&mut self, object: u32, from: u32) -> bool {
        let fits = self.stack.len() < self.most;
        if fits {
            self.stack.push((object, from));
        }
        fits
    }

    #[cold]
    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// Marks all that can be reached from what was visited.
    ///
    /// # Safety
    /// As for [`Marker::visit`].
    pub unsafe fn finish(&mut self) {
        // SAFETY: by contract.
        unsafe {
            self.drain();
            while self.fault.is_none() && (self.missed.is_some() || self.missed_large) {
                if let Some((low, high)) = self.missed.take() {
                    let mut object = low;
                    while object <= high {
                        let Some(size) = self.scan(object, 0) else { return };
                        self.drain();
                        object = next_marked(self.base, object + size, self.top);
                    }
                }
                if std::mem::take(&mut self.missed_large) {
                    let marked: Vec<u32> = self
                        .large
                        .objects()
                        .filter(|object| object.marked && object.refs)
                        .map(|object| object.start)
                        .collect();
                    for object in marked {
                        self.scan(object, 0);
                        self.drain();
                    }
                }
            }
        }
    }

    /// # Safety
    /// As for [`Marker::visit`].
    unsafe fn drain(&mut self) {
        loop {
            while let Some((object, from)) = self.stack.pop() {
                // SAFETY: only marked objects are pushed.
                if unsafe { self.scan(object, from) }.is_none() {
                    return;
                }
            }
            for object in std::mem::take(&mut self.ahead).into_iter().filter(|object| *object != 0) {
                // SAFETY: only objects below the top are asked for.
                unsafe { self.visit_old(object) };
            }
            if self.stack.is_empty() {
                return;
            }
        }
    }

    /// Visits the references of a marked object: of an array those of a stretch, and pushes what remains. The object's
    /// bytes if it is an old one.
    ///
    /// # Safety
    /// As for [`Marker::visit`]; the object was marked.
    #[inline(always)]
    unsafe fn scan(&mut self, object: u32, from: u32) -> Option<u32> {
        let (base, types) = (self.base, self.types);
        // SAFETY: by contract.
        unsafe {
            let header = base.word(object);
            let Some(record) = types.get(header) else {
                self.fail(Fault::Header { object, header });
                return None;
            };
            let size = record.size(base, object);
            let end = if object < self.top { u64::from(self.top) } else { self.large.end_of(object) };
            if size.wrapping_sub(1) >= end - u64::from(object) {
                self.fail(Fault::Size { object, size });
                return None;
            }
            // A size below 4 GiB fits, since objects end before the heap does.
            let size = size as u32;
            if !record.is_ref_array() {
                record.slots(types, base, object, 0, size, |slot| self.visit(*slot));
                return Some(size);
            }
            let (mut from, end) = (from, base.word(object + 4));
            while from < end {
                let to = end.min(from + STRETCH);
                // There is room: this entry was popped just now. Otherwise it goes on here.
                let later = to < end && self.push(object, to);
                record.slots(types, base, object, 8 + from * 4, 8 + to * 4, |slot| self.visit(*slot));
                if later {
                    break;
                }
                from = to;
            }
            Some(size)
        }
    }
}

/// Whether the word of 8 bytes at an offset belongs to a marked object.
///
/// # Safety
/// The bitmap is open there.
#[inline(always)]
pub unsafe fn is_marked(base: Base, offset: u32) -> bool {
    // SAFETY: by contract.
    unsafe { *base.marks(offset) >> (offset >> 3 & 63) & 1 != 0 }
}

/// Marks all words of an object.
///
/// # Safety
/// The bitmap is open there; `size` is a multiple of 8 and not 0.
#[inline(always)]
unsafe fn mark(base: Base, object: u32, size: u32) {
    let place = base.marks(object);
    let (first, words) = (object >> 3 & 63, size >> 3);
    // SAFETY: by contract.
    unsafe {
        if first + words <= 64 {
            *place |= u64::MAX >> (64 - words) << first;
            return;
        }
        *place |= u64::MAX << first;
        let mut left = first + words - 64;
        let mut place = place.wrapping_add(1);
        while left >= 64 {
            *place = u64::MAX;
            place = place.wrapping_add(1);
            left -= 64;
        }
        if left > 0 {
            *place |= u64::MAX >> (64 - left);
        }
    }
}

/// The first marked word from an offset on, `top` if there is none before.
///
/// # Safety
/// The bitmap is open up to `top`.
#[inline(always)]
pub unsafe fn next_marked(base: Base, from: u32, top: u32) -> u32 {
    let mut at = from;
    while at < top {
        // SAFETY: by contract.
        let bits = unsafe { *base.marks(at) } >> (at >> 3 & 63);
        if bits != 0 {
            return at + bits.trailing_zeros() * 8;
        }
        at = (at | 511) + 1;
    }
    top
}
