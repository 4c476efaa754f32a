//! Splitting a column: which groups of values its patterns can tell apart, and which rows take each group.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::pattern::{Ctor, LAST_CHAR, PatId, Patterns};
use super::witness::{Shape, has_no_value};
use crate::typed::{Program, Ty};

/// Values that the patterns of a column do not tell apart by their outermost constructor.
pub(super) struct Group {
    /// What they have in common.
    pub(super) shape: Shape,
    /// How many parts they have.
    pub(super) arity: usize,
    /// Which rows match some of them, in order; nothing if only those do that match anything.
    pub(super) rows: Option<Vec<u32>>,
}

/// The groups of a column in which not every pattern is wild. `spend` is told how many rows are noted down.
pub(super) fn split(
    program: &Program,
    patterns: &Patterns,
    column: &[PatId],
    spend: &mut impl FnMut(usize) -> bool,
) -> Vec<Group> {
    let first = column.iter().map(|&id| patterns.ctor(id)).find(|ctor| **ctor != Ctor::Wild);
    let mut groups = match first {
        None => return Vec::new(),
        Some(Ctor::Record(id)) => {
            vec![Group::new(Shape::Record(*id), program.records[id.index()].fields.len())]
        }
        Some(Ctor::Tuple) => {
            let arity = column.iter().map(|&id| patterns.parts(id).len()).max().unwrap_or(0);
            vec![Group::new(Shape::Tuple, arity)]
        }
        Some(Ctor::Bool(_)) => vec![Group::new(Shape::Bool(false), 0), Group::new(Shape::Bool(true), 0)],
        Some(Ctor::Variant(id, _)) => {
            let variants = program.enums[id.index()].variants.iter().enumerate();
            variants.map(|(tag, v)| Group::new(Shape::Variant(*id, tag as u32), v.fields.len())).collect()
        }
        Some(Ctor::Int(..)) => {
            ranges(patterns, column, i64::MIN as i128, i64::MAX as i128, |from, to| Shape::Int(from as i64, to as i64))
        }
        Some(Ctor::Char(..)) => {
            ranges(patterns, column, 0, LAST_CHAR as i128, |from, to| Shape::Char(from as u32, to as u32))
        }
        Some(Ctor::List { .. }) => lists(patterns, column),
        // As many as there are: no list of them is ever complete.
        Some(Ctor::String(_) | Ctor::Float(_) | Ctor::Opaque | Ctor::Or | Ctor::Wild) => {
            return values(patterns, column, spend);
        }
    };
    for (row, &id) in column.iter().enumerate() {
        let taken = taken(patterns.ctor(id), &groups);
        if !spend(taken.len()) {
            break;
        }
        for group in &mut groups[taken] {
            group.rows.get_or_insert_default().push(row as u32);
        }
    }
    add_wild(patterns, column, &mut groups, spend);
    let ty = column.iter().find_map(|&id| patterns.ty(id));
    groups.retain(|group| group.rows.is_some() || ty.is_none_or(|ty| can_be(program, ty, &group.shape)));
    groups
}

impl Group {
    fn new(shape: Shape, arity: usize) -> Self {
        Self { shape, arity, rows: None }
    }
}

/// Rows that match anything are in each group that others are in, in order.
fn add_wild(patterns: &Patterns, column: &[PatId], groups: &mut [Group], spend: &mut impl FnMut(usize) -> bool) {
    let wild: Vec<u32> =
        (0u32..).zip(column).filter(|(_, id)| *patterns.ctor(**id) == Ctor::Wild).map(|(row, _)| row).collect();
    if wild.is_empty() {
        return;
    }
    for rows in groups.iter_mut().filter_map(|group| group.rows.as_mut()) {
        if !spend(wild.len()) {
            return;
        }
        rows.extend(&wild);
        rows.sort_unstable();
    }
}

/// Which groups have values that a constructor makes. They are neighbours.
fn taken(ctor: &Ctor, groups: &[Group]) -> std::ops::Range<usize> {
    let within = |from: i128, to: i128| {
        let begin = |group: &Group| match group.shape {
            Shape::Int(from, _) => i128::from(from),
            Shape::Char(from, _) => i128::from(from),
            _ => 0,
        };
        groups.partition_point(|group| begin(group) < from)..groups.partition_point(|group| begin(group) <= to)
    };
    match ctor {
        Ctor::Record(_) | Ctor::Tuple => 0..1,
        Ctor::Bool(b) => usize::from(*b)..usize::from(*b) + 1,
        Ctor::Variant(_, tag) => *tag as usize..*tag as usize + 1,
        Ctor::Int(from, to) => within((*from).into(), (*to).into()),
        Ctor::Char(from, to) => within((*from).into(), (*to).into()),
        Ctor::List { before, after, rest } => {
            let length = (before + after) as usize;
            length..if *rest { groups.len() } else { length + 1 }
        }
        _ => 0..0,
    }
}

/// Ranges cut at each end of another.
fn ranges(
    patterns: &Patterns,
    column: &[PatId],
    first: i128,
    last: i128,
    shape: impl Fn(i128, i128) -> Shape,
) -> Vec<Group> {
    let mut cuts = vec![first, last + 1];
    for &id in column {
        match patterns.ctor(id) {
            Ctor::Int(from, to) => cuts.extend([i128::from(*from), i128::from(*to) + 1]),
            Ctor::Char(from, to) => cuts.extend([i128::from(*from), i128::from(*to) + 1]),
            _ => {}
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|pair| Group::new(shape(pair[0], pair[1] - 1), 0)).collect()
}

/// Lists by their length, up to one from which on the patterns cannot tell lengths apart.
fn lists(patterns: &Patterns, column: &[PatId]) -> Vec<Group> {
    let (mut fixed, mut first, mut last) = (0, 0, 0);
    for &id in column {
        if let Ctor::List { before, after, rest } = patterns.ctor(id) {
            if *rest {
                (first, last) = (first.max(*before), last.max(*after));
            } else {
                fixed = fixed.max(before + after + 1);
            }
        }
    }
    first = first.max(fixed.saturating_sub(last));
    let open = (first + last) as usize;
    let mut groups: Vec<Group> = (0..open).map(|length| Group::new(Shape::List(None), length)).collect();
    groups.push(Group::new(Shape::List(Some(first as usize)), open));
    groups
}

/// Each value that a pattern names, then all others.
fn values(patterns: &Patterns, column: &[PatId], spend: &mut impl FnMut(usize) -> bool) -> Vec<Group> {
    let mut texts: FxHashMap<Rc<str>, usize> = FxHashMap::default();
    let mut floats: FxHashMap<u64, usize> = FxHashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for (row, &id) in column.iter().enumerate() {
        let next = groups.len();
        let (index, shape) = match patterns.ctor(id) {
            Ctor::String(text) => (*texts.entry(text.clone()).or_insert(next), Shape::String(text.clone())),
            Ctor::Float(bits) => (*floats.entry(*bits).or_insert(next), Shape::Float(f64::from_bits(*bits))),
            Ctor::Wild => continue,
            _ => (next, Shape::Any),
        };
        if index == next {
            groups.push(Group::new(shape, 0));
        }
        groups[index].rows.get_or_insert_default().push(row as u32);
    }
    add_wild(patterns, column, &mut groups, spend);
    groups.push(Group::new(Shape::Any, 0));
    groups
}

/// Whether a type has values of a shape.
fn can_be(program: &Program, ty: Ty, shape: &Shape) -> bool {
    match shape {
        Shape::Variant(_, tag) => !has_no_value(program, ty, Some(*tag)),
        _ => true,
    }
}
