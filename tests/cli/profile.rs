//! `--profile` and `--trace-tiers`: where a program's time goes, and what the tiers do about it.

use std::collections::HashMap;

use serde_json::Value;

use super::*;

/// `$hot` does a hundred times the work of `$cold`.
const WORK: &str = r#"
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $work (param i32) (result i32) (local i32)
    (loop (local.set 1 (i32.xor (i32.mul (local.get 1) (i32.const 0x9e3779b1)) (local.get 0)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func $hot (result i32) (i32.add (i32.const 1) (call $work (i32.const 10000))))
  (func $cold (result i32) (i32.add (i32.const 1) (call $work (i32.const 100))))
  (func $turns (export "turns") (param i32)
    (loop (drop (call $hot)) (drop (call $cold))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "exits") (param i32) (call $turns (local.get 0)) (call $exit (i32.const 7)))
  (func (export "traps") (param i32) (call $turns (local.get 0)) (unreachable)))
"#;

/// The same in Fold. The lines of `hot` are 2 to 8.
const FOLD: &str = "
fn hot(times: Int) -> Int {
    var sum = 0
    for i in 0..times {
        sum = (sum * 31 + i) % 1000003
    }
    sum
}

fn cold(times: Int) -> Int {
    var sum = 1
    for i in 0..times {
        sum = (sum * 37 + i) % 1000003
    }
    sum
}

fn main(out: Console) {
    var all = 0
    for _ in 0..TURNS {
        all = all + hot(100000) + cold(1000)
    }
    out.print(\"{all % 2 >= 0}\")
}
";

/// A profile, as its file says.
struct Profile(Value);

impl Profile {
    fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        let profile: Value = serde_json::from_str(&text).unwrap();
        let list = |name: &str| profile[name].as_array().unwrap().len();
        assert_eq!(list("samples"), list("timeDeltas"));
        assert!(profile["startTime"].is_u64() && profile["endTime"].is_u64());
        let frame = &profile["nodes"][0]["callFrame"];
        assert_eq!((&frame["functionName"], &profile["nodes"][0]["id"]), (&"(root)".into(), &1.into()));
        Self(profile)
    }

    /// The names on the way to each node, by its number.
    fn paths(&self) -> HashMap<u64, Vec<String>> {
        let mut paths: HashMap<u64, Vec<String>> = HashMap::from([(1, Vec::new())]);
        for node in self.0["nodes"].as_array().unwrap() {
            // Each comes after the one that leads to it.
            let mut path = paths[&node["id"].as_u64().unwrap()].clone();
            path.push(node["callFrame"]["functionName"].as_str().unwrap().to_owned());
            for child in node["children"].as_array().unwrap() {
                assert!(paths.insert(child.as_u64().unwrap(), path.clone()).is_none());
            }
            paths.insert(node["id"].as_u64().unwrap(), path);
        }
        paths
    }

    /// The share of the time whose stacks are such.
    fn share(&self, is: impl Fn(&[String]) -> bool) -> f64 {
        let paths = self.paths();
        let number = |value: &Value| value.as_u64().unwrap();
        let [samples, deltas] = ["samples", "timeDeltas"].map(|name| self.0[name].as_array().unwrap());
        // What is at a point of time runs until the next one.
        let spans: Vec<(u64, u64)> = samples.iter().map(number).zip(deltas.iter().skip(1).map(number)).collect();
        let all: u64 = spans.iter().map(|(_, micros)| micros).sum();
        assert_eq!(all, number(&self.0["endTime"]));
        let those = spans.iter().filter(|(node, _)| is(&paths[node])).map(|(_, micros)| micros).sum::<u64>();
        those as f64 / all as f64
    }

    /// The share of a function and of what it calls.
    fn within(&self, name: &str) -> f64 {
        self.share(|path| path.iter().any(|at| at == name))
    }
}

/// A place, and the names of a program and of a profile in it.
fn place(name: &str, file: &str, text: &str) -> (Scratch, String, String) {
    let scratch = Scratch::new(name);
    let program = scratch.file(file, text.as_bytes());
    let profile = scratch.0.join("out.cpuprofile").display().to_string();
    (scratch, program, profile)
}

/// How often to do that work, such that it takes a while.
fn turns(tier: &str) -> &'static str {
    if tier == "interpreter" { "3000" } else { "10000" }
}

