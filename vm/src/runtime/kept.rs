//! What was found out about a module, kept for the next process that is given the same one: that it is verified, and its code.
//!
//! ```text
//!  process 1:  verify ─► run, compile what is hot ─► keep ─┐
//!                                                         facts, code
//!  process 2:  decode ◄──────────── with_kept ◄────────────┘   nothing is verified, nothing compiled a second time
//! ```
//!
//! Facts are what the verifier found, and what the interpreter ran, where that is wanted with its translations. Code is kept by whoever compiles, which may be
//! [another process](crate::jit::elsewhere). It holds no address, but numbers of types: it is used only where the module's types got the same
//! numbers again, by the same build, for the same processor and settings. Sums over everything tell what was damaged on a disk. They do not tell what
//! somebody changed on purpose: whoever can write what was kept decides what runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::code::ModuleCode;
use super::config::{CodeConfig, Tier};
use super::engine::Engine;
use super::events::TierEvent;
use super::tier;
use crate::interpreter::{self, kept::Translations};
use crate::jit::batch::{Batch, Parts};
use crate::jit::words::{CutOff, Reader, Writer};
use crate::jit::{Compiler, LoopCode, Trampoline, TrampolineCode};
use crate::module::{DefinedFunc, Module};
use crate::types::TypeId;
use crate::verifier::Found;

/// What everything that is kept begins with.
const MAGIC: &[u8; 16] = b"pinfold code 1\r\n";

/// Bytes of a module whose code is worth waiting for, if it is all there.
const LARGE: usize = 256 << 10;

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

impl From<CutOff> for Unfit {
    fn from(_: CutOff) -> Self {
        Self::Damaged
    }
}

type Result<T> = std::result::Result<T, Unfit>;

/// What code depends on beside the processor. The tier says when something is compiled, not what comes of it.
fn settings(config: &CodeConfig) -> String {
    format!("{} {:?}", env!("PINFOLD_BUILD"), CodeConfig { tier: Tier::Auto, ..*config })
}

/// Writes down what is known of a module: the facts, after their length, and code that was compiled here.
pub fn keep(engine: &Engine, code: &ModuleCode) -> Vec<u8> {
    let compiler = engine.compiler_if_any();
    // Another process writes its code down meanwhile.
    let remote = compiler.and_then(|compiler| compiler.remote());
    remote.iter().for_each(|remote| remote.keep());
    let mut all = Writer::default();
    all.block(|all| seal(all, |body| facts(engine, code, body)));
    if let Some(compiler) = compiler.filter(|_| remote.is_none()) {
        all.0.extend(keep_code(engine, compiler, code).unwrap_or_default());
    }
    all.0
}

fn facts(engine: &Engine, code: &ModuleCode, body: &mut Writer) {
    body.bytes(settings(&engine.config).as_bytes());
    let Module { table_grows, uses_heap, has_tail_calls, .. } = &code.module;
    body.list(table_grows.iter().map(|grows| [u32::from(*grows)]));
    for is in [uses_heap, has_tail_calls] {
        body.word((*is).into());
    }
    types(body, &code.module);
    let translated: Vec<u32> = code.translated().map(|func| func.0).collect();
    body.words(&translated);
    body.word(How::of(code) as u32);
    body.word(counting(&engine.config));
    body.block(|body| {
        let wanted = translated.iter().filter(|_| engine.config.keeps_translations);
        let wanted: Vec<_> = wanted.map(|func| code.ir(DefinedFunc(*func))).collect();
        // To grow by and by takes longer than all else.
        body.0.reserve(wanted.iter().map(|function| interpreter::kept::size(function)).sum());
        wanted.into_iter().for_each(|function| interpreter::kept::write(function, body));
    });
}

/// What a tier has the interpreter count: translations are for that alone.
fn counting(config: &CodeConfig) -> u32 {
    u32::from(config.tier == Tier::Auto) | u32::from(config.tier.enters_loops()) << 1
}

/// How much of a module is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Nothing = 0,
    /// What turned hot.
    Some = 1,
    /// All functions, or nearly.
    Most = 2,
}

