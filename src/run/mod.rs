//! `pinfold run`: gives a program to a worker with what was granted, and says how it ended.

pub mod args;
mod kept;
mod profile;
mod settings;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::scope;
use std::time::Instant;

use pinfold::bundle;
use pinfold::job::{Insight, Job, Run, Task, TierName};
use pinfold::profile::ROOM;
use pinfold::supervisor::{self, Bounds, Outcome, Profiling, Program, Recording, Started, SupervisorError, Wanted};
use pinfold::{exit, policy};
use pinfold_sandbox::SpawnError;

use crate::ask;
use crate::output::Output;
use crate::records::{Learned, Records, Tiers, learn};
use crate::report;
use crate::report::document::{self, Failure, Ran};
pub use args::Args;
use kept::{Copied, Kept};
use profile::Making;
pub use settings::Settings;

/// Bytes of records where nobody says otherwise.
const MAX_AUDIT: u64 = 256 << 20;

/// Runs a program and says how it ended.
pub fn run(args: &Args) -> u8 {
    recorded(args).unwrap_or_else(|message| {
        eprintln!("pinfold: {message}");
        exit::REFUSED
    })
}

/// Runs a program, and writes what is to be written of it.
fn recorded(args: &Args) -> Result<u8, String> {
    let open = |path: &Option<_>| path.as_deref().map(Output::open).transpose();
    let (mut report, audit, mut learn) = (open(&args.report)?, open(&args.audit)?, open(&args.learn)?);
    if let Some(report) = &mut report {
        // One of an earlier run is not to be taken for this one's.
        report.clear().map_err(|error| error.to_string())?;
    }
    let audit = audit.map(Output::into_file).transpose().map_err(|error| error.to_string())?;
    let (profile, tiers) = (open(&args.profile)?, tiers(args)?);
    let (making, profiling) = profile.map(cleared).transpose().map_err(|error| error.to_string())?.unzip();
    let settings = Settings::new(args);
    let learned = learn.is_some().then(|| Arc::new(Mutex::new(Learned::default())));
    let result = match &settings {
        Ok(settings) => {
            let grants = settings.grants.clone();
            let records = Records { grants, audit, trace: args.trace, learned: learned.clone(), tiers };
            attempt(args, settings, records, profiling)
        }
        Err(message) => Err(Failure { message: message.clone(), code: exit::REFUSED, is_program: false }),
    };
    let code = match &result {
        Ok(outcome) => outcome.verdict.code(),
        Err(failure) => {
            eprintln!("pinfold: {}", failure.message);
            failure.code
        }
    };
    let settings = settings.as_ref().ok();
    if let (Some(file), Some(path), Some(learned)) = (&mut learn, &args.learn, learned) {
        match (settings, &result) {
            (Some(settings), Ok(outcome)) if learn::is_credible(outcome) => {
                let learned = learned.lock().unwrap_or_else(PoisonError::into_inner);
                let policy = learned.policy(&args.file, settings, outcome, path);
                written("policy", file.replace(&policy));
            }
            _ => eprintln!("pinfold: no policy was learned: not all that the program asked for is known"),
        }
    }
    if let Some(file) = &mut report {
        let ran = Ran { program: &args.file, settings, layers: args.layers(), result: result.as_ref() };
        written("report", document::write(file, &ran));
    }
    if let Some(Err(why)) = making.filter(|_| result.is_ok()).map(Making::finish) {
        eprintln!("pinfold: there is no profile: {why}");
    }
    if let Ok(outcome) = result {
        outcome.remains.leave(code);
    }
    Ok(code)
}

/// Begins a profile. One of an earlier run is not to be taken for this one's.
fn cleared(mut file: Output) -> std::io::Result<(Making, Profiling)> {
    file.clear()?;
    Making::new(file)
}

/// Where what the tiers do goes, if anywhere.
fn tiers(args: &Args) -> Result<Option<Tiers>, String> {
    let file = |path: &PathBuf| Output::open(path)?.into_file().map(Tiers::Written).map_err(|error| error.to_string());
    args.trace_tiers.as_ref().map(|path| path.as_ref().map_or(Ok(Tiers::Shown), file)).transpose()
}

fn written(what: &str, result: std::io::Result<()>) {
    if let Err(error) = result {
        eprintln!("pinfold: the {what} cannot be written: {error}");
    }
}

