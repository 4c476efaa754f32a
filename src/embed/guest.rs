//! A program in a store of this process, with what it was granted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pinfold_vm::api::{
    self, ArrayRef, ArrayType, Engine, ExternRef, FieldType, Func, Instance, InterruptHandle, LendingFunc, Lent,
    Linker, Module, StorageType, Store, StoreLimits, Trap, TrapKind, Val, ValType,
};
use pinfold_vm::host::fold::HostValue;
use pinfold_vm::host::{self, HostError, HostState};

use super::capability::Object;
use super::error::{Error, Exceeded, Limit, Result, Usage};
use super::grants::{Grant, Grants, Need};
use super::types::Signature;
use super::vm::Limits;
use super::wire::{Reader, Writer};
use crate::exchange::HOST_CALL;
use crate::{network, trace};

/// What a store holds.
pub(crate) struct Host {
    state: HostState,
    /// Where what host functions give is put.
    wire: Writer,
}

/// The host's functions, of which the machine's are the same for all programs.
pub(crate) fn linker(engine: &Engine, types: &BufferTypes) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    linker.host_table(&host::Grants::none(), |host: &mut Host| &mut host.state);
    linker.func_lent(HOST_CALL.0, HOST_CALL.1, [&types.words, &types.bytes], host_call).map_err(machine)?;
    Ok(linker)
}

/// Calls a function of a capability of the host's own. Its arguments are in the buffers, and so is then what it gives.
fn host_call<'d>(host: &'d mut Host, call: Lent<'_>) -> api::Result<[&'d [u8]; 2]> {
    let object = call.value::<Object>().ok_or_else(|| api::Error::host(HostError::NoCapability))?;
    let [words, bytes] = call.arrays();
    host.wire.clear();
    object.call(call.number(), &mut reader(words, bytes), &mut host.wire).map_err(api::Error::host)?;
    Ok([&host.wire.words, &host.wire.bytes])
}

/// What is used of two buffers: so many words, so many bytes. Nothing, if they have not so many.
fn reader<'a>(words: (&'a [u8], i64), bytes: (&'a [u8], i64)) -> Reader<'a> {
    let used = |(all, count): (&'a [u8], i64), size: usize| {
        usize::try_from(count).ok().and_then(|count| all.get(..count.checked_mul(size)?)).unwrap_or_default()
    };
    Reader::new(used(words, 8), used(bytes, 1))
}

/// Bytes of buffers that are not kept for other calls.
const LARGE: usize = 1 << 20;

/// Arrays in the program's heap in which arguments and results cross. They are kept for the next call.
struct Buffers {
    words: ArrayRef,
    words_room: usize,
    bytes: ArrayRef,
    bytes_room: usize,
}

/// What a call gives: buffers, if they are not those that it was given, each with how much of it is used.
type Given = [(Option<ArrayRef>, i64); 2];

/// Types of the buffers.
pub(crate) struct BufferTypes {
    words: ArrayType,
    bytes: ArrayType,
}

impl BufferTypes {
    pub fn new(engine: &Engine) -> Result<Self> {
        let of = |storage| ArrayType::new(engine, FieldType::mutable(storage)).map_err(machine);
        Ok(Self { words: of(ValType::I64.into())?, bytes: of(StorageType::I8)? })
    }
}

/// See the module.
pub(crate) struct Guest {
    store: Store<Host>,
    instance: Instance,
    module: Module,
    types: Arc<BufferTypes>,
    limits: Limits,
    buffers: Option<Buffers>,
    /// Functions that were called, by name.
    known: Vec<(Arc<str>, Callable)>,
    /// What was opened for the program, and the objects of the host's own, by the needs that they are for.
    granted: host::Grants,
    grants: Grants,
    /// The host values that were handed over: each need has one, whatever calls there are. What was taken from it is not there again.
    handed: Vec<(Need, HostValue)>,
    pub to: Writer,
}

#[derive(Clone, Copy)]
enum Callable {
    /// It takes none.
    Plain(LendingFunc),
    /// It takes capabilities too.
    Granted(Func),
}

/// What a guest is made of.
pub(crate) struct Parts<'a> {
    pub engine: &'a Engine,
    pub linker: &'a Linker<Host>,
    pub module: &'a Module,
    pub types: &'a Arc<BufferTypes>,
    pub limits: Limits,
}

