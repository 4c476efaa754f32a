//! `--report`: how a run ended, as a JSON document for programs. Its form is described in docs/records.md; what changes in it changes
//! the version.

use std::io;
use std::path::Path;

use pinfold::job::{self, EndKind, Ending, RefusedImport};
use pinfold::supervisor::{Outcome, Recorded, Unrecorded, Verdict};
use pinfold_sandbox::cgroup::Controller;
use pinfold_sandbox::notify::Violation;
use pinfold_sandbox::{Exit, Layer, Layers};
use pinfold_vm::api::TrapKind;
use serde::Serialize;

use crate::json;
use crate::output::Output;
use crate::run::Settings;

/// The form of the document.
const VERSION: u32 = 1;

/// A run, whether it came about or not.
pub struct Ran<'a> {
    /// The program's file.
    pub program: &'a Path,
    /// What it was given, if that much was settled.
    pub settings: Option<&'a Settings>,
    /// The walls that were asked for.
    pub layers: Layers,
    /// How it ended, or what there is to say of why it did not begin.
    pub result: Result<&'a Outcome, &'a Failure>,
}

/// Why a run did not come about.
#[derive(Debug)]
pub struct Failure {
    /// In words.
    pub message: String,
    /// The exit code.
    pub code: u8,
    /// Whether it is the program's file that is at fault.
    pub is_program: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    pinfold: &'static str,
    program: String,
    exit_code: u8,
    end: End<'a>,
    limits: Option<Limits>,
    used: Used,
    layers: Walls,
    records: Option<Records>,
}

/// How it ended. What does not belong to the kind is left out.
#[derive(Serialize, Default)]
struct End<'a> {
    kind: &'static str,
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trap: Option<TrapKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<Stack<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imports: Option<Imports<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syscall: Option<Syscall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
}

/// Numbers of 64 bits are texts: many readers of JSON round them.
#[derive(Serialize)]
struct Syscall<'a> {
    name: Option<&'a str>,
    number: i32,
    arguments: [String; 6],
    instruction: String,
}

impl<'a> Syscall<'a> {
    fn new(violation: &'a Violation) -> Self {
        let Violation { number, name, arguments, instruction, .. } = violation;
        let hex = |number: u64| format!("{number:#x}");
        Self { name: name.as_deref(), number: *number, arguments: arguments.map(hex), instruction: hex(*instruction) }
    }
}

#[derive(Serialize)]
struct Stack<'a> {
    frames: &'a [String],
    omitted: usize,
}

#[derive(Serialize)]
struct Imports<'a> {
    refused: &'a [RefusedImport],
    omitted: usize,
}

/// `null` is no limit.
#[derive(Serialize)]
struct Limits {
    wall_seconds: Option<f64>,
    memory_bytes: u64,
    stack_bytes: u64,
    output_bytes: u64,
    fuel: Option<u64>,
    descriptors: usize,
    processor_seconds: Option<f64>,
    processors: Option<f64>,
    processes: u64,
}

/// `null` is not known. Seen from outside, except for what `worker` tells.
#[derive(Serialize, Default)]
struct Used {
    wall_seconds: Option<f64>,
    processor_seconds: Option<f64>,
    output_bytes: Option<u64>,
    peak_memory_bytes: Option<u64>,
    worker: Option<Told>,
}

/// Told by the worker, and so not proof against one that was taken over.
#[derive(Serialize)]
struct Told {
    verify_seconds: f64,
    instantiate_seconds: f64,
    run_seconds: f64,
    guest_memory_bytes: u64,
    fuel: Option<u64>,
    loops_entered: u64,
    collections: Option<Collections>,
}

/// `null` without a garbage-collected heap.
#[derive(Serialize)]
struct Collections {
    nursery: Pauses,
    major: Pauses,
}

#[derive(Serialize)]
struct Pauses {
    number: u64,
    median_seconds: f64,
    p99_seconds: f64,
    longest_seconds: f64,
    total_seconds: f64,
}

impl Pauses {
    fn new(pauses: &job::Pauses) -> Self {
        Self {
            number: pauses.number,
            median_seconds: pauses.median,
            p99_seconds: pauses.p99,
            longest_seconds: pauses.longest,
            total_seconds: pauses.total,
        }
    }
}

/// Of the program's calls.
#[derive(Serialize)]
struct Records {
    calls: u64,
    complete: bool,
}

#[derive(Serialize)]
struct Groups {
    version: u32,
    controllers: Vec<&'static str>,
}

#[derive(Serialize)]
struct Walls {
    up: Vec<&'static str>,
    left_out: Vec<&'static str>,
    /// What held the limits beside those of the process; `null` where there was no such thing.
    cgroup: Option<Groups>,
}

/// Writes the report.
///
/// # Errors
/// Those of writing.
pub fn write(file: &mut Output, ran: &Ran<'_>) -> io::Result<()> {
    let text = json::document(&document(ran))? + "\n";
    file.replace(&text)
}

