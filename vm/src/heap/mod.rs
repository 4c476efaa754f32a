//! The garbage-collected heap of a store.
//!
//! It is one reserved range of address space. References are 32-bit offsets into it, so whatever a reference is,
//! what it leads to is inside:
//!
//! ```text
//!                                          base
//!  ┌─────────┬───────┬────────────┬──────────┬───────┼──────┬─────────┬─────┬───────────────────┬───────┐
//!  │ type    │ mark  │ forwarding │ crossing │ cards │ null │ nursery │     │ old ──►    ◄── large│ guard │
//!  │ records │ bits  │ table      │ map      │       │ guard│         │     │      objects      │       │
//!  └─────────┴───────┴────────────┴──────────┴───────┼──────┴─────────┴─────┴───────────────────┴───────┘
//!  -240 MiB  -112    -48          -16        -8 MiB  0   256 KiB   64 MiB  128 MiB          4 GiB  + 1 MiB
//! ```
//!
//! * **References**: 0 is null; the low bit 1 an i31; the low three bits 010 a host handle ([`handles`]); otherwise the
//!   offset of an object, a multiple of 8.
//! * **Objects** begin with their header, by which their type's [`record`] is found. Arrays have their length at
//!   [`LENGTH_AT`] and elements from [`ELEMENTS_AT`] on; fields of structs begin at [`FIELDS_AT`].
//! * **Allocation** bumps [`HeapView::top`] up to [`HeapView::limit`], in compiled code inline for objects of less than
//!   [`LARGE`] bytes; else [`Heap::allocate_struct`] and [`Heap::allocate_array`] do it, and may collect. What is allocated has
//!   a header (and length), but its contents are undefined: the caller fills them before anything else is allocated.
//! * **Write barrier**: whoever stores a reference into an object that may be old dirties the card of the slot:
//!   `card[offset >> CARD_SHIFT] = 1`, the table beginning [`CARDS_BELOW`] below the base. Filling an object
//!   that was just allocated needs none, wherever it was born.
//! * **Collections** of the [`nursery`] copy; major ones first promote all that is young, then [`mark`] and
//!   [`compact`] the [`old`] space and sweep [`large`] objects.
//!
//! Invariant: outside of a collection every header is that of a type with objects, and every reference is null, an i31, a
//! handle or to the start of an object. The heap does not rely on it for memory safety: should it be broken, a
//! collection ends with a [`Fault`], inside of the reservation, and so does every later allocation.
//!
//! Invariant: behind the old objects there is always room for all of the nursery.

mod collect;
pub mod compact;
pub mod handles;
pub mod large;
pub mod mark;
pub mod nursery;
pub mod old;
pub mod record;
pub mod region;
pub mod statistics;
#[cfg(test)]
mod tests;
pub mod verify;

use std::io;
use std::ptr::NonNull;
use std::time::Instant;

use compact::Compaction;
use handles::{Handles, HostValue};
use large::Large;
use mark::Marker;
use nursery::{EDEN, Evacuation, LEAST_EDEN, NURSERY_END, Nursery, Range};
use old::{OLD, Old};
pub use record::{DEEP_AT, DEPTH_AT, DISPLAY, DISPLAY_AT, Layout, Shape, header, header_of, is_subtype};
use record::{Kind, Records};
pub use region::{CARD_SHIFT, CARDS_BELOW, RECORDS_BELOW, RESERVATION};
use region::{GRAIN, HEAP, Part, Region};
use statistics::Statistics;

use crate::types::TypeId;

/// Offset of a struct's first field.
pub const FIELDS_AT: u32 = 4;
/// Offset of an array's length.
pub const LENGTH_AT: u32 = 4;
/// Offset of an array's elements.
pub const ELEMENTS_AT: u32 = 8;
/// Objects of this many bytes or more are not born in the nursery.
pub const LARGE: u32 = 32 << 10;

