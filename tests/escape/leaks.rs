//! Leaks: a worker knows what it was told, and nothing of the host, of the supervisor or of who started it.

use std::ffi::CStr;

use pinfold::job::descriptors::{CHANNEL, PROGRAM};

use crate::attack::{Attack, Attempt, End, Ground, attack, escaped, gives, refused, sys};

/// What `/proc/self/auxv` tells, from the C library.
const HANDED: [u64; 4] = [libc::AT_EXECFN, libc::AT_RANDOM, libc::AT_PLATFORM, libc::AT_SYSINFO_EHDR];

unsafe extern "C" {
    static environ: *const *const libc::c_char;
}

/// Descriptors that exist, beside those that must. Reading nothing asks whether there is one, by a call that is allowed.
fn descriptors(g: &Ground<'_>, among: std::ops::Range<i32>) -> Attempt {
    for fd in among {
        let exists = match sys!(libc::SYS_read, fd, 0, 0) {
            Err(error) => error.raw_os_error() != Some(libc::EBADF),
            Ok(_) => true,
        };
        // The program's pages are those of a file, which is sealed.
        let is_known = (0..=CHANNEL).contains(&fd) || fd == PROGRAM || Some(fd) == g.listener;
        if exists && !is_known {
            return escaped(format!("descriptor {fd}"));
        }
    }
    refused("only those that must be")
}

pub fn attacks() -> Vec<Attack> {
    let mut all = handed_over();
    all.extend(asked_for());
    all
}

/// What is there without asking.
fn handed_over() -> Vec<Attack> {
    const SUPERVISOR: &str = "the supervisor gives none, whatever the layers are";
    let sees = |attack: Attack| attack.ends(End::Refused).stopped_anyway(SUPERVISOR);
    vec![
        sees(attack("descriptors", "", "find a descriptor that was not meant for it", |g| descriptors(g, 0..1024))),
        sees(attack(
            "job_descriptors",
            "",
            "find the job, which was read, or what the program was started from",
            |g| descriptors(g, CHANNEL + 1..PROGRAM + 4),
        )),
        sees(attack("environment", "", "find a variable of the environment", |_| {
            // SAFETY: made by the C library at the start, and not changed.
            let first = unsafe { *environ };
            if first.is_null() { refused("it is empty") } else { escaped("a variable") }
        })),
        sees(attack("arguments", "", "find an argument that tells something", |_| {
            let arguments: Vec<String> = std::env::args().collect();
            if arguments == ["pinfold-worker"] { refused("its name only") } else { escaped(arguments.join(" ")) }
        })),
        sees(attack("auxiliary", "", "find a path in what the kernel hands over", |g| {
            for kind in HANDED {
                // SAFETY: a plain call.
                let value = unsafe { libc::getauxval(kind) };
                if kind == libc::AT_EXECFN && value != 0 {
                    // SAFETY: the kernel put a string there.
                    let name = unsafe { CStr::from_ptr(value as *const libc::c_char) };
                    let path = g.targets.executable.as_os_str().as_encoded_bytes();
                    if name.to_bytes().windows(path.len()).any(|part| part == path) {
                        return escaped("the path of the executable");
                    }
                }
            }
            refused("a number of a descriptor")
        })),
        sees(attack("stack_below", "", "find what was on the stack before the program started", |g| {
            let mut here = 0u64;
            let start = &raw mut here as usize;
            let secret = g.targets.scratch.as_os_str().as_encoded_bytes();
            // From the top of the stack's first page down: what the kernel and the loader left, not what the payload read.
            // SAFETY: a plain call.
            let top = unsafe { libc::getauxval(libc::AT_RANDOM) } as usize;
            let len = (top & !4095).saturating_sub(start & !4095).min(4096);
            // SAFETY: between this frame and the strings at the top there is stack only.
            let bytes = unsafe { std::slice::from_raw_parts((top - len) as *const u8, len) };
            match bytes.windows(secret.len()).any(|part| part == secret) {
                true => escaped("a path of the host"),
                false => refused("nothing of the host"),
            }
        })),
    ]
}

