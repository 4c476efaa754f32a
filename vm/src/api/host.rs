//! Host functions: how a Rust closure becomes something a guest can call.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::caller::Caller;
use super::error::{Error, Result};
use super::val::{Val, WasmType, read_slots, write_slots};
use crate::runtime::context::{HostContext, StoreContext};
use crate::runtime::exception::pass_on;
use crate::runtime::instance::HostFunction;
use crate::runtime::instantiate::join_instances;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::runtime::{raise, raise_trap};
use crate::types::{FuncType, ValType};

type Call = unsafe extern "sysv64" fn(*mut HostContext, *mut u64) -> bool;

/// A host function that is not bound to a store yet.
#[derive(Clone)]
pub struct HostFunc {
    pub(crate) ty: FuncType,
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
        Self { ty, call, run, target }
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

    /// Binds the function to a store.
    pub(crate) fn bind(&self, store: *mut StoreContext) -> HostFunction {
        HostFunction {
            header: HostContext { call: self.call, store, importer: std::ptr::null_mut() },
            run: self.run.clone(),
            target: self.target,
            ty: self.ty.clone(),
        }
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
            Ok(Ok(())) => match (*store).interrupted() {
                None => true,
                Some(kind) => {
                    raise(store, kind);
                    false
                }
            },
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

#[cold]
unsafe fn fail(store: *mut StoreContext, error: Error) {
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
            let store = StoreInner::of((*context).store);
            let mut slot = buffer.cast_const();
            let mut params = Vec::with_capacity(host.ty.params().len());
            for ty in host.ty.params() {
                let (bits, next) = read_slots(slot, *ty);
                params.push(Val::from_bits(store, *ty, bits));
                slot = next;
            }
            let mut results: Vec<Val> = host.ty.results().iter().map(|ty| Val::zero(*ty)).collect();
            func(Caller::new(context), &params, &mut results)?;
            let mut slot = buffer;
            for (value, ty) in results.iter().zip(host.ty.results()) {
                if !value.is(StoreInner::of((*context).store), *ty) {
                    return Err(Error::Type(format!("a host function returned {} for {ty}", value.ty())));
                }
                let store = StoreInner::of((*context).store);
                let bits = value.to_bits(store)?;
                // The guest may keep it. Who imported this function is tied to whoever calls it.
                if let Val::FuncRef(Some(func)) = value {
                    match ((*context).importer.as_ref(), func.owner()) {
                        (Some(importer), Some(owner)) => {
                            let importer = &*importer.instance.cast::<crate::runtime::instance::Instance>();
                            join_instances(store, importer.key, owner);
                        }
                        _ => super::externs::pin(store, func),
                    }
                }
                slot = write_slots(slot, *ty, bits);
            }
            Ok(())
        })
    }
}

/// Parameters of typed functions: tuples of [`WasmType`]s.
pub trait HostParams: Sized {
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    unsafe fn read(slot: *const u64) -> Self;
    #[doc(hidden)]
    unsafe fn write(self, slot: *mut u64);
    /// Slots taken.
    #[doc(hidden)]
    const SLOTS: usize;
}

/// What typed host functions may return: a value, a tuple of values, nothing; or a [`Result`] of those.
pub trait HostResults {
    #[doc(hidden)]
    type Values: HostParams;
    #[doc(hidden)]
    fn into_values(self) -> Result<Self::Values>;
}

macro_rules! params {
    ($($name:ident)*) => {
        #[allow(non_snake_case, unused_mut, unused_variables, unused_assignments, clippy::unused_unit)]
        impl<$($name: WasmType),*> HostParams for ($($name,)*) {
            const SLOTS: usize = 0 $(+ $name::TYPE.slots())*;

            fn types() -> Vec<ValType> {
                vec![$($name::TYPE),*]
            }

            #[inline(always)]
            unsafe fn read(mut slot: *const u64) -> Self {
                $(
                    // SAFETY: by contract the slots hold values of these types.
                    let (bits, next) = unsafe { read_slots(slot, $name::TYPE) };
                    let $name = $name::from_bits(bits);
                    slot = next;
                )*
                ($($name,)*)
            }

            #[inline(always)]
            unsafe fn write(self, mut slot: *mut u64) {
                let ($($name,)*) = self;
                // SAFETY: by contract there is room for these types.
                $(slot = unsafe { write_slots(slot, $name::TYPE, $name.into_bits()) };)*
            }
        }

        impl<$($name: WasmType),*> HostResults for ($($name,)*) {
            type Values = Self;

            #[inline(always)]
            fn into_values(self) -> Result<Self> {
                Ok(self)
            }
        }

        impl<$($name: WasmType),*> HostResults for Result<($($name,)*)> {
            type Values = ($($name,)*);

            #[inline(always)]
            fn into_values(self) -> Result<Self::Values> {
                self
            }
        }

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
                            let func = &*(*context.cast::<HostFunction>()).target.cast::<F>();
                            let ($($name,)*) = <($($name,)*) as HostParams>::read(buffer);
                            func(Caller::new(context), $($name),*).into_values()?.write(buffer);
                            Ok(())
                        })
                    }
                }
                let ty = FuncType::new(<($($name,)*) as HostParams>::types(), R::Values::types());
                HostFunc::typed(ty, call::<T, F, R, $($name),*>, self)
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

/// A closure that can become a host function: its parameters and results are [`WasmType`]s, the
/// first parameter may be a [`Caller`].
pub trait IntoHostFunc<T, Marker> {
    #[doc(hidden)]
    fn into_host_func(self) -> HostFunc;
}

params! {}
params! { A }
params! { A B }
params! { A B C }
params! { A B C D }
params! { A B C D E }
params! { A B C D E G }
params! { A B C D E G H }
params! { A B C D E G H I }
params! { A B C D E G H I J }
params! { A B C D E G H I J K }
params! { A B C D E G H I J K L }
params! { A B C D E G H I J K L M }

macro_rules! single_results {
    ($($ty:ty)*) => {$(
        impl HostResults for $ty {
            type Values = ($ty,);

            #[inline(always)]
            fn into_values(self) -> Result<($ty,)> {
                Ok((self,))
            }
        }

        impl HostResults for Result<$ty> {
            type Values = ($ty,);

            #[inline(always)]
            fn into_values(self) -> Result<($ty,)> {
                self.map(|value| (value,))
            }
        }
    )*};
}

single_results! { i32 u32 i64 u64 f32 f64 u128 }

/// Results of typed guest functions: a value or a tuple.
pub trait GuestResults: Sized {
    #[doc(hidden)]
    type Values: HostParams;
    #[doc(hidden)]
    fn from_values(values: Self::Values) -> Self;
}

impl<R: WasmType> GuestResults for R {
    type Values = (R,);

    fn from_values(values: (R,)) -> R {
        values.0
    }
}

macro_rules! guest_results {
    ($($name:ident)*) => {
        impl<$($name: WasmType),*> GuestResults for ($($name,)*) {
            type Values = Self;

            fn from_values(values: Self) -> Self {
                values
            }
        }
    };
}

guest_results! {}
guest_results! { A }
guest_results! { A B }
guest_results! { A B C }
guest_results! { A B C D }
