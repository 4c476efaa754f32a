//! Memories, tables, globals and exception tags as the host sees them.

use super::error::{Error, Result};
use super::func::Func;
use super::store::{AsContext, AsContextMut};
use super::types::too_many;
use super::val::{self, Val};
use crate::runtime::instantiate;
use crate::runtime::memory::LinearMemory;
use crate::runtime::operations::{grow_memory, grow_table};
use crate::runtime::slab::Key;
use crate::runtime::store::StoreInner;
use crate::runtime::{exception, instance, table};
use crate::types::{ExternType, FuncType, GlobalType, MemoryType, PAGE, TableType, ValType};
use std::rc::Rc;
use std::sync::Arc;

/// Something that can be imported and exported.
///
/// ```
/// use pinfold_vm::api::{Engine, Extern, Instance, Module, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(r#"(module (memory (export "memory") 2) (func (export "run")))"#)?)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// for (name, item) in instance.exports(&store)? {
///     match item {
///         Extern::Memory(memory) => assert_eq!((name.as_str(), memory.size(&store)?), ("memory", 2)),
///         other => assert_eq!((name.as_str(), other.ty(&store)?.to_string().as_str()), ("run", "func () -> ()")),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
    /// An exception tag.
    Tag(Tag),
}

impl Extern {
    /// Its type, with tables' and memories' present size as the smallest.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn ty(&self, store: impl AsContext) -> Result<ExternType> {
        Ok(match self {
            Self::Func(func) => ExternType::Func(func.ty(store)?),
            Self::Table(table) => ExternType::Table(table.ty(store)?),
            Self::Memory(memory) => ExternType::Memory(memory.ty(store)?),
            Self::Global(global) => ExternType::Global(global.ty(store)?),
            Self::Tag(tag) => ExternType::Tag(tag.ty(store)?),
        })
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        if let Self::Func(func) = self { Some(func) } else { None }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        if let Self::Memory(memory) = self { Some(memory) } else { None }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        if let Self::Table(table) = self { Some(table) } else { None }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        if let Self::Global(global) = self { Some(global) } else { None }
    }

    /// The exception tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        if let Self::Tag(tag) = self { Some(tag) } else { None }
    }
}

macro_rules! from {
    ($($name:ident)*) => {$(
        impl From<$name> for Extern {
            fn from(item: $name) -> Self {
                Self::$name(item)
            }
        }
    )*};
}

from! { Func Table Memory Global Tag }

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $field:ident, $item:ty, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            store: u64,
            pub(crate) key: Key,
        }

        impl $name {
            pub(crate) fn from_key(store: &StoreInner, key: Key) -> Self {
                Self { store: store.id, key }
            }

            pub(crate) fn item<'a>(&self, store: &'a StoreInner) -> Result<&'a $item> {
                let item = if self.store == store.id { store.$field.get(self.key) } else { None };
                item.ok_or(Error::Stale($what))
            }
        }
    };
}

handle! {
    /// A linear memory of a store.
    ///
    /// ```
    /// use pinfold_vm::api::{AddressType, Engine, Limits, Memory, MemoryType, Store};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let memory = Memory::new(&mut store, MemoryType::new(1, Some(3)))?;
    /// memory.write(&mut store, 8, b"pound")?;
    /// assert_eq!(memory.data(&store)?[8..13], *b"pound");
    /// assert_eq!((memory.grow(&mut store, 2)?, memory.size(&store)?), (1, 3));
    /// assert!(memory.grow(&mut store, 1).is_err(), "it may have three pages");
    /// let mut past = [0; 2];
    /// assert!(memory.read(&store, 3 * 65536 - 1, &mut past).is_err());
    /// # Ok(())
    /// # }
    /// ```
    Memory, memories, Rc<LinearMemory>, "the memory"
}

handle! {
    /// A table of a store.
    ///
    /// ```
    /// use pinfold_vm::api::{AddressType, Engine, Func, Limits, Store, Table, TableType, Val, ValType};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let limits = Limits { min: 2, max: Some(10) };
    /// let ty = TableType { address: AddressType::I32, element: ValType::FUNCREF, limits };
    /// let table = Table::new(&mut store, ty, &Val::FuncRef(None))?;
    /// let double = Func::wrap(&mut store, |n: i32| 2 * n);
    /// table.set(&mut store, 1, &double.into())?;
    /// let Some(Val::FuncRef(Some(func))) = table.get(&store, 1)? else { panic!() };
    /// assert_eq!(func.typed::<i32, i32>(&store)?.call(&mut store, 21)?, 42);
    /// assert_eq!((table.grow(&mut store, 1, &Val::FuncRef(None))?, table.size(&store)?), (2, 3));
    /// # Ok(())
    /// # }
    /// ```
    Table, tables, Rc<table::Table>, "the table"
}

