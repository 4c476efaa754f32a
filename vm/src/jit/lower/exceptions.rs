//! Exceptions: `try_table`, `throw`, `throw_ref`, and calls that something catches exceptions of.
//!
//! A call inside of a `try_table` names the clauses of all `try_table`s around it as its handlers, innermost first.
//! Each clause has one landing block, which takes the payload from where the throw left it and branches to the
//! clause's label. A call that returns runs no instruction more for it; but no register survives such a call.

use std::collections::HashSet;
use std::mem::offset_of;

use cranelift_codegen::ir::{
    self, AbiParam, Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder,
    MemFlagsData, SigRef, Signature, Value,
};
use cranelift_codegen::isa::CallConv;
use wasmparser::{BinaryReader, Catch, FunctionBody, Operator, TryTable};

use super::{Lower, PENDING, PTR, builtin};
use crate::jit::trampolines::{load_all, store_all};
use crate::module::{DefinedFunc, Module, TagIndex};
use crate::runtime::context::{InstanceContext, StoreContext};
use crate::types::ValType;

/// Handlers of all calls of a function that are always allowed.
const FEW_HANDLERS: usize = 1024;
/// Handlers for each byte of a function beyond those.
const HANDLERS_PER_BYTE: usize = 4;

/// A clause of a `try_table`.
pub struct Clause {
    /// The tag it takes; none: any.
    tag: Option<u32>,
    /// Whether it wants a reference to the exception.
    reference: bool,
    /// Label, counted from outside of the `try_table`.
    label: u32,
    /// Where the exception lands.
    landing: Block,
    /// Whether any call has it as a handler.
    used: bool,
}

/// What is called.
pub enum Target {
    /// A function of the same batch.
    Direct(ir::FuncRef),
    /// Whatever this address is.
    Address(Value),
}

