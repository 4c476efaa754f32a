//! From a verified body to CLIF: one pass over the operators with a stack of values.
//!
//! Groups of operators stand in files of their own: [`control`], [`calls`], [`exceptions`], [`memory`], [`numeric`], [`references`],
//! [`objects`] and [`arrays`], [`simd`].
//! Each returns whether an operator was one of its own. [`resume`] is for bodies that are entered in mid-loop.

mod arrays;
mod calls;
mod control;
mod exceptions;
pub mod fuel;
mod liveness;
mod memory;
mod numeric;
mod objects;
mod references;
mod resume;
mod roots;
mod simd;
mod work;

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem::offset_of;

use cranelift_codegen::ir::{
    self, AbiParam, AliasRegion, AliasRegionData, ArgumentPurpose, Endianness, Function, InstBuilder, MemFlagsData,
    Signature, SourceLoc, TrapCode, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use wasmparser::{BinaryReader, FunctionBody, Operator};

use super::builtins::Builtins;
use super::checker::Claims;
use crate::interpreter::LoopHeader;
use crate::module::{DefinedFunc, FuncIndex, Module};
use crate::runtime::code::ModuleCode;
use crate::runtime::context::InstanceContext;
use crate::runtime::trap::TrapKind;
use crate::types::{AddressType, FuncType, ValType};
use control::Frame;
pub use exceptions::handlers_fit;
use fuel::Meter;
use liveness::Liveness;
use resume::Resume;
use roots::{Operand, Roots};
pub use work::is_bounded;

const PTR: ir::Type = types::I64;

/// A builtin or stub callee has raised its trap already.
pub const PENDING: TrapCode = TrapCode::unwrap_user(100);

/// The trap code of a kind.
fn trap_code(kind: TrapKind) -> TrapCode {
    TrapCode::unwrap_user(kind as u8)
}

/// The number of a trap code's [`TrapKind`]; zero for [`PENDING`].
pub fn trap_number(code: TrapCode) -> u32 {
    let kind = match code {
        PENDING => return 0,
        TrapCode::STACK_OVERFLOW => TrapKind::StackExhausted,
        TrapCode::INTEGER_OVERFLOW => TrapKind::IntegerOverflow,
        TrapCode::HEAP_OUT_OF_BOUNDS => TrapKind::MemoryOutOfBounds,
        TrapCode::INTEGER_DIVISION_BY_ZERO => TrapKind::DivideByZero,
        TrapCode::BAD_CONVERSION_TO_INTEGER => TrapKind::InvalidConversion,
        user => return user.as_raw().get().into(),
    };
    kind as u32
}

/// How a Wasm type is seen where values meet: `v128` is bytes there.
pub fn clif_type(ty: ValType) -> ir::Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => types::I8X16,
        ty if ty.is_func() => PTR,
        // References into the heap.
        ValType::Ref(_) => types::I32,
    }
}

/// A function type in the compiled convention.
pub fn signature(ty: &FuncType) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::special(PTR, ArgumentPurpose::VMContext));
    signature.params.push(AbiParam::new(PTR));
    signature.params.extend(ty.params().iter().map(|ty| AbiParam::new(clif_type(*ty))));
    signature.returns.extend(ty.results().iter().map(|ty| AbiParam::new(clif_type(*ty))));
    signature
}

/// A function as it goes to Cranelift.
pub struct Lowered {
    /// What it is.
    pub func: Function,
    /// Where it has references, if it is to be checked.
    pub claims: Option<Claims>,
}

/// Why a function is not lowered.
pub enum Refused {
    /// It is out of all proportion: see [`roots`] and [`liveness`]. It stays in the interpreter.
    TooLarge,
    /// Its body cannot be read.
    Unreadable(String),
}

/// The type of a function's code: as the function's own, but that code which is [entered in mid-loop](resume) takes no arguments.
pub fn code_type(code: &ModuleCode, func: DefinedFunc, entry: Option<&LoopHeader>) -> FuncType {
    let ty = code.module.func_type(code.module.func_index(func));
    match entry {
        None => ty.clone(),
        Some(_) => FuncType::new([], ty.results()),
    }
}

