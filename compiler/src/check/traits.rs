//! Which types implement which traits.
//!
//! A type implements a trait by a bound of the function that is checked, by being its `dyn`, by an `impl`, or, for those
//! traits that are automatic, by its structure: if all that it holds implements the trait. One step of that is
//! [`Checker::find`], which may leave other things to be shown; [`Checker::prove`] shows all of them. Structure may be
//! recursive: what is already being shown, is taken as shown.
//!
//! The arguments of a trait follow from the type, but those of `From`: an error may be made of several others.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Checker;
use crate::names::Name;
use crate::source::Span;
use crate::typed::{EnumId, FnId, ImplId, RecordId, TraitId, Ty, TyKind};

/// How many steps it may take to show that a type implements a trait.
const MAX_STEPS: usize = 20_000;

/// How many steps all of that may take in a program.
pub(super) const MAX_ALL_STEPS: u64 = 20_000_000;

/// What a type is, without its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Head {
    Int,
    Float,
    Bool,
    Char,
    String,
    Buffer,
    Extern,
    Never,
    Array,
    Tuple(u32),
    Fn(u32),
    Record(RecordId),
    Enum(EnumId),
    Dyn(TraitId),
}

/// Implementations and methods by what they are looked up with.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub impls: FxHashMap<(TraitId, Head), Vec<ImplId>>,
    /// Those for all types that fulfil bounds.
    pub blanket: FxHashMap<TraitId, Vec<ImplId>>,
    /// Those of no trait.
    own: FxHashMap<Head, Vec<ImplId>>,
    /// The functions of those, of types that somebody looked a function of up.
    inherent: FxHashMap<Head, FxHashMap<Name, Vec<FnId>>>,
    pub trait_methods: FxHashMap<Name, Vec<(TraitId, u32)>>,
}

/// Why a type implements a trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Impl(ImplId),
    /// A bound, or its being `dyn` of the trait.
    Given,
    Structure,
    /// It is wrong, or has no values.
    Anything,
}

/// That a type implements a trait.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    /// The trait's arguments.
    pub args: Vec<Ty>,
    pub source: Source,
}

/// That a type has to implement a trait.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub ty: Ty,
    pub of: TraitId,
    pub args: Vec<Ty>,
}

/// One step towards showing it.
pub(super) enum Step {
    /// It does if all of these do.
    Yes(Solution, Vec<Wanted>),
    No,
    /// Too little is known of the type.
    Unknown,
}

/// What came of all steps.
pub(super) enum Proof {
    Yes,
    /// Because of this.
    No(Wanted),
    Unknown,
    /// It takes more than [`MAX_STEPS`].
    TooLong,
}

impl<'a> Checker<'a> {
    /// What a type is; nothing for what is not known, for type parameters and what is wrong.
    pub(super) fn head(&self, ty: Ty) -> Option<Head> {
        Some(match self.kind(ty) {
            TyKind::Int => Head::Int,
            TyKind::Float => Head::Float,
            TyKind::Bool => Head::Bool,
            TyKind::Char => Head::Char,
            TyKind::String => Head::String,
            TyKind::Buffer => Head::Buffer,
            TyKind::Extern => Head::Extern,
            TyKind::Never => Head::Never,
            TyKind::Array(_) => Head::Array,
            TyKind::Tuple(parts) => Head::Tuple(parts.len() as u32),
            TyKind::Fn(params, _) => Head::Fn(params.len() as u32),
            TyKind::Record(id, _) => Head::Record(*id),
            TyKind::Enum(id, _) => Head::Enum(*id),
            TyKind::Dyn(id, _) => Head::Dyn(*id),
            TyKind::Param(_) | TyKind::Infer(_) | TyKind::Error => return None,
        })
    }

    /// Makes it possible to look implementations and methods up.
    pub(super) fn index_impls(&mut self) {
        for index in 0..self.program.impls.len() {
            let (id, self_ty) = (ImplId(index as u32), self.program.impls[index].self_ty);
            let (of, head) = self.impl_head(id);
            if let Some(of) = of {
                self.reach.impls.entry(of).or_default().push(id);
            }
            match (of, head) {
                (Some(of), Some(head)) => self.index.impls.entry((of, head)).or_default().push(id),
                (Some(of), None) if self_ty != Ty::ERROR => self.index.blanket.entry(of).or_default().push(id),
                (None, Some(head)) => self.index.own.entry(head).or_default().push(id),
                _ => {}
            }
        }
        for (index, of) in self.program.traits.iter().enumerate() {
            for (method, found) in of.methods.iter().enumerate() {
                let entry = (TraitId(index as u32), method as u32);
                self.index.trait_methods.entry(found.name).or_default().push(entry);
            }
        }
    }

