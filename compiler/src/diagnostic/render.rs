//! Diagnostics for people: the source with carets, and what would mend it.
//!
//! Sources, and names in messages, come from outside: no character of theirs moves the cursor or changes the direction of
//! text, and of long lines only what matters is shown.

use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Patch, Renderer, Snippet};

use super::excerpt::{Excerpt, printable};
use super::{Diagnostic, Edit, Severity};
use crate::source::{FileId, Sources, Span};

/// The most lines between two places for which they are shown as one piece.
const NEAR: usize = 12;

/// How diagnostics are rendered.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether with colours for a terminal.
    pub colours: bool,
    /// How many columns there are.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colours: false, width: 80 }
    }
}

/// Renders diagnostics, each with an empty line after it, and how many there are.
pub fn render_all(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&render(diagnostic, sources, style));
        out.push_str("\n\n");
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    let count =
        |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    let counts: Vec<String> = count(errors, "error").into_iter().chain(count(warnings, "warning")).collect();
    if !counts.is_empty() {
        out.push_str(&counts.join(", "));
        out.push('\n');
    }
    out
}

/// Renders a diagnostic, without an end of line after it.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group =
        level.primary_title(printable(&diagnostic.message)).id(diagnostic.code).elements([] as [Element<'_>; 0]);
    let mut cut = Vec::new();
    for place in places(diagnostic, sources) {
        let name = place.name(sources);
        let (snippet, is_cut) = place.snippet(sources);
        if is_cut {
            cut.push(place.position(sources));
        }
        group = group.element(snippet.path(if is_cut { ELSEWHERE.to_owned() } else { name }));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    let mut groups = vec![group];
    if let Some(help) = &diagnostic.help {
        match patches(&diagnostic.edits, sources) {
            Some(snippet) => groups.push(Level::HELP.secondary_title(printable(help)).element(snippet)),
            None => {
                let last = groups.remove(0);
                groups.push(last.element(Level::HELP.message(printable(help))));
            }
        }
    }
    let renderer = if style.colours { Renderer::styled() } else { Renderer::plain() };
    let shown = renderer.term_width(style.width).render(&groups);
    cut.into_iter().fold(shown, |shown, position| put_position(&shown, &position))
}

/// Stands for the position of an excerpt in which something is left out, so that its columns are others than in the source.
const ELSEWHERE: &str = "\u{e000}";

/// Puts a position in the place of the first that is [`ELSEWHERE`].
fn put_position(shown: &str, position: &str) -> String {
    let Some((before, after)) = shown.split_once(ELSEWHERE) else { return shown.to_owned() };
    let after = after.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    format!("{before}{position}{after}")
}

/// Labels that are shown as one piece of source.
struct Place<'a> {
    file: FileId,
    /// Spans with their texts; the main one first, if it is here.
    labels: Vec<(Span, &'a str, AnnotationKind)>,
    lines: (usize, usize),
}

/// The places of a diagnostic, the main one first, near ones together.
fn places<'a>(diagnostic: &'a Diagnostic, sources: &Sources) -> Vec<Place<'a>> {
    let primary = &diagnostic.primary;
    let main = (primary.span, primary.text.as_str(), AnnotationKind::Primary);
    let others = diagnostic.secondary.iter().map(|label| (label.span, label.text.as_str(), AnnotationKind::Context));
    let mut places: Vec<Place<'a>> = Vec::new();
    for label in std::iter::once(main).chain(others) {
        let span = label.0;
        let source = sources.get(span.file);
        let (first, last) = (source.line_of(span.start), source.line_of(span.end));
        let near = places
            .iter_mut()
            .find(|place| place.file == span.file && first <= place.lines.1 + NEAR && place.lines.0 <= last + NEAR);
        match near {
            Some(place) => {
                place.lines = (place.lines.0.min(first), place.lines.1.max(last));
                place.labels.push(label);
            }
            None => places.push(Place { file: span.file, labels: vec![label], lines: (first, last) }),
        }
    }
    places
}

impl Place<'_> {
    fn name(&self, sources: &Sources) -> String {
        printable(&sources.get(self.file).name)
    }

    fn position(&self, sources: &Sources) -> String {
        let (line, column) = sources.get(self.file).position(self.labels[0].0.start);
        format!("{}:{}:{}", self.name(sources), line + 1, column + 1)
    }

    /// The source with the labels, and whether something in it is left out.
    fn snippet(&self, sources: &Sources) -> (Snippet<'static, Annotation<'static>>, bool) {
        let spans: Vec<Span> = self.labels.iter().map(|label| label.0).collect();
        let excerpt = Excerpt::new(sources.get(self.file), &spans);
        let annotations = self.labels.iter().zip(&excerpt.ranges).map(|((_, text, kind), range)| {
            let annotation = kind.span(range.clone());
            if text.is_empty() { annotation } else { annotation.label(printable(text)) }
        });
        let annotations: Vec<_> = annotations.collect();
        (Snippet::source(excerpt.text).line_start(excerpt.first_line + 1).annotations(annotations), excerpt.cut)
    }
}

/// What the source is after the edits, if that can be shown.
fn patches(edits: &[Edit], sources: &Sources) -> Option<Snippet<'static, Patch<'static>>> {
    let first = edits.first()?;
    if edits.iter().any(|edit| edit.span.file != first.span.file || edit.text.len() > 200) {
        return None;
    }
    let source = sources.get(first.span.file);
    let lines = edits.iter().map(|edit| (source.line_of(edit.span.start), source.line_of(edit.span.end)));
    let (begin, end) = lines.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    if end - begin > NEAR {
        return None;
    }
    let spans: Vec<Span> = edits.iter().map(|edit| edit.span).collect();
    let excerpt = Excerpt::new(source, &spans);
    if excerpt.cut {
        return None;
    }
    let patches: Vec<_> = edits
        .iter()
        .zip(&excerpt.ranges)
        .map(|(edit, range)| {
            Patch::new(range.clone(), edit.text.split('\n').map(printable).collect::<Vec<_>>().join("\n"))
        })
        .collect();
    Some(Snippet::source(excerpt.text).line_start(excerpt.first_line + 1).patches(patches))
}
