//! Starting a worker, watching it, and saying how it ended.
//!
//! The supervisor reads nothing of the program. It copies the program's file into sealed memory, makes the worker, takes the filter's
//! listener from it, and then waits: for the worker's message, for a refused system call, for the end of the process, for time to pass, for
//! a signal of its own. Whatever comes first decides the [`Verdict`]; the process, and all of its namespace, is gone afterwards.

mod clock;
mod compiler;
mod conversation;
#[cfg(any(test, fuzzing))]
pub mod hostile;
mod keeping;
mod program;
mod records;
mod remains;
mod signals;
mod streams;
mod ticker;
mod verdict;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pinfold_sandbox::notify::Listener;
use pinfold_sandbox::{Cgroup, Child, Launch, Layer, Limits, Refusal, SpawnError, Usage, spawn_in};
use pinfold_vm::host::Stdin;
use pinfold_vm::module::Bytes;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};

use crate::bundle::BundleError;
use crate::job::{Call, EndKind, Ending, FAILED, GIVEN, Job, LARGEST_MESSAGE, Message, Task};
use crate::network::{self, NetworkError};
use clock::{Clock, OFTEN, Over};
use compiler::Compiler;
use conversation::Next;
pub use conversation::{Canceller, Conversation, Replied, Session, Stopped};
pub use keeping::Keeping;
pub use program::{Program, read_program};
use records::Recorder;
pub use records::{Recorded, Recording, Sink};
pub use remains::Remains;
use remains::has_ended;
use signals::Signals;
pub use signals::block_signals;
use streams::{Captured, Streams};
pub use ticker::Profiling;
use ticker::Ticker;
pub use verdict::{Unrecorded, Verdict};

/// How long a worker whose time is over is asked to stop.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a process may take to end whose descriptors are gone.
const ENDING: Duration = Duration::from_millis(200);
/// How long output that was written already may take to be read by whoever reads it, after a run that was ended.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a worker may take to write down what is kept of its program; and where it runs for nothing else.
const KEEPING: Duration = Duration::from_secs(1);
const KEEPING_ALL: Duration = Duration::from_secs(60);

