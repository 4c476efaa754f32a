//! Compiled programs, and calling them.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use pinfold_vm::api::{InterruptHandle, Module};
use pinfold_vm::host::fold::NEEDS;

use super::confined::{Sealed, Workers};
use super::convert::{Arguments, FromFold};
use super::error::{Error, Result, Usage};
use super::grants::{Grants, Need};
use super::guest::{Guest, Parts, no_function};
use super::types::{Interface, SECTION, Signature};
use super::vm::{Inner, Limits};
use super::wire::{Reader, Writer};

/// Instances that are kept for later calls.
const KEPT: usize = 16;

/// A program in Fold, compiled. Cheap to clone, and to be used on any thread.
#[derive(Clone)]
pub struct Program {
    vm: Arc<Inner>,
    code: Arc<Code>,
    limits: Limits,
    /// Each of which ends it.
    cancels: Vec<Cancel>,
    /// Instances without grants, for calls.
    #[expect(clippy::vec_box, reason = "they go from hand to hand")]
    pool: Arc<Mutex<Vec<Box<Guest>>>>,
}

struct Code {
    form: Form,
    needs: Vec<Need>,
    interface: Interface,
}

/// Where its code is.
enum Form {
    /// In this process.
    Module(Module),
    /// For workers.
    Sealed(Workers, Sealed),
}

/// What a call is made in.
enum Place {
    /// An instance in this process.
    Guest(Box<Guest>),
    /// A worker each time, which is granted this.
    Worker(Grants),
}

impl Program {
    pub(super) fn new(vm: Arc<Inner>, module: Module) -> Result<Self> {
        let needs = module.custom_section(NEEDS).map(<[u8]>::to_vec);
        let interface = module.custom_section(SECTION).map(<[u8]>::to_vec);
        Self::of(vm, Form::Module(module), &needs.unwrap_or_default(), &interface.unwrap_or_default())
    }

    /// One that runs in workers.
    pub(super) fn sealed(vm: Arc<Inner>, workers: Workers, sealed: Sealed) -> Result<Self> {
        let (needs, interface) = sealed.offer();
        let (needs, interface) = (needs.as_bytes().to_vec(), interface.as_bytes().to_vec());
        Self::of(vm, Form::Sealed(workers, sealed), &needs, &interface)
    }

    fn of(vm: Arc<Inner>, form: Form, needs: &[u8], interface: &[u8]) -> Result<Self> {
        let malformed = || Error::Machine("the program does not say what it offers".into());
        let needs = pinfold_vm::host::fold::Need::parse(needs).ok_or_else(malformed)?;
        let needs = needs.into_iter().map(|need| Need { name: need.name, kind: need.kind }).collect();
        let interface = Interface::parse(interface).ok_or_else(malformed)?;
        let (limits, pool) = (vm.limits, Arc::default());
        Ok(Self { vm, code: Arc::new(Code { form, needs, interface }), limits, cancels: Vec::new(), pool })
    }

    /// What its `main` is handed, in order: names and kinds of capabilities.
    pub fn needs(&self) -> &[Need] {
        &self.code.needs
    }

    /// What it was compiled to, for [`Vm::load`](crate::Vm::load): a WebAssembly module.
    pub fn module(&self) -> &[u8] {
        match &self.code.form {
            Form::Module(module) => module.inner().bytes(),
            Form::Sealed(_, sealed) => sealed.module(),
        }
    }

    /// The functions that can be called, as they are declared.
    pub fn functions(&self) -> Vec<String> {
        self.code.interface.functions().map(|function| self.code.interface.show(function)).collect()
    }

    /// The same program with other limits. Whether fuel is counted is the [`Vm`](crate::Vm)'s to say.
    #[must_use]
    pub fn with_limits(&self, limit: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = self.limits;
        limit(&mut limits);
        if self.vm.limits.fuel.is_none() {
            limits.fuel = None;
        }
        Self { limits, pool: Arc::default(), ..self.clone() }
    }

    /// The same program, which ends when this is cancelled, too.
    #[must_use]
    pub fn with_cancel(&self, cancel: &Cancel) -> Self {
        let mut same = self.clone();
        same.cancels.push(cancel.clone());
        same
    }

    /// Runs it from its beginning to its end: `main`, or the script's statements.
    ///
    /// # Errors
    /// If something that it needs is not granted, or it ends otherwise than by reaching its end.
    pub fn run(&self, grants: Grants) -> Result<Usage> {
        self.session(grants)?.run()
    }

