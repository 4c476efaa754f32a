//! What is left of a run when its verdict is known: a process that was killed, which the kernel takes a while to take apart, and its
//! cgroup, which can only be removed after that. Nobody needs to wait for either.

use std::any::Any;
use std::ffi::c_void;
use std::io::{self, Write};
use std::mem::{ManuallyDrop, MaybeUninit};
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
    /// Another process of the same run, which was killed too.
    beside: Option<Child>,
    cgroup: Option<Cgroup>,
    /// What else was open for it.
    held: Option<Box<dyn Any + Send>>,
    /// What is still to be done for runs that come later.
    later: Later,
}

/// What nobody waits for whose run has ended.
#[derive(Default)]
struct Later(Option<Box<dyn FnOnce() + Send>>);

impl Later {
    fn run(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}

impl std::fmt::Debug for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Later").field(&self.0.is_some()).finish()
    }
}

impl Remains {
    pub(super) fn new(child: Child, cgroup: Option<Cgroup>) -> Self {
        Self { child: Some(child), beside: None, cgroup, held: None, later: Later::default() }
    }

    /// Takes another process of the run, which was killed too.
    pub(super) fn and(&mut self, child: Child) {
        self.beside = Some(child);
    }

    /// Takes what else was open for the run.
    pub(super) fn hold(&mut self, held: impl Any + Send) {
        self.held = Some(Box::new(held));
    }

    /// Takes what is still to be done for later runs: when this is let go of, and where the process ends, in one that stays behind.
    pub fn later(&mut self, run: impl FnOnce() + Send + 'static) {
        self.later.0 = Some(Box::new(run));
    }

    /// Waits for the end of the process, once.
    pub(super) fn wait(&mut self) -> io::Result<(Exit, Usage)> {
        self.child.take().ok_or(io::ErrorKind::NotFound)?.wait_measured()
    }

    /// Whether the process has ended: nothing is waited for any more.
    pub fn is_gone(&self) -> bool {
        self.child.iter().chain(&self.beside).all(|child| has_ended(child, Duration::ZERO))
    }

    /// Its cgroup, if it has one.
    pub fn cgroup(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref()
    }

    /// Waits until nothing is left, for a process that ends soon, or runs another program next.
    pub fn finish(mut self) {
        self.later.run();
        // What is dropped then has no process in it any more.
        let _ = self.wait();
        let _ = self.beside.take().map(|child| child.wait());
    }

    /// Lets go of everything and ends this process with a code. Where something is left to be done, or the cgroup cannot be removed yet, a
    /// process stays behind that does only that.
    pub fn leave(mut self, code: u8) -> ! {
        // The kernel closes it, in the process that stays if there is one.
        std::mem::forget(self.held.take());
        let all = [self.child.take(), self.beside.take()];
        let cgroup = self.cgroup.take();
        match (self.later.0.take(), cgroup) {
            (Some(run), cgroup) => leave(move || {
                run();
                if let Some(cgroup) = cgroup {
                    tidy(&all, cgroup);
                }
            }),
            (None, Some(cgroup)) if all.iter().flatten().any(|child| !has_ended(child, Duration::ZERO)) => {
                leave_tidying(all, cgroup);
            }
            (None, _) => all.into_iter().flatten().for_each(|child| drop(child.wait())),
        }
        let _ = io::stdout().flush();
        // SAFETY: ends the process; memory need not be given back piece by piece.
        unsafe { libc::_exit(code.into()) }
    }
}

/// Has a cgroup removed, once these have ended, by a process that stays behind.
fn leave_tidying(all: [Option<Child>; 2], cgroup: Cgroup) {
    close_streams();
    let mut stack = ManuallyDrop::new(Vec::<MaybeUninit<u8>>::with_capacity(STACK));
    let remains = Box::into_raw(Box::new((all, cgroup)));
    // SAFETY: the new process shares this memory, in which nothing of what it uses is given back, and makes system calls only.
    let made = unsafe {
        libc::clone(tidy_and_end, stack.spare_capacity_mut().as_mut_ptr_range().end.cast(), FLAGS, remains.cast())
    };
    if made == -1 {
        // SAFETY: there is no process that uses it.
        let (all, cgroup) = *unsafe { Box::from_raw(remains) };
        tidy(&all, cgroup);
    }
}

/// Has something done by a process that stays behind, in a copy of this one's memory; if there can be none, by this one.
fn leave(run: impl FnOnce()) {
    // What it has is the other process's then, and there alone to be removed or finished.
    let run = ManuallyDrop::new(run);
    // SAFETY: of this process, no other thread is in the middle of anything that is waited for: those that helped with the run have ended.
    match unsafe { libc::fork() } {
        0 => {
            close_streams();
            // SAFETY: a plain call. What is meant for those that have the terminal does not concern it.
            unsafe { libc::setsid() };
            // Whatever becomes of it, this process has nothing else to do, and is not to run what its parent would.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(ManuallyDrop::into_inner(run)));
            // SAFETY: ends this process alone.
            unsafe { libc::_exit(0) }
        }
        -1 => ManuallyDrop::into_inner(run)(),
        _ => {}
    }
}

/// Whoever reads what came out is not to wait for another process.
fn close_streams() {
    // SAFETY: nobody uses the standard streams any more.
    (0..=2).for_each(|stream| unsafe {
        libc::close(stream);
    });
}

/// Memory is shared, which spares copying it; descriptors are copied.
const FLAGS: libc::c_int = libc::CLONE_VM | libc::SIGCHLD;
const STACK: usize = 64 << 10;

/// What the process that stays behind does. What it is given is never freed.
extern "C" fn tidy_and_end(remains: *mut c_void) -> libc::c_int {
    // SAFETY: whoever made this process gave it this, and does not use it.
    let (all, cgroup) = unsafe { remains.cast::<([Option<Child>; 2], Cgroup)>().read() };
    tidy(&all, cgroup);
    // SAFETY: ends this process alone.
    unsafe { libc::_exit(0) }
}

/// Removes a cgroup once these have ended.
fn tidy(all: &[Option<Child>; 2], cgroup: Cgroup) {
    all.iter().flatten().for_each(|child| {
        has_ended(child, PATIENCE);
    });
    cgroup.remove();
}

/// Whether a process has ended, after this long at most.
pub(super) fn has_ended(child: &Child, timeout: Duration) -> bool {
    let mut process = [PollFd::new(child, PollFlags::IN)];
    super::wait(&mut process, Some(timeout)).is_ok() && !process[0].revents().is_empty()
}

impl Drop for Remains {
    /// A host that runs many programs would otherwise be left with an entry in the process table for each.
    fn drop(&mut self) {
        self.later.run();
        let all = [self.child.take(), self.beside.take()];
        if all.iter().all(Option::is_none) {
            return;
        }
        let cgroup = self.cgroup.take();
        let wait = move || {
            all.into_iter().flatten().for_each(|child| drop(child.wait()));
            drop(cgroup);
        };
        // Without a thread for it the entry stays until this process ends.
        let _ = std::thread::Builder::new().name("pinfold-reaper".into()).stack_size(64 << 10).spawn(wait);
    }
}
