//! Open files.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::call::Answer;
use super::console::{read, write_all};
use super::handle::{File, Handle, Kind};
use super::{Call, Count, Done, Text, rows};
use crate::host::wasi::Errno;

rows! {
    file_read(file: handle, most: int) -> text(optional), Files, "Reads at most so many bytes; none at the end.";
    file_write(file: handle, bytes: text) -> int, Files, "Writes all bytes.";
    file_seek(file: handle, offset: int) -> int, Files, "Goes to a byte.";
    file_size(file: handle) -> int, Files, "Tells how many bytes there are.";
    file_sync(file: handle) -> int, Files, "Waits until what was written is on the device.";
    file_limit(file: handle, bytes: int) -> handle, Files, "The same file, for reading and writing so many more bytes, which are taken from its own limit.";
    file_close(file: handle), Files, "Closes it.";
}

/// Most that is read at once.
const MOST: i64 = 16 << 20;

impl File {
    /// How many of so many bytes may still be read or written.
    fn allowed(&self, wanted: i64) -> i64 {
        match self.left.load(Ordering::Relaxed) {
            left if left < 0 => wanted,
            left => wanted.min(left),
        }
    }

    fn spend(&self, count: usize) {
        let left = self.left.load(Ordering::Relaxed);
        if left >= 0 {
            self.left.store((left - count as i64).max(0), Ordering::Relaxed);
        }
    }
}

fn file_read(call: &mut Call<'_>, file: Arc<Handle>, most: i64) -> Answer<Vec<u8>> {
    let file = file.file()?;
    let most = file.allowed(most.clamp(0, MOST));
    let bytes = read(call, file.open.fd()?, most as usize)?;
    file.spend(bytes.len());
    Ok(bytes)
}

fn file_write(call: &mut Call<'_>, file: Arc<Handle>, bytes: Text) -> Answer<Count> {
    let file = file.file()?;
    let bytes = call.bytes(bytes).to_vec();
    if file.allowed(bytes.len() as i64) < bytes.len() as i64 {
        return Err(Errno::Nospc.into());
    }
    write_all(call, file.open.fd()?, &bytes)?;
    file.spend(bytes.len());
    Ok(Count(bytes.len() as u64))
}

fn file_seek(call: &mut Call<'_>, file: Arc<Handle>, offset: i64) -> Answer<Count> {
    let mut place = [0; 8];
    call.wasi("fd_seek", &mut place, &[file.file()?.open.fd()?, offset as u64, 0, 0])?;
    Ok(Count(u64::from_le_bytes(place)))
}

fn file_size(call: &mut Call<'_>, file: Arc<Handle>) -> Answer<Count> {
    let mut stat = [0; 64];
    call.wasi("fd_filestat_get", &mut stat, &[file.file()?.open.fd()?, 0])?;
    let size = stat.get(32..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    Ok(Count(size))
}

fn file_sync(call: &mut Call<'_>, file: Arc<Handle>) -> Answer<Done> {
    call.wasi("fd_sync", &mut [], &[file.file()?.open.fd()?])?;
    Ok(Done)
}

fn file_limit(call: &mut Call<'_>, file: Arc<Handle>, bytes: i64) -> Answer<Handle> {
    let file = file.file()?;
    // What is handed on is not left here: it could be handed on again and again.
    let bytes = file.allowed(bytes.max(0));
    file.spend(bytes as usize);
    let left = Arc::new(AtomicI64::new(bytes));
    Ok(call.make_handle(Kind::File(File { open: file.open.clone(), left })))
}

fn file_close(call: &mut Call<'_>, file: Arc<Handle>) -> Answer<()> {
    match file.file()?.open.close() {
        Some(fd) => call.wasi("fd_close", &mut [], &[fd]),
        None => Ok(()),
    }
}
