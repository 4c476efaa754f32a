//! Objects in a store's heap, as both tiers and the host make and use them where that is more than a few instructions.
//!
//! A reference to a function is a number in the heap ([`number_of`]): a pointer there would be one that code trusts, in
//! memory that a broken tier could write.

use super::context::{FuncRef, InstanceContext, StoreContext};
use super::instance::{HostType, Instance};
use super::instantiate::owner;
use super::operations::{Result, bulk, data_segment, elements_copy};
use super::roots::StoreRoots;
use super::store::StoreInner;
use super::trap::TrapKind;
use super::types::DefinedType;
use crate::heap::{Heap, HeapError, Roots};
use crate::module::Module;
use crate::types::{StorageType, TypeId};

/// Where an array's elements begin.
pub const ELEMENTS: u32 = 8;
/// Where an array's length stands.
pub const LENGTH: u32 = 4;

impl StoreInner {
    /// Makes sure that there is a heap, which knows a module's types. `Err` if there is no address space or memory for it.
    pub fn prepare_heap(&mut self, module: &Module) -> std::io::Result<()> {
        self.open_heap()?;
        for ty in &module.types {
            self.define(ty)?;
        }
        if self.used > self.limits.memory {
            return Err(std::io::Error::other(format!("the memory limit is {} bytes in all", self.limits.memory)));
        }
        Ok(())
    }

    /// Counts what the heap takes now against the memory limit.
    fn count_heap(&mut self, committed: u64) {
        self.used = self.used - self.heap_used + committed;
        self.heap_used = committed;
        self.peak = self.peak.max(self.used);
    }

    /// Makes sure that there is a heap.
    pub fn open_heap(&mut self) -> std::io::Result<()> {
        if self.heap.is_some() {
            return Ok(());
        }
        // SAFETY: the context lives as long as the store, and so longer than the heap.
        let view = unsafe { &raw mut (*self.context()).heap };
        // SAFETY: as above; nobody but the heap and code that allocates writes it.
        let heap = unsafe { Heap::new(view, self.limits.host_values, self.engine.config.heap)? };
        self.count_heap(heap.committed());
        self.heap = Some(Box::new(heap));
        for instance in self.instances.values() {
            // SAFETY: live instances have live contexts.
            unsafe { (*instance.context()).heap = (*self.context()).heap.base };
        }
        // Every function's type is known, so that a test of any function finds its record.
        let hosts = self.instances.values().flat_map(|instance| &instance.hosts).map(|host| &**host);
        let own = self.host_functions.iter().map(|host| &host.1);
        let types: Vec<_> = hosts.chain(own).filter_map(|host| host.ty.defined(&self.engine.types)).collect();
        let heap = self.heap.as_mut();
        let defined = heap.map_or(Ok(()), |heap| {
            let modules = self.instances.values().flat_map(|instance| &instance.code.module.types);
            modules.chain(&types).try_for_each(|ty| heap.define(ty.id, &ty.shape))
        });
        self.recount_heap();
        defined
    }

    /// Counts what the heap takes now.
    fn recount_heap(&mut self) {
        if let Some(heap) = &self.heap {
            self.count_heap(heap.committed());
        }
    }

    /// Tells the heap, if there is one, of a host function's type; the type's number.
    pub fn define_func(&mut self, ty: &HostType) -> std::io::Result<TypeId> {
        // There is room for all types that are ever seen before memory runs out of room for what is made of them.
        let Some(ty) = ty.defined(&self.engine.types) else { return Ok(TypeId::FUNC) };
        self.define(&ty)?;
        Ok(ty.id)
    }

    /// Tells the heap of a type.
    pub fn define(&mut self, ty: &DefinedType) -> std::io::Result<()> {
        let Some(heap) = self.heap.as_mut().filter(|heap| !heap.is_defined(ty.id)) else { return Ok(()) };
        let defined = heap.define(ty.id, &ty.shape);
        self.recount_heap();
        defined
    }

