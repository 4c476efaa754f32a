//! What this host can give, found by trying: a kernel that knows a layer may still be told not to give it.

use std::io;

use crate::cgroup::{Cgroup, Controller};
use crate::error::check;
use crate::inside;
use crate::namespaces::Identity;
use crate::plan::{Layer, Layers, Limits, Plan};
use crate::seccomp::{Filter, Refusal};
use crate::{capabilities, landlock, namespaces, rlimits};

/// What became of trying a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It holds; with what there is to say about it.
    Works(String),
    /// It cannot be had, and why; limits of the process stand in.
    Replaced(String),
    /// It cannot be had, and why.
    Missing(String),
}

impl Found {
    /// Whether there is nothing to do without.
    pub fn works(&self) -> bool {
        !matches!(self, Self::Missing(_))
    }
}

/// Tries every layer in a process of its own, each beside those that it needs. The calling process must have one thread.
pub fn all() -> Vec<(Layer, Found)> {
    Layer::ALL.iter().map(|layer| (*layer, one(*layer))).collect()
}

/// Tries a layer.
pub fn one(layer: Layer) -> Found {
    let tried = match layer {
        Layer::Cgroup => return cgroup(),
        Layer::User => namespace(layer, Layers::NONE.with(layer)),
        Layer::Mount | Layer::Pid | Layer::Net | Layer::Ipc | Layer::Uts | Layer::CgroupNs => {
            namespace(layer, beside(layer))
        }
        Layer::Rlimits => in_child(|| rlimits::set(&limits()).map_err(|error| error.error)),
        Layer::Capabilities => in_child(|| capabilities::drop_all().map_err(|error| error.error)),
        Layer::NoNewPrivileges => in_child(|| {
            capabilities::no_new_privileges().and_then(|()| capabilities::not_dumpable()).map_err(|error| error.error)
        }),
        Layer::Landlock => match landlock::version() {
            0 => Err("the kernel has none".into()),
            _ => in_child(|| {
                capabilities::no_new_privileges().map_err(|error| error.error)?;
                landlock::restrict(std::iter::empty()).map_err(|error| error.error)
            }),
        },
        Layer::Seccomp => in_child(|| {
            capabilities::no_new_privileges().map_err(|error| error.error)?;
            let mut filter = Filter::new();
            ["exit_group", "write", "futex"]
                .iter()
                .try_for_each(|name| filter.allow(name, "probe"))
                .map_err(io::Error::other)?;
            filter.install(Refusal::Notify).map(std::mem::forget)
        }),
    };
    match tried {
        Ok(()) => Found::Works(detail(layer)),
        Err(why) => Found::Missing(match forbidden(layer) {
            Some(by) => format!("{why}: {by}"),
            None => why,
        }),
    }
}

/// Makes a group with all controllers that there are, and puts a process in.
fn cgroup() -> Found {
    let cgroup = match Cgroup::with(&limits(), Controller::ALL) {
        Ok(cgroup) => cgroup,
        Err(why) => return Found::Replaced(why.to_string()),
    };
    match in_child(|| cgroup.limit().map_err(|error| error.error).and_then(|()| cgroup.enter())) {
        Ok(()) if cgroup.missing().is_empty() => Found::Works(cgroup.to_string()),
        Ok(()) => Found::Works(format!("{cgroup} ({})", cgroup.missing().join("; "))),
        Err(why) => Found::Missing(why),
    }
}

/// A namespace with the one by which ordinary users have it, if that can be had.
fn beside(layer: Layer) -> Layers {
    let alone = Layers::NONE.with(layer);
    if namespace(Layer::User, Layers::NONE.with(Layer::User)).is_ok() { alone.with(Layer::User) } else { alone }
}

