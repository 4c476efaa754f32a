//! What was found out about a module, kept for the next process that is given the same one: that it is verified, and its code.
//!
//! ```text
//!  process 1:  verify ─► run, compile what is hot ─► keep ─┐
//!                                                         bytes
//!  process 2:  decode ◄──────────── with_kept ◄────────────┘   nothing is verified, nothing compiled a second time
//! ```
//!
//! Compiled code holds no address, but numbers of types: it is used only where the module's types got the same numbers again, by the same
//! build, for the same processor and settings. A sum over everything tells what was damaged on a disk. It does not tell what
//! somebody changed on purpose: whoever can write what was kept decides what runs.

mod words;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::code::ModuleCode;
use super::config::{CodeConfig, Tier};
use super::engine::Engine;
use super::events::TierEvent;
use super::tier;
use crate::jit::batch::{Batch, Parts};
use crate::jit::{Compiler, LoopCode, Trampoline, TrampolineCode};
use crate::module::{DefinedFunc, Module};
use crate::types::TypeId;
use crate::verifier::Found;
use words::{Reader, Writer};

/// What everything that is kept begins with.
const MAGIC: &[u8; 16] = b"pinfold code 1\r\n";

/// Why what was kept is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is nothing.
    #[error("nothing was kept")]
    Nothing,
    /// It was cut off, or changed since.
    #[error("it is damaged")]
    Damaged,
    /// Another build made it, or this one for another processor or under other settings.
    #[error("it was made by another build, for another processor, or under other settings")]
    Elsewhere,
    /// It is not of this module, or the engine has had other modules before.
    #[error("it is of another module, or of an engine that numbers its types otherwise")]
    Types,
}

type Result<T> = std::result::Result<T, Unfit>;

/// What code depends on beside the processor. The tier says when something is compiled, not what comes of it.
fn settings(config: &CodeConfig) -> String {
    format!("{} {:?}", env!("PINFOLD_BUILD"), CodeConfig { tier: Tier::Auto, ..*config })
}

/// Writes down what is known of a module.
pub fn keep(engine: &Engine, code: &ModuleCode) -> Vec<u8> {
    let mut body = Writer::default();
    body.bytes(settings(&engine.config).as_bytes());
    let Module { table_grows, uses_heap, has_tail_calls, .. } = &code.module;
    body.list(table_grows.iter().map(|grows| [u32::from(*grows)]));
    for is in [uses_heap, has_tail_calls] {
        body.word((*is).into());
    }
    body.list(code.module.types.iter().map(|ty| [ty.id.0]));
    let translated: Vec<u32> = code.translated().map(|func| func.0).collect();
    body.list(translated.iter().map(|func| [*func]));
    let (functions, loops, parts) = functions(code);
    // Where nothing is compiled there may be no compiler, and it may be too late to make one.
    if !parts.code.is_empty()
        && let Ok(compiler) = engine.compiler()
    {
        let (list, stubs) = trampolines(compiler, &code.module);
        body.bytes(compiler.target().as_bytes());
        body.list(list.into_iter());
        body.parts(&stubs);
        body.list(functions.into_iter());
        body.list(loops.into_iter());
        body.parts(&parts);
    }
    let mut all = MAGIC.to_vec();
    all.extend_from_slice(&sum(&body.0).to_le_bytes());
    all.extend_from_slice(&body.0);
    all
}

/// Batches put together to one: only those that something stands in that is kept.
struct Together<'a> {
    batches: &'a [Arc<Batch>],
    /// Where each starts, if it was taken.
    starts: Vec<Option<u32>>,
    parts: Parts,
}

impl<'a> Together<'a> {
    fn new(batches: &'a [Arc<Batch>]) -> Self {
        Self { batches, starts: vec![None; batches.len()], parts: Parts::default() }
    }

    /// Where an address is then, if it is in one of the batches.
    fn place(&mut self, address: *const u8) -> Option<u32> {
        let mut all = self.batches.iter().zip(&mut self.starts);
        let (batch, start, offset) =
            all.find_map(|(batch, start)| batch.offset_of(address).map(|offset| (batch, start, offset)))?;
        Some(*start.get_or_insert_with(|| self.parts.append(batch.code(), batch.tables())) + offset)
    }
}

/// The trampolines of a module's types: what each does, of which type, and where it starts.
fn trampolines(compiler: &Compiler, module: &Module) -> (Vec<[u32; 3]>, Parts) {
    let numbers: HashMap<TypeId, u32> = module.types.iter().map(|ty| ty.id).zip(0..).collect();
    let (all, batches) = compiler.trampolines();
    let mut together = Together::new(&batches);
    let place = |(what, id, made): &(Trampoline, TypeId, TrampolineCode)| {
        let number = numbers.get(id)?;
        Some([*what as u32, *number, together.place(made.0)?])
    };
    let list = all.iter().filter_map(place).collect();
    (list, together.parts)
}

/// The functions and loops that are compiled, and where each starts. A loop of a compiled function is not come to in the interpreter.
fn functions(code: &ModuleCode) -> (Vec<[u32; 2]>, Vec<[u32; 4]>, Parts) {
    let batches = code.batches();
    let mut together = Together::new(&batches);
    let (mut functions, mut loops) = (Vec::new(), Vec::new());
    for (func, function) in (0..).zip(code.functions()) {
        if let Some((address, _)) = function.compiled() {
            functions.extend(together.place(address).map(|start| [func, start]));
            continue;
        }
        for (number, made) in function.loops_made() {
            if let [Some(start), Some(trampoline)] = [made.code, made.trampoline].map(|at| together.place(at)) {
                loops.push([func, number, start, trampoline]);
            }
        }
    }
    (functions, loops, together.parts)
}

