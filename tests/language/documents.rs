//! The code in the documents of the language.
//!
//! A block marked `fold` is a program that runs to its end, or one that is checked only where it is handed more than the console or has no
//! beginning; one marked `fold error CODE` has an error of this code.

use std::path::Path;

use super::program::{End, World, lines, run};
use super::wrong;
use pinfold_compiler::check::Options;
use pinfold_compiler::driver;

struct Block {
    place: String,
    error: Option<String>,
    text: String,
}

/// The blocks of a document.
fn blocks(name: &str) -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let text = std::fs::read_to_string(path).expect("the document");
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(mark) = line.strip_prefix("```fold") else { continue };
        let error = mark.trim().strip_prefix("error ").map(str::to_owned);
        assert!(mark.is_empty() || error.is_some(), "{name}:{}: {mark}", number + 1);
        let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        blocks.push(Block { place: format!("{name}:{}", number + 1), error, text: body.join("\n") });
    }
    blocks
}

#[test]
fn code_in_documents_holds() {
    let mut all = blocks("language.md");
    all.extend(blocks("fold-in-two-pages.md"));
    assert!(all.len() > 25, "{}", all.len());
    let found = wrong(&all, |block| look(block).map_err(|why| format!("{}: {why}", block.place)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn look(block: &Block) -> Result<(), String> {
    let options = Options { needs_main: false, tests: true, ..Options::default() };
    let checked = driver::check("main", &mut super::program::modules(&block.text), options);
    let checked = match (checked, &block.error) {
        (Err(rejected), Some(code)) => {
            let fits = rejected.diagnostics.iter().all(|found| found.code == code.as_str());
            return if fits { Ok(()) } else { Err(lines(&rejected)) };
        }
        (Ok(_), Some(code)) => return Err(format!("it has no error {code}")),
        (Err(rejected), None) => return Err(lines(&rejected)),
        (Ok(checked), None) => checked,
    };
    let Some(main) = &checked.program.main else { return Ok(()) };
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let needs = main.needs.iter().map(|(name, _)| checked.names.text(*name).to_owned()).collect::<Vec<_>>();
    let dirs = needs.iter().map(|name| (name.as_str(), folder.path())).collect();
    let done = run(&checked, &World { dirs, ..World::default() })?;
    if done.end == End::Good { Ok(()) } else { Err(format!("{:?}", done.end)) }
}
