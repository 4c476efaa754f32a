//! Values where they are used: copies and constants are put in the place of locals that are assigned once, fields of known objects in
//! the place of loads, and calls of known function values become direct. What is found to be constant, unreachable or unused goes.

use super::fold::{fold, type_of};
use super::uses::{Counts, counts};
use super::{body_mut, new_local};
use crate::ir::visit::{each_stmt, each_stmt_mut, falls_through, jumps_to};
use crate::ir::{BinaryOp, Callee, Expr, Function, Label, Local, Module, Stmt, TypeId, Val};

struct Simplify<'m, 'f> {
    module: &'m Module,
    function: &'f mut Function,
    counts: Counts,
    /// What locals with one assignment stand for.
    values: Vec<Option<Expr>>,
    /// Objects that locals with one assignment refer to, with the values of their fields when they were made.
    objects: Vec<Option<(TypeId, Vec<Expr>)>>,
    /// The lengths of arrays that locals with one assignment refer to, if they are known.
    lengths: Vec<Option<u32>>,
    changed: bool,
}

/// Simplifies a function; whether anything changed.
pub(crate) fn simplify(module: &Module, function: &mut Function) -> bool {
    let counts = coalesce(function);
    let count = function.locals.len();
    let body = std::mem::take(body_mut(function));
    let mut pass = Simplify {
        module,
        function,
        counts,
        values: vec![None; count],
        objects: vec![None; count],
        lengths: vec![None; count],
        changed: false,
    };
    let body = pass.list(body);
    let changed = pass.changed;
    *body_mut(function) = body;
    changed
}

/// Among so many statements before a copy of a local its assignments are looked for.
const LOOK_BACK: usize = 8;

/// Makes one of two locals where one is read by nothing but the only assignment of the other, and assigned only shortly before that.
fn coalesce(function: &mut Function) -> Counts {
    let counts = counts(function);
    let mut names: Vec<Local> = (0..function.locals.len() as u32).map(Local).collect();
    let crate::ir::Code::Body(body) = &function.code else { return counts };
    let mut find_copies = Copies { counts: &counts, function, names: &mut names, found: false };
    find_copies.list(body);
    if !find_copies.found {
        return counts;
    }
    // One that took another's name may have given up its own.
    let find = |local: Local| {
        let mut local = local;
        while names[local.index()] != local {
            local = names[local.index()];
        }
        local
    };
    each_stmt_mut(body_mut(function), &mut |stmt| {
        match stmt {
            Stmt::Set(local, _) => *local = find(*local),
            Stmt::Call(_, to) => to.iter_mut().for_each(|local| *local = find(*local)),
            _ => {}
        }
        stmt.exprs_mut(&mut |expr| rename(expr, &find));
    });
    super::uses::counts(function)
}

/// Looks for copies of locals that nothing else reads.
struct Copies<'c> {
    counts: &'c Counts,
    function: &'c Function,
    /// What each local is to be called.
    names: &'c mut [Local],
    found: bool,
}

impl Copies<'_> {
    fn list(&mut self, list: &[Stmt]) {
        for (index, stmt) in list.iter().enumerate() {
            stmt.lists().iter().for_each(|inner| self.list(inner));
            let Stmt::Set(to, Expr::Local(from)) = stmt else { continue };
            let is_local = to.index() >= self.function.params && from.index() >= self.function.params;
            let (defs, uses) = (&self.counts.defs, &self.counts.uses);
            let is_copy = is_local
                && defs[to.index()] == 1
                && defs[from.index()] > 1
                && uses[from.index()] == 1
                && self.function.locals[to.index()] == self.function.locals[from.index()];
            if !is_copy {
                continue;
            }
            let mut before = 0;
            each_stmt(&list[index.saturating_sub(LOOK_BACK)..index], &mut |stmt| {
                before += stmt.assigned().iter().filter(|local| *local == from).count() as u32;
            });
            if before == defs[from.index()] {
                self.names[from.index()] = *to;
                self.found = true;
            }
        }
    }
}

