//! The payload: a worker that was taken over. It does what the worker does until all walls are up, and attacks then.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};

use pinfold::job::{EndKind, Ending, Job, Message, descriptors};
use pinfold_sandbox::{Plan, inside};
use pinfold_vm::module::Bytes;

use crate::attack::{Attack, Attempt, Failure, Ground, Moment, Targets, sys};

/// Codes by which the payload says how its attack ended.
pub const ESCAPED: u8 = 0;
pub const REFUSED: u8 = 1;
pub const LACKS: u8 = 2;
pub const NO_START: u8 = 3;

/// Addresses that are set aside before lock-down, as a worker's heap is.
pub const RESERVED: usize = 1 << 30;
static RESERVE: AtomicUsize = AtomicUsize::new(0);

/// Memory after lock-down: the C library's allocator would make calls of its own, which would look like attacks.
const BUMP: usize = 8 << 20;
struct Bump {
    memory: UnsafeCell<[u8; BUMP]>,
    used: AtomicUsize,
    locked: AtomicBool,
}

// SAFETY: each part of the memory is handed out once.
unsafe impl Sync for Bump {}

#[global_allocator]
static HEAP: Bump =
    Bump { memory: UnsafeCell::new([0; BUMP]), used: AtomicUsize::new(0), locked: AtomicBool::new(false) };

impl Bump {
    fn owns(&self, at: *mut u8) -> bool {
        (at as usize).wrapping_sub(self.memory.get() as usize) < BUMP
    }
}

// SAFETY: the system's allocator, and after lock-down parts of a static that are never handed out again.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !self.locked.load(Ordering::Relaxed) {
            // SAFETY: by contract.
            return unsafe { System.alloc(layout) };
        }
        let wanted = layout.size() + layout.align();
        let used = self.used.fetch_add(wanted, Ordering::Relaxed);
        if used + wanted > BUMP {
            return std::ptr::null_mut();
        }
        let start = self.memory.get() as usize + used;
        start.next_multiple_of(layout.align()) as *mut u8
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // What was had before is not given back after: that could take a call.
        if !self.owns(at) && !self.locked.load(Ordering::Relaxed) {
            // SAFETY: by contract; it came from the system's allocator.
            unsafe { System.dealloc(at, layout) };
        }
    }
}

/// The address range that was set aside.
pub fn reserve() -> usize {
    RESERVE.load(Ordering::Relaxed)
}

/// A number of a call that the other thread is to make, and what it gave.
static ORDER: AtomicU32 = AtomicU32::new(u32::MAX);
static ANSWER: AtomicI64 = AtomicI64::new(i64::MIN);

/// Has the thread that was there before the filter make a call without arguments.
pub fn on_other_thread(number: i64) -> io::Result<i64> {
    ORDER.store(number as u32, Ordering::SeqCst);
    sys!(libc::SYS_futex, ORDER.as_ptr(), libc::FUTEX_WAKE, 1)?;
    loop {
        match ANSWER.load(Ordering::SeqCst) {
            i64::MIN => std::hint::spin_loop(),
            -1 => return Err(io::ErrorKind::PermissionDenied.into()),
            other => return Ok(other),
        }
    }
}

/// Whether the other thread has come to its waiting: the C library makes calls of its own before.
static WAITS: AtomicBool = AtomicBool::new(false);

fn other_thread() {
    WAITS.store(true, Ordering::SeqCst);
    while ORDER.load(Ordering::SeqCst) == u32::MAX {
        let _ = sys!(libc::SYS_futex, ORDER.as_ptr(), libc::FUTEX_WAIT, u32::MAX, 0);
    }
    let order = ORDER.load(Ordering::SeqCst);
    ANSWER.store(sys!(order as i64).unwrap_or(-1), Ordering::SeqCst);
    loop {
        let _ = sys!(libc::SYS_futex, ORDER.as_ptr(), libc::FUTEX_WAIT, order, 0);
    }
}

/// Says something to the supervisor.
pub fn send(message: &Message) -> io::Result<()> {
    say(&serde_json::to_vec(message)?)
}

/// Sends a datagram.
pub fn say(text: &[u8]) -> io::Result<()> {
    sys!(libc::SYS_write, descriptors::CHANNEL, text.as_ptr(), text.len()).map(drop)
}

