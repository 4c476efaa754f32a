//! Where a store's references into its heap are, beside those in the heap itself: what the collector starts from, and
//! mends when it moves objects.
//!
//! Every place is visited once each time: in frames of either tier as their maps say, in globals, tables and element
//! segments, and in the hands of the host and of the runtime itself.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::activation::{activations, compiled_frames};
use super::context::{Activation, StoreContext};
use super::store::StoreInner;
use crate::heap::Roots;
use crate::interpreter;
use crate::jit::registry;
use crate::module::GlobalIndex;

/// A reference that the host holds. The store that it belongs to keeps it as long as anyone else does.
#[derive(Debug)]
pub struct Root {
    /// Its store's number.
    pub store: u64,
    reference: AtomicU32,
}

impl Root {
    /// The reference, as it is now.
    pub fn get(&self) -> u32 {
        self.reference.load(Ordering::Relaxed)
    }
}

/// The references that the host holds.
#[derive(Debug, Default)]
pub struct HostRoots {
    roots: Vec<Arc<Root>>,
    /// Look for those that were given up when there are this many.
    limit: usize,
}

impl HostRoots {
    /// Roots a reference of the store with this number.
    pub fn add(&mut self, store: u64, reference: u32) -> Arc<Root> {
        if self.roots.len() >= self.limit {
            self.sweep();
            self.limit = (self.roots.len() * 2).max(64);
        }
        let root = Arc::new(Root { store, reference: AtomicU32::new(reference) });
        self.roots.push(root.clone());
        root
    }

    /// How many the host holds.
    pub fn count(&mut self) -> usize {
        self.sweep();
        self.roots.len()
    }

    /// Forgets those that nobody holds any more.
    fn sweep(&mut self) {
        self.roots.retain(|root| Arc::strong_count(root) > 1);
    }
}

/// The roots of a store, whose heap has been taken out of it.
pub struct StoreRoots<'a>(pub &'a mut StoreInner);

impl Roots for StoreRoots<'_> {
    fn trace(&mut self, visit: &mut dyn FnMut(*mut u32)) {
        let store = &mut *self.0;
        let roots = store.roots.get_mut();
        roots.sweep();
        for root in &roots.roots {
            // Through a copy: another thread may be looking.
            let mut reference = root.get();
            visit(&mut reference);
            root.reference.store(reference, Ordering::Relaxed);
        }
        for temporary in &mut store.temporaries {
            visit(temporary);
        }
        for global in store.globals.values().filter(|global| global.ty.value.is_traced()) {
            visit(global.cell.get().cast());
        }
        for instance in store.instances.values_mut() {
            let module = &instance.code.module;
            for index in module.traced_globals().filter(|index| module.is_global_inline(GlobalIndex(*index))) {
                visit(instance.global_slot(index).cast());
            }
            let segments = module.elements.iter().zip(&mut instance.elements);
            for (_, cells) in segments.filter(|(segment, _)| segment.element.is_traced()) {
                cells.iter_mut().for_each(|cell| visit((&raw mut *cell).cast()));
            }
        }
        for table in store.tables.values().filter(|table| table.ty().element.is_traced()) {
            // SAFETY: nobody else looks at the cells meanwhile.
            unsafe { table.cells().iter_mut().for_each(|cell| visit((&raw mut *cell).cast())) };
        }
        // SAFETY: the store is live, and whoever collects saved where execution is.
        unsafe { frames(store.context(), visit) };
    }
}

/// The references in the frames of all activations.
///
/// # Safety
/// `store` is live and its activations reflect where execution is.
unsafe fn frames(store: *mut StoreContext, visit: &mut dyn FnMut(*mut u32)) {
    // SAFETY: by contract; activations of either tier are visited by their own.
    unsafe {
        for (activation, exit) in activations(store) {
            match (*activation).kind {
                Activation::HOST => {}
                Activation::COMPILED => compiled_frames(&*activation, exit, &mut |pc, fp| {
                    if let Some((frame, slots)) = registry::lookup_map(pc) {
                        for slot in slots {
                            visit((fp - frame as usize + *slot as usize) as *mut u32);
                        }
                    }
                    ControlFlow::Continue(())
                }),
                _ => interpreter::roots(&*activation, visit),
            }
        }
    }
}
