//! Programs that are compiled before they run.

use std::io::Read;

use super::cache::{COUNT, Kept, compiled};
use super::terminal::terminal;
use super::*;

impl Kept {
    /// Compiles, and tells what came of it.
    fn compile(&self, args: &[&str]) -> serde_json::Value {
        let args = [&["compile", "--message-format", "json"], args].concat();
        let output = self.command(&args).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// All functions of a program that was compiled ahead.
fn all(told: &serde_json::Value) -> usize {
    assert_eq!((&told["compiled"], &told["refused"]), (&told["functions"], &0.into()), "{told}");
    told["compiled"].as_u64().unwrap() as usize
}

#[test]
fn the_first_run_after_it_compiles_nothing() {
    let kept = Kept::new("ahead");
    let program = kept.scratch.program();
    let told = kept.compile(&[&program]);
    let all = all(&told);
    assert!(
        all > 10 && told["code_bytes"].as_u64().unwrap() > 500 && told["seconds"].as_f64().unwrap() > 0.0,
        "{told}"
    );
    let entry = std::fs::read(kept.entry()).unwrap();
    let run = |flags: &[&str]| kept.run(&[flags, &COUNT, &[&program, "100000000"]].concat());
    let first = run(&["--tier", "jit"]);
    assert_eq!((compiled(&first), stdout(&first).as_str()), ([all, all], "0\n"), "{}", stderr(&first));
    // What was kept is as good as before.
    assert_eq!(std::fs::read(kept.entry()).unwrap(), entry);
    // Where the code comes while it runs, a loop that turns meanwhile may be compiled by itself.
    let [count, before] = compiled(&run(&["--tier", "auto"]));
    assert!(before == all && count <= all + 1, "{count} {before}");
    // Other settings are other code.
    assert_eq!(compiled(&run(&["--tier", "jit", "--fuel", "1000000000"]))[1], 0);
    assert_eq!(self::all(&kept.compile(&["--fuel", &program])), all);
    assert_eq!(compiled(&run(&["--tier", "jit", "--fuel", "1000000000"])), [all, all]);
    assert_eq!(compiled(&run(&["--tier", "jit", "--deterministic"]))[1], 0);
    kept.compile(&["--deterministic", &program]);
    assert_eq!(compiled(&run(&["--tier", "jit", "--deterministic"])), [all, all]);
}

#[test]
fn a_program_without_functions_is_soon_done() {
    let kept = Kept::new("ahead-empty");
    let program = kept.scratch.file("empty.wat", b"(module (memory 1))");
    let start = Instant::now();
    assert_eq!(all(&kept.compile(&[&program])), 0);
    assert_eq!(brings(&kept, &[], &program).1, 0);
    assert!(start.elapsed() < Duration::from_secs(20), "nobody waits for code that there is not");
    let out = kept.run(&["--invoke", "main", &kept.scratch.0.join("out.wasm").display().to_string()]);
    assert!(!stderr(&out).contains("warning"), "{}", stderr(&out));
}

#[test]
fn a_script_is_compiled_to_the_end() {
    let kept = Kept::new("ahead-script");
    let text = "needs out: Console\n\nfn half(n: Int) -> Int {\n    if n % 2 == 1 { panic(\"odd\") }\n    n / 2\n}\n\n\
                out.print(\"{half(half(84))}\")\n";
    let file = kept.scratch.file("half.fold", text.as_bytes());
    let all = all(&kept.compile(&[&file]));
    let output = kept.run(&["--stats", "--tier", "jit", &file]);
    assert_eq!((compiled(&output), stdout(&output).as_str()), ([all, all], "21\n"), "{}", stderr(&output));
    // It says where it was as it does without.
    kept.scratch.file("half.fold", text.replace("84", "6").as_bytes());
    kept.compile(&[&file]);
    let ahead = kept.run(&["--tier", "jit", &file]);
    assert_eq!(stderr(&ahead), stderr(&kept.run(&["--no-cache", &file])));
    assert!(stderr(&ahead).contains("half.fold:4"), "{}", stderr(&ahead));
}

/// A program that takes a while to be compiled, as long as it has functions.
fn large(functions: usize) -> String {
    let step =
        "(local.set 0 (i64.rotl (i64.add (i64.mul (local.get 0) (i64.const 12345)) (local.get 0)) (i64.const 7)))";
    let function = format!("(func (param i64) (result i64) {} (local.get 0))\n", step.repeat(400));
    format!("(module {})", function.repeat(functions))
}

#[test]
fn what_was_done_is_told_to_people() {
    let kept = Kept::new("ahead-told");
    let output = kept.command(&["compile", &kept.scratch.program()]).output().unwrap();
    let told = stderr(&output);
    assert!(output.status.success() && told.contains(" functions compiled, ") && told.contains(" of code, "), "{told}");
    assert!(stdout(&output).is_empty() && !told.contains('\r'), "{told}");
}

#[test]
fn at_a_terminal_it_is_shown_how_far_it_is() {
    let kept = Kept::new("ahead-terminal");
    let program = kept.scratch.file("large.wat", large(200).as_bytes());
    let (mut own, programs) = terminal();
    let status = kept.command(&["compile", &program]).stderr(Stdio::from(programs)).status().unwrap();
    let mut text = vec![0; 4096];
    let len = own.read(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text[..len]);
    assert!(status.success() && text.contains("\rcompiling: ") && text.contains(" %, "), "{text:?}");
    // Nothing of that is left at the end.
    let (_, last) = text.rsplit_once("\r\x1b[K").unwrap();
    assert!(last.contains("large.wat: 200 of 200 functions compiled"), "{text:?}");
}

#[test]
fn what_cannot_be_compiled_says_why_and_leaves_nothing() {
    let kept = Kept::new("ahead-wrong");
    let compile = |args: &[&str]| {
        let output = kept.command(&[&["compile"], args].concat()).output().unwrap();
        (output.status.code().unwrap(), stderr(&output))
    };
    let wrong = kept.scratch.file("wrong.wat", b"(module (func (result i32)))");
    let (code, told) = compile(&[&wrong]);
    assert!(code == i32::from(exit::NOT_A_MODULE) && told.contains("wrong.wat"), "{code} {told}");
    let script = kept.scratch.file("wrong.fold", b"let x: Int = true\n");
    let (code, told) = compile(&[&script]);
    assert!(code == i32::from(exit::NOT_A_MODULE) && told.contains("F0301"), "{code} {told}");
    let (code, told) = compile(&["--timeout", "0.1", &kept.scratch.file("large.wat", large(800).as_bytes())]);
    assert!(code == i32::from(exit::TIMEOUT) && told.contains("--timeout"), "{code} {told}");
    assert_eq!(compile(&["nowhere.wasm"]).0, i32::from(exit::FAILURE));
    assert!(kept.entries().is_empty());
    let off = run(&["compile", &kept.scratch.program()]);
    assert!(!off.status.success() && stderr(&off).contains("PINFOLD_CACHE"), "{}", stderr(&off));
}

/// A file that was compiled with its code, and how many functions it has.
fn brings(kept: &Kept, flags: &[&str], program: &str) -> (String, usize) {
    let out = kept.scratch.0.join("out.wasm").display().to_string();
    let told = kept.compile(&[flags, &["-o", &out, program]].concat());
    (out, all(&told))
}

const JIT: [&str; 2] = ["--tier", "jit"];
const UNUSED: &str = "runs without the code that came with it";

/// Runs a program, calling the function that counts. It has to give the right result, whatever is used for that.
fn count(kept: &Kept, flags: &[&str], program: &str) -> (usize, String) {
    let output = kept.run(&[flags, &JIT, &COUNT, &[program, "1000"]].concat());
    assert_eq!(stdout(&output), "0\n", "{}", stderr(&output));
    (compiled(&output)[1], stderr(&output))
}

#[test]
fn a_file_brings_its_code() {
    let kept = Kept::new("brings");
    let program = kept.scratch.program();
    let (out, all) = brings(&kept, &[], &program);
    for _ in 0..2 {
        let (found, told) = count(&kept, &[], &out);
        assert!(found == all && !told.contains("warning"), "{told}");
    }
    // Only the mark is kept, which is none of a program.
    assert!(kept.entries().len() == 1 && kept.entry().to_str().unwrap().ends_with("-o"));
    assert!(stdout(&kept.command(&["cache"]).output().unwrap()).contains(" 0 programs kept"));
    assert_eq!(count(&kept, &["--no-cache"], &out).0, 0);
    let interpreted = kept.run(&["--tier", "interpreter", &out]);
    assert!(stdout(&interpreted) == "hello\n" && interpreted.stderr.is_empty(), "{}", stderr(&interpreted));
    // It is a module like others, and can be compiled again.
    let shown = kept.command(&["inspect", &out]).output().unwrap();
    assert!(stdout(&shown).contains("pinfold.code"), "{}", stdout(&shown));
    let before = std::fs::read(&out).unwrap();
    assert_eq!(brings(&kept, &[], &out).1, all);
    assert!(std::fs::read(&out).unwrap() == before, "the same is written the same way");
    // With other settings it is another file.
    let (found, told) = count(&kept, &["--fuel", "1000000"], &out);
    assert!(found == 0 && told.contains(UNUSED) && told.contains("--fuel"), "{told}");
    let (out, all) = brings(&kept, &["--fuel"], &program);
    assert_eq!(count(&kept, &["--fuel", "2000000"], &out).0, all);
}

#[test]
fn scripts_and_snapshots_bring_their_code_too() {
    let kept = Kept::new("brings-others");
    let script =
        kept.scratch.file("twice.fold", b"needs out: Console, args: Args\nout.print(\"{2 * args.all().len()}\")\n");
    let (out, all) = brings(&kept, &[], &script);
    let output = kept.run(&[&["--stats"], &JIT[..], &[&out, "a", "b"]].concat());
    assert_eq!((compiled(&output), stdout(&output).as_str()), ([all, all], "4\n"), "{}", stderr(&output));
    let snapshot = kept.scratch.0.join("program.pin").display().to_string();
    assert!(kept.command(&["snapshot", "-o", &snapshot, &kept.scratch.program()]).output().unwrap().status.success());
    let (out, all) = brings(&kept, &[], &snapshot);
    let output = kept.run(&[&["--stats"], &JIT[..], &[&out]].concat());
    assert_eq!((compiled(&output)[1], stdout(&output).as_str()), (all, "hello\n"), "{}", stderr(&output));
}

#[test]
fn a_large_file_brings_its_code_while_it_is_read() {
    let kept = Kept::new("brings-large");
    let large = PROGRAM.replacen("(data", &format!("(data \"{}\") (data", "x".repeat(3 << 20)), 1);
    let program = kept.scratch.file("large.wat", large.as_bytes());
    let (out, all) = brings(&kept, &[], &program);
    // Waited for, since it is all there.
    let auto = kept.run(&[&COUNT[..], &[&out, "1000"]].concat());
    assert_eq!((compiled(&auto), stdout(&auto).as_str()), ([all, all], "0\n"), "{}", stderr(&auto));
    let mut changed = std::fs::read(&out).unwrap();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&out, changed).unwrap();
    let (found, told) = count(&kept, &[], &out);
    assert!(found == 0 && told.contains("not compiled here"), "{told}");
}

#[test]
fn code_of_others_is_taken_only_if_that_is_said() {
    let (kept, other) = (Kept::new("brings-own"), Kept::new("brings-foreign"));
    let (out, all) = brings(&kept, &[], &kept.scratch.program());
    let (found, told) = count(&other, &[], &out);
    assert!(found == 0 && told.contains(UNUSED) && told.contains("not compiled here"), "{told}");
    // From then on there is code of its own.
    let (found, told) = count(&other, &[], &out);
    assert!(found == all && !told.contains("warning"), "{told}");
    other.command(&["cache", "--clear"]).output().unwrap();
    let (found, told) = count(&other, &["--precompiled"], &out);
    assert!(found == all && !told.contains("warning"), "{told}");
    let off = |flags: &[&str]| {
        let mut command = kept.command(&[&["run"], flags, &JIT, &COUNT, &[&out, "1000"]].concat());
        let output = command.env("PINFOLD_CACHE", "").output().unwrap();
        assert_eq!(stdout(&output), "0\n", "{}", stderr(&output));
        (compiled(&output)[1], stderr(&output))
    };
    let (found, told) = off(&[]);
    assert!(found == 0 && told.contains("there is no cache"), "{told}");
    assert_eq!(off(&["--precompiled"]).0, all);
    assert_eq!(count(&kept, &["--no-cache", "--precompiled"], &out).0, all);
    // What was kept no more is nobody's.
    kept.command(&["cache", "--clear"]).output().unwrap();
    let (found, told) = count(&kept, &[], &out);
    assert!(found == 0 && told.contains("not compiled here"), "{told}");
    // Only behind all walls, and only where there is some.
    for flags in [&["--unsafe-no-sandbox"][..], &["--without", "landlock"]] {
        let output = kept.run(&[flags, &["--precompiled", &out]].concat());
        assert!(output.status.code() == Some(2) && stderr(&output).contains("--precompiled"), "{}", stderr(&output));
        assert_eq!(count(&kept, flags, &out).0, 0);
    }
    let (found, told) = count(&other, &["--precompiled"], &kept.scratch.program());
    assert!(found == 0 && told.contains("it brings none"), "{told}");
}

#[test]
fn another_installation_takes_no_code() {
    let kept = Kept::new("brings-installed");
    let (out, _) = brings(&kept, &[], &kept.scratch.program());
    let worker = kept.scratch.0.join("pinfold-worker");
    std::fs::copy(env!("CARGO_BIN_EXE_pinfold-worker"), &worker).unwrap();
    let mut command = kept.command(&[&["run"], &JIT[..], &COUNT, &[&out, "1000"]].concat());
    let output = command.env("PINFOLD_WORKER", &worker).output().unwrap();
    let told = stderr(&output);
    assert!(stdout(&output) == "0\n" && compiled(&output)[1] == 0, "{told}");
    assert!(told.contains("another version of Pinfold compiled it"), "{told}");
}

#[test]
fn code_that_was_damaged_is_not_taken() {
    let kept = Kept::new("brings-damaged");
    let (out, _) = brings(&kept, &[], &kept.scratch.program());
    let sound = std::fs::read(&out).unwrap();
    let module = wat::parse_str(PROGRAM).unwrap().len();
    let section = module..sound.len();
    // The module itself is left as it is: damaged, it would be another program.
    for at in section.clone().step_by(section.len() / 29) {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x41;
        std::fs::write(&out, &damaged).unwrap();
        // Whether it is a module after all depends on where it is.
        let output = kept.run(&[&JIT[..], &COUNT, &[&out, "1000"]].concat());
        match output.status.code() {
            Some(0) => assert_eq!((compiled(&output)[1], stdout(&output).as_str()), (0, "0\n"), "byte {at}"),
            code => assert_eq!(code, Some(exit::NOT_A_MODULE.into()), "byte {at}: {}", stderr(&output)),
        }
        kept.command(&["cache", "--clear"]).output().unwrap();
        let output = kept.run(&[&["--precompiled"], &JIT[..], &COUNT, &[&out, "1000"]].concat());
        assert!(matches!(output.status.code(), Some(0 | 126)), "byte {at}: {}", stderr(&output));
        assert!(output.status.code() != Some(0) || stdout(&output) == "0\n", "byte {at}");
        // What says where it is, and whose, is not among what somebody is trusted with.
        let is_inside = (module + 50..sound.len() - 100).contains(&at);
        assert!(!is_inside || stderr(&output).contains("it is damaged"), "byte {at}: {}", stderr(&output));
        // Cut off there, it is no module.
        std::fs::write(&out, &sound[..at]).unwrap();
        let code = kept.run(&["--precompiled", &out]).status.code();
        assert_eq!(code, Some(if at == module { 0 } else { exit::NOT_A_MODULE.into() }), "cut at {at}");
    }
}

#[test]
fn code_of_another_program_is_not_taken() {
    let kept = Kept::new("brings-other");
    let (out, all) = brings(&kept, &[], &kept.scratch.program());
    let (sound, module) = (std::fs::read(&out).unwrap(), wat::parse_str(PROGRAM).unwrap());
    // Another program of the same size.
    let at = module.windows(6).position(|bytes| bytes == b"hello\n").unwrap();
    let mut other = sound.clone();
    other[at..][..6].copy_from_slice(b"olleh\n");
    std::fs::write(&out, other).unwrap();
    let output = kept.run(&[&["--stats"], &JIT[..], &[&out]].concat());
    assert!(stdout(&output) == "olleh\n" && compiled(&output)[1] == 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("not compiled here"), "{}", stderr(&output));
    std::fs::write(&out, sound).unwrap();
    assert_eq!(count(&kept, &[], &out).0, all);
}

/// A file with any machine code: nobody runs it who only runs the file, and who says that it is to be run is held by the walls.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_file_with_planted_code_harms_nobody() {
    let kept = Kept::new("brings-planted");
    let (out, _) = brings(&kept, &[], &kept.scratch.program());
    let mut file = std::fs::read(&out).unwrap();
    let body = file.windows(16).rposition(|bytes| bytes == b"pinfold code 1\r\n").unwrap() + 16;
    let end = file.windows(16).rposition(|bytes| bytes == b"pinfold made 1\r\n").unwrap();
    // All functions begin with these two instructions; in their place stands socket(AF_INET, …).
    let begins = [0x55, 0x48, 0x89, 0xe5];
    let planted = [0xb8, 41, 0, 0, 0, 0xbf, 2, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b];
    let starts: Vec<usize> = (body..end - planted.len()).filter(|at| file[*at..].starts_with(&begins)).collect();
    assert!(starts.len() > 10);
    starts.iter().for_each(|at| file[*at..][..planted.len()].copy_from_slice(&planted));
    let expected = pinfold_vm::runtime::kept::sum(&file[body + 8..end]).to_le_bytes();
    file[body..][..8].copy_from_slice(&expected);
    std::fs::write(&out, &file).unwrap();
    let (found, told) = count(&kept, &[], &out);
    assert!(found == 0 && told.contains("not compiled here"), "{told}");
    kept.command(&["cache", "--clear"]).output().unwrap();
    let output = kept.run(&[&["--precompiled"], &JIT[..], &COUNT, &[&out, "1000"]].concat());
    assert_eq!(output.status.code(), Some(exit::VIOLATION.into()), "{}", stderr(&output));
    assert!(stderr(&output).contains("socket"), "{}", stderr(&output));
}
