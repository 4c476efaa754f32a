//! Expressions whose value is known, or that are written shorter.

use crate::ir::{BinaryOp as B, Callee, CheckedOp, Expr, Heap, Init, Local, Module, UnaryOp as U, Val};

/// The type of an expression's value, in a function with these locals.
pub(crate) fn type_of(module: &Module, locals: &[Val], expr: &Expr) -> Val {
    match expr {
        Expr::I32(_) | Expr::Row(_) | Expr::Index(..) | Expr::ArrayLen(..) | Expr::IsNull(_) | Expr::RefEq(_) => {
            Val::I32
        }
        Expr::I64(_) | Expr::Checked(..) => Val::I64,
        Expr::F64(_) => Val::F64,
        Expr::Null(heap) => Val::Null(*heap),
        Expr::Local(local) => locals[local.index()],
        Expr::Global(id) => module.globals[id.index()].ty,
        Expr::Unary(op, _) => match op {
            U::Eqz | U::Eqz32 | U::Wrap => Val::I32,
            U::ExtendU | U::Clz | U::Ctz | U::Popcnt | U::FTruncSatS | U::FBits => Val::I64,
            _ => Val::F64,
        },
        Expr::Binary(op, _) => match op {
            op if op.is_comparison() || op.is_32() => Val::I32,
            op if op.is_float() => Val::F64,
            _ => Val::I64,
        },
        Expr::StructNew(ty, _)
        | Expr::ArrayNew(ty, ..)
        | Expr::ArrayDefault(ty, ..)
        | Expr::ArrayFixed(ty, _)
        | Expr::ArrayData(ty, ..) => Val::Ref(Heap::Type(*ty)),
        Expr::StructGet(ty, field, ..) => module.types.field(*ty, *field).storage.unpacked(),
        Expr::ArrayGet(ty, ..) => module.types.element(*ty).storage.unpacked(),
        Expr::NonNull(value, _) => match type_of(module, locals, value) {
            Val::Null(heap) => Val::Ref(heap),
            other => other,
        },
        Expr::Cast(val, ..) => *val,
        Expr::FromExtern(_) => Val::Null(Heap::Any),
        Expr::ToExtern(_) => Val::Null(Heap::Extern),
        Expr::Call(call) => match call.callee {
            Callee::Direct(id) => module.functions[id.index()].results.first().copied().unwrap_or(Val::I32),
            Callee::Table(ty, _) => match module.types.get(ty) {
                crate::ir::TypeDef::Func(_, results) => results.first().copied().unwrap_or(Val::I32),
                _ => Val::I32,
            },
        },
    }
}

/// Makes an expression simple whose parts are as simple as they get.
pub(crate) fn fold(module: &Module, locals: &[Val], expr: &mut Expr) {
    let simpler = match expr {
        Expr::Unary(op, value) => unary(*op, value),
        Expr::Binary(op, parts) => binary(op, parts),
        Expr::Checked(op, parts, _) => checked(*op, parts),
        Expr::Index(value, _) => match &mut **value {
            Expr::I64(value @ 0..=0x7fff_ffff) => Some(Expr::I32(*value as i32)),
            Expr::Unary(U::ExtendU, inner) if is_length(inner) => Some(take(inner)),
            _ => None,
        },
        Expr::IsNull(value) => match &**value {
            Expr::Null(_) => Some(Expr::I32(1)),
            value if matches!(type_of(module, locals, value), Val::Ref(_)) && !value.traps() => Some(Expr::I32(0)),
            _ => None,
        },
        Expr::NonNull(value, _) => match type_of(module, locals, value) {
            Val::Ref(_) => Some(take(value)),
            _ => None,
        },
        Expr::Cast(val, value, at) => {
            let found = type_of(module, locals, value);
            if found == *val || (found.heap() == val.heap() && matches!(val, Val::Null(_))) {
                Some(take(value))
            } else if found.heap() == val.heap() {
                Some(Expr::NonNull(Box::new(take(value)), *at))
            } else {
                // What was a handle is one again.
                without_check(value);
                None
            }
        }
        Expr::ToExtern(value) => match &mut **value {
            Expr::FromExtern(inner) => Some(take(inner)),
            _ => None,
        },
        Expr::StructGet(_, field, object, _) => match &**object {
            Expr::Global(id) => match &module.globals[id.index()].init {
                Init::Struct(_, number) if *field == 0 => Some(Expr::I32(*number)),
                Init::Function(_, row) if *field == 0 => Some(Expr::Row(*row)),
                _ => None,
            },
            _ => None,
        },
        Expr::ArrayLen(array, _) => match &**array {
            Expr::Global(id) => match &module.globals[id.index()].init {
                Init::Bytes(text) => Some(Expr::I32(text.len() as i32)),
                _ => None,
            },
            _ => {
                without_check(array);
                None
            }
        },
        Expr::RefEq(parts) => match &**parts {
            [Expr::Local(a), Expr::Local(b)] if a == b => Some(Expr::I32(1)),
            _ => None,
        },
        _ => None,
    };
    if let Some(simpler) = simpler {
        *expr = simpler;
    }
}

