//! Generated modules on both tiers, on a mixture of them and on wasmi: all must see the same.

#![no_main]

#[path = "../../tests/differential/peer.rs"]
mod peer;
#[path = "../../tests/differential/pinfold.rs"]
mod pinfold;
#[path = "../../tests/differential/plan.rs"]
#[allow(dead_code)]
mod plan;
#[path = "../../tests/differential/random.rs"]
#[allow(dead_code)]
mod random;
#[path = "../../tests/differential/smith.rs"]
#[allow(dead_code)]
mod smith;
#[path = "../../tests/differential/value.rs"]
mod value;

use libfuzzer_sys::fuzz_target;
use peer::Peer;
use pinfold::Machine;
use pinfold_vm::api::{MemoryKind, Module, Tier};
use plan::Plan;
use random::Random;
use smith::{Ending, With};

struct Engines {
    machines: [Machine; 4],
    peer: Peer,
}

thread_local! {
    static ENGINES: Engines = Engines {
        machines: [
            Machine::new("jit", Tier::Jit, MemoryKind::Reserved, false),
            Machine::new("interpreter", Tier::Interpreter, MemoryKind::Reserved, false),
            Machine::new("even functions compiled", Tier::AlternateEven, MemoryKind::Reserved, false),
            Machine::new("odd functions compiled, dynamic memory", Tier::AlternateOdd, MemoryKind::Dynamic, false),
        ],
        peer: Peer::new(),
    };
}

fuzz_target!(|data: &[u8]| {
    let Some((head, data)) = data.split_first_chunk::<8>() else { return };
    let mut random = Random::new(u64::from_le_bytes(*head));
    let ending = if random.one_in(8) { Ending::Fuel } else { Ending::Counter };
    let exceptions = random.one_in(4);
    let relaxed = random.one_in(3);
    let objects = random.one_in(2);
    let with = With { relaxed, exceptions, objects, ..With::EVERYTHING };
    let Some(bytes) = smith::module_from(data, &mut random, ending, with) else { return };
    let peer = ending == Ending::Counter && !exceptions && !relaxed && !objects;
    ENGINES.with(|engines| compare(engines, &bytes, peer, ending, &mut random));
});

/// `peer`: wasmi runs the module too.
fn compare(engines: &Engines, bytes: &[u8], peer: bool, ending: Ending, random: &mut Random) {
    let [first, others @ ..] = &engines.machines;
    let module = Module::new(&first.engine, bytes).unwrap_or_else(|error| panic!("refused: {error}"));
    let fuel = if ending == Ending::Fuel { 20_000 } else { 1 << 40 };
    let Some(plan) = Plan::new(&module, 2, 12, fuel, random) else { return };
    let Ok(expected) = first.run(&module, &plan) else { return };
    for machine in others {
        let run = Module::new(&machine.engine, bytes).and_then(|module| machine.run(&module, &plan));
        let run = run.unwrap_or_else(|error| panic!("{}: {error}", machine.name));
        if let Some(what) = expected.differs(&run, true) {
            panic!("{} against {}: {what}", first.name, machine.name);
        }
    }
    if peer {
        let run = engines.peer.run(bytes, &plan).unwrap_or_else(|error| panic!("wasmi: {error}"));
        if let Some(what) = expected.coarse().differs(&run, false) {
            panic!("{} against wasmi: {what}", first.name);
        }
    }
}
