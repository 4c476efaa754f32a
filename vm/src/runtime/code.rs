//! Code of a module in both tiers, shared by all its instances.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::config::{CodeConfig, Tier};
use super::context::Layout;
use super::events::{Events, Sink};
use super::image::Image;
use super::kept::Unfit;
use super::loops::Loops;
use super::tier;
use crate::jit::LoopCode;
use crate::module::{DefinedFunc, Module};
use crate::{interpreter, jit};

/// A module, and what the tiers made of it so far.
pub struct ModuleCode {
    /// The verified module.
    pub module: Module,
    /// Where things stand in its instances' contexts.
    pub layout: Layout,
    /// Settings that the code is made under.
    pub config: CodeConfig,
    functions: Box<[FunctionCode]>,
    /// Compiled code that lives as long as the module.
    batches: Mutex<Vec<Arc<jit::Batch>>>,
    /// What instances after the first start their memory from.
    image: OnceLock<Option<Image>>,
    /// Whether there was a first instance.
    instantiated: AtomicBool,
    /// Whether the trampolines of all its functions' types were made.
    pub(super) has_stubs: AtomicBool,
    /// Bytes of the bodies that were compiled to be entered in mid-loop.
    pub(super) loop_bytes: AtomicUsize,
    /// How many functions and loops were compiled by an earlier process, or why their code is of no use; nothing as long as that is not known, or
    /// if nothing was kept.
    pub adopted: OnceLock<Result<usize, Unfit>>,
    /// Translations that were kept.
    pub translations: OnceLock<interpreter::kept::Translations>,
    /// How many calls it takes until a function is hot.
    pub(super) hot_calls: AtomicI32,
    /// Who is told of what comes of it.
    pub(super) events: Events,
}

/// One function's code in both tiers.
pub struct FunctionCode {
    /// The interpreter's translation, made on the first call.
    ir: OnceLock<Box<interpreter::Function>>,
    /// The same, where calls look: null as long as there is none, and again once it is compiled.
    pub(crate) interpreted: AtomicPtr<interpreter::Function>,
    /// Entry in the compiled convention, null until there is one.
    compiled: AtomicPtr<u8>,
    /// Entry trampoline for its signature: set before `compiled`.
    trampoline: AtomicPtr<u8>,
    /// Calls in the interpreter; zero is the one at which the function is hot.
    pub calls: AtomicI32,
    /// Turns of its loops in the interpreter; from zero on it looks for code to go on in.
    pub turns: AtomicI32,
    /// Its code that is entered in mid-loop, once someone has looked for it.
    loops: OnceLock<Box<Mutex<Loops>>>,
}

// The interpreter comes to a function's by its number.
const _: () = assert!(size_of::<FunctionCode>() == 64);

impl ModuleCode {
    /// A module without code in either tier.
    pub fn new(module: Module, config: CodeConfig) -> Self {
        let layout = Layout::new(&module);
        let functions = (0..module.defined_count()).map(|_| FunctionCode::new(config.tier)).collect();
        Self {
            module,
            layout,
            config,
            functions,
            batches: Mutex::default(),
            image: OnceLock::new(),
            instantiated: AtomicBool::new(false),
            has_stubs: AtomicBool::new(false),
            loop_bytes: AtomicUsize::new(0),
            adopted: OnceLock::new(),
            translations: OnceLock::new(),
            hot_calls: AtomicI32::new(tier::until_hot(config.tier).0),
            events: Events::default(),
        }
    }

    /// Has somebody told of what comes of it.
    pub fn telling(self, sink: Option<Sink>) -> Self {
        Self { events: Events::new(sink), ..self }
    }

    /// The code of a function.
    pub fn function(&self, func: DefinedFunc) -> &FunctionCode {
        &self.functions[func.index()]
    }

    /// Keeps compiled code as long as the module.
    pub fn keep(&self, batch: Arc<jit::Batch>) {
        let mut batches = self.batches.lock().unwrap_or_else(|e| e.into_inner());
        // It comes once for each of its functions.
        if batches.last().is_none_or(|last| !Arc::ptr_eq(last, &batch)) {
            batches.push(batch);
        }
    }

