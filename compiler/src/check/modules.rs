//! Loading: the root module and all that it imports, each once.
//!
//! A module's path is looked for among the standard library's modules and by the [`Loader`]; if both have it, that is an
//! error, so that no package changes what a standard path means. Modules are ordered so that each comes after those that it
//! imports, the prelude first; imports in a circle are an error.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::outline::{self, Outline};
use super::scope::PRELUDE;
use super::{Options, suggest};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::names::Names;
use crate::parser;
use crate::source::{Sources, Span};
use crate::syntax::{self, ItemKind};
use crate::typed::ModuleId;

/// How long a chain of imports may be.
const MAX_CHAIN: usize = 200;

/// How many modules a program may have.
const MAX_MODULES: usize = 10_000;

/// The number of the standard library among packages.
pub(super) const STANDARD_PACKAGE: u32 = u32::MAX;

/// A module's text, and what it is called.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What messages call it: a file's path.
    pub name: String,
    /// Its source.
    pub text: String,
    /// Which package it is of: 0 is the root's.
    pub package: u32,
    /// Its path in that package; package and path together name the module.
    pub path: String,
}

/// Where modules come from that are not of the standard library.
pub trait Loader {
    /// The module that `path` means in a package, `None` if there is none; or why it cannot be read.
    fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String>;
}

/// Modules in memory, by their paths; all of one package.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    modules: BTreeMap<String, (String, String)>,
}

impl Memory {
    /// No modules.
    pub fn new() -> Self {
        Self::default()
    }

    /// One module more: its path, what messages call it, its text.
    pub fn with(mut self, path: &str, name: &str, text: &str) -> Self {
        self.modules.insert(path.into(), (name.into(), text.into()));
        self
    }
}

impl Loader for Memory {
    fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String> {
        Ok(self.modules.get(path).map(|(name, text)| Loaded {
            name: name.clone(),
            text: text.clone(),
            package,
            path: path.into(),
        }))
    }
}

/// A module that was loaded and parsed.
#[derive(Debug)]
pub(super) struct Module {
    pub path: Rc<str>,
    pub package: u32,
    pub standard: bool,
    /// Whether it is an entry of a session.
    pub session: bool,
    /// One; of the prelude several.
    pub files: Vec<File>,
    /// What each `import` means, in order over all files; `None` where that was an error.
    pub imports: Vec<Option<ModuleId>>,
}

/// A file of a module.
#[derive(Debug)]
pub(super) enum File {
    /// All of it was parsed.
    Tree(syntax::File),
    /// One of those of the standard library that the compiler was built with.
    Outline(Outline),
}

/// Where a module is on the way.
enum State {
    Loading,
    Done(ModuleId),
    /// It could not be loaded, which was told.
    Failed,
}

struct Loading<'l, 's> {
    loader: &'l mut dyn Loader,
    standard: &'s [(&'s str, &'s str)],
    /// Whether the root is an entry of a session.
    session: bool,
    sources: &'l mut Sources,
    names: &'l mut Names,
    diagnostics: &'l mut Diagnostics,
    modules: Vec<Module>,
    states: FxHashMap<(u32, Rc<str>), State>,
    /// The modules whose imports are being loaded, each with the place of the import.
    chain: Vec<((u32, Rc<str>), Span)>,
    /// Whether the limit of a chain or of modules was told.
    told: bool,
}

