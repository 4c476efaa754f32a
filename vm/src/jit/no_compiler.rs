//! Where the compiler is left out: there is never one.

use std::io;
use std::sync::Arc;

use super::batch::Parts;
use super::{Batch, CompileError, Compiled, LoopCode, Trampoline, TrampolineCode, Trampolines};
use crate::interpreter::LoopHeader;
use crate::module::{DefinedFunc, Module};
use crate::runtime::code::ModuleCode;
use crate::runtime::config::CodeConfig;
use crate::types::{FuncType, TypeId};

/// Whether there is a compiler.
pub const IS_THERE: bool = false;

/// Nothing takes any.
pub const MEMORY: usize = 0;

/// What no engine has.
pub enum Compiler {}

fn left_out() -> CompileError {
    CompileError::Host("the compiler was left out of this program (the feature `jit`)".into())
}

impl Compiler {
    /// Says that there is none.
    pub fn new(_: CodeConfig, _: usize) -> Result<Self, CompileError> {
        Err(left_out())
    }

    /// Never called.
    pub fn compile_functions(&self, _: &ModuleCode, _: &[DefinedFunc]) -> Result<Vec<Compiled>, CompileError> {
        match *self {}
    }

    /// Never called.
    pub fn compile_loop(
        &self,
        _: &ModuleCode,
        _: DefinedFunc,
        _: &LoopHeader,
    ) -> Result<Option<(LoopCode, Arc<Batch>)>, CompileError> {
        match *self {}
    }

    /// Never called.
    pub fn trampoline(&self, _: Trampoline, _: TypeId, _: &FuncType) -> Result<TrampolineCode, CompileError> {
        match *self {}
    }

    /// Never called.
    pub fn trampolines(&self) -> Trampolines {
        match *self {}
    }

    /// Never called.
    ///
    /// # Safety
    /// It is never called.
    pub unsafe fn adopt_trampolines(&self, _: Parts, _: &[(Trampoline, TypeId, u32)]) -> Result<(), CompileError> {
        match *self {}
    }

    /// Never called.
    ///
    /// # Safety
    /// It is never called.
    pub unsafe fn adopt(&self, _: Parts, _: &Module) -> Result<Arc<Batch>, CompileError> {
        match *self {}
    }

    /// Never called.
    pub fn target(&self) -> String {
        match *self {}
    }

    /// Never called.
    pub fn cached_trampoline(&self, _: Trampoline, _: TypeId) -> Option<TrampolineCode> {
        match *self {}
    }
}

/// Sets aside nothing.
///
/// # Errors
/// Never.
pub fn reserve_code() -> io::Result<()> {
    Ok(())
}

/// Says that there is no compiler.
pub fn clif(_: &ModuleCode, _: DefinedFunc) -> Result<String, CompileError> {
    Err(left_out())
}

/// Says that there is no compiler.
pub fn disassemble(_: &ModuleCode, _: DefinedFunc) -> Result<String, CompileError> {
    Err(left_out())
}
