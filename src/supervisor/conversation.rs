//! Talking with the worker of a session: one request, one reply, as often as somebody asks.
//!
//! The supervisor runs in a thread of its own and passes on what goes to and fro. What the worker writes meanwhile is out before its reply is
//! told. An entry that runs too long, or that Ctrl-C is pressed for, is asked to stop as a run is; a worker that does not is ended, and
//! the session with it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pinfold_vm::module::Bytes;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::clock::Over;
use super::{Bounds, Outcome, Signals, SupervisorError, Verdict, Wanted, observe};
use crate::job::{Job, LARGEST_MESSAGE, Reply, Request};

/// What stands for the wish that the running entry stops, in the place of a request: no JSON begins like this.
const CANCEL: &[u8] = b"!";
/// What stands before a request during which nothing is shown that is written.
const SILENT: u8 = b'~';

/// A session, as whoever asks sees it.
pub struct Session {
    requests: Option<Arc<File>>,
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
    /// Somebody pressed Ctrl-C, or [cancelled](Canceller) it.
    Interrupt,
}

/// Stops what runs in a session, from another thread than the one that asks.
#[derive(Debug)]
pub struct Canceller(Weak<File>);

impl Canceller {
    /// Asks the running entry to stop. Where none runs, nothing happens: also not to a request that is sent after this.
    pub fn cancel(&self) {
        if let Some(requests) = self.0.upgrade() {
            // One that is gone runs nothing.
            let _ = (&*requests).write_all(CANCEL);
        }
    }
}

impl Session {
    /// Starts a worker. `bounds` are those of each entry. Whoever asks may be waiting for a person, and hears of nothing then: a signal that is
    /// to end the process does so by `interrupted`, once nothing is left of the worker.
    ///
    /// `program` is what the worker is given beside the job, and `sinks` where its output and its errors go, if not to ours.
    ///
    /// # Errors
    /// If it cannot be watched; that it cannot be started, the first question tells.
    pub fn start(
        job: Job,
        program: Bytes,
        bounds: Bounds,
        sinks: Option<[OwnedFd; 2]>,
        interrupted: fn(i32) -> !,
    ) -> Result<Self, SupervisorError> {
        // Signals are for the supervisor, not for this thread.
        drop(Signals::take()?);
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (ours, theirs) = pair.map_err(io::Error::from)?;
        let (sender, replies) = channel();
        let conversation = Conversation::new(theirs, sender, bounds.timeout);
        let bounds = Bounds { timeout: None, ..bounds };
        let supervise = move || {
            let wanted = Wanted { conversation: Some(conversation), sinks, ..Wanted::default() };
            let outcome = observe(&job, &program, &bounds, wanted)?;
            if let Verdict::Interrupted { signal } = outcome.verdict {
                outcome.remains.finish();
                interrupted(signal);
            }
            Ok(outcome)
        };
        let supervisor = std::thread::Builder::new().name("pinfold-session".into()).spawn(supervise)?;
        Ok(Self { requests: Some(Arc::new(ours.into())), replies, supervisor: Some(supervisor) })
    }

    /// Asks; `None` if the session has ended, see [`Self::end`].
    ///
    /// # Errors
    /// If the request is too long.
    pub fn ask(&mut self, request: &Request) -> io::Result<Option<Replied>> {
        self.send(serde_json::to_vec(request)?)
    }

    /// The same; what is written meanwhile goes nowhere.
    ///
    /// # Errors
    /// If the request is too long.
    pub fn ask_silently(&mut self, request: &Request) -> io::Result<Option<Replied>> {
        let mut silent = vec![SILENT];
        serde_json::to_writer(&mut silent, request)?;
        self.send(silent)
    }

    fn send(&mut self, request: Vec<u8>) -> io::Result<Option<Replied>> {
        if request.len() > LARGEST_MESSAGE {
            let message = format!("this is too long for an entry: it has {} bytes", request.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let Some(requests) = &self.requests else { return Ok(None) };
        if (&**requests).write_all(&request).is_err() {
            return Ok(None);
        }
        Ok(self.replies.recv().ok())
    }

    /// What stops entries of it. It does not keep the session.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.requests.as_ref().map(Arc::downgrade).unwrap_or_default())
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
    Send {
        /// The request.
        request: Vec<u8>,
        /// Whether what is written meanwhile is shown.
        shown: bool,
    },
    /// Waiting on: the entry is to stop, or has stopped already.
    Nothing,
    /// Nobody asks any more.
    End,
}

impl Conversation {
    pub(super) fn new(requests: OwnedFd, replies: Sender<Replied>, timeout: Option<Duration>) -> Self {
        Self { requests: requests.into(), replies, timeout, busy: None, stopped: None }
    }

    /// The next request.
    pub(super) fn request(&mut self) -> io::Result<Next> {
        let mut request = vec![0; LARGEST_MESSAGE];
        let length = self.requests.read(&mut request)?;
        request.truncate(length);
        if request.is_empty() {
            return Ok(Next::End);
        }
        if request == CANCEL {
            self.interrupt();
            return Ok(Next::Nothing);
        }
        (self.busy, self.stopped) = (Some(Instant::now()), None);
        let shown = request.first() != Some(&SILENT);
        if !shown {
            request.remove(0);
        }
        Ok(Next::Send { request, shown })
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
