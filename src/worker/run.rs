//! Running a program: verifies it, gives it what was granted, and tells how it ended.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use pinfold::begun::Begun;
use pinfold::job::{Call, Collections, EndKind, Ending, Pauses, Run, TierName, Used, descriptors};
use pinfold::trace;
use pinfold::{cache, exit, policy};
use pinfold_vm::api::{
    Advance, AsContextMut, Compiling, Config, Engine, Error, ExternRef, Instance, Linker, Module, SnapshotError, Store,
    StoreLimits, Trap, TrapKind, Val, available, sample_from_outside, stop_from_outside,
};
use pinfold_vm::heap::Checks;
use pinfold_vm::heap::statistics::{self, Statistics};
use pinfold_vm::host::fold::{NEEDS, Need};
use pinfold_vm::host::{HostError, HostState};
use pinfold_vm::module::{Bytes, Escaped};
use pinfold_vm::verifier::Limits;

use crate::Channel;
use crate::call::{self, Callee, Own};
use crate::invoke;
use crate::kept::Kept;
use crate::profile::Room;
use crate::record::Notes;
use crate::refusal::{self, Refused};

/// What a store of this worker holds.
pub struct Host {
    state: HostState,
    /// The host's own objects, if it has any.
    pub own: Option<Own>,
}

impl Host {
    pub fn new(state: HostState) -> Self {
        Self { state, own: None }
    }

    pub fn flush(&mut self) {
        self.state.flush();
    }
}

pub fn state(host: &mut Host) -> &mut HostState {
    &mut host.state
}

/// What is made before lock-down.
pub struct Prepared {
    engine: Engine,
    host: HostState,
    notes: Option<Notes>,
    kept: Kept,
    profile: Option<Room>,
}

impl Prepared {
    pub fn into_parts(self) -> (Engine, HostState) {
        (self.engine, self.host)
    }
}

/// The settings of the engine that runs a program; its code is that of whoever compiles it only if they are the same.
pub fn config(run: &Run, debug: bool) -> Config {
    let mut config = Config::new();
    config.tier(run.tier.into()).consume_fuel(run.fuel.is_some()).canonical_nans(run.deterministic).debug(debug);
    // The supervisor hands what was kept to workers of the same executable only.
    config.keep_translations(run.keeps.is_some());
    // Of what a worker may have beside its program: what else it has is less than the other half. One that runs nothing has the program's too.
    let memory = if run.ahead { run.max_memory.saturating_add(policy::OVERHEAD) } else { policy::OVERHEAD };
    config.compile_memory(usize::try_from(memory / 2).unwrap_or(usize::MAX));
    config.heap_checks(Checks { timed: true, ..Checks::default() });
    config
}

/// What a program's code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run.
    Run,
    /// To be looked into while it runs.
    Explore,
    /// To be written down.
    Snapshot,
}

/// What of a snapshot's program is mapped from its file, and where from.
pub type Image = Option<(Arc<File>, u64)>;

/// The program with what is to be mapped from its file in its place, if anything is. Nobody else has the bytes.
pub fn mapped(run: &Run, bytes: Bytes) -> io::Result<(Bytes, Image)> {
    let Some((number, start)) = descriptors::image(run).zip(run.image) else { return Ok((bytes, None)) };
    // SAFETY: the supervisor gives it; nobody else uses it.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(number) });
    // SAFETY: they were just mapped.
    let bytes = unsafe { bytes.over(&file, start) }?;
    Ok((bytes, Some((Arc::new(file), start))))
}

/// Makes all that cannot be made after lock-down. The program, of which a part may be mapped from its file, is not looked at.
pub fn prepare(run: &Run, program: Option<(Bytes, Image)>, purpose: Purpose) -> Result<Prepared, Error> {
    let mut config = config(run, purpose == Purpose::Explore);
    if purpose == Purpose::Snapshot {
        config.snapshots(true);
    }
    // SAFETY: the supervisor gives it where it wants to know; nobody else uses it.
    let notes = descriptors::notes(run).map(|number| unsafe { Notes::new(number) });
    if let Some(notes) = notes.as_ref().filter(|_| run.insight.tiers) {
        config.tier_events(notes.tiers());
    }
    let engine = match descriptors::compiler(run) {
        Some(numbers) => {
            // SAFETY: the supervisor gives them; nobody else uses them.
            let [channel, code] = numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) });
            Engine::with_compiler(&config, Compiling { channel, code })?
        }
        None => Engine::new(&config)?,
    };
    let mut host = HostState::new(&run.grants).map_err(Error::host)?;
    for (number, socket) in run.grants.sockets().map(|(number, _)| number).zip(descriptors::SOCKETS..) {
        // SAFETY: the supervisor gives one for each grant; nobody else uses them.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let given = host.add_socket(socket).map_err(Error::host)?;
        debug_assert_eq!(given as usize, number);
    }
    // Of calls it is told only where that is wanted.
    let recorded = notes.filter(|_| run.records || run.ahead);
    if let Some(notes) = &recorded {
        host.record_to(notes.sink());
    }
    let kept = Kept::prepare(run).map_err(Error::host)?;
    let profile = Room::prepare(run).map_err(Error::host)?;
    // Beside this one: to verify, and to compile what is compiled ahead. What turns hot is compiled by one of them, if need be on the same core.
    let least = if run.tier == TierName::Auto { 1 } else { 0 };
    let threads = (available() - 1).max(least);
    // As many memories as a module may have: address space costs nothing.
    let memories = Limits::default().memories as usize;
    let (program, image) = program.unzip();
    Advance { threads, memories, stack: stack(run), program, image: image.flatten() }.make(&engine)?;
    stop_from_outside();
    if profile.is_some() {
        sample_from_outside();
    }
    // The standard library asks for randomness, once, at the first use of a map.
    drop(std::hash::RandomState::new());
    Ok(Prepared { engine, host, notes: recorded, kept, profile })
}

