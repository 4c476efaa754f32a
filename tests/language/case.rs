//! Cases in files: each is a program and what becomes of it.
//!
//! ```text
//! //# accept name        it runs to its end and writes the lines after `//>`
//! //# panic name         it panics with the message after `//!`, having written the lines after `//>`
//! //# fail name          `main` gives the error after `//!`
//! //# reject name        each line with `//~ CODE words` has an error or warning of this code, in which these words are; nothing else has.
//!                        `//~^` means the line before, `//~^^` that before it
//! //< line               of the input
//! //@ path               begins another module
//! ```
//!
//! A root without `needs` or `main` that uses `out` is handed it, a console.

use std::path::{Path, PathBuf};

use super::program::End;

/// What becomes of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Accept,
    Panic,
    Fail,
    Reject,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Case {
    pub file: String,
    /// The line of its heading, from 1.
    pub at: usize,
    pub kind: Kind,
    pub name: String,
    /// The program.
    pub text: String,
    /// How many lines were put before it.
    pub shift: usize,
    pub input: String,
    pub output: String,
    /// Of a panic or an error.
    pub message: String,
}

/// An error or a warning that a case has to have.
#[derive(Clone, Debug)]
pub struct Expected {
    pub file: String,
    pub line: usize,
    pub code: String,
    pub words: String,
}

/// The folder of this test.
pub fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language")
}

/// Files of a folder with an ending, in order.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    files.sort();
    files
}

/// All cases of all files; those with the words of the variable `CASES` in their file or name, where it is set.
pub fn all() -> Vec<Case> {
    let wanted = std::env::var("CASES").unwrap_or_default();
    let mut cases = Vec::new();
    for path in files(&here().join("cases"), "fold") {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        read(&file, &text, &mut cases);
    }
    cases.retain(|case| case.file.contains(&wanted) || case.name.contains(&wanted));
    cases
}

fn read(file: &str, text: &str, cases: &mut Vec<Case>) {
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let Some(heading) = line.strip_prefix("//# ") else {
            let comment = line.is_empty() || line.starts_with("// ");
            assert!(comment, "{file}:{}: a case begins with //# KIND NAME: {line}", number + 1);
            continue;
        };
        let (kind, name) = heading.split_once(' ').unwrap_or((heading, ""));
        let kind = match kind {
            "accept" => Kind::Accept,
            "panic" => Kind::Panic,
            "fail" => Kind::Fail,
            "reject" => Kind::Reject,
            _ => panic!("{file}:{}: no such kind: {kind}", number + 1),
        };
        let mut case = Case {
            file: file.to_owned(),
            at: number + 1,
            kind,
            name: name.to_owned(),
            text: String::new(),
            shift: 0,
            input: String::new(),
            output: String::new(),
            message: String::new(),
        };
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("//# ")) {
            let (to, line) = if let Some(line) = line.strip_prefix("//>") {
                (&mut case.output, line.strip_prefix(' ').unwrap_or(line))
            } else if let Some(line) = line.strip_prefix("//<") {
                (&mut case.input, line.strip_prefix(' ').unwrap_or(line))
            } else if let Some(line) = line.strip_prefix("//! ") {
                (&mut case.message, line)
            } else {
                (&mut case.text, line)
            };
            to.push_str(line);
            to.push('\n');
        }
        case.message.truncate(case.message.trim_end().len());
        let root = case.text.split("//@ ").next().unwrap_or("");
        let begins = |words: &str| root.lines().any(|line| line.starts_with(words));
        if root.contains("out.") && !begins("needs ") && !begins("fn main(") && !begins("pub fn main(") {
            case.text.insert_str(0, "needs out: Console\n");
            case.shift = 1;
        }
        cases.push(case);
    }
}

impl Case {
    /// How it ends, if it is accepted.
    pub fn end(&self) -> End {
        match self.kind {
            Kind::Panic => End::Panic(self.message.clone()),
            Kind::Fail => End::Failed(self.message.clone()),
            Kind::Accept | Kind::Reject => End::Good,
        }
    }

    /// Where it is.
    pub fn place(&self) -> String {
        format!("{}:{}: {}", self.file, self.at, self.name)
    }

    /// What is wrong with it.
    pub fn expected(&self) -> Vec<Expected> {
        let mut expected = Vec::new();
        let (mut file, mut number) = ("main.fold".to_owned(), 0);
        for line in self.text.lines() {
            if let Some((_, path)) = line.split_once("//@ ") {
                (file, number) = (format!("{}.fold", path.trim()), 0);
                continue;
            }
            number += 1;
            for mark in line.split("//~").skip(1) {
                let up = mark.chars().take_while(|&c| c == '^').count();
                let mark = mark[up..].trim();
                let (code, words) = mark.split_once(' ').unwrap_or((mark, ""));
                expected.push(Expected {
                    file: file.clone(),
                    line: number - up,
                    code: code.to_owned(),
                    words: words.trim().to_owned(),
                });
            }
        }
        expected
    }
}
