//! What is looked at of the standard library changes nothing: of each program all comes of it that comes where all signatures are resolved.

use std::path::Path;

use pinfold_compiler::Options;
use pinfold_compiler::check;
use pinfold_compiler::driver::{self, Rejected};

use super::program::{lines, modules};
use super::{case, wrong};

/// A program's module, with and without the optimiser, or all that is wrong with it.
fn outcome(text: &str, all_signatures: bool, embedded: bool) -> Result<[Vec<u8>; 2], String> {
    let options = check::Options { all_signatures, embedded, needs_main: !embedded, ..check::Options::default() };
    let checked = driver::check("main", &mut modules(text), options).map_err(|rejected| lines(&rejected))?;
    let compile = |options| checked.compile(options).map_err(|rejected| lines(&rejected));
    let plain = Options { optimise: false, tests: true, ..Options::default() };
    let module = [compile(Options::default())?, compile(plain)?];
    match checked.warnings.is_empty() {
        true => Ok(module),
        false => Err(lines(&Rejected { diagnostics: checked.warnings, sources: checked.sources })),
    }
}

#[test]
fn programs_are_the_same_if_all_of_the_standard_library_is_looked_at() {
    let mut programs: Vec<(String, String)> = case::all().into_iter().map(|case| (case.place(), case.text)).collect();
    for folder in ["examples", "benches/fold"] {
        for path in case::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "fold") {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            programs.push((path.display().to_string(), text));
        }
    }
    let wrong = wrong(&programs, |(name, text)| {
        for embedded in [false, true] {
            let (some, all) = (outcome(text, false, embedded), outcome(text, true, embedded));
            if some != all {
                let why = match (some, all) {
                    (Err(some), Err(all)) => format!("{some}\n  and not\n{all}"),
                    (Err(why), Ok(_)) | (Ok(_), Err(why)) => format!("only one of two is wrong: {why}"),
                    (Ok(_), Ok(_)) => "it is another module".to_owned(),
                };
                return Err(format!("{name}: {why}"));
            }
        }
        Ok(())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(programs.len() > 500, "{}", programs.len());
}
