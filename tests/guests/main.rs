//! Real programs on every tier, with the same output: CPython, MicroPython, QuickJS and C programs.
//!
//! `tests/guests/fetch` gets them. Where they are absent these tests say that they were skipped.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pinfold_vm::api::{Config, Engine, Error, Linker, Module, Store, StoreLimits, Tier};
use pinfold_vm::host::{Console, Grants, HostState};

const TIERS: [&str; 3] = ["interpreter", "jit", "auto"];

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests")
}

/// A guest's path; `None`, said aloud, if it was not fetched.
fn guest(name: &str) -> Option<PathBuf> {
    let path = here().join("cache").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {name} is not there; tests/guests/fetch gets it");
    None
}

/// Whether this build is fast enough for the large guests; if not it says so.
fn fast(what: &str) -> bool {
    if cfg!(debug_assertions) {
        println!("SKIPPED: {what} in a debug build; cargo test --release --test guests runs it");
    }
    !cfg!(debug_assertions)
}

fn expected(name: &str) -> String {
    std::fs::read_to_string(here().join("expected").join(name)).unwrap()
}

/// A copy of the input folder that a program may write to.
struct Data(PathBuf);

impl Data {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pinfold-guests-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with_input(self) -> Self {
        for entry in std::fs::read_dir(here().join("input/data")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), self.0.join(entry.file_name())).unwrap();
        }
        self
    }

    fn grant(&self) -> String {
        format!("{}::/data:rw", self.0.display())
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a guest and returns its standard output; it has to end with `status`.
fn run(tier: &str, flags: &[&str], guest: &Path, args: &[&str], stdin: Option<&Path>, status: i32) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinfold"));
    command.args(["run", "--tier", tier, "--timeout", "300"]).args(flags).arg(guest).args(args);
    // What one tier keeps of a program, the next one finds.
    command.env("PINFOLD_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests"));
    command.stdin(stdin.map_or(Stdio::null(), |path| std::fs::File::open(path).unwrap().into()));
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{} on {tier}: \n{errors}", guest.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn c_programs_print_what_they_should() {
    for tier in TIERS {
        for (name, args, data, stdin, status) in [
            ("hello", &[][..], None, None, 0),
            // One of the files is not there; three of the lines are wrong.
            ("words", &["/data/a.txt", "/data/b.txt", "/data/none"][..], Some(true), None, 1),
            ("calculator", &[][..], None, Some(here().join("input/calculator.txt")), 3),
            ("library", &[][..], None, None, 0),
            ("folders", &["/data"][..], Some(false), None, 0),
        ] {
            let Some(guest) = guest(&format!("{name}.wasm")) else { return };
            let folder = data.map(|input| {
                let folder = Data::new(&format!("{name}-{tier}"));
                if input { folder.with_input() } else { folder }
            });
            let grant = folder.as_ref().map(Data::grant).unwrap_or_default();
            let flags: &[&str] = if folder.is_some() { &["--dir", &grant] } else { &[] };
            let output = run(tier, flags, &guest, args, stdin.as_deref(), status);
            assert_eq!(output, expected(&format!("{name}.txt")), "{name} on {tier}");
        }
    }
}

#[test]
fn cpython_runs_a_script_with_a_folder() {
    let Some(guest) = guest("python.wasm").filter(|_| fast("CPython")) else { return };
    for tier in TIERS {
        let data = Data::new(&format!("python-{tier}")).with_input();
        let script = format!("{}::/script", here().join("input").display());
        let grants = data.grant();
        let flags = ["--dir", &grants, "--dir", &script];
        assert_eq!(run(tier, &flags, &guest, &["/script/task.py"], None, 0), expected("task.txt"), "{tier}");
    }
}

#[test]
fn cpython_goes_on_from_where_it_reads_its_script() {
    let Some(guest) = guest("python.wasm").filter(|_| fast("CPython")) else { return };
    let folder = Data::new("python-snapshot");
    let snapshot = folder.0.join("warm.pin");
    let script = here().join("input/task.py");
    // The folders of a run are others than that which its snapshot was taken with: only their name is the same.
    let empty = Data::new("python-empty");
    let output = Command::new(env!("CARGO_BIN_EXE_pinfold"))
        .args(["snapshot", "--with-clock", "--with-random", "--dir", &empty.grant(), "-o"])
        .args([&snapshot, &guest])
        .arg("-")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("before the program calls fd_read"), "{told}");
    for tier in TIERS {
        let data = Data::new(&format!("python-snapshot-{tier}")).with_input();
        let flags = ["--dir", &data.grant()];
        assert_eq!(run(tier, &flags, &snapshot, &[], Some(&script), 0), expected("task.txt"), "{tier}");
    }
}

