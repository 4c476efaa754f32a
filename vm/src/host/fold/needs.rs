//! What a Fold program wants to be handed, and how it is found among the grants.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::HostValue;
use super::handle::{Access, Dir, Handle, Kind, Open, Origin};
use crate::host::descriptor::Descriptors;
use crate::host::state::HostState;
use crate::host::{Console, Grants, Role, Stdin};

/// The custom section in which a program says what it needs: a line for each, its name and its type.
pub const NEEDS: &str = "fold.needs";

/// A parameter of a program's `main`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its name.
    pub name: String,
    /// `Console`, `Dir`, `Net`, `Clock`, `Random`, `Env` or `Args`.
    pub kind: String,
}

/// A need that nothing was granted for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {} is not granted; grant it with {flag}", .need.name, .need.kind)]
pub struct Missing {
    /// The need.
    pub need: Need,
    /// The flag that would grant it.
    pub flag: String,
}

impl Need {
    /// The needs in a section's bytes; none if it is malformed.
    pub fn parse(section: &[u8]) -> Option<Vec<Self>> {
        let text = std::str::from_utf8(section).ok()?;
        let need = |line: &str| {
            let (name, kind) = line.split_once(' ')?;
            Some(Self { name: name.to_owned(), kind: kind.to_owned() })
        };
        text.lines().map(need).collect()
    }
}

impl Grants {
    /// All that a program can be handed, each under the name of its grant; what has no name of its own under that of its kind. Of grants without
    /// name there is none.
    #[doc(hidden)]
    pub fn offers(&self) -> Vec<Need> {
        let need = |name: &str, kind: &str| Need { name: name.to_owned(), kind: kind.to_owned() };
        let plain = ["Console", "Clock", "Random", "Env", "Args"].map(|kind| need(&kind.to_lowercase(), kind));
        let dirs = self.dirs.iter().filter_map(|dir| Some(need(dir.name.as_deref()?, "Dir")));
        let nets: BTreeSet<&str> = self.net.iter().filter_map(|net| net.name.as_deref()).collect();
        let nets = nets.into_iter().map(|name| need(name, "Net"));
        let all: Vec<Need> = plain.into_iter().chain(dirs).chain(nets).collect();
        let is_granted = |need: &Need| self.missing(std::slice::from_ref(need)).is_empty();
        all.into_iter().filter(is_granted).collect()
    }

    /// The needs that nothing was granted for.
    #[doc(hidden)]
    pub fn missing(&self, needs: &[Need]) -> Vec<Missing> {
        let missing = |need: &&Need| self.capability(need, needs).is_none();
        needs.iter().filter(missing).map(|need| Missing { need: need.clone(), flag: flag(need) }).collect()
    }

    /// What was granted for one of the needs.
    fn capability(&self, need: &Need, all: &[Need]) -> Option<Kind> {
        match need.kind.as_str() {
            "Console" => {
                let none = matches!((&self.console, &self.stdin), (Console::Discard, Stdin::Empty));
                (!none).then_some(Kind::Console)
            }
            "Dir" => {
                let names: Vec<_> = self.dirs.iter().map(|dir| dir.name.as_deref()).collect();
                let at = place(need, all, &names)?;
                let access = if self.dirs.get(at)?.writable { Access::Write } else { Access::Read };
                Some(Kind::Dir(Dir { open: Open::granted((Descriptors::FIRST + at) as u32), access }))
            }
            "Net" => {
                let named = self.net.iter().any(|grant| grant.name.as_deref() == Some(&need.name));
                let only = all.iter().filter(|other| other.kind == need.kind).count() == 1;
                let fits = |grant: &&(usize, &crate::host::NetGrant)| match &grant.1.name {
                    Some(name) => *name == need.name,
                    None => only && !named,
                };
                let sockets: Vec<_> = self.sockets().collect();
                let origins: Vec<Origin> = sockets.iter().filter(fits).map(|(fd, grant)| origin(*fd, grant)).collect();
                (!origins.is_empty()).then_some(Kind::Net(origins))
            }
            "Clock" => self.clock.is_some().then_some(Kind::Clock),
            "Random" => self.random.then_some(Kind::Random),
            "Env" => Some(Kind::Env),
            "Args" => Some(Kind::Args),
            _ => None,
        }
    }
}

fn origin(fd: usize, grant: &crate::host::NetGrant) -> Origin {
    Origin {
        name: grant.origin().into(),
        fd: fd as u32,
        listens: grant.role == Role::Listen,
        taken: Arc::new(AtomicBool::new(false)),
    }
}

/// The place of the grant with the need's name; without such a one, of the only grant without name, if only this need could mean it.
fn place(need: &Need, all: &[Need], names: &[Option<&str>]) -> Option<usize> {
    if let Some(at) = names.iter().position(|name| *name == Some(&need.name)) {
        return Some(at);
    }
    let without_name = names.iter().filter(|name| name.is_none()).count();
    let others = |other: &&Need| other.kind == need.kind && !names.contains(&Some(&other.name));
    if without_name == 1 && all.iter().filter(others).count() == 1 {
        return names.iter().position(|name| name.is_none());
    }
    None
}

fn flag(need: &Need) -> String {
    let name = &need.name;
    match need.kind.as_str() {
        "Dir" => format!("--dir {name}=PATH, or --dir {name}=PATH:rw for writing"),
        "Net" => format!("--net {name}=HOST:PORT, or --listen {name}=ADDRESS:PORT"),
        "Console" | "Clock" | "Random" => "nothing: it is there, unless --none or --no-… drops it".into(),
        _ => "nothing: there is no such capability".into(),
    }
}

impl HostState {
    /// The host values for a program's needs, in their order.
    ///
    /// # Errors
    /// The needs that nothing was granted for.
    #[doc(hidden)]
    pub fn capabilities(&self, grants: &Grants, needs: &[Need]) -> Result<Vec<HostValue>, Vec<Missing>> {
        let missing = grants.missing(needs);
        if !missing.is_empty() {
            return Err(missing);
        }
        let kinds = needs.iter().filter_map(|need| grants.capability(need, needs));
        Ok(kinds.map(|kind| Arc::new(Handle::new(self, kind)) as HostValue).collect())
    }
}
