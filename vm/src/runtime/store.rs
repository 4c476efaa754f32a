//! A store: everything that the programs in it share, and the only owner of it.

use std::any::Any;
use std::cell::{RefCell, UnsafeCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::context::{FuncRef, StoreContext};
use super::engine::Engine;
use super::exception::{Catcher, Tag, Thrown};
use super::instance::{Global, HostFunction, Instance};
use super::interrupt::InterruptState;
use super::memory::LinearMemory;
use super::roots::HostRoots;
use super::sampler::Sampler;
use super::slab::{Key, Slab};
use super::stack::Stack;
use super::table::Table;
use super::trap::{Trap, TrapKind};
use crate::heap::{Heap, HeapView};

/// What a store's programs may use, all together.
///
/// ```
/// use pinfold_vm::api::{Engine, Memory, MemoryType, Store, StoreLimits};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limits = StoreLimits { memory: 1 << 20, ..StoreLimits::default() };
/// let mut store = Store::with_limits(&Engine::default(), (), limits);
/// // A page has 64 KiB.
/// assert!(Memory::new(&mut store, MemoryType::new(16, None)).is_ok());
/// assert!(Memory::new(&mut store, MemoryType::new(1, None)).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// Bytes of linear memories, tables and the heap.
    pub memory: u64,
    /// Elements of one table.
    pub table_elements: u64,
    /// Instances at one time.
    pub instances: usize,
    /// Host values that its guests may have references to at a time. When there are as many, those that no guest can reach any
    /// more are looked for before one more is refused.
    pub host_values: usize,
    /// Bytes of guest stack, native and interpreter's each.
    pub stack: usize,
    /// Whether growth beyond `memory` fails as the operator can (`-1`), instead of ending the
    /// program with [`TrapKind::OutOfMemory`].
    pub grow_fails_softly: bool,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            table_elements: 10_000_000,
            instances: 10_000,
            host_values: 1 << 20,
            stack: 1 << 20,
            grow_fails_softly: false,
        }
    }
}

/// Instances that may hold references to one another; freed together.
#[derive(Default)]
pub struct Group {
    members: Vec<Key>,
    /// Members that the embedder has not closed, and things that live as long as the store.
    live: usize,
}

/// The Rust side of a store.
pub struct StoreInner {
    /// What code sees. Boxed: never moves.
    context: Box<UnsafeCell<StoreContext>>,
    /// Tells stores apart, for handles.
    pub id: u64,
    /// The engine.
    pub engine: Arc<Engine>,
    /// The embedder's data; a pointer to its `T`.
    pub data: *mut (),
    /// The trap that ends the present run.
    pub pending: Option<Trap>,
    /// A panic of a host function, to be passed on.
    pub panic: Option<Box<dyn Any + Send>>,
    /// Instances.
    pub instances: Slab<Box<Instance>>,
    /// Groups of instances.
    pub groups: Slab<Group>,
    /// Memories by handle.
    pub memories: Slab<Rc<LinearMemory>>,
    /// Tables by handle.
    pub tables: Slab<Rc<Table>>,
    /// Globals by handle.
    pub globals: Slab<Rc<Global>>,
    /// Exception tags by handle.
    pub tags: Slab<Arc<Tag>>,
    /// Tags by the number that exceptions in the heap have of them; none in place of one that is gone.
    pub tag_numbers: Vec<Option<Arc<Tag>>>,
    /// The heap, once something needs one.
    pub heap: Option<Box<Heap>>,
    /// How much of `used` is the heap's.
    pub heap_used: u64,
    /// References that the host holds.
    pub roots: RefCell<HostRoots>,
    /// References that the runtime itself holds for a while.
    pub temporaries: Vec<u32>,
    /// What [`StoreContext::functions`] points to.
    pub functions: Vec<*mut FuncRef>,
    /// What [`StoreContext::payload`] points to.
    pub payload: Vec<u64>,
    /// Host functions that live as long as the store, with their references.
    pub host_functions: Vec<Box<(super::context::FuncRef, HostFunction)>>,
    /// What its programs may use.
    pub limits: StoreLimits,
    /// Bytes of memories, tables and the heap in use.
    pub used: u64,
    /// Most bytes of memories, tables and the heap in use at one time.
    pub peak: u64,
    /// Who looks on, if somebody does.
    pub debugger: Option<super::debug::Debugger>,
    /// What takes samples of its guests' stacks, if somebody wants them.
    pub sampler: Option<Box<Sampler>>,
    /// How often the interpreter went on in compiled code in mid-loop.
    pub loops_entered: u64,
    /// How other threads reach it.
    pub interrupt: Arc<InterruptState>,
    /// Where whoever called into the guest left its own stack; null while nothing runs.
    pub host_stack: *mut u8,
    stack: Option<Stack>,
    /// Groups to be freed when nothing runs.
    graveyard: Vec<Key>,
}

