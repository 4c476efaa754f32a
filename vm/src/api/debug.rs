//! Looking into instances and runs: for who explores a module.
//!
//! A store whose engine is [made for it](super::Config::debug) calls a [`Debugger`] before each operator.

use super::instance::Instance;
use super::store::{AsContext, AsContextMut, Store};
use super::val::Val;
use super::{Memory, Result};
use crate::module::GlobalIndex;
use crate::runtime::context::GlobalSlot;
use crate::runtime::instance;
use crate::runtime::store::StoreInner;
use crate::types::{GlobalType, ValType};

pub use crate::runtime::debug::{Debugger, Stopped};

impl AsContext for Stopped<'_> {
    type Data = ();

    fn inner(&self) -> &StoreInner {
        self.store
    }
}

impl Stopped<'_> {
    /// The instance whose function runs.
    pub fn instance(&self) -> Instance {
        // SAFETY: what runs is live.
        let instance: &instance::Instance = unsafe { &*(*self.context()).instance.cast() };
        Instance::from_key(self.store, instance.key)
    }

    /// The locals, parameters first, with their types.
    pub fn local_values(&self) -> Vec<(ValType, Val)> {
        self.values_of(self.locals())
    }

    /// The operands, the deepest first, with the types that the verifier saw.
    pub fn operand_values(&self) -> Vec<(ValType, Val)> {
        self.values_of(self.operands())
    }

    fn values_of(&self, values: Vec<(u128, ValType)>) -> Vec<(ValType, Val)> {
        values.into_iter().map(|(bits, ty)| (ty, Val::from_bits(self.store, ty, bits))).collect()
    }
}

impl<T> Store<T> {
    /// Lets somebody look on, if the engine is made for it. The debugger must not panic: that ends the process.
    #[doc(hidden)]
    pub fn set_debugger(&mut self, debugger: Debugger) {
        self.inner_mut().debugger = Some(debugger);
    }
}

impl Instance {
    /// A memory by its index, whether it is exported or not.
    ///
    /// # Errors
    /// If the instance is gone.
    #[doc(hidden)]
    pub fn memory_at(&self, store: impl AsContext, index: u32) -> Result<Option<Memory>> {
        let store = store.inner();
        let memory = self.inner(store)?.memories.get(index as usize);
        Ok(memory.map(|memory| Memory::from_key(store, memory.key)))
    }

