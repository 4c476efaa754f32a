//! Arrays.
//!
//! Short ones are made, filled and copied inline, since a call would take longer than the work; what is long is left to the runtime, which
//! charges fuel for it and looks whether to stop. *Short* is below what [`bulk_cost`] charges for, so that both ways cost the same.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use wasmparser::Operator;

use super::{Lower, builtin, trap_code};
use crate::heap::{CARD_SHIFT, LARGE, header_of};
use crate::metering::bulk_cost;
use crate::runtime::objects::{ELEMENTS, LENGTH};
use crate::runtime::trap::TrapKind;
use crate::types::StorageType;

/// Elements that are set or copied inline at most, and the bytes that they take together.
const SHORT: u32 = 63;
const SHORT_BYTES: u32 = 128;
/// Elements that `array.fill` sets inline at most, one by one.
const FEW: u32 = 16;

const _: () = assert!(bulk_cost(SHORT as u64) == 0 && FEW <= SHORT && ELEMENTS + SHORT_BYTES < LARGE);
// What is short lies on the cards of its first and its last element.
const _: () = assert!(FEW * 4 <= SHORT_BYTES && SHORT_BYTES <= 1 << CARD_SHIFT);

/// The widths in which bytes are copied, with the type that has each.
const WIDTHS: [(u32, ir::Type); 5] =
    [(16, types::I8X16), (8, types::I64), (4, types::I32), (2, types::I16), (1, types::I8)];

/// The most elements of a kind that are short.
fn short(storage: StorageType) -> u32 {
    SHORT.min(SHORT_BYTES / storage.bytes())
}