    /// Calls a public function. Nothing is granted: for functions that take capabilities, see [`session`](Self::session).
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// # fn main() -> Result<(), pinfold::Error> {
    /// let vm = pinfold::Vm::new()?;
    /// let program = vm.compile("words.fold", r#"
    ///     pub fn count(text: String) -> Map<String, Int> {
    ///         var counts: Map<String, Int> = [:]
    ///         for word in text.split(" ") { counts[word] = counts.get(word).or(0) + 1 }
    ///         counts
    ///     }
    /// "#)?;
    /// let counts: BTreeMap<String, u32> = program.call("count", ("a rose is a rose",))?;
    /// assert_eq!(counts["rose"], 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no such function, its types are others, or it does not return.
    pub fn call<T: FromFold>(&self, name: &str, arguments: impl Arguments) -> Result<T> {
        let function = self.function(name)?;
        let kept = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut place = match kept {
            Some(guest) => Place::Guest(guest),
            None => self.place(Grants::none())?,
        };
        let result = self.call_in(&mut place, function, arguments)?;
        // One that was ended is not used again, nor one that may still be asked to end.
        if let Place::Guest(mut guest) = place
            && !self.cancels.iter().any(Cancel::is_cancelled)
        {
            guest.shrink();
            let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
            if pool.len() < KEPT {
                pool.push(guest);
            }
        }
        Ok(result)
    }

    /// An instance that is granted something, for several calls.
    ///
    /// # Errors
    /// If what is granted cannot be opened.
    pub fn session(&self, grants: Grants) -> Result<Session> {
        let place = self.place(grants)?;
        Ok(Session { program: self.clone(), place })
    }

    fn place(&self, grants: Grants) -> Result<Place> {
        let Form::Module(module) = &self.code.form else { return Ok(Place::Worker(grants)) };
        let Inner { engine, linker, types, .. } = &*self.vm;
        let parts = Parts { engine, linker, module, types, limits: self.limits };
        let mut needs = self.code.needs.clone();
        for function in self.code.interface.functions() {
            needs.extend(function_needs(function));
        }
        needs.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.kind.cmp(&b.kind)));
        needs.dedup();
        Guest::new(&parts, &grants, &needs).map(|guest| Place::Guest(Box::new(guest)))
    }

    fn function(&self, name: &str) -> Result<&Signature> {
        let interface = &self.code.interface;
        interface.function(name).ok_or_else(|| {
            let why = match interface.kept(name) {
                Some(why) => why.to_owned(),
                None => {
                    let names: Vec<&str> = interface.functions().map(|function| function.name.as_str()).collect();
                    match names.is_empty() {
                        true => "the program has no public functions".into(),
                        false => format!("those of the program are {}", names.join(", ")),
                    }
                }
            };
            no_function(name, why)
        })
    }

    fn call_in<T: FromFold>(&self, place: &mut Place, function: &Signature, arguments: impl Arguments) -> Result<T> {
        let interface = &self.code.interface;
        let of_type = |mismatch| Error::Type { function: function.name.clone(), mismatch };
        let needs: Vec<Need> = function_needs(function).collect();
        let result = interface.result(function);
        let read = |from: &mut Reader<'_>| T::from_fold(result, from).map_err(of_type);
        match (place, &self.code.form) {
            (Place::Guest(guest), _) => {
                guest.to.clear();
                arguments.put(interface.params(function), &mut guest.to).map_err(of_type)?;
                self.watched(guest, |guest| guest.call(function, &needs, read))
            }
            (Place::Worker(grants), Form::Sealed(workers, sealed)) => {
                let mut to = Writer::default();
                arguments.put(interface.params(function), &mut to).map_err(of_type)?;
                let call = (function.name.as_str(), &to);
                let given =
                    self.watched_worker(|cancel| workers.call(sealed, &self.limits, (grants, &needs), call, cancel))?;
                read(&mut Reader::new(&given.0, &given.1))
            }
            (Place::Worker(_), Form::Module(_)) => Err(Error::Machine("the program is not for workers".into())),
        }
    }

    fn run_in(&self, place: &mut Place) -> Result<Usage> {
        let needs = &self.code.needs;
        match (place, &self.code.form) {
            (Place::Guest(guest), _) => self.watched(guest, |guest| guest.run("main", needs)),
            (Place::Worker(grants), Form::Sealed(workers, sealed)) => {
                self.watched_worker(|cancel| workers.run(sealed, &self.limits, (grants, needs), cancel))
            }
            (Place::Worker(_), Form::Module(_)) => Err(Error::Machine("the program is not for workers".into())),
        }
    }

    /// Runs something that can be cancelled meanwhile.
    fn watched<T>(&self, guest: &mut Guest, run: impl FnOnce(&mut Guest) -> Result<T>) -> Result<T> {
        let enter = |cancel: &Cancel| cancel.enter(Running::Guest(guest.interrupt_handle()));
        let numbers: Vec<u64> = self.cancels.iter().map(enter).collect();
        let result = run(guest);
        self.leave(&numbers);
        result
    }

    fn leave(&self, numbers: &[u64]) {
        self.cancels.iter().zip(numbers).for_each(|(cancel, number)| cancel.leave(*number));
    }

    /// The same in a worker, whose supervisor ends it when the descriptor can be read.
    fn watched_worker<T>(&self, run: impl FnOnce(Option<OwnedFd>) -> Result<T>) -> Result<T> {
        if self.cancels.is_empty() {
            return run(None);
        }
        let fail = |error: io::Error| Error::Worker(error.to_string());
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|error| fail(error.into()))?;
        let events = self.cancels.iter().map(|_| event.try_clone()).collect::<io::Result<Vec<_>>>().map_err(fail)?;
        let enter = |(cancel, event): (&Cancel, OwnedFd)| cancel.enter(Running::Worker(event));
        let numbers: Vec<u64> = self.cancels.iter().zip(events).map(enter).collect();
        let result = run(Some(event));
        self.leave(&numbers);
        result
    }
}

