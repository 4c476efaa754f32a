//! Values that go from place to place, and places whose type is written down.

use super::Checker;
use super::graph::{Action, Why};
use super::report::Source;
use super::shape::Tree;
use crate::syntax::Access;
use crate::typed::{AccessTree, Ty, TyKind};

/// What the type parameters of a declaration are.
#[derive(Clone, Copy)]
pub(super) enum Args<'a> {
    /// These: for what goes in, and for what comes out.
    Trees(&'a [Tree], &'a [Tree]),
    /// Themselves: the declaration is that of the function that is looked at.
    Own,
}

/// A type as it is declared.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    /// The type, in the declaration's terms.
    pub(super) ty: Ty,
    /// What is written of access, if something is.
    pub(super) access: Option<&'a AccessTree>,
    /// What holds where nothing is written.
    pub(super) default: Option<Access>,
    /// Flags for what is found by inference, in the shape of the declared type.
    pub(super) flags: Option<u32>,
}

impl<'a> Declared<'a> {
    /// The access of the type itself.
    pub(super) fn own(&self) -> Option<Access> {
        match self.access {
            Some(AccessTree::Node { access, .. }) => *access,
            Some(AccessTree::Leaf) | None => self.default,
        }
    }
}

/// What makes a declared place demand something.
#[derive(Clone, Copy)]
pub(super) enum Demand {
    /// A cause, by its number.
    Cause(u32),
    /// A flag.
    Flag(u32),
    /// The flag of a type parameter, which is set, by a call.
    Call(u32),
}

impl<'p> Checker<'p> {
    /// New flags for a value.
    pub(super) fn fresh(&mut self, ty: Ty) -> Tree {
        let count = self.shapes.size(ty);
        Tree { ty, base: if count == 0 { 0 } else { self.graph.add(count) } }
    }

    /// A value goes from one place to another of the same type: what is demanded there is demanded here.
    pub(super) fn flow(&mut self, from: Tree, to: Tree) {
        if from.ty != to.ty || from.base == to.base || self.shapes.size(from.ty) == 0 {
            return;
        }
        let flagged = self.shapes.has_flag(from.ty);
        if flagged {
            self.graph.implies(to.base, from.base);
        }
        let parts = self.shapes.parts(from);
        let mut back = false;
        for (part, variance) in parts {
            if self.shapes.size(part.ty) == 0 {
                continue;
            }
            let other = Tree { ty: part.ty, base: to.base + (part.base - from.base) };
            if variance.same || !variance.other {
                self.flow(part, other);
            }
            if variance.other {
                self.flow(other, part);
            }
            back |= variance.same != variance.other || !variance.same;
        }
        if flagged && back {
            self.when(to.base, Action::Back { from, to });
        }
    }

    /// Two places hold the same: what is demanded of one is demanded of the other.
    pub(super) fn equate(&mut self, one: Tree, other: Tree) {
        if one.ty != other.ty {
            return;
        }
        for flag in 0..self.shapes.size(one.ty) {
            self.graph.implies(one.base + flag, other.base + flag);
            self.graph.implies(other.base + flag, one.base + flag);
        }
    }

    /// What happens when a flag is set.
    pub(super) fn when(&mut self, flag: u32, action: Action) {
        if self.graph.when(flag, action) {
            self.act(flag, action);
        }
    }

    /// Something is demanded.
    pub(super) fn demand(&mut self, flag: u32, demand: Demand) {
        match demand {
            Demand::Cause(cause) => self.graph.set(flag, Why::Cause(cause)),
            Demand::Flag(other) => self.graph.implies(other, flag),
            Demand::Call(other) => {
                let site = self.graph.site();
                self.graph.set(flag, Why::Call(other, site));
            }
        }
    }

    /// Everything in a value is demanded.
    pub(super) fn demand_all(&mut self, tree: Tree, demand: Demand) {
        for flag in 0..self.shapes.size(tree.ty) {
            self.demand(tree.base + flag, demand);
        }
    }

    /// Everything in a value is read-only.
    pub(super) fn forbid_all(&mut self, tree: Tree, source: Source<'p>) {
        for flag in 0..self.shapes.size(tree.ty) {
            self.forbid(tree.base + flag, source);
        }
    }

    /// A flag must not be set.
    pub(super) fn forbid(&mut self, flag: u32, source: Source<'p>) {
        self.sources.push(source);
        self.graph.forbid(flag, self.sources.len() as u32 - 1);
    }

