//! `pinfold cache`: what is kept of programs from run to run.

use pinfold::cache::{self, Cache, Kept};
use pinfold::exit;
use serde::Serialize;

/// Show how much is kept of programs for their next run, or remove it.
///
/// A run keeps what was found out about its program: that it is verified, what its source compiles to, and its machine code. It is used by later
/// runs of the very same program. The folder is that of PINFOLD_CACHE, or else pinfold in $XDG_CACHE_HOME or ~/.cache; with PINFOLD_CACHE set to
/// nothing, or `pinfold run --no-cache`, nothing is kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remove everything that is kept; also what says of files that `pinfold compile -o` wrote that they are this user's.
    #[arg(long)]
    pub clear: bool,
    /// Print as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Told {
    /// None if it is turned off.
    path: Option<String>,
    programs: usize,
    bytes: u64,
    /// Whether they are gone now.
    cleared: bool,
}

/// Shows or clears the cache.
///
/// # Errors
/// If it cannot be used, and why.
pub fn run(args: &Args) -> Result<u8, String> {
    let path = cache::folder_of_user();
    let cache = match &path {
        // Looking is not to make it.
        Some(path) if path.exists() => Some(Cache::at(path).map_err(|error| error.to_string())?),
        _ => None,
    };
    let done =
        cache.as_ref().map_or(Ok(Kept::default()), |cache| if args.clear { cache.clear() } else { cache.kept() });
    let Kept { entries, bytes } = done.map_err(|error| error.to_string())?;
    let path = path.map(|path| path.display().to_string());
    if args.json {
        let told = Told { path, programs: entries, bytes, cleared: args.clear };
        println!("{}", serde_json::to_string_pretty(&told).map_err(|error| error.to_string())?);
        return Ok(exit::SUCCESS);
    }
    match path {
        None => println!("nothing is kept: PINFOLD_CACHE turns it off, or there is no home to keep it in"),
        Some(path) => {
            let (done, s) = (if args.clear { "removed" } else { "kept" }, if entries == 1 { "" } else { "s" });
            println!("{path}: {:.1} MiB of {entries} program{s} {done}", bytes as f64 / f64::from(1 << 20));
        }
    }
    Ok(exit::SUCCESS)
}
