//! Fuel in compiled code: what [`metering`](crate::metering) says is charged, in few instructions.
//!
//! What is left is a variable, which Cranelift keeps in a register. It is stored in the store's context before what may trap,
//! call or return, where others may look at it, and loaded where they may have changed it: at the entry, after calls, and where an exception
//! lands.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};
use wasmparser::Operator;

use super::{Lower, PTR, trap_code};
use crate::metering::Segments;
use crate::runtime::context::{InstanceContext, StoreContext};
use crate::runtime::trap::TrapKind;

/// The fuel of a body that counts it.
pub struct Meter {
    /// What is left.
    left: Variable,
    /// Whether the store has it too.
    is_stored: bool,
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

impl Meter {
    /// For a body whose locals have not been declared.
    pub fn new(b: &mut FunctionBuilder<'_>) -> Self {
        Self { left: b.declare_var(types::I64), is_stored: false, segments: Segments::default(), charge: None }
    }
}

impl Lower<'_> {
    /// Takes what is left from the store.
    pub fn take_fuel(&mut self) {
        let Some(meter) = &mut self.meter else { return };
        meter.is_stored = true;
        let left = meter.left;
        let (store, at) = self.fuel_cell();
        let fuel = self.b.ins().load(types::I64, MemFlagsData::trusted(), store, at);
        self.b.def_var(left, fuel);
    }

    /// Gives what is left to the store.
    pub fn leave_fuel(&mut self) {
        let Some(meter) = self.meter.as_mut().filter(|meter| !meter.is_stored) else { return };
        meter.is_stored = true;
        let left = meter.left;
        let left = self.b.use_var(left);
        let (store, at) = self.fuel_cell();
        self.b.ins().store(MemFlagsData::trusted(), left, store, at);
    }

    /// The store may not have what is left.
    pub fn forget_stored_fuel(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.is_stored = false;
        }
    }

    /// Charges for an operator that is next: the whole segment, where one begins.
    pub fn charge(&mut self, op: &Operator<'_>) {
        let Some(meter) = &mut self.meter else { return };
        if meter.segments.charge(op) {
            meter.is_stored = false;
            let variable = meter.left;
            let fuel = self.b.use_var(variable);
            let cost = self.b.ins().iconst(types::I64, 0);
            let left = self.b.ins().isub(fuel, cost);
            self.b.def_var(variable, left);
            let spent = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
            let trap = self.b.ins().trapnz(spent, trap_code(TrapKind::OutOfFuel));
            let [cost, spent] = [cost, spent].map(|value| self.b.func.dfg.value_def(value).inst());
            if let Some(meter) = &mut self.meter {
                meter.charge = Some(Charge { cost, check: [spent, Some(trap)] });
            }
        }
        if !is_quiet(op) {
            self.leave_fuel();
        }
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

    /// Where the store keeps what is left.
    fn fuel_cell(&mut self) -> (Value, i32) {
        let store = self.context_load(PTR, offset_of!(InstanceContext, store) as u32);
        (store, offset_of!(StoreContext, fuel) as i32)
    }
}

/// Whether an operator neither traps nor calls nor returns, so that nobody looks at the fuel meanwhile. Not all that do not are here, but
/// those that much code is made of.
#[expect(clippy::match_like_matches_macro, reason = "a line for each kind")]
fn is_quiet(op: &Operator<'_>) -> bool {
    use Operator as O;
    match op {
        O::Nop | O::Block { .. } | O::Loop { .. } | O::If { .. } | O::Else | O::End | O::Drop => true,
        O::Br { .. } | O::BrIf { .. } | O::BrTable { .. } | O::BrOnNull { .. } | O::BrOnNonNull { .. } => true,
        O::BrOnCast { .. } | O::BrOnCastFail { .. } | O::RefTestNonNull { .. } | O::RefTestNullable { .. } => true,
        O::Select | O::TypedSelect { .. } | O::LocalGet { .. } | O::LocalSet { .. } | O::LocalTee { .. } => true,
        O::GlobalGet { .. } | O::GlobalSet { .. } | O::MemorySize { .. } | O::TableSize { .. } => true,
        O::RefNull { .. } | O::RefIsNull | O::RefEq | O::RefFunc { .. } | O::RefI31 => true,
        O::I32Const { .. } | O::I64Const { .. } | O::F32Const { .. } | O::F64Const { .. } => true,
        O::I32Eqz | O::I32Eq | O::I32Ne | O::I32LtS | O::I32LtU | O::I32GtS | O::I32GtU => true,
        O::I32LeS | O::I32LeU | O::I32GeS | O::I32GeU | O::I64Eqz | O::I64Eq | O::I64Ne => true,
        O::I64LtS | O::I64LtU | O::I64GtS | O::I64GtU | O::I64LeS | O::I64LeU | O::I64GeS | O::I64GeU => true,
        O::F32Eq | O::F32Ne | O::F32Lt | O::F32Gt | O::F32Le | O::F32Ge => true,
        O::F64Eq | O::F64Ne | O::F64Lt | O::F64Gt | O::F64Le | O::F64Ge => true,
        O::I32Clz | O::I32Ctz | O::I32Popcnt | O::I32Add | O::I32Sub | O::I32Mul | O::I32And | O::I32Or | O::I32Xor => {
            true
        }
        O::I32Shl | O::I32ShrS | O::I32ShrU | O::I32Rotl | O::I32Rotr => true,
        O::I64Clz | O::I64Ctz | O::I64Popcnt | O::I64Add | O::I64Sub | O::I64Mul | O::I64And | O::I64Or | O::I64Xor => {
            true
        }
        O::I64Shl | O::I64ShrS | O::I64ShrU | O::I64Rotl | O::I64Rotr => true,
        O::F32Abs | O::F32Neg | O::F32Sqrt | O::F32Add | O::F32Sub | O::F32Mul | O::F32Div | O::F32Min | O::F32Max => {
            true
        }
        O::F64Abs | O::F64Neg | O::F64Sqrt | O::F64Add | O::F64Sub | O::F64Mul | O::F64Div | O::F64Min | O::F64Max => {
            true
        }
        O::I32WrapI64 | O::I64ExtendI32S | O::I64ExtendI32U | O::F64PromoteF32 | O::F32DemoteF64 => true,
        O::F32ConvertI32S | O::F32ConvertI32U | O::F32ConvertI64S | O::F32ConvertI64U => true,
        O::F64ConvertI32S | O::F64ConvertI32U | O::F64ConvertI64S | O::F64ConvertI64U => true,
        O::I32ReinterpretF32 | O::I64ReinterpretF64 | O::F32ReinterpretI32 | O::F64ReinterpretI64 => true,
        O::I32Extend8S | O::I32Extend16S | O::I64Extend8S | O::I64Extend16S | O::I64Extend32S => true,
        _ => false,
    }
}
