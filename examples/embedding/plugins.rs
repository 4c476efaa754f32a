//! An editor with plugins: each handles events, and is granted a place to write, under the limits of a guest.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use pinfold::{Console, FromFold, ToFold, Vm, grants};

#[derive(ToFold)]
struct Document {
    path: String,
    lines: Vec<String>,
}

#[derive(FromFold)]
enum Action {
    Nothing,
    Replace(Vec<String>),
    Refuse { why: String },
}

const TRIM: &str = r#"
record Document { path: String, lines: List<String> }
enum Action { Nothing, Replace(List<String>), Refuse { why: String } }

pub fn on_save(log: Console, document: Document) -> Action {
    let trimmed = document.lines.map(|line| line.trim_end()).to_list()
    if trimmed == document.lines { return Action.Nothing }
    log.print("trimmed {document.path}")
    Action.Replace(trimmed)
}
"#;

const STRICT: &str = r#"
record Document { path: String, lines: List<String> }
enum Action { Nothing, Replace(List<String>), Refuse { why: String } }

pub fn on_save(log: Console, document: Document) -> Action {
    for (number, line) in document.lines.enumerate() {
        if line.contains("TODO") { return Action.Refuse { why: "line {number + 1} is not done" } }
    }
    Action.Nothing
}
"#;

const BROKEN: &str = "
record Document { path: String, lines: List<String> }
enum Action { Nothing, Replace(List<String>), Refuse { why: String } }

pub fn on_save(log: Console, document: Document) -> Action {
    while true {}
    Action.Nothing
}
";

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let vm = Vm::builder().memory(16 << 20).deadline(Duration::from_millis(100)).build()?;
    let log = Console::capture();
    let mut plugins = Vec::new();
    for (name, source) in [("trim.fold", TRIM), ("strict.fold", STRICT), ("broken.fold", BROKEN)] {
        plugins.push((name, vm.compile(name, source)?.session(grants! { log: log.clone() })?));
    }
    let mut document = Document { path: "notes.txt".into(), lines: vec!["one  ".into(), "two TODO".into()] };
    for (name, plugin) in &mut plugins {
        match plugin.call("on_save", (&document,)) {
            Ok(Action::Nothing) => writeln!(out, "  {name} is content")?,
            Ok(Action::Replace(lines)) => document.lines = lines,
            Ok(Action::Refuse { why }) => writeln!(out, "  {name} refuses: {why}")?,
            // A plugin that fails is not the editor's end.
            Err(error) => writeln!(out, "  {name} failed: {}", error.code())?,
        }
    }
    writeln!(out, "  {:?}, {}", document.lines, log.text().trim_end())?;
    Ok(())
}
