//! Reading a policy.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pinfold_vm::host::{DirGrant, NetGrant, NetGrantError};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Limits, Policy};
use crate::run::args::{Bytes, processor_seconds, processors, seconds};

/// What can stand at the top, in a directory, and among the limits.
const KEYS: [&str; 10] =
    ["clock", "console", "dir", "env", "limits", "listen", "net", "random", "stdin", "trap_unknown_imports"];
const DIRECTORY: [&str; 4] = ["guest", "host", "name", "rw"];
const LIMITS: [&str; 8] =
    ["cpus", "fuel", "max_cpu", "max_memory", "max_output", "max_processes", "max_stack", "timeout"];
/// How much alike two names must be for one to be taken for the other.
const ALIKE: f64 = 0.75;

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}:{column}: {problem}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// The character in it, from 1 on.
        column: usize,
        /// What is wrong.
        problem: String,
    },
}

/// Something wrong at a place in the text.
type Wrong = (Range<usize>, String);
type Found<'a> = &'a Spanned<DeValue<'a>>;

/// Reads a policy from a file. Relative directories in it start from where the file is.
///
/// # Errors
/// If it cannot be read, or holds what is no policy.
pub fn read(path: &Path) -> Result<Policy, PolicyFileError> {
    let text = std::fs::read_to_string(path).map_err(|error| PolicyFileError::Read { path: path.into(), error })?;
    parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|(span, problem)| {
        let (line, column) = place(&text, span.start);
        PolicyFileError::Wrong { path: path.into(), line, column, problem }
    })
}

/// Line and column of a byte, from 1 on.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..text.floor_char_boundary(at)).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn parse(text: &str, directory: &Path) -> Result<Policy, Wrong> {
    let table = DeTable::parse(text).map_err(|error| (error.span().unwrap_or(0..0), error.message().to_owned()))?;
    let mut policy = Policy::default();
    for (key, value) in entries(table.get_ref(), &KEYS)? {
        match key {
            "clock" => policy.clock = switch(value)?,
            "random" => policy.random = switch(value)?,
            "stdin" => policy.stdin = switch(value)?,
            "console" => policy.console = switch(value)?,
            "trap_unknown_imports" => policy.trap_unknown_imports = switch(value)?,
            "net" => policy.net.extend(connections(value, NetGrant::connect)?),
            "listen" => policy.net.extend(connections(value, NetGrant::listen)?),
            "dir" => policy.dirs = list(value)?.map(|value| dir(value, directory)).collect::<Result<_, _>>()?,
            "env" => policy.env = table_of(value)?.iter().map(variable).collect::<Result<_, _>>()?,
            "limits" => policy.limits = limits(table_of(value)?)?,
            other => return Err((value.span(), format!("{other} is not understood"))),
        }
    }
    Ok(policy)
}

/// The entries of a table in the order of the text, all of which must have known names.
fn entries<'a>(table: &'a DeTable<'a>, known: &[&str]) -> Result<Vec<(&'a str, Found<'a>)>, Wrong> {
    let mut all: Vec<_> = table.iter().collect();
    all.sort_by_key(|(key, _)| key.span().start);
    all.into_iter()
        .map(|(key, value)| match key.get_ref().as_ref() {
            name if known.contains(&name) => Ok((name, value)),
            name => Err((key.span(), unknown(name, known))),
        })
        .collect()
}

fn unknown(name: &str, known: &[&str]) -> String {
    let alike = |known: &&&str| strsim::jaro_winkler(name, known);
    let nearest = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|known| alike(known) >= ALIKE);
    match nearest {
        Some(nearest) => format!("unknown key {name:?}; did you mean {nearest:?}?"),
        None => format!("unknown key {name:?}; what can stand here is {}", known.join(", ")),
    }
}

fn wrong<T>(value: Found<'_>, wanted: &str) -> Result<T, Wrong> {
    Err((value.span(), format!("this is to be {wanted}, and is of type {}", value.get_ref().type_str())))
}

