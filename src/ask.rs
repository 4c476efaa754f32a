//! Asking a worker, which has nothing, about sources in Fold. What it answers is bounded, read as what it should be, and printed escaped.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinfold::answer::{Answer, Diagnostic, Finding, Severity};
use pinfold::bundle::{self, Bundle, Gathered, Source};
use pinfold::job::{Fold, Job, Task};
use pinfold::supervisor::{self, Bounds, Outcome, Verdict, Wanted};
use pinfold::{exit, policy};
use pinfold_sandbox::Layers;
use pinfold_vm::host::Grants;
use pinfold_vm::module::{Bytes, Printable};

use crate::{colour, json, report};

/// How long an answer may take.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of memory for it.
pub const MEMORY: u64 = 4 << 30;
/// Bytes that an answer may have.
const ANSWER: u64 = 1 << 30;

/// How messages look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// What a worker answered, and how it ended.
pub struct Told {
    /// The parts of its answer.
    pub answers: Vec<Answer>,
    /// The bytes that came with them.
    pub bytes: Vec<u8>,
    /// How it ended.
    pub verdict: Verdict,
}

impl Told {
    /// Whether it did what it was asked.
    pub fn is_whole(&self) -> bool {
        matches!(&self.verdict, Verdict::Ended(ending) if ending.code == 0)
    }

    /// The exit code of a command that was not done, after the reason was told.
    pub fn explain(&self, timeout: Duration) -> u8 {
        report::explain(&self.verdict, timeout.as_secs_f64());
        match self.verdict.code() {
            0 => exit::CRASH,
            code => code,
        }
    }
}

/// Asks.
///
/// # Errors
/// If there is no worker to ask.
pub fn ask(task: Fold, program: &Bytes, timeout: Duration) -> Result<Told, String> {
    ask_within(Layers::all(), task, program, timeout)
}

/// Asks a worker that is confined by these layers.
fn ask_within(layers: Layers, task: Fold, program: &Bytes, timeout: Duration) -> Result<Told, String> {
    let (memory, stack) = match &task {
        Fold::Test(test) => (test.max_memory.saturating_add(MEMORY), test.max_stack),
        _ => (MEMORY, 0),
    };
    let plan = policy::plan(&Grants::none(), memory, stack, layers).map_err(|error| error.to_string())?;
    let bounds = Bounds { timeout: (!timeout.is_zero()).then_some(timeout), output: ANSWER };
    answered(&Job { plan, task: Task::Fold(task) }, program, &bounds)
}

/// Has a worker do what it answers for on its standard output.
///
/// # Errors
/// If there is none to be had.
pub fn answered(job: &Job, program: &Bytes, bounds: &Bounds) -> Result<Told, String> {
    let wanted = Wanted { output: true, ..Wanted::default() };
    let outcome = supervisor::observe(job, program, bounds, wanted).map_err(|error| error.to_string())?;
    let Outcome { verdict, captured, remains, .. } = outcome;
    remains.finish();
    Ok(match Answer::read_all(&whole_lines(captured.unwrap_or_default(), &verdict)) {
        Some((answers, bytes)) => Told { answers, bytes, verdict },
        None => Told { answers: Vec::new(), bytes: Vec::new(), verdict: Verdict::Nonsense },
    })
}

/// What a worker wrote that was ended while it did: its last line may not be whole.
fn whole_lines(mut told: Vec<u8>, verdict: &Verdict) -> Vec<u8> {
    if !matches!(verdict, Verdict::Ended(_)) {
        told.truncate(told.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    }
    told
}

/// A program's sources as a worker gets them, with those of the packages that it depends on; `-` is standard input.
///
/// # Errors
/// If they cannot be read, or no worker can be had.
pub fn sources(path: &Path) -> Result<Bytes, String> {
    sources_within(Layers::all(), path)
}

/// The same; workers that are asked about its packages are confined by these layers.
///
/// # Errors
/// If they cannot be read, or no worker can be had.
pub fn sources_within(layers: Layers, path: &Path) -> Result<Bytes, String> {
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let bundle = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().take(limit + 1).read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
        if bytes.len() as u64 > limit {
            return Err(format!("standard input has more than {limit} bytes"));
        }
        let source = Source { package: 0, module: "main".into(), name: "<stdin>".into(), bytes };
        Bundle { sources: vec![source], ..Bundle::default() }
    } else {
        whole(layers, Gathered::script(path, limit).map_err(|error| error.to_string())?)?
    };
    bundle.sealed().map_err(|error| error.to_string())
}

