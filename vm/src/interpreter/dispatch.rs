//! How handlers follow one another, and the machine state that they pass on.
//!
//! A handler is a function that takes the whole state in registers, does one instruction and ends in
//! [`Regs::next`]. In optimised builds on x86-64 that is a call in tail position, which LLVM
//! turns into a jump; elsewhere it saves the state in the [`Machine`] and returns to a plain loop.
//!
//! Invariant: at a `next` no local is borrowed and none has drop glue, and what is rare is out of
//! line; otherwise the jump becomes a call and the native stack grows. `tests/differential/stack.rs` looks.

use std::sync::atomic::AtomicU32;

use super::Function;
use crate::runtime::Outcome;
use crate::runtime::code::FunctionCode;
use crate::runtime::context::{Activation, InstanceContext, LoopFrame, StoreContext};

/// Place of an instruction: its first word.
pub type Ip = *const u32;

/// Whether the machine goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stop {
    /// The run is over: see [`Machine::outcome`].
    Over,
    /// The state is saved, the loop takes the next instruction. Also defined where there is no
    /// loop: of a type with a single value LLVM knows every result, fills it in after the call,
    /// and so makes a call of what must be a jump.
    #[allow(dead_code)]
    Continue,
}

/// One instruction's code.
pub type Handler = unsafe extern "C" fn(*mut Machine, Ip, *mut u64, *mut u8, usize, u64, f32, f64) -> Stop;

/// What a run keeps in memory.
#[repr(C)]
pub struct Machine {
    /// The store's request to stop.
    pub interrupt: *const AtomicU32,
    /// The running function's instance.
    pub context: *mut InstanceContext,
    /// The functions of its module.
    pub functions: *const FunctionCode,
    /// The running function.
    pub function: *const Function,
    /// End of the value stack.
    pub limit: *mut u64,
    /// The store.
    pub store: *mut StoreContext,
    /// This run among the store's activations.
    pub activation: Activation,
    /// How it ended.
    pub outcome: Outcome,
    /// What code that stands in for the newest frame is handed.
    pub entry: LoopFrame,
    /// Where the loop goes on.
    #[cfg(any(debug_assertions, not(target_arch = "x86_64"), feature = "loop-dispatch"))]
    pub saved: (Ip, Regs),
}

impl Machine {
    /// A run that is about to begin in a function, whose frame starts at `sp`.
    ///
    /// # Safety
    /// The store is live.
    pub unsafe fn new(
        store: *mut StoreContext,
        context: *mut InstanceContext,
        function: *const Function,
        sp: *mut u64,
    ) -> Self {
        // SAFETY: by contract.
        let (interrupt, limit) = unsafe { (&raw const (*store).interrupt, (*store).value_limit) };
        Self {
            interrupt,
            context,
            functions: std::ptr::null(),
            function,
            limit,
            store,
            activation: Activation::new(Activation::INTERPRETER),
            outcome: Outcome::Done,
            entry: LoopFrame { slots: sp, tail_callee: std::ptr::null() },
            #[cfg(any(debug_assertions, not(target_arch = "x86_64"), feature = "loop-dispatch"))]
            saved: (std::ptr::null(), Regs::at(sp)),
        }
    }
}

/// The part of the state that travels in registers.
#[derive(Clone, Copy)]
pub struct Regs {
    /// The frame's first slot.
    pub sp: *mut u64,
    /// First byte of memory 0.
    pub mem: *mut u8,
    /// Bytes of memory 0.
    pub len: usize,
    /// Accumulator of integers and references: the newest result.
    pub int: u64,
    /// Accumulator of `f32`.
    pub f32: f32,
    /// Accumulator of `f64`.
    pub f64: f64,
}

