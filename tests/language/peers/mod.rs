//! Programs on engines that are not ours: their modules are WebAssembly and nothing else, and mean the same there.
//!
//! Wasmtime is given the rows of the host table as they are: what they see of a guest is [`Objects`], and here that is a table of
//! copies. Each call is written down with what it was given and what it answered. V8 is played that record: its program has to make the
//! same calls in the same order, is answered the same, and has to end in the same way.

mod v8;
mod wasmtime;

use std::sync::{Arc, Mutex};

use pinfold_compiler::Options;
use pinfold_vm::host::HostError;
use pinfold_vm::host::fold::{HostValue, Objects};
use serde_json::{Value, json};

use super::case::{self, Case, Kind};
use super::program::{Done, End, World, check, lines};
use super::wrong;

/// A value that passes between a program and its host.
#[derive(Clone, Debug, PartialEq)]
pub enum Passed {
    Nothing,
    Null,
    Flag(i32),
    Int(i64),
    Float(f64),
    Bytes(Vec<u8>),
    /// A capability, by its number.
    Handle(usize),
}

impl Passed {
    /// As V8's side reads it.
    fn json(&self) -> Value {
        match self {
            Self::Nothing => json!(["nothing"]),
            Self::Null => json!(["null"]),
            Self::Flag(flag) => json!(["flag", flag]),
            Self::Int(number) => json!(["int", number.to_string()]),
            Self::Float(number) => json!(["float", number.to_bits().to_string()]),
            Self::Bytes(bytes) => json!(["bytes", hex(bytes)]),
            Self::Handle(number) => json!(["handle", number]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A call of the host; without an answer it ended the program.
#[derive(Clone, Debug)]
pub struct Call {
    name: &'static str,
    given: Vec<Passed>,
    answer: Option<Passed>,
}

/// What a program on another engine did with its host.
#[derive(Clone, Default)]
pub struct Record {
    calls: Vec<Call>,
    /// All capabilities that it was handed, at first and later.
    handles: Vec<HostValue>,
}

/// What one call sees of a guest: copies, by numbers from 1. Capabilities keep their numbers from call to call.
struct Copies<'a> {
    texts: Vec<Vec<u8>>,
    handles: &'a mut Vec<HostValue>,
}

impl Objects for Copies<'_> {
    fn bytes(&self, reference: u64) -> &[u8] {
        &self.texts[reference as usize - 1]
    }

    fn make_bytes(&mut self, bytes: &[u8]) -> Result<u64, HostError> {
        self.texts.push(bytes.to_vec());
        Ok(self.texts.len() as u64)
    }

    fn host_value(&self, reference: u64) -> Option<HostValue> {
        self.handles.get((reference as usize).checked_sub(1)?).cloned()
    }

    fn make_externref(&mut self, value: HostValue) -> Result<u64, HostError> {
        self.handles.push(value);
        Ok(self.handles.len() as u64)
    }
}

/// Kinds of modules.
const KINDS: [(&str, Options); 3] = [
    ("optimised", Options { optimise: true, portable: false, tests: false }),
    ("portable", Options { optimise: true, portable: true, tests: false }),
    ("not optimised", Options { optimise: false, portable: false, tests: false }),
];

#[test]
fn programs_do_the_same_on_other_engines() {
    let mut cases = case::all();
    cases.retain(|case| case.kind != Kind::Reject);
    if cfg!(debug_assertions) {
        // A share: wasmtime's compiler takes many times as long there.
        cases = cases.into_iter().step_by(10).collect();
    }
    let v8 = v8::V8::find().map(Mutex::new);
    let numbered: Vec<(usize, &Case)> = cases.iter().enumerate().collect();
    let mut found = wrong(&numbered, |(number, case)| {
        // One kind of each, and all of one in eight.
        let kinds = if number.is_multiple_of(8) { &KINDS[..] } else { &KINDS[number % KINDS.len()..][..1] };
        for (kind, options) in kinds {
            look(case, kind, *options, v8.as_ref()).map_err(|why| format!("{} ({kind})\n  {why}", case.place()))?;
        }
        Ok(())
    });
    let ran = match v8.map(|v8| v8.into_inner().expect("no thread panicked")) {
        Some(mut v8) => {
            v8.finish(&mut found);
            v8.ran.to_string()
        }
        None => "SKIPPED: node is not there; tests/guests/fetch gets it".to_owned(),
    };
    assert!(found.is_empty(), "{}", found.join("\n"));
    println!("{} cases on wasmtime; modules on V8: {ran}", cases.len());
}

#[test]
fn v8_is_held_to_the_record() {
    let Some(v8) = v8::V8::find() else { return println!("SKIPPED: node is not there; tests/guests/fetch gets it") };
    let checked =
        check("needs out: Console\nout.print(\"as it was\")\n").unwrap_or_else(|error| panic!("{}", lines(&error)));
    let tampered = |tamper: fn(&mut Record)| {
        let module = checked.compile(Options::default()).unwrap_or_else(|error| panic!("{}", lines(&error)));
        let (done, mut record) = wasmtime::run(&module, &World::default()).unwrap();
        assert_eq!(done, Done { output: "as it was\n".to_owned(), end: End::Good });
        tamper(&mut record);
        let (mut v8, mut wrong) = (v8.clone(), Vec::new());
        v8.add("a program".to_owned(), module, record, End::Good);
        v8.finish(&mut wrong);
        wrong.join("\n")
    };
    assert_eq!(tampered(|_| ()), "");
    assert!(tampered(|record| record.calls.clear()).contains("it also calls console_write"));
    assert!(tampered(|record| record.calls.push(record.calls[0].clone())).contains("it makes 1 calls, not 2"));
    assert!(tampered(|record| record.calls[0].name = "console_error").contains("call 1 is of console_write"));
    let seen = tampered(|record| record.calls[0].given[1] = Passed::Bytes(b"as it is\n".to_vec()));
    assert!(seen.contains(&hex(b"as it was\n")), "{seen}");
    assert!(tampered(|record| record.calls[0].answer = None).contains("V8: ended"));
}

fn look(case: &Case, kind: &str, options: Options, v8: Option<&Mutex<v8::V8>>) -> Result<(), String> {
    let checked = check(&case.text).map_err(|rejected| lines(&rejected))?;
    let module = checked.compile(options).map_err(|rejected| lines(&rejected))?;
    let world = World { input: case.input.clone(), ..World::default() };
    let (done, record) = wasmtime::run(&module, &world).map_err(|error| format!("wasmtime: {error:?}"))?;
    let expected = Done { output: case.output.clone(), end: case.end() };
    if done != expected {
        return Err(format!("wasmtime: {done:?}\n  expected: {expected:?}"));
    }
    if let Some(v8) = v8 {
        v8.lock().expect("no thread panicked").add(format!("{} ({kind})", case.place()), module, record, done.end);
    }
    Ok(())
}

/// What is written to standard output and error.
type Output = Arc<Mutex<Vec<u8>>>;
