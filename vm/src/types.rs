//! The types of WebAssembly values, functions, structs, arrays, tables, memories and globals.
//!
//! Types that a module defines are numbered by their engine, equal ones alike ([`TypeId`]), so that types that name
//! others are compared without looking into them; see `runtime::types` for how.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The type of a value on the operand stack.
///
/// ```
/// use pinfold_vm::api::{HeapType, RefType, ValType};
///
/// assert_eq!(ValType::I32.to_string(), "i32");
/// assert_eq!(ValType::Ref(RefType::nullable(HeapType::Func)), ValType::FUNCREF);
/// assert!(ValType::FUNCREF.is_ref() && ValType::FUNCREF.is_defaultable());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// A reference.
    Ref(RefType),
}

/// The type of a reference.
///
/// ```
/// use pinfold_vm::api::{HeapType, RefType};
///
/// assert_eq!(RefType::nullable(HeapType::Any).to_string(), "anyref");
/// assert_eq!(RefType::non_null(HeapType::Any).to_string(), "(ref any)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefType {
    /// Whether it may be null.
    pub nullable: bool,
    /// What it refers to.
    pub heap: HeapType,
}

/// What a reference refers to (WebAssembly 3.0, section 2.3.4).
///
/// ```
/// use pinfold_vm::api::{Engine, HeapType, Kind, StructType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let empty = StructType::new(&Engine::default(), [])?;
/// assert!(matches!(empty.heap_type(), HeapType::Defined(Kind::Struct, _)));
/// assert_eq!(HeapType::Extern.to_string(), "extern");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeapType {
    /// Any function.
    Func,
    /// No function.
    NoFunc,
    /// Anything of the host's.
    Extern,
    /// Nothing of the host's.
    NoExtern,
    /// An exception.
    Exn,
    /// No exception.
    NoExn,
    /// Anything in the heap, and what came from the host.
    Any,
    /// What can be compared: small integers, structs and arrays.
    Eq,
    /// A small integer.
    I31,
    /// Any struct.
    Struct,
    /// Any array.
    Array,
    /// Nothing of these.
    None,
    /// A type that was defined, of this kind.
    Defined(Kind, TypeId),
}

/// What a defined type is.
///
/// ```
/// use pinfold_vm::api::{Kind, TypeGroup};
///
/// // A type of a group is referred to before it is there, so that what it will be has to be said.
/// let group = TypeGroup::new();
/// assert_eq!(group.member(0, Kind::Array), group.member(0, Kind::Array));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A function type.
    Func,
    /// A struct type.
    Struct,
    /// An array type.
    Array,
}

/// The four families of references, which no cast leads out of. Each has its own form at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Functions: a pointer.
    Func,
    /// The host's values: 32 bits, as the heap's.
    Extern,
    /// Exceptions: 32 bits, as the heap's.
    Exn,
    /// What `any` is: 32 bits.
    Any,
}

impl HeapType {
    /// Its family.
    #[doc(hidden)]
    pub const fn family(self) -> Family {
        match self {
            Self::Func | Self::NoFunc | Self::Defined(Kind::Func, _) => Family::Func,
            Self::Extern | Self::NoExtern => Family::Extern,
            Self::Exn | Self::NoExn => Family::Exn,
            _ => Family::Any,
        }
    }

    /// The number of the type, if it is a defined one.
    pub const fn defined(self) -> Option<TypeId> {
        match self {
            Self::Defined(_, id) => Some(id),
            _ => None,
        }
    }
}

impl RefType {
    /// A nullable reference.
    pub const fn nullable(heap: HeapType) -> Self {
        Self { nullable: true, heap }
    }

    /// A reference that is not null.
    pub const fn non_null(heap: HeapType) -> Self {
        Self { nullable: false, heap }
    }
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> Self {
        Self::Ref(ty)
    }
}

