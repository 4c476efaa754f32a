//! The escape suite: a worker that was taken over tries to get out.
//!
//! A native payload runs in the place of the interpreter, in a worker that is locked as every worker is, and makes one attack.
//! Each attack is tried without any layer, where it must succeed or say why the kernel stops it anyway; with all of them, where it
//! must fail in the way that is written beside it; without user namespaces; and with each layer taken away in turn, where only the
//! attacks that name that layer as their only wall may succeed. The process that compiles for a worker is another place in which to make each.
//!
//! ```text
//!  escape                    the suite; for root, what matters of it once more as an ordinary user
//!  escape --few              without any layer, with all, and without namespaces only
//!  escape --table            the same, then the table of attacks and layers, for which each layer is tried alone too
//!  escape [--table] NAME     those attacks whose name contains this
//!  escape --kills N          supervisor and worker killed in turn, this many times
//! ```

#![allow(missing_docs, clippy::unwrap_used)]

mod attack;
mod cgroups;
mod entry;
mod files;
mod forms;
mod kills;
mod leaks;
mod memory;
mod network;
mod payload;
mod privilege;
mod processes;
mod range;
mod sockets;
mod supervisor;
mod table;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use attack::{Attack, Bare, End};
use range::{Depth, Kind, Report, Seen, Walls};

/// Attacks that are tried at a time.
const AT_A_TIME: usize = 2;
/// How long all runs of one attack may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// All attacks by group.
fn all() -> Vec<(&'static str, Vec<Attack>)> {
    vec![
        ("files", files::attacks()),
        ("processes", processes::attacks()),
        ("privilege", privilege::attacks()),
        ("network", network::attacks()),
        ("granted connections", sockets::attacks()),
        ("memory", memory::attacks()),
        ("cgroups", cgroups::attacks()),
        ("leaks", leaks::attacks()),
        ("entry points", entry::attacks()),
        ("supervisor", supervisor::attacks()),
    ]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.first().is_some_and(|name| name == "pinfold-worker") {
        payload::main();
    }
    let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let depth = match arguments.as_slice() {
        words if words.contains(&"--table") => Depth::Deep,
        words if words.contains(&"--few") => Depth::Few,
        _ => Depth::Usual,
    };
    match arguments.as_slice() {
        ["--victim"] => range::victim(),
        ["--escaped"] => payload::escaped_program(),
        ["--forms"] => match forms::main().unwrap() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
        ["--kills", rounds] => match kills::main(rounds.parse().unwrap()).unwrap() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
        ["--range", name, ..] => {
            let attack =
                all().into_iter().flat_map(|(_, attacks)| attacks).find(|attack| attack.name == *name).unwrap();
            range::main(&attack, depth).unwrap();
            ExitCode::SUCCESS
        }
        // What a test runner may pass on.
        ["--list", ..] => ExitCode::SUCCESS,
        _ => suite(&arguments, depth),
    }
}

/// What came of an attack.
pub struct Outcome {
    pub attack: Attack,
    pub group: &'static str,
    pub runs: Vec<(Walls, Report)>,
    pub problems: Vec<String>,
}

impl Outcome {
    fn seen(&self, kind: Kind) -> Option<&Seen> {
        self.runs.iter().find(|(walls, _)| walls.kind == kind).map(|(_, report)| &report.seen)
    }

    /// Whether the host has not what is attacked.
    pub fn is_skipped(&self) -> bool {
        let must_succeed = self.attack.bare == Bare::Succeeds;
        match self.seen(Kind::None) {
            Some(Seen::Lacks(_)) => must_succeed,
            Some(Seen::Refused(_)) => must_succeed && !is_root(),
            _ => false,
        }
    }
}

