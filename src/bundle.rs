//! The sources of a Fold program, as one file for a worker.
//!
//! Whoever gathers them only looks for files by their names: what is in them is for the worker to read. A script brings the
//! `.fold` files below its package's folder, the nearest one up from it that holds a `fold.toml`, or else below its own. Folders below
//! that hold a `fold.toml` of their own are other packages.
//!
//! Which packages it depends on stands in `fold.toml`: a worker that has nothing else reads that, and says which paths it names
//! ([`Gathered::question`]); what is found there is added ([`Gathered::answer`]), until no package names others.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use pinfold_vm::module::Bytes;
use serde::{Deserialize, Serialize};

/// What a bundle begins with; nothing else that is run does.
const MAGIC: &[u8; 8] = b"\0fold\x02\0\0";
/// How a source's name ends.
pub const EXTENSION: &str = "fold";
/// The file that makes a folder a package.
pub const MANIFEST: &str = "fold.toml";
/// The file beside it that says how the packages have to be that it depends on.
pub const LOCK: &str = "fold.lock";
/// How many folders up a package is looked for.
const UP: usize = 16;
/// How deep folders are looked into.
const DEPTH: usize = 16;
/// How many files a program may have.
const FILES: usize = 4096;
/// How many packages a program may have.
pub const PACKAGES: usize = 64;
/// How many bytes a `fold.toml` or `fold.lock` may have.
const DESCRIPTION: u64 = 1 << 20;

/// Why sources could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Something cannot be read.
    #[error("{}: {error}", .path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There are too many files.
    #[error("there are more than {FILES} Fold files below {}; put the script into a folder of its own", .0.display())]
    TooMany(PathBuf),
    /// What a worker says of the packages is no answer to what it was asked.
    #[error("the worker gave no answer to which packages there are")]
    NoAnswer,
    /// They are too large together.
    #[error("the Fold files below {} have more than {limit} bytes", .path.display())]
    TooLarge {
        /// The folder.
        path: PathBuf,
        /// Bytes that they may have.
        limit: u64,
    },
}

/// A source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The number of its package.
    pub package: u32,
    /// The module's path in it.
    pub module: String,
    /// What messages call the file.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A package that a program is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// What messages call its `fold.toml`.
    pub name: String,
    /// Where it is, from the program's own package on; empty for that itself.
    pub path: String,
    /// What its `fold.toml` holds.
    pub manifest: Vec<u8>,
    /// What `fold.lock` holds, if it is there: of the program's own package.
    pub lock: Option<Vec<u8>>,
    /// What was found where its `fold.toml` says that others are.
    pub links: Vec<Link>,
}

/// A path that a `fold.toml` names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// As it is written there.
    pub path: String,
    /// The number of the package that is there, or why there is none.
    pub to: Result<u32, String>,
}

/// Sources; the first one is where the program begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Packages, the program's own first; none if that depends on no other.
    pub packages: Vec<Package>,
    /// In order.
    pub sources: Vec<Source>,
}

/// A bundle that is being gathered.
#[derive(Debug)]
pub struct Gathered {
    /// What was found by now.
    pub bundle: Bundle,
    /// The folder of each package, and the same without links.
    folders: Vec<(PathBuf, PathBuf)>,
    /// Of so many packages it is known what they depend on.
    known: usize,
    left: u64,
    limit: u64,
}

/// Whether a file is Fold's, by its name.
pub fn is_fold(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION)
}

impl Gathered {
    /// Begins with a script and what it may import of its own package.
    ///
    /// # Errors
    /// If something cannot be read, or there is too much.
    pub fn script(script: &Path, limit: u64) -> Result<Self, BundleError> {
        let folder = match script.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let root = package(&folder);
        let mut gathered = Self::new(limit);
        let base = root.as_deref().unwrap_or(&folder);
        gathered.add(0, base, script)?;
        // A script without a package and without the word brings nothing: its folder may be anything, as large as it likes.
        let imports = root.is_some() || gathered.bundle.sources.iter().any(|source| mentions_import(&source.bytes));
        if imports {
            gathered.add_below(0, base, script.starts_with("."), Some(script))?;
        }
        if let Some(root) = root {
            gathered.describe(&root, String::new())?;
            if !gathered.bundle.packages.iter().any(depends) {
                gathered.bundle.packages.clear();
            }
        }
        Ok(gathered)
    }

    /// Begins with a package.
    ///
    /// # Errors
    /// If something cannot be read, or there is too much.
    pub fn package(folder: &Path, limit: u64) -> Result<Self, BundleError> {
        let mut gathered = Self::new(limit);
        gathered.add_below(0, folder, false, None)?;
        gathered.describe(folder, String::new())?;
        Ok(gathered)
    }

