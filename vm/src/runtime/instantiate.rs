//! From a module and its imports to an instance.

use std::rc::Rc;
use std::sync::Arc;

use super::code::ModuleCode;
use super::config::MemoryKind;
use super::context::{FuncRef, GlobalSlot, InstanceContext, StoreContext};
use super::instance::{Global, HostFunction, HostType, Instance, Shared};
use super::memory::LinearMemory;
use super::slab::Key;
use super::snapshot::{self, SnapshotError, State};
use super::store::StoreInner;
use super::table::Table;
use super::trap::TrapKind;
use super::{constants, operations, tier};
use crate::module::{ConstExpr, ElementMode, FuncIndex, ImportKind};
use crate::types::{AddressType, TypeId};

/// Something given for an import, already checked to have the right type.
pub enum Given {
    /// A function of some instance, or of the store's own host functions.
    Func(*const FuncRef),
    /// A host function to be made for this instance.
    Host(HostFunction),
    /// A table.
    Table(Key),
    /// A memory.
    Memory(Key),
    /// A global.
    Global(Key),
    /// An exception tag.
    Tag(Key),
}

/// Why an instance could not be made.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, Instance, Module, Store, StoreLimits};
/// use pinfold_vm::runtime::instantiate::InstantiateError;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str("(module (memory 100))")?)?;
/// let store = Store::with_limits(&engine, (), StoreLimits { memory: 1 << 20, ..StoreLimits::default() });
/// let made = Instance::new(store, &module, &[]);
/// assert!(matches!(made, Err(Error::Instantiate(InstantiateError::Limit { .. }))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstantiateError {
    /// A limit of the store, or of the host's memory.
    #[error("{what} does not fit: {why}")]
    Limit {
        /// What was wanted.
        what: String,
        /// Which limit, and which setting raises it.
        why: String,
    },
    /// An active segment does not fit, or the start function trapped.
    #[error("{0}")]
    Trap(TrapKind),
    /// The module is a snapshot that cannot be gone on with.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// What an instance begins with.
#[derive(Clone, Copy)]
pub enum Beginning<'a> {
    /// What its module says.
    New,
    /// What its module had come to, and where in the module the contents of its memories are.
    Snapshot(&'a State, usize),
}

/// Makes an instance, up to but not including its start function.
///
/// # Safety
/// `given` has one entry for each import, of its kind and type, of this store.
pub unsafe fn instantiate(
    store: &mut StoreInner,
    code: &Arc<ModuleCode>,
    given: Vec<Given>,
    beginning: Beginning<'_>,
) -> Result<Key, InstantiateError> {
    if store.instances.values().count() >= store.limits.instances {
        return Err(InstantiateError::Limit {
            what: "one more instance".into(),
            why: format!("the store may hold {}", store.limits.instances),
        });
    }
    let context = Instance::allocate(code);
    // The key is not known before the instance is in the slab; it goes in with a key of its own.
    let group_of_one = |store: &mut StoreInner, instance| {
        let key = store.instances.insert(instance);
        let group = store.new_group(key);
        if let Some(instance) = store.instances.get_mut(key) {
            instance.key = key;
            instance.group = group;
        }
        key
    };
    let placeholder = Key::default();
    let key = group_of_one(store, Box::new(Instance::new(context, code.clone(), placeholder, placeholder)));
    let built = build(store, key, code, given, beginning);
    if let Err(error) = built {
        store.close(key);
        return Err(error);
    }
    Ok(key)
}

fn build(
    store: &mut StoreInner,
    key: Key,
    code: &Arc<ModuleCode>,
    given: Vec<Given>,
    beginning: Beginning<'_>,
) -> Result<(), InstantiateError> {
    let Some(instance) = store.instances.get_mut(key) else { unreachable!("just inserted") };
    let instance: *mut Instance = &mut **instance;
    // SAFETY: boxed, so it stays where it is; nothing else uses it while it is being built.
    let instance = unsafe { &mut *instance };
    heap(store, code)?;
    header(store, instance, code);
    import(store, instance, given)?;
    functions(store, instance);
    tables(store, instance)?;
    let place = match beginning {
        Beginning::Snapshot(state, image) if store.engine.config.memory == MemoryKind::Reserved => {
            snapshot::place(&code.module, state, image)
        }
        _ => None,
    };
    memories(store, instance, place)?;
    globals(store, instance)?;
    fill_tables(instance)?;
    tags(store, instance)?;
    elements(instance)?;
    match beginning {
        Beginning::New => {
            fill_from_elements(instance)?;
            data(store, instance)
        }
        Beginning::Snapshot(state, image) => Ok(snapshot::restore(store, instance, state, image, place.is_some())?),
    }
}

