//! Which slots of the frame hold references that the collector has kept right, at each place of a function.
//!
//! Forward, and only what holds on every way there: where ways meet, a slot is sound if it is on all of them.

use std::collections::HashMap;

use cranelift_codegen::ir::{Block, Inst, StackSlot};

use super::classes::Classes;
use super::{Access, Code, Unsound};

/// A set of slots.
#[derive(Clone, PartialEq, Eq)]
struct Slots(Vec<u64>);

impl Slots {
    fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn contains(&self, slot: StackSlot) -> bool {
        self.0[slot.as_u32() as usize / 64] & (1 << (slot.as_u32() % 64)) != 0
    }

    fn insert(&mut self, slot: StackSlot) {
        self.0[slot.as_u32() as usize / 64] |= 1 << (slot.as_u32() % 64);
    }

    fn retain(&mut self, others: &Self) {
        self.0.iter_mut().zip(&others.0).for_each(|(own, other)| *own &= other);
    }
}

/// Checks all stores to slots, loads from them and stack maps, and what is taken for a reference besides.
pub fn check(code: &Code<'_>, classes: &Classes) -> Result<(), Unsound> {
    let starts = solve(code);
    for block in code.func.layout.blocks() {
        let Some(mut sound) = starts.get(&block).cloned() else { continue };
        if !run(code, block, &mut sound, |inst, sound| check_inst(code, classes, inst, sound))? {
            code.check_edges(block, classes)?;
        }
    }
    Ok(())
}

/// Follows the slots through a block, and looks at each instruction with what is sound before it. Whether control never comes to the end, since
/// something faults.
fn run<E>(
    code: &Code<'_>,
    block: Block,
    sound: &mut Slots,
    mut look: impl FnMut(Inst, &Slots) -> Result<(), E>,
) -> Result<bool, E> {
    for inst in code.func.layout.block_insts(block) {
        look(inst, sound)?;
        if code.is_access_to_null(inst) {
            return Ok(true);
        }
        step(code, inst, sound);
    }
    Ok(false)
}

/// The slots that are sound at the start of each block that control can reach.
fn solve(code: &Code<'_>) -> HashMap<Block, Slots> {
    let mut starts = HashMap::new();
    let Some(entry) = code.func.layout.entry_block() else { return starts };
    starts.insert(entry, Slots::none(code.func.sized_stack_slots.len()));
    let mut work = vec![entry];
    while let Some(block) = work.pop() {
        let mut sound = starts[&block].clone();
        if run(code, block, &mut sound, |_, _| Ok::<_, std::convert::Infallible>(())).unwrap_or(false) {
            continue;
        }
        code.edges(block, |target, _| match starts.get_mut(&target) {
            Some(start) => {
                let before = start.clone();
                start.retain(&sound);
                if *start != before {
                    work.push(target);
                }
            }
            None => {
                starts.insert(target, sound.clone());
                work.push(target);
            }
        });
    }
    starts
}

/// What an instruction makes of the slots.
fn step(code: &Code<'_>, inst: Inst, sound: &mut Slots) {
    if code.is_safepoint(inst) {
        let mut named = Slots::none(code.func.sized_stack_slots.len());
        for entry in code.func.dfg.user_stack_map_entries(inst).unwrap_or_default() {
            if entry.offset == 0 {
                named.insert(entry.slot);
            }
        }
        sound.retain(&named);
    } else if let Some(Access::Store(slot, _)) = code.access(inst) {
        sound.insert(slot);
    }
}

fn check_inst(code: &Code<'_>, classes: &Classes, inst: Inst, sound: &Slots) -> Result<(), Unsound> {
    code.check_uses(inst, classes)?;
    for entry in code.func.dfg.user_stack_map_entries(inst).unwrap_or_default() {
        if !sound.contains(entry.slot) {
            return Err(Unsound::Unset { slot: entry.slot, safepoint: code.show(inst) });
        }
    }
    match code.access(inst) {
        Some(Access::Other) => Err(Unsound::Escapes { used: code.show(inst) }),
        Some(Access::Store(_, value)) if !classes[value].is_reference() => {
            Err(Unsound::NotAReference { value, used: code.show(inst) })
        }
        Some(Access::Load(slot)) if !sound.contains(slot) => Err(Unsound::Unmended { slot, load: code.show(inst) }),
        _ => Ok(()),
    }
}
