//! Programs in workers: a confined process for each time that something of a program is looked at or run.
//!
//! What a worker says is treated as hostile: an interface is parsed as anybody's text, a result read as anybody's words.

use std::any::Any;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use pinfold_sandbox::Layers;
use pinfold_vm::api::{Tier, TrapKind};
use pinfold_vm::host::fold::NEEDS;
use pinfold_vm::host::{self, Stdin};
use pinfold_vm::module::Bytes;

use super::capability::Object;
use super::compile::append;
use super::error::{Error, Exceeded, Limit, Result, Usage};
use super::grants::{Grant, Grants, Need};
use super::sections;
use super::spare::{ARGUMENTS, Made, PREPARING, Recipe, Spares};
use super::types::SECTION;
use super::vm::Limits;
use super::wire::{Reader, Writer};
use crate::answer::{Answer, Offer};
use crate::bundle::Bundle;
use crate::cache::{self, Cache, Maker, Place};
use crate::exchange::Calls;
use crate::job::{Call, EndKind, Ending, Fold, Insight, Job, Run, Task, TierName};
use crate::supervisor::{self, Answering, Bounds, Verdict, Wanted};
use crate::trace::Frame;
use crate::{exchange, policy};

/// How long compiling may take, and how much memory.
const COMPILE_TIME: Duration = Duration::from_secs(60);
const COMPILE_MEMORY: u64 = 4 << 30;
/// Bytes of what a worker answers that compiled a program: more than any program has that it would compile in its time, and little enough
/// that a worker which was taken over cannot make much of it here.
const ANSWER: u64 = 64 << 20;

/// Bytes of what a function of the host is given, and of what it gives.
pub(super) const CALL: u64 = 64 << 20;

/// What a call gives: words and bytes.
type Given = (Vec<u8>, Vec<u8>);

/// Where workers come from, and how they run programs.
#[derive(Clone)]
pub(crate) struct Workers {
    executable: Option<PathBuf>,
    tier: TierName,
    /// The module of the host's own capabilities, if it has any.
    host: Option<Arc<str>>,
    spares: Arc<Spares>,
    programs: Arc<AtomicU64>,
    /// Where what workers found out about programs is kept, if it is.
    cache: Option<Arc<Cache>>,
}

/// A program that only workers look into.
pub(crate) struct Sealed {
    bytes: Bytes,
    offer: Offer,
    /// That no other program of its machine has.
    number: u64,
    /// What tells it from others, once anything is kept of it.
    hash: OnceLock<[u8; 32]>,
}

impl Grants {
    /// What was granted for a need, if it is an object of the host's own.
    fn object(&self, need: &Need) -> Option<&Object> {
        if let Some(Grant::Object(object)) = self.get(need) { Some(object) } else { None }
    }

    /// Devices and inodes of the directories for these needs.
    fn identities(&self, needs: &[Need]) -> impl Iterator<Item = (u64, u64)> {
        needs.iter().filter_map(|need| match self.get(need) {
            Some(Grant::Dir(dir)) => Some(dir.identity),
            _ => None,
        })
    }
}

impl Sealed {
    pub fn module(&self) -> &[u8] {
        &self.bytes
    }

    /// The sections in which it says what it needs, and what it offers.
    pub fn offer(&self) -> (&str, &str) {
        (&self.offer.needs, &self.offer.interface)
    }
}

impl Workers {
    /// Workers from this executable, or where it is found by itself; as many of them are kept ready for calls as were made before.
    pub fn new(executable: Option<PathBuf>, tier: Tier, host: Option<Arc<str>>, spares: usize) -> Result<Self> {
        let (tier, spares) = (tier.into(), Arc::new(Spares::new(spares)));
        let (programs, cache) = Default::default();
        Ok(Self { executable, tier, host, spares, programs, cache })
    }

    /// Has them keep what they find out about programs, if there is somewhere.
    pub fn keeping(self, cache: Option<Arc<Cache>>) -> Self {
        Self { cache, ..self }
    }

