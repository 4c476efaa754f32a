//! `pinfold doctor`: tries each layer of the sandbox on this host, and says which hold.

use std::io::{self, Write};
use std::process::ExitCode;

use pinfold_sandbox::Layer;
use pinfold_sandbox::probe::{self, Found};
use serde::Serialize;

/// Try each layer of the sandbox on this host, and say which hold and why others do not.
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
pub fn run(args: &Args) -> io::Result<ExitCode> {
    let rows: Vec<Row> = probe::all().into_iter().map(|(layer, found)| row(layer, found)).collect();
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
    } else {
        for row in &rows {
            let mark = match row {
                Row { replaced: true, .. } => "replaced",
                Row { works: true, .. } => "holds",
                _ => "missing",
            };
            writeln!(out, "{:<14} {mark:<8} {}", row.layer, row.what)?;
            if !row.note.is_empty() {
                writeln!(out, "{:23} {}", "", row.note)?;
            }
        }
        let missing: Vec<&str> = rows.iter().filter(|row| !row.works).map(|row| row.layer).collect();
        if !missing.is_empty() {
            writeln!(out, "\nWhat is missing can be done without: pinfold run --without {} …", missing.join(","))?;
        }
    }
    Ok(if rows.iter().all(|row| row.works) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(layer: Layer, found: Found) -> Row {
    let (works, replaced) = (found.works(), matches!(found, Found::Replaced(_)));
    let note = match found {
        Found::Replaced(why) => format!("by limits of the process: {why}"),
        Found::Works(note) | Found::Missing(note) => note,
    };
    Row { layer: layer.name(), works, replaced, note, what: layer.description() }
}
