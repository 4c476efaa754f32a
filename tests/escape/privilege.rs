//! Privilege: none is there, and none can be had; the kernel's rarer doors are shut.

use std::io;

use libc::{c_int, c_long};

use crate::attack::{Attack, Attempt, Ground, attack, escaped, gives, privileged, readable, refused, sys};

/// Another namespace of this kind.
fn unshare(flag: c_int) -> Attempt {
    gives(sys!(libc::SYS_unshare, flag))
}

/// Mounts of its own, so that nothing is changed for others where the attack succeeds.
fn own_mounts() -> io::Result<i64> {
    sys!(libc::SYS_unshare, libc::CLONE_NEWNS)?;
    sys!(libc::SYS_mount, 0, c"/".as_ptr(), 0, libc::MS_REC | libc::MS_PRIVATE, 0)
}

/// A capability set with everything in it.
fn raise_all() -> io::Result<i64> {
    let header = [0x2008_0522u32, 0];
    // Nothing that could be set, for the filter to see.
    let _ = sys!(libc::SYS_capset, 0, 0);
    let mut sets = [0u32; 6];
    sys!(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr())?;
    // What is permitted becomes effective, administration of the network too.
    sets[1] |= 1 << 12;
    sets[0] |= sets[1];
    sys!(libc::SYS_capset, header.as_ptr(), sets.as_ptr())
}

fn prctl(option: c_int, a: c_long, b: c_long) -> io::Result<i64> {
    sys!(libc::SYS_prctl, option, a, b, 0, 0)
}

pub fn attacks() -> Vec<Attack> {
    let mut all = namespaces();
    all.extend(mounts());
    all.extend(identity());
    all.extend(administration());
    all.extend(doors());
    all
}

fn namespaces() -> Vec<Attack> {
    vec![
        attack("unshare_user", "unshare", "be root of a user namespace", |_| unshare(libc::CLONE_NEWUSER))
            .stopped_anyway("a process with threads cannot, and a worker has some: see clone_in_namespaces"),
        attack("unshare_pid", "unshare", "another process namespace", |_| unshare(libc::CLONE_NEWPID)),
        attack("unshare_mount", "unshare", "another mount namespace", |_| unshare(libc::CLONE_NEWNS)),
        attack("unshare_net", "unshare", "another network namespace", |_| unshare(libc::CLONE_NEWNET)),
        attack("unshare_ipc", "unshare", "another IPC namespace", |_| unshare(libc::CLONE_NEWIPC)),
        attack("unshare_uts", "unshare", "another host name", |_| unshare(libc::CLONE_NEWUTS)),
        attack("unshare_cgroup", "unshare", "another cgroup namespace", |_| unshare(libc::CLONE_NEWCGROUP)),
        attack("unshare_time", "unshare", "other clocks", |_| unshare(0x80)),
        attack("unshare_files", "unshare", "descriptors of one thread", |_| unshare(libc::CLONE_FILES)).filter_only(),
        attack("setns", "setns", "enter the namespaces of another process", |g| {
            let _ = sys!(libc::SYS_setns, -1, 0);
            let other = sys!(libc::SYS_pidfd_open, g.targets.victim, 0)?;
            gives(sys!(libc::SYS_setns, other, libc::CLONE_NEWNET | libc::CLONE_NEWUTS))
        }),
    ]
}

