//! Processes: no other one can be named, looked into, changed or made.

use std::arch::asm;
use std::io;

use libc::c_long;

use crate::attack::{Attack, Attempt, Ground, SECRET, attack, check, escaped, gives, lacks, refused, sys};
use crate::payload;

/// Makes a process by a call of this number, which ends at once, whatever memory it shares.
fn makes_process(number: c_long, a: usize, b: usize) -> io::Result<i64> {
    let mut result = number;
    // SAFETY: the child returns from the call into its end, before it touches a stack that it may share.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "mov eax, 60",
            "xor edi, edi",
            "syscall",
            "2:",
            inlateout("rax") result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") 0,
            in("r10") 0,
            in("r8") 0,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    if result < 0 { Err(io::Error::from_raw_os_error(-result as i32)) } else { check(result) }
}

fn victim(g: &Ground<'_>) -> io::Result<i64> {
    sys!(libc::SYS_pidfd_open, g.targets.victim, 0)
}

/// Reads the victim's memory, or writes the same there.
fn across(g: &Ground<'_>, number: c_long) -> Attempt {
    let mut buffer = [0u8; SECRET.len()];
    buffer.copy_from_slice(SECRET.as_bytes());
    let here = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let there = libc::iovec { iov_base: g.targets.secret_at as *mut _, iov_len: buffer.len() };
    gives(sys!(number, g.targets.victim, &raw const here, 1, &raw const there, 1, 0))
}

pub fn attacks() -> Vec<Attack> {
    let mut all = signals();
    all.extend(looks());
    all.extend(settings());
    all.extend(makes());
    all
}

