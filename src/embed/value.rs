//! Values of types that are known when the program is.

use std::sync::Arc;

use super::convert::{FromFold, ToFold, entries_from_fold};
use super::mismatch::Mismatch;
use super::types::{Field, Kind, Type};
use super::wire::{Reader, Writer};

/// A value of any type that crosses: there is a variant for each kind of these, and one more would be another major version.
///
/// ```
/// use pinfold::{Value, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::new()?;
/// let program = vm.compile("swap.fold", "pub fn swap(pair: (Int, String)) -> (String, Int) { (pair.1, pair.0) }")?;
/// let pair = Value::Tuple(vec![Value::Int(7), Value::String("seven".into())]);
/// let swapped: Value = program.call("swap", (pair,))?;
/// assert_eq!(swapped, Value::Tuple(vec![Value::String("seven".into()), Value::Int(7)]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `Int`
    Int(i64),
    /// `Float`
    Float(f64),
    /// `Bool`
    Bool(bool),
    /// `Char`
    Char(char),
    /// `String`, and the message of a `dyn Error`
    String(String),
    /// `Bytes`
    Bytes(Vec<u8>),
    /// A tuple; `()` has no parts.
    Tuple(Vec<Self>),
    /// `List<T>`
    List(Vec<Self>),
    /// `Set<T>`, in its order
    Set(Vec<Self>),
    /// `Map<K, V>`, in its order
    Map(Vec<(Self, Self)>),
    /// `Option<T>`
    Option(Option<Box<Self>>),
    /// `Result<T, E>`
    Result(Result<Box<Self>, Box<Self>>),
    /// A record: its fields.
    Record(Vec<(Arc<str>, Self)>),
    /// A variant of an enum: its name and its fields, which are called by their places, from `0` on, where they have no names.
    Variant(Arc<str>, Vec<(Arc<str>, Self)>),
}

impl Value {
    /// `()`
    pub const UNIT: Self = Self::Tuple(Vec::new());

    /// A field of a record or variant.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let (Self::Record(fields) | Self::Variant(_, fields)) = self else { return None };
        fields.iter().find(|(other, _)| **other == *name).map(|(_, value)| value)
    }

    /// What a value is, in a word.
    fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a bool",
            Self::Char(_) => "a char",
            Self::String(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Option(_) => "an option",
            Self::Result(_) => "a result",
            Self::Record(_) => "a record",
            Self::Variant(..) => "a variant",
        }
    }
}

impl ToFold for Value {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        match (self, ty.kind()) {
            (Self::Int(value), _) => value.to_fold(ty, to),
            (Self::Float(value), _) => value.to_fold(ty, to),
            (Self::Bool(value), _) => value.to_fold(ty, to),
            (Self::Char(value), _) => value.to_fold(ty, to),
            (Self::String(value), _) => value.to_fold(ty, to),
            (Self::Bytes(value), _) => value.to_fold(ty, to),
            (Self::Option(value), _) => value.to_fold(ty, to),
            (Self::Result(value), _) => value.to_fold(ty, to),
            (Self::List(values), Kind::List(_)) | (Self::Set(values), Kind::Set(_)) => values.to_fold(ty, to),
            (Self::Tuple(values), Kind::Tuple(parts)) if parts.len() == values.len() => {
                if parts.is_empty() {
                    to.word(0);
                }
                values.iter().zip(parts).try_for_each(|(value, part)| value.to_fold(ty.other(*part), to))
            }
            (Self::Map(entries), Kind::Map(key, value)) => {
                to.count(entries.len());
                entries.iter().try_for_each(|entry| {
                    entry.0.to_fold(ty.other(*key), to)?;
                    entry.1.to_fold(ty.other(*value), to)
                })
            }
            (Self::Record(fields), _) => to.record(ty, &names(fields), |at, ty, to| put(fields, at, ty, to)),
            (Self::Variant(name, fields), _) => {
                to.variant(ty, name, &names(fields), |at, ty, to| put(fields, at, ty, to))
            }
            _ => Err(Mismatch::new(ty, self.kind())),
        }
    }
}

fn names(fields: &[(Arc<str>, Value)]) -> Vec<&str> {
    fields.iter().map(|(name, _)| &**name).collect()
}

fn put(fields: &[(Arc<str>, Value)], at: usize, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
    fields.get(at).map_or(Ok(()), |(_, value)| value.to_fold(ty, to))
}

impl FromFold for Value {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        Ok(match ty.kind() {
            Kind::Int => Self::Int(from.word()?),
            Kind::Float => Self::Float(f64::from_fold(ty, from)?),
            Kind::Bool => Self::Bool(bool::from_fold(ty, from)?),
            Kind::Char => Self::Char(char::from_fold(ty, from)?),
            Kind::String | Kind::Error => Self::String(String::from_fold(ty, from)?),
            Kind::Bytes => Self::Bytes(Vec::from_fold(ty, from)?),
            Kind::List(_) => Self::List(Vec::from_fold(ty, from)?),
            Kind::Set(_) => Self::Set(Vec::from_fold(ty, from)?),
            Kind::Map(..) => Self::Map(entries_from_fold(ty, from)?),
            Kind::Option(_) => Self::Option(Option::from_fold(ty, from)?),
            Kind::Result(..) => Self::Result(Result::from_fold(ty, from)?),
            Kind::Tuple(parts) => {
                if parts.is_empty() {
                    from.word()?;
                }
                let parts =
                    from.nested(|from| parts.iter().map(|part| Self::from_fold(ty.other(*part), from)).collect());
                Self::Tuple(parts?)
            }
            Kind::Record(_, fields) => {
                let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
                let mut values = Vec::with_capacity(names.len());
                from.record(ty, &names, |at, ty, from| take(fields, &mut values, at, ty, from))?;
                Self::Record(values)
            }
            Kind::Enum(..) => from.variant(ty, |variant, from| {
                let names = variant.field_names();
                let mut values = Vec::with_capacity(names.len());
                let (name, fields) = variant.shared();
                variant.fields(from, &names, |at, ty, from| take(fields, &mut values, at, ty, from))?;
                Ok(Self::Variant(name, values))
            })?,
        })
    }
}

fn take(
    fields: &[Field],
    values: &mut Vec<(Arc<str>, Value)>,
    at: usize,
    ty: Type<'_>,
    from: &mut Reader<'_>,
) -> Result<(), Mismatch> {
    let value = Value::from_fold(ty, from)?;
    values.extend(fields.get(at).map(|field| (field.name.clone(), value)));
    Ok(())
}

macro_rules! from {
    ($($ty:ty => $variant:ident;)*) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    i64 => Int;
    i32 => Int;
    u32 => Int;
    f64 => Float;
    bool => Bool;
    char => Char;
    &str => String;
    String => String;
}
