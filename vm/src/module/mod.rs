//! A decoded and verified module: what both tiers may rely on.
//!
//! Invariant: the verifier is the only maker of a [`Module`]; everything in it has been checked,
//! and every index in it is in range.

mod bytes;
mod disassembly;
mod escape;
mod filling;
mod names;
mod sections;
mod sources;
#[cfg(test)]
mod tests;
mod unread;

use std::ops::Range;
use std::sync::Arc;

use crate::runtime::types::DefinedType;
use crate::types::{ExternType, FuncType, GlobalType, HeapType, MemoryType, RefType, TableType, TypeId, ValType};

pub use bytes::{Bytes, Piece};
pub use escape::{Escaped, Printable};
pub use filling::Filling;
pub use names::Names;
pub use sections::Section;
pub use sources::{SOURCES, SourceMap, SourcePlace};
pub use unread::parts_read;

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into a slice.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index! {
    /// A function, imported ones first.
    FuncIndex
    /// A defined function: [`FuncIndex`] minus the number of imported functions.
    DefinedFunc
    /// A function type in the type section.
    TypeIndex
    /// A table, imported ones first.
    TableIndex
    /// A memory, imported ones first.
    MemoryIndex
    /// A global, imported ones first.
    GlobalIndex
    /// An exception tag, imported ones first.
    TagIndex
    /// An element segment.
    ElemIndex
    /// A data segment.
    DataIndex
}

/// What is imported under a name.
#[derive(Clone, Debug)]
pub struct Import {
    /// First name.
    pub module: String,
    /// Second name.
    pub name: String,
    /// What it must be.
    pub kind: ImportKind,
}

/// The kind and type of an import.
#[derive(Clone, Copy, Debug)]
pub enum ImportKind {
    /// A function of this type.
    Func(TypeIndex),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// An exception tag whose payload are this type's parameters.
    Tag(TypeIndex),
}

/// An export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// A function.
    Func(FuncIndex),
    /// A table.
    Table(TableIndex),
    /// A memory.
    Memory(MemoryIndex),
    /// A global.
    Global(GlobalIndex),
    /// An exception tag.
    Tag(TagIndex),
}

/// A constant expression, decoded.
#[derive(Clone, Debug)]
pub enum ConstExpr {
    /// A number or vector, as bits (`i32` and `f32` in the low 32 bits).
    Value(u128),
    /// `ref.null`
    Null,
    /// `ref.func`
    Func(FuncIndex),
    /// `global.get` of an immutable imported global (or any earlier one, with GC).
    Global(GlobalIndex),
    /// More than one operator.
    Steps(Box<[ConstStep]>),
}

/// A step of a constant expression that is more than one operator: each takes its operands from a stack.
#[derive(Clone, Debug)]
pub enum ConstStep {
    /// A value; never steps in its turn.
    Operand(ConstExpr),
    /// `i32.add`, `i32.sub` or `i32.mul`
    I32(ConstOperator),
    /// `i64.add`, `i64.sub` or `i64.mul`
    I64(ConstOperator),
    /// `ref.i31`
    I31,
    /// `struct.new` or `struct.new_default`
    Struct {
        /// The type.
        ty: TypeIndex,
        /// Whether the fields are zero.
        default: bool,
    },
    /// `array.new`
    Array(TypeIndex),
    /// `array.new_default`
    ArrayDefault(TypeIndex),
    /// `array.new_fixed`
    ArrayFixed {
        /// The type.
        ty: TypeIndex,
        /// Elements.
        len: u32,
    },
}

/// What a constant expression computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstOperator {
    /// The sum.
    Add,
    /// The difference.
    Sub,
    /// The product.
    Mul,
}

impl ConstOperator {
    /// Applies it, modulo 2^64; the low half of the result is the one modulo 2^32.
    pub const fn apply(self, a: u64, b: u64) -> u64 {
        match self {
            Self::Add => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::Mul => a.wrapping_mul(b),
        }
    }
}

