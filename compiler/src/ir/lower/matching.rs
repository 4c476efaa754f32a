//! `match`: a decision tree that looks at each part of a value once.
//!
//! Each arm is a clause: what must hold of which parts. The first clause's first condition is decided; clauses that it rules
//! out are left behind on each way, the others go on. The code of an arm is where the only way to it ends, or, if there are
//! several, behind a block that all of them leave. Where clauses multiply beyond a budget, what is left of them is tried one after another instead.

use super::Lower;
use super::pattern::is_wanted;
use crate::ir::{BinaryOp, Expr, Label, Local, Stmt, UnaryOp, Val};
use crate::typed::{self, LocalId, Pattern, PatternKind, Ty};

/// How many clauses, copies among them, the ways through one `match` may have.
const MAX_CLAUSES: usize = 4000;

/// A part of the value: a number of [`Matching::parts`].
type Part = usize;

#[derive(Clone, Debug)]
struct Clause<'a> {
    /// What must hold.
    tests: Vec<(Part, &'a Pattern)>,
    /// What is bound.
    binds: Vec<(LocalId, Part)>,
    arm: usize,
}

struct Matching<'a, 't> {
    arms: &'a [typed::Arm],
    /// Parts that were looked at.
    parts: Vec<(Ty, Vec<Expr>)>,
    /// Copies of each arm's clauses that may still be reached.
    left: Vec<usize>,
    /// Arms whose code is where their way ends.
    inline: Vec<bool>,
    labels: Vec<Label>,
    end: Label,
    to: &'t [Local],
    budget: usize,
}

/// What can be told apart in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Variant(u32),
    Int(i64),
    Char(i32),
    Bool(bool),
}

