//! Entering the interpreter, and walking its frames.

use std::ops::ControlFlow;

use super::Function;
use super::dispatch::{Handler, Ip, Machine, Regs, run};
use super::handlers::calls::{enter_instance, translation};
use super::handlers::control;
use crate::module::FuncIndex;
use crate::runtime::activation::{pop, push};
use crate::runtime::context::{Activation, FuncRef, InstanceContext, StoreContext};
use crate::runtime::exception::{Catcher, is_tag};
use crate::runtime::trap::TrapKind;
use crate::runtime::{Outcome, raise, x86_64};

/// What a run's first function returns to: like every call it ends in a distance, here none.
#[repr(C)]
struct Bottom {
    pad: u32,
    distance: u32,
    over: Handler,
}

static BOTTOM: Bottom = Bottom { pad: 0, distance: 0, over: control::over };

/// Where a run's first function returns to.
pub fn bottom() -> Ip {
    // The instruction after the word that stands for a call's distance.
    (&raw const BOTTOM).cast::<u32>().wrapping_add(2)
}

/// Runs a defined function in the array convention.
///
/// # Safety
/// As for [`crate::runtime::call`]; `func` is a defined function.
pub unsafe fn execute(store: *mut StoreContext, func: *const FuncRef, buffer: *mut u64) -> Outcome {
    // SAFETY: by contract.
    unsafe {
        let context: *mut InstanceContext = (*func).context.cast();
        let code = &*(*context).code;
        let ty = code.module.func_type(FuncIndex((*func).index));
        let (params, results) = (ty.param_slots(), ty.result_slots());
        let defined = match code.module.defined(FuncIndex((*func).index)) {
            Some(defined) => defined,
            // A reference to an imported function is the exporter's: there is no such one.
            None => return refuse(store, TrapKind::Host),
        };
        // Also for one that has been compiled meanwhile: who calls this wants it interpreted.
        let callee: *const Function = translation(func).unwrap_or_else(|| code.ir(defined));
        let sp = (*store).value_top;
        let room = ((*store).value_limit as usize).saturating_sub(sp as usize);
        if room < (*callee).frame_bytes || x86_64::stack_pointer() < (*store).stack_limit {
            return refuse(store, TrapKind::StackExhausted);
        }
        if let Some(kind) = (*store).interrupted() {
            return refuse(store, kind);
        }
        buffer.copy_to(sp, params);
        let mut machine = Machine::new(store, context, callee, sp);
        let m = &raw mut machine;
        (*m).activation.data = m.cast();
        let header = sp.add((*callee).header as usize);
        header.write(bottom() as u64);
        header.add(1).write(0);
        header.add(2).write(context as u64);
        push(store, &raw mut (*m).activation);
        let mut regs = Regs::at(sp);
        (regs.mem, regs.len) = enter_instance(m, context);
        run(m, (*callee).entry, regs);
        pop(store, &raw mut (*m).activation);
        (*store).value_top = sp;
        if (*m).outcome == Outcome::Done {
            sp.copy_to(buffer, results);
        }
        (*m).outcome
    }
}

/// Ends a run before it begins.
///
/// # Safety
/// As for [`raise`].
pub(super) unsafe fn refuse(store: *mut StoreContext, kind: TrapKind) -> Outcome {
    // SAFETY: the store is live.
    unsafe { raise(store, kind) };
    Outcome::Trap
}

/// Tells of the frames of an activation of the interpreter, newest first, until it is enough: instance, function, offset of the
/// operator in the module.
///
/// # Safety
/// As for [`walk`].
pub unsafe fn frames(
    activation: &Activation,
    tell: &mut dyn FnMut(*mut InstanceContext, FuncIndex, u32) -> ControlFlow<()>,
) {
    // SAFETY: by contract.
    unsafe { walk(activation, &mut |context, function, word, _| tell(context, function.index, function.offset(word))) };
}

/// The instance and the function that an activation of the interpreter is in, wherever it is there. For whoever interrupts it.
///
/// # Safety
/// The activation is live.
pub unsafe fn running(activation: &Activation) -> Option<(*mut InstanceContext, FuncIndex)> {
    // SAFETY: by contract; translations live as long as what runs them.
    unsafe {
        let machine = activation.data.cast::<Machine>().as_ref()?;
        Some((machine.context, machine.function.as_ref()?.index))
    }
}

/// The references in the frames of an activation of the interpreter.
///
/// # Safety
/// As for [`walk`]; the newest frame's instruction may collect.
pub unsafe fn roots(activation: &Activation, visit: &mut dyn FnMut(*mut u32)) {
    let mut look = |_: *mut InstanceContext, function: &Function, word, sp: *mut u64| {
        for slot in function.maps.slots(word) {
            visit(sp.wrapping_add(slot as usize).cast());
        }
        ControlFlow::Continue(())
    };
    // SAFETY: by contract.
    unsafe { walk(activation, &mut look) };
}

/// The handler of the exception that is being thrown among the frames of an activation of the interpreter; none if the run
/// is to stop.
///
/// # Safety
/// As for [`walk`]; a tag is being thrown.
pub unsafe fn find_handler(store: *mut StoreContext, activation: &Activation) -> Option<Catcher> {
    let mut found = None;
    let mut look = |context: *mut InstanceContext, function: &Function, word, sp: *mut u64| {
        // SAFETY: the store is live.
        if unsafe { (*store).interrupted() }.is_some() {
            return ControlFlow::Break(());
        }
        if function.regions.is_empty() {
            return ControlFlow::Continue(());
        }
        let clause = function.regions.clauses(word).find(|clause| {
            // SAFETY: the translator took the offset from the layout of the function's module.
            clause.tag.is_none_or(|at| unsafe { is_tag(store, context, at) })
        });
        let Some(clause) = clause else { return ControlFlow::Continue(()) };
        found = Some(Catcher {
            pc: function.entry.wrapping_add(clause.target as usize) as usize,
            sp: sp as usize,
            fp: std::ptr::from_ref(function) as usize,
            context,
            slot: clause.slot,
            payload: clause.tag.is_some().into(),
            reference: clause.reference.into(),
            ..Catcher::NONE
        });
        ControlFlow::Break(())
    };
    // SAFETY: by contract.
    unsafe { walk(activation, &mut look) };
    found
}

/// Walks over the frames of an activation of the interpreter, newest first: instance, function, a word of the instruction
/// that runs, first slot. One that something else stands in for is none any more.
///
/// # Safety
/// The activation is live, and its machine saved its place when it last called out.
pub(super) unsafe fn walk(
    activation: &Activation,
    tell: &mut dyn FnMut(*mut InstanceContext, &Function, u32, *mut u64) -> ControlFlow<()>,
) {
    if activation.data.is_null() || activation.fp == 0 {
        return;
    }
    // SAFETY: by contract; headers link the frames down to the one that returns to the bottom.
    unsafe {
        let machine: *const Machine = activation.data.cast();
        let (mut function, mut context) = ((*machine).function, (*machine).context);
        let mut sp = activation.sp as *mut u64;
        let mut after = activation.fp as Ip;
        let mut replaced = activation.replaced != 0;
        loop {
            let func = &*function;
            let at = (after.offset_from(func.entry) as u32).saturating_sub(1);
            if !std::mem::take(&mut replaced) && tell(context, func, at, sp).is_break() {
                return;
            }
            let header = sp.add(func.header as usize);
            after = header.read() as Ip;
            if after == bottom() {
                return;
            }
            function = header.add(1).read() as *const Function;
            context = header.add(2).read() as *mut InstanceContext;
            sp = sp.sub(after.sub(1).read() as usize);
        }
    }
}
