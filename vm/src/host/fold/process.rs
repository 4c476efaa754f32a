//! How a program ends before its end.

use super::call::Answer;
use super::{Call, Code, Text, rows};
use crate::host::HostError;

rows! {
    panic_with(message: text), Process, "Ends the program: it met a mistake of its own.";
    fail_with(message: text), Process, "Ends the program with an error: exit code 1.";
    error() -> int, Process, "The error number of the last call that failed, as in WASI.";
}

/// Longer messages are cut.
const LONGEST: usize = 64 << 10;

fn message(call: &Call<'_>, text: Text) -> String {
    let bytes = call.bytes(text);
    String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned()
}

fn panic_with(call: &mut Call<'_>, text: Text) -> Answer<()> {
    Err(HostError::Panic(message(call, text)).into())
}

fn fail_with(call: &mut Call<'_>, text: Text) -> Answer<()> {
    Err(HostError::Fail(message(call, text)).into())
}

fn error(call: &mut Call<'_>) -> Answer<Code> {
    Ok(Code(i64::from(call.host.fold.error)))
}