    /// A type's own functions, in the order of their declarations.
    pub(super) fn own_functions(&self, head: Head) -> impl Iterator<Item = FnId> {
        let impls = self.index.own.get(&head).into_iter().flatten();
        impls.flat_map(|id| self.program.impls[id.index()].methods.iter().copied().flatten())
    }

    /// The first of a type's own functions of this name.
    pub(super) fn own_function(&self, head: Head, name: Name) -> Option<FnId> {
        self.own_functions(head).find(|id| self.program.functions[id.index()].name == name)
    }

    /// All of a type's own functions of this name.
    pub(super) fn inherent(&mut self, head: Head, name: Name) -> &[FnId] {
        if !self.index.inherent.contains_key(&head) {
            let mut by_name: FxHashMap<Name, Vec<FnId>> = FxHashMap::default();
            for id in self.own_functions(head) {
                by_name.entry(self.program.functions[id.index()].name).or_default().push(id);
            }
            self.index.inherent.insert(head, by_name);
        }
        self.index.inherent.get(&head).and_then(|functions| functions.get(&name)).map_or(&[], Vec::as_slice)
    }

    /// Finds the functions of the prelude that the compiler knows by name.
    pub(super) fn find_lang_functions(&mut self) {
        let lang = self.program.lang;
        let record = |id: Option<RecordId>| id.map(Head::Record);
        let method =
            |checker: &Self, head: Option<Head>, name: &str| checker.own_function(head?, checker.names.find(name)?);
        let function = |checker: &Self, name: &str| {
            let name = checker.names.find(name)?;
            match checker.scopes[super::scope::PRELUDE.index()].entries.get(&name)?.def {
                super::scope::Def::Fn(id) => Some(id),
                _ => None,
            }
        };
        let (list, map) = (record(lang.list), record(lang.map));
        let (bytes, text) = (record(lang.bytes), record(lang.text));
        let mut lang = lang;
        lang.list_from_array = method(self, list, "from_array");
        lang.list_repeat = method(self, list, "repeat");
        lang.map_new = method(self, map, "new");
        lang.map_insert = method(self, map, "insert");
        lang.bytes_from_buffer = method(self, bytes, "from_buffer");
        lang.text_new = method(self, text, "new");
        lang.text_push = method(self, text, "push");
        lang.text_finish = method(self, text, "finish");
        lang.text_push_int = method(self, text, "push_int");
        lang.text_push_float = method(self, text, "push_float");
        lang.text_push_padded = method(self, text, "push_padded");
        lang.string_concat = function(self, "string_concat");
        lang.string_eq = function(self, "string_eq");
        lang.string_cmp = function(self, "string_cmp");
        lang.panic = function(self, "panic");
        lang.fail = function(self, "fail");
        self.program.lang = lang;
    }

    /// Whether types implement a trait by their structure.
    pub(super) fn is_automatic(&self, of: TraitId) -> bool {
        let lang = &self.program.lang;
        [lang.eq, lang.ord, lang.hash, lang.show, lang.copy].contains(&Some(of))
    }

    /// One step towards showing that a type implements a trait; `args` is what is known of its arguments.
    pub(super) fn find(&mut self, ty: Ty, of: TraitId, args: &[Ty]) -> Step {
        let ty = self.shallow(ty);
        match self.program.types.kind(ty) {
            TyKind::Error | TyKind::Never => {
                return Step::Yes(Solution { args: args.to_vec(), source: Source::Anything }, Vec::new());
            }
            TyKind::Infer(_) => return Step::Unknown,
            TyKind::Param(index) => {
                let index = *index;
                if let Some(args) = self.bound_args(index, of) {
                    return Step::Yes(Solution { args, source: Source::Given }, Vec::new());
                }
            }
            TyKind::Dyn(id, dyn_args) => {
                let (id, dyn_args) = (*id, dyn_args.to_vec());
                if let Some(args) = self.super_args(ty, id, dyn_args, of) {
                    return Step::Yes(Solution { args, source: Source::Given }, Vec::new());
                }
            }
            _ => {}
        }
        if let Some(head) = self.head(ty)
            && let Some(candidates) = self.index.impls.get(&(of, head)).cloned()
        {
            match self.choose(&candidates, ty, of, args, false) {
                Step::No => {}
                step => return step,
            }
        }
        if let Some(candidates) = self.index.blanket.get(&of).cloned() {
            match self.choose(&candidates, ty, of, args, true) {
                Step::No => {}
                step => return step,
            }
        }
        if self.is_derived(ty, of) {
            self.want_derived(ty, of);
            return self.structure(ty, of);
        }
        if self.is_automatic(of) { self.structure(ty, of) } else { Step::No }
    }

