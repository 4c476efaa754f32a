//! Checks that integer operators share.

use crate::runtime::trap::TrapKind;

/// Fails unless the condition holds.
#[inline(always)]
pub fn checked(holds: bool, kind: TrapKind) -> Result<(), TrapKind> {
    if holds { Ok(()) } else { Err(kind) }
}
