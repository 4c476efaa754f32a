//! Talking with the worker of a session: one request, one reply, as often as somebody asks.
//!
//! The supervisor runs in a thread of its own and passes on what goes to and fro. What the worker writes meanwhile is out before its reply is
//! told. An entry that runs too long, or that Ctrl-C is pressed for, is asked to stop as a run is; a worker that does not is ended, and
//! the session with it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pinfold_vm::module::Bytes;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::clock::Over;
use super::{Bounds, Outcome, Signals, SupervisorError, Verdict, Wanted, observe};
use crate::job::{Job, LARGEST_MESSAGE, Reply, Request};

/// A session, as whoever asks sees it.
pub struct Session {
    requests: Option<File>,
    replies: Receiver<Replied>,
    supervisor: Option<JoinHandle<Result<Outcome, SupervisorError>>>,
}

/// A reply, and whether the entry was stopped.
#[derive(Debug)]
pub struct Replied {
    /// What the worker told.
    pub reply: Reply,
    /// Why it was asked to stop, if it was.
    pub stopped: Option<Stopped>,
}

/// Why an entry was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its time was over.
    Time,
    /// Somebody pressed Ctrl-C.
    Interrupt,
}

impl Session {
    /// Starts a worker. `bounds` are those of each entry. Whoever asks may be waiting for a person, and hears of nothing then: a signal that is
    /// to end the process does so by `interrupted`, once nothing is left of the worker.
    ///
    /// # Errors
    /// If it cannot be watched; that it cannot be started, the first question tells.
    pub fn start(job: Job, bounds: Bounds, interrupted: fn(i32) -> !) -> Result<Self, SupervisorError> {
        // Signals are for the supervisor, not for this thread.
        drop(Signals::take()?);
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (ours, theirs) = pair.map_err(io::Error::from)?;
        let (sender, replies) = channel();
        let conversation = Conversation::new(theirs, sender, bounds.timeout);
        let bounds = Bounds { timeout: None, ..bounds };
        let supervise = move || {
            let program = Bytes::sealed(io::empty(), 0)?;
            let wanted = Wanted { conversation: Some(conversation), ..Wanted::default() };
            let outcome = observe(&job, &program, &bounds, wanted)?;
            if let Verdict::Interrupted { signal } = outcome.verdict {
                outcome.remains.finish();
                interrupted(signal);
            }
            Ok(outcome)
        };
        let supervisor = std::thread::Builder::new().name("pinfold-session".into()).spawn(supervise)?;
        Ok(Self { requests: Some(ours.into()), replies, supervisor: Some(supervisor) })
    }

    /// Asks; `None` if the session has ended, see [`Self::end`].
    ///
    /// # Errors
    /// If the request is too long.
    pub fn ask(&mut self, request: &Request) -> io::Result<Option<Replied>> {
        let request = serde_json::to_vec(request)?;
        if request.len() > LARGEST_MESSAGE {
            let message = format!("this is too long for an entry: it has {} bytes", request.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let Some(requests) = &mut self.requests else { return Ok(None) };
        if requests.write_all(&request).is_err() {
            return Ok(None);
        }
        Ok(self.replies.recv().ok())
    }

    /// Ends it, and tells how it ended.
    ///
    /// # Errors
    /// If the worker could not be started.
    pub fn end(&mut self) -> Option<Result<Outcome, SupervisorError>> {
        self.requests = None;
        let ended = self.supervisor.take()?.join();
        Some(ended.unwrap_or_else(|_| Err(io::Error::other("the supervisor panicked").into())))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(Ok(outcome)) = self.end() {
            outcome.remains.finish();
        }
    }
}

/// The supervisor's side of a [`Session`].
pub struct Conversation {
    pub(super) requests: File,
    replies: Sender<Replied>,
    timeout: Option<Duration>,
    /// Since when an entry runs.
    busy: Option<Instant>,
    stopped: Option<(Instant, Stopped)>,
}

/// What to do next.
pub(super) enum Next {
    /// Sending this to the worker.
    Send(Vec<u8>),
    /// Nobody asks any more.
    End,
}

impl Conversation {
    pub(super) fn new(requests: OwnedFd, replies: Sender<Replied>, timeout: Option<Duration>) -> Self {
        Self { requests: requests.into(), replies, timeout, busy: None, stopped: None }
    }

    /// Whether a request may come.
    pub(super) fn listens(&self) -> bool {
        self.busy.is_none()
    }

    /// The next request.
    pub(super) fn request(&mut self) -> io::Result<Next> {
        let mut request = vec![0; LARGEST_MESSAGE];
        let length = self.requests.read(&mut request)?;
        request.truncate(length);
        if request.is_empty() {
            return Ok(Next::End);
        }
        (self.busy, self.stopped) = (Some(Instant::now()), None);
        Ok(Next::Send(request))
    }

    /// Passes a reply on; `false` if nobody asked.
    pub(super) fn reply(&mut self, reply: Reply) -> bool {
        let stopped = self.stopped.take().map(|(_, why)| why);
        // Whoever asked may be gone; that will be seen.
        let _ = self.replies.send(Replied { reply, stopped });
        self.busy.take().is_some()
    }

    /// Ctrl-C was pressed; `false` if nothing runs.
    pub(super) fn interrupt(&mut self) -> bool {
        if self.busy.is_some() && self.stopped.is_none() {
            self.stopped = Some((Instant::now(), Stopped::Interrupt));
        }
        self.busy.is_some()
    }

    /// Since when the entry is asked to stop, and why, if it is.
    pub(super) fn over(&mut self, now: Instant) -> Option<(Instant, Over)> {
        if let (Some(busy), Some(timeout), None) = (self.busy, self.timeout, self.stopped)
            && now.duration_since(busy) >= timeout
        {
            self.stopped = Some((now, Stopped::Time));
        }
        self.stopped.map(|(since, _)| (since, Over::Wall))
    }

    /// How long until there is something to do.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let (busy, timeout) = (self.busy?, self.timeout?);
        Some(timeout.saturating_sub(now.duration_since(busy)))
    }
}
