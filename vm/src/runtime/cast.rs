//! Whether a reference is of a type, asked at run time: a few instructions in either tier, and never a search.
//!
//! An object's header leads to the display of its type, which names the type's supertypes by depth; so an object is of a type
//! if that stands at its own depth there (N. H. Cohen, *Type-Extension Type Tests Can Be Performed In Constant Time*, 1991).

use super::context::{FuncRef, StoreContext};
use super::types::DefinedType;
use crate::heap::{self, header_of};
use crate::module::Module;
use crate::types::{CompositeType, HeapType, TypeId};

/// A type that references are tested for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// Whether null is of it.
    pub nullable: bool,
    /// What others are.
    pub test: Test,
}

/// What is asked of a reference that is not null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Nothing: it is of the type.
    Always,
    /// Nothing: it is not.
    Never,
    /// Whether it is a small integer.
    I31,
    /// Whether it is a small integer or an object.
    Eq,
    /// Whether it is an object of a type.
    Object {
        /// The type.
        id: TypeId,
        /// How many supertypes it has.
        depth: u32,
        /// Whether it is its own only subtype.
        exact: bool,
    },
    /// Whether it is a function of a type.
    Func {
        /// The type.
        id: TypeId,
        /// How many supertypes it has.
        depth: u32,
        /// Whether it is its own only subtype.
        exact: bool,
    },
}

impl Cast {
    /// The cast to a type that a module names.
    pub fn new(module: &Module, nullable: bool, heap: wasmparser::HeapType) -> Self {
        let test = match module.heap_type(heap) {
            HeapType::Func | HeapType::Extern | HeapType::Exn | HeapType::Any => Test::Always,
            HeapType::NoFunc | HeapType::NoExtern | HeapType::NoExn | HeapType::None => Test::Never,
            HeapType::I31 => Test::I31,
            HeapType::Eq => Test::Eq,
            HeapType::Struct => Test::Object { id: TypeId::STRUCT, depth: 0, exact: false },
            HeapType::Array => Test::Object { id: TypeId::ARRAY, depth: 0, exact: false },
            HeapType::Defined(..) => match heap {
                wasmparser::HeapType::Concrete(index) => {
                    let ty = index.as_module_index().and_then(|index| module.types.get(index as usize));
                    ty.map_or(Test::Never, |ty| Self::defined(ty))
                }
                _ => Test::Never,
            },
        };
        Self { nullable, test }
    }

    /// What is asked of a reference that is to be of a defined type.
    pub fn defined(ty: &DefinedType) -> Test {
        let (id, depth, exact) = (ty.id, ty.supertypes.len() as u32, ty.is_final);
        match ty.composite {
            CompositeType::Func(_) => Test::Func { id, depth, exact },
            _ => Test::Object { id, depth, exact },
        }
    }

    /// Three words to find it again from.
    pub fn to_words(self) -> [u32; 3] {
        let (kind, id, depth) = match self.test {
            Test::Always => (0, 0, 0),
            Test::Never => (1, 0, 0),
            Test::I31 => (2, 0, 0),
            Test::Eq => (3, 0, 0),
            Test::Object { id, depth, exact } => (4 | u32::from(exact), id.0, depth),
            Test::Func { id, depth, exact } => (6 | u32::from(exact), id.0, depth),
        };
        [kind | u32::from(self.nullable) << 8, id, depth]
    }

    /// The cast that [`Self::to_words`] was made of.
    #[inline]
    pub fn from_words([kind, id, depth]: [u32; 3]) -> Self {
        let (id, exact) = (TypeId(id), kind & 1 != 0);
        let test = match kind & 0xff {
            0 => Test::Always,
            1 => Test::Never,
            2 => Test::I31,
            3 => Test::Eq,
            4 | 5 => Test::Object { id, depth, exact },
            _ => Test::Func { id, depth, exact },
        };
        Self { nullable: kind & 0x100 != 0, test }
    }

    /// Whether a reference is of the type.
    ///
    /// # Safety
    /// `store` is live, and the bits are a reference of the type's family.
    #[inline]
    pub unsafe fn holds(self, store: *mut StoreContext, bits: u64) -> bool {
        if bits == 0 {
            return self.nullable;
        }
        // SAFETY: by contract.
        unsafe {
            match self.test {
                Test::Always => true,
                Test::Never => false,
                Test::I31 => bits & 1 != 0,
                Test::Eq => bits & 1 != 0 || bits & 7 == 0,
                Test::Object { id, depth, .. } => {
                    bits & 7 == 0 && {
                        let base = (*store).heap.base;
                        heap::is_subtype(base, heap::header(base, bits as u32), id, depth)
                    }
                }
                Test::Func { id, depth, exact } => is_func(store, bits as *const FuncRef, id, depth, exact),
            }
        }
    }
}

/// Whether a function is of a type.
///
/// # Safety
/// Both are live.
#[inline]
pub unsafe fn is_func(store: *mut StoreContext, func: *const FuncRef, id: TypeId, depth: u32, exact: bool) -> bool {
    // SAFETY: by contract; a store that knows function types with subtypes has a heap.
    unsafe {
        let own = (*func).type_id;
        let base = (*store).heap.base;
        own == id || (!exact && !base.is_null() && heap::is_subtype(base, header_of(own), id, depth))
    }
}
