//! Modules and their harnesses on V8, in node: an engine that shares nothing with ours.
//!
//! One process runs a batch. It is given, for each module, the number of calls and then provider, module and driver, each
//! after its length, all numbers as 32 bits; and prints a line of JSON for each: what it saw, as `v8.mjs` writes it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pinfold_vm::api::TrapKind;
use serde_json::Value;

use crate::harness::{Harness, Sight, Sights};
use crate::node;
use crate::wasmtime::NULL;

/// Modules that one process runs.
const BATCH: usize = 200;

/// A module that waits for its turn.
struct Waiting {
    label: String,
    bytes: Vec<u8>,
    harness: Harness,
    expected: Sights,
}

/// V8, if it is there, and what it is to run.
pub struct V8 {
    node: PathBuf,
    waiting: Vec<Waiting>,
    pub ran: u64,
}

impl V8 {
    /// If node is there.
    pub fn find() -> Option<Self> {
        node::find().map(|node| Self { node, waiting: Vec::new(), ran: 0 })
    }

    /// Has a module run, now or later; `expected` is what Pinfold shows.
    pub fn add(
        &mut self,
        label: String,
        bytes: Vec<u8>,
        harness: Harness,
        expected: Sights,
        failures: &mut Vec<String>,
    ) {
        self.waiting.push(Waiting { label, bytes, harness, expected });
        if self.waiting.len() >= BATCH {
            self.finish(failures);
        }
    }

    /// Runs what waits.
    pub fn finish(&mut self, failures: &mut Vec<String>) {
        let batch = std::mem::take(&mut self.waiting);
        if batch.is_empty() {
            return;
        }
        let mut input = Vec::new();
        for Waiting { bytes, harness, .. } in &batch {
            input.extend((harness.calls as u32).to_le_bytes());
            for part in [&harness.provider, bytes, &harness.driver] {
                input.extend((part.len() as u32).to_le_bytes());
                input.extend(part);
            }
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/v8.mjs");
        let mut node = Command::new(&self.node)
            .args(["--no-warnings", "--experimental-wasm-exnref", "--disable-wasm-trap-handler", "--expose-gc"])
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        node.stdin.take().unwrap().write_all(&input).unwrap();
        let output = node.wait_with_output().unwrap();
        let lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').collect();
        for (i, Waiting { label, expected, .. }) in batch.iter().enumerate() {
            let line = lines.get(i).and_then(|line| serde_json::from_slice::<Value>(line).ok());
            match line.as_ref().and_then(Value::as_array).map(|all| all.iter().map(sight).collect::<Result<_, _>>()) {
                Some(Ok(sights)) => {
                    failures
                        .extend(expected.differ(&Sights(sights)).map(|what| format!("{label}: against V8: {what}")));
                }
                Some(Err(what)) => failures.push(format!("{label}: V8: {what}")),
                None => failures.push(format!("{label}: V8 ended ({})", output.status)),
            }
            self.ran += 1;
        }
    }
}

fn sight(seen: &Value) -> Result<Sight, String> {
    let text = seen[1].as_str();
    Ok(match (seen[0].as_str(), text) {
        (Some("instantiated"), _) => Sight::Instantiated,
        (Some("returned"), Some(number)) => Sight::Returned(number.parse().map_err(|_| number)?),
        (Some("memory"), _) => {
            Sight::Memory(seen[1].as_u64().unwrap_or(0) as usize, seen[2].as_u64().unwrap_or(0) as u32)
        }
        (Some("exhausted"), _) => Sight::Exhausted,
        (Some("failed"), Some(message)) => failure(message).ok_or_else(|| format!("{message:?}, which is new"))?,
        _ => return Err(seen.to_string()),
    })
}

/// What V8's message may mean. `None` if it is none that is known.
fn failure(message: &str) -> Option<Sight> {
    use TrapKind as K;
    let message = message.strip_prefix("WebAssembly.Instance(): ").unwrap_or(message);
    if message.starts_with("data segment ") {
        return Some(Sight::Failed(vec![K::MemoryOutOfBounds]));
    }
    Some(Sight::Failed(match message {
        "exception" => vec![K::UncaughtException],
        "unreachable" => vec![K::Unreachable],
        "memory access out of bounds" => vec![K::MemoryOutOfBounds],
        "divide by zero" | "remainder by zero" => vec![K::DivideByZero],
        "divide result unrepresentable" => vec![K::IntegerOverflow],
        "float unrepresentable in integer range" => vec![K::InvalidConversion, K::IntegerOverflow],
        "table index is out of bounds" => vec![K::TableOutOfBounds, K::UndefinedElement],
        // An `array.init_elem` that passes both ends looks at the array last here, and first in the specification.
        "element segment out of bounds" => vec![K::TableOutOfBounds, K::ArrayOutOfBounds],
        "null function or function signature mismatch" => vec![K::UninitializedElement, K::IndirectCallTypeMismatch],
        "dereferencing a null pointer" => NULL.to_vec(),
        "rethrowing null value" => vec![K::NullException],
        "illegal cast" => vec![K::CastFailure],
        "array element access out of bounds" => vec![K::ArrayOutOfBounds],
        "requested new array is too large" => return Some(Sight::Exhausted),
        _ => return None,
    }))
}
