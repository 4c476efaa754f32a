//! Layout of types and patterns.

use super::comments::Layout;
use super::doc::Doc;
use crate::source::Span;
use crate::syntax::{Access, Path, Pattern, PatternKind, TraitRef, Type, TypeKind};

impl<'a> Layout<'a> {
    pub(super) fn path(&mut self, path: &'a Path) -> Doc<'a> {
        let parts: Vec<&str> = path.parts.iter().map(|part| self.written(part.span)).collect();
        Doc::Text(parts.join(".").into())
    }

    pub(super) fn trait_ref(&mut self, bound: &'a TraitRef) -> Doc<'a> {
        Doc::concat([self.path(&bound.path), self.type_args(&bound.args)])
    }

    pub(super) fn type_args(&mut self, args: &'a [Type]) -> Doc<'a> {
        if args.is_empty() { Doc::NIL } else { self.types("<", args, ">") }
    }

    pub(super) fn types(&mut self, open: &'static str, types: &'a [Type], close: &'static str) -> Doc<'a> {
        let mut parts = vec![Doc::text(open)];
        for (index, ty) in types.iter().enumerate() {
            parts.push(Doc::text(if index > 0 { ", " } else { "" }));
            parts.push(self.ty(ty));
        }
        parts.push(Doc::text(close));
        Doc::Concat(parts)
    }

    pub(super) fn ty(&mut self, ty: &'a Type) -> Doc<'a> {
        match &ty.kind {
            TypeKind::Named(path, args) => Doc::concat([self.path(path), self.type_args(args)]),
            TypeKind::Tuple(types) => self.types("(", types, ")"),
            TypeKind::Fn(params, result) => {
                let params = self.types("(", params, ")");
                let result = result.as_ref().map(|result| Doc::concat([Doc::text(" -> "), self.ty(result)]));
                Doc::concat([Doc::text("fn"), params].into_iter().chain(result))
            }
            TypeKind::Dyn(bound) => Doc::concat([Doc::text("dyn "), self.trait_ref(bound)]),
            TypeKind::Access(Access::Read, ty) => Doc::concat([Doc::text("let "), self.ty(ty)]),
            TypeKind::Access(Access::Mutable, ty) => Doc::concat([Doc::text("var "), self.ty(ty)]),
            TypeKind::Infer => Doc::text("_"),
            TypeKind::Error => self.source(ty.span),
        }
    }

    pub(super) fn pattern(&mut self, pattern: &'a Pattern) -> Doc<'a> {
        let PatternKind::Or(alternatives) = &pattern.kind else { return self.single_pattern(pattern, true) };
        let mut parts = Vec::new();
        for (index, alternative) in alternatives.iter().enumerate() {
            if index > 0 {
                parts.extend([Doc::text(" |"), Doc::Line]);
            }
            parts.push(self.lead(alternative.span.start));
            parts.push(self.single_pattern(alternative, true));
        }
        let inner = Doc::Concat(parts).group();
        // Alternatives inside of alternatives, and those that stand in parentheses, keep these.
        inner
    }

    /// A pattern; names in it are written without `var` if `variables` is false, since one stands before it.
    pub(super) fn single_pattern(&mut self, pattern: &'a Pattern, variables: bool) -> Doc<'a> {
        match &pattern.kind {
            PatternKind::Wildcard => Doc::text("_"),
            PatternKind::Bind { mutable, name, sub } => {
                let word = Doc::text(if *mutable && variables { "var " } else { "" });
                let name = self.source(name.span);
                let sub = sub.as_ref().map(|sub| Doc::concat([Doc::text(" @ "), self.pattern_in_at(sub)]));
                Doc::concat([word, name].into_iter().chain(sub))
            }
            PatternKind::Literal(_) | PatternKind::Range { .. } | PatternKind::Error => self.source(pattern.span),
            PatternKind::Tuple(parts) => {
                let close = self.end_of(pattern.span);
                let single = parts.len() == 1;
                let inner = self.list(
                    "(",
                    ")",
                    parts,
                    |part| part.span,
                    close,
                    |layout, part| match &part.kind {
                        PatternKind::Or(_) => layout.pattern(part),
                        _ => layout.single_pattern(part, variables),
                    },
                );
                if single { single_tuple(inner) } else { inner }
            }
            PatternKind::List { before, rest, after } => self.list_pattern(before, rest.as_ref(), after, pattern.span),
            PatternKind::Variant(path, parts) => {
                let path_doc = self.path(path);
                if parts.is_empty() {
                    return path_doc;
                }
                let inner = self.list(
                    "(",
                    ")",
                    parts,
                    |part| part.span,
                    self.end_of(pattern.span),
                    |layout, part| layout.pattern(part),
                );
                Doc::concat([path_doc, inner])
            }
            PatternKind::Record { path, fields, open } => {
                let mut parts = vec![self.path(path), Doc::text(" { ")];
                for (index, (name, field)) in fields.iter().enumerate() {
                    parts.push(Doc::text(if index > 0 { ", " } else { "" }));
                    parts.push(self.inline(name.span.start));
                    let short =
                        matches!(&field.kind, PatternKind::Bind { sub: None, .. } if field.span.end == name.span.end);
                    if !short {
                        parts.extend([self.source(name.span), Doc::text(": ")]);
                    }
                    parts.push(self.pattern(field));
                }
                let rest = if fields.is_empty() { ".." } else { ", .." };
                parts.push(Doc::text(if *open { rest } else { "" }));
                parts.push(Doc::text(if fields.is_empty() && !open { "}" } else { " }" }));
                Doc::Concat(parts)
            }
            PatternKind::Or(_) => {
                let inner = self.pattern(pattern);
                Doc::concat([Doc::text("("), inner, Doc::text(")")])
            }
        }
    }

    /// After `@` alternatives stand in parentheses.
    fn pattern_in_at(&mut self, pattern: &'a Pattern) -> Doc<'a> {
        self.single_pattern(pattern, true)
    }

    fn list_pattern(
        &mut self,
        before: &'a [Pattern],
        rest: Option<&'a Option<Box<Pattern>>>,
        after: &'a [Pattern],
        span: Span,
    ) -> Doc<'a> {
        let mut parts = vec![Doc::text("[")];
        let mut first = true;
        let mut separate =
            |parts: &mut Vec<Doc<'a>>| parts.push(Doc::text(if std::mem::take(&mut first) { "" } else { ", " }));
        for pattern in before {
            separate(&mut parts);
            parts.push(self.inline(pattern.span.start));
            parts.push(self.pattern(pattern));
        }
        if let Some(rest) = rest {
            separate(&mut parts);
            parts.push(Doc::text(".."));
            if let Some(rest) = rest {
                parts.push(self.single_pattern(rest, true));
            }
        }
        for pattern in after {
            separate(&mut parts);
            parts.push(self.inline(pattern.span.start));
            parts.push(self.pattern(pattern));
        }
        parts.push(self.inline(span.end));
        parts.push(Doc::text("]"));
        Doc::Concat(parts)
    }

    /// Where the closing bracket of something is.
    pub(super) fn end_of(&self, span: Span) -> u32 {
        span.end - 1
    }
}

/// A tuple of one element has a comma after it.
pub(super) fn single_tuple(list: Doc<'_>) -> Doc<'_> {
    match list {
        Doc::List(mut list) => {
            if let Some(last) = list.elements.last_mut() {
                let element = std::mem::replace(last, Doc::NIL);
                *last = Doc::concat([element, Doc::text(",")]);
            }
            list.comma = false;
            Doc::List(list)
        }
        other => other,
    }
}
