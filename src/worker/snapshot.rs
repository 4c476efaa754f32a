//! Running a program until it asks its host for something that a snapshot cannot remember, and writing it down there.

use std::io::{self, Write};
use std::mem::ManuallyDrop;

use pinfold::answer::{Answer, Taken};
use pinfold::begun::{self, Begun};
use pinfold::job::{EndKind, Ending, Snapshot};
use pinfold::{exit, text, trace};
use pinfold_vm::api::{Caller, Error, Linker, Module, Resumable, Store, StoreLimits, TrapKind};
use pinfold_vm::host::table::Row;
use pinfold_vm::host::{DependsOn, Found, HostState};
use pinfold_vm::module::Bytes;

use crate::refusal;
use crate::run::{self, Prepared};

/// Frames that are told of.
const FRAMES: usize = 12;

/// What the store of the program holds.
struct Writing {
    state: HostState,
    /// Whether clocks and random numbers are given.
    gives: [bool; 2],
    /// Whether the run is to come to its end.
    to_the_end: bool,
    begun: Begun,
    directories: Vec<(String, bool)>,
    taken: Option<Vec<u8>>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    /// It is to be taken after a call, which is not at its end.
    #[error("the program called {0} meanwhile: what that answers a snapshot cannot remember")]
    Asked(&'static str),
    /// It is to be taken when the host is asked.
    #[error(
        "the program came to its end without asking for anything that a snapshot cannot remember: there is nothing to go on \
         with. --after FN takes one after a call of FN"
    )]
    Ended,
    /// It stands in the middle of its run.
    #[error("the program is in the middle of its run: nothing else of it can be called before that has ended")]
    Running,
}

/// Runs the program, and answers on standard output.
pub fn run(job: &Snapshot, prepared: Prepared, bytes: Bytes) -> Ending {
    let answered = attempt(job, prepared, bytes).map(|(taken, module)| answer(taken, &module));
    match answered {
        Ok(Ok(())) => Ending::new(EndKind::Exit, 0, None),
        Ok(Err(error)) => Ending::new(EndKind::NotStarted, exit::REFUSED, Some(error.to_string())),
        Err(ending) => *ending,
    }
}

fn answer(taken: Taken, module: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    Answer::Taken(taken).write(&mut out)?;
    Answer::Bytes(module.len() as u64).write(&mut out)?;
    out.write_all(module)?;
    out.flush()
}

fn attempt(job: &Snapshot, prepared: Prepared, bytes: Bytes) -> Result<(Taken, Vec<u8>), Box<Ending>> {
    let run = &job.run;
    // Giving back what they hold takes system calls that are not there any more.
    let (engine, state) = prepared.into_parts();
    let engine = ManuallyDrop::new(engine);
    let no_module = |why: String| {
        let message = format!("{}: {why}", run.file.display());
        Box::new(Ending::new(EndKind::NotAModule, exit::NOT_A_MODULE, Some(message)))
    };
    let bytes = text::translate(&run.file, bytes).map_err(no_module)?;
    let module = Module::new(&engine, bytes).map_err(|error| no_module(error.to_string()))?;
    let module = ManuallyDrop::new(module);
    let refused = refusal::check(&module, &run.grants, false);
    if !refused.is_empty() && !run.trap_unknown_imports {
        let message = refusal::message(&refused, &run.file);
        return Err(Box::new(Ending::new(EndKind::Refused, exit::REFUSED, Some(message))));
    }
    let writing = Writing {
        state,
        gives: [job.clock, job.random],
        to_the_end: job.after.is_some(),
        begun: Begun::default(),
        directories: run.grants.dirs.iter().map(|dir| (dir.guest.clone(), dir.writable)).collect(),
        taken: None,
    };
    let limits = StoreLimits { memory: run.max_memory, stack: run::stack(run), ..StoreLimits::default() };
    let mut store = ManuallyDrop::new(Store::with_limits(&engine, writing, limits));
    store.connect(|writing| &mut writing.state);
    let mut linker = ManuallyDrop::new(Linker::new(&engine));
    linker.watched_host_table(&run.grants, |writing| &mut writing.state, before);
    for import in &refused {
        refusal::trap_when_called(&mut linker, |writing| &mut writing.state, import);
    }
    let ended = begin(job, &mut store, &linker, &module);
    let taken = |store: &Store<Writing>, (frames, omitted): (Vec<String>, usize)| {
        let memory = store.memory_used().0;
        Taken { begun: store.data().begun.clone(), frames, omitted, memory }
    };
    let error = match ended {
        Ok(snapshot) => return Ok((taken(&store, Default::default()), snapshot)),
        Err(error) => error,
    };
    let snapshot = store.data_mut().taken.take();
    if let (Some(snapshot), Error::Trap(trap)) = (snapshot, &error) {
        let (frames, omitted) = trace::frames(trap, &|_| Some(&module));
        let told = frames.iter().take(FRAMES).map(ToString::to_string).collect();
        return Ok((taken(&store, (told, omitted + frames.len().saturating_sub(FRAMES))), snapshot));
    }
    Err(Box::new(explain(&error, job, &module)))
}

