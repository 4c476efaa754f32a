//! The packages that a program is made of: what `fold.toml` says that each depends on, and whether they are what the program's `fold.lock`
//! has. Only for whoever is confined.
//!
//! Whoever gathers a program asks for the paths that a `fold.toml` names ([`paths`]) and looks for folders there; which is which, and that
//! nothing is wrong with it, is found out here once more from the same bytes.

use std::collections::BTreeMap;
use std::ops::Range;

use pinfold_compiler::check::STANDARD;
use pinfold_compiler::diagnostic::Diagnostic;
use pinfold_compiler::driver::Rejected;
use pinfold_compiler::source::{FileId, Sources, Span};
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::bundle::{Bundle, LOCK, MANIFEST, PACKAGES, Package};

/// What hashes begin with.
const ALGORITHM: &str = "sha256:";
/// The form of `fold.lock`.
const VERSION: i64 = 1;

/// A package that another one depends on.
struct Dependency {
    /// What its modules' paths begin with.
    name: String,
    name_at: Range<usize>,
    /// Where it is, from the folder of the one that depends on it.
    path: String,
    path_at: Range<usize>,
}

/// What is wrong with a file: where, and what.
struct Wrong {
    at: Range<usize>,
    what: String,
    help: &'static str,
}

/// How packages call each other.
#[derive(Debug, Default)]
pub struct Packages {
    /// Of each package the numbers of those that it depends on, by name.
    pub dependencies: Vec<BTreeMap<String, u32>>,
    /// What comes before the paths of its modules in messages: how the program calls the package, and `/`.
    pub prefixes: Vec<String>,
}

/// The paths that the packages' `fold.toml` files name; none of one with an error in it.
pub fn paths(bundle: &Bundle) -> Vec<Vec<String>> {
    let of = |package: &Package| {
        let found = manifest(&package.manifest).unwrap_or_default();
        found.into_iter().map(|dependency| dependency.path).collect()
    };
    bundle.packages.iter().map(of).collect()
}

/// The packages of a program, each as it was locked.
///
/// # Errors
/// All that is wrong with what `fold.toml` and `fold.lock` say.
pub fn read(bundle: &Bundle) -> Result<Packages, Box<Rejected>> {
    let (packages, mut reader) = resolved(bundle);
    if reader.diagnostics.is_empty() {
        reader.compare();
    }
    reader.finish(packages)
}

