//! Expressions: operators, and what follows an operand.

use super::recover::{BRACES, PARENS, SQUARE};
use super::types::broken_type;
use super::{Parse, Parser};
use crate::diagnostic::{Diagnostic, Edit};
use crate::lexer::Kind;
use crate::source::Span;
use crate::syntax::{BinaryOp, Expr, ExprKind, FieldInit, Ident, UnaryOp};

/// How tightly `&&` binds; [`binary`] has the other operators. 0 is for ranges.
const AND: u8 = 2;
const COMPARE: u8 = 3;

/// The operator that a token is, and how tightly it binds.
fn binary(kind: Kind) -> Option<(BinaryOp, u8)> {
    Some(match kind {
        Kind::OrOr => (BinaryOp::Or, 1),
        Kind::AndAnd => (BinaryOp::And, AND),
        Kind::EqEq => (BinaryOp::Eq, COMPARE),
        Kind::BangEq => (BinaryOp::Ne, COMPARE),
        Kind::Less => (BinaryOp::Lt, COMPARE),
        Kind::LessEq => (BinaryOp::Le, COMPARE),
        Kind::Greater => (BinaryOp::Gt, COMPARE),
        Kind::GreaterEq => (BinaryOp::Ge, COMPARE),
        Kind::Or => (BinaryOp::BitOr, 4),
        Kind::Caret => (BinaryOp::BitXor, 5),
        Kind::And => (BinaryOp::BitAnd, 6),
        Kind::LessLess => (BinaryOp::Shl, 7),
        Kind::Plus => (BinaryOp::Add, 8),
        Kind::Minus => (BinaryOp::Sub, 8),
        Kind::Star => (BinaryOp::Mul, 9),
        Kind::Slash => (BinaryOp::Div, 9),
        Kind::Percent => (BinaryOp::Rem, 9),
        _ => return None,
    })
}

