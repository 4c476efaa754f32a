//! Which rows of patterns are of use, and what none of them matches.
//!
//! A matrix has a row for each arm and a column for each part of the value that is still looked at; its last column is looked at
//! next. For each group of values that this column tells apart, the matrix of the rows that match such values, with columns
//! for their parts, says the same about the rest. With no column left, the first row without guard takes what comes.

use super::pattern::{Ctor, PatId, Patterns, WILD};
use super::split::{Group, split};
use super::witness::{Shape, Witness, Witnesses};
use crate::typed::Program;

/// An arm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// What it matches.
    pub(super) pattern: PatId,
    /// Whether it may be passed over although it matches.
    pub(super) guarded: bool,
}

/// What was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The work.
    Steps,
    /// The number of columns one after the other.
    Depth,
}

/// See the module.
pub(super) struct Solver<'a> {
    program: &'a Program,
    patterns: &'a mut Patterns,
    spent: u64,
    limit: u64,
    depth: u32,
}

struct Matrix {
    width: usize,
    /// Row after row.
    cells: Vec<PatId>,
    rows: Vec<MatrixRow>,
}

struct MatrixRow {
    /// Which row of the matrix that this one was made of.
    parent: u32,
    guarded: bool,
    useful: bool,
}

impl Matrix {
    fn new(width: usize) -> Self {
        Self { width, cells: Vec::new(), rows: Vec::new() }
    }

    fn row(&self, index: usize) -> &[PatId] {
        &self.cells[index * self.width..(index + 1) * self.width]
    }

    fn heads(&self) -> impl Iterator<Item = PatId> {
        (0..self.rows.len()).map(|index| self.row(index)[self.width - 1])
    }

    /// Adds a row made of row `parent` of another, without its head; the caller adds the cells that come instead of it.
    fn push(&mut self, from: &Matrix, parent: usize) {
        let cells = from.row(parent);
        self.cells.extend_from_slice(&cells[..from.width - 1]);
        self.rows.push(MatrixRow { parent: parent as u32, guarded: from.rows[parent].guarded, useful: false });
    }

    /// Tells the matrix that this one was made of which of its rows are of use.
    fn tell(&self, parent: &mut Matrix) {
        for row in self.rows.iter().filter(|row| row.useful) {
            parent.rows[row.parent as usize].useful = true;
        }
    }
}

impl<'a> Solver<'a> {
    /// With limits for the work and for the columns.
    pub(super) fn new(program: &'a Program, patterns: &'a mut Patterns, limit: u64, depth: u32) -> Self {
        Self { program, patterns, spent: 0, limit, depth }
    }

    /// The work that was done.
    pub(super) fn spent(&self) -> u64 {
        self.spent
    }

    /// What no row matches, and whether each row is of use.
    pub(super) fn run(&mut self, rows: &[Row]) -> Result<(Witnesses, Vec<bool>), Limit> {
        let mut matrix = Matrix::new(1);
        for row in rows {
            matrix.cells.push(row.pattern);
            matrix.rows.push(MatrixRow { parent: 0, guarded: row.guarded, useful: false });
        }
        let missing = self.solve(&mut matrix, self.depth)?;
        Ok((missing, matrix.rows.iter().map(|row| row.useful).collect()))
    }

    fn spend(&mut self, steps: usize) -> Result<(), Limit> {
        self.spent += steps as u64;
        if self.spent > self.limit { Err(Limit::Steps) } else { Ok(()) }
    }

    fn solve(&mut self, matrix: &mut Matrix, depth: u32) -> Result<Witnesses, Limit> {
        self.spend(matrix.cells.len() + 1)?;
        let dropped = self.drop_wild(matrix);
        let mut missing = if matrix.width == 0 {
            take_first(matrix)
        } else if depth == 0 {
            return Err(Limit::Depth);
        } else if matrix.heads().any(|id| *self.patterns.ctor(id) == Ctor::Or) {
            self.alternatives(matrix, depth - 1)?
        } else {
            self.groups(matrix, depth - 1)?
        };
        missing.push_any(dropped);
        Ok(missing)
    }

    /// Columns that look at nothing go, as long as they are the next. How many went.
    fn drop_wild(&mut self, matrix: &mut Matrix) -> usize {
        let mut wild = 0;
        let is_wild = |this: &Self, at: usize| {
            (0..matrix.rows.len()).all(|row| *this.patterns.ctor(matrix.row(row)[at]) == Ctor::Wild)
        };
        while wild < matrix.width && is_wild(self, matrix.width - 1 - wild) {
            wild += 1;
        }
        if wild > 0 {
            let mut cells = Vec::with_capacity(matrix.rows.len() * (matrix.width - wild));
            for row in 0..matrix.rows.len() {
                cells.extend_from_slice(&matrix.row(row)[..matrix.width - wild]);
            }
            matrix.cells = cells;
            matrix.width -= wild;
        }
        wild
    }

