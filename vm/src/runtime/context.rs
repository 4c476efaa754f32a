//! The memory that both tiers and compiled code agree on: layouts, and the two calling
//! conventions by which tiers meet.
//!
//! ```text
//!  StoreContext ◄──────── InstanceContext ─┬─ header
//!  fuel, limits,          (one allocation, ├─ memories  [MemorySlot]      one per memory
//!  activations            address fixed)   ├─ tables    [*mut TableDef]   one per table
//!                                          ├─ globals   [GlobalSlot]      one per global
//!                                          ├─ tags      [*const Tag]      one per exception tag
//!                                          └─ functions [FuncRef]         one per function
//! ```
//!
//! **Array convention**: arguments stand in consecutive 8-byte slots (`v128` takes two, low half
//! first; 32-bit values in the low half of a slot, the rest zero), the callee writes its
//! results to the same buffer from its start. A reference to a function is a [`FuncRef`] pointer or null, any other
//! reference 32 bits as [`crate::heap`] has them.
//!
//! **Compiled convention**: Cranelift's `tail`; hidden parameters first: the callee's context
//! (`FuncRef::context`) and the callee's [`FuncRef`]; compiled bodies ignore the second, stubs
//! that stand for interpreted and host functions find out by it whom they stand for.
//!
//! Invariant: an [`InstanceContext`] never moves, and lives as long as any instance of its store
//! that could hold a reference to one of its functions.

use std::mem::{offset_of, size_of};

use super::code::ModuleCode;
use super::exception::{Catcher, Tag, Thrown};
use super::trap::TrapKind;
use crate::heap::HeapView;
use crate::module::Module;
use crate::types::TypeId;

/// State of a store that running code reads and writes. One per store, boxed, never moves.
#[repr(C)]
pub struct StoreContext {
    /// Fuel left; metered code subtracts and traps with [`TrapKind::OutOfFuel`] below zero.
    pub fuel: i64,
    /// Non-zero asks the guest to stop: the [`TrapKind`] to stop with, as a number. Written by
    /// other threads (atomically), polled by the interpreter at loop headers and calls, by
    /// compiled code only where signals are off, and by everything that takes long. It may also say
    /// that nobody asks for that, but a sample of the stack waits ([`LOOK_UP`](super::sampler::LOOK_UP)).
    pub interrupt: std::sync::atomic::AtomicU32,
    /// 1 if a host function or builtin left a trap in the store's pending place.
    pub has_pending: u32,
    /// Lowest address that guest frames may reach on the native stack.
    pub stack_limit: usize,
    /// Newest activation: the chain of tier entries, for backtraces and unwinding.
    pub activation: *mut Activation,
    /// Frame pointer of compiled code when it last called out. Written by the builtin thunks.
    pub exit_fp: usize,
    /// Return address into compiled code of that call.
    pub exit_pc: usize,
    /// First free slot of the value stack, where the next interpreter frame may start.
    pub value_top: *mut u64,
    /// End of the value stack.
    pub value_limit: *mut u64,
    /// 1 once every function of the store has an entry for compiled callers.
    pub code_ready: u32,
    /// The callee of a tail call that is handed on ([`Outcome::TailCall`](super::Outcome)).
    pub tail_callee: *const FuncRef,
    /// Its arguments, in the array convention; on the value stack, valid until the next call.
    pub tail_arguments: *mut u64,
    /// The unpack trampoline of the callee's type, for stubs: calls it with arguments from a buffer.
    pub tail_unpack: *const u8,
    /// Payload of the exception that is being thrown, in the array convention; room for that of any tag.
    pub payload: *mut u64,
    /// The exception that is being thrown.
    pub thrown: Thrown,
    /// Who catches it.
    pub catcher: Catcher,
    /// The heap, as code sees it.
    pub heap: HeapView,
    /// Functions that objects in the heap refer to, by number; null in place of one that is gone. Entry 0 is null.
    pub functions: *const *mut FuncRef,
    /// How many entries there are.
    pub function_count: u32,
    /// Where stubs go on when their callee failed (`jit::builtins::leave`).
    pub leave: *const (),
    /// The store's Rust side (`runtime::store::StoreInner`), opaque here.
    pub store: *mut (),
}

