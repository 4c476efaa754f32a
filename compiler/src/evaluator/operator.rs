//! Operators of numbers, truth values, characters and texts.

use std::cmp::Ordering;

use super::PanicKind;
use super::machine::{Eval, Machine};
use super::value::Value;
use crate::typed::{BinaryOp, UnaryOp};

impl<'p> Machine<'p> {
    pub(super) fn unary(&self, op: UnaryOp, value: &Value<'p>) -> Eval<'p> {
        Ok(match (op, value) {
            (UnaryOp::Neg, Value::Int(n)) => match n.checked_neg() {
                Some(n) => Value::Int(n),
                None => return self.overflow(),
            },
            (UnaryOp::Neg, Value::Float(x)) => Value::Float(-x),
            (UnaryOp::Not, Value::Bool(b)) => Value::Bool(!b),
            (UnaryOp::BitNot, Value::Int(n)) => Value::Int(!n),
            (op, value) => unreachable!("{op:?} of {value:?}"),
        })
    }

    fn overflow(&self) -> Eval<'p> {
        self.panic(PanicKind::Overflow, "integer overflow")
    }

    pub(super) fn binary_values(&self, op: BinaryOp, left: &Value<'p>, right: &Value<'p>) -> Eval<'p> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => self.ints(op, *a, *b),
            (Value::Float(a), Value::Float(b)) => Ok(floats(op, *a, *b)),
            (Value::Bool(a), Value::Bool(b)) => Ok(match op {
                BinaryOp::BitAnd => Value::Bool(a & b),
                BinaryOp::BitOr => Value::Bool(a | b),
                BinaryOp::BitXor => Value::Bool(a ^ b),
                _ => compared(op, Some(a.cmp(b))),
            }),
            (Value::Char(a), Value::Char(b)) => Ok(compared(op, Some(a.cmp(b)))),
            (Value::Bytes(_), Value::Bytes(_)) => {
                let (mut a, b) = (left.to_vec(), right.to_vec());
                if op == BinaryOp::Add {
                    a.extend(b);
                    return Ok(Value::bytes(&a));
                }
                Ok(compared(op, Some(a.cmp(&b))))
            }
            (left, right) => unreachable!("{op:?} of {left:?} and {right:?}"),
        }
    }

    fn ints(&self, op: BinaryOp, a: i64, b: i64) -> Eval<'p> {
        let checked = match op {
            BinaryOp::Add => a.checked_add(b),
            BinaryOp::Sub => a.checked_sub(b),
            BinaryOp::Mul => a.checked_mul(b),
            BinaryOp::Div | BinaryOp::Rem if b == 0 => return self.panic(PanicKind::Division, "division by zero"),
            BinaryOp::Div => a.checked_div(b),
            // The smallest Int by -1 leaves nothing, though the quotient does not fit.
            BinaryOp::Rem => Some(a.wrapping_rem(b)),
            BinaryOp::BitAnd => Some(a & b),
            BinaryOp::BitOr => Some(a | b),
            BinaryOp::BitXor => Some(a ^ b),
            BinaryOp::Shl | BinaryOp::Shr if !(0..64).contains(&b) => {
                return self.panic(PanicKind::Shift, "shift by a number that is not in 0..=63");
            }
            BinaryOp::Shl => Some(a << b),
            BinaryOp::Shr => Some(a >> b),
            _ => return Ok(compared(op, Some(a.cmp(&b)))),
        };
        match checked {
            Some(n) => Ok(Value::Int(n)),
            None => self.overflow(),
        }
    }
}

fn floats<'p>(op: BinaryOp, a: f64, b: f64) -> Value<'p> {
    Value::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Rem => a % b,
        _ => return compared(op, a.partial_cmp(&b)),
    })
}

/// A comparison; what has no order (NaN) is only unequal.
fn compared<'p>(op: BinaryOp, order: Option<Ordering>) -> Value<'p> {
    let holds = |test: fn(Ordering) -> bool| order.is_some_and(test);
    Value::Bool(match op {
        BinaryOp::Eq => holds(Ordering::is_eq),
        BinaryOp::Ne => !holds(Ordering::is_eq),
        BinaryOp::Lt => holds(Ordering::is_lt),
        BinaryOp::Le => holds(Ordering::is_le),
        BinaryOp::Gt => holds(Ordering::is_gt),
        BinaryOp::Ge => holds(Ordering::is_ge),
        other => unreachable!("{other:?} is no comparison"),
    })
}
