//! Programs on wasmtime.

use pinfold_vm::host::fold::{MODULE, NEEDS, Need};
use pinfold_vm::host::table::{self, HostCall, Row};
use pinfold_vm::host::{HostError, HostState};
use pinfold_vm::types::ValType as Type;
use wasmtime::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, Caller, Engine, Error, ExternRef, FieldType, Linker, Module, Mutability,
    Rooted, StorageType, Store, Trap, Val,
};

use super::{Call, Copies, Output, Passed, Record};
use crate::program::{Done, End, World, grants};
use crate::wasmtime_config;

/// What belongs to a running program.
struct Running {
    host: HostState,
    record: Record,
}

/// The host ended the program.
#[derive(Debug, thiserror::Error)]
#[error("the host ended the program: {0:?}")]
struct Ended(End);

/// A capability as the program holds it: its number.
struct Held(usize);

/// Runs a module: what it did, and its calls.
pub fn run(module: &[u8], world: &World<'_>) -> Result<(Done, Record), Error> {
    let mut config = wasmtime_config::config();
    // Code that is not optimised takes more.
    config.max_wasm_stack(16 << 20).async_stack_size(32 << 20);
    let engine = Engine::new(&config)?;
    let needs = custom_section(module, NEEDS).and_then(Need::parse).unwrap_or_default();
    let module = Module::new(&engine, module)?;
    let output = Output::default();
    let grants = grants(world, &output);
    let host = HostState::new(&grants)?;
    let handed = host.capabilities(&grants, &needs).map_err(|missing| Error::msg(format!("{missing:?}")))?;
    let mut store = Store::new(&engine, Running { host, record: Record { handles: handed, ..Record::default() } });
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        let row =
            table::lookup(import.module(), import.name()).filter(|row| row.module == MODULE).ok_or_else(|| {
                Error::msg(format!("{}.{} is no function of Fold's host", import.module(), import.name()))
            })?;
        let ty = import.ty().func().cloned().ok_or_else(|| Error::msg("no function"))?;
        linker.func_new(row.module, row.name, ty, move |caller, given, results| call(row, caller, given, results))?;
    }
    let instance = linker.instantiate(&mut store, &module)?;
    let main = instance.get_func(&mut store, "main").ok_or_else(|| Error::msg("there is no main"))?;
    let count = store.data().record.handles.len();
    let handed = (0..count).map(|number| Ok(Val::ExternRef(Some(ExternRef::new(&mut store, Held(number))?))));
    let handed = handed.collect::<Result<Vec<_>, Error>>()?;
    let end = match main.call(&mut store, &handed, &mut []) {
        Ok(()) => End::Good,
        Err(error) => ended(error)?,
    };
    let mut running = store.into_data();
    running.host.flush();
    let bytes = std::mem::take(&mut *output.lock().expect("no thread panicked"));
    Ok((Done { output: String::from_utf8_lossy(&bytes).into_owned(), end }, running.record))
}

fn custom_section<'m>(module: &'m [u8], name: &str) -> Option<&'m [u8]> {
    wasmparser::Parser::new(0).parse_all(module).find_map(|payload| match payload {
        Ok(wasmparser::Payload::CustomSection(section)) if section.name() == name => Some(section.data()),
        _ => None,
    })
}

fn ended(error: Error) -> Result<End, Error> {
    if let Some(Ended(end)) = error.downcast_ref() {
        return Ok(end.clone());
    }
    Ok(match error.downcast_ref::<Trap>() {
        Some(Trap::IntegerOverflow) => End::Panic("integer overflow".to_owned()),
        Some(Trap::IntegerDivisionByZero) => End::Panic("integer divide by zero".to_owned()),
        Some(trap) => End::Trap(trap.to_string()),
        None => return Err(error),
    })
}

