//! Saying what is wrong, and going on after it.

use super::{Failed, Parse, Parser};
use crate::diagnostic::Diagnostic;
use crate::lexer::{self, Kind, Token};
use crate::source::Span;

/// Brackets.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    open: &'static str,
    close: Kind,
    mark: &'static str,
}

pub(super) const PARENS: Brackets = Brackets { open: "(", close: Kind::RightParen, mark: ")" };
pub(super) const SQUARE: Brackets = Brackets { open: "[", close: Kind::RightBracket, mark: "]" };
pub(super) const BRACES: Brackets = Brackets { open: "{", close: Kind::RightBrace, mark: "}" };
pub(super) const ANGLES: Brackets = Brackets { open: "<", close: Kind::Greater, mark: ">" };
pub(super) const BARS: Brackets = Brackets { open: "|", close: Kind::Or, mark: "|" };

impl Parser<'_> {
    /// Says what is wrong.
    #[cold]
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.stopped {
            return;
        }
        let span = diagnostic.primary.span;
        self.diagnostics.push(diagnostic);
        self.errors += 1;
        if self.errors >= lexer::MAX_ERRORS {
            self.diagnostics.push(lexer::too_many_errors(span));
            self.stop();
        }
    }

    /// Says what is wrong, for a function that cannot go on.
    #[cold]
    pub(super) fn fail(&mut self, diagnostic: Diagnostic) -> Failed {
        self.report(diagnostic);
        Failed
    }

    /// Whether the lexer has said what is wrong at this place.
    pub(super) fn said(&self) -> bool {
        let spoken = |kind| matches!(kind, Kind::Error | Kind::Broken | Kind::BrokenEnd);
        spoken(self.kind()) || (self.at > 0 && spoken(self.tokens[self.at - 1].kind))
    }

    /// What stands at this place, and where to point: at the end of the line if nothing more stands in it.
    pub(super) fn found(&self) -> (String, Span) {
        let token = self.token();
        if token.newline && self.at > self.begun {
            let what = if token.kind == Kind::Eof { "the end of the file" } else { "the end of the line" };
            return (what.into(), Span { file: self.file, start: self.last_end(), end: self.last_end() });
        }
        let what = match token.kind {
            Kind::Eof => "the end of the file".into(),
            Kind::StringMiddle | Kind::StringEnd => "the end of the interpolation".into(),
            Kind::String | Kind::RawString | Kind::StringStart => "a text".into(),
            Kind::Bytes => "bytes".into(),
            Kind::Format => "a format".into(),
            _ => format!("`{}`", shorten(self.slice(token))),
        };
        (what, self.here())
    }

    /// Something else is expected here.
    #[cold]
    pub(super) fn expected(&mut self, what: &str) -> Failed {
        self.expected_as("F0102", what)
    }

    #[cold]
    pub(super) fn expected_as(&mut self, code: &'static str, what: &str) -> Failed {
        if self.said() {
            return Failed;
        }
        let (found, span) = self.found();
        self.fail(
            Diagnostic::error(code, span, format!("expected {what}, found {found}")).label(format!("expected {what}")),
        )
    }

    /// Takes a token that has to be here.
    pub(super) fn expect(&mut self, kind: Kind, what: &str) -> Parse<Token> {
        if self.kind() == kind { Ok(self.bump()) } else { Err(self.expected(what)) }
    }

    /// Takes a `>`, also the first sign of `>=`.
    pub(super) fn eat_greater(&mut self) -> bool {
        match self.kind() {
            Kind::Greater => self.at += 1,
            Kind::GreaterEq => {
                let token = &mut self.tokens[self.at];
                token.kind = Kind::Eq;
                token.start += 1;
            }
            _ => return false,
        }
        true
    }

    fn at_close(&self, brackets: Brackets) -> bool {
        self.kind() == brackets.close || (brackets.close == Kind::Greater && self.kind() == Kind::GreaterEq)
    }

    fn eat_close(&mut self, brackets: Brackets) -> bool {
        if brackets.close == Kind::Greater { self.eat_greater() } else { self.eat(brackets.close) }
    }

    /// Elements between commas, after the opening bracket `open`, with the closing one. Ends of lines mean nothing in there.
    /// `broken` makes the element that stands for one that could not be parsed.
    pub(super) fn list<T>(
        &mut self,
        brackets: Brackets,
        open: Span,
        what: &str,
        parse: impl FnMut(&mut Self) -> Parse<T>,
        broken: impl FnMut(Span) -> Option<T>,
    ) -> Parse<Vec<T>> {
        self.bracketed(false, |p| p.elements(brackets, open, what, false, parse, broken))
    }

    /// See [`list`](Self::list); `by_line` if the end of a line ends an element too.
    pub(super) fn elements<T>(
        &mut self,
        brackets: Brackets,
        open: Span,
        what: &str,
        by_line: bool,
        mut parse: impl FnMut(&mut Self) -> Parse<T>,
        mut broken: impl FnMut(Span) -> Option<T>,
    ) -> Parse<Vec<T>> {
        let mut list = Vec::new();
        loop {
            if self.at_close(brackets) {
                self.skip_docs();
                self.eat_close(brackets);
                return Ok(list);
            }
            if self.kind() == Kind::Eof || self.kind().closes() || self.ends_list(by_line) {
                return self.not_closed(brackets, open).map(|()| list);
            }
            let start = self.at;
            let level = (self.depth, self.height);
            match parse(self) {
                Ok(element) => {
                    push_tight(&mut list, element);
                    if self.eat(Kind::Comma) || self.at_close(brackets) || (by_line && self.token().newline) {
                        continue;
                    }
                    if self.is_left_open(brackets, open) {
                        return self.not_closed(brackets, open).map(|()| list);
                    }
                    self.missing_comma(brackets, what);
                    if self.at > start && self.begins_element() {
                        continue;
                    }
                }
                Err(Failed) => {
                    (self.depth, self.height) = level;
                    let begin = self.tokens[start].start;
                    list.extend(broken(self.since(begin)));
                }
            }
            if !self.skip_element(brackets, by_line, start) {
                // Nothing closes it: whoever is around goes on from here.
                return Err(Failed);
            }
            self.eat(Kind::Comma);
        }
    }

    /// Whether the next line begins what is in no list.
    fn ends_list(&self, by_line: bool) -> bool {
        let token = self.token();
        if !token.newline {
            return false;
        }
        let item = self.begins_item(if token.kind == Kind::Pub { 1 } else { 0 });
        (item && self.at_margin(token)) || (!by_line && self.begins_declaration())
    }

    /// Whether an element could begin here, where a comma was left out.
    fn begins_element(&self) -> bool {
        let kind = self.kind();
        matches!(
            kind,
            Kind::Ident
                | Kind::Int
                | Kind::Float
                | Kind::Char
                | Kind::String
                | Kind::StringStart
                | Kind::Var
                | Kind::Pub
        ) || matches!(kind, Kind::True | Kind::False | Kind::SelfType | Kind::Underscore)
    }

    fn missing_comma(&mut self, brackets: Brackets, what: &str) {
        if self.said() {
            return;
        }
        let (found, span) = self.found();
        let message = format!("expected `,` or `{}` after {what}, found {found}", brackets.mark);
        let mut diagnostic =
            Diagnostic::error("F0102", span, message).label(format!("expected `,` or `{}`", brackets.mark));
        if self.begins_element() {
            let end = self.since(self.last_end());
            diagnostic = diagnostic.repair("separate the two with a comma", end, ",");
        }
        self.report(diagnostic);
    }

    /// Whether what comes next cannot be inside of brackets: a statement or a bracket of another kind.
    fn is_left_open(&self, brackets: Brackets, open: Span) -> bool {
        let token = self.token();
        let kind = token.kind;
        if kind == Kind::Eof || (kind.closes() && kind != brackets.close) {
            return true;
        }
        // Elements that begin in the line of the bracket end in it.
        let inside = self.text.get(open.end as usize..self.last_end() as usize).unwrap_or("");
        let one_line = brackets.close != Kind::RightBrace && inside.len() < 200 && !inside.contains('\n');
        token.newline && (one_line || self.begins_statement() || self.begins_item(0))
    }

    /// Whether what comes next is the beginning of a statement, not a part of an expression, type or pattern.
    fn begins_declaration(&self) -> bool {
        match self.kind() {
            Kind::For | Kind::While => true,
            Kind::Let | Kind::Var => {
                let (name, after) = (self.nth(1), self.nth(2).kind);
                name.kind == Kind::LeftParen
                    || (name.kind == Kind::Ident
                        && (after == Kind::Eq || (after == Kind::Colon && self.kind() == Kind::Let)))
            }
            _ => false,
        }
    }

    /// Whether what comes next begins a statement, where the one before could end.
    fn begins_statement(&self) -> bool {
        matches!(self.kind(), Kind::Return | Kind::Break | Kind::Continue | Kind::Assert) || self.begins_declaration()
    }

    /// A closing bracket is missing. Goes on as if it were there.
    #[cold]
    pub(super) fn not_closed(&mut self, brackets: Brackets, open: Span) -> Parse<()> {
        // Where several are missing at one place, the innermost stands for all.
        if self.unclosed == Some(self.at) {
            return Ok(());
        }
        if self.said() {
            return Err(Failed);
        }
        self.unclosed = Some(self.at);
        let (found, span) = self.found();
        let end = self.since(self.last_end());
        let message = format!("the `{}` is not closed: expected `{}`, found {found}", brackets.open, brackets.mark);
        let mut diagnostic = Diagnostic::error("F0103", span, message)
            .label(format!("expected `{}`", brackets.mark))
            .also(open, "opened here");
        let block = brackets.close == Kind::RightBrace;
        if let Some((other, close)) = self.misaligned.filter(|_| block) {
            diagnostic = diagnostic
                .also(other, "this one may be meant to end …")
                .also(close, "… before this, which ends it but is indented otherwise");
        } else {
            let indent = self.indentation(open.start).unwrap_or(0);
            let text = if block { format!("\n{}}}", " ".repeat(indent)) } else { brackets.mark.into() };
            diagnostic = diagnostic.repair(format!("close it with `{}`", brackets.mark), end, text);
        }
        self.report(diagnostic);
        Ok(())
    }

    /// How many bytes of white space the line of a place begins with, if its beginning is near.
    fn indentation(&self, place: u32) -> Option<usize> {
        let place = place as usize;
        let before = &self.text.as_bytes()[place.saturating_sub(300)..place];
        let line = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => &before[end + 1..],
            None if before.len() == place => before,
            None => return None,
        };
        Some(line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count())
    }

    /// Remembers the first block that ends in a line indented otherwise than the one in which it begins.
    pub(super) fn check_alignment(&mut self, open: Token) {
        let close = self.tokens[self.at - 1];
        if self.misaligned.is_some() || !close.newline || close.kind != Kind::RightBrace {
            return;
        }
        if let (Some(begin), Some(end)) = (self.indentation(open.start), self.indentation(close.start))
            && begin != end
        {
            self.misaligned = Some((self.span_of(open), self.span_of(close)));
        }
    }

    /// Skips to the next comma or the closing bracket; false if there is none before what is around ends.
    fn skip_element(&mut self, brackets: Brackets, by_line: bool, first: usize) -> bool {
        loop {
            let token = self.token();
            if self.at_close(brackets) || token.kind == Kind::Comma {
                return true;
            }
            if token.kind == Kind::Eof || token.kind.closes() || token.kind == Kind::Semicolon {
                return false;
            }
            if token.newline && self.at > first {
                if by_line {
                    return true;
                }
                if self.tokens[self.at - 1].kind == Kind::Broken {
                    return false;
                }
                if self.begins_declaration() || self.begins_item(0) {
                    return false;
                }
            }
            self.skip_group();
        }
    }

    /// Skips a token, or all that is in the brackets that it opens, as far as they belong to the same declaration.
    pub(super) fn skip_group(&mut self) {
        let mut depth = 0usize;
        loop {
            let token = self.token();
            if token.kind == Kind::Eof || (depth > 0 && token.newline && self.at_margin(token) && self.begins_item(0)) {
                return;
            }
            if token.kind.opens() {
                depth += 1;
            } else if token.kind.closes() {
                depth = depth.saturating_sub(1);
            }
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }

    /// Whether a token has nothing before it in its line.
    pub(super) fn at_margin(&self, token: Token) -> bool {
        token.start == 0 || self.text.as_bytes()[token.start as usize - 1] == b'\n'
    }

    /// Skips the rest of the statement that begins with the token of index `first`.
    pub(super) fn skip_statement(&mut self, first: usize) {
        loop {
            let token = self.token();
            match token.kind {
                Kind::Eof | Kind::Semicolon | Kind::RightBrace => return,
                _ if token.newline && self.at > first && !self.goes_on(token.kind) => return,
                _ => self.skip_group(),
            }
        }
    }

    /// Whether a line that begins with this goes on with the one before.
    pub(super) fn goes_on(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Dot | Kind::Else | Kind::RightParen | Kind::RightBracket | Kind::Comma | Kind::FatArrow)
    }

    /// Skips to the next item that begins a line.
    pub(super) fn skip_item(&mut self) {
        loop {
            if self.kind() == Kind::Eof {
                return;
            }
            self.skip_group();
            if self.token().newline && (self.begins_item(0) || self.at_margin(self.token())) {
                return;
            }
        }
    }
}

/// Adds to a list that is short in most cases, without making room for elements that do not come.
fn push_tight<T>(list: &mut Vec<T>, element: T) {
    if list.len() == list.capacity() && list.len() < 4 {
        list.reserve_exact(list.len().max(1));
    }
    list.push(element);
}

/// The text of a token, short enough for a message.
pub(super) fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if text.chars().nth(40).is_some() {
        shown.push('…');
    }
    shown
}
