//! Every system call of a filter is needed.
//!
//! For each usual set of grants and each call of its filter there is a scenario that passes with the filter, and ends in a violation by
//! that call, and no other, once it is taken out. What no scenario needs does not belong into the table.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pinfold::job::TierName;
use pinfold::supervisor::{SupervisorError, Verdict};
use pinfold::{exit, policy};
use pinfold_sandbox::{Exit, Launch, Layer, Layers, Plan, Refusal, spawn};
use pinfold_vm::host::{DirGrant, Grants};
use pinfold_vm::module::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::peer::Peer;
use crate::program;
use crate::worker::{self, Input, READABLE, Tree, WRITABLE};

/// What must be granted so that a scenario makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Console,
    Clock,
    Random,
    Directory,
    WritableDirectory,
    /// A connection, and a place to listen at.
    Network,
}

/// How it is run, and what shows that a call is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// In the interpreter; the supervisor names the call.
    Plain,
    /// Interpreted, and compiled once it is hot.
    Hot,

    /// Compiled, and it traps.
    Traps,
    /// With less memory than the program wants, as under a lower limit of the host's: it is refused.
    Scarce,
    /// With another directory of the host, which has a file system mounted in it.
    Mounted,
    /// A refused call kills: the supervisor would hear of the violation by this call, and does not.
    Killing,
    /// Without a supervisor, which is gone before the worker is ready. A refused call kills.
    Alone,
}

/// A program that needs a call.
struct Scenario {
    call: &'static str,
    needs: Needs,
    how: How,
    /// What the program does; descriptor 3 is the directory, if there is one.
    does: &'static str,
}

/// A file system that is mounted below one that is granted: on every Linux one of these is.
const MOUNTED: [(&str, &str); 3] = [("/dev", "shm"), ("/dev", "pts"), ("/dev", "mqueue")];

macro_rules! scenarios {
    ($($call:ident, $needs:ident, $how:ident: $does:literal;)*) => {
        &[$(Scenario { call: stringify!($call), needs: Needs::$needs, how: How::$how, does: $does },)*]
    };
}

