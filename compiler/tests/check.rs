//! The checker on programs in files.
//!
//! `check/accept` holds programs without errors and warnings, `check/reject` such with them: each line with `//~ CODE words`
//! has an error or warning of this code, whose message, label, notes or help contain these words; nothing else is found.
//! `//~^` means the line before, `//~^^` that before it. `//@ path` begins a module with this path; what is before it is the root, `main`.

#![expect(clippy::unwrap_used, reason = "what fails in here fails the test")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use pinfold_compiler::check::{self, Loaded, Loader, Memory, Options};
use pinfold_compiler::diagnostic::codes;
use pinfold_compiler::diagnostic::{Diagnostic, Diagnostics};
use pinfold_compiler::names::Names;
use pinfold_compiler::source::Sources;
use pinfold_compiler::typed::{Program, dump};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "fold"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

struct Checked {
    program: Option<Program>,
    found: Vec<Diagnostic>,
    sources: Sources,
    names: Names,
}

fn check_with(text: &str, options: Options<'_>) -> Checked {
    let mut loader = Memory::new();
    let mut parts = text.split("//@ ");
    loader = loader.with("main", "main.fold", parts.next().unwrap_or(""));
    for part in parts {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        loader = loader.with(path.trim(), &format!("{}.fold", path.trim()), text);
    }
    check_from(&mut loader, options)
}

fn check_from(loader: &mut dyn Loader, options: Options<'_>) -> Checked {
    let (mut sources, mut names, mut found) = (Sources::default(), Names::default(), Diagnostics::default());
    let program =
        check::check("main", loader, options, &mut sources, &mut names, &mut found).map(|(program, _)| program);
    Checked { program, found: found.into_sorted(), sources, names }
}

fn is_script_or_has_main(text: &str) -> bool {
    text.contains("fn main(") || text.starts_with("needs ") || text.contains("// script")
}

fn check(text: &str) -> Checked {
    check_with(text, Options { needs_main: is_script_or_has_main(text), ..Options::default() })
}

/// A finding in one line.
fn line(checked: &Checked, found: &Diagnostic) -> String {
    let source = checked.sources.get(found.primary.span.file);
    let (line, column) = source.position(found.primary.span.start);
    let mut text = format!("{}:{}:{}: {} {}", source.name, line + 1, column + 1, found.code, found.message);
    let label = Some(&found.primary.text).filter(|text| !text.is_empty());
    let others = found.secondary.iter().map(|label| &label.text);
    let edits = found.edits.iter().map(|edit| &edit.text);
    for more in label.into_iter().chain(others).chain(&found.notes).chain(&found.help).chain(edits) {
        let _ = write!(text, "; {more}");
    }
    text
}

