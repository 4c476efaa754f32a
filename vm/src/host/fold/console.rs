//! The console: standard input, output and error.

use std::sync::Arc;

use super::call::Answer;
use super::handle::{Handle, Kind};
use super::{Call, Done, Text, rows};
use crate::host::descriptor::Descriptor;
use crate::host::state::HostState;
use crate::host::wasi::Errno;

rows! {
    console_write(console: handle, text: text) -> int, Files, "Writes a text to standard output.";
    console_error(console: handle, text: text) -> int, Files, "Writes a text to standard error.";
    console_read_line(console: handle) -> text(optional), Files, "Reads a line of standard input, without its end.";
}

/// So much is gathered before it is passed on, where nobody looks on.
const GATHERED: usize = 32 << 10;
/// Read at a time.
const CHUNK: usize = 8 << 10;
/// The longest line.
const LONGEST: usize = 64 << 20;

fn is_console(kind: &Kind) -> bool {
    matches!(kind, Kind::Console)
}

fn console_write(call: &mut Call<'_>, console: Arc<Handle>, text: Text) -> Answer<Done> {
    console.expect(is_console)?;
    let bytes = call.bytes(text).to_vec();
    call.host.fold.output.extend_from_slice(&bytes);
    let line_ends = bytes.contains(&b'\n') && call.host.descriptors.get(1).is_ok_and(Descriptor::is_terminal);
    if line_ends || call.host.fold.output.len() >= GATHERED {
        flush(call)?;
    }
    Ok(Done)
}

fn console_error(call: &mut Call<'_>, console: Arc<Handle>, text: Text) -> Answer<Done> {
    console.expect(is_console)?;
    flush(call)?;
    let bytes = call.bytes(text).to_vec();
    write_all(call, 2, &bytes)?;
    Ok(Done)
}

fn console_read_line(call: &mut Call<'_>, console: Arc<Handle>) -> Answer<Option<Vec<u8>>> {
    console.expect(is_console)?;
    flush(call)?;
    let mut searched = 0;
    loop {
        let input = &mut call.host.fold.input;
        if let Some(end) = input[searched..].iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = input.drain(..=searched + end).collect();
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Some(line));
        }
        searched = input.len();
        if searched > LONGEST {
            return Err(Errno::TooBig.into());
        }
        let part = read(call, 0, CHUNK)?;
        if part.is_empty() {
            let rest = std::mem::take(&mut call.host.fold.input);
            return Ok((!rest.is_empty()).then_some(rest));
        }
        call.host.fold.input.extend_from_slice(&part);
    }
}

/// Reads at most so many bytes from a descriptor.
pub(super) fn read(call: &mut Call<'_>, fd: u64, most: usize) -> Answer<Vec<u8>> {
    let mut memory = vec![0; 16 + most];
    memory[0..4].copy_from_slice(&16_u32.to_le_bytes());
    memory[4..8].copy_from_slice(&(most as u32).to_le_bytes());
    call.wasi("fd_read", &mut memory, &[fd, 0, 1, 8])?;
    let count = number(&memory, 8).min(most);
    memory.drain(..16);
    memory.truncate(count);
    Ok(memory)
}

/// The number at an address.
pub(super) fn number(memory: &[u8], at: usize) -> usize {
    memory.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes) as usize
}

/// Writes all bytes to a descriptor.
pub(super) fn write_all(call: &mut Call<'_>, fd: u64, bytes: &[u8]) -> Answer<()> {
    // Not more at a time than an address can say.
    for part in bytes.chunks(1 << 30) {
        let mut memory = Vec::with_capacity(16 + part.len());
        memory.resize(16, 0);
        memory.extend_from_slice(part);
        let mut written = 0;
        while written < part.len() {
            memory[0..4].copy_from_slice(&((16 + written) as u32).to_le_bytes());
            memory[4..8].copy_from_slice(&((part.len() - written) as u32).to_le_bytes());
            call.wasi("fd_write", &mut memory, &[fd, 0, 1, 8])?;
            let count = number(&memory, 8);
            if count == 0 {
                return Err(Errno::Io.into());
            }
            written += count;
        }
    }
    Ok(())
}

/// Passes on what was written.
pub(super) fn flush(call: &mut Call<'_>) -> Answer<()> {
    let output = std::mem::take(&mut call.host.fold.output);
    if output.is_empty() { Ok(()) } else { write_all(call, 1, &output) }
}

impl HostState {
    /// Passes on what a Fold program wrote last. Whoever runs one calls this when it has ended, however it did.
    pub fn flush(&mut self) {
        // There is nobody left to be told that it failed.
        let _ = flush(&mut Call::new(self, &mut super::call::Nothing));
    }
}
