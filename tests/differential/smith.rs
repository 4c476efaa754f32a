//! Modules from wasm-smith.

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};

use crate::random::Random;

/// What a module ends by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A counter in the module itself: every engine ends at the same place.
    Counter,
    /// The engine's fuel: only Pinfold's tiers count alike.
    Fuel,
}

/// What a module may use that not every one does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct With {
    /// Fixed-width SIMD.
    pub vectors: bool,
    /// Relaxed SIMD on top; wasmi chooses differently.
    pub relaxed: bool,
    /// Exceptions; wasmi has none.
    pub exceptions: bool,
    /// Memories and tables with 64-bit addresses, beside those with 32.
    pub memory64: bool,
    /// References to functions of a type, structs, arrays, small integers, casts; wasmi has none.
    pub objects: bool,
    /// Memories, at most.
    pub memories: usize,
}

impl With {
    /// All that WebAssembly 3.0 has.
    pub const EVERYTHING: Self =
        Self { vectors: true, relaxed: true, exceptions: true, memory64: true, objects: true, memories: 4 };
}

/// A module of Pinfold's scope. `None` if the bytes that the seed stands for make none.
pub fn module(random: &mut Random, ending: Ending, with: With) -> Option<Vec<u8>> {
    // Types of objects take much of it.
    let len = (500 + random.below(6000)) * if with.objects { 4 } else { 1 };
    let bytes = random.bytes(len);
    module_from(&bytes, random, ending, with)
}

/// The module that `bytes` stand for.
pub fn module_from(bytes: &[u8], random: &mut Random, ending: Ending, with: With) -> Option<Vec<u8>> {
    let mut module = Module::new(config(random, with), &mut Unstructured::new(bytes)).ok()?;
    if ending == Ending::Counter {
        module.ensure_termination(200).ok()?;
    }
    Some(module.to_bytes())
}

fn config(random: &mut Random, with: With) -> Config {
    Config {
        // The scope: WebAssembly 3.0.
        bulk_memory_enabled: true,
        multi_value_enabled: true,
        reference_types_enabled: true,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: with.vectors,
        tail_call_enabled: true,
        relaxed_simd_enabled: with.relaxed,
        exceptions_enabled: with.exceptions,
        gc_enabled: with.objects,
        compact_imports_enabled: false,
        memory64_enabled: with.memory64,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        extended_const_enabled: true,
        custom_page_sizes_enabled: false,
        // What engines may answer differently is left out.
        canonicalize_nans: true,
        memory_max_size_required: true,
        table_max_size_required: true,
        max_memory32_bytes: 3 << 16,
        max_memory64_bytes: 3 << 16,
        max_table_elements: 60,
        // Small and quick.
        export_everything: true,
        max_data_segments: 4,
        max_element_segments: 4,
        max_elements: 8,
        max_funcs: 3 + random.below(8),
        min_funcs: 2,
        max_globals: 6,
        max_imports: 4,
        max_instructions: 20 + random.below(120),
        max_memories: with.memories,
        max_tables: 3,
        // With objects only a third are of functions.
        min_types: if with.objects { 8 } else { 0 },
        max_types: if with.objects { 16 } else { 8 },
        limit_arrays_in_const_exprs: true,
        max_type_size: 60,
        ..Config::default()
    }
}
