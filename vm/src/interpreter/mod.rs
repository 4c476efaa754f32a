//! The interpreter: to be filled.

use crate::module::{DefinedFunc, FuncIndex, Module};
use crate::runtime::Outcome;
use crate::runtime::config::CodeConfig;
use crate::runtime::context::{Activation, FuncRef, InstanceContext, StoreContext};

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

/// The frames of an activation of the interpreter, newest first.
///
/// # Safety
/// The activation is live.
pub unsafe fn frames(_activation: &Activation, _f: &mut dyn FnMut(*mut InstanceContext, FuncIndex, u32)) {}
