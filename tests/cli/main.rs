//! The command as a user meets it: exit codes, messages, limits, signals.

#![allow(missing_docs, clippy::unwrap_used)]

mod ahead;
mod cache;
mod cgroups;
mod compiler;
mod costly;
mod fold;
mod http;
mod memories;
mod network;
mod objects;
mod packages;
mod policies;
mod profile;
mod records;
mod report;
mod snapshots;
mod terminal;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use pinfold::job::{Insight, Inspect, Job, Run, Task, TierName, View};
use pinfold::{exit, policy};
use pinfold_sandbox::{Exit, Launch, Layers, Refusal, spawn};
use pinfold_vm::host::Grants;
use pinfold_vm::module::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

const TIERS: [&str; 3] = ["interpreter", "jit", "auto"];

/// One module with everything that these tests need.
const PROGRAM: &str = r#"
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (table $t 1 funcref)
  (data (i32.const 64) "hello\n")
  (func $say (export "_start")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 6))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))
  (func (export "exit") (param i32) (call $exit (local.get 0)))
  (func (export "add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
  (func $deep (export "deep") (result i32) (i32.add (i32.const 1) (call $deep)))
  (func (export "spin") (loop (br 0)))
  (func (export "fill") (loop (drop (memory.grow (i32.const 100)))
    (memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536))) (br 0)))
  (func (export "copy") (loop (memory.copy (i32.const 1) (i32.const 0) (i32.const 65535)) (br 0)))
  (func (export "grow_table") (loop (drop (table.grow $t (ref.null func) (i32.const 100000))) (br 0)))
  (func (export "grow") (loop (drop (memory.grow (i32.const 100))) (br 0)))
  (func (export "flood") (loop (call $say) (br 0)))
  (func (export "wait") (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 6))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32))))
  (func $inner (unreachable))
  (func $outer (export "trap") (call $inner))
  (func (export "bounds") (result i32) (i32.load (i32.const 70000)))
  (func (export "count") (param i32) (result i32)
    (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))) (local.get 0)))