#[test]
fn most_of_the_time_is_where_the_work_is_done() {
    let (_scratch, program, file) = place("profile-wasm", "work.wat", WORK);
    for tier in TIERS {
        let args = ["run", "--tier", tier, "--profile", &file, "--invoke", "turns", &program, turns(tier)];
        let output = run(&args);
        assert!(output.status.success() && output.stderr.is_empty(), "{tier}: {}", stderr(&output));
        let profile = Profile::read(&file);
        let (hot, cold) = (profile.within("hot"), profile.within("cold"));
        assert!(hot > 0.75 && cold < 0.2, "{tier}: {hot} {cold}");
        let whole = profile.share(|path| path == ["(root)", "turns", "hot", "work"]);
        assert!(whole > 0.7, "{tier}: {whole}");
        let frame = &profile.0["nodes"][1]["callFrame"];
        assert!(frame["url"].as_str().unwrap().ends_with("work.wat") && frame["lineNumber"] == 0, "{frame}");
        assert!(frame["columnNumber"].as_i64().unwrap() > 0, "where it is in its module");
    }
}

#[test]
fn time_in_fold_is_that_of_lines_of_its_source() {
    for (tier, turns) in [("interpreter", "20"), ("jit", "200"), ("auto", "200")] {
        let (_scratch, program, file) = place("profile-fold", "work.fold", &FOLD.replace("TURNS", turns));
        let output = run(&["run", "--tier", tier, "--profile", &file, &program]);
        assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("true\n", ""), "{tier}");
        let profile = Profile::read(&file);
        let (hot, cold) = (profile.within("hot"), profile.within("cold"));
        assert!(hot > 0.75 && cold < 0.2, "{tier}: {hot} {cold}");
        let nodes = profile.0["nodes"].as_array().unwrap();
        let hot: Vec<&Value> = nodes.iter().filter(|node| node["callFrame"]["functionName"] == "hot").collect();
        let mut ticks = 0;
        for node in &hot {
            let frame = &node["callFrame"];
            assert!(frame["url"].as_str().unwrap().ends_with("work.fold"), "{frame}");
            assert!((1..=7).contains(&frame["lineNumber"].as_i64().unwrap()), "it is there: {frame}");
            for line in node["positionTicks"].as_array().into_iter().flatten() {
                assert!((2..=8).contains(&line["line"].as_u64().unwrap()), "{node}");
                ticks += line["ticks"].as_u64().unwrap();
            }
        }
        assert!(!hot.is_empty() && ticks > 0, "{tier}: {nodes:?}");
    }
}

#[test]
fn however_a_program_ends_there_is_a_profile() {
    let (scratch, program, file) = place("profile-ends", "work.wat", WORK);
    let other = scratch.program();
    for tier in TIERS {
        for (export, code) in [("exits", 7), ("traps", exit::TRAP)] {
            let args = ["run", "--tier", tier, "--profile", &file, "--invoke", export, &program, turns(tier)];
            assert_eq!(run(&args).status.code(), Some(code.into()));
            let hot = Profile::read(&file).within("hot");
            assert!(hot > 0.75, "{tier}: {export}: {hot}");
        }
        let limits = ["--timeout", "0.5", "--profile", &file, "--tier", tier, "--invoke"];
        let args = [&["run"], &limits[..], &["spin", &other]].concat();
        assert_eq!(run(&args).status.code(), Some(exit::TIMEOUT.into()));
        let spin = Profile::read(&file).within("spin");
        assert!(spin > 0.9, "{tier}: {spin}");
        // It waits for what never comes: the function of the host is where the time goes.
        let args = [&["run"], &limits[..], &["wait", &other]].concat();
        let mut child = pinfold(&args).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // As long as that is open.
        let input = child.stdin.take();
        assert_eq!(child.wait().unwrap().code(), Some(exit::TIMEOUT.into()));
        drop(input);
        let waits = Profile::read(&file).share(|path| path == ["(root)", "wait", "wasi_snapshot_preview1.fd_read"]);
        assert!(waits > 0.9, "{tier}: {waits}");
    }
}