/// Loads the prelude, then the root and what it imports. The root comes last. `None` if there is no root.
pub(super) fn load(
    root: &str,
    loader: &mut dyn Loader,
    options: &Options<'_>,
    sources: &mut Sources,
    names: &mut Names,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Module>> {
    let mut loading = Loading {
        loader,
        standard: options.standard,
        session: options.session.is_some(),
        sources,
        names,
        diagnostics,
        modules: Vec::new(),
        states: FxHashMap::default(),
        chain: Vec::new(),
        told: false,
    };
    loading.prelude();
    for entry in options.session.iter().flat_map(|session| &session.entries) {
        loading.module((0, entry.name.clone()), &entry.name, &entry.text, Span::default());
    }
    match loading.loader.load(0, root) {
        Ok(Some(loaded)) => {
            let key = (loaded.package, Rc::from(loaded.path.as_str()));
            loading.module(key, &loaded.name, &loaded.text, Span::default());
            Some(loading.modules)
        }
        Ok(None) => {
            let message = format!("there is no module `{root}`");
            loading.diagnostics.push(Diagnostic::error("F0801", Span::default(), message));
            None
        }
        Err(why) => {
            let message = format!("module `{root}` cannot be read: {why}");
            loading.diagnostics.push(Diagnostic::error("F0804", Span::default(), message));
            None
        }
    }
}

impl Loading<'_, '_> {
    fn prelude(&mut self) {
        let mut files = Vec::new();
        for (path, text) in self.standard.iter().filter(|(path, _)| path.starts_with("prelude/")) {
            files.push(self.file(format!("std/{path}"), text, STANDARD_PACKAGE));
        }
        let path: Rc<str> = Rc::from("prelude");
        self.states.insert((STANDARD_PACKAGE, path.clone()), State::Done(PRELUDE));
        self.modules.push(Module {
            path,
            package: STANDARD_PACKAGE,
            standard: true,
            session: false,
            files,
            imports: Vec::new(),
        });
    }

    /// Parses a module and loads what it imports.
    fn module(&mut self, key: (u32, Rc<str>), name: &str, text: &str, import: Span) -> Option<ModuleId> {
        if self.chain.len() >= MAX_CHAIN || self.states.len() >= MAX_MODULES {
            if !std::mem::replace(&mut self.told, true) {
                let message = "too many modules import one another";
                let note = format!("a chain of imports has at most {MAX_CHAIN} modules, a program {MAX_MODULES}");
                self.diagnostics.push(Diagnostic::error("F0731", import, message).note(note));
            }
            self.states.insert(key, State::Failed);
            return None;
        }
        let file = self.file(name.to_owned(), text, key.0);
        self.states.insert(key.clone(), State::Loading);
        self.chain.push((key.clone(), import));
        let imports = self.imports(&file, key.0);
        self.chain.pop();
        let id = ModuleId(self.modules.len() as u32);
        let standard = key.0 == STANDARD_PACKAGE;
        let session = self.session && self.chain.is_empty();
        self.modules.push(Module {
            path: key.1.clone(),
            package: key.0,
            standard,
            session,
            files: vec![file],
            imports,
        });
        self.states.insert(key, State::Done(id));
        Some(id)
    }

    /// A file, parsed unless what it declares is known.
    fn file(&mut self, name: String, text: &str, package: u32) -> File {
        match outline::of(text).filter(|_| package == STANDARD_PACKAGE) {
            Some((text, entries)) => File::Outline(Outline::new(self.sources.add_standard(name, text), text, entries)),
            None => {
                let id = self.sources.add(name, text);
                File::Tree(parser::parse(id, text, self.names, self.diagnostics))
            }
        }
    }

    /// Loads what a file imports.
    fn imports(&mut self, file: &File, package: u32) -> Vec<Option<ModuleId>> {
        let mut imports = Vec::new();
        let mut load = |loading: &mut Self, item: &syntax::Item| {
            if let ItemKind::Import(import) = &item.kind {
                imports.push(loading.import(package, import));
            }
        };
        match file {
            File::Tree(file) => file.items.iter().for_each(|item| load(self, item)),
            File::Outline(outline) => {
                let entries = outline.entries.iter().enumerate();
                for (index, _) in entries.filter(|(_, entry)| entry.kind == outline::Kind::Import) {
                    let item = outline.item(index, self.names, self.diagnostics);
                    load(self, item);
                }
            }
        }
        imports
    }

    fn import(&mut self, package: u32, import: &syntax::Import) -> Option<ModuleId> {
        let (first, last) = (import.path.first()?, import.path.last()?);
        let span = first.span.to(last.span);
        let parts: Vec<&str> = import.path.iter().map(|part| self.names.text(part.name)).collect();
        let path = parts.join("/");
        let file = format!("{path}.fold");
        let standard = self.standard.iter().find(|(name, _)| *name == file && !name.starts_with("prelude/")).copied();
        let own = if package == STANDARD_PACKAGE { Ok(None) } else { self.loader.load(package, &path) };
        let own = match own {
            Ok(own) => own,
            Err(why) => {
                let message = format!("module `{path}` cannot be read");
                self.diagnostics.push(Diagnostic::error("F0804", span, message).label(why));
                return None;
            }
        };
        let (key, name, text): (_, _, std::borrow::Cow<'_, str>) = match (standard, own) {
            (Some(_), Some(own)) => {
                let message = format!("`{path}` is both a standard module and one of this package");
                let note = format!("that of the package is {}", own.name);
                self.diagnostics.push(
                    Diagnostic::error("F0803", span, message)
                        .note(note)
                        .help("give the file of the package another name"),
                );
                return None;
            }
            (Some((name, text)), None) => ((STANDARD_PACKAGE, Rc::from(path)), format!("std/{name}"), text.into()),
            (None, Some(own)) => ((own.package, Rc::from(own.path)), own.name, own.text.into()),
            (None, None) => {
                self.missing(&path, span);
                return None;
            }
        };
        match self.states.get(&key) {
            Some(State::Done(id)) => Some(*id),
            Some(State::Failed) => None,
            Some(State::Loading) => {
                self.circle(&key, span);
                None
            }
            None => self.module(key, &name, &text, span),
        }
    }

    fn missing(&mut self, path: &str, span: Span) {
        let mut error = Diagnostic::error("F0801", span, format!("there is no module `{path}`"))
            .label("neither in this package nor in the standard library");
        let names = self.standard.iter().filter(|(name, _)| !name.starts_with("prelude/"));
        let names = names.filter_map(|(name, _)| name.strip_suffix(".fold")).map(|name| (name, name));
        // One that is called like this but lies elsewhere, or one that is spelt a little differently.
        let elsewhere = names.clone().find(|(name, _)| name.rsplit('/').next() == path.rsplit('/').next());
        if let Some((name, _)) = elsewhere.or_else(|| suggest::closest_text(path, names)) {
            error = error.repair(format!("there is a standard module `{name}`"), span, name);
        }
        self.diagnostics.push(error);
    }

    fn circle(&mut self, key: &(u32, Rc<str>), span: Span) {
        let begin = self.chain.iter().position(|(other, _)| other == key).unwrap_or(0);
        let circle: Vec<&str> = self.chain[begin..].iter().map(|((_, path), _)| &**path).collect();
        let circle = format!("{} → {}", circle.join(" → "), key.1);
        let mut error = Diagnostic::error("F0802", span, format!("modules import one another in a circle: {circle}"))
            .label("this import closes the circle");
        for (_, import) in self.chain[begin + 1..].iter().take(4) {
            error = error.also(*import, "");
        }
        self.diagnostics.push(error.help("move what both need to a module that both import"));
    }
}