fn rename(expr: &mut Expr, find: &impl Fn(Local) -> Local) {
    if let Expr::Local(local) = expr {
        *local = find(*local);
    }
    expr.each_mut(&mut |part| rename(part, find));
}

impl Simplify<'_, '_> {
    fn list(&mut self, list: Vec<Stmt>) -> Vec<Stmt> {
        let mut output = Vec::with_capacity(list.len());
        let mut rest = list.into_iter();
        while let Some(stmt) = rest.next() {
            self.stmt(stmt, &mut output);
            if output.last().is_some_and(|last| !falls_through(std::slice::from_ref(last))) {
                self.changed |= rest.next().is_some();
                break;
            }
        }
        output
    }

    /// Whether an expression is the same wherever the local that it is assigned to is read.
    fn is_stable(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Local(local) => self.counts.defs[local.index()] == 1,
            other => other.is_atom(),
        }
    }

    fn stmt(&mut self, mut stmt: Stmt, output: &mut Vec<Stmt>) {
        stmt.exprs_mut(&mut |expr| self.expr(expr));
        match stmt {
            Stmt::Set(local, value) => self.set(local, value, output),
            Stmt::Call(mut call, to) => {
                if let Some(callee) = self.known_callee(&call.callee) {
                    call.callee = callee;
                    self.changed = true;
                }
                output.push(Stmt::Call(call, to));
            }
            Stmt::Drop(value) => {
                if value.traps() {
                    output.push(Stmt::Drop(value));
                } else {
                    self.changed = true;
                }
            }
            Stmt::If(condition, then, otherwise) => self.conditional(condition, then, otherwise, output),
            Stmt::Switch(Expr::I32(value), labels, last) => {
                self.changed = true;
                output.push(Stmt::Break(labels.get(value as u32 as usize).copied().unwrap_or(last)));
            }
            Stmt::Block(label, body) => {
                let mut body = self.list(body);
                self.changed |= strip(&mut body, label);
                if jumps_to(&body, label) {
                    output.push(Stmt::Block(label, body));
                } else {
                    self.changed = true;
                    output.extend(body);
                }
            }
            Stmt::Loop(label, body) => {
                let body = self.list(body);
                if jumps_to(&body, label) {
                    output.push(Stmt::Loop(label, body));
                } else {
                    self.changed = true;
                    output.extend(body);
                }
            }
            other => output.push(other),
        }
    }

    fn set(&mut self, local: Local, mut value: Expr, output: &mut Vec<Stmt>) {
        let index = local.index();
        if self.counts.uses[index] == 0 {
            self.changed = true;
            if value.traps() {
                output.push(Stmt::Drop(value));
            }
            return;
        }
        if value == Expr::Local(local) {
            self.changed = true;
            return;
        }
        if self.counts.defs[index] == 1 {
            let ty = type_of(self.module, &self.function.locals, &value);
            if ty != self.function.locals[index] && (ty.heap().is_some()) {
                self.function.locals[index] = ty;
            }
            if self.is_stable(&value) {
                self.values[index] = Some(value.clone());
            }
            self.lengths[index] = match &value {
                Expr::ArrayFixed(_, elements) => Some(elements.len() as u32),
                Expr::ArrayData(_, _, length, _) => Some(*length),
                _ => None,
            };
            if let Expr::StructNew(ty, fields) = &mut value {
                self.hold_fields(*ty, fields, output);
                self.objects[index] = Some((*ty, fields.clone()));
            }
        }
        output.push(Stmt::Set(local, value));
    }

    /// Gives the values of an object's fields names.
    fn hold_fields(&mut self, ty: TypeId, fields: &mut [Expr], output: &mut Vec<Stmt>) {
        for (index, field) in fields.iter_mut().enumerate() {
            if self.is_stable(field) {
                continue;
            }
            let found = type_of(self.module, &self.function.locals, field);
            let val = match found {
                Val::Ref(_) | Val::Null(_) => found,
                _ => self.module.types.field(ty, index as u32).storage.unpacked(),
            };
            let local = new_local(self.function, val);
            self.counts.defs.push(1);
            self.counts.uses.push(1);
            self.values.push(None);
            self.objects.push(None);
            self.lengths.push(None);
            let value = std::mem::replace(field, Expr::Local(local));
            self.set(local, value, output);
        }
    }

    fn conditional(&mut self, condition: Expr, then: Vec<Stmt>, otherwise: Vec<Stmt>, output: &mut Vec<Stmt>) {
        if let Expr::I32(value) = condition {
            self.changed = true;
            let taken = self.list(if value != 0 { then } else { otherwise });
            output.extend(taken);
            return;
        }
        let then = self.list(then);
        let otherwise = self.list(otherwise);
        if then.is_empty() && otherwise.is_empty() {
            self.changed = true;
            if condition.traps() {
                output.push(Stmt::Drop(condition));
            }
            return;
        }
        if then.is_empty() {
            output.push(Stmt::If(condition.negate(), otherwise, then));
            return;
        }
        // What follows a branch that does not come back can as well follow the whole.
        if !falls_through(&then) && !otherwise.is_empty() {
            output.push(Stmt::If(condition, then, Vec::new()));
            output.extend(otherwise);
            return;
        }
        if !falls_through(&otherwise) && !otherwise.is_empty() {
            output.push(Stmt::If(condition.negate(), otherwise, Vec::new()));
            output.extend(then);
            return;
        }
        output.push(Stmt::If(condition, then, otherwise));
    }

    fn known_callee(&self, callee: &Callee) -> Option<Callee> {
        let Callee::Table(_, index) = callee else { return None };
        let (row, place) = match index {
            Expr::Row(row) => (row, 0),
            Expr::Binary(BinaryOp::Add32, parts) => match &**parts {
                [Expr::Row(row), Expr::I32(place)] => (row, *place as usize),
                _ => return None,
            },
            _ => return None,
        };
        self.module.rows[row.index()].get(place).map(|&id| Callee::Direct(id))
    }

    fn expr(&mut self, expr: &mut Expr) {
        if let Expr::Local(local) = expr {
            if let Some(value) = &self.values[local.index()] {
                *expr = value.clone();
                self.changed = true;
            }
            return;
        }
        expr.each_mut(&mut |part| self.expr(part));
        if let Expr::StructGet(ty, field, object, _) = expr
            && let Expr::Local(local) = **object
            && let Some((_, fields)) = &self.objects[local.index()]
            && !self.module.types.field(*ty, *field).mutable
        {
            *expr = fields[*field as usize].clone();
            self.changed = true;
            return;
        }
        if let Expr::ArrayLen(array, _) = expr
            && let Expr::Local(local) = **array
            && let Some(length) = self.lengths[local.index()]
        {
            *expr = Expr::I32(length as i32);
            self.changed = true;
            return;
        }
        let taken = std::mem::replace(expr, Expr::I32(0));
        *expr = fold(self.module, &self.function.locals, taken);
    }
}

/// Removes jumps to a label where control gets there without them; whether there were any.
pub(crate) fn strip(list: &mut Vec<Stmt>, label: Label) -> bool {
    let mut changed = false;
    loop {
        match list.last_mut() {
            Some(Stmt::Break(to)) if *to == label => {
                list.pop();
                changed = true;
            }
            Some(Stmt::If(_, then, otherwise)) => {
                let inner = strip(then, label) | strip(otherwise, label);
                return changed | inner;
            }
            Some(Stmt::Block(_, body)) => {
                // Its end is the list's end.
                let inner = strip(body, label);
                return changed | inner;
            }
            _ => return changed,
        }
    }
}
