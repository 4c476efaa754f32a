//! Programs on V8, in node.
//!
//! One process runs a batch: it reads a line of JSON for each module, with the calls that it is to make, and prints one with what it
//! did. Both are written as `v8.mjs` reads and writes them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Call, Passed, Record, hex};
use crate::node;
use crate::program::End;

/// Modules that one process runs.
const BATCH: usize = 100;

/// Hands texts over: scripts cannot look into arrays.
const TEXTS: &str = r#"
(module
  (type $bytes (array (mut i8)))
  (memory (export "memory") 1)
  (func $room (param $len i32)
    (local $pages i32)
    (local.set $pages (i32.sub
      (i32.shr_u (i32.add (local.get $len) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0)) (then (drop (memory.grow (local.get $pages))))))
  (func (export "room") (param i32) (call $room (local.get 0)))
  (func (export "read") (param $bytes (ref $bytes)) (result i32) (local $at i32)
    (call $room (array.len (local.get $bytes)))
    (block $end
      (loop $next
        (br_if $end (i32.eq (local.get $at) (array.len (local.get $bytes))))
        (i32.store8 (local.get $at) (array.get_u $bytes (local.get $bytes) (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $at))
  (func (export "make") (param $len i32) (result (ref $bytes)) (local $bytes (ref $bytes)) (local $at i32)
    (local.set $bytes (array.new_default $bytes (local.get $len)))
    (block $end
      (loop $next
        (br_if $end (i32.eq (local.get $at) (local.get $len)))
        (array.set $bytes (local.get $bytes) (local.get $at) (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $bytes)))
"#;

/// A module that waits for its turn.
#[derive(Clone)]
struct Waiting {
    label: String,
    module: Vec<u8>,
    record: Record,
    end: End,
}

/// V8, and what it is to run.
#[derive(Clone, Default)]
pub struct V8 {
    waiting: Vec<Waiting>,
    pub ran: usize,
}

impl V8 {
    /// If node is there.
    pub fn find() -> Option<Self> {
        node::find().map(|_| Self::default())
    }

    /// Has a module run later.
    pub fn add(&mut self, label: String, module: Vec<u8>, record: Record, end: End) {
        self.waiting.push(Waiting { label, module, record, end });
    }

    /// Runs what waits.
    pub fn finish(&mut self, wrong: &mut Vec<String>) {
        self.ran += self.waiting.len();
        for batch in std::mem::take(&mut self.waiting).chunks(BATCH) {
            run(batch, wrong);
        }
    }
}

fn run(batch: &[Waiting], wrong: &mut Vec<String>) {
    let mut input = String::new();
    let texts = wat::parse_str(TEXTS).expect("a right module");
    input.push_str(&json!({ "texts": hex(&texts) }).to_string());
    for Waiting { module, record, .. } in batch {
        let calls: Vec<Value> = record.calls.iter().map(call).collect();
        let handles = record.handles.len();
        input.push_str(&format!("\n{}", json!({ "module": hex(module), "handles": handles, "calls": calls })));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language/peers/v8.mjs");
    let mut node = Command::new(node::find().expect("it was there"))
        .args(["--no-warnings", "--experimental-wasm-exnref"])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    node.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("node reads");
    let output = node.wait_with_output().expect("node ends");
    let lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').collect();
    for (at, Waiting { label, end, .. }) in batch.iter().enumerate() {
        let line = lines.get(at).and_then(|line| serde_json::from_slice::<Value>(line).ok());
        let Some(seen) = line.as_ref().and_then(Value::as_str) else {
            wrong.push(format!("{label}\n  V8 ended ({})", output.status));
            return;
        };
        let same = match end {
            End::Good => seen == "good",
            End::Panic(message) if message == "integer overflow" => {
                ["divide result unrepresentable", "float unrepresentable in integer range"].contains(&seen)
                    || seen == "ended"
            }
            End::Panic(message) if message == "integer divide by zero" => {
                ["divide by zero", "remainder by zero", "ended"].contains(&seen)
            }
            _ => seen == "ended",
        };
        if !same {
            wrong.push(format!("{label}\n  V8: {seen}; expected: {end:?}"));
        }
    }
}

fn call(call: &Call) -> Value {
    let given: Vec<Value> = call.given.iter().map(Passed::json).collect();
    json!([call.name, given, call.answer.as_ref().map(Passed::json)])
}
