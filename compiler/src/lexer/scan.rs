//! What a regular expression is not for: texts, nested comments, numbers, and characters that are allowed nowhere.

use super::Kind;

/// Where a part of a text stops.
pub(super) enum Stop {
    /// After the closing quotes.
    End(usize),
    /// After the `{` of an interpolation.
    Open(usize),
    /// At a `}` that closes nothing.
    Stray(usize),
    /// At the end of the line or the file.
    Broken(usize),
}

/// Goes through text from `at` to its end or the next interpolation.
pub(super) fn text(source: &str, at: usize, lines: bool) -> Stop {
    let bytes = source.as_bytes();
    let mut at = at;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if !lines => return Stop::End(at + 1),
            b'"' if bytes[at..].starts_with(b"\"\"\"") => return Stop::End(at + 3),
            b'\n' if !lines => return Stop::Broken(at),
            b'\\' => at = escape_end(bytes, at),
            b'{' if bytes.get(at + 1) != Some(&b'{') => return Stop::Open(at + 1),
            b'}' if bytes.get(at + 1) != Some(&b'}') => return Stop::Stray(at),
            b'{' | b'}' => at += 2,
            _ => at += 1,
        }
    }
    Stop::Broken(bytes.len())
}

/// Where the escape that begins at `at` ends, as far as finding the end of the text is concerned.
fn escape_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at + 1) {
        Some(b'u') if bytes.get(at + 2) == Some(&b'{') => {
            let digits =
                bytes[at + 3..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            at + 3 + digits + usize::from(bytes.get(at + 3 + digits) == Some(&b'}'))
        }
        None | Some(b'\n' | b'\r') => at + 1,
        Some(_) => at + 2,
    }
}

/// The end of a raw text that `marks` signs follow.
pub(super) fn raw(source: &str, from: usize, marks: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = from;
    loop {
        at += source.get(at..)?.find('"')? + 1;
        let found = bytes[at..].iter().take(marks).take_while(|byte| **byte == b'#').count();
        at += found;
        if found == marks {
            return Some(at);
        }
    }
}

/// The end of `b"…"`, or of the line.
pub(super) fn bytes(source: &str, from: usize) -> Result<usize, usize> {
    let bytes = source.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\n' => return Err(at),
            b'\\' => at = escape_end(bytes, at),
            _ => at += 1,
        }
    }
    Err(bytes.len())
}

/// The end of a character literal: at most a few characters, in one line.
pub(super) fn character(source: &str, from: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = from;
    if bytes.get(at) == Some(&b'\'') && bytes.get(at + 1) == Some(&b'\'') {
        return Some(at + 2);
    }
    while let Some(&byte) = bytes.get(at).filter(|_| at - from < 64) {
        match byte {
            b'\'' => return Some(at + 1),
            b'\n' => return None,
            b'\\' => at = escape_end(bytes, at),
            _ => at += 1,
        }
    }
    None
}

/// The end of a comment, in which others may be.
pub(super) fn block_comment(source: &str, from: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let (mut at, mut depth) = (from, 0usize);
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => {
                depth += 1;
                at += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// The end of a number, and which kind it is.
pub(super) fn number(source: &str, from: usize) -> (usize, Kind) {
    let bytes = source.as_bytes();
    let run = |at: usize| at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count();
    let word =
        |at: usize| at + bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    if bytes[from] == b'0' && matches!(bytes.get(from + 1), Some(b'x' | b'X' | b'b' | b'B' | b'o' | b'O')) {
        return (word(from), Kind::Int);
    }
    let mut end = run(from);
    let mut kind = Kind::Int;
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end = run(end + 1);
        kind = Kind::Float;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if digit(end + 1 + sign) {
            end = run(end + 1 + sign);
            kind = Kind::Float;
        }
    }
    (word(end), kind)
}

/// The end of a name, of which `at` is not the first character.
pub(super) fn word_end(source: &str, at: usize) -> usize {
    let rest = &source[at..];
    at + rest.find(|c: char| !unicode_ident::is_xid_continue(c)).unwrap_or(rest.len())
}

/// Whether a character changes the direction of text.
pub(crate) fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first character that is allowed nowhere in a source, not in texts and comments either.
pub(super) fn forbidden(source: &str) -> Option<usize> {
    let control = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r') | (byte == 0x7f);
    // The first bytes of characters that turn the direction are these two.
    let suspicious = |byte: u8| control(byte) | (byte == 0xd8) | (byte == 0xe2);
    let turns = |at: usize| source.get(at..).and_then(|rest| rest.chars().next()).is_some_and(turns_direction);
    let mut begin = 0;
    for chunk in source.as_bytes().chunks(64) {
        // Without an exit inside, so that it is done for many bytes at once.
        let found = match <&[u8; 64]>::try_from(chunk) {
            Ok(chunk) => chunk.iter().fold(0, |found, byte| found | u8::from(suspicious(*byte))) != 0,
            Err(_) => true,
        };
        if found {
            let wrong = |(at, byte): &(usize, &u8)| control(**byte) || (suspicious(**byte) && turns(begin + at));
            if let Some((at, _)) = chunk.iter().enumerate().find(wrong) {
                return Some(begin + at);
            }
        }
        begin += chunk.len();
    }
    None
}

/// The end of a run of characters with which no token begins.
pub(super) fn unexpected_end(source: &str, start: usize) -> usize {
    let rest = &source[start..];
    let ends =
        |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "\"'(){}[],;:._=<>+-*/%&|^!~?@".contains(c);
    let mut chars = rest.char_indices();
    chars.next();
    start + chars.find(|(_, c)| ends(*c) || unicode_ident::is_xid_start(*c)).map_or(rest.len(), |(at, _)| at)
}

/// What may have been meant.
pub(super) fn advice(found: &str) -> &'static str {
    match found.chars().next() {
        Some('#') => "comments begin with `//`",
        Some('$') => "values go into a text as `{name}`, without `$`",
        Some('`') => "texts are written in double quotes",
        Some('\\') => "a statement goes on in the next line where its line ends in an operator or an open bracket",
        Some('\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' | '\u{ab}' | '\u{bb}') => {
            "texts are written in straight double quotes: `\"`"
        }
        Some('\u{2013}' | '\u{2014}' | '\u{2212}') => "a minus is `-`",
        Some('\u{a0}') => "it is a space that does not break; use a plain one",
        _ => "remove it",
    }
}
