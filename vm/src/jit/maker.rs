//! Functions and trampolines to machine code.

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

use std::collections::HashMap;
use std::sync::Mutex;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{ExternalName, Function, UserFuncName};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{
    CompiledCode, Context, ExceptionContextLoc, FinalizedMachExceptionHandler, FinalizedRelocTarget, ir,
};
use cranelift_frontend::FunctionBuilderContext;

use super::batch::{CallSite, Entry, Handler, Made, Parts, StackMap, Tables};
use super::{CompileError, Trampoline, checker, lower, trampolines};
use crate::interpreter::LoopHeader;
use crate::module::{DefinedFunc, Module};
use crate::runtime::code::ModuleCode;
use crate::runtime::config::CodeConfig;
use crate::runtime::threads;
use crate::types::FuncType;

/// The largest body that is compiled: Cranelift cannot be interrupted, and its time is not linear.
const MAX_BODY: usize = 2 << 20;
/// About how many bytes Cranelift takes for each byte of a body: what was seen were 230 to 630.
const MEMORY_PER_BYTE: usize = 768;
/// Bytes that compiling may take where nobody says otherwise: enough for the largest body.
pub const MEMORY: usize = MAX_BODY * MEMORY_PER_BYTE;
/// The most operands below a loop that a function is entered at, times the body's bytes: each is a variable to Cranelift, which keeps
/// track of it through all blocks.
const MAX_CARRIED: usize = 16 << 20;
/// Fewer bytes than this are compiled by one thread.
const PARALLEL: usize = 64 << 10;

/// Whether it is there.
pub const IS_THERE: bool = true;

/// Makes machine code, through Cranelift.
pub struct Maker {
    isa: OwnedTargetIsa,
    /// Bytes that code, what explains it, and this at work may take.
    memory: usize,
}

/// Machine code of one function, not placed yet.
struct Machine {
    code: Vec<u8>,
    /// Offsets of 4-byte fields, and the defined function each calls.
    calls: Vec<(u32, u32)>,
    /// All but the entry, which is all of it.
    tables: Tables,
    disassembly: Option<String>,
}

/// The target's description for this host, under an engine's settings.
fn isa(config: &CodeConfig) -> Result<OwnedTargetIsa, String> {
    let builder = cranelift_native::builder().map_err(str::to_owned)?;
    builder.finish(flags(config)?).map_err(|e| e.to_string())
}

pub(super) fn flags(config: &CodeConfig) -> Result<settings::Flags, String> {
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
    let nans = if config.canonical_nans { "true" } else { "false" };
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verifier),
        ("enable_nan_canonicalization", nans),
        ("preserve_frame_pointers", "true"),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        ("is_pic", "false"),
        // It holds the fuel.
        ("enable_pinned_reg", if config.fuel { "true" } else { "false" }),
        // Results that find no register are left in memory of the caller's.
        ("enable_multi_ret_implicit_sret", "true"),
    ] {
        flags.set(name, value).map_err(|e| e.to_string())?;
    }
    Ok(settings::Flags::new(flags))
}

impl Maker {
    /// One for this host.
    pub fn new(config: &CodeConfig, memory: usize) -> Result<Self, CompileError> {
        Ok(Self { isa: isa(config).map_err(CompileError::Host)?, memory })
    }

    /// Whether it takes a function where code takes so many bytes already; those that it does not stay in the interpreter.
    fn takes(&self, module: &Module, func: DefinedFunc, used: usize) -> bool {
        let bytes = module.body(func).len();
        let left = self.memory.saturating_sub(used);
        bytes <= MAX_BODY
            && bytes * MEMORY_PER_BYTE <= left
            && lower::is_bounded(module, func)
            && lower::handlers_fit(module, func)
    }

