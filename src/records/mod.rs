//! What a program asks of its host, written down: for programs ([`audit`]), for people ([`trace`]), and as a policy ([`learn`]).
//!
//! It is the worker's statement. Each event was looked at before it comes here; the texts in it are the program's own words.

mod audit;
mod grant;
pub mod learn;
mod trace;

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pinfold::job::Note;
use pinfold::supervisor::Sink;
use pinfold_vm::host::{Event, Grants};

pub use learn::Learned;

/// Where events go.
pub struct Records {
    /// What was granted.
    pub grants: Grants,
    /// A line of JSON for each.
    pub audit: Option<File>,
    /// A line on standard error for each.
    pub trace: bool,
    /// What a policy must grant.
    pub learned: Option<Arc<Mutex<Learned>>>,
}

impl Records {
    /// Whether there is any need to record.
    pub fn are_wanted(&self) -> bool {
        self.audit.is_some() || self.trace || self.learned.is_some()
    }

    /// Takes events from now on.
    pub fn into_sink(mut self) -> Sink {
        let (start, mut calls) = (Instant::now(), 0);
        Box::new(move |note| {
            if let Some(learned) = &self.learned {
                learned.lock().unwrap_or_else(PoisonError::into_inner).note(note, &self.grants);
            }
            match note {
                Note::Imports(_) => Ok(0),
                Note::Call(event) => {
                    calls += 1;
                    self.write(event, calls, start)
                }
            }
        })
    }

    /// Bytes that were written.
    fn write(&mut self, event: &Event, call: u64, start: Instant) -> io::Result<u64> {
        let mut written = 0;
        if let Some(file) = &mut self.audit {
            // In one piece, so that whoever reads along sees whole lines.
            let line = audit::line(event, call, start.elapsed(), &self.grants)? + "\n";
            file.write_all(line.as_bytes())?;
            written += line.len();
        }
        if self.trace {
            let line = trace::line(event, &self.grants) + "\n";
            // Nobody may be there to see it.
            let _ = io::stderr().write_all(line.as_bytes());
            written += line.len();
        }
        Ok(written as u64)
    }
}

/// The names of a function, which may be the program's own words.
fn names(event: &Event) -> (&str, &str) {
    use pinfold_vm::host::record::Callee;
    match (&event.callee, event.row()) {
        (Callee::Unknown { module, name }, _) => (module, name),
        (Callee::Row(_), Some(row)) => (row.module, row.name),
        (Callee::Row(_), None) => ("", ""),
    }
}