/// Bytes that may be allocated after a major collection before the next, at least.
const LEAST_GROWTH: u64 = 32 << 20;
/// Bytes that must be free after a collection, or else memory counts as short.
const LEAST_FREE: u64 = 64 << 10;
/// Objects that the mark phase's stack holds at most.
const MARK_STACK: usize = 1 << 20;
/// Where every allocation collects, one in this many does a major collection.
const MAJOR_TURN: u64 = 16;
/// What freed memory is filled with for tests: no header, and no reference.
const POISON: u64 = 0xdead_beee_dead_beee;

/// What compiled code sees of a heap.
#[derive(Debug)]
#[repr(C)]
pub struct HeapView {
    /// Where offsets are relative to.
    pub base: *mut u8,
    /// Offset at which the next object is born.
    pub top: u32,
    /// Offset that `top` may not pass.
    pub limit: u32,
}

impl HeapView {
    /// Of no heap yet: nothing can be allocated.
    pub const fn new() -> Self {
        Self { base: std::ptr::null_mut(), top: 0, limit: 0 }
    }
}

impl Default for HeapView {
    fn default() -> Self {
        Self::new()
    }
}

/// What is checked and measured as a program runs; all but the last for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Checks {
    /// Every allocation takes the slow path and collects.
    pub every_allocation: bool,
    /// Memory that was freed is filled with what is no reference and no header.
    pub poison: bool,
    /// After each collection all objects are looked at.
    pub verify: bool,
    /// Pauses are measured.
    pub timed: bool,
}

/// Where references into the heap are kept outside of it.
pub trait Roots {
    /// Calls `visit` with every slot, with each once. A collection does this up to three times.
    fn trace(&mut self, visit: &mut dyn FnMut(*mut u32));
}

/// Why an allocation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeapError {
    /// The memory limit, or what an offset can say, is reached. The heap is whole.
    #[error("out of memory")]
    OutOfMemory,
    /// There are as many host handles as there may be. The heap is whole.
    #[error("too many host values are referred to")]
    OutOfHandles,
    /// A check or a collection found something wrong; nothing can be allocated any more.
    #[error("the heap is corrupt: {0}")]
    Corrupt(#[from] Fault),
}

/// What is wrong with a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An object whose header names no type with objects.
    #[error("the object at {object:#x} has the header {header:#x}")]
    Header {
        /// Its offset.
        object: u32,
        /// Its header.
        header: u32,
    },
    /// An object that does not fit where it is.
    #[error("the object at {object:#x} seems to have {size} bytes")]
    Size {
        /// Its offset.
        object: u32,
        /// Its size.
        size: u64,
    },
    /// A reference to what is no object.
    #[error("{value:#x} is no reference")]
    Reference {
        /// The reference.
        value: u32,
    },
    /// A reference to a young object that the next collection would not see.
    #[error("the slot at {slot:#x} of the object at {object:#x} refers to a young object, and its card is clean")]
    Card {
        /// The object's offset.
        object: u32,
        /// The slot's offset.
        slot: u32,
    },
    /// An entry of the crossing map that leads elsewhere.
    #[error("the crossing map is wrong for card {card}")]
    Crossing {
        /// The card.
        card: u32,
    },
}

/// A garbage-collected heap.
#[derive(Debug)]
pub struct Heap {
    view: *mut HeapView,
    region: Region,
    records: Records,
    nursery: Nursery,
    old: Old,
    large: Large,
    handles: Handles,
    checks: Checks,
    fault: Option<Fault>,
    /// Bytes of old and large objects from which on there is a major collection.
    threshold: u64,
    turn: u64,
    mark_stack: usize,
    statistics: Statistics,
}

// SAFETY: the range has one owner, and the view belongs to the store that the heap belongs to.
unsafe impl Send for Heap {}

