//! The `pinfold` command.

mod caps;
mod input;
mod inspect;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

/// A process virtual machine for untrusted code.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Caps(caps::Args),
    Inspect(inspect::Args),
}

fn main() -> ExitCode {
    let result: Result<_, Box<dyn Error>> = match Arguments::parse().command {
        Command::Caps(args) => caps::run(&args).map_err(Into::into),
        Command::Inspect(args) => inspect::run(&args).map_err(Into::into),
    };
    result.unwrap_or_else(|error| {
        eprintln!("pinfold: {error}");
        ExitCode::FAILURE
    })
}
