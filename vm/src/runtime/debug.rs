//! Looking on while code is interpreted, operator by operator.
//!
//! An engine that is made for it translates functions so that before each operator there is an instruction which calls whoever looks on, with
//! all locals and operands in slots of the frame: as at a loop's header. Which operands there are, and of what types, is what the verifier
//! saw at that place.

use super::context::{InstanceContext, StoreContext};
use super::store::StoreInner;
use super::{backtrace, trap::Frame};
use crate::interpreter::Function;
use crate::module::FuncIndex;
use crate::types::ValType;

/// A value in a frame: its first slot, and its type.
pub type Slot = (u32, ValType);

/// Who looks on; tells whether the run goes on.
pub type Debugger = Box<dyn FnMut(&Stopped<'_>) -> bool + Send>;

/// A run that stands before an operator.
pub struct Stopped<'a> {
    pub(crate) store: &'a StoreInner,
    context: *mut InstanceContext,
    function: &'a Function,
    /// The instruction's first word.
    word: u32,
    /// The frame's first slot.
    sp: *const u64,
}

impl Stopped<'_> {
    /// The function that runs.
    pub fn func(&self) -> FuncIndex {
        self.function.index()
    }

    /// The offset in the module of the operator that is next.
    pub fn offset(&self) -> u32 {
        self.function.step(self.word).map_or(0, |step| step.offset)
    }

    /// The locals: bits and types.
    pub(crate) fn locals(&self) -> Vec<(u128, ValType)> {
        self.values(self.function.locals())
    }

    /// The operands, the deepest first: bits and types.
    pub(crate) fn operands(&self) -> Vec<(u128, ValType)> {
        self.function.step(self.word).map_or(Vec::new(), |step| self.values(&step.operands))
    }

    fn values(&self, slots: &[Slot]) -> Vec<(u128, ValType)> {
        let value = |&(slot, ty): &Slot| {
            // SAFETY: a slot of the frame, whose code does not run meanwhile.
            let [low, high] = unsafe {
                let at = self.sp.add(slot as usize);
                [at.read(), if ty.slots() > 1 { at.add(1).read() } else { 0 }]
            };
            (u128::from(low) | u128::from(high) << 64, ty)
        };
        slots.iter().map(value).collect()
    }

    /// The instance that the function is of.
    pub(crate) fn context(&self) -> *mut InstanceContext {
        self.context
    }

    /// The frames of the run, newest first, and how many are left out.
    pub fn frames(&self) -> (Vec<Frame>, usize) {
        // SAFETY: the store is live, and the instruction saved its place.
        unsafe { backtrace::capture(self.store.context()) }
    }
}

/// Calls whoever looks on; tells whether the run goes on.
///
/// # Safety
/// The store and the context are live; the instruction at `word` of the function saved its place, and its frame is at `sp`.
pub(crate) unsafe fn look(
    store: *mut StoreContext,
    context: *mut InstanceContext,
    function: &Function,
    word: u32,
    sp: *const u64,
) -> bool {
    // SAFETY: by contract; the guest is suspended meanwhile, and the debugger gets nothing that it could call it with.
    let inner = unsafe { StoreInner::of(store) };
    let Some(mut debugger) = inner.debugger.take() else { return true };
    let goes_on = debugger(&Stopped { store: inner, context, function, word, sp });
    inner.debugger = Some(debugger);
    goes_on
}