fn attempt(
    args: &Args,
    settings: &Settings,
    records: Records,
    profiling: Option<Profiling>,
) -> Result<Outcome, Failure> {
    let fail = |message: String, code| Failure { message, code, is_program: code == exit::NOT_A_MODULE };
    let refused = |error: &dyn std::fmt::Display| fail(error.to_string(), exit::REFUSED);
    if args.unsafe_no_sandbox {
        eprintln!(
            "pinfold: warning: there is no sandbox; a program that breaks out of the virtual machine has all of your rights"
        );
    }
    let plan = settings.plan(args.layers()).map_err(|error| refused(&error))?;
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let start = Instant::now();
    let program = match bundle::is_fold(&args.file) {
        true => ask::sources_within(args.layers(), &args.file).map(Program::Whole),
        false => Program::open(&args.file, limit).map_err(|error| error.to_string()),
    };
    let program = program.map_err(|error| fail(error, exit::NOT_A_MODULE))?;
    let mut read = start.elapsed();
    let Settings { grants, max_memory, max_stack, .. } = settings;
    let bounds = Bounds { timeout: settings.deadline(), output: grants.output_limit };
    let mut run = Run {
        grants: grants.clone(),
        file: args.file.clone(),
        max_memory: *max_memory,
        max_stack: *max_stack,
        fuel: settings.fuel,
        tier: args.tier,
        deterministic: args.deterministic || args.seed.is_some(),
        invoke: args.invoke.clone(),
        invoke_args: args.args.clone(),
        trap_unknown_imports: settings.trap_unknown_imports,
        records: records.are_wanted(),
        keeps: None,
        compiler: args.tier != TierName::Interpreter,
        insight: Insight { tiers: records.tiers.is_some(), profile: profiling.as_ref().map(|_| ROOM) },
        image: program.image().map(|(_, start)| start),
        ahead: false,
    };
    let records_calls = run.records;
    let recording = records
        .is_anything_wanted()
        .then(|| Recording { sink: records.into_sink(), limit: args.max_audit.map_or(MAX_AUDIT, |bytes| bytes.0) });
    let (kept, keeping) = Kept::new(args, &program, &mut run).unzip();
    let compiles = args.tier == TierName::Jit || kept.as_ref().is_some_and(Kept::compiles);
    let usage = args.stats || args.report.is_some();
    let wanted = Wanted { usage, recording, keeping, compiles, profiling, ..Wanted::default() };
    let job = Job { plan, task: Task::Run(Box::new(run)) };
    let (copied, comes) = channel();
    let run = || {
        // With this it goes, so that nobody waits for a program that never comes.
        let copied = copied;
        let copy = || {
            let start = Instant::now();
            // Nobody waits for it where nothing is kept.
            let tell = |message| drop(copied.send(message));
            let bytes = program.finish(&args.file, |piece| tell(Copied::Piece(piece)));
            if let Ok(bytes) = &bytes {
                tell(Copied::All(bytes.clone()));
            }
            (bytes, start.elapsed())
        };
        let start = || Started::start_with(&job, &program, &bounds, wanted);
        let (started, (bytes, took)) = match &program {
            Program::Whole(_) => (start(), copy()),
            Program::Filling(_) => {
                supervisor::block_signals();
                scope(|scope| {
                    let copying = scope.spawn(copy);
                    (start(), copying.join().unwrap_or_else(|panic| resume_unwind(panic)))
                })
            }
        };
        read += took;
        let mut started = started?;
        match bytes {
            Ok(bytes) => {
                started.hold(bytes);
                // That it took long to be read is not the program's affair.
                started.renew(bounds.timeout, None);
                started.finish()
            }
            Err(error) => {
                started.end().finish();
                Err(error)
            }
        }
    };
    let outcome = match kept {
        Some(kept) => kept.during(comes, run),
        None => run(),
    };
    let mut outcome = outcome.map_err(|error| match error {
        SupervisorError::Program { .. } => fail(error.to_string(), exit::NOT_A_MODULE),
        SupervisorError::Spawn(SpawnError::Layer(layer)) => {
            fail(format!("{layer}\n  {}", policy::way_out(&layer)), exit::REFUSED)
        }
        error => refused(&error),
    })?;
    // Of what the tiers do there is no record that could be complete.
    outcome.recorded = outcome.recorded.filter(|_| records_calls);
    if args.stats {
        report::stats(&outcome, read);
    }
    if let Some(trouble) = &outcome.compiler_trouble {
        report::trouble(trouble);
    }
    report::explain(&outcome.verdict, settings.timeout);
    Ok(outcome)
}