impl<'a> Lower<'_, 'a> {
    /// The value of the first arm that matches.
    pub fn match_(&mut self, value: &'a typed::Expr, arms: &'a [typed::Arm], to: &[Local]) {
        let ty = self.ty(value.ty);
        let parts = self.value(value);
        if self.b.dead {
            return;
        }
        let parts = self.stable(ty, parts);
        if self.is_never(ty) || arms.is_empty() {
            self.b.push(Stmt::Unreachable);
            return;
        }
        let end = self.b.begin_block();
        let labels: Vec<Label> = arms.iter().map(|_| self.b.label()).collect();
        arms.iter().for_each(|_| self.b.begin());
        let mut matching = Matching {
            arms,
            parts: vec![(ty, parts)],
            left: vec![0; arms.len()],
            inline: vec![false; arms.len()],
            labels,
            end,
            to,
            budget: MAX_CLAUSES,
        };
        let mut clauses = Vec::new();
        for (arm, each) in arms.iter().enumerate() {
            matching.expand(Clause { tests: vec![(0, &each.pattern)], binds: Vec::new(), arm }, &mut clauses);
        }
        self.decide(&mut matching, clauses);
        for (arm, each) in arms.iter().enumerate() {
            self.b.end_block(matching.labels[arm]);
            if !matching.inline[arm] && !self.b.dead {
                self.into(&each.body, to);
                self.b.push(Stmt::Break(end));
            }
            self.b.dead = true;
        }
        self.b.end_block(end);
    }

    /// Tries clauses one after another.
    fn in_turn(&mut self, matching: &mut Matching<'a, '_>, clauses: Vec<Clause<'a>>) {
        for clause in clauses {
            let next = self.b.begin_block();
            for (part, pattern) in clause.tests {
                let (ty, parts) = matching.parts[part].clone();
                self.test(pattern, ty, parts, Some(next));
            }
            for (id, part) in clause.binds {
                let (_, parts) = matching.parts[part].clone();
                self.bind(id, parts);
            }
            if let Some(guard) = &matching.arms[clause.arm].guard {
                self.branch(guard, next, false);
            }
            self.b.push(Stmt::Break(matching.labels[clause.arm]));
            self.b.end_block(next);
        }
        self.b.push(Stmt::Unreachable);
    }

    /// Code that goes to the first of these clauses that holds.
    fn decide(&mut self, matching: &mut Matching<'a, '_>, mut clauses: Vec<Clause<'a>>) {
        if self.b.dead {
            return;
        }
        if clauses.is_empty() {
            self.b.push(Stmt::Unreachable);
            return;
        }
        if matching.budget == 0 {
            return self.in_turn(matching, clauses);
        }
        if let Some(index) = clauses[0]
            .tests
            .iter()
            .position(|(_, pattern)| matches!(pattern.kind, PatternKind::Tuple(_) | PatternKind::Record(..)))
        {
            let (part, _) = clauses[0].tests[index];
            self.take_apart(matching, part, &mut clauses);
            return self.decide(matching, clauses);
        }
        if clauses[0].tests.is_empty() {
            return self.reach(matching, clauses);
        }
        let (part, pattern) = best(&clauses);
        if choice(pattern).is_some() {
            self.choose(matching, part, clauses);
        } else {
            self.ask(matching, part, pattern, clauses);
        }
    }

    /// The first clause holds: its arm, if the guard does.
    fn reach(&mut self, matching: &mut Matching<'a, '_>, mut clauses: Vec<Clause<'a>>) {
        let clause = clauses.remove(0);
        let arm = clause.arm;
        for (id, part) in clause.binds {
            let (_, parts) = matching.parts[part].clone();
            self.bind(id, parts);
        }
        let next = match &matching.arms[arm].guard {
            Some(guard) => {
                let next = self.b.begin_block();
                self.branch(guard, next, false);
                Some(next)
            }
            None => {
                for other in &clauses {
                    matching.left[other.arm] -= 1;
                }
                None
            }
        };
        if matching.left[arm] == 1 {
            matching.inline[arm] = true;
            self.into(&matching.arms[arm].body, matching.to);
            self.b.push(Stmt::Break(matching.end));
            self.b.dead = true;
        } else {
            self.b.push(Stmt::Break(matching.labels[arm]));
        }
        if let Some(next) = next {
            self.b.end_block(next);
            self.decide(matching, clauses);
        }
    }

    /// Replaces what clauses say of a tuple or record by what they say of its parts.
    fn take_apart(&mut self, matching: &mut Matching<'a, '_>, part: Part, clauses: &mut Vec<Clause<'a>>) {
        let (ty, parts) = matching.parts[part].clone();
        let count = match self.cx.types.kind(ty) {
            typed::TyKind::Tuple(elements) => elements.len(),
            _ => self.cx.fields(ty).types.len(),
        };
        let mut wanted = vec![false; count];
        for clause in clauses.iter() {
            for (each, pattern) in &clause.tests {
                if *each == part {
                    for (index, inner) in inner_patterns(pattern) {
                        wanted[index] |= is_wanted(inner);
                    }
                }
            }
        }
        let mut numbers = vec![usize::MAX; count];
        let tuple = matches!(self.cx.types.kind(ty), typed::TyKind::Tuple(_)).then(|| self.elements(ty, parts.clone()));
        for index in (0..count).filter(|&index| wanted[index]) {
            let (field_ty, value) = match &tuple {
                Some(elements) => elements[index].clone(),
                None => {
                    let object = parts.first().cloned().unwrap_or(Expr::I32(0));
                    (self.cx.fields(ty).types[index], self.record_field(ty, index as u32, object))
                }
            };
            let value = self.stable(field_ty, value);
            numbers[index] = matching.parts.len();
            matching.parts.push((field_ty, value));
        }
        let mut expanded = Vec::with_capacity(clauses.len());
        for mut clause in std::mem::take(clauses) {
            if let Some(at) = clause.tests.iter().position(|(each, _)| *each == part) {
                let (_, pattern) = clause.tests.remove(at);
                let inner = inner_patterns(pattern).into_iter().filter(|(_, inner)| is_wanted(inner));
                let inner: Vec<_> = inner.map(|(index, inner)| (numbers[index], inner)).collect();
                clause.tests.splice(at..at, inner);
            }
            matching.left[clause.arm] -= 1;
            matching.expand(clause, &mut expanded);
        }
        *clauses = expanded;
    }

    /// Goes one of several ways by which of the choices in clauses a part is.
    fn choose(&mut self, matching: &mut Matching<'a, '_>, part: Part, clauses: Vec<Clause<'a>>) {
        let (ty, parts) = matching.parts[part].clone();
        let mut keys: Vec<Choice> = Vec::new();
        for clause in &clauses {
            if let Some(key) = clause.choice_of(part)
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
        keys.sort_by_key(|key| match key {
            Choice::Variant(variant) => *variant as i64,
            Choice::Int(value) => *value,
            Choice::Char(value) => *value as i64,
            Choice::Bool(value) => *value as i64,
        });
        let all = match keys.first() {
            Some(Choice::Variant(_)) => keys.len() as u32 == self.cx.variant_count(ty),
            Some(Choice::Bool(_)) => keys.len() == 2,
            _ => false,
        };
        // Copies are counted for all ways before any is gone.
        let rest: Vec<Clause<'a>> = if all {
            Vec::new()
        } else {
            clauses.iter().filter(|clause| clause.choice_of(part).is_none()).cloned().collect()
        };
        let ways: Vec<(Choice, Vec<Clause<'a>>)> = keys
            .iter()
            .map(|&key| {
                let way = clauses.iter().filter(|clause| clause.choice_of(part).is_none_or(|other| other == key));
                (key, way.cloned().collect())
            })
            .collect();
        for clause in &clauses {
            matching.left[clause.arm] -= 1;
        }
        for clause in rest.iter().chain(ways.iter().flat_map(|(_, way)| way)) {
            matching.left[clause.arm] += 1;
            matching.budget = matching.budget.saturating_sub(1);
        }
        if self.is_dense(&keys) {
            return self.switch(matching, part, ty, &parts, ways, rest);
        }
        let last = if all { ways.len() - 1 } else { ways.len() };
        let mut open = Vec::new();
        for (index, (key, way)) in ways.into_iter().enumerate() {
            if index == last {
                self.enter_choice(matching, part, key, way);
                break;
            }
            let condition = match key {
                Choice::Variant(variant) => self.is_variant(ty, &parts, variant),
                Choice::Int(value) => Expr::binary(BinaryOp::Eq, Self::only(parts.clone()), Expr::I64(value)),
                Choice::Char(value) => self.b.equals(Self::only(parts.clone()), value),
                Choice::Bool(true) => Self::only(parts.clone()),
                Choice::Bool(false) => Self::only(parts.clone()).negate(),
            };
            let before = self.b.begin_if();
            self.enter_choice(matching, part, key, way);
            let done = self.b.otherwise(before);
            open.push((before, condition, done));
        }
        if !all {
            self.decide(matching, rest);
        }
        for (before, condition, done) in open.into_iter().rev() {
            self.b.end_if(before, condition, done);
        }
    }

    fn is_dense(&self, keys: &[Choice]) -> bool {
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return false };
        let span = match (first, last) {
            (Choice::Variant(first), Choice::Variant(last)) => (*last - *first) as u64,
            (Choice::Int(first), Choice::Int(last)) => last.wrapping_sub(*first) as u64,
            (Choice::Char(first), Choice::Char(last)) => (*last as u64).wrapping_sub(*first as u64),
            _ => return false,
        };
        keys.len() >= 4 && span < keys.len() as u64 * 4
    }

    /// Goes one of several ways by a table.
    fn switch(
        &mut self,
        matching: &mut Matching<'a, '_>,
        part: Part,
        ty: Ty,
        parts: &[Expr],
        ways: Vec<(Choice, Vec<Clause<'a>>)>,
        rest: Vec<Clause<'a>>,
    ) {
        let default = self.b.begin_block();
        let labels: Vec<Label> = ways.iter().map(|_| self.b.label()).collect();
        labels.iter().for_each(|_| self.b.begin());
        let number = |choice: &Choice| match choice {
            Choice::Variant(variant) => *variant as i64,
            Choice::Int(value) => *value,
            Choice::Char(value) => *value as i64,
            Choice::Bool(value) => *value as i64,
        };
        let first = number(&ways[0].0);
        let index = match ways[0].0 {
            Choice::Int(_) => {
                let value = Expr::binary(BinaryOp::Sub, Self::only(parts.to_vec()), Expr::I64(first));
                let value = self.b.stable(value, Val::I64);
                let span = number(&ways[ways.len() - 1].0).wrapping_sub(first);
                self.b.break_if(Expr::binary(BinaryOp::GtU, value.clone(), Expr::I64(span)), default);
                Expr::unary(UnaryOp::Wrap, value)
            }
            Choice::Variant(_) => {
                let tag = self.tag(ty, parts);
                if first == 0 { tag } else { Expr::binary(BinaryOp::Sub32, tag, Expr::I32(first as i32)) }
            }
            _ => Expr::binary(BinaryOp::Sub32, Self::only(parts.to_vec()), Expr::I32(first as i32)),
        };
        let span = (number(&ways[ways.len() - 1].0) - first) as usize;
        let mut targets = vec![default; span + 1];
        for ((choice, _), &label) in ways.iter().zip(&labels) {
            targets[(number(choice) - first) as usize] = label;
        }
        self.b.push(Stmt::Switch(index, targets, default));
        for ((choice, way), label) in ways.into_iter().zip(labels) {
            self.b.end_block(label);
            self.enter_choice(matching, part, choice, way);
            self.b.dead = true;
        }
        self.b.end_block(default);
        self.decide(matching, rest);
    }

    /// Goes on where a part is known to be one of the choices.
    fn enter_choice(&mut self, matching: &mut Matching<'a, '_>, part: Part, key: Choice, clauses: Vec<Clause<'a>>) {
        if self.b.dead {
            return;
        }
        let Choice::Variant(variant) = key else {
            let clauses = clauses.into_iter().map(|clause| clause.without(part)).collect();
            return self.decide(matching, clauses);
        };
        let (ty, parts) = matching.parts[part].clone();
        let count = self.cx.variant_fields(ty, variant).len();
        let mut wanted = vec![false; count];
        for clause in &clauses {
            if let Some(PatternKind::Variant(_, _, fields)) = clause.pattern_of(part).map(|pattern| &pattern.kind) {
                for (wanted, field) in wanted.iter_mut().zip(fields) {
                    *wanted |= is_wanted(field);
                }
            }
        }
        let mut numbers = vec![usize::MAX; count];
        for (index, (field_ty, value)) in self.payload(ty, &parts, variant, &wanted).into_iter().enumerate() {
            if wanted[index] {
                let value = self.stable(field_ty, value);
                numbers[index] = matching.parts.len();
                matching.parts.push((field_ty, value));
            }
        }
        let mut expanded = Vec::with_capacity(clauses.len());
        for mut clause in clauses {
            if let Some(at) = clause.tests.iter().position(|(each, _)| *each == part) {
                let (_, pattern) = clause.tests.remove(at);
                if let PatternKind::Variant(_, _, fields) = &pattern.kind {
                    let inner = fields.iter().enumerate().filter(|(_, field)| is_wanted(field));
                    let inner: Vec<_> = inner.map(|(index, field)| (numbers[index], field)).collect();
                    clause.tests.splice(at..at, inner);
                }
            }
            matching.left[clause.arm] -= 1;
            matching.expand(clause, &mut expanded);
        }
        self.decide(matching, expanded);
    }

    /// Goes one of two ways by whether a part is what a pattern says that cannot be chosen by a number.
    fn ask(&mut self, matching: &mut Matching<'a, '_>, part: Part, pattern: &'a Pattern, clauses: Vec<Clause<'a>>) {
        let (ty, parts) = matching.parts[part].clone();
        let mut yes: Vec<Clause<'a>> = clauses.clone();
        let no: Vec<Clause<'a>> = clauses
            .iter()
            .filter(|clause| clause.pattern_of(part).is_none_or(|other| !same(other, pattern)))
            .cloned()
            .collect();
        for clause in &no {
            matching.left[clause.arm] += 1;
        }
        matching.budget = matching.budget.saturating_sub(clauses.len());
        if let PatternKind::String(_) = pattern.kind {
            // No two texts are equal to one.
            yes.retain(|clause| {
                let kept = clause.pattern_of(part).is_none_or(|other| same(other, pattern));
                matching.left[clause.arm] -= !kept as usize;
                kept
            });
        }
        let condition = match &pattern.kind {
            PatternKind::List { before, rest, after } => {
                let count = (before.len() + after.len()) as i64;
                let op = if rest.is_some() { BinaryOp::GeS } else { BinaryOp::Eq };
                let length = self.list_length(ty, &parts);
                Expr::binary(op, length, Expr::I64(count))
            }
            _ => self.holds(pattern, Self::only(parts.clone())),
        };
        let before = self.b.begin_if();
        for clause in &mut yes {
            let Some(at) = clause.tests.iter().position(|(each, other)| *each == part && same(other, pattern)) else {
                continue;
            };
            let (_, own) = clause.tests.remove(at);
            if let PatternKind::List { before, rest, after } = &own.kind {
                let elements = self.list_elements(ty, &parts, before, rest, after);
                let mut inner = Vec::with_capacity(elements.len());
                for (pattern, ty, parts) in elements {
                    inner.push((matching.parts.len(), pattern));
                    matching.parts.push((ty, parts));
                }
                clause.tests.splice(at..at, inner);
            }
        }
        let mut expanded = Vec::with_capacity(yes.len());
        for clause in yes {
            matching.left[clause.arm] -= 1;
            matching.expand(clause, &mut expanded);
        }
        self.decide(matching, expanded);
        let done = self.b.otherwise(before);
        self.decide(matching, no);
        self.b.end_if(before, condition, done);
    }
}

