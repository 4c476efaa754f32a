//! Blocks, branches, locals, constants, drop and select.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{Block, BlockArg, BlockCall, InstBuilder, JumpTableData, Value, types};
use wasmparser::{BlockType, Operator};

use super::exceptions::Clause;
use super::roots::Operand;
use super::{Lower, clif_type, trap_code};
use crate::module::TypeIndex;
use crate::runtime::trap::TrapKind;
use crate::types::{Family, RefType, ValType};

/// The most general nullable type of a reference's family.
fn top(ty: RefType) -> ValType {
    match ty.heap.family() {
        Family::Func => ValType::FUNCREF,
        Family::Extern => ValType::EXTERNREF,
        Family::Exn => ValType::EXNREF,
        Family::Any => ValType::ANYREF,
    }
}

/// An open block.
pub struct Frame {
    /// Where a branch to it goes.
    target: Block,
    /// How many values a branch takes along.
    arity: usize,
    /// Where control goes on after its end.
    exit: Block,
    results: Vec<ValType>,
    /// Operands below it.
    height: usize,
    /// For an `if` whose `else` has not come: where that begins, and what the `if` was given.
    otherwise: Option<(Block, Vec<Operand>)>,
    /// Whether anything goes to `exit`.
    exited: bool,
    /// For a `try_table`: what it catches.
    pub clauses: Vec<Clause>,
}