impl Guest {
    /// Opens what is granted of these needs, and makes an instance.
    pub fn new(parts: &Parts<'_>, grants: &Grants, needs: &[Need]) -> Result<Self> {
        let Parts { engine, linker, module, types, limits } = *parts;
        let granted = grants.of_machine(needs, limits.machine())?;
        let mut state = HostState::new(&granted).map_err(|error| Error::Grant(error.to_string()))?;
        for socket in network::open(&granted.net).map_err(|error| Error::Grant(error.to_string()))? {
            state.add_socket(socket).map_err(|error| Error::Grant(error.to_string()))?;
        }
        let store_limits = StoreLimits { memory: limits.memory, stack: limits.stack, ..StoreLimits::default() };
        let mut store = Store::with_limits(engine, Host { state, wire: Writer::default() }, store_limits);
        store.connect(|host| &mut host.state);
        if let Some(fuel) = limits.fuel {
            store.set_fuel(fuel).map_err(machine)?;
        }
        let instance = linker.instantiate(&mut store, module).map_err(machine)?;
        Ok(Self {
            store,
            instance,
            module: module.clone(),
            types: types.clone(),
            limits,
            buffers: None,
            known: Vec::new(),
            granted,
            grants: grants.clone(),
            handed: Vec::new(),
            to: Writer::default(),
        })
    }