/// What is said at the end.
pub fn ending(code: u8, message: String) -> Ending {
    Ending::new(EndKind::Exit, code, Some(message))
}

/// The program that a payload gets: the attack's name, and what there is to aim at.
pub fn program(attack: &Attack, targets: &Targets) -> io::Result<Bytes> {
    let file = rustix::fs::memfd_create(c"attack", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = File::from(file);
    file.write_all(attack.name.as_bytes())?;
    file.write_all(b"\n")?;
    file.write_all(&serde_json::to_vec(targets)?)?;
    io::Seek::rewind(&mut file)?;
    Bytes::sealed(&mut file, u64::MAX)
}

/// What stands in the place of the worker's `main`.
pub fn main() -> ! {
    let (code, message) = match work() {
        Ok(Ok(got)) => (ESCAPED, got),
        Ok(Err(Failure::Refused(why))) => (REFUSED, why),
        Ok(Err(Failure::Lacks(what))) => (LACKS, what),
        Err(error) => (NO_START, error.to_string()),
    };
    let _ = send(&Message::Ended(ending(code, message)));
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(code.into()) }
}

fn work() -> Result<Attempt, Box<dyn std::error::Error>> {
    // SAFETY: whoever starts a worker gives it these; nobody else uses them.
    let [job, program] =
        unsafe { [descriptors::JOB, descriptors::PROGRAM].map(|fd| <OwnedFd as FromRawFd>::from_raw_fd(fd)) };
    let Job { plan, .. } = serde_json::from_slice(&Bytes::of_sealed(job)?)?;
    let bytes = std::mem::ManuallyDrop::new(Bytes::of_sealed(program)?);
    // The standard library's handlers would say what happened, with calls that are not allowed; a worker has none of them.
    // SAFETY: plain calls.
    unsafe {
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        libc::signal(libc::SIGBUS, libc::SIG_DFL);
    }
    inside::enter(&plan)?;
    std::thread::spawn(other_thread);
    while !WAITS.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    // SAFETY: a fresh mapping, of addresses only.
    let reserve = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        libc::mmap(std::ptr::null_mut(), RESERVED, libc::PROT_NONE, flags, -1, 0)
    };
    RESERVE.store(reserve as usize, Ordering::Relaxed);
    let folder = inside::places(&plan).next();
    let listener = inside::lock(&plan)?.map(IntoRawFd::into_raw_fd);
    HEAP.locked.store(true, Ordering::SeqCst);
    let has = |name: &str| plan.syscalls.iter().any(|(known, _)| known == name);
    crate::files::STEPWISE.store(has("openat") && !has("openat2"), Ordering::Relaxed);
    // From here on it is what an attacker would do.
    if let Some((crate::forms::PROGRAM, call)) = std::str::from_utf8(&bytes)?.split_once('\n') {
        announce(&plan, listener)?;
        return Ok(crate::forms::make(call)?);
    }
    let (name, targets) = read_program(&bytes)?;
    let attack = crate::all().into_iter().flat_map(|(_, attacks)| attacks).find(|attack| attack.name == name);
    let attack = attack.ok_or("there is no such attack")?;
    let ground = Ground { targets: &targets, plan: &plan, folder, listener };
    if attack.moment == Moment::Running {
        announce(&plan, listener)?;
    }
    Ok((attack.run)(&ground))
}

/// Says that all walls are up, and waits for the supervisor's word.
pub fn announce(plan: &Plan, listener: Option<i32>) -> io::Result<()> {
    send(&Message::Locked { listener })?;
    inside::seal(plan).map_err(|error| error.error)?;
    // SAFETY: the channel is the process's; it is not closed.
    let mut channel = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(descriptors::CHANNEL) });
    channel.read_exact(&mut [0])
}

/// What an attack runs that can run programs: the escape is that this is reached.
pub fn escaped_program() -> ! {
    let _ = send(&Message::Ended(ending(ESCAPED, "another program runs".into())));
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(0) }
}

fn read_program(bytes: &[u8]) -> Result<(&str, Targets), Box<dyn std::error::Error>> {
    let text = std::str::from_utf8(bytes)?;
    let (name, targets) = text.split_once('\n').ok_or("there are no targets")?;
    Ok((name, serde_json::from_str(targets)?))
}