"#;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pinfold-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("program.wat"), PROGRAM).unwrap();
        Self(path)
    }

    fn program(&self) -> String {
        self.0.join("program.wat").display().to_string()
    }

    fn file(&self, name: &str, contents: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, contents).unwrap();
        path.display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn pinfold(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinfold"));
    command.args(args).env("PINFOLD_CACHE", "").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    pinfold(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_program_runs_on_every_tier() {
    let scratch = Scratch::new("runs");
    for tier in TIERS {
        let output = run(&["run", "--tier", tier, &scratch.program()]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "hello\n"), "{}", stderr(&output));
    }
}

#[test]
fn the_program_may_come_from_standard_input() {
    let mut child = pinfold(&["run", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PROGRAM.as_bytes()).unwrap();
    assert_eq!(stdout(&child.wait_with_output().unwrap()), "hello\n");
}

#[test]
fn an_export_is_called_with_arguments_of_its_type() {
    let scratch = Scratch::new("invoke");
    let output = run(&["run", "--invoke", "add", &scratch.program(), "-2", "0x10"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "14\n"));
    let output = run(&["run", "--invoke", "add", &scratch.program(), "2"]);
    assert!(stderr(&output).contains("(i32, i64) -> (i64)"), "{}", stderr(&output));
    let output = run(&["run", "--invoke", "nothing", &scratch.program()]);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("nothing"), "{}", stderr(&output));
}

#[test]
fn a_program_chooses_its_own_exit_code() {
    let scratch = Scratch::new("exit");
    for tier in TIERS {
        for code in [0, 3, 123] {
            let output = run(&["run", "--tier", tier, "--invoke", "exit", &scratch.program(), &code.to_string()]);
            assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
            assert!(output.stderr.is_empty(), "{}", stderr(&output));
        }
    }
}

#[test]
fn a_trap_tells_where_it_was_the_same_on_every_tier() {
    let scratch = Scratch::new("trap");
    let told = TIERS.map(|tier| {
        let output = run(&["run", "--tier", tier, "--invoke", "trap", &scratch.program()]);
        assert_eq!(output.status.code(), Some(134));
        stderr(&output)
    });
    assert!(
        told[0].contains("unreachable") && told[0].contains("inner at") && told[0].contains("outer at"),
        "{}",
        told[0]
    );
    assert!(told[0] == told[1] && told[1] == told[2], "{told:#?}");
}

#[test]
fn each_limit_has_its_own_verdict() {
    let scratch = Scratch::new("limits");
    for tier in TIERS {
        for (export, flags, code, flag) in [
            ("deep", &[][..], 134, "--max-stack"),
            ("grow", &[][..], 137, "--max-memory"),
            ("grow_table", &[][..], 137, "--max-memory"),
            ("flood", &["--max-output", "1000"][..], 153, "--max-output"),
            ("spin", &["--fuel", "100000"][..], 152, "--fuel"),
            ("deep", &["--fuel", "1000"][..], 152, "--fuel"),
        ] {
            let program = scratch.program();
            let args: Vec<&str> =
                ["run", "--tier", tier].iter().chain(flags).chain(&["--invoke", export, &program]).copied().collect();
            let output = run(&args);
            assert_eq!(output.status.code(), Some(code), "{export} on {tier}: {}", stderr(&output));
            assert!(stderr(&output).contains(flag), "{export} on {tier}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_deadline_ends_whatever_goes_on() {
    let scratch = Scratch::new("deadline");
    for tier in TIERS {
        for export in ["spin", "fill", "copy", "wait"] {
            let start = Instant::now();
            let mut command =
                pinfold(&["run", "--tier", tier, "--max-memory", "64MiB", "--timeout", "0.2", "--invoke", export]);
            // A pipe that nobody writes to: reading it blocks.
            let mut child =
                command.arg(scratch.program()).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let held = child.stdin.take();
            let output = child.wait_with_output().unwrap();
            drop(held);
            let code = output.status.code();
            let ended = code == Some(124) || (export == "fill" && code == Some(137));
            assert!(ended, "{export} on {tier}: {code:?} {}", stderr(&output));
            assert!(start.elapsed() < Duration::from_secs(20), "{export} on {tier} was not stopped");
        }
    }
}

#[test]
fn signals_end_a_program_cleanly() {
    let scratch = Scratch::new("signals");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for tier in TIERS {
            let mut command = pinfold(&["run", "--tier", tier, "--invoke", "spin", &scratch.program()]);
            let child = command.stderr(Stdio::piped()).spawn().unwrap();
            wait_until_running(child.id());
            let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
            assert!(sent.success());
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{tier}: {}", stderr(&output));
        }
    }
}

#[test]
fn a_worker_whose_supervisor_is_gone_before_it_is_ready_ends() {
    // Each has its own threads, memory and descriptors to leave behind.
    let run = |tier| Run {
        grants: Grants::command(),
        file: "none.wasm".into(),
        max_memory: 1 << 20,
        max_stack: 1 << 20,
        fuel: None,
        tier,
        deterministic: false,
        invoke: None,
        invoke_args: Vec::new(),
        trap_unknown_imports: false,
        records: false,
        keeps: None,
        compiler: false,
        insight: Insight::default(),
        image: None,
        ahead: false,
    };
    let runs = [TierName::Interpreter, TierName::Jit, TierName::Auto].map(|tier| Task::Run(Box::new(run(tier))));
    let inspect = Task::Inspect(Inspect { file: "none.wasm".into(), view: View::Summary });
    for task in runs.into_iter().chain([inspect]) {
        assert_eq!(end_without_supervisor(&task), Some(Exit::Code(exit::REFUSED.into())), "{task:?}");
    }
}

/// How a worker ends whose supervisor is gone from the beginning; nothing if it does not.
fn end_without_supervisor(task: &Task) -> Option<Exit> {
    let plan = policy::plan(&Grants::command(), 1 << 30, 8 << 20, Layers::all()).unwrap();
    assert_eq!(plan.refusal, Refusal::Notify, "what is refused waits for a supervisor's answer");
    let layers = plan.layers;
    let job = serde_json::to_vec(&Job { plan, task: task.clone() }).unwrap();
    let sealed = [job.as_slice(), b"not a module"].map(|bytes| Bytes::sealed(bytes, u64::MAX).unwrap());
    let [job, program] = sealed.each_ref().map(|bytes| bytes.sealed_file().unwrap().as_fd());
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    drop(ours);
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    let child = spawn(&Launch {
        program: File::open(env!("CARGO_BIN_EXE_pinfold-worker")).unwrap().as_fd(),
        arguments: &[c"pinfold-worker"],
        descriptors: &[null.as_fd(), null.as_fd(), null.as_fd(), theirs.as_fd(), job, program],
        layers,
        enters: true,
    })
    .unwrap();
    let bound = Timespec { tv_sec: 20, tv_nsec: 0 };
    let has_ended = poll(&mut [PollFd::new(&child, PollFlags::IN)], Some(&bound)).unwrap() == 1;
    child.kill();
    let exit = child.wait().unwrap();
    has_ended.then_some(exit)
}

#[test]
fn a_program_s_words_do_not_act_on_the_terminal_through_the_supervisor() {
    let scratch = Scratch::new("words");
    let text = r#"(module (func $"evil\1b]0;title\07\1b[2J" (export "_start") unreachable))"#;
    let output = run(&["run", &scratch.file("evil.wat", text.as_bytes())]);
    let errors = stderr(&output);
    assert!(errors.contains("unreachable") && errors.contains("evil"), "{errors}");
    assert!(!errors.chars().any(|c| c.is_control() && c != '\n'), "{errors:?}");
}

/// Waits until a process has a worker, and so would notice a signal; the worker.
fn wait_until_running(id: u32) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        if let Some(worker) = children.split_whitespace().next() {
            return worker.parse().unwrap();
        }
        assert!(Instant::now() < deadline, "the program did not start");
        std::thread::yield_now();
    }
}

#[test]
fn fuel_is_counted_alike_on_every_tier() {
    let scratch = Scratch::new("fuel");
    let used = TIERS.map(|tier| {
        let args =
            ["run", "--tier", tier, "--fuel", "1000000", "--stats", "--invoke", "count", &scratch.program(), "5000"];
        let output = run(&args);
        let text = stderr(&output);
        text.lines().find(|line| line.contains("fuel used")).map(str::to_owned).unwrap_or(text)
    });
    assert!(used[0].contains("fuel used"), "{}", used[0]);
    assert!(used[0] == used[1] && used[1] == used[2], "{used:?}");
}

#[test]
fn entries_in_mid_loop_are_told() {
    let scratch = Scratch::new("mid-loop");
    let text = r#"(module (func (export "turn") (param i64) (result i64)
        (loop (br_if 0 (i64.ne (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0)))) (local.get 0)))"#;
    let program = scratch.file("turn.wat", text.as_bytes());
    // As long as compiling it may take, and then some.
    let run = |tier| stderr(&run(&["run", "--tier", tier, "--stats", "--invoke", "turn", &program, "2000000000"]));
    let told = run("auto");
    assert!(told.lines().any(|line| line.contains("entries in mid-loop") && line.ends_with(" 1")), "{told}");
    assert!(!run("jit").contains("mid-loop"));
}

