//! Rust types as which types of Fold cross.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use super::mismatch::Mismatch;
use super::types::{Kind, Type};
use super::wire::{Reader, Writer};

/// A value that a program in Fold can be given.
///
/// | Fold | Rust |
/// |---|---|
/// | `Int` | integers, if they fit |
/// | `Float`, `Bool`, `Char` | `f64` or `f32`, `bool`, `char` |
/// | `String`, `dyn Error` | `str`, `String` |
/// | `Bytes` | `[u8]`, `Vec<u8>` |
/// | `List<T>` | slices, arrays, `Vec<T>` |
/// | `Map<K, V>`, `Set<T>` | those of `std::collections` |
/// | `Option<T>`, `Result<T, E>`, tuples | the same |
/// | records, enums | structs and enums that derive [`ToFold`](macro@crate::ToFold) and [`FromFold`](macro@crate::FromFold) |
/// | any | [`Value`](crate::Value) |
///
/// Fields and variants are found by their names. `#[fold(name = "…")]` says another one than that in Rust.
///
/// ```
/// use pinfold::{FromFold, ToFold, Vm};
///
/// #[derive(ToFold)]
/// struct Row {
///     name: String,
///     qty: i64,
/// }
///
/// #[derive(Debug, FromFold, PartialEq)]
/// enum Check {
///     Fine,
///     Short(i64),
///     Unknown { name: String },
/// }
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::new()?;
/// let program = vm.compile("check.fold", r#"
///     record Row { name: String, qty: Int }
///     enum Check { Fine, Short(Int), Unknown { name: String } }
///
///     pub fn check(row: Row) -> Check {
///         if row.name == "" { Check.Unknown { name: "a row" } }
///         else if row.qty < 10 { Check.Short(10 - row.qty) }
///         else { Check.Fine }
///     }
/// "#)?;
/// let check: Check = program.call("check", (Row { name: "nails".into(), qty: 7 },))?;
/// assert_eq!(check, Check::Short(3));
/// # Ok(())
/// # }
/// ```
pub trait ToFold {
    /// Puts the value, as one of this type, where the program finds it.
    ///
    /// # Errors
    /// If the program has another type.
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch>;

    /// Puts values as the elements of a list, of which some types have more than one.
    #[doc(hidden)]
    fn list_to_fold(list: &[Self], ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch>
    where
        Self: Sized,
    {
        elements_to_fold(list, list.len(), ty, to)
    }
}

/// A value that a program in Fold can give. See [`ToFold`] for which types there are.
///
/// ```
/// use pinfold::{FromFold, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// #[derive(Debug, FromFold, PartialEq)]
/// struct Hit {
///     title: String,
///     score: f64,
/// }
///
/// let program = Vm::new()?.compile("find.fold", r#"
///     record Hit { title: String, score: Float }
///     pub fn best() -> Option<Hit> { Some(Hit { title: "pound", score: 0.5 }) }
/// "#)?;
/// let best: Option<Hit> = program.call("best", ())?;
/// assert_eq!(best, Some(Hit { title: "pound".into(), score: 0.5 }));
/// // What the program gives is looked at, and what is no such value is an error.
/// assert_eq!(program.call::<i64>("best", ()).unwrap_err().code(), "type");
/// # Ok(())
/// # }
/// ```
pub trait FromFold: Sized {
    /// Reads the value, which is one of this type.
    ///
    /// # Errors
    /// If the program has another type.
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch>;

