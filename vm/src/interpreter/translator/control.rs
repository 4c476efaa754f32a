//! Blocks, branches and locals.

use wasmparser::{BlockType, BrTable, Operator};

use super::Translator;
use super::operands::{Place, Src, bank, copy, operand};
use crate::interpreter::handlers::scalar::From;
use crate::interpreter::handlers::{calls, control};
use crate::interpreter::value::{Acc, Bank, Imm, Slot};
use crate::module::TypeIndex;
use crate::types::ValType;

use super::emit::Patch;

/// What kind of block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    Block,
    /// A block with handlers.
    Try,
    /// Branches lead to this place.
    Loop(u32),
    /// The jump over the first branch, until there is an `else`.
    If(Patch),
}

/// A block that is open.
pub struct Control {
    kind: Kind,
    ty: BlockType,
    /// Operands below its parameters.
    height: usize,
    /// Jumps to its end.
    patches: Vec<Patch>,
    /// Clauses of `try_table`s that lead to its end.
    pub clauses: Vec<usize>,
}

impl Control {
    /// The function itself.
    pub fn function() -> Self {
        Self { kind: Kind::Function, ty: BlockType::Empty, height: 0, patches: Vec::new(), clauses: Vec::new() }
    }
}

/// Where a jump goes.
pub enum Label {
    /// To a place that is known.
    Back(u32),
    /// To the end of the control at this index.
    End(usize),
    /// Out of the function.
    Return,
}

