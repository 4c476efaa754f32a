//! Rust types that Wasm types cross as, by themselves and as the parameters and results of typed functions.

use super::any::{AnyRef, EqRef, I31};
use super::arrays::ArrayRef;
use super::error::{Error, Result};
use super::exception::ExnRef;
use super::externref::ExternRef;
use super::func::Func;
use super::structs::StructRef;
use super::val::{Val, read_slots, write_slots};
use crate::runtime::store::StoreInner;
use crate::types::{HeapType, RefType, ValType};

mod sealed {
    /// What only this crate implements: bits are of the type that is said.
    pub trait Sealed {}
}

use sealed::Sealed;

/// A Rust type that a Wasm type crosses as. Of references there is one that is never null, and the same in an `Option`.
///
/// ```
/// use pinfold_vm::api::{ExternRef, RefType, HeapType, ValType, WasmType};
///
/// assert_eq!([<i32 as WasmType>::TYPE, u32::TYPE, f64::TYPE], [ValType::I32, ValType::I32, ValType::F64]);
/// assert_eq!(<Option<ExternRef> as WasmType>::TYPE, ValType::EXTERNREF);
/// assert_eq!(ExternRef::TYPE, RefType::non_null(HeapType::Extern).into());
/// ```
pub trait WasmType: Sized + Sealed {
    /// The Wasm type. Of structs, arrays and functions the most general one: which type they are of is looked at where that is not
    /// known before.
    const TYPE: ValType;

    #[doc(hidden)]
    fn into_val(self) -> Val;

    #[doc(hidden)]
    fn from_bits(store: &StoreInner, bits: u128) -> Result<Self>;
}

macro_rules! numbers {
    ($($rust:ty: $wasm:ident, $into:expr, $from:expr;)*) => {$(
        impl Sealed for $rust {}

        impl WasmType for $rust {
            const TYPE: ValType = ValType::$wasm;

            #[inline(always)]
            fn into_val(self) -> Val {
                $into(self)
            }

            #[inline(always)]
            fn from_bits(_: &StoreInner, bits: u128) -> Result<Self> {
                Ok($from(bits))
            }
        }
    )*};
}

numbers! {
    i32: I32, Val::I32, |bits| bits as i32;
    u32: I32, |v| Val::I32(v as i32), |bits| bits as u32;
    i64: I64, Val::I64, |bits| bits as i64;
    u64: I64, |v| Val::I64(v as i64), |bits| bits as u64;
    f32: F32, |v: f32| Val::F32(v.to_bits()), |bits| f32::from_bits(bits as u32);
    f64: F64, |v: f64| Val::F64(v.to_bits()), |bits| f64::from_bits(bits as u64);
    u128: V128, Val::V128, |bits| bits;
}

macro_rules! references {
    ($($rust:ty: $heap:ident, $value:ident, $from:expr;)*) => {$(
        impl Sealed for $rust {}
        impl Sealed for Option<$rust> {}

        impl WasmType for $rust {
            const TYPE: ValType = ValType::Ref(RefType::non_null(HeapType::$heap));

            fn into_val(self) -> Val {
                Val::$value(Some(self.into()))
            }

            fn from_bits(store: &StoreInner, bits: u128) -> Result<Self> {
                let found = <Option<Self> as WasmType>::from_bits(store, bits)?;
                found.ok_or_else(|| Error::Type("a reference that must not be null is".into()))
            }
        }

        impl WasmType for Option<$rust> {
            const TYPE: ValType = ValType::Ref(RefType::nullable(HeapType::$heap));

            fn into_val(self) -> Val {
                Val::$value(self.map(Into::into))
            }

            fn from_bits(store: &StoreInner, bits: u128) -> Result<Self> {
                match Val::from_bits(store, Self::TYPE, bits) {
                    Val::$value(found) => Ok(found.and_then($from)),
                    _ => Ok(None),
                }
            }
        }

        impl From<$rust> for Val {
            fn from(reference: $rust) -> Self {
                reference.into_val()
            }
        }

        impl From<Option<$rust>> for Val {
            fn from(reference: Option<$rust>) -> Self {
                reference.into_val()
            }
        }
    )*};
}

// By their type the bits are what the last column takes them for.
references! {
    Func: Func, FuncRef, Some;
    ExternRef: Extern, ExternRef, Some;
    ExnRef: Exn, ExnRef, Some;
    AnyRef: Any, AnyRef, Some;
    EqRef: Eq, AnyRef, |any| Some(EqRef(any));
    StructRef: Struct, AnyRef, |any| Some(StructRef(any));
    ArrayRef: Array, AnyRef, |any| Some(ArrayRef(any));
    I31: I31, AnyRef, |any: AnyRef| any.as_i31().map(I31::wrapping);
}