/// Lowers a function, to be entered at its start or at the header of a loop. `own` are the functions of its batch, which it may
/// call directly.
pub fn function(
    isa: &dyn TargetIsa,
    code: &ModuleCode,
    func: DefinedFunc,
    entry: Option<&LoopHeader>,
    own: &HashSet<DefinedFunc>,
    context: &mut FunctionBuilderContext,
) -> Result<Lowered, Refused> {
    let index = code.module.func_index(func);
    let ty = code_type(code, func, entry);
    let mut clif = Function::with_name_signature(super::maker::name(func), signature(&ty));
    stack_check(&mut clif);
    let builder = FunctionBuilder::new(&mut clif, context);
    let mut lower = Lower::new(builder, code, index, own);
    lower.resume = entry.map(|header| Resume::new(header, lower.callee, &mut lower.b));
    let result = lower.body(func);
    lower.b.seal_all_blocks();
    lower.sweep();
    let claims = lower.claims.take();
    let roots_fit = lower.roots.fit();
    match result {
        Err(error) => return Err(Refused::Unreadable(format!("the verified body cannot be read: {error}"))),
        Ok(true) if roots_fit && lower.resume.as_ref().is_none_or(Resume::is_entered) => {}
        Ok(_) => return Err(Refused::TooLarge),
    }
    lower.b.finalize(isa.frontend_config());
    Ok(Lowered { func: clif, claims })
}

/// Checks the native stack against the context's limit in the prologue.
fn stack_check(clif: &mut Function) {
    let context = clif.create_global_value(ir::GlobalValueData::VMContext);
    let flags = clif.dfg.mem_flags.insert_unchecked(MemFlagsData::trusted());
    let limit = clif.create_global_value(ir::GlobalValueData::Load {
        base: context,
        offset: (offset_of!(InstanceContext, stack_limit) as i32).into(),
        global_type: PTR,
        flags,
    });
    clif.stack_limit = Some(limit);
}

/// Disjoint kinds of memory, for alias analysis.
struct Regions {
    context: AliasRegion,
    heap: AliasRegion,
    objects: AliasRegion,
    lengths: AliasRegion,
    nursery: AliasRegion,
    cards: AliasRegion,
    table: AliasRegion,
    global: AliasRegion,
}

struct Lower<'a> {
    b: FunctionBuilder<'a>,
    code: &'a ModuleCode,
    module: &'a Module,
    own: &'a HashSet<DefinedFunc>,
    index: FuncIndex,
    /// The instance's context.
    context: Value,
    /// The second hidden parameter.
    callee: Value,
    locals: Vec<(Variable, ValType)>,
    stack: Vec<Operand>,
    /// Where the present operator stands in the module.
    offset: u32,
    liveness: Liveness,
    roots: Roots,
    /// What the checker is told, if it is to look.
    claims: Option<Claims>,
    frames: Vec<Frame>,
    /// If it is entered in mid-loop: where.
    resume: Option<Resume>,
    /// Whether control can be here.
    reachable: bool,
    /// Blocks opened since control could last be here.
    skipped: usize,
    /// If it counts fuel.
    meter: Option<Meter>,
    regions: Regions,
}