    /// Where what is kept of a program has its place. Without the executable nothing has; that will be told by whoever starts it.
    fn place(&self, program: &Sealed, run: &Run) -> Option<(Arc<Cache>, Place)> {
        let cache = self.cache.clone()?;
        let maker = Maker::at(&supervisor::path_of_worker(self.executable.as_deref()).ok()?).ok()?;
        let hash = *program.hash.get_or_init(|| cache::program_hash(&program.bytes));
        Some((cache, Place::of_hash(program.bytes.len() as u64, hash, run, maker)))
    }

    /// Compiles a program; its first source is the one that it begins with.
    pub fn compile(&self, bundle: &Bundle) -> Result<Sealed> {
        let sources = bundle.sealed().map_err(|error| no_worker(&error))?;
        let plan = policy::plan(&host::Grants::none(), COMPILE_MEMORY, 0, Layers::all());
        let embed = Fold::Embed(self.host.as_deref().map(str::to_owned));
        let job = Job { plan: plan.map_err(|error| no_worker(&error))?, task: Task::Fold(embed) };
        let bounds = Bounds { timeout: Some(COMPILE_TIME), output: ANSWER };
        let worker = self.executable.clone();
        let wanted = Wanted { output: true, errors: true, worker, leaves_signals: true, ..Wanted::default() };
        let outcome = supervisor::observe(&job, &sources, &bounds, wanted).map_err(|error| no_worker(&error))?;
        let whole = matches!(&outcome.verdict, Verdict::Ended(ending) if ending.code == 0);
        let told = outcome.captured.as_deref().filter(|_| whole).and_then(Answer::read_all);
        let Some((answers, mut bytes)) = told else { return Err(strange(&outcome.verdict)) };
        let (mut findings, mut offer) = (Vec::new(), None);
        for answer in answers {
            match answer {
                Answer::Finding(finding) => findings.push(*finding),
                Answer::Offer(found) => offer = Some(found),
                _ => {}
            }
        }
        match offer {
            Some(offer) => {
                if let Some(host) = &self.host {
                    append(&mut bytes, sections::HOST, host.as_bytes());
                }
                self.seal(&bytes, offer)
            }
            None => Err(Error::Rejected(findings)),
        }
    }

    /// A program that was compiled before. What it needs and offers it says itself; the rest of it is for workers to look into.
    pub fn load(&self, bytes: Vec<u8>) -> Result<Sealed> {
        let text = |name| String::from_utf8_lossy(sections::find(&bytes, name).unwrap_or_default()).into_owned();
        self.seal(&bytes, Offer { needs: text(NEEDS), interface: text(SECTION) })
    }

    fn seal(&self, bytes: &[u8], offer: Offer) -> Result<Sealed> {
        let bytes = Bytes::sealed(bytes, u64::MAX).map_err(|error| no_worker(&error))?;
        let number = self.programs.fetch_add(1, Ordering::Relaxed);
        Ok(Sealed { bytes, offer, number, hash: OnceLock::new() })
    }

    /// Runs a program from its beginning to its end.
    pub fn run(
        &self,
        program: &Sealed,
        limits: &Limits,
        granted: (&Grants, &[Need]),
        cancel: Option<OwnedFd>,
    ) -> Result<Usage> {
        self.start(program, limits, granted, None, cancel).map(|(usage, _)| usage)
    }

    /// Calls a function; what it gives are words and bytes.
    pub fn call(
        &self,
        program: &Sealed,
        limits: &Limits,
        granted: (&Grants, &[Need]),
        call: (&str, &Writer),
        cancel: Option<OwnedFd>,
    ) -> Result<Given> {
        let called = self.start(program, limits, granted, Some(call), cancel)?;
        called.1.ok_or_else(|| Error::Worker("it gave no result".into()))
    }

