//! Files of the standard library, of which a program uses little: what they declare is found when the compiler is built, and a declaration is
//! parsed when it is asked for.
//!
//! Invariant: an outline is of the very text that it was made from, since [`of`] knows a text by where it is in memory, not by its name.

use std::cell::OnceCell;

use super::STANDARD;
use crate::diagnostic::Diagnostics;
use crate::names::{Name, Names};
use crate::parser;
use crate::source::{FileId, Span};
use crate::syntax::{Ident, Item};

/// What a declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A function; behind a trait or an `impl`, one of its own.
    Fn,
    /// A trait, or an interface of capabilities.
    Trait,
    Impl,
    Import,
    /// Anything else, which is parsed when it is declared.
    Other,
}

/// A declaration: where it stands, and what has to be known of it before it is parsed. Places are bytes of its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub kind: Kind,
    /// Whether it begins with `pub`.
    pub public: bool,
    /// Of a function: whether it has a body.
    pub has_body: bool,
    /// Of a function: whether it takes `var self`.
    pub changes_self: bool,
    /// From `pub` or the keyword to the end.
    span: (u32, u32),
    /// A function's name; of an `impl` that of its type, if a name tells which it is.
    name: (u32, u32),
    /// Of an `impl`: the name of the trait, if it has one.
    of: (u32, u32),
    /// What is not parsed with it: the functions of a trait or an `impl`, which are entries of their own, and most bodies.
    inside: (u32, u32),
}

impl Entry {
    /// Of an `impl`: whether it is of a trait.
    pub fn has_trait(&self) -> bool {
        self.of.0 < self.of.1
    }
}

/// Of each file of [`STANDARD`], in its order. The functions of a trait or an `impl` stand behind it.
static OUTLINES: &[&[Entry]] = include!(concat!(env!("OUT_DIR"), "/outlines.rs"));

/// What a text of the standard library declares, if it is one that the compiler was built with.
pub(super) fn of(text: &str) -> Option<(&'static str, &'static [Entry])> {
    let place = STANDARD.iter().position(|(_, known)| std::ptr::eq(*known, text))?;
    Some((STANDARD[place].1, OUTLINES[place]))
}

/// A file with its declarations, as far as they were parsed.
#[derive(Debug)]
pub(super) struct Outline {
    id: FileId,
    text: &'static str,
    pub entries: &'static [Entry],
    parsed: Box<[OnceCell<Box<Item>>]>,
}

impl Outline {
    pub fn new(id: FileId, text: &'static str, entries: &'static [Entry]) -> Self {
        Self { id, text, entries, parsed: std::iter::repeat_with(OnceCell::new).take(entries.len()).collect() }
    }

    /// A declaration, which may have to be parsed. That of a function of a trait or an `impl` is as if it stood alone, and they are without.
    pub fn item(&self, index: usize, names: &mut Names, diagnostics: &mut Diagnostics) -> &Item {
        self.parsed[index].get_or_init(|| {
            let (span, inside) = (self.span(self.entries[index].span), self.span(self.entries[index].inside));
            Box::new(parser::declaration(span, inside, self.text, names, diagnostics))
        })
    }

    /// A function's name.
    pub fn name(&self, entry: &Entry, names: &mut Names) -> Ident {
        let span = self.span(entry.name);
        Ident { name: self.intern(span, names), span }
    }

    /// The names of an `impl`'s trait, if it has one, and of its type; nothing where the first line has to be parsed to tell.
    pub fn implemented(&self, entry: &Entry, names: &mut Names) -> Option<(Option<Name>, Name)> {
        let mut name = |(start, end)| (start < end).then(|| self.intern(self.span((start, end)), names));
        let ty = name(entry.name)?;
        Some((name(entry.of), ty))
    }

    /// Where the functions of the trait or `impl` at this place are.
    pub fn members(&self, index: usize) -> std::ops::Range<usize> {
        let end = self.entries[index].span.1;
        let count = self.entries[index + 1..].iter().take_while(|entry| entry.span.0 < end).count();
        index + 1..index + 1 + count
    }

    fn intern(&self, span: Span, names: &mut Names) -> Name {
        names.intern(self.text.get(span.range()).unwrap_or_default())
    }

