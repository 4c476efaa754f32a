//! Tokens to syntax tree: recursive descent, with precedence climbing for operators.
//!
//! A function that cannot go on says why and returns `Err(Failed)`. Elements of bracketed lists, statements and items catch
//! that: they skip to where the next one begins, so that one error hides no other and causes none.
//!
//! Invariant: no path from the root of a tree to a leaf has more than [`MAX_DEPTH`] expressions, types, patterns and blocks, so
//! later phases may recurse. Chains as in `a + b + c` nest to the left and count as well.

mod expr;
mod item;
mod pattern;
mod primary;
mod recover;
mod stmt;
mod text;
mod types;

use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::{self, Doc, Kind, Lexed, Token};
use crate::names::{Name, Names};
use crate::source::{FileId, Span};
use crate::syntax::{Block, Comment, File, Ident, Item, ItemKind, Stmt};

/// The most levels of nesting.
pub const MAX_DEPTH: u32 = 256;

/// Parses a file. What is wrong with it is added to `diagnostics`; the tree holds what could be understood.
pub fn parse(id: FileId, text: &str, names: &mut Names, diagnostics: &mut Diagnostics) -> File {
    let lexed = lexer::lex(id, text, diagnostics);
    let text = if text.len() > lexer::MAX_FILE { "" } else { text };
    Parser::new(id, text, lexed, names, diagnostics).file()
}

/// Parses a declaration of the standard library without what is `inside` it: the functions of a trait or an `impl`, or a function's body, which
/// is for [`body`]. It stands alone, also where it is a function of a trait or an `impl`.
pub(crate) fn declaration(
    span: Span,
    inside: Span,
    text: &str,
    names: &mut Names,
    diagnostics: &mut Diagnostics,
) -> Item {
    let lexed = lexer::lex_declaration(span, inside, text, diagnostics);
    let mut parser = Parser::new(span.file, text, lexed, names, diagnostics);
    parser.outline = true;
    parser.declaration().unwrap_or(Item { doc: None, doc_span: None, public: false, kind: ItemKind::Error, span })
}

/// Parses a body that [`declaration`] left out.
pub(crate) fn body(span: Span, text: &str, names: &mut Names, diagnostics: &mut Diagnostics) -> Block {
    let lexed = lexer::lex_part(span, text, diagnostics);
    let mut parser = Parser::new(span.file, text, lexed, names, diagnostics);
    parser.block("the body").unwrap_or(Block { stmts: Vec::new(), span })
}

/// What was found wrong has been said.
#[derive(Clone, Copy, Debug)]
struct Failed;

type Parse<T> = Result<T, Failed>;

struct Parser<'a> {
    file: FileId,
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    docs: Vec<Doc>,
    /// How many of `docs` have been passed.
    doc: usize,
    lexed_comments: Vec<Comment>,
    /// Documentation that documents nothing.
    comments: Vec<Comment>,
    /// The statements of all blocks that are being parsed.
    stmts: Vec<Stmt>,
    names: &'a mut Names,
    self_name: Name,
    diagnostics: &'a mut Diagnostics,
    errors: usize,
    /// Whether a limit was reached: the rest is not looked at, and nothing more is said.
    stopped: bool,
    /// The token with which the innermost statement, declaration or element that was begun last begins.
    begun: usize,
    /// The token before which a closing bracket was last found missing.
    unclosed: Option<usize>,
    /// In this item, the first block whose end is indented otherwise than its beginning: its braces.
    misaligned: Option<(Span, Span)>,
    /// Whether ends of lines mean something: not directly inside of `( )` and `[ ]`.
    lines: bool,
    /// Whether braces after a path are a record: not in the head of `if`, `while`, `for`, `match`.
    records: bool,
    /// Whether `let` is a condition here.
    lets: bool,
    /// Whether the ends of a range may be left out.
    open_ranges: bool,
    /// Whether this is a declaration of the standard library, of which a body may be left out, and which may be of a trait.
    outline: bool,
    /// How many nodes are around this place.
    depth: u32,
    /// How many nodes are below each other in what was last parsed at this level.
    height: u32,
}

impl<'a> Parser<'a> {
    fn new(file: FileId, text: &'a str, lexed: Lexed, names: &'a mut Names, diagnostics: &'a mut Diagnostics) -> Self {
        let self_name = names.intern("self");
        Parser {
            file,
            text,
            tokens: lexed.tokens,
            at: 0,
            docs: lexed.docs,
            doc: 0,
            lexed_comments: lexed.comments,
            comments: Vec::new(),
            stmts: Vec::new(),
            names,
            self_name,
            diagnostics,
            errors: lexed.errors,
            stopped: lexed.stopped,
            begun: 0,
            unclosed: None,
            misaligned: None,
            lines: true,
            records: true,
            lets: false,
            open_ranges: false,
            outline: false,
            depth: 0,
            height: 0,
        }
    }

    // Tokens.

    #[inline]
    fn token(&self) -> Token {
        self.tokens[self.at]
    }

    #[inline]
    fn kind(&self) -> Kind {
        self.tokens[self.at].kind
    }

    #[inline]
    fn nth(&self, n: usize) -> Token {
        self.tokens[(self.at + n).min(self.tokens.len() - 1)]
    }

    /// Whether the line ended before this token, where that means something.
    #[inline]
    fn line_ended(&self) -> bool {
        self.lines && self.tokens[self.at].newline
    }

    #[inline]
    fn bump(&mut self) -> Token {
        let token = self.tokens[self.at];
        if token.kind != Kind::Eof {
            self.at += 1;
        }
        token
    }

