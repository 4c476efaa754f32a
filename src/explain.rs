//! `pinfold explain`: what the worker of a run could do, and what grants each of it.

use std::io::{self, Write as _};

use pinfold::job::TierName;
use pinfold::{exit, policy};
use pinfold_sandbox::seccomp::Check;
use pinfold_sandbox::{Cgroup, Layer, Plan};
use pinfold_vm::host::{Grants, NetGrant, Role};
use serde::Serialize;

use crate::run::{self, Settings};

/// Show how a run with these flags would be confined.
///
/// Layers, files, limits, and each system call with what needs it.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(flatten)]
    run: run::Args,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Syscall {
    name: &'static str,
    number: u32,
    /// What must hold of its arguments.
    form: Vec<String>,
    why: Vec<String>,
}

/// A connection, as the program finds it.
#[derive(Serialize)]
struct Connection<'a> {
    descriptor: usize,
    #[serde(flatten)]
    grant: &'a NetGrant,
}

#[derive(Serialize)]
struct Explanation<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    network: Vec<Connection<'a>>,
    limits_held_by: &'a str,
    filter: Vec<Syscall>,
    filter_instructions: usize,
    /// Of the process that compiles, if anything is compiled.
    compiler: Option<&'a Plan>,
}

/// Runs the command.
///
/// # Errors
/// If there is no such plan.
pub fn run(args: &Args) -> Result<u8, Box<dyn std::error::Error>> {
    let settings = Settings::new(&args.run)?;
    let (plan, grants) = (settings.plan(args.run.layers())?, &settings.grants);
    let held = held(&plan);
    let compiler = (args.run.tier != TierName::Interpreter).then(|| policy::of_compiler(&plan));
    let text = match args.json {
        true => json(grants, &plan, &held, compiler.as_ref())?,
        false => text(grants, &plan, &held)? + &compiler.as_ref().map(about_compiler).unwrap_or_default(),
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Who reads has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(exit::SUCCESS),
    }
}

fn filter(plan: &Plan) -> Result<Vec<Syscall>, Box<dyn std::error::Error>> {
    let rule = |rule: &pinfold_sandbox::seccomp::Rule| Syscall {
        name: rule.syscall.name,
        number: rule.syscall.number,
        form: rule.syscall.form.iter().map(form).collect(),
        why: rule.why.clone(),
    };
    Ok(plan.filter()?.rules().iter().map(rule).collect())
}

/// A check in words.
fn form(check: &Check) -> String {
    let list = |values: &[u64]| values.iter().map(|value| format!("{value:#x}")).collect::<Vec<_>>().join(", ");
    match check {
        Check::OneOf(at, values) => format!("argument {at} is one of {}", list(values)),
        Check::Lacks(at, bits) => format!("argument {at} without bits {bits:#x}"),
        Check::Has(at, bits) => format!("argument {at} with bits {bits:#x}"),
        Check::Only(at, bits) => format!("argument {at} within bits {bits:#x}"),
    }
}

/// What holds the limits on this host: that is found by trying.
fn held(plan: &Plan) -> String {
    let (groups, process) = (plan.layers.has(Layer::Cgroup), plan.layers.has(Layer::Rlimits));
    let alone = if process { "limits of the process alone" } else { "the virtual machine alone" };
    match groups.then(|| Cgroup::new(&plan.limits)) {
        None => alone.into(),
        Some(Ok(cgroup)) if process => format!("a cgroup of {cgroup}; and limits of the process"),
        Some(Ok(cgroup)) => format!("a cgroup of {cgroup}"),
        Some(Err(why)) => format!("{alone}, for there is no cgroup: {why}"),
    }
}

/// What there is to say of the process that compiles.
fn about_compiler(plan: &Plan) -> String {
    format!(
        "\nCompiler\n  a process of its own, made when something is to be compiled: the same layers,\n  \
         {} bytes of memory, no files, no network, {} system calls; any other ends it\n  \
         it writes the memory that code is in, and the worker executes it\n",
        plan.limits.memory,
        plan.syscalls.len()
    )
}