    /// The code of functions, put together, in parallel where there are many. Those that are too large are left out: they stay in the interpreter.
    pub fn functions(
        &self,
        code: &ModuleCode,
        funcs: &[DefinedFunc],
        used: usize,
    ) -> Result<Option<Made>, CompileError> {
        let mut parts = Parts::default();
        let mut starts = HashMap::new();
        let mut calls = Vec::new();
        for (func, machine) in self.compilable(code, funcs, used)? {
            let start = append(&mut parts, machine, Some(code.module.func_index(func)), &mut calls);
            starts.insert(func.0, start);
        }
        for (at, callee) in calls {
            // Every callee of a direct call is in the batch: `own` said so when it was lowered.
            let Some(target) = starts.get(&callee) else { continue };
            let relative = target.wrapping_sub(at + 4);
            parts.code[at as usize..][..4].copy_from_slice(&relative.to_le_bytes());
        }
        let starts: Vec<_> = funcs.iter().filter_map(|func| Some([func.0, *starts.get(&func.0)?])).collect();
        Ok((!starts.is_empty()).then_some(Made { parts, starts }))
    }

    /// Compiles those of the functions that are not too large; which, and their code.
    fn compilable(
        &self,
        code: &ModuleCode,
        funcs: &[DefinedFunc],
        used: usize,
    ) -> Result<Vec<(DefinedFunc, Machine)>, CompileError> {
        let takes = |func: &DefinedFunc| self.takes(&code.module, *func, used);
        let mut small: Vec<DefinedFunc> = funcs.iter().copied().filter(takes).collect();
        loop {
            let own = small.iter().copied().collect();
            let machines = small.iter().zip(self.machines(code, &small, &own)?);
            let made: Vec<_> = machines.filter_map(|(func, machine)| Some((*func, machine?))).collect();
            if made.len() == small.len() {
                return Ok(made);
            }
            // Others call those directly that turned out to be too large: once more without them.
            small = made.into_iter().map(|(func, _)| func).collect();
        }
    }

    /// The code of functions; none for those that are too large.
    fn machines(
        &self,
        code: &ModuleCode,
        funcs: &[DefinedFunc],
        own: &std::collections::HashSet<DefinedFunc>,
    ) -> Result<Vec<Option<Machine>>, CompileError> {
        let bytes: usize = funcs.iter().map(|f| code.module.body(*f).len()).sum();
        let helpers = if bytes < PARALLEL { 0 } else { threads::available() - 1 };
        let next = std::sync::atomic::AtomicUsize::new(0);
        let all = Mutex::new(Ok(Vec::with_capacity(funcs.len())));
        threads::share(helpers, &|| {
            let mut worker = Worker::new(&*self.isa);
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(func) = funcs.get(at) else { return };
                let made = worker.function(code, *func, None, own, false);
                let mut all = all.lock().unwrap_or_else(|e| e.into_inner());
                match (&mut *all, made) {
                    (Ok(all), Ok(machine)) => all.push((at, machine)),
                    // The first error is the one that counts.
                    (Ok(_), Err(error)) => *all = Err(error),
                    (Err(_), _) => return,
                }
            }
        });
        let mut all = all.into_inner().unwrap_or_else(|e| e.into_inner())?;
        all.sort_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, machine)| machine).collect())
    }

    /// The code of a function that is entered at the header of a loop, and the trampoline to it. None if it is too large, or has no such loop.
    pub fn entered_at(
        &self,
        code: &ModuleCode,
        func: DefinedFunc,
        number: u32,
        used: usize,
    ) -> Result<Option<Made>, CompileError> {
        let bytes = code.module.body(func).len();
        let entry = code.ir(func).loops().get(number as usize);
        let Some(entry) = entry.filter(|entry| entry.operands as usize * bytes <= MAX_CARRIED) else { return Ok(None) };
        if !self.takes(&code.module, func, used) {
            return Ok(None);
        }
        let mut worker = Worker::new(&*self.isa);
        let none = std::collections::HashSet::new();
        let Some(body) = worker.function(code, func, Some(entry), &none, false)? else { return Ok(None) };
        let index = code.module.func_index(func);
        let trampoline =
            trampolines::entry(&*self.isa, &lower::code_type(code, func, Some(entry)), &mut worker.builder);
        let error = |why| CompileError::Function { func: index.0, why };
        let trampoline = worker.compile(trampoline, false).map_err(error)?;
        let mut parts = Parts::default();
        // It calls nothing directly.
        let starts = [(body, Some(index)), (trampoline, None)]
            .map(|(machine, of)| [func.0, append(&mut parts, machine, of, &mut Vec::new())]);
        Ok(Some(Made { parts, starts: starts.into() }))
    }

    /// A trampoline of a type.
    pub fn trampoline(&self, what: Trampoline, ty: &FuncType) -> Result<Made, CompileError> {
        let mut worker = Worker::new(&*self.isa);
        let func = trampolines::make(what, &*self.isa, ty, &mut worker.builder);
        let machine = worker.compile(func, false).map_err(|why| CompileError::Function { func: 0, why })?;
        let mut parts = Parts::default();
        let start = append(&mut parts, machine, None, &mut Vec::new());
        Ok(Made { parts, starts: vec![[0, start]] })
    }

    /// What its code is for: architecture, and all that is assumed of the processor.
    pub fn target(&self) -> String {
        let features = self.isa.isa_flags().iter().map(|flag| format!("{flag} ")).collect::<String>();
        format!("{} {features}", self.isa.triple())
    }
}

