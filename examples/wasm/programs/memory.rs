//! A guest's memory: read and written from both sides, grown, and a memory that the host made for a guest.

use std::error::Error;
use std::io::Write;

use super::wasm::{Engine, Instance, Memory, MemoryType, Module, Store};

/// The memory is imported or the module's own.
fn guest(memory: &str) -> String {
    format!(
        r#"(module
            {memory}
            (func (export "size") (result i32) (memory.size))
            (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
            (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))"#
    )
}

const PAGE: i32 = 64 << 10;

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let own = guest(r#"(memory (export "memory") 2 3) (data (i32.const 0x1000) "\01\02\03\04")"#);
    let module = Module::new(&engine, wat::parse_str(own)?)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").ok_or("it exports no memory")?;
    let size = instance.get_typed_func::<(), i32>(&mut store, "size")?;
    let load = instance.get_typed_func::<i32, i32>(&mut store, "load")?;
    let put = instance.get_typed_func::<(i32, i32), ()>(&mut store, "store")?;

    let mut bytes = [0; 4];
    memory.read(&store, 0x1000, &mut bytes)?;
    writeln!(out, "  the module's data: {bytes:?}")?;
    memory.write(&mut store, 0x1002, &[70])?;
    put.call(&mut store, (0x1003, 80))?;
    memory.read(&store, 0x1000, &mut bytes)?;
    writeln!(out, "  changed from both sides: {bytes:?}, {}", load.call(&mut store, 0x1002)?)?;

    // Nobody gets beyond the end: for a guest that is a trap, for the host an error.
    let beyond = 2 * PAGE;
    assert!(load.call(&mut store, beyond).is_err());
    assert!(memory.write(&mut store, beyond as usize - 1, &[1, 2]).is_err());
    writeln!(out, "  {} pages before growth, {} after", memory.grow(&mut store, 1)?, size.call(&mut store, ())?)?;
    writeln!(out, "  what is new is {}", load.call(&mut store, beyond)?)?;
    // Three are the most that the module allows.
    assert!(memory.grow(&mut store, 1).is_err());

    let shared = Memory::new(&mut store, MemoryType::new(1, Some(1)))?;
    shared.write(&mut store, 5, &[55])?;
    let module = Module::new(&engine, wat::parse_str(guest(r#"(import "host" "memory" (memory 1))"#))?)?;
    let instance = Instance::new(&mut store, &module, &[shared.into()])?;
    let load = instance.get_typed_func::<i32, i32>(&mut store, "load")?;
    writeln!(out, "  in the host's: {}", load.call(&mut store, 5)?)?;
    Ok(())
}