#[test]
fn what_is_not_granted_is_refused_before_it_runs() {
    let scratch = Scratch::new("refused");
    let text = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
        (import "\1b[31mevil" "fn" (func))
        (memory (export "memory") 1) (func (export "_start")))"#;
    let program = scratch.file("wants.wat", text.as_bytes());
    let output = run(&["run", "--none", &program]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(125), "{told}");
    assert!(told.contains("random_get") && told.contains("--no-random") && told.contains("evil::fn"), "{told}");
    assert!(!told.contains('\x1b'), "guest names are escaped: {told:?}");
    let output = run(&["run", "--none", "--trap-unknown-imports", &program]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn an_import_that_was_let_through_traps_when_it_is_called() {
    let scratch = Scratch::new("through");
    let text = r#"(module (import "env" "f" (func $f (param i64) (result f32)))
        (func (export "_start") (drop (call $f (i64.const 1)))))"#;
    let program = scratch.file("calls.wat", text.as_bytes());
    for tier in TIERS {
        let output = run(&["run", "--tier", tier, "--trap-unknown-imports", &program]);
        assert!(output.status.code() == Some(134) && stderr(&output).contains("env::f"), "{}", stderr(&output));
    }
}

#[test]
fn layers_that_a_host_cannot_give_are_done_without() {
    let scratch = Scratch::new("without");
    for layers in ["namespaces", "netns,utsns", "landlock", "userns,rlimits"] {
        let output = run(&["run", "--without", layers, &scratch.program()]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "hello\n"), "{}", stderr(&output));
    }
    for (layer, message) in [("seccomp", "seccomp is indispensable"), ("nothing", "there is no such layer")] {
        let output = run(&["run", "--without", layer, &scratch.program()]);
        assert!(output.status.code() == Some(2) && stderr(&output).contains(message), "{}", stderr(&output));
    }
}

