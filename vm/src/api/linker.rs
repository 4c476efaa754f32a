//! Linkers: what a module's imports are looked up in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::caller::Caller;
use super::engine::{Engine, Module};
use super::error::{Error, LinkProblem, Result};
use super::externs::Extern;
use super::host::{HostFunc, IntoHostFunc};
use super::instance::Instance;
use super::store::{AsContext, AsContextMut};
use super::table::HostTable;
use super::types::DefinedFuncType;
use super::val::Val;
use crate::module::{Import, ImportKind};
use crate::runtime::engine;
use crate::runtime::instance::HostFunction;
use crate::runtime::instantiate::{Beginning, Given};
use crate::runtime::store::StoreInner;
use crate::runtime::types::{DefinedType, TypeRegistry};
use crate::types::{ExternType, FuncType, Limits, TypeId};

/// Named things that modules may import.
#[derive(Clone)]
pub struct Linker<T> {
    engine: Arc<engine::Engine>,
    items: HashMap<String, HashMap<String, Item>>,
    /// Host tables, of which the last one counts. Each has functions for all guests, so that they are made for those that import them.
    tables: Vec<HostTable<T>>,
    shadows: bool,
    data: PhantomData<fn(T)>,
}

#[derive(Clone)]
enum Item {
    Host(HostFunc),
    Extern(Extern),
}

impl<T: 'static> Linker<T> {
    /// An empty linker.
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.inner.clone(),
            items: HashMap::new(),
            tables: Vec::new(),
            shadows: false,
            data: PhantomData,
        }
    }

    /// Whether what is defined takes the place of what had its name before. Otherwise that is an error.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.shadows = allow;
        self
    }

    fn insert_new(&mut self, module: &str, name: &str, item: Item) -> Result<&mut Self> {
        if !self.shadows && self.has(module, name) {
            return Err(Error::Defined { module: module.to_owned(), name: name.to_owned() });
        }
        Ok(self.insert(module, name, item))
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
    /// `linker.func_wrap("host", "add", |caller: Caller<'_, T>, a: i32, b: i32| a + b)?`.
    ///
    /// # Errors
    /// [`Error::Defined`], if the name has something already.
    pub fn func_wrap<M>(&mut self, module: &str, name: &str, func: impl IntoHostFunc<T, M>) -> Result<&mut Self> {
        self.insert_new(module, name, Item::Host(func.into_host_func()))
    }

    /// Defines a host function of a type that is known at run time.
    ///
    /// # Errors
    /// As [`Self::func_wrap`].
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        self.insert_new(module, name, Item::Host(HostFunc::dynamic(ty, func)))
    }

    /// Defines a host function of a type that was defined, for guests that tell its functions from others.
    ///
    /// # Errors
    /// If the type is not one of the linker's engine, and as [`Self::func_wrap`].
    pub fn func_with_type(
        &mut self,
        module: &str,
        name: &str,
        ty: &DefinedFuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let func = HostFunc::dynamic(ty.func_type(), func).of_type(&self.engine, ty)?;
        self.insert_new(module, name, Item::Host(func))
    }

    pub(super) fn define_table(&mut self, table: HostTable<T>) -> &mut Self {
        for (module, names) in &mut self.items {
            names.retain(|name, _| table.row(module, name).is_none());
        }
        self.tables.push(table);
        self
    }

    pub(super) fn define_new_host(&mut self, module: &str, name: &str, func: HostFunc) -> Result<&mut Self> {
        self.insert_new(module, name, Item::Host(func))
    }

    /// Defines a host function in the place of what had its name.
    pub(super) fn define_host(&mut self, module: &str, name: &str, func: HostFunc) -> &mut Self {
        self.insert(module, name, Item::Host(func))
    }

    pub(super) fn engine(&self) -> &Arc<engine::Engine> {
        &self.engine
    }

    /// Defines something that a store holds.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, and as [`Self::func_wrap`].
    pub fn define(
        &mut self,
        store: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        let item = item.into();
        item.ty(store)?;
        self.insert_new(module, name, Item::Extern(item))
    }

    /// Defines all exports of an instance under one first name.
    ///
    /// # Errors
    /// As [`Self::define`].
    pub fn instance(&mut self, store: impl AsContext<Data = T>, module: &str, instance: Instance) -> Result<&mut Self> {
        for (name, item) in instance.exports(&store)? {
            self.define(&store, module, &name, item)?;
        }
        Ok(self)
    }

    /// Whether something is defined under a name.
    pub fn has(&self, module: &str, name: &str) -> bool {
        let is_row = || self.tables.iter().any(|table| table.row(module, name).is_some());
        self.item(module, name).is_some() || is_row()
    }

    fn item(&self, module: &str, name: &str) -> Option<&Item> {
        self.items.get(module)?.get(name)
    }

    fn get(&self, module: &str, name: &str) -> Option<Cow<'_, Item>> {
        let row = || self.tables.iter().rev().find_map(|table| table.func(module, name));
        self.item(module, name).map(Cow::Borrowed).or_else(|| row().map(|func| Cow::Owned(Item::Host(func))))
    }

    /// Makes an instance: all imports are looked up and checked before anything is done.
    ///
    /// # Errors
    /// [`Error::Link`], with all imports that nothing fits; [`Error::Instantiate`], if a limit of the store, or a segment, does not fit; [`Error::Trap`], if
    /// the start function did not return; [`Error::Stale`], if the module or something defined is of another engine or store.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance> {
        self.begin(store.inner_mut(), module, Beginning::New)
    }

    pub(super) fn begin(&self, store: &mut StoreInner, module: &Module, beginning: Beginning<'_>) -> Result<Instance> {
        instantiate(store, module, beginning, |_, import| self.get(&import.module, &import.name))
    }
}

