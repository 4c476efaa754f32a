//! Patterns as constructors with parts, in one list.

use std::rc::Rc;

use crate::source::Span;
use crate::typed::{EnumId, Pattern, PatternKind, Program, RecordId, Ty};

/// The number of a pattern in [`Patterns`].
pub(super) type PatId = u32;

/// Matches anything.
pub(super) const WILD: PatId = 0;

/// How a value is made, as far as a pattern looks at it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ctor {
    /// In any way.
    Wild,
    /// As this variant.
    Variant(EnumId, u32),
    /// As a record: the only way.
    Record(RecordId),
    /// As a tuple: the only way.
    Tuple,
    /// It is this truth value.
    Bool(bool),
    /// An Int between these, which are in it.
    Int(i64, i64),
    /// A Char between these: numbers that leave out the surrogates, see [`char_index`].
    Char(u32, u32),
    /// This text.
    String(Rc<str>),
    /// This number, by its bits; zero is positive.
    Float(u64),
    /// A list that begins and ends with so many given elements; `rest`: with others in between.
    List {
        /// How many at the beginning.
        before: u32,
        /// How many at the end.
        after: u32,
        /// Whether there may be others.
        rest: bool,
    },
    /// In some way of which nothing is known; two of them are not the same.
    Opaque,
    /// In one of several ways: the parts.
    Or,
}

/// A lowered pattern.
#[derive(Clone, Debug)]
struct Pat {
    ctor: Ctor,
    parts: (u32, u32),
    ty: Option<Ty>,
    span: Span,
    useful: bool,
}

/// The patterns of one `match`.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    pats: Vec<Pat>,
    parts: Vec<PatId>,
}

/// The number of a Char: they are dense, and in order.
pub(super) fn char_index(c: char) -> u32 {
    let code = c as u32;
    if code < 0xd800 { code } else { code - 0x800 }
}

/// The greatest number of a Char.
pub(super) const LAST_CHAR: u32 = 0x10_ffff - 0x800;

impl Patterns {
    /// Forgets all but [`WILD`].
    pub(super) fn clear(&mut self) {
        self.pats.clear();
        self.parts.clear();
        self.add(Ctor::Wild, &[], None, Span::default());
    }

    /// One past the last pattern.
    pub(super) fn end(&self) -> PatId {
        self.pats.len() as PatId
    }

    /// How a pattern looks at a value.
    pub(super) fn ctor(&self, id: PatId) -> &Ctor {
        &self.pats[id as usize].ctor
    }

    /// The patterns of the parts.
    pub(super) fn parts(&self, id: PatId) -> &[PatId] {
        let (begin, end) = self.pats[id as usize].parts;
        &self.parts[begin as usize..end as usize]
    }

    /// The type of what is matched, if it is known.
    pub(super) fn ty(&self, id: PatId) -> Option<Ty> {
        self.pats[id as usize].ty
    }

    /// Notes that a value reaches the pattern.
    pub(super) fn set_useful(&mut self, id: PatId) {
        self.pats[id as usize].useful = true;
    }

    /// Whether a value reaches it.
    pub(super) fn is_useful(&self, id: PatId) -> bool {
        self.pats[id as usize].useful
    }

