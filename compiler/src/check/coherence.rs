//! Whether implementations are whole, do not overlap, and stand where they may.
//!
//! A package may implement its own traits for any type, and any trait for its own types: so no two packages can implement
//! the same trait for the same type. Implementations for all types that fulfil bounds are the standard library's alone.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Checker;
use super::declare::ImplSource;
use super::traits::{Head, Proof, Wanted};
use super::types::BoundsOf;
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::Access;
use crate::typed::{AccessTree, FnId, Generic, ImplId, ModuleId, TraitId, Ty, TyKind};

/// How many implementations of one trait for one sort of type are compared with one another.
const MAX_COMPARED: usize = 600;

impl Checker<'_> {
    /// Checks all implementations, and what signatures ask of types.
    pub(super) fn check_coherence(&mut self) {
        for index in 0..self.program.impls.len() {
            let id = ImplId(index as u32);
            if !self.is_eager(self.program.impls[index].module) {
                continue;
            }
            self.env = self.program.impls[index].generics.clone();
            self.check_place(id);
            self.check_params_used(id);
            if self.program.impls[index].of.is_some() {
                self.check_trait_impl(id);
            }
        }
        self.env.clear();
        self.check_overlaps();
        self.check_pending_bounds();
        self.check_pending_dyns();
    }

    /// The type parameters of a thing, as in its functions.
    fn generics_of(&self, owner: BoundsOf) -> Vec<Generic> {
        match owner {
            BoundsOf::Nothing => Vec::new(),
            BoundsOf::Record(id) => self.program.records[id.index()].generics.clone(),
            BoundsOf::Enum(id) => self.program.enums[id.index()].generics.clone(),
            BoundsOf::Impl(id) => self.program.impls[id.index()].generics.clone(),
            BoundsOf::Fn(id) => self.program.functions[id.index()].generics.clone(),
            BoundsOf::Trait(id) => {
                let of = &self.program.traits[id.index()];
                let mut generics = vec![Generic { name: self.words.self_type, bounds: Vec::new() }];
                generics.extend(of.generics.iter().cloned());
                generics
            }
        }
    }

    /// Whether the types in signatures have arguments that implement what is asked of them.
    fn check_pending_bounds(&mut self) {
        for pending in std::mem::take(&mut self.pending_bounds) {
            self.env = self.generics_of(pending.owner);
            for (ty, of, args) in self.wanted_of(pending.ty) {
                let wanted = Wanted { ty, of, args };
                if let Proof::No(found) = self.prove(wanted) {
                    let (text, name) = (self.show(ty), self.show_trait(of, &[]));
                    let within = self.show(pending.ty);
                    let message = format!("`{text}` does not implement `{name}`");
                    let mut error =
                        Diagnostic::error("F0401", pending.span, message).label(format!("`{within}` asks for it"));
                    if let TyKind::Param(index) = self.program.types.kind(found.ty)
                        && let Some(generic) = self.env.get(*index as usize)
                    {
                        error = error.help(format!("ask for it: `{}: {name}`", self.text(generic.name)));
                    }
                    self.report(error);
                }
            }
        }
        self.env.clear();
    }

    /// Whether the traits that `dyn` was written with can be called on values of any type.
    pub(super) fn check_pending_dyns(&mut self) {
        for (id, span) in std::mem::take(&mut self.pending_dyns) {
            let mut culprit = None;
            for (of, _) in self.all_supers(Ty::ERROR, id, Vec::new()) {
                let wrong = (0..self.program.traits[of.index()].methods.len() as u32).find(|&method| {
                    let function = self.program.traits[of.index()].methods[method as usize].function;
                    !self.declared.fns[function.index()].source.has_body() && !self.find_dispatchable(of, method)
                });
                let wrong = wrong.map(|method| &self.program.traits[of.index()].methods[method as usize]);
                culprit = culprit.or(wrong.map(|method| (method.name, method.function)));
            }
            if let Some((name, function)) = culprit {
                let of = self.show_trait(id, &[]);
                let at = self.program.functions[function.index()].span;
                let message = format!("there is no `dyn {of}`");
                let why = format!("`{}` cannot be called without knowing the type", self.text(name));
                let error = Diagnostic::error("F0409", span, message).also(at, why);
                self.report(
                    error.note("such a function has no `self`, type parameters of its own, or `Self` in its signature"),
                );
            }
        }
    }

    fn package_of(&self, module: ModuleId) -> u32 {
        self.scopes[module.index()].package
    }

    /// The package that declares a type; none for tuples and functions.
    fn package_of_type(&self, ty: Ty) -> Option<u32> {
        let module = match self.program.types.kind(ty) {
            TyKind::Record(id, _) => self.program.records[id.index()].module,
            TyKind::Enum(id, _) => self.program.enums[id.index()].module,
            TyKind::Dyn(id, _) => self.program.traits[id.index()].module,
            TyKind::Tuple(_) | TyKind::Fn(..) | TyKind::Param(_) | TyKind::Infer(_) => return None,
            _ => super::scope::PRELUDE,
        };
        Some(self.package_of(module))
    }

    /// Whether an `impl` may stand in its package.
    fn check_place(&mut self, id: ImplId) {
        let found = &self.program.impls[id.index()];
        let (module, self_ty, span) = (found.module, found.self_ty, found.span);
        let of = found.of.as_ref().map(|(of, _)| *of);
        if self_ty == Ty::ERROR {
            return;
        }
        let package = self.package_of(module);
        let standard = self.program.modules[module.index()].standard;
        let own_type = self.package_of_type(self_ty) == Some(package) || standard;
        let shown = self.show(self_ty);
        let is_param = matches!(self.program.types.kind(self_ty), TyKind::Param(_));
        let error = match of {
            None if is_param => Diagnostic::error("F0415", span, "a type parameter has no functions of its own")
                .help("declare a trait, and implement it"),
            None if !own_type => Diagnostic::error("F0415", span, format!("`{shown}` is not of this package"))
                .label("its own functions are declared where it is")
                .help("declare a trait with these functions, and implement it for the type"),
            None => return,
            Some(_) if is_param && !standard => {
                Diagnostic::error("F0407", span, "only the standard library implements traits for all types")
                    .help("implement it for each type that needs it")
            }
            Some(of) => {
                let name = self.show_trait(of, &[]);
                let lang = &self.program.lang;
                let automatic = [lang.eq, lang.hash, lang.copy].contains(&Some(of));
                let own_trait = self.package_of(self.program.traits[of.index()].module) == package;
                if automatic && !standard {
                    Diagnostic::error("F0408", span, format!("`{name}` is not implemented by hand"))
                        .note("every type has it that holds nothing without it")
                } else if !own_type && !own_trait {
                    Diagnostic::error("F0406", span, format!("neither `{name}` nor `{shown}` is of this package"))
                        .note("so that no two packages implement the same trait for the same type")
                        .help("wrap the type in a record of your own")
                } else {
                    return;
                }
            }
        };
        self.report(error);
        self.forget_impl(id);
    }

    /// Leaves an implementation that is wrong out of what types are asked for, so that it is no reason for more errors.
    fn forget_impl(&mut self, id: ImplId) {
        let Some((of, _)) = self.program.impls[id.index()].of else { return };
        let known = match self.head(self.program.impls[id.index()].self_ty) {
            Some(head) => self.index.impls.get_mut(&(of, head)),
            None => self.index.blanket.get_mut(&of),
        };
        if let Some(known) = known {
            known.retain(|&other| other != id);
        }
    }

    /// Whether the type parameters of an `impl` follow from its type.
    fn check_params_used(&mut self, id: ImplId) {
        let count = self.program.impls[id.index()].generics.len();
        let self_ty = self.program.impls[id.index()].self_ty;
        if self_ty == Ty::ERROR {
            return;
        }
        let params: Vec<Ty> = (0..count as u32).map(|i| self.program.types.intern(TyKind::Param(i))).collect();
        let mut known: Vec<bool> = params.iter().map(|&param| self.mentions(self_ty, param)).collect();
        // What a known type implements tells the trait's arguments.
        let mut changed = true;
        while changed {
            changed = false;
            for i in 0..count {
                if !known[i] {
                    continue;
                }
                for bound in 0..self.program.impls[id.index()].generics[i].bounds.len() {
                    for arg in 0..self.program.impls[id.index()].generics[i].bounds[bound].1.len() {
                        let arg = self.program.impls[id.index()].generics[i].bounds[bound].1[arg];
                        for (j, &param) in params.iter().enumerate() {
                            if !known[j] && self.mentions(arg, param) {
                                known[j] = true;
                                changed = true;
                            }
                        }
                    }
                }
            }
        }
        if let Some(missing) = known.iter().position(|known| !known) {
            let name = self.text(self.program.impls[id.index()].generics[missing].name).to_owned();
            let span = match self.declared.impls[id.index()].source {
                ImplSource::Tree(written) => written.generics[missing].name.span,
                ImplSource::Outline(_) => self.program.impls[id.index()].span,
            };
            let message = format!("the type parameter `{name}` does not follow from the type");
            self.report(Diagnostic::error("F0414", span, message));
        }
    }

    fn check_trait_impl(&mut self, id: ImplId) {
        let Some((of, args)) = self.program.impls[id.index()].of.clone() else { return };
        let (self_ty, span) = (self.program.impls[id.index()].self_ty, self.program.impls[id.index()].span);
        if self_ty == Ty::ERROR {
            return;
        }
        let mut all = vec![self_ty];
        all.extend(args.iter().copied());
        for i in 0..self.program.traits[of.index()].supers.len() {
            let (above, above_args) = self.program.traits[of.index()].supers[i].clone();
            let above_args: Vec<Ty> = above_args.iter().map(|&arg| self.program.types.substitute(arg, &all)).collect();
            let wanted = Wanted { ty: self_ty, of: above, args: above_args.clone() };
            if let Proof::No(_) = self.prove(wanted) {
                let (name, above, ty) =
                    (self.show_trait(of, &args), self.show_trait(above, &above_args), self.show(self_ty));
                let message = format!("`{name}` asks for `{above}`, which `{ty}` does not implement");
                self.report(Diagnostic::error("F0412", span, message));
            }
        }
        for i in 0..args.len() {
            for bound in 0..self.program.traits[of.index()].generics[i].bounds.len() {
                let (bound, bound_args) = self.program.traits[of.index()].generics[i].bounds[bound].clone();
                let bound_args = bound_args.iter().map(|&arg| self.program.types.substitute(arg, &all)).collect();
                if let Proof::No(_) = self.prove(Wanted { ty: args[i], of: bound, args: bound_args }) {
                    let (ty, name) = (self.show(args[i]), self.show_trait(bound, &[]));
                    self.report(Diagnostic::error("F0401", span, format!("`{ty}` does not implement `{name}`")));
                }
            }
        }
        self.check_members(id, of, &args);
    }

    /// Whether an implementation has the functions of its trait, and these only; puts them into the trait's order.
    fn check_members(&mut self, id: ImplId, of: TraitId, args: &[Ty]) {
        let written = std::mem::take(&mut self.program.impls[id.index()].methods);
        let count = self.program.traits[of.index()].methods.len();
        let mut ordered: Vec<Option<FnId>> = vec![None; count];
        for function in written.into_iter().flatten() {
            let name = self.program.functions[function.index()].name;
            match self.program.traits[of.index()].methods.iter().position(|method| method.name == name) {
                Some(place) => {
                    ordered[place] = Some(function);
                    let wanted = self.program.traits[of.index()].methods[place].function;
                    self.check_member(id, args, wanted, function);
                }
                None => self.report_extra(of, name, function),
            }
        }
        let mut missing = Vec::new();
        for (place, found) in ordered.iter().enumerate() {
            let method = &self.program.traits[of.index()].methods[place];
            if found.is_none() && !self.declared.fns[method.function.index()].source.has_body() {
                missing.push(method.name);
            }
        }
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|&name| format!("`{}`", self.text(name))).collect();
            let span = self.program.impls[id.index()].span;
            let message = format!("`{}` is not whole: {} missing", self.show_trait(of, args), names.join(", "));
            let first = self.program.traits[of.index()].methods.iter().find(|method| method.name == missing[0]);
            let at = first.map(|method| self.program.functions[method.function.index()].span);
            let error = Diagnostic::error("F0402", span, message);
            self.report(match at {
                Some(at) => error.also(at, "declared here"),
                None => error,
            });
        }
        self.program.impls[id.index()].methods = ordered;
    }

    /// Puts the functions of an implementation that is right into the trait's order.
    pub(super) fn order_members(&mut self, id: ImplId) {
        let Some((of, _)) = self.program.impls[id.index()].of else { return };
        let written = std::mem::take(&mut self.program.impls[id.index()].methods);
        let name = |function: FnId| self.program.functions[function.index()].name;
        let methods = self.program.traits[of.index()].methods.iter();
        let own = |wanted| written.iter().copied().flatten().find(|&function| name(function) == wanted);
        self.program.impls[id.index()].methods = methods.map(|method| own(method.name)).collect();
    }

    fn report_extra(&mut self, of: TraitId, name: Name, function: FnId) {
        let span = self.program.functions[function.index()].span;
        let message = format!("trait `{}` has no function `{}`", self.show_trait(of, &[]), self.text(name));
        let error = Diagnostic::error("F0403", span, message);
        let names = self.program.traits[of.index()].methods.iter().map(|method| method.name);
        let close = super::suggest::closest(self.names, name, names);
        let error = match close {
            Some(close) => {
                let close = self.text(close).to_owned();
                error.repair(format!("there is `{close}`"), span, close)
            }
            None => error.help("functions of the type itself stand in an `impl` without a trait"),
        };
        self.report(error);
    }

    /// Whether a function has the signature that the trait asks for.
    fn check_member(&mut self, id: ImplId, args: &[Ty], wanted: FnId, found: FnId) {
        let around = self.program.impls[id.index()].generics.len();
        let trait_around = args.len() + 1;
        self.sign(wanted);
        let (want, have) = (&self.program.functions[wanted.index()], &self.program.functions[found.index()]);
        let (span, at, name) = (have.span, want.span, have.name);
        let own = want.generics.len() - trait_around;
        let mut wrong = None;
        if have.generics.len() - around != own {
            wrong = Some(format!("it has {} type parameters of its own, not {own}", have.generics.len() - around));
        } else if have.receiver != want.receiver {
            wrong = Some(if want.receiver { "it takes `self`" } else { "it takes no `self`" }.to_owned());
        } else if have.params.len() != want.params.len() {
            let count = |params: usize| params - usize::from(want.receiver);
            wrong = Some(format!(
                "the trait asks for {} parameters, it has {}",
                count(want.params.len()),
                count(have.params.len())
            ));
        }
        if wrong.is_none() {
            let mut all = vec![self.program.impls[id.index()].self_ty];
            all.extend_from_slice(args);
            for i in 0..own {
                all.push(self.program.types.intern(TyKind::Param((around + i) as u32)));
            }
            wrong = self.compare_types(wanted, found, &all).or_else(|| self.compare_bounds(id, wanted, found, &all));
        }
        if let Some(wrong) = wrong {
            let message = format!("`{}` has another signature than its trait asks for", self.text(name));
            self.report(Diagnostic::error("F0404", span, message).label(wrong).also(at, "declared here"));
        }
    }

    fn compare_types(&mut self, wanted: FnId, found: FnId, all: &[Ty]) -> Option<String> {
        let env = std::mem::replace(&mut self.env, self.program.functions[found.index()].generics.clone());
        let mut wrong = None;
        for i in 0..self.program.functions[wanted.index()].params.len() {
            let want = self.program.functions[wanted.index()].params[i].ty;
            let want = self.program.types.substitute(want, all);
            let have = self.program.functions[found.index()].params[i].ty;
            if want != have && !self.program.types.has_error(want) && !self.program.types.has_error(have) {
                let name = self.text(self.program.functions[found.index()].params[i].name);
                wrong = wrong.or(Some(format!("`{name}` is a `{}`, not a `{}`", self.show(want), self.show(have))));
            }
            let (asked, given) =
                (&self.program.functions[wanted.index()].params[i], &self.program.functions[found.index()].params[i]);
            // What a type parameter stands for is changed only if the trait says `var`.
            let of_param = matches!(
                (&given.access, &asked.access),
                (AccessTree::Node { access: Some(Access::Mutable), .. }, AccessTree::Leaf)
            );
            if asks_more(&given.access, &asked.access) || of_param && !asked.mutable {
                let name = self.text(given.name);
                wrong = wrong.or(Some(format!("it may change `{name}`, which the trait does not say")));
            }
        }
        let want = self.program.functions[wanted.index()].result;
        let want = self.program.types.substitute(want, all);
        let have = self.program.functions[found.index()].result;
        if want != have && !self.program.types.has_error(want) && !self.program.types.has_error(have) {
            wrong = wrong.or(Some(format!("it gives `{}`, not `{}`", self.show(want), self.show(have))));
        }
        self.env = env;
        wrong
    }

    /// Whether a function asks more of types than its trait does.
    fn compare_bounds(&mut self, id: ImplId, wanted: FnId, found: FnId, all: &[Ty]) -> Option<String> {
        // What may be relied upon: the bounds of the `impl`, and those of the trait's function.
        let mut given = self.program.functions[found.index()].generics.clone();
        let around = self.program.impls[id.index()].generics.len();
        for (i, generic) in given.iter_mut().enumerate() {
            generic.bounds =
                if i < around { self.program.impls[id.index()].generics[i].bounds.clone() } else { Vec::new() };
        }
        let trait_count = all.len() - (given.len() - around);
        for i in 0..self.program.functions[wanted.index()].generics.len() {
            let place = match self.program.types.kind(all[i]) {
                TyKind::Param(place) => *place as usize,
                _ => continue,
            };
            if i < trait_count && place >= around {
                continue;
            }
            for (of, args) in self.program.functions[wanted.index()].generics[i].bounds.clone() {
                let args = args.iter().map(|&arg| self.program.types.substitute(arg, all)).collect();
                given[place].bounds.push((of, args));
            }
        }
        let env = std::mem::replace(&mut self.env, given);
        let mut wrong = None;
        for i in 0..self.program.functions[found.index()].generics.len() {
            let ty = self.program.types.intern(TyKind::Param(i as u32));
            for (of, args) in self.program.functions[found.index()].generics[i].bounds.clone() {
                if let Proof::No(_) = self.prove(Wanted { ty, of, args }) {
                    wrong = wrong.or(Some(format!("it asks for `{}: {}`", self.show(ty), self.show_trait(of, &[]))));
                }
            }
        }
        self.env = env;
        wrong
    }

    /// Whether two implementations are for the same types.
    fn check_overlaps(&mut self) {
        // Those of the standard library do not overlap one another: a group without others is not made.
        let mut groups: BTreeMap<(TraitId, Option<Head>), Vec<ImplId>> = BTreeMap::new();
        let mut heads: FxHashSet<Head> = FxHashSet::default();
        let ids = || (0..self.program.impls.len() as u32).map(ImplId);
        for id in ids().filter(|id| self.is_eager(self.program.impls[id.index()].module)) {
            match self.impl_head(id) {
                (Some(of), head) => {
                    groups.entry((of, head)).or_default();
                }
                (None, Some(head)) => {
                    heads.insert(head);
                }
                (None, None) => {}
            }
        }
        // Each with the function of this name that is declared first, and in that order.
        let mut inherent: FxHashMap<(Head, Name), (FnId, Vec<ImplId>)> = FxHashMap::default();
        for id in ids() {
            let found = &self.program.impls[id.index()];
            match self.impl_head(id) {
                // It is wrong.
                (_, None) if found.self_ty == Ty::ERROR => {}
                (Some(of), head) => {
                    if let Some(group) = groups.get_mut(&(of, head)) {
                        group.push(id);
                    }
                }
                (None, Some(head)) if heads.contains(&head) => {
                    for function in found.methods.iter().flatten() {
                        let name = self.program.functions[function.index()].name;
                        inherent.entry((head, name)).or_insert((*function, Vec::new())).1.push(id);
                    }
                }
                (None, _) => {}
            }
        }
        for ((of, _), group) in groups {
            self.compare_group(&group, Some(of), None);
        }
        let mut inherent: Vec<_> =
            inherent.into_iter().map(|((_, name), (first, group))| (first, name, group)).collect();
        inherent.sort_unstable();
        for (_, name, group) in inherent {
            self.compare_group(&group, None, Some(name));
        }
    }

    fn compare_group(&mut self, group: &[ImplId], of: Option<TraitId>, name: Option<Name>) {
        if group.len() > MAX_COMPARED {
            self.sign_impl(group[0]);
            let span = self.program.impls[group[0].index()].span;
            let error = Diagnostic::error("F0732", span, "too many implementations for one sort of type");
            self.report(error.note(format!("there are at most {MAX_COMPARED}")));
            self.stopped = true;
            return;
        }
        // Two that differ in what they ask for may still be for the same types: bounds are not looked at.
        let by_args = of.is_some() && of == self.program.lang.from;
        for (i, &second) in group.iter().enumerate() {
            for &first in &group[..i] {
                if first != second && self.overlap(first, second, by_args) {
                    self.report_overlap(first, second, of, name);
                    break;
                }
            }
        }
    }

    fn overlap(&mut self, first: ImplId, second: ImplId, by_args: bool) -> bool {
        self.sign_impl(first);
        self.sign_impl(second);
        let before = self.snapshot();
        let mut instance = |id: ImplId| {
            let holes = self.fresh_list(self.program.impls[id.index()].generics.len(), Span::default());
            let self_ty = self.program.impls[id.index()].self_ty;
            let self_ty = self.program.types.substitute(self_ty, &holes);
            let args = self.program.impls[id.index()].of.as_ref().map_or(Vec::new(), |(_, args)| args.clone());
            let args: Vec<Ty> = args.iter().map(|&arg| self.program.types.substitute(arg, &holes)).collect();
            (self_ty, args)
        };
        let ((a, a_args), (b, b_args)) = (instance(first), instance(second));
        let mut same = self.unify(a, b);
        if same && by_args {
            same = a_args.iter().zip(&b_args).all(|(&a, &b)| self.unify(a, b));
        }
        self.rollback(before);
        same
    }

    fn report_overlap(&mut self, first: ImplId, second: ImplId, of: Option<TraitId>, name: Option<Name>) {
        let (at, span) = (self.program.impls[first.index()].span, self.program.impls[second.index()].span);
        self.env = self.program.impls[second.index()].generics.clone();
        let ty = self.show(self.program.impls[second.index()].self_ty);
        self.env.clear();
        let error = match (of, name) {
            (Some(of), _) => {
                let message = format!("`{}` is implemented for `{ty}` twice", self.show_trait(of, &[]));
                Diagnostic::error("F0405", span, message)
            }
            (None, Some(name)) => {
                let message = format!("`{ty}` has two functions `{}`", self.text(name));
                Diagnostic::error("F0416", span, message)
            }
            (None, None) => return,
        };
        self.report(error.also(at, "first here"));
        self.forget_impl(second);
    }
}

/// Whether something may be changed through a value of one position that may not through one of the other.
fn asks_more(given: &AccessTree, asked: &AccessTree) -> bool {
    match (given, asked) {
        (
            AccessTree::Node { access: Some(Access::Mutable), .. },
            AccessTree::Node { access: Some(Access::Read), .. },
        ) => true,
        (AccessTree::Node { parts: given, .. }, AccessTree::Node { parts: asked, .. }) => {
            given.iter().zip(asked).any(|(given, asked)| asks_more(given, asked))
        }
        _ => false,
    }
}
