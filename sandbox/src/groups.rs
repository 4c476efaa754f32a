//! Groups of system calls that are allowed together, for [`Sandbox`](crate::Sandbox).

use crate::names;
use crate::seccomp::{Check, Filter, UnknownSyscall};
use crate::syscalls::{self, Syscall};

/// What code does for itself: memory, its end, waiting for other threads, what was opened for it.
pub const CODE: &[&str] = &[
    "read",
    "write",
    "futex",
    "rt_sigreturn",
    "exit_group",
    "mprotect",
    "madvise",
    "mmap",
    "munmap",
    "mremap",
    "brk",
    "sigaltstack",
    "sched_yield",
];

/// Looking at files, below directories that are allowed.
pub const READ_FILES: &[&str] = &[
    "openat",
    "close",
    "fstat",
    "newfstatat",
    "statx",
    "lseek",
    "pread64",
    "readv",
    "getdents64",
    "readlinkat",
    "fcntl",
];

/// Making, changing and removing them.
pub const WRITE_FILES: &[&str] = &[
    "ftruncate",
    "fsync",
    "fdatasync",
    "mkdirat",
    "unlinkat",
    "unlink",
    "mkdir",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "writev",
    "pwrite64",
    "symlinkat",
    "utimensat",
];

/// What a program that was built as usual makes of calls to start, to read and to write, and to end.
pub const PROGRAM: &[&str] = &[
    "execve",
    "arch_prctl",
    "set_tid_address",
    "set_robust_list",
    "rseq",
    "prlimit64",
    "access",
    "faccessat",
    "faccessat2",
    "openat",
    "close",
    "fstat",
    "newfstatat",
    "statx",
    "lseek",
    "pread64",
    "readv",
    "writev",
    "getdents64",
    "readlink",
    "readlinkat",
    "getcwd",
    "chdir",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "getrandom",
    "rt_sigaction",
    "rt_sigprocmask",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "uname",
    "sysinfo",
    "clock_gettime",
    "clock_nanosleep",
    "nanosleep",
    "poll",
    "ppoll",
    "exit",
    "tgkill",
    "umask",
    "fadvise64",
    "statfs",
    "fstatfs",
    "sched_getaffinity",
    "getrusage",
    "gettimeofday",
    "time",
];

/// Of a terminal's commands those that ask; the others act on it.
const ASKING: [u64; 3] = [libc::TCGETS, libc::TIOCGWINSZ, libc::FIONREAD];

/// Allows what a program takes: also that its libraries are mapped as code, from files that it can read.
pub(crate) fn add_program(filter: &mut Filter) -> Result<(), UnknownSyscall> {
    const FORM: &[Check] = &[Check::OneOf(1, &ASKING)];
    add(filter, PROGRAM)?;
    for name in ["mmap", "mprotect"] {
        filter.replace(Syscall { form: &[], ..syscall(name)? }, "program");
    }
    filter.replace(Syscall { form: FORM, ..syscall("ioctl")? }, "program");
    Ok(())
}

/// Allows system calls by name.
pub(crate) fn add(filter: &mut Filter, names: &[impl AsRef<str>]) -> Result<(), UnknownSyscall> {
    names.iter().try_for_each(|name| syscall(name.as_ref()).map(|syscall| filter.add(syscall, "allowed")))
}

/// A system call by name: in the form that [`syscalls`] gives it, or in any.
fn syscall(name: &str) -> Result<Syscall, UnknownSyscall> {
    // What is narrow for a host that walks paths itself: here Landlock, and what is mounted, say what can be opened.
    const WIDE: [&str; 1] = ["openat"];
    let any = || names::number(name).map(|(number, name)| Syscall { name, number, form: &[] });
    let narrow = syscalls::by_name(name).filter(|syscall| !WIDE.contains(&syscall.name));
    narrow.copied().or_else(any).ok_or_else(|| UnknownSyscall(name.to_owned()))
}
