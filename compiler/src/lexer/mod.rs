//! Source text to tokens.
//!
//! All tokens of a file are made at once, in one flat list: a text with interpolation is a `StringStart`, the tokens of the value,
//! a `StringMiddle` for each further value, and a `StringEnd`. Ends of lines are a mark on the token after them; what they
//! mean is for the parser to say. Comments are kept aside: the parser looks for documentation there, the formatter for the others.

mod scan;
mod token;

pub mod literal;

use std::ops::Range;

use logos::{Lexer as Logos, Logos as _};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::Comment;

pub(crate) use scan::turns_direction;
pub use token::{KEYWORDS, Kind, Token, WORDS};

/// The most bytes that a source file may have.
pub const MAX_FILE: usize = 16 << 20;
/// The most tokens.
pub const MAX_TOKENS: usize = 4 << 20;
/// The most bytes of a name.
pub const MAX_NAME: usize = 255;
/// After so many errors a file is given up.
pub const MAX_ERRORS: usize = 100;

/// The tokens of a file and what stands between them.
#[derive(Debug, Default)]
pub struct Lexed {
    /// In order; the last one is `Eof`.
    pub tokens: Vec<Token>,
    /// All comments but documentation.
    pub comments: Vec<Comment>,
    /// `///` and `//!` lines.
    pub docs: Vec<Doc>,
    /// How many errors there were.
    pub errors: usize,
    /// Whether the end was not reached; an error says why.
    pub stopped: bool,
}

/// A line of documentation.
#[derive(Clone, Copy, Debug)]
pub struct Doc {
    /// With its marks.
    pub span: Span,
    /// The index of the token after it.
    pub before: u32,
    /// Whether it is of what is around it (`//!`).
    pub inner: bool,
    /// Whether something stands before it in its line.
    pub trailing: bool,
}

/// Makes the tokens of a text.
pub fn lex(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Lexed {
    if text.len() > MAX_FILE {
        let message = format!("the file has {} bytes; {MAX_FILE} is the most that a source file may have", text.len());
        diagnostics.push(Diagnostic::error("F0701", Span::new(file, 0, 0), message));
        let eof = Token { kind: Kind::Eof, newline: true, start: 0, end: 0 };
        return Lexed { tokens: vec![eof], errors: 1, stopped: true, ..Lexed::default() };
    }
    let mut lexer = Lexer::new(file, text, text.len(), diagnostics);
    lexer.start();
    lexer.run();
    lexer.out
}

/// Makes the tokens of a declaration of the standard library, but for those of what is `inside` of it.
pub(crate) fn lex_declaration(span: Span, inside: Span, text: &str, diagnostics: &mut Diagnostics) -> Lexed {
    let outside = (span.end - span.start).saturating_sub(inside.end - inside.start);
    let mut lexer = Lexer::part(span, text, outside as usize, diagnostics);
    lexer.left_out = Some(inside.range()).filter(|inside| !inside.is_empty());
    lexer.run();
    lexer.out
}

/// Makes the tokens of a part of a text of the standard library.
pub(crate) fn lex_part(span: Span, text: &str, diagnostics: &mut Diagnostics) -> Lexed {
    let mut lexer = Lexer::part(span, text, (span.end - span.start) as usize, diagnostics);
    lexer.run();
    lexer.out
}

/// An interpolation that is being read.
struct Open {
    /// Whether its text may go over several lines.
    lines: bool,
    /// Where the text begins.
    quote: usize,
    /// Where its `{` is.
    brace: usize,
    /// How many brackets are open in it.
    depth: u32,
    /// How many of them are braces.
    braces: u32,
}

struct Lexer<'a> {
    file: FileId,
    text: &'a str,
    logos: Logos<'a, Kind>,
    out: Lexed,
    open: Vec<Open>,
    /// Whether the next token begins a line.
    newline: bool,
    /// Whether nothing stands in this line yet.
    fresh: bool,
    /// What is between braces and to be left out.
    left_out: Option<Range<usize>>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Lexer<'a> {
    fn new(file: FileId, text: &'a str, size: usize, diagnostics: &'a mut Diagnostics) -> Self {
        Lexer {
            file,
            text,
            logos: Kind::lexer(text),
            out: Lexed { tokens: Vec::with_capacity(size / 5 + 1), ..Lexed::default() },
            open: Vec::new(),
            newline: true,
            fresh: true,
            left_out: None,
            diagnostics,
        }
    }

    /// One for a part of a text, in which there will be tokens for so many bytes.
    fn part(span: Span, text: &'a str, size: usize, diagnostics: &'a mut Diagnostics) -> Self {
        let text = text.get(..span.end as usize).unwrap_or_default();
        let mut lexer = Lexer::new(span.file, text, size, diagnostics);
        lexer.logos.bump((span.start as usize).min(text.len()));
        lexer
    }
}