/// Why a worker could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// There is none.
    #[error("{} is not there ({error}); it is installed beside the pinfold command, or named by PINFOLD_WORKER", .path.display())]
    NoWorker {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The program cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Program {
        /// Its file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The program is larger than any that would be verified.
    #[error("{} is larger than the {limit} bytes that a module may have", .path.display())]
    TooLarge {
        /// Its file.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// The sources of a program cannot be gathered.
    #[error(transparent)]
    Sources(#[from] BundleError),
    /// A connection cannot be opened.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The process cannot be made.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// Something else.
    #[error("the worker cannot be started: {0}")]
    Io(#[from] io::Error),
}

/// What ends a run from outside.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Bytes that may come out.
    pub output: u64,
}

/// How a run ended, and what it took, seen from outside.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// From the making of its worker until it was gone.
    pub wall: Duration,
    /// Bytes that came out.
    pub output: u64,
    /// What came out on its standard output, if that was wanted. Nothing in it is to be trusted.
    pub captured: Option<Vec<u8>>,
    /// The same of its standard error.
    pub errors: Option<Vec<u8>>,
    /// What the kernel counted for the worker, if that was wanted.
    pub usage: Option<Usage>,
    /// What was recorded, if that was wanted.
    pub recorded: Option<Recorded>,
    /// What is to be kept of the program, if that was wanted and there is something: of what its worker wrote, and of what its compiler did, files,
    /// where in them, and how many bytes. Nothing in it is to be trusted.
    pub kept: Option<[(File, u64, u64); 2]>,
    /// What was wrong with its compiler, if anything was. It is not to be trusted either.
    pub compiler_trouble: Option<String>,
    /// What is left of it.
    pub remains: Remains,
}

/// Where the worker is: where it is said to be, or named by `PINFOLD_WORKER`, or beside this executable.
///
/// # Errors
/// If it is not known where this executable is.
pub fn path_of_worker(said: Option<&Path>) -> io::Result<PathBuf> {
    let beside = || std::env::current_exe().map(|path| path.with_file_name("pinfold-worker"));
    match (said, std::env::var_os("PINFOLD_WORKER")) {
        (Some(path), _) => Ok(path.to_owned()),
        (None, Some(path)) => Ok(PathBuf::from(path)),
        (None, None) => beside(),
    }
}

fn worker(said: Option<&Path>) -> Result<File, SupervisorError> {
    let path = path_of_worker(said)?;
    File::open(&path).map_err(|error| SupervisorError::NoWorker { path, error })
}

/// Runs a job, and says how it ended.
///
/// # Errors
/// If the worker cannot be started.
pub fn run(job: &Job, program: &Bytes, bounds: &Bounds) -> Result<Verdict, SupervisorError> {
    observe(job, program, bounds, Wanted::default()).map(|outcome| outcome.verdict)
}

/// What is to be known of a run beside how it ended.
#[derive(Default)]
pub struct Wanted {
    /// What the kernel counted for its worker: known only once that is gone, which takes a moment.
    pub usage: bool,
    /// What the program asks of its host: told by the worker, and only if the job is to record ([`Run::records`](crate::job::Run)).
    pub recording: Option<Recording>,
    /// What it writes to its standard output, which goes nowhere else then.
    pub output: bool,
    /// What it writes to its standard error, likewise.
    pub errors: bool,
    /// Where its output and its errors go, if neither to ours nor, as above, nowhere else.
    pub sinks: Option<[OwnedFd; 2]>,
    /// Of a session: who asks its worker.
    pub conversation: Option<Conversation>,
    /// Where a function that is called finds its arguments, and leaves what it gives.
    pub exchange: Option<File>,
    /// Where it finds what functions of the host give that it calls.
    pub calls: Option<File>,
    /// What is kept of its program, and told of by [`Run::keeps`](crate::job::Run).
    pub keeping: Option<Keeping>,
    /// Where its time goes: found out by its worker, if the job says so ([`Run::insight`](crate::job::Run)).
    pub profiling: Option<Profiling>,
    /// What can be read once the run is to be ended; as if by SIGTERM.
    pub cancel: Option<OwnedFd>,
    /// Its executable, where that is not found by itself.
    pub worker: Option<PathBuf>,
    /// Whether the compiler, if it is a process of its own, is sure to be wanted.
    pub compiles: bool,
    /// Whether signals are left to this process, which is there for more than this run.
    pub leaves_signals: bool,
}

/// Runs a job, says how it ended, and what else is wanted.
///
/// # Errors
/// If the worker cannot be started.
pub fn observe(job: &Job, program: &Bytes, bounds: &Bounds, wanted: Wanted) -> Result<Outcome, SupervisorError> {
    Started::start(job, program, bounds, wanted)?.finish()
}

/// A worker that was started. Nothing of it is looked at until it is waited for, and it reads nothing of its program before. It ends when the
/// thread does that started it.
pub struct Started {
    watch: Watch,
    streams: Streams,
    captured: [Option<Captured>; 2],
    recorder: Option<Recorder>,
    limits: Limits,
    timeout: Option<Duration>,
    start: Instant,
    /// Whether the process is waited for: for what is known only then, or because a place where it listens is free again, for the next run, once nobody
    /// has it.
    waits: bool,
    /// Where a worker and its compiler write what is to be kept, and how long they may take for that.
    room: Option<[File; 2]>,
    keeping: Duration,
    held: (File, Bytes),
    program: Option<Bytes>,
}

impl Started {
    /// Starts it. `bounds.timeout` counts from here on.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(job: &Job, program: &Bytes, bounds: &Bounds, wanted: Wanted) -> Result<Self, SupervisorError> {
        let mut started = Self::start_with(job, &Program::Whole(program.clone()), bounds, wanted)?;
        started.hold(program.clone());
        Ok(started)
    }

    /// The same, of a program that is perhaps not all there. It must be before the worker is waited for.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_with(job: &Job, program: &Program, bounds: &Bounds, wanted: Wanted) -> Result<Self, SupervisorError> {
        let sockets = match job.task.program() {
            Some(run) => network::open(&run.grants.net)?,
            None => Vec::new(),
        };
        let signals = (!wanted.leaves_signals).then(Signals::take).transpose()?;
        let worker = worker(wanted.worker.as_deref())?;
        let job_text = serde_json::to_vec(job).map_err(io::Error::from)?;
        let job_bytes = Bytes::sealed(job_text.as_slice(), u64::MAX)?;
        let missing = || io::Error::from(io::ErrorKind::InvalidInput);
        let job_file = job_bytes.sealed_file().ok_or_else(missing)?;
        let program_file = program.file().ok_or_else(missing)?;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(io::Error::from)?;
        let [captured, errors] = [wanted.output, wanted.errors].map(|wanted| wanted.then(Captured::new).transpose());
        let captured = [captured?, errors?];
        let [to, to_errors] = captured.each_ref().map(|captured| captured.as_ref().map(Captured::end).transpose());
        let [sink, sink_errors] = wanted.sinks.map_or([None, None], |sinks| sinks.map(Some));
        let (mut streams, [stdin, stdout, stderr]) =
            Streams::new(bounds.output, wants_input(&job.task), [to?.or(sink), to_errors?.or(sink_errors)])?;
        if wanted.conversation.is_some() {
            streams.escape();
        }
        let waits = wanted.usage || !sockets.is_empty();
        let mut descriptors =
            vec![stdin.as_fd(), stdout.as_fd(), stderr.as_fd(), theirs.as_fd(), job_file.as_fd(), program_file];
        descriptors.extend(sockets.iter().map(AsFd::as_fd));
        let (recorder, notes) = match (wanted.recording, &job.task) {
            (Some(recording), Task::Run(run)) if run.tells() => {
                let (recorder, notes) = Recorder::new(recording, run.grants.clone())?;
                (Some(recorder), Some(notes))
            }
            _ => (None, None),
        };
        descriptors.extend(notes.as_ref().map(AsFd::as_fd));
        let (entry, room) = wanted.keeping.map(|Keeping { entry, room }| (entry, room)).unzip();
        if let (Some([entry, _]), Some([room, _])) = (&entry, &room) {
            descriptors.extend([entry.as_fd(), room.as_fd()]);
        }
        let compiler = match &job.task {
            Task::Run(run) | Task::Call(Call { run, .. }) if run.compiler => {
                Some(Compiler::new(job, run, program_file, &worker)?)
            }
            _ => None,
        };
        let (mut compiler, asks) = compiler.unzip();
        descriptors.extend(asks.iter().flatten().map(AsFd::as_fd));
        descriptors.extend(wanted.profiling.as_ref().map(|profiling| profiling.room.as_fd()));
        // It cannot be written through this.
        descriptors.extend(program.image().map(|(file, _)| file.as_fd()));
        descriptors.extend(wanted.exchange.iter().chain(&wanted.calls).map(AsFd::as_fd));
        let start = Instant::now();
        let launch = Launch {
            program: worker.as_fd(),
            arguments: &[c"pinfold-worker"],
            descriptors: &descriptors,
            layers: job.plan.layers,
            enters: true,
        };
        let cgroup = Cgroup::of(&job.plan).map_err(SpawnError::from)?;
        let (child, cgroup) = spawn_in(&launch, cgroup)?;
        drop((theirs, stdin, stdout, stderr, sockets, notes, asks));
        if let (Some(compiler), Some([_, entry]), Some([_, room])) = (&mut compiler, entry, &room) {
            compiler.keep([entry, room.try_clone()?.into()]);
        }
        if let Err(error) = streams.let_in() {
            child.kill();
            drop(Remains::new(child, cgroup));
            return Err(error.into());
        }
        let limits = job.plan.limits.clone();
        let watch = Watch {
            child,
            cgroup,
            compiler,
            compiles: wanted.compiles,
            channel: File::from(ours),
            listener: None,
            clock: Clock::start(bounds.timeout, limits.cpu_time),
            notifies: job.plan.layers.has(Layer::Seccomp) && job.plan.refusal == Refusal::Notify,
            seals_late: job.plan.seals_late(),
            is_locked: false,
            readiness: if matches!(job.task, Task::Call(_)) { Readiness::Expected } else { Readiness::Never },
            signals,
            cancel: wanted.cancel,
            answer: None,
            conversation: wanted.conversation,
            interval: wanted.profiling.map(|profiling| profiling.interval),
            ticker: None,
        };
        Ok(Self {
            watch,
            streams,
            captured,
            recorder,
            limits,
            timeout: bounds.timeout,
            start,
            waits,
            room,
            keeping: if job.task.program().is_some_and(|run| run.ahead) { KEEPING_ALL } else { KEEPING },
            held: (worker, job_bytes),
            program: None,
        })
    }

    /// Lets go of its program when all else is let go: to unmap it takes a while.
    pub fn hold(&mut self, program: Bytes) {
        self.program = Some(program);
    }

    /// Waits until a function could be called at once; `false` if it ended before.
    ///
    /// # Errors
    /// If it cannot be watched.
    pub fn until_ready(&mut self) -> io::Result<bool> {
        let decided = self.watch.until(Until::Ready, &mut self.streams, self.recorder.as_mut())?;
        Ok(matches!(decided, Decided::Ready))
    }

    /// Whether the process is there, as far as is known.
    pub fn is_alive(&self) -> bool {
        !has_ended(&self.watch.child, Duration::ZERO)
    }

    /// Starts its time again, before it is waited for; what can be read ends it.
    pub fn renew(&mut self, timeout: Option<Duration>, cancel: Option<OwnedFd>) {
        (self.timeout, self.start) = (timeout, Instant::now());
        self.watch.clock = Clock::start(timeout, self.limits.cpu_time);
        self.watch.cancel = cancel;
    }

    /// Tells one that is ready to begin. `false` if it is gone: then it was told nothing, and what was meant for it has not begun.
    ///
    /// # Errors
    /// If it cannot be told.
    pub fn begin(&mut self) -> io::Result<bool> {
        self.watch.begin()
    }

    /// Who calls the host's functions for it.
    pub fn answer(&mut self, answer: Answering) {
        self.watch.answer = Some(answer);
    }

    /// Ends one that nobody waits for.
    pub fn end(self) -> Remains {
        self.watch.kill();
        let mut remains = Remains::new(self.watch.child, self.watch.cgroup);
        if let Some((Some(compiler), _)) = self.watch.compiler.map(Compiler::end) {
            remains.and(compiler);
        }
        remains
    }

    /// Waits for its end, and says how it came.
    ///
    /// # Errors
    /// If it cannot be watched, or could not be started after all.
    pub fn finish(self) -> Result<Outcome, SupervisorError> {
        let Self { mut watch, mut streams, captured, mut recorder, limits, timeout, start, room, keeping, .. } = self;
        let decided = watch.until(Until::End, &mut streams, recorder.as_mut());
        let kept = match &decided {
            Ok(Decided::Verdict(Verdict::Ended(ending))) if ending.keeps => room.zip(watch.kept(keeping)),
            _ => None,
        };
        let kept = kept.map(|([facts, code], bytes)| {
            let of_code = watch.compiler.as_ref().map_or(0, |compiler| compiler.kept(keeping));
            [(facts, 0, bytes), (code, 0, of_code)]
        });
        watch.kill();
        let (compiler, compiler_trouble) = watch.compiler.take().map_or((None, None), Compiler::end);
        let wall = start.elapsed();
        // Not known any more once it was waited for.
        let is_used_up = watch.clock.is_used_up(&watch.child, watch.cgroup.as_ref());
        // Whoever still asks learns that nobody answers.
        let Watch { child, cgroup, channel, listener, conversation, signals, .. } = watch;
        drop(conversation);
        let mut remains = Remains::new(child, cgroup);
        if let Some(compiler) = compiler {
            remains.and(compiler);
        }
        let decided = match decided? {
            Decided::Verdict(verdict) => Some(verdict),
            Decided::Ended | Decided::Ready => None,
        };
        let ended = if decided.is_none() || self.waits { Some(remains.wait()?) } else { None };
        let usage = ended.map(|(_, usage)| usage);
        let verdict = match (decided, ended) {
            (None, Some((exit, _))) => Verdict::of_exit(exit, is_used_up, remains.cgroup(), &limits),
            // Never `None`: that was waited for.
            (decided, _) => decided.unwrap_or(Verdict::Nonsense).seen_from_outside(remains.cgroup(), &limits),
        };
        // What came out before the end is still delivered, as long as whoever reads it takes; not for ever, after a run that was ended.
        let was_ended = !matches!(verdict, Verdict::Ended(_));
        let bound = was_ended.then(|| Instant::now() + DRAIN);
        let verdict = if drain(&mut streams, bound)? { verdict } else { Verdict::Output { limit: streams.limit() } };
        // Records are for whoever started the run, whose deadline holds for them too.
        let soon = Instant::now() + DRAIN;
        let deadline = match timeout {
            _ if was_ended => Some(soon),
            Some(timeout) => start.checked_add(timeout).map(|deadline| deadline.max(soon)),
            None => None,
        };
        let finish = |recorder: Recorder| recorder.finish(deadline, signals.as_ref().map(AsFd::as_fd));
        let (recorded, trouble) = recorder.map(finish).transpose()?.unzip();
        let verdict = match trouble {
            Some(Err(trouble)) if !was_ended => Verdict::Unrecorded(trouble),
            _ => verdict,
        };
        let output = streams.seen();
        // Not the streams: whoever reads what came out waits for their end.
        remains.hold((channel, listener, self.held, self.program, signals));
        let [captured, errors] = captured.map(|captured| captured.map(Captured::finish).transpose());
        Ok(Outcome {
            verdict,
            wall,
            output,
            captured: captured?,
            errors: errors?,
            usage,
            recorded,
            kept,
            compiler_trouble,
            remains,
        })
    }
}

