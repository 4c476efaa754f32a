//! Scripts in Python, run by a CPython that is itself a guest. The low layer: a module that is a whole program, linked to the system
//! interface that it was compiled for, of which it finds what it was granted. `tests/guests/fetch` gets the module.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pinfold::host::{ClockGrant, Console, DirGrant, Grants, HostState};
use pinfold::wasm::{Config, Engine, Linker, Module, Store, StoreLimits, TrapKind};

/// Python, ready for any number of scripts: 26 MB are read and verified once.
pub struct Python {
    engine: Engine,
    module: Module,
}

/// What a script, and the interpreter under it, may use.
pub struct Limits {
    /// Units of fuel.
    pub fuel: u64,
    /// Bytes.
    pub memory: u64,
    /// From when it begins.
    pub time: Duration,
}

impl Default for Limits {
    /// The interpreter takes an eighth of the fuel to begin.
    fn default() -> Self {
        Self { fuel: 2_000_000_000, memory: 128 << 20, time: Duration::from_secs(60) }
    }
}

/// What became of a script.
pub struct Ran {
    /// As a process has it: 0 if nothing was wrong.
    pub status: i32,
    /// What it printed.
    pub output: String,
    /// What it printed of errors; a traceback, if there was one.
    pub errors: String,
}

impl Python {
    /// Verifies the module. It is compiled function by function, as these turn hot: what a script does not need costs nothing.
    pub fn load(path: &Path) -> Result<Self, Box<dyn Error>> {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, std::fs::read(path)?)?;
        Ok(Self { engine, module })
    }

    /// Runs a script, which sees `folder` as `/data` and cannot change it. That it fails is no error: it is if a limit ends it.
    pub fn run(&self, script: &str, arguments: &[&str], folder: &Path, limits: &Limits) -> Result<Ran, Box<dyn Error>> {
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let python = ["python", "-c", script].into_iter().chain(arguments.iter().copied());
        let grants = Grants {
            args: python.map(str::to_owned).collect(),
            dirs: vec![DirGrant { name: None, host: folder.to_owned(), guest: "/data".into(), writable: false }],
            console: Console::Capture { stdout: Arc::clone(&stdout), stderr: Arc::clone(&stderr) },
            // To the millisecond; and for the seed of its hash tables.
            clock: Some(ClockGrant::default()),
            random: true,
            ..Grants::none()
        };
        // Memory that is refused softly is a `MemoryError` in the script, which may do without. Otherwise it ends the run.
        let memory = StoreLimits { memory: limits.memory, grow_fails_softly: true, ..StoreLimits::default() };
        let mut store = Store::with_limits(&self.engine, HostState::new(&grants)?, memory);
        // What waits in a host function notices the deadline too.
        store.connect(|host| host);
        store.set_fuel(limits.fuel)?;
        store.set_deadline(Instant::now().checked_add(limits.time));
        // What is not granted is not there to be linked: without a clock this Python, which imports one, would be no instance.
        let mut linker = Linker::new(&self.engine);
        linker.host_table(&grants, |host: &mut HostState| host);
        let instance = linker.instantiate(&mut store, &self.module)?;
        let ended = instance.get_typed_func::<(), ()>(&store, "_start")?.call(&mut store, ());
        let status = match ended {
            Ok(()) => 0,
            // How a program ends itself, with whatever status.
            Err(error) => match error.trap() {
                Some(trap) if trap.kind == TrapKind::Exit => trap.exit_code,
                _ => return Err(error.into()),
            },
        };
        Ok(Ran { status, output: text(&stdout), errors: text(&stderr) })
    }
}

/// What was written, which need not be UTF-8.
fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

const SUMS: &str = r#"
import csv, json, sys

with open("/data/" + sys.argv[1]) as file:
    totals = {}
    for row in csv.DictReader(file):
        totals[row["animal"]] = totals.get(row["animal"], 0) + int(row["days"])
print(json.dumps(totals))
"#;

const GREEDY: &str = r#"
try:
    everything = bytearray(1 << 30)
except MemoryError:
    print("made do with less")
"#;

const SCRIPTS: [(&str, &str); 4] = [
    ("sums", SUMS),
    ("greedy", GREEDY),
    ("curious", "print(open('/etc/passwd').read())"),
    ("endless", "while True: pass"),
];

/// Runs scripts on the CPython at this path.
pub fn run(module: &Path, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("stays.csv"), "animal,days\npig,3\ncow,2\npig,4\n")?;
    let python = Python::load(module)?;
    for (name, script) in SCRIPTS {
        match python.run(script, &["stays.csv"], folder.path(), &Limits::default()) {
            Ok(Ran { status: 0, output, .. }) => writeln!(out, "  {name}: {}", output.trim_end())?,
            // The last line of a traceback says what it was.
            Ok(Ran { errors, .. }) => {
                writeln!(out, "  {name} failed: {}", errors.trim_end().lines().last().unwrap_or_default())?;
            }
            Err(error) => writeln!(out, "  {name} was ended: {error}")?,
        }
    }
    Ok(())
}
