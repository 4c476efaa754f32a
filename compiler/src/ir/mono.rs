//! Which functions there are: each function of the program for each list of concrete type arguments with which something calls it.
//!
//! What is called gets its number at once and its code later, from a queue, so that neither recursion nor order matters. Two limits bound
//! what a program can ask for: how deep a type is nested, and how many functions are made of generic ones.

use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::layout::{Fields, Shape};
use super::{
    At, Code, Expr, FuncId, Function, Global, GlobalId, Heap, Init, Module, Panic, Place, RowId, Shared, TypeId, Val,
};
use crate::diagnostic::Diagnostic;
use crate::names::Names;
use crate::source::Span;
use crate::typed::types::{MAX_DEPTH, MAX_SIZE};
use crate::typed::{
    Closure, ConstId, EntryMain, EnumId, FnId, FunctionKind, ImplId, Implemented, LocalId, Program, TraitId, Ty,
    TyKind, Types,
};

/// How many functions may be made of generic ones.
pub(crate) const MAX_INSTANCES: usize = 100_000;

/// What a program is made into; see [`crate::Options`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    /// Whether functions of the host that have a body in Fold are replaced by it.
    pub portable: bool,
    /// Whether tests are exported.
    pub tests: bool,
}

/// A function that is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A function of the program, with type arguments.
    Function(FnId, Rc<[Ty]>),
    /// A function of a trait that the compiler implements for a type, by its place in the trait.
    Derived(TraitId, u32, Ty),
    /// A function of a `dyn` value: of this type, as that trait with these arguments; the function's trait and place in it.
    Method(Ty, TraitId, Rc<[Ty]>, u32),
    /// A function of a `dyn` type: of this type, the trait with its arguments, and the function's place in it.
    Forward(Ty, TraitId, Rc<[Ty]>, u32),
    /// A function as a function value.
    Adapter(FuncId),
    /// A variant's constructor as a function value.
    Constructor(EnumId, u32, Ty),
    /// A constant.
    Constant(ConstId),
    /// The end of the program.
    Panic(Panic),
    /// The test whether a product fits.
    Product,
    /// What the host calls first.
    Main,
    /// A test.
    Test(u32),
    /// What the host calls for a function of the program's interface.
    Export(u32),
    /// Puts a value of a type on the wire.
    Put(Ty),
    /// Takes a value of a type off the wire.
    Take(Ty),
    /// A function with which hosts make and read texts.
    Accessor(Accessor),
}

/// See [`Key::Accessor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Accessor {
    /// `bytes_new(i32) -> ref`
    New,
    /// `bytes_len(ref) -> i32`
    Len,
    /// `bytes_get(ref, i32) -> i32`
    Get,
    /// `bytes_set(ref, i32, i32)`
    Set,
}

impl Accessor {
    /// Each with its name.
    pub const ALL: [(Accessor, &'static str); 4] = [
        (Accessor::New, "bytes_new"),
        (Accessor::Len, "bytes_len"),
        (Accessor::Get, "bytes_get"),
        (Accessor::Set, "bytes_set"),
    ];
}

/// A function whose code is still to be made.
#[derive(Clone, Debug)]
pub(crate) enum Work<'a> {
    /// By what it is.
    Key(FuncId, Key),
    /// A closure in a function with these type arguments.
    Closure {
        /// Its number.
        func: FuncId,
        /// What it is.
        closure: &'a Closure,
        /// The locals of the function around it.
        locals: &'a [crate::typed::Local],
        /// The type arguments.
        args: Rc<[Ty]>,
        /// Its object.
        object: TypeId,
        /// How the locals that it captures are kept in it.
        captures: Vec<(LocalId, Captured)>,
        /// What the closure gives.
        result: Ty,
    },
}

/// See [`Work::Closure`].
#[derive(Clone, Debug)]
pub(crate) enum Captured {
    /// The parts.
    Parts(Rc<[Val]>),
    /// The object in which it is shared.
    Cell(TypeId),
}