impl ConstExpr {
    /// The same, shorter if all of it is known already: the offsets of segments mostly are.
    pub(crate) fn fold(self) -> Self {
        let Self::Steps(steps) = &self else { return self };
        let mut stack = Vec::new();
        for step in steps {
            let value = match step {
                ConstStep::Operand(Self::Value(bits)) => *bits,
                ConstStep::I32(operator) | ConstStep::I64(operator) => {
                    let (b, a) = (stack.pop().unwrap_or(0), stack.pop().unwrap_or(0));
                    let value = operator.apply(a as u64, b as u64);
                    u128::from(if matches!(step, ConstStep::I32(_)) { u64::from(value as u32) } else { value })
                }
                _ => return self,
            };
            stack.push(value);
        }
        Self::Value(stack.pop().unwrap_or(0))
    }
}

/// An element segment.
#[derive(Clone, Debug)]
pub struct ElementSegment {
    /// Type of the elements.
    pub element: ValType,
    /// What it holds.
    pub items: Vec<ConstExpr>,
    /// When it is used.
    pub mode: ElementMode,
}

/// How an element segment is used.
#[derive(Clone, Debug)]
pub enum ElementMode {
    /// By `table.init` only.
    Passive,
    /// At instantiation.
    Active {
        /// Into this table,
        table: TableIndex,
        /// at this offset.
        offset: ConstExpr,
    },
    /// Only declares functions for `ref.func`.
    Declared,
}

/// A data segment.
#[derive(Clone, Debug)]
pub struct DataSegment {
    /// Where its bytes stand in the module.
    pub bytes: Range<usize>,
    /// `Some` if it is copied at instantiation; passive otherwise.
    pub active: Option<(MemoryIndex, ConstExpr)>,
}

/// A defined function's body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Where it stands in the module: from its local declarations to its last `end`.
    pub bytes: Range<usize>,
}

/// A verified module. Cheap to share; holds the bytes it was made from.
#[derive(Debug)]
pub struct Module {
    /// The binary, a private copy.
    pub(crate) bytes: Bytes,
    /// The type section, as its engine has the types.
    pub(crate) types: Vec<Arc<DefinedType>>,
    /// Imports in order.
    pub(crate) imports: Vec<Import>,
    /// Type of each function, imported ones first.
    pub(crate) functions: Vec<TypeIndex>,
    /// Tables, imported ones first.
    pub(crate) tables: Vec<TableType>,
    /// What the elements of the defined tables are at first; null if nothing is said.
    pub(crate) table_inits: Vec<Option<ConstExpr>>,
    /// Memories, imported ones first.
    pub(crate) memories: Vec<MemoryType>,
    /// Globals, imported ones first.
    pub(crate) globals: Vec<GlobalType>,
    /// Type of each exception tag, imported ones first.
    pub(crate) tags: Vec<TypeIndex>,
    /// How many of the functions, tables, memories, globals and tags are imported.
    pub(crate) imported: ImportCounts,
    /// First values of the defined globals.
    pub(crate) global_inits: Vec<ConstExpr>,
    /// Exports in order.
    pub(crate) exports: Vec<(String, ExportKind)>,
    /// The memory that host functions work on: the one exported as `memory`, or else the first.
    pub(crate) host_memory: MemoryIndex,
    /// Function that runs at instantiation.
    pub(crate) start: Option<FuncIndex>,
    /// Element segments.
    pub(crate) elements: Vec<ElementSegment>,
    /// Data segments.
    pub(crate) data: Vec<DataSegment>,
    /// Bodies of the defined functions.
    pub(crate) bodies: Vec<Body>,
    /// Per table: whether any `table.grow` in this module names it.
    pub(crate) table_grows: Vec<bool>,
    /// Per table: whether it is exported.
    pub(crate) table_exported: Vec<bool>,
    /// Per global: whether it is exported.
    pub(crate) global_exported: Vec<bool>,
    /// Whether any operator of this module works on objects of the heap.
    pub(crate) uses_heap: bool,
    /// Whether any function of this module ends by a tail call.
    pub(crate) has_tail_calls: bool,
    /// Names from the name section.
    pub(crate) names: Names,
}

