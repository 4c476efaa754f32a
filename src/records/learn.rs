//! `--learn`: the smallest policy that a run's calls need.
//!
//! What the program was refused for want of a grant is in it too, and says so: whoever reads it decides. Only what is the same in every
//! run of the same calls is written, so times and addresses are not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pinfold::job::{EndKind, Note};
use pinfold::policy;
use pinfold::supervisor::{Outcome, Verdict};
use pinfold_vm::host::record::{Origin, Outcome as Answer};
use pinfold_vm::host::table::Row;
use pinfold_vm::host::wasi::Errno;
use pinfold_vm::host::{Capability, Console, DirGrant, Event, Grants, Role, Stdin};

use crate::policy_file::write::{bytes, comment, key, quoted};
use crate::run::Settings;

/// Names of unknown functions that are remembered.
const MOST_UNKNOWN: usize = 100;

/// What a program asked for.
#[derive(Debug, Default)]
pub struct Learned {
    imported: BTreeSet<Capability>,
    called: BTreeSet<Capability>,
    directories: BTreeMap<usize, Use>,
    connections: BTreeSet<usize>,
    reads: bool,
    writes: bool,
    unknown: BTreeSet<String>,
}

/// How a directory was used.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    /// Something was done there that did not fail.
    found: bool,
    changed: bool,
    /// A change was refused, since the directory is granted for reading.
    refused: bool,
}

/// Whether what was told in a run can be learned from: all of it is there, and the worker did nothing that no
/// worker does.
pub fn is_credible(outcome: &Outcome) -> bool {
    let is_usual = match outcome.verdict {
        Verdict::Ended(_)
        | Verdict::Timeout { .. }
        | Verdict::Cpu { .. }
        | Verdict::Interrupted { .. }
        | Verdict::Output { .. } => true,
        Verdict::Violation(_)
        | Verdict::Memory { .. }
        | Verdict::Processes { .. }
        | Verdict::Crash { .. }
        | Verdict::Nonsense
        | Verdict::Unrecorded(_) => false,
    };
    is_usual && outcome.recorded.is_some_and(|recorded| recorded.complete)
}

impl Learned {
    /// Takes in what a worker told.
    pub fn note(&mut self, note: &Note, grants: &Grants) {
        match note {
            Note::Imports(capabilities) => self.imported.extend(capabilities),
            Note::Call(event) => self.call(event, grants),
            // What runs how needs nothing.
            Note::Tier(_) | Note::Ahead { .. } => {}
        }
    }

    fn call(&mut self, event: &Event, grants: &Grants) {
        let Some(row) = event.row() else {
            if self.unknown.len() < MOST_UNKNOWN {
                let (module, name) = super::names(event);
                self.unknown.insert(format!("{module}::{name}"));
            }
            return;
        };
        self.called.insert(row.capability);
        let makes = |syscall| row.syscalls.contains(&syscall);
        for origin in event.origins() {
            match origin {
                Origin::Stdin => self.reads |= makes("read"),
                Origin::Stdout | Origin::Stderr => self.writes |= makes("writev"),
                Origin::Directory(at) if uses(row) => {
                    let writable = grants.dirs.get(at).is_some_and(|dir| dir.writable);
                    let asks = event.asks_for_change();
                    let directory = self.directories.entry(at).or_default();
                    directory.found |= event.outcome == Answer::Done;
                    // What is opened fails in the same way in both; the others ask for permission first.
                    directory.changed |= asks && writable && (event.outcome == Answer::Done || row.changes());
                    directory.refused |= asks && event.outcome.errno() == Some(Errno::Rofs);
                }
                Origin::Socket(at) if uses(row) => drop(self.connections.insert(at)),
                Origin::Directory(_) | Origin::Socket(_) => {}
            }
        }
    }

    /// The policy as it is written to `file`, whose place relative directories start from.
    pub fn policy(&self, program: &Path, settings: &Settings, outcome: &Outcome, file: &Path) -> String {
        let grants = &settings.grants;
        let mut out = format!(
            "# What {} asked for in one run: the least that the same calls need. Read it before you rely on it:\n\
             # another run may take other ways, and whoever wrote the program decided what it asks for.\n\n",
            comment(&program.display().to_string())
        );
        for (name, capability) in [("clock", Capability::Clock), ("random", Capability::Random)] {
            let is_called = self.called.contains(&capability);
            let is_needed = is_called || self.imported.contains(&capability) && !settings.trap_unknown_imports;
            let why = match (is_called, grants.allows(capability)) {
                _ if !is_needed => "",
                (true, true) => "used",
                (false, true) => "imported, not used",
                (_, false) => REFUSED,
            };
            switch(&mut out, name, is_needed, why);
        }
        let why = |is_used: bool, is_granted: bool| match (is_used, is_granted) {
            (false, _) => "",
            (true, true) => "used",
            (true, false) => REFUSED,
        };
        switch(&mut out, "stdin", self.reads, why(self.reads, !matches!(grants.stdin, Stdin::Empty)));
        switch(&mut out, "console", self.writes, why(self.writes, !matches!(grants.console, Console::Discard)));
        if settings.trap_unknown_imports {
            out += "trap_unknown_imports = true\n";
        }
        for name in &self.unknown {
            out += &format!("# called, and unknown to every grant: {}\n", comment(name));
        }
        self.network(&mut out, grants);
        for (at, directory) in grants.dirs.iter().enumerate() {
            if let Some(used) = self.directories.get(&at) {
                out += &section(directory, *used, file);
            }
        }
        if self.called.contains(&Capability::Environment) && !settings.env.is_empty() {
            out += "\n# All of them: a program reads its environment as a whole.\n[env]\n";
            for (name, value) in &settings.env {
                let value = value.as_ref().map_or("true".to_owned(), |value| quoted(value));
                out += &format!("{} = {value}\n", key(name));
            }
        }
        out + &limits(settings, outcome)
    }

