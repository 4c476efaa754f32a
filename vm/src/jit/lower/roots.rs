//! Where references are while something may collect.
//!
//! A reference that the collector traces, in a local or on the operand stack, is a variable with a *home*: a place in the
//! frame. Before each call that may collect, every such variable's value is stored to its home, and the call's stack map
//! names the homes; after it the variable's value is what is loaded from there, since the collector moves objects.
//! Where the call stands on a path that is rarely taken, as in allocation, all of that stands there too, and the other path keeps its
//! references in registers.
//!
//! ```text
//!   v1 = …                     v1 = …
//!   store v1 → home            brif room, next(v1), slow
//!   call f  [home]           slow:                          (cold)
//!   v2 = load home             store v1 → home; call grow [home]; v2 = load home; jump next(v2)
//!   … v2 …                   next(v3): … v3 …
//! ```
//!
//! Of locals only those are stored that are [live](super::liveness), and of operands those that the call leaves on the stack. How many that
//! are at all calls together is bounded by the body's size: a body with very many locals and calls is not compiled.
//!
//! A value that its home holds already is not stored again. Loads that nobody uses are swept out in the end.

use std::collections::HashSet;

use cranelift_codegen::ir::{
    Function, Inst, InstBuilder, StackSlot, StackSlotData, StackSlotKind, Type, UserStackMapEntry, Value, types,
};
use cranelift_frontend::Variable;

use super::liveness::{Liveness, Locals};
use super::{Lower, PTR};
use crate::types::{RefType, ValType};

/// References in stack maps of a function that are always allowed.
const FEW_NAMED: usize = 4096;
/// References in stack maps for each byte of a function beyond those.
const NAMED_PER_BYTE: usize = 4;

/// An operand.
#[derive(Clone, Copy)]
pub enum Operand {
    /// A value that no collector cares for.
    Plain(Value),
    /// The same, in a variable: see [`resume`](super::resume).
    Carried(Variable, Type),
    /// A reference in the variable of its depth.
    Traced(RefType),
}

/// A variable that holds a reference.
pub struct Root {
    pub variable: Variable,
    home: Option<StackSlot>,
    /// The value that the home holds, as far as is known; and since which place in the code nothing else can have come
    /// between.
    clean: Option<(u32, Value)>,
}

/// The variables of a function that hold references.
#[derive(Default)]
pub struct Roots {
    pub all: Vec<Root>,
    /// Those of locals.
    locals: Vec<usize>,
    /// Those of operands, by depth.
    operands: Vec<Option<usize>>,
    /// Counts places where paths meet, and calls that may collect.
    epoch: u32,
    /// Loads from homes.
    reloads: Vec<Inst>,
    /// Those that are live where an exception lands, while that is lowered.
    landing: Option<Locals>,
    /// How many references stack maps may still name; none if they named too many.
    left: Option<usize>,
}

impl Roots {
    /// Whether the references in stack maps are in proportion to the body.
    pub fn fit(&self) -> bool {
        self.left.is_some()
    }
}

