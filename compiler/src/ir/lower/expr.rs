//! Expressions.

use super::{Lower, Slot};
use crate::ir::mono::Key;
use crate::ir::{BinaryOp as B, CheckedOp, DataId, Expr, Heap, Stmt, UnaryOp, Val};
use crate::typed::{self, BinaryOp, ConstId, ExprKind, Ty, UnaryOp as U};

/// How many elements WebAssembly's engines let one instruction make an array of.
const MAX_FIXED: usize = 1000;

impl<'a> Lower<'_, 'a> {
    /// The parts of an expression's value.
    pub fn value(&mut self, expr: &'a typed::Expr) -> Vec<Expr> {
        if self.enter(expr.span) {
            self.leave();
            return Vec::new();
        }
        let parts = self.value_inner(expr);
        self.leave();
        parts
    }

    fn value_inner(&mut self, expr: &'a typed::Expr) -> Vec<Expr> {
        match &expr.kind {
            ExprKind::Int(value) => vec![Expr::I64(*value)],
            ExprKind::Float(value) => vec![Expr::F64(value.to_bits())],
            ExprKind::Bool(value) => vec![Expr::I32(*value as i32)],
            ExprKind::Char(value) => vec![Expr::I32(*value as i32)],
            ExprKind::String(text) => vec![self.cx.text(text)],
            ExprKind::Buffer(bytes) => {
                let at = self.at(expr.span);
                let ty = self.cx.module.types.bytes();
                vec![Expr::ArrayData(ty, self.data(bytes), bytes.len() as u32, at)]
            }
            ExprKind::Local(id) => self.read(*id),
            ExprKind::Const(id) => self.constant_value(*id, expr),
            ExprKind::Tuple(elements) => {
                let raw = self.operands(elements).into_iter().flatten().collect();
                let ty = self.ty(expr.ty);
                self.pack(ty, raw)
            }
            ExprKind::TupleField(base, index) => {
                let ty = self.ty(base.ty);
                let parts = self.value(base);
                let mut elements = self.elements(ty, parts);
                if elements.len() <= *index as usize {
                    return Vec::new();
                }
                let (_, wanted) = elements.remove(*index as usize);
                self.discard(elements.into_iter().flat_map(|(_, parts)| parts).collect());
                wanted
            }
            ExprKind::Record(_, fields) => self.record(expr, fields),
            ExprKind::Field(base, _, field) => self.field(base, *field),
            ExprKind::Variant(_, variant, fields) => {
                let ty = self.ty(expr.ty);
                let parts = self.operands(fields).into_iter().flatten().collect();
                if self.b.dead {
                    return Vec::new();
                }
                self.variant(ty, *variant, parts)
            }
            ExprKind::Array(elements) => self.array(expr, elements),
            ExprKind::Call(callee, args) => self.call(callee, args, expr),
            ExprKind::Function(callee) => self.function_value(callee),
            ExprKind::Constructor(id, variant) => self.constructor_value(*id, *variant, expr.ty),
            ExprKind::Closure(closure) => self.closure(closure, expr.ty),
            ExprKind::ToDyn(value, of, args) => {
                let ty = self.ty(value.ty);
                let args = self.tys(args);
                let parts = self.value(value);
                if self.b.dead {
                    return Vec::new();
                }
                vec![self.as_dyn_value(ty, parts, *of, &args)]
            }
            ExprKind::Unary(op, value) => self.unary(*op, value, expr),
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), a, b) => vec![self.logic(*op, a, b, expr)],
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, expr),
            ExprKind::Is(..) => vec![self.truth(expr)],
            ExprKind::Block(stmts, value) => {
                self.statements(stmts);
                match value {
                    Some(value) => self.value(value),
                    None => Vec::new(),
                }
            }
            ExprKind::If(..) | ExprKind::Match(..) => {
                let ty = self.ty(expr.ty);
                let types = self.cx.parts(ty);
                let to: Vec<_> = types.iter().map(|&part| self.b.local(part)).collect();
                self.into(expr, &to);
                to.into_iter().map(Expr::Local).collect()
            }
            ExprKind::Try(value, conversion) => self.try_(value, conversion, expr),
            ExprKind::Return(_)
            | ExprKind::Break(_)
            | ExprKind::Continue(_)
            | ExprKind::AssignLocal(..)
            | ExprKind::AssignField(..)
            | ExprKind::Assert(..) => {
                self.action(expr);
                Vec::new()
            }
        }
    }

    /// What is done for its effect.
    fn action(&mut self, expr: &'a typed::Expr) {
        match &expr.kind {
            ExprKind::Return(value) => {
                let parts = value.as_ref().map_or_else(Vec::new, |value| self.value(value));
                self.b.push(Stmt::Return(parts));
                self.b.dead = true;
            }
            ExprKind::Break(id) | ExprKind::Continue(id) => {
                if let Some(&(end, begin)) = self.loops.get(id) {
                    let label = if matches!(expr.kind, ExprKind::Break(_)) { end } else { begin };
                    self.b.push(Stmt::Break(label));
                }
                self.b.dead = true;
            }
            ExprKind::AssignLocal(id, value) => match self.slots[id.index()].clone() {
                Some(Slot::Parts(to)) => self.into(value, &to),
                Some(Slot::Cell(place, cell)) => {
                    let parts = self.value(value);
                    let ty = self.ty(value.ty);
                    let parts = if parts.len() > 1 { self.stable(ty, parts) } else { parts };
                    let at = self.at(expr.span);
                    for (field, part) in parts.into_iter().enumerate() {
                        let set = Stmt::StructSet(cell, field as u32, Box::new([Expr::Local(place), part]), at);
                        self.b.push(set);
                    }
                }
                None => {
                    let parts = self.value(value);
                    self.bind(*id, parts);
                }
            },
            ExprKind::AssignField(object, _, field, value) => self.assign_field(object, *field, value, expr),
            ExprKind::Assert(condition, source, message) => {
                let end = self.b.begin_block();
                self.branch(condition, end, true);
                self.at(expr.span);
                let text = match message {
                    None => self.cx.text(&format!("assertion failed: {source}")),
                    Some(message) => {
                        let message = Self::only(self.value(message));
                        let before = self.cx.text(&format!("assertion failed: {source}: "));
                        match self.cx.program.lang.string_concat {
                            Some(concat) => {
                                Self::only(self.call_function(concat, &[], vec![before, message], Ty::STRING))
                            }
                            None => message,
                        }
                    }
                };
                self.at(expr.span);
                self.panic_with(text);
                self.b.end_block(end);
            }
            _ => {}
        }
    }

    fn assign_field(&mut self, object: &'a typed::Expr, field: u32, value: &'a typed::Expr, expr: &'a typed::Expr) {
        let record = self.ty(object.ty);
        let ty = self.ty(value.ty);
        let mut operands = self.operands([object, value]);
        if self.b.dead {
            return;
        }
        let mut parts = operands.pop().unwrap_or_default();
        let mut object_ref = Self::only(operands.pop().unwrap_or_default());
        if parts.len() != 1 {
            let fields = self.cx.fields(record);
            object_ref = self.b.stable(object_ref, Val::Ref(Heap::Type(fields.ty)));
            parts = self.stable(ty, parts);
        }
        let fields = self.cx.fields(record);
        let offset = fields.offsets[field as usize];
        let at = self.at(expr.span);
        if let [part] = &mut parts[..] {
            let part = std::mem::replace(part, Expr::I32(0));
            self.b.push(Stmt::StructSet(fields.ty, offset, Box::new([object_ref, part]), at));
            return;
        }
        for (index, part) in parts.into_iter().enumerate() {
            let parts = Box::new([object_ref.clone(), part]);
            self.b.push(Stmt::StructSet(fields.ty, offset + index as u32, parts, at));
        }
    }

    /// The values of expressions, each as it is when its turn comes.
    pub fn operands(&mut self, exprs: impl IntoIterator<Item = &'a typed::Expr>) -> Vec<Vec<Expr>> {
        let mut pending: Vec<(Expr, Val)> = Vec::new();
        let mut counts = Vec::new();
        for expr in exprs {
            let mark = self.b.mark();
            let parts = self.value(expr);
            if self.b.dead {
                return Vec::new();
            }
            if self.b.mark() > mark {
                self.b.spill(mark, &mut pending);
            }
            let ty = self.ty(expr.ty);
            let types = self.cx.parts(ty);
            counts.push(parts.len());
            pending.extend(parts.into_iter().zip(types.iter().copied()));
        }
        let mut parts = pending.into_iter().map(|(expr, _)| expr);
        counts.into_iter().map(|count| parts.by_ref().take(count).collect()).collect()
    }

    fn record(&mut self, expr: &'a typed::Expr, fields: &'a [(u32, typed::Expr)]) -> Vec<Expr> {
        let ty = self.ty(expr.ty);
        let mut values = self.operands(fields.iter().map(|(_, value)| value));
        if self.b.dead {
            return Vec::new();
        }
        let in_order = fields.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if !in_order {
            // The object's fields are evaluated in their own order.
            for (parts, (_, field)) in values.iter_mut().zip(fields) {
                let ty = self.ty(field.ty);
                *parts = self.stable(ty, std::mem::take(parts));
            }
        }
        let mut ordered: Vec<(u32, Vec<Expr>)> = fields.iter().map(|(field, _)| *field).zip(values).collect();
        ordered.sort_by_key(|(field, _)| *field);
        let shape = self.cx.fields(ty);
        vec![Expr::StructNew(shape.ty, ordered.into_iter().flat_map(|(_, parts)| parts).collect())]
    }

    fn field(&mut self, base: &'a typed::Expr, field: u32) -> Vec<Expr> {
        let record = self.ty(base.ty);
        let mut object = Self::only(self.value(base));
        if self.b.dead {
            return Vec::new();
        }
        let shape = self.cx.fields(record);
        let count = self.cx.parts(shape.types[field as usize]).len();
        if count != 1 {
            object = self.b.stable(object, Val::Ref(Heap::Type(shape.ty)));
        }
        self.record_field(record, field, object)
    }

    fn data(&mut self, bytes: &[u8]) -> DataId {
        self.cx.module.data.push(bytes.into());
        DataId(self.cx.module.data.len() as u32 - 1)
    }

    fn array(&mut self, expr: &'a typed::Expr, elements: &'a [typed::Expr]) -> Vec<Expr> {
        let array = self.ty(expr.ty);
        let Some(&element) = self.cx.type_parts(array).first() else { return Vec::new() };
        let ty = self.cx.array_type(element);
        let at = self.at(expr.span);
        if elements.len() > 8
            && let Some(bytes) = numbers(elements)
        {
            return vec![Expr::ArrayData(ty, self.data(&bytes), elements.len() as u32, at)];
        }
        if self.cx.parts(element).is_empty() {
            for each in elements {
                let parts = self.value(each);
                self.discard(parts);
            }
            return vec![Expr::ArrayDefault(ty, Box::new(Expr::I32(elements.len() as i32)), at)];
        }
        if elements.len() <= MAX_FIXED {
            let values = self.operands(elements);
            let values = values.into_iter().map(|parts| self.element(element, parts)).collect();
            return vec![Expr::ArrayFixed(ty, values)];
        }
        let local = self.b.local(Val::Ref(Heap::Type(ty)));
        let length = Expr::I32(elements.len() as i32);
        self.b.push(Stmt::Set(local, Expr::ArrayDefault(ty, Box::new(length), at)));
        for (index, each) in elements.iter().enumerate() {
            let parts = self.value(each);
            let value = self.element(element, parts);
            let parts = Box::new([Expr::Local(local), Expr::I32(index as i32), value]);
            self.b.push(Stmt::ArraySet(ty, parts, at));
        }
        vec![Expr::Local(local)]
    }

    /// A constant's value: itself if it is a literal, otherwise what its function gives.
    fn constant_value(&mut self, id: ConstId, expr: &'a typed::Expr) -> Vec<Expr> {
        let program = self.cx.program;
        let constant = &program.constants[id.index()];
        if is_literal(&constant.body.value) {
            return self.value(&constant.body.value);
        }
        let func = self.cx.instance(Key::Constant(id));
        let types = self.cx.parts(constant.ty);
        self.at(expr.span);
        self.b.call_direct(func, Vec::new(), &types)
    }

    fn unary(&mut self, op: U, value: &'a typed::Expr, expr: &'a typed::Expr) -> Vec<Expr> {
        let ty = self.ty(value.ty);
        let inner = Self::only(self.value(value));
        if self.b.dead {
            return Vec::new();
        }
        let at = self.at(expr.span);
        vec![match (op, ty) {
            (U::Neg, Ty::FLOAT) => match inner {
                Expr::F64(bits) => Expr::F64((-f64::from_bits(bits)).to_bits()),
                inner => Expr::unary(UnaryOp::FNeg, inner),
            },
            (U::Neg, _) => match inner {
                Expr::I64(value) if value != i64::MIN => Expr::I64(-value),
                inner => {
                    self.cx.panic(crate::ir::Panic::Overflow);
                    Expr::Checked(CheckedOp::Sub, Box::new([Expr::I64(0), inner]), at)
                }
            },
            (U::Not, _) => inner.negate(),
            (U::BitNot, _) => Expr::binary(B::Xor, inner, Expr::I64(-1)),
        }]
    }

    fn binary(&mut self, op: BinaryOp, a: &'a typed::Expr, b: &'a typed::Expr, expr: &'a typed::Expr) -> Vec<Expr> {
        // A chain of operators leans to the left, as far as it is long.
        let mut chain = vec![(op, b, expr)];
        let mut first = a;
        while let ExprKind::Binary(op, a, b) = &first.kind
            && !matches!(op, BinaryOp::And | BinaryOp::Or)
        {
            chain.push((*op, b, first));
            first = a;
        }
        let mut value = Self::only(self.value(first));
        for (op, right, whole) in chain.into_iter().rev() {
            let ty = self.ty(right.ty);
            let mark = self.b.mark();
            let right = Self::only(self.value(right));
            if self.b.dead {
                return Vec::new();
            }
            if self.b.mark() > mark {
                let types = self.cx.parts(ty);
                let mut pending = [(value, types.first().copied().unwrap_or(Val::I32))];
                self.b.spill(mark, &mut pending);
                [(value, _)] = pending;
            }
            self.at(whole.span);
            value = self.operator(op, ty, value, right);
        }
        vec![value]
    }

    /// An operator of two values of a type.
    fn operator(&mut self, op: BinaryOp, ty: Ty, a: Expr, b: Expr) -> Expr {
        match ty {
            Ty::INT => self.int_operator(op, a, b),
            Ty::FLOAT => self.float_operator(op, a, b),
            Ty::STRING => self.string_operator(op, a, b),
            _ => {
                let op = match op {
                    BinaryOp::Eq => B::Eq32,
                    BinaryOp::Ne => B::Ne32,
                    BinaryOp::Lt => B::LtU32,
                    BinaryOp::Le => B::LeU32,
                    BinaryOp::Gt => B::GtU32,
                    BinaryOp::Ge => B::GeU32,
                    BinaryOp::BitAnd => B::And32,
                    BinaryOp::BitOr => B::Or32,
                    _ => B::Xor32,
                };
                Expr::binary(op, a, b)
            }
        }
    }

    fn int_operator(&mut self, op: BinaryOp, a: Expr, b: Expr) -> Expr {
        let checked = match op {
            BinaryOp::Add => CheckedOp::Add,
            BinaryOp::Sub => CheckedOp::Sub,
            BinaryOp::Mul => CheckedOp::Mul,
            BinaryOp::Div => CheckedOp::DivS,
            BinaryOp::Rem => CheckedOp::RemS,
            BinaryOp::Shl => CheckedOp::Shl,
            BinaryOp::Shr => CheckedOp::ShrS,
            _ => {
                let op = match op {
                    BinaryOp::Eq => B::Eq,
                    BinaryOp::Ne => B::Ne,
                    BinaryOp::Lt => B::LtS,
                    BinaryOp::Le => B::LeS,
                    BinaryOp::Gt => B::GtS,
                    BinaryOp::Ge => B::GeS,
                    BinaryOp::BitAnd => B::And,
                    BinaryOp::BitOr => B::Or,
                    _ => B::Xor,
                };
                return Expr::binary(op, a, b);
            }
        };
        self.checked(checked, a, b)
    }

    /// An operator that may have no result.
    pub fn checked(&mut self, op: CheckedOp, a: Expr, b: Expr) -> Expr {
        if let Some(panic) = op.panic() {
            self.cx.panic(panic);
        }
        if op == CheckedOp::Mul && self.cx.module.product.is_none() {
            self.cx.module.product = Some(self.cx.instance(Key::Product));
        }
        Expr::Checked(op, Box::new([a, b]), self.b.at)
    }

    fn float_operator(&mut self, op: BinaryOp, a: Expr, b: Expr) -> Expr {
        let op = match op {
            BinaryOp::Add => B::FAdd,
            BinaryOp::Sub => B::FSub,
            BinaryOp::Mul => B::FMul,
            BinaryOp::Div => B::FDiv,
            BinaryOp::Eq => B::FEq,
            BinaryOp::Ne => B::FNe,
            BinaryOp::Lt => B::FLt,
            BinaryOp::Le => B::FLe,
            BinaryOp::Gt => B::FGt,
            _ => B::FGe,
        };
        Expr::binary(op, a, b)
    }

    fn string_operator(&mut self, op: BinaryOp, a: Expr, b: Expr) -> Expr {
        let lang = self.cx.program.lang;
        let (function, ty) = match op {
            BinaryOp::Add => (lang.string_concat, Ty::STRING),
            BinaryOp::Eq | BinaryOp::Ne => (lang.string_eq, Ty::BOOL),
            _ => (lang.string_cmp, Ty::INT),
        };
        let Some(function) = function else { return Expr::I32(0) };
        let value = Self::only(self.call_function(function, &[], vec![a, b], ty));
        match op {
            BinaryOp::Ne => value.negate(),
            BinaryOp::Lt => Expr::binary(B::LtS, value, Expr::I64(0)),
            BinaryOp::Le => Expr::binary(B::LeS, value, Expr::I64(0)),
            BinaryOp::Gt => Expr::binary(B::GtS, value, Expr::I64(0)),
            BinaryOp::Ge => Expr::binary(B::GeS, value, Expr::I64(0)),
            _ => value,
        }
    }

    /// `&&` and `||` as a value.
    fn logic(&mut self, op: BinaryOp, a: &'a typed::Expr, b: &'a typed::Expr, expr: &'a typed::Expr) -> Expr {
        if is_cheap(b) {
            let a = Self::only(self.value(a));
            let b = Self::only(self.value(b));
            if self.b.dead {
                return Expr::I32(0);
            }
            return Expr::binary(if op == BinaryOp::And { B::And32 } else { B::Or32 }, a, b);
        }
        self.truth(expr)
    }

    /// A condition as a value.
    fn truth(&mut self, expr: &'a typed::Expr) -> Expr {
        let to = self.b.local(Val::I32);
        let end = self.b.begin_block();
        let no = self.b.begin_block();
        self.branch(expr, no, false);
        self.b.push(Stmt::Set(to, Expr::I32(1)));
        self.b.push(Stmt::Break(end));
        self.b.end_block(no);
        self.b.push(Stmt::Set(to, Expr::I32(0)));
        self.b.end_block(end);
        Expr::Local(to)
    }
}

