//! Exploring a module: calling what it exports, reading what it has, and stepping through it in the interpreter.
//!
//! A call that stands at an operator answers what is asked meanwhile from there: whoever looks on is called by the run itself, and asks for the next
//! request as the session does.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pinfold::exit;
use pinfold::job::{EndKind, Ending, Reply, Request, Run, Told};
use pinfold::question::{Candidate, Explore};
use pinfold::text;
use pinfold_vm::api::{
    AsContext, Error, ExternType, Func, Instance, Linker, Module, Stopped, Store, StoreLimits, Val, ValType,
};
use pinfold_vm::module::{Bytes, Escaped, FuncIndex};

use crate::Channel;
use crate::inspect::find;
use crate::invoke::{parse, show};
use crate::refusal;
use crate::run::{self, Host, Prepared, state};

/// Bytes of memory that are shown at a time.
const SHOWN: u64 = 4096;

/// What the run is to do, and where it is to stop.
#[derive(Default)]
struct Looking {
    breakpoints: BTreeSet<u32>,
    /// How many operators until it stops; none: until a breakpoint.
    steps: Option<u64>,
    /// Whether somebody ended it where it stood.
    ended: bool,
}

type Shared = Arc<Mutex<Looking>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Looking> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A module that is explored. Nothing of it is given back while it lasts.
struct Explorer<'a> {
    job: &'a Run,
    module: Module,
    store: ManuallyDrop<Store<Host>>,
    instance: Instance,
    looking: Shared,
}

/// Answers until nobody asks any more.
pub fn run(job: &Run, prepared: Prepared, channel: &'static Channel, bytes: Bytes) -> Ending {
    let mut explorer = match Explorer::new(job, prepared, channel, bytes) {
        Ok(explorer) => explorer,
        Err(ending) => return *ending,
    };
    while let Ok(Some(request)) = channel.request() {
        let reply = explorer.answer(&request);
        if send(channel, reply).is_none() {
            break;
        }
    }
    Ending::new(EndKind::Exit, exit::SUCCESS, None)
}

fn send(channel: &Channel, reply: Reply) -> Option<()> {
    channel.send(&reply.into_message().ok()?).ok()
}

fn told(answer: Result<String, String>) -> Reply {
    match answer {
        Ok(text) if text.is_empty() => Reply::default(),
        Ok(text) => {
            let text = text.trim_end().to_owned();
            Reply { value: Some(Told { text, ..Told::default() }), ..Reply::default() }
        }
        Err(why) => Reply { ended: Some(Ending::new(EndKind::Refused, exit::REFUSED, Some(why))), ..Reply::default() },
    }
}

impl<'a> Explorer<'a> {
    fn new(job: &'a Run, prepared: Prepared, channel: &'static Channel, bytes: Bytes) -> Result<Self, Box<Ending>> {
        let (engine, host) = prepared.into_parts();
        let engine = ManuallyDrop::new(engine);
        let not = |why: String| Box::new(Ending::new(EndKind::NotAModule, exit::REFUSED, Some(why)));
        let bytes = text::translate(&job.file, bytes).map_err(not)?;
        let module = Module::new(&engine, bytes).map_err(|error| not(error.to_string()))?;
        let limits = StoreLimits { memory: job.max_memory, stack: run::stack(job), ..StoreLimits::default() };
        let mut store = ManuallyDrop::new(Store::with_limits(&engine, Host::new(host), limits));
        store.connect(state);
        let mut linker = ManuallyDrop::new(Linker::new(&engine));
        linker.host_table(&job.grants, state);
        // What is not there can be looked at all the same.
        for import in &refusal::check(&module, &job.grants, false) {
            refusal::trap_when_called(&mut linker, state, import);
        }
        let looking = Shared::default();
        let (shared, looked) = (looking.clone(), module.clone());
        store.set_debugger(Box::new(move |stopped| look(&shared, &looked, stopped, channel)));
        let instance = linker.instantiate(&mut *store, &module);
        let instance = instance.map_err(|error| Box::new(run::explain(&error, job, &|_| Some(&module))))?;
        Ok(Self { job, module, store, instance, looking })
    }

    fn answer(&mut self, request: &Request) -> Reply {
        match request {
            Request::Explore(Explore::Call { name, arguments }) => self.call(name, arguments),
            Request::Complete { .. } => {
                let named = |(name, ty): (&str, ExternType)| Candidate {
                    name: name.to_owned(),
                    kind: "export".to_owned(),
                    ty: described(&ty),
                };
                Reply { candidates: self.module.exports().map(named).collect(), ..Reply::default() }
            }
            Request::Explore(asked) => match view(asked, &self.module, self.instance, &*self.store, &self.looking) {
                Some(answer) => told(answer),
                None => told(Err("nothing is stopped: set a place with :break, and call something".into())),
            },
            _ => Reply::default(),
        }
    }

