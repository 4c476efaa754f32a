//! Arguments: a call that is allowed is refused in every other form than the one that it is allowed in.
//!
//! For each check of each call that a filter can name, the payload makes the call with that one argument beyond its check, and must end in
//! a violation by it; with each value that is allowed the kernel must come to see it. What the calls point to is nothing, so that none of
//! them does anything.

use std::process::Command;
use std::time::Duration;

use pinfold::job::{Insight, Job, Run, Task, TierName};
use pinfold::policy;
use pinfold::supervisor::{self, Bounds, Verdict};
use pinfold_sandbox::Layers;
use pinfold_sandbox::seccomp::Check;
use pinfold_sandbox::syscalls::{ALL, Syscall};
use pinfold_vm::host::Grants;
use pinfold_vm::module::Bytes;
use serde::{Deserialize, Serialize};

use crate::attack::{Attempt, refused, sys};
use crate::range::MEMORY;

/// The name of the program that makes one call.
pub const PROGRAM: &str = "form";

/// A call, as the payload is told to make it.
#[derive(Serialize, Deserialize)]
struct Call {
    number: u32,
    arguments: Arguments,
}

/// Makes the call of this program.
pub fn make(program: &str) -> Result<Attempt, serde_json::Error> {
    let Call { number, arguments: [a, b, c, d, e, f] } = serde_json::from_str(program)?;
    Ok(refused(match sys!(i64::from(number), a, b, c, d, e, f) {
        Ok(value) => format!("the kernel gave {value}"),
        Err(error) => error.to_string(),
    }))
}

/// Whether a value passes.
fn admits(check: &Check, value: u64) -> bool {
    match *check {
        Check::OneOf(_, values) => values.contains(&value),
        Check::Lacks(_, bits) => value & bits == 0,
        Check::Has(_, bits) => value & bits == bits,
        Check::Only(_, bits) => value & !bits == 0,
    }
}

fn argument(check: &Check) -> usize {
    let (Check::OneOf(at, _) | Check::Lacks(at, _) | Check::Has(at, _) | Check::Only(at, _)) = *check;
    at.into()
}

/// Values that could pass a check, and such that could not: those next to the ones that are listed, and each bit.
fn candidates(check: &Check) -> Vec<u64> {
    match *check {
        Check::OneOf(_, values) => {
            let near = values.iter().flat_map(|value| [*value, value + 1, value.wrapping_sub(1) & 0xffff_ffff]);
            near.chain([0, 1 << 31, u64::from(u32::MAX)]).collect()
        }
        Check::Lacks(_, bits) | Check::Has(_, bits) | Check::Only(_, bits) => {
            (0..32).map(|bit| 1 << bit).flat_map(|bit| [bit, bits | bit, bits & !bit]).collect()
        }
    }
}

type Arguments = [u64; 6];

/// Calls with every check met, and calls with one that is not: which.
fn forms(syscall: &Syscall) -> (Vec<Arguments>, Vec<(usize, Arguments)>) {
    let met = |arguments: &Arguments| -> Vec<bool> {
        syscall.form.iter().map(|check| admits(check, arguments[argument(check)])).collect()
    };
    // A descriptor that there is not, unless it is something else that stands first.
    let mut plain = [u64::MAX, 0, 0, 0, 0, 0];
    for check in syscall.form {
        let at = argument(check);
        let others = syscall.form.iter().filter(|other| argument(other) == at);
        let value = candidates(check).into_iter().find(|value| others.clone().all(|other| admits(other, *value)));
        plain[at] = value.expect("some form is allowed");
    }
    if matches!(syscall.name, "mprotect" | "madvise" | "mmap" | "futex") {
        plain[0] = 0;
    }
    let (mut allowed, mut beyond) = (vec![plain], Vec::new());
    for check in syscall.form {
        for value in candidates(check) {
            let mut arguments = plain;
            arguments[argument(check)] = value;
            let met = met(&arguments);
            match met.iter().position(|met| !met) {
                None => allowed.push(arguments),
                // Where two are broken, which of them refuses it is not known.
                Some(broken) if met.iter().filter(|met| !**met).count() == 1 => beyond.push((broken, arguments)),
                Some(_) => {}
            }
        }
    }
    allowed.sort_unstable();
    allowed.dedup();
    beyond.sort_unstable();
    beyond.dedup();
    (allowed, beyond)
}

/// How a worker ends that makes a call.
fn run(syscall: &Syscall, arguments: Arguments) -> Result<Verdict, Box<dyn std::error::Error>> {
    let grants = Grants::none();
    let mut plan = policy::plan(&grants, MEMORY, 1 << 20, Layers::all())?;
    plan.syscalls.push((syscall.name.to_owned(), "a form of it".to_owned()));
    let run = Run {
        grants,
        file: PROGRAM.into(),
        max_memory: MEMORY,
        max_stack: 1 << 20,
        fuel: None,
        tier: TierName::Interpreter,
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
    let call = serde_json::to_string(&Call { number: syscall.number, arguments })?;
    let program = Bytes::sealed(format!("{PROGRAM}\n{call}").as_bytes(), u64::MAX)?;
    let bounds = Bounds { timeout: Some(Duration::from_secs(10)), output: 1 << 10 };
    Ok(supervisor::run(&Job { plan, task: Task::Run(Box::new(run)) }, &program, &bounds)?)
}

/// Tries every form; whether all is well.
pub fn main() -> Result<bool, Box<dyn std::error::Error>> {
    let (mut admitted, mut refused, mut wrong) = (0, 0, 0);
    for syscall in ALL.iter().filter(|syscall| !syscall.form.is_empty()) {
        let (allowed, beyond) = forms(syscall);
        for (index, check) in syscall.form.iter().enumerate() {
            if !beyond.iter().any(|(broken, _)| *broken == index) {
                wrong += 1;
                println!("WRONG nothing breaks {check:?} of {} alone", syscall.name);
            }
        }
        for arguments in allowed {
            admitted += 1;
            let verdict = run(syscall, arguments)?;
            if !matches!(&verdict, Verdict::Ended(_)) {
                wrong += 1;
                println!("WRONG {}{arguments:x?} is allowed, and ends so: {verdict:?}", syscall.name);
            }
        }
        for (broken, arguments) in beyond {
            refused += 1;
            let verdict = run(syscall, arguments)?;
            let is_refused = matches!(&verdict, Verdict::Violation(violation)
                if violation.name.as_deref() == Some(syscall.name) && violation.arguments == arguments);
            if !is_refused {
                wrong += 1;
                let check = syscall.form[broken];
                println!("WRONG {}{arguments:x?}, beyond {check:?}, ends so: {verdict:?}", syscall.name);
            }
        }
    }
    println!("{admitted} forms of calls admitted, {refused} refused, {wrong} wrong");
    Ok(wrong == 0)
}

/// The same, in a process of its own, whose worker is the payload.
pub fn check(executable: &std::path::Path) -> Result<(), String> {
    let status = Command::new(executable).arg("--forms").env("PINFOLD_WORKER", executable).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("a form of a call does not end as it must".into()),
        Err(error) => Err(error.to_string()),
    }
}
