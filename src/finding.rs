//! What is wrong with a program in Fold, or was perhaps not meant.

use serde::{Deserialize, Serialize};

/// A diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// As data.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
    /// For people, with the source: not safe to print as it is.
    pub text: String,
}

/// A diagnostic as data. Places are counted from 1, columns in characters; `start` and `end` are bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable: `F` and four digits.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The main place first.
    pub spans: Vec<Span>,
    /// Facts that help to understand it.
    pub notes: Vec<String>,
    /// How to mend it, in words.
    pub help: Option<String>,
    /// How to mend it, as edits of the text.
    pub edits: Vec<Edit>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The program runs.
    Warning,
    /// The program does not run.
    Error,
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The line of the first byte.
    pub line: u32,
    /// Its column.
    pub column: u32,
    /// The line of the end.
    pub end_line: u32,
    /// Its column.
    pub end_column: u32,
}

/// A place with words to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Whether it is the main one.
    pub primary: bool,
    /// What is there; may be empty.
    pub label: String,
}

/// A text to put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Edit {
    /// What is replaced; empty to insert.
    #[serde(flatten)]
    pub place: Place,
    /// By what.
    pub text: String,
}