fn document<'a>(ran: &Ran<'a>) -> Document<'a> {
    let (exit_code, end, used) = match ran.result {
        Ok(outcome) => {
            let timeout = ran.settings.map_or(0.0, |settings| settings.timeout);
            (outcome.verdict.code(), end(&outcome.verdict, timeout), used(outcome))
        }
        Err(failure) => {
            let kind = if failure.is_program { "not_a_module" } else { "not_started" };
            (failure.code, End { kind, message: Some(failure.message.clone()), ..End::default() }, Used::default())
        }
    };
    let names = |are_up: bool| {
        Layer::ALL.iter().filter(|layer| ran.layers.has(**layer) == are_up).map(|layer| layer.name()).collect()
    };
    Document {
        version: VERSION,
        pinfold: env!("CARGO_PKG_VERSION"),
        program: ran.program.display().to_string(),
        exit_code,
        end,
        limits: ran.settings.map(limits),
        used,
        layers: Walls { up: names(true), left_out: names(false), cgroup: ran.result.ok().and_then(groups) },
        records: ran.result.ok().and_then(|outcome| outcome.recorded).map(records),
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        wall_seconds: (settings.timeout > 0.0).then_some(settings.timeout),
        memory_bytes: settings.max_memory,
        stack_bytes: settings.max_stack,
        output_bytes: settings.grants.output_limit,
        fuel: settings.fuel,
        descriptors: settings.grants.handle_limit,
        processor_seconds: settings.max_cpu,
        processors: settings.cpus,
        processes: settings.max_processes,
    }
}

fn groups(outcome: &Outcome) -> Option<Groups> {
    let cgroup = outcome.remains.cgroup()?;
    let controllers = Controller::ALL.iter().filter(|controller| cgroup.has(**controller)).map(|c| c.name()).collect();
    Some(Groups { version: cgroup.version().number(), controllers })
}

fn records(recorded: Recorded) -> Records {
    let Recorded { calls, complete } = recorded;
    Records { calls, complete }
}

fn used(outcome: &Outcome) -> Used {
    Used {
        wall_seconds: Some(outcome.wall.as_secs_f64()),
        processor_seconds: outcome.usage.map(|usage| usage.processor.as_secs_f64()),
        output_bytes: Some(outcome.output),
        peak_memory_bytes: outcome.usage.map(|usage| usage.peak_memory),
        worker: outcome.verdict.used().map(|used| Told {
            verify_seconds: used.verify,
            instantiate_seconds: used.instantiate,
            run_seconds: used.run,
            guest_memory_bytes: used.guest_memory,
            fuel: used.fuel,
            loops_entered: used.loops_entered,
            collections: used.collections.as_ref().map(|collections| Collections {
                nursery: Pauses::new(&collections.nursery),
                major: Pauses::new(&collections.major),
            }),
        }),
    }
}

fn end(verdict: &Verdict, timeout: f64) -> End<'_> {
    let end = End { kind: "", message: super::words(verdict, timeout), ..End::default() };
    let with_stack = |kind, end| {
        let (frames, omitted) = super::stack(verdict);
        End { kind, stack: Some(Stack { frames, omitted }), ..end }
    };
    match verdict {
        Verdict::Ended(ending) => ended(ending, end, with_stack),
        Verdict::Timeout { .. } => with_stack("timeout", end),
        Verdict::Cpu { .. } => with_stack("cpu", end),
        // The program's stack went with the worker.
        Verdict::Memory { .. } => End { kind: "memory", ..end },
        Verdict::Processes { .. } => End { kind: "processes", ..end },
        Verdict::Interrupted { signal } => End { kind: "interrupted", signal: Some(*signal), ..end },
        Verdict::Output { .. } => End { kind: "output", ..end },
        Verdict::Violation(violation) => End { kind: "violation", syscall: Some(Syscall::new(violation)), ..end },
        Verdict::Crash { exit: Exit::Signal(signal) } => End { kind: "crash", signal: Some(*signal), ..end },
        Verdict::Crash { exit: Exit::Code(code) } => End { kind: "crash", code: Some(*code), ..end },
        Verdict::Nonsense | Verdict::Unrecorded(Unrecorded::Nonsense) => End { kind: "nonsense", ..end },
        Verdict::Unrecorded(_) => End { kind: "unrecorded", ..end },
    }
}

fn ended<'a>(ending: &'a Ending, end: End<'a>, with_stack: impl Fn(&'static str, End<'a>) -> End<'a>) -> End<'a> {
    match ending.kind {
        EndKind::Exit => End { kind: "exit", code: Some(ending.code.into()), ..end },
        EndKind::NotStarted => End { kind: "not_started", ..end },
        EndKind::NotAModule => End { kind: "not_a_module", ..end },
        EndKind::Refused => {
            let imports = Imports { refused: &ending.refused, omitted: ending.more_refused };
            End { kind: "refused", imports: Some(imports), ..end }
        }
        EndKind::Trap => with_stack("trap", End { trap: ending.trap, ..end }),
        EndKind::Fuel => with_stack("fuel", end),
        EndKind::Memory => with_stack("memory", end),
        EndKind::Output => with_stack("output", end),
        EndKind::Timeout => with_stack("timeout", end),
    }
}
