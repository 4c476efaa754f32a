//! Programs that are compiled before they run.

use super::cache::{COUNT, Kept, compiled};
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

/// A program that takes seconds to be compiled.
fn large() -> String {
    let step =
        "(local.set 0 (i64.rotl (i64.add (i64.mul (local.get 0) (i64.const 12345)) (local.get 0)) (i64.const 7)))";
    let function = format!("(func (param i64) (result i64) {} (local.get 0))\n", step.repeat(400));
    format!("(module {})", function.repeat(800))
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
    let (code, told) = compile(&["--timeout", "0.1", &kept.scratch.file("large.wat", large().as_bytes())]);
    assert!(code == i32::from(exit::TIMEOUT) && told.contains("--timeout"), "{code} {told}");
    assert_eq!(compile(&["nowhere.wasm"]).0, i32::from(exit::FAILURE));
    assert!(kept.entries().is_empty());
    let off = run(&["compile", &kept.scratch.program()]);
    assert!(!off.status.success() && stderr(&off).contains("PINFOLD_CACHE"), "{}", stderr(&off));
}
