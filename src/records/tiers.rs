//! `--trace-tiers`: what the tiers do, a line for each: for people, or as JSON.
//!
//! ```text
//! hot: function 3 fib, calls
//! compiled: function 3 fib, 61 bytes to 288, 1.204 ms
//! entered: function 7 main, loop 0
//! ```

use std::fmt::Write;
use std::time::Duration;

use pinfold_vm::api::{Heat, Named, TierEvent};
use pinfold_vm::module::Escaped;
use serde::Serialize;

use crate::json;

/// The line of an event, without its end.
pub fn line(event: &TierEvent) -> String {
    match event {
        TierEvent::Hot { function, heat } => match heat {
            Heat::Calls => format!("hot: {}, calls", name(function)),
            Heat::Turns => format!("hot: {}, turns of its loops", name(function)),
            Heat::Loop(number) => format!("hot: {}, turns of loop {number}", name(function)),
        },
        TierEvent::Compiled { function, number, body, code, micros, together } => {
            let mut line = format!(
                "compiled: {}{}, {body} bytes to {code}, {:.3} ms",
                name(function),
                at(*number),
                *micros as f64 / 1e3
            );
            if *together > 1 {
                let _ = write!(line, " for {together} functions");
            }
            line
        }
        TierEvent::Entered { function, number } => format!("entered: {}, loop {number}", name(function)),
        TierEvent::Refused { function, number, why } => {
            format!("refused: {}{}: {}", name(function), at(*number), Escaped(why))
        }
        TierEvent::Kept { functions, loops } => format!("kept: {functions} functions, {loops} loops"),
    }
}

fn name(function: &Named) -> String {
    let name = function.name.as_ref().map(|name| format!(" {}", Escaped(name))).unwrap_or_default();
    format!("function {}{name}", function.index)
}

fn at(number: Option<u32>) -> String {
    number.map(|number| format!(", loop {number}")).unwrap_or_default()
}

/// An event as JSON. Fields that an event does not have are left out.
#[derive(Default, Serialize)]
struct Line<'a> {
    at_us: u64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "loop")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    together: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loops: Option<u64>,
}

/// The line of an event as JSON, without its end; it was told so long after the start.
pub fn json_line(event: &TierEvent, at: Duration) -> serde_json::Result<String> {
    let of = |event, function: &'_ Named| Line { event, function: Some(function.index), ..Line::default() };
    let mut line = match event {
        TierEvent::Hot { function, heat } => {
            let (heat, number) = match heat {
                Heat::Calls => ("calls", None),
                Heat::Turns => ("turns", None),
                Heat::Loop(number) => ("turns", Some(*number)),
            };
            Line { heat: Some(heat), number, ..of("hot", function) }
        }
        TierEvent::Compiled { function, number, body, code, micros, together } => Line {
            number: *number,
            body_bytes: Some(*body),
            code_bytes: Some(*code),
            took_us: Some(*micros),
            together: Some(*together),
            ..of("compiled", function)
        },
        TierEvent::Entered { function, number } => Line { number: Some(*number), ..of("entered", function) },
        TierEvent::Refused { function, number, why } => {
            Line { number: *number, why: Some(why), ..of("refused", function) }
        }
        TierEvent::Kept { functions, loops } => {
            Line { event: "kept", functions: Some(*functions), loops: Some(*loops), ..Line::default() }
        }
    };
    line.name = match event {
        TierEvent::Hot { function, .. }
        | TierEvent::Compiled { function, .. }
        | TierEvent::Entered { function, .. }
        | TierEvent::Refused { function, .. } => function.name.as_deref(),
        TierEvent::Kept { .. } => None,
    };
    line.at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
    json::line(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<TierEvent> {
        let function = |name: &str| Named { index: 3, name: Some(name.to_owned()) };
        let compiled = |number, together| TierEvent::Compiled {
            function: function("fib"),
            number,
            body: 61,
            code: 288,
            micros: 1204,
            together,
        };
        let refused = |number| TierEvent::Refused { function: function("big"), number, why: "it is too large".into() };
        vec![
            TierEvent::Hot { function: function("fib"), heat: Heat::Calls },
            TierEvent::Hot { function: Named { index: 8, name: None }, heat: Heat::Turns },
            TierEvent::Hot { function: function("\u{1b}[2J\n"), heat: Heat::Loop(2) },
            compiled(None, 1),
            compiled(None, 5),
            compiled(Some(2), 1),
            TierEvent::Entered { function: function("fib"), number: 2 },
            refused(None),
            refused(Some(1)),
            TierEvent::Kept { functions: 12, loops: 3 },
        ]
    }

    #[test]
    fn events_read_well() {
        let lines: Vec<String> = events().iter().map(line).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn events_are_json_too() {
        let line = |event| json_line(event, Duration::from_micros(7)).unwrap();
        let lines: Vec<String> = events().iter().map(line).collect();
        assert!(lines.iter().all(|line| line.chars().all(|c| c == ' ' || c.is_ascii_graphic())), "{lines:?}");
        insta::assert_snapshot!(lines.join("\n"));
    }
}
