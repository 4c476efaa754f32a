//! The side of whoever compiles.

use std::fs::File;
use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use super::{Answer, Ask, read_passing, receive, send, trampoline};
use crate::jit::words::{CutOff, Reader, Writer};
use crate::jit::{Batch, CompileError, Compiler, LoopCode, Order, Standing};
use crate::module::{Bytes, DefinedFunc};
use crate::runtime::code::ModuleCode;
use crate::runtime::engine::Engine;
use crate::runtime::kept::{self, Adopted};
use crate::runtime::queue::{Sender, queue};
use crate::runtime::threads;
use crate::types::TypeId;
use crate::verifier::{Bodies, Found, Options, Outline, VerifyError};

/// Why a compiler does not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The channel does not work.
    #[error("the channel: {0}")]
    Io(#[from] std::io::Error),
    /// What was asked for cannot be asked for.
    #[error("what was asked for makes no sense: {0}")]
    Nonsense(&'static str),
    /// The module is not what was said.
    #[error("what was said of the module is not so: {0}")]
    Module(#[from] VerifyError),
    /// There is no compiler.
    #[error(transparent)]
    Compiler(#[from] CompileError),
}

impl From<CutOff> for ServiceError {
    fn from(_: CutOff) -> Self {
        Self::Nonsense("it is cut off")
    }
}

type Result<T> = std::result::Result<T, ServiceError>;

/// Gets what an earlier process kept.
pub type Earlier = Box<dyn FnOnce() -> std::io::Result<Vec<u8>> + Send>;
/// Puts away what is to be kept for a later one.
pub type Later = Box<dyn FnOnce(Vec<u8>) -> std::io::Result<()> + Send>;

/// Compiles for another process.
pub struct Service {
    channel: Arc<File>,
    engine: Arc<Engine>,
    options: Options,
    /// What the other process is to run, perhaps.
    program: Option<Bytes>,
    /// The same, decoded.
    outline: Option<Outline>,
    module: Option<Served>,
    /// The same, as far as whoever listens looks at it.
    code: Arc<OnceLock<Arc<ModuleCode>>>,
    earlier: Option<Earlier>,
    /// What comes from there.
    kept: Vec<u8>,
    keeps: Option<Later>,
    /// Those that stand in no list.
    foreign: Vec<Arc<Batch>>,
}

/// The module that is compiled.
struct Served {
    code: Arc<ModuleCode>,
    bodies: Bodies,
    /// Which functions were verified.
    checked: Vec<bool>,
}

/// What listens to the other process meanwhile.
struct Listener {
    channel: Arc<File>,
    engine: Arc<Engine>,
    code: Arc<OnceLock<Arc<ModuleCode>>>,
    keeps: Option<Later>,
}

impl Service {
    /// One with an engine that nobody else uses.
    pub(crate) fn new(engine: Arc<Engine>, options: Options, channel: OwnedFd, program: Option<Bytes>) -> Self {
        let channel = Arc::new(channel.into());
        let (outline, module, code, earlier, kept, keeps, foreign) = Default::default();
        Self { channel, engine, options, program, outline, module, code, earlier, kept, keeps, foreign }
    }

    /// Where what was kept of the module comes from, and where it goes to, if it is kept.
    #[must_use]
    pub fn keeping(mut self, earlier: Option<Earlier>, later: Option<Later>) -> Self {
        (self.earlier, self.keeps) = (earlier, later);
        self
    }

    /// Does what it is asked until nobody is there to ask. Nothing is given back then: the process is about to end.
    ///
    /// # Errors
    /// If what it is asked makes no sense.
    pub fn run(self) -> Result<()> {
        let mut this = ManuallyDrop::new(self);
        let (orders, order) = queue();
        let listener = Listener {
            channel: this.channel.clone(),
            engine: this.engine.clone(),
            code: this.code.clone(),
            keeps: this.keeps.take(),
        };
        if !threads::spawn(move || listener.listen(&orders)) {
            return Err(ServiceError::Nonsense("there is no thread to listen"));
        }
        this.look_ahead()?;
        while let Some(order) = order.recv() {
            let (ask, message) = order?;
            let (answer, message) = this.serve(ask, &message)?;
            if send(&*this.channel, answer as u32, &message).is_err() {
                // Whoever asked has gone.
                break;
            }
        }
        Ok(())
    }

    /// Does what will be asked for first in most cases, while the other process does the same.
    fn look_ahead(&mut self) -> Result<()> {
        if let Some(program) = self.program.as_ref().filter(|program| program.starts_with(b"\0asm")) {
            // What is wrong with it the other process finds too.
            self.outline = Outline::new(program.clone(), &self.options, &self.engine.types).ok();
        }
        if let Some(earlier) = self.earlier.take() {
            self.kept = earlier()?;
        }
        Ok(())
    }

    /// Does what was asked, and answers.
    fn serve(&mut self, ask: Ask, message: &[u8]) -> Result<(Answer, Vec<u8>)> {
        let message = Reader(message);
        Ok(match ask {
            Ask::Module => (Answer::Made, self.take(message)?),
            Ask::Adopt => match self.adopt()? {
                Some(adopted) => (Answer::Made, tell_of_kept(&adopted)),
                None => (Answer::Nothing, Vec::new()),
            },
            _ => match self.make(ask, message) {
                Ok(Some(made)) => (Answer::Made, tell(&made)),
                // One that cannot be compiled stays in the interpreter.
                Ok(None) | Err(ServiceError::Compiler(CompileError::Function { .. })) => (Answer::Nothing, Vec::new()),
                Err(ServiceError::Compiler(CompileError::Full)) => (Answer::Full, Vec::new()),
                Err(error) => return Err(error),
            },
        })
    }

    /// Takes the module.
    fn take(&mut self, mut message: Reader<'_>) -> Result<Vec<u8>> {
        if self.module.is_some() {
            return Err(ServiceError::Nonsense("there is a module"));
        }
        let table_grows = message.list()?.map(|[grows]| grows != 0).collect();
        let [uses_heap, has_tail_calls, has] = [message.word()?, message.word()?, message.word()?].map(|is| is != 0);
        let outline = match self.outline.take() {
            Some(outline) if has => outline,
            None if has => return Err(ServiceError::Nonsense("there is no program")),
            // Types are numbered as they come.
            Some(_) => return Err(ServiceError::Nonsense("the program is a module")),
            None => Outline::new(message.bytes()?.into(), &self.options, &self.engine.types)?,
        };
        let found = Found { table_grows, uses_heap, has_tail_calls };
        if found.table_grows.len() != outline.module().tables.len() {
            return Err(ServiceError::Nonsense("it has other tables"));
        }
        // SAFETY: nothing is compiled before `check` has admitted it.
        let (module, bodies) = unsafe { outline.divide(&self.options, found) };
        let code = Arc::new(ModuleCode::new(module, self.engine.config));
        let mut answer = Writer::default();
        answer.list(code.module.types.iter().map(|ty| [ty.id.0]));
        let checked = vec![false; code.module.defined_count()];
        let _ = self.code.set(code.clone());
        self.module = Some(Served { code, bodies, checked });
        Ok(answer.0)
    }

    /// Places what was kept, if anything was that fits.
    fn adopt(&mut self) -> Result<Option<Adopted>> {
        let compiler = self.engine.compiler().map_err(Clone::clone)?.clone();
        let module = self.module.as_ref().ok_or(ServiceError::Nonsense("there is no module"))?;
        let kept = std::mem::take(&mut self.kept);
        // SAFETY: whoever gave it says that it was kept of the same bytes. If not, the process that runs it is held by the walls around it.
        let adopted = unsafe { Adopted::place(&self.engine, &compiler, &module.code.module, &kept) };
        let Ok(adopted) = adopted else { return Ok(None) };
        if adopted.enter(&compiler, &module.code).is_err() {
            return Ok(None);
        }
        for [func, start] in &adopted.functions {
            let address = adopted.code.address(*start);
            module.code.function(DefinedFunc(*func)).publish(address, std::ptr::null());
        }
        Ok(Some(adopted))
    }

    /// Makes what is asked for.
    fn make(&mut self, ask: Ask, mut message: Reader<'_>) -> Result<Option<Standing>> {
        let compiler = self.engine.compiler().map_err(Clone::clone)?.clone();
        if ask == Ask::Foreign {
            let what = trampoline(message.word()?).ok_or(ServiceError::Nonsense("no such trampoline"))?;
            let ty = read_passing(&mut message).ok_or(ServiceError::Nonsense("no such type"))?;
            // SAFETY: it is no module's.
            let made = unsafe { compiler.make(Order::Trampoline(what, TypeId::FUNC, &ty)) }?;
            self.foreign.extend(made.iter().map(|made| made.batch.clone()));
            return Ok(made);
        }
        let module = self.module.as_mut().ok_or(ServiceError::Nonsense("there is no module"))?;
        match ask {
            Ask::Functions => {
                let funcs: Vec<_> = message.list()?.map(|[func]| DefinedFunc(func)).collect();
                funcs.iter().try_for_each(|func| module.check(*func))?;
                module.functions(&compiler, &funcs)
            }
            Ask::Loop => {
                let func = DefinedFunc(message.word()?);
                module.check(func)?;
                module.entered_at(&compiler, func, message.word()?)
            }
            _ => {
                let what = trampoline(message.word()?).ok_or(ServiceError::Nonsense("no such trampoline"))?;
                let types = &module.code.module.types;
                let ty = types.get(message.word()? as usize).ok_or(ServiceError::Nonsense("no such type"))?;
                let func = ty.func().ok_or(ServiceError::Nonsense("it is no function's type"))?;
                let made = compiler.trampoline_in_batch(what, ty.id, func)?;
                Ok(made.map(|(batch, start)| Standing { batch, starts: vec![[0, start]] }))
            }
        }
    }
}

impl Listener {
    /// Hands on what is asked for. That something is to be kept it sees to itself: whoever works may be long at it.
    fn listen(self, orders: &Sender<Result<(Ask, Vec<u8>)>>) {
        let mut this = ManuallyDrop::new(self);
        loop {
            let Some(order) = this.next().transpose() else { return };
            let is_last = order.is_err();
            if orders.send(order).is_err() || is_last {
                return;
            }
        }
    }

    /// The next order.
    fn next(&mut self) -> Result<Option<(Ask, Vec<u8>)>> {
        loop {
            let (ask, message) = match receive(&*self.channel) {
                Ok(Some(message)) => message,
                // Whoever asks may be ended at any time.
                Ok(None) => return Ok(None),
                Err(error) if matches!(error.kind(), UnexpectedEof | ConnectionReset) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let ask = *Ask::ALL.get(ask as usize).ok_or(ServiceError::Nonsense("nobody knows what"))?;
            if ask != Ask::Keep {
                return Ok(Some((ask, message)));
            }
            if let (Some(code), Some(write)) = (self.code.get(), self.keeps.take()) {
                let compiler = self.engine.compiler().map_err(Clone::clone)?;
                write(kept::keep_code(&self.engine, compiler, code).unwrap_or_default())?;
            }
        }
    }
}

impl Served {
    /// Verifies a function, once.
    fn check(&mut self, func: DefinedFunc) -> Result<()> {
        let checked = self.checked.get_mut(func.index()).ok_or(ServiceError::Nonsense("no such function"))?;
        if !*checked {
            self.bodies.check(&self.code.module, func)?;
            *checked = true;
        }
        Ok(())
    }

    fn functions(&self, compiler: &Compiler, funcs: &[DefinedFunc]) -> Result<Option<Standing>> {
        // SAFETY: it is kept right away.
        let made = unsafe { compiler.make(Order::Functions(&self.code, funcs)) }?;
        if let Some(Standing { batch, starts }) = &made {
            self.code.keep(batch.clone());
            for [func, start] in starts {
                self.code.function(DefinedFunc(*func)).publish(batch.address(*start), std::ptr::null());
            }
        }
        Ok(made)
    }

    fn entered_at(&self, compiler: &Compiler, func: DefinedFunc, number: u32) -> Result<Option<Standing>> {
        // SAFETY: it is kept right away.
        let made = unsafe { compiler.make(Order::Loop(&self.code, func, number)) }?;
        if let Some(Standing { batch, starts }) = &made {
            self.code.keep(batch.clone());
            if let [[_, body], [_, trampoline]] = starts[..] {
                let made = LoopCode { code: batch.address(body), trampoline: batch.address(trampoline) };
                let mut loops = self.code.function(func).loops();
                loops.begin(number);
                loops.set(number, Some(made));
            }
        }
        Ok(made)
    }
}

fn placed(message: &mut Writer, batch: &Batch) {
    let (start, len) = batch.place_in_arena();
    message.word(start as u32);
    message.word(len as u32);
    message.tables(batch.tables());
}

fn tell(made: &Standing) -> Vec<u8> {
    let mut message = Writer::default();
    message.list(made.starts.iter().copied());
    placed(&mut message, &made.batch);
    message.0
}

fn tell_of_kept(adopted: &Adopted) -> Vec<u8> {
    let mut message = Writer::default();
    message.list(adopted.trampolines.iter().copied());
    placed(&mut message, &adopted.stubs);
    message.list(adopted.functions.iter().copied());
    message.list(adopted.loops.iter().copied());
    placed(&mut message, &adopted.code);
    message.0
}
