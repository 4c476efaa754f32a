//! `pinfold run`: verifies a program, gives it what was granted, and runs it.

mod args;
mod invoke;
mod refusal;
mod signals;
mod stats;
mod verdict;

use std::process::ExitCode;
use std::time::Instant;

use pinfold_vm::api::{
    AsContextMut, Config, Engine, Error, Instance, Linker, Module, Store, StoreLimits, Trap, TrapKind,
};
use pinfold_vm::host::{Grants, HostState};

use crate::{exit, input};
pub use args::Args;
use stats::{Phase, Stats};

/// What a store of this command holds.
struct Host {
    state: HostState,
}

fn state(host: &mut Host) -> &mut HostState {
    &mut host.state
}

/// How a run can fail before the program is running.
enum Failure {
    /// No module.
    NotAModule(String),
    /// Refused.
    Refused(String),
    /// The program was ended.
    Ended(Error),
}

/// Runs a program and says how it ended.
pub fn run(args: &Args) -> ExitCode {
    let mut stats = Stats::new();
    let result = attempt(args, &mut stats);
    if args.stats {
        stats.print();
    }
    let code = match result {
        Ok(()) => 0,
        Err(Failure::NotAModule(message)) => say(&message, exit::NOT_A_MODULE),
        Err(Failure::Refused(message)) => say(&message, exit::REFUSED),
        Err(Failure::Ended(error)) => verdict::explain(&error, args),
    };
    // Memories and code need not be given back one by one.
    use std::io::Write;
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    // SAFETY: ends the process; nothing of it is needed any more.
    unsafe { libc::_exit(code.into()) }
}

fn say(message: &str, code: u8) -> u8 {
    eprintln!("pinfold: {message}");
    code
}

fn attempt(args: &Args, stats: &mut Stats) -> Result<(), Failure> {
    let grants = args.grants().map_err(Failure::Refused)?;
    let engine = Engine::new(&config(args));
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let bytes = stats.time(Phase::Read, || input::read_module(&args.file, limit));
    let bytes = bytes.map_err(|error| Failure::NotAModule(error.to_string()))?;
    let module = stats.time(Phase::Verify, || Module::new(&engine, bytes));
    let module = module.map_err(|error| Failure::NotAModule(format!("{}: {error}", args.file.display())))?;
    let refused = refusal::check(&module, &grants);
    if !refused.is_empty() && !args.trap_unknown_imports {
        return Err(Failure::Refused(refusal::message(&refused, &args.file)));
    }
    let host = HostState::new(&grants).map_err(|error| Failure::Refused(error.to_string()))?;
    let limits = StoreLimits {
        memory: args.max_memory.0,
        stack: usize::try_from(args.max_stack.0).unwrap_or(usize::MAX).min(1 << 40),
        ..StoreLimits::default()
    };
    let mut store = Store::with_limits(&engine, Host { state: host }, limits);
    store.connect(state);
    if let Some(fuel) = args.fuel {
        store.set_fuel(fuel);
    }
    signals::watch(store.interrupt_handle());
    if args.timeout > 0.0 {
        store.set_deadline(
            std::time::Duration::try_from_secs_f64(args.timeout).ok().and_then(|d| Instant::now().checked_add(d)),
        );
    }
    let mut linker = Linker::new(&engine);
    linker.host_table(&grants, state);
    for import in &refused {
        refusal::trap_when_called(&mut linker, import);
    }
    let instance = stats.time(Phase::Instantiate, || linker.instantiate(&mut store, &module));
    let result = match instance {
        Ok(instance) => stats.time(Phase::Run, || start(args, &mut store, instance)),
        Err(error @ Error::Link(_)) => return Err(Failure::Refused(error.to_string())),
        Err(error) => Err(error),
    };
    stats.memory(store.memory_used().1);
    if let Some(fuel) = args.fuel {
        stats.fuel(fuel.saturating_sub(store.fuel()));
    }
    result.map_err(Failure::Ended)
}

fn config(args: &Args) -> Config {
    let mut config = Config::new();
    config.tier(args.tier.into()).fuel(args.fuel.is_some()).canonical_nans(args.deterministic || args.seed.is_some());
    config
}

/// Calls what the program is to begin with.
fn start(args: &Args, store: &mut Store<Host>, instance: Instance) -> Result<(), Error> {
    let is_reactor = instance.get_func(&*store, "_start").is_none();
    if is_reactor && instance.get_func(&*store, "_initialize").is_some() {
        call(&mut *store, instance, "_initialize")?;
    }
    if let Some(name) = &args.invoke {
        return invoke::invoke(store, instance, name, &args.args);
    }
    if is_reactor {
        return Err(Error::NoExport { name: "_start".into(), kind: "function (use --invoke FN to call another)" });
    }
    match call(store, instance, "_start") {
        Err(Error::Trap(trap)) if trap.kind == TrapKind::Exit && trap.exit_code == 0 => Ok(()),
        other => other,
    }
}

fn call(mut store: impl AsContextMut, instance: Instance, name: &str) -> Result<(), Error> {
    instance.get_typed_func::<(), ()>(&store, name)?.call(&mut store, ())
}

/// The exit code that a program gave itself.
fn own_code(trap: &Trap) -> u8 {
    // As a shell sees it: the low eight bits.
    trap.exit_code as u8
}

impl Args {
    /// What is granted, from the flags.
    fn grants(&self) -> Result<Grants, String> {
        args::grants(self)
    }
}
