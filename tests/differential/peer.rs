//! A plan on wasmi, the third opinion.

use pinfold_vm::api::{AddressType, ExternType, FuncType, Limits, TrapKind, ValType};
use wasmi::errors::ErrorKind;
use wasmi::{
    Caller, Config, Engine, Error, Extern, ExternRef, Global, Instance, Linker, Memory, MemoryType, Module, Mutability,
    Nullable, Ref, RefType, Store, Table, TableType, TrapCode, Val,
};

use crate::plan::{Failure, Host, Plan, Run, Step};
use crate::value::Value;

/// wasmi's fuel for a whole plan: only there to end what does not end.
const FUEL: u64 = 20_000_000;

/// Modules with exceptions are not for this engine.
const NO_EXCEPTIONS: &str = "wasmi has no exceptions";

pub struct Peer {
    engine: Engine,
}

impl Peer {
    pub fn new() -> Self {
        let mut config = Config::default();
        config.consume_fuel(true);
        Self { engine: Engine::new(&config) }
    }

    /// Runs a plan. `Err`: the module was refused.
    pub fn run(&self, bytes: &[u8], plan: &Plan) -> Result<Run, Error> {
        let module = Module::new(&self.engine, bytes)?;
        let mut store = Store::new(&self.engine, Host::default());
        store.set_fuel(FUEL)?;
        let linker = self.link(&mut store, plan)?;
        let mut run = Run::default();
        match linker.instantiate_and_start(&mut store, &module) {
            Ok(instance) => {
                run.see(Step::Instantiated, 0);
                calls(&mut store, instance, plan, &mut run);
                state(&mut store, instance, &mut run);
            }
            Err(error) => run.see(Step::Failed(failure(&error).at_start()), 0),
        }
        Ok(run)
    }

    fn link(&self, store: &mut Store<Host>, plan: &Plan) -> Result<Linker<Host>, Error> {
        let mut linker = Linker::new(&self.engine);
        for import in &plan.imports {
            let (module, name) = (&import.module, &import.name);
            match &import.ty {
                ExternType::Func(ty) => {
                    let own = ty.clone();
                    let types = |types: &[ValType]| types.iter().map(|ty| val_type(*ty)).collect::<Vec<_>>();
                    let ty = wasmi::FuncType::new(types(ty.params()), types(ty.results()));
                    linker
                        .func_new(module, name, ty, move |caller, args, results| host(caller, &own, args, results))?;
                }
                ExternType::Memory(ty) => {
                    let Limits { min, max } = ty.limits;
                    let ty = match ty.address {
                        AddressType::I32 => MemoryType::new(min as u32, max.map(|max| max as u32)),
                        AddressType::I64 => MemoryType::new64(min, max),
                    };
                    let memory = Memory::new(&mut *store, ty)?;
                    linker.define(module, name, memory)?;
                }
                ExternType::Table(ty) => {
                    let element = if ty.element == ValType::FUNCREF { RefType::Func } else { RefType::Extern };
                    let Limits { min, max } = ty.limits;
                    let ty = match ty.address {
                        AddressType::I32 => TableType::new(element, min as u32, max.map(|max| max as u32)),
                        AddressType::I64 => TableType::new64(element, min, max),
                    };
                    let table = Table::new(&mut *store, ty, Ref::null(element))?;
                    linker.define(module, name, table)?;
                }
                ExternType::Global(ty) => {
                    let value =
                        import.value.map_or(Val::default_for_ty(val_type(ty.value)), |v| to_val(v, &mut *store));
                    let mutable = if ty.mutable { Mutability::Var } else { Mutability::Const };
                    let global = Global::new(&mut *store, value, mutable);
                    linker.define(module, name, global)?;
                }
                ExternType::Tag(_) => unreachable!("{NO_EXCEPTIONS}"),
            }
        }
        Ok(linker)
    }
}

fn host(mut caller: Caller<'_, Host>, ty: &FuncType, args: &[Val], results: &mut [Val]) -> Result<(), Error> {
    let args: Vec<Value> = args.iter().map(|v| from_val(v, &caller)).collect();
    let answer = caller.data_mut().answer(ty, &args).ok_or_else(|| Error::new("no answer"))?;
    for (result, value) in results.iter_mut().zip(answer) {
        *result = to_val(value, &mut caller);
    }
    Ok(())
}

fn calls(store: &mut Store<Host>, instance: Instance, plan: &Plan, run: &mut Run) {
    for call in &plan.calls {
        let Some(func) = instance.get_func(&*store, &call.export) else { continue };
        let args: Vec<Val> = call.args.iter().map(|v| to_val(*v, &mut *store)).collect();
        let mut results: Vec<Val> = call.results.iter().map(|ty| Val::default_for_ty(val_type(*ty))).collect();
        let step = match func.call(&mut *store, &args, &mut results) {
            Ok(()) => Step::Returned(results.iter().map(|v| from_val(v, &*store)).collect()),
            Err(error) => Step::Failed(failure(&error)),
        };
        run.called += 1;
        run.see(step, 0);
        run.see(Step::Host(store.data().0), 0);
    }
}

