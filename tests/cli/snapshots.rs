//! Programs that are written down when they have begun, and run from there.

use std::io::Read;

use super::*;

/// Counts to a million, looks at its arguments, and then asks what to add: prints the sum, modulo a thousand.
const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (global $count (mut i32) (i32.const 0))
    (func $digit (param $at i32) (param $n i32)
        (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))
    (func $tell (export "tell") (param $n i32)
        (call $digit (i32.const 300) (i32.div_u (local.get $n) (i32.const 100)))
        (call $digit (i32.const 301) (i32.div_u (local.get $n) (i32.const 10)))
        (call $digit (i32.const 302) (local.get $n))
        (i32.store8 (i32.const 303) (i32.const 10))
        (i32.store (i32.const 0) (i32.const 300)) (i32.store (i32.const 4) (i32.const 4))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func $ask (result i32)
        (i32.store (i32.const 0) (i32.const 400)) (i32.store (i32.const 4) (i32.const 1))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.sub (i32.load8_u (i32.const 400)) (i32.const 48)))
    (func $prepare (export "prepare")
        (drop (memory.grow (i32.const 3)))
        (loop $again
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (br_if $again (i32.lt_u (global.get $count) (i32.const 1000000))))
        (i32.store (i32.const 200000) (i32.const 7)))
    (func (export "counted") (result i32) (i32.add (global.get $count) (i32.load (i32.const 200000))))
    (func (export "draw") (drop (call $random (i32.const 500) (i32.const 8))))
    (func (export "leave") (call $exit (i32.const 5)))
    (func (export "time") (result i64) (drop (call $time (i32.const 1) (i64.const 0) (i32.const 504))) (i64.load (i32.const 504)))
    (func (export "_start")
        (call $prepare)
        (drop (call $args_sizes (i32.const 100) (i32.const 104)))
        (drop (call $environ_sizes (i32.const 108) (i32.const 112)))
        (drop (call $prestat (i32.const 3) (i32.const 120)))
        (call $tell (i32.rem_u
            (i32.add (i32.mul (i32.const 100) (i32.load (i32.const 100)))
                (i32.add (i32.load (i32.const 200000)) (i32.add (global.get $count) (call $ask))))
            (i32.const 1000)))))"#;

struct Taken {
    scratch: Scratch,
    file: String,
    output: Output,
}

/// A snapshot of the program that is taken with these flags and arguments.
fn taken(name: &str, flags: &[&str], args: &[&str]) -> Taken {
    let scratch = Scratch::new(&format!("snapshot-{name}"));
    let program = scratch.file("counts.wat", PROGRAM.as_bytes());
    let file = scratch.0.join("warm.pin").display().to_string();
    let output = run(&[&["snapshot", "-o", &file], flags, &[&program], args].concat());
    Taken { scratch, file, output }
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stderr(output)
}

/// Runs with a text on standard input.
fn fed(args: &[&str], input: &str) -> Output {
    let mut child = pinfold(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that is refused may read nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn runs_go_on_from_a_snapshot_on_every_tier() {
    let taken = taken("runs", &[], &["one", "two"]);
    let told = said(&taken.output);
    assert!(told.contains("Taken before the program calls fd_read:\n  ask at "), "{told}");
    assert!(told.contains("asked for its arguments, its environment, which directories it has."), "{told}");
    for tier in TIERS {
        for (input, sum) in [("1", "308\n"), ("5", "312\n")] {
            let output = fed(&["run", "--tier", tier, &taken.file], input);
            assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), sum), "{}", stderr(&output));
        }
    }
    let output = fed(&["run", "--fuel", "1000", &taken.file], "1");
    assert_eq!(stdout(&output), "308\n", "what it did before takes no fuel: {}", stderr(&output));
}

#[test]
fn what_the_program_found_is_given_again_and_nothing_else() {
    let taken = taken("found", &["--env", "A=b"], &["one"]);
    said(&taken.output);
    for (flags, args) in [(&[][..], &[][..]), (&["--env", "A=b"], &["one"])] {
        let output = fed(&[&["run"], flags, &[&taken.file], args].concat(), "1");
        assert_eq!(stdout(&output), "208\n", "{}", stderr(&output));
    }
    let folder = format!("{}::/data", taken.scratch.0.display());
    for (flags, args, why) in [
        (&["--env", "A=c"][..], &[][..], "asked for its environment before its snapshot was taken, and found A=b."),
        (&[], &["two"], "asked for its arguments before its snapshot was taken, and found one."),
        (&["--dir", &folder], &[], "asked for its directories before its snapshot was taken, and found none."),
    ] {
        let output = fed(&[&["run"], flags, &[&taken.file], args].concat(), "1");
        assert!(output.status.code() == Some(125) && stderr(&output).contains(why), "{}", stderr(&output));
    }
    let output = run(&["run", "--invoke", "counted", &taken.file]);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("--after FN"), "{}", stderr(&output));
}

