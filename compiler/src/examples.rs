//! Examples in documentation: fenced blocks in `///` and `//!` lines, each of which is a program.
//!
//! A block marked `fold`, or not at all, is one; any other mark makes it a text. An example becomes a source in which all else of its
//! file is blank: its lines and columns are those of the file, so that messages show the right place.

use std::ops::Range;

use crate::diagnostic::Diagnostics;
use crate::lexer::{self, Lexed};
use crate::source::FileId;

/// An example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What it is of: the name of what is documented, none for the module.
    pub of: Option<String>,
    /// The line of its fence, from 1.
    pub line: usize,
    /// Its source.
    pub text: String,
}

/// The examples of a module. `import` is its path, if its examples are to import it.
pub fn examples(text: &str, import: Option<&str>) -> Vec<Example> {
    let lexed = lexer::lex(FileId(0), text, &mut Diagnostics::default());
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    for doc in lexed.docs.iter().filter(|doc| !doc.trailing) {
        let line = doc.span.range();
        let content = text[line.clone()].get(3..).unwrap_or("").trim();
        // A block that is not closed ends with what it documents.
        open = open.filter(|open| (open.before, open.inner) == (doc.before, doc.inner));
        match (&mut open, content.strip_prefix("```")) {
            (None, Some(mark)) => {
                let is_program = matches!(mark.trim(), "" | "fold");
                open = Some(Open { before: doc.before, inner: doc.inner, fence: line, lines: Vec::new(), is_program });
            }
            (Some(open), None) => open.lines.push(line),
            (Some(_), Some(_)) => {
                if let Some(open) = open.take().filter(|open| open.is_program) {
                    found.push(open.close(text, &lexed, import));
                }
            }
            (None, None) => {}
        }
    }
    found
}

/// A block whose end was not met yet.
struct Open {
    before: u32,
    inner: bool,
    fence: Range<usize>,
    lines: Vec<Range<usize>>,
    is_program: bool,
}

impl Open {
    fn close(self, text: &str, lexed: &Lexed, import: Option<&str>) -> Example {
        let line = text[..self.fence.start].bytes().filter(|byte| *byte == b'\n').count();
        let mut program = "\n".repeat(line);
        let imports = |path: &&str| {
            let word = |line: &Range<usize>| text[line.clone()].get(3..).unwrap_or("").trim();
            !self.lines.iter().any(|line| word(line).strip_prefix("import ").is_some_and(|rest| rest.trim() == *path))
        };
        if let Some(path) = import.filter(imports) {
            program.push_str("import ");
            program.push_str(path);
        }
        for line in &self.lines {
            program.push('\n');
            let begin = text[..line.start].rfind('\n').map_or(0, |end| end + 1);
            let indent = text[begin..line.start].chars().count() + 3;
            program.extend(std::iter::repeat_n(' ', indent));
            program.push_str(text[line.clone()].get(3..).unwrap_or(""));
        }
        program.push('\n');
        let of = if self.inner { None } else { documented(text, lexed, self.before as usize) };
        Example { of, line: line + 1, text: program }
    }
}

/// The name that is declared by the tokens from a place on.
fn documented(text: &str, lexed: &Lexed, at: usize) -> Option<String> {
    // `pub`, a word for what it is, its name: that is the last of at most four words.
    let words = lexed.tokens.get(at..)?.iter().take(4).map(|token| &text[token.start as usize..token.end as usize]);
    let declares = ["fn", "record", "enum", "trait", "capability", "const", "type", "impl"];
    let mut words = words.skip_while(|word| !declares.contains(word));
    words.next()?;
    words.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"//! About it.
//!
//! ```
//! assert m.one() == 1
//! ```

/// One.
///
/// ```fold
/// import m {one}
/// import m
/// assert one() == 1
/// ```
/// ```text
/// not this
/// ```
pub fn one() -> Int { 1 }

impl Int {
    /// ```
    /// let n = 1
    ///     .two()
    /// ```
    pub fn two(self) -> Int { 2 }
}

/// ```
/// never closed
fn three() {}
"#;

    #[test]
    fn examples_stand_where_they_are_written() {
        let found = examples(TEXT, Some("m"));
        let about: Vec<_> = found.iter().map(|example| (example.of.as_deref(), example.line)).collect();
        assert_eq!(about, [(None, 3), (Some("one"), 9), (Some("two"), 20)]);
        assert_eq!(found[0].text, "\n\nimport m\n    assert m.one() == 1\n");
        let second: Vec<&str> = found[1].text.lines().skip(8).collect();
        assert_eq!(second, ["", "    import m {one}", "    import m", "    assert one() == 1"]);
        let third: Vec<&str> = found[2].text.lines().skip(19).collect();
        assert_eq!(third, ["import m", "        let n = 1", "            .two()"]);
        for example in &found {
            for (line, original) in example.text.lines().zip(TEXT.lines()).skip(example.line) {
                assert_eq!(line.trim_start(), original.trim_start().trim_start_matches(['/', '!']).trim_start());
            }
        }
    }

    #[test]
    fn broken_texts_have_the_examples_that_can_be_found() {
        assert_eq!(examples("", None), []);
        assert_eq!(examples("/// ```", None), []);
        assert_eq!(examples("/// ```\n///\n/// ```", None).len(), 1);
        assert_eq!(examples("\"unclosed\n/// ```\n/// x\n/// ```\nfn f(", None).len(), 1);
    }
}
