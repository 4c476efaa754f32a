//! What the standard library asks of the machine.

use super::Lower;
use crate::ir::{BinaryOp as B, CheckedOp, Expr, Heap, Panic, Stmt, UnaryOp as U, Val};
use crate::typed::{FnId, Ty};

impl Lower<'_, '_> {
    /// The value of an intrinsic function.
    pub fn intrinsic(&mut self, id: FnId, types: &[Ty], args: Vec<Expr>) -> Vec<Expr> {
        let program = self.cx.program;
        let name = self.cx.names.text(program.functions[id.index()].name);
        let ty = types.first().copied().unwrap_or(Ty::UNIT);
        if let Some(rest) = name.strip_prefix("array_") {
            return self.array_intrinsic(rest, ty, args);
        }
        if let Some(value) = self.type_intrinsic(name, ty, &args) {
            return value;
        }
        let mut args = args.into_iter();
        let mut next = || args.next().unwrap_or(Expr::I64(0));
        let binary = match name {
            "int_wrapping_add" => Some(B::Add),
            "int_wrapping_sub" => Some(B::Sub),
            "int_wrapping_mul" => Some(B::Mul),
            "int_shl" => Some(B::Shl),
            "int_shr" => Some(B::ShrS),
            "int_ushr" => Some(B::ShrU),
            "int_rotl" => Some(B::Rotl),
            "int_rotr" => Some(B::Rotr),
            "int_ult" => Some(B::LtU),
            "float_copysign" => Some(B::FCopysign),
            "float_min" => Some(B::FMin),
            "float_max" => Some(B::FMax),
            _ => None,
        };
        if let Some(op) = binary {
            return vec![Expr::binary(op, next(), next())];
        }
        let checked = match name {
            "int_div" => Some(CheckedOp::DivS),
            "int_rem" => Some(CheckedOp::RemS),
            "int_udiv" => Some(CheckedOp::DivU),
            "int_urem" => Some(CheckedOp::RemU),
            _ => None,
        };
        if let Some(op) = checked {
            let (a, b) = (next(), next());
            return vec![self.checked(op, a, b)];
        }
        let unary = match name {
            "int_clz" => Some(U::Clz),
            "int_ctz" => Some(U::Ctz),
            "int_popcnt" => Some(U::Popcnt),
            "int_to_float" => Some(U::FConvertS),
            "int_to_float_unsigned" => Some(U::FConvertU),
            "float_to_int" => Some(U::FTruncSatS),
            "float_bits" => Some(U::FBits),
            "float_from_bits" => Some(U::FFromBits),
            "float_abs" => Some(U::FAbs),
            "float_floor" => Some(U::FFloor),
            "float_ceil" => Some(U::FCeil),
            "float_trunc" => Some(U::FTrunc),
            "float_nearest" => Some(U::FNearest),
            "float_sqrt" => Some(U::FSqrt),
            "char_to_int" | "bool_to_int" => Some(U::ExtendU),
            "char_from_int" => Some(U::Wrap),
            _ => None,
        };
        if let Some(op) = unary {
            return vec![Expr::unary(op, next())];
        }
        match name {
            "int_add_overflows" | "int_sub_overflows" => {
                let (a, b) = self.two(next(), next());
                vec![overflows(name == "int_add_overflows", a, b)]
            }
            "int_mul_overflows" => {
                let (a, b) = self.two(next(), next());
                vec![self.multiplication_overflows(a, b)]
            }
            "int_mul_high_u" => {
                let (a, b) = self.two(next(), next());
                vec![self.high_product(a, b)]
            }
            "unreachable" => {
                self.b.push(Stmt::Unreachable);
                Vec::new()
            }
            _ => self.buffer_intrinsic(name, args.collect()),
        }
    }

    fn two(&mut self, a: Expr, b: Expr) -> (Expr, Expr) {
        let mut pending = [(a, Val::I64)];
        let mark = self.b.mark();
        let b = self.b.stable(b, Val::I64);
        self.b.spill(mark, &mut pending);
        let [(a, _)] = pending;
        (a, b)
    }

    /// A number as the index of an element.
    fn index(&mut self, value: Expr) -> Expr {
        if let Expr::I64(value @ 0..=0xffff_ffff) = value {
            return Expr::I32(value as i32);
        }
        self.cx.panic(Panic::Index);
        Expr::Index(Box::new(value), self.b.at)
    }

