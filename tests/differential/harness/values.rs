//! Instructions that make values: numbers that are likely to find an edge, and objects with contents.

use pinfold_vm::api::ValType as Type;
use wasm_encoder::{AbstractHeapType, FieldType, HeapType, Instruction, RefType, StorageType, ValType};

use super::shape::{Composite, Shape};
use crate::random::Random;
use crate::value::Value;

/// How deep objects lie in one another.
pub const DEPTH: u32 = 2;

/// Where values come from.
pub struct Source<'a> {
    pub shape: &'a Shape,
    /// Functions to refer to, and their types.
    pub funcs: &'a [(u32, u32)],
    /// The function that makes a host value of an `i32`; none where only constant instructions are allowed.
    pub host_value: Option<u32>,
}

impl Source<'_> {
    /// Leaves a value of a type. `None`: there is no value of it, or none that is easily made.
    pub fn push(&self, ty: ValType, depth: u32, random: &mut Random) -> Option<Vec<Instruction<'static>>> {
        let number = match ty {
            ValType::I32 => Type::I32,
            ValType::I64 => Type::I64,
            ValType::F32 => Type::F32,
            ValType::F64 => Type::F64,
            ValType::V128 => Type::V128,
            ValType::Ref(ty) => return self.reference(ty, depth, random),
        };
        Some(vec![match Value::random(number, random) {
            Value::I32(v) => Instruction::I32Const(v as i32),
            Value::I64(v) => Instruction::I64Const(v as i64),
            Value::F32(v) => Instruction::F32Const(f32::from_bits(v).into()),
            Value::F64(v) => Instruction::F64Const(f64::from_bits(v).into()),
            Value::V128(v) => Instruction::V128Const(v as i128),
            _ => unreachable!("the type is none of a reference"),
        }])
    }

    fn reference(&self, ty: RefType, depth: u32, random: &mut Random) -> Option<Vec<Instruction<'static>>> {
        let null = ty.nullable.then(|| vec![Instruction::RefNull(ty.heap_type)]);
        if null.is_some() && random.one_in(4) {
            return null;
        }
        let there = match self.shape.family(ty) {
            AbstractHeapType::Func => self.function(ty.heap_type, random),
            AbstractHeapType::Extern => self.host(ty.heap_type, depth, random),
            AbstractHeapType::Exn => None,
            _ => self.object(ty.heap_type, depth, random),
        };
        there.or(null)
    }

    fn function(&self, ty: HeapType, random: &mut Random) -> Option<Vec<Instruction<'static>>> {
        let fitting: Vec<u32> =
            self.funcs.iter().filter(|(_, func)| self.shape.is_of(*func, ty)).map(|(index, _)| *index).collect();
        (!fitting.is_empty()).then(|| vec![Instruction::RefFunc(*random.pick(&fitting))])
    }

    fn host(&self, ty: HeapType, depth: u32, random: &mut Random) -> Option<Vec<Instruction<'static>>> {
        if ty != HeapType::EXTERN {
            return None;
        }
        if let Some(func) = self.host_value.filter(|_| !random.one_in(3)) {
            return Some(vec![Instruction::I32Const(random.below(5) as i32), Instruction::Call(func)]);
        }
        let mut made = self.object(HeapType::ANY, depth, random)?;
        made.push(Instruction::ExternConvertAny);
        Some(made)
    }

    fn object(&self, ty: HeapType, depth: u32, random: &mut Random) -> Option<Vec<Instruction<'static>>> {
        let small = matches!(
            ty,
            HeapType::Abstract { ty: AbstractHeapType::Any | AbstractHeapType::Eq | AbstractHeapType::I31, .. }
        );
        let types = &self.shape.types;
        let fitting: Vec<u32> = (0..types.len() as u32)
            .filter(|index| {
                !matches!(types[*index as usize].composite, Composite::Func(..)) && self.shape.is_of(*index, ty)
            })
            .collect();
        if small && (depth == 0 || fitting.is_empty() || random.one_in(3)) {
            let Value::I32(v) = Value::random(Type::I32, random) else { return None };
            return Some(vec![Instruction::I32Const(v as i32), Instruction::RefI31]);
        }
        if depth == 0 || fitting.is_empty() {
            return None;
        }
        let index = *random.pick(&fitting);
        let mut made = Vec::new();
        match &types[index as usize].composite {
            Composite::Struct(fields) => {
                for field in fields {
                    made.extend(self.field(field, depth - 1, random)?);
                }
                made.push(Instruction::StructNew(index));
            }
            Composite::Array(field) => {
                let len = random.below(4) as u32;
                for _ in 0..len {
                    made.extend(self.field(field, depth - 1, random)?);
                }
                made.push(Instruction::ArrayNewFixed { array_type_index: index, array_size: len });
            }
            Composite::Func(..) => return None,
        }
        Some(made)
    }

    fn field(&self, field: &FieldType, depth: u32, random: &mut Random) -> Option<Vec<Instruction<'static>>> {
        let ty = match field.element_type {
            StorageType::I8 | StorageType::I16 => ValType::I32,
            StorageType::Val(ty) => ty,
        };
        self.push(ty, depth, random)
    }
}
