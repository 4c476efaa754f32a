//! Directories.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use super::call::Answer;
use super::console::{number, read, write_all};
use super::handle::{Access, Dir, File, Handle, Kind, Open};
use super::{Call, Done, Failure, Text, rows};
use crate::host::wasi::abi::{self, rights};
use crate::host::wasi::{Errno, path};

rows! {
    dir_read(dir: handle, path: text) -> text(optional), Files, "Reads a whole file.";
    dir_write(dir: handle, path: text, bytes: text, mode: int) -> int, Files, "Writes a whole file (0), at its end (1), or a new one (2).";
    dir_list(dir: handle, path: text) -> text(optional), Files, "Lists a directory: for each entry its kind, its name, and a zero byte.";
    dir_stat(dir: handle, path: text) -> text(optional), Files, "Tells a file's kind, its size, and when it was changed, in nanoseconds.";
    dir_sub(dir: handle, path: text) -> handle(optional), Files, "Opens a directory below this one.";
    dir_read_only(dir: handle) -> handle, Files, "The same directory, for reading.";
    dir_append_only(dir: handle) -> handle, Files, "The same directory, for reading, and for writing at the ends of files.";
    dir_make(dir: handle, path: text) -> int, Files, "Makes a directory.";
    dir_remove(dir: handle, path: text) -> int, Files, "Removes a file or an empty directory.";
    dir_rename(dir: handle, from: text, to_dir: handle, to: text) -> int, Files, "Gives a file or directory another path.";
    dir_open(dir: handle, path: text, mode: int) -> handle(optional), Files, "Opens a file to read (0), write anew (1), write at its end (2), or read and write (3).";
}

/// The longest file that is read at once.
const LONGEST: u64 = 1 << 30;
/// Read at a time where the size is not known.
const CHUNK: usize = 64 << 10;
/// A directory's entry before its name.
const ENTRY: usize = 24;

/// How something is opened.
struct Opening {
    flags: u16,
    rights: u64,
    descriptor_flags: u16,
}

impl Opening {
    const READ: Self = Self {
        flags: 0,
        rights: rights::FD_READ | rights::FD_SEEK | rights::FD_TELL | rights::FD_FILESTAT_GET,
        descriptor_flags: 0,
    };
    const DIRECTORY: Self = Self { flags: abi::OFLAG_DIRECTORY, rights: rights::DIRECTORY, descriptor_flags: 0 };
    const WRITE: Self = Self {
        flags: abi::OFLAG_CREAT | abi::OFLAG_TRUNC,
        rights: rights::FD_WRITE | rights::FD_SEEK | rights::FD_TELL | rights::FD_FILESTAT_GET | rights::FD_SYNC,
        descriptor_flags: 0,
    };
    const NEW: Self = Self { flags: abi::OFLAG_CREAT | abi::OFLAG_EXCL, ..Self::WRITE };
    const APPEND: Self = Self { flags: abi::OFLAG_CREAT, descriptor_flags: abi::FDFLAG_APPEND, ..Self::WRITE };
    const BOTH: Self =
        Self { flags: abi::OFLAG_CREAT, rights: Self::READ.rights | Self::WRITE.rights, descriptor_flags: 0 };
}

/// A path in memory that is handed to WASI, with room for a number behind it.
struct Path {
    memory: Vec<u8>,
    len: u64,
}

impl Path {
    fn new(call: &Call<'_>, path: Text, room: usize) -> Answer<Self> {
        let path = match call.text(path)? {
            "" => ".",
            path => path,
        };
        let len = path.len();
        if len > path::PATH_MAX as usize {
            return Err(Errno::Nametoolong.into());
        }
        let mut memory = path.as_bytes().to_vec();
        memory.resize(len.next_multiple_of(8) + room, 0);
        Ok(Self { memory, len: len as u64 })
    }

    /// Where the room begins.
    fn room(&self) -> u64 {
        self.len.next_multiple_of(8)
    }
}

fn open(call: &mut Call<'_>, dir: &Dir, path: Text, how: &Opening) -> Answer<u32> {
    call.tidy()?;
    let mut path = Path::new(call, path, 4)?;
    let (len, room) = (path.len, path.room());
    let (flags, descriptor_flags) = (u64::from(how.flags), u64::from(how.descriptor_flags));
    let inheriting = rights::DIRECTORY | rights::FILE;
    let arguments =
        [dir.open.fd()?, u64::from(abi::LOOKUP_FOLLOW), 0, len, flags, how.rights, inheriting, descriptor_flags, room];
    call.wasi("path_open", &mut path.memory, &arguments)?;
    Ok(number(&path.memory, room as usize) as u32)
}

