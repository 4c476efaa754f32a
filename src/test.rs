//! `pinfold test`: runs the tests of Fold files and the examples in their documentation, each file in a worker of its own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pinfold::answer::{Answer, Finding, TestName, Tested};
use pinfold::bundle::Bundle;
use pinfold::exit;
use pinfold::job::{Fold, Test};
use pinfold::supervisor::Verdict;
use pinfold_compiler::check::STANDARD;
use pinfold_vm::module::{Bytes, Escaped, Printable};
use serde::Serialize;

use crate::ask::{self, Findings, MessageFormat, Told};
use crate::report;
use crate::run::args::{Bytes as Size, seconds};

/// Frames that are shown of a failure.
const SHOWN: usize = 8;

/// Run the tests and the documentation's examples of Fold files.
///
/// Each runs by itself, confined, and is granted nothing: a test makes the
/// capabilities that it needs, as in `Dir.fake(["a.txt": "text"])`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, of folders all files below them [default: this package].
    pub files: Vec<PathBuf>,

    /// Only tests with this in their names.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,

    /// The examples of the standard library instead.
    #[arg(long, conflicts_with = "files")]
    pub standard: bool,

    /// Seconds until a file's tests are ended; 0 for no deadline.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub timeout: f64,

    /// Memory for the tests of a file.
    #[arg(long, value_name = "BYTES", default_value = "1GiB")]
    pub max_memory: Size,

    /// How results look: `json` is an object a line.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub message_format: MessageFormat,
}

/// What is tested by one worker after another.
enum Unit {
    File(PathBuf),
    Standard(String),
}

/// What was found of a unit.
struct Report {
    findings: Vec<Finding>,
    tests: Vec<(TestName, Ended)>,
    /// The exit code of a worker that could not do its work, and why.
    failed: Option<(u8, String)>,
}

/// How a test ended.
enum Ended {
    Tested(Tested),
    /// Its worker was ended while it ran, for this reason.
    Stopped(String, Vec<String>),
}

/// Runs the command.
///
/// # Errors
/// If files cannot be read, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    let units: Vec<Unit> = if args.standard {
        STANDARD.iter().map(|(path, _)| Unit::Standard((*path).to_owned())).collect()
    } else {
        ask::files(&args.files)?.into_iter().map(Unit::File).collect()
    };
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let workers = thread::available_parallelism().map_or(1, |count| count.get()).min(units.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, units) = (sender.clone(), &next, &units);
            scope.spawn(move || {
                while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let number = next_of(units, unit);
                    if sender.send((number, test(args, unit))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut out = Output::new(args.message_format);
        let mut early: Vec<Option<Result<Report, String>>> = units.iter().map(|_| None).collect();
        let mut shown = 0;
        // In the order of the files, whoever is done first.
        for (number, report) in receiver {
            early[number] = Some(report);
            while let Some(report) = early.get_mut(shown).and_then(Option::take) {
                shown += 1;
                match report {
                    Ok(report) => out.report(&report),
                    Err(message) => {
                        // No other file is begun.
                        next.store(units.len(), Ordering::Relaxed);
                        return Err(message);
                    }
                }
                if let Some(signal) = out.interrupted {
                    // What other workers do ends with this process.
                    std::process::exit(signal.into());
                }
            }
        }
        Ok(out.finish())
    })
}

fn next_of(units: &[Unit], unit: &Unit) -> usize {
    units.iter().position(|other| std::ptr::eq(other, unit)).unwrap_or(0)
}

/// Tests a unit. A worker that is ended by a test is followed by another, for the tests after that.
fn test(args: &Args, unit: &Unit) -> Result<Report, String> {
    let (program, standard) = match unit {
        Unit::File(file) => (ask::sources(file)?, None),
        Unit::Standard(path) => (nothing()?, Some(path.clone())),
    };
    let timeout = Duration::try_from_secs_f64(args.timeout).unwrap_or(Duration::MAX);
    let mut report = Report { findings: Vec::new(), tests: Vec::new(), failed: None };
    loop {
        let job = Test {
            standard: standard.clone(),
            filter: args.filter.clone(),
            skip: report.tests.len(),
            max_memory: args.max_memory.0,
            max_stack: 8 << 20,
        };
        let Told { answers, verdict, .. } = ask::ask(Fold::Test(job), &program, timeout)?;
        let is_first = report.tests.is_empty();
        let mut names = Vec::new().into_iter();
        for answer in answers {
            match answer {
                Answer::Finding(finding) if is_first => report.findings.push(*finding),
                Answer::Tests(tests) => {
                    names = tests.into_iter().skip(report.tests.len()).collect::<Vec<_>>().into_iter()
                }
                Answer::Tested(tested) => match names.next() {
                    Some(name) => report.tests.push((name, Ended::Tested(tested))),
                    None => return Ok(Report { failed: Some(nonsense()), ..report }),
                },
                _ => {}
            }
        }
        if matches!(&verdict, Verdict::Ended(ending) if ending.code == 0) {
            let is_whole = names.next().is_none();
            return Ok(if is_whole { report } else { Report { failed: Some(nonsense()), ..report } });
        }
        let interrupted = matches!(verdict, Verdict::Interrupted { .. });
        let why = match &verdict {
            Verdict::Timeout { .. } => format!("it did not end within {} s; --timeout gives it more", args.timeout),
            other => report::words(other, args.timeout).unwrap_or_else(|| "its worker ended".into()),
        };
        match names.next() {
            Some(name) if !interrupted => {
                let (frames, _) = report::stack(&verdict);
                report.tests.push((name, Ended::Stopped(why, frames.to_vec())));
            }
            _ => return Ok(Report { failed: Some((verdict.code(), why)), ..report }),
        }
    }
}

