//! The compiler of an engine: what was made of functions and types, and where it stands in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use super::arena::Arena;
use super::batch::{Batch, Parts};
use super::elsewhere::{Placed, Remote, ToldOfKept};
use super::{CompileError, Compiled, LoopCode, Maker, Trampoline, TrampolineCode, Trampolines};
use crate::module::{DefinedFunc, Module};
use crate::runtime::code::ModuleCode;
use crate::runtime::config::CodeConfig;
use crate::runtime::kept::{Adopted, Unfit};
use crate::types::{FuncType, TypeId};

/// Compiles for the stores of an engine.
pub struct Compiler {
    source: Source,
    arena: &'static Arena,
    /// How many bytes code takes.
    used: Arc<AtomicUsize>,
    trampolines: RwLock<HashMap<(Trampoline, TypeId), TrampolineCode>>,
    /// Keeps trampolines in memory.
    batches: Mutex<Vec<Arc<Batch>>>,
}

/// Where machine code comes from.
enum Source {
    /// It is made here.
    Here(Maker),
    /// Another process makes it.
    Elsewhere(Remote),
}

/// What is to be made.
#[derive(Clone, Copy)]
pub enum Order<'a> {
    /// Functions.
    Functions(&'a ModuleCode, &'a [DefinedFunc]),
    /// A function that is entered at the header of the loop with this number.
    Loop(&'a ModuleCode, DefinedFunc, u32),
    /// A trampoline of a type.
    Trampoline(Trampoline, TypeId, &'a FuncType),
}

impl Order<'_> {
    fn module(&self) -> *const Module {
        match self {
            Self::Functions(code, _) | Self::Loop(code, ..) => &raw const code.module,
            Self::Trampoline(..) => std::ptr::null(),
        }
    }
}

/// Code that was made, where it stands.
pub struct Standing {
    /// What it is part of.
    pub batch: Arc<Batch>,
    /// What starts where: as in [`Made`](super::batch::Made).
    pub starts: Vec<[u32; 2]>,
}

/// Sets aside the memory for code that a process ever has, where it cannot do so later.
///
/// # Errors
/// If the kernel refuses it.
pub fn reserve_code() -> std::io::Result<()> {
    Arena::get().map(drop)
}

impl Compiler {
    /// A compiler for this host; what it makes, and itself at work, may take so many bytes.
    pub fn new(config: &CodeConfig, memory: usize) -> Result<Self, CompileError> {
        Self::of(config, || Ok(Source::Here(Maker::new(config, memory)?)))
    }

    /// One that has another process make the code.
    pub fn elsewhere(config: &CodeConfig, remote: Remote) -> Result<Self, CompileError> {
        Self::of(config, || Ok(Source::Elsewhere(remote)))
    }

    fn of(config: &CodeConfig, source: impl FnOnce() -> Result<Source, CompileError>) -> Result<Self, CompileError> {
        if config.no_signals {
            return Err(CompileError::Host("it needs signals, which are turned off".into()));
        }
        let source = source()?;
        let arena = Arena::get().map_err(|e| CompileError::Host(e.to_string()))?;
        let (used, trampolines, batches) = Default::default();
        Ok(Self { source, arena, used, trampolines, batches })
    }

    /// Says that a module is going to be compiled, and its types' trampolines are going to be asked for.
    pub fn prepare(&self, code: &ModuleCode) -> Result<(), CompileError> {
        self.remote().map_or(Ok(()), |remote| remote.serve(code))
    }

    /// Has something made, and placed. `None` if there is nothing that can be made.
    ///
    /// # Safety
    /// The batch of a module's code is handed to its `keep`.
    pub unsafe fn make(&self, order: Order<'_>) -> Result<Option<Standing>, CompileError> {
        let used = self.used.load(Ordering::Relaxed);
        let maker = match &self.source {
            Source::Here(maker) => maker,
            Source::Elsewhere(remote) => {
                let Some(told) = remote.order(order)? else { return Ok(None) };
                // SAFETY: by contract.
                let batch = unsafe { self.claim(told.placed, order.module()) }?;
                return Ok(Some(Standing { batch, starts: told.starts }));
            }
        };
        let made = match order {
            Order::Functions(code, funcs) => maker.functions(code, funcs, used)?,
            Order::Loop(code, func, number) => maker.entered_at(code, func, number, used)?,
            Order::Trampoline(what, _, ty) => Some(maker.trampoline(what, ty)?),
        };
        // To give back what nothing stands in is a system call.
        let Some(made) = made else { return Ok(None) };
        // SAFETY: by contract.
        let batch = unsafe { self.place(made.parts, order.module()) }?;
        Ok(Some(Standing { batch, starts: made.starts }))
    }

    /// Places code.
    ///
    /// # Safety
    /// As for [`Batch::place`].
    pub unsafe fn place(&self, parts: Parts, module: *const Module) -> Result<Arc<Batch>, CompileError> {
        // SAFETY: by contract.
        unsafe { Batch::place(self.arena, &self.used, parts, module) }.ok_or(CompileError::Full)
    }

    /// Compiles functions as one batch. Those that are too large are left out: they stay in the interpreter.
    pub fn compile_functions(&self, code: &ModuleCode, funcs: &[DefinedFunc]) -> Result<Vec<Compiled>, CompileError> {
        // SAFETY: the caller hands the batch to its module's `keep`.
        let Some(Standing { batch, starts }) = (unsafe { self.make(Order::Functions(code, funcs)) })? else {
            return Ok(Vec::new());
        };
        let compiled = |[func, start]: [u32; 2]| Compiled {
            func: DefinedFunc(func),
            code: batch.address(start),
            batch: batch.clone(),
        };
        Ok(starts.into_iter().map(compiled).collect())
    }