fn suite(arguments: &[&str], depth: Depth) -> ExitCode {
    let mut words = arguments.iter();
    let mut wanted = None;
    while let Some(word) = words.next() {
        match *word {
            "--test-threads" => drop(words.next()),
            word if word.starts_with('-') => {}
            word => wanted = Some(word),
        }
    }
    let attacks = all().into_iter().flat_map(|(group, attacks)| attacks.into_iter().map(move |attack| (group, attack)));
    let queue: VecDeque<(usize, (&str, Attack))> =
        attacks.filter(|(_, attack)| wanted.is_none_or(|wanted| attack.name.contains(wanted))).enumerate().collect();
    let (queue, done) = (Mutex::new(queue), Mutex::new(Vec::new()));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop_front();
                    let Some((index, (group, attack))) = next else { return };
                    let outcome = try_out(group, attack, depth);
                    done.lock().unwrap().push((index, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    let outcomes: Vec<Outcome> = done.into_iter().map(|(_, outcome)| outcome).collect();
    if depth == Depth::Deep {
        table::print(&outcomes);
    }
    table::summary(&outcomes, start.elapsed());
    let is_good = outcomes.iter().all(|outcome| outcome.problems.is_empty());
    if depth == Depth::Few {
        return if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let executable = std::env::current_exe().unwrap();
    let command = supervisor::prints_no_control(&executable)
        .and_then(|()| supervisor::bounds_records(&executable))
        .and_then(|()| supervisor::reports_violations(&executable))
        .and_then(|()| supervisor::tells_of_memory(&executable))
        .and_then(|()| forms::check(&executable))
        .and_then(|()| kills::check(&executable));
    if let Err(problem) = &command {
        println!("WRONG {problem}");
    }
    let is_good = is_good && command.is_ok() && (!is_root() || as_ordinary_user(wanted));
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The suite as somebody who has no right by being who they are: whether all is well.
fn as_ordinary_user(wanted: Option<&str>) -> bool {
    const NOBODY: u32 = 65534;
    let place = std::env::temp_dir().join(format!("pinfold-escape-nobody-{}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir(&place).unwrap();
    chown(&place, Some(NOBODY), Some(NOBODY)).unwrap();
    // Where it was built that user may not look.
    let executable = place.join("escape");
    fs::copy(std::env::current_exe().unwrap(), &executable).unwrap();
    println!("as user {NOBODY}:");
    let mut command = Command::new(executable);
    command.arg("--few").args(wanted).current_dir(&place).env("TMPDIR", &place).uid(NOBODY).gid(NOBODY);
    let is_good = command.status().unwrap().success();
    let _ = fs::remove_dir_all(&place);
    is_good
}

/// Tries an attack in all ways.
fn try_out(group: &'static str, attack: Attack, depth: Depth) -> Outcome {
    let ways = range::walls(&attack, depth);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--range", attack.name]).args(match depth {
        Depth::Few => Some("--few"),
        Depth::Usual => None,
        Depth::Deep => Some("--table"),
    });
    command.env("PINFOLD_WORKER", std::env::current_exe().unwrap());
    let mut range = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(range.stdout.take().unwrap()).lines();
    let (say, hear) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
    let deadline = Instant::now() + PATIENCE;
    let mut outcome = Outcome { attack, group, runs: Vec::new(), problems: Vec::new() };
    for walls in ways {
        let line = hear.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        let Some(report) = line.ok().and_then(|line| serde_json::from_str(&line).ok()) else {
            outcome.problems.push(format!("{:?}: the supervisor hangs, or fails", walls.kind));
            break;
        };
        outcome.runs.push((walls, report));
    }
    let _ = range.kill();
    let _ = range.wait();
    range::clean(range.id());
    let problems: Vec<String> =
        outcome.runs.iter().filter_map(|(walls, report)| problem(&outcome.attack, walls, report)).collect();
    outcome.problems.extend(problems);
    outcome
}

/// What is not as it must be.
fn problem(attack: &Attack, walls: &Walls, report: &Report) -> Option<String> {
    let Report { seen, took, busy, left_over } = report;
    let tell = |what: &str| Some(format!("{:?}: {what}: {seen:?}", walls.kind));
    if *left_over {
        return tell("the worker is still there");
    }
    if attack.idle && *busy > took / 2.0 {
        return tell("the supervisor was busy waiting");
    }
    let has_escaped = matches!(seen, Seen::Escaped(_));
    match walls.kind {
        _ if matches!(seen, Seen::Failed(_)) => tell("the supervisor failed"),
        Kind::NoNamespaces if matches!(seen, Seen::NoStart(_)) && is_root() => tell("cannot be confined"),
        Kind::Compiler if matches!(seen, Seen::NoStart(_)) => tell("cannot be confined"),
        Kind::None => match attack.bare {
            _ if matches!(seen, Seen::Lacks(_)) => None,
            // Others than root find walls that are not the sandbox's.
            Bare::Succeeds if !has_escaped && !is_root() => None,
            Bare::Succeeds if !has_escaped => tell("does not succeed without any layer"),
            Bare::Stopped(_) if has_escaped => tell("succeeds, though it is written that something stops it"),
            _ => None,
        },
        Kind::All if has_escaped => tell("ESCAPE"),
        Kind::All if !is_expected(attack.ends, seen) => tell(&format!("must end as {:?}", attack.ends)),
        Kind::NoNamespaces if has_escaped && attack.without_namespaces.is_none() => tell("ESCAPE"),
        Kind::Failing | Kind::Compiler if has_escaped => tell("ESCAPE"),
        Kind::CompilerNoNamespaces if has_escaped && attack.without_namespaces.is_none() => tell("ESCAPE"),
        Kind::Without(layer) if has_escaped && attack.only != Some(layer) => tell("a second wall is missing"),
        _ => None,
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn is_expected(end: End, seen: &Seen) -> bool {
    match (end, seen) {
        (End::Violation(expected), Seen::Violation(name)) => expected == name,
        (End::Killed(expected), Seen::Killed(signal)) => expected == *signal,
        (End::Refused, Seen::Refused(_) | Seen::Lacks(_))
        | (End::Timeout, Seen::Timeout)
        | (End::Output, Seen::Output)
        | (End::Nonsense, Seen::Nonsense)
        | (End::Exited, Seen::Exited(_)) => true,
        _ => false,
    }
}
