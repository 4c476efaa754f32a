//! Host programs that run WebAssembly, one a module. Each does what a small example of wasmtime's does, and is written so that it is a program for
//! wasmtime too: only what is in scope as `wasm` says which of them it is for. The tests run them with both.
//!
//!     cargo run --example wasm -- hello | memory | multi | linking | fuel

mod programs;

use std::error::Error;

use pinfold::wasm;

pub use programs::EXAMPLES;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1);
    for (name, run) in EXAMPLES.iter().filter(|(name, _)| wanted.as_deref().is_none_or(|wanted| wanted == *name)) {
        println!("{name}");
        run(&mut std::io::stdout())?;
    }
    Ok(())
}
