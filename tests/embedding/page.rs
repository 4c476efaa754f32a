//! The page on which the whole interface is (`docs/api.md`), and what each item of it says of itself: compared with the sources, as they are written.
//!
//! What is read of them is how `rustfmt` leaves them: items begin at the margin, methods four columns from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Something with a name, and what stands above it.
#[derive(Clone, Debug, Default)]
struct Item {
    doc: String,
    is_hidden: bool,
    /// Its declaration, up to its body.
    head: String,
}

/// A noun: a type, trait or macro, with its methods.
#[derive(Debug)]
struct Noun {
    item: Item,
    methods: BTreeMap<String, Item>,
    /// The files that they are in.
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file of a module, from the folder of its crate's sources.
fn file(crate_root: &Path, segments: &[&str]) -> PathBuf {
    let folder = segments.iter().fold(crate_root.to_owned(), |path, segment| path.join(segment));
    let alone = folder.with_extension("rs");
    if alone.exists() { alone } else { folder.join("mod.rs") }
}

/// What `pub use` at the margin of a file names: paths, each with whether it is hidden.
fn uses(text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for part in text.split("\npub use ").skip(1) {
        let path = part.split(';').next().unwrap().replace(char::is_whitespace, "");
        let (before, names) = match path.split_once('{') {
            Some((before, names)) => (before.trim_end_matches("::"), names.trim_end_matches('}')),
            None => path.rsplit_once("::").unwrap_or(("", &path)),
        };
        for name in names.split(',').filter(|name| !name.is_empty()) {
            all.push(before.split("::").chain([name]).map(str::to_owned).collect());
        }
    }
    all
}

/// The items of a text that are declared by one of these words, with `indent` before it, by name.
fn items(text: &str, indent: &str, words: &[&str]) -> Vec<(String, Item)> {
    let mut found = Vec::new();
    let mut item = Item::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(rest) = line.strip_prefix(indent).filter(|rest| !rest.starts_with([' ', '}', ')'])) else {
            if line.trim().is_empty() || !line.starts_with(indent) {
                item = Item::default();
            }
            continue;
        };
        if let Some(doc) = rest.strip_prefix("///") {
            item.doc += doc.strip_prefix(' ').unwrap_or(doc);
            item.doc.push('\n');
        } else if rest.starts_with("#[") {
            item.is_hidden |= rest.contains("doc(hidden)");
        } else {
            let declared = words.iter().find_map(|word| rest.strip_prefix(word));
            if let Some(declared) = declared {
                let name: String = declared.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let mut head = rest.to_owned();
                while !head.ends_with(['{', ';']) {
                    let Some(more) = lines.next() else { break };
                    head += more;
                }
                found.push((name, Item { head, ..std::mem::take(&mut item) }));
            }
            item = Item::default();
        }
    }
    found
}

const NOUNS: [&str; 6] = ["pub struct ", "pub enum ", "pub trait ", "pub type ", "macro_rules! ", "pub fn "];
const METHODS: [&str; 5] = ["pub fn ", "pub const fn ", "pub unsafe fn ", "pub const ", "fn "];

/// The methods in a file of a type, and of a trait those that it declares.
fn methods(text: &str, name: &str) -> Vec<(String, Item)> {
    let mut all = Vec::new();
    let mut inside: Option<String> = None;
    let mut is_trait = false;
    for line in text.lines() {
        if let Some(body) = &mut inside {
            if line == "}" {
                let found = items(body, "    ", &METHODS).into_iter();
                all.extend(found.filter(|(_, item)| is_trait || item.head.starts_with("pub ")));
                inside = None;
            } else {
                *body += line;
                body.push('\n');
            }
            continue;
        }
        let of = match line.strip_prefix("impl") {
            Some(rest) if !rest.contains(" for ") => {
                let rest =
                    if rest.starts_with('<') { rest.split_once("> ").map_or("", |(_, rest)| rest) } else { rest };
                Some((rest.trim(), false))
            }
            _ => line.strip_prefix("pub trait ").map(|rest| (rest, true)),
        };
        if let Some((of, of_trait)) = of
            && of.strip_prefix(name).is_some_and(|rest| rest.starts_with(['<', ' ', ':']))
            && line.ends_with('{')
        {
            (inside, is_trait) = (Some(String::new()), of_trait);
        }
    }
    all
}