/// Runs something with a descriptor that is closed afterwards.
fn with<T>(call: &mut Call<'_>, fd: u32, run: impl FnOnce(&mut Call<'_>, u64) -> Answer<T>) -> Answer<T> {
    let result = run(call, u64::from(fd));
    let closed = call.wasi("fd_close", &mut [], &[u64::from(fd)]);
    let value = result?;
    closed.map(|()| value)
}

fn dir_read(call: &mut Call<'_>, dir: Arc<Handle>, path: Text) -> Answer<Vec<u8>> {
    let fd = open(call, dir.dir()?, path, &Opening::READ)?;
    with(call, fd, |call, fd| {
        let mut stat = [0; 64];
        call.wasi("fd_filestat_get", &mut stat, &[fd, 0])?;
        if stat[16] == abi::FileKind::Directory as u8 {
            return Err(Errno::Isdir.into());
        }
        let size = size_of_stat(&stat);
        if size > LONGEST {
            return Err(Errno::Fbig.into());
        }
        // One more than it has, so that the end is met with the second read.
        let mut bytes = read(call, fd, size as usize + 1)?;
        loop {
            let part = read(call, fd, CHUNK.min(bytes.len().max(512)))?;
            if part.is_empty() {
                return Ok(bytes);
            }
            bytes.extend_from_slice(&part);
            if bytes.len() as u64 > LONGEST {
                return Err(Errno::Fbig.into());
            }
        }
    })
}

fn size_of_stat(stat: &[u8; 64]) -> u64 {
    u64::from_le_bytes([stat[32], stat[33], stat[34], stat[35], stat[36], stat[37], stat[38], stat[39]])
}

fn dir_write(call: &mut Call<'_>, dir: Arc<Handle>, path: Text, bytes: Text, mode: i64) -> Answer<Done> {
    let dir = dir.dir()?;
    let how = match mode {
        0 => {
            dir.allow(Access::Write)?;
            &Opening::WRITE
        }
        1 => {
            dir.allow(Access::Append)?;
            &Opening::APPEND
        }
        2 => {
            dir.allow(Access::Append)?;
            &Opening::NEW
        }
        _ => return Err(Errno::Inval.into()),
    };
    let fd = open(call, dir, path, how)?;
    let bytes = call.bytes(bytes).to_vec();
    with(call, fd, |call, fd| write_all(call, fd, &bytes))?;
    Ok(Done)
}

fn dir_list(call: &mut Call<'_>, dir: Arc<Handle>, path: Text) -> Answer<Vec<u8>> {
    let fd = open(call, dir.dir()?, path, &Opening::DIRECTORY)?;
    with(call, fd, |call, fd| {
        let (mut listed, mut cookie) = (Vec::new(), 0);
        let mut memory = vec![0; 8 + CHUNK];
        loop {
            call.wasi("fd_readdir", &mut memory, &[fd, 8, CHUNK as u64, cookie, 0])?;
            let used = number(&memory, 0).min(CHUNK);
            let mut at = 8;
            while let Some((next, name, kind)) = entry(&memory[at..8 + used]) {
                at += ENTRY + name.len();
                cookie = next;
                if name != b"." && name != b".." {
                    listed.push(kind);
                    listed.extend_from_slice(name);
                    listed.push(0);
                }
            }
            if used < CHUNK {
                return Ok(listed);
            }
            if at == 8 {
                return Err(Errno::Overflow.into());
            }
        }
    })
}

/// The entry at the beginning of a list that is whole: where the next one is, its name, and a letter for its kind.
fn entry(bytes: &[u8]) -> Option<(u64, &[u8], u8)> {
    let next = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    let name = bytes.get(ENTRY..ENTRY.checked_add(number(bytes, 16))?)?;
    Some((next, name, letter(*bytes.get(20)?)))
}

fn letter(kind: u8) -> u8 {
    match kind {
        kind if kind == abi::FileKind::Directory as u8 => b'd',
        kind if kind == abi::FileKind::RegularFile as u8 => b'f',
        kind if kind == abi::FileKind::SymbolicLink as u8 => b'l',
        _ => b'o',
    }
}

