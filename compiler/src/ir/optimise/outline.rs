//! What ends the program moves out of the way, into functions of its own.
//!
//! Most of what a check costs in code is what it says when it fails: a text is put together, and handed to a panic. Such statements, from the last
//! jump before them to the point that is never reached, become a function that is called with the locals that they read. What is left is
//! small enough to be put where it is called, and the text is made by one function however often that happens.
//!
//! The new function stands for the old one's frame in traces; the call of it is at a place in a function without a name, which has no frame.

use rustc_hash::{FxHashMap, FxHashSet};

use super::uses::list_size;
use crate::ir::visit::each_stmt_mut;
use crate::ir::{At, Call, Callee, Code, Expr, FuncId, Function, Label, Local, Module, Place, Stmt};

/// What is smaller than this stays.
const MIN: usize = 8;

/// What is greater than this is more than a message.
const MAX: usize = 400;

/// Moves what ends the program out of all functions.
pub(crate) fn outline(module: &mut Module) {
    let nameless = module.names.len() as u32;
    module.names.push("".into());
    for index in 0..module.functions.len() {
        let function = &mut module.functions[index];
        let Code::Body(body) = &mut function.code else { continue };
        let mut body = std::mem::take(body);
        let mut assigned = vec![0; function.locals.len()];
        assigned[..function.params].fill(1);
        let mut pass = Outline { module, of: index, nameless, assigned };
        pass.list(&mut body, true);
        module.functions[index].code = Code::Body(body);
    }
}

struct Outline<'m> {
    module: &'m mut Module,
    of: usize,
    /// The name of no function.
    nameless: u32,
    /// How many assignments of each local there were on every way to where the pass is.
    assigned: Vec<u32>,
}

impl Outline<'_> {
    fn list(&mut self, list: &mut Vec<Stmt>, whole: bool) {
        let mut trail = Vec::new();
        let end = self.end(list, whole);
        for stmt in list.iter_mut() {
            stmt.lists_mut(&mut |inner| self.list(inner, false));
            for local in stmt.assigned() {
                self.assigned[local.index()] += 1;
                trail.push(*local);
            }
        }
        if let Some((stmts, at)) = end {
            match self.function(stmts, at) {
                Ok(call) => list.extend([Stmt::Call(Box::new(call), Vec::new()), Stmt::Unreachable]),
                Err(stmts) => list.extend(stmts),
            }
        }
        for local in trail {
            self.assigned[local.index()] -= 1;
        }
    }

    /// Takes the end of a list off that can become a function.
    fn end(&self, list: &mut Vec<Stmt>, whole: bool) -> Option<(Vec<Stmt>, At)> {
        if let Some((Stmt::Unreachable, before)) = list.split_last() {
            let hot = before.iter().rposition(|stmt| !is_straight(stmt, &mut Vec::new())).map_or(0, |last| last + 1);
            // A function of which all ends the program is one of these already.
            if (hot > 0 || !whole) && (MIN..=MAX).contains(&list_size(&list[hot..])) {
                let at = last_call(&list[hot..])?;
                return Some((list.split_off(hot), at));
            }
        }
        None
    }

    /// Makes a function of statements; the call of it, or the statements if it cannot be: what is an argument has to have a value where the
    /// call is, on each way to it.
    fn function(&mut self, mut body: Vec<Stmt>, at: At) -> Result<Call, Vec<Stmt>> {
        let mut found = Reads::default();
        found.list(&body, &mut FxHashSet::default(), false);
        if found.before.iter().any(|local| self.assigned[local.index()] == 0 && !found.always.contains(local)) {
            return Err(body);
        }
        let params = found.before;
        let mut numbers: FxHashMap<Local, Local> = FxHashMap::default();
        let of = &self.module.functions[self.of];
        let mut locals = Vec::new();
        let mut number = |local: Local| {
            *numbers.entry(local).or_insert_with(|| {
                locals.push(of.locals[local.index()]);
                Local(locals.len() as u32 - 1)
            })
        };
        for &param in &params {
            number(param);
        }
        each_stmt_mut(&mut body, &mut |stmt| {
            match stmt {
                Stmt::Set(local, _) => *local = number(*local),
                Stmt::Call(_, to) => to.iter_mut().for_each(|local| *local = number(*local)),
                _ => {}
            }
            stmt.exprs_mut(&mut |expr| rename(expr, &mut number));
        });
        let (name, labels) = (of.name, of.labels);
        let place = Place { function: self.nameless, caller: None, ..self.module.places[at.0 as usize] };
        self.module.functions.push(Function {
            name,
            params: params.len(),
            locals,
            results: Vec::new(),
            code: Code::Body(body),
            labels,
            ends: Some(place.span),
        });
        self.module.places.push(place);
        let args = params.into_iter().map(Expr::Local).collect();
        let callee = Callee::Direct(FuncId(self.module.functions.len() as u32 - 1));
        Ok(Call { callee, args, at: At(self.module.places.len() as u32 - 1) })
    }
}