impl<'a> Lower<'a> {
    fn new(mut b: FunctionBuilder<'a>, code: &'a ModuleCode, index: FuncIndex, own: &'a HashSet<DefinedFunc>) -> Self {
        let mut region = |user_id, description| {
            let data = AliasRegionData { user_id, description: Cow::Borrowed(description) };
            b.func.dfg.alias_regions.insert(data)
        };
        let regions = Regions {
            context: region(0, "context"),
            heap: region(1, "heap"),
            table: region(2, "table"),
            global: region(3, "global"),
            objects: region(4, "objects"),
            lengths: region(5, "lengths"),
            nursery: region(6, "nursery"),
            cards: region(7, "cards"),
        };
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        b.seal_block(entry);
        let (context, callee) = (b.block_params(entry)[0], b.block_params(entry)[1]);
        let meter = code.config.fuel.then(Meter::default);
        Self {
            b,
            code,
            module: &code.module,
            own,
            index,
            context,
            callee,
            locals: Vec::new(),
            stack: Vec::new(),
            offset: 0,
            liveness: Liveness::default(),
            roots: Roots::default(),
            claims: code.config.is_code_checked().then(Claims::default),
            frames: Vec::new(),
            resume: None,
            reachable: true,
            skipped: 0,
            meter,
            regions,
        }
    }

