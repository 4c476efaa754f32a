//! Structs, and what they have in common with arrays.
//!
//! An object is made by moving the nursery's top, where there is room; otherwise, on a path that is rarely taken, by the
//! runtime, which may collect. A write of a reference marks the card of the place written, whatever is
//! written there. Fields of null fault, so that nothing tests for it.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use wasmparser::Operator;

use super::{Lower, PENDING, PTR, builtin, clif_type, trap_code};
use crate::heap::{CARD_SHIFT, CARDS_BELOW, HeapView, LARGE, header_of};
use crate::runtime::context::{FuncRef, InstanceContext, StoreContext};
use crate::runtime::objects::{ELEMENTS, LENGTH};
use crate::runtime::trap::TrapKind;
use crate::runtime::types::DefinedType;
use crate::types::{RefType, StorageType, ValType};

/// Larger structs are zeroed by the runtime.
const UNROLLED: u32 = 256;

impl Lower<'_> {
    /// Lowers an operator of this group.
    pub fn objects(&mut self, op: &Operator<'_>) -> bool {
        match *op {
            Operator::StructNew { struct_type_index } => self.struct_new(struct_type_index),
            Operator::StructNewDefault { struct_type_index } => self.struct_new_default(struct_type_index),
            Operator::StructGet { struct_type_index, field_index }
            | Operator::StructGetU { struct_type_index, field_index } => {
                self.struct_get(struct_type_index, field_index, false);
            }
            Operator::StructGetS { struct_type_index, field_index } => {
                self.struct_get(struct_type_index, field_index, true);
            }
            Operator::StructSet { struct_type_index, field_index } => {
                let (storage, at) = self.field(struct_type_index, field_index);
                let (object, value) = self.pop2();
                self.write(object, at, storage, value, TrapKind::NullStruct);
            }
            _ => return self.arrays(op),
        }
        true
    }

    /// Calls a builtin that may collect and returns a reference; traps if it failed. Operands on the stack are kept.
    pub fn collecting(&mut self, at: usize, args: &[Value]) -> Value {
        let live = self.spill(self.stack.len());
        let result = self.builtin(at, args);
        self.born(result);
        if let Some(call) = self.b.func.dfg.value_def(result).inst() {
            self.map(call, &live);
        }
        self.b.ins().trapz(result, PENDING);
        self.reload(&live);
        self.b.ins().ireduce(types::I32, result)
    }

    /// The type of references to a type that was just made.
    pub fn made(&self, ty: u32) -> ValType {
        ValType::Ref(RefType::non_null(self.module.types[ty as usize].heap_type()))
    }

    /// An object that a builtin makes of the topmost operands, which it takes as arguments.
    pub fn make(&mut self, builtin: usize, args: &[Value], ty: u32, operands: usize) {
        // What is an argument and a reference is the runtime's to keep.
        let kept = self.stack.len() - operands;
        self.stack.truncate(kept);
        let object = self.collecting(builtin, args);
        self.push_typed(object, self.made(ty));
    }

    /// What a field holds, and where it stands.
    fn field(&self, ty: u32, field: u32) -> (StorageType, u32) {
        let ty = &self.module.types[ty as usize];
        (ty.fields()[field as usize].storage, ty.offsets[field as usize])
    }

    /// A struct with its header, whose fields are not set.
    fn allocate(&mut self, ty: &DefinedType) -> Value {
        let id = self.i32(ty.id.0);
        if ty.size >= LARGE {
            return self.collecting(builtin!(new_struct), &[id]);
        }
        let header = self.i32(header_of(ty.id));
        let size = self.i32(ty.size);
        let slow = |s: &mut Self| s.collecting(builtin!(new_struct), &[id]);
        self.bump(size, None, slow, |s, address| {
            let flags = s.fresh_flags();
            s.b.ins().store(flags, header, address, 0);
        })
    }

    /// An object of `size` bytes (less than [`LARGE`]), for which the nursery's top is moved and which `initialize`
    /// fills, given its address. Where there is no room, or `unless` is not zero, `slow` makes it.
    pub fn bump(
        &mut self,
        size: Value,
        unless: Option<Value>,
        slow: impl FnOnce(&mut Self) -> Value,
        initialize: impl FnOnce(&mut Self, Value),
    ) -> Value {
        let store = self.context_load(PTR, offset_of!(InstanceContext, store) as u32);
        let view = offset_of!(StoreContext, heap);
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.nursery));
        let top = self.b.ins().load(types::I32, flags, store, (view + offset_of!(HeapView, top)) as i32);
        let limit = self.b.ins().load(types::I32, flags, store, (view + offset_of!(HeapView, limit)) as i32);
        self.born(top);
        let end = self.b.ins().iadd(top, size);
        let mut full = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, limit);
        if let Some(unless) = unless {
            full = self.b.ins().bor(full, unless);
        }
        let [room, none, done] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(none);
        self.b.append_block_param(done, types::I32);
        self.b.ins().brif(full, none, &[], room, &[]);
        self.b.seal_block(none);
        self.b.seal_block(room);
        self.b.switch_to_block(none);
        let made = slow(self);
        self.b.ins().jump(done, &[made.into()]);
        self.b.switch_to_block(room);
        self.paths_meet();
        self.b.ins().store(flags, end, store, (view + offset_of!(HeapView, top)) as i32);
        let address = self.heap_address(top);
        initialize(self, address);
        self.b.ins().jump(done, &[top.into()]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
        self.paths_meet();
        self.b.block_params(done)[0]
    }

    /// How what was just allocated is written to.
    pub fn fresh_flags(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.regions.objects))
    }

    fn struct_new(&mut self, index: u32) {
        let ty = self.module.types[index as usize].clone();
        // The values are kept while room is made.
        let object = self.allocate(&ty);
        let values = self.pop_many(ty.fields().len());
        for ((field, at), value) in ty.fields().iter().zip(&ty.offsets).zip(values) {
            self.initialize(object, *at, field.storage, value, ty.size >= LARGE);
        }
        self.push_typed(object, self.made(index));
    }

    fn struct_new_default(&mut self, index: u32) {
        let ty = self.module.types[index as usize].clone();
        if ty.size > UNROLLED {
            let id = self.i32(index);
            self.make(builtin!(struct_new_default), &[id], index, 0);
            return;
        }
        let object = self.allocate(&ty);
        let address = self.heap_address(object);
        let flags = self.fresh_flags();
        let (word, double) = (self.i32(0), self.b.ins().iconst(types::I64, 0));
        self.b.ins().store(flags, word, address, LENGTH as i32);
        for at in (ELEMENTS..ty.size).step_by(8) {
            self.b.ins().store(flags, double, address, at as i32);
        }
        self.push_typed(object, self.made(index));
    }

    /// The value of a field as it lies in the heap: a function's number in its place.
    pub fn stored(&mut self, storage: StorageType, value: Value) -> Value {
        if !storage.unpacked().is_func() {
            let mut value = [value];
            self.canonical(&mut value);
            return value[0];
        }
        let [some, number, done] = [(); 3].map(|()| self.b.create_block());
        self.b.append_block_param(done, types::I32);
        let null = self.i32(0);
        self.b.ins().brif(value, some, &[], done, &[null.into()]);
        self.b.seal_block(some);
        self.b.switch_to_block(some);
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.table));
        let found = self.b.ins().load(types::I32, flags, value, offset_of!(FuncRef, number) as i32);
        self.b.ins().brif(found, done, &[found.into()], number, &[]);
        self.b.seal_block(number);
        self.b.switch_to_block(number);
        self.b.set_cold_block(number);
        let found = self.builtin(builtin!(number_of), &[value]);
        let found = self.b.ins().ireduce(types::I32, found);
        self.b.ins().jump(done, &[found.into()]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// Writes a value of a kind of field.
    pub fn put(&mut self, flags: MemFlagsData, storage: StorageType, value: Value, address: Value, at: u32) {
        match storage {
            StorageType::I8 => self.b.ins().istore8(flags, value, address, at as i32),
            StorageType::I16 => self.b.ins().istore16(flags, value, address, at as i32),
            StorageType::Val(_) => self.b.ins().store(flags, value, address, at as i32),
        };
    }

    /// Sets a field of an object that was just made; one that is young needs no barrier.
    pub fn initialize(&mut self, object: Value, at: u32, storage: StorageType, value: Value, old: bool) {
        if old {
            self.write(object, at, storage, value, TrapKind::NullStruct);
            return;
        }
        let value = self.stored(storage, value);
        let address = self.heap_address(object);
        let flags = self.fresh_flags();
        self.put(flags, storage, value, address, at);
    }

    /// Sets a field, `at` bytes after a place in the heap.
    pub fn write(&mut self, object: Value, at: u32, storage: StorageType, value: Value, null: TrapKind) {
        let value = self.stored(storage, value);
        let address = self.heap_address(object);
        let flags = self.object_flags(null);
        self.put(flags, storage, value, address, at);
        if storage.is_traced() {
            self.mark_card(object, at);
        }
    }

    /// Dirties the card of what is `at` bytes after a place in the heap.
    pub fn mark_card(&mut self, place: Value, at: u32) {
        let place = self.b.ins().iadd_imm_s(place, i64::from(at));
        let card = self.b.ins().ushr_imm_u(place, i64::from(CARD_SHIFT));
        let card = self.heap_address(card);
        let dirty = self.b.ins().iconst(types::I8, 1);
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.cards));
        self.b.ins().store(flags, dirty, card, -(CARDS_BELOW as i32));
    }

    /// Reads a field, `at` bytes after a place in the heap.
    pub fn read(&mut self, object: Value, at: u32, storage: StorageType, signed: bool, null: TrapKind) -> Value {
        use types::I32;
        let address = self.heap_address(object);
        let (flags, at) = (self.object_flags(null), at as i32);
        match (storage, signed) {
            (StorageType::I8, true) => self.b.ins().sload8(I32, flags, address, at),
            (StorageType::I8, false) => self.b.ins().uload8(I32, flags, address, at),
            (StorageType::I16, true) => self.b.ins().sload16(I32, flags, address, at),
            (StorageType::I16, false) => self.b.ins().uload16(I32, flags, address, at),
            (StorageType::Val(ty), _) if ty.is_func() => {
                let number = self.b.ins().load(I32, flags, address, at);
                self.func_of(number, ty)
            }
            (StorageType::Val(ty), _) => self.b.ins().load(clif_type(ty), flags, address, at),
        }
    }

    /// The function with a number, checked to be of a type: null if there is none.
    fn func_of(&mut self, number: Value, ty: ValType) -> Value {
        let store = self.context_load(PTR, offset_of!(InstanceContext, store) as u32);
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.context));
        let count = self.b.ins().load(types::I32, flags, store, offset_of!(StoreContext, function_count) as i32);
        let functions = self.b.ins().load(PTR, flags, store, offset_of!(StoreContext, functions) as i32);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, number, count);
        let index = self.b.ins().uextend(PTR, number);
        let offset = self.b.ins().ishl_imm_u(index, 3);
        let address = self.b.ins().iadd(functions, offset);
        // Entry 0 is null.
        let address = self.b.ins().select_spectre_guard(out, functions, address);
        let func = self.b.ins().load(PTR, flags, address, 0);
        self.check_func(func, ty);
        func
    }

    /// Traps if a function that came out of the heap is not of the type that its field says: then the heap is not what the
    /// verifier reckoned with.
    fn check_func(&mut self, func: Value, ty: ValType) {
        let ValType::Ref(RefType { heap: crate::types::HeapType::Defined(_, id), .. }) = ty else { return };
        let Some(wanted) = self.module.types.iter().find(|ty| ty.id == id).cloned() else { return };
        let [some, done] = [(); 2].map(|()| self.b.create_block());
        self.b.ins().brif(func, some, &[], done, &[]);
        self.b.seal_block(some);
        self.b.switch_to_block(some);
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.table));
        let own = self.b.ins().load(types::I32, flags, func, offset_of!(FuncRef, type_id) as i32);
        let holds = if wanted.is_final {
            self.b.ins().icmp_imm_u(IntCC::Equal, own, i64::from(id.0))
        } else {
            let header = self.header_of(own);
            self.is_subtype(header, id, wanted.supertypes.len() as u32)
        };
        self.b.ins().trapz(holds, trap_code(TrapKind::CastFailure));
        self.b.ins().jump(done, &[]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
    }

    fn struct_get(&mut self, ty: u32, field: u32, signed: bool) {
        let (storage, at) = self.field(ty, field);
        let object = self.pop();
        let value = self.read(object, at, storage, signed, TrapKind::NullStruct);
        self.push_typed(value, storage.unpacked());
    }
}