/// Whether a statement neither loops nor goes anywhere but behind its own blocks.
fn is_straight(stmt: &Stmt, labels: &mut Vec<Label>) -> bool {
    match stmt {
        Stmt::Loop(..) | Stmt::Return(_) => false,
        Stmt::Break(label) => labels.contains(label),
        Stmt::Switch(_, to, last) => labels.contains(last) && to.iter().all(|label| labels.contains(label)),
        Stmt::Block(label, body) => {
            labels.push(*label);
            let straight = body.iter().all(|stmt| is_straight(stmt, labels));
            labels.pop();
            straight
        }
        Stmt::If(_, then, otherwise) => then.iter().chain(otherwise).all(|stmt| is_straight(stmt, labels)),
        _ => true,
    }
}

/// Where the last call in statements comes from, which is what ends the program.
fn last_call(list: &[Stmt]) -> Option<At> {
    list.iter().rev().find_map(|stmt| match stmt {
        Stmt::Call(call, _) => Some(call.at),
        _ => None,
    })
}

/// Locals that may be read before they are assigned.
#[derive(Default)]
struct Reads {
    before: Vec<Local>,
    seen: FxHashSet<Local>,
    /// Those of them that have a value for sure: they are read on each way, with no assignment before.
    always: FxHashSet<Local>,
    /// Those that are assigned somewhere before.
    touched: FxHashSet<Local>,
}

impl Reads {
    fn list(&mut self, list: &[Stmt], assigned: &mut FxHashSet<Local>, inside: bool) {
        for stmt in list {
            stmt.exprs(&mut |expr| self.expr(expr, assigned, inside));
            if let Stmt::If(_, then, otherwise) = stmt {
                let mut ways = [assigned.clone(), assigned.clone()];
                for (list, assigned) in [then, otherwise].into_iter().zip(&mut ways) {
                    self.list(list, assigned, true);
                }
                let [yes, no] = ways;
                assigned.extend(yes.intersection(&no));
            }
            if let Stmt::Block(_, body) = stmt {
                // What is assigned in there may be jumped over.
                self.list(body, &mut assigned.clone(), true);
            }
            assigned.extend(stmt.assigned());
            self.touched.extend(stmt.assigned());
        }
    }

    fn expr(&mut self, expr: &Expr, assigned: &FxHashSet<Local>, inside: bool) {
        if let Expr::Local(local) = expr
            && !assigned.contains(local)
        {
            if self.seen.insert(*local) {
                self.before.push(*local);
            }
            if !inside && !self.touched.contains(local) {
                self.always.insert(*local);
            }
        }
        expr.each(&mut |part| self.expr(part, assigned, inside));
    }
}

fn rename(expr: &mut Expr, number: &mut impl FnMut(Local) -> Local) {
    if let Expr::Local(local) = expr {
        *local = number(*local);
    }
    expr.each_mut(&mut |part| rename(part, number));
}
