//! Writing a module down as WebAssembly.
//!
//! The same program always gives the same bytes: everything is numbered in the order in which it is found from the exports on, and
//! what is not found is left out.

mod function;
mod names;
mod sources;
mod types;

use std::rc::Rc;

use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataCountSection, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType, ImportSection, InstructionSink, RefType,
    TableSection, TableType,
};

use crate::ir::reach::{Reached, reach};
use crate::ir::{Code, FuncId, GlobalId, Init, Module, RowId, TypeId};
use crate::session::{IMPORTS, TABLE};
use crate::source::Sources;

/// Texts of at most so many bytes are made when the program starts; others when they are needed first.
const EAGER_TEXT: usize = 48;

/// How many bytes of text are made when the program starts.
const EAGER_TEXTS: usize = 16 << 10;

/// How a program's own numbers become the module's.
pub(crate) struct Numbers {
    /// Of functions.
    pub functions: Vec<Option<u32>>,
    /// Of globals.
    pub globals: Vec<Option<u32>>,
    /// Texts that are made when they are needed, with their data.
    pub lazy: Vec<Option<u32>>,
    /// Of data.
    pub data: Vec<Option<u32>>,
    /// Where rows begin in the table.
    pub rows: Vec<Option<u32>>,
    /// Of types.
    pub types: types::TypeNumbers,
}

impl Numbers {
    /// A function's.
    pub fn function(&self, id: FuncId) -> u32 {
        self.functions[id.index()].unwrap_or(0)
    }

    /// A type's.
    pub fn ty(&self, id: TypeId) -> u32 {
        self.types.number(id)
    }

    /// Where a row begins in the table.
    pub fn row(&self, id: RowId) -> i32 {
        self.rows[id.index()].unwrap_or(0) as i32
    }

    /// A global's.
    pub fn global(&self, id: GlobalId) -> u32 {
        self.globals[id.index()].unwrap_or(0)
    }
}

/// The module's bytes, how many places of the table it fills, and where in the table its rows are. `needs` is what the program is handed: name and type of each; `interface`
/// what it offers, if a host embeds it.
pub(crate) fn encode(
    mut module: Module,
    needs: &[(String, String)],
    interface: Option<&str>,
    sources: &Sources,
) -> (Vec<u8>, u32, Vec<Option<u32>>) {
    let reached = reach(&module);
    let signatures: Vec<TypeId> = module
        .functions
        .iter()
        .map(|function| {
            let params = function.locals[..function.params].to_vec();
            module.types.func(params, function.results.clone())
        })
        .collect();
    let mut output = wasm_encoder::Module::new();
    let (numbers, bytes, table) = number(&module, &reached, &signatures);
    let (type_section, numbers) = (numbers.types.section(&module.types), numbers);
    output.section(&type_section);
    imports(&module, &reached, &signatures, &numbers, &mut output);
    let defined: Vec<FuncId> = reached
        .functions
        .iter()
        .copied()
        .filter(|&id| matches!(module.functions[id.index()].code, Code::Body(_)))
        .collect();
    let mut functions = FunctionSection::new();
    for &id in &defined {
        functions.function(numbers.ty(signatures[id.index()]));
    }
    output.section(&functions);
    if module.shared.is_none() {
        // Also where it is empty: a call may be there that nothing ever makes.
        let length = table.len() as u64;
        let mut tables = TableSection::new();
        tables.table(TableType { maximum: Some(length), ..table_of(length) });
        output.section(&tables);
    }
    globals(&module, &reached, &numbers, &mut output);
    let mut exports = ExportSection::new();
    for (name, id) in &module.exports {
        exports.export(name, ExportKind::Func, numbers.function(*id));
    }
    for (id, name) in module.shared.iter().flat_map(|shared| &shared.exports) {
        exports.export(name, ExportKind::Global, numbers.global(*id));
    }
    output.section(&exports);
    if !table.is_empty() {
        let functions: Vec<u32> = table.iter().map(|&id| numbers.function(id)).collect();
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(first_row(&module) as i32), Elements::Functions(functions.into()));
        output.section(&elements);
    }
    output.section(&DataCountSection { count: bytes.len() as u32 });
    let mut code = CodeSection::new();
    let mut map = sources::Map::default();
    for &id in &defined {
        let body = function::function(&module, &numbers, bytes_type(&module), &module.functions[id.index()]);
        code.raw(&body.bytes);
        map.function(&module, &body.places);
    }
    output.section(&code);
    let mut data = DataSection::new();
    for piece in &bytes {
        data.passive(piece.iter().copied());
    }
    output.section(&data);
    output.section(&names::section(&module, &reached, &defined, &numbers));
    let needs: String = needs.iter().map(|(name, ty)| format!("{name} {ty}\n")).collect();
    output.section(&CustomSection { name: "fold.needs".into(), data: needs.as_bytes().into() });
    if let Some(interface) = interface {
        output.section(&CustomSection { name: "fold.interface".into(), data: interface.as_bytes().into() });
    }
    let map = map.finish(&module, sources);
    output.section(&CustomSection { name: "fold.sources".into(), data: map.into() });
    (output.finish(), table.len() as u32, numbers.rows)
}

/// A table of at least this many functions.
fn table_of(minimum: u64) -> TableType {
    TableType { element_type: RefType::FUNCREF, table64: false, minimum, maximum: None, shared: false }
}

