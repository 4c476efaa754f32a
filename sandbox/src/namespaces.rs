//! Namespaces: which a process is made with, and who it is in them.

use std::arch::asm;
use std::ffi::CStr;
use std::io;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use crate::clone::{CLONE_CLEAR_SIGHAND, CloneArgs};
use crate::error::{Context, LayerError, check};
use crate::plan::{Layer, Layers};

/// The flags by which a process is made in namespaces of its own.
pub fn clone_flags(layers: Layers) -> u64 {
    layers.iter().fold(0, |flags, layer| flags | layer.clone_flag())
}

/// What says who a process in a user namespace is, in this order, each with what is done there.
pub const IDENTITY: [(&CStr, &str); 3] = [
    // Groups could take rights away, so they must not be given up by an ordinary user.
    (c"/proc/self/setgroups", "deny groups"),
    (c"/proc/self/uid_map", "map the user"),
    (c"/proc/self/gid_map", "map the group"),
];

/// Who a process in a new user namespace is: root there, whoever made it outside, and nobody else exists.
pub struct Identity([String; 3]);

impl Identity {
    /// Of a process whose maker is the calling one.
    pub fn of_maker() -> Self {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self(["deny".to_owned(), format!("0 {uid} 1"), format!("0 {gid} 1")])
    }

    /// Takes it, as that process, by system calls alone.
    ///
    /// # Errors
    /// Which of [`IDENTITY`] failed, and why.
    pub fn take(&self) -> Result<(), (usize, io::Error)> {
        for (index, ((file, _), text)) in IDENTITY.iter().zip(&self.0).enumerate() {
            let write = || {
                let file = rustix::fs::open(*file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
                rustix::io::write(&file, text.as_bytes())
            };
            match write() {
                // Kernels before 3.19.
                Err(Errno::NOENT) if index == 0 => {}
                Err(error) => return Err((index, error.into())),
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

/// Takes the host's name away.
pub fn set_host_name() -> Result<(), LayerError> {
    rustix::system::sethostname(b"pinfold").context(Layer::Uts, "set the host name")?;
    rustix::system::setdomainname(b"").context(Layer::Uts, "set the domain name")
}

/// Lets a helper make a network namespace: that takes the kernel longer than all other namespaces together, and as long as the
/// program takes to start, which can go on meanwhile. [`Network::enter`] takes it over. Without a helper nothing is lost but time.
///
/// The helper shares the memory of the process that makes it, perhaps with others, for as long as it lives, and never touches it: it has no
/// stack of its own, uses none, and handles no signals. It makes the namespace and stops in it.
pub fn prepare_network() {
    let how = CloneArgs {
        flags: libc::CLONE_VM as u64 | CLONE_CLEAR_SIGHAND,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    // SAFETY: the new process makes system calls, with numbers for arguments, and ends. The calling one goes on with what the kernel says.
    unsafe {
        asm!(
            "syscall",
            "test eax, eax",
            "jnz 2f",
            "mov eax, {prctl}",
            "mov edi, {pdeathsig}",
            "mov esi, {kill_signal}",
            "syscall",
            // What whoever waits for an end of file waits for.
            "mov eax, {close_range}",
            "xor edi, edi",
            "mov esi, -1",
            "xor edx, edx",
            "syscall",
            "test eax, eax",
            "jnz 3f",
            "mov eax, {unshare}",
            "mov edi, {network}",
            "syscall",
            "test eax, eax",
            "jnz 3f",
            "mov eax, {getpid}",
            "syscall",
            "mov edi, eax",
            "mov eax, {kill}",
            "mov esi, {stop_signal}",
            "syscall",
            "3:",
            "mov eax, {exit}",
            "mov edi, 1",
            "syscall",
            "jmp 3b",
            "2:",
            prctl = const libc::SYS_prctl,
            pdeathsig = const libc::PR_SET_PDEATHSIG,
            kill_signal = const libc::SIGKILL,
            close_range = const libc::SYS_close_range,
            unshare = const libc::SYS_unshare,
            network = const libc::CLONE_NEWNET,
            getpid = const libc::SYS_getpid,
            kill = const libc::SYS_kill,
            stop_signal = const libc::SIGSTOP,
            exit = const libc::SYS_exit_group,
            inlateout("rax") libc::SYS_clone3 => _,
            in("rdi") &raw const how,
            in("rsi") size_of::<CloneArgs>(),
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
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
