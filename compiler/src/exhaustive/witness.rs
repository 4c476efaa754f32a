//! What no arm takes, and how a person would write it as a pattern.

use std::fmt::Write;
use std::rc::Rc;

use super::pattern::LAST_CHAR;
use crate::names::Names;
use crate::typed::{EnumId, Field, Program, RecordId, Ty, TyKind};

/// What a group of values has in common.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Nothing that a pattern could say.
    Any,
    /// The variant.
    Variant(EnumId, u32),
    /// They are records.
    Record(RecordId),
    /// They are tuples.
    Tuple,
    /// The value.
    Bool(bool),
    /// They are between these.
    Int(i64, i64),
    /// They are between these, numbered without the surrogates.
    Char(u32, u32),
    /// The text.
    String(Rc<str>),
    /// The number.
    Float(f64),
    /// They are lists; after so many elements others may come.
    List(Option<usize>),
}

/// Values that no row takes.
#[derive(Clone, Debug)]
pub(super) enum Witness {
    /// Any.
    Any,
    /// Of a shape, with parts.
    Made(Shape, Vec<Witness>),
}

/// How many of them are shown.
const SHOWN: usize = 3;

/// What is missing: for each kind of it, a witness for each column.
#[derive(Clone, Debug, Default)]
pub(super) struct Witnesses {
    /// The first ones.
    list: Vec<Vec<Witness>>,
    /// How many there are.
    pub(super) total: u64,
}

impl Witnesses {
    /// One, for no columns.
    pub(super) fn one() -> Self {
        Self { list: vec![Vec::new()], total: 1 }
    }

    /// Whether nothing is missing.
    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// For as many columns more: anything there.
    pub(super) fn push_any(&mut self, columns: usize) {
        for witness in &mut self.list {
            witness.extend(std::iter::repeat_n(Witness::Any, columns));
        }
    }

    /// More of them, with their columns changed.
    pub(super) fn add(&mut self, other: Witnesses, mut change: impl FnMut(&mut Vec<Witness>)) {
        self.total = self.total.saturating_add(other.total);
        for mut columns in other.list {
            if self.list.len() == SHOWN {
                return;
            }
            change(&mut columns);
            self.list.push(columns);
        }
    }
}

/// What is missing where there is no arm at all.
pub(super) fn all_of(program: &Program, ty: Ty) -> Witnesses {
    let mut all = Witnesses::default();
    match program.types.kind(ty) {
        _ if has_no_value(program, ty, None) => {}
        TyKind::Enum(id, _) => {
            for (tag, variant) in program.enums[id.index()].variants.iter().enumerate() {
                if !has_no_value(program, ty, Some(tag as u32)) {
                    let parts = vec![Witness::Any; variant.fields.len()];
                    all.add(Witnesses::one(), |columns| {
                        columns.push(Witness::Made(Shape::Variant(*id, tag as u32), parts.clone()));
                    });
                }
            }
        }
        _ => all.add(Witnesses::one(), |columns| columns.push(Witness::Any)),
    }
    all
}

/// Arguments of type parameters, which may be in terms of others.
#[derive(Clone, Copy)]
struct Scope<'a> {
    args: &'a [Ty],
    outer: Option<&'a Scope<'a>>,
}

/// How deep it is looked for a part without values; what is deeper counts as having some.
const EMPTINESS_DEPTH: u32 = 4;

/// Whether a type, or one variant of it, has no values, since it holds `Never` or an enum without variants.
pub(super) fn has_no_value(program: &Program, ty: Ty, tag: Option<u32>) -> bool {
    match (program.types.kind(ty), tag) {
        (TyKind::Enum(id, args), Some(tag)) => {
            let scope = Scope { args, outer: None };
            fields_empty(program, &program.enums[id.index()].variants[tag as usize].fields, &scope, EMPTINESS_DEPTH)
        }
        _ => is_empty(program, ty, None, EMPTINESS_DEPTH),
    }
}

fn fields_empty(program: &Program, fields: &[Field], scope: &Scope<'_>, depth: u32) -> bool {
    fields.iter().take(64).any(|field| is_empty(program, field.ty, Some(scope), depth))
}

fn is_empty(program: &Program, ty: Ty, scope: Option<&Scope<'_>>, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match program.types.kind(ty) {
        TyKind::Never => true,
        TyKind::Tuple(parts) => parts.iter().take(64).any(|&part| is_empty(program, part, scope, depth)),
        TyKind::Enum(id, args) => {
            // Nothing but a mention of `Never` can make an enum with variants empty; few have more than some variants then.
            let inner = Scope { args, outer: scope };
            let variants = &program.enums[id.index()].variants;
            variants.len() <= 16 && variants.iter().all(|variant| fields_empty(program, &variant.fields, &inner, depth))
        }
        TyKind::Param(index) => scope.is_some_and(|scope| {
            scope.args.get(*index as usize).is_some_and(|&arg| is_empty(program, arg, scope.outer, depth))
        }),
        _ => false,
    }
}