/// Where a path leads: through what modules name again, to the file of the item.
fn find(crate_root: &Path, segments: &[String]) -> (PathBuf, String) {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (name, module) = segments.split_last().unwrap();
    let at = file(crate_root, module);
    let text = read(&at);
    let Some(path) = uses(&text).into_iter().find(|path| path.last().unwrap() == name) else {
        return (at, (*name).to_owned());
    };
    let named: Vec<String> = match path[0].as_str() {
        "crate" => path[1..].to_vec(),
        _ => module.iter().map(|segment| (*segment).to_owned()).chain(path).collect(),
    };
    find(crate_root, &named)
}

/// The files of a folder, and of those in it.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// What a macro makes of its arguments stands among these with its documentation, deeper than the margin.
fn made_by_macro(text: &str, name: &str) -> Option<Item> {
    let made = [format!("pub enum {name} {{"), format!("{name},"), format!("{name}: ")];
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| {
        line.starts_with("    ") && made.iter().any(|made| line.trim_start().starts_with(made.as_str()))
    })?;
    let is_above = |line: &&&str| line.trim_start().starts_with(['/', '#']);
    let mut doc: Vec<&str> = lines[..at].iter().rev().take_while(is_above).map(|line| line.trim()).collect();
    doc.reverse();
    let doc = doc.iter().filter_map(|line| line.strip_prefix("///")).map(|line| format!("{line}\n")).collect();
    Some(Item { doc, ..Item::default() })
}

fn noun(crate_root: &Path, segments: &[String]) -> Noun {
    let (at, name) = find(crate_root, segments);
    let text = read(&at);
    let named = |(other, item): (String, Item)| (other == name).then_some(item);
    let item = items(&text, "", &NOUNS).into_iter().find_map(named).or_else(|| made_by_macro(&text, &name));
    let item = item.unwrap_or_else(|| panic!("{name} is not in {}", at.display()));
    // Its methods are in its own file, in others of the same folder, and, what embedders alone have, in `api`.
    let mut files = vec![at.clone()];
    let folder = at.parent().unwrap();
    if folder != crate_root {
        sources(folder, &mut files);
    }
    if crate_root.join("api").exists() {
        sources(&crate_root.join("api"), &mut files);
    }
    files.sort();
    files.dedup();
    let texts: Vec<String> = files.iter().map(|file| read(file)).collect();
    let mut all: BTreeMap<String, Item> = texts.iter().flat_map(|text| methods(text, &name)).collect();
    all.retain(|_, method| !method.is_hidden);
    Noun { item, methods: all, text: texts.concat() }
}

/// All nouns, by the section of the page and the name that they have there.
fn interface() -> BTreeMap<(&'static str, String), Noun> {
    let (own, vm) = (root().join("src"), root().join("vm/src"));
    let mut all = BTreeMap::new();
    for (section, module) in [("pinfold", "lib"), ("pinfold::wasm", "wasm"), ("pinfold::host", "host")] {
        for path in uses(&read(&own.join(module).with_extension("rs"))) {
            let name = path.last().unwrap().clone();
            match path[0].as_str() {
                // They are of the low layer.
                "wasm" => {}
                // Derived traits have the traits' names.
                "pinfold_derive" => {
                    all.entry((section, name.clone())).or_insert_with(|| {
                        let text = read(&own.join("lib.rs"));
                        let doc =
                            text.split("\npub use pinfold_derive::").next().unwrap().rsplit("\n\n").next().unwrap();
                        Noun {
                            item: Item { doc: doc.replace("///", ""), ..Item::default() },
                            methods: BTreeMap::new(),
                            text,
                        }
                    });
                }
                "pinfold_vm" => drop(all.insert((section, name), noun(&vm, &path[1..]))),
                _ => drop(all.insert((section, name), noun(&own, &path))),
            }
        }
    }
    for module in ["finding", "trace"] {
        for (name, item) in items(&read(&own.join(module).with_extension("rs")), "", &NOUNS) {
            if !item.is_hidden {
                let noun = noun(&own, &[module.to_owned(), name.clone()]);
                all.insert(("pinfold", format!("{module}::{name}")), noun);
            }
        }
    }
    all.insert(("pinfold", "grants".into()), noun(&own, &["embed".into(), "grants".into(), "grants".into()]));
    all
}

