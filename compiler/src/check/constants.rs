//! Constants: what their values may be made of, and that none needs itself.

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::{Expr, ExprKind as Written};
use crate::typed::{self, Callee, ConstId, ExprKind, Stmt, StmtKind};

/// Where the search for circles is with a constant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

impl Checker<'_> {
    /// Checks a constant, if it is made of what constants may be made of.
    pub(super) fn check_constant(&mut self, id: ConstId) {
        let written = self.declared.consts[id.index()];
        match first_impure(&written.value) {
            Some(wrong) => self.report_impure(wrong.span),
            None => self.infer_constant(id),
        }
    }

    fn report_impure(&mut self, span: Span) {
        let error = Diagnostic::error("F0316", span, "a constant's value is known before anything runs");
        self.report(
            error
                .label("this is not")
                .note("it is made of literals, operators, tuples, lists, maps, records, variants and other constants"),
        );
    }

    /// Says what of a constant's value is found out by calling something.
    pub(super) fn check_calls(&mut self, id: ConstId) {
        let lang = &self.program.lang;
        let known = [lang.list_from_array, lang.map_new, lang.map_insert, lang.bytes_from_buffer];
        let is_pure = |callee: &Callee| match callee {
            Callee::Fn(id, _) => known.contains(&Some(*id)),
            Callee::Trait { of, .. } => [lang.eq, lang.ord].contains(&Some(*of)),
            Callee::Dyn(..) | Callee::Value(_) => false,
        };
        let mut wrong = None;
        visit(&self.program.constants[id.index()].body.value, &mut |expr| {
            if let ExprKind::Call(callee, _) = &expr.kind
                && !is_pure(callee)
            {
                wrong = wrong.or(Some(expr.span));
            }
        });
        if let Some(span) = wrong {
            self.report_impure(span);
        }
    }

    /// Says which constants need themselves.
    pub(super) fn check_constant_cycles(&mut self) {
        let count = self.program.constants.len();
        let uses: Vec<Vec<ConstId>> =
            self.program.constants.iter().map(|constant| used(&constant.body.value)).collect();
        let mut marks = vec![Mark::New; count];
        for begin in 0..count {
            if marks[begin] != Mark::New {
                continue;
            }
            marks[begin] = Mark::Open;
            let mut path = vec![(begin, 0)];
            while let Some((at, next)) = path.last_mut() {
                let Some(&used) = uses[*at].get(*next) else {
                    marks[*at] = Mark::Done;
                    path.pop();
                    continue;
                };
                *next += 1;
                let used = used.index();
                match marks[used] {
                    Mark::Done => {}
                    Mark::New => {
                        marks[used] = Mark::Open;
                        path.push((used, 0));
                    }
                    Mark::Open => {
                        let circle: Vec<usize> = path.iter().map(|(at, _)| *at).skip_while(|&at| at != used).collect();
                        self.report_cycle(&circle);
                    }
                }
            }
        }
    }

    fn report_cycle(&mut self, circle: &[usize]) {
        let name = |index: &usize| format!("`{}`", self.text(self.program.constants[*index].name));
        let first = circle[0];
        let names: Vec<String> = circle.iter().take(8).map(name).collect();
        let message = format!("the constant {} needs its own value", name(&first));
        let mut error = Diagnostic::error("F0317", self.program.constants[first].span, message);
        if circle.len() > 1 {
            error = error.note(format!("through {}", names[1..].join(", ")));
        }
        self.report(error);
    }
}

/// The first part of an expression that a constant is not made of.
fn first_impure(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        Written::Int(_)
        | Written::Float(_)
        | Written::Bool(_)
        | Written::Char(_)
        | Written::String(_)
        | Written::Bytes(_)
        | Written::Name(_)
        | Written::Error => None,
        Written::Generic(inner, _) | Written::Field(inner, _) | Written::TupleField(inner, ..) => first_impure(inner),
        Written::Paren(inner) | Written::Unary(_, inner) => first_impure(inner),
        Written::Binary(_, left, right, _) => first_impure(left).or_else(|| first_impure(right)),
        Written::Tuple(parts) | Written::List(parts) => parts.iter().find_map(first_impure),
        Written::Map(entries) => entries.iter().find_map(|(k, v)| first_impure(k).or_else(|| first_impure(v))),
        Written::Range { start, end, .. } => start.iter().chain(end).find_map(|bound| first_impure(bound)),
        Written::Record { fields, base, .. } => {
            fields.iter().map(|field| &field.value).chain(base.as_deref()).find_map(first_impure)
        }
        // Only variants are called; that they are is seen in the typed tree.
        Written::Call(callee, args) if matches!(callee.kind, Written::Name(_) | Written::Field(..)) => {
            args.iter().find_map(first_impure)
        }
        _ => Some(expr),
    }
}

/// The constants that a value is made of.
fn used(value: &typed::Expr) -> Vec<ConstId> {
    let mut found = Vec::new();
    visit(value, &mut |expr| {
        if let ExprKind::Const(id) = &expr.kind {
            found.push(*id);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// Visits all parts of a constant's value.
fn visit(value: &typed::Expr, look: &mut dyn FnMut(&typed::Expr)) {
    let mut rest = vec![value];
    while let Some(expr) = rest.pop() {
        look(expr);
        match &expr.kind {
            ExprKind::Tuple(parts)
            | ExprKind::Array(parts)
            | ExprKind::Variant(_, _, parts)
            | ExprKind::Call(_, parts) => {
                rest.extend(parts);
            }
            ExprKind::Record(_, fields) => rest.extend(fields.iter().map(|(_, value)| value)),
            ExprKind::TupleField(inner, _)
            | ExprKind::Field(inner, ..)
            | ExprKind::Unary(_, inner)
            | ExprKind::ToDyn(inner, ..)
            | ExprKind::Is(inner, _) => rest.push(inner),
            ExprKind::Binary(_, left, right) => rest.extend([&**left, &**right]),
            ExprKind::Block(stmts, value) => {
                for Stmt { kind, .. } in stmts {
                    if let StmtKind::Let(_, value, _) | StmtKind::Expr(value) = kind {
                        rest.push(value);
                    }
                }
                rest.extend(value.as_deref());
            }
            _ => {}
        }
    }
}
