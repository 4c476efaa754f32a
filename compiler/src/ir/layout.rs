//! What values consist of.
//!
//! A value is a list of parts, each one of WebAssembly's values. `()` has none, a tuple those of its elements; an `Option` of what is one
//! reference is that reference or null; others, and `Result`s, are a tag and the parts of each variant. What would have more than
//! [`MAX_PARTS`] is one reference to an object with them. Records are objects, and so are enums, but for those of which no variant holds anything
//! (a number), and those with two of which one holds something (an object or null).

use std::rc::Rc;

use super::mono::Context;
use super::{Expr, FieldDef, Heap, Storage, TypeDef, TypeId, Val};
use crate::typed::{EnumId, RecordId, Ty, TyKind};

/// How deep types are looked into at once: objects below are made later, so that no chain of them is too long.
const DEEP: u32 = 160;

/// The most parts that a value has.
pub(crate) const MAX_PARTS: usize = 8;

/// How an enum's values look.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// The variant's number.
    Number,
    /// The only part of this variant's field, or null.
    Null(u32),
    /// The variant's number, then the parts of all variants' fields: where those of each begin.
    Flat(Vec<usize>),
    /// An object with the fields of this variant, or null.
    Pointer(u32, TypeId),
    /// An object with the variant's number, then its fields; what holds nothing is one object that is shared.
    Object,
}

/// How a record's values look.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    /// The object.
    pub ty: TypeId,
    /// Where the parts of each field begin.
    pub offsets: Vec<u32>,
    /// The types of the fields.
    pub types: Vec<Ty>,
}

