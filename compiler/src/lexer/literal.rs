//! What literals mean.

/// What is wrong in a literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its code.
    pub code: &'static str,
    /// Where, in bytes from the beginning of the text that was looked at.
    pub at: usize,
    /// How many bytes.
    pub length: usize,
    /// What is wrong.
    pub message: String,
}

fn problem(code: &'static str, at: usize, length: usize, message: impl Into<String>) -> Problem {
    Problem { code, at, length, message: message.into() }
}

fn base(text: &str) -> (u32, usize) {
    match text.as_bytes() {
        [b'0', b'x', ..] => (16, 2),
        [b'0', b'b', ..] => (2, 2),
        [b'0', b'o', ..] => (8, 2),
        _ => (10, 0),
    }
}

/// Checks how a number is written.
pub(super) fn check_number(text: &str) -> Result<(), Problem> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let bytes = text.as_bytes();
    if matches!(bytes, [b'0', b'X' | b'B' | b'O', ..]) {
        return Err(problem("F0007", 0, 2, "the letter for a number's base is small: `0x`, `0b`, `0o`"));
    }
    let (base, from) = base(text);
    if text.ends_with('_') || text.contains("__") || bytes.get(from) == Some(&b'_') {
        return Err(problem("F0007", 0, text.len(), "a `_` in a number stands between two digits"));
    }
    if base != 10 {
        if from == text.len() {
            return Err(problem("F0007", 0, from, format!("expected digits of base {base} after `{text}`")));
        }
        let wrong = text[from..].find(|c: char| c != '_' && !c.is_digit(base));
        return match wrong {
            Some(at) => Err(problem(
                "F0007",
                from + at,
                1,
                format!("`{}` is no digit of base {base}", &text[from + at..from + at + 1]),
            )),
            None => Ok(()),
        };
    }
    let mut rest = text.find(|c: char| c != '_' && !c.is_ascii_digit()).unwrap_or(text.len());
    if bytes.get(rest) == Some(&b'.') {
        rest += 1;
        rest += text[rest..].find(|c: char| c != '_' && !c.is_ascii_digit()).unwrap_or(text.len() - rest);
    }
    if matches!(bytes.get(rest), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(rest + 1), Some(b'+' | b'-')));
        let digits = bytes[(rest + 1 + sign).min(bytes.len())..]
            .iter()
            .take_while(|b| b.is_ascii_digit() || **b == b'_')
            .count();
        if digits > 0 {
            rest += 1 + sign + digits;
        }
    }
    if rest < text.len() {
        let shown: String = text[rest..].chars().take(20).collect();
        return Err(problem("F0007", rest, text.len() - rest, format!("`{shown}` directly after a number")));
    }
    if (text.contains('.') || text.contains(['e', 'E'])) && !float(text).is_finite() {
        return Err(problem("F0007", 0, text.len(), "the number is beyond what a Float can hold"));
    }
    Ok(())
}

/// The value of an integer literal that is written correctly, if it fits: numbers of base 10 up to 2^63, others up to 2^64 - 1 (as
/// the 64 bits that they are).
pub fn integer(text: &str) -> Option<u64> {
    let (base, from) = base(text);
    let mut value = 0u64;
    for byte in text.bytes().skip(from).filter(|byte| *byte != b'_') {
        let digit = (byte as char).to_digit(base)?;
        value = value.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
    }
    (base != 10 || value <= 1 << 63).then_some(value)
}

/// Whether an integer literal is written as its bits: in another base than 10.
pub fn is_bits(text: &str) -> bool {
    base(text).0 != 10
}

/// The value of a number with a point or exponent.
pub fn float(text: &str) -> f64 {
    if text.contains('_') { text.replace('_', "").parse() } else { text.parse() }.unwrap_or(f64::NAN)
}

/// What may stand in a literal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Text,
    Char,
    Bytes,
}

/// Reads the escape at the beginning of `text`: its value and how many bytes it has.
fn escape(text: &str, class: Class) -> Result<(u32, usize), Problem> {
    let Some(sign) = text[1..].chars().next() else {
        return Err(problem("F0004", 0, 1, "expected a character after `\\`"));
    };
    let value = match sign {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        '\\' | '"' | '\'' | '{' | '}' => sign,
        'x' => {
            let digits = text.get(2..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let Some(value) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
                return Err(problem("F0005", 0, 2, "expected two hexadecimal digits after `\\x`"));
            };
            if value > 0x7f && class != Class::Bytes {
                return Err(problem("F0005", 0, 4, "`\\x` beyond 7F is for bytes; a character is written as `\\u{…}`"));
            }
            return Ok((value, 4));
        }
        'u' if class != Class::Bytes => return unicode_escape(text),
        _ => {
            let length = 1 + sign.len_utf8();
            return Err(problem("F0004", 0, length, format!("`\\{}` is no escape", sign)));
        }
    };
    Ok((value as u32, 2))
}

