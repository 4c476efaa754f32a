//! The worker's standard streams. It never holds a terminal, or any descriptor of ours that could be written: its output comes through
//! pipes, and is counted here, whatever it counts itself.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};

const BUFFER: usize = 64 << 10;

/// Output on its way.
pub struct Streams {
    /// One word from each stream when it is at its end: whether all of it was allowed.
    ended: mpsc::Receiver<bool>,
    exceeded: OwnedFd,
    limit: u64,
}

impl Streams {
    /// Streams that let this many bytes out; and the worker's ends: input, output, errors.
    pub fn new(limit: u64) -> io::Result<(Self, [OwnedFd; 3])> {
        let (exceeded, tell) = pipe_with(PipeFlags::CLOEXEC)?;
        let tell = Arc::new(tell);
        let left = Arc::new(AtomicU64::new(limit));
        let (ended, all_ended) = mpsc::channel();
        let output = |to: OwnedFd| -> io::Result<OwnedFd> {
            let (from, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
            let (left, tell, ended) = (left.clone(), tell.clone(), ended.clone());
            let pump = move || {
                let allowed = pump_out(&from, &to, &left);
                if !allowed {
                    let _ = rustix::io::write(&*tell, b"x");
                }
                let _ = ended.send(allowed);
            };
            std::thread::Builder::new().name("pinfold-output".into()).stack_size(256 << 10).spawn(pump)?;
            Ok(theirs)
        };
        let stdin = input()?;
        let stdout = output(io::stdout().as_fd().try_clone_to_owned()?)?;
        let stderr = output(io::stderr().as_fd().try_clone_to_owned()?)?;
        Ok((Self { ended: all_ended, exceeded, limit }, [stdin, stdout, stderr]))
    }

    /// Can be read once too much came out.
    pub fn exceeded(&self) -> BorrowedFd<'_> {
        self.exceeded.as_fd()
    }

    /// Bytes that are allowed.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Waits until everything is out that is to come out, at most this long. `false` if that was more than is allowed.
    pub fn finish(&mut self, bound: Option<Duration>) -> bool {
        (0..2).all(|_| match bound {
            Some(bound) => self.ended.recv_timeout(bound).unwrap_or(true),
            None => self.ended.recv().unwrap_or(true),
        })
    }
}

/// Moves output until its end. `false` if there was more than was left.
fn pump_out(from: &OwnedFd, to: &OwnedFd, left: &AtomicU64) -> bool {
    let mut buffer = vec![0; BUFFER];
    loop {
        let len = match rustix::io::read(from, &mut buffer) {
            Ok(0) => return true,
            Ok(len) => len,
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return true,
        };
        let allowed =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(len as u64)));
        let allowed = allowed.unwrap_or(0).min(len as u64) as usize;
        let mut rest = buffer.get(..allowed).unwrap_or_default();
        while !rest.is_empty() {
            match rustix::io::write(to, rest) {
                Ok(done) => rest = rest.get(done..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                // Nobody reads any more: the worker learns it at its next write.
                Err(_) => return true,
            }
        }
        if allowed < len {
            return false;
        }
    }
}

/// What the worker reads. A pipe or a file is handed over as it is; a terminal is not: a program could push characters into it.
fn input() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if !io::IsTerminal::is_terminal(&stdin) {
        return stdin.as_fd().try_clone_to_owned();
    }
    let (theirs, to) = pipe_with(PipeFlags::CLOEXEC)?;
    let from = stdin.as_fd().try_clone_to_owned()?;
    let pump = move || {
        pump_out(&from, &to, &AtomicU64::new(u64::MAX));
    };
    std::thread::Builder::new().name("pinfold-input".into()).stack_size(256 << 10).spawn(pump)?;
    Ok(theirs)
}
