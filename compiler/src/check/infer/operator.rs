//! Operators. Those of values that are not plain become calls in `finish`, once their type is known.

use super::{Infer, Want};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax;
use crate::typed::{BinaryOp, Expr, ExprKind, Ty, TyKind, UnaryOp};

/// An operator whose operands' type was not known.
pub(super) struct Open {
    what: Operator,
    ty: Ty,
    span: Span,
}

#[derive(Clone, Copy)]
enum Operator {
    Binary(BinaryOp),
    Neg,
}

fn compares(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge)
}

/// Whether comparisons of a type are operators in the typed tree.
pub(super) fn is_plain(ty: Ty) -> bool {
    [Ty::INT, Ty::FLOAT, Ty::BOOL, Ty::CHAR, Ty::STRING].contains(&ty)
}

impl<'a> Infer<'_, 'a> {
    pub(super) fn binary_expr(
        &mut self,
        op: BinaryOp,
        left: &'a syntax::Expr,
        right: &'a syntax::Expr,
        span: Span,
    ) -> Expr {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            let left = self.expr(left, Want::Exactly(Ty::BOOL));
            let right = self.expr(right, Want::Exactly(Ty::BOOL));
            return self.expr_of(ExprKind::Binary(op, Box::new(left), Box::new(right)), Ty::BOOL, span);
        }
        let left = self.expr(left, Want::Value(None));
        let right = self.operand(op, right, left.ty);
        self.binary(op, left, right, span)
    }

    /// The second operand of an operator, the first having a type.
    pub(super) fn operand(&mut self, _op: BinaryOp, value: &'a syntax::Expr, first: Ty) -> Expr {
        self.expr(value, Want::Value(Some(first)))
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
        let (a, b) = (self.c.shallow(left.ty), self.c.shallow(right.ty));
        let known = if a == Ty::NEVER { b } else { a };
        let result = if compares(op) { Ty::BOOL } else { known };
        let fits = a == Ty::NEVER || b == Ty::NEVER || self.c.try_unify(a, b);
        if !fits {
            self.different_operands(op, &left, &right, span);
        } else if a != Ty::ERROR && b != Ty::ERROR {
            self.check_operator(Operator::Binary(op), known, span, true);
        }
        let ty = if fits {
            result
        } else if compares(op) {
            Ty::BOOL
        } else {
            Ty::ERROR
        };
        Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, span }
    }

    fn different_operands(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span) {
        let (a, b) = (self.c.resolve(left.ty), self.c.resolve(right.ty));
        if self.c.program.types.has_error(a) || self.c.program.types.has_error(b) {
            return;
        }
        let (first, second) = (self.c.show(a), self.c.show(b));
        let message = format!("`{}` of `{first}` and `{second}`", op.sign());
        let error = Diagnostic::error("F0307", span, message)
            .also(left.span, format!("`{first}`"))
            .also(right.span, format!("`{second}`"));
        let error = match (op, a, b) {
            (_, Ty::INT, Ty::FLOAT) | (_, Ty::FLOAT, Ty::INT) => {
                let int = if a == Ty::INT { left.span } else { right.span };
                if matches!(if a == Ty::INT { &left.kind } else { &right.kind }, ExprKind::Int(_)) {
                    error.repair("a Float has a point", int.after(), ".0")
                } else {
                    error.help("numbers are never converted by themselves: `.to_float()`, `.to_int()`")
                }
            }
            (BinaryOp::Add, Ty::STRING, _) | (BinaryOp::Add, _, Ty::STRING) => {
                error.help("interpolation makes texts of values: `\"{value}\"`")
            }
            _ => error,
        };
        self.report(error);
    }

    /// Whether there is such an operator of a type; later if that is not known and `wait`.
    fn check_operator(&mut self, what: Operator, ty: Ty, span: Span, wait: bool) {
        use BinaryOp::*;
        let ty = self.c.shallow(ty);
        let lang = self.c.program.lang;
        let ok = match what {
            Operator::Binary(Eq | Ne | Lt | Le | Gt | Ge) if is_plain(ty) => true,
            Operator::Binary(op @ (Eq | Ne | Lt | Le | Gt | Ge)) => {
                let of = if matches!(op, Eq | Ne) { lang.eq } else { lang.ord };
                if let Some(of) = of {
                    self.oblige(ty, of, Vec::new(), span);
                }
                return;
            }
            _ if self.c.is_hole(ty) => {
                if wait {
                    self.operators.push(Open { what, ty, span });
                }
                return;
            }
            Operator::Binary(Add) => [Ty::INT, Ty::FLOAT, Ty::STRING].contains(&ty),
            Operator::Binary(Sub | Mul | Div) | Operator::Neg => [Ty::INT, Ty::FLOAT].contains(&ty),
            Operator::Binary(Rem | BitOr | BitXor | BitAnd | Shl | Shr) => ty == Ty::INT,
            Operator::Binary(And | Or) => ty == Ty::BOOL,
        };
        if ok || ty == Ty::ERROR || ty == Ty::NEVER {
            return;
        }
        let (shown, symbol) = match what {
            Operator::Binary(op) => (self.c.show(ty), op.sign()),
            Operator::Neg => (self.c.show(ty), "-"),
        };
        let error = Diagnostic::error("F0307", span, format!("there is no `{symbol}` of `{shown}`"));
        let error = match (what, self.kind(ty)) {
            (Operator::Binary(BitOr | BitAnd), TyKind::Bool) => error.help("of truth values: `&&`, `||`"),
            (Operator::Binary(Add), TyKind::Record(id, _)) if Some(*id) == lang.list => {
                error.help("`.extend(…)` adds elements")
            }
            (Operator::Binary(Add), TyKind::Char) => error.help("interpolation joins texts: `\"{a}{b}\"`"),
            (_, TyKind::Param(_)) => error.note("operators on numbers need the type to be known"),
            (Operator::Binary(Rem), TyKind::Float) => error.note("`%` is of Ints"),
            _ => error,
        };
        self.report(error);
    }

    /// Looks at the operators whose operands were not known.
    pub(super) fn settle_operators(&mut self) {
        for open in std::mem::take(&mut self.operators) {
            self.check_operator(open.what, open.ty, open.span, false);
        }
    }

    pub(super) fn unary(&mut self, op: UnaryOp, inner: &'a syntax::Expr, span: Span) -> Expr {
        match op {
            UnaryOp::Neg => {
                if let syntax::ExprKind::Int(value) = &inner.kind {
                    return self.int(*value, true, span);
                }
                let value = self.expr(inner, Want::Value(None));
                let ty = value.ty;
                self.check_operator(Operator::Neg, ty, span, true);
                Expr { kind: ExprKind::Unary(op, Box::new(value)), ty, span }
            }
            UnaryOp::Not => {
                let value = self.expr(inner, Want::Exactly(Ty::BOOL));
                Expr { kind: ExprKind::Unary(op, Box::new(value)), ty: Ty::BOOL, span }
            }
            UnaryOp::BitNot => {
                let value = self.expr(inner, Want::Exactly(Ty::INT));
                Expr { kind: ExprKind::Unary(op, Box::new(value)), ty: Ty::INT, span }
            }
        }
    }
}
