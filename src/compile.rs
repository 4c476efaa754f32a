//! `pinfold compile`: compiles all of a program before it runs, in workers as ever, and keeps that for its runs.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pinfold::cache::{self, Cache, Hasher, Maker, Place};
use pinfold::job::{Insight, Job, Note, Run, Task, TierName};
use pinfold::precompiled::{self, Precompiled};
use pinfold::supervisor::{self, Bounds, Keeping, Outcome, Recording, Sink, Verdict, Wanted};
use pinfold::{bundle, exit, policy};
use pinfold_sandbox::Layers;
use pinfold_vm::api::TierEvent;
use pinfold_vm::host::Grants;
use serde::Serialize;

use crate::ask::{self, MessageFormat};
use crate::run::args::{Bytes, seconds};
use crate::snapshot::mebibytes;
use crate::{output, report};

/// Compile all of a program ahead of time.
///
/// All functions are compiled, not only those that turn hot, and kept for `pinfold run` of the same program: see `pinfold cache`. With -o they go to a file
/// with the program, a WebAssembly module that brings its code. The program does not run, and is granted nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program, as `pinfold run` takes it.
    pub file: PathBuf,

    /// Write the program with its code to this file, instead of keeping the code. `pinfold run` takes the code from there if this user's
    /// Pinfold wrote it, or with --precompiled; otherwise it is a module like others.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Compile for runs with --fuel.
    #[arg(long)]
    pub fuel: bool,
    /// Compile for runs with --deterministic.
    #[arg(long)]
    pub deterministic: bool,
    /// How the result is told: `json` is an object.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub message_format: MessageFormat,

    /// Seconds that compiling may take; 0 for no deadline [default: 600].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Limits")]
    pub timeout: Option<f64>,
    /// Memory for compiling [default: 1GiB].
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub max_memory: Option<Bytes>,
}

/// The limits where nobody says otherwise.
const TIMEOUT: f64 = 600.0;
const MAX_MEMORY: u64 = 1 << 30;
/// How often it is shown how far it is.
const OFTEN: Duration = Duration::from_millis(100);

/// What a worker says that it did. It is not to be trusted, and nothing depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Done {
    /// Functions of the program.
    functions: u64,
    /// Functions that were compiled.
    compiled: u64,
    /// Those that the compiler did not take.
    refused: u64,
    /// Bytes of code.
    code_bytes: u64,
    /// Bytes of bodies: all, and those that were looked at.
    #[serde(skip)]
    bytes: [u64; 2],
}

/// As programs read it.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    done: Done,
    seconds: f64,
}

impl Done {
    fn note(&mut self, note: &Note) {
        let add = |to: &mut u64, more: u64| *to = to.saturating_add(more);
        match note {
            Note::Ahead { functions, bytes } => (self.functions, self.bytes[0]) = (*functions, *bytes),
            Note::Tier(TierEvent::Compiled { body, code, .. }) => {
                add(&mut self.compiled, 1);
                add(&mut self.code_bytes, *code);
                add(&mut self.bytes[1], *body);
            }
            Note::Tier(TierEvent::Refused { .. }) => add(&mut self.refused, 1),
            _ => {}
        }
    }

    /// How far it is, in percent.
    fn percent(&self) -> u64 {
        let [all, done] = self.bytes;
        (done.saturating_mul(100) / all.max(1)).min(100)
    }
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or written, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let program = match bundle::is_fold(&args.file) {
        true => ask::sources(&args.file)?,
        false => supervisor::read_program(&args.file, limit).map_err(|error| error.to_string())?,
    };
    let program = match Precompiled::find(&program) {
        // It is compiled anew.
        Some(earlier) => sealed(earlier.module(&program))?,
        None => program,
    };
    let cache = Cache::of_user().map_err(|error| error.to_string());
    let cache = match &args.output {
        // Without a mark it says whose it is to whoever runs it.
        Some(_) => cache.ok().flatten(),
        None => Some(cache?.ok_or("there is nowhere to keep it: PINFOLD_CACHE turns that off, or there is no home")?),
    };
    let job = job(args)?;
    let Task::Run(run) = &job.task else { return Ok(exit::CRASH) };
    let maker =
        supervisor::path_of_worker(None).and_then(|path| Maker::at(&path)).map_err(|error| error.to_string())?;
    let timeout = args.timeout.unwrap_or(TIMEOUT);
    let bounds = Bounds {
        timeout: (timeout > 0.0).then(|| Duration::try_from_secs_f64(timeout).unwrap_or(Duration::MAX)),
        output: 0,
    };
    let done = Arc::new(Mutex::new(Done::default()));
    let shows = args.message_format == MessageFormat::Text && io::stderr().is_terminal();
    let wanted = Wanted {
        recording: Some(Recording { sink: sink(done.clone(), shows), limit: u64::MAX }),
        keeping: Some(Keeping::of(cache::LARGEST, None).map_err(|error| error.to_string())?),
        compiles: true,
        ..Wanted::default()
    };
    let start = Instant::now();
    let outcome = supervisor::observe(&job, &program, &bounds, wanted).map_err(|error| error.to_string())?;
    let seconds = start.elapsed().as_secs_f64();
    if shows {
        erase();
    }
    let Outcome { verdict, kept, compiler_trouble, remains, .. } = outcome;
    remains.finish();
    if !matches!(&verdict, Verdict::Ended(ending) if ending.code == 0) {
        report::explain(&verdict, timeout);
        return Ok(match verdict.code() {
            0 => exit::CRASH,
            code => code,
        });
    }
    if let Some(trouble) = compiler_trouble {
        report::trouble(&trouble);
    }
    let done = *done.lock().unwrap_or_else(PoisonError::into_inner);
    let parts = kept.filter(|[_, (_, _, code)]| *code > 0 || done.compiled == 0);
    let Some(parts) = parts else { return Err("nothing was kept: there was no room for it, or no compiler".into()) };
    let unkept = |error: io::Error| {
        let path = cache.as_ref().map(|cache| cache.path().display().to_string());
        format!("it cannot be kept in {}: {error}", path.unwrap_or_default())
    };
    match (&args.output, &cache) {
        (Some(output), cache) => {
            let whole = write(&program, cache::bounded(&parts), run, maker, limit)?;
            output::write_whole(output, &whole)?;
            if let Some(cache) = cache {
                let place = Place::of(whole.len() as u64, run, maker);
                place.find(Hasher::of(&whole));
                cache.mark(&place).map_err(unkept)?;
            }
        }
        (None, Some(cache)) => {
            let place = Place::of(program.len() as u64, run, maker);
            place.find(Hasher::of(&program));
            cache.put(&place, cache::bounded(&parts)).map_err(unkept)?;
        }
        (None, None) => return Ok(exit::CRASH),
    }
    match args.message_format {
        MessageFormat::Json => ask::print_json(&Told { done, seconds }),
        MessageFormat::Text => tell(args, &done, seconds),
    }
    Ok(exit::SUCCESS)
}

