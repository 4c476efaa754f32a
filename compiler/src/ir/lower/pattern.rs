//! Patterns one at a time.

use super::Lower;
use crate::ir::{BinaryOp, Expr, Heap, Label, Stmt, UnaryOp, Val};
use crate::typed::{Pattern, PatternKind, Ty};

impl<'a> Lower<'_, 'a> {
    /// Binds a pattern's names to what they are in a value, or jumps where it does not match. What is given is stable.
    pub fn test(&mut self, pattern: &'a Pattern, ty: Ty, parts: Vec<Expr>, fail: Option<Label>) {
        if self.b.dead {
            return;
        }
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Bind(id, sub) => {
                if let Some(sub) = sub {
                    self.test(sub, ty, parts.clone(), fail);
                }
                if !self.b.dead {
                    self.bind(*id, parts);
                }
            }
            PatternKind::Tuple(elements) => {
                for (element, (ty, parts)) in elements.iter().zip(self.elements(ty, parts)) {
                    self.test_part(element, ty, parts, fail);
                }
            }
            PatternKind::Record(_, fields) => {
                let object = Self::only(parts);
                for (index, field) in fields {
                    let field_ty = self.cx.fields(ty).types[*index as usize];
                    let parts = self.record_field(ty, *index, object.clone());
                    self.test_part(field, field_ty, parts, fail);
                }
            }
            PatternKind::Variant(_, variant, fields) => {
                let is = self.is_variant(ty, &parts, *variant);
                self.fail_unless(is, fail);
                let wanted: Vec<bool> = fields.iter().map(is_wanted).collect();
                let values = self.payload(ty, &parts, *variant, &wanted);
                for (field, (ty, parts)) in fields.iter().zip(values) {
                    self.test_part(field, ty, parts, fail);
                }
            }
            PatternKind::List { before, rest, after } => {
                let length = self.list_length(ty, &parts);
                let count = (before.len() + after.len()) as i64;
                let op = if rest.is_some() { BinaryOp::GeS } else { BinaryOp::Eq };
                self.fail_unless(Expr::binary(op, length, Expr::I64(count)), fail);
                for (element, ty, parts) in self.list_elements(ty, &parts, before, rest, after) {
                    self.test_part(element, ty, parts, fail);
                }
            }
            PatternKind::Or(alternatives) => {
                let end = self.b.begin_block();
                for alternative in alternatives {
                    let next = self.b.begin_block();
                    self.test(alternative, ty, parts.clone(), Some(next));
                    self.b.push(Stmt::Break(end));
                    self.b.end_block(next);
                }
                match fail {
                    Some(fail) => self.b.push(Stmt::Break(fail)),
                    None => self.b.push(Stmt::Unreachable),
                }
                self.b.end_block(end);
            }
            _ => {
                let holds = self.holds(pattern, Self::only(parts));
                self.fail_unless(holds, fail);
            }
        }
    }

    fn test_part(&mut self, pattern: &'a Pattern, ty: Ty, parts: Vec<Expr>, fail: Option<Label>) {
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Bind(id, None) if !self.b.dead => self.bind(*id, parts),
            _ => {
                let parts = self.stable(ty, parts);
                self.test(pattern, ty, parts, fail);
            }
        }
    }

    fn fail_unless(&mut self, condition: Expr, fail: Option<Label>) {
        if let Some(fail) = fail {
            self.b.break_if(condition.negate(), fail);
        }
    }

    /// Whether a value is what a literal or range says. The value is stable.
    pub fn holds(&mut self, pattern: &'a Pattern, value: Expr) -> Expr {
        match &pattern.kind {
            PatternKind::Int(expected) => Expr::binary(BinaryOp::Eq, value, Expr::I64(*expected)),
            PatternKind::Float(expected) => Expr::binary(BinaryOp::FEq, value, Expr::F64(expected.to_bits())),
            PatternKind::Bool(expected) => {
                if *expected {
                    value
                } else {
                    value.negate()
                }
            }
            PatternKind::Char(expected) => self.b.equals(value, *expected as i32),
            PatternKind::String(expected) => {
                let expected = self.cx.text(expected);
                match self.cx.program.lang.string_eq {
                    Some(equal) => Self::only(self.call_function(equal, &[], vec![value, expected], Ty::BOOL)),
                    None => Expr::I32(0),
                }
            }
            PatternKind::IntRange(first, last) => {
                if first > last {
                    return Expr::I32(0);
                }
                // One comparison does, as what is below the first wraps to what is greatest.
                let above = Expr::binary(BinaryOp::Sub, value, Expr::I64(*first));
                Expr::binary(BinaryOp::LeU, above, Expr::I64(last.wrapping_sub(*first)))
            }
            PatternKind::CharRange(first, last) => {
                if first > last {
                    return Expr::I32(0);
                }
                let above = Expr::binary(BinaryOp::Sub32, value, Expr::I32(*first as i32));
                Expr::binary(BinaryOp::LeU32, above, Expr::I32((*last as i32).wrapping_sub(*first as i32)))
            }
            _ => Expr::I32(1),
        }
    }

    /// A list's length.
    pub fn list_length(&mut self, ty: Ty, parts: &[Expr]) -> Expr {
        let object = parts.first().cloned().unwrap_or(Expr::I32(0));
        Self::only(self.record_field(ty, 1, object))
    }

    /// The elements of a list that has as many as a pattern says, with the patterns for them.
    pub fn list_elements(
        &mut self,
        ty: Ty,
        parts: &[Expr],
        before: &'a [Pattern],
        rest: &'a Option<Option<Box<Pattern>>>,
        after: &'a [Pattern],
    ) -> Vec<(&'a Pattern, Ty, Vec<Expr>)> {
        let object = parts.first().cloned().unwrap_or(Expr::I32(0));
        let array_ty = self.cx.fields(ty).types[0];
        let Some(&element) = self.cx.type_parts(array_ty).first() else { return Vec::new() };
        let array = Self::only(self.record_field(ty, 0, object));
        let raw = self.cx.array_type(element);
        let array = self.b.stable(array, Val::Ref(Heap::Type(raw)));
        let length = self.list_length(ty, parts);
        let length = self.b.stable(Expr::unary(UnaryOp::Wrap, length), Val::I32);
        let from_end = |index: usize| {
            let back = Expr::I32((after.len() - index) as i32);
            Expr::binary(BinaryOp::Sub32, length.clone(), back)
        };
        let mut elements = Vec::new();
        for (index, pattern) in before.iter().enumerate() {
            if is_wanted(pattern) {
                let parts = self.load_element(element, array.clone(), Expr::I32(index as i32));
                elements.push((pattern, element, self.stable(element, parts)));
            }
        }
        for (index, pattern) in after.iter().enumerate() {
            if is_wanted(pattern) {
                let parts = self.load_element(element, array.clone(), from_end(index));
                elements.push((pattern, element, self.stable(element, parts)));
            }
        }
        if let Some(Some(pattern)) = rest
            && is_wanted(pattern)
        {
            let at = self.b.at;
            let taken = Expr::I32((before.len() + after.len()) as i32);
            let count = self.b.stable(Expr::binary(BinaryOp::Sub32, length.clone(), taken), Val::I32);
            let empty = Expr::ArrayDefault(raw, Box::new(count.clone()), at);
            let part = self.b.stable(empty, Val::Ref(Heap::Type(raw)));
            let from = Expr::I32(before.len() as i32);
            let copy = Box::new([part.clone(), Expr::I32(0), array, from, count.clone()]);
            self.b.push(Stmt::ArrayCopy(raw, raw, copy, at));
            let shape = self.cx.fields(ty);
            let list = Expr::StructNew(shape.ty, vec![part, Expr::unary(UnaryOp::ExtendU, count)]);
            elements.push((pattern, ty, vec![self.b.stable(list, Val::Ref(Heap::Type(shape.ty)))]));
        }
        elements
    }
}

/// Whether a pattern looks at the value at all.
pub(super) fn is_wanted(pattern: &Pattern) -> bool {
    !matches!(pattern.kind, PatternKind::Wildcard)
}
