//! Running a program as `pinfold run` does: supervised, in a locked worker, with streams of its own.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinfold::job::{Insight, Job, Run, Task, TierName};
use pinfold::supervisor::{self, Bounds, SupervisorError, Verdict};
use pinfold_sandbox::Plan;
use pinfold_vm::host::{DirGrant, Grants};
use pinfold_vm::module::Bytes;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stderr, stdin, stdout};

pub const MEMORY: u64 = 64 << 20;
pub const STACK: u64 = 1 << 20;

/// Directories that programs are granted, and what is in and beside them.
pub struct Tree {
    root: PathBuf,
    /// Held open for reading and writing, so that whoever opens it in the program does not wait.
    _pipes: [File; 2],
}

/// What the granted directories are called.
pub const WRITABLE: &str = "data";
pub const READABLE: &str = "shown";

impl Tree {
    /// The same tree each time.
    pub fn new(root: &Path) -> io::Result<Self> {
        let _ = fs::remove_dir_all(root);
        fs::create_dir(root)?;
        fs::write(root.join("secret"), "the secret that nobody granted")?;
        let pipe = |name: &str| -> io::Result<File> {
            let place = root.join(name);
            fs::create_dir_all(place.join("folder"))?;
            fs::write(place.join("file"), "0123456789")?;
            fs::write(place.join("folder/inner"), "inner")?;
            symlink("file", place.join("link"))?;
            symlink("../secret", place.join("out"))?;
            rustix::fs::mknodat(rustix::fs::CWD, place.join("pipe"), rustix::fs::FileType::Fifo, 0o644.into(), 0)?;
            let mut pipe = File::options().read(true).write(true).open(place.join("pipe"))?;
            pipe.write_all(b"from the pipe")?;
            Ok(pipe)
        };
        Ok(Self { _pipes: [pipe(WRITABLE)?, pipe(READABLE)?], root: root.to_owned() })
    }

    /// The grant of one of its directories.
    pub fn grant(&self, name: &str) -> DirGrant {
        let guest = format!("/{name}");
        DirGrant { name: None, host: self.root.join(name), guest, writable: name == WRITABLE }
    }

    /// What is at a path now, for people.
    pub fn look(&self, path: &Path) -> String {
        match fs::read_to_string(self.root.join(path)) {
            Ok(text) => format!("{}: {text:?}", path.display()),
            Err(error) => format!("{}: {}", path.display(), error.kind()),
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// What a program reads.
pub struct Input<'a> {
    pub text: &'a str,
    pub stays_open: bool,
    /// How long it may take.
    pub patience: Duration,
}

/// Longer than any program takes that is not told to.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How a run ended, and what it wrote.
pub struct Outcome {
    pub verdict: Verdict,
    pub output: String,
}

/// A job with the limits of these suites.
pub fn job(plan: Plan, grants: Grants, tier: TierName) -> Job {
    let deterministic = grants.deterministic.is_some();
    let run = Run {
        grants,
        file: "program.wat".into(),
        max_memory: MEMORY,
        max_stack: STACK,
        fuel: None,
        tier,
        deterministic,
        invoke: None,
        invoke_args: Vec::new(),
        trap_unknown_imports: false,
        records: false,
        keeps: None,
        compiler: false,
        insight: Insight::default(),
        image: None,
        ahead: false,
    };
    Job { plan, task: Task::Run(Box::new(run)) }
}

/// Runs a job. The process must have no other thread that uses its standard streams: they are exchanged meanwhile.
pub fn run(job: &Job, program: &str, input: &Input<'_>) -> Result<Outcome, SupervisorError> {
    let program = Bytes::sealed(program.as_bytes(), u64::MAX)?;
    let bounds = Bounds { timeout: Some(input.patience), output: 1 << 20 };
    let streams = Streams::exchange(input)?;
    let verdict = supervisor::run(job, &program, &bounds);
    let output = streams.restore()?;
    Ok(Outcome { verdict: verdict?, output })
}

/// The process's own streams, while others are in their place.
struct Streams {
    own: [OwnedFd; 3],
    output: File,
    _feed: Option<OwnedFd>,
}

impl Streams {
    fn exchange(input: &Input<'_>) -> io::Result<Self> {
        let own = [stdin().try_clone_to_owned()?, stdout().try_clone_to_owned()?, stderr().try_clone_to_owned()?];
        let (theirs, feed) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut feed = File::from(feed);
        feed.write_all(input.text.as_bytes())?;
        let output = File::from(memfd_create(c"output", MemfdFlags::CLOEXEC)?);
        dup2_stdin(&theirs)?;
        dup2_stdout(&output)?;
        dup2_stderr(&output)?;
        Ok(Self { own, output, _feed: input.stays_open.then(|| feed.into()) })
    }

    /// What was written to the others.
    fn restore(mut self) -> io::Result<String> {
        let [stdin, stdout, stderr] = &self.own;
        dup2_stdin(stdin)?;
        dup2_stdout(stdout)?;
        dup2_stderr(stderr)?;
        let mut text = Vec::new();
        self.output.rewind()?;
        self.output.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
