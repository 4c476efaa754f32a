//! `pinfold lock`: notes how the packages are that a package depends on.

use std::path::{Path, PathBuf};

use pinfold::answer::Answer;
use pinfold::bundle::{self, Gathered, LOCK, MANIFEST};
use pinfold::exit;
use pinfold::job::Fold;
use pinfold_sandbox::Layers;

use crate::ask::{self, Findings, MessageFormat};
use crate::output;

/// Write fold.lock: the hashes of all packages that a package depends on.
///
/// Programs of the package run only as long as those are what was locked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The package's folder [default: the package that the working directory is in].
    pub folder: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If there is no package, it cannot be read, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    let folder = folder(args)?;
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let bundle = ask::whole(Layers::all(), Gathered::package(&folder, limit).map_err(|error| error.to_string())?)?;
    let sealed = bundle.sealed().map_err(|error| error.to_string())?;
    let told = ask::ask(Fold::Lock, &sealed, ask::TIMEOUT)?;
    if !told.is_whole() {
        return Ok(told.explain(ask::TIMEOUT));
    }
    let mut findings = Findings::new(MessageFormat::Text);
    let mut text = None;
    for answer in told.answers {
        match answer {
            Answer::Finding(finding) => findings.print(&finding),
            Answer::Text(lock) => text = Some(lock),
            _ => {}
        }
    }
    findings.finish();
    let Some(text) = text.filter(|_| !findings.has_errors()) else { return Ok(exit::FAILURE) };
    let place = bundle::plain(folder.join(LOCK));
    // One that leads elsewhere would be written there.
    if place.is_symlink() {
        return Err(format!("{} is a symbolic link", place.display()));
    }
    output::write_whole(&place, text.as_bytes())?;
    let count = bundle.packages.len().saturating_sub(1);
    println!("{}: {count} package{}", place.display(), if count == 1 { "" } else { "s" });
    Ok(exit::SUCCESS)
}

fn folder(args: &Args) -> Result<PathBuf, String> {
    let missing = |folder: &Path| format!("there is no {} in {}", MANIFEST, folder.display());
    match &args.folder {
        Some(folder) if folder.join(MANIFEST).is_file() => Ok(folder.clone()),
        Some(folder) => Err(missing(folder)),
        None => bundle::package(Path::new(".")).ok_or_else(|| format!("{} or above", missing(Path::new(".")))),
    }
}
