//! Blocks and statements.

use super::recover::BRACES;
use super::{Failed, Parse, Parser};
use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;
use crate::source::Span;
use crate::syntax::{BinaryOp, Block, Expr, ExprKind, Pattern, PatternKind, Stmt, StmtKind};

/// The operator that is written before `=`, where a token is an assignment.
fn assignment(kind: Kind) -> Option<Option<BinaryOp>> {
    Some(match kind {
        Kind::Eq => None,
        Kind::PlusEq => Some(BinaryOp::Add),
        Kind::MinusEq => Some(BinaryOp::Sub),
        Kind::StarEq => Some(BinaryOp::Mul),
        Kind::SlashEq => Some(BinaryOp::Div),
        Kind::PercentEq => Some(BinaryOp::Rem),
        Kind::AndEq => Some(BinaryOp::BitAnd),
        Kind::OrEq => Some(BinaryOp::BitOr),
        Kind::CaretEq => Some(BinaryOp::BitXor),
        Kind::LessLessEq => Some(BinaryOp::Shl),
        _ => return None,
    })
}

impl Parser<'_> {
    /// `{ … }`, which is `what`.
    pub(super) fn block(&mut self, what: &str) -> Parse<Block> {
        let outer = self.enter()?;
        let start = self.token();
        if start.kind != Kind::LeftBrace {
            return Err(self.expected(&format!("`{{` and {what}")));
        }
        self.bump();
        let open = self.span_of(start);
        let stmts = self.bracketed(true, |p| p.statements(open))?;
        self.check_alignment(start);
        self.leave(outer);
        Ok(Block { stmts, span: self.since(start.start) })
    }

    /// Statements up to a `}` and with it.
    fn statements(&mut self, open: Span) -> Parse<Vec<Stmt>> {
        let base = self.stmts.len();
        let end = self.statements_up_to_end(open);
        // In a list of exactly their number: statements are large, and most blocks have few.
        let mut stmts: Vec<Stmt> = self.stmts.drain(base..).collect();
        end?;
        let count = stmts.len();
        plain_ends(&mut stmts[..count.saturating_sub(1)]);
        Ok(stmts)
    }

    /// Adds statements to `stmts`.
    fn statements_up_to_end(&mut self, open: Span) -> Parse<()> {
        loop {
            while self.eat(Kind::Semicolon) {}
            let token = self.token();
            match token.kind {
                Kind::RightBrace => {
                    self.skip_docs();
                    self.bump();
                    return Ok(());
                }
                Kind::Eof => return self.not_closed(BRACES, open),
                _ if token.newline && self.begins_item(0) => {
                    if self.at_margin(token) {
                        return self.not_closed(BRACES, open);
                    }
                    let stmt = self.item_in_body();
                    self.stmts.push(stmt);
                }
                _ => {
                    self.skip_docs();
                    let stmt = self.statement(Kind::RightBrace);
                    self.stmts.push(stmt);
                }
            }
        }
    }

    /// A statement and what ends it; recovers where it cannot be parsed.
    pub(super) fn statement(&mut self, close: Kind) -> Stmt {
        let first = self.at;
        self.begun = first;
        let level = (self.depth, self.height);
        let flags = (self.lines, self.records, self.lets, self.open_ranges);
        let stmt = match self.stmt() {
            Ok(mut stmt) => {
                if self.kind() == Kind::Semicolon {
                    self.bump();
                    if let StmtKind::Expr { ended, .. } = &mut stmt.kind {
                        *ended = true;
                    }
                } else if self.kind() != close && !self.token().newline && self.kind() != Kind::Eof {
                    self.not_ended(&stmt);
                    self.skip_statement(first);
                } else if self.kind() != close {
                    self.check_used(&stmt);
                }
                stmt
            }
            Err(Failed) => {
                (self.depth, self.height) = level;
                (self.lines, self.records, self.lets, self.open_ranges) = flags;
                self.skip_statement(first);
                let begin = self.tokens[first].start;
                Stmt { kind: StmtKind::Error, span: self.since(begin) }
            }
        };
        if self.at == first {
            if self.kind() != Kind::Eof {
                self.stray();
            }
            self.bump();
        }
        stmt
    }

    /// A token with which no statement can begin: the failed attempt has said so, except for closing brackets.
    fn stray(&mut self) {
        if self.kind().closes() && self.errors == 0 && self.unclosed != Some(self.at) {
            let mark = super::recover::shorten(self.slice(self.token()));
            self.report(Diagnostic::error("F0104", self.here(), format!("`{mark}` closes nothing")));
        }
    }

    /// A closure or a negative number in a line of its own that is not the last: more likely the line before was to go on.
    fn check_used(&mut self, stmt: &Stmt) {
        let StmtKind::Expr { expr, .. } = &stmt.kind else { return };
        let sign = match expr.kind {
            ExprKind::Closure { .. } => "|",
            ExprKind::Unary(crate::syntax::UnaryOp::Neg, _) => "-",
            _ => return,
        };
        let diagnostic =
            Diagnostic::error("F0125", Span { end: expr.span.start + 1, ..expr.span }, "nothing uses this value")
                .label(format!("a line that begins with `{sign}` does not go on with the one before"))
                .help("to go on in the next line, end the line before in the operator");
        self.report(diagnostic);
    }

    #[cold]
    fn not_ended(&mut self, stmt: &Stmt) {
        if self.said() || self.unclosed == Some(self.at) {
            return;
        }
        let (found, span) = self.found();
        if let Some(help) = self.foreign(stmt) {
            let word = Span { end: stmt.span.end, ..stmt.span };
            let shown = super::recover::shorten(&self.text[word.range()]);
            self.report(Diagnostic::error("F0124", word, format!("`{shown}` has no meaning here")).help(help));
            return;
        }
        if let Some(diagnostic) = self.type_arguments_meant(stmt) {
            return self.report(diagnostic);
        }
        let code = if self.kind().closes() { "F0104" } else { "F0106" };
        let message = if self.kind().closes() {
            format!("{found} closes nothing")
        } else {
            format!("expected the end of the statement, found {found}")
        };
        let mut diagnostic = Diagnostic::error(code, span, message);
        if code == "F0106" {
            diagnostic = diagnostic.label("expected a new line or `;`");
            match self.kind() {
                _ if self.tokens[self.at - 1].kind == Kind::Question => {
                    diagnostic = diagnostic.help("`if c { a } else { b }` is an expression");
                }
                Kind::Ident if self.is_word(self.token(), "as") => {
                    diagnostic = diagnostic.help("values are converted by methods, as in `n.to_float()`");
                }
                Kind::Colon | Kind::FatArrow | Kind::Arrow | Kind::Comma | Kind::LeftBrace => {}
                _ => diagnostic = diagnostic.repair("separate the two statements", self.since(self.last_end()), ";"),
            }
        }
        self.report(diagnostic);
    }

    /// `Map<A, B>` as an expression is a comparison and a comma.
    fn type_arguments_meant(&self, stmt: &Stmt) -> Option<Diagnostic> {
        let value = match &stmt.kind {
            StmtKind::Expr { expr, .. } => expr,
            StmtKind::Let { value, .. } | StmtKind::Assign { value, .. } => value,
            _ => return None,
        };
        let ExprKind::Binary(BinaryOp::Lt, left, right, sign) = &value.kind else { return None };
        let capital = |expr: &Expr| {
            matches!(expr.kind, ExprKind::Name(_) | ExprKind::Field(..))
                && self.text[expr.span.range()].starts_with(char::is_uppercase)
        };
        (self.kind() == Kind::Comma && capital(left) && capital(right)).then(|| super::expr::needs_colons(*sign))
    }

    /// What another language's word is in Fold.
    fn foreign(&self, stmt: &Stmt) -> Option<&'static str> {
        let StmtKind::Expr { expr: Expr { kind: ExprKind::Name(_), span }, .. } = &stmt.kind else { return None };
        if !matches!(self.kind(), Kind::Ident | Kind::LeftBrace | Kind::String) {
            return None;
        }
        Some(match &self.text[span.range()] {
            "loop" => "an endless loop is `while true { … }`",
            "struct" | "class" | "data" => "a type with fields is a `record`",
            "interface" | "protocol" => "what types have in common is a `trait`",
            "func" | "function" | "def" | "fun" | "proc" => "a function begins with `fn`",
            "mut" | "auto" => "a variable is declared by `var name = …`",
            "val" | "final" => "a name is bound by `let name = …`",
            "use" | "from" | "require" | "include" => "modules are imported by `import path/name`",
            "mod" | "module" | "namespace" | "package" => "each file is a module of its own",
            "switch" | "case" | "when" => "cases are told apart by `match value { pattern => … }`",
            "elif" | "elsif" | "elseif" => "write `else if`",
            "throw" | "raise" => "an error is returned: `return Err(…)`",
            "try" => "`?` after a value hands its error on",
            "unsafe" | "async" | "await" | "static" => "there is nothing like it in Fold",
            "foreach" => "write `for x in xs { … }`",
            "do" | "unless" | "until" => "write `while` or `if`",
            _ => return None,
        })
    }

    fn item_in_body(&mut self) -> Stmt {
        let start = self.token();
        let first = self.at;
        let word = self.slice(start);
        let message = format!("`{word}` stands at the top level only, not in a body");
        self.report(Diagnostic::error("F0116", self.span_of(start), message).help("move it out of the function"));
        let level = (self.depth, self.height);
        let before = self.errors;
        let (doc, doc_span) = self.doc();
        if self.item(doc, doc_span).is_err() {
            (self.depth, self.height) = level;
            debug_assert!(self.errors > before || self.stopped || self.said());
            self.skip_statement(first);
        }
        if self.tokens[self.at].start == start.start {
            self.bump();
        }
        Stmt { kind: StmtKind::Error, span: self.since(start.start) }
    }

    /// A statement, without what ends it.
    pub(super) fn stmt(&mut self) -> Parse<Stmt> {
        let start = self.token().start;
        let kind = match self.kind() {
            Kind::Let => self.let_stmt()?,
            Kind::Var => self.var_stmt()?,
            Kind::While | Kind::For => self.loop_stmt()?,
            Kind::Ident if self.nth(1).kind == Kind::Colon && matches!(self.nth(2).kind, Kind::While | Kind::For) => {
                self.loop_stmt()?
            }
            _ => self.expr_stmt()?,
        };
        Ok(Stmt { kind, span: self.since(start) })
    }

    fn let_stmt(&mut self) -> Parse<StmtKind> {
        self.bump();
        let token = self.token();
        if self.is_word(token, "mut") && matches!(self.nth(1).kind, Kind::Ident) {
            let words = Span { start: self.tokens[self.at - 1].start, ..self.here() };
            let diagnostic = Diagnostic::error("F0124", self.here(), "`mut` has no meaning here");
            self.report(diagnostic.repair("a variable is declared by `var`", words, "var"));
            return self.var_stmt();
        }
        let pattern = self.pattern()?;
        self.initialised(pattern)
    }

    fn var_stmt(&mut self) -> Parse<StmtKind> {
        let word = self.here();
        self.bump();
        // All names in it are variables: the same as `let (var a, var b)`.
        if matches!(self.kind(), Kind::LeftParen | Kind::LeftBracket) {
            let mut pattern = self.single_pattern()?;
            if !make_variables(&mut pattern) {
                let diagnostic = Diagnostic::error(
                    "F0120",
                    pattern.span,
                    "expected a name or a tuple of names after `var`, found a pattern",
                );
                self.report(diagnostic.help("write `var` before each name that changes: `let (var a, [b, ..]) = …`"));
            }
            return self.initialised(pattern);
        }
        let name = self.ident("a name after `var`")?;
        let kind = PatternKind::Bind { mutable: true, name, sub: None };
        self.initialised(Pattern { kind, span: word.to(name.span) })
    }

    /// `: T = value else { … }`
    fn initialised(&mut self, pattern: Pattern) -> Parse<StmtKind> {
        let ty = if self.eat(Kind::Colon) { Some(self.ty()?) } else { None };
        self.expect(Kind::Eq, if ty.is_some() { "`=` and a value" } else { "`:` and a type or `=` and a value" })?;
        let value = self.expr()?;
        let otherwise = if self.eat(Kind::Else) { Some(self.block("what runs otherwise")?) } else { None };
        Ok(StmtKind::Let { pattern, ty, value, otherwise })
    }

    fn loop_stmt(&mut self) -> Parse<StmtKind> {
        let label = if self.kind() == Kind::Ident {
            let label = self.ident("a label")?;
            self.bump();
            Some(label)
        } else {
            None
        };
        if self.eat(Kind::While) {
            let condition = self.head(true)?;
            let body = self.block("the body of `while`")?;
            return Ok(StmtKind::While { label, condition, body });
        }
        self.bump();
        let pattern = self.pattern()?;
        self.expect(Kind::In, "`in` and what is gone through")?;
        let value = self.head(false)?;
        let body = self.block("the body of `for`")?;
        Ok(StmtKind::For { label, pattern, value, body })
    }

    /// An expression or an assignment.
    pub(super) fn expr_stmt(&mut self) -> Parse<StmtKind> {
        let expr = self.expr()?;
        let token = self.token();
        let (op, count) = match assignment(token.kind) {
            Some(op) => (op, 1),
            None if token.kind == Kind::Greater
                && self.nth(1).kind == Kind::GreaterEq
                && self.nth(1).start == token.end =>
            {
                (Some(BinaryOp::Shr), 2)
            }
            None => return Ok(StmtKind::Expr { expr, ended: false }),
        };
        if !is_place(&expr, op.is_none()) {
            let diagnostic = Diagnostic::error("F0113", expr.span, "nothing can be assigned to this");
            self.report(diagnostic.label("expected a variable, a field or an element"));
        }
        self.skip(count);
        let value = self.expr()?;
        Ok(StmtKind::Assign { place: expr, op, value })
    }
}

