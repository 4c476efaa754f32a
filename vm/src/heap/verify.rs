//! The verifier of a heap: walks all objects and sees that the collector left them as it should.

use super::nursery::{EDEN, NURSERY_END};
use super::old::{OLD, card_of, object_at};
use super::record::Kind;
use super::{Fault, Heap, Roots};

impl Heap {
    /// Whether all objects have headers of types with objects, and sizes that fit; all references in them and in the roots
    /// are to the start of an object or to a handle; references to young objects lie in dirty cards; and the
    /// crossing map is right.
    ///
    /// # Errors
    /// The first thing that is wrong.
    ///
    /// # Safety
    /// All objects are initialised, and the slots that `roots` visits are valid.
    pub unsafe fn verify(&self, roots: &mut dyn Roots) -> Result<(), Fault> {
        let aged = self.nursery.aged();
        let mut starts = Vec::new();
        // SAFETY: spaces are open up to their tops.
        unsafe {
            self.walk(aged.start, (aged.start + aged.len).into(), &mut starts)?;
            self.walk(EDEN, self.top().into(), &mut starts)?;
            self.walk(OLD, self.old.top.into(), &mut starts)?;
            for object in self.large.objects() {
                self.walk(object.start, u64::from(object.start) + object.bytes, &mut starts)?;
            }
        }
        starts.sort_unstable();
        for object in &starts {
            // SAFETY: an object, as was just seen.
            unsafe { self.verify_references(*object, &starts)? };
        }
        let mut wrong = None;
        roots.trace(&mut |slot| {
            // SAFETY: by contract.
            let value = unsafe { *slot };
            if !self.is_reference(value, &starts) {
                wrong = Some(Fault::Reference { value });
            }
        });
        wrong.map_or(Ok(()), Err)?;
        self.verify_crossing(&starts)
    }

    /// Collects the starts of the objects in a space.
    ///
    /// # Safety
    /// It is open.
    unsafe fn walk(&self, start: u32, end: u64, starts: &mut Vec<u32>) -> Result<(), Fault> {
        let (base, types) = (self.region.base(), self.records.types());
        let mut at = u64::from(start);
        while at < end {
            let object = at as u32;
            // SAFETY: by contract.
            let header = unsafe { base.word(object) };
            let record = types.get(header).filter(|record| !matches!(record.kind(), Kind::Undefined | Kind::Opaque));
            // SAFETY: by contract.
            let size = unsafe { record.ok_or(Fault::Header { object, header })?.size(base, object) };
            if size == 0 || size > end - at {
                return Err(Fault::Size { object, size });
            }
            starts.push(object);
            at += size;
        }
        Ok(())
    }

    /// # Safety
    /// It is an object.
    unsafe fn verify_references(&self, object: u32, starts: &[u32]) -> Result<(), Fault> {
        let (base, types) = (self.region.base(), self.records.types());
        let mut wrong = None;
        // SAFETY: by contract.
        unsafe {
            let header = base.word(object);
            let record = types.get(header).ok_or(Fault::Header { object, header })?;
            record.slots(types, base, object, 0, record.size(base, object) as u32, |slot| {
                let value = *slot;
                let at = (slot.addr() - base.0.addr()) as u32;
                if !self.is_reference(value, starts) {
                    wrong = Some(Fault::Reference { value });
                }
                let young = value != 0 && value & 7 == 0 && value < NURSERY_END;
                if young && at >= OLD && *base.card(at) == 0 {
                    wrong = Some(Fault::Card { object, slot: at });
                }
            });
        }
        wrong.map_or(Ok(()), Err)
    }

    fn is_reference(&self, value: u32, starts: &[u32]) -> bool {
        match value & 7 {
            0 => value == 0 || starts.binary_search(&value).is_ok(),
            2 => self.handles.is_taken(value),
            low => low & 1 != 0,
        }
    }

    fn verify_crossing(&self, starts: &[u32]) -> Result<(), Fault> {
        for card in card_of(OLD)..self.old.top.div_ceil(512) {
            let begins = card << 9;
            let covers = starts[..starts.partition_point(|start| *start <= begins)].last().copied();
            // SAFETY: a card below the top.
            if covers != Some(unsafe { object_at(self.region.base(), card) }) {
                return Err(Fault::Crossing { card });
            }
        }
        Ok(())
    }
}
