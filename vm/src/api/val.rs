//! Values that cross between host and guest.

use std::any::Any;
use std::sync::Arc;

use super::any::AnyRef;
use super::exception::ExnRef;
use super::func::Func;
use super::store::AsContext;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::types::{Family, HeapType, ValType};

/// What an `externref` refers to: a host value, or something of a guest's heap that it made an `externref` of.
#[derive(Clone)]
pub struct ExternRef(Extern);

#[derive(Clone)]
enum Extern {
    Host(Arc<dyn Any + Send + Sync>),
    Guest(AnyRef),
}

impl ExternRef {
    /// Wraps a host value.
    pub fn new(value: impl Any + Send + Sync) -> Self {
        Self(Extern::Host(Arc::new(value)))
    }

    /// The host value, if it is one of this type.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        match &self.0 {
            Extern::Host(value) => value.downcast_ref(),
            Extern::Guest(_) => None,
        }
    }

    /// What a guest made an `externref` of (`extern.convert_any`); none for a host value.
    pub fn as_any(&self) -> Option<&AnyRef> {
        match &self.0 {
            Extern::Host(_) => None,
            Extern::Guest(any) => Some(any),
        }
    }

    /// Whether both hold the same value, not just equal ones.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Extern::Host(a), Extern::Host(b)) => Arc::ptr_eq(a, b),
            (Extern::Guest(a), Extern::Guest(b)) => a.same(b),
            _ => false,
        }
    }

    /// What a reference of the store's refers to; none for null.
    pub(crate) fn from_reference(store: &StoreInner, reference: u32) -> Option<Self> {
        if reference == 0 {
            return None;
        }
        let host = store.heap.as_ref().and_then(|heap| heap.handles().get(reference));
        Some(Self(match host {
            Some(value) => Extern::Host(value.clone()),
            None => Extern::Guest(AnyRef::root(store, reference)),
        }))
    }

    /// The reference to it in a store.
    pub(crate) fn reference(&self, store: &mut StoreInner) -> super::Result<u32> {
        match &self.0 {
            Extern::Guest(any) => any.reference(store),
            Extern::Host(value) => {
                let full = |kind| super::Error::Trap(Box::new(Trap::new(kind)));
                store.open_heap().map_err(|_| full(TrapKind::OutOfMemory))?;
                let heap = store.heap.as_mut().ok_or_else(|| full(TrapKind::OutOfMemory))?;
                heap.handles_mut().insert(value.clone()).map_err(|_| full(TrapKind::OutOfMemory))
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
    /// `anyref`
    AnyRef(Option<AnyRef>),
}

impl Val {
    /// Its type; of references the most general one: [`Self::matches`] tells more.
    pub fn ty(&self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::V128(_) => ValType::V128,
            Self::FuncRef(_) => ValType::FUNCREF,
            Self::ExternRef(_) => ValType::EXTERNREF,
            Self::ExnRef(_) => ValType::EXNREF,
            Self::AnyRef(_) => ValType::ANYREF,
        }
    }

    /// The zero or null of a type, also of one that null is not of.
    pub fn zero(ty: ValType) -> Self {
        match ty {
            ValType::I32 => Self::I32(0),
            ValType::I64 => Self::I64(0),
            ValType::F32 => Self::F32(0),
            ValType::F64 => Self::F64(0),
            ValType::V128 => Self::V128(0),
            ValType::Ref(ty) => match ty.heap.family() {
                Family::Func => Self::FuncRef(None),
                Family::Extern => Self::ExternRef(None),
                Family::Exn => Self::ExnRef(None),
                Family::Any => Self::AnyRef(None),
            },
        }
    }

    /// Whether it is a value of a type of the store's engine.
    pub fn matches(&self, store: impl AsContext, ty: ValType) -> bool {
        self.is(store.inner(), ty)
    }

    pub(crate) fn is(&self, store: &StoreInner, ty: ValType) -> bool {
        let ValType::Ref(wanted) = ty else { return self.ty() == ty };
        if self.ty().family() != ty.family() {
            return false;
        }
        match self {
            Self::FuncRef(Some(func)) => {
                func.heap_type(store).is_some_and(|heap| store.engine.types.matches_heap(heap, wanted.heap))
            }
            Self::ExternRef(Some(_)) => wanted.heap == HeapType::Extern,
            Self::ExnRef(Some(_)) => wanted.heap == HeapType::Exn,
            Self::AnyRef(Some(any)) => store.engine.types.matches_heap(any.heap_type(store), wanted.heap),
            _ => wanted.nullable,
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

    /// The value's bits as slots hold them; those of another store are refused. Collects nothing: bits stay what they are
    /// until something runs.
    pub(crate) fn to_bits(&self, store: &mut StoreInner) -> super::Result<u128> {
        Ok(match self {
            Self::I32(v) => u128::from(*v as u32),
            Self::I64(v) => u128::from(*v as u64),
            Self::F32(v) => u128::from(*v),
            Self::F64(v) => u128::from(*v),
            Self::V128(v) => *v,
            Self::FuncRef(None) | Self::ExternRef(None) | Self::ExnRef(None) | Self::AnyRef(None) => 0,
            Self::FuncRef(Some(func)) => func.raw(store)? as u128,
            Self::ExternRef(Some(value)) => value.reference(store)?.into(),
            Self::ExnRef(Some(exception)) => exception.reference(store)?.into(),
            Self::AnyRef(Some(any)) => any.reference(store)?.into(),
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
            ValType::Ref(ty) => match ty.heap.family() {
                Family::Func => Self::FuncRef(Func::from_raw(store, bits as usize as *const _)),
                Family::Extern => Self::ExternRef(ExternRef::from_reference(store, bits as u32)),
                // SAFETY: by contract the bits are a reference of the store's.
                Family::Exn => Self::ExnRef(unsafe { ExnRef::from_reference(store, bits as u32) }),
                Family::Any => Self::AnyRef((bits as u32 != 0).then(|| AnyRef::root(store, bits as u32))),
            },
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
            ValType::I32 | ValType::F32 => u128::from(low as u32),
            ty if ty.is_traced() => u128::from(low as u32),
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
