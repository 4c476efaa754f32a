//! Whether every `match` has an arm for each value, and every arm a value; whether what has to match always does.
//!
//! The algorithm is that of Luc Maranget's "Warnings for pattern matching" (2007), in the form in which one pass finds both the
//! values that no arm takes and the arms that no value reaches: see [`usefulness`]. Patterns are lowered to constructors with
//! parts first ([`pattern`]); a column of constructors is split into groups that the rows cannot tell apart ([`split`]);
//! what is missing is written down as its pattern ([`witness`]).
//!
//! The question is NP-complete, so work is counted: a `match` gets [`STEPS`], all of them together [`ALL_STEPS`]. A program that
//! needs more ends in an error that says so. `match`es as people write them need some ten steps for an arm.

mod pattern;
mod split;
#[cfg(test)]
mod tests;
mod usefulness;
mod witness;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::names::Names;
use crate::source::Span;
use crate::typed::{Arm, Body, Expr, ExprKind, FunctionKind, Pattern, PatternKind, Program, StmtKind};

use pattern::Patterns;
use usefulness::{Row, Solver};
use witness::{Printer, Witnesses};

/// How many cells of matrices are looked at for one `match`.
const STEPS: u64 = 1 << 20;
/// How many for a program.
const ALL_STEPS: u64 = 1 << 27;
/// How many parts a pattern may have that are not plain names.
const DEPTH: u32 = 400;

/// How many errors and warnings are told.
const MAX_FINDINGS: usize = 300;

/// Checks all patterns of a program.
pub fn check(program: &Program, names: &Names, diagnostics: &mut Diagnostics) {
    let mut checker = Checker { program, names, diagnostics, patterns: Patterns::default(), steps: ALL_STEPS, told: 0 };
    for function in &program.functions {
        if let FunctionKind::Plain(body) | FunctionKind::Host(Some(body)) = &function.kind {
            checker.body(body);
        }
    }
    for constant in &program.constants {
        checker.body(&constant.body);
    }
}

struct Checker<'p> {
    program: &'p Program,
    names: &'p Names,
    diagnostics: &'p mut Diagnostics,
    patterns: Patterns,
    steps: u64,
    told: usize,
}

/// What has to match always.
#[derive(Clone, Copy)]
enum Binding {
    Let,
    For,
}

