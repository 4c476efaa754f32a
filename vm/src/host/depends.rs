//! What the answers to calls depend on, for programs that are [written down](crate::api::Caller::snapshot) and gone on with elsewhere: they must
//! not remember what may be otherwise there.

use super::descriptor::Kind;
use super::state::HostState;
use super::table::Row;
use super::{Capability, Meaning, wasi};

/// What the answer to a call depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependsOn {
    /// On nothing but the calls before it.
    Nothing,
    /// On the program's arguments.
    Arguments,
    /// On its environment.
    Environment,
    /// On which directories it was granted, and how.
    Directories,
    /// On a clock.
    Clock,
    /// On chance.
    Random,
    /// On the world, or the world on it.
    World,
}

/// Calls that tell of a descriptor what was known when the program began, if it is one that it began with.
const OF_BEGINNING: [&str; 4] = ["fd_fdstat_get", "fd_prestat_get", "fd_prestat_dir_name", "fd_tell"];
/// The same of streams, which are no files.
const OF_STREAMS: [&str; 2] = ["fd_filestat_get", "fd_seek"];

impl Row {
    /// What its answer depends on.
    pub fn depends_on(&self, host: &HostState, arguments: &[u64]) -> DependsOn {
        if self.module != wasi::MODULE {
            return DependsOn::World;
        }
        match (self.name, self.capability) {
            ("args_get" | "args_sizes_get", _) => DependsOn::Arguments,
            ("sched_yield", _) => DependsOn::Nothing,
            (_, Capability::Environment) => DependsOn::Environment,
            (_, Capability::Random) => DependsOn::Random,
            (_, Capability::Clock) if host.clock.is_some() => DependsOn::Clock,
            (name, Capability::Files) if OF_BEGINNING.contains(&name) || OF_STREAMS.contains(&name) => {
                let at = self.meanings.iter().position(|meaning| *meaning == Meaning::Descriptor);
                let number = at.and_then(|at| arguments.get(at)).copied().unwrap_or_default();
                match host.descriptors.get(number as u32).map(|descriptor| &descriptor.kind) {
                    Ok(Kind::Input(_) | Kind::Output(_)) => DependsOn::Nothing,
                    Ok(Kind::Directory(directory)) if directory.preopen.is_some() && OF_BEGINNING.contains(&name) => {
                        DependsOn::Directories
                    }
                    // There is none: how many there are depends on the directories.
                    Err(_) => DependsOn::Directories,
                    Ok(_) => DependsOn::World,
                }
            }
            _ => DependsOn::World,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::table::lookup;
    use crate::host::{DirGrant, Grants};

    #[test]
    fn only_what_was_known_at_the_beginning_is_remembered() {
        let tree = tempfile::tempdir().unwrap();
        let dirs = vec![DirGrant { name: None, host: tree.path().into(), guest: "/data".into(), writable: false }];
        let mut host = HostState::new(&Grants { dirs, ..Grants::command() }).unwrap();
        let of = |host: &HostState, name, arguments: &[u64]| {
            lookup(wasi::MODULE, name).map(|row| row.depends_on(host, arguments)).unwrap()
        };
        for (name, arguments, expected) in [
            ("args_get", &[0, 0][..], DependsOn::Arguments),
            ("environ_sizes_get", &[0, 0], DependsOn::Environment),
            ("clock_time_get", &[0, 0, 0], DependsOn::Clock),
            ("random_get", &[0, 0], DependsOn::Random),
            ("sched_yield", &[], DependsOn::Nothing),
            ("fd_fdstat_get", &[0, 0], DependsOn::Nothing),
            ("fd_filestat_get", &[2, 0], DependsOn::Nothing),
            ("fd_seek", &[1, 0, 0, 0], DependsOn::Nothing),
            ("fd_prestat_get", &[3, 0], DependsOn::Directories),
            ("fd_prestat_get", &[4, 0], DependsOn::Directories),
            ("fd_fdstat_get", &[3, 0], DependsOn::Directories),
            ("fd_filestat_get", &[3, 0], DependsOn::World),
            ("fd_seek", &[3, 0, 0, 0], DependsOn::World),
            ("fd_read", &[0, 0, 0, 0], DependsOn::World),
            ("fd_write", &[1, 0, 0, 0], DependsOn::World),
            ("fd_close", &[0], DependsOn::World),
            ("path_open", &[3, 0, 0, 0, 0, 0, 0, 0, 0], DependsOn::World),
            ("poll_oneoff", &[0, 0, 0, 0], DependsOn::World),
            ("proc_exit", &[0], DependsOn::World),
        ] {
            assert_eq!(of(&host, name, arguments), expected, "{name} {arguments:?}");
        }
        // What was opened since is of the world.
        host.descriptors.close(3).unwrap();
        assert_eq!(of(&host, "fd_fdstat_get", &[3, 0]), DependsOn::Directories);
    }

    #[test]
    fn each_row_depends_on_something_that_is_named() {
        let host = HostState::new(&Grants::command()).unwrap();
        let rows = crate::host::table::rows().iter().filter(|row| row.module == wasi::MODULE);
        let world = rows.filter(|row| row.depends_on(&host, &[99; 9]) == DependsOn::World).count();
        // All but those above and their likes: what is new is of the world until somebody says otherwise.
        assert_eq!(world, 46 - 2 - 1 - 2 - 1 - 2 - OF_BEGINNING.len() - OF_STREAMS.len());
    }
}
