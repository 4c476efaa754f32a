//! The types of WebAssembly values, functions, tables, memories and globals.

use std::fmt;

/// The type of a value on the operand stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValType {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit IEEE 754 number.
    F32,
    /// A 64-bit IEEE 754 number.
    F64,
    /// A 128-bit vector.
    V128,
    /// A nullable reference to a function.
    FuncRef,
    /// A nullable reference to a host value.
    ExternRef,
    /// A nullable reference to an exception.
    ExnRef,
}

impl ValType {
    /// How many 8-byte slots a value of this type takes in the array convention and in
    /// interpreter frames: two for `v128`, one for everything else.
    pub const fn slots(self) -> usize {
        match self {
            Self::V128 => 2,
            _ => 1,
        }
    }

    /// Whether this is a reference type.
    pub const fn is_ref(self) -> bool {
        matches!(self, Self::FuncRef | Self::ExternRef | Self::ExnRef)
    }
}

impl ValType {
    /// A type as the verifier's decoder says it. The verifier admits references to functions, host values and exceptions.
    pub(crate) fn of(ty: wasmparser::ValType) -> Self {
        match ty {
            wasmparser::ValType::I32 => Self::I32,
            wasmparser::ValType::I64 => Self::I64,
            wasmparser::ValType::F32 => Self::F32,
            wasmparser::ValType::F64 => Self::F64,
            wasmparser::ValType::V128 => Self::V128,
            wasmparser::ValType::Ref(reference) => Self::of_heap(reference.heap_type()),
        }
    }

    /// The type of nullable references to a heap type.
    pub(crate) fn of_heap(ty: wasmparser::HeapType) -> Self {
        use wasmparser::AbstractHeapType::{Exn, Extern, NoExn, NoExtern};
        match ty {
            wasmparser::HeapType::Abstract { ty: Extern | NoExtern, .. } => Self::ExternRef,
            wasmparser::HeapType::Abstract { ty: Exn | NoExn, .. } => Self::ExnRef,
            _ => Self::FuncRef,
        }
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::V128 => "v128",
            Self::FuncRef => "funcref",
            Self::ExternRef => "externref",
            Self::ExnRef => "exnref",
        })
    }
}

/// Parameters and results of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FuncType {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
}

impl FuncType {
    /// A function type.
    pub fn new(params: impl Into<Box<[ValType]>>, results: impl Into<Box<[ValType]>>) -> Self {
        Self { params: params.into(), results: results.into() }
    }

    /// Parameter types, first to last.
    pub fn params(&self) -> &[ValType] {
        &self.params
    }

    /// Result types, first to last.
    pub fn results(&self) -> &[ValType] {
        &self.results
    }

    /// Slots that the parameters take in the array convention.
    pub fn param_slots(&self) -> usize {
        self.params.iter().map(|t| t.slots()).sum()
    }

    /// Slots that the results take in the array convention.
    pub fn result_slots(&self) -> usize {
        self.results.iter().map(|t| t.slots()).sum()
    }

    /// Slots of the buffer that carries arguments in and results out.
    pub fn buffer_slots(&self) -> usize {
        self.param_slots().max(self.result_slots())
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| types.iter().map(ValType::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "({}) -> ({})", list(&self.params), list(&self.results))
    }
}

/// A function type's number in its engine: equal types have equal numbers, so that a type check
/// at run time is one compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct TypeId(pub u32);

/// Bounds of a table (elements) or memory (64 KiB pages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Size at the start.
    pub min: u64,
    /// Size that growth may not pass.
    pub max: Option<u64>,
}

/// The type of addresses in a memory, or of indices into a table, and of its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AddressType {
    /// 32 bits.
    #[default]
    I32,
    /// 64 bits.
    I64,
}

impl AddressType {
    /// The one that 64-bit memories and tables have, or the other.
    pub(crate) const fn of(is_64: bool) -> Self {
        if is_64 { Self::I64 } else { Self::I32 }
    }

    /// Whether addresses have 64 bits.
    pub const fn is_64(self) -> bool {
        matches!(self, Self::I64)
    }

    /// The narrower of two: the type of lengths where something is copied between them.
    pub fn min(self, other: Self) -> Self {
        Self::of(self.is_64() && other.is_64())
    }

    /// The type as that of a value.
    pub const fn value(self) -> ValType {
        match self {
            Self::I32 => ValType::I32,
            Self::I64 => ValType::I64,
        }
    }

    /// What stands before the limits in the text format: nothing for 32 bits.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::I32 => "",
            Self::I64 => "i64 ",
        }
    }
}

/// The type of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableType {
    /// Type of the indices.
    pub address: AddressType,
    /// Type of the elements: a reference type.
    pub element: ValType,
    /// Size in elements.
    pub limits: Limits,
}

/// The type of a linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    /// Type of the addresses.
    pub address: AddressType,
    /// Size in pages of 64 KiB.
    pub limits: Limits,
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalType {
    /// Type of the value.
    pub value: ValType,
    /// Whether it can be written.
    pub mutable: bool,
}

/// Bytes in one page of linear memory.
pub const PAGE: usize = 64 << 10;

impl MemoryType {
    /// Pages that a memory of this type may have at most, by its own maximum and by what its addresses reach.
    pub fn max_pages(&self) -> u64 {
        let most = if self.address.is_64() { 1 << 48 } else { 1 << 16 };
        self.limits.max.map_or(most, |max| max.min(most))
    }

    /// Bytes that it has at the start. A memory never shrinks.
    pub fn min_bytes(&self) -> u64 {
        self.limits.min.saturating_mul(PAGE as u64)
    }
}

/// The type of something imported or exported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A table.
    Table(TableType),
    /// A linear memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// An exception tag: the parameters are what its exceptions carry, there are no results.
    Tag(FuncType),
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) => write!(f, "{}..={max}", self.min),
            None => write!(f, "{}..", self.min),
        }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Func(ty) => write!(f, "func {ty}"),
            Self::Table(ty) => write!(f, "table {}{} {}", ty.address.prefix(), ty.limits, ty.element),
            Self::Memory(ty) => write!(f, "memory {}{} pages", ty.address.prefix(), ty.limits),
            Self::Global(ty) => write!(f, "global {}{}", if ty.mutable { "mut " } else { "" }, ty.value),
            Self::Tag(ty) => write!(f, "tag {ty}"),
        }
    }
}