    /// Lets the heap make something; counts what it takes against the memory limit. May collect.
    ///
    /// # Safety
    /// The store's activations reflect where execution is, and every reference is where [`super::roots`] looks.
    pub unsafe fn with_heap<R>(
        &mut self,
        make: impl FnOnce(&mut Heap, u64, &mut dyn Roots) -> std::result::Result<R, HeapError>,
    ) -> Result<R> {
        // Out of the store, so that the rest of it can be walked meanwhile.
        let Some(mut heap) = self.heap.take() else { return Err(TrapKind::OutOfMemory) };
        let room = self.limits.memory.saturating_sub(self.used);
        let made = make(&mut heap, room, &mut StoreRoots(self));
        self.count_heap(heap.committed());
        self.heap = Some(heap);
        made.map_err(|_| TrapKind::OutOfMemory)
    }

    /// The number of a function for the heap, given now if it has none; zero for null.
    ///
    /// # Safety
    /// `func` is null or live.
    pub unsafe fn number_of(&mut self, func: *mut FuncRef) -> u32 {
        if func.is_null() {
            return 0;
        }
        // SAFETY: by contract; the context lives as long as the store.
        unsafe {
            if (*func).number == 0 {
                (*func).number = self.functions.len() as u32;
                self.functions.push(func);
                (*self.context()).functions = self.functions.as_ptr();
                (*self.context()).function_count = self.functions.len() as u32;
            }
            (*func).number
        }
    }

    /// The function with a number; null if there is none.
    pub fn function(&self, number: u32) -> *mut FuncRef {
        self.functions.get(number as usize).copied().unwrap_or(std::ptr::null_mut())
    }

    /// Numbers of an instance's functions lead nowhere any more.
    pub fn forget_functions(&mut self, instance: &Instance) {
        for func in &mut self.functions {
            // SAFETY: those that are not null are of instances that are not yet freed, or of the store.
            if !func.is_null() && unsafe { owner(*func) } == Some(instance.key) {
                *func = std::ptr::null_mut();
            }
        }
    }

    /// Reads a field or element: `at` bytes from the heap's base. Functions come as pointers.
    ///
    /// # Safety
    /// It is one of this kind, of a live object.
    pub unsafe fn load_field(&self, at: u32, storage: StorageType) -> u128 {
        // SAFETY: by contract.
        unsafe {
            let at = (*self.context()).heap.base.add(at as usize);
            match storage {
                StorageType::I8 => u128::from(at.read()),
                StorageType::I16 => u128::from(at.cast::<u16>().read()),
                StorageType::Val(ty) if ty.is_func() => self.function(at.cast::<u32>().read()) as u128,
                _ => match storage.bytes() {
                    4 => u128::from(at.cast::<u32>().read()),
                    8 => u128::from(at.cast::<u64>().read()),
                    _ => at.cast::<u128>().read_unaligned(),
                },
            }
        }
    }

    /// Writes a field or element: `at` bytes from the heap's base.
    ///
    /// # Safety
    /// As for [`Self::load_field`]; the bits are a value of the field's type.
    pub unsafe fn store_field(&mut self, at: u32, storage: StorageType, bits: u128) {
        // SAFETY: by contract.
        unsafe {
            let to = (*self.context()).heap.base.add(at as usize);
            match storage {
                StorageType::I8 => to.write(bits as u8),
                StorageType::I16 => to.cast::<u16>().write(bits as u16),
                StorageType::Val(ty) if ty.is_func() => {
                    let number = self.number_of(bits as usize as *mut FuncRef);
                    to.cast::<u32>().write(number);
                }
                _ => match storage.bytes() {
                    4 => to.cast::<u32>().write(bits as u32),
                    8 => to.cast::<u64>().write(bits as u64),
                    _ => to.cast::<u128>().write_unaligned(bits),
                },
            }
            if storage.is_traced()
                && let Some(heap) = &mut self.heap
            {
                heap.mark_card(at);
            }
        }
    }
}