/// Adds a function's code and tables to a batch.
fn append(
    parts: &mut Parts,
    mut machine: Machine,
    func: Option<crate::module::FuncIndex>,
    calls: &mut Vec<(u32, u32)>,
) -> u32 {
    machine.tables.entries = vec![Entry { start: 0, end: machine.code.len() as u32, func }];
    let start = parts.append(&machine.code, &machine.tables);
    calls.extend(machine.calls.iter().map(|(at, callee)| (at + start, *callee)));
    start
}

/// What one thread reuses from function to function.
struct Worker<'a> {
    isa: &'a dyn TargetIsa,
    builder: FunctionBuilderContext,
    context: Context,
    control: ControlPlane,
}

impl<'a> Worker<'a> {
    fn new(isa: &'a dyn TargetIsa) -> Self {
        Self { isa, builder: FunctionBuilderContext::new(), context: Context::new(), control: ControlPlane::default() }
    }

    /// The code of a function; none if it is too large.
    fn function(
        &mut self,
        code: &ModuleCode,
        func: DefinedFunc,
        entry: Option<&LoopHeader>,
        own: &std::collections::HashSet<DefinedFunc>,
        disassemble: bool,
    ) -> Result<Option<Machine>, CompileError> {
        let error = |why| CompileError::Function { func: code.module.func_index(func).0, why };
        let lowered = match lower::function(self.isa, code, func, entry, own, &mut self.builder) {
            Ok(lowered) => lowered,
            Err(refused) => {
                // It was left in the middle of the function.
                self.builder = FunctionBuilderContext::new();
                return match refused {
                    lower::Refused::TooLarge => Ok(None),
                    lower::Refused::Unreadable(why) => Err(error(why)),
                };
            }
        };
        let machine = self.compile(lowered.func, disassemble).map_err(error)?;
        if let Some(claims) = &lowered.claims {
            let ty = lower::code_type(code, func, entry);
            if let Err(unsound) = checker::check(&self.context.func, &ty, claims) {
                unsound_code(code.module.func_index(func).0, &unsound);
            }
        }
        Ok(Some(machine))
    }

    fn compile(&mut self, func: Function, disassemble: bool) -> Result<Machine, String> {
        self.context.clear();
        self.context.func = func;
        self.context.set_disasm(disassemble);
        if let Err(error) = self.context.compile(self.isa, &mut self.control) {
            return Err(format!("{:?}", error.inner));
        }
        let Some(compiled) = self.context.compiled_code() else { return Err("no code".into()) };
        let mut calls = Vec::new();
        let params = &self.context.func.params;
        for reloc in compiled.buffer.relocs() {
            match (&reloc.kind, &reloc.target, reloc.addend) {
                (
                    Reloc::X86CallPCRel4 | Reloc::X86PCRel4,
                    FinalizedRelocTarget::ExternalName(ExternalName::User(name)),
                    -4,
                )
                | (Reloc::Arm64Call, FinalizedRelocTarget::ExternalName(ExternalName::User(name)), 0) => {
                    calls.push((reloc.offset, params.user_named_funcs()[*name].index))
                }
                other => return Err(format!("code refers to something outside of it: {other:?}")),
            }
        }
        let traps = compiled.buffer.traps().iter().map(|trap| (trap.offset, lower::trap_number(trap.code))).collect();
        let mut locations = Vec::new();
        for location in compiled.buffer.get_srclocs_sorted() {
            if !location.loc.is_default() {
                locations.push((location.start, location.loc.bits()));
            }
        }
        let (sites, handlers) = handlers(compiled)?;
        let (maps, references) = maps(compiled);
        let disassembly = compiled.vcode.clone();
        let code = compiled.code_buffer().to_vec();
        let tables = Tables { entries: Vec::new(), traps, locations, sites, handlers, maps, references };
        Ok(Machine { code, calls, tables, disassembly })
    }
}

