//! Tokens.

use logos::Logos;

/// A token, and whether a line begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Whether there is an end of line between it and the token before.
    pub newline: bool,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// What a token is. Variants without a pattern are made by hand, in [`super::lex`].
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[logos(skip r"[ \t\r]+")]
#[allow(missing_docs)]
pub enum Kind {
    #[regex(r"\n[ \t\r\n]*")]
    Newline,
    #[regex("//[^\n]*")]
    LineComment,
    #[token("/*")]
    BlockComment,
    /// The first byte of something beyond ASCII.
    #[regex(r"[^\x00-\x7F]")]
    NonAscii,
    /// The first digit of a number.
    #[regex("[0-9]")]
    Digit,
    #[token("\"")]
    Quote,
    #[token("\"\"\"")]
    TripleQuote,
    #[token("'")]
    Tick,

    /// The end of the text.
    Eof,
    /// What is wrong here has been said.
    Error,
    /// A text that its line or the file ends too early.
    Broken,
    /// The end of a text in which an interpolation is not closed.
    BrokenEnd,
    Int,
    Float,
    Char,
    /// `"…"` or `"""…"""` without interpolation.
    String,
    /// `r"…"`, `r#"…"#`
    RawString,
    /// `b"…"`
    Bytes,
    /// `"…{`
    StringStart,
    /// `}…{`
    StringMiddle,
    /// `}…"`
    StringEnd,
    /// `:…` before the end of an interpolation.
    Format,

    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Ident,
    #[token("_", priority = 3)]
    Underscore,
    #[token("assert")]
    Assert,
    #[token("break")]
    Break,
    #[token("const")]
    Const,
    #[token("continue")]
    Continue,
    #[token("dyn")]
    Dyn,
    #[token("else")]
    Else,
    #[token("enum")]
    Enum,
    #[token("false")]
    False,
    #[token("fn")]
    Fn,
    #[token("for")]
    For,
    #[token("if")]
    If,
    #[token("impl")]
    Impl,
    #[token("import")]
    Import,
    #[token("in")]
    In,
    #[token("let")]
    Let,
    #[token("match")]
    Match,
    #[token("pub")]
    Pub,
    #[token("record")]
    Record,
    #[token("return")]
    Return,
    #[token("self")]
    SelfValue,
    #[token("Self")]
    SelfType,
    #[token("trait")]
    Trait,
    #[token("true")]
    True,
    #[token("type")]
    Type,
    #[token("var")]
    Var,
    #[token("while")]
    While,

    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token("[")]
    LeftBracket,
    #[token("]")]
    RightBracket,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token(":")]
    Colon,
    #[token("::")]
    ColonColon,
    #[token(".")]
    Dot,
    #[token("..")]
    DotDot,
    #[token("..=")]
    DotDotEq,
    #[token("->")]
    Arrow,
    #[token("=>")]
    FatArrow,
    #[token("=")]
    Eq,
    #[token("==")]
    EqEq,
    #[token("!")]
    Bang,
    #[token("!=")]
    BangEq,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEq,
    #[token("<<")]
    LessLess,
    #[token("<<=")]
    LessLessEq,
    /// Alone, so that `List<List<Int>>` needs no care: the parser puts `>>` together.
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEq,
    #[token("+")]
    Plus,
    #[token("+=")]
    PlusEq,
    #[token("-")]
    Minus,
    #[token("-=")]
    MinusEq,
    #[token("*")]
    Star,
    #[token("*=")]
    StarEq,
    #[token("/")]
    Slash,
    #[token("/=")]
    SlashEq,
    #[token("%")]
    Percent,
    #[token("%=")]
    PercentEq,
    #[token("&")]
    And,
    #[token("&&")]
    AndAnd,
    #[token("&=")]
    AndEq,
    #[token("|")]
    Or,
    #[token("||")]
    OrOr,
    #[token("|=")]
    OrEq,
    #[token("^")]
    Caret,
    #[token("^=")]
    CaretEq,
    #[token("~")]
    Tilde,
    #[token("?")]
    Question,
    #[token("@")]
    At,
}

impl Kind {
    /// Whether it is a reserved word.
    pub fn is_keyword(self) -> bool {
        (Kind::Assert as u8..=Kind::While as u8).contains(&(self as u8))
    }

    /// Whether brackets open with it.
    pub fn opens(self) -> bool {
        matches!(self, Kind::LeftParen | Kind::LeftBracket | Kind::LeftBrace | Kind::StringStart)
    }

    /// Whether brackets close with it.
    pub fn closes(self) -> bool {
        matches!(self, Kind::RightParen | Kind::RightBracket | Kind::RightBrace | Kind::StringEnd | Kind::BrokenEnd)
    }
}

/// The reserved words, in order.
pub const KEYWORDS: [&str; 26] = [
    "Self", "assert", "break", "const", "continue", "dyn", "else", "enum", "false", "fn", "for", "if", "impl",
    "import", "in", "let", "match", "pub", "record", "return", "self", "trait", "true", "type", "var", "while",
];

/// Words that mean something in some places and are names in others, in order.
pub const WORDS: [&str; 5] = ["as", "capability", "needs", "test", "where"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_words_are_those_that_the_lexer_knows() {
        assert_eq!(KEYWORDS.len(), (Kind::Assert as u8..=Kind::While as u8).len());
        for word in KEYWORDS {
            assert!(Kind::lexer(word).next().is_some_and(|kind| kind.is_ok_and(Kind::is_keyword)), "{word}");
        }
        for word in WORDS {
            assert_eq!(Kind::lexer(word).next(), Some(Ok(Kind::Ident)), "{word}");
        }
        assert!(KEYWORDS.is_sorted() && WORDS.is_sorted());
    }
}
