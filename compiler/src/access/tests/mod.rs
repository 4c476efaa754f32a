//! Programs that are accepted, and programs with what is said of them: `tests/access` of this crate.
//!
//! A rejected program ends with its errors as comments. With `UPDATE=1` in the environment, they are written anew. All are modules
//! of one program, since that takes the time of one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::check::{Memory, Options};
use crate::checked::Checked;

/// The programs of a folder by their names.
fn cases(kind: &str) -> BTreeMap<String, (PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/access").join(kind);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let source =
                text.lines().filter(|line| !line.starts_with("// F")).map(|line| format!("{line}\n")).collect();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), (path, source))
        })
        .collect()
}

/// What is said of each.
fn errors(cases: &BTreeMap<String, (PathBuf, String)>) -> BTreeMap<&str, String> {
    let mut loader = Memory::new();
    let mut root = String::new();
    for (name, (_, source)) in cases {
        loader = loader.with(name, name, source);
        root += &format!("import {name}\n");
    }
    let options = Options { needs_main: false, ..Options::default() };
    let checked = Checked::with(loader.with("main", "main", &root), options);
    assert!(checked.program.is_some(), "{}", checked.errors());
    cases.keys().map(|name| (name.as_str(), checked.errors_of(name))).collect()
}

#[test]
fn accepted() {
    let cases = cases("accept");
    assert!(cases.len() >= 35);
    for (name, errors) in errors(&cases) {
        assert_eq!(errors, "", "{name}");
    }
}

#[test]
fn rejected() {
    let cases = cases("reject");
    assert!(cases.len() >= 70);
    let mut wrong = String::new();
    for (name, errors) in errors(&cases) {
        let (path, source) = &cases[name];
        let errors: String = errors.lines().map(|line| format!("// {line}\n")).collect();
        let found = format!("{source}{errors}");
        if errors.is_empty() {
            wrong += &format!("{name} is accepted\n");
        } else if env::var_os("UPDATE").is_some() {
            fs::write(path, found).unwrap();
        } else if found != fs::read_to_string(path).unwrap() {
            wrong += &format!("{name}:\n{errors}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The standard library keeps to what it promises.
#[test]
fn the_standard_library_is_right() {
    let options = Options { needs_main: false, check_all: true, ..Options::default() };
    let checked = Checked::new("fn f() {}\n", options);
    assert_eq!(checked.errors(), "");
    assert!(checked.program.is_some());
}

#[test]
fn a_script_is_checked() {
    let checked = Checked::new("let names = [\"a\"]\nnames.push(\"b\")\n", Options::default());
    let expected = "F0601 2: cannot change `names`: it is read-only [1: `names` is read-only: it is bound by `let`]\n";
    assert_eq!(checked.errors(), expected);
}

/// Each name for a value of many parts has a flag for each of them.
#[test]
fn programs_with_too_many_parts_of_values_end_in_a_limit() {
    let text = |names: usize| {
        let lists = ["List<Int>"; 16].join(", ");
        let inner = ["A"; 16].join(", ");
        let outer = ["B"; 6].join(", ");
        let lets: String = (0..names).map(|i| format!("    let x{} = x{i}\n", i + 1)).collect();
        format!(
            "type A = ({lists})\ntype B = ({inner})\ntype C = ({outer})\n\
             fn f(x0: C) -> Int {{\n{lets}    x{names}.0.0.0.len()\n}}\n"
        )
    };
    let options = Options { needs_main: false, ..Options::default() };
    assert_eq!(Checked::new(&text(200), options).errors(), "");
    let checked = Checked::new(&text(2_000), options);
    let found: Vec<&str> = checked.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(found, ["F0722"]);
}

/// The repair as an edit makes the program right.
#[test]
fn edits_mend() {
    for (text, mended) in [
        ("fn f(xs: List<Int>) {\n    xs.push(1)\n}\n", "fn f(var xs: List<Int>) {\n    xs.push(1)\n}\n"),
        ("fn f() {\n    let xs = [1]\n    xs.push(1)\n}\n", "fn f() {\n    var xs = [1]\n    xs.push(1)\n}\n"),
        (
            "record R { n: List<Int> }\n\nfn f(var r: R) {\n    r.n.push(1)\n}\n",
            "record R { var n: List<Int> }\n\nfn f(var r: R) {\n    r.n.push(1)\n}\n",
        ),
        (
            "fn f(var x: Option<List<Int>>) {\n    if let Some(xs) = x { xs.push(1) }\n}\n",
            "fn f(var x: Option<List<Int>>) {\n    if let Some(var xs) = x { xs.push(1) }\n}\n",
        ),
        (
            "record R { var n: Int }\n\nimpl R {\n    fn f(self) {\n        self.n = 1\n    }\n}\n",
            "record R { var n: Int }\n\nimpl R {\n    fn f(var self) {\n        self.n = 1\n    }\n}\n",
        ),
        (
            "fn f(var xs: List<List<Int>>) {\n    xs.iter().each(|x| x.push(1))\n}\n",
            "fn f(var xs: List<List<Int>>) {\n    xs.iter().each(|var x| x.push(1))\n}\n",
        ),
    ] {
        let options = Options { needs_main: false, ..Options::default() };
        let checked = Checked::new(text, options);
        let error = checked.diagnostics.iter().find(|found| found.code.starts_with("F06")).unwrap();
        let mut edited = text.to_owned();
        for edit in &error.edits {
            edited.replace_range(edit.span.range(), &edit.text);
        }
        assert_eq!(edited, mended);
        assert_eq!(Checked::new(mended, options).errors(), "");
    }
}