#[test]
fn granted_nothing_a_program_is_profiled_too() {
    let (_scratch, program, file) = place(
        "profile-none",
        "work.wat",
        &WORK.replace(
            "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))",
            "(func $exit (param i32))",
        ),
    );
    for tier in TIERS {
        let args = ["run", "--none", "--fuel", "100000000000", "--tier", tier, "--profile", &file, "--invoke", "turns"];
        let output = run(&[&args[..], &[&program, turns(tier)]].concat());
        assert!(output.status.success(), "{tier}: {}", stderr(&output));
        let hot = Profile::read(&file).within("hot");
        assert!(hot > 0.75, "{tier}: {hot}");
    }
}

#[test]
fn a_program_that_did_not_run_has_no_profile() {
    let text = r#"(module (import "env" "f" (func)) (func (export "_start")))"#;
    let (scratch, program, file) = place("profile-no", "refused.wat", text);
    scratch.file("out.cpuprofile", b"of another run");
    let output = run(&["run", "--profile", &file, &program]);
    assert_eq!(output.status.code(), Some(exit::REFUSED.into()));
    assert!(stderr(&output).contains("there is no profile: the program did not run"), "{}", stderr(&output));
    assert_eq!(std::fs::read(&file).unwrap(), b"", "what was there is not of this run");
    let output = run(&["run", "--profile", "-", &program]);
    assert!(stderr(&output).contains("standard output is the program's"), "{}", stderr(&output));
    let output = run(&["run", "--profile", &scratch.0.join("no/out").display().to_string(), &program]);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("cannot write"), "{}", stderr(&output));
}

#[test]
fn what_the_tiers_do_is_told_in_lines_and_as_json() {
    let (scratch, program, _) = place("tiers", "work.wat", WORK);
    let turns = ["--invoke", "turns", &program, "20000"];
    let output = run(&[&["run", "--trace-tiers"], &turns[..]].concat());
    assert!(output.status.success());
    let told = stderr(&output);
    let has = |start: &str| told.lines().any(|line| line.starts_with(start));
    for start in ["hot: function 1 work, ", "compiled: function 1 work, ", "entered: function "] {
        assert!(has(start), "{start}: {told}");
    }
    let file = scratch.0.join("tiers.jsonl").display().to_string();
    let output = run(&[&["run", &format!("--trace-tiers={file}")], &turns[..]].concat());
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| lines.iter().find(|line| line["event"] == event && line["name"] == "work");
    let compiled = of("compiled").unwrap_or_else(|| panic!("{text}"));
    assert!(compiled["function"] == 1 && compiled["code_bytes"].as_u64() > Some(0), "{compiled}");
    assert!(of("hot").is_some_and(|hot| hot["heat"].is_string()), "{text}");
    assert!(lines.iter().any(|line| line["event"] == "entered" && line["loop"].is_u64()), "{text}");
    // Nobody asked.
    let output = run(&[&["run"], &turns[..]].concat());
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn code_that_an_earlier_run_left_is_told_of() {
    let (scratch, program, _) = place("tiers-kept", "work.wat", WORK);
    let cache = scratch.0.join("cache");
    let told = || {
        let args = ["run", "--trace-tiers", "--invoke", "turns", &program, "20000"];
        stderr(&pinfold(&args).env("PINFOLD_CACHE", &cache).output().unwrap())
    };
    let (first, second) = (told(), told());
    assert!(!first.contains("kept: ") && first.contains("compiled: function 1 work"), "{first}");
    let kept = second.lines().find(|line| line.starts_with("kept: ")).unwrap_or_else(|| panic!("{second}"));
    assert_ne!(kept, "kept: 0 functions, 0 loops");
    // It comes while the program runs, which may stand in a loop already.
    let again = |line: &str| line.starts_with("compiled: function 1 work,") && !line.contains(", loop ");
    assert!(!second.lines().any(again), "{second}");
}

#[test]
fn what_the_tiers_do_is_no_record_of_calls() {
    let (scratch, program, _) = place("tiers-report", "work.wat", WORK);
    let report = scratch.0.join("report.json").display().to_string();
    let output = run(&["run", "--trace-tiers", "--report", &report, "--invoke", "exits", &program, "1000"]);
    assert!(!stderr(&output).contains("proc_exit"), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert!(report["records"].is_null(), "{report}");
    // More than may be written ends it.
    let output = run(&["run", "--trace-tiers", "--tier", "jit", "--max-audit", "10", &program]);
    assert_eq!(output.status.code(), Some(154), "{}", stderr(&output));
}
