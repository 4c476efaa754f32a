//! Races on a granted directory: a hostile process outside rearranges it while a program works below it.
//!
//! ```text
//!  granted/           outside/                the process outside, without a pause:
//!    swap/ ◄────────── a link to ──┐            exchanges swap and other
//!    other ────────►  secret       │            exchanges file and link
//!    file               victim  ◄──┘            moves a/b out, and back in
//!    link ─────────►
//!    a/b/c/
//! ```
//!
//! The program never reads or sees the secret, and what is outside is the same afterwards. With all layers the rest of the host is not
//! there to be reached, so it is tried too with neither mounts nor Landlock: how paths are resolved must hold alone. A resolution that
//! looks first and opens then is left behind by the same process in a few tries.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pinfold::job::TierName;
use pinfold::policy;
use pinfold::supervisor::Verdict;
use pinfold_sandbox::{Layer, Layers};
use pinfold_vm::host::{DirGrant, Grants};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::program;
use crate::worker::{self, Input};

/// Tries of a run where nobody says how many.
pub const TRIES: u64 = 20_000;
const SEED: u64 = 0x0070_696e_666f_6c64;
/// The secret: what it begins with, and how long it is, are what the program looks for.
const SECRET: &str = "S3CR";
const SECRET_LEN: usize = 77;
/// When the naive resolution must have been led outside.
const FEW: u64 = 100_000;

/// Makes both directories.
fn lay_out(root: &Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(root);
    let (granted, outside) = (root.join("granted"), root.join("outside"));
    for folder in ["swap", "a/b/c"] {
        fs::create_dir_all(granted.join(folder))?;
    }
    fs::create_dir(&outside)?;
    for name in ["secret", "victim"] {
        fs::write(outside.join(name), format!("{SECRET:.<SECRET_LEN$}"))?;
        fs::write(granted.join("swap").join(name), "inside")?;
    }
    fs::write(granted.join("file"), "inside")?;
    fs::write(granted.join("a/secret"), "inside")?;
    symlink("../outside/secret", granted.join("link"))?;
    symlink(&outside, granted.join("other"))
}

/// A file outside.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    contents: Vec<u8>,
    links: u64,
    changed: (i64, i64),
}

/// What is outside; of directories only that they are there. The one that is moved out is none of it.
fn outside(root: &Path) -> io::Result<BTreeMap<PathBuf, Option<Seen>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(root.join("outside"))?.chain(fs::read_dir(root)?) {
        let path = entry?.path();
        let data = fs::symlink_metadata(&path)?;
        let seen = || -> io::Result<Seen> {
            let changed = (data.mtime(), data.mtime_nsec());
            Ok(Seen { contents: fs::read(&path)?, links: data.nlink(), changed })
        };
        let seen = if data.is_file() { Some(seen()?) } else { None };
        all.insert(path, seen);
    }
    all.remove(&root.join("outside/b"));
    Ok(all)
}

/// The process outside: rearranges until its input ends. What it moved is in its place then.
pub fn attacker(root: &Path) -> io::Result<()> {
    let (granted, outside) = (root.join("granted"), root.join("outside"));
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    std::thread::spawn(move || {
        let _ = io::stdin().read(&mut [0]);
        over.store(true, Ordering::SeqCst);
    });
    let exchange = |one: &str, other: &str| {
        renameat_with(CWD, granted.join(one), CWD, granted.join(other), RenameFlags::EXCHANGE).map_err(io::Error::from)
    };
    let mut round = 0u32;
    while !is_over.load(Ordering::SeqCst) {
        exchange("swap", "other")?;
        exchange("file", "link")?;
        fs::rename(granted.join("a/b"), outside.join("b"))?;
        fs::rename(outside.join("b"), granted.join("a/b"))?;
        round = round.wrapping_add(1);
        // Each order of the two comes before the other one half of the time.
        if round.is_multiple_of(7) {
            exchange("swap", "other")?;
        }
    }
    Ok(())
}

