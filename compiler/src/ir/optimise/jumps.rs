//! Jumps whose further way is known go there at once.
//!
//! What a function returns to a `match` or a loop is a number in a local, on which the caller decides. Once the function's body is in the
//! place of its call, each of its ends knows the number, so that it can go directly to the arm that the decision would go to:
//!
//! ```text
//! block l { … tag = 1; break l … tag = 0; break l }        block e { block t { … tag = 1; break t … tag = 0 }
//! if tag { some } else { none }                      ⇒       none; break e }  … with `some` where `t` ends
//! ```
//!
//! No code is copied. This is what makes chains of iterators one loop.

use super::body_mut;
use super::fold::{Known, decide, type_of};
use super::simplify::strip;
use crate::ir::visit::{each_stmt, falls_through, jumps_to};
use crate::ir::{Expr, Function, Label, Local, Module, Stmt, Val};

/// Directs jumps in a function; whether any changed.
pub(crate) fn thread(module: &Module, function: &mut Function) -> bool {
    let mut body = std::mem::take(body_mut(function));
    let mut pass = Thread { module, locals: function.locals.clone(), labels: function.labels, changed: false };
    pass.list(&mut body);
    let changed = pass.changed;
    function.labels = pass.labels;
    *body_mut(function) = body;
    changed
}

struct Thread<'m> {
    module: &'m Module,
    locals: Vec<Val>,
    labels: u32,
    changed: bool,
}

/// What decides behind a block.
struct Decision<'d> {
    /// The block's label.
    label: Label,
    /// What is decided on.
    local: Local,
    condition: Condition<'d>,
}

