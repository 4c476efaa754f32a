//! Why a module was refused, in words that say what to do about it.

use std::fmt;

use super::limits::LimitKind;
use super::proposals::Proposal;
use crate::module::Escaped;

/// Where in a module something is wrong.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Module};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bytes = wat::parse_str("(module (func $wrong (result i32)))")?;
/// let Err(Error::Verify(error)) = Module::new(&Engine::default(), bytes) else { panic!() };
/// let place = error.place().ok_or("it is nowhere")?;
/// assert_eq!((place.function, place.name.as_deref()), (Some(0), Some("wrong")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Byte offset in the module.
    pub offset: u64,
    /// Index of the function, if it is in one.
    pub function: Option<u32>,
    /// The function's name, if the module has one. The guest's words, not escaped.
    pub name: Option<String>,
}

impl Place {
    /// A place outside of function bodies.
    pub(super) fn at(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// A place in a function's body.
    pub(super) fn within(function: u32, offset: u64) -> Self {
        Self { offset, function: Some(function), name: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {:#x}", self.offset)?;
        if let Some(function) = self.function {
            write!(f, " in function {function}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " `{}`", Escaped(name))?;
        }
        Ok(())
    }
}

/// Why a module was refused.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Module};
/// use pinfold_vm::verifier::VerifyError;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let refused = Module::new(&Engine::default(), b"int main() {}".as_slice());
/// assert!(matches!(refused, Err(Error::Verify(VerifyError::NotWasm { .. }))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The bytes are no WebAssembly at all.
    #[error(
        "this is not a WebAssembly module: {} `\\0asm`; \
         a program must be compiled to WebAssembly before Pinfold can run it",
        Start(.start)
    )]
    NotWasm {
        /// The first bytes, at most four.
        start: Vec<u8>,
    },
    /// A version of WebAssembly that is not known.
    #[error("this module has version {version} of the WebAssembly format; Pinfold knows version 1")]
    Version {
        /// What stands in the header.
        version: u16,
    },
    /// The binary is a component, not a module.
    #[error(
        "this is a WebAssembly component (proposal component-model), which Pinfold does not run yet; \
         build a plain module instead, for instance for the target `wasm32-wasip1`"
    )]
    Component,
    /// A limit is passed.
    #[error(
        "the module is larger than allowed: {found} {kind}, the limit is {allowed} ({place}); \
         if you trust its size, raise the limit `{}`",
        .kind.field()
    )]
    Limit {
        /// Which one.
        kind: LimitKind,
        /// What the module has: at least this many.
        found: u64,
        /// The limit.
        allowed: u64,
        /// Where it is passed.
        place: Place,
    },
    /// The module needs what Pinfold does not run.
    #[error("this module uses {}, which Pinfold does not run yet ({place}: {reason}); {}", List(.proposals), Hints(.proposals))]
    Proposal {
        /// All that it needs, never empty.
        proposals: Vec<Proposal>,
        /// The first place that needs it.
        place: Place,
        /// What is there.
        reason: String,
    },
    /// The module breaks the rules of WebAssembly.
    #[error("the module is not valid {place}: {}; it was damaged, or the compiler that made it is at fault", Escaped(.reason))]
    Invalid {
        /// Where.
        place: Place,
        /// Which rule.
        reason: String,
    },
}

impl VerifyError {
    /// Where the fault is, if it is in one place.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Limit { place, .. } | Self::Proposal { place, .. } | Self::Invalid { place, .. } => Some(place),
            Self::NotWasm { .. } | Self::Version { .. } | Self::Component => None,
        }
    }

    pub(super) fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Self::Limit { place, .. } | Self::Proposal { place, .. } | Self::Invalid { place, .. } => Some(place),
            Self::NotWasm { .. } | Self::Version { .. } | Self::Component => None,
        }
    }
}

struct Start<'a>(&'a [u8]);

impl fmt::Display for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("it is empty, where it should start with"),
            bytes => write!(f, "it starts with `{}`, not with", bytes.escape_ascii()),
        }
    }
}

struct Hints<'a>(&'a [Proposal]);

impl fmt::Display for Hints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<&str> = Vec::new();
        for hint in self.0.iter().map(|proposal| proposal.hint()) {
            if !shown.contains(&hint) {
                write!(f, "{}{hint}", if shown.is_empty() { "" } else { "; " })?;
                shown.push(hint);
            }
        }
        Ok(())
    }
}

struct List<'a>(&'a [Proposal]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, proposal) in self.0.iter().enumerate() {
            match i {
                0 => {}
                _ if i + 1 == self.0.len() => f.write_str(" and ")?,
                _ => f.write_str(", ")?,
            }
            write!(f, "{proposal}")?;
        }
        Ok(())
    }
}
