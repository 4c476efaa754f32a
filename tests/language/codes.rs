//! Each code of a diagnostic is met by a test: a case of this suite, or one of the compiler's own.

use std::collections::BTreeSet;
use std::path::Path;

use pinfold_compiler::diagnostic::codes;

use super::case::{self, Kind};

/// Adds the codes in all files below a folder.
fn gather(folder: &Path, met: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, met);
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
    let unmet: Vec<&str> = codes::all().map(|code| code.code).filter(|code| !met.contains(*code)).collect();
    assert!(unmet.is_empty(), "no test has {}", unmet.join(", "));
}
