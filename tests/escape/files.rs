//! Files: what was not granted cannot be named, read, changed or made; what was granted is not a way out.

use std::ffi::CStr;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::attack::{
    Attack, Attempt, End, Ground, SECRET, attack, check, escaped, gives, lacks, readable, refused, sys, unless_missing,
    writable,
};
use libc::{AT_FDCWD, O_CREAT, O_DIRECTORY, O_PATH, O_RDONLY, O_RDWR, O_TMPFILE, O_WRONLY};
use pinfold_sandbox::Layer;

/// Opens in the way that takes no resolution flags.
pub fn openat(path: &CStr, flags: i32) -> io::Result<i64> {
    sys!(libc::SYS_openat, AT_FDCWD, path.as_ptr(), flags, 0o600)
}

/// Whether the worker has `openat`, and not `openat2`: what it opens by then, without following links.
pub static STEPWISE: AtomicBool = AtomicBool::new(false);

/// Opens as the worker itself does, but without staying beneath a directory.
fn openat2(at: i64, path: &CStr, flags: i32) -> io::Result<i64> {
    if STEPWISE.load(Ordering::Relaxed) {
        return sys!(libc::SYS_openat, at, path.as_ptr(), flags & !O_PATH | libc::O_NOFOLLOW, 0o600);
    }
    let how: [u64; 3] = [flags as u64, if flags & O_CREAT != 0 { 0o600 } else { 0 }, 0];
    sys!(libc::SYS_openat2, at, path.as_ptr(), how.as_ptr(), size_of_val(&how))
}

/// Whether a file is the secret.
pub fn holds_secret(fd: i64) -> Attempt {
    let mut buffer = [0u8; 256];
    let len = sys!(libc::SYS_read, fd, buffer.as_mut_ptr(), buffer.len())? as usize;
    match buffer[..len].windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
        true => escaped("the secret was read"),
        false => refused("what was read is not the secret"),
    }
}

/// The granted directory.
fn folder(g: &Ground<'_>) -> io::Result<i64> {
    openat2(AT_FDCWD.into(), &g.inside(""), O_PATH | O_DIRECTORY)
}

/// Names in a directory.
pub fn lists(fd: i64, name: &str) -> Attempt {
    let mut buffer = [0u8; 8192];
    let len = sys!(libc::SYS_getdents64, fd, buffer.as_mut_ptr(), buffer.len())? as usize;
    match buffer[..len].windows(name.len()).any(|part| part == name.as_bytes()) {
        true => escaped("the host's directory was listed"),
        false => refused("nothing of the host's is listed"),
    }
}

pub fn attacks() -> Vec<Attack> {
    let mut all = without_grant();
    all.extend(changes());
    all.extend(with_grant());
    all
}