    #[doc(hidden)]
    fn list_from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Vec<Self>, Mismatch> {
        elements_from_fold(ty, from)
    }
}

/// Puts elements of a list or a set.
fn elements_to_fold<'t, T: ToFold + 't>(
    elements: impl IntoIterator<Item = &'t T>,
    count: usize,
    ty: Type<'_>,
    to: &mut Writer,
) -> Result<(), Mismatch> {
    let (Kind::List(of) | Kind::Set(of)) = ty.kind() else { return Err(Mismatch::new(ty, "a list")) };
    to.count(count);
    let of = ty.other(*of);
    for (place, element) in elements.into_iter().enumerate() {
        element.to_fold(of, to).map_err(|error| error.within(&place.to_string()))?;
    }
    Ok(())
}

/// Reads elements of a list or a set.
fn elements_from_fold<T: FromFold, C: Default + IntoIterator<Item = T> + Extend<T>>(
    ty: Type<'_>,
    from: &mut Reader<'_>,
) -> Result<C, Mismatch> {
    let (Kind::List(of) | Kind::Set(of)) = ty.kind() else { return Err(Mismatch::new(ty, "a list")) };
    let (count, of) = (from.count()?, ty.other(*of));
    from.nested(|from| {
        let mut all = C::default();
        for place in 0..count {
            all.extend([T::from_fold(of, from).map_err(|error| error.within(&place.to_string()))?]);
        }
        Ok(all)
    })
}

macro_rules! integers {
    ($($ty:ident)*) => {$(
        impl ToFold for $ty {
            #[inline]
            fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
                match (ty.kind(), i64::try_from(*self)) {
                    (Kind::Int, Ok(word)) => to.word(word),
                    (Kind::Int, Err(_)) => return Err(Mismatch::new(ty, format!("{self}, which does not fit"))),
                    _ => return Err(Mismatch::new(ty, stringify!($ty))),
                }
                Ok(())
            }

            fn list_to_fold(list: &[Self], ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
                integers!(@put $ty, list, ty, to);
                elements_to_fold(list, list.len(), ty, to)
            }
        }

        impl FromFold for $ty {
            #[inline]
            fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
                if !matches!(ty.kind(), Kind::Int) {
                    return Err(Mismatch::new(ty, stringify!($ty)));
                }
                let word = from.word()?;
                <$ty>::try_from(word).map_err(|_| Mismatch::new(ty, format!("{}, in which {word} does not fit", stringify!($ty))))
            }

            fn list_from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Vec<Self>, Mismatch> {
                integers!(@take $ty, ty, from);
                elements_from_fold(ty, from)
            }
        }
    )*};
    // Those that are copied as they are.
    (@put i64, $list:ident, $ty:ident, $to:ident) => {
        if is_list_of($ty, &Kind::Int) {
            $to.words($list);
            return Ok(());
        }
    };
    (@put u8, $list:ident, $ty:ident, $to:ident) => {
        if matches!($ty.kind(), Kind::Bytes) {
            $to.bytes($list);
            return Ok(());
        }
    };
    (@put $other:ident, $list:ident, $ty:ident, $to:ident) => {};
    (@take i64, $ty:ident, $from:ident) => {
        if is_list_of($ty, &Kind::Int) {
            return $from.words();
        }
    };
    (@take u8, $ty:ident, $from:ident) => {
        if matches!($ty.kind(), Kind::Bytes) {
            return $from.bytes().map(<[u8]>::to_vec);
        }
    };
    (@take $other:ident, $ty:ident, $from:ident) => {};
}

integers! { i8 i16 i32 i128 isize u16 u32 u64 u128 usize }
integers! { i64 }
integers! { u8 }

fn is_list_of(ty: Type<'_>, element: &Kind) -> bool {
    matches!(ty.kind(), Kind::List(of) if ty.other(*of).kind() == element)
}

impl ToFold for f64 {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        match ty.kind() {
            Kind::Float => to.word(self.to_bits() as i64),
            _ => return Err(Mismatch::new(ty, "a float")),
        }
        Ok(())
    }
}

impl FromFold for f64 {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        match ty.kind() {
            Kind::Float => Ok(Self::from_bits(from.word()? as u64)),
            _ => Err(Mismatch::new(ty, "a float")),
        }
    }
}

impl ToFold for f32 {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        f64::from(*self).to_fold(ty, to)
    }
}

impl FromFold for f32 {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        f64::from_fold(ty, from).map(|value| value as Self)
    }
}

impl ToFold for bool {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        match ty.kind() {
            Kind::Bool => to.word((*self).into()),
            _ => return Err(Mismatch::new(ty, "a bool")),
        }
        Ok(())
    }
}

impl FromFold for bool {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        match ty.kind() {
            Kind::Bool => Ok(from.word()? != 0),
            _ => Err(Mismatch::new(ty, "a bool")),
        }
    }
}

impl ToFold for char {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        match ty.kind() {
            Kind::Char => to.word(u32::from(*self).into()),
            _ => return Err(Mismatch::new(ty, "a char")),
        }
        Ok(())
    }
}

impl FromFold for char {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        match ty.kind() {
            Kind::Char => u32::try_from(from.word()?).ok().and_then(Self::from_u32).ok_or_else(Mismatch::malformed),
            _ => Err(Mismatch::new(ty, "a char")),
        }
    }
}

impl ToFold for str {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        match ty.kind() {
            Kind::String | Kind::Error => to.bytes(self.as_bytes()),
            _ => return Err(Mismatch::new(ty, "a string")),
        }
        Ok(())
    }
}

impl FromFold for String {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        match ty.kind() {
            Kind::String | Kind::Error => from.text().map(str::to_owned),
            _ => Err(Mismatch::new(ty, "a string")),
        }
    }
}

impl ToFold for String {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        self.as_str().to_fold(ty, to)
    }
}

macro_rules! pointers {
    ($($ty:ty)*) => {$(
        impl<T: ToFold + ?Sized> ToFold for $ty {
            fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
                (**self).to_fold(ty, to)
            }
        }
    )*};
}

pointers! { &T Box<T> Arc<T> }

impl<T: ToFold + ToOwned + ?Sized> ToFold for Cow<'_, T> {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        (**self).to_fold(ty, to)
    }
}