    fn call(&mut self, name: &str, arguments: &[String]) -> Reply {
        // One that was stopped stays so; this is another.
        self.store.set_deadline(None);
        {
            let mut looking = lock(&self.looking);
            (looking.steps, looking.ended) = (None, false);
        }
        let result = self.called(name, arguments);
        self.store.set_deadline(None);
        self.store.data_mut().flush();
        match result {
            Ok(text) => told(Ok(text)),
            Err(_) if lock(&self.looking).ended => told(Ok("the call is ended".into())),
            Err(Error::Trap(trap)) => {
                let ending = run::explain(&Error::Trap(trap), self.job, &|_| Some(&self.module));
                Reply { ended: Some(ending), ..Reply::default() }
            }
            Err(error) => told(Err(error.to_string())),
        }
    }

    fn called(&mut self, name: &str, arguments: &[String]) -> Result<String, Error> {
        let missing = || Error::NoExport { name: name.to_owned(), kind: "function" };
        let func: Func = self.instance.get_func(&*self.store, name).ok_or_else(missing)?;
        let ty = func.ty(&*self.store)?;
        if ty.params().len() != arguments.len() {
            return Err(Error::Type(format!("{name:?} has type {ty}; {} arguments were given", arguments.len())));
        }
        let params = ty.params().iter().zip(arguments).map(|(ty, text)| parse(*ty, text));
        let params: Vec<Val> = params.collect::<Result<_, _>>()?;
        let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::zero(*ty)).collect();
        func.call(&mut *self.store, &params, &mut results)?;
        Ok(values(ty.results().iter().copied().zip(results)))
    }
}

/// What a run does before each operator: goes on, or stands and answers until it is to go on. `false` if it is to end.
fn look(shared: &Shared, module: &Module, stopped: &Stopped<'_>, channel: &Channel) -> bool {
    {
        let mut looking = lock(shared);
        match looking.steps {
            Some(..=1) => looking.steps = None,
            Some(left) => {
                looking.steps = Some(left - 1);
                return true;
            }
            None if looking.breakpoints.contains(&stopped.offset()) => {}
            None => return true,
        }
    }
    let mut reply = told(Ok(place(module, stopped)));
    loop {
        if send(channel, reply).is_none() {
            return false;
        }
        let Ok(Some(request)) = channel.request() else { return false };
        reply = match request {
            Request::Explore(Explore::Step(count)) => {
                lock(shared).steps = Some(count.max(1));
                return true;
            }
            Request::Explore(Explore::Continue) => return true,
            Request::Explore(Explore::Stop) => {
                lock(shared).ended = true;
                return false;
            }
            Request::Explore(Explore::Call { .. }) => {
                told(Err("a call is stopped: :continue, :step or :stop it first".into()))
            }
            Request::Explore(Explore::Locals) => told(Ok(numbered(stopped.local_values()))),
            Request::Explore(Explore::Stack) => told(Ok(numbered(stopped.operand_values()))),
            Request::Explore(Explore::Where) => told(Ok(format!("{}{}", place(module, stopped), frames(stopped)))),
            Request::Explore(asked) => match view(&asked, module, stopped.instance(), stopped, shared) {
                Some(answer) => told(answer),
                None => Reply::default(),
            },
            _ => Reply::default(),
        };
    }
}

/// What can be seen whether or not something runs.
fn view(
    asked: &Explore,
    module: &Module,
    instance: Instance,
    store: &impl AsContext,
    shared: &Shared,
) -> Option<Result<String, String>> {
    Some(match asked {
        Explore::Exports => Ok(exports(module)),
        Explore::Globals => globals(module, instance, store),
        Explore::Memory { index, address, length } => memory(instance, store, *index, *address, *length),
        Explore::Break(None) => Ok(breakpoints(module, shared)),
        Explore::Break(Some(text)) => set_breakpoint(module, text, shared),
        Explore::Clear => {
            lock(shared).breakpoints.clear();
            Ok(String::new())
        }
        _ => return None,
    })
}

fn described(ty: &ExternType) -> String {
    match ty {
        ExternType::Func(ty) => format!("function{ty}"),
        ExternType::Memory(memory) => format!("memory of {} pages", memory.limits.min),
        ExternType::Table(table) => format!("table of {}", table.element),
        ExternType::Global(global) => {
            format!("global {}{}", if global.mutable { "mutable " } else { "" }, global.value)
        }
        ExternType::Tag(ty) => format!("tag{ty}"),
    }
}

fn exports(module: &Module) -> String {
    let line = |(name, ty): (&str, ExternType)| format!("{}  {}\n", Escaped(name), described(&ty));
    module.exports().map(line).collect()
}

fn globals(module: &Module, instance: Instance, store: &impl AsContext) -> Result<String, String> {
    let mut text = String::new();
    for index in 0..module.inner().globals().len() as u32 {
        let global = instance.global_at(store, index).map_err(|error| error.to_string())?;
        if let Some((ty, value)) = global {
            let mutable = if ty.mutable { "mutable " } else { "" };
            let _ = writeln!(text, "{index}: {mutable}{} {}", ty.value, show(&value));
        }
    }
    Ok(text)
}

