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

/// What `memory.grow` and `table.grow` return when they cannot.
pub const CANNOT_GROW: u32 = u32::MAX;

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
unsafe fn bulk(context: *mut InstanceContext, units: u32) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        if (*(*context).code).config.fuel {
            let store = (*context).store;
            (*store).fuel -= bulk_cost(u64::from(units)) as i64;
            if (*store).fuel < 0 {
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

/// Checks that `at..at + len` lies within `size`; the start.
fn range(at: u32, len: u32, size: usize, kind: TrapKind) -> Result<usize> {
    if u64::from(at) + u64::from(len) > size as u64 { Err(kind) } else { Ok(at as usize) }
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

/// `memory.grow`: the old size in pages, or [`CANNOT_GROW`].
///
/// # Safety
/// For all functions here: `context` is a live instance context and indices are in range for its module.
pub unsafe fn memory_grow(context: *mut InstanceContext, memory: u32, pages: u32) -> Result<u32> {
    // SAFETY: by contract.
    let (instance, store) = unsafe { (instance(context), StoreInner::of((*context).store)) };
    grow_memory(store, &instance.memories[memory as usize].item, pages)
}

/// Grows a memory within its own maximum and the store's limits.
pub fn grow_memory(store: &mut StoreInner, memory: &super::memory::LinearMemory, pages: u32) -> Result<u32> {
    let old = memory.len() / PAGE;
    let new = old as u64 + u64::from(pages);
    if new > memory.max_pages() {
        return Ok(CANNOT_GROW);
    }
    if pages == 0 {
        return Ok(old as u32);
    }
    let bytes = u64::from(pages) * PAGE as u64;
    if let Err(kind) = store.charge(bytes) {
        return if store.limits.grow_fails_softly { Ok(CANNOT_GROW) } else { Err(kind) };
    }
    let grown: io::Result<()> = memory.grow(new as usize * PAGE);
    if grown.is_err() {
        store.used -= bytes;
        return Ok(CANNOT_GROW);
    }
    Ok(old as u32)
}

/// `memory.copy`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_copy(
    context: *mut InstanceContext,
    to_memory: u32,
    from_memory: u32,
    to: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; both ranges are checked to lie inside of their memories.
    unsafe {
        let instance = instance(context);
        let target = &instance.memories[to_memory as usize].item;
        let source = &instance.memories[from_memory as usize].item;
        let from = range(from, len, source.len(), TrapKind::MemoryOutOfBounds)?;
        let to = range(to, len, target.len(), TrapKind::MemoryOutOfBounds)?;
        bytes_copy(context, target.base().add(to), source.base().add(from), len as usize)
    }
}

/// What is left of `memory.copy` once the ranges are known to be in bounds.
///
/// # Safety
/// As for [`memory_grow`]; both ranges lie in memories of the instance.
#[inline]
pub unsafe fn bytes_copy(context: *mut InstanceContext, to: *mut u8, from: *const u8, len: usize) -> Result<()> {
    // SAFETY: by contract.
    unsafe {
        bulk(context, len as u32)?;
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
pub unsafe fn memory_fill(context: *mut InstanceContext, memory: u32, to: u32, byte: u32, len: u32) -> Result<()> {
    // SAFETY: by contract; the range is checked.
    unsafe {
        let memory = &instance(context).memories[memory as usize].item;
        let to = range(to, len, memory.len(), TrapKind::MemoryOutOfBounds)?;
        bytes_fill(context, memory.base().add(to), byte as u8, len as usize)
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
        bulk(context, len as u32)?;
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
    to: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; both ranges are checked.
    unsafe {
        let instance = instance(context);
        let segment = &instance.code.module.data[data as usize];
        let bytes = match instance.data_dropped[data as usize] {
            true => &[][..],
            false => &instance.code.module.bytes()[segment.bytes.clone()],
        };
        let memory = &instance.memories[memory as usize].item;
        let from = range(from, len, bytes.len(), TrapKind::MemoryOutOfBounds)?;
        let to = range(to, len, memory.len(), TrapKind::MemoryOutOfBounds)?;
        bulk(context, len)?;
        let (target, source) = (memory.base().add(to), bytes.as_ptr().add(from));
        chunks((*context).store, CHUNK, len as usize, false, |at, len| {
            std::ptr::copy_nonoverlapping(source.add(at), target.add(at), len);
        })
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

/// `table.grow`: the old size, or [`CANNOT_GROW`]. `value` is a cell.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_grow(context: *mut InstanceContext, table: u32, value: u64, delta: u32) -> Result<u32> {
    // SAFETY: by contract.
    unsafe {
        let store = StoreInner::of((*context).store);
        let table = &instance(context).tables[table as usize].item;
        if u64::from(delta) <= table.max() {
            bulk(context, delta)?;
        }
        grow_table(store, table, value, delta)
    }
}

/// Grows a table within its own maximum and the store's limits.
pub fn grow_table(store: &mut StoreInner, table: &super::table::Table, value: u64, delta: u32) -> Result<u32> {
    let old = table.len();
    let new = old as u64 + u64::from(delta);
    if new > table.max() {
        return Ok(CANNOT_GROW);
    }
    let bytes = u64::from(delta) * 8;
    let charged = if new > store.limits.table_elements { Err(TrapKind::OutOfMemory) } else { store.charge(bytes) };
    if let Err(kind) = charged {
        return if store.limits.grow_fails_softly { Ok(CANNOT_GROW) } else { Err(kind) };
    }
    if !table.reserve(delta as usize) {
        store.used -= bytes;
        return Ok(CANNOT_GROW);
    }
    let context = store.context();
    // SAFETY: the store's context is live.
    let grown = unsafe { chunks(context, CELLS, delta as usize, false, |_, len| table.extend(len, value)) };
    if let Err(kind) = grown {
        table.truncate(old);
        store.used -= bytes;
        return Err(kind);
    }
    Ok(old as u32)
}

/// `table.fill`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_fill(context: *mut InstanceContext, table: u32, at: u32, value: u64, len: u32) -> Result<()> {
    // SAFETY: by contract; no other slice of the table is live.
    unsafe {
        let table = &instance(context).tables[table as usize].item;
        let at = range(at, len, table.len(), TrapKind::TableOutOfBounds)?;
        bulk(context, len)?;
        let cells = &mut table.cells()[at..][..len as usize];
        chunks((*context).store, CELLS, len as usize, false, |at, len| cells[at..][..len].fill(value))
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
    to: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; the ranges are checked, and may overlap.
    unsafe {
        let instance = instance(context);
        let (target, source) = (&instance.tables[to_table as usize].item, &instance.tables[from_table as usize].item);
        let from = range(from, len, source.len(), TrapKind::TableOutOfBounds)?;
        let to = range(to, len, target.len(), TrapKind::TableOutOfBounds)?;
        bulk(context, len)?;
        let (target, source) = ((*target.def()).base.add(to), (*source.def()).base.add(from));
        chunks((*context).store, CELLS, len as usize, target.cast_const() > source.cast_const(), |at, len| {
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
    to: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    // SAFETY: by contract; no other slice of the table is live.
    unsafe {
        let instance = instance(context);
        let cells = &instance.elements[elem as usize];
        let table = &instance.tables[table as usize].item;
        let from = range(from, len, cells.len(), TrapKind::TableOutOfBounds)?;
        let to = range(to, len, table.len(), TrapKind::TableOutOfBounds)?;
        bulk(context, len)?;
        chunks((*context).store, CELLS, len as usize, false, |at, len| {
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
