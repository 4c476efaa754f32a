//! Programs in Fold: what the compiler says of them. Only for whoever is confined.

use pinfold_compiler::check::{self, Loaded, Loader};
use pinfold_compiler::diagnostic::render::{Style, render, render_all};
use pinfold_compiler::diagnostic::{self, Diagnostics, Severity};
use pinfold_compiler::driver::{self, Checked, Rejected};
use pinfold_compiler::names::Names;
use pinfold_compiler::source::{FileId, Sources};
use pinfold_compiler::{Options, authority, format, ir_text, parser, syntax, typed};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Diagnostic, Finding, FunctionAuthority, ModuleAuthority, Offer, Passed, TestName};
use crate::bundle::{Bundle, Source};
use crate::document;
use crate::packages::{self, Packages};

/// A phase of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The syntax tree of the first source.
    Syntax,
    /// The typed tree of the package.
    Types,
    /// The compiler's own language, improved.
    Ir,
}

/// The modules of a bundle.
pub(crate) struct Modules<'a> {
    bundle: &'a Bundle,
    packages: Packages,
}

impl<'a> Modules<'a> {
    pub(crate) fn new(bundle: &'a Bundle) -> Result<Self, Box<Rejected>> {
        Ok(Self { bundle, packages: packages::read(bundle)? })
    }

    fn find(&self, package: u32, module: &str) -> Result<Option<Loaded>, String> {
        let mut sources = self.bundle.sources.iter();
        let Some(source) = sources.find(|source| source.package == package && source.module == module) else {
            return Ok(None);
        };
        let text = text(source)?.to_owned();
        let prefix = self.packages.prefixes.get(package as usize).map_or("", String::as_str);
        Ok(Some(Loaded { name: source.name.clone(), text, package, path: format!("{prefix}{module}") }))
    }
}

impl Loader for Modules<'_> {
    fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String> {
        if let Some(own) = self.find(package, path)? {
            return Ok(Some(own));
        }
        let (name, module) = path.split_once('/').unwrap_or((path, ""));
        let others = self.packages.dependencies.get(package as usize);
        match others.and_then(|others| others.get(name)) {
            Some(_) if module.is_empty() => Err("it is a package: what is imported is one of its modules".into()),
            Some(&other) => self.find(other, module),
            None => Ok(None),
        }
    }
}

fn text(source: &Source) -> Result<&str, String> {
    std::str::from_utf8(&source.bytes)
        .map_err(|error| format!("it is no UTF-8 text from byte {} on", error.valid_up_to()))
}

/// The program as a module.
///
/// # Errors
/// All that is wrong with it, as text for people.
pub fn compile(bundle: &Bundle) -> Result<Vec<u8>, String> {
    let root = bundle.sources.first().ok_or_else(|| "there are no sources".to_owned())?;
    text(root)?;
    let options = check::Options { tests: false, ..check::Options::default() };
    let shown = |rejected: Box<Rejected>| render_all(&rejected.diagnostics, &rejected.sources, Style::default());
    let mut modules = Modules::new(bundle).map_err(shown)?;
    let checked = driver::check(&root.module, &mut modules, options).map_err(shown)?;
    let module = checked.compile(Options::default()).map_err(shown);
    // The process has this one program to compile, and runs it next: what freeing takes would be waited for.
    std::mem::forget(checked);
    module
}

/// A program, checked.
///
/// # Errors
/// All that is wrong with it.
pub fn checked(bundle: &Bundle, options: check::Options<'_>) -> Result<Checked, Vec<Finding>> {
    let root = readable(bundle)?;
    let checked = Modules::new(bundle).and_then(|mut modules| driver::check(&root.module, &mut modules, options));
    checked.map_err(|rejected| rejections(&rejected))
}

/// What an example's path is; no import means it.
const EXAMPLE: &str = "an example";

/// A source that is no module of the bundle, but may import them.
struct WithExample<'a>(Modules<'a>, &'a Source);

impl Loader for WithExample<'_> {
    fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String> {
        if path != EXAMPLE {
            return self.0.load(package, path);
        }
        let text = text(self.1)?.to_owned();
        Ok(Some(Loaded { name: self.1.name.clone(), text, package, path: path.to_owned() }))
    }
}