pub fn stack(run: &Run) -> usize {
    usize::try_from(run.max_stack).unwrap_or(usize::MAX).min(1 << 40)
}

/// Runs the program; how it ended, and what is to be kept of it, if the ending says so.
pub fn run(run: &Run, call: Option<(&Call, &Channel)>, prepared: Prepared, bytes: Bytes) -> (Ending, Kept) {
    let mut used = Used::default();
    let Prepared { engine, host, notes, mut kept, profile } = prepared;
    let mut ending = match attempt(run, call, (engine, host, notes, &mut kept, profile), bytes, &mut used) {
        Ok(()) => Ending::new(EndKind::Exit, 0, None),
        Err(ending) => *ending,
    };
    (used.compiled, used.adopted) = (kept.compiled(), kept.adopted());
    ending.used = used;
    ending.keeps = ending.kind == EndKind::Exit && (run.ahead || kept.is_worth_it());
    (ending, kept)
}

fn attempt(
    run: &Run,
    call: Option<(&Call, &Channel)>,
    (engine, host, notes, kept, profile): (Engine, HostState, Option<Notes>, &mut Kept, Option<Room>),
    bytes: Bytes,
    used: &mut Used,
) -> Result<(), Box<Ending>> {
    // Giving memory, code and descriptors back takes system calls that are not there any more; the process ends soon.
    let engine = ManuallyDrop::new(engine);
    let host = ManuallyDrop::new(host);
    let no_module = |why: String| {
        let message = format!("{}: {why}", run.file.display());
        Box::new(Ending::new(EndKind::NotAModule, exit::NOT_A_MODULE, Some(message)))
    };
    let start = Instant::now();
    engine.compiler_has(&bytes);
    let module = ManuallyDrop::new(kept.module(&engine, run, bytes).map_err(no_module)?);
    used.verify = start.elapsed().as_secs_f64();
    if run.ahead {
        return ahead(&module, notes.as_ref());
    }
    if let Some(notes) = &notes {
        notes.imports(&module).map_err(|error| Box::new(explain(&Error::host(error), run, &|_| Some(&module))))?;
    }
    let own = call.map_or(&[][..], |(call, _)| &call.own);
    let refused = refusal::check(&module, &run.grants, call.is_some());
    if !refused.is_empty() && !run.trap_unknown_imports {
        let message = refusal::message(&refused, &run.file);
        return Err(Box::new(Ending {
            refused: refused.iter().map(Refused::told).collect(),
            ..Ending::new(EndKind::Refused, exit::REFUSED, Some(message))
        }));
    }
    let needs = match call {
        Some((call, _)) => {
            call.needs.iter().map(|(name, kind)| Need { name: name.clone(), kind: kind.clone() }).collect()
        }
        None => needs(&module),
    };
    // Those that are not the host's own are the machine's.
    let of_machine: Vec<Need> =
        (0..).zip(&needs).filter(|(at, _)| !own.contains(at)).map(|(_, need)| need.clone()).collect();
    let missing = run.grants.missing(&of_machine);
    if !missing.is_empty() {
        return Err(Box::new(Ending::new(EndKind::Refused, exit::REFUSED, Some(refusal::missing(&missing, run)))));
    }
    let limits = StoreLimits { memory: run.max_memory, stack: stack(run), ..StoreLimits::default() };
    let mut store = ManuallyDrop::new(Store::with_limits(&engine, Host::new(ManuallyDrop::into_inner(host)), limits));
    store.connect(state);
    if profile.is_some() {
        store.sample().map_err(|error| Box::new(explain(&error, run, &|_| Some(&module))))?;
    }
    if let Some(fuel) = run.fuel {
        store.set_fuel(fuel).map_err(|error| Box::new(explain(&error, run, &|_| Some(&module))))?;
    }
    let mut linker = ManuallyDrop::new(Linker::new(&engine));
    match notes {
        Some(_) => linker.recorded_host_table(&run.grants, state),
        None => linker.host_table(&run.grants, state),
    };
    if call.is_some() {
        // Without an object nobody can call it.
        store.data_mut().own = if own.is_empty() { None } else { Own::new(run) };
        call::link(&mut linker).map_err(|error| Box::new(explain(&error, run, &|_| Some(&module))))?;
    }
    for import in &refused {
        refusal::trap_when_called(&mut linker, state, import);
    }
    let begun = begun(run, &module)?;
    let before = Instant::now();
    let (instance, goes_on) = match &begun {
        None => (linker.instantiate(&mut *store, &module), None),
        Some(begun) => {
            store.data_mut().state.go_on_from(begun.found());
            match linker.restore(&mut *store, &module) {
                Ok(restored) => (Ok(restored.instance), Some(restored)),
                Err(error) => (Err(error), None),
            }
        }
    };
    used.instantiate = before.elapsed().as_secs_f64();
    // All that can be done before the word to begin.
    let ready = instance.and_then(|instance| {
        let Some((call, channel)) = call else { return Ok((instance, None)) };
        let callee = call.function.as_deref().map(|name| Callee::new(name, run, &store, instance)).transpose()?;
        let handed = handed(run, &store, &of_machine)?;
        let handed = call::with_own(handed, own);
        channel.ready().map_err(Error::host)?;
        Ok((instance, Some((callee, handed))))
    });
    let before = Instant::now();
    let result = ready.and_then(|(instance, callee)| match callee {
        Some((Some(callee), handed)) => callee.call(&mut store, handed),
        Some((None, handed)) => call::main(&mut store, instance, &handed),
        None => match goes_on {
            Some(restored) if restored.is_running() => restored.resume(&mut *store).map(drop),
            goes_on => start_program(run, &needs, &mut store, instance, goes_on.is_some()),
        },
    });
    store.data_mut().state.flush();
    used.run = before.elapsed().as_secs_f64();
    if let Some(room) = profile {
        room.write(&mut *store, &run.file);
    }
    used.guest_memory = store.memory_used().1;
    used.loops_entered = store.loops_entered();
    used.collections = store.collections().map(collections).map(Box::new);
    used.fuel = run.fuel.map(|fuel| fuel.saturating_sub(store.get_fuel().unwrap_or(fuel)));
    result.map_err(|error| Box::new(explain(&error, run, &|_| Some(&module))))
}

