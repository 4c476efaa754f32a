//! Values at run time.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use super::machine::EnvId;
use crate::typed::{Closure, EnumId, FnId, RecordId, Ty};

/// A value. Copies of it share what is mutable.
#[derive(Clone)]
pub(super) enum Value<'p> {
    /// `Int`
    Int(i64),
    /// `Float`
    Float(f64),
    /// `Bool`
    Bool(bool),
    /// `Char`, which intrinsics make of any number.
    Char(u32),
    /// `String` and `Buffer`: they are laid out alike.
    Bytes(Rc<[Cell<u8>]>),
    /// `Array`; elements that were never set are not there.
    Array(Rc<[RefCell<Option<Value<'p>>>]>),
    /// A handle of the host.
    Extern(u32),
    /// A tuple, `()` among them.
    Tuple(Rc<[Value<'p>]>),
    /// A record.
    Record(Rc<Record<'p>>),
    /// A variant, by its place, with its fields.
    Variant(EnumId, u32, Rc<[Value<'p>]>),
    /// A function value.
    Function(Rc<Function<'p>>),
    /// A value that only shows a trait, with its type.
    Dyn(Rc<(Ty, Value<'p>)>),
}

/// See [`Value::Record`].
pub(super) struct Record<'p> {
    /// Of which kind.
    pub(super) id: RecordId,
    /// Its fields.
    pub(super) fields: Box<[RefCell<Value<'p>>]>,
}

/// See [`Value::Function`].
pub(super) enum Function<'p> {
    /// A function with its type arguments.
    Plain(FnId, EnvId),
    /// A function of a trait for a type: of the trait's implementation, by the intrinsic way.
    Structural(super::structure::Structural, Ty),
    /// A trait's function of whatever `dyn` value comes first.
    Dyn(crate::typed::TraitId, u32),
    /// Makes a variant.
    Constructor(EnumId, u32),
    /// A closure with what it captured, and how many locals its function has.
    Closure(&'p Closure, EnvId, Vec<Slot<'p>>, &'p crate::typed::Body),
}

/// What a local holds.
#[derive(Clone)]
pub(super) enum Slot<'p> {
    /// Nothing yet.
    Empty,
    /// A value.
    Plain(Value<'p>),
    /// A value that closures share.
    Boxed(Rc<RefCell<Value<'p>>>),
}

impl<'p> Value<'p> {
    /// `()`
    pub(super) fn unit() -> Self {
        Value::Tuple(Rc::from([]))
    }

    /// A text.
    pub(super) fn text(text: &str) -> Self {
        Self::bytes(text.as_bytes())
    }

    /// Bytes.
    pub(super) fn bytes(bytes: &[u8]) -> Self {
        Value::Bytes(bytes.iter().map(|&byte| Cell::new(byte)).collect())
    }

    /// An array.
    pub(super) fn array(elements: impl IntoIterator<Item = Option<Value<'p>>>) -> Self {
        Value::Array(elements.into_iter().map(RefCell::new).collect())
    }

    /// A record.
    pub(super) fn record(id: RecordId, fields: Vec<Value<'p>>) -> Self {
        Value::Record(Rc::new(Record { id, fields: fields.into_iter().map(RefCell::new).collect() }))
    }

    /// Whether it is true.
    pub(super) fn is_true(&self) -> bool {
        matches!(self, Value::Bool(true))
    }

    /// The number; the checker proved that it is one.
    pub(super) fn int(&self) -> i64 {
        match self {
            Value::Int(n) => *n,
            other => unreachable!("{other:?} is no Int"),
        }
    }

    /// The number.
    pub(super) fn float(&self) -> f64 {
        match self {
            Value::Float(x) => *x,
            other => unreachable!("{other:?} is no Float"),
        }
    }

    /// The bytes.
    pub(super) fn as_bytes(&self) -> &Rc<[Cell<u8>]> {
        match self {
            Value::Bytes(bytes) => bytes,
            other => unreachable!("{other:?} has no bytes"),
        }
    }

    /// A copy of the bytes.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        self.as_bytes().iter().map(Cell::get).collect()
    }

    /// The text.
    pub(super) fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.to_vec()).into_owned()
    }

    /// The array.
    pub(super) fn as_array(&self) -> &Rc<[RefCell<Option<Value<'p>>>]> {
        match self {
            Value::Array(array) => array,
            other => unreachable!("{other:?} is no array"),
        }
    }

    /// The record.
    pub(super) fn as_record(&self) -> &Rc<Record<'p>> {
        match self {
            Value::Record(record) => record,
            other => unreachable!("{other:?} is no record"),
        }
    }

    /// A field of a record.
    pub(super) fn field(&self, index: u32) -> Value<'p> {
        self.as_record().fields[index as usize].borrow().clone()
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(n) => write!(f, "{n}"),
            Value::Float(x) => write!(f, "{x:?}"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Char(c) => write!(f, "char {c}"),
            Value::Bytes(_) => write!(f, "{:?}", self.to_text()),
            Value::Array(array) => write!(f, "array of {}", array.len()),
            Value::Extern(handle) => write!(f, "handle {handle}"),
            Value::Tuple(parts) => f.debug_list().entries(parts.iter()).finish(),
            Value::Record(record) => write!(f, "{:?}", record.id),
            Value::Variant(id, tag, parts) => write!(f, "{id:?}.{tag}{parts:?}"),
            Value::Function(_) => write!(f, "function"),
            Value::Dyn(value) => write!(f, "dyn {:?}", value.1),
        }
    }
}
