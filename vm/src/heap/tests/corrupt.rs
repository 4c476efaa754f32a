//! Heaps that were damaged: a collection ends with a fault, and nothing leaves the reservation.

use super::model::Random;
use super::*;

fn faults(damage: impl Fn(&mut Fixture), major: bool) -> Option<Fault> {
    let mut fixture = Fixture::new(Checks::default());
    fixture.list(1000, 0);
    fixture.collect(true);
    fixture.list(1000, 0);
    let array = fixture.allocate(REFS, 100);
    fixture.roots.push(array);
    let large = fixture.allocate(REFS, 10_000);
    fixture.roots.push(large);
    damage(&mut fixture);
    // SAFETY: the roots are all there is.
    unsafe { fixture.heap.collect(major, PLENTY, &mut Slots(&mut fixture.roots)) };
    let fault = fixture.heap.fault();
    if let Some(fault) = fault {
        assert_eq!(fixture.try_allocate(LONG, 0), Err(HeapError::Corrupt(fault)));
        fixture.heap.prepare();
    }
    fault
}

#[test]
fn a_damaged_header_or_length_is_a_fault() {
    for header in [0, 64, 1 << 20, !63, !1, header_of(FUNCTION), POISON as u32] {
        for major in [false, true] {
            let fault = faults(|fixture| fixture.set(fixture.roots[1], 0, header), major);
            assert!(matches!(fault, Some(Fault::Header { .. } | Fault::Size { .. })), "{header:#x}: {fault:?}");
        }
        for old in [0, 3] {
            let fault = faults(|fixture| fixture.set(fixture.roots[old], 0, header), true);
            assert!(matches!(fault, Some(Fault::Header { .. } | Fault::Size { .. })), "{header:#x}: {fault:?}");
        }
    }
    for len in [10_000, 1 << 30, u32::MAX] {
        for major in [false, true] {
            let fault = faults(|fixture| fixture.set(fixture.roots[2], 4, len), major);
            assert!(matches!(fault, Some(Fault::Size { .. })), "{len}: {fault:?}");
        }
        let fault = faults(|fixture| fixture.set(fixture.roots[3], 4, len.saturating_add(1000)), true);
        assert!(matches!(fault, Some(Fault::Size { .. })), "{len}: {fault:?}");
    }
}

#[test]
fn a_reference_to_nothing_is_a_fault() {
    for value in [8, 256 << 10, 100 << 20, OLD - 8, 1 << 31, !7, 999 << 3 | 2] {
        let fault = faults(|fixture| fixture.set(fixture.roots[0], 4, value), true);
        assert_eq!(fault, Some(Fault::Reference { value }));
    }
}

#[test]
fn random_damage_crashes_nothing() {
    let mut random = Random(3);
    for _ in 0..300 {
        let mut fixture = Fixture::new(Checks::default());
        fixture.list(300, 0);
        let array = fixture.allocate(REFS, 10_000);
        fixture.roots.push(array);
        fixture.collect(true);
        fixture.list(300, 0);
        for _ in 0..20 {
            let place = match random.below(3) {
                0 => EDEN + random.below(4800) as u32,
                1 => OLD + random.below(4800) as u32,
                _ => fixture.roots[1] + random.below(40_000) as u32,
            } & !3;
            let value = match random.below(4) {
                0 => random.next() as u32,
                1 => header_of(TypeId(random.below(8) as u32)),
                2 => EDEN + random.below(4800) as u32,
                _ => OLD + random.below(4800) as u32,
            };
            fixture.store(place, 0, value & !(random.below(8) as u32));
        }
        for major in [false, true, false, true] {
            // SAFETY: the roots are all there is.
            unsafe { fixture.heap.collect(major, PLENTY, &mut Slots(&mut fixture.roots)) };
        }
    }
}