fn mounts() -> Vec<Attack> {
    vec![
        attack("mount", "mount", "mount a file system", |g| {
            let mount = |path: *const i8| {
                let name = c"tmpfs".as_ptr();
                sys!(libc::SYS_mount, name, path, name, 0, 0)
            };
            let _ = mount(std::ptr::null());
            own_mounts()?;
            gives(mount(g.outside("mount").as_ptr()))
        }),
        attack("mount_proc", "mount", "mount /proc, where processes are seen", |g| {
            let mount = |path: *const i8| {
                let name = c"proc".as_ptr();
                sys!(libc::SYS_mount, name, path, name, 0, 0)
            };
            let _ = mount(std::ptr::null());
            own_mounts()?;
            gives(mount(g.outside("mount").as_ptr()))
        }),
        attack("umount", "umount2", "take a mount away that hides something", |g| {
            privileged(sys!(libc::SYS_umount2, g.inside("").as_ptr(), 0))
        })
        .granted(readable),
        attack("fsopen", "fsopen", "make a file system with the new calls", |_| {
            gives(sys!(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0))
        }),
        attack("fsmount", "fsmount", "mount what was made so", |_| {
            let _ = sys!(libc::SYS_fsmount, -1, 0, 0);
            let fs = sys!(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0)?;
            sys!(libc::SYS_fsconfig, fs, 6, 0, 0, 0)?;
            gives(sys!(libc::SYS_fsmount, fs, 0, 0))
        }),
        attack("fspick", "fspick", "change how the root is mounted", |_| {
            gives(sys!(libc::SYS_fspick, libc::AT_FDCWD, c"/".as_ptr(), 0))
        }),
        attack("open_tree", "open_tree", "copy the host's mounts", |_| {
            gives(sys!(libc::SYS_open_tree, libc::AT_FDCWD, c"/".as_ptr(), 1))
        }),
        attack("move_mount", "move_mount", "put a copy of mounts elsewhere", |g| {
            let (to, empty) = (g.outside("mount"), c"".as_ptr());
            let place = |tree: i64| sys!(libc::SYS_move_mount, tree, empty, libc::AT_FDCWD, to.as_ptr(), 4);
            let _ = place(-1);
            own_mounts()?;
            gives(place(sys!(libc::SYS_open_tree, libc::AT_FDCWD, c"/".as_ptr(), 1)?))
        }),
        attack("mount_setattr", "mount_setattr", "make the read-only root writable", |_| {
            let attributes = [0u64, 1, 0, 0];
            let set = || {
                let size = size_of_val(&attributes);
                sys!(libc::SYS_mount_setattr, libc::AT_FDCWD, c"/".as_ptr(), 0, attributes.as_ptr(), size)
            };
            // The wrong size first: where it succeeds, it is to be for mounts of its own.
            let _ = sys!(libc::SYS_mount_setattr, libc::AT_FDCWD, c"/".as_ptr(), 0, attributes.as_ptr(), 1);
            own_mounts()?;
            gives(set())
        }),
        attack("pivot_root", "pivot_root", "have another root", |g| {
            let path = g.outside("mount");
            privileged(sys!(libc::SYS_pivot_root, path.as_ptr(), path.as_ptr()))
        }),
        attack("chroot", "chroot", "have another root, with the old trick", |g| {
            gives(sys!(libc::SYS_chroot, g.outside("").as_ptr()))
        }),
        attack("statmount", "statmount", "read the table of mounts", |_| privileged(sys!(457, 0, 0, 0, 0)))
            .filter_only(),
        attack("swapon", "swapon", "have memory written to a file", |g| {
            privileged(sys!(libc::SYS_swapon, g.outside("nothing").as_ptr(), 0))
        }),
        attack("swapoff", "swapoff", "have it read back", |g| {
            privileged(sys!(libc::SYS_swapoff, g.outside("nothing").as_ptr()))
        }),
        attack("quotactl", "quotactl", "change someone's quota", |g| {
            gives(sys!(libc::SYS_quotactl, 0x80_0007 << 8, g.outside("secret").as_ptr(), 0, 0))
        })
        .stopped_anyway("the kernel looks for the device before it asks for privilege, and a wrong one does no harm"),
        attack("acct", "acct", "have a record of all processes written", |g| {
            privileged(sys!(libc::SYS_acct, g.outside("nothing").as_ptr()))
        }),
    ]
}