handle! {
    /// A global of a store.
    ///
    /// ```
    /// use pinfold_vm::api::{Engine, Global, GlobalType, Store, Val, ValType};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let global = Global::new(&mut store, GlobalType { value: ValType::I64, mutable: true }, &Val::I64(1))?;
    /// global.set(&mut store, &Val::I64(2))?;
    /// assert_eq!(global.get(&store)?.i64(), Some(2));
    /// assert!(global.set(&mut store, &Val::I32(2)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    Global, globals, Rc<instance::Global>, "the global"
}

handle! {
    /// An exception tag of a store. Exceptions thrown with it are caught by those who name the same tag, not an equal one.
    ///
    /// ```
    /// use pinfold_vm::api::{Engine, Store, Tag, ValType};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let tag = Tag::new(&mut store, &[ValType::I32, ValType::EXTERNREF])?;
    /// assert_eq!(tag.ty(&store)?.params(), [ValType::I32, ValType::EXTERNREF]);
    /// # Ok(())
    /// # }
    /// ```
    Tag, tags, Arc<exception::Tag>, "the exception tag"
}

fn limit(what: String, store: &StoreInner) -> Error {
    let why = format!("the memory limit is {} bytes in all", store.limits.memory);
    instantiate::InstantiateError::Limit { what, why }.into()
}

fn no_growth(what: String, most: String, store: &StoreInner) -> Error {
    let why = format!(
        "{most}, and the memory limit is {} bytes in all, of which {} are used",
        store.limits.memory, store.used
    );
    instantiate::InstantiateError::Limit { what, why }.into()
}

impl Memory {
    /// A memory of the store's own.
    ///
    /// # Errors
    /// [`Error::Instantiate`], if the type, the store's limits or the host's memory do not let it.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Self> {
        let store = store.inner_mut();
        let what = || format!("a memory of {} pages of 64 KiB", ty.limits.min);
        // Guests' types are the verifier's; this one was seen by nobody yet.
        if ty.limits.min > ty.max_pages() {
            let why = format!("a memory of its type has {} pages at most", ty.max_pages());
            return Err(instantiate::InstantiateError::Limit { what: what(), why }.into());
        }
        let bytes = ty.min_bytes();
        store.charge(bytes).map_err(|_| limit(what(), store))?;
        let memory = LinearMemory::new(ty, store.engine.config.memory, store.limits.memory).map_err(|error| {
            store.used -= bytes;
            Error::from(instantiate::InstantiateError::Limit { what: what(), why: error.to_string() })
        })?;
        let key = store.memories.insert(Rc::new(memory));
        Ok(Self::from_key(store, key))
    }

    /// Its type, with the present size as the smallest.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn ty(&self, store: impl AsContext) -> Result<MemoryType> {
        let memory = self.item(store.inner())?;
        let mut ty = memory.ty();
        ty.limits.min = (memory.len() / PAGE) as u64;
        Ok(ty)
    }

    /// Size in pages.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn size(&self, store: impl AsContext) -> Result<u64> {
        Ok((self.item(store.inner())?.len() / PAGE) as u64)
    }

    /// Size in bytes.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn data_size(&self, store: impl AsContext) -> Result<usize> {
        Ok(self.item(store.inner())?.len())
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn data<'a, C: AsContext>(&self, store: &'a C) -> Result<&'a [u8]> {
        let memory = self.item(store.inner())?;
        // SAFETY: the store is borrowed, so that no guest runs and nothing grows meanwhile.
        Ok(unsafe { std::slice::from_raw_parts(memory.base(), memory.len()) })
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn data_mut<'a, C: AsContextMut>(&self, store: &'a mut C) -> Result<&'a mut [u8]> {
        let memory = self.item(store.inner())?;
        // SAFETY: the store is borrowed for good, so that nobody else sees the bytes meanwhile.
        Ok(unsafe { std::slice::from_raw_parts_mut(memory.base(), memory.len()) })
    }

    /// Copies bytes out.
    ///
    /// # Errors
    /// [`Error::Bounds`], if they are not all within it; then nothing was copied. [`Error::Stale`], if it is not the store's.
    pub fn read(&self, store: impl AsContext, at: usize, to: &mut [u8]) -> Result<()> {
        let bytes = self.data(&store)?.get(at..).and_then(|b| b.get(..to.len()));
        to.copy_from_slice(bytes.ok_or_else(|| bounds(at, to.len()))?);
        Ok(())
    }

    /// Copies bytes in.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn write(&self, mut store: impl AsContextMut, at: usize, from: &[u8]) -> Result<()> {
        let bytes = self.data_mut(&mut store)?.get_mut(at..).and_then(|b| b.get_mut(..from.len()));
        bytes.ok_or_else(|| bounds(at, from.len()))?.copy_from_slice(from);
        Ok(())
    }

    /// Grows by this many pages and returns the old size.
    ///
    /// # Errors
    /// [`Error::Instantiate`], if its type, the store's limits or the host's memory do not let it. Nothing has changed then.
    pub fn grow(&self, mut store: impl AsContextMut, pages: u64) -> Result<u64> {
        let store = store.inner_mut();
        let memory = self.item(store)?.clone();
        let grown = grow_memory(store, &memory, pages).unwrap_or(None);
        grown.ok_or_else(|| {
            let (size, most) = (memory.len() / PAGE, memory.ty().max_pages());
            no_growth(format!("{pages} more pages for a memory of {size}"), format!("it may have {most}"), store)
        })
    }
}

