//! Whatever is killed, and whenever, nothing is left: no process, no mount, no file; and no cgroup after the next run.
//!
//! The command runs a program for ever, and it or its worker is killed: some time after it was started, or as soon as there is a worker, or
//! some time after that. Whoever is left must be gone by itself soon.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pinfold::exit;

/// Rounds where nobody says how many.
pub const ROUNDS: u32 = 60;
/// Longest delay before a kill: as long as a start takes on a slow machine.
const LONGEST: Duration = Duration::from_millis(24);
/// How long whoever is left may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);
const SEED: u64 = 0x6b69_6c6c;

/// The next of a sequence of numbers (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Whom a round kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Supervisor,
    Worker,
}

/// Where rounds take place.
struct Ground {
    place: PathBuf,
    program: PathBuf,
    /// Of all rounds until now.
    supervisors: Vec<u32>,
    /// Groups that were there before.
    older: Vec<PathBuf>,
}

/// What a host must look like afterwards.
#[derive(PartialEq, Eq)]
struct Host {
    mounts: String,
    files: BTreeSet<PathBuf>,
}

impl Ground {
    fn new() -> io::Result<Self> {
        let place = std::env::temp_dir().join(format!("pinfold-kills-{}", std::process::id()));
        fs::create_dir(&place)?;
        fs::create_dir(place.join("temporary"))?;
        fs::create_dir(place.join("granted"))?;
        // Nothing of a program that was killed is kept, not even a part.
        fs::create_dir(place.join("cache"))?;
        let program = place.join("spin.wat");
        fs::write(&program, r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#)?;
        let older = groups("/sys/fs/cgroup".as_ref(), None);
        Ok(Self { place, program, supervisors: Vec::new(), older })
    }

    /// What is there now. What else a supervisor makes of the host's belongs here too.
    fn host(&self) -> io::Result<Host> {
        let inside = ["temporary", "granted", "cache"].map(|name| self.place.join(name));
        let folders = [std::slice::from_ref(&self.place), &inside[..]].concat();
        let mut files = BTreeSet::new();
        for folder in folders {
            files.extend(
                fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?,
            );
        }
        Ok(Host { mounts: fs::read_to_string("/proc/self/mountinfo")?, files })
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinfold"));
        command.arg("run").arg("--dir").arg(format!("{}::/granted:rw", self.place.join("granted").display()));
        command.arg(&self.program).env("TMPDIR", self.place.join("temporary")).env_remove("PINFOLD_WORKER");
        command.env("PINFOLD_CACHE", self.place.join("cache"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    /// What runs that nobody kills do not take away of cgroups that those before them left, or leave of their own.
    fn groups_after_other_runs(&mut self) -> io::Result<Vec<PathBuf>> {
        let source = self.place.join("source.fold");
        fs::write(&source, "needs out: Console\nout.print(\"\")\n")?;
        for (command, program) in [("inspect", &self.program), ("check", &source), ("run", &source)] {
            let mut run = Command::new(env!("CARGO_BIN_EXE_pinfold"));
            run.arg(command).arg(program).env_remove("PINFOLD_WORKER").env("PINFOLD_CACHE", "");
            run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut run = run.spawn()?;
            self.supervisors.push(run.id());
            if !run.wait()?.success() {
                return Err(io::Error::other(format!("pinfold {command} failed")));
            }
        }
        are_all_gone(Instant::now() + PATIENCE)?;
        let mut left = groups("/sys/fs/cgroup".as_ref(), Some(&self.supervisors));
        left.retain(|group| !self.older.contains(group));
        Ok(left)
    }

    /// One round; what is wrong afterwards.
    fn round(&mut self, whom: Whom, random: &mut u64) -> io::Result<Option<String>> {
        let mut supervisor = self.start()?;
        self.supervisors.push(supervisor.id());
        let waits_for_worker = whom == Whom::Worker || next(random).is_multiple_of(2);
        let worker = if waits_for_worker { worker(&mut supervisor)? } else { None };
        // Often at once.
        let delay = LONGEST * (next(random) % 1000) as u32 / 1000 * u32::from(!next(random).is_multiple_of(4));
        let until = Instant::now() + delay;
        while Instant::now() < until {
            std::thread::yield_now();
        }
        match (whom, worker) {
            (Whom::Supervisor, _) => supervisor.kill()?,
            // SAFETY: a plain call. The number is not another's: its supervisor has not waited for it while it runs.
            (Whom::Worker, Some(worker)) => drop(unsafe { libc::kill(worker, libc::SIGKILL) }),
            (Whom::Worker, None) => return Ok(Some("it ended before it had a worker".into())),
        }
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match supervisor.try_wait()? {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    supervisor.kill()?;
                    supervisor.wait()?;
                    return Ok(Some("the supervisor goes on without its worker".into()));
                }
                None => std::thread::yield_now(),
            }
        };
        let refused = [exit::CRASH, exit::REFUSED].map(i32::from);
        if whom == Whom::Worker && !status.code().is_some_and(|code| refused.contains(&code)) {
            return Ok(Some(format!("the supervisor of a worker that was killed ends with {status}")));
        }
        if are_all_gone(deadline)? {
            return Ok(None);
        }
        end_children()?;
        Ok(Some("a process is left".into()))
    }
}

/// Cgroups of these supervisors, or of all.
fn groups(below: &Path, supervisors: Option<&[u32]>) -> Vec<PathBuf> {
    let is_theirs = |name: &str| {
        let maker = name.strip_prefix("pinfold-").and_then(|rest| rest.split_once('-')).map(|(maker, _)| maker);
        maker.is_some_and(|maker| supervisors.is_none_or(|all| all.iter().any(|one| maker == one.to_string())))
    };
    let entries = fs::read_dir(below).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .flat_map(|entry| match is_theirs(&entry.file_name().to_string_lossy()) {
            true => vec![entry.path()],
            false => groups(&entry.path(), supervisors),
        })
        .collect()
}

/// The worker of a supervisor, once there is one.
fn worker(supervisor: &mut Child) -> io::Result<Option<i32>> {
    let path = format!("/proc/{0}/task/{0}/children", supervisor.id());
    while supervisor.try_wait()?.is_none() {
        let children = fs::read_to_string(&path).unwrap_or_default();
        if let Some(worker) = children.split_whitespace().next() {
            return worker.parse().map(Some).map_err(io::Error::other);
        }
    }
    Ok(None)
}

/// Waits until this process has no child any more. Those that lost their parents are its own now.
fn are_all_gone(deadline: Instant) -> io::Result<bool> {
    loop {
        // SAFETY: a plain call.
        match unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } {
            -1 => return Ok(io::Error::last_os_error().raw_os_error() == Some(libc::ECHILD)),
            0 if Instant::now() > deadline => return Ok(false),
            0 => std::thread::yield_now(),
            _ => {}
        }
    }
}

/// Ends what was left, so that the next round starts without.
fn end_children() -> io::Result<()> {
    for child in fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()))?.split_whitespace() {
        // SAFETY: a plain call. A child that was not waited for keeps its number.
        unsafe { libc::kill(child.parse().map_err(io::Error::other)?, libc::SIGKILL) };
    }
    are_all_gone(Instant::now() + PATIENCE).map(drop)
}