fn identity() -> Vec<Attack> {
    vec![
        attack("setuid", "setuid", "become another user", |_| gives(sys!(libc::SYS_setuid, 1))),
        attack("setgid", "setgid", "become a member of another group", |_| gives(sys!(libc::SYS_setgid, 1))),
        attack("setresuid", "setresuid", "become another user, and able to come back", |_| {
            gives(sys!(libc::SYS_setresuid, 1, 1, 0))
        }),
        attack("setgroups", "setgroups", "leave groups that take rights away", |_| {
            gives(sys!(libc::SYS_setgroups, 0, 0))
        }),
        attack("capset", "capset", "raise capabilities", |_| gives(raise_all())),
        attack("ambient", "prctl", "keep a capability for programs", |_| {
            prctl(libc::PR_CAP_AMBIENT, 1, 0)?;
            raise_all()?;
            escaped("there were capabilities to keep")
        }),
        attack("securebits", "prctl", "have root mean something again", |_| {
            gives(prctl(libc::PR_SET_SECUREBITS, 0, 0))
        }),
        attack("new_privileges", "prctl", "take back that there are none by programs", |_| {
            gives(prctl(libc::PR_SET_NO_NEW_PRIVS, 0, 0))
        })
        .stopped_anyway("the kernel does not take it back from anyone"),
        attack("dumpable", "prctl", "be traceable and dumpable again", |_| gives(prctl(libc::PR_SET_DUMPABLE, 1, 0)))
            .filter_only(),
        attack("ptracer", "prctl", "name a process that may trace it", |_| {
            match prctl(libc::PR_SET_PTRACER, -1, 0) {
                // The security module that knows it is not there.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => crate::attack::lacks("Yama"),
                other => gives(other),
            }
        }),
        attack("subreaper", "prctl", "become the parent of orphans", |_| {
            gives(prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0))
        })
        .filter_only(),
        attack("personality", "personality", "have addresses that can be guessed", |_| {
            gives(sys!(libc::SYS_personality, 0x0004_0000))
        })
        .filter_only(),
        attack("set_session", "setsid", "leave the session", |_| gives(sys!(libc::SYS_setsid)))
            .stopped_anyway("the worker leads its session already"),
    ]
}

/// What an administrator does. Each call is wrong in a way that the kernel sees after it asked for privilege.
fn administration() -> Vec<Attack> {
    vec![
        attack("reboot", "reboot", "restart the machine", |_| privileged(sys!(libc::SYS_reboot, 1, 2, 0, 0))),
        attack("kexec_load", "kexec_load", "start another kernel", |_| {
            privileged(sys!(libc::SYS_kexec_load, 0, 17, 0, 0))
        }),
        attack("init_module", "init_module", "load code into the kernel", |_| {
            privileged(sys!(libc::SYS_init_module, c"not a module".as_ptr(), 12, c"".as_ptr()))
        }),
        attack("finit_module", "finit_module", "the same from a file", |_| {
            privileged(sys!(libc::SYS_finit_module, -1, c"".as_ptr(), 0))
        }),
        attack("delete_module", "delete_module", "remove code from it", |_| {
            privileged(sys!(libc::SYS_delete_module, c"no such module".as_ptr(), 0))
        }),
        attack("clock_settime", "clock_settime", "set the clock", |_| {
            let time = [0u64, u64::MAX];
            gives(sys!(libc::SYS_clock_settime, libc::CLOCK_REALTIME, time.as_ptr()))
        })
        .stopped_anyway("a time that does no harm is no time, which the kernel sees before it asks for privilege"),
        attack("settimeofday", "settimeofday", "set the clock with the older call", |_| {
            let zone = [16 * 60, 0];
            privileged(sys!(libc::SYS_settimeofday, 0, zone.as_ptr()))
        }),
        attack("adjtimex", "adjtimex", "change how fast the clock is", |_| {
            let mut how = [0u64; 32];
            // The length of a tick, which is not to be zero.
            how[0] = 0x4000;
            privileged(sys!(libc::SYS_adjtimex, how.as_mut_ptr()))
        }),
        attack("clock_adjtime", "clock_adjtime", "the same of a clock by number", |_| {
            let mut how = [0u64; 32];
            how[0] = 0x4000;
            privileged(sys!(libc::SYS_clock_adjtime, libc::CLOCK_REALTIME, how.as_mut_ptr()))
        }),
        attack("sethostname", "sethostname", "rename the host, to the name that it has", |g| {
            gives(sys!(libc::SYS_sethostname, g.targets.host.as_ptr(), g.targets.host.len()))
        }),
        attack("iopl", "iopl", "reach the machine's ports", |_| gives(sys!(libc::SYS_iopl, 3))),
        attack("ioperm", "ioperm", "reach one of them", |_| gives(sys!(libc::SYS_ioperm, 0x80, 1, 1))),
        attack("syslog", "syslog", "read the kernel's log", |_| {
            let mut log = [0u8; 64];
            gives(sys!(libc::SYS_syslog, 3, log.as_mut_ptr(), log.len()))
        }),
        attack("vhangup", "vhangup", "hang up the terminal", |_| gives(sys!(libc::SYS_vhangup))),
    ]
}

