//! Any bytes, told by a worker of its program's calls: the supervisor neither panics nor hangs nor fails.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pinfold::supervisor::hostile;

fuzz_target!(|data: &[u8]| {
    let _ = hostile::hear_notes(data).expect("whatever a worker tells, it is a note or nonsense");
});