    fn new(limit: u64) -> Self {
        Self { bundle: Bundle::default(), folders: Vec::new(), known: 0, left: limit, limit }
    }

    /// What a worker is to be asked: which paths these packages name, if there are any that may name some.
    pub fn question(&self) -> Option<Bundle> {
        let packages = self.bundle.packages.get(self.known..).unwrap_or_default();
        let question = || Bundle { packages: packages.to_vec(), sources: Vec::new() };
        packages.iter().any(depends).then(question)
    }

    /// Adds what is at the paths that a worker says that the packages name which it was asked of.
    ///
    /// # Errors
    /// If something cannot be read, there is too much, or it is no answer to that.
    pub fn answer(&mut self, answer: Vec<Vec<String>>) -> Result<(), BundleError> {
        let asked = self.known..self.bundle.packages.len();
        if answer.len() != asked.len() {
            return Err(BundleError::NoAnswer);
        }
        self.known = asked.end;
        for (of, paths) in asked.zip(answer) {
            for path in paths.into_iter().take(PACKAGES) {
                let to = self.link(of, &path)?;
                self.bundle.packages[of].links.push(Link { path, to });
            }
        }
        Ok(())
    }

    /// The package at a path, or why there is none.
    fn link(&mut self, of: usize, path: &str) -> Result<Result<u32, String>, BundleError> {
        let folder = match resolve(&self.folders[of].0, path) {
            Ok(folder) => folder,
            Err(why) => return Ok(Err(why)),
        };
        let whole = match fs::canonicalize(&folder) {
            Ok(whole) => whole,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if let Some(known) = self.folders.iter().position(|(_, other)| *other == whole) {
            return Ok(Ok(known as u32));
        }
        let number = self.bundle.packages.len();
        if number >= PACKAGES {
            return Ok(Err(format!("a program has at most {PACKAGES} packages")));
        }
        let path = joined(&self.bundle.packages[of].path, path);
        self.add_below(number as u32, &folder, true, None)?;
        self.describe(&folder, path)?;
        Ok(Ok(number as u32))
    }

    /// Adds what stands beside a package's sources.
    fn describe(&mut self, folder: &Path, path: String) -> Result<(), BundleError> {
        let error = |path: &Path| {
            let path = path.to_owned();
            move |error| BundleError::Read { path, error }
        };
        let read = |name: &str| {
            let path = folder.join(name);
            let mut bytes = Vec::new();
            let file = File::open(&path).and_then(|file| file.take(DESCRIPTION).read_to_end(&mut bytes));
            file.map_err(error(&path)).map(|_| bytes)
        };
        let is_file = fs::symlink_metadata(folder.join(LOCK)).is_ok_and(|metadata| metadata.is_file());
        let lock = if path.is_empty() && is_file { Some(read(LOCK)?) } else { None };
        let name = plain(folder.join(MANIFEST)).display().to_string();
        let package = Package { name, path, manifest: read(MANIFEST)?, lock, links: Vec::new() };
        self.bundle.packages.push(package);
        self.folders.push((folder.to_owned(), fs::canonicalize(folder).map_err(error(folder))?));
        Ok(())
    }

    /// Adds the sources below a folder, but for one that is there already.
    fn add_below(&mut self, package: u32, base: &Path, as_it_is: bool, but: Option<&Path>) -> Result<(), BundleError> {
        let mut found = Vec::new();
        find(base, 0, true, &mut found, base)?;
        found.sort();
        for path in found {
            let path = if as_it_is { path } else { plain(path) };
            if !but.is_some_and(|other| same(&path, other)) {
                self.add(package, base, &path)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, package: u32, base: &Path, path: &Path) -> Result<(), BundleError> {
        if self.bundle.sources.len() > FILES {
            return Err(BundleError::TooMany(base.to_owned()));
        }
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(self.left + 1).read_to_end(&mut bytes));
        read.map_err(|error| BundleError::Read { path: path.to_owned(), error })?;
        let Some(rest) = self.left.checked_sub(bytes.len() as u64) else {
            return Err(BundleError::TooLarge { path: base.to_owned(), limit: self.limit });
        };
        self.left = rest;
        // What stands in the working directory is named with or without it.
        let relative = path.strip_prefix(base).unwrap_or(path).with_extension("");
        let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let (module, name) = (parts.join("/"), path.display().to_string());
        self.bundle.sources.push(Source { package, module, name, bytes });
        Ok(())
    }
}

/// Whether a package may depend on others: a worker knows better.
fn depends(package: &Package) -> bool {
    let word = b"dependencies";
    package.manifest.windows(word.len()).any(|part| part == word)
}

/// A path without the working directory at its beginning, as a user would write it.
pub fn plain(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
}

/// The folder of the package at a path from another's folder on, which nothing on the way leads away from.
fn resolve(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let written = Path::new(path);
    if path.is_empty() || path.contains('\0') || !written.is_relative() {
        return Err("where a package is is said by a path from the folder of this one".into());
    }
    let mut found = plain(folder.to_owned());
    for part in written.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => found.push(".."),
            _ => {
                found.push(part);
                if fs::symlink_metadata(&found).is_ok_and(|metadata| metadata.is_symlink()) {
                    return Err(format!("{} is a symbolic link", found.display()));
                }
            }
        }
    }
    if found.as_os_str().is_empty() {
        found.push(".");
    }
    if !found.is_dir() {
        return Err(format!("there is no folder {}", found.display()));
    }
    if !fs::symlink_metadata(found.join(MANIFEST)).is_ok_and(|metadata| metadata.is_file()) {
        return Err(format!("there is no {}", found.join(MANIFEST).display()));
    }
    Ok(found)
}

