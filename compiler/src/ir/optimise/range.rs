//! Checks that cannot fail.
//!
//! What conditions say about numbers on the way to a place is collected: bounds, and which local is below which other. A loop's
//! locals keep a bound that they have before it if every assignment in it keeps it. With that, sums that cannot overflow need no check,
//! and indices below a length none either.

use super::body_mut;
use super::fold::power_of_two;
use crate::ir::visit::each_stmt;
use crate::ir::{BinaryOp as B, CheckedOp, Expr, Function, Label, Local, Module, Stmt, Storage, UnaryOp as U, Val};

/// How many bounds, and how many relations, are kept at a time.
const MAX_FACTS: usize = 40;

/// How often statements may be looked at before they are changed, on average.
const MAX_LOOKS: usize = 12;

/// How deep loops may be nested for their locals to be looked at.
const MAX_LOOPS: usize = 6;

/// An array has fewer elements.
const LENGTHS: i64 = i32::MAX as i64;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fact {
    /// At least.
    Low(Local, i64),
    /// At most.
    High(Local, i64),
    /// The first is less than the second.
    Less(Local, Local),
    /// The first is at most the second.
    NotAbove(Local, Local),
}

#[derive(Debug, Default)]
struct Facts {
    /// The least and the greatest value of locals.
    bounds: Vec<(Local, i64, i64)>,
    /// Of which locals the first is less than the second, or at most that.
    relations: Vec<(Local, Local, bool)>,
}

struct Range<'m> {
    module: &'m Module,
    locals: Vec<Val>,
    /// What holds at jumps to labels that are around; `None` before the first jump.
    exits: Vec<(Label, Option<Facts>)>,
    /// How many of them are outside of the loop that is looked at: what holds at jumps there waits until it is known what holds in the loop.
    outside: usize,
    /// What waits, each with the place of its label.
    waiting: Vec<(usize, Facts)>,
    /// How many labels are outside of all loops that are looked at: jumps there are looked at again when code is changed.
    ignored: usize,
    /// By locals, the number of the last loop that was found to assign them, and whether all that it assigns may have bounds.
    assigned: Vec<(u32, bool)>,
    /// How many loops were looked through for that.
    repeated: u32,
    /// What loops around rely on, and whether it did not hold.
    claims: Vec<(Fact, bool)>,
    loops: usize,
    /// How many statements may still be looked at to find what holds in loops.
    looks: usize,
    /// Whether code is changed, or only looked at.
    rewrite: bool,
    changed: bool,
    /// Facts that are needed no more, for their memory.
    spare: Vec<Facts>,
}

/// Removes checks in a function; whether there were any to remove.
pub(crate) fn check(module: &Module, function: &mut Function) -> bool {
    let mut body = std::mem::take(body_mut(function));
    let mut looks = 0;
    each_stmt(&body, &mut |_| looks += MAX_LOOKS);
    let mut pass = Range {
        module,
        locals: function.locals.clone(),
        exits: Vec::new(),
        outside: 0,
        waiting: Vec::new(),
        ignored: 0,
        assigned: vec![(0, false); function.locals.len()],
        repeated: 0,
        claims: Vec::new(),
        loops: 0,
        looks,
        rewrite: true,
        changed: false,
        spare: Vec::new(),
    };
    pass.list(&mut body, Facts::default());
    *body_mut(function) = body;
    pass.changed
}

impl Facts {
    fn add(&mut self, fact: Fact) {
        match fact {
            Fact::Low(local, bound) => self.bound(local, bound, i64::MAX),
            Fact::High(local, bound) => self.bound(local, i64::MIN, bound),
            Fact::Less(a, b) => self.relate(a, b, true),
            Fact::NotAbove(a, b) => self.relate(a, b, false),
        }
    }

    fn bound(&mut self, local: Local, low: i64, high: i64) {
        match self.bounds.iter_mut().find(|(each, ..)| *each == local) {
            Some((_, known_low, known_high)) => {
                *known_low = low.max(*known_low);
                *known_high = high.min(*known_high);
            }
            None => {
                if self.bounds.len() >= MAX_FACTS {
                    self.bounds.remove(0);
                }
                self.bounds.push((local, low, high));
            }
        }
    }

    fn relate(&mut self, a: Local, b: Local, strict: bool) {
        match self.relations.iter_mut().find(|(x, y, _)| (*x, *y) == (a, b)) {
            Some((.., known)) => *known |= strict,
            None => {
                if self.relations.len() >= MAX_FACTS {
                    self.relations.remove(0);
                }
                self.relations.push((a, b, strict));
            }
        }
    }

