//! Values where they are used: copies and constants are put in the place of locals that are assigned once, fields of known objects in
//! the place of loads, and calls of known function values become direct. What is found to be constant, unreachable or unused goes.

use rustc_hash::FxHashMap;

use super::fold::{fold, take, type_of};
use super::uses::{Counts, Kinds, counts};
use super::{body_mut, new_local};
use crate::ir::visit::{Fate, each_stmt, each_stmt_mut, edit};
use crate::ir::{BinaryOp, Callee, Expr, Function, Label, Local, Module, Stmt, TypeId, Val};

struct Simplify<'m, 'f> {
    module: &'m Module,
    function: &'f mut Function,
    counts: Counts,
    /// What locals with one assignment stand for.
    values: Vec<Option<Expr>>,
    /// Objects that locals with one assignment refer to, with the values of their fields when they were made.
    objects: FxHashMap<Local, Vec<Expr>>,
    /// The lengths of arrays that locals with one assignment refer to, if they are known.
    lengths: FxHashMap<Local, u32>,
    /// How many jumps to each label are in what was written.
    jumps: Vec<u32>,
    /// What is in what was written.
    found: Kinds,
}

/// Simplifies a function; what is in it then.
pub(crate) fn simplify(module: &Module, function: &mut Function) -> Kinds {
    let counts = coalesce(function);
    let (count, labels) = (function.locals.len(), function.labels as usize);
    let mut body = std::mem::take(body_mut(function));
    let mut pass = Simplify {
        module,
        function,
        counts,
        values: vec![None; count],
        objects: FxHashMap::default(),
        lengths: FxHashMap::default(),
        jumps: vec![0; labels],
        found: Kinds::default(),
    };
    pass.list(&mut body);
    let found = pass.found;
    *body_mut(function) = body;
    found
}

/// Among so many statements before a copy of a local its assignments are looked for.
const LOOK_BACK: usize = 8;

