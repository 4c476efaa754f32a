//! The host API table: one row for each function that a program can import.

use super::error::HostError;
use super::memory::GuestMemory;
use super::state::HostState;
use super::{Capability, Console, Grants, Meaning, Role, Stdin, fold, wasi};
use crate::types::{FuncType, ValType};

/// A function of the host.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// First name of the import.
    pub module: &'static str,
    /// Second name of the import.
    pub name: &'static str,
    /// Names of the parameters.
    pub param_names: &'static [&'static str],
    /// What the parameters stand for, for whoever records calls.
    pub meanings: &'static [Meaning],
    /// Types of the parameters.
    pub params: &'static [ValType],
    /// Types of the results: one at most.
    pub results: &'static [ValType],
    /// What it needs.
    pub capability: Capability,
    /// System calls it can make; nothing else is needed to serve it.
    pub syscalls: &'static [&'static str],
    /// What it does, one line.
    pub doc: &'static str,
    /// Runs it. Arguments and result are bits in the array convention, one slot each; the result
    /// means nothing where [`Row::results`] is empty.
    pub call: HostCall,
}

/// The Rust side of a [`Row`], by what it sees of the guest.
#[derive(Clone, Copy, Debug)]
pub enum HostCall {
    /// Its memory.
    Memory(fn(&mut HostState, GuestMemory<'_>, &[u64]) -> Result<u64, HostError>),
    /// Its heap.
    Objects(fn(&mut HostState, &mut dyn fold::Objects, &[u64]) -> Result<u64, HostError>),
}

impl HostCall {
    /// Runs one that works on memory.
    pub(crate) fn on_memory(
        self,
        host: &mut HostState,
        memory: GuestMemory<'_>,
        arguments: &[u64],
    ) -> Result<u64, HostError> {
        match self {
            Self::Memory(call) => call(host, memory, arguments),
            Self::Objects(_) => Err(HostError::WrongArguments),
        }
    }
}

impl Row {
    /// Its type.
    pub fn func_type(&self) -> FuncType {
        FuncType::new(self.params, self.results)
    }

    /// Whether it changes a directory or what is in it, or some arguments of it do: see [`Meaning::OpenFlags`] and [`Meaning::Rights`].
    pub fn changes(&self) -> bool {
        self.syscalls.iter().any(|syscall| CHANGES.contains(syscall))
    }
}

/// System calls that serve the standard streams; the other ones of the file functions serve granted directories.
const STREAMS: [&str; 4] = ["read", "writev", "ppoll", "ioctl"];
/// System calls of the file functions that serve connections too.
const CONNECTIONS: [&str; 5] = ["read", "sendmsg", "ppoll", "ioctl", "close"];

/// System calls that change a directory or what is in it, or are made for a change only. Where none is granted for writing the host
/// refuses before it makes them, and Landlock does not know all of them: times are changed past it.
const CHANGES: [&str; 11] = [
    "fallocate",
    "ftruncate",
    "linkat",
    "mkdirat",
    "newfstatat",
    "pwritev",
    "renameat",
    "symlinkat",
    "unlinkat",
    "utimensat",
    "writev",
];

/// System calls that look at, or change, what a path names wherever that is: Landlock does not govern them.
const WHEREVER: [&str; 3] = ["newfstatat", "readlinkat", "utimensat"];

/// The system calls that serving a program with these grants takes, beside those of running any program: each with the grant that
/// it is for. Every row is there for every program, but most do nothing without a descriptor to do it to.
pub fn syscalls(grants: &Grants) -> Vec<(&'static str, &'static str)> {
    let streams = !matches!(
        (&grants.stdin, &grants.console),
        (Stdin::Empty | Stdin::Bytes(_), Console::Discard | Console::Capture { .. })
    );
    let listens = grants.net.iter().any(|grant| grant.role == Role::Listen);
    let has_clock = grants.clock.is_some() && grants.deterministic.is_none();
    let mut all = Vec::new();
    for row in rows().iter().filter(|row| grants.allows(row.capability)) {
        for &syscall in row.syscalls {
            let files = match row.capability {
                Capability::Random => grants.deterministic.is_none().then_some("random"),
                Capability::Sockets => None,
                Capability::Clock => has_clock.then_some("clock"),
                // Of processor time, that is: other clocks are read without a call.
                _ if syscall == "clock_gettime" => has_clock.then_some("clock"),
                _ if streams && STREAMS.contains(&syscall) => Some("console"),
                // Connections are the only thing that is sent to.
                _ if syscall == "sendmsg" => None,
                _ if CHANGES.contains(&syscall) => {
                    grants.dirs.iter().any(|dir| dir.writable).then_some("writable directories")
                }
                _ if !grants.dirs.is_empty() => Some("directories"),
                _ => None,
            };
            let serves = match row.capability {
                Capability::Sockets if syscall == "accept4" => listens,
                Capability::Sockets => true,
                Capability::Files | Capability::Process => CONNECTIONS.contains(&syscall),
                _ => false,
            };
            let network = (serves && !grants.net.is_empty()).then_some("network");
            all.extend(files.into_iter().chain(network).map(|needed| (syscall, needed)));
        }
    }
    if grants.stepwise {
        all.retain(|(syscall, _)| !WHEREVER.contains(syscall));
        all.iter_mut().filter(|(syscall, _)| *syscall == "openat2").for_each(|(syscall, _)| *syscall = "openat");
    }
    all.sort_unstable();
    all.dedup();
    all
}

const COUNT: usize = count(wasi::GROUPS) + count(fold::GROUPS);

/// Ordered by module and name.
static TABLE: [Row; COUNT] = sorted([wasi::GROUPS, fold::GROUPS]);

/// All rows, ordered by module and name.
pub fn rows() -> &'static [Row] {
    &TABLE
}

/// The row of an import.
pub fn lookup(module: &str, name: &str) -> Option<&'static Row> {
    TABLE.get(position(module, name)?)
}

