//! What a module is made of and what it would need, without running it.

mod report;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;

use pinfold::job::{EndKind, Ending, Inspect, View};
use pinfold_vm::interpreter;
use pinfold_vm::jit::{self, CompileError};
use pinfold_vm::module::{Bytes, DefinedFunc, Escaped, ExportKind, FuncIndex, Module};
use pinfold_vm::runtime::code::ModuleCode;
use pinfold_vm::runtime::config::CodeConfig;
use pinfold_vm::runtime::threads::{available, prepare as prepare_threads};
use pinfold_vm::runtime::types::TypeRegistry;
use pinfold_vm::verifier::{self, VerifyError};

use report::Report;

/// Why a module could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
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

/// Makes what cannot be made after lock-down: the threads that verify, and nothing else.
pub fn prepare() -> io::Result<()> {
    // The standard library asks for randomness, once, at the first use of a map.
    drop(std::hash::RandomState::new());
    prepare_threads(available() - 1)
}

/// Shows a module on standard output.
pub fn run(job: &Inspect, bytes: Bytes) -> Ending {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match inspect(job, bytes, &mut out).and_then(|()| Ok(out.flush()?)) {
        Ok(()) => Ending::new(EndKind::Exit, 0, None),
        // Whoever reads has seen enough.
        Err(InspectError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ending::new(EndKind::Exit, 0, None)
        }
        Err(error) => Ending::new(EndKind::NotAModule, 1, Some(error.to_string())),
    }
}

fn inspect(job: &Inspect, bytes: Bytes, out: &mut dyn Write) -> Result<(), InspectError> {
    let options = verifier::Options::default();
    let refused = |message| InspectError::Text { file: job.file.clone(), message };
    let bytes = pinfold::text::translate(&job.file, bytes).map_err(refused)?;
    let module = verifier::verify(bytes, &options, &TypeRegistry::default())
        .map_err(|error| InspectError::Refused { file: job.file.clone(), error })?;
    match &job.view {
        View::Code(Some(function)) => disassemble(&module, find(&module, function)?, out),
        View::Code(None) => {
            (0..module.function_count() as u32).try_for_each(|f| disassemble(&module, FuncIndex(f), out))
        }
        View::Json => Ok(write!(out, "{}", report::json(&Report::new(&module)))?),
        View::Ir(function) => stage(module, function, instructions, out),
        View::Clif(function) => stage(module, function, jit::clif, out),
        View::Asm(function) => stage(module, function, jit::disassemble, out),
        View::Summary => Ok(write!(out, "{}", text::Text(&Report::new(&module)))?),
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
pub fn find(module: &Module, wanted: &str) -> Result<FuncIndex, InspectError> {
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