    /// By what another thread can end what runs.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.store.interrupt_handle()
    }

    /// Calls `main`, or a test, which needs nothing.
    pub fn run(&mut self, name: &str, needs: &[Need]) -> Result<Usage> {
        let function = self.instance.get_func(&self.store, name);
        let function = function.ok_or_else(|| no_function(name, "the program has none".into()))?;
        let handles = self.handles(needs)?;
        let start = self.begin()?;
        let ended = function.call(&mut self.store, &handles, &mut []);
        self.store.data_mut().state.flush();
        match ended {
            Ok(()) => Ok(self.usage(start)),
            Err(error) => Err(self.explain(error, start)),
        }
    }

    /// Calls a function with the arguments that are in [`to`](Self::to), and reads what it gives.
    pub fn call<T>(
        &mut self,
        function: &Signature,
        needs: &[Need],
        read: impl FnOnce(&mut Reader<'_>) -> Result<T>,
    ) -> Result<T> {
        let callable = self.callable(function)?;
        self.fill().map_err(|error| self.explain(error, Instant::now()))?;
        let start = self.begin()?;
        // As values with counts of their own only where they go with others.
        let handles = match callable {
            Callable::Plain(_) => Vec::new(),
            Callable::Granted(_) => self.handles(needs)?,
        };
        let Some(Buffers { words, bytes, .. }) = &self.buffers else { return Err(Error::Machine("no buffers".into())) };
        let ended = match callable {
            Callable::Plain(func) => func.call(&mut self.store, [words, bytes]),
            Callable::Granted(func) => {
                let mut arguments = handles;
                arguments.extend([Val::from(words.clone()), Val::from(bytes.clone())]);
                let ended = granted_call(&mut self.store, func, &arguments);
                self.store.data_mut().state.flush();
                ended
            }
        };
        let [(other_words, word), (other_bytes, byte)] = ended.map_err(|error| self.explain(error, start))?;
        let used = (word.max(0) as u64).saturating_mul(8).saturating_add(byte.max(0) as u64);
        if used > self.limits.output {
            return Err(self.exceeded(Limit::Output, self.limits.output, Vec::new(), start));
        }
        let (words, bytes) = (other_words.as_ref().unwrap_or(words), other_bytes.as_ref().unwrap_or(bytes));
        let words = words.bytes_as(&self.store, &self.types.words).map_err(machine)?;
        let bytes = bytes.bytes_as(&self.store, &self.types.bytes).map_err(machine)?;
        read(&mut reader((words, word), (bytes, byte)))
    }

    /// Gives up buffers that were large, before others use it: they count as memory of their calls.
    pub fn shrink(&mut self) {
        if self.buffers.as_ref().is_some_and(|buffers| buffers.words_room + buffers.bytes_room > LARGE) {
            self.buffers = None;
        }
    }

    fn callable(&mut self, function: &Signature) -> Result<Callable> {
        if let Some((_, known)) = self.known.iter().find(|(name, _)| **name == *function.name) {
            return Ok(*known);
        }
        let export = format!("call {}", function.name);
        let found = self.instance.get_func(&self.store, &export);
        let func = found.ok_or_else(|| no_function(&function.name, "the module has none".into()))?;
        let callable = match function.needs.is_empty() {
            true => {
                let types = [&self.types.words, &self.types.bytes];
                Callable::Plain(func.lending(&self.store, types).map_err(machine)?)
            }
            false => Callable::Granted(func),
        };
        self.known.push((function.name.as_str().into(), callable));
        Ok(callable)
    }

    /// Copies the arguments into the program's heap.
    fn fill(&mut self) -> api::Result<()> {
        let (words, bytes) = (self.to.words.len(), self.to.bytes.len());
        match &mut self.buffers {
            Some(buffers) => {
                if buffers.words_room < words {
                    buffers.words_room = words.next_power_of_two();
                    buffers.words = room(&mut self.store, &self.types.words, buffers.words_room / 8)?;
                }
                if buffers.bytes_room < bytes {
                    buffers.bytes_room = bytes.next_power_of_two();
                    buffers.bytes = room(&mut self.store, &self.types.bytes, buffers.bytes_room)?;
                }
            }
            None => {
                let (words_room, bytes_room) = (words.next_power_of_two().max(512), bytes.next_power_of_two().max(512));
                self.buffers = Some(Buffers {
                    words: room(&mut self.store, &self.types.words, words_room / 8)?,
                    words_room,
                    bytes: room(&mut self.store, &self.types.bytes, bytes_room)?,
                    bytes_room,
                });
            }
        }
        let Some(buffers) = &self.buffers else { return Ok(()) };
        let parts =
            [(&buffers.words, &self.types.words, &self.to.words), (&buffers.bytes, &self.types.bytes, &self.to.bytes)];
        for (buffer, ty, from) in parts.into_iter().filter(|(_, _, from)| !from.is_empty()) {
            let room = buffer.bytes_mut_as(&mut self.store, ty)?.get_mut(..from.len());
            room.ok_or_else(|| api::Error::Bounds("a buffer".into()))?.copy_from_slice(from);
        }
        Ok(())
    }

    /// The host values for these needs, in their order.
    fn handles(&mut self, needs: &[Need]) -> Result<Vec<Val>> {
        let missing = self.grants.missing(needs);
        if !missing.is_empty() {
            return Err(Error::NotGranted(missing));
        }
        let mut handle = |need: &Need| {
            let known = self.handed.iter().find(|(other, _)| other == need).map(|(_, value)| value.clone());
            let value = match known {
                Some(value) => value,
                None => {
                    let value = self.host_value(need)?;
                    self.handed.push((need.clone(), value.clone()));
                    value
                }
            };
            Ok(Val::ExternRef(Some(ExternRef::of(value))))
        };
        needs.iter().map(&mut handle).collect()
    }

    fn host_value(&self, need: &Need) -> Result<HostValue> {
        if let Some(Grant::Object(object)) = self.grants.get(need) {
            return Ok(Arc::new(object.clone()));
        }
        let wanted = host::fold::Need { name: need.name.clone(), kind: need.kind.clone() };
        let made = self.store.data().state.capabilities(&self.granted, &[wanted]);
        let made = made.ok().and_then(|made| made.into_iter().next());
        made.ok_or_else(|| Error::NotGranted(vec![need.clone()]))
    }

    fn begin(&mut self) -> Result<Instant> {
        let now = Instant::now();
        if let Some(fuel) = self.limits.fuel {
            self.store.set_fuel(fuel).map_err(machine)?;
        }
        if let Some(deadline) = self.limits.deadline {
            self.store.set_deadline(now.checked_add(deadline));
        }
        Ok(now)
    }

    fn usage(&self, start: Instant) -> Usage {
        Usage {
            fuel: self.limits.fuel.map(|fuel| fuel.saturating_sub(self.store.get_fuel().unwrap_or(fuel))),
            memory: self.store.memory_used().1,
            output: self.limits.output.saturating_sub(self.store.data().state.output_left()),
            time: start.elapsed(),
        }
    }

    fn exceeded(&self, limit: Limit, allowed: u64, stack: Vec<trace::Frame>, start: Instant) -> Error {
        Error::Limit(Box::new(Exceeded { limit, allowed, stack, usage: self.usage(start) }))
    }

    /// How a run ended that did not simply return.
    fn explain(&self, error: api::Error, start: Instant) -> Error {
        let api::Error::Trap(trap) = error else { return machine(error) };
        let (mut stack, usage) = (trace::frames(&trap, &|_| Some(&self.module)).0, self.usage(start));
        without_panic(&mut stack);
        let limits = &self.limits;
        let Trap { kind, source, .. } = *trap;
        let exceeded = |limit, allowed, stack| self.exceeded(limit, allowed, stack, start);
        match kind {
            TrapKind::OutOfFuel => exceeded(Limit::Fuel, limits.fuel.unwrap_or_default(), stack),
            TrapKind::Timeout => exceeded(Limit::Time, millis(limits.deadline), stack),
            TrapKind::OutOfMemory => exceeded(Limit::Memory, limits.memory, stack),
            TrapKind::StackExhausted => exceeded(Limit::Stack, limits.stack as u64, stack),
            TrapKind::OutputLimit => exceeded(Limit::Output, limits.output, stack),
            TrapKind::Interrupted => Error::Cancelled { stack, usage },
            TrapKind::Exit => {
                let message = source.map_or_else(String::new, |source| source.to_string());
                Error::Failed { message, usage }
            }
            TrapKind::Host => match source {
                Some(source) => match source.downcast::<HostError>() {
                    Ok(error) => match *error {
                        HostError::Panic(message) => Error::Panicked { message, stack, usage },
                        other => Error::Host { source: Arc::new(other), stack, usage },
                    },
                    Err(source) => Error::Host { source: source.into(), stack, usage },
                },
                None => Error::Machine(kind.to_string()),
            },
            // What the compiler leaves to the machine: division by zero, and what is out of range.
            other => Error::Panicked { message: other.to_string(), stack, usage },
        }
    }
}

