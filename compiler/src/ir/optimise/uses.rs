//! Counting.

use crate::ir::visit::each_stmt;
use crate::ir::{Code, Expr, Function, Stmt};

/// How often the locals of a function are assigned and read.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Assignments; a parameter has one before the first statement.
    pub defs: Vec<u32>,
    /// Reads.
    pub uses: Vec<u32>,
}

/// Counts assignments and reads.
pub(crate) fn counts(function: &Function) -> Counts {
    let mut counts = Counts { defs: vec![0; function.locals.len()], uses: vec![0; function.locals.len()] };
    counts.defs[..function.params].fill(1);
    if let Code::Body(body) = &function.code {
        each_stmt(body, &mut |stmt| {
            for local in stmt.assigned() {
                counts.defs[local.index()] += 1;
            }
            stmt.exprs(&mut |expr| reads(expr, &mut counts.uses));
        });
    }
    counts
}

/// Counts assignments alone.
pub(crate) fn definitions(function: &Function) -> Vec<u32> {
    let mut defs = vec![0; function.locals.len()];
    defs[..function.params].fill(1);
    if let Code::Body(body) = &function.code {
        each_stmt(body, &mut |stmt| stmt.assigned().iter().for_each(|local| defs[local.index()] += 1));
    }
    defs
}

fn reads(expr: &Expr, uses: &mut [u32]) {
    if let Expr::Local(local) = expr {
        uses[local.index()] += 1;
        return;
    }
    expr.each(&mut |part| reads(part, uses));
}

/// What is in a function.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contents {
    /// About how much code it is.
    pub size: usize,
    /// What code that is.
    pub kinds: Kinds,
}

/// What kinds of statements are in a function.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kinds {
    /// Whether it calls functions.
    pub calls: bool,
    /// Whether it has blocks.
    pub blocks: bool,
    /// Whether it has loops.
    pub loops: bool,
    /// Whether it makes objects.
    pub objects: bool,
}

/// About how much code a function is.
pub(crate) fn size(function: &Function) -> usize {
    match &function.code {
        Code::Body(body) => list_size(body),
        _ => 0,
    }
}

/// About how much code statements are.
pub(crate) fn list_size(list: &[Stmt]) -> usize {
    let mut size = 0;
    each_stmt(list, &mut |stmt| {
        size += stmt_size(stmt);
    });
    size
}

/// About how much code a statement is, without those in it.
fn stmt_size(stmt: &Stmt) -> usize {
    let mut size = match stmt {
        Stmt::Call(..) => 3,
        Stmt::Block(..) | Stmt::Unreachable => 0,
        _ => 1,
    };
    stmt.exprs(&mut |expr| size += expr_size(expr));
    size
}

fn expr_size(expr: &Expr) -> usize {
    let mut size = match expr {
        Expr::Local(_) | Expr::NonNull(..) => 0,
        Expr::Checked(..) => 3,
        Expr::Index(..) => 2,
        _ => 1,
    };
    expr.each(&mut |part| size += expr_size(part));
    size
}