impl<T> fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.items.iter().flat_map(|(module, names)| names.keys().map(move |name| (module, name)));
        f.debug_struct("Linker").field("items", &names.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// Makes an instance of what there is for each of its imports, of which the first argument is the number.
fn instantiate<'a>(
    store: &mut StoreInner,
    module: &Module,
    beginning: Beginning<'_>,
    find: impl Fn(usize, &Import) -> Option<Cow<'a, Item>>,
) -> Result<Instance> {
    if !Arc::ptr_eq(&store.engine, &module.engine.inner) {
        return Err(Error::Stale("the module's engine"));
    }
    let decoded = &module.code.module;
    let mut given = Vec::with_capacity(decoded.imports().len());
    let mut problems = Vec::new();
    for (number, import) in decoded.imports().iter().enumerate() {
        let wanted = decoded.import_type(import);
        let defined = match import.kind {
            ImportKind::Func(ty) | ImportKind::Tag(ty) => Some(&decoded.types[ty.index()]),
            _ => None,
        };
        let id = defined.map(|ty| ty.id);
        let item = find(number, import);
        let item = item.as_deref();
        if let Some((Item::Host(func), defined)) = item.zip(defined)
            && let Some(function) = func.bind_plain_as(store.context(), defined)
        {
            given.push(Given::Host(function));
            continue;
        }
        let fitted = item.zip(defined).and_then(|(item, defined)| fit(store, item, defined));
        match item.map(|item| resolve(store, item)).transpose()? {
            Some(item) if matches(&store.engine.types, (&wanted, id), (&item.ty, item.id)) => given.push(item.given),
            Some(_) if let Some(function) = fitted => given.push(Given::Host(function)),
            other => problems.push(LinkProblem {
                module: import.module.clone(),
                name: import.name.clone(),
                wanted,
                found: other.map(|item| item.ty),
            }),
        }
    }
    if !problems.is_empty() {
        return Err(Error::Link(problems));
    }
    // SAFETY: every import was given something of this store and of a matching type.
    unsafe { Instance::make(store, module, given, beginning) }
}

/// Makes an instance of imports in the module's order.
pub(super) fn instantiate_with(store: &mut StoreInner, module: &Module, imports: &[Extern]) -> Result<Instance> {
    let wanted = module.code.module.imports().len();
    if imports.len() != wanted {
        return Err(Error::Type(format!("the module has {wanted} imports; {} were given", imports.len())));
    }
    let items: Vec<Item> = imports.iter().map(|item| Item::Extern(*item)).collect();
    instantiate(store, module, Beginning::New, |number, _| items.get(number).map(Cow::Borrowed))
}

/// Something that was defined, for an import.
struct Resolved {
    ty: ExternType,
    /// The number of a function's or tag's type.
    id: Option<TypeId>,
    given: Given,
}

/// A host function as one of the type that is wanted, if its own may be another.
fn fit(store: &StoreInner, item: &Item, wanted: &Arc<DefinedType>) -> Option<HostFunction> {
    match item {
        Item::Host(func) if func.fits => func.bind_as(&store.engine, store.context(), wanted),
        _ => None,
    }
}

fn resolve(store: &StoreInner, item: &Item) -> Result<Resolved> {
    let view = View(store);
    Ok(match item {
        Item::Host(func) => Resolved {
            ty: ExternType::Func(func.ty.clone()),
            id: func.type_id(&store.engine),
            given: Given::Host(func.bind(&store.engine, store.context())?),
        },
        Item::Extern(item) => {
            let (id, given) = match item {
                Extern::Func(func) => {
                    let func = func.raw(store)?;
                    // SAFETY: `raw` checked that it is live.
                    (Some(unsafe { (*func).type_id }), Given::Func(func))
                }
                Extern::Table(table) => (None, Given::Table(table.key)),
                Extern::Memory(memory) => (None, Given::Memory(memory.key)),
                Extern::Global(global) => (None, Given::Global(global.key)),
                Extern::Tag(tag) => (Some(tag.item(store)?.type_id), Given::Tag(tag.key)),
            };
            Resolved { ty: item.ty(view)?, id, given }
        }
    })
}

/// A store without its data's type.
pub(super) struct View<'a>(pub &'a StoreInner);

impl AsContext for View<'_> {
    type Data = ();

    fn inner(&self) -> &StoreInner {
        self.0
    }
}

/// Import matching: WebAssembly 3.0, section 3.3.9 (external types).
fn matches(types: &TypeRegistry, wanted: (&ExternType, Option<TypeId>), found: (&ExternType, Option<TypeId>)) -> bool {
    let equal = |a, b| types.matches(a, b) && types.matches(b, a);
    match (wanted.0, found.0) {
        (ExternType::Func(_), ExternType::Func(_)) => {
            wanted.1.zip(found.1).is_some_and(|(wanted, found)| types.is_subtype(found, wanted))
        }
        (ExternType::Tag(_), ExternType::Tag(_)) => wanted.1 == found.1,
        (ExternType::Global(a), ExternType::Global(b)) => {
            let value = if a.mutable { equal(a.value, b.value) } else { types.matches(b.value, a.value) };
            a.mutable == b.mutable && value
        }
        (ExternType::Table(a), ExternType::Table(b)) => {
            a.address == b.address && equal(a.element, b.element) && within(a.limits, b.limits)
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
