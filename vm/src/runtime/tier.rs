//! Who runs where: what is compiled when, and how compiled code enters a store.
//!
//! Under [`Tier::Auto`] every function starts in the interpreter, which counts calls and loop
//! turns; one that turns hot is handed to a thread in the background, which compiles and
//! publishes it in its [`ModuleCode`], for all instances and stores at once. The next call enters
//! it. A frame that stays in a loop meanwhile goes on in code of its own, which is entered at the loop's header. Compiled code calls through [`FuncRef::code`], which stands at a stub until the callee is
//! compiled, and is mended by the first call through the stub after that.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::code::ModuleCode;
use super::config::Tier;
use super::context::{FuncRef, InstanceContext, StoreContext};
use super::engine::Engine;
use super::events::{self, Heat};
use super::loops::{AGAIN, Look};
use super::queue::{Receiver, Sender, queue};
use super::store::StoreInner;
use super::{kept, threads, x86_64};
use crate::jit::{CompileError, Compiler, LoopCode, Trampoline, TrampolineCode};
use crate::module::{DefinedFunc, FuncIndex};
use crate::types::{FuncType, TypeId};

/// Calls after which a function counts as hot.
const HOT_CALLS: i32 = 1500;
/// Turns of its loops after which a function counts as hot.
const HOT_TURNS: i32 = 2000;
/// Bytes of bodies that are compiled in one go, if so many wait: to ask for code takes time too.
const TOGETHER: usize = 1 << 10;
/// Bytes of a body from which compiling it twice is to be spared.
const LARGE: usize = 8 << 10;
/// The most bytes of bodies of a module that are compiled to be entered in mid-loop.
const MAX_LOOP_BYTES: usize = 16 << 20;

/// How many calls of a function, and how many turns of its loops, it takes until it is hot.
pub fn until_hot(tier: Tier) -> (i32, i32) {
    match tier {
        Tier::EveryLoop | Tier::SomeLoops => (HOT_CALLS, 0),
        _ => (HOT_CALLS, HOT_TURNS),
    }
}

/// By how much less is hot in a program whose hottest functions were compiled by an earlier run: the compiler has nothing else to do.
const SOONER: i32 = 8;

/// Lets functions count as hot sooner.
pub(super) fn lower_thresholds(code: &ModuleCode) {
    code.hot_calls.store(HOT_CALLS / SOONER, Ordering::Relaxed);
    for function in code.functions() {
        for count in [&function.calls, &function.turns] {
            count.store(count.load(Ordering::Relaxed) / SOONER, Ordering::Relaxed);
        }
    }
}

/// Bytes of functions that are many: with so many, a program is no short one.
const MUCH: usize = 1 << 20;

/// Work for the background compiler.
pub(super) enum Job {
    /// A function.
    Function {
        code: Arc<ModuleCode>,
        func: DefinedFunc,
        /// The loop that it is to be entered at; none: its start.
        entry: Option<u32>,
    },
    /// What another process has kept of a module.
    Adopt { code: Arc<ModuleCode> },
    /// A module that another process is going to compile functions of.
    Serve { code: Arc<ModuleCode> },
    /// Functions that the interpreter will run, to be translated before it comes to them.
    Translate { code: Arc<ModuleCode>, funcs: Vec<DefinedFunc> },
    /// A trampoline of a type, for somebody who waits for it.
    Trampoline { what: Trampoline, id: TypeId, ty: FuncType, to: Sender<TrampolineCode> },
}

/// Whether a function is to be compiled before its module runs.
fn ahead(tier: Tier, index: u32) -> bool {
    match tier {
        Tier::Jit => true,
        Tier::AlternateEven => index.is_multiple_of(2),
        Tier::AlternateOdd => !index.is_multiple_of(2),
        Tier::Interpreter | Tier::JitLazy | Tier::Auto | Tier::EveryLoop | Tier::SomeLoops => false,
    }
}

