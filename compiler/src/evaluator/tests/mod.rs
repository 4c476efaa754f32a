//! Programs with what they print: `tests/run` of this crate.
//!
//! After `// prints:` comes what a program writes to the console, a comment for each line, and how it ends where that is not well.
//! With `UPDATE=1` in the environment, that is written anew.

use std::path::Path;
use std::{env, fs};

use super::{Ending, Limits, Run, run, run_test, with_stack};
use crate::check::Options;
use crate::checked::Checked;

fn evaluate(text: String, limits: Limits) -> Run {
    with_stack(move || {
        let checked = Checked::new(&text, Options::default());
        assert_eq!(checked.errors(), "");
        run(&checked.program.unwrap(), &checked.names, limits, b"one\ntwo\n")
    })
    .unwrap()
}

/// What a program writes, then how it ends.
fn output(text: String) -> String {
    let run = evaluate(text, Limits::default());
    let mut output = String::from_utf8(run.output).unwrap();
    match run.ending {
        Ending::Finished => {}
        Ending::Failed(message) => output += &format!("failed: {message}\n"),
        Ending::Panicked(panic) => output += &format!("panic: {} in {}\n", panic.message, panic.trace[0]),
        Ending::Steps | Ending::Depth => output += "limit\n",
    }
    output
}

#[test]
fn programs_print_what_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 12);
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let source = text.split("// prints:\n").next().unwrap().to_owned();
        let printed: String = output(source.clone()).lines().map(|line| format!("// {line}\n")).collect();
        let found = format!("{source}// prints:\n{printed}");
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, found).unwrap();
        } else {
            assert_eq!(found, text, "{}", path.display());
        }
    }
}

#[test]
fn limits_end_a_program() {
    let forever = "fn main() {\n    while true {}\n}\n".to_owned();
    let run = evaluate(forever, Limits { steps: 10_000, depth: 100 });
    assert_eq!((run.ending, run.steps), (Ending::Steps, 10_001));
    let deep = "fn f(n: Int) -> Int {\n    f(n + 1)\n}\n\nfn main() {\n    f(0)\n}\n".to_owned();
    assert_eq!(evaluate(deep, Limits { steps: 10_000, depth: 100 }).ending, Ending::Depth);
}

#[test]
fn tests_are_run() {
    let text = "test \"good\" {\n    assert 1 + 1 == 2\n}\n\ntest \"bad\" {\n    let n = 1\n    assert n == 2, \"n is {n}\"\n}\n";
    let endings = with_stack(move || {
        let checked = Checked::new(text, Options { needs_main: false, tests: true, ..Options::default() });
        assert_eq!(checked.errors(), "");
        let program = checked.program.unwrap();
        let run = |test| run_test(&program, &checked.names, Limits::default(), test).ending;
        (0..program.tests.len()).map(run).collect::<Vec<_>>()
    })
    .unwrap();
    assert_eq!(endings[0], Ending::Finished);
    let Ending::Panicked(panic) = &endings[1] else { panic!("{endings:?}") };
    assert_eq!(panic.message, "assertion failed: n == 2: n is 1");
}

/// The repository's examples keep to the rules of patterns and access.
#[test]
fn examples_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut wrong = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "fold") {
            let options = Options { needs_main: false, tests: true, ..Options::default() };
            let checked = Checked::new(&fs::read_to_string(&path).unwrap(), options);
            for error in &checked.diagnostics {
                if error.code.starts_with("F05") || error.code.starts_with("F06") {
                    wrong += &format!("{}: {} {}\n", path.display(), error.code, error.message);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
