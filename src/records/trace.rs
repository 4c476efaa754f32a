//! `--trace`: a line for people for each call.
//!
//! ```text
//! path_open "data/x.txt" read (dir /data, ro) = ok fd 5  12 µs
//! path_unlink_file "x" (dir /data, ro) = rofs, refused  3 µs
//! ```
//!
//! Numbers that are zero are left out.

use std::fmt::Write;

use pinfold_vm::host::record::{Argument, Given, Meaning, Outcome};
use pinfold_vm::host::wasi::abi::{self, rights};
use pinfold_vm::host::{Event, Grants};

use super::grant::{self, Grant};

/// Characters of a text that are shown, from its beginning and from its end.
const SHOWN: (usize, usize) = (20, 43);

/// The line of a call, without its end.
pub fn line(event: &Event, grants: &Grants) -> String {
    let (module, name) = super::names(event);
    let mut line = match event.row() {
        Some(_) => name.to_owned(),
        None => format!("{}::{}", shown(module), shown(name)),
    };
    let mut has_grant = false;
    // The directory below which the next path is, and its grant.
    let mut below: Option<(Option<&str>, String)> = None;
    let mut arguments = event.arguments();
    while let Some((name, meaning, argument)) = arguments.next() {
        let _ = match argument {
            Argument::Hidden => Ok(()),
            Argument::Number(number) => number_of(&mut line, name, meaning, *number),
            Argument::Path(path) => {
                let (directory, grant) = below.take().unwrap_or_default();
                let path = directory.map_or(path.clone(), |directory| format!("{directory}/{path}"));
                write!(line, " \"{}\"{grant}", shown(&path))
            }
            Argument::Unreadable => write!(line, " {name} unreadable"),
            Argument::Descriptor { number, origin, path } => {
                let grant = origin.and_then(|origin| grant::of_origin(origin, grants));
                has_grant |= grant.is_some();
                let grant = grant.map(|grant| in_words(&grant)).unwrap_or_default();
                if grant.is_empty() || !leads_to_path(arguments.clone().map(|(_, meaning, _)| meaning)) {
                    let path = path.as_ref().map(|path| format!(" \"{}\"", shown(path))).unwrap_or_default();
                    write!(line, " fd {number}{path}{grant}")
                } else {
                    below = Some((path.as_deref(), grant));
                    Ok(())
                }
            }
        };
    }
    if let Some(grant) = grant::of_event(event, grants).filter(|_| !has_grant) {
        line += &in_words(&grant);
    }
    let _ = write!(line, " = {}  {} µs", outcome(event), event.took.div_ceil(1000));
    line
}

/// Whether of the parameters that follow a path comes before the next descriptor.
fn leads_to_path(mut meanings: impl Iterator<Item = Meaning>) -> bool {
    meanings.find(|meaning| matches!(meaning, Meaning::Path | Meaning::Descriptor)) == Some(Meaning::Path)
}

fn in_words(grant: &Grant) -> String {
    let access = grant.access.map(|access| format!(", {access}")).unwrap_or_default();
    format!(" ({}{access})", shown(&grant.name))
}

