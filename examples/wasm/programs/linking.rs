//! A linker, which finds what modules import by its names: functions of the host, and what other instances export.

use std::error::Error;
use std::io::Write;

use super::wasm::{self, Caller, Engine, Extern, Linker, Module, Store};

/// Says what stands in its memory, which others use too.
const SPEAKER: &str = r#"(module
    (import "host" "print" (func $print (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "say") (param $from i32) (param $to i32)
        (call $print (local.get $from) (i32.sub (local.get $to) (local.get $from)))))"#;

/// Puts two words into a memory that is not its own.
const WRITER: &str = r#"(module
    (import "speaker" "memory" (memory 1))
    (import "speaker" "say" (func $say (param i32 i32)))
    (data (i32.const 16) "gate and pound")
    (func (export "run")
        (call $say (i32.const 25) (i32.const 30))
        (call $say (i32.const 16) (i32.const 20))))"#;

/// What was said.
type Said = Vec<String>;

/// Takes a text out of the memory of whoever calls. That is an error, and ends the guest, where the text is not within it.
fn print(mut caller: Caller<'_, Said>, from: u32, length: u32) -> wasm::Result<()> {
    // Without one there is no text.
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return Ok(()) };
    let mut text = vec![0; length.min(1000) as usize];
    memory.read(&caller, from as usize, &mut text)?;
    caller.data_mut().push(String::from_utf8_lossy(&text).into_owned());
    Ok(())
}

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let engine = Engine::default();
    let speaker = Module::new(&engine, wat::parse_str(SPEAKER)?)?;
    let writer = Module::new(&engine, wat::parse_str(WRITER)?)?;
    let mut store = Store::new(&engine, Said::new());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "print", print)?;
    // Nobody has made what the writer imports.
    assert!(linker.instantiate(&mut store, &writer).is_err());
    let speaker = linker.instantiate(&mut store, &speaker)?;
    linker.instance(&mut store, "speaker", speaker)?;
    // A name means one thing, unless the linker is told that it may mean another one later.
    assert!(linker.func_wrap("host", "print", || {}).is_err());
    let writer = linker.instantiate(&mut store, &writer)?;
    writer.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
    writeln!(out, "  said: {:?}", store.data())?;
    let say = speaker.get_typed_func::<(u32, u32), ()>(&mut store, "say")?;
    assert!(say.call(&mut store, (65_530, 65_540)).is_err());
    Ok(())
}