fn switch(value: Found<'_>) -> Result<bool, Wrong> {
    value.get_ref().as_bool().map_or_else(|| wrong(value, "true or false"), Ok)
}

fn text<'a>(value: Found<'a>, wanted: &str) -> Result<&'a str, Wrong> {
    match value.get_ref().as_str() {
        Some("") => Err((value.span(), "this is empty".to_owned())),
        Some(text) => Ok(text),
        None => wrong(value, wanted),
    }
}

fn list<'a>(value: Found<'a>) -> Result<impl Iterator<Item = Found<'a>>, Wrong> {
    match value.get_ref().as_array() {
        Some(all) => Ok(all.iter()),
        None => wrong(value, "a list"),
    }
}

fn table_of<'a>(value: Found<'a>) -> Result<&'a DeTable<'a>, Wrong> {
    value.get_ref().as_table().map_or_else(|| wrong(value, "a table"), Ok)
}

fn connections(
    value: Found<'_>,
    parse: impl Fn(&str) -> Result<NetGrant, NetGrantError>,
) -> Result<Vec<NetGrant>, Wrong> {
    let one = |value| parse(text(value, "a text")?).map_err(|error| (value.span(), error.to_string()));
    list(value)?.map(one).collect()
}

fn dir(value: Found<'_>, directory: &Path) -> Result<DirGrant, Wrong> {
    let (mut host, mut guest, mut name, mut writable) = (None, None, None, false);
    for (key, value) in entries(table_of(value)?, &DIRECTORY)? {
        match key {
            "host" => host = Some(text(value, "a path")?),
            "guest" => guest = Some(text(value, "a path")?.to_owned()),
            "name" => name = Some(identifier(value)?),
            "rw" => writable = switch(value)?,
            other => return Err((value.span(), format!("{other} is not understood"))),
        }
    }
    let host = host.ok_or_else(|| (value.span(), "host is missing".to_owned()))?;
    let guest = guest.unwrap_or_else(|| name.as_ref().map_or(host.to_owned(), |name| format!("/{name}")));
    Ok(DirGrant { name, host: directory.join(host), guest, writable })
}

/// The name of a parameter, as the flag has it.
fn identifier(value: Found<'_>) -> Result<String, Wrong> {
    let name = text(value, "a name")?;
    match format!("{name}=.").parse::<DirGrant>() {
        Ok(DirGrant { name: Some(found), .. }) if found == name => Ok(found),
        _ => Err((value.span(), "a name is letters, digits and _".to_owned())),
    }
}

