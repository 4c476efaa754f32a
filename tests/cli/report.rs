//! `--report`: one document for every end of a run.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::*;

/// Runs with a report: the exit code, and what is in it.
fn reported(scratch: &Scratch, args: &[&str]) -> (Option<i32>, Value) {
    let file = scratch.0.join("report.json");
    let _ = std::fs::remove_file(&file);
    let output = pinfold(&["run", "--report", file.to_str().unwrap()]).args(args).output().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    (output.status.code(), serde_json::from_str(&text).unwrap())
}

/// The fields of an object.
fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_end_has_its_kind() {
    let scratch = Scratch::new("kinds");
    let program = scratch.program();
    let broken = scratch.file("broken.wasm", b"\0asm....");
    for (args, code, kind) in [
        (&["--invoke", "exit", &program, "7"][..], 7, "exit"),
        (&["--invoke", "trap", &program], 134, "trap"),
        (&["--invoke", "deep", &program], 134, "trap"),
        (&["--fuel", "1000", "--invoke", "spin", &program], 152, "fuel"),
        (&["--timeout", "0.05", "--invoke", "spin", &program], 124, "timeout"),
        (&["--invoke", "grow", &program], 137, "memory"),
        (&["--max-output", "100", "--invoke", "flood", &program], 153, "output"),
        (&["--invoke", "nowhere", &program], 125, "refused"),
        (&["--env", "PINFOLD_TEST_NOT_SET", &program], 125, "not_started"),
        (&["--dir", "/nowhere/at-all", &program], 125, "not_started"),
        (&["/nowhere/at-all.wasm"], 126, "not_a_module"),
        (&[&broken], 126, "not_a_module"),
    ] {
        let (exit, report) = reported(&scratch, args);
        assert_eq!((exit, &report["exit_code"]), (Some(code), &code.into()), "{report:#}");
        assert_eq!((&report["end"]["kind"], &report["version"]), (&kind.into(), &1.into()), "{report:#}");
        assert_eq!(report["end"]["message"].is_null(), kind == "exit", "{report:#}");
        assert_eq!(
            fields(&report),
            ["end", "exit_code", "layers", "limits", "pinfold", "program", "records", "used", "version"]
        );
    }
}

#[test]
fn a_trap_is_reported_with_its_kind_and_stack() {
    let scratch = Scratch::new("reported-trap");
    let (_, report) = reported(&scratch, &["--invoke", "trap", &scratch.program()]);
    assert_eq!(report["end"]["trap"], "unreachable");
    let frames = report["end"]["stack"]["frames"].as_array().unwrap();
    assert!(frames[0].as_str().unwrap().starts_with("inner at 0x"), "{report:#}");
    assert!(frames[1].as_str().unwrap().starts_with("outer at 0x"), "{report:#}");
}

#[test]
fn refused_imports_are_listed() {
    let scratch = Scratch::new("reported-imports");
    let text = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
        (import "\1b[31mevil\c2\9b" "f\n" (func)) (func (export "_start")))"#;
    let program = scratch.file("wants.wat", text.as_bytes());
    let (_, report) = reported(&scratch, &["--none", &program]);
    let refused = &report["end"]["imports"]["refused"];
    assert_eq!((&refused[0]["name"], &refused[0]["capability"]), (&"random_get".into(), &"random".into()));
    assert_eq!((&refused[1]["module"], &refused[1]["name"]), (&"\u{1b}[31mevil\u{9b}".into(), &"f\n".into()));
    assert!(refused[1]["capability"].is_null() && refused[2].is_null(), "{report:#}");
}

#[test]
fn a_module_with_more_names_than_a_message_holds_is_refused_all_the_same() {
    let scratch = Scratch::new("many");
    let name = "\u{1}".repeat(20_000);
    let imports: String =
        (0..64).map(|i| format!("(import \"env\" \"{}{i}\" (func))", name.replace('\u{1}', "\\01"))).collect();
    let program = scratch.file("many.wat", format!("(module {imports})").as_bytes());
    let (code, report) = reported(&scratch, &[&program]);
    assert_eq!((code, &report["end"]["kind"]), (Some(125), &"refused".into()), "{report:#}");
    let imports = &report["end"]["imports"];
    let listed = imports["refused"].as_array().unwrap().len() as u64;
    assert_eq!(listed + imports["omitted"].as_u64().unwrap(), 64);
}

#[test]
fn limits_and_what_was_used_are_reported() {
    let scratch = Scratch::new("used");
    let program = scratch.program();
    let (_, report) = reported(&scratch, &["--fuel", "100000", "--max-memory", "64MiB", "--timeout", "0", &program]);
    let (limits, used) = (&report["limits"], &report["used"]);
    assert_eq!((&limits["fuel"], &limits["memory_bytes"]), (&100_000.into(), &(64 << 20).into()));
    assert!(limits["wall_seconds"].is_null());
    assert_eq!((&used["output_bytes"], &used["worker"]["guest_memory_bytes"]), (&6.into(), &65544.into()));
    let fuel = used["worker"]["fuel"].as_u64().unwrap();
    assert!((1..100).contains(&fuel), "{used:#}");
    assert!(used["wall_seconds"].as_f64().unwrap() > 0.0 && used["processor_seconds"].as_f64().unwrap() > 0.0);
    assert!(used["peak_memory_bytes"].as_u64().unwrap() > 1 << 20, "{used:#}");
}

#[test]
fn layers_that_were_left_out_are_reported() {
    let scratch = Scratch::new("left-out");
    let (_, report) = reported(&scratch, &["--without", "utsns,ipcns", &scratch.program()]);
    assert_eq!(report["layers"]["left_out"], serde_json::json!(["ipcns", "utsns"]));
    assert!(report["layers"]["up"].as_array().unwrap().contains(&"seccomp".into()));
}

#[test]
fn a_worker_that_says_nothing_or_is_not_there_is_reported() {
    let scratch = Scratch::new("no-worker");
    let file = scratch.0.join("report.json");
    for (worker, code, kind) in [("/bin/true", 160, "crash"), ("/nowhere/at-all", 125, "not_started")] {
        let mut command = pinfold(&["run", "--report", file.to_str().unwrap(), &scratch.program()]);
        let output = command.env("PINFOLD_WORKER", worker).output().unwrap();
        let report: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!((output.status.code(), &report["end"]["kind"]), (Some(code), &kind.into()), "{report:#}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_before_anything_runs() {
    let scratch = Scratch::new("unwritable");
    for (file, code) in [("/nowhere/at-all.json", 125), ("-", 2)] {
        let output = run(&["run", "--report", file, &scratch.program()]);
        assert!(output.status.code() == Some(code) && output.stdout.is_empty(), "{}", stderr(&output));
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_report_replaces_what_was_in_its_file_and_follows_no_link_made_meanwhile() {
    let scratch = Scratch::new("replaced");
    let file = scratch.file("report.json", &[b'x'; 1 << 16]);
    let mut child = pinfold(&["run", "--timeout", "0.5", "--report", &file, "--invoke", "spin", &scratch.program()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until_running(child.id());
    let (moved, other) = (scratch.0.join("moved"), scratch.file("other", b"precious"));
    std::fs::rename(&file, &moved).unwrap();
    symlink(&other, &file).unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read(&other).unwrap(), b"precious");
    let report: Value = serde_json::from_slice(&std::fs::read(moved).unwrap()).unwrap();
    assert_eq!(report["end"]["kind"], "timeout");
}
