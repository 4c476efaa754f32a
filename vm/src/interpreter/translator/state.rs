//! Globals, tables, references, memory size and bulk operations.

use wasmparser::Operator;

use super::Translator;
use super::operands::{Place, Src, operand};
use crate::interpreter::dispatch::Handler;
use crate::interpreter::handlers::Pair;
use crate::interpreter::handlers::scalar::From;
use crate::interpreter::handlers::state::*;
use crate::interpreter::value::{Acc, Imm, Slot, ToAcc, ToSlot, V128};
use crate::module::GlobalIndex;
use crate::types::ValType;

/// Picks the instance of a generic handler by type and source.
macro_rules! by_source {
    ($handler:ident, $ty:ty, $src:expr) => {
        match $src.from() {
            From::Slot => $handler::<$ty, Slot>,
            From::Acc => $handler::<$ty, Acc>,
            From::Imm => $handler::<$ty, Imm>,
        }
    };
}

macro_rules! by_target {
    ($handler:ident, $ty:ty) => {
        Pair { slot: $handler::<$ty, ToSlot>, acc: $handler::<$ty, ToAcc> }
    };
}

impl<'a> Translator<'a> {
    /// Translates an operator of this group; whether it was one.
    pub fn state(&mut self, operator: &Operator<'a>) -> bool {
        match *operator {
            Operator::GlobalGet { global_index } => self.global_get(global_index),
            Operator::GlobalSet { global_index } => self.global_set(global_index),
            Operator::RefNull { hty } => {
                self.operands.push(ValType::of_heap(hty), Place::Const(0));
            }
            Operator::RefIsNull => self.is_null(),
            Operator::RefFunc { function_index } => {
                let at = self.layout.function(function_index);
                let pair = Pair { slot: ref_func::<ToSlot>, acc: ref_func::<ToAcc> };
                self.produce("ref.func", pair, ValType::FuncRef, &[], &[at]);
            }
            Operator::TableGet { table } => {
                let (index, _) = self.operands.pop(&mut self.emitter);
                let index = self.in_slot(ValType::I32, index);
                let at = self.layout.table(table);
                let pair = match index {
                    Src::Acc => Pair { slot: table_get::<Acc, ToSlot>, acc: table_get::<Acc, ToAcc> },
                    _ => Pair { slot: table_get::<Slot, ToSlot>, acc: table_get::<Slot, ToAcc> },
                };
                self.emitter.locate(self.offset);
                let to = self.operands.top;
                let place = self.emitter.emit("table.get", pair.slot, &[to, at]);
                operand(&mut self.emitter, ValType::I32, index);
                self.push_result(self.module.tables[table as usize].element, place, pair.acc);
            }
            Operator::TableSet { table } => {
                let value = self.operands.pop_slot(&mut self.emitter);
                let index = self.operands.pop_slot(&mut self.emitter);
                self.emitter.locate(self.offset);
                self.emitter.emit("table.set", table_set, &[self.layout.table(table), index, value]);
            }
            Operator::TableSize { table } => {
                let pair = Pair { slot: table_size::<ToSlot>, acc: table_size::<ToAcc> };
                self.produce("table.size", pair, ValType::I32, &[], &[self.layout.table(table)]);
            }
            Operator::MemorySize { mem } => {
                let pair = Pair { slot: memory_size::<ToSlot>, acc: memory_size::<ToAcc> };
                self.produce("memory.size", pair, ValType::I32, &[], &[self.layout.memory(mem)]);
            }
            Operator::MemoryGrow { mem } => self.bulk("memory.grow", bulk::<MemoryGrow>, [mem, 0], 1, true),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                self.bulk("memory.copy", bulk::<MemoryCopy>, [dst_mem, src_mem], 3, false);
            }
            Operator::MemoryFill { mem } => self.bulk("memory.fill", bulk::<MemoryFill>, [mem, 0], 3, false),
            Operator::MemoryInit { data_index, mem } => {
                self.bulk("memory.init", bulk::<MemoryInit>, [mem, data_index], 3, false);
            }
            Operator::DataDrop { data_index } => self.bulk("data.drop", bulk::<DataDrop>, [data_index, 0], 0, false),
            Operator::TableGrow { table } => self.bulk("table.grow", bulk::<TableGrow>, [table, 0], 2, true),
            Operator::TableFill { table } => self.bulk("table.fill", bulk::<TableFill>, [table, 0], 3, false),
            Operator::TableCopy { dst_table, src_table } => {
                self.bulk("table.copy", bulk::<TableCopy>, [dst_table, src_table], 3, false);
            }
            Operator::TableInit { elem_index, table } => {
                self.bulk("table.init", bulk::<TableInit>, [table, elem_index], 3, false);
            }
            Operator::ElemDrop { elem_index } => self.bulk("elem.drop", bulk::<ElemDrop>, [elem_index, 0], 0, false),
            _ => return self.call(operator),
        }
        true
    }

    fn global_get(&mut self, index: u32) {
        let ty = self.module.globals[index as usize].value;
        let near = self.module.is_global_inline(GlobalIndex(index));
        let pair = match (ty, near) {
            (ValType::I32, true) => by_target!(global_get, u32),
            (ValType::F32, true) => by_target!(global_get, f32),
            (ValType::F64, true) => by_target!(global_get, f64),
            (ValType::V128, true) => by_target!(global_get, V128),
            (_, true) => by_target!(global_get, u64),
            (ValType::I32, false) => by_target!(global_get_far, u32),
            (ValType::F32, false) => by_target!(global_get_far, f32),
            (ValType::F64, false) => by_target!(global_get_far, f64),
            (ValType::V128, false) => by_target!(global_get_far, V128),
            (_, false) => by_target!(global_get_far, u64),
        };
        self.produce("global.get", pair, ty, &[], &[self.layout.global(index)]);
    }

    fn global_set(&mut self, index: u32) {
        let near = self.module.is_global_inline(GlobalIndex(index));
        let (src, ty) = self.operands.pop(&mut self.emitter);
        let handler: Handler = match (ty, near) {
            (ValType::I32, true) => by_source!(global_set, u32, src),
            (ValType::F32, true) => by_source!(global_set, f32, src),
            (ValType::F64, true) => by_source!(global_set, f64, src),
            (ValType::V128, true) => by_source!(global_set, V128, src),
            (_, true) => by_source!(global_set, u64, src),
            (ValType::I32, false) => by_source!(global_set_far, u32, src),
            (ValType::F32, false) => by_source!(global_set_far, f32, src),
            (ValType::F64, false) => by_source!(global_set_far, f64, src),
            (ValType::V128, false) => by_source!(global_set_far, V128, src),
            (_, false) => by_source!(global_set_far, u64, src),
        };
        self.emitter.emit("global.set", handler, &[self.layout.global(index)]);
        operand(&mut self.emitter, ty, src);
    }

    /// `ref.is_null`: both kinds of references are zero when null.
    fn is_null(&mut self) {
        self.numeric(&Operator::I64Eqz);
    }

    /// A bulk operation over some operands; a result goes to its own slot only.
    fn bulk(&mut self, name: &'static str, handler: Handler, index: [u32; 2], operands: usize, result: bool) {
        let mut slots = [0; 3];
        for slot in slots[..operands].iter_mut().rev() {
            *slot = self.operands.pop_slot(&mut self.emitter);
        }
        self.emitter.locate(self.offset);
        let to = self.operands.top;
        let [a, b, c] = slots;
        self.emitter.emit(name, handler, &[to, index[0], index[1], a, b, c]);
        if result {
            self.operands.push(ValType::I32, Place::Own);
        }
    }
}