impl How {
    fn of(code: &ModuleCode) -> Self {
        let functions = code.functions();
        let left = functions.iter().filter(|function| function.compiled().is_none()).count();
        match code.compiled() {
            0 => Self::Nothing,
            _ if left <= functions.len() / 16 => Self::Most,
            _ => Self::Some,
        }
    }

    /// Whether it is waited for before the program runs, though another process has it: what the interpreter would do meanwhile is all for nothing then.
    /// A small program has done much of its work by the time that process is there.
    fn is_waited_for(self, code: &ModuleCode) -> bool {
        self == Self::Most && code.module.bytes().len() >= LARGE
    }
}

fn types(body: &mut Writer, module: &Module) {
    body.list(module.types.iter().map(|ty| [ty.id.0]));
}

/// Writes down what was compiled here of a module.
pub fn keep_code(engine: &Engine, compiler: &Compiler, code: &ModuleCode) -> Option<Vec<u8>> {
    let target = compiler.target()?;
    let (functions, loops, parts) = functions(code);
    if parts.code.is_empty() {
        return None;
    }
    let (list, stubs) = trampolines(compiler, &code.module);
    let mut body = Writer::default();
    body.bytes(settings(&engine.config).as_bytes());
    body.bytes(target.as_bytes());
    types(&mut body, &code.module);
    body.list(list.into_iter());
    body.parts(&stubs);
    body.list(functions.into_iter());
    body.list(loops.into_iter());
    body.parts(&parts);
    let mut all = Writer::default();
    seal(&mut all, |all| all.0.extend_from_slice(&body.0));
    Some(all.0)
}

/// Writes something with what it begins and its sum.
fn seal(to: &mut Writer, body: impl FnOnce(&mut Writer)) {
    to.0.extend_from_slice(MAGIC);
    let at = to.0.len();
    to.0.extend_from_slice(&[0; 8]);
    body(to);
    let sum = sum(&to.0[at + 8..]);
    to.0[at..at + 8].copy_from_slice(&sum.to_le_bytes());
}

/// What was [sealed](seal), if it is of the same build and settings.
fn opened<'a>(engine: &Engine, kept: &'a [u8]) -> Result<Reader<'a>> {
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
    Ok(body)
}

fn are_same_types(body: &mut Reader<'_>, module: &Module) -> Result<()> {
    let same = body.list()?.map(|[id]| id).eq(module.types.iter().map(|ty| ty.id.0));
    if same { Ok(()) } else { Err(Unfit::Types) }
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
    let (mut all, batches) = compiler.trampolines();
    // The same is written down the same way.
    all.sort_unstable_by_key(|(what, id, _)| (*what as u32, id.0));
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
    /// All of it.
    kept: &'a Arc<Vec<u8>>,
    facts: Reader<'a>,
    found: Found,
    code: &'a [u8],
}

impl<'a> Kept<'a> {
    /// Begins to read what was kept under an engine's settings.
    ///
    /// # Errors
    /// If it is damaged, or was kept elsewhere.
    pub fn open(engine: &Engine, kept: &'a Arc<Vec<u8>>) -> Result<Self> {
        if kept.is_empty() {
            return Err(Unfit::Nothing);
        }
        let mut rest = Reader(kept);
        let (facts, code) = (rest.bytes()?, rest.0);
        let mut facts = opened(engine, facts)?;
        let table_grows = facts.list()?.map(|[grows]| grows != 0).collect();
        let [uses_heap, has_tail_calls] = [facts.word()?, facts.word()?].map(|is| is != 0);
        Ok(Self { kept, facts, found: Found { table_grows, uses_heap, has_tail_calls }, code })
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
        are_same_types(&mut self.facts, module)?;
        if self.found.table_grows.len() == module.tables.len() { Ok(self) } else { Err(Unfit::Types) }
    }

