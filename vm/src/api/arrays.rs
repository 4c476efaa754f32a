//! Arrays in a store's heap.

use std::sync::Arc;

use super::any::AnyRef;
use super::error::{Error, Result};
use super::externs::{bounds, pin};
use super::store::{AsContext, AsContextMut};
use super::types::ArrayType;
use super::val::{self, Val};
use crate::runtime::objects::ELEMENTS;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::Trap;
use crate::runtime::types::DefinedType;
use crate::types::{FieldType, StorageType};

/// An array in a store's heap. See [the module](super) for how long it lives.
///
/// The bytes of an array of numbers can be seen where they are, under a borrow of the store:
///
/// ```
/// use pinfold_vm::api::{ArrayRef, ArrayType, Config, Engine, FieldType, Linker, Module, Result, StorageType, Store};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::new(&Config::new())?;
/// let text = r#"(module
///     (type $bytes (array (mut i8)))
///     (func (export "first") (param (ref $bytes)) (result i32)
///         (array.get_u $bytes (local.get 0) (i32.const 0))))"#;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &Module::new(&engine, wat::parse_str(text).expect("it is valid"))?)?;
/// let first = instance.get_typed_func::<ArrayRef, u32>(&store, "first")?;
///
/// let bytes = ArrayType::new(&engine, FieldType::mutable(StorageType::I8))?;
/// let array = ArrayRef::from_bytes(&mut store, &bytes, b"pound")?;
/// assert_eq!(first.call(&mut store, array.clone())?, u32::from(b'p'));
/// array.bytes_mut(&mut store)?[0] = b'f';
/// assert_eq!(array.bytes(&store)?, b"found");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ArrayRef(pub(super) AnyRef);

impl ArrayRef {
    /// An array of so many elements, all of them `value`.
    ///
    /// # Errors
    /// If the value is not of the elements' type, something is not the store's, or there is no memory.
    pub fn new(mut store: impl AsContextMut, ty: &ArrayType, value: &Val, len: u32) -> Result<Self> {
        let store = store.inner_mut();
        let (ty, element) = ty.of_store(store)?;
        value.check(store, element.storage.unpacked(), "an element")?;
        val::reserve(store, std::slice::from_ref(value))?;
        let made = Self::make(store, ty, element, len)?;
        let bits = value.to_bits(store)?;
        if let Val::FuncRef(Some(func)) = value {
            pin(store, func);
        }
        // SAFETY: the array was just made with so many elements of this type.
        unsafe { store.fill_array(made.0.bits(), element.storage, bits, len) };
        Ok(made)
    }

    /// An array of so many elements that are zero or null.
    ///
    /// # Errors
    /// If they cannot be, the type is not the store's, or there is no memory.
    pub fn new_default(mut store: impl AsContextMut, ty: &ArrayType, len: u32) -> Result<Self> {
        let store = store.inner_mut();
        let (ty, element) = ty.of_store(store)?;
        if !element.storage.unpacked().is_defaultable() {
            return Err(Error::Type(format!("the elements are {}, which is never null", element.storage)));
        }
        Self::make(store, ty, element, len)
    }

    /// An array with these elements.
    ///
    /// # Errors
    /// If one of them is not of the elements' type, something is not the store's, or there is no memory.
    pub fn from_values(mut store: impl AsContextMut, ty: &ArrayType, values: &[Val]) -> Result<Self> {
        let store = store.inner_mut();
        let (ty, element) = ty.of_store(store)?;
        for value in values {
            value.check(store, element.storage.unpacked(), "an element")?;
        }
        val::reserve(store, values)?;
        let made = Self::make(store, ty, element, length(values.len())?)?;
        for (index, value) in (0..).zip(values) {
            made.put(store, index, element, value)?;
        }
        Ok(made)
    }

    /// An array of numbers with these bytes: of `i8`, each is an element.
    ///
    /// # Errors
    /// If the elements are references, or do not make up so many bytes, the type is not the store's, or there is no memory.
    pub fn from_bytes(mut store: impl AsContextMut, ty: &ArrayType, bytes: &[u8]) -> Result<Self> {
        let store = store.inner_mut();
        let (ty, element) = ty.of_store(store)?;
        let size = numbers(element.storage)?;
        if !bytes.len().is_multiple_of(size) {
            return Err(Error::Type(format!("{} bytes are no whole number of {}", bytes.len(), element.storage)));
        }
        let made = Self::make(store, ty, element, length(bytes.len() / size)?)?;
        made.all_mut(store)?.copy_from_slice(bytes);
        Ok(made)
    }

