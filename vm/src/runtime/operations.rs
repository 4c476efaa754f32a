//! Operators that are too large to be inline in either tier: growth, bulk memory and table
//! operations. Each checks everything itself, charges fuel for its size when that is counted,
//! and polls for interruption when it takes long.

use std::io;

use super::context::{FuncRef, InstanceContext, StoreContext};
use super::instance::Instance;
use super::store::StoreInner;
use super::trap::TrapKind;
use crate::metering::bulk_cost;
use crate::types::PAGE;

/// What an operation returns; on `Err` the caller raises the trap.
pub type Result<T> = std::result::Result<T, TrapKind>;

/// What `memory.grow` and `table.grow` return: the old size, nothing if they cannot.
pub type Grown = Result<Option<u64>>;

/// Bytes handled between two looks at the request to stop: well under 10 ms of work, even where
/// each page is touched for the first time.
const CHUNK: usize = 1 << 20;

/// Table cells handled between two looks.
const CELLS: usize = CHUNK / size_of::<u64>();

/// The instance behind a context.
///
/// # Safety
/// `context` is live, and no other reference to its instance is used meanwhile.
unsafe fn instance<'a>(context: *mut InstanceContext) -> &'a mut Instance {
    // SAFETY: by contract.
    unsafe { &mut *(*context).instance.cast() }
}

/// Charges for a bulk operation and looks whether to stop.
///
/// # Safety
/// `context` is live.
pub(super) unsafe fn bulk(context: *mut InstanceContext, units: u64) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        if (*(*context).code).config.fuel {
            let store = (*context).store;
            let cost = bulk_cost(units) as i64;
            (*store).fuel -= cost;
            // What costs nothing is done in line by compiled code, which does not look.
            if cost > 0 && (*store).fuel < 0 {
                return Err(TrapKind::OutOfFuel);
            }
        }
        poll((*context).store)
    }
}

/// # Safety
/// `store` is live.
unsafe fn poll(store: *mut StoreContext) -> Result<()> {
    // SAFETY: by contract.
    match unsafe { (*store).interrupted() } {
        Some(kind) => Err(kind),
        None => Ok(()),
    }
}

/// Checks that `at..at + len` lies within `size`; start and length.
fn range(at: u64, len: u64, size: usize, kind: TrapKind) -> Result<(usize, usize)> {
    match at.checked_add(len) {
        Some(end) if end <= size as u64 => Ok((at as usize, len as usize)),
        _ => Err(kind),
    }
}

/// Does work on `0..len` in pieces of `chunk`, from the end if `backward`, with a look at the
/// request to stop between them.
///
/// # Safety
/// `store` is live.
unsafe fn chunks(
    store: *mut StoreContext,
    chunk: usize,
    len: usize,
    backward: bool,
    mut work: impl FnMut(usize, usize),
) -> Result<()> {
    let mut done = 0;
    while done < len {
        let step = chunk.min(len - done);
        work(if backward { len - done - step } else { done }, step);
        done += step;
        if done < len {
            // SAFETY: by contract.
            unsafe { poll(store)? };
        }
    }
    Ok(())
}

/// `memory.grow`: the old size in pages.
///
/// # Safety
/// For all functions here: `context` is a live instance context and indices are in range for its module.
pub unsafe fn memory_grow(context: *mut InstanceContext, memory: u32, pages: u64) -> Grown {
    // SAFETY: by contract.
    let (instance, store) = unsafe { (instance(context), StoreInner::of((*context).store)) };
    grow_memory(store, &instance.memories[memory as usize].item, pages)
}

/// Grows a memory within its own maximum and the store's limits.
pub fn grow_memory(store: &mut StoreInner, memory: &super::memory::LinearMemory, pages: u64) -> Grown {
    let old = (memory.len() / PAGE) as u64;
    let Some(new) = old.checked_add(pages).filter(|new| *new <= memory.ty().max_pages()) else { return Ok(None) };
    if pages == 0 {
        return Ok(Some(old));
    }
    let bytes = pages.saturating_mul(PAGE as u64);
    if let Err(kind) = store.charge(bytes) {
        return if store.limits.grow_fails_softly { Ok(None) } else { Err(kind) };
    }
    let grown: io::Result<()> = memory.grow((new as usize).saturating_mul(PAGE));
    if grown.is_err() {
        store.used -= bytes;
        return Ok(None);
    }
    Ok(Some(old))
}

