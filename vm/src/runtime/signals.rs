//! Faults of compiled code become traps, and a signal from the clock ends compiled code.
//!
//! The handlers look at the interrupted program counter: if it is not in compiled code of a store
//! that this thread runs, the signal belongs to someone else and goes to the handler that was
//! there before. They touch a thread-local pointer, atomics and the interrupted registers, nothing
//! else. Where a trap is to be taken they let the thread go on in [`trapped`], on the guest's stack
//! below the interrupted frame, so that the backtrace is made outside of the handler.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::context::StoreContext;
use super::sampler::{LOOK_UP, TICK};
use super::store::StoreInner;
use super::trap::TrapKind;
use super::x86_64::unwind_to_activation;
use crate::jit::registry;

/// Ignored where nobody handles it, so that a late one does no harm.
pub(super) const INTERRUPT: i32 = libc::SIGURG;
const FAULTS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

thread_local! {
    /// The store whose guest this thread runs.
    static CURRENT: Cell<*mut StoreContext> = const { Cell::new(null_mut()) };
}

/// What it means if another process sends the interrupting signal, as a [`TrapKind`]; zero for nothing.
static OUTSIDE: AtomicU32 = AtomicU32::new(0);

/// Lets whoever may send this process a signal end what its guest does: `SIGURG` is a trap of this kind then. To be sent until it
/// is served, to a process whose other threads block it.
pub fn stop_from_outside(kind: TrapKind) {
    OUTSIDE.store(kind as u32, Ordering::Relaxed);
}

struct Previous([(i32, libc::sigaction); 5]);

static PREVIOUS: OnceLock<Previous> = OnceLock::new();

/// Installs the handlers, once a process.
pub fn install() {
    PREVIOUS.get_or_init(|| {
        let mut previous = [(0, empty_action()); 5];
        for (slot, signal) in previous.iter_mut().zip(FAULTS.into_iter().chain([INTERRUPT])) {
            let mut action = empty_action();
            action.sa_sigaction = handle as *const () as usize;
            // No SA_RESTART: a blocking call is to return.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            for waits in [INTERRUPT, TICK] {
                // SAFETY: a valid set and signal.
                unsafe { libc::sigaddset(&mut action.sa_mask, waits) };
            }
            // The interrupting signal is sent again and again. It waits while a handler runs, as a tick does: the frames of three signals
            // do not fit on the signal stacks that Rust's threads have. A fault in a handler that is chained to must reach that handler again, as
            // it would without us.
            if signal != INTERRUPT {
                action.sa_flags |= libc::SA_NODEFER;
            }
            slot.0 = signal;
            // SAFETY: valid pointers; the handler keeps to async-signal-safe work.
            unsafe { libc::sigaction(signal, &action, &mut slot.1) };
        }
        Previous(previous)
    });
    // A handler that arrives before `PREVIOUS` is set finds nothing to chain to and takes the
    // default action.
}

