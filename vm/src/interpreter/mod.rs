//! The interpreter: to be filled.

use crate::module::{DefinedFunc, Module};
use crate::runtime::Outcome;
use crate::runtime::config::CodeConfig;
use crate::runtime::context::{FuncRef, StoreContext};

/// A translated function.
pub struct Function {}

/// Translates a verified function.
pub fn translate(_module: &Module, _config: &CodeConfig, _func: DefinedFunc) -> Function {
    unimplemented!("translation")
}

/// Runs a defined function in the array convention.
///
/// # Safety
/// As for [`crate::runtime::call`]; `func` is a defined function.
pub unsafe fn execute(_store: *mut StoreContext, _func: *const FuncRef, _buffer: *mut u64) -> Outcome {
    unimplemented!("execution")
}