/// A path from where another one leads.
fn joined(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

impl Bundle {
    /// Gathers a script and what it may import of its own package.
    ///
    /// # Errors
    /// If something cannot be read, or there is too much.
    pub fn gather(script: &Path, limit: u64) -> Result<Self, BundleError> {
        Gathered::script(script, limit).map(|gathered| gathered.bundle)
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        // Packages are made of texts, numbers and bytes, which are written whatever they are.
        let mut packages = Vec::new();
        if !self.packages.is_empty() {
            packages = serde_json::to_vec(&self.packages).unwrap_or_default();
        }
        push(&mut out, &packages);
        for source in &self.sources {
            out.extend_from_slice(&source.package.to_le_bytes());
            for part in [source.module.as_bytes(), source.name.as_bytes(), &source.bytes] {
                push(&mut out, part);
            }
        }
        out
    }

    /// From bytes; none if they are no bundle.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let packages = part(&mut rest)?;
        let packages = if packages.is_empty() { Vec::new() } else { serde_json::from_slice(packages).ok()? };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let mut sources = Vec::new();
        while let Some((package, after)) = rest.split_first_chunk() {
            rest = after;
            let (module, name) = (text(part(&mut rest)?)?, text(part(&mut rest)?)?);
            let bytes = part(&mut rest)?.to_vec();
            sources.push(Source { package: u32::from_le_bytes(*package), module, name, bytes });
        }
        rest.is_empty().then_some(Self { packages, sources })
    }

    /// As a sealed file.
    ///
    /// # Errors
    /// If no file can be made.
    pub fn sealed(&self) -> io::Result<Bytes> {
        Bytes::sealed(self.encode().as_slice(), u64::MAX)
    }
}

/// Adds bytes with their number.
fn push(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

/// Takes bytes that were added so.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (part, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *rest = after;
    Some(part)
}

/// The nearest folder up that is a package.
pub fn package(folder: &Path) -> Option<PathBuf> {
    let whole = fs::canonicalize(folder).ok()?;
    let at = whole.ancestors().take(UP).position(|above| above.join(MANIFEST).is_file())?;
    // Named as the script is, so that messages name files so.
    let mut path = folder.to_owned();
    for _ in 0..at {
        path = match path.file_name() {
            Some(_) => path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned),
            None => path.join(".."),
        };
    }
    Some(if path.as_os_str().is_empty() { PathBuf::from(".") } else { path })
}

/// The Fold files below a folder, in order; links and hidden folders are left out.
///
/// # Errors
/// If the folder cannot be read, or there are too many.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>, BundleError> {
    let mut found = Vec::new();
    find(folder, 0, false, &mut found, folder)?;
    found.sort();
    Ok(found)
}

fn mentions_import(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"import"))
}

fn same(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).ok() == fs::canonicalize(b).ok()
}

