//! A module and its harness on wasmtime, which shares the code generator with our compiler, but no runtime.

use pinfold_vm::api::TrapKind;
use wasmtime::{
    Engine, Error, ExternRef, InstanceAllocationStrategy, Linker, Module, Rooted, Store, ThrownException, Trap,
};

use crate::harness::{Harness, Sight, Sights, answer};
use crate::wasmtime_config;

pub struct Wasmtime {
    engine: Engine,
}

impl Wasmtime {
    pub fn new() -> Self {
        let mut config = wasmtime_config::config();
        config
            .wasm_relaxed_simd(true)
            // As ours are: the same on every machine.
            .relaxed_simd_deterministic(true)
            .allocation_strategy(InstanceAllocationStrategy::OnDemand)
            .max_wasm_stack(1 << 20);
        Self { engine: Engine::new(&config).unwrap() }
    }

    /// `Err`: one of the modules was refused.
    pub fn run(&self, bytes: &[u8], harness: &Harness) -> Result<Sights, Error> {
        let module = Module::new(&self.engine, bytes)?;
        let mut store = Store::new(&self.engine, ());
        let mut linker = self.host()?;
        let provider = linker.instantiate(&mut store, &Module::new(&self.engine, &harness.provider)?)?;
        for (index, import) in module.imports().enumerate() {
            let provided =
                provider.get_export(&mut store, &index.to_string()).ok_or_else(|| Error::msg("no export"))?;
            // Two imports may have one name.
            linker.allow_shadowing(true).define(&store, import.module(), import.name(), provided)?;
        }
        let mut sights = Sights::default();
        let instance = match linker.instantiate(&mut store, &module) {
            Ok(instance) => instance,
            Err(error) => {
                sights.0.push(failure(&error).unwrap_or(Sight::Refused));
                return Ok(sights);
            }
        };
        sights.0.push(Sight::Instantiated);
        let mut linker = self.host()?;
        linker.instance(&mut store, "module", instance)?.instance(&mut store, "provider", provider)?;
        let driver = linker.instantiate(&mut store, &Module::new(&self.engine, &harness.driver)?)?;
        for export in harness.exports() {
            let call = driver.get_typed_func::<(), u64>(&mut store, &export)?;
            sights.0.push(match call.call(&mut store, ()) {
                Ok(number) => Sight::Returned(number),
                Err(error) => failure(&error).ok_or(error)?,
            });
        }
        for name in &harness.memories {
            let memory = instance.get_memory(&mut store, name).ok_or_else(|| Error::msg("no memory"))?;
            sights.0.push(Sight::memory(memory.data(&store)));
        }
        Ok(sights)
    }

    fn host(&self) -> Result<Linker<()>, Error> {
        let mut linker = Linker::new(&self.engine);
        linker.func_wrap("host", "answer", answer)?;
        linker.func_wrap("host", "value", |mut caller: wasmtime::Caller<'_, ()>, number: i32| {
            ExternRef::new(&mut caller, number).map(Some)
        })?;
        linker.func_wrap("host", "number", |caller: wasmtime::Caller<'_, ()>, value: Option<Rooted<ExternRef>>| {
            let data = value.and_then(|value| value.data(&caller).ok().flatten());
            data.and_then(|data| data.downcast_ref::<i32>().copied()).unwrap_or(-1)
        })?;
        Ok(linker)
    }
}

/// `None`: not what a module can bring about.
fn failure(error: &Error) -> Option<Sight> {
    if error.is::<ThrownException>() {
        return Some(Sight::Failed(vec![TrapKind::UncaughtException]));
    }
    use TrapKind as K;
    Some(Sight::Failed(match error.downcast_ref::<Trap>()? {
        Trap::StackOverflow | Trap::AllocationTooLarge => return Some(Sight::Exhausted),
        Trap::MemoryOutOfBounds => vec![K::MemoryOutOfBounds],
        Trap::TableOutOfBounds => vec![K::TableOutOfBounds, K::UndefinedElement],
        Trap::IndirectCallToNull => vec![K::UninitializedElement],
        Trap::BadSignature => vec![K::IndirectCallTypeMismatch],
        Trap::IntegerOverflow => vec![K::IntegerOverflow],
        Trap::IntegerDivisionByZero => vec![K::DivideByZero],
        Trap::BadConversionToInteger => vec![K::InvalidConversion],
        Trap::UnreachableCodeReached => vec![K::Unreachable],
        Trap::NullReference => NULL.to_vec(),
        Trap::ArrayOutOfBounds => vec![K::ArrayOutOfBounds],
        Trap::CastFailure => vec![K::CastFailure],
        _ => return None,
    }))
}

/// What is wrong with a null reference, to engines that do not say more.
pub const NULL: [TrapKind; 6] = [
    TrapKind::NullException,
    TrapKind::NullReference,
    TrapKind::NullFunction,
    TrapKind::NullStruct,
    TrapKind::NullArray,
    TrapKind::NullI31,
];
