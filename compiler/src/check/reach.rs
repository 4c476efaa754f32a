//! What of the standard library is looked at: what something reaches that is compiled.
//!
//! A function of a trait, called for a known type, reaches that of the type's implementation. Called for a type parameter,
//! or for a type that implements the trait by its structure, it reaches those of all implementations.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Checker;
use super::traits::{Source, Step};
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

    fn reach_call(&mut self, of: TraitId, method: u32, ty: Ty) {
        if self.reach.traits.contains(&(of, method)) || ty == Ty::ERROR || !self.reach.typed.insert((of, method, ty)) {
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
        if self.program.types.has_param(ty) && matches!(self.program.types.kind(ty), TyKind::Param(_)) {
            return self.reach_all(of, method);
        }
        let args = self.fresh_list(self.program.traits[of.index()].generics.len(), crate::source::Span::default());
        match self.find(ty, of, &args) {
            Step::Yes(solution, _) => match solution.source {
                Source::Impl(id) => self.reach_method(id, of, method),
                Source::Structure => {
                    self.reach_structure(ty, of, method);
                }
                Source::Given => {
                    self.reach_default(of, method);
                    self.reach_all(of, method);
                }
                Source::Anything => {}
            },
            Step::No | Step::Unknown => self.reach_all(of, method),
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
            self.find_dispatchable(of);
            for method in 0..self.program.traits[of.index()].methods.len() {
                if self.program.traits[of.index()].methods[method].dispatchable {
                    self.reach_trait(of, method as u32, ty);
                }
            }
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