impl Lower<'_> {
    /// Opens the frame that is the body itself.
    pub fn push_body_frame(&mut self, results: &[ValType]) {
        let exit = self.block(results);
        self.frames.push(Frame {
            target: exit,
            arity: results.len(),
            exit,
            results: results.to_vec(),
            height: 0,
            otherwise: None,
            exited: false,
            clauses: Vec::new(),
        });
    }

    fn block(&mut self, params: &[ValType]) -> Block {
        let block = self.b.create_block();
        for ty in params {
            self.b.append_block_param(block, clif_type(*ty));
        }
        block
    }

    /// Pushes a block's parameters, of these types.
    fn push_params(&mut self, block: Block, types: &[ValType]) {
        for (value, ty) in self.b.block_params(block).to_vec().into_iter().zip(types) {
            self.push_typed(value, *ty);
        }
    }

    fn block_types(&self, ty: BlockType) -> (Vec<ValType>, Vec<ValType>) {
        match ty {
            BlockType::Empty => (vec![], vec![]),
            BlockType::Type(ty) => (vec![], vec![self.module.val_type(ty)]),
            BlockType::FuncType(index) => {
                let ty = self.module.func_type_at(TypeIndex(index));
                (ty.params().to_vec(), ty.results().to_vec())
            }
        }
    }

    /// The topmost `count` values, as arguments of a branch; they stay.
    fn arguments(&mut self, count: usize) -> Vec<BlockArg> {
        let mut values: Vec<Value> =
            (self.stack.len() - count..self.stack.len()).map(|index| self.operand(index)).collect();
        self.canonical(&mut values);
        values.into_iter().map(BlockArg::Value).collect()
    }

    fn frame(&mut self, depth: u32) -> &mut Frame {
        let at = self.frames.len() - 1 - depth as usize;
        &mut self.frames[at]
    }

    /// The target and arguments of a branch.
    pub fn branch(&mut self, depth: u32) -> (Block, Vec<BlockArg>) {
        let frame = self.frame(depth);
        frame.exited |= frame.target == frame.exit;
        let (target, arity) = (frame.target, frame.arity);
        (target, self.arguments(arity))
    }

    pub fn enter(&mut self, ty: BlockType, is_loop: bool) {
        let (params, results) = self.block_types(ty);
        let exit = self.block(&results);
        let height = self.stack.len() - params.len();
        let target = if is_loop {
            let header = self.block(&params);
            let arguments = self.arguments(params.len());
            self.b.ins().jump(header, &arguments);
            if self.is_resumed_here() {
                self.take_operands(header, height);
            }
            self.b.switch_to_block(header);
            self.paths_meet();
            self.stack.truncate(height);
            self.push_params(header, &params);
            header
        } else {
            exit
        };
        let arity = if is_loop { params.len() } else { results.len() };
        let clauses = Vec::new();
        self.frames.push(Frame { target, arity, exit, results, height, otherwise: None, exited: false, clauses });
    }

    fn enter_if(&mut self, ty: BlockType) {
        let condition = self.pop();
        self.enter(ty, false);
        let [then, otherwise] = [self.b.create_block(), self.b.create_block()];
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.b.seal_block(then);
        self.b.seal_block(otherwise);
        self.b.switch_to_block(then);
        if let Some(frame) = self.frames.last_mut() {
            frame.otherwise = Some((otherwise, self.stack[frame.height..].to_vec()));
        }
    }

    /// Leaves the present block for the innermost frame's exit, if control can be here.
    fn fall_through(&mut self) {
        if !self.reachable {
            return;
        }
        let count = self.frames.last().map_or(0, |frame| frame.results.len());
        let arguments = self.arguments(count);
        if let Some(frame) = self.frames.last_mut() {
            frame.exited = true;
            let exit = frame.exit;
            self.b.ins().jump(exit, &arguments);
        }
    }

    fn enter_else(&mut self) {
        self.fall_through();
        let Some(frame) = self.frames.last_mut() else { return };
        let height = frame.height;
        let otherwise = frame.otherwise.take();
        if let Some((block, values)) = otherwise {
            self.b.switch_to_block(block);
            self.paths_meet();
            self.stack.truncate(height);
            self.stack.extend(values);
            self.reachable = true;
        }
    }

    fn end(&mut self) {
        let last = self.frames.len() == 1;
        // An `if` without `else` passes its parameters on.
        if self.frames.last().is_some_and(|frame| frame.otherwise.is_some()) {
            self.enter_else();
        }
        self.fall_through();
        let Some(mut frame) = self.frames.pop() else { return };
        self.stack.truncate(frame.height);
        self.land(std::mem::take(&mut frame.clauses));
        // Nothing outside of a block branches to its end, or back to its header.
        self.b.seal_block(frame.exit);
        if frame.target != frame.exit {
            self.b.seal_block(frame.target);
        }
        self.reachable = frame.exited;
        if !frame.exited {
            return;
        }
        self.b.switch_to_block(frame.exit);
        self.paths_meet();
        self.push_params(frame.exit, &frame.results);
        if last {
            let results = self.pop_many(frame.results.len());
            self.b.ins().return_(&results);
            self.reachable = false;
        }
    }

    /// Control cannot be here: only the shape of blocks matters.
    pub fn unreachable_operator(&mut self, op: &Operator<'_>) {
        match op {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                self.skipped += 1;
            }
            Operator::End if self.skipped > 0 => self.skipped -= 1,
            Operator::Else if self.skipped == 0 => self.enter_else(),
            Operator::End => self.end(),
            _ => {}
        }
    }

    /// Lowers an operator of this group.
    pub fn control(&mut self, op: &Operator<'_>) -> bool {
        match *op {
            Operator::Nop => {}
            Operator::Unreachable => {
                self.b.ins().trap(trap_code(TrapKind::Unreachable));
                self.reachable = false;
            }
            Operator::Block { blockty } => self.enter(blockty, false),
            Operator::Loop { blockty } => self.enter(blockty, true),
            Operator::If { blockty } => self.enter_if(blockty),
            Operator::Else => self.enter_else(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                let (target, arguments) = self.branch(relative_depth);
                self.b.ins().jump(target, &arguments);
                self.reachable = false;
            }
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                let (target, arguments) = self.branch(relative_depth);
                let next = self.b.create_block();
                self.b.ins().brif(condition, target, &arguments, next, &[]);
                self.b.seal_block(next);
                self.b.switch_to_block(next);
            }
            Operator::BrTable { ref targets } => self.br_table(targets),
            Operator::Return => {
                let count = self.frames[0].results.len();
                let mut results = self.pop_many(count);
                self.canonical(&mut results);
                self.b.ins().return_(&results);
                self.reachable = false;
            }
            Operator::Drop => {
                self.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let condition = self.pop();
                let ty = self.stack.last().copied();
                let (a, b) = self.pop2();
                let mut both = [a, b];
                self.canonical(&mut both);
                let value = self.b.ins().select(condition, both[0], both[1]);
                match ty {
                    // Not the type of both perhaps, but of the same family.
                    Some(Operand::Traced(ty)) => self.push_typed(value, top(ty)),
                    _ => self.push(value),
                }
            }
            Operator::LocalGet { local_index } => {
                let (variable, ty) = self.locals[local_index as usize];
                let value = self.b.use_var(variable);
                self.push_typed(value, ty);
            }
            Operator::LocalSet { local_index } => {
                let mut value = [self.pop()];
                self.canonical(&mut value);
                self.b.def_var(self.locals[local_index as usize].0, value[0]);
            }
            Operator::LocalTee { local_index } => {
                let mut value = [self.pop()];
                self.canonical(&mut value);
                let (variable, ty) = self.locals[local_index as usize];
                self.b.def_var(variable, value[0]);
                self.push_typed(value[0], ty);
            }
            Operator::I32Const { value } => {
                let value = self.i32(value as u32);
                self.push(value);
            }
            Operator::I64Const { value } => {
                let value = self.b.ins().iconst(types::I64, value);
                self.push(value);
            }
            Operator::F32Const { value } => {
                let value = self.b.ins().f32const(Ieee32::with_bits(value.bits()));
                self.push(value);
            }
            Operator::F64Const { value } => {
                let value = self.b.ins().f64const(Ieee64::with_bits(value.bits()));
                self.push(value);
            }
            _ => return false,
        }
        true
    }

    fn br_table(&mut self, targets: &wasmparser::BrTable<'_>) {
        let index = self.pop();
        // The verifier has read the table before.
        let depths: Vec<u32> = targets.targets().filter_map(Result::ok).collect();
        let mut call = |depth| {
            let (block, arguments) = self.branch(depth);
            BlockCall::new(block, arguments, &mut self.b.func.dfg.value_lists)
        };
        let calls: Vec<BlockCall> = depths.into_iter().map(&mut call).collect();
        let default = call(targets.default());
        let table = self.b.create_jump_table(JumpTableData::new(default, &calls));
        self.b.ins().br_table(index, table);
        self.reachable = false;
    }

    /// A comparison's outcome as an `i32`.
    pub fn push_bool(&mut self, value: Value) {
        let value = self.b.ins().uextend(types::I32, value);
        self.push(value);
    }

    /// Whether an `i32` or reference is zero, as an `i32`.
    pub fn is_zero(&mut self, value: Value) {
        let zero = self.b.ins().icmp_imm_s(IntCC::Equal, value, 0);
        self.push_bool(zero);
    }
}
