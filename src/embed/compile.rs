//! From sources to programs.

use std::path::Path;

use super::error::{Error, Result};
use super::program::Program;
use super::sections;
use super::vm::Vm;
use crate::bundle::{Bundle, Source};
use crate::fold;

impl Vm {
    /// Compiles a program that is one text. `name` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Rejected`], with all that is wrong with it.
    pub fn compile(&self, name: &str, source: &str) -> Result<Program> {
        self.compile_modules(name, [(name, source)])
    }

    /// Compiles a program of several texts, each with its path, as `report.fold` or `text/words.fold`; `root` is the path of the one that it begins
    /// with. Others are imported by their paths without the ending.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_modules<'a>(
        &self,
        root: &str,
        sources: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Program> {
        let bundle = Bundle { sources: sources.into_iter().map(source).collect(), ..Bundle::default() };
        self.compile_bundle(root.strip_suffix(".fold").unwrap_or(root), bundle)
    }

    /// Compiles the program in a file, with the files of its package.
    ///
    /// # Errors
    /// If they cannot be read, and as [`compile`](Self::compile).
    pub fn compile_file(&self, path: impl AsRef<Path>) -> Result<Program> {
        let limit = pinfold_vm::verifier::Limits::default().module_bytes;
        let bundle = Bundle::gather(path.as_ref(), limit).map_err(|error| Error::Grant(error.to_string()))?;
        let root = bundle.sources.first().map(|source| source.module.clone()).unwrap_or_default();
        self.compile_bundle(&root, bundle)
    }

    fn compile_bundle(&self, root: &str, mut bundle: Bundle) -> Result<Program> {
        // The first is the one that it begins with.
        bundle.sources.sort_by_key(|source| source.module != root);
        if bundle.sources.first().is_none_or(|source| source.module != root) {
            return Err(Error::Grant(format!("{root:?} is none of the sources")));
        }
        if let Some(workers) = &self.0.workers {
            return Program::sealed(self.0.clone(), workers.clone(), workers.compile(&bundle)?);
        }
        let mut module = self.compile_here(&bundle)?;
        if let Some(host) = &self.0.host {
            append(&mut module, sections::HOST, host.as_bytes());
        }
        self.load(module)
    }

    fn compile_here(&self, bundle: &Bundle) -> Result<Vec<u8>> {
        let checked = fold::embedded(bundle, self.0.host.as_deref()).map_err(Error::Rejected)?;
        let compiled = checked.compile(pinfold_compiler::Options::default());
        compiled.map_err(|rejected| Error::Rejected(fold::rejections(&rejected)))
    }

    /// Whether what the capabilities of the host's own declare is right. Their text is the host's, and needs no worker.
    pub(super) fn check_capabilities(&self) -> Result<()> {
        if self.0.host.is_some() {
            let sources = vec![source(("capabilities", "import host\n"))];
            self.compile_here(&Bundle { sources, ..Bundle::default() })?;
        }
        Ok(())
    }
}

fn source((name, text): (&str, &str)) -> Source {
    Source {
        package: 0,
        module: name.strip_suffix(".fold").unwrap_or(name).to_owned(),
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

/// Adds a custom section at the end of a module.
pub(super) fn append(module: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut body = Vec::with_capacity(name.len() + content.len() + 5);
    put_length(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    module.push(0);
    put_length(module, body.len());
    module.extend_from_slice(&body);
}

fn put_length(to: &mut Vec<u8>, mut length: usize) {
    while length > 0x7f {
        to.push(length as u8 | 0x80);
        length >>= 7;
    }
    to.push(length as u8);
}