    /// A row for each alternative.
    fn alternatives(&mut self, matrix: &mut Matrix, depth: u32) -> Result<Witnesses, Limit> {
        let mut expanded = Matrix::new(matrix.width);
        let mut heads = Vec::new();
        for index in 0..matrix.rows.len() {
            let head = matrix.row(index)[matrix.width - 1];
            let alone = [head];
            let all = match self.patterns.ctor(head) {
                Ctor::Or => self.patterns.parts(head),
                _ => &alone,
            };
            for &id in all {
                expanded.push(matrix, index);
                expanded.cells.push(id);
                heads.push(id);
            }
        }
        let missing = self.solve(&mut expanded, depth)?;
        expanded.tell(matrix);
        for (row, id) in expanded.rows.iter().zip(heads) {
            if row.useful {
                self.patterns.set_useful(id);
            }
        }
        Ok(missing)
    }

    /// A matrix for each group of values that the next column tells apart.
    fn groups(&mut self, matrix: &mut Matrix, depth: u32) -> Result<Witnesses, Limit> {
        let column: Vec<PatId> = matrix.heads().collect();
        let (limit, mut spent) = (self.limit, self.spent);
        let groups = split(self.program, self.patterns, &column, &mut |rows| {
            spent += rows as u64;
            spent <= limit
        });
        self.spent = spent;
        self.spend(groups.len())?;
        let mut missing = Witnesses::default();
        let mut others: Option<Witnesses> = None;
        for group in groups {
            match &group.rows {
                Some(rows) => {
                    let mut part = self.specialise(matrix, &group, rows);
                    let found = self.solve(&mut part, depth)?;
                    part.tell(matrix);
                    missing.add(found, |columns| wrap(&group, columns));
                }
                None => {
                    let found = match others.take() {
                        Some(found) => found,
                        None => self.rest(matrix, &column, depth)?,
                    };
                    missing.add(found.clone(), |columns| {
                        columns.extend(std::iter::repeat_n(Witness::Any, group.arity));
                        wrap(&group, columns);
                    });
                    others = Some(found);
                }
            }
        }
        Ok(missing)
    }

    /// What is missing of values that only wild patterns of the next column match.
    fn rest(&mut self, matrix: &mut Matrix, column: &[PatId], depth: u32) -> Result<Witnesses, Limit> {
        let mut part = Matrix::new(matrix.width - 1);
        for (index, &id) in column.iter().enumerate() {
            if *self.patterns.ctor(id) == Ctor::Wild {
                part.push(matrix, index);
            }
        }
        let found = self.solve(&mut part, depth)?;
        part.tell(matrix);
        Ok(found)
    }

    /// The rows of a group, with columns for the parts instead of the next column: the first part is the next.
    fn specialise(&self, matrix: &Matrix, group: &Group, rows: &[u32]) -> Matrix {
        let mut part = Matrix::new(matrix.width - 1 + group.arity);
        for &index in rows {
            part.push(matrix, index as usize);
            let head = matrix.row(index as usize)[matrix.width - 1];
            let parts = if group.arity == 0 { &[] } else { self.patterns.parts(head) };
            let first = match self.patterns.ctor(head) {
                Ctor::List { before, .. } => (*before as usize).min(parts.len()),
                _ => parts.len(),
            };
            part.cells.extend(parts[first..].iter().rev());
            part.cells.extend(std::iter::repeat_n(WILD, group.arity - parts.len()));
            part.cells.extend(parts[..first].iter().rev());
        }
        part
    }
}

/// With no column left: rows are of use up to the first that has no guard.
fn take_first(matrix: &mut Matrix) -> Witnesses {
    for row in &mut matrix.rows {
        row.useful = true;
        if !row.guarded {
            return Witnesses::default();
        }
    }
    Witnesses::one()
}

/// Puts the parts, which are the last columns of what is missing, together.
fn wrap(group: &Group, columns: &mut Vec<Witness>) {
    let at = columns.len() - group.arity;
    let mut parts = columns.split_off(at);
    parts.reverse();
    columns.push(match group.shape {
        Shape::Any => Witness::Any,
        _ => Witness::Made(group.shape.clone(), parts),
    });
}
