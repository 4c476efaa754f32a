//! What the host does to the heap: makes objects, looks into them, gives its values to guests, collects.
//!
//! Whoever calls from the host has the store to itself, and a guest that waits for its host function left word of where its
//! references are: so everything here may collect, and the host's own references are where [`super::roots`] looks.

use std::ptr::NonNull;

use super::objects::{ELEMENTS, LENGTH, fill};
use super::operations::Result;
use super::store::StoreInner;
use super::trap::TrapKind;
use super::types::DefinedType;
use crate::heap::handles::{HostValue, address_of};
use crate::heap::{Heap, HeapError};
use crate::types::StorageType;

/// What a store's heap holds, and what its collections did.
///
/// ```
/// use pinfold_vm::api::{Engine, Store, StructRef, StructType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let empty = StructType::new(&engine, [])?;
/// let object = StructRef::new(&mut store, &empty, &[])?;
/// assert_eq!(store.heap_statistics().roots, 1);
/// drop(object);
/// store.gc();
/// assert_eq!((store.heap_statistics().roots, store.heap_statistics().major), (0, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapStatistics {
    /// Bytes that the heap takes, all of which count against the store's memory limit.
    pub committed: u64,
    /// Bytes of objects, those counted that are dead and were not yet collected.
    pub used: u64,
    /// Host values that guests have references to, those counted that no guest can reach and were not yet collected.
    pub host_values: usize,
    /// References to objects that the host holds.
    pub roots: usize,
    /// Collections of what is young, those counted with which major ones begin.
    pub minor: u64,
    /// Collections of everything.
    pub major: u64,
}

impl StoreInner {
    /// Collects everything. Does nothing if there is no heap.
    ///
    /// # Safety
    /// As for [`Self::with_heap`].
    pub unsafe fn collect(&mut self) {
        // A heap that is found to be corrupt says so when something is to be allocated.
        // SAFETY: by contract.
        let _ = unsafe {
            self.with_heap(|heap, room, roots| {
                heap.collect(true, room, roots);
                Ok(())
            })
        };
    }

    /// What the heap holds, and what collections did.
    pub fn heap_statistics(&self) -> HeapStatistics {
        let roots = self.roots.borrow_mut().count();
        let Some(heap) = &self.heap else { return HeapStatistics { roots, ..HeapStatistics::default() } };
        HeapStatistics {
            committed: heap.committed(),
            used: heap.used(),
            host_values: heap.handles().len(),
            roots,
            minor: heap.statistics().minor,
            major: heap.statistics().major,
        }
    }

    /// Makes sure that references to these values can be made without a collection. `false` if there would be too many.
    ///
    /// # Safety
    /// As for [`Self::with_heap`].
    pub unsafe fn reserve_host_values(&mut self, values: &[&HostValue]) -> Result<bool> {
        if values.is_empty() {
            return Ok(true);
        }
        self.open_heap().map_err(|_| TrapKind::OutOfMemory)?;
        let mut wanted = |handles: &crate::heap::handles::Handles| {
            let new = values.iter().filter(|value| handles.find(value).is_none());
            let mut new: Vec<usize> = new.map(|value| address_of(value)).collect();
            new.sort_unstable();
            new.dedup();
            new.len()
        };
        let mut full = false;
        // SAFETY: by contract.
        let reserved = unsafe {
            self.with_heap(|heap, room, roots| match heap.reserve_handles(&mut wanted, room, roots) {
                Err(HeapError::OutOfHandles) => {
                    full = true;
                    Ok(())
                }
                reserved => reserved,
            })
        };
        reserved.map(|()| !full)
    }

    /// The reference to a value for which room was reserved; none if it was not.
    pub fn host_value(&mut self, value: &HostValue) -> Option<u32> {
        let handles = self.heap.as_mut()?.handles_mut();
        handles.find(value).or_else(|| handles.insert(value.clone()).ok())
    }

    /// A struct whose fields are zero and null.
    ///
    /// # Safety
    /// The type is a struct type of the store's engine; and as for [`Self::with_heap`].
    pub unsafe fn make_struct(&mut self, ty: &DefinedType) -> Result<u32> {
        self.open_heap().and_then(|()| self.define(ty)).map_err(|_| TrapKind::OutOfMemory)?;
        // SAFETY: by contract; the fields are inside of the new object.
        unsafe {
            let object = self.with_heap(|heap, room, roots| heap.allocate_struct(ty.id, room, roots))?;
            self.clear(object + LENGTH, u64::from(ty.size - LENGTH));
            Ok(object)
        }
    }

    /// An array whose elements are zero or null.
    ///
    /// # Safety
    /// The type is an array type of the store's engine, with elements of this kind; and as for [`Self::with_heap`].
    pub unsafe fn make_array(&mut self, ty: &DefinedType, storage: StorageType, len: u32) -> Result<u32> {
        self.open_heap().and_then(|()| self.define(ty)).map_err(|_| TrapKind::OutOfMemory)?;
        // SAFETY: by contract; the elements are inside of the new object.
        unsafe {
            let array = self.with_heap(|heap, room, roots| heap.allocate_array(ty.id, len, room, roots))?;
            self.clear(array + ELEMENTS, u64::from(len) * u64::from(storage.bytes()));
            Ok(array)
        }
    }

    /// Sets all elements of an array.
    ///
    /// # Safety
    /// It is a live array with elements of this kind and as many, and the value is one of theirs.
    pub unsafe fn fill_array(&mut self, array: u32, storage: StorageType, value: u128, len: u32) {
        // SAFETY: by contract.
        unsafe { fill(self, storage, array + ELEMENTS, value, len) }
    }

    /// How many elements an array has.
    ///
    /// # Safety
    /// It is a live array.
    pub unsafe fn array_len(&self, array: u32) -> u32 {
        // SAFETY: by contract.
        unsafe { (*self.context()).heap.base.add((array + LENGTH) as usize).cast::<u32>().read() }
    }

    /// Where so many bytes of an array's elements are; none if they are not all in the heap.
    pub fn array_bytes(&self, array: u32, bytes: u64) -> Option<NonNull<u8>> {
        if bytes == 0 {
            return Some(NonNull::dangling());
        }
        self.heap.as_deref().and_then(|heap: &Heap| heap.bytes(array.checked_add(ELEMENTS)?, bytes))
    }

    /// Makes a part of an object zero.
    ///
    /// # Safety
    /// It is one.
    unsafe fn clear(&mut self, at: u32, bytes: u64) {
        // SAFETY: by contract.
        unsafe { (*self.context()).heap.base.add(at as usize).write_bytes(0, bytes as usize) };
    }
}
