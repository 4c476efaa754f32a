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
//! A handler that takes only the payload costs no object. One that wants a reference makes one
//! ([`reference`]); see [`objects`] for how long such objects live.
//!
//! Traps and errors of host functions are not exceptions: nothing in a guest catches them
//! (WebAssembly 3.0, section 4.6.10).

pub mod objects;

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::interpreter;
use crate::jit::registry;
use crate::runtime::context::{Activation, FuncRef, InstanceContext, StoreContext};
use crate::runtime::instantiate::owner;
use crate::runtime::store::StoreInner;
use crate::runtime::trap::{Trap, TrapKind};
use crate::runtime::{backtrace, raise, raise_trap};
use crate::types::{FuncType, TypeId, ValType};

/// An exception tag. Its identity is its address.
#[derive(Debug)]
pub struct Tag {
    /// Its type's number: tags are imported by type.
    pub type_id: TypeId,
    /// Its type: the parameters are the payload.
    pub ty: FuncType,
}

/// An exception that a reference was made to.
#[derive(Debug)]
pub struct Exception {
    /// Its store's number.
    pub store: u64,
    /// Its tag.
    pub tag: Arc<Tag>,
    /// Its payload in the array convention.
    pub payload: Box<[u64]>,
}

/// The exception that is being thrown, beside its payload.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Thrown {
    /// Its tag.
    pub tag: *const Tag,
    /// The object that it was thrown by, zero if it has none yet.
    pub object: u64,
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
pub unsafe fn throw_ref(store: *mut StoreContext, object: u64) -> bool {
    // SAFETY: by contract.
    unsafe {
        let inner = StoreInner::of(store);
        let Some(exception) = inner.exception(object) else {
            raise(store, TrapKind::NullException);
            return false;
        };
        load(store, exception, object);
        find(store)
    }
}

/// Lets an exception that a host function throws or passes on go its way. `true` if there is someone to catch it; `false`
/// also for an exception of another store, which is an error like any other here.
///
/// # Safety
/// The store runs a host function, which is about to fail.
pub unsafe fn pass_on(store: *mut StoreContext, exception: &Arc<Exception>) -> bool {
    // SAFETY: by contract.
    unsafe {
        if exception.store != StoreInner::of(store).id {
            return false;
        }
        // A store that is full says so instead of the exception.
        match StoreInner::of(store).add_exception(exception.clone()) {
            Ok(object) => {
                load(store, exception, object);
                search(store)
            }
            Err(kind) => {
                raise(store, kind);
                false
            }
        }
    }
}

/// Makes an exception object the one that is being thrown.
///
/// # Safety
/// The exception is the store's, and `object` its reference.
unsafe fn load(store: *mut StoreContext, exception: &Exception, object: u64) {
    // SAFETY: by contract; there is room for the payload of every tag of the store.
    unsafe {
        let payload = &exception.payload;
        payload.as_ptr().copy_to_nonoverlapping((*store).payload, payload.len());
        (*store).thrown = Thrown { tag: Arc::as_ptr(&exception.tag), object };
    }
}

/// A reference to the exception that was just caught, made now if it has none. `Err` if the store is full.
///
/// # Safety
/// The handler has not thrown or called anything since; this is called on the guest's stack.
pub unsafe fn reference(store: *mut StoreContext) -> Result<u64, TrapKind> {
    // SAFETY: by contract.
    unsafe {
        match (*store).thrown.object {
            0 => {
                let exception = current(store);
                let inner = StoreInner::of(store);
                inner.collect_exceptions();
                inner.add_exception(exception)
            }
            object => Ok(object),
        }
    }
}

/// The exception that is being thrown, as an object.
///
/// # Safety
/// As for [`reference`].
unsafe fn current(store: *mut StoreContext) -> Arc<Exception> {
    // SAFETY: a thrown exception's tag is its instance's or its object's, which live; tags are made by `Arc::new`.
    unsafe {
        let Thrown { tag, object } = (*store).thrown;
        if let Some(exception) = StoreInner::of(store).exception(object) {
            return exception.clone();
        }
        Arc::increment_strong_count(tag);
        let tag = Arc::from_raw(tag);
        let payload = std::slice::from_raw_parts((*store).payload, tag.ty.param_slots()).into();
        Arc::new(Exception { store: StoreInner::of(store).id, tag, payload })
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
            return is_caught_here(store);
        }
        if let Some(kind) = (*store).interrupted() {
            raise(store, kind);
            return false;
        }
        let exception = current(store);
        keep_functions(StoreInner::of(store), &exception);
        let exception = Some(exception);
        raise_trap(store, Trap { exception, ..Trap::new(TrapKind::UncaughtException) });
        false
    }
}

/// Functions that the host may get to see, and pass to anyone, live as long as the store.
///
/// # Safety
/// The exception is of this store, and no instance was freed since it was thrown.
unsafe fn keep_functions(store: &mut StoreInner, exception: &Exception) {
    let mut at = 0;
    for ty in exception.tag.ty.params() {
        let func = exception.payload[at] as *const FuncRef;
        at += ty.slots();
        if *ty != ValType::FuncRef || func.is_null() {
            continue;
        }
        // SAFETY: by contract the function is live.
        let owner = unsafe { owner(func) };
        if let Some(group) = owner.and_then(|key| store.instances.get(key)).map(|instance| instance.group) {
            store.pin(group);
        }
    }
}

/// Looks for the handler of the exception that is being thrown, down to the nearest host frame. Gives up if the run is
/// to stop: a guest that does nothing but throw is never elsewhere for long, and there may be many frames.
///
/// # Safety
/// As for [`find`].
unsafe fn search(store: *mut StoreContext) -> bool {
    // SAFETY: activations are live; the newest one's exit is in the store, those of older ones in themselves.
    unsafe {
        let mut exit = ((*store).exit_pc, (*store).exit_fp);
        let mut next = (*store).activation;
        while let Some(activation) = next.as_ref() {
            let found = match activation.kind {
                Activation::HOST => return false,
                Activation::COMPILED => compiled(store, activation, exit),
                _ => interpreter::find_handler(store, activation),
            };
            if let Some(found) = found {
                (*store).catcher = Catcher { activation: next, ..found };
                return true;
            }
            next = activation.previous;
            if let Some(older) = next.as_ref() {
                exit = (older.exit_pc, older.exit_fp);
            }
        }
        false
    }
}

/// The handler among the frames of a compiled activation.
///
/// # Safety
/// As for [`backtrace::compiled_frames`].
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
    unsafe { backtrace::compiled_frames(activation, exit, &mut look) };
    found
}

impl StoreInner {
    /// A new tag of this type. Makes sure that a payload of it has room.
    pub fn new_tag(&mut self, ty: FuncType) -> Arc<Tag> {
        let slots = ty.param_slots();
        if slots > self.payload.len() {
            self.payload.resize(slots, 0);
            // SAFETY: the context lives as long as the store.
            unsafe { (*self.context()).payload = self.payload.as_mut_ptr() };
        }
        Arc::new(Tag { type_id: self.engine.type_id(&ty), ty })
    }
}
