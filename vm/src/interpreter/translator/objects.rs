//! Structs and arrays.

use wasmparser::Operator;

use super::Translator;
use super::operands::{Place, Src, operand};
use crate::interpreter::dispatch::Handler;
use crate::interpreter::handlers::Pair;
use crate::interpreter::handlers::objects::*;
use crate::interpreter::handlers::scalar::From;
use crate::interpreter::operators::*;
use crate::interpreter::value::{Acc, Imm, Slot, ToAcc, ToSlot, V128};
use crate::runtime::types::DefinedType;
use crate::types::{RefType, StorageType, ValType};

/// A reference as it is read from a field.
struct RefLoad;

impl Load for RefLoad {
    const NAME: &'static str = "ref.load";
    type Mem = u32;
    type Out = u64;
    #[inline(always)]
    fn run(a: u32) -> u64 {
        a.into()
    }
}

/// A vector as it is read from a field.
struct VectorLoad;

impl Load for VectorLoad {
    const NAME: &'static str = "v128.load";
    type Mem = V128;
    type Out = V128;
    #[inline(always)]
    fn run(a: V128) -> V128 {
        a
    }
}

/// A vector as it is written to a field.
struct VectorStore;

impl Store for VectorStore {
    const NAME: &'static str = "v128.store";
    type In = V128;
    type Mem = V128;
    #[inline(always)]
    fn run(a: V128) -> V128 {
        a
    }
}

/// Picks the operator that reads a kind of field.
macro_rules! by_load {
    ($storage:expr, $signed:expr, $pick:ident $(, $arg:expr)*) => {
        match ($storage, $signed) {
            (StorageType::I8, true) => $pick::<I32Load8S>($($arg),*),
            (StorageType::I8, false) => $pick::<I32Load8U>($($arg),*),
            (StorageType::I16, true) => $pick::<I32Load16S>($($arg),*),
            (StorageType::I16, false) => $pick::<I32Load16U>($($arg),*),
            (StorageType::Val(ValType::I32), _) => $pick::<I32Load>($($arg),*),
            (StorageType::Val(ValType::I64), _) => $pick::<I64Load>($($arg),*),
            (StorageType::Val(ValType::F32), _) => $pick::<F32Load>($($arg),*),
            (StorageType::Val(ValType::F64), _) => $pick::<F64Load>($($arg),*),
            (StorageType::Val(ValType::V128), _) => $pick::<VectorLoad>($($arg),*),
            (StorageType::Val(ValType::Ref(_)), _) => $pick::<RefLoad>($($arg),*),
        }
    };
}

/// Picks the operator that writes a kind of field; references to functions are numbers by then, others have handlers of
/// their own.
macro_rules! by_store {
    ($storage:expr, $pick:ident $(, $arg:expr)*) => {
        match $storage {
            StorageType::I8 => $pick::<I32Store8>($($arg),*),
            StorageType::I16 => $pick::<I32Store16>($($arg),*),
            StorageType::Val(ValType::I32 | ValType::Ref(_)) => $pick::<I32Store>($($arg),*),
            StorageType::Val(ValType::I64) => $pick::<I64Store>($($arg),*),
            StorageType::Val(ValType::F32) => $pick::<F32Store>($($arg),*),
            StorageType::Val(ValType::F64) => $pick::<F64Store>($($arg),*),
            StorageType::Val(ValType::V128) => $pick::<VectorStore>($($arg),*),
        }
    };
}

fn struct_get_pair<O: Load>(from: From) -> Pair {
    match from {
        From::Acc => Pair { slot: struct_get::<O, Acc, ToSlot>, acc: struct_get::<O, Acc, ToAcc> },
        _ => Pair { slot: struct_get::<O, Slot, ToSlot>, acc: struct_get::<O, Slot, ToAcc> },
    }
}

