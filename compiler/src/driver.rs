//! All phases in a row: from modules' texts to one program, or to all that is wrong with it.

use crate::check::{self, Loader, Trees};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::names::Names;
use crate::source::Sources;
use crate::typed::Program;
use crate::{Options, access, compile, exhaustive};

/// A program that was checked.
#[derive(Debug)]
pub struct Checked {
    /// The program.
    pub program: Program,
    /// The texts of its names.
    pub names: Names,
    /// Its sources.
    pub sources: Sources,
    /// What is not wrong, but was perhaps not meant.
    pub warnings: Vec<Diagnostic>,
    /// What it was made from.
    pub trees: Trees,
}

/// What is wrong with a program.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Errors and warnings, ordered by place.
    pub diagnostics: Vec<Diagnostic>,
    /// What they are about.
    pub sources: Sources,
}

/// Checks the module `root` and all that it imports.
///
/// # Errors
///
/// All that is wrong with it.
pub fn check(root: &str, loader: &mut dyn Loader, options: check::Options<'_>) -> Result<Checked, Box<Rejected>> {
    let (mut sources, mut names, mut diagnostics) = (Sources::default(), Names::default(), Diagnostics::default());
    let program = check::check(root, loader, options, &mut sources, &mut names, &mut diagnostics);
    if let Some((program, _)) = &program {
        exhaustive::check(program, &names, &mut diagnostics);
        access::check(program, &names, &mut diagnostics);
    }
    let failed = diagnostics.has_errors();
    let diagnostics = diagnostics.into_sorted();
    match program {
        Some((program, trees)) if !failed => Ok(Checked { program, names, sources, warnings: diagnostics, trees }),
        _ => Err(Box::new(Rejected { diagnostics, sources })),
    }
}

impl Checked {
    /// The program as one WebAssembly module.
    ///
    /// # Errors
    ///
    /// Limits that it passes.
    pub fn compile(&self, options: Options) -> Result<Vec<u8>, Box<Rejected>> {
        compile(&self.program, &self.names, &self.sources, options)
            .map_err(|diagnostics| Box::new(Rejected { diagnostics, sources: self.sources.clone() }))
    }
}