impl<T: FromFold> FromFold for Box<T> {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        T::from_fold(ty, from).map(Self::new)
    }
}

impl<T: ToFold> ToFold for [T] {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        T::list_to_fold(self, ty, to)
    }
}

impl<T: ToFold, const N: usize> ToFold for [T; N] {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        T::list_to_fold(self, ty, to)
    }
}

impl<T: ToFold> ToFold for Vec<T> {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        T::list_to_fold(self, ty, to)
    }
}

impl<T: FromFold> FromFold for Vec<T> {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        T::list_from_fold(ty, from)
    }
}

macro_rules! sets {
    ($($name:ident<T $(, $hasher:ident)?> where T: $($bound:ident)&+;)*) => {$(
        impl<T: ToFold $(, $hasher)?> ToFold for $name<T $(, $hasher)?> {
            fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
                elements_to_fold(self, self.len(), ty, to)
            }
        }

        impl<T: FromFold $(+ $bound)+ $(, $hasher: BuildHasher + Default)?> FromFold for $name<T $(, $hasher)?> {
            fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
                elements_from_fold(ty, from)
            }
        }
    )*};
}

sets! {
    HashSet<T, S> where T: Eq & Hash;
    BTreeSet<T> where T: Ord;
}

/// The types of a map's keys and values.
fn entry_types(ty: Type<'_>) -> Result<(Type<'_>, Type<'_>), Mismatch> {
    match ty.kind() {
        Kind::Map(key, value) => Ok((ty.other(*key), ty.other(*value))),
        _ => Err(Mismatch::new(ty, "a map")),
    }
}

pub(crate) fn entries_to_fold<'t, K: ToFold + 't, V: ToFold + 't>(
    entries: impl ExactSizeIterator<Item = (&'t K, &'t V)>,
    ty: Type<'_>,
    to: &mut Writer,
) -> Result<(), Mismatch> {
    let (keys, values) = entry_types(ty)?;
    to.count(entries.len());
    for (key, value) in entries {
        key.to_fold(keys, to)?;
        value.to_fold(values, to)?;
    }
    Ok(())
}

pub(crate) fn entries_from_fold<K: FromFold, V: FromFold, C: Default + IntoIterator<Item = (K, V)> + Extend<(K, V)>>(
    ty: Type<'_>,
    from: &mut Reader<'_>,
) -> Result<C, Mismatch> {
    let (keys, values) = entry_types(ty)?;
    let count = from.count()?;
    from.nested(|from| {
        let mut all = C::default();
        for _ in 0..count {
            let key = K::from_fold(keys, from)?;
            all.extend([(key, V::from_fold(values, from)?)]);
        }
        Ok(all)
    })
}

macro_rules! maps {
    ($($name:ident<K, V $(, $hasher:ident)?> where K: $($bound:ident)&+;)*) => {$(
        impl<K: ToFold, V: ToFold $(, $hasher)?> ToFold for $name<K, V $(, $hasher)?> {
            fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
                entries_to_fold(self.iter(), ty, to)
            }
        }

        impl<K: FromFold $(+ $bound)+, V: FromFold $(, $hasher: BuildHasher + Default)?> FromFold for $name<K, V $(, $hasher)?> {
            fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
                entries_from_fold(ty, from)
            }
        }
    )*};
}

maps! {
    HashMap<K, V, S> where K: Eq & Hash;
    BTreeMap<K, V> where K: Ord;
}

impl<T: ToFold> ToFold for Option<T> {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        let Kind::Option(of) = ty.kind() else { return Err(Mismatch::new(ty, "an option")) };
        to.word(self.is_some().into());
        self.as_ref().map_or(Ok(()), |value| value.to_fold(ty.other(*of), to))
    }
}

impl<T: FromFold> FromFold for Option<T> {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        let Kind::Option(of) = ty.kind() else { return Err(Mismatch::new(ty, "an option")) };
        match from.word()? {
            0 => Ok(None),
            1 => from.nested(|from| T::from_fold(ty.other(*of), from)).map(Some),
            _ => Err(Mismatch::malformed()),
        }
    }
}

impl<T: ToFold, E: ToFold> ToFold for Result<T, E> {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        let Kind::Result(good, bad) = ty.kind() else { return Err(Mismatch::new(ty, "a result")) };
        to.word(self.is_err().into());
        match self {
            Ok(value) => value.to_fold(ty.other(*good), to),
            Err(error) => error.to_fold(ty.other(*bad), to),
        }
    }
}

impl<T: FromFold, E: FromFold> FromFold for Result<T, E> {
    fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
        let Kind::Result(good, bad) = ty.kind() else { return Err(Mismatch::new(ty, "a result")) };
        match from.word()? {
            0 => from.nested(|from| T::from_fold(ty.other(*good), from)).map(Ok),
            1 => from.nested(|from| E::from_fold(ty.other(*bad), from)).map(Err),
            _ => Err(Mismatch::malformed()),
        }
    }
}