pub(super) fn bounds(at: usize, len: usize) -> Error {
    Error::Bounds(format!("{len} bytes at {at}"))
}

impl Table {
    /// A table of the store's own, every element `value`.
    ///
    /// # Errors
    /// [`Error::Type`], if the value is not of the elements' type; [`Error::Instantiate`], if the store's limits or the host's memory do not let it.
    pub fn new(mut store: impl AsContextMut, ty: TableType, value: &Val) -> Result<Self> {
        let store = store.inner_mut();
        let cell = Self::cell(store, ty.element, value)?;
        let what = || format!("a table of {} elements", ty.limits.min);
        if ty.limits.min > store.limits.table_elements {
            return Err(limit(what(), store));
        }
        let bytes = ty.limits.min.saturating_mul(8);
        store.charge(bytes).map_err(|_| limit(what(), store))?;
        let table = table::Table::new(ty, cell).ok_or_else(|| {
            store.used -= bytes;
            limit(what(), store)
        })?;
        if let Val::FuncRef(Some(func)) = value {
            pin(store, func);
        }
        let key = store.tables.insert(Rc::new(table));
        Ok(Self::from_key(store, key))
    }

    fn cell(store: &mut StoreInner, ty: ValType, value: &Val) -> Result<u64> {
        if !value.is(store, ty) {
            return Err(Error::Type(format!("the element is {}, the table's type {ty}", value.ty())));
        }
        val::reserve(store, std::slice::from_ref(value))?;
        Ok(value.to_bits(store)? as u64)
    }

    /// Its type, with the present size as the smallest.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn ty(&self, store: impl AsContext) -> Result<TableType> {
        let table = self.item(store.inner())?;
        let mut ty = table.ty();
        ty.limits.min = table.len() as u64;
        Ok(ty)
    }

    /// Size in elements.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn size(&self, store: impl AsContext) -> Result<u64> {
        Ok(self.item(store.inner())?.len() as u64)
    }

    /// An element; `None` if it is out of bounds.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn get(&self, store: impl AsContext, index: u64) -> Result<Option<Val>> {
        let store = store.inner();
        let table = self.item(store)?;
        // SAFETY: the store is borrowed; the slice ends with this statement.
        let cell = unsafe { table.cells().get(index as usize).copied() };
        Ok(cell.map(|cell| Val::from_bits(store, table.ty().element, cell.into())))
    }

    /// Sets an element.
    ///
    /// # Errors
    /// [`Error::Bounds`], if there is no such element; [`Error::Type`], if the value is of another type; [`Error::Stale`], if something is not the store's.
    pub fn set(&self, mut store: impl AsContextMut, index: u64, value: &Val) -> Result<()> {
        let store = store.inner_mut();
        let table = self.item(store)?.clone();
        let cell = Self::cell(store, table.ty().element, value)?;
        // SAFETY: the store is borrowed; the slice ends with this statement.
        let slot = unsafe { table.cells().get_mut(index as usize) };
        *slot.ok_or_else(|| Error::Bounds(format!("element {index}")))? = cell;
        if let Val::FuncRef(Some(func)) = value {
            pin(store, func);
        }
        Ok(())
    }

    /// Grows by this many elements, all of them `value`, and returns the old size.
    ///
    /// # Errors
    /// [`Error::Instantiate`], if its type, the store's limits or the host's memory do not let it. Nothing has changed then.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, value: &Val) -> Result<u64> {
        let store = store.inner_mut();
        let table = self.item(store)?.clone();
        let cell = Self::cell(store, table.ty().element, value)?;
        if let Val::FuncRef(Some(func)) = value {
            pin(store, func);
        }
        let grown = grow_table(store, &table, cell, delta).unwrap_or(None);
        grown.ok_or_else(|| {
            let most = table.ty().limits.max.unwrap_or(u64::MAX).min(store.limits.table_elements);
            let what = format!("{delta} more elements for a table of {}", table.len());
            no_growth(what, format!("it may have {most}"), store)
        })
    }
}