impl<'a> Translator<'a> {
    /// Translates an operator that shapes control flow, or has to do with locals; whether it was one.
    pub fn control(&mut self, operator: &Operator<'a>) -> bool {
        match operator {
            Operator::Nop => {}
            Operator::Unreachable => {
                self.emitter.locate(self.offset);
                self.emitter.emit("unreachable", control::unreachable, &[]);
                self.reachable = false;
            }
            Operator::Block { blockty } => {
                self.operands.settle_all(&mut self.emitter);
                self.open(Kind::Block, *blockty);
            }
            Operator::Loop { blockty } => self.open_loop(*blockty),
            Operator::If { blockty } => self.open_if(*blockty),
            Operator::Else => self.open_else(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => self.br(*relative_depth),
            Operator::BrIf { relative_depth } => self.br_if(*relative_depth),
            Operator::BrTable { targets } => self.br_table(targets),
            Operator::Return => self.ret(),
            Operator::Drop => {
                self.operands.drop_top();
            }
            Operator::LocalGet { local_index } => {
                let (slot, ty) = self.locals[*local_index as usize];
                self.operands.push(ty, Place::Local(slot));
            }
            Operator::LocalSet { local_index } => self.local_set(*local_index),
            Operator::LocalTee { local_index } => {
                self.local_set(*local_index);
                let (slot, ty) = self.locals[*local_index as usize];
                self.operands.push(ty, Place::Local(slot));
            }
            _ => return false,
        }
        true
    }

    fn local_set(&mut self, index: u32) {
        let (local, ty) = self.locals[index as usize];
        let top = self.operands.len() - 1;
        let operand = self.operands.get(top);
        if operand.place == Place::Local(local) {
            self.operands.drop_top();
            return;
        }
        let fresh = self.last.is_some_and(|(_, index, end)| index == top && end == self.emitter.here());
        if fresh
            && operand.place == Place::Own
            && !self.operands.is_used(local)
            && let Some((at, ..)) = self.last
        {
            // The instruction that made it writes it to the local instead.
            self.emitter.words[at as usize + 2] = local;
            let held = self.operands.held(bank(ty)).operand == Some(top);
            self.operands.drop_top();
            self.holds_local(ty, local, held);
            self.fusible = None;
            self.last = None;
            return;
        }
        self.operands.preserve(local, &mut self.emitter);
        let (src, _) = self.operands.pop(&mut self.emitter);
        copy(&mut self.emitter, ty, src, local);
        self.holds_local(ty, local, matches!(src, Src::Acc));
    }

    /// A local has changed; whether its value is what its accumulator holds.
    fn holds_local(&mut self, ty: ValType, local: u32, holds: bool) {
        let held = self.operands.held(bank(ty));
        if holds && bank(ty) != Bank::Vector {
            held.local = Some(local);
        } else if held.local == Some(local) {
            held.local = None;
        }
    }

    /// Types that a block takes, and that it leaves.
    fn block_types(&self, ty: BlockType) -> (Vec<ValType>, Vec<ValType>) {
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), vec![self.module.val_type(ty)]),
            BlockType::FuncType(index) => {
                let ty = self.module.func_type_at(TypeIndex(index));
                (ty.params().to_vec(), ty.results().to_vec())
            }
        }
    }

    fn params(&self, ty: BlockType) -> usize {
        match ty {
            BlockType::FuncType(index) => self.module.func_type_at(TypeIndex(index)).params().len(),
            _ => 0,
        }
    }

    /// Opens a block; its parameters are on the stack.
    fn open(&mut self, kind: Kind, ty: BlockType) {
        let height = self.operands.len() - self.params(ty);
        self.controls.push(Control { kind, ty, height, patches: Vec::new(), clauses: Vec::new() });
    }

    /// Opens the block that a `try_table` is.
    pub fn open_try_block(&mut self, ty: BlockType) {
        self.open(Kind::Try, ty);
    }

    fn open_loop(&mut self, ty: BlockType) {
        self.operands.settle_all(&mut self.emitter);
        self.barrier();
        let here = self.emitter.here();
        self.open(Kind::Loop(here), ty);
        self.turn();
    }

    fn open_if(&mut self, ty: BlockType) {
        let (condition, l, r) = self.condition();
        self.operands.settle_all(&mut self.emitter);
        let patch = self.branch(&condition, l, r, !condition.when, false);
        self.open(Kind::If(patch), ty);
    }

    fn open_else(&mut self) {
        let Some(control) = self.controls.pop() else { return };
        let mut patches = control.patches;
        if self.reachable {
            self.operands.settle_from(control.height, &mut self.emitter);
            patches.push(self.jump());
        }
        if let Kind::If(patch) = control.kind {
            let here = self.emitter.here();
            self.emitter.patch(patch, here);
        }
        self.barrier();
        self.operands.truncate(control.height);
        let (params, _) = self.block_types(control.ty);
        self.push_all(&params);
        self.reachable = true;
        self.controls.push(Control { kind: Kind::Block, patches, ..control });
    }

    fn push_all(&mut self, types: &[ValType]) {
        for ty in types {
            self.operands.push(*ty, Place::Own);
        }
    }

    fn end(&mut self) {
        let Some(control) = self.controls.pop() else { return };
        if control.kind == Kind::Function {
            if self.reachable {
                self.ret();
            }
            self.return_caught(&control.clauses);
            return;
        }
        if control.kind == Kind::Try {
            self.close_try();
        }
        let mut patches = control.patches;
        if let Kind::If(patch) = control.kind {
            // Without an `else` the parameters are the results.
            patches.push(patch);
        }
        if patches.is_empty() && control.clauses.is_empty() {
            // What comes out of the block, if anything, is what was left on the stack.
            if !self.reachable {
                self.operands.truncate(control.height);
            }
            return;
        }
        if self.reachable {
            self.operands.settle_from(control.height, &mut self.emitter);
        }
        let here = self.emitter.here();
        for patch in patches {
            self.emitter.patch(patch, here);
        }
        self.lead_here(&control.clauses);
        self.barrier();
        self.operands.truncate(control.height);
        let (_, results) = self.block_types(control.ty);
        self.push_all(&results);
        self.reachable = true;
    }

    /// A branch on a comparison, whose distance is to be patched.
    fn branch(&mut self, condition: &super::numeric::Condition, l: Src, r: Src, when: bool, back: bool) -> Patch {
        if back {
            self.emitter.locate(self.offset);
        }
        let at = self.emitter.emit(condition.name, (condition.branch)(l.from(), r.from(), when, back), &[0]);
        operand(&mut self.emitter, condition.ty, l);
        operand(&mut self.emitter, condition.ty, r);
        Patch { word: at + 2, from: at }
    }

    fn jump(&mut self) -> Patch {
        let at = self.emitter.emit("jump", control::jump, &[0]);
        Patch { word: at + 2, from: at }
    }

    /// The label of a branch, how many values it takes, and the first operand that is below none of them.
    pub fn label(&self, depth: u32) -> (Label, usize, usize) {
        let index = self.controls.len() - 1 - depth as usize;
        let control = &self.controls[index];
        match control.kind {
            Kind::Function => (Label::Return, self.ty.results().len(), 0),
            Kind::Loop(at) => (Label::Back(at), self.params(control.ty), control.height),
            Kind::Block | Kind::Try | Kind::If(_) => {
                let results = match control.ty {
                    BlockType::Empty => 0,
                    BlockType::Type(_) => 1,
                    BlockType::FuncType(index) => self.module.func_type_at(TypeIndex(index)).results().len(),
                };
                (Label::End(index), results, control.height)
            }
        }
    }

    /// The slot of the operand at an index, or the one it would have.
    pub fn slot_at(&self, index: usize) -> u32 {
        if index < self.operands.len() { self.operands.get(index).slot } else { self.operands.top }
    }

    /// Whether the topmost operands are where a label wants them.
    fn in_place(&self, count: usize, height: usize) -> bool {
        let first = self.operands.len() - count;
        count == 0
            || self.slot_at(first) == self.slot_at(height)
                && (first..self.operands.len()).all(|index| self.operands.get(index).place == Place::Own)
    }

    /// Where an operand can be read without popping it.
    fn peek(&mut self, index: usize) -> Src {
        let operand = self.operands.get(index);
        match operand.place {
            Place::Own => Src::Slot(operand.slot),
            Place::Local(local) => Src::Slot(local),
            Place::Const(bits) => Src::Imm(bits),
        }
    }

    /// Copies the topmost operands to where a label wants them, without popping them.
    fn carry(&mut self, count: usize, height: usize) {
        let first = self.operands.len() - count;
        let mut to = self.slot_at(height);
        // Every target is at or below the slot of its own operand, so none is overwritten before it is read.
        for index in first..self.operands.len() {
            let ty = self.operands.get(index).ty;
            let src = self.peek(index);
            if !matches!(src, Src::Slot(slot) if slot == to) {
                copy(&mut self.emitter, ty, src, to);
            }
            to += ty.slots() as u32;
        }
    }

    /// Jumps to a label; operands are in place.
    fn jump_to(&mut self, label: &Label) {
        match *label {
            Label::Return => self.emit_return(),
            Label::Back(at) => {
                self.emitter.locate(self.offset);
                let jump = self.emitter.emit("jump_back", control::jump_back, &[0]);
                self.emitter.patch(Patch { word: jump + 2, from: jump }, at);
            }
            Label::End(index) => {
                let patch = self.jump();
                self.controls[index].patches.push(patch);
            }
        }
    }

    fn br(&mut self, depth: u32) {
        let (label, count, height) = self.label(depth);
        if !matches!(label, Label::Return) {
            self.carry(count, height);
        }
        self.jump_to(&label);
        self.reachable = false;
    }

    /// Branches if the condition on top holds.
    pub fn br_if(&mut self, depth: u32) {
        let (condition, l, r) = self.condition();
        self.branch_if(depth, &condition, l, r);
    }

    /// Branches if a condition holds, whose operands are taken.
    pub fn branch_if(&mut self, depth: u32, condition: &super::numeric::Condition, l: Src, r: Src) {
        let (label, count, height) = self.label(depth);
        let direct = !matches!(label, Label::Return) && self.in_place(count, height);
        if direct {
            let back = matches!(label, Label::Back(_));
            let patch = self.branch(condition, l, r, condition.when, back);
            match label {
                Label::Back(at) => self.emitter.patch(patch, at),
                Label::End(index) => self.controls[index].patches.push(patch),
                Label::Return => {}
            }
            return;
        }
        let over = self.branch(condition, l, r, !condition.when, false);
        if !matches!(label, Label::Return) {
            self.carry(count, height);
        }
        self.jump_to(&label);
        let here = self.emitter.here();
        self.emitter.patch(over, here);
        // The accumulators are as they were: what was made in between writes none.
        self.fusible = None;
        self.last = None;
    }

    fn br_table(&mut self, targets: &BrTable<'a>) {
        let (index, _) = self.operands.pop(&mut self.emitter);
        let index = self.in_slot(ValType::I32, index);
        let depths: Vec<u32> = targets.targets().flatten().chain([targets.default()]).collect();
        let (_, count, _) = self.label(targets.default());
        let first = self.operands.len() - count;
        if let Src::Slot(slot) = index
            && slot == self.operands.top
        {
            // A constant index stands where no operand is.
            self.operands.reserve(1);
        }
        self.operands.settle_from(first, &mut self.emitter);
        self.emitter.locate(self.offset);
        let handler = match index.from() {
            From::Acc => control::jump_table::<Acc>,
            _ => control::jump_table::<Slot>,
        };
        let at = self.emitter.emit("jump_table", handler, &[depths.len() as u32]);
        let table = self.emitter.here();
        self.emitter.words.resize(table as usize + depths.len(), 0);
        operand(&mut self.emitter, ValType::I32, index);
        let mut stubs = std::collections::HashMap::new();
        for (i, depth) in depths.into_iter().enumerate() {
            let patch = Patch { word: table + i as u32, from: at };
            let (label, count, height) = self.label(depth);
            match label {
                Label::Back(to) if self.in_place(count, height) => self.emitter.patch(patch, to),
                Label::End(index) if self.in_place(count, height) => self.controls[index].patches.push(patch),
                label => {
                    let stub = match stubs.get(&depth) {
                        Some(stub) => *stub,
                        None => {
                            let stub = self.emitter.here();
                            if !matches!(label, Label::Return) {
                                self.carry(count, height);
                            }
                            self.jump_to(&label);
                            stubs.insert(depth, stub);
                            stub
                        }
                    };
                    self.emitter.patch(patch, stub);
                }
            }
        }
        self.reachable = false;
    }

    fn ret(&mut self) {
        if let [ty] = self.ty.results() {
            // The value may come from the accumulator, since nobody needs it after this.
            let ty = *ty;
            let (src, _) = self.operands.pop(&mut self.emitter);
            self.return_one(ty, src);
        } else {
            self.emit_return();
        }
        self.reachable = false;
    }

    fn return_one(&mut self, ty: ValType, src: Src) {
        macro_rules! pick {
            ($ty:ty) => {
                match src.from() {
                    From::Slot => calls::ret_one::<$ty, Slot>,
                    From::Acc => calls::ret_one::<$ty, Acc>,
                    From::Imm => calls::ret_one::<$ty, Imm>,
                }
            };
        }
        let handler = match ty {
            ValType::I32 => pick!(u32),
            ValType::F32 => pick!(f32),
            ValType::F64 => pick!(f64),
            ValType::V128 => {
                let Src::Slot(slot) = src else { return };
                self.emitter.emit("return", calls::ret_row, &[self.header, slot, 2]);
                return;
            }
            _ => pick!(u64),
        };
        self.emitter.emit("return", handler, &[self.header]);
        operand(&mut self.emitter, ty, src);
    }

    /// Returns the topmost operands, without popping them.
    fn emit_return(&mut self) {
        let results = self.ty.results();
        let first = self.operands.len() - results.len();
        match results {
            [] => {
                self.emitter.emit("return", calls::ret, &[self.header]);
            }
            [ty] => {
                let src = self.peek(first);
                self.return_one(*ty, src);
            }
            _ => {
                let row = self.operands.get(first).slot;
                // To their own slots, where nothing else is.
                for index in first..self.operands.len() {
                    let (own, ty) = (self.operands.get(index).slot, self.operands.get(index).ty);
                    let src = self.peek(index);
                    if !matches!(src, Src::Slot(slot) if slot == own) {
                        copy(&mut self.emitter, ty, src, own);
                    }
                }
                let slots = self.ty.result_slots() as u32;
                self.emitter.emit("return", calls::ret_row, &[self.header, row, slots]);
            }
        }
    }
}
