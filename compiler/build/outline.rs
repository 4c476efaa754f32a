//! Finds what a file of the standard library declares, by lines: the formatter made them, so what a line is indented by tells what it is in.
//!
//! A test of the compiler compares what is found with what its parser finds.

use std::ops::Range;

/// A declaration, as `check::outline::Entry` has it.
pub struct Entry {
    /// Its variant of `check::outline::Kind`.
    pub kind: &'static str,
    /// Whether it begins with `pub`.
    pub public: bool,
    /// Of a function: whether it has a body.
    pub has_body: bool,
    /// Of a function: whether it takes `var self`.
    pub changes_self: bool,
    /// From `pub` or the keyword to the end.
    pub span: Range<usize>,
    /// A function's name; of an `impl` that of its type, if the type is a declared one.
    pub name: Range<usize>,
    /// Of an `impl`: the name of the trait, if it has one.
    pub of: Range<usize>,
    /// What need not be parsed with it: between the braces of a trait or `impl`, and of most bodies.
    pub inside: Range<usize>,
}

/// What declarations begin with, and what they are.
const WORDS: [(&str, &str); 12] = [
    ("host fn ", "Fn"),
    ("intrinsic fn ", "Fn"),
    ("fn ", "Fn"),
    ("trait ", "Trait"),
    ("capability ", "Trait"),
    ("impl", "Impl"),
    ("import ", "Import"),
    ("record ", "Other"),
    ("enum ", "Other"),
    ("const ", "Other"),
    ("type ", "Other"),
    ("test ", "Other"),
];

/// All declarations of a file in order, the functions of a trait or an `impl` after it.
pub fn outline(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    declarations(text, 0..text.len(), "", &mut entries);
    entries
}

/// Those in a part of a text whose lines begin with `indent`.
fn declarations(text: &str, part: Range<usize>, indent: &str, entries: &mut Vec<Entry>) {
    let lines: Vec<Range<usize>> = lines(text, part.clone()).collect();
    // Where declarations and comments begin; each ends before the next one.
    let begins = |line: &Range<usize>| {
        let rest = text[line.clone()].strip_prefix(indent)?;
        (rest.starts_with("//") || word(rest).is_some()).then_some(line.start + indent.len())
    };
    let starts: Vec<usize> = lines.iter().filter_map(begins).collect();
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(part.end);
        let end = start + text[start..end].trim_end().len();
        if let Some((kind, keyword)) = word(&text[start..end]) {
            declaration(text, start..end, kind, start + keyword, indent, entries);
        }
    }
}

fn declaration(
    text: &str,
    span: Range<usize>,
    kind: &'static str,
    keyword_end: usize,
    indent: &str,
    entries: &mut Vec<Entry>,
) {
    let code = &text[span.clone()];
    let inside = match kind {
        "Trait" | "Impl" => braces(text, &span),
        "Fn" => body(text, &span, indent),
        _ => span.end..span.end,
    };
    let (of, name) = match kind {
        "Impl" => implemented(text, keyword_end..inside.start),
        "Fn" => (0..0, identifier(text, keyword_end)),
        _ => (0..0, 0..0),
    };
    entries.push(Entry {
        kind,
        public: code.starts_with("pub "),
        has_body: kind == "Fn" && code.contains('{'),
        changes_self: kind == "Fn" && code.contains("(var self"),
        span: span.clone(),
        name,
        of,
        inside: inside.clone(),
    });
    if matches!(kind, "Trait" | "Impl") {
        declarations(text, inside, &format!("{indent}    "), entries);
    }
}

/// What a declaration is, and where its name begins, if one begins here.
fn word(code: &str) -> Option<(&'static str, usize)> {
    let rest = code.strip_prefix("pub ").unwrap_or(code);
    let (word, kind) = WORDS.iter().find(|(word, _)| rest.starts_with(word))?;
    Some((*kind, code.len() - rest.len() + word.len()))
}

/// The names of the trait and the type in the first line of an `impl`; of the type nothing where a name alone does not tell which they are.
fn implemented(text: &str, head: Range<usize>) -> (Range<usize>, Range<usize>) {
    let mut at = head.start;
    let mut parameters = "";
    if text[at..].starts_with('<') {
        let mut depth = 0;
        let close = text[at..head.end].find(|c| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth == 0
        });
        parameters = &text[at..at + close.map_or(0, |close| close + 1)];
        at += parameters.len();
    }
    at += text[at..].len() - text[at..].trim_start().len();
    let (of, ty) = match text[at..head.end].find(" for ") {
        Some(place) => (identifier(text, at), identifier(text, at + place + " for ".len())),
        None => (0..0, identifier(text, at)),
    };
    let is_path = |name: &Range<usize>| text[name.end..].starts_with('.');
    let mut names = parameters.split(|c: char| !c.is_alphanumeric() && c != '_');
    match is_path(&of) || is_path(&ty) || names.any(|name| name == &text[ty.clone()]) {
        true => (of, 0..0),
        false => (of, ty),
    }
}

/// The name that begins here, if one does.
fn identifier(text: &str, start: usize) -> Range<usize> {
    let length = text[start..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0);
    start..start + length
}

/// What is between the braces of a trait or `impl`.
fn braces(text: &str, span: &Range<usize>) -> Range<usize> {
    let code = &text[span.clone()];
    match (code.find('{'), code.rfind('}')) {
        (Some(open), Some(close)) => span.start + open + 1..span.start + close,
        _ => span.end..span.end,
    }
}

/// What is between the braces of a function's body whose first line ends with the one and whose last line is the other.
fn body(text: &str, span: &Range<usize>, indent: &str) -> Range<usize> {
    let code = &text[span.clone()];
    let first = code.find('\n').unwrap_or(code.len());
    let close = format!("\n{indent}}}");
    match code[..first].ends_with('{') && code.ends_with(&close) {
        true => span.start + first..span.end - 1,
        false => span.end..span.end,
    }
}

/// The lines of a part, without their ends.
fn lines(text: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = part.start;
    text[part].split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        start..start + line.trim_end_matches('\n').len()
    })
}
