//! Which grant a call is served by, in the words of the flags.

use pinfold_vm::host::record::Origin;
use pinfold_vm::host::{Capability, Console, Event, Grants, Role, Stdin};

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it is: `dir /data`, `console`, `clock`.
    pub name: String,
    /// For directories: `ro` or `rw`.
    pub access: Option<&'static str>,
}

fn plain(name: &str) -> Grant {
    Grant { name: name.to_owned(), access: None }
}

/// The grant that a descriptor comes from; none if what it stands for was not granted, as where output is discarded.
pub fn of_origin(origin: Origin, grants: &Grants) -> Option<Grant> {
    match origin {
        Origin::Stdin => (!matches!(grants.stdin, Stdin::Empty)).then(|| plain("stdin")),
        Origin::Stdout | Origin::Stderr => (!matches!(grants.console, Console::Discard)).then(|| plain("console")),
        Origin::Directory(at) => grants.dirs.get(at).map(|dir| Grant {
            name: format!("dir {}", dir.guest),
            access: Some(if dir.writable { "rw" } else { "ro" }),
        }),
        Origin::Socket(at) => grants.net.get(at).map(|net| {
            let flag = match net.role {
                Role::Connect => "net",
                Role::Listen => "listen",
            };
            plain(&format!("{flag} {}", net.origin()))
        }),
    }
}

/// The grant of a call: of its first descriptor, or what its function needs.
pub fn of_event(event: &Event, grants: &Grants) -> Option<Grant> {
    if let Some(origin) = event.origins().next() {
        return of_origin(origin, grants);
    }
    let capability = event.row()?.capability;
    match capability {
        Capability::Clock | Capability::Random if grants.allows(capability) => Some(plain(capability.name())),
        Capability::Environment if !grants.env.is_empty() => Some(plain("env")),
        _ => None,
    }
}