    fn forget(&mut self, local: Local) {
        self.bounds.retain(|(each, ..)| *each != local);
        self.relations.retain(|(a, b, _)| *a != local && *b != local);
    }

    /// The least and the greatest value.
    fn range(&self, local: Local) -> (i64, i64) {
        let found = self.bounds.iter().find(|(each, ..)| *each == local);
        found.map_or((i64::MIN, i64::MAX), |(_, low, high)| (*low, *high))
    }

    fn low(&self, local: Local) -> i64 {
        self.range(local).0
    }

    fn high(&self, local: Local) -> i64 {
        self.range(local).1
    }

    /// What holds in both cases.
    fn meet(mut self, other: &Facts) -> Facts {
        // Most was known before the ways parted, and is in the same place.
        let mut at = 0..;
        self.bounds.retain_mut(|(local, low, high)| {
            let (other_low, other_high) = match at.next().and_then(|at| other.bounds.get(at)) {
                Some(&(same, low, high)) if same == *local => (low, high),
                _ => other.range(*local),
            };
            (*low, *high) = ((*low).min(other_low), (*high).max(other_high));
            *low > i64::MIN || *high < i64::MAX
        });
        let mut at = 0..;
        self.relations.retain_mut(|relation| {
            let (a, b, strict) = *relation;
            if at.next().and_then(|at| other.relations.get(at)) == Some(relation) {
                return true;
            }
            relation.2 = strict && other.less(a, b, true, 1);
            relation.2 || other.less(a, b, false, 1)
        });
        self
    }

    /// Whether one local is below another, or at most it.
    fn less(&self, a: Local, b: Local, strict: bool, depth: usize) -> bool {
        if a == b {
            return !strict;
        }
        let (high, low) = (self.high(a), self.low(b));
        if high < low || (!strict && high <= low && low > i64::MIN) {
            return true;
        }
        self.relations.iter().any(|&(from, to, is_strict)| {
            from == a
                && if to == b {
                    is_strict || !strict
                } else {
                    depth > 0 && self.less(to, b, strict && !is_strict, depth - 1)
                }
        })
    }

    /// Whether something is greater.
    fn is_below_something(&self, local: Local) -> bool {
        self.high(local) < i64::MAX || self.relations.iter().any(|&(a, _, strict)| strict && a == local)
    }

    /// Whether something is less.
    fn is_above_something(&self, local: Local) -> bool {
        self.low(local) > i64::MIN || self.relations.iter().any(|&(_, b, strict)| strict && b == local)
    }
}

