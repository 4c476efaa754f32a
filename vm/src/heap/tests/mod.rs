//! The heap through its interface: a model that it must agree with, and each path by itself.

mod barrier;
mod corrupt;
mod layout;
mod model;
mod reuse;
mod sizes;
mod speed;

use super::nursery::EDEN;
use super::old::OLD;
use super::*;

/// Room that is never used up.
const PLENTY: u64 = 1 << 32;

const CHECKED: Checks = Checks { every_allocation: false, poison: true, verify: true, timed: false };
const EVERY: Checks = Checks { every_allocation: true, ..CHECKED };

/// A pair of references.
const PAIR: TypeId = TypeId(1);
/// A reference between numbers.
const MIXED: TypeId = TypeId(2);
/// 100 words, of which the last and the middle one are references.
const LONG: TypeId = TypeId(3);
/// An array of references.
const REFS: TypeId = TypeId(4);
/// An array of bytes.
const BYTES: TypeId = TypeId(5);
/// A function type.
const FUNCTION: TypeId = TypeId(6);

fn structure(size: u32, refs: &[u32]) -> Shape {
    Shape { supertypes: Vec::new(), layout: Layout::Struct { size, refs: refs.into() } }
}

fn array(shift: u8, refs: bool) -> Shape {
    Shape { supertypes: Vec::new(), layout: Layout::Array { shift, refs } }
}

/// Offsets of the references in an object of a type.
fn slots_of(id: TypeId, len: u32) -> Vec<u32> {
    match id {
        PAIR => vec![4, 8],
        MIXED => vec![12],
        LONG => vec![252, 256, 400],
        REFS => (0..len).map(|index| 8 + index * 4).collect(),
        _ => Vec::new(),
    }
}

/// Roots in a vector.
struct Slots<'a>(&'a mut Vec<u32>);

impl Roots for Slots<'_> {
    fn trace(&mut self, visit: &mut dyn FnMut(*mut u32)) {
        self.0.iter_mut().for_each(|slot| visit(slot));
    }
}

/// A heap with its view and roots.
struct Fixture {
    heap: Heap,
    view: Box<HeapView>,
    roots: Vec<u32>,
    room: u64,
}

impl Fixture {
    fn new(checks: Checks) -> Self {
        let mut view = Box::new(HeapView::new());
        // SAFETY: the view is dropped after the heap.
        let mut heap = unsafe { Heap::new(&mut *view, 1000, checks) }.unwrap();
        for (id, shape) in [
            (PAIR, structure(16, &[4, 8])),
            (MIXED, structure(24, &[12])),
            (LONG, structure(408, &[252, 256, 400])),
            (REFS, array(2, true)),
            (BYTES, array(0, false)),
            (FUNCTION, Shape { supertypes: Vec::new(), layout: Layout::None }),
        ] {
            heap.define(id, &shape).unwrap();
        }
        Self { heap, view, roots: Vec::new(), room: PLENTY }
    }

    /// Allocates as compiled code does: inline if it fits. Contents are zero.
    fn try_allocate(&mut self, id: TypeId, len: u32) -> Result<u32, HeapError> {
        let bytes = match id {
            PAIR => 16,
            MIXED => 24,
            LONG => 408,
            REFS => (u64::from(len) * 4 + 15) & !7,
            _ => (u64::from(len) + 15) & !7,
        };
        let is_array = id == REFS || id == BYTES;
        let object = if bytes < LARGE.into() && u64::from(self.view.top) + bytes <= self.view.limit.into() {
            let object = self.view.top;
            self.view.top += bytes as u32;
            self.set(object, 0, header_of(id));
            if is_array {
                self.set(object, 4, len);
            }
            object
        } else {
            let mut roots = Slots(&mut self.roots);
            // SAFETY: all is initialised, and the roots are all there is.
            unsafe {
                if is_array {
                    self.heap.allocate_array(id, len, self.room, &mut roots)?
                } else {
                    self.heap.allocate_struct(id, self.room, &mut roots)?
                }
            }
        };
        let from = if is_array { 8 } else { 4 };
        let place = self.heap.bytes(object + from, bytes - u64::from(from)).unwrap();
        // SAFETY: the object's own bytes.
        unsafe { place.write_bytes(0, (bytes - u64::from(from)) as usize) };
        Ok(object)
    }

    fn allocate(&mut self, id: TypeId, len: u32) -> u32 {
        self.try_allocate(id, len).unwrap()
    }

    fn get(&self, object: u32, at: u32) -> u32 {
        // SAFETY: accessible and aligned.
        unsafe { self.heap.bytes(object + at, 4).unwrap().cast().read() }
    }

    fn set(&mut self, object: u32, at: u32, value: u32) {
        // SAFETY: accessible and aligned.
        unsafe { self.heap.bytes(object + at, 4).unwrap().cast().write(value) }
    }

    /// Stores a reference, with the barrier.
    fn store(&mut self, object: u32, at: u32, value: u32) {
        self.set(object, at, value);
        self.heap.mark_card(object + at);
    }

    fn collect(&mut self, major: bool) {
        // SAFETY: all is initialised, and the roots are all there is.
        unsafe { self.heap.collect(major, self.room, &mut Slots(&mut self.roots)) };
        assert_eq!(self.heap.fault(), None);
    }

    /// A list of pairs that ends with `end`, its head in a new root. Returns the root.
    fn list(&mut self, len: u32, end: u32) -> usize {
        let root = self.roots.len();
        self.roots.push(end);
        for index in 0..len {
            let pair = self.allocate(PAIR, 0);
            self.set(pair, 4, index << 1 | 1);
            let rest = self.roots[root];
            self.set(pair, 8, rest);
            self.roots[root] = pair;
        }
        root
    }

    fn check_list(&self, head: u32, len: u32, end: u32) {
        let mut at = head;
        for index in (0..len).rev() {
            assert_eq!(self.get(at, 4), index << 1 | 1);
            at = self.get(at, 8);
        }
        assert_eq!(at, end);
    }
}

#[test]
fn what_is_reachable_survives_and_moves_twice() {
    let mut fixture = Fixture::new(CHECKED);
    let root = fixture.list(10, 0);
    assert!(fixture.roots[root] >= EDEN);
    fixture.collect(false);
    let aged = fixture.roots[root];
    assert!(!(EDEN..48 << 20).contains(&aged) && aged < OLD);
    fixture.check_list(aged, 10, 0);
    fixture.collect(false);
    assert!(fixture.roots[root] >= OLD);
    fixture.check_list(fixture.roots[root], 10, 0);
    fixture.collect(true);
    fixture.check_list(fixture.roots[root], 10, 0);
}
