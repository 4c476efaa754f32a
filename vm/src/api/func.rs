//! Functions as the host sees them.

use std::fmt;
use std::marker::PhantomData;
use std::mem::offset_of;
use std::sync::Arc;

use super::caller::Caller;
use super::error::{Error, Result};
use super::host::{HostFunc, IntoHostFunc};
use super::store::{AsContext, AsContextMut};
use super::typed::{GuestResults, HostParams};
use super::types::DefinedFuncType;
use super::val::{self, Handover, Val};
use crate::runtime::call::enter;
use crate::runtime::context::FuncRef;
use crate::runtime::instance::HostFunction;
use crate::runtime::instantiate::{join_instances, owner};
use crate::runtime::slab::Key;
use crate::runtime::store::StoreInner;
use crate::runtime::tier;
use crate::runtime::types::DefinedType;
use crate::types::{FuncType, HeapType, Kind, TypeId, ValType};

/// A function of a store: a guest's or a host's.
///
/// ```
/// use pinfold_vm::api::{Engine, Func, FuncType, Store, Val, ValType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut store = Store::new(&Engine::default(), ());
/// // A closure, whose parameters say its type; and one of a type that is known at run time.
/// let add = Func::wrap(&mut store, |a: i32, b: i32| a.wrapping_add(b));
/// let first = Func::new(&mut store, FuncType::new([ValType::I64; 2], [ValType::I64]), |_, params, results| {
///     results[0] = params[0].clone();
///     Ok(())
/// });
/// assert_eq!(add.typed::<(i32, i32), i32>(&store)?.call(&mut store, (40, 2))?, 42);
/// let mut results = [Val::I64(0)];
/// first.call(&mut store, &[Val::I64(7), Val::I64(8)], &mut results)?;
/// assert_eq!(results[0].i64(), Some(7));
/// # Ok(())
/// # }
/// ```
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
        Self::own(store.inner_mut(), &HostFunc::dynamic(ty, func))
    }

    /// The same of a type that was defined, for guests that tell its functions from others.
    ///
    /// # Errors
    /// If the type is not the store's.
    pub fn with_type<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: &DefinedFuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        let store = store.inner_mut();
        let func = HostFunc::dynamic(ty.func_type(), func).of_type(&store.engine, ty)?;
        Self::bind(store, &func)
    }

    /// A host function of the store's own, from a closure with typed parameters.
    pub fn wrap<T: 'static, M>(mut store: impl AsContextMut<Data = T>, func: impl IntoHostFunc<T, M>) -> Self {
        Self::own(store.inner_mut(), &func.into_host_func())
    }

    /// The same of a type that was defined, which may name the structs, arrays and functions that it takes and returns.
    ///
    /// # Errors
    /// If the closure takes or returns something else, or the type is not the store's.
    pub fn wrap_with_type<T: 'static, M>(
        mut store: impl AsContextMut<Data = T>,
        ty: &DefinedFuncType,
        func: impl IntoHostFunc<T, M>,
    ) -> Result<Self> {
        let store = store.inner_mut();
        let func = func.into_host_func().of_type(&store.engine, ty)?;
        Self::bind(store, &func)
    }

    fn bind(store: &mut StoreInner, func: &HostFunc) -> Result<Self> {
        let function = func.bind(&store.engine, store.context())?;
        Ok(Self::keep(store, function))
    }

    /// A function of a type that it says itself.
    fn own(store: &mut StoreInner, func: &HostFunc) -> Self {
        let function = func.bind_plain(store.context());
        Self::keep(store, function)
    }

    fn keep(store: &mut StoreInner, function: HostFunction) -> Self {
        let func_ref = FuncRef {
            code: std::ptr::null(),
            context: std::ptr::null_mut(),
            // Where there is no memory for a record, tests of the type find none, and fail.
            type_id: store.define_func(&function.ty).unwrap_or(TypeId::FUNC),
            index: FuncRef::HOST,
            number: 0,
            pad: 0,
        };
        let mut host = Box::new((func_ref, function));
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
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn ty(&self, store: impl AsContext) -> Result<FuncType> {
        let defined = self.defined_type(store.inner())?;
        defined.func().cloned().ok_or(Error::Stale("the function"))
    }

    /// Its type as it was defined.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's, or not there any more.
    pub fn defined_ty(&self, store: impl AsContext) -> Result<DefinedFuncType> {
        let store = store.inner();
        Ok(DefinedFuncType::from_parts(store.engine.clone(), self.defined_type(store)?))
    }

    fn defined_type(&self, store: &StoreInner) -> Result<Arc<DefinedType>> {
        // SAFETY: `raw` checked that it is live.
        let id = unsafe { (*self.raw(store)?).type_id };
        store.engine.types.get(id).ok_or(Error::Stale("the function"))
    }

    /// Calls it with these arguments.
    ///
    /// # Errors
    /// [`Error::Type`], if there are more or fewer arguments or results than its type says, or an argument is of another type. [`Error::Stale`], if something
    /// is not the store's. [`Error::Trap`], if it did not return.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        let store = store.inner_mut();
        let func = self.raw(store)?;
        let defined = self.defined_type(store)?;
        let ty = defined.func().ok_or(Error::Stale("the function"))?;
        if params.len() != ty.params().len() || results.len() != ty.results().len() {
            return Err(Error::Type(format!(
                "the function's type is {ty}; {} arguments and room for {} results were given",
                params.len(),
                results.len()
            )));
        }
        let mut buffer = vec![0u64; ty.buffer_slots()];
        // SAFETY: `raw` checked the function, the buffer has its slots.
        let ended = unsafe {
            self.hand_over(store, params, ty.params(), true, buffer.as_mut_ptr())?;
            enter(store.context(), func, buffer.as_mut_ptr())
        };
        if let Err(trap) = ended {
            store.bury();
            return Err(trap.into());
        }
        // SAFETY: the callee wrote its results.
        let found = unsafe { val::read(store, ty.results(), buffer.as_ptr()) };
        results.iter_mut().zip(found).for_each(|(result, found)| *result = found);
        store.bury();
        Ok(())
    }

    /// Writes arguments for it.
    ///
    /// # Safety
    /// There is room for these types; the arguments are of them, unless `check` says that nobody looked.
    unsafe fn hand_over(
        &self,
        store: &mut StoreInner,
        params: &[Val],
        types: &[ValType],
        check: bool,
        buffer: *mut u64,
    ) -> Result<()> {
        let hold = |store: &mut StoreInner, func: &Func| self.reach(store, func);
        let handover = Handover { types, check, what: "an argument", hold: &hold };
        // SAFETY: by contract.
        unsafe { val::write(store, params, &handover, buffer) }
    }

    /// A function that is passed to a guest lives as long as the guest may hold it.
    fn reach(&self, store: &mut StoreInner, func: &Self) {
        if let Some(owner) = func.owner
            && let Some(own) = self.owner
        {
            join_instances(store, own, owner);
        }
    }

    /// The same function with its type known to the compiler.
    ///
    /// Parameters may be more general than those of the function, such as [`StructRef`](super::StructRef) where it takes structs of
    /// one type; each call looks then, and another one is an error. Results may be more general too.
    ///
    /// # Errors
    /// [`Error::Type`], if it is of another type; [`Error::Stale`], if it is not the store's.
    pub fn typed<P: HostParams, R: GuestResults>(&self, store: impl AsContext) -> Result<TypedFunc<P, R>> {
        let store = store.inner();
        let defined = self.defined_type(store)?;
        let ty = defined.func().ok_or(Error::Stale("the function"))?;
        let types = &store.engine.types;
        let all = |from: &[ValType], to: &[ValType], fits: &dyn Fn(ValType, ValType) -> bool| {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| fits(*from, *to))
        };
        let is = |ty, of| types.matches(ty, of);
        let may_be = |ty, of| is(ty, of) || is(of, ty);
        if !all(P::TYPES, ty.params(), &may_be) || !all(ty.results(), R::Values::TYPES, &is) {
            let wanted = FuncType::new(P::TYPES, R::Values::TYPES);
            return Err(Error::Type(format!("the function's type is {ty}, not {wanted}")));
        }
        Ok(TypedFunc { func: *self, check: !all(P::TYPES, ty.params(), &is), types: PhantomData })
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
///
/// ```
/// use pinfold_vm::api::{Engine, Instance, Module, Store, TypedFunc};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(r#"(module
///     (func (export "divide") (param i64 i64) (result i64 i64)
///         (i64.div_s (local.get 0) (local.get 1))
///         (i64.rem_s (local.get 0) (local.get 1))))"#)?)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let divide: TypedFunc<(i64, i64), (i64, i64)> = instance.get_typed_func(&store, "divide")?;
/// assert_eq!(divide.call(&mut store, (47, 5))?, (9, 2));
/// assert!(divide.call(&mut store, (47, 0)).is_err());
/// # Ok(())
/// # }
/// ```
pub struct TypedFunc<P, R> {
    func: Func,
    /// Whether arguments may be of another type than the function's parameters.
    check: bool,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P, R> fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedFunc").field(&self.func).finish()
    }
}

