//! Where Cranelift is left out: nobody makes machine code here.

use super::batch::Made;
use super::{CompileError, Trampoline};
use crate::module::DefinedFunc;
use crate::runtime::code::ModuleCode;
use crate::runtime::config::CodeConfig;
use crate::types::FuncType;

/// Whether it is there.
pub const IS_THERE: bool = false;

/// Nothing takes any.
pub const MEMORY: usize = 0;

/// What there is none of.
pub enum Maker {}

fn left_out() -> CompileError {
    CompileError::Host("the compiler was left out of this program (the feature `jit`)".into())
}

impl Maker {
    /// Says that there is none.
    pub fn new(_: &CodeConfig, _: usize) -> Result<Self, CompileError> {
        Err(left_out())
    }

    /// Never called.
    pub fn functions(&self, _: &ModuleCode, _: &[DefinedFunc], _: usize) -> Result<Option<Made>, CompileError> {
        match *self {}
    }

    /// Never called.
    pub fn entered_at(&self, _: &ModuleCode, _: DefinedFunc, _: u32, _: usize) -> Result<Option<Made>, CompileError> {
        match *self {}
    }

    /// Never called.
    pub fn trampoline(&self, _: Trampoline, _: &FuncType) -> Result<Made, CompileError> {
        match *self {}
    }

    /// Never called.
    pub fn target(&self) -> String {
        match *self {}
    }
}

/// Says that there is no compiler.
pub fn clif(_: &ModuleCode, _: DefinedFunc) -> Result<String, CompileError> {
    Err(left_out())
}

/// Says that there is no compiler.
pub fn disassemble(_: &ModuleCode, _: DefinedFunc) -> Result<String, CompileError> {
    Err(left_out())
}
