//! `--audit`: a line of JSON for each call. Its form is described in docs/records.md.

use std::time::Duration;

use pinfold_vm::host::record::{Argument, Given, Outcome};
use pinfold_vm::host::{Event, Grants};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::grant;
use crate::json;

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    at_us: u64,
    module: &'a str,
    call: &'a str,
    capability: Option<&'static str>,
    grant: Option<String>,
    access: Option<&'static str>,
    args: Map<String, Value>,
    allowed: bool,
    outcome: &'static str,
    errno: Option<String>,
    gave: Option<Value>,
    took_us: f64,
}

/// The line of a call: the how-manieth it is, and how long after the start it was told.
pub fn line(event: &Event, seq: u64, at: Duration, grants: &Grants) -> serde_json::Result<String> {
    let (module, call) = super::names(event);
    let grant = grant::of_event(event, grants);
    let shown = event.arguments().filter_map(|(name, _, value)| Some((name.to_owned(), argument(value, grants)?)));
    json::line(&Line {
        seq,
        at_us: u64::try_from(at.as_micros()).unwrap_or(u64::MAX),
        module,
        call,
        capability: event.row().map(|row| row.capability.name()),
        access: grant.as_ref().and_then(|grant| grant.access),
        grant: grant.map(|grant| grant.name),
        args: shown.collect(),
        allowed: !event.outcome.is_refusal(),
        outcome: outcome(event.outcome),
        errno: event.outcome.errno().map(|errno| errno.name()),
        gave: gave(event),
        took_us: event.took as f64 / 1e3,
    })
}

/// An argument that means something outside of the program.
fn argument(argument: &Argument, grants: &Grants) -> Option<Value> {
    Some(match argument {
        Argument::Hidden => return None,
        Argument::Number(number) => (*number).into(),
        Argument::Path(path) => path.as_str().into(),
        Argument::Unreadable => Value::Null,
        Argument::Descriptor { number, origin, path } => {
            let grant = origin.and_then(|origin| grant::of_origin(origin, grants));
            json!({ "fd": number, "grant": grant.map(|grant| grant.name), "path": path })
        }
    })
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "ok",
        Outcome::Errno(_) => "error",
        Outcome::Exit(_) => "exit",
        Outcome::OutputLimit => "output_limit",
        Outcome::Interrupted => "interrupted",
        Outcome::Failed => "failed",
        Outcome::NotGranted => "not_granted",
    }
}

fn gave(event: &Event) -> Option<Value> {
    match (event.given, event.outcome) {
        (Some(Given::Descriptor(number)), _) => Some(json!({ "fd": number })),
        (Some(Given::Bytes(bytes)), _) => Some(json!({ "bytes": bytes })),
        (None, Outcome::Exit(code)) => Some(json!({ "code": code })),
        (None, _) => None,
    }
}