/// Leaves out that a reference must not be null, where that is found out anyway.
fn without_check(value: &mut Expr) {
    if let Expr::NonNull(inner, _) = value {
        *value = take(inner);
    }
}

/// Whether a 32-bit number is below 2^31.
fn is_length(expr: &Expr) -> bool {
    match expr {
        Expr::ArrayLen(..) => true,
        Expr::I32(value) => *value >= 0,
        other => other.is_condition(),
    }
}

/// The expression, which leaves a number in its place.
pub(crate) fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::I32(0))
}

/// A simpler expression for an operation on this value, if there is one; so have those below.
fn unary(op: U, value: &mut Expr) -> Option<Expr> {
    Some(match (op, value) {
        (U::Eqz, Expr::I64(value)) => Expr::I32((*value == 0) as i32),
        (U::Eqz32, value) => take(value).negate(),
        (U::Wrap, Expr::I64(value)) => Expr::I32(*value as i32),
        (U::Wrap, Expr::Unary(U::ExtendU, inner)) => take(inner),
        (U::ExtendU, Expr::I32(value)) => Expr::I64(*value as u32 as i64),
        (U::Clz, Expr::I64(value)) => Expr::I64(value.leading_zeros() as i64),
        (U::Ctz, Expr::I64(value)) => Expr::I64(value.trailing_zeros() as i64),
        (U::Popcnt, Expr::I64(value)) => Expr::I64(value.count_ones() as i64),
        (U::FConvertS, Expr::I64(value)) => Expr::F64((*value as f64).to_bits()),
        (U::FBits, Expr::F64(bits)) => Expr::I64(*bits as i64),
        (U::FFromBits, Expr::I64(bits)) => Expr::F64(*bits as u64),
        _ => return None,
    })
}

