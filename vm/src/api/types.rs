//! Types that an embedder defines or finds in a module: of structs, arrays and functions.
//!
//! A type is its engine's, and equal definitions are one type, whoever makes them: a module that defines the same struct takes the
//! host's structs for its own. What is defined together in one group (`rec`) is equal only as a whole.

use std::fmt;
use std::sync::Arc;

use super::engine::Engine;
use super::error::{Error, Result};
use crate::runtime::declared::{self, kind_of};
use crate::runtime::engine;
use crate::runtime::store::StoreInner;
use crate::runtime::types::{DefinedType, RELATIVE};
use crate::types::{
    CompositeType, FieldType, FuncType, HeapType, Kind, RefType, StorageType, SubType, TypeId, ValType,
};

macro_rules! defined {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            engine: Arc<engine::Engine>,
            ty: Arc<DefinedType>,
        }

        impl $name {
            pub(crate) fn from_parts(engine: Arc<engine::Engine>, ty: Arc<DefinedType>) -> Self {
                Self { engine, ty }
            }

            /// The type that a heap type of the engine's names; none if it names no such type. Types of modules' imports and
            /// exports come as heap types.
            pub fn of(engine: &Engine, heap: HeapType) -> Option<Self> {
                let ty = engine.inner.types.get(heap.defined()?)?;
                (kind_of(&ty) == Some(Kind::$kind)).then(|| Self::from_parts(engine.inner.clone(), ty))
            }

            /// The heap type that names it.
            pub fn heap_type(&self) -> HeapType {
                self.ty.heap_type()
            }

            /// The type of references to it that may be null.
            pub fn nullable(&self) -> ValType {
                RefType::nullable(self.heap_type()).into()
            }

            /// The type of references to it that are never null.
            pub fn non_null(&self) -> ValType {
                RefType::non_null(self.heap_type()).into()
            }

            /// The type itself, if it is of an engine.
            pub(crate) fn of_engine(&self, engine: &Arc<engine::Engine>) -> Result<&Arc<DefinedType>> {
                if Arc::ptr_eq(&self.engine, engine) { Ok(&self.ty) } else { Err(Error::Stale($what)) }
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.engine, &other.engine) && self.ty.id == other.ty.id
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {:?}", self.heap_type(), self.ty.composite)
            }
        }
    )*};
}

defined! {
    /// The type of structs.
    ///
    /// ```
    /// use pinfold_vm::api::{Engine, FieldType, StructType, ValType};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::default();
    /// let point = StructType::new(&engine, [FieldType::mutable(ValType::F64); 2])?;
    /// assert_eq!(point.fields().len(), 2);
    /// // Equal definitions are one type, which has a name by which others refer to it.
    /// assert_eq!(point, StructType::new(&engine, [FieldType::mutable(ValType::F64); 2])?);
    /// assert_eq!(StructType::of(&engine, point.heap_type()), Some(point));
    /// # Ok(())
    /// # }
    /// ```
    StructType: Struct, "the struct type";
    /// The type of arrays.
    ///
    /// ```
    /// use pinfold_vm::api::{ArrayType, Engine, FieldType, StorageType};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bytes = ArrayType::new(&Engine::default(), FieldType::mutable(StorageType::I8))?;
    /// assert_eq!(bytes.element().storage, StorageType::I8);
    /// assert!(bytes.nullable().is_defaultable() && !bytes.non_null().is_defaultable());
    /// # Ok(())
    /// # }
    /// ```
    ArrayType: Array, "the array type";
    /// A type of functions as it was defined. Beside parameters and results it has a place among its supertypes, and in its
    /// group; [`FuncType`] is parameters and results alone.
    ///
    /// ```
    /// use pinfold_vm::api::{DefinedFuncType, Engine, Func, FuncType, Store, ValType};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::default();
    /// let ty = DefinedFuncType::new(&engine, FuncType::new([ValType::I32], [ValType::I32]))?;
    /// let mut store = Store::new(&engine, ());
    /// let double = Func::wrap_with_type(&mut store, &ty, |n: i32| 2 * n)?;
    /// assert_eq!(double.defined_ty(&store)?, ty);
    /// assert_eq!(ty.func_type().to_string(), "(i32) -> (i32)");
    /// # Ok(())
    /// # }
    /// ```
    DefinedFuncType: Func, "the function type";
}

