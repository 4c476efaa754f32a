//! What a worker answers of a program in Fold, on its standard output: a line of JSON each, read by someone who assumes that it was
//! taken over.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

pub use crate::finding::{Diagnostic, Edit, Finding, Place, Severity, Span};

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// Something is wrong with the program, or was perhaps not meant.
    Finding(Box<Finding>),
    /// What was asked for, as text. Nothing else is wrong then.
    Text(String),
    /// So many bytes follow, which are what was asked for.
    Bytes(u64),
    /// What a program needs and offers, as its module says it.
    Offer(Offer),
    /// The paths at which each of several packages has others.
    Paths(Vec<Vec<String>>),
    /// What a program may reach.
    Authority(Vec<ModuleAuthority>),
    /// What a module documents.
    Module(Box<crate::document::Module>),
    /// The names of tests, in the order in which they are run.
    Tests(Vec<TestName>),
    /// How a test ended; in the order of their names.
    Tested(Tested),
    /// How a snapshot was taken.
    Taken(Taken),
}

/// How a snapshot was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// What the program found before.
    pub begun: crate::begun::Begun,
    /// Where it stood, newest frame first, as far as is told.
    pub frames: Vec<String>,
    /// How many more frames there were.
    pub omitted: usize,
    /// Bytes of its memories.
    pub memory: u64,
}

/// What a program is handed, and what a host can call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The section `fold.needs`.
    pub needs: String,
    /// The section `fold.interface`; empty where there is none.
    pub interface: String,
}

/// What a module's public functions can be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleAuthority {
    /// Its path.
    pub module: String,
    /// Whether it is of the standard library.
    pub standard: bool,
    /// Those of its functions that can be given something.
    pub functions: Vec<FunctionAuthority>,
}

/// What a function can be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionAuthority {
    /// Its name, with its type's if it is a method.
    pub name: String,
    /// Whether it is what the program begins with.
    pub main: bool,
    /// Capabilities that its parameters name or hold.
    pub capabilities: Vec<String>,
    /// Parameters that bring whatever is passed: closures, `dyn` and generic values.
    pub passed: Vec<Passed>,
}

/// A parameter that brings whatever is passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Its name.
    pub parameter: String,
    /// Its type, as it is written.
    pub ty: String,
    /// `function`, `dyn` or `generic`.
    pub kind: String,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestName {
    /// What it is called.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tested {
    /// As it should.
    Passed,
    /// It says why not.
    Failed {
        /// In words.
        message: String,
        /// Its stack, newest frame first.
        frames: Vec<String>,
    },
    /// It is no program.
    Rejected(Vec<Finding>),
}

impl Answer {
    /// Writes a part.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        out.write_all(&line)
    }

    /// All parts, and the bytes that came with them; none if they are not what a worker writes.
    pub fn read_all(mut told: &[u8]) -> Option<(Vec<Self>, Vec<u8>)> {
        let (mut answers, mut bytes) = (Vec::new(), Vec::new());
        while !told.is_empty() {
            let end = told.iter().position(|byte| *byte == b'\n')?;
            let answer = serde_json::from_slice(&told[..end]).ok()?;
            told = &told[end + 1..];
            if let Self::Bytes(count) = answer {
                let (these, rest) = told.split_at_checked(usize::try_from(count).ok()?)?;
                bytes = these.to_vec();
                told = rest;
            }
            answers.push(answer);
        }
        Some((answers, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(answers: &[Answer], bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        answers.iter().for_each(|answer| answer.write(&mut out).unwrap());
        out.extend(bytes);
        out
    }

    #[test]
    fn what_was_written_is_read_back() {
        let answers = [Answer::Text("a\n\u{1b}".into()), Answer::Tested(Tested::Passed), Answer::Bytes(3)];
        let told = written(&answers, b"\n{\0");
        assert_eq!(Answer::read_all(&told), Some((answers.to_vec(), b"\n{\0".to_vec())));
        assert_eq!(Answer::read_all(b""), Some((Vec::new(), Vec::new())));
    }

    #[test]
    fn what_is_cut_or_something_else_is_no_answer() {
        let told = written(&[Answer::Text("text".into()), Answer::Bytes(u64::MAX)], b"abc");
        assert_eq!(Answer::read_all(&told), None);
        let told = written(&[Answer::Text("text".into())], b"");
        for end in 1..told.len() {
            assert_eq!(Answer::read_all(&told[..end]), None, "{end}");
        }
        assert_eq!(Answer::read_all(b"{\"Finding\":{}}\n"), None);
        assert_eq!(Answer::read_all(b"\xff\n"), None);
    }
}
