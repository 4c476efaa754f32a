//! Bodies that are entered in mid-loop: the interpreter's frame goes on in compiled code at a loop's header (on-stack replacement).
//!
//! Such code takes the place of a frame of the interpreter. At a loop's header all that lives in that is in its slots, so the
//! code's real entry loads locals and operands from there, and jumps to the header:
//!
//! ```text
//!   entry: locals ← slots          start (nobody comes here):
//!   resume: operands ← slots         … as ever …
//!           │                        │
//!           └──────► header ◄────────┘◄── branches back
//! ```
//!
//! The whole body is lowered as ever, from a start that nothing leads to; what cannot be reached from the header Cranelift sweeps
//! out. A loop around the header can be, with what stands before the header in it. So an operand below the header may come
//! there from either way, and is a variable, as locals are.
//!
//! A tail call gives up the frame, which is the interpreter's to do: the code leaves callee and arguments for it and returns.

use std::collections::HashMap;
use std::mem::offset_of;

use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::{FunctionBuilder, Variable};

use super::roots::Operand;
use super::{Lower, PTR};
use crate::interpreter::LoopHeader;
use crate::jit::trampolines::{load_all, store_all};
use crate::runtime::context::LoopFrame;
use crate::types::{FuncType, ValType};

/// Where a body is entered, and from what.
pub struct Resume {
    header: LoopHeader,
    /// The [`LoopFrame`].
    entry: Value,
    /// Its slots.
    slots: Value,
    /// Where operands are taken from them.
    block: Block,
    /// Whether the header has come.
    is_entered: bool,
    /// The variables of operands, by depth and type.
    carried: HashMap<(usize, ir::Type), Variable>,
}

fn flags() -> MemFlagsData {
    // `v128` slots are aligned to 8 bytes only.
    MemFlagsData::new().with_notrap()
}

impl Resume {
    /// For a body that is handed this [`LoopFrame`].
    pub fn new(header: &LoopHeader, entry: Value, b: &mut FunctionBuilder<'_>) -> Self {
        let block = b.create_block();
        Self { header: *header, entry, slots: entry, block, is_entered: false, carried: HashMap::new() }
    }

    /// Whether the body has the loop that it is to be entered at.
    pub fn is_entered(&self) -> bool {
        self.is_entered
    }
}

impl Lower<'_> {
    /// Loads the locals, which have been declared, in the entry block. What is lowered next is the start, to which nothing leads.
    pub fn take_locals(&mut self) {
        let Some(resume) = &mut self.resume else { return };
        resume.slots = self.b.ins().load(PTR, flags(), resume.entry, offset_of!(LoopFrame, slots) as i32);
        let (slots, block) = (resume.slots, resume.block);
        let types: Vec<ValType> = self.locals.iter().map(|(_, ty)| *ty).collect();
        let values = load_all(&mut self.b, &types, slots);
        for (at, value) in values.into_iter().enumerate() {
            let (variable, ty) = self.locals[at];
            if ty.is_traced() {
                self.born(value);
            }
            self.b.def_var(variable, value);
        }
        self.b.ins().jump(block, &[]);
        self.b.seal_block(block);
        let start = self.b.create_block();
        self.b.switch_to_block(start);
        self.b.seal_block(start);
    }

    /// Whether the loop that begins with the present operator is the one that the body is entered at.
    pub fn is_resumed_here(&self) -> bool {
        self.resume.as_ref().is_some_and(|resume| resume.header.offset == self.offset)
    }

    /// Loads the operands at a loop's header and goes there; those from `height` on are its parameters, and still on the stack.
    pub fn take_operands(&mut self, header: Block, height: usize) {
        let Some(resume) = &mut self.resume else { return };
        resume.is_entered = true;
        let (slots, block, mut slot) = (resume.slots, resume.block, resume.header.slot);
        self.b.switch_to_block(block);
        let mut arguments = Vec::new();
        for depth in 0..self.stack.len() {
            let (variable, ty, is_traced) = match self.stack[depth] {
                Operand::Carried(variable, ty) => (variable, ty, false),
                Operand::Traced(_) => {
                    let root = self.operand_root(depth);
                    (self.roots.all[root].variable, types::I32, true)
                }
                // All that stand here are below the count that the header has.
                Operand::Plain(_) => continue,
            };
            let value = self.b.ins().load(ty, flags(), slots, slot as i32 * 8);
            slot += if ty.is_vector() { 2 } else { 1 };
            if is_traced {
                self.born(value);
            }
            if depth < height {
                self.b.def_var(variable, value);
            } else {
                arguments.push(BlockArg::Value(value));
            }
        }
        self.b.ins().jump(header, &arguments);
    }

    /// An operand that is pushed now as a variable, if the body is entered where it may stand.
    pub fn carried(&mut self, value: Value) -> Option<Operand> {
        let depth = self.stack.len();
        self.resume.as_ref().filter(|resume| depth < resume.header.operands as usize)?;
        let mut value = [value];
        self.canonical(&mut value);
        let ty = self.b.func.dfg.value_type(value[0]);
        let resume = self.resume.as_mut()?;
        let variable = *resume.carried.entry((depth, ty)).or_insert_with(|| self.b.declare_var(ty));
        self.b.def_var(variable, value[0]);
        Some(Operand::Carried(variable, ty))
    }

    /// A tail call of a function, which the interpreter makes.
    pub fn hand_on(&mut self, ty: &FuncType, args: &[Value], func_ref: Value) {
        let Some(resume) = &self.resume else { return };
        let (entry, slots, slot) = (resume.entry, resume.slots, resume.header.slot);
        // Where operands begin what this returns will be stored.
        let to = self.b.ins().iadd_imm_s(slots, (slot as usize + ty.result_slots()) as i64 * 8);
        store_all(&mut self.b, ty.params(), args, to);
        self.b.ins().store(flags(), func_ref, entry, offset_of!(LoopFrame, tail_callee) as i32);
        let results: Vec<Value> =
            self.module.func_type(self.index).results().iter().map(|ty| self.nothing(*ty)).collect();
        self.b.ins().return_(&results);
        self.reachable = false;
    }

    /// A value in place of one that nobody looks at.
    fn nothing(&mut self, ty: ValType) -> Value {
        let zero = self.zero(ty);
        if ty.is_traced() {
            self.born(zero);
        }
        zero
    }
}