/// `memory.copy`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_copy(
    context: *mut InstanceContext,
    to_memory: u32,
    from_memory: u32,
    to: u64,
    from: u64,
    len: u64,
) -> Result<()> {
    // SAFETY: by contract; both ranges are checked to lie inside of their memories.
    unsafe {
        let instance = instance(context);
        let target = &instance.memories[to_memory as usize].item;
        let source = &instance.memories[from_memory as usize].item;
        let (from, _) = range(from, len, source.len(), TrapKind::MemoryOutOfBounds)?;
        let (to, len) = range(to, len, target.len(), TrapKind::MemoryOutOfBounds)?;
        bytes_copy(context, target.base().add(to), source.base().add(from), len)
    }
}

/// What is left of `memory.copy` once the ranges are known to be in bounds.
///
/// # Safety
/// As for [`memory_grow`]; both ranges lie in memories of the instance.
#[inline]
pub unsafe fn bytes_copy(context: *mut InstanceContext, to: *mut u8, from: *const u8, len: usize) -> Result<()> {
    // SAFETY: by contract.
    unsafe { elements_copy(context, to, from, len as u64, len) }
}

/// What is left of `array.copy` once the ranges are known to be in bounds, where elements are no references.
///
/// # Safety
/// As for [`memory_grow`]; both ranges, of `len` bytes, lie in arrays or memories.
#[inline]
pub unsafe fn elements_copy(
    context: *mut InstanceContext,
    to: *mut u8,
    from: *const u8,
    elements: u64,
    len: usize,
) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        bulk(context, elements)?;
        if len <= CHUNK {
            std::ptr::copy(from, to, len);
            return Ok(());
        }
        chunks((*context).store, CHUNK, len, to.cast_const() > from, |at, len| {
            std::ptr::copy(from.add(at), to.add(at), len);
        })
    }
}

/// `memory.fill`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_fill(context: *mut InstanceContext, memory: u32, to: u64, byte: u8, len: u64) -> Result<()> {
    // SAFETY: by contract; the range is checked.
    unsafe {
        let memory = &instance(context).memories[memory as usize].item;
        let (to, len) = range(to, len, memory.len(), TrapKind::MemoryOutOfBounds)?;
        bytes_fill(context, memory.base().add(to), byte, len)
    }
}

/// What is left of `memory.fill` once the range is known to be in bounds.
///
/// # Safety
/// As for [`memory_grow`]; the range lies in a memory of the instance.
#[inline]
pub unsafe fn bytes_fill(context: *mut InstanceContext, to: *mut u8, byte: u8, len: usize) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        bulk(context, len as u64)?;
        if len <= CHUNK {
            to.write_bytes(byte, len);
            return Ok(());
        }
        chunks((*context).store, CHUNK, len, false, |at, len| to.add(at).write_bytes(byte, len))
    }
}

/// `memory.init`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_init(
    context: *mut InstanceContext,
    memory: u32,
    data: u32,
    to: u64,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; both ranges are checked.
    unsafe {
        let bytes = data_segment(context, data);
        let memory = &instance(context).memories[memory as usize].item;
        let (from, _) = range(from.into(), len.into(), bytes.len(), TrapKind::MemoryOutOfBounds)?;
        let (to, len) = range(to, len.into(), memory.len(), TrapKind::MemoryOutOfBounds)?;
        bulk(context, len as u64)?;
        let (target, source) = (memory.base().add(to), bytes.as_ptr().add(from));
        chunks((*context).store, CHUNK, len, false, |at, len| {
            std::ptr::copy_nonoverlapping(source.add(at), target.add(at), len);
        })
    }
}

/// The bytes of a data segment; none once it is dropped.
///
/// # Safety
/// As for [`memory_grow`].
pub(super) unsafe fn data_segment<'a>(context: *mut InstanceContext, data: u32) -> &'a [u8] {
    // SAFETY: by contract; the instance keeps its module.
    unsafe {
        let instance = instance(context);
        let segment = &instance.code.module.data[data as usize];
        match instance.data_dropped[data as usize] {
            true => &[],
            false => &instance.code.module.bytes()[segment.bytes.clone()],
        }
    }
}

/// `data.drop`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn data_drop(context: *mut InstanceContext, data: u32) {
    // SAFETY: by contract.
    unsafe { instance(context).data_dropped[data as usize] = true };
}

