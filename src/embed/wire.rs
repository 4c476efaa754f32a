//! What crosses, in the form that `prelude/wire.fold` describes: words, and bytes beside them.

use std::sync::Arc;

use super::mismatch::Mismatch;
use super::types::{Field, Kind, Type};

/// How deep values may be nested in one another: whoever reads them recurses.
pub(crate) const MAX_DEPTH: u32 = 128;

/// Where a value is put for a program.
///
/// ```
/// use pinfold::{Mismatch, ToFold, Type, Vm, Writer};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// /// As the derived trait of a struct with these two fields does it.
/// struct Point(f64, f64);
///
/// impl ToFold for Point {
///     fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
///         to.record(ty, &["x", "y"], |at, ty, to| [self.0, self.1][at].to_fold(ty, to))
///     }
/// }
///
/// let program = Vm::new()?.compile("sum.fold", r#"
///     record Point { y: Float, x: Float }
///     pub fn difference(point: Point) -> Float { point.x - point.y }
/// "#)?;
/// assert_eq!(program.call::<f64>("difference", (Point(3.0, 1.0),))?, 2.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Writer {
    /// Of eight bytes each, the lowest first.
    pub(crate) words: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    depth: u32,
}

/// Where a value of a program is read. Nothing in it is relied on.
///
/// ```
/// use pinfold::{FromFold, Mismatch, Reader, Type, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// /// As the derived trait of a struct with these two fields does it.
/// struct Point(f64, f64);
///
/// impl FromFold for Point {
///     fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
///         let mut fields = [0.0; 2];
///         from.record(ty, &["x", "y"], |at, ty, from| {
///             fields[at] = f64::from_fold(ty, from)?;
///             Ok(())
///         })?;
///         Ok(Self(fields[0], fields[1]))
///     }
/// }
///
/// let program = Vm::new()?.compile("make.fold", r#"
///     record Point { y: Float, x: Float }
///     pub fn make() -> Point { Point { x: 3.0, y: 1.0 } }
/// "#)?;
/// let Point(x, y) = program.call("make", ())?;
/// assert_eq!((x, y), (3.0, 1.0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader<'a> {
    /// Of eight bytes each, the lowest first.
    words: &'a [u8],
    bytes: &'a [u8],
    depth: u32,
}

/// A variant that a program gave.
///
/// ```
/// use pinfold::{FromFold, Mismatch, Reader, Type, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// /// As the derived trait of an enum does it.
/// enum Shape {
///     Point,
///     Circle(f64),
/// }
///
/// impl FromFold for Shape {
///     fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
///         from.variant(ty, |variant, from| match variant.name() {
///             "Point" => Ok(Self::Point),
///             "Circle" => {
///                 let mut radius = 0.0;
///                 variant.fields(from, &["0"], |_, ty, from| {
///                     radius = f64::from_fold(ty, from)?;
///                     Ok(())
///                 })?;
///                 Ok(Self::Circle(radius))
///             }
///             _ => Err(variant.unknown()),
///         })
///     }
/// }
///
/// let program = Vm::new()?.compile("make.fold", r#"
///     enum Shape { Point, Circle(Float), Square(Float) }
///     pub fn make(n: Int) -> Shape { if n == 0 { Shape.Point } else if n == 1 { Shape.Circle(2.0) } else { Shape.Square(1.0) } }
/// "#)?;
/// assert!(matches!(program.call("make", (0,))?, Shape::Point));
/// assert!(matches!(program.call("make", (1,))?, Shape::Circle(radius) if radius == 2.0));
/// assert!(program.call::<Shape>("make", (2,)).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Variant<'a> {
    ty: Type<'a>,
    name: &'a Arc<str>,
    fields: &'a [Field],
}

