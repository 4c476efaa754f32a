//! A session: entries one after the other, each a module of its own that joins the store of those before it.
//!
//! An entry is written like a script. Its items are those of a module, and later entries see them without an import, the newest of each
//! name; what it binds with `let` and `var` at its top level later entries see as variables. An entry that is declared anew
//! hides the old one from then on; what was made with the old one keeps its meaning.
//!
//! # How modules of one session fit together
//!
//! Every entry is checked together with the texts of those before it, always in the same order, so that records, enums and traits have the
//! same numbers each time. The module that is made of it has the code of its own entry and of all functions that it uses, however
//! old they are, but nothing that runs twice. Modules share:
//! * *types*, which are equal where their structure is: WebAssembly's groups of types are written in an order that follows from nothing
//!   else;
//! * *variables*: each is an object with the parts of its value, which a global refers to that the entry exports and later ones import;
//! * *one table*, in which function values and `dyn` values name their code. It is imported, and each module fills the places behind those
//!   of the entries before it.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::check::probe::{Candidate, Kind, Probe};
use crate::check::{self, Memory, STANDARD};
use crate::diagnostic::Diagnostics;
use crate::driver::{self, Checked, Rejected};
use crate::ir::{Shared, print};
use crate::lexer::{KEYWORDS, WORDS};
use crate::names::Names;
use crate::source::Sources;
use crate::typed::text::TypeText;
use crate::typed::{AccessTree, Function, Implemented, Ty, TyKind, Types};
use crate::{Options, bytecode, compile};

/// What modules of a session import and export their variables and their table as.
pub const IMPORTS: &str = "session";
/// The table, in [`IMPORTS`].
pub const TABLE: &str = "table";

/// The entries so far, and what they bind.
#[derive(Debug, Default)]
pub struct Session {
    pub(crate) entries: Vec<Text>,
    pub(crate) variables: Vec<Variable>,
    /// The types of the variables.
    pub(crate) types: Types,
    /// Where in the table the methods of types are, as `dyn` of traits.
    pub(crate) rows_of: Vec<(Implemented, u32)>,
    count: usize,
    rows: u32,
    /// How many records, enums and traits there are.
    declared: [usize; 3],
}

/// An entry's text.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The path of its module, and what messages call it.
    pub name: Rc<str>,
    pub text: Rc<str>,
}

/// A variable of a session.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub name: Rc<str>,
    pub ty: Ty,
    pub mutable: bool,
    pub access: AccessTree,
    /// The name of its global.
    pub global: Rc<str>,
    /// Its type, as it is written.
    pub shown: Rc<str>,
}

/// An entry that was checked, and is not part of the session yet.
#[derive(Debug)]
pub struct Entry {
    checked: Checked,
    text: Text,
    /// Names, types and globals of what it binds.
    bound: Vec<Variable>,
    first_row: u32,
}

/// An entry's module.
#[derive(Debug)]
pub struct Compiled {
    /// WebAssembly. It exports `main`, which takes the handles that the entry needs and gives the text of its value, empty where it has
    /// none.
    pub module: Vec<u8>,
    /// How long the session's table has to be before the module is instantiated.
    pub table: u32,
    /// Where in it the methods of types are.
    rows: Vec<(Implemented, u32)>,
    types: Types,
}

