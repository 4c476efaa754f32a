//! Patterns.

use super::recover::{BRACES, PARENS, SQUARE};
use super::{Failed, Parse, Parser};
use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::source::Span;
use crate::syntax::{Expr, ExprKind, Ident, Path, Pattern, PatternKind, UnaryOp};

impl Parser<'_> {
    /// A pattern with alternatives.
    pub(super) fn pattern(&mut self) -> Parse<Pattern> {
        let start = self.token().start;
        let first = self.single_pattern()?;
        if self.kind() != Kind::Or {
            return Ok(first);
        }
        let outer = self.enter()?;
        let mut alternatives = vec![first];
        while self.eat(Kind::Or) {
            alternatives.push(self.single_pattern()?);
        }
        self.leave(outer);
        Ok(Pattern { kind: PatternKind::Or(alternatives), span: self.since(start) })
    }

    /// A pattern without alternatives at its top.
    pub(super) fn single_pattern(&mut self) -> Parse<Pattern> {
        let outer = self.enter()?;
        let start = self.token().start;
        let kind = self.pattern_kind()?;
        self.leave(outer);
        Ok(Pattern { kind, span: self.since(start) })
    }

    fn pattern_kind(&mut self) -> Parse<PatternKind> {
        let token = self.token();
        let span = self.here();
        match token.kind {
            Kind::Underscore => {
                self.bump();
                Ok(PatternKind::Wildcard)
            }
            Kind::Var => {
                self.bump();
                let name = self.ident("a name after `var`")?;
                self.binding(true, name)
            }
            Kind::Ident | Kind::SelfType => self.name_pattern(),
            Kind::LeftParen => {
                self.bump();
                let before = self.at;
                let mut patterns = self.list(PARENS, span, "a pattern", Self::pattern, broken_pattern)?;
                let single = patterns.len() == 1 && self.tokens[self.at - 2].kind != Kind::Comma && self.at > before;
                match patterns.pop() {
                    Some(pattern) if single => Ok(pattern.kind),
                    last => {
                        patterns.extend(last);
                        Ok(PatternKind::Tuple(patterns))
                    }
                }
            }
            Kind::LeftBracket => self.list_pattern(span),
            Kind::Int | Kind::Float | Kind::Char | Kind::Minus | Kind::DotDot | Kind::DotDotEq => {
                self.literal_pattern()
            }
            Kind::String | Kind::RawString | Kind::True | Kind::False => {
                Ok(PatternKind::Literal(Box::new(self.literal()?)))
            }
            Kind::Error => {
                self.bump();
                Ok(PatternKind::Error)
            }
            Kind::StringStart => {
                let diagnostic = Diagnostic::error("F0108", span, "a text with an interpolation is no pattern");
                Err(self.fail(diagnostic.help("bind a name and compare in a guard: `text if text == …`")))
            }
            _ => Err(self.expected_as("F0108", "a pattern")),
        }
    }

    fn binding(&mut self, mutable: bool, name: Ident) -> Parse<PatternKind> {
        let sub = if self.eat(Kind::At) { Some(Box::new(self.single_pattern()?)) } else { None };
        Ok(PatternKind::Bind { mutable, name, sub })
    }

    /// A pattern that begins with a name: it binds, or it is a variant, record or constant.
    fn name_pattern(&mut self) -> Parse<PatternKind> {
        let token = self.token();
        let next = self.nth(1).kind;
        if token.kind == Kind::Ident && !self.is_capital(token) && !matches!(next, Kind::Dot | Kind::LeftParen) {
            let name = self.ident("a name")?;
            return self.binding(false, name);
        }
        let path = self.path()?;
        let open = self.here();
        if self.kind() == Kind::LeftParen && !self.line_ended() {
            self.bump();
            let patterns = self.list(PARENS, open, "a pattern", Self::pattern, broken_pattern)?;
            return Ok(PatternKind::Variant(path, patterns));
        }
        if self.kind() == Kind::LeftBrace && !self.line_ended() {
            self.bump();
            return self.record_pattern(path, open);
        }
        Ok(PatternKind::Variant(path, Vec::new()))
    }

    fn record_pattern(&mut self, path: Path, open: Span) -> Parse<PatternKind> {
        let mut rest: Option<Span> = None;
        let elements = self.list(
            BRACES,
            open,
            "a field",
            |p| {
                if let Some(rest) = rest {
                    let diagnostic = Diagnostic::error("F0126", rest, "`..` for the other fields comes last");
                    return Err(p.fail(diagnostic));
                }
                if p.kind() == Kind::DotDot {
                    rest = Some(p.here());
                    p.bump();
                    return Ok(None);
                }
                p.field_pattern().map(Some)
            },
            |_| Some(None),
        )?;
        let fields = elements.into_iter().flatten().collect();
        Ok(PatternKind::Record { path, fields, open: rest.is_some() })
    }

    /// `name`, `var name` or `name: pattern`
    fn field_pattern(&mut self) -> Parse<(Ident, Pattern)> {
        let start = self.token().start;
        let mutable = self.eat(Kind::Var);
        let name = self.ident("the name of a field")?;
        if !mutable && self.eat(Kind::Colon) {
            return Ok((name, self.pattern()?));
        }
        let kind = PatternKind::Bind { mutable, name, sub: None };
        Ok((name, Pattern { kind, span: self.since(start) }))
    }

    fn list_pattern(&mut self, open: Span) -> Parse<PatternKind> {
        self.bump();
        let mut before = Vec::new();
        let mut after = Vec::new();
        let mut rest = None;
        self.list(
            SQUARE,
            open,
            "a pattern",
            |p| {
                if p.kind() != Kind::DotDot
                    || matches!(p.nth(1).kind, Kind::Int | Kind::Float | Kind::Char | Kind::Minus)
                {
                    let pattern = p.pattern()?;
                    if rest.is_none() { &mut before } else { &mut after }.push(pattern);
                    return Ok(());
                }
                let span = p.here();
                p.bump();
                if rest.is_some() {
                    p.report(
                        Diagnostic::error("F0126", span, "a second `..` in a list pattern")
                            .label("only one can stand for the others"),
                    );
                }
                let named = !matches!(p.kind(), Kind::Comma | Kind::RightBracket);
                rest = Some(if named { Some(Box::new(p.single_pattern()?)) } else { None });
                Ok(())
            },
            |_| None,
        )?;
        Ok(PatternKind::List { before, rest, after })
    }

    /// A number or character, or a range of them.
    fn literal_pattern(&mut self) -> Parse<PatternKind> {
        let start = match self.kind() {
            Kind::DotDot | Kind::DotDotEq => None,
            _ => Some(Box::new(self.signed_literal()?)),
        };
        let inclusive = match self.kind() {
            Kind::DotDot => false,
            Kind::DotDotEq => true,
            _ => return start.map(PatternKind::Literal).ok_or(Failed),
        };
        self.bump();
        let bounded = matches!(self.kind(), Kind::Int | Kind::Float | Kind::Char | Kind::Minus);
        let end = if bounded { Some(Box::new(self.signed_literal()?)) } else { None };
        if end.is_none() && (inclusive || start.is_none()) {
            return Err(self.expected_as("F0108", "the end of the range"));
        }
        Ok(PatternKind::Range { start, end, inclusive })
    }

    fn signed_literal(&mut self) -> Parse<Expr> {
        let start = self.token().start;
        if !self.eat(Kind::Minus) {
            return self.literal();
        }
        if !matches!(self.kind(), Kind::Int | Kind::Float) {
            return Err(self.expected_as("F0108", "a number after `-`"));
        }
        let value = self.literal()?;
        Ok(Expr { kind: ExprKind::Unary(UnaryOp::Neg, Box::new(value)), span: self.since(start) })
    }
}

pub(super) fn broken_pattern(span: Span) -> Option<Pattern> {
    Some(Pattern { kind: PatternKind::Error, span })
}