impl Lower<'_> {
    /// Lowers an operator of this group.
    pub fn exceptions(&mut self, op: &Operator<'_>) -> bool {
        match *op {
            Operator::TryTable { ref try_table } => self.enter_try(try_table),
            Operator::Throw { tag_index } => {
                let ty = self.module.tag_type(TagIndex(tag_index)).clone();
                let mut payload = self.pop_many(ty.params().len());
                self.canonical(&mut payload);
                let to = self.payload();
                store_all(&mut self.b, ty.params(), &payload, to);
                let tag = self.i32(self.code.layout.tag(tag_index));
                self.throw(builtin!(throw), tag);
            }
            Operator::ThrowRef => {
                let exception = self.pop();
                self.throw(builtin!(throw_ref), exception);
            }
            _ => return false,
        }
        true
    }

    fn enter_try(&mut self, table: &TryTable) {
        self.enter(table.ty, false);
        let clauses = table.catches.iter().map(|catch| {
            let (tag, reference, label) = match *catch {
                Catch::One { tag, label } => (Some(tag), false, label),
                Catch::OneRef { tag, label } => (Some(tag), true, label),
                Catch::All { label } => (None, false, label),
                Catch::AllRef { label } => (None, true, label),
            };
            Clause { tag, reference, label, landing: self.b.create_block(), used: false }
        });
        let clauses = clauses.collect();
        if let Some(frame) = self.frames.last_mut() {
            frame.clauses = clauses;
        }
    }

    /// The landing blocks of a `try_table` that has ended; the present block is filled.
    pub fn land(&mut self, clauses: Vec<Clause>) {
        for (number, clause) in clauses.into_iter().enumerate().filter(|(_, clause)| clause.used) {
            self.b.switch_to_block(clause.landing);
            self.b.seal_block(clause.landing);
            self.b.set_cold_block(clause.landing);
            self.paths_meet();
            self.enter_landing(number);
            let height = self.stack.len();
            self.reload_all(height);
            self.take_fuel();
            if let Some(tag) = clause.tag {
                let ty = self.module.tag_type(TagIndex(tag)).clone();
                let from = self.payload();
                let payload = load_all(&mut self.b, ty.params(), from);
                for (value, ty) in payload.into_iter().zip(ty.params()) {
                    self.push_typed(value, *ty);
                }
            }
            if clause.reference {
                let reference = self.collecting(builtin!(exception_ref), &[]);
                self.push_typed(reference, ValType::EXNREF);
            }
            let (target, arguments) = self.branch(clause.label);
            self.b.ins().jump(target, &arguments);
            self.stack.truncate(height);
            self.leave_landing();
        }
    }

    /// Where a payload is while its exception is thrown.
    fn payload(&mut self) -> Value {
        let store = self.context_load(PTR, offset_of!(InstanceContext, store) as u32);
        self.b.ins().load(PTR, MemFlagsData::trusted(), store, offset_of!(StoreContext, payload) as i32)
    }

    /// Calls a builtin that throws. It speaks the compiled convention, in which no register needs to be given back
    /// to whoever catches.
    fn throw(&mut self, at: usize, value: Value) {
        let mut signature = Signature::new(CallConv::Tail);
        signature.params.push(AbiParam::new(PTR));
        signature.params.push(AbiParam::new(self.b.func.dfg.value_type(value)));
        let signature = self.b.import_signature(signature);
        let callee = self.builtin_address(at);
        self.leave_fuel();
        self.call_here(signature, Target::Address(callee), &[self.context, value]);
        self.b.ins().trap(PENDING);
        self.reachable = false;
    }

    /// Makes a call whose exceptions the enclosing `try_table`s may catch; its results.
    pub fn call_here(&mut self, signature: SigRef, target: Target, args: &[Value]) -> Vec<Value> {
        let handlers = self.handlers();
        let live = self.spill(self.stack.len());
        if handlers.is_empty() {
            let call = match target {
                Target::Direct(func) => self.b.ins().call(func, args),
                Target::Address(code) => self.b.ins().call_indirect(signature, code, args),
            };
            self.map(call, &live);
            self.reload(&live);
            return self.b.inst_results(call).to_vec();
        }
        let returns: Vec<ir::Type> =
            self.b.func.dfg.signatures[signature].returns.iter().map(|param| param.value_type).collect();
        let next = self.b.create_block();
        for ty in &returns {
            self.b.append_block_param(next, *ty);
        }
        let lists = &mut self.b.func.dfg.value_lists;
        let returned = (0..returns.len() as u32).map(BlockArg::TryCallRet);
        let normal = BlockCall::new(next, returned, lists);
        let items: Vec<ExceptionTableItem> = std::iter::once(ExceptionTableItem::Context(self.context))
            .chain(handlers.into_iter().map(|(tag, landing)| {
                let landing = BlockCall::new(landing, [], lists);
                match tag {
                    Some(tag) => ExceptionTableItem::Tag(ExceptionTag::from_u32(tag), landing),
                    None => ExceptionTableItem::Default(landing),
                }
            }))
            .collect();
        let table = ExceptionTableData::new(signature, normal, items);
        let table = self.b.func.dfg.exception_tables.push(table);
        let call = match target {
            Target::Direct(func) => self.b.ins().try_call(func, args, table),
            Target::Address(code) => self.b.ins().try_call_indirect(code, args, table),
        };
        self.map(call, &live);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.reload(&live);
        self.b.block_params(next).to_vec()
    }

    /// The clauses that are to see an exception thrown here, in order: where the context keeps their tags, and
    /// where they land.
    fn handlers(&mut self) -> Vec<(Option<u32>, Block)> {
        let mut handlers = Vec::new();
        let mut seen = HashSet::new();
        for clause in self.frames.iter_mut().rev().flat_map(|frame| &mut frame.clauses) {
            let tag = clause.tag.map(|tag| self.code.layout.tag(tag));
            if seen.insert(tag) {
                clause.used = true;
                handlers.push((tag, clause.landing));
            }
            if tag.is_none() {
                break;
            }
        }
        handlers
    }
}

/// Whether the handlers of a function's calls are in proportion to its size: each call has a list of its own, so a deep nest
/// of `try_table`s with many calls inside would take memory without bound.
pub fn handlers_fit(module: &Module, func: DefinedFunc) -> bool {
    // Without tags every list ends with its first clause.
    module.tags.is_empty() || handlers(module, func).is_ok_and(|fit| fit)
}

fn handlers(module: &Module, func: DefinedFunc) -> wasmparser::Result<bool> {
    let bytes = module.body(func);
    let mut left = FEW_HANDLERS + HANDLERS_PER_BYTE * bytes.len();
    let mut operators = FunctionBody::new(BinaryReader::new(bytes, 0)).get_operators_reader()?;
    // For each open block, how many clauses see an exception inside of it.
    let mut open = vec![0usize];
    while !operators.eof() {
        let around = open.last().copied().unwrap_or(0);
        match operators.read()? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(around),
            Operator::TryTable { try_table } => {
                let all = |catch: &Catch| matches!(catch, Catch::All { .. } | Catch::AllRef { .. });
                let own = try_table.catches.len();
                let seen = match try_table.catches.iter().position(all) {
                    Some(at) => at + 1,
                    None => (own + around).min(module.tags.len() + 1),
                };
                open.push(seen);
            }
            Operator::End => drop(open.pop()),
            Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef => match left.checked_sub(around) {
                Some(rest) => left = rest,
                None => return Ok(false),
            },
            _ => {}
        }
    }
    Ok(true)
}
