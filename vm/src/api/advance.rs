//! What a process makes in advance that is about to give up making anything: threads, address space, code memory.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::engine::Engine;
use super::error::Result;
use crate::heap;
use crate::module::Bytes;
use crate::runtime::config::{MemoryKind, Tier};
use crate::runtime::trap::TrapKind;
use crate::runtime::{memory, sampler, signals, space, stack, threads};

/// What is made in advance for running one program.
#[derive(Clone, Debug)]
pub struct Advance {
    /// Threads beside the one that runs the guest.
    pub threads: usize,
    /// Linear memories, at most: where there is no room for so many addresses, fewer are made. 64-bit ones take as much of it
    /// as they may grow to.
    pub memories: usize,
    /// Bytes of the guest's stack.
    pub stack: usize,
    /// The program, if it may be a [snapshot](super::Instance::snapshot) in a sealed file: its memory begins there then, and nothing is copied.
    pub program: Option<Bytes>,
    /// What was mapped [over](Bytes::over) it: from the file, and where from.
    pub image: Option<(Arc<File>, u64)>,
}

impl Advance {
    /// Makes it all, once a process. Afterwards, whatever an engine, a module and a store of this process do by themselves takes no system
    /// calls but `futex`, `mprotect` without `PROT_EXEC`, `madvise`, and what the allocator makes.
    ///
    /// # Errors
    /// If the kernel refuses something.
    pub fn make(&self, engine: &Engine) -> Result<()> {
        let io = |error: io::Error| super::Error::Host(error.into());
        // First, so that they come to run while the rest is made.
        let threads = threads::start(self.threads).map_err(io)?;
        if engine.inner.config.tier != Tier::Interpreter {
            crate::jit::reserve_code().map_err(io)?;
        }
        signals::ensure_signal_stack();
        signals::thread_id();
        // Whoever reads a clock for the first time asks where the kernel keeps it; those that wait do so without having been granted one.
        let _ = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        space::prepare(stack::Stack::total(stack::rounded(self.stack)), 1).map_err(io)?;
        if engine.inner.config.memory == MemoryKind::Reserved && self.memories > 0 {
            space::prepare_for_much(memory::RESERVATION, self.memories).map_err(io)?;
        }
        space::prepare(heap::RESERVATION, 1).map_err(io)?;
        if let Some((program, file)) = self.program.as_ref().and_then(|program| Some((program, program.sealed_file()?)))
        {
            let image = self.image.as_ref().map(|(file, start)| (&**file, *start as usize));
            space::prepare_behind(file, program, image, memory::RESERVATION).map_err(io)?;
        }
        threads.wait().map_err(io)
    }
}

/// Lets whoever may send this process signals stop its guest: `SIGURG` from another process ends it as a passed deadline does. It is to be
/// sent until it is served.
pub fn stop_from_outside() {
    signals::stop_from_outside(TrapKind::Timeout);
}

/// Lets whoever may send this process signals have samples taken of its guests' stacks, by `SIGPROF`: see [`Store::sample`](super::Store::sample), which
/// makes no system call after this.
pub fn sample_from_outside() {
    sampler::install();
}
