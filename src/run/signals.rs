//! Ctrl-C and SIGTERM end the program cleanly, wherever it is.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use pinfold_vm::api::InterruptHandle;

static RECEIVED: AtomicI32 = AtomicI32::new(0);

/// How long a program that was asked to stop may take to do so.
const PATIENCE: Duration = Duration::from_millis(500);

/// The signal that asked for the end, if one did.
pub fn received() -> Option<i32> {
    Some(RECEIVED.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
}

/// Watches for signals on a thread of its own from now on.
pub fn watch(handle: InterruptHandle) {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: plain calls on a set of our own. Threads started from now on inherit the mask.
    let set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGINT);
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
        set.assume_init()
    };
    let wait = move || {
        let mut signal = 0;
        // SAFETY: waits for the signals of the set.
        if unsafe { libc::sigwait(&set, &mut signal) } != 0 {
            return;
        }
        RECEIVED.store(signal, Ordering::Relaxed);
        handle.interrupt();
        std::thread::sleep(PATIENCE);
        // SAFETY: ends the process; the guest did not stop, so nothing else can.
        unsafe { libc::_exit(128 + signal) };
    };
    let thread = std::thread::Builder::new().name("pinfold-signals".into()).stack_size(64 << 10).spawn(wait);
    if thread.is_err() {
        // Without the thread the signals must keep their default action, which ends the process.
        // SAFETY: as above.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut()) };
    }
}
