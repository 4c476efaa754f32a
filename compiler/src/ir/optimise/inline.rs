//! Calls are replaced by the bodies of what they call.

use rustc_hash::FxHashMap;

use super::State;
use super::body_mut;
use super::specialise::{self, Closures};
use super::uses::{Contents, definitions};
use crate::ir::visit::each_stmt;
use crate::ir::{At, Callee, Code, Expr, FuncId, Function, Init, Label, Local, Module, Place, Stmt};

/// Functions of this size always.
const SMALL: usize = 30;

/// Functions of this size where an argument is a new object that they keep to themselves, or a function value that they call: much of the
/// body is likely to go.
const PROMISING: usize = 300;

/// The same where the call is in no loop.
const PROMISING_ONCE: usize = 80;

/// Functions of this size where nothing else calls them, unless they have loops: there the call is the least of it, and what is called once
/// more can be compiled by then, where a caller that is entered once stays in the interpreter.
const ONLY_CALL: usize = 1000;

/// A function is not made greater than this.
const MAX_CALLER: usize = 12_000;

/// How deep code may be nested by this.
const MAX_NESTING: usize = 150;

struct Inline<'m, 's> {
    module: &'m mut Module,
    state: &'s mut State,
    caller: FuncId,
    size: usize,
    /// Locals that refer to objects made here, by index; not lists, which are an object of one part anyway.
    fresh: Vec<bool>,
    /// Closures made here.
    closures: Closures,
    /// Of the body that was put in last: its places, and what they became.
    places: FxHashMap<u32, u32>,
    changed: bool,
}

/// Replaces calls in a function, in which this is; whether there were any to replace.
pub(crate) fn inline(
    module: &mut Module,
    state: &mut State,
    function: &mut Function,
    id: FuncId,
    contents: Contents,
) -> bool {
    let (fresh, closures) = if contents.kinds.objects { objects(module, function) } else { Default::default() };
    let mut pass = Inline {
        module,
        state,
        caller: id,
        size: contents.size,
        fresh,
        closures,
        places: FxHashMap::default(),
        changed: false,
    };
    let mut body = std::mem::take(body_mut(function));
    pass.list(&mut body, function, 0, false);
    let changed = pass.changed;
    *body_mut(function) = body;
    changed
}

/// Which locals refer to objects made in a function, as [`Inline`] has them.
fn objects(module: &Module, function: &Function) -> (Vec<bool>, Closures) {
    let mut fresh = vec![false; function.locals.len()];
    let mut closures = Closures::default();
    let defs = definitions(function);
    let is_stable = |expr: &Expr| match expr {
        Expr::Local(local) => defs[local.index()] == 1,
        other => other.is_atom(),
    };
    if let Code::Body(body) = &function.code {
        each_stmt(body, &mut |stmt| {
            if let Stmt::Set(local, Expr::StructNew(ty, fields)) = stmt {
                fresh[local.index()] = !module.lists.contains(ty);
                let is_closure = matches!(fields.first(), Some(Expr::Row(_))) && fields.iter().all(is_stable);
                if is_closure && defs[local.index()] == 1 {
                    closures.insert(*local, (*ty, fields.clone()));
                }
            }
        });
    }
    (fresh, closures)
}

impl Inline<'_, '_> {
    fn list(&mut self, list: &mut Vec<Stmt>, function: &mut Function, depth: usize, in_loop: bool) {
        // What ends the program is seldom reached, and so is all on the way there.
        if matches!(list.last(), Some(Stmt::Unreachable)) && depth > 0 {
            return;
        }
        let mut at = 0;
        while at < list.len() {
            let in_loop = in_loop || matches!(list[at], Stmt::Loop(..));
            list[at].lists_mut(&mut |inner| self.list(inner, function, depth + 1, in_loop));
            let ends = matches!(list.get(at + 1), Some(Stmt::Unreachable));
            if let Stmt::Call(call, _) = &list[at]
                && let Callee::Direct(callee) = call.callee
                && depth < MAX_NESTING
            {
                // What was a method in the table may be called directly by now.
                super::demand(self.module, self.state, callee);
            }
            if let Stmt::Call(call, _) = &list[at]
                && let Callee::Direct(callee) = call.callee
                && depth < MAX_NESTING
                && self.is_worth_it(callee, &call.args, ends, in_loop)
                && let Stmt::Call(call, to) = std::mem::replace(&mut list[at], Stmt::Unreachable)
            {
                let replaced = self.body(callee, call.args, call.at, &to, function);
                list.splice(at..=at, replaced);
                self.changed = true;
            } else if let Stmt::Call(call, _) = &mut list[at]
                && let Callee::Direct(callee) = call.callee
                && !ends
                && let Some((version, args)) =
                    specialise::version(self.module, self.state, &self.closures, callee, &call.args)
            {
                call.callee = Callee::Direct(version);
                call.args = args;
                self.changed = true;
            }
            at += 1;
        }
    }

    fn is_worth_it(&self, callee: FuncId, args: &[Expr], ends: bool, in_loop: bool) -> bool {
        let Some(Contents { size, kinds }) = self.state.contents[callee.index()] else { return false };
        if callee == self.caller || self.state.order.recursive[callee.index()] {
            return false;
        }
        if !matches!(self.module.functions[callee.index()].code, Code::Body(_)) {
            return false;
        }
        // What ends the program is seldom reached.
        if ends || self.size + size > MAX_CALLER || size > self.state.budget {
            return false;
        }
        size <= SMALL
            || (size <= (if in_loop { PROMISING } else { PROMISING_ONCE }) && self.is_promising(callee, args))
            || (size <= ONLY_CALL && self.state.calls[callee.index()] == 1 && !kinds.loops)
    }