/// An implementation with the arguments for its type parameters.
pub type Implementation = (ImplId, Rc<[Ty]>);

/// A program that is being made into a module.
pub(crate) struct Context<'a> {
    /// The program.
    pub program: &'a Program,
    /// Its names.
    pub names: &'a Names,
    /// All types, the concrete ones of instances too.
    pub types: Types,
    /// What is made.
    pub module: Module,
    /// How.
    pub settings: Settings,
    /// What is wrong.
    pub errors: Vec<Diagnostic>,
    /// The parts of types.
    pub layouts: FxHashMap<Ty, Rc<[Val]>>,
    /// How records look.
    pub records: FxHashMap<Ty, Rc<Fields>>,
    /// How enums look.
    pub shapes: FxHashMap<Ty, Shape>,
    /// Records and variants whose objects are being made, with the type's number if it is needed before.
    pub pending: FxHashMap<Ty, Option<TypeId>>,
    /// How many of them hold one another.
    pub objects: u32,
    /// How many types hold one another whose parts are being found.
    pub depth: u32,
    /// Those that are to be made when none is being made.
    pub later: Vec<Ty>,
    /// Implementations that were found.
    pub implementations: FxHashMap<(TraitId, Ty), Option<Implementation>>,
    /// Implementations by trait and what the type is, at first sight.
    pub candidates: FxHashMap<(TraitId, super::resolve::Head), Vec<ImplId>>,
    /// The methods of `dyn` values.
    pub rows: FxHashMap<TraitId, Rc<[(TraitId, u32)]>>,
    /// Where the methods of a type, as `dyn` of a trait with arguments, are in the table.
    pub implemented: FxHashMap<Implemented, RowId>,
    /// Those that earlier entries of a session have put there.
    pub earlier_rows: FxHashMap<Implemented, u32>,
    /// Where the functions of closures are.
    pub closure_rows: FxHashMap<FuncId, RowId>,
    instances: FxHashMap<Key, FuncId>,
    queue: VecDeque<Work<'a>>,
    constants: FxHashMap<Init, GlobalId>,
    imports: FxHashMap<Rc<str>, FuncId>,
    generic_instances: usize,
    function_names: FxHashMap<Rc<str>, u32>,
    last_place: Option<Place>,
    /// The function whose code is being made, for errors.
    pub current: Option<FnId>,
    stopped: bool,
}

impl<'a> Context<'a> {
    /// A module with nothing in it.
    pub fn new(program: &'a Program, names: &'a Names, settings: Settings) -> Self {
        let mut context = Self {
            program,
            names,
            types: program.types.clone(),
            module: Module::default(),
            settings,
            errors: Vec::new(),
            layouts: FxHashMap::default(),
            records: FxHashMap::default(),
            shapes: FxHashMap::default(),
            pending: FxHashMap::default(),
            objects: 0,
            depth: 0,
            later: Vec::new(),
            implementations: FxHashMap::default(),
            candidates: FxHashMap::default(),
            rows: FxHashMap::default(),
            implemented: FxHashMap::default(),
            earlier_rows: program
                .main
                .iter()
                .flat_map(|main| &main.entry)
                .flat_map(|entry| entry.rows.clone())
                .collect(),
            closure_rows: FxHashMap::default(),
            instances: FxHashMap::default(),
            queue: VecDeque::new(),
            constants: FxHashMap::default(),
            imports: FxHashMap::default(),
            generic_instances: 0,
            function_names: FxHashMap::default(),
            last_place: None,
            current: None,
            stopped: false,
        };
        context.index_implementations();
        context
    }

