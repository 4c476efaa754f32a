//! What a run is given: what a policy file says and the flags say, added up.

use std::io::{self, IsTerminal};
use std::time::Duration;

use pinfold::policy::{self, PolicyError};
use pinfold_sandbox::{Layer, Layers, Plan};
use pinfold_vm::host::{ClockGrant, Console, Grants, Stdin};

use super::Args;
use super::args::Bytes;
use crate::policy_file::{self, Policy};

/// What a run is given.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the program may do.
    pub grants: Grants,
    /// The variables among them as they were given: without a value, where it was taken from here.
    pub env: Vec<(String, Option<String>)>,
    /// How long it may take; zero for as long as it likes.
    pub timeout: f64,
    /// Bytes of memory.
    pub max_memory: u64,
    /// Bytes of guest stack.
    pub max_stack: u64,
    /// Seconds of processor time, if they are bounded.
    pub max_cpu: Option<f64>,
    /// How many processors at a time, if they are bounded.
    pub cpus: Option<f64>,
    /// Processes and threads, beside one for each processor.
    pub max_processes: u64,
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
    /// If there is no such policy, or a variable is to be taken from an environment that does not have it.
    pub fn new(args: &Args) -> Result<Self, String> {
        let policy = args.policy.as_deref().map(policy_file::read).transpose().map_err(|error| error.to_string())?;
        let limits = policy.as_ref().map(|policy| policy.limits).unwrap_or_default();
        let mut grants = defaults(args, policy.as_ref());
        grants.args.push(args.file.display().to_string());
        if args.invoke.is_none() {
            grants.args.extend(args.args.iter().cloned());
        }
        let bytes = |flag: Option<Bytes>, policy: Option<u64>| flag.map(|bytes| bytes.0).or(policy);
        grants.output_limit = bytes(args.max_output, limits.max_output).unwrap_or(Grants::command().output_limit);
        let traps = policy.as_ref().is_some_and(|policy| policy.trap_unknown_imports);
        let env = variables(args, policy.unwrap_or_default());
        grants.terminals = terminals(&grants);
        grants.env = env.iter().map(given).collect::<Result<_, _>>()?;
        Ok(Self {
            grants,
            env,
            timeout: args.timeout.or(limits.timeout).unwrap_or(TIMEOUT),
            max_memory: bytes(args.max_memory, limits.max_memory).unwrap_or(MAX_MEMORY),
            max_stack: bytes(args.max_stack, limits.max_stack).unwrap_or(MAX_STACK),
            max_cpu: args.max_cpu.or(limits.max_cpu),
            cpus: args.cpus.or(limits.cpus),
            max_processes: args.max_processes.or(limits.max_processes).unwrap_or(policy::PROCESSES),
            fuel: args.fuel.or(limits.fuel),
            trap_unknown_imports: args.trap_unknown_imports || traps,
        })
    }

    /// How the worker is confined.
    ///
    /// # Errors
    /// If a directory is not there, or nothing would hold the program to its share of the processors.
    pub fn plan(&self, layers: Layers) -> Result<Plan, PolicyError> {
        if self.cpus.is_some() && !layers.has(Layer::Cgroup) {
            return Err(PolicyError::Share);
        }
        let mut plan = policy::plan(&self.grants, self.max_memory, self.max_stack, layers)?;
        plan.limits.processes = self.max_processes;
        plan.limits.cpu_time = self.max_cpu.map(|time| Duration::try_from_secs_f64(time).unwrap_or(Duration::MAX));
        plan.limits.cpu_percent = self.cpus.map(|processors| (processors * 100.0).round() as u32);
        Ok(plan)
    }

    /// How long the program may take, if there is a limit.
    pub fn deadline(&self) -> Option<Duration> {
        (self.timeout > 0.0).then(|| Duration::try_from_secs_f64(self.timeout).unwrap_or(Duration::MAX))
    }
}

/// Everything but arguments, variables and the limit of output.
fn defaults(args: &Args, policy: Option<&Policy>) -> Grants {
    let command = Grants::command();
    let mut grants = match policy {
        Some(policy) => of_policy(policy),
        None if args.none => Grants::none(),
        None => command.clone(),
    };
    grants.handle_limit = command.handle_limit;
    // What stands under the same name inside is granted by the flag.
    grants.dirs.retain(|dir| args.dir.iter().all(|flag| flag.guest != dir.guest));
    grants.dirs.extend(args.dir.iter().cloned());
    grants.net.extend(args.net.iter().chain(&args.listen).cloned());
    if args.no_clock {
        grants.clock = None;
    }
    grants.random &= !args.no_random;
    if args.no_stdin || args.file.as_os_str() == "-" {
        // Standard input held the program.
        grants.stdin = Stdin::Empty;
    }
    if args.deterministic || args.seed.is_some() {
        grants.deterministic = Some(args.seed.unwrap_or(0));
    }
    grants
}

/// Which of our streams that the program has are terminals: it gets pipes, since a terminal can be made to do more than to read and write.
fn terminals(grants: &Grants) -> [bool; 3] {
    let output = matches!(grants.console, Console::Inherit);
    let is_ours = [matches!(grants.stdin, Stdin::Inherit), output, output];
    let are = [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()];
    // Where every run is to be the same, they are none.
    std::array::from_fn(|at| grants.deterministic.is_none() && is_ours[at] && are[at])
}

fn of_policy(policy: &Policy) -> Grants {
    Grants {
        dirs: policy.dirs.clone(),
        net: policy.net.clone(),
        stdin: if policy.stdin { Stdin::Inherit } else { Stdin::Empty },
        console: if policy.console { Console::Inherit } else { Console::Discard },
        clock: policy.clock.then(ClockGrant::default),
        random: policy.random,
        ..Grants::none()
    }
}

/// The variables that are granted; where both name one, it is as the flag has it.
fn variables(args: &Args, policy: Policy) -> Vec<(String, Option<String>)> {
    let flag = |env: &String| match env.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (env.clone(), None),
    };
    let flags: Vec<_> = args.env.iter().map(flag).collect();
    let mut all = policy.env;
    all.retain(|(name, _)| flags.iter().all(|(flag, _)| flag != name));
    all.extend(flags);
    all
}

/// A variable with its value.
fn given((name, value): &(String, Option<String>)) -> Result<(String, String), String> {
    let value = match value {
        Some(value) => value.clone(),
        None => std::env::var(name).map_err(|error| format!("--env {name}: {error}; write --env {name}=VALUE"))?,
    };
    Ok((name.clone(), value))
}
