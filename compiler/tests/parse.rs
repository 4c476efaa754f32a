//! The lexer and the parser: trees, errors, hostile sources.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pinfold_compiler::diagnostic::render::{Style, render_all};
use pinfold_compiler::diagnostic::{Diagnostic, Diagnostics, Severity, codes, json};
use pinfold_compiler::lexer;
use pinfold_compiler::names::Names;
use pinfold_compiler::parser;
use pinfold_compiler::source::Sources;
use pinfold_compiler::syntax::dump;

fn folder(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "fold"));
    files.sort();
    files
}

fn parse(name: &str, text: &str) -> (String, Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let mut names = Names::default();
    let mut diagnostics = Diagnostics::default();
    let file = parser::parse(id, text, &mut names, &mut diagnostics);
    (dump(&file, &names), diagnostics.into_sorted(), sources)
}

fn codes_of(text: &str) -> Vec<&'static str> {
    parse("test.fold", text).1.iter().map(|diagnostic| diagnostic.code).collect()
}

/// Compares with the file of the same name beside it.
fn snapshot(path: &Path, content: &str) {
    let name = path.file_stem().expect("a name").to_str().expect("UTF-8");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().expect("a folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, content));
}

#[test]
fn trees_are_as_expected() {
    for path in folder("tests/parse") {
        let text = std::fs::read_to_string(&path).expect("readable");
        let (tree, diagnostics, sources) = parse("test.fold", &text);
        assert!(diagnostics.is_empty(), "{}: {}", path.display(), render_all(&diagnostics, &sources, Style::default()));
        snapshot(&path, &tree);
    }
}

/// Each file has several errors that have nothing to do with each other: all are found, and no others.
#[test]
fn errors_are_as_expected() {
    for path in folder("tests/parse/errors") {
        let text = std::fs::read_to_string(&path).expect("readable");
        let (_, diagnostics, sources) = parse("test.fold", &text);
        snapshot(&path, &render_all(&diagnostics, &sources, Style::default()));
    }
}

#[test]
fn diagnostics_are_json() {
    let (_, diagnostics, sources) = parse("a\"\u{1b}\u{202e}.fold", "fn f() {\n\tlet é = foo(1 2)\n}\n");
    let lines: Vec<String> = diagnostics.iter().map(|diagnostic| json(diagnostic, &sources)).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn hidden_characters_are_shown_as_such() {
    let text = "fn f() {\n    let \u{202e}x = \"\u{1b}[31m\"\n    \u{9b}31m\u{200b}\n}\n";
    let (_, diagnostics, sources) = parse("a\u{1b}[2J\u{202e}\n.fold", text);
    assert!(diagnostics.len() > 1);
    for colours in [false, true] {
        let shown = render_all(&diagnostics, &sources, Style { colours, width: 80 });
        assert!(shown.contains("a\\u{1b}[2J\\u{202e}\\u{a}.fold:2:9"), "{shown}");
        let plain: String = if colours {
            shown.replace("\u{1b}[", "").replace("\u{1b}]8;;", "").replace("\u{1b}\\", "")
        } else {
            shown
        };
        let hidden = plain.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}'));
        assert_eq!(hidden, None, "{plain:?}");
    }
}

#[test]
fn only_what_matters_is_shown_of_a_long_line() {
    let text =
        format!("let a = [{}]\nlet b = {} $ {}\n", "1, ".repeat(1000), "1 + ".repeat(100), "2 + ".repeat(10_000));
    let (_, diagnostics, sources) = parse("test.fold", &text);
    let shown = render_all(&diagnostics[..1], &sources, Style::default());
    assert!(shown.contains("--> test.fold:2:410\n"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 90), "{shown}");
}

fn check_codes(prefixes: &[&str]) {
    for code in codes::all().filter(|code| prefixes.iter().any(|prefix| code.code.starts_with(prefix))) {
        if code.rejected.is_empty() {
            continue;
        }
        let (_, found, sources) = parse("test.fold", code.rejected);
        let shown = render_all(&found, &sources, Style::default());
        assert!(found.iter().any(|diagnostic| diagnostic.code == code.code), "{}:\n{shown}", code.code);
        let (_, found, sources) = parse("test.fold", code.accepted);
        assert!(found.is_empty(), "{}:\n{}", code.code, render_all(&found, &sources, Style::default()));
    }
}

#[test]
fn each_code_is_explained_by_a_program_that_has_it() {
    check_codes(&["F00", "F01"]);
}

#[test]
fn each_code_is_in_the_table_once() {
    let table: Vec<&str> = codes::all().map(|code| code.code).collect();
    assert!(table.is_sorted_by(|a, b| a < b), "{table:?}");
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("readable");
            for (at, _) in text.match_indices("\"F0") {
                let code = text.get(at + 1..at + 6).unwrap_or("");
                let whole =
                    code[1..].bytes().all(|byte| byte.is_ascii_digit()) && text.as_bytes().get(at + 6) == Some(&b'"');
                assert!(!whole || codes::find(code).is_some(), "{code} of {} is in no table", path.display());
            }
        }
    }
}

