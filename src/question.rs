//! What else the worker of a session is asked than to run an entry, and the parts of its answers.

use serde::{Deserialize, Serialize};

/// Units of work of an entry that may do as much as it likes: it is counted all the same.
pub const UNLIMITED: u64 = i64::MAX as u64;

/// What a phase makes of an entry, that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// How large what each phase makes is, and how long it takes.
    Stages,
    /// The compiler's own language.
    Ir,
    /// WebAssembly.
    Wat,
    /// The interpreter's instructions.
    Slots,
    /// Machine code.
    Asm,
}

/// Something that can stand at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// What is written.
    pub name: String,
    /// What it is, in a word: `variable`, `function`, `method`, `field`, `variant`, `type`, `trait`, `constant`, `module`, `keyword`.
    pub kind: String,
    /// Its type or its head, as it is written; may be empty.
    #[serde(rename = "type")]
    pub ty: String,
}

/// What is asked of a module that is explored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Explore {
    /// What it exports.
    Exports,
    /// To call an export, until it ends or stops.
    Call {
        /// Its name.
        name: String,
        /// As they are written.
        arguments: Vec<String>,
    },
    /// Bytes of a memory.
    Memory {
        /// Which.
        index: u32,
        /// The first byte.
        address: u64,
        /// How many.
        length: u64,
    },
    /// The globals.
    Globals,
    /// To stop at a function's beginning, or an operator's offset; none: where that is.
    Break(Option<String>),
    /// To stop nowhere any more.
    Clear,
    /// To go on for so many operators.
    Step(u64),
    /// To go on until a place to stop at.
    Continue,
    /// To end the call that stands.
    Stop,
    /// The locals of the function that stands.
    Locals,
    /// Its operands.
    Stack,
    /// Where it stands, and who called it.
    Where,
}
