//! How wasmtime is set up where it is a peer.

use wasmtime::{Collector, Config, OptLevel, RegallocAlgorithm};

/// All of WebAssembly 3.0 that a default leaves out, and little time in the compiler.
pub fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_function_references(true)
        .wasm_gc(true)
        .wasm_exceptions(true)
        .wasm_tail_call(true)
        .wasm_memory64(true)
        .wasm_multi_memory(true)
        .collector(Collector::Copying)
        .cranelift_opt_level(OptLevel::None)
        .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
        // Two engines that handle signals in one process would have to agree on who comes first.
        .signals_based_traps(false)
        .memory_reservation(0)
        .memory_guard_size(0);
    config
}