// SAFETY: everything a store points to is owned by it and is only used through `&mut` of it;
// host functions and extern values are `Send + Sync`; the embedder's data is checked by the API's type.
unsafe impl Send for StoreInner {}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl StoreInner {
    /// An empty store.
    pub fn new(engine: Arc<Engine>, limits: StoreLimits) -> Box<Self> {
        let context = Box::new(UnsafeCell::new(StoreContext {
            fuel: i64::MAX,
            interrupt: AtomicU32::new(0),
            has_pending: 0,
            stack_limit: 0,
            activation: std::ptr::null_mut(),
            exit_fp: 0,
            exit_pc: 0,
            value_top: std::ptr::null_mut(),
            value_limit: std::ptr::null_mut(),
            tail_callee: std::ptr::null(),
            tail_arguments: std::ptr::null_mut(),
            tail_unpack: std::ptr::null(),
            code_ready: 0,
            heap: HeapView { base: std::ptr::null_mut(), top: 0, limit: 0 },
            functions: std::ptr::null(),
            function_count: 0,
            payload: std::ptr::dangling_mut(),
            thrown: Thrown { tag: std::ptr::null(), object: 0 },
            catcher: Catcher::NONE,
            leave: crate::jit::builtins::leave as *const (),
            store: std::ptr::null_mut(),
        }));
        let interrupt = Arc::new(InterruptState::new(context.get()));
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let mut store = Box::new(Self {
            context,
            id,
            engine,
            data: std::ptr::null_mut(),
            pending: None,
            panic: None,
            instances: Slab::default(),
            groups: Slab::default(),
            memories: Slab::default(),
            tables: Slab::default(),
            globals: Slab::default(),
            tags: Slab::default(),
            tag_numbers: Vec::new(),
            heap: None,
            heap_used: 0,
            roots: RefCell::default(),
            temporaries: Vec::new(),
            functions: vec![std::ptr::null_mut()],
            payload: Vec::new(),
            host_functions: Vec::new(),
            limits,
            used: 0,
            peak: 0,
            debugger: None,
            sampler: None,
            loops_entered: 0,
            interrupt,
            host_stack: std::ptr::null_mut(),
            stack: None,
            graveyard: Vec::new(),
        });
        let this: *mut Self = &mut *store;
        // SAFETY: the context was just made; the box keeps `this` in place.
        unsafe {
            (*store.context.get()).store = this.cast();
            (*store.context.get()).functions = store.functions.as_ptr();
            (*store.context.get()).function_count = store.functions.len() as u32;
        }
        store
    }

    /// What code sees.
    pub fn context(&self) -> *mut StoreContext {
        self.context.get()
    }

    /// The store behind a context.
    ///
    /// # Safety
    /// The context is live, and no other reference to its store is used while this one is.
    pub unsafe fn of<'a>(context: *mut StoreContext) -> &'a mut Self {
        // SAFETY: by contract; `new` set the pointer.
        unsafe { &mut *(*context).store.cast() }
    }

    /// Whether guest code is running, that is: a host function is being called.
    pub fn running(&self) -> bool {
        // SAFETY: the context lives as long as the store.
        unsafe { !(*self.context()).activation.is_null() }
    }

    /// Counts bytes against the memory limit; `Err` if they are too many.
    pub fn charge(&mut self, bytes: u64) -> Result<(), TrapKind> {
        let used = self.used.checked_add(bytes).ok_or(TrapKind::OutOfMemory)?;
        if used > self.limits.memory {
            return Err(TrapKind::OutOfMemory);
        }
        self.used = used;
        self.peak = self.peak.max(used);
        Ok(())
    }