/// A worker that was granted nothing looks around.
fn without_grant() -> Vec<Attack> {
    vec![
        attack("openat_absolute", "openat", "read a file of the host by its name", |g| {
            holds_secret(openat(&g.outside("secret"), O_RDONLY)?)
        }),
        attack("open", "open", "the same with the oldest call for it", |g| {
            holds_secret(sys!(libc::SYS_open, g.outside("secret").as_ptr(), O_RDONLY)?)
        }),
        attack("openat2_absolute", "openat2", "the same with the newest", |g| {
            holds_secret(openat2(AT_FDCWD.into(), &g.outside("secret"), O_RDONLY)?)
        }),
        attack("open_proc_self_mem", "openat", "write to its own read-only memory through /proc", |_| {
            gives(openat(c"/proc/self/mem", O_RDWR))
        }),
        attack("open_proc_root", "openat", "reach the host's files through another process's root", |g| {
            let path = format!("/proc/{}/root{}/secret\0", g.targets.victim, g.targets.scratch.display());
            let path = CStr::from_bytes_until_nul(path.as_bytes()).unwrap();
            holds_secret(openat(path, O_RDONLY)?)
        }),
        attack("open_proc_memory", "openat", "read another process's memory through /proc", |g| {
            let path = format!("/proc/{}/mem\0", g.targets.victim);
            let fd = openat(CStr::from_bytes_until_nul(path.as_bytes()).unwrap(), O_RDONLY)?;
            sys!(libc::SYS_lseek, fd, g.targets.secret_at, libc::SEEK_SET)?;
            holds_secret(fd)
        }),
        attack("open_proc_descriptor", "openat", "open the supervisor's descriptor through /proc", |g| {
            let path = format!("/proc/{}/fd/77\0", g.targets.supervisor);
            holds_secret(openat(CStr::from_bytes_until_nul(path.as_bytes()).unwrap(), O_RDONLY)?)
        }),
        attack("open_proc_environment", "openat", "read the supervisor's environment", |g| {
            let path = format!("/proc/{}/environ\0", g.targets.supervisor);
            gives(openat(CStr::from_bytes_until_nul(path.as_bytes()).unwrap(), O_RDONLY))
        }),
        attack("open_sysctl", "openat", "open a setting of the kernel for writing", |_| {
            gives(openat(c"/proc/sys/kernel/core_pattern", O_WRONLY))
        }),
        attack("open_device", "openat", "open a device", |_| gives(openat(c"/dev/kmsg", O_RDWR))),
        attack("getdents_root", "openat", "list the root", |_| lists(openat(c"/", O_RDONLY | O_DIRECTORY)?, "usr")),
        attack("stat", "stat", "see whether a file is there", |g| {
            let mut buffer = [0u64; 64];
            gives(sys!(libc::SYS_stat, g.outside("secret").as_ptr(), buffer.as_mut_ptr()))
        }),
        attack("statx", "statx", "the same with the newest call for it", |g| {
            let mut buffer = [0u64; 64];
            gives(sys!(libc::SYS_statx, AT_FDCWD, g.outside("secret").as_ptr(), 0, 0xfff, buffer.as_mut_ptr()))
        }),
        attack("access", "access", "ask whether a file may be read", |g| {
            gives(sys!(libc::SYS_access, g.outside("secret").as_ptr(), libc::R_OK))
        }),
        attack("readlink", "readlink", "learn where a file is from a link", |_| {
            let mut buffer = [0u8; 256];
            gives(sys!(libc::SYS_readlink, c"/proc/self/exe".as_ptr(), buffer.as_mut_ptr(), buffer.len()))
        }),
        attack("statfs", "statfs", "learn what the host's root is on", |g| {
            let mut buffer = [0u64; 32];
            gives(sys!(libc::SYS_statfs, g.outside("").as_ptr(), buffer.as_mut_ptr()))
        }),
        attack("chdir", "chdir", "go to a directory of the host", |g| {
            gives(sys!(libc::SYS_chdir, g.outside("").as_ptr()))
        }),
        attack("getxattr", "getxattr", "read an attribute of a file", |g| {
            let result = sys!(libc::SYS_getxattr, g.outside("secret").as_ptr(), c"user.x".as_ptr(), 0, 0);
            match result {
                Err(error) if error.raw_os_error() == Some(libc::ENODATA) => escaped("the file is there"),
                other => gives(other),
            }
        }),
        attack("name_to_handle", "name_to_handle_at", "have a handle of a file", |g| {
            let mut handle = [0u32; 34];
            handle[0] = 128;
            let mut mount = 0i32;
            gives(sys!(
                libc::SYS_name_to_handle_at,
                AT_FDCWD,
                g.outside("secret").as_ptr(),
                handle.as_mut_ptr(),
                &raw mut mount,
                0
            ))
        }),
        attack("open_by_handle", "open_by_handle_at", "open a file by a handle that was learnt, past all paths", |g| {
            let by_handle = |at: i64| {
                let handle = g.targets.handle.as_ptr();
                sys!(libc::SYS_open_by_handle_at, at, handle, O_RDONLY)
            };
            let first = by_handle(0);
            let at = match first {
                Ok(fd) => return holds_secret(fd),
                Err(_) => openat(&g.outside(""), O_RDONLY | O_DIRECTORY)?,
            };
            holds_secret(by_handle(at).map_err(unless_missing)?)
        }),
        attack("inotify", "inotify_init1", "watch what others do to files", |g| {
            let fd = sys!(libc::SYS_inotify_init1, 0)?;
            gives(sys!(libc::SYS_inotify_add_watch, fd, g.outside("").as_ptr(), libc::IN_ALL_EVENTS))
        }),
        attack("fanotify", "fanotify_init", "watch what others do to a whole file system", |_| {
            gives(sys!(libc::SYS_fanotify_init, 0, 0))
        }),
    ]
}