/// Makes sure that the store's heap is there if it is needed, and knows the module's types if it is there.
fn heap(store: &mut StoreInner, code: &Arc<ModuleCode>) -> Result<(), InstantiateError> {
    if !code.module.needs_heap() && store.heap.is_none() {
        return Ok(());
    }
    store
        .prepare_heap(&code.module)
        .map_err(|error| InstantiateError::Limit { what: "a heap for objects".into(), why: error.to_string() })
}

/// Puts first elements into tables that say what those are.
fn fill_tables(instance: &Instance) -> Result<(), InstantiateError> {
    let module = &instance.code.module;
    for (init, table) in module.table_inits.iter().zip(&instance.tables[module.imported.tables as usize..]) {
        if let Some(init) = init {
            let cell = evaluate(instance, init)? as u64;
            // SAFETY: nobody else looks at the cells meanwhile.
            unsafe { table.item.cells().fill(cell) };
        }
    }
    Ok(())
}

fn header(store: &StoreInner, instance: &mut Instance, code: &Arc<ModuleCode>) {
    let header = InstanceContext {
        store: store.context(),
        builtins: crate::jit::builtins::table().cast(),
        // SAFETY: the store's context is live.
        stack_limit: unsafe { (*store.context()).stack_limit },
        instance: (&raw mut *instance).cast(),
        code: Arc::as_ptr(code),
        // SAFETY: as above.
        heap: unsafe { (*store.context()).heap.base },
    };
    // SAFETY: allocated for this.
    unsafe { instance.context().write(header) };
}

fn import(store: &mut StoreInner, instance: &mut Instance, given: Vec<Given>) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    let mut func = 0;
    for (given, import) in given.into_iter().zip(&code.module.imports) {
        match given {
            Given::Func(source) => {
                // SAFETY: by the contract of `instantiate`; the slot is this import's.
                unsafe { instance.func_ref(func).write(*source) };
                join_owner(store, instance, source);
                func += 1;
            }
            Given::Host(mut host) => {
                host.header.importer = instance.context();
                let type_id = type_id(store, &host.ty)?;
                let mut host = Box::new(host);
                let func_ref = FuncRef {
                    code: std::ptr::null(),
                    context: (&raw mut *host).cast(),
                    type_id,
                    index: FuncRef::HOST,
                    number: 0,
                    pad: 0,
                };
                // SAFETY: the slot is this import's.
                unsafe { instance.func_ref(func).write(func_ref) };
                instance.hosts.push(host);
                func += 1;
            }
            Given::Table(key) => {
                let Some(item) = store.tables.get(key).cloned() else { continue };
                share(store, instance, |other| other.tables.iter().any(|t| t.own && t.key == key));
                instance.tables.push(Shared { item, key, own: false });
            }
            Given::Memory(key) => {
                let Some(item) = store.memories.get(key).cloned() else { continue };
                // The memory is kept by its count, but its bytes are charged to the defining
                // instance: they are freed together.
                share(store, instance, |other| other.memories.iter().any(|m| m.own && m.key == key));
                instance.memories.push(Shared { item, key, own: false });
            }
            Given::Global(key) => {
                let Some(item) = store.globals.get(key).cloned() else { continue };
                share(store, instance, |other| other.globals.iter().flatten().any(|g| g.own && g.key == key));
                instance.globals.push(Some(Shared { item, key, own: false }));
            }
            Given::Tag(key) => {
                let Some(item) = store.tags.get(key).cloned() else { continue };
                share(store, instance, |other| other.tags.iter().any(|t| t.own && t.key == key));
                instance.tags.push(Shared { item, key, own: false });
            }
        }
        debug_assert!(!matches!(import.kind, ImportKind::Func(_)) || func > 0);
    }
    Ok(())
}

/// The number of a host function's type, which the heap knows too.
fn type_id(store: &mut StoreInner, ty: &HostType) -> Result<TypeId, InstantiateError> {
    store
        .define_func(ty)
        .map_err(|error| InstantiateError::Limit { what: "a host function".into(), why: error.to_string() })
}

/// Ties an instance to the owner of a function that it can now reach.
fn join_owner(store: &mut StoreInner, instance: &Instance, func: *const FuncRef) {
    // SAFETY: given functions are live.
    if let Some(owner) = unsafe { owner(func) } {
        join_instances(store, instance.key, owner);
    }
}

