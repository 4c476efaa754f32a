//! Stopping a guest from outside: by a deadline, or at another thread's wish.
//!
//! The request is a word in the store's context, which the interpreter and everything slow polls.
//! Compiled code does not poll: the guest's thread is sent a signal, again and again until it has
//! left the guest, and the handler ends the run if it finds compiled code interrupted. The same
//! signal makes a blocking system call return, so that the host function can look at the word.
//!
//! Deadlines are set far more often than they pass: for each call of a short function. So the clock's thread is told of one only where
//! it would not look at the store earlier anyway; when it does, and the deadline is a later one by then, it looks again at that time.

use std::collections::BinaryHeap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use super::context::StoreContext;
use super::signals;
use super::trap::TrapKind;

/// How long between two signals to a guest that has not stopped yet.
const AGAIN: Duration = Duration::from_millis(1);

/// A store as other threads see it.
#[derive(Debug)]
pub struct InterruptState {
    target: Mutex<Target>,
}

#[derive(Debug)]
struct Target {
    /// Null when the store is gone.
    context: *mut StoreContext,
    /// Thread that runs guest code of the store now; zero if none does.
    thread: i32,
    deadline: Option<Instant>,
    /// When the clock's thread looks at the deadline next; not if it does not.
    look: Option<Instant>,
    /// Whether samples of its stack can be taken.
    has_sampler: bool,
}

// SAFETY: the context is only used to write its atomic word, under the lock that its store takes
// before it goes.
unsafe impl Send for Target {}

impl InterruptState {
    /// For a store's context.
    pub fn new(context: *mut StoreContext) -> Self {
        Self { target: Mutex::new(Target { context, thread: 0, deadline: None, look: None, has_sampler: false }) }
    }

    fn lock(&self) -> MutexGuard<'_, Target> {
        self.target.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The store goes away.
    pub fn detach(&self) {
        self.lock().context = std::ptr::null_mut();
    }

    /// Guest code begins to run on this thread.
    pub fn enter(&self) {
        self.lock().thread = signals::thread_id();
    }

    /// Guest code no longer runs.
    pub fn leave(&self) {
        self.lock().thread = 0;
    }

    /// Asks the guest to stop, now or when it next runs.
    pub fn request(self: &Arc<Self>, kind: TrapKind) {
        self.stop(self.lock(), kind);
    }

    fn stop(self: &Arc<Self>, target: MutexGuard<'_, Target>, kind: TrapKind) {
        // SAFETY: not null means that the store, which clears it under the lock, is there.
        let Some(context) = (unsafe { target.context.as_ref() }) else { return };
        context.interrupt.store(kind as u32, Ordering::Relaxed);
        let running = target.thread != 0;
        drop(target);
        if running {
            self.signal();
            Clock::get().add(Instant::now() + AGAIN, Event::Again, self);
        }
    }

    /// Whether the guest was asked to stop.
    pub fn requested(&self) -> bool {
        let target = self.lock();
        // SAFETY: as in `request`.
        unsafe { target.context.as_ref() }.is_some_and(|c| c.interrupted().is_some())
    }

    /// Sends one signal if the guest runs and was asked to stop. Whether it did.
    fn signal(&self) -> bool {
        let target = self.lock();
        // SAFETY: as in `request`.
        let asked = unsafe { target.context.as_ref() }.is_some_and(|c| c.interrupted().is_some());
        if asked && target.thread != 0 {
            signals::send(target.thread);
            return true;
        }
        false
    }

    /// Has a sample of the guest's stack taken, if it runs and has a sampler.
    pub fn tick(&self) {
        let target = self.lock();
        // Only where there is one the signal is handled.
        if target.thread != 0 && target.has_sampler {
            signals::send_tick(target.thread);
        }
    }

    /// There is a sampler from now on.
    pub fn samples(&self) {
        self.lock().has_sampler = true;
    }

    /// Sets or lifts the deadline.
    pub fn set_deadline(self: &Arc<Self>, at: Option<Instant>) {
        let mut target = self.lock();
        // SAFETY: as in `request`.
        if let Some(context) = unsafe { target.context.as_ref() }
            && context.interrupt.load(Ordering::Relaxed) == TrapKind::Timeout as u32
        {
            let _ =
                context.interrupt.compare_exchange(TrapKind::Timeout as u32, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
        target.deadline = at;
        if let Some(at) = at
            && target.look.is_none_or(|look| at < look)
        {
            target.look = Some(at);
            drop(target);
            Clock::get().add(at, Event::Deadline, self);
        }
    }

    fn fire(self: &Arc<Self>, event: Event) {
        match event {
            Event::Deadline => {
                let mut target = self.lock();
                let now = Instant::now();
                // Another look may be coming that was asked for later, at an earlier time.
                if target.look.is_some_and(|look| look > now) {
                    return;
                }
                target.look = None;
                match target.deadline {
                    Some(at) if at > now => {
                        target.look = Some(at);
                        drop(target);
                        Clock::get().add(at, Event::Deadline, self);
                    }
                    Some(_) => {
                        target.deadline = None;
                        self.stop(target, TrapKind::Timeout);
                    }
                    None => {}
                }
            }
            Event::Again => {
                if self.signal() {
                    Clock::get().add(Instant::now() + AGAIN, Event::Again, self);
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Deadline,
    Again,
}

struct Entry {
    at: Instant,
    event: Event,
    state: std::sync::Weak<InterruptState>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at)
    }
}

/// The one thread of the process that watches deadlines, started when the first one is set.
struct Clock {
    queue: Mutex<BinaryHeap<Entry>>,
    changed: Condvar,
}

impl Clock {
    fn get() -> &'static Self {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        static THREAD: OnceLock<()> = OnceLock::new();
        let clock = CLOCK.get_or_init(|| Clock { queue: Mutex::default(), changed: Condvar::new() });
        THREAD.get_or_init(|| {
            // Without the thread no deadline would ever fire: better to stop here than to run unbounded.
            let thread = std::thread::Builder::new().name("pinfold-clock".into()).stack_size(128 << 10);
            if let Err(error) = thread.spawn(|| clock.run()) {
                panic!("the clock thread cannot be started: {error}");
            }
        });
        clock
    }

    fn add(&self, at: Instant, event: Event, state: &Arc<InterruptState>) {
        let entry = Entry { at, event, state: Arc::downgrade(state) };
        let mut queue = self.queue.lock().unwrap_or_else(|e| e.into_inner());
        // Deadlines of stores that are gone must not pile up.
        if queue.len() > 64 && queue.len().is_power_of_two() {
            queue.retain(|e| e.state.strong_count() > 0);
        }
        // The thread waits for the first one: of later ones it need not hear, and waking it is a system call.
        let is_first = queue.peek().is_none_or(|first| at < first.at);
        queue.push(entry);
        drop(queue);
        if is_first {
            self.changed.notify_one();
        }
    }

    fn run(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(|e| e.into_inner());
        loop {
            let now = Instant::now();
            match queue.peek().map(|e| e.at) {
                None => queue = self.changed.wait(queue).unwrap_or_else(|e| e.into_inner()),
                Some(at) if at > now => {
                    queue = self.changed.wait_timeout(queue, at - now).unwrap_or_else(|e| e.into_inner()).0;
                }
                Some(_) => {
                    let entry = queue.pop();
                    drop(queue);
                    if let Some((state, event)) = entry.and_then(|e| Some((e.state.upgrade()?, e.event))) {
                        state.fire(event);
                    }
                    queue = self.queue.lock().unwrap_or_else(|e| e.into_inner());
                }
            }
        }
    }
}