fn variable(
    (key, value): (&Spanned<impl AsRef<str>>, &Spanned<DeValue<'_>>),
) -> Result<(String, Option<String>), Wrong> {
    let name = key.get_ref().as_ref().to_owned();
    match value.get_ref() {
        DeValue::String(text) => Ok((name, Some(text.to_string()))),
        DeValue::Boolean(true) => Ok((name, None)),
        _ => wrong(value, "a text, or true for the value that it has here"),
    }
}

fn limits(table: &DeTable<'_>) -> Result<Limits, Wrong> {
    let mut limits = Limits::default();
    for (key, value) in entries(table, &LIMITS)? {
        match key {
            "timeout" => limits.timeout = Some(number(value, "a number of seconds", seconds)?),
            "max_memory" => limits.max_memory = Some(bytes(value)?),
            "max_stack" => limits.max_stack = Some(bytes(value)?),
            "max_output" => limits.max_output = Some(bytes(value)?),
            "max_cpu" => limits.max_cpu = Some(number(value, "a number of seconds", processor_seconds)?),
            "cpus" => limits.cpus = Some(number(value, "a number of processors", processors)?),
            "max_processes" => limits.max_processes = Some(number(value, "a number", str::parse::<u64>)?),
            "fuel" => limits.fuel = Some(number(value, "a number", str::parse::<u64>)?),
            other => return Err((value.span(), format!("{other} is not understood"))),
        }
    }
    Ok(limits)
}

fn bytes(value: Found<'_>) -> Result<u64, Wrong> {
    number(value, "a number of bytes, as in 4096 or \"64MiB\"", |text| text.parse::<Bytes>()).map(|bytes| bytes.0)
}

/// A number as a flag has it, in quotes or not.
fn number<T, E: fmt::Display>(
    value: Found<'_>,
    wanted: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Wrong> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.as_ref(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        _ => return wrong(value, wanted),
    };
    parse(text).map_err(|error| (value.span(), format!("this is to be {wanted}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let (span, problem) = parse(text, Path::new("")).unwrap_err();
        let (line, column) = place(text, span.start);
        format!("{line}:{column}: {problem}")
    }

    #[test]
    fn everything_that_can_stand_in_a_policy_is_read() {
        let text = r#"
            clock = true
            random = false
            console = true
            net = ["api=example.com:443"]
            listen = ["127.0.0.1:80"]
            [[dir]]
            host = "data"
            [[dir]]
            host = "/srv::x=y"
            name = "out"
            rw = true
            [env]
            LANG = "C"
            HOME = true
            [limits]
            timeout = 1.5
            max_memory = "64MiB"
            max_stack = 65_536
            max_cpu = 2
            cpus = 0.5
            max_processes = 3
            fuel = 10
        "#;
        let policy = parse(text, Path::new("/etc/policies")).unwrap();
        let dir = |name: Option<&str>, host: &str, guest: &str, writable| DirGrant {
            name: name.map(str::to_owned),
            host: host.into(),
            guest: guest.into(),
            writable,
        };
        let expected = Policy {
            clock: true,
            console: true,
            net: vec![NetGrant::connect("api=example.com:443").unwrap(), NetGrant::listen("127.0.0.1:80").unwrap()],
            dirs: vec![dir(None, "/etc/policies/data", "data", false), dir(Some("out"), "/srv::x=y", "/out", true)],
            env: vec![("HOME".into(), None), ("LANG".into(), Some("C".into()))],
            limits: Limits {
                timeout: Some(1.5),
                max_memory: Some(64 << 20),
                max_stack: Some(65_536),
                max_cpu: Some(2.0),
                cpus: Some(0.5),
                max_processes: Some(3),
                fuel: Some(10),
                ..Limits::default()
            },
            ..Policy::default()
        };
        assert_eq!(policy.net.len(), 2);
        assert_eq!(Policy { net: Vec::new(), ..policy.clone() }, Policy { net: Vec::new(), ..expected.clone() });
        assert!(expected.net.iter().all(|net| policy.net.contains(net)));
    }

    #[test]
    fn an_empty_policy_grants_nothing() {
        assert_eq!(parse("", Path::new("")).unwrap(), Policy::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let problems = [
            "clok = true",
            "\n\n  frobnicate = 1",
            "clock = 1",
            "clock = true\nclock = true",
            "clock = ",
            "dir = 'x'",
            "[[dir]]\nhots = 'x'",
            "[[dir]]\nguest = 'x'",
            "[[dir]]\nhost = ''",
            "[[dir]]\nhost = 'x'\nname = 'a b'",
            "[env]\nA = false",
            "net = ['example.com']",
            "listen = 'x'",
            "[limits]\nmax_memroy = 1",
            "[limits]\nmax_memory = 'many'",
            "[limits]\nmax_memory = -1",
            "[limits]\ntimeout = inf",
            "[limits]\nfuel = 1.5",
        ]
        .map(|text| format!("{text}\n    {}\n", problem(text)));
        insta::assert_snapshot!(problems.concat());
    }

    #[test]
    fn every_known_key_is_understood() {
        let wrongs = KEYS.map(|key| format!("{key} = 1979-05-27")).into_iter();
        let wrongs = wrongs.chain(DIRECTORY.map(|key| format!("[[dir]]\n{key} = 1979-05-27")));
        for text in wrongs.chain(LIMITS.map(|key| format!("[limits]\n{key} = 1979-05-27"))) {
            assert!(problem(&text).contains("this is to be"), "{text}: {}", problem(&text));
        }
    }
}
