//! What a program asks of its host, written down: for programs ([`audit`]), for people ([`trace`]), and as a policy ([`learn`]); and what is
//! told of how it runs ([`tiers`]).
//!
//! It is the worker's statement. Each event was looked at before it comes here; the texts in it are the program's own words.

mod audit;
mod grant;
pub mod learn;
mod tiers;
mod trace;

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pinfold::job::Note;
use pinfold::supervisor::Sink;
use pinfold_vm::api::TierEvent;
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
    /// Where what the tiers do goes, if anywhere.
    pub tiers: Option<Tiers>,
}

/// Where what the tiers do goes.
pub enum Tiers {
    /// A line on standard error for each.
    Shown,
    /// A line of JSON for each.
    Written(File),
}

impl Records {
    /// Whether there is any need to record calls.
    pub fn are_wanted(&self) -> bool {
        self.audit.is_some() || self.trace || self.learned.is_some()
    }

    /// Whether there is any need to record anything.
    pub fn is_anything_wanted(&self) -> bool {
        self.are_wanted() || self.tiers.is_some()
    }

    /// Takes events from now on.
    pub fn into_sink(mut self) -> Sink {
        let (start, mut calls) = (Instant::now(), 0);
        Box::new(move |note| {
            if let Some(learned) = &self.learned {
                learned.lock().unwrap_or_else(PoisonError::into_inner).note(note, &self.grants);
            }
            match note {
                Note::Imports(_) | Note::Ahead { .. } => Ok(0),
                Note::Tier(event) => self.write_tier(event, start),
                Note::Call(event) => {
                    calls += 1;
                    self.write(event, calls, start)
                }
            }
        })
    }

    /// Bytes that were written of what a tier did.
    fn write_tier(&mut self, event: &TierEvent, start: Instant) -> io::Result<u64> {
        let line = match &mut self.tiers {
            None => return Ok(0),
            Some(Tiers::Shown) => {
                let line = tiers::line(event) + "\n";
                // Nobody may be there to see it.
                let _ = io::stderr().write_all(line.as_bytes());
                line
            }
            Some(Tiers::Written(file)) => {
                let line = tiers::json_line(event, start.elapsed())? + "\n";
                file.write_all(line.as_bytes())?;
                line
            }
        };
        Ok(line.len() as u64)
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