    /// All patterns that are one of several.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = (PatId, Span)> {
        self.pats
            .iter()
            .filter(|pat| pat.ctor == Ctor::Or)
            .flat_map(|pat| &self.parts[pat.parts.0 as usize..pat.parts.1 as usize])
            .map(|&id| (id, self.pats[id as usize].span))
    }

    fn add(&mut self, ctor: Ctor, parts: &[PatId], ty: Option<Ty>, span: Span) -> PatId {
        let begin = self.parts.len() as u32;
        self.parts.extend(parts);
        self.pats.push(Pat { ctor, parts: (begin, self.parts.len() as u32), ty, span, useful: false });
        self.pats.len() as u32 - 1
    }

    /// Lowers a pattern. As deep as the source is nested.
    pub(super) fn lower(&mut self, program: &Program, pattern: &Pattern) -> PatId {
        let (ty, span) = (Some(pattern.ty), pattern.span);
        let value = |this: &mut Self, ctor| this.add(ctor, &[], ty, span);
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_, None) => self.add(Ctor::Wild, &[], ty, span),
            PatternKind::Bind(_, Some(part)) => self.lower(program, part),
            PatternKind::Int(n) => value(self, Ctor::Int(*n, *n)),
            PatternKind::IntRange(from, to) if from <= to => value(self, Ctor::Int(*from, *to)),
            PatternKind::Char(c) => value(self, Ctor::Char(char_index(*c), char_index(*c))),
            PatternKind::CharRange(from, to) if from <= to => {
                value(self, Ctor::Char(char_index(*from), char_index(*to)))
            }
            // An empty range matches nothing.
            PatternKind::IntRange(..) | PatternKind::CharRange(..) => value(self, Ctor::Or),
            PatternKind::Bool(b) => value(self, Ctor::Bool(*b)),
            PatternKind::Float(x) => value(self, Ctor::Float(if *x == 0.0 { 0 } else { x.to_bits() })),
            PatternKind::String(text) => value(self, Ctor::String(text.clone())),
            PatternKind::Tuple(parts) => {
                let parts = self.lower_all(program, parts);
                self.add(Ctor::Tuple, &parts, ty, span)
            }
            PatternKind::Record(id, fields) if Some(*id) == program.lang.list => {
                let parts: Vec<PatId> = fields.iter().map(|(_, part)| self.lower(program, part)).collect();
                let plain = parts.iter().all(|&part| *self.ctor(part) == Ctor::Wild);
                value(self, if plain { Ctor::Wild } else { Ctor::Opaque })
            }
            PatternKind::Record(id, fields) => {
                let mut parts = vec![WILD; program.records[id.index()].fields.len()];
                for (index, part) in fields {
                    parts[*index as usize] = self.lower(program, part);
                }
                self.add(Ctor::Record(*id), &parts, ty, span)
            }
            PatternKind::Variant(id, tag, parts) => {
                let parts = self.lower_all(program, parts);
                self.add(Ctor::Variant(*id, *tag), &parts, ty, span)
            }
            PatternKind::List { before, rest, after } => {
                let mut list = (self.lower_all(program, before), self.lower_all(program, after));
                let rest = match rest {
                    None => Some(false),
                    Some(None) => Some(true),
                    Some(Some(part)) => self.rest(program, part, &mut list),
                };
                let Some(rest) = rest else { return value(self, Ctor::Opaque) };
                let ctor = Ctor::List { before: list.0.len() as u32, after: list.1.len() as u32, rest };
                list.0.append(&mut list.1);
                self.add(ctor, &list.0, ty, span)
            }
            PatternKind::Or(parts) => {
                let mut all = Vec::with_capacity(parts.len());
                for part in parts {
                    let id = self.lower(program, part);
                    match self.ctor(id) {
                        Ctor::Or => all.extend_from_slice(self.parts(id)),
                        _ => all.push(id),
                    }
                }
                self.add(Ctor::Or, &all, ty, span)
            }
        }
    }

    fn lower_all(&mut self, program: &Program, patterns: &[Pattern]) -> Vec<PatId> {
        patterns.iter().map(|pattern| self.lower(program, pattern)).collect()
    }

    /// The pattern of a rest, with those before and after it: whether the list may have others; nothing if it is of another form.
    fn rest(&mut self, program: &Program, pattern: &Pattern, list: &mut (Vec<PatId>, Vec<PatId>)) -> Option<bool> {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_, None) => Some(true),
            PatternKind::Bind(_, Some(part)) => self.rest(program, part, list),
            PatternKind::List { before, rest, after } => {
                list.0.extend(self.lower_all(program, before));
                list.1.splice(0..0, self.lower_all(program, after));
                match rest {
                    None => Some(false),
                    Some(None) => Some(true),
                    Some(Some(part)) => self.rest(program, part, list),
                }
            }
            _ => None,
        }
    }
}
