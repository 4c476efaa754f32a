//! What is wrong with a program in Fold, or was perhaps not meant.

use serde::{Deserialize, Serialize};

/// A diagnostic.
///
/// ```
/// use pinfold::{Error, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let source = "pub fn a() -> Int { 1.5 }\npub fn b() -> Int { true }";
/// let Err(Error::Rejected(findings)) = Vm::new()?.compile("wrong.fold", source) else { panic!() };
/// // All that is wrong, as data and as text.
/// assert_eq!(findings.len(), 2);
/// assert!(findings[0].text.contains("wrong.fold"));
/// assert_eq!(findings[1].diagnostic.spans[0].place.line, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// As data.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
    /// For people, with the source: not safe to print as it is.
    pub text: String,
}

/// A diagnostic as data. Places are counted from 1, columns in characters; `start` and `end` are bytes from 0.
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// use pinfold::finding::Severity;
///
/// let wrong = Vm::new()?.compile("wrong.fold", "pub fn half() -> Int { 1.5 }").unwrap_err();
/// let diagnostic = &wrong.findings()[0].diagnostic;
/// assert_eq!((diagnostic.code.as_str(), diagnostic.severity), ("F0301", Severity::Error));
/// assert!(diagnostic.message.contains("Float"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
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
///
/// ```
/// use pinfold::finding::Severity;
///
/// assert_ne!(Severity::Warning, Severity::Error);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The program runs.
    Warning,
    /// The program does not run.
    Error,
}

/// A place in a source.
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let wrong = Vm::new()?.compile("wrong.fold", "pub fn half() -> Int { 1.5 }").unwrap_err();
/// let place = wrong.span().expect("it is somewhere");
/// assert_eq!((place.file.as_str(), place.line, place.column), ("wrong.fold", 1, 24));
/// assert_eq!((place.start, place.end), (23, 26));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
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
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let wrong = Vm::new()?.compile("wrong.fold", "pub fn half() -> Int { 1.5 }").unwrap_err();
/// let spans = &wrong.findings()[0].diagnostic.spans;
/// assert!(spans[0].primary);
/// assert_eq!(spans[0].place.end_column, 27);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
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
///
/// ```
/// use pinfold::finding::{Edit, Severity};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// /// A text with the first of some edits made.
/// fn mended(text: &str, edits: &[Edit]) -> Option<String> {
///     let Edit { place, text: new, .. } = edits.first()?;
///     let (before, after) = (text.get(..place.start as usize)?, text.get(place.end as usize..)?);
///     Some(format!("{before}{new}{after}"))
/// }
/// let source = "pub fn same(name: Int) -> Int { nmae }";
/// let wrong = pinfold::Vm::new()?.compile("wrong.fold", source).unwrap_err();
/// let error = wrong.findings().iter().find(|finding| finding.diagnostic.severity == Severity::Error);
/// if let Some(mended) = error.and_then(|error| mended(source, &error.diagnostic.edits)) {
///     assert_eq!(mended, "pub fn same(name: Int) -> Int { name }");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Edit {
    /// What is replaced; empty to insert.
    #[serde(flatten)]
    pub place: Place,
    /// By what.
    pub text: String,
}
