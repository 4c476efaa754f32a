//! `pinfold repl`: entries in Fold, one after the other, each seeing what those before it made.
//!
//! What is written is checked, compiled and run by a confined worker, which lives as long as the session. The line editor, the terminal
//! and the history are here, outside; what the worker tells and what programs write is shown with nothing in it that a terminal would
//! obey.

mod editor;
mod entry;

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pinfold::exit;
use pinfold::job::{Ending, Job, Reply, Request, Run, Task, TierName, Told};
use pinfold::supervisor::{Bounds, Replied, Session, Stopped, SupervisorError, Verdict};
use pinfold::{answer, policy};
use pinfold_sandbox::SpawnError;
use pinfold_vm::host::{DirGrant, NetGrant};
use pinfold_vm::module::{Escaped, Printable};

use crate::run::args::{Bytes, Without, seconds, without};
use crate::run::{self, Settings};
use crate::{colour, report};
use editor::{Editor, Line};

/// Bytes of a value that are shown.
const SHOWN: usize = 4000;

/// Bytes of output where nobody says otherwise.
const OUTPUT: u64 = 16 << 20;

/// Run entries in Fold, one after the other.
///
/// Granted by default: console, random numbers, a clock of 1 ms. What is granted has a name, under which entries use it.
/// `:help` tells the rest.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Grant a directory, read-only unless `:rw` stands at the end, under NAME.
    #[arg(long, value_name = "[NAME=]HOST[:rw]", help_heading = "Grants")]
    pub dir: Vec<DirGrant>,
    /// Grant a connection, under NAME. A host name must lead to a public address.
    #[arg(long, value_name = "[NAME=]HOST:PORT", value_parser = NetGrant::connect, help_heading = "Grants")]
    pub net: Vec<NetGrant>,
    /// Grant to be a server at an address of this host, under NAME.
    #[arg(long, value_name = "[NAME=]ADDR:PORT", value_parser = NetGrant::listen, help_heading = "Grants")]
    pub listen: Vec<NetGrant>,
    /// Grant an environment variable: this value, or the one it has here.
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = "Grants")]
    pub env: Vec<String>,
    /// Grant nothing by default: no console, clock or random numbers.
    #[arg(long, help_heading = "Grants")]
    pub none: bool,

    /// Go without these layers of the sandbox, where this host cannot give them.
    #[arg(long, value_name = "LAYERS", value_delimiter = ',', value_parser = without, help_heading = "Sandbox")]
    pub without: Vec<Without>,
    /// Run without any sandbox: entries are held by the virtual machine alone.
    #[arg(long, help_heading = "Sandbox")]
    pub unsafe_no_sandbox: bool,

    /// Seconds until an entry is ended; 0 for no deadline.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10", help_heading = "Limits")]
    pub timeout: f64,
    /// Memory of all kinds together.
    #[arg(long, value_name = "BYTES", default_value = "1GiB", help_heading = "Limits")]
    pub max_memory: Bytes,
    /// Bytes of output of an entry [default: 16MiB].
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub max_output: Option<Bytes>,
    /// End an entry after this much work; counted only if given.
    #[arg(long, value_name = "UNITS", help_heading = "Limits")]
    pub fuel: Option<u64>,

    /// Enter this file first.
    pub file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If there is no session to be had.
pub fn run(args: &Args) -> Result<u8, String> {
    let mut repl = Repl::new(args)?;
    if let Some(path) = &args.file {
        repl.load(path);
    }
    let code = if io::stdin().is_terminal() { repl.interact()? } else { repl.read(io::stdin().lock()) };
    Ok(code)
}

/// What a command says of itself.
const COMMANDS: [(&str, &str); 9] = [
    (":help", "show this"),
    (":type EXPRESSION", "show the type of an expression, without running it"),
    (":vars", "list the variables"),
    (":caps", "list what the session was granted"),
    (":time", "tell after each entry how long it took, or no longer"),
    (":load FILE", "enter a file"),
    (":save FILE", "write the entries so far to a file"),
    (":reset", "begin anew"),
    (":quit", "end; so does Ctrl-D"),
];

