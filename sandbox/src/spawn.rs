//! Making the confined process: in namespaces of its own, with the descriptors that were meant for it and nothing else.
//!
//! The process at once runs another program, from a descriptor: what was in memory here is not there, and a maker with threads is no
//! harm. Until then it makes system calls only, in the memory of its maker, which waits: to copy that, or a part, would be for nothing.

use std::ffi::{CStr, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::cgroup::{self, Cgroup};
use crate::clone::{self, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP, CloneArgs};
use crate::error::{Context, LayerError, check};
use crate::namespaces::Identity;
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
    /// The namespaces among these are made for it, but that of the network.
    pub layers: Layers,
    /// Whether the program is trusted until it has called [`inside::enter`](crate::inside::enter), and does so at once. The network
    /// namespace, which takes longest, is then prepared for it, by a process beside it that shares the memory of the calling one, and is
    /// gone after that call.
    pub enters: bool,
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

/// Bytes of stack for what a new process does in the memory of its maker.
const STACK: usize = 32 << 10;

/// Steps of the new process before it runs the program, as numbers in its report; those of its identity follow.
const STEPS: [&str; 6] =
    ["place its descriptors", "start a session", "close the others", "run it", "enter its cgroup", "hide its cgroup"];
const PLACE: u8 = 0;
const SESSION: u8 = 1;
const CLOSE: u8 = 2;
const RUN: u8 = 3;
const ENTER: u8 = 4;
const HIDE: u8 = 5;

/// What the new process is to be.
struct Start<'a> {
    /// Its descriptors, then the program, then the pipe to report on.
    descriptors: Vec<RawFd>,
    identity: Option<Identity>,
    /// What it enters groups by.
    seats: Vec<RawFd>,
    /// Whether its own group is the root of those that it can name.
    hides: bool,
    /// Whether it will want a network namespace.
    network: bool,
    work: Work<'a>,
}

fn other(what: &'static str) -> impl FnOnce(io::Error) -> SpawnError {
    move |error| SpawnError::Other { what, error }
}

/// Makes the process, in no other cgroup than its maker's.
///
/// # Errors
/// See [`spawn_in`].
pub fn spawn(launch: &Launch<'_>) -> Result<Child, SpawnError> {
    spawn_in(launch, None).map(|(child, _)| child)
}

/// Makes the process, in a cgroup from its beginning with all that it will make, and in all namespaces but that of the network, which
/// [`inside::enter`](crate::inside::enter) enters. It is killed when the calling thread ends, except at the very beginning, and the limits
/// of its cgroup hold when this returns: a program that must not be left over, or begin before, waits for a word from its maker.
///
/// # Errors
/// If the kernel refuses anything; nothing is left then.
pub fn spawn_in(launch: &Launch<'_>, cgroup: Option<Cgroup>) -> Result<(Child, Option<Cgroup>), SpawnError> {
    let child = start(launch, cgroup.as_ref(), true)?;
    Ok((child, cgroup))
}

/// Makes the process as [`spawn_in`] does, beside others in a cgroup whose limits hold already.
///
/// # Errors
/// If the kernel refuses anything; nothing is left then.
pub fn spawn_beside(launch: &Launch<'_>, cgroup: Option<&Cgroup>) -> Result<Child, SpawnError> {
    start(launch, cgroup, false)
}

fn start(launch: &Launch<'_>, cgroup: Option<&Cgroup>, limits: bool) -> Result<Child, SpawnError> {
    // Everything that the child uses is made before it is, since it must not allocate.
    let mut arguments: Vec<*const libc::c_char> = launch.arguments.iter().map(|argument| argument.as_ptr()).collect();
    arguments.push(std::ptr::null());
    let environment = [std::ptr::null::<libc::c_char>()];
    let work = Work::Program { fd: launch.program.as_raw_fd(), arguments: &arguments, environment: &environment };
    // SAFETY: another program is run at once.
    unsafe { make(work, launch.descriptors, launch.layers, launch.enters, cgroup, limits) }
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
    let child = unsafe { make(Work::Here(work), descriptors, layers, true, cgroup.as_ref(), true) }?;
    Ok((child, cgroup))
}

/// What a new process does.
enum Work<'a> {
    Program { fd: RawFd, arguments: &'a [*const libc::c_char], environment: &'a [*const libc::c_char] },
    Here(&'a mut dyn FnMut()),
}

