//! Literals, and texts with values in them.

use super::{Failed, Parse, Parser};
use crate::diagnostic::Diagnostic;
use crate::lexer::literal::{self, Problem};
use crate::lexer::{self, Kind, Token};
use crate::source::Span;
use crate::syntax::{Align, Expr, ExprKind, Format, FormatKind, Piece};

/// The most that a width or precision may be.
const MAX_WIDTH: u32 = 65_535;

impl Parser<'_> {
    /// A literal that is one token.
    pub(super) fn literal(&mut self) -> Parse<Expr> {
        let token = self.token();
        let span = self.here();
        let written = self.slice(token);
        let kind = match token.kind {
            Kind::Int => ExprKind::Int(self.integer(written, span)),
            Kind::Float => ExprKind::Float(literal::float(written)),
            Kind::True => ExprKind::Bool(true),
            Kind::False => ExprKind::Bool(false),
            Kind::Char => self.character(written, token),
            Kind::String => ExprKind::String(self.plain_text(token).into()),
            Kind::RawString => {
                let marks = written.bytes().skip(1).take_while(|byte| *byte == b'#').count();
                let content = &written[2 + marks..written.len() - 1 - marks];
                ExprKind::String(if content.contains('\r') {
                    content.replace("\r\n", "\n").into()
                } else {
                    content.into()
                })
            }
            Kind::Bytes => {
                let mut problems = Vec::new();
                let bytes = literal::bytes(&written[2..written.len() - 1], &mut problems);
                self.problems(token.start + 2, problems);
                ExprKind::Bytes(bytes.into())
            }
            Kind::Error => ExprKind::Error,
            _ => return Err(self.expected_as("F0101", "a literal")),
        };
        self.bump();
        Ok(Expr { kind, span })
    }

    /// A number. Whether one that only a minus makes fit has it, the types tell: here it may yet be that of a subtraction.
    fn integer(&mut self, written: &str, span: Span) -> Option<u64> {
        let value = literal::integer(written);
        let after_minus = self.at > 0 && self.tokens[self.at - 1].kind == Kind::Minus;
        let most = if after_minus { 1 << 63 } else { i64::MAX as u64 };
        if value.is_some_and(|value| value <= most || literal::is_bits(written)) {
            return value;
        }
        self.report(lexer::too_large(span));
        None
    }

    fn character(&mut self, written: &str, token: Token) -> ExprKind {
        match literal::character(&written[1..written.len() - 1]) {
            Ok(value) => ExprKind::Char(value),
            Err(problem) => {
                let whole = problem.code == "F0006";
                let span = if whole { self.span_of(token) } else { self.place(token.start + 1, &problem) };
                self.report(Diagnostic::error(problem.code, span, problem.message));
                ExprKind::Error
            }
        }
    }

    fn place(&self, start: u32, problem: &Problem) -> Span {
        let start = start + problem.at as u32;
        Span { file: self.file, start, end: start + problem.length as u32 }
    }

    fn problems(&mut self, start: u32, problems: Vec<Problem>) {
        for problem in problems {
            let span = self.place(start, &problem);
            let diagnostic = Diagnostic::error(problem.code, span, problem.message);
            self.report(match problem.code {
                "F0004" => diagnostic
                    .note("there are `\\n \\t \\r \\0 \\\\ \\\" \\' \\{ \\} \\x7F \\u{1F600}`")
                    .help("a backslash itself is `\\\\`"),
                _ => diagnostic,
            });
        }
    }

    /// The value of a text without interpolation.
    pub(super) fn plain_text(&mut self, token: Token) -> String {
        let written = self.slice(token);
        if !written.starts_with("\"\"\"") || written.len() < 6 {
            return self.unescape(&written[1..written.len() - 1], token.start + 1);
        }
        let content = &written[3..written.len() - 3];
        let mut parts = [content.to_owned()];
        self.unescape(content, token.start + 3);
        literal::dedent(&mut parts);
        literal::text(&parts[0], &mut Vec::new())
    }

    fn unescape(&mut self, written: &str, start: u32) -> String {
        let mut problems = Vec::new();
        let text = literal::text(written, &mut problems);
        self.problems(start, problems);
        text
    }

    /// A text with values in it, from its `StringStart`.
    pub(super) fn interpolation(&mut self) -> Parse<ExprKind> {
        let lines = self.slice(self.token()).starts_with("\"\"\"");
        let mut parts: Vec<String> = Vec::new();
        let mut values: Vec<(Expr, Option<Format>)> = Vec::new();
        loop {
            let token = self.token();
            let first = token.kind == Kind::StringStart;
            let last = token.kind == Kind::StringEnd;
            let written = self.slice(token);
            let marks = if lines { 3 } else { 1 };
            let from = if first { marks } else { 1 };
            let content = &written[from..written.len() - if last { marks } else { 1 }];
            self.bump();
            let text = self.unescape(content, token.start + from as u32);
            parts.push(if lines { content.to_owned() } else { text });
            if last {
                break;
            }
            values.push(self.value(token)?);
        }
        if lines {
            literal::dedent(&mut parts);
            for part in &mut parts {
                *part = literal::text(part, &mut Vec::new());
            }
        }
        let mut pieces = Vec::with_capacity(parts.len() + values.len());
        let mut values = values.into_iter();
        for part in parts {
            if !part.is_empty() {
                pieces.push(Piece::Text(part.into()));
            }
            pieces.extend(values.next().map(|(value, format)| Piece::Value(Box::new(value), format)));
        }
        Ok(ExprKind::Interpolation(pieces))
    }

    /// A value and its format, up to the next part of the text.
    fn value(&mut self, before: Token) -> Parse<(Expr, Option<Format>)> {
        let start = self.token().start;
        let level = (self.depth, self.height);
        if matches!(self.kind(), Kind::StringMiddle | Kind::StringEnd | Kind::Format) {
            let brace = Span { file: self.file, start: before.end - 1, end: self.token().start + 1 };
            let diagnostic =
                Diagnostic::error("F0015", brace, "an interpolation without a value").label("expected an expression");
            self.report(diagnostic.repair("write `{{}}` for braces that are meant as text", brace, "{{}}"));
        } else {
            let value = self.bracketed(false, Self::expr);
            let format = match self.kind() {
                Kind::Format => self.format(),
                _ => None,
            };
            match value {
                Ok(value) if matches!(self.kind(), Kind::StringMiddle | Kind::StringEnd) => return Ok((value, format)),
                Ok(_) if !self.said() && self.is_closed() => {
                    self.expected("`}` or `:` and a format after the value");
                }
                _ => {}
            }
        }
        (self.depth, self.height) = level;
        if self.skip_value() {
            Ok((Expr { kind: ExprKind::Error, span: self.since(start) }, None))
        } else {
            Err(Failed)
        }
    }

    /// Skips to the next part of the text; false if there is none.
    fn skip_value(&mut self) -> bool {
        while !matches!(self.kind(), Kind::StringMiddle | Kind::StringEnd) {
            if matches!(self.kind(), Kind::Eof | Kind::BrokenEnd) {
                self.bump();
                return false;
            }
            self.skip_group();
        }
        true
    }

    /// Whether the text around goes on. If it does not, that has been said.
    fn is_closed(&mut self) -> bool {
        let at = self.at;
        let closed = self.skip_value();
        self.at = at;
        closed
    }

    fn format(&mut self) -> Option<Format> {
        let token = self.bump();
        let span = self.span_of(token);
        match read_format(&self.slice(token)[1..], span) {
            Ok(format) => Some(format),
            Err(message) => {
                let diagnostic = Diagnostic::error("F0011", span, message);
                self.report(diagnostic.note("a format is `[[fill]<|>|^][+][#][0][width][.precision][b|o|x|X|e|?]`"));
                None
            }
        }
    }
}

