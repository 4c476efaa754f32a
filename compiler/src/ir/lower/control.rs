//! Statements, conditions, loops, and values where control flow meets.

use super::Lower;
use crate::ir::{Expr, Label, Local, Stmt};
use crate::typed::{self, BinaryOp, Callee, Conversion, ExprKind, LoopId, PatternKind, StmtKind, Ty, TyKind, UnaryOp};

impl<'a> Lower<'_, 'a> {
    /// Assigns an expression's value to locals.
    pub fn into(&mut self, expr: &'a typed::Expr, to: &[Local]) {
        match &expr.kind {
            ExprKind::Block(stmts, value) => {
                self.statements(stmts);
                if let Some(value) = value {
                    self.into(value, to);
                }
            }
            ExprKind::If(condition, then, otherwise) => self.conditional(condition, then, otherwise.as_deref(), to),
            ExprKind::Match(value, arms) => self.match_(value, arms, to),
            _ => {
                let parts = self.value(expr);
                let ty = self.ty(expr.ty);
                if self.is_never(ty) && !self.b.dead {
                    self.b.push(Stmt::Unreachable);
                }
                if to.is_empty() {
                    self.discard(parts);
                } else {
                    self.b.assign(to, parts);
                }
            }
        }
    }

    /// Evaluates an expression for its effects.
    pub fn effect(&mut self, expr: &'a typed::Expr) {
        match &expr.kind {
            ExprKind::Block(stmts, value) => {
                self.statements(stmts);
                if let Some(value) = value {
                    self.effect(value);
                }
            }
            // Whatever the branches give is thrown away, if it is nothing anyway.
            ExprKind::If(..) | ExprKind::Match(..) => {
                let ty = self.ty(expr.ty);
                if self.cx.parts(ty).is_empty() {
                    self.into(expr, &[]);
                } else {
                    let parts = self.value(expr);
                    self.discard(parts);
                }
            }
            _ => {
                let parts = self.value(expr);
                self.discard(parts);
            }
        }
    }

    /// Statements in order.
    pub fn statements(&mut self, stmts: &'a [typed::Stmt]) {
        for stmt in stmts {
            if self.b.dead {
                return;
            }
            match &stmt.kind {
                StmtKind::Let(pattern, value, otherwise) => self.let_(pattern, value, otherwise.as_ref()),
                StmtKind::Expr(expr) => self.effect(expr),
                StmtKind::While(id, condition, body) => self.while_(*id, condition, body),
                StmtKind::For { id, pattern, iterator, next, body } => self.for_(*id, pattern, iterator, next, body),
            }
        }
    }

    fn let_(&mut self, pattern: &'a typed::Pattern, value: &'a typed::Expr, otherwise: Option<&'a typed::Expr>) {
        let ty = self.ty(pattern.ty);
        match (&pattern.kind, otherwise) {
            (PatternKind::Wildcard, _) => self.effect(value),
            (PatternKind::Bind(id, None), _) => {
                let local = &self.locals[id.index()];
                if local.captured && local.assigned {
                    let parts = self.value(value);
                    return self.bind(*id, parts);
                }
                let parts = self.cx.parts(ty);
                // The value may read what the name was bound to in the turn before, but nothing else has these locals.
                let to = self.declare(*id, &parts);
                self.into(value, &to);
            }
            (_, None) => {
                let parts = self.value(value);
                let parts = self.stable(ty, parts);
                self.test(pattern, ty, parts, None);
            }
            (_, Some(otherwise)) => {
                let parts = self.value(value);
                let parts = self.stable(ty, parts);
                let end = self.b.begin_block();
                let fail = self.b.begin_block();
                self.test(pattern, ty, parts, Some(fail));
                self.b.push(Stmt::Break(end));
                self.b.end_block(fail);
                self.effect(otherwise);
                self.b.end_block(end);
            }
        }
    }

    fn conditional(
        &mut self,
        condition: &'a typed::Expr,
        then: &'a typed::Expr,
        otherwise: Option<&'a typed::Expr>,
        to: &[Local],
    ) {
        if is_plain(condition) {
            let condition = Self::only(self.value(condition));
            if self.b.dead {
                return;
            }
            let before = self.b.begin_if();
            self.into(then, to);
            let done = self.b.otherwise(before);
            if let Some(otherwise) = otherwise {
                self.into(otherwise, to);
            }
            self.b.end_if(before, condition, done);
            return;
        }
        let end = self.b.begin_block();
        let no = self.b.begin_block();
        self.branch(condition, no, false);
        self.into(then, to);
        self.b.push(Stmt::Break(end));
        self.b.end_block(no);
        if let Some(otherwise) = otherwise {
            self.into(otherwise, to);
        }
        self.b.end_block(end);
    }

    /// Jumps if a condition is `when`; names in it are bound if it holds.
    pub fn branch(&mut self, condition: &'a typed::Expr, label: Label, when: bool) {
        match &condition.kind {
            ExprKind::Unary(UnaryOp::Not, inner) if !is_plain(inner) => self.branch(inner, label, !when),
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), a, b) => {
                // `And` is known as soon as one is false, `Or` as soon as one is true.
                if (*op == BinaryOp::And) == when {
                    let skip = self.b.begin_block();
                    self.branch(a, skip, !when);
                    self.branch(b, label, when);
                    self.b.end_block(skip);
                } else {
                    self.branch(a, label, when);
                    self.branch(b, label, when);
                }
            }
            ExprKind::Is(value, pattern) => {
                let ty = self.ty(value.ty);
                let parts = self.value(value);
                let parts = self.stable(ty, parts);
                if when {
                    let skip = self.b.begin_block();
                    self.test(pattern, ty, parts, Some(skip));
                    self.b.push(Stmt::Break(label));
                    self.b.end_block(skip);
                } else {
                    self.test(pattern, ty, parts, Some(label));
                }
            }
            _ => {
                let value = Self::only(self.value(condition));
                if !self.b.dead {
                    self.b.break_if(if when { value } else { value.negate() }, label);
                }
            }
        }
    }

    fn while_(&mut self, id: LoopId, condition: &'a typed::Expr, body: &'a typed::Expr) {
        let end = self.b.begin_block();
        let begin = self.b.begin_block();
        self.loops.insert(id, (end, begin));
        self.branch(condition, end, false);
        self.effect(body);
        self.b.push(Stmt::Break(begin));
        self.b.end_loop(begin);
        self.b.end_block(end);
    }

    fn for_(
        &mut self,
        id: LoopId,
        pattern: &'a typed::Pattern,
        iterator: &'a typed::Expr,
        next: &'a Callee,
        body: &'a typed::Expr,
    ) {
        let ty = self.ty(iterator.ty);
        let parts = self.value(iterator);
        if self.b.dead {
            return;
        }
        let parts = self.stable(ty, parts);
        let element = self.ty(pattern.ty);
        let Some(option) = self.cx.program.lang.option else { return };
        let option = self.cx.types.intern(TyKind::Enum(option, [element].into()));
        let end = self.b.begin_block();
        let begin = self.b.begin_block();
        self.loops.insert(id, (end, begin));
        self.at(iterator.span);
        let value = self.call_with(next, ty, parts, option);
        let value = self.stable(option, value);
        let some = self.is_variant(option, &value, 1);
        self.b.break_if(some.negate(), end);
        if let Some((ty, value)) = self.payload(option, &value, 1, &[true]).pop() {
            let value = self.stable(ty, value);
            self.test(pattern, ty, value, None);
        }
        self.effect(body);
        self.b.push(Stmt::Break(begin));
        self.b.end_loop(begin);
        self.b.end_block(end);
    }

    /// `?`
    pub fn try_(&mut self, value: &'a typed::Expr, conversion: &'a Conversion, expr: &'a typed::Expr) -> Vec<Expr> {
        let ty = self.ty(value.ty);
        let parts = self.value(value);
        if self.b.dead {
            return Vec::new();
        }
        let parts = self.stable(ty, parts);
        self.at(expr.span);
        // `Some` is an Option's second variant, `Ok` a Result's first.
        let good = matches!(conversion, Conversion::Option) as u32;
        let fine = self.is_variant(ty, &parts, good);
        let before = self.b.begin_if();
        let done = self.b.otherwise(before);
        let result = self.result;
        let parts_of_result = match conversion {
            Conversion::Option => self.variant(result, 0, Vec::new()),
            _ => {
                let (error_ty, error) = self.payload(ty, &parts, 1, &[true]).pop().unwrap_or((Ty::ERROR, Vec::new()));
                let error = match conversion {
                    Conversion::Call(callee) => {
                        let target = self.cx.variant_fields(result, 1).first().copied().unwrap_or(Ty::ERROR);
                        self.call_with(callee, error_ty, error, target)
                    }
                    Conversion::Dyn(of) => vec![self.as_dyn_value(error_ty, error, *of, &[])],
                    _ => error,
                };
                self.variant(result, 1, error)
            }
        };
        self.b.push(Stmt::Return(parts_of_result));
        self.b.end_if(before, fine, done);
        self.payload(ty, &parts, good, &[true]).pop().map_or_else(Vec::new, |(_, value)| value)
    }
}

/// Whether a condition is one expression, with nothing that only part of it may do.
fn is_plain(condition: &typed::Expr) -> bool {
    match &condition.kind {
        ExprKind::Binary(BinaryOp::And | BinaryOp::Or, ..) | ExprKind::Is(..) => false,
        ExprKind::Unary(UnaryOp::Not, inner) => is_plain(inner),
        _ => true,
    }
}