impl Heap {
    /// An empty heap, which keeps `view` up to date. At most `handles` host handles at a time.
    ///
    /// # Errors
    /// If there is no address space.
    ///
    /// # Safety
    /// `view` outlives the heap, and is written by nobody but it and code that allocates.
    pub unsafe fn new(view: *mut HeapView, handles: usize, checks: Checks) -> io::Result<Self> {
        let mut region = Region::new()?;
        let base = region.base();
        // The barrier also dirties the cards of young objects.
        region.allow(u64::MAX);
        if !Part::new(base.card(0), (NURSERY_END >> CARD_SHIFT) as usize, GRAIN)
            .hold(&mut region, (NURSERY_END >> CARD_SHIFT) as usize)
        {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: by contract.
        unsafe { view.write(HeapView { base: base.0, top: EDEN, limit: 0 }) };
        Ok(Self {
            view,
            records: Records::new(base),
            nursery: Nursery::new(base),
            old: Old::new(base),
            large: Large::new(base),
            handles: Handles::new(handles),
            checks,
            fault: None,
            threshold: LEAST_GROWTH,
            turn: 0,
            mark_stack: MARK_STACK,
            statistics: Statistics::default(),
            region,
        })
    }

    /// Whether a type is known.
    pub fn is_defined(&self, id: TypeId) -> bool {
        self.records.types().get(header_of(id)).is_some_and(|record| record.kind() != Kind::Undefined)
    }

    /// Makes a type known. Does nothing if it is known.
    ///
    /// # Errors
    /// If there is no memory for its record, or the shape makes no sense.
    pub fn define(&mut self, id: TypeId, shape: &Shape) -> io::Result<()> {
        self.region.allow(u64::MAX);
        self.records.define(&mut self.region, id, shape)
    }

    /// Bytes that are charged to the store's memory limit.
    pub fn committed(&self) -> u64 {
        self.region.committed()
    }

    /// Addresses that belong to the heap: a fault there is an access through null, or to what is no object.
    pub fn addresses(&self) -> std::ops::Range<usize> {
        let start = self.region.base().below(RECORDS_BELOW).addr();
        start..start + RESERVATION
    }

    /// Bytes of objects, those counted that are dead and were not yet collected.
    pub fn used(&self) -> u64 {
        u64::from(self.top() - EDEN) + u64::from(self.nursery.aged) + self.old.used() + self.large.used()
    }

    /// What collections did.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// What was found to be wrong with the heap, if anything was.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Host handles.
    pub fn handles(&self) -> &Handles {
        &self.handles
    }

    /// Host handles. [`Heap::insert_handle`] and [`Heap::reserve_handles`] collect if there are too many to insert more.
    pub fn handles_mut(&mut self) -> &mut Handles {
        &mut self.handles
    }

    /// A reference to a value of the host, which is dropped once a major collection finds it unreachable.
    ///
    /// # Errors
    /// If there are too many even after a major collection.
    ///
    /// # Safety
    /// As for [`Heap::collect`].
    pub unsafe fn insert_handle(
        &mut self,
        value: HostValue,
        room: u64,
        roots: &mut dyn Roots,
    ) -> Result<u32, HeapError> {
        // SAFETY: by contract.
        unsafe { self.reserve_handles(&mut |_| 1, room, roots)? };
        self.handles.insert(value).map_err(|_| HeapError::OutOfHandles)
    }

    /// Makes sure that as many handles can be inserted as are `wanted`, which is asked again after a collection. Collections
    /// that follow change nothing about it: what they take from those that are known they give to those that can be.
    ///
    /// # Errors
    /// If there are too many even after a major collection.
    ///
    /// # Safety
    /// As for [`Heap::collect`].
    pub unsafe fn reserve_handles(
        &mut self,
        wanted: &mut dyn FnMut(&Handles) -> usize,
        room: u64,
        roots: &mut dyn Roots,
    ) -> Result<(), HeapError> {
        let mut fits = |handles: &Handles| handles.len() + wanted(handles) <= handles.limit();
        if fits(&self.handles) {
            return Ok(());
        }
        // SAFETY: by contract.
        unsafe { self.collect(true, room, roots) };
        self.check()?;
        if fits(&self.handles) { Ok(()) } else { Err(HeapError::OutOfHandles) }
    }

    /// Allocates a struct, with its header. `room` is by how many bytes [`Heap::committed`] may grow. May collect.
    ///
    /// # Errors
    /// If there is no memory, or the heap is corrupt.
    ///
    /// # Safety
    /// `id` is a struct type that was defined. Otherwise as for [`Heap::collect`].
    pub unsafe fn allocate_struct(&mut self, id: TypeId, room: u64, roots: &mut dyn Roots) -> Result<u32, HeapError> {
        let header = header_of(id);
        let Some(record) = self.records.types().get(header).filter(|record| record.kind() == Kind::Struct) else {
            return Err(Fault::Header { object: 0, header }.into());
        };
        let (bytes, refs) = (record.struct_size().into(), record.has_refs());
        // SAFETY: by contract; the object's first word was just allocated.
        unsafe {
            let object = self.allocate(bytes, refs, room, roots)?;
            self.region.base().set_word(object, header);
            Ok(object)
        }
    }

    /// Allocates an array of `len` elements, with its header and length. `room` is by how many bytes [`Heap::committed`] may grow. May collect.
    ///
    /// # Errors
    /// If there is no memory, or the heap is corrupt.
    ///
    /// # Safety
    /// `id` is an array type that was defined. Otherwise as for [`Heap::collect`].
    pub unsafe fn allocate_array(
        &mut self,
        id: TypeId,
        len: u32,
        room: u64,
        roots: &mut dyn Roots,
    ) -> Result<u32, HeapError> {
        let header = header_of(id);
        let Some(record) = self.records.types().get(header).filter(|record| record.kind() == Kind::Array) else {
            return Err(Fault::Header { object: 0, header }.into());
        };
        let (bytes, refs) = (record.array_size(len), record.has_refs());
        // SAFETY: by contract; the object's first words were just allocated.
        unsafe {
            let object = self.allocate(bytes, refs, room, roots)?;
            self.region.base().set_word(object, header);
            self.region.base().set_word(object + LENGTH_AT, len);
            Ok(object)
        }
    }

    /// Collects the nursery, and if `major`, all. `room` is by how many bytes [`Heap::committed`] may grow.
    ///
    /// # Safety
    /// `roots` visits every slot outside of the heap that holds a reference, and they are valid. All objects
    /// are initialised. No code runs that allocates or reads the heap.
    pub unsafe fn collect(&mut self, major: bool, room: u64, roots: &mut dyn Roots) {
        self.region.allow(room);
        // SAFETY: by contract.
        unsafe {
            if major {
                self.collect_all(roots);
            } else {
                self.collect_nursery(roots);
            }
        }
    }

    /// # Safety
    /// As for [`Heap::collect`].
    unsafe fn allocate(&mut self, bytes: u64, refs: bool, room: u64, roots: &mut dyn Roots) -> Result<u32, HeapError> {
        self.check()?;
        self.region.allow(room);
        // SAFETY: by contract.
        unsafe {
            if self.checks.every_allocation {
                self.turn += 1;
                if self.turn.is_multiple_of(MAJOR_TURN) {
                    self.collect_all(roots)
                } else {
                    self.collect_nursery(roots)
                };
                self.check()?;
            }
            match u32::try_from(bytes) {
                Ok(bytes) if bytes < LARGE => self.allocate_young(bytes, roots),
                _ => self.allocate_large(bytes, refs, roots),
            }
        }
    }

    /// # Safety
    /// As for [`Heap::collect`].
    unsafe fn allocate_young(&mut self, bytes: u32, roots: &mut dyn Roots) -> Result<u32, HeapError> {
        if let Some(object) = self.bump(bytes) {
            return Ok(object);
        }
        // SAFETY: by contract.
        unsafe {
            if self.old.used() + self.large.used() < self.threshold {
                self.collect_nursery(roots);
                self.check()?;
                if self.free() >= LEAST_FREE
                    && let Some(object) = self.bump(bytes)
                {
                    return Ok(object);
                }
            }
            self.collect_all(roots);
        }
        self.check()?;
        // A little more than nothing must be free, or else the next collections would follow each other closely.
        let live = self.old.used() + self.large.used();
        if self.free() + self.region.room() < LEAST_FREE.max(live / 64) {
            return Err(HeapError::OutOfMemory);
        }
        self.bump(bytes).ok_or(HeapError::OutOfMemory)
    }

    /// # Safety
    /// As for [`Heap::collect`].
    unsafe fn allocate_large(&mut self, bytes: u64, refs: bool, roots: &mut dyn Roots) -> Result<u32, HeapError> {
        let mut object = None;
        if self.old.used() + self.large.used() + bytes <= self.threshold {
            object = self.large.allocate(&mut self.region, bytes, refs, self.old.end().into());
        }
        if object.is_none() && bytes <= HEAP {
            // SAFETY: by contract.
            unsafe { self.collect_all(roots) };
            self.check()?;
            object = self.large.allocate(&mut self.region, bytes, refs, self.old.end().into());
        }
        let object = object.ok_or(HeapError::OutOfMemory)?;
        if refs {
            // Its first references are stored without a barrier.
            self.mark_cards(object, bytes);
        }
        Ok(object)
    }

    /// Takes room in eden, if there is some.
    fn bump(&mut self, bytes: u32) -> Option<u32> {
        let top = self.top();
        if self.nursery.limit - top < bytes {
            return None;
        }
        self.set_top(top + bytes);
        Some(top)
    }

    /// Bytes that are free in eden.
    fn free(&self) -> u64 {
        (self.nursery.limit - self.top()).into()
    }

    /// Offset of the end of the objects in eden.
    fn top(&self) -> u32 {
        // SAFETY: the view outlives the heap.
        unsafe { (*self.view).top }.clamp(EDEN, self.nursery.limit)
    }

    fn set_top(&mut self, top: u32) {
        let slow = self.checks.every_allocation || self.fault.is_some();
        let limit = if slow { 0 } else { self.nursery.limit };
        // SAFETY: as in `top`.
        unsafe {
            (*self.view).top = top;
            (*self.view).limit = limit;
        }
    }

    fn check(&self) -> Result<(), HeapError> {
        self.fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Dirties the card of a slot into which a reference was stored.
    #[inline]
    pub fn mark_card(&mut self, slot: u32) {
        self.mark_cards(slot, 4);
    }

    /// Dirties the cards of a range into which references were stored.
    pub fn mark_cards(&mut self, start: u32, bytes: u64) {
        if bytes == 0 || self.bytes(start, bytes).is_none() {
            return;
        }
        let last = u64::from(start) + bytes - 1;
        let cards = (last >> CARD_SHIFT) - (u64::from(start) >> CARD_SHIFT) + 1;
        // SAFETY: the cards of what is open are open.
        unsafe { self.region.base().card(start).write_bytes(1, cards as usize) };
    }

    /// Where a range of the heap is in memory, if all of it is accessible.
    #[inline]
    pub fn bytes(&self, start: u32, bytes: u64) -> Option<NonNull<u8>> {
        let end = u64::from(start).checked_add(bytes)?;
        let within = |from: u32, len: usize| start >= from && end <= u64::from(from) + len as u64;
        let nursery = || {
            let spaces = [
                (EDEN, &self.nursery.eden),
                (self.nursery.aged().start, &self.nursery.survivors[self.nursery.current]),
            ];
            spaces.into_iter().any(|(from, part)| within(from, part.opened()))
        };
        let old = || within(OLD, (self.old.end() - OLD) as usize);
        let large = || end <= HEAP && u64::from(start) >= self.large.low() && self.large.is_open(start, end);
        if nursery() || old() || large() { NonNull::new(self.region.base().at(start)) } else { None }
    }
}
