//! Calls between tiers, host functions and the outside, all in the array convention.

use super::activation::{pop, push};
use super::context::{Activation, FuncRef, HostContext, InstanceContext, LoopFrame, StoreContext};
use super::store::StoreInner;
use super::trap::{Trap, TrapKind};
use super::{raise, sampler, signals, tier, x86_64};
use crate::interpreter::{self, suspended::Ready};
use crate::jit::LoopCode;
use crate::module::FuncIndex;

/// How a call in the array convention ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Outcome {
    /// Results are in the buffer.
    Done = 0,
    /// The trap is in the store's pending place.
    Trap = 1,
    /// The callee made a tail call that its tier could not make itself: call
    /// [`StoreContext::tail_callee`] with the arguments at [`StoreContext::tail_arguments`].
    TailCall = 2,
    /// An exception is being thrown that an older activation catches: see [`StoreContext::catcher`].
    Thrown = 3,
}

impl Outcome {
    /// How a run failed: with a trap, or an exception.
    ///
    /// # Safety
    /// `store` is live.
    pub unsafe fn of_failure(store: *mut StoreContext) -> Self {
        // SAFETY: by contract.
        if unsafe { (*store).has_pending } != 0 { Self::Trap } else { Self::Thrown }
    }
}

/// The compiled entry of a function and its trampoline, if it has one.
///
/// # Safety
/// `func` is live and not a host function.
unsafe fn compiled(func: *const FuncRef) -> Option<(*const u8, *const u8)> {
    // SAFETY: the context of a function that is not the host's is a live instance's.
    unsafe {
        let context: *mut InstanceContext = (*func).context.cast();
        let code = &*(*context).code;
        code.function(code.module.defined(FuncIndex((*func).index))?).compiled()
    }
}

/// Calls any function in the array convention, in whichever tier it is, tail calls followed:
/// the outcome is not `TailCall`.
///
/// # Safety
/// `func` belongs to `store`; `buffer` has [`FuncType::buffer_slots`](crate::types::FuncType::buffer_slots)
/// slots and holds its arguments; execution is on the guest's stack.
pub unsafe fn call(store: *mut StoreContext, func: *const FuncRef, buffer: *mut u64) -> Outcome {
    // SAFETY: by contract.
    unsafe {
        if (*func).is_host() {
            return call_host(func, buffer);
        }
        let outcome = match tier::compiled_for_call(func) {
            Some((code, trampoline)) => enter_compiled(store, func, code, trampoline, buffer),
            None => interpreter::execute(store, func, buffer),
        };
        match outcome {
            Outcome::TailCall => follow(store, buffer),
            outcome => outcome,
        }
    }
}

/// Calls the function that a tail call was handed on to, and copies its results.
///
/// # Safety
/// The last call's outcome was `TailCall`; `buffer` has room for its results.
unsafe fn follow(store: *mut StoreContext, buffer: *mut u64) -> Outcome {
    // SAFETY: by contract; a callee's results have the type of the first callee's, so they fit.
    unsafe {
        loop {
            let callee = (*store).tail_callee;
            let (params, results) = slots(store, callee);
            let mut words = Words::new(params.max(results));
            let local = words.as_mut_ptr();
            std::ptr::copy_nonoverlapping((*store).tail_arguments, local, params);
            let outcome = if (*callee).is_host() {
                call_host(callee, local)
            } else {
                match compiled(callee) {
                    Some((code, trampoline)) => enter_compiled(store, callee, code, trampoline, local),
                    None => interpreter::execute(store, callee, local),
                }
            };
            match outcome {
                Outcome::TailCall => continue,
                Outcome::Trap | Outcome::Thrown => return outcome,
                Outcome::Done => {
                    std::ptr::copy_nonoverlapping(local, buffer, results);
                    return Outcome::Done;
                }
            }
        }
    }
}

/// A buffer of slots that is only allocated when it is large.
struct Words {
    small: [u64; 16],
    large: Vec<u64>,
}

impl Words {
    fn new(len: usize) -> Self {
        Self { small: [0; 16], large: if len > 16 { vec![0; len] } else { Vec::new() } }
    }