/// The same, with the constant put on the right.
fn binary(op: &mut B, parts: &mut [Expr; 2]) -> Option<Expr> {
    match &*parts {
        [Expr::I64(x), Expr::I64(y)] => {
            if let Some(value) = constant(*op, *x, *y) {
                return Some(value);
            }
        }
        [Expr::I32(x), Expr::I32(y)] => {
            if let Some(value) = constant_32(*op, *x, *y) {
                return Some(value);
            }
        }
        [Expr::Row(x), Expr::Row(y)] => match op {
            B::Eq32 => return Some(Expr::I32((x == y) as i32)),
            B::Ne32 => return Some(Expr::I32((x != y) as i32)),
            _ => {}
        },
        [Expr::I64(_) | Expr::I32(_), _] => {
            if let Some(swapped) = swapped(*op) {
                *op = swapped;
                parts.swap(0, 1);
            }
        }
        _ => {}
    }
    let [a, b] = parts;
    Some(match (*op, a, &*b) {
        (B::Add | B::Sub | B::Or | B::Xor | B::Shl | B::ShrS | B::ShrU, a, Expr::I64(0)) => take(a),
        (B::Mul, a, Expr::I64(1)) | (B::And, a, Expr::I64(-1)) => take(a),
        (B::Add32 | B::Sub32 | B::Or32 | B::Xor32, a, Expr::I32(0)) => take(a),
        (B::And32, a, Expr::I32(1)) if a.is_condition() => take(a),
        (B::And32, a, Expr::I32(0)) if !a.traps() => Expr::I32(0),
        (B::Or32, a, Expr::I32(1)) if a.is_condition() && !a.traps() => Expr::I32(1),
        (B::Eq | B::Ne, Expr::Unary(U::ExtendU, x), Expr::Unary(U::ExtendU, y)) => {
            let mut op = if *op == B::Eq { B::Eq32 } else { B::Ne32 };
            let mut parts = Box::new([take(x), (**y).clone()]);
            binary(&mut op, &mut parts).unwrap_or(Expr::Binary(op, parts))
        }
        // Whether bits at the end are missing does not depend on the sign.
        (B::Eq, Expr::Checked(CheckedOp::RemS, parts, _), Expr::I64(0)) if power_of_two(&parts[1]).is_some() => {
            let mask = power_of_two(&parts[1]).map_or(0, |bits| (1i64 << bits) - 1);
            Expr::unary(U::Eqz, Expr::binary(B::And, take(&mut parts[0]), Expr::I64(mask)))
        }
        (B::Eq, a, Expr::I64(0)) => Expr::unary(U::Eqz, take(a)),
        (B::Eq32, a, Expr::I32(0)) => take(a).negate(),
        (B::Ne32, a, Expr::I32(0)) if a.is_condition() => take(a),
        (B::Eq32, a, Expr::I32(1)) if a.is_condition() => take(a),
        (B::Ne32, a, Expr::I32(1)) if a.is_condition() => take(a).negate(),
        (B::Sub | B::Xor, Expr::Local(x), Expr::Local(y)) if x == y => Expr::I64(0),
        (B::Eq | B::LeS | B::GeS | B::LeU | B::GeU, Expr::Local(x), Expr::Local(y)) if x == y => Expr::I32(1),
        (B::Ne | B::LtS | B::GtS | B::LtU | B::GtU, Expr::Local(x), Expr::Local(y)) if x == y => Expr::I32(0),
        _ => return None,
    })
}

/// Which power of two a constant is, if it is a positive one.
pub(crate) fn power_of_two(expr: &Expr) -> Option<u32> {
    match expr {
        Expr::I64(value) if *value > 0 && value.count_ones() == 1 => Some(value.trailing_zeros()),
        _ => None,
    }
}

/// The operation that gives the same with its operands exchanged.
fn swapped(op: B) -> Option<B> {
    Some(match op {
        B::Add | B::Mul | B::And | B::Or | B::Xor | B::Eq | B::Ne => op,
        B::Add32 | B::And32 | B::Or32 | B::Xor32 | B::Eq32 | B::Ne32 => op,
        B::LtS => B::GtS,
        B::LeS => B::GeS,
        B::GtS => B::LtS,
        B::GeS => B::LeS,
        B::LtU => B::GtU,
        B::LeU => B::GeU,
        B::GtU => B::LtU,
        B::GeU => B::LeU,
        B::LtS32 => B::GtS32,
        B::LeS32 => B::GeS32,
        B::GtS32 => B::LtS32,
        B::GeS32 => B::LeS32,
        B::LtU32 => B::GtU32,
        B::LeU32 => B::GeU32,
        B::GtU32 => B::LtU32,
        B::GeU32 => B::LeU32,
        _ => return None,
    })
}

fn constant(op: B, a: i64, b: i64) -> Option<Expr> {
    let number = match op {
        B::Add => a.wrapping_add(b),
        B::Sub => a.wrapping_sub(b),
        B::Mul => a.wrapping_mul(b),
        B::And => a & b,
        B::Or => a | b,
        B::Xor => a ^ b,
        B::Shl => a.wrapping_shl(b as u32),
        B::ShrS => a.wrapping_shr(b as u32),
        B::ShrU => (a as u64).wrapping_shr(b as u32) as i64,
        B::Rotl => a.rotate_left((b & 63) as u32),
        B::Rotr => a.rotate_right((b & 63) as u32),
        _ => {
            let (x, y) = (a as u64, b as u64);
            let truth = match op {
                B::Eq => a == b,
                B::Ne => a != b,
                B::LtS => a < b,
                B::LeS => a <= b,
                B::GtS => a > b,
                B::GeS => a >= b,
                B::LtU => x < y,
                B::LeU => x <= y,
                B::GtU => x > y,
                B::GeU => x >= y,
                _ => return None,
            };
            return Some(Expr::I32(truth as i32));
        }
    };
    Some(Expr::I64(number))
}