impl Writer {
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.bytes.clear();
        self.depth = 0;
    }

    pub(crate) fn word(&mut self, word: i64) {
        self.words.extend_from_slice(&word.to_le_bytes());
    }

    pub(crate) fn words(&mut self, words: &[i64]) {
        self.count(words.len());
        let from = self.words.len();
        self.words.resize(from + words.len() * 8, 0);
        let (to, _) = self.words[from..].as_chunks_mut();
        to.iter_mut().zip(words).for_each(|(to, word)| *to = word.to_le_bytes());
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.word(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins what is in a value.
    pub(crate) fn enter(&mut self) -> Result<(), Mismatch> {
        if self.depth >= MAX_DEPTH {
            return Err(Mismatch::too_deep());
        }
        self.depth += 1;
        Ok(())
    }

    /// Ends what is in a value.
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Room for a count that is known later: where it is.
    #[cfg(feature = "serde")]
    pub(crate) fn later(&mut self) -> usize {
        self.word(0);
        self.words.len() - 8
    }

    /// Puts a count where there is room for it.
    #[cfg(feature = "serde")]
    pub(crate) fn set_count(&mut self, at: usize, count: usize) {
        self.words[at..at + 8].copy_from_slice(&(count as i64).to_le_bytes());
    }

    /// A place for something in the same value that comes before what it is to follow.
    #[cfg(feature = "serde")]
    pub(crate) fn beside(&self) -> Self {
        Self { depth: self.depth, ..Self::default() }
    }

    /// Puts what was put beside.
    #[cfg(feature = "serde")]
    pub(crate) fn append(&mut self, beside: &Self) {
        self.words.extend_from_slice(&beside.words);
        self.bytes.extend_from_slice(&beside.bytes);
    }

    /// Puts a record: `put` is called for each of its fields, in the order of the record, with the field's place among `names`.
    ///
    /// # Errors
    /// If the type is no record with these fields, or `put` fails.
    pub fn record(
        &mut self,
        ty: Type<'_>,
        names: &[&str],
        put: impl FnMut(usize, Type<'_>, &mut Self) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        let Kind::Record(_, fields) = ty.kind() else { return Err(Mismatch::new(ty, "a record")) };
        self.fields(ty, fields, names, put)
    }

    /// Puts a variant of an enum, likewise; fields without names are called by their places: `0`, `1` and so on.
    ///
    /// # Errors
    /// If the type is no enum with such a variant, or `put` fails.
    pub fn variant(
        &mut self,
        ty: Type<'_>,
        name: &str,
        names: &[&str],
        put: impl FnMut(usize, Type<'_>, &mut Self) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        let found = match ty.kind() {
            Kind::Enum(_, variants) => variants.iter().enumerate().find(|(_, (other, _))| **other == *name),
            _ => None,
        };
        let (tag, (_, fields)) = found.ok_or_else(|| Mismatch::new(ty, format!("the variant {name}")))?;
        self.count(tag);
        if fields.is_empty() && names.is_empty() {
            return Ok(());
        }
        self.fields(ty, fields, names, put)
    }

    fn fields(
        &mut self,
        ty: Type<'_>,
        fields: &[Field],
        names: &[&str],
        mut put: impl FnMut(usize, Type<'_>, &mut Self) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        same_number(ty, fields, names)?;
        if fields.is_empty() {
            self.word(0);
        }
        self.enter()?;
        for (at, field) in fields.iter().enumerate() {
            put(place(ty, at, field, names)?, ty.other(field.ty), self).map_err(|error| error.within(&field.name))?;
        }
        self.leave();
        Ok(())
    }
}

fn same_number(ty: Type<'_>, fields: &[Field], names: &[&str]) -> Result<(), Mismatch> {
    if fields.len() == names.len() {
        return Ok(());
    }
    Err(Mismatch::new(ty, format!("{} fields instead of {}", names.len(), fields.len())))
}

/// Where a field is among names, which mostly have the same order.
fn place(ty: Type<'_>, at: usize, field: &Field, names: &[&str]) -> Result<usize, Mismatch> {
    if names.get(at).is_some_and(|name| **name == *field.name) {
        return Ok(at);
    }
    let found = names.iter().position(|name| **name == *field.name);
    found.ok_or_else(|| Mismatch::new(ty, format!("no field {}", field.name)))
}

impl<'a> Reader<'a> {
    pub(crate) fn new(words: &'a [u8], bytes: &'a [u8]) -> Self {
        Self { words, bytes, depth: 0 }
    }

    pub(crate) fn word(&mut self) -> Result<i64, Mismatch> {
        let (word, rest) = self.words.split_first_chunk().ok_or_else(Mismatch::malformed)?;
        self.words = rest;
        Ok(i64::from_le_bytes(*word))
    }

    /// How many there are of what takes at least one word each, so that there cannot be more than are here.
    pub(crate) fn count(&mut self) -> Result<usize, Mismatch> {
        let count = usize::try_from(self.word()?).map_err(|_| Mismatch::malformed())?;
        if count <= self.words.len() / 8 { Ok(count) } else { Err(Mismatch::malformed()) }
    }

    pub(crate) fn words(&mut self) -> Result<Vec<i64>, Mismatch> {
        let count = self.count()?;
        let (words, rest) = self.words.split_at(count * 8);
        self.words = rest;
        let (words, _) = words.as_chunks();
        Ok(words.iter().map(|word| i64::from_le_bytes(*word)).collect())
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Mismatch> {
        let count = usize::try_from(self.word()?).map_err(|_| Mismatch::malformed())?;
        let (bytes, rest) = self.bytes.split_at_checked(count).ok_or_else(Mismatch::malformed)?;
        self.bytes = rest;
        Ok(bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Mismatch> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Mismatch::malformed())
    }

    /// Takes what is in a value.
    pub(crate) fn nested<T, E: From<Mismatch>>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.depth >= MAX_DEPTH {
            return Err(Mismatch::too_deep().into());
        }
        self.depth += 1;
        let result = take(self);
        self.depth -= 1;
        result
    }

    /// Takes a record: `take` is called for each of its fields, in the order of the record, with the field's place among `names`.
    ///
    /// # Errors
    /// If the type is no record with these fields, or `take` fails.
    pub fn record(
        &mut self,
        ty: Type<'_>,
        names: &[&str],
        take: impl FnMut(usize, Type<'_>, &mut Self) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        let Kind::Record(_, fields) = ty.kind() else { return Err(Mismatch::new(ty, "a record")) };
        if fields.is_empty() {
            self.word()?;
        }
        self.fields(ty, fields, names, take)
    }

    /// Takes a variant of an enum; `take` is told which, and takes its fields.
    ///
    /// # Errors
    /// If the type is no enum, or `take` fails.
    pub fn variant<T>(
        &mut self,
        ty: Type<'_>,
        take: impl FnOnce(Variant<'_>, &mut Self) -> Result<T, Mismatch>,
    ) -> Result<T, Mismatch> {
        let Kind::Enum(_, variants) = ty.kind() else { return Err(Mismatch::new(ty, "an enum")) };
        let tag = usize::try_from(self.word()?).ok();
        let (name, fields) = tag.and_then(|tag| variants.get(tag)).ok_or_else(Mismatch::malformed)?;
        take(Variant { ty, name, fields }, self)
    }

    fn fields(
        &mut self,
        ty: Type<'_>,
        fields: &[Field],
        names: &[&str],
        mut take: impl FnMut(usize, Type<'_>, &mut Self) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        same_number(ty, fields, names)?;
        self.nested(|from| {
            for (at, field) in fields.iter().enumerate() {
                take(place(ty, at, field, names)?, ty.other(field.ty), from)
                    .map_err(|error| error.within(&field.name))?;
            }
            Ok(())
        })
    }
}

impl<'a> Variant<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The names of its fields.
    pub(crate) fn field_names(&self) -> Vec<&'a str> {
        self.fields.iter().map(|field| &*field.name).collect()
    }

    /// Its name and its fields, as the type has them.
    pub(crate) fn shared(&self) -> (Arc<str>, &'a [Field]) {
        (self.name.clone(), self.fields)
    }

    /// Takes its fields, as [`Reader::record`] does.
    ///
    /// # Errors
    /// If it has others, or `take` fails.
    pub fn fields(
        &self,
        from: &mut Reader<'_>,
        names: &[&str],
        take: impl FnMut(usize, Type<'_>, &mut Reader<'_>) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        let mut take = take;
        from.fields(self.ty, self.fields, names, |index, ty, from| take(index, ty, from))
    }

    /// That the host has no such variant.
    pub fn unknown(&self) -> Mismatch {
        Mismatch::new(self.ty, format!("no variant {}", self.name))
    }
}
