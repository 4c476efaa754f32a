//! `--audit` and `--trace`: what a program asks of its host.

use serde_json::Value;

use super::*;

/// Reads a file of the first directory; tries to remove it; makes one in the second; then asks for clock, random numbers and
/// environment, and says something. Its third directory it does not touch.
const WORKER: &str = r#"
(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\64\00\00\00\20\00\00\00")
  (data (i32.const 200) "x.txt")
  (data (i32.const 220) "\1b]0;evil\07")
  (func (export "_start")
    (drop (call $prestat (i32.const 5) (i32.const 600)))
    (drop (call $open (i32.const 3) (i32.const 1) (i32.const 200) (i32.const 5) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
    (drop (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 12)))
    (drop (call $open (i32.const 4) (i32.const 0) (i32.const 200) (i32.const 5) (i32.const 1)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 20)))
    (drop (call $write (i32.load (i32.const 20)) (i32.const 0) (i32.const 1) (i32.const 12)))
    (drop (call $unlink (i32.const 3) (i32.const 220) (i32.const 9)))
    (drop (call $environ (i32.const 300) (i32.const 400)))
    (drop (call $random (i32.const 300) (i32.const 16)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
    (call $exit (i32.const 3))))
"#;

/// A place with that program, and with directories for it.
pub fn place(name: &str) -> (Scratch, String) {
    let scratch = Scratch::new(name);
    for directory in ["data", "out", "unused"] {
        std::fs::create_dir_all(scratch.0.join(directory)).unwrap();
    }
    scratch.file("data/x.txt", b"hello\n");
    let program = scratch.file("asks.wat", WORKER.as_bytes());
    (scratch, program)
}

/// Runs with those directories granted as they are needed, and these flags.
pub fn asks(scratch: &Scratch, flags: &[&str], program: &str) -> Output {
    let dirs = ["data::/data", "out::/out:rw", "unused::/unused:rw"];
    let dirs = dirs.map(|dir| scratch.0.join(dir).display().to_string());
    let mut command = pinfold(&["run", "--env", "LANG=C", "--env", "PATH"]);
    for dir in &dirs {
        command.args(["--dir", dir]);
    }
    command.args(flags).arg(program).output().unwrap()
}

pub fn path(scratch: &Scratch, name: &str) -> String {
    scratch.0.join(name).display().to_string()
}

#[test]
fn an_audit_has_a_line_for_each_call() {
    let (scratch, program) = place("audit");
    let audit = scratch.file("audit.jsonl", b"of another run");
    for tier in TIERS {
        let output = asks(&scratch, &["--tier", tier, "--audit", &audit], &program);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let text = std::fs::read_to_string(&audit).unwrap();
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told: Vec<String> = lines
            .iter()
            .map(|line| {
                let field = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
                let (call, grant, access) = (field("call"), field("grant"), field("access"));
                format!("{call} [{grant}, {access}] {} {} {}", line["allowed"], field("errno"), line["gave"])
            })
            .collect();
        let expected = [
            "fd_prestat_get [dir /unused, rw] true - null",
            "path_open [dir /data, ro] true - {\"fd\":6}",
            "fd_read [dir /data, ro] true - {\"bytes\":6}",
            "path_open [dir /out, rw] true - {\"fd\":7}",
            "fd_write [dir /out, rw] true - {\"bytes\":32}",
            "path_unlink_file [dir /data, ro] false rofs null",
            "environ_get [env, -] true - null",
            "random_get [random, -] true - null",
            "fd_write [console, -] true - {\"bytes\":32}",
            "proc_exit [-, -] true - {\"code\":3}",
        ];
        assert_eq!(told, expected);
        for (line, seq) in lines.iter().zip(1..) {
            assert_eq!(line["seq"], seq);
            assert!(line["took_us"].as_f64().unwrap() > 0.0 && line["at_us"].is_u64(), "{line}");
        }
        assert_eq!(lines[2]["args"]["fd"], serde_json::json!({ "fd": 6, "grant": "dir /data", "path": "x.txt" }));
        assert_eq!(lines[5]["args"]["path"], "\u{1b}]0;evil\u{7}");
        assert!(lines[1]["args"].get("opened_fd").is_none(), "addresses mean nothing outside");
    }
}

#[test]
fn nothing_is_recorded_of_a_program_that_is_not_to_be() {
    let (scratch, program) = place("unrecorded");
    let report = path(&scratch, "report.json");
    let output = asks(&scratch, &["--report", &report], &program);
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert!(report["records"].is_null());
}

#[test]
fn a_trace_has_a_short_line_for_each_call() {
    let (scratch, program) = place("trace");
    let report = path(&scratch, "report.json");
    let traced = stderr(&asks(&scratch, &["--trace", "--report", &report], &program));
    let lines: Vec<&str> = traced.lines().map(|line| line.rsplit_once("  ").unwrap().0).collect();
    assert_eq!(
        lines,
        [
            "fd_prestat_get fd 5 (dir /unused, rw) = ok",
            r#"path_open dirflags 1 "x.txt" (dir /data, ro) read = ok fd 6"#,
            r#"fd_read fd 6 "x.txt" (dir /data, ro) = ok 6 bytes"#,
            r#"path_open "x.txt" (dir /out, rw) create write = ok fd 7"#,
            r#"fd_write fd 7 "x.txt" (dir /out, rw) = ok 32 bytes"#,
            r#"path_unlink_file "\u{1b}]0;evil\u{7}" (dir /data, ro) = rofs, refused"#,
            "environ_get (env) = ok",
            "random_get buf_len 16 (random) = ok",
            "fd_write fd 1 (console) = ok 32 bytes",
            "proc_exit code 3 = exit 3",
        ]
    );
    assert!(traced.lines().all(|line| line.ends_with(" µs")), "{traced}");
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["records"], serde_json::json!({ "calls": 10, "complete": true }));
}

#[test]
fn calls_of_what_was_let_through_are_recorded_as_refused() {
    let scratch = Scratch::new("through-trace");
    let text = r#"(module (import "en\1bv" "f" (func $f)) (func (export "_start") (call $f)))"#;
    let program = scratch.file("calls.wat", text.as_bytes());
    let output = run(&["run", "--trap-unknown-imports", "--trace", &program]);
    let traced = stderr(&output);
    assert!(traced.starts_with("en\\u{1b}v::f = not granted, refused"), "{traced}");
    assert_eq!(output.status.code(), Some(134));
}

#[test]
fn more_records_than_are_allowed_end_the_program() {
    let scratch = Scratch::new("max-audit");
    let (audit, report) = (path(&scratch, "audit.jsonl"), path(&scratch, "report.json"));
    let program = scratch.program();
    let flags = ["--audit", &audit, "--max-audit", "10000", "--report", &report];
    let output = pinfold(&["run"]).args(flags).args(["--invoke", "flood", &program]).output().unwrap();
    assert!(output.status.code() == Some(154) && stderr(&output).contains("--max-audit"), "{}", stderr(&output));
    let written = std::fs::metadata(&audit).unwrap().len();
    assert!((10_000..12_000).contains(&written), "{written}");
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!((&report["end"]["kind"], &report["records"]["complete"]), (&"unrecorded".into(), &false.into()));
}

#[test]
fn a_record_that_cannot_be_written_ends_the_program() {
    let scratch = Scratch::new("full");
    for export in ["flood", "add"] {
        let mut command = pinfold(&["run", "--audit", "/dev/full", "--invoke", export, &scratch.program()]);
        if export == "add" {
            // It asks for nothing, so that there is nothing to record.
            command.args(["1", "2"]);
        }
        let output = command.output().unwrap();
        let expected = if export == "add" { Some(0) } else { Some(154) };
        assert_eq!(output.status.code(), expected, "{export}: {}", stderr(&output));
    }
}

#[test]
fn a_deadline_holds_while_nobody_takes_the_records() {
    let scratch = Scratch::new("slow-audit");
    let fifo = path(&scratch, "fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Open at both ends, so that opening does not wait; nobody reads, and there is no room for a single line.
    let mut held = File::options().read(true).write(true).open(&fifo).unwrap();
    rustix::io::ioctl_fionbio(&held, true).unwrap();
    while held.write(b"x").is_ok() {}
    for (export, code) in [("flood", 124), ("_start", 154)] {
        let start = Instant::now();
        let flags = ["--audit", &fifo, "--timeout", "0.3", "--invoke", export, &scratch.program()];
        let output = pinfold(&["run"]).args(flags).stdout(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{export}: {}", stderr(&output));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

/// Whether a process is there and not a zombie.
fn is_alive(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim_start().starts_with('Z'))
}

#[test]
fn ctrl_c_ends_waiting_for_whoever_takes_the_records() {
    let scratch = Scratch::new("stuck-audit");
    let fifo = path(&scratch, "fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut held = File::options().read(true).write(true).open(&fifo).unwrap();
    rustix::io::ioctl_fionbio(&held, true).unwrap();
    while held.write(b"x").is_ok() {}
    let mut command = pinfold(&["run", "--audit", &fifo, "--timeout", "0", &scratch.program()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let worker = wait_until_running(child.id());
    while is_alive(worker) {
        std::thread::yield_now();
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(154));
}

pub fn documentation(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The first example of a kind in a text.
pub fn example<'a>(text: &'a str, kind: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("```{kind}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The names of all fields, those of objects within objects with their path.
fn shape(value: &Value) -> Vec<String> {
    let inner = |(key, value): (&String, &Value)| {
        let below = shape(value).into_iter().map(move |below| format!("{key}.{below}"));
        [key.clone()].into_iter().chain(below.collect::<Vec<_>>())
    };
    value.as_object().map(|object| object.iter().flat_map(inner).collect()).unwrap_or_default()
}

#[test]
fn the_records_in_the_documentation_look_like_real_ones() {
    let (scratch, program) = place("records-documented");
    let text = documentation("records.md");
    let (audit, report) = (path(&scratch, "audit.jsonl"), path(&scratch, "report.json"));
    let (_, after) = text.split_once("## `--audit").unwrap();
    asks(&scratch, &["--audit", &audit], &program);
    let line = std::fs::read_to_string(&audit).unwrap().lines().nth(2).unwrap().to_owned();
    let [documented, real] = [example(after, "json"), &line].map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(shape(&documented), shape(&real));
    let program = scratch.program();
    run(&["run", "--without", "netns", "--audit", &audit, "--report", &report, "--invoke", "trap", &program]);
    let real = std::fs::read_to_string(&report).unwrap();
    let [documented, real] = [example(&text, "json"), &real].map(|text| serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(shape(&documented), shape(&real));
    for kind in ["message", "trap"] {
        assert_eq!(documented["end"][kind], real["end"][kind]);
    }
}