    /// Makes the module: `main`, tests and all that they need.
    pub fn run(mut self) -> Result<Module, Vec<Diagnostic>> {
        for (accessor, name) in Accessor::ALL {
            let func = self.instance(Key::Accessor(accessor));
            self.module.exports.push((name.to_owned(), func));
        }
        if self.program.main.is_some() {
            let main = self.instance(Key::Main);
            self.module.exports.push(("main".to_owned(), main));
        }
        for (index, export) in (0..).zip(&self.program.interface.functions) {
            let func = self.instance(Key::Export(index));
            let name = self.names.text(self.program.functions[export.function.index()].name);
            self.module.exports.push((format!("call {name}"), func));
        }
        if self.settings.tests {
            for index in 0..self.program.tests.len() {
                let test = self.instance(Key::Test(index as u32));
                self.module.exports.push((format!("test {index}"), test));
            }
        }
        while let Some(work) = self.queue.pop_front() {
            if self.stopped {
                break;
            }
            super::lower::function(&mut self, work);
        }
        if let Some(shared) = &mut self.module.shared {
            shared.implemented = self.implemented.into_iter().collect();
            shared.types = Some(self.types);
        }
        if self.errors.is_empty() { Ok(self.module) } else { Err(self.errors) }
    }

    /// Whether what is made is an entry of a session.
    pub fn in_session(&self) -> bool {
        self.program.main.as_ref().is_some_and(|main| main.entry.is_some())
    }

    /// The number of a function, which gets its code in time.
    pub fn instance(&mut self, key: Key) -> FuncId {
        if let Some(&func) = self.instances.get(&key) {
            return func;
        }
        if let Key::Function(id, args) = &key
            && !args.is_empty()
        {
            self.generic_instances += 1;
            if self.generic_instances > MAX_INSTANCES {
                let message = format!("the program needs more than {MAX_INSTANCES} versions of its generic functions");
                self.limit("F0710", *id, message, "one of those that it has too many of");
            }
        }
        let (name, params, results) = super::lower::signature(self, &key);
        let func = self.declare(&name, &params, &results);
        self.instances.insert(key.clone(), func);
        self.queue.push_back(Work::Key(func, key));
        func
    }

    /// A closure's function, which gets its code in time.
    pub fn closure(
        &mut self,
        name: &str,
        params: &[Val],
        results: &[Val],
        work: impl FnOnce(FuncId) -> Work<'a>,
    ) -> FuncId {
        let func = self.declare(name, params, results);
        self.queue.push_back(work(func));
        func
    }

    fn declare(&mut self, name: &str, params: &[Val], results: &[Val]) -> FuncId {
        let name = self.function_name(name);
        self.module.functions.push(Function {
            name,
            params: params.len(),
            locals: params.to_vec(),
            results: results.to_vec(),
            code: Code::Gone,
            labels: 0,
            ends: None,
        });
        FuncId(self.module.functions.len() as u32 - 1)
    }

    /// The number of a function's name.
    pub fn function_name(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.function_names.get(name) {
            return number;
        }
        let number = self.module.names.len() as u32;
        let name: Rc<str> = name.into();
        self.module.names.push(name.clone());
        self.function_names.insert(name, number);
        number
    }

    /// A function of the host.
    pub fn import(&mut self, name: &str, params: &[Val], results: &[Val]) -> FuncId {
        if let Some(&func) = self.imports.get(name) {
            return func;
        }
        let func = self.declare(&format!("fold.{name}"), params, results);
        let name: Rc<str> = name.into();
        self.module.functions[func.index()].code = Code::Import(name.clone());
        self.imports.insert(name, func);
        func
    }

    /// What ends the program.
    pub fn panic(&mut self, panic: Panic) {
        let index = Panic::ALL.iter().position(|(each, _)| *each == panic).unwrap_or(0);
        if self.module.panics[index].is_none() {
            self.module.panics[index] = Some(self.instance(Key::Panic(panic)));
        }
    }

    /// A value that all functions share.
    pub fn global(&mut self, ty: Val, init: Init) -> Expr {
        if let Some(&global) = self.constants.get(&init) {
            return Expr::Global(global);
        }
        let global = GlobalId(self.module.globals.len() as u32);
        self.module.globals.push(Global { ty, init: init.clone() });
        self.constants.insert(init, global);
        Expr::Global(global)
    }

    /// A new variable that all functions share.
    pub fn shared_variable(&mut self, ty: Val) -> GlobalId {
        let global = GlobalId(self.module.globals.len() as u32);
        self.module.globals.push(Global { ty: ty.nullable(), init: Init::Variable(global.0) });
        global
    }