/// The instance that a function belongs to; none for the store's own host functions.
///
/// # Safety
/// `func` is live.
pub unsafe fn owner(func: *const FuncRef) -> Option<Key> {
    // SAFETY: by contract; the first is an instance's context, the
    // second a host function's.
    unsafe {
        let context: *mut InstanceContext = match (*func).is_host() {
            true => (*(*func).context.cast::<super::context::HostContext>()).importer,
            false => (*func).context.cast(),
        };
        let context = context.as_ref()?;
        Some((*context.instance.cast::<Instance>()).key)
    }
}

/// Lets two instances live and die together.
pub fn join_instances(store: &mut StoreInner, a: Key, b: Key) {
    let group = |store: &StoreInner, key| store.instances.get(key).map(|i| i.group);
    if let (Some(a), Some(b)) = (group(store, a), group(store, b)) {
        store.join(a, b);
    }
}

/// Ties an instance to whoever owns a thing it imports: another instance, or the store.
fn share(store: &mut StoreInner, instance: &Instance, owns: impl Fn(&Instance) -> bool) {
    let found = store.instances.values().find(|other| owns(other)).map(|other| other.key);
    match found {
        Some(other) => join_instances(store, instance.key, other),
        None => {
            if let Some(group) = store.instances.get(instance.key).map(|i| i.group) {
                store.pin(group);
            }
        }
    }
}

fn functions(store: &StoreInner, instance: &Instance) {
    let module = &instance.code.module;
    let context: *mut StoreContext = store.context();
    for index in module.imported.functions..module.functions.len() as u32 {
        let func = FuncIndex(index);
        let code = module.defined(func).and_then(|f| instance.code.function(f).compiled());
        let func_ref = FuncRef {
            code: code.map_or(std::ptr::null(), |(code, _)| code),
            context: instance.context().cast(),
            type_id: module.func_type_id(func),
            index,
            number: 0,
            pad: 0,
        };
        // SAFETY: the slot is this function's.
        unsafe { instance.func_ref(index).write(func_ref) };
    }
    // SAFETY: the store's context is live.
    unsafe { tier::functions_added(context) };
}

fn tables(store: &mut StoreInner, instance: &mut Instance) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    for ty in &code.module.tables[code.module.imported.tables as usize..] {
        let what = || format!("a table of {} elements", ty.limits.min);
        if ty.limits.min > store.limits.table_elements {
            let why = format!("tables may have {} elements", store.limits.table_elements);
            return Err(InstantiateError::Limit { what: what(), why });
        }
        let bytes = ty.limits.min.saturating_mul(8);
        let charged = store.charge(bytes).is_ok();
        let table = if charged { Table::new(*ty, 0) } else { None };
        let Some(table) = table else {
            store.used -= if charged { bytes } else { 0 };
            let why = format!("the memory limit is {} bytes in all", store.limits.memory);
            return Err(InstantiateError::Limit { what: what(), why });
        };
        let item = Rc::new(table);
        let key = store.tables.insert(item.clone());
        instance.tables.push(Shared { item, key, own: true });
    }
    for (index, table) in instance.tables.iter().enumerate() {
        // SAFETY: the slot is this table's.
        unsafe { instance.table_slot(index as u32).write(table.item.def()) };
    }
    Ok(())
}

/// Makes the memories, the first of them in a place that is there.
fn memories(
    store: &mut StoreInner,
    instance: &mut Instance,
    mut place: Option<*mut u8>,
) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    for ty in &code.module.memories[code.module.imported.memories as usize..] {
        let what = || format!("a memory of {} pages of 64 KiB", ty.limits.min);
        let bytes = ty.min_bytes();
        if store.charge(bytes).is_err() {
            let why = format!("the memory limit is {} bytes in all", store.limits.memory);
            return Err(InstantiateError::Limit { what: what(), why });
        }
        let memory = match place.take() {
            Some(base) => LinearMemory::at(*ty, base),
            None => LinearMemory::new(*ty, store.engine.config.memory, store.limits.memory),
        };
        let memory = memory.map_err(|error| InstantiateError::Limit { what: what(), why: error.to_string() });
        let item = Rc::new(memory.inspect_err(|_| store.used -= bytes)?);
        let key = store.memories.insert(item.clone());
        instance.memories.push(Shared { item, key, own: true });
    }
    for (index, memory) in instance.memories.iter().enumerate() {
        // SAFETY: the slot is this memory's.
        unsafe { instance.memory_slot(index as u32).write(memory.item.slot()) };
    }
    Ok(())
}

