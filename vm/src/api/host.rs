//! Host functions: how a Rust closure becomes something a guest can call.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::caller::Caller;
use super::error::{Error, Result};
use super::externs::pin;
use super::func::Func;
use super::typed::{HostParams, HostResults, WasmType};
use super::types::DefinedFuncType;
use super::val::{self, Handover, Val};
use crate::runtime::context::{HostContext, StoreContext};
use crate::runtime::engine::Engine;
use crate::runtime::exception::pass_on;
use crate::runtime::instance::{HostFunction, HostType, Instance};
use crate::runtime::instantiate::join_instances;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::runtime::types::{DefinedType, TypeRegistry};
use crate::runtime::{raise, raise_trap, sampler};
use crate::types::{FuncType, TypeId, ValType};

pub(super) type Call = unsafe extern "sysv64" fn(*mut HostContext, *mut u64) -> bool;

/// A host function that is not bound to a store yet.
#[derive(Clone)]
pub struct HostFunc {
    pub(crate) ty: FuncType,
    /// The type itself, where it was defined.
    defined: Option<DefinedFuncType>,
    /// Whether it may stand for functions of other types too: see [`IntoHostFunc`].
    pub(crate) fits: bool,
    call: Call,
    run: Arc<dyn Any + Send + Sync>,
    target: *const (),
}

// SAFETY: `target` points into `run`, which is `Send + Sync`.
unsafe impl Send for HostFunc {}
// SAFETY: as above.
unsafe impl Sync for HostFunc {}

impl HostFunc {
    fn typed<F: Any + Send + Sync>(ty: FuncType, call: Call, func: F) -> Self {
        let run = Arc::new(func);
        let target = Arc::as_ptr(&run).cast();
        Self { ty, defined: None, fits: false, call, run, target }
    }

    /// A function whose type is only known at run time.
    pub(crate) fn dynamic<T: 'static>(
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let boxed: Dynamic<T> = Box::new(func);
        Self::typed(ty, dynamic::<T>, boxed)
    }

    /// A row of the host table.
    pub(crate) fn row<T: 'static, const RECORDED: bool>(ty: FuncType, row: super::table::BoundRow<T>) -> Self {
        Self::typed(ty, super::table::call::<T, RECORDED>, row)
    }

    /// A function that is lent what is in its arguments, which may be of more types than its own.
    pub(super) fn lent<F: Any + Send + Sync>(ty: FuncType, call: Call, lender: F) -> Self {
        Self { fits: true, ..Self::typed(ty, call, lender) }
    }

    /// The same function as one of a type that was defined.
    ///
    /// # Errors
    /// If it takes or returns something else.
    pub(crate) fn of_type(mut self, engine: &Arc<Engine>, ty: &DefinedFuncType) -> Result<Self> {
        let func = ty.of_engine(engine)?.func().cloned().ok_or(Error::Stale("the function type"))?;
        if self.result_check(&engine.types, &func).is_none() {
            return Err(Error::Type(format!("a function of type {} is no {func}", self.ty)));
        }
        self.defined = Some(ty.clone());
        Ok(self)
    }

    /// Binds the function to a store of this engine.
    ///
    /// # Errors
    /// If it is of a type of another engine.
    pub(crate) fn bind(&self, engine: &Arc<Engine>, store: *mut StoreContext) -> Result<HostFunction> {
        match &self.defined {
            Some(ty) => {
                let bound = self.bind_as(engine, store, ty.of_engine(engine)?);
                bound.ok_or(Error::Stale("the function's type"))
            }
            None => Ok(self.bind_plain(store)),
        }
    }

    /// The number of its type.
    pub(crate) fn type_id(&self, engine: &Engine) -> Option<TypeId> {
        match &self.defined {
            Some(defined) => defined.heap_type().defined(),
            None => Some(engine.type_id(&self.ty)),
        }
    }

    /// Binds the function to a store as one of the type that it says itself.
    pub(crate) fn bind_plain(&self, store: *mut StoreContext) -> HostFunction {
        HostFunction {
            header: HostContext { call: self.call, store, importer: std::ptr::null_mut() },
            run: self.run.clone(),
            target: self.target,
            ty: HostType { func: self.ty.clone(), defined: None },
            checked: false,
        }
    }

    /// Binds the function to a store as one of the type that is defined, if that is just what it says itself.
    pub(crate) fn bind_plain_as(&self, store: *mut StoreContext, ty: &Arc<DefinedType>) -> Option<HostFunction> {
        (self.defined.is_none() && ty.is_plain(&self.ty)).then(|| {
            let bound = self.bind_plain(store);
            HostFunction { ty: HostType { defined: Some(ty.clone()), ..bound.ty }, ..bound }
        })
    }

    /// Binds the function to a store of this engine as one of another type, if it can be one.
    pub(crate) fn bind_as(
        &self,
        engine: &Engine,
        store: *mut StoreContext,
        ty: &Arc<DefinedType>,
    ) -> Option<HostFunction> {
        let func = ty.func()?;
        let checked = self.result_check(&engine.types, func)?;
        let ty = HostType { func: func.clone(), defined: Some(ty.clone()) };
        Some(HostFunction { ty, checked, ..self.bind_plain(store) })
    }

    /// Whether what it returns is of a function type's results only if it is looked at; none if it cannot be a function of this
    /// type at all.
    fn result_check(&self, types: &TypeRegistry, ty: &FuncType) -> Option<bool> {
        if *ty == self.ty {
            return Some(false);
        }
        let all = |from: &[ValType], to: &[ValType], fits: &dyn Fn(ValType, ValType) -> bool| {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| fits(*from, *to))
        };
        let is = |ty, of| types.matches(ty, of);
        let may_be = |ty, of| is(ty, of) || is(of, ty);
        let results = (self.ty.results(), ty.results());
        if !self.fits || !all(ty.params(), self.ty.params(), &is) || !all(results.0, results.1, &may_be) {
            return None;
        }
        Some(!all(results.0, results.1, &is))
    }
}

