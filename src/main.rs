//! The `pinfold` command.

mod caps;
mod doctor;
mod explain;
mod inspect;
mod report;
mod run;

use std::error::Error;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

/// A process virtual machine for untrusted code.
#[derive(Debug, Parser)]
#[command(version, after_help = pinfold::exit::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Inspect(inspect::Args),
    Explain(Box<explain::Args>),
    Doctor(doctor::Args),
    Caps(caps::Args),
    Completions(CompletionsArgs),
}

/// Prints a completion script for a shell.
#[derive(Debug, clap::Args)]
struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

fn main() -> ExitCode {
    let result: Result<_, Box<dyn Error>> = match Arguments::parse().command {
        Command::Run(args) => return run::run(&args),
        Command::Inspect(args) => inspect::run(&args).map_err(Into::into),
        Command::Explain(args) => explain::run(&args),
        Command::Doctor(args) => doctor::run(&args).map_err(Into::into),
        Command::Caps(args) => caps::run(&args).map_err(Into::into),
        Command::Completions(args) => {
            clap_complete::generate(args.shell, &mut Arguments::command(), "pinfold", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("pinfold: {error}");
        ExitCode::FAILURE
    })
}
