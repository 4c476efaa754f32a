//! What the supervisor is told of calls that the filter refused.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use crate::error::check;
use crate::names;

/// A system call that no rule allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The kernel's number for this attempt.
    #[serde(skip)]
    id: u64,
    /// Its number.
    pub number: i32,
    /// Its name, if it is one of this architecture's calls.
    pub name: Option<String>,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// Where it was made.
    pub instruction: u64,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "system call {}", self.number)?,
        }
        let [a, b, c, d, e, g] = self.arguments;
        write!(f, "({a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}, {g:#x})")
    }
}

/// The supervisor's end of a filter that notifies.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// From the descriptor that installing the filter gave; `None` if it is no listener.
    pub fn new(fd: OwnedFd) -> Option<Self> {
        let no_call = 0u64;
        // SAFETY: a number that stands for no call; a listener says that there is none such, all others that they know no such command.
        let asked = unsafe { libc::ioctl(fd.as_raw_fd(), SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const no_call) };
        let is_listener = matches!(check(asked), Err(error) if error.raw_os_error() == Some(libc::ENOENT));
        is_listener.then_some(Self(fd))
    }

    /// The call that waits for an answer. Unless it is [permitted](Self::permit) it gets none: the process is to be killed. `None` if it
    /// is gone already.
    pub fn receive(&self) -> io::Result<Option<Violation>> {
        // SAFETY: all-zero is what the kernel wants to see.
        let mut notification: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: a listener of ours and a valid place for the answer.
        let received = unsafe { libc::ioctl(self.0.as_raw_fd(), SECCOMP_IOCTL_NOTIF_RECV, &raw mut notification) };
        match check(received) {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
            Err(error) => return Err(error),
        }
        let data = notification.data;
        Ok(Some(Violation {
            id: notification.id,
            number: data.nr,
            name: names::of(data.nr).map(str::to_owned),
            arguments: data.args,
            instruction: data.instruction_pointer,
        }))
    }

    /// Lets a call be made after all. Only for one without pointers: what they point to could be changed meanwhile.
    pub fn permit(&self, call: &Violation) -> io::Result<()> {
        let flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
        let answer = libc::seccomp_notif_resp { id: call.id, val: 0, error: 0, flags };
        // SAFETY: a listener of ours and a valid answer.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) }).map(drop)
    }
}

impl Violation {
    /// Whether this is the last wall that a worker puts up itself (see [`inside::seal`](crate::inside::seal)). Its arguments are numbers:
    /// what is seen of them is what the kernel will take.
    pub fn is_seal(&self) -> bool {
        i64::from(self.number) == libc::SYS_prctl && self.arguments[..2] == [libc::PR_SET_DUMPABLE as u64, 0]
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `SECCOMP_IOWR(1, struct seccomp_notif_resp)`
const SECCOMP_IOCTL_NOTIF_SEND: libc::c_ulong =
    0xc000_2101 | (size_of::<libc::seccomp_notif_resp>() as libc::c_ulong) << 16;
/// `SECCOMP_IOWR(0, struct seccomp_notif)`
const SECCOMP_IOCTL_NOTIF_RECV: libc::c_ulong = 0xc000_2100 | (size_of::<libc::seccomp_notif>() as libc::c_ulong) << 16;
/// `SECCOMP_IOW(2, __u64)`
const SECCOMP_IOCTL_NOTIF_ID_VALID: libc::c_ulong = 0x4008_2102;
