//! Layout of files and declarations.

use super::comments::Layout;
use super::doc::{Doc, List};
use crate::source::Span;
use crate::syntax::{
    Body, Field, File, Fn, FnKind, Generic, Impl, Import, Item, ItemKind, Member, Needs, Param, Payload, Receiver,
    Stmt, Trait, TraitRef, Variant,
};

/// Something in a file.
enum Part<'a> {
    Needs(&'a Needs),
    Item(&'a Item),
    Stmt(&'a Stmt),
}

/// Something in a sequence: from where to where it is, whether its documentation is before it, and its layout.
pub(super) struct Entry<'d, 'a> {
    pub span: Span,
    pub doc: Option<&'d str>,
    pub layout: Box<dyn FnOnce(&mut Layout<'a>) -> Doc<'a> + 'd>,
}

impl<'a> Layout<'a> {
    /// A file.
    pub(super) fn file(mut self, file: &'a File) -> String {
        let mut out = String::new();
        if self.text.trim_start_matches('\u{feff}').starts_with("#!") {
            out.push_str(self.text.trim_start_matches('\u{feff}').lines().next().unwrap_or("").trim_end());
            out.push('\n');
        }
        let mut parts: Vec<(Span, Part<'a>)> =
            file.needs.iter().map(|needs| (needs.span, Part::Needs(needs))).collect();
        parts.extend(file.items.iter().map(|item| (item.span, Part::Item(item))));
        parts.extend(file.body.iter().map(|stmt| (stmt.span, Part::Stmt(stmt))));
        parts.sort_by_key(|part| part.0.start);
        let entries = parts.into_iter().map(|(span, part)| Entry {
            span,
            doc: match part {
                Part::Item(item) => item.doc.as_deref(),
                _ => None,
            },
            layout: Box::new(move |layout| match part {
                Part::Needs(needs) => layout.needs(needs),
                Part::Item(item) => layout.item(item),
                Part::Stmt(stmt) => layout.stmt(stmt),
            }),
        });
        // What is before the documentation of the module: the comments there are.
        let mut docs = Vec::new();
        if let Some(doc) = &file.doc {
            let first = self.text.find("//!").unwrap_or(0) as u32;
            docs.push(self.lead(first));
            docs.push(doc_lines("//!", doc));
        }
        let entries: Vec<Entry<'_, 'a>> = entries.collect();
        let blank = entries.first().map_or(self.text.len() as u32, |entry| self.first_place(entry));
        if file.doc.is_some() && (!entries.is_empty() || self.has_comment(u32::MAX)) {
            docs.push(if self.blank_before(blank) { Doc::Blank } else { Doc::Hard });
        }
        let body = self.sequence(entries, 0, self.text.len() as u32);
        out.push_str(&Doc::concat(docs.into_iter().chain([body])).layout());
        let end = out.trim_end().len();
        out.truncate(end);
        if !out.is_empty() {
            out.push('\n');
        }
        out
    }

    /// Where an entry begins, its comments and documentation included.
    fn first_place(&self, entry: &Entry<'_, 'a>) -> u32 {
        let start = self.entry_start(entry);
        self.next_comment().filter(|comment| *comment < start).unwrap_or(start)
    }

    fn entry_start(&self, entry: &Entry<'_, 'a>) -> u32 {
        if entry.doc.is_some() { self.doc_start(entry.span.start) } else { entry.span.start }
    }

    /// Comments and documentation before an entry.
    fn before_entry(&mut self, entry: &Entry<'_, 'a>) -> Doc<'a> {
        let Some(doc) = entry.doc else { return self.lead(entry.span.start) };
        let mut parts = Vec::new();
        for (blank, comment) in self.own_lines(entry.span.start) {
            if blank && !parts.is_empty() {
                parts.push(Doc::Hard);
            }
            parts.extend([comment, Doc::Hard]);
        }
        parts.extend([doc_lines("///", doc), Doc::Hard]);
        Doc::Concat(parts)
    }

    /// Entries, each in a line of its own, from the end of what is before to the beginning of what is after.
    pub(super) fn sequence(&mut self, entries: impl IntoIterator<Item = Entry<'a, 'a>>, from: u32, to: u32) -> Doc<'a> {
        let mut parts = Vec::new();
        if from > 0 {
            parts.push(self.trail(from));
        }
        let mut first = true;
        for entry in entries {
            if !std::mem::take(&mut first) {
                parts.push(if self.blank_before(self.first_place(&entry)) { Doc::Blank } else { Doc::Hard });
            }
            parts.push(self.before_entry(&entry));
            parts.push((entry.layout)(self));
            parts.push(self.trail(entry.span.end));
        }
        for (blank, comment) in self.own_lines(to) {
            if !std::mem::take(&mut first) {
                parts.push(if blank { Doc::Blank } else { Doc::Hard });
            }
            parts.push(comment);
            parts.push(Doc::BREAK);
        }
        Doc::Concat(parts)
    }

    /// Entries between braces, each in a line of its own, or all in one line, with commas.
    fn braces(&mut self, entries: Vec<Entry<'a, 'a>>, span: Span) -> Doc<'a> {
        let close = span.end - 1;
        if entries.is_empty() && !self.has_comment(close) {
            return Doc::text("{}");
        }
        let open = self.open_brace(span, entries.first().map_or(close, |entry| self.first_place(entry)));
        let one_line = self.in_one_line(Span { start: open, ..span });
        let mut parts = vec![self.trail(open + 1), Doc::Line];
        let mut first = true;
        for entry in entries {
            if !std::mem::take(&mut first) {
                let blank = self.blank_before(self.first_place(&entry));
                parts.push(if one_line {
                    Doc::Line
                } else if blank {
                    Doc::Blank
                } else {
                    Doc::Hard
                });
            }
            parts.push(self.before_entry(&entry));
            parts.push((entry.layout)(self));
            parts.push(Doc::text(","));
            parts.push(self.trail(entry.span.end));
        }
        // In one line nothing is after the last one.
        let last = parts.iter().rposition(|part| matches!(part, Doc::Text(text) if text == ","));
        if let Some(last) = last.filter(|_| one_line) {
            parts[last] = Doc::IfBroken(",");
        }
        for (blank, comment) in self.own_lines(close) {
            if !std::mem::take(&mut first) {
                parts.push(if blank { Doc::Blank } else { Doc::Hard });
            }
            parts.push(comment);
            parts.push(Doc::BREAK);
        }
        let mut body = vec![Doc::text("{"), Doc::Concat(parts).indent(), Doc::Line];
        if !one_line {
            body.push(Doc::BREAK);
        }
        body.push(Doc::text("}"));
        Doc::Concat(body).group()
    }

    /// The opening brace that is last before a place.
    fn open_brace(&self, span: Span, before: u32) -> u32 {
        let found = self.text[span.start as usize..before as usize].rfind('{');
        found.map_or(span.start, |at| span.start + at as u32)
    }

    fn needs(&mut self, needs: &'a Needs) -> Doc<'a> {
        let mut parts = vec![Doc::text("needs ")];
        for (index, param) in needs.params.iter().enumerate() {
            if index > 0 {
                parts.extend([Doc::text(","), Doc::Line]);
            }
            parts.push(self.lead(param.span.start));
            parts.push(self.param(param));
            if index + 1 < needs.params.len() {
                parts.push(self.trail(param.span.end));
            }
        }
        Doc::Concat(parts).indent().group()
    }

    pub(super) fn param(&mut self, param: &'a Param) -> Doc<'a> {
        let name = self.source(param.name.span);
        let ty = param.ty.as_ref().map(|ty| self.ty(ty));
        let colon = if ty.is_some() { ": " } else { "" };
        Doc::concat([Doc::text(if param.mutable { "var " } else { "" }), name, Doc::text(colon)].into_iter().chain(ty))
    }

    fn item(&mut self, item: &'a Item) -> Doc<'a> {
        let public = Doc::text(if item.public { "pub " } else { "" });
        let kind = match &item.kind {
            ItemKind::Import(import) => self.import(import, item.span),
            ItemKind::Fn(function) => self.function(function),
            ItemKind::Record(record) => {
                let head = self.head("record ", record.name.span, &record.generics);
                let fields = record.fields.iter().map(|field| self.field_entry(field)).collect();
                Doc::concat([head, Doc::text(" "), self.braces(fields, item.span)])
            }
            ItemKind::Enum(item_enum) => {
                let head = self.head("enum ", item_enum.name.span, &item_enum.generics);
                let variants = item_enum.variants.iter().map(|variant| self.variant_entry(variant)).collect();
                Doc::concat([head, Doc::text(" "), self.braces(variants, item.span)])
            }
            ItemKind::Trait(item_trait) => self.trait_item(item_trait, item.span),
            ItemKind::Impl(item_impl) => self.impl_item(item_impl, item.span),
            ItemKind::Const(constant) => {
                let head = self.head("const ", constant.name.span, &[]);
                let ty = self.ty(&constant.ty);
                Doc::concat([head, Doc::text(": "), ty, Doc::text(" = "), self.expr(&constant.value)])
            }
            ItemKind::Alias(alias) => {
                let head = self.head("type ", alias.name.span, &alias.generics);
                Doc::concat([head, Doc::text(" = "), self.ty(&alias.ty)])
            }
            ItemKind::Test(test) => {
                let name = self.source(test.name_span);
                Doc::concat([Doc::text("test "), name, Doc::text(" "), self.block(&test.body)])
            }
            ItemKind::Error => self.source(item.span),
        };
        Doc::concat([public, kind])
    }

    fn import(&mut self, import: &'a Import, span: Span) -> Doc<'a> {
        let mut parts = vec![Doc::text("import ")];
        for (index, part) in import.path.iter().enumerate() {
            parts.push(Doc::text(if index > 0 { "/" } else { "" }));
            parts.push(self.source(part.span));
        }
        if let Some(alias) = &import.alias {
            parts.extend([Doc::text(" as "), self.source(alias.span)]);
        }
        if let Some(names) = &import.names {
            let elements = names.iter().map(|(name, alias)| {
                let whole = alias.as_ref().map_or(name.span, |alias| name.span.to(alias.span));
                (whole, name, alias)
            });
            let elements: Vec<_> = elements.collect();
            let list = self.list(
                "{",
                "}",
                elements,
                |element| element.0,
                span.end - 1,
                |layout, (_, name, alias)| {
                    let alias = alias.as_ref().map(|alias| layout.source(alias.span));
                    let between = Doc::text(if alias.is_some() { " as " } else { "" });
                    Doc::concat([layout.source(name.span), between].into_iter().chain(alias))
                },
            );
            parts.extend([Doc::text(" "), list]);
        }
        Doc::Concat(parts)
    }

    fn head(&mut self, word: &'static str, name: Span, generics: &'a [Generic]) -> Doc<'a> {
        let name = self.source(name);
        Doc::concat([Doc::text(word), name, self.generics(generics)])
    }

    fn generics(&mut self, generics: &'a [Generic]) -> Doc<'a> {
        if generics.is_empty() {
            return Doc::NIL;
        }
        let mut parts = vec![Doc::text("<")];
        parts.extend(self.generic_list(generics));
        parts.push(Doc::text(">"));
        Doc::Concat(parts)
    }

    fn generic_list(&mut self, generics: &'a [Generic]) -> Vec<Doc<'a>> {
        let mut parts = Vec::new();
        for (index, generic) in generics.iter().enumerate() {
            parts.push(Doc::text(if index > 0 { ", " } else { "" }));
            parts.push(self.source(generic.name.span));
            parts.extend(self.bounds(&generic.bounds));
        }
        parts
    }

    fn bounds(&mut self, bounds: &'a [TraitRef]) -> Vec<Doc<'a>> {
        let mut parts = Vec::new();
        for (index, bound) in bounds.iter().enumerate() {
            parts.push(Doc::text(if index > 0 { " + " } else { ": " }));
            parts.push(self.trait_ref(bound));
        }
        parts
    }

    fn wheres(&mut self, wheres: &'a [Generic]) -> Doc<'a> {
        if wheres.is_empty() {
            return Doc::NIL;
        }
        let mut parts = vec![Doc::text(" where ")];
        parts.extend(self.generic_list(wheres));
        Doc::Concat(parts)
    }

    fn function(&mut self, function: &'a Fn) -> Doc<'a> {
        let word = match function.kind {
            FnKind::Plain => "fn ",
            FnKind::Intrinsic => "intrinsic fn ",
            FnKind::Host => "host fn ",
        };
        let head = self.head(word, function.name.span, &function.generics);
        enum Any<'a> {
            Receiver(Receiver),
            Param(&'a Param),
        }
        let receiver = function.receiver.iter().map(|receiver| (receiver.span, Any::Receiver(*receiver)));
        let params: Vec<_> =
            receiver.chain(function.params.iter().map(|param| (param.span, Any::Param(param)))).collect();
        let end = function.result.as_ref().map_or(function.head.end, |result| result.span.start);
        let close = self.text[..end as usize].rfind(')').unwrap_or(end as usize) as u32;
        let params = self.list(
            "(",
            ")",
            params,
            |param| param.0,
            close,
            |layout, param| match param.1 {
                Any::Receiver(receiver) => Doc::text(if receiver.mutable { "var self" } else { "self" }),
                Any::Param(param) => layout.param(param),
            },
        );
        let mut parts = vec![head, params];
        if let Some(result) = &function.result {
            parts.extend([Doc::text(" -> "), self.ty(result)]);
        }
        parts.push(self.wheres(&function.wheres));
        if let Some(body) = function.body.as_ref().and_then(Body::block) {
            parts.extend([Doc::text(" "), self.block(body)]);
        }
        Doc::Concat(parts)
    }

    fn field_entry(&mut self, field: &'a Field) -> Entry<'a, 'a> {
        Entry { span: field.span, doc: field.doc.as_deref(), layout: Box::new(move |layout| layout.field(field)) }
    }

    fn field(&mut self, field: &'a Field) -> Doc<'a> {
        let public = Doc::text(if field.public { "pub " } else { "" });
        let mutable = Doc::text(if field.mutable { "var " } else { "" });
        let name = self.source(field.name.span);
        Doc::concat([public, mutable, name, Doc::text(": "), self.ty(&field.ty)])
    }

    fn variant_entry(&mut self, variant: &'a Variant) -> Entry<'a, 'a> {
        Entry {
            span: variant.span,
            doc: variant.doc.as_deref(),
            layout: Box::new(move |layout| layout.variant(variant)),
        }
    }

    fn variant(&mut self, variant: &'a Variant) -> Doc<'a> {
        let name = self.source(variant.name.span);
        let payload = match &variant.payload {
            Payload::Unit => Doc::NIL,
            Payload::Tuple(types) => self.types("(", types, ")"),
            Payload::Named(fields) => {
                let fields = fields.iter().map(|field| self.field_entry(field)).collect();
                Doc::concat([Doc::text(" "), self.braces(fields, variant.span)])
            }
        };
        Doc::concat([name, payload])
    }

    fn trait_item(&mut self, item: &'a Trait, span: Span) -> Doc<'a> {
        let mut parts =
            vec![self.head(if item.capability { "capability " } else { "trait " }, item.name.span, &item.generics)];
        parts.extend(self.bounds(&item.supers));
        parts.push(Doc::text(" "));
        parts.push(self.members(&item.members, span));
        Doc::Concat(parts)
    }

    fn impl_item(&mut self, item: &'a Impl, span: Span) -> Doc<'a> {
        let mut parts = vec![Doc::text("impl"), self.generics(&item.generics), Doc::text(" ")];
        if let Some(trait_ref) = &item.trait_ref {
            parts.extend([self.trait_ref(trait_ref), Doc::text(" for ")]);
        }
        parts.push(self.ty(&item.ty));
        parts.push(self.wheres(&item.wheres));
        parts.push(Doc::text(" "));
        parts.push(self.members(&item.members, span));
        Doc::Concat(parts)
    }

    fn members(&mut self, members: &'a [Member], span: Span) -> Doc<'a> {
        let close = span.end - 1;
        if members.is_empty() && !self.has_comment(close) {
            return Doc::text("{}");
        }
        let first = members.first().map_or(close, |member| member.span.start);
        let open = self.open_brace(span, self.next_comment().filter(|comment| *comment < first).unwrap_or(first));
        let entries = members.iter().map(|member| Entry {
            span: member.span,
            doc: member.doc.as_deref(),
            layout: Box::new(move |layout: &mut Layout<'a>| {
                let public = Doc::text(if member.public { "pub " } else { "" });
                Doc::concat([public, layout.function(&member.function)])
            }),
        });
        let entries: Vec<Entry<'a, 'a>> = entries.collect();
        let after = self.trail(open + 1);
        let body = self.sequence(entries, 0, close);
        Doc::concat([Doc::text("{"), after, Doc::concat([Doc::Hard, body]).indent(), Doc::Hard, Doc::text("}")])
    }

    /// Elements between brackets that end at `close`; `span` tells where one is.
    pub(super) fn list<T>(
        &mut self,
        open: &'static str,
        close: &'static str,
        elements: impl IntoIterator<Item = T>,
        span: impl std::ops::Fn(&T) -> Span,
        end: u32,
        mut layout: impl FnMut(&mut Self, T) -> Doc<'a>,
    ) -> Doc<'a> {
        let mut docs = Vec::new();
        for element in elements {
            let place = span(&element);
            let lead = self.lead(place.start);
            let inner = layout(self, element);
            docs.push(Doc::concat([lead, inner, self.trail(place.end)]));
        }
        let end = self.list_end(end, docs.is_empty());
        if docs.is_empty() && end.is_empty() {
            return Doc::concat([Doc::text(open), Doc::text(close)]);
        }
        Doc::list(List { open, elements: docs, close, end: Box::new(end), hug: false, comma: true, breaks: false })
    }

    /// Comments before a closing bracket.
    pub(super) fn list_end(&mut self, end: u32, first: bool) -> Doc<'a> {
        let mut parts = Vec::new();
        for (index, (_, comment)) in self.own_lines(end).into_iter().enumerate() {
            if index > 0 || !first {
                parts.push(Doc::Hard);
            }
            parts.push(comment);
            parts.push(Doc::BREAK);
        }
        Doc::Concat(parts)
    }
}

/// Documentation.
fn doc_lines<'a>(mark: &'static str, doc: &str) -> Doc<'a> {
    let mut parts = Vec::new();
    for (index, line) in doc.split('\n').enumerate() {
        if index > 0 {
            parts.push(Doc::Hard);
        }
        let line = line.trim_end();
        let text = if line.is_empty() { mark.to_owned() } else { format!("{mark} {line}") };
        parts.push(Doc::Text(text.into()));
    }
    Doc::Concat(parts)
}
