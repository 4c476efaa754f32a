//! The chain of tier entries: who is running on top of whom.

use super::context::{Activation, StoreContext};

impl Activation {
    /// An activation that is not linked yet.
    pub const fn new(kind: u32) -> Self {
        Self {
            previous: std::ptr::null_mut(),
            kind,
            replaced: 0,
            sp: 0,
            fp: 0,
            exit_fp: 0,
            exit_pc: 0,
            data: std::ptr::null_mut(),
        }
    }
}

/// Makes an activation the newest one.
///
/// # Safety
/// `store` and `activation` are live until the matching [`pop`].
pub unsafe fn push(store: *mut StoreContext, activation: *mut Activation) {
    // SAFETY: both are live; an older activation outlives newer ones.
    unsafe {
        let previous = (*store).activation;
        if let Some(previous) = previous.as_mut() {
            previous.exit_fp = (*store).exit_fp;
            previous.exit_pc = (*store).exit_pc;
        }
        (*activation).previous = previous;
        (*store).activation = activation;
    }
}

/// Unlinks the newest activation.
///
/// # Safety
/// `activation` is the newest one.
pub unsafe fn pop(store: *mut StoreContext, activation: *mut Activation) {
    // SAFETY: both are live by contract.
    unsafe {
        debug_assert_eq!((*store).activation, activation);
        let previous = (*activation).previous;
        if let Some(previous) = previous.as_ref() {
            (*store).exit_fp = previous.exit_fp;
            (*store).exit_pc = previous.exit_pc;
        }
        (*store).activation = previous;
    }
}
