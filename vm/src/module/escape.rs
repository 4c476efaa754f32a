//! Showing the guest's own words without letting them speak to the terminal.

use std::fmt::{self, Write};

/// Shows a text that came from a guest: control, invisible and direction-changing characters as
/// escapes, long texts cut.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

/// Characters shown before the text is cut.
const SHOWN: usize = 100;

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(SHOWN) {
            match c {
                '\'' | '"' => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_debug())?,
            }
        }
        if chars.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// Shows a whole text that is one's own but for words in it that may be a guest's: the same characters become escapes, what is an
/// escape already stays, line ends too.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\'' | '"' | '\\' | '\n' => f.write_char(c),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_could_act_on_a_terminal_or_hide() {
        assert_eq!(
            Escaped("a\x1b[31m\n\u{202e}b\u{200b}\u{9b}").to_string(),
            "a\\u{1b}[31m\\n\\u{202e}b\\u{200b}\\u{9b}"
        );
        assert_eq!(Escaped("Größe 'x' \"y\" → z").to_string(), "Größe 'x' \"y\" → z");
        assert_eq!(Escaped("a\\nb").to_string(), "a\\\\nb");
    }

    #[test]
    fn what_is_printable_stays_as_it_is() {
        let text = "two lines,\n  one \\u{1b} and one \"quoted\"";
        assert_eq!(Printable(text).to_string(), text);
        assert_eq!(Printable("a\x1b[2J\r\u{202e}").to_string(), "a\\u{1b}[2J\\r\\u{202e}");
    }

    #[test]
    fn cuts_long_texts() {
        let shown = Escaped(&"ä".repeat(5000)).to_string();
        assert_eq!(shown.chars().count(), SHOWN + 1);
        assert!(shown.ends_with('…'));
        assert_eq!(Escaped(&"x".repeat(SHOWN)).to_string(), "x".repeat(SHOWN));
    }
}
