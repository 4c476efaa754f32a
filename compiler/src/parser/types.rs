//! Types.

use super::recover::{ANGLES, PARENS};
use super::{Parse, Parser};
use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::source::Span;
use crate::syntax::{Access, Generic, Path, TraitRef, Type, TypeKind};

impl Parser<'_> {
    pub(super) fn ty(&mut self) -> Parse<Type> {
        let outer = self.enter()?;
        let start = self.token().start;
        let kind = self.type_kind()?;
        self.leave(outer);
        Ok(Type { kind, span: self.since(start) })
    }

    fn type_kind(&mut self) -> Parse<TypeKind> {
        let token = self.token();
        if self.line_ended() {
            return Err(self.expected_as("F0107", "a type"));
        }
        match token.kind {
            Kind::Ident | Kind::SelfType => {
                let path = self.path()?;
                let args = self.type_args()?;
                if self.kind() == Kind::Question {
                    self.optional_type(&path);
                }
                Ok(TypeKind::Named(path, args))
            }
            Kind::LeftParen => {
                self.bump();
                let mut types = self.types(self.span_of(token))?;
                // `(A)` is `A`; `(A,)` is no type of its own.
                match types.len() {
                    1 => types.pop().map(|ty| ty.kind).ok_or(super::Failed),
                    _ => Ok(TypeKind::Tuple(types)),
                }
            }
            Kind::Fn => {
                self.bump();
                let open = self.expect(Kind::LeftParen, "`(` after `fn` in a type")?;
                let params = self.types(self.span_of(open))?;
                let result = if self.eat(Kind::Arrow) { Some(Box::new(self.ty()?)) } else { None };
                Ok(TypeKind::Fn(params, result))
            }
            Kind::Dyn => {
                self.bump();
                Ok(TypeKind::Dyn(self.trait_ref()?))
            }
            Kind::Var => {
                self.bump();
                Ok(TypeKind::Access(Access::Mutable, Box::new(self.ty()?)))
            }
            Kind::Let => {
                self.bump();
                Ok(TypeKind::Access(Access::Read, Box::new(self.ty()?)))
            }
            Kind::Underscore => {
                self.bump();
                Ok(TypeKind::Infer)
            }
            Kind::Error => {
                self.bump();
                Ok(TypeKind::Error)
            }
            Kind::LeftBracket => {
                let diagnostic = Diagnostic::error("F0107", self.here(), "expected a type, found `[`");
                Err(self.fail(diagnostic.label("expected a type").help("a list of `T` is `List<T>`")))
            }
            _ => Err(self.expected_as("F0107", "a type")),
        }
    }

    /// `T?` does not exist.
    fn optional_type(&mut self, path: &Path) {
        let mark = self.here();
        let named = self.since(path.span.start);
        let written = &self.text[named.range()];
        let repair = format!("Option<{written}>");
        let diagnostic = Diagnostic::error("F0107", mark, "`?` is not part of a type").label("after a type");
        self.report(diagnostic.repair("a value that may be missing is an `Option`", named.to(mark), repair));
        self.bump();
    }

    fn types(&mut self, open: Span) -> Parse<Vec<Type>> {
        self.list(PARENS, open, "a type", Self::ty, broken_type)
    }

    /// `<A, B>`, or nothing.
    pub(super) fn type_args(&mut self) -> Parse<Vec<Type>> {
        let open = self.here();
        if self.kind() != Kind::Less || self.line_ended() {
            return Ok(Vec::new());
        }
        self.bump();
        self.list(ANGLES, open, "a type", Self::ty, broken_type)
    }

    /// `a.b.C`, or `Self`.
    pub(super) fn path(&mut self) -> Parse<Path> {
        let token = self.token();
        let first =
            if self.eat(Kind::SelfType) { self.intern(token) } else { self.ident("the name of a type or trait")? };
        let mut parts = vec![first];
        while self.kind() == Kind::Dot && self.nth(1).kind == Kind::Ident {
            self.bump();
            parts.push(self.ident("a name")?);
        }
        let span = self.since(token.start);
        Ok(Path { parts, span })
    }

    pub(super) fn trait_ref(&mut self) -> Parse<TraitRef> {
        let path = self.path()?;
        let args = self.type_args()?;
        let span = self.since(path.span.start);
        Ok(TraitRef { path, args, span })
    }

    /// `A + B`
    pub(super) fn bounds(&mut self) -> Parse<Vec<TraitRef>> {
        let mut bounds = vec![self.trait_ref()?];
        while self.eat(Kind::Plus) {
            bounds.push(self.trait_ref()?);
        }
        Ok(bounds)
    }

    /// `T: A + B`
    fn generic(&mut self) -> Parse<Generic> {
        let name = self.ident("the name of a type parameter")?;
        let bounds = if self.eat(Kind::Colon) { self.bounds()? } else { Vec::new() };
        Ok(Generic { name, bounds })
    }

    /// `<T: A, U>`, or nothing.
    pub(super) fn generics(&mut self) -> Parse<Vec<Generic>> {
        let open = self.here();
        if !self.eat(Kind::Less) {
            return Ok(Vec::new());
        }
        self.list(ANGLES, open, "a type parameter", Self::generic, |_| None)
    }

    /// `where T: A, U: B`, or nothing.
    pub(super) fn wheres(&mut self) -> Parse<Vec<Generic>> {
        let mut wheres = Vec::new();
        if !self.is_word(self.token(), "where") {
            return Ok(wheres);
        }
        self.bump();
        loop {
            let name = match self.kind() {
                Kind::SelfType => {
                    let token = self.bump();
                    self.intern(token)
                }
                _ => self.ident("the name of a type parameter")?,
            };
            self.expect(Kind::Colon, "`:` and what the type has to implement")?;
            wheres.push(Generic { name, bounds: self.bounds()? });
            if !self.eat(Kind::Comma) || !matches!(self.kind(), Kind::Ident | Kind::SelfType) {
                return Ok(wheres);
            }
        }
    }
}

pub(super) fn broken_type(span: Span) -> Option<Type> {
    Some(Type { kind: TypeKind::Error, span })
}
