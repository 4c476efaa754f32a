//! Assignments whose value nobody reads.

use super::body_mut;
use crate::ir::visit::each_stmt;
use crate::ir::{Code, Expr, Function, Label, Local, Stmt};

/// Beyond so many words of sets times blocks the sets would cost too much.
const MAX_WORK: usize = 4_000_000;

/// Sets of so many words never cost too much.
const FEW_WORDS: usize = 16;

/// Loops that are nested deeper are looked at once, and cost precision.
const MAX_LOOPS: usize = 4;

/// A set of locals.
#[derive(Clone, Debug)]
struct Set(Vec<u64>);

impl Set {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, local: Local) {
        self.0[local.index() / 64] |= 1 << (local.index() % 64);
    }

    fn remove(&mut self, local: Local) {
        self.0[local.index() / 64] &= !(1 << (local.index() % 64));
    }

    fn contains(&self, local: Local) -> bool {
        self.0[local.index() / 64] & (1 << (local.index() % 64)) != 0
    }

    fn add(&mut self, other: &Set) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    fn clear(&mut self) {
        self.0.fill(0);
    }
}

struct Liveness {
    /// What is read after a jump to each label that is around.
    targets: Vec<(Label, Set)>,
    /// How many loops are around that are looked at twice.
    loops: usize,
    /// Whether nothing is to be removed yet.
    dry: bool,
    changed: bool,
}

/// Removes such assignments; whether there were any.
pub(crate) fn remove(function: &mut Function) -> bool {
    let count = function.locals.len();
    let Code::Body(body) = &function.code else { return false };
    // Few words for each set cost no more than the statements themselves.
    let words = count.div_ceil(64);
    if words > FEW_WORDS {
        let mut blocks = 0;
        each_stmt(body, &mut |stmt| blocks += matches!(stmt, Stmt::Block(..) | Stmt::Loop(..) | Stmt::If(..)) as usize);
        if words * blocks > MAX_WORK {
            return false;
        }
    }
    let mut body = std::mem::take(body_mut(function));
    let mut pass = Liveness { targets: Vec::new(), loops: 0, dry: false, changed: false };
    pass.list(&mut body, Set::new(count));
    *body_mut(function) = body;
    pass.changed
}

impl Liveness {
    /// Adds what is read after a jump to a label.
    fn add_target(&self, label: Label, live: &mut Set) {
        if let Some((_, set)) = self.targets.iter().rev().find(|(each, _)| *each == label) {
            live.add(set);
        }
    }

    /// What is read from the beginning of statements on, if `live` is from their end on.
    fn list(&mut self, list: &mut Vec<Stmt>, mut live: Set) -> Set {
        let mut remove = Vec::new();
        for (index, stmt) in list.iter_mut().enumerate().rev() {
            match stmt {
                Stmt::Set(local, value) => {
                    if !live.contains(*local) {
                        if self.dry {
                            if value.traps() {
                                read(value, &mut live);
                            }
                            continue;
                        }
                        self.changed = true;
                        if value.traps() {
                            let value = std::mem::replace(value, Expr::I32(0));
                            read(&value, &mut live);
                            *stmt = Stmt::Drop(value);
                        } else {
                            remove.push(index);
                        }
                        continue;
                    }
                    live.remove(*local);
                }
                Stmt::Call(_, to) => to.iter().for_each(|&local| live.remove(local)),
                Stmt::Break(label) => {
                    live.clear();
                    self.add_target(*label, &mut live);
                }
                Stmt::Switch(_, labels, last) => {
                    live.clear();
                    labels.iter().chain([&*last]).for_each(|label| self.add_target(*label, &mut live));
                }
                Stmt::Return(_) | Stmt::Unreachable => live.clear(),
                Stmt::Block(label, body) => {
                    self.targets.push((*label, live.clone()));
                    live = self.list(body, live);
                    self.targets.pop();
                }
                Stmt::Loop(label, body) if self.loops < MAX_LOOPS => {
                    // What the loop reads before it assigns it, and what is read where it may go from here, may be read
                    // after its beginning; a second look finds nothing more.
                    self.loops += 1;
                    let dry = std::mem::replace(&mut self.dry, true);
                    self.targets.push((*label, Set(Vec::new())));
                    let head = self.list(body, live.clone());
                    self.targets.pop();
                    self.dry = dry;
                    self.targets.push((*label, head));
                    live = self.list(body, live);
                    self.targets.pop();
                    self.loops -= 1;
                }
                Stmt::Loop(label, body) => {
                    // All that the loop reads, and what is read where it may go from here, may be read after its beginning.
                    let mut head = live.clone();
                    each_stmt(body, &mut |stmt| {
                        stmt.exprs(&mut |expr| read(expr, &mut head));
                        if let Stmt::Break(to) = stmt {
                            self.add_target(*to, &mut head);
                        }
                        if let Stmt::Switch(_, labels, last) = stmt {
                            labels.iter().chain([last]).for_each(|&to| self.add_target(to, &mut head));
                        }
                    });
                    self.targets.push((*label, head));
                    live = self.list(body, live);
                    self.targets.pop();
                }
                Stmt::If(_, then, otherwise) => {
                    let mut before = self.list(then, live.clone());
                    before.add(&self.list(otherwise, live));
                    live = before;
                }
                _ => {}
            }
            list_reads(stmt, &mut live);
        }
        if !remove.is_empty() {
            // They were found from the end on.
            let mut remove = remove.into_iter().rev().peekable();
            let mut indices = 0..;
            list.retain(|_| indices.next().is_none_or(|index| remove.next_if_eq(&index).is_none()));
        }
        live
    }
}

fn list_reads(stmt: &Stmt, live: &mut Set) {
    stmt.exprs(&mut |expr| read(expr, live));
}

fn read(expr: &Expr, live: &mut Set) {
    if let Expr::Local(local) = expr {
        live.insert(*local);
    }
    expr.each(&mut |part| read(part, live));
}
