//! The process that compiles for a worker: made when the worker first asks it for something, or at once where it is sure to, and gone with it.
//!
//! ```text
//!  supervisor ── makes ──► worker     executes the code memory        no road leads from it to a byte of code
//!      │                     │ asks, over a stream of their own
//!      └── makes, when ──► compiler   writes the code memory          sees nothing of the worker
//!          it is asked
//! ```
//!
//! It is held by the same walls, has nothing but the program, and what an earlier one kept of it. What it does that is not allowed ends it, and only
//! it: the worker goes on in the interpreter. How it ended is told all the same.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pinfold_sandbox::{Cgroup, Child, Launch, spawn_beside};
use pinfold_vm::api::{code_memory, readable};
use pinfold_vm::module::Bytes;
use rustix::event::{PollFd, PollFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::can_be_read;
use super::remains::has_ended;
use crate::job::{Ending, Job, LARGEST_MESSAGE, Message, Run, Task};
use crate::policy;

/// A compiler that is asked for, or may be.
pub struct Compiler {
    job: Job,
    program: OwnedFd,
    worker: File,
    /// Where what was kept of its code is read, and where what is to be kept is written.
    keeping: Option<[OwnedFd; 2]>,
    code: OwnedFd,
    state: State,
}

enum State {
    /// Nobody has asked it yet, at the other end of this stream.
    Waiting(OwnedFd),
    /// It runs. What it says last comes from here.
    Running(Child, File),
    /// It could not be made.
    Failed(String),
    /// Whoever could have asked it has gone.
    Unwanted,
}

impl Compiler {
    /// One for a worker that runs a program; and what the worker gets: its end of the stream, and the code memory as it can be read.
    pub fn new(job: &Job, run: &Run, program: BorrowedFd<'_>, worker: &File) -> io::Result<(Self, [OwnedFd; 2])> {
        let (ours, theirs) = UnixStream::pair()?;
        let code = code_memory()?;
        let read_only = readable(&code)?;
        let plan = if run.ahead { policy::of_compiler_ahead(&job.plan) } else { policy::of_compiler(&job.plan) };
        let job = Job { plan, task: Task::Compile(Box::new(run.clone())) };
        let (program, worker) = (program.try_clone_to_owned()?, worker.try_clone()?);
        let compiler = Self { job, program, worker, keeping: None, code, state: State::Waiting(ours.into()) };
        Ok((compiler, [theirs.into(), read_only]))
    }

    /// Where what was kept of its code comes from, and where it goes.
    pub fn keep(&mut self, keeping: [OwnedFd; 2]) {
        self.keeping = Some(keeping);
    }

    /// What can be read once somebody asks it, or has gone.
    pub fn asked(&self) -> Option<PollFd<'_>> {
        match &self.state {
            State::Waiting(stream) => Some(PollFd::new(stream, PollFlags::IN)),
            _ => None,
        }
    }

    /// Learns what became of [what was waited for](Self::asked).
    pub fn hear(&mut self, events: PollFlags, cgroup: Option<&Cgroup>) {
        if events.contains(PollFlags::HUP) {
            // Who is gone wants nothing.
            self.state = State::Unwanted;
        } else if events.contains(PollFlags::IN) {
            self.start(cgroup);
        }
    }

    /// Makes it, if it was not made yet. Where it cannot be, whoever asks learns that nobody answers.
    pub fn start(&mut self, cgroup: Option<&Cgroup>) {
        if let State::Waiting(stream) = &self.state {
            self.state = match self.make(stream, cgroup) {
                Ok((child, channel)) => State::Running(child, channel),
                Err(error) => State::Failed(error.to_string()),
            };
        }
    }

    fn make(&self, stream: &OwnedFd, cgroup: Option<&Cgroup>) -> Result<(Child, File), Box<dyn std::error::Error>> {
        let job = Bytes::sealed(serde_json::to_vec(&self.job)?.as_slice(), u64::MAX)?;
        let missing = || io::Error::from(io::ErrorKind::InvalidInput);
        let job = job.sealed_file().ok_or_else(missing)?;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let nothing = File::open("/dev/null")?;
        let mut descriptors: Vec<BorrowedFd<'_>> = vec![nothing.as_fd(); 3];
        descriptors.extend([theirs.as_fd(), job.as_fd(), self.program.as_fd(), stream.as_fd(), self.code.as_fd()]);
        descriptors.extend(self.keeping.iter().flatten().map(AsFd::as_fd));
        let launch = Launch {
            program: self.worker.as_fd(),
            arguments: &[c"pinfold-compiler"],
            descriptors: &descriptors,
            layers: self.job.plan.layers,
            enters: true,
        };
        Ok((spawn_beside(&launch, cgroup)?, ours.into()))
    }

    /// How many bytes it has written down of its code, if it says so in this time.
    pub fn kept(&self, time: Duration) -> u64 {
        match &self.state {
            State::Running(_, channel) if can_be_read(channel, time) => match last_message(channel) {
                Some(Message::Kept(bytes)) => bytes,
                _ => 0,
            },
            _ => 0,
        }
    }

    /// Ends it. It is what is left, if it was made; and what is wrong with it, if it did not end as it should.
    pub fn end(self) -> (Option<Child>, Option<String>) {
        match self.state {
            State::Waiting(_) | State::Unwanted => (None, None),
            State::Failed(error) => (None, Some(format!("the compiler cannot be started: {error}"))),
            State::Running(child, channel) => {
                let trouble = has_ended(&child, Duration::ZERO).then(|| last_words(&channel));
                child.kill();
                (Some(child), trouble.flatten())
            }
        }
    }
}

fn last_message(mut channel: &File) -> Option<Message> {
    let mut message = vec![0; LARGEST_MESSAGE];
    let length = channel.read(&mut message).ok()?;
    serde_json::from_slice(&message[..length]).ok()
}

/// What it said before it ended: what there is can be read at once.
fn last_words(channel: &File) -> Option<String> {
    match last_message(channel) {
        Some(Message::Ended(Ending { message, .. })) => message,
        // What it did before.
        Some(Message::Kept(_)) => last_words(channel),
        _ => Some("it was ended, since it did what it may not do, or had no memory left".into()),
    }
}