/// An example that may import the modules of a bundle, checked.
///
/// # Errors
/// All that is wrong with it.
pub fn example(bundle: &Bundle, example: &Source) -> Result<Checked, Vec<Finding>> {
    let options = check::Options { needs_main: false, ..check::Options::default() };
    let checked =
        Modules::new(bundle).and_then(|modules| driver::check(EXAMPLE, &mut WithExample(modules, example), options));
    checked.map_err(|rejected| {
        let errors = rejected.diagnostics.iter().filter(|found| found.severity == Severity::Error).cloned();
        findings(&errors.collect::<Vec<_>>(), &rejected.sources)
    })
}

/// The first source, if it is a text.
fn readable(bundle: &Bundle) -> Result<&Source, Vec<Finding>> {
    let Some(root) = bundle.sources.first() else { return Err(vec![unreadable("-", "there are no sources")]) };
    text(root).map_err(|why| vec![unreadable(&root.name, &why)])?;
    Ok(root)
}

/// That a file is no text.
fn unreadable(file: &str, why: &str) -> Finding {
    let message = format!("{file} cannot be read: {why}");
    let text = format!("error[F0804]: {message}");
    Finding {
        diagnostic: Diagnostic {
            code: "F0804".into(),
            severity: crate::answer::Severity::Error,
            message,
            spans: Vec::new(),
            notes: Vec::new(),
            help: None,
            edits: Vec::new(),
        },
        text,
    }
}

/// What is wrong, as it is told.
pub fn rejections(rejected: &Rejected) -> Vec<Finding> {
    findings(&rejected.diagnostics, &rejected.sources)
}

/// Diagnostics, as they are told.
pub fn findings(diagnostics: &[diagnostic::Diagnostic], sources: &Sources) -> Vec<Finding> {
    let finding = |found: &diagnostic::Diagnostic| {
        let diagnostic = serde_json::from_str(&diagnostic::json(found, sources)).ok()?;
        Some(Finding { diagnostic, text: render(found, sources, Style::default()) })
    };
    diagnostics.iter().filter_map(finding).collect()
}

fn answers(findings: Vec<Finding>) -> Vec<Answer> {
    findings.into_iter().map(|finding| Answer::Finding(Box::new(finding))).collect()
}

/// The paths that the packages of a bundle name.
pub fn paths(bundle: &Bundle) -> Vec<Answer> {
    vec![Answer::Paths(packages::paths(bundle))]
}

/// What `fold.lock` is to be.
pub fn lock(bundle: &Bundle) -> Answers {
    packages::lock(bundle).map_err(|rejected| rejections(&rejected))
}

/// All that is wrong with a module and what it imports; what its functions can be given, if that is wanted and nothing is wrong.
pub fn check(bundle: &Bundle, wants_authority: bool) -> Vec<Answer> {
    let options = check::Options { needs_main: false, all_signatures: wants_authority, ..check::Options::default() };
    match checked(bundle, options) {
        Err(findings) => answers(findings),
        Ok(checked) => {
            let mut told = answers(findings(&checked.warnings, &checked.sources));
            if wants_authority {
                told.push(Answer::Authority(reaches(&checked)));
            }
            told
        }
    }
}

fn reaches(checked: &Checked) -> Vec<ModuleAuthority> {
    let function = |reach: authority::Reach| FunctionAuthority {
        name: reach.name,
        main: reach.main,
        capabilities: reach.capabilities,
        passed: reach
            .passed
            .into_iter()
            .map(|(parameter, ty, how)| Passed { parameter, ty, kind: how.name().into() })
            .collect(),
    };
    let module = |module: authority::Module| ModuleAuthority {
        module: module.path,
        standard: module.standard,
        functions: module.functions.into_iter().map(function).collect(),
    };
    authority::authority(&checked.program, &checked.names).into_iter().map(module).collect()
}

/// What the first source documents and what its functions can be given, or what is wrong.
pub fn document(bundle: &Bundle) -> Vec<Answer> {
    let options = check::Options { needs_main: false, all_signatures: true, ..check::Options::default() };
    let checked = match checked(bundle, options) {
        Ok(checked) => checked,
        Err(findings) => return answers(findings),
    };
    let documented = bundle.sources.first().and_then(|root| {
        let text = text(root).ok()?;
        Some(document::module(&root.module, text, &tree(root)?))
    });
    let module = documented.map(|module| Answer::Module(Box::new(module)));
    module.into_iter().chain([Answer::Authority(reaches(&checked))]).collect()
}