/// Compiles all of a program instead of running it.
fn ahead(module: &Module, notes: Option<&Notes>) -> Result<(), Box<Ending>> {
    let failed = |error: &Error| Box::new(Ending::new(EndKind::NotStarted, exit::REFUSED, Some(error.to_string())));
    if let Some(notes) = notes {
        notes.ahead(module).map_err(|error| failed(&Error::host(error)))?;
    }
    module.compile_all(cache::MOST_CODE as usize).map_err(|error| failed(&error))
}

/// What a program in Fold is to be handed; nothing for others.
fn needs(module: &Module) -> Vec<Need> {
    module.custom_section(NEEDS).and_then(Need::parse).unwrap_or_default()
}

fn collections(statistics: &Statistics) -> Collections {
    let pauses = |pauses: &statistics::Pauses| Pauses {
        number: pauses.count(),
        median: pauses.quantile(0.5).as_secs_f64(),
        p99: pauses.quantile(0.99).as_secs_f64(),
        longest: pauses.longest().as_secs_f64(),
        total: pauses.total().as_secs_f64(),
    };
    Collections { nursery: pauses(&statistics.minor_pauses), major: pauses(&statistics.major_pauses) }
}

/// What a program in Fold is handed, for each of its needs.
pub fn handed(run: &Run, store: &Store<Host>, needs: &[Need]) -> Result<Vec<Val>, Error> {
    let handed = store.data().state.capabilities(&run.grants, needs);
    let handed = handed.map_err(|missing| Error::host(refusal::missing(&missing, run)))?;
    Ok(handed.into_iter().map(|value| Val::ExternRef(Some(ExternRef::of(value)))).collect())
}

/// What a program found that has begun, if it is one. The run must give it the same.
fn begun(run: &Run, module: &Module) -> Result<Option<Begun>, Box<Ending>> {
    if !module.is_snapshot() {
        return Ok(None);
    }
    let begun = Begun::of(module).unwrap_or_default();
    let refused = |why: String| {
        let message = format!("{} was not run: {why}", run.file.display());
        Err(Box::new(Ending::new(EndKind::Refused, exit::REFUSED, Some(message))))
    };
    if let (Some(_), Some(name)) = (&begun.before, &run.invoke) {
        return refused(format!(
            "it is in the middle of its run, so that {} cannot be called; --after FN takes a snapshot that it can be called of",
            Escaped(name)
        ));
    }
    begun.differs(&run.grants).map_or(Ok(Some(begun)), |differs| refused(differs.to_string()))
}

