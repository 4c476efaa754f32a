//! Values of any type that `serde` knows, as the program's own types say.

mod describe;
mod put;
mod take;

use std::fmt;

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;

use super::convert::{FromFold, ToFold};
use super::declare::FoldType;
use super::mismatch::Mismatch;
use super::types::{Declarations, Declared, Type};
use super::wire::{Reader, Writer};

/// A value that crosses as `serde` describes it, for types that derive its traits and not those of this crate. It takes the feature `serde`.
///
/// ```
/// use std::collections::BTreeMap;
/// use pinfold::{Serde, Vm};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize)]
/// struct Order {
///     customer: String,
///     #[serde(rename = "lines")]
///     items: BTreeMap<String, u32>,
/// }
///
/// #[derive(Debug, Deserialize, PartialEq)]
/// enum Decision {
///     Accept,
///     Refuse { why: String },
/// }
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("decide.fold", r#"
///     record Order { customer: String, lines: Map<String, Int> }
///     enum Decision { Accept, Refuse { why: String } }
///
///     pub fn decide(order: Order) -> Decision {
///         if order.lines.values().sum() > 10 { Decision.Refuse { why: "{order.customer} wants too much" } }
///         else { Decision.Accept }
///     }
/// "#)?;
/// let order = Order { customer: "Ada".into(), items: [("nails".to_owned(), 12)].into() };
/// let Serde(decision) = program.call::<Serde<Decision>>("decide", (Serde(&order),))?;
/// assert_eq!(decision, Decision::Refuse { why: "Ada wants too much".into() });
/// # Ok(())
/// # }
/// ```
///
/// | Fold | serde |
/// |---|---|
/// | `Int` | integers, if they fit |
/// | `Float`, `Bool`, `Char` | the same |
/// | `String`, `dyn Error` | strings, and all that is written as one |
/// | `Bytes` | bytes, and sequences of them |
/// | `List<T>`, `Set<T>` | sequences, arrays |
/// | `Map<K, V>` | maps; structs, if `K` is `String` |
/// | tuples | tuples, tuple structs; `()` |
/// | `Option<T>`, `Result<T, E>` | the same |
/// | records | structs; maps, if the keys are strings |
/// | enums | enums that are not tagged in another way than by default |
///
/// Names are those that serde has. A field that serde leaves out is `None`, and one that it does not know is left out, as serde does elsewhere. What has one
/// form for people and another for machines has that for people. A struct of one unnamed field is as that field.
///
/// Where the host declares types, for functions of its [own](crate::Capability), they are what `Deserialize` asks for: a record or enum has the name of the
/// struct or enum, sequences are lists, those of `u8` bytes, arrays tuples. That goes for what such functions give, too. A type of which only a
/// value says what it is, as `serde_json::Value` and enums that are tagged in another way than by default, has none: [`VmBuilder::build`](crate::VmBuilder::build)
/// says so.
///
/// What is not known before the program is, [`Value`](crate::Value) holds, or a type that holds anything, as `serde_json::Value`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serde<T>(pub T);

impl<T: Serialize> ToFold for Serde<T> {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        self.0.serialize(put::Put { ty, to }).map_err(|problem| problem.of(ty))
    }
}

impl<T: DeserializeOwned> FromFold for Serde<T> {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        T::deserialize(take::Take { ty, from }).map(Self).map_err(|problem| problem.of(ty))
    }
}

impl<T: DeserializeOwned> FoldType for Serde<T> {
    fn fold_type(declarations: &mut Declarations) -> Declared {
        match describe::describe::<T>(declarations) {
            Ok(declared) => declared,
            Err(problem) => declarations.cannot(problem),
        }
    }
}

/// Why a value does not cross.
#[derive(Debug)]
enum Problem {
    /// As for other values.
    Mismatch(Mismatch),
    /// What a type of the host's says, which does not know the program's type.
    Words(String),
}

impl Problem {
    /// The same of a value of this type.
    fn of(self, ty: Type<'_>) -> Mismatch {
        match self {
            Self::Mismatch(mismatch) => mismatch,
            Self::Words(words) => Mismatch::new(ty, words),
        }
    }

    /// The same of a part that has this name and type.
    fn within(self, name: &str, ty: Type<'_>) -> Self {
        Self::Mismatch(self.of(ty).within(name))
    }
}

impl From<Mismatch> for Problem {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(mismatch) => mismatch.fmt(f),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Problem {}

impl ::serde::ser::Error for Problem {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::Words(format!("a value that cannot be given: {words}"))
    }
}

impl ::serde::de::Error for Problem {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self::Words(format!("a type that cannot take it: {words}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Words(format!("a field {field} more"))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Words(format!("no field {field}"))
    }

    fn unknown_variant(variant: &str, _: &'static [&'static str]) -> Self {
        Self::Words(format!("no variant {variant}"))
    }
}
