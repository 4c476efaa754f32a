//! The checker on hostile programs: each ends, with an error that names the limit where there is one.

#![expect(clippy::unwrap_used, reason = "what fails in here fails the test")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use pinfold_compiler::check::{self, Loaded, Loader, Memory, Options};
use pinfold_compiler::diagnostic::Diagnostics;
use pinfold_compiler::names::Names;
use pinfold_compiler::source::Sources;

/// The codes of what is found, each once.
fn codes(text: &str) -> Vec<&'static str> {
    codes_of(&mut Memory::new().with("main", "main.fold", text))
}

fn codes_of(loader: &mut dyn Loader) -> Vec<&'static str> {
    let (mut sources, mut names, mut found) = (Sources::default(), Names::default(), Diagnostics::default());
    let options = Options { needs_main: false, ..Options::default() };
    let begin = Instant::now();
    check::check("main", loader, options, &mut sources, &mut names, &mut found);
    // Generous: tests are built without optimisation, on busy machines.
    assert!(begin.elapsed() < Duration::from_secs(120), "it took {:?}", begin.elapsed());
    let mut codes: Vec<&str> = found.iter().map(|found| found.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn repeat(count: usize, mut line: impl FnMut(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, i| {
        text.push_str(&line(i));
        text
    })
}

#[test]
fn tuples_of_tuples_end_in_a_limit() {
    let lets = repeat(64, |i| format!("    let a{} = (a{i}, a{i})\n", i + 1));
    let text = format!("pub fn f() {{\n    let a0 = 1\n{lets}    let _ = a64\n}}\n");
    assert_eq!(codes(&text), ["F0730"]);
}

#[test]
fn types_that_are_written_too_deep_end_in_a_limit() {
    let text = format!("pub fn f(_a: {}Int{}) {{}}\n", "Option<".repeat(200), ">".repeat(200));
    assert_eq!(codes(&text), ["F0730"]);
}

#[test]
fn records_that_grow_end_in_a_limit() {
    let text = "record Grow<T> { next: Option<Grow<(T, T)>>, value: T }\n\
                pub fn f(a: Grow<Int>, b: Grow<Int>) -> String { if a == b { \"{a}\" } else { \"\" } }\n";
    assert_eq!(codes(text), ["F0733"]);
}

#[test]
fn implementations_that_grow_end_in_a_limit() {
    let text = "trait Deep { fn deep(self) }\n\
                impl<T> Deep for List<T> where List<List<T>>: Deep { fn deep(self) {} }\n";
    // Bounds are of type parameters: this one is no program.
    assert!(!codes(text).is_empty());
    let text = "trait Deep<T> { fn deep(self) -> T }\n\
                record Box<T> { value: T }\n\
                impl<T: Deep<U>, U> Deep<Box<U>> for Box<T> { fn deep(self) -> Box<U> { panic(\"\") } }\n\
                pub fn f<T: Deep<T>>(value: T) { value.deep() }\n\
                pub fn g() { f(Box { value: Box { value: 1 } }) }\n";
    assert_eq!(codes(text), ["F0401"]);
}

#[test]
fn long_chains_of_records_are_gone_through_without_recursion() {
    let records = repeat(3000, |i| format!("record R{i} {{ next: Option<R{}> }}\n", i + 1));
    let text = format!(
        "{records}record R3000 {{}}\npub fn f(a: R0, b: R0) -> String {{ if a == b {{ \"{{a}}\" }} else {{ \"\" }} }}\n"
    );
    assert_eq!(codes(&text), [""; 0]);
    let floats = text.replace("record R3000 {}", "record R3000 { f: fn() }");
    assert_eq!(codes(&floats), ["F0401"]);
}

#[test]
fn chains_of_aliases_and_traits_end_in_a_limit() {
    let aliases = repeat(5000, |i| format!("type A{i} = A{}\n", i + 1));
    assert_eq!(codes(&format!("{aliases}type A5000 = Int\n")), ["F0734"]);
    let traits = repeat(1000, |i| format!("trait T{i}: T{} {{}}\n", i + 1));
    assert_eq!(codes(&format!("{traits}trait T1000 {{}}\n")), ["F0733"]);
}

#[test]
fn declarations_with_too_many_parts_end_in_a_limit() {
    let generics = repeat(20_000, |i| format!("T{i}, "));
    assert_eq!(codes(&format!("pub fn f<{generics}>() {{}}\n")), ["F0735"]);
    let fields = repeat(20_000, |i| format!("f{i}: Int, "));
    assert_eq!(codes(&format!("pub record R {{ {fields} }}\n")), ["F0735"]);
    let variants = repeat(20_000, |i| format!("V{i}, "));
    assert_eq!(codes(&format!("pub enum E {{ {variants} }}\n")), ["F0735"]);
    let params = repeat(20_000, |i| format!("_p{i}: Int, "));
    assert_eq!(codes(&format!("pub fn f({params}) {{}}\n")), ["F0735"]);
}

#[test]
fn many_implementations_end_in_a_limit() {
    let records = repeat(700, |i| format!("record R{i} {{}}\nimpl T for List<R{i}> {{}}\n"));
    assert_eq!(codes(&format!("trait T {{}}\n{records}")), ["F0732"]);
}

#[test]
fn long_chains_of_imports_end_in_a_limit() {
    let chain = |length: usize| {
        let module = |i: usize| format!("import m{i}\npub fn f() {{ m{i}.f() }}\n");
        let mut loader = Memory::new().with("main", "main.fold", &module(1));
        for i in 1..length {
            loader = loader.with(&format!("m{i}"), &format!("m{i}.fold"), &module(i + 1));
        }
        codes_of(&mut loader.with(&format!("m{length}"), "last.fold", "pub fn f() {}\n"))
    };
    assert_eq!(chain(199), [""; 0]);
    assert_eq!(chain(200), ["F0731"]);
    assert_eq!(chain(100_000), ["F0731"]);
}

#[test]
fn modules_without_end_end_in_a_limit() {
    /// Each module imports two that nobody imported before.
    struct Endless;
    impl Loader for Endless {
        fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String> {
            let text = if path.len() < 19 { format!("import {path}0\nimport {path}1\n") } else { String::new() };
            Ok(Some(Loaded { name: path.into(), text, package, path: path.into() }))
        }
    }
    let found = codes_of(&mut Endless);
    assert!(found.contains(&"F0731"), "{found:?}");
}

#[test]
fn modules_that_cannot_be_read_are_told() {
    struct Broken(&'static str);
    impl Loader for Broken {
        fn load(&mut self, package: u32, path: &str) -> Result<Option<Loaded>, String> {
            if path == self.0 {
                return Err("the disk is on fire".into());
            }
            Ok(Some(Loaded { name: path.into(), text: "import a\n".into(), package, path: path.into() }))
        }
    }
    assert_eq!(codes_of(&mut Broken("main")), ["F0804"]);
    assert_eq!(codes_of(&mut Broken("a")), ["F0804"]);
}

#[test]
fn errors_without_end_are_told_up_to_a_limit() {
    let lines = repeat(20_000, |i| format!("    unknown{i}()\n"));
    assert_eq!(codes(&format!("pub fn f() {{\n{lines}}}\n")), ["F0201", "F0703"]);
    let functions = repeat(5_000, |i| format!("pub fn f{i}() {{ unknown{i}() }}\n"));
    assert_eq!(codes(&functions), ["F0201", "F0703"]);
}

#[test]
fn many_locals_and_many_uses_take_linear_time() {
    let lets = repeat(20_000, |i| format!("    let a{} = a{i} + a0\n", i + 1));
    assert_eq!(codes(&format!("pub fn f(a0: Int) -> Int {{\n{lets}    a20000\n}}\n")), [""; 0]);
    let lets = repeat(20_000, |_| "    let a = a + 1\n".to_owned());
    assert_eq!(codes(&format!("pub fn f(a: Int) -> Int {{\n{lets}    a\n}}\n")), [""; 0]);
}

#[test]
fn many_closures_of_unknown_types_take_bounded_time() {
    let lets = repeat(3_000, |i| format!("    let f{i} = |x| x.len()\n"));
    let uses = repeat(3_000, |i| format!("    f{}(\"\")\n", 2999 - i));
    assert_eq!(codes(&format!("pub fn f() {{\n{lets}{uses}}}\n")), [""; 0]);
    assert_eq!(codes(&format!("pub fn f() {{\n{lets}}}\n")), ["F0208", "F0302", "F0703"]);
}

#[test]
fn many_empty_lists_that_are_the_same_take_bounded_time() {
    let lets = repeat(3_000, |i| format!("    let a{i} = []\n"));
    let same = repeat(2_999, |i| format!("    assert a{} == a{}\n", 2999 - i, 2998 - i));
    assert_eq!(codes(&format!("pub fn f() {{\n{lets}{same}    let _: List<Int> = a0\n}}\n")), [""; 0]);
}

#[test]
fn a_pattern_of_many_names_takes_linear_time() {
    let names = repeat(20_000, |i| format!("_a{i}, "));
    let text =
        format!("pub fn f(list: List<Int>) -> Bool {{\n    match list {{ [{names}] => true, _ => false }}\n}}\n");
    assert_eq!(codes(&text), [""; 0]);
}

/// Runs on a stack of 8 MiB, as programs have; without optimisation frames are several times larger than with it.
fn on_a_usual_stack(run: fn()) {
    std::thread::Builder::new().stack_size(8 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn the_deepest_nesting_that_is_parsed_is_checked() {
    on_a_usual_stack(check_deep);
}

fn check_deep() {
    let around = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in
        [("(", ")"), ("{ ", " }"), ("one(", ")"), ("if true { ", " } else { 0 }"), ("[", "][0]"), ("(|| ", ")()")]
    {
        // The deepest that the parser takes, found by trying.
        let depth = (1..256).rev().step_by(5).find(|&depth| {
            let text = format!(
                "fn one(n: Int) -> Int {{ n }}\npub fn f() -> Int {{\n    {}\n}}\n",
                around(open, "1", close, depth)
            );
            let found = codes(&text);
            assert!(found.is_empty() || found.contains(&"F0702"), "{open} {depth}: {found:?}");
            found.is_empty()
        });
        assert!(depth.is_some_and(|depth| depth > 50), "{open}: {depth:?}");
    }
}

#[test]
fn long_chains_of_else_if_and_of_calls_end() {
    on_a_usual_stack(check_chains);
}

fn check_chains() {
    let chain = repeat(2_000, |i| format!("if n == {i} {{ {i} }} else "));
    let found = codes(&format!("pub fn f(n: Int) -> Int {{\n    {chain}{{ 0 }}\n}}\n"));
    assert!(found.is_empty() || found.contains(&"F0702"), "{found:?}");
    let mut calls = String::from("text");
    for _ in 0..2_000 {
        let _ = write!(calls, ".trim()");
    }
    assert_eq!(codes(&format!("pub fn f(text: String) -> String {{ {calls} }}\n")), ["F0702"]);
}

#[test]
fn warnings_however_many_make_no_program_wrong() {
    let unused = repeat(1_000, |i| format!("    let unused{i} = {i}\n"));
    let mut loader = Memory::new().with("main", "main.fold", &format!("fn main() {{\n{unused}}}\n"));
    let (mut sources, mut names, mut found) = (Sources::default(), Names::default(), Diagnostics::default());
    let program = check::check("main", &mut loader, Options::default(), &mut sources, &mut names, &mut found);
    assert!(program.is_some());
    assert_eq!(found.iter().count(), 300);
}
