//! Exceptions: tags, exception objects, and how a throw finds who catches it.
//!
//! A throw leaves its payload in [`StoreContext::payload`] and looks for a handler *before* anything is
//! unwound, through all activations down to the nearest host frame, so that an exception that nobody
//! catches becomes a trap whose backtrace says where it was thrown. If there is a handler, the tiers
//! between give up their activations one by one ([`Outcome::Thrown`](super::Outcome)), and the one in which
//! it stands goes on there:
//!
//! ```text
//!  throw ─► find ─┬─ none ──────────────► trap, with the backtrace of the throw
//!                 └─ Catcher { activation, place } ─► own activation: go on at the place
//!                                                     else: Outcome::Thrown, one activation further
//! ```
//!
//! A handler that takes only the payload costs no object. One that wants a reference makes one in the heap
//! ([`reference`]): the tag's number, and the payload as the fields of a struct.
//!
//! Traps and errors of host functions are not exceptions: nothing in a guest catches them
//! (WebAssembly 3.0, section 4.6.10).

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::interpreter;
use crate::jit::registry;
use crate::runtime::activation::{activations, compiled_frames};
use crate::runtime::context::{Activation, FuncRef, InstanceContext, StoreContext};
use crate::runtime::instantiate::owner;
use crate::runtime::objects;
use crate::runtime::roots::Root;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::runtime::types::DefinedType;
use crate::runtime::{raise, raise_trap};
use crate::types::{FuncType, StorageType, TypeId, ValType};

/// An exception tag. Its identity is its address.
#[derive(Debug)]
pub struct Tag {
    /// Its type's number: tags are imported by type.
    pub type_id: TypeId,
    /// Its type: the parameters are the payload.
    pub ty: FuncType,
    /// How its exceptions lie in the heap.
    pub object: Arc<DefinedType>,
    /// Its number in its store.
    pub number: u32,
}

/// An exception that the host holds.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Its tag.
    pub tag: Arc<Tag>,
    /// The object in the heap.
    pub root: Arc<Root>,
}

/// The exception that is being thrown, beside its payload.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Thrown {
    /// Its tag.
    pub tag: *const Tag,
    /// The object that it was thrown by, zero if it has none yet.
    pub object: u32,
}

/// Where the exception that is being thrown is caught.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Catcher {
    /// In which activation.
    pub activation: *mut Activation,
    /// Compiled: the address of the handler. Interpreter: its first instruction.
    pub pc: usize,
    /// Compiled: the native stack pointer there. Interpreter: the frame.
    pub sp: usize,
    /// Compiled: the frame pointer. Interpreter: the function.
    pub fp: usize,
    /// Interpreter: the function's instance.
    pub context: *mut InstanceContext,
    /// Interpreter: the frame's slot where what is caught goes.
    pub slot: u32,
    /// Interpreter: whether the payload is wanted.
    pub payload: u32,
    /// Interpreter: whether a reference is wanted after the payload.
    pub reference: u32,
}

impl Catcher {
    /// Nobody.
    pub const NONE: Self = Self {
        activation: std::ptr::null_mut(),
        pc: 0,
        sp: 0,
        fp: 0,
        context: std::ptr::null_mut(),
        slot: 0,
        payload: 0,
        reference: 0,
    };
}

/// Whether a clause names the tag that is being thrown. `at` is the tag's place in the context of the
/// clause's instance.
///
/// # Safety
/// `context` is a live instance's, `at` the offset of one of its tags.
pub unsafe fn is_tag(store: *mut StoreContext, context: *mut InstanceContext, at: u32) -> bool {
    // SAFETY: by contract.
    unsafe { tag_at(context, at) == (*store).thrown.tag }
}

/// # Safety
/// As for [`is_tag`].
unsafe fn tag_at(context: *mut InstanceContext, at: u32) -> *const Tag {
    // SAFETY: by contract.
    unsafe { context.byte_add(at as usize).cast::<*const Tag>().read() }
}

/// Throws an exception whose payload is in [`StoreContext::payload`]. `true` if the newest activation catches it;
/// otherwise that is to be left, with a catcher further down or with a trap pending.
///
/// # Safety
/// As for [`is_tag`]; the activations reflect where execution is.
pub unsafe fn throw(context: *mut InstanceContext, at: u32) -> bool {
    // SAFETY: by contract.
    unsafe {
        let store = (*context).store;
        (*store).thrown = Thrown { tag: tag_at(context, at), object: 0 };
        find(store)
    }
}

/// Throws an exception object again, as [`throw`]. Null is a trap.
///
/// # Safety
/// As for [`throw`]; `object` is a reference of the store's.
pub unsafe fn throw_ref(store: *mut StoreContext, object: u32) -> bool {
    // SAFETY: by contract.
    unsafe {
        if object == 0 {
            raise(store, TrapKind::NullException);
            return false;
        }
        if !load(store, object) {
            // The instance whose tag it was is gone: the host kept the exception longer.
            raise(store, TrapKind::Host);
            return false;
        }
        find(store)
    }
}

