//! The interpreter: verified stack code is translated, function by function on the first call,
//! to instructions over the slots of a frame, and those are run by handlers that jump to one another.
//!
//! * [`operators`]: the table of numeric and memory operators, with what they mean.
//! * [`translator`]: from WebAssembly to instructions.
//! * [`handlers`]: what instructions do; [`dispatch`]: how they follow one another.
//! * [`frame`]: entry from outside, and the walk over frames for backtraces; [`suspended`]: frames that are written down and made again.
//! * [`kept`]: translations for the next process.
//!
//! Invariant: at loop headers and calls everything live is in the frame's slots.

pub mod dispatch;
mod float;
mod frame;
pub mod handlers;
mod integer;
pub mod kept;
mod maps;
pub mod operators;
mod regions;
pub mod suspended;
mod translator;
pub mod value;
pub mod vectors;

pub use frame::{execute, find_handler, frames, roots, running};
pub use translator::{call_site, disassemble, translate};

use crate::module::FuncIndex;
use crate::runtime::debug::Slot;

/// A loop's header. When the interpreter is there, all live state is in the frame's slots: the locals from its first slot on, and the
/// operands in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopHeader {
    /// The operator's offset in the module.
    pub offset: u32,
    /// How many operands there are, the loop's parameters included.
    pub operands: u32,
    /// The slot of the first.
    pub slot: u32,
}

/// A translated function.
#[derive(Debug)]
pub struct Function {
    /// First instruction; part of `code`.
    entry: *const u32,
    /// Slots of a frame, operands and room for calls' results included.
    frame_slots: u32,
    /// The frame's first slot of the header.
    header: u32,
    /// The frame's bytes.
    frame_bytes: usize,
    /// Which function it is.
    index: FuncIndex,
    /// The instructions.
    code: Box<[u32]>,
    /// Where instructions that may trap or call come from: their first word's index, and the operator's
    /// offset in the module. Ascending.
    offsets: Box<[(u32, u32)]>,
    /// Its loops, in order.
    loops: Box<[LoopHeader]>,
    /// Its `try_table`s.
    regions: regions::Regions,
    /// Where its frame holds references.
    maps: maps::Maps,
    /// Its locals, and what is at each operator, if somebody may look on.
    steps: Option<Box<Steps>>,
    /// Where its instructions start, if it may be kept.
    starts: Option<Box<kept::Starts>>,
}

/// What whoever looks on is shown of a function.
#[derive(Debug, Default)]
pub struct Steps {
    locals: Vec<Slot>,
    /// Ascending.
    steps: Vec<Step>,
}

/// A place before an operator.
#[derive(Debug)]
pub struct Step {
    /// The instruction's first word.
    word: u32,
    /// The operator's offset in the module.
    pub offset: u32,
    /// The operands, the deepest first.
    pub operands: Vec<Slot>,
}

// SAFETY: `entry` points into `code`, which nobody changes.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

impl Function {
    /// The module offset of the operator that the instruction with this word comes from.
    fn offset(&self, word: u32) -> u32 {
        let after = self.offsets.partition_point(|(at, _)| *at <= word);
        after.checked_sub(1).map_or(0, |at| self.offsets[at].1)
    }

    /// Which function it is.
    pub fn index(&self) -> FuncIndex {
        self.index
    }

    /// The place of one of its instructions.
    fn word(&self, ip: dispatch::Ip) -> u32 {
        ((ip as usize - self.entry as usize) / size_of::<u32>()) as u32
    }

    /// Where its locals are, if somebody may look on.
    pub fn locals(&self) -> &[Slot] {
        self.steps.as_ref().map_or(&[], |steps| &steps.locals)
    }

    /// What is before the operator at an instruction that stops there.
    pub fn step(&self, word: u32) -> Option<&Step> {
        let steps = &self.steps.as_ref()?.steps;
        steps.binary_search_by_key(&word, |step| step.word).ok().map(|at| &steps[at])
    }

    /// The headers of its loops that control can come to, in order.
    pub fn loops(&self) -> &[LoopHeader] {
        &self.loops
    }

    /// Words of its instructions.
    pub fn size(&self) -> usize {
        self.code.len()
    }
}
