//! Where whoever looks on is called: see [`crate::runtime::debug`].

use super::{save, trap};
use crate::interpreter::dispatch::{Ip, Machine, handler};
use crate::runtime::debug::look;
use crate::runtime::trap::TrapKind;

handler! {
    /// Stands before each operator.
    fn step[](m, ip, r) {
        if !looked(m, ip, r.sp) {
            return trap(m, ip, r.sp, TrapKind::Interrupted);
        }
        r.next(m, ip.add(2))
    }
}

/// Whether the run goes on.
///
/// # Safety
/// As for [`save`].
#[inline(never)]
unsafe extern "C" fn looked(m: *mut Machine, ip: Ip, sp: *mut u64) -> bool {
    // SAFETY: by contract.
    unsafe {
        save(m, ip, sp);
        let function = &*(*m).function;
        look((*m).store, (*m).context, function, function.word(ip), sp)
    }
}