/// Forgets the `;` after statements whose value is not that of their block anyhow. Those keep it that would be taken for mistakes.
pub(super) fn plain_ends(stmts: &mut [Stmt]) {
    for stmt in stmts {
        if let StmtKind::Expr { expr, ended } = &mut stmt.kind {
            *ended &= matches!(expr.kind, ExprKind::Closure { .. } | ExprKind::Unary(crate::syntax::UnaryOp::Neg, _));
        }
    }
}

/// Whether something can be assigned to it; several places at once in a tuple.
fn is_place(expr: &Expr, tuple: bool) -> bool {
    match &expr.kind {
        ExprKind::Name(_) | ExprKind::Field(..) | ExprKind::TupleField(..) | ExprKind::Error => true,
        ExprKind::Index(_, index) => !matches!(index.kind, ExprKind::Range { .. }),
        ExprKind::Tuple(places) => tuple && !places.is_empty() && places.iter().all(|place| is_place(place, true)),
        _ => false,
    }
}

/// Makes all names of a tuple variables; false if there is something else in it.
fn make_variables(pattern: &mut Pattern) -> bool {
    match &mut pattern.kind {
        PatternKind::Bind { mutable, sub: None, .. } => {
            *mutable = true;
            true
        }
        PatternKind::Wildcard | PatternKind::Error => true,
        PatternKind::Tuple(parts) => parts.iter_mut().all(make_variables),
        _ => false,
    }
}
