//! What a host function sees of whoever called it.

use std::fmt;

use super::arrays::ArrayRef;
use super::error::Result;
use super::externs::Extern;
use super::instance::Instance;
use super::store::{AsContext, AsContextMut};
use crate::runtime::call;
use crate::runtime::context::{HostContext, InstanceContext};
use crate::runtime::host_objects::HeapStatistics;
use crate::runtime::store::StoreInner;

/// The store of the running program, and the instance that imported the host function.
///
/// ```
/// use pinfold_vm::api::{Caller, Engine, Error, Extern, Linker, Module, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(r#"(module
///     (import "host" "say" (func $say (param i32 i32)))
///     (memory (export "memory") 1)
///     (data (i32.const 8) "pound")
///     (func (export "run") (call $say (i32.const 8) (i32.const 5))))"#)?)?;
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("host", "say", |mut caller: Caller<'_, Vec<String>>, from: u32, length: u32| {
///     let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return Err(Error::host("no memory")) };
///     let mut text = vec![0; length as usize];
///     memory.read(&caller, from as usize, &mut text)?;
///     caller.data_mut().push(String::from_utf8_lossy(&text).into_owned());
///     Ok(())
/// })?;
/// let mut store = Store::new(&engine, Vec::new());
/// linker.instantiate(&mut store, &module)?.get_typed_func::<(), ()>(&store, "run")?.call(&mut store, ())?;
/// assert_eq!(store.data()[..], ["pound"]);
/// # Ok(())
/// # }
/// ```
pub struct Caller<'a, T> {
    store: &'a mut StoreInner,
    importer: *mut InstanceContext,
    data: std::marker::PhantomData<&'a mut T>,
}

impl<'a, T> Caller<'a, T> {
    /// # Safety
    /// `context` is the running host function's, and its store's data is a `T`.
    #[inline]
    pub(crate) unsafe fn new(context: *mut HostContext) -> Self {
        // SAFETY: by contract; the guest is suspended while its host function runs, so this is the only reference.
        unsafe {
            let importer = (*context).importer;
            Self { store: StoreInner::of((*context).store), importer, data: std::marker::PhantomData }
        }
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        // SAFETY: the store's data is a `T` by the contract of `new`; borrowed like `self`.
        unsafe { &*self.store.data.cast() }
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        // SAFETY: as in `data`.
        unsafe { &mut *self.store.data.cast() }
    }

    /// The instance that imported this function; none if it was called through the store.
    pub fn instance(&self) -> Option<Instance> {
        // SAFETY: an importer lives as long as its host functions.
        unsafe {
            let context = self.importer.as_ref()?;
            let instance: &crate::runtime::instance::Instance = &*context.instance.cast();
            Some(Instance::from_key(self.store, instance.key))
        }
    }

    /// Runs something on the stack of whoever called into the guest. Host functions run on the guest's, where they have half a MiB: too
    /// little for code that recurses deeply, and not where other virtual machines expect their thread to be.
    pub fn on_host_stack<R>(&self, run: impl FnOnce() -> R) -> R {
        // SAFETY: a host function runs; the store is borrowed, so that nothing of it can be called.
        unsafe { call::on_host_stack(self.store.context(), run) }
    }

    /// An export of that instance.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let instance = self.instance()?;
        instance.get_export(&mut *self, name)
    }

    /// The store and the embedder's data.
    pub(crate) fn store_and_data(&mut self) -> (&mut StoreInner, &mut T) {
        // SAFETY: as in `data_mut`; the data is no part of the store.
        let data = unsafe { &mut *self.store.data.cast() };
        (self.store, data)
    }

    /// The bytes of the memory that the importer exports as `memory`, or else of its first one, and the embedder's data at
    /// once; no bytes if it has no memory.
    pub fn memory_and_data(&mut self) -> (&mut [u8], &mut T) {
        // SAFETY: the guest is suspended; memory and data do not overlap, and both are borrowed
        // like `self`.
        unsafe {
            let data = &mut *self.store.data.cast();
            let bytes = match self.importer.as_ref() {
                Some(context) => {
                    let instance: &crate::runtime::instance::Instance = &*context.instance.cast();
                    match instance.memories.get(instance.code.module.host_memory.index()) {
                        Some(memory) => std::slice::from_raw_parts_mut(memory.item.base(), memory.item.len()),
                        None => &mut [],
                    }
                }
                None => &mut [],
            };
            (bytes, data)
        }
    }
}

impl<T> Caller<'_, T> {
    /// The bytes of a mutable array of numbers, as [`ArrayRef::bytes_mut`], and the embedder's data at once.
    ///
    /// # Errors
    /// As [`ArrayRef::bytes_mut`].
    pub fn bytes_and_data(&mut self, array: &ArrayRef) -> Result<(&mut [u8], &mut T)> {
        // SAFETY: as in `data`; the data is not part of the store's heap, and both are borrowed like `self`.
        let data = unsafe { &mut *self.store.data.cast() };
        Ok((array.bytes_mut(self)?, data))
    }

    /// Collects everything in the heap that nobody can reach, guests or host, and drops host values of which that is true.
    pub fn gc(&mut self) {
        // SAFETY: the guest saved where it is when it called.
        unsafe { self.store.collect() };
    }

    /// What the heap holds, and what its collections did.
    pub fn heap_statistics(&self) -> HeapStatistics {
        self.store.heap_statistics()
    }
}

impl<T: fmt::Debug> fmt::Debug for Caller<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("data", self.data()).finish_non_exhaustive()
    }
}

impl<T> AsContext for Caller<'_, T> {
    type Data = T;

    fn inner(&self) -> &StoreInner {
        self.store
    }
}

impl<T> AsContextMut for Caller<'_, T> {
    fn inner_mut(&mut self) -> &mut StoreInner {
        self.store
    }
}