/// Finds sources below a folder; links and hidden folders are left out, and where one package is wanted others too.
fn find(folder: &Path, depth: usize, of_one: bool, found: &mut Vec<PathBuf>, base: &Path) -> Result<(), BundleError> {
    let error = |error| BundleError::Read { path: folder.to_owned(), error };
    for entry in fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let (kind, path) = (entry.file_type().map_err(error)?, entry.path());
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !hidden && depth < DEPTH {
            if !of_one || !path.join(MANIFEST).is_file() {
                // What cannot be read cannot be imported.
                let _ = find(&path, depth + 1, of_one, found, base);
            }
        } else if kind.is_file() && is_fold(&path) {
            if found.len() >= FILES {
                return Err(BundleError::TooMany(base.to_owned()));
            }
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(script: &Path) -> Vec<String> {
        let bundle = Bundle::gather(script, 1 << 20).unwrap();
        assert_eq!(Bundle::decode(&bundle.encode()).as_ref(), Some(&bundle));
        bundle.sources.into_iter().map(|source| source.module).collect()
    }

    #[test]
    fn a_script_brings_what_it_may_import_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("pack/util/.hidden")).unwrap();
        fs::create_dir(at("pack/bin")).unwrap();
        for path in ["pack/bin/main.fold", "pack/util/a.fold", "pack/util/.hidden/b.fold", "other.fold", "pack/c.txt"] {
            fs::write(at(path), "import x").unwrap();
        }
        fs::write(at("alone.fold"), "let a = 1").unwrap();
        std::os::unix::fs::symlink(at("other.fold"), at("pack/link.fold")).unwrap();
        assert_eq!(modules(&at("alone.fold")), ["alone"]);
        assert_eq!(modules(&at("pack/bin/main.fold")), ["main"]);
        fs::write(at("pack/fold.toml"), "").unwrap();
        assert_eq!(modules(&at("pack/bin/main.fold")), ["bin/main", "util/a"]);
        assert!(matches!(Bundle::gather(&at("pack/bin/main.fold"), 10), Err(BundleError::TooLarge { .. })));
        assert!(matches!(Bundle::gather(&at("none.fold"), 10), Err(BundleError::Read { .. })));
    }

    #[test]
    fn damaged_bundles_are_none() {
        let source = Source { package: 0, module: "a".into(), name: "a.fold".into(), bytes: vec![1, 2, 3] };
        let link = Link { path: "..".into(), to: Err("why".into()) };
        let package = Package { name: "fold.toml".into(), links: vec![link], ..Package::default() };
        let bundle = Bundle { packages: vec![package], sources: vec![source] };
        let bytes = bundle.encode();
        assert_eq!(Bundle::decode(b"\0asm"), None);
        assert_eq!(Bundle::decode(&bytes), Some(bundle));
        for end in MAGIC.len() + 1..bytes.len() {
            let cut = Bundle::decode(&bytes[..end]);
            assert!(cut.is_none_or(|bundle| bundle.sources.is_empty()), "{end}");
        }
    }

    #[test]
    fn paths_are_joined_as_they_lead() {
        for (from, path, whole) in [
            ("", "../a", "../a"),
            ("../a", "../b", "../b"),
            ("../a", "../../b", "../../b"),
            ("a/b", ".././c", "a/c"),
            ("a", "..", "."),
            ("..", "..", "../.."),
        ] {
            assert_eq!(joined(from, path), whole, "{from} {path}");
        }
    }

    #[test]
    fn what_a_package_names_is_added_until_nothing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for (package, manifest) in [("app", "[dependencies]"), ("a", "[dependencies]"), ("b", ""), ("app/inner", "")] {
            fs::create_dir_all(at(package)).unwrap();
            fs::write(at(package).join(MANIFEST), manifest).unwrap();
            fs::write(at(package).join("m.fold"), "").unwrap();
        }
        std::os::unix::fs::symlink(at("b"), at("link")).unwrap();
        fs::create_dir(at("plain")).unwrap();
        let mut gathered = Gathered::script(&at("app/m.fold"), 1 << 20).unwrap();
        let question = gathered.question().unwrap();
        assert_eq!((question.packages.len(), question.sources.len()), (1, 0));
        assert!(matches!(gathered.answer(Vec::new()), Err(BundleError::NoAnswer)));
        let paths = ["../a", "../link", "../plain", "../none", "", "/", "inner", "../app"];
        gathered.answer(vec![paths.map(str::to_owned).to_vec()]).unwrap();
        let links: Vec<_> = gathered.bundle.packages[0].links.iter().map(|link| link.to.clone().ok()).collect();
        assert_eq!(links, [Some(1), None, None, None, None, None, Some(2), Some(0)]);
        // Of the two that were found one may name others.
        assert_eq!(gathered.question().unwrap().packages.len(), 2);
        gathered.answer(vec![vec!["../b".into(), "../app/inner".into()], Vec::new()]).unwrap();
        assert!(gathered.question().is_none());
        let of: Vec<_> =
            gathered.bundle.sources.iter().map(|source| (source.package, source.module.as_str())).collect();
        assert_eq!(of, [(0, "m"), (1, "m"), (2, "m"), (3, "m")]);
        let paths: Vec<_> = gathered.bundle.packages.iter().map(|package| package.path.as_str()).collect();
        assert_eq!(paths, ["", "../a", "inner", "../b"]);
        assert_eq!(gathered.bundle.packages[1].links[1].to, Ok(2));
    }
}