/// What was kept of a module, before it is known whether it fits.
pub struct Kept<'a> {
    body: Reader<'a>,
    found: Found,
}

impl<'a> Kept<'a> {
    /// Begins to read what was kept under an engine's settings.
    ///
    /// # Errors
    /// If it is damaged, or was kept elsewhere.
    pub fn open(engine: &Engine, kept: &'a [u8]) -> Result<Self> {
        if kept.is_empty() {
            return Err(Unfit::Nothing);
        }
        let body = kept.strip_prefix(MAGIC).ok_or(Unfit::Damaged)?;
        let (expected, body) = body.split_first_chunk().ok_or(Unfit::Damaged)?;
        if u64::from_le_bytes(*expected) != sum(body) {
            return Err(Unfit::Damaged);
        }
        let mut body = Reader(body);
        if body.bytes()? != settings(&engine.config).as_bytes() {
            return Err(Unfit::Elsewhere);
        }
        let table_grows = body.list()?.map(|[grows]| grows != 0).collect();
        let [uses_heap, has_tail_calls] = [body.word()?, body.word()?].map(|is| is != 0);
        Ok(Self { body, found: Found { table_grows, uses_heap, has_tail_calls } })
    }

    /// What the verifier found out about function bodies.
    pub(crate) fn found(&self) -> Found {
        self.found.clone()
    }

    /// The same, if it can be of this module.
    ///
    /// # Errors
    /// If not.
    pub fn fitting(mut self, module: &Module) -> Result<Self> {
        let same = self.body.list()?.map(|[id]| id).eq(module.types.iter().map(|ty| ty.id.0));
        if same && self.found.table_grows.len() == module.tables.len() { Ok(self) } else { Err(Unfit::Types) }
    }

    /// Gives a module that it [fits](Self::fitting) the code. What the interpreter ran is translated for it in the background.
    ///
    /// # Errors
    /// If it is damaged, or for another processor. Then the module has what could be read, or nothing.
    ///
    /// # Safety
    /// It was kept of a module of the same bytes, and is as it was.
    pub unsafe fn adopt(mut self, engine: &Arc<Engine>, code: &Arc<ModuleCode>) -> Result<()> {
        let translated: Vec<_> = self.body.list()?.map(|[func]| DefinedFunc(func)).collect();
        if self.body.0.is_empty() || engine.config.tier == Tier::Interpreter {
            return Ok(());
        }
        let Ok(compiler) = engine.compiler() else { return Ok(()) };
        if self.body.bytes()? != compiler.target().as_bytes() {
            return Err(Unfit::Elsewhere);
        }
        let no_code = |_| Unfit::Elsewhere;
        let types = &code.module.types;
        let trampolines: Vec<_> = self.body.list::<3>()?.collect();
        let parts = self.body.parts()?;
        let mut list = Vec::with_capacity(trampolines.len());
        for [what, number, start] in trampolines {
            let what = Trampoline::ALL.get(what as usize).ok_or(Unfit::Damaged)?;
            let ty = types.get(number as usize).ok_or(Unfit::Damaged)?;
            list.push((*what, ty.id, inside(start, &parts)?));
        }
        // SAFETY: by contract.
        unsafe { compiler.adopt_trampolines(parts, &list) }.map_err(no_code)?;
        let functions: Vec<_> = self.body.list::<2>()?.collect();
        let loops: Vec<_> = self.body.list::<4>()?.collect();
        let parts = self.body.parts()?;
        for start in functions.iter().map(|[_, start]| start).chain(loops.iter().flat_map(|[_, _, at @ ..]| at)) {
            inside(*start, &parts)?;
        }
        // SAFETY: the module gets it below.
        let batch = unsafe { compiler.adopt(parts, &code.module) }.map_err(no_code)?;
        code.keep(batch.clone());
        tier::prepare_stubs(compiler, code).map_err(no_code)?;
        let count = [functions.len() as u64, loops.len() as u64];
        code.events.tell(|| TierEvent::Kept { functions: count[0], loops: count[1] });
        for [func, start] in functions {
            let func = DefinedFunc(func);
            let function = code.functions().get(func.index()).ok_or(Unfit::Damaged)?;
            let index = code.module.func_index(func);
            let (id, ty) = (code.module.func_type_id(index), code.module.func_type(index));
            let made = |what| compiler.trampoline(what, id, ty).map_err(no_code);
            // The second is for the first call through a stub that finds this code.
            let (entry, _) = (made(Trampoline::Entry)?, made(Trampoline::Unpack)?);
            function.publish(batch.address(start), entry.0);
        }
        if translated.iter().all(|func| func.index() < code.functions().len()) {
            tier::translate_in_background(engine, code, translated);
        }
        // The compiler has time for what is less hot.
        tier::lower_thresholds(code);
        for [func, number, start, trampoline] in loops {
            let function = code.functions().get(func as usize).ok_or(Unfit::Damaged)?;
            let made = LoopCode { code: batch.address(start), trampoline: batch.address(trampoline) };
            let mut loops = function.loops();
            loops.begin(number);
            loops.set(number, Some(made));
            // The first turn is to find it.
            function.turns.store(0, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn inside(start: u32, parts: &Parts) -> Result<u32> {
    if (start as usize) < parts.code.len() { Ok(start) } else { Err(Unfit::Damaged) }
}

/// A sum that tells of damage. Quick, since code is large.
pub fn sum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    let words = bytes.chunks_exact(8);
    let rest = words.remainder().iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    let sum = words.fold(0xcbf2_9ce4_8422_2325, |sum, word| step(sum, word.try_into().map_or(0, u64::from_le_bytes)));
    step(step(sum, rest), bytes.len() as u64)
}
