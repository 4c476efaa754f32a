//! The `pinfold` command.

mod input;
mod inspect;

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
    Inspect(inspect::Args),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Inspect(args) => inspect::run(&args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("pinfold: {error}");
        ExitCode::FAILURE
    })
}
