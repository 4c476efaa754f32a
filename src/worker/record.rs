//! Telling the supervisor of the program's calls, where it wants to know.

use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

use pinfold::job::Note;
use pinfold_vm::api::{Module, TierEvent};
use pinfold_vm::host::record::Sink;
use pinfold_vm::host::table;
use pinfold_vm::module::DefinedFunc;

/// Where notes go, of one thread at a time. It is never closed: that would be a system call.
#[derive(Clone)]
pub struct Notes(Arc<Mutex<ManuallyDrop<File>>>);

impl Notes {
    /// Of the descriptor that the supervisor gave for it.
    ///
    /// # Safety
    /// It must be one that nobody else uses.
    pub unsafe fn new(descriptor: RawFd) -> Self {
        // SAFETY: by contract.
        Self(Arc::new(Mutex::new(ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor) }))))
    }

    /// Tells which capabilities a module's imports need.
    pub fn imports(&self, module: &Module) -> io::Result<()> {
        let needs = module.imports().filter_map(|(module, name, _)| table::lookup(module, name));
        let mut needs: Vec<_> = needs.map(|row| row.capability).collect();
        needs.sort_unstable();
        needs.dedup();
        self.tell(&Note::Imports(needs))
    }

    /// Tells how much of a module there is to compile.
    pub fn ahead(&self, module: &Module) -> io::Result<()> {
        let module = module.inner();
        let bodies = (0..module.defined_count() as u32).map(|func| module.body(DefinedFunc(func)).len() as u64);
        self.tell(&Note::Ahead { functions: bodies.len() as u64, bytes: bodies.sum() })
    }

    /// For calls.
    pub fn sink(&self) -> Sink {
        let notes = self.clone();
        Box::new(move |event| notes.tell(&Note::Call(event.clone())))
    }

    /// For what the tiers do.
    pub fn tiers(&self) -> impl Fn(&TierEvent) + Send + Sync + 'static {
        let notes = self.clone();
        move |event| {
            // Without a supervisor there is nobody to tell.
            let _ = notes.tell(&Note::Tier(event.clone()));
        }
    }

    /// One note a line. Waits where the supervisor is slower; it ends a program whose time is over meanwhile.
    fn tell(&self, note: &Note) -> io::Result<()> {
        let mut line = serde_json::to_vec(note)?;
        line.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}