    fn span(&self, (start, end): (u32, u32)) -> Span {
        Span { file: self.id, start, end }
    }
}

/// A declaration of an outline.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub outline: &'a Outline,
    pub index: usize,
}

impl<'a> Place<'a> {
    /// What is known without parsing.
    pub fn entry(self) -> &'static Entry {
        &self.outline.entries[self.index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::syntax::{Body, File, Fn, ItemKind, Member, dump};

    fn functions(file: &mut File) -> Vec<&mut Fn> {
        let mut found = Vec::new();
        for item in &mut file.items {
            match &mut item.kind {
                ItemKind::Fn(function) => found.push(function),
                ItemKind::Impl(of) => found.extend(of.members.iter_mut().map(|member| &mut member.function)),
                ItemKind::Trait(of) => found.extend(of.members.iter_mut().map(|member| &mut member.function)),
                _ => {}
            }
        }
        found
    }

    /// A file, put together from its outline.
    fn whole(outline: &Outline, names: &mut Names, diagnostics: &mut Diagnostics) -> File {
        let (mut items, mut index) = (Vec::new(), 0);
        while let Some(entry) = outline.entries.get(index) {
            let mut item = outline.item(index, names, diagnostics).clone();
            index += 1;
            assert_eq!(entry.public, item.public);
            let members = match &mut item.kind {
                ItemKind::Impl(of) => Some(&mut of.members),
                ItemKind::Trait(of) => Some(&mut of.members),
                _ => None,
            };
            if let Some(members) = members {
                assert!(members.is_empty());
                for place in outline.members(index - 1) {
                    let member = outline.item(place, names, diagnostics).clone();
                    let ItemKind::Fn(function) = member.kind else { panic!("{member:?}") };
                    members.push(Member { doc: None, public: member.public, function, span: member.span });
                    index += 1;
                }
            }
            items.push(item);
        }
        File { id: outline.id, doc: None, needs: None, items, body: Vec::new(), comments: Vec::new() }
    }

    fn forget_docs(file: &mut File) {
        (file.doc, file.comments) = (None, Vec::new());
        for item in &mut file.items {
            (item.doc, item.doc_span) = (None, None);
            match &mut item.kind {
                ItemKind::Impl(of) => of.members.iter_mut().for_each(|member| member.doc = None),
                ItemKind::Trait(of) => of.members.iter_mut().for_each(|member| member.doc = None),
                _ => {}
            }
        }
    }

    #[test]
    fn an_outline_with_its_bodies_is_the_whole_tree() {
        let (mut later, mut functions_found) = (0, 0);
        for (name, text) in STANDARD {
            let (mut sources, mut names, mut diagnostics) =
                (Sources::default(), Names::default(), Diagnostics::default());
            let id = sources.add(*name, *text);
            let mut expected = parser::parse(id, text, &mut names, &mut diagnostics);
            forget_docs(&mut expected);
            let (text, entries) = of(text).unwrap();
            let outline = Outline::new(id, text, entries);
            let mut file = whole(&outline, &mut names, &mut diagnostics);
            for function in functions(&mut file) {
                if let Some(Body::Later(span, parsed)) = &function.body {
                    later += 1;
                    parsed.get_or_init(|| parser::body(*span, text, &mut names, &mut diagnostics));
                }
            }
            assert_eq!(dump(&file, &names), dump(&expected, &names), "{name}");
            let known = entries.iter().filter(|entry| entry.kind == Kind::Fn);
            for (function, entry) in functions(&mut expected).into_iter().zip(known) {
                functions_found += 1;
                assert_eq!(outline.name(entry, &mut names), function.name);
                assert_eq!(entry.has_body, function.body.is_some(), "{name} {entry:?}");
                let changes_self = function.receiver.is_some_and(|receiver| receiver.mutable);
                assert_eq!(entry.changes_self, changes_self, "{name} {entry:?}");
            }
            assert_eq!(diagnostics.iter().count(), 0, "{name}");
        }
        assert!(later > 500 && functions_found > 1000, "{later} bodies of {functions_found} functions were left out");
    }
}
