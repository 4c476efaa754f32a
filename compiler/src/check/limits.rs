//! How many parts declarations may have: lists of them are searched from the beginning.

use super::Checker;
use super::declare::{Code, ImplSource};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax;

/// How many type parameters, of a function also those around it.
const MAX_GENERICS: usize = 100;

/// How many bounds a type parameter has.
const MAX_BOUNDS: usize = 100;

/// How many parameters a function has.
const MAX_PARAMS: usize = 255;

/// How many fields a record or variant has, and how many functions a trait.
const MAX_FIELDS: usize = 1000;

/// How many variants an enum has.
const MAX_VARIANTS: usize = 4000;

impl Checker<'_> {
    /// Checks the numbers of parts of all declarations; if one has too many, nothing more is looked at.
    pub(super) fn check_counts(&mut self) {
        for index in 0..self.declared.records.len() {
            let record = self.declared.records[index];
            self.count_generics(&record.generics, record.name.span);
            self.count("fields", record.fields.len(), MAX_FIELDS, record.name.span);
        }
        for index in 0..self.declared.enums.len() {
            let found = self.declared.enums[index];
            self.count_generics(&found.generics, found.name.span);
            self.count("variants", found.variants.len(), MAX_VARIANTS, found.name.span);
            for variant in &found.variants {
                let fields = match &variant.payload {
                    syntax::Payload::Unit => 0,
                    syntax::Payload::Tuple(types) => types.len(),
                    syntax::Payload::Named(fields) => fields.len(),
                };
                self.count("fields", fields, MAX_FIELDS, variant.name.span);
            }
        }
        for index in 0..self.declared.traits.len() {
            let of = self.declared.traits[index];
            self.count_generics(&of.generics, of.name.span);
            self.count("functions", of.members.len(), MAX_FIELDS, of.name.span);
            self.count("traits that it asks for", of.supers.len(), MAX_BOUNDS, of.name.span);
        }
        for index in 0..self.declared.impls.len() {
            // The standard library passes no limit.
            let ImplSource::Tree(found) = self.declared.impls[index].source else { continue };
            self.count_generics(&found.generics, found.head);
            self.count_generics(&found.wheres, found.head);
        }
        for index in 0..self.declared.aliases.len() {
            let alias = self.declared.aliases[index].written;
            self.count_generics(&alias.generics, alias.name.span);
        }
        for index in 0..self.declared.fns.len() {
            if let Code::Fn(function) = self.declared.fns[index].source {
                self.count_generics(&function.generics, function.name.span);
                self.count_generics(&function.wheres, function.name.span);
                self.count("parameters", function.params.len(), MAX_PARAMS, function.name.span);
            }
        }
    }

    fn count_generics(&mut self, generics: &[syntax::Generic], span: Span) {
        self.count("type parameters", generics.len(), MAX_GENERICS, span);
        for generic in generics {
            self.count("bounds", generic.bounds.len(), MAX_BOUNDS, generic.name.span);
        }
    }

    fn count(&mut self, what: &str, found: usize, most: usize, span: Span) {
        if found > most {
            self.report(Diagnostic::error("F0735", span, format!("this has {found} {what}: there are at most {most}")));
            self.stopped = true;
        }
    }
}