enum Condition<'d> {
    If(&'d Expr),
    Switch(&'d [Label], Label),
}

/// Where a jump goes once the decision is known.
#[derive(Clone, Copy)]
enum Way {
    Yes,
    No,
    To(Label),
}

impl Thread<'_> {
    fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    fn list(&mut self, list: &mut Vec<Stmt>) {
        for stmt in list.iter_mut() {
            stmt.lists_mut(&mut |inner| self.list(inner));
        }
        let mut at = 0;
        while at + 1 < list.len() {
            if matches!(list[at], Stmt::Block(..))
                && (self.decide(list, at) || self.enter(list, at) || self.join(list, at))
            {
                self.changed = true;
                // What took the place may go on.
                continue;
            }
            at += 1;
        }
    }

    /// How many jumps out of a block know the outcome of a decision behind it, and how many do not.
    fn outcomes(&self, block: &Stmt, decision: &Stmt) -> Option<(usize, usize)> {
        let Stmt::Block(label, body) = block else { return None };
        let (condition, local) = match decision {
            Stmt::If(condition, ..) => (Condition::If(condition), the_local(condition)?),
            Stmt::Switch(index @ Expr::Local(_), labels, last) => (Condition::Switch(labels, *last), the_local(index)?),
            _ => return None,
        };
        let decision = Decision { label: *label, local, condition };
        let (mut known, mut unknown) = (0, 0);
        let mut count = |way: Option<Way>| if way.is_some() { known += 1 } else { unknown += 1 };
        if let Some(end) = self.walk(body, None, &decision, &mut count) {
            count(self.way(&decision, &end));
        }
        Some((known, unknown))
    }

    /// Directs the jumps out of the block at `at` by the decision behind it.
    fn decide(&mut self, list: &mut Vec<Stmt>, at: usize) -> bool {
        let Some((known, unknown)) = self.outcomes(&list[at], &list[at + 1]) else { return false };
        let local = match &list[at + 1] {
            Stmt::If(condition, ..) | Stmt::Switch(condition, ..) => the_local(condition),
            _ => None,
        };
        let Some(local) = local.filter(|_| known > 0) else { return false };
        let Stmt::Block(label, mut body) = list.remove(at) else { return false };
        if falls_through(&body) {
            body.push(Stmt::Break(label));
        }
        match list.remove(at) {
            Stmt::If(condition, then, otherwise) => {
                let replaced = self.branches(label, local, body, condition, then, otherwise, unknown > 0);
                list.splice(at..at, replaced);
            }
            Stmt::Switch(index, labels, last) => {
                let decision = Decision { label, local, condition: Condition::Switch(&labels, last) };
                self.redirect(&mut body, None, &decision, &|way| match way {
                    Way::To(to) => Stmt::Break(to),
                    Way::Yes | Way::No => Stmt::Break(label),
                });
                if unknown > 0 {
                    list.splice(at..at, [Stmt::Block(label, body), Stmt::Switch(index, labels, last)]);
                } else {
                    list.splice(at..at, body);
                }
            }
            other => list.insert(at, other),
        }
        true
    }

    fn branches(
        &mut self,
        label: Label,
        local: Local,
        mut body: Vec<Stmt>,
        condition: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
        undecided: bool,
    ) -> Vec<Stmt> {
        let (yes, no, end) = (self.label(), self.label(), self.label());
        let jump = |branch: &[Stmt]| match branch {
            [only @ Stmt::Break(_)] => Some(only.clone()),
            [] => Some(Stmt::Break(end)),
            _ => None,
        };
        let (yes_jump, no_jump) = (jump(&then), jump(&otherwise));
        let go = |way: Way| match way {
            Way::Yes => yes_jump.clone().unwrap_or(Stmt::Break(yes)),
            Way::No => no_jump.clone().unwrap_or(Stmt::Break(no)),
            Way::To(to) => Stmt::Break(to),
        };
        let decision = Decision { label, local, condition: Condition::If(&condition) };
        self.redirect(&mut body, None, &decision, &go);
        let mut inner = if undecided {
            vec![Stmt::Block(label, body), Stmt::If(condition, vec![go(Way::Yes)], Vec::new()), go(Way::No)]
        } else {
            body
        };
        for (jump, label, branch) in [(no_jump.is_none(), no, otherwise), (yes_jump.is_none(), yes, then)] {
            if jump {
                let used = jumps_to(&inner, label);
                inner = vec![Stmt::Block(label, inner)];
                if used {
                    let falls = falls_through(&branch);
                    inner.extend(branch);
                    if falls {
                        inner.push(Stmt::Break(end));
                    }
                }
            }
        }
        strip(&mut inner, end);
        if jumps_to(&inner, end) { vec![Stmt::Block(end, inner)] } else { inner }
    }

    /// Where the decision leads, with what is known of its local.
    fn way(&self, decision: &Decision<'_>, known: &Option<Known>) -> Option<Way> {
        let known = known.as_ref()?;
        match decision.condition {
            Condition::If(condition) => {
                let holds = decide(self.module, &self.locals, condition, decision.local, known)?;
                Some(if holds { Way::Yes } else { Way::No })
            }
            Condition::Switch(labels, last) => match known {
                Known::Value(Expr::I32(value)) => {
                    Some(Way::To(labels.get(*value as u32 as usize).copied().unwrap_or(last)))
                }
                _ => None,
            },
        }
    }

    /// What is known after a statement that is no jump and holds none.
    fn after(&self, stmt: &Stmt, local: Local, known: Option<Known>) -> Option<Known> {
        match stmt {
            Stmt::Set(to, value) if *to == local => match value {
                Expr::I32(_) | Expr::I64(_) | Expr::Null(_) | Expr::Row(_) => Some(Known::Value(value.clone())),
                value if matches!(type_of(self.module, &self.locals, value), Val::Ref(_)) => Some(Known::NonNull),
                _ => None,
            },
            other if other.assigned().contains(&local) => None,
            _ => known,
        }
    }

    /// Goes through statements and calls `at_jump` at each jump to the label; what is known at the end, if it is reached.
    fn walk(
        &self,
        list: &[Stmt],
        known: Option<Known>,
        decision: &Decision<'_>,
        at_jump: &mut dyn FnMut(Option<Way>),
    ) -> Option<Option<Known>> {
        let mut known = known;
        for stmt in list {
            match stmt {
                Stmt::Break(label) if *label == decision.label => {
                    at_jump(self.way(decision, &known));
                    return None;
                }
                Stmt::Switch(_, labels, last) => {
                    if labels.contains(&decision.label) || *last == decision.label {
                        at_jump(None);
                    }
                    return None;
                }
                Stmt::Break(_) | Stmt::Return(_) | Stmt::Unreachable => return None,
                Stmt::If(_, then, otherwise) => {
                    let then = self.walk(then, known.clone(), decision, at_jump);
                    let otherwise = self.walk(otherwise, known.clone(), decision, at_jump);
                    known = meet(then, otherwise)?;
                }
                Stmt::Block(_, body) | Stmt::Loop(_, body) => {
                    let is_loop = matches!(stmt, Stmt::Loop(..));
                    let assigned = assigns(body, decision.local);
                    let inside = if is_loop && assigned { None } else { known.clone() };
                    self.walk(body, inside, decision, at_jump);
                    if !falls_through(std::slice::from_ref(stmt)) {
                        return None;
                    }
                    if assigned {
                        known = None;
                    }
                }
                other => known = self.after(other, decision.local, known),
            }
        }
        Some(known)
    }

    /// The same, with jumps replaced.
    fn redirect(
        &self,
        list: &mut [Stmt],
        known: Option<Known>,
        decision: &Decision<'_>,
        go: &dyn Fn(Way) -> Stmt,
    ) -> Option<Option<Known>> {
        let mut known = known;
        for stmt in list {
            match stmt {
                Stmt::Break(label) if *label == decision.label => {
                    if let Some(way) = self.way(decision, &known) {
                        *stmt = go(way);
                    }
                    return None;
                }
                Stmt::Switch(..) | Stmt::Break(_) | Stmt::Return(_) | Stmt::Unreachable => return None,
                Stmt::If(_, then, otherwise) => {
                    let then = self.redirect(then, known.clone(), decision, go);
                    let otherwise = self.redirect(otherwise, known.clone(), decision, go);
                    known = meet(then, otherwise)?;
                }
                Stmt::Block(..) | Stmt::Loop(..) => {
                    let falls = falls_through(std::slice::from_ref(stmt));
                    let is_loop = matches!(stmt, Stmt::Loop(..));
                    let (Stmt::Block(_, body) | Stmt::Loop(_, body)) = stmt else { continue };
                    let assigned = assigns(body, decision.local);
                    let inside = if is_loop && assigned { None } else { known.clone() };
                    self.redirect(body, inside, decision, go);
                    if !falls {
                        return None;
                    }
                    if assigned {
                        known = None;
                    }
                }
                other => known = self.after(other, decision.local, known),
            }
        }
        Some(known)
    }

    /// Moves a block into the one behind it, where what is decided on may be decided.
    fn enter(&mut self, list: &mut Vec<Stmt>, at: usize) -> bool {
        let mut first = &list[at + 1];
        while let Stmt::Block(_, inner) = first {
            let Some(next) = inner.first() else { return false };
            first = next;
        }
        if !matches!(list[at + 1], Stmt::Block(..))
            || self.outcomes(&list[at], first).is_none_or(|(known, _)| known == 0)
        {
            return false;
        }
        let block = list.remove(at);
        if let Stmt::Block(_, next) = &mut list[at] {
            next.insert(0, block);
            let mut inner = std::mem::take(next);
            self.list(&mut inner);
            if let Stmt::Block(_, next) = &mut list[at] {
                *next = inner;
            }
        }
        true
    }

    /// Moves what follows a block to the only jump out of it.
    fn join(&mut self, list: &mut Vec<Stmt>, at: usize) -> bool {
        let Stmt::Block(label, body) = &list[at] else { return false };
        let label = *label;
        if falls_through(body) || falls_through(&list[at + 1..]) || jump_count(body, label, false) != Some(1) {
            return false;
        }
        let rest = list.split_off(at + 1);
        let Some(Stmt::Block(_, mut body)) = list.pop() else { return false };
        let mut rest = Some(rest);
        put(&mut body, label, &mut rest);
        debug_assert!(rest.is_none(), "the jump was counted");
        list.extend(body);
        true
    }
}