/// Whether an expression is a value that can stand wherever it is used.
fn is_literal(expr: &typed::Expr) -> bool {
    match &expr.kind {
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Char(_) | ExprKind::String(_) => true,
        ExprKind::Unary(U::Neg | U::Not, inner) => is_literal(inner),
        _ => false,
    }
}

/// Whether it costs less to evaluate a condition than to jump over it, and nothing happens that should not.
fn is_cheap(expr: &typed::Expr) -> bool {
    let leaf = |expr: &typed::Expr| {
        matches!(
            expr.kind,
            ExprKind::Local(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Char(_)
        )
    };
    match &expr.kind {
        ExprKind::Binary(op, a, b) => {
            let compares =
                matches!(op, BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge);
            compares && a.ty != Ty::STRING && leaf(a) && leaf(b)
        }
        ExprKind::Unary(U::Not, inner) => leaf(inner),
        _ => leaf(expr),
    }
}

/// Numbers as an array has them in memory, if they are literals.
fn numbers(elements: &[typed::Expr]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(elements.len() * 8);
    for element in elements {
        match &element.kind {
            ExprKind::Int(value) => bytes.extend(value.to_le_bytes()),
            ExprKind::Float(value) => bytes.extend(value.to_bits().to_le_bytes()),
            ExprKind::Bool(value) => bytes.push(*value as u8),
            ExprKind::Char(value) => bytes.extend((*value as u32).to_le_bytes()),
            ExprKind::Unary(U::Neg, inner) => match inner.kind {
                ExprKind::Int(value) => bytes.extend(value.checked_neg()?.to_le_bytes()),
                ExprKind::Float(value) => bytes.extend((-value).to_bits().to_le_bytes()),
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(bytes)
}