impl Lower<'_> {
    /// Lowers an operator of this group.
    pub fn arrays(&mut self, op: &Operator<'_>) -> bool {
        match *op {
            Operator::ArrayNew { array_type_index } => self.array_new(array_type_index),
            Operator::ArrayNewDefault { array_type_index } => self.array_new_default(array_type_index),
            Operator::ArrayNewFixed { array_type_index, array_size } => {
                self.array_new_fixed(array_type_index, array_size);
            }
            Operator::ArrayNewData { array_type_index: ty, array_data_index: segment } => {
                self.array_new_from(builtin!(array_new_data), ty, segment);
            }
            Operator::ArrayNewElem { array_type_index: ty, array_elem_index: segment } => {
                self.array_new_from(builtin!(array_new_elem), ty, segment);
            }
            Operator::ArrayGet { array_type_index } | Operator::ArrayGetU { array_type_index } => {
                self.array_get(array_type_index, false);
            }
            Operator::ArrayGetS { array_type_index } => self.array_get(array_type_index, true),
            Operator::ArraySet { array_type_index } => {
                let storage = self.storage(array_type_index);
                let (index, value) = self.pop2();
                let array = self.pop();
                let at = self.element_at(array, index, storage);
                self.write(at, ELEMENTS, storage, value, TrapKind::NullArray);
            }
            Operator::ArrayLen => {
                let array = self.pop();
                let len = self.array_len(array);
                self.push(len);
            }
            Operator::ArrayFill { array_type_index } => self.array_fill(array_type_index),
            Operator::ArrayCopy { array_type_index_dst, .. } => self.array_copy(array_type_index_dst),
            Operator::ArrayInitData { array_type_index: ty, array_data_index: segment } => {
                self.array_init(builtin!(array_init_data), ty, segment);
            }
            Operator::ArrayInitElem { array_type_index: ty, array_elem_index: segment } => {
                self.array_init(builtin!(array_init_elem), ty, segment);
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

    /// The value of a constant of 32 bits.
    fn constant(&self, value: Value) -> Option<u32> {
        let value = self.b.func.dfg.resolve_aliases(value);
        let inst = self.b.func.dfg.value_def(value).inst()?;
        match self.b.func.dfg.insts[inst] {
            ir::InstructionData::UnaryImm { opcode: ir::Opcode::Iconst, imm } => Some(imm.bits() as u32),
            _ => None,
        }
    }

    fn array_get(&mut self, ty: u32, signed: bool) {
        let storage = self.storage(ty);
        let (array, index) = self.pop2();
        let at = self.element_at(array, index, storage);
        let value = self.read(at, ELEMENTS, storage, signed, TrapKind::NullArray);
        self.push_typed(value, storage.unpacked());
    }

    fn array_len(&mut self, array: Value) -> Value {
        let address = self.heap_address(array);
        let flags = MemFlagsData::new()
            .with_alias_region(Some(self.regions.lengths))
            .with_trap_code(Some(trap_code(TrapKind::NullArray)));
        self.b.ins().load(types::I32, flags, address, LENGTH as i32)
    }

    /// The place in the heap that an element stands [`ELEMENTS`] bytes after; traps if there is none. It wraps only if the heap
    /// is corrupt, and stays inside of the reservation.
    fn element_at(&mut self, array: Value, index: Value, storage: StorageType) -> Value {
        let len = self.array_len(array);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.trap_if(out, TrapKind::ArrayOutOfBounds);
        self.place(array, index, storage)
    }

    /// As [`Self::element_at`], of the first of `len` elements that are all to be there.
    fn elements_at(&mut self, array: Value, index: Value, len: Value, storage: StorageType) -> Value {
        let all = self.array_len(array);
        let [all, from, len] = [all, index, len].map(|value| self.b.ins().uextend(types::I64, value));
        let end = self.b.ins().iadd(from, len);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, all);
        self.trap_if(out, TrapKind::ArrayOutOfBounds);
        self.place(array, index, storage)
    }

    fn place(&mut self, array: Value, index: Value, storage: StorageType) -> Value {
        let offset = self.b.ins().ishl_imm_u(index, i64::from(storage.bytes().trailing_zeros()));
        self.b.ins().iadd(array, offset)
    }

    fn array_new_from(&mut self, builtin: usize, ty: u32, segment: u32) {
        let (from, len) = self.pop2();
        let indices = self.indices(ty, segment);
        self.make(builtin, &[indices, from, len], ty, 0);
    }

    fn array_init(&mut self, builtin: usize, ty: u32, segment: u32) {
        let mut args = self.pop_many(4);
        args.insert(0, self.indices(ty, segment));
        self.fallible(builtin, &args);
    }

    fn array_new_default(&mut self, ty: u32) {
        let len = self.pop();
        let zero = self.b.ins().iconst(types::I64, 0);
        let args = [self.i32(ty), len];
        let array = self.new_array(ty, len, zero, |s| s.collecting(builtin!(array_new_default), &args));
        self.push_typed(array, self.made(ty));
    }

    fn array_new(&mut self, ty: u32) {
        let storage = self.storage(ty);
        let len = self.pop();
        let [low, high] = self.value_of_two(self.stack.len() - 1);
        let value = self.pop();
        let args = [self.i32(ty), low, high, len];
        // What is an argument and a reference is the runtime's to keep.
        let make = |s: &mut Self| s.collecting(builtin!(array_new), &args);
        let array = if storage.bytes() > 8 {
            make(self)
        } else {
            let value = self.stored(storage, value);
            let pattern = self.pattern(storage, value);
            self.new_array(ty, len, pattern, make)
        };
        self.push_typed(array, self.made(ty));
    }

    /// Eight bytes of equal elements.
    fn pattern(&mut self, storage: StorageType, value: Value) -> Value {
        let bits = match self.b.func.dfg.value_type(value) {
            types::F64 => self.b.ins().bitcast(types::I64, MemFlagsData::new(), value),
            types::F32 => self.b.ins().bitcast(types::I32, MemFlagsData::new(), value),
            _ => value,
        };
        let bits = self.wide(bits);
        let (mask, times) = match storage.bytes() {
            1 => (0xff, 0x0101_0101_0101_0101_u64),
            2 => (0xffff, 0x0001_0001_0001_0001),
            4 => (0xffff_ffff, 0x0000_0001_0000_0001),
            _ => return bits,
        };
        let bits = self.b.ins().band_imm_u(bits, mask);
        self.b.ins().imul_imm_u(bits, times as i64)
    }

    /// An array that is full of a pattern; one that is not short is made by `slow`.
    fn new_array(&mut self, ty: u32, len: Value, pattern: Value, slow: impl FnOnce(&mut Self) -> Value) -> Value {
        let storage = self.storage(ty);
        let shift = storage.bytes().trailing_zeros();
        let header = self.i32(header_of(self.module.types[ty as usize].id));
        let constant = self.constant(len);
        if constant.is_some_and(|len| len > short(storage)) {
            return slow(self);
        }
        // Wraps only if the array is not short.
        let bytes = self.b.ins().ishl_imm_u(len, i64::from(shift));
        let rounded = self.b.ins().iadd_imm_s(bytes, i64::from(ELEMENTS) + 7);
        let size = self.b.ins().band_imm_u(rounded, i64::from(!7_u32));
        let unless = constant
            .is_none()
            .then(|| self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, len, i64::from(short(storage))));
        self.bump(size, unless, slow, |s, address| {
            let flags = s.fresh_flags();
            s.b.ins().store(flags, header, address, 0);
            let lengths = MemFlagsData::trusted().with_alias_region(Some(s.regions.lengths));
            s.b.ins().store(lengths, len, address, LENGTH as i32);
            match constant {
                Some(len) => {
                    for at in (ELEMENTS..ELEMENTS + (len << shift)).step_by(8) {
                        s.b.ins().store(flags, pattern, address, at as i32);
                    }
                }
                None => {
                    let size = s.b.ins().uextend(types::I64, size);
                    let end = s.b.ins().iadd(address, size);
                    let start = s.b.ins().iadd_imm_s(address, i64::from(ELEMENTS));
                    s.each(start, end, 8, |s, at| {
                        s.b.ins().store(flags, pattern, at, 0);
                    });
                }
            }
        })
    }

    /// Does something at each address from `start` to `end`, in steps.
    fn each(&mut self, start: Value, end: Value, step: u32, body: impl FnOnce(&mut Self, Value)) {
        let [head, turn, done] = [(); 3].map(|()| self.b.create_block());
        self.b.append_block_param(head, types::I64);
        self.b.ins().jump(head, &[start.into()]);
        self.b.switch_to_block(head);
        let at = self.b.block_params(head)[0];
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, at, end);
        self.b.ins().brif(more, turn, &[], done, &[]);
        self.b.seal_block(turn);
        self.b.seal_block(done);
        self.b.switch_to_block(turn);
        body(self, at);
        let next = self.b.ins().iadd_imm_s(at, i64::from(step));
        self.b.ins().jump(head, &[next.into()]);
        self.b.seal_block(head);
        self.b.switch_to_block(done);
    }

    fn array_new_fixed(&mut self, index: u32, len: u32) {
        let storage = self.storage(index);
        let id = self.module.types[index as usize].id;
        let [header, id, count, size] = {
            let size = (ELEMENTS + len * storage.bytes()).next_multiple_of(8);
            [header_of(id), id.0, len, size].map(|value| self.i32(value))
        };
        let large = ELEMENTS + len * storage.bytes() >= LARGE;
        let slow = |s: &mut Self| s.collecting(builtin!(new_array), &[id, count]);
        // The values are kept while room is made.
        let array = if large {
            slow(self)
        } else {
            self.bump(size, None, slow, |s, address| {
                let flags = s.fresh_flags();
                s.b.ins().store(flags, header, address, 0);
                let lengths = MemFlagsData::trusted().with_alias_region(Some(s.regions.lengths));
                s.b.ins().store(lengths, count, address, LENGTH as i32);
            })
        };
        let values = self.pop_many(len as usize);
        for (at, value) in (ELEMENTS..).step_by(storage.bytes() as usize).zip(values) {
            self.initialize(array, at, storage, value, large);
        }
        self.push_typed(array, self.made(index));
    }

    fn array_fill(&mut self, ty: u32) {
        let storage = self.storage(ty);
        let len = self.pop();
        let [low, high] = self.value_of_two(self.stack.len() - 1);
        let value = self.pop();
        let (array, index) = self.pop2();
        let place = self.elements_at(array, index, len, storage);
        let [few, many, done] = [(); 3].map(|()| self.b.create_block());
        let is_few = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, len, i64::from(FEW));
        self.b.ins().brif(is_few, few, &[], many, &[]);
        self.b.seal_block(few);
        self.b.seal_block(many);
        self.b.switch_to_block(many);
        let ty = self.i32(ty);
        self.fallible(builtin!(array_fill), &[ty, array, index, low, high, len]);
        self.b.ins().jump(done, &[]);
        self.b.switch_to_block(few);
        let value = self.stored(storage, value);
        let start = self.heap_address(place);
        let bytes = self.b.ins().ishl_imm_u(len, i64::from(storage.bytes().trailing_zeros()));
        if storage.is_traced() {
            self.mark_card(place, ELEMENTS);
            let end = self.b.ins().iadd(place, bytes);
            self.mark_card(end, ELEMENTS - 4);
        }
        let bytes = self.b.ins().uextend(types::I64, bytes);
        let end = self.b.ins().iadd(start, bytes);
        self.each(start, end, storage.bytes(), |s, at| {
            let flags = s.object_flags(TrapKind::NullArray);
            s.put(flags, storage, value, at, ELEMENTS);
        });
        self.b.ins().jump(done, &[]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
    }

    fn array_copy(&mut self, ty: u32) {
        let storage = self.storage(ty);
        let (from_at, len) = self.pop2();
        let (to_at, from) = self.pop2();
        let to = self.pop();
        let target = self.elements_at(to, to_at, len, storage);
        let source = self.elements_at(from, from_at, len, storage);
        match self.constant(len) {
            Some(0) => {}
            Some(len) if len <= short(storage) => {
                let bytes = len * storage.bytes();
                self.copy(target, source, bytes, storage);
                if storage.is_traced() {
                    self.mark_card(target, ELEMENTS);
                    self.mark_card(target, ELEMENTS + bytes - 4);
                }
            }
            _ if storage.is_traced() => {
                let ty = self.i32(ty);
                self.fallible(builtin!(array_copy), &[ty, to, to_at, from, from_at, len]);
            }
            _ => self.copy_plain(target, source, len, storage),
        }
    }

    /// Copies bytes between places in the heap, [`ELEMENTS`] after each: all are read before any is written.
    fn copy(&mut self, target: Value, source: Value, bytes: u32, storage: StorageType) {
        let flags = self.object_flags(TrapKind::NullArray);
        let [to, from] = [target, source].map(|place| self.heap_address(place));
        let (mut at, mut read) = (0, Vec::new());
        for (width, ty) in WIDTHS {
            while bytes - at >= width {
                let offset = (ELEMENTS + at) as i32;
                let value = self.b.ins().load(ty, flags, from, offset);
                if storage.is_traced() {
                    // One or several; what reads the target may be given the value instead.
                    self.born(value);
                }
                read.push((value, offset));
                at += width;
            }
        }
        for (value, offset) in read {
            self.b.ins().store(flags, value, to, offset);
        }
    }

    /// Copies elements that are no references: 8 to 32 bytes inline, in two parts that may overlap.
    fn copy_plain(&mut self, target: Value, source: Value, len: Value, storage: StorageType) {
        let [to, from] = [target, source].map(|place| self.heap_address(place));
        let [to, from] = [to, from].map(|address| self.b.ins().iadd_imm_s(address, i64::from(ELEMENTS)));
        let len = self.b.ins().uextend(types::I64, len);
        let bytes = self.b.ins().ishl_imm_u(len, i64::from(storage.bytes().trailing_zeros()));
        let done = self.b.create_block();
        for (width, ty) in &WIDTHS[..2] {
            let (width, flags) = (i64::from(*width), self.object_flags(TrapKind::NullArray));
            let [inline, next] = [(); 2].map(|()| self.b.create_block());
            let rest = self.b.ins().iadd_imm_s(bytes, -width);
            let fits = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, rest, width);
            self.b.ins().brif(fits, inline, &[], next, &[]);
            self.b.seal_block(inline);
            self.b.seal_block(next);
            self.b.switch_to_block(inline);
            let [to_rest, from_rest] = [to, from].map(|address| self.b.ins().iadd(address, rest));
            let [first, last] = [from, from_rest].map(|from| self.b.ins().load(*ty, flags, from, 0));
            self.b.ins().store(flags, first, to, 0);
            self.b.ins().store(flags, last, to_rest, 0);
            self.b.ins().jump(done, &[]);
            self.b.switch_to_block(next);
        }
        self.fallible(builtin!(elements_copy), &[to, from, len, bytes]);
        self.b.ins().jump(done, &[]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
    }

    /// The operand at an index of the stack as two words.
    fn value_of_two(&mut self, index: usize) -> [Value; 2] {
        let value = self.operand(index);
        let zero = self.b.ins().iconst(types::I64, 0);
        let bits = |s: &mut Self, ty| s.b.ins().bitcast(ty, MemFlagsData::new(), value);
        match self.b.func.dfg.value_type(value) {
            types::I64 => [value, zero],
            types::I32 => [self.b.ins().uextend(types::I64, value), zero],
            types::F64 => [bits(self, types::I64), zero],
            types::F32 => {
                let bits = bits(self, types::I32);
                [self.b.ins().uextend(types::I64, bits), zero]
            }
            _ => {
                let lanes = self.cast_vector(value, types::I64X2);
                [self.b.ins().extractlane(lanes, 0), self.b.ins().extractlane(lanes, 1)]
            }
        }
    }
}
