//! Proves of compiled functions that the collector finds every reference that they go on to use.
//!
//! The collector moves objects while compiled code stands in a call. It mends the places in the frame that the call's stack
//! map names, and nothing else. [`lower`](super::lower) spills references to such places before calls and loads them again
//! afterwards; Cranelift then moves, merges and duplicates what it likes. If either errs, a program follows a reference
//! to where an object was: seldom, and far from the cause. So the result is checked, as a register allocator's is: not that the way
//! to it was right, but that what came out is.
//!
//! What is checked is the CLIF that instruction selection reads, after all optimisation. A function goes through three passes, each in
//! a file of its own:
//!
//! 1. [`classes`] finds out by abstract interpretation what each value is: a reference, something computed from one, or neither.
//!    References are *born* as parameters, as results of calls and by loads. From there they flow through computations,
//!    blocks' parameters and slots.
//! 2. [`stale`] walks back from each use of a value that collection makes worthless. No path from its definition to the use
//!    may lead over a *safepoint*, a call that may collect:
//!
//!    ```text
//!      v1 = load …          (born)
//!      call f
//!      store v1 → …         error: v1 is what the object's place was
//!    ```
//!
//!    This goes for addresses that were computed from references as well. Not for answers: whether two references were equal
//!    before a call, or the number in a small integer, is as true after it, and Cranelift may find it out that late.
//! 3. [`slots`] follows the frame's slots forward. One is *sound* from the store of a reference on, for as long as each safepoint's map
//!    names it. Only sound ones may be loaded from, and only sound ones may be named, since the collector takes what is there for a
//!    reference.
//!
//! By (2), what a function uses after a safepoint it loaded after it; by (3), the map named the place, and a reference had been stored
//! there. Together: every reference that is live over a safepoint is in its map, and is taken from there.
//!
//! **What is taken on trust.** The function's type, from the module. Which builtins never collect: [`NEVER_COLLECT`]; every other
//! call does. And [`Claims`], in which the lowering says which loads and results of builtins are references, and what the types of callees are. Should it forget one, that is found where
//! the value is used as one: an argument or result whose type is a reference, the object of an access to the heap
//! and what is stored in a slot must all be known to be references. Where Cranelift's register allocator puts slots, and
//! that it reports so, is its own to prove.
//!
//! All of it takes time that is linear in a function's size but for nests of blocks, and none where nothing asks for it: see
//! [`CodeConfig::check_code`](crate::runtime::config::CodeConfig).

mod classes;
mod slots;
mod stale;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::mem::offset_of;

use cranelift_codegen::ir::instructions::CallInfo;
use cranelift_codegen::ir::{Block, BlockArg, Function, Inst, InstructionData, Opcode, SigRef, StackSlot, Value};

use super::lower::builtin;
use crate::runtime::context::InstanceContext;
use crate::types::FuncType;
use classes::Class;

/// Builtins that never collect.
const NEVER_COLLECT: &[usize] = &[
    builtin!(memory_grow),
    builtin!(bytes_copy),
    builtin!(bytes_fill),
    builtin!(memory_init),
    builtin!(data_drop),
    builtin!(table_grow),
    builtin!(table_fill),
    builtin!(table_copy),
    builtin!(table_init),
    builtin!(elem_drop),
    builtin!(raise_kind),
    builtin!(array_fill),
    builtin!(array_copy),
    builtin!(elements_copy),
    builtin!(array_init_data),
    builtin!(array_init_elem),
    builtin!(number_of),
    builtin!(is_subtype),
];

/// What the lowering says of a function.
#[derive(Default)]
pub struct Claims {
    /// Results of loads and of builtins, and parameters of blocks, that are references.
    pub born: HashSet<Value>,
    /// Of the signatures of calls of functions, the function types.
    pub signatures: HashMap<SigRef, FuncType>,
}

/// What is wrong with a function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// A value is used after a call that made it worthless.
    #[error(
        "{value}, a reference or computed from one, is used by `{used}` after `{safepoint}`, which may move the object"
    )]
    Stale {
        /// The value.
        value: Value,
        /// Who uses it.
        used: String,
        /// What may collect before that.
        safepoint: String,
    },
    /// A reference is loaded from a slot that the collector has not mended, or that does not hold one.
    #[error("`{load}` reads {slot}, which on some way there holds no reference that every stack map named")]
    Unmended {
        /// The slot.
        slot: StackSlot,
        /// Who reads it.
        load: String,
    },
    /// A stack map names a slot that does not hold a reference, or an old one.
    #[error("the stack map of `{safepoint}` names {slot}, which on some way there holds no reference, or an old one")]
    Unset {
        /// The slot.
        slot: StackSlot,
        /// The call.
        safepoint: String,
    },
    /// Something is taken for a reference that is none.
    #[error("`{used}` takes {value} for a reference, which it is not known to be")]
    NotAReference {
        /// The value.
        value: Value,
        /// Who uses it.
        used: String,
    },
    /// A slot's address goes where it cannot be followed.
    #[error("`{used}` lets the address of a slot out of sight")]
    Escapes {
        /// Who uses the address.
        used: String,
    },
}

