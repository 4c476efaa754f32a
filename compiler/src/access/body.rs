//! Bodies: where each value comes from and goes to.

use super::call::Arg;
use super::flow::{Args, Declared, Demand};
use super::report::{Cause, CauseKind, Owner, Source};
use super::shape::Tree;
use super::{Checker, Context, Place};
use crate::source::Span;
use crate::syntax::Access;
use crate::typed::{
    AccessTree, Body, Closure, ConstId, Conversion, Expr, ExprKind, Field, FnId, LocalId, Pattern, PatternKind, Stmt,
    StmtKind, Ty, TyKind,
};

/// A value without flags.
const NOTHING: Tree = Tree { ty: Ty::UNIT, base: 0 };

impl<'p> Checker<'p> {
    /// A function with a body.
    pub(super) fn function(&mut self, id: FnId, body: &'p Body) {
        let result = self.result(id);
        self.context = Context {
            function: Some(id),
            body: Some(body),
            locals: vec![0; body.locals.len()],
            returns: vec![result],
            binding: None,
        };
        for index in 0..body.params {
            self.bind_parameter(id, index);
        }
        let value = self.expr(&body.value);
        self.graph.at(body.value.span);
        self.flow(value, result);
    }

    /// The value of a constant.
    pub(super) fn constant(&mut self, body: &'p Body) {
        let locals = vec![0; body.locals.len()];
        self.context = Context { function: None, body: Some(body), locals, returns: Vec::new(), binding: None };
        self.expr(&body.value);
    }

    /// A parameter, as the body sees it: just as it is declared.
    fn bind_parameter(&mut self, id: FnId, index: usize) {
        let program = self.program;
        let param = &program.functions[id.index()].params[index];
        let tree = self.fresh(param.ty);
        self.context.locals[index] = tree.base + 1;
        if self.shapes.size(param.ty) == 0 {
            return;
        }
        let source = Source::Param(id, index as u32);
        self.given = source;
        let cause = self.cause(CauseKind::Declared(id, index as u32), param.span, None);
        let place = self.parameter(id, index as u32);
        self.bind_part(tree, place, source, Demand::Cause(cause));
    }

    fn bind_part(&mut self, tree: Tree, place: Declared<'_>, source: Source<'p>, demand: Demand) {
        match (self.shapes.kind(tree.ty), place.own()) {
            // A function that was handed in: what it gives and takes is as its type says.
            (TyKind::Fn(..), _) => return self.leave(place, tree, Args::Own, None, None, demand),
            (TyKind::Param(_), Some(Access::Read)) => return self.forbid(tree.base, source),
            (TyKind::Param(_), _) => return self.leave(place, tree, Args::Own, None, None, demand),
            (_, own) => {
                if self.shapes.has_flag(tree.ty) {
                    match own {
                        Some(Access::Read) => self.forbid(tree.base, source),
                        // Who handed it in finds what is put into it.
                        Some(Access::Mutable) => return self.agree(tree, place, Args::Own, demand),
                        None => {}
                    }
                }
            }
        }
        let parts = self.shapes.parts(tree);
        for (place, (part, variance)) in self.declared_parts(place).into_iter().zip(parts) {
            if self.shapes.size(part.ty) == 0 {
                continue;
            }
            // What functions in it take is as with a function itself.
            if variance.other && !variance.same {
                self.leave(place, part, Args::Own, None, None, demand);
            } else {
                self.bind_part(part, place, source, demand);
            }
        }
    }

    /// Notes a cause of demands: its number.
    pub(super) fn cause(&mut self, kind: CauseKind, span: Span, value: Option<&'p Expr>) -> u32 {
        self.causes.push(Cause { kind, span, value, body: self.context.body });
        self.causes.len() as u32 - 1
    }

    /// The flags of a local.
    fn local(&mut self, id: LocalId) -> Tree {
        let Some(body) = self.context.body else { return NOTHING };
        let local = &body.locals[id.index()];
        if let Some(base) = self.context.locals[id.index()].checked_sub(1) {
            return Tree { ty: local.ty, base };
        }
        let tree = self.fresh(local.ty);
        self.context.locals[id.index()] = tree.base + 1;
        if self.shapes.size(local.ty) > 0 {
            let default = if local.mutable || self.names.text(local.name).starts_with("$") {
                Access::Mutable
            } else {
                Access::Read
            };
            let source = Source::Local(body, id, self.context.binding);
            self.bind_local(tree, local.access.as_ref(), default, source);
        }
        tree
    }

