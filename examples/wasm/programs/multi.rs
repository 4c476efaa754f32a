//! Functions with several results: of the guest and of the host, called with types that are known when the host is compiled, and with values.

use std::error::Error;
use std::io::Write;

use super::wasm::{Engine, Extern, Func, Instance, Module, Store, Val};

const GUEST: &str = r#"(module
    (import "host" "divide" (func $divide (param i64 i32) (result i64 i32)))
    (func (export "divide") (param i32 i64) (result i32 i64)
        (local $rest i32)
        (call $divide (local.get 1) (local.get 0))
        (local.set $rest)
        (i32.wrap_i64)
        (i64.extend_i32_s (local.get $rest)))
    (func (export "reversed") (param i64 f64 i32) (result i32 f64 i64)
        (local.get 2) (local.get 1) (local.get 0)))"#;

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = Module::new(&engine, wat::parse_str(GUEST)?)?;
    let divide = Func::wrap(&mut store, |number: i64, by: i32| {
        let by = i64::from(by);
        (number.checked_div(by).unwrap_or(0), number.checked_rem(by).unwrap_or(0) as i32)
    });
    let instance = Instance::new(&mut store, &module, &[divide.into()])?;

    let divide = instance.get_typed_func::<(i32, i64), (i32, i64)>(&mut store, "divide")?;
    writeln!(out, "  47 = 5 * {0:?}.0 + {0:?}.1", divide.call(&mut store, (5, 47))?)?;
    // Types are compared once, here, and not with each call.
    assert!(instance.get_typed_func::<(i32, i64), i64>(&mut store, "divide").is_err());

    // A function of whatever type, by values. It writes as many results as there is room for, which has to be right.
    let Some(Extern::Func(reversed)) = instance.get_export(&mut store, "reversed") else {
        return Err("it exports no such function".into());
    };
    let mut results = [Val::I32(0), Val::I32(0), Val::I32(0)];
    reversed.call(&mut store, &[Val::I64(1), Val::F64(2.5_f64.to_bits()), Val::I32(3)], &mut results)?;
    writeln!(out, "  reversed: {:?}, {:?}, {:?}", results[0].i32(), results[1].f64(), results[2].i64())?;
    assert!(reversed.call(&mut store, &[Val::I64(1)], &mut results).is_err());
    Ok(())
}