impl From<RefType> for StorageType {
    fn from(ty: RefType) -> Self {
        Self::Val(ValType::Ref(ty))
    }
}

impl ValType {
    /// A nullable reference to any function.
    pub const FUNCREF: Self = Self::Ref(RefType::nullable(HeapType::Func));
    /// A nullable reference to a host value.
    pub const EXTERNREF: Self = Self::Ref(RefType::nullable(HeapType::Extern));
    /// A nullable reference to an exception.
    pub const EXNREF: Self = Self::Ref(RefType::nullable(HeapType::Exn));
    /// A nullable reference to anything in the heap.
    pub const ANYREF: Self = Self::Ref(RefType::nullable(HeapType::Any));
    /// `(ref extern)`
    pub const EXTERN: Self = Self::Ref(RefType::non_null(HeapType::Extern));
    /// `(ref $bytes)`: an array of bytes, [`TypeId::BYTES`].
    pub const BYTES: Self = Self::Ref(RefType::non_null(HeapType::Defined(Kind::Array, TypeId::BYTES)));
    /// `(ref null $bytes)`
    pub const NULLABLE_BYTES: Self = Self::Ref(RefType::nullable(HeapType::Defined(Kind::Array, TypeId::BYTES)));

    /// How many 8-byte slots a value of this type takes in the array convention and in
    /// interpreter frames: two for `v128`, one for everything else.
    #[doc(hidden)]
    pub const fn slots(self) -> usize {
        match self {
            Self::V128 => 2,
            _ => 1,
        }
    }

    /// Whether a value's bits fill its slot, or all of them; otherwise its lower half.
    #[doc(hidden)]
    pub const fn is_wide(self) -> bool {
        !matches!(self, Self::I32 | Self::F32) && !self.is_traced()
    }

    /// Whether this is a reference type.
    pub const fn is_ref(self) -> bool {
        matches!(self, Self::Ref(_))
    }

    /// The family, if this is a reference type.
    #[doc(hidden)]
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::Ref(reference) => Some(reference.heap.family()),
            _ => None,
        }
    }

    /// Whether this is a reference to a function.
    #[doc(hidden)]
    pub const fn is_func(self) -> bool {
        matches!(self.family(), Some(Family::Func))
    }

    /// Whether values of this type are references that the collector traces: all but those to functions.
    #[doc(hidden)]
    pub const fn is_traced(self) -> bool {
        matches!(self.family(), Some(Family::Extern | Family::Exn | Family::Any))
    }

    /// Whether a variable of this type has a value from the beginning: zero or null.
    pub const fn is_defaultable(self) -> bool {
        !matches!(self, Self::Ref(RefType { nullable: false, .. }))
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::I32 => f.write_str("i32"),
            Self::I64 => f.write_str("i64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::V128 => f.write_str("v128"),
            Self::Ref(reference) => reference.fmt(f),
        }
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = match self.heap {
            HeapType::Func => "funcref",
            HeapType::NoFunc => "nullfuncref",
            HeapType::Extern => "externref",
            HeapType::NoExtern => "nullexternref",
            HeapType::Exn => "exnref",
            HeapType::NoExn => "nullexnref",
            HeapType::Any => "anyref",
            HeapType::Eq => "eqref",
            HeapType::I31 => "i31ref",
            HeapType::Struct => "structref",
            HeapType::Array => "arrayref",
            HeapType::None => "nullref",
            HeapType::Defined(..) => "",
        };
        match (self.nullable, short) {
            (true, "") => write!(f, "(ref null {})", self.heap),
            (true, short) => f.write_str(short),
            (false, _) => write!(f, "(ref {})", self.heap),
        }
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Func => "func",
            Self::NoFunc => "nofunc",
            Self::Extern => "extern",
            Self::NoExtern => "noextern",
            Self::Exn => "exn",
            Self::NoExn => "noexn",
            Self::Any => "any",
            Self::Eq => "eq",
            Self::I31 => "i31",
            Self::Struct => "struct",
            Self::Array => "array",
            Self::None => "none",
            // The number is the engine's; a module's own name for the type is not known here.
            Self::Defined(Kind::Func, id) => return write!(f, "func#{}", id.0),
            Self::Defined(Kind::Struct, id) => return write!(f, "struct#{}", id.0),
            Self::Defined(Kind::Array, id) => return write!(f, "array#{}", id.0),
        })
    }
}