fn empty_action() -> libc::sigaction {
    // SAFETY: all-zero is a valid sigaction.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// Makes a store the one that this thread runs; the one before comes back.
pub fn set_current(store: *mut StoreContext) -> *mut StoreContext {
    CURRENT.replace(store)
}

/// The kernel's number of this thread. It is asked once.
pub fn thread_id() -> i32 {
    thread_local! {
        // SAFETY: no arguments.
        static ID: i32 = unsafe { libc::gettid() };
    }
    ID.with(|id| *id)
}

/// Sends the interrupting signal to a thread of this process.
pub fn send(thread: i32) {
    send_to(thread, INTERRUPT);
}

/// Has a sample taken on a thread of this process.
pub fn send_tick(thread: i32) {
    send_to(thread, TICK);
}

fn send_to(thread: i32, signal: i32) {
    // SAFETY: a thread that has ended meanwhile makes the call fail, which is fine.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) };
}

extern "C" fn handle(signal: i32, info: *mut libc::siginfo_t, ucontext: *mut libc::c_void) {
    // SAFETY: the kernel passes valid pointers to a SA_SIGINFO handler.
    unsafe {
        if !take(signal, info, ucontext.cast()) {
            chain(signal, info, ucontext);
        }
    }
}

/// Turns the signal into a trap if it is ours. Whether it is.
///
/// # Safety
/// `info` and `ucontext` are those that the kernel passed.
unsafe fn take(signal: i32, info: *const libc::siginfo_t, ucontext: *mut libc::ucontext_t) -> bool {
    let store = CURRENT.get();
    // SAFETY: current stores are live.
    let Some(context) = (unsafe { store.as_ref() }) else { return signal == INTERRUPT && !has_previous(signal) };
    // SAFETY: by contract.
    let registers = unsafe { &mut (*ucontext).uc_mcontext.gregs };
    let pc = registers[libc::REG_RIP as usize] as usize;
    // SAFETY: by contract.
    if signal == INTERRUPT && unsafe { (*info).si_code } == libc::SI_USER {
        let kind = OUTSIDE.load(Ordering::Relaxed);
        // A sample that waits gives way.
        for before in [0, LOOK_UP] {
            let _ = context.interrupt.compare_exchange(before, kind, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
    let kind = if signal == INTERRUPT {
        match context.interrupted() {
            Some(kind) if registry::is_body(pc) => Some(kind as u32),
            // Ours, but the guest is elsewhere and will poll.
            Some(_) => return true,
            None => None,
        }
    } else {
        registry::lookup_trap(pc)
    };
    let Some(kind) = kind else { return signal == INTERRUPT && !has_previous(signal) };
    // Go on in `trapped`, as if called: below the red zone, with a return address slot that keeps
    // the stack aligned as at a function's entry.
    let sp = registers[libc::REG_RSP as usize];
    registers[libc::REG_RDI as usize] = store as i64;
    registers[libc::REG_RSI as usize] = pc as i64;
    registers[libc::REG_RDX as usize] = registers[libc::REG_RBP as usize];
    registers[libc::REG_RCX as usize] = i64::from(kind);
    registers[libc::REG_R8 as usize] = registers[libc::REG_R15 as usize];
    registers[libc::REG_RSP as usize] = ((sp - 256) & !15) - 8;
    registers[libc::REG_RIP as usize] = trapped as *const () as i64;
    // A trap can be taken between `std` and `cld`; the ABI wants the flag clear.
    registers[libc::REG_EFL as usize] &= !(1 << 10);
    true
}

fn has_previous(signal: i32) -> bool {
    PREVIOUS.get().is_some_and(|p| {
        p.0.iter().any(|(s, a)| *s == signal && a.sa_sigaction != libc::SIG_DFL && a.sa_sigaction != libc::SIG_IGN)
    })
}

/// Passes a signal on to the handler that was there before.
///
/// # Safety
/// The arguments are those of the handler.
unsafe fn chain(signal: i32, info: *mut libc::siginfo_t, ucontext: *mut libc::c_void) {
    let previous = PREVIOUS.get().and_then(|p| p.0.iter().find(|(s, _)| *s == signal));
    let action = previous.map_or_else(empty_action, |(_, action)| *action);
    if signal != INTERRUPT {
        // SAFETY: by contract. Without us the handler would run with what the interrupted code blocked.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &(*ucontext.cast::<libc::ucontext_t>()).uc_sigmask, null_mut())
        };
    }
    match action.sa_sigaction {
        libc::SIG_IGN => {}
        libc::SIG_DFL => {
            let mut default = empty_action();
            default.sa_sigaction = libc::SIG_DFL;
            // SAFETY: a valid action. The faulting instruction runs again and meets the default;
            // a signal that was sent is sent again.
            unsafe {
                libc::sigaction(signal, &default, null_mut());
                let sent = (*info).si_code <= 0;
                if sent {
                    libc::raise(signal);
                }
            }
        }
        handler if action.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: the flag says that the handler has this type.
            unsafe {
                let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = std::mem::transmute(handler);
                handler(signal, info, ucontext);
            }
        }
        handler => {
            // SAFETY: without the flag the handler has this type.
            unsafe {
                let handler: extern "C" fn(i32) = std::mem::transmute(handler);
                handler(signal);
            }
        }
    }
}

/// Where compiled code goes on after a fault: raises the trap and leaves.
unsafe extern "sysv64" fn trapped(store: *mut StoreContext, pc: usize, fp: usize, kind: u32, pinned: i64) -> ! {
    // SAFETY: the handler passes the current store; the newest activation is the compiled one that
    // faulted, and only compiled frames lie between.
    unsafe {
        if StoreInner::of(store).engine.config.fuel {
            // Compiled code has it there.
            (*store).fuel = pinned;
        }
        // Zero: a builtin failed and has raised its trap already.
        if let Some(kind) = TrapKind::from_number(kind) {
            // One further than the faulting instruction, as a return address would be.
            (*store).exit_pc = pc + 1;
            (*store).exit_fp = fp;
            super::raise(store, kind);
        }
        unwind_to_activation(store)
    }
}

/// Gives this thread a signal stack if it has none, or one on which little more than the processor's registers fits: Rust's own threads
/// have one, an embedder's may not, and with the largest register files Rust's is too small.
pub fn ensure_signal_stack() {
    thread_local! {
        static STACK: Option<SignalStack> = SignalStack::ensure();
    }
    STACK.with(|_| ());
}

/// What the handlers here need besides the frame that the kernel makes.
const HANDLER_ROOM: usize = 4 << 10;

struct SignalStack {
    memory: Vec<u8>,
    before: libc::stack_t,
}

impl SignalStack {
    fn ensure() -> Option<Self> {
        // SAFETY: no pointers; zero if the kernel does not say.
        let frame = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
        // SAFETY: queries and sets this thread's signal stack with valid pointers; the memory is in use until `drop`.
        unsafe {
            let mut before: libc::stack_t = MaybeUninit::zeroed().assume_init();
            libc::sigaltstack(null(), &mut before);
            if before.ss_flags & libc::SS_DISABLE == 0 && before.ss_size >= frame + HANDLER_ROOM {
                return None;
            }
            let mut memory = Vec::<u8>::with_capacity(frame + (64 << 10));
            let stack = libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: memory.capacity() };
            libc::sigaltstack(&stack, null_mut());
            Some(Self { memory, before })
        }
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        // SAFETY: as above. Whoever has set another one since then, or has ended the one before together with it, keeps what they set.
        unsafe {
            let mut now: libc::stack_t = MaybeUninit::zeroed().assume_init();
            libc::sigaltstack(null(), &mut now);
            if now.ss_sp == self.memory.as_mut_ptr().cast() {
                libc::sigaltstack(&self.before, null_mut());
            }
        }
    }
}
