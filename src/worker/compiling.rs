//! Compiling for the worker that runs a program, which is another process.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};

use pinfold::job::{EndKind, Ending, Run, descriptors};
use pinfold::{exit, policy};
use pinfold_vm::api::{CompilerService, Error, available};
use pinfold_vm::module::Bytes;

use crate::Channel;
use crate::kept::{self, forever};
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
    let Some(length) = run.keeps else { return Ok(service) };
    let [entry, room] = descriptors::COMPILER_KEPT.map(given);
    let (entry, room) = (forever(File::from(entry)), kept::map(&room, length as usize).map_err(Error::host)?);
    let earlier = move || {
        let mut all = Vec::new();
        // Of a file as it is, its size would be asked.
        (&*entry).take(u64::MAX).read_to_end(&mut all)?;
        Ok(all)
    };
    let later = move |code: Vec<u8>| {
        room.get_mut(..code.len()).ok_or(io::ErrorKind::FileTooLarge)?.copy_from_slice(&code);
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