    /// Gives a module that it [fits](Self::fitting) the code. What the interpreter ran is translated for it in the background; where another process
    /// has the code, that comes there too, and the program runs meanwhile. What came of it the module [knows](ModuleCode::adopted).
    ///
    /// # Errors
    /// If the facts are damaged.
    ///
    /// # Safety
    /// It was kept of a module of the same bytes, and is as it was.
    pub unsafe fn adopt(mut self, engine: &Arc<Engine>, code: &Arc<ModuleCode>) -> Result<()> {
        let translated: Vec<_> = self.facts.list()?.map(|[func]| DefinedFunc(func)).collect();
        let how = match self.facts.word()? {
            0 => How::Nothing,
            1 => How::Some,
            _ => How::Most,
        };
        let is_same_counting = self.facts.word()? == counting(&engine.config);
        let part = self.facts.bytes()?.as_ptr_range();
        let place = |at: *const u8| at as usize - self.kept.as_ptr() as usize;
        let translations = Translations::open(self.kept.clone(), place(part.start)..place(part.end))?;
        // What was kept need not be made in the background.
        let is_kept = is_same_counting && !translations.is_empty();
        if is_kept {
            code.translations.get_or_init(|| translations);
        }
        let translated = if is_kept { Vec::new() } else { translated };
        let compiler =
            if how != How::Nothing && engine.config.tier != Tier::Interpreter { engine.compiler().ok() } else { None };
        let Some(compiler) = compiler else {
            code.adopted.get_or_init(|| Ok(0));
            return Ok(());
        };
        if compiler.remote().is_some() && engine.config.tier == Tier::Auto && !how.is_waited_for(code) {
            tier::adopt_in_background(engine, code, translated);
            return Ok(());
        }
        let adopted = match compiler.remote() {
            Some(remote) => compiler.claim_kept(remote.adopt(code), &code.module),
            // SAFETY: by contract; what is placed is kept below.
            None => unsafe { Adopted::place(engine, compiler, &code.module, self.code) },
        };
        let adopted = adopted.and_then(|adopted| adopted.publish(compiler, code));
        // The facts fit all the same.
        code.adopted.get_or_init(|| adopted.or_else(nothing));
        if translated.iter().all(|func| func.index() < code.functions().len()) {
            tier::translate_in_background(engine, code, translated);
        }
        Ok(())
    }
}

/// That nothing was kept is no failure.
fn nothing(unfit: Unfit) -> Result<usize> {
    if unfit == Unfit::Nothing { Ok(0) } else { Err(unfit) }
}

/// Takes over the code that another process has kept of a module. A program may be running.
pub fn adopt_from_elsewhere(compiler: &Compiler, code: &ModuleCode) {
    let Some(remote) = compiler.remote() else { return };
    let adopted = compiler.claim_kept(remote.adopt(code), &code.module);
    let adopted = adopted.and_then(|adopted| adopted.publish(compiler, code));
    code.adopted.get_or_init(|| adopted.or_else(nothing));
}

impl Adopted {
    /// Hands it to the module, functions last: each is entered from then on. How many functions and loops it is.
    fn publish(self, compiler: &Compiler, code: &ModuleCode) -> Result<usize> {
        let adopted = self;
        let no_code = |_| Unfit::Elsewhere;
        adopted.enter(compiler, code)?;
        tier::prepare_stubs(compiler, code).map_err(no_code)?;
        let count = [adopted.functions.len() as u64, adopted.loops.len() as u64];
        code.events.tell(|| TierEvent::Kept { functions: count[0], loops: count[1] });
        for [func, start] in &adopted.functions {
            let func = DefinedFunc(*func);
            let index = code.module.func_index(func);
            let (id, ty) = (code.module.func_type_id(index), code.module.func_type(index));
            let made = |what| compiler.trampoline(what, id, ty).map_err(no_code);
            // The second is for the first call through a stub that finds this code.
            let (entry, _) = (made(Trampoline::Entry)?, made(Trampoline::Unpack)?);
            code.function(func).publish(adopted.code.address(*start), entry.0);
        }
        // The compiler has time for what is less hot.
        tier::lower_thresholds(code);
        for [func, ..] in &adopted.loops {
            // The first turn is to find it.
            code.function(DefinedFunc(*func)).turns.store(0, Ordering::Relaxed);
        }
        Ok(adopted.functions.len() + adopted.loops.len())
    }
}

