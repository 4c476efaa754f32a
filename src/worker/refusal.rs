//! Programs that want more than they were granted are refused before they run.

use std::path::Path;

use pinfold::exchange::HOST_CALL;
use pinfold::job::{RefusedImport, Run};
use pinfold_vm::api::{Caller, Error, ExternType, Linker, Module, Trap, TrapKind, Val};
use pinfold_vm::host::fold::Missing;
use pinfold_vm::host::{Capability, Event, Grants, HostState, table};
use pinfold_vm::module::Escaped;

/// An import that cannot be given.
pub struct Refused {
    module: String,
    name: String,
    wanted: ExternType,
    /// What would give it.
    capability: Option<Capability>,
    why: String,
}

impl Refused {
    /// As the supervisor is told.
    pub fn told(&self) -> RefusedImport {
        let Self { module, name, capability, why, .. } = self;
        RefusedImport { module: module.clone(), name: name.clone(), capability: *capability, why: why.clone() }
    }
}

/// The imports of a module that are unknown, or not granted. A program that `is_embedded` may call functions of its host.
pub fn check(module: &Module, grants: &Grants, is_embedded: bool) -> Vec<Refused> {
    let refused = |(module, name, wanted): (&str, &str, ExternType)| {
        let (capability, why) = match table::lookup(module, name) {
            None if is_embedded && (module, name) == HOST_CALL => return None,
            None => (None, "unknown: there is no such host function".to_owned()),
            Some(row) if ExternType::Func(row.func_type()) != wanted => {
                (None, format!("its type is {}, the program wants {wanted}", row.func_type()))
            }
            Some(row) if !grants.allows(row.capability) => {
                let (name, flag) = (row.capability.name(), row.capability.flag());
                (Some(row.capability), format!("needs the capability {name}, granted by {flag}"))
            }
            Some(_) => return None,
        };
        Some(Refused { module: module.to_owned(), name: name.to_owned(), wanted, capability, why })
    };
    module.imports().filter_map(refused).collect()
}

/// What the user is told.
pub fn message(refused: &[Refused], file: &Path) -> String {
    let mut text = format!("{} was not run: it imports what it was not granted.\n", file.display());
    for import in refused {
        let Refused { module, name, why, .. } = import;
        text += &format!("  {}::{}: {why}\n", Escaped(module), Escaped(name));
    }
    text + "Grant what it needs, or let such calls trap with --trap-unknown-imports."
}

/// What the user is told of capabilities that a program in Fold needs.
pub fn missing(missing: &[Missing], run: &Run) -> String {
    let mut text = format!("{} was not run: it needs what it was not granted.", run.file.display());
    for missing in missing {
        text += &format!("\n  {}", Escaped(&missing.to_string()));
    }
    // The first one is the program's name.
    if run.grants.args.iter().skip(1).any(|word| word.starts_with("--")) {
        text += "\nFlags stand before the program's arguments: what stands behind them is for the program.";
    }
    text
}

/// Defines an import such that calling it is a trap. Others than functions stay undefined.
pub fn trap_when_called<T: 'static>(linker: &mut Linker<T>, state: fn(&mut T) -> &mut HostState, import: &Refused) {
    let ExternType::Func(ty) = &import.wanted else { return };
    let what = format!("{}::{}: {}", Escaped(&import.module), Escaped(&import.name), import.why);
    let event = Event::not_granted(&import.module, &import.name);
    let trap = move |mut caller: Caller<'_, T>, _: &[Val], _: &mut [Val]| {
        state(caller.data_mut()).tell(&event).map_err(Error::host)?;
        Err(Trap::with_source(TrapKind::NotGranted, what.clone()).into())
    };
    // A module may import a name more than once; where that is allowed nothing is an error.
    let _ = linker.allow_shadowing(true).func_new(&import.module, &import.name, ty.clone(), trap);
}
