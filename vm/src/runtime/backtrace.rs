//! Who was running when a trap was raised.

use std::ops::ControlFlow;

use super::activation::{activations, compiled_frames};
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
    // SAFETY: by contract; activations of either tier are walked by their own.
    unsafe {
        for (activation, exit) in activations(store) {
            match (*activation).kind {
                Activation::HOST => {}
                Activation::COMPILED => compiled_frames(&*activation, exit, &mut |pc, _| {
                    registry::lookup_frame(pc - 1, &mut |module, func, offset| collector.add(module, func, offset));
                    ControlFlow::Continue(())
                }),
                _ => interpreter::frames(&*activation, &mut |context: *mut InstanceContext, func, offset| {
                    collector.add(&(*(*context).code).module, func, offset);
                    ControlFlow::Continue(())
                }),
            }
        }
    }
    // SAFETY: functions that run keep their modules alive.
    unsafe { collector.finish() }
}