/// Delivers what is left. `false` if that is more than is allowed.
fn drain(streams: &mut Streams, bound: Option<Instant>) -> io::Result<bool> {
    streams.close();
    // What is there can be read at once, and what cannot is not there.
    let mut ready = [true; 2];
    loop {
        if !streams.step(ready) {
            return Ok(false);
        }
        if streams.is_finished() {
            return Ok(true);
        }
        let left = bound.map(|bound| bound.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(true);
        }
        ready = streams.room(left)?;
    }
}

/// Delivers what has come so far, as long as whoever reads it takes. `false` if that is more than is allowed.
fn deliver(streams: &mut Streams) -> io::Result<bool> {
    loop {
        let is_moving = streams.is_pending();
        let mut all = Vec::new();
        let places = streams.waits().map(|fd| add(&mut all, fd));
        wait(&mut all, Some(if is_moving { DRAIN } else { Duration::ZERO }))?;
        let ready = places.map(|at| at.and_then(|at| all.get(at)).is_some_and(|fd| !fd.revents().is_empty()));
        drop(all);
        if ready == [false; 2] {
            return Ok(true);
        }
        if !streams.step(ready) {
            return Ok(false);
        }
    }
}

/// Adds what is to be waited for, if it is, and tells where.
fn add<'fd>(all: &mut Vec<PollFd<'fd>>, fd: Option<PollFd<'fd>>) -> Option<usize> {
    fd.map(|fd| {
        all.push(fd);
        all.len() - 1
    })
}