/// Bytes of a memory, sixteen a line.
fn memory(instance: Instance, store: &impl AsContext, index: u32, address: u64, length: u64) -> Result<String, String> {
    let memory = instance.memory_at(store, index).map_err(|error| error.to_string())?;
    let memory = memory.ok_or_else(|| format!("there is no memory {index}"))?;
    let bytes = memory.data(store).map_err(|error| error.to_string())?;
    let length = length.min(SHOWN);
    let range = usize::try_from(address).ok().zip(usize::try_from(length).ok());
    let shown = range.and_then(|(start, length)| bytes.get(start..)?.get(..length));
    let shown = shown.ok_or_else(|| format!("memory {index} has {:#x} bytes", bytes.len()))?;
    let mut text = String::new();
    for (line, bytes) in (address..).step_by(16).zip(shown.chunks(16)) {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let plain = bytes.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { byte as char } else { '.' });
        let _ = writeln!(text, "{line:08x}  {:<47}  {}", hex.join(" "), plain.collect::<String>());
    }
    Ok(text)
}

/// A function's operators: their offsets, and how they are written.
fn operators(module: &Module, func: FuncIndex) -> Vec<(u32, String)> {
    let mut listing = String::new();
    // A `String` takes everything.
    let _ = module.inner().disassemble(func, &mut listing);
    let operator = |line: &str| {
        let (offset, operator) = line.split_once("  ")?;
        Some((u32::from_str_radix(offset, 16).ok().filter(|_| offset.len() == 8)?, operator.trim().to_owned()))
    };
    listing.lines().filter_map(operator).collect()
}

fn set_breakpoint(module: &Module, text: &str, shared: &Shared) -> Result<String, String> {
    let inner = module.inner();
    let defined = || (0..inner.function_count() as u32).map(FuncIndex).filter(|&func| inner.defined(func).is_some());
    let offset = match text.strip_prefix("0x") {
        Some(hex) => {
            let wanted = u32::from_str_radix(hex, 16).map_err(|error| format!("{}: {error}", Escaped(text)))?;
            let is_there = defined().any(|func| operators(module, func).iter().any(|(offset, _)| *offset == wanted));
            if !is_there {
                return Err(format!("no operator begins at {wanted:#x}"));
            }
            wanted
        }
        None => {
            let func = find(inner, text).map_err(|error| error.to_string())?;
            let first = operators(module, func).into_iter().next();
            first.ok_or_else(|| format!("function {} is imported: it has no operators", func.0))?.0
        }
    };
    lock(shared).breakpoints.insert(offset);
    Ok(format!("stops at {offset:#x}"))
}

fn breakpoints(module: &Module, shared: &Shared) -> String {
    let looking = lock(shared);
    let inner = module.inner();
    let mut text = String::new();
    for func in (0..inner.function_count() as u32).map(FuncIndex).filter(|_| !looking.breakpoints.is_empty()) {
        for (offset, operator) in operators(module, func) {
            if looking.breakpoints.contains(&offset) {
                let _ = writeln!(text, "{offset:#x}  {operator}  in {}", named(module, func));
            }
        }
    }
    text
}

fn named(module: &Module, func: FuncIndex) -> String {
    let name = module.inner().names().function(func).map(|name| format!(" ${}", Escaped(name)));
    format!("function {}{}", func.0, name.unwrap_or_default())
}

/// Where a run stands, and the operands that are there.
fn place(module: &Module, stopped: &Stopped<'_>) -> String {
    let (func, offset) = (stopped.func(), stopped.offset());
    let all = operators(module, func);
    let operator = all.iter().find(|(at, _)| *at == offset).map_or("", |(_, operator)| operator);
    let operands = stopped.operand_values();
    let stack: Vec<String> = operands.iter().map(|(ty, value)| format!("{ty} {}", show(value))).collect();
    format!("{} at {offset:#x}: {operator}\n  stack: [{}]\n", named(module, func), stack.join(", "))
}

fn frames(stopped: &Stopped<'_>) -> String {
    let (frames, omitted) = stopped.frames();
    let mut text = String::new();
    for (number, frame) in frames.iter().enumerate() {
        let name = frame.name.as_deref().map(|name| format!(" ${}", Escaped(name))).unwrap_or_default();
        let _ = writeln!(text, "  {number}: function {}{name} at {:#x}", frame.func, frame.offset);
    }
    if omitted > 0 {
        let _ = writeln!(text, "  {omitted} more frames");
    }
    text
}

fn numbered(values: Vec<(ValType, Val)>) -> String {
    let line = |(number, (ty, value)): (usize, (ValType, Val))| format!("{number}: {ty} {}\n", show(&value));
    values.into_iter().enumerate().map(line).collect()
}

fn values(values: impl Iterator<Item = (ValType, Val)>) -> String {
    values.map(|(ty, value)| format!("{}: {ty}\n", show(&value))).collect()
}