/// What `fold.lock` is to be.
///
/// # Errors
/// All that is wrong with what `fold.toml` says.
pub fn lock(bundle: &Bundle) -> Result<String, Box<Rejected>> {
    let (packages, reader) = resolved(bundle);
    reader.finish(packages)?;
    let mut locked: Vec<(&str, String)> = (1..bundle.packages.len())
        .map(|number| (bundle.packages[number].path.as_str(), hash(bundle, number as u32)))
        .collect();
    locked.sort_unstable();
    let mut text = format!(
        "# Written by `pinfold lock`: the packages that this one is made of, as they are meant to be.\n\nversion = {VERSION}\n"
    );
    for (path, hash) in locked {
        text += &format!("\n[[package]]\npath = {}\nhash = \"{hash}\"\n", quoted(path));
    }
    Ok(text)
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\U{:08X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The hash of all that a package is: its `fold.toml`, and its sources by their paths.
fn hash(bundle: &Bundle, number: u32) -> String {
    let mut sources: Vec<_> = bundle.sources.iter().filter(|source| source.package == number).collect();
    sources.sort_unstable_by_key(|source| &source.module);
    let manifest = (MANIFEST, bundle.packages[number as usize].manifest.as_slice());
    let sources = sources.iter().map(|source| (source.module.as_str(), source.bytes.as_slice()));
    let mut hasher = Sha256::new();
    for (name, bytes) in std::iter::once(manifest).chain(sources) {
        for part in [name.as_bytes(), bytes] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    let digits: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{ALGORITHM}{digits}")
}

/// Reads, and says what is wrong.
struct Reader<'a> {
    bundle: &'a Bundle,
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
    /// The `fold.toml` of each package.
    files: Vec<FileId>,
    manifests: Vec<Vec<Dependency>>,
    /// Of each package the first that depends on it, and the place among those that this depends on.
    first: Vec<Option<(usize, usize)>>,
}

/// Which packages there are, and what is wrong with that.
fn resolved(bundle: &Bundle) -> (Packages, Reader<'_>) {
    let mut reader = Reader {
        bundle,
        sources: Sources::default(),
        diagnostics: Vec::new(),
        files: Vec::new(),
        manifests: Vec::new(),
        first: vec![None; bundle.packages.len()],
    };
    for package in &bundle.packages {
        reader.manifest(package);
    }
    let mut packages = Packages::default();
    packages.dependencies = (0..bundle.packages.len()).map(|number| reader.dependencies(number)).collect();
    packages.prefixes = vec![String::new(); bundle.packages.len()];
    // A package comes after the first that depends on it.
    for number in 1..bundle.packages.len() {
        if let Some((of, place)) = reader.first[number].filter(|(of, _)| *of < number) {
            packages.prefixes[number] = format!("{}{}/", packages.prefixes[of], reader.manifests[of][place].name);
        }
    }
    reader.circles(&packages);
    (packages, reader)
}

impl Reader<'_> {
    fn finish(self, packages: Packages) -> Result<Packages, Box<Rejected>> {
        if self.diagnostics.is_empty() {
            return Ok(packages);
        }
        Err(Box::new(Rejected { diagnostics: self.diagnostics, sources: self.sources }))
    }

    fn manifest(&mut self, package: &Package) {
        let text = String::from_utf8_lossy(&package.manifest);
        let file = self.sources.add(package.name.clone(), text);
        self.files.push(file);
        let found = manifest(&package.manifest).unwrap_or_else(|wrong| {
            let message = format!("{} is no description of a package", package.name);
            let span = Span::new(file, wrong.at.start, wrong.at.end);
            self.diagnostics.push(Diagnostic::error("F0805", span, message).label(wrong.what).help(wrong.help));
            Vec::new()
        });
        self.manifests.push(found);
    }

    fn span(&self, package: usize, at: &Range<usize>) -> Span {
        Span::new(self.files[package], at.start, at.end)
    }

    /// The packages that one depends on, by their names.
    fn dependencies(&mut self, number: usize) -> BTreeMap<String, u32> {
        let mut found = BTreeMap::new();
        for place in 0..self.manifests[number].len() {
            if let Some(of) = self.dependency(number, place) {
                found.insert(self.manifests[number][place].name.clone(), of);
                let first = &mut self.first[of as usize];
                *first = first.or(Some((number, place)));
            }
        }
        found
    }

    fn dependency(&mut self, number: usize, place: usize) -> Option<u32> {
        let dependency = &self.manifests[number][place];
        let name = &dependency.name;
        let span = self.span(number, &dependency.name_at);
        let begins = |path: &str| path.split('/').next() == Some(name.as_str());
        let own = self.bundle.sources.iter().find(|source| source.package as usize == number && begins(&source.module));
        let taken = match own {
            Some(own) => Some(format!("{} is of this package, and its path begins so too", own.name)),
            None => STANDARD
                .iter()
                .any(|(path, _)| begins(path.trim_end_matches(".fold")))
                .then(|| "the standard library's paths begin so".to_owned()),
        };
        if let Some(why) = taken {
            let message = format!("no package can be called `{name}` here");
            self.diagnostics.push(Diagnostic::error("F0807", span, message).label(why).help("call it something else"));
            return None;
        }
        let links = &self.bundle.packages[number].links;
        let link = links.iter().find(|link| link.path == dependency.path);
        let missing = || "it was not looked for".to_owned();
        match link.map_or_else(|| Err(missing()), |link| link.to.clone()) {
            Ok(of) if (of as usize) < self.bundle.packages.len() => Some(of),
            Ok(_) => None,
            Err(why) => {
                let span = self.span(number, &dependency.path_at);
                let message = format!("the package `{name}` cannot be had");
                self.diagnostics.push(Diagnostic::error("F0806", span, message).label(why));
                None
            }
        }
    }

    /// Says which packages depend on each other in a circle.
    fn circles(&mut self, packages: &Packages) {
        let mut done = vec![false; packages.dependencies.len()];
        for begin in 0..done.len() {
            if done[begin] {
                continue;
            }
            // Names on the way, each with what is still to be looked at below it.
            let mut way = vec![(begin, packages.dependencies[begin].iter())];
            while let Some((at, rest)) = way.last_mut() {
                let at = *at;
                let Some((name, &next)) = rest.next() else {
                    done[at] = true;
                    way.pop();
                    continue;
                };
                let next = next as usize;
                if let Some(from) = way.iter().position(|(other, _)| *other == next) {
                    let folders = way[from..].iter().map(|(number, _)| *number).chain([next]);
                    let folders: Vec<&str> = folders.map(|number| self.bundle.packages[number].name.as_str()).collect();
                    let place = self.manifests[at].iter().position(|dependency| dependency.name == *name);
                    let span = place.map_or(Span::default(), |place| self.span(at, &self.manifests[at][place].name_at));
                    let message = format!("packages depend on each other in a circle: {}", folders.join(" → "));
                    self.diagnostics.push(
                        Diagnostic::error("F0808", span, message)
                            .label("this closes the circle")
                            .help("move what both need to a package that both depend on"),
                    );
                    return;
                }
                if !done[next] {
                    way.push((next, packages.dependencies[next].iter()));
                }
            }
        }
    }

    /// Says which packages are not what is locked.
    fn compare(&mut self) {
        let Some(root) = self.bundle.packages.first().filter(|_| self.bundle.packages.len() > 1) else { return };
        let command = match root.name.strip_suffix(MANIFEST).map(|folder| folder.trim_end_matches('/')) {
            None | Some("") => "pinfold lock".to_owned(),
            Some(folder) => format!("pinfold lock {folder}"),
        };
        let name = root.name.strip_suffix(MANIFEST).map_or_else(|| LOCK.to_owned(), |folder| format!("{folder}{LOCK}"));
        let locked = match root.lock.as_deref().map(locked) {
            None => None,
            Some(Ok(locked)) => Some(locked),
            Some(Err(wrong)) => {
                let text = String::from_utf8_lossy(root.lock.as_deref().unwrap_or_default());
                let file = self.sources.add(name.clone(), text);
                let message = format!("{name} is no list of locked packages");
                let span = Span::new(file, wrong.at.start, wrong.at.end);
                let help = format!("`{command}` writes it anew");
                self.diagnostics.push(Diagnostic::error("F0809", span, message).label(wrong.what).help(help));
                return;
            }
        };
        for (number, package) in self.bundle.packages.iter().enumerate().skip(1) {
            let Some((of, place)) = self.first[number] else { continue };
            let dependency = &self.manifests[of][place];
            let span = self.span(of, &dependency.name_at);
            let found = hash(self.bundle, number as u32);
            let error = match locked.as_ref().map(|locked| locked.get(&package.path)) {
                Some(Some(hash)) if *hash == found => continue,
                Some(Some(hash)) => {
                    let message = format!("the package `{}` is not what was locked", dependency.name);
                    Diagnostic::error("F0810", span, message)
                        .label("its files are others")
                        .note(format!("locked: {hash}"))
                        .note(format!("found:  {found}"))
                        .help(format!("look at what has changed; `{command}` then locks it as it is"))
                }
                other => {
                    let message = format!("the package `{}` is not locked", dependency.name);
                    let why = if other.is_none() {
                        format!("there is no {name}")
                    } else {
                        format!("{name} has no {}", package.path)
                    };
                    Diagnostic::error("F0809", span, message)
                        .label(why)
                        .note(format!("found: {found}"))
                        .help(format!("`{command}` locks it as it is"))
                }
            };
            self.diagnostics.push(error);
        }
    }
}

/// What a `fold.toml` depends on, in its order.
fn manifest(bytes: &[u8]) -> Result<Vec<Dependency>, Wrong> {
    let table = table(bytes)?;
    let Some((_, dependencies)) = table.iter().find(|(key, _)| key.get_ref() == "dependencies") else {
        return Ok(Vec::new());
    };
    let help = "a line of it is written `shapes = { path = \"../shapes\" }`";
    let wrong = |at: Range<usize>, what: &str| Wrong { at, what: what.into(), help };
    let DeValue::Table(dependencies) = dependencies.get_ref() else {
        return Err(wrong(dependencies.span(), "this is a table"));
    };
    if let Some((name, _)) = dependencies.iter().nth(PACKAGES) {
        return Err(wrong(name.span(), &format!("a package depends on at most {PACKAGES} others")));
    }
    let mut found = Vec::new();
    for (name, value) in dependencies {
        let is_name = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if !is_name(name.get_ref()) {
            return Err(wrong(
                name.span(),
                "the name of a package has small letters, digits and `_`, the first a letter",
            ));
        }
        let DeValue::Table(fields) = value.get_ref() else {
            return Err(wrong(value.span(), "where it is is said by `path`"));
        };
        if let Some((other, _)) = fields.iter().find(|(key, _)| key.get_ref() != "path") {
            return Err(wrong(other.span(), "where it is is said by `path` alone: nothing is fetched"));
        }
        let path = fields.iter().next().map(|(_, path)| path);
        let Some(path) = path else { return Err(wrong(value.span(), "where it is is said by `path`")) };
        let DeValue::String(text) = path.get_ref() else { return Err(wrong(path.span(), "a path is a text")) };
        found.push(Dependency {
            name: name.get_ref().to_string(),
            name_at: name.span(),
            path: text.to_string(),
            path_at: path.span(),
        });
    }
    found.sort_by_key(|dependency| dependency.name_at.start);
    Ok(found)
}

/// The hashes that a `fold.lock` has, by paths.
fn locked(bytes: &[u8]) -> Result<BTreeMap<String, String>, Wrong> {
    let wrong = |at: Range<usize>, what: &str| Wrong { at, what: what.into(), help: "" };
    let table = table(bytes)?;
    let get = |name: &str| table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value);
    match get("version").map(|version| (version.span(), version.get_ref())) {
        Some((_, DeValue::Integer(version))) if version.as_str() == VERSION.to_string() => {}
        Some((at, _)) => return Err(wrong(at, "this version of it is not known")),
        None => return Err(wrong(0..0, "it does not say its version")),
    }
    let Some(packages) = get("package") else { return Ok(BTreeMap::new()) };
    let DeValue::Array(list) = packages.get_ref() else { return Err(wrong(packages.span(), "these are tables")) };
    let mut found = BTreeMap::new();
    for package in list {
        let DeValue::Table(fields) = package.get_ref() else { return Err(wrong(package.span(), "this is a table")) };
        let text = |name: &str| {
            let value = fields.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value.get_ref());
            match value {
                Some(DeValue::String(text)) => Ok(text.to_string()),
                _ => Err(wrong(package.span(), "a package has a `path` and a `hash`")),
            }
        };
        found.insert(text("path")?, text("hash")?);
    }
    Ok(found)
}

