//! Any bytes, taken as a module: nothing panics, nothing hangs, and both tiers agree.

#![no_main]

#[path = "../../tests/differential/pinfold.rs"]
mod pinfold;
#[path = "../../tests/differential/plan.rs"]
#[allow(dead_code)]
mod plan;
#[path = "../../tests/differential/random.rs"]
#[allow(dead_code)]
mod random;
#[path = "../../tests/differential/value.rs"]
mod value;

use libfuzzer_sys::fuzz_target;
use pinfold::Machine;
use pinfold_vm::api::{MemoryKind, Module, Tier};
use plan::Plan;
use random::Random;

thread_local! {
    // NaNs are canonical here, or the tiers might choose different ones.
    static MACHINES: [Machine; 2] = [
        Machine::new("interpreter", Tier::Interpreter, MemoryKind::Reserved, true),
        Machine::new("jit", Tier::Jit, MemoryKind::Reserved, true),
    ];
}

fuzz_target!(|data: &[u8]| {
    MACHINES.with(|[interpreter, jit]| {
        let Ok(module) = Module::new(&interpreter.engine, data) else { return };
        let Some(plan) = Plan::new(&module, 1, 6, 30_000, &mut Random::new(data.len() as u64)) else { return };
        let compiled = Module::new(&jit.engine, data).and_then(|module| jit.run(&module, &plan));
        if let (Ok(a), Ok(b)) = (interpreter.run(&module, &plan), compiled)
            && let Some(what) = a.differs(&b, true)
        {
            panic!("interpreter against jit: {what}");
        }
    });
});
