//! What Rust cannot say: switching stacks, entering compiled code, and leaving it in mid-flight.

use std::arch::naked_asm;
use std::mem::offset_of;

use super::context::{Activation, FuncRef, StoreContext};
use super::exception::Catcher;

/// Calls `run(argument)` on another stack and comes back.
///
/// # Safety
/// `top` is the 16-byte aligned end of a mapped stack that nobody uses; `run` does not unwind.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn on_stack(top: *mut u8, run: unsafe extern "sysv64" fn(*mut ()), argument: *mut ()) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "sub rsp, 8",
        "mov rbx, rsp",
        "mov rsp, rdi",
        "mov rdi, rdx",
        "call rsi",
        "mov rsp, rbx",
        "add rsp, 8",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Enters compiled code through an entry trampoline. Returns `false` if the run was ended by
/// [`unwind_to_activation`]; the trap is then in the store's pending place.
///
/// # Safety
/// `activation` is the newest one; the rest is as the trampoline's signature demands.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn enter_compiled(
    activation: *mut Activation,
    trampoline: *const u8,
    code: *const u8,
    context: *mut (),
    func: *const FuncRef,
    buffer: *mut u64,
) -> bool {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "mov [rdi + {sp}], rsp",
        "mov [rdi + {fp}], rbp",
        "mov rax, rsi",
        "mov rdi, rdx",
        "mov rsi, rcx",
        "mov rdx, r8",
        "mov rcx, r9",
        "call rax",
        "mov eax, 1",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        sp = const offset_of!(Activation, sp),
        fp = const offset_of!(Activation, fp),
    )
}

/// Leaves compiled code for good: the newest activation's [`enter_compiled`] returns `false`.
///
/// # Safety
/// The newest activation is a compiled one, and only compiled frames and frames without
/// destructors stand between it and the caller.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn unwind_to_activation(store: *mut StoreContext) -> ! {
    naked_asm!(
        "mov rdi, [rdi + {activation}]",
        "mov rsp, [rdi + {sp}]",
        "xor eax, eax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        activation = const offset_of!(StoreContext, activation),
        sp = const offset_of!(Activation, sp),
    )
}

/// Leaves the newest compiled activation for where an exception is caught: `here` says whether that is in the same
/// activation; otherwise [`enter_compiled`] returns `false`.
///
/// # Safety
/// As for [`unwind_to_activation`]; if it is here, the store's catcher is set.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn resume_or_unwind(store: *mut StoreContext, here: bool) -> ! {
    naked_asm!(
        "test sil, sil",
        "jz {unwind}",
        "mov rsp, [rdi + {sp}]",
        "mov rbp, [rdi + {fp}]",
        "jmp [rdi + {pc}]",
        unwind = sym unwind_to_activation,
        sp = const offset_of!(StoreContext, catcher) + offset_of!(Catcher, sp),
        fp = const offset_of!(StoreContext, catcher) + offset_of!(Catcher, fp),
        pc = const offset_of!(StoreContext, catcher) + offset_of!(Catcher, pc),
    )
}

/// The registers that a callee gives back as they were.
#[inline(always)]
pub fn callee_saved() -> [u64; 6] {
    let mut registers = [0; 6];
    // SAFETY: reads registers and writes the array.
    unsafe {
        std::arch::asm!(
            "mov [{to}], rbx",
            "mov [{to} + 8], rbp",
            "mov [{to} + 16], r12",
            "mov [{to} + 24], r13",
            "mov [{to} + 32], r14",
            "mov [{to} + 40], r15",
            to = in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    registers
}

/// What stands at an address of a stack, whoever it belongs to: a load that no sanitizer sees.
///
/// # Safety
/// The address is mapped.
#[inline(always)]
pub unsafe fn peek(at: *const u64) -> u64 {
    let word;
    // SAFETY: by contract.
    unsafe { std::arch::asm!("mov {}, [{}]", out(reg) word, in(reg) at, options(nostack, readonly, preserves_flags)) };
    word
}

/// Fills memory with zeroes, whoever it belonged to: stores that no sanitizer sees. Frames that a panic left on a guest's stack are still marked
/// as such for it.
///
/// # Safety
/// It can be written, and nobody has it.
#[inline]
pub unsafe fn clear(at: *mut u8, len: usize) {
    // SAFETY: by contract; the direction is forward wherever Rust is called.
    unsafe {
        std::arch::asm!(
            "rep stosb",
            inout("rdi") at => _,
            inout("rcx") len => _,
            in("al") 0_u8,
            options(nostack, preserves_flags),
        );
    }
}

/// The native stack pointer, roughly.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe { std::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}