/// Checks a function of a type, as it goes to instruction selection.
///
/// # Errors
/// The first thing found that would let a reference go stale.
pub fn check(func: &Function, ty: &FuncType, claims: &Claims) -> Result<(), Unsound> {
    let code = Code::new(func, ty, claims);
    let classes = classes::classify(&code);
    slots::check(&code, &classes)?;
    stale::check(&code, &classes)
}

/// A function under check.
struct Code<'a> {
    func: &'a Function,
    ty: &'a FuncType,
    claims: &'a Claims,
    /// The instance's context.
    context: Option<Value>,
    /// Its blocks with their predecessors, each as often as it branches there.
    predecessors: HashMap<Block, Vec<Block>>,
}

/// What an instruction does with the frame's slots.
enum Access {
    Load(StackSlot),
    Store(StackSlot, Value),
    /// The slot's address, anything but loaded from and stored to as a whole.
    Other,
}

impl<'a> Code<'a> {
    fn new(func: &'a Function, ty: &'a FuncType, claims: &'a Claims) -> Self {
        let context = func.layout.entry_block().and_then(|entry| func.dfg.block_params(entry).first().copied());
        let mut code = Self { func, ty, claims, context, predecessors: HashMap::new() };
        let mut predecessors: HashMap<Block, Vec<Block>> = HashMap::new();
        for block in func.layout.blocks() {
            code.edges(block, |target, _| predecessors.entry(target).or_default().push(block));
        }
        code.predecessors = predecessors;
        code
    }

