//! From verified stack code to instructions over slots, in one pass.
//!
//! Operands are not computed where they are pushed but where they are consumed: a `local.get` or a
//! constant makes no instruction, a result goes straight to the local that it is assigned to, a
//! comparison becomes part of the branch or select that it decides. See [`operands`] for where
//! values are meanwhile.
//!
//! Invariant: code that cannot be reached makes no instructions.

mod calls;
mod control;
mod emit;
mod exceptions;
mod memory;
mod numeric;
mod objects;
mod operands;
mod references;
mod state;
mod vector;

use wasmparser::{BinaryReader, FunctionBody, Operator};

use self::control::Control;
use self::emit::Emitter;
use self::numeric::Fusible;
use self::operands::Operands;
use super::handlers::calls::HEADER;
use super::handlers::{control as control_handlers, debug as debug_handlers, loops as loop_handlers};
use super::regions::Regions;
use super::suspended::{CallSite, Slot};
use super::{Function, LoopHeader, Step, Steps};
use crate::metering::Segments;
use crate::module::{DefinedFunc, FuncIndex, Module};
use crate::runtime::config::{CodeConfig, Tier};
use crate::runtime::context::Layout;
use crate::types::{FuncType, ValType};

/// A function's translation in the making.
struct Translator<'a> {
    module: &'a Module,
    config: &'a CodeConfig,
    layout: Layout,
    func: DefinedFunc,
    ty: &'a FuncType,
    /// First slot and type of each local.
    locals: Vec<(u32, ValType)>,
    /// The frame's header.
    header: u32,
    operands: Operands,
    emitter: Emitter,
    controls: Vec<Control>,
    regions: Regions,
    reachable: bool,
    /// Blocks entered since code became unreachable.
    skipped: u32,
    /// The operator's offset in the module.
    offset: u32,
    segments: Segments,
    /// The instruction that charges for the present segment.
    charge: Option<u32>,
    /// Places where whoever looks on is called.
    steps: Vec<Step>,
    /// The offset of a call that is asked for, and its locals and operands once they are known.
    asked: Option<(u32, Option<[Vec<Slot>; 2]>)>,
    /// The last instruction, if it can become part of the next.
    fusible: Option<Fusible>,
    /// The last instruction with a result: its place, its operand, and where it ends.
    last: Option<(u32, usize, u32)>,
}

/// Translates a verified function.
pub fn translate(module: &Module, config: &CodeConfig, func: DefinedFunc) -> Function {
    let starts = config.keeps_translations.then(Box::default);
    let mut translator = Translator::new(module, config, func, Emitter { starts, ..Emitter::default() });
    translator.run();
    translator.finish().0
}

/// The call that is the operator at an offset of a function's module, if there is one that control can come to.
pub fn call_site(module: &Module, config: &CodeConfig, func: DefinedFunc, offset: u32) -> Option<CallSite> {
    let emitter = Emitter { records: Some(Vec::new()), ..Emitter::default() };
    let mut translator = Translator { asked: Some((offset, None)), ..Translator::new(module, config, func, emitter) };
    translator.run();
    let [locals, operands] = translator.asked.take()?.1?;
    let (function, records) = translator.finish();
    let is_call = |record: &emit::Record| record.name.starts_with("call") && function.offset(record.at) == offset;
    let at = records.iter().rposition(is_call)?;
    let end = records.get(at + 1).map_or(function.code.len() as u32, |next| next.at);
    Some(CallSite { locals, operands, at: records[at].at, end })
}

/// A listing of a function's instructions.
pub fn disassemble(module: &Module, config: &CodeConfig, func: DefinedFunc) -> String {
    use std::fmt::Write;

    let mut translator =
        Translator::new(module, config, func, Emitter { records: Some(Vec::new()), ..Emitter::default() });
    translator.run();
    let (function, records) = translator.finish();
    let mut text = format!(
        "function {} · {} slots, header at {}, {} words\n",
        function.index.0,
        function.frame_slots,
        function.header,
        function.code.len()
    );
    for (i, record) in records.iter().enumerate() {
        let end = records.get(i + 1).map_or(function.code.len(), |next| next.at as usize);
        let words = function.code.get(record.at as usize + 2..end).unwrap_or_default();
        let _ = write!(text, "{:6}  {:<24}", record.at, record.name);
        for (i, word) in words.iter().enumerate() {
            let _ = match *word as i32 {
                _ if i == 0 && record.to_acc => write!(text, " acc"),
                word => write!(text, " {word}"),
            };
        }
        text.push('\n');
    }
    text
}

impl<'a> Translator<'a> {
    fn new(module: &'a Module, config: &'a CodeConfig, func: DefinedFunc, emitter: Emitter) -> Self {
        Self {
            module,
            config,
            layout: Layout::new(module),
            func,
            ty: module.func_type(module.func_index(func)),
            locals: Vec::new(),
            header: 0,
            operands: Operands::new(0),
            emitter,
            controls: Vec::new(),
            regions: Regions::default(),
            reachable: true,
            skipped: 0,
            offset: 0,
            segments: Segments::default(),
            charge: None,
            steps: Vec::new(),
            asked: None,
            fusible: None,
            last: None,
        }
    }

