//! What is known of types during inference.
//!
//! A hole ([`TyKind::Infer`]) is unknown, or stands for a type, perhaps another hole. Holes that are the same form a tree
//! with the smaller one always below the larger, so that its depth is logarithmic. Changes are logged as long as a snapshot
//! is open, and taken back by [`Checker::rollback`].

use super::Checker;
use crate::source::Span;
use crate::typed::{Ty, TyKind};

/// All holes.
#[derive(Debug, Default)]
pub(super) struct Table {
    holes: Vec<Hole>,
    log: Vec<Change>,
    snapshots: usize,
}

#[derive(Clone, Debug)]
struct Hole {
    value: Option<Ty>,
    rank: u8,
    /// Where it comes from.
    origin: Span,
    /// Whether something that never has a value was put there.
    diverges: bool,
}

#[derive(Debug)]
enum Change {
    Bound(u32),
    Ranked(u32),
}

/// A state of the table.
#[derive(Debug)]
pub(super) struct Snapshot {
    log: usize,
    holes: usize,
}

impl Checker<'_> {
    /// Forgets all holes: at the beginning of a body.
    pub(super) fn clear_holes(&mut self) {
        self.table = Table::default();
    }

    /// A new hole.
    pub(super) fn fresh(&mut self, origin: Span) -> Ty {
        let number = self.table.holes.len() as u32;
        self.table.holes.push(Hole { value: None, rank: 0, origin, diverges: false });
        self.program.types.intern(TyKind::Infer(number))
    }

    /// So many new holes.
    pub(super) fn fresh_list(&mut self, count: usize, origin: Span) -> Vec<Ty> {
        (0..count).map(|_| self.fresh(origin)).collect()
    }

    /// The type, or what is known of it if it is a hole; its parts may have holes.
    pub(super) fn shallow(&self, mut ty: Ty) -> Ty {
        while let TyKind::Infer(number) = *self.program.types.kind(ty) {
            match self.table.holes[number as usize].value {
                Some(value) => ty = value,
                None => break,
            }
        }
        ty
    }

    /// What the type is, as far as it is known.
    pub(super) fn kind(&self, ty: Ty) -> &TyKind {
        self.program.types.kind(self.shallow(ty))
    }

    /// Whether nothing is known of the type.
    pub(super) fn is_hole(&self, ty: Ty) -> bool {
        matches!(self.kind(ty), TyKind::Infer(_))
    }

    /// The type with all that is known put into it.
    pub(super) fn resolve(&mut self, ty: Ty) -> Ty {
        if !self.program.types.has_infer(ty) {
            return ty;
        }
        let ty = self.shallow(ty);
        if !self.program.types.has_infer(ty) || matches!(self.program.types.kind(ty), TyKind::Infer(_)) {
            return ty;
        }
        let kind = self.program.types.kind(ty).clone();
        let mut all = |parts: &[Ty]| -> Box<[Ty]> { parts.iter().map(|&part| self.resolve(part)).collect() };
        let kind = match kind {
            TyKind::Array(element) => TyKind::Array(self.resolve(element)),
            TyKind::Tuple(parts) => TyKind::Tuple(all(&parts)),
            TyKind::Record(id, args) => TyKind::Record(id, all(&args)),
            TyKind::Enum(id, args) => TyKind::Enum(id, all(&args)),
            TyKind::Dyn(id, args) => TyKind::Dyn(id, all(&args)),
            TyKind::Fn(params, result) => {
                let params = all(&params);
                TyKind::Fn(params, self.resolve(result))
            }
            leaf => leaf,
        };
        self.program.types.intern(kind)
    }

    /// The number and origin of the hole that the type is, if it is one.
    pub(super) fn hole(&self, ty: Ty) -> Option<(u32, Span)> {
        match self.kind(ty) {
            TyKind::Infer(number) => Some((*number, self.table.holes[*number as usize].origin)),
            _ => None,
        }
    }

    /// Notes that something without a value was put where a type is not known.
    pub(super) fn note_diverging(&mut self, ty: Ty) {
        if let Some((number, _)) = self.hole(ty) {
            self.table.holes[number as usize].diverges = true;
        }
    }

    /// Gives holes into which only went what has no value the type `()`.
    pub(super) fn fill_diverging(&mut self) {
        for number in 0..self.table.holes.len() as u32 {
            let hole = &self.table.holes[number as usize];
            if hole.diverges {
                let ty = self.program.types.intern(TyKind::Infer(number));
                if self.is_hole(ty) {
                    self.unify(ty, Ty::UNIT);
                }
            }
        }
    }

    /// A state to which `rollback` leads.
    pub(super) fn snapshot(&mut self) -> Snapshot {
        self.table.snapshots += 1;
        Snapshot { log: self.table.log.len(), holes: self.table.holes.len() }
    }

    /// Takes back what was found out since.
    pub(super) fn rollback(&mut self, to: Snapshot) {
        self.table.snapshots -= 1;
        while self.table.log.len() > to.log {
            match self.table.log.pop() {
                Some(Change::Bound(number)) => self.table.holes[number as usize].value = None,
                Some(Change::Ranked(number)) => self.table.holes[number as usize].rank -= 1,
                None => break,
            }
        }
        self.table.holes.truncate(to.holes);
    }

    /// Keeps what was found out since.
    pub(super) fn commit(&mut self, _kept: Snapshot) {
        self.table.snapshots -= 1;
        if self.table.snapshots == 0 {
            self.table.log.clear();
        }
    }

    fn log(&mut self, change: Change) {
        if self.table.snapshots > 0 {
            self.table.log.push(change);
        }
    }

    /// Makes two types the same, if they can be; otherwise some of their parts may be the same now.
    pub(super) fn unify(&mut self, a: Ty, b: Ty) -> bool {
        if a == b {
            return true;
        }
        let (a, b) = (self.shallow(a), self.shallow(b));
        if a == b {
            return true;
        }
        if a == Ty::ERROR || b == Ty::ERROR {
            self.poison(a);
            self.poison(b);
            return true;
        }
        let types = &self.program.types;
        match (types.kind(a), types.kind(b)) {
            (TyKind::Infer(x), TyKind::Infer(y)) => {
                let (x, y) = (*x, *y);
                let (low, high, high_ty) = if self.table.holes[x as usize].rank < self.table.holes[y as usize].rank {
                    (x, y, b)
                } else {
                    (y, x, a)
                };
                if self.table.holes[low as usize].rank == self.table.holes[high as usize].rank {
                    self.table.holes[high as usize].rank += 1;
                    self.log(Change::Ranked(high));
                }
                self.table.holes[high as usize].diverges |= self.table.holes[low as usize].diverges;
                self.bind(low, high_ty);
                true
            }
            (TyKind::Infer(x), _) => self.bind_checked(*x, b),
            (_, TyKind::Infer(y)) => self.bind_checked(*y, a),
            (TyKind::Array(_), TyKind::Array(_)) => self.unify_parts(a, b),
            (TyKind::Tuple(x), TyKind::Tuple(y)) if x.len() == y.len() => self.unify_parts(a, b),
            (TyKind::Record(x, _), TyKind::Record(y, _)) if x == y => self.unify_parts(a, b),
            (TyKind::Enum(x, _), TyKind::Enum(y, _)) if x == y => self.unify_parts(a, b),
            (TyKind::Dyn(x, _), TyKind::Dyn(y, _)) if x == y => self.unify_parts(a, b),
            (TyKind::Fn(x, p), TyKind::Fn(y, q)) if x.len() == y.len() => {
                let (p, q) = (*p, *q);
                self.unify_parts(a, b) && self.unify(p, q)
            }
            _ => false,
        }
    }

    /// Makes all holes of a type wrong, so that nothing is said of them.
    pub(super) fn poison(&mut self, ty: Ty) {
        let ty = self.shallow(ty);
        if !self.program.types.has_infer(ty) {
            return;
        }
        if let TyKind::Infer(number) = *self.program.types.kind(ty) {
            return self.bind(number, Ty::ERROR);
        }
        for i in 0..self.program.types.parts(ty).len() {
            self.poison(self.program.types.parts(ty)[i]);
        }
        if let TyKind::Fn(_, result) = *self.program.types.kind(ty) {
            self.poison(result);
        }
    }

    fn unify_parts(&mut self, a: Ty, b: Ty) -> bool {
        let count = self.program.types.parts(a).len();
        (0..count).all(|i| {
            let (x, y) = (self.program.types.parts(a)[i], self.program.types.parts(b)[i]);
            self.unify(x, y)
        })
    }

    /// The same, but nothing is found out where they cannot be the same.
    pub(super) fn try_unify(&mut self, a: Ty, b: Ty) -> bool {
        let before = self.snapshot();
        let same = self.unify(a, b);
        if same {
            self.commit(before);
        } else {
            self.rollback(before);
        }
        same
    }

    fn bind_checked(&mut self, hole: u32, ty: Ty) -> bool {
        if self.program.types.has_infer(ty) && self.occurs(hole, ty) {
            return false;
        }
        self.bind(hole, ty);
        true
    }

    fn bind(&mut self, hole: u32, ty: Ty) {
        self.table.holes[hole as usize].value = Some(ty);
        self.log(Change::Bound(hole));
    }

    /// Whether a hole is in a type.
    fn occurs(&self, hole: u32, ty: Ty) -> bool {
        let ty = self.shallow(ty);
        if !self.program.types.has_infer(ty) {
            return false;
        }
        match self.program.types.kind(ty) {
            TyKind::Infer(number) => *number == hole,
            TyKind::Fn(params, result) => {
                self.occurs(hole, *result) || params.iter().any(|&param| self.occurs(hole, param))
            }
            _ => self.program.types.parts(ty).iter().any(|&part| self.occurs(hole, part)),
        }
    }
}
