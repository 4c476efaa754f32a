//! What of the standard library is looked at: what something reaches that is compiled.
//!
//! A function of a trait, called for a known type, reaches that of the type's implementation, or those for its parts, if it implements the trait
//! by its structure. Called for a type parameter, it reaches those for all types that stand for a parameter with that bound somewhere: where a
//! function is called, its type arguments do. Called for a `dyn`, it reaches those for all types that become one somewhere.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Checker;
use super::traits::{Source, Step, Wanted};
use crate::typed::{BinaryOp, ConstId, FnId, FunctionKind, ImplId, TraitId, Ty, TyKind};

/// What was reached, and what of it is still to be checked.
#[derive(Debug, Default)]
pub(super) struct Reach {
    functions: FxHashSet<FnId>,
    constants: FxHashSet<ConstId>,
    /// Functions of traits for all types, by their places.
    traits: FxHashSet<(TraitId, u32)>,
    /// The same for one type.
    typed: FxHashSet<(TraitId, u32, Ty)>,
    /// Functions of each trait that are called for type parameters.
    generic: FxHashMap<TraitId, Vec<u32>>,
    /// Types that stand for type parameters with each trait as a bound, or as whose functions those of the trait are called.
    arguments: FxHashMap<TraitId, Vec<Ty>>,
    /// The same, to find one.
    known_arguments: FxHashSet<(TraitId, Ty)>,
    /// Types that become a `dyn` of each trait, or of one that extends it.
    dyns: FxHashMap<TraitId, Vec<Ty>>,
    /// The same, to find one.
    known_dyns: FxHashSet<(TraitId, Ty)>,
    /// Whether calls are made that no body tells of, for any types.
    any_argument: bool,
    queue: VecDeque<Item>,
    /// Functions of traits with types that are still to be looked at.
    calls: Vec<(TraitId, u32, Ty)>,
    /// Whether that is under way.
    busy: bool,
    /// Implementations of each trait.
    pub impls: FxHashMap<TraitId, Vec<ImplId>>,
}

#[derive(Clone, Copy, Debug)]
enum Item {
    Function(FnId),
    Constant(ConstId),
}

