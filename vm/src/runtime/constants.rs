//! Constant expressions, evaluated when an instance is made.

use super::context::InstanceContext;
use super::instance::Instance;
use super::objects::{self, ELEMENTS};
use super::operations::Result;
use super::store::StoreInner;
use crate::module::{ConstExpr, ConstStep, GlobalIndex, TypeIndex};
use crate::types::{StorageType, ValType};

/// Operands for which there is room from the beginning.
const MOST_ROOM: usize = 256;

/// A value on the way to the result. References wait in the store's temporaries, where the collector sees them.
#[derive(Clone, Copy)]
enum Operand {
    Bits(u128),
    Kept,
}

/// The bits of a constant expression's value.
///
/// # Safety
/// `context` is a live instance's, of which the globals before this expression are written.
pub unsafe fn evaluate(context: *mut InstanceContext, expr: &ConstExpr) -> Result<u128> {
    let steps = match expr {
        ConstExpr::Steps(steps) => &**steps,
        simple => {
            // SAFETY: by contract.
            let (bits, _) = unsafe { operand(context, simple) };
            return Ok(bits);
        }
    };
    // SAFETY: by contract.
    unsafe {
        let kept = StoreInner::of((*context).store).temporaries.len();
        let mut evaluation = Evaluation { context, stack: Vec::with_capacity(steps.len().min(MOST_ROOM)) };
        let result = steps.iter().try_for_each(|step| evaluation.step(step));
        let value = evaluation.pop();
        StoreInner::of((*context).store).temporaries.truncate(kept);
        result.map(|()| value)
    }
}

/// The bits of an operand, and whether they are a reference that the collector traces.
///
/// # Safety
/// As for [`evaluate`].
unsafe fn operand(context: *mut InstanceContext, operand: &ConstExpr) -> (u128, bool) {
    // SAFETY: by contract; a cell is 16 bytes long if it holds a vector.
    unsafe {
        let instance: &Instance = &*(*context).instance.cast();
        match *operand {
            ConstExpr::Value(bits) => (bits, false),
            ConstExpr::Null | ConstExpr::Steps(_) => (0, false),
            ConstExpr::Func(func) => (instance.func_ref(func.0) as u128, false),
            ConstExpr::Global(GlobalIndex(index)) => {
                let cell = (*instance.global_slot(index)).at;
                let ty = instance.code.module.globals[index as usize].value;
                let high = if ty == ValType::V128 { cell.add(1).read() } else { 0 };
                (u128::from(cell.read()) | u128::from(high) << 64, ty.is_traced())
            }
        }
    }
}

struct Evaluation {
    context: *mut InstanceContext,
    stack: Vec<Operand>,
}

impl Evaluation {
    fn store(&mut self) -> &mut StoreInner {
        // SAFETY: `evaluate` was given a live context.
        unsafe { StoreInner::of((*self.context).store) }
    }

    fn push(&mut self, bits: u128, traced: bool) {
        if traced {
            self.store().temporaries.push(bits as u32);
        }
        self.stack.push(if traced { Operand::Kept } else { Operand::Bits(bits) });
    }

    fn pop(&mut self) -> u128 {
        match self.stack.pop() {
            Some(Operand::Bits(bits)) => bits,
            Some(Operand::Kept) => self.store().temporaries.pop().unwrap_or(0).into(),
            None => 0,
        }
    }

    unsafe fn step(&mut self, step: &ConstStep) -> Result<()> {
        let context = self.context;
        // SAFETY: by the contract of `evaluate`; the verifier has seen the steps.
        unsafe {
            match *step {
                ConstStep::Operand(ref expr) => {
                    let (bits, traced) = operand(context, expr);
                    self.push(bits, traced);
                }
                ConstStep::I32(operator) => {
                    let (b, a) = (self.pop(), self.pop());
                    self.push(u128::from(operator.apply(a as u64, b as u64) as u32), false);
                }
                ConstStep::I64(operator) => {
                    let (b, a) = (self.pop(), self.pop());
                    self.push(operator.apply(a as u64, b as u64).into(), false);
                }
                ConstStep::I31 => {
                    let value = self.pop() as u32;
                    self.push(u128::from(value << 1 | 1), true);
                }
                ConstStep::Struct { ty, default } => self.new_struct(ty, default)?,
                ConstStep::Array(ty) => {
                    let len = self.pop() as u32;
                    let value = self.pop();
                    let array = objects::array_new(context, ty.0, value, len)?;
                    self.push(array.into(), true);
                }
                ConstStep::ArrayDefault(ty) => {
                    let len = self.pop() as u32;
                    let array = objects::array_new_default(context, ty.0, len)?;
                    self.push(array.into(), true);
                }
                ConstStep::ArrayFixed { ty, len } => self.new_array(ty, len)?,
            }
        }
        Ok(())
    }

    /// # Safety
    /// As for [`Self::step`].
    unsafe fn new_struct(&mut self, ty: TypeIndex, default: bool) -> Result<()> {
        // SAFETY: by contract; operands stay kept until they are popped, after the object was made.
        unsafe {
            let defined = (&(*(*self.context).code).module.types)[ty.index()].clone();
            let object = objects::new_struct(self.context, defined.id)?;
            for (field, at) in defined.fields().iter().zip(&defined.offsets).rev() {
                let value = if default { 0 } else { self.pop() };
                self.store().store_field(object + at, field.storage, value);
            }
            self.push(object.into(), true);
        }
        Ok(())
    }

    /// # Safety
    /// As for [`Self::step`].
    unsafe fn new_array(&mut self, ty: TypeIndex, len: u32) -> Result<()> {
        // SAFETY: as for `new_struct`.
        unsafe {
            let defined = (&(*(*self.context).code).module.types)[ty.index()].clone();
            let storage = defined.element().map_or(StorageType::I8, |element| element.storage);
            let array = objects::new_array(self.context, defined.id, len)?;
            for index in (0..len).rev() {
                let value = self.pop();
                self.store().store_field(array + ELEMENTS + index * storage.bytes(), storage, value);
            }
            self.push(array.into(), true);
        }
        Ok(())
    }
}
