//! The process that compiles for a worker.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout};

use super::*;

/// Prints a line once it is hot, and then turns for as long as it is let.
const ENDLESS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "hot\n") (data (i32.const 0) "\10\00\00\00\04\00\00\00")
    (func $work (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
    (func (export "_start") (local i32 i32)
        (loop
            (local.set 1 (i32.add (local.get 1) (call $work (local.get 0))))
            (if (i32.eq (local.get 0) (i32.const 5000000))
                (then (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
            (local.set 0 (i32.add (local.get 0) (i32.const 1)))
            (br 0))))"#;

/// A run of it, and what it prints.
fn endless(scratch: &Scratch, flags: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let program = scratch.file("endless.wat", ENDLESS.as_bytes());
    let mut command = pinfold(&[&["run", "--timeout", "120"], flags, &[&program]].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// The children of a process, and what each is called.
fn children(of: u32) -> Vec<(i32, String)> {
    let list = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let name = |pid: i32| std::fs::read(format!("/proc/{pid}/cmdline")).ok().map(|text| (pid, text));
    let all = list.split_whitespace().filter_map(|pid| name(pid.parse().unwrap()));
    all.map(|(pid, text)| (pid, String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned())).collect()
}

fn child(of: u32, name: &str) -> i32 {
    let all = children(of);
    all.iter().find(|(_, other)| other == name).unwrap_or_else(|| panic!("no {name} among {all:?}")).0
}

fn interrupt(child: Child) -> Output {
    // SAFETY: a process of ours.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    child.wait_with_output().unwrap()
}

#[test]
fn nobody_can_both_write_code_and_run_it() {
    let scratch = Scratch::new("compiler-maps");
    let (run, mut output) = endless(&scratch, &[]);
    output.read_line(&mut String::new()).unwrap();
    let maps = |name| {
        let of = child(run.id(), name);
        match std::fs::read_to_string(format!("/proc/{of}/maps")) {
            Ok(maps) => Some(maps),
            // What nobody may trace only root can look at.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
            Err(error) => panic!("{name}: {error}"),
        }
    };
    let [worker, compiler] = ["pinfold-worker", "pinfold-compiler"].map(maps);
    interrupt(run);
    let is_root = rustix::process::geteuid().is_root();
    let (Some(worker), Some(compiler)) = (worker, compiler) else { return assert!(!is_root) };
    let rights = |maps: &str| -> Vec<String> {
        let of_code = maps.lines().filter(|line| line.contains("pinfold-code"));
        of_code.map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!((rights(&worker), rights(&compiler)), (vec!["r-xs".to_owned()], vec!["rw-s".to_owned()]));
    for maps in [worker, compiler] {
        assert!(!maps.lines().any(|line| line.contains("wx")), "{maps}");
    }
}

#[test]
fn a_program_outlives_its_compiler() {
    let scratch = Scratch::new("compiler-killed");
    let (run, mut output) = endless(&scratch, &[]);
    output.read_line(&mut String::new()).unwrap();
    let compiler = child(run.id(), "pinfold-compiler");
    // SAFETY: a process of a process of ours.
    assert_eq!(unsafe { libc::kill(compiler, libc::SIGKILL) }, 0);
    // Its maker does not wait for it before the run is over.
    let it = rustix::process::Pid::from_raw(compiler).unwrap();
    let process = rustix::process::pidfd_open(it, rustix::process::PidfdFlags::empty()).unwrap();
    let mut ends = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut ends, None).unwrap();
    assert_eq!(children(run.id()).iter().filter(|(_, name)| name == "pinfold-worker").count(), 1);
    let ended = interrupt(run);
    let text = stderr(&ended);
    assert!(text.contains("the compiler stopped") && text.contains("SIGTERM"), "{text}");
}

#[test]
fn there_is_one_only_where_it_is_wanted() {
    let scratch = Scratch::new("compiler-none");
    let (run, mut output) = endless(&scratch, &["--tier", "interpreter"]);
    output.read_line(&mut String::new()).unwrap();
    let names: Vec<_> = children(run.id()).into_iter().map(|(_, name)| name).collect();
    interrupt(run);
    assert_eq!(names, ["pinfold-worker"]);
}

#[test]
fn how_it_is_confined_is_explained() {
    let explain = |flags: &[&str]| stdout(&pinfold(&[&["explain"], flags, &["x.wasm"]].concat()).output().unwrap());
    let told = explain(&[]);
    assert!(told.contains("\nCompiler\n") && told.contains("7 system calls; any other ends it"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 120), "{told}");
    assert!(!explain(&["--tier", "interpreter"]).contains("Compiler"));
    assert!(explain(&["--json"]).contains("\"compiler\": {"));
}

/// It is in the same cgroup, if there is one, and gone with its worker.
#[test]
fn nothing_is_left_of_it() {
    let scratch = Scratch::new("compiler-gone");
    let (run, mut output) = endless(&scratch, &[]);
    output.read_line(&mut String::new()).unwrap();
    let [worker, compiler] = ["pinfold-worker", "pinfold-compiler"].map(|name| child(run.id(), name));
    let [first, second] = [worker, compiler].map(|pid| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap());
    assert_eq!(first, second);
    // SAFETY: a process of ours, which takes both along.
    unsafe { libc::kill(run.id() as i32, libc::SIGKILL) };
    run.wait_with_output().unwrap();
    for pid in [worker, compiler] {
        // SAFETY: no signal is sent.
        while unsafe { libc::kill(pid, 0) } == 0 {
            std::thread::yield_now();
        }
    }
}