#[test]
fn bad_input_gets_a_clear_error() {
    let scratch = Scratch::new("bad");
    for (name, contents) in [
        ("empty.wasm", &b""[..]),
        ("text.wat", b"(module (func"),
        ("bad.wasm", b"\0asm\x01\0\0\0\xff"),
        ("x.wasm", b"\x7fELF...."),
    ] {
        let output = run(&["run", &scratch.file(name, contents)]);
        assert_eq!(output.status.code(), Some(126), "{name}: {}", stderr(&output));
        assert!(stderr(&output).starts_with("pinfold: ") && stderr(&output).contains(name), "{}", stderr(&output));
    }
    let output = run(&["run", "/nowhere/at-all.wasm"]);
    assert!(
        output.status.code() == Some(126) && stderr(&output).contains("/nowhere/at-all.wasm"),
        "{}",
        stderr(&output)
    );
    for flags in
        [["--timeout", "soon"], ["--max-memory", "many"], ["--dir", "::/x"], ["--tier", "warp"], ["--frobnicate", "1"]]
    {
        let output = run(&["run", flags[0], flags[1], &scratch.program()]);
        assert!(output.status.code() == Some(2) && !output.stderr.is_empty(), "{flags:?}: {}", stderr(&output));
    }
}

#[test]
fn a_folder_that_is_not_there_is_said_to_be() {
    let scratch = Scratch::new("folder");
    let output = run(&["run", "--dir", "/nowhere/at-all", &scratch.program()]);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("/nowhere/at-all"), "{}", stderr(&output));
}

#[test]
fn a_device_below_a_granted_directory_is_no_violation() {
    let scratch = Scratch::new("device");
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_tell" (func $tell (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "null")
        (func (export "_start") (local $errno i32)
            (local.set $errno (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 0)
                (i64.const 0x26) (i64.const 0) (i32.const 0) (i32.const 0)))
            (if (local.get $errno) (then (call $exit (local.get $errno))))
            (call $exit (call $tell (i32.load (i32.const 0)) (i32.const 8)))))"#;
    let program = scratch.file("device.wat", text.as_bytes());
    // A mount of the worker's own would have no devices.
    let output = run(&["run", "--without", "mountns", "--dir", "/dev", &program]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = run(&["run", "--dir", "/dev", &program]);
    assert_eq!(output.status.code(), Some(2), "it is not opened: {}", stderr(&output));
}

#[test]
fn the_examples_run() {
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello.wat");
    let output = run(&["run", hello.to_str().unwrap()]);
    assert_eq!(stdout(&output), "hello from the pinfold\n");
}
