//! Which implementation of a trait a type has.

use rustc_hash::FxHashMap;

use super::machine::{Machine, Target};
use super::structure::Structural;
use crate::typed::{ImplId, Program, TraitId, Ty, TyKind};

/// An implementation, and arguments for its type parameters.
type Found = (ImplId, Vec<Ty>);

/// Implementations by trait, and what was found.
pub(super) struct Impls {
    by_trait: FxHashMap<TraitId, Vec<ImplId>>,
    found: FxHashMap<(TraitId, Ty), Option<Found>>,
}

impl Impls {
    pub(super) fn new(program: &Program) -> Self {
        let mut by_trait: FxHashMap<TraitId, Vec<ImplId>> = FxHashMap::default();
        for (index, implementation) in program.impls.iter().enumerate() {
            if let Some((of, _)) = &implementation.of {
                by_trait.entry(*of).or_default().push(ImplId(index as u32));
            }
        }
        Self { by_trait, found: FxHashMap::default() }
    }
}

impl<'p> Machine<'p> {
    /// What a function of a trait is for a type.
    pub(super) fn resolve(&mut self, of: TraitId, method: u32, ty: Ty, method_args: Vec<Ty>) -> Target<'p> {
        let program = self.program;
        if let Some((id, impl_args)) = self.implementation(of, ty) {
            let implementation = &program.impls[id.index()];
            if let Some(function) = implementation.methods[method as usize] {
                let args = [impl_args, method_args].concat();
                return Target::Function(function, self.env(args));
            }
            return self.provided(of, method, ty, method_args);
        }
        if let TyKind::Dyn(..) = self.types.kind(ty) {
            return Target::Dyn(of, method);
        }
        match Structural::of(&program.lang, of) {
            Some(what) => Target::Structural(what, ty),
            // Texts in quotes where the type's own text has none: the trait's own.
            None => self.provided(of, method, ty, method_args),
        }
    }

    /// The trait's own function, for a type.
    fn provided(&mut self, of: TraitId, method: u32, ty: Ty, method_args: Vec<Ty>) -> Target<'p> {
        let trait_args = self.trait_args(of, ty).unwrap_or_default();
        let function = self.program.traits[of.index()].methods[method as usize].function;
        let args = [vec![ty], trait_args, method_args].concat();
        Target::Function(function, self.env(args))
    }

    /// The trait's arguments that a type implements it with.
    fn trait_args(&mut self, of: TraitId, ty: Ty) -> Option<Vec<Ty>> {
        if let Some((id, impl_args)) = self.implementation(of, ty) {
            let (_, args) = self.program.impls[id.index()].of.as_ref()?;
            return Some(args.iter().map(|&arg| self.types.substitute(arg, &impl_args)).collect());
        }
        match self.types.kind(ty) {
            TyKind::Dyn(id, args) if *id == of => Some(args.to_vec()),
            _ => None,
        }
    }

    /// The implementation that a type has of a trait, with arguments for its type parameters.
    fn implementation(&mut self, of: TraitId, ty: Ty) -> Option<Found> {
        if let Some(found) = self.impls.found.get(&(of, ty)) {
            return found.clone();
        }
        let candidates = self.impls.by_trait.get(&of).cloned().unwrap_or_default();
        let found = candidates.into_iter().find_map(|id| Some((id, self.fits(id, ty)?)));
        self.impls.found.insert((of, ty), found.clone());
        found
    }

    /// The arguments with which an implementation is for a type.
    fn fits(&mut self, id: ImplId, ty: Ty) -> Option<Vec<Ty>> {
        let implementation = &self.program.impls[id.index()];
        let mut args = vec![None; implementation.generics.len()];
        if !self.unify(implementation.self_ty, ty, &mut args) {
            return None;
        }
        // An implementation for any type is for those that have what it asks for.
        let blanket = matches!(self.types.kind(implementation.self_ty), TyKind::Param(_));
        for (index, generic) in implementation.generics.iter().enumerate() {
            for (bound, bound_args) in &generic.bounds {
                let Some(arg) = args[index] else { continue };
                let known = self.trait_args(*bound, arg);
                if blanket && known.is_none() && !self.is_structural(*bound) {
                    return None;
                }
                // A type determines the arguments of the traits that it implements.
                for (&bound_arg, known) in bound_args.iter().zip(known.unwrap_or_default()) {
                    self.unify(bound_arg, known, &mut args);
                }
            }
        }
        args.into_iter().collect()
    }

    fn is_structural(&self, of: TraitId) -> bool {
        Structural::of(&self.program.lang, of).is_some()
    }

    /// Makes a type with parameters equal to one without.
    fn unify(&self, pattern: Ty, ty: Ty, args: &mut [Option<Ty>]) -> bool {
        let all = |left: &[Ty], right: &[Ty], args: &mut [Option<Ty>]| {
            left.len() == right.len() && left.iter().zip(right).all(|(&a, &b)| self.unify(a, b, args))
        };
        match (self.types.kind(pattern), self.types.kind(ty)) {
            (TyKind::Param(index), _) => {
                let arg = &mut args[*index as usize];
                *arg.get_or_insert(ty) == ty
            }
            (TyKind::Array(a), TyKind::Array(b)) => self.unify(*a, *b, args),
            (TyKind::Tuple(a), TyKind::Tuple(b)) => all(a, b, args),
            (TyKind::Record(id, a), TyKind::Record(other, b)) => id == other && all(a, b, args),
            (TyKind::Enum(id, a), TyKind::Enum(other, b)) => id == other && all(a, b, args),
            (TyKind::Dyn(id, a), TyKind::Dyn(other, b)) => id == other && all(a, b, args),
            (TyKind::Fn(a, x), TyKind::Fn(b, y)) => all(a, b, args) && self.unify(*x, *y, args),
            _ => pattern == ty,
        }
    }
}
