//! Exceptions as the host sees them.

use std::sync::Arc;

use super::error::{Error, Result};
use super::externs::{Tag, pin};
use super::store::{AsContext, AsContextMut};
use super::val::{Val, read_slots, write_slots};
use crate::runtime::exception::Exception;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::types::FuncType;

/// An exception of a store: what an `exnref` refers to, and what an
/// [uncaught](TrapKind::UncaughtException) one leaves in its [`Trap`].
///
/// A host function that returns an exception's [error](Self::into_error), its own or one that it was given by a guest
/// that it called, throws it into the guest that called it.
#[derive(Clone, Debug)]
pub struct ExnRef(pub(crate) Arc<Exception>);

impl ExnRef {
    /// An exception with this tag, whose payload are these values.
    ///
    /// # Errors
    /// If the values are not those of the tag's type, or belong to another store.
    pub fn new(mut store: impl AsContextMut, tag: &Tag, payload: &[Val]) -> Result<Self> {
        let store = store.inner_mut();
        let tag = tag.item(store)?.clone();
        let params = tag.ty.params();
        if payload.len() != params.len() || payload.iter().zip(params).any(|(value, ty)| value.ty() != *ty) {
            return Err(Error::Type(format!("the payload is not that of the tag, whose type is {}", tag.ty)));
        }
        let mut slots = vec![0; tag.ty.param_slots()].into_boxed_slice();
        let mut slot = slots.as_mut_ptr();
        for value in payload {
            let bits = value.to_bits(store)?;
            if let Val::FuncRef(Some(func)) = value {
                pin(store, func);
            }
            // SAFETY: there are as many slots as the values take.
            slot = unsafe { write_slots(slot, value.ty(), bits) };
        }
        Ok(Self(Arc::new(Exception { store: store.id, tag, payload: slots })))
    }

    /// The type of its tag: the parameters are the payload.
    pub fn ty(&self) -> &FuncType {
        &self.0.tag.ty
    }

    /// Whether it was thrown with this tag.
    pub fn is(&self, store: impl AsContext, tag: &Tag) -> Result<bool> {
        Ok(Arc::ptr_eq(tag.item(self.of(store.inner())?)?, &self.0.tag))
    }

    /// The values that it carries.
    pub fn payload(&self, store: impl AsContext) -> Result<Vec<Val>> {
        let store = self.of(store.inner())?;
        let mut slot = self.0.payload.as_ptr();
        let value = |ty| {
            // SAFETY: the payload has the slots of the tag's type.
            let (bits, next) = unsafe { read_slots(slot, ty) };
            slot = next;
            Val::from_bits(store, ty, bits)
        };
        Ok(self.ty().params().iter().copied().map(value).collect())
    }

    /// What a host function returns to throw it.
    pub fn into_error(self) -> Error {
        Trap { exception: Some(self.0), ..Trap::new(TrapKind::UncaughtException) }.into()
    }

    fn of<'a>(&self, store: &'a StoreInner) -> Result<&'a StoreInner> {
        if self.0.store == store.id { Ok(store) } else { Err(Error::Stale("the exception")) }
    }
}

impl Trap {
    /// For [`TrapKind::UncaughtException`]: the exception.
    pub fn exception(&self) -> Option<ExnRef> {
        self.exception.clone().map(ExnRef)
    }
}