fn array_get_pair<O: Load>(index: From) -> Pair {
    match index {
        From::Acc => Pair { slot: array_get::<O, Acc, ToSlot>, acc: array_get::<O, Acc, ToAcc> },
        From::Imm => Pair { slot: array_get::<O, Imm, ToSlot>, acc: array_get::<O, Imm, ToAcc> },
        From::Slot => Pair { slot: array_get::<O, Slot, ToSlot>, acc: array_get::<O, Slot, ToAcc> },
    }
}

fn struct_set_handler<O: Store>(value: From) -> Handler {
    match value {
        From::Acc => struct_set::<O, Acc>,
        From::Imm => struct_set::<O, Imm>,
        From::Slot => struct_set::<O, Slot>,
    }
}

fn array_set_handler<O: Store>(value: From) -> Handler {
    match value {
        From::Acc => array_set::<O, Acc>,
        From::Imm => array_set::<O, Imm>,
        From::Slot => array_set::<O, Slot>,
    }
}

/// How a field's value lies in the heap.
fn kind(storage: StorageType) -> FieldKind {
    match storage {
        StorageType::Val(ty) if ty.is_func() => FieldKind::Func,
        _ => match storage.bytes() {
            1 => FieldKind::Byte,
            2 => FieldKind::Half,
            4 => FieldKind::Word,
            8 => FieldKind::Double,
            _ => FieldKind::Vector,
        },
    }
}

impl<'a> Translator<'a> {
    /// Translates an operator of this group; whether it was one.
    pub fn objects(&mut self, operator: &Operator<'a>) -> bool {
        match *operator {
            Operator::StructNew { struct_type_index } => self.struct_new(struct_type_index),
            Operator::StructNewDefault { struct_type_index } => {
                let ty = &self.module.types[struct_type_index as usize];
                let pair = Pair { slot: struct_new_default::<ToSlot>, acc: struct_new_default::<ToAcc> };
                self.make("struct.new_default", pair, ty, 0, &[ty.id.0, ty.size]);
            }
            Operator::StructGet { struct_type_index, field_index }
            | Operator::StructGetU { struct_type_index, field_index } => {
                self.struct_get(struct_type_index, field_index, false);
            }
            Operator::StructGetS { struct_type_index, field_index } => {
                self.struct_get(struct_type_index, field_index, true);
            }
            Operator::StructSet { struct_type_index, field_index } => self.struct_set(struct_type_index, field_index),
            Operator::ArrayGet { array_type_index } | Operator::ArrayGetU { array_type_index } => {
                self.array_get(array_type_index, false);
            }
            Operator::ArrayGetS { array_type_index } => self.array_get(array_type_index, true),
            Operator::ArraySet { array_type_index } => self.array_set(array_type_index),
            Operator::ArrayLen => {
                self.of_reference("array.len", Pair { slot: array_len::<ToSlot>, acc: array_len::<ToAcc> });
            }
            _ => return self.array_operation(operator),
        }
        true
    }

    /// Operations on arrays that the runtime does.
    fn array_operation(&mut self, operator: &Operator<'_>) -> bool {
        match *operator {
            Operator::ArrayNew { array_type_index: ty } => {
                let wide = u32::from(self.storage(ty) == StorageType::Val(ValType::V128));
                self.operate("array.new", array_operation::<ArrayNew>, [ty, wide], 2, true);
            }
            Operator::ArrayNewDefault { array_type_index: ty } => {
                self.operate("array.new_default", array_operation::<ArrayNewDefault>, [ty, 0], 1, true);
            }
            Operator::ArrayNewFixed { array_type_index: ty, array_size: len } => self.array_new_fixed(ty, len),
            Operator::ArrayNewData { array_type_index: ty, array_data_index: data } => {
                self.operate("array.new_data", array_operation::<ArrayNewData>, [ty, data], 2, true);
            }
            Operator::ArrayNewElem { array_type_index: ty, array_elem_index: elem } => {
                self.operate("array.new_elem", array_operation::<ArrayNewElem>, [ty, elem], 2, true);
            }
            Operator::ArrayFill { array_type_index: ty } => {
                let wide = u32::from(self.storage(ty) == StorageType::Val(ValType::V128));
                self.operate("array.fill", array_operation::<ArrayFill>, [ty, wide], 4, false);
            }
            Operator::ArrayCopy { array_type_index_dst: ty, .. } => {
                self.operate("array.copy", array_operation::<ArrayCopy>, [ty, 0], 5, false);
            }
            Operator::ArrayInitData { array_type_index: ty, array_data_index: data } => {
                self.operate("array.init_data", array_operation::<ArrayInitData>, [ty, data], 4, false);
            }
            Operator::ArrayInitElem { array_type_index: ty, array_elem_index: elem } => {
                self.operate("array.init_elem", array_operation::<ArrayInitElem>, [ty, elem], 4, false);
            }
            _ => return false,
        }
        true
    }

