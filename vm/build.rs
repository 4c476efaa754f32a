//! Tells the code which build it is part of: what one build compiled, another one must not run.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    // What is said of the target, of optimisation and of features.
    let is_said = |name: &str| name.starts_with("CARGO_CFG_") || name.starts_with("CARGO_FEATURE_");
    let mut said: Vec<_> = env::vars().filter(|(name, _)| is_said(name)).collect();
    said.sort();
    said.hash(&mut hasher);
    ["OPT_LEVEL", "DEBUG", "PROFILE", "CARGO_PKG_VERSION"].map(|name| env::var(name).ok()).hash(&mut hasher);
    if let Ok(compiler) = env::var("RUSTC") {
        Command::new(compiler).arg("-vV").output()?.stdout.hash(&mut hasher);
    }
    // Where this is a part of a workspace, its versions of the code generator are pinned there; elsewhere the version says enough.
    // To watch for a file that is not there is to build again each time.
    for path in ["src", "../Cargo.lock"].into_iter().filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
        sources(Path::new(path), &mut hasher)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=PINFOLD_BUILD={:016x}", hasher.finish());
    Ok(())
}

/// All files below a path, in an order of their own.
fn sources(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| sources(entry, hasher));
    }
    (path, fs::read(path)?).hash(hasher);
    Ok(())
}