/// A session and whoever uses it.
struct Repl<'a> {
    args: &'a Args,
    settings: Settings,
    session: Session,
    /// Entries that came to their end.
    entered: Vec<String>,
    tells_time: bool,
    failed: bool,
}

impl<'a> Repl<'a> {
    fn new(args: &'a Args) -> Result<Self, String> {
        let mut settings = Settings::new(&flags(args))?;
        settings.grants.output_limit = args.max_output.map_or(OUTPUT, |bytes| bytes.0);
        let session = start(args, &settings)?;
        let mut repl = Self { args, settings, session, entered: Vec::new(), tells_time: false, failed: false };
        // The first question tells whether there is anybody to answer.
        if !matches!(repl.session.ask(&Request::Variables), Ok(Some(_))) {
            return Err(match repl.session.end() {
                Some(Err(SupervisorError::Spawn(SpawnError::Layer(layer)))) => {
                    format!("{layer}\n  {}", policy::way_out(&layer))
                }
                Some(Err(error)) => error.to_string(),
                Some(Ok(outcome)) => {
                    let words = report::words(&outcome.verdict, args.timeout);
                    words.unwrap_or_else(|| "the worker ended at once".to_owned())
                }
                None => "there is no session".to_owned(),
            });
        }
        Ok(repl)
    }

    /// Reads from a terminal.
    fn interact(&mut self) -> Result<u8, String> {
        println!("Pinfold {}: entries in Fold. :help tells more, Ctrl-D ends.", env!("CARGO_PKG_VERSION"));
        let mut editor = Editor::new(&self.authority()).map_err(|error| error.to_string())?;
        loop {
            editor.knows(self.variables().into_iter().map(|(name, ..)| name));
            match editor.read().map_err(|error| error.to_string())? {
                Line::Entry(text) => {
                    if !self.line(&text) {
                        break;
                    }
                }
                Line::Cleared => {}
                Line::End => break,
            }
        }
        Ok(exit::SUCCESS)
    }

    /// Reads from elsewhere; the exit code tells whether all entries came to their end.
    fn read(&mut self, input: impl BufRead) -> u8 {
        let mut entry = String::new();
        for line in input.lines() {
            match line {
                Ok(line) => entry.push_str(&line),
                Err(error) => {
                    self.complain(&format!("the input cannot be read: {error}"));
                    return exit::FAILURE;
                }
            }
            if entry::is_open(&entry) {
                entry.push('\n');
            } else if !self.line(&std::mem::take(&mut entry)) {
                break;
            }
        }
        // Whatever is missing at its end: that is told.
        self.line(&entry);
        if self.failed { exit::FAILURE } else { exit::SUCCESS }
    }

    /// Does what a line says; `false` if that is to end.
    fn line(&mut self, line: &str) -> bool {
        let line = line.trim();
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match command {
            "" => {}
            ":help" | ":h" => help(),
            ":quit" | ":q" => return false,
            ":type" | ":t" => self.ty(rest),
            ":vars" => self.show_variables(),
            ":caps" => self.show_authority(),
            ":time" => {
                self.tells_time = !self.tells_time;
                println!("{}", if self.tells_time { "times are told" } else { "times are not told" });
            }
            ":load" => self.load(Path::new(rest.trim())),
            ":save" => self.save(Path::new(rest.trim())),
            ":reset" => self.reset(),
            other if other.starts_with(':') => {
                self.complain(&format!("there is no command {}; :help lists them", Escaped(other)));
            }
            _ => self.enter(line),
        }
        true
    }

    fn complain(&mut self, message: &str) {
        self.failed = true;
        eprintln!("pinfold: {message}");
    }

    /// Asks the worker. Where nothing comes of it, that is told; where it is gone, there is another one.
    fn ask(&mut self, request: &Request) -> Option<Replied> {
        match self.session.ask(request) {
            Ok(Some(replied)) => Some(replied),
            Ok(None) => {
                self.is_gone();
                None
            }
            Err(error) => {
                self.complain(&error.to_string());
                None
            }
        }
    }