type Dynamic<T> = Box<dyn Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync>;

/// Runs a host function's body: no panic and no error leaves it but as a trap.
///
/// # Safety
/// `context` is the running host function's.
#[inline(always)]
pub(crate) unsafe fn guarded(context: *mut HostContext, body: impl FnOnce() -> Result<()>) -> bool {
    // SAFETY: by contract.
    unsafe {
        let store = (*context).store;
        let (top, limit) = ((*store).value_top, (*store).value_limit);
        let result = catch_unwind(AssertUnwindSafe(body));
        debug_assert_eq!((top, limit), ((*store).value_top, (*store).value_limit));
        match result {
            Ok(Ok(())) => (*store).interrupt.load(Ordering::Relaxed) == 0 || goes_on(store),
            Ok(Err(error)) => {
                fail(store, error);
                false
            }
            Err(panic) => {
                panicked(store, panic);
                false
            }
        }
    }
}

/// Whether the run goes on after a host function that has done its work and found the store's word to stop set.
///
/// # Safety
/// `store` is running that host function.
#[cold]
unsafe fn goes_on(store: *mut StoreContext) -> bool {
    // SAFETY: by contract.
    unsafe {
        sampler::host_ended(store);
        match (*store).interrupted() {
            None => true,
            Some(kind) => {
                raise(store, kind);
                false
            }
        }
    }
}

#[cold]
unsafe fn fail(store: *mut StoreContext, error: Error) {
    // SAFETY: the store is running this host function.
    unsafe { sampler::host_ended(store) };
    let trap = match error {
        Error::Trap(trap) => {
            if let Some(exception) = &trap.exception {
                // SAFETY: the store is running this host function, which is about to fail.
                if unsafe { pass_on(store, exception) } {
                    return;
                }
            }
            *trap
        }
        Error::Host(source) => Trap { source: Some(source), ..Trap::new(TrapKind::Host) },
        other => Trap { source: Some(Box::new(other)), ..Trap::new(TrapKind::Host) },
    };
    // SAFETY: the store is running this host function.
    unsafe { raise_trap(store, trap) };
}

#[cold]
unsafe fn panicked(store: *mut StoreContext, panic: Box<dyn Any + Send>) {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "no message".to_owned(),
    };
    // SAFETY: the store is running this host function.
    unsafe { fail(store, Error::host(format!("the host function panicked: {text}"))) };
}

unsafe extern "sysv64" fn dynamic<T: 'static>(context: *mut HostContext, buffer: *mut u64) -> bool {
    // SAFETY: `bind` made the context from a `HostFunc::dynamic` of this `T`; the buffer has the
    // type's slots.
    unsafe {
        guarded(context, || {
            let host: &HostFunction = &*context.cast();
            let func = &*host.target.cast::<Dynamic<T>>();
            let ty = &host.ty.func;
            let params = val::read(StoreInner::of((*context).store), ty.params(), buffer);
            let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::zero(*ty)).collect();
            func(Caller::new(context), &params, &mut results)?;
            give_back(context, &results, true, buffer)
        })
    }
}

