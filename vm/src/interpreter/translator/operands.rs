//! The operand stack at translation: where each value is, and what accumulators hold.
//!
//! Every operand has a slot of its own by its depth. It is there, or in a local, or a constant,
//! until something forces it to its slot. An accumulator can hold a copy of it besides.

use super::emit::Emitter;
use crate::interpreter::dispatch::Handler;
use crate::interpreter::handlers::scalar::{From, copy_handler};
use crate::interpreter::maps::Maps;
use crate::interpreter::value::{Bank, V128};
use crate::types::ValType;

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In its own slot.
    Own,
    /// In the local that starts at this slot.
    Local(u32),
    /// Nowhere yet: a constant.
    Const(u64),
}

/// An operand.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// Where it is.
    pub place: Place,
    /// Its type.
    pub ty: ValType,
    /// Its own slot.
    pub slot: u32,
    /// The chain of references from it on downwards: see [`Maps`].
    node: u32,
}

/// An operand as an instruction takes it.
#[derive(Clone, Copy, Debug)]
pub enum Src {
    /// From a slot.
    Slot(u32),
    /// From the accumulator.
    Acc,
    /// From the instruction.
    Imm(u64),
}

impl Src {
    /// The kind, for choosing a handler.
    pub fn from(self) -> From {
        match self {
            Self::Slot(_) => From::Slot,
            Self::Acc => From::Acc,
            Self::Imm(_) => From::Imm,
        }
    }
}

/// The accumulator of a type.
pub fn bank(ty: ValType) -> Bank {
    match ty {
        ValType::F32 => Bank::F32,
        ValType::F64 => Bank::F64,
        ValType::V128 => Bank::Vector,
        _ => Bank::Int,
    }
}

/// What an accumulator holds.
#[derive(Clone, Copy, Default)]
pub struct Held {
    /// The operand with this index.
    pub operand: Option<usize>,
    /// The local at this slot.
    pub local: Option<u32>,
    /// The instruction that made it, and its handler for leaving the value in the accumulator only:
    /// given only as long as the value's only other place is the operand's own slot.
    pub producer: Option<(u32, Handler)>,
}

/// The operand stack.
pub struct Operands {
    stack: Vec<Operand>,
    /// The next operand's slot.
    pub top: u32,
    /// The highest slot that was needed.
    pub max: u32,
    held: [Held; 4],
    /// How often each local is an operand, by slot; those after the end never are.
    uses: Vec<u32>,
    /// Operands below this index are in their own slots.
    settled: usize,
    /// Operands below this index know their node.
    chained: usize,
    /// Where the frame holds references.
    pub maps: Maps,
}

impl Operands {
    /// An empty stack whose first operand gets this slot.
    pub fn new(first: u32) -> Self {
        Self {
            stack: Vec::new(),
            top: first,
            max: first,
            held: [Held::default(); 4],
            uses: Vec::new(),
            settled: 0,
            chained: 0,
            maps: Maps::default(),
        }
    }

    /// How many operands there are.
    pub fn len(&self) -> usize {
        self.stack.len()
    }

    /// The operand at an index.
    pub fn get(&self, index: usize) -> Operand {
        self.stack[index]
    }

    /// The own slots of all operands, the deepest first, and their types.
    pub fn slots(&self) -> Vec<(u32, ValType)> {
        self.stack.iter().map(|operand| (operand.slot, operand.ty)).collect()
    }

    /// What a bank's accumulator holds.
    pub fn held(&mut self, bank: Bank) -> &mut Held {
        &mut self.held[bank as usize]
    }

    /// Nothing is known of any accumulator.
    pub fn forget(&mut self) {
        self.held = [Held::default(); 4];
    }

    /// Reserves slots above the top.
    pub fn reserve(&mut self, slots: u32) {
        self.max = self.max.max(self.top + slots);
    }

    /// Makes sure that the frame has the slots below this one.
    pub fn reach(&mut self, slot: u32) {
        self.max = self.max.max(slot);
    }

    /// Pushes an operand; its index.
    pub fn push(&mut self, ty: ValType, place: Place) -> usize {
        if let Place::Local(local) = place {
            let at = local as usize;
            if at >= self.uses.len() {
                self.uses.resize(at + 1, 0);
            }
            self.uses[at] += 1;
        }
        self.stack.push(Operand { place, ty, slot: self.top, node: 0 });
        self.top += ty.slots() as u32;
        self.max = self.max.max(self.top);
        self.stack.len() - 1
    }

    /// Pops an operand, without looking at the accumulators; they no longer hold it.
    pub fn drop_top(&mut self) -> Operand {
        let index = self.stack.len() - 1;
        let operand = self.stack[index];
        self.stack.truncate(index);
        self.top = operand.slot;
        self.settled = self.settled.min(index);
        self.chained = self.chained.min(index);
        self.unuse(operand.place);
        let held = &mut self.held[bank(operand.ty) as usize];
        if held.operand == Some(index) {
            held.operand = None;
            held.producer = None;
        }
        operand
    }

    fn unuse(&mut self, place: Place) {
        if let Place::Local(local) = place
            && let Some(count) = self.uses.get_mut(local as usize)
        {
            *count -= 1;
        }
    }

