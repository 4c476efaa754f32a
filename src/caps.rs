//! `pinfold caps`: the host API table, that is everything a program could import, and what each
//! import needs.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use pinfold::exit;
use pinfold_vm::host::Capability;
use pinfold_vm::host::table::{self, Row};
use serde::Serialize;

/// List what programs can import, and what grants it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print as JSON.
    #[arg(long)]
    pub json: bool,

    /// Print as Markdown: this is what docs/host-api.md is made from.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// Prints the table.
pub fn run(args: &Args) -> io::Result<u8> {
    let text = if args.json {
        json().map_err(io::Error::other)?
    } else if args.markdown {
        markdown()
    } else {
        plain()
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Who reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit::SUCCESS),
        result => result.map(|()| exit::SUCCESS),
    }
}

/// Rows by capability.
fn groups() -> impl Iterator<Item = (Capability, Vec<&'static Row>)> {
    Capability::ALL
        .into_iter()
        .map(|capability| (capability, table::rows().iter().filter(|row| row.capability == capability).collect()))
}

/// Parameters and results as one reads them: `(fd: i32, offset: i64) -> i32`.
fn signature(row: &Row) -> String {
    let params: Vec<_> = row.param_names.iter().zip(row.params).map(|(name, ty)| format!("{name}: {ty}")).collect();
    let results: Vec<_> = row.results.iter().map(|ty| format!(" -> {ty}")).collect();
    format!("({}){}", params.join(", "), results.concat())
}

fn plain() -> String {
    let mut text = String::new();
    for (capability, rows) in groups() {
        let _ = writeln!(text, "{}: {}", capability.name(), capability.description());
        let _ = writeln!(text, "  granted by {}", capability.flag());
        for row in rows {
            let _ = writeln!(text, "    {}.{}{}", row.module, row.name, signature(row));
            let _ = writeln!(text, "        {}", row.doc);
        }
        text.push('\n');
    }
    text
}

fn markdown() -> String {
    let mut text = String::from(
        "<!-- Made by `pinfold caps --markdown > docs/host-api.md`; a test keeps it up to date. -->\n\n\
         # Host API\n\n\
         Everything a program can import. A program whose imports are not in this table, or need a capability\n\
         that was not granted, is refused before it runs.\n\n\
         | capability | what it is | granted by |\n|---|---|---|\n",
    );
    for capability in Capability::ALL {
        let (name, flag) = (capability.name(), capability.flag());
        let flag = if flag.starts_with("--") { format!("`{flag}`") } else { flag.to_string() };
        let _ = writeln!(text, "| [{name}](#{name}) | {} | {flag} |", capability.description());
    }
    for (capability, rows) in groups() {
        let _ = write!(text, "\n## {}\n\n{}\n", capability.name(), capability.description());
        for row in rows {
            let _ = write!(text, "\n### {}\n\n", row.name);
            let _ = writeln!(text, "`{}.{}{}`\n\n{}", row.module, row.name, signature(row), row.doc);
            if !row.syscalls.is_empty() {
                let _ = writeln!(text, "\nSystem calls: `{}`.", row.syscalls.join("`, `"));
            }
        }
    }
    text
}

#[derive(Serialize)]
struct Listing {
    capabilities: Vec<ListedCapability>,
    functions: Vec<ListedFunction>,
}

#[derive(Serialize)]
struct ListedCapability {
    name: &'static str,
    description: &'static str,
    flag: &'static str,
    always_there: bool,
}

#[derive(Serialize)]
struct ListedFunction {
    module: &'static str,
    name: &'static str,
    params: Vec<ListedParam>,
    results: Vec<String>,
    capability: &'static str,
    syscalls: &'static [&'static str],
    doc: &'static str,
}

#[derive(Serialize)]
struct ListedParam {
    name: &'static str,
    r#type: String,
}

fn json() -> serde_json::Result<String> {
    let capabilities = Capability::ALL.map(|capability| ListedCapability {
        name: capability.name(),
        description: capability.description(),
        flag: capability.flag(),
        always_there: capability.is_always_there(),
    });
    let functions = table::rows().iter().map(|row| ListedFunction {
        module: row.module,
        name: row.name,
        params: row
            .param_names
            .iter()
            .zip(row.params)
            .map(|(name, ty)| ListedParam { name, r#type: ty.to_string() })
            .collect(),
        results: row.results.iter().map(ToString::to_string).collect(),
        capability: row.capability.name(),
        syscalls: row.syscalls,
        doc: row.doc,
    });
    let listing = Listing { capabilities: capabilities.into(), functions: functions.collect() };
    serde_json::to_string_pretty(&listing).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/host-api.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == markdown(), "run `pinfold caps --markdown > docs/host-api.md`");
    }

    #[test]
    fn every_row_is_in_every_form() {
        let (plain, markdown, json) = (plain(), markdown(), json().unwrap());
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["functions"].as_array().unwrap().len(), table::rows().len());
        for row in table::rows() {
            assert!(plain.contains(&format!("{}.{}(", row.module, row.name)), "{}", row.name);
            assert!(markdown.contains(&format!("\n### {}\n", row.name)), "{}", row.name);
        }
    }

    #[test]
    fn signatures_read_well() {
        let row = table::lookup("wasi_snapshot_preview1", "fd_seek").unwrap();
        assert_eq!(signature(row), "(fd: i32, offset: i64, whence: i32, newoffset: i32) -> i32");
        let row = table::lookup("wasi_snapshot_preview1", "proc_exit").unwrap();
        assert_eq!(signature(row), "(code: i32)");
    }
}
