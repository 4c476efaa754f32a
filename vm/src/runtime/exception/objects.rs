//! The exception objects that a store's guests have references to, and which of them are dead.
//!
//! A reference is a number with the store's mark in its upper half. Objects are few and short-lived, so their collector is
//! small: when there are twice as many as were alive the last time, it looks for such numbers in all that a guest can
//! reach them from (both stacks, registers, globals, tables, other exceptions) and frees the objects that it finds none of. A number
//! that only looks like a reference keeps an object, which costs its memory and no more; the mark makes that unlikely.

use std::sync::Arc;

use super::Exception;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::TrapKind;
use crate::runtime::x86_64;
use crate::types::ValType;

/// What an object counts against the memory limit, beside its payload.
const BYTES: u64 = 64;
/// Fewer objects are not worth looking for the dead among them.
const FEW: usize = 1024;

/// The exception objects of a store.
#[derive(Debug)]
pub struct Objects {
    entries: Vec<Option<Arc<Exception>>>,
    free: Vec<u32>,
    /// In the upper half of every reference; not zero.
    mark: u32,
    /// Collect when there are this many.
    limit: usize,
}

impl Objects {
    /// No objects yet. `store`: the number of their store.
    pub fn new(store: u64) -> Self {
        // The golden ratio's multiples spread well; the lowest bit keeps it from being zero.
        let mark = (store.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 | 1;
        Self { entries: Vec::new(), free: Vec::new(), mark, limit: FEW }
    }

    /// How many objects there are.
    fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    fn index(&self, reference: u64) -> Option<usize> {
        ((reference >> 32) as u32 == self.mark).then_some(reference as u32 as usize)
    }

    fn get(&self, reference: u64) -> Option<&Arc<Exception>> {
        self.entries.get(self.index(reference)?)?.as_ref()
    }

    fn insert(&mut self, exception: Arc<Exception>) -> u64 {
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index as usize] = Some(exception);
                index
            }
            None => {
                self.entries.push(Some(exception));
                self.entries.len() as u32 - 1
            }
        };
        u64::from(self.mark) << 32 | u64::from(index)
    }
}

fn size(exception: &Exception) -> u64 {
    BYTES + exception.payload.len() as u64 * 8
}

impl StoreInner {
    /// The exception object behind a reference; none behind null.
    pub fn exception(&self, reference: u64) -> Option<&Arc<Exception>> {
        self.exceptions.get(reference)
    }

    /// Takes in an exception object, and charges for it; its reference.
    pub fn add_exception(&mut self, exception: Arc<Exception>) -> Result<u64, TrapKind> {
        self.charge(size(&exception))?;
        Ok(self.exceptions.insert(exception))
    }

    /// Frees dead exception objects if there are many.
    ///
    /// # Safety
    /// This is called on the guest's stack, and everything that the guest has is on its stacks, in globals, tables or
    /// exceptions, or in registers that a callee saves: no host function holds references as bare numbers.
    pub unsafe fn collect_exceptions(&mut self) {
        if self.exceptions.len() < self.exceptions.limit {
            return;
        }
        // SAFETY: by contract.
        let mut live = unsafe { self.reachable() };
        let objects = &mut self.exceptions;
        let mut freed = 0;
        for (index, entry) in objects.entries.iter_mut().enumerate() {
            if !std::mem::take(&mut live[index])
                && let Some(exception) = entry.take()
            {
                freed += size(&exception);
                objects.free.push(index as u32);
            }
        }
        objects.limit = (objects.len() * 2).max(FEW);
        self.used -= freed;
    }

    /// For each object, whether a guest can reach it.
    ///
    /// # Safety
    /// As for [`Self::collect_exceptions`].
    unsafe fn reachable(&self) -> Vec<bool> {
        let objects = &self.exceptions;
        let mut live = vec![false; objects.entries.len()];
        let mut work = Vec::new();
        let mut see = |word: u64, work: &mut Vec<usize>| {
            if let Some(index) = objects.index(word)
                && live.get(index) == Some(&false)
            {
                live[index] = true;
                work.push(index);
            }
        };
        // SAFETY: the context lives as long as the store; between these ends both stacks are in use.
        unsafe {
            let registers = x86_64::callee_saved();
            let mut scan = |mut at: *const u64, end: *const u64| {
                while at < end {
                    see(x86_64::peek(at), &mut work);
                    at = at.add(1);
                }
            };
            let (native, values) = self.stacks();
            scan(registers.as_ptr(), registers.as_ptr_range().end);
            scan((x86_64::stack_pointer() & !7) as *const u64, native.cast());
            scan(values, (*self.context()).value_top);
        }
        for global in self.globals.values().filter(|global| global.ty.value == ValType::ExnRef) {
            // SAFETY: nobody writes the cell meanwhile.
            see(unsafe { (*global.cell.get())[0] }, &mut work);
        }
        for instance in self.instances.values() {
            for index in instance.code.module.exception_globals() {
                // SAFETY: the slot is that of a live instance's global, whose cell is in it or in the store.
                see(unsafe { (*instance.global_slot(index)).at.read() }, &mut work);
            }
            let segments = instance.code.module.elements.iter().zip(&instance.elements);
            for (_, cells) in segments.filter(|(segment, _)| segment.element == ValType::ExnRef) {
                cells.iter().for_each(|cell| see(*cell, &mut work));
            }
        }
        for table in self.tables.values().filter(|table| table.ty().element == ValType::ExnRef) {
            // SAFETY: no guest runs, and the slice ends here.
            unsafe { table.cells().iter().for_each(|cell| see(*cell, &mut work)) };
        }
        while let Some(index) = work.pop() {
            let payload = objects.entries[index].iter().flat_map(|exception| exception.payload.iter());
            payload.for_each(|word| see(*word, &mut work));
        }
        live
    }
}
