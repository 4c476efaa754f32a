//! Machines.

use std::ffi::c_char;

use pinfold::VmBuilder;

use crate::capability::Capability;
use crate::entry::{delete, entry, handle, out, quiet, text, there, there_mut};
use crate::error::Error;
use crate::grants::texts;
use crate::limits::Limits;
use crate::program::Program;

/// How code is run.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum Tier {
    /// Starts in the interpreter; what turns hot is compiled in the background.
    Auto,
    /// By the interpreter alone.
    Interpreter,
    /// Everything is compiled before it runs.
    Jit,
}

/// Where programs are compiled and run.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum Isolation {
    /// In this process: held by the machine alone.
    InProcess,
    /// In a process of their own each time, which is locked down before it reads a byte of them.
    Worker,
}

impl Tier {
    /// The tier of a number, which may be any.
    pub(crate) fn chosen(number: u32) -> Result<pinfold::Tier, Error> {
        let all = [
            (Self::Auto, pinfold::Tier::Auto),
            (Self::Interpreter, pinfold::Tier::Interpreter),
            (Self::Jit, pinfold::Tier::Jit),
        ];
        let found = all.into_iter().find(|(tier, _)| *tier as u32 == number);
        found.map(|(_, tier)| tier).ok_or_else(|| Error::new("argument", &format!("{number} is no tier")))
    }
}

impl Isolation {
    /// The isolation of a number, which may be any.
    fn chosen(number: u32) -> Result<pinfold::Isolation, Error> {
        let all = [(Self::InProcess, pinfold::Isolation::InProcess), (Self::Worker, pinfold::Isolation::Worker)];
        let found = all.into_iter().find(|(isolation, _)| *isolation as u32 == number);
        found
            .map(|(_, isolation)| isolation)
            .ok_or_else(|| Error::new("argument", &format!("{number} is no isolation")))
    }
}

/// Settings of a machine that is to be made. For one thread at a time.
pub struct Settings(VmBuilder);

/// A machine, which compiles programs. For any number of threads at once.
pub struct Vm(pinfold::Vm);

/// The settings that there are by default.
#[unsafe(no_mangle)]
pub extern "C" fn pinfold_settings_new() -> *mut Settings {
    quiet(std::ptr::null_mut(), || handle(Settings(pinfold::Vm::builder())))
}

/// Changes settings.
///
/// # Safety
/// The pointer is null, or a handle that nobody else uses.
unsafe fn set(settings: *mut Settings, set: impl FnOnce(VmBuilder) -> Result<VmBuilder, Error>) -> *mut Error {
    entry(|| {
        // SAFETY: by contract.
        let settings = unsafe { there_mut(settings, "settings")? };
        settings.0 = set(settings.0.clone())?;
        Ok(())
    })
}

/// Sets what programs may use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_settings_limits(settings: *mut Settings, limits: *const Limits) -> *mut Error {
    let limit = |builder: VmBuilder| {
        // SAFETY: the caller gives limits or null.
        let limits = unsafe { there(limits, "limits")? };
        let builder = builder.fuel(limits.fuel()).memory(limits.memory).deadline(limits.deadline());
        Ok(builder.stack(limits.stack).output(limits.output).handles(limits.handles))
    };
    // SAFETY: the caller gives a handle that it alone uses.
    unsafe { set(settings, limit) }
}

/// Sets how code is run: a `pinfold_tier_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_settings_tier(settings: *mut Settings, tier: u32) -> *mut Error {
    // SAFETY: the caller gives a handle that it alone uses.
    unsafe { set(settings, |builder| Ok(builder.tier(Tier::chosen(tier)?))) }
}

/// Sets where programs run: a `pinfold_isolation_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_settings_isolation(settings: *mut Settings, isolation: u32) -> *mut Error {
    // SAFETY: the caller gives a handle that it alone uses.
    unsafe { set(settings, |builder| Ok(builder.isolation(Isolation::chosen(isolation)?))) }
}

/// Sets where the executable `pinfold-worker` is: otherwise it is what the variable `PINFOLD_WORKER` names, or beside this process's
/// executable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_settings_worker(settings: *mut Settings, path: *const c_char) -> *mut Error {
    // SAFETY: the caller gives a handle that it alone uses, and a text or null.
    unsafe { set(settings, |builder| Ok(builder.worker(text(path, "path")?))) }
}

/// Sets how many workers are kept ready for calls like those that were made before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_settings_spare_workers(settings: *mut Settings, count: usize) -> *mut Error {
    // SAFETY: the caller gives a handle that it alone uses.
    unsafe { set(settings, |builder| Ok(builder.spare_workers(count))) }
}

/// Adds a capability of the host's own, as it is now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_settings_capability(
    settings: *mut Settings,
    capability: *const Capability,
) -> *mut Error {
    // SAFETY: the caller gives a handle that it alone uses, and another or null.
    unsafe { set(settings, |builder| Ok(builder.capability(&there(capability, "capability")?.0))) }
}

/// Frees the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_settings_delete(settings: *mut Settings) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(settings) }
}

/// A machine with these settings, which stay the caller's; NULL: those that there are by default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_vm_new(settings: *const Settings, vm: *mut *mut Vm) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives handles or null, and room or null.
        let (to, settings) = unsafe { (out(vm, "vm")?, settings.as_ref()) };
        let builder = settings.map_or_else(pinfold::Vm::builder, |settings| settings.0.clone());
        *to = handle(Vm(builder.build()?));
        Ok(())
    })
}

/// Compiles a program that is one text. `name` is what messages call it, as `report.fold`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_vm_compile(
    vm: *const Vm,
    name: *const c_char,
    source: *const c_char,
    program: *mut *mut Program,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, texts or null, and room or null.
        let (to, vm) = unsafe { (out(program, "program")?, there(vm, "vm")?) };
        // SAFETY: as above.
        let (name, source) = unsafe { (text(name, "name")?, text(source, "source")?) };
        *to = handle(Program(vm.0.compile(name, source)?));
        Ok(())
    })
}

/// Compiles a program of `count` texts, each with its path, as `text/words.fold`; `root` is the path of the one that it begins with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_vm_compile_modules(
    vm: *const Vm,
    root: *const c_char,
    paths: *const *const c_char,
    sources: *const *const c_char,
    count: usize,
    program: *mut *mut Program,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, as many texts as it says, and room or null.
        let (to, vm) = unsafe { (out(program, "program")?, there(vm, "vm")?) };
        // SAFETY: as above.
        let (root, paths, sources) = unsafe { (text(root, "root")?, texts(paths, count)?, texts(sources, count)?) };
        *to = handle(Program(vm.0.compile_modules(root, paths.into_iter().zip(sources))?));
        Ok(())
    })
}

/// Compiles the program in a file, with the files of its package.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_vm_compile_file(
    vm: *const Vm,
    path: *const c_char,
    program: *mut *mut Program,
) -> *mut Error {
    entry(|| {
        // SAFETY: the caller gives a handle or null, a text or null, and room or null.
        let (to, vm) = unsafe { (out(program, "program")?, there(vm, "vm")?) };
        // SAFETY: as above.
        *to = handle(Program(vm.0.compile_file(unsafe { text(path, "path")? })?));
        Ok(())
    })
}

/// Frees the handle; programs that it compiled go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_vm_delete(vm: *mut Vm) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(vm) }
}