const SCENARIOS: &[Scenario] = scenarios! {
    read, Nothing, Plain: "";
    write, Nothing, Killing: "";
    exit_group, Nothing, Alone: "";
    // What turns hot is handed to a thread that compiles it.
    futex, Nothing, Hot: "(local $turns i32)
        (loop $on (br_if $on (i32.lt_u (local.tee $turns (i32.add (local.get $turns) (i32.const 1))) (i32.const 100000))))";
    // To wait for time takes nothing that was granted.
    futex, Nothing, Plain: "(i64.store (i32.const 5024) (i64.const 50000000))
        (call $must (call $poll_oneoff (i32.const 5000) (i32.const 5100) (i32.const 1) (i32.const 5200)))";
    mprotect, Nothing, Plain: "(drop (memory.grow (i32.const 64)))";
    rt_sigreturn, Nothing, Traps: "(drop (i32.load (i32.const -1)))";
    madvise, Nothing, Scarce: "";
    writev, Console, Plain: r#"(call $print (str "text"))"#;
    ppoll, Console, Plain: r#"(call $print (str "text"))"#;
    ioctl, Console, Plain: "(i32.store8 (i32.const 5008) (i32.const 1))
        (call $must (call $poll_oneoff (i32.const 5000) (i32.const 5100) (i32.const 1) (i32.const 5200)))";
    // The other clocks are read without a call.
    clock_gettime, Clock, Plain: "(call $must (call $clock_time_get (i32.const 2) (i64.const 0) (i32.const 8)))";
    getrandom, Random, Plain: "(call $must (call $random_get (i32.const 5000) (i32.const 8)))";
    openat, Directory, Plain: r#"(drop (call $open (i32.const 3) (str "file")))"#;
    openat2, Directory, Plain: r#"(drop (call $open (i32.const 3) (str "file")))"#;
    close, Directory, Plain: r#"(call $must (call $fd_close (call $open (i32.const 3) (str "file"))))"#;
    fstat, Directory, Plain: r#"(drop (call $open (i32.const 3) (str "file")))"#;
    fstatfs, Directory, Mounted: r#"(drop (call $open_directory (i32.const 3) (str "MOUNTED")))"#;
    lseek, Directory, Plain: r#"(call $must
        (call $fd_seek (call $open (i32.const 3) (str "file")) (i64.const 1) (i32.const 0) (i32.const 8)))"#;
    pread64, Directory, Plain: r#"(call $must (call $fd_pread (call $open (i32.const 3) (str "file"))
        (call $list (i32.const 5000) (i32.const 4)) (i32.const 1) (i64.const 0) (i32.const 8)))"#;
    fadvise64, Directory, Plain: r#"(call $must
        (call $fd_advise (call $open (i32.const 3) (str "file")) (i64.const 0) (i64.const 4) (i32.const 1)))"#;
    fcntl, Directory, Plain: r#"(call $must
        (call $fd_fdstat_set_flags (call $open (i32.const 3) (str "file")) (i32.const 1)))"#;
    fsync, Directory, Plain: r#"(call $must (call $fd_sync (call $open_directory (i32.const 3) (str "folder"))))"#;
    fdatasync, Directory, Plain: r#"(call $must (call $fd_datasync (call $open (i32.const 3) (str "file"))))"#;
    getdents64, Directory, Plain: "(call $must
        (call $fd_readdir (i32.const 3) (i32.const 5000) (i32.const 1000) (i64.const 0) (i32.const 8)))";
    readlinkat, Directory, Plain: r#"(call $must
        (call $path_readlink (i32.const 3) (str "link") (i32.const 5000) (i32.const 100) (i32.const 8)))"#;
    // A pipe with a name is waited for, and asked how much it holds.
    ppoll, Directory, Plain: r#"(call $must (call $fd_read (call $open (i32.const 3) (str "pipe"))
        (call $list (i32.const 5000) (i32.const 4)) (i32.const 1) (i32.const 8)))"#;
    ioctl, Directory, Plain: r#"(i32.store8 (i32.const 5008) (i32.const 1))
        (i32.store (i32.const 5016) (call $open (i32.const 3) (str "pipe")))
        (call $must (call $poll_oneoff (i32.const 5000) (i32.const 5100) (i32.const 1) (i32.const 5200)))"#;
    writev, WritableDirectory, Plain: r#"(call $must (call $fd_write (call $open_for_writing (i32.const 3) (str "file"))
        (call $list (i32.const 5000) (i32.const 4)) (i32.const 1) (i32.const 8)))"#;
    pwritev, WritableDirectory, Plain: r#"(call $must
        (call $fd_pwrite (call $open_for_writing (i32.const 3) (str "file"))
            (call $list (i32.const 5000) (i32.const 4)) (i32.const 1) (i64.const 0) (i32.const 8)))"#;
    fallocate, WritableDirectory, Plain: r#"(call $must
        (call $fd_allocate (call $open_for_writing (i32.const 3) (str "file")) (i64.const 0) (i64.const 100)))"#;
    ftruncate, WritableDirectory, Plain: r#"(call $must
        (call $fd_filestat_set_size (call $open_for_writing (i32.const 3) (str "file")) (i64.const 5)))"#;
    utimensat, WritableDirectory, Plain: r#"(call $must (call $path_filestat_set_times
        (i32.const 3) (i32.const 0) (str "file") (i64.const 1) (i64.const 1) (i32.const 5)))"#;
    mkdirat, WritableDirectory, Plain: r#"(call $must (call $path_create_directory (i32.const 3) (str "new")))"#;
    linkat, WritableDirectory, Plain: r#"(call $must
        (call $path_link (i32.const 3) (i32.const 0) (str "file") (i32.const 3) (str "new")))"#;
    symlinkat, WritableDirectory, Plain: r#"(call $must (call $path_symlink (str "file") (i32.const 3) (str "new")))"#;
    renameat, WritableDirectory, Plain: r#"(call $must
        (call $path_rename (i32.const 3) (str "file") (i32.const 3) (str "new")))"#;
    unlinkat, WritableDirectory, Plain: r#"(call $must (call $path_unlink_file (i32.const 3) (str "file")))"#;
    // Only a directory may be named with a slash at its end.
    newfstatat, WritableDirectory, Plain: r#"(call $must
        (call $path_rename (i32.const 3) (str "folder/") (i32.const 3) (str "new/")))"#;
    accept4, Network, Plain: "(call $must (call $sock_accept (i32.const 4) (i32.const 0) (i32.const 8)))";
    recvmsg, Network, Plain: "(call $must (call $sock_recv (i32.const 3)
        (call $list (i32.const 5000) (i32.const 5)) (i32.const 1) (i32.const 2) (i32.const 8) (i32.const 12)))";
    sendmsg, Network, Plain: "(call $must (call $sock_send (i32.const 3)
        (call $list (i32.const 5000) (i32.const 5)) (i32.const 1) (i32.const 0) (i32.const 8)))";
    shutdown, Network, Plain: "(call $must (call $sock_shutdown (i32.const 3) (i32.const 3)))";
    close, Network, Plain: "(call $must (call $fd_close (i32.const 3)))";
    // The server speaks first: this waits for it, and asks how much there is.
    ppoll, Network, Plain: "(i32.store8 (i32.const 5008) (i32.const 1)) (i32.store (i32.const 5016) (i32.const 3))
        (call $must (call $poll_oneoff (i32.const 5000) (i32.const 5100) (i32.const 1) (i32.const 5200)))";
    ioctl, Network, Plain: "(i32.store8 (i32.const 5008) (i32.const 1)) (i32.store (i32.const 5016) (i32.const 3))
        (call $must (call $poll_oneoff (i32.const 5000) (i32.const 5100) (i32.const 1) (i32.const 5200)))";
};