fn dir_stat(call: &mut Call<'_>, dir: Arc<Handle>, path: Text) -> Answer<Vec<u8>> {
    let mut path = Path::new(call, path, 64)?;
    let (len, room) = (path.len, path.room());
    let fd = dir.dir()?.open.fd()?;
    call.wasi("path_filestat_get", &mut path.memory, &[fd, u64::from(abi::LOOKUP_FOLLOW), 0, len, room])?;
    let stat: &[u8; 64] =
        path.memory.get(room as usize..).and_then(|stat| stat.first_chunk()).ok_or(Failure::Errno(Errno::Fault))?;
    let changed = u64::from_le_bytes([stat[48], stat[49], stat[50], stat[51], stat[52], stat[53], stat[54], stat[55]]);
    Ok(format!("{} {} {changed}", letter(stat[16]) as char, size_of_stat(stat)).into_bytes())
}

fn dir_sub(call: &mut Call<'_>, dir: Arc<Handle>, path: Text) -> Answer<Handle> {
    let dir = dir.dir()?;
    let fd = open(call, dir, path, &Opening::DIRECTORY)?;
    let open = Open::new(call.host, fd);
    Ok(call.make_handle(Kind::Dir(Dir { open, access: dir.access })))
}

fn with_access(call: &mut Call<'_>, dir: &Handle, most: Access) -> Answer<Handle> {
    let dir = dir.dir()?;
    Ok(call.make_handle(Kind::Dir(Dir { open: dir.open.clone(), access: dir.access.min(most) })))
}

fn dir_read_only(call: &mut Call<'_>, dir: Arc<Handle>) -> Answer<Handle> {
    with_access(call, &dir, Access::Read)
}

fn dir_append_only(call: &mut Call<'_>, dir: Arc<Handle>) -> Answer<Handle> {
    with_access(call, &dir, Access::Append)
}

fn dir_make(call: &mut Call<'_>, dir: Arc<Handle>, path: Text) -> Answer<Done> {
    let dir = dir.dir()?;
    dir.allow(Access::Write)?;
    let mut path = Path::new(call, path, 0)?;
    let len = path.len;
    call.wasi("path_create_directory", &mut path.memory, &[dir.open.fd()?, 0, len])?;
    Ok(Done)
}

fn dir_remove(call: &mut Call<'_>, dir: Arc<Handle>, path: Text) -> Answer<Done> {
    let dir = dir.dir()?;
    dir.allow(Access::Write)?;
    let mut path = Path::new(call, path, 0)?;
    let arguments = [dir.open.fd()?, 0, path.len];
    match call.wasi("path_unlink_file", &mut path.memory, &arguments) {
        Err(Failure::Errno(Errno::Isdir | Errno::Perm)) => {
            call.wasi("path_remove_directory", &mut path.memory, &arguments)?;
        }
        removed => removed?,
    }
    Ok(Done)
}

fn dir_rename(call: &mut Call<'_>, dir: Arc<Handle>, from: Text, to_dir: Arc<Handle>, to: Text) -> Answer<Done> {
    let (dir, to_dir) = (dir.dir()?, to_dir.dir()?);
    dir.allow(Access::Write)?;
    to_dir.allow(Access::Write)?;
    let mut both = Path::new(call, from, 0)?;
    let to = Path::new(call, to, 0)?;
    let (len, at) = (both.len, both.memory.len() as u64);
    both.memory.extend_from_slice(&to.memory);
    let arguments = [dir.open.fd()?, 0, len, to_dir.open.fd()?, at, to.len];
    call.wasi("path_rename", &mut both.memory, &arguments)?;
    Ok(Done)
}

fn dir_open(call: &mut Call<'_>, dir: Arc<Handle>, path: Text, mode: i64) -> Answer<Handle> {
    let dir = dir.dir()?;
    let (access, how) = match mode {
        0 => (Access::Read, &Opening::READ),
        1 => (Access::Write, &Opening::WRITE),
        2 => (Access::Append, &Opening::APPEND),
        3 => (Access::Write, &Opening::BOTH),
        _ => return Err(Errno::Inval.into()),
    };
    dir.allow(access)?;
    let fd = open(call, dir, path, how)?;
    let open = Open::new(call.host, fd);
    Ok(call.make_handle(Kind::File(File { open, left: Arc::new(AtomicI64::new(-1)) })))
}