/// What a worker is to do: nothing that the program could have a part in.
fn job(args: &Args) -> Result<Job, String> {
    let max_memory = args.max_memory.map_or(MAX_MEMORY, |bytes| bytes.0);
    let plan = policy::plan(&Grants::none(), max_memory, 0, Layers::all()).map_err(|error| error.to_string())?;
    let run = Run {
        grants: Grants::none(),
        file: args.file.clone(),
        max_memory,
        max_stack: 0,
        fuel: args.fuel.then_some(0),
        tier: TierName::Auto,
        deterministic: args.deterministic,
        invoke: None,
        invoke_args: Vec::new(),
        trap_unknown_imports: false,
        records: false,
        keeps: Some(cache::LARGEST),
        compiler: true,
        insight: Insight { tiers: true, profile: None },
        image: None,
        ahead: true,
    };
    Ok(Job { plan, task: Task::Run(Box::new(run)) })
}

/// The program with what a worker and its compiler left of it.
fn write(
    program: &[u8],
    parts: [(&File, u64, u64); 2],
    run: &Run,
    maker: Maker,
    limit: u64,
) -> Result<pinfold_vm::module::Bytes, String> {
    let read = |(mut file, start, length): (&File, u64, u64)| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let [facts, code] = parts.map(read);
    let [facts, code] = [facts, code].map(|bytes| bytes.map_err(|error| error.to_string()));
    let whole = precompiled::assemble(program, [&facts?, &code?], run, maker);
    let whole = whole.ok_or("what the worker left is not what was asked for")?;
    if whole.len() as u64 > limit {
        return Err(format!("with its code it is larger than the {limit} bytes that a module may have"));
    }
    sealed(&whole)
}

fn sealed(bytes: &[u8]) -> Result<pinfold_vm::module::Bytes, String> {
    pinfold_vm::module::Bytes::sealed(bytes, u64::MAX).map_err(|error| error.to_string())
}

/// Counts what was done, and shows how far it is.
fn sink(done: Arc<Mutex<Done>>, shows: bool) -> Sink {
    let mut shown = Instant::now();
    Box::new(move |note| {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.note(note);
        if shows && shown.elapsed() >= OFTEN {
            shown = Instant::now();
            // Nobody may be there to see it.
            let _ = write!(io::stderr(), "\rcompiling: {} %, {} functions", done.percent(), done.compiled);
        }
        Ok(0)
    })
}

/// Takes away how far it was.
fn erase() {
    let _ = write!(io::stderr(), "\r\x1b[K");
}

/// Says what was done.
fn tell(args: &Args, done: &Done, seconds: f64) {
    let Done { functions, compiled, code_bytes, .. } = done;
    let code = mebibytes(*code_bytes);
    eprintln!("{}: {compiled} of {functions} functions compiled, {code} of code, {seconds:.2} s", args.file.display());
    let left = functions.saturating_sub(*compiled);
    if left > 0 {
        eprintln!("{left} stay in the interpreter until they turn hot: they, or all together, are too large.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_worker_says_can_be_told() {
        let mut done = Done::default();
        assert_eq!(done.percent(), 0);
        let function = pinfold_vm::api::Named { index: 0, name: None };
        let compiled = |body, code| {
            let function = function.clone();
            Note::Tier(TierEvent::Compiled { function, number: None, body, code, micros: 0, together: 1 })
        };
        done.note(&Note::Ahead { functions: 3, bytes: 200 });
        done.note(&compiled(50, 70));
        assert_eq!((done.percent(), done.compiled, done.code_bytes), (25, 1, 70));
        done.note(&compiled(u64::MAX, u64::MAX));
        done.note(&compiled(u64::MAX, u64::MAX));
        assert_eq!((done.percent(), done.compiled, done.code_bytes), (100, 3, u64::MAX));
        tell(&Args::for_tests(), &done, 0.5);
    }

    impl Args {
        fn for_tests() -> Self {
            use clap::Parser;
            #[derive(Parser)]
            struct Only {
                #[command(flatten)]
                args: Args,
            }
            Only::parse_from(["compile", "a.wasm"]).args
        }
    }
}
