//! Who was running when a trap was raised.

use std::ops::ControlFlow;

use super::context::{Activation, InstanceContext, StoreContext};
use super::trap::Frame;
use crate::interpreter;
use crate::jit::registry;
use crate::module::{FuncIndex, Module};

/// Newest frames that a backtrace keeps.
const NEWEST: usize = 64;
/// Oldest frames that a backtrace keeps.
const OLDEST: usize = 16;

/// A frame before it is put into words: only those that are kept are worth their names.
type Place = (*const Module, FuncIndex, u32);

/// Collects frames, newest first, and keeps the first and last of them.
#[derive(Default)]
struct Collector {
    newest: Vec<Place>,
    oldest: std::collections::VecDeque<Place>,
    omitted: usize,
}

impl Collector {
    fn add(&mut self, module: &Module, func: FuncIndex, offset: u32) {
        let place = (&raw const *module, func, offset);
        if self.newest.len() < NEWEST {
            self.newest.push(place);
            return;
        }
        if self.oldest.len() == OLDEST {
            self.oldest.pop_front();
            self.omitted += 1;
        }
        self.oldest.push_back(place);
    }

    /// The frames in words, and how many were left out.
    ///
    /// # Safety
    /// The modules that were added are live.
    unsafe fn finish(self) -> (Vec<Frame>, usize) {
        let frame = |(module, func, offset): Place| {
            // SAFETY: by contract.
            let names = unsafe { (*module).names() };
            let name = names.function(func).map(str::to_owned);
            Frame { func: func.0, name, module: names.module().map(str::to_owned), offset }
        };
        (self.newest.into_iter().chain(self.oldest).map(frame).collect(), self.omitted)
    }
}

/// The frames of all activations, newest first, and how many were left out.
///
/// # Safety
/// `store` is live and its activations reflect where execution is.
pub unsafe fn capture(store: *mut StoreContext) -> (Vec<Frame>, usize) {
    let mut collector = Collector::default();
    // SAFETY: activations are live; the newest one's exit is in the store, those of older ones in
    // themselves.
    unsafe {
        let mut exit = ((*store).exit_pc, (*store).exit_fp);
        let mut next = (*store).activation;
        while let Some(activation) = next.as_ref() {
            match activation.kind {
                Activation::HOST => {}
                Activation::COMPILED => compiled_frames(activation, exit, &mut |pc, _| {
                    registry::lookup_frame(pc - 1, &mut |module, func, offset| collector.add(module, func, offset));
                    ControlFlow::Continue(())
                }),
                _ => interpreter::frames(activation, &mut |context: *mut InstanceContext, func, offset| {
                    collector.add(&(*(*context).code).module, func, offset);
                }),
            }
            next = activation.previous;
            if let Some(older) = next.as_ref() {
                exit = (older.exit_pc, older.exit_fp);
            }
        }
    }
    // SAFETY: functions that run keep their modules alive.
    unsafe { collector.finish() }
}

/// Tells of each compiled frame, newest first, up to the activation's entry: the address that its call returns to,
/// and its frame pointer.
///
/// # Safety
/// `exit` is where compiled code of this activation was left.
pub unsafe fn compiled_frames(
    activation: &Activation,
    exit: (usize, usize),
    tell: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) {
    let (mut pc, mut fp) = exit;
    while pc != 0 && fp != 0 && fp < activation.fp {
        if tell(pc, fp).is_break() {
            return;
        }
        // SAFETY: compiled code keeps frame pointers: at `fp` stands the caller's, above it the
        // return address. Frame pointers only grow up to the entry's, so this ends.
        unsafe {
            let frame = fp as *const usize;
            pc = frame.add(1).read();
            let older = frame.read();
            if older <= fp {
                return;
            }
            fp = older;
        }
    }
}