    /// What a function that is a session's entry shares with others.
    pub fn entry_of(&self, id: FnId) -> Option<&'a EntryMain> {
        let main = self.program.main.as_ref().filter(|main| main.function == id)?;
        main.entry.as_ref()
    }

    /// The global of a session's variable.
    pub fn shared_global(&mut self, cell: TypeId, name: &Rc<str>, imported: bool) -> GlobalId {
        let global = self.shared_variable(Val::Ref(Heap::Type(cell)));
        let shared = self.module.shared.get_or_insert_with(Shared::default);
        let list = if imported { &mut shared.imports } else { &mut shared.exports };
        list.push((global, name.clone()));
        global
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> Expr {
        let bytes = self.module.types.bytes();
        self.global(Val::Ref(Heap::Type(bytes)), Init::Bytes(text.as_bytes().into()))
    }

    /// The place of code from this source in this function.
    pub fn place(&mut self, span: Span, function: u32) -> At {
        let place = Place { span, function, caller: None };
        if self.last_place != Some(place) {
            self.last_place = Some(place);
            self.module.places.push(place);
        }
        At(self.module.places.len() as u32 - 1)
    }

    /// Where the function of a closure is in the table.
    pub fn closure_row(&mut self, func: FuncId) -> RowId {
        if let Some(&row) = self.closure_rows.get(&func) {
            return row;
        }
        let row = RowId(self.module.rows.len() as u32);
        self.module.rows.push(vec![func]);
        self.closure_rows.insert(func, row);
        row
    }

    /// A type with its parameters replaced.
    pub fn substitute(&mut self, ty: Ty, args: &[Ty]) -> Ty {
        if !self.types.has_param(ty) {
            return ty;
        }
        let concrete = self.types.substitute(ty, args);
        if self.types.take_exceeded() {
            self.endless_type();
        }
        concrete
    }

    /// The types in a type.
    pub fn type_parts(&self, ty: Ty) -> Vec<Ty> {
        match self.types.kind(ty) {
            TyKind::Array(element) => vec![*element],
            TyKind::Tuple(parts) | TyKind::Record(_, parts) | TyKind::Enum(_, parts) | TyKind::Dyn(_, parts) => {
                parts.to_vec()
            }
            TyKind::Fn(params, result) => params.iter().copied().chain([*result]).collect(),
            _ => Vec::new(),
        }
    }

    /// Tells that a type grows without end.
    fn endless_type(&mut self) {
        let message = format!("a type is nested more than {MAX_DEPTH} deep or has more than {MAX_SIZE} parts");
        match self.current {
            Some(id) => {
                let label = "it comes about in this function, which may use itself with greater and greater types";
                self.limit("F0711", id, message, label);
            }
            None => self.stop(Diagnostic::error("F0711", Span::default(), message)),
        }
    }

    /// A limit that the program passes: nothing more is made.
    pub fn limit(&mut self, code: &'static str, id: FnId, message: String, label: &str) {
        let function = &self.program.functions[id.index()];
        let diagnostic = Diagnostic::error(code, function.span, message).label(label);
        self.stop(diagnostic.note(format!("the function is {}", function.path)));
    }

    fn stop(&mut self, diagnostic: Diagnostic) {
        if !self.stopped {
            self.errors.push(diagnostic);
        }
        self.stopped = true;
    }

    /// The function that the host has, for a function of the program.
    pub fn host_function(&mut self, id: FnId) -> Option<FuncId> {
        let program = self.program;
        let function = &program.functions[id.index()];
        match &function.kind {
            FunctionKind::Host(body) if !(self.settings.portable && body.is_some()) => {
                let params: Vec<Val> = function.params.iter().flat_map(|param| self.parts(param.ty).to_vec()).collect();
                let results = self.parts(function.result).to_vec();
                let name = self.names.text(function.name).to_owned();
                Some(self.import(&name, &params, &results))
            }
            _ => None,
        }
    }
}
