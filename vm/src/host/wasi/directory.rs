//! Directory descriptors: names of granted directories, and entries.

use std::mem::MaybeUninit;

use rustix::fs::{RawDir, SeekFrom};
use rustix::io::Errno as HostErrno;

use super::abi::{self, FileKind, rights};
use super::{Answer, Errno, rows};
use crate::host::{GuestMemory, HostState};

rows! {
    fd_prestat_get(fd: fd, prestat: at), Files, [], "Tells whether a descriptor is a granted directory, and the length of its name.";
    fd_prestat_dir_name(fd: fd, path: at, path_len: at), Files, [], "Tells a granted directory's name.";
    fd_readdir(fd: fd, buf: at, buf_len: i32, cookie: i64, bufused: done), Files, ["lseek", "getdents64"], "Reads entries of a directory.";
}

/// Bytes of entries fetched at a time.
const BATCH: usize = 8 << 10;

fn preopen_name(host: &HostState, fd: u32) -> Result<&str, Errno> {
    host.descriptors.get(fd)?.directory().ok().and_then(|d| d.preopen.as_deref()).ok_or(Errno::Badf)
}

fn fd_prestat_get(host: &mut HostState, mut memory: GuestMemory<'_>, fd: u32, prestat: u32) -> Answer {
    let len = u32::try_from(preopen_name(host, fd)?.len()).map_err(|_| Errno::Overflow)?;
    // The kind in the low half: 0, a directory. The high half is the length.
    Ok(memory.write_u64(prestat, u64::from(len) << 32)?)
}

fn fd_prestat_dir_name(host: &mut HostState, mut memory: GuestMemory<'_>, fd: u32, path: u32, path_len: u32) -> Answer {
    let name = preopen_name(host, fd)?;
    if (path_len as usize) < name.len() {
        return Err(Errno::Nametoolong.into());
    }
    Ok(memory.write(path, name.as_bytes())?)
}

/// Cookies are the file system's own places, so that they stay good while entries come and go
/// between calls. The last entry is cut where the buffer ends; a full buffer means that there is
/// more.
fn fd_readdir(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    fd: u32,
    buf: u32,
    buf_len: u32,
    cookie: u64,
    bufused: u32,
) -> Answer {
    let directory = &host.descriptors.directory(fd, rights::FD_READDIR)?.fd;
    memory.read_u32(bufused)?;
    let mut rest = memory.slice_mut(buf, buf_len)?;
    if i64::try_from(cookie).is_err() {
        return Err(Errno::Inval.into());
    }
    rustix::fs::seek(directory, SeekFrom::Start(cookie))?;
    let mut batch = [MaybeUninit::uninit(); BATCH];
    let mut entries = RawDir::new(directory, &mut batch);
    while !rest.is_empty() {
        host.check_interrupt()?;
        let entry = match entries.next() {
            // A directory that was removed while it was open has no entries, not even its own.
            None | Some(Err(HostErrno::NOENT)) => break,
            Some(entry) => entry?,
        };
        let name = entry.file_name().to_bytes();
        let mut header = [0; abi::DIRENT_SIZE];
        let (fields, _) = header.as_chunks_mut::<8>();
        let kind = FileKind::from(entry.file_type()) as u64;
        let values = [entry.next_entry_cookie(), entry.ino(), name.len() as u64 | kind << 32];
        for (field, value) in fields.iter_mut().zip(values) {
            *field = value.to_le_bytes();
        }
        for part in [&header[..], name] {
            let len = part.len().min(rest.len());
            let (now, later) = rest.split_at_mut(len);
            now.copy_from_slice(part.get(..len).unwrap_or_default());
            rest = later;
        }
    }
    let left = rest.len() as u32;
    Ok(memory.write_u32(bufused, buf_len - left)?)
}