    /// Lowers all operators. `Ok(false)` if that would take too much.
    fn body(&mut self, func: DefinedFunc) -> wasmparser::Result<bool> {
        let start = self.module.bodies[func.index()].bytes.start;
        let bytes = self.module.body(func);
        let body = FunctionBody::new(BinaryReader::new(bytes, start as u64));
        self.declare_locals(&body)?;
        if !self.find_live_locals(bytes, start)? {
            return Ok(false);
        }
        let ty = self.module.func_type(self.index);
        self.push_body_frame(ty.results());
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let (op, offset) = operators.read_with_offset()?;
            self.b.set_srcloc(SourceLoc::new(offset as u32));
            self.offset = offset as u32;
            self.operator(&op);
            if !self.roots.fit() {
                break;
            }
        }
        Ok(true)
    }

    fn declare_locals(&mut self, body: &FunctionBody<'_>) -> wasmparser::Result<()> {
        let ty = self.module.func_type(self.index);
        let entry = self.b.current_block();
        let params = entry.map(|block| self.b.block_params(block)[2..].to_vec()).unwrap_or_default();
        for ty in ty.params() {
            self.local(*ty);
        }
        let is_resumed = self.resume.is_some();
        for (at, value) in params.into_iter().enumerate() {
            self.b.def_var(self.locals[at].0, value);
        }
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            let ty = self.module.val_type(ty);
            let zero = if is_resumed { None } else { Some(self.zero(ty)) };
            for _ in 0..count {
                let variable = self.local(ty);
                if let Some(zero) = zero {
                    self.b.def_var(variable, zero);
                }
            }
        }
        if is_resumed {
            self.take_locals();
        }
        Ok(())
    }

    /// Adds a local.
    fn local(&mut self, ty: ValType) -> Variable {
        let variable = if ty.is_traced() { self.local_root() } else { self.b.declare_var(clif_type(ty)) };
        self.locals.push((variable, ty));
        variable
    }

    fn zero(&mut self, ty: ValType) -> Value {
        match ty {
            ValType::F32 => self.b.ins().f32const(0.0),
            ValType::F64 => self.b.ins().f64const(0.0),
            ValType::V128 => self.vconst(0, types::I8X16),
            ty => self.b.ins().iconst(clif_type(ty), 0),
        }
    }

    fn operator(&mut self, op: &Operator<'_>) {
        if !self.reachable {
            self.unreachable_operator(op);
            return;
        }
        self.charge(op);
        let known = self.control(op)
            || self.calls(op)
            || self.exceptions(op)
            || self.memory(op)
            || self.numeric(op)
            || self.references(op)
            || self.objects(op)
            || self.simd(op);
        // The verifier admits no operator that no group knows.
        debug_assert!(known, "{op:?}");
        self.end_segment(op);
    }

    /// Pushes a value that no collector cares for.
    fn push(&mut self, value: Value) {
        let operand = self.carried(value).unwrap_or(Operand::Plain(value));
        self.stack.push(operand);
    }

    fn pop(&mut self) -> Value {
        // The verifier proved that there is one.
        let Some(top) = self.stack.len().checked_sub(1) else { return self.context };
        let value = self.operand(top);
        self.stack.pop();
        value
    }

    fn pop2(&mut self) -> (Value, Value) {
        let b = self.pop();
        let a = self.pop();
        (a, b)
    }

    /// Takes the topmost `count` values, first to last.
    fn pop_many(&mut self, count: usize) -> Vec<Value> {
        let first = self.stack.len() - count;
        let values = (first..self.stack.len()).map(|index| self.operand(index)).collect();
        self.stack.truncate(first);
        values
    }

    /// A vector as lanes of this type.
    fn cast_vector(&mut self, value: Value, ty: ir::Type) -> Value {
        if self.b.func.dfg.value_type(value) == ty {
            return value;
        }
        self.b.ins().bitcast(ty, MemFlagsData::new().with_endianness(Endianness::Little), value)
    }

    /// Values as they cross between blocks and functions: vectors as bytes.
    fn canonical(&mut self, values: &mut [Value]) {
        for value in values {
            if self.b.func.dfg.value_type(*value).is_vector() {
                *value = self.cast_vector(*value, types::I8X16);
            }
        }
    }

    /// Loads something from the instance's context that never changes while it runs.
    fn context_load(&mut self, ty: ir::Type, offset: u32) -> Value {
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        let flags = flags.with_alias_region(Some(self.regions.context));
        self.b.ins().load(ty, flags, self.context, offset as i32)
    }

    /// Traps if a condition holds.
    fn trap_if(&mut self, condition: Value, kind: TrapKind) {
        self.b.ins().trapnz(condition, trap_code(kind));
    }

    /// Calls a builtin with the context and these arguments.
    fn builtin(&mut self, at: usize, args: &[Value]) -> Value {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.push(AbiParam::new(PTR));
        signature.params.extend(args.iter().map(|arg| AbiParam::new(self.b.func.dfg.value_type(*arg))));
        signature.returns.push(AbiParam::new(types::I64));
        let signature = self.b.import_signature(signature);
        let callee = self.builtin_address(at);
        let mut all = vec![self.context];
        all.extend_from_slice(args);
        self.leave_fuel();
        let call = self.b.ins().call_indirect(signature, callee, &all);
        self.take_fuel();
        self.b.inst_results(call)[0]
    }

    /// The address of a builtin.
    fn builtin_address(&mut self, at: usize) -> Value {
        let table = self.context_load(PTR, offset_of!(InstanceContext, builtins) as u32);
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        self.b.ins().load(PTR, flags, table, at as i32)
    }

    /// As [`Self::builtin`]; traps if it failed.
    fn fallible(&mut self, at: usize, args: &[Value]) -> Value {
        let result = self.builtin(at, args);
        let failed = self.b.ins().icmp_imm_s(ir::condcodes::IntCC::Equal, result, super::builtins::FAILED as i64);
        self.b.ins().trapnz(failed, PENDING);
        result
    }

    /// An address, index or size in 64 bits.
    fn wide(&mut self, value: Value) -> Value {
        match self.b.func.dfg.value_type(value) {
            types::I32 => self.b.ins().uextend(types::I64, value),
            _ => value,
        }
    }

    /// A size of 64 bits as the type of a memory's or table's addresses.
    fn narrow(&mut self, size: Value, ty: AddressType) -> Value {
        match ty {
            AddressType::I32 => self.b.ins().ireduce(types::I32, size),
            AddressType::I64 => size,
        }
    }

    /// What growth gives: the builtin's result is one more.
    fn grown(&mut self, result: Value, ty: AddressType) -> Value {
        let old = self.b.ins().iadd_imm_s(result, -1);
        self.narrow(old, ty)
    }

    fn i32(&mut self, value: u32) -> Value {
        self.b.ins().iconst(types::I32, i64::from(value))
    }
}

/// The offset of a builtin in the table.
macro_rules! builtin {
    ($name:ident) => {
        std::mem::offset_of!(crate::jit::builtins::Builtins, $name)
    };
}
pub(super) use builtin;

const _: () = assert!(size_of::<Builtins>() < 4096);