/// The rows of the page: section, nouns, and what they have.
fn rows(page: &str) -> Vec<(String, Vec<String>, BTreeSet<String>)> {
    let mut section = String::new();
    let mut rows = Vec::new();
    let spans = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = spans(title).remove(0);
        } else if let Some(cells) = line.strip_prefix("| `") {
            let cells: Vec<&str> = cells.split(" | ").collect();
            let nouns = spans(&format!("`{}", cells[0]));
            rows.push((section.clone(), nouns, spans(cells[2]).into_iter().collect()));
        }
    }
    rows
}

#[test]
fn all_of_the_interface_is_on_the_page_and_nothing_else() {
    let page = read(&root().join("docs/api.md"));
    let interface = interface();
    let mut told = BTreeSet::new();
    let mut wrong = Vec::new();
    for (section, nouns, members) in rows(&page) {
        let mut methods = BTreeSet::new();
        let mut texts = String::new();
        for name in &nouns {
            let Some((key, noun)) = interface.iter().find(|((of, other), _)| *of == section && other == name) else {
                wrong.push(format!("{section} has no {name}"));
                continue;
            };
            told.insert(key.clone());
            methods.extend(noun.methods.keys().cloned());
            texts += &noun.text;
        }
        wrong.extend(methods.difference(&members).map(|missing| format!("{nouns:?} lacks {missing}")));
        for member in members.difference(&methods) {
            let is_there = match member.strip_prefix('.') {
                Some(field) => texts.contains(&format!("pub {field}: ")),
                // A variant, or what a macro makes.
                None => texts.lines().any(|line| {
                    line.trim_start()
                        .strip_prefix(member.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '(', ' ', ':']))
                        || line.contains(&format!("fn {member}("))
                        || line.contains(&format!("const {member}: "))
                }),
            };
            if !is_there {
                wrong.push(format!("{nouns:?} has no {member}"));
            }
        }
    }
    wrong.extend(
        interface
            .keys()
            .filter(|key| !told.contains(*key))
            .map(|(section, name)| format!("{section}::{name} is not there")),
    );
    assert!(wrong.is_empty(), "docs/api.md: {wrong:#?}");
}

#[test]
fn every_item_has_an_example_and_says_how_it_fails() {
    let has_example = |doc: &str| doc.lines().any(|line| line.trim() == "```");
    let mut wrong = Vec::new();
    for ((section, name), noun) in &interface() {
        if noun.item.doc.trim().is_empty() {
            wrong.push(format!("{section}::{name} is not documented"));
        }
        if !has_example(&noun.item.doc) && !noun.methods.values().any(|method| has_example(&method.doc)) {
            wrong.push(format!("{section}::{name} has no example"));
        }
        for (method, item) in &noun.methods {
            let gives = item.head.rsplit_once(") -> ").map_or("", |(_, result)| result);
            if gives.starts_with("Result<") && !item.doc.contains("# Errors") {
                wrong.push(format!("{section}::{name}::{method} does not say how it fails"));
            }
            if item.doc.contains("# Panics") {
                wrong.push(format!("{section}::{name}::{method} panics"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn code_on_the_page_is_from_examples_that_run() {
    let examples: Vec<String> = ["lib", "host", "wasm", "embed/vm"]
        .iter()
        .flat_map(|module| {
            let text = read(&root().join("src").join(module).with_extension("rs"));
            let lines = text.lines().filter_map(|line| line.strip_prefix("//! ").or_else(|| line.strip_prefix("/// ")));
            lines.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let page = read(&root().join("docs/api.md"));
    let code = page.split("```rust\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines());
    let (mut lines, mut foreign) = (0, Vec::new());
    for line in code {
        lines += 1;
        if !examples.iter().any(|example| example == line) {
            foreign.push(line);
        }
    }
    assert!(lines > 10 && foreign.is_empty(), "{foreign:#?}");
}
