//! Values and their parts: putting variants, tuples and elements together and taking them apart.

use super::Lower;
use crate::ir::layout::{Shape, zero};
use crate::ir::{Expr, Heap, Init, Stmt, UnaryOp, Val};
use crate::typed::{Ty, TyKind};

impl Lower<'_, '_> {
    /// Expressions that stay what these are now.
    pub fn stable(&mut self, ty: Ty, parts: Vec<Expr>) -> Vec<Expr> {
        if self.b.dead || parts.iter().all(|part| self.b.is_stable(part)) {
            return parts;
        }
        let types = self.cx.parts(ty);
        parts.into_iter().zip(types.iter()).map(|(part, &ty)| self.b.stable(part, ty)).collect()
    }

    /// Puts what a tuple, `Option` or `Result` consists of into an object if it is too much.
    pub fn pack(&mut self, ty: Ty, raw: Vec<Expr>) -> Vec<Expr> {
        match self.cx.boxed(ty) {
            Some(object) => vec![Expr::StructNew(object, raw)],
            None => raw,
        }
    }

    /// What a tuple, `Option` or `Result` consists of. What is given is stable.
    fn unpack(&mut self, ty: Ty, parts: Vec<Expr>) -> Vec<Expr> {
        let Some(object) = self.cx.boxed(ty) else { return parts };
        let count = self.cx.raw_parts(ty).len() as u32;
        let object_ref = Self::only(parts);
        (0..count).map(|field| self.b.field(object, field, object_ref.clone())).collect()
    }

    /// The values of a tuple's elements.
    pub fn elements(&mut self, ty: Ty, parts: Vec<Expr>) -> Vec<(Ty, Vec<Expr>)> {
        let TyKind::Tuple(elements) = self.cx.types.kind(ty).clone() else { return Vec::new() };
        let parts = if self.cx.boxed(ty).is_some() { self.stable(ty, parts) } else { parts };
        let mut raw = self.unpack(ty, parts).into_iter();
        elements
            .iter()
            .map(|&element| {
                let count = self.cx.parts(element).len();
                (element, raw.by_ref().take(count).collect())
            })
            .collect()
    }

    /// A variant with the parts of its fields.
    pub fn variant(&mut self, ty: Ty, variant: u32, fields: Vec<Expr>) -> Vec<Expr> {
        match self.cx.shape(ty) {
            Shape::Number => vec![Expr::I32(variant as i32)],
            Shape::Null(payload) => {
                if payload == variant {
                    fields
                } else {
                    self.cx.parts(ty).iter().map(|&part| zero(part)).collect()
                }
            }
            Shape::Flat(offsets) => {
                let mut raw: Vec<Expr> = self.cx.raw_parts(ty).into_iter().map(zero).collect();
                raw[0] = Expr::I32(variant as i32);
                for (index, field) in fields.into_iter().enumerate() {
                    raw[offsets[variant as usize] + index] = field;
                }
                self.pack(ty, raw)
            }
            Shape::Pointer(payload, object) => {
                if payload == variant {
                    vec![Expr::StructNew(object, fields)]
                } else {
                    vec![Expr::Null(Heap::Type(object))]
                }
            }
            Shape::Object => {
                let tag = Expr::I32(variant as i32);
                if fields.is_empty() {
                    let base = self.cx.module.types.tagged();
                    return vec![self.cx.global(Val::Ref(Heap::Type(base)), Init::Struct(base, variant as i32))];
                }
                let (object, _, _) = self.cx.variant_object(ty, variant);
                let mut parts = vec![tag];
                parts.extend(fields);
                vec![Expr::StructNew(object, parts)]
            }
        }
    }

    /// The number of a value's variant. What is given is stable.
    pub fn tag(&mut self, ty: Ty, parts: &[Expr]) -> Expr {
        let first = parts.first().cloned().unwrap_or(Expr::I32(0));
        match self.cx.shape(ty) {
            Shape::Number => first,
            Shape::Flat(_) => match self.cx.boxed(ty) {
                Some(object) => self.b.field(object, 0, first),
                None => first,
            },
            Shape::Null(payload) | Shape::Pointer(payload, _) => {
                let null = Expr::IsNull(Box::new(first));
                if payload == 0 { null } else { null.negate() }
            }
            Shape::Object => {
                let base = self.cx.module.types.tagged();
                self.b.field(base, 0, first)
            }
        }
    }

    /// Whether a value is of a variant. What is given is stable.
    pub fn is_variant(&mut self, ty: Ty, parts: &[Expr], variant: u32) -> Expr {
        let count = self.cx.variant_count(ty);
        if count <= 1 {
            return Expr::I32(1);
        }
        let tag = self.tag(ty, parts);
        if count == 2 && (variant == 1 || tag.is_condition()) {
            return if variant == 1 { tag } else { tag.negate() };
        }
        if variant == 0 {
            return Expr::unary(UnaryOp::Eqz32, tag);
        }
        self.b.equals(tag, variant as i32)
    }

