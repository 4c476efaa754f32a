//! JSON that can be read by people too: whatever texts are in it, nothing acts on a terminal or hides.

use std::fmt::Write;

use serde::Serialize;

/// A value in one line. Characters that control, hide or change direction are written as JSON's own escapes, so that whoever parses
/// it gets them as they were.
///
/// # Errors
/// Those of serialization.
pub fn line(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| printable(&text))
}

/// The same in several lines.
///
/// # Errors
/// Those of serialization.
pub fn document(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| printable(&text))
}

/// Escapes what JSON allows in a string as it is. Line ends stay: those in strings are escaped already.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_graphic() || matches!(c, ' ' | '\n') || c.escape_debug().len() == 1 {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_printable_and_read_back_as_they_were() {
        let text = "a\u{1b}[2J\n\"\\\u{7f}\u{9b}\u{202e}\u{200b}\u{e0001}\u{feff}Größe → 漢 🦀";
        for written in [line(&text), document(&[text])] {
            let written = written.unwrap();
            assert!(
                written.chars().all(|c| c == '\n' || c.escape_debug().len() == 1 || "\"\\'".contains(c)),
                "{written}"
            );
            assert!(written.contains("Größe → 漢 🦀") && written.contains("\\u001b[2J\\n"), "{written}");
        }
        assert_eq!(serde_json::from_str::<String>(&line(&text).unwrap()).unwrap(), text);
    }
}
