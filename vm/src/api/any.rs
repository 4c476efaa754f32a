//! References into a store's heap as the host holds them.
//!
//! There is one kind of handle, owned and counted: it keeps what it refers to alive for as long as it, or a clone of it, is there,
//! in whatever order and on whatever thread they are dropped, with or without their store. It names its store, in which alone it can
//! be used; in any other, and after its store's end, using it is an error.

use std::sync::Arc;

use super::arrays::ArrayRef;
use super::error::{Error, Result};
use super::externref::ExternRef;
use super::store::{AsContext, AsContextMut};
use super::structs::StructRef;
use super::val::{self, Val};
use crate::heap;
use crate::runtime::roots::Root;
use crate::runtime::store::StoreInner;
use crate::runtime::types::DefinedType;
use crate::types::{HeapType, TypeId};

/// A small integer as a reference (`i31ref`): no object, and of no store.
///
/// ```
/// use pinfold_vm::api::I31;
///
/// assert_eq!(I31::new(-7).map(I31::get), Some(-7));
/// // It has 31 bits.
/// assert_eq!((I31::new(i32::MAX), I31::wrapping(i32::MAX).get()), (None, -1));
/// assert_eq!(I31::wrapping(-1).get_unsigned(), 0x7fff_ffff);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct I31(i32);

impl I31 {
    /// The integer, if it has 31 bits with its sign.
    pub fn new(value: i32) -> Option<Self> {
        let wrapped = Self::wrapping(value);
        (wrapped.0 == value).then_some(wrapped)
    }

    /// The lowest 31 bits of an integer (`ref.i31`).
    pub const fn wrapping(value: i32) -> Self {
        Self(value << 1 >> 1)
    }

    /// Its value (`i31.get_s`).
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Its value without a sign (`i31.get_u`).
    pub const fn get_unsigned(self) -> u32 {
        self.0 as u32 & 0x7fff_ffff
    }
}

/// What an `anyref` refers to: a small integer, a struct, an array, or a host value.
///
/// ```
/// use pinfold_vm::api::{AnyRef, ArrayRef, ArrayType, Engine, FieldType, HeapType, I31, StorageType, Store, Val};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let bytes = ArrayType::new(&engine, FieldType::mutable(StorageType::I8))?;
/// let array = ArrayRef::from_bytes(&mut store, &bytes, b"pound")?;
///
/// let any: AnyRef = array.as_any().clone();
/// assert!(any.is(&store, HeapType::Array) && any.is(&store, bytes.heap_type()) && !any.is(&store, HeapType::I31));
/// assert_eq!(any.to_array(&store)?.bytes(&store)?, b"pound");
/// assert!(any.to_struct(&store).is_err());
/// assert!(any.same(&store, array.as_any()));
/// assert_eq!(AnyRef::from(I31::wrapping(3)).as_i31(), Some(3));
/// // As a value that is passed.
/// assert!(Val::AnyRef(Some(any)).matches(&store, bytes.non_null()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AnyRef(Reference);

#[derive(Clone, Debug)]
enum Reference {
    I31(I31),
    /// An object, or a host value.
    Root(Arc<Root>),
}

impl AnyRef {
    /// What a reference of the store's refers to; none for null.
    pub(crate) fn from_reference(store: &StoreInner, reference: u32) -> Option<Self> {
        match reference {
            0 => None,
            small if small & 1 != 0 => Some(I31(small as i32 >> 1).into()),
            _ => Some(Self::root(store, reference)),
        }
    }

    /// Keeps an object or host value.
    pub(crate) fn root(store: &StoreInner, reference: u32) -> Self {
        Self(Reference::Root(store.roots.borrow_mut().add(store.id, reference)))
    }

    /// The reference as it is now, be the store there or not.
    pub(crate) fn bits(&self) -> u32 {
        match &self.0 {
            Reference::I31(small) => (small.0 as u32) << 1 | 1,
            Reference::Root(root) => root.get(),
        }
    }

    /// The reference, if it is this store's.
    pub(crate) fn reference(&self, store: &StoreInner) -> Result<u32> {
        if self.is_of(store) { Ok(self.bits()) } else { Err(Error::Stale("the reference")) }
    }

    fn is_of(&self, store: &StoreInner) -> bool {
        match &self.0 {
            Reference::I31(_) => true,
            Reference::Root(root) => root.store == store.id,
        }
    }

    /// A host value as an `anyref` (`any.convert_extern`), or what a guest made an `externref` of.
    ///
    /// # Errors
    /// If the store has no memory for it, or as many host values as it may.
    pub fn from_extern(mut store: impl AsContextMut, value: &ExternRef) -> Result<Self> {
        let store = store.inner_mut();
        val::reserve(store, &[Val::ExternRef(Some(value.clone()))])?;
        let reference = value.reference(store)?;
        Self::from_reference(store, reference).ok_or(Error::Stale("the reference"))
    }

    /// What it is as an `externref` (`extern.convert_any`): of a host value, that.
    ///
    /// # Errors
    /// If it is of another store.
    pub fn to_extern(&self, store: impl AsContext) -> Result<ExternRef> {
        let store = store.inner();
        let reference = self.reference(store)?;
        ExternRef::from_reference(store, reference).ok_or(Error::Stale("the reference"))
    }

