//! Where workers are made that are none: what becomes of each is written down, and compared with what may.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use loom::model::Builder;
use loom::sync::{Condvar, Mutex, MutexGuard};
use loom::thread::{self, ThreadId};

use crate::pool::Make;

/// How often threads are interrupted in an interleaving, other than where they wait, if nothing else is asked for.
const PREEMPTIONS: usize = 2;
/// Of what key none can be made.
pub const FAILS: char = 'x';

/// Runs a model with all interleavings, and finds what it leaves behind.
pub fn explore(name: &str, size: usize, model: impl Fn(&Arc<Workshop>) + Send + Sync + 'static) {
    let start = Instant::now();
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(PREEMPTIONS);
    let [begun, closed] = [(), ()].map(|()| Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&begun), Arc::clone(&closed));
    builder.check(move || {
        counts.0.fetch_add(1, Ordering::Relaxed);
        let (book, changed) = (Mutex::default(), Condvar::new());
        model(&Arc::new(Workshop { size, book, changed, closed: Arc::clone(&counts.1) }));
    });
    let begun = begun.load(Ordering::Relaxed);
    assert_eq!(begun, closed.load(Ordering::Relaxed), "something was left behind that nobody ended");
    println!("{name}, {size} at most: {begun} interleavings in {:.1} s", start.elapsed().as_secs_f64());
}

/// What makes workers, in one interleaving. It is there as long as any of them is.
pub struct Workshop {
    /// How many may be there: being made, or waiting.
    size: usize,
    book: Mutex<Book>,
    changed: Condvar,
    /// How many workshops have closed with everything in order.
    closed: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Book {
    workers: Vec<(char, Fate)>,
    /// Makers that have ended.
    ended: Vec<ThreadId>,
    /// Whether whoever makes something waits before it is done.
    is_held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Making,
    Failed,
    Waiting,
    /// Killed while it waited.
    Dead,
    /// Found alive, for a call.
    Chosen,
    /// It serves a call, or has.
    Used,
    /// Ended without a call.
    Ended,
    /// Nothing is left of it.
    Tidied,
}

impl Book {
    /// How many of those that the pool answers for are there.
    fn kept(&self) -> usize {
        self.workers.iter().filter(|(_, fate)| matches!(fate, Fate::Making | Fate::Waiting | Fate::Dead)).count()
    }

    fn becomes(&mut self, number: usize, before: &[Fate], after: Fate) {
        let fate = &mut self.workers[number].1;
        assert!(before.contains(fate), "worker {number} was {fate:?}, and becomes {after:?}");
        *fate = after;
    }
}

impl Workshop {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    pub fn recipe(self: &Arc<Self>, key: char) -> Recipe {
        Recipe { key, workshop: Arc::clone(self) }
    }

    /// Waits until as many are ready as may be. There will be, or nothing that runs is left.
    pub fn until_full(&self) {
        let mut book = self.book();
        while book.workers.iter().filter(|(_, fate)| *fate == Fate::Waiting).count() < self.size {
            book = self.changed.wait(book).unwrap();
        }
    }

    /// Waits until one of this key is ready.
    pub fn until_ready(&self, key: char) {
        let mut book = self.book();
        while !book.workers.contains(&(key, Fate::Waiting)) {
            book = self.changed.wait(book).unwrap();
        }
    }

    /// Whether makers are to wait before they are done.
    pub fn hold(&self, is_held: bool) {
        self.book().is_held = is_held;
        self.changed.notify_all();
    }

    /// How many of this key are ready.
    pub fn ready(&self, key: char) -> usize {
        self.book().workers.iter().filter(|worker| **worker == (key, Fate::Waiting)).count()
    }

    /// Kills a worker if it waits.
    pub fn kill(&self, number: usize) {
        let mut book = self.book();
        if book.workers[number].1 == Fate::Waiting {
            book.workers[number].1 = Fate::Dead;
        }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let book = self.book.get_mut().unwrap();
            let is_over = |fate: &Fate| matches!(fate, Fate::Failed | Fate::Tidied);
            assert!(book.workers.iter().all(|(_, fate)| is_over(fate)), "{:?}", book.workers);
            self.closed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A thread that makes workers, until it ends.
struct Maker(ThreadId, Arc<Workshop>);

impl Drop for Maker {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.1.book().ended.push(self.0);
        }
    }
}

loom::thread_local! {
    static MAKER: RefCell<Option<Maker>> = RefCell::new(None);
}

pub struct Recipe {
    key: char,
    workshop: Arc<Workshop>,
}

pub struct Worker {
    number: usize,
    key: char,
    maker: ThreadId,
    workshop: Arc<Workshop>,
}

impl Worker {
    /// Does what a call asks for, and ends.
    pub fn serve(self, key: char) -> Remains {
        assert_eq!(self.key, key, "it serves calls for which it was made");
        self.workshop.book().becomes(self.number, &[Fate::Chosen], Fate::Used);
        // Whatever others do meanwhile.
        let book = self.workshop.book();
        assert!(!book.ended.contains(&self.maker), "worker {} has ended with its maker", self.number);
        drop(book);
        self.remains()
    }

    fn remains(self) -> Remains {
        Remains { number: self.number, looks: AtomicUsize::new(0), workshop: self.workshop }
    }
}

/// It takes a while until it is gone: it is found there once.
pub struct Remains {
    number: usize,
    looks: AtomicUsize,
    workshop: Arc<Workshop>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.workshop.book().becomes(self.number, &[Fate::Used, Fate::Ended], Fate::Tidied);
        }
    }
}

impl Make for Recipe {
    type Key = char;
    type Worker = Worker;
    type Remains = Remains;

    fn key(&self) -> &char {
        &self.key
    }

    fn make_ready(&self) -> Option<Worker> {
        let workshop = Arc::clone(&self.workshop);
        let maker = thread::current().id();
        MAKER.with(|own| own.borrow_mut().get_or_insert_with(|| Maker(maker, Arc::clone(&workshop))).0);
        let mut book = workshop.book();
        let number = book.workers.len();
        book.workers.push((self.key, Fate::Making));
        assert!(book.kept() <= workshop.size, "{} workers at a time, of {}", book.kept(), workshop.size);
        // Whatever others do meanwhile.
        drop(book);
        let is_made = self.key != FAILS;
        let fate = if is_made { Fate::Waiting } else { Fate::Failed };
        let mut book = workshop.book();
        while book.is_held {
            book = workshop.changed.wait(book).unwrap();
        }
        book.becomes(number, &[Fate::Making], fate);
        drop(book);
        workshop.changed.notify_all();
        is_made.then_some(Worker { number, key: self.key, maker, workshop })
    }

    fn is_alive(worker: &Worker) -> bool {
        let mut book = worker.workshop.book();
        let is_alive = book.workers[worker.number].1 != Fate::Dead;
        if is_alive {
            book.becomes(worker.number, &[Fate::Waiting], Fate::Chosen);
        }
        is_alive
    }

    fn end(worker: Worker) -> Remains {
        worker.workshop.book().becomes(worker.number, &[Fate::Waiting, Fate::Dead], Fate::Ended);
        worker.remains()
    }

    fn is_gone(remains: &Remains) -> bool {
        remains.looks.fetch_add(1, Ordering::Relaxed) > 0
    }

    fn finish(remains: Remains) {
        assert!(remains.looks.load(Ordering::Relaxed) > 1, "nobody waits for one that is still there");
    }
}