/// Makes one of two locals where one is read by nothing but the only assignment of the other, and assigned only shortly before that.
fn coalesce(function: &mut Function) -> Counts {
    let counts = counts(function);
    let crate::ir::Code::Body(body) = &function.code else { return counts };
    let candidate = |from: usize| counts.defs[from] > 1 && counts.uses[from] == 1;
    if !(function.params..function.locals.len()).any(candidate) {
        return counts;
    }
    let mut names: Vec<Local> = (0..function.locals.len() as u32).map(Local).collect();
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
            stmt.lists(&mut |inner| self.list(inner));
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
    /// Goes through statements; whether control reaches their end.
    fn list(&mut self, list: &mut Vec<Stmt>) -> bool {
        edit(list, &mut |stmt, new| self.stmt(stmt, new))
    }

    /// Whether an expression is the same wherever the local that it is assigned to is read.
    fn is_stable(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Local(local) => self.counts.defs[local.index()] == 1,
            other => other.is_atom(),
        }
    }

    /// Simplifies a statement. What comes after one that does not go on is never reached.
    fn stmt(&mut self, stmt: &mut Stmt, new: &mut Vec<Stmt>) -> Fate {
        stmt.exprs_mut(&mut |expr| self.expr(expr));
        match stmt {
            Stmt::Set(local, value) => {
                if self.counts.uses[local.index()] > 0 {
                    return self.set(*local, value, new);
                }
                if !value.traps() {
                    return Fate::GOES;
                }
                *stmt = Stmt::Drop(take(value));
            }
            Stmt::Call(call, _) => {
                if let Some(callee) = self.known_callee(&call.callee) {
                    call.callee = callee;
                }
                self.found.calls = true;
            }
            Stmt::Drop(value) if !value.traps() => return Fate::GOES,
            Stmt::If(condition, then, otherwise) => match condition {
                Expr::I32(value) => {
                    let taken = if *value != 0 { then } else { otherwise };
                    let goes_on = self.list(taken);
                    new.append(taken);
                    return Fate { stays: false, goes_on };
                }
                _ => return self.conditional(stmt, new),
            },
            Stmt::Switch(Expr::I32(value), labels, last) => {
                let label = labels.get(*value as u32 as usize).copied().unwrap_or(*last);
                self.jumps[label.index()] += 1;
                *stmt = Stmt::Break(label);
            }
            Stmt::Switch(_, labels, last) => {
                labels.iter().chain([&*last]).for_each(|label| self.jumps[label.index()] += 1);
            }
            Stmt::Break(label) => self.jumps[label.index()] += 1,
            Stmt::Block(label, body) => {
                let goes_on = self.list(body);
                let removed = strip(body, *label);
                self.jumps[label.index()] -= removed;
                if self.jumps[label.index()] == 0 {
                    new.append(body);
                    // Where there was a jump to the end, control now gets there without.
                    return Fate { stays: false, goes_on: goes_on || removed > 0 };
                }
                self.found.blocks = true;
            }
            Stmt::Loop(label, body) => {
                let goes_on = self.list(body);
                if self.jumps[label.index()] == 0 {
                    new.append(body);
                    return Fate { stays: false, goes_on };
                }
                self.found.loops = true;
                return Fate { stays: true, goes_on };
            }
            _ => {}
        }
        Fate { stays: true, goes_on: !stmt.is_end() }
    }

    /// An assignment of a local that is read.
    fn set(&mut self, local: Local, value: &mut Expr, new: &mut Vec<Stmt>) -> Fate {
        if *value == Expr::Local(local) {
            return Fate::GOES;
        }
        self.found.objects |= matches!(value, Expr::StructNew(..));
        let index = local.index();
        if self.counts.defs[index] == 1 {
            let ty = type_of(self.module, &self.function.locals, value);
            if ty != self.function.locals[index] && (ty.heap().is_some()) {
                self.function.locals[index] = ty;
            }
            if self.is_stable(value) {
                self.values[index] = Some(value.clone());
            }
            match value {
                Expr::ArrayFixed(_, elements) => {
                    self.lengths.insert(local, elements.len() as u32);
                }
                Expr::ArrayData(_, _, length, _) => {
                    self.lengths.insert(local, *length);
                }
                Expr::StructNew(ty, fields) => {
                    self.hold_fields(*ty, fields, new);
                    self.objects.insert(local, fields.clone());
                }
                _ => {}
            }
        }
        Fate::STAYS
    }

    /// Gives the values of an object's fields names.
    fn hold_fields(&mut self, ty: TypeId, fields: &mut [Expr], new: &mut Vec<Stmt>) {
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
            let mut value = std::mem::replace(field, Expr::Local(local));
            self.set(local, &mut value, new);
            new.push(Stmt::Set(local, value));
        }
    }

    /// An `if` whose condition is not known.
    fn conditional(&mut self, stmt: &mut Stmt, new: &mut Vec<Stmt>) -> Fate {
        let Stmt::If(condition, then, otherwise) = stmt else { return Fate::STAYS };
        let (then_goes_on, otherwise_goes_on) = (self.list(then), self.list(otherwise));
        if then.is_empty() {
            if !otherwise.is_empty() {
                *condition = take(condition).negate();
                std::mem::swap(then, otherwise);
            } else if condition.traps() {
                *stmt = Stmt::Drop(take(condition));
            } else {
                return Fate::GOES;
            }
            return Fate::STAYS;
        }
        if otherwise.is_empty() || (then_goes_on && otherwise_goes_on) {
            return Fate::STAYS;
        }
        // What follows a branch that does not come back can as well follow the whole.
        if then_goes_on {
            *condition = take(condition).negate();
            std::mem::swap(then, otherwise);
        }
        let mut rest = std::mem::take(otherwise);
        new.push(std::mem::replace(stmt, Stmt::Unreachable));
        new.append(&mut rest);
        Fate { stays: false, goes_on: then_goes_on || otherwise_goes_on }
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
            }
            return;
        }
        expr.each_mut(&mut |part| self.expr(part));
        if let Expr::StructGet(ty, field, object, _) = expr
            && let Expr::Local(local) = **object
            && let Some(fields) = self.objects.get(&local)
            && !self.module.types.field(*ty, *field).mutable
        {
            *expr = fields[*field as usize].clone();
            return;
        }
        if let Expr::ArrayLen(array, _) = expr
            && let Expr::Local(local) = **array
            && let Some(&length) = self.lengths.get(&local)
        {
            *expr = Expr::I32(length as i32);
            return;
        }
        fold(self.module, &self.function.locals, expr);
    }
}

/// Removes jumps to a label where control gets there without them; how many there were.
pub(crate) fn strip(list: &mut Vec<Stmt>, label: Label) -> u32 {
    let mut removed = 0;
    loop {
        match list.last_mut() {
            Some(Stmt::Break(to)) if *to == label => {
                list.pop();
                removed += 1;
            }
            Some(Stmt::If(_, then, otherwise)) => {
                return removed + strip(then, label) + strip(otherwise, label);
            }
            // Its end is the list's end.
            Some(Stmt::Block(_, body)) => return removed + strip(body, label),
            _ => return removed,
        }
    }
}