impl Session {
    /// Without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks an entry, without adding it.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check(&self, text: &str) -> Result<Entry, Box<Rejected>> {
        let name: Rc<str> = self.next_name().into();
        let options = check::Options { session: Some(self), tests: false, ..check::Options::default() };
        let mut checked = driver::check(&name, &mut Memory::new().with(&name, &name, text), options)?;
        // Those of earlier entries were told.
        checked.warnings.retain(|found| checked.sources.get(found.primary.span.file).name == *name);
        let mut bound = Vec::new();
        if let Some(main) = &checked.program.main
            && let Some(entry) = &main.entry
            && let Some(body) = checked.program.body(main.function)
        {
            for (local, global) in &entry.binds {
                let local = &body.locals[local.index()];
                bound.push(Variable {
                    name: checked.names.text(local.name).into(),
                    ty: local.ty,
                    mutable: local.mutable,
                    access: check::access_of(&checked.program.types, local.ty, local.mutable),
                    global: global.clone(),
                    shown: TypeText::new(&checked.program, &checked.names, &[]).ty(local.ty).into(),
                });
            }
        }
        Ok(Entry { checked, text: Text { name, text: text.into() }, bound, first_row: self.rows })
    }

    /// What can stand between two parts of an entry: all of it, whatever it begins with.
    pub fn complete(&self, before: &str, after: &str) -> Vec<Candidate> {
        let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
        match line.strip_prefix("import ").map(|rest| rest.split_once('{')) {
            Some(None) => modules(),
            Some(Some((path, _))) => {
                let path = path.trim();
                self.probe(&format!("import {path}\n{}.", path.rsplit('/').next().unwrap_or_default()), "", false)
            }
            None => {
                let mut found = self.probe(before, after, false);
                if !before.trim_end().ends_with('.') {
                    found.extend(KEYWORDS.iter().chain(&WORDS).map(|word| Candidate::new(*word, Kind::Keyword)));
                }
                found
            }
        }
    }

    /// What is documented of a name, a path or something of a value, as `List.map`, `words.len` and `text/csv`, and of what belongs
    /// to it.
    pub fn documented(&self, text: &str) -> Option<(Candidate, Vec<Candidate>)> {
        let text = text.trim();
        let module = modules().into_iter().find(|module| module.name == text);
        let text = module.as_ref().map_or(text.to_owned(), |module| format!("import {}\n{}", module.name, last(text)));
        let name = last(&text);
        let found = self.probe(&text[..text.len() - name.len()], "", true);
        let found = found.into_iter().find(|candidate| candidate.name == name)?;
        let members = match found.kind {
            Kind::Type | Kind::Trait | Kind::Module => self.probe(&format!("{text}."), "", true),
            _ => Vec::new(),
        };
        Some((found, members))
    }

    fn probe(&self, before: &str, after: &str, wants_methods: bool) -> Vec<Candidate> {
        let probe = Probe::new(before.len() as u32, wants_methods);
        let name = self.next_name();
        let options =
            check::Options { session: Some(self), tests: false, probe: Some(&probe), ..check::Options::default() };
        let (mut sources, mut names, mut diagnostics) = (Sources::default(), Names::default(), Diagnostics::default());
        let mut loader = Memory::new().with(&name, &name, &format!("{before}{PLACE}{after}"));
        check::check(&name, &mut loader, options, &mut sources, &mut names, &mut diagnostics);
        probe.finish(&sources)
    }

    /// Adds an entry. Its module was instantiated, and `main` returned; `is_bound` tells which of its variables (by their globals) have a
    /// value: not those behind a `return`.
    pub fn commit(&mut self, entry: Entry, compiled: &Compiled, is_bound: impl Fn(&str) -> bool) {
        let Entry { checked, text, bound, .. } = entry;
        let entry = checked.program.main.as_ref().and_then(|main| main.entry.as_ref());
        let before: Vec<Ty> = entry.iter().flat_map(|entry| entry.earlier.iter().map(|earlier| earlier.ty)).collect();
        self.rows_of = entry.map(|entry| entry.rows.clone()).unwrap_or_default();
        self.know_rows(&compiled.rows);
        for (variable, ty) in self.variables.iter_mut().zip(before) {
            variable.ty = ty;
        }
        for variable in bound.into_iter().filter(|variable| is_bound(&variable.global)) {
            self.variables.retain(|old| old.name != variable.name);
            self.variables.push(variable);
        }
        let program = &checked.program;
        self.declared = [program.records.len(), program.enums.len(), program.traits.len()];
        self.types = compiled.types.clone();
        self.entries.push(text);
        self.count += 1;
        self.rows = compiled.table;
    }

    /// Takes note of an entry whose module was instantiated, but did not come to its end: what it put into the table stays there.
    pub fn abandon(&mut self, compiled: &Compiled) {
        // Values that it made may be in variables. What it declared itself is gone, and others will have the numbers.
        let [_, _, traits] = self.declared;
        let is_old = |ty: &Ty| is_of(&compiled.types, *ty, self.declared);
        let rows = compiled
            .rows
            .iter()
            .filter(|((ty, of, args), _)| of.index() < traits && is_old(ty) && args.iter().all(is_old));
        let rows: Vec<&(Implemented, u32)> = rows.collect();
        let mut here = |ty: Ty| transfer(&compiled.types, ty, &mut self.types);
        let rows: Vec<(Implemented, u32)> = rows
            .into_iter()
            .map(|((ty, of, args), place)| ((here(*ty), *of, args.iter().map(|&arg| here(arg)).collect()), *place))
            .collect();
        self.know_rows(&rows);
        self.count += 1;
        self.rows = compiled.table;
    }

    /// Takes note of an entry that was rejected: another one is not called the same.
    pub fn reject(&mut self) {
        self.count += 1;
    }

    fn know_rows(&mut self, rows: &[(Implemented, u32)]) {
        let known: FxHashSet<Implemented> = self.rows_of.iter().map(|(implemented, _)| implemented.clone()).collect();
        self.rows_of.extend(rows.iter().filter(|(implemented, _)| !known.contains(implemented)).cloned());
    }

    /// What the next entry is called.
    pub fn next_name(&self) -> String {
        format!("entry {}", self.count + 1)
    }

    /// The variables, oldest first: name, type, and whether each can be assigned.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.variables.iter().map(|variable| (&*variable.name, &*variable.shown, variable.mutable))
    }
}