/// Writes patterns.
pub(super) struct Printer<'a> {
    program: &'a Program,
    names: &'a Names,
    out: String,
}

/// A pattern is cut off where it becomes longer than this.
const LONGEST: usize = 120;

impl<'a> Printer<'a> {
    pub(super) fn new(program: &'a Program, names: &'a Names) -> Self {
        Self { program, names, out: String::new() }
    }

    /// "`A`, `B` and 3 more"
    pub(super) fn list(mut self, missing: &Witnesses) -> String {
        let mut texts: Vec<String> = Vec::new();
        for columns in &missing.list {
            self.out.clear();
            if let Some(witness) = columns.last() {
                self.pattern(witness);
            }
            texts.push(format!("`{}`", self.out));
        }
        let more = missing.total - texts.len() as u64;
        if more > 0 {
            texts.push(format!("{more} more"));
        }
        match texts.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, before)) => format!("{} and {last}", before.join(", ")),
            None => String::new(),
        }
    }

    fn pattern(&mut self, witness: &Witness) {
        let Witness::Made(shape, parts) = witness else { return self.out.push('_') };
        if self.out.len() > LONGEST {
            return self.out.push('_');
        }
        let program = self.program;
        match shape {
            Shape::Any => self.out.push('_'),
            Shape::Variant(id, tag) => {
                let variant = &program.enums[id.index()].variants[*tag as usize];
                self.out.push_str(self.names.text(variant.name));
                if variant.named {
                    self.fields(&variant.fields, parts);
                } else if !parts.is_empty() {
                    self.sequence("(", parts, ")");
                }
            }
            Shape::Record(id) => {
                let record = &program.records[id.index()];
                self.out.push_str(self.names.text(record.name));
                self.fields(&record.fields, parts);
            }
            Shape::Tuple => self.sequence("(", parts, ")"),
            Shape::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Shape::Int(from, to) => self.range((*from != i64::MIN).then_some(from), (*to != i64::MAX).then_some(to)),
            Shape::Char(from, to) => {
                let text = |index: u32| {
                    format!("{:?}", char::from_u32(if index < 0xd800 { index } else { index + 0x800 }).unwrap_or('?'))
                };
                let (from, to) = ((*from != 0).then(|| text(*from)), (*to != LAST_CHAR).then(|| text(*to)));
                self.range(from.as_ref(), to.as_ref());
            }
            Shape::String(text) => self.write(format_args!("{:?}", &**text)),
            Shape::Float(number) => self.write(format_args!("{number:?}")),
            Shape::List(None) => self.sequence("[", parts, "]"),
            Shape::List(Some(at)) => {
                self.out.push('[');
                for (index, part) in parts.iter().enumerate() {
                    if index == *at {
                        self.out.push_str(".., ");
                    }
                    self.pattern(part);
                    if index + 1 < parts.len() {
                        self.out.push_str(", ");
                    }
                }
                if *at == parts.len() {
                    self.out.push_str(if parts.is_empty() { ".." } else { ", .." });
                }
                self.out.push(']');
            }
        }
    }

    /// Equal ends are one value; an end that is the type's is left out.
    fn range<T: std::fmt::Display + PartialEq>(&mut self, from: Option<&T>, to: Option<&T>) {
        match (from, to) {
            (Some(from), Some(to)) if from == to => self.write(format_args!("{from}")),
            (Some(from), Some(to)) => self.write(format_args!("{from}..={to}")),
            (Some(from), None) => self.write(format_args!("{from}..")),
            (None, Some(to)) => self.write(format_args!("..={to}")),
            (None, None) => self.out.push('_'),
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(text);
    }

    fn sequence(&mut self, open: &str, parts: &[Witness], close: &str) {
        self.out.push_str(open);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            if self.out.len() > LONGEST {
                self.out.push('…');
                break;
            }
            self.pattern(part);
        }
        self.out.push_str(close);
    }

    /// Only fields of which something is said.
    fn fields(&mut self, fields: &[Field], parts: &[Witness]) {
        self.out.push_str(" { ");
        let mut left = false;
        for (field, part) in fields.iter().zip(parts) {
            if matches!(part, Witness::Any) || self.out.len() > LONGEST {
                left = true;
                continue;
            }
            self.out.push_str(self.names.text(field.name));
            self.out.push_str(": ");
            self.pattern(part);
            self.out.push_str(", ");
        }
        if left || parts.is_empty() {
            self.out.push_str("..");
        } else {
            self.out.truncate(self.out.len() - 2);
        }
        self.out.push_str(" }");
    }
}