    fn make(store: &mut StoreInner, ty: &DefinedType, element: FieldType, len: u32) -> Result<Self> {
        // SAFETY: whoever has the store to itself saved where its guests are; the type is of its engine.
        let array = unsafe { store.make_array(ty, element.storage, len) }.map_err(Trap::new)?;
        Ok(Self(AnyRef::root(store, array)))
    }

    /// Its type.
    ///
    /// # Errors
    /// If it is of another store.
    pub fn ty(&self, store: impl AsContext) -> Result<ArrayType> {
        let store = store.inner();
        let (ty, _) = self.defined_type(store)?;
        Ok(ArrayType::from_parts(store.engine.clone(), ty))
    }

    /// How many elements it has.
    ///
    /// # Errors
    /// If it is of another store.
    pub fn len(&self, store: impl AsContext) -> Result<u32> {
        let store = store.inner();
        let array = self.0.reference(store)?;
        // SAFETY: the root is an array in the store's heap.
        Ok(unsafe { store.array_len(array) })
    }

    /// Whether it has none.
    ///
    /// # Errors
    /// If it is of another store.
    pub fn is_empty(&self, store: impl AsContext) -> Result<bool> {
        self.len(store).map(|len| len == 0)
    }

    /// An element. Those of 8 and 16 bits come as an `i32`, without a sign.
    ///
    /// # Errors
    /// If there is none, or it is of another store.
    pub fn get(&self, store: impl AsContext, index: u32) -> Result<Val> {
        let store = store.inner();
        let element = self.element(store, index)?;
        // SAFETY: the array has this element.
        let bits = unsafe { store.load_field(self.place(index, element.storage), element.storage) };
        Ok(Val::from_bits(store, element.storage.unpacked(), bits))
    }