/// Runs the process outside.
fn with_attacker<R>(root: &Path, work: impl FnOnce() -> R) -> Result<R, String> {
    let start = || -> io::Result<Child> {
        let this = std::env::current_exe()?;
        Command::new(this).arg("--attacker").arg(root).stdin(Stdio::piped()).spawn()
    };
    let mut child = start().map_err(|error| error.to_string())?;
    let result = work();
    drop(child.stdin.take());
    match child.wait() {
        Ok(status) if status.success() => Ok(result),
        other => Err(format!("the process outside ended before: {other:?}")),
    }
}

/// Whether nothing leaves the directory in this many tries.
pub fn run(scratch: &Path, tries: u64) -> bool {
    let root = scratch.join("races");
    let bare = Layers::all().without(Layer::Mount).without(Layer::Landlock);
    let results = [
        naive(&root),
        guest(&root, tries, Layers::all(), "with all layers"),
        guest(&root, tries, bare, "with neither mounts nor Landlock"),
        // Walked step by step.
        guest(&root, tries, Layers::all().without(Layer::Mount), "without mounts"),
    ];
    let _ = fs::remove_dir_all(&root);
    results.into_iter().fold(true, |is_good, result| match result {
        Ok(told) => {
            println!("races: {told}");
            is_good
        }
        Err(why) => {
            println!("WRONG races: {why}");
            false
        }
    })
}

/// A resolution that looks whether a path stays inside, and opens it then.
fn naive(root: &Path) -> Result<String, String> {
    lay_out(root).map_err(|error| error.to_string())?;
    let granted = fs::canonicalize(root.join("granted")).map_err(|error| error.to_string())?;
    let open = |path: &str| -> io::Result<String> {
        let path = granted.join(path);
        if !fs::canonicalize(&path)?.starts_with(&granted) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut text = String::new();
        File::open(path)?.read_to_string(&mut text)?;
        Ok(text)
    };
    let is_out = |path| open(path).is_ok_and(|text| text.starts_with(SECRET));
    let tries = with_attacker(root, || (1..=FEW).find(|_| is_out("swap/secret") || is_out("file")))?;
    match tries {
        Some(tries) => Ok(format!("a naive resolution is out at try {tries}")),
        None => Err(format!("a naive resolution is not out after {FEW} tries: nothing is shown here")),
    }
}

/// The program, in a worker with these layers.
fn guest(root: &Path, tries: u64, layers: Layers, how: &str) -> Result<String, String> {
    let text = |error: &dyn std::fmt::Display| format!("{how}: {error}");
    lay_out(root).map_err(|error| text(&error))?;
    let before = outside(root).map_err(|error| text(&error))?;
    let granted = DirGrant { name: None, host: root.join("granted"), guest: "/granted".into(), writable: true };
    let grants = Grants { dirs: vec![granted], ..Grants::command() };
    let plan = policy::plan(&grants, worker::MEMORY, worker::STACK, layers).map_err(|error| text(&error))?;
    let source = include_str!("races.wat").replace("TRIES", &tries.to_string()).replace("SEED", &SEED.to_string());
    let module = program::module(&source);
    let input = Input { text: "", stays_open: false, patience: Duration::from_secs(30 + tries / 500) };
    let job = worker::job(plan, grants, TierName::Interpreter);
    let start = Instant::now();
    let outcome = with_attacker(root, || worker::run(&job, &module, &input))?.map_err(|error| text(&error))?;
    let seconds = start.elapsed().as_secs_f64();
    let output = outcome.output.trim().replace('\n', ", ");
    match outcome.verdict {
        Verdict::Ended(ending) if ending.code == 0 => {}
        other => return Err(format!("{how}: {output}; {other:?}")),
    }
    let number = |name: &str| -> u64 {
        let line = outcome.output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    // Both ways of things must have been met often enough for the race to be one.
    if number("done") < tries / 100 || number("refused") < tries / 100 {
        return Err(format!("{how}: the process outside was in nobody's way: {output}"));
    }
    let after = outside(root).map_err(|error| text(&error))?;
    if before != after {
        let differs = after.iter().filter(|(path, is)| before.get(*path) != Some(is)).map(|(path, _)| path);
        return Err(format!("{how}: what is outside has changed: {:?}", differs.collect::<Vec<_>>()));
    }
    Ok(format!("{how}, nothing was outside: {output}, in {seconds:.1} s"))
}
