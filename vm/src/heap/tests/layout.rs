//! Type records as compiled code reads them, and what it relies on beside.

use super::*;

/// A word of a type's record.
fn record_word(fixture: &Fixture, id: TypeId, at: usize) -> u32 {
    let record = fixture.view.base.wrapping_sub(RECORDS_BELOW).wrapping_add(header_of(id) as usize);
    // SAFETY: a record that was written.
    unsafe { record.wrapping_add(at).cast::<u32>().read() }
}

/// The test that compiled code makes: whether `id` is `of`, which has this many supertypes.
fn is_subtype(fixture: &Fixture, id: TypeId, of: TypeId, depth: usize) -> bool {
    if depth < DISPLAY {
        return record_word(fixture, id, DISPLAY_AT + depth * 4) == header_of(of);
    }
    let deep = record_word(fixture, id, DEEP_AT) as usize;
    record_word(fixture, id, DEPTH_AT) as usize >= depth && {
        let display = fixture.view.base.wrapping_sub(RECORDS_BELOW).wrapping_add(deep);
        // SAFETY: a display has a word more than its depth.
        unsafe { display.cast::<u32>().wrapping_add(depth).read() == header_of(of) }
    }
}

#[test]
fn displays_answer_every_subtype_test() {
    let mut fixture = Fixture::new(CHECKED);
    // Two chains with a common root.
    let chain = |from: u32| -> Vec<TypeId> { [TypeId(100)].into_iter().chain((from..from + 40).map(TypeId)).collect() };
    let chains = [chain(200), chain(9000)];
    for chain in &chains {
        for (depth, id) in chain.iter().enumerate() {
            let layout = if depth % 3 == 0 { Layout::None } else { Layout::Struct { size: 8, refs: vec![4] } };
            let shape = Shape { supertypes: chain[..depth].to_vec(), layout };
            fixture.heap.define(*id, &shape).unwrap();
            // A second time changes nothing.
            fixture.heap.define(*id, &shape).unwrap();
        }
    }
    for (one, chain) in chains.iter().enumerate() {
        for (other, of) in chains.iter().enumerate() {
            for (depth, id) in chain.iter().enumerate() {
                for (of_depth, of) in of.iter().enumerate() {
                    let expected = of_depth <= depth && (one == other || of_depth == 0);
                    assert_eq!(is_subtype(&fixture, *id, *of, of_depth), expected, "{id:?} {of:?}");
                }
            }
        }
    }
}

#[test]
fn shapes_that_make_no_sense_are_refused() {
    let mut fixture = Fixture::new(CHECKED);
    for shape in [
        structure(0, &[]),
        structure(12, &[]),
        structure(16, &[0]),
        structure(16, &[16]),
        structure(16, &[6]),
        structure(16, &[8, 4]),
        array(5, false),
        array(3, true),
    ] {
        assert!(fixture.heap.define(TypeId(50), &shape).is_err(), "{shape:?}");
    }
    assert!(fixture.heap.define(TypeId(u32::MAX - 1), &structure(8, &[])).is_err());
    // SAFETY: nothing is allocated, for none of these has objects.
    unsafe {
        let mut roots = Slots(&mut fixture.roots);
        for id in [TypeId(50), FUNCTION, PAIR, TypeId(u32::MAX)] {
            assert!(fixture.heap.allocate_array(id, 1, PLENTY, &mut roots).is_err());
        }
        assert!(fixture.heap.allocate_struct(BYTES, PLENTY, &mut roots).is_err());
    }
}

#[test]
fn only_what_is_open_is_accessible() {
    let mut fixture = Fixture::new(CHECKED);
    let small = fixture.allocate(PAIR, 0);
    let large = fixture.allocate(BYTES, 100_000);
    let heap = &fixture.heap;
    assert!(heap.bytes(small, 16).is_some() && heap.bytes(large, 100_008).is_some());
    for (start, bytes) in
        [(0, 1), (4, 4), (256 << 10, 8), (64 << 20, 8), (100 << 20, 8), (small, 1 << 30), (1 << 31, 8)]
    {
        assert_eq!(heap.bytes(start, bytes), None, "{start:#x} {bytes}");
    }
    for (start, bytes) in [(u32::MAX, 2), (large, u64::from(u32::MAX)), (u32::MAX, u64::MAX)] {
        assert_eq!(heap.bytes(start, bytes), None, "{start:#x} {bytes}");
    }
    assert!(heap.addresses().contains(&fixture.view.base.addr()));
}

#[test]
fn large_objects_reuse_the_pages_of_dead_ones() {
    let mut fixture = Fixture::new(CHECKED);
    for len in [40_000, 100_000, 1 << 20, 5 << 20] {
        let object = fixture.allocate(BYTES, len);
        fixture.roots.push(object);
    }
    let places = fixture.roots.clone();
    fixture.roots[1] = 0;
    fixture.roots[2] = 0;
    fixture.collect(true);
    assert_eq!(fixture.roots[3], places[3], "large objects stay");
    // Both have become one run.
    let object = fixture.allocate(BYTES, 1_100_000);
    assert!(places[2] <= object && object < places[0], "{places:x?} {object:x}");
    fixture.roots.clear();
    fixture.collect(true);
    fixture.room = 0;
    fixture.collect(true);
    let committed = fixture.heap.committed();
    assert!(committed < 4 << 20, "{committed}");
    assert_eq!(fixture.heap.large.low(), HEAP);
}

#[test]
fn every_allocation_collects_where_that_is_asked_for() {
    let mut fixture = Fixture::new(EVERY);
    let count = 200;
    for index in 0..count {
        let object = fixture.allocate(PAIR, 0);
        assert_eq!(fixture.view.limit, 0);
        if index == 0 {
            fixture.roots.push(object);
        }
    }
    let statistics = fixture.heap.statistics();
    assert_eq!((statistics.minor, statistics.major), (count, count / 16));
    assert!(fixture.roots[0] >= OLD);
}

#[test]
fn large_objects_take_all_that_offsets_can_say_and_give_it_back() {
    let mut fixture = Fixture::new(Checks::default());
    for _ in 0..2 {
        fixture.allocate(PAIR, 0);
        let error = loop {
            let mut roots = Slots(&mut fixture.roots);
            // Nobody writes to them, so they take no memory.
            // SAFETY: bytes need not be initialised, and the roots are all there is.
            match unsafe { fixture.heap.allocate_array(BYTES, 8 << 20, PLENTY, &mut roots) } {
                Ok(object) => fixture.roots.push(object),
                Err(error) => break error,
            }
        };
        assert_eq!(error, HeapError::OutOfMemory);
        let taken = fixture.roots.len() as u64 * (8 << 20);
        assert!((HEAP - (200 << 20)..HEAP).contains(&taken), "{taken}");
        fixture.list(100_000, 0);
        fixture.roots.clear();
        fixture.collect(true);
        fixture.room = 0;
        fixture.collect(true);
        assert_eq!(fixture.heap.large.low(), HEAP);
        fixture.room = PLENTY;
    }
}
