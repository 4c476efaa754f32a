//! Linear memory and globals.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Endianness, InstBuilder, MemFlagsData, TrapCode, Value, types};
use wasmparser::{MemArg, MemArgTarget, Operator};

use super::{Lower, PTR, builtin, clif_type};
use crate::module::GlobalIndex;
use crate::runtime::config::{GUARD, MemoryKind};
use crate::runtime::context::{GlobalSlot, MemoryDef, MemorySlot};
use crate::runtime::trap::TrapKind;
use crate::types::{AddressType, MemoryType, ValType};

/// How far a load is extended.
#[derive(Clone, Copy)]
enum Widen {
    None,
    Signed(ir::Type),
    Unsigned(ir::Type),
}

impl Lower<'_> {
    /// Lowers an operator of this group.
    pub fn memory(&mut self, op: &Operator<'_>) -> bool {
        use Widen::{None, Signed, Unsigned};
        use types::{F32, F64, I8, I8X16, I16, I32, I64};
        match *op {
            Operator::I32Load { memarg } => self.load(memarg, I32, None),
            Operator::I64Load { memarg } => self.load(memarg, I64, None),
            Operator::F32Load { memarg } => self.load(memarg, F32, None),
            Operator::F64Load { memarg } => self.load(memarg, F64, None),
            Operator::V128Load { memarg } => self.load(memarg, I8X16, None),
            Operator::I32Load8S { memarg } => self.load(memarg, I8, Signed(I32)),
            Operator::I32Load8U { memarg } => self.load(memarg, I8, Unsigned(I32)),
            Operator::I32Load16S { memarg } => self.load(memarg, I16, Signed(I32)),
            Operator::I32Load16U { memarg } => self.load(memarg, I16, Unsigned(I32)),
            Operator::I64Load8S { memarg } => self.load(memarg, I8, Signed(I64)),
            Operator::I64Load8U { memarg } => self.load(memarg, I8, Unsigned(I64)),
            Operator::I64Load16S { memarg } => self.load(memarg, I16, Signed(I64)),
            Operator::I64Load16U { memarg } => self.load(memarg, I16, Unsigned(I64)),
            Operator::I64Load32S { memarg } => self.load(memarg, I32, Signed(I64)),
            Operator::I64Load32U { memarg } => self.load(memarg, I32, Unsigned(I64)),
            Operator::I32Store { memarg }
            | Operator::I64Store { memarg }
            | Operator::F32Store { memarg }
            | Operator::F64Store { memarg }
            | Operator::V128Store { memarg } => {
                let value = self.pop();
                self.store(memarg, value);
            }
            Operator::I32Store8 { memarg } | Operator::I64Store8 { memarg } => self.store_low(memarg, I8),
            Operator::I32Store16 { memarg } | Operator::I64Store16 { memarg } => self.store_low(memarg, I16),
            Operator::I64Store32 { memarg } => self.store_low(memarg, I32),
            Operator::MemorySize { mem } => {
                let def = self.context_load(PTR, self.code.layout.memory(mem));
                let len = self.def_field(def, offset_of!(MemoryDef, len));
                let pages = self.b.ins().ushr_imm_u(len, 16);
                let pages = self.narrow(pages, self.module.memories[mem as usize].address);
                self.push(pages);
            }
            Operator::MemoryGrow { mem } => {
                let pages = self.pop();
                let pages = self.wide(pages);
                let memory = self.i32(mem);
                let grown = self.fallible(builtin!(memory_grow), &[memory, pages]);
                let old = self.grown(grown, self.module.memories[mem as usize].address);
                self.push(old);
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let (from, len) = self.pop2();
                let to = self.pop();
                let len = self.wide(len);
                let from = self.range(src_mem, from, len);
                let to = self.range(dst_mem, to, len);
                self.fallible(builtin!(bytes_copy), &[to, from, len]);
            }
            Operator::MemoryInit { data_index, mem } => self.init(builtin!(memory_init), mem, data_index),
            Operator::MemoryFill { mem } => {
                let (byte, len) = self.pop2();
                let to = self.pop();
                let len = self.wide(len);
                let to = self.range(mem, to, len);
                self.fallible(builtin!(bytes_fill), &[to, byte, len]);
            }
            Operator::DataDrop { data_index } => {
                let data = self.i32(data_index);
                self.builtin(builtin!(data_drop), &[data]);
            }
            Operator::GlobalGet { global_index } => {
                let (address, at, flags) = self.global(global_index);
                let ty = self.module.globals[global_index as usize].value;
                let value = self.b.ins().load(clif_type(ty), flags, address, at);
                self.push_typed(value, ty);
            }
            Operator::GlobalSet { global_index } => {
                let mut value = [self.pop()];
                self.canonical(&mut value);
                let (address, at, flags) = self.global(global_index);
                self.b.ins().store(flags, value[0], address, at);
            }
            _ => return false,
        }
        true
    }

    fn global(&mut self, index: u32) -> (Value, i32, MemFlagsData) {
        let slot = self.code.layout.global(index);
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.global));
        debug_assert!(self.module.globals[index as usize].value != ValType::V128 || slot.is_multiple_of(16));
        if self.module.is_global_inline(GlobalIndex(index)) {
            return (self.context, slot as i32, flags);
        }
        (self.context_load(PTR, slot + offset_of!(GlobalSlot, at) as u32), 0, flags)
    }

    /// A field of a memory's definition, which growth changes.
    fn def_field(&mut self, def: Value, at: usize) -> Value {
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.context));
        self.b.ins().load(PTR, flags, def, at as i32)
    }

    /// The address of `len` bytes (64 bits) from an index on; traps if they are not all there.
    fn range(&mut self, memory: u32, index: Value, len: Value) -> Value {
        let slot = self.code.layout.memory(memory);
        let def = self.context_load(PTR, slot + offset_of!(MemorySlot, def) as u32);
        let base = match self.code.config.memory {
            MemoryKind::Reserved => self.context_load(PTR, slot + offset_of!(MemorySlot, base) as u32),
            MemoryKind::Dynamic => self.def_field(def, offset_of!(MemoryDef, base)),
        };
        let size = self.def_field(def, offset_of!(MemoryDef, len));
        let index = self.wide(index);
        let end = self.b.ins().iadd(index, len);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
        self.trap_if(out, TrapKind::MemoryOutOfBounds);
        // With 32 bits both are below 2³², so the sum does not wrap.
        if self.module.memories[memory as usize].address.is_64() {
            let wrapped = self.b.ins().icmp(IntCC::UnsignedLessThan, end, index);
            self.trap_if(wrapped, TrapKind::MemoryOutOfBounds);
        }
        self.b.ins().iadd(base, index)
    }

    fn load(&mut self, memarg: MemArg, ty: ir::Type, extend: Widen) {
        let index = self.pop();
        let (address, at) = self.address(memarg, index, ty.bytes());
        let flags = self.heap_flags();
        let value = match (ty, extend) {
            (_, Widen::None) => self.b.ins().load(ty, flags, address, at),
            (types::I8, Widen::Signed(to)) => self.b.ins().sload8(to, flags, address, at),
            (types::I8, Widen::Unsigned(to)) => self.b.ins().uload8(to, flags, address, at),
            (types::I16, Widen::Signed(to)) => self.b.ins().sload16(to, flags, address, at),
            (types::I16, Widen::Unsigned(to)) => self.b.ins().uload16(to, flags, address, at),
            (_, Widen::Signed(_)) => self.b.ins().sload32(flags, address, at),
            (_, Widen::Unsigned(_)) => self.b.ins().uload32(flags, address, at),
        };
        self.push(value);
    }

    /// Stores a value at the address on the stack.
    pub fn store(&mut self, memarg: MemArg, value: Value) {
        let index = self.pop();
        let bytes = self.b.func.dfg.value_type(value).bytes();
        let (address, at) = self.address(memarg, index, bytes);
        let flags = self.heap_flags();
        self.b.ins().store(flags, value, address, at);
    }

    fn store_low(&mut self, memarg: MemArg, ty: ir::Type) {
        let value = self.pop();
        let index = self.pop();
        let (address, at) = self.address(memarg, index, ty.bytes());
        let flags = self.heap_flags();
        match ty {
            types::I8 => self.b.ins().istore8(flags, value, address, at),
            types::I16 => self.b.ins().istore16(flags, value, address, at),
            _ => self.b.ins().istore32(flags, value, address, at),
        };
    }

    /// How linear memory is accessed.
    pub fn heap_flags(&self) -> MemFlagsData {
        MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(Some(self.regions.heap))
            .with_trap_code(Some(TrapCode::HEAP_OUT_OF_BOUNDS))
    }

    /// Where an access goes: an address and an offset from it. What is out of bounds faults, in
    /// the guard or at address zero, or has trapped already.
    pub fn address(&mut self, memarg: MemArg, index: Value, bytes: u32) -> (Value, i32) {
        let memory = match memarg.target {
            MemArgTarget::Memory(memory) => memory,
            // The verifier admits no arrays.
            MemArgTarget::Array(_) => 0,
        };
        let ty = self.module.memories[memory as usize];
        let slot = self.code.layout.memory(memory);
        let inside = self.is_inside(&ty, index, memarg.offset, bytes);
        let index = self.wide(index);
        // An offset may have any 64 bits where addresses have.
        let Some(end) = memarg.offset.checked_add(bytes.into()) else { return (self.nowhere(), 0) };
        if self.code.config.memory == MemoryKind::Reserved {
            let base = self.context_load(PTR, slot + offset_of!(MemorySlot, base) as u32);
            // An index of no more than the reserved range and an offset below the guard's size end in the guard at worst.
            if end <= GUARD && i32::try_from(memarg.offset).is_ok() {
                let index = if inside || !ty.address.is_64() { index } else { self.cut_off(slot, index) };
                return (self.b.ins().iadd(base, index), memarg.offset as i32);
            }
        }
        let def = self.context_load(PTR, slot + offset_of!(MemorySlot, def) as u32);
        let base = self.def_field(def, offset_of!(MemoryDef, base));
        if inside {
            let address = self.b.ins().iadd_imm_s(index, memarg.offset as i64);
            return (self.b.ins().iadd(base, address), 0);
        }
        let len = self.def_field(def, offset_of!(MemoryDef, len));
        let out = match ty.address {
            AddressType::I32 => {
                let last = self.b.ins().iadd_imm_s(index, end as i64);
                self.b.ins().icmp(IntCC::UnsignedGreaterThan, last, len)
            }
            AddressType::I64 => self.is_outside(&ty, index, end, len),
        };
        let address = self.b.ins().iadd(base, index);
        let address = self.b.ins().iadd_imm_s(address, memarg.offset as i64);
        let zero = self.nowhere();
        (self.b.ins().select_spectre_guard(out, zero, address), 0)
    }

    /// An address where every access faults.
    fn nowhere(&mut self) -> Value {
        self.b.ins().iconst(PTR, 0)
    }

    /// Whether an address is a constant that is in bounds from the start on, and so for good.
    fn is_inside(&self, ty: &MemoryType, index: Value, offset: u64, bytes: u32) -> bool {
        let dfg = &self.b.func.dfg;
        let Some(inst) = dfg.value_def(index).inst() else { return false };
        let ir::InstructionData::UnaryImm { opcode: ir::Opcode::Iconst, imm } = dfg.insts[inst] else { return false };
        let index = if ty.address.is_64() { imm.bits() as u64 } else { u64::from(imm.bits() as u32) };
        let end = index.checked_add(offset).and_then(|at| at.checked_add(bytes.into()));
        end.is_some_and(|end| end <= ty.min_bytes())
    }

    /// The index, or where the guard begins if it is beyond that, also when that is mispredicted. What does not depend on the
    /// offset is shared by the accesses to one object.
    fn cut_off(&mut self, slot: u32, index: Value) -> Value {
        let bound = self.context_load(PTR, slot + offset_of!(MemorySlot, bound) as u32);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThan, index, bound);
        self.b.ins().select_spectre_guard(out, bound, index)
    }

    /// Whether what ends this far from a 64-bit index is out of bounds.
    fn is_outside(&mut self, ty: &MemoryType, index: Value, end: u64, len: Value) -> Value {
        if end <= ty.min_bytes() {
            // No memory is smaller than at its start, so that this does not wrap.
            let last = self.b.ins().iadd_imm_s(len, (end as i64).wrapping_neg());
            return self.b.ins().icmp(IntCC::UnsignedGreaterThan, index, last);
        }
        let end = self.b.ins().iconst(types::I64, end as i64);
        let last = self.b.ins().iadd(index, end);
        let wrapped = self.b.ins().icmp(IntCC::UnsignedLessThan, last, index);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThan, last, len);
        self.b.ins().bor(wrapped, beyond)
    }
}
