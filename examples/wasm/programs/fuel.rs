//! Work that is counted: what a guest may do before it is ended, whatever machine it runs on.

use std::error::Error;
use std::io::Write;

use super::wasm::{Config, Engine, Instance, Module, Store};

const GUEST: &str = r#"(module
    (func $fibonacci (export "fibonacci") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
                (call $fibonacci (i32.sub (local.get 0) (i32.const 1)))
                (call $fibonacci (i32.sub (local.get 0) (i32.const 2))))))))"#;

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, wat::parse_str(GUEST)?)?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(100_000)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let fibonacci = instance.get_typed_func::<i32, i32>(&mut store, "fibonacci")?;
    let mut costs = Vec::new();
    for _ in 0..2 {
        let before = store.get_fuel()?;
        writeln!(out, "  the tenth is {}", fibonacci.call(&mut store, 10)?)?;
        costs.push(before - store.get_fuel()?);
    }
    // It is not time: the same work always costs the same.
    writeln!(out, "  both cost the same: {}", costs[0] == costs[1] && costs[0] > 0)?;
    store.set_fuel(costs[0])?;
    writeln!(out, "  for that much there is the tenth: {:?}", fibonacci.call(&mut store, 10).is_ok())?;
    store.set_fuel(costs[0])?;
    writeln!(out, "  and the eleventh: {:?}", fibonacci.call(&mut store, 11).is_ok())?;
    Ok(())
}
