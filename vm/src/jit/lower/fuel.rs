//! Fuel in compiled code: what [`metering`](crate::metering) says is charged, in few instructions.
//!
//! What is left stays in one register, whoever runs: Cranelift's pinned one, which it gives to nothing else. Calls between compiled functions
//! neither save nor load it, and where code traps the handler of the signal finds it there. In the store's context it is while anybody else
//! runs: trampolines load it at the entry and store it at the end, around builtins and stubs it is stored and loaded, and where an
//! exception lands it is loaded.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::FunctionBuilder;
use wasmparser::Operator;

use super::{Lower, PTR, trap_code};
use crate::metering::Segments;
use crate::runtime::context::{InstanceContext, StoreContext};
use crate::runtime::trap::TrapKind;

/// The fuel of a body that counts it.
#[derive(Default)]
pub struct Meter {
    segments: Segments,
    charge: Option<Charge>,
}

/// Instructions that charge for the present segment.
struct Charge {
    /// The constant that is charged.
    cost: Option<ir::Inst>,
    /// What traps if that was too much, from its condition on.
    check: [Option<ir::Inst>; 2],
}

/// Takes what is left from the store whose context this is, where that counts.
pub fn take(b: &mut FunctionBuilder<'_>, store: Value) {
    let left = b.ins().load(types::I64, MemFlagsData::trusted(), store, AT);
    b.ins().set_pinned_reg(left);
}

/// Gives what is left to the store.
pub fn leave(b: &mut FunctionBuilder<'_>, store: Value) {
    let left = b.ins().get_pinned_reg(types::I64);
    b.ins().store(MemFlagsData::trusted(), left, store, AT);
}

/// Where a store keeps what is left.
const AT: i32 = offset_of!(StoreContext, fuel) as i32;

impl Lower<'_> {
    /// Takes what is left from the store, where somebody else may have changed it.
    pub fn take_fuel(&mut self) {
        if self.meter.is_some() {
            let store = self.store_context();
            take(&mut self.b, store);
        }
    }

    /// Gives what is left to the store, where somebody else comes to look at it.
    pub fn leave_fuel(&mut self) {
        if self.meter.is_some() {
            let store = self.store_context();
            leave(&mut self.b, store);
        }
    }

    /// Charges for an operator that is next: the whole segment, where one begins.
    pub fn charge(&mut self, op: &Operator<'_>) {
        let Some(meter) = &mut self.meter else { return };
        if !meter.segments.charge(op) {
            return;
        }
        let fuel = self.b.ins().get_pinned_reg(types::I64);
        let cost = self.b.ins().iconst(types::I64, 0);
        let left = self.b.ins().isub(fuel, cost);
        self.b.ins().set_pinned_reg(left);
        let spent = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
        let trap = self.b.ins().trapnz(spent, trap_code(TrapKind::OutOfFuel));
        let [cost, spent] = [cost, spent].map(|value| self.b.func.dfg.value_def(value).inst());
        meter.charge = Some(Charge { cost, check: [spent, Some(trap)] });
    }

    /// Ends the present segment, if it ends with this operator, which was lowered: what it costs is known now.
    pub fn end_segment(&mut self, op: &Operator<'_>) {
        let Some(meter) = &mut self.meter else { return };
        let Some(segment) = meter.segments.end(op, self.reachable) else { return };
        let Some(charge) = meter.charge.take() else { return };
        let func = &mut self.b.func;
        if let Some(ir::InstructionData::UnaryImm { imm, .. }) = charge.cost.map(|inst| &mut func.dfg.insts[inst]) {
            *imm = i64::from(segment.cost).into();
        }
        if !segment.is_checked {
            charge.check.into_iter().flatten().for_each(|inst| func.layout.remove_inst(inst));
        }
    }

    fn store_context(&mut self) -> Value {
        self.context_load(PTR, offset_of!(InstanceContext, store) as u32)
    }
}