/// The program as a module, or what is wrong; warnings either way.
pub fn build(bundle: &Bundle, options: Options) -> (Vec<Answer>, Option<Vec<u8>>) {
    let checked = match checked(bundle, check::Options { tests: false, ..check::Options::default() }) {
        Ok(checked) => checked,
        Err(findings) => return (answers(findings), None),
    };
    match checked.compile(options) {
        Ok(module) => (answers(findings(&checked.warnings, &checked.sources)), Some(module)),
        Err(rejected) => (answers(rejections(&rejected)), None),
    }
}

/// A program that a host embeds, whose own capabilities are the module `host`, if it has any; with its tests, if they are wanted.
///
/// # Errors
/// All that is wrong with it.
pub fn embedded(bundle: &Bundle, host: Option<&str>, tests: bool) -> Result<Checked, Vec<Finding>> {
    let mut standard = check::STANDARD.to_vec();
    standard.extend(host.map(|text| ("host.fold", text)));
    standard.sort_by_key(|(path, _)| *path);
    let options =
        check::Options { standard: &standard, needs_main: false, tests, embedded: true, ..check::Options::default() };
    checked(bundle, options)
}

/// The tests of the module that a program begins with, and their numbers in the program. It comes last, after all that it imports.
pub fn tests(checked: &Checked) -> impl Iterator<Item = (TestName, usize)> {
    let root = typed::ModuleId((checked.program.modules.len() as u32).saturating_sub(1));
    let tests = checked.program.tests.iter().enumerate().filter(move |(_, test)| test.module == root);
    tests.map(|(number, test)| {
        let source = checked.sources.get(test.span.file);
        let line = source.position(test.span.start).0 as u32 + 1;
        (TestName { name: test.name.to_string(), file: source.name.clone(), line }, number)
    })
}

/// Such a program as a module, with what it needs and offers; or what is wrong.
pub fn embed(bundle: &Bundle, host: Option<&str>) -> (Vec<Answer>, Option<Vec<u8>>) {
    let checked = match embedded(bundle, host, false) {
        Ok(checked) => checked,
        Err(findings) => return (answers(findings), None),
    };
    match checked.compile(Options::default()) {
        Ok(module) => {
            let (program, names) = (&checked.program, &checked.names);
            let needs = pinfold_compiler::needs(program, names);
            let needs = needs.iter().map(|(name, kind)| format!("{name} {kind}\n")).collect();
            (vec![Answer::Offer(Offer { needs, interface: program.interface.text(program, names) })], Some(module))
        }
        Err(rejected) => (answers(rejections(&rejected)), None),
    }
}

/// The first source laid out, or what is wrong with it.
pub fn formatted(bundle: &Bundle) -> Answers {
    let root = readable(bundle)?;
    let text = text(root).unwrap_or_default();
    match format::format(text) {
        Some(laid_out) => Ok(laid_out),
        None => Err(parsed(root).2),
    }
}

/// The syntax tree of a source, if nothing is wrong with it.
pub fn tree(source: &Source) -> Option<syntax::File> {
    let (tree, _, errors) = parsed(source);
    errors.is_empty().then_some(tree)
}

/// A text, or what is wrong.
pub type Answers = Result<String, Vec<Finding>>;

fn parsed(root: &Source) -> (syntax::File, Names, Vec<Finding>) {
    let (mut sources, mut names, mut diagnostics) = (Sources::default(), Names::default(), Diagnostics::default());
    let id: FileId = sources.add(root.name.as_str(), text(root).unwrap_or_default());
    let tree = parser::parse(id, &sources.get(id).text, &mut names, &mut diagnostics);
    let diagnostics = diagnostics.into_sorted();
    let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error).cloned();
    (tree, names, findings(&errors.collect::<Vec<_>>(), &sources))
}

/// What a phase makes of a program, or what is wrong with it.
pub fn show(bundle: &Bundle, stage: Stage) -> Answers {
    let options = check::Options { needs_main: false, ..check::Options::default() };
    match stage {
        Stage::Syntax => {
            let (tree, names, errors) = parsed(readable(bundle)?);
            if errors.is_empty() { Ok(syntax::dump(&tree, &names)) } else { Err(errors) }
        }
        Stage::Types => {
            let checked = checked(bundle, options)?;
            Ok(typed::dump::dump(&checked.program, &checked.names, None))
        }
        Stage::Ir => {
            let checked = checked(bundle, check::Options { tests: false, ..check::Options::default() })?;
            ir_text(&checked.program, &checked.names, Options::default())
                .map_err(|diagnostics| findings(&diagnostics, &checked.sources))
        }
    }
}
