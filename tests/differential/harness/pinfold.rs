//! A module and its harness on Pinfold.

use pinfold_vm::api::{Error, Extern, ExternRef, FuncType, Instance, Linker, Module, Store, TrapKind, Val, ValType};

use super::{Harness, Sight, Sights, answer};
use crate::PLENTY;
use crate::pinfold::Machine;

/// A module of the machine's engine. `Err`: one of the modules around it was refused.
pub fn run(machine: &Machine, module: &Module, harness: &Harness) -> Result<Sights, Error> {
    let engine = &machine.engine;
    let mut store = machine.store((), PLENTY);
    let mut linker = host(engine);
    let provider = linker.instantiate(&mut store, &Module::new(engine, harness.provider.as_slice())?)?;
    let item = |store: &Store<()>, instance: &Instance, name: &str| {
        instance.get_export(store, name).ok_or_else(|| Error::host(format!("no export {name}")))
    };
    for (index, (module, name, _)) in module.imports().enumerate() {
        let provided = item(&store, &provider, &index.to_string())?;
        linker.define(&store, module, name, provided).unwrap();
    }
    let mut sights = Sights::default();
    let instance = match linker.instantiate(&mut store, module) {
        Ok(instance) => instance,
        Err(error) => {
            sights.0.push(failure(error)?);
            return Ok(sights);
        }
    };
    sights.0.push(Sight::Instantiated);
    let mut linker = host(engine);
    linker.instance(&store, "module", instance)?.instance(&store, "provider", provider)?;
    let driver = linker.instantiate(&mut store, &Module::new(engine, harness.driver.as_slice())?)?;
    for export in harness.exports() {
        let call = driver.get_typed_func::<(), u64>(&store, &export)?;
        sights.0.push(match call.call(&mut store, ()) {
            Ok(number) => Sight::Returned(number),
            Err(error) => failure(error)?,
        });
    }
    for name in &harness.memories {
        if let Extern::Memory(memory) = item(&store, &instance, name)? {
            sights.0.push(Sight::memory(memory.data(&store)?));
        }
    }
    Ok(sights)
}

fn host(engine: &pinfold_vm::api::Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    // A module may import a name more than once.
    linker.allow_shadowing(true);
    linker.func_wrap("host", "answer", answer).unwrap();
    linker
        .func_new("host", "value", FuncType::new([ValType::I32], [ValType::EXTERNREF]), |_, args, results| {
            if let Val::I32(number) = args[0] {
                results[0] = Val::ExternRef(Some(ExternRef::new(number)));
            }
            Ok(())
        })
        .unwrap();
    linker
        .func_new("host", "number", FuncType::new([ValType::EXTERNREF], [ValType::I32]), |_, args, results| {
            let Val::ExternRef(value) = &args[0] else { return Ok(()) };
            let number = value.as_ref().and_then(|value| value.downcast_ref::<i32>().copied());
            results[0] = Val::I32(number.unwrap_or(-1));
            Ok(())
        })
        .unwrap();
    linker
}

fn failure(error: Error) -> Result<Sight, Error> {
    Ok(match error {
        Error::Trap(trap) => match trap.kind {
            TrapKind::StackExhausted | TrapKind::OutOfMemory => Sight::Exhausted,
            kind => Sight::Failed(vec![kind]),
        },
        Error::Link(_) | Error::Instantiate(_) => Sight::Refused,
        other => return Err(other),
    })
}