    fn args(&self, inst: Inst) -> &'a [Value] {
        self.func.dfg.inst_args(inst)
    }

    fn show(&self, inst: Inst) -> String {
        self.func.dfg.display_inst(inst).to_string()
    }

    fn opcode(&self, inst: Inst) -> Opcode {
        self.func.dfg.insts[inst].opcode()
    }

    /// The instruction that makes a value, if it is one.
    fn definition(&self, value: Value) -> Option<&'a InstructionData> {
        self.func.dfg.value_def(value).inst().map(|inst| &self.func.dfg.insts[inst])
    }

    /// The number that a value is, if it is a constant.
    fn constant(&self, value: Value) -> Option<i64> {
        match self.definition(value)? {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }

    /// Calls `each` with the target of each edge out of a block, and for each of the target's parameters the value that it is given, if it is
    /// given one and not a call's result.
    fn edges(&self, block: Block, mut each: impl FnMut(Block, Vec<BlockArg>)) {
        let dfg = &self.func.dfg;
        let Some(last) = self.func.layout.last_inst(block) else { return };
        for call in dfg.insts[last].branch_destination(&dfg.jump_tables, &dfg.exception_tables) {
            let args = call.args(&dfg.value_lists).collect();
            each(call.block(&dfg.value_lists), args);
        }
    }

    /// Whether an address is that of the heap's base.
    fn is_heap_base(&self, value: Value) -> bool {
        match self.definition(value) {
            Some(InstructionData::Load { arg, offset, .. }) => {
                Some(*arg) == self.context && i32::from(*offset) == offset_of!(InstanceContext, heap) as i32
            }
            _ => false,
        }
    }

    /// Where in the table of builtins a callee stands, if it does.
    fn builtin_of(&self, callee: Value) -> Option<usize> {
        let InstructionData::Load { arg: table, offset, .. } = self.definition(callee)? else { return None };
        let InstructionData::Load { arg: context, offset: at, .. } = self.definition(*table)? else { return None };
        let is_table = Some(*context) == self.context && i32::from(*at) == offset_of!(InstanceContext, builtins) as i32;
        if is_table { usize::try_from(i32::from(*offset)).ok() } else { None }
    }

    /// Whether an instruction may collect.
    fn is_safepoint(&self, inst: Inst) -> bool {
        match self.opcode(inst) {
            Opcode::Call | Opcode::TryCall | Opcode::TryCallIndirect => true,
            Opcode::CallIndirect => {
                !self.builtin_of(self.args(inst)[0]).is_some_and(|builtin| NEVER_COLLECT.contains(&builtin))
            }
            _ => false,
        }
    }

    /// The signature and arguments of a call, also of one in tail position.
    fn call(&self, inst: Inst) -> Option<(SigRef, &'a [Value])> {
        let dfg = &self.func.dfg;
        match dfg.insts[inst].analyze_call(&dfg.value_lists, &dfg.exception_tables) {
            CallInfo::NotACall => None,
            CallInfo::Direct(func, args) => Some((dfg.ext_funcs[func].signature, args)),
            CallInfo::DirectWithSig(_, signature, args) | CallInfo::Indirect(signature, args) => {
                Some((signature, args))
            }
        }
    }

    /// Whether a result of a call is a reference, as its callee's type says.
    fn returns_reference(&self, call: Inst, at: usize) -> bool {
        let ty = self.call(call).and_then(|(signature, _)| self.claims.signatures.get(&signature));
        ty.and_then(|ty| ty.results().get(at)).is_some_and(|ty| ty.is_traced())
    }

    /// The slot that a value is the address of, if it is.
    fn slot_of(&self, address: Value) -> Option<StackSlot> {
        match self.definition(address)? {
            InstructionData::StackAddr { stack_slot, offset, .. } if i32::from(*offset) == 0 => Some(*stack_slot),
            _ => None,
        }
    }

    /// What an instruction does with the frame's slots, if anything.
    fn access(&self, inst: Inst) -> Option<Access> {
        let is_slot = |value: &Value| matches!(self.definition(*value), Some(InstructionData::StackAddr { .. }));
        let mut values = self.func.dfg.inst_values(inst);
        if !values.any(|value| is_slot(&value)) {
            return None;
        }
        Some(match self.func.dfg.insts[inst] {
            InstructionData::Load { opcode: Opcode::Load, arg, offset, .. } if i32::from(offset) == 0 => {
                self.slot_of(arg).map_or(Access::Other, Access::Load)
            }
            InstructionData::Store { opcode: Opcode::Store, args: [value, address], offset, .. }
                if i32::from(offset) == 0 && !is_slot(&value) =>
            {
                self.slot_of(address).map_or(Access::Other, |slot| Access::Store(slot, value))
            }
            _ => Access::Other,
        })
    }

    /// The address and offset that an instruction reads or writes memory at.
    fn memory(&self, inst: Inst) -> Option<(Value, i32)> {
        match self.func.dfg.insts[inst] {
            InstructionData::Load { arg, offset, .. } => Some((arg, offset.into())),
            InstructionData::Store { args: [_, address], offset, .. } => Some((address, offset.into())),
            _ => None,
        }
    }

    /// The values that an instruction takes for references because of a type.
    fn typed_uses(&self, inst: Inst) -> Vec<Value> {
        if self.opcode(inst) == Opcode::Return {
            let results = self.args(inst).iter().zip(self.ty.results());
            return results.filter(|(_, ty)| ty.is_traced()).map(|(value, _)| *value).collect();
        }
        let Some((signature, args)) = self.call(inst) else { return Vec::new() };
        let Some(ty) = self.claims.signatures.get(&signature) else { return Vec::new() };
        // Before them stand the context and the callee.
        let params = args.iter().skip(2).zip(ty.params());
        params.filter(|(_, ty)| ty.is_traced()).map(|(value, _)| *value).collect()
    }

    /// Whether an instruction accesses an object that is null as a constant: that faults, and what comes after it is folded to what makes no
    /// sense, such as an element's address that is nothing but its index.
    fn is_access_to_null(&self, inst: Inst) -> bool {
        self.memory(inst).is_some_and(|(address, offset)| self.is_heap_base(address) && offset >= 0)
    }

    /// Checks that what becomes a reference where ways meet is one on each of them.
    fn check_edges(&self, block: Block, classes: &classes::Classes) -> Result<(), Unsound> {
        let (mut wrong, Some(inst)) = (None, self.func.layout.last_inst(block)) else { return Ok(()) };
        self.edges(block, |target, args| {
            let params = self.func.dfg.block_params(target).iter().zip(args);
            let given =
                params.filter(|(param, _)| classes[**param] == Class::Reference).filter_map(|(_, arg)| arg.as_value());
            wrong = wrong.or(given.into_iter().find(|arg| !classes[*arg].is_reference()));
        });
        match wrong {
            Some(value) => Err(Unsound::NotAReference { value, used: self.show(inst) }),
            None => Ok(()),
        }
    }

    /// Checks that what is taken for a reference is one.
    fn check_uses(&self, inst: Inst, classes: &classes::Classes) -> Result<(), Unsound> {
        let not = |value| Err(Unsound::NotAReference { value, used: self.show(inst) });
        if let Some(value) = self.typed_uses(inst).into_iter().find(|value| !classes[*value].is_reference()) {
            return not(value);
        }
        match self.memory(inst) {
            // Below the base are the heap's own tables.
            Some((address, offset))
                if classes[address] == Class::Base && offset >= 0 && !self.is_heap_base(address) =>
            {
                not(address)
            }
            _ => Ok(()),
        }
    }
}
