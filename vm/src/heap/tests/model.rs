//! Random programs, beside a model of what the heap should hold.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use super::*;

/// Numbers from a fixed seed (xorshift64*, S. Vigna, 2016).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Null,
    Small(u32),
    Handle(usize),
    Object(usize),
}

/// An object of the model.
struct Object {
    id: TypeId,
    len: u32,
    slots: Vec<Value>,
}

struct Model {
    fixture: Fixture,
    random: Random,
    objects: Vec<Option<Object>>,
    roots: Vec<Value>,
    /// Values of the host: how it is seen that they were dropped, and the references to them.
    hosts: Vec<(std::sync::Weak<dyn Any + Send + Sync>, u32)>,
}

impl Model {
    fn new(seed: u64, checks: Checks) -> Self {
        let mut fixture = Fixture::new(checks);
        fixture.roots = vec![0; 20];
        Self { fixture, random: Random(seed), objects: Vec::new(), roots: vec![Value::Null; 20], hosts: Vec::new() }
    }

    /// A number in a place that holds none of an object's references: it looks like one.
    fn filler(object: usize, at: u32) -> u32 {
        EDEN + (object as u32 * 7 + at) * 8
    }

    /// Where a random walk from the roots ends: in the heap, and in the model.
    fn walk(&mut self) -> (u32, Value) {
        let root = self.random.below(self.roots.len());
        let mut at = (self.fixture.roots[root], self.roots[root]);
        for _ in 0..self.random.below(8) {
            let Value::Object(index) = at.1 else { break };
            let object = self.objects[index].as_ref().unwrap();
            if object.slots.is_empty() {
                break;
            }
            let slot = self.random.below(object.slots.len());
            let offset = slots_of(object.id, object.len)[slot];
            at = (self.fixture.get(at.0, offset), object.slots[slot]);
        }
        at
    }

    /// A value for a slot.
    fn value(&mut self) -> (u32, Value) {
        match self.random.below(10) {
            0 => (0, Value::Null),
            1 => {
                let number = self.random.next() as u32 | 1;
                (number, Value::Small(number))
            }
            2 if self.hosts.len() < 800 => {
                let value: HostValue = Arc::new(self.hosts.len());
                let weak = Arc::downgrade(&value);
                let mut roots = Slots(&mut self.fixture.roots);
                // SAFETY: all is initialised, and the roots are all there is.
                let reference = unsafe { self.fixture.heap.insert_handle(value, PLENTY, &mut roots) }.unwrap();
                self.hosts.push((weak, reference));
                (reference, Value::Handle(self.hosts.len() - 1))
            }
            _ => self.walk(),
        }
    }

    fn allocate(&mut self) {
        let id = [PAIR, PAIR, MIXED, LONG, REFS, REFS, BYTES][self.random.below(7)];
        let len = match self.random.below(200) {
            0 => 8190 + self.random.below(4000),
            1 => 40_000 + self.random.below(30_000),
            _ => self.random.below(40),
        } as u32;
        let offset = self.fixture.allocate(id, len);
        let index = self.objects.len();
        let slots = slots_of(id, len);
        let bytes = match id {
            MIXED => 24,
            LONG => 408,
            BYTES => 8 + len / 4 * 4,
            _ => 0,
        };
        let first = if id == BYTES { 8 } else { 4 };
        for at in (first..bytes).step_by(4).filter(|at| !slots.contains(at)) {
            self.fixture.set(offset, at, Self::filler(index, at));
        }
        self.objects.push(Some(Object { id, len, slots: vec![Value::Null; slots.len()] }));
        let root = self.random.below(self.roots.len());
        self.fixture.roots[root] = offset;
        self.roots[root] = Value::Object(index);
        // Filled from what is reachable, its old self included, without a barrier.
        for (slot, at) in slots.iter().enumerate().take(50) {
            let (reference, value) = if self.random.below(3) == 0 { self.walk() } else { (0, Value::Null) };
            self.fixture.set(offset, *at, reference);
            self.objects[index].as_mut().unwrap().slots[slot] = value;
        }
    }