impl StructType {
    /// The type of structs with these fields, without supertypes and subtypes.
    ///
    /// # Errors
    /// If there are too many fields, or types of the engine.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> Result<Self> {
        let ty = single(engine, CompositeType::Struct(fields.into_iter().collect()))?;
        Ok(Self::from_parts(engine.inner.clone(), ty))
    }

    /// Its fields.
    pub fn fields(&self) -> &[FieldType] {
        self.ty.fields()
    }

    pub(super) fn of_store(&self, store: &StoreInner) -> Result<&DefinedType> {
        self.of_engine(&store.engine).map(|ty| &**ty)
    }
}

impl ArrayType {
    /// The type of arrays with such elements, without supertypes and subtypes.
    ///
    /// # Errors
    /// If there are too many types of the engine.
    pub fn new(engine: &Engine, element: FieldType) -> Result<Self> {
        let ty = single(engine, CompositeType::Array(element))?;
        Ok(Self::from_parts(engine.inner.clone(), ty))
    }

    /// Its elements.
    pub fn element(&self) -> FieldType {
        // Every maker saw that it is an array's.
        self.ty.element().unwrap_or(FieldType { storage: StorageType::I8, mutable: false })
    }

    pub(super) fn of_store(&self, store: &StoreInner) -> Result<(&DefinedType, FieldType)> {
        self.of_engine(&store.engine).map(|ty| (&**ty, self.element()))
    }
}

impl DefinedFuncType {
    /// The type of functions with these parameters and results, without supertypes and subtypes.
    ///
    /// # Errors
    /// If there are too many parameters, results, or types of the engine.
    pub fn new(engine: &Engine, ty: FuncType) -> Result<Self> {
        let ty = single(engine, CompositeType::Func(ty))?;
        Ok(Self::from_parts(engine.inner.clone(), ty))
    }

    /// Its parameters and results.
    pub fn func_type(&self) -> FuncType {
        self.ty.func().cloned().unwrap_or_else(|| FuncType::new([], []))
    }
}

fn single(engine: &Engine, composite: CompositeType) -> Result<Arc<DefinedType>> {
    let mut types = intern(engine, vec![SubType::new(composite)])?;
    types.pop().ok_or_else(too_many)
}

fn intern(engine: &Engine, group: Vec<SubType>) -> Result<Vec<Arc<DefinedType>>> {
    declared::check(&engine.inner.types, &group).map_err(Error::Type)?;
    engine.inner.types.intern(group).ok_or_else(too_many)
}

pub(super) fn too_many() -> Error {
    Error::Type("the engine has all the types that it can have".into())
}

/// Types that are defined together and may refer to one another (`rec`), and that may have supertypes.
///
/// ```
/// use pinfold_vm::api::{CompositeType, Config, Engine, FieldType, Kind, RefType, Result, StructType, SubType, TypeGroup, ValType};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::new(&Config::new())?;
/// // (rec (type $list (sub (struct (field (ref null $list)))))
/// //      (type $number (sub final $list (struct (field (ref null $list)) (field i32)))))
/// let mut group = TypeGroup::new();
/// let list = group.member(0, Kind::Struct);
/// let next = FieldType::immutable(RefType::nullable(list));
/// group.push(SubType::new(CompositeType::Struct([next].into())).open());
/// let number = CompositeType::Struct([next, FieldType::immutable(ValType::I32)].into());
/// group.push(SubType::new(number).under(list));
/// let types = group.define(&engine)?;
/// let number = StructType::of(&engine, types[1]).expect("it is a struct");
/// assert_eq!(number.fields().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TypeGroup(Vec<SubType>);

impl TypeGroup {
    /// No types yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the type at a place of this group is called inside of it, before it is there too. Means nothing anywhere else.
    pub fn member(&self, place: u32, kind: Kind) -> HeapType {
        HeapType::Defined(kind, TypeId(RELATIVE | place))
    }

    /// Adds the next type.
    pub fn push(&mut self, ty: SubType) -> &mut Self {
        self.0.push(ty);
        self
    }

    /// Makes the types known to an engine: what each is called from now on, in their order.
    ///
    /// # Errors
    /// If one of them could not stand in a module, or there are too many types of the engine.
    pub fn define(self, engine: &Engine) -> Result<Vec<HeapType>> {
        Ok(intern(engine, self.0)?.iter().map(|ty| ty.heap_type()).collect())
    }
}
