//! Values that cross between host and guest.

use super::any::AnyRef;
use super::error::{Error, Result};
use super::exception::ExnRef;
use super::externref::ExternRef;
use super::func::Func;
use super::store::AsContext;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::Trap;
use crate::types::{Family, HeapType, ValType};

/// A value of any type.
///
/// ```
/// use pinfold_vm::api::{Engine, Store, Val, ValType};
///
/// let store = Store::new(&Engine::default(), ());
/// assert_eq!((Val::I32(7).ty(), Val::I32(7).i32(), Val::I32(7).i64()), (ValType::I32, Some(7), None));
/// // Numbers with a point are bits, so that each is what it was.
/// assert_eq!(Val::from(1.5_f64).f64(), Some(1.5));
/// assert!(Val::zero(ValType::EXTERNREF).matches(&store, ValType::EXTERNREF));
/// ```
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
            Self::AnyRef(Some(any)) => any.matches(store, wanted.heap),
            _ => wanted.nullable,
        }
    }

    /// Whether it is a value of a type and of the store. `what` it is meant to be, if it is not.
    pub(crate) fn check(&self, store: &StoreInner, ty: ValType, what: &str) -> Result<()> {
        if self.is(store, ty) {
            return Ok(());
        }
        match self {
            Self::FuncRef(Some(func)) => func.raw(store).map(drop)?,
            Self::ExnRef(Some(exception)) => exception.reference(store).map(drop)?,
            Self::AnyRef(Some(any)) => any.reference(store).map(drop)?,
            _ => {}
        }
        Err(Error::Type(format!("{what} is {}, not {ty}", self.ty())))
    }

    /// The value's bits as slots hold them; those of another store are refused. Room for host values was [reserved](reserve), so
    /// that nothing is collected: bits stay what they are until something runs.
    #[inline(always)]
    pub(crate) fn to_bits(&self, store: &mut StoreInner) -> Result<u128> {
        Ok(match self {
            Self::I32(v) => u128::from(*v as u32),
            Self::I64(v) => u128::from(*v as u64),
            Self::F32(v) => u128::from(*v),
            Self::F64(v) => u128::from(*v),
            Self::V128(v) => *v,
            _ => self.reference_bits(store)?,
        })
    }

    #[inline(never)]
    fn reference_bits(&self, store: &mut StoreInner) -> Result<u128> {
        Ok(match self {
            Self::FuncRef(Some(func)) => func.raw(store)? as u128,
            Self::ExternRef(Some(value)) => value.reference(store)?.into(),
            Self::ExnRef(Some(exception)) => exception.reference(store)?.into(),
            Self::AnyRef(Some(any)) => any.reference(store)?.into(),
            _ => 0,
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
                Family::Any => Self::AnyRef(AnyRef::from_reference(store, bits as u32)),
            },
        }
    }
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident $variant:ident($value:ident) $ty:ty: $read:expr;)*) => {
        impl Val {
            $($(#[$doc])*
            pub fn $name(&self) -> Option<$ty> {
                if let Self::$variant($value) = self { Some($read) } else { None }
            })*
        }
    };
}

accessors! {
    /// The integer, if it is an `i32`.
    i32 I32(value) i32: *value;
    /// The integer, if it is an `i64`.
    i64 I64(value) i64: *value;
    /// The number, if it is an `f32`.
    f32 F32(bits) f32: f32::from_bits(*bits);
    /// The number, if it is an `f64`.
    f64 F64(bits) f64: f64::from_bits(*bits);
    /// The function or null, if it is a reference to functions.
    func_ref FuncRef(value) Option<&Func>: value.as_ref();
    /// The host value or null, if it is a reference to these.
    extern_ref ExternRef(value) Option<&ExternRef>: value.as_ref();
    /// The exception or null, if it is a reference to these.
    exn_ref ExnRef(value) Option<&ExnRef>: value.as_ref();
    /// What is in the heap or null, if it is a reference to that.
    any_ref AnyRef(value) Option<&AnyRef>: value.as_ref();
}

/// Makes sure that references to all host values among these can be made without a collection.
pub(crate) fn reserve(store: &mut StoreInner, values: &[Val]) -> Result<()> {
    let wanted: Vec<_> = values
        .iter()
        .filter_map(|value| match value {
            Val::ExternRef(Some(value)) => value.host_value(),
            _ => None,
        })
        .collect();
    // SAFETY: whoever has the store to itself saved where its guests are.
    match unsafe { store.reserve_host_values(&wanted) } {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::HostValues { limit: store.limits.host_values }),
        Err(kind) => Err(Trap::new(kind).into()),
    }
}

/// What values are to be, and who comes to hold them.
pub(crate) struct Handover<'a> {
    /// Their types.
    pub types: &'a [ValType],
    /// Whether they are looked at: nobody did before.
    pub check: bool,
    /// What they are, for errors.
    pub what: &'static str,
    /// Ties a function to who gets it.
    pub hold: &'a dyn Fn(&mut StoreInner, &Func),
}

/// Writes as many values as there are types to slots. May collect, before it writes any.
///
/// # Safety
/// `slot` has room for the types.
pub(crate) unsafe fn write(
    store: &mut StoreInner,
    values: &[Val],
    handover: &Handover<'_>,
    mut slot: *mut u64,
) -> Result<()> {
    if handover.check {
        for (value, ty) in values.iter().zip(handover.types) {
            value.check(store, *ty, handover.what)?;
        }
    }
    reserve(store, values)?;
    for (value, ty) in values.iter().zip(handover.types) {
        let bits = value.to_bits(store)?;
        if let Val::FuncRef(Some(func)) = value {
            (handover.hold)(store, func);
        }
        // SAFETY: by contract.
        slot = unsafe { write_slots(slot, *ty, bits) };
    }
    Ok(())
}

/// Reads values of these types from slots.
///
/// # Safety
/// `slot` holds them, of this store.
pub(crate) unsafe fn read(store: &StoreInner, types: &[ValType], mut slot: *const u64) -> Vec<Val> {
    let value = |ty: &ValType| {
        // SAFETY: by contract.
        let (bits, next) = unsafe { read_slots(slot, *ty) };
        slot = next;
        Val::from_bits(store, *ty, bits)
    };
    types.iter().map(value).collect()
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

macro_rules! from_numbers {
    ($($ty:ty: $into:expr;)*) => {$(
        impl From<$ty> for Val {
            fn from(value: $ty) -> Self {
                $into(value)
            }
        }
    )*};
}

from_numbers! {
    i32: Val::I32;
    i64: Val::I64;
    f32: |value: f32| Val::F32(value.to_bits());
    f64: |value: f64| Val::F64(value.to_bits());
    u128: Val::V128;
}
