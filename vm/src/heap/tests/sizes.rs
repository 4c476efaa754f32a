//! Growth, shrinkage, and what happens when memory is short.

use std::sync::Arc;

use super::*;

#[test]
fn a_heap_grows_with_what_lives_and_shrinks_after_it_died() {
    let mut fixture = Fixture::new(Checks::default());
    let before = fixture.heap.committed();
    fixture.list(1_500_000, 0);
    fixture.check_list(fixture.roots[0], 1_500_000, 0);
    let grown = fixture.heap.committed();
    assert!((24 << 20..100 << 20).contains(&grown), "{grown}");
    fixture.roots.clear();
    fixture.collect(true);
    fixture.collect(true);
    let shrunk = fixture.heap.committed();
    assert!(shrunk < before + (40 << 20), "{shrunk}");
    // Memory is short now.
    fixture.room = 0;
    fixture.collect(true);
    assert!(fixture.heap.committed() < before + (9 << 20), "{}", fixture.heap.committed());
}

#[test]
fn garbage_is_collected_in_bounded_memory() {
    let mut fixture = Fixture::new(Checks::default());
    for round in 0..2_000_000u32 {
        let pair = fixture.allocate(PAIR, 0);
        if round % 100 == 0 {
            fixture.roots.push(pair);
        }
        if fixture.roots.len() > 1000 {
            fixture.roots.clear();
        }
        if round % 1000 == 0 {
            fixture.allocate(BYTES, 200_000);
        }
    }
    assert!(fixture.heap.committed() < 110 << 20, "{}", fixture.heap.committed());
    assert!(fixture.heap.statistics().minor > 10);
}

/// Allocates until there is no more. How many.
fn exhaust(fixture: &mut Fixture, limit: u64, id: TypeId, len: u32) -> u32 {
    fixture.roots.push(0);
    for count in 0.. {
        fixture.room = limit.saturating_sub(fixture.heap.committed());
        match fixture.try_allocate(id, len) {
            Ok(object) => {
                let array = id == REFS;
                let before = *fixture.roots.last().unwrap();
                fixture.set(object, 8, before);
                if !array {
                    fixture.set(object, 4, count << 1 | 1);
                }
                *fixture.roots.last_mut().unwrap() = object;
                assert!(fixture.heap.committed() <= limit);
            }
            Err(error) => {
                assert_eq!(error, HeapError::OutOfMemory);
                return count;
            }
        }
    }
    unreachable!()
}

#[test]
fn out_of_memory_leaves_the_heap_usable() {
    for limit in [4 << 20, 12 << 20] {
        let mut fixture = Fixture::new(Checks { poison: true, ..Checks::default() });
        for _ in 0..2 {
            let pairs = exhaust(&mut fixture, limit, PAIR, 0);
            assert!(u64::from(pairs) * 16 > limit / 2, "{pairs} pairs in {limit} bytes");
            fixture.check_list(fixture.roots[0], pairs, 0);
            // SAFETY: all is initialised.
            unsafe { fixture.heap.verify(&mut Slots(&mut fixture.roots)) }.unwrap();
            fixture.roots.clear();
            let arrays = exhaust(&mut fixture, limit, REFS, 50_000);
            assert!(u64::from(arrays) * 200_000 > limit / 3, "{arrays} arrays in {limit} bytes");
            fixture.roots.clear();
        }
    }
}

#[test]
fn what_is_too_large_for_any_heap_is_out_of_memory() {
    let mut fixture = Fixture::new(CHECKED);
    for len in [1 << 30, u32::MAX] {
        assert_eq!(fixture.try_allocate(REFS, len), Err(HeapError::OutOfMemory));
    }
    fixture.room = 0;
    assert_eq!(fixture.try_allocate(BYTES, 1 << 20), Err(HeapError::OutOfMemory));
    fixture.room = PLENTY;
    fixture.allocate(BYTES, 1 << 20);
}

#[test]
fn a_long_list_is_no_deep_recursion() {
    let mut fixture = Fixture::new(Checks::default());
    let len = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };
    fixture.heap.mark_stack = 1000;
    fixture.list(len, 0);
    fixture.collect(true);
    fixture.check_list(fixture.roots[0], len, 0);
}

#[test]
fn handles_are_dropped_when_dead_or_closed_and_a_shortage_collects() {
    let mut fixture = Fixture::new(CHECKED);
    let kept = Arc::new(());
    let insert = |fixture: &mut Fixture| {
        let mut roots = Slots(&mut fixture.roots);
        // SAFETY: all is initialised, and the roots are all there is.
        unsafe { fixture.heap.insert_handle(kept.clone(), PLENTY, &mut roots) }
    };
    let pair = fixture.allocate(PAIR, 0);
    fixture.roots.push(pair);
    let first = insert(&mut fixture).unwrap();
    fixture.set(pair, 4, first);
    for _ in 0..5000 {
        insert(&mut fixture).unwrap();
    }
    assert!(fixture.heap.statistics().major >= 4);
    assert!(fixture.heap.handles().get(first).is_some());
    fixture.collect(true);
    assert_eq!(fixture.heap.handles().len(), 1);
    assert!(fixture.heap.handles_mut().close(first).is_some());
    assert!(fixture.heap.handles_mut().close(first).is_none());
    assert!(fixture.heap.handles().get(first).is_none());
    // Still referred to: its number is not used again.
    fixture.collect(true);
    let second = insert(&mut fixture).unwrap();
    assert_ne!(first, second);
    fixture.roots.clear();
    fixture.collect(true);
    assert!(fixture.heap.handles().is_empty());
    assert_eq!(Arc::strong_count(&kept), 1);
    for _ in 0..1000 {
        let reference = insert(&mut fixture).unwrap();
        fixture.roots.push(reference);
    }
    assert_eq!(insert(&mut fixture), Err(HeapError::OutOfHandles));
    fixture.roots.pop();
    insert(&mut fixture).unwrap();
}
