//! Pieces of a policy as they are written.

use std::fmt::Write;

/// A text as TOML has it. What cannot be printed is escaped.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\'' => out.push(c),
            _ if c.escape_debug().len() == 1 => out.push(c),
            _ => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out + "\""
}

/// A name before `=`.
pub fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A text as part of a comment: it stays in its line.
pub fn comment(text: &str) -> String {
    text.chars().flat_map(char::escape_debug).collect()
}

/// A number of bytes, in the largest unit that says it exactly.
pub fn bytes(number: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if number >> shift > 0 && number.trailing_zeros() >= shift {
            return format!("{}{unit}", number >> shift);
        }
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_bytes_are_exact() {
        for (number, text) in [(0, "0"), (1000, "1000"), (65536, "64KiB"), (3 << 29, "1536MiB"), (1 << 30, "1GiB")] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn texts_are_read_back_as_they_were() {
        for text in ["plain", "a\"b\\c'd", "\u{1b}[2J\n\r\t\u{7f}", "\u{202e}\u{e0001}", "Größe 漢 🦀", "#="] {
            let table = format!("key = {}", quoted(text));
            let table = toml::de::DeTable::parse(&table).unwrap();
            let value = table.get_ref().values().next().unwrap().get_ref().as_str();
            assert_eq!(value, Some(text));
            assert!(!comment(text).contains(['\n', '\r', '\u{1b}']));
        }
    }
}
