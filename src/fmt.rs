//! `pinfold fmt`: lays Fold files out.

use std::fs;
use std::path::{Path, PathBuf};

use pinfold::answer::Answer;
use pinfold::bundle::{Bundle, Source};
use pinfold::exit;
use pinfold::job::Fold;
use pinfold_vm::module::Bytes;

use crate::ask::{self, Findings, MessageFormat};
use crate::output;

/// Lay Fold files out in the one way there is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, of folders all files below them [default: this package]; `-` takes a
    /// program from standard input to standard output.
    pub files: Vec<PathBuf>,

    /// Change nothing: name the files that would be, and fail if there are any.
    #[arg(long)]
    pub check: bool,
}

/// Runs the command.
///
/// # Errors
/// If files cannot be read or written, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    let mut findings = Findings::new(MessageFormat::Text);
    let mut would_change = false;
    for file in ask::files(&args.files)? {
        // A worker for each: one file's contents have no say in what becomes of another.
        let (program, before) = source(&file)?;
        let told = ask::ask(Fold::Format, &program, ask::TIMEOUT)?;
        if !told.is_whole() {
            return Ok(told.explain(ask::TIMEOUT));
        }
        for answer in &told.answers {
            match answer {
                Answer::Finding(finding) => findings.print(finding),
                Answer::Text(text) if file.as_os_str() == "-" && !args.check => ask::print(text),
                Answer::Text(text) if text.as_bytes() != before => {
                    would_change = true;
                    if args.check {
                        println!("{}", file.display());
                    } else {
                        output::write_whole(&file, text.as_bytes())?;
                    }
                }
                _ => {}
            }
        }
    }
    findings.finish();
    Ok(if findings.has_errors() || args.check && would_change { exit::FAILURE } else { exit::SUCCESS })
}

/// One file for a worker, and what is in it.
fn source(file: &Path) -> Result<(Bytes, Vec<u8>), String> {
    if file.as_os_str() == "-" {
        let program = ask::sources(file)?;
        let before = Bundle::decode(&program).and_then(|bundle| bundle.sources.into_iter().next());
        return Ok((program, before.map(|source| source.bytes).unwrap_or_default()));
    }
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let source = Source { package: 0, module: "main".into(), name: file.display().to_string(), bytes: bytes.clone() };
    let program = Bundle { sources: vec![source], ..Bundle::default() }.sealed().map_err(|error| error.to_string())?;
    Ok((program, bytes))
}