fn wait(all: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match poll(all, timeout.as_ref()) {
        Ok(_) => Ok(()),
        Err(Errno::INTR) => {
            all.iter_mut().for_each(PollFd::clear_revents);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether our input is granted.
fn wants_input(task: &Task) -> bool {
    task.program().is_some_and(|run| matches!(run.grants.stdin, Stdin::Inherit))
}

/// A worker that is being watched.
struct Watch {
    child: Child,
    cgroup: Option<Cgroup>,
    /// If it is a process of its own.
    compiler: Option<Compiler>,
    /// Whether it is to be made before anyone asks it: once the worker was let go, which does not wait for that then.
    compiles: bool,
    channel: File,
    listener: Option<Listener>,
    clock: Clock,
    notifies: bool,
    /// Whether its last wall is still to be let through.
    seals_late: bool,
    /// Whether the worker has said that all walls are up.
    is_locked: bool,
    readiness: Readiness,
    signals: Option<Signals>,
    cancel: Option<OwnedFd>,
    answer: Option<Answering>,
    conversation: Option<Conversation>,
    /// How often it is told to take a sample, once it is let go.
    interval: Option<Duration>,
    ticker: Option<Ticker>,
}

/// Calls a function of one of the host's own objects, both by their numbers, whose arguments a worker has written; tells whether it has given something.
pub type Answering = Box<dyn FnMut(usize, i64) -> bool + Send>;

/// Whether a worker has everything at hand to call a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readiness {
    /// It does not say.
    Never,
    /// It will say so, and wait.
    Expected,
    /// It has said so, and waits.
    Waiting,
    /// It was let go.
    Gone,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Ready,
    End,
}

/// What came of it.
enum Decided {
    /// A function can be called.
    Ready,
    /// It is known how the run ended.
    Verdict(Verdict),
    /// The process ended, and how it did is all that is known.
    Ended,
}

impl Watch {
    /// Kills the process, and all of its group.
    fn kill(&self) {
        self.child.kill();
        self.cgroup.iter().for_each(Cgroup::kill);
    }

    /// Lets a worker go that waits for it, once. `false` if it is gone.
    fn begin(&mut self) -> io::Result<bool> {
        if self.readiness != Readiness::Waiting {
            return Ok(true);
        }
        self.readiness = Readiness::Gone;
        self.let_go()
    }

    /// Waits for whatever decides how the run ended, or until a function can be called.
    fn until(
        &mut self,
        until: Until,
        streams: &mut Streams,
        mut recorder: Option<&mut Recorder>,
    ) -> io::Result<Decided> {
        if until == Until::End {
            self.begin()?;
        }
        let verdict = |verdict| Ok(Decided::Verdict(verdict));
        let mut asked: Option<(Instant, Over)> = None;
        let mut closed = false;
        loop {
            let now = Instant::now();
            asked = asked.or_else(|| self.clock.over(now, &self.child, self.cgroup.as_ref()).map(|over| (now, over)));
            let stops = self.conversation.as_mut().and_then(|conversation| conversation.over(now));
            if let Some((since, over)) = asked.or(stops) {
                if now.duration_since(since) >= PATIENCE {
                    return verdict(Verdict::of_time(over, Vec::new(), 0, None));
                }
                // Served by the guest at once, or by nobody.
                let _ = self.child.signal(libc::SIGURG);
            }
            let left = self.conversation.as_ref().and_then(|conversation| conversation.left(now));
            let left = [left, self.clock.left(now)].into_iter().flatten().min();
            let timeout = if asked.or(stops).is_some() { Some(OFTEN) } else { left };
            if self.is_reading()
                && std::mem::take(&mut self.compiles)
                && let Some(compiler) = &mut self.compiler
            {
                compiler.start(self.cgroup.as_ref());
            }
            let ready = self.wait(streams, recorder.as_deref(), timeout, closed)?;
            if ready.signal
                && let Some(signals) = &self.signals
            {
                let signal = signals.receive()?;
                let conversation = self.conversation.as_mut().filter(|_| signal == libc::SIGINT);
                if !conversation.is_some_and(Conversation::interrupt) {
                    return verdict(Verdict::Interrupted { signal });
                }
            }
            if ready.request
                && let Some(conversation) = &mut self.conversation
            {
                match conversation.request()? {
                    Next::End => return verdict(Verdict::Ended(Ending::new(EndKind::Exit, 0, None))),
                    Next::Nothing => {}
                    Next::Send { request, shown } => {
                        streams.renew(shown);
                        // Whoever answers without reading is not waited for. The end of the process will be seen.
                        if let Err(Errno::AGAIN) =
                            send(&self.channel, &request, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
                        {
                            return verdict(Verdict::Nonsense);
                        }
                    }
                }
            }
            if ready.cancelled {
                return verdict(Verdict::Interrupted { signal: libc::SIGTERM });
            }
            if ready.refused
                && let Some(listener) = &self.listener
                && let Some(call) = listener.receive()?
            {
                if !std::mem::take(&mut self.seals_late) || !call.is_seal() {
                    return verdict(Verdict::Violation(call));
                }
                // It may be gone; that will be seen.
                let _ = listener.permit(&call);
                self.let_go()?;
            }
            if !streams.step(ready.output) {
                return verdict(Verdict::Output { limit: streams.limit() });
            }
            if ready.recorded
                && let Some(Err(trouble)) = recorder.as_mut().map(|recorder| recorder.collect())
            {
                return verdict(Verdict::Unrecorded(trouble));
            }
            if let Some(compiler) = &mut self.compiler {
                compiler.hear(ready.asked, self.cgroup.as_ref());
            }
            if ready.message {
                match self.receive()? {
                    Heard::Message(Message::Locked { listener }) => {
                        if !self.locked(listener)? {
                            return verdict(Verdict::Nonsense);
                        }
                    }
                    // How it ended is known when it has.
                    Heard::Message(Message::Ended(ending)) => {
                        // What it wrote is in the pipes, and nothing that it could still do matters: what the kernel does for it need not
                        // be waited for.
                        return verdict(Verdict::of_ending(ending, asked.map(|(_, over)| over)));
                    }
                    Heard::Message(Message::Ready) => {
                        // Whoever says it twice may not read the answer.
                        if self.readiness != Readiness::Expected {
                            return verdict(Verdict::Nonsense);
                        }
                        self.readiness = Readiness::Waiting;
                        if until == Until::Ready {
                            return Ok(Decided::Ready);
                        }
                        self.readiness = Readiness::Gone;
                        self.let_go()?;
                    }
                    Heard::Message(Message::Call { object, function }) => {
                        let Some(answer) = self.answer.as_mut().filter(|_| self.readiness == Readiness::Gone) else {
                            return verdict(Verdict::Nonsense);
                        };
                        let given = if answer(object, function) { GIVEN } else { FAILED };
                        // As above.
                        if let Err(Errno::AGAIN) =
                            send(&self.channel, &[given], SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
                        {
                            return verdict(Verdict::Nonsense);
                        }
                    }
                    // Before it has ended there is nothing to keep.
                    Heard::Message(Message::Kept(_)) => return verdict(Verdict::Nonsense),
                    Heard::Message(Message::Answer(reply)) => {
                        if !deliver(streams)? {
                            return verdict(Verdict::Output { limit: streams.limit() });
                        }
                        let is_asked =
                            self.conversation.as_mut().is_some_and(|conversation| conversation.reply(*reply));
                        if !is_asked {
                            return verdict(Verdict::Nonsense);
                        }
                    }
                    Heard::Nonsense => return verdict(Verdict::Nonsense),
                    Heard::End => closed = true,
                }
            } else if ready.ended {
                return Ok(Decided::Ended);
            }
        }
    }

    /// How much a worker that has said how its program ended has written down of it, if it says so in this time.
    fn kept(&mut self, time: Duration) -> Option<u64> {
        match can_be_read(&self.channel, time).then(|| self.receive()) {
            Some(Ok(Heard::Message(Message::Kept(bytes)))) if bytes > 0 => Some(bytes),
            _ => None,
        }
    }

    /// Waits for something to look at; of the channel nothing more is expected once it is closed.
    fn wait(
        &self,
        streams: &Streams,
        recorder: Option<&Recorder>,
        timeout: Option<Duration>,
        closed: bool,
    ) -> io::Result<Ready> {
        let mut all = vec![PollFd::new(&self.child, PollFlags::IN)];
        let signal = add(&mut all, self.signals.as_ref().map(|signals| PollFd::new(signals, PollFlags::IN)));
        // What has ended is left out: the kernel would tell of its end again and again, whatever it is asked.
        let channel = add(&mut all, (!closed).then(|| PollFd::new(&self.channel, PollFlags::IN)));
        let listener = add(&mut all, self.listener.as_ref().map(|listener| PollFd::new(listener, PollFlags::IN)));
        let requests = self.conversation.as_ref().filter(|_| self.is_reading());
        let request = add(&mut all, requests.map(|of| PollFd::new(&of.requests, PollFlags::IN)));
        let outputs = streams.waits().map(|fd| add(&mut all, fd));
        let cancel = add(&mut all, self.cancel.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let records = add(&mut all, recorder.and_then(|recorder| recorder.waits()));
        let asked = add(&mut all, self.compiler.as_ref().and_then(Compiler::asked));
        wait(&mut all, timeout)?;
        let any = |at: Option<usize>| at.and_then(|at| all.get(at)).is_some_and(|fd| !fd.revents().is_empty());
        let is = |at: usize| all.get(at).is_some_and(|fd| fd.revents().contains(PollFlags::IN));
        let refused = listener.is_some_and(is);
        Ok(Ready {
            ended: is(0),
            message: any(channel),
            signal: signal.is_some_and(is),
            cancelled: any(cancel),
            output: outputs.map(any),
            refused,
            recorded: any(records),
            request: any(request),
            asked: asked.and_then(|at| all.get(at)).map_or(PollFlags::empty(), PollFd::revents),
        })
    }

    /// The next message.
    fn receive(&mut self) -> io::Result<Heard> {
        let mut message = Vec::with_capacity(LARGEST_MESSAGE);
        match rustix::io::read(&self.channel, spare_capacity(&mut message)) {
            // A worker that was killed with a word of ours unread.
            Err(Errno::CONNRESET) => {}
            other => drop(other?),
        }
        Ok(match serde_json::from_slice(&message) {
            Ok(message) => Heard::Message(message),
            Err(_) if message.is_empty() => Heard::End,
            Err(_) => Heard::Nonsense,
        })
    }

    /// All walls are up: from here on every refused call is known. `false` if what the worker says of them cannot be.
    fn locked(&mut self, listener: Option<i32>) -> io::Result<bool> {
        // Whoever says it twice may not read the answers, and writing them would be waiting for it.
        if std::mem::replace(&mut self.is_locked, true) {
            return Ok(false);
        }
        if self.notifies {
            let listener = match listener.map(|number| self.child.descriptor(number)) {
                // Whatever the number is: that is not the worker's to decide. Of one that is gone the kernel may say so too.
                Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return if self.is_ending() { Ok(true) } else { Err(error) };
                }
                other => other.and_then(Result::ok).and_then(Listener::new),
            };
            let Some(listener) = listener else { return Ok(self.is_ending()) };
            self.listener = Some(listener);
        }
        if !self.seals_late {
            self.let_go()?;
        }
        Ok(true)
    }

    /// Whether the worker was told to begin: what it is sent before that it takes for the word to do so.
    fn is_reading(&self) -> bool {
        self.is_locked && !self.seals_late
    }

    /// Lets the worker read the program.
    fn let_go(&mut self) -> io::Result<bool> {
        if let Some(interval) = self.interval.take() {
            self.ticker = Some(Ticker::start(&self.child, interval)?);
        }
        match send(&self.channel, &[GIVEN], SendFlags::NOSIGNAL) {
            Ok(_) => Ok(true),
            // The end of the process will be seen.
            Err(Errno::PIPE | Errno::CONNRESET) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the process is gone, or about to be: its descriptors go before it does.
    fn is_ending(&self) -> bool {
        has_ended(&self.child, ENDING)
    }
}

/// Whether there is something to read, or will be in time.
fn can_be_read(file: &File, timeout: Duration) -> bool {
    let mut all = [PollFd::new(file, PollFlags::IN)];
    wait(&mut all, Some(timeout)).is_ok() && !all[0].revents().is_empty()
}

/// What came over the channel.
enum Heard {
    Message(Message),
    Nonsense,
    End,
}

/// What there is to look at.
struct Ready {
    ended: bool,
    message: bool,
    signal: bool,
    cancelled: bool,
    output: [bool; 2],
    refused: bool,
    recorded: bool,
    request: bool,
    /// What became of the compiler's stream.
    asked: PollFlags,
}
