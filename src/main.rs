//! The `pinfold` command.

// The test harness has a beginning of its own.
#![cfg_attr(not(test), no_main)]
#![cfg_attr(test, allow(dead_code))]

mod ask;
mod build;
mod cached;
mod caps;
mod check;
mod colour;
mod compile;
mod doc;
mod doctor;
mod explain;
mod fmt;
mod inspect;
mod json;
mod lock;
mod new;
mod output;
mod policy_file;
mod records;
mod repl;
mod report;
mod run;
mod snapshot;
mod test;

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, Parser};
use pinfold::exit;

/// A process virtual machine for untrusted code.
#[derive(Debug, Parser)]
#[command(version, after_help = pinfold::exit::HELP, max_term_width = 80)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Repl(Box<repl::Args>),
    Check(check::Args),
    Test(test::Args),
    Fmt(fmt::Args),
    Build(build::Args),
    Compile(compile::Args),
    Doc(doc::Args),
    New(new::Args),
    Lock(lock::Args),
    Snapshot(snapshot::Args),
    Inspect(inspect::Args),
    Explain(Box<explain::Args>),
    Doctor(doctor::Args),
    Caps(caps::Args),
    Cache(cached::Args),
    Completions(CompletionsArgs),
}

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Bytes that the heap grows by, and that it keeps where they are free: growing and shrinking are system calls.
const HEAP_STEP: libc::c_int = 512 << 10;
const HEAP_KEPT: libc::c_int = 8 << 20;

/// The process begins here, without the standard library's preparations, which take longer than all else that this process does before a
/// worker runs: what of them is needed is done here.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn main(_: libc::c_int, _: *const *const libc::c_char) -> libc::c_int {
    open_streams();
    // SAFETY: a plain call. Writing where nobody reads is an error, not the end.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    for (setting, bytes) in [(libc::M_TOP_PAD, HEAP_STEP), (libc::M_TRIM_THRESHOLD, HEAP_KEPT)] {
        // SAFETY: a plain call.
        unsafe { libc::mallopt(setting, bytes) };
    }
    let code = command();
    let _ = std::io::stdout().flush();
    // Threads that still move output have nothing left to move.
    std::process::exit(code.into())
}

/// Sees to it that the numbers of the standard streams are taken: a file that is opened must not become one of them.
fn open_streams() {
    for number in 0..=2 {
        // SAFETY: plain calls with valid arguments.
        unsafe {
            // The lowest free number is this one.
            if libc::fcntl(number, libc::F_GETFD) == -1 && libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) != number {
                libc::_exit(exit::FAILURE.into());
            }
        }
    }
}

/// A run without any flag. The parser of flags would take as long to be set up as all else takes that is done before a worker starts.
fn plain_run(words: impl Iterator<Item = OsString>) -> Option<run::Args> {
    let mut words = words.skip(1);
    if words.next()? != "run" {
        return None;
    }
    let words: Vec<String> = words.map(OsString::into_string).collect::<Result<_, _>>().ok()?;
    let is_plain = |word: &String| !word.starts_with('-');
    let (file, args) = words.split_first().filter(|(file, _)| !file.is_empty() && words.iter().all(is_plain))?;
    Some(run::Args { file: file.into(), args: args.to_vec(), ..run::Args::default() })
}

fn command() -> u8 {
    if let Some(args) = plain_run(std::env::args_os()) {
        return run::run(&args);
    }
    let result: Result<_, Box<dyn Error>> = match Arguments::parse().command {
        Command::Run(args) => return run::run(&args),
        Command::Repl(args) => repl::run(&args).map_err(Into::into),
        Command::Check(args) => check::run(&args).map_err(Into::into),
        Command::Test(args) => test::run(&args).map_err(Into::into),
        Command::Fmt(args) => fmt::run(&args).map_err(Into::into),
        Command::Build(args) => build::run(&args).map_err(Into::into),
        Command::Compile(args) => compile::run(&args).map_err(Into::into),
        Command::Doc(args) => doc::run(&args).map_err(Into::into),
        Command::New(args) => new::run(&args).map_err(Into::into),
        Command::Lock(args) => lock::run(&args).map_err(Into::into),
        Command::Snapshot(args) => snapshot::run(&args).map_err(Into::into),
        Command::Inspect(args) => inspect::run(&args).map_err(Into::into),
        Command::Explain(args) => explain::run(&args),
        Command::Doctor(args) => doctor::run(&args).map_err(Into::into),
        Command::Caps(args) => caps::run(&args).map_err(Into::into),
        Command::Cache(args) => cached::run(&args).map_err(Into::into),
        Command::Completions(args) => {
            clap_complete::generate(args.shell, &mut Arguments::command(), "pinfold", &mut std::io::stdout());
            Ok(exit::SUCCESS)
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("pinfold: {error}");
        exit::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn plain(words: &[&str]) -> Option<run::Args> {
        plain_run(["pinfold"].iter().chain(words).map(Into::into))
    }

    #[test]
    fn a_run_without_flags_is_what_the_parser_makes_of_it() {
        for words in [&["run", "a.wasm"][..], &["run", "help"], &["run", "a b", "c", "", "=x"]] {
            let Command::Run(parsed) = Arguments::parse_from(["pinfold"].iter().chain(words)).command else {
                panic!("{words:?} is another command")
            };
            assert_eq!(format!("{:?}", plain(words)), format!("{:?}", Some(parsed)));
        }
    }

    #[test]
    fn what_has_flags_or_is_no_run_is_left_to_the_parser() {
        for words in [&[][..], &["run"], &["run", ""], &["run", "-"], &["run", "--none", "a"], &["run", "a", "-b"]] {
            assert!(plain(words).is_none(), "{words:?}");
        }
        assert!(plain(&["inspect", "a.wasm"]).is_none());
        let no_text = OsString::from_vec(vec![0xff]);
        assert!(plain_run(["pinfold", "run", "a"].map(OsString::from).into_iter().chain([no_text])).is_none());
    }
}
