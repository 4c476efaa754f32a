//! Source files, and places in them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

/// The number of a file in [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes in a file.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` to `end` of a file.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start: start as u32, end: end as u32 }
    }

    /// From the beginning of this to the end of `other`, of the same file.
    pub fn to(self, other: Span) -> Self {
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty span where this one begins.
    pub fn begin(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// The empty span where this one ends.
    pub fn after(self) -> Self {
        Self { start: self.end, ..self }
    }

    /// The bytes.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// A file of source text.
#[derive(Clone, Debug)]
pub struct Source {
    /// What messages call it: a path as it was given, or a standard module's name.
    pub name: String,
    /// Its content.
    pub text: Cow<'static, str>,
    /// Where each line begins, once that was asked: of most files of the standard library it never is.
    lines: OnceLock<Vec<u32>>,
}

impl Source {
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at as u32 + 1)).collect()
        })
    }

    /// The line and column of a byte, both from 0; columns count characters.
    pub fn position(&self, offset: u32) -> (usize, usize) {
        let line = self.line_of(offset);
        let begin = self.lines().get(line).copied().unwrap_or(0) as usize;
        let before = self.text.get(begin..offset as usize).unwrap_or("");
        (line, before.chars().count())
    }

    /// The line of a byte, from 0.
    pub fn line_of(&self, offset: u32) -> usize {
        self.lines().partition_point(|&begin| begin <= offset).saturating_sub(1)
    }

    /// The bytes of a line, from 0, without the end of the line.
    pub fn line_range(&self, line: usize) -> Range<usize> {
        let begin = self.lines().get(line).map_or(self.text.len(), |&begin| begin as usize);
        let end = self.lines().get(line + 1).map_or(self.text.len(), |&next| next as usize - 1);
        let end = if self.text[begin..end].ends_with('\r') { end - 1 } else { end };
        begin..end
    }

    /// How many lines it has.
    pub fn line_count(&self) -> usize {
        self.lines().len()
    }
}

/// All files of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file, of at most 4 GiB.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.push(name.into(), Cow::Owned(text.into()))
    }

    /// Adds a file of the standard library, whose text is not copied.
    pub fn add_standard(&mut self, name: impl Into<String>, text: &'static str) -> FileId {
        self.push(name.into(), Cow::Borrowed(text))
    }

    fn push(&mut self, name: String, text: Cow<'static, str>) -> FileId {
        self.files.push(Source { name, text, lines: OnceLock::new() });
        FileId(self.files.len() as u32 - 1)
    }

    /// A file.
    pub fn get(&self, file: FileId) -> &Source {
        &self.files[file.0 as usize]
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).text.get(span.range()).unwrap_or("")
    }

    /// All of them with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(i, file)| (FileId(i as u32), file))
    }
}
