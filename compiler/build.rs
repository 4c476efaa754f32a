//! Makes the table of the standard library's files, with their texts and what they declare.

#[path = "build/outline.rs"]
mod outline;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use outline::{Entry, outline};

fn main() -> io::Result<()> {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?).join("../stdlib");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=../stdlib");
    let mut files = Vec::new();
    collect(&root, "", &mut files)?;
    files.sort();
    let (mut texts, mut outlines) = (String::from("&[\n"), String::from("&[\n"));
    for (name, path) in files {
        let _ = writeln!(texts, "    ({name:?}, include_str!({:?})),", path.display().to_string());
        outlines.push_str("    &[\n");
        for entry in outline(&fs::read_to_string(&path)?) {
            write_entry(&mut outlines, &entry);
        }
        outlines.push_str("    ],\n");
    }
    texts.push(']');
    outlines.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("standard.rs"), texts)?;
    fs::write(out.join("outlines.rs"), outlines)
}

/// An entry as an expression.
fn write_entry(out: &mut String, entry: &Entry) {
    let Entry { kind, public, has_body, changes_self, span, name, of, inside } = entry;
    let range = |range: &std::ops::Range<usize>| format!("({}, {})", range.start, range.end);
    let (span, name, of, inside) = (range(span), range(name), range(of), range(inside));
    let _ = writeln!(
        out,
        "        Entry {{ kind: Kind::{kind}, public: {public}, has_body: {has_body}, changes_self: {changes_self}, \
         span: {span}, name: {name}, of: {of}, inside: {inside} }},"
    );
}

/// All `.fold` files below a folder, named from the library's root on.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, path) = (format!("{prefix}{}", entry.file_name().to_string_lossy()), entry.path());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if name.ends_with(".fold") {
            files.push((name, path));
        }
    }
    Ok(())
}
