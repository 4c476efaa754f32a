//! Expressions, by what they are; those of several lines have files of their own.

use super::{FrameKind, Infer, Member, Want};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::{self, BinaryOp, ExprKind as Written};
use crate::typed::{Arm, Callee, Conversion, Expr, ExprKind, Ty, TyKind};

/// What the branches of a conditional have in common.
struct Join {
    want: Want,
    /// What the branches so far give.
    ty: Option<Ty>,
}

impl Join {
    fn new(want: Want) -> Self {
        Self { want, ty: None }
    }

    /// What is wanted of the next branch.
    fn want(&self) -> Want {
        match (self.want, self.ty) {
            (Want::Value(_), Some(ty)) => Want::Exactly(ty),
            (want, _) => want,
        }
    }
}

impl<'a> Infer<'_, 'a> {
    /// An expression; if a type is exactly wanted, the value has it, is `Never`, or was told to be wrong.
    pub(super) fn expr(&mut self, expr: &'a syntax::Expr, want: Want) -> Expr {
        let made = match &expr.kind {
            Written::Paren(inner) => return self.expr(inner, want),
            Written::Block(block) => return self.block(block, want),
            Written::If { condition, then, otherwise } => {
                return self.if_expr(condition, then, otherwise.as_deref(), want, expr.span);
            }
            Written::Match { value, arms } => return self.match_expr(value, arms, want, expr.span),
            _ => self.plain(expr, want.hint()),
        };
        self.c.report_exceeded(expr.span);
        match want {
            Want::Exactly(ty) => self.coerce(made, ty),
            Want::Value(_) | Want::Nothing => made,
        }
    }

    fn plain(&mut self, expr: &'a syntax::Expr, hint: Option<Ty>) -> Expr {
        let span = expr.span;
        match &expr.kind {
            Written::Int(value) => self.int(*value, false, span),
            Written::Float(value) => self.expr_of(ExprKind::Float(*value), Ty::FLOAT, span),
            Written::Bool(value) => self.expr_of(ExprKind::Bool(*value), Ty::BOOL, span),
            Written::Char(value) => self.expr_of(ExprKind::Char(*value), Ty::CHAR, span),
            Written::String(text) => self.expr_of(ExprKind::String(text.clone()), Ty::STRING, span),
            Written::Interpolation(pieces) => self.interpolation(pieces, span),
            Written::Bytes(bytes) => self.bytes(bytes, span),
            Written::Name(_) | Written::Generic(..) => self.path_expr(expr, hint),
            Written::Field(base, name) => {
                if self.is_path(base) {
                    return self.path_expr(expr, hint);
                }
                let base = self.expr(base, Want::Value(None));
                self.member(base, Member::Field(*name), hint)
            }
            Written::TupleField(base, index, at) => {
                let base = self.expr(base, Want::Value(None));
                self.member(base, Member::TupleField(*index, *at), hint)
            }
            Written::Index(base, index) => {
                let base = self.expr(base, Want::Value(None));
                self.member(base, Member::Index(index), hint)
            }
            Written::Call(callee, args) => self.call(expr, callee, args, hint),
            Written::Try(inner) => self.try_expr(inner, hint, span),
            Written::Unary(op, inner) => self.unary(*op, inner, span),
            Written::Binary(op, left, right, _) => self.binary_expr(*op, left, right, span),
            Written::Range { start, end, inclusive } => self.range(start.as_deref(), end.as_deref(), *inclusive, span),
            Written::Tuple(parts) => self.tuple(parts, hint, span),
            Written::List(elements) => self.list(elements, hint, span),
            Written::Repeat(value, count) => self.repeat(value, count, hint, span),
            Written::Map(entries) => self.map(entries, hint, span),
            Written::Record { path, fields, base } => self.record(path, fields, base.as_deref(), hint, span),
            Written::Let(pattern, value) => {
                // The parser told so.
                let value = self.expr(value, Want::Value(None));
                self.bind_pattern(pattern, value.ty);
                self.error(span)
            }
            Written::Closure { params, result, body } => self.closure(params, result.as_deref(), body, hint, span),
            Written::Return(value) => self.return_expr(value.as_deref(), span),
            Written::Break(label) => self.break_loop(*label, true, span),
            Written::Continue(label) => self.break_loop(*label, false, span),
            Written::Assert(condition, message) => self.assert(condition, message.as_deref(), span),
            Written::Error => self.error(span),
            Written::Paren(_) | Written::Block(_) | Written::If { .. } | Written::Match { .. } => self.error(span),
        }
    }

    /// Something of a value: of its type, or put off until that is known.
    pub(super) fn member(&mut self, base: Expr, member: Member<'a>, hint: Option<Ty>) -> Expr {
        if self.c.is_hole(base.ty) {
            self.progress();
        }
        let span = base.span.to(match member {
            Member::Field(name) => name.span,
            Member::TupleField(_, span) => span,
            Member::Index(index) => Span { end: index.span.end + 1, ..index.span },
            Member::Method { span, .. } => span,
        });
        if self.c.is_hole(base.ty) {
            return self.defer(base, member, hint, span);
        }
        if self.c.shallow(base.ty) == Ty::NEVER {
            // What follows is never reached; its parts are looked at all the same.
            if let Member::Method { args, .. } = member {
                self.loose_args(args);
            }
            return base;
        }
        if let Member::Field(name) | Member::Method { name, .. } = member {
            self.probe_value(&base, name);
        }
        match member {
            Member::Field(name) => self.field(base, name, span),
            Member::TupleField(index, at) => self.tuple_field(base, index, at, span),
            Member::Index(index) => self.index(base, index, span),
            Member::Method { name, types, args, .. } => self.method_call(base, name, types, args, hint, span),
        }
    }

    fn branch(&mut self, join: &mut Join, branch: impl FnOnce(&mut Self, Want) -> Expr) -> Expr {
        let made = branch(self, join.want());
        let ty = self.c.shallow(made.ty);
        if join.ty.is_none() && ty != Ty::NEVER && ty != Ty::ERROR {
            join.ty = Some(ty);
        }
        made
    }

    /// The type of a conditional with these branches.
    fn joined(&mut self, join: &Join, branches: &[Ty]) -> Ty {
        let reached = branches.iter().map(|&ty| self.c.shallow(ty)).any(|ty| ty != Ty::NEVER);
        match (join.want, join.ty) {
            _ if !reached => Ty::NEVER,
            (Want::Nothing, _) => Ty::UNIT,
            (Want::Exactly(ty), _) | (Want::Value(_), Some(ty)) => ty,
            (Want::Value(_), None) => Ty::ERROR,
        }
    }

    /// A condition; what its `let`s bind is in scope afterwards.
    pub(super) fn condition(&mut self, expr: &'a syntax::Expr) -> Expr {
        match &expr.kind {
            Written::Binary(BinaryOp::And, left, right, _) => {
                let left = self.condition(left);
                let right = self.condition(right);
                let kind = ExprKind::Binary(BinaryOp::And, Box::new(left), Box::new(right));
                self.expr_of(kind, Ty::BOOL, expr.span)
            }
            Written::Let(pattern, value) => {
                let value = self.expr(value, Want::Value(None));
                let pattern = self.bind_pattern(pattern, value.ty);
                self.expr_of(ExprKind::Is(Box::new(value), Box::new(pattern)), Ty::BOOL, expr.span)
            }
            _ => self.expr(expr, Want::Exactly(Ty::BOOL)),
        }
    }

    fn if_expr(
        &mut self,
        condition: &'a syntax::Expr,
        then: &'a syntax::Block,
        otherwise: Option<&'a syntax::Expr>,
        want: Want,
        span: Span,
    ) -> Expr {
        let mark = self.enter();
        let condition = self.condition(condition);
        let mut wrong = false;
        let want = match (want, otherwise) {
            // Without `else` there is no value.
            (Want::Value(_), None) => Want::Nothing,
            (Want::Exactly(ty), None) => {
                if !self.c.try_unify(ty, Ty::UNIT) {
                    let text = self.c.show(ty);
                    let error = Diagnostic::error("F0314", span, "this `if` has no `else`")
                        .label(format!("a `{text}` is wanted in either case"));
                    self.report(error);
                    wrong = true;
                }
                if wrong { Want::Value(None) } else { Want::Nothing }
            }
            (want, _) => want,
        };
        let mut join = Join::new(want);
        let then = self.branch(&mut join, |infer, want| infer.block(then, want));
        self.leave(mark);
        let Some(otherwise) = otherwise else {
            let kind = ExprKind::If(Box::new(condition), Box::new(then), None);
            return Expr { kind, ty: if wrong { Ty::ERROR } else { Ty::UNIT }, span };
        };
        let otherwise = self.branch(&mut join, |infer, want| match want {
            Want::Nothing => infer.without_value(otherwise),
            want => infer.expr(otherwise, want),
        });
        let ty = self.joined(&join, &[then.ty, otherwise.ty]);
        let kind = ExprKind::If(Box::new(condition), Box::new(then), Some(Box::new(otherwise)));
        Expr { kind, ty, span }
    }

    fn match_expr(&mut self, value: &'a syntax::Expr, arms: &'a [syntax::Arm], want: Want, span: Span) -> Expr {
        let value = self.expr(value, Want::Value(None));
        if self.c.is_hole(value.ty) {
            self.progress();
        }
        let mut join = Join::new(want);
        let mut types = Vec::with_capacity(arms.len());
        let mut made = Vec::with_capacity(arms.len());
        for arm in arms {
            let mark = self.enter();
            let pattern = self.bind_pattern(&arm.pattern, value.ty);
            let guard = arm.guard.as_ref().map(|guard| self.condition(guard));
            let body = self.branch(&mut join, |infer, want| match want {
                Want::Nothing => infer.without_value(&arm.body),
                want => infer.expr(&arm.body, want),
            });
            self.leave(mark);
            types.push(body.ty);
            made.push(Arm { pattern, guard, body });
        }
        let ty = self.joined(&join, &types);
        Expr { kind: ExprKind::Match(Box::new(value), made), ty, span }
    }

    fn tuple(&mut self, parts: &'a [syntax::Expr], hint: Option<Ty>, span: Span) -> Expr {
        let hints: Vec<Option<Ty>> = match hint.map(|hint| self.kind(hint)) {
            Some(TyKind::Tuple(hints)) if hints.len() == parts.len() => hints.iter().copied().map(Some).collect(),
            _ => vec![None; parts.len()],
        };
        // The wanted types are those of the parts, so that each may become a `dyn`.
        let made: Vec<Expr> = parts
            .iter()
            .zip(hints)
            .map(|(part, hint)| {
                let want = match hint {
                    Some(ty) if matches!(self.kind(ty), TyKind::Dyn(..)) => Want::Exactly(ty),
                    hint => Want::Value(hint),
                };
                self.expr(part, want)
            })
            .collect();
        let types: Vec<Ty> = made.iter().map(|part| part.ty).collect();
        let ty = self.c.program.types.tuple(&types);
        Expr { kind: ExprKind::Tuple(made), ty, span }
    }

    fn tuple_field(&mut self, base: Expr, index: u32, at: Span, span: Span) -> Expr {
        let ty = self.c.shallow(base.ty);
        match self.c.program.types.kind(ty) {
            TyKind::Tuple(parts) if (index as usize) < parts.len() => {
                let ty = parts[index as usize];
                Expr { kind: ExprKind::TupleField(Box::new(base), index), ty, span }
            }
            TyKind::Error => self.error(span),
            TyKind::Tuple(parts) => {
                let message = format!("this tuple has {} parts, no part {index}", parts.len());
                self.report(Diagnostic::error("F0212", at, message).note("the first one is `.0`"));
                self.error(span)
            }
            _ => {
                let message = format!("`{}` is no tuple", self.c.show(ty));
                self.report(Diagnostic::error("F0212", at, message));
                self.error(span)
            }
        }
    }

    fn return_expr(&mut self, value: Option<&'a syntax::Expr>, span: Span) -> Expr {
        let result = self.frame.result;
        let value = match (value, self.frame.kind) {
            (_, FrameKind::Constant) => {
                self.report(Diagnostic::error("F0315", span, "`return` outside of a function"));
                None
            }
            (None, FrameKind::Script) => {
                let nothing = self.no_value(span);
                self.c.program.lang.result.filter(|_| result != Ty::UNIT).map(|id| Expr {
                    kind: ExprKind::Variant(id, 0, vec![nothing]),
                    ty: result,
                    span,
                })
            }
            (Some(value), FrameKind::Closure) if self.c.is_hole(result) => {
                Some(self.expr(value, Want::Exactly(result)))
            }
            (Some(value), _) => Some(self.expr(value, Want::Exactly(result))),
            (None, _) => {
                if !self.c.try_unify(result, Ty::UNIT) {
                    let text = self.c.show(result);
                    let error = Diagnostic::error("F0315", span, "`return` without a value");
                    self.report(error.label(format!("a `{text}` is to be returned")));
                }
                None
            }
        };
        Expr { kind: ExprKind::Return(value.map(Box::new)), ty: Ty::NEVER, span }
    }

    fn assert(&mut self, condition: &'a syntax::Expr, message: Option<&'a syntax::Expr>, span: Span) -> Expr {
        let text = self.c.sources.text(condition.span).into();
        let made = self.expr(condition, Want::Exactly(Ty::BOOL));
        let message = message.map(|message| Box::new(self.expr(message, Want::Exactly(Ty::STRING))));
        Expr { kind: ExprKind::Assert(Box::new(made), text, message), ty: Ty::UNIT, span }
    }

    /// `value?`
    fn try_expr(&mut self, inner: &'a syntax::Expr, hint: Option<Ty>, span: Span) -> Expr {
        let _ = hint;
        let value = self.expr(inner, Want::Value(None));
        if self.c.is_hole(value.ty) {
            self.progress();
        }
        let ty = self.c.shallow(value.ty);
        let lang = self.c.program.lang;
        match self.c.program.types.kind(ty) {
            TyKind::Error | TyKind::Never => Expr { span, ..value },
            TyKind::Infer(_) => {
                self.annotate(value.span, "the type of this is not known here");
                self.error(span)
            }
            TyKind::Enum(id, args) if Some(*id) == lang.result => {
                let (good, bad) = (args[0], args[1]);
                match self.conversion(bad, span) {
                    Some(conversion) => Expr { kind: ExprKind::Try(Box::new(value), conversion), ty: good, span },
                    None => Expr { ty: good, ..self.error(span) },
                }
            }
            TyKind::Enum(id, args) if Some(*id) == lang.option => {
                let good = args[0];
                self.try_option(value, good, span)
            }
            _ => {
                let message = format!("`?` takes a Result or an Option, not `{}`", self.c.show(ty));
                self.report(Diagnostic::error("F0310", span, message));
                self.error(span)
            }
        }
    }

    fn try_option(&mut self, value: Expr, good: Ty, span: Span) -> Expr {
        let result = self.c.shallow(self.frame.result);
        let Some(option) = self.c.program.lang.option else { return self.error(span) };
        let fits = match self.c.program.types.kind(result) {
            TyKind::Enum(id, _) => *id == option,
            TyKind::Error => true,
            TyKind::Infer(_) => {
                let inner = self.c.fresh(span);
                let ty = self.c.program.types.intern(TyKind::Enum(option, Box::new([inner])));
                self.c.unify(result, ty)
            }
            _ => false,
        };
        if !fits {
            let found = self.c.show(result);
            let error = Diagnostic::error("F0310", span, "`?` would return `None` here")
                .label(format!("what is around it gives `{found}`"))
                .help("`.ok_or(error)?` makes an error of it");
            self.report(error);
            return Expr { ty: good, ..self.error(span) };
        }
        Expr { kind: ExprKind::Try(Box::new(value), Conversion::Option), ty: good, span }
    }

    /// How an error becomes one that may be returned here.
    fn conversion(&mut self, error: Ty, span: Span) -> Option<Conversion> {
        let result = self.c.shallow(self.frame.result);
        let lang = self.c.program.lang;
        let target = match self.c.program.types.kind(result) {
            TyKind::Error => return Some(Conversion::Same),
            TyKind::Enum(id, args) if Some(*id) == lang.result => args[1],
            TyKind::Infer(_) => {
                let good = self.c.fresh(span);
                let args = Box::new([good, error]);
                let ty = self.c.program.types.intern(TyKind::Enum(lang.result?, args));
                return self.c.unify(result, ty).then_some(Conversion::Same);
            }
            _ => {
                self.no_result(result, span);
                return None;
            }
        };
        let (found, wanted) = (self.c.shallow(error), self.c.shallow(target));
        let known = !self.c.is_hole(found) && !self.c.is_hole(wanted);
        if !known || self.c.try_unify(found, wanted) {
            self.c.unify(found, wanted);
            return Some(Conversion::Same);
        }
        if let TyKind::Dyn(of, args) = self.c.program.types.kind(wanted) {
            let (of, args) = (*of, args.to_vec());
            if self.c.may_implement(found, of) {
                self.oblige(found, of, args, span);
                return Some(Conversion::Dyn(of));
            }
        } else if let Some(from) = lang.from {
            let of = [found];
            let before = self.c.snapshot();
            let step = self.c.find(wanted, from, &of);
            if let super::super::traits::Step::Yes(solution, nested) = step
                && solution.args.iter().zip(&of).all(|(&a, &b)| self.c.unify(a, b))
            {
                self.c.commit(before);
                for nested in nested {
                    self.oblige(nested.ty, nested.of, nested.args, span);
                }
                let args = vec![found];
                let callee = Callee::Trait { of: from, args, method: 0, self_ty: wanted, method_args: Vec::new() };
                return Some(Conversion::Call(callee));
            }
            self.c.rollback(before);
        }
        self.no_conversion(found, wanted, span);
        None
    }

    fn no_result(&mut self, result: Ty, span: Span) {
        let error = Diagnostic::error("F0310", span, "`?` would return an error here");
        let error = match self.frame.kind {
            FrameKind::Test => error.label("a test gives nothing").help("use `.unwrap()`"),
            FrameKind::Constant => error.label("a constant has a value in any case"),
            FrameKind::Closure => error.label(format!("this closure gives `{}`", self.c.show(result))),
            _ if result == Ty::UNIT => {
                error.label("this function gives nothing").help("let it give `Result<()>`, and end with `Ok(())`")
            }
            _ => error.label(format!("this function gives `{}`", self.c.show(result))).help("let it give a `Result`"),
        };
        self.report(error);
    }

    fn no_conversion(&mut self, found: Ty, wanted: Ty, span: Span) {
        let (have, want) = (self.c.show(found), self.c.show(wanted));
        let message = format!("`?` cannot make a `{want}` of a `{have}`");
        let error = Diagnostic::error("F0310", span, message);
        let error = match self.kind(wanted) {
            TyKind::Dyn(of, _) => error.note(format!("`{have}` does not implement `{}`", self.c.show_trait(*of, &[]))),
            _ => error.help(format!("`impl From<{have}> for {want}` would say how, or use `.map_err(…)`")),
        };
        self.report(error);
    }
}
