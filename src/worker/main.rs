//! `pinfold-worker`: runs or shows one program, or compiles it for another worker, confined.
//!
//! ```text
//!  read the job ─► put up walls ─► make threads, heap, code memory ─► lock ─► read the program ─► run it ─► tell
//!                                                                     │
//!                                                        nothing untrusted is read before
//! ```
//!
//! Started by a supervisor only, with the descriptors that [`pinfold::job::descriptors`] lists.

// The test harness has a beginning of its own.
#![cfg_attr(not(test), no_main)]

mod call;
mod compiling;
mod explore;
mod fold;
mod heap;
mod inspect;
mod invoke;
mod kept;
mod profile;
mod record;
mod refusal;
mod run;
mod session;
mod show;
mod snapshot;
mod testing;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use pinfold::job::{Call, EndKind, Ending, Fold, Job, LARGEST_MESSAGE, Message, Request, Run, Task, descriptors};
use pinfold::{exit, policy};
use pinfold_sandbox::inside;
use pinfold_vm::api::CompilerService;
use pinfold_vm::module::Bytes;

use crate::run::Purpose;

#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();

/// The supervisor.
pub struct Channel(File);

impl Channel {
    fn new(file: File) -> Self {
        Self(file)
    }

    fn send(&self, message: &[u8]) -> io::Result<()> {
        // A datagram is sent whole.
        uninterrupted(|| io::Write::write(&mut &self.0, message)).map(drop)
    }

    /// Says that all walls are up.
    fn announce(&self, listener: Option<i32>) -> io::Result<()> {
        self.send(&serde_json::to_vec(&Message::Locked { listener })?)
    }

    /// Says that a function can be called at once, and waits until it is to be.
    fn ready(&self) -> io::Result<()> {
        self.send(&serde_json::to_vec(&Message::Ready)?)?;
        self.wait()
    }

    /// Has a function of one of the host's own objects called, and tells the answer.
    fn call(&self, object: usize, function: i64) -> io::Result<u8> {
        self.send(&serde_json::to_vec(&Message::Call { object, function })?)?;
        let mut answer = [0];
        (&self.0).read_exact(&mut answer)?;
        Ok(answer[0])
    }

    /// Says how much is to be kept.
    fn kept(&self, bytes: u64) -> io::Result<()> {
        self.send(&serde_json::to_vec(&Message::Kept(bytes))?)
    }

    /// Says how it ended.
    fn tell(&self, ending: Ending) -> io::Result<()> {
        self.send(&ending.into_message()?)
    }

    /// The next request; none where nobody asks any more.
    fn request(&self) -> io::Result<Option<Request>> {
        let mut request = vec![0; LARGEST_MESSAGE];
        let length = uninterrupted(|| (&self.0).read(&mut request))?;
        Ok(if length == 0 { None } else { Some(serde_json::from_slice(&request[..length])?) })
    }

    /// Waits for the supervisor's word.
    fn wait(&self) -> io::Result<()> {
        (&self.0).read_exact(&mut [0])
    }
}

/// Does it again if a signal came: a supervisor that asks a program to stop does not know yet that it has.
fn uninterrupted<T>(mut run: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match run() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The process begins here, without the standard library's preparations: those read files of `/proc`, and set handlers and a signal stack
/// that the runtime brings itself.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn main(_: libc::c_int, _: *const *const libc::c_char) -> libc::c_int {
    // SAFETY: a plain call. Writing where nobody reads is an error, not the end.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // SAFETY: a plain call: the C library is not to make heaps of its own for threads.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    // SAFETY: whoever starts a worker gives it these; nobody else uses them.
    let [channel, job, program] = unsafe {
        [descriptors::CHANNEL, descriptors::JOB, descriptors::PROGRAM].map(|fd: RawFd| OwnedFd::from_raw_fd(fd))
    };
    // It is there as long as the process.
    let channel: &'static Channel = Box::leak(Box::new(Channel(channel.into())));
    let code = match work(channel, job, program) {
        Ok((ending, kept)) => {
            let (code, keeps) = (ending.code, ending.keeps);
            // Without a supervisor there is nobody to tell.
            let _ = channel.tell(ending);
            if let Some(kept) = kept.filter(|_| keeps) {
                let _ = channel.kept(kept.write().unwrap_or(0));
            }
            code
        }
        Err(error) => {
            let way_out = error.downcast_ref().map(|layer| format!("\n  {}", policy::way_out(layer)));
            let message = Some(format!("the worker cannot start: {error}{}", way_out.unwrap_or_default()));
            let _ = channel.tell(Ending::new(EndKind::NotStarted, exit::REFUSED, message));
            exit::REFUSED
        }
    };
    end(code)
}