/// `table.grow`: the old size. `value` is a cell.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_grow(context: *mut InstanceContext, table: u32, value: u64, delta: u64) -> Grown {
    // SAFETY: by contract.
    unsafe {
        let store = StoreInner::of((*context).store);
        let table = &instance(context).tables[table as usize].item;
        if delta <= table.max().min(store.limits.table_elements) {
            bulk(context, delta)?;
        }
        grow_table(store, table, value, delta)
    }
}

/// Grows a table within its own maximum and the store's limits.
pub fn grow_table(store: &mut StoreInner, table: &super::table::Table, value: u64, delta: u64) -> Grown {
    let old = table.len();
    let Some(new) = (old as u64).checked_add(delta).filter(|new| *new <= table.max()) else { return Ok(None) };
    let bytes = delta.saturating_mul(8);
    let charged = if new > store.limits.table_elements { Err(TrapKind::OutOfMemory) } else { store.charge(bytes) };
    if let Err(kind) = charged {
        return if store.limits.grow_fails_softly { Ok(None) } else { Err(kind) };
    }
    if !table.reserve(delta as usize) {
        store.used -= bytes;
        return Ok(None);
    }
    let context = store.context();
    // SAFETY: the store's context is live.
    let grown = unsafe { chunks(context, CELLS, delta as usize, false, |_, len| table.extend(len, value)) };
    if let Err(kind) = grown {
        table.truncate(old);
        store.used -= bytes;
        return Err(kind);
    }
    Ok(Some(old as u64))
}

/// `table.fill`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_fill(context: *mut InstanceContext, table: u32, at: u64, value: u64, len: u64) -> Result<()> {
    // SAFETY: by contract; no other slice of the table is live.
    unsafe {
        let table = &instance(context).tables[table as usize].item;
        let (at, len) = range(at, len, table.len(), TrapKind::TableOutOfBounds)?;
        bulk(context, len as u64)?;
        let cells = &mut table.cells()[at..][..len];
        chunks((*context).store, CELLS, len, false, |at, len| cells[at..][..len].fill(value))
    }
}

/// `table.copy`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_copy(
    context: *mut InstanceContext,
    to_table: u32,
    from_table: u32,
    to: u64,
    from: u64,
    len: u64,
) -> Result<()> {
    // SAFETY: by contract; the ranges are checked, and may overlap.
    unsafe {
        let instance = instance(context);
        let (target, source) = (&instance.tables[to_table as usize].item, &instance.tables[from_table as usize].item);
        let (from, _) = range(from, len, source.len(), TrapKind::TableOutOfBounds)?;
        let (to, len) = range(to, len, target.len(), TrapKind::TableOutOfBounds)?;
        bulk(context, len as u64)?;
        let (target, source) = ((*target.def()).base.add(to), (*source.def()).base.add(from));
        chunks((*context).store, CELLS, len, target.cast_const() > source.cast_const(), |at, len| {
            std::ptr::copy(source.add(at), target.add(at), len);
        })
    }
}

/// `table.init`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_init(
    context: *mut InstanceContext,
    table: u32,
    elem: u32,
    to: u64,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; no other slice of the table is live.
    unsafe {
        let instance = instance(context);
        let cells = &instance.elements[elem as usize];
        let table = &instance.tables[table as usize].item;
        let (from, _) = range(from.into(), len.into(), cells.len(), TrapKind::TableOutOfBounds)?;
        let (to, len) = range(to, len.into(), table.len(), TrapKind::TableOutOfBounds)?;
        bulk(context, len as u64)?;
        chunks((*context).store, CELLS, len, false, |at, len| {
            table.cells()[to + at..][..len].copy_from_slice(&cells[from + at..][..len]);
        })
    }
}

/// `elem.drop`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn elem_drop(context: *mut InstanceContext, elem: u32) {
    // SAFETY: by contract.
    unsafe { instance(context).elements[elem as usize] = Box::default() };
}

/// The instance's [`FuncRef`] of a function.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn func_ref(context: *mut InstanceContext, func: u32) -> *mut FuncRef {
    // SAFETY: the context is live, so is its code, and the index is in range.
    unsafe {
        let offset = (*(*context).code).layout.function(func);
        context.cast::<u8>().add(offset as usize).cast()
    }
}