impl<P: HostParams, R: GuestResults> TypedFunc<P, R> {
    /// The function without its types.
    pub fn func(&self) -> Func {
        self.func
    }

    /// Calls it.
    ///
    /// # Errors
    /// [`Error::Trap`], if it did not return; [`Error::Type`], if an argument is more general than its parameter, and of another type; [`Error::Stale`], if
    /// something is not the store's.
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
            if P::REFERENCES {
                self.hand_over(store, params, buffer)?;
            } else {
                params.write(store, buffer)?;
            }
            let ended = enter(store.context(), func, buffer);
            let results = ended.map_err(Error::from).and_then(|()| R::Values::read(store, buffer));
            store.bury();
            results.map(R::from_values)
        }
    }

    /// Writes arguments with references among them.
    ///
    /// # Safety
    /// There is room for them.
    unsafe fn hand_over(&self, store: &mut StoreInner, params: P, buffer: *mut u64) -> Result<()> {
        let params = params.into_vals();
        // SAFETY: by contract; `typed` checked the types, or said that these are to be looked at.
        unsafe {
            if !self.check {
                return self.func.hand_over(store, params.as_ref(), P::TYPES, false, buffer);
            }
            let defined = self.func.defined_type(store)?;
            let ty = defined.func().ok_or(Error::Stale("the function"))?;
            self.func.hand_over(store, params.as_ref(), ty.params(), true, buffer)
        }
    }
}
