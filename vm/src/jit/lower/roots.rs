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
//! A value that its home holds already is not stored again, nor is that of a local that nothing reads from there on ([`last_reads`]).
//! Loads that nobody uses are swept out in the end.

use std::collections::HashSet;

use cranelift_codegen::ir::{
    Function, Inst, InstBuilder, StackSlot, StackSlotData, StackSlotKind, UserStackMapEntry, Value, types,
};
use cranelift_frontend::Variable;
use wasmparser::{FunctionBody, Operator};

use super::{Lower, PTR};
use crate::types::{RefType, ValType};

/// An operand.
#[derive(Clone, Copy)]
pub enum Operand {
    /// A value that no collector cares for.
    Plain(Value),
    /// A reference in the variable of its depth.
    Traced(RefType),
}

/// A variable that holds a reference.
pub struct Root {
    variable: Variable,
    home: Option<StackSlot>,
    /// The value that the home holds, as far as is known; and since which place in the code nothing else can have come
    /// between.
    clean: Option<(u32, Value)>,
}

/// The variables of a function that hold references.
#[derive(Default)]
pub struct Roots {
    all: Vec<Root>,
    /// Those of locals, each with where it is read last.
    locals: Vec<(usize, usize)>,
    /// Where each local of the function is read last.
    last_reads: Vec<usize>,
    /// Where the operator stands that is being lowered.
    pub at: usize,
    /// Those of operands, by depth.
    operands: Vec<Option<usize>>,
    /// Counts places where paths meet.
    epoch: u32,
    /// Loads from homes.
    reloads: Vec<Inst>,
}

impl Lower<'_> {
    fn new_root(&mut self) -> usize {
        let variable = self.b.declare_var(types::I32);
        self.roots.all.push(Root { variable, home: None, clean: None });
        self.roots.all.len() - 1
    }

    /// Finds out where locals are read last.
    pub fn note_reads(&mut self, body: &FunctionBody<'_>) -> wasmparser::Result<()> {
        self.roots.last_reads = last_reads(body)?;
        Ok(())
    }

    /// The variable of a local that holds references.
    pub fn local_root(&mut self, local: usize) -> Variable {
        let root = self.new_root();
        let read = self.roots.last_reads.get(local).copied().unwrap_or(0);
        self.roots.locals.push((root, read));
        self.roots.all[root].variable
    }

    /// What homes hold is not known from here on: another path may come in.
    pub fn paths_meet(&mut self) {
        self.roots.epoch += 1;
    }

    /// The root of the operand at a depth.
    fn operand_root(&mut self, depth: usize) -> usize {
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
                let root = self.operand_root(self.stack.len());
                self.b.def_var(self.roots.all[root].variable, value);
                self.stack.push(Operand::Traced(reference));
            }
            _ => self.stack.push(Operand::Plain(value)),
        }
    }

    /// The value of the operand at an index of the stack.
    pub fn operand(&mut self, index: usize) -> Value {
        match self.stack[index] {
            Operand::Plain(value) => value,
            Operand::Traced(_) => {
                let root = self.operand_root(index);
                self.b.use_var(self.roots.all[root].variable)
            }
        }
    }

    /// The roots that something may still be read from: locals that are read after this, and the operands below a height.
    fn live(&mut self, height: usize) -> Vec<usize> {
        let at = self.roots.at;
        let read_later = self.roots.locals.iter().filter(|(_, read)| *read > at);
        let mut live: Vec<usize> = read_later.map(|(root, _)| *root).collect();
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

/// For each local the offset after which nothing reads it, zero if nothing does. Control goes back only to where a loop begins, so what
/// is read in a loop is needed until the outermost loop around it ends.
fn last_reads(body: &FunctionBody<'_>) -> wasmparser::Result<Vec<usize>> {
    let mut reads: Vec<usize> = Vec::new();
    // Whether each open block is a loop, and what was read in the outermost one.
    let (mut blocks, mut loops, mut read_in_loop) = (Vec::new(), 0_usize, Vec::new());
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let (op, offset) = operators.read_with_offset()?;
        match op {
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => blocks.push(false),
            Operator::Loop { .. } => {
                blocks.push(true);
                loops += 1;
            }
            Operator::End => {
                let is_loop = blocks.pop() == Some(true);
                loops -= usize::from(is_loop);
                if is_loop && loops == 0 {
                    read_in_loop.drain(..).for_each(|local: usize| reads[local] = offset as usize);
                }
            }
            Operator::LocalGet { local_index } => {
                let local = local_index as usize;
                if local >= reads.len() {
                    reads.resize(local + 1, 0);
                }
                reads[local] = offset as usize;
                if loops > 0 {
                    read_in_loop.push(local);
                }
            }
            _ => {}
        }
    }
    Ok(reads)
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

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload};

    use super::*;

    /// For each local the name of the operator that ends its use.
    fn ends(body: &str) -> Vec<String> {
        let bytes = wat::parse_str(format!("(module (func (param i32 i32) {body}))")).unwrap();
        let body = Parser::new(0).parse_all(&bytes).find_map(|payload| match payload {
            Ok(Payload::CodeSectionEntry(body)) => Some(body),
            _ => None,
        });
        let body = body.unwrap();
        let name = |wanted: &usize| {
            let mut operators = body.get_operators_reader().unwrap();
            loop {
                match operators.read_with_offset() {
                    Ok((op, offset)) if offset as usize == *wanted => return format!("{op:?}"),
                    Ok(_) => {}
                    Err(_) => return "nothing".to_owned(),
                }
            }
        };
        let last = |offset: &usize| name(offset).split([' ', '{']).next().unwrap().to_owned();
        last_reads(&body).unwrap().iter().map(last).collect()
    }

    #[test]
    fn a_local_is_needed_up_to_its_last_read() {
        assert_eq!(ends("local.get 1 drop local.get 0 drop nop"), ["LocalGet", "LocalGet"]);
        assert_eq!(ends("local.get 1 local.set 0"), ["nothing", "LocalGet"]);
        assert_eq!(ends("block local.get 0 drop end nop"), ["LocalGet"]);
    }

    #[test]
    fn what_a_loop_reads_is_needed_until_the_outermost_loop_ends() {
        assert_eq!(ends("loop local.get 0 drop nop end"), ["End"]);
        let offsets = |text: &str| {
            let bytes = wat::parse_str(format!("(module (func (param i32 i32) {text}))")).unwrap();
            let body = Parser::new(0).parse_all(&bytes).find_map(|payload| match payload {
                Ok(Payload::CodeSectionEntry(body)) => Some(last_reads(&body).unwrap()),
                _ => None,
            });
            body.unwrap()
        };
        let both = offsets("loop loop local.get 0 drop end block local.get 1 drop end end nop");
        assert_eq!(both[0], both[1], "both until the outer loop's end");
        let apart = offsets("loop local.get 0 drop end loop local.get 1 drop end");
        assert!(apart[0] < apart[1], "{apart:?}");
    }
}
