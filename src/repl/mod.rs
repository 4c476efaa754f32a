//! `pinfold repl`: entries in Fold, one after the other, each seeing what those before it made.
//!
//! What is written is checked, compiled and run by a confined worker, which lives as long as the session. The line editor, the terminal
//! and the history are here, outside; what the worker tells and what programs write is shown with nothing in it that a terminal would
//! obey.

mod editor;
mod entry;
mod explore;
mod grants;
mod help;
mod protocol;
mod replay;

use std::io::{self, BufRead, IsTerminal};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pinfold::exit;
use pinfold::job::{EndKind, Ending, Insight, Job, Reply, Request, Run, Task, TierName, Told};
use pinfold::question::{Phase, UNLIMITED};
use pinfold::supervisor::{Bounds, Replied, Session, Stopped, SupervisorError, Verdict};
use pinfold::{answer, policy};
use pinfold_sandbox::SpawnError;
use pinfold_vm::host::{DirGrant, NetGrant};
use pinfold_vm::module::{Bytes as Program, Escaped, Printable};

use crate::run::args::{Bytes, Without, seconds, without};
use crate::run::{self, Settings};
use crate::{colour, report};
use editor::{Editor, Line};
use replay::{End, Ran};

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

    /// Speak a protocol for tools on standard input and output: a request and an answer are a line of JSON.
    #[arg(long, conflicts_with = "file")]
    pub json: bool,
    /// Explore a module: call what it exports, read its memory and its globals, step through it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "json"])]
    pub wasm: Option<PathBuf>,

    /// Enter this file first.
    pub file: Option<PathBuf>,
}

/// A session that the line editor asks too.
type Shared = Arc<Mutex<Session>>;

/// Runs the command.
///
/// # Errors
/// If there is no session to be had.
pub fn run(args: &Args) -> Result<u8, String> {
    let mut settings = Settings::new(&flags(args))?;
    settings.grants.output_limit = args.max_output.map_or(OUTPUT, |bytes| bytes.0);
    if args.json {
        // Who reads the events looks on: a line comes when it is written.
        settings.grants.terminals = [false, true, true];
        return protocol::run(args, settings);
    }
    if let Some(file) = &args.wasm {
        return explore::run(args, &settings, file);
    }
    let mut repl = Repl::new(args, settings)?;
    if let Some(path) = &args.file {
        repl.load(path);
    }
    let code = if io::stdin().is_terminal() { repl.interact()? } else { repl.read(io::stdin().lock()) };
    Ok(code)
}

/// A session and whoever uses it.
struct Repl<'a> {
    args: &'a Args,
    settings: Settings,
    session: Shared,
    /// Entries that were run.
    ran: Vec<Ran>,
    /// Whether commands come from a person, not from a file or a pipe.
    is_person: bool,
    tells_time: bool,
    failed: bool,
}