fn function_needs(function: &Signature) -> impl Iterator<Item = Need> + '_ {
    function.needs.iter().map(|(name, kind)| Need { name: name.clone(), kind: kind.clone() })
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("needs", &self.needs()).field("functions", &self.functions()).finish()
    }
}

/// A program with what it was granted, of which several functions can be called. Where programs run in workers, each call has one of its own.
///
/// ```
/// use pinfold::{Console, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::new()?;
/// let plugin = vm.compile("plugin.fold", r#"
///     pub fn on_save(log: Console, path: String) -> Bool {
///         log.print("saved {path}")
///         path.ends_with(".txt")
///     }
/// "#)?;
/// let log = Console::capture();
/// let mut session = plugin.session(grants! { log: log.clone() })?;
/// assert!(session.call::<bool>("on_save", ("notes.txt",))?);
/// assert!(!session.call::<bool>("on_save", ("notes.bin",))?);
/// assert_eq!(log.text(), "saved notes.txt\nsaved notes.bin\n");
/// # Ok(())
/// # }
/// ```
pub struct Session {
    program: Program,
    place: Place,
}

impl Session {
    /// Calls a public function; what it takes of capabilities is found among the grants by its parameters' names.
    ///
    /// # Errors
    /// As [`Program::call`], and if a capability was not granted.
    pub fn call<T: FromFold>(&mut self, name: &str, arguments: impl Arguments) -> Result<T> {
        let function = self.program.function(name)?;
        self.program.call_in(&mut self.place, function, arguments)
    }

    /// Does something with the session that ends when this is cancelled, too.
    pub fn with_cancel<R>(&mut self, cancel: &Cancel, act: impl FnOnce(&mut Self) -> R) -> R {
        self.program.cancels.push(cancel.clone());
        let result = act(self);
        self.program.cancels.pop();
        result
    }

    /// Runs `main`, or the script's statements.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn run(&mut self) -> Result<Usage> {
        self.program.run_in(&mut self.place)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("program", &self.program).finish_non_exhaustive()
    }
}

/// Ends programs from another thread: all that run with it, and those that are run with it later.
///
/// ```
/// use std::time::Duration;
/// use pinfold::{Cancel, Error, Vm};
///
/// # fn main() -> Result<(), Error> {
/// let vm = Vm::builder().fuel(None).build()?;
/// let program = vm.compile("endless.fold", "pub fn endless() -> Int { var n = 0\n while true { n = n ^ 1 }\n n }")?;
/// let cancel = Cancel::new();
/// let other = cancel.clone();
/// std::thread::spawn(move || {
///     std::thread::sleep(Duration::from_millis(20));
///     other.cancel();
/// });
/// let ended = program.with_cancel(&cancel).call::<i64>("endless", ());
/// assert!(matches!(ended, Err(Error::Cancelled { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_cancelled: bool,
    next: u64,
    programs: Vec<(u64, Running)>,
}

/// By what something that runs is ended.
#[derive(Debug)]
enum Running {
    Guest(InterruptHandle),
    Worker(OwnedFd),
}

impl Running {
    fn end(&self) {
        match self {
            Self::Guest(guest) => guest.interrupt(),
            // It is written once, so there is room.
            Self::Worker(event) => drop(rustix::io::write(event, &1_u64.to_ne_bytes())),
        }
    }
}

impl Cancel {
    /// One by which nothing is cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends what runs, and what is to run with it.
    pub fn cancel(&self) {
        let mut state = self.lock();
        state.is_cancelled = true;
        state.programs.iter().for_each(|(_, program)| program.end());
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.lock().is_cancelled
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, program: Running) -> u64 {
        let mut state = self.lock();
        if state.is_cancelled {
            program.end();
        }
        let number = state.next;
        state.next += 1;
        state.programs.push((number, program));
        number
    }

    /// What has ended is not interrupted any more.
    fn leave(&self, number: u64) {
        self.lock().programs.retain(|(other, _)| *other != number);
    }
}
