//! Type records: what the collector, casts and compiled code know of a type, at a place that an object's
//! header says.
//!
//! ```text
//!  header = (id + 1) << 6          record = base - RECORDS_BELOW + header
//!
//!   0 kind  1 shift  2 refs  3 simple    4 size    8 which words of a simple struct are references
//!  16 list of another's references      20 depth  24 where the whole display stands
//!  32 display: the headers of the supertypes, outermost first, itself at its own depth, 0 beyond
//! ```
//!
//! A cast to a type of depth d < 8 compares `display[d]` with that type's header. For deeper ones the
//! display stands in a second area, at [`DEEP_AT`] bytes from the first record, `depth + 1` words long.

use std::io;
use std::mem::offset_of;

use super::region::{Base, GRAIN, MARKS_BELOW, Part, RECORDS_BELOW, Region};
use crate::types::TypeId;

/// Where in a record the display stands.
pub const DISPLAY_AT: usize = offset_of!(Record, display);
/// Where in a record its depth stands: how many supertypes its type has.
pub const DEPTH_AT: usize = offset_of!(Record, depth);
/// Where in a record it says where the whole display stands, in bytes from `base - RECORDS_BELOW`.
pub const DEEP_AT: usize = offset_of!(Record, deep);
/// Supertypes that a display in a record holds.
pub const DISPLAY: usize = 8;

/// Bytes of a record.
const SIZE: usize = 64;
/// Bytes of the second area, for displays that are too long for a record.
const DEEP: usize = 16 << 20;
/// Bytes of the first.
const RECORDS: usize = RECORDS_BELOW - MARKS_BELOW - DEEP;
/// Bytes of a struct whose references are in the bitmap.
const MAPPED: u32 = 256;

/// Header word of the objects of a type.
pub const fn header_of(id: TypeId) -> u32 {
    id.0.wrapping_add(1) << 6
}

/// The header of an object.
///
/// # Safety
/// `base` is a live heap's; the object is open.
#[inline(always)]
pub unsafe fn header(base: *mut u8, object: u32) -> u32 {
    // SAFETY: by contract.
    unsafe { base.add(object as usize).cast::<u32>().read() }
}

/// Whether the type with a header is a type with `depth` supertypes, or a subtype of it.
///
/// # Safety
/// `base` is a live heap's; the header is that of a type that was defined.
#[inline]
pub unsafe fn is_subtype(base: *mut u8, header: u32, id: TypeId, depth: u32) -> bool {
    // SAFETY: by contract; a deep display stands inside of the records' part, with as many words as its depth says.
    unsafe {
        let records = base.sub(RECORDS_BELOW);
        let record = &*records.add(header as usize).cast::<Record>();
        let found = match record.display.get(depth as usize) {
            Some(found) => *found,
            None if record.depth >= depth => records.add(record.deep as usize).cast::<u32>().add(depth as usize).read(),
            None => return false,
        };
        found == header_of(id)
    }
}

/// How objects of a type look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Fields from offset 4 on.
    Struct {
        /// Bytes with the header, a multiple of 8.
        size: u32,
        /// Offsets of the references, ascending.
        refs: Vec<u32>,
    },
    /// The number of elements at offset 4, elements from offset 8 on.
    Array {
        /// An element has 2 to this power bytes.
        shift: u8,
        /// Whether elements are references (of 4 bytes).
        refs: bool,
    },
    /// There are no objects: a function type.
    None,
}

/// What a type record is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its supertypes, outermost first, without itself.
    pub supertypes: Vec<TypeId>,
    /// Its objects.
    pub layout: Layout,
}

/// What kind of objects a type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// No type has this number in this heap.
    Undefined = 0,
    /// Structs.
    Struct,
    /// Arrays.
    Array,
    /// None.
    Opaque,
}

/// A type as the collector and compiled code see it.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Record {
    kind: Kind,
    shift: u8,
    refs: bool,
    simple: bool,
    size: u32,
    bitmap: u64,
    list: u32,
    depth: u32,
    deep: u32,
    pad: u32,
    display: [u32; DISPLAY],
}