/// Kills supervisor and worker in turn, this many times. The process must have no other children.
pub fn main(rounds: u32) -> io::Result<bool> {
    // SAFETY: a plain call: who loses its parent below this process becomes its child.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let mut ground = Ground::new()?;
    let before = ground.host()?;
    let start = Instant::now();
    let (mut random, mut wrong) = (SEED, 0);
    for round in 0..rounds {
        let whom = if round.is_multiple_of(2) { Whom::Supervisor } else { Whom::Worker };
        let problem = ground.round(whom, &mut random)?;
        let problem = problem.or_else(|| match ground.host() {
            Ok(after) if after == before => None,
            Ok(after) if after.mounts != before.mounts => Some("a mount is left".into()),
            Ok(after) => Some(format!("files are left: {:?}", after.files.difference(&before.files))),
            Err(error) => Some(error.to_string()),
        });
        if let Some(problem) = problem {
            wrong += 1;
            println!("WRONG round {round}, {whom:?} killed: {problem}");
        }
    }
    let groups = ground.groups_after_other_runs()?;
    if !groups.is_empty() {
        wrong += 1;
        println!("WRONG cgroups are left after other runs: {groups:?}");
    }
    fs::remove_dir_all(&ground.place)?;
    println!(
        "{rounds} kills of supervisor and worker in turn, {wrong} wrong, in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    Ok(wrong == 0)
}

/// The same, in a process of its own.
pub fn check(executable: &Path) -> Result<(), String> {
    match Command::new(executable).args(["--kills", &ROUNDS.to_string()]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("something is left of what was killed".into()),
        Err(error) => Err(error.to_string()),
    }
}
