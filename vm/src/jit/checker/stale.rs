//! Whether a value is used after a call that made it worthless.
//!
//! Only uses count that depend on where an object is: an access to memory, a store, an argument, a result. What is computed from a
//! reference counts where it is used so itself; a comparison, or the number in a small integer, never is.

use std::collections::{HashMap, HashSet};

use cranelift_codegen::ir::{Block, Inst, Value, ValueDef};

use super::classes::Classes;
use super::{Code, Unsound};

/// A place in a function: before the instruction of a block with this number.
type Place = (Block, usize);

/// A use of a value.
struct Use {
    value: Value,
    /// Whatever collects before this place makes the value stale.
    at: Place,
    /// The value that is made of it there; none if it is used for good.
    into: Option<Value>,
    inst: Inst,
}

/// Checks all values that go stale.
pub fn check(code: &Code<'_>, classes: &Classes) -> Result<(), Unsound> {
    let safepoints = Safepoints::new(code);
    if safepoints.blocks.is_empty() {
        return Ok(());
    }
    let uses = uses(code, classes);
    let wanted = wanted(&uses);
    let mut seen = HashSet::new();
    let mut last = None;
    for used in uses.iter().filter(|used| used.into.is_none_or(|into| wanted.contains(&into))) {
        // Uses stand in the order of their values: a way that one has gone the others need not.
        if last != Some(used.value) {
            seen.clear();
            last = Some(used.value);
        }
        if let Some(safepoint) = safepoints.before(code, used, &mut seen) {
            let (used, value) = (code.show(used.inst), used.value);
            return Err(Unsound::Stale { value, used, safepoint: code.show(safepoint) });
        }
    }
    Ok(())
}

/// All uses of values that go stale, by value.
fn uses(code: &Code<'_>, classes: &Classes) -> Vec<Use> {
    let mut uses = Vec::new();
    for block in code.func.layout.blocks() {
        let mut end = 0;
        for (at, inst) in code.func.layout.block_insts(block).enumerate() {
            end = at;
            let opcode = code.opcode(inst);
            let results = code.func.dfg.inst_results(inst);
            let for_good = opcode.can_load() || opcode.can_store() || opcode.is_call() || opcode.is_return();
            let into = match results {
                _ if for_good => None,
                [result] if classes[*result].goes_stale() => Some(*result),
                _ => continue,
            };
            let stale = code.args(inst).iter().filter(|value| classes[**value].goes_stale());
            uses.extend(stale.map(|value| Use { value: *value, at: (block, at), into, inst }));
        }
        let Some(inst) = code.func.layout.last_inst(block) else { continue };
        code.edges(block, |target, args| {
            for (param, arg) in code.func.dfg.block_params(target).iter().zip(args) {
                if let Some(value) = arg.as_value().filter(|arg| classes[*arg].goes_stale()) {
                    // After the last instruction, which may be a call.
                    uses.push(Use { value, at: (block, end + 1), into: Some(*param), inst });
                }
            }
        });
    }
    uses.sort_by_key(|used| used.value.as_u32());
    uses
}

/// The values that are used for good in the end.
fn wanted(uses: &[Use]) -> HashSet<Value> {
    let mut makers: HashMap<Value, Vec<Value>> = HashMap::new();
    let mut wanted = HashSet::new();
    let mut work = Vec::new();
    for used in uses {
        match used.into {
            Some(into) => makers.entry(into).or_default().push(used.value),
            None => work.push(used.value),
        }
    }
    while let Some(value) = work.pop() {
        if wanted.insert(value) {
            work.extend(makers.get(&value).into_iter().flatten());
        }
    }
    wanted
}

/// The calls of a function that may collect.
struct Safepoints {
    /// For each block with any, in order: their numbers.
    blocks: HashMap<Block, Vec<(usize, Inst)>>,
    /// The numbers of instructions in their blocks.
    numbers: HashMap<Inst, usize>,
}

impl Safepoints {
    fn new(code: &Code<'_>) -> Self {
        let mut all = Self { blocks: HashMap::new(), numbers: HashMap::new() };
        for block in code.func.layout.blocks() {
            for (at, inst) in code.func.layout.block_insts(block).enumerate() {
                all.numbers.insert(inst, at);
                if code.is_safepoint(inst) {
                    all.blocks.entry(block).or_default().push((at, inst));
                }
            }
        }
        all
    }

    /// One that lies on some way from a value's definition to a use, if any does. `seen`: blocks from whose start on nothing need be
    /// looked for any more.
    fn before(&self, code: &Code<'_>, used: &Use, seen: &mut HashSet<Block>) -> Option<Inst> {
        // What a call itself returns is made by it.
        let (home, from) = match code.func.dfg.value_def(used.value) {
            ValueDef::Result(inst, _) => (code.func.layout.inst_block(inst)?, self.numbers.get(&inst).copied()? + 1),
            ValueDef::Param(block, _) => (block, 0),
            ValueDef::Union(..) => return None,
        };
        let mut work = vec![used.at];
        while let Some((block, end)) = work.pop() {
            let is_home = block == home && end >= from;
            let start = if is_home { from } else { 0 };
            let inside = self.blocks.get(&block).into_iter().flatten();
            if let Some((_, inst)) = inside.rev().find(|(at, _)| (start..end).contains(at)) {
                return Some(*inst);
            }
            if is_home {
                continue;
            }
            for before in code.predecessors.get(&block).into_iter().flatten() {
                if seen.insert(*before) {
                    work.push((*before, usize::MAX));
                }
            }
        }
        None
    }
}