    /// The arguments with which a type parameter implements a trait by its bounds.
    fn bound_args(&mut self, index: u32, of: TraitId) -> Option<Vec<Ty>> {
        let ty = self.program.types.intern(TyKind::Param(index));
        let count = self.env.get(index as usize).map_or(0, |generic| generic.bounds.len());
        (0..count).find_map(|i| {
            let (id, args) = self.env[index as usize].bounds[i].clone();
            self.super_args(ty, id, args, of)
        })
    }

    /// The arguments of a trait that is another one or is asked for by it.
    pub(super) fn super_args(&mut self, self_ty: Ty, id: TraitId, args: Vec<Ty>, of: TraitId) -> Option<Vec<Ty>> {
        if id == of {
            return Some(args);
        }
        self.all_supers(self_ty, id, args).into_iter().find(|(found, _)| *found == of).map(|(_, args)| args)
    }

    /// All traits that a trait asks for, it first, with arguments; nearer ones before.
    pub(super) fn all_supers(&mut self, self_ty: Ty, id: TraitId, args: Vec<Ty>) -> Vec<(TraitId, Vec<Ty>)> {
        let mut found = vec![(id, args)];
        let mut next = 0;
        while next < found.len() {
            let (id, args) = found[next].clone();
            next += 1;
            if self.program.traits[id.index()].supers.is_empty() {
                continue;
            }
            let mut all = vec![self_ty];
            all.extend(args);
            for i in 0..self.program.traits[id.index()].supers.len() {
                let (above, args) = self.program.traits[id.index()].supers[i].clone();
                if !found.iter().any(|(other, _)| *other == above) {
                    let args = args.iter().map(|&arg| self.program.types.substitute(arg, &all)).collect();
                    found.push((above, args));
                }
            }
        }
        found
    }

    /// The one implementation of several that fits a type.
    fn choose(&mut self, candidates: &[ImplId], ty: Ty, of: TraitId, args: &[Ty], proved: bool) -> Step {
        let by_args = self.program.lang.from == Some(of);
        let mut chosen = None;
        let mut unknown = false;
        for &candidate in candidates {
            let before = self.snapshot();
            let fits = match self.fit(candidate, ty, args, by_args) {
                None => false,
                Some((_, nested)) if proved => match self.prove_all(nested) {
                    Proof::Yes => true,
                    Proof::No(_) | Proof::TooLong => false,
                    Proof::Unknown => {
                        unknown = true;
                        false
                    }
                },
                Some(_) => true,
            };
            self.rollback(before);
            if fits && chosen.replace(candidate).is_some() {
                return Step::Unknown;
            }
        }
        match chosen.and_then(|chosen| Some((chosen, self.fit(chosen, ty, args, by_args)?))) {
            Some((chosen, (args, nested))) => Step::Yes(Solution { args, source: Source::Impl(chosen) }, nested),
            None if unknown => Step::Unknown,
            None => Step::No,
        }
    }

    /// Makes an implementation's type the same as a type: the trait's arguments then, and what its bounds ask for.
    fn fit(&mut self, id: ImplId, ty: Ty, args: &[Ty], by_args: bool) -> Option<(Vec<Ty>, Vec<Wanted>)> {
        self.sign_impl(id);
        let found = &self.program.impls[id.index()];
        let (count, self_ty) = (found.generics.len(), found.self_ty);
        let holes = self.fresh_list(count, Span::default());
        let self_ty = self.program.types.substitute(self_ty, &holes);
        if !self.unify(self_ty, ty) {
            return None;
        }
        let of_args = self.program.impls[id.index()].of.as_ref().map_or(Vec::new(), |(_, args)| args.clone());
        let of_args: Vec<Ty> = of_args.iter().map(|&arg| self.program.types.substitute(arg, &holes)).collect();
        if by_args && !of_args.iter().zip(args).all(|(&a, &b)| self.unify(a, b)) {
            return None;
        }
        let mut nested = Vec::new();
        for (i, &hole) in holes.iter().enumerate() {
            for bound in 0..self.program.impls[id.index()].generics[i].bounds.len() {
                let (of, args) = self.program.impls[id.index()].generics[i].bounds[bound].clone();
                let args = args.iter().map(|&arg| self.program.types.substitute(arg, &holes)).collect();
                nested.push(Wanted { ty: hole, of, args });
            }
        }
        Some((of_args, nested))
    }