/// Compiles what is to be compiled before a module runs.
pub fn compile_ahead(engine: &Engine, code: &Arc<ModuleCode>) -> Result<(), CompileError> {
    let imported = code.module.imported.functions;
    let funcs: Vec<DefinedFunc> = (0..code.module.defined_count() as u32)
        .filter(|i| ahead(engine.config.tier, i + imported))
        .map(DefinedFunc)
        .filter(|func| code.function(*func).compiled().is_none())
        .collect();
    if funcs.is_empty() {
        return Ok(());
    }
    let compiler = engine.compiler().map_err(Clone::clone)?;
    compile(compiler, code, &funcs)
}

/// Bytes of bodies that are compiled in one go where all of a module is: calls between them are direct, and others learn how far it is.
const AT_ONCE: usize = 1 << 20;

/// Compiles all of a module that is not compiled yet, in its order, until that takes so many bytes. What cannot be compiled is left out, and so is what
/// it is tried together with only if nothing of that can be.
pub fn compile_all(engine: &Engine, code: &Arc<ModuleCode>, most: usize) -> Result<(), CompileError> {
    let compiler = engine.compiler().map_err(Clone::clone)?;
    // Also where there is nothing to compile: what is kept of that is asked for.
    compiler.prepare(code)?;
    let mut all = (0..code.module.defined_count() as u32)
        .map(DefinedFunc)
        .filter(|func| code.function(*func).compiled().is_none())
        .peekable();
    while all.peek().is_some() {
        if code.batches().iter().map(|batch| batch.memory()).sum::<usize>() >= most {
            return Ok(());
        }
        let (mut funcs, mut bytes) = (Vec::new(), 0);
        while let Some(func) = all.next_if(|func| bytes == 0 || bytes + code.module.body(*func).len() <= AT_ONCE) {
            bytes += code.module.body(func).len();
            funcs.push(func);
        }
        compile_or_divide(compiler, code, &funcs)?;
    }
    Ok(())
}

/// Compiles functions; where none of them came of it, each half for itself.
fn compile_or_divide(compiler: &Compiler, code: &Arc<ModuleCode>, funcs: &[DefinedFunc]) -> Result<(), CompileError> {
    let start = Instant::now();
    let result = publish(compiler, code, funcs);
    let is_over = matches!(result, Err(CompileError::Elsewhere(_) | CompileError::Full | CompileError::Host(_)));
    if !is_over && funcs.len() > 1 && funcs.iter().all(|func| code.function(*func).compiled().is_none()) {
        let (first, second) = funcs.split_at(funcs.len() / 2);
        compile_or_divide(compiler, code, first)?;
        return compile_or_divide(compiler, code, second);
    }
    if code.events.are_wanted() {
        events::of_functions(code, funcs, result.as_ref().err(), start.elapsed());
    }
    if is_over { result } else { Ok(()) }
}

/// Compiles functions and publishes them, and tells of it.
fn compile(compiler: &Compiler, code: &Arc<ModuleCode>, funcs: &[DefinedFunc]) -> Result<(), CompileError> {
    let start = Instant::now();
    let result = publish(compiler, code, funcs);
    if code.events.are_wanted() {
        let error = result.as_ref().err();
        events::of_functions(code, funcs, error, start.elapsed());
    }
    result
}

/// Compiles functions and publishes them.
fn publish(compiler: &Compiler, code: &Arc<ModuleCode>, funcs: &[DefinedFunc]) -> Result<(), CompileError> {
    prepare_stubs(compiler, code)?;
    for compiled in compiler.compile_functions(code, funcs)? {
        let func = code.module.func_index(compiled.func);
        let (id, ty) = (code.module.func_type_id(func), code.module.func_type(func));
        let entry = compiler.trampoline(Trampoline::Entry, id, ty)?;
        // For the first call through a stub that finds this code.
        compiler.trampoline(Trampoline::Unpack, id, ty)?;
        code.keep(compiled.batch);
        code.function(compiled.func).publish(compiled.code, entry.0);
    }
    Ok(())
}

