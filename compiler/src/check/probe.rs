//! What can stand at a place in a source: for whoever writes there.
//!
//! A name is put at the place, whatever it is, and the module is checked, as wrong as it may be. Where inference comes to that name, it
//! knows what could stand there, and tells the [`Probe`].

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::scope::{Builtin, Def};
use crate::diagnostic::Diagnostics;
use crate::names::Names;
use crate::parser;
use crate::source::{FileId, Sources, Span};
use crate::syntax::{Field, File, ItemKind, Member, Payload};

/// A place that is asked about, and what was found.
#[derive(Debug)]
pub struct Probe {
    /// Where the name begins, in the file of the root.
    pub(super) at: u32,
    /// Whether functions that take `self` are wanted behind a type's name too.
    pub(super) wants_methods: bool,
    found: RefCell<Vec<Candidate>>,
}

/// Something that can stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What is written.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its type, or its head as it is written; may be empty.
    pub ty: String,
    /// Its documentation; may be empty.
    pub doc: String,
    /// Where its name is declared.
    pub(super) span: Option<Span>,
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kind {
    Variable,
    Field,
    Method,
    Function,
    Variant,
    Constant,
    Type,
    Trait,
    Module,
    Keyword,
}

impl Kind {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Field => "field",
            Self::Method => "method",
            Self::Function => "function",
            Self::Variant => "variant",
            Self::Constant => "constant",
            Self::Type => "type",
            Self::Trait => "trait",
            Self::Module => "module",
            Self::Keyword => "keyword",
        }
    }
}

impl Candidate {
    /// One that is known by its name.
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, ty: String::new(), doc: String::new(), span: None }
    }
}

impl Probe {
    /// Asks about the name that begins with this byte of the root; of a type with all its functions, or with those only that are called by
    /// its name.
    pub fn new(at: u32, wants_methods: bool) -> Self {
        Self { at, wants_methods, found: RefCell::default() }
    }

    /// What was found, by name, each with what its declaration says.
    pub fn finish(self, sources: &Sources) -> Vec<Candidate> {
        let mut found = self.found.into_inner();
        let mut files: FxHashMap<FileId, Declarations> = FxHashMap::default();
        for candidate in &mut found {
            let Some(span) = candidate.span else { continue };
            let declarations = files.entry(span.file).or_insert_with(|| Declarations::of(span.file, sources));
            if let Some((head, doc)) = declarations.0.get(&span.start) {
                candidate.doc.clone_from(doc);
                if candidate.ty.is_empty() {
                    candidate.ty = one_line(sources.text(*head));
                }
            }
        }
        found.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        found.dedup_by(|a, b| a.name == b.name);
        found
    }

    /// What is found; an expression that is looked at again tells it again.
    pub(super) fn tell(&self, candidates: Vec<Candidate>) {
        *self.found.borrow_mut() = candidates;
    }
}

/// A head may be written in several lines.
fn one_line(text: &str) -> String {
    let text = text.trim_start_matches("pub ").split('{').next().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a file declares: heads and documentations, by the places of the names.
struct Declarations(FxHashMap<u32, (Span, String)>);

impl Declarations {
    fn of(file: FileId, sources: &Sources) -> Self {
        // Of the standard library the checker has an outline only.
        let tree = parser::parse(file, &sources.get(file).text, &mut Names::default(), &mut Diagnostics::default());
        let mut all = Self(FxHashMap::default());
        all.file(&tree);
        all
    }

    fn add(&mut self, name: Span, head: Span, doc: &Option<std::rc::Rc<str>>) {
        self.0.insert(name.start, (head, doc.as_deref().unwrap_or_default().to_owned()));
    }

    fn file(&mut self, tree: &File) {
        // A module has no name of its own: the beginning of its file stands for it.
        self.add(Span { file: tree.id, start: 0, end: 0 }, Span::default(), &tree.doc);
        for item in &tree.items {
            let head = item.span;
            match &item.kind {
                ItemKind::Fn(function) => self.add(function.name.span, function.head, &item.doc),
                ItemKind::Record(record) => {
                    self.add(record.name.span, head, &item.doc);
                    self.fields(&record.fields);
                }
                ItemKind::Enum(of) => {
                    self.add(of.name.span, head, &item.doc);
                    for variant in &of.variants {
                        self.add(variant.name.span, variant.span, &variant.doc);
                        if let Payload::Named(fields) = &variant.payload {
                            self.fields(fields);
                        }
                    }
                }
                ItemKind::Trait(of) => {
                    self.add(of.name.span, head, &item.doc);
                    self.members(&of.members);
                }
                ItemKind::Impl(of) => self.members(&of.members),
                ItemKind::Const(constant) => {
                    self.add(constant.name.span, constant.name.span.to(constant.ty.span), &item.doc);
                }
                ItemKind::Alias(alias) => self.add(alias.name.span, head, &item.doc),
                ItemKind::Import(_) | ItemKind::Test(_) | ItemKind::Error => {}
            }
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        fields.iter().for_each(|field| self.add(field.name.span, field.span, &field.doc));
    }

    fn members(&mut self, members: &[Member]) {
        members.iter().for_each(|member| self.add(member.function.name.span, member.function.head, &member.doc));
    }
}

impl super::Checker<'_> {
    /// A thing of a module as a candidate.
    pub(super) fn candidate(&self, name: &str, def: Def, span: Span) -> Candidate {
        let program = &self.program;
        let (kind, span) = match def {
            Def::Module(id) => {
                let path = program.modules[id.index()].path.clone();
                let files = self.sources.iter();
                let mut named = files.filter(|(_, file)| file.name == format!("std/{path}.fold"));
                let span = named.next().map(|(file, _)| Span { file, start: 0, end: 0 });
                return Candidate { ty: path.to_string(), span, ..Candidate::new(name, Kind::Module) };
            }
            Def::Builtin(Builtin::Plain(_) | Builtin::Array) => (Kind::Type, None),
            Def::Record(id) => (Kind::Type, Some(program.records[id.index()].span)),
            Def::Enum(id) => (Kind::Type, Some(program.enums[id.index()].span)),
            Def::Trait(id) => {
                let of = &program.traits[id.index()];
                (if of.capability { Kind::Type } else { Kind::Trait }, Some(of.span))
            }
            Def::Alias(_) => (Kind::Type, Some(span)),
            Def::Fn(id) => (Kind::Function, Some(program.functions[id.index()].span)),
            Def::Const(id) => {
                let ty = self.show(program.constants[id.index()].ty);
                return Candidate { ty, span: Some(span), ..Candidate::new(name, Kind::Constant) };
            }
            Def::Variant(id, tag) => (Kind::Variant, Some(program.enums[id.index()].variants[tag as usize].span)),
        };
        Candidate { span, ..Candidate::new(name, kind) }
    }
}
