//! Calls.

use wasmparser::Operator;

use super::Translator;
use super::operands::{Held, Place, Src, bank, operand};
use crate::interpreter::dispatch::Handler;
use crate::interpreter::handlers::calls;
use crate::interpreter::handlers::scalar::From;
use crate::interpreter::value::{Acc, Bank, Slot};
use crate::module::{FuncIndex, TypeIndex};
use crate::types::{FuncType, ValType};

impl<'a> Translator<'a> {
    /// Translates a call; whether it was one.
    pub fn call(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::Call { function_index } => {
                let func = FuncIndex(function_index);
                let module = self.module;
                let ty = module.func_type(func);
                let distance = self.arguments(ty);
                self.emitter.locate(self.offset);
                self.safepoint(self.operands.len() - ty.params().len());
                match module.defined(func) {
                    Some(defined) => self.emitter.emit("call", calls::call, &[defined.0, distance]),
                    None => {
                        let at = self.layout.function(function_index);
                        self.emitter.emit("call_import", calls::call_import, &[at, distance])
                    }
                };
                self.results(ty);
            }
            Operator::CallIndirect { type_index, table_index } => {
                let module = self.module;
                let ty = module.func_type_at(TypeIndex(type_index));
                let (index, index_ty) = self.index();
                let distance = self.arguments(ty);
                let handler: Handler = match (index.from(), index_ty) {
                    (From::Acc, ValType::I64) => calls::call_indirect::<u64, Acc>,
                    (_, ValType::I64) => calls::call_indirect::<u64, Slot>,
                    (From::Acc, _) => calls::call_indirect::<u32, Acc>,
                    _ => calls::call_indirect::<u32, Slot>,
                };
                self.safepoint(self.operands.len() - ty.params().len());
                self.indirect("call_indirect", handler, type_index, table_index, (index, index_ty));
                self.emitter.words.push(distance);
                self.results(ty);
            }
            Operator::CallRef { type_index } => {
                let module = self.module;
                let ty = module.func_type_at(TypeIndex(type_index));
                let func = self.operands.pop_slot(&mut self.emitter);
                let distance = self.arguments(ty);
                self.emitter.locate(self.offset);
                self.safepoint(self.operands.len() - ty.params().len());
                self.emitter.emit("call_ref", calls::call_ref, &[func, distance]);
                self.results(ty);
            }
            Operator::ReturnCallRef { type_index } => {
                let module = self.module;
                let ty = module.func_type_at(TypeIndex(type_index));
                let func = self.operands.pop_slot(&mut self.emitter);
                let distance = self.arguments(ty);
                self.emitter.locate(self.offset);
                self.safepoint(0);
                self.emitter.emit("return_call_ref", calls::return_call_ref, &[func]);
                self.tail(ty, distance);
            }
            Operator::ReturnCall { function_index } => {
                let module = self.module;
                let ty = module.func_type(FuncIndex(function_index));
                let distance = self.arguments(ty);
                self.emitter.locate(self.offset);
                let at = self.layout.function(function_index);
                self.safepoint(0);
                self.emitter.emit("return_call", calls::return_call, &[at]);
                self.tail(ty, distance);
            }
            Operator::ReturnCallIndirect { type_index, table_index } => {
                let module = self.module;
                let ty = module.func_type_at(TypeIndex(type_index));
                let (index, index_ty) = self.index();
                let distance = self.arguments(ty);
                let handler: Handler = match (index.from(), index_ty) {
                    (From::Acc, ValType::I64) => calls::return_call_indirect::<u64, Acc>,
                    (_, ValType::I64) => calls::return_call_indirect::<u64, Slot>,
                    (From::Acc, _) => calls::return_call_indirect::<u32, Acc>,
                    _ => calls::return_call_indirect::<u32, Slot>,
                };
                self.safepoint(0);
                self.indirect("return_call_indirect", handler, type_index, table_index, (index, index_ty));
                self.tail(ty, distance);
            }
            _ => return false,
        }
        true
    }

    /// Pops the index of an indirect call. A constant goes to a slot above all arguments.
    fn index(&mut self) -> (Src, ValType) {
        let (src, ty) = self.operands.pop(&mut self.emitter);
        (self.in_slot(ty, src), ty)
    }

    fn indirect(&mut self, name: &'static str, handler: Handler, ty: u32, table: u32, index: (Src, ValType)) {
        self.emitter.locate(self.offset);
        let table = self.layout.table(table);
        let id = self.module.types[ty as usize].id;
        self.emitter.emit(name, handler, &[table, id.0]);
        operand(&mut self.emitter, index.1, index.0);
    }

    /// Brings the arguments to their own slots, and where a run may be written down all operands; the distance of the callee's frame.
    fn arguments(&mut self, ty: &FuncType) -> u32 {
        let first = if self.config.suspends { 0 } else { self.operands.len() - ty.params().len() };
        self.operands.settle_from(first, &mut self.emitter);
        // The callee's buffer: its results may take more room than its arguments.
        let distance = self.operands.top - ty.param_slots() as u32;
        self.operands.reserve(ty.result_slots() as u32);
        distance
    }

    /// Pops the arguments and pushes the results. A single one is also in its accumulator.
    fn results(&mut self, ty: &FuncType) {
        self.operands.truncate(self.operands.len() - ty.params().len());
        self.barrier();
        for result in ty.results() {
            self.operands.push(*result, Place::Own);
        }
        if let [result] = ty.results()
            && bank(*result) != Bank::Vector
        {
            let index = self.operands.len() - 1;
            *self.operands.held(bank(*result)) = Held { operand: Some(index), local: None, producer: None };
        }
    }

    /// The end of a tail call.
    fn tail(&mut self, ty: &FuncType, distance: u32) {
        let slots = ty.param_slots() as u32;
        self.operands.reserve(ty.result_slots() as u32);
        self.emitter.words.extend([distance, slots, self.header, ty.result_slots() as u32]);
        self.reachable = false;
    }
}