    /// A worker that waited for such a call and was told to begin it. One that could not be told any more has not begun it, so another may.
    fn begun(&self, key: &(u64, Vec<u8>), to: Option<&Writer>) -> io::Result<Option<Made>> {
        while let Some(spare) = self.spares.take(key) {
            let mut spare = spare.given(to)?;
            let is_told = spare.started.begin();
            if matches!(is_told, Ok(true)) {
                return Ok(Some(spare));
            }
            drop(spare.started.end());
            is_told?;
        }
        Ok(None)
    }

    fn start(
        &self,
        program: &Sealed,
        limits: &Limits,
        (grants, needs): (&Grants, &[Need]),
        call: Option<(&str, &Writer)>,
        cancel: Option<OwnedFd>,
    ) -> Result<(Usage, Option<Given>)> {
        let missing = grants.missing(needs);
        if !missing.is_empty() {
            return Err(Error::NotGranted(missing));
        }
        let object = |(at, need): (usize, &Need)| Some((at, grants.object(need)?.clone()));
        let (own, objects): (Vec<usize>, Vec<Object>) = needs.iter().enumerate().filter_map(object).unzip();
        let mut granted = grants.of_machine(needs, limits.machine())?;
        let console = std::mem::take(&mut granted.console);
        // What is written otherwise, which only a worker that was taken over does, goes nowhere.
        let is_inherited = matches!(console, host::Console::Inherit);
        if !matches!(console, host::Console::Discard) || !matches!(granted.stdin, Stdin::Empty) {
            // Of the worker, that is: they are pipes to here.
            granted.console = host::Console::Inherit;
        }
        let plan = policy::plan(&granted, limits.memory, limits.stack as u64, Layers::all());
        let mut plan = plan.map_err(|error| Error::Grant(error.to_string()))?;
        if plan.directories.iter().map(|directory| directory.identity).ne(grants.identities(needs)) {
            return Err(Error::Grant("a directory is not the one that was granted".into()));
        }
        // Also of one that waits for its call, and is not looked at.
        let width = std::thread::available_parallelism().map_or(1, |width| width.get() as u32);
        plan.limits.cpu_time = limits.deadline.map(|deadline| deadline.saturating_add(PREPARING).saturating_mul(width));
        let mut run = Run {
            grants: granted,
            file: "program.wasm".into(),
            max_memory: limits.memory,
            max_stack: limits.stack as u64,
            fuel: limits.fuel,
            tier: self.tier,
            deterministic: false,
            invoke: None,
            invoke_args: Vec::new(),
            trap_unknown_imports: false,
            records: false,
            keeps: None,
            compiler: self.tier != TierName::Interpreter,
            insight: Insight::default(),
            image: None,
            ahead: false,
        };
        let keeps = self.place(program, &run);
        run.keeps = keeps.as_ref().map(|_| cache::LARGEST);
        // What a connection or our own input is for, only the call knows that it is made for.
        let is_pooled = run.grants.net.is_empty() && matches!(run.grants.stdin, Stdin::Empty);
        let needs = needs.iter().map(|need| (need.name.clone(), need.kind.clone())).collect();
        let function = call.map(|(function, _)| function.to_owned());
        let task = Task::Call(Call { run: Box::new(run), function, needs, own });
        let job = Job { plan, task };
        let key = serde_json::to_vec(&job).map_err(|error| no_worker(&error))?;
        let recipe = Recipe {
            key: (program.number, key),
            job,
            program: program.bytes.clone(),
            executable: self.executable.clone(),
            captures: !is_inherited,
            calls: !objects.is_empty(),
            output: limits.output,
            keeps,
        };
        let to = call.map(|(_, to)| to);
        let arguments = to.map_or(0, |to| (to.words.len() + to.bytes.len()) as u64);
        let start = Instant::now();
        let has_room = arguments <= ARGUMENTS;
        let spare = if is_pooled && has_room { self.begun(&recipe.key, to) } else { Ok(None) };
        let spare = spare.map_err(|error| no_worker(&error))?;
        let Made { mut started, exchange, calls } = match spare {
            Some(mut spare) => {
                spare.started.renew(limits.deadline, cancel);
                spare
            }
            None => {
                let made = recipe.make(arguments, limits.deadline, cancel).map_err(|error| no_worker(&error))?;
                made.given(to).map_err(|error| no_worker(&error))?
            }
        };
        let failure = Arc::default();
        if let Some(calls) = calls {
            started.answer(answering(calls, objects, Arc::clone(&failure)));
        }
        let mut outcome = started.finish().map_err(|error| no_worker(&error))?;
        if let (Some(parts), Some((cache, place))) = (outcome.kept.take(), &recipe.keeps) {
            // That it cannot be kept is a loss of time only.
            let _ = cache.put(place, cache::bounded(&parts));
        }
        if is_pooled {
            self.spares.order(recipe, Some(outcome.remains));
        }
        if let host::Console::Capture { stdout, stderr } = &console {
            for (buffer, written) in [(stdout, &outcome.captured), (stderr, &outcome.errors)] {
                let mut buffer = buffer.lock().unwrap_or_else(PoisonError::into_inner);
                buffer.extend_from_slice(written.as_deref().unwrap_or_default());
            }
        }
        let used = outcome.verdict.used();
        let usage = Usage {
            fuel: used.and_then(|used| used.fuel),
            memory: used.map_or(0, |used| used.guest_memory),
            output: outcome.output,
            time: start.elapsed(),
        };
        let failure = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        explain(outcome.verdict, failure, limits, usage)?;
        let result = to.map(|to| {
            let result = exchange::result(&exchange, (to.words.len(), to.bytes.len()), limits.output);
            result.map_err(|error| Error::Worker(format!("it gave no result: {error}")))
        });
        Ok((usage, result.transpose()?))
    }
}

