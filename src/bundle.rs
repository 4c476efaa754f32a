//! The sources of a Fold program, as one file for a worker.
//!
//! Whoever gathers them only looks for files by their names: what is in them is for the worker to read. A script brings the
//! `.fold` files below its package's folder, the nearest one up from it that holds a `fold.toml`, or else below its own.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pinfold_vm::module::Bytes;

/// What a bundle begins with; nothing else that is run does.
const MAGIC: &[u8; 8] = b"\0fold\x01\0\0";
/// How a source's name ends.
pub const EXTENSION: &str = "fold";
/// The file that makes a folder a package.
const PACKAGE: &str = "fold.toml";
/// How many folders up a package is looked for.
const UP: usize = 16;
/// How deep folders are looked into.
const DEPTH: usize = 16;
/// How many files a program may have.
const FILES: usize = 4096;

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
    /// The module's path.
    pub module: String,
    /// What messages call the file.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Sources; the first one is where the program begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// In order.
    pub sources: Vec<Source>,
}

/// Whether a file is Fold's, by its name.
pub fn is_fold(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION)
}

impl Bundle {
    /// Gathers a script and what it may import.
    ///
    /// # Errors
    /// If something cannot be read, or there is too much.
    pub fn gather(script: &Path, limit: u64) -> Result<Self, BundleError> {
        let folder = match script.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let root = package(&folder);
        let mut bundle = Self::default();
        let mut left = limit;
        let base = root.as_deref().unwrap_or(&folder);
        bundle.add(base, script, &mut left, limit)?;
        // A script without a package and without the word brings nothing: its folder may be anything, as large as it likes.
        let imports = root.is_some() || bundle.sources.iter().any(|source| mentions_import(&source.bytes));
        if imports {
            let is_plain = !script.starts_with(".");
            for path in below(base)? {
                let path = path.strip_prefix(".").ok().filter(|_| is_plain).map_or(path.clone(), Path::to_owned);
                if !same(&path, script) {
                    bundle.add(base, &path, &mut left, limit)?;
                }
            }
        }
        Ok(bundle)
    }

    fn add(&mut self, base: &Path, path: &Path, left: &mut u64, limit: u64) -> Result<(), BundleError> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(*left + 1).read_to_end(&mut bytes));
        read.map_err(|error| BundleError::Read { path: path.to_owned(), error })?;
        let Some(rest) = left.checked_sub(bytes.len() as u64) else {
            return Err(BundleError::TooLarge { path: base.to_owned(), limit });
        };
        *left = rest;
        // What stands in the working directory is named with or without it.
        let relative = path.strip_prefix(base).unwrap_or(path).with_extension("");
        let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        self.sources.push(Source { module: parts.join("/"), name: path.display().to_string(), bytes });
        Ok(())
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for source in &self.sources {
            for part in [source.module.as_bytes(), source.name.as_bytes(), &source.bytes] {
                out.extend_from_slice(&(part.len() as u64).to_le_bytes());
                out.extend_from_slice(part);
            }
        }
        out
    }

    /// From bytes; none if they are no bundle.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut part = || {
            let (length, after) = rest.split_first_chunk()?;
            let (part, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            rest = after;
            Some(part.to_vec())
        };
        let mut sources = Vec::new();
        while let Some(module) = part() {
            let (name, bytes) = (part()?, part()?);
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
            sources.push(Source { module: text(module)?, name: text(name)?, bytes });
        }
        Some(Self { sources })
    }

    /// As a sealed file.
    ///
    /// # Errors
    /// If no file can be made.
    pub fn sealed(&self) -> io::Result<Bytes> {
        Bytes::sealed(self.encode().as_slice(), u64::MAX)
    }
}

/// The nearest folder up that is a package.
pub fn package(folder: &Path) -> Option<PathBuf> {
    let whole = fs::canonicalize(folder).ok()?;
    let at = whole.ancestors().take(UP).position(|above| above.join(PACKAGE).is_file())?;
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
    find(folder, 0, &mut found, folder)?;
    found.sort();
    Ok(found)
}

fn mentions_import(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"import"))
}

fn same(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).ok() == fs::canonicalize(b).ok()
}

/// Finds sources below a folder; links and hidden folders are left out.
fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>, base: &Path) -> Result<(), BundleError> {
    let error = |error| BundleError::Read { path: folder.to_owned(), error };
    for entry in fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let (kind, path) = (entry.file_type().map_err(error)?, entry.path());
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !hidden && depth < DEPTH {
            // What cannot be read cannot be imported.
            let _ = find(&path, depth + 1, found, base);
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
        let source = Source { module: "a".into(), name: "a.fold".into(), bytes: vec![1, 2, 3] };
        let bytes = Bundle { sources: vec![source] }.encode();
        assert_eq!(Bundle::decode(b"\0asm"), None);
        for end in MAGIC.len() + 1..bytes.len() {
            let cut = Bundle::decode(&bytes[..end]);
            assert!(cut.is_none_or(|bundle| bundle.sources.is_empty()), "{end}");
        }
    }
}
