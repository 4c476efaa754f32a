//! A guest that calls its host, which keeps what it has to remember in the store.

use std::error::Error;
use std::io::Write;

use super::wasm::{Caller, Engine, Func, Instance, Module, Store};

const GUEST: &str = r#"(module
    (import "host" "greet" (func $greet (param i32)))
    (func (export "run")
        (call $greet (i32.const 1))
        (call $greet (i32.const 2))))"#;

/// What the store holds for the host.
#[derive(Default)]
struct Guestbook {
    lines: Vec<String>,
}

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(GUEST)?)?;
    let mut store = Store::new(&engine, Guestbook::default());
    // The parameters are those of the import. The first one is no part of it: it leads to the store, and may be left out.
    let greet = Func::wrap(&mut store, |mut caller: Caller<'_, Guestbook>, visitor: i32| {
        caller.data_mut().lines.push(format!("hello, number {visitor}"));
    });
    // What is imported, in the module's order. Where there is more of it, a linker finds it by its names.
    let instance = Instance::new(&mut store, &module, &[greet.into()])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    run.call(&mut store, ())?;
    for line in &store.data().lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
