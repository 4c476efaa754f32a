//! Interpolation: a `Text` is made, and each piece written to it.
//!
//! Formats become arguments of the prelude's functions: `align` 0 left, 1 right, 2 centre; `flags` 1 for `+`, 2 for `#`, 4
//! for `0`; `kind` 0 plain, 1 binary, 2 octal, 3 hexadecimal, 4 the same in capitals, 5 with exponent; `precision` -1 where
//! there is none.

use super::{Infer, Want};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::{Align, Format, FormatKind, Piece};
use crate::typed::{Callee, Expr, ExprKind, LocalId, Pattern, PatternKind, Stmt, StmtKind, Ty, TyKind};

impl<'a> Infer<'_, 'a> {
    pub(super) fn interpolation(&mut self, pieces: &'a [Piece], span: Span) -> Expr {
        let mut stmts = Vec::with_capacity(pieces.len() + 1);
        let Some(text) = self.new_text(&mut stmts, span) else { return self.error(span) };
        for piece in pieces {
            let stmt = match piece {
                Piece::Text(part) => {
                    let part = self.expr_of(ExprKind::String(part.clone()), Ty::STRING, span);
                    self.push_text(text, part, span)
                }
                Piece::Value(value, format) => {
                    let value = self.expr(value, Want::Value(None));
                    self.push_value(text, value, format.as_ref())
                }
            };
            let span = stmt.span;
            stmts.push(Stmt { kind: StmtKind::Expr(stmt), span });
        }
        self.finish_text(text, stmts, span)
    }

    /// The text of a local's value, as it would be written.
    pub(super) fn debug_text(&mut self, local: LocalId, span: Span) -> Expr {
        let mut stmts = Vec::new();
        let Some(text) = self.new_text(&mut stmts, span) else { return self.error(span) };
        let value = self.local(local, span);
        let shown = self.show_value(text, value, true);
        stmts.push(Stmt { kind: StmtKind::Expr(shown), span });
        self.finish_text(text, stmts, span)
    }

    fn new_text(&mut self, stmts: &mut Vec<Stmt>, span: Span) -> Option<LocalId> {
        let new = self.lang_call(self.c.program.lang.text_new, Vec::new(), Vec::new(), span);
        if new.ty == Ty::ERROR {
            return None;
        }
        let ty = new.ty;
        let text = self.temporary(self.c.words.text, ty, true, span);
        let bind = Pattern { kind: PatternKind::Bind(text, None), ty, span };
        stmts.push(Stmt { kind: StmtKind::Let(bind, new, None), span });
        Some(text)
    }

    fn finish_text(&mut self, text: LocalId, stmts: Vec<Stmt>, span: Span) -> Expr {
        let text = self.local(text, span);
        let finish = self.lang_call(self.c.program.lang.text_finish, Vec::new(), vec![text], span);
        Expr { kind: ExprKind::Block(stmts, Some(Box::new(finish))), ty: Ty::STRING, span }
    }

    fn push_text(&mut self, text: LocalId, part: Expr, span: Span) -> Expr {
        let text = self.local(text, span);
        self.lang_call(self.c.program.lang.text_push, Vec::new(), vec![text, part], span)
    }

    /// Writes a value as `Show` does, or as its `debug` does.
    fn show_value(&mut self, text: LocalId, value: Expr, debug: bool) -> Expr {
        let span = value.span;
        let Some(of) = self.c.program.lang.show else { return self.error(span) };
        let self_ty = value.ty;
        self.oblige(self_ty, of, Vec::new(), span);
        let name = self.c.words.debug;
        let methods = &self.c.program.traits[of.index()].methods;
        let method = if debug { methods.iter().position(|method| method.name == name).unwrap_or(0) } else { 0 };
        let callee = Callee::Trait { of, args: Vec::new(), method: method as u32, self_ty, method_args: Vec::new() };
        let text = self.local(text, span);
        Expr { kind: ExprKind::Call(callee, vec![value, text]), ty: Ty::UNIT, span }
    }

    fn push_value(&mut self, text: LocalId, value: Expr, format: Option<&Format>) -> Expr {
        if self.c.is_hole(value.ty) {
            self.progress();
        }
        let ty = self.c.shallow(value.ty);
        let span = value.span;
        let Some(format) = format else {
            return match ty {
                Ty::STRING => self.push_text(text, value, span),
                Ty::ERROR | Ty::NEVER => value,
                _ => self.show_value(text, value, false),
            };
        };
        match self.c.program.types.kind(ty) {
            TyKind::Error | TyKind::Never => value,
            TyKind::Int => self.push_int(text, value, format),
            TyKind::Float => self.push_float(text, value, format),
            TyKind::Infer(_) => {
                self.annotate(span, "a format needs the type of this");
                self.error(span)
            }
            _ => self.push_padded(text, value, format),
        }
    }

    fn number(&self, value: i64, span: Span) -> Expr {
        Expr { kind: ExprKind::Int(value), ty: Ty::INT, span }
    }

    /// Fill, align, flags and width.
    fn placing(&self, format: &Format, default: i64, span: Span) -> [Expr; 4] {
        let align = match format.align {
            None => default,
            Some(Align::Left) => 0,
            Some(Align::Right) => 1,
            Some(Align::Center) => 2,
        };
        let flags = i64::from(format.plus) | i64::from(format.prefix) << 1 | i64::from(format.zero) << 2;
        let fill = Expr { kind: ExprKind::Char(format.fill), ty: Ty::CHAR, span };
        let width = self.number(i64::from(format.width), span);
        [fill, self.number(align, span), self.number(flags, span), width]
    }

    fn wrong_format(&mut self, format: &Format, what: &str, ty: Ty) {
        let message = format!("{what} is no format of `{}`", self.c.show(ty));
        self.report(Diagnostic::error("F0324", format.span, message));
    }

    fn push_int(&mut self, text: LocalId, value: Expr, format: &Format) -> Expr {
        let kind = match format.kind {
            FormatKind::Plain | FormatKind::Debug => 0,
            FormatKind::Binary => 1,
            FormatKind::Octal => 2,
            FormatKind::Hex => 3,
            FormatKind::UpperHex => 4,
            FormatKind::Exponent => {
                self.wrong_format(format, "`e`", Ty::INT);
                0
            }
        };
        if format.precision.is_some() {
            self.wrong_format(format, "a precision", Ty::INT);
        }
        let span = value.span;
        let [fill, align, flags, width] = self.placing(format, 1, span);
        let (text, kind) = (self.local(text, span), self.number(kind, span));
        let values = vec![text, value, fill, align, flags, width, kind];
        self.lang_call(self.c.program.lang.text_push_int, Vec::new(), values, span)
    }

    fn precision(&self, format: &Format, span: Span) -> Expr {
        self.number(format.precision.map_or(-1, i64::from), span)
    }

    fn push_float(&mut self, text: LocalId, value: Expr, format: &Format) -> Expr {
        let kind = match format.kind {
            FormatKind::Plain | FormatKind::Debug => 0,
            FormatKind::Exponent => 5,
            _ => {
                self.wrong_format(format, "a base", Ty::FLOAT);
                0
            }
        };
        if format.prefix {
            self.wrong_format(format, "`#`", Ty::FLOAT);
        }
        let span = value.span;
        let [fill, align, flags, width] = self.placing(format, 1, span);
        let (text, kind, precision) = (self.local(text, span), self.number(kind, span), self.precision(format, span));
        let values = vec![text, value, fill, align, flags, width, precision, kind];
        self.lang_call(self.c.program.lang.text_push_float, Vec::new(), values, span)
    }

    fn push_padded(&mut self, text: LocalId, value: Expr, format: &Format) -> Expr {
        let (ty, span) = (self.c.shallow(value.ty), value.span);
        let debug = format.kind == FormatKind::Debug;
        if !matches!(format.kind, FormatKind::Plain | FormatKind::Debug) {
            self.wrong_format(format, "this", ty);
        }
        if format.plus || format.prefix || format.zero {
            self.wrong_format(format, "a sign, a prefix or zeros", ty);
        }
        if format.width == 0 && format.precision.is_none() {
            return self.show_value(text, value, debug);
        }
        let part = if ty == Ty::STRING && !debug {
            value
        } else {
            let mut stmts = Vec::new();
            let Some(inner) = self.new_text(&mut stmts, span) else { return self.error(span) };
            let shown = self.show_value(inner, value, debug);
            stmts.push(Stmt { kind: StmtKind::Expr(shown), span });
            self.finish_text(inner, stmts, span)
        };
        let [fill, align, _, width] = self.placing(format, 0, span);
        let (text, precision) = (self.local(text, span), self.precision(format, span));
        let values = vec![text, part, fill, align, width, precision];
        self.lang_call(self.c.program.lang.text_push_padded, Vec::new(), values, span)
    }
}
