//! Host programs that run Fold, one a module; and one that runs Python, by a module of its own.
//!
//!     cargo run --example embedding -- plugins | rules | formulas | handler | tools | game | confined | pool
//!     cargo run --release --example embedding -- python tests/guests/cache/python.wasm

mod confined;
mod formulas;
mod game;
mod handler;
mod plugins;
pub mod pool;
pub mod python;
mod rules;
mod tools;

use std::error::Error;
use std::io::Write;
use std::path::Path;

/// Runs an example, which writes to `out`.
pub type Example = fn(out: &mut dyn Write) -> Result<(), Box<dyn Error>>;

/// Each with its name.
pub const EXAMPLES: [(&str, Example); 8] = [
    ("plugins", plugins::run),
    ("rules", rules::run),
    ("formulas", formulas::run),
    ("handler", handler::run),
    ("tools", tools::run),
    ("game", game::run),
    ("confined", confined::run),
    ("pool", pool::run),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next();
    if wanted.as_deref() == Some("python") {
        let module = arguments.next().ok_or("python takes the path of CPython, which tests/guests/fetch gets")?;
        return python::run(Path::new(&module), &mut std::io::stdout());
    }
    for (name, run) in EXAMPLES.iter().filter(|(name, _)| wanted.as_deref().is_none_or(|wanted| wanted == *name)) {
        println!("{name}");
        run(&mut std::io::stdout())?;
    }
    Ok(())
}
