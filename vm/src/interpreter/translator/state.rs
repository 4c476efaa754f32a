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
use crate::types::{AddressType, RefType, ValType};

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
    ($handler:ident, $($ty:ty),*) => {
        Pair { slot: $handler::<$($ty,)* ToSlot>, acc: $handler::<$($ty,)* ToAcc> }
    };
}

impl<'a> Translator<'a> {
    /// Translates an operator of this group; whether it was one.
    pub fn state(&mut self, operator: &Operator<'a>) -> bool {
        match *operator {
            Operator::GlobalGet { global_index } => self.global_get(global_index),
            Operator::GlobalSet { global_index } => self.global_set(global_index),
            Operator::RefNull { hty } => {
                self.operands.push(ValType::Ref(RefType::nullable(self.module.heap_type(hty))), Place::Const(0));
            }
            Operator::RefIsNull => self.is_null(),
            Operator::RefFunc { function_index } => {
                let at = self.layout.function(function_index);
                let pair = Pair { slot: ref_func::<ToSlot>, acc: ref_func::<ToAcc> };
                self.produce("ref.func", pair, ValType::FUNCREF, &[], &[at]);
            }
            Operator::TableGet { table } => {
                let (index, ty) = self.operands.pop(&mut self.emitter);
                let index = self.in_slot(ty, index);
                let at = self.layout.table(table);
                let pair = match (index, ty) {
                    (Src::Acc, ValType::I64) => by_target!(table_get, u64, Acc),
                    (_, ValType::I64) => by_target!(table_get, u64, Slot),
                    (Src::Acc, _) => by_target!(table_get, u32, Acc),
                    _ => by_target!(table_get, u32, Slot),
                };
                self.emitter.locate(self.offset);
                let to = self.operands.top;
                let place = self.emitter.emit("table.get", pair.slot, &[to, at]);
                operand(&mut self.emitter, ty, index);
                self.push_result(self.module.tables[table as usize].element, place, pair.acc);
            }
            Operator::TableSet { table } => {
                let value = self.operands.pop_slot(&mut self.emitter);
                let index = self.operands.pop_slot(&mut self.emitter);
                self.emitter.locate(self.offset);
                let handler: Handler = match self.index_type(table) {
                    AddressType::I32 => table_set::<u32>,
                    AddressType::I64 => table_set::<u64>,
                };
                self.emitter.emit("table.set", handler, &[self.layout.table(table), index, value]);
            }
            Operator::TableSize { table } => {
                let ty = self.index_type(table);
                let pair = match ty {
                    AddressType::I32 => by_target!(table_size, u32),
                    AddressType::I64 => by_target!(table_size, u64),
                };
                self.produce("table.size", pair, ty.value(), &[], &[self.layout.table(table)]);
            }
            Operator::MemorySize { mem } => {
                let ty = self.address_type(mem);
                let pair = match ty {
                    AddressType::I32 => by_target!(memory_size, u32),
                    AddressType::I64 => by_target!(memory_size, u64),
                };
                self.produce("memory.size", pair, ty.value(), &[], &[self.layout.memory(mem)]);
            }
            Operator::MemoryGrow { mem } => {
                let ty = self.address_type(mem).value();
                self.bulk("memory.grow", bulk::<MemoryGrow>, [mem, 0], &[ty], Some(ty));
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let (to, from) = (self.address_type(dst_mem), self.address_type(src_mem));
                let operands = [to, from, to.min(from)].map(AddressType::value);
                self.bulk("memory.copy", bulk::<MemoryCopy>, [dst_mem, src_mem], &operands, None);
            }
            Operator::MemoryFill { mem } => {
                let ty = self.address_type(mem).value();
                self.bulk("memory.fill", bulk::<MemoryFill>, [mem, 0], &[ty, ValType::I32, ty], None);
            }
            Operator::MemoryInit { data_index, mem } => {
                let operands = [self.address_type(mem).value(), ValType::I32, ValType::I32];
                self.bulk("memory.init", bulk::<MemoryInit>, [mem, data_index], &operands, None);
            }
            Operator::DataDrop { data_index } => self.bulk("data.drop", bulk::<DataDrop>, [data_index, 0], &[], None),
            Operator::TableGrow { table } => {
                let ty = self.index_type(table).value();
                let element = self.module.tables[table as usize].element;
                self.bulk("table.grow", bulk::<TableGrow>, [table, 0], &[element, ty], Some(ty));
            }
            Operator::TableFill { table } => {
                let ty = self.index_type(table).value();
                let element = self.module.tables[table as usize].element;
                self.bulk("table.fill", bulk::<TableFill>, [table, 0], &[ty, element, ty], None);
            }
            Operator::TableCopy { dst_table, src_table } => {
                let (to, from) = (self.index_type(dst_table), self.index_type(src_table));
                let operands = [to, from, to.min(from)].map(AddressType::value);
                self.bulk("table.copy", bulk::<TableCopy>, [dst_table, src_table], &operands, None);
            }
            Operator::TableInit { elem_index, table } => {
                let operands = [self.index_type(table).value(), ValType::I32, ValType::I32];
                self.bulk("table.init", bulk::<TableInit>, [table, elem_index], &operands, None);
            }
            Operator::ElemDrop { elem_index } => self.bulk("elem.drop", bulk::<ElemDrop>, [elem_index, 0], &[], None),
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

    fn address_type(&self, memory: u32) -> AddressType {
        self.module.memories[memory as usize].address
    }

    fn index_type(&self, table: u32) -> AddressType {
        self.module.tables[table as usize].address
    }

    /// A bulk operation over operands of these types, three at most; a result goes to its own slot only.
    fn bulk(
        &mut self,
        name: &'static str,
        handler: Handler,
        index: [u32; 2],
        operands: &[ValType],
        result: Option<ValType>,
    ) {
        let mut slots = [0; 3];
        let mut widths = if result == Some(ValType::I64) { RESULT_WIDTH } else { 0 };
        for (i, ty) in operands.iter().enumerate().rev() {
            slots[i] = self.operands.pop_slot(&mut self.emitter);
            widths |= if *ty == ValType::I32 { 0 } else { width(i) };
        }
        self.emitter.locate(self.offset);
        let to = self.operands.top;
        let [a, b, c] = slots;
        self.emitter.emit(name, handler, &[to, index[0], index[1], a, b, c, widths]);
        if let Some(ty) = result {
            self.operands.push(ty, Place::Own);
        }
    }
}
