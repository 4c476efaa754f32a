//! Host values as guests hold them: opaque, and given back as they were.

use std::any::Any;
use std::sync::Arc;

use super::any::AnyRef;
use super::error::{Error, Result};
use super::store::{AsContext, AsContextMut};
use crate::heap::handles::{HostValue, is_handle};
use crate::runtime::store::StoreInner;

/// What an `externref` refers to: a host value, or something of a guest's heap that it made an `externref` of.
///
/// A value can be made before there is a store, and be given to the guests of any number of stores. Each of these keeps the value
/// until one of its major collections finds that no guest can reach it, or until it is [closed](Self::close) there; then the
/// value is dropped, unless the host itself holds it still. Given twice to a store, it is the same reference. How many values a
/// store keeps is [bounded](super::StoreLimits::host_values).
///
/// A value that holds handles of the same store's heap, from which it can be reached again, is never found to be unreachable:
/// [close](Self::close) it.
///
/// ```
/// use pinfold_vm::api::{Caller, Config, Engine, ExternRef, Linker, Module, Result, Store};
///
/// struct Account(u32);
///
/// # fn main() -> Result<()> {
/// let engine = Engine::new(&Config::new())?;
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("host", "balance", |account: ExternRef| match account.downcast_ref::<Account>() {
///     Some(Account(balance)) => Ok(*balance),
///     None => Err(pinfold_vm::api::Error::host("that is no account")),
/// });
/// let text = r#"(module
///     (import "host" "balance" (func $balance (param (ref extern)) (result i32)))
///     (func (export "twice") (param (ref extern)) (result i32)
///         (i32.mul (call $balance (local.get 0)) (i32.const 2))))"#;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &Module::new(&engine, wat::parse_str(text).expect("it is valid"))?)?;
/// let twice = instance.get_typed_func::<ExternRef, u32>(&store, "twice")?;
///
/// let account = ExternRef::new(Account(21));
/// assert_eq!(twice.call(&mut store, account.clone())?, 42);
/// // What is no account is refused, and so is one that was closed.
/// assert!(twice.call(&mut store, ExternRef::new("a text")).is_err());
/// assert!(account.close(&mut store)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ExternRef(Extern);

#[derive(Clone)]
enum Extern {
    Host(HostValue),
    /// Something of a guest's, or a host value that was closed.
    Guest(AnyRef),
}

impl ExternRef {
    /// Wraps a host value.
    pub fn new(value: impl Any + Send + Sync) -> Self {
        Self(Extern::Host(Arc::new(value)))
    }

    /// Wraps a host value that is held elsewhere too.
    pub fn of(value: Arc<dyn Any + Send + Sync>) -> Self {
        Self(Extern::Host(value))
    }

    /// The host value, if it is one of this type. None for one that was closed when a guest gave it.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        match &self.0 {
            Extern::Host(value) => value.downcast_ref(),
            Extern::Guest(_) => None,
        }
    }

    /// What a guest made an `externref` of (`extern.convert_any`); none for a host value.
    pub fn as_any(&self) -> Option<&AnyRef> {
        match &self.0 {
            Extern::Guest(any) if !is_handle(any.bits()) => Some(any),
            _ => None,
        }
    }

    /// Whether it was a host value, and was closed before a guest gave it.
    pub fn is_closed(&self) -> bool {
        matches!(&self.0, Extern::Guest(any) if is_handle(any.bits()))
    }

    /// Takes a host value away from the guests of a store: references that they have to it lead nowhere from now on. The value is
    /// dropped now, unless the host holds it elsewhere; whoever does can give it to the guests again, as another reference.
    /// Whether the guests had it.
    ///
    /// # Errors
    /// If it is no host value, or is of another store.
    pub fn close(self, mut store: impl AsContextMut) -> Result<bool> {
        let store = store.inner_mut();
        match &self.0 {
            Extern::Host(value) => {
                let Some(heap) = &mut store.heap else { return Ok(false) };
                let reference = heap.handles().find(value);
                Ok(reference.and_then(|reference| heap.handles_mut().close(reference)).is_some())
            }
            Extern::Guest(any) => {
                any.reference(store)?;
                if self.is_closed() { Ok(false) } else { Err(Error::Type("what is to be closed is a guest's".into())) }
            }
        }
    }

    /// Whether both hold the same value, not just equal ones; what is a guest's has to be the store's.
    pub fn same(&self, store: impl AsContext, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Extern::Host(a), Extern::Host(b)) => Arc::ptr_eq(a, b),
            (Extern::Guest(a), Extern::Guest(b)) => a.same(store, b),
            _ => false,
        }
    }

    /// The host value that a store has to keep for it.
    pub(crate) fn host_value(&self) -> Option<&HostValue> {
        match &self.0 {
            Extern::Host(value) => Some(value),
            Extern::Guest(_) => None,
        }
    }

    /// What a reference of the store's refers to; none for null.
    pub(crate) fn from_reference(store: &StoreInner, reference: u32) -> Option<Self> {
        let host = store.heap.as_ref().and_then(|heap| heap.handles().get(reference));
        match host {
            Some(value) => Some(Self(Extern::Host(value.clone()))),
            None => AnyRef::from_reference(store, reference).map(|any| Self(Extern::Guest(any))),
        }
    }

    /// The reference to it in a store, which [reserved](super::val::reserve) room for it.
    pub(crate) fn reference(&self, store: &mut StoreInner) -> Result<u32> {
        match &self.0 {
            Extern::Guest(any) => any.reference(store),
            Extern::Host(value) => {
                let limit = store.limits.host_values;
                store.host_value(value).ok_or(Error::HostValues { limit })
            }
        }
    }
}

impl std::fmt::Debug for ExternRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Extern::Host(value) => write!(f, "ExternRef({value:p})"),
            Extern::Guest(any) => write!(f, "ExternRef({any:?})"),
        }
    }
}