/// What a function is called with: a tuple of values, one for each parameter that is no capability.
///
/// ```
/// use pinfold::{Arguments, Program, Result, Value, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// fn sum(program: &Program, arguments: impl Arguments) -> Result<i64> {
///     program.call("sum", arguments)
/// }
/// let program = Vm::new()?.compile("sum.fold", "pub fn sum(a: Int, b: Int) -> Int { a + b }")?;
/// assert_eq!(sum(&program, (40, 2))?, 42);
/// // Of one type, in a slice: as many as there turn out to be.
/// assert_eq!(sum(&program, &[Value::Int(40), Value::Int(2)][..])?, 42);
/// assert!(sum(&program, (40,)).is_err());
/// # Ok(())
/// # }
/// ```
pub trait Arguments {
    /// Puts them, as values of these types, where the program finds them.
    ///
    /// # Errors
    /// If there are more or fewer, or one is of another type.
    fn put<'a>(
        &self,
        params: impl ExactSizeIterator<Item = (&'a str, Type<'a>)>,
        to: &mut Writer,
    ) -> Result<(), Mismatch>;
}

/// That there is another number of arguments.
fn wrong_number(wanted: usize, found: usize) -> Mismatch {
    let some = |count: usize| format!("{count} argument{}", if count == 1 { "" } else { "s" });
    Mismatch { wanted: some(wanted), found: some(found), path: Vec::new() }
}

/// Any number of values that are of one type, as are those that are not known before the program is: [`Value`](crate::Value)s.
impl<T: ToFold> Arguments for &[T] {
    fn put<'a>(
        &self,
        params: impl ExactSizeIterator<Item = (&'a str, Type<'a>)>,
        to: &mut Writer,
    ) -> Result<(), Mismatch> {
        if params.len() != self.len() {
            return Err(wrong_number(params.len(), self.len()));
        }
        params.zip(*self).try_for_each(|((name, ty), value)| value.to_fold(ty, to).map_err(|error| error.within(name)))
    }
}

macro_rules! tuples {
    ($($name:ident $index:tt)*) => {
        impl<$($name: ToFold),*> Arguments for ($($name,)*) {
            #[allow(unused_mut, unused_variables, reason = "the empty tuple has nothing to put")]
            fn put<'a>(&self, mut params: impl ExactSizeIterator<Item = (&'a str, Type<'a>)>, to: &mut Writer) -> Result<(), Mismatch> {
                let count = const { <[&str]>::len(&[$(stringify!($name)),*]) };
                if params.len() != count {
                    return Err(wrong_number(params.len(), count));
                }
                $(if let Some((name, ty)) = params.next() {
                    self.$index.to_fold(ty, to).map_err(|error| error.within(name))?;
                })*
                Ok(())
            }
        }

        impl<$($name: ToFold),*> ToFold for ($($name,)*) {
            fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
                match ty.kind() {
                    Kind::Tuple(parts) if parts.len() == const { <[&str]>::len(&[$(stringify!($name)),*]) } => {
                        if parts.is_empty() {
                            to.word(0);
                        }
                        $(if let Some(part) = parts.get($index) {
                            self.$index.to_fold(ty.other(*part), to).map_err(|error| error.within(stringify!($index)))?;
                        })*
                        Ok(())
                    }
                    _ => Err(Mismatch::new(ty, "a tuple")),
                }
            }
        }

        impl<$($name: FromFold),*> FromFold for ($($name,)*) {
            #[allow(clippy::unused_unit, unused_variables, reason = "the empty tuple is one")]
            fn from_fold(ty: Type<'_>, from: &mut Reader<'_>) -> Result<Self, Mismatch> {
                match ty.kind() {
                    Kind::Tuple(parts) if parts.len() == const { <[&str]>::len(&[$(stringify!($name)),*]) } => {
                        if parts.is_empty() {
                            from.word()?;
                        }
                        from.nested(|from| Ok(($({
                            let part = ty.other(parts.get($index).copied().unwrap_or_default());
                            <$name>::from_fold(part, from).map_err(|error| error.within(stringify!($index)))?
                        },)*)))
                    }
                    _ => Err(Mismatch::new(ty, "a tuple")),
                }
            }
        }
    };
}

tuples! {}
tuples! { A 0 }
tuples! { A 0 B 1 }
tuples! { A 0 B 1 C 2 }
tuples! { A 0 B 1 C 2 D 3 }
tuples! { A 0 B 1 C 2 D 3 E 4 }
tuples! { A 0 B 1 C 2 D 3 E 4 F 5 }
tuples! { A 0 B 1 C 2 D 3 E 4 F 5 G 6 }
tuples! { A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 }
