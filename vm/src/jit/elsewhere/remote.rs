//! The side of whoever runs code.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::{Answer, Ask, receive, send, write_passing};
use crate::jit::batch::Tables;
use crate::jit::words::{Reader, Writer};
use crate::jit::{CompileError, Order};
use crate::module::Bytes;
use crate::runtime::code::ModuleCode;
use crate::types::TypeId;

/// Code that the other process says it has written.
pub struct Placed {
    /// Where in the arena.
    pub start: usize,
    /// Bytes of it.
    pub len: usize,
    /// What explains it; all inside of the code, and of functions that there are.
    pub tables: Tables,
}

/// What the other process says of what it was asked to make.
pub struct Told {
    /// The code.
    pub placed: Placed,
    /// What starts where: as in [`Made`](crate::jit::batch::Made).
    pub starts: Vec<[u32; 2]>,
}

/// The same of what was kept: see [`Adopted`](crate::runtime::kept::Adopted).
pub struct ToldOfKept {
    /// Trampolines.
    pub stubs: Placed,
    /// What they are.
    pub trampolines: Vec<[u32; 3]>,
    /// Functions and loops.
    pub code: Placed,
    /// The functions.
    pub functions: Vec<[u32; 2]>,
    /// The loops.
    pub loops: Vec<[u32; 4]>,
}

/// A compiler that is another process. It serves one module.
pub struct Remote {
    channel: Arc<Channel>,
    talk: Mutex<Talk>,
    is_serving: AtomicBool,
}

/// The stream. Who waits for an answer does not keep others from sending something that takes none.
struct Channel {
    file: File,
    sending: Mutex<()>,
}

impl Channel {
    fn send(&self, what: u32, message: &[u8]) -> io::Result<()> {
        let _one = self.sending.lock().unwrap_or_else(|e| e.into_inner());
        send(&self.file, what, message)
    }
}

struct Talk {
    channel: Arc<Channel>,
    /// What the other side has already: a module of these bytes need not be sent.
    shared: Option<Bytes>,
    state: State,
}

enum State {
    /// Nothing was said.
    New,
    /// It serves this module, whose types are these.
    Serving { module: *const u8, types: Vec<TypeId> },
    /// It serves nobody any more.
    Over(&'static str),
}

// SAFETY: the pointer is only compared.
unsafe impl Send for State {}

type Result<T> = std::result::Result<T, CompileError>;

impl Remote {
    /// The process at the other end of a stream.
    pub fn new(channel: OwnedFd) -> Self {
        let channel = Arc::new(Channel { file: channel.into(), sending: Mutex::default() });
        let talk = Mutex::new(Talk { channel: channel.clone(), shared: None, state: State::New });
        Self { channel, talk, is_serving: AtomicBool::new(false) }
    }

    /// Says which bytes the other process has, before it is asked for anything.
    pub fn share(&self, bytes: Bytes) {
        self.lock().shared = Some(bytes);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Has it take a module, if it has none.
    pub fn serve(&self, code: &ModuleCode) -> Result<()> {
        self.lock().serve(code)?;
        self.is_serving.store(true, Ordering::Release);
        Ok(())
    }

    /// Has something made. `None` if it cannot be.
    pub fn order(&self, order: Order<'_>) -> Result<Option<Told>> {
        let mut message = Writer::default();
        let ask = match order {
            Order::Functions(code, funcs) => {
                self.serve(code)?;
                message.list(funcs.iter().map(|func| [func.0]));
                Ask::Functions
            }
            Order::Loop(code, func, number) => {
                self.serve(code)?;
                message.word(func.0);
                message.word(number);
                Ask::Loop
            }
            Order::Trampoline(what, id, ty) => {
                message.word(what as u32);
                match self.lock().place_of(id) {
                    Some(place) => {
                        message.word(place);
                        Ask::Trampoline
                    }
                    None => {
                        write_passing(&mut message, ty);
                        Ask::Foreign
                    }
                }
            }
        };
        let mut talk = self.lock();
        let (answer, message) = talk.ask(ask, &message.0)?;
        match answer {
            Answer::Nothing => Ok(None),
            Answer::Full => Err(CompileError::Full),
            Answer::Made => match told(&message, order) {
                Some(told) => Ok(Some(told)),
                None => Err(talk.end("says what cannot be")),
            },
        }
    }
}

impl Remote {
    /// Has it place what was kept of a module. `None` if that is nothing, or does not fit.
    pub fn adopt(&self, code: &ModuleCode) -> Result<Option<ToldOfKept>> {
        self.serve(code)?;
        let mut talk = self.lock();
        match talk.ask(Ask::Adopt, &[])? {
            (Answer::Made, message) => match told_of_kept(&message, code) {
                Some(told) => Ok(Some(told)),
                None => Err(talk.end("says what cannot be")),
            },
            _ => Ok(None),
        }
    }