    /// Compiles a function to be entered at a loop's header. `None` if it is too large.
    pub fn compile_loop(
        &self,
        code: &ModuleCode,
        func: DefinedFunc,
        number: u32,
    ) -> Result<Option<(LoopCode, Arc<Batch>)>, CompileError> {
        // SAFETY: the caller hands the batch to its module's `keep`.
        let made = unsafe { self.make(Order::Loop(code, func, number)) }?;
        Ok(made.and_then(|Standing { batch, starts }| {
            let [[_, body], [_, trampoline]] = starts[..] else { return None };
            Some((LoopCode { code: batch.address(body), trampoline: batch.address(trampoline) }, batch))
        }))
    }

    /// A trampoline of a type, made now if there is none.
    pub fn trampoline(&self, what: Trampoline, id: TypeId, ty: &FuncType) -> Result<TrampolineCode, CompileError> {
        if let Some(found) = self.cached_trampoline(what, id) {
            return Ok(found);
        }
        let mut cache = self.trampolines.write().unwrap_or_else(|e| e.into_inner());
        if let Some(found) = cache.get(&(what, id)) {
            return Ok(*found);
        }
        // SAFETY: it is no module's.
        let made = unsafe { self.make(Order::Trampoline(what, id, ty)) }?;
        let Some(Standing { batch, starts }) = made else {
            return Err(CompileError::Elsewhere("refuses a trampoline"));
        };
        let start = starts.first().map_or(0, |[_, start]| *start);
        let made = TrampolineCode(batch.address(start));
        cache.insert((what, id), made);
        self.batches().push(batch);
        Ok(made)
    }

    fn batches(&self) -> MutexGuard<'_, Vec<Arc<Batch>>> {
        self.batches.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The same, as the batch that it is in and where it starts there.
    pub fn trampoline_in_batch(
        &self,
        what: Trampoline,
        id: TypeId,
        ty: &FuncType,
    ) -> Result<Option<(Arc<Batch>, u32)>, CompileError> {
        let TrampolineCode(code) = self.trampoline(what, id, ty)?;
        Ok(self.batches().iter().find_map(|batch| Some((batch.clone(), batch.offset_of(code)?))))
    }

    /// A trampoline of a type, if it was made.
    pub fn cached_trampoline(&self, what: Trampoline, id: TypeId) -> Option<TrampolineCode> {
        self.trampolines.read().unwrap_or_else(|e| e.into_inner()).get(&(what, id)).copied()
    }

    /// All trampolines that were made.
    pub fn trampolines(&self) -> Trampolines {
        let all = self.trampolines.read().unwrap_or_else(|e| e.into_inner());
        let all = all.iter().map(|(&(what, id), &made)| (what, id, made)).collect();
        (all, self.batches().clone())
    }

    /// Takes trampolines that stand somewhere: what each does, of which type, and where it starts there.
    pub fn adopt_trampolines(&self, batch: &Arc<Batch>, list: &[(Trampoline, TypeId, u32)]) {
        let mut cache = self.trampolines.write().unwrap_or_else(|e| e.into_inner());
        for (what, id, start) in list {
            cache.entry((*what, *id)).or_insert(TrampolineCode(batch.address(*start)));
        }
        drop(cache);
        self.batches().push(batch.clone());
    }

    /// The other process, if one makes the code.
    pub fn remote(&self) -> Option<&Remote> {
        match &self.source {
            Source::Here(_) => None,
            Source::Elsewhere(remote) => Some(remote),
        }
    }

    /// Claims what the other process says that it has placed of what was kept.
    pub fn claim_kept(
        &self,
        told: Result<Option<ToldOfKept>, CompileError>,
        module: &Module,
    ) -> Result<Adopted, Unfit> {
        let told = told.map_err(|_| Unfit::Elsewhere)?.ok_or(Unfit::Nothing)?;
        // SAFETY: no module's; the other is handed to its `keep`.
        let batch = |told, module| unsafe { self.claim(told, module) }.map_err(|_| Unfit::Elsewhere);
        let ToldOfKept { stubs, trampolines, code, functions, loops } = told;
        let (stubs, code) = (batch(stubs, std::ptr::null())?, batch(code, module)?);
        let adopted = Adopted { stubs, trampolines, code, functions, loops };
        if adopted.is_of(module) { Ok(adopted) } else { Err(Unfit::Damaged) }
    }

    /// Claims code that the other process says that it has placed.
    ///
    /// # Safety
    /// As for [`Batch::place`].
    unsafe fn claim(&self, told: Placed, module: *const Module) -> Result<Arc<Batch>, CompileError> {
        let range = self.arena.claim(told.start, told.len).ok_or(CompileError::Elsewhere("places it badly"))?;
        // SAFETY: by contract.
        Ok(unsafe { Batch::standing(self.arena, &self.used, range, told.len, told.tables, module) })
    }

    /// What its code is for: architecture, and all that is assumed of the processor. None where it is made elsewhere.
    pub fn target(&self) -> Option<String> {
        match &self.source {
            Source::Here(maker) => Some(maker.target()),
            Source::Elsewhere(_) => None,
        }
    }
}
