//! Files and what is declared in them.

use std::cell::OnceCell;
use std::rc::Rc;

use super::recover::{BRACES, PARENS, shorten};
use super::types::broken_type;
use super::{Failed, Parse, Parser};
use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::source::Span;
use crate::syntax::{
    Alias, Body, Const, Enum, Field, File, Fn, FnKind, Impl, Import, Item, ItemKind, Member, Needs, Param, Payload,
    Receiver, Record, Stmt, Test, Trait, TraitRef, TypeKind, Variant,
};

/// Where a function is, which says whether it has a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Module,
    Impl,
    Trait,
}

impl Parser<'_> {
    /// All of a file.
    pub(super) fn file(mut self) -> File {
        let doc = self.module_doc();
        let mut needs = None;
        let mut items: Vec<Item> = Vec::new();
        let mut body: Vec<Stmt> = Vec::new();
        while self.kind() != Kind::Eof {
            if self.eat(Kind::Semicolon) {
                continue;
            }
            if self.begins_needs() {
                self.skip_docs();
                let imports = items.iter().all(|item| matches!(item.kind, ItemKind::Import(_)));
                self.needs_into(&mut needs, imports && body.is_empty());
            } else if self.begins_item(0) {
                self.item_into(&mut items);
            } else {
                self.skip_docs();
                if self.kind().closes() {
                    let mark = shorten(self.slice(self.token()));
                    self.report(Diagnostic::error("F0104", self.here(), format!("`{mark}` closes nothing")));
                    self.bump();
                    continue;
                }
                let stmt = self.statement(Kind::Eof);
                body.push(stmt);
            }
        }
        self.skip_docs();
        super::stmt::plain_ends(&mut body);
        let mut comments = self.comments;
        comments.extend(self.lexed_comments);
        comments.sort_by_key(|comment| comment.span.start);
        File { id: self.file, doc, needs, items, body, comments }
    }

    fn begins_needs(&self) -> bool {
        let next = self.nth(1);
        self.is_word(self.token(), "needs") && matches!(next.kind, Kind::Ident | Kind::Var) && !next.newline
    }

    fn needs_into(&mut self, needs: &mut Option<Needs>, first: bool) {
        let start = self.token();
        let begin = self.at;
        let level = (self.depth, self.height);
        if !first || needs.is_some() {
            let diagnostic =
                Diagnostic::error("F0117", self.here(), "`needs` stands once, before everything but imports");
            self.report(diagnostic);
        }
        self.bump();
        let mut params = Vec::new();
        loop {
            match self.param() {
                Ok(param) => params.push(param),
                Err(Failed) => {
                    (self.depth, self.height) = level;
                    self.skip_statement(begin);
                    break;
                }
            }
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        let span = self.since(start.start);
        if needs.is_none() {
            *needs = Some(Needs { params, span });
        }
        self.end_of_item();
    }

    fn item_into(&mut self, items: &mut Vec<Item>) {
        let first = self.at;
        self.begun = first;
        let level = (self.depth, self.height);
        let (doc, doc_span) = self.doc();
        self.misaligned = None;
        match self.item(doc, doc_span) {
            Ok(item) => {
                items.push(item);
                self.end_of_item();
            }
            Err(Failed) => {
                (self.depth, self.height) = level;
                if self.at == first || !(self.token().newline && self.begins_item(0)) {
                    self.skip_item();
                }
                let span = self.since(self.tokens[first].start);
                items.push(Item { doc: None, doc_span: None, public: false, kind: ItemKind::Error, span });
            }
        }
    }

    fn end_of_item(&mut self) {
        let token = self.token();
        if token.newline || matches!(token.kind, Kind::Eof | Kind::Semicolon) || self.said() {
            return;
        }
        let (found, span) = self.found();
        let diagnostic =
            Diagnostic::error("F0106", span, format!("expected the end of the declaration, found {found}"));
        self.report(diagnostic.label("expected a new line or `;`"));
        if !self.begins_item(0) {
            self.skip_statement(self.at);
        }
    }

    /// Whether the token `n` places further on begins an item.
    #[inline]
    pub(super) fn begins_item(&self, n: usize) -> bool {
        let token = self.nth(n);
        match token.kind {
            Kind::Fn
            | Kind::Record
            | Kind::Enum
            | Kind::Trait
            | Kind::Impl
            | Kind::Import
            | Kind::Const
            | Kind::Type
            | Kind::Pub => true,
            Kind::Ident => {
                let next = self.nth(n + 1);
                match next.kind {
                    Kind::Fn => matches!(self.slice(token), "host" | "intrinsic"),
                    Kind::Ident => !next.newline && self.slice(token) == "capability",
                    Kind::String | Kind::RawString | Kind::StringStart => !next.newline && self.slice(token) == "test",
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// A declaration of the standard library, alone.
    pub(super) fn declaration(mut self) -> Parse<Item> {
        self.item(None, None)
    }

    /// An item, after its documentation.
    pub(super) fn item(&mut self, doc: Option<Rc<str>>, doc_span: Option<Span>) -> Parse<Item> {
        let start = self.token();
        let public = self.eat(Kind::Pub);
        let token = self.token();
        let kind = match token.kind {
            Kind::Fn => ItemKind::Fn(self.function(Place::Module)?),
            Kind::Import => ItemKind::Import(self.import()?),
            Kind::Record => ItemKind::Record(self.record_item()?),
            Kind::Enum => ItemKind::Enum(self.enum_item()?),
            Kind::Trait => ItemKind::Trait(self.trait_item(false)?),
            Kind::Impl => ItemKind::Impl(self.impl_item()?),
            Kind::Const => ItemKind::Const(self.const_item()?),
            Kind::Type => ItemKind::Alias(self.alias()?),
            Kind::Ident if self.begins_item(0) => match self.slice(token) {
                "capability" => ItemKind::Trait(self.trait_item(true)?),
                "test" => ItemKind::Test(self.test()?),
                _ => ItemKind::Fn(self.function(Place::Module)?),
            },
            _ => {
                let diagnostic = Diagnostic::error(
                    "F0105",
                    self.found().1,
                    format!("expected a declaration after `pub`, found {}", self.found().0),
                );
                return Err(self.fail(diagnostic.label("expected `fn`, `record`, `enum`, `trait`, `const` or `type`")));
            }
        };
        if public && matches!(kind, ItemKind::Import(_) | ItemKind::Impl(_) | ItemKind::Test(_)) {
            let diagnostic = Diagnostic::error("F0122", self.span_of(start), "`pub` has no meaning here");
            let space = Span { end: token.start, ..self.span_of(start) };
            self.report(diagnostic.repair("remove it", space, ""));
        }
        Ok(Item { doc, doc_span, public, kind, span: self.since(start.start) })
    }

    fn import(&mut self) -> Parse<Import> {
        self.bump();
        if matches!(self.kind(), Kind::String | Kind::RawString) {
            let diagnostic = Diagnostic::error("F0102", self.here(), "expected a path after `import`, found a text");
            return Err(self.fail(diagnostic.help("paths are written without quotes: `import text/csv`")));
        }
        let mut path = vec![self.ident("a path")?];
        while matches!(self.kind(), Kind::Slash | Kind::Dot | Kind::ColonColon) && !self.line_ended() {
            if self.kind() != Kind::Slash {
                let diagnostic =
                    Diagnostic::error("F0102", self.here(), "the parts of a module's path are separated by `/`");
                self.report(diagnostic.repair("write `/`", self.here(), "/"));
            }
            self.bump();
            path.push(self.ident("the next part of the path")?);
        }
        let mut alias = None;
        if self.is_word(self.token(), "as") && !self.line_ended() {
            self.bump();
            alias = Some(self.ident("a name after `as`")?);
        }
        let mut names = None;
        let open = self.here();
        if !self.line_ended() && self.eat(Kind::LeftBrace) {
            names = Some(self.list(
                BRACES,
                open,
                "a name",
                |p| {
                    let name = p.ident("a name")?;
                    let renamed = p.is_word(p.token(), "as");
                    if renamed {
                        p.bump();
                    }
                    Ok((name, if renamed { Some(p.ident("a name after `as`")?) } else { None }))
                },
                |_| None,
            )?);
        }
        Ok(Import { path, alias, names })
    }

    fn function(&mut self, place: Place) -> Parse<Fn> {
        let start = self.token();
        let kind = match start.kind {
            Kind::Ident if self.slice(start) == "host" => FnKind::Host,
            Kind::Ident => FnKind::Intrinsic,
            _ => FnKind::Plain,
        };
        if kind != FnKind::Plain {
            self.bump();
        }
        self.expect(Kind::Fn, "`fn`")?;
        let name = self.ident("the name of the function")?;
        let generics = self.generics()?;
        let open = self.here();
        self.expect(Kind::LeftParen, "`(` and the parameters")?;
        let (receiver, params) = self.params(open)?;
        let result = self.result_type()?;
        let wheres = self.wheres()?;
        let head = self.since(start.start);
        let body = if self.kind() == Kind::LeftBrace { Some(self.body()?) } else { None };
        self.check_body(kind, place, body.is_some(), name.span)?;
        Ok(Fn { kind, name, generics, receiver, params, result, wheres, body, head })
    }

    fn body(&mut self) -> Parse<Body> {
        let open = self.token();
        if self.outline && self.nth(1).kind == Kind::RightBrace {
            self.at += 2;
            return Ok(Body::Later(self.since(open.start), OnceCell::new()));
        }
        self.block("the body").map(Body::Here)
    }

    fn result_type(&mut self) -> Parse<Option<crate::syntax::Type>> {
        if self.kind() == Kind::Colon && !self.line_ended() {
            let diagnostic =
                Diagnostic::error("F0102", self.here(), "expected `->` before the type of the result, found `:`");
            self.report(diagnostic.repair("write `->`", self.here(), " ->"));
            self.bump();
            return self.ty().map(Some);
        }
        if self.eat(Kind::Arrow) { self.ty().map(Some) } else { Ok(None) }
    }

    fn check_body(&mut self, kind: FnKind, place: Place, has: bool, name: Span) -> Parse<()> {
        match (kind, place) {
            // A declaration that stands alone may be one of a trait.
            (FnKind::Plain, Place::Module | Place::Impl) if !has && !self.outline => {
                if self.said() {
                    return Err(Failed);
                }
                let (found, span) = self.found();
                let message = format!("a function needs a body: expected `{{`, found {found}");
                Err(self.fail(
                    Diagnostic::error("F0118", span, message).label("expected `{`").also(name, "of this function"),
                ))
            }
            (FnKind::Intrinsic, _) if has => {
                self.report(Diagnostic::error("F0118", name, "the compiler makes the body of an intrinsic function"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn params(&mut self, open: Span) -> Parse<(Option<Receiver>, Vec<Param>)> {
        let mut receiver = None;
        let mut count = 0;
        let params = self.list(
            PARENS,
            open,
            "a parameter",
            |p| {
                count += 1;
                let span = p.here();
                let mutable = p.kind() == Kind::Var && p.nth(1).kind == Kind::SelfValue;
                if !mutable && p.kind() != Kind::SelfValue {
                    return p.param().map(Some);
                }
                p.at += 1 + usize::from(mutable);
                let span = p.since(span.start);
                if p.kind() == Kind::Colon {
                    p.report(Diagnostic::error(
                        "F0123",
                        p.here(),
                        "`self` has no written type: it is that of the `impl`",
                    ));
                    p.bump();
                    p.ty()?;
                }
                if count > 1 {
                    p.report(Diagnostic::error("F0123", span, "`self` is the first parameter, or there is none"));
                } else {
                    receiver = Some(Receiver { mutable, span });
                }
                Ok(None)
            },
            |_| None,
        )?;
        Ok((receiver, params.into_iter().flatten().collect()))
    }

    /// `name: Type`, `var name: Type`
    fn param(&mut self) -> Parse<Param> {
        let start = self.token().start;
        let mutable = self.eat(Kind::Var);
        let name = self.ident("the name of a parameter")?;
        self.expect(Kind::Colon, "`:` and the type of the parameter")?;
        let ty = Some(self.ty()?);
        let span = self.since(start);
        if self.kind() == Kind::Eq {
            let diagnostic = Diagnostic::error("F0124", self.here(), "parameters have no default values");
            self.report(diagnostic.help("write a second function, or take an `Option`"));
            self.bump();
            self.expr()?;
        }
        Ok(Param { mutable, name, ty, span })
    }

    /// The fields of a record or of a variant, from `{`.
    fn fields(&mut self, visible: bool) -> Parse<Vec<Field>> {
        let open = self.here();
        self.expect(Kind::LeftBrace, "`{` and the fields")?;
        self.bracketed(true, |p| p.elements(BRACES, open, "a field", true, |p| p.field_item(visible), |_| None))
    }

    fn field_item(&mut self, visible: bool) -> Parse<Field> {
        let (doc, _) = self.doc();
        let start = self.token();
        let public = self.eat(Kind::Pub);
        if public && visible {
            let diagnostic = Diagnostic::error(
                "F0122",
                self.span_of(start),
                "`pub` has no meaning here: what a variant holds is always visible",
            );
            let space = Span { end: self.token().start, ..self.span_of(start) };
            self.report(diagnostic.repair("remove it", space, ""));
        }
        let mutable = self.eat(Kind::Var);
        let name = self.ident("the name of a field")?;
        self.expect(Kind::Colon, "`:` and the type of the field")?;
        let ty = self.ty()?;
        Ok(Field { doc, public, mutable, name, ty, span: self.since(start.start) })
    }

    fn record_item(&mut self) -> Parse<Record> {
        self.bump();
        let name = self.ident("the name of the record")?;
        let generics = self.generics()?;
        let fields = self.fields(false)?;
        Ok(Record { name, generics, fields })
    }

    fn enum_item(&mut self) -> Parse<Enum> {
        self.bump();
        let name = self.ident("the name of the enum")?;
        let generics = self.generics()?;
        let open = self.here();
        self.expect(Kind::LeftBrace, "`{` and the variants")?;
        let variants =
            self.bracketed(true, |p| p.elements(BRACES, open, "a variant", true, Self::variant, |_| None))?;
        Ok(Enum { name, generics, variants })
    }

    fn variant(&mut self) -> Parse<Variant> {
        let (doc, _) = self.doc();
        let start = self.token().start;
        let name = self.ident("the name of a variant")?;
        let open = self.here();
        let payload = match self.kind() {
            Kind::LeftParen if !self.line_ended() => {
                self.bump();
                Payload::Tuple(self.list(PARENS, open, "a type", Self::ty, broken_type)?)
            }
            Kind::LeftBrace if !self.line_ended() => Payload::Named(self.fields(true)?),
            _ => Payload::Unit,
        };
        Ok(Variant { doc, name, payload, span: self.since(start) })
    }

    fn trait_item(&mut self, capability: bool) -> Parse<Trait> {
        self.bump();
        let name = self.ident("the name of the trait")?;
        let generics = self.generics()?;
        let supers = if self.eat(Kind::Colon) { self.bounds()? } else { Vec::new() };
        let members = self.members(Place::Trait)?;
        Ok(Trait { capability, name, generics, supers, members })
    }

    fn impl_item(&mut self) -> Parse<Impl> {
        let start = self.token().start;
        self.bump();
        let generics = self.generics()?;
        let mut ty = self.ty()?;
        let mut trait_ref = None;
        if self.eat(Kind::For) {
            let TypeKind::Named(path, args) = ty.kind else {
                let diagnostic = Diagnostic::error("F0102", ty.span, "expected the name of a trait before `for`");
                return Err(self.fail(diagnostic.label("this is no trait")));
            };
            trait_ref = Some(TraitRef { path, args, span: ty.span });
            ty = self.ty()?;
        }
        let wheres = self.wheres()?;
        let head = self.since(start);
        let members = self.members(Place::Impl)?;
        Ok(Impl { generics, trait_ref, ty, wheres, members, head })
    }

    /// The functions of a trait or `impl`, from `{`.
    fn members(&mut self, place: Place) -> Parse<Vec<Member>> {
        let open = self.here();
        self.expect(Kind::LeftBrace, "`{` and functions")?;
        let mut members = Vec::new();
        loop {
            while self.eat(Kind::Semicolon) {}
            let token = self.token();
            if token.kind == Kind::RightBrace {
                self.skip_docs();
                self.bump();
                return Ok(members);
            }
            if token.kind == Kind::Eof || (token.newline && self.at_margin(token) && self.begins_item(0)) {
                self.not_closed(BRACES, open)?;
                return Ok(members);
            }
            let level = (self.depth, self.height);
            let first = self.at;
            self.begun = first;
            match self.member(place) {
                Ok(member) => {
                    members.push(member);
                    if self.kind() != Kind::RightBrace {
                        self.end_of_item();
                    }
                }
                Err(Failed) => {
                    (self.depth, self.height) = level;
                    self.skip_member(first);
                }
            }
        }
    }

    /// Skips to where the next function may begin.
    fn skip_member(&mut self, first: usize) {
        loop {
            let token = self.token();
            let next = token.newline && (self.begins_item(0) || token.kind == Kind::Pub);
            if matches!(token.kind, Kind::Eof | Kind::RightBrace) || (next && self.at > first) {
                return;
            }
            self.skip_group();
        }
    }

    fn member(&mut self, place: Place) -> Parse<Member> {
        let (doc, _) = self.doc();
        let start = self.token();
        let public = self.eat(Kind::Pub);
        if public && place == Place::Trait {
            let diagnostic = Diagnostic::error(
                "F0122",
                self.span_of(start),
                "`pub` has no meaning here: functions of a trait are visible where it is",
            );
            let space = Span { end: self.token().start, ..self.span_of(start) };
            self.report(diagnostic.repair("remove it", space, ""));
        }
        let token = self.token();
        if token.kind != Kind::Fn && !(token.kind == Kind::Ident && self.nth(1).kind == Kind::Fn && self.begins_item(0))
        {
            return Err(self.expected_as("F0105", "a function"));
        }
        let function = self.function(place)?;
        Ok(Member { doc, public, function, span: self.since(start.start) })
    }

    fn const_item(&mut self) -> Parse<Const> {
        self.bump();
        let name = self.ident("the name of the constant")?;
        self.expect(Kind::Colon, "`:` and the type of the constant")?;
        let ty = self.ty()?;
        self.expect(Kind::Eq, "`=` and the value")?;
        let value = self.expr()?;
        Ok(Const { name, ty, value })
    }

    fn alias(&mut self) -> Parse<Alias> {
        self.bump();
        let name = self.ident("the name of the type")?;
        let generics = self.generics()?;
        self.expect(Kind::Eq, "`=` and a type")?;
        let ty = self.ty()?;
        Ok(Alias { name, generics, ty })
    }

    fn test(&mut self) -> Parse<Test> {
        self.bump();
        let name_span = self.here();
        if self.kind() == Kind::StringStart {
            let diagnostic = Diagnostic::error(
                "F0102",
                name_span,
                "expected the name of the test, found a text with an interpolation",
            );
            return Err(self.fail(diagnostic.label("a name is the same each time")));
        }
        let name = match self.literal() {
            Ok(crate::syntax::Expr { kind: crate::syntax::ExprKind::String(text), .. }) => text,
            _ => return Err(Failed),
        };
        let body = self.block("the statements of the test")?;
        Ok(Test { name, name_span, body })
    }
}