/// Calls what the program is to begin with, unless it has.
fn start_program(
    run: &Run,
    needs: &[Need],
    store: &mut Store<Host>,
    instance: Instance,
    has_begun: bool,
) -> Result<(), Error> {
    if run.invoke.is_none()
        && let Some(main) = instance.get_func(&*store, "main")
        && main.ty(&*store)?.params().len() == needs.len()
        && instance.get_func(&*store, "_start").is_none()
    {
        let arguments = handed(run, store, needs)?;
        return main.call(store, &arguments, &mut []);
    }
    let is_reactor = initialize(&mut *store, instance, has_begun)?;
    if let Some(name) = &run.invoke {
        return invoke::invoke(store, instance, name, &run.invoke_args);
    }
    if is_reactor {
        return Err(Error::NoExport { name: "_start".into(), kind: "function (use --invoke FN to call another)" });
    }
    start(store, instance, "_start")
}

/// Calls what a reactor begins with, unless it has begun; whether it is a reactor.
pub fn initialize(mut store: impl AsContextMut, instance: Instance, has_begun: bool) -> Result<bool, Error> {
    let is_reactor = instance.get_func(&store, "_start").is_none();
    if is_reactor && !has_begun && instance.get_func(&store, "_initialize").is_some() {
        start(&mut store, instance, "_initialize")?;
    }
    Ok(is_reactor)
}

/// Calls an export that takes nothing and gives nothing.
pub fn start(mut store: impl AsContextMut, instance: Instance, name: &str) -> Result<(), Error> {
    instance.get_typed_func::<(), ()>(&store, name)?.call(&mut store, ())
}

/// How a run ended that did not simply return. Which module a frame is of is asked by the module's name.
pub fn explain(error: &Error, run: &Run, modules: &trace::Modules<'_>) -> Ending {
    let trap = match error {
        Error::Trap(trap) => trap,
        Error::Instantiate(limit) => {
            return Ending::new(EndKind::Memory, exit::MEMORY, Some(format!("{limit}; raise it with --max-memory")));
        }
        Error::Snapshot(limit @ SnapshotError::Limit(_)) => {
            return Ending::new(EndKind::Memory, exit::MEMORY, Some(format!("{limit}; raise it with --max-memory")));
        }
        other => return Ending::new(EndKind::Refused, exit::REFUSED, Some(other.to_string())),
    };
    let (kind, code, message) = match trap.kind {
        // As a shell sees it: the low eight bits.
        TrapKind::Exit => {
            let message = trap.source.as_ref().map(|why| format!("error: {why}"));
            return Ending::new(EndKind::Exit, trap.exit_code as u8, message);
        }
        TrapKind::Host if is_panic(trap) => (EndKind::Trap, exit::TRAP, trap.source.as_ref().map(ToString::to_string)),
        TrapKind::Timeout | TrapKind::Interrupted => (EndKind::Timeout, exit::TIMEOUT, None),
        TrapKind::OutOfFuel => {
            (EndKind::Fuel, exit::FUEL, Some("the program used up its fuel; --fuel gives it more".into()))
        }
        TrapKind::OutOfMemory => {
            let message =
                format!("the program wanted more than {} bytes of memory; --max-memory gives it more", run.max_memory);
            (EndKind::Memory, exit::MEMORY, Some(message))
        }
        TrapKind::OutputLimit => {
            let limit = run.grants.output_limit;
            let message = format!("the program wrote more than {limit} bytes; --max-output allows more");
            (EndKind::Output, exit::OUTPUT, Some(message))
        }
        TrapKind::StackExhausted => {
            let message = format!("call stack exhausted: more than {} bytes; --max-stack gives more", run.max_stack);
            (EndKind::Trap, exit::TRAP, Some(message))
        }
        _ => (EndKind::Trap, exit::TRAP, Some(format!("the program trapped: {trap}"))),
    };
    let (frames, omitted) = trace::frames(trap, modules);
    let frames = frames.iter().map(ToString::to_string).collect();
    let trap = (kind == EndKind::Trap).then_some(trap.kind);
    Ending { frames, omitted, trap, ..Ending::new(kind, code, message) }
}

/// Whether a program in Fold met a mistake of its own.
fn is_panic(trap: &Trap) -> bool {
    let source = trap.source.as_deref().and_then(|source| source.downcast_ref());
    matches!(source, Some(HostError::Panic(_)))
}
