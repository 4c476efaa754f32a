//! Programs from text, for the tests of what comes after the checker.

use crate::check::{self, Memory, Options};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::names::Names;
use crate::source::{Sources, Span};
use crate::typed::Program;
use crate::{access, exhaustive};

/// A program with what was said of it.
pub(crate) struct Checked {
    pub(crate) sources: Sources,
    pub(crate) names: Names,
    pub(crate) program: Option<Program>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Checks types, patterns and access.
    pub(crate) fn new(text: &str, options: Options<'_>) -> Self {
        Self::with(Memory::new().with("main", "main", text), options)
    }

    /// The same with several modules, of which `main` is the root.
    pub(crate) fn with(mut loader: Memory, options: Options<'_>) -> Self {
        let (mut sources, mut names, mut diagnostics) = (Sources::default(), Names::default(), Diagnostics::default());
        let program = check::check("main", &mut loader, options, &mut sources, &mut names, &mut diagnostics)
            .map(|(program, _)| program);
        if let Some(program) = &program {
            exhaustive::check(program, &names, &mut diagnostics);
            access::check(program, &names, &mut diagnostics);
        }
        Self { sources, names, program, diagnostics: diagnostics.into_sorted() }
    }

    /// All errors, as [`errors_of`](Self::errors_of) has them.
    pub(crate) fn errors(&self) -> String {
        self.sources.iter().map(|(_, file)| self.errors_of(&file.name)).collect()
    }

    /// Errors in a file, a line each: the code, the line, the message, and lines and texts of what goes with it.
    pub(crate) fn errors_of(&self, file: &str) -> String {
        let mut out = String::new();
        for error in self.diagnostics.iter().filter(|found| found.severity == Severity::Error) {
            if self.sources.get(error.primary.span.file).name != file {
                continue;
            }
            let line = |span: Span| self.sources.get(span.file).position(span.start).0 + 1;
            out += &format!("{} {}: {}", error.code, line(error.primary.span), error.message);
            for label in &error.secondary {
                out += &format!(" [{}: {}]", line(label.span), label.text);
            }
            out.push('\n');
        }
        out
    }
}
