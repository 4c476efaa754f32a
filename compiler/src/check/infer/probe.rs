//! Telling what can stand at the place of a name that somebody asks about: see [`Probe`].

use super::Infer;
use crate::check::probe::{Candidate, Kind, Probe};
use crate::check::scope::PRELUDE;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::Ident;
use crate::typed::{Expr, ExprKind, FnId, ModuleId, Ty, TyKind};

use super::method::Found;

impl<'a> Infer<'_, 'a> {
    /// Who asks about this name, if somebody does.
    fn probe(&self, name: Ident) -> Option<&'a Probe> {
        let root = self.c.declared.root?;
        self.c.options.probe.filter(|probe| name.span.file == root.id && name.span.start == probe.at)
    }

    /// At a name alone: all that is in scope.
    pub(super) fn probe_name(&mut self, name: Ident) {
        let Some(probe) = self.probe(name) else { return };
        let mut found = Vec::new();
        for (&name, &local) in &self.names {
            // Those that are made up, and what an entry's beginning binds, have other names.
            if !self.c.text(name).starts_with('$') {
                let ty = self.c.show(self.locals[local.index()].ty);
                found.push(Candidate { ty, ..Candidate::new(self.c.text(name), Kind::Variable) });
            }
        }
        let own = self.module;
        for module in [own, PRELUDE] {
            found.extend(self.names_of(module, own, false));
        }
        probe.tell(found);
    }

    /// Behind a module's name: what this module sees of it.
    pub(super) fn probe_module(&mut self, of: ModuleId, name: Ident) {
        let Some(probe) = self.probe(name) else { return };
        probe.tell(self.names_of(of, self.module, true));
    }

    fn names_of(&self, of: ModuleId, from: ModuleId, declared_only: bool) -> Vec<Candidate> {
        let scope = &self.c.scopes[of.index()];
        let entries = scope.order.iter().filter_map(|name| Some((*name, scope.entries.get(name)?)));
        let seen = entries.filter(|(_, entry)| {
            self.c.is_visible(of, entry.public, from) && !(declared_only && entry.import.is_some())
        });
        seen.map(|(name, entry)| self.c.candidate(self.c.text(name), entry.def, entry.span)).collect()
    }

    /// Behind a type's name: variants, and functions that are called like this.
    pub(super) fn probe_type(&mut self, ty: Ty, name: Ident) {
        let Some(probe) = self.probe(name) else { return };
        let mut found = Vec::new();
        if let TyKind::Enum(id, _) = self.kind(ty) {
            for variant in &self.c.program.enums[id.index()].variants {
                found.push(Candidate {
                    span: Some(variant.span),
                    ..Candidate::new(self.c.text(variant.name), Kind::Variant)
                });
            }
        }
        let is_wanted = |infer: &Self, id: FnId| probe.wants_methods || !infer.c.program.functions[id.index()].receiver;
        let value = self.expr_of(ExprKind::Tuple(Vec::new()), ty, name.span);
        let functions = self.functions_of(&value).into_iter().filter(|&(_, id)| is_wanted(self, id));
        let functions: Vec<_> = functions.map(|(name, id)| self.function_candidate(name, id)).collect();
        found.extend(functions);
        probe.tell(found);
    }

    /// Behind a value: fields and methods.
    pub(super) fn probe_value(&mut self, base: &Expr, name: Ident) {
        let ty = self.c.shallow(base.ty);
        let Some(probe) = self.probe(name).filter(|_| ty != Ty::ERROR) else { return };
        let mut found = Vec::new();
        match self.kind(ty).clone() {
            TyKind::Record(id, args) => {
                let record = &self.c.program.records[id.index()];
                let module = record.module;
                let fields = record.fields.iter().filter(|field| self.c.is_visible(module, field.public, self.module));
                let fields: Vec<(Name, Ty, Span)> = fields.map(|field| (field.name, field.ty, field.span)).collect();
                for (name, field, span) in fields {
                    let ty = self.c.program.types.substitute(field, &args);
                    let ty = self.c.show(ty);
                    found.push(Candidate { ty, span: Some(span), ..Candidate::new(self.c.text(name), Kind::Field) });
                }
            }
            TyKind::Tuple(parts) => {
                for (number, &part) in parts.iter().enumerate() {
                    let ty = self.c.show(part);
                    found.push(Candidate { ty, ..Candidate::new(number.to_string(), Kind::Field) });
                }
            }
            _ => {}
        }
        for (name, id) in self.functions_of(base) {
            let candidate = self.function_candidate(name, id);
            if candidate.kind == Kind::Method && !found.iter().any(|other| other.name == candidate.name) {
                found.push(candidate);
            }
        }
        probe.tell(found);
    }

    fn function_candidate(&self, name: Name, id: FnId) -> Candidate {
        let function = &self.c.program.functions[id.index()];
        let kind = if function.receiver { Kind::Method } else { Kind::Function };
        Candidate { span: Some(function.span), ..Candidate::new(self.c.text(name), kind) }
    }

    /// The functions of a value's type that this module sees: its own, those of traits, and those of what its `iter` gives.
    fn functions_of(&mut self, value: &Expr) -> Vec<(Name, FnId)> {
        let ty = self.c.shallow(value.ty);
        let mut names: Vec<Name> = self.c.index.trait_methods.keys().copied().collect();
        if let Some(head) = self.c.head(ty) {
            names.extend(self.c.own_functions(head).map(|id| self.c.program.functions[id.index()].name));
        }
        names.sort_unstable();
        names.dedup();
        let mut functions = Vec::new();
        for name in names {
            let id = match self.find_function(ty, name) {
                Found::Inherent(id) => id,
                Found::Trait(of, method) => self.c.program.traits[of.index()].methods[method as usize].function,
                _ => continue,
            };
            functions.push((name, id));
        }
        if let Some(iterator) = self.c.program.lang.iterator {
            let methods = &self.c.program.traits[iterator.index()].methods;
            let methods: Vec<(Name, FnId)> = methods.iter().map(|method| (method.name, method.function)).collect();
            if let Some((first, _)) = methods.first()
                && self.method_of_iter(value, *first).is_some()
            {
                functions.extend(methods);
            }
        }
        functions
    }
}
