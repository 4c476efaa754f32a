//! The compiled tier: to be filled.

use std::sync::Arc;

use crate::module::DefinedFunc;
use crate::runtime::code::ModuleCode;
use crate::runtime::config::CodeConfig;
use crate::types::{FuncType, TypeId};

pub mod builtins;
pub mod registry;

/// Why something could not be compiled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CompileError {
    /// The host's processor is not supported.
    #[error("this processor cannot run compiled code: {0}")]
    Host(String),
}

/// Compiled code that is freed together.
pub struct Batch {}

/// A compiled function.
pub struct Compiled {
    /// Which.
    pub func: DefinedFunc,
    /// Its entry in the compiled convention.
    pub code: *const u8,
    /// What keeps it in memory.
    pub batch: Arc<Batch>,
}

/// The trampolines of a function type.
#[derive(Clone, Copy)]
pub struct Trampolines {
    /// From the array convention to the compiled one.
    pub entry: *const u8,
    /// Stands for interpreted functions.
    pub interpreter: *const u8,
    /// Stands for host functions.
    pub host: *const u8,
}

/// The compiler.
pub struct Compiler {}

impl Compiler {
    /// A compiler for this host.
    pub fn new(_config: CodeConfig) -> Result<Self, CompileError> {
        Ok(Self {})
    }

    /// Compiles functions, in parallel where there are many.
    pub fn compile_functions(&self, _code: &ModuleCode, _funcs: &[DefinedFunc]) -> Result<Vec<Compiled>, CompileError> {
        Err(CompileError::Host("not yet".into()))
    }

    /// The trampolines of a type, made now if there are none.
    pub fn trampolines(&self, _id: TypeId, _ty: &FuncType) -> Result<Trampolines, CompileError> {
        Err(CompileError::Host("not yet".into()))
    }

    /// The trampolines of a type, if they were made.
    pub fn cached_trampolines(&self, _id: TypeId) -> Option<Trampolines> {
        None
    }
}