#[test]
fn no_grant_is_in_a_snapshot() {
    let folder = Scratch::new("snapshot-folder");
    let grant = format!("{}::/data:rw", folder.0.display());
    let taken = taken("granted", &["--dir", &grant], &[]);
    said(&taken.output);
    let snapshot = std::fs::read(&taken.file).unwrap();
    let path = folder.0.display().to_string();
    assert!(!snapshot.windows(path.len()).any(|at| at == path.as_bytes()), "it names the folder of the host");
    let output = fed(&["run", &taken.file], "1");
    assert!(
        output.status.code() == Some(125) && stderr(&output).contains("and found /data:rw."),
        "{}",
        stderr(&output)
    );
    let elsewhere = format!("{}::/data:rw", taken.scratch.0.display());
    assert_eq!(stdout(&fed(&["run", "--dir", &elsewhere, &taken.file], "1")), "108\n");
}

#[test]
fn exports_are_called_of_a_snapshot_that_was_taken_after_a_call() {
    let taken = taken("after", &["--after", "prepare"], &[]);
    assert!(said(&taken.output).contains("Taken between calls."));
    let output = run(&["run", "--invoke", "counted", &taken.file]);
    assert_eq!(stdout(&output), "1000007\n", "{}", stderr(&output));
    // Its own beginning counts on from there.
    assert_eq!(stdout(&fed(&["run", &taken.file, "x"], "1")), "209\n");
    // And once more.
    let again = taken.scratch.0.join("again.pin").display().to_string();
    said(&run(&["snapshot", "--after", "prepare", "-o", &again, &taken.file]));
    assert_eq!(stdout(&run(&["run", "--invoke", "counted", &again])), "1000008\n");
}

#[test]
fn chance_and_time_are_remembered_only_where_that_is_asked_for() {
    let taken_at = |name, flags: &[&str]| taken(name, &[flags, &["--after", name]].concat(), &[]);
    let taken = taken_at("draw", &[]);
    let told = stderr(&taken.output);
    assert!(taken.output.status.code() == Some(125) && told.contains("called random_get meanwhile"), "{told}");
    assert!(!Path::new(&taken.file).exists());
    let taken = taken_at("draw", &["--with-random"]);
    assert!(said(&taken.output).contains("random numbers, the same for all runs"));
    let module = PROGRAM.replace("(func (export \"_start\")", "(func (export \"_start\") (drop (call $random (i32.const 0) (i32.const 4))) (return)) (func (export \"other\")");
    let scratch = Scratch::new("snapshot-random");
    let program = scratch.file("random.wat", module.as_bytes());
    let told = said(&run(&["snapshot", "-o", &scratch.0.join("a.pin").display().to_string(), &program]));
    assert!(told.contains("before the program calls random_get:") && told.contains("--with-random goes on"), "{told}");
}

#[test]
fn a_program_that_ends_before_has_no_snapshot() {
    let scratch = Scratch::new("snapshot-ends");
    let program = scratch.file("ends.wat", b"(module (memory (export \"memory\") 1) (func (export \"_start\")))");
    let output = run(&["snapshot", &program]);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("--after FN"), "{}", stderr(&output));
    assert!(!scratch.0.join("ends.pin").exists());
    for (text, why) in [
        ("(module (func (export \"_start\") (unreachable)))", "unreachable"),
        ("(module (func (export \"_start\") (loop (br 0))))", "after 1 s"),
        ("(module (import \"a\" \"b\" (func)) (func (export \"_start\")))", "a::b"),
        ("(module (type (struct)) (func (export \"_initialize\") (drop (struct.new 0))))", "garbage-collected heap"),
    ] {
        let program = scratch.file("other.wat", text.as_bytes());
        let output = run(&["snapshot", "--timeout", "1", &program]);
        assert!(!output.status.success() && stderr(&output).contains(why), "{text}: {}", stderr(&output));
    }
    let output = run(&["snapshot", &scratch.file("main.fold", b"fn main() {}")]);
    assert!(!output.status.success() && stderr(&output).contains("garbage-collected heap"), "{}", stderr(&output));
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let taken = taken("damaged", &[], &[]);
    said(&taken.output);
    let snapshot = std::fs::read(&taken.file).unwrap();
    let name = b"pinfold.state";
    let state = snapshot.windows(name.len()).rposition(|at| at == name).unwrap() + name.len() + 4;
    let mut other = snapshot.clone();
    other[state] = 9;
    let output = run(&["run", &taken.scratch.file("other.pin", &other)]);
    assert!(output.status.code() == Some(125) && stderr(&output).contains("damaged"), "{}", stderr(&output));
    let output = run(&["run", &taken.scratch.file("cut.pin", &snapshot[..snapshot.len() - 100])]);
    assert_eq!(output.status.code(), Some(126), "{}", stderr(&output));
}

