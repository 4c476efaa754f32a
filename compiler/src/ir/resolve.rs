//! Which implementation of a trait a type has.

use std::rc::Rc;

use super::RowId;
use super::mono::Context;
use crate::typed::{FnId, FunctionKind, ImplId, TraitId, Ty, TyKind};

/// What a type is at first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Head {
    /// Any type: a type parameter.
    Any,
    /// One without parts.
    Leaf(Ty),
    /// An array.
    Array,
    /// A tuple of so many.
    Tuple(usize),
    /// A record.
    Record(u32),
    /// An enum.
    Enum(u32),
    /// A function with so many parameters.
    Fn(usize),
    /// A `dyn`.
    Dyn(u32),
}

/// What a function of a trait is for a type.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A function of the program, with type arguments.
    Function(FnId, Vec<Ty>),
    /// The compiler makes it.
    Derived,
    /// Whatever the `dyn` value has.
    Dynamic,
}

impl Context<'_> {
    fn head(&self, ty: Ty) -> Head {
        match self.types.kind(ty) {
            TyKind::Param(_) => Head::Any,
            TyKind::Array(_) => Head::Array,
            TyKind::Tuple(parts) if !parts.is_empty() => Head::Tuple(parts.len()),
            TyKind::Record(id, _) => Head::Record(id.0),
            TyKind::Enum(id, _) => Head::Enum(id.0),
            TyKind::Fn(params, _) => Head::Fn(params.len()),
            TyKind::Dyn(id, _) => Head::Dyn(id.0),
            _ => Head::Leaf(ty),
        }
    }

    /// Makes the index of implementations.
    pub fn index_implementations(&mut self) {
        for (index, implementation) in self.program.impls.iter().enumerate() {
            if let Some((of, _)) = implementation.of {
                let head = self.head(implementation.self_ty);
                self.candidates.entry((of, head)).or_default().push(ImplId(index as u32));
            }
        }
    }

    /// The implementation of a trait for a type, with its type arguments.
    pub fn implementation(&mut self, of: TraitId, ty: Ty) -> Option<(ImplId, Rc<[Ty]>)> {
        if let Some(found) = self.implementations.get(&(of, ty)) {
            return found.clone();
        }
        // What asks for itself on the way has no answer.
        self.implementations.insert((of, ty), None);
        let mut candidates = self.candidates.get(&(of, self.head(ty))).cloned().unwrap_or_default();
        if self.head(ty) != Head::Any {
            candidates.extend(self.candidates.get(&(of, Head::Any)).into_iter().flatten());
        }
        let found = candidates.into_iter().find_map(|id| Some((id, self.match_implementation(id, ty)?)));
        self.implementations.insert((of, ty), found.clone());
        found
    }

    /// The implementation of `From`, of which a type may have several: by what it is made of.
    fn conversion(&mut self, of: TraitId, args: &[Ty], ty: Ty) -> Option<(ImplId, Rc<[Ty]>)> {
        let candidates = self.candidates.get(&(of, self.head(ty))).cloned().unwrap_or_default();
        candidates.into_iter().find_map(|id| {
            let bound = self.match_implementation(id, ty)?;
            let (_, patterns) = self.program.impls[id.index()].of.as_ref()?;
            let same = patterns.iter().zip(args).all(|(&pattern, &arg)| self.substitute(pattern, &bound) == arg);
            same.then_some((id, bound))
        })
    }

    fn match_implementation(&mut self, id: ImplId, ty: Ty) -> Option<Rc<[Ty]>> {
        let implementation = &self.program.impls[id.index()];
        let mut bound = vec![None; implementation.generics.len()];
        if !self.matches(implementation.self_ty, ty, &mut bound) {
            return None;
        }
        // An argument that the type alone does not tell is one of a trait that another argument implements.
        let mut known = bound.iter().flatten().count();
        while known < bound.len() {
            for (index, generic) in implementation.generics.iter().enumerate() {
                let Some(argument) = bound[index] else { continue };
                for (of, patterns) in &generic.bounds {
                    let args = self.trait_arguments(*of, argument)?;
                    for (pattern, arg) in patterns.iter().zip(args) {
                        self.matches(*pattern, arg, &mut bound);
                    }
                }
            }
            let now = bound.iter().flatten().count();
            if now == known {
                return None;
            }
            known = now;
        }
        // A blanket implementation is for those that have what it asks for.
        if self.head(implementation.self_ty) == Head::Any {
            for (index, generic) in implementation.generics.iter().enumerate() {
                for (of, _) in &generic.bounds {
                    self.trait_arguments(*of, bound[index]?)?;
                }
            }
        }
        bound.into_iter().collect()
    }

    /// Whether a type is of a pattern's form, and what the pattern's parameters are then.
    fn matches(&mut self, pattern: Ty, ty: Ty, bound: &mut [Option<Ty>]) -> bool {
        if let TyKind::Param(index) = self.types.kind(pattern) {
            return match bound.get_mut(*index as usize) {
                Some(known @ None) => {
                    *known = Some(ty);
                    true
                }
                Some(Some(known)) => *known == ty,
                None => false,
            };
        }
        if pattern == ty {
            return true;
        }
        if self.head(pattern) != self.head(ty) {
            return false;
        }
        let (patterns, parts) = (self.type_parts(pattern), self.type_parts(ty));
        !patterns.is_empty()
            && patterns.len() == parts.len()
            && patterns.into_iter().zip(parts).all(|(pattern, part)| self.matches(pattern, part, bound))
    }

    /// The arguments of a trait that a type implements.
    pub fn trait_arguments(&mut self, of: TraitId, ty: Ty) -> Option<Vec<Ty>> {
        if let Some((id, args)) = self.implementation(of, ty) {
            let (_, patterns) = self.program.impls[id.index()].of.as_ref()?;
            return Some(patterns.iter().map(|&pattern| self.substitute(pattern, &args)).collect());
        }
        if let TyKind::Dyn(id, args) = self.types.kind(ty).clone() {
            return self.super_arguments(id, &args, of, 0);
        }
        // Only the compiler's own traits are implemented by nobody.
        self.program.traits[of.index()].generics.is_empty().then(Vec::new)
    }

    /// The arguments that a trait with arguments has as another that it extends.
    pub fn super_arguments(&mut self, id: TraitId, args: &[Ty], of: TraitId, depth: u32) -> Option<Vec<Ty>> {
        if id == of {
            return Some(args.to_vec());
        }
        if depth > 64 {
            return None;
        }
        let program = self.program;
        program.traits[id.index()].supers.iter().find_map(|(parent, patterns)| {
            // `Self` is not among a trait's own parameters, but is their first in its signatures.
            let own: Vec<Ty> = std::iter::once(Ty::ERROR).chain(args.iter().copied()).collect();
            let args: Vec<Ty> = patterns.iter().map(|&pattern| self.substitute(pattern, &own)).collect();
            self.super_arguments(*parent, &args, of, depth + 1)
        })
    }

    /// What a function of a trait is for a type.
    pub fn target(&mut self, of: TraitId, args: &[Ty], method: u32, self_ty: Ty, method_args: &[Ty]) -> Target {
        let program = self.program;
        let declared = program.traits[of.index()].methods[method as usize].function;
        let found = if Some(of) == program.lang.from {
            self.conversion(of, args, self_ty)
        } else {
            self.implementation(of, self_ty)
        };
        if let Some((id, impl_args)) = found {
            let implementation = &program.impls[id.index()];
            if let Some(function) = implementation.methods.get(method as usize).copied().flatten() {
                return Target::Function(function, impl_args.iter().chain(method_args).copied().collect());
            }
        } else {
            if let TyKind::Dyn(id, _) = self.types.kind(self_ty)
                && self.row(*id).contains(&(of, method))
            {
                return Target::Dynamic;
            }
            if matches!(program.functions[declared.index()].kind, FunctionKind::Required) {
                return Target::Derived;
            }
        }
        let own = self.trait_arguments(of, self_ty).unwrap_or_else(|| args.to_vec());
        Target::Function(declared, std::iter::once(self_ty).chain(own).chain(method_args.iter().copied()).collect())
    }

    /// The functions that a `dyn` of a trait has: those that need no more than the value and are called so somewhere, of the traits that it
    /// extends too.
    pub fn row(&mut self, id: TraitId) -> Rc<[(TraitId, u32)]> {
        if let Some(row) = self.rows.get(&id) {
            return row.clone();
        }
        let program = self.program;
        let mut row = Vec::new();
        let mut traits = vec![id];
        let mut next = 0;
        while let Some(&each) = traits.get(next) {
            next += 1;
            let declared = &program.traits[each.index()];
            for (index, method) in declared.methods.iter().enumerate() {
                if method.dispatchable && method.dynamic {
                    row.push((each, index as u32));
                }
            }
            for (parent, _) in &declared.supers {
                if !traits.contains(parent) {
                    traits.push(*parent);
                }
            }
        }
        let row: Rc<[(TraitId, u32)]> = row.into();
        self.rows.insert(id, row.clone());
        row
    }

    /// Where the functions of a type, as `dyn` of a trait, are in the table. Each type has a row of its own for a trait, by which
    /// it is known.
    pub fn implemented(&mut self, ty: Ty, of: TraitId, args: &[Ty]) -> RowId {
        let key = (ty, of, Rc::from(args));
        if let Some(&row) = self.implemented.get(&key) {
            return row;
        }
        let number = RowId(self.module.rows.len() as u32);
        if let Some(&place) = self.earlier_rows.get(&key) {
            self.module.shared.get_or_insert_default().earlier_rows.insert(number, place);
        }
        self.implemented.insert(key, number);
        self.module.rows.push(Vec::new());
        for &(each, method) in self.row(of).iter() {
            let args = self.super_arguments(of, args, each, 0).unwrap_or_default();
            let func = self.instance(super::mono::Key::Method(ty, each, args.into(), method));
            self.module.rows[number.index()].push(func);
        }
        number
    }
}