    fn as_mut_ptr(&mut self) -> *mut u64 {
        if self.large.is_empty() { self.small.as_mut_ptr() } else { self.large.as_mut_ptr() }
    }
}

/// Slots of a function's parameters and results.
///
/// # Safety
/// `func` belongs to `store`.
pub unsafe fn slots(store: *mut StoreContext, func: *const FuncRef) -> (usize, usize) {
    // SAFETY: by contract.
    unsafe {
        if (*func).is_host() {
            let ty = StoreInner::of(store).engine.func_type((*func).type_id);
            return ty.map_or((0, 0), |ty| (ty.param_slots(), ty.result_slots()));
        }
        let context: *mut InstanceContext = (*func).context.cast();
        let ty = (*(*context).code).module.func_type(FuncIndex((*func).index));
        (ty.param_slots(), ty.result_slots())
    }
}

/// Calls a host function.
///
/// # Safety
/// As for [`call`]; `func` is a host function.
pub unsafe fn call_host(func: *const FuncRef, buffer: *mut u64) -> Outcome {
    // SAFETY: by contract the context is a host function's.
    unsafe {
        let context: *mut HostContext = (*func).context.cast();
        if ((*context).call)(context, buffer) { Outcome::Done } else { Outcome::of_failure((*context).store) }
    }
}

/// Enters compiled code from the interpreter or the outside.
///
/// # Safety
/// As for [`call`]; `code` and `trampoline` are the function's.
pub unsafe fn enter_compiled(
    store: *mut StoreContext,
    func: *const FuncRef,
    code: *const u8,
    trampoline: *const u8,
    buffer: *mut u64,
) -> Outcome {
    // SAFETY: by contract.
    unsafe {
        if x86_64::stack_pointer() < (*store).stack_limit {
            raise(store, TrapKind::StackExhausted);
            return Outcome::Trap;
        }
        if (*store).code_ready == 0 && !tier::make_ready(store) {
            raise(store, TrapKind::OutOfMemory);
            return Outcome::Trap;
        }
        run_compiled(store, func, code, trampoline, (*func).context, buffer)
    }
}

/// Enters a loop's code in place of a frame of the interpreter; the results go to `buffer`.
///
/// # Safety
/// `code` is of a loop whose header the frame is at, `context` is its instance's, and all functions of the store have entries for compiled
/// callers; as for [`call`].
pub unsafe fn enter_loop(
    store: *mut StoreContext,
    frame: *const LoopFrame,
    code: *const LoopCode,
    context: *mut InstanceContext,
    buffer: *mut u64,
) -> Outcome {
    // SAFETY: by contract; such code takes the frame where other code takes its function's reference.
    unsafe { run_compiled(store, frame.cast(), (*code).code, (*code).trampoline, context.cast(), buffer) }
}

/// Runs compiled code through an entry trampoline.
///
/// # Safety
/// As the trampoline's signature demands.
unsafe fn run_compiled(
    store: *mut StoreContext,
    func: *const FuncRef,
    code: *const u8,
    trampoline: *const u8,
    context: *mut (),
    buffer: *mut u64,
) -> Outcome {
    // SAFETY: by contract; the activation lives on this frame until it is popped.
    unsafe {
        let mut activation = Activation::new(Activation::COMPILED);
        push(store, &mut activation);
        let done = x86_64::enter_compiled(&mut activation, trampoline, code, context, func, buffer);
        pop(store, &mut activation);
        if done { Outcome::Done } else { Outcome::of_failure(store) }
    }
}

