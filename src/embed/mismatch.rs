//! That a value is not of the type that the other side has.

use std::fmt;

use super::types::Type;

/// A value of the host's is not of the type that the program has, or the other way round.
///
/// ```
/// use pinfold::{Error, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("load.fold", "pub fn load(row: (Int, List<String>)) {}")?;
/// let Err(Error::Type { mismatch, .. }) = program.call::<()>("load", ((1, [2, 3]),)) else { panic!() };
/// assert_eq!((mismatch.wanted.as_str(), mismatch.path.join(".").as_str()), ("String", "row.1.0"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The type that the program has, as it is written there.
    pub wanted: String,
    /// What the host has.
    pub found: String,
    /// Where it is in the value, from the outside: names of parameters and fields, places in tuples and lists.
    pub path: Vec<String>,
}

impl Mismatch {
    /// With the program's type, and what the host has instead.
    pub fn new(wanted: Type<'_>, found: impl Into<String>) -> Self {
        Self { wanted: wanted.to_string(), found: found.into(), path: Vec::new() }
    }

    /// The same, in a part of this name.
    #[must_use]
    pub fn within(mut self, part: &str) -> Self {
        self.path.insert(0, part.to_owned());
        self
    }

    pub(crate) fn malformed() -> Self {
        Self { wanted: "a value".into(), found: "malformed words".into(), path: Vec::new() }
    }

    pub(crate) fn too_deep() -> Self {
        let found = format!("one nested more than {} deep", super::wire::MAX_DEPTH);
        Self { wanted: "a value".into(), found, path: Vec::new() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path.join("."))?;
        }
        write!(f, "the program has {}, the host {}", self.wanted, self.found)
    }
}

impl std::error::Error for Mismatch {}
