//! Capabilities as the guest holds them.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use super::call::{Answer, Failure};
use crate::host::HostError;
use crate::host::state::HostState;
use crate::host::wasi::Errno;

/// A capability of one program. Nothing about it can be changed by the guest.
#[derive(Debug)]
pub(super) struct Handle {
    /// Whose it is: what every program has for itself. It is kept, so that no other program's is ever at its address.
    program: Arc<Mutex<Vec<u32>>>,
    pub(super) kind: Kind,
}

/// What a handle is for.
#[derive(Debug)]
pub(super) enum Kind {
    Console,
    Dir(Dir),
    File(File),
    Net(Vec<Origin>),
    Connection(Arc<Open>),
    Clock,
    Random,
    Env,
    Args,
}

/// A directory, and what may be done below it.
#[derive(Clone, Debug)]
pub(super) struct Dir {
    pub(super) open: Arc<Open>,
    pub(super) access: Access,
}

/// What may be done to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Reading.
    Read,
    /// And writing at their ends.
    Append,
    /// Everything.
    Write,
}

/// An open file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) open: Arc<Open>,
    /// How many bytes may still be read and written; negative: any number.
    pub(super) left: Arc<AtomicI64>,
}

/// A place to connect to, or to be connected to at.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) name: Arc<str>,
    pub(super) fd: u32,
    pub(super) listens: bool,
    /// Whether its one connection was taken.
    pub(super) taken: Arc<AtomicBool>,
}

/// A descriptor that is closed when nobody has it any more.
#[derive(Debug)]
pub(super) struct Open {
    fd: u32,
    /// Whether it is closed, or never to be.
    closed: AtomicBool,
    unused: Option<Arc<Mutex<Vec<u32>>>>,
}

impl Open {
    /// A descriptor that the program opened.
    pub(super) fn new(host: &HostState, fd: u32) -> Arc<Self> {
        Arc::new(Self { fd, closed: AtomicBool::new(false), unused: Some(host.fold.unused.clone()) })
    }

    /// A descriptor that was granted, which stays open.
    pub(super) fn granted(fd: u32) -> Arc<Self> {
        Arc::new(Self { fd, closed: AtomicBool::new(false), unused: None })
    }

    /// Its number, if it is open.
    pub(super) fn fd(&self) -> Answer<u64> {
        if self.closed.load(Ordering::Relaxed) {
            Err(HostError::ClosedCapability.into())
        } else {
            Ok(u64::from(self.fd))
        }
    }

    /// Marks it as closed; its number, if whoever does so has to close it.
    pub(super) fn close(&self) -> Option<u64> {
        let was_closed = self.closed.swap(true, Ordering::Relaxed);
        (!was_closed && self.unused.is_some()).then_some(u64::from(self.fd))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let (false, Some(unused)) = (self.closed.load(Ordering::Relaxed), &self.unused)
            && let Ok(mut unused) = unused.lock()
        {
            unused.push(self.fd);
        }
    }
}

impl Handle {
    pub(super) fn new(host: &HostState, kind: Kind) -> Self {
        Self { program: host.fold.unused.clone(), kind }
    }

    /// Whether it is a handle of this program.
    pub(super) fn is_of(&self, host: &HostState) -> bool {
        Arc::ptr_eq(&self.program, &host.fold.unused)
    }

    pub(super) fn dir(&self) -> Answer<&Dir> {
        match &self.kind {
            Kind::Dir(dir) => Ok(dir),
            _ => wrong(),
        }
    }

    pub(super) fn file(&self) -> Answer<&File> {
        match &self.kind {
            Kind::File(file) => Ok(file),
            _ => wrong(),
        }
    }

    pub(super) fn net(&self) -> Answer<&[Origin]> {
        match &self.kind {
            Kind::Net(origins) => Ok(origins),
            _ => wrong(),
        }
    }

    pub(super) fn connection(&self) -> Answer<&Open> {
        match &self.kind {
            Kind::Connection(open) => Ok(open),
            _ => wrong(),
        }
    }

    /// Fails unless it is of a kind that has nothing in it.
    pub(super) fn expect(&self, fits: fn(&Kind) -> bool) -> Answer<()> {
        if fits(&self.kind) { Ok(()) } else { wrong() }
    }
}

impl Dir {
    /// Fails unless so much may be done.
    pub(super) fn allow(&self, access: Access) -> Answer<()> {
        if self.access >= access { Ok(()) } else { Err(Errno::Rofs.into()) }
    }
}

fn wrong<T>() -> Result<T, Failure> {
    Err(HostError::NoCapability.into())
}
