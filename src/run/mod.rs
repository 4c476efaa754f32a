//! `pinfold run`: gives a program to a worker with what was granted, and says how it ended.

mod args;
mod settings;

use std::time::Instant;

use pinfold::job::{Job, Run, Task};
use pinfold::supervisor::{self, Bounds, Outcome, SupervisorError, Wanted};
use pinfold::{exit, policy};

use crate::report;
use crate::report::document::{self, Failure, Ran};
pub use args::Args;
pub use settings::Settings;

/// Runs a program and says how it ended.
pub fn run(args: &Args) -> u8 {
    let file = match args.report.as_deref().map(document::create).transpose() {
        Ok(file) => file,
        Err(error) => {
            eprintln!("pinfold: {error}");
            return exit::REFUSED;
        }
    };
    let settings = Settings::new(args);
    let result = match &settings {
        Ok(settings) => attempt(args, settings),
        Err(message) => Err(Failure { message: message.clone(), code: exit::REFUSED, is_program: false }),
    };
    let code = match &result {
        Ok(outcome) => outcome.verdict.code(),
        Err(failure) => {
            eprintln!("pinfold: {}", failure.message);
            failure.code
        }
    };
    if let Some(file) = file {
        let settings = settings.as_ref().ok();
        let ran = Ran { program: &args.file, settings, layers: args.layers(), result: result.as_ref() };
        if let Err(error) = document::write(file, &ran) {
            eprintln!("pinfold: the report cannot be written: {error}");
        }
    }
    code
}

fn attempt(args: &Args, settings: &Settings) -> Result<Outcome, Failure> {
    let fail = |message: String, code| Failure { message, code, is_program: code == exit::NOT_A_MODULE };
    let refused = |error: &dyn std::fmt::Display| fail(error.to_string(), exit::REFUSED);
    if args.unsafe_no_sandbox {
        eprintln!(
            "pinfold: warning: there is no sandbox; a program that breaks out of the virtual machine has all of your rights"
        );
    }
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let start = Instant::now();
    let program =
        supervisor::read_program(&args.file, limit).map_err(|error| fail(error.to_string(), exit::NOT_A_MODULE))?;
    let read = start.elapsed();
    let Settings { grants, max_memory, max_stack, .. } = settings;
    let plan = policy::plan(grants, *max_memory, *max_stack, args.layers()).map_err(|error| refused(&error))?;
    let bounds = Bounds { timeout: settings.deadline(), output: grants.output_limit };
    let run = Run {
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
    };
    let wanted = Wanted { usage: args.stats || args.report.is_some() };
    let job = Job { plan, task: Task::Run(Box::new(run)) };
    let outcome = supervisor::observe(&job, &program, &bounds, &wanted).map_err(|error| match error {
        SupervisorError::Program { .. } => fail(error.to_string(), exit::NOT_A_MODULE),
        SupervisorError::Spawn(_) => {
            let hint = "pinfold doctor says which layers this host can give, --without goes on without some";
            fail(format!("{error}\n  {hint}"), exit::REFUSED)
        }
        error => refused(&error),
    })?;
    if args.stats {
        report::stats(&outcome, read);
    }
    report::explain(&outcome.verdict, settings.timeout);
    Ok(outcome)
}
