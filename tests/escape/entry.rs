//! Entry points: every way into the kernel is filtered, and by the same rules.

use std::arch::asm;
use std::io;

use crate::attack::{Attack, Attempt, End, attack, check, escaped, gives, refused, sys, unless_missing};

/// Numbers of x32: the same calls by other numbers.
const X32: i64 = 0x4000_0000;
/// `getppid` by the 32-bit table, where this number is a different call in the other one.
const GETPPID_32: i64 = 64;

/// A call by the 32-bit table.
fn by_interrupt(number: i64) -> io::Result<i64> {
    let mut result = number;
    // SAFETY: the call takes no arguments.
    unsafe {
        asm!("int 0x80", inlateout("rax") result, lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _);
    }
    if (-4095..0).contains(&result) { Err(io::Error::from_raw_os_error(-result as i32)) } else { check(result) }
}

/// A call that a forged signal frame makes: the registers, and where to go on, come from memory of the attacker's.
fn by_signal_return(number: i64) -> io::Result<i64> {
    // SAFETY: all-zero is a valid context, to be filled.
    let mut context: libc::ucontext_t = unsafe { std::mem::zeroed() };
    let registers = &mut context.uc_mcontext.gregs;
    registers[libc::REG_RAX as usize] = number;
    registers[libc::REG_EFL as usize] = 0x202;
    // The segments of a 64-bit process.
    registers[libc::REG_CSGSFS as usize] = 0x33 | 0x2b << 48;
    let registers = registers.as_mut_ptr();
    let mut result: i64;
    // SAFETY: the frame sets every register; those that the compiler relies on are put into it first.
    unsafe {
        asm!(
            "mov [{registers} + 8 * {rbx}], rbx",
            "mov [{registers} + 8 * {rbp}], rbp",
            "mov [{registers} + 8 * {rsp}], rsp",
            "lea rax, [rip + 2f]",
            "mov [{registers} + 8 * {rip}], rax",
            "mov rsp, {context}",
            "mov eax, 15",
            "syscall",
            "2:",
            "syscall",
            registers = in(reg) registers,
            context = in(reg) &raw mut context,
            rbx = const libc::REG_RBX,
            rbp = const libc::REG_RBP,
            rsp = const libc::REG_RSP,
            rip = const libc::REG_RIP,
            out("rax") result,
            out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
    if result < 0 { Err(io::Error::from_raw_os_error(-result as i32)) } else { check(result) }
}

/// The kernel's oldest page of code for processes, at an address that everyone knows.
fn by_vsyscall() -> Attempt {
    let time: extern "C" fn(*mut i64) -> i64 =
        // SAFETY: the address of `time` in that page; without the page this faults.
        unsafe { std::mem::transmute(0xffff_ffff_ff60_0400usize) };
    match time(std::ptr::null_mut()) {
        time @ 1.. => escaped(format!("the time is {time}")),
        error => refused(format!("{error}")),
    }
}

fn is_parent(result: io::Result<i64>) -> Attempt {
    match result.map_err(unless_missing)? {
        0 => refused("there is no parent here"),
        parent => escaped(format!("the parent is {parent}")),
    }
}

pub fn attacks() -> Vec<Attack> {
    let killed = |attack: Attack| attack.ends(End::Killed(libc::SIGSYS));
    vec![
        killed(attack("int80", "", "a call by the 32-bit table", |_| is_parent(by_interrupt(GETPPID_32)))),
        killed(attack(
            "int80_allowed_number",
            "",
            "one whose number is allowed in the other table: write is exit there",
            |_| {
                // 1 is `exit`, 4 is `write`, which is `stat` here.
                gives(by_interrupt(1))
            },
        ))
        .ends(End::Killed(libc::SIGSYS))
        .stopped_anyway("the call ends the thread where it succeeds")
        .timeout(300),
        killed(attack("int80_socket", "", "one that makes a socket", |_| gives(by_interrupt(359))))
            .stopped_anyway("its arguments are none; the call is what must not be there"),
        attack("x32", "0x4000006e", "a call by its number in the x32 table", |_| {
            is_parent(sys!(X32 | libc::SYS_getppid))
        }),
        attack("x32_allowed", "0x40000000", "one that is allowed by its other number", |_| {
            gives(sys!(X32 | libc::SYS_read, 0, 0, 0))
        }),
        attack("x32_execve", "0x40000208", "one that is only there", |_| gives(sys!(X32 | 520, 0, 0, 0)))
            .stopped_anyway("its arguments are none; the call is what must not be there"),
        attack("negative_number", "0xffffffff", "a number that is none", |_| gives(sys!(-1i64)))
            .stopped_anyway("there is no such call"),
        attack("large_number", "0x7fffffff", "the largest number", |_| gives(sys!(0x7fff_ffff)))
            .stopped_anyway("there is no such call"),
        attack("high_half", "getppid", "a number whose upper half is not zero", |_| {
            is_parent(sys!(1i64 << 32 | libc::SYS_getppid))
        }),
        attack("vsyscall", "time", "the page of old calls", |_| by_vsyscall()).filter_only(),
        attack("signal_return", "getppid", "a forged signal frame that makes a call", |_| {
            is_parent(by_signal_return(libc::SYS_getppid))
        }),
        attack("signal_return_socket", "socket", "one that makes another", |_| {
            // Families and kinds are zero: the kernel says that there is none such.
            match by_signal_return(libc::SYS_socket) {
                Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => escaped("the call was made"),
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => escaped("the call was made"),
                other => gives(other),
            }
        })
        .filter_only(),
        attack("unknown_call", "0x1f4", "a number that the next kernel may have", |_| gives(sys!(500)))
            .stopped_anyway("there is no such call yet"),
    ]
}