/// Large parts of the kernel behind one call each.
fn doors() -> Vec<Attack> {
    vec![
        attack("bpf", "bpf", "have the kernel run a program", |_| {
            let map = [2u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            gives(sys!(libc::SYS_bpf, 0, map.as_ptr(), size_of_val(&map)))
        }),
        attack("perf_event_open", "perf_event_open", "count what the processor does", |_| {
            let mut event = [0u64; 16];
            event[0] = 1 | 128 << 32;
            gives(sys!(libc::SYS_perf_event_open, event.as_ptr(), 0, -1, -1, 0))
        }),
        attack("io_uring", "io_uring_setup", "make system calls without making any", |_| {
            let mut parameters = [0u32; 32];
            gives(sys!(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()))
        })
        .filter_only(),
        attack("io_setup", "io_setup", "the older way to do so", |_| {
            let mut context = 0usize;
            gives(sys!(libc::SYS_io_setup, 1, &raw mut context))
        })
        .filter_only(),
        attack("userfaultfd", "userfaultfd", "stop the kernel in the midst of a copy", |_| {
            gives(sys!(libc::SYS_userfaultfd, 0))
        }),
        attack("keyctl", "keyctl", "have a keyring", |_| gives(sys!(libc::SYS_keyctl, 1, 0))).filter_only(),
        attack("add_key", "add_key", "leave something in a keyring", |_| {
            let (kind, name) = (c"user".as_ptr(), c"pinfold".as_ptr());
            gives(sys!(libc::SYS_add_key, kind, name, c"x".as_ptr(), 1, -2))
        })
        .filter_only(),
        attack("request_key", "request_key", "have a program of the host make a key", |_| {
            let (kind, name) = (c"user".as_ptr(), c"pinfold-no-such-key".as_ptr());
            match sys!(libc::SYS_request_key, kind, name, 0, 0) {
                Err(error) if error.raw_os_error() == Some(libc::ENOKEY) => escaped("the kernel searched for it"),
                other => gives(other),
            }
        })
        .filter_only(),
        attack("seccomp", "seccomp", "have a filter with a supervisor of its own", |_| {
            let program = [libc::sock_filter { code: 6, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }];
            let filter = libc::sock_fprog { len: 1, filter: program.as_ptr().cast_mut() };
            let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
            gives(sys!(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter))
        })
        .filter_only(),
        attack("answer_listener", "ioctl", "answer its own refused calls with the filter's listener", |g| {
            let Some(listener) = g.listener else { return refused("there is no listener") };
            let size = 0xc050_2100u64;
            gives(sys!(libc::SYS_ioctl, listener, size, 0))
        })
        .stopped_anyway("without the filter there is no listener"),
        attack("landlock", "landlock_create_ruleset", "make rules of its own", |_| {
            let rules = [1u64, 0, 0];
            gives(sys!(libc::SYS_landlock_create_ruleset, rules.as_ptr(), 8, 0))
        })
        .filter_only(),
        attack("lsm_attributes", "lsm_list_modules", "learn which security modules there are", |_| {
            let (mut list, mut size) = ([0u64; 32], 256u32);
            gives(sys!(461, list.as_mut_ptr(), &raw mut size, 0))
        })
        .filter_only(),
        attack("message_queue", "mq_open", "meet others at a queue", |_| {
            let flags = libc::O_CREAT | libc::O_RDWR;
            let queue = c"pinfold-escape".as_ptr();
            let result = sys!(libc::SYS_mq_open, queue, flags, 0o600, 0);
            let _ = sys!(libc::SYS_mq_unlink, queue);
            gives(result)
        })
        .filter_only(),
        attack("shared_memory", "shmget", "meet others at shared memory", shared),
        attack("semaphores", "semget", "meet others at semaphores", |_| {
            let set = sys!(libc::SYS_semget, 0x7069_6e66, 1, 0o1600)?;
            let _ = sys!(libc::SYS_semctl, set, 0, libc::IPC_RMID, 0);
            escaped("a set was made")
        })
        .filter_only(),
        attack("cpu_debug", "modify_ldt", "have segments of its own", |_| {
            let mut table = [0u8; 64];
            gives(sys!(libc::SYS_modify_ldt, 0, table.as_mut_ptr(), table.len()))
        })
        .filter_only(),
    ]
}

/// A segment of the supervisor's: whether it is there.
fn shared(g: &Ground<'_>) -> Attempt {
    gives(sys!(libc::SYS_shmget, g.targets.segment, 4096, 0))
}