#[test]
fn programs_that_are_right_are_accepted() {
    let mut wrong = String::new();
    for path in files("accept") {
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check(&text);
        for found in &checked.found {
            let _ = writeln!(wrong, "{}: {}", path.display(), line(&checked, found));
        }
        if checked.program.is_none() && checked.found.is_empty() {
            let _ = writeln!(wrong, "{}: no program", path.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What a file says of one line.
struct Expected<'t> {
    name: String,
    line: usize,
    code: &'t str,
    words: &'t str,
}

fn expectations(text: &str) -> Vec<Expected<'_>> {
    let mut expected = Vec::new();
    let mut name = "main.fold".to_owned();
    let mut number = 0;
    for line in text.lines() {
        if let Some((_, path)) = line.split_once("//@ ") {
            name = format!("{}.fold", path.trim());
            number = 0;
            continue;
        }
        number += 1;
        for mark in line.split("//~").skip(1) {
            let up = mark.chars().take_while(|&c| c == '^').count();
            let mark = &mark[up..];
            let (code, words) = mark.trim().split_once(' ').unwrap_or((mark.trim(), ""));
            expected.push(Expected { name: name.clone(), line: number - up, code, words: words.trim() });
        }
    }
    expected
}

#[test]
fn programs_that_are_wrong_have_the_errors_that_they_say() {
    let mut wrong = String::new();
    for path in files("reject") {
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check(&text);
        let mut rest: Vec<&Diagnostic> = checked.found.iter().collect();
        for expected in expectations(&text) {
            let fits = |found: &&Diagnostic| {
                let source = checked.sources.get(found.primary.span.file);
                let at = source.position(found.primary.span.start).0 + 1;
                source.name == expected.name
                    && at == expected.line
                    && found.code == expected.code
                    && line(&checked, found).contains(expected.words)
            };
            match rest.iter().position(fits) {
                Some(place) => {
                    rest.remove(place);
                }
                None => {
                    let (name, at) = (&expected.name, expected.line);
                    let _ = writeln!(
                        wrong,
                        "{}: not found: {name}:{at}: {} {}",
                        path.display(),
                        expected.code,
                        expected.words
                    );
                }
            }
        }
        for found in rest {
            let _ = writeln!(wrong, "{}: not expected: {}", path.display(), line(&checked, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_whole_standard_library_is_right() {
    let mut text = String::new();
    let paths = check::STANDARD.iter().filter_map(|(path, _)| path.strip_suffix(".fold"));
    for (i, path) in paths.filter(|path| !path.starts_with("prelude/")).enumerate() {
        let _ = writeln!(text, "import {path} as m{i}");
    }
    let options = Options { check_all: true, needs_main: false, ..Options::default() };
    let checked = check_with(&text, options);
    // The imports of the root are not used.
    let found = checked.found.iter().filter(|found| found.code != "F0207");
    let wrong: Vec<String> = found.map(|found| line(&checked, found)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked.program.is_some());
}

/// Modules of several packages, each with its package's number and its path in it. Packages call those with greater numbers `p` and the number.
struct Packages<'a>(&'a [(u32, &'a str, &'a str)]);

impl Loader for Packages<'_> {
    fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String> {
        let (number, module) = match path.strip_prefix('p').and_then(|rest| rest.split_once('/')) {
            Some((number, module)) => (number.parse().unwrap_or(package), module),
            None => (package, path),
        };
        let found = self.0.iter().find(|(of, path, _)| *of == number && *path == module);
        Ok(found.map(|(_, path, text)| Loaded {
            name: format!("{number}:{path}"),
            text: (*text).to_owned(),
            package: number,
            path: (*path).to_owned(),
        }))
    }
}

fn check_packages(modules: &[(u32, &str, &str)]) -> Checked {
    check_from(&mut Packages(modules), Options { needs_main: false, ..Options::default() })
}

#[test]
fn packages_have_modules_of_the_same_path() {
    let checked = check_packages(&[
        (0, "main", "import p1/m\nimport m as own\npub fn f() -> (Int, String, Bool) { (own.f(), m.f(), m.g()) }\n"),
        (0, "m", "pub fn f() -> Int { 1 }\n"),
        (1, "m", "import p2/m\npub fn f() -> String { \"\" }\npub fn g() -> Bool { m.f() }\n"),
        (2, "m", "pub fn f() -> Bool { true }\n"),
    ]);
    let wrong: Vec<String> = checked.found.iter().map(|found| line(&checked, found)).collect();
    assert!(wrong.is_empty() && checked.program.is_some(), "{}", wrong.join("\n"));
    // What is not of the package and not below a name is not there.
    let checked = check_packages(&[(0, "main", "import m\npub fn f() { m.f() }\n"), (1, "m", "pub fn f() {}\n")]);
    assert_eq!(checked.found.first().map(|found| found.code), Some("F0801"));
}

#[test]
fn packages_implement_traits_for_types_of_their_own() {
    let one = "pub trait Named { fn name(self) -> String }\npub record Thing { pub n: Int }\n";
    let own = "import p1/m\nrecord Mine {}\nimpl m.Named for Mine { fn name(self) -> String { \"\" } }\n\
               pub fn f() -> String { Mine {}.name() }\n";
    let own = own.replace("import p1/m", "import p1/m {Named}").replace("m.Named", "Named");
    let codes = |text: &str| {
        let checked = check_packages(&[(0, "main", text), (1, "m", one)]);
        let mut codes: Vec<&str> = checked.found.iter().map(|found| found.code).collect();
        codes.dedup();
        codes
    };
    assert_eq!(codes(&own), [""; 0]);
    let others = "import p1/m {Named, Thing}\nimpl Named for Thing { fn name(self) -> String { \"\" } }\n\
                  pub fn f(thing: Thing) -> String { thing.name() }\n";
    assert_eq!(codes(others).first(), Some(&"F0406"));
    let inherent = "import p1/m {Thing}\nimpl Thing { fn name(self) -> String { \"\" } }\n";
    assert_eq!(codes(inherent).first(), Some(&"F0415"));
}

#[test]
fn the_same_source_gives_the_same_tree() {
    for path in files("accept") {
        let text = std::fs::read_to_string(&path).unwrap();
        let listing = |checked: &Checked| dump::dump(checked.program.as_ref().unwrap(), &checked.names, None);
        let (first, second) = (check(&text), check(&text));
        assert_eq!(listing(&first), listing(&second), "{}", path.display());
    }
}

/// Codes of findings that take several modules, or more than a text.
const NOT_IN_ONE_FILE: [&str; 13] = [
    "F0335", "F0731", "F0732", "F0734", "F0735", "F0803", "F0804", "F0805", "F0806", "F0807", "F0808", "F0809", "F0810",
];

#[test]
fn examples_of_codes_have_them() {
    let mut wrong = String::new();
    for code in codes::all() {
        let ours =
            matches!(&code.code[..3], "F02" | "F03" | "F04" | "F08") || code.code >= "F0730" && code.code < "F0740";
        if !ours || NOT_IN_ONE_FILE.contains(&code.code) {
            continue;
        }
        let rejected = check(code.rejected);
        if !rejected.found.iter().any(|found| found.code == code.code) {
            let found: Vec<String> = rejected.found.iter().map(|found| line(&rejected, found)).collect();
            let _ = writeln!(wrong, "{}: rejected has {}", code.code, found.join(" | "));
        }
        let accepted = check(code.accepted);
        for found in &accepted.found {
            let _ = writeln!(wrong, "{}: accepted has {}", code.code, line(&accepted, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_that_is_given_is_explained() {
    let mut wrong = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for (at, _) in text.match_indices("\"F0") {
                let code = &text[at + 1..at + 6];
                if text[at + 6..].starts_with('"') && codes::find(code).is_none() {
                    wrong.push(code.to_owned());
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:?}");
}
