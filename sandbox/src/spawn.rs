//! Making the confined process: in namespaces of its own, with the descriptors that were meant for it and nothing else.
//!
//! The process is forked and at once runs another program, from a descriptor: what was in memory here is not there, and a
//! maker with threads is no harm. Between the two it makes system calls only.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::cgroup::{self, Cgroup};
use crate::error::{Context, LayerError, check};
use crate::plan::{Layer, Layers};
use crate::{descriptors, namespaces};

/// What is to be run.
pub struct Launch<'a> {
    /// The program.
    pub program: BorrowedFd<'a>,
    /// Its arguments, its name first.
    pub arguments: &'a [&'a CStr],
    /// Its descriptors: the first becomes number 0, and so on.
    pub descriptors: &'a [BorrowedFd<'a>],
    /// The namespaces among these are made for it, or prepared.
    pub layers: Layers,
}

/// A process that was made. Dropping this does not end it; see [`Child::kill`].
#[derive(Debug)]
pub struct Child {
    /// Its number, here.
    pub pid: i32,
    /// Stands for the process even when its number is another's.
    pub pidfd: OwnedFd,
}

/// Why a process could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A layer.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// Something else.
    #[error("the confined process cannot be made: {what}: {error}")]
    Other {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        #[source]
        error: io::Error,
    },
}

/// From `linux/sched.h`: wider than what the C library has for it.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// Steps of the new process before it runs the program, as numbers in its report.
const STEPS: [&str; 7] = [
    "wait for its identity",
    "place its descriptors",
    "start a session",
    "close the others",
    "run it",
    "enter its cgroup",
    "hide its cgroup",
];
const ENTER: u8 = 5;
const HIDE: u8 = 6;

/// Where the new process is among cgroups.
struct Place<'a> {
    /// What it enters groups by.
    seats: &'a [RawFd],
    /// Whether its own group is the root of those that it can name.
    hides: bool,
}

fn other(what: &'static str) -> impl FnOnce(io::Error) -> SpawnError {
    move |error| SpawnError::Other { what, error }
}

/// `struct clone_args`, as of version 2.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Makes the process, in no other cgroup than its maker's.
///
/// # Errors
/// See [`spawn_in`].
pub fn spawn(launch: &Launch<'_>) -> Result<Child, SpawnError> {
    spawn_in(launch, None).map(|(child, _)| child)
}

/// Makes the process, in a cgroup from its beginning with all that it will make, and in all namespaces but that of the network, which
/// [`inside::enter`](crate::inside::enter) enters. It is killed when the calling thread ends, except at the very beginning: a program
/// that must not be left over waits for a word from its maker before it does its work.
///
/// # Errors
/// If the kernel refuses anything; nothing is left then.
pub fn spawn_in(launch: &Launch<'_>, cgroup: Option<Cgroup>) -> Result<(Child, Option<Cgroup>), SpawnError> {
    // Everything that the child uses is made before it is, since it must not allocate.
    let mut arguments: Vec<*const libc::c_char> = launch.arguments.iter().map(|argument| argument.as_ptr()).collect();
    arguments.push(std::ptr::null());
    let environment = [std::ptr::null::<libc::c_char>()];
    let work = Work::Program { fd: launch.program.as_raw_fd(), arguments: &arguments, environment: &environment };
    // SAFETY: another program is run at once.
    unsafe { make(work, launch.descriptors, launch.layers, cgroup) }
}