/// Lets an exception that a host function throws or passes on go its way. `true` if there is someone to catch it; `false`
/// also for an exception of another store, which is an error like any other here.
///
/// # Safety
/// The store runs a host function, which is about to fail.
pub unsafe fn pass_on(store: *mut StoreContext, exception: &Exception) -> bool {
    // SAFETY: by contract.
    unsafe {
        exception.root.store == StoreInner::of(store).id
            && load(store, exception.root.get())
            && search(store)
            && refer(store)
    }
}

/// Makes the reference that a catcher in the interpreter wants, while all frames are whole. `false` if that failed.
///
/// # Safety
/// As for [`throw`]; the catcher was found.
unsafe fn refer(store: *mut StoreContext) -> bool {
    // SAFETY: by contract.
    unsafe {
        if (*store).catcher.reference == 0 {
            return true;
        }
        reference(store).map_err(|kind| raise(store, kind)).is_ok()
    }
}

/// Makes an exception object the one that is being thrown. `false` if its tag is gone.
///
/// # Safety
/// `object` is one of the store's.
unsafe fn load(store: *mut StoreContext, object: u32) -> bool {
    // SAFETY: by contract; there is room for the payload of every tag of the store.
    unsafe {
        let inner = StoreInner::of(store);
        let Some(tag) = inner.tag_of(object) else { return false };
        inner.payload_of(object, &tag, (*store).payload);
        (*store).thrown = Thrown { tag: Arc::as_ptr(&tag), object };
        true
    }
}

/// A reference to the exception that is being thrown, or was just caught, made now if it has none; the payload stays where it is.
/// `Err` if the store is full. May collect.
///
/// # Safety
/// Nothing has been thrown or called since; and as for [`StoreInner::with_heap`].
pub unsafe fn reference(store: *mut StoreContext) -> Result<u32, TrapKind> {
    // SAFETY: by contract; a thrown exception's tag is its instance's or its object's, which live.
    unsafe {
        let Thrown { tag, object } = (*store).thrown;
        if object != 0 {
            return Ok(object);
        }
        let inner = StoreInner::of(store);
        let object = inner.new_exception(&*tag, (*store).payload)?;
        (*store).thrown.object = object;
        // What the payload refers to may have moved.
        inner.payload_of(object, &*tag, (*store).payload);
        Ok(object)
    }
}

/// The exception that is being thrown, for the host. `Err` if the store is full.
///
/// # Safety
/// As for [`reference`].
unsafe fn current(store: *mut StoreContext) -> Result<Exception, TrapKind> {
    // SAFETY: as for `reference`; tags are made by `Arc::new`.
    unsafe {
        let object = reference(store)?;
        let tag = (*store).thrown.tag;
        Arc::increment_strong_count(tag);
        Ok(StoreInner::of(store).hold_exception(Arc::from_raw(tag), object))
    }
}

/// Whether the newest activation is the one that catches.
///
/// # Safety
/// The store is live.
pub unsafe fn is_caught_here(store: *mut StoreContext) -> bool {
    // SAFETY: by contract.
    unsafe { (*store).has_pending == 0 && (*store).catcher.activation == (*store).activation }
}

/// Finds the catcher, and says whether it is in the newest activation. If there is none, or the run is to stop,
/// a trap is raised.
///
/// # Safety
/// As for [`throw`]; `thrown` and the payload are set.
unsafe fn find(store: *mut StoreContext) -> bool {
    // SAFETY: by contract.
    unsafe {
        if search(store) {
            return refer(store) && is_caught_here(store);
        }
        if let Some(kind) = (*store).interrupted() {
            raise(store, kind);
            return false;
        }
        keep_functions(store);
        match current(store) {
            Ok(exception) => {
                raise_trap(store, Trap { exception: Some(exception), ..Trap::new(TrapKind::UncaughtException) });
            }
            Err(kind) => raise(store, kind),
        }
        false
    }
}

/// Functions that the host may get to see, and pass to anyone, live as long as the store.
///
/// # Safety
/// An exception is being thrown.
unsafe fn keep_functions(store: *mut StoreContext) {
    // SAFETY: by contract the tag is live, and so are the functions in the payload.
    unsafe {
        let mut slot = (*store).payload;
        let store_inner = StoreInner::of(store);
        let ty = &(*(*store).thrown.tag).ty;
        for ty in ty.params() {
            let func = slot.read() as *const FuncRef;
            slot = slot.add(ty.slots());
            if !ty.is_func() || func.is_null() {
                continue;
            }
            let owner = owner(func);
            if let Some(group) = owner.and_then(|key| store_inner.instances.get(key)).map(|instance| instance.group) {
                store_inner.pin(group);
            }
        }
    }
}

/// Looks for the handler of the exception that is being thrown, down to the nearest host frame. Gives up if the run is
/// to stop: a guest that does nothing but throw is never elsewhere for long, and there may be many frames.
///
/// # Safety
/// As for [`find`].
unsafe fn search(store: *mut StoreContext) -> bool {
    // SAFETY: by contract; activations of either tier are searched by their own.
    unsafe {
        for (activation, exit) in activations(store) {
            let found = match (*activation).kind {
                Activation::HOST => return false,
                Activation::COMPILED => compiled(store, &*activation, exit),
                _ => interpreter::find_handler(store, &*activation),
            };
            if let Some(found) = found {
                (*store).catcher = Catcher { activation, ..found };
                return true;
            }
        }
    }
    false
}

