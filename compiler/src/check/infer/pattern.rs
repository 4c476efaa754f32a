//! Patterns.

use rustc_hash::FxHashMap;

use super::Infer;
use crate::check::scope::Def;
use crate::check::suggest;
use crate::check::types::TypeDef;
use crate::diagnostic::Diagnostic;
use crate::names::Name;
use crate::source::Span;
use crate::syntax::{self, Ident, PatternKind as Written};
use crate::typed::{ConstId, EnumId, ExprKind, LocalId, Pattern, PatternKind, RecordId, Ty, TyKind, UnaryOp};

/// The names that a pattern binds.
#[derive(Default)]
struct Binder {
    bound: Vec<(Name, LocalId)>,
    /// The same, to be looked up.
    known: FxHashMap<Name, LocalId>,
    /// Within further alternatives: the names that the first one bound.
    shared: Option<FxHashMap<Name, LocalId>>,
}

/// What a path in a pattern means.
enum Named {
    Variant(Ty, EnumId, u32),
    Record(Ty, RecordId),
    Const(ConstId),
}

impl<'a> Infer<'_, 'a> {
    /// A pattern for values of a type; what it binds is in scope afterwards.
    pub(super) fn bind_pattern(&mut self, pattern: &'a syntax::Pattern, ty: Ty) -> Pattern {
        let mut binder = Binder::default();
        let made = self.pattern(pattern, ty, &mut binder);
        for (name, local) in binder.bound {
            self.bring(name, local);
        }
        made
    }

    fn pattern(&mut self, pattern: &'a syntax::Pattern, ty: Ty, binder: &mut Binder) -> Pattern {
        let span = pattern.span;
        let kind = match &pattern.kind {
            Written::Wildcard | Written::Error => PatternKind::Wildcard,
            Written::Bind { mutable, name, sub } => {
                let local = self.bind(*name, *mutable, ty, binder);
                let sub = sub.as_ref().map(|sub| Box::new(self.pattern(sub, ty, binder)));
                PatternKind::Bind(local, sub)
            }
            Written::Literal(literal) => self.literal_pattern(literal, ty, span),
            Written::Range { start, end, inclusive } => {
                self.range_pattern(start.as_deref(), end.as_deref(), *inclusive, ty, span)
            }
            Written::Tuple(parts) => {
                let types = self.tuple_parts(parts.len(), ty, span);
                PatternKind::Tuple(parts.iter().zip(types).map(|(part, ty)| self.pattern(part, ty, binder)).collect())
            }
            Written::List { before, rest, after } => self.list_pattern(before, rest.as_ref(), after, ty, span, binder),
            Written::Variant(path, parts) => self.variant_pattern(path, parts, ty, span, binder),
            Written::Record { path, fields, open } => self.record_pattern(path, fields, *open, ty, span, binder),
            Written::Or(alternatives) => self.or_pattern(alternatives, ty, span, binder),
        };
        Pattern { kind, ty, span }
    }

    fn bind(&mut self, name: Ident, mutable: bool, ty: Ty, binder: &mut Binder) -> LocalId {
        if let Some(local) = binder.shared.as_ref().and_then(|shared| shared.get(&name.name)).copied() {
            let first = self.locals[local.index()].ty;
            if !self.c.try_unify(first, ty) {
                self.mismatch(name.span, first, ty);
            }
            return local;
        }
        if let Some(first) = binder.known.get(&name.name) {
            let text = self.c.text(name.name).to_owned();
            let first = self.locals[first.index()].span;
            let error = Diagnostic::error("F0332", name.span, format!("`{text}` is bound twice in this pattern"));
            self.report(error.also(first, "first here"));
        }
        let local = self.new_local(name.name, ty, mutable, name.span);
        binder.bound.push((name.name, local));
        binder.known.insert(name.name, local);
        local
    }

    fn or_pattern(
        &mut self,
        alternatives: &'a [syntax::Pattern],
        ty: Ty,
        span: Span,
        binder: &mut Binder,
    ) -> PatternKind {
        let mut wanted = Vec::new();
        if let Some(first) = alternatives.first() {
            names_of(first, &mut wanted);
            wanted.sort_unstable_by_key(|name| name.name);
        }
        let begin = binder.bound.len();
        let mut made = Vec::with_capacity(alternatives.len());
        for (i, alternative) in alternatives.iter().enumerate() {
            if i == 0 {
                made.push(self.pattern(alternative, ty, binder));
                continue;
            }
            let mut names = Vec::new();
            names_of(alternative, &mut names);
            names.sort_unstable_by_key(|name| name.name);
            self.same_names(&wanted, &names, alternative.span, span);
            let mut shared = binder.shared.clone().unwrap_or_default();
            shared.extend(binder.bound[begin..].iter().copied());
            let before = binder.shared.replace(shared);
            made.push(self.pattern(alternative, ty, binder));
            binder.shared = before;
        }
        PatternKind::Or(made)
    }

    /// Says which names only some alternatives bind.
    fn same_names(&mut self, first: &[Ident], other: &[Ident], at: Span, span: Span) {
        let missing = first.iter().find(|name| !other.iter().any(|found| found.name == name.name));
        let more = other.iter().find(|name| !first.iter().any(|found| found.name == name.name));
        if let Some(name) = missing.or(more) {
            let text = self.c.text(name.name).to_owned();
            let error = Diagnostic::error("F0331", at, format!("`{text}` is bound in some alternatives only"));
            let _ = span;
            self.report(error.also(name.span, "bound here").help("all alternatives bind the same names"));
        }
    }

    fn expect(&mut self, ty: Ty, found: Ty, span: Span) -> bool {
        let same = self.c.try_unify(ty, found);
        if !same {
            let (wanted, found) = (self.c.resolve(ty), self.c.resolve(found));
            if !self.c.program.types.has_error(wanted) {
                let (want, have) = (self.c.show(wanted), self.c.show(found));
                let error =
                    Diagnostic::error("F0301", span, format!("a pattern for `{have}`, where the value is `{want}`"));
                self.report(error);
            }
        }
        same
    }

    fn literal_pattern(&mut self, literal: &'a syntax::Expr, ty: Ty, span: Span) -> PatternKind {
        let literal = self.literal(literal);
        let (kind, found) = match literal {
            Some((ExprKind::Int(value), _)) => (PatternKind::Int(value), Ty::INT),
            Some((ExprKind::Float(value), _)) => (PatternKind::Float(value), Ty::FLOAT),
            Some((ExprKind::Bool(value), _)) => (PatternKind::Bool(value), Ty::BOOL),
            Some((ExprKind::Char(value), _)) => (PatternKind::Char(value), Ty::CHAR),
            Some((ExprKind::String(text), _)) => (PatternKind::String(text), Ty::STRING),
            _ => return PatternKind::Wildcard,
        };
        if self.expect(ty, found, span) { kind } else { PatternKind::Wildcard }
    }

    /// The value of a literal, perhaps with a minus.
    fn literal(&mut self, expr: &'a syntax::Expr) -> Option<(ExprKind, Ty)> {
        let made = match &expr.kind {
            syntax::ExprKind::Unary(UnaryOp::Neg, inner) => match &inner.kind {
                syntax::ExprKind::Int(value) => self.int(*value, true, expr.span),
                syntax::ExprKind::Float(value) => self.expr_of(ExprKind::Float(-value), Ty::FLOAT, expr.span),
                _ => return None,
            },
            syntax::ExprKind::Int(_)
            | syntax::ExprKind::Float(_)
            | syntax::ExprKind::Bool(_)
            | syntax::ExprKind::Char(_)
            | syntax::ExprKind::String(_) => self.expr(expr, super::Want::Value(None)),
            syntax::ExprKind::Name(_) | syntax::ExprKind::Field(..) => {
                let made = self.expr(expr, super::Want::Value(None));
                match made.kind {
                    ExprKind::Const(id) => return self.const_literal(id, expr.span),
                    _ => return None,
                }
            }
            syntax::ExprKind::Error => return None,
            _ => {
                self.report(
                    Diagnostic::error("F0333", expr.span, "no pattern").help("compare in a guard: `x if x == …`"),
                );
                return None;
            }
        };
        (made.ty != Ty::ERROR).then_some((made.kind, made.ty))
    }

    /// The value of a constant that is a literal.
    fn const_literal(&mut self, id: ConstId, span: Span) -> Option<(ExprKind, Ty)> {
        let written = self.c.declared.consts[id.index()];
        let mut value = &written.value;
        while let syntax::ExprKind::Paren(inner) = &value.kind {
            value = inner;
        }
        let plain = match &value.kind {
            syntax::ExprKind::Unary(UnaryOp::Neg, inner) => {
                matches!(inner.kind, syntax::ExprKind::Int(_) | syntax::ExprKind::Float(_))
            }
            syntax::ExprKind::Int(_)
            | syntax::ExprKind::Float(_)
            | syntax::ExprKind::Bool(_)
            | syntax::ExprKind::Char(_)
            | syntax::ExprKind::String(_) => true,
            _ => false,
        };
        if plain {
            return self.literal(value);
        }
        let text = self.c.text(written.name.name).to_owned();
        let error = Diagnostic::error("F0333", span, format!("the constant `{text}` is no pattern"));
        self.report(error.note("its value is no literal").help(format!("compare in a guard: `x if x == {text}`")));
        None
    }

    fn range_pattern(
        &mut self,
        start: Option<&'a syntax::Expr>,
        end: Option<&'a syntax::Expr>,
        inclusive: bool,
        ty: Ty,
        span: Span,
    ) -> PatternKind {
        let first = start.map(|start| self.literal(start));
        let last = end.map(|end| self.literal(end));
        if matches!(first, Some(None)) || matches!(last, Some(None)) {
            return PatternKind::Wildcard;
        }
        let (first, last) = (first.flatten(), last.flatten());
        let kind = match (&first, &last) {
            (Some((ExprKind::Int(_), _)) | None, Some((ExprKind::Int(_), _)) | None)
                if first.is_some() || last.is_some() =>
            {
                let low = match first {
                    Some((ExprKind::Int(low), _)) => low,
                    _ => i64::MIN,
                };
                let high = match last {
                    Some((ExprKind::Int(high), _)) if inclusive => Some(high),
                    Some((ExprKind::Int(high), _)) => high.checked_sub(1),
                    _ => Some(i64::MAX),
                };
                if !self.expect(ty, Ty::INT, span) {
                    return PatternKind::Wildcard;
                }
                high.filter(|high| low <= *high).map(|high| PatternKind::IntRange(low, high))
            }
            (Some((ExprKind::Char(_), _)) | None, Some((ExprKind::Char(_), _)) | None)
                if first.is_some() || last.is_some() =>
            {
                let low = match first {
                    Some((ExprKind::Char(low), _)) => low,
                    _ => '\0',
                };
                let high = match last {
                    Some((ExprKind::Char(high), _)) if inclusive => Some(high),
                    // Ranges of characters leave out the surrogates.
                    Some((ExprKind::Char(high), _)) => ('\0'..high).next_back(),
                    _ => Some(char::MAX),
                };
                if !self.expect(ty, Ty::CHAR, span) {
                    return PatternKind::Wildcard;
                }
                high.filter(|high| low <= *high).map(|high| PatternKind::CharRange(low, high))
            }
            _ => {
                let error = Diagnostic::error("F0333", span, "a range in a pattern is one of Ints or of Chars");
                self.report(error);
                return PatternKind::Wildcard;
            }
        };
        kind.unwrap_or_else(|| {
            self.report(Diagnostic::error("F0333", span, "nothing is in this range"));
            PatternKind::Wildcard
        })
    }

    fn tuple_parts(&mut self, count: usize, ty: Ty, span: Span) -> Vec<Ty> {
        let ty = self.c.shallow(ty);
        match self.c.program.types.kind(ty) {
            TyKind::Tuple(parts) if parts.len() == count => return parts.to_vec(),
            TyKind::Error => return vec![Ty::ERROR; count],
            TyKind::Tuple(parts) => {
                let message = format!("a pattern for {count} values, where there are {}", parts.len());
                let shown = self.c.show(ty);
                self.report(Diagnostic::error("F0330", span, message).note(format!("the value is `{shown}`")));
                return vec![Ty::ERROR; count];
            }
            _ => {}
        }
        let parts = self.c.fresh_list(count, span);
        let found = self.c.program.types.tuple(&parts);
        if self.expect(ty, found, span) { parts } else { vec![Ty::ERROR; count] }
    }

    fn list_pattern(
        &mut self,
        before: &'a [syntax::Pattern],
        rest: Option<&'a Option<Box<syntax::Pattern>>>,
        after: &'a [syntax::Pattern],
        ty: Ty,
        span: Span,
        binder: &mut Binder,
    ) -> PatternKind {
        let element = self.c.fresh(span);
        let list = match self.c.program.lang.list {
            Some(id) => self.c.program.types.intern(TyKind::Record(id, Box::new([element]))),
            None => Ty::ERROR,
        };
        let element = if self.expect(ty, list, span) { element } else { Ty::ERROR };
        let before = before.iter().map(|part| self.pattern(part, element, binder)).collect();
        let rest = rest.map(|rest| rest.as_ref().map(|rest| Box::new(self.pattern(rest, list, binder))));
        let after = after.iter().map(|part| self.pattern(part, element, binder)).collect();
        PatternKind::List { before, rest, after }
    }

    /// What a path in a pattern means, for values of a type.
    fn named(&mut self, path: &'a syntax::Path, ty: Ty) -> Option<Named> {
        let value = self.c.shallow(ty);
        let parts = path.parts.as_slice();
        if let [name] = parts {
            if let Some((id, tag)) = self.find_variant(value, name.name) {
                return Some(Named::Variant(value, id, tag));
            }
            if value == Ty::ERROR && self.c.lookup(self.module, name.name).is_none() {
                return None;
            }
            return self.single_name(*name, value);
        }
        let (last, before) = (parts[parts.len() - 1], &parts[..parts.len() - 1]);
        // `module.Record`, `module.CONSTANT`
        if let [module] = before
            && let Some(Def::Module(of)) = self.c.lookup(self.module, module.name)
        {
            let def = self.c.member(of, last, self.module)?;
            return self.named_def(def, path.span);
        }
        let owner = syntax::Path { parts: before.to_vec(), span: before[0].span.to(before[before.len() - 1].span) };
        let def = self.c.resolve_type_path(&owner, &self.scope)?;
        let of = self.instantiate_type(def, None, owner.span);
        match self.find_variant(of, last.name) {
            Some((id, tag)) => Some(Named::Variant(of, id, tag)),
            None => {
                self.unknown_variant(of, last);
                None
            }
        }
    }

    fn single_name(&mut self, name: Ident, value: Ty) -> Option<Named> {
        let def = if name.name == self.c.words.self_type {
            match self.scope.self_ty.map(|ty| (ty, self.kind(ty))) {
                Some((ty, TyKind::Record(id, _))) => return Some(Named::Record(ty, *id)),
                _ => None,
            }
        } else {
            self.c.lookup(self.module, name.name)
        };
        match def {
            Some(Def::Const(_) | Def::Record(_) | Def::Variant(..) | Def::Alias(_)) => self.named_def(def?, name.span),
            _ if matches!(self.kind(value), TyKind::Enum(..)) => {
                self.unknown_variant(value, name);
                None
            }
            _ => {
                let text = self.c.text(name.name).to_owned();
                let error =
                    Diagnostic::error("F0213", name.span, format!("there is no variant or constant `{text}` here"));
                let error = if self.c.is_hole(value) {
                    error.help("the type of the value is not known here: write the enum before the variant")
                } else {
                    let shown = self.c.show(value);
                    error
                        .note(format!("the value is `{shown}`"))
                        .help("names that a pattern binds begin with a small letter")
                };
                self.report(error);
                None
            }
        }
    }

    fn named_def(&mut self, def: Def, span: Span) -> Option<Named> {
        match def {
            Def::Const(id) => Some(Named::Const(id)),
            Def::Variant(id, tag) => Some(Named::Variant(self.fresh_enum(id, span), id, tag)),
            Def::Record(_) | Def::Alias(_) => {
                let ty = self.instantiate_type(TypeDef::Def(def), None, span);
                match self.kind(ty) {
                    TyKind::Record(id, _) => Some(Named::Record(ty, *id)),
                    _ => None,
                }
            }
            _ => {
                let what = self.c.describe_def(def);
                self.report(Diagnostic::error("F0213", span, format!("{what} is no pattern")));
                None
            }
        }
    }

    fn unknown_variant(&mut self, ty: Ty, name: Ident) {
        if ty == Ty::ERROR {
            return;
        }
        let (text, shown) = (self.c.text(name.name).to_owned(), self.c.show_head(ty));
        let mut error = Diagnostic::error("F0213", name.span, format!("`{shown}` has no variant `{text}`"));
        if let TyKind::Enum(id, _) = self.kind(ty) {
            let variants = &self.c.program.enums[id.index()].variants;
            let close = suggest::closest(self.c.names, name.name, variants.iter().map(|variant| variant.name));
            if let Some(close) = close {
                let close = self.c.text(close).to_owned();
                error = error.repair(format!("there is `{close}`"), name.span, close);
            }
        }
        self.report(error);
    }

    fn loose_patterns(&mut self, parts: impl Iterator<Item = &'a syntax::Pattern>, binder: &mut Binder) -> PatternKind {
        for part in parts {
            self.pattern(part, Ty::ERROR, binder);
        }
        PatternKind::Wildcard
    }

    fn variant_pattern(
        &mut self,
        path: &'a syntax::Path,
        parts: &'a [syntax::Pattern],
        ty: Ty,
        span: Span,
        binder: &mut Binder,
    ) -> PatternKind {
        let (of, id, tag) = match self.named(path, ty) {
            Some(Named::Variant(of, id, tag)) => (of, id, tag),
            Some(Named::Const(id)) if parts.is_empty() => {
                let Some((value, found)) = self.const_literal(id, span) else { return PatternKind::Wildcard };
                if !self.expect(ty, found, span) {
                    return PatternKind::Wildcard;
                }
                return match value {
                    ExprKind::Int(value) => PatternKind::Int(value),
                    ExprKind::Float(value) => PatternKind::Float(value),
                    ExprKind::Bool(value) => PatternKind::Bool(value),
                    ExprKind::Char(value) => PatternKind::Char(value),
                    ExprKind::String(text) => PatternKind::String(text),
                    _ => PatternKind::Wildcard,
                };
            }
            Some(Named::Record(_, id)) => {
                let name = self.c.text(self.c.program.records[id.index()].name).to_owned();
                let error = Diagnostic::error("F0330", span, format!("`{name}` is a record"));
                self.report(error.help(format!("its pattern is written `{name} {{ field, .. }}`")));
                return self.loose_patterns(parts.iter(), binder);
            }
            Some(Named::Const(_)) | None => return self.loose_patterns(parts.iter(), binder),
        };
        if !self.expect(ty, of, span) {
            return self.loose_patterns(parts.iter(), binder);
        }
        let variant = &self.c.program.enums[id.index()].variants[tag as usize];
        let (named, count, name, at) = (variant.named, variant.fields.len(), variant.name, variant.span);
        if named || count != parts.len() {
            let text = self.c.text(name).to_owned();
            let error = if named {
                Diagnostic::error("F0330", span, format!("`{text}` has fields with names")).repair(
                    "those that do not matter are left out by `..`",
                    path.span.after(),
                    " { .. }",
                )
            } else {
                let s = if count == 1 { "" } else { "s" };
                let message = format!("`{text}` holds {count} value{s}, this pattern has {}", parts.len());
                let error = Diagnostic::error("F0330", span, message).also(at, "declared here");
                if parts.is_empty() {
                    let holes = vec!["_"; count].join(", ");
                    error.repair("`_` stands for what does not matter", path.span.after(), format!("({holes})"))
                } else {
                    error
                }
            };
            self.report(error);
            return self.loose_patterns(parts.iter(), binder);
        }
        let fields = self.variant_fields(of, id, tag);
        let parts = parts.iter().zip(fields).map(|(part, ty)| self.pattern(part, ty, binder)).collect();
        PatternKind::Variant(id, tag, parts)
    }

    fn record_pattern(
        &mut self,
        path: &'a syntax::Path,
        fields: &'a [(Ident, syntax::Pattern)],
        open: bool,
        ty: Ty,
        span: Span,
        binder: &mut Binder,
    ) -> PatternKind {
        let named = self.named(path, ty);
        let (of, variant) = match named {
            Some(Named::Variant(of, id, tag)) => (of, Some((id, tag))),
            Some(Named::Record(of, _)) => (of, None),
            Some(Named::Const(_)) => {
                self.report(Diagnostic::error("F0330", span, "a constant has no fields"));
                return self.loose_patterns(fields.iter().map(|(_, part)| part), binder);
            }
            None => return self.loose_patterns(fields.iter().map(|(_, part)| part), binder),
        };
        if !self.expect(ty, of, span) {
            return self.loose_patterns(fields.iter().map(|(_, part)| part), binder);
        }
        let types = match variant {
            Some((id, tag)) => self.variant_fields(of, id, tag),
            None => self.record_fields(of),
        };
        let mut made: Vec<Option<Pattern>> = (0..types.len()).map(|_| None).collect();
        let mut complete = true;
        for (name, part) in fields {
            match self.field_place(of, variant, *name) {
                Some(place) => {
                    if made[place].is_some() {
                        let text = self.c.text(name.name).to_owned();
                        self.report(Diagnostic::error("F0313", name.span, format!("field `{text}` occurs twice")));
                    }
                    made[place] = Some(self.pattern(part, types[place], binder));
                }
                None => {
                    complete = false;
                    self.pattern(part, Ty::ERROR, binder);
                }
            }
        }
        if !open && complete && made.iter().any(Option::is_none) {
            self.missing_in_pattern(of, variant, &made, fields.is_empty(), span);
        }
        match variant {
            None => {
                let TyKind::Record(id, _) = *self.kind(of) else { return PatternKind::Wildcard };
                let parts = made.into_iter().enumerate();
                PatternKind::Record(id, parts.filter_map(|(i, part)| Some((i as u32, part?))).collect())
            }
            Some((id, tag)) => {
                let parts = made.into_iter().zip(types);
                let parts =
                    parts.map(|(part, ty)| part.unwrap_or(Pattern { kind: PatternKind::Wildcard, ty, span })).collect();
                PatternKind::Variant(id, tag, parts)
            }
        }
    }

    fn missing_in_pattern(
        &mut self,
        of: Ty,
        variant: Option<(EnumId, u32)>,
        made: &[Option<Pattern>],
        empty: bool,
        span: Span,
    ) {
        let names = self.field_names(of, variant);
        let missing: Vec<String> = names
            .iter()
            .zip(made)
            .filter(|(_, part)| part.is_none())
            .map(|(&name, _)| format!("`{}`", self.c.text(name)))
            .collect();
        let s = if missing.len() == 1 { "" } else { "s" };
        let message = format!("the pattern leaves out the field{s} {}", missing.join(", "));
        let error = Diagnostic::error("F0312", span, message);
        let place = Span { start: span.end.saturating_sub(1), end: span.end.saturating_sub(1), ..span };
        let text = if empty { ".." } else { ", .." };
        self.report(error.repair("`..` says that they do not matter", place, text));
    }
}

/// The names that a pattern binds; of alternatives those of the first.
fn names_of(pattern: &syntax::Pattern, names: &mut Vec<Ident>) {
    match &pattern.kind {
        Written::Bind { name, sub, .. } => {
            names.push(*name);
            if let Some(sub) = sub {
                names_of(sub, names);
            }
        }
        Written::Tuple(parts) | Written::Variant(_, parts) => parts.iter().for_each(|part| names_of(part, names)),
        Written::List { before, rest, after } => {
            before.iter().for_each(|part| names_of(part, names));
            if let Some(Some(rest)) = rest {
                names_of(rest, names);
            }
            after.iter().for_each(|part| names_of(part, names));
        }
        Written::Record { fields, .. } => fields.iter().for_each(|(_, part)| names_of(part, names)),
        Written::Or(alternatives) => {
            if let Some(first) = alternatives.first() {
                names_of(first, names);
            }
        }
        Written::Wildcard | Written::Literal(_) | Written::Range { .. } | Written::Error => {}
    }
}