    fn network(&self, out: &mut String, grants: &Grants) {
        for (key, role) in [("net", Role::Connect), ("listen", Role::Listen)] {
            let of_role =
                grants.net.iter().enumerate().filter(|(at, net)| net.role == role && self.connections.contains(at));
            let used: Vec<String> = of_role.map(|(_, net)| quoted(&net.to_string())).collect();
            if !used.is_empty() {
                *out += &format!("{key} = [{}]\n", used.join(", "));
            }
        }
    }
}

/// What is said of a grant that was missing.
const REFUSED: &str = "wanted, and refused in this run";

/// Whether a function does something to what its descriptors stand for. To look at a descriptor, or to close it, is nothing.
fn uses(row: &Row) -> bool {
    row.syscalls.iter().any(|syscall| *syscall != "close")
}

fn switch(out: &mut String, name: &str, is_needed: bool, why: &str) {
    let comment = if why.is_empty() { String::new() } else { format!(" # {why}") };
    *out += &format!("{name} = {is_needed}{comment}\n");
}

fn section(directory: &DirGrant, used: Use, file: &Path) -> String {
    let why = match used {
        Use { refused: true, .. } => "a change was wanted, and refused in this run",
        Use { changed: true, .. } => "changed, or tried to be",
        Use { found: true, .. } => "read",
        Use { .. } => "looked into; nothing was found",
    };
    let mut out = format!("\n# {why}\n[[dir]]\nhost = {}\n", quoted(&host(directory, file).display().to_string()));
    out += &format!("guest = {}\n", quoted(&directory.guest));
    if let Some(name) = &directory.name {
        out += &format!("name = {}\n", quoted(name));
    }
    if used.changed || used.refused {
        out += "rw = true\n";
    }
    out
}

/// A directory as it is found from the policy's file: relative if it is below, absolute otherwise.
fn host(directory: &DirGrant, file: &Path) -> PathBuf {
    let Ok(host) = std::fs::canonicalize(&directory.host) else { return directory.host.clone() };
    let beside = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::canonicalize(beside).ok().and_then(|beside| host.strip_prefix(beside).map(Path::to_path_buf).ok()) {
        Some(below) if below.as_os_str().is_empty() => ".".into(),
        Some(below) => below,
        None => host,
    }
}

/// Limits with some room above what was used, never more than the run had.
fn limits(settings: &Settings, outcome: &Outcome) -> String {
    let ended = |kind| matches!(&outcome.verdict, Verdict::Ended(ending) if ending.kind == kind);
    let mut out = String::from(
        "\n# With room for a quarter more than was used; time and stack are those of the run.\n[limits]\n",
    );
    let mut line = |key: &str, value: String, is_reached: bool| {
        let comment = if is_reached { " # the run ended at this limit" } else { "" };
        out += &format!("{key} = {value}{comment}\n");
    };
    let late = matches!(outcome.verdict, Verdict::Timeout { .. });
    line("timeout", settings.timeout.to_string(), late);
    if let Some(time) = settings.max_cpu {
        line("max_cpu", time.to_string(), matches!(outcome.verdict, Verdict::Cpu { .. }));
    }
    if let Some(processors) = settings.cpus {
        line("cpus", processors.to_string(), false);
    }
    if settings.max_processes != policy::PROCESSES {
        line("max_processes", settings.max_processes.to_string(), false);
    }
    let full = ended(EndKind::Memory);
    let memory = match outcome.verdict.used() {
        Some(used) if !full => roomy(used.guest_memory, 1 << 20).min(settings.max_memory),
        _ => settings.max_memory,
    };
    line("max_memory", quoted(&bytes(memory)), full);
    line("max_stack", quoted(&bytes(settings.max_stack)), false);
    let limit = settings.grants.output_limit;
    let full = ended(EndKind::Output) || matches!(outcome.verdict, Verdict::Output { .. });
    let output = if full { limit } else { roomy(outcome.output, 64 << 10).min(limit) };
    line("max_output", quoted(&bytes(output)), full);
    if let Some(limit) = settings.fuel {
        let used = outcome.verdict.used().and_then(|used| used.fuel).filter(|_| !ended(EndKind::Fuel));
        let fuel = used.map_or(limit, |used| (used.saturating_add(used / 4)).max(1).min(limit));
        line("fuel", fuel.to_string(), ended(EndKind::Fuel));
    }
    out
}

/// A power of two, with room.
fn roomy(used: u64, least: u64) -> u64 {
    used.saturating_add(used / 4).checked_next_power_of_two().unwrap_or(u64::MAX).max(least)
}