    fn run(&mut self) {
        let bytes = &self.module.bodies[self.func.index()].bytes;
        let body = FunctionBody::new(BinaryReader::new(self.module.body(self.func), bytes.start as u64));
        if self.body(&body).is_err() {
            // A verified body decodes. If it did not, running into this is a trap, nothing worse.
            self.emitter.locate(self.offset);
            self.emitter.emit("unreachable", control_handlers::unreachable, &[]);
        }
    }

    fn body(&mut self, body: &FunctionBody<'a>) -> wasmparser::Result<()> {
        let mut slots = 0;
        for ty in self.ty.params() {
            self.locals.push((slots, *ty));
            slots += ty.slots() as u32;
        }
        let params = slots;
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            let ty = self.module.val_type(ty);
            for _ in 0..count {
                self.locals.push((slots, ty));
                slots += ty.slots() as u32;
            }
        }
        self.header = slots;
        self.operands = Operands::new(slots + HEADER);
        self.operands.max = self.operands.max.max(self.ty.result_slots() as u32);
        let mut reader = body.get_operators_reader()?;
        self.offset = reader.original_position() as u32;
        match slots - params {
            0 => {}
            1 => {
                self.emitter.emit("zero", control_handlers::zero_one, &[params]);
            }
            count => {
                self.emitter.emit("zero", control_handlers::zero, &[params, count]);
            }
        }
        self.heat();
        self.controls.push(Control::function());
        while !reader.eof() {
            let (operator, offset) = reader.read_with_offset()?;
            self.offset = offset as u32;
            self.operator(&operator);
        }
        Ok(())
    }

    fn operator(&mut self, operator: &Operator<'a>) {
        if !self.reachable {
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                    self.skipped += 1;
                }
                Operator::Else | Operator::End if self.skipped == 0 => {
                    self.control(operator);
                }
                Operator::End => self.skipped -= 1,
                _ => {}
            }
            return;
        }
        if self.config.debug {
            self.step();
        }
        if let Some((offset, found)) = &mut self.asked
            && *offset == self.offset
        {
            *found = Some([self.locals.clone(), self.operands.slots()]);
        }
        if self.config.fuel && self.segments.charge(operator) {
            self.emitter.locate(self.offset);
            self.charge = Some(self.emitter.emit("fuel", control_handlers::fuel, &[0]));
        }
        let known = self.numeric(operator)
            || self.control(operator)
            || self.exceptions(operator)
            || self.state(operator)
            || self.references(operator)
            || self.objects(operator);
        if !known {
            self.vector(operator);
        }
        self.end_segment(operator);
    }

    /// Shows what is before the operator to whoever looks on: everything is in its slot.
    fn step(&mut self) {
        self.operands.settle_all(&mut self.emitter);
        self.barrier();
        self.emitter.locate(self.offset);
        let word = self.emitter.emit("step", debug_handlers::step, &[]);
        self.steps.push(Step { word, offset: self.offset, operands: self.operands.slots() });
    }

    /// Ends the present segment, if it ends with this operator: what it costs is known now.
    fn end_segment(&mut self, operator: &Operator<'a>) {
        let Some(segment) = self.segments.end(operator, self.reachable) else { return };
        let Some(at) = self.charge.take() else { return };
        self.emitter.words[at as usize + 2] = segment.cost;
        if segment.is_checked {
            self.emitter.redirect(at, "fuel.checked", control_handlers::fuel_checked);
        }
    }

    /// Counts a call, if someone wants to know.
    fn heat(&mut self) {
        if self.config.tier == Tier::Auto {
            self.emitter.locate(self.offset);
            self.emitter.emit("heat", control_handlers::heat, &[self.func.0]);
        }
    }

    /// Counts a turn of the loop that begins here, if someone wants to know.
    fn turn(&mut self) {
        let number = self.emitter.loops.len() as u32;
        let operands = self.operands.len() as u32;
        self.emitter.loops.push(LoopHeader { offset: self.offset, operands, slot: self.header + HEADER });
        if self.config.tier.enters_loops() {
            self.emitter.locate(self.offset);
            self.emitter.emit("turn", loop_handlers::turn, &[self.func.0, number]);
        }
    }

    /// The next instruction may collect: notes which of the lowest `count` operands hold references meanwhile.
    fn safepoint(&mut self, count: usize) {
        let node = self.operands.references(count);
        let here = self.emitter.here();
        self.operands.maps.points.push((here, node));
    }

    /// Another path may come in here: nothing is known of accumulators, and the last instruction stays.
    fn barrier(&mut self) {
        self.operands.forget();
        self.fusible = None;
        self.last = None;
    }

    fn finish(self) -> (Function, Vec<emit::Record>) {
        let mut maps = self.operands.maps;
        maps.locals = self.locals.iter().filter(|(_, ty)| ty.is_traced()).map(|(slot, _)| *slot).collect();
        let steps = self.config.debug.then(|| Box::new(Steps { locals: self.locals, steps: self.steps }));
        let code = self.emitter.words.into_boxed_slice();
        let function = Function {
            entry: code.as_ptr(),
            frame_slots: self.operands.max,
            header: self.header,
            frame_bytes: self.operands.max as usize * 8,
            index: FuncIndex(self.module.func_index(self.func).0),
            code,
            offsets: self.emitter.offsets.into_boxed_slice(),
            loops: self.emitter.loops.into_boxed_slice(),
            regions: self.regions,
            maps: maps.finish(),
            steps,
            starts: self.emitter.starts,
        };
        (function, self.emitter.records.unwrap_or_default())
    }
}
