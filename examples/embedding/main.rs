//! Host programs that run Fold, one a module.
//!
//!     cargo run --example embedding -- plugins | rules | formulas | handler | tools | game | confined

mod confined;
mod formulas;
mod game;
mod handler;
mod plugins;
mod rules;
mod tools;

use std::error::Error;
use std::io::Write;

/// Runs an example, which writes to `out`.
pub type Example = fn(out: &mut dyn Write) -> Result<(), Box<dyn Error>>;

/// Each with its name.
pub const EXAMPLES: [(&str, Example); 7] = [
    ("plugins", plugins::run),
    ("rules", rules::run),
    ("formulas", formulas::run),
    ("handler", handler::run),
    ("tools", tools::run),
    ("game", game::run),
    ("confined", confined::run),
];

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1);
    for (name, run) in EXAMPLES.iter().filter(|(name, _)| wanted.as_deref().is_none_or(|wanted| wanted == *name)) {
        println!("{name}");
        run(&mut std::io::stdout())?;
    }
    Ok(())
}