/// The handler among the frames of a compiled activation.
///
/// # Safety
/// As for [`compiled_frames`].
unsafe fn compiled(store: *mut StoreContext, activation: &Activation, exit: (usize, usize)) -> Option<Catcher> {
    let mut found = None;
    let mut look = |pc: usize, fp: usize| {
        // SAFETY: by contract.
        if unsafe { (*store).interrupted() }.is_some() {
            return ControlFlow::Break(());
        }
        let Some((site, handlers)) = registry::lookup_handlers(pc) else { return ControlFlow::Continue(()) };
        let sp = fp - site.frame as usize;
        for handler in handlers {
            // SAFETY: the compiler left the context at that place of the frame for as long as the call lasts.
            let here = handler.tag.is_none_or(|at| unsafe {
                let context = (sp as *const u8).add(site.context as usize).cast::<*mut InstanceContext>().read();
                is_tag(store, context, at)
            });
            if here {
                found = Some(Catcher { pc: handler.address, sp, fp, ..Catcher::NONE });
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    // SAFETY: by contract.
    unsafe { compiled_frames(activation, exit, &mut look) };
    found
}

impl StoreInner {
    /// A new tag of this type. Makes sure that a payload of it has room. `None` if the engine has no room for its type.
    pub fn new_tag(&mut self, ty: FuncType, type_id: TypeId) -> Option<Arc<Tag>> {
        let slots = ty.param_slots();
        if slots > self.payload.len() {
            self.payload.resize(slots, 0);
            // SAFETY: the context lives as long as the store.
            unsafe { (*self.context()).payload = self.payload.as_mut_ptr() };
        }
        let object = self.engine.types.exception(ty.params())?;
        let number = self.tag_numbers.len() as u32;
        let tag = Arc::new(Tag { type_id, ty, object, number });
        self.tag_numbers.push(Some(tag.clone()));
        Some(tag)
    }

    /// The tag of an exception object; none if it is gone.
    ///
    /// # Safety
    /// `object` is an exception of the store's.
    pub unsafe fn tag_of(&self, object: u32) -> Option<Arc<Tag>> {
        // SAFETY: by contract; the number is the first field.
        let number = unsafe { self.load_field(object + objects::LENGTH, StorageType::Val(ValType::I32)) };
        self.tag_numbers.get(number as usize)?.clone()
    }

    /// Copies the payload of an exception object to slots.
    ///
    /// # Safety
    /// `object` is an exception of the store's with this tag; `to` has room for its payload.
    pub unsafe fn payload_of(&self, object: u32, tag: &Tag, mut to: *mut u64) {
        // SAFETY: by contract.
        unsafe {
            for (ty, at) in tag.ty.params().iter().zip(&tag.object.offsets[1..]) {
                let bits = self.load_field(object + at, StorageType::Val(*ty));
                to.write(bits as u64);
                if ty.slots() == 2 {
                    to.add(1).write((bits >> 64) as u64);
                }
                to = to.add(ty.slots());
            }
        }
    }

    /// A new exception object. May collect.
    ///
    /// # Safety
    /// `payload` has the slots of the tag's parameters, values of this store; and as for [`StoreInner::with_heap`].
    pub unsafe fn new_exception(&mut self, tag: &Tag, payload: *const u64) -> Result<u32, TrapKind> {
        self.open_heap().and_then(|()| self.define(&tag.object)).map_err(|_| TrapKind::OutOfMemory)?;
        // SAFETY: by contract; what the payload refers to is kept meanwhile.
        unsafe {
            let kept = self.temporaries.len();
            let mut slot = payload;
            for ty in tag.ty.params() {
                if ty.is_traced() {
                    self.temporaries.push(slot.read() as u32);
                }
                slot = slot.add(ty.slots());
            }
            let made = self.with_heap(|heap, room, roots| heap.allocate_struct(tag.object.id, room, roots));
            let references = self.temporaries.split_off(kept);
            let object = made?;
            self.store_field(object + objects::LENGTH, StorageType::Val(ValType::I32), tag.number.into());
            let (mut slot, mut references) = (payload, references.into_iter());
            for (ty, at) in tag.ty.params().iter().zip(&tag.object.offsets[1..]) {
                let high = if ty.slots() == 2 { slot.add(1).read() } else { 0 };
                let bits = match ty.is_traced() {
                    true => u128::from(references.next().unwrap_or(0)),
                    false => u128::from(slot.read()) | u128::from(high) << 64,
                };
                self.store_field(object + at, StorageType::Val(*ty), bits);
                slot = slot.add(ty.slots());
            }
            Ok(object)
        }
    }

    /// Keeps an exception object for the host.
    pub fn hold_exception(&self, tag: Arc<Tag>, object: u32) -> Exception {
        Exception { tag, root: self.roots.borrow_mut().add(self.id, object) }
    }
}