    fn array_intrinsic(&mut self, name: &str, element: Ty, args: Vec<Expr>) -> Vec<Expr> {
        let ty = self.cx.array_type(element);
        let empty = self.cx.parts(element).is_empty();
        let at = self.b.at;
        let mut args = args.into_iter();
        let mut next = || args.next().unwrap_or(Expr::I64(0));
        match name {
            "new" => {
                let length = self.index(next());
                if empty {
                    return vec![Expr::ArrayDefault(ty, Box::new(length), at)];
                }
                let length = self.b.stable(length, Val::I32);
                let value = self.element(element, args.collect());
                vec![Expr::ArrayNew(ty, Box::new([value, length]), at)]
            }
            "empty" => vec![Expr::ArrayDefault(ty, Box::new(self.index(next())), at)],
            "length" => vec![Expr::unary(U::ExtendU, Expr::ArrayLen(Box::new(next()), at))],
            "get" => {
                let (array, index) = (next(), next());
                let index = self.index(index);
                self.load_element(element, array, index)
            }
            "set" => {
                let (array, index) = (next(), next());
                let index = self.index(index);
                if !empty {
                    let value = self.element(element, args.collect());
                    self.b.push(Stmt::ArraySet(ty, Box::new([array, index, value]), at));
                }
                Vec::new()
            }
            "copy" => {
                let (to, to_at, from, from_at, count) = (next(), next(), next(), next(), next());
                let (to_at, from_at, count) = (self.index(to_at), self.index(from_at), self.index(count));
                self.b.push(Stmt::ArrayCopy(ty, ty, Box::new([to, to_at, from, from_at, count]), at));
                Vec::new()
            }
            "fill" => {
                let (array, from) = (next(), next());
                let mut rest: Vec<Expr> = args.collect();
                let count = rest.pop().unwrap_or(Expr::I64(0));
                let (from, count) = (self.index(from), self.index(count));
                if !empty {
                    let value = self.element(element, rest);
                    self.b.push(Stmt::ArrayFill(ty, Box::new([array, from, value, count]), at));
                }
                Vec::new()
            }
            "clear" => {
                let (array, from, count) = (next(), next(), next());
                let (from, count) = (self.index(from), self.index(count));
                let zero = crate::ir::layout::zero(self.cx.module.types.element(ty).storage.unpacked());
                self.b.push(Stmt::ArrayFill(ty, Box::new([array, from, zero, count]), at));
                Vec::new()
            }
            _ => self.unknown(name),
        }
    }

    fn buffer_intrinsic(&mut self, name: &str, args: Vec<Expr>) -> Vec<Expr> {
        let ty = self.cx.module.types.bytes();
        let at = self.b.at;
        let mut args = args.into_iter();
        let mut next = || args.next().unwrap_or(Expr::I64(0));
        match name {
            "buffer_new" => vec![Expr::ArrayDefault(ty, Box::new(self.index(next())), at)],
            "buffer_length" | "string_length" => vec![Expr::unary(U::ExtendU, Expr::ArrayLen(Box::new(next()), at))],
            "buffer_get" | "string_byte" => {
                let (buffer, index) = (next(), next());
                let index = self.index(index);
                vec![Expr::unary(U::ExtendU, Expr::ArrayGet(ty, Box::new([buffer, index]), at))]
            }
            "buffer_set" => {
                let (buffer, index, value) = (next(), next(), next());
                let index = self.index(index);
                let value = Expr::unary(U::Wrap, value);
                self.b.push(Stmt::ArraySet(ty, Box::new([buffer, index, value]), at));
                Vec::new()
            }
            "buffer_copy" => {
                let (to, to_at, from, from_at, count) = (next(), next(), next(), next(), next());
                let (to_at, from_at, count) = (self.index(to_at), self.index(from_at), self.index(count));
                self.b.push(Stmt::ArrayCopy(ty, ty, Box::new([to, to_at, from, from_at, count]), at));
                Vec::new()
            }
            "buffer_fill" => {
                let (buffer, from, value, count) = (next(), next(), next(), next());
                let (from, count) = (self.index(from), self.index(count));
                let value = Expr::unary(U::Wrap, value);
                self.b.push(Stmt::ArrayFill(ty, Box::new([buffer, from, value, count]), at));
                Vec::new()
            }
            "buffer_to_string" | "string_to_buffer" => vec![next()],
            _ => self.unknown(name),
        }
    }