/// Writes what a host function returns to its buffer.
///
/// # Safety
/// `context` is the running host function's, whose buffer it is; there are as many values as it has results, of their types unless
/// `check` says that nobody looked.
unsafe fn give_back(context: *mut HostContext, values: &[Val], check: bool, buffer: *mut u64) -> Result<()> {
    // SAFETY: by contract; an importer lives as long as its host functions.
    unsafe {
        let host: &HostFunction = &*context.cast();
        let importer = (*context).importer.as_ref().map(|importer| (*importer.instance.cast::<Instance>()).key);
        // The guest may keep it. Who imported this function is tied to whoever calls it.
        let hold = |store: &mut StoreInner, func: &Func| match (importer, func.owner()) {
            (Some(importer), Some(owner)) => join_instances(store, importer, owner),
            _ => pin(store, func),
        };
        let handover =
            Handover { types: host.ty.func.results(), check, what: "what a host function returned", hold: &hold };
        val::write(StoreInner::of((*context).store), values, &handover, buffer)
    }
}

/// A closure that can become a host function: its parameters and results are [`WasmType`]s, the
/// first parameter may be a [`Caller`].
///
/// One with references among them fits more types than its own, since references to structs, arrays and functions are of many: a
/// [`Linker`](super::Linker) gives it to whoever imports a function whose arguments it takes and whose results may be what it
/// returns. Where the type alone does not say that these are, each call looks, and another reference is an error.
///
/// ```
/// use pinfold_vm::api::{Caller, Engine, Error, Func, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut store = Store::new(&Engine::default(), 40_u64);
/// // With or without a caller before the parameters, and a result that may be an error, which ends the guest.
/// let add = Func::wrap(&mut store, |caller: Caller<'_, u64>, n: u64| caller.data() + n);
/// let half = Func::wrap(&mut store, |n: u64| if n % 2 == 0 { Ok(n / 2) } else { Err(Error::host("odd")) });
/// assert_eq!(add.typed::<u64, u64>(&store)?.call(&mut store, 2)?, 42);
/// let half = half.typed::<u64, u64>(&store)?;
/// assert_eq!(half.call(&mut store, 42)?, 21);
/// assert!(half.call(&mut store, 21).is_err());
/// # Ok(())
/// # }
/// ```
pub trait IntoHostFunc<T, Marker> {
    #[doc(hidden)]
    fn into_host_func(self) -> HostFunc;
}

macro_rules! closures {
    ($($name:ident)*) => {
        #[allow(non_snake_case)]
        impl<T: 'static, F, R, $($name: WasmType + 'static),*> IntoHostFunc<T, (Caller<'static, T>, ($($name,)*), R)> for F
        where
            F: Fn(Caller<'_, T>, $($name),*) -> R + Send + Sync + 'static,
            R: HostResults + 'static,
        {
            fn into_host_func(self) -> HostFunc {
                unsafe extern "sysv64" fn call<T: 'static, F, R, $($name: WasmType),*>(context: *mut HostContext, buffer: *mut u64) -> bool
                where
                    F: Fn(Caller<'_, T>, $($name),*) -> R,
                    R: HostResults,
                {
                    // SAFETY: `into_host_func` bound this to an `F`; the buffer has the type's slots.
                    unsafe {
                        guarded(context, || {
                            let host: &HostFunction = &*context.cast();
                            let func = &*host.target.cast::<F>();
                            let store = StoreInner::of((*context).store);
                            let ($($name,)*) = <($($name,)*) as HostParams>::read(store, buffer)?;
                            let values = func(Caller::new(context), $($name),*).into_values()?;
                            if R::Values::REFERENCES {
                                give_back(context, values.into_vals().as_ref(), host.checked, buffer)
                            } else {
                                values.write(StoreInner::of((*context).store), buffer)
                            }
                        })
                    }
                }
                type P<$($name),*> = ($($name,)*);
                let fits = P::<$($name),*>::REFERENCES || R::Values::REFERENCES;
                let ty = FuncType::new(P::<$($name),*>::TYPES, R::Values::TYPES);
                HostFunc { fits, ..HostFunc::typed(ty, call::<T, F, R, $($name),*>, self) }
            }
        }

        #[allow(non_snake_case)]
        impl<T: 'static, F, R, $($name: WasmType + 'static),*> IntoHostFunc<T, (($($name,)*), R)> for F
        where
            F: Fn($($name),*) -> R + Send + Sync + 'static,
            R: HostResults + 'static,
        {
            fn into_host_func(self) -> HostFunc {
                let func = self;
                <_ as IntoHostFunc<T, (Caller<'static, T>, ($($name,)*), R)>>::into_host_func(
                    move |_: Caller<'_, T>, $($name: $name),*| func($($name),*)
                )
            }
        }
    };
}

closures! {}
closures! { A }
closures! { A B }
closures! { A B C }
closures! { A B C D }
closures! { A B C D E }
closures! { A B C D E G }
closures! { A B C D E G H }
closures! { A B C D E G H I }
closures! { A B C D E G H I J }
closures! { A B C D E G H I J K }
closures! { A B C D E G H I J K L }
closures! { A B C D E G H I J K L M }