impl<'a> Matching<'a, '_> {
    /// Adds a clause, once for each combination of alternatives in it; what always holds is left out.
    fn expand(&mut self, clause: Clause<'a>, to: &mut Vec<Clause<'a>>) {
        let mut waiting = vec![clause];
        while let Some(mut clause) = waiting.pop() {
            let position = clause.tests.iter().position(|(_, pattern)| {
                matches!(pattern.kind, PatternKind::Wildcard | PatternKind::Bind(..) | PatternKind::Or(_))
            });
            let Some(at) = position.filter(|_| self.budget > 0) else {
                self.left[clause.arm] += 1;
                self.budget = self.budget.saturating_sub(1);
                to.push(clause);
                continue;
            };
            let (part, pattern) = clause.tests.remove(at);
            match &pattern.kind {
                PatternKind::Bind(id, sub) => {
                    clause.binds.push((*id, part));
                    if let Some(sub) = sub {
                        clause.tests.insert(at, (part, sub));
                    }
                    waiting.push(clause);
                }
                PatternKind::Or(alternatives) => {
                    for alternative in alternatives.iter().rev() {
                        let mut copy = clause.clone();
                        copy.tests.insert(at, (part, alternative));
                        waiting.push(copy);
                        self.budget = self.budget.saturating_sub(1);
                    }
                }
                _ => waiting.push(clause),
            }
        }
    }
}

