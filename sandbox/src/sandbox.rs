//! Confining a closure, or a program, in a few lines: what the other modules do, in the order in which it is done.
//!
//! ```text
//!  Sandbox::run, execute                        confined process
//!       │ fork: one thread only                       │ inside::enter, lock
//!       │ ◄──────────── where the listener is ────────┤
//!       ├───────────────────── go on ────────────────►│ inside::seal
//!       │ ◄── output, errors, value, refused calls ───┤ the closure, or execve
//!    Outcome
//! ```

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::cgroup::Cgroup;
use crate::groups;
use crate::notify::{Listener, Violation};
use crate::plan::{Access, Directory, Layer, Layers, Limits, Plan};
use crate::seccomp::{Filter, Refusal, UnknownSyscall};
use crate::spawn::{Child, Exit, SpawnError, spawn_here};
use crate::{inside, mounts};

/// The channel's number in the confined process.
const CHANNEL: RawFd = 3;
/// Bytes of a message.
const CHUNK: usize = 32 << 10;
/// The exit code of a process that could not be confined, or not run what it was to run.
const NOT_STARTED: i32 = 125;

/// How to confine something. Everything is forbidden that is not allowed here.
///
/// ```standalone_crate
/// use pinfold_sandbox::{Sandbox, Verdict};
///
/// // Nothing is there but memory and what the closure took along.
/// let outcome = Sandbox::new().run(|| b"made inside".to_vec())?;
/// assert_eq!((outcome.verdict, outcome.value.as_slice()), (Verdict::Exited(0), &b"made inside"[..]));
///
/// // What is not allowed ends it, and is told by name.
/// let outcome = Sandbox::new().run(|| {
///     let _ = std::fs::read("/etc/passwd");
///     Vec::new()
/// })?;
/// assert!(matches!(outcome.verdict, Verdict::Violation(call) if call.name.as_deref() == Some("openat")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sandbox {
    layers: Layers,
    directories: Vec<(PathBuf, Access)>,
    syscalls: Vec<String>,
    timeout: Duration,
    limits: Limits,
    output: usize,
}

/// How something that was confined ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// By itself, with this code; of a closure 0, or 101 if it panicked.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It made a system call that is not allowed, which was not carried out.
    Violation(Violation),
    /// Its time was over.
    Timeout,
    /// It wrote more than is allowed.
    Output,
    /// Its cgroup had no memory left.
    OutOfMemory,
    /// It did not keep to what a confined process says: it was taken over.
    Nonsense,
}

