//! Scalar arithmetic, comparisons and conversions.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};
use wasmparser::Operator;

use super::Lower;

impl Lower<'_> {
    fn icmp(&mut self, cc: IntCC) {
        let (a, b) = self.pop2();
        let value = self.b.ins().icmp(cc, a, b);
        self.push_bool(value);
    }

    fn fcmp(&mut self, cc: FloatCC) {
        let (a, b) = self.pop2();
        let value = self.b.ins().fcmp(cc, a, b);
        self.push_bool(value);
    }

    fn unary(&mut self, make: impl FnOnce(&mut Self, Value) -> Value) {
        let a = self.pop();
        let value = make(self, a);
        self.push(value);
    }

    fn binary(&mut self, make: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let (a, b) = self.pop2();
        let value = make(self, a, b);
        self.push(value);
    }

    /// Lowers an operator of this group.
    pub fn numeric(&mut self, op: &Operator<'_>) -> bool {
        use Operator as Op;
        use types::{F32, F64, I8, I16, I32, I64};
        match op {
            Op::I32Eqz | Op::I64Eqz => {
                let value = self.pop();
                self.is_zero(value);
            }
            Op::I32Eq | Op::I64Eq => self.icmp(IntCC::Equal),
            Op::I32Ne | Op::I64Ne => self.icmp(IntCC::NotEqual),
            Op::I32LtS | Op::I64LtS => self.icmp(IntCC::SignedLessThan),
            Op::I32LtU | Op::I64LtU => self.icmp(IntCC::UnsignedLessThan),
            Op::I32GtS | Op::I64GtS => self.icmp(IntCC::SignedGreaterThan),
            Op::I32GtU | Op::I64GtU => self.icmp(IntCC::UnsignedGreaterThan),
            Op::I32LeS | Op::I64LeS => self.icmp(IntCC::SignedLessThanOrEqual),
            Op::I32LeU | Op::I64LeU => self.icmp(IntCC::UnsignedLessThanOrEqual),
            Op::I32GeS | Op::I64GeS => self.icmp(IntCC::SignedGreaterThanOrEqual),
            Op::I32GeU | Op::I64GeU => self.icmp(IntCC::UnsignedGreaterThanOrEqual),
            Op::F32Eq | Op::F64Eq => self.fcmp(FloatCC::Equal),
            Op::F32Ne | Op::F64Ne => self.fcmp(FloatCC::NotEqual),
            Op::F32Lt | Op::F64Lt => self.fcmp(FloatCC::LessThan),
            Op::F32Gt | Op::F64Gt => self.fcmp(FloatCC::GreaterThan),
            Op::F32Le | Op::F64Le => self.fcmp(FloatCC::LessThanOrEqual),
            Op::F32Ge | Op::F64Ge => self.fcmp(FloatCC::GreaterThanOrEqual),
            Op::I32Clz | Op::I64Clz => self.unary(|s, a| s.b.ins().clz(a)),
            Op::I32Ctz | Op::I64Ctz => self.unary(|s, a| s.b.ins().ctz(a)),
            Op::I32Popcnt | Op::I64Popcnt => self.unary(|s, a| s.b.ins().popcnt(a)),
            Op::I32Add | Op::I64Add => self.binary(|s, a, b| s.b.ins().iadd(a, b)),
            Op::I32Sub | Op::I64Sub => self.binary(|s, a, b| s.b.ins().isub(a, b)),
            Op::I32Mul | Op::I64Mul => self.binary(|s, a, b| s.b.ins().imul(a, b)),
            Op::I32DivS | Op::I64DivS => self.binary(|s, a, b| s.b.ins().sdiv(a, b)),
            Op::I32DivU | Op::I64DivU => self.binary(|s, a, b| s.b.ins().udiv(a, b)),
            Op::I32RemS | Op::I64RemS => self.binary(|s, a, b| s.b.ins().srem(a, b)),
            Op::I32RemU | Op::I64RemU => self.binary(|s, a, b| s.b.ins().urem(a, b)),
            Op::I32And | Op::I64And => self.binary(|s, a, b| s.b.ins().band(a, b)),
            Op::I32Or | Op::I64Or => self.binary(|s, a, b| s.b.ins().bor(a, b)),
            Op::I32Xor | Op::I64Xor => self.binary(|s, a, b| s.b.ins().bxor(a, b)),
            Op::I32Shl | Op::I64Shl => self.binary(|s, a, b| s.b.ins().ishl(a, b)),
            Op::I32ShrS | Op::I64ShrS => self.binary(|s, a, b| s.b.ins().sshr(a, b)),
            Op::I32ShrU | Op::I64ShrU => self.binary(|s, a, b| s.b.ins().ushr(a, b)),
            Op::I32Rotl | Op::I64Rotl => self.binary(|s, a, b| s.b.ins().rotl(a, b)),
            Op::I32Rotr | Op::I64Rotr => self.binary(|s, a, b| s.b.ins().rotr(a, b)),
            Op::F32Abs | Op::F64Abs => self.unary(|s, a| s.b.ins().fabs(a)),
            Op::F32Neg | Op::F64Neg => self.unary(|s, a| s.b.ins().fneg(a)),
            Op::F32Ceil | Op::F64Ceil => self.unary(|s, a| s.b.ins().ceil(a)),
            Op::F32Floor | Op::F64Floor => self.unary(|s, a| s.b.ins().floor(a)),
            Op::F32Trunc | Op::F64Trunc => self.unary(|s, a| s.b.ins().trunc(a)),
            Op::F32Nearest | Op::F64Nearest => self.unary(|s, a| s.b.ins().nearest(a)),
            Op::F32Sqrt | Op::F64Sqrt => self.unary(|s, a| s.b.ins().sqrt(a)),
            Op::F32Add | Op::F64Add => self.binary(|s, a, b| s.b.ins().fadd(a, b)),
            Op::F32Sub | Op::F64Sub => self.binary(|s, a, b| s.b.ins().fsub(a, b)),
            Op::F32Mul | Op::F64Mul => self.binary(|s, a, b| s.b.ins().fmul(a, b)),
            Op::F32Div | Op::F64Div => self.binary(|s, a, b| s.b.ins().fdiv(a, b)),
            Op::F32Min | Op::F64Min => self.binary(|s, a, b| s.b.ins().fmin(a, b)),
            Op::F32Max | Op::F64Max => self.binary(|s, a, b| s.b.ins().fmax(a, b)),
            Op::F32Copysign | Op::F64Copysign => self.binary(|s, a, b| s.b.ins().fcopysign(a, b)),
            Op::I32WrapI64 => self.unary(|s, a| s.b.ins().ireduce(I32, a)),
            Op::I64ExtendI32S => self.unary(|s, a| s.b.ins().sextend(I64, a)),
            Op::I64ExtendI32U => self.unary(|s, a| s.b.ins().uextend(I64, a)),
            Op::I32Extend8S => self.extend(I8, I32),
            Op::I32Extend16S => self.extend(I16, I32),
            Op::I64Extend8S => self.extend(I8, I64),
            Op::I64Extend16S => self.extend(I16, I64),
            Op::I64Extend32S => self.extend(I32, I64),
            Op::I32TruncF32S | Op::I32TruncF64S => self.unary(|s, a| s.b.ins().fcvt_to_sint(I32, a)),
            Op::I32TruncF32U | Op::I32TruncF64U => self.unary(|s, a| s.b.ins().fcvt_to_uint(I32, a)),
            Op::I64TruncF32S | Op::I64TruncF64S => self.unary(|s, a| s.b.ins().fcvt_to_sint(I64, a)),
            Op::I64TruncF32U | Op::I64TruncF64U => self.unary(|s, a| s.b.ins().fcvt_to_uint(I64, a)),
            Op::I32TruncSatF32S | Op::I32TruncSatF64S => self.unary(|s, a| s.b.ins().fcvt_to_sint_sat(I32, a)),
            Op::I32TruncSatF32U | Op::I32TruncSatF64U => self.unary(|s, a| s.b.ins().fcvt_to_uint_sat(I32, a)),
            Op::I64TruncSatF32S | Op::I64TruncSatF64S => self.unary(|s, a| s.b.ins().fcvt_to_sint_sat(I64, a)),
            Op::I64TruncSatF32U | Op::I64TruncSatF64U => self.unary(|s, a| s.b.ins().fcvt_to_uint_sat(I64, a)),
            Op::F32ConvertI32S | Op::F32ConvertI64S => self.unary(|s, a| s.b.ins().fcvt_from_sint(F32, a)),
            Op::F32ConvertI32U | Op::F32ConvertI64U => self.unary(|s, a| s.b.ins().fcvt_from_uint(F32, a)),
            Op::F64ConvertI32S | Op::F64ConvertI64S => self.unary(|s, a| s.b.ins().fcvt_from_sint(F64, a)),
            Op::F64ConvertI32U | Op::F64ConvertI64U => self.unary(|s, a| s.b.ins().fcvt_from_uint(F64, a)),
            Op::F32DemoteF64 => self.unary(|s, a| s.b.ins().fdemote(F32, a)),
            Op::F64PromoteF32 => self.unary(|s, a| s.b.ins().fpromote(F64, a)),
            Op::I32ReinterpretF32 => self.unary(|s, a| s.b.ins().bitcast(I32, MemFlagsData::new(), a)),
            Op::I64ReinterpretF64 => self.unary(|s, a| s.b.ins().bitcast(I64, MemFlagsData::new(), a)),
            Op::F32ReinterpretI32 => self.unary(|s, a| s.b.ins().bitcast(F32, MemFlagsData::new(), a)),
            Op::F64ReinterpretI64 => self.unary(|s, a| s.b.ins().bitcast(F64, MemFlagsData::new(), a)),
            _ => return false,
        }
        true
    }

    fn extend(&mut self, from: cranelift_codegen::ir::Type, to: cranelift_codegen::ir::Type) {
        self.unary(|s, a| {
            let low = s.b.ins().ireduce(from, a);
            s.b.ins().sextend(to, low)
        });
    }
}