    /// Has it write down what is to be kept of what it has compiled so far, without waiting for that or for what it is compiling now.
    pub fn keep(&self) {
        if self.is_serving.load(Ordering::Acquire) {
            // Where that fails, nothing is kept.
            let _ = self.channel.send(Ask::Keep as u32, &[]);
        }
    }
}

impl Talk {
    /// Nobody is asked any more.
    fn end(&mut self, why: &'static str) -> CompileError {
        self.state = State::Over(why);
        CompileError::Elsewhere(why)
    }

    fn ask(&mut self, ask: Ask, message: &[u8]) -> Result<(Answer, Vec<u8>)> {
        if let State::Over(why) = self.state {
            return Err(CompileError::Elsewhere(why));
        }
        let answer = self.channel.send(ask as u32, message).and_then(|()| receive(&self.channel.file));
        let Ok(Some((answer, message))) = answer else { return Err(self.end("is gone")) };
        match Answer::ALL.get(answer as usize) {
            Some(answer) => Ok((*answer, message)),
            None => Err(self.end("says what cannot be")),
        }
    }

    /// Has it take a module, if it has none.
    fn serve(&mut self, code: &ModuleCode) -> Result<()> {
        let module = &code.module;
        match &self.state {
            State::Serving { module: served, .. } if *served == module.bytes.as_ptr() => return Ok(()),
            State::Serving { .. } => return Err(CompileError::Elsewhere("serves another module")),
            State::Over(why) => return Err(CompileError::Elsewhere(why)),
            State::New => {}
        }
        let mut message = Writer::default();
        message.list(module.table_grows.iter().map(|grows| [u32::from(*grows)]));
        for is in [module.uses_heap, module.has_tail_calls] {
            message.word(is.into());
        }
        let has = self.shared.as_ref().is_some_and(|shared| std::ptr::eq(shared.as_ptr(), module.bytes.as_ptr()));
        message.word(has.into());
        if !has {
            message.bytes(&module.bytes);
        }
        let (answer, message) = self.ask(Ask::Module, &message.0)?;
        let types: Vec<TypeId> = module.types.iter().map(|ty| ty.id).collect();
        let told = Reader(&message).list::<1>().map(|list| list.map(|[id]| TypeId(id)).collect::<Vec<_>>());
        if answer != Answer::Made || told.as_ref() != Ok(&types) {
            return Err(self.end("numbers types otherwise"));
        }
        self.state = State::Serving { module: module.bytes.as_ptr(), types };
        Ok(())
    }

    /// Where a type is in the module that is served.
    fn place_of(&self, id: TypeId) -> Option<u32> {
        let State::Serving { types, .. } = &self.state else { return None };
        types.iter().position(|ty| *ty == id).map(|place| place as u32)
    }
}

/// Reads where code is said to stand, and what explains it, if that can be: where a module has so many functions.
fn placed(message: &mut Reader<'_>, functions: usize) -> Option<Placed> {
    let (start, len) = (message.word().ok()?, message.word().ok()?);
    let tables = message.tables().ok()?;
    let known = tables.entries.iter().all(|entry| entry.func.is_none_or(|func| (func.0 as usize) < functions));
    let can_be = known && tables.are_inside(len);
    can_be.then_some(Placed { start: start as usize, len: len as usize, tables })
}

/// Reads what is said of code that was asked for, if it can be true.
fn told(message: &[u8], order: Order<'_>) -> Option<Told> {
    let mut message = Reader(message);
    let functions = match order {
        Order::Functions(code, _) | Order::Loop(code, ..) => code.module.function_count(),
        Order::Trampoline(..) => 0,
    };
    let starts: Vec<_> = message.list::<2>().ok()?.collect();
    let placed = placed(&mut message, functions)?;
    let is_asked_for = match order {
        Order::Functions(_, funcs) => starts.iter().all(|[func, _]| funcs.iter().any(|asked| asked.0 == *func)),
        Order::Loop(..) => starts.len() == 2,
        Order::Trampoline(..) => starts.len() == 1,
    };
    let inside = starts.iter().all(|[_, start]| (*start as usize) < placed.len);
    (is_asked_for && inside && message.0.is_empty()).then_some(Told { placed, starts })
}

/// The same of what was kept; whether it is of the module is seen when it is claimed.
fn told_of_kept(message: &[u8], code: &ModuleCode) -> Option<ToldOfKept> {
    let mut message = Reader(message);
    let trampolines = message.list().ok()?.collect();
    let stubs = placed(&mut message, 0)?;
    let (functions, loops) = (message.list().ok()?.collect(), message.list().ok()?.collect());
    let code = placed(&mut message, code.module.function_count())?;
    message.0.is_empty().then_some(ToldOfKept { stubs, trampolines, code, functions, loops })
}