/// The place of that row among [`rows`].
pub fn position(module: &str, name: &str) -> Option<usize> {
    TABLE.binary_search_by(|row| row.module.cmp(module).then_with(|| row.name.cmp(name))).ok()
}

const fn count(groups: &[&[Row]]) -> usize {
    let mut total = 0;
    let mut group = 0;
    while group < groups.len() {
        total += groups[group].len();
        group += 1;
    }
    total
}

/// Joins the groups and sorts them by insertion, at compile time.
const fn sorted(modules: [&[&[Row]]; 2]) -> [Row; COUNT] {
    let mut rows = [modules[0][0][0]; COUNT];
    let mut len = 0;
    let mut module = 0;
    while module < modules.len() {
        let mut group = 0;
        while group < modules[module].len() {
            let mut row = 0;
            while row < modules[module][group].len() {
                let new = modules[module][group][row];
                let mut at = len;
                while at > 0 && is_before(&new, &rows[at - 1]) {
                    rows[at] = rows[at - 1];
                    at -= 1;
                }
                rows[at] = new;
                len += 1;
                row += 1;
            }
            group += 1;
        }
        module += 1;
    }
    rows
}

const fn is_before(left: &Row, right: &Row) -> bool {
    match compare(left.module.as_bytes(), right.module.as_bytes()) {
        0 => compare(left.name.as_bytes(), right.name.as_bytes()) < 0,
        order => order < 0,
    }
}

const fn compare(left: &[u8], right: &[u8]) -> i32 {
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return left[at] as i32 - right[at] as i32;
        }
        at += 1;
    }
    left.len() as i32 - right.len() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_no_other_is() {
        for row in rows() {
            let found = lookup(row.module, row.name).unwrap();
            assert_eq!((found.module, found.name), (row.module, row.name));
        }
        assert!(rows().is_sorted_by(|a, b| (a.module, a.name) < (b.module, b.name)), "duplicate or out of order");
        assert!(lookup("wasi_snapshot_preview1", "fd_writ").is_none());
        assert!(lookup("env", "fd_write").is_none());
    }

    #[test]
    fn all_of_preview_1_is_there() {
        assert_eq!(rows().iter().filter(|row| row.module == "wasi_snapshot_preview1").count(), 46);
    }

    #[test]
    fn a_wrong_number_of_arguments_is_an_error() {
        let mut host = HostState::new(&crate::host::Grants::none()).unwrap();
        for row in rows() {
            let arguments = vec![0; row.params.len() + 1];
            let result = match row.call {
                HostCall::Memory(call) => call(&mut host, GuestMemory::new(&mut []), &arguments),
                HostCall::Objects(call) => call(&mut host, &mut fold::Nothing, &arguments),
            };
            assert!(matches!(result, Err(HostError::WrongArguments)), "{}", row.name);
        }
    }
}
