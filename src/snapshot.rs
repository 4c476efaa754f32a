//! `pinfold snapshot`: runs a program until it asks for something that may be otherwise the next time, and writes it down.

use std::path::PathBuf;
use std::time::Duration;

use pinfold::answer::{Answer, Taken};
use pinfold::bundle;
use pinfold::job::{Insight, Job, Run, Snapshot, Task, TierName};
use pinfold::supervisor::{self, Bounds};
use pinfold::{exit, policy};
use pinfold_sandbox::Layers;
use pinfold_vm::host::{Console, DirGrant, Grants, Stdin};
use pinfold_vm::module::Escaped;

use crate::ask::{self, MessageFormat};
use crate::output;
use crate::run::args::{Bytes, seconds};

/// Write a program down that has begun, for runs that go on from there.
///
/// It runs until it calls its host for something that may be otherwise the next time: to read or write, to open a file, to learn the time. There it
/// is written down, and `pinfold run` goes on with that call. What it asked before it may have remembered: its arguments, its environment, and
/// which directories it has, not what is in them. No grant is in the snapshot.
#[derive(Debug, clap::Args)]
#[command(after_help = pinfold::exit::HELP)]
pub struct Args {
    /// The program, a WebAssembly module, binary or text; or a snapshot, to go on from there.
    pub file: PathBuf,
    /// Arguments of the program.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,

    /// The snapshot's file [default: the program's name with .pin].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Call this export, and take the snapshot when it returns; that is then of a program between calls, of which `pinfold run
    /// --invoke` calls others.
    #[arg(long, value_name = "FN")]
    pub after: Option<String>,
    /// Let the program read clocks meanwhile: what they said it may have remembered.
    #[arg(long)]
    pub with_clock: bool,
    /// Let the program draw random numbers meanwhile: all runs that go on have the same ones. The seeds of hash tables may be among
    /// them, and of keys.
    #[arg(long)]
    pub with_random: bool,
    /// How the result is told: `json` is an object.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub message_format: MessageFormat,

    /// Let the program find a directory, as `pinfold run` grants it; the runs that go on must be granted one of this name.
    #[arg(long, value_name = "[NAME=]HOST[::GUEST][:rw]", help_heading = "Grants")]
    pub dir: Vec<DirGrant>,
    /// Let the program find an environment variable: this value, or the one it has here.
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = "Grants")]
    pub env: Vec<String>,
    /// Let the program run although imports are unknown or not granted: calling one is a trap. So it must be for the runs that go on.
    #[arg(long, help_heading = "Grants")]
    pub trap_unknown_imports: bool,

    /// Seconds until the program is ended; 0 for no deadline [default: 60].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Limits")]
    pub timeout: Option<f64>,
    /// Memory of all kinds together [default: 1GiB].
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub max_memory: Option<Bytes>,
    /// Stack of the program [default: 8MiB].
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub max_stack: Option<Bytes>,
}

/// Bytes of memory beside the program's own: for its module, and for the snapshot that is written.
const MEMORY: u64 = 1 << 30;
/// Bytes of an answer.
const ANSWER: u64 = 1 << 29;

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or written, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    if bundle::is_fold(&args.file) {
        return Err(format!(
            "{}: programs in Fold keep their objects in the garbage-collected heap, which a snapshot cannot hold yet; they start quickly without",
            args.file.display()
        ));
    }
    let output = match &args.output {
        Some(output) => output.clone(),
        None if args.file.as_os_str() == "-" => return Err("say with -o where the snapshot is to be written".into()),
        None => args.file.with_extension("pin"),
    };
    let settings = crate::run::Settings::new(&crate::run::Args {
        file: args.file.clone(),
        args: args.args.clone(),
        dir: args.dir.clone(),
        env: args.env.clone(),
        timeout: args.timeout,
        max_memory: args.max_memory,
        max_stack: args.max_stack,
        ..crate::run::Args::default()
    })?;
    // Its streams are such that nothing of them can be known: they are none of ours.
    let grants =
        Grants { stdin: Stdin::Empty, console: Console::Discard, terminals: [false; 3], ..settings.grants.clone() };
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let program = supervisor::read_program(&args.file, limit).map_err(|error| error.to_string())?;
    let plan = policy::plan(&grants, settings.max_memory.saturating_add(MEMORY), settings.max_stack, Layers::all());
    let plan = plan.map_err(|error| error.to_string())?;
    let run = Run {
        grants,
        file: args.file.clone(),
        max_memory: settings.max_memory,
        max_stack: settings.max_stack,
        fuel: None,
        tier: TierName::Interpreter,
        deterministic: false,
        invoke: None,
        invoke_args: Vec::new(),
        trap_unknown_imports: args.trap_unknown_imports,
        records: false,
        keeps: None,
        compiler: false,
        insight: Insight::default(),
        image: None,
        ahead: false,
    };
    let snapshot = Snapshot { run, clock: args.with_clock, random: args.with_random, after: args.after.clone() };
    let job = Job { plan, task: Task::Snapshot(Box::new(snapshot)) };
    let bounds = Bounds { timeout: settings.deadline(), output: ANSWER };
    let told = ask::answered(&job, &program, &bounds)?;
    if !told.is_whole() {
        return Ok(told.explain(settings.deadline().unwrap_or(Duration::MAX)));
    }
    let taken = told.answers.into_iter().find_map(|answer| match answer {
        Answer::Taken(taken) => Some(taken),
        _ => None,
    });
    let Some(taken) = taken.filter(|_| told.bytes.starts_with(b"\0asm")) else { return Ok(exit::CRASH) };
    output::write_whole(&output, &told.bytes)?;
    match args.message_format {
        MessageFormat::Json => ask::print_json(&taken),
        MessageFormat::Text => tell(&taken, &output, told.bytes.len()),
    }
    Ok(exit::SUCCESS)
}

/// Says what was written, where the program stood, and what it remembers.
fn tell(taken: &Taken, output: &std::path::Path, bytes: usize) {
    let begun = &taken.begun;
    let (size, memory) = (mebibytes(bytes as u64), mebibytes(taken.memory));
    eprintln!("{}: {size} for {memory} of memory", output.display());
    match &begun.before {
        None => eprintln!("Taken between calls."),
        Some(call) => {
            eprintln!("Taken before the program calls {}:", Escaped(call));
            taken.frames.iter().for_each(|frame| eprintln!("  {}", Escaped(frame)));
            if taken.omitted > 0 {
                eprintln!("  … and {} more", taken.omitted);
            }
        }
    }
    let remembers: Vec<&str> = [
        (begun.arguments.is_some(), "its arguments"),
        (begun.environment.is_some(), "its environment"),
        (begun.directories.is_some(), "which directories it has"),
        (begun.clock, "the time"),
        (begun.random, "random numbers, the same for all runs"),
    ]
    .into_iter()
    .filter_map(|(is, what)| is.then_some(what))
    .collect();
    if !remembers.is_empty() {
        eprintln!("It has asked for {}.", remembers.join(", "));
    }
    let past = match begun.before.as_deref() {
        Some(call) if call.starts_with("clock_") => Some("--with-clock"),
        Some(call) if call.starts_with("random_") => Some("--with-random"),
        _ => None,
    };
    if let Some(flag) = past {
        eprintln!("{flag} goes on past that call.");
    }
}

/// So many bytes, for people.
pub fn mebibytes(bytes: u64) -> String {
    if bytes < 1 << 20 {
        format!("{} KiB", bytes.div_ceil(1 << 10))
    } else {
        format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
    }
}