/// Code that was kept, where it stands now.
pub struct Adopted {
    /// Where the trampolines stand.
    pub stubs: Arc<Batch>,
    /// What each of them does, of which of the module's types, and where it starts.
    pub trampolines: Vec<[u32; 3]>,
    /// Where functions and loops stand.
    pub code: Arc<Batch>,
    /// Functions, and where each starts.
    pub functions: Vec<[u32; 2]>,
    /// Loops: functions, the loops' numbers, and where code and trampoline start.
    pub loops: Vec<[u32; 4]>,
}

impl Adopted {
    /// Reads and places what [`keep_code`] wrote.
    ///
    /// # Errors
    /// If it does not fit.
    ///
    /// # Safety
    /// It was kept of a module of the same bytes, and is as it was. The code is handed to the module's `keep`.
    pub unsafe fn place(engine: &Engine, compiler: &Compiler, module: &Module, kept: &[u8]) -> Result<Self> {
        let mut body = opened(engine, kept)?;
        let target = body.bytes()?;
        if compiler.target().is_none_or(|own| own.as_bytes() != target) {
            return Err(Unfit::Elsewhere);
        }
        are_same_types(&mut body, module)?;
        let no_room = |_| Unfit::Elsewhere;
        let trampolines = body.list()?.collect();
        // SAFETY: they are no module's.
        let stubs = unsafe { compiler.place(body.parts()?, std::ptr::null()) }.map_err(no_room)?;
        let (functions, loops) = (body.list()?.collect(), body.list()?.collect());
        // SAFETY: by contract.
        let code = unsafe { compiler.place(body.parts()?, module) }.map_err(no_room)?;
        let adopted = Self { stubs, trampolines, code, functions, loops };
        if adopted.is_of(module) { Ok(adopted) } else { Err(Unfit::Damaged) }
    }

    /// Whether all starts where there is code, and is of something that a module has.
    pub fn is_of(&self, module: &Module) -> bool {
        let Self { stubs, trampolines, code, functions, loops } = self;
        let is_function = |func: u32| (func as usize) < module.defined_count();
        let is_stub = |[what, number, start]: &[u32; 3]| {
            (*what as usize) < Trampoline::ALL.len()
                && module.types.get(*number as usize).is_some_and(|ty| ty.func().is_some())
                && stubs.has(*start)
        };
        trampolines.iter().all(is_stub)
            && functions.iter().all(|[func, start]| is_function(*func) && code.has(*start))
            && loops.iter().all(|[func, _, at @ ..]| is_function(*func) && at.iter().all(|at| code.has(*at)))
    }

    /// Makes it known to the compiler, and hands it to the module, all but the functions' entries.
    pub fn enter(&self, compiler: &Compiler, code: &ModuleCode) -> Result<()> {
        let types = &code.module.types;
        let trampoline = |[what, number, start]: &[u32; 3]| {
            Some((*Trampoline::ALL.get(*what as usize)?, types.get(*number as usize)?.id, *start))
        };
        let list: Option<Vec<_>> = self.trampolines.iter().map(trampoline).collect();
        compiler.adopt_trampolines(&self.stubs, &list.ok_or(Unfit::Damaged)?);
        code.keep(self.code.clone());
        for [func, number, start, trampoline] in &self.loops {
            let made = LoopCode { code: self.code.address(*start), trampoline: self.code.address(*trampoline) };
            let mut loops = code.function(DefinedFunc(*func)).loops();
            // It may have been asked for meanwhile.
            if loops.known(*number).is_none() {
                loops.begin(*number);
            }
            loops.set(*number, Some(made));
        }
        Ok(())
    }
}

/// A sum that tells of damage. Quick, since code is large: four sums of every fourth word do not wait for one another.
pub fn sum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    let (lines, rest) = bytes.as_chunks::<32>();
    let mut sums = [1, 2, 3, 4].map(|lane| 0xcbf2_9ce4_8422_2325 ^ lane);
    for line in lines {
        for (sum, word) in sums.iter_mut().zip(line.as_chunks().0) {
            *sum = step(*sum, u64::from_le_bytes(*word));
        }
    }
    let rest = rest.iter().fold(0, |sum, byte| step(sum, u64::from(*byte)));
    step(sums.into_iter().fold(rest, step), bytes.len() as u64)
}
