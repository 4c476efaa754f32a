//! Exceptions as the host sees them.

use std::sync::Arc;

use super::error::{Error, Result};
use super::externs::{Tag, pin};
use super::store::{AsContext, AsContextMut};
use super::val::{self, Handover, Val};
use crate::runtime::exception::Exception;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::types::FuncType;

/// An exception of a store: what an `exnref` refers to, and what an
/// [uncaught](TrapKind::UncaughtException) one leaves in its [`Trap`].
///
/// A host function that returns an exception's [error](Self::into_error), its own or one that it was given by a guest
/// that it called, throws it into the guest that called it.
///
/// ```
/// use pinfold_vm::api::{Engine, Error, ExnRef, Linker, Module, Store, Tag, Val, ValType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let tag = Tag::new(&mut store, &[ValType::I32])?;
/// let mut linker = Linker::new(&engine);
/// linker.define(&store, "host", "failed", tag)?;
/// let module = Module::new(&engine, wat::parse_str(r#"(module
///     (import "host" "failed" (tag $failed (param i32)))
///     (func (export "run") (throw $failed (i32.const 7))))"#)?)?;
/// let run = linker.instantiate(&mut store, &module)?.get_typed_func::<(), ()>(&store, "run")?;
///
/// let Err(Error::Trap(trap)) = run.call(&mut store, ()) else { panic!() };
/// let exception = trap.exception().ok_or("it was no exception")?;
/// assert!(exception.is(&store, &tag)?);
/// assert_eq!(exception.payload(&store)?[0].i32(), Some(7));
/// // A host function that returns this error throws it.
/// let error: Error = ExnRef::new(&mut store, &tag, &[Val::I32(8)])?.into_error();
/// assert!(error.trap().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ExnRef(pub(crate) Exception);

impl ExnRef {
    /// An exception with this tag, whose payload are these values.
    ///
    /// # Errors
    /// If the values are not those of the tag's type, or belong to another store.
    pub fn new(mut store: impl AsContextMut, tag: &Tag, payload: &[Val]) -> Result<Self> {
        let store = store.inner_mut();
        let tag = tag.item(store)?.clone();
        let params = tag.ty.params();
        if payload.len() != params.len() || payload.iter().zip(params).any(|(value, ty)| !value.is(store, *ty)) {
            return Err(Error::Type(format!("the payload is not that of the tag, whose type is {}", tag.ty)));
        }
        let mut slots = vec![0; tag.ty.param_slots()].into_boxed_slice();
        let handover = Handover { types: params, check: false, what: "the payload", hold: &pin };
        // SAFETY: there are as many slots as the values take, whose types were checked.
        unsafe { val::write(store, payload, &handover, slots.as_mut_ptr())? };
        // SAFETY: the slots hold the payload; whoever has the store to itself saved where its guests are.
        let object = unsafe { store.new_exception(&tag, slots.as_ptr()) };
        let object = object.map_err(|kind| Error::from(Trap::new(kind)))?;
        Ok(Self(store.hold_exception(tag, object)))
    }

    /// The exception behind a reference of the store's; none for null, or if its tag is gone.
    ///
    /// # Safety
    /// It is null, or an exception in the store's heap.
    pub(crate) unsafe fn from_reference(store: &StoreInner, reference: u32) -> Option<Self> {
        if reference == 0 {
            return None;
        }
        // SAFETY: by contract.
        let tag = unsafe { store.tag_of(reference)? };
        Some(Self(store.hold_exception(tag, reference)))
    }

    /// The reference, if it is this store's.
    pub(crate) fn reference(&self, store: &StoreInner) -> Result<u32> {
        self.of(store).map(|_| self.0.root.get())
    }

    /// The type of its tag: the parameters are the payload.
    pub fn ty(&self) -> &FuncType {
        &self.0.tag.ty
    }

    /// Whether it was thrown with this tag.
    ///
    /// # Errors
    /// [`Error::Stale`], if the exception or the tag is not the store's.
    pub fn is(&self, store: impl AsContext, tag: &Tag) -> Result<bool> {
        Ok(Arc::ptr_eq(tag.item(self.of(store.inner())?)?, &self.0.tag))
    }

    /// The values that it carries.
    ///
    /// # Errors
    /// [`Error::Stale`], if it is not the store's.
    pub fn payload(&self, store: impl AsContext) -> Result<Vec<Val>> {
        let store = self.of(store.inner())?;
        let mut payload = vec![0; self.ty().param_slots()];
        // SAFETY: the root is an exception with this tag, in the store's heap.
        unsafe { store.payload_of(self.0.root.get(), &self.0.tag, payload.as_mut_ptr()) };
        // SAFETY: the payload has the slots of the tag's type.
        Ok(unsafe { val::read(store, self.ty().params(), payload.as_ptr()) })
    }

    /// What a host function returns to throw it.
    pub fn into_error(self) -> Error {
        Trap { exception: Some(self.0), ..Trap::new(TrapKind::UncaughtException) }.into()
    }

    fn of<'a>(&self, store: &'a StoreInner) -> Result<&'a StoreInner> {
        if self.0.root.store == store.id { Ok(store) } else { Err(Error::Stale("the exception")) }
    }
}

impl Trap {
    /// For [`TrapKind::UncaughtException`]: the exception.
    pub fn exception(&self) -> Option<ExnRef> {
        self.exception.clone().map(ExnRef)
    }
}
