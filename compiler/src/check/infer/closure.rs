//! Closures.

use super::{Frame, FrameKind, Infer, Want};
use crate::check::written::access_tree;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::{self, Access, PatternKind as Written};
use crate::typed::{Closure, Expr, ExprKind, Pattern, PatternKind, Stmt, StmtKind, Ty, TyKind};

impl<'a> Infer<'_, 'a> {
    /// `|a, b| body`; what is wanted tells the types of parameters that have none.
    pub(super) fn closure(
        &mut self,
        params: &'a [syntax::ClosureParam],
        result: Option<&'a syntax::Type>,
        body: &'a syntax::Expr,
        hint: Option<Ty>,
        span: Span,
    ) -> Expr {
        let wanted = hint.and_then(|hint| match self.kind(hint) {
            TyKind::Fn(params, result) => Some((params.to_vec(), *result)),
            _ => None,
        });
        let wrong = wanted.as_ref().is_some_and(|(wanted, _)| wanted.len() != params.len());
        if let (true, Some((wanted, _))) = (wrong, &wanted) {
            let s = if wanted.len() == 1 { "" } else { "s" };
            let message = format!("a function with {} parameter{s} is wanted, this has {}", wanted.len(), params.len());
            let shown = hint.map(|hint| self.c.show(hint)).unwrap_or_default();
            self.report(Diagnostic::error("F0303", span, message).note(format!("expected `{shown}`")));
        }
        let mark = self.enter();
        let loops = std::mem::take(&mut self.loops);
        let mut locals = Vec::with_capacity(params.len());
        let mut types = Vec::with_capacity(params.len());
        let mut before = Vec::new();
        for (i, param) in params.iter().enumerate() {
            let known = wanted.as_ref().and_then(|(wanted, _)| wanted.get(i)).copied();
            let written = param.ty.as_ref().map(|ty| self.written_type(ty));
            let ty = match (&written, known) {
                (Some((ty, _)), Some(known)) => {
                    if !self.c.try_unify(known, *ty) {
                        self.mismatch(param.pattern.span, known, *ty);
                    }
                    *ty
                }
                (Some((ty, _)), None) => *ty,
                (None, Some(known)) => known,
                (None, None) => self.c.fresh(param.pattern.span),
            };
            types.push(ty);
            let local = match &param.pattern.kind {
                Written::Bind { mutable, name, sub: None } => {
                    let local = self.new_local(name.name, ty, *mutable, name.span);
                    if let Some((ty, written)) = &written {
                        let ty = self.c.resolve(*ty);
                        let default = if *mutable { Access::Mutable } else { Access::Read };
                        let access = access_tree(&self.c.program.types, ty, written, Some(default));
                        self.locals[local.index()].access = Some(access);
                    }
                    self.bring(name.name, local);
                    local
                }
                _ => {
                    let local = self.temporary(self.c.words.param, ty, false, param.pattern.span);
                    let value = Expr { kind: ExprKind::Local(local), ty, span: param.pattern.span };
                    let pattern: Pattern = self.bind_pattern(&param.pattern, ty);
                    if !matches!(pattern.kind, PatternKind::Wildcard) {
                        before.push(Stmt { kind: StmtKind::Let(pattern, value, None), span: param.pattern.span });
                    }
                    local
                }
            };
            locals.push(local);
        }
        let result = match (result, &wanted) {
            (Some(ty), _) => self.written_type(ty).0,
            (None, Some((_, result))) => *result,
            (None, None) => self.c.fresh(body.span),
        };
        let frame = std::mem::replace(&mut self.frame, Frame { result, kind: FrameKind::Closure });
        let value = if self.c.shallow(result) == Ty::UNIT {
            self.without_value(body)
        } else {
            self.expr(body, Want::Exactly(result))
        };
        self.frame = frame;
        self.loops = loops;
        self.leave(mark);
        let body = self.after(before, value);
        let ty = if wrong { Ty::ERROR } else { self.c.program.types.function(&types, result) };
        let closure = Closure { params: locals, captures: Vec::new(), body: Box::new(body) };
        Expr { kind: ExprKind::Closure(closure), ty, span }
    }
}
