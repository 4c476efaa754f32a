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
use crate::types::ValType;

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
                let pages = self.b.ins().ireduce(I32, pages);
                self.push(pages);
            }
            Operator::MemoryGrow { mem } => {
                let pages = self.pop();
                let memory = self.i32(mem);
                let old = self.fallible(builtin!(memory_grow), &[memory, pages]);
                let old = self.b.ins().ireduce(I32, old);
                self.push(old);
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let (from, len) = self.pop2();
                let to = self.pop();
                let len = self.b.ins().uextend(types::I64, len);
                let from = self.range(src_mem, from, len);
                let to = self.range(dst_mem, to, len);
                self.fallible(builtin!(bytes_copy), &[to, from, len]);
            }
            Operator::MemoryInit { data_index, mem } => self.bulk(builtin!(memory_init), mem, data_index),
            Operator::MemoryFill { mem } => {
                let (byte, len) = self.pop2();
                let to = self.pop();
                let len = self.b.ins().uextend(types::I64, len);
                let to = self.range(mem, to, len);
                self.fallible(builtin!(bytes_fill), &[to, byte, len]);
            }
            Operator::DataDrop { data_index } => {
                let data = self.i32(data_index);
                self.builtin(builtin!(data_drop), &[data]);
            }
            Operator::GlobalGet { global_index } => {
                let (address, at, flags) = self.global(global_index);
                let ty = clif_type(self.module.globals[global_index as usize].value);
                let value = self.b.ins().load(ty, flags, address, at);
                self.push(value);
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
        let index = self.b.ins().uextend(types::I64, index);
        // Both are below 2³², so the sum does not wrap.
        let end = self.b.ins().iadd(index, len);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
        self.trap_if(out, TrapKind::MemoryOutOfBounds);
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
        let slot = self.code.layout.memory(memory);
        let index = self.b.ins().uextend(types::I64, index);
        let end = memarg.offset + u64::from(bytes);
        if self.code.config.memory == MemoryKind::Reserved {
            let base = self.context_load(PTR, slot + offset_of!(MemorySlot, base) as u32);
            // An index below 4 GiB and an offset below the guard's size end in the guard at worst.
            if end <= GUARD && i32::try_from(memarg.offset).is_ok() {
                return (self.b.ins().iadd(base, index), memarg.offset as i32);
            }
        }
        let def = self.context_load(PTR, slot + offset_of!(MemorySlot, def) as u32);
        let base = self.def_field(def, offset_of!(MemoryDef, base));
        let len = self.def_field(def, offset_of!(MemoryDef, len));
        let last = self.b.ins().iadd_imm_s(index, end as i64);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThan, last, len);
        let address = self.b.ins().iadd(base, index);
        let address = self.b.ins().iadd_imm_s(address, memarg.offset as i64);
        let zero = self.b.ins().iconst(PTR, 0);
        (self.b.ins().select_spectre_guard(out, zero, address), 0)
    }
}
