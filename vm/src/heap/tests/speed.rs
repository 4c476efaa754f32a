//! Measurements, with `cargo test --release -p pinfold-vm --lib heap::tests::speed -- --ignored --nocapture --test-threads 1`.

use std::time::Instant;

use super::model::Random;
use super::*;

/// A heap as compiled code uses it: inline allocation, and no checks of what is loaded and stored.
struct Machine {
    heap: Heap,
    view: Box<HeapView>,
    roots: Vec<u32>,
    allocated: u64,
}

impl Machine {
    fn new() -> Self {
        let Fixture { mut heap, view, .. } = Fixture::new(Checks { timed: true, ..Checks::default() });
        let node = structure(24, &[4, 8]);
        heap.define(TypeId(10), &node).unwrap();
        Self { heap, view, roots: Vec::with_capacity(1000), allocated: 0 }
    }

    /// A node with two references and 12 bytes, references null.
    #[inline(always)]
    fn node(&mut self, left: u32, right: u32) -> u32 {
        self.allocated += 1;
        let top = self.view.top;
        let (mut left, mut right) = (left, right);
        let object = if top + 24 <= self.view.limit {
            self.view.top = top + 24;
            top
        } else {
            self.roots.extend([left, right]);
            let mut roots = Slots(&mut self.roots);
            // SAFETY: all is initialised, and the roots are all there is.
            let object = unsafe { self.heap.allocate_struct(TypeId(10), PLENTY, &mut roots) }.unwrap();
            right = self.roots.pop().unwrap();
            left = self.roots.pop().unwrap();
            object
        };
        // SAFETY: allocated just now.
        unsafe {
            let place = self.view.base.add(object as usize).cast::<u32>();
            for (at, word) in [header_of(TypeId(10)), left, right, 1, 2, 3].into_iter().enumerate() {
                place.add(at).write(word);
            }
        }
        object
    }

    fn tree(&mut self, depth: u32) -> u32 {
        if depth == 0 {
            return self.node(0, 0);
        }
        let left = self.tree(depth - 1);
        self.roots.push(left);
        let right = self.tree(depth - 1);
        let left = self.roots.pop().unwrap();
        self.node(left, right)
    }

    fn field(&self, object: u32, at: u32) -> u32 {
        // SAFETY: an object's field.
        unsafe { self.view.base.add((object + at) as usize).cast::<u32>().read() }
    }

    fn count(&self, node: u32) -> u64 {
        if node == 0 { 0 } else { 1 + self.count(self.field(node, 4)) + self.count(self.field(node, 8)) }
    }

    fn store(&self, object: u32, at: u32, value: u32) {
        // SAFETY: an object's field, and its card.
        unsafe {
            self.view.base.add((object + at) as usize).cast::<u32>().write(value);
            self.view.base.sub(CARDS_BELOW).add(((object + at) >> CARD_SHIFT) as usize).write(1);
        }
    }

    fn report(&self, what: &str, begin: Instant) {
        let took = begin.elapsed();
        let statistics = self.heap.statistics();
        let (minor, major) = (&statistics.minor_pauses, &statistics.major_pauses);
        println!(
            "{what}: {:.2} ns for each of {} objects, {took:?}; {} minor in {:?}, p99 {:?}, longest {:?}; {} major in {:?}, longest {:?}; copied {} MiB, promoted {} MiB, {} cards; eden {} KiB, {} MiB committed",
            took.as_nanos() as f64 / self.allocated as f64,
            self.allocated,
            minor.count(),
            minor.total(),
            minor.quantile(0.99),
            minor.longest(),
            major.count(),
            major.total(),
            major.longest(),
            statistics.copied >> 20,
            statistics.promoted >> 20,
            statistics.cards,
            self.heap.nursery.budget >> 10,
            self.heap.committed() >> 20,
        );
    }
}

#[test]
#[ignore = "a measurement"]
fn binary_trees() {
    let mut machine = Machine::new();
    let begin = Instant::now();
    let most = 18;
    let long = machine.tree(most);
    machine.roots.push(long);
    for depth in (4..=most).step_by(2) {
        for _ in 0..1 << (most - depth + 4) {
            let tree = machine.tree(depth);
            assert_eq!(machine.field(tree, 12), 1);
        }
    }
    machine.report("binary trees", begin);
    assert_eq!(machine.count(machine.roots[0]), (1 << (most + 1)) - 1);
}

#[test]
#[ignore = "a measurement"]
fn garbage_alone() {
    let mut machine = Machine::new();
    let begin = Instant::now();
    for _ in 0..200_000_000 {
        machine.node(0, 0);
    }
    machine.report("garbage", begin);
}

#[test]
#[ignore = "a measurement"]
fn pauses_with_512_mib_live() {
    let mut machine = Machine::new();
    let begin = Instant::now();
    // 64 trees of 8 MiB each, below an array.
    for _ in 0..43 {
        let tree = machine.tree(18);
        machine.roots.push(tree);
    }
    machine.report("building 512 MiB", begin);
    machine.heap.statistics = Statistics::default();
    machine.allocated = 0;
    let mut random = Random(1);
    let begin = Instant::now();
    for _ in 0..3_000_000 {
        // A node with trees of depth 3 below it.
        let mut nodes = [0, 1].map(|_| machine.roots[random.below(43)]);
        for node in &mut nodes {
            for _ in 0..14 {
                *node = machine.field(*node, 4 + 4 * (random.below(2) as u32));
            }
        }
        let (at, other) = (4 + 4 * random.below(2) as u32, machine.field(nodes[1], 4));
        match random.below(10) {
            0 => {
                machine.roots.push(nodes[0]);
                let tree = machine.tree(3);
                let node = machine.roots.pop().unwrap();
                machine.store(node, at, tree);
            }
            1..4 => machine.store(nodes[0], at, other),
            _ => drop(machine.tree(3)),
        }
    }
    machine.report("mutating 512 MiB", begin);
}