impl Checker<'_> {
    /// Goes through a body. The expressions to come are in a list, so that no depth of the tree matters.
    fn body(&mut self, body: &Body) {
        let mut work = vec![&body.value];
        while let Some(expr) = work.pop() {
            match &expr.kind {
                ExprKind::Match(value, arms) => self.arms(value, arms),
                ExprKind::Block(stmts, _) => {
                    for stmt in stmts {
                        match &stmt.kind {
                            StmtKind::Let(pattern, _, None) => self.always(pattern, Binding::Let),
                            StmtKind::For { pattern, .. } => self.always(pattern, Binding::For),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
            expr.each_part(&mut |part| work.push(part));
        }
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        self.told += 1;
        // The first error is always among them, so that no wrong program passes.
        if self.told <= MAX_FINDINGS || !self.diagnostics.has_errors() && diagnostic.severity == Severity::Error {
            self.diagnostics.push(diagnostic);
        }
    }

    fn arms(&mut self, value: &Expr, arms: &[Arm]) {
        if arms.is_empty() {
            let missing = witness::all_of(self.program, value.ty);
            return self.missing(value.span, &missing, false);
        }
        self.patterns.clear();
        let (mut rows, mut ends) = (Vec::with_capacity(arms.len()), Vec::with_capacity(arms.len()));
        for arm in arms {
            let pattern = self.patterns.lower(self.program, &arm.pattern);
            rows.push(Row { pattern, guarded: arm.guard.is_some() });
            ends.push(self.patterns.end());
        }
        let Some((missing, reached)) = self.solve(value.span, &rows) else { return };
        if !missing.is_empty() {
            self.missing(value.span, &missing, arms.iter().any(|arm| arm.guard.is_some()));
        }
        for (index, reached) in reached.iter().enumerate() {
            if !reached {
                self.unreachable(arms, index);
            }
        }
        // Where an arm as a whole was told, its alternatives need not be.
        let is_wrong = |id| !self.patterns.is_useful(id) && reached[ends.partition_point(|&end| end <= id)];
        let wrong: Vec<Span> =
            self.patterns.alternatives().filter(|(id, _)| is_wrong(*id)).map(|(_, span)| span).collect();
        for span in wrong {
            self.tell(
                Diagnostic::warning("F0504", span, "no value reaches this alternative")
                    .label("what it matches is taken before"),
            );
        }
    }

    fn always(&mut self, pattern: &Pattern, binding: Binding) {
        if is_plain(self.program, pattern) {
            return;
        }
        self.patterns.clear();
        let row = Row { pattern: self.patterns.lower(self.program, pattern), guarded: false };
        let Some((missing, _)) = self.solve(pattern.span, &[row]) else { return };
        if missing.is_empty() {
            return;
        }
        let (what, help) = match binding {
            Binding::Let => ("let", "`let … else { … }` says what happens then; `if let` or `match` look at the cases"),
            Binding::For => ("for", "bind a name, and look at the cases with `if let` or `match` in the loop"),
        };
        let text = Printer::new(self.program, self.names).list(&missing);
        let verb = if missing.total == 1 { "is" } else { "are" };
        self.tell(
            Diagnostic::error("F0502", pattern.span, format!("the pattern of this `{what}` does not match always"))
                .label(format!("{text} {verb} not covered"))
                .help(help),
        );
    }

    /// What no row takes, and whether each row is reached; nothing if that takes too long to find, which is told.
    fn solve(&mut self, span: Span, rows: &[Row]) -> Option<(Witnesses, Vec<bool>)> {
        let limit = STEPS.min(self.steps);
        let mut solver = Solver::new(self.program, &mut self.patterns, limit, DEPTH);
        let result = solver.run(rows);
        self.steps -= limit.min(solver.spent());
        match result {
            Ok(result) => Some(result),
            Err(usefulness::Limit::Steps) => {
                self.tell(
                    Diagnostic::error("F0720", span, "these patterns are too complex to check")
                        .label(format!("whether they cover every value was not found in {limit} steps"))
                        .help("match the parts one after the other, in several `match`es"),
                );
                None
            }
            Err(usefulness::Limit::Depth) => {
                self.tell(
                    Diagnostic::error("F0721", span, "these patterns have too many parts")
                        .label(format!("a pattern may have {DEPTH} parts that are not plain names"))
                        .help("compare the parts one after the other"),
                );
                None
            }
        }
    }

    fn missing(&mut self, span: Span, missing: &Witnesses, guards: bool) {
        if missing.is_empty() {
            return;
        }
        let text = Printer::new(self.program, self.names).list(missing);
        let verb = if missing.total == 1 { "is" } else { "are" };
        let mut diagnostic = Diagnostic::error("F0501", span, format!("this `match` has no arm for {text}"))
            .label(format!("{text} {verb} not covered"))
            .help(match missing.total {
                1 => "add an arm for it, or `_ => …` for whatever is left",
                _ => "add arms for them, or `_ => …` for whatever is left",
            });
        if guards {
            diagnostic = diagnostic.note("an arm with a guard covers nothing by itself: the guard may be false");
        }
        self.tell(diagnostic);
    }

    fn unreachable(&mut self, arms: &[Arm], index: usize) {
        let mut diagnostic = Diagnostic::warning("F0503", arms[index].pattern.span, "no value reaches this arm")
            .label("the arms before it take all that it matches");
        let all = arms[..index].iter().find(|arm| arm.guard.is_none() && is_plain(self.program, &arm.pattern));
        if let Some(arm) = all {
            diagnostic = diagnostic.also(arm.pattern.span, "this one takes every value");
        }
        self.tell(diagnostic);
    }
}

/// Whether a pattern matches always, as its form shows: most do that have to.
fn is_plain(program: &Program, pattern: &Pattern) -> bool {
    let mut work = vec![pattern];
    while let Some(pattern) = work.pop() {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_, None) => {}
            PatternKind::Bind(_, Some(part)) => work.push(part),
            PatternKind::Tuple(parts) => work.extend(parts),
            PatternKind::Record(_, fields) => work.extend(fields.iter().map(|(_, part)| part)),
            PatternKind::Variant(id, _, parts) if program.enums[id.index()].variants.len() == 1 => work.extend(parts),
            _ => return false,
        }
    }
    true
}