    fn enter(&mut self, text: &str) {
        let Some(Replied { reply, stopped }) = self.ask(&Request::Enter(text.to_owned())) else { return };
        // What is left out can be an error.
        let failed = reply.ended.is_some() || reply.omitted > 0 || reply.findings.iter().any(is_error);
        self.tell(&reply, stopped);
        if failed {
            self.failed = true;
        } else {
            self.entered.push(text.to_owned());
        }
        if self.tells_time {
            let [compile, run] = reply.seconds.map(|seconds| seconds * 1e3);
            println!("  {compile:.1} ms to compile, {run:.1} ms to run");
        }
    }

    /// Shows what the worker told.
    fn tell(&self, reply: &Reply, stopped: Option<Stopped>) {
        for finding in &reply.findings {
            eprintln!("{}\n", colour::diagnostics(&Printable(&finding.text).to_string()));
        }
        if reply.omitted > 0 {
            eprintln!("{} more findings are not shown", reply.omitted);
        }
        if let Some(value) = &reply.value {
            show(value);
        }
        match (&reply.ended, stopped) {
            (Some(ending), Some(Stopped::Interrupt)) => {
                report::explain(&Verdict::Ended(Ending { message: Some("interrupted".into()), ..ending.clone() }), 0.0);
            }
            (Some(ending), Some(Stopped::Time)) => {
                let message = format!("the entry was ended after {} s; --timeout gives it more", self.args.timeout);
                report::explain(&Verdict::Ended(Ending { message: Some(message), ..ending.clone() }), 0.0);
            }
            (Some(ending), None) => report::explain(&Verdict::Ended(ending.clone()), self.args.timeout),
            (None, _) => {}
        }
    }

    fn ty(&mut self, text: &str) {
        if let Some(Replied { reply, .. }) = self.ask(&Request::Type(text.to_owned())) {
            self.failed |= reply.findings.iter().any(is_error);
            self.tell(&reply, None);
        }
    }

    fn variables(&mut self) -> Vec<(String, String, bool)> {
        self.ask(&Request::Variables).map(|replied| replied.reply.variables).unwrap_or_default()
    }

    fn show_variables(&mut self) {
        for (name, ty, mutable) in self.variables() {
            println!("{} {}: {}", if mutable { "var" } else { "let" }, Escaped(&name), Escaped(&ty));
        }
    }

    /// What was granted beyond what is by default: names and kinds.
    fn authority(&self) -> Vec<String> {
        let is_plain = |kind: &str| matches!(kind, "Console" | "Clock" | "Random" | "Env" | "Args");
        let offers = self.settings.grants.offers();
        offers.into_iter().filter(|need| !is_plain(&need.kind)).map(|need| need.name).collect()
    }

    fn show_authority(&self) {
        let offers = self.settings.grants.offers();
        if offers.is_empty() {
            println!("nothing is granted");
        }
        for need in offers {
            let grants = &self.settings.grants;
            let dir = grants.dirs.iter().find(|dir| need.kind == "Dir" && dir.name.as_deref() == Some(&need.name));
            let place = dir.map(|dir| {
                let access = if dir.writable { "read and write" } else { "read only" };
                format!("  {}, {access}", Escaped(&dir.host.display().to_string()))
            });
            println!("{}: {}{}", need.name, need.kind, place.unwrap_or_default());
        }
    }

    fn load(&mut self, path: &Path) {
        match std::fs::read_to_string(path) {
            Ok(text) => self.enter(&text),
            Err(error) => self.complain(&format!("{}: {error}", path.display())),
        }
    }

    fn save(&mut self, path: &Path) {
        let text: String = self.entered.iter().map(|entry| format!("{entry}\n")).collect();
        match std::fs::write(path, text) {
            Ok(()) => println!("{} entries are in {}", self.entered.len(), path.display()),
            Err(error) => self.complain(&format!("{}: {error}", path.display())),
        }
    }

