//! Any bytes, sent by a worker: the supervisor neither panics nor hangs nor fails.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pinfold::supervisor::hostile;

fuzz_target!(|data: &[u8]| {
    let datagrams: Vec<&[u8]> = data.split(|byte| *byte == 0).take(16).collect();
    hostile::hear(&datagrams).expect("whatever a worker says, there is a verdict");
});