/// Makes a process, in a cgroup whose limits are yet to be set, or not.
///
/// # Safety
/// See [`spawn_here`], unless it is another program.
unsafe fn make(
    work: Work<'_>,
    descriptors: &[BorrowedFd<'_>],
    layers: Layers,
    enters: bool,
    cgroup: Option<&Cgroup>,
    limits: bool,
) -> Result<Child, SpawnError> {
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (report, failed) = pipe.map_err(io::Error::from).map_err(other("make a pipe"))?;
    let mut wanted: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    // Where it is no program that is run, the place is another's, and closed.
    let program = if let Work::Program { fd, .. } = work { fd } else { failed.as_raw_fd() };
    wanted.extend([program, failed.as_raw_fd()]);

    let mut pidfd: RawFd = -1;
    // The root of a cgroup namespace is where its maker is: the child makes it itself, once it is in its place.
    let cloned = layers.without(Layer::CgroupNs).without(Layer::Net);
    let mut how = CloneArgs {
        flags: namespaces::clone_flags(cloned) | libc::CLONE_PIDFD as u64,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    let mut stack = Vec::<MaybeUninit<u8>>::new();
    if let Work::Program { .. } = work {
        stack.reserve_exact(STACK);
        how.flags |= CLONE_CLEAR_SIGHAND | (libc::CLONE_VM | libc::CLONE_VFORK) as u64;
        how.stack = stack.as_mut_ptr() as u64;
        how.stack_size = (stack.capacity() & !0xf) as u64;
    }
    let seats = cgroup.map_or(Ok(Vec::new()), Cgroup::seats).context(Layer::Cgroup, "open a group")?;
    if let Some(place) = cgroup.and_then(Cgroup::place) {
        how.flags |= CLONE_INTO_CGROUP;
        how.cgroup = place.as_raw_fd() as u64;
    }
    let mut start = Start {
        descriptors: wanted,
        identity: layers.has(Layer::User).then(Identity::of_maker),
        seats: seats.iter().map(AsRawFd::as_raw_fd).collect(),
        hides: layers.has(Layer::CgroupNs),
        network: enters && layers.has(Layer::Net),
        work,
    };
    // SAFETY: what `begin` needs is at hand until it is another program, or it has a copy.
    let pid = unsafe { clone::call(&how, begin, (&raw mut start).cast()) };
    let pid = pid.map_err(|error| not_cloned(layers, error))?;
    // SAFETY: the kernel made it for us.
    let child = Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } };
    drop((failed, seats));
    // While the program starts.
    let limited = cgroup.filter(|_| limits).map_or(Ok(()), Cgroup::limit).map_err(SpawnError::from);
    match limited.and_then(|()| has_begun(&report)) {
        Ok(()) => Ok(child),
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

/// Waits until the child runs the program, or has said why not.
fn has_begun(report: &OwnedFd) -> Result<(), SpawnError> {
    let mut message = [0u8; 5];
    // The pipe is closed when the program starts.
    if rustix::io::read(report, &mut message).map_err(io::Error::from).map_err(other("wait for it"))? == 0 {
        return Ok(());
    }
    let [step, errno @ ..] = message;
    let (step, error) = (usize::from(step), io::Error::from_raw_os_error(i32::from_le_bytes(errno)));
    let identity = step.checked_sub(STEPS.len()).and_then(|step| namespaces::IDENTITY.get(step));
    let (what, layer) = match (STEPS.get(step), identity) {
        (Some(what), _) if step == usize::from(ENTER) => (*what, Some(Layer::Cgroup)),
        (Some(what), _) if step == usize::from(HIDE) => (*what, Some(Layer::CgroupNs)),
        (Some(what), _) => (*what, None),
        (None, Some((_, what))) => (*what, Some(Layer::User)),
        (None, None) => ("start", None),
    };
    Err(match layer {
        Some(layer) => LayerError { layer, what, error }.into(),
        None => SpawnError::Other { what, error },
    })
}

/// What the child does before it is the program.
///
/// # Safety
/// The process was just made, and `start` is a [`Start`] that nobody else uses.
unsafe extern "C" fn begin(start: *mut c_void) -> ! {
    // SAFETY: by contract.
    let Start { descriptors, identity, seats, hides, network, work } = unsafe { &mut *start.cast::<Start<'_>>() };
    let count = descriptors.len();
    let failed = descriptors[count - 1];
    let step = |step: u8, result: i64| -> i64 {
        if result >= 0 {
            return result;
        }
        // SAFETY: system calls only.
        unsafe { give_up(failed, step, *libc::__errno_location()) }
    };
    // SAFETY: system calls only, with valid arguments.
    unsafe {
        // Whoever made this process may be gone at any time. Before this call that is not seen: see [`spawn_in`].
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if *network {
            namespaces::prepare_network();
        }
        if let Some(Err((index, error))) = identity.as_ref().map(Identity::take) {
            give_up(failed, (STEPS.len() + index) as u8, error.raw_os_error().unwrap_or(0));
        }
        for seat in seats {
            step(ENTER, libc::write(*seat, cgroup::ITSELF.as_ptr().cast(), cgroup::ITSELF.len()) as i64);
        }
        if *hides {
            step(HIDE, libc::unshare(libc::CLONE_NEWCGROUP).into());
        }
        // First out of each other's way, then to their places.
        let above = count as i32 + 2;
        for fd in descriptors.iter_mut() {
            *fd = step(PLACE, libc::fcntl(*fd, libc::F_DUPFD_CLOEXEC, above).into()) as i32;
        }
        let failed = descriptors[count - 1];
        let own = count - 2;
        for (number, fd) in descriptors[..own].iter().enumerate() {
            step(PLACE, libc::dup2(*fd, number as i32).into());
        }
        let program = own as i32;
        step(PLACE, libc::dup3(descriptors[own], program, libc::O_CLOEXEC).into());
        step(PLACE, libc::dup3(failed, program + 1, libc::O_CLOEXEC).into());
        step(SESSION, libc::setsid().into());
        if descriptors::close_from(program as u32 + 2).is_err() {
            step(CLOSE, -1);
        }
        reset_signals();
        match work {
            Work::Program { arguments, environment, .. } => {
                let (arguments, environment) = (arguments.as_ptr(), environment.as_ptr());
                let flags = libc::AT_EMPTY_PATH;
                step(RUN, libc::syscall(libc::SYS_execveat, program, c"".as_ptr(), arguments, environment, flags));
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

/// Ends a process that cannot be what it is to be, and tells why.
///
/// # Safety
/// The process was just made; `failed` is the pipe to report on.
unsafe fn give_up(failed: RawFd, step: u8, errno: i32) -> ! {
    let mut message = [step; 5];
    message[1..].copy_from_slice(&errno.to_le_bytes());
    // SAFETY: system calls only.
    unsafe {
        libc::write(failed, message.as_ptr().cast(), message.len());
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
