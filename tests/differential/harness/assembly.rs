//! A module in the making that has the types of another one, so that values of them can pass between the two.

use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, Encode, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemorySection, MemoryType, Module,
    RawSection, TableSection, TableType, TagKind, TagSection, TagType, TypeSection, ValType,
};

use super::shape::Shape;

/// The body of a function in the making.
#[derive(Default)]
pub struct Body {
    params: u32,
    locals: Vec<ValType>,
    code: Vec<Instruction<'static>>,
}

impl Body {
    pub fn new(params: usize) -> Self {
        Self { params: params as u32, ..Self::default() }
    }

    /// Adds a local variable, and returns its index.
    pub fn local(&mut self, ty: ValType) -> u32 {
        self.locals.push(ty);
        self.params + self.locals.len() as u32 - 1
    }

    pub fn extend(&mut self, code: impl IntoIterator<Item = Instruction<'static>>) -> &mut Self {
        self.code.extend(code);
        self
    }

    /// Moves values of these types from the stack to new locals, and returns those.
    pub fn take(&mut self, types: &[ValType]) -> Vec<u32> {
        let locals: Vec<u32> = types.iter().map(|ty| self.local(*ty)).collect();
        self.extend(locals.iter().rev().map(|local| Instruction::LocalSet(*local)));
        locals
    }
}

/// The sections so far. Everything that is imported comes before what is defined.
pub struct Assembly<'a> {
    pub shape: &'a Shape,
    types: TypeSection,
    type_count: u32,
    imports: ImportSection,
    funcs: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    tags: TagSection,
    globals: GlobalSection,
    exports: ExportSection,
    code: CodeSection,
    counts: Counts,
    /// Functions that `ref.func` names.
    pub referred: Vec<u32>,
}

#[derive(Default)]
struct Counts {
    funcs: u32,
    tables: u32,
    memories: u32,
    tags: u32,
    globals: u32,
}

impl<'a> Assembly<'a> {
    pub fn new(shape: &'a Shape) -> Self {
        Self {
            shape,
            types: TypeSection::new(),
            type_count: 0,
            imports: ImportSection::new(),
            funcs: FunctionSection::new(),
            tables: TableSection::new(),
            memories: MemorySection::new(),
            tags: TagSection::new(),
            globals: GlobalSection::new(),
            exports: ExportSection::new(),
            code: CodeSection::new(),
            counts: Counts::default(),
            referred: Vec::new(),
        }
    }

    /// A function type of its own.
    pub fn ty(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        self.types.ty().function(params.iter().copied(), results.iter().copied());
        self.type_count += 1;
        self.shape.types.len() as u32 + self.type_count - 1
    }

    /// Imports something, and returns its index in its space.
    pub fn import(&mut self, module: &str, name: &str, ty: EntityType) -> u32 {
        self.imports.import(module, name, ty);
        next(match ty {
            EntityType::Function(_) | EntityType::FunctionExact(_) => &mut self.counts.funcs,
            EntityType::Table(_) => &mut self.counts.tables,
            EntityType::Memory(_) => &mut self.counts.memories,
            EntityType::Global(_) => &mut self.counts.globals,
            EntityType::Tag(_) => &mut self.counts.tags,
        })
    }

    pub fn func(&mut self, ty: u32, body: Body) -> u32 {
        self.funcs.function(ty);
        let mut function = Function::new_with_locals_types(body.locals);
        for instruction in &body.code {
            function.instruction(instruction);
        }
        function.instruction(&Instruction::End);
        self.code.function(&function);
        next(&mut self.counts.funcs)
    }

    /// The index that the next function will have.
    pub fn next_func(&self) -> u32 {
        self.counts.funcs
    }

    pub fn table(&mut self, ty: TableType) -> u32 {
        self.tables.table(ty);
        next(&mut self.counts.tables)
    }

    pub fn memory(&mut self, ty: MemoryType) -> u32 {
        self.memories.memory(ty);
        next(&mut self.counts.memories)
    }

    pub fn tag(&mut self, func_type_idx: u32) -> u32 {
        self.tags.tag(TagType { kind: TagKind::Exception, func_type_idx });
        next(&mut self.counts.tags)
    }

    pub fn global(&mut self, ty: GlobalType, value: &[Instruction<'static>]) -> u32 {
        self.globals.global(ty, &ConstExpr::extended(value.iter().cloned()));
        next(&mut self.counts.globals)
    }

    pub fn export(&mut self, name: &str, kind: ExportKind, index: u32) {
        self.exports.export(name, kind, index);
    }

    pub fn finish(self) -> Vec<u8> {
        let (count, groups) = &self.shape.groups;
        let mut types = Vec::new();
        (count + self.type_count).encode(&mut types);
        types.extend_from_slice(groups);
        // What the section holds, without its count of entries.
        let mut own = Vec::new();
        self.types.encode(&mut own);
        types.extend(skip_numbers(&own, 2));
        let mut elements = ElementSection::new();
        elements.declared(Elements::Functions(self.referred.into()));
        let mut module = Module::new();
        module
            .section(&RawSection { id: 1, data: &types })
            .section(&self.imports)
            .section(&self.funcs)
            .section(&self.tables)
            .section(&self.memories)
            .section(&self.tags)
            .section(&self.globals)
            .section(&self.exports)
            .section(&elements)
            .section(&self.code);
        module.finish()
    }
}

fn next(count: &mut u32) -> u32 {
    *count += 1;
    *count - 1
}

/// What follows some numbers in LEB128.
fn skip_numbers(mut bytes: &[u8], numbers: usize) -> &[u8] {
    for _ in 0..numbers {
        let len = bytes.iter().take_while(|byte| **byte & 0x80 != 0).count();
        bytes = &bytes[len + 1..];
    }
    bytes
}