impl<'a> Clause<'a> {
    fn pattern_of(&self, part: Part) -> Option<&'a Pattern> {
        self.tests.iter().find(|(each, _)| *each == part).map(|(_, pattern)| *pattern)
    }

    fn choice_of(&self, part: Part) -> Option<Choice> {
        self.pattern_of(part).and_then(choice)
    }

    fn without(mut self, part: Part) -> Self {
        self.tests.retain(|(each, pattern)| *each != part || choice(pattern).is_none());
        self
    }
}

fn choice(pattern: &Pattern) -> Option<Choice> {
    match &pattern.kind {
        PatternKind::Variant(_, variant, _) => Some(Choice::Variant(*variant)),
        PatternKind::Int(value) => Some(Choice::Int(*value)),
        PatternKind::Char(value) => Some(Choice::Char(*value as i32)),
        PatternKind::Bool(value) => Some(Choice::Bool(*value)),
        _ => None,
    }
}

/// The condition of the first clause that the most clauses ask for.
fn best<'a>(clauses: &[Clause<'a>]) -> (Part, &'a Pattern) {
    let count = |part: Part| clauses.iter().take(64).filter(|clause| clause.pattern_of(part).is_some()).count();
    let mut best = clauses[0].tests[0];
    let mut most = count(best.0);
    for &(part, pattern) in &clauses[0].tests[1..] {
        let asked = count(part);
        if asked > most {
            (best, most) = ((part, pattern), asked);
        }
    }
    best
}

/// Whether two patterns ask the same of the value itself, whatever they say of its parts.
fn same(a: &Pattern, b: &Pattern) -> bool {
    match (&a.kind, &b.kind) {
        (PatternKind::String(a), PatternKind::String(b)) => a == b,
        (PatternKind::Float(a), PatternKind::Float(b)) => a.to_bits() == b.to_bits(),
        (PatternKind::IntRange(a, b), PatternKind::IntRange(c, d)) => (a, b) == (c, d),
        (PatternKind::CharRange(a, b), PatternKind::CharRange(c, d)) => (a, b) == (c, d),
        (PatternKind::List { before: a, rest: b, after: c }, PatternKind::List { before: d, rest: e, after: f }) => {
            a.len() + c.len() == d.len() + f.len() && b.is_some() == e.is_some()
        }
        _ => false,
    }
}

/// The patterns for the parts of a tuple or record.
fn inner_patterns(pattern: &Pattern) -> Vec<(usize, &Pattern)> {
    match &pattern.kind {
        PatternKind::Tuple(elements) => elements.iter().enumerate().collect(),
        PatternKind::Record(_, fields) => fields.iter().map(|(index, field)| (*index as usize, field)).collect(),
        _ => Vec::new(),
    }
}
