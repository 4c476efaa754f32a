//! `pinfold build`: a Fold program as a WebAssembly module.

use std::path::PathBuf;

use pinfold::answer::Answer;
use pinfold::exit;
use pinfold::job::Fold;

use crate::ask::{self, Findings, MessageFormat};
use crate::output;

/// Compile a Fold program to a WebAssembly module.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program's first file; `-` for standard input.
    pub file: PathBuf,

    /// The module's file [default: the program's name with .wasm].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Ask the host for no more than must be: what can be written in Fold is.
    #[arg(long)]
    pub portable: bool,

    /// Leave the code as it is written.
    #[arg(long)]
    pub no_optimise: bool,

    /// How messages look: `json` is an object a line.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub message_format: MessageFormat,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or written, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    ask::file(&args.file)?;
    let output = match &args.output {
        Some(output) => output.clone(),
        None if args.file.as_os_str() == "-" => return Err("say with -o where the module is to be written".into()),
        None => args.file.with_extension("wasm"),
    };
    let task = Fold::Build { optimise: !args.no_optimise, portable: args.portable };
    let told = ask::ask(task, &ask::sources(&args.file)?, ask::TIMEOUT)?;
    if !told.is_whole() {
        return Ok(told.explain(ask::TIMEOUT));
    }
    let mut findings = Findings::new(args.message_format);
    for answer in &told.answers {
        if let Answer::Finding(finding) = answer {
            findings.print(finding);
        }
    }
    findings.finish();
    if !told.bytes.starts_with(b"\0asm") {
        // Either it was said what is wrong, or what came is nothing that was asked for.
        return Ok(if findings.has_errors() { exit::FAILURE } else { exit::CRASH });
    }
    output::write_whole(&output, &told.bytes)?;
    Ok(exit::SUCCESS)
}
