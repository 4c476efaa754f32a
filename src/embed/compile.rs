//! From sources to programs.

use std::path::Path;

use pinfold_compiler::Options;
use pinfold_compiler::driver::Checked;
use pinfold_vm::api::Module;

use super::error::{Error, Result, Usage};
use super::grants::Grants;
use super::guest::{Guest, Parts, machine};
use super::program::Program;
use super::sections;
use super::vm::{Inner, Vm};
use crate::answer::TestName;
use crate::bundle::{Bundle, Source};
use crate::fold;

/// A test of a program in Fold, and how it ended: see [`Vm::test`].
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let tests = Vm::new()?.test("sum.fold", r#"
///     test "one and one" { assert 1 + 1 == 2 }
///     test "a mistake" { assert 1 + 1 == 3 }
/// "#)?;
/// let failed: Vec<_> = tests.iter().filter(|test| test.ended.is_err()).map(|test| (test.name.as_str(), test.line)).collect();
/// assert_eq!(failed, [("a mistake", 3)]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tested {
    /// What it is called.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Whether it came to its end, and what it used; otherwise why not.
    pub ended: Result<Usage>,
}

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
        self.compile_bundle(&of_texts(root, sources)?)
    }

    /// Compiles the program in a file, with the files of its package.
    ///
    /// # Errors
    /// If they cannot be read, and as [`compile`](Self::compile).
    pub fn compile_file(&self, path: impl AsRef<Path>) -> Result<Program> {
        let limit = pinfold_vm::verifier::Limits::default().module_bytes;
        let bundle = Bundle::gather(path.as_ref(), limit).map_err(|error| Error::Grant(error.to_string()))?;
        self.compile_bundle(&bundle)
    }

    /// Runs the tests of a program, which is one text: each by itself, in this process, within the limits of a call, and with nothing granted. What a
    /// function is handed, a test makes, as something that stands in for a capability of the host's own.
    ///
    /// ```
    /// # fn main() -> Result<(), pinfold::Error> {
    /// #[pinfold::capability]
    /// trait Weather {
    ///     fn degrees(&self, place: &str) -> i64;
    /// }
    ///
    /// let vm = pinfold::Vm::builder().capability(&Weather).build()?;
    /// let tests = vm.test("coat.fold", r#"
    ///     import host
    ///
    ///     pub fn needs_coat(weather: host.Weather) -> Bool { weather.degrees("here") < 10 }
    ///
    ///     record Always { degrees: Int }
    ///     impl host.Weather for Always {
    ///         fn degrees(self, place: String) -> Int { self.degrees }
    ///     }
    ///     test "a coat is for the cold" {
    ///         assert needs_coat(Always { degrees: -3 })
    ///         assert !needs_coat(Always { degrees: 20 })
    ///     }
    /// "#)?;
    /// assert!(tests.iter().all(|test| test.ended.is_ok()), "{tests:?}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`compile`](Self::compile), and if programs of this machine run in workers.
    pub fn test(&self, name: &str, source: &str) -> Result<Vec<Tested>> {
        self.test_modules(name, [(name, source)])
    }

    /// The same of several texts: see [`compile_modules`](Self::compile_modules). Tests are those of the one that it begins with.
    ///
    /// # Errors
    /// As [`test`](Self::test).
    pub fn test_modules<'a>(
        &self,
        root: &str,
        sources: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Vec<Tested>> {
        if self.0.workers.is_some() {
            return Err(Error::Worker("tests run in this process, and programs of this machine do not".into()));
        }
        let bundle = of_texts(root, sources)?;
        let checked = fold::embedded(&bundle, self.0.host.as_deref(), true).map_err(Error::Rejected)?;
        let module = compiled(&checked, true)?;
        let Inner { engine, linker, types, limits, .. } = &*self.0;
        let module = &Module::new(engine, module).map_err(machine)?;
        let parts = Parts { engine, linker, module, types, limits: *limits };
        let test = |(TestName { name, file, line }, number)| {
            let ended = Guest::new(&parts, &Grants::none(), &[])?.run(&format!("test {number}"), &[]);
            Ok(Tested { name, file, line, ended })
        };
        fold::tests(&checked).map(test).collect()
    }

    fn compile_bundle(&self, bundle: &Bundle) -> Result<Program> {
        if let Some(workers) = &self.0.workers {
            return Program::sealed(self.0.clone(), workers.clone(), workers.compile(bundle)?);
        }
        let mut module = self.compile_here(bundle)?;
        if let Some(host) = &self.0.host {
            append(&mut module, sections::HOST, host.as_bytes());
        }
        self.load(module)
    }

    fn compile_here(&self, bundle: &Bundle) -> Result<Vec<u8>> {
        compiled(&fold::embedded(bundle, self.0.host.as_deref(), false).map_err(Error::Rejected)?, false)
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

fn compiled(checked: &Checked, tests: bool) -> Result<Vec<u8>> {
    let compiled = checked.compile(Options { tests, ..Options::default() });
    compiled.map_err(|rejected| Error::Rejected(fold::rejections(&rejected)))
}

/// These sources, the first of them the one that the program begins with.
fn of_texts<'a>(root: &str, texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Bundle> {
    let root = root.strip_suffix(".fold").unwrap_or(root);
    let mut sources: Vec<Source> = texts.into_iter().map(source).collect();
    sources.sort_by_key(|source| source.module != root);
    if sources.first().is_none_or(|source| source.module != root) {
        return Err(Error::Grant(format!("{root:?} is none of the sources")));
    }
    Ok(Bundle { sources, ..Bundle::default() })
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
pub(crate) fn append(module: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut body = Vec::with_capacity(name.len() + content.len() + 5);
    put_length(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    module.push(0);
    put_length(module, body.len());
    module.extend_from_slice(&body);
}

/// A length as the binary format has it.
pub(crate) fn put_length(to: &mut Vec<u8>, mut length: usize) {
    while length > 0x7f {
        to.push(length as u8 | 0x80);
        length >>= 7;
    }
    to.push(length as u8);
}
