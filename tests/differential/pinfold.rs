//! A plan on one of Pinfold's tiers.

use std::time::{Duration, Instant};

use pinfold_vm::api::{
    AnyRef, Caller, Config, Engine, Error, Extern, ExternRef, ExternType, Global, Instance, Linker, Memory, MemoryKind,
    Module, Store, StoreLimits, Table, Tag, Tier, TrapKind, Val,
};
use pinfold_vm::heap::Checks;
use pinfold_vm::verifier;

use crate::plan::{Failure, Host, Plan, Run, Step};
use crate::value::Value;

/// One way to run code.
pub struct Machine {
    pub name: &'static str,
    pub engine: Engine,
}

impl Machine {
    pub fn new(name: &'static str, tier: Tier, memory: MemoryKind, canonical_nans: bool) -> Self {
        Self::checked(name, tier, memory, canonical_nans, Checks::default())
    }

    /// One whose heap watches itself.
    pub fn checked(name: &'static str, tier: Tier, memory: MemoryKind, canonical_nans: bool, checks: Checks) -> Self {
        let mut config = Config::new();
        config
            .tier(tier)
            .consume_fuel(true)
            .memory(memory)
            .canonical_nans(canonical_nans)
            .heap_checks(checks)
            .check_code(true);
        // Modules are small, and tests run side by side already.
        config.verifier(verifier::Options { threads: 1, ..Default::default() });
        Self { name, engine: Engine::new(&config).unwrap() }
    }

    /// A store with some fuel.
    pub fn store<T>(&self, data: T, fuel: u64) -> Store<T> {
        let limits =
            StoreLimits { memory: 64 << 20, stack: 4 << 20, grow_fails_softly: true, ..StoreLimits::default() };
        let mut store = Store::with_limits(&self.engine, data, limits);
        store.set_fuel(fuel).unwrap();
        // Nothing takes that long; what does is told apart by its trap.
        store.set_deadline(Some(Instant::now() + Duration::from_secs(20)));
        store
    }

    /// Runs a plan on a module of this machine's engine.
    pub fn run(&self, module: &Module, plan: &Plan) -> Result<Run, Error> {
        let mut store = self.store(Host::default(), plan.fuel);
        let mut linker = Linker::new(&self.engine);
        // Of imports of one name the last one counts.
        linker.allow_shadowing(true);
        for import in &plan.imports {
            // Types that a module defines are numbered by its engine.
            let same = |(module, name, _): &(&str, &str, ExternType)| *module == import.module && *name == import.name;
            let ty = module.imports().find(same).map_or_else(|| import.ty.clone(), |(_, _, ty)| ty);
            match &ty {
                ExternType::Func(ty) => {
                    let own = ty.clone();
                    linker
                        .func_new(&import.module, &import.name, ty.clone(), move |caller, args, results| {
                            host(caller, &own, args, results)
                        })
                        .unwrap();
                }
                ExternType::Memory(ty) => {
                    let memory = Memory::new(&mut store, *ty)?;
                    linker.define(&store, &import.module, &import.name, Extern::Memory(memory)).unwrap();
                }
                ExternType::Table(ty) => {
                    let table = Table::new(&mut store, *ty, &Val::zero(ty.element))?;
                    linker.define(&store, &import.module, &import.name, Extern::Table(table)).unwrap();
                }
                ExternType::Global(ty) => {
                    let value = import.value.map_or(Val::zero(ty.value), to_val);
                    let global = Global::new(&mut store, *ty, &value)?;
                    linker.define(&store, &import.module, &import.name, Extern::Global(global)).unwrap();
                }
                ExternType::Tag(ty) => {
                    let tag = Tag::new(&mut store, ty.params())?;
                    linker.define(&store, &import.module, &import.name, Extern::Tag(tag)).unwrap();
                }
            }
        }
        let mut run = Run::default();
        match linker.instantiate(&mut store, module) {
            Ok(instance) => {
                run.see(Step::Instantiated, store.get_fuel().unwrap());
                calls(&mut store, instance, plan, &mut run);
                state(&store, instance, &mut run);
            }
            Err(error) => run.see(Step::Failed(failure(&error).at_start()), store.get_fuel().unwrap()),
        }
        Ok(run)
    }
}