fn number_of(line: &mut String, name: &str, meaning: Meaning, number: u64) -> std::fmt::Result {
    let flag = |bit: u64, name: &'static str| (number & bit != 0).then_some(name);
    let flags: Vec<&str> = match meaning {
        Meaning::OpenFlags => [
            flag(abi::OFLAG_CREAT.into(), "create"),
            flag(abi::OFLAG_DIRECTORY.into(), "directory"),
            flag(abi::OFLAG_EXCL.into(), "exclusive"),
            flag(abi::OFLAG_TRUNC.into(), "truncate"),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Meaning::Rights => {
            [flag(rights::FD_READ, "read"), flag(rights::FD_WRITE, "write")].into_iter().flatten().collect()
        }
        // What is opened below it says for itself what it may.
        Meaning::Inheriting => return Ok(()),
        _ if number == 0 => return Ok(()),
        _ => return write!(line, " {name} {number}"),
    };
    flags.iter().try_for_each(|flag| write!(line, " {flag}"))
}

fn outcome(event: &Event) -> String {
    let given = match event.given {
        Some(Given::Descriptor(number)) => format!(" fd {number}"),
        Some(Given::Bytes(bytes)) => format!(" {bytes} bytes"),
        None => String::new(),
    };
    let refused = if event.outcome.is_refusal() { ", refused" } else { "" };
    match event.outcome {
        Outcome::Done => format!("ok{given}"),
        Outcome::Errno(number) => {
            let name = event.outcome.errno().map_or_else(|| number.to_string(), |errno| errno.name());
            name + refused
        }
        Outcome::Exit(code) => format!("exit {code}"),
        Outcome::OutputLimit => format!("past the output limit{refused}"),
        Outcome::Interrupted => "interrupted".to_owned(),
        Outcome::Failed => "failed".to_owned(),
        Outcome::NotGranted => format!("not granted{refused}"),
    }
}

/// The program's words, such that they do nothing to a terminal; the middle of what is long is left out.
fn shown(text: &str) -> String {
    let (first, last) = SHOWN;
    let count = text.chars().count();
    let escaped = |chars: &mut dyn Iterator<Item = char>| chars.flat_map(char::escape_debug).collect::<String>();
    if count <= first + last + 1 {
        return escaped(&mut text.chars());
    }
    escaped(&mut text.chars().take(first)) + "…" + &escaped(&mut text.chars().skip(count - last))
}

#[cfg(test)]
mod tests {
    use pinfold_vm::host::record::{Callee, Origin};
    use pinfold_vm::host::table;

    use super::*;

    fn grants() -> Grants {
        let dirs = ["/srv::/data", "/tmp::/out:rw"].map(|dir| dir.parse().unwrap());
        Grants { dirs: dirs.into(), ..Grants::command() }
    }

    fn event(name: &str, arguments: Vec<Argument>, outcome: Outcome, given: Option<Given>) -> Event {
        let row = table::position("wasi_snapshot_preview1", name).unwrap();
        let event = Event { callee: Callee::Row(row), arguments, outcome, given, took: 11_900 };
        assert!(event.is_sound(&grants()), "{event:?}");
        event
    }

    fn fd(number: u32, origin: Origin, path: Option<&str>) -> Argument {
        Argument::Descriptor { number, origin: Some(origin), path: path.map(str::to_owned) }
    }

    fn path(text: &str) -> Argument {
        Argument::Path(text.to_owned())
    }

    #[test]
    fn calls_read_well() {
        use Argument::{Hidden, Number};
        let (data, out) = (Origin::Directory(0), Origin::Directory(1));
        let open = |at, file: &str, oflags, rights| {
            let (oflags, zero) = (Number(oflags), Number(0));
            vec![at, Number(1), path(file), Hidden, oflags, Number(rights), zero.clone(), zero, Hidden]
        };
        let mut lines = Vec::new();
        let mut tell = |name, arguments, outcome, given| {
            lines.push(line(&event(name, arguments, outcome, given), &grants()));
        };
        let opened = Some(Given::Descriptor(6));
        tell("path_open", open(fd(3, data, None), "x.txt", 0, rights::FD_READ), Outcome::Done, opened);
        tell("path_open", open(fd(5, out, Some("a/b")), "new", 9, rights::FD_WRITE), Outcome::Done, opened);
        let missing = Argument::Descriptor { number: 77, origin: None, path: None };
        tell("path_open", open(missing, "x", 0, 0), Outcome::Errno(8), None);
        tell("path_unlink_file", vec![fd(3, data, None), path("x"), Hidden], Outcome::Errno(69), None);
        let names = vec![fd(4, out, None), path("a"), Hidden, fd(4, out, None), path("b"), Hidden];
        tell("path_rename", names, Outcome::Done, None);
        tell("path_symlink", vec![path("to"), Hidden, fd(4, out, None), path("link"), Hidden], Outcome::Done, None);
        let bytes = Some(Given::Bytes(6));
        tell("fd_write", vec![fd(1, Origin::Stdout, None), Hidden, Hidden, Hidden], Outcome::Done, bytes);
        tell("fd_read", vec![fd(6, data, Some("x.txt")), Hidden, Hidden, Hidden], Outcome::Done, bytes);
        tell("random_get", vec![Hidden, Number(16)], Outcome::Done, None);
        tell("proc_exit", vec![Number(3)], Outcome::Exit(3), None);
        let unknown = Event::not_granted("env\u{1b}[2J", &"f".repeat(100));
        lines.push(line(&unknown, &grants()));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_program_s_words_stay_in_their_line() {
        let hostile = "\u{1b}]0;x\u{7}\n\u{202e}\"".repeat(30);
        let arguments = vec![fd(3, Origin::Directory(0), None), path(&hostile), Argument::Hidden];
        let line = line(&event("path_unlink_file", arguments, Outcome::Done, None), &grants());
        assert!(line.chars().all(|c| c == 'µ' || c == '…' || c.is_ascii_graphic() || c == ' '), "{line}");
        assert!(line.chars().count() < 500, "{line}");
    }
}
