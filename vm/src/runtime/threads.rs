//! Threads for work beside the guest: verifying, compiling.
//!
//! They are started when there is work, unless the process made them in advance with [`prepare`], because it will not be
//! able to make any later; then there are those and no more. Whoever asks for a thread does without if there is none.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};

use super::queue::{Receiver, Sender, queue};

/// What the compiler wants.
const STACK: usize = 4 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that wait for work.
struct Pool {
    jobs: Sender<Job>,
    idle: AtomicUsize,
}

static POOL: OnceLock<Pool> = OnceLock::new();

/// Threads that were started.
#[must_use]
pub struct Starting {
    count: usize,
    ready: Receiver<()>,
}

impl Starting {
    /// Waits until they run: before, they still make system calls of their own.
    ///
    /// # Errors
    /// If one is gone.
    pub fn wait(self) -> io::Result<()> {
        (0..self.count).try_for_each(|_| self.ready.recv().ok_or_else(|| io::Error::other("a thread has gone")))
    }
}

/// Starts all threads that this process will ever have for such work, and waits until they run. They take no signals.
///
/// # Errors
/// If one cannot be started, or this was done before.
pub fn prepare(count: usize) -> io::Result<()> {
    start(count)?.wait()
}

/// As [`prepare`], without waiting yet.
///
/// # Errors
/// If one cannot be started, or this was done before.
pub fn start(count: usize) -> io::Result<Starting> {
    let (sender, receiver) = queue::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    let (tell, ready) = queue();
    let pool = Pool { jobs: sender, idle: AtomicUsize::new(count) };
    POOL.set(pool).map_err(|_| io::Error::from(io::ErrorKind::AlreadyExists))?;
    // Asked now, since asking takes system calls.
    available();
    let before = block_signals();
    let started: io::Result<Vec<_>> = (0..count)
        .map(|_| {
            let (receiver, tell) = (receiver.clone(), tell.clone());
            let work = move || {
                // The standard library asks for randomness at each thread's first use of a map.
                drop(std::hash::RandomState::new());
                let _ = tell.send(());
                loop {
                    let job = receiver.lock().unwrap_or_else(|e| e.into_inner()).recv();
                    let Some(job) = job else { return };
                    job();
                    if let Some(pool) = POOL.get() {
                        pool.idle.fetch_add(1, Ordering::Release);
                    }
                }
            };
            std::thread::Builder::new().name("pinfold".into()).stack_size(STACK).spawn(work)
        })
        .collect();
    restore_signals(&before);
    started?;
    Ok(Starting { count, ready })
}

fn block_signals() -> libc::sigset_t {
    // SAFETY: plain calls on sets of our own.
    unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        before
    }
}

fn restore_signals(before: &libc::sigset_t) {
    // SAFETY: a set of our own.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
}

/// How many threads can work at a time, the calling one among them.
pub fn available() -> usize {
    static AVAILABLE: OnceLock<usize> = OnceLock::new();
    *AVAILABLE.get_or_init(|| rustix::thread::sched_getaffinity(None).map_or(1, |cores| cores.count() as usize).max(1))
}

/// Gives a job to a thread; `false` if there is none to be had.
pub fn spawn(job: impl FnOnce() + Send + 'static) -> bool {
    match POOL.get() {
        None => std::thread::Builder::new().name("pinfold".into()).stack_size(STACK).spawn(job).is_ok(),
        Some(pool) => {
            let take = |idle: usize| idle.checked_sub(1);
            pool.idle.fetch_update(Ordering::Acquire, Ordering::Relaxed, take).is_ok()
                && pool.jobs.send(Box::new(job)).is_ok()
        }
    }
}

/// What a scope waits for.
#[derive(Default)]
struct Latch {
    running: Mutex<usize>,
    ended: Condvar,
}

/// Counts a helper down when it ends, however it does.
struct Running(Arc<Latch>);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.running.lock().unwrap_or_else(|e| e.into_inner()) -= 1;
        self.0.ended.notify_all();
    }
}

/// Waits for all helpers, however the scope is left.
struct Waiting<'a>(&'a Latch);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut running = self.0.running.lock().unwrap_or_else(|e| e.into_inner());
        while *running > 0 {
            running = self.0.ended.wait(running).unwrap_or_else(|e| e.into_inner());
        }
    }
}

/// Runs the same work here and on up to this many other threads, and waits for all. A panic of a helper is passed on.
pub fn share(helpers: usize, work: &(dyn Fn() + Sync)) {
    if helpers == 0 {
        return work();
    }
    let latch = Arc::new(Latch::default());
    let panics = Arc::new(Mutex::new(None));
    let waiting = Waiting(&latch);
    for _ in 0..helpers {
        *latch.running.lock().unwrap_or_else(|e| e.into_inner()) += 1;
        let (running, panics) = (Running(latch.clone()), panics.clone());
        // SAFETY: `waiting` keeps this function from ending before every helper has.
        let work: &'static (dyn Fn() + Sync) = unsafe { std::mem::transmute(work) };
        let job = move || {
            if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                *panics.lock().unwrap_or_else(|e| e.into_inner()) = Some(panic);
            }
            drop(running);
        };
        if !spawn(job) {
            break;
        }
    }
    work();
    drop(waiting);
    let panic = panics.lock().unwrap_or_else(|e| e.into_inner()).take();
    if let Some(panic) = panic {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a job on another thread, which has a stack that it can rely on, and waits for it. `None` also if there is no thread.
pub fn apart<R: Send>(job: impl FnOnce() -> Option<R> + Send) -> Option<R> {
    let result = Mutex::new(None);
    let latch = Arc::new(Latch::default());
    *latch.running.lock().unwrap_or_else(|e| e.into_inner()) += 1;
    let running = Running(latch.clone());
    {
        let waiting = Waiting(&latch);
        let result = &result;
        let job: Box<dyn FnOnce() + Send + '_> = Box::new(move || {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
            *result.lock().unwrap_or_else(|e| e.into_inner()) = done.ok().flatten();
            drop(running);
        });
        // SAFETY: `waiting` keeps this block from ending before the job has.
        let job: Job = unsafe { std::mem::transmute(job) };
        // A job that finds no thread is dropped, and with it what counts it.
        spawn(job);
        drop(waiting);
    }
    result.into_inner().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_shared_and_waited_for() {
        let next = AtomicUsize::new(0);
        let sum = AtomicUsize::new(0);
        share(3, &|| {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= 1000 {
                    return;
                }
                sum.fetch_add(n, Ordering::Relaxed);
            }
        });
        assert_eq!(sum.into_inner(), 499_500);
    }

    #[test]
    fn a_panic_of_a_helper_comes_back() {
        let here = std::thread::current().id();
        let work = || assert_eq!(std::thread::current().id(), here, "a helper");
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| share(1, &work))).is_err());
        assert_eq!(apart(|| Some(5)), Some(5));
        assert_eq!(apart(|| -> Option<i32> { panic!("a job") }), None);
    }
}
