//! References from old objects to young ones, by each way that they can come about.

use super::*;

/// An object of this kind, old, whose slots are null.
fn old_object(fixture: &mut Fixture, id: TypeId, len: u32) -> usize {
    let object = fixture.allocate(id, len);
    fixture.roots.push(object);
    let root = fixture.roots.len() - 1;
    fixture.collect(true);
    assert!(fixture.roots[root] >= OLD);
    root
}

#[test]
fn every_slot_of_every_kind_of_old_object_keeps_what_was_stored() {
    for (id, len) in [(PAIR, 0), (MIXED, 0), (LONG, 0), (REFS, 700), (REFS, 20_000)] {
        let mut fixture = Fixture::new(Checks { verify: false, ..CHECKED });
        // So that objects do not begin with a card.
        fixture.list(21, 0);
        let root = old_object(&mut fixture, id, len);
        for at in slots_of(id, len).into_iter().step_by(if len > 1000 { 97 } else { 1 }) {
            let young = fixture.allocate(PAIR, 0);
            fixture.set(young, 4, at << 1 | 1);
            let object = fixture.roots[root];
            fixture.store(object, at, young);
            for _ in 0..2 {
                fixture.collect(false);
                let stored = fixture.get(fixture.roots[root], at);
                assert_eq!(fixture.get(stored, 4), at << 1 | 1, "{id:?} at {at}");
            }
        }
        fixture.collect(true);
        // SAFETY: all is initialised.
        unsafe { fixture.heap.verify(&mut Slots(&mut fixture.roots)) }.unwrap();
    }
}

#[test]
fn without_a_barrier_the_verifier_complains() {
    let mut fixture = Fixture::new(CHECKED);
    let root = old_object(&mut fixture, PAIR, 0);
    let young = fixture.allocate(PAIR, 0);
    let object = fixture.roots[root];
    fixture.set(object, 8, young);
    // SAFETY: all is initialised.
    let verdict = unsafe { fixture.heap.verify(&mut Slots(&mut fixture.roots)) };
    assert_eq!(verdict, Err(Fault::Card { object, slot: object + 8 }));
}

#[test]
fn a_promoted_object_keeps_its_young_references() {
    let mut fixture = Fixture::new(CHECKED);
    let array = fixture.allocate(REFS, 1000);
    fixture.roots.push(array);
    fixture.collect(false);
    // It is promoted by the next collection, and these are not.
    for index in 0..1000 {
        let young = fixture.allocate(PAIR, 0);
        fixture.set(young, 4, index << 1 | 1);
        let array = fixture.roots[0];
        fixture.set(array, 8 + index * 4, young);
    }
    for _ in 0..3 {
        fixture.collect(false);
        assert!(fixture.roots[0] >= OLD);
        for index in 0..1000 {
            let young = fixture.get(fixture.roots[0], 8 + index * 4);
            assert_eq!(fixture.get(young, 4), index << 1 | 1);
        }
    }
}

#[test]
fn a_large_array_may_be_filled_without_a_barrier() {
    let mut fixture = Fixture::new(CHECKED);
    let young = fixture.list(3, 0);
    let array = fixture.allocate(REFS, 10_000);
    fixture.roots.push(array);
    for index in 0..10_000 {
        let value = fixture.roots[young];
        fixture.set(array, 8 + index * 4, value);
    }
    fixture.roots[young] = 0;
    fixture.collect(false);
    for index in [0, 1, 9_999] {
        fixture.check_list(fixture.get(array, 8 + index * 4), 3, 0);
    }
}

#[test]
fn only_cards_with_young_references_stay_dirty() {
    let mut fixture = Fixture::new(CHECKED);
    let root = old_object(&mut fixture, REFS, 5000);
    for index in (0..5000).step_by(128) {
        let (young, array) = (fixture.allocate(PAIR, 0), fixture.roots[root]);
        fixture.store(array, 8 + index * 4, young);
    }
    fixture.collect(false);
    let first = fixture.heap.statistics().cards;
    fixture.collect(false);
    let second = fixture.heap.statistics().cards;
    fixture.collect(false);
    assert_eq!(second - first, 40, "survivors are young");
    assert_eq!(fixture.heap.statistics().cards, second, "what was promoted is not");
}
