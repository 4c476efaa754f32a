//! Pieces of sources that can be shown.

use std::ops::Range;

use crate::lexer::turns_direction;
use crate::source::{Source, Span};

/// How many bytes a line may have to be shown as a whole.
const LONG: usize = 1000;
/// How many bytes of a long line are shown on either side of a place.
const AROUND: usize = 120;
/// The most lines.
const LINES: usize = 200;

/// Lines of a source.
pub(super) struct Excerpt {
    /// Their text.
    pub text: String,
    /// The number of the first one, from 0.
    pub first_line: usize,
    /// Where in the text the spans are.
    pub ranges: Vec<Range<usize>>,
    /// Whether something is left out.
    pub cut: bool,
}

impl Excerpt {
    /// The lines in which spans of a source are.
    pub(super) fn new(source: &Source, spans: &[Span]) -> Self {
        let first_line = spans.iter().map(|span| source.line_of(span.start)).min().unwrap_or(0);
        let last_line = spans.iter().map(|span| source.line_of(span.end)).max().unwrap_or(0);
        let cut = last_line - first_line >= LINES;
        let last_line = last_line.min(first_line + LINES);
        // The places to keep track of, by where they are: (offset, where it becomes what).
        let mut points: Vec<(usize, usize)> = Vec::new();
        for (index, span) in spans.iter().enumerate() {
            points.push((span.start as usize, 2 * index));
            points.push((span.end.max(span.start) as usize, 2 * index + 1));
        }
        points.sort_unstable();
        let mut ends = vec![usize::MAX; 2 * spans.len()];
        let mut excerpt = Self { text: String::new(), first_line, ranges: Vec::new(), cut };
        let mut next = 0;
        for line in first_line..=last_line {
            let range = source.line_range(line);
            let here = points[next..].iter().take_while(|point| point.0 <= range.end).count();
            excerpt.line(&source.text, range, &points[next..next + here], &mut ends);
            next += here;
            if line < last_line {
                excerpt.text.push('\n');
            }
        }
        let length = excerpt.text.len();
        excerpt.ranges = ends.chunks(2).map(|pair| pair[0].min(length)..pair[1].min(length)).collect();
        excerpt
    }

    /// Adds a line and tells where the points in it have got to.
    fn line(&mut self, text: &str, range: Range<usize>, points: &[(usize, usize)], ends: &mut [usize]) {
        let long = range.len() > LONG;
        let mut points = points.iter().peekable();
        let mut last_point = None;
        let mut at = range.start;
        let mut gap = false;
        while at <= range.end {
            while let Some((place, index)) = points.next_if(|point| point.0 <= at) {
                ends[*index] = self.text.len();
                last_point = Some(*place);
            }
            let Some(c) = text[at..range.end].chars().next() else { break };
            if long && last_point.is_none_or(|place| place + AROUND < at) {
                let skip_to = points.peek().map_or(range.end, |point| point.0.saturating_sub(AROUND));
                if skip_to > at {
                    at = text.ceil_char_boundary(skip_to.min(range.end));
                    gap = true;
                    continue;
                }
            }
            if std::mem::take(&mut gap) {
                self.omit();
            }
            self.text.push(if c != '\t' && is_hidden(c) { '\u{fffd}' } else { c });
            at += c.len_utf8();
        }
        if gap {
            self.omit();
        }
    }

    fn omit(&mut self) {
        self.text.push('…');
        self.cut = true;
    }
}

/// Whether a character shows nothing, or moves what comes after it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || turns_direction(c)
        || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}')
}

/// A text in which nothing is hidden: such characters are written as escapes.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
