//! Calls: signatures with the type parameters put in, implementations of traits, values that are changed as receivers.

use super::flow::{Args, Declared, Demand};
use super::graph::Action;
use super::report::{CauseKind, Owner, Source};
use super::shape::Tree;
use super::{Checker, Place};
use crate::source::Span;
use crate::typed::{AccessTree, Callee, EnumId, Expr, FnId, ImplId, TraitId, Ty, TyKind};

/// An implementation with what its type parameters are, as far as the type says.
pub(super) type Found = Option<(ImplId, Vec<Option<Ty>>)>;

/// An argument.
#[derive(Clone, Copy)]
pub(super) struct Arg<'p> {
    /// Its flags.
    pub(super) tree: Tree,
    /// Where it is written.
    pub(super) value: Option<&'p Expr>,
}

/// What is called: a function with its type parameters.
struct Signature {
    function: FnId,
    input: Vec<Tree>,
    output: Vec<Tree>,
    /// Whether it only stands for what implementations do.
    open: bool,
    /// Whether the result shares nothing with the arguments.
    fresh: bool,
}

/// The argument of a trait that a type implements.
#[derive(Clone)]
enum TraitArg {
    /// These flags.
    Tree(Tree),
    /// As the function that is looked at has it.
    Own(Ty),
    /// A type parameter of the function that is looked at.
    Param(u32),
    /// As an implementation says: a type in its terms, its type parameters, flags for what comes out and goes in.
    Declared { ty: Ty, params: Vec<Option<Tree>>, out: u32, into: u32 },
}

impl<'p> Checker<'p> {
    /// A call: the flags of what it gives.
    pub(super) fn call(&mut self, expr: &'p Expr, callee: &'p Callee, args: &'p [Expr]) -> Tree {
        let called = match callee {
            Callee::Value(function) => Some(self.expr(function)),
            _ => None,
        };
        let args: Vec<Arg<'p>> = args.iter().map(|arg| Arg { tree: self.expr(arg), value: Some(arg) }).collect();
        // Where nothing goes in or comes out that could be changed, nothing is.
        if called.is_none()
            && self.shapes.size(expr.ty) == 0
            && args.iter().all(|arg| self.shapes.size(arg.tree.ty) == 0)
        {
            return Tree { ty: expr.ty, base: 0 };
        }
        self.graph.at(expr.span);
        match called {
            Some(function) => {
                let parts = self.arguments(function);
                for (arg, &to) in args.iter().zip(&parts) {
                    self.flow(arg.tree, to);
                }
                parts.last().copied().unwrap_or(Tree { ty: expr.ty, base: 0 })
            }
            None => self.call_trees(expr.span, callee, &args, expr.ty),
        }
    }

