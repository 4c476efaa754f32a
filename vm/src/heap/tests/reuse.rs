//! Heaps in the space of heaps that are gone.

use super::*;

/// One that only this test defines.
const OWN: TypeId = TypeId(77);

/// An array of bytes as it was born, with nothing written to it but what the heap itself writes.
fn raw(fixture: &mut Fixture, len: u32) -> u32 {
    // SAFETY: all is initialised, and the roots are all there is.
    unsafe { fixture.heap.allocate_array(BYTES, len, PLENTY, &mut Slots(&mut fixture.roots)) }.unwrap()
}

#[test]
fn a_heap_finds_nothing_of_one_that_was_before() {
    let unchecked = Checks { poison: false, verify: false, ..CHECKED };
    let mut bases = Vec::new();
    for round in 0..64 {
        let mut fixture = Fixture::new(unchecked);
        bases.push(fixture.view.base);
        assert!(!fixture.heap.is_defined(OWN));
        assert_eq!((fixture.heap.used(), fixture.heap.handles().len()), (0, 0));
        for len in [16, 8000, 30_000, 100_000, 20, 300_000, 30_000] {
            let array = raw(&mut fixture, len);
            let place = fixture.heap.bytes(array + ELEMENTS_AT, len.into()).unwrap();
            // SAFETY: the array's own bytes.
            unsafe {
                let bytes = std::slice::from_raw_parts(place.as_ptr(), len as usize);
                assert!(bytes.iter().all(|byte| *byte == 0), "{len} bytes in round {round}");
                place.write_bytes(0xab, len as usize);
            }
            fixture.roots.push(array);
        }
        // Everything else that a heap writes: survivors, old objects, marks, cards, records.
        for major in [false, true, false].into_iter().take(round % 4) {
            fixture.list(2000, 0);
            fixture.collect(major);
        }
        fixture.heap.define(OWN, &structure(16, &[4])).unwrap();
        fixture.heap.handles_mut().insert(std::sync::Arc::new(round)).unwrap();
    }
    bases.sort_unstable();
    bases.dedup();
    assert!(bases.len() < 64, "no space was taken again");
}
