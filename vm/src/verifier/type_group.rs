//! Types that refer to one another, from the decoder's form to the engine's.

use wasmparser::{CompositeInnerType, RecGroup};

use crate::module::{Module, heap_type};
use crate::runtime::types::RELATIVE;
use crate::types::{
    CompositeType, FieldType, FuncType, HeapType, Kind, RefType, StorageType, SubType, TypeId, ValType,
};

/// A group of types, of which earlier ones are in the module already.
pub(super) fn type_group(module: &Module, group: &RecGroup) -> Vec<SubType> {
    let start = module.types.len() as u32;
    let kinds: Vec<Kind> = group.types().map(|ty| kind(&ty.composite_type.inner)).collect();
    let context = Context { module, start, kinds: &kinds };
    group.types().map(|ty| context.sub_type(ty)).collect()
}

fn kind(ty: &CompositeInnerType) -> Kind {
    match ty {
        CompositeInnerType::Struct(_) => Kind::Struct,
        CompositeInnerType::Array(_) => Kind::Array,
        // The verifier admits no continuations.
        CompositeInnerType::Func(_) | CompositeInnerType::Cont(_) => Kind::Func,
    }
}

/// What the types of a group may name.
struct Context<'a> {
    module: &'a Module,
    /// Index of the group's first type.
    start: u32,
    /// What its types are.
    kinds: &'a [Kind],
}

impl Context<'_> {
    fn sub_type(&self, ty: &wasmparser::SubType) -> SubType {
        let supertype = ty.supertype_idxs.first().and_then(|index| index.as_module_index());
        let all = |types: &[wasmparser::ValType]| types.iter().map(|ty| self.val_type(*ty)).collect::<Box<[_]>>();
        let composite = match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => CompositeType::Func(FuncType::new(all(ty.params()), all(ty.results()))),
            CompositeInnerType::Struct(ty) => {
                CompositeType::Struct(ty.fields.iter().map(|field| self.field(*field)).collect())
            }
            CompositeInnerType::Array(ty) => CompositeType::Array(self.field(ty.0)),
            CompositeInnerType::Cont(_) => CompositeType::Func(FuncType::new([], [])),
        };
        let supertype = supertype.and_then(|index| self.defined(index).defined());
        SubType { is_final: ty.is_final, supertype, composite }
    }

    fn field(&self, field: wasmparser::FieldType) -> FieldType {
        let storage = match field.element_type {
            wasmparser::StorageType::I8 => StorageType::I8,
            wasmparser::StorageType::I16 => StorageType::I16,
            wasmparser::StorageType::Val(ty) => StorageType::Val(self.val_type(ty)),
        };
        FieldType { storage, mutable: field.mutable }
    }

    fn val_type(&self, ty: wasmparser::ValType) -> ValType {
        match ty {
            wasmparser::ValType::Ref(ty) => {
                let heap = heap_type(ty.heap_type(), |index| self.defined(index));
                ValType::Ref(RefType { nullable: ty.is_nullable(), heap })
            }
            ty => self.module.val_type(ty),
        }
    }

    /// The type at an index of the module, of which those of the group have no number yet.
    fn defined(&self, index: u32) -> HeapType {
        match index.checked_sub(self.start) {
            None => self.module.types[index as usize].heap_type(),
            Some(member) => HeapType::Defined(self.kinds[member as usize], TypeId(RELATIVE | member)),
        }
    }
}
