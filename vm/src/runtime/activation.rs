//! The chain of tier entries: who is running on top of whom.

use std::ops::ControlFlow;
use std::sync::atomic::{Ordering, compiler_fence};

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
        // A signal handler may look at it from here on.
        compiler_fence(Ordering::Release);
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
        // A signal handler may look at it until here.
        compiler_fence(Ordering::Release);
    }
}

/// All activations of a store, newest first, each with where it was left for the next newer one, or for the runtime: the address that
/// the call returns to, and the frame pointer. The latter are of compiled code.
///
/// # Safety
/// `store` is live and its activations reflect where execution is, as long as the iterator is used.
pub unsafe fn activations(store: *mut StoreContext) -> impl Iterator<Item = (*mut Activation, (usize, usize))> {
    // SAFETY: by contract. The newest one's exit is in the store, those of older ones in themselves.
    let (mut next, mut exit) = unsafe { ((*store).activation, ((*store).exit_pc, (*store).exit_fp)) };
    std::iter::from_fn(move || {
        let found = (next, exit);
        // SAFETY: as above.
        next = unsafe { next.as_ref()?.previous };
        // SAFETY: as above.
        if let Some(older) = unsafe { next.as_ref() } {
            exit = (older.exit_pc, older.exit_fp);
        }
        Some(found)
    })
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
