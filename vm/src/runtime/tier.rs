//! Who runs where: what is compiled when, and how compiled code enters a store.
//!
//! Under [`Tier::Auto`] every function starts in the interpreter, which counts calls and loop
//! turns; one that turns hot is handed to a thread in the background, which compiles and
//! publishes it in its [`ModuleCode`], for all instances and stores at once. The next call enters
//! it. Compiled code calls through [`FuncRef::code`], which stands at a stub until the callee is
//! compiled, and is mended by the first call through the stub after that.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};

use super::code::ModuleCode;
use super::config::Tier;
use super::context::{FuncRef, InstanceContext, StoreContext};
use super::engine::Engine;
use super::store::StoreInner;
use super::threads;
use crate::jit::{CompileError, Compiler, Trampolines};
use crate::module::{DefinedFunc, FuncIndex};
use crate::types::{FuncType, TypeId};

/// Work for the background compiler.
pub struct Job {
    code: Arc<ModuleCode>,
    func: DefinedFunc,
}

/// Whether a function is to be compiled before its module runs.
fn ahead(tier: Tier, index: u32) -> bool {
    match tier {
        Tier::Jit => true,
        Tier::AlternateEven => index.is_multiple_of(2),
        Tier::AlternateOdd => !index.is_multiple_of(2),
        Tier::Interpreter | Tier::JitLazy | Tier::Auto => false,
    }
}

/// Compiles what is to be compiled before a module runs.
pub fn compile_ahead(engine: &Engine, code: &Arc<ModuleCode>) -> Result<(), CompileError> {
    let imported = code.module.imported.functions;
    let funcs: Vec<DefinedFunc> = (0..code.module.defined_count() as u32)
        .filter(|i| ahead(engine.config.tier, i + imported))
        .map(DefinedFunc)
        .collect();
    if funcs.is_empty() {
        return Ok(());
    }
    let compiler = engine.compiler().map_err(Clone::clone)?;
    compile(compiler, code, &funcs)
}

/// Compiles functions and publishes them.
fn compile(compiler: &Compiler, code: &Arc<ModuleCode>, funcs: &[DefinedFunc]) -> Result<(), CompileError> {
    prepare_stubs(compiler, code)?;
    for compiled in compiler.compile_functions(code, funcs)? {
        let func = code.module.func_index(compiled.func);
        let trampolines = compiler.trampolines(code.module.func_type_id(func), code.module.func_type(func))?;
        code.keep(compiled.batch);
        code.function(compiled.func).publish(compiled.code, trampolines.entry);
    }
    Ok(())
}

/// Makes the trampolines of all types that functions of a module have, so that no guest thread
/// has to when it first meets compiled code. Once a module.
fn prepare_stubs(compiler: &Compiler, code: &ModuleCode) -> Result<(), CompileError> {
    if code.has_stubs.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut done = vec![false; code.module.types.len()];
    for ty in &code.module.functions {
        if !std::mem::replace(&mut done[ty.index()], true) {
            compiler.trampolines(code.module.types[ty.index()].id, code.module.func_type_at(*ty))?;
        }
    }
    code.has_stubs.store(true, Ordering::Release);
    Ok(())
}

/// Called by the interpreter when a function's heat passes the threshold.
///
/// # Safety
/// `context` is a live instance's, `func` one of its functions.
#[cold]
pub unsafe fn tier_hot(context: *mut InstanceContext, func: DefinedFunc) {
    // SAFETY: by contract; the instance keeps its code alive.
    let (engine, code) = unsafe {
        let store = StoreInner::of((*context).store);
        let instance: &super::instance::Instance = &*(*context).instance.cast();
        (store.engine.clone(), instance.code.clone())
    };
    if engine.config.tier != Tier::Auto || code.function(func).compiled().is_some() {
        return;
    }
    let mut background = engine.background.lock().unwrap_or_else(|e| e.into_inner());
    if background.is_none() {
        *background = start(&engine);
    }
    if let Some(sender) = &*background {
        // A compiler that has gone leaves the function in the interpreter, where it still runs.
        let _ = sender.send(Job { code, func });
    }
}

/// Starts the background compiler. It ends when its engine, and so the sender, is gone.
fn start(engine: &Arc<Engine>) -> Option<mpsc::Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let engine = Arc::downgrade(engine);
    let started = threads::spawn(move || {
        for job in jobs {
            let Some(engine) = engine.upgrade() else { return };
            let Ok(compiler) = engine.compiler().cloned() else { return };
            drop(engine);
            // A function that cannot be compiled (too large, say) stays in the interpreter.
            if job.code.function(job.func).compiled().is_none() {
                let _ = compile(&compiler, &job.code, &[job.func]);
            }
        }
    });
    started.then_some(sender)
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
                (*func).code = stub_for(&compiler, func, (*func).type_id, ty)?;
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
pub unsafe fn stub_for(compiler: &Compiler, func: *const FuncRef, id: TypeId, ty: &FuncType) -> Option<*const u8> {
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
        let trampolines = trampolines(compiler, id, ty)?;
        Some(if (*func).is_host() { trampolines.host } else { trampolines.interpreter })
    }
}

/// The trampolines of a type, on a guest's stack.
fn trampolines(compiler: &Compiler, id: TypeId, ty: &FuncType) -> Option<Trampolines> {
    if let Some(found) = compiler.cached_trampolines(id) {
        return Some(found);
    }
    threads::apart(|| compiler.trampolines(id, ty).ok())
}

/// The unpack trampoline for a callee's type.
///
/// # Safety
/// `store` and `func` are live.
pub unsafe fn unpack_for(store: *mut StoreContext, func: *const FuncRef) -> Option<*const u8> {
    // SAFETY: by contract.
    unsafe {
        let engine = &StoreInner::of(store).engine;
        let id = (*func).type_id;
        let compiler = engine.compiler().ok()?;
        if let Some(found) = compiler.cached_trampolines(id) {
            return Some(found.unpack);
        }
        Some(trampolines(compiler, id, &engine.func_type(id)?)?.unpack)
    }
}
