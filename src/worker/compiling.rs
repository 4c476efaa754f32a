//! Compiling for the worker that runs a program, which is another process.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};

use pinfold::job::{EndKind, Ending, Run, descriptors};
use pinfold::{exit, policy};
use pinfold_vm::api::{CompilerService, Error, available};
use pinfold_vm::module::Bytes;

use crate::Channel;
use crate::kept::forever;
use crate::run;

/// Makes all that cannot be made after lock-down.
pub fn prepare(run: &Run, program: Bytes, channel: &'static Channel) -> Result<CompilerService, Error> {
    // SAFETY: the supervisor gives them; nobody else uses them.
    let given = |number| unsafe { OwnedFd::from_raw_fd(number) };
    let [asked, code] = descriptors::COMPILER.map(given);
    let threads = available().min(policy::COMPILER_THREADS) - 1;
    let service = CompilerService::new(&run::config(run, false), asked, code, Some(program), threads)?;
    // The standard library asks for randomness, once, at the first use of a map.
    drop(std::hash::RandomState::new());
    if run.keeps.is_none() {
        return Ok(service);
    }
    let [entry, room] = descriptors::COMPILER_KEPT.map(|number| forever(File::from(given(number))));
    let earlier = move || {
        let mut all = Vec::new();
        // Of a file as it is, its size would be asked.
        (&*entry).take(u64::MAX).read_to_end(&mut all)?;
        Ok(all)
    };
    let later = move |code: Vec<u8>| {
        (&*room).write_all(&code)?;
        channel.kept(code.len() as u64)
    };
    Ok(service.keeping(Some(Box::new(earlier)), Some(Box::new(later))))
}

/// Compiles until nobody asks any more.
pub fn run(service: CompilerService) -> Ending {
    match service.run() {
        Ok(()) => Ending::new(EndKind::Exit, 0, None),
        Err(error) => Ending::new(EndKind::NotStarted, exit::REFUSED, Some(error.to_string())),
    }
}
