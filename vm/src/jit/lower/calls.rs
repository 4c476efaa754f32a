//! Calls, tail calls, tables and references.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{ExtFuncData, ExternalName, InstBuilder, MemFlagsData, UserExternalName, Value, types};
use wasmparser::Operator;

use super::exceptions::Target;
use super::{Lower, PTR, builtin, clif_type, signature, trap_code};
use crate::module::{DefinedFunc, FuncIndex, TableIndex, TypeIndex};
use crate::runtime::context::{FuncRef, TableDef};
use crate::runtime::trap::TrapKind;
use crate::types::{FuncType, RefType, ValType};

/// Who is called.
enum Callee {
    /// A function of the same batch.
    Direct(DefinedFunc),
    /// Whatever this address is.
    Address(Value),
}

impl Lower<'_> {
    /// Lowers an operator of this group.
    pub fn calls(&mut self, op: &Operator<'_>) -> bool {
        match *op {
            Operator::Call { function_index } => self.call(FuncIndex(function_index), false),
            Operator::ReturnCall { function_index } => self.call(FuncIndex(function_index), true),
            Operator::CallIndirect { type_index, table_index } => self.call_indirect(type_index, table_index, false),
            Operator::ReturnCallIndirect { type_index, table_index } => {
                self.call_indirect(type_index, table_index, true);
            }
            Operator::RefNull { hty } => {
                let ty = ValType::Ref(RefType::nullable(self.module.heap_type(hty)));
                let null = self.zero(ty);
                self.push_typed(null, ty);
            }
            Operator::CallRef { type_index } => self.call_ref(type_index, false),
            Operator::ReturnCallRef { type_index } => self.call_ref(type_index, true),
            Operator::RefIsNull => {
                let value = self.pop();
                self.is_zero(value);
            }
            Operator::RefFunc { function_index } => {
                let func = self.func_ref(FuncIndex(function_index));
                self.push(func);
            }
            Operator::TableGet { table } => {
                let index = self.pop();
                let (address, flags) = self.element(table, index, TrapKind::TableOutOfBounds);
                let ty = self.module.tables[table as usize].element;
                let value = self.b.ins().load(clif_type(ty), flags, address, 0);
                self.push_typed(value, ty);
            }
            Operator::TableSet { table } => {
                let (index, value) = self.pop2();
                let (address, flags) = self.element(table, index, TrapKind::TableOutOfBounds);
                let value = self.cell(value);
                self.b.ins().store(flags, value, address, 0);
            }
            Operator::TableSize { table } => {
                let len = self.table_len(table);
                let len = self.narrow(len, self.module.tables[table as usize].address);
                self.push(len);
            }
            Operator::TableGrow { table } => {
                let (value, delta) = self.pop2();
                let value = self.cell(value);
                let delta = self.wide(delta);
                let index = self.i32(table);
                let grown = self.fallible(builtin!(table_grow), &[index, value, delta]);
                let old = self.grown(grown, self.module.tables[table as usize].address);
                self.push(old);
            }
            Operator::TableFill { table } => {
                let (value, len) = self.pop2();
                let value = self.cell(value);
                let at = self.pop();
                let (at, len) = (self.wide(at), self.wide(len));
                let table = self.i32(table);
                self.fallible(builtin!(table_fill), &[table, at, value, len]);
            }
            Operator::TableCopy { dst_table, src_table } => {
                let (from, len) = self.pop2();
                let to = self.pop();
                let indices = self.indices(dst_table, src_table);
                let (to, from, len) = (self.wide(to), self.wide(from), self.wide(len));
                self.fallible(builtin!(table_copy), &[indices, to, from, len]);
            }
            Operator::TableInit { elem_index, table } => self.init(builtin!(table_init), table, elem_index),
            Operator::ElemDrop { elem_index } => {
                let elem = self.i32(elem_index);
                self.builtin(builtin!(elem_drop), &[elem]);
            }
            _ => return false,
        }
        true
    }

    /// Copies from a segment, with target, source and length on the stack.
    pub fn init(&mut self, builtin: usize, target: u32, segment: u32) {
        let (from, len) = self.pop2();
        let to = self.pop();
        let to = self.wide(to);
        let indices = self.indices(target, segment);
        self.fallible(builtin, &[indices, to, from, len]);
    }

    /// Two indices as one argument.
    pub fn indices(&mut self, first: u32, second: u32) -> Value {
        self.b.ins().iconst(types::I64, (u64::from(first) | u64::from(second) << 32) as i64)
    }

    /// The address of the instance's reference to a function.
    fn func_ref(&mut self, func: FuncIndex) -> Value {
        self.b.ins().iadd_imm_s(self.context, i64::from(self.code.layout.function(func.0)))
    }

    fn call(&mut self, func: FuncIndex, tail: bool) {
        let ty = self.module.func_type(func).clone();
        let func_ref = self.func_ref(func);
        let (callee, context) = match self.module.defined(func) {
            Some(defined) if self.own.contains(&defined) => (Callee::Direct(defined), self.context),
            Some(_) => (Callee::Address(self.func_field(func_ref, offset_of!(FuncRef, code))), self.context),
            None => {
                let code = self.func_field(func_ref, offset_of!(FuncRef, code));
                (Callee::Address(code), self.func_field(func_ref, offset_of!(FuncRef, context)))
            }
        };
        self.finish_call(&ty, &callee, context, func_ref, tail);
    }

    /// A field of a function reference. `code` changes when the callee is compiled.
    fn func_field(&mut self, func_ref: Value, at: usize) -> Value {
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.table));
        self.b.ins().load(PTR, flags, func_ref, at as i32)
    }

    fn finish_call(&mut self, ty: &FuncType, callee: &Callee, context: Value, func_ref: Value, tail: bool) {
        let mut args = self.pop_many(ty.params().len());
        self.canonical(&mut args);
        if tail && self.resume.is_some() {
            self.hand_on(ty, &args, func_ref);
            return;
        }
        // Compiled bodies do not read the reference: what is at hand already costs no register.
        let func_ref = if matches!(callee, Callee::Direct(_)) { context } else { func_ref };
        args.splice(0..0, [context, func_ref]);
        let sig = self.b.import_signature(signature(ty));
        if let Some(claims) = &mut self.claims {
            claims.signatures.insert(sig, ty.clone());
        }
        let target = match *callee {
            Callee::Direct(func) => {
                let name = self.b.func.declare_imported_user_function(UserExternalName::new(0, func.0));
                let data =
                    ExtFuncData { name: ExternalName::user(name), signature: sig, colocated: true, patchable: false };
                Target::Direct(self.b.import_function(data))
            }
            Callee::Address(code) => Target::Address(code),
        };
        if tail {
            match target {
                Target::Direct(func) => self.b.ins().return_call(func, &args),
                Target::Address(code) => self.b.ins().return_call_indirect(sig, code, &args),
            };
            self.reachable = false;
        } else {
            let results = self.call_here(sig, target, &args);
            for (value, ty) in results.into_iter().zip(ty.results()) {
                self.push_typed(value, *ty);
            }
        }
    }

    fn call_indirect(&mut self, type_index: u32, table: u32, tail: bool) {
        let ty = self.module.func_type_at(TypeIndex(type_index)).clone();
        let index = self.pop();
        let (address, flags) = self.element(table, index, TrapKind::UndefinedElement);
        let func_ref = self.b.ins().load(PTR, flags, address, 0);
        // A null reference faults here.
        let flags = MemFlagsData::new()
            .with_aligned()
            .with_readonly()
            .with_alias_region(Some(self.regions.table))
            .with_trap_code(Some(trap_code(TrapKind::UninitializedElement)));
        let id = self.b.ins().load(types::I32, flags, func_ref, offset_of!(FuncRef, type_id) as i32);
        let wanted = self.module.types[type_index as usize].id.0;
        let other = self.b.ins().icmp_imm_u(IntCC::NotEqual, id, i64::from(wanted));
        let wanted = self.module.types[type_index as usize].clone();
        if wanted.is_final {
            self.trap_if(other, TrapKind::IndirectCallTypeMismatch);
        } else {
            let [subtype, next] = [(); 2].map(|()| self.b.create_block());
            self.b.set_cold_block(subtype);
            self.b.ins().brif(other, subtype, &[], next, &[]);
            self.b.seal_block(subtype);
            self.b.switch_to_block(subtype);
            let header = self.header_of(id);
            let holds = self.is_subtype(header, wanted.id, wanted.supertypes.len() as u32);
            self.b.ins().trapz(holds, trap_code(TrapKind::IndirectCallTypeMismatch));
            self.b.ins().jump(next, &[]);
            self.b.seal_block(next);
            self.b.switch_to_block(next);
        }
        let code = self.func_field(func_ref, offset_of!(FuncRef, code));
        let context = self.func_field(func_ref, offset_of!(FuncRef, context));
        self.finish_call(&ty, &Callee::Address(code), context, func_ref, tail);
    }

    fn call_ref(&mut self, type_index: u32, tail: bool) {
        let ty = self.module.func_type_at(TypeIndex(type_index)).clone();
        let func_ref = self.pop();
        // Null faults here.
        let flags = MemFlagsData::new()
            .with_aligned()
            .with_alias_region(Some(self.regions.table))
            .with_trap_code(Some(trap_code(TrapKind::NullFunction)));
        let code = self.b.ins().load(PTR, flags, func_ref, offset_of!(FuncRef, code) as i32);
        let context = self.func_field(func_ref, offset_of!(FuncRef, context));
        self.finish_call(&ty, &Callee::Address(code), context, func_ref, tail);
    }

    /// A reference as a table's cell holds it.
    fn cell(&mut self, value: Value) -> Value {
        if self.b.func.dfg.value_type(value) == PTR { value } else { self.b.ins().uextend(types::I64, value) }
    }

    fn table_field(&mut self, table: u32, at: usize) -> Value {
        let def = self.context_load(PTR, self.code.layout.table(table));
        let mut flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.table));
        if self.module.is_table_fixed(TableIndex(table)) {
            flags = flags.with_readonly().with_can_move();
        }
        self.b.ins().load(PTR, flags, def, at as i32)
    }

    fn table_len(&mut self, table: u32) -> Value {
        if self.module.is_table_fixed(TableIndex(table)) {
            let len = self.module.tables[table as usize].limits.min;
            return self.b.ins().iconst(types::I64, len as i64);
        }
        self.table_field(table, offset_of!(TableDef, len))
    }

    /// The address of a table's cell, zero if the index is out of bounds, also when that is
    /// mispredicted; and how to access it, so that zero traps.
    fn element(&mut self, table: u32, index: Value, kind: TrapKind) -> (Value, MemFlagsData) {
        debug_assert!(self.module.tables[table as usize].element.is_ref());
        let index = self.wide(index);
        let len = self.table_len(table);
        let out = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        let base = self.table_field(table, offset_of!(TableDef, base));
        let offset = self.b.ins().ishl_imm_u(index, 3);
        let address = self.b.ins().iadd(base, offset);
        let zero = self.b.ins().iconst(PTR, 0);
        let address = self.b.ins().select_spectre_guard(out, zero, address);
        let flags = MemFlagsData::new()
            .with_aligned()
            .with_alias_region(Some(self.regions.table))
            .with_trap_code(Some(trap_code(kind)));
        (address, flags)
    }
}
