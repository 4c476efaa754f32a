//! What a module shows of itself: the types that it defines, what it imports and what it exports.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{AbstractHeapType, FieldType, HeapType, RefType, StorageType, ValType};
use wasmparser::{BinaryReader, CompositeInnerType, ExternalKind, Parser, Payload, TypeRef};

/// A type that a module defines.
pub struct Defined {
    pub supertype: Option<u32>,
    pub composite: Composite,
}

/// What a type is made of.
pub enum Composite {
    Func(Vec<ValType>, Vec<ValType>),
    Struct(Vec<FieldType>),
    Array(FieldType),
}

/// Something imported or exported.
#[derive(Clone, Copy, PartialEq)]
pub enum Item {
    /// A function of the type with this index.
    Func(u32),
    Table(wasm_encoder::TableType),
    Memory(wasm_encoder::MemoryType),
    Global(wasm_encoder::GlobalType),
    /// A tag whose payload are the parameters of the type with this index.
    Tag(u32),
}

pub struct Import {
    pub module: String,
    pub name: String,
    pub item: Item,
}

/// A module without its code.
#[derive(Default)]
pub struct Shape {
    /// How many groups of types there are, and the groups as they were encoded: whatever begins with the same groups has
    /// the same types.
    pub groups: (u32, Vec<u8>),
    pub types: Vec<Defined>,
    pub imports: Vec<Import>,
    pub exports: Vec<(String, Item)>,
}

/// The index spaces, filled in the order of the sections.
#[derive(Default)]
struct Spaces {
    funcs: Vec<Item>,
    tables: Vec<Item>,
    memories: Vec<Item>,
    globals: Vec<Item>,
    tags: Vec<Item>,
}

impl Spaces {
    fn add(&mut self, item: Item) {
        match item {
            Item::Func(_) => &mut self.funcs,
            Item::Table(_) => &mut self.tables,
            Item::Memory(_) => &mut self.memories,
            Item::Global(_) => &mut self.globals,
            Item::Tag(_) => &mut self.tags,
        }
        .push(item);
    }
}

