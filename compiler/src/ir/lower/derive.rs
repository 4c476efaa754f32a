//! What the compiler implements for types by their structure: equality, order, hashes, texts and copies.

use super::Lower;
use crate::ir::layout::Shape;
use crate::ir::mono::Context;
use crate::ir::{BinaryOp as B, Expr, Local, Stmt, UnaryOp};
use crate::typed::{FnId, TraitId, Ty, TyKind};

/// A name for a field, where it has one, with the field's type and the parts of its value.
pub(super) type FieldValue = (Option<String>, Ty, Vec<Expr>);

impl Context<'_> {
    /// A function without type arguments among those of a type itself.
    pub fn inherent(&self, ty: Ty, name: &str) -> Option<FnId> {
        let name = self.names.find(name)?;
        let own = self.program.impls.iter().filter(|each| each.of.is_none() && each.self_ty == ty);
        own.flat_map(|each| each.methods.iter().flatten())
            .copied()
            .find(|id| self.program.functions[id.index()].name == name)
    }

    /// The place of a function in a trait.
    pub fn method_place(&self, of: TraitId, name: &str) -> u32 {
        let methods = &self.program.traits[of.index()].methods;
        methods.iter().position(|method| self.names.text(method.name) == name).unwrap_or(0) as u32
    }
}

impl Lower<'_, '_> {
    /// The code of a trait's function that a type has by its structure.
    pub fn derived(&mut self, of: TraitId, method: u32, ty: Ty) {
        let lang = self.cx.program.lang;
        let count = self.cx.parts(ty).len();
        let part = |index: usize| Expr::Local(Local(index as u32));
        let this: Vec<Expr> = (0..count).map(part).collect();
        let other: Vec<Expr> = (count..self.params).map(part).collect();
        if Some(of) == lang.eq {
            let end = self.b.begin_block();
            self.equal(ty, this, other, end);
            self.b.push(Stmt::Return(vec![Expr::I32(1)]));
            self.b.end_block(end);
            self.b.push(Stmt::Return(vec![Expr::I32(0)]));
        } else if Some(of) == lang.ord {
            self.compare(of, method, ty, this, other);
            self.b.push(Stmt::Return(vec![Expr::I32(1)]));
        } else if Some(of) == lang.hash {
            let seed = Self::only(other);
            let hash = self.hash(of, method, ty, this, seed);
            self.b.push(Stmt::Return(vec![hash]));
        } else if Some(of) == lang.show {
            self.show(of, ty, this, Self::only(other));
            self.b.push(Stmt::Return(Vec::new()));
        } else if Some(of) == lang.copy {
            let copy = self.copy(of, method, ty, this);
            self.b.push(Stmt::Return(copy));
        } else {
            self.b.push(Stmt::Unreachable);
        }
    }

    /// Calls a trait's function for a part of a value.
    fn for_part(&mut self, of: TraitId, method: u32, ty: Ty, args: Vec<Expr>, result: Ty) -> Vec<Expr> {
        let resolved = self.resolve_method(of, &[], method, ty, &[]);
        self.call_resolved(resolved, args, result)
    }

    /// Goes through the variants of an enum: `each` makes the code for one.
    pub(super) fn each_variant(&mut self, ty: Ty, parts: &[Expr], mut each: impl FnMut(&mut Self, u32)) {
        let end = self.b.begin_block();
        for variant in 0..self.cx.variant_count(ty) {
            let next = self.b.begin_block();
            let is = self.is_variant(ty, parts, variant);
            self.b.break_if(is.negate(), next);
            each(self, variant);
            self.b.push(Stmt::Break(end));
            self.b.end_block(next);
        }
        self.b.push(Stmt::Unreachable);
        self.b.end_block(end);
    }

