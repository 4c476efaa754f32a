//! No capability in any set, none to be had again, and no privilege from running a program.

use std::io;

use crate::error::{Context, LayerError, check};
use crate::plan::Layer;

/// From `linux/securebits.h`: root gets nothing for being root, changes of identity fix nothing up, capabilities are not kept,
/// none becomes ambient; and all of that for good.
const SECUREBITS: libc::c_ulong = 0b1110_1111;
/// `_LINUX_CAPABILITY_VERSION_3`
const VERSION: u32 = 0x2008_0522;

fn prctl(option: i32, a: libc::c_ulong, b: libc::c_ulong) -> io::Result<i64> {
    // SAFETY: these options take numbers only.
    check(unsafe { libc::prctl(option, a, b, 0, 0) })
}

/// Empties all sets. Without the right to change the bounding set (an ordinary user outside of a user namespace) there is nothing in
/// the others that could be raised from it, and [`no_new_privileges`] keeps it so.
pub fn drop_all() -> Result<(), LayerError> {
    let layer = Layer::Capabilities;
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong, 0)
        .context(layer, "clear the ambient set")?;
    for capability in 0..64 {
        match prctl(libc::PR_CAPBSET_DROP, capability, 0) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => break,
            // The kernel knows no more.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            other => drop(other.context(layer, "empty the bounding set")?),
        }
    }
    match prctl(libc::PR_SET_SECUREBITS, SECUREBITS, 0) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {}
        other => drop(other.context(layer, "lock the secure bits")?),
    }
    let header = [VERSION, 0];
    let sets = [0u32; 6];
    // SAFETY: header and sets as version 3 has them.
    check(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) })
        .context(layer, "empty the sets")?;
    Ok(())
}

/// No privilege from running a program.
pub fn no_new_privileges() -> Result<(), LayerError> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).context(Layer::NoNewPrivileges, "set no_new_privs")?;
    Ok(())
}

/// No core dump, and no tracing by processes of the same user.
pub fn not_dumpable() -> Result<(), LayerError> {
    prctl(libc::PR_SET_DUMPABLE, 0, 0).context(Layer::NoNewPrivileges, "make the process not dumpable")?;
    Ok(())
}

/// From now on no memory can become executable that was writable, or the other way round (Linux 6.3; older ones do without: the
/// filter says the same).
pub fn refuse_new_code() {
    const PR_SET_MDWE: i32 = 65;
    const REFUSE_EXEC_GAIN: libc::c_ulong = 1;
    let _ = prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0);
}
