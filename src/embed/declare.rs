//! Which types of Fold Rust types are, where the host declares them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::capability::Failure;
use super::convert::ToFold;
use super::mismatch::Mismatch;
use super::types::{Declarations, Declared, Kind, Type};
use super::wire::Writer;

/// A Rust type that has one type in Fold, so that a [`Capability`](crate::Capability) can be declared with it. Structs and enums
/// [derive](macro@crate::FoldType) it.
///
/// ```
/// use pinfold::{Capability, FoldType, ToFold};
///
/// #[derive(FoldType, ToFold)]
/// struct Hit {
///     title: String,
///     score: f64,
/// }
///
/// let search = Capability::new("Search").method("first", [], |_: &()| Hit { title: "pound".into(), score: 0.5 });
/// assert!(search.declaration().contains("record Hit { pub title: String, pub score: Float }"));
/// ```
pub trait FoldType {
    /// The type, declared if it is a record or an enum.
    fn fold_type(declarations: &mut Declarations) -> Declared;

    #[doc(hidden)]
    fn list_type(declarations: &mut Declarations) -> Declared {
        let of = Self::fold_type(declarations);
        declarations.plain(Kind::List(of.0))
    }
}

macro_rules! plain {
    ($($kind:ident: $($ty:ty)*;)*) => {$($(
        impl FoldType for $ty {
            fn fold_type(declarations: &mut Declarations) -> Declared {
                declarations.plain(Kind::$kind)
            }
        }
    )*)*};
}

plain! {
    Int: i8 i16 i32 i64 i128 isize u16 u32 u64 u128 usize;
    Float: f32 f64;
    Bool: bool;
    Char: char;
    String: str String;
    Error: Failure;
}

impl FoldType for u8 {
    fn fold_type(declarations: &mut Declarations) -> Declared {
        declarations.plain(Kind::Int)
    }

    fn list_type(declarations: &mut Declarations) -> Declared {
        declarations.plain(Kind::Bytes)
    }
}

macro_rules! like {
    ($($ty:ty)*) => {$(
        impl<T: FoldType + ?Sized> FoldType for $ty {
            fn fold_type(declarations: &mut Declarations) -> Declared {
                T::fold_type(declarations)
            }
        }
    )*};
}

like! { &T Box<T> Arc<T> }

macro_rules! lists {
    ($($ty:ty)*) => {$(
        impl<T: FoldType> FoldType for $ty {
            fn fold_type(declarations: &mut Declarations) -> Declared {
                T::list_type(declarations)
            }
        }
    )*};
}

lists! { [T] Vec<T> }

macro_rules! of {
    ($($kind:ident<$($of:ident)*>: $ty:ty;)*) => {$(
        impl<$($of: FoldType),*> FoldType for $ty {
            fn fold_type(declarations: &mut Declarations) -> Declared {
                let kind = Kind::$kind($($of::fold_type(declarations).0),*);
                declarations.plain(kind)
            }
        }
    )*};
}

of! {
    Set<T>: HashSet<T>;
    Set<T>: BTreeSet<T>;
    Map<K V>: HashMap<K, V>;
    Map<K V>: BTreeMap<K, V>;
    Option<T>: Option<T>;
    Result<T E>: Result<T, E>;
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: FoldType),*> FoldType for ($($name,)*) {
            fn fold_type(declarations: &mut Declarations) -> Declared {
                let parts = vec![$($name::fold_type(declarations).0),*];
                declarations.plain(Kind::Tuple(parts))
            }
        }
    };
}

tuples! {}
tuples! { A }
tuples! { A B }
tuples! { A B C }
tuples! { A B C D }
tuples! { A B C D E }
tuples! { A B C D E F }

impl ToFold for Failure {
    fn to_fold(&self, ty: Type<'_>, to: &mut Writer) -> Result<(), Mismatch> {
        self.0.to_fold(ty, to)
    }
}