/// Makes what stands for functions that are not compiled, of all types that a module's functions have, so that no guest thread
/// has to when it first meets compiled code. Once a module.
pub(super) fn prepare_stubs(compiler: &Compiler, code: &ModuleCode) -> Result<(), CompileError> {
    if code.has_stubs.load(Ordering::Acquire) {
        return Ok(());
    }
    compiler.prepare(code)?;
    // Where another module's function is imported, that one's types have been seen to.
    let (imported, defined) = code.module.functions.split_at(code.module.imported.functions as usize);
    // Whoever makes a tail call in the interpreter may have a compiled caller.
    let called_last = if code.module.has_tail_calls { &code.module.functions[..] } else { &[] };
    for (what, types) in
        [(Trampoline::Host, imported), (Trampoline::Interpreter, defined), (Trampoline::Unpack, called_last)]
    {
        let mut done = vec![false; code.module.types.len()];
        for ty in types {
            if !std::mem::replace(&mut done[ty.index()], true) {
                compiler.trampoline(what, code.module.types[ty.index()].id, code.module.func_type_at(*ty))?;
            }
        }
    }
    code.has_stubs.store(true, Ordering::Release);
    Ok(())
}

/// Called by the interpreter when a function has been called often enough.
///
/// # Safety
/// `context` is a live instance's, `func` one of its functions.
#[cold]
pub unsafe fn hot_function(context: *mut InstanceContext, func: DefinedFunc) {
    // SAFETY: by contract.
    unsafe {
        let code = &*(*context).code;
        if code.function(func).compiled().is_none() {
            code.events.hot(&code.module, func, Heat::Calls);
            ask(context, func, None);
        }
    }
}

/// Called by the interpreter at a loop's header when the function's loops have turned often enough: the code to go on in, null if
/// there is none.
///
/// # Safety
/// `context` is a live instance's, `func` one of its functions that the interpreter runs, and `number` one of its loops.
#[cold]
pub unsafe fn hot_loop(context: *mut InstanceContext, func: DefinedFunc, number: u32) -> *const LoopCode {
    // SAFETY: by contract.
    unsafe {
        let code = match (*(*context).code).config.tier {
            Tier::Auto => loop_in_background(context, func, number),
            _ => loop_now(context, func, number),
        };
        let store = (*context).store;
        let is_ready = || (*store).code_ready == 1 || make_ready(store);
        // Where there is no stack for it the interpreter may still have enough.
        if code.is_null() || x86_64::stack_pointer() < (*store).stack_limit || !is_ready() {
            return std::ptr::null();
        }
        StoreInner::of(store).loops_entered += 1;
        let of = &*(*context).code;
        of.events.entered(&of.module, func, number);
        code
    }
}

/// The code of a loop, if it has been made; otherwise it may be asked for.
///
/// A function that was called before will soon be called again: it is compiled as a whole first, and the loop only if it still turns
/// when that is done. A large one takes so long that the loop comes first, since whoever calls the function comes to that too.
///
/// # Safety
/// As for [`hot_loop`].
unsafe fn loop_in_background(context: *mut InstanceContext, func: DefinedFunc, number: u32) -> *const LoopCode {
    // SAFETY: by contract.
    let code = unsafe { &*(*context).code };
    let function = code.function(func);
    let mut loops = function.loops();
    let bytes = code.module.body(func).len();
    let is_called_again = function.calls.load(Ordering::Relaxed) > 1 - code.hot_calls.load(Ordering::Relaxed);
    let (turns, entry) = match loops.look(number) {
        Look::Code(code) => return code,
        Look::Wait(turns) => (turns, None),
        Look::Missing(_) if is_called_again && bytes < LARGE && function.compiled().is_none() => {
            let is_new = !std::mem::replace(&mut loops.is_function_asked, true);
            (AGAIN, is_new.then_some(None))
        }
        Look::Missing(number) => {
            let is_room = code.loop_bytes.fetch_add(bytes, Ordering::Relaxed) < MAX_LOOP_BYTES;
            loops.begin(number);
            if !is_room {
                loops.set(number, None);
            }
            (AGAIN, is_room.then_some(Some(number)))
        }
    };
    function.turns.store(-turns, Ordering::Relaxed);
    drop(loops);
    if let Some(entry) = entry {
        code.events.hot(&code.module, func, entry.map_or(Heat::Turns, Heat::Loop));
        // SAFETY: by contract.
        unsafe { ask(context, func, entry) };
    }
    std::ptr::null()
}

