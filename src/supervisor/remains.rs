//! What is left of a run when its verdict is known: a process that was killed, which the kernel takes a while to take apart, and its
//! cgroup, which can only be removed after that. Nobody needs to wait for either.

use std::io;
use std::time::Duration;

use pinfold_sandbox::{Cgroup, Child, Exit, Usage};
use rustix::event::{PollFd, PollFlags};

/// How long the end of a killed process is waited for, before its cgroup is left to be swept by another run.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that was killed, and its cgroup. When this is dropped a thread waits for the end, and tidies up.
#[derive(Debug)]
pub struct Remains {
    /// None once it was waited for.
    child: Option<Child>,
    cgroup: Option<Cgroup>,
}

impl Remains {
    pub(super) fn new(child: Child, cgroup: Option<Cgroup>) -> Self {
        Self { child: Some(child), cgroup }
    }

    /// Waits for the end of the process, once.
    pub(super) fn wait(&mut self) -> io::Result<(Exit, Usage)> {
        self.child.take().ok_or(io::ErrorKind::NotFound)?.wait_measured()
    }

    /// Its cgroup, if it has one.
    pub fn cgroup(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref()
    }

    /// Lets go of everything, for a process that ends now: nothing may be written any more. Where the cgroup cannot be removed yet, a
    /// process stays behind that does only that.
    pub fn leave(mut self) {
        let (Some(cgroup), Some(child)) = (self.cgroup.take(), self.child.take()) else { return };
        if has_ended(&child, Duration::ZERO) {
            let _ = child.wait();
            return;
        }
        // Whoever reads what came out is not to wait for the other process.
        // SAFETY: nobody uses the standard streams any more.
        (0..=2).for_each(|stream| unsafe {
            libc::close(stream);
        });
        // SAFETY: the new process makes system calls only.
        match unsafe { libc::fork() } {
            0 => {
                has_ended(&child, PATIENCE);
                cgroup.remove();
                // SAFETY: ends the process, without anything that another thread could have been in the middle of.
                unsafe { libc::_exit(0) }
            }
            -1 => drop(Self::new(child, Some(cgroup))),
            // It is the other's to remove.
            _ => std::mem::forget(cgroup),
        }
    }
}

/// Whether a process has ended, after this long at most.
fn has_ended(child: &Child, timeout: Duration) -> bool {
    let mut process = [PollFd::new(child, PollFlags::IN)];
    super::wait(&mut process, Some(timeout)).is_ok() && !process[0].revents().is_empty()
}

impl Drop for Remains {
    /// A host that runs many programs would otherwise be left with an entry in the process table for each.
    fn drop(&mut self) {
        let Some(child) = self.child.take() else { return };
        let cgroup = self.cgroup.take();
        let wait = move || {
            let _ = child.wait();
            drop(cgroup);
        };
        // Without a thread for it the entry stays until this process ends.
        let _ = std::thread::Builder::new().name("pinfold-reaper".into()).stack_size(64 << 10).spawn(wait);
    }
}
