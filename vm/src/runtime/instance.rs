//! Instances: a module's state, and the context that its code sees.

use std::alloc::{Layout as Allocation, alloc_zeroed, dealloc, handle_alloc_error};
use std::rc::Rc;
use std::sync::Arc;

use super::code::ModuleCode;
use super::context::{FuncRef, GlobalSlot, HostContext, InstanceContext, MemorySlot, TableDef};
use super::exception::Tag;
use super::memory::LinearMemory;
use super::slab::Key;
use super::table::Table;
use super::types::{DefinedType, TypeRegistry};
use crate::types::{FuncType, GlobalType};

/// A global's cell outside of any instance.
#[repr(C, align(16))]
pub struct Global {
    /// The value: 8 bytes, or 16 for `v128`.
    pub cell: std::cell::UnsafeCell<[u64; 2]>,
    /// Its type.
    pub ty: GlobalType,
}

impl Global {
    /// A global with this value.
    pub fn new(ty: GlobalType, bits: u128) -> Self {
        Self { cell: std::cell::UnsafeCell::new([bits as u64, (bits >> 64) as u64]), ty }
    }
}

/// A host function that lives as long as the instance that imports it, or as its store.
/// The header comes first: code sees only that.
#[repr(C)]
pub struct HostFunction {
    /// What code sees.
    pub header: HostContext,
    /// What `header.call` runs; its meaning is `header.call`'s.
    pub run: Arc<dyn std::any::Any + Send + Sync>,
    /// A thin pointer into `run`, for `header.call`.
    pub target: *const (),
    /// Its type, in its engine.
    pub ty: HostType,
    /// Whether what it returns is of its type only if it is looked at.
    pub checked: bool,
}

/// The type of a host function.
#[derive(Clone, Debug)]
pub struct HostType {
    /// Its parameters and results.
    pub func: FuncType,
    /// The type itself, where it is not just any with these and no supertype.
    pub defined: Option<Arc<DefinedType>>,
}

impl HostType {
    /// The type with its number. `None` if the engine has too many types.
    pub fn defined(&self, types: &TypeRegistry) -> Option<Arc<DefinedType>> {
        self.defined.clone().or_else(|| types.func(&self.func))
    }
}

/// A memory, table, global or tag of an instance, with the key under which its store keeps it.
pub struct Shared<T> {
    /// The thing itself.
    pub item: T,
    /// Its name in the store.
    pub key: Key,
    /// Whether the instance defined it.
    pub own: bool,
}

/// An instance's Rust side.
pub struct Instance {
    context: *mut InstanceContext,
    /// The module and its code.
    pub code: Arc<ModuleCode>,
    /// Memories, imported ones first.
    pub memories: Vec<Shared<Rc<LinearMemory>>>,
    /// Tables, imported ones first.
    pub tables: Vec<Shared<Rc<Table>>>,
    /// Globals that are not inline in the context.
    pub globals: Vec<Option<Shared<Rc<Global>>>>,
    /// Exception tags, imported ones first.
    pub tags: Vec<Shared<Arc<Tag>>>,
    /// Host functions made for this instance's imports.
    pub hosts: Vec<Box<HostFunction>>,
    /// Cells of each element segment; empty once dropped.
    pub elements: Vec<Box<[u64]>>,
    /// Whether each data segment was dropped.
    pub data_dropped: Vec<bool>,
    /// Instances that may hold references to one another.
    pub group: Key,
    /// Its own key.
    pub key: Key,
    /// Whether the embedder let go of it.
    pub closed: bool,
}

impl Instance {
    /// Allocates the zeroed context for a module's instance.
    pub fn allocate(code: &ModuleCode) -> *mut InstanceContext {
        let layout = Self::allocation(code);
        // SAFETY: the header alone makes the size non-zero.
        let context = unsafe { alloc_zeroed(layout) };
        if context.is_null() {
            handle_alloc_error(layout);
        }
        context.cast()
    }

    fn allocation(code: &ModuleCode) -> Allocation {
        let size = code.layout.size().next_multiple_of(16);
        // The verifier bounds the number of items far below where this could overflow.
        Allocation::from_size_align(size, 16).unwrap_or(Allocation::new::<InstanceContext>())
    }

    /// An instance around a context made by [`Self::allocate`] for the same code.
    pub fn new(context: *mut InstanceContext, code: Arc<ModuleCode>, group: Key, key: Key) -> Self {
        let data_dropped = vec![false; code.module.data.len()];
        Self {
            context,
            code,
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            hosts: Vec::new(),
            elements: Vec::new(),
            data_dropped,
            group,
            key,
            closed: false,
        }
    }

    /// What its code sees.
    pub fn context(&self) -> *mut InstanceContext {
        self.context
    }

    /// The context's slot of a function.
    pub fn func_ref(&self, index: u32) -> *mut FuncRef {
        self.at(self.code.layout.function(index))
    }

    /// The context's slot of a memory.
    pub fn memory_slot(&self, index: u32) -> *mut MemorySlot {
        self.at(self.code.layout.memory(index))
    }

    /// The context's slot of a table.
    pub fn table_slot(&self, index: u32) -> *mut *mut TableDef {
        self.at(self.code.layout.table(index))
    }

    /// The context's slot of a global.
    pub fn global_slot(&self, index: u32) -> *mut GlobalSlot {
        self.at(self.code.layout.global(index))
    }

    /// The context's slot of an exception tag.
    pub fn tag_slot(&self, index: u32) -> *mut *const Tag {
        self.at(self.code.layout.tag(index))
    }

    fn at<T>(&self, offset: u32) -> *mut T {
        debug_assert!((offset as usize) < self.code.layout.size());
        self.context.wrapping_byte_add(offset as usize).cast()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: made by `allocate` with the same layout; the store drops an instance only when
        // nothing can reach its context any more.
        unsafe { dealloc(self.context.cast(), Self::allocation(&self.code)) };
    }
}