impl Lexer<'_> {
    /// What may stand before everything else; characters that are allowed nowhere.
    fn start(&mut self) {
        if let Some(at) = scan::forbidden(self.text) {
            self.forbidden(at);
        }
        let mut begin = if self.text.starts_with('\u{feff}') { 3 } else { 0 };
        if self.text[begin..].starts_with("#!") {
            begin += self.text[begin..].find('\n').unwrap_or(self.text.len() - begin);
        }
        self.logos.bump(begin);
    }

    fn run(&mut self) {
        while let Some(kind) = self.logos.next() {
            let (start, end) = (self.logos.span().start, self.logos.span().end);
            match kind {
                Ok(Kind::Ident) => self.word(start, end),
                Ok(Kind::Newline) => self.end_of_line(start),
                Ok(Kind::Digit) => self.number(start),
                Ok(Kind::Quote) => self.string(start, end, false),
                Ok(Kind::TripleQuote) => self.string(start, end, true),
                Ok(Kind::LineComment) => self.line_comment(start, end),
                Ok(Kind::BlockComment) => self.block_comment(start),
                Ok(Kind::Tick) => self.character(start),
                Ok(Kind::NonAscii) => self.non_ascii(start),
                Ok(kind) if self.open.is_empty() => {
                    self.push(kind, start, end);
                    if let Some(inside) = self.left_out.take_if(|inside| inside.start == end) {
                        self.seek(inside.end);
                        self.newline = true;
                    }
                }
                Ok(kind) => self.inside(kind, start, end),
                Err(()) => self.unexpected(start),
            }
            if self.out.tokens.len() > MAX_TOKENS && !self.out.stopped {
                let message = format!("the file has more than {MAX_TOKENS} tokens, which is the most that it may have");
                self.error(Diagnostic::error("F0704", self.span(start, end), message));
                self.out.stopped = true;
            }
            if self.out.stopped {
                break;
            }
        }
        let end = self.text.len();
        if !self.out.stopped {
            if let Some(open) = self.open.last() {
                let (quote, brace) = (open.quote, open.brace);
                self.interpolation_not_closed(quote, brace);
            }
            while self.open.pop().is_some() {
                self.push(Kind::BrokenEnd, end, end);
            }
        }
        self.newline = true;
        self.push(Kind::Eof, end, end);
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        self.out.tokens.push(Token { kind, newline: self.newline, start: start as u32, end: end as u32 });
        self.newline = false;
        self.fresh = false;
    }

    /// Moves on to `end`, which is not before where the lexer is.
    fn seek(&mut self, end: usize) {
        let at = self.logos.span().end;
        self.logos.bump(end - at);
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        if self.out.stopped {
            return;
        }
        let span = diagnostic.primary.span;
        self.diagnostics.push(diagnostic);
        self.out.errors += 1;
        if self.out.errors >= MAX_ERRORS {
            self.diagnostics.push(too_many_errors(span));
            self.out.stopped = true;
        }
    }

    fn end_of_line(&mut self, at: usize) {
        self.newline = true;
        self.fresh = true;
        let Some(open) = self.open.last() else { return };
        if open.lines {
            return;
        }
        let (quote, brace) = (open.quote, open.brace);
        self.newline = false;
        self.interpolation_not_closed(quote, brace);
        self.break_line(at);
        self.newline = true;
        self.fresh = true;
    }

    /// Ends all texts that end with their line.
    fn break_line(&mut self, at: usize) {
        while self.open.pop_if(|open| !open.lines).is_some() {
            self.push(Kind::BrokenEnd, at, at);
        }
    }

    #[inline]
    fn word(&mut self, start: usize, mut end: usize) {
        let bytes = self.text.as_bytes();
        match bytes.get(end) {
            Some(b'"') if end - start == 1 && bytes[start] == b'b' => return self.bytes(start, end + 1),
            Some(b'"' | b'#') if end - start == 1 && bytes[start] == b'r' && self.raw_string(start, end) => return,
            Some(byte) if !byte.is_ascii() => {
                end = scan::word_end(self.text, end);
                self.seek(end);
            }
            _ => {}
        }
        if end - start > MAX_NAME {
            return self.long_name(start, end);
        }
        self.push(Kind::Ident, start, end);
    }

    fn non_ascii(&mut self, start: usize) {
        let Some(first) = self.text[start..].chars().next() else { return };
        if !unicode_ident::is_xid_start(first) {
            return self.unexpected(start);
        }
        let end = scan::word_end(self.text, start + first.len_utf8());
        self.seek(end);
        if end - start > MAX_NAME {
            return self.long_name(start, end);
        }
        self.push(Kind::Ident, start, end);
    }

    fn long_name(&mut self, start: usize, end: usize) {
        let message = format!("a name of {} bytes; {MAX_NAME} is the most that one may have", end - start);
        self.error(Diagnostic::error("F0705", self.span(start, end), message));
        self.push(Kind::Error, start, end);
    }

    /// Brackets and colons in an interpolation.
    fn inside(&mut self, kind: Kind, start: usize, end: usize) {
        let Some(open) = self.open.last_mut() else { return };
        match kind {
            Kind::RightBrace if open.braces == 0 => {
                let (lines, quote) = (open.lines, open.quote);
                self.open.pop();
                return self.text_part(start, end, quote, lines, true);
            }
            Kind::Colon if open.depth == 0 => {
                let rest = &self.text[end..];
                let end = end + rest.find(['}', '"', '\n', '{']).unwrap_or(rest.len());
                self.seek(end);
                return self.push(Kind::Format, start, end);
            }
            Kind::LeftParen | Kind::LeftBracket | Kind::LeftBrace => {
                open.depth += 1;
                open.braces += u32::from(kind == Kind::LeftBrace);
            }
            Kind::RightParen | Kind::RightBracket | Kind::RightBrace => {
                open.depth = open.depth.saturating_sub(1);
                open.braces -= u32::from(kind == Kind::RightBrace);
            }
            _ => {}
        }
        self.push(kind, start, end);
    }

    /// A backslash in an interpolation: the brace was meant as text. Goes on after the text.
    fn escape_inside(&mut self, start: usize) {
        let Some(open) = self.open.pop() else { return };
        let brace = self.span(open.brace, open.brace + 1);
        let diagnostic =
            Diagnostic::error("F0001", self.span(start, start + 1), "an escape in a value that is put into a text")
                .also(brace, "the value begins here");
        self.error(diagnostic.repair("write `{{` for a brace that is meant as text", brace, "{{"));
        self.push(Kind::Error, start, start + 1);
        let mut from = start;
        let end = loop {
            match scan::text(self.text, from, open.lines) {
                scan::Stop::End(end) => break end,
                scan::Stop::Open(at) => from = at,
                scan::Stop::Stray(at) => from = at + 1,
                scan::Stop::Broken(end) => {
                    self.seek(end);
                    self.push(Kind::BrokenEnd, end, end);
                    return self.break_line(end);
                }
            }
        };
        self.seek(end);
        self.push(Kind::StringEnd, start, end);
    }

    fn string(&mut self, start: usize, end: usize, lines: bool) {
        self.text_part(start, end, start, lines, false);
    }

    /// Reads text up to the next interpolation or its end, from `at`; the token begins at `start`.
    fn text_part(&mut self, start: usize, at: usize, quote: usize, lines: bool, later: bool) {
        let mut from = at;
        loop {
            match scan::text(self.text, from, lines) {
                scan::Stop::Stray(at) => {
                    let diagnostic =
                        Diagnostic::error("F0010", self.span(at, at + 1), "a `}` in a text that closes nothing");
                    self.error(diagnostic.repair(
                        "write `}}` for a brace that is meant as text",
                        self.span(at, at + 1),
                        "}}",
                    ));
                    from = at + 1;
                }
                scan::Stop::End(end) => {
                    self.seek(end);
                    return self.push(if later { Kind::StringEnd } else { Kind::String }, start, end);
                }
                scan::Stop::Open(end) => {
                    self.seek(end);
                    self.push(if later { Kind::StringMiddle } else { Kind::StringStart }, start, end);
                    return self.open.push(Open { lines, quote, brace: end - 1, depth: 0, braces: 0 });
                }
                scan::Stop::Broken(end) => {
                    self.seek(end);
                    return self.text_not_closed(quote, end, lines);
                }
            }
        }
    }

    fn text_not_closed(&mut self, quote: usize, end: usize, lines: bool) {
        match self.open.last() {
            Some(open) if !open.lines && !lines => {
                let (quote, brace) = (open.quote, open.brace);
                self.interpolation_not_closed(quote, brace);
            }
            _ => {
                let (marks, place) = if lines { ("\"\"\"", "the file") } else { ("\"", "the line") };
                let message = format!("the text is not closed before {place} ends");
                let diagnostic = Diagnostic::error("F0002", self.span(quote, quote + marks.len()), message)
                    .label(format!("the text begins here; expected `{marks}` at its end"));
                self.error(if lines {
                    diagnostic
                } else {
                    diagnostic.repair(
                        "close it, or use `\"\"\"` for a text of several lines",
                        self.span(end, end),
                        "\"",
                    )
                });
            }
        }
        self.push(Kind::Broken, quote, end);
        self.break_line(end);
    }

    fn interpolation_not_closed(&mut self, quote: usize, brace: usize) {
        let diagnostic =
            Diagnostic::error("F0009", self.span(brace, brace + 1), "an interpolation in a text is not closed")
                .label("expected `}` after the value that begins here")
                .also(self.span(quote, quote + 1), "in this text")
                .repair("write `{{` for a brace that is meant as text", self.span(brace, brace + 1), "{{");
        self.error(diagnostic);
    }

    /// Reads `r"…"` or `r#"…"#`; tells whether it was one.
    fn raw_string(&mut self, start: usize, after: usize) -> bool {
        let marks = self.text.as_bytes()[after..].iter().take_while(|byte| **byte == b'#').count();
        if self.text.as_bytes().get(after + marks) != Some(&b'"') {
            return false;
        }
        match scan::raw(self.text, after + marks + 1, marks) {
            Some(end) => {
                self.seek(end);
                self.push(Kind::RawString, start, end);
            }
            None => {
                let message = "the raw text is not closed before the file ends";
                let open = &self.text[start + 1..(after + marks + 1).min(start + 40)];
                let close: String = open.chars().rev().collect();
                let diagnostic = Diagnostic::error("F0002", self.span(start, after + marks + 1), message)
                    .label(format!("the text begins here; expected `{close}` at its end"));
                self.error(diagnostic);
                self.seek(self.text.len());
                self.push(Kind::Broken, start, self.text.len());
            }
        }
        true
    }

    fn bytes(&mut self, start: usize, from: usize) {
        match scan::bytes(self.text, from) {
            Ok(end) => {
                self.seek(end);
                self.push(Kind::Bytes, start, end);
            }
            Err(end) => {
                self.seek(end);
                self.text_not_closed(start + 1, end, false);
            }
        }
    }

    fn character(&mut self, start: usize) {
        match scan::character(self.text, start + 1) {
            Some(end) => {
                self.seek(end);
                self.push(Kind::Char, start, end);
            }
            None => {
                let span = self.span(start, start + 1);
                let diagnostic = Diagnostic::error("F0006", span, "a character literal is not closed")
                    .label("expected one character and `'` after this");
                self.error(diagnostic.help("texts are written in double quotes"));
                self.push(Kind::Error, start, start + 1);
            }
        }
    }

    fn number(&mut self, start: usize) {
        let (end, kind) = scan::number(self.text, start);
        self.seek(end);
        match literal::check_number(&self.text[start..end]) {
            Ok(()) => self.push(kind, start, end),
            Err(problem) => {
                let span = self.span(start + problem.at, (start + problem.at + problem.length).min(end));
                self.error(Diagnostic::error("F0007", span, problem.message));
                self.push(Kind::Error, start, end);
            }
        }
    }

    fn line_comment(&mut self, start: usize, end: usize) {
        let text = &self.text[start..end];
        let end = start + text.trim_end().len();
        let span = self.span(start, end);
        let trailing = !self.fresh;
        let inner = text.starts_with("//!");
        if inner || (text.starts_with("///") && !text.starts_with("////")) {
            let before = self.out.tokens.len() as u32;
            self.out.docs.push(Doc { span, before, inner, trailing });
        } else if self.open.is_empty() {
            self.out.comments.push(Comment { span, trailing });
        }
        self.fresh = false;
    }

    fn block_comment(&mut self, start: usize) {
        let Some(end) = scan::block_comment(self.text, start) else {
            let diagnostic = Diagnostic::error("F0003", self.span(start, start + 2), "the comment is not closed");
            self.error(diagnostic.label("expected a `*/` for this `/*` (comments nest)"));
            self.seek(self.text.len());
            self.out.stopped = true;
            return;
        };
        self.seek(end);
        if self.open.is_empty() {
            self.out.comments.push(Comment { span: self.span(start, end), trailing: !self.fresh });
        }
        self.fresh = false;
        if self.text[start..end].contains('\n') && self.open.last().is_none_or(|open| open.lines) {
            self.newline = true;
        }
    }

    fn forbidden(&mut self, at: usize) {
        let Some(found) = self.text[at..].chars().next() else { return };
        let code = found as u32;
        let diagnostic = if scan::turns_direction(found) {
            Diagnostic::error(
                "F0012",
                self.span(at, at + found.len_utf8()),
                format!("the invisible character U+{code:04X} in the source"),
            )
            .label("it changes the direction of what is shown after it")
            .note("a program with such characters does not read as it runs")
            .repair(
                "write it as an escape in a text",
                self.span(at, at + found.len_utf8()),
                format!("\\u{{{code:X}}}"),
            )
        } else {
            Diagnostic::error(
                "F0013",
                self.span(at, at + found.len_utf8()),
                format!("the control character U+{code:04X} in the source"),
            )
            .help("write it as an escape in a text")
        };
        self.error(diagnostic);
    }

    fn unexpected(&mut self, start: usize) {
        if self.text[start..].starts_with('\\') && !self.open.is_empty() {
            return self.escape_inside(start);
        }
        let end = scan::unexpected_end(self.text, start);
        self.seek(end.max(self.logos.span().end));
        let end = self.logos.span().end;
        let shown: String = self.text[start..end].chars().take(20).collect();
        let mut diagnostic =
            Diagnostic::error("F0001", self.span(start, end), format!("`{shown}` has no meaning in Fold"));
        if let Some(open) = self.open.last() {
            let brace = self.span(open.brace, open.brace + 1);
            diagnostic = diagnostic
                .also(brace, "a value is expected after this brace")
                .help("write `{{` for a brace that is meant as text");
        } else {
            diagnostic = diagnostic.help(scan::advice(&self.text[start..end]));
        }
        if !self.text[start..end].chars().all(|c| (c.is_control() && c != '\n') || scan::turns_direction(c)) {
            self.error(diagnostic);
        }
        self.push(Kind::Error, start, end);
    }
}

/// The error of a number that is too large.
pub(crate) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("F0008", span, "the number does not fit in an Int")
        .note("an Int goes from -9223372036854775808 to 9223372036854775807")
}

/// The error that says that more errors are not shown.
pub(crate) fn too_many_errors(span: Span) -> Diagnostic {
    Diagnostic::error(
        "F0703",
        span,
        format!("there are {MAX_ERRORS} errors in this file; what is after this place was not looked at"),
    )
}