/// A worker that was granted nothing changes what is there.
fn changes() -> Vec<Attack> {
    vec![
        attack("creat", "creat", "make a file", |g| gives(sys!(libc::SYS_creat, g.outside("made").as_ptr(), 0o600))),
        attack("tmpfile", "openat", "make a file without a name", |g| {
            gives(openat(&g.outside(""), O_TMPFILE | O_RDWR))
        }),
        attack("mkdir", "mkdir", "make a directory", |g| {
            gives(sys!(libc::SYS_mkdir, g.outside("made").as_ptr(), 0o700))
        }),
        attack("mknod_device", "mknod", "make a device of its own", |g| {
            let device = libc::makedev(1, 3);
            gives(sys!(libc::SYS_mknod, g.outside("made").as_ptr(), libc::S_IFCHR | 0o600, device))
        }),
        attack("mknod_pipe", "mknodat", "make a named pipe", |g| {
            gives(sys!(libc::SYS_mknodat, AT_FDCWD, g.outside("made").as_ptr(), libc::S_IFIFO | 0o600, 0))
        }),
        attack("symlink", "symlink", "make a symbolic link", |g| {
            gives(sys!(libc::SYS_symlink, c"/etc/passwd".as_ptr(), g.outside("made").as_ptr()))
        }),
        attack("link", "link", "make a second name for a file", |g| {
            gives(sys!(libc::SYS_link, g.outside("secret").as_ptr(), g.outside("made").as_ptr()))
        }),
        attack("unlink", "unlink", "remove a file", |g| gives(sys!(libc::SYS_unlink, g.outside("victim").as_ptr()))),
        attack("rename", "rename", "move a file", |g| {
            gives(sys!(libc::SYS_rename, g.outside("victim").as_ptr(), g.outside("made").as_ptr()))
        }),
        attack("truncate", "truncate", "empty a file", |g| {
            gives(sys!(libc::SYS_truncate, g.outside("victim").as_ptr(), 0))
        }),
        attack("chmod", "chmod", "make a file a privileged one", |g| {
            gives(sys!(libc::SYS_chmod, g.outside("victim").as_ptr(), 0o4755))
        }),
        attack("fchmodat2", "fchmodat2", "the same with the newest call for it", |g| {
            gives(sys!(libc::SYS_fchmodat2, AT_FDCWD, g.outside("victim").as_ptr(), 0o4755, 0))
        }),
        attack("chown", "chown", "give a file to someone else", |g| {
            gives(sys!(libc::SYS_chown, g.outside("victim").as_ptr(), 1, 1))
        }),
        attack("utimensat", "utimensat", "change a file's times", |g| {
            gives(sys!(libc::SYS_utimensat, AT_FDCWD, g.outside("victim").as_ptr(), 0, 0))
        }),
        attack("setxattr", "setxattr", "change a file's attributes", |g| {
            let (path, name) = (g.outside("victim"), c"user.pinfold");
            gives(sys!(libc::SYS_setxattr, path.as_ptr(), name.as_ptr(), c"x".as_ptr(), 1, 0))
        }),
        attack("memfd", "memfd_create", "have a file that no directory holds", |_| {
            gives(sys!(libc::SYS_memfd_create, c"x".as_ptr(), 0))
        })
        .filter_only(),
        attack("mkfifo_pair", "pipe2", "have descriptors that were not granted", |_| {
            let mut pair = [0i32; 2];
            gives(sys!(libc::SYS_pipe2, pair.as_mut_ptr(), 0))
        })
        .filter_only(),
    ]
}