/// What came of it. Nothing in here is to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error.
    pub errors: Vec<u8>,
    /// What a closure returned.
    pub value: Vec<u8>,
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The calling process has several threads: the confined one, a copy with one of them, could wait for what another was about to do.
    #[error("the calling process has {0} threads; a sandbox is made by a process with one")]
    Threads(usize),
    /// A directory cannot be allowed.
    #[error("the directory {} cannot be allowed: {error}", .path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is no such system call.
    #[error(transparent)]
    Syscall(#[from] UnknownSyscall),
    /// The process cannot be made.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// The process could not be confined, or not run the program.
    #[error("the confined process cannot start: {0}")]
    NotStarted(String),
    /// Something else.
    #[error("the confined process cannot be watched: {0}")]
    Io(#[from] io::Error),
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// All layers, ten seconds, 256 MiB of memory, 64 descriptors, 16 MiB of output; no file, no network, no other process, and those
    /// system calls that Rust code makes for itself.
    pub fn new() -> Self {
        let limits = Limits { memory: 256 << 20, descriptors: 64, processes: 1, cpu_time: None, cpu_percent: None };
        Self {
            layers: Layers::all(),
            directories: Vec::new(),
            syscalls: groups::CODE.iter().map(|name| (*name).to_owned()).collect(),
            timeout: Duration::from_secs(10),
            limits,
            output: 16 << 20,
        }
    }

    /// Lets a directory be seen, under its own path. What is to be done in it takes system calls that are to be allowed too, of
    /// [`groups`] for instance.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>, access: Access) -> Self {
        self.directories.push((path.into(), access));
        self
    }

    /// Lets system calls be made, by name. Where [`syscalls`](crate::syscalls) knows a form of it in which it is harmless, in that form only.
    #[must_use]
    pub fn allow<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.syscalls.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Goes without a layer, where a host cannot give it.
    #[must_use]
    pub fn without(mut self, layer: Layer) -> Self {
        self.layers = self.layers.without(layer);
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Bytes of memory that it may have.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// Bytes that it may write to each of its streams, and that a closure may return.
    #[must_use]
    pub fn output(mut self, bytes: usize) -> Self {
        self.output = bytes;
        self
    }

    /// Runs a closure in a confined copy of this process, and gets back what it returns. What it changes in memory is lost.
    ///
    /// # Errors
    /// If it was not run.
    pub fn run(&self, work: impl FnOnce() -> Vec<u8>) -> Result<Outcome, SandboxError> {
        let (plan, filter) = (self.plan()?, self.filter()?);
        let mut work = Some(work);
        self.make(&plan, &filter, &mut || {
            let Some(work) = work.take() else { return 1 };
            match catch_unwind(AssertUnwindSafe(work)) {
                Ok(value) => value.chunks(CHUNK).try_for_each(|chunk| say(b'V', chunk)).map_or(1, |()| 0),
                Err(_) => 101,
            }
        })
    }

    /// Runs a program, found by its path inside: below a directory that is allowed with [`Access::Run`], as those are from which it loads
    /// its libraries. Its environment is empty, its input too.
    ///
    /// The system calls of [`groups::PROGRAM`] are allowed, `execve` among them: what else is in those directories it can run too.
    ///
    /// ```standalone_crate
    /// use pinfold_sandbox::{Access, Sandbox, Verdict};
    ///
    /// let mut sandbox = Sandbox::new();
    /// for path in ["/usr", "/bin", "/lib", "/lib64"] {
    ///     sandbox = sandbox.directory(path, Access::Run);
    /// }
    /// let outcome = sandbox.execute("/bin/echo", ["hello"])?;
    /// assert_eq!((outcome.verdict, outcome.output.as_slice()), (Verdict::Exited(0), &b"hello\n"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it was not run.
    pub fn execute(
        &self,
        program: impl AsRef<Path>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Outcome, SandboxError> {
        let (plan, mut filter) = (self.plan()?, self.filter()?);
        groups::add_program(&mut filter)?;
        let text = |text: &OsStr| CString::new(text.as_bytes()).map_err(io::Error::from);
        let program = text(program.as_ref().as_os_str())?;
        let mut all = vec![program.clone()];
        for argument in arguments {
            all.push(text(argument.as_ref())?);
        }
        let mut arguments: Vec<*const libc::c_char> = all.iter().map(|argument| argument.as_ptr()).collect();
        arguments.push(std::ptr::null());
        self.make(&plan, &filter, &mut || {
            let environment = [std::ptr::null()];
            // SAFETY: strings and arrays that end with zero.
            unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
            let error = io::Error::last_os_error();
            let _ = say(b'E', error.to_string().as_bytes());
            NOT_STARTED
        })
    }

    fn filter(&self) -> Result<Filter, UnknownSyscall> {
        let mut filter = Filter::new();
        groups::add(&mut filter, &self.syscalls)?;
        Ok(filter)
    }

    fn plan(&self) -> Result<Plan, SandboxError> {
        let directory = |(path, access): &(PathBuf, Access)| {
            let find = || -> io::Result<Directory> {
                let host = std::fs::canonicalize(path)?;
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let fd = rustix::fs::open(&host, flags, Mode::empty())?;
                let inside = std::path::absolute(path)?;
                Ok(Directory { identity: mounts::identity(&fd)?, host, access: *access, inside: Some(inside) })
            };
            find().map_err(|error| SandboxError::Directory { path: path.clone(), error })
        };
        Ok(Plan {
            layers: self.layers,
            directories: self.directories.iter().map(directory).collect::<Result<_, _>>()?,
            // The filter is made of all that is allowed here, in any form.
            syscalls: Vec::new(),
            refusal: Refusal::Notify,
            limits: self.limits.clone(),
        })
    }

    fn make(&self, plan: &Plan, filter: &Filter, work: &mut dyn FnMut() -> i32) -> Result<Outcome, SandboxError> {
        let threads = std::fs::read_dir("/proc/self/task")?.count();
        if threads != 1 {
            return Err(SandboxError::Threads(threads));
        }
        let nothing = File::open("/dev/null")?;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(io::Error::from)?;
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from);
        let ((output, stdout), (errors, stderr)) = (pipe()?, pipe()?);
        let descriptors = [nothing.as_fd(), stdout.as_fd(), stderr.as_fd(), theirs.as_fd()];
        let cgroup = Cgroup::of(plan).map_err(SpawnError::from)?;
        let mut body = || {
            let code = match confine(plan, filter) {
                Ok(()) => work(),
                Err(error) => {
                    let _ = say(b'E', error.to_string().as_bytes());
                    NOT_STARTED
                }
            };
            // SAFETY: ends the process, which must not do what its maker does at its end.
            unsafe { libc::_exit(code) }
        };
        // SAFETY: there is one thread.
        let (child, cgroup) = unsafe { spawn_here(&mut body, &descriptors, plan.layers, cgroup) }?;
        drop((theirs, stdout, stderr));
        let mut watch = Watch {
            child: &child,
            channel: File::from(ours),
            listener: None,
            seals_late: plan.seals_late(),
            streams: [Some(output), Some(errors)],
            read: [Vec::new(), Vec::new()],
            value: Vec::new(),
            most: self.output,
            failure: None,
        };
        let decided = watch.until_decided(Instant::now() + self.timeout);
        child.kill();
        let exit = child.wait()?;
        let decided = decided?;
        let Watch { read: [output, errors], value, failure, .. } = watch;
        if let Some(failure) = failure {
            return Err(SandboxError::NotStarted(failure));
        }
        let out_of_memory = cgroup.as_ref().and_then(|cgroup| cgroup.out_of_memory()).is_some();
        let verdict = match (decided, exit) {
            (Some(verdict), _) => verdict,
            (None, Exit::Signal(_)) if out_of_memory => Verdict::OutOfMemory,
            (None, Exit::Code(code)) => Verdict::Exited(code),
            (None, Exit::Signal(signal)) => Verdict::Signalled(signal),
        };
        Ok(Outcome { verdict, output, errors, value })
    }
}

/// Puts up the walls, tells where the listener is, and waits for the word to go on.
fn confine(plan: &Plan, filter: &Filter) -> Result<(), Box<dyn std::error::Error>> {
    // A program is not to have it.
    // SAFETY: a descriptor of this process.
    unsafe { libc::fcntl(CHANNEL, libc::F_SETFD, libc::FD_CLOEXEC) };
    inside::enter(plan)?;
    let listener = inside::lock_with(plan, filter)?;
    let number = listener.map_or(-1, std::os::fd::IntoRawFd::into_raw_fd);
    say(b'L', &number.to_le_bytes())?;
    inside::seal(plan)?;
    // SAFETY: the channel is this process's, and is not closed.
    let mut channel = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(CHANNEL) });
    channel.read_exact(&mut [0])?;
    Ok(())
}

