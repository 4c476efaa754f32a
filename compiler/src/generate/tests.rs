//! Generated programs are right, and end.

use super::{Choices, program};
use crate::check::Options;
use crate::checked::Checked;
use crate::evaluator::{Ending, Limits, PanicKind, run, with_stack};

/// How many programs a run of the tests looks at; `PROGRAMS` in the environment says another number.
const PROGRAMS: u64 = 40;

#[test]
fn programs_are_right_and_end() {
    let count = std::env::var("PROGRAMS").ok().and_then(|count| count.parse().ok()).unwrap_or(PROGRAMS);
    let (finished, panicked) = with_stack(move || {
        let (mut finished, mut panicked) = (0, 0);
        for seed in 0..count {
            let text = program(Choices::seeded(seed));
            let checked = Checked::new(&text, Options::default());
            assert_eq!(checked.errors(), "", "seed {seed}:\n{text}");
            let run = run(&checked.program.unwrap(), &checked.names, Limits::default(), b"");
            assert!(std::str::from_utf8(&run.output).is_ok());
            match run.ending {
                Ending::Finished => finished += 1,
                Ending::Panicked(panic) => {
                    // The standard library checks before it uses what could fail.
                    use PanicKind::{Assertion, Called, Division, Overflow};
                    let own = matches!(panic.kind, Called | Overflow | Division | Assertion);
                    assert!(own, "seed {seed}: {panic:?}\n{text}");
                    panicked += 1;
                }
                other => panic!("seed {seed}: {other:?}\n{text}"),
            }
        }
        (finished, panicked)
    })
    .unwrap();
    // Most run to their end, and some do not.
    assert!(finished > panicked && panicked > 0, "{finished} finished, {panicked} panicked");
    println!("{finished} finished, {panicked} panicked");
}

#[test]
fn the_same_choices_give_the_same_program() {
    assert_eq!(program(Choices::seeded(7)), program(Choices::seeded(7)));
    assert_ne!(program(Choices::seeded(7)), program(Choices::seeded(8)));
}

#[test]
fn bytes_give_programs_too() {
    for bytes in [&[][..], &[255; 400], &[7, 99, 3, 250, 1, 0, 42, 13, 200, 90, 90, 90, 17]] {
        let text = program(Choices::bytes(bytes));
        let checked = Checked::new(&text, Options::default());
        assert_eq!(checked.errors(), "", "{text}");
    }
}