/// A call from compiled code through a stub: the callee had no compiled entry when its
/// [`FuncRef`] was made. If it has one by now, the reference is mended and the call handed back as a tail call.
///
/// # Safety
/// As for [`call`]; `func` is not a host function.
pub unsafe fn call_from_compiled(store: *mut StoreContext, func: *mut FuncRef, buffer: *mut u64) -> Outcome {
    // SAFETY: by contract.
    unsafe {
        if let Some((code, _)) = tier::compiled_for_call(func) {
            (*func).code = code;
            // The buffer is part of the stub's frame, which a tail call gives up.
            let (params, _) = slots(store, func);
            let arguments = (*store).value_top;
            if arguments.add(params) > (*store).value_limit {
                raise(store, TrapKind::StackExhausted);
                return Outcome::Trap;
            }
            std::ptr::copy_nonoverlapping(buffer, arguments, params);
            (*store).tail_callee = func;
            (*store).tail_arguments = arguments;
            return hand_on(store);
        }
        match interpreter::execute(store, func, buffer) {
            Outcome::TailCall => hand_on(store),
            outcome => outcome,
        }
    }
}

/// Lets the stub that is waiting make the pending tail call.
///
/// # Safety
/// A tail call is pending in `store`.
unsafe fn hand_on(store: *mut StoreContext) -> Outcome {
    // SAFETY: by contract.
    unsafe {
        match tier::unpack_for(store, (*store).tail_callee) {
            Some(unpack) => {
                (*store).tail_unpack = unpack;
                Outcome::TailCall
            }
            None => {
                raise(store, TrapKind::OutOfMemory);
                Outcome::Trap
            }
        }
    }
}

/// What runs when the guest is entered.
#[derive(Clone, Copy)]
enum Begin<'a> {
    /// A function.
    Call(*const FuncRef),
    /// What was suspended, in an instance.
    Resume(*mut InstanceContext, &'a [Ready]),
}

/// A call from outside of the guest, or from a host function back into it.
///
/// # Safety
/// As for [`call`], but on any stack.
pub unsafe fn enter(store: *mut StoreContext, func: *const FuncRef, buffer: *mut u64) -> Result<(), Trap> {
    // SAFETY: by contract.
    unsafe { begin(store, Begin::Call(func), buffer) }
}

/// Goes on with a run that was suspended.
///
/// # Safety
/// As for [`suspended::resume`](interpreter::suspended::resume), but on any stack, and nothing of the store is running.
pub unsafe fn resume(
    store: *mut StoreContext,
    context: *mut InstanceContext,
    frames: &[Ready],
    buffer: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: by contract.
    unsafe { begin(store, Begin::Resume(context, frames), buffer) }
}

/// # Safety
/// As for whatever begins, but on any stack.
unsafe fn begin(store: *mut StoreContext, begin: Begin<'_>, buffer: *mut u64) -> Result<(), Trap> {
    // SAFETY: by contract; `of` makes short-lived references only.
    unsafe {
        let outcome = if (*store).activation.is_null() {
            enter_outermost(store, begin, buffer)?
        } else if x86_64::stack_pointer() < (*store).stack_limit {
            raise(store, TrapKind::StackExhausted);
            Outcome::Trap
        } else {
            enter_from_host(store, begin, buffer)
        };
        match outcome {
            Outcome::Done if (*store).fuel < 0 => Err(Trap::new(TrapKind::OutOfFuel)),
            Outcome::Done => Ok(()),
            _ => {
                (*store).has_pending = 0;
                let trap = StoreInner::of(store).pending.take();
                Err(trap.unwrap_or_else(|| Trap::new(TrapKind::Host)))
            }
        }
    }
}

/// The arguments of [`run`].
struct Run<'a> {
    store: *mut StoreContext,
    begin: Begin<'a>,
    buffer: *mut u64,
    outcome: std::thread::Result<Outcome>,
}

unsafe extern "sysv64" fn run(argument: *mut ()) {
    // SAFETY: `enter_outermost` passes a live `Run`.
    unsafe {
        let run = &mut *argument.cast::<Run<'_>>();
        // Nothing may unwind through the switch of stacks.
        run.outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            enter_from_host(run.store, run.begin, run.buffer)
        }));
    }
}

/// What a call that switches stacks may use of the one that it leaves.
const SWITCH: usize = 256;

/// Where a stack can be gone on with, beside what leaves it at this address for another one.
fn below(stack_pointer: usize) -> *mut u8 {
    std::ptr::without_provenance_mut(stack_pointer.saturating_sub(SWITCH) & !15)
}

