//! Exceptions: `try_table`, `throw`, `throw_ref`.
//!
//! A `try_table` makes no instruction: it is a block, and a region of words that the function notes with its clauses.
//! Whoever catches finds the clause there, puts the payload into the slots of the clause's label and goes on at it.

use wasmparser::{Catch, Operator, TryTable};

use super::Translator;
use super::control::Label;
use crate::interpreter::handlers::{calls, exceptions};
use crate::interpreter::regions::Clause;
use crate::module::TagIndex;

impl<'a> Translator<'a> {
    /// Translates an operator of this group; whether it was one.
    pub fn exceptions(&mut self, operator: &Operator<'a>) -> bool {
        match operator {
            Operator::TryTable { try_table } => self.open_try(try_table),
            Operator::Throw { tag_index } => {
                let ty = self.module.tag_type(TagIndex(*tag_index));
                let first = self.operands.len() - ty.params().len();
                self.operands.settle_from(first, &mut self.emitter);
                let row = self.slot_at(first);
                self.emitter.locate(self.offset);
                self.safepoint(first);
                let operands = [self.layout.tag(*tag_index), row, ty.param_slots() as u32];
                self.emitter.emit("throw", exceptions::throw, &operands);
                self.reachable = false;
            }
            Operator::ThrowRef => {
                let exception = self.operands.pop_slot(&mut self.emitter);
                self.emitter.locate(self.offset);
                self.safepoint(self.operands.len());
                self.emitter.emit("throw_ref", exceptions::throw_ref, &[exception]);
                self.reachable = false;
            }
            _ => return false,
        }
        true
    }

    fn open_try(&mut self, table: &TryTable) {
        // Operands below the labels must be in their slots whenever something is thrown, and no instruction may
        // move out of the region.
        self.operands.settle_all(&mut self.emitter);
        self.barrier();
        let clauses = table.catches.iter().map(|catch| {
            let (tag, reference, depth) = match *catch {
                Catch::One { tag, label } => (Some(tag), false, label),
                Catch::OneRef { tag, label } => (Some(tag), true, label),
                Catch::All { label } => (None, false, label),
                Catch::AllRef { label } => (None, true, label),
            };
            let (label, _, height) = self.label(depth);
            let payload = tag.map_or(0, |tag| self.module.tag_type(TagIndex(tag)).param_slots() as u32);
            let slot = self.slot_at(height);
            self.operands.reach(slot + payload + u32::from(reference));
            (label, Clause { tag: tag.map(|tag| self.layout.tag(tag)), reference, slot, target: 0 })
        });
        let (labels, clauses): (Vec<Label>, Vec<Clause>) = clauses.collect();
        let first = self.regions.open(self.emitter.here(), clauses);
        for (clause, label) in (first..).zip(labels) {
            match label {
                Label::Back(at) => self.regions.lead(clause, at),
                Label::End(control) => self.controls[control].clauses.push(clause),
                Label::Return => self.controls[0].clauses.push(clause),
            }
        }
        self.open_try_block(table.ty);
    }

    /// The end of a `try_table`'s region.
    pub fn close_try(&mut self) {
        self.regions.close(self.emitter.here());
        self.fusible = None;
        self.last = None;
    }

    /// Lets clauses lead to the next instruction.
    pub fn lead_here(&mut self, clauses: &[usize]) {
        let here = self.emitter.here();
        for clause in clauses {
            self.regions.lead(*clause, here);
        }
    }

    /// Where clauses lead whose label is the function itself: it returns what they caught.
    pub fn return_caught(&mut self, clauses: &[usize]) {
        if clauses.is_empty() {
            return;
        }
        self.lead_here(clauses);
        self.operands.truncate(0);
        let (row, slots) = (self.operands.top, self.ty.result_slots() as u32);
        self.emitter.emit("return", calls::ret_row, &[self.header, row, slots]);
    }
}
