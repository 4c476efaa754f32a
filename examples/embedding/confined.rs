//! Programs of strangers, each in a process of its own that the kernel holds too. The executable `pinfold-worker` has to be there.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use pinfold::{Console, Isolation, Vm, grants};

const PROGRAMS: [(&str, &str); 3] = [
    ("good.fold", "needs out: Console\nout.print(\"six times seven is {6 * 7}\")"),
    ("greedy.fold", "needs out: Console\nout.print(\"{List.repeat(0, 10000000).len()}\")"),
    ("curious.fold", "needs out: Console, files: Dir\nout.print(files.read_text(\"/etc/passwd\")?)"),
];

/// A host that is installed with its worker beside it need not say where that is. Cargo builds examples and tests a folder further down.
pub fn worker() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.parent()?.join("pinfold-worker");
    beside.exists().then_some(beside)
}

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut builder = Vm::builder().isolation(Isolation::Worker).memory(32 << 20);
    if let Some(worker) = worker() {
        builder = builder.worker(worker);
    }
    let vm = builder.build()?;
    for (name, source) in PROGRAMS {
        let console = Console::capture();
        let ran = vm.compile(name, source).and_then(|program| program.run(grants! { out: console.clone() }));
        match ran {
            Ok(_) => writeln!(out, "  {name}: {}", console.text().trim_end())?,
            Err(error) => writeln!(out, "  {name}: {}", error.code())?,
        }
    }
    Ok(())
}