    /// A global by its index, whether it is exported or not: its type and its value.
    ///
    /// # Errors
    /// If the instance is gone.
    #[doc(hidden)]
    pub fn global_at(&self, store: impl AsContext, index: u32) -> Result<Option<(GlobalType, Val)>> {
        let store = store.inner();
        let instance = self.inner(store)?;
        let Some(ty) = instance.code.module.globals().get(GlobalIndex(index).index()).copied() else { return Ok(None) };
        // SAFETY: the layout says where the slot is, and the slot where the cell; the store is borrowed, so that nobody writes it.
        let [low, high] = unsafe {
            let at = instance.context().cast::<u8>().add(instance.code.layout.global(index) as usize);
            let slot = at.cast::<GlobalSlot>();
            let cell = (*slot).at;
            [cell.read(), if ty.value.slots() > 1 { cell.add(1).read() } else { 0 }]
        };
        let bits = u128::from(low) | u128::from(high) << 64;
        Ok(Some((ty, Val::from_bits(store, ty.value, bits))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use wasmparser::{FuncValidatorAllocations, ValidPayload, Validator, WasmFeatures};

    use super::*;
    use crate::api::{Config, Engine, Error, Linker, Module, TrapKind};

    const MODULE: &str = r#"(module
        (type $pair (struct (field i64) (field (mut f64))))
        (global $count (mut i32) (i32.const 3))
        (memory 1)
        (func $odd (param $n i64) (result i32)
            local.get $n
            i64.eqz
            if (result i32) i32.const 0 else local.get $n i64.const 1 i64.sub call $even end)
        (func $even (param $n i64) (result i32)
            (if (result i32) (i64.eqz (local.get $n))
                (then (i32.const 1))
                (else (call $odd (i64.sub (local.get $n) (i64.const 1))))))
        (func (export "run") (param $n i32) (result i64 f64) (local $sum i64) (local $pair (ref null $pair))
            i64.const 5
            f64.const 0.5
            struct.new $pair
            local.set $pair
            i64.const 100
            (block $out
                (loop $again
                    (br_if $out (i32.eqz (local.get $n)))
                    (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $n))))
                    (block $b (block $a (br_table $a $b (i32.and (local.get $n) (i32.const 1))))
                        (i32.store (i32.const 8) (local.get $n)))
                    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                    (br $again)))
            local.get $sum
            i64.add
            local.get $pair
            struct.get $pair 0
            i64.mul
            local.get $n
            i32.const 1
            i32.lt_s
            (if (param i64) (result i64) (then (i64.add (i64.const 1))) (else))
            i64.const 7
            call $even
            select (result i64) (i64.const 3) (i32.const 1)
            local.get $pair
            struct.get $pair 1)
        (func (export "forever") (loop $again (br $again))))"#;

    fn module() -> Vec<u8> {
        // `select` of a constant that is true takes the first.
        wat::parse_str(MODULE.replace("select (result i64) (i64.const 3) (i32.const 1)", "drop")).unwrap()
    }

    fn run(config: &Config, debugger: Option<Debugger>, name: &str, params: &[Val], results: &mut [Val]) -> Result<()> {
        let engine = Engine::new(config)?;
        let mut store = Store::new(&engine, ());
        if let Some(debugger) = debugger {
            store.set_debugger(debugger);
        }
        let module = Module::new(&engine, module())?;
        let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
        instance.get_func(&store, name).unwrap().call(&mut store, params, results)
    }

    /// The types of the operands before each operator, as the validator has them, by the operators' offsets.
    fn validated(module: &[u8]) -> Vec<(u32, Vec<String>)> {
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        let mut found = Vec::new();
        for payload in wasmparser::Parser::new(0).parse_all(module) {
            if let ValidPayload::Func(func, body) = validator.payload(&payload.unwrap()).unwrap() {
                let mut func = func.into_validator(FuncValidatorAllocations::default());
                func.read_locals(&mut body.get_binary_reader()).unwrap();
                let mut operators = body.get_operators_reader().unwrap();
                while !operators.eof() {
                    let (operator, offset) = operators.read_with_offset().unwrap();
                    let height = func.operand_stack_height() as usize;
                    let ty = |depth| match func.get_operand_type(depth) {
                        Some(Some(wasmparser::ValType::Ref(_))) => "ref".to_owned(),
                        Some(Some(ty)) => ty.to_string(),
                        other => panic!("{other:?} in code that is reached"),
                    };
                    // What cannot be reached is not seen.
                    if !func.get_control_frame(0).is_some_and(|frame| frame.unreachable) {
                        found.push((offset as u32, (0..height).rev().map(ty).collect()));
                    }
                    func.op(offset, &operator).unwrap();
                }
            }
        }
        found
    }

    #[test]
    fn who_looks_on_sees_what_the_verifier_saw_and_changes_nothing() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let to = seen.clone();
        let debugger: Debugger = Box::new(move |stopped| {
            let operands = stopped.operand_values();
            assert!(operands.iter().all(|(ty, value)| value.ty() == *ty || ty.is_ref()));
            let types = operands.iter().map(|(ty, _)| if ty.is_ref() { "ref".to_owned() } else { ty.to_string() });
            to.lock().unwrap().push((stopped.offset(), types.collect::<Vec<_>>(), stopped.local_values().len()));
            true
        });
        let (mut looked, mut plain) = ([Val::I64(0), Val::F64(0)], [Val::I64(0), Val::F64(0)]);
        run(Config::new().debug(true), Some(debugger), "run", &[Val::I32(9)], &mut looked).unwrap();
        run(&Config::new(), None, "run", &[Val::I32(9)], &mut plain).unwrap();
        let bits = |values: &[Val]| format!("{values:?}");
        assert_eq!(bits(&looked), bits(&plain));
        let validated = validated(&module());
        let seen = seen.lock().unwrap();
        assert!(seen.len() > 100, "{} operators", seen.len());
        for (offset, types, _) in seen.iter() {
            assert!(validated.contains(&(*offset, types.clone())), "{types:?} at {offset:#x}, of {validated:?}");
        }
        assert!(seen.iter().any(|(_, _, locals)| *locals == 3) && seen.iter().any(|(_, _, locals)| *locals == 1));
    }

    #[test]
    fn who_looks_on_reads_memories_and_globals_and_ends_the_run() {
        let debugger: Debugger = Box::new(|stopped| {
            let instance = stopped.instance();
            let (ty, value) = instance.global_at(stopped, 0).unwrap().unwrap();
            assert!(ty.mutable && matches!(value, Val::I32(3)));
            assert!(instance.global_at(stopped, 1).unwrap().is_none());
            let memory = instance.memory_at(stopped, 0).unwrap().unwrap();
            assert_eq!(memory.data(stopped).unwrap().len(), 1 << 16);
            assert!(instance.memory_at(stopped, 1).unwrap().is_none());
            let (frames, _) = stopped.frames();
            assert_eq!((frames[0].offset, frames.len()), (stopped.offset(), 1));
            false
        });
        let ended = run(Config::new().debug(true), Some(debugger), "forever", &[], &mut []);
        assert!(matches!(ended, Err(Error::Trap(trap)) if trap.kind == TrapKind::Interrupted));
    }
}
