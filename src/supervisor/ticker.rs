//! The clock of a worker whose program is profiled: tells it again and again to take a sample.
//!
//! A worker could not do so itself: what a signal takes is no system call of its filter.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use pinfold_sandbox::Child;
use rustix::process::{Signal, pidfd_send_signal};

/// What a profile takes.
pub struct Profiling {
    /// Where the worker writes it: see [`profile`](crate::profile).
    pub room: File,
    /// How long between two samples.
    pub interval: Duration,
}

/// The thread that ticks. It stops when this goes.
pub(super) struct Ticker {
    _stop: Sender<()>,
}

impl Ticker {
    /// Starts it, for a worker that takes the signal.
    pub fn start(child: &Child, interval: Duration) -> io::Result<Self> {
        let process = child.as_fd().try_clone_to_owned()?;
        let (stop, stopped) = channel::<()>();
        let tick = move || {
            // Until the worker is gone, or nobody wants to know any more.
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) && send(&process) {}
        };
        std::thread::Builder::new().name("pinfold-ticker".into()).stack_size(64 << 10).spawn(tick)?;
        Ok(Self { _stop: stop })
    }
}

/// Whether the process is there.
fn send(process: &OwnedFd) -> bool {
    pidfd_send_signal(process, Signal::PROF).is_ok()
}