impl Context<'_> {
    /// The types of a value's parts.
    pub fn parts(&mut self, ty: Ty) -> Rc<[Val]> {
        if let Some(parts) = self.layouts.get(&ty) {
            return parts.clone();
        }
        self.depth += 1;
        let parts = self.make_parts(ty);
        self.depth -= 1;
        self.layouts.insert(ty, parts.clone());
        parts
    }

    fn make_parts(&mut self, ty: Ty) -> Rc<[Val]> {
        let one = |val: Val| -> Rc<[Val]> { Rc::new([val]) };
        match self.types.kind(ty).clone() {
            TyKind::Int => one(Val::I64),
            TyKind::Float => one(Val::F64),
            TyKind::Bool | TyKind::Char => one(Val::I32),
            TyKind::String | TyKind::Buffer => one(Val::Ref(Heap::Type(self.module.types.bytes()))),
            TyKind::Array(element) => one(Val::Ref(Heap::Type(self.array_type(element)))),
            TyKind::Extern => one(Val::Ref(Heap::Extern)),
            TyKind::Never | TyKind::Param(_) | TyKind::Infer(_) | TyKind::Error => Rc::new([]),
            TyKind::Tuple(_) => self.flat_or_boxed(ty),
            TyKind::Record(..) => one(Val::Ref(Heap::Type(self.record_type(ty)))),
            TyKind::Fn(..) => one(Val::Ref(Heap::Type(self.module.types.tagged()))),
            TyKind::Dyn(..) => one(Val::Ref(Heap::Type(self.module.types.dynamic()))),
            TyKind::Enum(..) => match self.shape(ty) {
                Shape::Number => one(Val::I32),
                Shape::Object => one(Val::Ref(Heap::Type(self.module.types.tagged()))),
                Shape::Pointer(_, object) => one(Val::Null(Heap::Type(object))),
                Shape::Null(_) | Shape::Flat(_) => self.flat_or_boxed(ty),
            },
        }
    }

    fn flat_or_boxed(&mut self, ty: Ty) -> Rc<[Val]> {
        match self.boxed(ty) {
            Some(object) => Rc::new([Val::Ref(Heap::Type(object))]),
            None => self.raw_parts(ty).into(),
        }
    }

    /// The parts of a tuple, `Option` or `Result`, as many as they may be.
    pub fn raw_parts(&mut self, ty: Ty) -> Vec<Val> {
        match self.types.kind(ty).clone() {
            TyKind::Tuple(elements) => elements.iter().flat_map(|&element| self.parts(element).to_vec()).collect(),
            TyKind::Enum(..) => match self.shape(ty) {
                Shape::Null(variant) => {
                    let field = self.variant_fields(ty, variant)[0];
                    self.parts(field).iter().map(|part| part.nullable()).collect()
                }
                Shape::Flat(_) => {
                    let mut parts = vec![Val::I32];
                    for variant in 0..self.variant_count(ty) {
                        for field in self.variant_fields(ty, variant) {
                            parts.extend(self.parts(field).iter().map(|part| part.nullable()));
                        }
                    }
                    parts
                }
                _ => self.parts(ty).to_vec(),
            },
            _ => self.parts(ty).to_vec(),
        }
    }

    /// The object that a value with too many parts is kept in.
    pub fn boxed(&mut self, ty: Ty) -> Option<TypeId> {
        if !matches!(self.types.kind(ty), TyKind::Tuple(_) | TyKind::Enum(..)) {
            return None;
        }
        if let TyKind::Enum(..) = self.types.kind(ty)
            && !matches!(self.shape(ty), Shape::Flat(_))
        {
            return None;
        }
        let raw = self.raw_parts(ty);
        (raw.len() > MAX_PARTS).then(|| self.object_of(&raw))
    }

    /// An object with these parts, none of which changes.
    pub fn object_of(&mut self, parts: &[Val]) -> TypeId {
        self.module.types.structure(parts.iter().map(|&part| FieldDef::constant(part)).collect())
    }

    /// The object in which a variable with these parts is shared with closures.
    pub fn cell_of(&mut self, parts: &[Val]) -> TypeId {
        let fields = parts.iter().map(|&part| FieldDef { storage: Storage::Val(part), mutable: true }).collect();
        self.module.types.structure(fields)
    }

    /// The object that an array's element is kept in, where it is not one part.
    pub fn element_box(&mut self, element: Ty) -> Option<TypeId> {
        let parts = self.parts(element);
        (parts.len() > 1).then(|| self.object_of(&parts))
    }

    /// The type of arrays with such elements.
    pub fn array_type(&mut self, element: Ty) -> TypeId {
        let storage = match &*self.parts(element) {
            [] => Storage::I8,
            [Val::I32] if element == Ty::BOOL => Storage::I8,
            [part] => Storage::Val(part.nullable()),
            _ => {
                let object = self.element_box(element);
                Storage::Val(Val::Null(object.map_or(Heap::Any, Heap::Type)))
            }
        };
        self.module.types.array(storage)
    }

    /// A record's object.
    fn record_type(&mut self, ty: Ty) -> TypeId {
        if let Some(fields) = self.records.get(&ty) {
            return fields.ty;
        }
        match self.pending.get(&ty) {
            Some(Some(id)) => *id,
            Some(None) => {
                let id = self.module.types.declare();
                self.pending.insert(ty, Some(id));
                id
            }
            None if self.depth >= DEEP => self.make_later(ty),
            None => self.fields(ty).ty,
        }
    }

    /// The object of a record or variant that is made when those that are being made are.
    fn make_later(&mut self, ty: Ty) -> TypeId {
        let id = self.module.types.declare();
        self.pending.insert(ty, Some(id));
        self.later.push(ty);
        id
    }

    /// How a record's values look.
    pub fn fields(&mut self, ty: Ty) -> Rc<Fields> {
        if let Some(fields) = self.records.get(&ty) {
            return fields.clone();
        }
        let TyKind::Record(id, args) = self.types.kind(ty).clone() else {
            unreachable!("a field of what is no record")
        };
        let program = self.program;
        let record = &program.records[id.index()];
        let types: Vec<Ty> = record.fields.iter().map(|field| self.substitute(field.ty, &args)).collect();
        let mutable: Vec<bool> = record.fields.iter().map(|field| field.mutable).collect();
        let (object, offsets) = self.object(ty, &types, &mutable, None);
        if Some(id) == program.lang.list {
            self.module.lists.insert(object);
        }
        let fields = Rc::new(Fields { ty: object, offsets, types });
        self.records.insert(ty, fields.clone());
        fields
    }

    /// Makes the object of a record or variant, which may refer to itself.
    fn object(&mut self, ty: Ty, types: &[Ty], mutable: &[bool], parent: Option<TypeId>) -> (TypeId, Vec<u32>) {
        // In a session all modules have to make the same of a type, whichever they come to first: each object is one of its own then.
        let own = self.in_session().then(|| self.module.types.declare());
        self.pending.entry(ty).or_insert(own);
        self.objects += 1;
        let mut fields = Vec::new();
        if parent.is_some() {
            fields.push(FieldDef::constant(Val::I32));
        }
        let mut offsets = Vec::with_capacity(types.len());
        for (&field, &mutable) in types.iter().zip(mutable) {
            offsets.push(fields.len() as u32);
            let parts = self.parts(field);
            fields.extend(parts.iter().map(|&part| FieldDef { storage: Storage::Val(part), mutable }));
        }
        let def = TypeDef::Struct { fields, parent, open: false };
        let id = match self.pending.remove(&ty).flatten() {
            Some(id) => {
                self.module.types.define(id, def);
                id
            }
            None => self.module.types.intern(def),
        };
        while self.objects == 1
            && let Some(ty) = self.later.pop()
        {
            match self.types.kind(ty) {
                TyKind::Record(..) => drop(self.fields(ty)),
                _ => drop(self.pointer(ty)),
            }
        }
        self.objects -= 1;
        (id, offsets)
    }

    /// How an enum's values look.
    pub fn shape(&mut self, ty: Ty) -> Shape {
        if let Some(shape) = self.shapes.get(&ty) {
            return shape.clone();
        }
        let TyKind::Enum(id, _) = self.types.kind(ty).clone() else { unreachable!("variants of what is no enum") };
        let shape = if self.is_flat(id) {
            self.flat_shape(ty)
        } else if let Some(payload) = self.only_payload(id) {
            match self.pending.get(&ty) {
                Some(Some(object)) => return Shape::Pointer(payload, *object),
                Some(None) => {
                    let object = self.module.types.declare();
                    self.pending.insert(ty, Some(object));
                    return Shape::Pointer(payload, object);
                }
                None if self.depth >= DEEP => return Shape::Pointer(payload, self.make_later(ty)),
                None => return self.pointer(ty),
            }
        } else if self.program.enums[id.index()].variants.iter().all(|variant| variant.fields.is_empty()) {
            Shape::Number
        } else {
            Shape::Object
        };
        self.shapes.insert(ty, shape.clone());
        shape
    }

    /// The variant that holds something, of an enum with two of which the other one does not.
    fn only_payload(&self, id: EnumId) -> Option<u32> {
        let variants = &self.program.enums[id.index()].variants;
        let mut holding = (0..).zip(variants).filter(|(_, variant)| !variant.fields.is_empty());
        let (payload, _) = holding.next()?;
        (variants.len() == 2 && holding.next().is_none()).then_some(payload)
    }

    /// Makes the object of an enum with one variant that holds something.
    fn pointer(&mut self, ty: Ty) -> Shape {
        let payload = match self.types.kind(ty) {
            TyKind::Enum(id, _) => self.only_payload(*id).unwrap_or_default(),
            _ => 0,
        };
        let types = self.variant_fields(ty, payload);
        let (object, _) = self.object(ty, &types, &vec![false; types.len()], None);
        let shape = Shape::Pointer(payload, object);
        self.shapes.insert(ty, shape.clone());
        shape
    }

    fn is_flat(&self, id: EnumId) -> bool {
        Some(id) == self.program.lang.option || Some(id) == self.program.lang.result
    }

    fn flat_shape(&mut self, ty: Ty) -> Shape {
        let count = self.variant_count(ty);
        if count == 2 && self.variant_fields(ty, 0).is_empty() {
            let fields = self.variant_fields(ty, 1);
            if let [field] = fields[..]
                && let [Val::Ref(_)] = *self.parts(field)
            {
                return Shape::Null(1);
            }
        }
        let mut at = 1;
        let mut offsets = Vec::new();
        for variant in 0..count {
            offsets.push(at);
            for field in self.variant_fields(ty, variant) {
                at += self.parts(field).len();
            }
        }
        Shape::Flat(offsets)
    }

    /// How many variants an enum has.
    pub fn variant_count(&self, ty: Ty) -> u32 {
        match self.types.kind(ty) {
            TyKind::Enum(id, _) => self.program.enums[id.index()].variants.len() as u32,
            _ => 0,
        }
    }

    /// The types of a variant's fields.
    pub fn variant_fields(&mut self, ty: Ty, variant: u32) -> Vec<Ty> {
        let TyKind::Enum(id, args) = self.types.kind(ty).clone() else { return Vec::new() };
        let program = self.program;
        let variant = &program.enums[id.index()].variants[variant as usize];
        variant.fields.iter().map(|field| self.substitute(field.ty, &args)).collect()
    }

    /// The object of a variant of an enum of [`Shape::Object`], and where the parts of its fields begin.
    pub fn variant_object(&mut self, ty: Ty, variant: u32) -> (TypeId, Vec<u32>, Vec<Ty>) {
        let types = self.variant_fields(ty, variant);
        let parent = self.module.types.tagged();
        let mut fields = vec![FieldDef::constant(Val::I32)];
        let mut offsets = Vec::with_capacity(types.len());
        for &field in &types {
            offsets.push(fields.len() as u32);
            fields.extend(self.parts(field).iter().map(|&part| FieldDef::constant(part)));
        }
        (self.module.types.extension(parent, fields), offsets, types)
    }

    /// A record's type with arguments.
    pub fn record_ty(&mut self, id: RecordId, args: &[Ty]) -> Ty {
        self.types.intern(TyKind::Record(id, args.into()))
    }
}

/// What stands in a part that has no meaning.
pub(crate) fn zero(val: Val) -> Expr {
    match val {
        Val::I32 => Expr::I32(0),
        Val::I64 => Expr::I64(0),
        Val::F64 => Expr::F64(0),
        Val::Ref(heap) | Val::Null(heap) => Expr::Null(heap),
    }
}