/// The first place in the table that is the module's own.
fn first_row(module: &Module) -> u32 {
    module.shared.as_ref().map_or(0, |shared| shared.first_row)
}

fn bytes_type(module: &Module) -> TypeId {
    match module.functions[0].results.first().and_then(|val| val.heap()) {
        Some(crate::ir::Heap::Type(id)) => id,
        _ => TypeId(0),
    }
}

/// Numbers everything that is reached, and collects the data.
fn number(module: &Module, reached: &Reached, signatures: &[TypeId]) -> (Numbers, Vec<Rc<[u8]>>, Vec<FuncId>) {
    let mut functions = vec![None; module.functions.len()];
    let is_import = |id: &&FuncId| matches!(module.functions[id.index()].code, Code::Import(_));
    let imports = reached.functions.iter().filter(is_import);
    let defined = reached.functions.iter().filter(|id| !is_import(id));
    for (number, id) in imports.chain(defined).enumerate() {
        functions[id.index()] = Some(number as u32);
    }
    let mut bytes: Vec<Rc<[u8]>> = Vec::new();
    let mut data = vec![None; module.data.len()];
    for id in &reached.data {
        data[id.index()] = Some(bytes.len() as u32);
        bytes.push(module.data[id.index()].clone());
    }
    let mut globals = vec![None; module.globals.len()];
    let mut lazy = vec![None; module.globals.len()];
    let mut eager = 0;
    // Imported ones come first.
    let imported = |id: &&GlobalId| module.imports_global(**id).is_some();
    let own = reached.globals.iter().filter(|id| !imported(id));
    for (number, id) in reached.globals.iter().filter(imported).chain(own).enumerate() {
        globals[id.index()] = Some(number as u32);
        if let Init::Bytes(text) = &module.globals[id.index()].init {
            if text.len() <= EAGER_TEXT && eager + text.len() <= EAGER_TEXTS {
                eager += text.len();
            } else {
                lazy[id.index()] = Some(bytes.len() as u32);
                bytes.push(text.clone());
            }
        }
    }
    let used = reached.functions.iter().map(|id| signatures[id.index()]).chain(reached.types.iter().copied());
    let types = types::TypeNumbers::new(&module.types, used, module.shared.is_some());
    let mut table = Vec::new();
    let mut rows = vec![None; module.rows.len()];
    for id in &reached.rows {
        if let Some(place) = module.earlier_row(*id) {
            rows[id.index()] = Some(place);
            continue;
        }
        rows[id.index()] = Some(first_row(module) + table.len() as u32);
        match &module.rows[id.index()][..] {
            // Even one without functions has a place of its own.
            [] => table.push(FuncId(0)),
            functions => table.extend_from_slice(functions),
        }
    }
    (Numbers { functions, globals, lazy, data, rows, types }, bytes, table)
}

fn imports(
    module: &Module,
    reached: &Reached,
    signatures: &[TypeId],
    numbers: &Numbers,
    output: &mut wasm_encoder::Module,
) {
    let mut imports = ImportSection::new();
    for id in &reached.functions {
        if let Code::Import(name) = &module.functions[id.index()].code {
            imports.import("fold", name, EntityType::Function(numbers.ty(signatures[id.index()])));
        }
    }
    if module.shared.is_some() {
        imports.import(IMPORTS, TABLE, EntityType::Table(table_of(0)));
    }
    for (id, name) in reached.globals.iter().filter_map(|&id| Some((id, module.imports_global(id)?))) {
        let val_type = numbers.types.val(module.globals[id.index()].ty);
        imports.import(IMPORTS, name, EntityType::Global(GlobalType { val_type, mutable: true, shared: false }));
    }
    output.section(&imports);
}

fn globals(module: &Module, reached: &Reached, numbers: &Numbers, output: &mut wasm_encoder::Module) {
    let mut globals = GlobalSection::new();
    for id in reached.globals.iter().filter(|id| module.imports_global(**id).is_none()) {
        let global = &module.globals[id.index()];
        let is_lazy = numbers.lazy[id.index()].is_some();
        let (mutable, val, value) = match &global.init {
            Init::Bytes(text) if !is_lazy => {
                let ty = numbers.ty(bytes_type(module));
                let bytes = text.iter().map(|&byte| byte as i32);
                (false, global.ty, constant(bytes, |code| code.array_new_fixed(ty, text.len() as u32)))
            }
            Init::Struct(ty, number) => {
                (false, global.ty, constant([*number].into_iter(), |code| code.struct_new(numbers.ty(*ty))))
            }
            Init::Function(ty, row) => {
                let row = numbers.row(*row);
                (false, global.ty, constant([row].into_iter(), |code| code.struct_new(numbers.ty(*ty))))
            }
            Init::Bytes(_) | Init::Variable(_) => {
                let val = global.ty.nullable();
                (true, val, numbers.types.zero(val))
            }
        };
        globals.global(GlobalType { val_type: numbers.types.val(val), mutable, shared: false }, &value);
    }
    output.section(&globals);
}

/// A constant that an instruction makes of numbers.
fn constant(
    numbers: impl Iterator<Item = i32>,
    make: impl for<'c, 'd> FnOnce(&'d mut InstructionSink<'c>) -> &'d mut InstructionSink<'c>,
) -> ConstExpr {
    let mut bytes = Vec::new();
    let mut code = InstructionSink::new(&mut bytes);
    for number in numbers {
        code.i32_const(number);
    }
    make(&mut code);
    ConstExpr::raw(bytes)
}
