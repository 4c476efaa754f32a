//! What the stores of a process share: settings, function types, the compiler.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use super::config::CodeConfig;
use super::events::Sink;
use super::queue::Sender;
use super::types::TypeRegistry;
use crate::jit;
use crate::types::{FuncType, TypeId};

/// The shared part of all stores made from one set of settings.
pub struct Engine {
    /// Settings that code depends on.
    pub config: CodeConfig,
    /// Bytes that compiling, and what comes of it, may take.
    compile_memory: usize,
    /// Its types.
    pub types: TypeRegistry,
    /// Who is told what the tiers do.
    pub events: Option<Sink>,
    compiler: OnceLock<Result<Arc<jit::Compiler>, jit::CompileError>>,
    /// Jobs for the background compiler.
    pub(super) background: Mutex<Option<Sender<super::tier::Job>>>,
    /// Whether nothing is compiled in the background any more.
    pub(super) is_compiled: AtomicBool,
}

impl Engine {
    /// An engine with these settings, in which compiling, and what comes of it, may take so many bytes.
    pub fn new(config: CodeConfig, compile_memory: usize) -> Self {
        Self {
            config,
            compile_memory,
            types: TypeRegistry::default(),
            events: None,
            compiler: OnceLock::new(),
            background: Mutex::default(),
            is_compiled: AtomicBool::new(false),
        }
    }

    /// Has somebody told what the tiers do.
    pub fn telling(self, events: Option<Sink>) -> Self {
        Self { events, ..self }
    }

    /// The number of a function type: equal types have equal numbers.
    pub fn type_id(&self, ty: &FuncType) -> TypeId {
        // There is room for all types that are ever seen before memory runs out of room for what is made of them.
        self.types.func(ty).map_or(TypeId::FUNC, |ty| ty.id)
    }

    /// The function type behind a number.
    pub fn func_type(&self, id: TypeId) -> Option<FuncType> {
        self.types.get(id)?.func().cloned()
    }

    /// Has another process compile. Before anything is compiled.
    ///
    /// # Errors
    /// If there is a compiler already, or code cannot run here.
    pub fn compile_elsewhere(&self, remote: jit::elsewhere::Remote) -> Result<(), jit::CompileError> {
        let compiler = jit::Compiler::elsewhere(&self.config, remote)?;
        self.compiler.set(Ok(Arc::new(compiler))).map_err(|_| jit::CompileError::Elsewhere("comes too late"))
    }

    /// The compiler, if it was needed so far.
    pub fn compiler_if_any(&self) -> Option<&Arc<jit::Compiler>> {
        self.compiler.get()?.as_ref().ok()
    }

    /// The compiler, started when it is first needed.
    pub fn compiler(&self) -> Result<&Arc<jit::Compiler>, &jit::CompileError> {
        self.compiler.get_or_init(|| jit::Compiler::new(&self.config, self.compile_memory).map(Arc::new)).as_ref()
    }
}
