//! Programs in workers: a confined process for each time that something of a program is looked at or run.
//!
//! What a worker says is treated as hostile: an interface is parsed as anybody's text, a result read as anybody's words.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pinfold_sandbox::Layers;
use pinfold_vm::api::TrapKind;
use pinfold_vm::host::{self, Stdin};
use pinfold_vm::module::Bytes;

use super::error::{Error, Exceeded, Limit, Result, Usage};
use super::grants::{Grants, Need};
use super::vm::Limits;
use super::wire::Writer;
use crate::answer::{Answer, Offer};
use crate::bundle::Bundle;
use crate::job::{Call, EndKind, Ending, Fold, Job, Run, Task, TierName};
use crate::supervisor::{self, Bounds, Outcome, Verdict, Wanted};
use crate::trace::Frame;
use crate::{exchange, policy};

/// How long compiling may take, and how much memory.
const COMPILE_TIME: Duration = Duration::from_secs(60);
const COMPILE_MEMORY: u64 = 4 << 30;
/// Bytes of an answer.
const ANSWER: u64 = 1 << 30;

/// What a call gives: words and bytes.
type Given = (Vec<u8>, Vec<u8>);

/// Where workers come from, and how they run programs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers {
    pub executable: Option<PathBuf>,
    pub tier: TierName,
}

/// A program that only workers look into.
pub(crate) struct Sealed {
    pub bytes: Bytes,
    pub offer: Offer,
}

impl Workers {
    /// Compiles a program; its first source is the one that it begins with.
    pub fn compile(&self, bundle: &Bundle) -> Result<Sealed> {
        let sources = bundle.sealed().map_err(|error| no_worker(&error))?;
        let plan = policy::plan(&host::Grants::none(), COMPILE_MEMORY, 0, Layers::all());
        let job = Job { plan: plan.map_err(|error| no_worker(&error))?, task: Task::Fold(Fold::Embed) };
        let bounds = Bounds { timeout: Some(COMPILE_TIME), output: ANSWER };
        let wanted = Wanted { output: true, ..self.wanted() };
        let outcome = observe(&job, &sources, &bounds, wanted)?;
        let whole = matches!(&outcome.verdict, Verdict::Ended(ending) if ending.code == 0);
        let told = outcome.captured.as_deref().filter(|_| whole).and_then(Answer::read_all);
        let Some((answers, bytes)) = told else { return Err(strange(&outcome.verdict)) };
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
                let bytes = Bytes::sealed(bytes.as_slice(), u64::MAX).map_err(|error| no_worker(&error))?;
                Ok(Sealed { bytes, offer })
            }
            None => Err(Error::Rejected(findings)),
        }
    }

    fn wanted(&self) -> Wanted {
        Wanted { worker: self.executable.clone(), ..Wanted::default() }
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
        if let Some(need) = needs.iter().find(|need| grants.is_own(need)) {
            return Err(Error::Grant(format!(
                "{need}: a capability of the host's own is granted to programs in its process only"
            )));
        }
        let mut granted = grants.of_machine(needs, limits.machine())?;
        let console = std::mem::take(&mut granted.console);
        let is_captured = matches!(console, host::Console::Capture { .. });
        if !matches!(console, host::Console::Discard) || !matches!(granted.stdin, Stdin::Empty) {
            // Of the worker, that is: they are pipes to here.
            granted.console = host::Console::Inherit;
        }
        let plan = policy::plan(&granted, limits.memory, limits.stack as u64, Layers::all());
        let plan = plan.map_err(|error| Error::Grant(error.to_string()))?;
        let run = Run {
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
        };
        let exchange = call.map(|(_, to)| exchange::new(&to.words, &to.bytes, limits.output)).transpose();
        let exchange = exchange.map_err(|error| no_worker(&error))?;
        let ours = exchange.as_ref().map(std::fs::File::try_clone).transpose().map_err(|error| no_worker(&error))?;
        let task = match call {
            Some((function, _)) => {
                let needs = needs.iter().map(|need| (need.name.clone(), need.kind.clone())).collect();
                Task::Call(Call { run: Box::new(run), function: function.to_owned(), needs })
            }
            None => Task::Run(Box::new(run)),
        };
        let bounds = Bounds { timeout: limits.deadline, output: limits.output };
        let wanted = Wanted { output: is_captured, errors: is_captured, exchange, cancel, ..self.wanted() };
        let start = Instant::now();
        let outcome = observe(&Job { plan, task }, &program.bytes, &bounds, wanted)?;
        if let host::Console::Capture { stdout, stderr } = &console {
            for (buffer, written) in [(stdout, &outcome.captured), (stderr, &outcome.errors)] {
                let mut buffer = buffer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
        explain(outcome.verdict, limits, usage)?;
        let result = ours.zip(call).map(|(mut file, (_, to))| {
            let result = exchange::result(&mut file, (to.words.len(), to.bytes.len()), limits.output);
            result.map_err(|error| Error::Worker(format!("it gave no result: {error}")))
        });
        Ok((usage, result.transpose()?))
    }
}

/// Runs a job on a thread of its own: it is left without the signals that a supervisor takes, and the worker ends if it does.
fn observe(job: &Job, program: &Bytes, bounds: &Bounds, wanted: Wanted) -> Result<Outcome> {
    let observe = move || {
        let outcome = supervisor::observe(job, program, bounds, wanted);
        outcome.map_err(|error| no_worker(&error))
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("pinfold-supervisor".into());
        let thread = thread.spawn_scoped(scope, observe).map_err(|error| no_worker(&error))?;
        thread.join().unwrap_or_else(|_| Err(Error::Worker("its supervisor failed".into())))
    })
}

/// How a run ended that did not simply return.
fn explain(verdict: Verdict, limits: &Limits, usage: Usage) -> Result<()> {
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