fn detail(layer: Layer) -> String {
    match layer {
        Layer::Landlock => {
            let errata = landlock::errata().map(|errata| format!(", errata {errata:#x} mended"));
            format!("version {} of its interface{}", landlock::version(), errata.unwrap_or_default())
        }
        Layer::Seccomp => format!("actions: {}", actions().join(", ")),
        Layer::User if rustix::process::geteuid().is_root() => "made by root".into(),
        Layer::User => "made by an ordinary user".into(),
        _ => String::new(),
    }
}

/// What an administrator set that forbids namespaces to ordinary users.
fn forbidden(layer: Layer) -> Option<String> {
    const SETTINGS: [(&str, &str, &str); 3] = [
        ("user/max_user_namespaces", "0", "user.max_user_namespaces"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns"),
    ];
    let is_set = |file: &str, value: &str| {
        std::fs::read_to_string(format!("/proc/sys/{file}")).is_ok_and(|text| text.trim() == value)
    };
    let found = SETTINGS.iter().find(|(file, value, _)| Layer::NAMESPACES.contains(&layer) && is_set(file, value));
    found.map(|(_, value, name)| format!("the administrator has set {name} = {value}"))
}

/// What the kernel can do about a call, of what is asked for here.
fn actions() -> Vec<&'static str> {
    const ACTIONS: [(u32, &str); 3] = [
        (libc::SECCOMP_RET_USER_NOTIF, "notify"),
        (libc::SECCOMP_RET_KILL_PROCESS, "kill"),
        (libc::SECCOMP_RET_ERRNO, "fail"),
    ];
    let is_there = |action: u32| {
        // SAFETY: a valid place for the action.
        let asked = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
        asked == 0
    };
    ACTIONS.iter().filter(|(action, _)| is_there(*action)).map(|(_, name)| *name).collect()
}

fn limits() -> Limits {
    Limits { memory: 1 << 30, descriptors: 64, processes: 64, cpu_time: None, cpu_percent: None }
}

/// Makes a process in namespaces of its own, which does in them what a worker does.
fn namespace(layer: Layer, layers: Layers) -> Result<(), String> {
    let identity = layers.has(Layer::User).then(Identity::of_maker);
    let work = move || -> io::Result<()> {
        identity.as_ref().map_or(Ok(()), Identity::take).map_err(|(_, error)| error)?;
        if layer == Layer::Mount {
            let plan = Plan {
                layers: Layers::NONE.with(Layer::Mount),
                directories: Vec::new(),
                syscalls: Vec::new(),
                refusal: Refusal::Kill,
                limits: limits(),
            };
            inside::enter(&plan).map_err(|error| error.error)?;
        }
        if layer == Layer::Uts {
            namespaces::set_host_name().map_err(|error| error.error)?;
        }
        Ok(())
    };
    let flags = namespaces::clone_flags(layers) as i32 | libc::SIGCHLD;
    // SAFETY: without shared memory this is a fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if pid == 0 {
        end(&work());
    }
    wait(check(pid).map_err(|error| error.to_string())? as i32)
}

/// Does something in a process of its own.
fn in_child(work: impl FnOnce() -> io::Result<()>) -> Result<(), String> {
    // SAFETY: the calling process has one thread, so the child can do what this process can.
    match unsafe { libc::fork() } {
        0 => end(&work()),
        pid => wait(check(pid).map_err(|error| error.to_string())? as i32),
    }
}

/// Ends a child with what became of its work.
fn end(result: &io::Result<()>) -> ! {
    let code = match result {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().filter(|code| (1..255).contains(code)).unwrap_or(255),
    };
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

fn wait(pid: i32) -> Result<(), String> {
    let mut status = 0;
    // SAFETY: a valid place for the answer.
    check(unsafe { libc::waitpid(pid, &mut status, 0) }).map_err(|error| error.to_string())?;
    match (libc::WIFEXITED(status), libc::WEXITSTATUS(status)) {
        (true, 0) => Ok(()),
        (true, 255) => Err("it failed".into()),
        (true, code) => Err(io::Error::from_raw_os_error(code).to_string()),
        (false, _) => Err(format!("the process was killed by signal {}", libc::WTERMSIG(status))),
    }
}