/// The code of a loop, compiled now if it has none; under [`Tier::SomeLoops`] only where it falls to it.
///
/// # Safety
/// As for [`hot_loop`].
unsafe fn loop_now(context: *mut InstanceContext, func: DefinedFunc, number: u32) -> *const LoopCode {
    // SAFETY: by contract; the instance keeps its code alive.
    let (engine, code) = unsafe { engine_and_code(context) };
    let function = code.function(func);
    let turn = function.turns.load(Ordering::Relaxed) as u32;
    // The multiplier is the golden ratio's, which spreads small numbers.
    if code.config.tier == Tier::SomeLoops && (turn + number).wrapping_mul(0x9e37_79b9) >> 30 != 0 {
        return std::ptr::null();
    }
    {
        // Whoever comes here meanwhile finds that it is being made.
        let mut loops = function.loops();
        if let Some(found) = loops.known(number) {
            return found;
        }
        loops.begin(number);
    }
    let made =
        engine.compiler().ok().and_then(|compiler| threads::apart(|| compile_loop(compiler, &code, func, number)));
    function.loops().set(number, made);
    function.loops().known(number).unwrap_or(std::ptr::null())
}

/// The engine and the code of an instance.
///
/// # Safety
/// `context` is a live instance's.
unsafe fn engine_and_code(context: *mut InstanceContext) -> (Arc<Engine>, Arc<ModuleCode>) {
    // SAFETY: by contract; the instance keeps its code alive.
    unsafe {
        let store = StoreInner::of((*context).store);
        let instance: &super::instance::Instance = &*(*context).instance.cast();
        (store.engine.clone(), instance.code.clone())
    }
}

/// Compiles a function to be entered at the header of a loop, if it can be.
fn compile_loop(compiler: &Compiler, code: &Arc<ModuleCode>, func: DefinedFunc, number: u32) -> Option<LoopCode> {
    let start = Instant::now();
    let made = prepare_stubs(compiler, code).and_then(|()| compiler.compile_loop(code, func, number));
    if code.events.are_wanted() {
        events::of_loop(code, func, number, &made, start.elapsed());
    }
    let (made, batch) = made.ok()??;
    code.keep(batch);
    Some(made)
}

/// Hands work to the background compiler: a function, or one of its loops.
///
/// # Safety
/// `context` is a live instance's, `func` one of its functions.
unsafe fn ask(context: *mut InstanceContext, func: DefinedFunc, entry: Option<u32>) {
    // SAFETY: by contract.
    let (engine, code) = unsafe { engine_and_code(context) };
    send(&engine, Job::Function { code, func, entry });
}

/// Hands work to the background compiler. One that has gone leaves functions in the interpreter, where they still run.
fn send(engine: &Arc<Engine>, job: Job) {
    let mut background = engine.background.lock().unwrap_or_else(|e| e.into_inner());
    if background.is_none() {
        *background = start(engine);
    }
    if let Some(sender) = &*background {
        let _ = sender.send(job);
    }
}

/// Has functions translated that the interpreter will run.
pub(super) fn translate_in_background(engine: &Arc<Engine>, code: &Arc<ModuleCode>, funcs: Vec<DefinedFunc>) {
    if engine.config.tier == Tier::Auto && !funcs.is_empty() {
        send(engine, Job::Translate { code: code.clone(), funcs });
    }
}

/// Has code taken over that another process has kept, and then functions translated that the interpreter will run.
pub(super) fn adopt_in_background(engine: &Arc<Engine>, code: &Arc<ModuleCode>, funcs: Vec<DefinedFunc>) {
    send(engine, Job::Adopt { code: code.clone() });
    if funcs.iter().all(|func| func.index() < code.functions().len()) {
        translate_in_background(engine, code, funcs);
    }
}