/// Ends the process: the compiler is broken. A panic might be taken for less where it is caught, or die unheard in the background.
fn unsound_code(func: u32, why: &checker::Unsound) -> ! {
    eprintln!("function {func} was compiled to code that loses references: {why}");
    std::process::abort()
}

/// The calls of a function that have handlers, and their handlers.
fn handlers(compiled: &CompiledCode) -> Result<(Vec<CallSite>, Vec<Handler<u32>>), String> {
    let (mut sites, mut all) = (Vec::new(), Vec::new());
    for site in compiled.buffer.call_sites().filter(|site| !site.exception_handlers.is_empty()) {
        let first = all.len() as u32;
        let mut context = None;
        for handler in site.exception_handlers {
            match *handler {
                FinalizedMachExceptionHandler::Tag(tag, address) => {
                    all.push(Handler { tag: Some(tag.as_u32()), address });
                }
                FinalizedMachExceptionHandler::Default(address) => all.push(Handler { tag: None, address }),
                FinalizedMachExceptionHandler::Context(ExceptionContextLoc::SPOffset(at)) => context = Some(at),
                // No register survives a call that throws, so the context cannot be in one.
                FinalizedMachExceptionHandler::Context(other) => return Err(format!("the context is in {other:?}")),
            }
        }
        let (Some(frame), Some(context)) = (site.frame_offset, context) else {
            return Err("a call with handlers has no frame".into());
        };
        sites.push(CallSite { returns: site.ret_addr, frame, context, handlers: (first, all.len() as u32 - first) });
    }
    Ok((sites, all))
}

/// The calls of a function during which its frame holds references, and where those are.
fn maps(compiled: &CompiledCode) -> (Vec<StackMap>, Vec<u32>) {
    let (mut maps, mut all) = (Vec::new(), Vec::new());
    for (returns, frame, map) in compiled.buffer.user_stack_maps() {
        let first = all.len() as u32;
        all.extend(map.entries().map(|(_, at)| at));
        maps.push(StackMap { returns: *returns, frame: *frame, references: (first, all.len() as u32 - first) });
    }
    (maps, all)
}

/// A function's CLIF before optimisation, for reading.
pub fn clif(code: &ModuleCode, func: DefinedFunc) -> Result<String, CompileError> {
    let isa = isa(&code.config).map_err(CompileError::Host)?;
    let none = std::collections::HashSet::new();
    let lowered = lower::function(&*isa, code, func, None, &none, &mut FunctionBuilderContext::new());
    match lowered {
        Ok(lowered) => Ok(lowered.func.display().to_string()),
        Err(lower::Refused::TooLarge) => Err(too_large(func)),
        Err(lower::Refused::Unreadable(why)) => Err(CompileError::Function { func: func.0, why }),
    }
}

/// A function's machine code, for reading.
pub fn disassemble(code: &ModuleCode, func: DefinedFunc) -> Result<String, CompileError> {
    let isa = isa(&code.config).map_err(CompileError::Host)?;
    let machine = Worker::new(&*isa).function(code, func, None, &std::collections::HashSet::new(), true)?;
    let machine = machine.ok_or_else(|| too_large(func))?;
    Ok(machine.disassembly.unwrap_or_default())
}

fn too_large(func: DefinedFunc) -> CompileError {
    CompileError::Function { func: func.0, why: "it is too large; it stays in the interpreter".into() }
}

/// The name of a defined function inside a batch.
pub(super) fn name(func: DefinedFunc) -> UserFuncName {
    UserFuncName::User(ir::UserExternalName::new(0, func.0))
}
