//! What the stores of a process share: settings, function types, stacks, the compiler.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use super::config::CodeConfig;
use super::stack::StackPool;
use crate::jit;
use crate::types::{FuncType, TypeId};

/// The shared part of all stores made from one set of settings.
pub struct Engine {
    /// Settings that code depends on.
    pub config: CodeConfig,
    /// Stacks that wait for the next store.
    pub stacks: StackPool,
    types: RwLock<Types>,
    compiler: OnceLock<Result<Arc<jit::Compiler>, jit::CompileError>>,
    /// Jobs for the background compiler.
    pub(super) background: Mutex<Option<std::sync::mpsc::Sender<super::tier::Job>>>,
}

#[derive(Default)]
struct Types {
    ids: HashMap<FuncType, TypeId>,
    types: Vec<FuncType>,
}

impl Engine {
    /// An engine with these settings.
    pub fn new(config: CodeConfig) -> Self {
        Self {
            config,
            stacks: StackPool::default(),
            types: RwLock::default(),
            compiler: OnceLock::new(),
            background: Mutex::default(),
        }
    }

    /// The number of a function type: equal types have equal numbers.
    pub fn type_id(&self, ty: &FuncType) -> TypeId {
        if let Some(id) = self.types.read().unwrap_or_else(|e| e.into_inner()).ids.get(ty) {
            return *id;
        }
        let mut types = self.types.write().unwrap_or_else(|e| e.into_inner());
        let next = TypeId(types.types.len() as u32);
        let id = *types.ids.entry(ty.clone()).or_insert(next);
        if id == next {
            types.types.push(ty.clone());
        }
        id
    }

    /// The function type behind a number.
    pub fn func_type(&self, id: TypeId) -> Option<FuncType> {
        self.types.read().unwrap_or_else(|e| e.into_inner()).types.get(id.0 as usize).cloned()
    }

    /// The compiler, started when it is first needed.
    pub fn compiler(&self) -> Result<&Arc<jit::Compiler>, &jit::CompileError> {
        self.compiler.get_or_init(|| jit::Compiler::new(self.config).map(Arc::new)).as_ref()
    }
}
