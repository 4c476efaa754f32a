//! A program compiled and run in this process: each tier, with and without the compiler's optimiser, and with as little of the
//! host as can be. All have to do the same.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use pinfold_compiler::Options;
use pinfold_compiler::check::{self, Memory};
use pinfold_compiler::diagnostic::Diagnostic;
use pinfold_compiler::driver::{self, Checked, Rejected};
use pinfold_vm::api::{Config, Engine, Error, ExternRef, Linker, Module, Store, StoreLimits, Tier, TrapKind, Val};
use pinfold_vm::host::fold::{NEEDS, Need};
use pinfold_vm::host::{Console, DirGrant, Grants, HostState, Stdin};

/// What a program is handed.
#[derive(Clone, Debug, Default)]
pub struct World<'w> {
    /// Its input.
    pub input: String,
    /// Words after it.
    pub args: Vec<String>,
    /// Directories by name.
    pub dirs: Vec<(&'w str, &'w Path)>,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What it wrote.
    pub output: String,
    /// How it ended.
    pub end: End,
}

/// See [`Done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It came to its end.
    Good,
    /// `main` gave an error, or ended with a code.
    Failed(String),
    /// It panicked.
    Panic(String),
    /// Anything else, which no program should be able to.
    Trap(String),
}

/// Steps that a program may take, so that none runs for ever.
const FUEL: u64 = 1_000_000_000;

/// Each way to run a program, the fastest last.
const WAYS: [(&str, Tier, Options); 5] = [
    ("interpreted", Tier::Interpreter, Options { optimise: true, portable: false, tests: false }),
    ("interpreted, not optimised", Tier::Interpreter, Options { optimise: false, portable: false, tests: false }),
    ("loops entered, portable", Tier::EveryLoop, Options { optimise: true, portable: true, tests: false }),
    ("compiled, not optimised", Tier::Jit, Options { optimise: false, portable: false, tests: false }),
    ("compiled", Tier::Jit, Options { optimise: true, portable: false, tests: false }),
];

/// Modules in one text: `//@ path` begins one, what is before is the root.
pub fn modules(text: &str) -> Memory {
    let mut parts = text.split("//@ ");
    let mut loader = Memory::new().with("main", "main.fold", parts.next().unwrap_or(""));
    for part in parts {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        loader = loader.with(path.trim(), &format!("{}.fold", path.trim()), text);
    }
    loader
}

/// Checks a program.
pub fn check(text: &str) -> Result<Checked, Box<Rejected>> {
    driver::check("main", &mut modules(text), check::Options { tests: false, ..check::Options::default() })
}

/// A finding in one line, with all that it says.
pub fn line(rejected: &Rejected, found: &Diagnostic) -> String {
    let source = rejected.sources.get(found.primary.span.file);
    let (line, column) = source.position(found.primary.span.start);
    let mut text = format!("{}:{}:{}: {} {}", source.name, line + 1, column + 1, found.code, found.message);
    let others = found.secondary.iter().map(|label| &label.text);
    let edits = found.edits.iter().map(|edit| &edit.text);
    let all = std::iter::once(&found.primary.text).chain(others).chain(&found.notes).chain(&found.help).chain(edits);
    for more in all.filter(|text| !text.is_empty()) {
        let _ = write!(text, "; {more}");
    }
    text
}

/// All findings, one a line.
pub fn lines(rejected: &Rejected) -> String {
    let lines: Vec<String> = rejected.diagnostics.iter().map(|found| line(rejected, found)).collect();
    lines.join("\n")
}

/// Runs a program in all ways. What it did, or how the ways differ.
pub fn run(checked: &Checked, world: &World<'_>) -> Result<Done, String> {
    let mut first: Option<(&str, Done)> = None;
    // The first and the last differ most; a debug build has no time for more.
    let ways = WAYS.iter().step_by(if cfg!(debug_assertions) { WAYS.len() - 1 } else { 1 });
    for (way, tier, options) in ways.copied() {
        let module = checked.compile(options).map_err(|rejected| format!("{way}: {}", lines(&rejected)))?;
        let done = run_module(&module, tier, world, FUEL).map_err(|error| format!("{way}: {error}"))?;
        match &first {
            None => first = Some((way, done)),
            Some((_, other)) if *other == done => {}
            Some((other_way, other)) => return Err(format!("{other_way}: {other:?}\n  {way}: {done:?}")),
        }
    }
    Ok(first.expect("there are ways").1)
}

/// Runs a program in the fastest way alone.
pub fn run_fast(checked: &Checked, world: &World<'_>) -> Result<Done, String> {
    let (_, tier, options) = WAYS[WAYS.len() - 1];
    let module = checked.compile(options).map_err(|rejected| lines(&rejected))?;
    run_module(&module, tier, world, 100 * FUEL).map_err(|error| error.to_string())
}

struct Host(HostState);

/// What a program is granted.
pub fn grants(world: &World<'_>, output: &Arc<Mutex<Vec<u8>>>) -> Grants {
    let dirs = world.dirs.iter().map(|(name, host)| DirGrant {
        name: Some((*name).to_owned()),
        host: host.to_path_buf(),
        guest: format!("/{name}"),
        writable: true,
    });
    Grants {
        console: Console::Capture { stdout: Arc::clone(output), stderr: Arc::clone(output) },
        stdin: Stdin::Bytes(world.input.as_bytes().into()),
        args: world.args.clone(),
        dirs: dirs.collect(),
        deterministic: Some(7),
        ..Grants::command()
    }
}

fn run_module(module: &[u8], tier: Tier, world: &World<'_>, fuel: u64) -> Result<Done, Error> {
    let mut config = Config::new();
    config.tier(tier).consume_fuel(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, module)?;
    let output = Arc::<Mutex<Vec<u8>>>::default();
    let grants = grants(world, &output);
    let host = HostState::new(&grants).map_err(Error::host)?;
    let needs = module.custom_section(NEEDS).and_then(Need::parse).unwrap_or_default();
    let handed = host.capabilities(&grants, &needs).map_err(|missing| Error::host(format!("{missing:?}")))?;
    let mut store = Store::with_limits(&engine, Host(host), StoreLimits { stack: 1 << 20, ..StoreLimits::default() });
    store.connect(|host| &mut host.0);
    store.set_fuel(fuel)?;
    let mut linker = Linker::new(&engine);
    linker.host_table(&grants, |host: &mut Host| &mut host.0);
    let instance = linker.instantiate(&mut store, &module)?;
    let main = instance.get_func(&store, "main").ok_or(Error::host("there is no main"))?;
    let handed: Vec<Val> = handed.into_iter().map(|value| Val::ExternRef(Some(ExternRef::of(value)))).collect();
    let result = main.call(&mut store, &handed, &mut []);
    store.data_mut().0.flush();
    let end = match result {
        Ok(()) => End::Good,
        Err(Error::Trap(trap)) => {
            let source = trap.source.as_ref().map(ToString::to_string).unwrap_or_default();
            match trap.kind {
                TrapKind::Exit => End::Failed(source),
                TrapKind::Host => match source.strip_prefix("panic: ") {
                    Some(message) => End::Panic(message.to_owned()),
                    None => End::Trap(source),
                },
                TrapKind::IntegerOverflow => End::Panic("integer overflow".to_owned()),
                TrapKind::DivideByZero => End::Panic("integer divide by zero".to_owned()),
                kind => End::Trap(format!("{kind:?}")),
            }
        }
        Err(error) => return Err(error),
    };
    let bytes = std::mem::take(&mut *output.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    Ok(Done { output: String::from_utf8_lossy(&bytes).into_owned(), end })
}
