//! The first turn of small loops stands before them.
//!
//! What a loop checks and loads anew each time though it never changes is done there once; the steps after this one find it known in
//! the loop. Nothing that may trap has to be done before its time for that.

use rustc_hash::{FxHashMap, FxHashSet};

use super::uses::{counts, list_size};
use super::{body_mut, new_local};
use crate::ir::visit::{each_stmt, falls_through};
use crate::ir::{Expr, Function, Label, Local, Stmt};

/// Greater loops stay as they are.
const MAX_SIZE: usize = 120;

/// How many loops of a function.
const MAX_LOOPS: usize = 40;

struct Peel<'f> {
    function: &'f mut Function,
    defs: Vec<u32>,
    uses: Vec<u32>,
    left: usize,
}

/// Peels the innermost loops of a function that have something to gain.
pub(crate) fn peel(function: &mut Function) {
    let counts = counts(function);
    let mut body = std::mem::take(body_mut(function));
    let mut pass = Peel { function, defs: counts.defs, uses: counts.uses, left: MAX_LOOPS };
    pass.list(&mut body);
    *body_mut(function) = body;
}

impl Peel<'_> {
    fn list(&mut self, list: &mut [Stmt]) {
        for stmt in list {
            stmt.lists_mut(&mut |inner| self.list(inner));
            if let Stmt::Loop(label, body) = stmt
                && self.left > 0
                && gains(body)
            {
                self.left -= 1;
                let (label, body) = (*label, std::mem::take(body));
                *stmt = self.peeled(label, body);
            }
        }
    }

    fn peeled(&mut self, label: Label, body: Vec<Stmt>) -> Stmt {
        let mut first = body.clone();
        let mut labels = FxHashMap::default();
        let mut new_label = || {
            self.function.labels += 1;
            Label(self.function.labels - 1)
        };
        let (again, end) = (new_label(), new_label());
        labels.insert(label, again);
        each_stmt(&body, &mut |stmt| {
            if let Stmt::Block(label, _) | Stmt::Loop(label, _) = stmt {
                labels.insert(*label, new_label());
            }
        });
        let locals = self.own_locals(&body);
        rename(&mut first, &labels, &locals);
        if falls_through(&first) {
            first.push(Stmt::Break(end));
        }
        Stmt::Block(end, vec![Stmt::Block(again, first), Stmt::Loop(label, body)])
    }

    /// New names for locals that nothing outside of the loop knows.
    fn own_locals(&mut self, body: &[Stmt]) -> FxHashMap<Local, Local> {
        let mut uses: FxHashMap<Local, u32> = FxHashMap::default();
        let mut assigned = Vec::new();
        fn reads(expr: &Expr, uses: &mut FxHashMap<Local, u32>) {
            if let Expr::Local(local) = expr {
                *uses.entry(*local).or_insert(0) += 1;
            }
            expr.each(&mut |part| reads(part, uses));
        }
        each_stmt(body, &mut |stmt| {
            assigned.extend_from_slice(stmt.assigned());
            stmt.exprs(&mut |expr| reads(expr, &mut uses));
        });
        let mut names = FxHashMap::default();
        for local in assigned {
            let index = local.index();
            if self.defs[index] == 1 && uses.get(&local).copied().unwrap_or(0) == self.uses[index] {
                let name = new_local(self.function, self.function.locals[index]);
                self.defs.push(1);
                self.uses.push(self.uses[index]);
                names.insert(local, name);
            }
        }
        names
    }
}

/// Whether a loop does something anew that never changes, and may trap.
fn gains(body: &[Stmt]) -> bool {
    let mut is_innermost = true;
    each_stmt(body, &mut |stmt| is_innermost &= !matches!(stmt, Stmt::Loop(..)));
    if !is_innermost || list_size(body) > MAX_SIZE {
        return false;
    }
    let mut assigned = FxHashSet::default();
    each_stmt(body, &mut |stmt| assigned.extend(stmt.assigned().iter().copied()));
    let is_constant =
        |expr: &Expr| !expr.any(&mut |part| matches!(part, Expr::Local(local) if assigned.contains(local)));
    let mut found = false;
    each_stmt(body, &mut |stmt| {
        if let Stmt::If(condition, then, _) = stmt
            && matches!(then.last(), Some(Stmt::Unreachable))
        {
            found |= is_constant(condition);
        }
        stmt.exprs(&mut |expr| {
            found |= expr.any(&mut |part| matches!(part, Expr::ArrayGet(..) | Expr::NonNull(..)) && is_constant(part));
        });
    });
    found
}

fn rename(list: &mut [Stmt], labels: &FxHashMap<Label, Label>, locals: &FxHashMap<Local, Local>) {
    let label = |label: &mut Label| *label = labels.get(label).copied().unwrap_or(*label);
    let local = |local: &mut Local| *local = locals.get(local).copied().unwrap_or(*local);
    crate::ir::visit::each_stmt_mut(list, &mut |stmt| {
        match stmt {
            Stmt::Set(to, _) => local(to),
            Stmt::Call(_, to) => to.iter_mut().for_each(local),
            Stmt::Block(to, _) | Stmt::Loop(to, _) | Stmt::Break(to) => label(to),
            Stmt::Switch(_, to, last) => {
                to.iter_mut().for_each(label);
                label(last);
            }
            _ => {}
        }
        stmt.exprs_mut(&mut |expr| rename_expr(expr, locals));
    });
}

fn rename_expr(expr: &mut Expr, locals: &FxHashMap<Local, Local>) {
    if let Expr::Local(local) = expr {
        *local = locals.get(local).copied().unwrap_or(*local);
    }
    expr.each_mut(&mut |part| rename_expr(part, locals));
}