fn globals(store: &mut StoreInner, instance: &mut Instance) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    let module = &code.module;
    for (index, global) in instance.globals.iter().flatten().enumerate() {
        let slot = GlobalSlot { cell: [0; 2], at: global.item.cell.get().cast(), pad: 0 };
        // SAFETY: the slot is this global's.
        unsafe { instance.global_slot(index as u32).write(slot) };
    }
    let inline = module.inline_globals();
    for (init, index) in module.global_inits.iter().zip(module.imported.globals..) {
        let bits = evaluate(instance, init)?;
        let slot = instance.global_slot(index);
        let cell = [bits as u64, (bits >> 64) as u64];
        // SAFETY: the slot is this global's; an inline cell is the slot's own start.
        unsafe {
            if inline[index as usize] {
                slot.write(GlobalSlot { cell, at: slot.cast(), pad: 0 });
                instance.globals.push(None);
            } else {
                let item = Rc::new(Global::new(module.globals[index as usize], bits));
                slot.write(GlobalSlot { cell: [0; 2], at: item.cell.get().cast(), pad: 0 });
                let key = store.globals.insert(item.clone());
                instance.globals.push(Some(Shared { item, key, own: true }));
            }
        }
    }
    Ok(())
}

/// The bits of a constant expression's value.
fn evaluate(instance: &Instance, expr: &ConstExpr) -> Result<u128, InstantiateError> {
    // SAFETY: the verifier admits only globals before the expression, whose slots are written.
    unsafe { constants::evaluate(instance.context(), expr).map_err(InstantiateError::Trap) }
}

fn tags(store: &mut StoreInner, instance: &mut Instance) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    let module = &code.module;
    for index in module.imported.tags..module.tags.len() as u32 {
        let ty = module.tags[index as usize];
        let tag = store.new_tag(module.func_type_at(ty).clone(), module.types[ty.index()].id);
        let item = tag.ok_or_else(|| InstantiateError::Limit {
            what: "one more exception tag".into(),
            why: "the engine has all the types that it can have".into(),
        })?;
        let key = store.tags.insert(item.clone());
        instance.tags.push(Shared { item, key, own: true });
    }
    for (index, tag) in instance.tags.iter().enumerate() {
        // SAFETY: the slot is this tag's.
        unsafe { instance.tag_slot(index as u32).write(Arc::as_ptr(&tag.item)) };
    }
    Ok(())
}

/// Where an active segment goes: an address or index of this type.
fn place(instance: &Instance, expr: &ConstExpr, address: AddressType) -> Result<u64, InstantiateError> {
    let bits = evaluate(instance, expr)? as u64;
    Ok(if address.is_64() { bits } else { u64::from(bits as u32) })
}

fn elements(instance: &mut Instance) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    for segment in &code.module.elements {
        let count = if matches!(segment.mode, ElementMode::Declared) { 0 } else { segment.items.len() };
        // In their place at once, where the collector sees them.
        instance.elements.push(vec![0; count].into());
        for (at, item) in segment.items[..count].iter().enumerate() {
            let cell = evaluate(instance, item)? as u64;
            if let Some(cells) = instance.elements.last_mut() {
                cells[at] = cell;
            }
        }
    }
    Ok(())
}

/// Uses the active element segments.
fn fill_from_elements(instance: &mut Instance) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    for (index, segment) in code.module.elements.iter().enumerate() {
        let ElementMode::Active { table, offset } = &segment.mode else { continue };
        let to = place(instance, offset, code.module.tables[table.index()].address)?;
        let len = segment.items.len() as u32;
        // SAFETY: the context is whole by now; indices are the verifier's.
        unsafe {
            operations::table_init(instance.context(), table.0, index as u32, to, 0, len)
                .map_err(InstantiateError::Trap)?;
            operations::elem_drop(instance.context(), index as u32);
        }
    }
    Ok(())
}

fn data(store: &StoreInner, instance: &mut Instance) -> Result<(), InstantiateError> {
    let code = instance.code.clone();
    if store.engine.config.memory == MemoryKind::Reserved
        && let Some(image) = code.image()
        && let Some(memory) = instance.memories.first()
        && image.map(&memory.item).is_ok()
    {
        for (segment, dropped) in code.module.data.iter().zip(&mut instance.data_dropped) {
            *dropped |= segment.active.is_some();
        }
        return Ok(());
    }
    for (index, segment) in code.module.data.iter().enumerate() {
        let Some((memory, offset)) = &segment.active else { continue };
        let to = place(instance, offset, code.module.memories[memory.index()].address)?;
        let len = segment.bytes.len() as u32;
        // SAFETY: as in `elements`.
        unsafe {
            operations::memory_init(instance.context(), memory.0, index as u32, to, 0, len)
                .map_err(InstantiateError::Trap)?;
            operations::data_drop(instance.context(), index as u32);
        }
    }
    Ok(())
}