    /// Pops an operand for an instruction that is about to be made. One that is in its
    /// accumulator is taken from there, and its producer no longer writes the slot.
    pub fn pop(&mut self, emitter: &mut Emitter) -> (Src, ValType) {
        let index = self.stack.len() - 1;
        let operand = self.stack[index];
        let held = self.held[bank(operand.ty) as usize];
        let src = match operand.place {
            Place::Const(bits) => Src::Imm(bits),
            Place::Own if held.operand == Some(index) => {
                if let Some((at, handler)) = held.producer {
                    emitter.redirect_to_accumulator(at, handler);
                }
                Src::Acc
            }
            Place::Own => Src::Slot(operand.slot),
            Place::Local(local) if held.local == Some(local) => Src::Acc,
            Place::Local(local) => Src::Slot(local),
        };
        self.drop_top();
        (src, operand.ty)
    }

    /// Pops an operand that has to be in a slot: the one it is in.
    pub fn pop_slot(&mut self, emitter: &mut Emitter) -> u32 {
        let index = self.stack.len() - 1;
        if let Place::Const(_) = self.stack[index].place {
            self.settle(index, emitter);
        }
        let operand = self.drop_top();
        match operand.place {
            Place::Local(local) => local,
            _ => operand.slot,
        }
    }

    /// Says that an instruction is about to read an operand's slot and leave the operand where it is: whoever takes it from
    /// the accumulator later may no longer spare its producer the slot.
    pub fn keep_in_slot(&mut self, index: usize) {
        let held = &mut self.held[bank(self.stack[index].ty) as usize];
        if held.operand == Some(index) {
            held.producer = None;
        }
    }

    /// Brings an operand to its own slot.
    pub fn settle(&mut self, index: usize, emitter: &mut Emitter) {
        let operand = self.stack[index];
        if operand.place == Place::Own {
            return;
        }
        let src = match operand.place {
            Place::Local(local) if self.held[bank(operand.ty) as usize].local == Some(local) => Src::Acc,
            Place::Local(local) => Src::Slot(local),
            Place::Const(bits) => Src::Imm(bits),
            Place::Own => return,
        };
        copy(emitter, operand.ty, src, operand.slot);
        self.unuse(operand.place);
        self.stack[index].place = Place::Own;
        self.chained = self.chained.min(index);
    }

    /// Brings the operands from an index on to their own slots.
    pub fn settle_from(&mut self, from: usize, emitter: &mut Emitter) {
        for index in from..self.stack.len() {
            self.settle(index, emitter);
        }
    }

    /// Brings all operands to their own slots.
    pub fn settle_all(&mut self, emitter: &mut Emitter) {
        self.settle_from(self.settled, emitter);
        self.settled = self.stack.len();
    }

    /// Brings operands that are a local to their own slots, because the local is about to change.
    /// Whether there were any.
    pub fn preserve(&mut self, local: u32, emitter: &mut Emitter) -> bool {
        let mut left = self.uses_of(local);
        if left == 0 {
            return false;
        }
        for index in (0..self.stack.len()).rev() {
            if self.stack[index].place == Place::Local(local) {
                self.settle(index, emitter);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        true
    }

    /// The node of the references among the lowest `count` operands.
    pub fn references(&mut self, count: usize) -> u32 {
        for index in self.chained..count {
            let older = index.checked_sub(1).map_or(0, |below| self.stack[below].node);
            let operand = self.stack[index];
            let held = operand.ty.is_traced() && operand.place == Place::Own;
            self.stack[index].node = if held { self.maps.node(older, operand.slot) } else { older };
        }
        self.chained = self.chained.max(count);
        count.checked_sub(1).map_or(0, |top| self.stack[top].node)
    }

    /// Whether a local is among the operands.
    pub fn is_used(&self, local: u32) -> bool {
        self.uses_of(local) > 0
    }

    fn uses_of(&self, local: u32) -> u32 {
        self.uses.get(local as usize).copied().unwrap_or(0)
    }

    /// Cuts the stack back to a height.
    pub fn truncate(&mut self, height: usize) {
        while self.stack.len() > height {
            self.drop_top();
        }
    }
}

/// A copy of a value to a slot.
pub fn copy(emitter: &mut Emitter, ty: ValType, src: Src, to: u32) {
    let handler = match ty {
        ValType::I32 => copy_handler::<u32>(src.from()),
        ValType::F32 => copy_handler::<f32>(src.from()),
        ValType::F64 => copy_handler::<f64>(src.from()),
        ValType::V128 => copy_handler::<V128>(src.from()),
        _ => copy_handler::<u64>(src.from()),
    };
    emitter.begin("copy", handler);
    emitter.words.push(to);
    operand(emitter, ty, src);
}

/// The words of an operand.
pub fn operand(emitter: &mut Emitter, ty: ValType, src: Src) {
    match src {
        Src::Slot(slot) => emitter.words.push(slot),
        Src::Acc => {}
        Src::Imm(bits) => {
            emitter.words.push(bits as u32);
            if ty.is_ref() || matches!(ty, ValType::I64 | ValType::F64) {
                emitter.words.push((bits >> 32) as u32);
            }
        }
    }
}