/// Signals: number zero asks only whether one could be sent.
fn signals() -> Vec<Attack> {
    vec![
        attack("kill_supervisor", "kill", "send the supervisor a signal", |g| {
            gives(sys!(libc::SYS_kill, g.targets.supervisor, 0))
        }),
        attack("kill_parent", "getppid", "send the parent one", |_| match sys!(libc::SYS_getppid)? {
            0 => refused("there is no parent"),
            parent => gives(sys!(libc::SYS_kill, parent, 0)),
        }),
        attack("kill_all", "kill", "send one to every process", |_| gives(sys!(libc::SYS_kill, -1, 0))),
        attack("kill_group", "kill", "send one to the supervisor's group", |g| {
            gives(sys!(libc::SYS_kill, -g.targets.supervisor, 0)).or_else(|_| gives(sys!(libc::SYS_kill, -1, 0)))
        }),
        attack("tgkill", "tgkill", "send one to a thread of the supervisor", |g| {
            gives(sys!(libc::SYS_tgkill, g.targets.supervisor, g.targets.supervisor, 0))
        }),
        attack("tkill", "tkill", "the same with the older call", |g| {
            gives(sys!(libc::SYS_tkill, g.targets.supervisor, 0))
        }),
        attack("sigqueue", "rt_sigqueueinfo", "send one with a forged sender", |g| {
            let info = [0, 0xffff_ffffu64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            gives(sys!(libc::SYS_rt_sigqueueinfo, g.targets.victim, 0, info.as_ptr()))
        }),
        attack("tgsigqueue", "rt_tgsigqueueinfo", "send a thread one with a forged sender", |g| {
            let info = [0, 0xffff_ffffu64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            gives(sys!(libc::SYS_rt_tgsigqueueinfo, g.targets.victim, g.targets.victim, 0, info.as_ptr()))
        }),
        attack("pidfd_send_signal", "pidfd_send_signal", "send one past process numbers", |g| {
            let _ = sys!(libc::SYS_pidfd_send_signal, -1, 0, 0, 0);
            gives(sys!(libc::SYS_pidfd_send_signal, victim(g)?, 0, 0, 0))
        }),
        attack("signal_by_descriptor", "fcntl", "have the kernel send one when a stream is ready", |g| {
            gives(sys!(libc::SYS_fcntl, 0, libc::F_SETOWN, g.targets.victim))
        }),
        attack("alarm", "setitimer", "have a timer of its own", |_| {
            let timer = [0u64; 4];
            gives(sys!(libc::SYS_setitimer, 0, timer.as_ptr(), 0))
        })
        .filter_only(),
        attack("timer_create", "timer_create", "have a timer that sends signals", |_| {
            let mut timer = 0i32;
            gives(sys!(libc::SYS_timer_create, libc::CLOCK_MONOTONIC, 0, &raw mut timer))
        })
        .filter_only(),
    ]
}

/// Looking into others.
fn looks() -> Vec<Attack> {
    vec![
        attack("ptrace_attach", "ptrace", "trace another process", |g| {
            let _ = sys!(libc::SYS_ptrace, libc::PTRACE_ATTACH, g.targets.victim, 0, 0)?;
            // It waits for its tracer, which is about to end; then it goes on.
            gives(sys!(libc::SYS_wait4, g.targets.victim, 0, libc::__WALL, 0))
        }),
        attack("ptrace_seize", "ptrace", "trace it without stopping it", |g| {
            gives(sys!(libc::SYS_ptrace, libc::PTRACE_SEIZE, g.targets.victim, 0, 0))
        }),
        attack("ptrace_me", "ptrace", "be traced by the supervisor", |_| {
            gives(sys!(libc::SYS_ptrace, libc::PTRACE_TRACEME, 0, 0, 0))
        })
        .filter_only(),
        attack("process_vm_readv", "process_vm_readv", "read another process's memory", |g| {
            across(g, libc::SYS_process_vm_readv)
        }),
        attack("process_vm_writev", "process_vm_writev", "write to it", |g| across(g, libc::SYS_process_vm_writev)),
        attack("pidfd_open", "pidfd_open", "hold another process", |g| gives(victim(g))),
        attack("pidfd_getfd", "pidfd_getfd", "take a descriptor of the supervisor", |g| {
            let _ = sys!(libc::SYS_pidfd_getfd, -1, 0, 0);
            let supervisor = sys!(libc::SYS_pidfd_open, g.targets.supervisor, 0)?;
            let taken = sys!(libc::SYS_pidfd_getfd, supervisor, 77, 0)?;
            // Its place in the file is the supervisor's too.
            sys!(libc::SYS_lseek, taken, 0, libc::SEEK_SET)?;
            crate::files::holds_secret(taken)
        }),
        attack("kcmp", "kcmp", "learn what two processes share", |g| {
            gives(sys!(libc::SYS_kcmp, g.targets.supervisor, g.targets.victim, 1, 0, 0))
        }),
        attack("get_robust_list", "get_robust_list", "learn an address of another process", |g| {
            let (mut head, mut len) = (0usize, 0usize);
            gives(sys!(libc::SYS_get_robust_list, g.targets.victim, &raw mut head, &raw mut len))
        }),
        attack("set_robust_list", "set_robust_list", "have the kernel write to memory when a thread ends", |_| {
            let head = [0usize; 3];
            gives(sys!(libc::SYS_set_robust_list, head.as_ptr(), 24))
        })
        .filter_only(),
        attack("getpgid", "getpgid", "learn the group of another process", |g| {
            gives(sys!(libc::SYS_getpgid, g.targets.victim))
        }),
        attack("getsid", "getsid", "learn its session", |g| gives(sys!(libc::SYS_getsid, g.targets.victim))),
        attack("getpriority", "getpriority", "learn its priority", |g| {
            gives(sys!(libc::SYS_getpriority, libc::PRIO_PROCESS, g.targets.victim))
        }),
        attack("capget_other", "capget", "learn its capabilities", |g| {
            let header = [0x2008_0522u32, g.targets.victim as u32];
            let mut sets = [0u32; 6];
            gives(sys!(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()))
        }),
        attack("process_clock", "clock_gettime", "learn what processor time it took", |g| {
            let mut time = [0u64; 2];
            let clock = (!g.targets.victim << 3) | 2;
            gives(sys!(libc::SYS_clock_gettime, clock, time.as_mut_ptr()))
        }),
        attack("process_clock_granted", "clock_gettime", "the same where clocks are granted", |g| {
            let mut time = [0u64; 2];
            let clock = (!g.targets.victim << 3) | 2;
            gives(sys!(libc::SYS_clock_gettime, clock, time.as_mut_ptr()))
        })
        .granted(crate::attack::console),
    ]
}

/// Changing others, or itself at their cost.
fn settings() -> Vec<Attack> {
    vec![
        attack("prlimit", "prlimit64", "read and set limits of another process", |g| {
            let mut old = [0u64; 2];
            gives(sys!(libc::SYS_prlimit64, g.targets.victim, libc::RLIMIT_CORE, 0, old.as_mut_ptr()))
        }),
        attack("raise_limit", "prlimit64", "raise a limit of its own", |g| {
            let limit = [g.plan.limits.memory * 4; 2];
            gives(sys!(libc::SYS_prlimit64, 0, libc::RLIMIT_DATA, limit.as_ptr(), 0))
        }),
        attack("real_time", "sched_setscheduler", "run before everything else", |_| {
            let priority = 1i32;
            gives(sys!(libc::SYS_sched_setscheduler, 0, libc::SCHED_FIFO, &raw const priority))
        }),
        attack("setpriority", "setpriority", "run before others", |_| {
            gives(sys!(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, -5))
        }),
        attack("ioprio_set", "ioprio_set", "read and write before others", |_| {
            gives(sys!(libc::SYS_ioprio_set, 1, 0, 1 << 13))
        }),
        attack("affinity", "sched_setaffinity", "say where another process runs", |g| {
            let mask = [u64::MAX; 16];
            gives(sys!(libc::SYS_sched_setaffinity, g.targets.victim, 128, mask.as_ptr()))
        }),
        attack("process_madvise", "process_madvise", "push another process's memory out", |g| {
            let page = libc::iovec { iov_base: (g.targets.secret_at & !4095) as *mut _, iov_len: 4096 };
            let advise = |fd: i64| sys!(libc::SYS_process_madvise, fd, &raw const page, 1, libc::MADV_COLD, 0);
            let _ = advise(-1);
            gives(advise(victim(g)?))
        }),
        attack("process_mrelease", "process_mrelease", "take its memory apart", |g| {
            let _ = sys!(libc::SYS_process_mrelease, -1, 0);
            gives(sys!(libc::SYS_process_mrelease, victim(g)?, 0))
        })
        .stopped_anyway("the kernel does it to processes that are ending only"),
        attack("migrate_pages", "migrate_pages", "move its memory", |g| {
            let nodes = 1u64;
            gives(sys!(libc::SYS_migrate_pages, g.targets.victim, 2, &raw const nodes, &raw const nodes))
        }),
        attack("move_pages", "move_pages", "learn where its memory is", |g| {
            let (page, mut status) = (g.targets.secret_at & !4095, 0i32);
            gives(sys!(libc::SYS_move_pages, g.targets.victim, 1, &raw const page, 0, &raw mut status, 0))
        }),
        attack("setpgid", "setpgid", "join another group", |g| gives(sys!(libc::SYS_setpgid, 0, g.targets.supervisor)))
            .stopped_anyway("the worker leads a session of its own, from before it runs"),
        attack("wait4", "wait4", "wait for a process that is not its own", |g| {
            gives(sys!(libc::SYS_wait4, g.targets.victim, 0, libc::WNOHANG, 0))
        })
        .stopped_anyway("the kernel lets parents wait only"),
        attack("outlive", "prctl", "go on when the supervisor is gone", |_| {
            gives(sys!(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, 0, 0, 0, 0))
        })
        .filter_only(),
    ]
}

/// Making processes, and becoming another program.
fn makes() -> Vec<Attack> {
    let makes = |attack: Attack| attack.filter_only();
    vec![
        makes(attack("fork", "fork", "make a process", |_| gives(makes_process(libc::SYS_fork, 0, 0)))),
        makes(attack("vfork", "vfork", "make one that shares its memory", |_| {
            gives(makes_process(libc::SYS_vfork, 0, 0))
        })),
        makes(attack("clone", "clone", "make one with the call for threads", |_| {
            gives(makes_process(libc::SYS_clone, libc::SIGCHLD as usize, 0))
        })),
        makes(attack("clone3", "clone3", "make one with the newest call", |_| {
            let mut arguments = [0u64; 11];
            arguments[4] = libc::SIGCHLD as u64;
            gives(makes_process(libc::SYS_clone3, arguments.as_ptr() as usize, size_of_val(&arguments)))
        })),
        makes(attack("clone_in_namespaces", "clone", "make one that is root of its own user namespace", |_| {
            gives(makes_process(libc::SYS_clone, (libc::SIGCHLD | libc::CLONE_NEWUSER) as usize, 0))
        })),
        attack("fork_bomb", "fork", "make more processes than it may have", |_| {
            for made in 0..72 {
                if let Err(error) = makes_process(libc::SYS_fork, 0, 0) {
                    return refused(format!("{error} after {made}"));
                }
            }
            escaped("all were made")
        }),
        attack("execve", "execve", "become another program", |g| run_program(g, libc::SYS_execve)),
        attack("execveat_memfd", "memfd_create", "become a program that is in no file", |g| {
            let fd = sys!(libc::SYS_memfd_create, c"program".as_ptr(), 0)?;
            let from = crate::files::openat(&executable(g), libc::O_RDONLY)?;
            sys!(libc::SYS_sendfile, fd, from, 0, 1 << 30)?;
            run(|arguments, environment| {
                sys!(libc::SYS_execveat, fd, c"".as_ptr(), arguments, environment, libc::AT_EMPTY_PATH)
            })
        }),
        attack("execveat", "execveat", "become the program of a descriptor", |g| run_program(g, libc::SYS_execveat)),
        attack("other_thread", "getppid", "have a thread make the call that was there before the filter", |_| {
            match payload::on_other_thread(libc::SYS_getppid)? {
                0 => refused("there is no parent"),
                parent => escaped(format!("the parent is {parent}")),
            }
        }),
        attack("membarrier", "membarrier", "interrupt all processors", |_| match sys!(libc::SYS_membarrier, 1, 0, 0) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => lacks("membarrier"),
            other => gives(other),
        })
        .filter_only(),
    ]
}

fn run(exec: impl FnOnce(*const *const u8, *const *const u8) -> io::Result<i64>) -> Attempt {
    let arguments = [c"escape".as_ptr().cast(), c"--escaped".as_ptr().cast(), std::ptr::null()];
    let environment = [std::ptr::null()];
    gives(exec(arguments.as_ptr(), environment.as_ptr()))
}

fn executable(g: &Ground<'_>) -> std::ffi::CString {
    std::ffi::CString::new(g.targets.executable.as_os_str().as_encoded_bytes()).unwrap_or_default()
}

fn run_program(g: &Ground<'_>, number: c_long) -> Attempt {
    let path = executable(g);
    run(|arguments, environment| match number {
        libc::SYS_execve => sys!(number, path.as_ptr(), arguments, environment),
        _ => sys!(number, libc::AT_FDCWD, path.as_ptr(), arguments, environment, 0),
    })
}