    /// Sets an element. Those of 8 and 16 bits take the lowest bits of an `i32`.
    ///
    /// # Errors
    /// If there is none, they are immutable, the value is of another type, or something is of another store.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: &Val) -> Result<()> {
        let store = store.inner_mut();
        let element = self.element(store, index)?;
        writable(element)?;
        value.check(store, element.storage.unpacked(), "an element")?;
        val::reserve(store, std::slice::from_ref(value))?;
        self.put(store, index, element, value)
    }

    /// The bytes of an array of numbers, where they are: of `i8` the elements, of others these one after the other, lowest byte
    /// first.
    ///
    /// # Errors
    /// If the elements are references, or it is of another store.
    pub fn bytes<'a, C: AsContext>(&self, store: &'a C) -> Result<&'a [u8]> {
        let (start, len) = self.extent(store.inner())?;
        // SAFETY: that many bytes of the heap are there; the store is borrowed, so that no guest runs and nothing moves meanwhile.
        Ok(unsafe { std::slice::from_raw_parts(start, len) })
    }

    /// The bytes of a mutable array of numbers, as [`Self::bytes`]. For the store's data at the same time see
    /// [`Caller::bytes_and_data`](super::Caller::bytes_and_data).
    ///
    /// # Errors
    /// If the elements are references or immutable, or it is of another store.
    pub fn bytes_mut<'a, C: AsContextMut>(&self, store: &'a mut C) -> Result<&'a mut [u8]> {
        let store = store.inner_mut();
        let (_, element) = self.defined_type(store)?;
        writable(element)?;
        self.all_mut(store)
    }

    /// The same as [`Self::bytes`], found faster, of an array whose type is known.
    ///
    /// # Errors
    /// As for [`Self::bytes`], and if it is of another type.
    pub fn bytes_as<'a, C: AsContext>(&self, store: &'a C, ty: &ArrayType) -> Result<&'a [u8]> {
        let (start, len) = self.extent_as(store.inner(), ty)?;
        // SAFETY: as in `bytes`.
        Ok(unsafe { std::slice::from_raw_parts(start, len) })
    }

    /// The same as [`Self::bytes_mut`], found faster, of an array whose type is known.
    ///
    /// # Errors
    /// As for [`Self::bytes_mut`], and if it is of another type.
    pub fn bytes_mut_as<'a, C: AsContextMut>(&self, store: &'a mut C, ty: &ArrayType) -> Result<&'a mut [u8]> {
        writable(ty.element())?;
        let (start, len) = self.extent_as(store.inner_mut(), ty)?;
        // SAFETY: as in `all_mut`.
        Ok(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }

    /// Copies bytes out of an array of numbers, from byte `at` on.
    ///
    /// # Errors
    /// As for [`Self::bytes`], and if there are not so many.
    pub fn read(&self, store: impl AsContext, at: usize, to: &mut [u8]) -> Result<()> {
        let bytes = self.bytes(&store)?.get(at..).and_then(|bytes| bytes.get(..to.len()));
        to.copy_from_slice(bytes.ok_or_else(|| bounds(at, to.len()))?);
        Ok(())
    }

    /// Copies bytes into a mutable array of numbers, from byte `at` on.
    ///
    /// # Errors
    /// As for [`Self::bytes_mut`], and if there are not so many.
    pub fn write(&self, mut store: impl AsContextMut, at: usize, from: &[u8]) -> Result<()> {
        let bytes = self.bytes_mut(&mut store)?.get_mut(at..).and_then(|bytes| bytes.get_mut(..from.len()));
        bytes.ok_or_else(|| bounds(at, from.len()))?.copy_from_slice(from);
        Ok(())
    }

    fn all_mut<'a>(&self, store: &'a mut StoreInner) -> Result<&'a mut [u8]> {
        let (start, len) = self.extent(store)?;
        // SAFETY: as in `bytes`; the store is borrowed for good, so that nobody else sees the bytes meanwhile.
        Ok(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }

    /// Where its bytes are, and how many.
    fn extent(&self, store: &StoreInner) -> Result<(*mut u8, usize)> {
        let (_, element) = self.defined_type(store)?;
        let size = numbers(element.storage)?;
        let len = self.len(super::linker::View(store))? as usize * size;
        let start = store.array_bytes(self.0.bits(), len as u64).ok_or(Error::Stale("the array"))?;
        Ok((start.as_ptr(), len))
    }

    /// Where the bytes of an array of a type are.
    fn extent_as(&self, store: &StoreInner, ty: &ArrayType) -> Result<(*mut u8, usize)> {
        let (defined, element) = ty.of_store(store)?;
        if !self.0.is_just(store, defined) {
            return Err(Error::Type(format!("the array is no {ty:?}")));
        }
        let size = numbers(element.storage)?;
        // SAFETY: it is an array in the store's heap.
        let len = unsafe { store.array_len(self.0.bits()) } as usize * size;
        let start = store.array_bytes(self.0.bits(), len as u64).ok_or(Error::Stale("the array"))?;
        Ok((start.as_ptr(), len))
    }

    /// Writes a value for which room was reserved to an element that there is.
    fn put(&self, store: &mut StoreInner, index: u32, element: FieldType, value: &Val) -> Result<()> {
        let bits = value.to_bits(store)?;
        if let Val::FuncRef(Some(func)) = value {
            pin(store, func);
        }
        // SAFETY: the array has this element, whose type the value has.
        unsafe { store.store_field(self.place(index, element.storage), element.storage, bits) };
        Ok(())
    }

    /// Where an element stands, in bytes from the heap's base.
    fn place(&self, index: u32, storage: StorageType) -> u32 {
        // Wraps only if the heap is corrupt; then it stays inside of the reservation.
        self.0.bits().wrapping_add(ELEMENTS).wrapping_add(index.wrapping_mul(storage.bytes()))
    }

    fn defined_type(&self, store: &StoreInner) -> Result<(Arc<DefinedType>, FieldType)> {
        self.0.reference(store)?;
        let ty = self.0.defined_type(store);
        ty.and_then(|ty| ty.element().map(|element| (ty, element))).ok_or(Error::Stale("the array"))
    }

    /// The type of an element that there is.
    fn element(&self, store: &StoreInner, index: u32) -> Result<FieldType> {
        let (_, element) = self.defined_type(store)?;
        // SAFETY: the root is an array in the store's heap.
        let len = unsafe { store.array_len(self.0.bits()) };
        if index < len { Ok(element) } else { Err(Error::Bounds(format!("element {index} of an array of {len}"))) }
    }
}

/// Bytes of an element that is a number.
fn numbers(storage: StorageType) -> Result<usize> {
    if storage.unpacked().is_ref() {
        return Err(Error::Type(format!("the elements are {storage}, which have no bytes")));
    }
    Ok(storage.bytes() as usize)
}

fn writable(element: FieldType) -> Result<()> {
    if element.mutable { Ok(()) } else { Err(Error::Type("the elements are immutable".into())) }
}

fn length(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| Error::Bounds(format!("an array of {len} elements")))
}
