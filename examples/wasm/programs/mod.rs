//! The programs, for whatever is in scope as `wasm` where they are included.

mod fuel;
mod hello;
mod linking;
mod memory;
mod multi;

use std::error::Error;
use std::io::Write;

use super::wasm;

/// Runs an example, which writes to `out`.
pub type Example = fn(out: &mut dyn Write) -> Result<(), Box<dyn Error>>;

/// Each with its name.
pub const EXAMPLES: [(&str, Example); 5] = [
    ("hello", hello::run),
    ("memory", memory::run),
    ("multi", multi::run),
    ("linking", linking::run),
    ("fuel", fuel::run),
];