fn state(store: &mut Store<Host>, instance: Instance, run: &mut Run) {
    let mut all = Vec::new();
    let exports: Vec<(String, Extern)> =
        instance.exports(&*store).map(|export| (export.name().to_owned(), export.into_extern())).collect();
    for (name, item) in exports {
        let step = match item {
            Extern::Func(_) => continue,
            Extern::Memory(memory) => Step::Memory(name.clone(), memory.data(&*store).to_vec()),
            Extern::Global(global) => Step::Global(name.clone(), from_val(&global.get(&*store), &*store)),
            Extern::Table(table) => {
                let cells = (0..table.size(&*store)).filter_map(|i| table.get(&*store, i));
                Step::Table(name.clone(), cells.map(|cell| from_ref(&cell, &*store)).collect())
            }
        };
        all.push((name, step));
    }
    run.see_state(all);
}

fn failure(error: &Error) -> Failure {
    let Some(code) = error.as_trap_code() else {
        return match error.kind() {
            ErrorKind::Message(_) => Failure::Trap(TrapKind::Host),
            ErrorKind::Fuel(_) => Failure::Exhausted,
            _ => Failure::Refused,
        };
    };
    Failure::Trap(match code {
        TrapCode::UnreachableCodeReached => TrapKind::Unreachable,
        TrapCode::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        TrapCode::TableOutOfBounds => TrapKind::TableOutOfBounds,
        TrapCode::IndirectCallToNull => TrapKind::UninitializedElement,
        TrapCode::IntegerDivisionByZero => TrapKind::DivideByZero,
        TrapCode::IntegerOverflow => TrapKind::IntegerOverflow,
        TrapCode::BadConversionToInteger => TrapKind::InvalidConversion,
        TrapCode::BadSignature => TrapKind::IndirectCallTypeMismatch,
        _ => return Failure::Exhausted,
    })
}

fn val_type(ty: ValType) -> wasmi::ValType {
    match ty {
        ValType::I32 => wasmi::ValType::I32,
        ValType::I64 => wasmi::ValType::I64,
        ValType::F32 => wasmi::ValType::F32,
        ValType::F64 => wasmi::ValType::F64,
        ValType::V128 => wasmi::ValType::V128,
        ValType::FUNCREF => wasmi::ValType::FuncRef,
        ValType::EXTERNREF => wasmi::ValType::ExternRef,
        ValType::Ref(_) => unreachable!("{NO_EXCEPTIONS}"),
    }
}

fn to_val(value: Value, store: impl wasmi::AsContextMut) -> Val {
    match value {
        Value::I32(v) => Val::I32(v as i32),
        Value::I64(v) => Val::I64(v as i64),
        Value::F32(v) => Val::F32(wasmi::F32::from_bits(v)),
        Value::F64(v) => Val::F64(wasmi::F64::from_bits(v)),
        Value::V128(v) => Val::V128(v.into()),
        Value::Func(_) => Val::FuncRef(Nullable::Null),
        Value::Exn(_) | Value::Any(..) => unreachable!("{NO_EXCEPTIONS}"),
        Value::Extern(None) => Val::ExternRef(Nullable::Null),
        Value::Extern(Some(v)) => Val::ExternRef(Nullable::Val(ExternRef::new(store, v))),
    }
}

fn from_val<T: 'static>(value: &Val, store: &impl wasmi::AsContext<Data = T>) -> Value {
    match value {
        Val::I32(v) => Value::I32(*v as u32),
        Val::I64(v) => Value::I64(*v as u64),
        Val::F32(v) => Value::F32(v.to_bits()),
        Val::F64(v) => Value::F64(v.to_bits()),
        Val::V128(v) => Value::V128(v.as_u128()),
        Val::FuncRef(func) => Value::Func(!func.is_null()),
        Val::ExternRef(value) => Value::Extern(number(value, store)),
    }
}

fn from_ref<T: 'static>(cell: &Ref, store: &impl wasmi::AsContext<Data = T>) -> Value {
    match cell {
        Ref::Func(func) => Value::Func(!func.is_null()),
        Ref::Extern(value) => Value::Extern(number(value, store)),
    }
}

fn number<T: 'static>(value: &Nullable<ExternRef>, store: &impl wasmi::AsContext<Data = T>) -> Option<u32> {
    value.val().and_then(|v| v.data(store.as_context()).downcast_ref::<u32>().copied())
}
