//! The engines that are compared, and what a comparison came to.

use pinfold_vm::api::{MemoryKind, Tier};
use pinfold_vm::heap::Checks;

use crate::coverage::Counts;
use crate::peer::Peer;
use crate::pinfold::Machine;
use crate::v8::V8;
use crate::wasmtime::Wasmtime;

/// The engines that are compared.
pub struct Bench {
    pub jit: Machine,
    pub interpreter: Machine,
    /// With canonical NaNs.
    pub canonical: [Machine; 3],
    /// Where both tiers run, and call each other or go on for each other.
    pub mixed: [Machine; 4],
    /// Whose heap is collected and looked at whenever something is made.
    pub watched: [Machine; 3],
    pub peer: Peer,
    pub wasmtime: Wasmtime,
    pub v8: Option<V8>,
}

impl Bench {
    pub fn new() -> Self {
        let (reserved, dynamic) = (MemoryKind::Reserved, MemoryKind::Dynamic);
        let checks = Checks { every_allocation: true, poison: true, verify: true, ..Checks::default() };
        Self {
            jit: Machine::new("jit", Tier::Jit, reserved, false),
            interpreter: Machine::new("interpreter", Tier::Interpreter, reserved, false),
            canonical: [
                Machine::new("jit, canonical NaNs", Tier::Jit, reserved, true),
                Machine::new("interpreter, canonical NaNs", Tier::Interpreter, reserved, true),
                Machine::new("jit, canonical NaNs, dynamic memory", Tier::Jit, dynamic, true),
            ],
            mixed: [
                Machine::new("even functions compiled", Tier::AlternateEven, reserved, false),
                Machine::new("odd functions compiled, dynamic memory", Tier::AlternateOdd, dynamic, false),
                Machine::new("every loop entered", Tier::EveryLoop, reserved, false),
                Machine::new("some loops entered, dynamic memory", Tier::SomeLoops, dynamic, false),
            ],
            watched: [
                Machine::checked("jit, heap watched", Tier::Jit, reserved, false, checks),
                Machine::checked("interpreter, heap watched", Tier::Interpreter, dynamic, false, checks),
                Machine::checked("every loop entered, heap watched", Tier::EveryLoop, reserved, false, checks),
            ],
            peer: Peer::new(),
            wasmtime: Wasmtime::new(),
            v8: V8::find(),
        }
    }
}

/// What the comparison of many modules came to.
#[derive(Default)]
pub struct Report {
    pub modules: u64,
    /// Modules that could use all of WebAssembly 3.0.
    pub everything: u64,
    pub unmade: u64,
    pub instantiated: u64,
    /// Modules that ran on wasmi, wasmtime and V8.
    pub wasmi: u64,
    pub wasmtime: u64,
    pub v8: u64,
    pub calls: u64,
    /// Calls in a harness that returned.
    pub returned: u64,
    pub fuel: u64,
    pub counts: Counts,
    pub failures: Vec<String>,
}

impl Report {
    pub fn add(&mut self, other: Self) {
        self.modules += other.modules;
        self.everything += other.everything;
        self.unmade += other.unmade;
        self.instantiated += other.instantiated;
        self.wasmi += other.wasmi;
        self.wasmtime += other.wasmtime;
        self.v8 += other.v8;
        self.calls += other.calls;
        self.returned += other.returned;
        self.fuel += other.fuel;
        self.counts.add(&other.counts);
        self.failures.extend(other.failures);
    }

    /// Who ran how many.
    pub fn peers(&self) -> String {
        let v8 = if self.v8 == 0 {
            "V8 SKIPPED: node is not there; tests/guests/fetch gets it".into()
        } else {
            format!("V8 {}", self.v8)
        };
        format!("modules compared with: wasmtime {}, wasmi {}, {v8}", self.wasmtime, self.wasmi)
    }

    pub fn print_failures(&self) {
        for failure in &self.failures {
            println!("  {failure}");
        }
    }
}