    fn reset(&mut self) {
        // What it listens at is free for the next one.
        if let Some(Ok(outcome)) = self.session.end() {
            outcome.remains.finish();
        }
        match start(self.args, &self.settings) {
            Ok(session) => {
                self.session = session;
                self.entered.clear();
            }
            Err(error) => self.complain(&error),
        }
    }

    /// Tells how the session ended, and begins another one.
    fn is_gone(&mut self) {
        self.failed = true;
        match self.session.end() {
            Some(Ok(outcome)) => {
                report::explain(&outcome.verdict, self.args.timeout);
                outcome.remains.finish();
            }
            Some(Err(error)) => self.complain(&error.to_string()),
            None => {}
        }
        eprintln!("pinfold: the session is lost with all that it had; this is a new one");
        self.reset();
    }
}

/// Ends the command, whatever it waits for.
fn interrupted(signal: i32) -> ! {
    editor::restore();
    std::process::exit(128 + signal)
}

fn is_error(finding: &answer::Finding) -> bool {
    finding.diagnostic.severity == answer::Severity::Error
}

fn help() {
    println!("Entries are what stands in a script: declarations, statements, expressions. `it` is the last value.");
    for (command, what) in COMMANDS {
        println!("  {command:<18}{what}");
    }
    println!("Ctrl-C stops what runs. An entry that is not whole goes on in the next line.");
}

fn show(value: &Told) {
    let end = value.text.floor_char_boundary(SHOWN.min(value.text.len()));
    let (text, rest) = value.text.split_at(end);
    let left = rest.len() + value.omitted;
    let elided = if left > 0 { format!("… ({left} bytes more)") } else { String::new() };
    match &value.ty {
        Some(ty) => println!("{}{elided}: {}", Printable(text), Escaped(ty)),
        None => println!("{}{elided}", Printable(text)),
    }
}

/// Starts a session's worker.
fn start(args: &Args, settings: &Settings) -> Result<Session, String> {
    if args.unsafe_no_sandbox {
        eprintln!(
            "pinfold: warning: there is no sandbox; an entry that breaks out of the virtual machine has all of your rights"
        );
    }
    let layers = flags(args).layers();
    let plan = settings.plan(layers).map_err(|error| error.to_string())?;
    let job = Run {
        grants: settings.grants.clone(),
        file: "session".into(),
        max_memory: settings.max_memory,
        max_stack: settings.max_stack,
        fuel: settings.fuel,
        tier: TierName::Auto,
        deterministic: false,
        invoke: None,
        invoke_args: Vec::new(),
        trap_unknown_imports: false,
        records: false,
    };
    let timeout = (args.timeout > 0.0).then(|| Duration::try_from_secs_f64(args.timeout).unwrap_or(Duration::MAX));
    let bounds = Bounds { timeout, output: settings.grants.output_limit.saturating_add(1) };
    Session::start(Job { plan, task: Task::Session(Box::new(job)) }, bounds, interrupted)
        .map_err(|error| error.to_string())
}

/// The same as flags of `run`. Directories and connections without a name get one.
fn flags(args: &Args) -> run::Args {
    let mut dirs = args.dir.clone();
    for dir in dirs.iter_mut().filter(|dir| dir.name.is_none()) {
        let last = dir.host.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        dir.name = Some(entry::name(last, "dir"));
    }
    let mut nets = [args.net.clone(), args.listen.clone()].concat();
    nets.iter_mut().filter(|net| net.name.is_none()).for_each(|net| net.name = Some("net".to_owned()));
    run::Args {
        dir: dirs,
        net: nets,
        env: args.env.clone(),
        none: args.none,
        without: args.without.clone(),
        unsafe_no_sandbox: args.unsafe_no_sandbox,
        no_stdin: true,
        timeout: Some(args.timeout),
        max_memory: Some(args.max_memory),
        max_output: args.max_output,
        fuel: args.fuel,
        ..run::Args::default()
    }
}
