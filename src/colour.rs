//! Colours for diagnostics on a terminal.
//!
//! Diagnostics are rendered by a confined worker, whose text is printed with nothing in it that a terminal takes for a command. So they are
//! coloured afterwards, here, by how their lines begin; what looks like a diagnostic and is none is coloured too, and nothing else comes of it.

use std::io::IsTerminal;

/// Text after this is as the terminal has it.
const PLAIN: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";

/// Whether standard error is a terminal on which colours are wanted: <https://no-color.org>.
pub fn wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A text with the diagnostics in it coloured, if colours are wanted.
pub fn diagnostics(text: &str) -> String {
    if wanted() { coloured(text) } else { text.to_owned() }
}

fn coloured(text: &str) -> String {
    // The colour of what the last heading says.
    let mut own = None;
    let lines = text.lines().map(|line| {
        if let Some((colour, heading)) = heading(line) {
            own = Some(colour);
            return heading;
        }
        own.and_then(|own| excerpt(line, own)).unwrap_or_else(|| line.to_owned())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `error[F0301]: message`, if a line is one, and its colour.
fn heading(line: &str) -> Option<(&'static str, String)> {
    let colour = [("error[", RED), ("warning[", YELLOW)].into_iter().find(|(start, _)| line.starts_with(start))?.1;
    let (kind, message) = line.split_once(": ")?;
    Some((colour, format!("{colour}{kind}{PLAIN}{BOLD}: {message}{PLAIN}")))
}

/// A line below a heading: a place, source, marks, or advice.
fn excerpt(line: &str, own: &str) -> Option<String> {
    if let Some(help) = line.strip_prefix("help: ") {
        return Some(format!("{BOLD}help{PLAIN}: {help}"));
    }
    // The gutter: spaces, perhaps a line's number, and what it ends with.
    let end = line.find(|c: char| c != ' ' && !c.is_ascii_digit())?;
    let numbered = line[..end].contains(|c: char| c.is_ascii_digit());
    for mark in ["-->", ":::", "..."] {
        if let (false, Some(rest)) = (numbered, line[end..].strip_prefix(mark)) {
            return Some(format!("{BLUE}{}{mark}{PLAIN}{rest}", &line[..end]));
        }
    }
    let (sign, rest) = line[end..].split_at_checked(1)?;
    if end == 0 || !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    let gutter = format!("{BLUE}{}{sign}{PLAIN}", &line[..end]);
    match sign {
        "|" if numbered => Some(format!("{gutter}{rest}")),
        "|" if rest.trim().is_empty() => Some(gutter),
        "|" => {
            let marks = rest.trim_start_matches([' ', '|']);
            let colour = match marks.chars().next() {
                Some('^') => own,
                Some('+' | '~') => GREEN,
                _ => BLUE,
            };
            Some(format!("{gutter}{colour}{rest}{PLAIN}"))
        }
        "=" => {
            let (kind, message) = rest.split_once(": ")?;
            Some(format!("{gutter}{BOLD}{kind}{PLAIN}: {message}"))
        }
        "+" if numbered => Some(format!("{BLUE}{}{PLAIN}{GREEN}+{rest}{PLAIN}", &line[..end])),
        "-" if numbered => Some(format!("{BLUE}{}{PLAIN}{RED}-{rest}{PLAIN}", &line[..end])),
        "~" if numbered => Some(format!("{gutter}{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "main.fold: it does not compile

error[F0214]: `Console` has no method `prnt`
 --> main.fold:14:5
   |
14 | out.prnt(n) // a = b
   | --- ^^^^
   | |
   | of this
   |
   = note: it is a value
help: there is `print`
   |
14 - out.prnt(n)
14 + out.print(n)
   |

warning[F0601]: `x` is not used
  --> main.fold:1:1
   | ^ here

2 errors";

    #[test]
    fn colours_are_all_that_is_added() {
        let coloured = coloured(TEXT);
        let mut plain = coloured.clone();
        for colour in [PLAIN, BOLD, RED, GREEN, YELLOW, BLUE] {
            plain = plain.replace(colour, "");
        }
        assert_eq!(plain, TEXT);
        assert!(coloured.lines().all(|line| line.matches("\x1b[").count() == 0 || line.contains(PLAIN)));
    }

    #[test]
    fn each_line_has_its_colour() {
        let coloured = coloured(TEXT);
        for expected in [
            "\nmain.fold".trim(),
            "\x1b[1;31merror[F0214]\x1b[0m\x1b[1m: `Console` has no method `prnt`\x1b[0m\n",
            "\x1b[1;34m -->\x1b[0m main.fold:14:5\n",
            "\n\x1b[1;34m14 |\x1b[0m out.prnt(n) // a = b\n",
            "\x1b[1;34m   |\x1b[0m\x1b[1;34m --- ^^^^\x1b[0m\n",
            "\x1b[1;34m   =\x1b[0m\x1b[1m note\x1b[0m: it is a value\n",
            "\x1b[1;34m14 \x1b[0m\x1b[1;31m- out.prnt(n)\x1b[0m\n",
            "\x1b[1;34m14 \x1b[0m\x1b[32m+ out.print(n)\x1b[0m\n",
            "\x1b[1;33mwarning[F0601]\x1b[0m",
            "\x1b[1;34m   |\x1b[0m\x1b[1;33m ^ here\x1b[0m\n",
            "\n2 errors",
        ] {
            assert!(coloured.contains(expected), "{expected:?} is not in\n{coloured:?}");
        }
    }

    #[test]
    fn no_line_is_cut_within_a_character() {
        let text = "error[F0100]: ä\n ä\n1 ä\n |ä\n = ä\nä";
        assert!(coloured(text).ends_with("\n ä\n1 ä\n |ä\n = ä\nä"));
    }
}
