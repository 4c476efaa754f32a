//! Workers that are kept ready: locked down, with their program verified and instantiated, waiting for the word to begin. Each is used once.
//! Who makes them and who gets one is up to their [pool](super::pool).

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pinfold_vm::module::Bytes;

use super::confined::CALL;
use super::pool::{Make, Pool};
use crate::cache::{self, Cache, Place};
use crate::exchange::{self, Calls};
use crate::job::Job;
use crate::supervisor::{Bounds, Keeping, Remains, Started, SupervisorError, Wanted};

/// How long a worker may take until it is ready, before there is a call whose deadline would say.
pub(super) const PREPARING: Duration = Duration::from_secs(10);
/// Bytes of arguments that there is room for in a worker that is made before they are known.
pub(super) const ARGUMENTS: u64 = 64 << 20;

/// Workers that wait for calls.
pub(super) type Spares = Pool<Recipe>;

/// What a worker is made from, and for.
pub(super) struct Recipe {
    /// What is the same for all calls that a worker could serve: the program's number, and its job.
    pub key: (u64, Vec<u8>),
    pub job: Job,
    pub program: Bytes,
    pub executable: Option<PathBuf>,
    /// Whether what it writes is kept.
    pub captures: bool,
    /// Whether it calls functions of the host.
    pub calls: bool,
    pub output: u64,
    /// What is kept of its program, and where, if anything is.
    pub keeps: Option<(Arc<Cache>, Place)>,
}

/// A worker, what it exchanges, and what it calls its host by.
pub(super) struct Made {
    pub started: Started,
    pub exchange: File,
    pub calls: Option<Calls>,
}

impl Recipe {
    /// Makes a worker, with room for so many bytes of arguments.
    pub fn make(
        &self,
        arguments: u64,
        timeout: Option<Duration>,
        cancel: Option<OwnedFd>,
    ) -> Result<Made, SupervisorError> {
        let exchange = exchange::new(arguments, self.output)?;
        let found = self.keeps.as_ref().map(|(cache, place)| cache.get(place));
        let compiles = matches!(&found, Some(Some(entry)) if entry.has_code());
        let keeping = found.map(|entry| Keeping::of(cache::LARGEST, entry.as_ref())).transpose()?;
        let (calls, their_calls) = self.calls.then(|| Calls::new(CALL)).transpose()?.unzip();
        let wanted = Wanted {
            output: self.captures,
            errors: self.captures,
            exchange: Some(exchange.try_clone()?),
            calls: their_calls,
            cancel,
            keeping,
            compiles,
            worker: self.executable.clone(),
            leaves_signals: true,
            ..Wanted::default()
        };
        let bounds = Bounds { timeout, output: self.output };
        Ok(Made { started: Started::start(&self.job, &self.program, &bounds, wanted)?, exchange, calls })
    }
}

impl Make for Recipe {
    type Key = (u64, Vec<u8>);
    type Worker = Made;
    type Remains = Remains;

    fn key(&self) -> &Self::Key {
        &self.key
    }

    fn make_ready(&self) -> Option<Made> {
        let mut made = self.make(ARGUMENTS, Some(PREPARING), None).ok()?;
        if made.started.until_ready().is_ok_and(|is_ready| is_ready) {
            Some(made)
        } else {
            drop(Self::end(made));
            None
        }
    }

    fn is_alive(made: &Made) -> bool {
        made.started.is_alive()
    }

    fn end(made: Made) -> Remains {
        made.started.end()
    }

    fn is_gone(remains: &Remains) -> bool {
        remains.is_gone()
    }

    fn finish(remains: Remains) {
        remains.finish();
    }
}