/// What a field of a struct, or the elements of an array, hold.
///
/// ```
/// use pinfold_vm::api::{FieldType, StorageType, ValType};
///
/// assert_eq!(FieldType::mutable(ValType::I64).storage, StorageType::Val(ValType::I64));
/// assert_eq!(StorageType::I8.to_string(), "i8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageType {
    /// An integer of 8 bits.
    I8,
    /// An integer of 16 bits.
    I16,
    /// A value.
    Val(ValType),
}

impl StorageType {
    /// Bytes that it takes in the heap: a power of two. References to functions are indices there.
    #[doc(hidden)]
    pub const fn bytes(self) -> u32 {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
            Self::Val(ValType::I32 | ValType::F32 | ValType::Ref(_)) => 4,
            Self::Val(ValType::I64 | ValType::F64) => 8,
            Self::Val(ValType::V128) => 16,
        }
    }

    /// The type of the value that is read from it.
    #[doc(hidden)]
    pub const fn unpacked(self) -> ValType {
        match self {
            Self::I8 | Self::I16 => ValType::I32,
            Self::Val(ty) => ty,
        }
    }

    /// Whether the collector traces it.
    #[doc(hidden)]
    pub const fn is_traced(self) -> bool {
        self.unpacked().is_traced()
    }
}

impl From<ValType> for StorageType {
    fn from(ty: ValType) -> Self {
        Self::Val(ty)
    }
}

impl fmt::Display for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::I8 => f.write_str("i8"),
            Self::I16 => f.write_str("i16"),
            Self::Val(ty) => ty.fmt(f),
        }
    }
}

/// A field of a struct, or the elements of an array.
///
/// ```
/// use pinfold_vm::api::{FieldType, StorageType, ValType};
///
/// assert!(FieldType::mutable(StorageType::I16).mutable);
/// assert_eq!(FieldType::immutable(ValType::F32), FieldType { storage: ValType::F32.into(), mutable: false });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldType {
    /// What it holds.
    pub storage: StorageType,
    /// Whether it can be written.
    pub mutable: bool,
}

impl FieldType {
    /// A field that can be written.
    pub fn mutable(storage: impl Into<StorageType>) -> Self {
        Self { storage: storage.into(), mutable: true }
    }

    /// A field that has its value from the beginning.
    pub fn immutable(storage: impl Into<StorageType>) -> Self {
        Self { storage: storage.into(), mutable: false }
    }
}

/// Types are looked up by what they are made of, each time that a module defines some: a word for each part is hashed several times as fast as its fields.
impl Hash for ValType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.code());
    }
}

impl Hash for FieldType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let storage = match self.storage {
            StorageType::I8 => 6,
            StorageType::I16 => 7,
            StorageType::Val(ty) => ty.code(),
        };
        state.write_u64(storage | u64::from(self.mutable) << 8);
    }
}

impl ValType {
    /// A number that no other type has: in the lowest three bits what it is, above these, in eight bits and the upper half, what it refers to.
    const fn code(self) -> u64 {
        let RefType { nullable, heap } = match self {
            Self::I32 => return 0,
            Self::I64 => return 1,
            Self::F32 => return 2,
            Self::F64 => return 3,
            Self::V128 => return 4,
            Self::Ref(ty) => ty,
        };
        let (heap, id) = match heap {
            HeapType::Func => (0, 0),
            HeapType::NoFunc => (1, 0),
            HeapType::Extern => (2, 0),
            HeapType::NoExtern => (3, 0),
            HeapType::Exn => (4, 0),
            HeapType::NoExn => (5, 0),
            HeapType::Any => (6, 0),
            HeapType::Eq => (7, 0),
            HeapType::I31 => (8, 0),
            HeapType::Struct => (9, 0),
            HeapType::Array => (10, 0),
            HeapType::None => (11, 0),
            HeapType::Defined(kind, TypeId(id)) => (12 + kind as u64, id as u64),
        };
        5 | (nullable as u64) << 3 | heap << 4 | id << 32
    }
}

