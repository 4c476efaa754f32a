//! Groups of types that the host describes, checked as the verifier checks those of modules
//! (WebAssembly 3.0, section 3.2): after that they are types like any other.

use super::types::{DefinedType, RELATIVE, TypeRegistry, matches_heap};
use crate::types::{CompositeType, FieldType, HeapType, Kind, RefType, StorageType, SubType, TypeId, ValType};

/// Most types of a group.
const MEMBERS: usize = 10_000;
/// Most fields of a struct, and parameters or results of a function: as in modules.
const FIELDS: usize = 10_000;
const PARAMETERS: usize = 1000;
/// Most supertypes of a type: as in modules.
const DEPTH: usize = 63;

/// Whether a group, whose references to its own members are [`RELATIVE`], can be interned.
///
/// # Errors
/// What is wrong with it.
pub fn check(types: &TypeRegistry, group: &[SubType]) -> Result<(), String> {
    if group.is_empty() || group.len() > MEMBERS {
        return Err(format!("a group has from 1 to {MEMBERS} types, not {}", group.len()));
    }
    let group = Group { types, members: group };
    group.members.iter().enumerate().try_for_each(|(place, _)| group.check(place as u32))
}

struct Group<'a> {
    types: &'a TypeRegistry,
    members: &'a [SubType],
}

impl Group<'_> {
    fn check(&self, place: u32) -> Result<(), String> {
        let ty = &self.members[place as usize];
        let fail = |why: &str| Err(format!("type {place} of the group {why}"));
        let (len, most) = match &ty.composite {
            CompositeType::Func(func) => (func.params().len().max(func.results().len()), PARAMETERS),
            CompositeType::Struct(fields) => (fields.len(), FIELDS),
            CompositeType::Array(_) => (1, 1),
            CompositeType::Exception(_) => return fail("is that of an exception, which its tag says"),
        };
        if len > most {
            return fail("has too many parameters, results or fields");
        }
        if !values(&ty.composite).iter().all(|ty| self.is_known(*ty)) {
            return fail("refers to a type that is neither of the engine nor of the group");
        }
        let Some(above) = ty.supertype else { return Ok(()) };
        if above.0 & RELATIVE != 0 && above.0 & !RELATIVE >= place {
            return fail("has a supertype that does not stand before it");
        }
        let Some(supertype) = self.member(above) else { return fail("has a supertype that there is not") };
        if supertype.is_final {
            return fail("has a supertype that is final");
        }
        if self.depth(above) + 1 > DEPTH {
            return fail("has too many supertypes");
        }
        if !self.extends(&ty.composite, &supertype.composite) {
            return fail("is not made like its supertype");
        }
        Ok(())
    }

    /// A type by its number, or its place in the group.
    fn member(&self, id: TypeId) -> Option<SubType> {
        if id.0 & RELATIVE != 0 {
            return self.members.get((id.0 & !RELATIVE) as usize).cloned();
        }
        let ty = self.types.get(id)?;
        let supertype = ty.supertypes.last().copied().filter(|above| above.0 >= TypeId::FIRST);
        Some(SubType { is_final: ty.is_final, supertype, composite: ty.composite.clone() })
    }

    /// How many supertypes a type has. Those of the group stand before it, so that there are no circles.
    fn depth(&self, mut id: TypeId) -> usize {
        let mut depth = 0;
        while id.0 & RELATIVE != 0 {
            let Some(above) = self.members.get((id.0 & !RELATIVE) as usize).and_then(|ty| ty.supertype) else {
                return depth;
            };
            (id, depth) = (above, depth + 1);
        }
        // All have one that stands for their kind.
        depth + self.types.get(id).map_or(0, |ty| ty.supertypes.len() - 1)
    }

    fn is_subtype(&self, mut id: TypeId, of: TypeId) -> bool {
        while id.0 & RELATIVE != 0 {
            if id == of {
                return true;
            }
            let Some(above) = self.members.get((id.0 & !RELATIVE) as usize).and_then(|ty| ty.supertype) else {
                return false;
            };
            // Circles are errors, found elsewhere.
            if above.0 & RELATIVE != 0 && above.0 >= id.0 {
                return false;
            }
            id = above;
        }
        of.0 & RELATIVE == 0 && self.types.is_subtype(id, of)
    }

    /// Whether a type refers to nothing that there is not.
    fn is_known(&self, ty: ValType) -> bool {
        let ValType::Ref(RefType { heap: HeapType::Defined(kind, id), .. }) = ty else { return true };
        let found = match id.0 & RELATIVE {
            0 => self.types.get(id).and_then(|ty| kind_of(&ty)),
            _ => self.members.get((id.0 & !RELATIVE) as usize).and_then(|ty| kind_of_composite(&ty.composite)),
        };
        found == Some(kind)
    }

    /// Whether a type is made as a subtype of another has to be (WebAssembly 3.0, section 3.3.7).
    fn extends(&self, ty: &CompositeType, of: &CompositeType) -> bool {
        match (ty, of) {
            (CompositeType::Func(ty), CompositeType::Func(of)) => {
                self.all_match(of.params(), ty.params()) && self.all_match(ty.results(), of.results())
            }
            (CompositeType::Struct(ty), CompositeType::Struct(of)) => {
                ty.len() >= of.len() && ty.iter().zip(of).all(|(ty, of)| self.field_matches(*ty, *of))
            }
            (CompositeType::Array(ty), CompositeType::Array(of)) => self.field_matches(*ty, *of),
            _ => false,
        }
    }

    fn all_match(&self, types: &[ValType], of: &[ValType]) -> bool {
        types.len() == of.len() && types.iter().zip(of).all(|(ty, of)| self.matches(*ty, *of))
    }

    fn field_matches(&self, ty: FieldType, of: FieldType) -> bool {
        let matches = |ty, of| match (ty, of) {
            (StorageType::Val(ty), StorageType::Val(of)) => self.matches(ty, of),
            (ty, of) => ty == of,
        };
        let storage = matches(ty.storage, of.storage) && (!of.mutable || matches(of.storage, ty.storage));
        ty.mutable == of.mutable && storage
    }

    fn matches(&self, ty: ValType, of: ValType) -> bool {
        match (ty, of) {
            (ValType::Ref(ty), ValType::Ref(of)) => {
                let heap = matches_heap(ty.heap, of.heap, &|ty, of| self.is_subtype(ty, of));
                (of.nullable || !ty.nullable) && heap
            }
            (ty, of) => ty == of,
        }
    }
}

/// The types of values that a type names.
fn values(ty: &CompositeType) -> Vec<ValType> {
    match ty {
        CompositeType::Func(ty) => ty.params().iter().chain(ty.results()).copied().collect(),
        CompositeType::Struct(fields) => fields.iter().map(|field| field.storage.unpacked()).collect(),
        CompositeType::Array(element) => vec![element.storage.unpacked()],
        CompositeType::Exception(payload) => payload.to_vec(),
    }
}

fn kind_of_composite(ty: &CompositeType) -> Option<Kind> {
    match ty {
        CompositeType::Func(_) => Some(Kind::Func),
        CompositeType::Struct(_) => Some(Kind::Struct),
        CompositeType::Array(_) => Some(Kind::Array),
        CompositeType::Exception(_) => None,
    }
}

/// What a defined type is; none for that of exceptions, which nobody can name.
pub fn kind_of(ty: &DefinedType) -> Option<Kind> {
    kind_of_composite(&ty.composite)
}
