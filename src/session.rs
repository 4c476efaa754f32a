//! Entries of a session in Fold, one after the other in one store.
//!
//! Each is checked against those before it, compiled to a module of its own, and run. It becomes part of the session if it came to its end;
//! otherwise nothing of it is left but what it did meanwhile.

use pinfold_compiler::driver::Rejected;
use pinfold_compiler::session::{Compiled, Entry, IMPORTS, Session, TABLE};
use pinfold_vm::api::{
    AddressType, Engine, Error, Global, Instance, Limits, Linker, Module, Store, Table, TableType, Val, ValType,
};
use pinfold_vm::host::fold::{NEEDS, Need};

/// A session and the store that its entries run in.
pub struct Live<T: 'static> {
    session: Session,
    engine: Engine,
    store: Store<T>,
    linker: Linker<T>,
    table: Table,
    modules: Vec<(String, Module)>,
}

/// What became of an entry.
#[derive(Debug)]
pub enum Entered {
    /// It came to its end.
    Done {
        /// What its last expression gave.
        value: Option<Value>,
        /// What was perhaps not meant.
        warnings: Option<Box<Rejected>>,
    },
    /// It is wrong, and nothing of it ran.
    Rejected(Box<Rejected>),
    /// It was ended.
    Failed(Error),
}

/// The value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// As it would be written.
    pub text: String,
    /// Its type.
    pub ty: String,
}

impl<T> Live<T> {
    /// A session without entries. The linker has what entries may ask of the host.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(engine: &Engine, mut store: Store<T>, mut linker: Linker<T>) -> Result<Self, Error> {
        let limits = Limits { min: 0, max: None };
        let ty = TableType { address: AddressType::I32, element: ValType::FUNCREF, limits };
        let table = Table::new(&mut store, ty, &Val::FuncRef(None))?;
        // A variable may be bound again.
        linker.allow_shadowing(true).define(&store, IMPORTS, TABLE, table)?;
        Ok(Self { session: Session::new(), engine: engine.clone(), store, linker, table, modules: Vec::new() })
    }

    /// The compiler's side of it.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What its modules are made for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The store.
    pub fn store(&mut self) -> &mut Store<T> {
        &mut self.store
    }

    /// The module of an entry that was run, by its name.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().rev().find(|(other, _)| other == name).map(|(_, module)| module)
    }

    /// Checks an entry and runs it, with a handle for each thing that it needs.
    pub fn enter(
        &mut self,
        text: &str,
        handed: impl FnOnce(&mut Store<T>, &[Need]) -> Result<Vec<Val>, Error>,
    ) -> Entered {
        let checked = self.session.check(text).and_then(|entry| entry.compile().map(|compiled| (entry, compiled)));
        let (entry, compiled) = match checked {
            Ok(both) => both,
            Err(rejected) => {
                self.session.reject();
                return Entered::Rejected(rejected);
            }
        };
        let result = self.run(&entry, &compiled, handed);
        match result.and_then(|(text, instance)| Ok((text, self.bound(&entry, instance)?))) {
            Ok((text, bound)) => {
                // A variable may have the name of a value.
                let ty = entry.value_type().filter(|_| !text.is_empty()).map(str::to_owned);
                let warnings = (!entry.warnings().is_empty()).then(|| {
                    let (diagnostics, sources) = (entry.warnings().to_vec(), entry.sources().clone());
                    Box::new(Rejected { diagnostics, sources })
                });
                self.session.commit(entry, &compiled, |name| bound.iter().any(|(other, _)| other == name));
                for (name, global) in bound {
                    if let Err(error) = self.linker.define(&self.store, IMPORTS, &name, global) {
                        return Entered::Failed(error);
                    }
                }
                Entered::Done { value: ty.map(|ty| Value { text, ty }), warnings }
            }
            Err(error) => {
                self.session.abandon(&compiled);
                Entered::Failed(error)
            }
        }
    }

    /// Runs an entry's module; gives the text of its value.
    fn run(
        &mut self,
        entry: &Entry,
        compiled: &Compiled,
        handed: impl FnOnce(&mut Store<T>, &[Need]) -> Result<Vec<Val>, Error>,
    ) -> Result<(String, Instance), Error> {
        let module = Module::new(&self.engine, compiled.module.clone())?;
        let needs = module.custom_section(NEEDS).and_then(Need::parse).unwrap_or_default();
        let missing = u64::from(compiled.table).saturating_sub(self.table.size(&self.store)?);
        let grown = self.table.grow(&mut self.store, missing, &Val::FuncRef(None));
        grown.map_err(|_| Error::host("there is no room for more functions"))?;
        let instance = self.linker.instantiate(&mut self.store, &module)?;
        self.modules.push((entry.name().to_owned(), module));
        let missing = || Error::NoExport { name: "main".into(), kind: "function" };
        let main = instance.get_func(&self.store, "main").ok_or_else(missing)?;
        let arguments = handed(&mut self.store, &needs)?;
        let mut results = [Val::AnyRef(None)];
        main.call(&mut self.store, &arguments, &mut results)?;
        let [Val::AnyRef(Some(text))] = &results else { return Ok((String::new(), instance)) };
        let text = text.to_array(&self.store)?;
        Ok((String::from_utf8_lossy(text.bytes(&self.store)?).into_owned(), instance))
    }

    /// The variables that an entry gave a value.
    fn bound(&self, entry: &Entry, instance: Instance) -> Result<Vec<(String, Global)>, Error> {
        let globals = entry.globals().filter_map(|name| Some((name, instance.get_global(&self.store, name)?)));
        let mut bound = Vec::new();
        for (name, global) in globals {
            if !matches!(global.get(&self.store)?, Val::AnyRef(None)) {
                bound.push((name.to_owned(), global));
            }
        }
        Ok(bound)
    }
}