/// Runs something on the stack of whoever called into the guest.
///
/// # Safety
/// `store` is running, on the guest's stack; `run` calls nothing of it.
pub unsafe fn on_host_stack<R>(store: *mut StoreContext, run: impl FnOnce() -> R) -> R {
    struct Call<F, R> {
        run: Option<F>,
        outcome: Option<std::thread::Result<R>>,
    }

    unsafe extern "sysv64" fn call<F: FnOnce() -> R, R>(argument: *mut ()) {
        // SAFETY: the argument is the live `Call` below.
        let call = unsafe { &mut *argument.cast::<Call<F, R>>() };
        if let Some(run) = call.run.take() {
            call.outcome = Some(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)));
        }
    }

    fn with<F: FnOnce() -> R, R>(stack: *mut u8, run: F) -> R {
        let mut it = Call { run: Some(run), outcome: None };
        // SAFETY: the stack was left there for the guest's, and is gone back to only after this; nothing unwinds through the switch.
        unsafe { x86_64::on_stack(stack, call::<F, R>, (&raw mut it).cast()) };
        match it.outcome {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("the call was made"),
        }
    }

    // SAFETY: by contract.
    let stack = unsafe { StoreInner::of(store).host_stack };
    if stack.is_null() { run() } else { with(stack, run) }
}

/// A call whose outcome is the host's to see. Its activation also marks the store as running, whatever is called.
///
/// # Safety
/// As for [`call`].
unsafe fn enter_from_host(store: *mut StoreContext, begin: Begin<'_>, buffer: *mut u64) -> Outcome {
    // SAFETY: by contract; the activation lives on this frame until it is popped.
    unsafe {
        let mut activation = Activation::new(Activation::HOST);
        push(store, &mut activation);
        let outcome = match begin {
            Begin::Call(func) => call(store, func, buffer),
            Begin::Resume(context, frames) => match interpreter::suspended::resume(store, context, frames, buffer) {
                Outcome::TailCall => follow(store, buffer),
                outcome => outcome,
            },
        };
        pop(store, &mut activation);
        outcome
    }
}

/// Runs a call on the guest's own stack.
///
/// # Safety
/// As for [`enter`]; nothing of the store is running.
unsafe fn enter_outermost(store: *mut StoreContext, begin: Begin<'_>, buffer: *mut u64) -> Result<Outcome, Trap> {
    // SAFETY: by contract.
    unsafe {
        let top = StoreInner::of(store)
            .stack_top()
            .map_err(|error| Trap { source: Some(error.into()), ..Trap::new(TrapKind::OutOfMemory) })?;
        signals::ensure_signal_stack();
        let value_top = (*store).value_top;
        let before = signals::set_current(store);
        // Its store, which is borrowed for the call, keeps it.
        let interrupt = &*std::sync::Arc::as_ptr(&StoreInner::of(store).interrupt);
        let sampler = sampler::enter(StoreInner::of(store).sampler.as_deref());
        interrupt.enter();
        let mut run_it = Run { store, begin, buffer, outcome: Ok(Outcome::Done) };
        // Compiled code does not poll, and a request from before this run sent it no signal.
        if let Some(kind) = (*store).interrupted() {
            raise(store, kind);
            run_it.outcome = Ok(Outcome::Trap);
        } else {
            let before = std::mem::replace(&mut StoreInner::of(store).host_stack, below(x86_64::stack_pointer()));
            x86_64::on_stack(top, run, (&raw mut run_it).cast());
            StoreInner::of(store).host_stack = before;
        }
        interrupt.leave();
        sampler::leave(&*store, sampler);
        signals::set_current(before);
        (*store).value_top = value_top;
        let outcome = run_it.outcome.unwrap_or_else(|panic| {
            (*store).activation = std::ptr::null_mut();
            std::panic::resume_unwind(panic)
        });
        let inner = StoreInner::of(store);
        // A request to stop that ended the run is served; a deadline stays passed.
        if inner.pending.as_ref().is_some_and(|trap| trap.kind == TrapKind::Interrupted) {
            (*store).interrupt.store(0, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(outcome)
    }
}