impl Parser<'_> {
    /// An expression.
    #[inline]
    pub(super) fn expr(&mut self) -> Parse<Expr> {
        let lets = std::mem::replace(&mut self.lets, false);
        let expr = self.operation(0);
        self.lets = lets;
        expr
    }

    /// What is between `if`, `while`, `match` or `in` and a `{`.
    pub(super) fn head(&mut self, lets: bool) -> Parse<Expr> {
        self.bracketed(false, |p| {
            p.records = false;
            p.lets = lets;
            if p.kind() == Kind::LeftBrace {
                p.expected_as("F0101", "an expression before the `{`");
                return Ok(Expr { kind: ExprKind::Error, span: p.here().begin() });
            }
            let expr = p.operation(0)?;
            match p.kind() {
                Kind::Eq if lets => {
                    let diagnostic = Diagnostic::error("F0121", p.here(), "an assignment is no condition");
                    p.report(diagnostic.repair("values are compared with `==`", p.here(), "=="));
                    p.bump();
                    p.lets = false;
                    p.operation(0)?;
                }
                Kind::LeftBrace if p.record_in_head() => return Err(p.bare_record(&expr)),
                _ => {}
            }
            Ok(expr)
        })
    }

    /// Whether the braces here are those of a record, which cannot be in a head.
    fn record_in_head(&self) -> bool {
        let first = self.nth(1).kind == Kind::Ident;
        let separated = match self.nth(2).kind {
            Kind::Comma => true,
            Kind::Colon => !matches!(self.nth(3).kind, Kind::While | Kind::For),
            _ => false,
        };
        first && separated && self.at > 0 && self.is_capital(self.tokens[self.at - 1])
    }

    fn bare_record(&mut self, expr: &Expr) -> super::Failed {
        let last = match &expr.kind {
            ExprKind::Binary(_, _, right, _) => right.span,
            _ => expr.span,
        };
        let open = self.here();
        self.skip_group();
        let end = self.since(self.last_end());
        let mut diagnostic = Diagnostic::error("F0112", open, "a record in the head of a statement needs parentheses")
            .label("this brace would begin the body")
            .repair("put the record into parentheses", last.begin(), "(");
        diagnostic.edits.push(Edit { span: end, text: ")".into() });
        let failed = self.fail(diagnostic);
        if self.kind() == Kind::LeftBrace {
            self.skip_group();
        }
        failed
    }

    /// Operators that bind at least as tightly as `least`, with their operands.
    pub(super) fn operation(&mut self, least: u8) -> Parse<Expr> {
        let outer = self.enter()?;
        let start = self.token().start;
        let mut left = self.operand()?;
        loop {
            let token = self.token();
            let Some((op, level, count)) = self.operator(token.kind) else { break };
            if level < least || (self.line_ended() && matches!(token.kind, Kind::Minus | Kind::Or | Kind::OrOr)) {
                break;
            }
            let sign = Span { end: self.nth(count - 1).end, ..self.span_of(token) };
            if level == COMPARE {
                self.check_comparison(&left, sign)?;
            }
            self.skip(count);
            let right = self.right_side(op, level, &left)?;
            self.wrap()?;
            let kind = ExprKind::Binary(op, Box::new(left), Box::new(right), sign);
            left = Expr { kind, span: self.since(start) };
        }
        if least == 0 && matches!(self.kind(), Kind::DotDot | Kind::DotDotEq) {
            left = self.range(Some(left), start)?;
        }
        self.leave(outer);
        Ok(left)
    }

    fn right_side(&mut self, op: BinaryOp, level: u8, left: &Expr) -> Parse<Expr> {
        if !self.lets || op == BinaryOp::And {
            return self.operation(level + 1);
        }
        if has_let(left) {
            let message = "`let` conditions go together with `&&` only";
            self.report(Diagnostic::error("F0114", left.span, message).label("a condition that binds names"));
        }
        self.lets = false;
        let right = self.operation(level + 1);
        self.lets = true;
        right
    }

    /// The operator at this place, how tightly it binds and how many tokens it has.
    #[inline]
    fn operator(&self, kind: Kind) -> Option<(BinaryOp, u8, usize)> {
        let (op, level) = binary(kind)?;
        if kind == Kind::Greater {
            let (first, next) = (self.token(), self.nth(1));
            if first.end == next.start && next.kind == Kind::Greater {
                return Some((BinaryOp::Shr, 7, 2));
            }
            if first.end == next.start && next.kind == Kind::GreaterEq {
                return None;
            }
        }
        Some((op, level, 1))
    }

    /// Comparisons do not chain.
    fn check_comparison(&mut self, left: &Expr, sign: Span) -> Parse<()> {
        let ExprKind::Binary(op, first, second, before) = &left.kind else { return Ok(()) };
        if !matches!(op, BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge) {
            return Ok(());
        }
        let named = |expr: &Expr| matches!(expr.kind, ExprKind::Name(_) | ExprKind::Field(..));
        let closes = self.kind() == Kind::Greater;
        if *op == BinaryOp::Lt
            && closes
            && named(first)
            && named(second)
            && self.text[second.span.range()].starts_with(char::is_uppercase)
        {
            return Err(self.fail(needs_colons(*before)));
        }
        let diagnostic = Diagnostic::error("F0110", sign, "comparisons do not chain")
            .label("a second comparison")
            .also(*before, "the first one")
            .help("compare twice: `a < b && b < c`");
        self.report(diagnostic);
        Ok(())
    }

    /// The rest of a range, from its dots.
    fn range(&mut self, left: Option<Expr>, start: u32) -> Parse<Expr> {
        let dots = self.here();
        let inclusive = self.bump().kind == Kind::DotDotEq;
        let has_end = !self.line_ended() && self.begins_expr() && (self.records || self.kind() != Kind::LeftBrace);
        let end = if has_end { Some(Box::new(self.operation(1)?)) } else { None };
        if (left.is_none() || end.is_none()) && !self.open_ranges || (inclusive && end.is_none()) {
            let message = "a range needs both ends here";
            self.report(
                Diagnostic::error("F0115", dots, message)
                    .note("an end can be left out between `[` and `]`, as in `list[1..]`"),
            );
        }
        self.wrap()?;
        let kind = ExprKind::Range { start: left.map(Box::new), end, inclusive };
        let expr = Expr { kind, span: self.since(start) };
        if matches!(self.kind(), Kind::DotDot | Kind::DotDotEq) {
            return Err(self.fail(Diagnostic::error("F0110", self.here(), "ranges do not chain")));
        }
        Ok(expr)
    }

    /// Whether an expression can begin with the next token.
    pub(super) fn begins_expr(&self) -> bool {
        matches!(
            self.kind(),
            Kind::Int
                | Kind::Float
                | Kind::Char
                | Kind::String
                | Kind::RawString
                | Kind::Bytes
                | Kind::StringStart
                | Kind::Ident
                | Kind::SelfValue
                | Kind::SelfType
                | Kind::True
                | Kind::False
                | Kind::LeftParen
                | Kind::LeftBracket
                | Kind::LeftBrace
                | Kind::If
                | Kind::Match
                | Kind::Or
                | Kind::OrOr
                | Kind::Minus
                | Kind::Bang
                | Kind::Tilde
                | Kind::Return
                | Kind::Break
                | Kind::Continue
                | Kind::Assert
                | Kind::Error
                | Kind::Broken
        )
    }

    /// An operand with what stands before and after it.
    fn operand(&mut self) -> Parse<Expr> {
        let token = self.token();
        let op = match token.kind {
            Kind::Minus => UnaryOp::Neg,
            Kind::Bang => UnaryOp::Not,
            Kind::Tilde => UnaryOp::BitNot,
            Kind::Let => return self.let_condition(),
            Kind::DotDot | Kind::DotDotEq if self.open_ranges => return self.range(None, token.start),
            _ => return self.postfix(),
        };
        self.bump();
        let outer = self.enter()?;
        let value = match self.kind() {
            Kind::Minus | Kind::Bang | Kind::Tilde => self.operand()?,
            _ => self.postfix()?,
        };
        self.leave(outer);
        self.wrap()?;
        Ok(Expr { kind: ExprKind::Unary(op, Box::new(value)), span: self.since(token.start) })
    }

    fn let_condition(&mut self) -> Parse<Expr> {
        let start = self.token().start;
        if !self.lets && self.token().newline && self.at > self.begun {
            return Err(self.expected_as("F0101", "an expression"));
        }
        if !self.lets {
            let message = "`let` is a condition only directly in the head of `if` and `while`";
            let diagnostic = Diagnostic::error("F0114", self.here(), message);
            return Err(
                self.fail(diagnostic.note("conditions go together with `&&`: `if let Some(x) = a && x > 3 { … }`"))
            );
        }
        self.bump();
        let pattern = self.pattern()?;
        self.expect(Kind::Eq, "`=` and the value that is matched")?;
        self.lets = false;
        let value = self.operation(AND + 1);
        self.lets = true;
        let kind = ExprKind::Let(Box::new(pattern), Box::new(value?));
        self.wrap()?;
        Ok(Expr { kind, span: self.since(start) })
    }

    /// An operand with what follows it.
    fn postfix(&mut self) -> Parse<Expr> {
        let start = self.token().start;
        let mut expr = self.primary()?;
        loop {
            let kind = match self.kind() {
                Kind::Dot => self.field(expr)?,
                Kind::Question => {
                    self.bump();
                    ExprKind::Try(Box::new(expr))
                }
                Kind::LeftParen if !self.line_ended() => {
                    let open = self.here();
                    self.bump();
                    let args = self.list(PARENS, open, "an argument", Self::argument, super::primary::broken_expr)?;
                    ExprKind::Call(Box::new(expr), args)
                }
                Kind::LeftBracket if !self.line_ended() => self.index(expr)?,
                Kind::ColonColon => self.type_arguments(expr)?,
                Kind::LeftBrace if self.records && !self.line_ended() && self.is_record_path(&expr) => {
                    self.record(expr)?
                }
                _ => return Ok(expr),
            };
            self.wrap()?;
            expr = Expr { kind, span: self.since(start) };
        }
    }

    fn argument(&mut self) -> Parse<Expr> {
        let expr = self.expr()?;
        if matches!(self.kind(), Kind::Colon | Kind::Eq) && matches!(expr.kind, ExprKind::Name(_)) {
            let span = expr.span.to(self.here());
            let diagnostic = Diagnostic::error("F0124", span, "arguments have no names");
            self.report(diagnostic.repair("write the value alone", span, ""));
            self.bump();
            return self.expr();
        }
        Ok(expr)
    }

    /// `.name`, `.0`
    fn field(&mut self, base: Expr) -> Parse<ExprKind> {
        self.bump();
        let token = self.token();
        match token.kind {
            Kind::Int => {
                self.bump();
                self.tuple_field(base, self.span_of(token))
            }
            // `.0.1` looks like a number.
            Kind::Float => {
                self.bump();
                let span = self.span_of(token);
                let Some(dot) = self.slice(token).find('.') else { return Err(self.expected("the name of a field")) };
                let middle = span.start + dot as u32;
                let first = self.tuple_field(base, Span { end: middle, ..span })?;
                self.wrap()?;
                let base = Expr { kind: first, span: self.since(token.start) };
                self.tuple_field(base, Span { start: middle + 1, ..span })
            }
            _ => {
                let name = self.ident("the name of a field or method after `.`")?;
                Ok(ExprKind::Field(Box::new(base), name))
            }
        }
    }

    fn tuple_field(&mut self, base: Expr, span: Span) -> Parse<ExprKind> {
        let digits = &self.text[span.range()];
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
        match digits.parse() {
            Ok(index) if plain => Ok(ExprKind::TupleField(Box::new(base), index, span)),
            _ => {
                let shown = super::recover::shorten(digits);
                Err(self.fail(
                    Diagnostic::error("F0102", span, format!("`{shown}` is no field of a tuple"))
                        .label("expected a plain number"),
                ))
            }
        }
    }

    fn index(&mut self, base: Expr) -> Parse<ExprKind> {
        let open = self.here();
        self.bump();
        let index = self.bracketed(false, |p| {
            p.open_ranges = true;
            let index = p.operation(0)?;
            if p.kind() == Kind::Comma {
                return Err(p.fail(
                    Diagnostic::error("F0102", p.here(), "expected `]` after the index, found `,`")
                        .label("there is one index only"),
                ));
            }
            if !p.eat(Kind::RightBracket) {
                p.not_closed(SQUARE, open)?;
            }
            Ok(index)
        })?;
        Ok(ExprKind::Index(Box::new(base), Box::new(index)))
    }

    /// `::<A, B>`
    fn type_arguments(&mut self, base: Expr) -> Parse<ExprKind> {
        let colons = self.here();
        self.bump();
        let open = self.here();
        if self.kind() == Kind::Ident {
            let diagnostic =
                Diagnostic::error("F0102", colons, "expected `<` and type arguments after `::`, found a name");
            return Err(self.fail(diagnostic.repair("parts of a path are separated by `.`", colons, ".")));
        }
        self.expect(Kind::Less, "`<` and type arguments after `::`")?;
        let args = self.list(super::recover::ANGLES, open, "a type", Self::ty, broken_type)?;
        Ok(ExprKind::Generic(Box::new(base), args))
    }

    /// Whether braces after this are those of a record: it is a path that ends with a capitalised name.
    fn is_record_path(&self, expr: &Expr) -> bool {
        let capital = |name: &Ident| self.text[name.span.range()].starts_with(char::is_uppercase);
        match &expr.kind {
            ExprKind::Name(name) => capital(name),
            ExprKind::Field(base, name) => capital(name) && is_path(base),
            ExprKind::Generic(base, _) => self.is_record_path(base),
            _ => false,
        }
    }

    fn record(&mut self, path: Expr) -> Parse<ExprKind> {
        let open = self.here();
        self.bump();
        let mut base = None;
        let fields = self.list(
            BRACES,
            open,
            "a field",
            |p| {
                let dots = p.here();
                if p.eat(Kind::DotDot) {
                    let value = p.expr()?;
                    if base.is_some() {
                        p.report(Diagnostic::error("F0126", dots, "a second `..` in a record"));
                    }
                    base = Some(Box::new(value));
                    return Ok(None);
                }
                if base.is_some() && p.kind() == Kind::Ident {
                    p.report(Diagnostic::error("F0126", p.here(), "a field after `..`").label("`..` comes last"));
                }
                p.field_init().map(Some)
            },
            |_| Some(None),
        )?;
        Ok(ExprKind::Record { path: Box::new(path), fields: fields.into_iter().flatten().collect(), base })
    }

    fn field_init(&mut self) -> Parse<FieldInit> {
        let name = self.ident("the name of a field")?;
        if self.eat(Kind::Colon) {
            return Ok(FieldInit { name, value: self.expr()?, short: false });
        }
        if self.kind() == Kind::Eq {
            let diagnostic =
                Diagnostic::error("F0102", self.here(), "expected `:` after the name of a field, found `=`");
            self.report(diagnostic.repair("write `:`", self.here(), ":"));
            self.bump();
            return Ok(FieldInit { name, value: self.expr()?, short: false });
        }
        let value = Expr { kind: ExprKind::Name(name), span: name.span };
        Ok(FieldInit { name, value, short: true })
    }
}

/// Whether it is `a.b.c`.
fn is_path(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(_) => true,
        ExprKind::Field(base, _) | ExprKind::Generic(base, _) => is_path(base),
        _ => false,
    }
}

fn has_let(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Let(..) => true,
        ExprKind::Binary(BinaryOp::And, left, right, _) => has_let(left) || has_let(right),
        _ => false,
    }
}

/// Says that type arguments need `::` before their `<`.
pub(super) fn needs_colons(less: Span) -> Diagnostic {
    Diagnostic::error("F0111", less, "type arguments in an expression are written `::<…>`").repair(
        "put `::` before the `<`",
        less.begin(),
        "::",
    )
}