    /// Compiled code that it keeps.
    pub fn batches(&self) -> Vec<Arc<jit::Batch>> {
        self.batches.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// How many functions and loops are compiled.
    pub fn compiled(&self) -> usize {
        let made = |function: &FunctionCode| usize::from(function.compiled().is_some()) + function.loops_made().len();
        self.functions.iter().map(made).sum()
    }

    /// What a new instance can start its memory from. Made for the second instance of the module: the first, which often
    /// is the only one, copies less without it.
    pub fn image(&self) -> Option<&Image> {
        if !self.instantiated.swap(true, Ordering::Relaxed) {
            return None;
        }
        self.image.get_or_init(|| Image::of(&self.module)).as_ref()
    }

    /// The code of all functions.
    pub(crate) fn functions(&self) -> &[FunctionCode] {
        &self.functions
    }

    /// The translation of a function that the interpreter is to run: `None` if it is compiled.
    /// Later calls find it without asking.
    pub(crate) fn interpreted(&self, func: DefinedFunc) -> Option<&interpreter::Function> {
        let code = self.function(func);
        let ir = code.compiled().is_none().then(|| self.ir(func))?;
        code.interpreted.store(std::ptr::from_ref(ir).cast_mut(), Ordering::SeqCst);
        std::sync::atomic::fence(Ordering::SeqCst);
        if code.compiled().is_some() {
            // Published meanwhile.
            code.interpreted.store(std::ptr::null_mut(), Ordering::Release);
            return None;
        }
        Some(ir)
    }

    /// Functions that are translated for the interpreter, and not compiled.
    pub(crate) fn translated(&self) -> impl Iterator<Item = DefinedFunc> {
        let all = (0..).map(DefinedFunc).zip(&self.functions);
        all.filter(|(_, function)| function.ir.get().is_some() && function.compiled().is_none()).map(|(func, _)| func)
    }

    /// The interpreter's translation of a function, made now if there is none.
    pub fn ir(&self, func: DefinedFunc) -> &interpreter::Function {
        let slot = &self.functions[func.index()].ir;
        // SAFETY: whoever set them says that they are this module's.
        let kept = || unsafe { self.translations.get()?.get(self.module.func_index(func)) };
        slot.get_or_init(|| {
            Box::new(kept().unwrap_or_else(|| interpreter::translate(&self.module, &self.config, func)))
        })
    }
}

impl FunctionCode {
    fn new(tier: Tier) -> Self {
        let (calls, turns) = tier::until_hot(tier);
        Self {
            ir: OnceLock::new(),
            interpreted: AtomicPtr::default(),
            compiled: AtomicPtr::default(),
            trampoline: AtomicPtr::default(),
            calls: AtomicI32::new(-calls),
            turns: AtomicI32::new(-turns),
            loops: OnceLock::new(),
        }
    }

    /// Its code that is entered in mid-loop.
    pub fn loops(&self) -> MutexGuard<'_, Loops> {
        self.loops.get_or_init(Box::default).lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Those that were made, and their numbers.
    pub fn loops_made(&self) -> Vec<(u32, LoopCode)> {
        match self.loops.get() {
            Some(loops) => loops.lock().unwrap_or_else(|e| e.into_inner()).made().collect(),
            None => Vec::new(),
        }
    }

    /// The compiled entry and the trampoline to reach it from the array convention.
    pub fn compiled(&self) -> Option<(*const u8, *const u8)> {
        let code = self.compiled.load(Ordering::Acquire);
        (!code.is_null()).then(|| (code.cast_const(), self.trampoline.load(Ordering::Relaxed).cast_const()))
    }

    /// Publishes compiled code: every later call enters it.
    pub fn publish(&self, code: *const u8, trampoline: *const u8) {
        self.trampoline.store(trampoline.cast_mut(), Ordering::Relaxed);
        self.compiled.store(code.cast_mut(), Ordering::SeqCst);
        self.interpreted.store(std::ptr::null_mut(), Ordering::SeqCst);
    }
}
