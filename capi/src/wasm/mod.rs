//! The layer for WebAssembly: engines, modules, stores, linkers, instances.
//!
//! Of values numbers and vectors cross. What takes or gives references is not called from C, and not defined there.

mod caller;
mod engine;
mod instance;
mod linker;
mod store;
mod value;