/// What is usually granted.
fn usual(tree: &Tree) -> Vec<(&'static str, Grants)> {
    // Where no mount namespace hides the others, directories are walked by other calls.
    let walked = |name| Grants { stepwise: true, dirs: vec![tree.grant(name)], ..Grants::none() };
    let command = Grants::command;
    let with = |name, grants| Grants { dirs: vec![tree.grant(name)], ..grants };
    vec![
        ("nothing", Grants::none()),
        ("default", command()),
        ("deterministic", Grants { deterministic: Some(1), ..command() }),
        ("no clock", Grants { clock: None, ..command() }),
        ("no random numbers", Grants { random: false, ..command() }),
        ("directory", with(READABLE, command())),
        ("writable directory", with(WRITABLE, command())),
        ("directory alone", with(READABLE, Grants::none())),
        ("writable directory alone", with(WRITABLE, Grants::none())),
        ("directory without mounts", walked(READABLE)),
        ("writable directory without mounts", walked(WRITABLE)),
        ("network", Grants { net: Peer::new().unwrap().grants.clone(), ..Grants::none() }),
    ]
}

impl Needs {
    fn are_met(self, grants: &Grants) -> bool {
        let is_real = grants.deterministic.is_none();
        match self {
            Self::Nothing => true,
            Self::Console => matches!(grants.console, pinfold_vm::host::Console::Inherit),
            Self::Clock => grants.clock.is_some() && is_real,
            Self::Random => grants.random && is_real,
            Self::Directory => !grants.dirs.is_empty(),
            Self::WritableDirectory => grants.dirs.iter().any(|dir| dir.writable),
            Self::Network => !grants.net.is_empty(),
        }
    }
}

/// Tries all of them; whether each call is needed.
pub fn run(scratch: &Path) -> bool {
    let start = Instant::now();
    let root = scratch.join("tree");
    let tree = Tree::new(&root).unwrap();
    let sets = usual(&tree);
    let (mut calls, mut wrong) = (0, 0);
    for (name, grants) in &sets {
        let _tree = Tree::new(&root).unwrap();
        let filter = plan(grants).filter().unwrap();
        for rule in filter.rules() {
            let call = rule.syscall.name;
            calls += 1;
            if let Err(why) = is_needed(call, grants, &root) {
                wrong += 1;
                println!("WRONG {call}, of the filter for {name:?}: {why}");
            }
        }
    }
    let took = start.elapsed().as_secs_f64();
    println!(
        "{} sets of grants, {calls} system calls in their filters, {wrong} not shown to be needed, in {took:.1} s",
        sets.len()
    );
    wrong == 0
}

fn plan(grants: &Grants) -> Plan {
    let layers = if grants.stepwise { Layers::all().without(Layer::Mount) } else { Layers::all() };
    policy::plan(grants, worker::MEMORY, worker::STACK, layers).unwrap()
}

/// Whether all scenarios of a call pass with it, and one at least comes to it when it is gone.
fn is_needed(call: &str, grants: &Grants, root: &Path) -> Result<(), String> {
    let mut is_shown = false;
    let mut others = String::new();
    for scenario in SCENARIOS.iter().filter(|s| s.call == call && s.needs.are_met(grants)) {
        let both =
            scenario.run(grants, None, root).and_then(|with| Ok((with, scenario.run(grants, Some(call), root)?)));
        let (with, without) = both.map_err(|error| error.to_string())?;
        if !scenario.passes(&with) {
            return Err(format!("a scenario does not pass: {with:?}"));
        }
        match scenario.shows(call, &without) {
            true => is_shown = true,
            false => others = format!("; without it one ends so: {without:?}"),
        }
    }
    if is_shown { Ok(()) } else { Err(format!("no scenario needs it{others}")) }
}

/// How a scenario ended.
#[derive(Debug)]
enum Seen {
    Verdict(Verdict),
    Exit(Option<Exit>),
}

impl Scenario {
    fn passes(&self, seen: &Seen) -> bool {
        match seen {
            Seen::Verdict(Verdict::Ended(ending)) => match self.how {
                How::Traps => ending.code == exit::TRAP,
                How::Scarce => ending.code == exit::MEMORY,
                _ => ending.code == 0,
            },
            Seen::Exit(exit) => *exit == Some(Exit::Code(exit::REFUSED.into())),
            Seen::Verdict(_) => false,
        }
    }

