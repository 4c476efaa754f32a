//! Linkers: what a module's imports are looked up in.

use std::collections::HashMap;
use std::marker::PhantomData;

use super::caller::Caller;
use super::engine::{Engine, Module};
use super::error::{Error, LinkProblem, Result};
use super::externs::Extern;
use super::host::{HostFunc, IntoHostFunc};
use super::instance::Instance;
use super::store::{AsContext, AsContextMut};
use super::val::Val;
use crate::runtime::instantiate::Given;
use crate::runtime::store::StoreInner;
use crate::types::{ExternType, FuncType, Limits};

/// Named things that modules may import.
#[derive(Clone)]
pub struct Linker<T> {
    items: HashMap<String, HashMap<String, Item>>,
    data: PhantomData<fn(T)>,
}

#[derive(Clone)]
enum Item {
    Host(HostFunc),
    Extern(Extern),
}

impl<T: 'static> Linker<T> {
    /// An empty linker.
    pub fn new(_engine: &Engine) -> Self {
        Self { items: HashMap::new(), data: PhantomData }
    }

    fn insert(&mut self, module: &str, name: &str, item: Item) -> &mut Self {
        // Not `entry`, which would want an owned key each time.
        match self.items.get_mut(module) {
            Some(names) => names.insert(name.to_owned(), item),
            None => self.items.entry(module.to_owned()).or_default().insert(name.to_owned(), item),
        };
        self
    }

    /// Defines a host function from a closure, whose parameters and results say its type:
    /// `linker.func("host", "add", |caller: Caller<'_, T>, a: i32, b: i32| a + b)`.
    pub fn func<M>(&mut self, module: &str, name: &str, func: impl IntoHostFunc<T, M>) -> &mut Self {
        self.insert(module, name, Item::Host(func.into_host_func()))
    }

    /// Defines a host function of a type that is known at run time.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> &mut Self {
        self.insert(module, name, Item::Host(HostFunc::dynamic(ty, func)))
    }

    pub(crate) fn define_host(&mut self, module: &str, name: &str, func: HostFunc) -> &mut Self {
        self.insert(module, name, Item::Host(func))
    }

    /// Defines something that a store holds.
    pub fn define(&mut self, module: &str, name: &str, item: Extern) -> &mut Self {
        self.insert(module, name, Item::Extern(item))
    }

    /// Defines all exports of an instance under one first name.
    pub fn instance(&mut self, store: impl AsContext, module: &str, instance: Instance) -> Result<&mut Self> {
        for (name, item) in instance.exports(store)? {
            self.define(module, &name, item);
        }
        Ok(self)
    }

    /// Whether something is defined under a name.
    pub fn has(&self, module: &str, name: &str) -> bool {
        self.get(module, name).is_some()
    }

    fn get(&self, module: &str, name: &str) -> Option<&Item> {
        self.items.get(module)?.get(name)
    }

    /// Makes an instance: all imports are looked up and checked before anything is done.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance> {
        let store = store.inner_mut();
        if !std::sync::Arc::ptr_eq(&store.engine, &module.engine.inner) {
            return Err(Error::Stale("the module's engine"));
        }
        let decoded = &module.code.module;
        let mut given = Vec::with_capacity(decoded.imports().len());
        let mut problems = Vec::new();
        for import in decoded.imports() {
            let wanted = decoded.import_type(import);
            let item = self.get(&import.module, &import.name);
            match item.map(|item| resolve(store, item)).transpose()? {
                Some((found, item)) if matches(&wanted, &found) => given.push(item),
                other => problems.push(LinkProblem {
                    module: import.module.clone(),
                    name: import.name.clone(),
                    wanted,
                    found: other.map(|(found, _)| found),
                }),
            }
        }
        if !problems.is_empty() {
            return Err(Error::Link(problems));
        }
        // SAFETY: every import was given something of this store and of a matching type.
        unsafe { Instance::make(store, module, given) }
    }
}

fn resolve(store: &StoreInner, item: &Item) -> Result<(ExternType, Given)> {
    let view = View(store);
    Ok(match item {
        Item::Host(func) => (ExternType::Func(func.ty.clone()), Given::Host(func.bind(store.context()))),
        Item::Extern(item) => {
            let given = match item {
                Extern::Func(func) => Given::Func(func.raw(store)?),
                Extern::Table(table) => Given::Table(table.key),
                Extern::Memory(memory) => Given::Memory(memory.key),
                Extern::Global(global) => Given::Global(global.key),
                Extern::Tag(tag) => Given::Tag(tag.key),
            };
            (item.ty(view)?, given)
        }
    })
}

/// A store without its data's type.
struct View<'a>(&'a StoreInner);

impl AsContext for View<'_> {
    type Data = ();

    fn inner(&self) -> &StoreInner {
        self.0
    }
}

/// Import matching: WebAssembly 2.0, section 4.5.1.2 (external typing) and 3.2.7 (import subtyping).
fn matches(wanted: &ExternType, found: &ExternType) -> bool {
    match (wanted, found) {
        (ExternType::Func(a), ExternType::Func(b)) | (ExternType::Tag(a), ExternType::Tag(b)) => a == b,
        (ExternType::Global(a), ExternType::Global(b)) => a == b,
        (ExternType::Table(a), ExternType::Table(b)) => {
            a.address == b.address && a.element == b.element && within(a.limits, b.limits)
        }
        (ExternType::Memory(a), ExternType::Memory(b)) => a.address == b.address && within(a.limits, b.limits),
        _ => false,
    }
}

fn within(wanted: Limits, found: Limits) -> bool {
    found.min >= wanted.min
        && match (wanted.max, found.max) {
            (None, _) => true,
            (Some(wanted), Some(found)) => found <= wanted,
            (Some(_), None) => false,
        }
}
