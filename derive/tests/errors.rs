//! What the macros say of what they do not take, and where.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The library with the macros: the newest beside this test.
fn library() -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    let beside = std::fs::read_dir(executable.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("libpinfold_derive-") && name.ends_with(".so")
    };
    let age = |path: &PathBuf| path.metadata().unwrap().modified().unwrap();
    beside.filter(is_ours).max_by_key(age).unwrap()
}

/// The errors of a file, each on a line: its place and what is wrong.
fn errors(file: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong").join(file);
    let compiled = Command::new(option_env!("RUSTC").unwrap_or("rustc"))
        .args(["--edition=2024", "--error-format=short", "--emit=metadata", "--extern"])
        .arg(format!("pinfold_derive={}", library().display()))
        .arg("--out-dir")
        .arg(folder.path())
        .arg(file)
        .current_dir(path.parent().unwrap())
        .output()
        .unwrap();
    assert!(!compiled.status.success());
    let errors = String::from_utf8(compiled.stderr).unwrap();
    let mut errors: Vec<&str> = errors.lines().filter(|line| line.starts_with(file)).collect();
    errors.sort_by_key(|line| line.split(':').skip(1).take(2).map(|n| n.parse().unwrap_or(0)).collect::<Vec<u32>>());
    errors.join("\n")
}

#[test]
fn what_is_no_capability_is_told_at_its_place() {
    insta::assert_snapshot!(errors("capability.rs"));
}