    /// Whether it is of a type of the store's engine: `i31`, `struct`, one that a module defines, and so on. What is of another
    /// store is of no type.
    pub fn is(&self, store: impl AsContext, ty: HeapType) -> bool {
        self.matches(store.inner(), ty)
    }

    pub(crate) fn matches(&self, store: &StoreInner, ty: HeapType) -> bool {
        if !self.is_of(store) {
            return false;
        }
        match (self.type_id(store), ty) {
            (Some(own), HeapType::Defined(_, id)) if own == id => true,
            _ => store.engine.types.matches_heap(self.heap_type(store), ty),
        }
    }

    /// The value of a small integer, if it is one.
    pub fn as_i31(&self) -> Option<i32> {
        match self.0 {
            Reference::I31(small) => Some(small.0),
            Reference::Root(_) => None,
        }
    }

    /// The same as something that can be compared by guests.
    ///
    /// # Errors
    /// If it is a host value, or of another store.
    pub fn to_eq(&self, store: impl AsContext) -> Result<EqRef> {
        self.cast(store.inner(), HeapType::Eq).map(EqRef)
    }

    /// The same as a struct.
    ///
    /// # Errors
    /// If it is none, or of another store.
    pub fn to_struct(&self, store: impl AsContext) -> Result<StructRef> {
        self.cast(store.inner(), HeapType::Struct).map(StructRef)
    }

    /// The same as an array.
    ///
    /// # Errors
    /// If it is none, or of another store.
    pub fn to_array(&self, store: impl AsContext) -> Result<ArrayRef> {
        self.cast(store.inner(), HeapType::Array).map(ArrayRef)
    }

    fn cast(&self, store: &StoreInner, ty: HeapType) -> Result<Self> {
        self.reference(store)?;
        if self.matches(store, ty) {
            Ok(self.clone())
        } else {
            Err(Error::Type(format!("the reference is not to {ty}")))
        }
    }

    /// Whether both refer to the same thing of the store. Another thread may hold the handles, so only who has the store, in which
    /// nothing moves meanwhile, can tell.
    pub fn same(&self, store: impl AsContext, other: &Self) -> bool {
        let store = store.inner();
        self.is_of(store) && other.is_of(store) && self.bits() == other.bits()
    }

    /// The number of an object's type; none of what is no object of the store's.
    fn type_id(&self, store: &StoreInner) -> Option<TypeId> {
        let Reference::Root(root) = &self.0 else { return None };
        let bits = root.get();
        if bits & 7 != 0 || root.store != store.id {
            return None;
        }
        // SAFETY: a root of the store's that is no handle is an object in its heap.
        let header = unsafe { heap::header((*store.context()).heap.base, bits) };
        Some(TypeId((header >> 6).wrapping_sub(1)))
    }

    /// Whether it is an object of the store's whose type is this one, not just a subtype of it.
    pub(crate) fn is_just(&self, store: &StoreInner, ty: &DefinedType) -> bool {
        self.is_of_type(store, ty.id)
    }

    /// The same of a type's number.
    pub(crate) fn is_of_type(&self, store: &StoreInner, id: TypeId) -> bool {
        self.type_id(store) == Some(id)
    }

    /// An object's type; none of what is no object of the store's.
    pub(crate) fn defined_type(&self, store: &StoreInner) -> Option<Arc<DefinedType>> {
        store.engine.types.get(self.type_id(store)?)
    }

    /// The most special type that it is of.
    pub(crate) fn heap_type(&self, store: &StoreInner) -> HeapType {
        match self.0 {
            Reference::I31(_) => HeapType::I31,
            Reference::Root(_) => self.defined_type(store).map_or(HeapType::Any, |ty| ty.heap_type()),
        }
    }
}

impl From<I31> for AnyRef {
    fn from(small: I31) -> Self {
        Self(Reference::I31(small))
    }
}

/// What an `eqref` refers to: a small integer, a struct or an array, which guests can compare with one another.
///
/// ```
/// use pinfold_vm::api::{EqRef, Engine, StructRef, StructType, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let empty = StructType::new(&engine, [])?;
/// let eq: Vec<EqRef> = (0..2)
///     .map(|_| StructRef::new(&mut store, &empty, &[])?.as_any().to_eq(&store))
///     .collect::<Result<_, _>>()?;
/// // Two structs, however alike.
/// assert!(eq[0].same(&store, &eq[0]) && !eq[0].same(&store, &eq[1]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EqRef(pub(super) AnyRef);

macro_rules! special {
    ($($name:ident)*) => {$(
        impl $name {
            /// The same as an `anyref`.
            pub fn as_any(&self) -> &AnyRef {
                &self.0
            }

            /// Whether both refer to the same thing of the store (`ref.eq`).
            pub fn same(&self, store: impl AsContext, other: &Self) -> bool {
                self.0.same(store, &other.0)
            }
        }

        impl From<$name> for AnyRef {
            fn from(reference: $name) -> Self {
                reference.0
            }
        }
    )*};
}

special! { EqRef StructRef ArrayRef }

impl From<StructRef> for EqRef {
    fn from(object: StructRef) -> Self {
        Self(object.0)
    }
}

impl From<ArrayRef> for EqRef {
    fn from(array: ArrayRef) -> Self {
        Self(array.0)
    }
}

impl From<I31> for EqRef {
    fn from(small: I31) -> Self {
        Self(small.into())
    }
}
