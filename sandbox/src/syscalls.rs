//! System calls by name: their numbers on x86-64, and the form in which each may be made at all.
//!
//! Whoever wants a system call names it; what is dangerous about it is known here, once: memory that becomes executable,
//! flags that make namespaces, commands that do more than asked. A call of another form is treated as one that was never
//! named.

use crate::seccomp::Check;

macro_rules! syscalls {
    ($($name:ident = $number:ident $(: $form:expr)?;)*) => {
        /// A system call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Syscall {
            /// Its name.
            pub name: &'static str,
            /// Its number.
            pub number: u32,
            /// What must hold of its arguments.
            pub form: &'static [Check],
        }

        /// Every system call that a filter can name, in no order.
        pub const ALL: &[Syscall] = &[$(Syscall {
            name: stringify!($name),
            number: libc::$number as u32,
            form: form!($($form)?),
        },)*];
    };
}

macro_rules! form {
    () => {
        &[]
    };
    ($form:expr) => {
        &$form
    };
}

const EXEC: u64 = libc::PROT_EXEC as u64;
/// Futexes: wait and wake, private or not, nothing that changes priorities.
const FUTEX: [u64; 8] = [
    libc::FUTEX_WAIT as u64,
    libc::FUTEX_WAKE as u64,
    (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as u64,
    (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as u64,
    (libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG) as u64,
    (libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) as u64,
    (libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG) as u64,
    (libc::FUTEX_REQUEUE | libc::FUTEX_PRIVATE_FLAG) as u64,
];
/// Advice that gives pages back or asks for larger ones; nothing that poisons them or shares them with others.
const ADVICE: [u64; 4] =
    [libc::MADV_DONTNEED as u64, libc::MADV_FREE as u64, libc::MADV_HUGEPAGE as u64, libc::MADV_NOHUGEPAGE as u64];
/// The time, and what the process itself took of it. Negative numbers are clocks of other processes and of devices.
const CLOCKS: [u64; 4] = [
    libc::CLOCK_REALTIME as u64,
    libc::CLOCK_MONOTONIC as u64,
    libc::CLOCK_PROCESS_CPUTIME_ID as u64,
    libc::CLOCK_THREAD_CPUTIME_ID as u64,
];
/// Anonymous and private, maybe at a place and without a reservation of swap.
const MAP_KEPT: u64 =
    (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE | libc::MAP_STACK) as u64;

/// To look, or to take. Not the queue of errors, which tells of packets and times.
const RECEIVE: [u64; 2] = [libc::MSG_DONTWAIT as u64, (libc::MSG_DONTWAIT | libc::MSG_PEEK) as u64];
/// On a connection. `MSG_FASTOPEN` makes one, to anywhere, of a socket that lost its own.
const SEND: [u64; 1] = [(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as u64];

syscalls! {
    // What every worker has.
    read = SYS_read;
    write = SYS_write;
    futex = SYS_futex: [Check::OneOf(1, &FUTEX)];
    rt_sigreturn = SYS_rt_sigreturn;
    exit_group = SYS_exit_group;
    mprotect = SYS_mprotect: [Check::Lacks(2, EXEC)];
    madvise = SYS_madvise: [Check::OneOf(2, &ADVICE)];
    // Memory.
    mmap = SYS_mmap: [Check::Lacks(2, EXEC), Check::Only(3, MAP_KEPT), Check::Has(3, (libc::MAP_ANONYMOUS | libc::MAP_PRIVATE) as u64)];
    munmap = SYS_munmap;
    // Threads and waiting.
    sched_yield = SYS_sched_yield;
    clock_nanosleep = SYS_clock_nanosleep: [Check::OneOf(0, &[libc::CLOCK_REALTIME as u64, libc::CLOCK_MONOTONIC as u64])];
    clock_gettime = SYS_clock_gettime: [Check::OneOf(0, &CLOCKS)];
    clock_getres = SYS_clock_getres: [Check::OneOf(0, &CLOCKS)];
    getrandom = SYS_getrandom;
    poll = SYS_poll;
    ppoll = SYS_ppoll;
    // Descriptors.
    close = SYS_close;
    readv = SYS_readv;
    writev = SYS_writev;
    pread64 = SYS_pread64;
    pwrite64 = SYS_pwrite64;
    preadv = SYS_preadv;
    pwritev = SYS_pwritev;
    preadv2 = SYS_preadv2;
    pwritev2 = SYS_pwritev2;
    lseek = SYS_lseek;
    fstat = SYS_fstat;
    fstatfs = SYS_fstatfs;
    newfstatat = SYS_newfstatat;
    statx = SYS_statx;
    fcntl = SYS_fcntl: [Check::OneOf(1, &[libc::F_GETFL as u64, libc::F_SETFL as u64, libc::F_DUPFD_CLOEXEC as u64, libc::F_GETFD as u64])];
    ioctl = SYS_ioctl: [Check::OneOf(1, &[libc::FIONREAD])];
    dup = SYS_dup;
    dup3 = SYS_dup3;
    fsync = SYS_fsync;
    fdatasync = SYS_fdatasync;
    ftruncate = SYS_ftruncate;
    fallocate = SYS_fallocate: [Check::OneOf(1, &[0])];
    fadvise64 = SYS_fadvise64;
    getdents64 = SYS_getdents64;
    utimensat = SYS_utimensat;
    // Paths, below directories that are held open.
    openat2 = SYS_openat2;
    openat = SYS_openat: [Check::Lacks(2, libc::O_PATH as u64), Check::Has(2, libc::O_NOFOLLOW as u64)];
    mkdirat = SYS_mkdirat;
    unlinkat = SYS_unlinkat;
    renameat = SYS_renameat;
    renameat2 = SYS_renameat2;
    linkat = SYS_linkat;
    symlinkat = SYS_symlinkat;
    readlinkat = SYS_readlinkat;
    // Connections that were handed in.
    accept4 = SYS_accept4: [Check::Only(3, (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as u64)];
    recvfrom = SYS_recvfrom;
    recvmsg = SYS_recvmsg: [Check::OneOf(2, &RECEIVE)];
    sendto = SYS_sendto;
    sendmsg = SYS_sendmsg: [Check::OneOf(2, &SEND)];
    shutdown = SYS_shutdown;
    getsockopt = SYS_getsockopt;
    getsockname = SYS_getsockname;
    // Signals and ends of threads.
    exit = SYS_exit;
    tgkill = SYS_tgkill;
    gettid = SYS_gettid;
    getpid = SYS_getpid;
    rt_sigprocmask = SYS_rt_sigprocmask;
    sigaltstack = SYS_sigaltstack;
}

/// A system call by name.
pub fn by_name(name: &str) -> Option<&'static Syscall> {
    ALL.iter().find(|syscall| syscall.name == name)
}

/// The name of a number, of those that a filter can name.
pub fn name_of(number: u32) -> Option<&'static str> {
    ALL.iter().find(|syscall| syscall.number == number).map(|syscall| syscall.name)
}
