//! Tables of references.

use std::cell::UnsafeCell;

use super::context::TableDef;
use crate::types::TableType;

/// A table. Its `TableDef` never moves; its cells do when it grows.
pub struct Table {
    def: Box<UnsafeCell<TableDef>>,
    cells: UnsafeCell<Vec<u64>>,
    ty: TableType,
}

impl Table {
    /// A table of its type's smallest size, every cell `value`. `None` if there is no memory.
    pub fn new(ty: TableType, value: u64) -> Option<Self> {
        let len = usize::try_from(ty.limits.min).ok()?;
        let mut cells = Vec::new();
        cells.try_reserve_exact(len).ok()?;
        cells.resize(len, value);
        let def = TableDef { base: cells.as_mut_ptr(), len };
        Some(Self { def: Box::new(UnsafeCell::new(def)), cells: UnsafeCell::new(cells), ty })
    }

    /// The part that code sees.
    pub fn def(&self) -> *mut TableDef {
        self.def.get()
    }

    /// Its type, with the size it started from.
    pub fn ty(&self) -> TableType {
        self.ty
    }

    /// Elements now.
    pub fn len(&self) -> usize {
        // SAFETY: tables belong to one thread; nobody holds a reference into the cell.
        unsafe { (*self.def.get()).len }
    }

    /// Whether it has no elements now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Elements it may have at most.
    pub fn max(&self) -> u64 {
        let most = if self.ty.address.is_64() { u64::MAX } else { u32::MAX.into() };
        self.ty.limits.max.map_or(most, |max| max.min(most))
    }

    /// The cells, for one operation.
    ///
    /// # Safety
    /// No other slice of this table is live.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn cells(&self) -> &mut [u64] {
        // SAFETY: by contract; the vector is as long as `def` says.
        unsafe { (*self.cells.get()).as_mut_slice() }
    }

    /// Makes room for this many more cells; `false` if there is no memory.
    pub fn reserve(&self, delta: usize) -> bool {
        self.change(|cells| cells.try_reserve(delta)).is_ok()
    }

    /// Appends cells, for which there is room.
    pub fn extend(&self, delta: usize, value: u64) {
        self.change(|cells| cells.resize(cells.len() + delta, value));
    }

    /// Takes cells away again.
    pub fn truncate(&self, len: usize) {
        self.change(|cells| cells.truncate(len));
    }

    fn change<R>(&self, change: impl FnOnce(&mut Vec<u64>) -> R) -> R {
        // SAFETY: tables belong to one thread and nobody holds a slice across a call.
        unsafe {
            let cells = &mut *self.cells.get();
            let result = change(cells);
            *self.def.get() = TableDef { base: cells.as_mut_ptr(), len: cells.len() };
            result
        }
    }
}
