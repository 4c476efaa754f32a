//! Tests and casts of references, branches on them, small integers.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use wasmparser::{HeapType, Operator};

use super::{Lower, PTR, builtin, trap_code};
use crate::heap::{DISPLAY, DISPLAY_AT, RECORDS_BELOW, header_of};
use crate::runtime::cast::{Cast, Test};
use crate::runtime::context::{FuncRef, InstanceContext};
use crate::runtime::trap::TrapKind;
use crate::types::{HeapType as Heap, RefType, TypeId, ValType};

impl Lower<'_> {
    /// Lowers an operator of this group.
    pub fn references(&mut self, op: &Operator<'_>) -> bool {
        match *op {
            Operator::RefEq => {
                let (a, b) = self.pop2();
                let equal = self.b.ins().icmp(IntCC::Equal, a, b);
                self.push_bool(equal);
            }
            Operator::RefAsNonNull => {
                let ty = self.top_traced();
                let value = self.pop();
                self.b.ins().trapz(value, trap_code(TrapKind::NullReference));
                self.push_again(value, ty, false);
            }
            Operator::RefTestNonNull { hty } => self.test(Cast::new(self.module, false, hty)),
            Operator::RefTestNullable { hty } => self.test(Cast::new(self.module, true, hty)),
            Operator::RefCastNonNull { hty } => self.cast(false, hty),
            Operator::RefCastNullable { hty } => self.cast(true, hty),
            Operator::BrOnNull { relative_depth } => {
                let ty = self.top_traced();
                let value = self.pop();
                let (target, arguments) = self.branch(relative_depth);
                let next = self.b.create_block();
                self.b.ins().brif(value, next, &[], target, &arguments);
                self.b.seal_block(next);
                self.b.switch_to_block(next);
                self.push_again(value, ty, false);
            }
            Operator::BrOnNonNull { relative_depth } => {
                let (target, arguments) = self.branch(relative_depth);
                let value = self.pop();
                let next = self.b.create_block();
                self.b.ins().brif(value, target, &arguments, next, &[]);
                self.b.seal_block(next);
                self.b.switch_to_block(next);
            }
            Operator::BrOnCast { relative_depth, to_ref_type, .. } => {
                self.branch_on_cast(relative_depth, to_ref_type, true);
            }
            Operator::BrOnCastFail { relative_depth, to_ref_type, .. } => {
                self.branch_on_cast(relative_depth, to_ref_type, false);
            }
            Operator::RefI31 => {
                let value = self.pop();
                let shifted = self.b.ins().ishl_imm_u(value, 1);
                let value = self.b.ins().bor_imm_u(shifted, 1);
                self.push_typed(value, ValType::Ref(RefType::non_null(Heap::I31)));
            }
            Operator::I31GetS => {
                let value = self.integer();
                let value = self.b.ins().sshr_imm_u(value, 1);
                self.push(value);
            }
            Operator::I31GetU => {
                let value = self.integer();
                let value = self.b.ins().ushr_imm_u(value, 1);
                self.push(value);
            }
            Operator::AnyConvertExtern => self.convert(Heap::Any),
            Operator::ExternConvertAny => self.convert(Heap::Extern),
            _ => return false,
        }
        true
    }

    /// The type of the topmost operand, if the collector traces it.
    fn top_traced(&self) -> Option<RefType> {
        match self.stack.last() {
            Some(super::roots::Operand::Traced(ty)) => Some(*ty),
            _ => None,
        }
    }

    /// Pushes a value that was just popped, of the same type but for whether it may be null.
    fn push_again(&mut self, value: Value, ty: Option<RefType>, nullable: bool) {
        match ty {
            Some(ty) => self.push_typed(value, ValType::Ref(RefType { nullable, ..ty })),
            None => self.push(value),
        }
    }

    /// References of both families look the same.
    fn convert(&mut self, heap: Heap) {
        let nullable = self.top_traced().is_none_or(|ty| ty.nullable);
        let value = self.pop();
        self.push_typed(value, ValType::Ref(RefType { nullable, heap }));
    }

    /// Pops a small integer that may be null.
    fn integer(&mut self) -> Value {
        let nullable = self.top_traced().is_none_or(|ty| ty.nullable);
        let value = self.pop();
        if nullable {
            self.b.ins().trapz(value, trap_code(TrapKind::NullI31));
        }
        value
    }

    /// The base of the heap.
    pub fn heap_base(&mut self) -> Value {
        self.context_load(PTR, offset_of!(InstanceContext, heap) as u32)
    }

    /// The address of a place in the heap.
    pub fn heap_address(&mut self, at: Value) -> Value {
        let base = self.heap_base();
        let at = self.b.ins().uextend(PTR, at);
        self.b.ins().iadd(base, at)
    }

    /// How something is accessed that null leads away from: to memory that faults.
    pub fn object_flags(&self, null: TrapKind) -> MemFlagsData {
        MemFlagsData::new().with_alias_region(Some(self.regions.objects)).with_trap_code(Some(trap_code(null)))
    }

    /// The header that objects of a type have, from its number.
    pub fn header_of(&mut self, id: Value) -> Value {
        let next = self.b.ins().iadd_imm_s(id, 1);
        self.b.ins().ishl_imm_u(next, 6)
    }

    /// Whether the type with a header is another or a subtype of it, of which it is known at what depth it stands.
    pub fn is_subtype(&mut self, header: Value, id: TypeId, depth: u32) -> Value {
        if depth as usize >= DISPLAY {
            let (id, depth) = (self.i32(id.0), self.i32(depth));
            return self.builtin(builtin!(is_subtype), &[header, id, depth]);
        }
        let address = self.heap_address(header);
        let at = DISPLAY_AT as i64 + i64::from(depth) * 4 - RECORDS_BELOW as i64;
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.context));
        let found = self.b.ins().load(types::I32, flags, address, at as i32);
        self.b.ins().icmp_imm_u(IntCC::Equal, found, i64::from(header_of(id)))
    }

    /// Whether a reference that is not null is of a type, as far as that takes no branch. `fails` says whether a reference
    /// that is no object is to trap.
    fn is_object(&mut self, value: Value, id: TypeId, depth: u32, exact: bool, null: TrapKind) -> Value {
        let address = self.heap_address(value);
        let flags = self.object_flags(null);
        let header = self.b.ins().load(types::I32, flags, address, 0);
        if exact {
            return self.b.ins().icmp_imm_u(IntCC::Equal, header, i64::from(header_of(id)));
        }
        self.is_subtype(header, id, depth)
    }

    /// Whether a function that is not null is of a type.
    fn is_func(&mut self, func: Value, id: TypeId, depth: u32, exact: bool) -> Value {
        let flags = MemFlagsData::new()
            .with_aligned()
            .with_alias_region(Some(self.regions.table))
            .with_trap_code(Some(trap_code(TrapKind::CastFailure)));
        let own = self.b.ins().load(types::I32, flags, func, offset_of!(FuncRef, type_id) as i32);
        if exact {
            return self.b.ins().icmp_imm_u(IntCC::Equal, own, i64::from(id.0));
        }
        let header = self.header_of(own);
        self.is_subtype(header, id, depth)
    }

    /// Whether references of a type may be something else than null and objects.
    fn may_be_unboxed(ty: RefType) -> bool {
        matches!(ty.heap, Heap::Any | Heap::Eq | Heap::I31 | Heap::Extern)
    }

    /// Whether what is no object, by its lowest bits.
    fn is_unboxed(&mut self, value: Value) -> Value {
        self.b.ins().band_imm_u(value, 7)
    }

    /// Whether a reference of a type is of another, as a value that is zero if it is not.
    fn holds(&mut self, value: Value, ty: RefType, cast: Cast) -> Value {
        let answer = |s: &mut Self, holds: bool| s.b.ins().iconst(types::I8, i64::from(holds));
        let is_null = |s: &mut Self, holds: bool| {
            let cc = if holds { IntCC::Equal } else { IntCC::NotEqual };
            s.b.ins().icmp_imm_s(cc, value, 0)
        };
        match cast.test {
            Test::Always if cast.nullable || !ty.nullable => return answer(self, true),
            Test::Always => return is_null(self, false),
            Test::Never if cast.nullable && ty.nullable => return is_null(self, true),
            Test::Never => return answer(self, false),
            _ => {}
        }
        let done = self.b.create_block();
        self.b.append_block_param(done, types::I8);
        if ty.nullable {
            let some = self.b.create_block();
            let null = answer(self, cast.nullable);
            self.b.ins().brif(value, some, &[], done, &[null.into()]);
            self.b.seal_block(some);
            self.b.switch_to_block(some);
        }
        let holds = match cast.test {
            Test::I31 => self.b.ins().band_imm_u(value, 1),
            Test::Eq => {
                // What is neither a small integer nor an object is a handle of the host's, which ends in 010.
                let low = self.is_unboxed(value);
                let handle = self.b.ins().icmp_imm_u(IntCC::NotEqual, low, 2);
                self.b.ins().uextend(types::I32, handle)
            }
            Test::Object { id, depth, exact } => {
                if Self::may_be_unboxed(ty) {
                    let object = self.b.create_block();
                    let unboxed = self.is_unboxed(value);
                    let no = answer(self, false);
                    self.b.ins().brif(unboxed, done, &[no.into()], object, &[]);
                    self.b.seal_block(object);
                    self.b.switch_to_block(object);
                }
                self.is_object(value, id, depth, exact, TrapKind::CastFailure)
            }
            Test::Func { id, depth, exact } => self.is_func(value, id, depth, exact),
            Test::Always | Test::Never => answer(self, true),
        };
        let holds = match self.b.func.dfg.value_type(holds) {
            types::I8 => holds,
            _ => self.b.ins().ireduce(types::I8, holds),
        };
        self.b.ins().jump(done, &[holds.into()]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// The type of the topmost operand, also of a function, of which it is only known that it may be null.
    fn type_of_top(&self) -> RefType {
        self.top_traced().unwrap_or(RefType::nullable(Heap::Func))
    }

    fn test(&mut self, cast: Cast) {
        let ty = self.type_of_top();
        let value = self.pop();
        let holds = self.holds(value, ty, cast);
        self.push_bool(holds);
    }

    fn branch_on_cast(&mut self, depth: u32, to: wasmparser::RefType, when: bool) {
        let cast = Cast::new(self.module, to.is_nullable(), to.heap_type());
        let (traced, ty) = (self.top_traced(), self.type_of_top());
        let value = self.operand(self.stack.len() - 1);
        let holds = self.holds(value, ty, cast);
        let (target, arguments) = self.branch(depth);
        let next = self.b.create_block();
        if when {
            self.b.ins().brif(holds, target, &arguments, next, &[]);
        } else {
            self.b.ins().brif(holds, next, &[], target, &arguments);
        }
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        // Here it is known to be of the type, or not to be.
        self.stack.pop();
        let known =
            if when { RefType { nullable: ty.nullable && !to.is_nullable(), ..ty } } else { self.module.ref_type(to) };
        if traced.is_some() { self.push_typed(value, ValType::Ref(known)) } else { self.push(value) }
    }

    fn cast(&mut self, nullable: bool, to: HeapType) {
        let cast = Cast::new(self.module, nullable, to);
        let (traced, ty) = (self.top_traced(), self.type_of_top());
        let value = self.pop();
        self.check(value, ty, cast);
        let to = ValType::Ref(RefType { nullable, heap: self.module.heap_type(to) });
        if traced.is_some() { self.push_typed(value, to) } else { self.push(value) }
    }

    /// Traps if a reference of a type is not of another.
    fn check(&mut self, value: Value, ty: RefType, cast: Cast) {
        let Test::Object { id, depth, exact } = cast.test else {
            let holds = self.holds(value, ty, cast);
            self.b.ins().trapz(holds, trap_code(TrapKind::CastFailure));
            return;
        };
        let done = (ty.nullable && cast.nullable).then(|| {
            let [some, done] = [(); 2].map(|()| self.b.create_block());
            self.b.ins().brif(value, some, &[], done, &[]);
            self.b.seal_block(some);
            self.b.switch_to_block(some);
            done
        });
        if Self::may_be_unboxed(ty) {
            let unboxed = self.is_unboxed(value);
            self.trap_if(unboxed, TrapKind::CastFailure);
        }
        // Null, if it is not of the type, faults where its header would be.
        let holds = self.is_object(value, id, depth, exact, TrapKind::CastFailure);
        self.b.ins().trapz(holds, trap_code(TrapKind::CastFailure));
        if let Some(done) = done {
            self.b.ins().jump(done, &[]);
            self.b.seal_block(done);
            self.b.switch_to_block(done);
        }
    }
}