fn unicode_escape(text: &str) -> Result<(u32, usize), Problem> {
    let malformed = || problem("F0005", 0, 2, "expected a code in braces after `\\u`, as in `\\u{1F600}`");
    let digits = text.get(2..).and_then(|rest| rest.strip_prefix('{')).ok_or_else(malformed)?;
    let end = digits.find('}').filter(|end| (1..=6).contains(end)).ok_or_else(malformed)?;
    let digits = &digits[..end];
    let value = u32::from_str_radix(digits, 16).map_err(|_| malformed())?;
    match char::from_u32(value) {
        Some(_) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok((value, end + 4)),
        _ => Err(problem("F0005", 0, end + 4, format!("U+{value:04X} is no character"))),
    }
}

/// The characters of a part of a text, from what is written. Problems are added to `problems`.
pub fn text(written: &str, problems: &mut Vec<Problem>) -> String {
    let mut out = String::with_capacity(written.len());
    let mut at = 0;
    while let Some(found) = written[at..].find(['\\', '{', '}', '\r']) {
        out.push_str(&written[at..at + found]);
        at += found;
        let rest = &written[at..];
        if rest.starts_with('\\') {
            match escape(rest, Class::Text) {
                Ok((value, length)) => {
                    out.extend(char::from_u32(value));
                    at += length;
                }
                Err(found) => {
                    at += found.length.max(1);
                    problems.push(Problem { at: at - found.length.max(1), ..found });
                }
            }
        } else if rest.starts_with("\r\n") {
            at += 1;
        } else {
            // A doubled brace, one of them; or a stray one, of which the lexer spoke.
            out.push_str(&rest[..1]);
            at += if rest.starts_with("{{") || rest.starts_with("}}") { 2 } else { 1 };
        }
    }
    out.push_str(&written[at..]);
    out
}

/// The character of a literal, from what is written between the ticks.
pub fn character(written: &str) -> Result<char, Problem> {
    let mut chars = written.chars();
    let wrong = |message| Err(problem("F0006", 0, written.len(), message));
    let (value, length) = match chars.next() {
        None => return wrong("a character literal without a character"),
        Some('\\') => escape(written, Class::Char)?,
        Some(c) => (c as u32, c.len_utf8()),
    };
    match char::from_u32(value) {
        Some(value) if length == written.len() => Ok(value),
        _ => wrong("more than one character in a character literal; texts are written in double quotes"),
    }
}

/// The bytes of `b"…"`, from what is written between the quotes.
pub fn bytes(written: &str, problems: &mut Vec<Problem>) -> Vec<u8> {
    let mut out = Vec::with_capacity(written.len());
    let mut at = 0;
    while let Some(found) = written[at..].chars().next() {
        if found == '\\' {
            match escape(&written[at..], Class::Bytes) {
                Ok((value, length)) => {
                    out.push(value as u8);
                    at += length;
                }
                Err(found) => {
                    problems.push(Problem { at, ..found });
                    at += problems.last().map_or(1, |found| found.length.max(1));
                }
            }
            continue;
        }
        if !found.is_ascii() {
            let message = format!("`{}` is not one byte; write its bytes as `\\x…`", found);
            problems.push(problem("F0014", at, found.len_utf8(), message));
        }
        out.push(found as u8);
        at += found.len_utf8();
    }
    out
}

/// Removes from a text of several lines what does not belong to it: the line end after the opening quotes, the one before the closing
/// quotes, and the indentation that all lines share. `parts` is what is written between interpolations, in order.
pub fn dedent(parts: &mut [String]) {
    let indent = common_indentation(parts);
    let last = parts.len() - 1;
    for (index, part) in parts.iter_mut().enumerate() {
        let mut out = String::with_capacity(part.len());
        let mut lines = part.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).peekable();
        // What comes first goes on in a line that began before, except in the first part.
        if let Some(first) = lines.next() {
            let drop = index == 0 && lines.peek().is_some() && first.trim().is_empty();
            if !drop {
                out.push_str(first);
                if lines.peek().is_some() {
                    out.push('\n');
                }
            }
        }
        while let Some(line) = lines.next() {
            let end = lines.peek().is_none();
            if end && index == last && line.trim().is_empty() {
                if out.ends_with('\n') {
                    out.pop();
                }
            } else if line.trim().is_empty() && !(end && index < last) {
                // A line without anything.
            } else {
                out.push_str(line.strip_prefix(indent.as_str()).unwrap_or(line));
            }
            if !end {
                out.push('\n');
            }
        }
        *part = out;
    }
}

/// The white space with which all lines begin that have something in them; the last one counts in any case.
fn common_indentation(parts: &[String]) -> String {
    let mut common: Option<&str> = None;
    let last = parts.len() - 1;
    for (index, part) in parts.iter().enumerate() {
        let count = part.split('\n').count();
        for (number, line) in part.split('\n').enumerate().skip(1) {
            let end = number + 1 == count;
            if line.trim().is_empty() && !end {
                continue;
            }
            let blank = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
            let blank = if end && index == last && line.trim().is_empty() { line } else { blank };
            common = Some(match common {
                None => blank,
                Some(before) => {
                    let same = before.bytes().zip(blank.bytes()).take_while(|(a, b)| a == b).count();
                    &before[..same]
                }
            });
        }
    }
    common.unwrap_or("").to_owned()
}