    /// The fields of a tuple or record.
    pub(super) fn fields_of(&mut self, ty: Ty, parts: &[Expr]) -> Vec<FieldValue> {
        match self.cx.types.kind(ty).clone() {
            TyKind::Tuple(_) => {
                self.elements(ty, parts.to_vec()).into_iter().map(|(ty, value)| (None, ty, value)).collect()
            }
            TyKind::Record(id, _) => {
                let program = self.cx.program;
                let types = self.cx.fields(ty).types.clone();
                let object = Self::only(parts.to_vec());
                let names = program.records[id.index()].fields.iter().map(|field| field.name);
                names
                    .zip(types)
                    .enumerate()
                    .map(|(index, (name, field_ty))| {
                        let value = self.record_field(ty, index as u32, object.clone());
                        (Some(self.cx.names.text(name).to_owned()), field_ty, value)
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Jumps unless two values are equal.
    fn equal(&mut self, ty: Ty, a: Vec<Expr>, b: Vec<Expr>, unequal: crate::ir::Label) {
        let lang = self.cx.program.lang;
        let Some(of) = lang.eq else { return };
        let method = self.cx.method_place(of, "eq");
        let only = |parts: &[Expr]| parts.first().cloned().unwrap_or(Expr::I32(0));
        let simple = match self.cx.types.kind(ty).clone() {
            TyKind::Int => Some(Expr::binary(B::Eq, only(&a), only(&b))),
            TyKind::Float => Some(Expr::binary(B::FEq, only(&a), only(&b))),
            TyKind::Bool | TyKind::Char => Some(Expr::binary(B::Eq32, only(&a), only(&b))),
            TyKind::String => {
                let equal =
                    lang.string_eq.map(|equal| self.call_function(equal, &[], vec![only(&a), only(&b)], Ty::BOOL));
                Some(equal.map_or(Expr::I32(0), Self::only))
            }
            TyKind::Enum(..) if matches!(self.cx.shape(ty), Shape::Number) => {
                Some(Expr::binary(B::Eq32, only(&a), only(&b)))
            }
            _ => None,
        };
        if let Some(equal) = simple {
            return self.b.break_if(equal.negate(), unequal);
        }
        let pairs = |lower: &mut Self, a: Vec<FieldValue>, b: Vec<FieldValue>| {
            for ((_, ty, a), (_, _, b)) in a.into_iter().zip(b) {
                let args = a.into_iter().chain(b).collect();
                let equal = Self::only(lower.for_part(of, method, ty, args, Ty::BOOL));
                lower.b.break_if(equal.negate(), unequal);
            }
        };
        if let TyKind::Enum(..) = self.cx.types.kind(ty) {
            self.each_variant(ty, &a, |lower, variant| {
                let is = lower.is_variant(ty, &b, variant);
                lower.b.break_if(is.negate(), unequal);
                let fields = lower.variant_values(ty, &a, variant);
                let others = lower.variant_values(ty, &b, variant);
                pairs(lower, fields, others);
            });
        } else {
            let (fields, others) = (self.fields_of(ty, &a), self.fields_of(ty, &b));
            pairs(self, fields, others);
        }
    }

    /// The fields of a variant that a value is of, stable.
    pub(super) fn variant_values(&mut self, ty: Ty, parts: &[Expr], variant: u32) -> Vec<FieldValue> {
        let TyKind::Enum(id, _) = self.cx.types.kind(ty).clone() else { return Vec::new() };
        let program = self.cx.program;
        let declared = &program.enums[id.index()].variants[variant as usize];
        let wanted = vec![true; declared.fields.len()];
        let values = self.payload(ty, parts, variant, &wanted);
        values
            .into_iter()
            .zip(&declared.fields)
            .map(|((ty, value), field)| {
                let name = declared.named.then(|| self.cx.names.text(field.name).to_owned());
                let value = self.stable(ty, value);
                (name, ty, value)
            })
            .collect()
    }

    /// Returns how two values compare, unless they are equal. `Less`, `Equal`, `Greater` are 0, 1, 2.
    fn compare(&mut self, of: TraitId, method: u32, ty: Ty, a: Vec<Expr>, b: Vec<Expr>) {
        let only = |parts: &[Expr]| parts.first().cloned().unwrap_or(Expr::I32(0));
        let order =
            |less: Expr, greater: Expr| Expr::binary(B::Sub32, Expr::binary(B::Add32, greater, Expr::I32(1)), less);
        let result = match self.cx.types.kind(ty).clone() {
            TyKind::Int => Some((B::LtS, B::GtS)),
            TyKind::Float => Some((B::FLt, B::FGt)),
            TyKind::Bool | TyKind::Char => Some((B::LtU32, B::GtU32)),
            TyKind::Enum(..) if matches!(self.cx.shape(ty), Shape::Number) => Some((B::LtU32, B::GtU32)),
            _ => None,
        };
        if let Some((less, greater)) = result {
            let less = Expr::binary(less, only(&a), only(&b));
            let greater = Expr::binary(greater, only(&a), only(&b));
            return self.b.push(Stmt::Return(vec![order(less, greater)]));
        }
        if let (TyKind::String, Some(compare)) = (self.cx.types.kind(ty), self.cx.program.lang.string_cmp) {
            let value = Self::only(self.call_function(compare, &[], vec![only(&a), only(&b)], Ty::INT));
            let value = self.b.stable(value, crate::ir::Val::I64);
            let less = Expr::binary(B::LtS, value.clone(), Expr::I64(0));
            let greater = Expr::binary(B::GtS, value, Expr::I64(0));
            return self.b.push(Stmt::Return(vec![order(less, greater)]));
        }
        let pairs = |lower: &mut Self, a: Vec<FieldValue>, b: Vec<FieldValue>| {
            for ((_, ty, a), (_, _, b)) in a.into_iter().zip(b) {
                let args = a.into_iter().chain(b).collect();
                let ordering = lower.ordering();
                let order = Self::only(lower.for_part(of, method, ty, args, ordering));
                let order = lower.b.stable(order, crate::ir::Val::I32);
                let before = lower.b.begin_if();
                lower.b.push(Stmt::Return(vec![order.clone()]));
                let done = lower.b.otherwise(before);
                lower.b.end_if(before, Expr::binary(B::Ne32, order, Expr::I32(1)), done);
            }
        };
        if let TyKind::Enum(..) = self.cx.types.kind(ty) {
            let (this, that) = (self.tag(ty, &a), self.tag(ty, &b));
            let this = self.b.stable(this, crate::ir::Val::I32);
            let that = self.b.stable(that, crate::ir::Val::I32);
            let before = self.b.begin_if();
            let less = Expr::binary(B::LtU32, this.clone(), that.clone());
            let greater = Expr::binary(B::GtU32, this.clone(), that.clone());
            self.b.push(Stmt::Return(vec![order(less, greater)]));
            let done = self.b.otherwise(before);
            self.b.end_if(before, Expr::binary(B::Ne32, this, that), done);
            self.each_variant(ty, &a, |lower, variant| {
                let fields = lower.variant_values(ty, &a, variant);
                let others = lower.variant_values(ty, &b, variant);
                pairs(lower, fields, others);
            });
        } else {
            let (fields, others) = (self.fields_of(ty, &a), self.fields_of(ty, &b));
            pairs(self, fields, others);
        }
    }

    fn ordering(&mut self) -> Ty {
        match self.cx.program.lang.ordering {
            Some(id) => self.cx.types.intern(TyKind::Enum(id, [].into())),
            None => Ty::ERROR,
        }
    }

    /// The hash of a value: of each part with that of the parts before as its seed.
    fn hash(&mut self, of: TraitId, method: u32, ty: Ty, this: Vec<Expr>, seed: Expr) -> Expr {
        let all = |lower: &mut Self, fields: Vec<FieldValue>, seed: Expr| {
            let mut hash = seed;
            for (_, ty, mut value) in fields {
                value.push(hash);
                hash = Self::only(lower.for_part(of, method, ty, value, Ty::INT));
            }
            hash
        };
        if let TyKind::Enum(..) = self.cx.types.kind(ty) {
            let tag = Expr::unary(UnaryOp::ExtendU, self.tag(ty, &this));
            let tag = Self::only(self.for_part(of, method, Ty::INT, vec![tag, seed], Ty::INT));
            if matches!(self.cx.shape(ty), Shape::Number) {
                return tag;
            }
            self.each_variant(ty, &this, |lower, variant| {
                let fields = lower.variant_values(ty, &this, variant);
                let hash = all(lower, fields, tag.clone());
                lower.b.push(Stmt::Return(vec![hash]));
            });
            return Expr::I64(0);
        }
        let fields = self.fields_of(ty, &this);
        all(self, fields, seed)
    }

    /// Writes a value as the program would.
    fn show(&mut self, of: TraitId, ty: Ty, this: Vec<Expr>, out: Expr) {
        let program = self.cx.program;
        match self.cx.types.kind(ty).clone() {
            TyKind::Enum(id, _) => {
                let variants = &program.enums[id.index()].variants;
                self.each_variant(ty, &this, |lower, variant| {
                    let declared = &variants[variant as usize];
                    let name = lower.cx.names.text(declared.name);
                    let fields = lower.variant_values(ty, &this, variant);
                    lower.show_fields(of, name, declared.named, fields, &out);
                });
            }
            TyKind::Record(id, _) => {
                let name = self.cx.names.text(program.records[id.index()].name);
                let fields = self.fields_of(ty, &this);
                self.show_fields(of, name, true, fields, &out);
            }
            TyKind::Tuple(elements) if elements.is_empty() => self.write("()", &out),
            _ => {
                let fields = self.fields_of(ty, &this);
                self.show_fields(of, "", false, fields, &out);
            }
        }
    }

    fn show_fields(&mut self, of: TraitId, name: &str, named: bool, fields: Vec<FieldValue>, out: &Expr) {
        if fields.is_empty() {
            return self.write(name, out);
        }
        let method = self.cx.method_place(of, "debug");
        let mut before = format!("{name}{}", if named { " { " } else { "(" });
        for (field, ty, mut value) in fields {
            if let Some(field) = field {
                before.push_str(&field);
                before.push_str(": ");
            }
            self.write(&before, out);
            value.push(out.clone());
            self.for_part(of, method, ty, value, Ty::UNIT);
            before = ", ".to_owned();
        }
        self.write(if named { " }" } else { ")" }, out);
    }

    fn write(&mut self, text: &str, out: &Expr) {
        if let Some(push) = self.cx.program.lang.text_push {
            let text = self.cx.text(text);
            self.call_function(push, &[], vec![out.clone(), text], Ty::UNIT);
        }
    }

    /// A copy that shares nothing that can change.
    fn copy(&mut self, of: TraitId, method: u32, ty: Ty, this: Vec<Expr>) -> Vec<Expr> {
        let all = |lower: &mut Self, fields: Vec<FieldValue>| {
            let mut copies = Vec::new();
            for (_, ty, value) in fields {
                let copy = lower.for_part(of, method, ty, value, ty);
                copies.extend(lower.stable(ty, copy));
            }
            copies
        };
        match self.cx.types.kind(ty).clone() {
            TyKind::Enum(..) if !matches!(self.cx.shape(ty), Shape::Number) => {
                self.each_variant(ty, &this, |lower, variant| {
                    let fields = lower.variant_values(ty, &this, variant);
                    let copies = all(lower, fields);
                    let copy = lower.variant(ty, variant, copies);
                    lower.b.push(Stmt::Return(copy));
                });
                Vec::new()
            }
            TyKind::Record(..) => {
                let fields = self.fields_of(ty, &this);
                let copies = all(self, fields);
                vec![Expr::StructNew(self.cx.fields(ty).ty, copies)]
            }
            TyKind::Tuple(_) => {
                let fields = self.fields_of(ty, &this);
                let copies = all(self, fields);
                self.pack(ty, copies)
            }
            _ => this,
        }
    }
}