/// Has the process that compiles make ready for a module of which something is sure to turn hot, since to run anything of it takes as long as that.
pub fn prepare_elsewhere(engine: &Arc<Engine>, code: &Arc<ModuleCode>) {
    let is_elsewhere = || engine.compiler_if_any().is_some_and(|compiler| compiler.remote().is_some());
    let bodies = || (0..code.functions().len() as u32).map(|func| code.module.body(DefinedFunc(func)).len());
    if engine.config.tier == Tier::Auto && is_elsewhere() && bodies().sum::<usize>() >= MUCH {
        send(engine, Job::Serve { code: code.clone() });
    }
}

/// Leaves what waits for the background compiler in the interpreter, for a process whose programs have all ended.
pub fn compile_no_more(engine: &Engine) {
    engine.is_compiled.store(true, Ordering::Relaxed);
}

/// Starts the background compiler. It ends when its engine, and so the sender, is gone.
fn start(engine: &Arc<Engine>) -> Option<Sender<Job>> {
    let (sender, jobs) = queue::<Job>();
    let engine = Arc::downgrade(engine);
    let started = threads::spawn(move || {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| jobs.recv()) {
            let Some(engine) = engine.upgrade().filter(|engine| !engine.is_compiled.load(Ordering::Relaxed)) else {
                return;
            };
            let Ok(compiler) = engine.compiler().cloned() else { return };
            drop(engine);
            next = job.run(&compiler, &jobs);
        }
    });
    started.then_some(sender)
}

impl Job {
    /// Does it, and what waits behind it that can be done along with it; gives the first that cannot. A function that cannot be compiled (too large, say)
    /// stays in the interpreter.
    fn run(self, compiler: &Compiler, jobs: &Receiver<Self>) -> Option<Self> {
        match self {
            Job::Adopt { code } => kept::adopt_from_elsewhere(compiler, &code),
            Job::Serve { code } => {
                // What is wrong with it whoever asks for code learns.
                let _ = compiler.remote().map(|remote| remote.serve(&code));
            }
            Job::Function { code, func, entry: Some(number) } => {
                // What was kept of it may have come meanwhile.
                if code.function(func).loops().known(number).is_some_and(|made| !made.is_null()) {
                    return None;
                }
                let made = compile_loop(compiler, &code, func, number);
                code.function(func).loops().set(number, made);
                // The next turn is to find it.
                code.function(func).turns.store(0, Ordering::Relaxed);
            }
            Job::Function { code, func, entry: None } => {
                let (mut funcs, mut bytes) = (vec![func], code.module.body(func).len());
                let mut next = None;
                while next.is_none() && bytes < TOGETHER {
                    match jobs.try_recv() {
                        Some(Job::Function { code: other, func, entry: None }) if Arc::ptr_eq(&other, &code) => {
                            bytes += code.module.body(func).len();
                            if !funcs.contains(&func) {
                                funcs.push(func);
                            }
                        }
                        Some(other) => next = Some(other),
                        None => break,
                    }
                }
                funcs.retain(|func| code.function(*func).compiled().is_none());
                if !funcs.is_empty() {
                    let _ = compile(compiler, &code, &funcs);
                }
                return next;
            }
            Job::Translate { code, funcs } => {
                for func in funcs {
                    code.ir(func);
                }
            }
            Job::Trampoline { what, id, ty, to } => {
                // Without an answer there is none.
                let _ = compiler.trampoline(what, id, &ty).map(|made| to.send(made));
            }
        }
        None
    }
}

/// The compiled entry of a callee, as seen by a call from compiled code; compiles it now under
/// [`Tier::JitLazy`].
///
/// # Safety
/// `func` is live and not a host function.
pub unsafe fn compiled_for_call(func: *const FuncRef) -> Option<(*const u8, *const u8)> {
    // SAFETY: by contract.
    unsafe {
        let context: *mut InstanceContext = (*func).context.cast();
        let code = &*(*context).code;
        let defined = code.module.defined(FuncIndex((*func).index))?;
        if let Some(found) = code.function(defined).compiled() {
            return Some(found);
        }
        if code.config.tier != Tier::JitLazy {
            return None;
        }
        let store = StoreInner::of((*context).store);
        let code = (*(*context).instance.cast::<super::instance::Instance>()).code.clone();
        let compiler = store.engine.compiler().ok()?.clone();
        threads::apart(|| compile(&compiler, &code, &[defined]).ok())?;
        code.function(defined).compiled()
    }
}