    fn shows(&self, call: &str, seen: &Seen) -> bool {
        let killed = Exit::Signal(libc::SIGSYS);
        match (self.how, seen) {
            (How::Alone, Seen::Exit(exit)) => *exit == Some(killed),
            (How::Killing, Seen::Verdict(Verdict::Crash { exit })) => *exit == killed,
            (How::Alone | How::Killing, _) => false,
            (_, Seen::Verdict(Verdict::Violation(violation))) => violation.name.as_deref() == Some(call),
            _ => false,
        }
    }

    fn run(&self, grants: &Grants, missing: Option<&str>, root: &Path) -> Result<Seen, SupervisorError> {
        let _tree = Tree::new(root)?;
        let mut grants = grants.clone();
        let mut does = self.does.to_owned();
        let peer = if grants.net.is_empty() { None } else { Some(Peer::new()?) };
        if let Some(peer) = &peer {
            grants.net.clone_from(&peer.grants);
        }
        if self.how == How::Mounted {
            let (directory, mounted) = mounted()?;
            for dir in &mut grants.dirs {
                *dir = DirGrant { host: directory.clone(), ..dir.clone() };
            }
            does = does.replace("MOUNTED", &mounted);
        }
        let mut plan = plan(&grants);
        plan.syscalls.retain(|(name, _)| Some(name.as_str()) != missing);
        if matches!(self.how, How::Killing | How::Alone) {
            plan.refusal = Refusal::Kill;
        }
        if self.how == How::Scarce {
            plan.limits.memory = worker::MEMORY / 2;
        }
        let tier = match self.how {
            How::Traps => TierName::Jit,
            How::Hot => TierName::Auto,
            _ => TierName::Interpreter,
        };
        let pages = worker::MEMORY / (64 << 10) - 1;
        let large =
            if self.how == How::Scarce { format!(r#"(memory (export "memory") {pages})"#) } else { String::new() };
        let start = format!(r#"(func (export "_start") {does})"#);
        // Without the beginning that other programs have, which needs a memory of its own.
        let program = if large.is_empty() { program::module(&start) } else { format!("(module {large} {start})") };
        if self.how == How::Alone {
            // Nobody is there to hand connections in.
            grants.net.clear();
            return Ok(Seen::Exit(alone(&worker::job(plan, grants, tier))?));
        }
        let job = worker::job(plan, grants, tier);
        let input = Input { text: "some input", stays_open: false, patience: worker::PATIENCE };
        worker::run(&job, &program, &input).map(|outcome| Seen::Verdict(outcome.verdict))
    }
}

/// A directory of the host, and one in it that is a file system of its own.
fn mounted() -> io::Result<(PathBuf, String)> {
    let device = |path: PathBuf| std::fs::metadata(path).map(|data| std::os::unix::fs::MetadataExt::dev(&data));
    let differs = |(outer, inner): &&(&str, &str)| {
        let inside = device(Path::new(outer).join(inner));
        inside.is_ok_and(|inside| device(outer.into()).is_ok_and(|outside| inside != outside))
    };
    let (outer, inner) = MOUNTED.iter().find(differs).ok_or(io::ErrorKind::NotFound)?;
    Ok((outer.into(), (*inner).into()))
}

/// How a worker ends that finds nobody; nothing if it does not.
fn alone(job: &pinfold::job::Job) -> Result<Option<Exit>, SupervisorError> {
    let text = serde_json::to_vec(job).map_err(io::Error::from)?;
    let missing = || io::Error::from(io::ErrorKind::InvalidInput);
    let sealed = [Bytes::sealed(text.as_slice(), u64::MAX)?, Bytes::sealed(&b"not a module"[..], u64::MAX)?];
    let [job_file, program] = sealed.each_ref().map(Bytes::sealed_file);
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(io::Error::from)?;
    drop(ours);
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let worker = File::open(std::env::var_os("PINFOLD_WORKER").ok_or_else(missing)?)?;
    let child = spawn(&Launch {
        program: worker.as_fd(),
        arguments: &[c"pinfold-worker"],
        descriptors: &[
            null.as_fd(),
            null.as_fd(),
            null.as_fd(),
            theirs.as_fd(),
            job_file.ok_or_else(missing)?.as_fd(),
            program.ok_or_else(missing)?.as_fd(),
        ],
        layers: job.plan.layers,
        enters: true,
    })?;
    let bound = Timespec { tv_sec: 20, tv_nsec: 0 };
    let has_ended = poll(&mut [PollFd::new(&child, PollFlags::IN)], Some(&bound)).map_err(io::Error::from)? == 1;
    child.kill();
    let exit = child.wait()?;
    Ok(has_ended.then_some(exit))
}