/// The store behind an instance.
///
/// # Safety
/// `context` is live, and no other reference to its store is used meanwhile.
unsafe fn store<'a>(context: *mut InstanceContext) -> &'a mut StoreInner {
    // SAFETY: by contract.
    unsafe { StoreInner::of((*context).store) }
}

/// A defined type of an instance's module.
///
/// # Safety
/// `context` is live, and the index in range.
unsafe fn defined<'a>(context: *mut InstanceContext, ty: u32) -> &'a DefinedType {
    // SAFETY: by contract; the instance keeps the module.
    unsafe { &(&(*(*context).code).module.types)[ty as usize] }
}

/// The elements of an array type of an instance's module.
///
/// # Safety
/// As for [`defined`].
unsafe fn element(context: *mut InstanceContext, ty: u32) -> StorageType {
    // SAFETY: by contract; the verifier proved that it is an array's.
    unsafe { defined(context, ty).element().map_or(StorageType::I8, |element| element.storage) }
}

/// A struct whose fields are not set yet: the caller sets them before anything else happens.
///
/// # Safety
/// For all functions here: `context` is a live instance context, indices are in range for its module, references are of the
/// types that the operator takes, and [`StoreInner::with_heap`] may collect.
pub unsafe fn new_struct(context: *mut InstanceContext, id: TypeId) -> Result<u32> {
    // SAFETY: by contract.
    unsafe { store(context).with_heap(|heap, room, roots| heap.allocate_struct(id, room, roots)) }
}

/// `struct.new_default`; `ty` is the type's index.
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn struct_new_default(context: *mut InstanceContext, ty: u32) -> Result<u32> {
    // SAFETY: by contract; the fields are inside of the new object.
    unsafe {
        let ty = defined(context, ty);
        let object = new_struct(context, ty.id)?;
        let fields = base((*context).store).add((object + LENGTH) as usize);
        fields.write_bytes(0, (ty.size - LENGTH) as usize);
        Ok(object)
    }
}

/// An array whose elements are not set yet: the caller sets them before anything else happens.
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn new_array(context: *mut InstanceContext, id: TypeId, len: u32) -> Result<u32> {
    // SAFETY: by contract.
    unsafe { store(context).with_heap(|heap, room, roots| heap.allocate_array(id, len, room, roots)) }
}

/// `array.new_default`; `ty` is the type's index.
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn array_new_default(context: *mut InstanceContext, ty: u32, len: u32) -> Result<u32> {
    // SAFETY: by contract; the elements are inside of the new object.
    unsafe {
        let shift = element(context, ty).bytes().trailing_zeros();
        bulk(context, u64::from(len))?;
        let array = new_array(context, defined(context, ty).id, len)?;
        base((*context).store).add((array + ELEMENTS) as usize).write_bytes(0, (len as usize) << shift);
        Ok(array)
    }
}

/// `array.new`. A value that is a reference is kept meanwhile.
///
/// # Safety
/// As for [`new_struct`]; the value is one of the elements'.
pub unsafe fn array_new(context: *mut InstanceContext, ty: u32, value: u128, len: u32) -> Result<u32> {
    // SAFETY: by contract.
    unsafe {
        let storage = element(context, ty);
        bulk(context, u64::from(len))?;
        let array = keeping(context, value, storage, |context| new_array(context, defined(context, ty).id, len));
        let (array, value) = array?;
        fill(store(context), storage, array + ELEMENTS, value, len);
        Ok(array)
    }
}

/// `array.new_fixed`: the values stand in `len` slots, or twice as many. References among them are where the collector sees them.
///
/// # Safety
/// As for [`new_struct`]; the slots hold the values.
pub unsafe fn array_new_fixed(context: *mut InstanceContext, ty: u32, values: *const u64, len: u32) -> Result<u32> {
    // SAFETY: by contract.
    unsafe {
        let storage = element(context, ty);
        let array = new_array(context, defined(context, ty).id, len)?;
        let slots = storage.unpacked().slots();
        for index in 0..len {
            let slot = values.add(index as usize * slots);
            let high = if slots == 2 { slot.add(1).read() } else { 0 };
            let bits = u128::from(slot.read()) | u128::from(high) << 64;
            store(context).store_field(array + ELEMENTS + index * storage.bytes(), storage, bits);
        }
        Ok(array)
    }
}