/// Parameters of typed functions: a [`WasmType`], or a tuple of them.
///
/// ```
/// use pinfold_vm::api::{Engine, Func, HostParams, Result, Store, TypedFunc};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// A function of the store that takes these and gives nothing.
/// fn taking<P: HostParams>(store: &Store<()>, func: Func) -> Result<TypedFunc<P, ()>> {
///     func.typed(store)
/// }
/// let mut store = Store::new(&Engine::default(), ());
/// let func = Func::wrap(&mut store, |_: i32, _: f64| ());
/// assert!(taking::<(i32, f64)>(&store, func).is_ok() && taking::<i32>(&store, func).is_err());
/// # Ok(())
/// # }
/// ```
pub trait HostParams: Sized + Sealed {
    /// Their types.
    #[doc(hidden)]
    const TYPES: &'static [ValType];
    /// Slots taken.
    #[doc(hidden)]
    const SLOTS: usize;
    /// Whether there are references among them.
    #[doc(hidden)]
    const REFERENCES: bool;
    #[doc(hidden)]
    type Vals: AsRef<[Val]>;
    #[doc(hidden)]
    fn into_vals(self) -> Self::Vals;
    /// # Safety
    /// The slots hold values of these types, of the store.
    #[doc(hidden)]
    unsafe fn read(store: &StoreInner, slot: *const u64) -> Result<Self>;
    /// Writes numbers; references take [`super::val::write`].
    ///
    /// # Safety
    /// There is room for these types.
    #[doc(hidden)]
    unsafe fn write(self, store: &mut StoreInner, slot: *mut u64) -> Result<()>;
}

/// What typed host functions may return: a value, a tuple of values, nothing; or a [`Result`] of those.
///
/// ```
/// use pinfold_vm::api::{Engine, Func, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut store = Store::new(&Engine::default(), ());
/// let all = [
///     Func::wrap(&mut store, || ()),
///     Func::wrap(&mut store, || 1_i32),
///     Func::wrap(&mut store, || (1_i32, 2.0_f64)),
///     Func::wrap(&mut store, || Ok((1_i32, 2.0_f64))),
/// ];
/// let counts = all.iter().map(|func| Ok(func.ty(&store)?.results().len())).collect::<pinfold_vm::api::Result<Vec<_>>>()?;
/// assert_eq!(counts, [0, 1, 2, 2]);
/// # Ok(())
/// # }
/// ```
pub trait HostResults {
    #[doc(hidden)]
    type Values: HostParams;
    #[doc(hidden)]
    fn into_values(self) -> Result<Self::Values>;
}

macro_rules! params {
    ($($name:ident)*) => {
        impl<$($name: WasmType),*> Sealed for ($($name,)*) {}

        #[allow(non_snake_case, unused_mut, unused_variables, unused_assignments, clippy::unused_unit)]
        impl<$($name: WasmType),*> HostParams for ($($name,)*) {
            const TYPES: &'static [ValType] = &[$($name::TYPE),*];
            const SLOTS: usize = 0 $(+ $name::TYPE.slots())*;
            const REFERENCES: bool = false $(|| $name::TYPE.is_ref())*;

            type Vals = [Val; const { <[&str]>::len(&[$(stringify!($name)),*]) }];

            fn into_vals(self) -> Self::Vals {
                let ($($name,)*) = self;
                [$($name.into_val()),*]
            }

            #[inline(always)]
            unsafe fn read(store: &StoreInner, mut slot: *const u64) -> Result<Self> {
                $(
                    // SAFETY: by contract the slots hold values of these types.
                    let (bits, next) = unsafe { read_slots(slot, $name::TYPE) };
                    let $name = $name::from_bits(store, bits)?;
                    slot = next;
                )*
                Ok(($($name,)*))
            }

            #[inline(always)]
            unsafe fn write(self, store: &mut StoreInner, mut slot: *mut u64) -> Result<()> {
                let ($($name,)*) = self;
                // SAFETY: by contract there is room for these types.
                $(slot = unsafe { write_slots(slot, $name::TYPE, $name.into_val().to_bits(store)?) };)*
                Ok(())
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
    };
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

impl<P: WasmType> HostParams for P {
    const TYPES: &'static [ValType] = <(P,)>::TYPES;
    const SLOTS: usize = <(P,)>::SLOTS;
    const REFERENCES: bool = <(P,)>::REFERENCES;

    type Vals = [Val; 1];

    fn into_vals(self) -> [Val; 1] {
        [self.into_val()]
    }

    #[inline(always)]
    unsafe fn read(store: &StoreInner, slot: *const u64) -> Result<Self> {
        // SAFETY: by contract.
        unsafe { <(P,)>::read(store, slot).map(|(value,)| value) }
    }

    #[inline(always)]
    unsafe fn write(self, store: &mut StoreInner, slot: *mut u64) -> Result<()> {
        // SAFETY: by contract.
        unsafe { (self,).write(store, slot) }
    }
}

/// Results of typed guest functions: a value or a tuple.
///
/// ```
/// use pinfold_vm::api::{Engine, Func, GuestResults, Result, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// Calls a function without parameters.
/// fn give<R: GuestResults>(store: &mut Store<()>, func: Func) -> Result<R> {
///     func.typed::<(), R>(&*store)?.call(store, ())
/// }
/// let mut store = Store::new(&Engine::default(), ());
/// let pair = Func::wrap(&mut store, || (40_i32, 2_i64));
/// assert_eq!(give::<(i32, i64)>(&mut store, pair)?, (40, 2));
/// # Ok(())
/// # }
/// ```
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
single_results! { Func ExternRef ExnRef AnyRef EqRef StructRef ArrayRef I31 }
single_results! {
    Option<Func> Option<ExternRef> Option<ExnRef> Option<AnyRef> Option<EqRef> Option<StructRef> Option<ArrayRef> Option<I31>
}