    fn store(&mut self) {
        // First, since it may collect.
        let (reference, value) = self.value();
        let (offset, Value::Object(index)) = self.walk() else { return };
        let object = self.objects[index].as_mut().unwrap();
        if object.slots.is_empty() {
            return;
        }
        let slot = self.random.below(object.slots.len());
        object.slots[slot] = value;
        let at = slots_of(object.id, object.len)[slot];
        self.fixture.store(offset, at, reference);
    }

    /// Compares all that can be reached, and forgets the rest.
    fn compare(&mut self) {
        let mut places = HashMap::new();
        let mut hosts = vec![false; self.hosts.len()];
        let mut pending: Vec<(u32, Value)> = self.fixture.roots.iter().copied().zip(self.roots.clone()).collect();
        while let Some((reference, value)) = pending.pop() {
            let index = match value {
                Value::Null => {
                    assert_eq!(reference, 0);
                    continue;
                }
                Value::Small(number) => {
                    assert_eq!(reference, number);
                    continue;
                }
                Value::Handle(index) => {
                    assert_eq!(reference, self.hosts[index].1);
                    let held = self.fixture.heap.handles().get(reference).unwrap();
                    assert_eq!(held.downcast_ref::<usize>(), Some(&index));
                    hosts[index] = true;
                    continue;
                }
                Value::Object(index) => index,
            };
            if let Some(known) = places.insert(index, reference) {
                assert_eq!(known, reference);
                continue;
            }
            let object = self.objects[index].as_ref().unwrap();
            assert_eq!(self.fixture.get(reference, 0), header_of(object.id));
            let slots = slots_of(object.id, object.len);
            let bytes = match object.id {
                MIXED => 24,
                LONG => 408,
                BYTES => 8 + object.len / 4 * 4,
                _ => 0,
            };
            let array = object.id == BYTES || object.id == REFS;
            if array {
                assert_eq!(self.fixture.get(reference, 4), object.len);
            }
            for at in (if array { 8 } else { 4 }..bytes).step_by(4).filter(|at| !slots.contains(at)) {
                assert_eq!(self.fixture.get(reference, at), Self::filler(index, at));
            }
            for (at, value) in slots.iter().zip(&object.slots) {
                pending.push((self.fixture.get(reference, *at), *value));
            }
        }
        for (index, object) in self.objects.iter_mut().enumerate() {
            if !places.contains_key(&index) {
                *object = None;
            }
        }
        self.fixture.collect(true);
        for (index, reached) in hosts.into_iter().enumerate() {
            assert_eq!(self.hosts[index].0.upgrade().is_some(), reached, "handle {index}");
        }
    }

    fn run(&mut self, steps: usize) {
        for step in 0..steps {
            match self.random.below(100) {
                0..45 => self.allocate(),
                45..90 => self.store(),
                90..97 => {
                    let root = self.random.below(self.roots.len());
                    let (reference, value) = self.value();
                    self.fixture.roots[root] = reference;
                    self.roots[root] = value;
                }
                97 | 98 => self.fixture.collect(false),
                _ => {
                    if self.random.below(4) == 0 {
                        self.fixture.collect(true);
                    }
                }
            }
            if step % 2000 == 1999 {
                self.compare();
            }
        }
        self.compare();
    }
}

#[test]
fn random_programs_find_what_they_stored() {
    for seed in 1..=4 {
        Model::new(seed, CHECKED).run(6000);
    }
    for seed in 5..=6 {
        Model::new(seed, Checks::default()).run(20_000);
    }
}

#[test]
fn random_programs_find_what_they_stored_with_a_collection_at_every_allocation() {
    Model::new(9, EVERY).run(1500);
}

#[test]
fn random_programs_find_what_they_stored_with_a_stack_that_overflows() {
    let mut model = Model::new(11, CHECKED);
    model.fixture.heap.mark_stack = 3;
    model.run(4000);
}