/// Makes the process as [`spawn_in`] does, but for what it does: work in a copy of the memory of its maker. It ends when that returns.
///
/// # Errors
/// If the kernel refuses anything; nothing is left then.
///
/// # Safety
/// The calling process has one thread: what another one was doing would never be finished in the copy.
pub unsafe fn spawn_here(
    work: &mut dyn FnMut(),
    descriptors: &[BorrowedFd<'_>],
    layers: Layers,
    cgroup: Option<Cgroup>,
) -> Result<(Child, Option<Cgroup>), SpawnError> {
    // SAFETY: by contract.
    unsafe { make(Work::Here(work), descriptors, layers, cgroup) }
}

/// What a new process does.
enum Work<'a> {
    Program { fd: RawFd, arguments: &'a [*const libc::c_char], environment: &'a [*const libc::c_char] },
    Here(&'a mut dyn FnMut()),
}

/// Makes a process.
///
/// # Safety
/// See [`spawn_here`], unless it is another program.
unsafe fn make(
    mut work: Work<'_>,
    descriptors: &[BorrowedFd<'_>],
    layers: Layers,
    cgroup: Option<Cgroup>,
) -> Result<(Child, Option<Cgroup>), SpawnError> {
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (ready, go) = pipe().map_err(io::Error::from).map_err(other("make a pipe"))?;
    let (report, failed) = pipe().map_err(io::Error::from).map_err(other("make a pipe"))?;
    let mut wanted: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    // Where it is no program that is run, the place is another's, and closed.
    let program = if let Work::Program { fd, .. } = work { fd } else { failed.as_raw_fd() };
    wanted.extend([program, ready.as_raw_fd(), failed.as_raw_fd()]);

    let mut stack = vec![0u8; if layers.has(Layer::Net) { namespaces::NETWORK_STACK } else { 0 }];
    let stack = stack.as_mut_ptr_range();
    let network = (stack.start != stack.end).then_some(stack.end);

    let mut pidfd: RawFd = -1;
    // The root of a cgroup namespace is where its maker is: the child makes it itself, once it is in its place.
    let cloned = layers.without(Layer::CgroupNs).without(Layer::Net);
    let mut clone = CloneArgs {
        flags: namespaces::clone_flags(cloned) | libc::CLONE_PIDFD as u64,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    let seats = cgroup.as_ref().map_or(Ok(Vec::new()), Cgroup::seats).context(Layer::Cgroup, "open a group")?;
    let seats: Vec<RawFd> = seats.iter().map(AsRawFd::as_raw_fd).collect();
    if let Some(place) = cgroup.as_ref().and_then(Cgroup::place) {
        clone.flags |= CLONE_INTO_CGROUP;
        clone.cgroup = place.as_raw_fd() as u64;
    }
    let place = Place { seats: &seats, hides: layers.has(Layer::CgroupNs) };
    // SAFETY: without shared memory this is a fork: the child has a copy of this stack, and keeps to system calls.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut clone, size_of::<CloneArgs>()) };
    if pid == 0 {
        // SAFETY: the child, with all that it needs at hand.
        unsafe { child(&mut wanted, go.as_raw_fd(), &place, network, &mut work) }
    }
    let pid = match check(pid) {
        Ok(pid) => pid as i32,
        Err(error) => return Err(not_cloned(layers, error)),
    };
    // SAFETY: the kernel made it for us.
    let child = Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } };
    drop((ready, failed));
    // While the child is on its way there.
    let limited = cgroup.as_ref().map_or(Ok(()), Cgroup::limit).map_err(SpawnError::from);
    match limited.and_then(|()| start(&child, layers, &go, &report)) {
        Ok(()) => Ok((child, cgroup)),
        Err(error) => {
            child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// What the kernel did not give: a namespace, if it was asked for one.
fn not_cloned(layers: Layers, error: io::Error) -> SpawnError {
    match layers.iter().find(|layer| layer.clone_flag() != 0) {
        Some(layer) => LayerError { layer, what: "make a process in namespaces", error }.into(),
        None => SpawnError::Other { what: "clone", error },
    }
}

/// Gives the child its identity, lets it go on, and waits until it runs the program.
fn start(child: &Child, layers: Layers, go: &OwnedFd, report: &OwnedFd) -> Result<(), SpawnError> {
    let identity = if layers.has(Layer::User) { namespaces::map_identity(child.pid) } else { Ok(()) };
    let goes_on = identity
        .map_err(SpawnError::from)
        .and_then(|()| rustix::io::write(go, b"g").map(drop).map_err(io::Error::from).map_err(other("let it go on")));
    if goes_on.is_err() {
        // It may be gone, and has said why, or wait for ever.
        child.kill();
    }
    let mut message = [0u8; 5];
    match rustix::io::read(report, &mut message).map_err(io::Error::from).map_err(other("wait for it"))? {
        // The pipe was closed when the program started.
        0 => goes_on,
        _ => {
            let [step, errno @ ..] = message;
            let what = STEPS.get(usize::from(step)).copied().unwrap_or("start");
            let error = io::Error::from_raw_os_error(i32::from_le_bytes(errno));
            Err(match step {
                ENTER => LayerError { layer: Layer::Cgroup, what, error }.into(),
                HIDE => LayerError { layer: Layer::CgroupNs, what, error }.into(),
                _ => SpawnError::Other { what, error },
            })
        }
    }
}

/// What the child does before it is the program. Never returns.
///
/// # Safety
/// The process was just forked. `descriptors` ends with the program, the pipe to wait on, and the pipe to report on; `go` is
/// the other end of the former. `network` is the stack of a helper that makes a network namespace.
unsafe fn child(
    descriptors: &mut [RawFd],
    go: RawFd,
    place: &Place<'_>,
    network: Option<*mut u8>,
    work: &mut Work<'_>,
) -> ! {
    let count = descriptors.len();
    let failed = descriptors[count - 1];
    let step = |step: u8, result: i64| -> i64 {
        if result >= 0 {
            return result;
        }
        // SAFETY: system calls only.
        unsafe {
            let errno = *libc::__errno_location();
            let mut message = [step; 5];
            message[1..].copy_from_slice(&errno.to_le_bytes());
            libc::write(failed, message.as_ptr().cast(), message.len());
            libc::_exit(127)
        }
    };
    // SAFETY: system calls only, with valid arguments.
    unsafe {
        // Whoever made this process may be gone at any time. Before it lets this process go on, that is seen by the pipe's end, which
        // only comes if it is not held open here. Between that and this call it is not seen at all: see [`spawn`].
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::close(go);
        for seat in place.seats {
            step(ENTER, libc::write(*seat, cgroup::ITSELF.as_ptr().cast(), cgroup::ITSELF.len()) as i64);
        }
        let mut byte = 0u8;
        // The end of the pipe: whoever made this process is gone.
        if step(0, libc::read(descriptors[count - 2], (&raw mut byte).cast(), 1) as i64) == 0 {
            libc::_exit(127);
        }
        if place.hides {
            step(HIDE, libc::unshare(libc::CLONE_NEWCGROUP).into());
        }
        if let Some(stack) = network {
            namespaces::prepare_network(stack);
        }
        // First out of each other's way, then to their places.
        let above = count as i32 + 3;
        for fd in descriptors.iter_mut() {
            *fd = step(1, libc::fcntl(*fd, libc::F_DUPFD_CLOEXEC, above).into()) as i32;
        }
        let failed = descriptors[count - 1];
        let own = count - 3;
        for (number, fd) in descriptors[..own].iter().enumerate() {
            step(1, libc::dup2(*fd, number as i32).into());
        }
        let program = own as i32;
        step(1, libc::dup3(descriptors[own], program, libc::O_CLOEXEC).into());
        step(1, libc::dup3(failed, program + 1, libc::O_CLOEXEC).into());
        step(2, libc::setsid().into());
        if descriptors::close_from(program as u32 + 2).is_err() {
            step(3, -1);
        }
        reset_signals();
        match work {
            Work::Program { arguments, environment, .. } => {
                let (arguments, environment) = (arguments.as_ptr(), environment.as_ptr());
                let flags = libc::AT_EMPTY_PATH;
                step(4, libc::syscall(libc::SYS_execveat, program, c"".as_ptr(), arguments, environment, flags));
            }
            Work::Here(work) => {
                // To whoever waits this is the beginning.
                libc::close(program);
                libc::close(program + 1);
                work();
            }
        }
        libc::_exit(127)
    }
}

/// Signals that were ignored or blocked here are not for the program.
///
/// # Safety
/// The process was just forked.
unsafe fn reset_signals() {
    // SAFETY: system calls only.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
        // Handlers end with this program; what is ignored stays so, and Rust ignores this one.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// What a process took, from its beginning to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Most bytes of memory that it had at a time.
    pub peak_memory: u64,
    /// Time of all processors, its own and the kernel's for it.
    pub processor: Duration,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Child {
    /// Kills it, and with it all others of its process namespace.
    pub fn kill(&self) {
        let _ = self.signal(libc::SIGKILL);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        let null = std::ptr::null::<libc::c_void>();
        // SAFETY: valid arguments.
        check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.pidfd.as_raw_fd(), signal, null, 0) }).map(drop)
    }

    /// Processor time that it has used, without that of processes that it made; also after its end, until that was waited for.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        // A process's clock by its number, as `clock_getcpuclockid(3)` makes it.
        let clock = !self.pid << 3 | 2;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a valid place for the answer.
        check(unsafe { libc::clock_gettime(clock, &raw mut time) })?;
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    /// Waits for its end.
    pub fn wait(&self) -> io::Result<Exit> {
        self.wait_measured().map(|(exit, _)| exit)
    }

    /// Waits for its end, and tells what it took.
    pub fn wait_measured(&self) -> io::Result<(Exit, Usage)> {
        // SAFETY: all-zero is a valid siginfo_t, and a valid rusage.
        let (mut info, mut usage): (libc::siginfo_t, libc::rusage) = unsafe { std::mem::zeroed() };
        loop {
            let (pidfd, info, usage) = (self.pidfd.as_raw_fd(), &raw mut info, &raw mut usage);
            // SAFETY: a descriptor of ours and valid places for the answers. The C library's function knows nothing of the last.
            let waited = unsafe { libc::syscall(libc::SYS_waitid, libc::P_PIDFD, pidfd, info, libc::WEXITED, usage) };
            match check(waited) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            break;
        }
        // SAFETY: filled by the kernel.
        let status = unsafe { info.si_status() };
        let exit = if info.si_code == libc::CLD_EXITED { Exit::Code(status) } else { Exit::Signal(status) };
        let time = |time: libc::timeval| Duration::from_micros(time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64);
        let processor = time(usage.ru_utime) + time(usage.ru_stime);
        Ok((exit, Usage { peak_memory: usage.ru_maxrss as u64 * 1024, processor }))
    }

    /// Takes a copy of one of its descriptors.
    pub fn descriptor(&self, number: RawFd) -> io::Result<OwnedFd> {
        // SAFETY: valid arguments; the result is a descriptor of ours.
        let fd = check(unsafe { libc::syscall(libc::SYS_pidfd_getfd, self.pidfd.as_raw_fd(), number, 0) })?;
        // SAFETY: just made by the kernel.
        Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}