/// A function that the host puts where any instance may find it lives as long as the store.
pub(super) fn pin(store: &mut StoreInner, func: &Func) {
    if let Some(group) = func.owner().and_then(|key| store.instances.get(key)).map(|i| i.group) {
        store.pin(group);
    }
}

impl Global {
    /// A global of the store's own.
    ///
    /// # Errors
    /// [`Error::Type`], if the value is of another type; [`Error::Stale`], if it is not the store's.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, value: &Val) -> Result<Self> {
        let store = store.inner_mut();
        let bits = Self::bits(store, ty, value)?;
        let key = store.globals.insert(Rc::new(instance::Global::new(ty, bits)));
        Ok(Self::from_key(store, key))
    }

    fn bits(store: &mut StoreInner, ty: GlobalType, value: &Val) -> Result<u128> {
        if !value.is(store, ty.value) {
            return Err(Error::Type(format!("the value is {}, the global's type {}", value.ty(), ty.value)));
        }
        if let Val::FuncRef(Some(func)) = value {
            pin(store, func);
        }
        val::reserve(store, std::slice::from_ref(value))?;
        value.to_bits(store)
    }

    /// Its type.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn ty(&self, store: impl AsContext) -> Result<GlobalType> {
        Ok(self.item(store.inner())?.ty)
    }

    /// Its value.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn get(&self, store: impl AsContext) -> Result<Val> {
        let store = store.inner();
        let global = self.item(store)?;
        // SAFETY: the store is borrowed; nobody writes the cell meanwhile.
        let [low, high] = unsafe { *global.cell.get() };
        Ok(Val::from_bits(store, global.ty.value, u128::from(low) | u128::from(high) << 64))
    }

    /// Sets its value, if it is mutable.
    ///
    /// # Errors
    /// [`Error::Type`], if it is immutable, or the value is of another type; [`Error::Stale`], if something is not the store's.
    pub fn set(&self, mut store: impl AsContextMut, value: &Val) -> Result<()> {
        let store = store.inner_mut();
        let global = self.item(store)?.clone();
        if !global.ty.mutable {
            return Err(Error::Type("the global is immutable".into()));
        }
        let bits = Self::bits(store, global.ty, value)?;
        // SAFETY: the store is borrowed for good.
        unsafe { *global.cell.get() = [bits as u64, (bits >> 64) as u64] };
        Ok(())
    }
}

impl Tag {
    /// A tag of the store's own, whose exceptions carry values of these types.
    ///
    /// # Errors
    /// [`Error::Type`], if the engine has all the types that it can have, a million.
    pub fn new(mut store: impl AsContextMut, payload: &[ValType]) -> Result<Self> {
        let store = store.inner_mut();
        let ty = FuncType::new(payload, []);
        let id = store.engine.type_id(&ty);
        let tag = store.new_tag(ty, id).ok_or_else(too_many)?;
        let key = store.tags.insert(tag);
        Ok(Self::from_key(store, key))
    }

    /// Its type: the parameters are what its exceptions carry.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn ty(&self, store: impl AsContext) -> Result<FuncType> {
        Ok(self.item(store.inner())?.ty.clone())
    }
}
