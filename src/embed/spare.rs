//! Workers that are kept ready: locked down, with their program verified and instantiated, waiting for the word to begin. Each is used once.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use pinfold_vm::module::Bytes;

use super::confined::CALL;
use crate::exchange::{self, Calls};
use crate::job::Job;
use crate::supervisor::{Bounds, Remains, Started, SupervisorError, Wanted};

/// How long a worker may take until it is ready, before there is a call whose deadline would say.
pub(super) const PREPARING: Duration = Duration::from_secs(10);
/// Threads that make workers. A worker ends with the thread that made it.
const MAKERS: usize = 2;
/// Bytes of arguments that there is room for in a worker that is made before they are known.
const ARGUMENTS: u64 = 64 << 20;

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
        let (calls, their_calls) = self.calls.then(|| Calls::new(CALL)).transpose()?.unzip();
        let wanted = Wanted {
            output: self.captures,
            errors: self.captures,
            exchange: Some(exchange.try_clone()?),
            calls: their_calls,
            cancel,
            worker: self.executable.clone(),
            leaves_signals: true,
            ..Wanted::default()
        };
        let bounds = Bounds { timeout, output: self.output };
        Ok(Made { started: Started::start(&self.job, &self.program, &bounds, wanted)?, exchange, calls })
    }

    fn make_ready(&self) -> Result<Spare, SupervisorError> {
        let mut spare = Spare { key: self.key.clone(), made: Some(self.make(ARGUMENTS, Some(PREPARING), None)?) };
        let is_ready = spare.made.as_mut().map(|made| made.started.until_ready()).transpose()?;
        if is_ready == Some(true) { Ok(spare) } else { Err(io::Error::other("it ended at once").into()) }
    }
}

/// A worker that waits; ended if nobody takes it.
struct Spare {
    key: (u64, Vec<u8>),
    made: Option<Made>,
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(made) = self.made.take() {
            made.started.discard();
        }
    }
}

/// Workers that wait, those called for last.
pub(super) struct Spares(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    ordered: Condvar,
    /// How many there are at most.
    size: usize,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Spare>,
    ordered: VecDeque<Arc<Recipe>>,
    /// Of which recipes workers are being made.
    making: Vec<(u64, Vec<u8>)>,
    makers: usize,
    /// Processes that were ended, until the kernel has taken them apart.
    ended: Vec<Remains>,
    is_closed: bool,
}

impl State {
    fn all(&self) -> usize {
        self.ready.len() + self.ordered.len() + self.making.len()
    }

    fn of(&self, key: &(u64, Vec<u8>)) -> usize {
        let ready = self.ready.iter().filter(|spare| spare.key == *key).count();
        let ordered = self.ordered.iter().filter(|recipe| recipe.key == *key).count();
        ready + ordered + self.making.iter().filter(|making| *making == key).count()
    }

    /// Processes that can be tidied up at once.
    fn gone(&mut self) -> Vec<Remains> {
        self.ended.extract_if(.., |remains| remains.is_gone()).collect()
    }

    /// Gives up a worker for one of this key, of which there are so many: the oldest of which there are more, or if there is none yet, the oldest.
    fn give_up(&mut self, number: usize) -> Option<Spare> {
        let at = self.ready.iter().position(|spare| self.of(&spare.key) > number + 1 || number == 0)?;
        self.ready.remove(at)
    }
}

impl Spares {
    pub fn new(size: usize) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), ordered: Condvar::new(), size }))
    }

    /// A worker that waits for such a call, with so many bytes of arguments.
    pub fn take(&self, key: &(u64, Vec<u8>), arguments: u64) -> Option<Made> {
        if arguments > ARGUMENTS {
            return None;
        }
        let mut state = self.0.lock();
        loop {
            let at = state.ready.iter().position(|spare| spare.key == *key)?;
            let made = state.ready.remove(at).and_then(|mut spare| spare.made.take());
            // One that was killed meanwhile is nobody's.
            match made {
                Some(made) if made.started.is_alive() => return Some(made),
                Some(made) => made.started.discard(),
                None => {}
            }
        }
    }

    /// Has workers made for such calls, as many as there may be beside those of others, and what is left of one tidied up.
    pub fn order(&self, recipe: Recipe, remains: Option<Remains>) {
        if self.0.size == 0 {
            return;
        }
        let recipe = Arc::new(recipe);
        let mut given_up = Vec::new();
        let mut state = self.0.lock();
        let before = state.ordered.len();
        loop {
            if state.all() >= self.0.size {
                let number = state.of(&recipe.key);
                let Some(spare) = state.give_up(number) else { break };
                given_up.push(spare);
            }
            state.ordered.push_back(recipe.clone());
        }
        while state.makers < MAKERS.min(state.ordered.len()) {
            let shared = self.0.clone();
            let maker = thread::Builder::new().name("pinfold-workers".into()).spawn(move || shared.make());
            // Without one, calls make their own workers.
            if maker.is_err() {
                state.ordered.clear();
                break;
            }
            state.makers += 1;
        }
        if state.ordered.len() > before {
            // A maker looks after it. Otherwise it has a thread of its own.
            state.ended.extend(remains);
        }
        self.0.ordered.notify_all();
        let gone = state.gone();
        drop(state);
        drop(given_up);
        gone.into_iter().for_each(Remains::finish);
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        state.ordered.clear();
        self.0.ordered.notify_all();
        let ready = std::mem::take(&mut state.ready);
        drop(state);
        drop(ready);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes workers as they are ordered, until nobody orders any more.
    fn make(&self) {
        let mut state = self.lock();
        while !state.is_closed {
            let Some(recipe) = state.ordered.pop_front() else {
                state = self.ordered.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.making.push(recipe.key.clone());
            let gone = state.gone();
            drop(state);
            gone.into_iter().for_each(Remains::finish);
            let spare = recipe.make_ready();
            state = self.lock();
            if let Some(at) = state.making.iter().position(|key| *key == recipe.key) {
                state.making.swap_remove(at);
            }
            match spare {
                Ok(spare) if !state.is_closed => state.ready.push_back(spare),
                Ok(spare) => {
                    drop(state);
                    drop(spare);
                    return;
                }
                // The next call makes its own, and tells why that fails.
                Err(_) => state.ordered.retain(|other| other.key != recipe.key),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> (u64, Vec<u8>) {
        (number, Vec::new())
    }

    #[test]
    fn the_oldest_of_which_there_are_most_gives_way() {
        let mut state = State::default();
        let spare = |number| Spare { key: key(number), made: None };
        state.ready.extend([spare(1), spare(2), spare(1), spare(1)]);
        assert_eq!(state.give_up(state.of(&key(2))).map(|spare| spare.key.0), Some(1));
        // Two of the one and one of the other are even enough.
        assert!(state.give_up(state.of(&key(2))).is_none());
        assert_eq!(state.give_up(state.of(&key(3))).map(|spare| spare.key.0), Some(2));
    }
}
