//! `--audit`, `--trace`, `--learn`, `--policy`: what a program asks of its host, and what it is granted by a file.

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
fn place(name: &str) -> (Scratch, String) {
    let scratch = Scratch::new(name);
    for directory in ["data", "out", "unused"] {
        std::fs::create_dir_all(scratch.0.join(directory)).unwrap();
    }
    scratch.file("data/x.txt", b"hello\n");
    let program = scratch.file("asks.wat", WORKER.as_bytes());
    (scratch, program)
}

/// Runs with those directories granted as they are needed, and these flags.
fn asks(scratch: &Scratch, flags: &[&str], program: &str) -> Output {
    let dirs = ["data::/data", "out::/out:rw", "unused::/unused:rw"];
    let dirs = dirs.map(|dir| scratch.0.join(dir).display().to_string());
    let mut command = pinfold(&["run", "--env", "LANG=C", "--env", "PATH"]);
    for dir in &dirs {
        command.args(["--dir", dir]);
    }
    command.args(flags).arg(program).output().unwrap()
}

fn path(scratch: &Scratch, name: &str) -> String {
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
fn the_learned_policy_is_the_least_that_the_run_needed() {
    let (scratch, program) = place("learn");
    let (policy, again) = (path(&scratch, "policy.toml"), path(&scratch, "again.toml"));
    let output = asks(&scratch, &["--learn", &policy], &program);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = std::fs::read_to_string(&policy).unwrap();
    let expected = r#"
clock = true # imported, not used
random = true # used
stdin = false
console = true # used

# a change was wanted, and refused in this run
[[dir]]
host = "data"
guest = "/data"
rw = true

# changed, or tried to be
[[dir]]
host = "out"
guest = "/out"
rw = true

# All of them: a program reads its environment as a whole.
[env]
LANG = "C"
PATH = true

# With room for a quarter more than was used; time and stack are those of the run.
[limits]
timeout = 60
max_memory = "1MiB"
max_stack = "8MiB"
max_output = "64KiB"
"#;
    let (comment, rest) = text.split_once("\n\n").unwrap();
    assert_eq!(rest, expected.trim_start());
    assert!(comment.lines().all(|line| line.starts_with("# ")), "{comment}");
    // It is enough, wherever the command is run, and what is learned with it is nothing less.
    let mut command = pinfold(&["run", "--policy", &policy, "--learn", &again, &program]);
    let output = command.current_dir("/").output().unwrap();
    assert_eq!((output.status.code(), stdout(&output).len()), (Some(3), 32), "{}", stderr(&output));
    let again = std::fs::read_to_string(again).unwrap();
    let changed = |text: &str| text.replace("a change was wanted, and refused in this run", "changed, or tried to be");
    assert_eq!(again, changed(&text));
}

#[test]
fn a_policy_can_be_learned_anew_over_itself() {
    let scratch = Scratch::new("learn-over");
    let policy = scratch.file("policy.toml", b"clock = true\nrandom = true\nconsole = true\nstdin = true\n");
    let output = run(&["run", "--policy", &policy, "--learn", &policy, &scratch.program()]);
    let text = std::fs::read_to_string(&policy).unwrap();
    assert!(output.status.success() && text.contains("stdin = false\nconsole = true # used\n"), "{text}");
}

#[test]
fn nothing_is_learned_from_a_worker_that_is_none() {
    let (scratch, program) = place("learn-nothing");
    let policy = scratch.file("policy.toml", b"clock = true\n");
    let mut command = pinfold(&["run", "--learn", &policy, &program]);
    let output = command.env("PINFOLD_WORKER", "/bin/true").output().unwrap();
    assert!(stderr(&output).contains("no policy was learned"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), "clock = true\n");
}

#[test]
fn learning_is_the_same_every_time() {
    let (scratch, program) = place("learn-again");
    let policy = path(&scratch, "policy.toml");
    let learn = || {
        asks(&scratch, &["--learn", &policy, "--fuel", "100000"], &program);
        std::fs::read_to_string(&policy).unwrap()
    };
    let first = learn();
    assert!(first.contains("\nfuel = "), "{first}");
    for _ in 0..5 {
        assert_eq!(learn(), first);
    }
}

#[test]
fn what_was_refused_is_learned_as_wanted() {
    let (scratch, program) = place("learn-wanted");
    let policy = path(&scratch, "policy.toml");
    let run = |flags: &[&str]| {
        let output = pinfold(&["run", "--none", "--learn", &policy]).args(flags).arg(&program).output().unwrap();
        (output.status.code(), std::fs::read_to_string(&policy).unwrap())
    };
    // Refused before it ran: all that is known is what it imports.
    let (code, text) = run(&[]);
    assert!(code == Some(125) && text.contains("\nclock = true # wanted, and refused in this run\n"), "{text}");
    assert!(text.contains("random = true # wanted") && text.contains("console = false\n"), "{text}");
    // Let through: what it called until it trapped.
    let (code, text) = run(&["--trap-unknown-imports"]);
    assert!(code == Some(134) && text.contains("clock = false\nrandom = true # wanted"), "{text}");
    assert!(text.contains("trap_unknown_imports = true\n"), "{text}");
    // What it writes is discarded.
    let output = pinfold(&["run", "--none", "--learn", &policy, &scratch.program()]).output().unwrap();
    let text = std::fs::read_to_string(&policy).unwrap();
    assert!(output.status.success() && text.contains("console = true # wanted, and refused in this run\n"), "{text}");
}

#[test]
fn a_limit_at_which_the_run_ended_is_learned_as_it_was() {
    let scratch = Scratch::new("learn-limit");
    let policy = path(&scratch, "policy.toml");
    for (flags, line) in [
        (["--fuel", "1000"], "fuel = 1000 # the run ended at this limit"),
        (["--timeout", "0.1"], "timeout = 0.1 # the run ended at this limit"),
    ] {
        let program = scratch.program();
        pinfold(&["run", "--learn", &policy]).args(flags).args(["--invoke", "spin", &program]).output().unwrap();
        let text = std::fs::read_to_string(&policy).unwrap();
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_policy_grants_what_it_says_and_nothing_by_default() {
    let (scratch, program) = place("policy");
    let run = |policy: &str, flags: &[&str], program: &str| {
        let policy = scratch.file("policy.toml", policy.as_bytes());
        pinfold(&["run", "--policy", &policy]).args(flags).arg(program).output().unwrap()
    };
    let output = run("", &[], &program);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("random_get"), "{}", stderr(&output));
    let said = |output: &Output| (output.status.code(), stdout(output).len());
    let all = "clock = true\nrandom = true\nconsole = true\n";
    assert_eq!(said(&run(all, &[], &program)), (Some(3), 32));
    assert_eq!(said(&run("clock = true\nrandom = true\n", &[], &program)), (Some(3), 0));
    // Flags take away, add, and set other limits.
    assert_eq!(said(&run(all, &["--no-random"], &program)), (Some(125), 0));
    let flood = ["--invoke", "flood"];
    let limit = format!("{all}[limits]\nmax_output = 12\n");
    assert_eq!(said(&run(&limit, &flood, &scratch.program())), (Some(153), 12));
    assert_eq!(said(&run(&limit, &["--max-output", "18", "--invoke", "flood"], &scratch.program())), (Some(153), 18));
    let dir = format!("{all}[[dir]]\nhost = \"data\"\nguest = \"/data\"\nrw = true\n");
    let traced = |flags: &[&str]| stderr(&run(&dir, &[&["--trace"], flags].concat(), &program));
    let removes = |trace: &str, how: &str| trace.contains(&format!("(dir /data, {how}"));
    assert!(removes(&traced(&[]), "rw"));
    assert!(removes(&traced(&["--dir", &format!("{}::/data", path(&scratch, "data"))]), "ro"));
    assert_eq!(run(all, &["--none"], &program).status.code(), Some(2), "there is nothing by default to take away");
}

#[test]
fn variables_of_a_policy_and_of_flags_add_up() {
    let (scratch, program) = place("policy-env");
    let learned = path(&scratch, "learned.toml");
    let text = "clock = true\nrandom = true\n[env]\nLANG = \"C\"\nPATH = true\nA = \"1\"\n";
    let policy = scratch.file("policy.toml", text.as_bytes());
    let flags = ["--env", "A=2", "--env", "B=3", "--learn", &learned];
    pinfold(&["run", "--policy", &policy]).args(flags).arg(&program).output().unwrap();
    let learned = std::fs::read_to_string(learned).unwrap();
    assert!(learned.contains("[env]\nLANG = \"C\"\nPATH = true\nA = \"2\"\nB = \"3\"\n"), "{learned}");
}

#[test]
fn what_is_wrong_in_a_policy_is_said_with_its_place() {
    let scratch = Scratch::new("policy-wrong");
    let policy = scratch.file("policy.toml", b"clock = true\n\n[limits]\n  max_memroy = \"1GiB\"\n");
    for command in ["run", "explain"] {
        let output = run(&[command, "--policy", &policy, &scratch.program()]);
        let told = stderr(&output);
        assert!(
            told.contains(&format!("{policy}:4:3: unknown key \"max_memroy\"; did you mean \"max_memory\"?")),
            "{told}"
        );
        assert!(!output.status.success());
    }
    let output = run(&["run", "--policy", "/nowhere/at-all.toml", &scratch.program()]);
    assert!(
        output.status.code() == Some(125) && stderr(&output).contains("/nowhere/at-all.toml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_policy_is_explained() {
    let (scratch, program) = place("policy-explained");
    let text = "clock = true\n[[dir]]\nhost = \"data\"\n[limits]\nmax_memory = \"16MiB\"\n";
    let policy = scratch.file("policy.toml", text.as_bytes());
    let explained = stdout(&run(&["explain", "--policy", &policy, &program]));
    let data = std::fs::canonicalize(scratch.0.join("data")).unwrap();
    assert!(explained.contains(&format!("{} as /0 (read)", data.display())), "{explained}");
    assert!(explained.contains("clock_gettime") && !explained.contains("getrandom"), "{explained}");
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
    // Open at both ends, so that opening does not wait; nobody reads.
    let held = File::options().read(true).write(true).open(&fifo).unwrap();
    let start = Instant::now();
    let flags = ["--audit", &fifo, "--timeout", "0.3", "--invoke", "flood", &scratch.program()];
    let output = pinfold(&["run"]).args(flags).stdout(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(124), "{}", stderr(&output));
    assert!(start.elapsed() < Duration::from_secs(20));
    drop(held);
}

fn documentation(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The first example of a kind in a text.
fn example<'a>(text: &'a str, kind: &str) -> &'a str {
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
fn the_policy_in_the_documentation_is_one() {
    let (scratch, program) = place("policy-documented");
    let text = documentation("policy.md");
    let policy = scratch.file("policy.toml", example(&text, "toml").as_bytes());
    let explained = run(&["explain", "--policy", &policy, &program]);
    let told = stdout(&explained);
    assert!(explained.status.success(), "{}", stderr(&explained));
    for part in ["clock_gettime", "getrandom", "read and write", "api.example.com:443", "127.0.0.1:9000"] {
        assert!(told.contains(part), "{part}: {told}");
    }
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
