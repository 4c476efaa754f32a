//! Ctrl-C while a program runs.
//!
//! Python's own handler only notes a signal; the exception is raised by the main thread when it runs Python again, which it would do after
//! the program. So while the main thread runs one, signals are also written to a pipe (`signal.set_wakeup_fd`), and a thread that reads it
//! cancels what runs. Then Python raises what its handler says: `KeyboardInterrupt`, unless the host has another one.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use pinfold::Cancel;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyModule};
use rustix::pipe::{PipeFlags, pipe_with};

/// Ctrl-C, as it is written to the pipe.
const SIGINT: u8 = 2;

/// What the thread looks at.
struct Watched {
    /// The process, since a copy of one has no such thread.
    process: u32,
    pipe: OwnedFd,
    /// What the main thread runs, the innermost last.
    running: Vec<Cancel>,
    /// Where signals were written before, and still are.
    before: RawFd,
}

static WATCHED: Mutex<Option<Watched>> = Mutex::new(None);

/// Runs something without Python's lock. On the main thread, Ctrl-C cancels it.
///
/// # Errors
/// What a handler of signals raises.
pub fn watched<R: Send>(py: Python<'_>, run: impl FnOnce(&Cancel) -> R + Send) -> PyResult<R> {
    let cancel = Cancel::new();
    let signal = PyModule::import(py, "signal")?;
    let wake = |fd: RawFd| -> PyResult<RawFd> {
        let quietly = [("warn_on_full_buffer", false)].into_py_dict(py)?;
        signal.call_method("set_wakeup_fd", (fd,), Some(&quietly))?.extract()
    };
    // Only the main thread may, and only it is told of signals.
    let pipe = ready().map_err(PyOSError::new_err)?;
    let Ok(before) = wake(pipe) else { return Ok(py.detach(|| run(&cancel))) };
    enter(&cancel, before, pipe);
    // A signal from before was not written there.
    let noted = py.check_signals();
    let result = noted.map(|()| py.detach(|| run(&cancel)));
    leave();
    wake(before)?;
    py.check_signals()?;
    result
}

/// The end of the pipe that signals are to be written to; starts the thread, if there is none.
fn ready() -> io::Result<RawFd> {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watched) = watched.as_ref().filter(|watched| watched.process == std::process::id()) {
        return Ok(watched.pipe.as_raw_fd());
    }
    let (reader, pipe) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::fs::fcntl_setfl(&pipe, rustix::fs::OFlags::NONBLOCK)?;
    std::thread::Builder::new().name("pinfold-signals".into()).spawn(move || watch(reader.as_fd()))?;
    let number = pipe.as_raw_fd();
    *watched = Some(Watched { process: std::process::id(), pipe, running: Vec::new(), before: -1 });
    Ok(number)
}

/// Cancels what runs, at each Ctrl-C.
fn watch(pipe: BorrowedFd<'_>) {
    let mut byte = [0];
    loop {
        match rustix::io::read(pipe, &mut byte) {
            Ok(1) => signalled(byte[0]),
            Err(rustix::io::Errno::INTR) => {}
            // Nobody writes any more.
            _ => return,
        }
    }
}

fn signalled(signal: u8) {
    let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(watched) = watched.as_ref() else { return };
    if signal == SIGINT {
        watched.running.iter().for_each(Cancel::cancel);
    }
    if watched.before >= 0 {
        // SAFETY: whoever set it keeps it open as long as it is set, which it is again before that one can take it back.
        let before = unsafe { BorrowedFd::borrow_raw(watched.before) };
        // It may be full; then whoever reads it knows already.
        let _ = rustix::io::write(before, &[signal]);
    }
}

fn enter(cancel: &Cancel, before: RawFd, pipe: RawFd) {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watched) = watched.as_mut() {
        watched.running.push(cancel.clone());
        // Further up on this thread it is the pipe itself.
        if before != pipe {
            watched.before = before;
        }
    }
}

fn leave() {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watched) = watched.as_mut() {
        watched.running.pop();
        if watched.running.is_empty() {
            watched.before = -1;
        }
    }
}
