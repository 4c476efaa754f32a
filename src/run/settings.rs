//! What a run is given: the flags, added up.

use std::time::Duration;

use pinfold_vm::host::{Console, Grants, Stdin};

use super::Args;

/// What a run is given.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the program may do.
    pub grants: Grants,
    /// How long it may take; zero for as long as it likes.
    pub timeout: f64,
    /// Bytes of memory.
    pub max_memory: u64,
    /// Bytes of guest stack.
    pub max_stack: u64,
    /// Units of fuel, if they are counted.
    pub fuel: Option<u64>,
    /// Whether imports that are not given become traps.
    pub trap_unknown_imports: bool,
}

/// The limits where nobody says otherwise.
const TIMEOUT: f64 = 60.0;
const MAX_MEMORY: u64 = 1 << 30;
const MAX_STACK: u64 = 8 << 20;

impl Settings {
    /// From the flags.
    ///
    /// # Errors
    /// If a variable is to be taken from an environment that does not have it.
    pub fn new(args: &Args) -> Result<Self, String> {
        Ok(Self {
            grants: grants(args)?,
            timeout: args.timeout.unwrap_or(TIMEOUT),
            max_memory: args.max_memory.map_or(MAX_MEMORY, |bytes| bytes.0),
            max_stack: args.max_stack.map_or(MAX_STACK, |bytes| bytes.0),
            fuel: args.fuel,
            trap_unknown_imports: args.trap_unknown_imports,
        })
    }

    /// How long the program may take, if there is a limit.
    pub fn deadline(&self) -> Option<Duration> {
        (self.timeout > 0.0).then(|| Duration::try_from_secs_f64(self.timeout).unwrap_or(Duration::MAX))
    }
}

fn grants(args: &Args) -> Result<Grants, String> {
    let mut grants = if args.none { Grants::none() } else { Grants::command() };
    if args.none {
        grants.handle_limit = Grants::command().handle_limit;
    }
    grants.args.push(args.file.display().to_string());
    if args.invoke.is_none() {
        grants.args.extend(args.args.iter().cloned());
    }
    grants.dirs = args.dir.clone();
    grants.net = args.net.iter().chain(&args.listen).cloned().collect();
    for env in &args.env {
        let (name, value) = match env.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (env.as_str(), inherited(env)?),
        };
        grants.env.push((name.to_owned(), value));
    }
    if args.no_clock {
        grants.clock = None;
    }
    grants.random &= !args.no_random;
    if args.no_stdin || args.file.as_os_str() == "-" {
        // Standard input held the program.
        grants.stdin = Stdin::Empty;
    }
    if args.none {
        grants.console = Console::Discard;
    }
    grants.output_limit = args.max_output.map_or(Grants::command().output_limit, |bytes| bytes.0);
    if args.deterministic || args.seed.is_some() {
        grants.deterministic = Some(args.seed.unwrap_or(0));
    }
    Ok(grants)
}

/// The value that a variable has here.
fn inherited(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| format!("--env {name}: {error}; write --env {name}=VALUE"))
}
