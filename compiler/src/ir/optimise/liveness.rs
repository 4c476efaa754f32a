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

/// How often what a turn of a loop hands to the next is gone through; beyond that all of it is taken to be read.
const MAX_SWEEPS: usize = 8;

/// A set of locals.
#[derive(Debug, Default)]
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
    /// Of assignments that nothing reads unless it is a later turn of a loop that is looked at: what they assign, and what they read.
    passed: Vec<(Local, Local)>,
    /// Sets that are needed no more, for their memory.
    spare: Vec<Set>,
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
    let mut pass =
        Liveness { targets: Vec::new(), loops: 0, dry: false, changed: false, passed: Vec::new(), spare: Vec::new() };
    pass.list(&mut body, Set::new(count));
    *body_mut(function) = body;
    pass.changed
}

impl Liveness {
    /// The same set once more.
    fn copy(&mut self, set: &Set) -> Set {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.0.clone_from(&set.0);
        copy
    }

    /// Forgets the target that was added last.
    fn leave(&mut self) {
        self.spare.extend(self.targets.pop().map(|(_, set)| set));
    }

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
                            } else {
                                reads(value, &mut |from| self.passed.push((*local, from)));
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
                    let behind = self.copy(&live);
                    self.targets.push((*label, behind));
                    live = self.list(body, live);
                    self.leave();
                }
                Stmt::Loop(label, body) if self.loops < MAX_LOOPS => {
                    self.loops += 1;
                    live = self.repeat(*label, body, live);
                    self.loops -= 1;
                }
                Stmt::Loop(label, body) => {
                    // All that the loop reads, and what is read where it may go from here, may be read after its beginning.
                    let mut head = self.copy(&live);
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
                    self.leave();
                }
                Stmt::If(_, then, otherwise) => {
                    let behind = self.copy(&live);
                    live = self.list(then, live);
                    let other = self.list(otherwise, behind);
                    live.add(&other);
                    self.spare.push(other);
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

    /// The same for a loop: what may be read after its beginning is looked for before anything is removed.
    fn repeat(&mut self, label: Label, body: &mut Vec<Stmt>, live: Set) -> Set {
        let height = self.passed.len();
        let behind = if self.dry { None } else { Some(self.copy(&live)) };
        let dry = std::mem::replace(&mut self.dry, true);
        self.targets.push((label, Set(Vec::new())));
        let mut head = self.list(body, live);
        self.leave();
        self.dry = dry;
        self.add_passed(height, &mut head);
        let Some(behind) = behind else { return head };
        self.passed.truncate(height);
        self.targets.push((label, head));
        let head = self.list(body, behind);
        self.leave();
        head
    }

    /// Adds what one turn of a loop hands to the next, by assignments of what is read there.
    fn add_passed(&self, height: usize, head: &mut Set) {
        // They were found from the end on, and what is handed on comes mostly in the order of the code.
        for _ in 0..MAX_SWEEPS {
            let mut changed = false;
            for &(to, from) in self.passed[height..].iter().rev() {
                if head.contains(to) && !head.contains(from) {
                    head.insert(from);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
        self.passed[height..].iter().for_each(|&(_, from)| head.insert(from));
    }
}

fn reads(expr: &Expr, f: &mut impl FnMut(Local)) {
    if let Expr::Local(local) = expr {
        return f(*local);
    }
    expr.each(&mut |part| reads(part, f));
}

fn list_reads(stmt: &Stmt, live: &mut Set) {
    stmt.exprs(&mut |expr| read(expr, live));
}

fn read(expr: &Expr, live: &mut Set) {
    reads(expr, &mut |local| live.insert(local));
}
