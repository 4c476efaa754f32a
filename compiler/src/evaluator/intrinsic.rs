//! Functions whose code the compiler makes.

use super::PanicKind;
use super::machine::{EnvId, Eval, Machine};
use super::value::Value;
use crate::typed::{Ty, TyKind};

impl<'p> Machine<'p> {
    /// Calls an intrinsic by its name.
    pub(super) fn intrinsic(&mut self, name: &str, env: EnvId, args: &[Value<'p>]) -> Eval<'p> {
        match name.split_once('_') {
            Some(("array", what)) => self.array(what, env, args),
            Some(("buffer" | "string", _)) => self.buffer(name, args),
            Some(("int", what)) => self.int(what, args),
            Some(("float", what)) => Ok(float(what, args)),
            _ => self.other(name, env, args),
        }
    }

    fn out_of_range<T>(&self) -> Eval<'p, T> {
        self.panic(PanicKind::Array, "index out of range")
    }

    /// A range of an array or buffer of some length.
    fn range(&self, length: usize, at: &Value<'p>, count: &Value<'p>) -> Eval<'p, std::ops::Range<usize>> {
        let (at, count) = (at.int(), count.int());
        match at.checked_add(count) {
            Some(end) if at >= 0 && count >= 0 && end <= length as i64 => Ok(at as usize..end as usize),
            _ => self.out_of_range(),
        }
    }

    fn new_length(&self, length: &Value<'p>) -> Eval<'p, usize> {
        match usize::try_from(length.int()) {
            Ok(length) if length <= 1 << 26 => Ok(length),
            _ => self.panic(PanicKind::Array, "an array of this length cannot be made"),
        }
    }

    /// What an element is that was never set.
    fn unset(&self, element: Ty) -> Option<Value<'p>> {
        match self.types.kind(element) {
            TyKind::Int => Some(Value::Int(0)),
            TyKind::Float => Some(Value::Float(0.0)),
            TyKind::Bool => Some(Value::Bool(false)),
            TyKind::Char => Some(Value::Char(0)),
            _ => None,
        }
    }