#[test]
fn codes_are_found_however_they_are_written() {
    for written in ["F0102", "f0102", "0102", "102"] {
        assert_eq!(codes::find(written).map(|code| code.code), Some("F0102"));
    }
    assert!(codes::find("F9999").is_none() && codes::find("").is_none() && codes::find("F").is_none());
}

/// Sources that are made to exhaust something end in the error of a limit, soon, on a small stack.
#[test]
fn limits_hold() {
    let many = 1_000_000;
    let nested = |open: &str, close: &str| format!("let x = {}1{}", open.repeat(many), close.repeat(many));
    let deep: Vec<(&str, String)> = vec![
        ("parentheses", nested("(", ")")),
        ("brackets", nested("[", "]")),
        ("open brackets", "[".repeat(many)),
        ("blocks", nested("{", "}")),
        ("mixed", nested("([{", "}])")),
        ("calls", nested("f(", ")")),
        ("indices", nested("f[", "]")),
        ("signs", nested("-", "")),
        ("nots", nested("!~", "")),
        ("closures", nested("|x| ", "")),
        ("closures without parameters", nested("|| ", "")),
        ("returns", nested("return ", "")),
        ("asserts", nested("assert ", "")),
        ("conditions", format!("let x = {}", "if a { ".repeat(many))),
        ("heads", format!("let x = {}", "if ".repeat(many))),
        ("else", format!("if a {{}} {}", "else if a {} ".repeat(many))),
        ("matches", "match ".repeat(many)),
        ("arms", format!("let x = {}", "match a { _ => ".repeat(many / 2))),
        ("records", nested("R { a: ", "}")),
        ("maps", nested("[1: ", "]")),
        ("texts", nested("\"{", "}\"")),
        ("sums", format!("let x = 1{}", " + 1".repeat(many))),
        ("conjunctions", format!("if a{} {{}}", " && let b = c".repeat(many / 2))),
        ("methods", format!("let x = a{}", ".b()".repeat(many))),
        ("fields", format!("let x = a{}", ".b".repeat(many))),
        ("tuple fields", format!("let x = a{}", ".1.1".repeat(many / 2))),
        ("questions", format!("let x = a{}", "?".repeat(many))),
        ("type arguments", format!("let x = a{}", "::<A>".repeat(many / 2))),
        ("types", format!("type X = {}A{}", "List<".repeat(many), ">".repeat(many))),
        ("tuple types", format!("type X = {}", "(A, ".repeat(many))),
        ("functions", format!("type X = {}A", "fn() -> ".repeat(many / 2))),
        ("accesses", format!("type X = {}A", "var ".repeat(many))),
        ("patterns", format!("let {}", "Some(".repeat(many))),
        ("list patterns", format!("let {}", "[..".repeat(many))),
        ("names of patterns", format!("let {}", "a @ ".repeat(many))),
        ("loops", "while a { ".repeat(many)),
    ];
    for (name, text) in deep {
        let begin = Instant::now();
        let found = codes_of(&text);
        assert!(found.contains(&"F0702") || found.contains(&"F0704"), "{name}: {found:?}");
        assert!(found.len() < 4, "{name}: {found:?}");
        assert!(begin.elapsed() < Duration::from_secs(30), "{name}: {:?}", begin.elapsed());
    }
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(codes_of(&"x".repeat(100_000_000)), ["F0701"]);
    assert_eq!(codes_of(&format!("let {} = 1", "x".repeat(lexer::MAX_NAME + 1))), ["F0705"]);
    assert_eq!(codes_of(&format!("let {} = 1", "x".repeat(lexer::MAX_NAME))), [""; 0]);
    assert_eq!(codes_of(&"a;".repeat(lexer::MAX_TOKENS / 2 + 1)), ["F0704"]);
    assert_eq!(codes_of(&"# ".repeat(1_000_000)).len(), lexer::MAX_ERRORS + 1);
    assert_eq!(codes_of(&"let = 1\n".repeat(100_000)).len(), lexer::MAX_ERRORS + 1);
    assert_eq!(codes_of(&")".repeat(1_000_000)).len(), lexer::MAX_ERRORS + 1);
    // The last one is said of an operator that is not gone over yet.
    assert_eq!(codes_of(&"a < b < c\n".repeat(1_000)).len(), lexer::MAX_ERRORS + 1);
    assert_eq!(codes_of(&"1 = 2\n".repeat(1_000)).len(), lexer::MAX_ERRORS + 1);
    for text in [
        "/*".repeat(1_000_000),
        "\"".repeat(999_999),
        "r#".repeat(1_000_000) + "\"",
        "'".repeat(999_999),
        "9".repeat(10_000_000),
    ] {
        let found = codes_of(&text);
        assert!(!found.is_empty() && found.len() <= lexer::MAX_ERRORS + 1, "{found:?}");
    }
}