    /// A call with flags as arguments.
    pub(super) fn call_trees(&mut self, span: Span, callee: &'p Callee, args: &[Arg<'p>], ty: Ty) -> Tree {
        let receiver = args.first().map(|arg| arg.tree);
        let Some(signature) = self.signature(callee, receiver) else { return Tree { ty, base: 0 } };
        self.pass(&signature, span, args);
        self.outcome(&signature, ty)
    }

    /// What the iterator of a loop gives: the flags of an element.
    pub(super) fn next_element(&mut self, span: Span, next: &'p Callee, iterator: Arg<'p>, ty: Ty) -> Tree {
        let element = self.fresh(ty);
        let Some(signature) = self.signature(next, Some(iterator.tree)) else { return element };
        self.pass(&signature, span, &[iterator]);
        if self.shapes.size(ty) > 0 {
            // `next` gives an Option, which has no flag of its own.
            let result = self.declared_result(signature.function);
            let access = match result.access {
                Some(AccessTree::Node { parts, .. }) => parts.first(),
                _ => None,
            };
            if let Some((part, _)) = self.shapes.part(result.ty, 0) {
                let place = Declared { ty: part, access, ..result };
                self.take(&signature, place, element);
            }
        }
        element
    }

    /// Arguments go to parameters.
    fn pass(&mut self, signature: &Signature, span: Span, args: &[Arg<'p>]) {
        let program = self.program;
        let function = &program.functions[signature.function.index()];
        for (index, (arg, param)) in args.iter().zip(&function.params).enumerate() {
            if self.shapes.size(arg.tree.ty) == 0 {
                continue;
            }
            let index = index as u32;
            let kind = match index {
                0 if function.receiver => CauseKind::Method(signature.function),
                _ => CauseKind::Argument(signature.function, index),
            };
            let place_span = arg.value.map_or(span, |value| value.span);
            let cause = self.cause(kind, if index == 0 && function.receiver { span } else { place_span }, arg.value);
            let demand = Demand::Cause(cause);
            self.given = Source::Taken(signature.function, index);
            // An implementation that is not known may do what the signature lets it do.
            if signature.open && param.mutable && matches!(self.shapes.kind(param.ty), TyKind::Param(_)) {
                self.demand_receiver(arg.tree, demand);
            }
            let place = self.parameter(signature.function, index);
            self.enter(arg.tree, place, Args::Trees(&signature.input, &signature.output), demand);
        }
    }

    fn demand_receiver(&mut self, tree: Tree, demand: Demand) {
        match self.shapes.kind(tree.ty) {
            TyKind::Dyn(..) => {
                if self.shapes.has_flag(tree.ty) {
                    self.demand(tree.base, demand);
                }
            }
            _ => self.demand_all(tree, demand),
        }
    }

    /// The flags of a result.
    fn outcome(&mut self, signature: &Signature, ty: Ty) -> Tree {
        if self.shapes.size(ty) == 0 || signature.fresh {
            return self.fresh(ty);
        }
        let place = self.declared_result(signature.function);
        if let TyKind::Param(index) = self.shapes.kind(place.ty)
            && let Some(&arg) = signature.output.get(*index as usize)
            && arg.ty == ty
        {
            return arg;
        }
        let result = self.fresh(ty);
        self.take(signature, place, result);
        result
    }

    fn take(&mut self, signature: &Signature, place: Declared<'_>, value: Tree) {
        self.given = Source::Result(signature.function);
        let span = self.program.functions[signature.function.index()].span;
        let cause = self.cause(CauseKind::Function, span, None);
        let args = Args::Trees(&signature.input, &signature.output);
        self.leave(place, value, args, None, None, Demand::Cause(cause));
    }

    /// A function as a value.
    pub(super) fn function_value(&mut self, expr: &'p Expr, callee: &'p Callee) -> Tree {
        let tree = self.fresh(expr.ty);
        self.graph.at(expr.span);
        if self.shapes.size(expr.ty) == 0 {
            return tree;
        }
        let parts = self.arguments(tree);
        let Some(signature) = self.signature(callee, parts.first().copied()) else { return tree };
        let Some((&result, params)) = parts.split_last() else { return tree };
        let args: Vec<Arg<'p>> = params.iter().map(|&tree| Arg { tree, value: None }).collect();
        self.pass(&signature, expr.span, &args);
        if self.shapes.size(result.ty) > 0 && !signature.fresh {
            let place = self.declared_result(signature.function);
            self.take(&signature, place, result);
        }
        tree
    }

    /// A variant's constructor as a function value.
    pub(super) fn constructor(&mut self, expr: &'p Expr, id: EnumId, tag: u32) -> Tree {
        let tree = self.fresh(expr.ty);
        self.graph.at(expr.span);
        let parts = self.arguments(tree);
        let Some((&result, params)) = parts.split_last() else { return tree };
        let args = self.arguments(result);
        for (index, (&param, field)) in params.iter().zip(self.shapes.variant_fields(id, tag)).enumerate() {
            let owner = Owner::Variant(id, tag);
            self.given = Source::Field(owner, index as u32);
            let cause = self.cause(CauseKind::Keep(owner, index as u32), expr.span, None);
            let default =
                Some(if field.mutable { crate::syntax::Access::Mutable } else { crate::syntax::Access::Read });
            let flags = self.place(Place::Field(owner, index as u32), field.ty, &field.access);
            let place = Declared { ty: field.ty, access: Some(&field.access), default, flags };
            self.enter(param, place, Args::Trees(&args, &args), Demand::Cause(cause));
        }
        tree
    }

    /// What a callee is. Values are not asked for here.
    fn signature(&mut self, callee: &'p Callee, receiver: Option<Tree>) -> Option<Signature> {
        match callee {
            Callee::Fn(id, args) => Some(self.instance(*id, args)),
            Callee::Trait { of, args, method, self_ty, method_args } => {
                Some(self.trait_signature(*of, args, *method, *self_ty, method_args))
            }
            Callee::Dyn(of, method) => Some(self.dyn_signature(*of, *method, receiver?)),
            Callee::Value(_) => None,
        }
    }

    /// A function with arguments for its type parameters.
    fn instance(&mut self, id: FnId, args: &[Ty]) -> Signature {
        let program = self.program;
        let trees: Vec<Tree> = args.iter().map(|&arg| self.fresh(arg)).collect();
        let function = &program.functions[id.index()];
        for (index, (generic, &tree)) in function.generics.iter().zip(&trees).enumerate() {
            for (of, bound_args) in &generic.bounds {
                self.bound(id, index as u32, tree, *of, bound_args, &trees);
            }
        }
        // `Self` implements the trait that a function is of.
        if let Some(&of) = self.trait_of.get(&id)
            && let Some(&tree) = trees.first()
        {
            if self.shapes.trait_changes(of) && self.shapes.size(tree.ty) > 0 {
                let flag = self.param(id, 0);
                self.when(flag, Action::Receive { value: tree, of, call: true });
            }
            let count = program.traits[of.index()].generics.len();
            let known = self.trait_args(tree, of);
            for index in 0..count {
                if let Some(&expected) = trees.get(index + 1) {
                    self.relate(known.as_ref().and_then(|known| known.get(index)), expected);
                }
            }
        }
        // What is cast from `dyn` is read-only.
        if function.receiver
            && let Some(param) = function.params.first()
            && let TyKind::Dyn(..) = self.shapes.kind(param.ty)
            && program.modules[function.module.index()].standard
        {
            for &tree in &trees {
                self.forbid_all(tree, Source::Cast);
            }
        }
        Signature { function: id, input: trees.clone(), output: trees, open: false, fresh: false }
    }

    /// An argument implements what its type parameter asks for.
    fn bound(&mut self, id: FnId, index: u32, tree: Tree, of: TraitId, bound_args: &[Ty], trees: &[Tree]) {
        if self.shapes.trait_changes(of) && self.shapes.size(tree.ty) > 0 {
            let flag = self.param(id, index);
            self.when(flag, Action::Receive { value: tree, of, call: true });
        }
        self.relate_all(tree, of, bound_args, trees);
    }

    /// The arguments of a trait that a value implements are what a bound says.
    fn relate_all(&mut self, tree: Tree, of: TraitId, bound_args: &[Ty], trees: &[Tree]) {
        let mut params = Vec::new();
        for &arg in bound_args {
            self.mentions(arg, &mut params);
        }
        if params.iter().all(|&index| trees.get(index).is_none_or(|tree| self.shapes.size(tree.ty) == 0)) {
            return;
        }
        let known = self.trait_args(tree, of);
        for (position, &arg) in bound_args.iter().enumerate() {
            let known = known.as_ref().and_then(|known| known.get(position)).cloned();
            self.relate_declared(known, arg, trees);
        }
    }

    /// The type parameters in a type.
    pub(super) fn mentions(&self, ty: Ty, into: &mut Vec<usize>) {
        if let TyKind::Param(index) = self.shapes.kind(ty) {
            into.push(*index as usize);
        }
        let mut index = 0;
        while let Some((part, _)) = self.shapes.part(ty, index) {
            self.mentions(part, into);
            index += 1;
        }
    }

    /// A trait's argument is what a bound says, in terms of type parameters.
    fn relate_declared(&mut self, known: Option<TraitArg>, declared: Ty, trees: &[Tree]) {
        if let TyKind::Param(index) = self.shapes.kind(declared) {
            if let Some(&tree) = trees.get(*index as usize) {
                self.relate(known.as_ref(), tree);
            }
            return;
        }
        let mut index = 0;
        while let Some((part, _)) = self.shapes.part(declared, index) {
            let known = known.as_ref().and_then(|known| self.arg_part(known, index));
            self.relate_declared(known, part, trees);
            index += 1;
        }
    }

    /// A part of a trait's argument.
    fn arg_part(&mut self, arg: &TraitArg, index: usize) -> Option<TraitArg> {
        match arg {
            TraitArg::Tree(tree) => self.shapes.part_tree(*tree, index).map(TraitArg::Tree),
            TraitArg::Own(ty) => self.shapes.part(*ty, index).map(|(part, _)| TraitArg::Own(part)),
            TraitArg::Param(_) => None,
            TraitArg::Declared { ty, params, out, into } => {
                if let TyKind::Param(param) = self.shapes.kind(*ty) {
                    let tree = (*params.get(*param as usize)?)?;
                    return self.shapes.part_tree(tree, index).map(TraitArg::Tree);
                }
                let part = self.shapes.part_tree(Tree { ty: *ty, base: 0 }, index)?;
                let (out, into) = (out + part.base, into + part.base);
                Some(TraitArg::Declared { ty: part.ty, params: params.clone(), out, into })
            }
        }
    }

    /// A trait's argument is a type parameter with these flags. If nothing is known of it, it is read-only.
    fn relate(&mut self, known: Option<&TraitArg>, tree: Tree) {
        if self.shapes.size(tree.ty) == 0 {
            return;
        }
        match known {
            None => self.forbid_all(tree, Source::Bound),
            Some(TraitArg::Tree(other)) if other.ty == tree.ty => self.equate(*other, tree),
            Some(TraitArg::Tree(_)) => self.forbid_all(tree, Source::Bound),
            Some(TraitArg::Param(index)) => {
                if let Some(flag) = self.own_param(*index) {
                    self.graph.implies(tree.base, flag);
                }
            }
            Some(TraitArg::Own(ty)) => {
                if let TyKind::Param(index) = self.shapes.kind(*ty) {
                    return self.relate(Some(&TraitArg::Param(*index)), tree);
                }
                if self.shapes.has_flag(tree.ty) {
                    self.forbid(tree.base, Source::Bound);
                }
                self.relate_parts(known, tree);
            }
            Some(TraitArg::Declared { ty, params, out, into }) => {
                if let TyKind::Param(index) = self.shapes.kind(*ty) {
                    let other = params.get(*index as usize).copied().flatten().map(TraitArg::Tree);
                    return self.relate(other.as_ref(), tree);
                }
                if self.shapes.has_flag(tree.ty) {
                    self.graph.implies(tree.base, *out);
                    self.graph.implies(*into, tree.base);
                }
                self.relate_parts(known, tree);
            }
        }
    }

    fn relate_parts(&mut self, known: Option<&TraitArg>, tree: Tree) {
        for (index, (part, _)) in self.shapes.parts(tree).into_iter().enumerate() {
            let known = known.and_then(|known| self.arg_part(known, index));
            self.relate(known.as_ref(), part);
        }
    }

    /// The arguments of a trait that a type implements.
    fn trait_args(&mut self, tree: Tree, of: TraitId) -> Option<Vec<TraitArg>> {
        let program = self.program;
        match self.shapes.kind(tree.ty) {
            TyKind::Param(index) => {
                let function = &program.functions[self.context.function?.index()];
                let generic = function.generics.get(*index as usize)?;
                if let Some((_, args)) = generic.bounds.iter().find(|(id, _)| *id == of) {
                    return Some(args.iter().map(|&arg| TraitArg::Own(arg)).collect());
                }
                // `Self` of a trait has the trait's own.
                let own = *index == 0 && self.trait_of.get(&self.context.function?) == Some(&of);
                own.then(|| {
                    let count = program.traits[of.index()].generics.len() as u32;
                    (1..=count).map(TraitArg::Param).collect()
                })
            }
            TyKind::Dyn(id, _) if *id == of => Some(self.arguments(tree).into_iter().map(TraitArg::Tree).collect()),
            _ => {
                let (id, _) = self.implementation_of(of, tree.ty)?;
                let implementation = &program.impls[id.index()];
                let mut params = vec![None; implementation.generics.len()];
                self.collect(implementation.self_ty, tree, &mut params);
                self.relate_bounds(id, &params);
                self.owe_params(id, &params);
                let (_, args) = implementation.of.as_ref()?;
                Some(
                    args.iter()
                        .enumerate()
                        .map(|(index, &ty)| {
                            let (out, into) = self.impl_arg(id, index as u32);
                            TraitArg::Declared { ty, params: params.clone(), out, into }
                        })
                        .collect(),
                )
            }
        }
    }

    /// What functions of an implementation change of its type parameters' values, which come through the trait.
    fn owe_params(&mut self, id: ImplId, params: &[Option<Tree>]) {
        let program = self.program;
        for (index, (generic, param)) in program.impls[id.index()].generics.iter().zip(params).enumerate() {
            let Some(value) = *param else { continue };
            if self.shapes.size(value.ty) == 0 {
                continue;
            }
            for (of, _) in &generic.bounds {
                let of = *of;
                if self.shapes.trait_changes(of) {
                    let flag = self.impl_owes(id, index as u32);
                    self.when(flag, Action::Receive { value, of, call: true });
                }
            }
        }
    }

    /// What an implementation's type parameters say of one another.
    fn relate_bounds(&mut self, id: ImplId, params: &[Option<Tree>]) {
        let program = self.program;
        let nothing = Tree { ty: Ty::ERROR, base: 0 };
        let trees: Vec<Tree> = params.iter().map(|param| param.unwrap_or(nothing)).collect();
        for (generic, &tree) in program.impls[id.index()].generics.iter().zip(&trees) {
            for (of, bound_args) in &generic.bounds {
                if !bound_args.is_empty() {
                    self.relate_all(tree, *of, bound_args, &trees);
                }
            }
        }
    }

    /// The parts of a value that an implementation's type parameters stand for.
    fn collect(&mut self, declared: Ty, tree: Tree, into: &mut [Option<Tree>]) {
        if let TyKind::Param(index) = self.shapes.kind(declared) {
            if let Some(place) = into.get_mut(*index as usize) {
                match *place {
                    Some(known) => self.equate(known, tree),
                    None => *place = Some(tree),
                }
            }
            return;
        }
        for (index, (part, _)) in self.shapes.parts(tree).into_iter().enumerate() {
            if let Some((declared, _)) = self.shapes.part(declared, index) {
                self.collect(declared, part, into);
            }
        }
    }

    /// A trait's function for a type.
    fn trait_signature(&mut self, of: TraitId, args: &[Ty], method: u32, self_ty: Ty, method_args: &[Ty]) -> Signature {
        let program = self.program;
        let copies = Some(of) == program.lang.copy;
        let declared = program.traits[of.index()].methods[method as usize].function;
        if !matches!(self.shapes.kind(self_ty), TyKind::Param(_))
            && let Some((id, mut params)) = self.implementation_of(of, self_ty)
        {
            let implementation = &program.impls[id.index()];
            if let Some(Some(function)) = implementation.methods.get(method as usize) {
                if let Some((_, declared)) = &implementation.of {
                    for (&declared, &arg) in declared.iter().zip(args) {
                        self.unify(declared, arg, &mut params);
                    }
                }
                let mut all: Vec<Ty> = params.into_iter().map(|arg| arg.unwrap_or(Ty::ERROR)).collect();
                all.extend(method_args);
                let mut signature = self.instance(*function, &all);
                signature.fresh = copies;
                return signature;
            }
        }
        let all = [&[self_ty], args, method_args].concat();
        let open = matches!(self.shapes.kind(self_ty), TyKind::Param(_) | TyKind::Dyn(..));
        let mut signature = self.instance(declared, &all);
        signature.fresh = copies;
        signature.open = open;
        if open {
            self.open(&mut signature, args);
        }
        signature
    }

    /// Arguments of a trait that a type parameter implements: what comes out of them is read-only unless it is a type parameter,
    /// and what goes in has to be mutable.
    fn open(&mut self, signature: &mut Signature, args: &[Ty]) {
        let cause = self.cause(CauseKind::Instance(signature.function), self.site(), None);
        for (index, &arg) in args.iter().enumerate() {
            if matches!(self.shapes.kind(arg), TyKind::Param(_)) {
                continue;
            }
            let tree = self.fresh(arg);
            if let Some(place) = signature.input.get_mut(index + 1) {
                *place = tree;
            }
            self.demand_all(tree, Demand::Cause(cause));
        }
    }

    /// A trait's function for a `dyn` value.
    fn dyn_signature(&mut self, of: TraitId, method: u32, receiver: Tree) -> Signature {
        let program = self.program;
        let declared = &program.traits[of.index()];
        let function = declared.methods[method as usize].function;
        let mut trees = vec![receiver];
        if let TyKind::Dyn(id, _) = self.shapes.kind(receiver.ty)
            && *id == of
        {
            trees.extend(self.arguments(receiver));
        }
        Signature { function, input: trees.clone(), output: trees, open: true, fresh: false }
    }

    /// A value becomes `dyn`.
    pub(super) fn as_dyn(&mut self, from: Tree, of: TraitId, to: Tree) {
        if self.shapes.size(to.ty) == 0 || from.ty == to.ty {
            return self.flow(from, to);
        }
        let known = self.trait_args(from, of);
        for (index, part) in self.arguments(to).into_iter().enumerate() {
            self.relate(known.as_ref().and_then(|known| known.get(index)), part);
        }
        if self.shapes.has_flag(to.ty) {
            self.when(to.base, Action::Receive { value: from, of, call: false });
        }
    }

    /// A value is changed as functions of a trait do that change what they are called on.
    pub(super) fn receive(&mut self, value: Tree, of: TraitId, demand: Demand) {
        if self.shapes.size(value.ty) == 0 || !self.received.insert((value, of)) {
            return;
        }
        let program = self.program;
        match self.shapes.kind(value.ty) {
            TyKind::Param(_) => self.demand(value.base, demand),
            TyKind::Dyn(..) => self.demand_receiver(value, demand),
            _ => {
                let Some((id, _)) = self.implementation_of(of, value.ty) else { return };
                let implementation = &program.impls[id.index()];
                self.demand_declared(implementation.self_ty, value, demand);
                let mut params = vec![None; implementation.generics.len()];
                self.collect(implementation.self_ty, value, &mut params);
                for (index, (generic, param)) in implementation.generics.iter().zip(params).enumerate() {
                    let Some(param) = param else { continue };
                    for (of, _) in &generic.bounds {
                        if !self.shapes.trait_changes(*of) {
                            continue;
                        }
                        let flag = self.impl_param(id, index as u32);
                        let call = matches!(demand, Demand::Call(_));
                        self.when(flag, Action::Receive { value: param, of: *of, call });
                    }
                }
            }
        }
        for (of, _) in &program.traits[of.index()].supers {
            if self.shapes.trait_changes(*of) {
                self.receive(value, *of, demand);
            }
        }
    }

    /// What an implementation's own type names is demanded, not what its type parameters stand for.
    fn demand_declared(&mut self, declared: Ty, value: Tree, demand: Demand) {
        if matches!(self.shapes.kind(declared), TyKind::Param(_)) {
            return;
        }
        if self.shapes.has_flag(value.ty) {
            self.demand(value.base, demand);
        }
        for (index, (part, _)) in self.shapes.parts(value).into_iter().enumerate() {
            if let Some((declared, _)) = self.shapes.part(declared, index) {
                self.demand_declared(declared, part, demand);
            }
        }
    }

    /// The implementation that a type has of a trait.
    pub(super) fn implementation_of(&mut self, of: TraitId, ty: Ty) -> Found {
        if let Some(found) = self.found.get(&(of, ty)) {
            return found.clone();
        }
        // A search that comes back to itself finds nothing.
        self.found.insert((of, ty), None);
        let candidates = self.by_trait.get(&of).cloned().unwrap_or_default();
        let found = candidates.into_iter().find_map(|id| {
            let implementation = &self.program.impls[id.index()];
            let mut params = vec![None; implementation.generics.len()];
            if !self.unify(implementation.self_ty, ty, &mut params) {
                return None;
            }
            let blanket = matches!(self.shapes.kind(implementation.self_ty), TyKind::Param(_));
            let bounds = implementation.generics.iter().flat_map(|generic| &generic.bounds);
            let fits = !blanket || bounds.into_iter().all(|(of, _)| self.implementation_of(*of, ty).is_some());
            fits.then_some((id, params))
        });
        self.found.insert((of, ty), found.clone());
        found
    }

    /// Makes a type with an implementation's parameters equal to another.
    fn unify(&self, declared: Ty, ty: Ty, params: &mut [Option<Ty>]) -> bool {
        let all = |left: &[Ty], right: &[Ty], params: &mut [Option<Ty>]| {
            left.len() == right.len() && left.iter().zip(right).all(|(&a, &b)| self.unify(a, b, params))
        };
        match (self.shapes.kind(declared), self.shapes.kind(ty)) {
            (TyKind::Param(index), _) => match params.get_mut(*index as usize) {
                Some(param) => *param.get_or_insert(ty) == ty,
                None => false,
            },
            (TyKind::Array(a), TyKind::Array(b)) => self.unify(*a, *b, params),
            (TyKind::Tuple(a), TyKind::Tuple(b)) => all(a, b, params),
            (TyKind::Record(id, a), TyKind::Record(other, b)) => id == other && all(a, b, params),
            (TyKind::Enum(id, a), TyKind::Enum(other, b)) => id == other && all(a, b, params),
            (TyKind::Dyn(id, a), TyKind::Dyn(other, b)) => id == other && all(a, b, params),
            (TyKind::Fn(a, x), TyKind::Fn(b, y)) => all(a, b, params) && self.unify(*x, *y, params),
            _ => declared == ty,
        }
    }
}
