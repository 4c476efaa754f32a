//! Programs in Fold are compiled to modules first.

use pinfold_compiler::Options;
use pinfold_compiler::check::{self, Loaded, Loader};
use pinfold_compiler::diagnostic::render::{Style, render_all};
use pinfold_compiler::driver::{self, Rejected};

use crate::bundle::Bundle;

/// The modules of a bundle.
struct Modules<'a>(&'a Bundle);

impl Loader for Modules<'_> {
    fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String> {
        let Some(source) = self.0.sources.iter().find(|source| source.module == path) else { return Ok(None) };
        let text = std::str::from_utf8(&source.bytes)
            .map_err(|error| format!("it is no UTF-8 text from byte {} on", error.valid_up_to()))?;
        Ok(Some(Loaded { name: source.name.clone(), text: text.to_owned(), package, path: path.to_owned() }))
    }
}

/// The program as a module.
///
/// # Errors
/// All that is wrong with it, as text for people.
pub fn compile(bundle: &Bundle) -> Result<Vec<u8>, String> {
    let root = bundle.sources.first().map_or("", |source| source.module.as_str());
    let options = check::Options { tests: false, ..check::Options::default() };
    let shown = |rejected: Box<Rejected>| render_all(&rejected.diagnostics, &rejected.sources, Style::default());
    let checked = driver::check(root, &mut Modules(bundle), options).map_err(shown)?;
    checked.compile(Options::default()).map_err(shown)
}