impl Made {
    /// With its arguments, if there are any.
    fn given(self, to: Option<&Writer>) -> io::Result<Self> {
        match to.map_or(Ok(()), |to| exchange::put(&self.exchange, &to.words, &to.bytes)) {
            Ok(()) => Ok(self),
            Err(error) => {
                drop(self.started.end());
                Err(error)
            }
        }
    }
}

/// How a function of the host failed.
type Failed = Arc<dyn std::error::Error + Send + Sync>;

/// Calls functions of these objects, whose arguments a worker has written. How one failed is left in `failure`.
fn answering(mut calls: Calls, objects: Vec<Object>, failure: Arc<Mutex<Option<Failed>>>) -> Answering {
    let mut call = move |object: usize, function: i64| -> Result<(), Failed> {
        let failed = |error: io::Error| -> Failed { Arc::new(error) };
        let (words, bytes) = calls.arguments().map_err(failed)?;
        let object = objects.get(object).ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let (mut from, mut to) = (Reader::new(&words, &bytes), Writer::default());
        let called = catch_unwind(AssertUnwindSafe(|| object.call(function, &mut from, &mut to)));
        let panicked = |panic: Box<dyn Any + Send>| -> Failed {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            failed(io::Error::other(format!("the host function panicked: {text}")))
        };
        called.map_err(panicked)?.map_err(Failed::from)?;
        calls.give(&to.words, &to.bytes).map_err(failed)
    };
    Box::new(move |object, function| {
        let called = call(object, function);
        let given = called.is_ok();
        *failure.lock().unwrap_or_else(PoisonError::into_inner) = called.err();
        given
    })
}