const _: () = assert!(size_of::<Record>() == SIZE && DISPLAY_AT == 32);

impl Record {
    /// What kind of objects there are.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether objects may hold references.
    #[inline(always)]
    pub fn has_refs(&self) -> bool {
        self.refs
    }

    /// Whether objects are arrays of references.
    #[inline(always)]
    pub fn is_ref_array(&self) -> bool {
        self.refs && self.kind == Kind::Array
    }

    /// Bytes of an array of this many elements, rounded up to 8.
    #[inline(always)]
    pub fn array_size(&self, len: u32) -> u64 {
        ((u64::from(len) << self.shift) + 15) & !7
    }

    /// Bytes of a struct.
    pub fn struct_size(&self) -> u32 {
        self.size
    }

    /// Bytes of an object, 0 if there are no objects of this type.
    ///
    /// # Safety
    /// The object's first 8 bytes are open.
    #[inline(always)]
    pub unsafe fn size(&self, base: Base, object: u32) -> u64 {
        if self.kind == Kind::Array {
            // SAFETY: by contract.
            self.array_size(unsafe { base.word(object + 4) })
        } else {
            u64::from(self.size)
        }
    }

    /// Visits the references of an object that lie from `from` to `to`, in bytes from its beginning, multiples of 4.
    ///
    /// # Safety
    /// These bytes are open, and inside of the object.
    #[inline(always)]
    pub unsafe fn slots(
        &self,
        types: Types,
        base: Base,
        object: u32,
        from: u32,
        to: u32,
        mut visit: impl FnMut(*mut u32),
    ) {
        let start = base.at(object);
        if self.simple {
            let mut bits = self.bitmap & words_between(from, to);
            while bits != 0 {
                visit(start.cast::<u32>().wrapping_add(bits.trailing_zeros() as usize));
                bits &= bits - 1;
            }
        } else if self.is_ref_array() {
            // SAFETY: by contract.
            let end = u64::from(unsafe { base.word(object + 4) }) * 4 + 8;
            let (mut at, end) = (from.max(8) as usize, u64::from(to).min(end) as usize);
            while at < end {
                visit(start.wrapping_add(at).cast());
                at += 4;
            }
        } else if self.list != 0 {
            for at in types.list(self).iter().filter(|at| (from..to).contains(at)) {
                visit(start.wrapping_add(*at as usize).cast());
            }
        }
    }
}

/// Bits for the words of a struct from one offset to another.
#[inline(always)]
fn words_between(from: u32, to: u32) -> u64 {
    let below = |offset: u32| if offset >= MAPPED { u64::MAX } else { (1 << (offset / 4)) - 1 };
    below(to) & !below(from)
}

/// The type records, for reading.
#[derive(Clone, Copy, Debug)]
pub struct Types<'a> {
    start: *const Record,
    count: u32,
    lists: &'a [Box<[u32]>],
}

impl<'a> Types<'a> {
    /// The record that a header names, if it is a header at all. It may be of an undefined type.
    #[inline(always)]
    pub fn get(self, header: u32) -> Option<&'a Record> {
        let index = header.rotate_right(SIZE.trailing_zeros());
        if index < self.count {
            // SAFETY: `count` records are open, and only written while nobody reads; zeroes are an undefined type.
            Some(unsafe { &*self.start.add(index as usize) })
        } else {
            None
        }
    }

    /// Offsets of the references of a struct that the bitmap cannot tell.
    fn list(self, record: &Record) -> &'a [u32] {
        self.lists.get((record.list as usize).wrapping_sub(1)).map_or(&[], |list| list)
    }
}

/// The type records of a heap.
#[derive(Debug)]
pub struct Records {
    part: Part,
    deep: Part,
    deep_used: usize,
    lists: Vec<Box<[u32]>>,
}