/// Reads what is written after the `:`.
fn read_format(text: &str, span: Span) -> Result<Format, String> {
    let mut format = Format {
        fill: ' ',
        align: None,
        plus: false,
        prefix: false,
        zero: false,
        width: 0,
        precision: None,
        kind: FormatKind::Plain,
        span,
    };
    let mut rest = text.trim_end();
    let align = |c: Option<char>| match c {
        Some('<') => Some(Align::Left),
        Some('>') => Some(Align::Right),
        Some('^') => Some(Align::Center),
        _ => None,
    };
    let mut chars = rest.chars();
    let (first, second) = (chars.next(), chars.next());
    if let (Some(fill), Some(found)) = (first, align(second)) {
        (format.fill, format.align) = (fill, Some(found));
        rest = &rest[fill.len_utf8() + 1..];
    } else if let Some(found) = align(first) {
        format.align = Some(found);
        rest = &rest[1..];
    }
    let mut flag = |sign: char| match rest.strip_prefix(sign) {
        Some(after) => {
            rest = after;
            true
        }
        None => false,
    };
    (format.plus, format.prefix, format.zero) = (flag('+'), flag('#'), flag('0'));
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        format.width = number(&mut rest)?;
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        format.precision = Some(number(&mut rest)?);
    }
    format.kind = match rest {
        "" => FormatKind::Plain,
        "b" => FormatKind::Binary,
        "o" => FormatKind::Octal,
        "x" => FormatKind::Hex,
        "X" => FormatKind::UpperHex,
        "e" => FormatKind::Exponent,
        "?" => FormatKind::Debug,
        _ if text.is_empty() => FormatKind::Plain,
        _ => return Err(format!("`{}` is no format of a value", super::recover::shorten(rest))),
    };
    if text.is_empty() { Err("a `:` without a format".into()) } else { Ok(format) }
}

fn number(rest: &mut &str) -> Result<u32, String> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    if digits.is_empty() {
        return Err("expected a number after `.` in a format".into());
    }
    digits
        .parse()
        .ok()
        .filter(|value| *value <= MAX_WIDTH)
        .ok_or_else(|| format!("a width or precision of more than {MAX_WIDTH}"))
}