    /// What an array type's elements hold.
    fn storage(&self, ty: u32) -> StorageType {
        // The verifier proved that it is an array's.
        self.module.types[ty as usize].element().map_or(StorageType::I8, |element| element.storage)
    }

    /// An instruction that makes an object of the topmost `count` operands, which are in their own slots. It may collect.
    fn make(&mut self, name: &'static str, pair: Pair, ty: &DefinedType, count: usize, rest: &[u32]) {
        self.emitter.locate(self.offset);
        self.safepoint(self.operands.len());
        self.operands.truncate(self.operands.len() - count);
        self.barrier();
        self.produce(name, pair, ValType::Ref(RefType::non_null(ty.heap_type())), &[], rest);
    }

    fn struct_new(&mut self, ty: u32) {
        let ty = &self.module.types[ty as usize];
        let count = ty.fields().len();
        let first = self.operands.len() - count;
        self.operands.settle_from(first, &mut self.emitter);
        let mut words = vec![ty.id.0, ty.size, self.slot_at(first), count as u32];
        let field = |(field, at): (&crate::types::FieldType, &u32)| at << FieldKind::BITS | kind(field.storage) as u32;
        words.extend(ty.fields().iter().zip(&ty.offsets).map(field));
        let pair = Pair { slot: struct_new::<ToSlot>, acc: struct_new::<ToAcc> };
        self.make("struct.new", pair, ty, count, &words);
    }

    fn array_new_fixed(&mut self, ty: u32, len: u32) {
        let first = self.operands.len() - len as usize;
        self.operands.settle_from(first, &mut self.emitter);
        let row = self.slot_at(first);
        self.emitter.locate(self.offset);
        self.safepoint(self.operands.len());
        self.operands.truncate(first);
        self.barrier();
        let to = self.operands.top;
        let handler: Handler = array_operation::<ArrayNewFixed>;
        self.emitter.emit("array.new_fixed", handler, &[to, ty, len, row, 0, 0, 0, 0]);
        self.operands.push(ValType::Ref(RefType::non_null(self.module.types[ty as usize].heap_type())), Place::Own);
    }

    /// An operation over some operands; a result, which is a reference to the type's array, goes to its own slot only.
    fn operate(&mut self, name: &'static str, handler: Handler, index: [u32; 2], operands: usize, result: bool) {
        let first = self.operands.len() - operands;
        self.operands.settle_from(first, &mut self.emitter);
        let mut slots = [self.slot_at(first); 5];
        for (slot, operand) in slots.iter_mut().zip(first..self.operands.len()) {
            *slot = self.operands.get(operand).slot;
        }
        self.emitter.locate(self.offset);
        self.safepoint(self.operands.len());
        self.operands.truncate(first);
        self.barrier();
        let to = self.operands.top;
        self.operands.reserve(1);
        let [a, b, c, d, e] = slots;
        self.emitter.emit(name, handler, &[to, index[0], index[1], a, b, c, d, e]);
        if result {
            let ty = self.module.types[index[0] as usize].heap_type();
            self.operands.push(ValType::Ref(RefType::non_null(ty)), Place::Own);
        }
    }