/// Notes that a store has new functions, which have no stubs yet. They are made now if compiled
/// code runs already, and otherwise when it first does.
///
/// # Safety
/// `store` is live.
pub unsafe fn functions_added(store: *mut StoreContext) {
    // SAFETY: by contract.
    unsafe {
        if (*store).code_ready == 1 {
            (*store).code_ready = 0;
            if !(*store).activation.is_null() {
                make_ready(store);
            }
        }
    }
}

/// Gives every function of a store an entry for compiled callers. `false` if that failed.
///
/// # Safety
/// `store` is live.
#[cold]
pub unsafe fn make_ready(store: *mut StoreContext) -> bool {
    // SAFETY: by contract.
    unsafe {
        let inner = StoreInner::of(store);
        let Ok(compiler) = inner.engine.compiler().cloned() else { return false };
        let stub = |func: *mut FuncRef, ty: &FuncType| -> Option<()> {
            if (*func).code.is_null() {
                (*func).code = stub_for(&inner.engine, &compiler, func, (*func).type_id, ty)?;
            }
            Some(())
        };
        for instance in inner.instances.values() {
            for index in 0..instance.code.module.functions.len() as u32 {
                let ty = instance.code.module.func_type(FuncIndex(index));
                if stub(instance.func_ref(index), ty).is_none() {
                    return false;
                }
            }
        }
        for host in &mut inner.host_functions {
            let (func, function) = &mut **host;
            if stub(func, &function.ty.func).is_none() {
                return false;
            }
        }
        (*store).code_ready = 1;
        true
    }
}

/// The entry for compiled callers of a function: its code, or the stub of its type.
///
/// # Safety
/// `func` is live.
unsafe fn stub_for(
    engine: &Engine,
    compiler: &Compiler,
    func: *const FuncRef,
    id: TypeId,
    ty: &FuncType,
) -> Option<*const u8> {
    // SAFETY: by contract.
    unsafe {
        if !(*func).is_host() {
            let context: *mut InstanceContext = (*func).context.cast();
            let code = &*(*context).code;
            let defined = code.module.defined(FuncIndex((*func).index))?;
            if let Some((entry, _)) = code.function(defined).compiled() {
                return Some(entry);
            }
        }
        let what = if (*func).is_host() { Trampoline::Host } else { Trampoline::Interpreter };
        trampoline(engine, compiler, what, id, || Some(ty.clone()))
    }
}

/// A trampoline of a type, on a guest's stack. Where no thread is left to make it, the background compiler does, which has one for
/// good: a module's types are known to it once one of its functions turned hot, and those of others that share the store are not.
fn trampoline(
    engine: &Engine,
    compiler: &Compiler,
    what: Trampoline,
    id: TypeId,
    ty: impl FnOnce() -> Option<FuncType>,
) -> Option<*const u8> {
    if let Some(found) = compiler.cached_trampoline(what, id) {
        return Some(found.0);
    }
    let ty = ty()?;
    if let Some(made) = threads::apart(|| compiler.trampoline(what, id, &ty).ok()) {
        return Some(made.0);
    }
    let (to, made) = queue();
    let background = engine.background.lock().unwrap_or_else(|e| e.into_inner()).clone()?;
    background.send(Job::Trampoline { what, id, ty, to }).ok()?;
    drop(background);
    made.recv().map(|made| made.0)
}

/// The unpack trampoline for a callee's type.
///
/// # Safety
/// `store` and `func` are live.
pub unsafe fn unpack_for(store: *mut StoreContext, func: *const FuncRef) -> Option<*const u8> {
    // SAFETY: by contract.
    unsafe {
        let engine = &StoreInner::of(store).engine;
        let (id, compiler) = ((*func).type_id, engine.compiler().ok()?);
        trampoline(engine, compiler, Trampoline::Unpack, id, || engine.func_type(id))
    }
}
