//! `pinfold inspect`: what a module is made of and what it would need, without running it.

mod report;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use pinfold_vm::module::{Escaped, FuncIndex, Module};
use pinfold_vm::types::TypeId;
use pinfold_vm::verifier::{self, VerifyError};

use crate::input::{self, ReadError};
use report::Report;

/// Show what a module is made of, what it imports, and what it would need to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The module, in the binary or the text format; `-` reads standard input.
    pub file: PathBuf,

    /// Print as JSON.
    #[arg(long, conflicts_with = "code")]
    pub json: bool,

    /// Disassemble a function, given by name or index, or all functions.
    #[arg(long, value_name = "FN", num_args = 0..=1)]
    pub code: Option<Option<String>>,
}

/// Why a module could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is refused.
    #[error("{}: {error}", .file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// Why.
        error: VerifyError,
    },
    /// It has no such function.
    #[error(
        "there is no function `{}` in this module, which has {count}; \
         name one as the name section or an export does, or give its index",
        Escaped(.wanted)
    )]
    NoSuchFunction {
        /// What was asked for.
        wanted: String,
        /// How many functions there are.
        count: usize,
    },
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Runs the command, printing to standard output.
///
/// # Errors
/// See [`InspectError`].
pub fn run(args: &Args) -> Result<ExitCode, InspectError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match inspect(args, &mut out).and_then(|()| Ok(out.flush()?)) {
        // Whoever reads has seen enough.
        Err(InspectError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        result => result.map(|()| ExitCode::SUCCESS),
    }
}

fn inspect(args: &Args, out: &mut dyn Write) -> Result<(), InspectError> {
    let options = verifier::Options::default();
    let bytes = input::read_module(&args.file, options.limits.module_bytes)?;
    // No engine, so no numbers of types.
    let module = verifier::verify(bytes, &options, &mut |_| TypeId(0))
        .map_err(|error| InspectError::Refused { file: args.file.clone(), error })?;
    match &args.code {
        Some(Some(function)) => disassemble(&module, find(&module, function)?, out),
        Some(None) => (0..module.function_count() as u32).try_for_each(|f| disassemble(&module, FuncIndex(f), out)),
        None if args.json => Ok(write!(out, "{}", report::json(&Report::new(&module)))?),
        None => Ok(write!(out, "{}", text::Text(&Report::new(&module)))?),
    }
}

fn disassemble(module: &Module, func: FuncIndex, out: &mut dyn Write) -> Result<(), InspectError> {
    let mut listing = String::new();
    // A `String` takes everything.
    let _ = module.disassemble(func, &mut listing);
    Ok(out.write_all(listing.as_bytes())?)
}

/// A function by its index, its name or a name under which it is exported.
fn find(module: &Module, wanted: &str) -> Result<FuncIndex, InspectError> {
    let count = module.function_count();
    let by_index = || wanted.parse().ok().filter(|&index: &u32| (index as usize) < count).map(FuncIndex);
    let by_name = || (0..count as u32).map(FuncIndex).find(|&func| module.names().function(func) == Some(wanted));
    let by_export = || {
        module.exports().iter().find_map(|(name, kind)| match kind {
            pinfold_vm::module::ExportKind::Func(func) if name == wanted => Some(*func),
            _ => None,
        })
    };
    by_index()
        .or_else(by_name)
        .or_else(by_export)
        .ok_or_else(|| InspectError::NoSuchFunction { wanted: wanted.to_owned(), count })
}

#[cfg(test)]
mod tests;
