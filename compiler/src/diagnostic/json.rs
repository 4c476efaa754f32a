//! Diagnostics for programs: JSON, an object a line.

use std::fmt::Write as _;

use super::{Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Writes a diagnostic as an object, without an end of line after it.
///
/// Its members are `code`, `severity` (`"error"` or `"warning"`), `message`, `spans` (the main one first; each with `file`, `start` and `end`
/// in bytes from 0, `line`, `column`, `end_line` and `end_column` from 1, columns in characters, `primary` and `label`), `notes`, `help` (or
/// null) and `edits` (places as in `spans`, and the `text` to put there).
pub fn json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut out = String::new();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    out.push_str("{\"code\":");
    string(&mut out, diagnostic.code);
    out.push_str(",\"severity\":");
    string(&mut out, severity);
    out.push_str(",\"message\":");
    string(&mut out, &diagnostic.message);
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
    array(&mut out, "spans", labels.enumerate(), |out, (index, label)| {
        out.push('{');
        place(out, label.span, sources);
        let _ = write!(out, ",\"primary\":{},\"label\":", index == 0);
        string(out, &label.text);
        out.push('}');
    });
    array(&mut out, "notes", diagnostic.notes.iter(), |out, note| string(out, note));
    out.push_str(",\"help\":");
    match &diagnostic.help {
        Some(help) => string(&mut out, help),
        None => out.push_str("null"),
    }
    array(&mut out, "edits", diagnostic.edits.iter(), |out, edit| {
        out.push('{');
        place(out, edit.span, sources);
        out.push_str(",\"text\":");
        string(out, &edit.text);
        out.push('}');
    });
    out.push('}');
    out
}

fn array<T>(out: &mut String, name: &str, elements: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    let _ = write!(out, ",\"{name}\":[");
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, element);
    }
    out.push(']');
}

fn place(out: &mut String, span: Span, sources: &Sources) {
    let source = sources.get(span.file);
    out.push_str("\"file\":");
    string(out, &source.name);
    let (line, column) = source.position(span.start);
    let (end_line, end_column) = source.position(span.end);
    let _ =
        write!(out, ",\"start\":{},\"end\":{},\"line\":{},\"column\":{}", span.start, span.end, line + 1, column + 1);
    let _ = write!(out, ",\"end_line\":{},\"end_column\":{}", end_line + 1, end_column + 1);
}

/// Writes a string. What is not ASCII and printable is escaped: the output may end up in a terminal.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(c),
            _ if c.is_alphanumeric() => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
