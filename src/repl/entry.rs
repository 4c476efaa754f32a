//! What can be seen of an entry without reading it as a program: where brackets and texts end.

/// What is open at a place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// A bracket, and what closes it.
    Bracket(char),
    /// `"`; a line's end ends it.
    Text,
    /// `"""`
    Lines,
    /// The braces of a value in a text.
    Value,
    /// A comment.
    Comment,
}

/// Whether an entry goes on in the next line: something is open at its end, or the line ends with an operator that wants an operand, or is
/// documentation of what comes next.
pub fn is_open(source: &str) -> bool {
    match open_at_end(source) {
        Some(open) => !open.is_empty() && open.last() != Some(&Open::Text) || wants_operand(source),
        None => true,
    }
}

/// What closes all that is open at the end of a source; nothing in a raw text.
pub fn closers(source: &str) -> String {
    let closer = |open: &Open| match open {
        Open::Bracket(close) => close.to_string(),
        Open::Text => "\"".to_owned(),
        Open::Lines => "\"\"\"".to_owned(),
        Open::Value => "}".to_owned(),
        Open::Comment => "*/".to_owned(),
    };
    open_at_end(source).unwrap_or_default().iter().rev().map(closer).collect()
}

/// What is open at the end of a source; none in a raw text.
fn open_at_end(source: &str) -> Option<Vec<Open>> {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    let bytes = source.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        at += 1;
        match (open.last(), byte) {
            (Some(Open::Comment), b'*') if rest.starts_with(b"*/") => {
                open.pop();
                at += 1;
            }
            (Some(Open::Comment), b'/') if rest.starts_with(b"/*") => {
                open.push(Open::Comment);
                at += 1;
            }
            (Some(Open::Comment), _) => {}
            (Some(Open::Text), b'"') => drop(open.pop()),
            (Some(Open::Text), b'\n') => drop(open.pop()),
            (Some(Open::Lines), b'"') if rest.starts_with(b"\"\"\"") => {
                open.pop();
                at += 2;
            }
            (Some(Open::Text | Open::Lines), b'\\') => at += 1,
            (Some(Open::Text | Open::Lines), b'{') if rest.starts_with(b"{{") => at += 1,
            (Some(Open::Text | Open::Lines), b'{') => open.push(Open::Value),
            (Some(Open::Text | Open::Lines), _) => {}
            (_, b'/') if rest.starts_with(b"//") => {
                at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()) - 1;
            }
            (_, b'/') if rest.starts_with(b"/*") => {
                open.push(Open::Comment);
                at += 1;
            }
            (_, b'"') if rest.starts_with(b"\"\"\"") => {
                open.push(Open::Lines);
                at += 2;
            }
            (_, b'"') => open.push(Open::Text),
            (_, b'r') => match raw(bytes, at - 1) {
                Some(Some(end)) => at = end,
                Some(None) => return None,
                None => {}
            },
            (_, b'\'') => at = character_end(bytes, at),
            (_, b'(') => open.push(Open::Bracket(')')),
            (_, b'[') => open.push(Open::Bracket(']')),
            (_, b'{') => open.push(Open::Bracket('}')),
            (_, b')' | b']' | b'}') => drop(open.pop()),
            _ => {}
        }
    }
    Some(open)
}

/// Where a raw text ends that begins at `at`, if one does, and if it is closed.
fn raw(bytes: &[u8], at: usize) -> Option<Option<usize>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if at > 0 && is_word(bytes[at - 1]) {
        return None;
    }
    let marks = bytes[at + 1..].iter().take_while(|&&byte| byte == b'#').count();
    let begin = at + 1 + marks;
    if bytes.get(begin) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = [b'"'].into_iter().chain(std::iter::repeat_n(b'#', marks)).collect();
    let end = bytes[begin + 1..].windows(close.len()).position(|window| window == close);
    Some(end.map(|end| begin + 1 + end + close.len()))
}

/// The end of a character's literal, of which the first quote was read; where there is none, nothing is skipped.
fn character_end(bytes: &[u8], at: usize) -> usize {
    let begin = if bytes.get(at) == Some(&b'\\') { at + 2 } else { at + 1 };
    let rest = bytes.get(begin..).unwrap_or_default();
    match rest.iter().take(12).position(|&byte| byte == b'\'') {
        Some(end) => begin + end + 1,
        None => at,
    }
}

fn wants_operand(source: &str) -> bool {
    let line = source.trim_end().rsplit('\n').next().unwrap_or_default();
    let code = line.trim_end();
    let operators = ["+", "-", "*", "/", "=", "&&", "||", "=>", "->", ",", "<", "."];
    if code.trim_start().starts_with("///") {
        return true;
    }
    !code.contains("//")
        && !code.ends_with("*/")
        && operators.iter().any(|operator| code.ends_with(operator))
        && !code.starts_with(':')
}

/// A name made of a word, or another one where it is none.
pub fn name(word: &str, otherwise: &str) -> String {
    let mut name: String =
        word.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if name.chars().any(|c| c.is_ascii_alphanumeric()) { name } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_go_on_where_something_is_open() {
        let open = [
            "fn f() {",
            "f(1,",
            "[1, 2",
            "\"\"\"text",
            "\"\"\"a {b",
            "/* a /* b */",
            "let x =",
            "1 +",
            "match x { 1 => 2",
            "r#\"abc\"",
            "(\"a {f(\"b\")}\"",
            "list.",
            "/// What comes next",
        ];
        for source in open {
            assert!(is_open(source), "{source}");
        }
        let whole = [
            "",
            "1",
            "fn f() { 1 }",
            "\"{x}\"",
            "\"a{{\"",
            "\"not closed",
            "// comment {",
            "'('",
            "'\\''",
            "'\\u{41}'",
            "r\"(\"",
            "r#\"\"(\"#",
            "\"{f(\"}\")}\"",
            "x /* } */",
            "for x in y {}",
            ")",
        ];
        for source in whole {
            assert!(!is_open(source), "{source}");
        }
    }

    #[test]
    fn what_is_open_is_closed_from_the_inside_out() {
        let cases = [
            ("f(xs.", ")"),
            ("fn f() { g([1, x.", "])}"),
            ("\"a {x.", "}\""),
            ("\"\"\"a {f(x.", ")}\"\"\""),
            ("x. /* ", "*/"),
            ("r#\"(", ""),
            ("f(')')", ""),
        ];
        for (source, expected) in cases {
            assert_eq!(closers(source), expected, "{source}");
            assert!(!is_open(&format!("{source}{expected}")) || source.starts_with("r#"), "{source}");
        }
    }

    #[test]
    fn names_of_folders_become_names_of_variables() {
        let cases =
            [("data", "data"), ("My Files", "my_files"), ("2024", "_2024"), ("..", "dir"), ("é", "dir"), ("", "dir")];
        for (word, expected) in cases {
            assert_eq!(name(word, "dir"), expected);
        }
    }
}
