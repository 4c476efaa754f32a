//! `pinfold inspect`: gives a module to a worker, which has nothing, to be shown without being run.

use std::path::PathBuf;
use std::time::Duration;

use pinfold::answer::Answer;
use pinfold::job::{Fold, Inspect, Job, Stage, Task, View};
use pinfold::policy::PolicyError;
use pinfold::supervisor::{self, Bounds, Outcome, SupervisorError, Verdict, Wanted};
use pinfold::{exit, policy};
use pinfold_sandbox::Layers;
use pinfold_vm::host::Grants;

use crate::ask::{self, Findings, MessageFormat};
use crate::report;

/// Show what a module is made of and what it would need to run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The module, in the binary or the text format; `-` reads standard input.
    pub file: PathBuf,

    /// Print as JSON.
    #[arg(long, group = "view")]
    pub json: bool,

    /// Of a Fold program: show what a phase of the compiler makes of it.
    #[arg(long, group = "view", value_enum)]
    pub stage: Option<Phase>,

    /// Disassemble a function, given by name or index, or all functions.
    #[arg(long, group = "view", value_name = "FN", num_args = 0..=1)]
    pub code: Option<Option<String>>,

    /// Show the interpreter's instructions for a function.
    #[arg(long, group = "view", value_name = "FN")]
    pub ir: Option<String>,

    /// Show what the compiler makes of a function at first: Cranelift's intermediate form.
    #[arg(long, group = "view", value_name = "FN")]
    pub clif: Option<String>,

    /// Show a function's machine code.
    #[arg(long, group = "view", value_name = "FN")]
    pub asm: Option<String>,
}

/// A phase of Fold's compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Phase {
    /// The syntax tree.
    Ast,
    /// The tree with types.
    Types,
    /// The compiler's own language.
    Ir,
    /// The bytecode.
    Wat,
}

/// How long looking at a module may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of memory for it.
const MEMORY: u64 = 4 << 30;
/// Bytes that may be shown.
const OUTPUT: u64 = 4 << 30;

/// Why a module could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The worker cannot be had, or the file not be read.
    #[error(transparent)]
    Worker(#[from] SupervisorError),
    /// The plan cannot be made.
    #[error(transparent)]
    Plan(#[from] PolicyError),
    /// The sources of a program cannot be had.
    #[error("{0}")]
    Sources(String),
}

/// Runs the command.
///
/// # Errors
/// If no worker can be had.
pub fn run(args: &Args) -> Result<u8, InspectError> {
    let stage = match args.stage {
        Some(Phase::Ast) => Some(Stage::Syntax),
        Some(Phase::Types) => Some(Stage::Types),
        Some(Phase::Ir) => Some(Stage::Ir),
        Some(Phase::Wat) | None => None,
    };
    if args.stage.is_some() {
        ask::file(&args.file).map_err(InspectError::Sources)?;
    }
    if let Some(stage) = stage {
        return show(args, stage).map_err(InspectError::Sources);
    }
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let plan = policy::plan(&Grants::none(), MEMORY, 0, Layers::all())?;
    let program = supervisor::read_program(&args.file, limit)?;
    let task = Task::Inspect(Inspect { file: args.file.clone(), view: args.view() });
    let bounds = Bounds { timeout: Some(TIMEOUT), output: OUTPUT };
    let Outcome { verdict, remains, .. } =
        supervisor::observe(&Job { plan, task }, &program, &bounds, Wanted::default())?;
    report::explain(&verdict, TIMEOUT.as_secs_f64());
    remains.leave(match verdict {
        Verdict::Ended(ending) if ending.code == 0 => exit::SUCCESS,
        Verdict::Ended(_) => exit::FAILURE,
        other if other.code() == 0 => exit::CRASH,
        other => other.code(),
    })
}

/// Shows what a phase of the compiler makes of a program.
fn show(args: &Args, stage: Stage) -> Result<u8, String> {
    let told = ask::ask(Fold::Show(stage), &ask::sources(&args.file)?, TIMEOUT)?;
    if !told.is_whole() {
        return Ok(told.explain(TIMEOUT));
    }
    let mut findings = Findings::new(MessageFormat::Text);
    for answer in &told.answers {
        match answer {
            Answer::Text(text) => ask::print(text),
            Answer::Finding(finding) => findings.print(finding),
            _ => {}
        }
    }
    findings.finish();
    Ok(if findings.has_errors() { exit::FAILURE } else { exit::SUCCESS })
}

impl Args {
    fn view(&self) -> View {
        match self {
            Self { code: Some(function), .. } => View::Code(function.clone()),
            Self { ir: Some(function), .. } => View::Ir(function.clone()),
            Self { clif: Some(function), .. } => View::Clif(function.clone()),
            Self { asm: Some(function), .. } => View::Asm(function.clone()),
            Self { json: true, .. } => View::Json,
            Self { stage: Some(_), .. } => View::Code(None),
            _ => View::Summary,
        }
    }
}
