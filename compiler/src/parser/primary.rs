//! Expressions: operands.

use super::recover::{BARS, BRACES, PARENS, SQUARE};
use super::{Failed, Parse, Parser};
use crate::diagnostic::{Diagnostic, Edit};
use crate::lexer::Kind;
use crate::source::Span;
use crate::syntax::{Arm, Block, ClosureParam, Expr, ExprKind, Stmt, StmtKind};

pub(super) fn broken_expr(span: Span) -> Option<Expr> {
    Some(Expr { kind: ExprKind::Error, span })
}

impl Parser<'_> {
    /// An operand, without what may follow it.
    pub(super) fn primary(&mut self) -> Parse<Expr> {
        let token = self.token();
        let kind = match token.kind {
            Kind::Ident | Kind::SelfType => {
                self.at += 1;
                ExprKind::Name(self.intern(token))
            }
            Kind::SelfValue => {
                self.at += 1;
                ExprKind::Name(crate::syntax::Ident { name: self.self_name, span: self.span_of(token) })
            }
            Kind::Int
            | Kind::Float
            | Kind::Char
            | Kind::String
            | Kind::RawString
            | Kind::Bytes
            | Kind::True
            | Kind::False => {
                return self.literal();
            }
            Kind::StringStart => self.interpolation()?,
            Kind::LeftParen => self.parenthesised()?,
            Kind::LeftBracket => self.list_or_map()?,
            Kind::LeftBrace => ExprKind::Block(self.block("a block")?),
            Kind::If => self.if_else()?,
            Kind::Match => self.match_arms()?,
            Kind::Or | Kind::OrOr => self.closure()?,
            Kind::Return => {
                self.bump();
                let value = if !self.line_ended() && self.begins_expr() { Some(Box::new(self.expr()?)) } else { None };
                ExprKind::Return(value)
            }
            Kind::Break | Kind::Continue => {
                self.bump();
                let label =
                    if self.kind() == Kind::Ident && !self.line_ended() { Some(self.ident("a label")?) } else { None };
                if token.kind == Kind::Break { ExprKind::Break(label) } else { ExprKind::Continue(label) }
            }
            Kind::Assert => {
                self.bump();
                let condition = Box::new(self.expr()?);
                let message = if self.eat(Kind::Comma) { Some(Box::new(self.expr()?)) } else { None };
                ExprKind::Assert(condition, message)
            }
            Kind::Error => {
                self.bump();
                ExprKind::Error
            }
            Kind::Broken => {
                self.bump();
                return Err(Failed);
            }
            _ => return Err(self.no_expression()),
        };
        Ok(Expr { kind, span: self.since(token.start) })
    }

    /// Says that there is no expression here, and what may have been meant.
    #[cold]
    fn no_expression(&mut self) -> Failed {
        if self.said() {
            return Failed;
        }
        let (found, span) = self.found();
        let before = if self.at > 0 { self.tokens[self.at - 1].kind } else { Kind::Eof };
        let help = match (before, self.kind()) {
            _ if self.token().newline => None,
            (Kind::Plus, Kind::Plus) => Some("`x += 1` adds one to `x`"),
            (_, Kind::And | Kind::AndAnd) => Some("values are not borrowed: leave the `&` out"),
            (_, Kind::Star) => Some("there are no pointers: leave the `*` out"),
            (_, Kind::Plus) => Some("a number has no sign `+`"),
            (_, Kind::While | Kind::For) => {
                Some("loops are statements and have no value; put it into a block: `{ … }`")
            }
            (_, Kind::Fn) => Some("a function without a name is a closure: `|x| x + 1`"),
            (_, Kind::Less) => Some("type arguments in an expression are written `::<…>` after a name"),
            (_, Kind::DotDot | Kind::DotDotEq) => Some("an end of a range can be left out between `[` and `]` only"),
            _ => None,
        };
        let diagnostic = Diagnostic::error("F0101", span, format!("expected an expression, found {found}"));
        let diagnostic = diagnostic.label("expected an expression");
        self.fail(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        })
    }

    /// `()`, `(e)`, `(a, b)`
    fn parenthesised(&mut self) -> Parse<ExprKind> {
        let open = self.here();
        self.bump();
        let mut values = self.list(PARENS, open, "a value", Self::expr, broken_expr)?;
        let comma = self.at > 1 && self.tokens[self.at - 2].kind == Kind::Comma;
        Ok(match values.pop() {
            Some(value) if values.is_empty() && !comma => ExprKind::Paren(Box::new(value)),
            last => {
                values.extend(last);
                ExprKind::Tuple(values)
            }
        })
    }

    /// `[a, b]`, `[a; n]`, `["k": v]`, `[:]`
    fn list_or_map(&mut self) -> Parse<ExprKind> {
        let open = self.here();
        self.bump();
        if self.kind() == Kind::Colon && self.nth(1).kind == Kind::RightBracket {
            self.at += 2;
            return Ok(ExprKind::Map(Vec::new()));
        }
        let mut count = None;
        let mut pairs = Vec::new();
        let mut mixed = None;
        let values = self.list(
            SQUARE,
            open,
            "an element",
            |p| {
                let first = p.expr()?;
                if p.eat(Kind::Semicolon) {
                    count = Some(p.expr()?);
                    return Ok(Some(first));
                }
                if p.eat(Kind::Colon) {
                    let value = p.expr()?;
                    pairs.push((first, value));
                    return Ok(None);
                }
                if !pairs.is_empty() {
                    mixed = mixed.or(Some(first.span));
                }
                Ok(Some(first))
            },
            |span| broken_expr(span).map(Some),
        )?;
        let mut values: Vec<Expr> = values.into_iter().flatten().collect();
        if let Some(count) = count {
            return match (values.pop(), values.is_empty() && pairs.is_empty()) {
                (Some(value), true) => Ok(ExprKind::Repeat(Box::new(value), Box::new(count))),
                _ => {
                    let diagnostic =
                        Diagnostic::error("F0127", open, "`[value; count]` holds one value and nothing else");
                    Err(self.fail(diagnostic))
                }
            };
        }
        if pairs.is_empty() {
            return Ok(ExprKind::List(values));
        }
        let single =
            values.iter().find(|value| !matches!(value.kind, ExprKind::Error)).map(|value| value.span).or(mixed);
        if let Some(single) = single {
            let diagnostic = Diagnostic::error("F0127", single, "a value without a key in a map");
            self.report(diagnostic.label("expected `key: value`").also(pairs[0].0.span, "a key of the map"));
        }
        Ok(ExprKind::Map(pairs))
    }

    fn if_else(&mut self) -> Parse<ExprKind> {
        self.bump();
        let condition = Box::new(self.head(true)?);
        let then = self.block("the body of `if`")?;
        if !self.eat(Kind::Else) {
            return Ok(ExprKind::If { condition, then, otherwise: None });
        }
        let start = self.token().start;
        let otherwise = if self.kind() == Kind::If {
            let outer = self.enter()?;
            let kind = self.if_else()?;
            self.leave(outer);
            kind
        } else {
            ExprKind::Block(self.block("the body of `else`")?)
        };
        let otherwise = Expr { kind: otherwise, span: self.since(start) };
        Ok(ExprKind::If { condition, then, otherwise: Some(Box::new(otherwise)) })
    }

    fn match_arms(&mut self) -> Parse<ExprKind> {
        self.bump();
        let value = Box::new(self.head(false)?);
        let open = self.here();
        self.expect(Kind::LeftBrace, "`{` and the arms of `match`")?;
        let arms = self.bracketed(true, |p| p.elements(BRACES, open, "an arm", true, Self::arm, |_| None))?;
        Ok(ExprKind::Match { value, arms })
    }

    fn arm(&mut self) -> Parse<Arm> {
        self.skip_docs();
        let start = self.token().start;
        let pattern = self.pattern()?;
        let guard = if self.eat(Kind::If) { Some(self.expr()?) } else { None };
        if matches!(self.kind(), Kind::Arrow | Kind::Colon | Kind::Eq) && !self.line_ended() {
            let (found, span) = self.found();
            let diagnostic = Diagnostic::error("F0102", span, format!("expected `=>` after a pattern, found {found}"));
            self.report(diagnostic.repair("write `=>`", span, "=>"));
            self.bump();
        } else {
            self.expect(Kind::FatArrow, "`=>` after the pattern")?;
        }
        let body = self.arm_body()?;
        Ok(Arm { pattern, guard, body, span: self.since(start) })
    }

    /// An expression, assignment or loop; a declaration is an error with an obvious repair.
    fn arm_body(&mut self) -> Parse<Expr> {
        let looping = match self.kind() {
            Kind::Ident => self.nth(1).kind == Kind::Colon && matches!(self.nth(2).kind, Kind::While | Kind::For),
            kind => matches!(kind, Kind::While | Kind::For | Kind::Let | Kind::Var),
        };
        if !looping {
            return self.expr_or_assignment();
        }
        let declares = matches!(self.kind(), Kind::Let | Kind::Var);
        let stmt = self.stmt()?;
        let span = stmt.span;
        if declares {
            let message = "a declaration where the value of an arm is expected";
            let mut diagnostic =
                Diagnostic::error("F0121", span, message).repair("put it into a block", span.begin(), "{ ");
            diagnostic.edits.push(Edit { span: span.after(), text: " }".into() });
            self.report(diagnostic);
        }
        self.statement_as_block(stmt)
    }

    /// A block without braces.
    fn statement_as_block(&mut self, stmt: Stmt) -> Parse<Expr> {
        self.wrap()?;
        self.wrap()?;
        let span = stmt.span;
        Ok(Expr { kind: ExprKind::Block(Block { stmts: vec![stmt], span }), span })
    }

    /// An expression, or an assignment, which becomes a block with the span of the assignment.
    fn expr_or_assignment(&mut self) -> Parse<Expr> {
        let start = self.token().start;
        let lets = std::mem::replace(&mut self.lets, false);
        let kind = self.expr_stmt();
        self.lets = lets;
        let span = self.since(start);
        match kind? {
            StmtKind::Expr { expr, .. } => Ok(expr),
            kind => self.statement_as_block(Stmt { kind, span }),
        }
    }

    /// `|a, var b: T| e`, `|| e`, `|a| -> T { … }`
    fn closure(&mut self) -> Parse<ExprKind> {
        let open = self.here();
        let params = match self.bump().kind {
            Kind::Or => self.list(BARS, open, "a parameter", Self::closure_param, |_| None)?,
            _ => Vec::new(),
        };
        if self.eat(Kind::Arrow) {
            let result = Some(Box::new(self.ty()?));
            let start = self.token().start;
            let block = self.block("the body of the closure")?;
            let body = Box::new(Expr { kind: ExprKind::Block(block), span: self.since(start) });
            return Ok(ExprKind::Closure { params, result, body });
        }
        let body = Box::new(self.expr_or_assignment()?);
        Ok(ExprKind::Closure { params, result: None, body })
    }

    fn closure_param(&mut self) -> Parse<ClosureParam> {
        let pattern = self.single_pattern()?;
        let ty = if self.eat(Kind::Colon) { Some(self.ty()?) } else { None };
        Ok(ClosureParam { pattern, ty })
    }
}
