//! Links the C library and the unwinder into the executables: loading each takes a tenth of a millisecond at each start, and a program
//! starts two of them. What the C compiler has no archive of is loaded.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the standard library asks for beside the unwinder.
const LIBRARIES: [&str; 6] = ["c", "m", "rt", "pthread", "util", "dl"];

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CC");
    let is = |name: &str| std::env::var(name).is_ok_and(|system| system == "x86_64-unknown-linux-gnu");
    // The C compiler is asked, which is that of the host.
    let is_gnu = is("TARGET") && is("HOST");
    // Sanitizers take the place of what is loaded; and with this feature the compiler does by itself what is done here.
    let is_sanitized = std::env::var_os("CARGO_CFG_SANITIZE").is_some();
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_ours = is_gnu && !is_sanitized && !features.split(',').any(|feature| feature == "crt-static");
    let Some(out) = std::env::var_os("OUT_DIR").map(PathBuf::from).filter(|_| is_ours) else { return Ok(()) };
    let [Some(unwinder), Some(arithmetic)] = ["libgcc_eh.a", "libgcc.a"].map(library) else { return Ok(()) };
    let has_archives = library("rcrt1.o").is_some() && library("libc.a").is_some();
    // Each by itself, so that nothing is left of an earlier build.
    let folder = out.join(if has_archives { "all" } else { "unwinder" });
    std::fs::create_dir_all(&folder)?;
    // The linker takes the first library of a name that it finds: these, under the names of those that would be loaded.
    let stand_in = |name: &str, archives: &[&PathBuf]| {
        let list: String = archives.iter().map(|path| format!(" \"{}\"", path.display())).collect();
        std::fs::write(folder.join(format!("lib{name}.a")), format!("GROUP({list} )\n"))
    };
    stand_in("gcc_s", &[&unwinder, &arithmetic])?;
    println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
    if has_archives {
        for name in LIBRARIES {
            if let Some(archive) = library(&format!("lib{name}.a")) {
                // They need one another.
                stand_in(name, &[&archive, &unwinder, &arithmetic])?;
            }
        }
        println!("cargo::rustc-link-arg-bins=-static-pie");
    }
    Ok(())
}

/// Where the C compiler has a file of its own, or of the C library.
fn library(name: &str) -> Option<PathBuf> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    // It answers with the bare name if it has none.
    let path = Path::new(path.trim()).to_owned();
    path.is_absolute().then_some(path)
}
