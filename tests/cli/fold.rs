//! Commands for Fold: `check`, `build`, `fmt`, `test`, `new`, `doc`, and traces.

use serde_json::Value;

use super::*;

const WRONG: &str = "fn f() -> Int { \"a\" }\nfn g() -> Int { unknown }\n";

/// Runs in a folder.
fn at(scratch: &Scratch, args: &[&str]) -> Output {
    pinfold(args).current_dir(&scratch.0).output().unwrap()
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), format!("{}{}", stdout(output), stderr(output)))
}

/// Runs with a text on standard input.
fn with_input(args: &[&str], input: &[u8]) -> Output {
    let mut child = pinfold(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn check_tells_all_that_is_wrong_and_nothing_else() {
    let scratch = Scratch::new("check");
    scratch.file("wrong.fold", WRONG.as_bytes());
    scratch.file("right.fold", b"pub fn f() -> Int { 1 }\n");
    let (code, text) = told(&at(&scratch, &["check", "wrong.fold"]));
    assert_eq!(code, Some(1), "{text}");
    for part in ["error[F0301]", "error[F0201]", "wrong.fold:1:17", "wrong.fold:2:17", "2 errors"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(told(&at(&scratch, &["check", "right.fold"])), (Some(0), String::new()));
    // Files of a folder, each finding once.
    scratch.file("importer.fold", b"import wrong\npub fn h() -> Int { wrong.f() }\n");
    let (code, text) = told(&at(&scratch, &["check"]));
    assert!(code == Some(1) && text.matches("error[F0301]").count() == 1, "{text}");
}

#[test]
fn check_tells_programs_as_much_as_people() {
    let scratch = Scratch::new("check-json");
    scratch.file(
        "wrong.fold",
        "fn main(out: Console) {\n    out.print(\"ä {lne}\")\n    let lne = 1\n    out.prnt(\"\u{202e}\")\n}\n"
            .as_bytes(),
    );
    let output = at(&scratch, &["check", "--message-format", "json", "wrong.fold"]);
    assert!(output.status.code() == Some(1) && output.stderr.is_empty(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(!text.contains('\u{202e}'), "{text}");
    let findings: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let members = ["code", "edits", "help", "message", "notes", "severity", "spans"];
    for finding in &findings {
        assert_eq!(finding.as_object().unwrap().keys().collect::<Vec<_>>(), members, "{finding:#}");
        assert_eq!(finding["spans"][0]["file"], "wrong.fold");
        assert_eq!(finding["spans"][0]["primary"], true);
    }
    let repaired = findings.iter().find(|finding| finding["edits"][0]["text"] == "print").unwrap();
    assert_eq!((&repaired["spans"][0]["line"], &repaired["spans"][0]["column"]), (&4.into(), &9.into()));
    let unknown = findings.iter().find(|finding| finding["message"].as_str().unwrap().contains("lne")).unwrap();
    assert_eq!((&unknown["spans"][0]["line"], &unknown["spans"][0]["column"]), (&2.into(), &19.into()));
}

#[test]
fn check_tells_what_functions_can_be_given() {
    let scratch = Scratch::new("authority");
    let text = "import text/csv\nfn count(dir: Dir) -> Int { dir.list(\"\").or([]).len() }\n\
        fn twice(f: fn() -> Int) -> Int { f() + f() }\n\
        fn main(out: Console, data: Dir) { out.print(\"{twice(|| count(data))} {csv.rows(\"\").count()}\") }\n";
    scratch.file("a.fold", text.as_bytes());
    let (code, text) = told(&at(&scratch, &["check", "--authority", "a.fold"]));
    assert_eq!(code, Some(0), "{text}");
    let own: Vec<&str> = text.lines().take(4).map(str::trim_end).collect();
    assert_eq!(
        own,
        [
            "a: Console, Dir, whatever is passed",
            "  main   Console, Dir",
            "  count  Dir",
            "  twice  f: fn() -> Int (function)"
        ]
    );
    assert!(text.contains("text/csv (standard library): "), "{text}");
    let json = stdout(&at(&scratch, &["check", "--authority", "--message-format", "json", "a.fold"]));
    let module: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        module["functions"][1],
        serde_json::json!({
            "name": "count", "main": false, "capabilities": ["Dir"], "passed": []
        })
    );
}

#[test]
fn codes_are_explained() {
    let (code, text) = told(&run(&["check", "--explain", "F0301"]));
    assert!(code == Some(0) && text.starts_with("F0301: ") && text.contains("Wrong:"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(told(&run(&["check", "--explain", "0301"])).1, text);
    let (code, text) = told(&run(&["check", "--explain", "F9999\u{1b}"]));
    assert!(code == Some(1) && text.contains("F9999\\u{1b}"), "{text}");
}

#[test]
fn build_writes_a_module_that_runs() {
    let scratch = Scratch::new("build");
    scratch.file("a.fold", b"fn main(out: Console) { out.print(\"built\") }\n");
    for args in [
        &["build", "a.fold"][..],
        &["build", "a.fold", "-o", "b.wasm", "--no-optimise"],
        &["build", "--portable", "a.fold", "-o", "c.wasm"],
    ] {
        assert_eq!(told(&at(&scratch, args)), (Some(0), String::new()));
    }
    for module in ["a.wasm", "b.wasm", "c.wasm"] {
        assert_eq!(told(&at(&scratch, &["run", module])), (Some(0), "built\n".into()), "{module}");
    }
    let before = std::fs::read(scratch.0.join("a.wasm")).unwrap();
    scratch.file("a.fold", b"fn main(out: Console) { out.prin(1) }\n");
    let (code, text) = told(&at(&scratch, &["build", "a.fold"]));
    assert!(code == Some(1) && text.contains("error[F"), "{text}");
    assert_eq!(std::fs::read(scratch.0.join("a.wasm")).unwrap(), before, "a module that is there stays");
    let (code, text) = told(&at(&scratch, &["build", "a.fold", "-o", "no/where.wasm"]));
    assert!(code == Some(1) && text.contains("error[F"), "{text}");
    let left: Vec<_> = std::fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn fmt_lays_out_and_keeps_comments() {
    let scratch = Scratch::new("fmt");
    let file = scratch.file("a.fold", b"// first\nfn  f( )->Int{\n1 // one\n}\n");
    let laid_out = "// first\nfn f() -> Int {\n    1 // one\n}\n";
    let (code, text) = told(&at(&scratch, &["fmt", "--check"]));
    assert_eq!((code, text.as_str()), (Some(1), "a.fold\n"));
    assert_eq!(told(&at(&scratch, &["fmt"])), (Some(0), String::new()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), laid_out);
    assert_eq!(told(&at(&scratch, &["fmt", "--check", "a.fold"])), (Some(0), String::new()));
    let output = with_input(&["fmt", "-"], b"// first\nfn  f( )->Int{\n1 // one\n}\n");
    assert_eq!(stdout(&output), laid_out, "{}", stderr(&output));
    let wrong = scratch.file("wrong.fold", b"fn f( {");
    let (code, text) = told(&at(&scratch, &["fmt", "wrong.fold"]));
    assert!(code == Some(1) && text.contains("wrong.fold:1:"), "{text}");
    assert_eq!(std::fs::read(wrong).unwrap(), b"fn f( {");
}

#[test]
fn stages_are_shown() {
    let scratch = Scratch::new("stages");
    scratch.file("a.fold", b"fn main(out: Console) { out.print(\"{1 + 2}\") }\n");
    for (stage, part) in [("ast", "main"), ("types", "main"), ("ir", "main"), ("wat", "(func")] {
        let (code, text) = told(&at(&scratch, &["inspect", "a.fold", "--stage", stage]));
        assert!(code == Some(0) && text.contains(part), "{stage}: {text}");
    }
    let (code, text) = told(&at(&scratch, &["inspect", "program.wat", "--stage", "ir"]));
    assert!(code == Some(1) && text.contains(".fold"), "{text}");
}

#[test]
fn a_panic_and_a_trap_are_told_with_lines() {
    let scratch = Scratch::new("trace");
    let text = "fn pick(list: List<Int>, at: Int) -> Int {\n    list[at]\n}\n\n\
        fn deep(n: Int) -> Int {\n    if n == 0 { panic(\"at the end\") }\n    1 + deep(n - 1)\n}\n\n\
        fn main(out: Console, args: Args) {\n    if args.len() > 0 {\n        out.print(\"{pick([1], 5)}\")\n    }\n    out.print(\"{deep(2)}\")\n}\n";
    scratch.file("a.fold", text.as_bytes());
    for tier in TIERS {
        let (code, text) = told(&at(&scratch, &["run", "--tier", tier, "a.fold"]));
        assert_eq!(code, Some(134), "{text}");
        let places: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("a.fold:").map(|(_, place)| place)).collect();
        assert_eq!(places, ["6:17", "7:9", "7:9", "14:17"], "{tier}: {text}");
        assert!(text.contains("at the end") && text.contains("deep  a.fold:7:9"), "{text}");
        let (code, text) = told(&at(&scratch, &["run", "--tier", tier, "a.fold", "x"]));
        assert!(code == Some(134) && text.contains("pick  a.fold:2:5"), "{tier}: {text}");
    }
}

#[test]
fn tests_and_examples_are_run_and_told_of() {
    let scratch = Scratch::new("test");
    let text = "/// Doubles.\n///\n/// ```\n/// assert a.double(2) == 4\n/// ```\n/// ```text\n/// no program\n/// ```\n\
        pub fn double(n: Int) -> Int { n * 2 }\n\n\
        /// ```\n/// assert a.triple(2) == 5, \"two times three\"\n/// ```\npub fn triple(n: Int) -> Int { n * 3 }\n\n\
        /// ```\n/// let x: Int = a.nothing()\n/// ```\npub fn half(n: Int) -> Int { n / 2 }\n\n\
        test \"doubles\" { assert double(3) == 6 }\n\
        test \"fakes are all that there is\" {\n    let dir = Dir.fake([\"a.txt\": \"text\"])\n    assert dir.read_text(\"a.txt\").unwrap() == \"text\"\n}\n\
        test \"fails\" { assert double(3) == 7 }\n";
    scratch.file("a.fold", text.as_bytes());
    let output = at(&scratch, &["test"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    let results: Vec<&str> =
        text.lines().filter(|line| line.starts_with("ok ") || line.starts_with("FAILED")).collect();
    assert_eq!(
        results,
        [
            "ok      a.fold:21  doubles",
            "ok      a.fold:22  fakes are all that there is",
            "FAILED  a.fold:26  fails",
            "ok      a.fold:3  example of double",
            "FAILED  a.fold:11  example of triple",
            "FAILED  a.fold:16  example of half",
        ],
        "{text}"
    );
    assert!(
        text.contains("a.fold:26:16") && text.contains("a.fold:12:5") && text.contains("two times three"),
        "{text}"
    );
    assert!(text.contains("a.fold:17:20") && text.ends_with("3 passed, 3 failed\n"), "{text}");
    let output = at(&scratch, &["test", "--filter", "double", "a.fold"]);
    assert!(
        output.status.code() == Some(0) && stdout(&output).ends_with("2 passed, 0 failed\n"),
        "{}",
        stdout(&output)
    );
    let output = at(&scratch, &["test", "--message-format", "json", "--filter", "fails"]);
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["name"], &lines[0]["result"], &lines[0]["line"]),
        (&"fails".into(), &"failed".into(), &26.into())
    );
    assert_eq!(lines[1], serde_json::json!({ "kind": "summary", "passed": 0, "failed": 1 }));
}

#[test]
fn a_test_that_does_not_end_stops_no_other() {
    let scratch = Scratch::new("endless");
    let text = "test \"first\" { assert true }\ntest \"endless\" { while true {} }\ntest \"deep\" { assert deep(0) == 0 }\n\
        fn deep(n: Int) -> Int { 1 + deep(n + 1) }\ntest \"last\" { assert true }\n";
    scratch.file("a.fold", text.as_bytes());
    let output = at(&scratch, &["test", "--timeout", "1"]);
    let text = stdout(&output);
    assert!(text.contains("FAILED  a.fold:2  endless") && text.contains("--timeout"), "{text}{}", stderr(&output));
    assert!(text.contains("ok      a.fold:5  last") && text.ends_with("2 passed, 2 failed\n"), "{text}");
}

#[test]
fn every_example_of_the_standard_library_passes() {
    let output = run(&["test", "--standard"]);
    let text = stdout(&output);
    let failed: Vec<&str> = text.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert!(output.status.code() == Some(0), "{}\n{}", failed.join("\n"), stderr(&output));
    let passed: usize = text.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(passed >= 50, "{passed} ran");
}

#[test]
fn files_that_are_none_are_told_of() {
    let scratch = Scratch::new("no-files");
    scratch.file("empty.fold", b"");
    scratch.file("bytes.fold", b"fn f() {}\n\xff\n");
    std::fs::create_dir(scratch.0.join("folder.fold")).unwrap();
    for command in ["check", "build", "fmt", "test"] {
        for (file, part) in
            [("none.fold", "no such file"), ("program.wat", ".fold"), ("bytes.fold", "no UTF-8 text from byte 10 on")]
        {
            let output = at(&scratch, &[command, file]);
            let (code, text) = told(&output);
            assert!(code == Some(1) && text.contains(part), "{command} {file}: {code:?} {text}");
        }
        let (code, text) = told(&at(&scratch, &[command, "folder.fold"]));
        assert!(code == Some(1) && text.contains("folder"), "{command}: {text}");
    }
    assert_eq!(told(&at(&scratch, &["check", "empty.fold"])), (Some(0), String::new()));
    let (code, text) = told(&at(&scratch, &["build", "empty.fold"]));
    assert!(code == Some(1) && text.contains("main"), "{text}");
    assert_eq!(told(&at(&scratch, &["fmt", "empty.fold"])), (Some(0), String::new()));
    let output = with_input(&["check", "-"], WRONG.as_bytes());
    assert!(output.status.code() == Some(1) && stderr(&output).contains("<stdin>:1:17"), "{}", stderr(&output));
}

#[test]
fn a_new_package_runs_and_its_tests_pass() {
    let scratch = Scratch::new("new");
    let (code, text) = told(&at(&scratch, &["new", "my-tool"]));
    assert!(code == Some(0) && text.contains("pinfold test my-tool"), "{text}");
    assert_eq!(told(&at(&scratch, &["run", "my-tool/main.fold"])), (Some(0), "Hello, world.\n".into()));
    assert_eq!(told(&at(&scratch, &["run", "my-tool/main.fold", "Ada", "Bob"])).1, "Hello, Ada.\nHello, Bob.\n");
    let (code, text) = told(&at(&scratch, &["test", "my-tool"]));
    assert!(code == Some(0) && text.ends_with("2 passed, 0 failed\n"), "{text}");
    assert_eq!(told(&at(&scratch, &["fmt", "--check", "my-tool"])), (Some(0), String::new()));
    assert_eq!(told(&at(&scratch, &["check", "my-tool"])), (Some(0), String::new()));
    let (code, text) = told(&at(&scratch, &["new", "my-tool"]));
    assert!(code == Some(1) && text.contains("there already"), "{text}");
    for name in ["..", "a b", "no/such/folder"] {
        assert_eq!(at(&scratch, &["new", name]).status.code(), Some(1), "{name}");
    }
}

#[test]
fn documentation_is_one_page_that_tells_authority() {
    let scratch = Scratch::new("doc");
    let text = "//! Counts <things>.\n\n/// How many `files` there are.\npub fn count(dir: Dir) -> Int { dir.list(\"\").or([]).len() }\n\n\
        /// Never seen.\nfn hidden() {}\n\n/// A shape.\npub enum Shape {\n    /// Round.\n    Circle(Int),\n    Empty,\n}\n";
    scratch.file("a.fold", text.as_bytes());
    assert_eq!(told(&at(&scratch, &["doc"])), (Some(0), String::new()));
    let page = std::fs::read_to_string(scratch.0.join("doc.html")).unwrap();
    for part in [
        "<p>Counts &lt;things&gt;.</p>",
        "<h3>fn count(dir: Dir) -&gt; Int</h3>",
        "How many <code>files</code>",
        "<li><code>count</code>: Dir</li>",
        "<h4>Circle(Int)</h4>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("hidden") && !page.contains("<script") && !page.contains("http://"), "{page}");
    scratch.file("b.fold", b"fn f( {");
    let (code, text) = told(&at(&scratch, &["doc", "-o", "other.html"]));
    assert!(code == Some(1) && text.contains("b.fold:1:") && !scratch.0.join("other.html").exists(), "{text}");
}

#[test]
fn a_script_may_begin_with_its_interpreter() {
    let scratch = Scratch::new("shebang");
    scratch.file("a.fold", b"#!/usr/bin/env -S pinfold run\nneeds out: Console\nout.print(\"ran\")\n");
    assert_eq!(told(&at(&scratch, &["run", "a.fold"])), (Some(0), "ran\n".into()));
    assert_eq!(told(&at(&scratch, &["fmt", "--check", "a.fold"])), (Some(0), String::new()));
    assert_eq!(told(&at(&scratch, &["check", "a.fold"])), (Some(0), String::new()));
}

/// The first block of a document after a fence with this mark.
fn block<'a>(text: &'a str, mark: &str) -> &'a str {
    let (_, after) = text.split_once(&format!("```{mark}\n")).unwrap();
    after.split_once("```").unwrap().0
}

#[test]
fn the_first_steps_of_the_readme_are_as_it_says() {
    let scratch = Scratch::new("readme");
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    scratch.file("sizes.fold", block(&readme, "fold").as_bytes());
    let folder = Path::new(env!("CARGO_BIN_EXE_pinfold")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut said = String::new();
    for line in block(&readme, "console").lines().filter_map(|line| line.strip_prefix("$ ")) {
        let mut shell = Command::new("/bin/sh");
        let output = shell
            .args(["-c", line])
            .env("PATH", &path)
            .env("PINFOLD_CACHE", "")
            .current_dir(&scratch.0)
            .output()
            .unwrap();
        said += &format!("$ {line}\n{}{}", stderr(&output), stdout(&output));
    }
    assert_eq!(said, block(&readme, "console"));
}

#[test]
fn all_help_fits_a_terminal() {
    let commands =
        ["run", "check", "test", "fmt", "build", "doc", "new", "inspect", "explain", "doctor", "caps", "cache"];
    let all: Vec<&[&str]> = commands.iter().map(std::slice::from_ref).chain([&[][..]]).collect();
    for (command, flag) in all.iter().flat_map(|command| [(command, "-h"), (command, "--help")]) {
        let text = stdout(&run(&[command, &[flag][..]].concat()));
        assert!(text.lines().count() > 5 && text.lines().all(|line| line.chars().count() <= 80), "{command:?}: {text}");
    }
}

#[test]
fn a_run_of_what_does_not_compile_says_so() {
    let scratch = Scratch::new("no-program");
    scratch.file("wrong.fold", WRONG.as_bytes());
    let (code, text) = told(&at(&scratch, &["run", "wrong.fold"]));
    assert!(code == Some(126) && text.starts_with("pinfold: wrong.fold: it does not compile\n\nerror[F"), "{text}");
    scratch.file("needs.fold", b"needs data: Dir\nlet _ = data.list(\"\")?\n");
    let (code, text) = told(&at(&scratch, &["run", "needs.fold", "x", "--dir", "data=."]));
    assert!(
        code == Some(125) && text.contains("--dir data=PATH") && text.contains("before the program's arg"),
        "{text}"
    );
}

#[test]
fn a_worker_that_says_nothing_is_not_believed() {
    let scratch = Scratch::new("silent");
    let before = b"fn  main( ) {}\n";
    let file = scratch.file("a.fold", before);
    for command in ["check", "fmt", "test", "build", "doc"] {
        let output =
            pinfold(&[command, "a.fold"]).current_dir(&scratch.0).env("PINFOLD_WORKER", "/bin/true").output().unwrap();
        assert_eq!(output.status.code(), Some(160), "{command}: {}", stderr(&output));
    }
    assert_eq!(std::fs::read(file).unwrap(), before);
    assert!(!scratch.0.join("a.wasm").exists() && !scratch.0.join("doc.html").exists());
}
