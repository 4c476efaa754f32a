//! A module between two others: one that provides what it imports, and one that drives it and looks at what comes of it.
//!
//! ```text
//!  host: answer, value, number (numbers and opaque values only)
//!    │
//!  provider ──► the module ──► driver ──► numbers
//! ```
//!
//! Both are made for the module and have its types. So every engine does the same with it, however little its interface
//! lets a host hold of vectors, exceptions and objects; and what those hold is compared, not only that they are there.

mod assembly;
mod digest;
mod driver;
pub mod pinfold;
mod provider;
mod shape;
mod values;

use pinfold_vm::api::TrapKind;

use crate::random::Random;
use shape::{Item, Shape};

/// What surrounds a module.
pub struct Harness {
    pub provider: Vec<u8>,
    pub driver: Vec<u8>,
    /// How many calls the driver exports, as `0`, `1` and so on, besides `state`.
    pub calls: usize,
    /// Names of the memories that the module exports.
    pub memories: Vec<String>,
}

impl Harness {
    /// For a valid module: calls of each function that it exports, `each` times, but no more than `most` in all. `None` if it
    /// imports what cannot be provided.
    pub fn new(bytes: &[u8], each: usize, most: usize, random: &mut Random) -> Option<Self> {
        let shape = Shape::new(bytes);
        let provider = provider::provider(&shape, random)?;
        let (driver, calls) = driver::driver(&shape, each, most, random)?;
        let memories = shape.exports.iter().filter(|(_, item)| matches!(item, Item::Memory(_)));
        Some(Self { provider, driver, calls, memories: memories.map(|(name, _)| name.clone()).collect() })
    }

    /// The driver's exports in the order in which they are called.
    pub fn exports(&self) -> impl Iterator<Item = String> {
        (0..self.calls).map(|call| call.to_string()).chain(["state".into()])
    }
}

/// What the host makes of a number that the provider asks it about.
pub fn answer(number: u64) -> u64 {
    Random::new(number).next()
}

/// One thing that an engine shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    Instantiated,
    Returned(u64),
    /// One of these happened; engines tell them apart more or less finely.
    Failed(Vec<TrapKind>),
    /// The module does not fit what it imports.
    Refused,
    /// The engine ran out of something that another may have more of. What follows means nothing.
    Exhausted,
    /// How long a memory is, and a digest of it.
    Memory(usize, u32),
}

impl Sight {
    pub fn memory(bytes: &[u8]) -> Self {
        let words = bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        Self::Memory(
            bytes.len(),
            words.fold(0, |digest, word| (digest ^ word).wrapping_mul(0x0100_0193).rotate_left(13)),
        )
    }

    /// Whether two engines show the same.
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Failed(a), Self::Failed(b)) => a.iter().any(|kind| b.contains(kind)),
            _ => self == other,
        }
    }
}

/// Everything that an engine shows of a module and its harness.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sights(pub Vec<Sight>);

impl Sights {
    /// The first difference to what another engine shows.
    pub fn differ(&self, other: &Self) -> Option<String> {
        for (i, (a, b)) in self.0.iter().zip(&other.0).enumerate() {
            if *a == Sight::Exhausted || *b == Sight::Exhausted {
                return None;
            }
            if !a.agrees(b) {
                return Some(format!("sight {i}: {a:x?}, but {b:x?}"));
            }
        }
        (self.0.len() != other.0.len()).then(|| format!("{} sights, but {}", self.0.len(), other.0.len()))
    }

    /// How many calls returned.
    pub fn returned(&self) -> usize {
        self.0.iter().filter(|sight| matches!(sight, Sight::Returned(_))).count()
    }
}