/// A type as a module defines it (WebAssembly 3.0, section 2.3.10).
///
/// ```
/// use pinfold_vm::api::{CompositeType, Engine, FieldType, StructType, SubType, TypeGroup, ValType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let mut shape = TypeGroup::new();
/// shape.push(SubType::new(CompositeType::Struct([].into())).open());
/// let shape = shape.define(&engine)?[0];
/// let mut circle = TypeGroup::new();
/// circle.push(SubType::new(CompositeType::Struct([FieldType::immutable(ValType::F64)].into())).under(shape));
/// let circle = circle.define(&engine)?[0];
/// assert_eq!(StructType::of(&engine, circle).map(|ty| ty.fields().len()), Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubType {
    /// Whether nothing is a subtype of it.
    pub is_final: bool,
    /// The type that it is declared a subtype of.
    pub supertype: Option<TypeId>,
    /// What it is made of.
    pub composite: CompositeType,
}

impl SubType {
    /// A type that has neither supertypes nor subtypes.
    pub fn new(composite: CompositeType) -> Self {
        Self { is_final: true, supertype: None, composite }
    }

    /// The same, but there may be subtypes of it.
    pub fn open(self) -> Self {
        Self { is_final: false, ..self }
    }

    /// The same as a subtype of another one; of none if that is not a type that was defined.
    pub fn under(self, supertype: HeapType) -> Self {
        Self { supertype: supertype.defined(), ..self }
    }
}

/// What a type is made of.
///
/// ```
/// use pinfold_vm::api::{CompositeType, Engine, FieldType, StorageType, SubType, TypeGroup};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut group = TypeGroup::new();
/// group.push(SubType::new(CompositeType::Array(FieldType::mutable(StorageType::I8))));
/// assert_eq!(group.define(&Engine::default())?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CompositeType {
    /// A function's parameters and results.
    Func(FuncType),
    /// A struct's fields.
    Struct(Box<[FieldType]>),
    /// An array's elements.
    Array(FieldType),
    /// What an exception carries: the parameters of its tag. No module defines such a type; it is how exceptions lie in the
    /// heap.
    Exception(Box<[ValType]>),
}

/// Parameters and results of a function.
///
/// ```
/// use pinfold_vm::api::{FuncType, ValType};
///
/// let ty = FuncType::new([ValType::I32, ValType::I64], [ValType::F64]);
/// assert_eq!((ty.params().len(), ty.results()), (2, &[ValType::F64][..]));
/// assert_eq!(ty.to_string(), "(i32, i64) -> (f64)");
/// ```
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
    #[doc(hidden)]
    pub fn param_slots(&self) -> usize {
        self.params.iter().map(|t| t.slots()).sum()
    }

    /// Slots that the results take in the array convention.
    #[doc(hidden)]
    pub fn result_slots(&self) -> usize {
        self.results.iter().map(|t| t.slots()).sum()
    }

    /// Slots of the buffer that carries arguments in and results out.
    #[doc(hidden)]
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

/// A defined type's number in its engine: equal types have equal numbers, so that a type check
/// at run time is one compare.
///
/// ```
/// use pinfold_vm::api::{Engine, StructType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let (one, same) = (StructType::new(&engine, [])?, StructType::new(&engine, [])?);
/// assert_eq!(one.heap_type().defined(), same.heap_type().defined());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct TypeId(#[doc(hidden)] pub u32);