fn nonsense() -> (u8, String) {
    (exit::CRASH, "the worker sent what is no message of its".into())
}

fn nothing() -> Result<Bytes, String> {
    Bundle::default().sealed().map_err(|error| error.to_string())
}

/// A test as JSON.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    name: &'a str,
    file: &'a str,
    line: u32,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    frames: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<&'a pinfold::answer::Diagnostic>,
}

/// The last line of JSON.
#[derive(Serialize)]
struct Summary {
    kind: &'static str,
    passed: usize,
    failed: usize,
}

/// What is printed, and counted.
struct Output {
    format: MessageFormat,
    findings: Findings,
    passed: usize,
    failed: usize,
    /// The exit code, where a file could not be tested.
    code: Option<u8>,
    interrupted: Option<u8>,
}

impl Output {
    fn new(format: MessageFormat) -> Self {
        Self { format, findings: Findings::new(format), passed: 0, failed: 0, code: None, interrupted: None }
    }

    fn report(&mut self, report: &Report) {
        report.findings.iter().for_each(|finding| self.findings.print(finding));
        report.tests.iter().for_each(|(name, ended)| self.test(name, ended));
        if let Some((code, why)) = &report.failed {
            eprintln!("pinfold: {why}");
            self.code = Some(*code);
            self.interrupted =
                Some(*code).filter(|code| (129..144).contains(code) && *code != exit::TRAP && *code != exit::MEMORY);
        }
    }

    fn test(&mut self, name: &TestName, ended: &Ended) {
        let passed = matches!(ended, Ended::Tested(Tested::Passed));
        *(if passed { &mut self.passed } else { &mut self.failed }) += 1;
        let (message, frames, findings): (Option<&str>, &[String], &[Finding]) = match ended {
            Ended::Tested(Tested::Passed) => (None, &[], &[]),
            Ended::Tested(Tested::Failed { message, frames }) => (Some(message), frames, &[]),
            Ended::Tested(Tested::Rejected(findings)) => (Some("it is no program"), &[], findings),
            Ended::Stopped(why, frames) => (Some(why), frames, &[]),
        };
        let TestName { name, file, line } = name;
        match self.format {
            MessageFormat::Text => {
                let result = if passed { "ok    " } else { "FAILED" };
                println!("{result}  {}:{line}  {}", Escaped(file), Escaped(name));
                if let Some(message) = message {
                    println!("        {}", Printable(message).to_string().replace('\n', "\n        "));
                }
                for finding in findings {
                    println!("        {}", Printable(&finding.text).to_string().replace('\n', "\n        "));
                }
                frames.iter().take(SHOWN).for_each(|frame| println!("          {}", Escaped(frame)));
                if frames.len() > SHOWN {
                    println!("          and {} more frames", frames.len() - SHOWN);
                }
            }
            MessageFormat::Json => {
                let result = if passed { "passed" } else { "failed" };
                let diagnostics = findings.iter().map(|finding| &finding.diagnostic).collect();
                ask::print_json(&Line { kind: "test", name, file, line: *line, result, message, frames, diagnostics });
            }
        }
    }

    /// Prints how many there were; the exit code.
    fn finish(self) -> u8 {
        let Self { passed, failed, code, .. } = self;
        self.findings.finish();
        match self.format {
            MessageFormat::Text if passed + failed == 0 && !self.findings.has_errors() => {
                println!("there are no tests")
            }
            MessageFormat::Text => println!("{passed} passed, {failed} failed"),
            MessageFormat::Json => ask::print_json(&Summary { kind: "summary", passed, failed }),
        }
        match code {
            Some(code) => code,
            None if failed > 0 || self.findings.has_errors() => exit::FAILURE,
            None => exit::SUCCESS,
        }
    }
}
