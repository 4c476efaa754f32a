//! Making a process with all that `clone3(2)` can do, of which the C library knows less.

use std::arch::asm;
use std::ffi::c_void;
use std::io;

/// From `linux/sched.h`: wider than what the C library has for them.
pub const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;
pub const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// `struct clone_args`, as of version 2.
#[repr(C)]
#[derive(Default)]
pub struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}

/// Makes a process that calls a function with this argument. The process's number comes back.
///
/// # Safety
/// If it shares the memory of the calling one, it has a stack of its own, and the calling one waits for it. The function has all that it
/// needs in its argument, and keeps to system calls.
pub unsafe fn call(
    how: &CloneArgs,
    function: unsafe extern "C" fn(*mut c_void) -> !,
    argument: *mut c_void,
) -> io::Result<i32> {
    let result: i64;
    // SAFETY: the new process never comes back from the function; the calling one goes on with what the kernel says, and its stack is
    // as it was: the other one has another, or a copy. A function of the C library would return in both.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "2:",
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") how,
            in("rsi") size_of::<CloneArgs>(),
            in("r12") argument,
            in("r13") function,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    if result < 0 { Err(io::Error::from_raw_os_error(-result as i32)) } else { Ok(result as i32) }
}