impl Shape {
    /// Of a module that is valid.
    pub fn new(bytes: &[u8]) -> Self {
        let mut shape = Self::default();
        let mut spaces = Spaces::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.unwrap() {
                Payload::TypeSection(section) => {
                    let range = section.range();
                    let content = &bytes[range.start as usize..range.end as usize];
                    let mut reader = BinaryReader::new(content, 0);
                    let count = reader.read_var_u32().unwrap();
                    shape.groups = (count, content[reader.original_position() as usize..].to_vec());
                    for group in section {
                        shape.types.extend(group.unwrap().types().map(defined));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.unwrap();
                        let item = imported(import.ty);
                        spaces.add(item);
                        shape.imports.push(Import { module: import.module.into(), name: import.name.into(), item });
                    }
                }
                Payload::FunctionSection(section) => {
                    section.into_iter().for_each(|ty| spaces.add(Item::Func(ty.unwrap())));
                }
                Payload::TableSection(section) => {
                    section.into_iter().for_each(|table| spaces.add(imported(TypeRef::Table(table.unwrap().ty))));
                }
                Payload::MemorySection(section) => {
                    section.into_iter().for_each(|ty| spaces.add(imported(TypeRef::Memory(ty.unwrap()))));
                }
                Payload::GlobalSection(section) => {
                    section.into_iter().for_each(|global| spaces.add(imported(TypeRef::Global(global.unwrap().ty))));
                }
                Payload::TagSection(section) => {
                    section.into_iter().for_each(|ty| spaces.add(imported(TypeRef::Tag(ty.unwrap()))));
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.unwrap();
                        let space = match export.kind {
                            ExternalKind::Func | ExternalKind::FuncExact => &spaces.funcs,
                            ExternalKind::Table => &spaces.tables,
                            ExternalKind::Memory => &spaces.memories,
                            ExternalKind::Global => &spaces.globals,
                            ExternalKind::Tag => &spaces.tags,
                        };
                        shape.exports.push((export.name.into(), space[export.index as usize]));
                    }
                }
                _ => {}
            }
        }
        shape
    }

    pub fn params(&self, ty: u32) -> &[ValType] {
        match &self.types[ty as usize].composite {
            Composite::Func(params, _) => params,
            _ => unreachable!("functions and tags are of function types"),
        }
    }

    pub fn results(&self, ty: u32) -> &[ValType] {
        match &self.types[ty as usize].composite {
            Composite::Func(_, results) => results,
            _ => unreachable!("functions are of function types"),
        }
    }

    /// Whether a defined type is declared to be of another type that a reference may have.
    pub fn is_of(&self, ty: u32, wanted: HeapType) -> bool {
        let composite = &self.types[ty as usize].composite;
        match wanted {
            HeapType::Concrete(wanted) => {
                std::iter::successors(Some(ty), |ty| self.types[*ty as usize].supertype).any(|ty| ty == wanted)
            }
            HeapType::Abstract { ty, .. } => match composite {
                Composite::Func(..) => ty == AbstractHeapType::Func,
                Composite::Struct(_) => {
                    matches!(ty, AbstractHeapType::Any | AbstractHeapType::Eq | AbstractHeapType::Struct)
                }
                Composite::Array(_) => {
                    matches!(ty, AbstractHeapType::Any | AbstractHeapType::Eq | AbstractHeapType::Array)
                }
            },
            HeapType::Exact(_) => false,
        }
    }

    /// The family of a reference's type: the general type that its values are told apart as.
    pub fn family(&self, ty: RefType) -> AbstractHeapType {
        match ty.heap_type {
            HeapType::Abstract { ty, .. } => match ty {
                AbstractHeapType::Func | AbstractHeapType::NoFunc => AbstractHeapType::Func,
                AbstractHeapType::Extern | AbstractHeapType::NoExtern => AbstractHeapType::Extern,
                AbstractHeapType::Exn | AbstractHeapType::NoExn => AbstractHeapType::Exn,
                _ => AbstractHeapType::Any,
            },
            HeapType::Concrete(index) | HeapType::Exact(index) => match self.types[index as usize].composite {
                Composite::Func(..) => AbstractHeapType::Func,
                _ => AbstractHeapType::Any,
            },
        }
    }
}

fn val_type(ty: wasmparser::ValType) -> ValType {
    RoundtripReencoder.val_type(ty).unwrap()
}

fn field(ty: wasmparser::FieldType) -> FieldType {
    let element_type = match ty.element_type {
        wasmparser::StorageType::I8 => StorageType::I8,
        wasmparser::StorageType::I16 => StorageType::I16,
        wasmparser::StorageType::Val(ty) => StorageType::Val(val_type(ty)),
    };
    FieldType { element_type, mutable: ty.mutable }
}

fn defined(ty: &wasmparser::SubType) -> Defined {
    let composite = match &ty.composite_type.inner {
        CompositeInnerType::Func(ty) => Composite::Func(
            ty.params().iter().copied().map(val_type).collect(),
            ty.results().iter().copied().map(val_type).collect(),
        ),
        CompositeInnerType::Struct(ty) => Composite::Struct(ty.fields.iter().copied().map(field).collect()),
        CompositeInnerType::Array(ty) => Composite::Array(field(ty.0)),
        CompositeInnerType::Cont(_) => unreachable!("WebAssembly 3.0 has no continuations"),
    };
    Defined { supertype: ty.supertype_idxs.first().and_then(|index| index.unpack().as_module_index()), composite }
}

fn imported(ty: TypeRef) -> Item {
    let mut encoder = RoundtripReencoder;
    match ty {
        TypeRef::Func(index) | TypeRef::FuncExact(index) => Item::Func(index),
        TypeRef::Table(ty) => Item::Table(encoder.table_type(ty).unwrap()),
        TypeRef::Memory(ty) => Item::Memory(encoder.memory_type(ty).unwrap()),
        TypeRef::Global(ty) => Item::Global(encoder.global_type(ty).unwrap()),
        TypeRef::Tag(ty) => Item::Tag(ty.func_type_idx),
    }
}
