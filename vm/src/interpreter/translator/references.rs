//! Tests and casts of references, branches on them, small integers.

use wasmparser::{HeapType, Operator};

use super::Translator;
use super::numeric::Condition;
use super::operands::{Place, Src};
use crate::interpreter::handlers::Pair;
use crate::interpreter::handlers::references::*;
use crate::interpreter::operators::{I64Eq, I64Ne};
use crate::interpreter::value::{Acc, Slot, ToAcc, ToSlot};
use crate::runtime::cast::Cast;
use crate::types::{HeapType as Heap, RefType, ValType};

impl<'a> Translator<'a> {
    /// Translates an operator of this group; whether it was one.
    pub fn references(&mut self, operator: &Operator<'a>) -> bool {
        match *operator {
            Operator::RefEq => {
                self.numeric(&Operator::I64Eq);
            }
            Operator::RefAsNonNull => {
                let slot = self.top_slot();
                self.emitter.locate(self.offset);
                self.emitter.emit("ref.as_non_null", non_null, &[slot]);
            }
            Operator::RefTestNonNull { hty } => {
                let slot = self.operands.pop_slot(&mut self.emitter);
                self.test(slot, false, hty);
            }
            Operator::RefTestNullable { hty } => {
                let slot = self.operands.pop_slot(&mut self.emitter);
                self.test(slot, true, hty);
            }
            Operator::RefCastNonNull { hty } => self.cast(false, hty),
            Operator::RefCastNullable { hty } => self.cast(true, hty),
            Operator::BrOnNull { relative_depth } => {
                let ty = self.operands.get(self.operands.len() - 1).ty;
                let slot = self.operands.pop_slot(&mut self.emitter);
                self.branch_if(relative_depth, &Condition::of::<I64Eq>(), Src::Slot(slot), Src::Imm(0));
                let place = if slot == self.operands.top { Place::Own } else { Place::Local(slot) };
                self.operands.push(ty, place);
            }
            Operator::BrOnNonNull { relative_depth } => {
                let slot = self.top_slot();
                self.branch_if(relative_depth, &Condition::of::<I64Ne>(), Src::Slot(slot), Src::Imm(0));
                self.operands.drop_top();
            }
            Operator::BrOnCast { relative_depth, to_ref_type, .. } => {
                let slot = self.top_slot();
                self.test(slot, to_ref_type.is_nullable(), to_ref_type.heap_type());
                self.br_if(relative_depth);
            }
            Operator::BrOnCastFail { relative_depth, to_ref_type, .. } => {
                let slot = self.top_slot();
                self.test(slot, to_ref_type.is_nullable(), to_ref_type.heap_type());
                self.numeric(&Operator::I32Eqz);
                self.br_if(relative_depth);
            }
            Operator::RefI31 => {
                let (src, _) = self.operands.pop(&mut self.emitter);
                let src = self.in_slot(ValType::I32, src);
                let pair = match src {
                    Src::Acc => Pair { slot: ref_i31::<Acc, ToSlot>, acc: ref_i31::<Acc, ToAcc> },
                    _ => Pair { slot: ref_i31::<Slot, ToSlot>, acc: ref_i31::<Slot, ToAcc> },
                };
                let ty = ValType::Ref(RefType::non_null(Heap::I31));
                self.produce("ref.i31", pair, ty, &[(ValType::I32, src)], &[]);
            }
            Operator::I31GetS => {
                let pair = Pair { slot: i31_get_s::<ToSlot>, acc: i31_get_s::<ToAcc> };
                self.of_reference("i31.get_s", pair);
            }
            Operator::I31GetU => {
                let pair = Pair { slot: i31_get_u::<ToSlot>, acc: i31_get_u::<ToAcc> };
                self.of_reference("i31.get_u", pair);
            }
            // References of both families look the same.
            Operator::AnyConvertExtern | Operator::ExternConvertAny => {}
            _ => return false,
        }
        true
    }

    /// The slot in which the topmost operand is, and stays.
    pub fn top_slot(&mut self) -> u32 {
        let index = self.operands.len() - 1;
        if let Place::Const(_) = self.operands.get(index).place {
            self.operands.settle(index, &mut self.emitter);
        }
        self.operands.keep_in_slot(index);
        let operand = self.operands.get(index);
        match operand.place {
            Place::Local(local) => local,
            _ => operand.slot,
        }
    }

    /// An `i32` of a reference, which may not be null.
    pub fn of_reference(&mut self, name: &'static str, pair: Pair) {
        let slot = self.operands.pop_slot(&mut self.emitter);
        self.emitter.locate(self.offset);
        self.produce(name, pair, ValType::I32, &[], &[slot]);
    }

    /// Pushes whether the reference in a slot is of a type.
    fn test(&mut self, slot: u32, nullable: bool, ty: HeapType) {
        let [kind, id, depth] = Cast::new(self.module, nullable, ty).to_words();
        let pair = Pair { slot: ref_test::<ToSlot>, acc: ref_test::<ToAcc> };
        self.produce("ref.test", pair, ValType::I32, &[], &[slot, kind, id, depth]);
    }

    fn cast(&mut self, nullable: bool, ty: HeapType) {
        let slot = self.top_slot();
        let [kind, id, depth] = Cast::new(self.module, nullable, ty).to_words();
        self.emitter.locate(self.offset);
        self.emitter.emit("ref.cast", ref_cast, &[slot, kind, id, depth]);
    }
}
