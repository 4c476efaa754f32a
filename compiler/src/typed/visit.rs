//! Going through the tree.

use super::{Callee, Conversion, Expr, ExprKind, StmtKind};

impl Expr {
    /// Hands out each expression that is directly in this one, in the order of evaluation.
    pub fn each_part<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Char(_)
            | ExprKind::String(_)
            | ExprKind::Buffer(_)
            | ExprKind::Local(_)
            | ExprKind::Const(_)
            | ExprKind::Constructor(..)
            | ExprKind::Return(None)
            | ExprKind::Break(_)
            | ExprKind::Continue(_) => {}
            ExprKind::Tuple(parts) | ExprKind::Variant(_, _, parts) | ExprKind::Array(parts) => {
                parts.iter().for_each(visit);
            }
            ExprKind::Record(_, fields) => fields.iter().for_each(|(_, value)| visit(value)),
            ExprKind::TupleField(base, _)
            | ExprKind::Field(base, ..)
            | ExprKind::ToDyn(base, ..)
            | ExprKind::Unary(_, base)
            | ExprKind::Is(base, _)
            | ExprKind::Return(Some(base))
            | ExprKind::AssignLocal(_, base) => visit(base),
            ExprKind::Call(callee, args) => {
                callee.each_part(visit);
                args.iter().for_each(visit);
            }
            ExprKind::Function(callee) => callee.each_part(visit),
            ExprKind::Closure(closure) => visit(&closure.body),
            ExprKind::Binary(_, left, right) | ExprKind::AssignField(left, _, _, right) => {
                visit(left);
                visit(right);
            }
            ExprKind::Block(stmts, value) => {
                stmts.iter().for_each(|stmt| stmt.kind.each_part(visit));
                value.iter().for_each(|value| visit(value));
            }
            ExprKind::If(condition, then, otherwise) => {
                visit(condition);
                visit(then);
                otherwise.iter().for_each(|otherwise| visit(otherwise));
            }
            ExprKind::Match(value, arms) => {
                visit(value);
                for arm in arms {
                    arm.guard.iter().for_each(&mut *visit);
                    visit(&arm.body);
                }
            }
            ExprKind::Try(base, conversion) => {
                visit(base);
                if let Conversion::Call(callee) = conversion {
                    callee.each_part(visit);
                }
            }
            ExprKind::Assert(condition, _, message) => {
                visit(condition);
                message.iter().for_each(|message| visit(message));
            }
        }
    }
}

impl Callee {
    fn each_part<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        if let Callee::Value(function) = self {
            visit(function);
        }
    }
}

impl StmtKind {
    fn each_part<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        match self {
            StmtKind::Let(_, value, otherwise) => {
                visit(value);
                otherwise.iter().for_each(visit);
            }
            StmtKind::Expr(value) => visit(value),
            StmtKind::While(_, condition, body) => {
                visit(condition);
                visit(body);
            }
            StmtKind::For { iterator, next, body, .. } => {
                visit(iterator);
                next.each_part(visit);
                visit(body);
            }
        }
    }
}