impl Lower<'_> {
    fn new_root(&mut self) -> usize {
        let variable = self.b.declare_var(types::I32);
        self.roots.all.push(Root { variable, home: None, clean: None });
        self.roots.all.len() - 1
    }

    /// The variable of a local that holds references.
    pub fn local_root(&mut self) -> Variable {
        let root = self.new_root();
        self.roots.locals.push(root);
        self.roots.all[root].variable
    }

    /// What homes hold is not known from here on: another path may come in.
    pub fn paths_meet(&mut self) {
        self.roots.epoch += 1;
    }

    /// The root of the operand at a depth.
    pub fn operand_root(&mut self, depth: usize) -> usize {
        if depth >= self.roots.operands.len() {
            self.roots.operands.resize(depth + 1, None);
        }
        match self.roots.operands[depth] {
            Some(root) => root,
            None => {
                let root = self.new_root();
                self.roots.operands[depth] = Some(root);
                root
            }
        }
    }

    /// Pushes a value of a type.
    pub fn push_typed(&mut self, value: Value, ty: ValType) {
        match ty {
            ValType::Ref(reference) if ty.is_traced() => {
                self.born(value);
                let root = self.operand_root(self.stack.len());
                self.b.def_var(self.roots.all[root].variable, value);
                self.stack.push(Operand::Traced(reference));
            }
            _ => self.push(value),
        }
    }

    /// Tells the checker of a value that is a reference.
    pub fn born(&mut self, value: Value) {
        if let Some(claims) = &mut self.claims {
            claims.born.insert(value);
        }
    }

    /// The value of the operand at an index of the stack.
    pub fn operand(&mut self, index: usize) -> Value {
        match self.stack[index] {
            Operand::Plain(value) => value,
            Operand::Carried(variable, _) => self.b.use_var(variable),
            Operand::Traced(_) => {
                let root = self.operand_root(index);
                self.b.use_var(self.roots.all[root].variable)
            }
        }
    }

    /// Finds out which locals are live where. `Ok(false)` if that would take too much.
    pub fn find_live_locals(&mut self, bytes: &[u8], start: usize) -> wasmparser::Result<bool> {
        let count = self.roots.locals.len();
        let mut traced = 0..count;
        let numbers: Vec<Option<usize>> =
            self.locals.iter().map(|(_, ty)| if ty.is_traced() { traced.next() } else { None }).collect();
        let found = Liveness::of(bytes, start, count, |local| numbers.get(local as usize).copied().flatten())?;
        let is_found = found.is_some();
        self.liveness = found.unwrap_or_default();
        self.roots.left = Some(FEW_NAMED + NAMED_PER_BYTE * bytes.len());
        Ok(is_found)
    }

    /// Begins to lower where an exception lands that a clause of the `try_table` that ends here catches.
    pub fn enter_landing(&mut self, clause: usize) {
        self.roots.landing = Some(self.liveness.landing(self.offset, clause).clone());
    }

    /// What is lowered from here on is the operator itself again.
    pub fn leave_landing(&mut self) {
        self.roots.landing = None;
    }

    /// The roots that something may still be read from: live locals, and the operands below a height.
    fn live(&mut self, height: usize) -> Vec<usize> {
        let locals = match &self.roots.landing {
            Some(landing) => landing,
            None => self.liveness.at(self.offset),
        };
        let mut live: Vec<usize> = locals.iter().map(|local| self.roots.locals[local]).collect();
        for depth in 0..height {
            if let Operand::Traced(_) = self.stack[depth] {
                live.push(self.operand_root(depth));
            }
        }
        live
    }

    /// Stores references to their homes, for a call that may collect: those of locals, and of the operands below a height.
    pub fn spill(&mut self, height: usize) -> Vec<usize> {
        let live = self.live(height);
        for &index in &live {
            let value = self.b.use_var(self.roots.all[index].variable);
            let home = match self.roots.all[index].home {
                Some(home) => home,
                None => {
                    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 4, 2);
                    let home = self.b.create_sized_stack_slot(slot);
                    self.roots.all[index].home = Some(home);
                    home
                }
            };
            if self.roots.all[index].clean != Some((self.roots.epoch, value)) {
                self.b.ins().stack_store(PTR, value, home, 0);
                self.roots.all[index].clean = Some((self.roots.epoch, value));
            }
        }
        live
    }

    /// Lets the stack map of a call name the homes of roots.
    pub fn map(&mut self, call: Inst, live: &[usize]) {
        // Other homes hold what was there before the call.
        self.roots.epoch += 1;
        self.roots.left = self.roots.left.and_then(|left| left.checked_sub(live.len()));
        for index in live {
            if let Some(slot) = self.roots.all[*index].home {
                let entry = UserStackMapEntry { ty: types::I32, slot, offset: 0 };
                self.b.func.dfg.append_user_stack_map_entry(call, entry);
            }
        }
    }

    /// Takes references from their homes again, after a call.
    pub fn reload(&mut self, live: &[usize]) {
        for index in live {
            let Some(home) = self.roots.all[*index].home else { continue };
            let value = self.b.ins().stack_load(PTR, types::I32, home, 0);
            if let Some(inst) = self.b.func.dfg.value_def(value).inst() {
                self.roots.reloads.push(inst);
            }
            self.b.def_var(self.roots.all[*index].variable, value);
            self.roots.all[*index].clean = Some((self.roots.epoch, value));
        }
    }

    /// Takes all references from their homes where an exception lands: operands below a height are live there.
    pub fn reload_all(&mut self, height: usize) {
        let live = self.live(height);
        self.reload(&live);
    }

    /// Takes out loads whose values nobody uses.
    pub fn sweep(&mut self) {
        let reloads = std::mem::take(&mut self.roots.reloads);
        sweep(self.b.func, reloads);
    }
}

fn sweep(func: &mut Function, reloads: Vec<Inst>) {
    if reloads.is_empty() {
        return;
    }
    let mut used = HashSet::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            used.extend(func.dfg.inst_values(inst).map(|value| func.dfg.resolve_aliases(value)));
        }
    }
    for inst in reloads {
        if !used.contains(&func.dfg.first_result(inst)) {
            func.layout.remove_inst(inst);
        }
    }
}