impl Records {
    /// No types.
    pub fn new(base: Base) -> Self {
        let start = base.below(RECORDS_BELOW);
        let deep = Part::new(start.wrapping_add(RECORDS), DEEP, GRAIN);
        Self { part: Part::new(start, RECORDS, GRAIN), deep, deep_used: 0, lists: Vec::new() }
    }

    /// The records, for reading.
    #[inline]
    pub fn types(&self) -> Types<'_> {
        Types { start: self.part.start().cast(), count: (self.part.opened() / SIZE) as u32, lists: &self.lists }
    }

    /// Writes the record of a type, unless there is one.
    ///
    /// # Errors
    /// If there is no memory for it, or the shape makes no sense.
    pub fn define(&mut self, region: &mut Region, id: TypeId, shape: &Shape) -> io::Result<()> {
        let at = (id.0 as usize + 1) * SIZE;
        if !self.part.hold(region, at + SIZE) {
            return Err(io::Error::other("no room for a type record"));
        }
        let place = self.part.start().wrapping_add(at).cast::<Record>();
        // SAFETY: open, and zeroes are an undefined type.
        if unsafe { (*place).kind } != Kind::Undefined {
            return Ok(());
        }
        let record = self.record(region, id, at, shape)?;
        // SAFETY: open, and nobody reads it meanwhile.
        unsafe { place.write(record) };
        Ok(())
    }

    fn record(&mut self, region: &mut Region, id: TypeId, at: usize, shape: &Shape) -> io::Result<Record> {
        let depth = shape.supertypes.len();
        let headers = shape.supertypes.iter().chain([&id]).map(|id| header_of(*id));
        let mut display = [0; DISPLAY];
        for (to, from) in display.iter_mut().zip(headers.clone()) {
            *to = from;
        }
        let deep = match depth < DISPLAY {
            true => at + DISPLAY_AT,
            false => self.deep_display(region, &headers.collect::<Vec<_>>())?,
        };
        let mut record = Record {
            kind: Kind::Opaque,
            shift: 0,
            refs: false,
            simple: false,
            size: 0,
            bitmap: 0,
            list: 0,
            depth: depth as u32,
            deep: deep as u32,
            pad: 0,
            display,
        };
        match &shape.layout {
            Layout::Struct { size, refs } => {
                let inside = |at: &u32| *at >= 4 && at.is_multiple_of(4) && *at < *size;
                if *size < 8 || !size.is_multiple_of(8) || !refs.iter().all(inside) || !refs.is_sorted() {
                    return Err(io::Error::other("a struct whose fields lie outside of it"));
                }
                record.kind = Kind::Struct;
                record.size = *size;
                record.refs = !refs.is_empty();
                record.simple = refs.iter().all(|at| *at < MAPPED);
                if record.simple {
                    record.bitmap = refs.iter().fold(0, |bits, at| bits | 1 << (at / 4));
                } else {
                    self.lists.push(refs.as_slice().into());
                    record.list = self.lists.len() as u32;
                }
            }
            Layout::Array { shift, refs } => {
                if *shift > 4 || *refs && *shift != 2 {
                    return Err(io::Error::other("an array whose elements have no such size"));
                }
                record.kind = Kind::Array;
                record.shift = *shift;
                record.refs = *refs;
            }
            Layout::None => {}
        }
        Ok(record)
    }

    /// Writes a display into the second area. Where it stands, from the first record.
    fn deep_display(&mut self, region: &mut Region, headers: &[u32]) -> io::Result<usize> {
        let len = headers.len() * 4;
        if !self.deep.hold(region, self.deep_used + len) {
            return Err(io::Error::other("no room for the supertypes of a type"));
        }
        let at = self.deep_used;
        let place = self.deep.start().wrapping_add(at).cast::<u32>();
        // SAFETY: held just now; aligned, since only words are written here.
        unsafe { place.copy_from_nonoverlapping(headers.as_ptr(), headers.len()) };
        self.deep_used += len;
        Ok(RECORDS + at)
    }
}