#[test]
fn the_deepest_source_is_accepted() {
    let depth = parser::MAX_DEPTH as usize;
    for (open, close) in [("(", ")"), ("[", "]"), ("-", "")] {
        let text = |count: usize| format!("let x = {}1{}", open.repeat(count), close.repeat(count));
        let fine = (0..=depth).rev().find(|count| codes_of(&text(*count)).is_empty()).expect("some depth");
        assert!(fine >= depth / 2 - 1, "{open}: {fine}");
    }
    assert_eq!(codes_of(&format!("let x = 1{}", " + 1".repeat(depth - 2))), [""; 0]);
}

/// A source of numbers that are always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// Whatever the source: no panic, errors in the source, all of it can be shown.
#[test]
fn changed_sources_never_panic() {
    let mut files = folder("tests/parse");
    files.extend(folder("tests/parse/errors"));
    for place in ["../stdlib/prelude", "../stdlib/text", "../examples"] {
        files.extend(folder(place));
    }
    let texts: Vec<String> = files.iter().map(|path| std::fs::read_to_string(path).expect("readable")).collect();
    let pieces = [
        "{", "}", "(", ")", "[", "]", "\"", "\"\"\"", "'", "\\", "/*", "*/", "//", "///", "\n", "..", "|", "=>", "::<",
        "é", "\u{202e}", "r#\"", "fn ", "let ", "match ", "if ", "pub ", "import ", "0x", "1e", "{x:", "#", "\r\n",
        "\0",
    ];
    let mut random = Random(1);
    for round in 0..1500 {
        let source = &texts[random.below(texts.len())];
        let from = source.floor_char_boundary(random.below(source.len()));
        let to = source.floor_char_boundary(from + random.below(1200));
        let mut text = source[from.min(to)..to].to_owned();
        for _ in 0..1 + random.below(6) {
            let at = text.floor_char_boundary(random.below(text.len() + 1));
            let end = text.floor_char_boundary(at + random.below(12));
            match random.below(3) {
                0 => text.replace_range(at..end.max(at), ""),
                1 => text.insert_str(at, pieces[random.below(pieces.len())]),
                _ => text.truncate(at),
            }
        }
        let (_, diagnostics, sources) = parse("test.fold", &text);
        for diagnostic in &diagnostics {
            let places = diagnostic
                .secondary
                .iter()
                .map(|label| label.span)
                .chain(diagnostic.edits.iter().map(|edit| edit.span));
            for span in places.chain([diagnostic.primary.span]) {
                let ends = [span.start, span.end].map(|end| text.is_char_boundary(end as usize));
                assert!(
                    span.start <= span.end && ends == [true; 2],
                    "round {round}: {span:?} of {text:?}: {diagnostic:?}"
                );
            }
            json(diagnostic, &sources);
        }
        let shown = render_all(&diagnostics, &sources, Style { colours: round % 2 == 0, width: 80 });
        assert_eq!(shown.is_empty(), diagnostics.is_empty());
        let errors = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        assert_eq!(pinfold_compiler::format::format(&text).is_none(), errors, "{text:?}");
    }
}
