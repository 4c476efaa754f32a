//! Where the array convention and the compiled one meet: four pieces of code for each function type.

use std::mem::offset_of;

use cranelift_codegen::ir::{self, AbiParam, Function, InstBuilder, MemFlagsData, Signature, Value, types};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use super::Trampoline;
use super::builtins::Builtins;
use super::lower::fuel::{leave, take};
use super::lower::{PENDING, clif_type, signature};
use crate::runtime::Outcome;
use crate::runtime::context::{FuncRef, HostContext, InstanceContext, StoreContext};
use crate::types::{FuncType, ValType};

/// Makes a trampoline of a type.
pub fn make(what: Trampoline, isa: &dyn TargetIsa, ty: &FuncType, context: &mut FunctionBuilderContext) -> Function {
    let make = match what {
        Trampoline::Entry => entry,
        Trampoline::Interpreter => interpreter,
        Trampoline::Host => host,
        Trampoline::Unpack => unpack,
    };
    make(isa, ty, context)
}

const PTR: ir::Type = types::I64;

fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}

fn build(
    signature: Signature,
    isa: &dyn TargetIsa,
    context: &mut FunctionBuilderContext,
    body: impl FnOnce(&mut FunctionBuilder<'_>, &[Value]),
) -> Function {
    let mut func = Function::new();
    func.signature = signature;
    let mut builder = FunctionBuilder::new(&mut func, context);
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    let params = builder.block_params(block).to_vec();
    body(&mut builder, &params);
    builder.seal_all_blocks();
    builder.finalize(isa.frontend_config());
    func
}

fn slots(
    builder: &mut FunctionBuilder<'_>,
    types: &[ValType],
    base: Value,
    mut each: impl FnMut(&mut FunctionBuilder<'_>, usize, ir::Type, Value, i32),
) {
    let mut at = 0;
    for (i, ty) in types.iter().enumerate() {
        each(builder, i, clif_type(*ty), base, at * 8);
        at += ty.slots() as i32;
    }
}

/// Loads values of these types from a buffer in the array convention.
pub fn load_all(builder: &mut FunctionBuilder<'_>, types: &[ValType], base: Value) -> Vec<Value> {
    let mut values = Vec::new();
    slots(builder, types, base, |b, _, ty, base, at| {
        // `v128` slots are aligned to 8 bytes only.
        values.push(b.ins().load(ty, MemFlagsData::new().with_notrap(), base, at));
    });
    values
}

/// Stores values of these types to a buffer in the array convention.
pub fn store_all(builder: &mut FunctionBuilder<'_>, types: &[ValType], values: &[Value], base: Value) {
    slots(builder, types, base, |b, i, ty, base, at| {
        let mut value = values[i];
        // Slots are whole: the upper half of a 32-bit value is zero.
        if ty == types::F32 {
            value = b.ins().bitcast(types::I32, MemFlagsData::new(), value);
        }
        if ty == types::F32 || ty == types::I32 {
            value = b.ins().uextend(types::I64, value);
        }
        b.ins().store(MemFlagsData::new().with_notrap(), value, base, at);
    });
}

/// Does this where the fuel is held in a register and anybody else comes to run, or has run; given a context, and where that has its store.
fn fuel(
    isa: &dyn TargetIsa,
    b: &mut FunctionBuilder<'_>,
    how: fn(&mut FunctionBuilder<'_>, Value),
    at: (Value, usize),
) {
    if isa.flags().enable_pinned_reg() {
        let store = b.ins().load(PTR, flags(), at.0, at.1 as i32);
        how(b, store);
    }
}

/// `sysv (code, context, func, buffer)`: calls compiled code from the array convention.
pub fn entry(isa: &dyn TargetIsa, ty: &FuncType, context: &mut FunctionBuilderContext) -> Function {
    let mut sig = Signature::new(CallConv::SystemV);
    sig.params.extend([AbiParam::new(PTR); 4]);
    build(sig, isa, context, |b, params| {
        let [code, context, func, buffer] = params else { return };
        let store = (*context, offset_of!(InstanceContext, store));
        fuel(isa, b, take, store);
        let callee = b.import_signature(signature(ty));
        let mut args = vec![*context, *func];
        args.extend(load_all(b, ty.params(), *buffer));
        let call = b.ins().call_indirect(callee, *code, &args);
        let results = b.inst_results(call).to_vec();
        store_all(b, ty.results(), &results, *buffer);
        fuel(isa, b, leave, store);
        b.ins().return_(&[]);
    })
}

fn buffer(b: &mut FunctionBuilder<'_>, ty: &FuncType, args: &[Value]) -> Value {
    let size = (ty.buffer_slots().max(1) * 8) as u32;
    let slot = b.create_sized_stack_slot(ir::StackSlotData::new(ir::StackSlotKind::ExplicitSlot, size, 4));
    let buffer = b.ins().stack_addr(PTR, slot, 0);
    store_all(b, ty.params(), args, buffer);
    buffer
}

/// Ends a stub whose callee failed: not to return.
fn fail(b: &mut FunctionBuilder<'_>, store: Value, context: Value) {
    let mut sig = Signature::new(CallConv::SystemV);
    sig.params.push(AbiParam::new(PTR));
    let sig = b.import_signature(sig);
    let leave = b.ins().load(PTR, flags(), store, offset_of!(StoreContext, leave) as i32);
    b.ins().call_indirect(sig, leave, &[context]);
    b.ins().trap(PENDING);
}

/// Compiled convention: stands for a function that is interpreted. The callee may have been
/// compiled meanwhile, or have made a tail call: then its callee takes this frame's place.
fn interpreter(isa: &dyn TargetIsa, ty: &FuncType, context: &mut FunctionBuilderContext) -> Function {
    build(signature(ty), isa, context, |b, params| {
        let (context, func) = (params[0], params[1]);
        let buffer = buffer(b, ty, &params[2..]);
        let builtins = b.ins().load(PTR, flags(), context, offset_of!(InstanceContext, builtins) as i32);
        let callee = b.ins().load(PTR, flags(), builtins, offset_of!(Builtins, call_interpreted) as i32);
        let mut sig = Signature::new(CallConv::SystemV);
        sig.params.extend([AbiParam::new(PTR); 3]);
        sig.returns.push(AbiParam::new(PTR));
        let sig = b.import_signature(sig);
        let store = (context, offset_of!(InstanceContext, store));
        fuel(isa, b, leave, store);
        let call = b.ins().call_indirect(sig, callee, &[context, func, buffer]);
        fuel(isa, b, take, store);
        let outcome = b.inst_results(call)[0];
        let [done, other, tail, failed] = [(); 4].map(|()| b.create_block());
        b.ins().brif(outcome, other, &[], done, &[]);
        b.switch_to_block(done);
        let results = load_all(b, ty.results(), buffer);
        b.ins().return_(&results);
        b.switch_to_block(other);
        b.set_cold_block(other);
        let store = b.ins().load(PTR, flags(), context, offset_of!(InstanceContext, store) as i32);
        let is_tail = b.ins().icmp_imm_s(ir::condcodes::IntCC::Equal, outcome, Outcome::TailCall as i64);
        b.ins().brif(is_tail, tail, &[], failed, &[]);
        b.switch_to_block(failed);
        b.set_cold_block(failed);
        fail(b, store, context);
        b.switch_to_block(tail);
        b.set_cold_block(tail);
        let [func, args, unpack] = [
            offset_of!(StoreContext, tail_callee),
            offset_of!(StoreContext, tail_arguments),
            offset_of!(StoreContext, tail_unpack),
        ]
        .map(|at| b.ins().load(PTR, flags(), store, at as i32));
        let mut sig = Signature::new(CallConv::Tail);
        sig.params.extend([AbiParam::new(PTR); 2]);
        sig.returns = signature(ty).returns;
        let sig = b.import_signature(sig);
        b.ins().return_call_indirect(sig, unpack, &[func, args]);
    })
}

/// Compiled convention: stands for a host function.
fn host(isa: &dyn TargetIsa, ty: &FuncType, context: &mut FunctionBuilderContext) -> Function {
    build(signature(ty), isa, context, |b, params| {
        let context = params[0];
        let buffer = buffer(b, ty, &params[2..]);
        // Who called: this stub's own frame is not part of a backtrace.
        let store = b.ins().load(PTR, flags(), context, offset_of!(HostContext, store) as i32);
        let fp = b.ins().get_frame_pointer(PTR);
        let caller_fp = b.ins().load(PTR, flags(), fp, 0);
        let pc = b.ins().get_return_address(PTR);
        b.ins().store(flags(), caller_fp, store, offset_of!(StoreContext, exit_fp) as i32);
        b.ins().store(flags(), pc, store, offset_of!(StoreContext, exit_pc) as i32);
        let callee = b.ins().load(PTR, flags(), context, offset_of!(HostContext, call) as i32);
        let mut sig = Signature::new(CallConv::SystemV);
        sig.params.extend([AbiParam::new(PTR); 2]);
        sig.returns.push(AbiParam::new(types::I8));
        let sig = b.import_signature(sig);
        let at = (context, offset_of!(HostContext, store));
        fuel(isa, b, leave, at);
        let call = b.ins().call_indirect(sig, callee, &[context, buffer]);
        fuel(isa, b, take, at);
        let ok = b.inst_results(call)[0];
        let [done, failed] = [(); 2].map(|()| b.create_block());
        b.ins().brif(ok, done, &[], failed, &[]);
        b.switch_to_block(failed);
        b.set_cold_block(failed);
        fail(b, store, context);
        b.switch_to_block(done);
        let results = load_all(b, ty.results(), buffer);
        b.ins().return_(&results);
    })
}

/// `tail (func, buffer) -> results`: calls a function with arguments from a buffer.
fn unpack(isa: &dyn TargetIsa, ty: &FuncType, context: &mut FunctionBuilderContext) -> Function {
    let mut sig = Signature::new(CallConv::Tail);
    sig.params.extend([AbiParam::new(PTR); 2]);
    sig.returns = signature(ty).returns;
    build(sig, isa, context, |b, params| {
        let (func, buffer) = (params[0], params[1]);
        let code = b.ins().load(PTR, flags(), func, offset_of!(FuncRef, code) as i32);
        let context = b.ins().load(PTR, flags(), func, offset_of!(FuncRef, context) as i32);
        let mut args = vec![context, func];
        args.extend(load_all(b, ty.params(), buffer));
        let callee = b.import_signature(signature(ty));
        b.ins().return_call_indirect(callee, code, &args);
    })
}