    /// The values of the fields of a variant that the value is of. What is given is stable.
    pub fn payload(&mut self, ty: Ty, parts: &[Expr], variant: u32, wanted: &[bool]) -> Vec<(Ty, Vec<Expr>)> {
        let fields = self.cx.variant_fields(ty, variant);
        let first = parts.first().cloned().unwrap_or(Expr::I32(0));
        let at = self.b.at;
        let mut result = Vec::with_capacity(fields.len());
        if fields.is_empty() {
            return result;
        }
        match self.cx.shape(ty) {
            Shape::Number => {}
            Shape::Null(_) => result.push((fields[0], vec![Expr::NonNull(Box::new(first), at)])),
            Shape::Flat(offsets) => {
                let raw = self.unpack(ty, parts.to_vec());
                let mut next = offsets[variant as usize];
                for field in fields {
                    let types = self.cx.parts(field);
                    let mut value = Vec::with_capacity(types.len());
                    for &part in types.iter() {
                        let raw = raw.get(next).cloned().unwrap_or(Expr::I32(0));
                        next += 1;
                        value.push(match part {
                            Val::Ref(_) => Expr::NonNull(Box::new(raw), at),
                            _ => raw,
                        });
                    }
                    result.push((field, value));
                }
            }
            Shape::Pointer(_, object) => {
                let object_ref = self.b.stable(Expr::NonNull(Box::new(first), at), Val::Ref(Heap::Type(object)));
                let mut next = 0;
                for field in fields {
                    let count = self.cx.parts(field).len() as u32;
                    let value =
                        (next..next + count).map(|index| self.b.field(object, index, object_ref.clone())).collect();
                    next += count;
                    result.push((field, value));
                }
            }
            Shape::Object => {
                let (object, offsets, fields) = self.cx.variant_object(ty, variant);
                let val = Val::Ref(Heap::Type(object));
                let object_ref = if wanted.iter().any(|&wanted| wanted) {
                    self.b.stable(Expr::Cast(val, Box::new(first), at), val)
                } else {
                    first
                };
                for (field, offset) in fields.into_iter().zip(offsets) {
                    let count = self.cx.parts(field).len() as u32;
                    let value =
                        (offset..offset + count).map(|index| self.b.field(object, index, object_ref.clone())).collect();
                    result.push((field, value));
                }
            }
        }
        result
    }

    /// A field of a record. The object is stable, if the field has several parts.
    pub fn record_field(&mut self, record: Ty, field: u32, object: Expr) -> Vec<Expr> {
        let fields = self.cx.fields(record);
        let ty = fields.types[field as usize];
        let count = self.cx.parts(ty).len() as u32;
        let offset = fields.offsets[field as usize];
        (offset..offset + count).map(|index| self.b.field(fields.ty, index, object.clone())).collect()
    }

    /// An element of an array.
    pub fn load_element(&mut self, element: Ty, array: Expr, index: Expr) -> Vec<Expr> {
        let parts = self.cx.parts(element);
        let ty = self.cx.array_type(element);
        let at = self.b.at;
        if parts.is_empty() {
            return Vec::new();
        }
        let value = Expr::ArrayGet(ty, Box::new([array, index]), at);
        match self.cx.element_box(element) {
            Some(object) => {
                let non_null = Expr::NonNull(Box::new(value), at);
                let object_ref = self.b.stable(non_null, Val::Ref(Heap::Type(object)));
                (0..parts.len() as u32).map(|field| self.b.field(object, field, object_ref.clone())).collect()
            }
            None => match parts[0] {
                Val::Ref(_) => vec![Expr::NonNull(Box::new(value), at)],
                _ => vec![value],
            },
        }
    }

    /// What an array holds for a value.
    pub fn element(&mut self, element: Ty, parts: Vec<Expr>) -> Expr {
        match self.cx.element_box(element) {
            Some(object) => Expr::StructNew(object, parts),
            None => Self::only(parts),
        }
    }

    /// A value as the data of a `dyn`.
    pub fn boxed_as_any(&mut self, ty: Ty, parts: Vec<Expr>) -> Expr {
        match *self.cx.parts(ty) {
            [Val::Ref(Heap::Extern) | Val::Null(Heap::Extern)] => Expr::FromExtern(Box::new(Self::only(parts))),
            [Val::Ref(_) | Val::Null(_)] => Self::only(parts),
            ref types => {
                let types = types.to_vec();
                let object = self.cx.object_of(&types);
                Expr::StructNew(object, parts)
            }
        }
    }

    /// A value from the data of a `dyn`.
    pub fn value_of_any(&mut self, ty: Ty, data: Expr) -> Vec<Expr> {
        let at = self.b.at;
        match *self.cx.parts(ty) {
            [Val::Ref(Heap::Extern)] => {
                vec![Expr::NonNull(Box::new(Expr::ToExtern(Box::new(data))), at)]
            }
            [Val::Null(Heap::Extern)] => vec![Expr::ToExtern(Box::new(data))],
            [val @ (Val::Ref(_) | Val::Null(_))] => vec![Expr::Cast(val, Box::new(data), at)],
            ref types => {
                let types = types.to_vec();
                let object = self.cx.object_of(&types);
                let val = Val::Ref(Heap::Type(object));
                let object_ref = self.b.stable(Expr::Cast(val, Box::new(data), at), val);
                (0..types.len() as u32).map(|field| self.b.field(object, field, object_ref.clone())).collect()
            }
        }
    }

    /// Evaluates what nobody uses, for its traps.
    pub fn discard(&mut self, parts: Vec<Expr>) {
        for part in parts {
            if part.traps() {
                self.b.push(Stmt::Drop(part));
            }
        }
    }
}
