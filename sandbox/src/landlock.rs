//! Landlock: which paths, ports, abstract sockets and processes can be reached, whatever namespaces say.
//!
//! Binds the threads that are started afterwards, so it comes before any.

use std::io;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};

use crate::error::{Context, LayerError};
use crate::plan::{Access, Layer};

/// The newest interface that is asked for; of older kernels what they have.
const NEWEST: ABI = ABI::V6;

fn readable() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir
}

/// Everything a program does with files of its own; no devices, no running of programs.
fn writable() -> BitFlags<AccessFs> {
    readable()
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSym
        | AccessFs::Refer
}

/// Nothing from now on but these directories, each for what is granted there.
pub fn restrict<'a>(directories: impl Iterator<Item = (&'a Path, Access)>) -> Result<(), LayerError> {
    let other = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
    let build = || -> io::Result<RulesetStatus> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(ABI::V1))
            .map_err(|e| other(&e))?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))
            .and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
            .and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
            .and_then(|rules| rules.create())
            .map_err(|e| other(&e))?;
        for (path, access) in directories {
            let fd = PathFd::new(path).map_err(|e| other(&e))?;
            let access = match access {
                Access::Read => readable(),
                Access::Run => readable() | AccessFs::Execute,
                Access::Write => writable(),
            };
            rules = rules.add_rule(PathBeneath::new(fd, access)).map_err(|e| other(&e))?;
        }
        Ok(rules.restrict_self().map_err(|e| other(&e))?.ruleset)
    };
    match build().context(Layer::Landlock, "restrict the process")? {
        RulesetStatus::NotEnforced => {
            Err(io::Error::from(io::ErrorKind::Unsupported)).context(Layer::Landlock, "restrict the process")
        }
        _ => Ok(()),
    }
}

/// The version of Landlock that this kernel has; zero for none.
pub fn version() -> u32 {
    ask(1).unwrap_or(0)
}

/// The mistakes of this version that the kernel has mended, one bit each; none where it does not say.
pub fn errata() -> Option<u32> {
    ask(2)
}

/// Asks for a number, as landlock_create_ruleset(2) says.
fn ask(what: u32) -> Option<u32> {
    // SAFETY: there is no ruleset to be read.
    let answer =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0usize, what) };
    u32::try_from(answer).ok()
}