#[test]
fn what_is_compiled_of_a_snapshot_is_kept() {
    let taken = taken("kept", &[], &[]);
    said(&taken.output);
    let cache = taken.scratch.0.join("cache");
    for _ in 0..3 {
        let mut child = pinfold(&["run", &taken.file])
            .env("PINFOLD_CACHE", &cache)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"1").unwrap();
        assert_eq!(stdout(&child.wait_with_output().unwrap()), "108\n");
    }
}

#[test]
fn the_result_can_be_read_by_a_program() {
    let taken = taken("json", &["--message-format", "json"], &[]);
    assert_eq!(taken.output.status.code(), Some(0), "{}", stderr(&taken.output));
    let told: serde_json::Value = serde_json::from_slice(&taken.output.stdout).unwrap();
    assert_eq!((&told["begun"]["before"], &told["memory"]), (&"fd_read".into(), &(4 * 65536).into()), "{told}");
}

#[test]
fn time_goes_on_where_it_was() {
    let scratch = Scratch::new("snapshot-time");
    let program = scratch.file("counts.wat", PROGRAM.as_bytes());
    let file = scratch.0.join("warm.pin").display().to_string();
    said(&run(&["snapshot", "-o", &file, "--after", "prepare", &program]));
    let output = run(&["run", "--invoke", "time", &file]);
    let time: u64 = stdout(&output).trim().parse().unwrap();
    // Counting took some time already.
    assert!(time > 0, "{time}");
}

/// Fills two megabytes; then says that it goes on, reads a byte, and prints it and whether all of its memory is as it was.
const LARGE: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 33)
    (func $each (param $check i32) (result i32) (local $at i32) (local $same i32)
        (local.set $at (i32.const 65536)) (local.set $same (i32.const 1))
        (loop $next
            (if (local.get $check)
                (then (local.set $same (i32.and (local.get $same)
                    (i32.eq (i32.load (local.get $at)) (i32.mul (local.get $at) (i32.const 2654435761))))))
                (else (i32.store (local.get $at) (i32.mul (local.get $at) (i32.const 2654435761)))))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 2162688))))
        (local.get $same))
    (func (export "_start")
        (drop (call $each (i32.const 0)))
        (i32.store (i32.const 0) (i32.const 400)) (i32.store (i32.const 4) (i32.const 3))
        (i32.store (i32.const 400) (i32.const 0x0a6f67))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 4) (i32.const 1))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store8 (i32.const 401) (i32.add (i32.const 48) (call $each (i32.const 1))))
        (i32.store8 (i32.const 402) (i32.const 10))
        (i32.store (i32.const 4) (i32.const 3))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// A snapshot of it.
fn large(name: &str) -> (Scratch, String) {
    let scratch = Scratch::new(&format!("snapshot-large-{name}"));
    let program = scratch.file("large.wat", LARGE.as_bytes());
    let file = scratch.0.join("large.pin").display().to_string();
    said(&run(&["snapshot", "-o", &file, &program]));
    assert!(std::fs::metadata(&file).unwrap().len() > 2 << 20);
    (scratch, file)
}

#[test]
fn large_memories_are_mapped_from_the_file_and_never_written_to_it() {
    let (scratch, file) = large("mapped");
    let before = std::fs::read(&file).unwrap();
    let cache = scratch.0.join("cache");
    for tier in TIERS {
        for _ in 0..3 {
            let mut child = pinfold(&["run", "--tier", tier, &file])
                .env("PINFOLD_CACHE", &cache)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(b"x").unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "go\nx1\n"), "{tier}");
        }
    }
    assert!(std::fs::read(&file).unwrap() == before);
}

#[test]
fn a_snapshot_whose_file_is_cut_off_or_written_to_while_it_runs_harms_nobody() {
    for (how, expected) in [("cut", None), ("written", Some("x0\n"))] {
        let (_scratch, file) = large(how);
        let mut child = pinfold(&["run", &file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut told = [0; 3];
        output.read_exact(&mut told).unwrap();
        assert_eq!(&told, b"go\n");
        let changed = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
        match expected {
            None => changed.set_len(8192).unwrap(),
            Some(_) => {
                use std::os::unix::fs::FileExt;
                let at = changed.metadata().unwrap().len() - 4096;
                changed.write_all_at(&[0xaa; 4096], at).unwrap();
            }
        }
        let _ = input.write_all(b"x");
        drop(input);
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        let ended = child.wait_with_output().unwrap();
        match expected {
            // What is not there any more cannot be read: the guest ends, and it is said how.
            None => assert!(ended.status.code() != Some(0) && !stderr(&ended).is_empty(), "{ended:?}"),
            Some(text) => assert_eq!(rest, text, "{}", stderr(&ended)),
        }
    }
}
