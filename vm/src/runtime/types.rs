//! The types of an engine: each has a number, equal ones the same, and stands there with all its supertypes.
//!
//! Modules define types in groups that may refer to one another. Two groups are equal if they are, member by member, once
//! references inside of the group are written as places in it (WebAssembly 3.0, section 3.1.3); a group met before gets the
//! numbers that it got then. So two types are equal if their numbers are, and one is a subtype of another
//! if that stands among its supertypes at its depth: see [`crate::heap`] for how running code asks.
//!
//! Types are never forgotten: an engine lives as long as the code that has their numbers in it. [`MOST`] bounds them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, RwLock};

use crate::heap::{Layout, Shape};
use crate::types::{CompositeType, FieldType, FuncType, HeapType, RefType, StorageType, SubType, TypeId, ValType};

/// A reference to a member of the same group, where a group is interned: with the place in it added.
pub const RELATIVE: u32 = 1 << 31;

/// Most types of one engine.
pub const MOST: usize = 1 << 20;

/// Types for which there is room from the beginning.
const USUAL: usize = 50;

/// What the fields of a struct follow in the heap: its header.
const HEADER: u32 = 4;

/// A type of an engine.
#[derive(Debug)]
pub struct DefinedType {
    /// Its number.
    pub id: TypeId,
    /// Whether nothing is a subtype of it.
    pub is_final: bool,
    /// Its supertypes, outermost first; the first stands for all types of its kind.
    pub supertypes: Box<[TypeId]>,
    /// What it is made of.
    pub composite: CompositeType,
    /// Of a struct or exception: where each field stands, in bytes from the object's start.
    pub offsets: Box<[u32]>,
    /// Of a struct or exception: bytes of an object.
    pub size: u32,
    /// What a heap is to know of it.
    pub shape: Shape,
    /// Whether it was defined in a group with no other, so that all that are like it are this one.
    is_alone: bool,
}

impl DefinedType {
    fn new(id: TypeId, sub: SubType, supertypes: Box<[TypeId]>, is_alone: bool) -> Self {
        let (offsets, size) = match &sub.composite {
            CompositeType::Struct(fields) => layout(fields.iter().map(|field| field.storage)),
            CompositeType::Exception(payload) => layout(
                [StorageType::Val(ValType::I32)].into_iter().chain(payload.iter().map(|ty| StorageType::Val(*ty))),
            ),
            CompositeType::Func(_) | CompositeType::Array(_) => (Box::default(), 0),
        };
        let traced = |places: &[u32], is_traced: &mut dyn Iterator<Item = bool>| {
            places.iter().zip(is_traced).filter(|(_, is_traced)| *is_traced).map(|(at, _)| *at).collect()
        };
        let layout = match &sub.composite {
            CompositeType::Func(_) => Layout::None,
            CompositeType::Array(element) => Layout::Array {
                shift: element.storage.bytes().trailing_zeros() as u8,
                refs: element.storage.is_traced(),
            },
            CompositeType::Struct(fields) => {
                let is_traced = &mut fields.iter().map(|field| field.storage.is_traced());
                Layout::Struct { size, refs: traced(&offsets, is_traced) }
            }
            CompositeType::Exception(payload) => {
                let is_traced = &mut payload.iter().map(|ty| ty.is_traced());
                Layout::Struct { size, refs: traced(&offsets[1..], is_traced) }
            }
        };
        let shape = Shape { supertypes: supertypes.to_vec(), layout };
        Self { id, is_final: sub.is_final, supertypes, composite: sub.composite, offsets, size, shape, is_alone }
    }

    /// Whether it is what [`TypeRegistry::func`] finds for this.
    pub fn is_plain(&self, ty: &FuncType) -> bool {
        self.is_alone && self.is_final && self.supertypes.len() == 1 && self.func() == Some(ty)
    }

    /// The function type, if it is one.
    pub fn func(&self) -> Option<&FuncType> {
        match &self.composite {
            CompositeType::Func(ty) => Some(ty),
            _ => None,
        }
    }