impl Entry {
    /// Its module.
    ///
    /// # Errors
    /// Limits that it passes.
    pub fn compile(&self) -> Result<Compiled, Box<Rejected>> {
        let Checked { program, names, sources, .. } = &self.checked;
        let rejected = |diagnostics| Box::new(Rejected { diagnostics, sources: sources.clone() });
        let mut module = compile::lower(program, names, Options::default()).map_err(rejected)?;
        let shared = module.shared.get_or_insert_with(Shared::default);
        shared.first_row = self.first_row;
        shared.name = self.text.name.to_string();
        let implemented = std::mem::take(&mut shared.implemented);
        let types = shared.types.take().unwrap_or_default();
        let (module, count, places) = bytecode::encode(module, &compile::needs(program, names), None, sources);
        let rows = implemented.into_iter().filter_map(|(of, row)| Some((of, *places.get(row.index())?.as_ref()?)));
        Ok(Compiled { module, table: self.first_row + count, rows: rows.collect(), types })
    }

    /// The functions of the session that it uses, in the compiler's own language, as text for people.
    ///
    /// # Errors
    /// Limits that it passes.
    pub fn ir(&self) -> Result<String, Box<Rejected>> {
        let Checked { program, names, sources, .. } = &self.checked;
        let rejected = |diagnostics| Box::new(Rejected { diagnostics, sources: sources.clone() });
        let module = compile::lower(program, names, Options::default()).map_err(rejected)?;
        Ok(print::some(&module, |name| self.is_own(name)))
    }

    /// Whether a function of its module, by its name in traces, is one of the session, not of the standard library.
    pub fn is_own(&self, name: &str) -> bool {
        let program = &self.checked.program;
        let own = |function: &Function| !program.modules[function.module.index()].standard;
        program.functions.iter().any(|function| *function.path == *name && own(function))
    }

    /// What was perhaps not meant.
    pub fn warnings(&self) -> &[crate::diagnostic::Diagnostic] {
        &self.checked.warnings
    }

    /// Its sources, for messages.
    pub fn sources(&self) -> &Sources {
        &self.checked.sources
    }

    /// The name of its module.
    pub fn name(&self) -> &str {
        &self.text.name
    }

    /// The globals that it sets.
    pub fn globals(&self) -> impl Iterator<Item = &str> {
        self.bound.iter().map(|variable| &*variable.global)
    }

    /// What its value's type is, if it has one: that of `it`.
    pub fn value_type(&self) -> Option<&str> {
        self.bound.iter().find(|variable| &*variable.name == check::VALUE).map(|variable| &*variable.shown)
    }
}

/// The name that is put where a name is looked for.
const PLACE: &str = "name_that_is_looked_for";

/// The last name of a path.
fn last(text: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let start = text.rfind(|c| !is_part(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// The modules of the standard library.
fn modules() -> Vec<Candidate> {
    let paths = STANDARD.iter().filter_map(|(path, _)| path.strip_suffix(".fold"));
    paths.filter(|path| !path.starts_with("prelude/")).map(|path| Candidate::new(path, Kind::Module)).collect()
}

/// Whether a type consists of the first so many records, enums and traits only.
fn is_of(types: &Types, ty: Ty, counts: [usize; 3]) -> bool {
    let [records, enums, traits] = counts;
    let all = |parts: &[Ty]| parts.iter().all(|&part| is_of(types, part, counts));
    match types.kind(ty) {
        TyKind::Array(element) => all(&[*element]),
        TyKind::Tuple(parts) => all(parts),
        TyKind::Record(id, args) => id.index() < records && all(args),
        TyKind::Enum(id, args) => id.index() < enums && all(args),
        TyKind::Dyn(id, args) => id.index() < traits && all(args),
        TyKind::Fn(params, result) => all(params) && all(&[*result]),
        _ => true,
    }
}

/// A type of one program in another, in which records, enums and traits have the same numbers.
pub(crate) fn transfer(from: &Types, ty: Ty, to: &mut Types) -> Ty {
    let list = |types: &[Ty], to: &mut Types| -> Box<[Ty]> { types.iter().map(|&ty| transfer(from, ty, to)).collect() };
    let kind = match from.kind(ty) {
        TyKind::Array(element) => TyKind::Array(transfer(from, *element, to)),
        TyKind::Tuple(parts) => TyKind::Tuple(list(parts, to)),
        TyKind::Record(id, args) => TyKind::Record(*id, list(args, to)),
        TyKind::Enum(id, args) => TyKind::Enum(*id, list(args, to)),
        TyKind::Dyn(id, args) => TyKind::Dyn(*id, list(args, to)),
        TyKind::Fn(params, result) => TyKind::Fn(list(params, to), transfer(from, *result, to)),
        plain => plain.clone(),
    };
    to.intern(kind)
}
