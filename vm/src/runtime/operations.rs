//! Operators that are too large to be inline in either tier: growth, bulk memory and table
//! operations. Each checks everything itself, charges fuel for its size when that is counted,
//! and polls for interruption when it takes long.

use super::context::{FuncRef, InstanceContext};
use super::trap::TrapKind;

/// What an operation returns; on `Err` the caller raises the trap.
pub type Result<T> = std::result::Result<T, TrapKind>;

/// `memory.grow`: the old size in pages, or `u32::MAX` if it cannot grow.
///
/// # Safety
/// For all functions here: `context` is a live instance context and indices are in range for its module.
pub unsafe fn memory_grow(_context: *mut InstanceContext, _memory: u32, _pages: u32) -> Result<u32> {
    unimplemented!("the store")
}

/// `memory.copy`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_copy(
    _context: *mut InstanceContext,
    _to_memory: u32,
    _from_memory: u32,
    _to: u32,
    _from: u32,
    _len: u32,
) -> Result<()> {
    unimplemented!("the store")
}

/// `memory.fill`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_fill(_context: *mut InstanceContext, _memory: u32, _to: u32, _byte: u32, _len: u32) -> Result<()> {
    unimplemented!("the store")
}

/// `memory.init`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_init(
    _context: *mut InstanceContext,
    _memory: u32,
    _data: u32,
    _to: u32,
    _from: u32,
    _len: u32,
) -> Result<()> {
    unimplemented!("the store")
}

/// `data.drop`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn data_drop(_context: *mut InstanceContext, _data: u32) {
    unimplemented!("the store")
}

/// `table.grow`: the old size, or `u32::MAX` if it cannot grow. `value` is a cell.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_grow(_context: *mut InstanceContext, _table: u32, _value: u64, _delta: u32) -> Result<u32> {
    unimplemented!("the store")
}

/// `table.fill`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_fill(_context: *mut InstanceContext, _table: u32, _at: u32, _value: u64, _len: u32) -> Result<()> {
    unimplemented!("the store")
}

/// `table.copy`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_copy(
    _context: *mut InstanceContext,
    _to_table: u32,
    _from_table: u32,
    _to: u32,
    _from: u32,
    _len: u32,
) -> Result<()> {
    unimplemented!("the store")
}

/// `table.init`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_init(
    _context: *mut InstanceContext,
    _table: u32,
    _elem: u32,
    _to: u32,
    _from: u32,
    _len: u32,
) -> Result<()> {
    unimplemented!("the store")
}

/// `elem.drop`
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn elem_drop(_context: *mut InstanceContext, _elem: u32) {
    unimplemented!("the store")
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