/// Runs the program until its snapshot can be taken between calls; where it is taken in the middle of its run, that ends in an error.
fn begin(
    job: &Snapshot,
    store: &mut Store<Writing>,
    linker: &Linker<Writing>,
    module: &Module,
) -> Result<Vec<u8>, Error> {
    let (instance, earlier) = if module.is_snapshot() {
        let begun = Begun::of(module).unwrap_or_default();
        store.data_mut().state.go_on_from(begun.found());
        store.data_mut().begun = Begun { before: None, ..begun };
        let restored = linker.restore(&mut *store, module)?;
        (restored.instance, Some(restored))
    } else {
        (linker.instantiate(&mut *store, module)?, None)
    };
    let has_begun = earlier.is_some();
    if let Some(running) = earlier.filter(Resumable::is_running) {
        if job.after.is_some() {
            return Err(Error::host(Stopped::Running));
        }
        running.resume(&mut *store)?;
        return Err(Error::host(Stopped::Ended));
    }
    let is_reactor = run::initialize(&mut *store, instance, has_begun)?;
    match &job.after {
        Some(name) => run::start(&mut *store, instance, name)?,
        None if is_reactor => {}
        None => {
            run::start(&mut *store, instance, "_start")?;
            return Err(Error::host(Stopped::Ended));
        }
    }
    let found = written(store.data_mut(), None)?;
    instance.snapshot(&*store, &[(begun::SECTION, &found)])
}

/// What stands in a snapshot of what the program found.
fn written(writing: &mut Writing, before: Option<&str>) -> Result<Vec<u8>, Error> {
    let Found { args, environ, elapsed } = writing.state.found();
    let begun = &mut writing.begun;
    begun.arguments = begun.arguments.take().and(args);
    begun.environment = begun.environment.take().and(environ);
    (begun.before, begun.elapsed) = (before.map(str::to_owned), elapsed);
    begun.written().map_err(Error::host)
}

/// Lets the program make a call whose answer can be remembered. Before another one it is written down, and ended.
fn before(caller: &mut Caller<'_, Writing>, row: &'static Row, depends: DependsOn) -> Result<(), Error> {
    let writing = caller.data_mut();
    let [clock, random] = writing.gives;
    let begun = &mut writing.begun;
    match depends {
        DependsOn::Nothing => return Ok(()),
        DependsOn::Arguments => begun.arguments = Some(Vec::new()),
        DependsOn::Environment => begun.environment = Some(Vec::new()),
        DependsOn::Directories => begun.directories = Some(writing.directories.clone()),
        DependsOn::Clock if clock => begun.clock = true,
        DependsOn::Random if random => begun.random = true,
        DependsOn::Clock | DependsOn::Random | DependsOn::World => {
            if writing.to_the_end {
                return Err(Error::host(Stopped::Asked(row.name)));
            }
            let found = written(writing, Some(row.name))?;
            let snapshot = caller.snapshot(&[(begun::SECTION, &found)])?;
            caller.data_mut().taken = Some(snapshot);
            return Err(Error::host(Stopped::Asked(row.name)));
        }
    }
    Ok(())
}

/// Why there is no snapshot.
fn explain(error: &Error, job: &Snapshot, module: &Module) -> Ending {
    let source = match error {
        Error::Host(source) => Some(source),
        Error::Trap(trap) if trap.kind == TrapKind::Exit => {
            let message = format!("{} (its exit code is {})", Stopped::Ended, trap.exit_code);
            return Ending::new(EndKind::Refused, exit::REFUSED, Some(message));
        }
        Error::Trap(trap) => trap.source.as_ref(),
        _ => None,
    };
    let is_ours = source.is_some_and(|source| source.is::<Stopped>() || source.is::<Error>());
    let mut ending = run::explain(error, &job.run, &|_| Some(module));
    if let Some(source) = source.filter(|_| is_ours) {
        (ending.kind, ending.code, ending.trap) = (EndKind::Refused, exit::REFUSED, None);
        ending.message = Some(source.to_string());
    }
    ending
}