fn json(
    grants: &Grants,
    plan: &Plan,
    held: &str,
    compiler: Option<&Plan>,
) -> Result<String, Box<dyn std::error::Error>> {
    let filter_instructions = plan.filter()?.program(plan.refusal).len();
    let network = grants.sockets().map(|(descriptor, grant)| Connection { descriptor, grant }).collect();
    let filter = filter(plan)?;
    let explanation = Explanation { plan, network, limits_held_by: held, filter, filter_instructions, compiler };
    Ok(serde_json::to_string_pretty(&explanation)? + "\n")
}

fn text(grants: &Grants, plan: &Plan, held: &str) -> Result<String, Box<dyn std::error::Error>> {
    use std::fmt::Write;
    let mut out = String::from("Layers\n");
    for layer in plan.layers.iter() {
        writeln!(out, "  {:<14} {}", layer.name(), layer.description())?;
    }
    out += "\nFiles\n";
    if plan.directories.is_empty() {
        out += "  none\n";
    }
    for (index, directory) in plan.directories.iter().enumerate() {
        let mode = if directory.is_writable() { "read and write" } else { "read" };
        writeln!(out, "  {} as {} ({mode})", directory.host.display(), directory.place(index).display())?;
    }
    out += "\nNetwork\n";
    if grants.net.is_empty() {
        out += "  none\n";
    }
    for (descriptor, grant) in grants.sockets() {
        let role = match grant.role {
            Role::Connect => "connected to",
            Role::Listen => "listening on",
        };
        write!(out, "  descriptor {descriptor}: {role} {}", grant.origin())?;
        match &grant.name {
            Some(name) => writeln!(out, " (PINFOLD_FD_{name})")?,
            None => out.push('\n'),
        }
    }
    let limits = &plan.limits;
    out += "\nLimits\n";
    writeln!(out, "  {} bytes of memory, {} open descriptors, no new process", limits.memory, limits.descriptors)?;
    writeln!(out, "  {} processes and threads, beside one for each processor", limits.processes)?;
    if let Some(time) = limits.cpu_time {
        writeln!(out, "  {} s of processor time", time.as_secs_f64())?;
    }
    if let Some(percent) = limits.cpu_percent {
        writeln!(out, "  {} processors", f64::from(percent) / 100.0)?;
    }
    writeln!(out, "  held by {held}")?;
    let rules = filter(plan)?;
    writeln!(out, "\nSystem calls: {}", rules.len())?;
    for rule in rules {
        writeln!(out, "  {:<14} {}", rule.name, rule.why.join("; "))?;
        for form in rule.form {
            writeln!(out, "{:17}{form}", "")?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use pinfold_sandbox::Layers;
    use pinfold_vm::host::DirGrant;

    use super::*;

    fn plan(grants: &Grants) -> Plan {
        policy::plan(grants, 1 << 30, 8 << 20, Layers::all()).expect("the directory is there")
    }

    #[test]
    fn nothing_granted_is_seven_system_calls() {
        assert_eq!(filter(&plan(&Grants::none())).expect("known names").len(), 7);
    }

    #[test]
    fn the_filters_of_the_usual_grants() {
        let directory = |mode: &str| format!("/::/data{mode}").parse::<DirGrant>().expect("well written");
        let with = |directory| Grants { dirs: vec![directory], ..Grants::command() };
        let connection = NetGrant::connect("api=api.example.com:443").expect("well written");
        let listener = NetGrant::listen("127.0.0.1:80").expect("well written");
        for (name, grants) in [
            ("none", Grants::none()),
            ("default", Grants::command()),
            ("directory", with(directory(""))),
            ("writable", with(directory(":rw"))),
            ("deterministic", Grants { deterministic: Some(1), ..Grants::command() }),
            ("network", Grants { net: vec![connection, listener], ..Grants::none() }),
        ] {
            insta::assert_snapshot!(name, text(&grants, &plan(&grants), "a cgroup").expect("known names"));
        }
    }
}
