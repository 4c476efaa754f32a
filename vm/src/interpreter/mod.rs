//! The interpreter: verified stack code is translated, function by function on the first call,
//! to instructions over the slots of a frame, and those are run by handlers that jump to one another.
//!
//! * [`operators`]: the table of numeric and memory operators, with what they mean.
//! * [`translator`]: from WebAssembly to instructions.
//! * [`handlers`]: what instructions do; [`dispatch`]: how they follow one another.
//! * [`frame`]: entry from outside, and the walk over frames for backtraces.
//!
//! Invariant: at loop headers and calls everything live is in the frame's slots.

pub mod dispatch;
mod float;
mod frame;
pub mod handlers;
mod integer;
mod maps;
pub mod operators;
mod regions;
mod translator;
pub mod value;
pub mod vectors;

pub use frame::{execute, find_handler, frames, roots};
pub use translator::{disassemble, translate};

use crate::module::FuncIndex;

/// Calls and loop turns after which a function counts as hot.
pub const HOT: u32 = 3000;

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
    /// Loop headers: the operator's offset in the module, and the index of its first instruction.
    /// At these all live state is in slots.
    loops: Box<[(u32, u32)]>,
    /// Its `try_table`s.
    regions: regions::Regions,
    /// Where its frame holds references.
    maps: maps::Maps,
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

    /// Loop headers, as offsets in the module and indices of instruction words, in order.
    pub fn loops(&self) -> &[(u32, u32)] {
        &self.loops
    }

    /// Words of its instructions.
    pub fn size(&self) -> usize {
        self.code.len()
    }
}