    /// Whether a type implements an automatic trait by its structure.
    fn structure(&mut self, ty: Ty, of: TraitId) -> Step {
        let yes = |nested| Step::Yes(Solution { args: Vec::new(), source: Source::Structure }, nested);
        match self.program.types.kind(ty) {
            TyKind::Int | TyKind::Bool | TyKind::Char | TyKind::String => return yes(Vec::new()),
            TyKind::Float if self.program.lang.hash != Some(of) => return yes(Vec::new()),
            TyKind::Tuple(_) | TyKind::Record(..) | TyKind::Enum(..) => {}
            _ => return Step::No,
        }
        let ty = self.resolve(ty);
        if self.program.types.has_infer(ty) {
            return Step::Unknown;
        }
        let parts = self.components(ty);
        yes(parts.into_iter().map(|ty| Wanted { ty, of, args: Vec::new() }).collect())
    }

    /// The types of all that a value of a type holds.
    pub(super) fn components(&mut self, ty: Ty) -> Vec<Ty> {
        let (fields, args): (Vec<Ty>, Box<[Ty]>) = match self.program.types.kind(ty) {
            TyKind::Tuple(parts) => return parts.to_vec(),
            TyKind::Record(id, args) => {
                (self.program.records[id.index()].fields.iter().map(|field| field.ty).collect(), args.clone())
            }
            TyKind::Enum(id, args) => {
                let variants = &self.program.enums[id.index()].variants;
                (variants.iter().flat_map(|variant| &variant.fields).map(|field| field.ty).collect(), args.clone())
            }
            _ => return Vec::new(),
        };
        fields.into_iter().map(|field| self.program.types.substitute(field, &args)).collect()
    }

    /// Whether a type implements a trait, and all that this takes.
    pub(super) fn prove(&mut self, wanted: Wanted) -> Proof {
        let types = &self.program.types;
        let closed = !types.has_infer(wanted.ty) && !types.has_param(wanted.ty) && wanted.args.is_empty();
        let key = (wanted.of, wanted.ty);
        if closed && let Some(known) = self.cache.get(&key) {
            return if *known { Proof::Yes } else { Proof::No(wanted) };
        }
        let proof = self.prove_all(vec![wanted]);
        if closed {
            match &proof {
                Proof::Yes => {
                    self.cache.insert(key, true);
                }
                // The reason is lost if the answer is remembered, so only the type itself is.
                Proof::No(found) if found.ty == key.1 && found.of == key.0 => {
                    self.cache.insert(key, false);
                }
                _ => {}
            }
        }
        proof
    }

    /// The same for several at once.
    pub(super) fn prove_all(&mut self, wanted: Vec<Wanted>) -> Proof {
        let mut seen = FxHashSet::default();
        let mut rest = wanted;
        let mut unknown: Vec<Wanted> = Vec::new();
        let mut steps = 0;
        loop {
            while let Some(mut wanted) = rest.pop() {
                steps += 1;
                self.steps = self.steps.saturating_sub(1);
                if steps > MAX_STEPS || self.steps == 0 {
                    return Proof::TooLong;
                }
                wanted.ty = self.resolve(wanted.ty);
                let open = self.program.types.has_infer(wanted.ty) || !wanted.args.is_empty();
                if !open && !seen.insert((wanted.ty, wanted.of)) {
                    continue;
                }
                let step = self.find(wanted.ty, wanted.of, &wanted.args);
                if self.program.types.take_exceeded() {
                    // Types grow from step to step.
                    return Proof::TooLong;
                }
                match step {
                    Step::Yes(solution, nested) => {
                        let same = solution.args.iter().zip(&wanted.args).all(|(&a, &b)| self.unify(a, b));
                        if !same {
                            return Proof::No(wanted);
                        }
                        rest.extend(nested);
                    }
                    Step::No => return Proof::No(wanted),
                    Step::Unknown => unknown.push(wanted),
                }
            }
            if unknown.is_empty() {
                return Proof::Yes;
            }
            // What was found out meanwhile may tell more of what was not known.
            let mut known_more = false;
            for wanted in &unknown {
                known_more |= self.resolve(wanted.ty) != wanted.ty;
            }
            if !known_more {
                return Proof::Unknown;
            }
            rest = std::mem::take(&mut unknown);
        }
    }

    /// Whether a type surely implements a trait; nothing is found out by it.
    pub(super) fn implements(&mut self, ty: Ty, of: TraitId) -> bool {
        let ty = self.resolve(ty);
        let before = self.snapshot();
        let args = self.fresh_list(self.program.traits[of.index()].generics.len(), Span::default());
        let proof = self.prove(Wanted { ty, of, args });
        self.rollback(before);
        matches!(proof, Proof::Yes)
    }

    /// Whether a type could implement a trait, if bounds are not looked at; nothing is found out by it.
    pub(super) fn may_implement(&mut self, ty: Ty, of: TraitId) -> bool {
        let before = self.snapshot();
        let args = self.fresh_list(self.program.traits[of.index()].generics.len(), Span::default());
        let step = self.find(ty, of, &args);
        self.rollback(before);
        !matches!(step, Step::No)
    }
}
