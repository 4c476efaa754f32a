//! WASI preview 1 inside the worker: every row of the host table does its work in a locked worker, with the filter that is derived from
//! what was granted, as root and as an ordinary user. The filter holds what that takes, and nothing else. And nobody outside can lead a
//! program out of what it was granted.
//!
//! ```text
//!  wasi            all of it
//!  wasi NAME       the programs whose name contains this
//!  wasi --races N  races on a granted directory, with this many tries
//! ```

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod filter;
mod peer;
mod program;
mod races;
mod suite;
mod worker;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use pinfold_sandbox::Layer;
use pinfold_sandbox::probe::{Found, one};

/// An identity without any right.
const NOBODY: u32 = 65534;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if let [word, root] = arguments.as_slice()
        && word == "--attacker"
    {
        races::attacker(root.as_ref()).unwrap();
        return ExitCode::SUCCESS;
    }
    let mut words = arguments.iter();
    let mut tries = None;
    let mut wanted = String::new();
    let mut again = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--test-threads" => drop(words.next()),
            "--races" => tries = words.next().and_then(|word| word.parse().ok()),
            "--as-somebody-else" => again = true,
            word if word.starts_with('-') => {}
            word => wanted = word.into(),
        }
    }
    if !again {
        // SAFETY: this process has no other thread yet.
        unsafe { std::env::set_var("PINFOLD_WORKER", env!("CARGO_BIN_EXE_pinfold-worker")) };
    }
    let is_root = rustix::process::geteuid().is_root();
    if !is_root && let Found::Missing(why) = one(Layer::User) {
        println!("SKIPPED: user {} may make no user namespace ({why}): nothing was tried", user());
        return ExitCode::SUCCESS;
    }
    let scratch = std::env::temp_dir().join(format!("pinfold-wasi-{}", std::process::id()));
    // What a suite that was ended left there under the same number.
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir(&scratch).unwrap();
    let is_good = match tries {
        Some(tries) => races::run(&scratch, tries),
        None => all(&scratch, &wanted, again),
    };
    let _ = fs::remove_dir_all(&scratch);
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(scratch: &Path, wanted: &str, again: bool) -> bool {
    let mut is_good = suite::run(scratch, wanted);
    if wanted.is_empty() && !again {
        is_good &= filter::run(scratch);
        is_good &= races::run(scratch, races::TRIES);
    }
    if rustix::process::geteuid().is_root() {
        is_good &= as_nobody(&scratch.join("nobody"), wanted);
    }
    is_good
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The same once more, as an ordinary user: whether all is well.
fn as_nobody(place: &Path, wanted: &str) -> bool {
    fs::create_dir(place).unwrap();
    chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
    // Where they were built that user may not look.
    let copy = |from: &Path, name: &str| -> PathBuf {
        let to = place.join(name);
        fs::copy(from, &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).unwrap();
        to
    };
    let this = copy(&std::env::current_exe().unwrap(), "wasi");
    let worker = copy(env!("CARGO_BIN_EXE_pinfold-worker").as_ref(), "pinfold-worker");
    let programs = place.join("programs");
    fs::create_dir(&programs).unwrap();
    for program in suite::files() {
        copy(&program, &format!("programs/{}", program.file_name().unwrap().to_string_lossy()));
    }
    let mut command = Command::new(this);
    command.arg("--as-somebody-else").args((!wanted.is_empty()).then_some(wanted)).current_dir(place);
    command.env("PINFOLD_WORKER", worker).env("TMPDIR", place).env("PINFOLD_PROGRAMS", programs);
    command.uid(NOBODY).gid(NOBODY).status().unwrap().success()
}
