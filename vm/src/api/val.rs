//! Values that cross between host and guest.

use std::any::Any;
use std::sync::Arc;

use super::exception::ExnRef;
use super::func::Func;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::Trap;
use crate::types::ValType;

/// What a host value that a guest was given counts against the memory limit, its own size left aside.
const EXTERN_BYTES: u64 = 32;

/// A host value behind an `externref`.
#[derive(Clone)]
pub struct ExternRef(pub(crate) Arc<dyn Any + Send + Sync>);

impl ExternRef {
    /// Wraps a host value.
    pub fn new(value: impl Any + Send + Sync) -> Self {
        Self(Arc::new(value))
    }

    /// The value, if it is of this type.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }

    /// Whether both hold the same value, not just equal ones.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for ExternRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExternRef({:p})", self.0)
    }
}

/// A value of any type.
#[derive(Clone, Debug)]
pub enum Val {
    /// `i32`
    I32(i32),
    /// `i64`
    I64(i64),
    /// `f32`, as bits.
    F32(u32),
    /// `f64`, as bits.
    F64(u64),
    /// `v128`, lane 0 in the lowest bits.
    V128(u128),
    /// `funcref`
    FuncRef(Option<Func>),
    /// `externref`
    ExternRef(Option<ExternRef>),
    /// `exnref`
    ExnRef(Option<ExnRef>),
}

impl Val {
    /// Its type.
    pub fn ty(&self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::V128(_) => ValType::V128,
            Self::FuncRef(_) => ValType::FuncRef,
            Self::ExternRef(_) => ValType::ExternRef,
            Self::ExnRef(_) => ValType::ExnRef,
        }
    }

    /// The zero or null of a type.
    pub fn zero(ty: ValType) -> Self {
        match ty {
            ValType::I32 => Self::I32(0),
            ValType::I64 => Self::I64(0),
            ValType::F32 => Self::F32(0),
            ValType::F64 => Self::F64(0),
            ValType::V128 => Self::V128(0),
            ValType::FuncRef => Self::FuncRef(None),
            ValType::ExternRef => Self::ExternRef(None),
            ValType::ExnRef => Self::ExnRef(None),
        }
    }

    /// An `f32` from its value.
    pub fn f32(value: f32) -> Self {
        Self::F32(value.to_bits())
    }

    /// An `f64` from its value.
    pub fn f64(value: f64) -> Self {
        Self::F64(value.to_bits())
    }

    /// The value's bits as slots hold them. Interns host values; a function of another store is
    /// refused.
    pub(crate) fn to_bits(&self, store: &mut StoreInner) -> super::Result<u128> {
        Ok(match self {
            Self::I32(v) => u128::from(*v as u32),
            Self::I64(v) => u128::from(*v as u64),
            Self::F32(v) => u128::from(*v),
            Self::F64(v) => u128::from(*v),
            Self::V128(v) => *v,
            Self::FuncRef(None) | Self::ExternRef(None) | Self::ExnRef(None) => 0,
            Self::FuncRef(Some(func)) => func.raw(store)? as u128,
            Self::ExternRef(Some(value)) => {
                // The same value gets the same handle as long as it was the last one interned;
                // handles are compared by nobody, since Wasm has no equality of externrefs.
                match store.externs.last() {
                    Some(last) if Arc::ptr_eq(last, &value.0) => {}
                    _ => {
                        // They stay as long as the store, so a guest could ask for them without end.
                        store.charge(EXTERN_BYTES).map_err(|kind| super::Error::Trap(Box::new(Trap::new(kind))))?;
                        store.externs.push(value.0.clone());
                    }
                }
                store.externs.len() as u128
            }
            Self::ExnRef(Some(exception)) if exception.0.store == store.id => {
                let added = store.add_exception(exception.0.clone());
                added.map_err(|kind| super::Error::Trap(Box::new(Trap::new(kind))))?.into()
            }
            Self::ExnRef(Some(_)) => return Err(super::Error::Stale("the exception")),
        })
    }

    /// The value that a slot's bits stand for.
    pub(crate) fn from_bits(store: &StoreInner, ty: ValType, bits: u128) -> Self {
        match ty {
            ValType::I32 => Self::I32(bits as i32),
            ValType::I64 => Self::I64(bits as i64),
            ValType::F32 => Self::F32(bits as u32),
            ValType::F64 => Self::F64(bits as u64),
            ValType::V128 => Self::V128(bits),
            ValType::FuncRef => Self::FuncRef(Func::from_raw(store, bits as usize as *const _)),
            ValType::ExternRef => {
                let value = (bits as u32).checked_sub(1).and_then(|i| store.externs.get(i as usize));
                Self::ExternRef(value.cloned().map(ExternRef))
            }
            ValType::ExnRef => Self::ExnRef(store.exception(bits as u64).cloned().map(ExnRef)),
        }
    }
}

/// Writes a value's bits to slots, and returns the next one.
///
/// # Safety
/// `slot` has room for the type.
pub(crate) unsafe fn write_slots(slot: *mut u64, ty: ValType, bits: u128) -> *mut u64 {
    // SAFETY: by contract.
    unsafe {
        slot.write(bits as u64);
        if ty == ValType::V128 {
            slot.add(1).write((bits >> 64) as u64);
        }
        slot.add(ty.slots())
    }
}

/// Reads a value's bits from slots, and returns the next one.
///
/// # Safety
/// `slot` holds a value of the type.
pub(crate) unsafe fn read_slots(slot: *const u64, ty: ValType) -> (u128, *const u64) {
    // SAFETY: by contract.
    unsafe {
        let low = slot.read();
        let bits = match ty {
            ValType::V128 => u128::from(low) | u128::from(slot.add(1).read()) << 64,
            ValType::I32 | ValType::F32 | ValType::ExternRef => u128::from(low as u32),
            _ => u128::from(low),
        };
        (bits, slot.add(ty.slots()))
    }
}

/// A Rust type that a Wasm type crosses as.
pub trait WasmType: Sized {
    /// The Wasm type.
    const TYPE: ValType;

    #[doc(hidden)]
    fn into_bits(self) -> u128;

    #[doc(hidden)]
    fn from_bits(bits: u128) -> Self;
}

macro_rules! wasm_types {
    ($($rust:ty: $wasm:ident, $into:expr, $from:expr;)*) => {$(
        impl WasmType for $rust {
            const TYPE: ValType = ValType::$wasm;

            #[inline(always)]
            fn into_bits(self) -> u128 {
                $into(self)
            }

            #[inline(always)]
            fn from_bits(bits: u128) -> Self {
                $from(bits)
            }
        }
    )*};
}

wasm_types! {
    i32: I32, |v| u128::from(v as u32), |bits| bits as i32;
    u32: I32, u128::from, |bits| bits as u32;
    i64: I64, |v| u128::from(v as u64), |bits| bits as i64;
    u64: I64, u128::from, |bits| bits as u64;
    f32: F32, |v: f32| u128::from(v.to_bits()), |bits| f32::from_bits(bits as u32);
    f64: F64, |v: f64| u128::from(v.to_bits()), |bits| f64::from_bits(bits as u64);
    u128: V128, |v| v, |bits| bits;
}
