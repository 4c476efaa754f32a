//! The examples, with wasmtime for what they use.

#![expect(clippy::duplicate_mod, reason = "the very same files, with both")]

#[path = "../../../examples/wasm/fuel.rs"]
mod fuel;
#[path = "../../../examples/wasm/hello.rs"]
mod hello;
#[path = "../../../examples/wasm/linking.rs"]
mod linking;
#[path = "../../../examples/wasm/memory.rs"]
mod memory;
#[path = "../../../examples/wasm/multi.rs"]
mod multi;

use wasmtime as wasm;

use super::with_pinfold::Example;

/// In the order that they have with Pinfold.
pub const EXAMPLES: [(&str, Example); 5] = [
    ("hello", hello::run),
    ("memory", memory::run),
    ("multi", multi::run),
    ("linking", linking::run),
    ("fuel", fuel::run),
];