    /// The struct's fields; none if it is no struct.
    pub fn fields(&self) -> &[FieldType] {
        match &self.composite {
            CompositeType::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// The array's elements, if it is one.
    pub fn element(&self) -> Option<FieldType> {
        match self.composite {
            CompositeType::Array(element) => Some(element),
            _ => None,
        }
    }

    /// The heap type that means it.
    pub fn heap_type(&self) -> HeapType {
        use crate::types::Kind;
        match self.composite {
            CompositeType::Func(_) => HeapType::Defined(Kind::Func, self.id),
            CompositeType::Struct(_) => HeapType::Defined(Kind::Struct, self.id),
            CompositeType::Array(_) => HeapType::Defined(Kind::Array, self.id),
            CompositeType::Exception(_) => HeapType::Exn,
        }
    }
}

/// Where fields stand, one after the other: a subtype's begin with those of its supertype. Also the whole size.
fn layout(fields: impl Iterator<Item = StorageType>) -> (Box<[u32]>, u32) {
    let mut end = HEADER;
    let place = |field: StorageType| {
        let at = end.next_multiple_of(field.bytes().min(8));
        end = at + field.bytes();
        at
    };
    let offsets = fields.map(place).collect();
    (offsets, end.next_multiple_of(8))
}

/// The types of an engine.
#[derive(Debug)]
pub struct TypeRegistry(RwLock<Inner>);

impl Default for TypeRegistry {
    /// With [`TypeId::BYTES`].
    fn default() -> Self {
        // What a small module has fits, without moving all of it again and again.
        let inner = Inner { groups: HashMap::with_capacity(USUAL), types: Vec::with_capacity(USUAL) };
        let types = Self(RwLock::new(inner));
        let bytes = types.single(CompositeType::Array(FieldType { storage: StorageType::I8, mutable: true }));
        debug_assert!(bytes.is_some_and(|ty| ty.id == TypeId::BYTES));
        types
    }
}

#[derive(Debug)]
struct Inner {
    /// The number of the first type of each group.
    groups: HashMap<Box<[SubType]>, TypeId>,
    types: Vec<Arc<DefinedType>>,
}

impl Inner {
    fn get(&self, id: TypeId) -> Option<&Arc<DefinedType>> {
        self.types.get(id.0.checked_sub(TypeId::FIRST)? as usize)
    }
}

impl TypeRegistry {
    /// The types of a group, whose references to one another are [`RELATIVE`]. `None` if there are too many.
    pub fn intern(&self, group: Vec<SubType>) -> Option<Vec<Arc<DefinedType>>> {
        let found = |inner: &Inner, first: TypeId| {
            (first.0..).take(group.len()).map(|id| inner.get(TypeId(id)).cloned()).collect::<Option<Vec<_>>>()
        };
        {
            let inner = self.0.read().unwrap_or_else(|e| e.into_inner());
            if let Some(first) = inner.groups.get(group.as_slice()) {
                return found(&inner, *first);
            }
        }
        let mut inner = self.0.write().unwrap_or_else(|e| e.into_inner());
        let Inner { groups, types } = &mut *inner;
        let entry = match groups.entry(group.clone().into()) {
            Entry::Occupied(entry) => {
                let first = *entry.get();
                return found(&inner, first);
            }
            Entry::Vacant(entry) => entry,
        };
        let first = TypeId::FIRST + types.len() as u32;
        if types.len() + group.len() > MOST {
            return None;
        }
        for (id, sub) in (first..).zip(&group) {
            let sub = absolute(sub, first);
            let root = match sub.composite {
                CompositeType::Func(_) => TypeId::FUNC,
                CompositeType::Struct(_) => TypeId::STRUCT,
                CompositeType::Array(_) => TypeId::ARRAY,
                CompositeType::Exception(_) => TypeId::EXCEPTION,
            };
            // A supertype stands before its subtypes.
            let above = sub.supertype.and_then(|id| types.get(id.0.checked_sub(TypeId::FIRST)? as usize));
            let supertypes = match above {
                Some(above) => above.supertypes.iter().copied().chain([above.id]).collect(),
                None => [root].into(),
            };
            types.push(Arc::new(DefinedType::new(TypeId(id), sub, supertypes, group.len() == 1)));
        }
        entry.insert(TypeId(first));
        Some(types[(first - TypeId::FIRST) as usize..].to_vec())
    }

    /// A type that is a group of its own.
    fn single(&self, composite: CompositeType) -> Option<Arc<DefinedType>> {
        self.intern(vec![SubType { is_final: true, supertype: None, composite }])?.pop()
    }

    /// The type of functions with these parameters and results, and of no declared supertype. `None` if there are too many.
    pub fn func(&self, ty: &FuncType) -> Option<Arc<DefinedType>> {
        self.single(CompositeType::Func(ty.clone()))
    }

    /// The type of exceptions with this payload. `None` if there are too many.
    pub fn exception(&self, payload: &[ValType]) -> Option<Arc<DefinedType>> {
        self.single(CompositeType::Exception(payload.into()))
    }

    /// The type with a number.
    pub fn get(&self, id: TypeId) -> Option<Arc<DefinedType>> {
        self.0.read().unwrap_or_else(|e| e.into_inner()).get(id).cloned()
    }

    /// Whether a defined type is another, or a subtype of it.
    pub fn is_subtype(&self, id: TypeId, of: TypeId) -> bool {
        id == of || self.get(id).is_some_and(|ty| ty.supertypes.contains(&of))
    }

    /// Whether values of one type are values of another (WebAssembly 3.0, section 3.3).
    pub fn matches(&self, ty: ValType, of: ValType) -> bool {
        match (ty, of) {
            (ValType::Ref(ty), ValType::Ref(of)) => self.matches_ref(ty, of),
            (ty, of) => ty == of,
        }
    }

    /// [`Self::matches`], for references.
    pub fn matches_ref(&self, ty: RefType, of: RefType) -> bool {
        (of.nullable || !ty.nullable) && self.matches_heap(ty.heap, of.heap)
    }

    /// [`Self::matches`], for what references refer to.
    pub fn matches_heap(&self, ty: HeapType, of: HeapType) -> bool {
        matches_heap(ty, of, &|ty, of| self.is_subtype(ty, of))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.read().map_or(0, |inner| inner.types.len())
    }
}

/// Whether what one type refers to is what another does, where `is_subtype` says so of defined types.
pub fn matches_heap(ty: HeapType, of: HeapType, is_subtype: &dyn Fn(TypeId, TypeId) -> bool) -> bool {
    use crate::types::Kind;
    if let (HeapType::Defined(_, ty), HeapType::Defined(_, of)) = (ty, of) {
        return is_subtype(ty, of);
    }
    if ty.family() != of.family() {
        return false;
    }
    let bottom = |ty| matches!(ty, HeapType::NoFunc | HeapType::NoExtern | HeapType::NoExn | HeapType::None);
    let top = |ty| matches!(ty, HeapType::Func | HeapType::Extern | HeapType::Exn | HeapType::Any);
    ty == of
        || bottom(ty)
        || top(of)
        || match of {
            HeapType::Eq => {
                matches!(ty, HeapType::I31 | HeapType::Struct | HeapType::Array | HeapType::Defined(..))
            }
            HeapType::Struct => matches!(ty, HeapType::Defined(Kind::Struct, _)),
            HeapType::Array => matches!(ty, HeapType::Defined(Kind::Array, _)),
            _ => false,
        }
}

/// A member of a group with the numbers of other members in place of their places.
fn absolute(sub: &SubType, first: u32) -> SubType {
    let id = |id: TypeId| if id.0 & RELATIVE == 0 { id } else { TypeId(first + (id.0 & !RELATIVE)) };
    let value = |ty: ValType| match ty {
        ValType::Ref(RefType { nullable, heap: HeapType::Defined(kind, defined) }) => {
            ValType::Ref(RefType { nullable, heap: HeapType::Defined(kind, id(defined)) })
        }
        ty => ty,
    };
    let field = |field: &FieldType| match field.storage {
        StorageType::Val(ty) => FieldType { storage: StorageType::Val(value(ty)), ..*field },
        _ => *field,
    };
    let all = |types: &[ValType]| types.iter().map(|ty| value(*ty)).collect::<Box<[_]>>();
    SubType {
        is_final: sub.is_final,
        supertype: sub.supertype.map(id),
        composite: match &sub.composite {
            CompositeType::Func(ty) => CompositeType::Func(FuncType::new(all(ty.params()), all(ty.results()))),
            CompositeType::Struct(fields) => CompositeType::Struct(fields.iter().map(field).collect()),
            CompositeType::Array(element) => CompositeType::Array(field(element)),
            CompositeType::Exception(payload) => CompositeType::Exception(all(payload)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Kind;

    fn node(name: u32) -> SubType {
        let next = ValType::Ref(RefType::nullable(HeapType::Defined(Kind::Struct, TypeId(name))));
        let field = |storage| FieldType { storage, mutable: true };
        let fields = [field(StorageType::I8), field(StorageType::Val(ValType::F64)), field(StorageType::Val(next))];
        SubType { is_final: false, supertype: None, composite: CompositeType::Struct(fields.into()) }
    }

    #[test]
    fn equal_groups_have_equal_numbers_and_others_do_not() {
        let types = TypeRegistry::default();
        let a = types.intern(vec![node(RELATIVE)]).unwrap();
        let b = types.intern(vec![node(RELATIVE)]).unwrap();
        assert_eq!(a[0].id, b[0].id);
        // The same structure, unrolled once, is another group.
        let c = types.intern(vec![node(a[0].id.0)]).unwrap();
        assert_ne!(a[0].id, c[0].id);
        let pair = types.intern(vec![node(RELATIVE + 1), node(RELATIVE)]).unwrap();
        // And the one that is there from the beginning.
        assert_eq!((pair.len(), types.len()), (2, 5));
    }

    #[test]
    fn fields_are_aligned_and_a_subtypes_begin_with_its_supertypes() {
        let types = TypeRegistry::default();
        let base = types.intern(vec![node(RELATIVE)]).unwrap().pop().unwrap();
        assert_eq!((&*base.offsets, base.size), (&[4, 8, 16][..], 24));
        let mut fields = base.fields().to_vec();
        fields.push(FieldType { storage: StorageType::I16, mutable: false });
        let composite = CompositeType::Struct(fields.into());
        let sub = SubType { is_final: true, supertype: Some(base.id), composite };
        let sub = types.intern(vec![sub]).unwrap().pop().unwrap();
        assert_eq!((&*sub.offsets, sub.size), (&[4, 8, 16, 20][..], 24));
        assert_eq!(&*sub.supertypes, &[TypeId::STRUCT, base.id]);
        assert!(types.is_subtype(sub.id, base.id) && !types.is_subtype(base.id, sub.id));
        let heap = |ty: &DefinedType| ty.heap_type();
        assert!(types.matches_heap(heap(&sub), HeapType::Eq) && types.matches_heap(HeapType::None, heap(&sub)));
        assert!(
            !types.matches_heap(heap(&sub), HeapType::Array) && !types.matches_heap(HeapType::NoFunc, HeapType::Any)
        );
    }

    #[test]
    fn a_function_type_is_what_a_module_defines_alone() {
        let types = TypeRegistry::default();
        let ty = FuncType::new([ValType::I32], []);
        let composite = CompositeType::Func(ty.clone());
        let open = SubType { is_final: false, supertype: None, composite: composite.clone() };
        let closed = SubType { is_final: true, ..open.clone() };
        let id = types.func(&ty).unwrap().id;
        assert_eq!(types.intern(vec![closed]).unwrap()[0].id, id);
        assert_ne!(types.intern(vec![open]).unwrap()[0].id, id);
    }
}