impl TypeId {
    /// What all struct types are subtypes of.
    #[doc(hidden)]
    pub const STRUCT: Self = Self(0);
    /// What all array types are subtypes of.
    #[doc(hidden)]
    pub const ARRAY: Self = Self(1);
    /// What all function types are subtypes of.
    #[doc(hidden)]
    pub const FUNC: Self = Self(2);
    /// What the types of all exceptions are subtypes of.
    #[doc(hidden)]
    pub const EXCEPTION: Self = Self(3);
    /// The first number of a type that was defined.
    #[doc(hidden)]
    pub const FIRST: u32 = 4;
    /// Of `(array (mut i8))`, which each engine knows from the beginning: its host functions have it in their types.
    #[doc(hidden)]
    pub const BYTES: Self = Self(Self::FIRST);
}

/// Bounds of a table (elements) or memory (64 KiB pages).
///
/// ```
/// use pinfold_vm::api::{Limits, MemoryType};
///
/// assert_eq!(MemoryType::new(1, Some(4)).limits, Limits { min: 1, max: Some(4) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Size at the start.
    pub min: u64,
    /// Size that growth may not pass.
    pub max: Option<u64>,
}

/// The type of addresses in a memory, or of indices into a table, and of its size.
///
/// ```
/// use pinfold_vm::api::{AddressType, MemoryType};
///
/// let ty = MemoryType { address: AddressType::I64, ..MemoryType::new(1, None) };
/// assert!(ty.address.is_64() && !AddressType::default().is_64());
/// ```
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
    #[doc(hidden)]
    pub fn min(self, other: Self) -> Self {
        Self::of(self.is_64() && other.is_64())
    }

    /// The type as that of a value.
    #[doc(hidden)]
    pub const fn value(self) -> ValType {
        match self {
            Self::I32 => ValType::I32,
            Self::I64 => ValType::I64,
        }
    }

    /// What stands before the limits in the text format: nothing for 32 bits.
    #[doc(hidden)]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::I32 => "",
            Self::I64 => "i64 ",
        }
    }
}

/// The type of a table.
///
/// ```
/// use pinfold_vm::api::{AddressType, Limits, TableType, ValType};
///
/// let limits = Limits { min: 0, max: None };
/// let ty = TableType { address: AddressType::I32, element: ValType::EXTERNREF, limits };
/// assert!(ty.element.is_ref());
/// ```
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
///
/// ```
/// use pinfold_vm::api::{Memory, MemoryType, Engine, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ty = MemoryType::new(2, Some(10));
/// assert_eq!((ty.min_bytes(), ty.max_pages()), (2 * 65536, 10));
/// let memory = Memory::new(Store::new(&Engine::default(), ()), ty)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    /// Type of the addresses.
    pub address: AddressType,
    /// Size in pages of 64 KiB.
    pub limits: Limits,
}

/// The type of a global.
///
/// ```
/// use pinfold_vm::api::{GlobalType, ValType};
///
/// assert!(!GlobalType { value: ValType::I32, mutable: false }.mutable);
/// ```
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
    /// A memory with addresses of 32 bits: its size at the start, and that which growth may not pass, both in pages of 64 KiB.
    pub const fn new(min: u32, max: Option<u32>) -> Self {
        let max = match max {
            Some(max) => Some(max as u64),
            None => None,
        };
        Self { address: AddressType::I32, limits: Limits { min: min as u64, max } }
    }

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
///
/// ```
/// use pinfold_vm::api::{Engine, ExternType, Module};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let module = Module::new(&Engine::default(), wat::parse_str(r#"(module (import "host" "log" (func (param i32))))"#)?)?;
/// let Some((_, _, ExternType::Func(ty))) = module.imports().next() else { panic!() };
/// assert_eq!(ty.to_string(), "(i32) -> ()");
/// # Ok(())
/// # }
/// ```
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
