//! The order of events in a collection, and what sizes the spaces have after it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

impl Heap {
    /// Collects the nursery.
    ///
    /// # Safety
    /// As for [`Heap::collect`].
    pub(super) unsafe fn collect_nursery(&mut self, roots: &mut dyn Roots) {
        let begin = self.checks.timed.then(Instant::now);
        // SAFETY: by contract.
        unsafe { self.evacuate(false, roots) };
        self.prepare();
        if let Some(begin) = begin {
            self.statistics.minor_pauses.add(begin.elapsed());
        }
        // SAFETY: by contract.
        unsafe { self.look(roots) };
    }

    /// Collects everything.
    ///
    /// # Safety
    /// As for [`Heap::collect`].
    pub(super) unsafe fn collect_all(&mut self, roots: &mut dyn Roots) {
        let begin = self.checks.timed.then(Instant::now);
        // SAFETY: by contract.
        let dead = unsafe {
            self.evacuate(true, roots);
            self.mark(roots)
        };
        if self.fault.is_none() {
            // SAFETY: all that is live is marked.
            let outcome = unsafe { self.compact(roots) };
            self.fault = outcome.err();
        }
        self.shrink();
        self.prepare();
        self.statistics.major += 1;
        if let Some(begin) = begin {
            self.statistics.major_pauses.add(begin.elapsed());
        }
        // SAFETY: by contract.
        unsafe { self.look(roots) };
        // Last, since it runs code of the host. Frames of guests are below, which no panic passes: the hook told of it.
        for value in dead {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
        }
    }

    /// Empties eden. Promotes `everything`, or what survived before.
    ///
    /// # Safety
    /// As for [`Heap::collect`].
    unsafe fn evacuate(&mut self, everything: bool, roots: &mut dyn Roots) {
        if self.fault.is_some() {
            return;
        }
        let base = self.region.base();
        let eden = Range { start: EDEN, len: self.top() - EDEN };
        let aged = self.nursery.aged();
        let mut to = self.nursery.empty();
        if everything {
            to.len = 0;
        }
        let end = self.old.end();
        let mut evacuation = Evacuation::new(base, self.records.types(), eden, aged, to, self.old.top, end);
        let mut slots = 0;
        // SAFETY: by contract; there is room for the whole nursery behind the old objects.
        unsafe {
            roots.trace(&mut |slot| {
                slots += 1;
                let value = *slot;
                let new = evacuation.forward(value);
                if new != value {
                    *slot = new;
                }
            });
            evacuation.scan_old_cards();
            for object in self.large.objects().filter(|object| object.refs) {
                evacuation.scan_large(object.start, object.bytes);
            }
            evacuation.drain();
        }
        let (survived, promoted) = (evacuation.to_top - to.start, evacuation.old_top - self.old.top);
        let cards = evacuation.cards;
        self.fault = evacuation.fault;
        self.old.top = evacuation.old_top;
        self.nursery.current = 1 - self.nursery.current;
        self.nursery.aged = survived;
        // What finding a root or scanning a card costs, in bytes that are copied meanwhile.
        self.nursery.adapt(u64::from(survived) + u64::from(promoted) + cards * 1024 + slots * 32);
        self.set_top(EDEN);
        self.statistics.minor += 1;
        self.statistics.copied += u64::from(survived);
        self.statistics.promoted += u64::from(promoted);
        self.statistics.cards += cards;
        if self.checks.poison {
            // SAFETY: these ranges hold nothing any more.
            unsafe {
                poison(base.at(eden.start), eden.len.into());
                poison(base.at(aged.start), aged.len.into());
            }
        }
    }