    fn struct_get(&mut self, ty: u32, field: u32, signed: bool) {
        let ty = &self.module.types[ty as usize];
        let (storage, at) = (ty.fields()[field as usize].storage, ty.offsets[field as usize]);
        let (src, reference) = self.operands.pop(&mut self.emitter);
        let src = self.in_slot(reference, src);
        self.emitter.locate(self.offset);
        let pair = by_load!(storage, signed, struct_get_pair, src.from());
        self.produce("struct.get", pair, storage.unpacked(), &[(reference, src)], &[at]);
        self.point(storage);
    }

    /// What was just read from the heap, if it is a function's number, becomes a pointer.
    fn point(&mut self, storage: StorageType) {
        if storage.unpacked().is_func() {
            self.operands.forget();
            (self.fusible, self.last) = (None, None);
            let slot = self.top_slot();
            self.emitter.emit("func.of_number", func_of_number, &[slot]);
        }
    }

    /// Pops the value for a field: a function becomes a number first.
    fn pop_value(&mut self, storage: StorageType) -> (Src, ValType) {
        if !storage.unpacked().is_func() {
            return self.operands.pop(&mut self.emitter);
        }
        let to = self.operands.get(self.operands.len() - 1).slot;
        let slot = self.operands.pop_slot(&mut self.emitter);
        self.emitter.emit("number.of_func", number_of_func, &[to, slot]);
        (Src::Slot(to), ValType::I32)
    }

    fn struct_set(&mut self, ty: u32, field: u32) {
        let ty = &self.module.types[ty as usize];
        let (storage, at) = (ty.fields()[field as usize].storage, ty.offsets[field as usize]);
        if storage.is_traced() {
            let value = self.operands.pop_slot(&mut self.emitter);
            let object = self.operands.pop_slot(&mut self.emitter);
            self.emitter.locate(self.offset);
            self.emitter.emit("struct.set", struct_set_ref, &[object, value, at]);
            return;
        }
        let (value, value_ty) = self.pop_value(storage);
        let object = self.operands.pop_slot(&mut self.emitter);
        self.emitter.locate(self.offset);
        self.emitter.emit("struct.set", by_store!(storage, struct_set_handler, value.from()), &[object]);
        operand(&mut self.emitter, value_ty, value);
        self.emitter.words.push(at);
    }

    fn array_get(&mut self, ty: u32, signed: bool) {
        let storage = self.storage(ty);
        let (index, index_ty) = self.operands.pop(&mut self.emitter);
        let array = self.operands.pop_slot(&mut self.emitter);
        self.emitter.locate(self.offset);
        let pair = by_load!(storage, signed, array_get_pair, index.from());
        let to = self.operands.top;
        let at = self.emitter.emit("array.get", pair.slot, &[to, array]);
        operand(&mut self.emitter, index_ty, index);
        self.push_result(storage.unpacked(), at, pair.acc);
        self.point(storage);
    }

    fn array_set(&mut self, ty: u32) {
        let storage = self.storage(ty);
        if storage.is_traced() {
            let value = self.operands.pop_slot(&mut self.emitter);
            let index = self.operands.pop_slot(&mut self.emitter);
            let array = self.operands.pop_slot(&mut self.emitter);
            self.emitter.locate(self.offset);
            self.emitter.emit("array.set", array_set_ref, &[array, index, value]);
            return;
        }
        let (value, value_ty) = self.pop_value(storage);
        let index = self.operands.pop_slot(&mut self.emitter);
        let array = self.operands.pop_slot(&mut self.emitter);
        self.emitter.locate(self.offset);
        self.emitter.emit("array.set", by_store!(storage, array_set_handler, value.from()), &[array, index]);
        operand(&mut self.emitter, value_ty, value);
    }
}