    /// Goes over tokens that were looked at, unless what was said meanwhile gave the rest of the file up.
    #[inline]
    fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.tokens.len() - 1);
    }

    #[inline]
    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.at += 1;
        }
        found
    }

    fn span_of(&self, token: Token) -> Span {
        Span { file: self.file, start: token.start, end: token.end }
    }

    /// The span of the token that is next.
    fn here(&self) -> Span {
        self.span_of(self.token())
    }

    /// The end of the token before.
    fn last_end(&self) -> u32 {
        if self.at == 0 { 0 } else { self.tokens[self.at - 1].end }
    }

    /// From `start` to the end of the token before.
    #[inline]
    fn since(&self, start: u32) -> Span {
        Span { file: self.file, start, end: self.last_end().max(start) }
    }

    fn slice(&self, token: Token) -> &'a str {
        &self.text[token.start as usize..token.end as usize]
    }

    /// Whether the token is this name, which is no reserved word.
    fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == Kind::Ident && self.slice(token) == word
    }

    fn intern(&mut self, token: Token) -> Ident {
        let span = self.span_of(token);
        Ident { name: self.names.intern(self.slice(token)), span }
    }

    /// A name.
    fn ident(&mut self, what: &str) -> Parse<Ident> {
        let token = self.token();
        if token.kind == Kind::Ident {
            self.at += 1;
            return Ok(self.intern(token));
        }
        if token.kind.is_keyword() && !self.line_ended() {
            let word = self.slice(token);
            let message = format!("expected {what}, found the reserved word `{word}`");
            let diagnostic = Diagnostic::error("F0109", self.here(), message).label("not a name that can be given");
            return Err(self.fail(diagnostic.repair("choose another name", self.here(), format!("{word}_"))));
        }
        Err(self.expected(what))
    }

    /// Whether the name of a token begins with a capital letter.
    fn is_capital(&self, token: Token) -> bool {
        self.slice(token).chars().next().is_some_and(char::is_uppercase)
    }

    // Nesting.

    /// Goes down one level; [`leave`](Self::leave) with the result goes up.
    #[inline]
    fn enter(&mut self) -> Parse<u32> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        Ok(std::mem::take(&mut self.height))
    }

    #[inline]
    fn leave(&mut self, outer: u32) {
        self.depth -= 1;
        self.height = outer.max(self.height + 1);
    }

    /// What was parsed at this level becomes a part of a further node at this level.
    #[inline]
    fn wrap(&mut self) -> Parse<()> {
        self.height += 1;
        if self.depth + self.height > MAX_DEPTH { Err(self.too_deep()) } else { Ok(()) }
    }

    #[cold]
    fn too_deep(&mut self) -> Failed {
        let message = format!("more than {MAX_DEPTH} levels of nesting, which is the most that there may be");
        let failed = self.fail(
            Diagnostic::error("F0702", self.here(), message)
                .note("each operator and each call in a chain counts as a level")
                .help("give parts of it names of their own"),
        );
        self.stop();
        failed
    }

    /// Gives the rest of the file up.
    fn stop(&mut self) {
        self.stopped = true;
        self.at = self.tokens.len() - 1;
    }

    /// Parses something in which ends of lines, records and conditions are as in no head: inside of brackets.
    #[inline]
    fn bracketed<T>(&mut self, lines: bool, parse: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.lines, self.records, self.lets, self.open_ranges);
        (self.lines, self.records, self.lets, self.open_ranges) = (lines, true, false, false);
        let result = parse(self);
        (self.lines, self.records, self.lets, self.open_ranges) = before;
        result
    }

    // Documentation.

    /// The documentation directly before the next token, and where it begins.
    fn doc(&mut self) -> (Option<Rc<str>>, Option<Span>) {
        let mut lines: Vec<&str> = Vec::new();
        let mut first = None;
        while let Some(&doc) = self.docs.get(self.doc).filter(|doc| doc.before as usize <= self.at) {
            self.doc += 1;
            if doc.inner || doc.trailing || (doc.before as usize) < self.at {
                self.stray_doc(doc);
                continue;
            }
            first = first.or(Some(doc.span));
            lines.push(doc_line(&self.text[doc.span.range()]));
        }
        ((!lines.is_empty()).then(|| lines.join("\n").into()), first)
    }

    /// The `//!` lines at the beginning.
    fn module_doc(&mut self) -> Option<Rc<str>> {
        let mut lines: Vec<&str> = Vec::new();
        while let Some(doc) = self.docs.get(self.doc).filter(|doc| doc.before == 0 && doc.inner) {
            lines.push(doc_line(&self.text[doc.span.range()]));
            self.doc += 1;
        }
        (!lines.is_empty()).then(|| lines.join("\n").into())
    }

    /// Passes documentation of something that has none.
    fn skip_docs(&mut self) {
        while let Some(&doc) = self.docs.get(self.doc).filter(|doc| doc.before as usize <= self.at) {
            self.doc += 1;
            self.stray_doc(doc);
        }
    }

    fn stray_doc(&mut self, doc: Doc) {
        self.comments.push(Comment { span: doc.span, trailing: doc.trailing });
        if !self.stopped {
            let message = if doc.inner {
                "documentation of a module stands before everything else in it"
            } else {
                "this documents nothing: what follows is no declaration"
            };
            let marks = Span { end: doc.span.start + 3, ..doc.span };
            self.diagnostics.push(Diagnostic::warning("F0119", doc.span, message).repair(
                "make it a comment",
                marks,
                "//",
            ));
        }
    }
}

/// A line of documentation without its marks.
fn doc_line(line: &str) -> &str {
    let line = &line[3..];
    line.strip_prefix(' ').unwrap_or(line)
}