/// Header of an instance's context; the variable part follows, laid out by [`Layout`].
#[repr(C)]
pub struct InstanceContext {
    /// The store.
    pub store: *mut StoreContext,
    /// Addresses of the runtime's functions that compiled code calls.
    pub builtins: *const (),
    /// A copy of [`StoreContext::stack_limit`], one load nearer.
    pub stack_limit: usize,
    /// The instance's Rust side (`runtime::instance::Instance`).
    pub instance: *mut (),
    /// The module and its code, kept alive by the instance.
    pub code: *const ModuleCode,
    /// A copy of [`HeapView::base`], one load nearer.
    pub heap: *mut u8,
}

/// One memory as an instance sees it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct MemorySlot {
    /// The memory.
    pub def: *mut MemoryDef,
    /// Its base, valid for good if the memory is of the reserved kind, which cannot move.
    pub base: *mut u8,
    /// Where its guard begins, counted from the base, if it is of the reserved kind.
    pub bound: usize,
}

/// A linear memory's current place and size. Owned by its store, never moves itself.
#[repr(C)]
pub struct MemoryDef {
    /// First byte.
    pub base: *mut u8,
    /// Bytes that may be accessed now.
    pub len: usize,
}

/// A table's current place and size. Owned by its store, never moves itself.
#[repr(C)]
pub struct TableDef {
    /// First cell. Every cell has 8 bytes: a `*mut FuncRef`, or another reference in the low half.
    pub base: *mut u64,
    /// Elements now.
    pub len: usize,
}

/// A global as an instance sees it: where its cell is, and the cell itself if it is inline.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub struct GlobalSlot {
    /// The cell, if [`Module::is_global_inline`] holds; unused otherwise.
    pub cell: [u64; 2],
    /// Where the cell is: in this slot, or in the store.
    pub at: *mut u64,
    /// Keeps slots 16-byte aligned.
    pub pad: u64,
}

/// A function as code sees it: what a `funcref` points to.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct FuncRef {
    /// Entry for callers in compiled code, in the compiled convention. Null until the store
    /// holds compiled code that could call a function of this type.
    pub code: *const u8,
    /// The callee's context: an [`InstanceContext`], or a [`HostContext`] for a host function.
    pub context: *mut (),
    /// The function's type.
    pub type_id: TypeId,
    /// Index in its module, or [`FuncRef::HOST`].
    pub index: u32,
    /// Its number in [`StoreContext::functions`], zero as long as it has none.
    pub number: u32,
    /// Keeps the size a multiple of 16.
    pub pad: u32,
}

impl FuncRef {
    /// The `index` of a host function.
    pub const HOST: u32 = u32::MAX;

    /// Whether this is a host function.
    pub fn is_host(&self) -> bool {
        self.index == Self::HOST
    }
}

/// What a host function's [`FuncRef::context`] points to.
#[repr(C)]
pub struct HostContext {
    /// The store that the function belongs to. First, as in [`InstanceContext`].
    pub store: *mut StoreContext,
    /// Runs it in the array convention. Returns `true` on success; otherwise the trap is in the
    /// store's pending place.
    pub call: unsafe extern "sysv64" fn(context: *mut HostContext, buffer: *mut u64) -> bool,
    /// The instance that imported the function, null if none did: what `Caller` sees.
    pub importer: *mut InstanceContext,
}