/// Tells the watching process something.
fn say(what: u8, text: &[u8]) -> io::Result<()> {
    let mut message = vec![what];
    message.extend(text.iter().take(CHUNK));
    // SAFETY: the channel is this process's, and is not closed.
    let mut channel = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(CHANNEL) });
    // A datagram is sent whole.
    channel.write(&message).map(drop)
}

/// A confined process that is being watched.
struct Watch<'a> {
    child: &'a Child,
    channel: File,
    listener: Option<Listener>,
    seals_late: bool,
    streams: [Option<OwnedFd>; 2],
    read: [Vec<u8>; 2],
    value: Vec<u8>,
    most: usize,
    failure: Option<String>,
}

impl Watch<'_> {
    /// Waits for whatever decides how it ended; `None` if that is how the process did.
    fn until_decided(&mut self, deadline: Instant) -> io::Result<Option<Verdict>> {
        let mut channel_is_open = true;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Some(Verdict::Timeout));
            }
            let [ended, said, refused, output, errors] = self.wait(left, channel_is_open)?;
            if refused && let Some(verdict) = self.refused()? {
                return Ok(Some(verdict));
            }
            for (index, ready) in [output, errors].into_iter().enumerate() {
                if ready && !self.take(index)? {
                    return Ok(Some(Verdict::Output));
                }
            }
            if said {
                match self.hear()? {
                    Heard::Nothing => {}
                    Heard::End => channel_is_open = false,
                    Heard::Verdict(verdict) => return Ok(Some(verdict)),
                }
            } else if ended && !output && !errors {
                return Ok(None);
            }
        }
    }

    /// Which have something: the process, the channel, the listener, output, errors.
    fn wait(&self, left: Duration, channel_is_open: bool) -> io::Result<[bool; 5]> {
        let fds = [
            Some(self.child.as_fd()),
            channel_is_open.then(|| self.channel.as_fd()),
            self.listener.as_ref().map(AsFd::as_fd),
            self.streams[0].as_ref().map(AsFd::as_fd),
            self.streams[1].as_ref().map(AsFd::as_fd),
        ];
        let mut polled: Vec<PollFd<'_>> =
            fds.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let timeout =
            Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok([false; 5]),
            Err(error) => return Err(error.into()),
        }
        let mut polled = polled.iter();
        Ok(fds.map(|fd| {
            let events = fd.and_then(|_| polled.next()).map_or(PollFlags::empty(), PollFd::revents);
            !events.is_empty()
        }))
    }

    /// A call that was refused: the verdict, unless it is the last wall.
    fn refused(&mut self) -> io::Result<Option<Verdict>> {
        let Some(call) = self.listener.as_ref().map_or(Ok(None), Listener::receive)? else { return Ok(None) };
        if !std::mem::take(&mut self.seals_late) || !call.is_seal() {
            return Ok(Some(Verdict::Violation(call)));
        }
        if let Some(listener) = &self.listener {
            // It may be gone; that will be seen.
            let _ = listener.permit(&call);
        }
        self.let_go().map(|()| None)
    }

    fn let_go(&mut self) -> io::Result<()> {
        match self.channel.write_all(b"g") {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads output. `false` if that is more than is allowed.
    fn take(&mut self, index: usize) -> io::Result<bool> {
        let Some(stream) = &self.streams[index] else { return Ok(true) };
        let mut bytes = [0; 4096];
        match rustix::io::read(stream, &mut bytes[..]) {
            Ok(0) => self.streams[index] = None,
            Ok(len) => {
                let room = self.most - self.read[index].len();
                self.read[index].extend(&bytes[..len.min(room)]);
                return Ok(len <= room);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    fn hear(&mut self) -> io::Result<Heard> {
        let mut message = vec![0; CHUNK + 1];
        let len = match self.channel.read(&mut message) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            other => other?,
        };
        let Some((what, text)) = message.get(..len).and_then(<[u8]>::split_first) else { return Ok(Heard::End) };
        match what {
            b'V' if text.len() <= self.most - self.value.len() => self.value.extend(text),
            b'V' => return Ok(Heard::Verdict(Verdict::Output)),
            b'E' => self.failure = Some(String::from_utf8_lossy(text).into_owned()),
            b'L' if self.listener.is_none() && text.len() == 4 => {
                let number = i32::from_le_bytes([text[0], text[1], text[2], text[3]]);
                let listener =
                    if number < 0 { None } else { self.child.descriptor(number).ok().and_then(Listener::new) };
                let Some(listener) = listener else { return Ok(Heard::Verdict(Verdict::Nonsense)) };
                self.listener = Some(listener);
                if !self.seals_late {
                    self.let_go()?;
                }
            }
            _ => return Ok(Heard::Verdict(Verdict::Nonsense)),
        }
        Ok(Heard::Nothing)
    }
}

/// What came over the channel.
enum Heard {
    Nothing,
    End,
    Verdict(Verdict),
}