fn table(bytes: &[u8]) -> Result<DeTable<'_>, Wrong> {
    let help = "it is written in TOML";
    let text = std::str::from_utf8(bytes).map_err(|error| Wrong {
        at: 0..0,
        what: format!("it is no text from byte {} on", error.valid_up_to()),
        help,
    })?;
    DeTable::parse(text).map(Spanned::into_inner).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        Wrong { at, what: error.message().to_owned(), help }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(path: &str, manifest: &str) -> Package {
        Package { path: path.into(), manifest: manifest.into(), ..Package::default() }
    }

    #[test]
    fn a_lock_is_read_as_it_is_written() {
        let paths = ["", "../a", "../\"quoted\"", "..\\back", "../line\nfeed", "../\u{1F600}", "../\u{7f}"];
        let bundle = Bundle {
            packages: paths.map(|path| package(path, &format!("length = {}", path.len()))).to_vec(),
            sources: Vec::new(),
        };
        let Ok(text) = lock(&bundle) else { panic!("it has errors") };
        let Ok(found) = locked(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(found.len(), paths.len() - 1);
        for (number, path) in paths.iter().enumerate().skip(1) {
            assert_eq!(found[*path], hash(&bundle, number as u32));
        }
    }

    #[test]
    fn no_two_packages_have_the_same_hash() {
        let source = |module: &str, text: &str| crate::bundle::Source {
            package: 0,
            module: module.into(),
            name: String::new(),
            bytes: text.into(),
        };
        let of = |manifest: &str, sources: &[(&str, &str)]| {
            let sources = sources.iter().map(|(module, text)| source(module, text)).collect();
            hash(&Bundle { packages: vec![package("", manifest)], sources }, 0)
        };
        let all = [
            of("", &[]),
            of("a", &[]),
            of("", &[("a", "")]),
            of("", &[("", "a")]),
            of("", &[("a", ""), ("b", "")]),
            of("", &[("ab", "")]),
            of("", &[("a", "b")]),
            of("", &[("a", "b"), ("c", "d")]),
            of("", &[("a", "d"), ("c", "b")]),
        ];
        for (at, hash) in all.iter().enumerate() {
            assert!(!all[..at].contains(hash), "{at}");
        }
        // In whatever order they were found.
        assert_eq!(of("", &[("a", "b"), ("c", "d")]), of("", &[("c", "d"), ("a", "b")]));
        // As `printf '\x09\0\0\0\0\0\0\0fold.toml\0\0\0\0\0\0\0\0' | sha256sum` says.
        assert_eq!(all[0], "sha256:1a59f54761c2b1c91f63b362eda93a1bd807e82c9dead73cebc067af7a795222");
    }
}
