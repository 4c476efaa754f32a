//! Signals that end a run.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The signals that end a run: read, not taken, from now on.
pub struct Signals(OwnedFd);

/// Has the signals that end a run wait until it looks for them, for this thread and those that it starts from now on; which they are. For a host
/// that starts threads before it starts a run.
pub fn block_signals() -> libc::sigset_t {
    // SAFETY: plain calls on a set of our own.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(&mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        set
    }
}

impl Signals {
    /// Blocks them, and reads them from now on.
    pub fn take() -> io::Result<Self> {
        let set = block_signals();
        // SAFETY: a plain call on a set of our own.
        let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next one that has come.
    pub fn receive(&self) -> io::Result<i32> {
        // SAFETY: all-zero is a valid value.
        let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        // SAFETY: a descriptor of ours and a valid place for the answer.
        let read = unsafe { libc::read(self.0.as_raw_fd(), (&raw mut info).cast(), size_of_val(&info)) };
        if read < 0 { Err(io::Error::last_os_error()) } else { Ok(info.ssi_signo as i32) }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
