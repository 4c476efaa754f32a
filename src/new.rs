//! `pinfold new`: a package in Fold to begin with.

use std::fs;
use std::io;
use std::path::PathBuf;

use pinfold::exit;

/// Make a package: a folder with a program, a module, and a test.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder; its name is the package's.
    pub folder: PathBuf,
}

const MAIN: &str = "\
//! Greets whoever is named.

import greeting

fn main(out: Console, args: Args) {
    let names = if args.len() == 0 { [\"world\"] } else { args.all() }
    for name in names { out.print(greeting.to(name)) }
}
";

const GREETING: &str = "\
//! Greetings.

/// The greeting for a name.
///
/// ```
/// assert greeting.to(\"you\") == \"Hello, you.\"
/// ```
pub fn to(name: String) -> String { \"Hello, {name}.\" }

test \"a greeting names who is greeted\" { assert to(\"Ada\").contains(\"Ada\") }
";

/// Runs the command.
///
/// # Errors
/// If there is such a folder, or it cannot be made.
pub fn run(args: &Args) -> Result<u8, String> {
    let name = args.folder.file_name().and_then(|name| name.to_str());
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let name = name.filter(is_name).ok_or("a package's name has letters, digits, - and _ only")?;
    let error = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} is there already", args.folder.display()),
        _ => format!("cannot make {}: {error}", args.folder.display()),
    };
    fs::create_dir(&args.folder).map_err(error)?;
    let package = format!("name = \"{name}\"\n");
    for (file, text) in [("fold.toml", package.as_str()), ("main.fold", MAIN), ("greeting.fold", GREETING)] {
        fs::write(args.folder.join(file), text).map_err(error)?;
    }
    let folder = args.folder.display();
    println!("{folder} is made. Next:\n  pinfold run {folder}/main.fold\n  pinfold test {folder}");
    Ok(exit::SUCCESS)
}