    fn is_promising(&self, callee: FuncId, args: &[Expr]) -> bool {
        let kept = &self.state.kept[callee.index()];
        args.iter().zip(kept).any(|(arg, &kept)| {
            kept && match arg {
                Expr::StructNew(ty, _) => !self.module.lists.contains(ty),
                Expr::Local(local) => self.is_fresh(*local),
                // What is in an object made here was probably made here too: an iterator over an iterator.
                Expr::StructGet(_, _, object, _) => matches!(**object, Expr::Local(local) if self.is_fresh(local)),
                Expr::Global(id) => matches!(self.module.globals[id.index()].init, Init::Function(..)),
                _ => false,
            }
        })
    }

    fn is_fresh(&self, local: Local) -> bool {
        self.fresh.get(local.index()).copied().unwrap_or(false)
    }

    /// The body of a function in the place of a call.
    fn body(&mut self, callee: FuncId, args: Vec<Expr>, at: At, to: &[Local], function: &mut Function) -> Vec<Stmt> {
        let inlined = &self.module.functions[callee.index()];
        let Code::Body(body) = &inlined.code else { return Vec::new() };
        let mut body = body.clone();
        let size = self.state.size(callee).unwrap_or(0);
        self.size += size;
        self.state.budget -= size;
        let first = function.locals.len() as u32;
        function.locals.extend(&inlined.locals);
        let end = Label(function.labels + inlined.labels);
        self.places.clear();
        let mut rename = Rename {
            locals: first,
            labels: function.labels,
            end,
            to,
            places: &mut self.places,
            table: &mut self.module.places,
            at,
        };
        function.labels += inlined.labels + 1;
        rename.list(&mut body);
        let counted = &mut self.state.calls;
        each_stmt(&body, &mut |stmt| {
            if let Stmt::Call(call, _) = stmt
                && let Callee::Direct(id) = call.callee
            {
                counted[id.index()] += 1;
            }
        });
        let mut output: Vec<Stmt> =
            args.into_iter().enumerate().map(|(index, arg)| Stmt::Set(Local(first + index as u32), arg)).collect();
        output.push(Stmt::Block(end, body));
        output
    }
}

/// Makes the names of a function's body those of its caller.
struct Rename<'r> {
    locals: u32,
    labels: u32,
    /// Where a return goes, with the results in `to`.
    end: Label,
    to: &'r [Local],
    places: &'r mut FxHashMap<u32, u32>,
    table: &'r mut Vec<Place>,
    at: At,
}

impl Rename<'_> {
    fn list(&mut self, list: &mut Vec<Stmt>) {
        for stmt in list.iter_mut() {
            self.stmt(stmt);
        }
        // Only the last statement can return.
        if let Some(Stmt::Return(_)) = list.last()
            && let Some(Stmt::Return(values)) = list.pop()
        {
            list.extend(self.to.iter().zip(values).map(|(&to, value)| Stmt::Set(to, value)));
            list.push(Stmt::Break(self.end));
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::Set(local, _) => self.local(local),
            Stmt::Call(call, to) => {
                to.iter_mut().for_each(|local| self.local(local));
                self.place(&mut call.at);
            }
            Stmt::StructSet(.., at) | Stmt::ArraySet(.., at) | Stmt::ArrayCopy(.., at) | Stmt::ArrayFill(.., at) => {
                self.place(at);
            }
            Stmt::Block(label, body) | Stmt::Loop(label, body) => {
                self.label(label);
                self.list(body);
            }
            Stmt::If(_, then, otherwise) => {
                self.list(then);
                self.list(otherwise);
            }
            Stmt::Switch(_, labels, last) => {
                labels.iter_mut().for_each(|label| self.label(label));
                self.label(last);
            }
            Stmt::Break(label) => self.label(label),
            Stmt::GlobalSet(..) | Stmt::Return(_) | Stmt::Drop(_) | Stmt::Unreachable => {}
        }
        stmt.exprs_mut(&mut |expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Local(local) => self.local(local),
            Expr::Checked(.., at)
            | Expr::Index(.., at)
            | Expr::StructGet(.., at)
            | Expr::ArrayNew(.., at)
            | Expr::ArrayDefault(.., at)
            | Expr::ArrayData(.., at)
            | Expr::ArrayGet(.., at)
            | Expr::ArrayLen(.., at)
            | Expr::NonNull(.., at)
            | Expr::Cast(.., at) => self.place(at),
            _ => {}
        }
        expr.each_mut(&mut |part| self.expr(part));
    }

    fn local(&self, local: &mut Local) {
        local.0 += self.locals;
    }

    fn label(&self, label: &mut Label) {
        label.0 += self.labels;
    }

    fn place(&mut self, at: &mut At) {
        at.0 = self.inlined(at.0);
    }

    /// The place of code that was put where the call was.
    fn inlined(&mut self, place: u32) -> u32 {
        if let Some(&known) = self.places.get(&place) {
            return known;
        }
        let Place { span, function, caller } = self.table[place as usize];
        let caller = match caller {
            Some(caller) => self.inlined(caller),
            None => self.at.0,
        };
        let number = self.table.len() as u32;
        self.table.push(Place { span, function, caller: Some(caller) });
        self.places.insert(place, number);
        number
    }
}
