//! Values that are used once move to where they are used, so that they need no local; calls with one result too.

use super::body_mut;
use super::uses::{Counts, counts};
use crate::ir::{Expr, Function, Local, Stmt};

/// How deep expressions may become by this.
const MAX_DEPTH: usize = 60;

/// Nests the expressions of a function.
pub(crate) fn nest(function: &mut Function) {
    if !matches!(function.code, crate::ir::Code::Body(_)) {
        return;
    }
    let counts = counts(function);
    let body = std::mem::take(body_mut(function));
    let body = list(body, &counts);
    *body_mut(function) = body;
}

fn list(stmts: Vec<Stmt>, counts: &Counts) -> Vec<Stmt> {
    let mut output: Vec<Stmt> = Vec::with_capacity(stmts.len());
    for mut stmt in stmts {
        stmt.lists_mut(&mut |inner| *inner = list(std::mem::take(inner), counts));
        while let Some(local) = output.last().and_then(|last| single(last, counts)) {
            let Some(value) = output.pop().and_then(into_value) else { break };
            let mut place = Placing { local, is_simple: is_simple(&value), value: Some(value), clear: true, depth: 0 };
            stmt.exprs_mut(&mut |expr| place.look(expr));
            if let Some(value) = place.value {
                output.push(Stmt::Set(local, value));
                break;
            }
        }
        output.push(stmt);
    }
    // Calls go back to where they were if nothing took them.
    for stmt in &mut output {
        if let Stmt::Set(local, Expr::Call(_)) = stmt {
            let local = *local;
            if let Stmt::Set(_, Expr::Call(call)) = std::mem::replace(stmt, Stmt::Unreachable) {
                *stmt = Stmt::Call(call, vec![local]);
            }
        }
    }
    output
}

/// The local that a statement assigns and nothing else does, if it is read once.
fn single(stmt: &Stmt, counts: &Counts) -> Option<Local> {
    let local = match stmt {
        Stmt::Set(local, _) => *local,
        Stmt::Call(_, to) if to.len() == 1 => to[0],
        _ => return None,
    };
    (counts.defs[local.index()] == 1 && counts.uses[local.index()] == 1).then_some(local)
}

fn into_value(stmt: Stmt) -> Option<Expr> {
    match stmt {
        Stmt::Set(_, value) => Some(value),
        Stmt::Call(call, _) => Some(Expr::Call(call)),
        _ => None,
    }
}

/// Whether it does not matter when an expression is evaluated, as long as no local changes.
fn is_simple(expr: &Expr) -> bool {
    !expr.any(&mut |part| !is_simple_node(part) || matches!(part, Expr::Global(_)))
}

/// Looks for the place of a value.
struct Placing {
    local: Local,
    value: Option<Expr>,
    is_simple: bool,
    /// Whether all that was evaluated before could as well be evaluated after the value.
    clear: bool,
    depth: usize,
}

impl Placing {
    fn look(&mut self, expr: &mut Expr) {
        if self.value.is_none() {
            return;
        }
        if *expr == Expr::Local(self.local) {
            if (self.clear || self.is_simple)
                && self.depth < MAX_DEPTH
                && let Some(value) = self.value.take()
            {
                *expr = value;
            }
            return;
        }
        self.depth += 1;
        expr.each_mut(&mut |part| self.look(part));
        self.depth -= 1;
        self.clear &= self.value.is_none() || is_simple_node(expr);
    }
}

fn is_simple_node(expr: &Expr) -> bool {
    expr.is_atom() || matches!(expr, Expr::Unary(..) | Expr::Binary(..) | Expr::IsNull(_))
}
