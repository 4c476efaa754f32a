//! Namespaces: which a process is made with, and who it is in them.

use std::ffi::c_void;
use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use crate::error::{Context, LayerError, check};
use crate::plan::{Layer, Layers};

/// The flags by which a process is made in namespaces of its own.
pub fn clone_flags(layers: Layers) -> u64 {
    layers.iter().fold(0, |flags, layer| flags | layer.clone_flag())
}

/// Says who a process in a new user namespace is: root there, whoever made it outside, and nobody else exists.
pub fn map_identity(pid: i32) -> Result<(), LayerError> {
    let write = |file: &str, text: String| fs::write(format!("/proc/{pid}/{file}"), text);
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    // Groups could take rights away, so they must not be given up by an ordinary user.
    match write("setgroups", "deny".into()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).context(Layer::User, "deny groups"),
        _ => {}
    }
    write("uid_map", format!("0 {} 1", uid.as_raw())).context(Layer::User, "map the user")?;
    write("gid_map", format!("0 {} 1", gid.as_raw())).context(Layer::User, "map the group")
}

/// Takes the host's name away.
pub fn set_host_name() -> Result<(), LayerError> {
    rustix::system::sethostname(b"pinfold").context(Layer::Uts, "set the host name")?;
    rustix::system::setdomainname(b"").context(Layer::Uts, "set the domain name")
}

/// Bytes of stack that [`prepare_network`] needs.
pub const NETWORK_STACK: usize = 16 << 10;

/// Lets a helper make a network namespace: that takes the kernel longer than all other namespaces together, and longer than the
/// program takes to start, which can go on meanwhile. [`Network::enter`] takes it over. Without a helper nothing is lost but time.
///
/// # Safety
/// The calling process was just forked, and has one thread. `stack` is the end of [`NETWORK_STACK`] bytes that nobody else uses.
pub unsafe fn prepare_network(stack: *mut u8) {
    // SAFETY: the helper shares this memory until the calling process runs another program, and uses the stack and system calls only.
    unsafe { libc::clone(make_network, stack.cast(), libc::CLONE_VM | libc::SIGCHLD, std::ptr::null_mut()) };
}

/// The helper: makes the namespace, and stops in it.
extern "C" fn make_network(_: *mut c_void) -> libc::c_int {
    // SAFETY: plain system calls. The error number is shared with the process that made this one; it asks for it only to give up.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // What whoever waits for an end of file waits for.
        if libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) == 0 && libc::unshare(libc::CLONE_NEWNET) == 0 {
            libc::kill(libc::getpid(), libc::SIGSTOP);
        }
        libc::_exit(1)
    }
}

/// The helper that made the network namespace which this process is in.
#[must_use]
pub struct Network(Option<Pid>);

impl Network {
    /// Enters the network namespace that a helper has prepared, or makes one.
    ///
    /// # Errors
    /// If there can be none.
    pub fn enter() -> Result<Self, LayerError> {
        let layer = Layer::Net;
        let helper = stopped_child().context(layer, "wait for whoever makes it")?;
        let follow = |helper| -> io::Result<()> {
            let helper = rustix::process::pidfd_open(helper, PidfdFlags::empty())?;
            let fd = std::os::fd::AsRawFd::as_raw_fd(&helper);
            // SAFETY: a descriptor of ours.
            check(unsafe { libc::setns(fd, libc::CLONE_NEWNET) }).map(drop)
        };
        if helper.is_none_or(|helper| follow(helper).is_err()) {
            // SAFETY: takes flags.
            check(unsafe { libc::unshare(libc::CLONE_NEWNET) }).context(layer, "make a network namespace")?;
        }
        if let Some(helper) = helper {
            rustix::process::kill_process(helper, Signal::KILL).context(layer, "end whoever made it")?;
        }
        Ok(Self(helper))
    }

    /// Waits until the helper is gone.
    ///
    /// # Errors
    /// If that cannot be seen.
    pub fn leave(self) -> Result<(), LayerError> {
        let Some(helper) = self.0 else { return Ok(()) };
        rustix::process::waitid(WaitId::Pid(helper), WaitIdOptions::EXITED)
            .context(Layer::Net, "wait for the end of whoever made it")?;
        Ok(())
    }
}

/// Waits for a child to stop; `None` if there is none, or it ended.
fn stopped_child() -> io::Result<Option<Pid>> {
    // SAFETY: all-zero is a valid value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: a valid place for the answer.
    match check(unsafe { libc::waitid(libc::P_ALL, 0, &mut info, libc::WEXITED | libc::WSTOPPED) }) {
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        Err(error) => Err(error),
        Ok(_) if info.si_code != libc::CLD_STOPPED => Ok(None),
        // SAFETY: the kernel filled it in for a child.
        Ok(_) => Ok(Pid::from_raw(unsafe { info.si_pid() })),
    }
}
