//! Literals of numbers, lists, maps and bytes, and ranges.

use std::rc::Rc;

use super::{Infer, Want};
use crate::diagnostic::Diagnostic;
use crate::lexer::{self, literal};
use crate::source::Span;
use crate::syntax;
use crate::typed::{
    BinaryOp, Callee, Expr, ExprKind, FnId, Pattern, PatternKind, RecordId, Stmt, StmtKind, Ty, TyKind,
};

impl<'a> Infer<'_, 'a> {
    /// A number; `negative` if a minus is before it.
    pub(super) fn int(&mut self, value: Option<u64>, negative: bool, span: Span) -> Expr {
        let Some(value) = value else { return self.error(span) };
        let bits = literal::is_bits(self.c.sources.text(span).trim_start_matches('-').trim_start());
        let number = match (negative, bits) {
            (false, true) => Some(value as i64),
            (true, true) => (value as i64).checked_neg(),
            (false, false) => i64::try_from(value).ok(),
            (true, false) => 0_i64.checked_sub_unsigned(value),
        };
        match number {
            Some(number) => self.expr_of(ExprKind::Int(number), Ty::INT, span),
            None => {
                self.report(lexer::too_large(span));
                self.error(span)
            }
        }
    }

    pub(super) fn bytes(&mut self, bytes: &Rc<[u8]>, span: Span) -> Expr {
        let buffer = self.expr_of(ExprKind::Buffer(bytes.clone()), Ty::BUFFER, span);
        match self.c.program.lang.bytes_from_buffer {
            Some(id) => self.lang_call(Some(id), Vec::new(), vec![buffer], span),
            None => self.error(span),
        }
    }

    /// A call of a function that the compiler knows of the prelude.
    pub(super) fn lang_call(&mut self, id: Option<FnId>, args: Vec<Ty>, values: Vec<Expr>, span: Span) -> Expr {
        let Some(id) = id else {
            self.report(Diagnostic::error("F0327", span, "the standard library lacks what this needs"));
            return self.error(span);
        };
        let (_, result) = self.instantiate(id, &args, span);
        Expr { kind: ExprKind::Call(Callee::Fn(id, args), values), ty: result, span }
    }

    /// What is wanted of the elements, if a collection of the prelude is.
    fn element_hint(&self, hint: Option<Ty>, of: Option<RecordId>, place: usize) -> Option<Ty> {
        match self.kind(hint?) {
            TyKind::Record(id, args) if Some(*id) == of => args.get(place).copied(),
            _ => None,
        }
    }

    /// Elements of one type: the wanted one, or that of the first.
    fn elements(
        &mut self,
        values: impl Iterator<Item = &'a syntax::Expr>,
        hint: Option<Ty>,
        span: Span,
    ) -> (Vec<Expr>, Ty) {
        let mut ty = hint;
        let mut made = Vec::new();
        for value in values {
            let value = match ty {
                Some(ty) => self.expr(value, Want::Exactly(ty)),
                None => self.expr(value, Want::Value(None)),
            };
            let found = self.c.shallow(value.ty);
            if ty.is_none() && found != Ty::NEVER && found != Ty::ERROR {
                ty = Some(found);
            }
            made.push(value);
        }
        let ty = match ty {
            Some(ty) => ty,
            None if made.is_empty() => self.c.fresh(span),
            None => Ty::ERROR,
        };
        (made, ty)
    }

    pub(super) fn list(&mut self, elements: &'a [syntax::Expr], hint: Option<Ty>, span: Span) -> Expr {
        let hint = self.element_hint(hint, self.c.program.lang.list, 0);
        let (values, element) = self.elements(elements.iter(), hint, span);
        let array = self.c.program.types.intern(TyKind::Array(element));
        let array = self.expr_of(ExprKind::Array(values), array, span);
        self.lang_call(self.c.program.lang.list_from_array, vec![element], vec![array], span)
    }

    pub(super) fn repeat(
        &mut self,
        value: &'a syntax::Expr,
        count: &'a syntax::Expr,
        hint: Option<Ty>,
        span: Span,
    ) -> Expr {
        let hint = self.element_hint(hint, self.c.program.lang.list, 0);
        let (mut values, element) = self.elements(std::iter::once(value), hint, span);
        values.push(self.expr(count, Want::Exactly(Ty::INT)));
        let Some(id) = self.c.program.lang.list_repeat else { return self.error(span) };
        self.lang_call(Some(id), vec![element], values, span)
    }

    pub(super) fn map(&mut self, entries: &'a [(syntax::Expr, syntax::Expr)], hint: Option<Ty>, span: Span) -> Expr {
        let of = self.c.program.lang.map;
        let (mut key, mut value) = (self.element_hint(hint, of, 0), self.element_hint(hint, of, 1));
        let mut made = Vec::with_capacity(entries.len());
        for (k, v) in entries {
            let k = self.expr(k, key.map_or(Want::Value(None), Want::Exactly));
            let v = self.expr(v, value.map_or(Want::Value(None), Want::Exactly));
            let is_known = |ty: Ty| ty != Ty::NEVER && ty != Ty::ERROR;
            key = key.or_else(|| Some(self.c.shallow(k.ty)).filter(|&ty| is_known(ty)));
            value = value.or_else(|| Some(self.c.shallow(v.ty)).filter(|&ty| is_known(ty)));
            made.push((k, v));
        }
        let mut known = |ty: Option<Ty>| match ty {
            Some(ty) => ty,
            None if entries.is_empty() => self.c.fresh(span),
            None => Ty::ERROR,
        };
        let args = vec![known(key), known(value)];
        let lang = self.c.program.lang;
        let new = self.lang_call(lang.map_new, args.clone(), Vec::new(), span);
        if made.is_empty() || new.ty == Ty::ERROR {
            return new;
        }
        let Some(insert) = lang.map_insert else { return self.error(span) };
        // What it asks of the key was asked for by the map.
        self.c.sign(insert);
        let inserted = self.c.program.functions[insert.index()].result;
        let inserted = self.c.program.types.substitute(inserted, &args);
        let ty = new.ty;
        let local = self.temporary(self.c.words.map, ty, true, span);
        let bind = Pattern { kind: PatternKind::Bind(local, None), ty, span };
        let mut stmts = vec![Stmt { kind: StmtKind::Let(bind, new, None), span }];
        for (k, v) in made {
            let at = k.span.to(v.span);
            let map = Expr { kind: ExprKind::Local(local), ty, span };
            let insert = Callee::Fn(insert, args.clone());
            let insert = Expr { kind: ExprKind::Call(insert, vec![map, k, v]), ty: inserted, span: at };
            stmts.push(Stmt { kind: StmtKind::Expr(insert), span: at });
        }
        let map = Expr { kind: ExprKind::Local(local), ty, span };
        Expr { kind: ExprKind::Block(stmts, Some(Box::new(map))), ty, span }
    }

    /// The value after an Int.
    pub(super) fn plus_one(&self, value: Expr) -> Expr {
        let span = value.span;
        if let ExprKind::Int(number) = value.kind
            && let Some(next) = number.checked_add(1)
        {
            return Expr { kind: ExprKind::Int(next), ..value };
        }
        let one = Expr { kind: ExprKind::Int(1), ty: Ty::INT, span };
        Expr { kind: ExprKind::Binary(BinaryOp::Add, Box::new(value), Box::new(one)), ty: Ty::INT, span }
    }

    pub(super) fn range(
        &mut self,
        start: Option<&'a syntax::Expr>,
        end: Option<&'a syntax::Expr>,
        inclusive: bool,
        span: Span,
    ) -> Expr {
        let made: Vec<Option<Expr>> =
            [start, end].into_iter().map(|bound| bound.map(|bound| self.expr(bound, Want::Exactly(Ty::INT)))).collect();
        let Ok([Some(start), Some(end)]) = <[Option<Expr>; 2]>::try_from(made) else {
            // The parser told so.
            return self.error(span);
        };
        let Some(id) = self.c.program.lang.range else { return self.error(span) };
        let end = if inclusive { self.plus_one(end) } else { end };
        let ty = self.c.program.types.intern(TyKind::Record(id, Box::new([])));
        Expr { kind: ExprKind::Record(id, vec![(0, start), (1, end)]), ty, span }
    }
}