/// How a run ended that did not simply return.
fn explain(verdict: Verdict, failure: Option<Failed>, limits: &Limits, usage: Usage) -> Result<()> {
    let exceeded = |limit, allowed, frames: &[String]| {
        Err(Error::Limit(Box::new(Exceeded { limit, allowed, stack: stack(frames), usage })))
    };
    let time = limits.deadline.map_or(0, |deadline| deadline.as_millis().try_into().unwrap_or(u64::MAX));
    let Ending { kind, code, message, frames, trap, .. } = match verdict {
        Verdict::Ended(ending) => ending,
        Verdict::Timeout { frames, .. } | Verdict::Cpu { frames, .. } => return exceeded(Limit::Time, time, &frames),
        Verdict::Memory { .. } => return exceeded(Limit::Memory, limits.memory, &[]),
        Verdict::Output { limit } => return exceeded(Limit::Output, limit, &[]),
        Verdict::Interrupted { .. } => return Err(Error::Cancelled { stack: Vec::new(), usage }),
        other => return Err(strange(&other)),
    };
    if let (EndKind::Trap, Some(source)) = (kind, failure) {
        return Err(Error::Host { source, stack: stack(&frames), usage });
    }
    let message = message.unwrap_or_default();
    let without = |prefix| message.strip_prefix(prefix).unwrap_or(&message).to_owned();
    match kind {
        EndKind::Exit if code == 0 => Ok(()),
        EndKind::Exit => Err(Error::Failed { message: without("error: "), usage }),
        EndKind::Fuel => exceeded(Limit::Fuel, limits.fuel.unwrap_or_default(), &frames),
        EndKind::Memory => exceeded(Limit::Memory, limits.memory, &frames),
        EndKind::Output => exceeded(Limit::Output, limits.output, &frames),
        EndKind::Timeout => exceeded(Limit::Time, time, &frames),
        EndKind::Trap if trap == Some(TrapKind::StackExhausted) => exceeded(Limit::Stack, limits.stack as u64, &frames),
        EndKind::Trap => {
            let message =
                message.strip_prefix("panic: ").map_or_else(|| without("the program trapped: "), str::to_owned);
            Err(Error::Panicked { message, stack: stack(&frames), usage })
        }
        EndKind::NotStarted | EndKind::NotAModule | EndKind::Refused => Err(Error::Worker(message)),
    }
}

fn stack(frames: &[String]) -> Vec<Frame> {
    let mut stack: Vec<Frame> = frames.iter().map(|frame| Frame::read(frame)).collect();
    super::guest::without_panic(&mut stack);
    stack
}

fn no_worker(error: &dyn std::fmt::Display) -> Error {
    Error::Worker(error.to_string())
}

/// An end that a program by itself does not come to.
fn strange(verdict: &Verdict) -> Error {
    Error::Worker(match verdict {
        Verdict::Violation(violation) => format!("it was ended at a system call that nobody granted: {violation:?}"),
        Verdict::Crash { exit } => format!("it ended without a word: {exit:?}"),
        Verdict::Ended(ending) => ending.message.clone().unwrap_or_else(|| format!("{:?}", ending.kind)),
        other => format!("{other:?}"),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::super::capability::Capability;
    use super::*;

    #[test]
    fn what_a_worker_says_of_a_call_is_an_answer_or_a_failure() {
        let adder = Capability::new("Adder").method("add", ["a", "b"], |_: &(), a: i64, b: i64| a.wrapping_add(b));
        let Grant::Object(object) = Grant::from(adder.with(())) else { panic!("it is an object") };
        let (calls, theirs) = Calls::new(CALL).unwrap();
        let failure = Arc::default();
        let mut answer = answering(calls, vec![object], Arc::clone(&failure));
        let words = |words: [u64; 2]| words.map(u64::to_le_bytes).concat();
        // Nothing was written: two zeroes, that is, and no words behind them.
        assert!(!answer(0, 0));
        theirs.write_all_at(&words([16, 0]), 0).unwrap();
        theirs.write_all_at(&words([3, 4]), 16).unwrap();
        for (object, function) in [(1, 0), (usize::MAX, 0), (0, 1), (0, -1), (0, i64::MAX)] {
            assert!(!answer(object, function), "{object} {function}");
            assert!(failure.lock().unwrap().take().is_some());
        }
        assert!(answer(0, 0));
        assert_eq!(exchange::read(&mut &theirs, 100).unwrap().0, 7_u64.to_le_bytes());
        // The next one stands behind what was given.
        for lengths in [[u64::MAX, 1], [CALL, CALL], [8, 0]] {
            theirs.write_all_at(&words(lengths), 24).unwrap();
            assert!(!answer(0, 0), "{lengths:?}");
        }
    }
}