/// Does something that may collect while a value is kept; the value as it is afterwards.
///
/// # Safety
/// As for [`new_struct`].
unsafe fn keeping(
    context: *mut InstanceContext,
    value: u128,
    storage: StorageType,
    make: impl FnOnce(*mut InstanceContext) -> Result<u32>,
) -> Result<(u32, u128)> {
    // SAFETY: by contract.
    unsafe {
        if !storage.is_traced() {
            return Ok((make(context)?, value));
        }
        store(context).temporaries.push(value as u32);
        let made = make(context);
        let value = store(context).temporaries.pop().unwrap_or(0);
        Ok((made?, u128::from(value)))
    }
}

fn base(store: *mut StoreContext) -> *mut u8 {
    // SAFETY: whoever has an object has a live store with a heap.
    unsafe { (*store).heap.base }
}

/// Sets `len` elements from `at` on.
///
/// # Safety
/// They are elements of one live array, and the value is one of theirs.
pub(super) unsafe fn fill(store: &mut StoreInner, storage: StorageType, at: u32, value: u128, len: u32) {
    // SAFETY: by contract.
    unsafe {
        let value = match storage {
            StorageType::Val(ty) if ty.is_func() => u128::from(store.number_of(value as usize as *mut FuncRef)),
            _ => value,
        };
        let (to, len) = (base(store.context()).add(at as usize), len as usize);
        match storage.bytes() {
            1 => to.write_bytes(value as u8, len),
            2 => std::slice::from_raw_parts_mut(to.cast::<u16>(), len).fill(value as u16),
            4 => std::slice::from_raw_parts_mut(to.cast::<u32>(), len).fill(value as u32),
            8 => std::slice::from_raw_parts_mut(to.cast::<u64>(), len).fill(value as u64),
            _ => (0..len).for_each(|i| to.cast::<u128>().add(i).write_unaligned(value)),
        }
        if storage.is_traced()
            && let Some(heap) = &mut store.heap
        {
            heap.mark_cards(at, len as u64 * 4);
        }
    }
}

/// Where a range of an array's elements starts, in bytes from the heap's base. Null and what is out of bounds are traps.
///
/// # Safety
/// As for [`new_struct`].
unsafe fn range(context: *mut InstanceContext, array: u32, from: u32, len: u32, storage: StorageType) -> Result<u32> {
    if array == 0 {
        return Err(TrapKind::NullArray);
    }
    // SAFETY: by contract.
    let all = unsafe { base((*context).store).add((array + LENGTH) as usize).cast::<u32>().read() };
    if u64::from(from) + u64::from(len) > u64::from(all) {
        return Err(TrapKind::ArrayOutOfBounds);
    }
    // Wraps only if the heap is corrupt; then it stays inside of the reservation.
    Ok(array.wrapping_add(ELEMENTS).wrapping_add(from.wrapping_mul(storage.bytes())))
}

/// `array.fill`
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn array_fill(
    context: *mut InstanceContext,
    ty: u32,
    array: u32,
    at: u32,
    value: u128,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        let storage = element(context, ty);
        let at = range(context, array, at, len, storage)?;
        bulk(context, u64::from(len))?;
        fill(store(context), storage, at, value, len);
        Ok(())
    }
}

/// `array.copy`; the type is the target's.
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn array_copy(
    context: *mut InstanceContext,
    ty: u32,
    to: u32,
    to_at: u32,
    from: u32,
    from_at: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; both ranges are inside of their arrays, and may overlap.
    unsafe {
        let storage = element(context, ty);
        let target = range(context, to, to_at, len, storage)?;
        let source = range(context, from, from_at, len, storage)?;
        let bytes = len as usize * storage.bytes() as usize;
        let base = base((*context).store);
        // First, since the copy may be stopped on its way.
        if storage.is_traced()
            && let Some(heap) = &mut store(context).heap
        {
            heap.mark_cards(target, bytes as u64);
        }
        elements_copy(context, base.add(target as usize), base.add(source as usize), u64::from(len), bytes)
    }
}