impl Range<'_> {
    /// Goes through statements; what holds at their end, if it is reached.
    fn list(&mut self, list: &mut [Stmt], facts: Facts) -> Option<Facts> {
        let mut facts = facts;
        for stmt in list {
            facts = self.stmt(stmt, facts)?;
        }
        Some(facts)
    }

    fn stmt(&mut self, stmt: &mut Stmt, mut facts: Facts) -> Option<Facts> {
        if self.rewrite {
            stmt.exprs_mut(&mut |expr| self.expr(expr, &facts));
        }
        // What was an index once is one.
        stmt.exprs(&mut |expr| indices(expr, &mut facts));
        match stmt {
            Stmt::Set(local, value) => {
                self.assign(*local, value, &mut facts);
                Some(facts)
            }
            Stmt::Call(_, to) => {
                for &local in to.iter().filter(|local| self.locals[local.index()] == Val::I64) {
                    facts.forget(local);
                    unclaim(&mut self.claims, local);
                }
                Some(facts)
            }
            Stmt::If(condition, then, otherwise) => {
                let mut yes = self.copy(&facts);
                self.assume(condition, true, &mut yes);
                self.assume(condition, false, &mut facts);
                let yes = self.list(then, yes);
                let no = self.list(otherwise, facts);
                self.meet(yes, no)
            }
            Stmt::Block(label, body) => {
                self.exits.push((*label, None));
                let end = self.list(body, facts);
                let exit = self.exits.pop().and_then(|(_, exit)| exit);
                self.meet(end, exit)
            }
            Stmt::Loop(label, body) => {
                let label = *label;
                self.repeat(label, body, facts)
            }
            Stmt::Break(label) => {
                self.exit(*label, facts);
                None
            }
            Stmt::Switch(_, labels, last) => {
                for label in labels {
                    let facts = self.copy(&facts);
                    self.exit(*label, facts);
                }
                self.exit(*last, facts);
                None
            }
            Stmt::Return(_) | Stmt::Unreachable => {
                self.spare.push(facts);
                None
            }
            _ => Some(facts),
        }
    }

    /// The same facts once more.
    fn copy(&mut self, facts: &Facts) -> Facts {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.bounds.clone_from(&facts.bounds);
        copy.relations.clone_from(&facts.relations);
        copy
    }

    /// What holds where two ways meet, of which each may end before.
    fn meet(&mut self, one: Option<Facts>, other: Option<Facts>) -> Option<Facts> {
        match (one, other) {
            (Some(one), Some(other)) => {
                let both = one.meet(&other);
                self.spare.push(other);
                Some(both)
            }
            (only, None) | (None, only) => only,
        }
    }

    /// Notes what holds at a jump.
    fn exit(&mut self, label: Label, facts: Facts) {
        let place = self.exits.iter().rposition(|(each, _)| *each == label);
        match place.filter(|place| *place >= self.ignored) {
            None => self.spare.push(facts),
            Some(place) if place < self.outside => self.waiting.push((place, facts)),
            Some(place) => {
                let known = self.exits[place].1.take();
                self.exits[place].1 = self.meet(known, Some(facts));
            }
        }
    }

    /// A loop: what is known of locals that it assigns holds in it only as far as each assignment keeps it.
    fn repeat(&mut self, label: Label, body: &mut [Stmt], mut facts: Facts) -> Option<Facts> {
        let (size, mut claims) = self.begin(body, &mut facts);
        self.loops += 1;
        if self.loops > MAX_LOOPS {
            claims.clear();
        }
        let rewrite = std::mem::replace(&mut self.rewrite, false);
        let outside = std::mem::replace(&mut self.outside, self.exits.len());
        let ignored = if rewrite { self.exits.len() } else { self.ignored };
        let ignored = std::mem::replace(&mut self.ignored, ignored);
        while !claims.is_empty() {
            if self.looks < size {
                claims.clear();
                break;
            }
            self.looks -= size;
            let height = self.claims.len();
            self.claims.extend(claims.iter().map(|&fact| (fact, true)));
            let mut head = self.copy(&facts);
            claims.iter().for_each(|&fact| head.add(fact));
            let waiting = self.waiting.len();
            let end = self.list(body, head);
            let kept: Vec<Fact> =
                self.claims.drain(height..).filter(|(_, holds)| *holds).map(|(fact, _)| fact).collect();
            let done = kept.len() == claims.len();
            let jumps = self.waiting.split_off(waiting);
            if done && !rewrite {
                // There is nothing to be changed, and so no reason to look again.
                self.outside = outside;
                jumps.into_iter().for_each(|(place, facts)| self.exit(self.exits[place].0, facts));
                self.spare.push(facts);
                self.loops -= 1;
                return end;
            }
            self.spare.extend(jumps.into_iter().map(|(_, facts)| facts).chain(end));
            if done {
                break;
            }
            claims = kept;
        }
        (self.rewrite, self.outside, self.ignored) = (rewrite, outside, ignored);
        let mut head = facts;
        claims.iter().for_each(|&fact| head.add(fact));
        self.exits.push((label, None));
        let end = self.list(body, head);
        self.exits.pop();
        self.loops -= 1;
        end
    }

    /// Takes from what is known before a loop what it may change, to be claimed of each of its turns; and counts its statements.
    fn begin(&mut self, body: &[Stmt], facts: &mut Facts) -> (usize, Vec<Fact>) {
        self.repeated += 1;
        let mut size = 0;
        each_stmt(body, &mut |stmt| {
            size += 1;
            let may_keep = matches!(stmt, Stmt::Set(_, value) if self.is_bounded(value));
            for local in stmt.assigned() {
                let (turn, keeps) = self.assigned[local.index()];
                self.assigned[local.index()] = (self.repeated, may_keep && (keeps || turn != self.repeated));
            }
        });
        let is_assigned = |local: &Local| self.assigned[local.index()].0 == self.repeated;
        let may_keep = |local: &Local| self.assigned[local.index()] == (self.repeated, true);
        let mut claims = Vec::new();
        for &(local, low, high) in facts.bounds.iter().filter(|(local, ..)| may_keep(local)) {
            if low > i64::MIN {
                claims.push(Fact::Low(local, low));
            }
            if high < i64::MAX {
                claims.push(Fact::High(local, high));
            }
        }
        // One that is below something is at most that, which may be kept where the other is not.
        let related = facts.relations.iter().filter(|(a, b, _)| may_keep(a) && !is_assigned(b));
        claims.extend(related.map(|&(a, b, _)| Fact::NotAbove(a, b)));
        facts.bounds.retain(|(local, ..)| !is_assigned(local));
        facts.relations.retain(|(a, b, _)| !is_assigned(a) && !is_assigned(b));
        (size, claims)
    }

    fn assign(&mut self, local: Local, value: &Expr, facts: &mut Facts) {
        if self.locals[local.index()] != Val::I64 {
            return;
        }
        let (low, high) = self.interval(value, facts);
        for index in 0..self.claims.len() {
            let (fact, holds) = self.claims[index];
            let kept = match fact {
                Fact::Low(each, bound) if each == local => low >= bound,
                Fact::High(each, bound) if each == local => high <= bound,
                Fact::NotAbove(each, limit) if each == local => self.is_at_most(value, limit, facts),
                _ => true,
            };
            self.claims[index].1 = holds && kept;
        }
        // What is said of the old value is no longer true of the new one.
        let relations: Vec<Fact> = match value {
            Expr::Local(other) if *other != local => vec![Fact::NotAbove(local, *other), Fact::NotAbove(*other, local)],
            value => self.shifted(local, value, facts),
        };
        facts.forget(local);
        if low > i64::MIN {
            facts.add(Fact::Low(local, low));
        }
        if high < i64::MAX {
            facts.add(Fact::High(local, high));
        }
        relations.into_iter().for_each(|fact| facts.add(fact));
    }

    /// What holds of a local that is assigned another one and a constant.
    fn shifted(&self, local: Local, value: &Expr, facts: &Facts) -> Vec<Fact> {
        let Some((other, step)) = step_of(value) else { return Vec::new() };
        if !matches!(value, Expr::Checked(..)) && !self.fits(other, step, facts) {
            return Vec::new();
        }
        let mut relations = Vec::new();
        if step == 1 {
            let below = facts.relations.iter().filter(|&&(a, limit, strict)| strict && a == other && limit != local);
            relations.extend(below.map(|&(_, limit, _)| Fact::NotAbove(local, limit)));
        }
        if step < 0 {
            let below = facts.relations.iter().filter(|&&(a, limit, _)| a == other && limit != local);
            relations.extend(below.map(|&(_, limit, _)| Fact::Less(local, limit)));
        }
        if other != local && step != 0 {
            relations.push(if step > 0 { Fact::Less(other, local) } else { Fact::Less(local, other) });
        }
        relations
    }

    /// Whether the sum of a local and a constant has 64 bits.
    fn fits(&self, local: Local, step: i64, facts: &Facts) -> bool {
        let (low, high) = facts.range(local);
        (low.checked_add(step).is_some() && high.checked_add(step).is_some())
            || (step == 1 && facts.is_below_something(local))
            || (step == -1 && facts.is_above_something(local))
    }

    fn is_at_most(&self, value: &Expr, limit: Local, facts: &Facts) -> bool {
        match value {
            Expr::Local(local) => facts.less(*local, limit, false, 2),
            Expr::I64(value) => facts.low(limit) >= *value,
            value => match step_of(value) {
                Some((local, 1)) => facts.less(local, limit, true, 2),
                Some((local, step)) if step <= 0 => {
                    (matches!(value, Expr::Checked(..)) || self.fits(local, step, facts))
                        && facts.less(local, limit, false, 2)
                }
                _ => false,
            },
        }
    }

    /// Whether a number may be found to have bounds, whatever is known: see [`Self::interval`].
    fn is_bounded(&self, expr: &Expr) -> bool {
        match expr {
            Expr::I64(_) | Expr::Local(_) => true,
            Expr::Unary(op, _) => matches!(op, U::ExtendU | U::Clz | U::Ctz | U::Popcnt),
            Expr::StructGet(ty, 1, ..) => self.module.lists.contains(ty),
            Expr::Binary(op, _) => matches!(op, B::And | B::ShrU | B::ShrS | B::Add | B::Sub),
            Expr::Checked(op, ..) => !matches!(op, CheckedOp::DivU | CheckedOp::Shl | CheckedOp::ShrS),
            _ => false,
        }
    }

    /// Bounds of a 64-bit number.
    fn interval(&self, expr: &Expr, facts: &Facts) -> (i64, i64) {
        const ALL: (i64, i64) = (i64::MIN, i64::MAX);
        match expr {
            Expr::I64(value) => (*value, *value),
            Expr::Local(local) => facts.range(*local),
            Expr::Unary(U::ExtendU, inner) => match &**inner {
                Expr::ArrayLen(..) => (0, LENGTHS),
                Expr::ArrayGet(ty, ..) if self.module.types.element(*ty).storage == Storage::I8 => (0, 255),
                inner if inner.is_condition() => (0, 1),
                _ => (0, u32::MAX as i64),
            },
            Expr::Unary(U::Clz | U::Ctz | U::Popcnt, _) => (0, 64),
            Expr::StructGet(ty, 1, ..) if self.module.lists.contains(ty) => (0, LENGTHS),
            Expr::Binary(op, parts) => {
                let (a, b) = (self.interval(&parts[0], facts), self.interval(&parts[1], facts));
                match op {
                    B::And if b.0 >= 0 => (0, b.1),
                    B::And if a.0 >= 0 => (0, a.1),
                    B::ShrU if b.0 == b.1 && (1..64).contains(&b.0) => match a.0 {
                        0.. => (a.0 >> b.0, a.1 >> b.0),
                        _ => (0, ((u64::MAX) >> b.0) as i64),
                    },
                    B::ShrS if b.0 == b.1 && (0..64).contains(&b.0) => (a.0 >> b.0, a.1 >> b.0),
                    B::Add => match (a.0.checked_add(b.0), a.1.checked_add(b.1)) {
                        (Some(low), Some(high)) => (low, high),
                        _ => match step_of(expr) {
                            Some((local, step)) if self.fits(local, step, facts) => {
                                (a.0.saturating_add(step), a.1.saturating_add(step))
                            }
                            _ => ALL,
                        },
                    },
                    B::Sub => match (a.0.checked_sub(b.1), a.1.checked_sub(b.0)) {
                        (Some(low), Some(high)) => (low, high),
                        _ => match step_of(expr) {
                            Some((local, step)) if self.fits(local, step, facts) => {
                                (a.0.saturating_add(step), a.1.saturating_add(step))
                            }
                            _ => ALL,
                        },
                    },
                    _ => ALL,
                }
            }
            Expr::Checked(op, parts, _) => {
                let (a, b) = (self.interval(&parts[0], facts), self.interval(&parts[1], facts));
                match op {
                    CheckedOp::Add => (a.0.saturating_add(b.0), a.1.saturating_add(b.1)),
                    CheckedOp::Sub => (a.0.saturating_sub(b.1), a.1.saturating_sub(b.0)),
                    CheckedOp::Mul if a.0 >= 0 && b.0 >= 0 => (a.0.saturating_mul(b.0), a.1.saturating_mul(b.1)),
                    CheckedOp::DivS if a.0 >= 0 && b.0 >= 1 => (a.0 / b.1, a.1 / b.0),
                    CheckedOp::RemS if b.0 >= 1 => {
                        let most = (b.1 - 1).min(a.1.max(0));
                        (if a.0 >= 0 { 0 } else { -(b.1 - 1) }, if a.0 >= 0 { most } else { b.1 - 1 })
                    }
                    CheckedOp::RemU if b.0 >= 1 => (0, b.1 - 1),
                    _ => ALL,
                }
            }
            _ => ALL,
        }
    }

    /// Notes what a condition says if it holds, or does not.
    fn assume(&self, condition: &Expr, holds: bool, facts: &mut Facts) {
        match condition {
            Expr::Unary(U::Eqz32, inner) => self.assume(inner, !holds, facts),
            Expr::Unary(U::Eqz, inner) => {
                if holds && let Expr::Local(local) = **inner {
                    facts.add(Fact::Low(local, 0));
                    facts.add(Fact::High(local, 0));
                } else if let Expr::Local(local) = **inner
                    && facts.low(local) == 0
                {
                    facts.add(Fact::Low(local, 1));
                }
            }
            Expr::Binary(B::And32, parts) if holds => parts.iter().for_each(|part| self.assume(part, true, facts)),
            Expr::Binary(B::Or32, parts) if !holds => parts.iter().for_each(|part| self.assume(part, false, facts)),
            Expr::Binary(op, parts) => {
                let [a, b] = &**parts;
                match (op, holds) {
                    (B::LtS, true) | (B::GeS, false) => self.assume_less(a, b, true, facts),
                    (B::LeS, true) | (B::GtS, false) => self.assume_less(a, b, false, facts),
                    (B::GtS, true) | (B::LeS, false) => self.assume_less(b, a, true, facts),
                    (B::GeS, true) | (B::LtS, false) => self.assume_less(b, a, false, facts),
                    (B::LtU, true) | (B::GeU, false) => self.assume_below(a, b, true, facts),
                    (B::LeU, true) | (B::GtU, false) => self.assume_below(a, b, false, facts),
                    (B::GtU, true) | (B::LeU, false) => self.assume_below(b, a, true, facts),
                    (B::GeU, true) | (B::LtU, false) => self.assume_below(b, a, false, facts),
                    (B::Eq, true) | (B::Ne, false) => {
                        self.assume_less(a, b, false, facts);
                        self.assume_less(b, a, false, facts);
                    }
                    (B::Ne, true) | (B::Eq, false) => {
                        if let (Expr::Local(x), Expr::Local(y)) = (a, b) {
                            if facts.less(*x, *y, false, 2) {
                                self.assume_less(a, b, true, facts);
                            } else if facts.less(*y, *x, false, 2) {
                                self.assume_less(b, a, true, facts);
                            }
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn assume_less(&self, a: &Expr, b: &Expr, strict: bool, facts: &mut Facts) {
        let (low, _) = self.interval(a, facts);
        let (_, high) = self.interval(b, facts);
        let step = strict as i64;
        if let Expr::Local(a) = a
            && let Some(high) = high.checked_sub(step).filter(|&high| high < i64::MAX)
        {
            facts.add(Fact::High(*a, high));
        }
        if let Expr::Local(b) = b
            && let Some(low) = low.checked_add(step).filter(|&low| low > i64::MIN)
        {
            facts.add(Fact::Low(*b, low));
        }
        if let (Expr::Local(a), Expr::Local(b)) = (a, b) {
            facts.add(if strict { Fact::Less(*a, *b) } else { Fact::NotAbove(*a, *b) });
        }
    }

    /// The same of numbers without sign: what is below one that is not negative is not negative itself.
    fn assume_below(&self, a: &Expr, b: &Expr, strict: bool, facts: &mut Facts) {
        if self.interval(b, facts).0 < 0 {
            return;
        }
        if let Expr::Local(a) = a {
            facts.add(Fact::Low(*a, 0));
        }
        self.assume_less(a, b, strict, facts);
    }

    /// Whether `a < b`, or `a <= b`, for sure.
    fn is_less(&self, a: &Expr, b: &Expr, strict: bool, facts: &Facts) -> bool {
        let (high, low) = (self.interval(a, facts).1, self.interval(b, facts).0);
        if high < low || (!strict && high <= low && low > i64::MIN) {
            return true;
        }
        match (a, b) {
            (Expr::Local(a), Expr::Local(b)) => facts.less(*a, *b, strict, 2),
            (a, Expr::Local(limit)) if !strict => self.is_at_most(a, *limit, facts),
            _ => false,
        }
    }

    fn expr(&mut self, expr: &mut Expr, facts: &Facts) {
        expr.each_mut(&mut |part| self.expr(part, facts));
        let replaced = match expr {
            Expr::Binary(op, parts) => {
                self.comparison(*op, &parts[0], &parts[1], facts).map(|known| Expr::I32(known as i32))
            }
            Expr::Checked(op, parts, _) => self.unchecked(*op, parts, facts),
            Expr::Index(value, _) => {
                let (low, high) = self.interval(value, facts);
                let inner = std::mem::replace(&mut **value, Expr::I64(0));
                if low >= 0 && high <= LENGTHS {
                    Some(Expr::unary(U::Wrap, inner))
                } else {
                    **value = inner;
                    None
                }
            }
            _ => None,
        };
        if let Some(replaced) = replaced {
            *expr = replaced;
            self.changed = true;
        }
    }

    /// The outcome of a comparison, if it is known.
    fn comparison(&self, op: B, a: &Expr, b: &Expr, facts: &Facts) -> Option<bool> {
        if a.traps() || b.traps() {
            return None;
        }
        let known = |yes: bool, no: bool| match (yes, no) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let unsigned = |a: &Expr, b: &Expr| self.interval(a, facts).0 >= 0 && self.interval(b, facts).0 >= 0;
        match op {
            B::LtS => known(self.is_less(a, b, true, facts), self.is_less(b, a, false, facts)),
            B::LeS => known(self.is_less(a, b, false, facts), self.is_less(b, a, true, facts)),
            B::GtS => known(self.is_less(b, a, true, facts), self.is_less(a, b, false, facts)),
            B::GeS => known(self.is_less(b, a, false, facts), self.is_less(a, b, true, facts)),
            B::LtU if unsigned(a, b) => self.comparison(B::LtS, a, b, facts),
            B::LeU if unsigned(a, b) => self.comparison(B::LeS, a, b, facts),
            B::GtU if unsigned(a, b) => self.comparison(B::GtS, a, b, facts),
            B::GeU if unsigned(a, b) => self.comparison(B::GeS, a, b, facts),
            _ => None,
        }
    }

    /// An operation that always has a result.
    fn unchecked(&self, op: CheckedOp, parts: &mut Box<[Expr; 2]>, facts: &Facts) -> Option<Expr> {
        let (a, b) = (self.interval(&parts[0], facts), self.interval(&parts[1], facts));
        let corners = |f: fn(i64, i64) -> Option<i64>| {
            [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)].into_iter().all(|(a, b)| f(a, b).is_some())
        };
        let step = match (&parts[0], &parts[1]) {
            (Expr::Local(local), Expr::I64(step)) => Some((*local, *step)),
            _ => None,
        };
        let (fits, op) = match op {
            CheckedOp::Add => (corners(i64::checked_add) || step.is_some_and(|(l, s)| self.fits(l, s, facts)), B::Add),
            CheckedOp::Sub => {
                let fits = step.is_some_and(|(l, s)| s != i64::MIN && self.fits(l, -s, facts));
                (corners(i64::checked_sub) || fits, B::Sub)
            }
            CheckedOp::Mul => (corners(i64::checked_mul), B::Mul),
            // Of what is not negative, division by a power of two is a shift.
            CheckedOp::DivS | CheckedOp::RemS => {
                let bits = power_of_two(&parts[1]).filter(|_| a.0 >= 0)?;
                let [value, _] = std::mem::replace(&mut **parts, [Expr::I64(0), Expr::I64(0)]);
                return Some(match op {
                    CheckedOp::DivS => Expr::binary(B::ShrU, value, Expr::I64(bits as i64)),
                    _ => Expr::binary(B::And, value, Expr::I64((1i64 << bits) - 1)),
                });
            }
            CheckedOp::Shl => (b.0 >= 0 && b.1 <= 63, B::Shl),
            CheckedOp::ShrS => (b.0 >= 0 && b.1 <= 63, B::ShrS),
            _ => return None,
        };
        if !fits {
            return None;
        }
        let [a, b] = std::mem::replace(&mut **parts, [Expr::I64(0), Expr::I64(0)]);
        Some(Expr::binary(op, a, b))
    }
}

/// Notes that nothing is known of a local any more.
fn unclaim(claims: &mut [(Fact, bool)], local: Local) {
    for (fact, holds) in claims {
        match fact {
            Fact::Low(each, _) | Fact::High(each, _) | Fact::NotAbove(each, _) if *each == local => *holds = false,
            _ => {}
        }
    }
}

/// Notes locals that an expression needs to be indices.
fn indices(expr: &Expr, facts: &mut Facts) {
    if expr.is_atom() {
        return;
    }
    if let Expr::Index(value, _) = expr
        && let Expr::Local(local) = **value
    {
        facts.add(Fact::Low(local, 0));
        facts.add(Fact::High(local, LENGTHS));
    }
    expr.each(&mut |part| indices(part, facts));
}

/// A local and a constant that is added to it.
fn step_of(expr: &Expr) -> Option<(Local, i64)> {
    let (add, parts) = match expr {
        Expr::Binary(B::Add, parts) | Expr::Checked(CheckedOp::Add, parts, _) => (true, parts),
        Expr::Binary(B::Sub, parts) | Expr::Checked(CheckedOp::Sub, parts, _) => (false, parts),
        _ => return None,
    };
    match &**parts {
        [Expr::Local(local), Expr::I64(value)] => Some((*local, if add { *value } else { value.checked_neg()? })),
        _ => None,
    }
}
