//! The examples, with wasmtime for what they use.

#![expect(clippy::duplicate_mod, reason = "the very same files, with both")]

#[path = "../../../examples/wasm/programs/mod.rs"]
mod programs;

use wasmtime as wasm;

pub use programs::EXAMPLES;
