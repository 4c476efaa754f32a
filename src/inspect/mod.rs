//! `pinfold inspect`: what a module is made of and what it would need, without running it.

mod report;
mod text;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use pinfold_vm::interpreter;
use pinfold_vm::jit::{self, CompileError};
use pinfold_vm::module::{DefinedFunc, Escaped, ExportKind, FuncIndex, Module};
use pinfold_vm::runtime::code::ModuleCode;
use pinfold_vm::runtime::config::CodeConfig;
use pinfold_vm::types::{FuncType, TypeId};
use pinfold_vm::verifier::{self, VerifyError};

use pinfold::supervisor::{SupervisorError, read_program};

use report::Report;

/// Show what a module is made of, what it imports, and what it would need to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The module, in the binary or the text format; `-` reads standard input.
    pub file: PathBuf,

    /// Print as JSON.
    #[arg(long, group = "view")]
    pub json: bool,

    /// Disassemble a function, given by name or index, or all functions.
    #[arg(long, group = "view", value_name = "FN", num_args = 0..=1)]
    pub code: Option<Option<String>>,

    /// Show the interpreter's instructions for a function.
    #[arg(long, group = "view", value_name = "FN")]
    pub ir: Option<String>,

    /// Show what the compiler makes of a function at first: Cranelift's intermediate form.
    #[arg(long, group = "view", value_name = "FN")]
    pub clif: Option<String>,

    /// Show a function's machine code.
    #[arg(long, group = "view", value_name = "FN")]
    pub asm: Option<String>,
}

/// Why a module could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] SupervisorError),
    /// It is no module in the text format.
    #[error("{}: {message}", .file.display())]
    Text {
        /// The file.
        file: PathBuf,
        /// What is wrong and where.
        message: String,
    },
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
    /// The function is imported: there is no code of it.
    #[error("function {index} is imported, so there is no code of it; `--code {index}` shows what is imported")]
    Imported {
        /// Its index.
        index: u32,
    },
    /// The function cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
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
    let bytes = read_program(&args.file, options.limits.module_bytes)?;
    let text = |message: String| {
        let lines: Vec<String> = message.lines().map(|line| Escaped(line).to_string()).collect();
        InspectError::Text { file: args.file.clone(), message: lines.join("\n") }
    };
    let bytes = pinfold::text::translate(&args.file, bytes).map_err(text)?;
    let mut types = HashMap::new();
    let mut intern = |ty: &FuncType| {
        let next = TypeId(types.len() as u32);
        *types.entry(ty.clone()).or_insert(next)
    };
    let module = verifier::verify(bytes, &options, &mut intern)
        .map_err(|error| InspectError::Refused { file: args.file.clone(), error })?;
    match &args.code {
        Some(Some(function)) => disassemble(&module, find(&module, function)?, out),
        Some(None) => (0..module.function_count() as u32).try_for_each(|f| disassemble(&module, FuncIndex(f), out)),
        None if args.json => Ok(write!(out, "{}", report::json(&Report::new(&module)))?),
        None if let Some(function) = &args.ir => stage(module, function, instructions, out),
        None if let Some(function) = &args.clif => stage(module, function, jit::clif, out),
        None if let Some(function) = &args.asm => stage(module, function, jit::disassemble, out),
        None => Ok(write!(out, "{}", text::Text(&Report::new(&module)))?),
    }
}

fn disassemble(module: &Module, func: FuncIndex, out: &mut dyn Write) -> Result<(), InspectError> {
    let mut listing = String::new();
    // A `String` takes everything.
    let _ = module.disassemble(func, &mut listing);
    Ok(out.write_all(listing.as_bytes())?)
}

/// The interpreter's stage.
fn instructions(code: &ModuleCode, func: DefinedFunc) -> Result<String, CompileError> {
    Ok(interpreter::disassemble(&code.module, &code.config, func))
}

/// Shows what a tier makes of a function.
fn stage(
    module: Module,
    function: &str,
    show: fn(&ModuleCode, DefinedFunc) -> Result<String, CompileError>,
    out: &mut dyn Write,
) -> Result<(), InspectError> {
    let func = find(&module, function)?;
    let defined = module.defined(func).ok_or(InspectError::Imported { index: func.0 })?;
    let text = show(&ModuleCode::new(module, CodeConfig::default()), defined)?;
    Ok(writeln!(out, "{}", text.trim_end())?)
}

/// A function by its index, its name or a name under which it is exported.
fn find(module: &Module, wanted: &str) -> Result<FuncIndex, InspectError> {
    let count = module.function_count();
    let by_index = || wanted.parse().ok().filter(|&index: &u32| (index as usize) < count).map(FuncIndex);
    let by_name = || (0..count as u32).map(FuncIndex).find(|&func| module.names().function(func) == Some(wanted));
    let by_export = || {
        module.exports().iter().find_map(|(name, kind)| match kind {
            ExportKind::Func(func) if name == wanted => Some(*func),
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