    /// Makes sure there are stacks to run on; the top of the native one.
    pub fn stack_top(&mut self) -> std::io::Result<*mut u8> {
        if self.stack.is_none() {
            let stack = Stack::new(self.limits.stack)?;
            // SAFETY: the context lives as long as the store.
            let context = unsafe { &mut *self.context.get() };
            context.stack_limit = stack.limit();
            context.value_top = stack.values();
            context.value_limit = stack.values_end();
            for instance in self.instances.values() {
                // SAFETY: live instances have live contexts.
                unsafe { (*instance.context()).stack_limit = stack.limit() };
            }
            self.stack = Some(stack);
        }
        Ok(self.stack.as_ref().map_or(std::ptr::null_mut(), Stack::native_top))
    }

    /// Where the native stack ends and the value stack starts; null before anything ran.
    pub fn stacks(&self) -> (*const u8, *const u64) {
        let ends = self.stack.as_ref().map(|stack| (stack.native_top().cast_const(), stack.values().cast_const()));
        ends.unwrap_or((std::ptr::null(), std::ptr::null()))
    }

    /// A group with one member.
    pub fn new_group(&mut self, member: Key) -> Key {
        self.groups.insert(Group { members: vec![member], live: 1 })
    }

    /// Lets two groups live and die together.
    pub fn join(&mut self, a: Key, b: Key) {
        if a == b {
            return;
        }
        let size = |key| self.groups.get(key).map_or(0, |g: &Group| g.members.len());
        let (keep, other) = if size(a) >= size(b) { (a, b) } else { (b, a) };
        let Some(gone) = self.groups.remove(other) else { return };
        for member in &gone.members {
            if let Some(instance) = self.instances.get_mut(*member) {
                instance.group = keep;
            }
        }
        if let Some(group) = self.groups.get_mut(keep) {
            group.live += gone.live;
            group.members.extend(gone.members);
        }
    }

    /// Keeps a group as long as the store.
    pub fn pin(&mut self, group: Key) {
        if let Some(group) = self.groups.get_mut(group) {
            group.live += 1;
        }
    }

    /// The embedder lets go of an instance: it is freed as soon as nothing can reach it.
    /// `false` if that was done before.
    pub fn close(&mut self, key: Key) -> bool {
        let Some(instance) = self.instances.get_mut(key).filter(|i| !i.closed) else { return false };
        instance.closed = true;
        let key = instance.group;
        let Some(group) = self.groups.get_mut(key) else { return false };
        group.live -= 1;
        if group.live == 0 {
            if self.running() {
                self.graveyard.push(key);
            } else {
                self.free(key);
            }
        }
        true
    }

    /// Frees what was closed while something ran, unless something still does. Whoever entered the
    /// guest calls this once the results are read: references among them may be to what goes.
    pub fn bury(&mut self) {
        if self.running() {
            return;
        }
        for group in std::mem::take(&mut self.graveyard) {
            if self.groups.get(group).is_some_and(|g| g.live == 0) {
                self.free(group);
            }
        }
    }

    fn free(&mut self, group: Key) {
        let Some(group) = self.groups.remove(group) else { return };
        for member in group.members {
            let Some(instance) = self.instances.remove(member) else { continue };
            self.forget_functions(&instance);
            for memory in instance.memories.iter().filter(|m| m.own) {
                self.memories.remove(memory.key);
                self.used -= memory.item.len() as u64;
            }
            for table in instance.tables.iter().filter(|t| t.own) {
                self.tables.remove(table.key);
                self.used -= table.item.len() as u64 * 8;
            }
            for global in instance.globals.iter().flatten().filter(|g| g.own) {
                self.globals.remove(global.key);
            }
            for tag in instance.tags.iter().filter(|t| t.own) {
                self.tags.remove(tag.key);
                self.tag_numbers[tag.item.number as usize] = None;
            }
        }
    }
}

impl Drop for StoreInner {
    fn drop(&mut self) {
        self.interrupt.detach();
    }
}