/// One entry into a tier, linked to the one before. Lives on the native stack of the entry.
#[repr(C)]
pub struct Activation {
    /// The entry before this one.
    pub previous: *mut Activation,
    /// Which tier was entered: [`Activation::INTERPRETER`], [`Activation::COMPILED`], or [`Activation::HOST`].
    pub kind: u32,
    /// Interpreter: 1 while something stands in for the newest frame: the callee of its tail call, or its function's code.
    pub replaced: u32,
    /// Compiled: native stack pointer to unwind to. Interpreter: the newest frame's slots.
    pub sp: usize,
    /// Compiled: frame pointer of the entry trampoline's caller, where the frame walk ends.
    /// Interpreter: the newest frame's instruction pointer, as of its last call out.
    pub fp: usize,
    /// Compiled: the store's `exit_fp` and `exit_pc`, saved when a newer activation starts.
    pub exit_fp: usize,
    /// See `exit_fp`.
    pub exit_pc: usize,
    /// Interpreter: its private frame-walk state (e.g. a pointer to its frame stack).
    pub data: *mut (),
}

impl Activation {
    /// An interpreter run.
    pub const INTERPRETER: u32 = 0;
    /// An entry into compiled code.
    pub const COMPILED: u32 = 1;
    /// The host calls a guest: the end of what an exception can pass by itself.
    pub const HOST: u32 = 2;
}

/// What code that is entered in mid-loop takes in place of its [`FuncRef`] and all arguments: the frame of the interpreter that
/// it goes on for.
#[repr(C)]
pub struct LoopFrame {
    /// The frame's first slot.
    pub slots: *mut u64,
    /// The callee of the tail call that the frame has ended in, null if in none. Its arguments are after
    /// room for results, where the frame's operands begin.
    pub tail_callee: *const FuncRef,
}

/// Offsets of the variable part of an [`InstanceContext`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    memories: u32,
    tables: u32,
    globals: u32,
    tags: u32,
    functions: u32,
    size: u32,
}

impl Layout {
    /// The layout for instances of a module.
    pub fn new(module: &Module) -> Self {
        let memories = size_of::<InstanceContext>() as u32;
        let tables = memories + (module.memories.len() * size_of::<MemorySlot>()) as u32;
        let globals = (tables + (module.tables.len() * size_of::<*mut TableDef>()) as u32).next_multiple_of(16);
        let tags = globals + (module.globals.len() * size_of::<GlobalSlot>()) as u32;
        let functions = tags + (module.tags.len() * size_of::<*const Tag>()) as u32;
        let size = functions + (module.functions.len() * size_of::<FuncRef>()) as u32;
        Self { memories, tables, globals, tags, functions, size }
    }

    /// Bytes of a whole context.
    pub fn size(&self) -> usize {
        self.size as usize
    }

    /// Offset of a memory's [`MemorySlot`].
    pub fn memory(&self, index: u32) -> u32 {
        self.memories + index * size_of::<MemorySlot>() as u32
    }

    /// Offset of the pointer to a table's [`TableDef`].
    pub fn table(&self, index: u32) -> u32 {
        self.tables + index * size_of::<*mut TableDef>() as u32
    }

    /// Offset of a global's [`GlobalSlot`].
    pub fn global(&self, index: u32) -> u32 {
        self.globals + index * size_of::<GlobalSlot>() as u32
    }

    /// Offset of the pointer to an exception tag's [`Tag`].
    pub fn tag(&self, index: u32) -> u32 {
        self.tags + index * size_of::<*const Tag>() as u32
    }

    /// Offset of a function's [`FuncRef`].
    pub fn function(&self, index: u32) -> u32 {
        self.functions + index * size_of::<FuncRef>() as u32
    }
}

const _: () = assert!(size_of::<InstanceContext>().is_multiple_of(16) && offset_of!(GlobalSlot, cell) == 0);

impl StoreContext {
    /// Reads the request to stop, if there is one.
    pub fn interrupted(&self) -> Option<TrapKind> {
        TrapKind::from_number(self.interrupt.load(std::sync::atomic::Ordering::Relaxed))
    }
}