/// Runs a row of the host table.
fn call(row: &'static Row, mut caller: Caller<'_, Running>, given: &[Val], results: &mut [Val]) -> Result<(), Error> {
    let HostCall::Objects(function) = row.call else { return Err(Error::msg("a function on memory")) };
    let given = given.iter().map(|value| passed(&mut caller, value)).collect::<Result<Vec<_>, Error>>()?;
    let Running { host, record } = caller.data_mut();
    let mut copies = Copies { texts: Vec::new(), handles: &mut record.handles };
    let slots: Vec<u64> = given.iter().map(|value| slot(value, &mut copies)).collect();
    let answered = function(host, &mut copies, &slots);
    let answer = match (&answered, row.results.first()) {
        (Err(_), _) => None,
        (Ok(_), None) => Some(Passed::Nothing),
        (Ok(slot), Some(ty)) => Some(match *ty {
            Type::I32 => Passed::Flag(*slot as i32),
            Type::I64 => Passed::Int(*slot as i64),
            Type::F64 => Passed::Float(f64::from_bits(*slot)),
            _ if *slot == 0 => Passed::Null,
            Type::EXTERN | Type::EXTERNREF => Passed::Handle(*slot as usize - 1),
            _ => Passed::Bytes(copies.texts[*slot as usize - 1].clone()),
        }),
    };
    record.calls.push(Call { name: row.name, given, answer: answer.clone() });
    if let Err(error) = answered {
        return Err(Error::new(Ended(match error {
            HostError::Panic(message) => End::Panic(message),
            HostError::Fail(message) => End::Failed(message),
            other => End::Trap(other.to_string()),
        })));
    }
    if let (Some(result), Some(answer), Some(ty)) = (results.first_mut(), answer, row.results.first()) {
        *result = value(&mut caller, answer, *ty)?;
    }
    Ok(())
}

/// A value of the program's, as a copy.
fn passed(caller: &mut Caller<'_, Running>, value: &Val) -> Result<Passed, Error> {
    Ok(match value {
        Val::I32(flag) => Passed::Flag(*flag),
        Val::I64(number) => Passed::Int(*number),
        Val::F64(bits) => Passed::Float(f64::from_bits(*bits)),
        Val::AnyRef(None) | Val::ExternRef(None) => Passed::Null,
        Val::AnyRef(Some(reference)) => Passed::Bytes(bytes(caller, *reference)?),
        Val::ExternRef(Some(reference)) => match reference.data(&*caller)?.and_then(|data| data.downcast_ref()) {
            Some(Held(number)) => Passed::Handle(*number),
            None => Passed::Null,
        },
        other => return Err(Error::msg(format!("{other:?} is no value of a host function's"))),
    })
}

fn bytes(caller: &mut Caller<'_, Running>, reference: Rooted<AnyRef>) -> Result<Vec<u8>, Error> {
    let array = reference.as_array(&*caller)?.ok_or_else(|| Error::msg("no array"))?;
    Ok(array.elems(&mut *caller)?.map(|element| element.i32().unwrap_or(0) as u8).collect())
}

/// A copy as a row gets it.
fn slot(value: &Passed, copies: &mut Copies<'_>) -> u64 {
    match value {
        Passed::Nothing | Passed::Null => 0,
        Passed::Flag(flag) => *flag as u32 as u64,
        Passed::Int(number) => *number as u64,
        Passed::Float(number) => number.to_bits(),
        Passed::Bytes(bytes) => {
            copies.texts.push(bytes.clone());
            copies.texts.len() as u64
        }
        Passed::Handle(number) => *number as u64 + 1,
    }
}

/// An answer as the program gets it.
fn value(caller: &mut Caller<'_, Running>, answer: Passed, ty: Type) -> Result<Val, Error> {
    Ok(match answer {
        Passed::Nothing => return Err(Error::msg("there is no answer")),
        Passed::Null if matches!(ty, Type::EXTERN | Type::EXTERNREF) => Val::ExternRef(None),
        Passed::Null => Val::AnyRef(None),
        Passed::Flag(flag) => Val::I32(flag),
        Passed::Int(number) => Val::I64(number),
        Passed::Float(number) => Val::F64(number.to_bits()),
        Passed::Handle(number) => Val::ExternRef(Some(ExternRef::new(&mut *caller, Held(number))?)),
        Passed::Bytes(bytes) => {
            let ty = ArrayType::new(caller.engine(), FieldType::new(Mutability::Var, StorageType::I8));
            let allocator = ArrayRefPre::new(&mut *caller, ty);
            let elements: Vec<Val> = bytes.into_iter().map(|byte| Val::I32(byte.into())).collect();
            Val::AnyRef(Some(ArrayRef::new_fixed(&mut *caller, &allocator, &elements)?.to_anyref()))
        }
    })
}
