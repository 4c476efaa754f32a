//! Comments and empty lines: what the tree does not say about a source.

use std::borrow::Cow;

use super::doc::Doc;
use crate::source::Span;
use crate::syntax::{Comment, File};

/// Makes a layout of a tree.
pub(super) struct Layout<'a> {
    pub(super) text: &'a str,
    comments: &'a [Comment],
    /// The first comment that is not laid out yet.
    next: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(text: &'a str, file: &'a File) -> Self {
        Self { text, comments: &file.comments, next: 0 }
    }

    /// What is written at a place.
    pub(super) fn written(&self, span: Span) -> &'a str {
        &self.text[span.range()]
    }

    pub(super) fn source(&self, span: Span) -> Doc<'a> {
        Doc::Text(plain_ends(self.written(span)))
    }

    fn comment(&self, comment: &Comment) -> Cow<'a, str> {
        plain_comment(self.written(comment.span))
    }

    fn peek(&self, before: u32) -> Option<&'a Comment> {
        self.comments.get(self.next).filter(|comment| comment.span.start < before)
    }

    /// Where the next comment is.
    pub(super) fn next_comment(&self) -> Option<u32> {
        self.comments.get(self.next).map(|comment| comment.span.start)
    }

    /// Whether there is a comment between here and a place.
    pub(super) fn has_comment(&self, before: u32) -> bool {
        self.peek(before).is_some()
    }

    /// Comments before a place at which a line begins, if what it is in is broken.
    pub(super) fn lead(&mut self, before: u32) -> Doc<'a> {
        let mut parts = Vec::new();
        while let Some(comment) = self.peek(before) {
            self.next += 1;
            parts.push(Doc::Text(self.comment(comment)));
            parts.push(match (self.in_middle(comment), self.blank_after(comment.span.end)) {
                (true, _) => Doc::text(" "),
                (false, true) => Doc::Blank,
                (false, false) => Doc::Hard,
            });
        }
        Doc::Concat(parts)
    }

    /// Comments up to a place, each in a line of its own, without an end of line after the last one.
    pub(super) fn own_lines(&mut self, before: u32) -> Vec<(bool, Doc<'a>)> {
        let mut lines = Vec::new();
        while let Some(comment) = self.peek(before) {
            self.next += 1;
            lines.push((self.blank_before(comment.span.start), Doc::Text(self.comment(comment))));
        }
        lines
    }

    /// Whether a comment is one that something can follow in its line, and something does.
    fn in_middle(&self, comment: &Comment) -> bool {
        let text = self.written(comment.span);
        text.starts_with("/*") && !text.contains('\n') && !self.ends_line(comment.span.end)
    }

    fn ends_line(&self, place: u32) -> bool {
        let rest = self.text[place as usize..].trim_start_matches([' ', '\t', '\r', ',', ';']);
        rest.is_empty() || rest.starts_with('\n') || rest.starts_with("//")
    }

    /// Comments before a place that is in the middle of a line.
    pub(super) fn inline(&mut self, before: u32) -> Doc<'a> {
        let mut parts = Vec::new();
        while let Some(comment) = self.peek(before) {
            self.next += 1;
            let text = self.comment(comment);
            parts.push(match self.in_middle(comment) {
                true => Doc::Text(Cow::Owned(format!("{text} "))),
                false => Doc::Suffix(Cow::Owned(format!(" {text}"))),
            });
        }
        Doc::Concat(parts)
    }

    /// Comments that end the line in which something ends.
    pub(super) fn trail(&mut self, end: u32) -> Doc<'a> {
        let mut parts = Vec::new();
        while let Some(comment) = self.comments.get(self.next) {
            let between = self.text.get(end as usize..comment.span.start as usize);
            let near = between.is_some_and(|between| between.len() < 200 && !between.contains(['\n', '(', '{', '[']));
            if !comment.trailing || !near || !self.ends_line(comment.span.end) {
                break;
            }
            self.next += 1;
            parts.push(Doc::Suffix(Cow::Owned(format!(" {}", self.comment(comment)))));
        }
        Doc::Concat(parts)
    }

    /// Whether an empty line is before a place.
    pub(super) fn blank_before(&self, place: u32) -> bool {
        let before = &self.text[..place as usize];
        let rest = before.trim_end_matches([' ', '\t', '\r', '\n']);
        before[rest.len()..].bytes().filter(|byte| *byte == b'\n').count() > 1
    }

    fn blank_after(&self, place: u32) -> bool {
        let after = &self.text[place as usize..];
        let rest = after.trim_start_matches([' ', '\t', '\r', '\n']);
        after[..after.len() - rest.len()].bytes().filter(|byte| *byte == b'\n').count() > 1
    }

    /// Where the documentation directly before a place begins, or the place.
    pub(super) fn doc_start(&self, place: u32) -> u32 {
        let mut start = place;
        loop {
            let before = self.text[..start as usize].trim_end_matches([' ', '\t']);
            let Some(before) = before.strip_suffix('\n') else { return start };
            let begin = before.rfind('\n').map_or(0, |end| end + 1);
            let line = before[begin..].trim_start();
            if !line.starts_with("///") || line.starts_with("////") {
                return start;
            }
            start = (begin + before[begin..].len() - line.len()) as u32;
        }
    }

    /// Whether something is written in one line.
    pub(super) fn in_one_line(&self, span: Span) -> bool {
        !self.written(span).contains('\n')
    }
}

/// A text with the ends of lines that Fold has.
fn plain_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

/// A comment as it is written. Documentation of nothing is a comment, and may not become one of something.
pub(super) fn plain_comment(text: &str) -> Cow<'_, str> {
    let documents = text.starts_with("//!") || (text.starts_with("///") && !text.starts_with("////"));
    if documents { Cow::Owned(format!("//{}", &text[3..])) } else { plain_ends(text) }
}