impl Checker<'_> {
    /// A function is called or taken as a value.
    pub(super) fn reach_fn(&mut self, id: FnId) {
        self.sign(id);
        let function = &self.program.functions[id.index()];
        let waits = matches!(function.kind, FunctionKind::Unreached | FunctionKind::Host(None));
        if waits && self.program.modules[function.module.index()].standard && self.reach.functions.insert(id) {
            self.reach.queue.push_back(Item::Function(id));
        }
    }

    pub(super) fn reach_const(&mut self, id: ConstId) {
        let module = self.program.constants[id.index()].module;
        if self.program.modules[module.index()].standard && self.reach.constants.insert(id) {
            self.reach.queue.push_back(Item::Constant(id));
        }
    }

    /// A function of a trait is called for a type.
    pub(super) fn reach_trait(&mut self, of: TraitId, method: u32, ty: Ty) {
        self.reach.calls.push((of, method, ty));
        if std::mem::replace(&mut self.reach.busy, true) {
            return;
        }
        while let Some((of, method, ty)) = self.reach.calls.pop() {
            self.reach_call(of, method, ty);
        }
        self.reach.busy = false;
    }

    /// A function is called with these type arguments.
    pub(super) fn reach_arguments(&mut self, id: FnId, args: &[Ty]) {
        for (index, &arg) in args.iter().enumerate() {
            let count =
                self.program.functions[id.index()].generics.get(index).map_or(0, |generic| generic.bounds.len());
            for bound in 0..count {
                let of = self.program.functions[id.index()].generics[index].bounds[bound].0;
                self.reach_argument(of, arg);
            }
        }
    }

    /// A type stands for a type parameter with this bound.
    fn reach_argument(&mut self, of: TraitId, ty: Ty) {
        // For a parameter stands what stands for it.
        let is_known = !matches!(self.program.types.kind(ty), TyKind::Param(_) | TyKind::Error | TyKind::Never);
        if !is_known || !self.reach.known_arguments.insert((of, ty)) {
            return;
        }
        self.reach.arguments.entry(of).or_default().push(ty);
        // It may be asked whether an error is of this type, which its place in the table tells.
        if Some(of) == self.program.lang.error {
            self.reach_dyn(of, ty);
        }
        for index in 0..self.reach.generic.get(&of).map_or(0, Vec::len) {
            let method = self.reach.generic[&of][index];
            self.reach_trait(of, method, ty);
        }
        for index in 0..self.program.traits[of.index()].supers.len() {
            let above = self.program.traits[of.index()].supers[index].0;
            self.reach_argument(above, ty);
        }
    }

    /// What a type gives to a trait that it implements stands for the trait's type parameters.
    fn reach_trait_arguments(&mut self, of: TraitId, args: &[Ty]) {
        for (index, &arg) in args.iter().enumerate() {
            let arg = self.resolve(arg);
            let count = self.program.traits[of.index()].generics.get(index).map_or(0, |generic| generic.bounds.len());
            for bound in 0..count {
                let of = self.program.traits[of.index()].generics[index].bounds[bound].0;
                self.reach_argument(of, arg);
            }
        }
    }

    fn reach_call(&mut self, of: TraitId, method: u32, ty: Ty) {
        if ty == Ty::ERROR || !self.reach.typed.insert((of, method, ty)) {
            return;
        }
        if let Some(found) = self.program.traits[of.index()].methods.get(method as usize) {
            self.sign(found.function);
        }
        if Some(of) == self.program.lang.show {
            let lang = self.program.lang;
            for id in [lang.text_new, lang.text_push, lang.text_finish].into_iter().flatten() {
                self.reach_fn(id);
            }
        }
        if matches!(self.program.types.kind(ty), TyKind::Param(_)) {
            return self.reach_generic(of, method);
        }
        self.reach_argument(of, ty);
        let args = self.fresh_list(self.program.traits[of.index()].generics.len(), crate::source::Span::default());
        match self.find(ty, of, &args) {
            Step::Yes(solution, nested) => {
                for Wanted { ty, of, .. } in nested {
                    let ty = self.resolve(ty);
                    self.reach_argument(of, ty);
                }
                self.reach_trait_arguments(of, &solution.args);
                match solution.source {
                    Source::Impl(id) => self.reach_method(id, of, method),
                    Source::Structure => self.reach_structure(ty, of, method),
                    Source::Given => {
                        self.reach_default(of, method);
                        self.reach_dynamic(of, method);
                    }
                    Source::Anything => {}
                }
            }
            // Of conversions a type may have several, none of which calls other functions of the trait.
            Step::No | Step::Unknown if Some(of) == self.program.lang.from => self.reach_all(of, method),
            Step::No | Step::Unknown => {
                self.reach_any_argument();
                self.reach_all(of, method);
            }
        }
    }

    /// A function of a trait is called for a type parameter.
    fn reach_generic(&mut self, of: TraitId, method: u32) {
        if self.reach.any_argument {
            return self.reach_all(of, method);
        }
        let methods = self.reach.generic.entry(of).or_default();
        if methods.contains(&method) {
            return;
        }
        methods.push(method);
        for index in 0..self.reach.arguments.get(&of).map_or(0, Vec::len) {
            let ty = self.reach.arguments[&of][index];
            self.reach_trait(of, method, ty);
        }
    }

    /// From here on, whatever implements a trait may stand for a type parameter.
    pub(super) fn reach_any_argument(&mut self) {
        self.reach.any_argument = true;
        let generic =
            self.reach.generic.iter().flat_map(|(&of, methods)| methods.iter().map(move |&method| (of, method)));
        let mut generic: Vec<(TraitId, u32)> = generic.collect();
        generic.sort_unstable();
        for (of, method) in generic {
            self.reach_all(of, method);
        }
    }

    fn reach_structure(&mut self, ty: Ty, of: TraitId, method: u32) {
        let lang = self.program.lang;
        if ty == Ty::STRING {
            for id in [lang.string_eq, lang.string_cmp].into_iter().flatten() {
                self.reach_fn(id);
            }
        }
        // Where the compiler makes no function of its own.
        self.reach_default(of, method);
        // What is written of a structure are the parts as `debug` does.
        let count = self.program.traits[of.index()].methods.len() as u32;
        let methods = if Some(of) == lang.show { 0..count } else { method..method + 1 };
        let parts = self.components(ty);
        if self.program.types.take_exceeded() {
            return;
        }
        for part in parts {
            for method in methods.clone() {
                self.reach_trait(of, method, part);
            }
        }
    }

    /// The function of an implementation, or the trait's own.
    fn reach_method(&mut self, id: ImplId, of: TraitId, method: u32) {
        self.sign_impl(id);
        match self.program.impls[id.index()].methods.get(method as usize).copied().flatten() {
            Some(function) => self.reach_fn(function),
            None => self.reach_default(of, method),
        }
    }

    fn reach_default(&mut self, of: TraitId, method: u32) {
        if let Some(found) = self.program.traits[of.index()].methods.get(method as usize) {
            self.reach_fn(found.function);
        }
    }

    fn reach_all(&mut self, of: TraitId, method: u32) {
        if !self.reach.traits.insert((of, method)) {
            return;
        }
        self.reach_default(of, method);
        self.reach_dynamic(of, method);
        for id in self.reach.impls.get(&of).cloned().unwrap_or_default() {
            self.reach_method(id, of, method);
        }
        if Some(of) == self.program.lang.eq || Some(of) == self.program.lang.ord {
            self.reach_structure(Ty::STRING, of, method);
        }
    }

    /// A value of a type becomes a `dyn` of a trait.
    pub(super) fn reach_dyn(&mut self, of: TraitId, ty: Ty) {
        if ty == Ty::NEVER || ty == Ty::ERROR {
            return;
        }
        let args = self.program.traits[of.index()].generics.len();
        let args = self.fresh_list(args, crate::source::Span::default());
        for (of, _) in self.all_supers(ty, of, args) {
            if !self.reach.known_dyns.insert((of, ty)) {
                continue;
            }
            self.reach.dyns.entry(of).or_default().push(ty);
            for method in 0..self.program.traits[of.index()].methods.len() as u32 {
                let is_called = self.program.traits[of.index()].methods[method as usize].dynamic;
                if is_called && self.find_dispatchable(of, method) {
                    self.reach_trait(of, method, ty);
                }
            }
        }
    }

    /// A function of a trait is called on a `dyn`.
    pub(super) fn reach_dynamic(&mut self, of: TraitId, method: u32) {
        let is_known = std::mem::replace(&mut self.program.traits[of.index()].methods[method as usize].dynamic, true);
        if is_known || !self.find_dispatchable(of, method) {
            return;
        }
        for index in 0..self.reach.dyns.get(&of).map_or(0, Vec::len) {
            let ty = self.reach.dyns[&of][index];
            self.reach_trait(of, method, ty);
        }
    }

    /// An operator of two texts.
    pub(super) fn reach_string_operator(&mut self, op: BinaryOp) {
        let lang = self.program.lang;
        let function = match op {
            BinaryOp::Add => lang.string_concat,
            BinaryOp::Eq | BinaryOp::Ne => lang.string_eq,
            _ => lang.string_cmp,
        };
        if let Some(id) = function {
            self.reach_fn(id);
        }
    }

    /// Checks what was reached, and what that reaches.
    pub(super) fn check_reached(&mut self) {
        while let Some(item) = self.reach.queue.pop_front() {
            match item {
                Item::Function(id) => self.infer_function(id),
                Item::Constant(id) => self.infer_constant(id),
            }
        }
    }
}