fn constant_32(op: B, a: i32, b: i32) -> Option<Expr> {
    let (x, y) = (a as u32, b as u32);
    Some(Expr::I32(match op {
        B::Add32 => a.wrapping_add(b),
        B::Sub32 => a.wrapping_sub(b),
        B::And32 => a & b,
        B::Or32 => a | b,
        B::Xor32 => a ^ b,
        B::Eq32 => (a == b) as i32,
        B::Ne32 => (a != b) as i32,
        B::LtS32 => (a < b) as i32,
        B::LeS32 => (a <= b) as i32,
        B::GtS32 => (a > b) as i32,
        B::GeS32 => (a >= b) as i32,
        B::LtU32 => (x < y) as i32,
        B::LeU32 => (x <= y) as i32,
        B::GtU32 => (x > y) as i32,
        B::GeU32 => (x >= y) as i32,
        _ => return None,
    }))
}

fn checked(op: CheckedOp, parts: &mut [Expr; 2]) -> Option<Expr> {
    if let [Expr::I64(x), Expr::I64(y)] = *parts {
        let value = match op {
            CheckedOp::Add => x.checked_add(y),
            CheckedOp::Sub => x.checked_sub(y),
            CheckedOp::Mul => x.checked_mul(y),
            CheckedOp::DivS => x.checked_div(y),
            CheckedOp::RemS => x.checked_rem(y),
            CheckedOp::Shl => (0..64).contains(&y).then(|| x << y),
            CheckedOp::ShrS => (0..64).contains(&y).then(|| x >> y),
            CheckedOp::DivU | CheckedOp::RemU => None,
        };
        if let Some(value) = value {
            return Some(Expr::I64(value));
        }
    }
    let [a, b] = parts;
    Some(match (op, &*a, &*b) {
        (CheckedOp::Add | CheckedOp::Sub, _, Expr::I64(0)) | (CheckedOp::Mul | CheckedOp::DivS, _, Expr::I64(1)) => {
            take(a)
        }
        (CheckedOp::Add, Expr::I64(0), _) | (CheckedOp::Mul, Expr::I64(1), _) => take(b),
        (CheckedOp::Add | CheckedOp::Mul, Expr::I64(_), other) if !matches!(other, Expr::I64(_)) => {
            std::mem::swap(a, b);
            return None;
        }
        (CheckedOp::Shl, _, &Expr::I64(bits @ 0..=63)) => Expr::binary(B::Shl, take(a), Expr::I64(bits)),
        (CheckedOp::ShrS, _, &Expr::I64(bits @ 0..=63)) => Expr::binary(B::ShrS, take(a), Expr::I64(bits)),
        (CheckedOp::DivU, _, &Expr::I64(value)) if value > 0 && value.count_ones() == 1 => {
            Expr::binary(B::ShrU, take(a), Expr::I64(value.trailing_zeros() as i64))
        }
        (CheckedOp::RemU, _, &Expr::I64(value)) if value > 0 && value.count_ones() == 1 => {
            Expr::binary(B::And, take(a), Expr::I64(value - 1))
        }
        _ => return None,
    })
}

/// Whether a condition is known where a local has this value.
pub(crate) fn decide(module: &Module, locals: &[Val], condition: &Expr, local: Local, value: &Known) -> Option<bool> {
    match (condition, value) {
        (Expr::IsNull(inner), Known::NonNull) if **inner == Expr::Local(local) => return Some(false),
        (Expr::Unary(U::Eqz32, inner), _) => return decide(module, locals, inner, local, value).map(|known| !known),
        _ => {}
    }
    let Known::Value(value) = value else { return None };
    let mut condition = condition.clone();
    put(module, locals, &mut condition, local, value);
    match condition {
        Expr::I32(value) => Some(value != 0),
        _ => None,
    }
}

/// Puts a value in the place of a local.
fn put(module: &Module, locals: &[Val], expr: &mut Expr, local: Local, value: &Expr) {
    if *expr == Expr::Local(local) {
        *expr = value.clone();
    } else {
        expr.each_mut(&mut |part| put(module, locals, part, local, value));
        fold(module, locals, expr);
    }
}

/// What is known of a local somewhere.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Known {
    /// Its value: a constant.
    Value(Expr),
    /// It is not null.
    NonNull,
}
