//! Instances as the host sees them.

use super::engine::Module;
use super::error::{Error, Result};
use super::externs::{Extern, Global, Memory, Table, Tag};
use super::func::{Func, TypedFunc};
use super::linker;
use super::store::{AsContext, AsContextMut};
use super::typed::{GuestResults, HostParams};
use crate::module::ExportKind;
use crate::runtime::call::enter;
use crate::runtime::instantiate::{Beginning, Given, InstantiateError, instantiate};
use crate::runtime::slab::Key;
use crate::runtime::store::StoreInner;
use crate::runtime::{instance, trap};

/// A module with its state, in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    store: u64,
    key: Key,
}

impl Instance {
    pub(crate) fn from_key(store: &StoreInner, key: Key) -> Self {
        Self { store: store.id, key }
    }

    /// An instance whose imports are these, in the module's order. A [`Linker`](super::Linker) finds them by their names.
    ///
    /// ```
    /// use pinfold_vm::api::{Engine, Func, Instance, Module, Store};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::default();
    /// let text = r#"(module
    ///     (import "" "" (func $double (param i32) (result i32)))
    ///     (func (export "run") (result i32) (call $double (i32.const 21))))"#;
    /// let mut store = Store::new(&engine, ());
    /// let double = Func::wrap(&mut store, |n: i32| 2 * n);
    /// let module = Module::new(&engine, wat::parse_str(text)?)?;
    /// let instance = Instance::new(&mut store, &module, &[double.into()])?;
    /// assert_eq!(instance.get_typed_func::<(), i32>(&store, "run")?.call(&mut store, ())?, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Type`] if there are more or fewer than the module has, [`Error::Link`] if some are of other types,
    /// [`Error::Stale`] if they are not the store's.
    pub fn new(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Self> {
        linker::instantiate_with(store.inner_mut(), module, imports)
    }

    /// # Safety
    /// `given` satisfies the module's imports, and is this store's.
    pub(crate) unsafe fn make(
        store: &mut StoreInner,
        module: &Module,
        given: Vec<Given>,
        beginning: Beginning<'_>,
    ) -> Result<Self> {
        // SAFETY: by contract.
        let made = unsafe { instantiate(store, &module.code, given, beginning) };
        let key = made.map_err(|error| match error {
            InstantiateError::Trap(kind) => trap::Trap::new(kind).into(),
            InstantiateError::Snapshot(error) => Error::Snapshot(error),
            error => Error::from(error),
        })?;
        let this = Self::from_key(store, key);
        if let (Some(start), Beginning::New) = (module.code.module.start, beginning) {
            let func = this.inner(store)?.func_ref(start.0);
            // SAFETY: the function is the instance's; start functions have neither parameters nor results.
            let ended = unsafe { enter(store.context(), func, std::ptr::null_mut()) };
            store.bury();
            if let Err(trap) = ended {
                // What it put into shared tables stays, and so does what it stands on.
                store.close(key);
                return Err(trap.into());
            }
        }
        Ok(this)
    }

    pub(crate) fn inner<'a>(&self, store: &'a StoreInner) -> Result<&'a instance::Instance> {
        let found = if self.store == store.id { store.instances.get(self.key) } else { None };
        found.map(|instance| &**instance).ok_or(Error::Stale("the instance"))
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// An export by name.
    pub fn get_export(&self, store: impl AsContext, name: &str) -> Option<Extern> {
        let store = store.inner();
        let instance = self.inner(store).ok()?;
        let (_, kind) = instance.code.module.exports().iter().find(|(export, _)| export == name)?;
        Self::resolve(store, instance, *kind)
    }

    fn resolve(store: &StoreInner, instance: &instance::Instance, kind: ExportKind) -> Option<Extern> {
        Some(match kind {
            ExportKind::Func(i) => Extern::Func(Func::from_raw(store, instance.func_ref(i.0))?),
            ExportKind::Table(i) => Extern::Table(Table::from_key(store, instance.tables.get(i.index())?.key)),
            ExportKind::Memory(i) => Extern::Memory(Memory::from_key(store, instance.memories.get(i.index())?.key)),
            ExportKind::Global(i) => {
                Extern::Global(Global::from_key(store, instance.globals.get(i.index())?.as_ref()?.key))
            }
            ExportKind::Tag(i) => Extern::Tag(Tag::from_key(store, instance.tags.get(i.index())?.key)),
        })
    }

    /// All exports, in the module's order.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn exports(&self, store: impl AsContext) -> Result<Vec<(String, Extern)>> {
        let store = store.inner();
        let instance = self.inner(store)?;
        let exports = instance.code.module.exports().iter();
        Ok(exports.filter_map(|(name, kind)| Some((name.clone(), Self::resolve(store, instance, *kind)?))).collect())
    }

    /// An exported function.
    pub fn get_func(&self, store: impl AsContext, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// An exported function of this type.
    ///
    /// # Errors
    /// [`Error::NoExport`], if there is no such function; [`Error::Type`], if it is of another type.
    pub fn get_typed_func<P: HostParams, R: GuestResults>(
        &self,
        store: impl AsContext,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        let func = self.get_func(&store, name);
        func.ok_or_else(|| Error::NoExport { name: name.to_owned(), kind: "function" })?.typed(store)
    }

    /// An exported memory.
    pub fn get_memory(&self, store: impl AsContext, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// An exported table.
    pub fn get_table(&self, store: impl AsContext, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// An exported global.
    pub fn get_global(&self, store: impl AsContext, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// An exported exception tag.
    pub fn get_tag(&self, store: impl AsContext, name: &str) -> Option<Tag> {
        self.get_export(store, name)?.into_tag()
    }

    /// Lets go of the instance. It is freed as soon as no other instance can reach it: instances
    /// that import from one another, or were given functions of one another, are freed together.
    /// Handles to it and its exports are stale from then on.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn close(self, mut store: impl AsContextMut) -> Result<()> {
        let store = store.inner_mut();
        self.inner(store)?;
        store.close(self.key);
        Ok(())
    }
}