/// A bundle with all packages that those in it depend on. What their descriptions say is read by workers.
///
/// # Errors
/// If they cannot be read, or no worker can be had.
pub fn whole(layers: Layers, mut gathered: Gathered) -> Result<Bundle, String> {
    while let Some(question) = gathered.question() {
        let question = question.sealed().map_err(|error| error.to_string())?;
        let told = ask_within(layers, Fold::Paths, &question, TIMEOUT)?;
        let paths = told.answers.into_iter().find_map(|answer| match answer {
            Answer::Paths(paths) => Some(paths),
            _ => None,
        });
        gathered.answer(paths.unwrap_or_default()).map_err(|error| error.to_string())?;
    }
    Ok(gathered.bundle)
}

/// The Fold files that are named, folders standing for all files below them; without names those of the package that the working directory
/// is in, or below it. `-` stays as it is.
///
/// # Errors
/// If there is no such file, or it is none of Fold.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let here = [bundle::package(Path::new(".")).unwrap_or_else(|| ".".into())];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            files.push(path.clone());
        } else if path.is_dir() {
            let found = bundle::below(path).map_err(|error| error.to_string())?;
            if found.is_empty() {
                return Err(format!("there are no .{} files below {}", bundle::EXTENSION, path.display()));
            }
            // As a user would write them.
            files.extend(found.into_iter().map(|file| file.strip_prefix(".").map(Path::to_owned).unwrap_or(file)));
        } else if !path.exists() {
            return Err(format!("{}: there is no such file", path.display()));
        } else if !bundle::is_fold(path) {
            return Err(format!("{} is no Fold file: their names end in .{}", path.display(), bundle::EXTENSION));
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// One file, not a folder; see [`files`].
///
/// # Errors
/// If it is none of Fold.
pub fn file(path: &Path) -> Result<(), String> {
    if path.is_dir() {
        return Err(format!(
            "{} is a folder; name the .{} file that the program begins with",
            path.display(),
            bundle::EXTENSION
        ));
    }
    files(&[path.to_owned()]).map(drop)
}

/// Prints findings, each once, and counts them.
pub struct Findings {
    format: MessageFormat,
    seen: HashSet<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    /// None yet.
    pub fn new(format: MessageFormat) -> Self {
        Self { format, seen: HashSet::new(), errors: 0, warnings: 0 }
    }

    /// Prints a finding, unless it was.
    pub fn print(&mut self, finding: &Finding) {
        if !self.seen.insert(finding.diagnostic.clone()) {
            return;
        }
        match finding.diagnostic.severity {
            Severity::Error => self.errors += 1,
            _ => self.warnings += 1,
        }
        match self.format {
            MessageFormat::Text => eprintln!("{}\n", colour::diagnostics(&Printable(&finding.text).to_string())),
            MessageFormat::Json => print_json(&finding.diagnostic),
        }
    }

    /// Whether there was an error.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Prints how many there were.
    pub fn finish(&self) {
        let count = |count: usize, what: &str| {
            (count > 0).then(|| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
        };
        let counts: Vec<String> =
            count(self.errors, "error").into_iter().chain(count(self.warnings, "warning")).collect();
        if self.format == MessageFormat::Text && !counts.is_empty() {
            eprintln!("{}", counts.join(", "));
        }
    }
}

/// Prints a value in one line.
pub fn print_json(value: &impl serde::Serialize) {
    if let Ok(line) = json::line(value) {
        print(&format!("{line}\n"));
    }
}

/// Prints a text that a worker wrote; whoever reads it may have seen enough.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = if out.is_terminal() { write!(out, "{}", Printable(text)) } else { out.write_all(text.as_bytes()) };
}