    fn array(&mut self, what: &str, env: EnvId, args: &[Value<'p>]) -> Eval<'p> {
        let element = self.args(env)[0];
        let array = |value: &Value<'p>| value.as_array().clone();
        Ok(match what {
            "new" => {
                let length = self.new_length(&args[0])?;
                Value::array(std::iter::repeat_n(Some(args[1].clone()), length))
            }
            "empty" => {
                let length = self.new_length(&args[0])?;
                Value::array(std::iter::repeat_n(self.unset(element), length))
            }
            "length" => Value::Int(array(&args[0]).len() as i64),
            "get" => {
                let array = array(&args[0]);
                let range = self.range(array.len(), &args[1], &Value::Int(1))?;
                match &*array[range.start].borrow() {
                    Some(value) => value.clone(),
                    None => return self.panic(PanicKind::Array, "an element that was never set"),
                }
            }
            "set" => {
                let array = array(&args[0]);
                let range = self.range(array.len(), &args[1], &Value::Int(1))?;
                *array[range.start].borrow_mut() = Some(args[2].clone());
                Value::unit()
            }
            "copy" => {
                let (to, from) = (array(&args[0]), array(&args[2]));
                let to_range = self.range(to.len(), &args[1], &args[4])?;
                let from_range = self.range(from.len(), &args[3], &args[4])?;
                let values: Vec<_> = from[from_range].iter().map(|element| element.borrow().clone()).collect();
                for (place, value) in to[to_range].iter().zip(values) {
                    *place.borrow_mut() = value;
                }
                Value::unit()
            }
            "fill" | "clear" => {
                let (value, count) = match what {
                    "fill" => (Some(args[2].clone()), &args[3]),
                    _ => (self.unset(element), &args[2]),
                };
                let array = array(&args[0]);
                let range = self.range(array.len(), &args[1], count)?;
                for place in &array[range] {
                    *place.borrow_mut() = value.clone();
                }
                Value::unit()
            }
            other => unreachable!("array_{other}"),
        })
    }

    fn buffer(&mut self, name: &str, args: &[Value<'p>]) -> Eval<'p> {
        Ok(match name {
            "buffer_new" => Value::bytes(&vec![0; self.new_length(&args[0])?]),
            "buffer_length" | "string_length" => Value::Int(args[0].as_bytes().len() as i64),
            "buffer_get" | "string_byte" => {
                let bytes = args[0].as_bytes();
                let range = self.range(bytes.len(), &args[1], &Value::Int(1))?;
                Value::Int(i64::from(bytes[range.start].get()))
            }
            "buffer_set" => {
                let bytes = args[0].as_bytes();
                let range = self.range(bytes.len(), &args[1], &Value::Int(1))?;
                bytes[range.start].set(args[2].int() as u8);
                Value::unit()
            }
            "buffer_copy" => {
                let (to, from) = (args[0].as_bytes(), args[2].as_bytes());
                let to_range = self.range(to.len(), &args[1], &args[4])?;
                let from_range = self.range(from.len(), &args[3], &args[4])?;
                let values: Vec<u8> = from[from_range].iter().map(std::cell::Cell::get).collect();
                for (place, value) in to[to_range].iter().zip(values) {
                    place.set(value);
                }
                Value::unit()
            }
            "buffer_fill" => {
                let bytes = args[0].as_bytes();
                let range = self.range(bytes.len(), &args[1], &args[3])?;
                for place in &bytes[range] {
                    place.set(args[2].int() as u8);
                }
                Value::unit()
            }
            "buffer_to_string" | "string_to_buffer" => args[0].clone(),
            other => unreachable!("{other}"),
        })
    }

    fn int(&mut self, what: &str, args: &[Value<'p>]) -> Eval<'p> {
        let a = args[0].int();
        let b = args.get(1).map_or(0, Value::int);
        let divides = matches!(what, "div" | "rem" | "udiv" | "urem");
        if divides && b == 0 {
            return self.panic(PanicKind::Division, "division by zero");
        }
        Ok(Value::Int(match what {
            "wrapping_add" => a.wrapping_add(b),
            "wrapping_sub" => a.wrapping_sub(b),
            "wrapping_mul" => a.wrapping_mul(b),
            "add_overflows" => return Ok(Value::Bool(a.checked_add(b).is_none())),
            "sub_overflows" => return Ok(Value::Bool(a.checked_sub(b).is_none())),
            "mul_overflows" => return Ok(Value::Bool(a.checked_mul(b).is_none())),
            "mul_high_u" => ((u128::from(a as u64) * u128::from(b as u64)) >> 64) as i64,
            "shl" => a.wrapping_shl(b as u32),
            "shr" => a.wrapping_shr(b as u32),
            "ushr" => (a as u64).wrapping_shr(b as u32) as i64,
            "rotl" => a.rotate_left((b & 63) as u32),
            "rotr" => a.rotate_right((b & 63) as u32),
            "clz" => i64::from(a.leading_zeros()),
            "ctz" => i64::from(a.trailing_zeros()),
            "popcnt" => i64::from(a.count_ones()),
            "udiv" => (a as u64 / b as u64) as i64,
            "urem" => (a as u64 % b as u64) as i64,
            "ult" => return Ok(Value::Bool((a as u64) < b as u64)),
            "div" => match a.checked_div(b) {
                Some(n) => n,
                None => return self.panic(PanicKind::Overflow, "integer overflow"),
            },
            "rem" => a.wrapping_rem(b),
            "to_float" => return Ok(Value::Float(a as f64)),
            "to_float_unsigned" => return Ok(Value::Float(a as u64 as f64)),
            other => unreachable!("int_{other}"),
        }))
    }

    fn other(&mut self, name: &str, env: EnvId, args: &[Value<'p>]) -> Eval<'p> {
        Ok(match (name, args.first()) {
            ("char_to_int", Some(Value::Char(c))) => Value::Int(i64::from(*c)),
            ("char_from_int", Some(code)) => Value::Char(code.int() as u32),
            ("bool_to_int", Some(Value::Bool(b))) => Value::Int(i64::from(*b)),
            ("same", Some(a)) => Value::Bool(same(a, &args[1])),
            ("type_id", None) => {
                let ty = self.args(env)[0];
                let index = self.type_ids.iter().position(|&known| known == ty).unwrap_or_else(|| {
                    self.type_ids.push(ty);
                    self.type_ids.len() - 1
                });
                Value::Int(index as i64)
            }
            ("dyn_is", Some(Value::Dyn(value))) => Value::Bool(value.0 == self.args(env)[0]),
            ("dyn_get", Some(Value::Dyn(value))) => value.1.clone(),
            ("unreachable", None) => return self.panic(PanicKind::Unreachable, "unreachable"),
            (other, _) => unreachable!("{other}"),
        })
    }
}

fn float<'p>(what: &str, args: &[Value<'p>]) -> Value<'p> {
    if what == "from_bits" {
        return Value::Float(f64::from_bits(args[0].int() as u64));
    }
    let a = args[0].float();
    let b = args.get(1).map_or(0.0, Value::float);
    Value::Float(match what {
        "to_int" => return Value::Int(a as i64),
        "bits" => return Value::Int(a.to_bits() as i64),
        "abs" => a.abs(),
        "floor" => a.floor(),
        "ceil" => a.ceil(),
        "trunc" => a.trunc(),
        "nearest" => a.round_ties_even(),
        "sqrt" => a.sqrt(),
        "copysign" => a.copysign(b),
        // As WebAssembly has it: NaN if one is, and -0 below 0.
        "min" | "max" if a.is_nan() || b.is_nan() => f64::NAN,
        "min" if a == b => f64::from_bits(a.to_bits() | b.to_bits()),
        "max" if a == b => f64::from_bits(a.to_bits() & b.to_bits()),
        "min" => a.min(b),
        "max" => a.max(b),
        other => unreachable!("float_{other}"),
    })
}

/// Whether two values are one object, or equal where they are none.
fn same<'p>(a: &Value<'p>, b: &Value<'p>) -> bool {
    use std::rc::Rc;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Char(a), Value::Char(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => Rc::ptr_eq(a, b),
        (Value::Array(a), Value::Array(b)) => Rc::ptr_eq(a, b),
        (Value::Record(a), Value::Record(b)) => Rc::ptr_eq(a, b),
        (Value::Function(a), Value::Function(b)) => Rc::ptr_eq(a, b),
        (Value::Dyn(a), Value::Dyn(b)) => a.0 == b.0 && same(&a.1, &b.1),
        (Value::Tuple(a), Value::Tuple(b)) => a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Variant(_, x, a), Value::Variant(_, y, b)) => x == y && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Extern(a), Value::Extern(b)) => a == b,
        _ => false,
    }
}