/// The only local in a condition that cannot trap.
fn the_local(condition: &Expr) -> Option<Local> {
    let mut found = None;
    let mut simple = true;
    fn look(expr: &Expr, found: &mut Option<Local>, simple: &mut bool) {
        match expr {
            Expr::Local(local) => {
                *simple &= found.is_none_or(|other| other == *local);
                *found = Some(*local);
            }
            Expr::Unary(..) | Expr::Binary(..) | Expr::IsNull(_) | Expr::I32(_) | Expr::I64(_) | Expr::Row(_) => {}
            _ => *simple = false,
        }
        expr.each(&mut |part| look(part, found, simple));
    }
    look(condition, &mut found, &mut simple);
    found.filter(|_| simple)
}

fn assigns(list: &[Stmt], local: Local) -> bool {
    let mut found = false;
    each_stmt(list, &mut |stmt| found |= stmt.assigned().contains(&local));
    found
}

/// How many jumps go to a label; `None` if one is in a loop or is a switch.
fn jump_count(list: &[Stmt], label: Label, in_loop: bool) -> Option<usize> {
    let mut count = 0;
    for stmt in list {
        match stmt {
            Stmt::Break(to) if *to == label => {
                if in_loop {
                    return None;
                }
                count += 1;
            }
            Stmt::Switch(_, labels, last) if labels.contains(&label) || *last == label => return None,
            _ => {}
        }
        match stmt {
            Stmt::Block(_, body) => count += jump_count(body, label, in_loop)?,
            Stmt::Loop(_, body) => count += jump_count(body, label, true)?,
            Stmt::If(_, then, otherwise) => {
                count += jump_count(then, label, in_loop)? + jump_count(otherwise, label, in_loop)?;
            }
            _ => {}
        }
    }
    Some(count)
}

/// Puts statements in the place of the jump to a label, and of what cannot be reached behind it.
fn put(list: &mut Vec<Stmt>, label: Label, rest: &mut Option<Vec<Stmt>>) {
    if let Some(at) = list.iter().position(|stmt| *stmt == Stmt::Break(label)) {
        list.truncate(at);
        list.extend(rest.take().unwrap_or_default());
        return;
    }
    for stmt in list {
        stmt.lists_mut(&mut |inner| {
            if rest.is_some() {
                put(inner, label, rest);
            }
        });
    }
}

/// What is known where two ways meet, of which each may end before: `None` if both do.
fn meet(a: Option<Option<Known>>, b: Option<Option<Known>>) -> Option<Option<Known>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if a == b { a } else { None }),
        (only, None) | (None, only) => only,
    }
}
