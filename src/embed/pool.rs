//! The pool of workers that are kept ready: who makes them, who waits, and who gets one. What a worker is, is said elsewhere.
//!
//! ```text
//!  order ──► ordered ──a maker──► making ──► ready ──take──► a call, which uses it once
//!               │                   │          │
//!      (closed, or its kind fails)  └──────────┴─► ended: closed, gave way to another kind, or found dead
//! ```
//!
//! Invariants: at most `size` workers are ordered, being made or ready; each is handed out once, or ended; makers live as long as the pool
//! does, since a worker ends with the thread that made it, and end when it is closed. `models/` tries them with all interleavings.

use std::collections::VecDeque;
use std::sync::PoisonError;

use sync::{Arc, Condvar, Mutex, MutexGuard, thread};

/// Threads and what they share: where interleavings are explored, those of the explorer.
mod sync {
    #[cfg(loom)]
    pub use loom::{
        sync::{Arc, Condvar, Mutex, MutexGuard},
        thread,
    };
    #[cfg(not(loom))]
    pub use std::{
        sync::{Arc, Condvar, Mutex, MutexGuard},
        thread,
    };
}

/// Threads that make workers. A worker ends with the thread that made it.
const MAKERS: usize = 2;

/// How workers of one kind are made, and what there is to know of them.
pub(super) trait Make: Send + Sync + 'static {
    /// What is the same for all calls that a worker could serve.
    type Key: Clone + PartialEq + Send;
    type Worker: Send;
    /// What is left of a worker that has ended, until it is tidied up.
    type Remains: Send;

    fn key(&self) -> &Self::Key;
    /// Makes a worker, and waits until it is ready. `None` if it cannot be made.
    fn make_ready(&self) -> Option<Self::Worker>;
    fn is_alive(worker: &Self::Worker) -> bool;
    /// Ends a worker that nobody uses, without waiting until it is gone.
    fn end(worker: Self::Worker) -> Self::Remains;
    /// Whether it can be tidied up at once.
    fn is_gone(remains: &Self::Remains) -> bool;
    fn finish(remains: Self::Remains);
}

/// A worker that waits.
struct Spare<M: Make> {
    key: M::Key,
    worker: M::Worker,
}

/// Workers that wait, those called for last.
pub(super) struct Pool<M: Make>(Arc<Shared<M>>);

struct Shared<M: Make> {
    state: Mutex<State<M>>,
    ordered: Condvar,
    /// How many there are at most.
    size: usize,
}

struct State<M: Make> {
    ready: VecDeque<Spare<M>>,
    ordered: VecDeque<Arc<M>>,
    /// Of which keys workers are being made.
    making: Vec<M::Key>,
    makers: usize,
    /// Processes that were ended, until the kernel has taken them apart.
    ended: Vec<M::Remains>,
    is_closed: bool,
}

impl<M: Make> State<M> {
    fn new() -> Self {
        let (ready, ordered) = (VecDeque::new(), VecDeque::new());
        Self { ready, ordered, making: Vec::new(), makers: 0, ended: Vec::new(), is_closed: false }
    }

    fn all(&self) -> usize {
        self.ready.len() + self.ordered.len() + self.making.len()
    }

    fn of(&self, key: &M::Key) -> usize {
        let ready = self.ready.iter().filter(|spare| spare.key == *key).count();
        let ordered = self.ordered.iter().filter(|order| order.key() == key).count();
        ready + ordered + self.making.iter().filter(|making| *making == key).count()
    }

    /// Processes that can be tidied up at once.
    fn gone(&mut self) -> Vec<M::Remains> {
        self.ended.extract_if(.., |remains| M::is_gone(remains)).collect()
    }

    /// Gives up a worker for one of this key, of which there are so many: the oldest of which there are more, or if there is none yet, the oldest.
    fn give_up(&mut self, number: usize) -> Option<Spare<M>> {
        let at = self.ready.iter().position(|spare| self.of(&spare.key) > number + 1 || number == 0)?;
        self.ready.remove(at)
    }
}

impl<M: Make> Pool<M> {
    pub fn new(size: usize) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(State::new()), ordered: Condvar::new(), size }))
    }

    /// A worker that waits for such a call.
    pub fn take(&self, key: &M::Key) -> Option<M::Worker> {
        // Tidied up when the lock is free again.
        let mut dead = Vec::new();
        let mut state = self.0.lock();
        loop {
            let at = state.ready.iter().position(|spare| spare.key == *key)?;
            let Spare { worker, .. } = state.ready.remove(at)?;
            if M::is_alive(&worker) {
                return Some(worker);
            }
            // One that was killed meanwhile is nobody's.
            dead.push(M::end(worker));
        }
    }

    /// Has workers made for such calls, as many as there may be beside those of others, and what is left of one tidied up.
    pub fn order(&self, recipe: M, remains: Option<M::Remains>) {
        if self.0.size == 0 {
            return;
        }
        let recipe = Arc::new(recipe);
        let mut given_up = Vec::new();
        let mut state = self.0.lock();
        let before = state.ordered.len();
        loop {
            if state.all() >= self.0.size {
                let number = state.of(recipe.key());
                let Some(spare) = state.give_up(number) else { break };
                // Before another is made in its place; tidied up when the lock is free again.
                given_up.push(M::end(spare.worker));
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
        gone.into_iter().for_each(M::finish);
    }
}

impl<M: Make> Drop for Pool<M> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        state.ordered.clear();
        self.0.ordered.notify_all();
        let ready = std::mem::take(&mut state.ready);
        drop(state);
        ready.into_iter().for_each(|spare| drop(M::end(spare.worker)));
    }
}

impl<M: Make> Shared<M> {
    fn lock(&self) -> MutexGuard<'_, State<M>> {
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
            state.making.push(recipe.key().clone());
            let gone = state.gone();
            drop(state);
            gone.into_iter().for_each(M::finish);
            let worker = recipe.make_ready();
            state = self.lock();
            if let Some(at) = state.making.iter().position(|key| key == recipe.key()) {
                state.making.swap_remove(at);
            }
            match worker {
                Some(worker) if !state.is_closed => state.ready.push_back(Spare { key: recipe.key().clone(), worker }),
                Some(worker) => {
                    drop(state);
                    drop(M::end(worker));
                    return;
                }
                // The next call makes its own, and tells why that fails.
                None => state.ordered.retain(|other| other.key() != recipe.key()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What has a key, and makes nothing.
    struct Kind(u64);

    impl Make for Kind {
        type Key = u64;
        type Worker = ();
        type Remains = ();

        fn key(&self) -> &u64 {
            &self.0
        }

        fn make_ready(&self) -> Option<()> {
            None
        }

        fn is_alive((): &()) -> bool {
            true
        }

        fn end((): ()) {}

        fn is_gone((): &()) -> bool {
            true
        }

        fn finish((): ()) {}
    }

    #[test]
    fn the_oldest_of_which_there_are_most_gives_way() {
        let mut state = State::<Kind>::new();
        let spare = |key| Spare { key, worker: () };
        state.ready.extend([spare(1), spare(2), spare(1), spare(1)]);
        assert_eq!(state.give_up(state.of(&2)).map(|spare| spare.key), Some(1));
        // Two of the one and one of the other are even enough.
        assert!(state.give_up(state.of(&2)).is_none());
        assert_eq!(state.give_up(state.of(&3)).map(|spare| spare.key), Some(2));
    }
}
