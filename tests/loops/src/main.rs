//! Runs modules in the interpreter, built as a release is: `pinfold-loops FOLDER`.
//!
//! The modules are those that `tests/differential/stack.rs` writes. Each runs forms of an operator so often that a handler which leaves two
//! words on the native stack, instead of jumping to the next, uses it up.

use std::error::Error;
use std::fs;

use pinfold_vm::api::{Config, Engine, Linker, Module, Store, Tier};

/// Fewer modules than this are not those of all operators.
const LEAST: usize = 400;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("which folder?")?;
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.sort();
    for file in &files {
        run(&fs::read(file)?).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    println!("{} loops over all operators leave the native stack as it was", files.len());
    if files.len() < LEAST { Err("there are too few of them".into()) } else { Ok(()) }
}

fn run(bytes: &[u8]) -> Result<(), pinfold_vm::api::Error> {
    let engine = Engine::new(Config::new().tier(Tier::Interpreter))?;
    let module = Module::new(&engine, bytes)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    instance.get_typed_func::<(), ()>(&store, "_start")?.call(&mut store, ())
}