#[test]
fn cpython_s_traceback_comes_out() {
    let Some(guest) = guest("python.wasm").filter(|_| fast("CPython")) else { return };
    for tier in TIERS {
        let data = Data::new(&format!("traceback-{tier}"));
        std::fs::write(data.0.join("fails.py"), "def divide(n):\n    return 1 // n\n\ndivide(0)\n").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinfold"));
        command
            .args(["run", "--tier", tier, "--timeout", "300", "--dir", &data.grant()])
            .arg(&guest)
            .arg("/data/fails.py")
            .env("PINFOLD_CACHE", "");
        let output = command.stdin(Stdio::null()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        for line in ["Traceback (most recent call last):", "line 2, in divide", "ZeroDivisionError"] {
            assert!(errors.contains(line), "{tier}: {errors}");
        }
    }
}

#[test]
fn micropython_raises_and_catches() {
    let Some(guest) = guest("micropython.wasm") else { return };
    for tier in TIERS {
        let data = Data::new(&format!("micropython-{tier}")).with_input();
        let script = format!("{}::/script", here().join("input").display());
        let grants = data.grant();
        // It imports two functions of an embedder's that the script does not call.
        let flags = ["--dir", &grants, "--dir", &script, "--trap-unknown-imports"];
        assert_eq!(run(tier, &flags, &guest, &["/script/micro.py"], None, 0), expected("micro.txt"), "{tier}");
    }
}

#[test]
fn quickjs_evaluates_a_script() {
    let Some(guest) = guest("quickjs.wasm").filter(|_| fast("QuickJS")) else { return };
    for tier in [Tier::Interpreter, Tier::Jit, Tier::Auto] {
        let output = quickjs(
            &guest,
            tier,
            "console.log([3, 1, 2].sort().join('-'), JSON.stringify({a: [1, 2.5]}), 'abc'.replace(/b/u, '_'))",
        );
        assert_eq!(output, "1-2-3 {\"a\":[1,2.5]} a_c\n", "{tier:?}");
    }
}

struct Host(HostState);

/// Drives the reactor: `_initialize`, then `qjs_init_argv` with the arguments in its memory.
fn quickjs(guest: &Path, tier: Tier, script: &str) -> String {
    let mut config = Config::new();
    config.tier(tier);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, std::fs::read(guest).unwrap()).unwrap();
    let stdout = std::sync::Arc::default();
    let console = Console::Capture { stdout: std::sync::Arc::clone(&stdout), stderr: std::sync::Arc::default() };
    let grants = Grants { console, ..Grants::command() };
    let mut store = Store::with_limits(&engine, Host(HostState::new(&grants).unwrap()), StoreLimits::default());
    store.connect(|host| &mut host.0);
    let mut linker = Linker::new(&engine);
    linker.host_table(&grants, |host: &mut Host| &mut host.0);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    instance.get_typed_func::<(), ()>(&store, "_initialize").unwrap().call(&mut store, ()).unwrap();
    let malloc = instance.get_typed_func::<(i32,), i32>(&store, "malloc").unwrap();
    let memory = instance.get_memory(&store, "memory").unwrap();
    let args = ["qjs", "-e", script];
    let argv = malloc.call(&mut store, (16,)).unwrap();
    for (i, arg) in args.iter().enumerate() {
        let at = malloc.call(&mut store, (arg.len() as i32 + 1,)).unwrap();
        memory.write(&mut store, at as usize, arg.as_bytes()).unwrap();
        memory.write(&mut store, at as usize + arg.len(), &[0]).unwrap();
        memory.write(&mut store, argv as usize + 4 * i, &at.to_le_bytes()).unwrap();
    }
    let init = instance.get_typed_func::<(i32, i32), i32>(&store, "qjs_init_argv").unwrap();
    let result: Result<i32, Error> = init.call(&mut store, (args.len() as i32, argv));
    assert_eq!(result.unwrap(), 0, "qjs_init_argv");
    let bytes = std::mem::take(&mut *stdout.lock().unwrap());
    String::from_utf8(bytes).unwrap()
}
