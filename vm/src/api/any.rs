//! References into a store's heap as the host holds them.

use std::sync::Arc;

use super::error::{Error, Result};
use super::store::{AsContext, AsContextMut};
use super::val::ExternRef;
use crate::heap;
use crate::runtime::roots::Root;
use crate::runtime::store::StoreInner;
use crate::types::{HeapType, TypeId};

/// What an `anyref` refers to: a small integer, a struct, an array, or a host value. Kept alive for as long as the host
/// holds this or a clone of it.
#[derive(Clone, Debug)]
pub struct AnyRef(Arc<Root>);

impl AnyRef {
    pub(crate) fn root(store: &StoreInner, reference: u32) -> Self {
        Self(store.roots.borrow_mut().add(store.id, reference))
    }

    /// The reference, if it is this store's.
    pub(crate) fn reference(&self, store: &StoreInner) -> Result<u32> {
        if self.0.store == store.id { Ok(self.0.get()) } else { Err(Error::Stale("the reference")) }
    }

    /// A host value as an `anyref` (`any.convert_extern`).
    ///
    /// # Errors
    /// If the store has no memory for it, or as many host values as it may.
    pub fn from_extern(mut store: impl AsContextMut, value: &ExternRef) -> Result<Self> {
        let store = store.inner_mut();
        let reference = value.reference(store)?;
        Ok(Self::root(store, reference))
    }

    /// What it is as an `externref` (`extern.convert_any`): of a host value, that.
    pub fn to_extern(&self, store: impl AsContext) -> Result<ExternRef> {
        let store = store.inner();
        let reference = self.reference(store)?;
        ExternRef::from_reference(store, reference).ok_or(Error::Stale("the reference"))
    }

    /// Whether it is of a type: `i31`, `struct` and so on.
    pub fn is(&self, store: impl AsContext, ty: HeapType) -> bool {
        let store = store.inner();
        store.engine.types.matches_heap(self.heap_type(store), ty)
    }

    /// The value of a small integer, if it is one.
    pub fn as_i31(&self) -> Option<i32> {
        let bits = self.0.get();
        (bits & 1 != 0).then_some(bits as i32 >> 1)
    }

    /// Whether both refer to the same.
    pub fn same(&self, other: &Self) -> bool {
        self.0.store == other.0.store && self.0.get() == other.0.get()
    }

    /// The most special type that it is of.
    pub(crate) fn heap_type(&self, store: &StoreInner) -> HeapType {
        let bits = self.0.get();
        if bits & 1 != 0 {
            return HeapType::I31;
        }
        if bits & 7 != 0 || self.0.store != store.id {
            return HeapType::Any;
        }
        // SAFETY: a root of the store's is an object in its heap.
        let header = unsafe { heap::header((*store.context()).heap.base, bits) };
        let id = TypeId((header >> 6).wrapping_sub(1));
        store.engine.types.get(id).map_or(HeapType::Any, |ty| ty.heap_type())
    }
}