    /// The parts of a declared type that go with those of a value.
    pub(super) fn declared_parts<'a>(&mut self, declared: Declared<'a>) -> Vec<Declared<'a>> {
        let own = declared.own();
        let function = matches!(self.shapes.kind(declared.ty), TyKind::Fn(..));
        let base = declared.flags.unwrap_or(0);
        let parts = self.shapes.parts(Tree { ty: declared.ty, base });
        let access = match declared.access {
            Some(AccessTree::Node { parts, .. }) => Some(parts),
            _ => None,
        };
        parts
            .into_iter()
            .enumerate()
            .map(|(index, (part, _))| Declared {
                ty: part.ty,
                access: access.and_then(|parts| parts.get(index)),
                default: if function { None } else { own },
                flags: declared.flags.map(|_| part.base),
            })
            .collect()
    }

    /// A value goes to a place with a declared type.
    pub(super) fn enter(&mut self, value: Tree, place: Declared<'_>, args: Args<'_>, demand: Demand) {
        if value.ty == Ty::NEVER || self.shapes.size(value.ty) == 0 {
            return;
        }
        if let TyKind::Param(index) = self.shapes.kind(place.ty) {
            let Args::Trees(input, _) = args else { return };
            match input.get(*index as usize) {
                Some(&arg) if arg.ty == value.ty => self.flow(value, arg),
                _ => self.demand_all(value, demand),
            }
            return;
        }
        let flagged = self.shapes.has_flag(value.ty);
        if flagged {
            match (place.own(), place.flags) {
                // What is put into it there is found here.
                (Some(Access::Mutable), _) => return self.agree(value, place, args, demand),
                (None, Some(flag)) => self.graph.implies(flag, value.base),
                (Some(Access::Read) | None, _) => {}
            }
        }
        let open = flagged && place.own().is_none();
        let parts = self.declared_parts(place);
        for (place, (part, variance)) in parts.into_iter().zip(self.shapes.parts(value)) {
            if open {
                self.agree(part, place, args, demand);
                continue;
            }
            if variance.same || !variance.other {
                self.enter(part, place, args, demand);
            }
            if variance.other {
                self.leave(place, part, args, None, None, demand);
            }
        }
    }

    /// A value is just as a place declares it: neither more nor less is demanded of it.
    pub(super) fn agree(&mut self, value: Tree, place: Declared<'_>, args: Args<'_>, demand: Demand) {
        if self.shapes.size(value.ty) == 0 {
            return;
        }
        if let TyKind::Param(index) = self.shapes.kind(place.ty) {
            match args {
                Args::Own => self.owes_param(value.base, *index),
                Args::Trees(input, output) => match (input.get(*index as usize), output.get(*index as usize)) {
                    (Some(&input), Some(&output)) if input.ty == value.ty && output.ty == value.ty => {
                        self.flow(value, input);
                        self.flow(output, value);
                    }
                    _ => {
                        self.demand_all(value, demand);
                        self.forbid_all(value, self.given);
                    }
                },
            }
            return;
        }
        if self.shapes.has_flag(value.ty) {
            match (place.own(), place.flags) {
                (Some(Access::Mutable), _) => self.demand(value.base, demand),
                (Some(Access::Read), _) => self.forbid(value.base, self.given),
                (None, Some(flag)) => {
                    self.graph.implies(flag, value.base);
                    self.graph.implies(value.base, flag);
                }
                (None, None) => {}
            }
        }
        for (place, (part, _)) in self.declared_parts(place).into_iter().zip(self.shapes.parts(value)) {
            self.agree(part, place, args, demand);
        }
    }

    /// What is changed of a value of a type parameter of the function that is looked at, the function changes.
    fn owes_param(&mut self, flag: u32, index: u32) {
        if let Some(param) = self.own_param(index) {
            self.graph.implies(flag, param);
        }
    }

    /// A value comes from a place with a declared type. `gate`: what has to be changeable for the place to be; `whole`: the
    /// flag of what the value is a part of.
    pub(super) fn leave(
        &mut self,
        place: Declared<'_>,
        value: Tree,
        args: Args<'_>,
        gate: Option<u32>,
        whole: Option<u32>,
        demand: Demand,
    ) {
        if value.ty == Ty::NEVER || self.shapes.size(value.ty) == 0 {
            return;
        }
        if let TyKind::Param(index) = self.shapes.kind(place.ty) {
            match args {
                Args::Own => self.owes_param(value.base, *index),
                Args::Trees(input, output) => match (input.get(*index as usize), output.get(*index as usize)) {
                    (Some(&input), Some(&output)) if input.ty == value.ty && output.ty == value.ty => {
                        self.flow(output, value);
                        if whole.is_some() {
                            self.flow(value, input);
                        }
                    }
                    _ => self.forbid_all(value, self.given),
                },
            }
            return;
        }
        let flagged = self.shapes.has_flag(value.ty);
        if flagged {
            match (place.own(), place.flags) {
                (Some(Access::Read), _) => self.forbid(value.base, self.given),
                (Some(Access::Mutable), _) => {
                    if let Some(gate) = gate {
                        self.graph.implies(value.base, gate);
                    }
                    if let Some(whole) = whole {
                        self.graph.fills(whole, value.base);
                    }
                }
                (None, Some(flag)) => {
                    self.graph.implies(value.base, flag);
                    if whole.is_some() {
                        self.graph.implies(flag, value.base);
                    }
                }
                (None, None) => {}
            }
        }
        // What a function gives is no part of where the function is.
        let function = matches!(self.shapes.kind(value.ty), TyKind::Fn(..));
        let gate = gate.filter(|_| !function);
        let whole = if flagged { Some(value.base) } else { whole };
        let parts = self.declared_parts(place);
        for (place, (part, variance)) in parts.into_iter().zip(self.shapes.parts(value)) {
            if variance.same || !variance.other {
                self.leave(place, part, args, gate, whole, demand);
            }
            match whole {
                _ if !variance.other => {}
                Some(_) => self.agree(part, place, args, demand),
                None => self.enter(part, place, args, demand),
            }
        }
    }
}