/// How many of each kind are imported.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportCounts {
    /// Functions.
    pub functions: u32,
    /// Tables.
    pub tables: u32,
    /// Memories.
    pub memories: u32,
    /// Globals.
    pub globals: u32,
    /// Exception tags.
    pub tags: u32,
}

/// A heap type as the decoder says it; `defined` knows those that the module defines.
pub(crate) fn heap_type(ty: wasmparser::HeapType, defined: impl FnOnce(u32) -> HeapType) -> HeapType {
    use wasmparser::AbstractHeapType as Abstract;
    match ty {
        wasmparser::HeapType::Abstract { ty, .. } => match ty {
            Abstract::Func => HeapType::Func,
            Abstract::NoFunc => HeapType::NoFunc,
            Abstract::Extern => HeapType::Extern,
            Abstract::NoExtern => HeapType::NoExtern,
            Abstract::Exn => HeapType::Exn,
            Abstract::NoExn => HeapType::NoExn,
            Abstract::Any => HeapType::Any,
            Abstract::Eq => HeapType::Eq,
            Abstract::I31 => HeapType::I31,
            Abstract::Struct => HeapType::Struct,
            Abstract::Array => HeapType::Array,
            // The verifier admits no continuations.
            Abstract::None | Abstract::Cont | Abstract::NoCont => HeapType::None,
        },
        // The verifier admits no exact types.
        wasmparser::HeapType::Concrete(index) | wasmparser::HeapType::Exact(index) => match index.as_module_index() {
            Some(index) => defined(index),
            None => HeapType::None,
        },
    }
}

impl Module {
    /// The binary this module was made from.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Imports in order.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// Exports in order.
    pub fn exports(&self) -> &[(String, ExportKind)] {
        &self.exports
    }

    /// The number of functions, imported ones included.
    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// Tables, imported ones first.
    pub fn tables(&self) -> &[TableType] {
        &self.tables
    }

    /// Memories, imported ones first.
    pub fn memories(&self) -> &[MemoryType] {
        &self.memories
    }

    /// Globals, imported ones first.
    pub fn globals(&self) -> &[GlobalType] {
        &self.globals
    }

    /// How many functions, tables, memories, globals and tags are imported.
    pub fn imported(&self) -> ImportCounts {
        self.imported
    }

    /// The function that runs at instantiation.
    pub fn start(&self) -> Option<FuncIndex> {
        self.start
    }

    /// Element segments.
    pub fn elements(&self) -> &[ElementSegment] {
        &self.elements
    }

    /// Data segments.
    pub fn data(&self) -> &[DataSegment] {
        &self.data
    }

    /// Names of functions and of the module.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Type of an exception tag: its parameters are the payload.
    pub fn tag_type(&self, tag: TagIndex) -> &FuncType {
        self.func_type_at(self.tags[tag.index()])
    }

    /// How many exception tags there are, imported ones included.
    pub fn tag_count(&self) -> usize {
        self.tags.len()
    }

    /// Type of a function.
    pub fn func_type(&self, func: FuncIndex) -> &FuncType {
        self.func_type_at(self.functions[func.index()])
    }

    /// The function type at an index of the type section.
    pub fn func_type_at(&self, ty: TypeIndex) -> &FuncType {
        static NONE: std::sync::LazyLock<FuncType> = std::sync::LazyLock::new(|| FuncType::new([], []));
        // The verifier proved that it is a function's.
        self.types[ty.index()].func().unwrap_or(&NONE)
    }

    /// A value type as the decoder says it.
    pub(crate) fn val_type(&self, ty: wasmparser::ValType) -> ValType {
        match ty {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            wasmparser::ValType::Ref(ty) => ValType::Ref(self.ref_type(ty)),
        }
    }

    /// A reference type as the decoder says it.
    pub(crate) fn ref_type(&self, ty: wasmparser::RefType) -> RefType {
        RefType { nullable: ty.is_nullable(), heap: self.heap_type(ty.heap_type()) }
    }

