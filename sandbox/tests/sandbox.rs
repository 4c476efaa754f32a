//! Closures and programs in a sandbox. Without the usual harness: a sandbox is made by a process with one thread.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use pinfold_sandbox::{Access, Sandbox, SandboxError, Verdict, groups};

fn main() {
    let tests: &[(&str, fn())] = &[
        ("a_value_comes_back", a_value_comes_back),
        ("what_is_not_allowed_is_told_by_name", what_is_not_allowed_is_told_by_name),
        ("time_and_output_are_bounded", time_and_output_are_bounded),
        ("memory_is_bounded", memory_is_bounded),
        ("a_panic_is_an_exit_code", a_panic_is_an_exit_code),
        ("only_allowed_directories_are_there", only_allowed_directories_are_there),
        ("there_is_no_network", there_is_no_network),
        ("a_program_runs_and_nothing_else_is_there", a_program_runs_and_nothing_else_is_there),
        ("what_cannot_be_run_is_told", what_cannot_be_run_is_told),
        ("nothing_is_left", nothing_is_left),
        ("threads_are_an_error", threads_are_an_error),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    for (name, test) in tests {
        // Other words are values of a test runner's flags.
        if !wanted.iter().any(|word| word.contains('_')) || wanted.iter().any(|word| name.contains(word.as_str())) {
            test();
            println!("test {name} ... ok");
        }
    }
}

fn verdict(sandbox: &Sandbox, work: impl FnOnce() -> Vec<u8>) -> Verdict {
    sandbox.run(work).unwrap().verdict
}

fn a_value_comes_back() {
    let text = "x".repeat(100_000);
    let outcome = Sandbox::new().run(|| {
        print!("out");
        eprint!("err");
        std::io::stdout().flush().unwrap();
        text.bytes().rev().collect()
    });
    let outcome = outcome.unwrap();
    assert_eq!(outcome.verdict, Verdict::Exited(0));
    assert_eq!(outcome.value.len(), 100_000);
    assert_eq!((outcome.output.as_slice(), outcome.errors.as_slice()), (&b"out"[..], &b"err"[..]));
}

fn what_is_not_allowed_is_told_by_name() {
    type Attempt = (&'static str, fn() -> Vec<u8>);
    let attempts: [Attempt; 3] = [
        ("openat", || fs::read("/etc/passwd").unwrap_or_default()),
        ("socket", || TcpStream::connect("127.0.0.1:9").map_or(Vec::new(), |_| Vec::new())),
        // SAFETY: a plain call.
        ("kill", || vec![unsafe { libc::kill(1, 9) } as u8]),
    ];
    for (name, attempt) in attempts {
        match verdict(&Sandbox::new(), attempt) {
            Verdict::Violation(call) => assert_eq!(call.name.as_deref(), Some(name)),
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn time_and_output_are_bounded() {
    let start = Instant::now();
    let ends = |sandbox: Sandbox, work: fn() -> Vec<u8>| verdict(&sandbox, work);
    let forever = || loop {
        std::hint::spin_loop();
    };
    assert_eq!(ends(Sandbox::new().timeout(Duration::from_millis(200)), forever), Verdict::Timeout);
    let flood = || loop {
        let _ = std::io::stdout().write_all(&[b'x'; 4096]);
    };
    assert_eq!(ends(Sandbox::new().output(100_000), flood), Verdict::Output);
    assert_eq!(ends(Sandbox::new().output(1000), || vec![0; 1001]), Verdict::Output);
    assert!(start.elapsed() < Duration::from_secs(9));
}

fn memory_is_bounded() {
    let work = || {
        let mut all: Vec<Vec<u8>> = Vec::new();
        loop {
            all.push(vec![1; 1 << 20]);
        }
    };
    let verdict = verdict(&Sandbox::new().memory(64 << 20), work);
    assert!(matches!(verdict, Verdict::OutOfMemory | Verdict::Signalled(_) | Verdict::Violation(_)), "{verdict:?}");
}

fn a_panic_is_an_exit_code() {
    std::panic::set_hook(Box::new(|_| {}));
    let ended = verdict(&Sandbox::new(), || panic!("inside"));
    let _ = std::panic::take_hook();
    assert_eq!(ended, Verdict::Exited(101));
}

fn only_allowed_directories_are_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inside"), "granted").unwrap();
    let files = Sandbox::new().allow(groups::READ_FILES.iter().copied()).allow(groups::WRITE_FILES.iter().copied());
    let path = folder.path().join("inside");
    let read = |sandbox: &Sandbox, path: &Path| sandbox.run(|| fs::read(path).unwrap_or_default()).unwrap().value;
    let write = |sandbox: &Sandbox| sandbox.run(|| vec![u8::from(fs::write(&path, "changed").is_ok())]).unwrap().value;
    assert_eq!(read(&files, &path), b"");
    let readable = files.clone().directory(folder.path(), Access::Read);
    assert_eq!(read(&readable, &path), b"granted");
    assert_eq!(read(&readable, "/etc/hostname".as_ref()), b"");
    assert_eq!(write(&readable), [0]);
    assert_eq!(write(&files.directory(folder.path(), Access::Write)), [1]);
    assert_eq!(fs::read(path).unwrap(), b"changed");
    let missing = Sandbox::new().directory("/nowhere", Access::Read).run(Vec::new);
    assert!(matches!(missing, Err(SandboxError::Directory { .. })));
}

fn there_is_no_network() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let allowed = Sandbox::new().allow(["socket", "connect", "close", "poll"]);
    let work = || vec![u8::from(TcpStream::connect(address).is_ok())];
    assert_eq!(allowed.run(work).unwrap().value, [0]);
}

/// What programs are made of.
fn with_programs() -> Sandbox {
    let places = ["/usr", "/bin", "/lib", "/lib64"].into_iter().filter(|path| Path::new(path).exists());
    places.fold(Sandbox::new(), |sandbox, path| sandbox.directory(path, Access::Run))
}

fn a_program_runs_and_nothing_else_is_there() {
    let outcome = with_programs().execute("/bin/cat", ["/etc/passwd"]).unwrap();
    assert_eq!(outcome.verdict, Verdict::Exited(1), "{}", String::from_utf8_lossy(&outcome.errors));
    assert!(String::from_utf8_lossy(&outcome.errors).contains("No such file"));
    let outcome = with_programs().execute("/bin/ls", ["/usr"]).unwrap();
    let seen = String::from_utf8_lossy(&outcome.output).into_owned();
    assert!(outcome.verdict == Verdict::Exited(0) && seen.contains("bin\n"), "{seen}");
}

fn what_cannot_be_run_is_told() {
    let missing = with_programs().execute("/bin/nothing-of-that-name", [""]);
    assert!(matches!(missing, Err(SandboxError::NotStarted(_))), "{missing:?}");
    let folder = tempfile::tempdir().unwrap();
    fs::copy("/bin/true", folder.path().join("true")).unwrap();
    let sandbox = with_programs().directory(folder.path(), Access::Read);
    let forbidden = sandbox.execute(folder.path().join("true"), [""]);
    assert!(matches!(forbidden, Err(SandboxError::NotStarted(_))), "{forbidden:?}");
    assert!(matches!(Sandbox::new().allow(["no_such_call"]).run(Vec::new), Err(SandboxError::Syscall(_))));
}

fn nothing_is_left() {
    let count = || fs::read_dir("/proc/self/fd").unwrap().count();
    let (mounts, before) = (fs::read_to_string("/proc/self/mountinfo").unwrap(), count());
    for _ in 0..20 {
        Sandbox::new().run(Vec::new).unwrap();
    }
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), mounts);
    assert_eq!(count(), before);
    let mut children = String::new();
    let path = format!("/proc/self/task/{}/children", std::process::id());
    fs::File::open(path).unwrap().read_to_string(&mut children).unwrap();
    assert_eq!(children, "");
}

fn threads_are_an_error() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || wait.recv());
    assert!(matches!(Sandbox::new().run(Vec::new), Err(SandboxError::Threads(2))));
    drop(go);
    let _ = other.join();
}
