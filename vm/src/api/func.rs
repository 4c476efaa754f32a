//! Functions as the host sees them.

use std::marker::PhantomData;
use std::mem::offset_of;

use super::caller::Caller;
use super::error::{Error, Result};
use super::host::{GuestResults, HostFunc, HostParams, IntoHostFunc};
use super::store::{AsContext, AsContextMut};
use super::val::{Val, read_slots, write_slots};
use crate::runtime::call::enter;
use crate::runtime::context::FuncRef;
use crate::runtime::instance::HostFunction;
use crate::runtime::instantiate::owner;
use crate::runtime::slab::Key;
use crate::runtime::store::StoreInner;
use crate::runtime::tier;
use crate::types::{FuncType, HeapType, Kind, TypeId};

/// A function of a store: a guest's or a host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Func {
    store: u64,
    func: *const FuncRef,
    /// The instance it belongs to; none for the store's own.
    owner: Option<Key>,
}

// SAFETY: the pointer is only used with the store that it belongs to.
unsafe impl Send for Func {}
// SAFETY: as above.
unsafe impl Sync for Func {}

impl Func {
    /// A host function of the store's own, of a type that is known at run time.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::bind(store.inner_mut(), &HostFunc::dynamic(ty, func))
    }

    /// A host function of the store's own, from a closure with typed parameters.
    pub fn wrap<T: 'static, M>(mut store: impl AsContextMut<Data = T>, func: impl IntoHostFunc<T, M>) -> Self {
        Self::bind(store.inner_mut(), &func.into_host_func())
    }

    pub(crate) fn bind(store: &mut StoreInner, func: &HostFunc) -> Self {
        let func_ref = FuncRef {
            code: std::ptr::null(),
            context: std::ptr::null_mut(),
            // Where there is no memory for a record, tests of the type find none, and fail.
            type_id: store.define_func(&func.ty).unwrap_or(TypeId::FUNC),
            index: FuncRef::HOST,
            number: 0,
            pad: 0,
        };
        let mut host = Box::new((func_ref, func.bind(store.context())));
        host.0.context = (&raw mut host.1).cast();
        let func = &raw const host.0;
        store.host_functions.push(host);
        // SAFETY: the store's context is live.
        unsafe { tier::functions_added(store.context()) };
        Self { store: store.id, func, owner: None }
    }

    pub(crate) fn from_raw(store: &StoreInner, func: *const FuncRef) -> Option<Self> {
        if func.is_null() {
            return None;
        }
        // SAFETY: references that a store's programs hold are live.
        let owner = unsafe { owner(func) };
        // Without an owner it is the store's own function, but the reference may be an importer's
        // copy, which goes with the importer: the store's lives as long as the handle is valid.
        // SAFETY: as above.
        let func = if owner.is_none() { unsafe { original(func) } } else { func };
        Some(Self { store: store.id, func, owner })
    }

    /// The function as code sees it, if it is this store's and still there.
    pub(crate) fn raw(&self, store: &StoreInner) -> Result<*const FuncRef> {
        let there = self.owner.is_none_or(|key| store.instances.get(key).is_some());
        if self.store == store.id && there { Ok(self.func) } else { Err(Error::Stale("the function")) }
    }

    /// The type that references to it are of, if it is this store's.
    pub(crate) fn heap_type(&self, store: &StoreInner) -> Option<HeapType> {
        // SAFETY: `raw` checked that it is live.
        let id = unsafe { (*self.raw(store).ok()?).type_id };
        Some(HeapType::Defined(Kind::Func, id))
    }

    pub(crate) fn owner(&self) -> Option<Key> {
        self.owner
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> Result<FuncType> {
        let store = store.inner();
        // SAFETY: `raw` checked that it is live.
        let id = unsafe { (*self.raw(store)?).type_id };
        store.engine.func_type(id).ok_or(Error::Stale("the function"))
    }

    /// Calls it with these arguments.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let ty = self.ty(&store)?;
        let store = store.inner_mut();
        let func = self.raw(store)?;
        if params.len() != ty.params().len() || results.len() != ty.results().len() {
            return Err(Error::Type(format!(
                "the function's type is {ty}; {} arguments and room for {} results were given",
                params.len(),
                results.len()
            )));
        }
        let mut buffer = vec![0u64; ty.buffer_slots()];
        let mut slot = buffer.as_mut_ptr();
        for (value, ty) in params.iter().zip(ty.params()) {
            if !value.is(store, *ty) {
                return Err(Error::Type(format!("an argument is {}, not {ty}", value.ty())));
            }
            let bits = value.to_bits(store)?;
            self.reach(store, value);
            // SAFETY: the buffer has the type's slots.
            slot = unsafe { write_slots(slot, *ty, bits) };
        }
        // SAFETY: `raw` checked the function, the buffer has its slots.
        let ended = unsafe { enter(store.context(), func, buffer.as_mut_ptr()) };
        if let Err(trap) = ended {
            store.bury();
            return Err(trap.into());
        }
        let mut slot = buffer.as_ptr();
        for (result, ty) in results.iter_mut().zip(ty.results()) {
            // SAFETY: the callee wrote its results.
            let (bits, next) = unsafe { read_slots(slot, *ty) };
            *result = Val::from_bits(store, *ty, bits);
            slot = next;
        }
        store.bury();
        Ok(())
    }

    /// A function that is passed to a guest lives as long as the guest may hold it.
    fn reach(&self, store: &mut StoreInner, value: &Val) {
        if let Val::FuncRef(Some(Func { owner: Some(owner), .. })) = value
            && let Some(own) = self.owner
        {
            crate::runtime::instantiate::join_instances(store, own, *owner);
        }
    }

    /// The same function with its type known to the compiler.
    pub fn typed<P: HostParams, R: GuestResults>(&self, store: impl AsContext) -> Result<TypedFunc<P, R>> {
        let ty = self.ty(&store)?;
        let wanted = FuncType::new(P::types(), R::Values::types());
        if ty != wanted {
            return Err(Error::Type(format!("the function's type is {ty}, not {wanted}")));
        }
        Ok(TypedFunc { func: *self, types: PhantomData })
    }
}

/// The store's own reference to one of its host functions, of which `func` may be a copy.
///
/// # Safety
/// `func` is live, and was bound by [`Func::bind`].
unsafe fn original(func: *const FuncRef) -> *const FuncRef {
    // SAFETY: `bind` made the context the second part of such a pair.
    unsafe {
        let pair = (*func).context.byte_sub(offset_of!((FuncRef, HostFunction), 1));
        pair.byte_add(offset_of!((FuncRef, HostFunction), 0)).cast()
    }
}

/// A function whose type was checked once.
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P: HostParams, R: GuestResults> TypedFunc<P, R> {
    /// The function without its types.
    pub fn func(&self) -> Func {
        self.func
    }

    /// Calls it.
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R> {
        let store = store.inner_mut();
        let func = self.func.raw(store)?;
        let slots = P::SLOTS.max(R::Values::SLOTS);
        let mut small = [0u64; 16];
        let mut large;
        let buffer = if slots <= small.len() {
            small.as_mut_ptr()
        } else {
            large = vec![0u64; slots];
            large.as_mut_ptr()
        };
        // SAFETY: the buffer has the type's slots; `raw` checked the function, `typed` its type.
        unsafe {
            params.write(buffer);
            let ended = enter(store.context(), func, buffer);
            store.bury();
            ended?;
            Ok(R::from_values(R::Values::read(buffer)))
        }
    }
}