impl<'a> Repl<'a> {
    fn new(args: &'a Args, settings: Settings) -> Result<Self, String> {
        let session = Arc::new(Mutex::new(begin(args, &settings, None)?));
        Ok(Self { args, settings, session, ran: Vec::new(), is_person: false, tells_time: false, failed: false })
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from a terminal.
    fn interact(&mut self) -> Result<u8, String> {
        println!("Pinfold {}: entries in Fold. :help tells more, Ctrl-D ends.", env!("CARGO_PKG_VERSION"));
        self.is_person = true;
        let mut editor = Editor::new(self.session.clone(), &help::COMMANDS).map_err(|error| error.to_string())?;
        loop {
            editor.shows("fold", &self.authority());
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
            ":help" | ":h" => help::help(),
            ":quit" | ":q" => return false,
            ":type" | ":t" => self.look(&Request::Type(rest.to_owned())),
            ":doc" => self.doc(rest.trim()),
            ":stages" => self.look(&Request::Show(Phase::Stages, rest.to_owned())),
            ":ir" => self.look(&Request::Show(Phase::Ir, rest.to_owned())),
            ":wat" => self.look(&Request::Show(Phase::Wat, rest.to_owned())),
            ":slots" => self.look(&Request::Show(Phase::Slots, rest.to_owned())),
            ":asm" => self.look(&Request::Show(Phase::Asm, rest.to_owned())),
            ":fuel" => self.fuel(rest.trim()),
            ":vars" => self.show_variables(),
            ":caps" => self.show_authority(),
            ":grant" | ":grant!" | ":revoke" | ":revoke!" => self.authorize(command, rest.trim()),
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
        let answer = self.session().ask(request);
        match answer {
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
        tell(&reply, stopped, self.args);
        self.failed |= failed;
        if let Some(end) = end_of(&reply, failed) {
            self.ran.push(Ran { text: text.to_owned(), end, gave: reply.value.is_some() });
        }
        if self.tells_time {
            let [compile, run] = reply.seconds.map(|seconds| seconds * 1e3);
            println!("  {compile:.1} ms to compile, {run:.1} ms to run, {} units of work", reply.fuel);
        }
    }

    /// Asks for something that nothing runs for.
    fn look(&mut self, request: &Request) {
        if let Some(Replied { reply, .. }) = self.ask(request) {
            self.failed |= reply.ended.is_some() || reply.findings.iter().any(is_error);
            tell(&reply, None, self.args);
        }
    }

    fn doc(&mut self, text: &str) {
        let Some(Replied { reply, .. }) = self.ask(&Request::Doc(text.to_owned())) else { return };
        match reply.value {
            Some(_) => tell(&reply, None, self.args),
            None => self.complain(&format!("nothing is known of `{}`", Escaped(text))),
        }
    }

    fn fuel(&mut self, text: &str) {
        match text.parse() {
            Ok(units) => {
                self.settings.fuel = Some(units).filter(|&units| units > 0).map(|units: u64| units.min(UNLIMITED));
                if self.ask(&Request::Fuel(self.settings.fuel)).is_none() {
                    return;
                }
            }
            Err(_) if text.is_empty() => {}
            Err(_) => return self.complain(&format!("{} is no number of units", Escaped(text))),
        }
        match self.settings.fuel {
            Some(units) => println!("an entry is ended after {units} units of work"),
            None => println!("entries may do as much work as they like"),
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
        let done: Vec<&Ran> = self.ran.iter().filter(|ran| ran.end == End::Done).collect();
        let text: String = done.iter().map(|ran| format!("{}\n", ran.text)).collect();
        match std::fs::write(path, text) {
            Ok(()) => println!("{} entries are in {}", done.len(), path.display()),
            Err(error) => self.complain(&format!("{}: {error}", path.display())),
        }
    }

    fn reset(&mut self) {
        // What it listens at is free for the next one.
        let ended = self.session().end();
        if let Some(Ok(outcome)) = ended {
            outcome.remains.finish();
        }
        match begin(self.args, &self.settings, None) {
            Ok(session) => {
                *self.session() = session;
                self.ran.clear();
            }
            Err(error) => self.complain(&error),
        }
    }

    /// Tells how the session ended, and begins another one.
    fn is_gone(&mut self) {
        let message = lost(&mut self.session(), self.args);
        self.complain(&message);
        self.reset();
    }
}

/// Ends a session whose worker is gone, and tells how it went.
fn lost(session: &mut Session, args: &Args) -> String {
    let lost = "the session is lost with all that it had; this is a new one";
    match session.end() {
        Some(Ok(outcome)) => {
            let words = report::words(&outcome.verdict, args.timeout);
            outcome.remains.finish();
            words.map_or_else(|| lost.to_owned(), |words| format!("{words}\n{lost}"))
        }
        Some(Err(error)) => format!("{error}\n{lost}"),
        None => lost.to_owned(),
    }
}

/// What is asked for what can stand at the end of a text, and where the word begins that it takes the place of.
fn completion(before: &str) -> (usize, Request) {
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let is_path = before[line..].trim_start().starts_with("import ") && !before[line..].contains('{');
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || is_path && c == '/';
    let word = before.chars().rev().take_while(|&c| is_part(c)).map(char::len_utf8).sum::<usize>();
    let start = before.len() - word;
    let before = before[..start].to_owned();
    let after = entry::closers(&before);
    (start, Request::Complete { before, after })
}

/// Shows what the worker told.
fn tell(reply: &Reply, stopped: Option<Stopped>, args: &Args) {
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
            let message = format!("the entry was ended after {} s; --timeout gives it more", args.timeout);
            report::explain(&Verdict::Ended(Ending { message: Some(message), ..ending.clone() }), 0.0);
        }
        (Some(ending), None) => report::explain(&Verdict::Ended(ending.clone()), args.timeout),
        (None, _) => {}
    }
}

/// Ends the command, whatever it waits for.
fn interrupted(signal: i32) -> ! {
    editor::restore();
    std::process::exit(128 + signal)
}

/// How an entry went; nothing of one that did not run.
fn end_of(reply: &Reply, failed: bool) -> Option<End> {
    match &reply.ended {
        Some(ending) if matches!(ending.kind, EndKind::Trap | EndKind::Exit) => Some(End::Failed),
        Some(_) => Some(End::Stopped),
        None if failed => None,
        None => Some(End::Done),
    }
}

fn is_error(finding: &answer::Finding) -> bool {
    finding.diagnostic.severity == answer::Severity::Error
}

/// Shows a value, the beginning of a long one; what has no type was asked for, and is shown as far as it was told.
fn show(value: &Told) {
    let most = if value.ty.is_some() { SHOWN } else { value.text.len() };
    let end = value.text.floor_char_boundary(most.min(value.text.len()));
    let (text, rest) = value.text.split_at(end);
    let left = rest.len() + value.omitted;
    let elided = if left > 0 { format!("… ({left} bytes more)") } else { String::new() };
    match &value.ty {
        Some(ty) => println!("{}{elided}: {}", Printable(text), Escaped(ty)),
        None => println!("{}{elided}", Printable(text)),
    }
}

/// Begins a session, whose output goes to ours, or elsewhere.
fn begin(args: &Args, settings: &Settings, sinks: Option<[OwnedFd; 2]>) -> Result<Session, String> {
    let mut session = start(args, settings, sinks)?;
    // The first question tells whether there is anybody to answer.
    if matches!(session.ask(&Request::Variables), Ok(Some(_))) {
        return Ok(session);
    }
    Err(match session.end() {
        Some(Err(SupervisorError::Spawn(SpawnError::Layer(layer)))) => {
            format!("{layer}\n  {}", policy::way_out(&layer))
        }
        Some(Err(error)) => error.to_string(),
        Some(Ok(outcome)) => {
            let words = report::words(&outcome.verdict, args.timeout);
            words.unwrap_or_else(|| "the worker ended at once".to_owned())
        }
        None => "there is no session".to_owned(),
    })
}

/// Starts a session's worker.
fn start(args: &Args, settings: &Settings, sinks: Option<[OwnedFd; 2]>) -> Result<Session, String> {
    let program = Program::sealed(io::empty(), 0).map_err(|error| error.to_string())?;
    start_with(args, settings, program, sinks, |run| Task::Session(Box::new(run)))
}

/// Starts a worker that answers, with a program and what it is to do.
fn start_with(
    args: &Args,
    settings: &Settings,
    program: Program,
    sinks: Option<[OwnedFd; 2]>,
    task: impl FnOnce(Run) -> Task,
) -> Result<Session, String> {
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
        // Always counted: `:fuel` says how much there is.
        fuel: Some(settings.fuel.unwrap_or(UNLIMITED).min(UNLIMITED)),
        tier: TierName::Auto,
        deterministic: false,
        invoke: None,
        invoke_args: Vec::new(),
        trap_unknown_imports: false,
        records: false,
        keeps: None,
        compiler: false,
        insight: Insight::default(),
        image: None,
        ahead: false,
    };
    let timeout = (args.timeout > 0.0).then(|| Duration::try_from_secs_f64(args.timeout).unwrap_or(Duration::MAX));
    let bounds = Bounds { timeout, output: settings.grants.output_limit.saturating_add(1) };
    Session::start(Job { plan, task: task(job) }, program, bounds, sinks, interrupted)
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
