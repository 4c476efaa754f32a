//! Functions of types: methods, and those that are called by their type's name.
//!
//! They are looked for among the type's own, then among those of traits in scope that it implements; methods of iterators
//! then on what the type's `iter` gives.

use super::call::Called;
use super::{Infer, Want};
use crate::check::scope::PRELUDE;
use crate::check::traits::Head;
use crate::check::{Owner, suggest};
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::{self, Ident};
use crate::typed::{Callee, Expr, ExprKind, FnId, TraitId, Ty, TyKind};

/// What was found by a name.
pub(super) enum Found {
    Inherent(FnId),
    Trait(TraitId, u32),
    /// Several traits have it.
    Several(Vec<TraitId>),
    /// An own function that this module does not see.
    Private(FnId),
    /// Own functions of the type with other arguments.
    Other(FnId),
    Nothing,
}

impl<'a> Infer<'_, 'a> {
    /// A function of a type, by the type's name.
    pub(super) fn associated(
        &mut self,
        ty: Ty,
        name: Ident,
        types: Option<&'a [syntax::Type]>,
        span: Span,
    ) -> Option<Called> {
        match self.find_function(ty, name.name) {
            Found::Inherent(id) => self.called_inherent(id, ty, types, span),
            Found::Trait(of, method) => self.called_trait(of, method, ty, types, false, span),
            found => {
                self.no_function(ty, name, found, false);
                None
            }
        }
    }

    pub(super) fn method_call(
        &mut self,
        base: Expr,
        name: Ident,
        types: &'a [syntax::Type],
        args: &'a [syntax::Expr],
        hint: Option<Ty>,
        span: Span,
    ) -> Expr {
        let ty = self.c.shallow(base.ty);
        if ty == Ty::ERROR {
            self.loose_args(args);
            return self.error(span);
        }
        let mark = self.pending.len();
        let types = (!types.is_empty()).then_some(types);
        let found = self.find_function(ty, name.name);
        let called = match found {
            Found::Inherent(id) => self.called_inherent(id, ty, types, name.span),
            Found::Trait(of, method) => self.called_trait(of, method, ty, types, true, name.span),
            found => match self.method_of_iter(&base, name.name) {
                Some((iterator, of, method)) => {
                    let ty = iterator.ty;
                    let called = self.called_trait(of, method, ty, types, true, name.span);
                    return self.finish_method(called, iterator, name, args, hint, mark, span);
                }
                None => {
                    self.no_function(ty, name, found, true);
                    None
                }
            },
        };
        self.finish_method(called, base, name, args, hint, mark, span)
    }

    fn finish_method(
        &mut self,
        called: Option<Called>,
        base: Expr,
        name: Ident,
        args: &'a [syntax::Expr],
        hint: Option<Ty>,
        mark: usize,
        span: Span,
    ) -> Expr {
        let Some(called) = called else {
            self.loose_args(args);
            return self.error(span);
        };
        if called.function.is_some_and(|id| !self.c.program.functions[id.index()].receiver) {
            let (head, text) = (self.c.show_head(base.ty), self.c.text(name.name));
            let error = Diagnostic::error("F0214", name.span, format!("`{text}` takes no `self`"));
            let error = error.help(format!("it is called `{head}.{text}(…)`"));
            self.report(error);
            self.loose_args(args);
            return Expr { ty: called.result, ..self.error(span) };
        }
        self.settle(mark);
        // The receiver fits: it was found by its type.
        let receiver = self.coerce(base, called.params[0]);
        let count = called.params.len() - 1;
        if count != args.len() {
            let text = self.c.text(name.name).to_owned();
            let s = if count == 1 { "" } else { "s" };
            let message = format!("`{text}` takes {count} argument{s}, not {}", args.len());
            let mut error = Diagnostic::error("F0303", span, message);
            if let Some(id) = called.function {
                error = error.also(self.c.program.functions[id.index()].span, "declared here");
            }
            self.report(error);
            self.loose_args(args);
            return Expr { ty: called.result, ..self.error(span) };
        }
        self.finish_call(called, vec![receiver], args, hint, mark, span)
    }

    pub(super) fn find_function(&mut self, ty: Ty, name: Name) -> Found {
        let own = self.find_inherent(ty, name);
        if let Found::Inherent(_) = own {
            return own;
        }
        match (self.find_in_traits(ty, name), own) {
            (Found::Nothing, own) => own,
            (found, _) => found,
        }
    }

    /// The type's own function of this name.
    fn find_inherent(&mut self, ty: Ty, name: Name) -> Found {
        let Some(head) = self.c.head(ty) else { return Found::Nothing };
        let candidates = self.c.inherent(head, name);
        if candidates.is_empty() {
            return Found::Nothing;
        }
        if let &[only] = candidates {
            if !self.sees(only) {
                return Found::Private(only);
            }
            return if self.fits(only, ty) { Found::Inherent(only) } else { Found::Other(only) };
        }
        let candidates = candidates.to_vec();
        let first = candidates[0];
        let seen: Vec<FnId> = candidates.into_iter().filter(|&id| self.sees(id)).collect();
        if seen.is_empty() {
            return Found::Private(first);
        }
        let fitting: Vec<FnId> = seen.into_iter().filter(|&id| self.fits(id, ty)).collect();
        match fitting.first() {
            Some(&found) => Found::Inherent(found),
            None => Found::Other(first),
        }
    }

    fn sees(&self, id: FnId) -> bool {
        let function = &self.c.program.functions[id.index()];
        self.c.is_visible(function.module, function.public, self.module)
    }

    /// Whether the `impl` that a function is in is for a type.
    fn fits(&mut self, id: FnId, ty: Ty) -> bool {
        let Owner::Impl(of) = self.c.declared.fns[id.index()].owner else { return false };
        self.c.sign_impl(of);
        let (count, self_ty) = {
            let found = &self.c.program.impls[of.index()];
            (found.generics.len(), found.self_ty)
        };
        let before = self.c.snapshot();
        let holes = self.c.fresh_list(count, Span::default());
        let self_ty = self.c.program.types.substitute(self_ty, &holes);
        let fits = self.c.unify(self_ty, ty);
        self.c.rollback(before);
        fits
    }

    fn is_in_scope(&self, of: TraitId) -> bool {
        self.c.scopes[self.module.index()].traits.contains_key(&of)
            || self.c.scopes[PRELUDE.index()].traits.contains_key(&of)
    }

    /// The function of this name of a trait that the type implements.
    fn find_in_traits(&mut self, ty: Ty, name: Name) -> Found {
        // What bounds and `dyn` give needs no import.
        let given: Vec<(TraitId, Vec<Ty>)> = match self.c.program.types.kind(ty) {
            TyKind::Param(index) => {
                self.c.env.get(*index as usize).map_or(Vec::new(), |generic| generic.bounds.clone())
            }
            TyKind::Dyn(id, args) => vec![(*id, args.to_vec())],
            _ => Vec::new(),
        };
        for (id, args) in given {
            for (of, _) in self.c.all_supers(ty, id, args) {
                let methods = &self.c.program.traits[of.index()].methods;
                if let Some(method) = methods.iter().position(|method| method.name == name) {
                    return Found::Trait(of, method as u32);
                }
            }
        }
        let Some(candidates) = self.c.index.trait_methods.get(&name).cloned() else { return Found::Nothing };
        let mut fitting: Vec<(TraitId, u32)> = Vec::new();
        for (of, method) in candidates {
            if self.is_in_scope(of) && self.c.may_implement(ty, of) {
                fitting.push((of, method));
            }
        }
        if fitting.len() > 1 {
            let sure: Vec<(TraitId, u32)> =
                fitting.iter().copied().filter(|&(of, _)| self.c.implements(ty, of)).collect();
            if !sure.is_empty() {
                fitting = sure;
            }
        }
        match fitting.as_slice() {
            [] => Found::Nothing,
            &[(of, method)] => {
                if let Some(Some(import)) = self.c.scopes[self.module.index()].traits.get(&of) {
                    self.c.imports[*import as usize].used = true;
                }
                Found::Trait(of, method)
            }
            several => Found::Several(several.iter().map(|(of, _)| *of).collect()),
        }
    }

    fn called_inherent(&mut self, id: FnId, ty: Ty, types: Option<&'a [syntax::Type]>, span: Span) -> Option<Called> {
        let Owner::Impl(of) = self.c.declared.fns[id.index()].owner else { return None };
        let count = self.generic_count(id);
        let around = self.c.program.impls[of.index()].generics.len();
        let args = self.own_args(count, around, types, span)?;
        let self_ty = self.c.program.impls[of.index()].self_ty;
        let self_ty = self.c.program.types.substitute(self_ty, &args);
        self.c.unify(self_ty, ty);
        let (params, result) = self.instantiate(id, &args, span);
        Some(Called { callee: Callee::Fn(id, args), params, result, function: Some(id) })
    }

    fn called_trait(
        &mut self,
        of: TraitId,
        method: u32,
        ty: Ty,
        types: Option<&'a [syntax::Type]>,
        as_method: bool,
        span: Span,
    ) -> Option<Called> {
        let found = &self.c.program.traits[of.index()];
        let around = found.generics.len() + 1;
        let function = found.methods[method as usize].function;
        let count = self.generic_count(function);
        let mut args = self.own_args(count, around, types, span)?;
        args[0] = ty;
        let (params, result) = self.instantiate(function, &args, span);
        let is_dyn = match self.c.program.types.kind(ty) {
            TyKind::Dyn(id, dyn_args) => {
                let (id, dyn_args) = (*id, dyn_args.to_vec());
                as_method && self.c.find_dispatchable(of, method) && self.c.super_args(ty, id, dyn_args, of).is_some()
            }
            _ => false,
        };
        let callee = if is_dyn {
            Callee::Dyn(of, method)
        } else {
            let method_args = args.split_off(around);
            Callee::Trait { of, args: args.split_off(1), method, self_ty: ty, method_args }
        };
        Some(Called { callee, params, result, function: Some(function) })
    }

    // Iterators.

    pub(super) fn is_iterator(&mut self, ty: Ty) -> bool {
        self.c.program.lang.iterator.is_some_and(|of| self.c.may_implement(ty, of))
    }

    /// What a value's `iter` gives, if it has one.
    pub(super) fn call_iter(&mut self, value: Expr) -> Option<Expr> {
        let (ty, span) = (self.c.shallow(value.ty), value.span);
        let iter = self.c.words.iter;
        let called = match self.find_function(ty, iter) {
            Found::Inherent(id) => self.called_inherent(id, ty, None, span),
            Found::Trait(of, method) => self.called_trait(of, method, ty, None, true, span),
            _ => None,
        }?;
        if called.params.len() != 1 {
            return None;
        }
        Some(Expr { kind: ExprKind::Call(called.callee, vec![value]), ty: called.result, span })
    }

    /// `next` of an iterator, and what it gives.
    pub(super) fn next_of(&mut self, ty: Ty, span: Span) -> Option<(Callee, Ty)> {
        let of = self.c.program.lang.iterator?;
        let ty = self.c.shallow(ty);
        if !self.c.may_implement(ty, of) {
            return None;
        }
        let mark = self.pending.len();
        let called = self.called_trait(of, 0, ty, None, true, span)?;
        self.settle(mark);
        // The element: `next` gives an Option of it.
        match self.kind(called.result) {
            TyKind::Enum(_, args) => Some((called.callee, args[0])),
            _ => None,
        }
    }

    /// What a value's `iter` gives, if that is an iterator and iterators have this method.
    pub(super) fn method_of_iter(&mut self, base: &Expr, name: Name) -> Option<(Expr, TraitId, u32)> {
        let of = self.c.program.lang.iterator?;
        let method = self.c.program.traits[of.index()].methods.iter().position(|method| method.name == name)?;
        let ty = self.c.shallow(base.ty);
        let iter = self.c.words.iter;
        let Found::Inherent(id) = self.find_inherent(ty, iter) else { return None };
        let called = self.called_inherent(id, ty, None, base.span)?;
        if called.params.len() != 1 || !self.c.may_implement(called.result, of) {
            return None;
        }
        let kind = ExprKind::Call(called.callee, vec![base.clone()]);
        let iterator = Expr { kind, ty: called.result, span: base.span };
        Some((iterator, of, method as u32))
    }

    // Indexing: functions of the standard library's types, by name.

    /// `index`, `set_index` or `slice` of a type, with its parameters (the first is the type) and result.
    pub(super) fn index_function(&mut self, base: &Expr, name: Name, span: Span) -> Option<(Callee, Vec<Ty>, Ty)> {
        if self.c.is_hole(base.ty) {
            self.progress();
        }
        let ty = self.c.shallow(base.ty);
        if ty == Ty::ERROR || ty == Ty::NEVER {
            return None;
        }
        if self.c.is_hole(ty) {
            self.annotate(base.span, "the type of this is not known here");
            return None;
        }
        if let Found::Inherent(id) = self.find_inherent(ty, name)
            && self.c.program.modules[self.c.program.functions[id.index()].module.index()].standard
            && let Some(called) = self.called_inherent(id, ty, None, span)
        {
            return Some((called.callee, called.params, called.result));
        }
        let text = self.c.show(ty);
        let words = &self.c.words;
        let message = if name == words.set_index {
            format!("elements of `{text}` cannot be assigned")
        } else {
            format!("`{text}` cannot be indexed")
        };
        let error = Diagnostic::error("F0308", span, message);
        let error = match self.kind(ty) {
            TyKind::String => {
                error.help("`.chars()` goes through its characters; `text[a..b]` is the part between two bytes")
            }
            TyKind::Tuple(_) => error.help("parts of a tuple are written `.0`, `.1`"),
            _ => error,
        };
        self.report(error);
        None
    }

    /// `base[index]`, and `base[start..end]`
    pub(super) fn index(&mut self, base: Expr, index: &'a syntax::Expr, span: Span) -> Expr {
        let words = self.c.words;
        let syntax::ExprKind::Range { start, end, inclusive } = &index.kind else {
            let Some((callee, params, result)) = self.index_function(&base, words.index, span) else {
                self.expr(index, Want::Value(None));
                return self.error(span);
            };
            let index = self.expr(index, Want::Exactly(params[1]));
            return Expr { kind: ExprKind::Call(callee, vec![base, index]), ty: result, span };
        };
        let mut before = Vec::new();
        let base = if end.is_none() { self.once(base, words.place, &mut before) } else { base };
        let Some((callee, params, result)) = self.index_function(&base, words.slice, span) else {
            for bound in [start, end].into_iter().flatten() {
                self.expr(bound, Want::Exactly(Ty::INT));
            }
            return self.error(span);
        };
        if params.len() != 3 {
            return self.error(span);
        }
        let start = match start {
            Some(start) => self.expr(start, Want::Exactly(params[1])),
            None => self.expr_of(ExprKind::Int(0), Ty::INT, span),
        };
        let end = match end {
            Some(end) => {
                let end = self.expr(end, Want::Exactly(params[2]));
                if *inclusive { self.plus_one(end) } else { end }
            }
            None => match self.index_function(&base, words.len, span) {
                Some((len, _, ty)) => Expr { kind: ExprKind::Call(len, vec![base.clone()]), ty, span },
                None => return self.error(span),
            },
        };
        let call = Expr { kind: ExprKind::Call(callee, vec![base, start, end]), ty: result, span };
        self.after(before, call)
    }

    // Errors.

    fn no_function(&mut self, ty: Ty, name: Ident, found: Found, as_method: bool) {
        let (text, shown) = (self.c.text(name.name).to_owned(), self.c.show(ty));
        let error = match found {
            Found::Private(id) => {
                let at = self.c.program.functions[id.index()].span;
                Diagnostic::error("F0205", name.span, format!("`{text}` of `{shown}` is private"))
                    .label("not `pub`")
                    .also(at, "declared here")
            }
            Found::Other(id) => {
                let at = self.c.program.functions[id.index()].span;
                let of = match self.c.declared.fns[id.index()].owner {
                    Owner::Impl(of) => self.c.program.impls[of.index()].self_ty,
                    _ => Ty::ERROR,
                };
                let env = match self.c.declared.fns[id.index()].owner {
                    Owner::Impl(of) => self.c.program.impls[of.index()].generics.clone(),
                    _ => Vec::new(),
                };
                let env = std::mem::replace(&mut self.c.env, env);
                let of = self.c.show(of);
                self.c.env = env;
                Diagnostic::error("F0214", name.span, format!("`{shown}` has no method `{text}`"))
                    .also(at, format!("this is for `{of}`"))
            }
            Found::Several(traits) => {
                let traits: Vec<String> =
                    traits.iter().map(|&of| format!("`{}`", self.c.show_trait(of, &[]))).collect();
                let message = format!("`{text}` is a function of several traits: {}", traits.join(", "));
                Diagnostic::error("F0411", name.span, message)
            }
            _ => self.missing_function(ty, name, as_method),
        };
        self.report(error);
    }

    fn missing_function(&mut self, ty: Ty, name: Ident, as_method: bool) -> Diagnostic {
        let (text, shown) = (self.c.text(name.name).to_owned(), self.c.show(ty));
        if let TyKind::Enum(id, _) = self.kind(ty)
            && !as_method
            && text.starts_with(char::is_uppercase)
        {
            let variants = &self.c.program.enums[id.index()].variants;
            let close = suggest::closest(self.c.names, name.name, variants.iter().map(|variant| variant.name));
            let error = Diagnostic::error("F0213", name.span, format!("`{shown}` has no variant `{text}`"));
            return match close {
                Some(close) => {
                    let close = self.c.text(close).to_owned();
                    error.repair(format!("there is `{close}`"), name.span, close)
                }
                None => error,
            };
        }
        let what = if as_method { "method" } else { "function" };
        let code = if as_method { "F0214" } else { "F0217" };
        let error = Diagnostic::error(code, name.span, format!("`{shown}` has no {what} `{text}`"));
        // A field that is called.
        if as_method && self.has_function_field(ty, name.name) {
            return error.help(format!("a function in a field is called `(value.{text})(…)`"));
        }
        let candidates = self.function_names(ty);
        if let Some(close) = suggest::closest(self.c.names, name.name, candidates.into_iter()) {
            let close = self.c.text(close).to_owned();
            return error.repair(format!("there is `{close}`"), name.span, close);
        }
        if let TyKind::Param(index) = self.kind(ty)
            && let Some((of, _)) = self.c.index.trait_methods.get(&name.name).and_then(|found| found.first())
        {
            let param = self.c.env.get(*index as usize).map_or("T", |generic| self.c.text(generic.name)).to_owned();
            return error.help(format!("ask for it: `{param}: {}`", self.c.show_trait(*of, &[])));
        }
        // A trait that is not in scope.
        let traits = self.c.index.trait_methods.get(&name.name).cloned().unwrap_or_default();
        for (of, _) in traits {
            if !self.is_in_scope(of) && self.c.may_implement(ty, of) {
                let module = self.c.program.traits[of.index()].module;
                let path = self.c.program.modules[module.index()].path.clone();
                let of = self.c.show_trait(of, &[]);
                return error.help(format!("trait `{of}` has it: `import {path} {{{of}}}`"));
            }
        }
        match (self.kind(ty), text.as_str()) {
            (_, "length" | "size") => error.help("the number of elements is `.len()`"),
            (TyKind::Enum(id, _), _) if Some(*id) == self.c.program.lang.option => {
                error.help("the value may be missing: use `?`, `.or(…)` or `match` first")
            }
            (TyKind::Enum(id, _), _) if Some(*id) == self.c.program.lang.result => {
                error.help("this may have failed: use `?` or `match` first")
            }
            _ => error,
        }
    }

    /// The names that functions of a type have, for suggestions.
    fn function_names(&self, ty: Ty) -> Vec<Name> {
        let mut names = Vec::new();
        let head: Option<Head> = self.c.head(ty);
        if let Some(head) = head {
            names.extend(self.c.own_functions(head).map(|id| self.c.program.functions[id.index()].name));
        }
        let mut traits: Vec<TraitId> = match self.kind(ty) {
            TyKind::Dyn(id, _) => vec![*id],
            TyKind::Param(index) => self
                .c
                .env
                .get(*index as usize)
                .map_or(Vec::new(), |generic| generic.bounds.iter().map(|bound| bound.0).collect()),
            _ => Vec::new(),
        };
        if let (Some(iterator), Some(head)) = (self.c.program.lang.iterator, head)
            && (self.c.index.impls.contains_key(&(iterator, head))
                || self.c.own_function(head, self.c.words.iter).is_some())
        {
            traits.push(iterator);
        }
        for of in traits {
            names.extend(self.c.program.traits[of.index()].methods.iter().map(|method| method.name));
        }
        names
    }
}