    /// What is read-only of a local. Whatever else is demanded of it is found by inference.
    fn bind_local(&mut self, tree: Tree, access: Option<&AccessTree>, default: Access, source: Source<'p>) {
        if matches!(self.shapes.kind(tree.ty), TyKind::Fn(..)) {
            return;
        }
        let (own, parts) = match access {
            Some(AccessTree::Node { access, parts }) => (access.unwrap_or(default), Some(parts)),
            _ => (default, None),
        };
        if own == Access::Read && self.shapes.has_flag(tree.ty) {
            self.forbid(tree.base, source);
        }
        for (index, (part, variance)) in self.shapes.parts(tree).into_iter().enumerate() {
            if self.shapes.size(part.ty) > 0 && (variance.same || !variance.other) {
                self.bind_local(part, parts.and_then(|parts| parts.get(index)), own, source);
            }
        }
    }

    /// A value that is evaluated and goes to a place.
    fn send(&mut self, expr: &'p Expr, to: Tree) {
        let value = self.expr(expr);
        self.graph.at(expr.span);
        self.flow(value, to);
    }

    /// An expression: the flags of its value.
    pub(super) fn expr(&mut self, expr: &'p Expr) -> Tree {
        let tree = self.expr_kind(expr);
        // What never comes about, or was not typed as expected, is nothing to follow.
        if tree.ty == expr.ty { tree } else { self.nothing(expr.ty, tree.ty) }
    }

    fn nothing(&mut self, ty: Ty, found: Ty) -> Tree {
        if self.shapes.size(ty) == 0 || found == Ty::NEVER || found == Ty::UNIT { self.fresh(ty) } else { NOTHING }
    }

