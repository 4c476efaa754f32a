//! Each code of a diagnostic is met by a test: a case of this suite, or one of the compiler's own.

use std::collections::BTreeSet;
use std::path::Path;

use pinfold_compiler::diagnostic::codes;

use super::case::{self, Kind};

/// Codes that no source in a file has, since it would be too large, or the fault is not in it; each with the file of the test that meets it, and
/// the test's name.
const WITHOUT_A_CASE: [(&str, &str, &str); 15] = [
    // 16 MiB of text, 4 million tokens, 100 errors.
    ("F0701", "compiler/tests/parse.rs", "sizes_are_bounded"),
    ("F0703", "compiler/tests/limits.rs", "errors_without_end_are_told_up_to_a_limit"),
    ("F0704", "compiler/tests/parse.rs", "sizes_are_bounded"),
    // Deeper than the parser lets anything nest.
    ("F0712", "compiler/src/ir/tests/limits.rs", "expressions_that_are_too_deep_end_in_a_limit"),
    // A standard library that is wrong.
    ("F0713", "compiler/src/ir/tests/limits.rs", "intrinsic_functions_that_nobody_knows_are_named"),
    // Millions of parts of values.
    ("F0722", "compiler/src/access/tests/mod.rs", "programs_with_too_many_parts_of_values_end_in_a_limit"),
    // Hundreds of modules; of implementations.
    ("F0731", "compiler/tests/limits.rs", "long_chains_of_imports_end_in_a_limit"),
    ("F0732", "compiler/tests/limits.rs", "many_implementations_end_in_a_limit"),
    // A file that is no text.
    ("F0804", "compiler/tests/limits.rs", "modules_that_cannot_be_read_are_told"),
    // What is wrong in `fold.toml`, not in a source.
    ("F0805", "tests/cli/packages.rs", "a_description_that_is_none_is_told"),
    ("F0806", "tests/cli/packages.rs", "a_package_is_where_its_path_leads"),
    ("F0807", "tests/cli/packages.rs", "names_of_packages_mean_nothing_else"),
    ("F0808", "tests/cli/packages.rs", "packages_in_a_circle_are_told"),
    ("F0809", "tests/cli/packages.rs", "what_is_not_locked_does_not_run"),
    ("F0810", "tests/cli/packages.rs", "what_is_not_as_it_was_locked_does_not_run"),
];

/// Adds the codes in all files below a folder, but those of the tests themselves: a code that stands there need not be met.
fn gather(folder: &Path, met: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, met);
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for (at, _) in text.match_indices("F0") {
            let code: String = text[at..].chars().take(5).collect();
            if code.len() == 5 && code[1..].bytes().all(|byte| byte.is_ascii_digit()) {
                met.insert(code);
            }
        }
    }
}

#[test]
fn each_code_is_met_by_a_test() {
    let mut met = BTreeSet::new();
    let compiler = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiler");
    for folder in ["tests", "src/exhaustive/tests", "src/access/tests", "src/ir/tests"] {
        gather(&compiler.join(folder), &mut met);
    }
    let rejected = case::all().into_iter().filter(|case| case.kind == Kind::Reject);
    met.extend(rejected.flat_map(|case| case.expected()).map(|expected| expected.code));
    let has_a_test = |code: &str| {
        let Some((_, file, test)) = WITHOUT_A_CASE.iter().find(|(other, ..)| *other == code) else { return false };
        let text =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("the file of a test");
        let (_, from) =
            text.split_once(&format!("#[test]\nfn {test}() {{\n")).unwrap_or_else(|| panic!("{file} has no {test}"));
        let (body, _) = from.split_once("\n}\n").expect("the end of the test");
        body.contains(&format!("{code:?}"))
    };
    let unmet: Vec<&str> =
        codes::all().map(|code| code.code).filter(|code| !met.contains(*code) && !has_a_test(code)).collect();
    assert!(unmet.is_empty(), "no test has {}", unmet.join(", "));
    let needless: Vec<&str> =
        WITHOUT_A_CASE.iter().map(|(code, ..)| *code).filter(|code| met.contains(*code)).collect();
    assert!(needless.is_empty(), "there are cases of {}", needless.join(", "));
}
