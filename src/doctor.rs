//! `pinfold doctor`: tries each layer of the sandbox on this host, and says which hold.

use std::io::{self, Write};

use pinfold::exit;
use pinfold_sandbox::Layer;
use pinfold_sandbox::probe::{self, Found};
use serde::Serialize;

/// Try each layer of the sandbox on this host.
///
/// Says which hold, and why others do not.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    layer: &'static str,
    works: bool,
    /// Whether another layer stands in.
    replaced: bool,
    note: String,
    what: &'static str,
}

/// Runs the command. It fails if a layer is missing.
pub fn run(args: &Args) -> io::Result<u8> {
    let rows: Vec<Row> = probe::all().into_iter().map(|(layer, found)| row(layer, found)).collect();
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
    } else {
        let kernel = rustix::system::uname();
        let who = if rustix::process::geteuid().is_root() { "root" } else { "an ordinary user" };
        writeln!(out, "Linux {}, as {who}\n", kernel.release().to_string_lossy())?;
        for row in &rows {
            let mark = match row {
                Row { replaced: true, .. } => "replaced",
                Row { works: true, .. } => "holds",
                _ => "missing",
            };
            let mut title = format!("{:<14} {mark:<8}", row.layer);
            for text in [row.what, &row.note] {
                for line in lines(text) {
                    writeln!(out, "{title:MARGIN$} {line}")?;
                    title.clear();
                }
            }
        }
        if let Some(advice) = advice(&rows) {
            writeln!(out, "\n{advice}")?;
        }
    }
    Ok(if rows.iter().all(|row| row.works) { exit::SUCCESS } else { exit::FAILURE })
}

/// Columns to the left of what is said of a layer, and for it: eighty together.
const MARGIN: usize = 23;
const WIDTH: usize = 56;

/// Breaks a text between words.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What to do about what is missing.
fn advice(rows: &[Row]) -> Option<String> {
    let missing = |layer: &Layer| rows.iter().any(|row| row.layer == layer.name() && !row.works);
    let is_all = Layer::NAMESPACES.iter().all(missing);
    let waived =
        |layer: &&Layer| missing(layer) && !layer.is_indispensable() && !(is_all && Layer::NAMESPACES.contains(layer));
    let names = Layer::ALL.iter().filter(waived).map(|layer| layer.name());
    let names: Vec<&str> = is_all.then_some("namespaces").into_iter().chain(names).collect();
    let first = Layer::ALL.iter().find(|layer| layer.is_indispensable() && missing(layer));
    match (first, names.as_slice()) {
        (Some(layer), _) => Some(format!("Nothing runs here: {} is indispensable.", layer.name())),
        (None, []) => None,
        (None, names) => Some(format!("To go on without what is missing: pinfold run --without {} …", names.join(","))),
    }
}

fn row(layer: Layer, found: Found) -> Row {
    let (works, replaced) = (found.works(), matches!(found, Found::Replaced(_)));
    let note = match found {
        Found::Replaced(why) => format!("by limits of the process: {why}"),
        Found::Works(note) | Found::Missing(note) => note,
    };
    Row { layer: layer.name(), works, replaced, note, what: layer.description() }
}