    /// Marks what is live, and frees large objects and handles that are not. Returns the values of these.
    ///
    /// # Safety
    /// As for [`Heap::collect`]; the nursery is empty.
    unsafe fn mark(&mut self, roots: &mut dyn Roots) -> Vec<HostValue> {
        if self.fault.is_some() {
            return Vec::new();
        }
        let base = self.region.base();
        self.old.clear_marks();
        self.handles.unmark();
        let types = self.records.types();
        let mut marker = Marker::new(base, types, self.old.top, &mut self.large, &mut self.handles, self.mark_stack);
        // SAFETY: by contract.
        unsafe {
            roots.trace(&mut |slot| marker.visit(*slot));
            marker.finish();
        }
        self.fault = marker.fault;
        if self.fault.is_some() {
            return Vec::new();
        }
        let filled = self.checks.poison;
        self.large.sweep(|object| {
            if filled {
                // SAFETY: the object's own bytes, which nothing refers to.
                unsafe { poison(base.at(object.start), object.bytes) };
            }
        });
        self.handles.sweep()
    }

    /// Slides the old objects together.
    ///
    /// # Safety
    /// As for [`Heap::collect`]; what is live is marked, and what is not is gone from the large objects.
    unsafe fn compact(&mut self, roots: &mut dyn Roots) -> Result<(), Fault> {
        let base = self.region.base();
        let before = self.old.top;
        // SAFETY: by contract.
        unsafe {
            let compaction = Compaction::new(base, self.records.types(), before);
            roots.trace(&mut |slot| *slot = compaction.forward(*slot));
            for object in self.large.objects().filter(|object| object.refs) {
                compaction.update(object.start, object.bytes)?;
            }
            self.old.top = compaction.slide()?;
            if self.checks.poison {
                poison(base.at(self.old.top), u64::from(before - self.old.top));
            }
        }
        // Nothing is young.
        self.old.clean_cards();
        self.large.clean_cards();
        Ok(())
    }

    /// Gives memory back after a major collection, and says when the next is due.
    fn shrink(&mut self) {
        let live = self.old.used() + self.large.used();
        self.threshold = (live * 2).max(live + LEAST_GROWTH);
        // What will soon be used again is kept, unless memory is short.
        let more = LEAST_GROWTH.max(live / 2);
        let keep = if self.region.room() < more / 2 { 0 } else { more };
        let eden = self.nursery.budget as usize;
        self.nursery.eden.release(&mut self.region, eden);
        self.nursery.survivors.iter_mut().for_each(|part| part.release(&mut self.region, eden / 2));
        self.old.release(&mut self.region, keep as usize);
        self.large.close(&mut self.region, keep);
    }

    /// Chooses the size of eden, and makes sure of the old space that goes with it.
    pub(super) fn prepare(&mut self) {
        let aged = self.nursery.aged as usize;
        let most = self.region.ceiling() / 16;
        let mut eden = u64::from(self.nursery.budget).min(most).max(LEAST_EDEN.into()) as usize;
        let limit = self.large.low() / large::CARD_GROUP * large::CARD_GROUP;
        loop {
            if eden < LEAST_FREE as usize {
                eden = self.old.free().saturating_sub(aged).min(self.nursery.eden.opened());
                break;
            }
            self.nursery.eden.release(&mut self.region, eden);
            if self.nursery.eden.hold(&mut self.region, eden) && self.old.hold(&mut self.region, aged + eden, limit) {
                break;
            }
            eden /= 2;
        }
        let empty = 1 - self.nursery.current;
        self.nursery.survivors[empty].hold(&mut self.region, eden / 2);
        self.nursery.limit = EDEN + eden as u32 / 8 * 8;
        self.set_top(EDEN);
    }

    /// Looks at all objects, where that is wanted.
    ///
    /// # Safety
    /// As for [`Heap::verify`].
    unsafe fn look(&mut self, roots: &mut dyn Roots) {
        if self.checks.verify && self.fault.is_none() {
            // SAFETY: by contract.
            self.fault = unsafe { self.verify(roots) }.err();
        }
    }
}

/// Fills memory with what is no reference and no header.
///
/// # Safety
/// It is open, and holds nothing.
unsafe fn poison(start: *mut u8, bytes: u64) {
    for at in 0..bytes as usize / 8 {
        // SAFETY: by contract.
        unsafe { start.cast::<u64>().wrapping_add(at).write(POISON) };
    }
}