/// The part of a data segment that is to become elements.
///
/// # Safety
/// As for [`new_struct`].
unsafe fn data<'a>(context: *mut InstanceContext, data: u32, from: u32, len: u32, size: u32) -> Result<&'a [u8]> {
    // SAFETY: by contract.
    let bytes = unsafe { data_segment(context, data) };
    let (from, len) = (u64::from(from), u64::from(len) * u64::from(size));
    let end = from.checked_add(len).filter(|end| *end <= bytes.len() as u64).ok_or(TrapKind::MemoryOutOfBounds)?;
    Ok(&bytes[from as usize..end as usize])
}

/// `array.new_data`
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn array_new_data(context: *mut InstanceContext, ty: u32, segment: u32, from: u32, len: u32) -> Result<u32> {
    // SAFETY: by contract; the bytes are as many as the new array's.
    unsafe {
        let bytes = data(context, segment, from, len, element(context, ty).bytes())?;
        bulk(context, u64::from(len))?;
        let array = new_array(context, defined(context, ty).id, len)?;
        let to = base((*context).store).add((array + ELEMENTS) as usize);
        bytes.as_ptr().copy_to_nonoverlapping(to, bytes.len());
        Ok(array)
    }
}

/// `array.init_data`
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn array_init_data(
    context: *mut InstanceContext,
    ty: u32,
    segment: u32,
    array: u32,
    at: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; both ranges are checked.
    unsafe {
        let storage = element(context, ty);
        let to = range(context, array, at, len, storage)?;
        let bytes = data(context, segment, from, len, storage.bytes())?;
        bulk(context, u64::from(len))?;
        bytes.as_ptr().copy_to_nonoverlapping(base((*context).store).add(to as usize), bytes.len());
        Ok(())
    }
}

/// Sets elements to those of an element segment; the range in the array is checked already.
///
/// # Safety
/// As for [`new_struct`].
unsafe fn set_from_segment(
    context: *mut InstanceContext,
    storage: StorageType,
    segment: u32,
    at: u32,
    from: u32,
    len: u32,
) {
    // SAFETY: by contract; the segment's range was checked.
    unsafe {
        let instance: *const Instance = (*context).instance.cast();
        let cells = &(&(*instance).elements)[segment as usize][from as usize..][..len as usize];
        for (at, cell) in (at..).step_by(4).zip(cells) {
            store(context).store_field(at, storage, u128::from(*cell));
        }
    }
}

/// Whether an element segment has a range.
///
/// # Safety
/// As for [`new_struct`].
unsafe fn check_segment(context: *mut InstanceContext, segment: u32, from: u32, len: u32) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        let instance: *const Instance = (*context).instance.cast();
        let all = (&(*instance).elements)[segment as usize].len() as u64;
        if u64::from(from) + u64::from(len) > all { Err(TrapKind::TableOutOfBounds) } else { Ok(()) }
    }
}

/// `array.new_elem`
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn array_new_elem(context: *mut InstanceContext, ty: u32, segment: u32, from: u32, len: u32) -> Result<u32> {
    // SAFETY: by contract.
    unsafe {
        check_segment(context, segment, from, len)?;
        bulk(context, u64::from(len))?;
        let array = new_array(context, defined(context, ty).id, len)?;
        set_from_segment(context, element(context, ty), segment, array + ELEMENTS, from, len);
        Ok(array)
    }
}

/// `array.init_elem`
///
/// # Safety
/// As for [`new_struct`].
pub unsafe fn array_init_elem(
    context: *mut InstanceContext,
    ty: u32,
    segment: u32,
    array: u32,
    at: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        let storage = element(context, ty);
        let to = range(context, array, at, len, storage)?;
        check_segment(context, segment, from, len)?;
        bulk(context, u64::from(len))?;
        set_from_segment(context, storage, segment, to, from, len);
        Ok(())
    }
}
