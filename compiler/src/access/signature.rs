//! Declarations: parameters, results, type parameters; and whether implementations keep to their traits.

use super::flow::{Declared, Demand};
use super::report::{CauseKind, Source, Stricter};
use super::shape::Tree;
use super::{Checker, Place};
use crate::source::Span;
use crate::syntax::Access;
use crate::typed::{AccessTree, FnId, FunctionKind, ImplId, Ty, TyKind};

/// Whether something is left to inference in what is declared.
fn has_open(access: &AccessTree) -> bool {
    match access {
        AccessTree::Leaf => false,
        AccessTree::Node { access, parts } => access.is_none() || parts.iter().any(has_open),
    }
}

impl<'p> Checker<'p> {
    /// The last place that was gone through.
    pub(super) fn site(&self) -> Span {
        self.graph.last_site()
    }

    /// The flags of what a declared place leaves to inference, if there is such.
    pub(super) fn place(&mut self, place: Place, ty: Ty, access: &AccessTree) -> Option<u32> {
        if !has_open(access) {
            return None;
        }
        if let Some(&flags) = self.places.get(&place) {
            return Some(flags);
        }
        let flags = self.fresh(ty).base;
        self.places.insert(place, flags);
        Some(flags)
    }

    /// A parameter as it is declared.
    pub(super) fn parameter(&mut self, id: FnId, index: u32) -> Declared<'p> {
        let program = self.program;
        let param = &program.functions[id.index()].params[index as usize];
        let default = if param.mutable { Access::Mutable } else { Access::Read };
        let flags = self.place(Place::Param(id, index), param.ty, &param.access);
        Declared { ty: param.ty, access: Some(&param.access), default: Some(default), flags }
    }

    /// A result as it is declared.
    pub(super) fn declared_result(&mut self, id: FnId) -> Declared<'p> {
        let program = self.program;
        let function = &program.functions[id.index()];
        let flags = self.result(id).base;
        Declared { ty: function.result, access: Some(&function.result_access), default: None, flags: Some(flags) }
    }

    /// The flags of a function's result.
    pub(super) fn result(&mut self, id: FnId) -> Tree {
        let program = self.program;
        let function = &program.functions[id.index()];
        let ty = function.result;
        if let Some(&base) = self.results.get(&id) {
            return Tree { ty, base };
        }
        let tree = self.fresh(ty);
        self.results.insert(id, tree.base);
        if self.shapes.size(ty) > 0 {
            let cause = self.cause(CauseKind::Result(id), function.span, None);
            self.written_result(tree, &function.result_access, Source::Result(id), Demand::Cause(cause));
            self.result_params(id, tree);
        }
        tree
    }

    /// What functions in the result change of a type parameter's values, the function does.
    fn result_params(&mut self, id: FnId, tree: Tree) {
        if let TyKind::Param(index) = self.shapes.kind(tree.ty) {
            let flag = self.param(id, *index);
            self.graph.implies(tree.base, flag);
        }
        for (part, _) in self.shapes.parts(tree) {
            if self.shapes.size(part.ty) > 0 {
                self.result_params(id, part);
            }
        }
    }

    fn written_result(&mut self, tree: Tree, access: &AccessTree, source: Source<'p>, demand: Demand) {
        let AccessTree::Node { access, parts } = access else { return };
        if self.shapes.has_flag(tree.ty) {
            match access {
                Some(Access::Mutable) => self.demand(tree.base, demand),
                Some(Access::Read) => self.forbid(tree.base, source),
                None => {}
            }
        }
        let function = matches!(self.shapes.kind(tree.ty), TyKind::Fn(..));
        for (index, ((part, _), access)) in self.shapes.parts(tree).into_iter().zip(parts).enumerate() {
            // What a function takes is read-only unless that is written, which binds who calls it and not who made it.
            let takes = function && self.shapes.part(tree.ty, index + 1).is_some();
            if self.shapes.size(part.ty) > 0 && !takes {
                self.written_result(part, access, source, demand);
            } else if takes && self.shapes.size(part.ty) > 0 {
                self.forbid_taken(part, access, source);
            }
        }
    }

    /// What a function that is given takes must not be changed by it unless its type says so.
    fn forbid_taken(&mut self, tree: Tree, access: &AccessTree, source: Source<'p>) {
        let AccessTree::Node { access, parts } = access else { return };
        if self.shapes.has_flag(tree.ty) && *access == Some(Access::Read) {
            self.forbid(tree.base, source);
        }
        for ((part, _), access) in self.shapes.parts(tree).into_iter().zip(parts) {
            self.forbid_taken(part, access, source);
        }
    }

    /// The flag of a type parameter of a function: whether the function changes values of it.
    pub(super) fn param(&mut self, id: FnId, index: u32) -> u32 {
        if let Some(&flag) = self.params.get(&(id, index)) {
            return flag;
        }
        let flag = self.graph.add(1);
        self.params.insert((id, index), flag);
        flag
    }

    /// The flag of a type parameter of the function that is looked at.
    pub(super) fn own_param(&mut self, index: u32) -> Option<u32> {
        let function = self.context.function?;
        Some(self.param(function, index))
    }

    /// The flag of a type parameter of an implementation: whether its functions change values of it in what they are called on.
    pub(super) fn impl_param(&mut self, id: ImplId, index: u32) -> u32 {
        if let Some(&flag) = self.impl_params.get(&(id, index)) {
            return flag;
        }
        let flag = self.graph.add(1);
        self.impl_params.insert((id, index), flag);
        let program = self.program;
        for &function in program.impls[id.index()].methods.iter().flatten() {
            let declared = &program.functions[function.index()];
            if declared.receiver && declared.params.first().is_some_and(|param| param.mutable) {
                let own = self.param(function, index);
                self.graph.implies(own, flag);
            }
        }
        flag
    }

    fn has_function(&self, ty: Ty) -> bool {
        let mut parts = (0..).map_while(|index| self.shapes.part(ty, index));
        matches!(self.shapes.kind(ty), TyKind::Fn(..)) || parts.any(|(part, _)| self.has_function(part))
    }

    /// The flag of a type parameter of an implementation: whether its functions change values of it that they are handed, or
    /// give functions that do. Who only knows the trait owes that to the trait's arguments.
    pub(super) fn impl_owes(&mut self, id: ImplId, index: u32) -> u32 {
        if let Some(&flag) = self.impl_owes.get(&(id, index)) {
            return flag;
        }
        let flag = self.graph.add(1);
        self.impl_owes.insert((id, index), flag);
        let program = self.program;
        for &function in program.impls[id.index()].methods.iter().flatten() {
            let declared = &program.functions[function.index()];
            let params = declared.params.iter().skip(usize::from(declared.receiver)).map(|param| param.ty);
            let given = Some(declared.result).filter(|&result| self.has_function(result));
            let mut mentioned = Vec::new();
            params.chain(given).for_each(|ty| self.mentions(ty, &mut mentioned));
            if mentioned.contains(&(index as usize)) {
                let own = self.param(function, index);
                self.graph.implies(own, flag);
            }
        }
        flag
    }

    /// The flags of an argument that an implementation gives to its trait: for what comes out, and for what goes in.
    pub(super) fn impl_arg(&mut self, id: ImplId, index: u32) -> (u32, u32) {
        if let Some(&flags) = self.impl_args.get(&(id, index)) {
            return flags;
        }
        let ty = self.program.impls[id.index()].of.as_ref().and_then(|(_, args)| args.get(index as usize).copied());
        let flags = match ty {
            Some(ty) => (self.fresh(ty).base, self.fresh(ty).base),
            None => (0, 0),
        };
        self.impl_args.insert((id, index), flags);
        flags
    }

    /// A function without body does all that its signature allows.
    pub(super) fn required(&mut self, id: FnId) {
        let program = self.program;
        let function = &program.functions[id.index()];
        self.context.function = Some(id);
        for (index, param) in function.params.iter().enumerate().filter(|(_, param)| param.mutable) {
            let receiver = index == 0 && function.receiver;
            if let TyKind::Param(generic) = self.shapes.kind(param.ty)
                && !receiver
            {
                let flag = self.param(id, *generic);
                let cause = self.cause(CauseKind::Declared(id, index as u32), param.span, None);
                self.demand(flag, Demand::Cause(cause));
            }
        }
    }

    /// An implementation demands no more than its trait says, and gives no less.
    pub(super) fn implementation(&mut self, id: ImplId) {
        let program = self.program;
        let implementation = &program.impls[id.index()];
        let Some((of, _)) = &implementation.of else { return };
        let declared = &program.traits[of.index()];
        for (method, function) in declared.methods.iter().zip(&implementation.methods) {
            let Some(function) = *function else { continue };
            if matches!(program.functions[function.index()].kind, FunctionKind::Unreached) {
                // Nobody calls it.
                continue;
            }
            let (wanted, given) = (&program.functions[method.function.index()], &program.functions[function.index()]);
            self.graph.at(given.span);
            for (index, (want, give)) in wanted.params.iter().zip(&given.params).enumerate() {
                let index = index as u32;
                if give.mutable && !want.mutable && self.shapes.size(give.ty) > 0 {
                    self.stricter.push(Stricter { function, declared: method.function, index });
                    continue;
                }
                let (want, give) = (self.parameter(method.function, index), self.parameter(function, index));
                let pair = Pair { id, function, declared: method.function, index };
                self.compare_param(want, give, pair);
            }
            let (want, give) = (self.declared_result(method.function), self.declared_result(function));
            if Some(*of) != program.lang.copy && self.shapes.size(give.ty) > 0 {
                let cause = self.cause(CauseKind::Implemented(function), given.span, None);
                self.compare_result(want, give, id, Demand::Cause(cause), Way::Given { within: false });
            }
            // Type parameters of the function itself: what an implementation changes, the trait's function may.
            let (before, own) = (declared.generics.len() + 1, implementation.generics.len());
            for index in 0..given.generics.len().saturating_sub(own) {
                let from = self.param(function, (own + index) as u32);
                let to = self.param(method.function, (before + index) as u32);
                self.graph.implies(from, to);
            }
        }
    }

    /// A parameter of an implementation and the trait's.
    fn compare_param(&mut self, want: Declared<'_>, give: Declared<'_>, pair: Pair) {
        if self.shapes.size(give.ty) == 0 {
            return;
        }
        if let TyKind::Param(index) = self.shapes.kind(want.ty) {
            if let Some(index) = index.checked_sub(1)
                && (index as usize) < self.program.impls[pair.id.index()].of.as_ref().map_or(0, |(_, args)| args.len())
            {
                let (_, into) = self.impl_arg(pair.id, index);
                let span = self.program.functions[pair.function.index()].span;
                let cause = self.cause(CauseKind::Argument(pair.function, pair.index), span, None);
                self.demand_written(give, into, Demand::Cause(cause));
            }
            return;
        }
        if matches!(self.shapes.kind(give.ty), TyKind::Param(_)) {
            return;
        }
        if self.shapes.has_flag(give.ty) {
            match (want.own(), give.own()) {
                (Some(Access::Read), Some(Access::Mutable)) => {
                    self.stricter.push(Stricter {
                        function: pair.function,
                        declared: pair.declared,
                        index: pair.index,
                    });
                    return;
                }
                (None, None) => {
                    if let (Some(want), Some(give)) = (want.flags, give.flags) {
                        self.graph.implies(give, want);
                        self.graph.implies(want, give);
                    }
                }
                _ => {}
            }
        }
        for (want, give) in self.declared_parts(want).into_iter().zip(self.declared_parts(give)) {
            self.compare_param(want, give, pair);
        }
    }

    /// What is declared mutable is demanded of flags in the same shape.
    fn demand_written(&mut self, declared: Declared<'_>, flags: u32, demand: Demand) {
        if matches!(self.shapes.kind(declared.ty), TyKind::Param(_)) {
            return;
        }
        if self.shapes.has_flag(declared.ty) && declared.own() == Some(Access::Mutable) {
            self.demand(flags, demand);
        }
        let parts = self.shapes.parts(Tree { ty: declared.ty, base: flags });
        for (declared, (part, _)) in self.declared_parts(declared).into_iter().zip(parts) {
            self.demand_written(declared, part.base, demand);
        }
    }

    /// The result of an implementation and the trait's.
    fn compare_result(&mut self, want: Declared<'_>, give: Declared<'_>, id: ImplId, demand: Demand, way: Way) {
        let Some(given) = give.flags else { return };
        let tree = Tree { ty: give.ty, base: given };
        if self.shapes.size(give.ty) == 0 {
            return;
        }
        if let TyKind::Param(index) = self.shapes.kind(want.ty) {
            let args = self.program.impls[id.index()].of.as_ref().map_or(0, |(_, args)| args.len());
            match (index.checked_sub(1), way) {
                // What is given as `Self` is as mutable as what it is taken for.
                (None, Way::Given { .. }) => self.demand_self(give.ty, tree, demand),
                (Some(index), way) if (index as usize) < args => {
                    let (out, into) = self.impl_arg(id, index);
                    match way {
                        Way::Given { .. } => self.flow(tree, Tree { ty: give.ty, base: out }),
                        Way::Taken => self.flow(Tree { ty: give.ty, base: into }, tree),
                    }
                }
                _ => {}
            }
            return;
        }
        if matches!(self.shapes.kind(give.ty), TyKind::Param(_)) {
            return;
        }
        let flagged = self.shapes.has_flag(give.ty);
        if flagged && let Some(wanted) = want.flags {
            if way != Way::Taken {
                self.graph.implies(wanted, given);
            }
            if way != (Way::Given { within: false }) {
                self.graph.implies(given, wanted);
            }
        }
        let function = matches!(self.shapes.kind(give.ty), TyKind::Fn(..));
        let parts = self.declared_parts(want).into_iter().zip(self.declared_parts(give));
        for (index, (want, give)) in parts.enumerate() {
            let takes = function && self.shapes.part(tree.ty, index + 1).is_some();
            let way = match way {
                Way::Given { .. } if takes => Way::Taken,
                Way::Given { within } => Way::Given { within: within || flagged },
                Way::Taken => Way::Taken,
            };
            self.compare_result(want, give, id, demand, way);
        }
    }

    fn demand_self(&mut self, declared: Ty, tree: Tree, demand: Demand) {
        if matches!(self.shapes.kind(declared), TyKind::Param(_) | TyKind::Fn(..)) {
            return;
        }
        if self.shapes.has_flag(tree.ty) {
            self.demand(tree.base, demand);
        }
        for (part, _) in self.shapes.parts(tree) {
            self.demand_self(part.ty, part, demand);
        }
    }
}

/// A function of an implementation, that of the trait, and a parameter.
#[derive(Clone, Copy)]
struct Pair {
    id: ImplId,
    function: FnId,
    declared: FnId,
    index: u32,
}

/// Whether a part of a result is given, perhaps in something that can be changed, or taken by a function that is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Given { within: bool },
    Taken,
}