    fn expr_kind(&mut self, expr: &'p Expr) -> Tree {
        match &expr.kind {
            ExprKind::Local(id) => self.local(*id),
            ExprKind::Const(id) => self.constant_value(*id, expr.ty),
            ExprKind::Tuple(parts) => {
                let tree = self.fresh(expr.ty);
                for (index, part) in parts.iter().enumerate() {
                    let to = self.shapes.part_tree(tree, index).unwrap_or(NOTHING);
                    self.send(part, to);
                }
                tree
            }
            ExprKind::TupleField(base, index) => {
                let base = self.expr(base);
                self.shapes.part_tree(base, *index as usize).unwrap_or(NOTHING)
            }
            ExprKind::Array(parts) => {
                let tree = self.fresh(expr.ty);
                let to = self.shapes.part_tree(tree, 0).unwrap_or(NOTHING);
                for part in parts {
                    self.send(part, to);
                }
                tree
            }
            ExprKind::Record(id, fields) => {
                let tree = self.fresh(expr.ty);
                let declared = self.shapes.record_fields(*id);
                for (index, value) in fields {
                    let field = &declared[*index as usize];
                    self.keep(value, Owner::Record(*id), *index, field, tree);
                }
                tree
            }
            ExprKind::Variant(id, tag, fields) => {
                let tree = self.fresh(expr.ty);
                let declared = self.shapes.variant_fields(*id, *tag);
                for (index, (value, field)) in fields.iter().zip(declared).enumerate() {
                    self.keep(value, Owner::Variant(*id, *tag), index as u32, field, tree);
                }
                tree
            }
            ExprKind::Field(base, id, index) => {
                let base = self.expr(base);
                self.graph.at(expr.span);
                let field = &self.shapes.record_fields(*id)[*index as usize];
                self.read_field(base, Owner::Record(*id), *index, field, expr.ty)
            }
            ExprKind::Call(callee, args) => self.call(expr, callee, args),
            ExprKind::Function(callee) => self.function_value(expr, callee),
            ExprKind::Constructor(id, tag) => self.constructor(expr, *id, *tag),
            ExprKind::Closure(closure) => self.closure(expr.ty, closure),
            ExprKind::ToDyn(value, of, _) => {
                let from = self.expr(value);
                self.graph.at(expr.span);
                let tree = self.fresh(expr.ty);
                self.as_dyn(from, *of, tree);
                tree
            }
            ExprKind::Block(stmts, value) => {
                for stmt in stmts {
                    self.statement(stmt);
                }
                value.as_ref().map_or(NOTHING, |value| self.expr(value))
            }
            ExprKind::Is(value, pattern) => {
                let value = self.expr(value);
                self.graph.at(pattern.span);
                self.pattern(pattern, value);
                NOTHING
            }
            ExprKind::If(condition, then, otherwise) => {
                self.expr(condition);
                let tree = self.fresh(expr.ty);
                self.send(then, tree);
                if let Some(otherwise) = otherwise {
                    self.send(otherwise, tree);
                }
                tree
            }
            ExprKind::Match(value, arms) => {
                let value = self.expr(value);
                let tree = self.fresh(expr.ty);
                for arm in arms {
                    self.graph.at(arm.pattern.span);
                    self.pattern(&arm.pattern, value);
                    if let Some(guard) = &arm.guard {
                        self.expr(guard);
                    }
                    self.send(&arm.body, tree);
                }
                tree
            }
            ExprKind::Try(value, conversion) => self.question(expr, value, conversion),
            ExprKind::Return(value) => {
                if let Some(value) = value
                    && let Some(&to) = self.context.returns.last()
                {
                    self.send(value, to);
                }
                NOTHING
            }
            ExprKind::AssignLocal(id, value) => {
                let to = self.local(*id);
                self.send(value, to);
                NOTHING
            }
            ExprKind::AssignField(base, id, index, value) => {
                let record = self.expr(base);
                let cause = self.cause(CauseKind::Assign, expr.span, Some(base));
                if self.shapes.has_flag(record.ty) {
                    self.demand(record.base, Demand::Cause(cause));
                }
                let field = &self.shapes.record_fields(*id)[*index as usize];
                self.keep(value, Owner::Record(*id), *index, field, record);
                NOTHING
            }
            ExprKind::Unary(_, value) => {
                self.expr(value);
                NOTHING
            }
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
                NOTHING
            }
            ExprKind::Assert(condition, _, message) => {
                self.expr(condition);
                if let Some(message) = message {
                    self.expr(message);
                }
                NOTHING
            }
            ExprKind::Buffer(_) => self.fresh(expr.ty),
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Char(_)
            | ExprKind::String(_)
            | ExprKind::Break(_)
            | ExprKind::Continue(_) => NOTHING,
        }
    }

    fn constant_value(&mut self, id: ConstId, ty: Ty) -> Tree {
        let tree = self.fresh(ty);
        self.forbid_all(tree, Source::Const(id));
        tree
    }

    /// The arguments of a record, enum or `dyn`.
    pub(super) fn arguments(&mut self, tree: Tree) -> Vec<Tree> {
        self.shapes.parts(tree).into_iter().map(|(part, _)| part).collect()
    }

    /// A field as it is declared.
    fn field<'f>(&mut self, owner: Owner, index: u32, field: &'f Field) -> Declared<'f> {
        let default = if field.mutable { Access::Mutable } else { Access::Read };
        let flags = self.place(Place::Field(owner, index), field.ty, &field.access);
        Declared { ty: field.ty, access: Some(&field.access), default: Some(default), flags }
    }

    /// A value that is kept in a field.
    fn keep(&mut self, value: &'p Expr, owner: Owner, index: u32, field: &'p Field, whole: Tree) {
        let from = self.expr(value);
        if self.shapes.size(from.ty) == 0 {
            return;
        }
        self.graph.at(value.span);
        self.given = Source::Field(owner, index);
        let args = self.arguments(whole);
        let cause = self.cause(CauseKind::Keep(owner, index), value.span, Some(value));
        let place = self.field(owner, index, field);
        self.enter(from, place, Args::Trees(&args, &args), Demand::Cause(cause));
    }

    /// A field's value.
    fn read_field(&mut self, base: Tree, owner: Owner, index: u32, field: &'p Field, ty: Ty) -> Tree {
        if self.shapes.size(ty) == 0 {
            return Tree { ty, base: 0 };
        }
        let args = self.arguments(base);
        if let TyKind::Param(index) = self.shapes.kind(field.ty)
            && let Some(&arg) = args.get(*index as usize)
            && arg.ty == ty
        {
            return arg;
        }
        let tree = self.fresh(ty);
        self.given = Source::Field(owner, index);
        let gate = self.shapes.has_flag(base.ty).then_some(base.base);
        let place = self.field(owner, index, field);
        let span = field.span;
        let cause = self.cause(CauseKind::Function, span, None);
        self.leave(place, tree, Args::Trees(&args, &args), gate, None, Demand::Cause(cause));
        tree
    }

    fn closure(&mut self, ty: Ty, closure: &'p Closure) -> Tree {
        let tree = self.fresh(ty);
        let parts = self.arguments(tree);
        for (&param, &part) in closure.params.iter().zip(&parts) {
            let to = self.local(param);
            self.flow(part, to);
        }
        let result = parts.last().copied().unwrap_or(NOTHING);
        self.context.returns.push(result);
        self.send(&closure.body, result);
        self.context.returns.pop();
        tree
    }

    fn question(&mut self, expr: &'p Expr, value: &'p Expr, conversion: &'p Conversion) -> Tree {
        let base = self.expr(value);
        self.graph.at(expr.span);
        let parts = self.arguments(base);
        let good = parts.first().copied().unwrap_or(NOTHING);
        let (Some(&error), Some(&to)) = (parts.get(1), self.context.returns.last()) else { return good };
        let to = self.shapes.part_tree(to, 1).unwrap_or(NOTHING);
        match conversion {
            Conversion::Option => {}
            Conversion::Same => self.flow(error, to),
            Conversion::Dyn(of) => self.as_dyn(error, *of, to),
            Conversion::Call(callee) => {
                let arg = Arg { tree: error, value: None };
                let result = self.call_trees(expr.span, callee, &[arg], to.ty);
                self.flow(result, to);
            }
        }
        good
    }

    fn statement(&mut self, stmt: &'p Stmt) {
        match &stmt.kind {
            StmtKind::Let(pattern, value, otherwise) => {
                let tree = self.expr(value);
                self.graph.at(value.span);
                self.context.binding = matches!(pattern.kind, PatternKind::Bind(_, None)).then_some(stmt.span);
                self.pattern(pattern, tree);
                self.context.binding = None;
                if let Some(otherwise) = otherwise {
                    self.expr(otherwise);
                }
            }
            StmtKind::Expr(value) => {
                self.expr(value);
            }
            StmtKind::While(_, condition, body) => {
                self.expr(condition);
                self.expr(body);
            }
            StmtKind::For { pattern, iterator, next, body, .. } => {
                let tree = self.expr(iterator);
                self.graph.at(iterator.span);
                let arg = Arg { tree, value: Some(iterator) };
                let element = self.next_element(iterator.span, next, arg, pattern.ty);
                self.graph.at(pattern.span);
                self.pattern(pattern, element);
                self.expr(body);
            }
        }
    }

    /// A value that is taken apart.
    fn pattern(&mut self, pattern: &'p Pattern, value: Tree) {
        // A value without flags may still have parts with some: read-only ones.
        if pattern.ty != value.ty {
            return;
        }
        match &pattern.kind {
            PatternKind::Bind(id, part) => {
                let to = self.local(*id);
                self.flow(value, to);
                if let Some(part) = part {
                    self.pattern(part, value);
                }
            }
            PatternKind::Tuple(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    let from = self.shapes.part_tree(value, index).unwrap_or(NOTHING);
                    self.pattern(part, from);
                }
            }
            PatternKind::Record(id, fields) => {
                let declared = self.shapes.record_fields(*id);
                for (index, part) in fields {
                    self.field_pattern(value, Owner::Record(*id), *index, &declared[*index as usize], part);
                }
            }
            PatternKind::Variant(id, tag, parts) => {
                let declared = self.shapes.variant_fields(*id, *tag);
                for (index, (part, field)) in parts.iter().zip(declared).enumerate() {
                    self.field_pattern(value, Owner::Variant(*id, *tag), index as u32, field, part);
                }
            }
            PatternKind::List { before, rest, after } => {
                let element = self.shapes.part_tree(value, 0).unwrap_or(NOTHING);
                for part in before.iter().chain(after) {
                    self.pattern(part, element);
                }
                if let Some(Some(rest)) = rest {
                    // A list of its own, with the same elements.
                    let list = self.fresh(value.ty);
                    let to = self.shapes.part_tree(list, 0).unwrap_or(NOTHING);
                    self.equate(element, to);
                    self.pattern(rest, list);
                }
            }
            PatternKind::Or(parts) => parts.iter().for_each(|part| self.pattern(part, value)),
            _ => {}
        }
    }

    fn field_pattern(&mut self, value: Tree, owner: Owner, index: u32, field: &'p Field, part: &'p Pattern) {
        // What has no flags may have parts with some: read-only ones.
        if !matches!(part.kind, PatternKind::Wildcard) {
            let from = self.read_field(value, owner, index, field, part.ty);
            self.pattern(part, from);
        }
    }
}