/// A worker that was granted a directory leaves it.
fn with_grant() -> Vec<Attack> {
    let reads = |attack: Attack| attack.granted(readable).ends(End::Refused);
    let writes = |attack: Attack| attack.granted(writable).ends(End::Refused);
    vec![
        reads(attack("granted_parent", "", "from the granted directory to the one above", |g| {
            holds_secret(openat2(folder(g)?, c"../secret", O_RDONLY)?)
        })),
        reads(attack("granted_absolute", "", "an absolute name, by the call that is allowed", |g| {
            holds_secret(openat2(folder(g)?, &g.outside("secret"), O_RDONLY)?)
        })),
        reads(attack("granted_link_absolute", "", "out by a link with an absolute target", |g| {
            holds_secret(openat2(folder(g)?, c"absolute", O_RDONLY)?)
        })),
        reads(attack("granted_link_relative", "", "out by a link with a relative target", |g| {
            holds_secret(openat2(folder(g)?, c"relative", O_RDONLY)?)
        })),
        reads(attack("granted_magic_link", "", "out by a link of /proc", |g| {
            let path = format!("/proc/{}/fd/77\0", g.targets.supervisor);
            let path = CStr::from_bytes_until_nul(path.as_bytes()).unwrap();
            holds_secret(openat2(folder(g)?, path, O_RDONLY)?)
        })),
        reads(attack("granted_getdents_above", "", "list what is beside the granted directory", |g| {
            lists(openat2(folder(g)?, c"..", O_RDONLY | O_DIRECTORY)?, "secret")
        })),
        reads(attack("granted_getdents_root", "", "list the root, by calls that are allowed", |g| {
            lists(openat2(folder(g)?, c"/", O_RDONLY | O_DIRECTORY)?, "usr")
        })),
        reads(attack("granted_write", "", "write to a directory that is granted for reading", |g| {
            gives(openat2(folder(g)?, c"inside", O_WRONLY))
        })),
        reads(attack("granted_make", "", "make a file in it", |g| {
            gives(openat2(folder(g)?, c"made", O_CREAT | O_WRONLY))
        })),
        attack("granted_mkdir", "mkdirat", "make a directory in it", |g| {
            gives(sys!(libc::SYS_mkdirat, folder(g)?, c"made".as_ptr(), 0o700))
        })
        .granted(readable),
        attack("granted_times", "utimensat", "change times in it", |g| {
            gives(sys!(libc::SYS_utimensat, folder(g)?, c"inside".as_ptr(), 0, 0))
        })
        .granted(readable),
        attack("granted_truncate", "ftruncate", "empty a file that is open for reading", |g| {
            gives(sys!(libc::SYS_ftruncate, openat2(folder(g)?, c"inside", O_RDONLY)?, 0))
        })
        .granted(readable)
        .stopped_anyway("the kernel does not let a file be emptied that is not open for writing"),
        reads(attack("granted_ancestor", "", "hold what is above by many steps up, and stat it", |g| {
            let mut buffer = [0u64; 64];
            let held = openat2(folder(g)?, c"../../../../../../../../usr/bin", O_PATH)?;
            gives(sys!(libc::SYS_fstat, held, buffer.as_mut_ptr()))
        })),
        writes(attack("granted_ancestor_named", "", "stat what is above by its name", |g| {
            let mut buffer = [0u64; 64];
            let path = c"../../../../../../../../usr/bin";
            gives(sys!(libc::SYS_newfstatat, folder(g)?, path.as_ptr(), buffer.as_mut_ptr(), 0))
        })),
        writes(attack("granted_times_above", "", "change times of what is above", |g| {
            gives(sys!(libc::SYS_utimensat, folder(g)?, c"../victim".as_ptr(), 0, 0))
        })),
        attack("granted_path_only", "openat", "hold what is above without opening it, and stat it", |g| {
            let (folder, mut buffer) = (folder(g)?, [0u64; 64]);
            let held = sys!(libc::SYS_openat, folder, c"../secret".as_ptr(), O_PATH | libc::O_NOFOLLOW, 0)?;
            gives(sys!(libc::SYS_fstat, held, buffer.as_mut_ptr()))
        })
        .granted(readable),
        attack("granted_through_link", "openat", "follow a link that leads outside", |g| {
            holds_secret(sys!(libc::SYS_openat, folder(g)?, c"relative".as_ptr(), O_RDONLY, 0)?)
        })
        .granted(readable),
        writes(attack("granted_link_in", "", "a second name inside for a file outside", |g| {
            let (at, outside) = (folder(g)?, g.outside("secret"));
            gives(sys!(libc::SYS_linkat, AT_FDCWD, outside.as_ptr(), at, c"stolen".as_ptr(), 0))
        })),
        writes(attack("granted_rename_out", "", "move a file out of it", |g| {
            let (at, outside) = (folder(g)?, g.outside("made"));
            gives(sys!(libc::SYS_renameat, at, c"inside".as_ptr(), AT_FDCWD, outside.as_ptr()))
        })),
        writes(attack("granted_rename_in", "", "move a file into it", |g| {
            let (at, outside) = (folder(g)?, g.outside("victim"));
            gives(sys!(libc::SYS_renameat, AT_FDCWD, outside.as_ptr(), at, c"stolen".as_ptr()))
        })),
        writes(attack("granted_unlink_above", "", "remove a file above it", |g| {
            gives(sys!(libc::SYS_unlinkat, folder(g)?, c"../victim".as_ptr(), 0))
        })),
        writes(attack("granted_link_then_open", "", "make a link that leads out, and follow it", |g| {
            let at = folder(g)?;
            sys!(libc::SYS_symlinkat, g.outside("secret").as_ptr(), at, c"made".as_ptr())?;
            holds_secret(openat2(at, c"made", O_RDONLY)?)
        })),
        attack("granted_device", "mknodat", "make a device in it, and open that", |g| {
            let device = libc::makedev(1, 3);
            let at = folder(g)?;
            sys!(libc::SYS_mknodat, at, c"made".as_ptr(), libc::S_IFCHR | 0o600, device)?;
            gives(openat2(at, c"made", O_RDWR))
        })
        .granted(writable),
        attack("granted_privileged_file", "fchmod", "leave a privileged program in it", |g| {
            let fd = openat2(folder(g)?, c"made", O_CREAT | O_WRONLY)?;
            gives(sys!(libc::SYS_fchmod, fd, 0o4755))
        })
        .granted(writable)
        .filter_only(),
        writes(attack("granted_privileged_from_start", "", "make a program that is privileged from the start", |g| {
            let how: [u64; 3] = [(O_CREAT | O_RDWR) as u64, 0o4755, 0];
            let fd = sys!(libc::SYS_openat2, folder(g)?, c"made".as_ptr(), how.as_ptr(), size_of_val(&how))?;
            sys!(libc::SYS_write, fd, c"program".as_ptr(), 7)?;
            // SAFETY: all-zero is a valid value, for the kernel to fill.
            let mut data: libc::stat = unsafe { std::mem::zeroed() };
            sys!(libc::SYS_fstat, fd, &raw mut data)?;
            match data.st_mode & 0o4000 {
                0 => refused("what is written is not privileged any more"),
                _ => escaped("there is one, with contents"),
            }
        })),
        reads(attack("granted_old_device", "", "open a device that is in it", |g| {
            if g.targets.without_device {
                return lacks("the right to make a device");
            }
            gives(openat2(folder(g)?, c"device", O_RDONLY))
        }))
        .needs_namespaces(Layer::Mount, "whoever grants the directory grants the device, where mounts have no flags"),
        attack("granted_many", "", "hold more descriptors than are granted", |g| {
            let at = folder(g)?;
            for _ in 0..g.plan.limits.descriptors + 100 {
                sys!(libc::SYS_fcntl, at, libc::F_DUPFD_CLOEXEC, 0)?;
            }
            escaped("there are more")
        })
        .granted(readable)
        .ends(End::Refused)
        .only(Layer::Rlimits),
        attack("granted_run", "mmap", "map a file of it as code", |g| {
            let fd = openat2(folder(g)?, c"inside", O_RDONLY)?;
            // SAFETY: a fresh mapping of a file.
            gives(check(unsafe {
                libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_EXEC, libc::MAP_PRIVATE, fd as i32, 0)
            } as i64))
        })
        .granted(readable),
        attack("granted_openat", "openat", "the call that cannot be told to stay beneath", |g| {
            let at = folder(g)?;
            holds_secret(sys!(libc::SYS_openat, at, c"../secret".as_ptr(), O_RDONLY)?)
        })
        .granted(readable),
        attack("granted_lease", "fcntl", "be told when others open a file: a lease", |g| {
            let fd = openat2(folder(g)?, c"inside", O_RDONLY)?;
            gives(sys!(libc::SYS_fcntl, fd, libc::F_SETLEASE, libc::F_RDLCK))
        })
        .granted(readable)
        .filter_only(),
    ]
}