    /// Intrinsics that depend on a type.
    fn type_intrinsic(&mut self, name: &str, ty: Ty, args: &[Expr]) -> Option<Vec<Expr>> {
        let first = || args.first().cloned().unwrap_or(Expr::I64(0));
        let error = self.cx.program.lang.error;
        Some(match name {
            "same" => {
                let parts = self.cx.parts(ty);
                let (a, b) = args.split_at(parts.len().min(args.len()));
                let mut all = Expr::I32(1);
                for (index, (&part, (a, b))) in parts.iter().zip(a.iter().zip(b)).enumerate() {
                    let (a, b) = (a.clone(), b.clone());
                    let same = match part {
                        Val::I32 => Expr::binary(B::Eq32, a, b),
                        Val::I64 => Expr::binary(B::Eq, a, b),
                        Val::F64 => Expr::binary(B::FEq, a, b),
                        // Handles can be told apart by nothing.
                        Val::Ref(Heap::Extern) | Val::Null(Heap::Extern) => Expr::I32(0),
                        _ => Expr::RefEq(Box::new([a, b])),
                    };
                    all = if index == 0 { same } else { Expr::binary(B::And32, all, same) };
                }
                vec![all]
            }
            "wire_put" => {
                self.wire_put(ty, first(), args.get(1..).unwrap_or_default().to_vec());
                Vec::new()
            }
            "wire_take" => self.wire_take(ty, first()),
            "type_id" => {
                let row = self.cx.implemented(ty, error?, &[]);
                vec![Expr::unary(U::ExtendU, Expr::Row(row))]
            }
            "dyn_is" => {
                let row = self.cx.implemented(ty, error?, &[]);
                let dynamic = self.cx.module.types.dynamic();
                let found = self.b.field(dynamic, 0, first());
                vec![Expr::binary(B::Eq32, found, Expr::Row(row))]
            }
            "dyn_get" => {
                let dynamic = self.cx.module.types.dynamic();
                let data = self.b.field(dynamic, 1, first());
                self.value_of_any(ty, data)
            }
            _ => return None,
        })
    }

    fn unknown(&mut self, name: &str) -> Vec<Expr> {
        if self.cx.errors.is_empty() {
            let message = format!("the compiler knows no intrinsic function {name}");
            let span = self.cx.module.places[self.b.at.0 as usize].span;
            self.cx.errors.push(crate::diagnostic::Diagnostic::error("F0713", span, message));
        }
        self.b.push(Stmt::Unreachable);
        Vec::new()
    }

    /// Whether a product needs more than 64 bits. What is given is stable.
    pub fn multiplication_overflows(&mut self, a: Expr, b: Expr) -> Expr {
        // Divided by one factor the product gives the other, if it is the product; the smallest number by -1 has no quotient.
        let result = self.b.variable(Val::I32);
        let zero = Expr::unary(U::Eqz, a.clone());
        let before = self.b.begin_if();
        self.b.push(Stmt::Set(result, Expr::I32(0)));
        let done = self.b.otherwise(before);
        let minus = Expr::binary(B::Eq, a.clone(), Expr::I64(-1));
        let inner_before = self.b.begin_if();
        self.b.push(Stmt::Set(result, Expr::binary(B::Eq, b.clone(), Expr::I64(i64::MIN))));
        let inner = self.b.otherwise(inner_before);
        let product = Expr::binary(B::Mul, a.clone(), b.clone());
        let quotient = Expr::Checked(CheckedOp::DivS, Box::new([product, a]), self.b.at);
        self.b.push(Stmt::Set(result, Expr::binary(B::Ne, quotient, b)));
        self.b.end_if(inner_before, minus, inner);
        self.b.end_if(before, zero, done);
        Expr::Local(result)
    }

    /// The upper 64 bits of a product of unsigned numbers. What is given is stable.
    fn high_product(&mut self, a: Expr, b: Expr) -> Expr {
        let mask = || Expr::I64(0xffff_ffff);
        let low = |value: &Expr| Expr::binary(B::And, value.clone(), mask());
        let high = |value: &Expr| Expr::binary(B::ShrU, value.clone(), Expr::I64(32));
        let [a_low, b_low, a_high, b_high] =
            [low(&a), low(&b), high(&a), high(&b)].map(|part| self.b.stable(part, Val::I64));
        let product = |a: &Expr, b: &Expr| Expr::binary(B::Mul, a.clone(), b.clone());
        let lowest = product(&a_low, &b_low);
        let carry = Expr::binary(B::Add, product(&a_high, &b_low), high_of(lowest));
        let carry = self.b.stable(carry, Val::I64);
        let middle = Expr::binary(B::Add, product(&a_low, &b_high), low(&carry));
        let top = Expr::binary(B::Add, product(&a_high, &b_high), high(&carry));
        Expr::binary(B::Add, top, high_of(middle))
    }
}

fn high_of(value: Expr) -> Expr {
    Expr::binary(B::ShrU, value, Expr::I64(32))
}

/// Whether a sum or difference needs more than 64 bits. What is given is stable.
fn overflows(add: bool, a: Expr, b: Expr) -> Expr {
    let op = if add { B::Add } else { B::Sub };
    let result = || Expr::binary(op, a.clone(), b.clone());
    // A sum has the sign of one of its terms, a difference that of the first or the opposite of the second's.
    let first = Expr::binary(B::Xor, a.clone(), result());
    let second =
        if add { Expr::binary(B::Xor, b.clone(), result()) } else { Expr::binary(B::Xor, a.clone(), b.clone()) };
    Expr::binary(B::LtS, Expr::binary(B::And, first, second), Expr::I64(0))
}
