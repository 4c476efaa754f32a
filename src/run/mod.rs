//! `pinfold run`: gives a program to a worker with what was granted, and says how it ended.

mod args;

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pinfold::exit;
use pinfold::job::{Job, Run, Task};
use pinfold::supervisor::{self, Bounds, Remains, SupervisorError};
use pinfold_sandbox::cgroup::Making;

use crate::report;
pub use args::Args;

/// Runs a program and says how it ended.
pub fn run(args: &Args) -> ExitCode {
    let (code, remains) = match attempt(args) {
        Ok((code, remains)) => (code, Some(remains)),
        Err((message, code)) => {
            eprintln!("pinfold: {message}");
            (code, None)
        }
    };
    let _ = std::io::stderr().flush();
    if let Some(remains) = remains {
        remains.leave();
    }
    // Threads that still move output have nothing left to move.
    std::process::exit(code.into())
}

fn attempt(args: &Args) -> Result<(u8, Remains), (String, u8)> {
    let refused = |error: &dyn std::fmt::Display| (error.to_string(), exit::REFUSED);
    let grants = args.grants().map_err(|error| refused(&error))?;
    if args.unsafe_no_sandbox {
        eprintln!(
            "pinfold: warning: there is no sandbox; a program that breaks out of the virtual machine has all of your rights"
        );
    }
    let plan = args.plan(&grants).map_err(|error| refused(&error))?;
    let cgroup = Making::begin(&plan);
    let limit = pinfold_vm::verifier::Limits::default().module_bytes;
    let start = Instant::now();
    let program =
        supervisor::read_program(&args.file, limit).map_err(|error| (error.to_string(), exit::NOT_A_MODULE))?;
    let read = start.elapsed();
    let bounds = Bounds {
        timeout: (args.timeout > 0.0).then(|| Duration::try_from_secs_f64(args.timeout).unwrap_or(Duration::MAX)),
        output: grants.output_limit,
    };
    let run = Run {
        grants,
        file: args.file.clone(),
        max_memory: args.max_memory.0,
        max_stack: args.max_stack.0,
        fuel: args.fuel,
        tier: args.tier,
        deterministic: args.deterministic || args.seed.is_some(),
        invoke: args.invoke.clone(),
        invoke_args: args.args.clone(),
        trap_unknown_imports: args.trap_unknown_imports,
    };
    let (verdict, remains) = supervisor::run(&Job { plan, task: Task::Run(Box::new(run)) }, cgroup, &program, &bounds)
        .map_err(|error| match error {
            SupervisorError::Program { .. } => (error.to_string(), exit::NOT_A_MODULE),
            SupervisorError::Spawn(_) => {
                let hint = "pinfold doctor says which layers this host can give, --without goes on without some";
                (format!("{error}\n  {hint}"), exit::REFUSED)
            }
            error => refused(&error),
        })?;
    if args.stats {
        report::stats(&verdict, read);
    }
    report::explain(&verdict, args.timeout);
    Ok((verdict.code(), remains))
}