fn host(
    mut caller: Caller<'_, Host>,
    ty: &pinfold_vm::api::FuncType,
    args: &[Val],
    results: &mut [Val],
) -> Result<(), Error> {
    let args: Vec<Value> = args.iter().map(from_val).collect();
    let answer = caller.data_mut().answer(ty, &args).ok_or_else(|| Error::host("no answer"))?;
    for (result, value) in results.iter_mut().zip(answer) {
        *result = to_val(value);
    }
    Ok(())
}

fn calls(store: &mut Store<Host>, instance: Instance, plan: &Plan, run: &mut Run) {
    for call in &plan.calls {
        let Some(func) = instance.get_func(&*store, &call.export) else { continue };
        let args: Vec<Val> = call.args.iter().copied().map(to_val).collect();
        let mut results: Vec<Val> = call.results.iter().map(|ty| Val::zero(*ty)).collect();
        let step = match func.call(&mut *store, &args, &mut results) {
            Ok(()) => Step::Returned(results.iter().map(from_val).collect()),
            Err(error) => Step::Failed(failure(&error)),
        };
        run.called += 1;
        run.see(step, store.get_fuel().unwrap());
        run.see(Step::Host(store.data().0), store.get_fuel().unwrap());
    }
}

fn state(store: &Store<Host>, instance: Instance, run: &mut Run) {
    let mut all = Vec::new();
    for (name, item) in instance.exports(store).unwrap() {
        let step = match item {
            Extern::Func(_) | Extern::Tag(_) => continue,
            Extern::Memory(memory) => Step::Memory(name.clone(), memory.data(&store).unwrap().to_vec()),
            Extern::Global(global) => Step::Global(name.clone(), from_val(&global.get(store).unwrap())),
            Extern::Table(table) => {
                let cells = 0..table.size(store).unwrap();
                Step::Table(name.clone(), cells.map(|i| from_val(&table.get(store, i).unwrap().unwrap())).collect())
            }
        };
        all.push((name, step));
    }
    run.see_state(all);
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Trap(trap) => match trap.kind {
            TrapKind::StackExhausted | TrapKind::OutOfMemory => Failure::Exhausted,
            kind => Failure::Trap(kind),
        },
        Error::Link(_) | Error::Instantiate(_) => Failure::Refused,
        other => panic!("not to be expected of a module that was verified: {other:?}"),
    }
}

fn to_val(value: Value) -> Val {
    match value {
        Value::I32(v) => Val::I32(v as i32),
        Value::I64(v) => Val::I64(v as i64),
        Value::F32(v) => Val::F32(v),
        Value::F64(v) => Val::F64(v),
        Value::V128(v) => Val::V128(v),
        Value::Func(_) => Val::FuncRef(None),
        Value::Extern(v) => Val::ExternRef(v.map(ExternRef::new)),
        Value::Exn(_) => Val::ExnRef(None),
        Value::Any(..) => Val::AnyRef(None),
    }
}

fn from_val(value: &Val) -> Value {
    match value {
        Val::I32(v) => Value::I32(*v as u32),
        Val::I64(v) => Value::I64(*v as u64),
        Val::F32(v) => Value::F32(*v),
        Val::F64(v) => Value::F64(*v),
        Val::V128(v) => Value::V128(*v),
        Val::FuncRef(func) => Value::Func(func.is_some()),
        Val::ExnRef(exception) => Value::Exn(exception.is_some()),
        Val::AnyRef(any) => Value::Any(any.is_some(), any.as_ref().and_then(AnyRef::as_i31)),
        Val::ExternRef(v) => Value::Extern(v.as_ref().and_then(|v| v.downcast_ref::<u32>().copied())),
    }
}