/// Calls a function that takes capabilities too.
fn granted_call(store: &mut Store<Host>, func: Func, arguments: &[Val]) -> api::Result<Given> {
    let mut results = [Val::AnyRef(None), Val::I64(0), Val::AnyRef(None), Val::I64(0)];
    func.call(&mut *store, arguments, &mut results)?;
    let [words, word, bytes, byte] = results;
    match (words, word, bytes, byte) {
        (Val::AnyRef(words), Val::I64(word), Val::AnyRef(bytes), Val::I64(byte)) => {
            let array = |found: Option<api::AnyRef>| found.map(|found| found.to_array(&*store)).transpose();
            Ok([(array(words)?, word), (array(bytes)?, byte)])
        }
        _ => Err(api::Error::Type("a call gives other values than it should".into())),
    }
}

fn room(store: &mut Store<Host>, ty: &ArrayType, len: usize) -> api::Result<ArrayRef> {
    let len = u32::try_from(len).map_err(|_| api::Error::Trap(Box::new(Trap::new(TrapKind::OutOfMemory))))?;
    ArrayRef::new_default(store, ty, len)
}

/// What ends the program is not where it went wrong.
pub(crate) fn without_panic(stack: &mut Vec<trace::Frame>) {
    if stack.first().is_some_and(|frame| frame.function == "panic") {
        stack.remove(0);
    }
}

fn millis(duration: Option<Duration>) -> u64 {
    duration.map_or(0, |duration| duration.as_millis().try_into().unwrap_or(u64::MAX))
}

pub(crate) fn no_function(name: &str, why: String) -> Error {
    Error::NoFunction { name: name.to_owned(), why }
}

pub(crate) fn machine(error: api::Error) -> Error {
    Error::Machine(error.to_string())
}