/// Defines handlers: the signature is the same for all, the state arrives as a [`Regs`].
macro_rules! handler {
    ($($(#[$meta:meta])* fn $name:ident [$($generics:tt)*] ($m:ident, $ip:ident, $r:ident) $body:block)*) => {$(
        $(#[$meta])*
        #[allow(unused_mut, clippy::missing_safety_doc)]
        pub unsafe extern "C" fn $name<$($generics)*>(
            $m: *mut $crate::interpreter::dispatch::Machine,
            $ip: $crate::interpreter::dispatch::Ip,
            sp: *mut u64,
            mem: *mut u8,
            len: usize,
            int: u64,
            f32: f32,
            f64: f64,
        ) -> $crate::interpreter::dispatch::Stop {
            let mut $r = $crate::interpreter::dispatch::Regs { sp, mem, len, int, f32, f64 };
            // SAFETY: the translator made this instruction for a verified function: its operands
            // are slots of the frame and its targets instructions of the function; the machine
            // state is live.
            unsafe { $body }
        }
    )*};
}
pub(crate) use handler;

/// An operand word of the instruction at `ip`.
///
/// # Safety
/// The instruction has that many words.
#[inline(always)]
pub unsafe fn word(ip: Ip, at: usize) -> u32 {
    // SAFETY: by contract.
    unsafe { ip.add(at).read() }
}

/// Two operand words, low one first.
///
/// # Safety
/// The instruction has that many words.
#[inline(always)]
pub unsafe fn wide(ip: Ip, at: usize) -> u64 {
    // SAFETY: by contract.
    unsafe { ip.add(at).cast::<u64>().read_unaligned() }
}

/// The target of a jump whose distance is an operand.
///
/// # Safety
/// The word at `at` is a distance in words from `ip`.
#[inline(always)]
pub unsafe fn target(ip: Ip, at: usize) -> Ip {
    // SAFETY: by contract.
    unsafe { ip.offset(word(ip, at) as i32 as isize) }
}

impl Regs {
    /// Goes on with the instruction at `ip`.
    ///
    /// # Safety
    /// `ip` is an instruction of the running function.
    #[cfg(all(not(debug_assertions), target_arch = "x86_64", not(feature = "loop-dispatch")))]
    #[inline(always)]
    pub unsafe fn next(self, m: *mut Machine, ip: Ip) -> Stop {
        // SAFETY: every instruction starts with its handler.
        unsafe {
            let handler = ip.cast::<Handler>().read_unaligned();
            handler(m, ip, self.sp, self.mem, self.len, self.int, self.f32, self.f64)
        }
    }

    /// Goes on with the instruction at `ip`.
    ///
    /// # Safety
    /// `ip` is an instruction of the running function.
    #[cfg(any(debug_assertions, not(target_arch = "x86_64"), feature = "loop-dispatch"))]
    #[inline(always)]
    pub unsafe fn next(self, m: *mut Machine, ip: Ip) -> Stop {
        // SAFETY: the machine is live.
        unsafe { (*m).saved = (ip, self) };
        Stop::Continue
    }
}

/// Takes instructions one by one until the run is over.
#[cfg(any(debug_assertions, not(target_arch = "x86_64"), feature = "loop-dispatch"))]
unsafe fn again(m: *mut Machine, mut stop: Stop) -> Stop {
    // SAFETY: the state was saved by the instruction before.
    unsafe {
        while stop == Stop::Continue {
            let (ip, r) = (*m).saved;
            let handler = ip.cast::<Handler>().read_unaligned();
            stop = handler(m, ip, r.sp, r.mem, r.len, r.int, r.f32, r.f64);
        }
    }
    stop
}

/// Runs from an instruction until the run is over.
///
/// # Safety
/// The machine's state is that of the function in which `ip` is.
pub unsafe fn run(m: *mut Machine, ip: Ip, regs: Regs) {
    // SAFETY: by contract.
    unsafe {
        let stop = regs.next(m, ip);
        #[cfg(any(debug_assertions, not(target_arch = "x86_64"), feature = "loop-dispatch"))]
        let stop = again(m, stop);
        debug_assert!(stop == Stop::Over);
    }
}

impl Regs {
    /// The state at a frame, with nothing in accumulators and no memory.
    pub fn at(sp: *mut u64) -> Self {
        Self { sp, mem: std::ptr::null_mut(), len: 0, int: 0, f32: 0.0, f64: 0.0 }
    }
}
