//! Structs in a store's heap.

use std::sync::Arc;

use super::any::AnyRef;
use super::error::{Error, Result};
use super::externs::pin;
use super::store::{AsContext, AsContextMut};
use super::types::StructType;
use super::val::{self, Val};
use crate::runtime::store::StoreInner;
use crate::runtime::trap::Trap;
use crate::runtime::types::DefinedType;
use crate::types::FieldType;

/// A struct in a store's heap. See [the module](super) for how long it lives.
///
/// ```
/// use pinfold_vm::api::{Config, Engine, FieldType, Linker, Module, Result, Store, StructRef, StructType, Val, ValType};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::new(&Config::new())?;
/// let text = r#"(module
///     (type $point (struct (field (mut i32)) (field (mut i32))))
///     (func (export "swap") (param (ref $point)) (result (ref $point))
///         (struct.new $point
///             (struct.get $point 1 (local.get 0))
///             (struct.get $point 0 (local.get 0)))))"#;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &Module::new(&engine, wat::parse_str(text).expect("it is valid"))?)?;
/// let swap = instance.get_typed_func::<StructRef, StructRef>(&store, "swap")?;
///
/// // Equal definitions are one type, whoever makes them.
/// let point = StructType::new(&engine, [FieldType::mutable(ValType::I32); 2])?;
/// let made = StructRef::new(&mut store, &point, &[Val::I32(1), Val::I32(2)])?;
/// let swapped = swap.call(&mut store, made.clone())?;
/// assert_eq!(swapped.field(&store, 0)?.i32(), Some(2));
///
/// made.set_field(&mut store, 0, &Val::I32(7))?;
/// assert_eq!(made.field(&store, 0)?.i32(), Some(7));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StructRef(pub(super) AnyRef);

impl StructRef {
    /// A struct with these fields.
    ///
    /// # Errors
    /// If the fields are not those of the type, the type or one of them is not the store's, or there is no memory.
    pub fn new(mut store: impl AsContextMut, ty: &StructType, fields: &[Val]) -> Result<Self> {
        let store = store.inner_mut();
        let ty = ty.of_store(store)?;
        if fields.len() != ty.fields().len() {
            return Err(Error::Type(format!("the struct has {} fields, not {}", ty.fields().len(), fields.len())));
        }
        for (value, field) in fields.iter().zip(ty.fields()) {
            value.check(store, field.storage.unpacked(), "a field")?;
        }
        val::reserve(store, fields)?;
        let made = Self::make(store, ty)?;
        for ((value, field), at) in fields.iter().zip(ty.fields()).zip(&ty.offsets) {
            made.put(store, *at, *field, value)?;
        }
        Ok(made)
    }

    /// A struct whose fields are zero and null.
    ///
    /// # Errors
    /// If one of them cannot be, the type is not the store's, or there is no memory.
    pub fn new_default(mut store: impl AsContextMut, ty: &StructType) -> Result<Self> {
        let store = store.inner_mut();
        let ty = ty.of_store(store)?;
        match ty.fields().iter().find(|field| !field.storage.unpacked().is_defaultable()) {
            Some(field) => Err(Error::Type(format!("a field is {}, which is never null", field.storage))),
            None => Self::make(store, ty),
        }
    }

    fn make(store: &mut StoreInner, ty: &DefinedType) -> Result<Self> {
        // SAFETY: whoever has the store to itself saved where its guests are; the type is of its engine.
        let object = unsafe { store.make_struct(ty) }.map_err(Trap::new)?;
        Ok(Self(AnyRef::root(store, object)))
    }

    /// Its type.
    ///
    /// # Errors
    /// If it is of another store.
    pub fn ty(&self, store: impl AsContext) -> Result<StructType> {
        let store = store.inner();
        Ok(StructType::from_parts(store.engine.clone(), self.defined_type(store)?))
    }

    /// A field, by its place. Those of 8 and 16 bits come as an `i32`, without a sign.
    ///
    /// # Errors
    /// If there is none, or it is of another store.
    pub fn field(&self, store: impl AsContext, index: usize) -> Result<Val> {
        let store = store.inner();
        let (at, field) = self.place(store, index)?;
        // SAFETY: the place is that of a field of the object.
        let bits = unsafe { store.load_field(self.0.bits() + at, field.storage) };
        Ok(Val::from_bits(store, field.storage.unpacked(), bits))
    }

    /// Sets a field, by its place. Those of 8 and 16 bits take the lowest bits of an `i32`.
    ///
    /// # Errors
    /// If there is none, it is immutable, the value is of another type, or something is of another store.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: &Val) -> Result<()> {
        let store = store.inner_mut();
        let (at, field) = self.place(store, index)?;
        if !field.mutable {
            return Err(Error::Type("the field is immutable".into()));
        }
        value.check(store, field.storage.unpacked(), "a field")?;
        val::reserve(store, std::slice::from_ref(value))?;
        self.put(store, at, field, value)
    }

    /// Writes a value for which room was reserved to a field of its type.
    fn put(&self, store: &mut StoreInner, at: u32, field: FieldType, value: &Val) -> Result<()> {
        let bits = value.to_bits(store)?;
        if let Val::FuncRef(Some(func)) = value {
            pin(store, func);
        }
        // SAFETY: the place is that of a field of the object, whose type the value has.
        unsafe { store.store_field(self.0.bits() + at, field.storage, bits) };
        Ok(())
    }

    fn defined_type(&self, store: &StoreInner) -> Result<Arc<DefinedType>> {
        self.0.reference(store)?;
        self.0.defined_type(store).ok_or(Error::Stale("the struct"))
    }

    /// A field's place, in bytes from the object's start, and type.
    fn place(&self, store: &StoreInner, index: usize) -> Result<(u32, FieldType)> {
        let ty = self.defined_type(store)?;
        match (ty.offsets.get(index).copied(), ty.fields().get(index).copied()) {
            (Some(at), Some(field)) => Ok((at, field)),
            _ => Err(Error::Bounds(format!("field {index} of a struct of {}", ty.fields().len()))),
        }
    }
}
