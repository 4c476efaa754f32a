//! The programs of this suite: fields of a module, written short.
//!
//! ```text
//!  ;; what it shows                        a comment
//!  ;; stdin: some text                     how it is run: see `Setup`
//!  (func (export "_start")
//!    (call $tell (str "close") (call $fd_close (i32.const 99))))
//!  ;;= close: badf                         what it prints
//!  ;;= exit 0                              and how it ends
//! ```
//!
//! `(str "text")` stands for two numbers: where the text is, and its length. Functions of the host are imported by being called.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pinfold_vm::host::{table, wasi};
use pinfold_vm::types::ValType;

const PRELUDE: &str = include_str!("prelude.wat");
/// Where texts are in memory.
const TEXTS: usize = 1024;
const TEXTS_END: usize = 4096;

/// A program and what becomes of it.
pub struct Program {
    pub name: String,
    /// The module, as text.
    pub text: String,
    pub setup: Setup,
    /// Lines that it prints, what is asked of the host afterwards, and how it ends.
    pub expected: Vec<String>,
}

/// How it is run, besides the granted directories.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// `;; stdin: TEXT`: what it can read.
    pub stdin: String,
    /// `;; stdin stays open`: there is no end of it.
    pub stays_open: bool,
    /// `;; argument: TEXT`, any number of them.
    pub arguments: Vec<String>,
    /// `;; variable: NAME=VALUE`
    pub variables: Vec<(String, String)>,
    /// `;; look: PATH`: files whose contents are looked at afterwards, below the directory that holds the granted ones.
    pub looks: Vec<PathBuf>,
    /// `;; deterministic`
    pub deterministic: bool,
    /// `;; network`: a connection as descriptor 5, and 6 to accept others at.
    pub network: bool,
}

/// Reads a program's file.
pub fn read(path: &Path) -> std::io::Result<Program> {
    let source = std::fs::read_to_string(path)?;
    let mut setup = Setup::default();
    for line in source.lines().filter_map(|line| line.strip_prefix(";; ")) {
        match line.split_once(": ") {
            Some(("stdin", text)) => setup.stdin = text.into(),
            Some(("argument", text)) => setup.arguments.push(text.into()),
            Some(("variable", text)) => {
                setup.variables.extend(text.split_once('=').map(|(name, value)| (name.into(), value.into())));
            }
            Some(("look", path)) => setup.looks.push(path.into()),
            None if line == "stdin stays open" => setup.stays_open = true,
            None if line == "deterministic" => setup.deterministic = true,
            None if line == "network" => setup.network = true,
            _ => {}
        }
    }
    let expected = source.lines().filter_map(|line| line.strip_prefix(";;= ")).map(str::to_owned).collect();
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Program { name, text: module(&source), setup, expected })
}

/// The module of a program.
pub fn module(fields: &str) -> String {
    let (body, data) = place_texts(&format!("{PRELUDE}\n{fields}"));
    let mut module = String::from("(module\n");
    for row in table::rows().iter().filter(|row| calls(&body, row.name)) {
        let types = |types: &[ValType]| types.iter().fold(String::new(), |all, ty| format!("{all} {ty}"));
        let (params, results) = (types(row.params), types(row.results));
        let (home, name) = (row.module, row.name);
        writeln!(module, r#"(import "{home}" "{name}" (func ${name} (param{params}) (result{results})))"#).unwrap();
    }
    module + &body + &data + ")\n"
}

/// Whether a text calls a function, and not just one whose name begins so.
pub fn calls(text: &str, function: &str) -> bool {
    let call = format!("call ${function}");
    text.match_indices(&call)
        .any(|(at, _)| !text[at + call.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// Replaces each `(str "…")` by the place and length of its text, which the second result puts there.
fn place_texts(source: &str) -> (String, String) {
    let (mut body, mut data) = (String::new(), String::new());
    let (mut rest, mut place) = (source, TEXTS);
    while let Some((before, after)) = rest.split_once("(str \"") {
        let (text, after) = after.split_once("\")").expect("a text ends on its line");
        // The only escape that is used.
        let len = text.replace("\\n", "\n").len();
        write!(body, "{before}(i32.const {place}) (i32.const {len})").unwrap();
        writeln!(data, "(data (i32.const {place}) \"{text}\")").unwrap();
        place += len;
        rest = after;
    }
    assert!(place <= TEXTS_END, "too much text");
    (body + rest, data)
}

/// What a program printed, with errors by their names.
pub fn readable(output: &str) -> Vec<String> {
    let line = |line: &str| match line.rsplit_once("errno ") {
        Some((before, "0")) => format!("{before}ok"),
        Some((before, number)) => {
            let errno = number.parse().ok().and_then(wasi::Errno::from_number);
            let name = errno.map_or(format!("errno {number}"), |errno| format!("{errno:?}").to_lowercase());
            format!("{before}{name}")
        }
        None => line.to_owned(),
    };
    output.lines().map(line).collect()
}
