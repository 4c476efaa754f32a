//! Links the unwinder into the executables: loading it as a library, which is all that needs `libgcc_s`, takes a tenth of a millisecond at each start, and a
//! program starts two of them.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CC");
    let is_gnu = std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let Some(out) = std::env::var_os("OUT_DIR").map(PathBuf::from).filter(|_| is_gnu) else { return Ok(()) };
    let [Some(unwinder), Some(arithmetic)] = ["libgcc_eh.a", "libgcc.a"].map(library) else { return Ok(()) };
    // The standard library asks for `libgcc_s`, and the linker takes the first that it finds: these two under that name.
    std::fs::write(
        out.join("libgcc_s.a"),
        format!("INPUT(\"{}\" \"{}\")\n", unwinder.display(), arithmetic.display()),
    )?;
    println!("cargo::rustc-link-arg-bins=-L{}", out.display());
    Ok(())
}

/// Where the C compiler has a library of its own.
fn library(name: &str) -> Option<PathBuf> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    // It answers with the bare name if it has none.
    let path = Path::new(path.trim()).to_owned();
    path.is_absolute().then_some(path)
}