/// What the kernel would tell.
fn asked_for() -> Vec<Attack> {
    vec![
        attack("uname", "uname", "learn the host's name", |g| {
            let mut names = [0u8; 390];
            sys!(libc::SYS_uname, names.as_mut_ptr())?;
            match names[65..].starts_with(g.targets.host.as_bytes()) {
                true => escaped("the host's name"),
                false => refused("a name that means nothing"),
            }
        }),
        attack("kernel_version", "uname", "learn which kernel there is", |_| {
            let mut names = [0u8; 390];
            gives(sys!(libc::SYS_uname, names.as_mut_ptr()))
        })
        .filter_only(),
        attack("getcwd", "getcwd", "learn where the supervisor was started", |_| {
            let mut path = [0u8; 4096];
            let len = sys!(libc::SYS_getcwd, path.as_mut_ptr(), path.len())? as usize;
            if len > 2 { escaped("a directory of the host") } else { refused("the root") }
        }),
        attack("getppid", "getppid", "learn the supervisor's number", |_| match sys!(libc::SYS_getppid)? {
            0 => refused("there is no parent here"),
            parent => escaped(format!("{parent}")),
        }),
        attack("getpid", "getpid", "learn how many processes there were", |_| match sys!(libc::SYS_getpid)? {
            1 => refused("it is the first"),
            number => escaped(format!("{number}")),
        }),
        attack("getuid", "getuid", "learn which user the host calls it", |_| gives(sys!(libc::SYS_getuid)))
            .filter_only(),
        attack("sysinfo", "sysinfo", "learn how busy the host is", |_| {
            let mut information = [0u64; 16];
            gives(sys!(libc::SYS_sysinfo, information.as_mut_ptr()))
        })
        .filter_only(),
        attack("getrusage", "getrusage", "learn what others took", |_| {
            let mut usage = [0u64; 18];
            gives(sys!(libc::SYS_getrusage, libc::RUSAGE_CHILDREN, usage.as_mut_ptr()))
        })
        .filter_only(),
        attack("times", "times", "learn since when the host runs", |_| {
            let mut times = [0u64; 4];
            gives(sys!(libc::SYS_times, times.as_mut_ptr()))
        })
        .filter_only(),
        attack("boot_clock", "clock_gettime", "the same, where clocks are granted", |_| {
            let mut time = [0u64; 2];
            gives(sys!(libc::SYS_clock_gettime, libc::CLOCK_BOOTTIME, time.as_mut_ptr()))
        })
        .granted(crate::attack::console)
        .filter_only(),
        attack("getcpu", "getcpu", "learn on which processor it runs", |_| {
            let mut cpu = 0u32;
            gives(sys!(libc::SYS_getcpu, &raw mut cpu, 0, 0))
        })
        .filter_only(),
        attack("affinity_of_itself", "sched_getaffinity", "learn how many processors there are", |_| {
            let mut mask = [0u64; 16];
            gives(sys!(libc::SYS_sched_getaffinity, 0, 128, mask.as_mut_ptr()))
        })
        .filter_only(),
        attack("core_limit", "prlimit64", "have its memory written to a file when it crashes", |_| {
            let limit = [1u64 << 30; 2];
            gives(sys!(libc::SYS_prlimit64, 0, libc::RLIMIT_CORE, limit.as_ptr(), 0))
        }),
        attack("clear_child", "set_tid_address", "learn its number without asking for it", |_| {
            let word = Box::leak(Box::new(0u32));
            match sys!(libc::SYS_set_tid_address, &raw mut *word)? {
                1 => refused("it is the first"),
                number => escaped(format!("{number}")),
            }
        }),
        attack("random", "getrandom", "use up the host's randomness", |_| {
            let mut bytes = [0u8; 16];
            gives(sys!(libc::SYS_getrandom, bytes.as_mut_ptr(), bytes.len(), 0))
        })
        .filter_only(),
        attack("stat_streams", "fstat", "learn what the streams are", |_| {
            let mut data = [0u64; 18];
            gives(sys!(libc::SYS_fstat, 0, data.as_mut_ptr()))
        })
        .filter_only(),
        attack("epoll", "epoll_create1", "wait in ways that were not granted", |_| {
            gives(sys!(libc::SYS_epoll_create1, 0))
        })
        .filter_only(),
        attack("sleep", "nanosleep", "sleep, and so be a clock", |_| {
            let time = [0u64, 1];
            gives(sys!(libc::SYS_nanosleep, time.as_ptr(), 0))
        })
        .filter_only(),
        attack("futex_clock", "futex", "wait for a lock that lends priority", |_| {
            let mut word = 0u32;
            gives(sys!(libc::SYS_futex, &raw mut word, libc::FUTEX_LOCK_PI, 0, 0))
        })
        .filter_only(),
        attack("futex_requeue", "futex_requeue", "the newest calls for locks", |_| gives(sys!(456, 0, 0, 0, 0)))
            .stopped_anyway("the arguments are none; the call is what must not be there"),
        attack("restart", "restart_syscall", "go on with a call that was interrupted", |_| {
            gives(sys!(libc::SYS_restart_syscall))
        })
        .stopped_anyway("there is none to go on with"),
    ]
}