    /// A heap type as the decoder says it.
    pub(crate) fn heap_type(&self, ty: wasmparser::HeapType) -> HeapType {
        heap_type(ty, |index| self.types[index as usize].heap_type())
    }

    /// Engine-wide number of a function's type.
    pub fn func_type_id(&self, func: FuncIndex) -> TypeId {
        self.types[self.functions[func.index()].index()].id
    }

    /// The defined function behind an index, `None` for an imported one.
    pub fn defined(&self, func: FuncIndex) -> Option<DefinedFunc> {
        func.0.checked_sub(self.imported.functions).map(DefinedFunc)
    }

    /// The index of a defined function.
    pub fn func_index(&self, func: DefinedFunc) -> FuncIndex {
        FuncIndex(func.0 + self.imported.functions)
    }

    /// The bytes of a defined function's body.
    pub fn body(&self, func: DefinedFunc) -> &[u8] {
        &self.bytes[self.bodies[func.index()].bytes.clone()]
    }

    /// Where a defined function's body begins in the module; none of an imported one.
    pub fn body_offset(&self, func: FuncIndex) -> Option<u32> {
        let body = self.bodies.get(self.defined(func)?.index())?;
        u32::try_from(body.bytes.start).ok()
    }

    /// How many functions are defined here.
    pub fn defined_count(&self) -> usize {
        self.bodies.len()
    }

    /// Type of an import.
    pub fn import_type(&self, import: &Import) -> ExternType {
        match import.kind {
            ImportKind::Func(ty) => ExternType::Func(self.func_type_at(ty).clone()),
            ImportKind::Table(ty) => ExternType::Table(ty),
            ImportKind::Memory(ty) => ExternType::Memory(ty),
            ImportKind::Global(ty) => ExternType::Global(ty),
            ImportKind::Tag(ty) => ExternType::Tag(self.func_type_at(ty).clone()),
        }
    }

    /// Type of an export.
    pub fn export_type(&self, kind: ExportKind) -> ExternType {
        match kind {
            ExportKind::Func(i) => ExternType::Func(self.func_type(i).clone()),
            ExportKind::Table(i) => ExternType::Table(self.tables[i.index()]),
            ExportKind::Memory(i) => ExternType::Memory(self.memories[i.index()]),
            ExportKind::Global(i) => ExternType::Global(self.globals[i.index()]),
            ExportKind::Tag(i) => ExternType::Tag(self.tag_type(i).clone()),
        }
    }

    /// Whether an instance needs a heap: for objects, or to know one function type from another.
    pub fn needs_heap(&self) -> bool {
        let plain = |ty: &Arc<DefinedType>| ty.func().is_some() && ty.is_final && ty.supertypes.len() == 1;
        self.uses_heap || !self.types.iter().all(plain)
    }

    /// For each global, what [`Self::is_global_inline`] says.
    pub fn inline_globals(&self) -> Vec<bool> {
        let mut inline: Vec<bool> = (0..self.globals.len()).map(|i| i >= self.imported.globals as usize).collect();
        for (_, kind) in &self.exports {
            if let ExportKind::Global(global) = kind {
                inline[global.index()] = false;
            }
        }
        inline
    }

    /// The globals that hold references which the collector traces.
    pub fn traced_globals(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.globals).filter(|(_, global)| global.value.is_traced()).map(|(index, _)| index)
    }

    /// Whether a global's cell can live inside its instance's context: it is defined here and no
    /// one else can reach it.
    pub fn is_global_inline(&self, global: GlobalIndex) -> bool {
        global.0 >= self.imported.globals && !self.global_exported[global.index()]
    }

    /// Whether a table can neither move nor change its size: it is defined here, reached by
    /// no one else, and never grown.
    pub fn is_table_fixed(&self, table: TableIndex) -> bool {
        table.0 >= self.imported.tables && !self.table_grows[table.index()] && !self.table_exported[table.index()]
    }
}