/// Ends the process as it is: memory, code and descriptors need not be given back one by one.
fn end(code: u8) -> ! {
    // SAFETY: a plain call.
    unsafe { libc::_exit(code.into()) }
}

/// How it ended, and what may be kept of it.
type Done = (Ending, Option<kept::Kept>);

fn work(channel: &'static Channel, job: OwnedFd, program: OwnedFd) -> Result<Done, Box<dyn std::error::Error>> {
    let Job { plan, mut task } = serde_json::from_slice(&Bytes::of_sealed(job)?)?;
    // Its supervisor may still be filling it, and says when it may be read.
    let bytes = Bytes::of_filling(program)?;
    let (bytes, image) = match &task {
        Task::Run(run) => run::mapped(run, bytes)?,
        _ => (bytes, None),
    };
    // To unmap and close is not allowed after lock-down.
    std::mem::forget(bytes.clone());
    inside::enter(&plan)?;
    let of_run = |run: &mut Run, program, purpose| {
        run.grants.stepwise = policy::is_stepwise(plan.layers);
        for (grant, place) in run.grants.dirs.iter_mut().zip(inside::places(&plan)) {
            grant.host = place;
        }
        run::prepare(run, program, purpose).map(|prepared| Prepared::Run(Box::new(prepared)))
    };
    let prepared = match &mut task {
        // Only that may be a snapshot.
        Task::Run(run) => of_run(run, Some((bytes.clone(), image)), Purpose::Run)?,
        Task::Session(run) | Task::Call(Call { run, .. }) => of_run(run, None, Purpose::Run)?,
        Task::Explore(run) => of_run(run, None, Purpose::Explore)?,
        Task::Snapshot(snapshot) => of_run(&mut snapshot.run, None, Purpose::Snapshot)?,
        Task::Compile(run) => Prepared::Compiler(Box::new(compiling::prepare(run, bytes.clone(), channel)?)),
        Task::Fold(Fold::Test(test)) => Prepared::Test(Box::new(testing::prepare(test)?)),
        Task::Inspect(_) | Task::Fold(_) => {
            inspect::prepare()?;
            Prepared::Nothing
        }
    };
    let listener = inside::lock(&plan)?;
    if let Prepared::Compiler(service) = prepared {
        // It reads nothing but what it is asked, and the program: there is nobody to wait for.
        return Ok((compiling::run(*service), None));
    }
    let number = listener.map(std::os::fd::IntoRawFd::into_raw_fd);
    // The kernel tells of a supervisor's death only if it was asked before. From its word on that is certain; a supervisor that is gone
    // earlier is missed here.
    if channel.announce(number).is_err() || inside::seal(&plan).is_err() || channel.wait().is_err() {
        // At once: to take down what is prepared is refused, and nobody is there to hear of it.
        end(exit::REFUSED);
    }
    let run = |run, call, prepared| {
        let (ending, kept) = run::run(run, call, prepared, bytes.clone());
        (ending, Some(kept))
    };
    let ending = match (&task, prepared) {
        (Task::Run(job), Prepared::Run(prepared)) => return Ok(run(job, None, *prepared)),
        (Task::Call(call), Prepared::Run(prepared)) => return Ok(run(&call.run, Some((call, channel)), *prepared)),
        (Task::Session(run), Prepared::Run(prepared)) => session::run(run, *prepared, channel),
        (Task::Explore(run), Prepared::Run(prepared)) => explore::run(run, *prepared, channel, bytes),
        (Task::Snapshot(job), Prepared::Run(prepared)) => snapshot::run(job, *prepared, bytes),
        (Task::Inspect(job), _) => inspect::run(job, bytes),
        (Task::Fold(Fold::Test(test)), Prepared::Test(prepared)) => fold::test(test, *prepared, &bytes),
        (Task::Fold(job), _) => fold::run(job, &bytes),
        (
            Task::Run(_) | Task::Call(_) | Task::Session(_) | Task::Explore(_) | Task::Snapshot(_) | Task::Compile(_),
            _,
        ) => Ending::new(EndKind::NotStarted, exit::REFUSED, None),
    };
    Ok((ending, None))
}

/// What was made before lock-down.
enum Prepared {
    Run(Box<run::Prepared>),
    Test(Box<testing::Prepared>),
    Compiler(Box<CompilerService>),
    Nothing,
}
